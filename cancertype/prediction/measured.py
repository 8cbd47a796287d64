"""The figures quoted beside an answer: those of the test cases that were seen in the way most like this sample's."""

import math
from dataclasses import dataclass
from functools import cache

import pyarrow.compute as pc

from ..assays import assay as assays
from ..errors import InputError
from ..variants.cases import EXOME, GENOME, LIST, NOTHING, SourceTables
from .prediction_config import Measured, PredictionConfig

FEWEST = 5
"""A label with fewer cases in a row of the grid is quoted with the figures of all test cases as they are."""

_PANEL = "panel"
_WHOLE = (EXOME, GENOME)
_SHOWN = {"arms": "chromosome arms", "genes": "gene copy number", "fusions": "fusions", "spectra": "spectra"}
_ALL = "all"


@dataclass(frozen=True)
class Seen:
    """How a case was seen: the ``kind`` of its assay, the number of ``genes`` of a panel, and what was ``shown`` beside
    its mutations (of ``arms``, ``genes``, ``fusions``, ``spectra``)."""

    kind: str
    genes: int | None
    shown: frozenset[str]


def seen(tables: SourceTables) -> dict[str, Seen]:
    """Each case of ``tables`` to how it was seen."""
    beside = {name: _cases_with(tables, name) for name in _SHOWN}
    out = {}
    for case_id, panel in zip(*(tables.cases[name].to_pylist() for name in ("case_id", "panel")), strict=True):
        genes = tables.panels.get(panel) if panel else None
        shown = frozenset(name for name, with_it in beside.items() if case_id in with_it)
        out[case_id] = Seen(_kind(panel, genes), len(genes) if genes else None, shown)
    return out


@cache
def of_row(row: str) -> Seen:
    """How the cases of a row of the grid were seen, by its name (``features.views.row``): ``msk-impact-468+arms``."""
    name, *shown = row.split("+")
    beside = frozenset(_SHOWN if _ALL in shown else shown)
    try:
        genes = assays.get(name).genes
    except InputError:  # "reduced" and "nothing", which are no assays
        genes = None
    return Seen(_kind(name, genes), len(genes) if genes else None, beside)


def nearest(config: PredictionConfig, case: Seen) -> Measured | None:
    """The row of the grid whose cases were seen most like ``case``: of the same kind of assay, with the same data
    beside the mutations as far as possible, then of the nearest size. None where no row is of that kind."""
    alike = [row for row in config.measured if of_row(row.row).kind == case.kind]
    return min(alike, key=lambda row: _apart(case, of_row(row.row)), default=None)


def figures(config: PredictionConfig, row: Measured | None, label: str, *, fast: bool) -> dict:
    """``n``, ``recall`` and ``precision`` of ``label``, and ``seen_through``: the row of the grid that they are of, or
    None where they are those of all test cases as they are. ``fast``: of the trees where they answer alone."""
    own = {} if row is None else (row.trees if fast else row.final).get(label, {})
    if own.get("n", 0) >= FEWEST:
        return own | {"seen_through": row.row}
    overall = (fast and config.performance_of_trees) or config.performance
    return {name: overall.get(label, {}).get(name) for name in ("n", "recall", "precision")} | {"seen_through": None}


def in_words(row: str) -> str:
    """``exome+arms+spectra`` as ``exome with chromosome arms and spectra``."""
    assay, *shown = row.split("+")
    words = ["copy number, fusions", "spectra"] if shown == [_ALL] else [_SHOWN.get(name, name) for name in shown]
    beside = " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
    if assay == NOTHING:
        return f"{beside} alone"
    return f"{assay} with {beside}" if beside else assay


def _kind(assay: str | None, genes: object) -> str:
    """The kind of an assay by its name (None for an exome); a file of genes is a panel."""
    if assay is None or assay in _WHOLE:
        return EXOME
    return assay if assay in (LIST, NOTHING) else _PANEL if genes else assay


def _apart(case: Seen, row: Seen) -> tuple[int, float]:
    """In how many kinds of data the two differ, and the logarithm of how many times one panel is as large."""
    size = abs(math.log(case.genes / row.genes)) if case.genes and row.genes else 0.0
    return len(case.shown ^ row.shown), size


def _cases_with(tables: SourceTables, what: str) -> set[str]:
    """The cases of which ``what`` is known."""
    if what == "spectra":
        return set() if tables.spectra is None else set(tables.spectra["case_id"].to_pylist())
    if tables.alterations is None:
        return set()
    table = getattr(tables.alterations, what)
    if what == "arms":
        table = table.filter(pc.is_valid(table["call"]))
    return set(table["case_id"].to_pylist())
