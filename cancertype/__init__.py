"""Which of 26 cancers is it? Open mutation data in, a fine-tuned Gemma and an honest report out.

``Predictor`` loads a published model, ``read`` reads a file or a text of mutations, and both raise ``InputError`` for
input that can be corrected. They are imported when they are first used, so ``import cancertype`` is instant.
"""

from importlib import import_module

_EXPORTS = {
    "InputError": ("errors", "InputError"),
    "Predictor": ("prediction.predictor", "Predictor"),
    "read": ("prediction.inputs", "read"),
}

__all__ = ["InputError", "Predictor", "__version__", "read"]


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
