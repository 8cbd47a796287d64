"""The package's own data files: each lies in the room that uses it."""

import csv
from importlib.resources import files


def text(room: str, name: str) -> str:
    """The content of the UTF-8 file ``name`` in ``cancertype.<room>``."""
    return files(f"cancertype.{room}").joinpath(name).read_text(encoding="utf-8")


def rows(room: str, name: str) -> list[dict[str, str]]:
    """The rows of the CSV file ``name`` in ``cancertype.<room>``, each as column to value."""
    return list(csv.DictReader(text(room, name).splitlines()))
