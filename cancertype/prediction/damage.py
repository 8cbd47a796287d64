"""One line for what a damaged file of a model raises while it is parsed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError

_OTHERS = frozenset({"SafetensorError", "LightGBMError", "ArrowException"})
"""Names of exceptions that safetensors, LightGBM and pyarrow derive from ``Exception`` alone. By name, because to
import LightGBM or PyTorch takes seconds."""


@contextmanager
def damage_explained(path: Path) -> Iterator[None]:
    """Turn what a damaged file raises while it is parsed into one ``InputError``."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        names = {kind.__name__ for kind in type(error).__mro__}
        if "OutOfMemoryError" in names:
            raise
        if not isinstance(error, OSError | ValueError | KeyError | TypeError | RuntimeError) and not names & _OTHERS:
            raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: damaged or incomplete ({reason}): get the model again") from error
