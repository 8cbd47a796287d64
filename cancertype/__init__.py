"""Which of 26 cancers is it? Open mutation data in, a fine-tuned Gemma and an honest report out.

``load().predict(x)`` answers for a text, a file, a list of texts or a data frame. ``Predictor`` and ``read`` are its
two halves, the published model and the reader of mutations. All raise ``InputError`` for input that can be corrected.
They are imported when they are first used, so ``import cancertype`` is instant.
"""

import os
import sys
from importlib import import_module

# Read when tqdm and the Hub's client are imported, which is later. A bar is for a person: in a file it is noise.
if sys.stderr is None or not sys.stderr.isatty():
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

_EXPORTS = {
    "InputError": ("errors", "InputError"),
    "Predictor": ("prediction.predictor", "Predictor"),
    "load": ("prediction.model", "load"),
    "read": ("prediction.inputs", "read"),
}

__all__ = ["InputError", "Predictor", "__version__", "load", "read"]


def __getattr__(name: str):
    if name == "__version__":
        value = _version()
    elif name in _EXPORTS:
        module, attribute = _EXPORTS[name]
        value = getattr(import_module(f"{__name__}.{module}"), attribute)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # The next use finds it without a call.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """The version in pyproject.toml of a clone, which may be newer than what is installed; else the installed one."""
    import tomllib
    from importlib.metadata import PackageNotFoundError, version
    from pathlib import Path

    project = Path(__file__).parents[1] / "pyproject.toml"
    try:
        return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    except (OSError, ValueError, KeyError):
        pass
    try:
        return version(__name__)
    except PackageNotFoundError:
        return "unknown"
