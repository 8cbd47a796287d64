"""Reading whatever the fetch stages put into the raw folder."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from ..errors import InputError
from ..tables.columns import with_column
from ..variants.cases import SourceTables
from . import cbioportal, depmap, table, tcga
from .settings import ReadingLimits

_READERS: dict[str, Callable[[Sequence[Path], ReadingLimits, Sequence[Path]], list[SourceTables]]] = {
    "depmap": depmap.read_folders,
    "simulated_depmap": depmap.read_folders,
    "tcga": lambda folders, limits, genomes: tcga.read_folders(folders, genomes),
    "simulated_tcga": lambda folders, limits, genomes: tcga.read_folders(folders, genomes),
    "table": lambda folders, limits, genomes: [table.read(folder) for folder in folders],
    "cbioportal": lambda folders, limits, genomes: [cbioportal.read(folder, genomes) for folder in folders],
}
_SOURCES = ("depmap", "table", "tcga", "cbioportal")
"""Folders of ``raw`` in the order in which they are read: of a patient's calls those of the exome come first."""

_ORIGIN = re.compile(r"(?:release(?:-(\d+))?|simulated)")


def records(raw: Path) -> Iterator[tuple[Path, dict]]:
    """Every origin's folder under ``raw`` and its ``source.json``: by source, and of a source release, release-2,
    release-3 ..., then simulated. Raises ``InputError`` for a record that somebody has edited beyond recognition."""
    # By name, so that a folder which a killed run left half-written beside them is not taken for one of them.
    found = [path.parent for path in raw.glob("*/*/source.json") if _ORIGIN.fullmatch(path.parent.name)]
    for folder in sorted(found, key=_place):
        yield folder, _record(folder)


def _record(folder: Path) -> dict:
    """The folder's ``source.json``. Raises ``InputError`` for one that no fetch stage writes."""
    path = folder / "source.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        known = isinstance(record, dict) and record.get("source") in _READERS
    except (ValueError, TypeError):  # no JSON, not UTF-8, or a source that is a list
        known = False
    if not known:
        raise InputError(f"{path} is not the record that a fetch stage writes: fetch the source again")
    return record


def _place(folder: Path) -> tuple[int, str, bool, int]:
    source = folder.parent.name
    number = _ORIGIN.fullmatch(folder.name)[1]
    known = _SOURCES.index(source) if source in _SOURCES else len(_SOURCES)
    return known, source, folder.name == "simulated", int(number or 1)


def read(raw: Path, limits: ReadingLimits, genomes: Sequence[Path] = ()) -> list[SourceTables]:
    """Read every origin under ``raw``, all folders of a source together; ``limits`` hold for those without matched
    normals. ``genomes`` are FASTA files of reference genomes, for the bases around the variants of MAFs without them:
    each folder's come from the first that fits. There is one ``SourceTables`` for each folder, in the order of
    ``records`` (two for a folder of tcga that holds MAFs and cBioPortal's tables).

    Raises ``InputError`` when there is none."""
    tables: list[SourceTables] = []
    for source, group in groupby(records(raw), key=lambda found: found[1]["source"]):
        tables += _READERS[source]([folder for folder, _ in group], limits, genomes)
    if not tables:
        raise InputError(f"{raw} holds no source: list one in data.sources and fetch it")
    return _with_distinct_panels(tables)


def _with_distinct_panels(tables: Sequence[SourceTables]) -> list[SourceTables]:
    """``tables`` with a number behind the name of a panel that an earlier folder has with other genes."""
    known: dict[str, list[str]] = {}
    done = []
    for each in tables:
        names = {}
        for name, genes in each.panels.items():
            number, called = 1, name
            while set(known.setdefault(called, genes)) != set(genes):
                number += 1
                called = f"{name} ({number})"
            names[name] = called
        done.append(_renamed(each, names) if any(old != new for old, new in names.items()) else each)
    return done


def _renamed(tables: SourceTables, names: dict[str, str]) -> SourceTables:
    column = pa.array([names.get(panel, panel) for panel in tables.cases["panel"].to_pylist()], pa.string())
    panels = {names[name]: genes for name, genes in tables.panels.items()}
    return replace(tables, cases=with_column(tables.cases, "panel", column), panels=panels)
