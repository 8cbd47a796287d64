"""Reading params.yaml, and turning an error that a user can fix into one line and exit status 1."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydantic
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cancertype.errors import InputError
from pipeline.termination import end_cleanly

FILE = Path("params.yaml")
EXAMPLE = Path(__file__).parents[1] / "params" / "quickstart.yaml"
"""The preset whose value an error message gives for a missing key."""


def read(wanted: dict[str, Any]) -> list[Any]:
    """The values of the dotted keys of ``wanted``, in its order, each as the type given for it.

    The whole file is checked first, so that a mistake in the last stage's section does not cost the hours of the
    first. The model of the whole file is imported by name, so that `make deps` does not list it as a dependency: it
    can stop a stage but never change what the stage makes. What a stage does use is typed by ``wanted``."""
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
        mistakes = [_missing(key) for key in _unset(whole.model_validate(document))]
    except pydantic.ValidationError as error:
        mistakes = [_line(problem) for problem in error.errors()]
    if mistakes:
        raise InputError(*(f"{file}: {line}" for line in mistakes)) from None


def _unset(settings: pydantic.BaseModel, above: str = "") -> Iterator[str]:
    """Keys that the file leaves to a default. DVC sees only what is written, so a default that changes with the code
    would change a result unnoticed."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name not in settings.model_fields_set:
            yield f"{above}{name}"
        elif isinstance(value, pydantic.BaseModel):
            yield from _unset(value, f"{above}{name}.")


def _missing(key: str) -> str:
    """The line for a missing key, with the value that ``EXAMPLE`` has for it (JSON is YAML too)."""
    value = _document(EXAMPLE)
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            return f"{key}: missing; add it"
        value = value[part]
    shown = "shows its keys" if isinstance(value, dict) else f"has {json.dumps(value)}"
    return f"{key}: missing; add it (params/{EXAMPLE.name} {shown})"


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
        return _missing(key)
    message, value = problem["msg"].removeprefix("Value error, "), problem["input"]
    written = "" if isinstance(value, dict) else f" (found {value!r})"
    return f"{key}: {message[0].lower() + message[1:]}{written}"


def run(main: Callable[[], None]) -> None:
    """Run a stage. An error that a user can fix becomes one message on stderr and exit status 1; any other error keeps
    its traceback. SIGTERM ends the stage cleanly."""
    end_cleanly()
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except OSError as error:
        if error.errno is None:
            raise
        print(
            f"error: {error.filename or ''}: {error.strerror}. Free space or correct the permissions, and run it again",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
