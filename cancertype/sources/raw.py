"""Reading whatever the fetch stages put into the raw folder."""

import json
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError
from ..variants.cases import SourceTables
from . import depmap, table, tcga
from .settings import ReadingLimits

_READERS = {
    "depmap": depmap.read,
    "simulated_depmap": depmap.read,
    "tcga": lambda folder, limits: tcga.read(folder),
    "simulated_tcga": lambda folder, limits: tcga.read(folder),
    "table": lambda folder, limits: table.read(folder),
}


def records(raw: Path) -> Iterator[tuple[Path, dict]]:
    """Every origin's folder under ``raw`` and its ``source.json``, in the order of their paths."""
    # By name, so that a folder which a killed run left half-written beside them is not taken for one of them.
    for path in sorted(path for origin in ("release", "simulated") for path in raw.glob(f"*/{origin}/source.json")):
        yield path.parent, json.loads(path.read_text(encoding="utf-8"))


def read(raw: Path, limits: ReadingLimits) -> list[SourceTables]:
    """Read every origin under ``raw``; ``limits`` hold for those without matched normals.

    Raises ``InputError`` when there is none."""
    tables = [_READERS[record["source"]](folder, limits) for folder, record in records(raw)]
    if not tables:
        raise InputError(f"{raw} holds no source: list one in data.sources and fetch it")
    return tables
