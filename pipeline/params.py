"""Reading params.yaml, and turning an error that a user can mend into one line and exit status 1."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydantic
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cancertype.errors import InputError

FILE = Path("params.yaml")


def read(wanted: dict[str, Any]) -> list[Any]:
    """The values of the dotted keys of ``wanted``, in its order, each as the type given for it.

    The whole file is checked first, so that a mistake in the last stage's section does not cost the hours of the
    first. The model of the whole file is imported by name, out of sight of the test that compares imports with
    dvc.yaml: it can stop a stage but never change what the stage makes, so it is no dependency. What a stage does use
    is typed by ``wanted``."""
    document = _document(FILE)
    check(document, FILE)
    values = []
    for key, kind in wanted.items():
        value = document
        for part in key.split("."):
            value = value[part]
        values.append(pydantic.TypeAdapter(kind).validate_python(value))
    return values


def read_everything() -> dict[str, Any]:
    """The whole file as plain values, checked as ``read`` checks it: for a stage that publishes all parameters."""
    document = _document(FILE)
    check(document, FILE)
    return document


def check(document: Any, file: Path) -> None:
    """Raise ``InputError`` with one line for each key that is missing, unknown, ill-typed or impossible."""
    whole = importlib.import_module("pipeline.schema").Params
    try:
        mistakes = [
            f"{key}: missing; add it (its default is {value!r})"
            for key, value in _unset(whole.model_validate(document))
        ]
    except pydantic.ValidationError as error:
        mistakes = [_line(problem) for problem in error.errors()]
    if mistakes:
        raise InputError("\n".join(f"{file}: {line}" for line in mistakes)) from None


def _unset(settings: pydantic.BaseModel, above: str = "") -> Iterator[tuple[str, Any]]:
    """Keys that the file leaves to their default, with it. DVC sees only what is written, so a default that changes
    between two versions of the code would change a result unseen."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name not in settings.model_fields_set:
            yield f"{above}{name}", value
        elif isinstance(value, pydantic.BaseModel):
            yield from _unset(value, f"{above}{name}.")


def _document(file: Path) -> Any:
    # The YAML 1.2 that DVC reads and writes: to PyYAML's 1.1, the 3e-05 of `dvc exp run -S` would be text.
    parser = YAML(typ="safe", pure=True)
    try:
        return parser.load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{file}: no such file. Copy one from params/: cp params/quickstart.yaml params.yaml"
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: not readable as YAML: {' '.join(str(error).split())}") from None


def _line(problem: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "(the whole file)"
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key; remove it or correct its spelling"
    if problem["type"] == "missing":
        return f"{key}: missing; add it (params/quickstart.yaml shows every key)"
    message, given = problem["msg"].removeprefix("Value error, "), problem["input"]
    found = "" if isinstance(given, dict) else f" (found {given!r})"
    return f"{key}: {message[0].lower() + message[1:]}{found}"


def run(main: Callable[[], None]) -> None:
    """Run a stage. What a user can mend ends in one message on stderr and exit status 1; anything else keeps its
    trace."""
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except OSError as error:
        if error.errno is None:
            raise
        print(
            f"error: {error.filename or ''}: {error.strerror}. Free space or mend the permissions and run it again",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
