"""A params.yaml with some of its values changed, as ``dvc exp run -S`` changes them, for runs outside DVC."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


def write_changed(params: Path, changes: Mapping[str, Any], out: Path) -> None:
    """Write ``params`` to ``out`` with the values of ``changes`` (dotted keys) in place of its own."""
    yaml = YAML()
    document = yaml.load(params.read_text(encoding="utf-8"))
    for dotted, value in changes.items():
        *sections, key = dotted.split(".")
        at = document
        for section in sections:
            at = at[section]
        at[key] = value
    with out.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)
