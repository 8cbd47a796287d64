"""Changes in the cells of lists that are words rather than notation: ``exon 19 deletion``, ``L858R/T790M``, ``C228T``.

The grammar of reports reads them behind the row's gene, so that a list and a text mean the same by the same words.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from ..tables.columns import compacted
from ..variants.consequences import consequence_class
from ..variants.genes import symbol_of
from ..variants.protein_changes import is_unstated, parse_protein_change
from . import free_text
from .report_readings import Mutation
from .rows import ROWS

OTHER_KIND = "copy number or fusion: no small mutation"
_LONGEST = 200


@dataclass(frozen=True)
class CellReading:
    """What a cell says of its row's gene: ``mutations`` as (protein change, consequence), or why it says none.

    Neither is there where the words are not understood. ``class_unknown``: they do not state the class, as c.35G>A does
    not, which is then read as missense."""

    mutations: tuple[tuple[str, str], ...] = ()
    left_out: str | None = None
    class_unknown: bool = False


@lru_cache(1 << 16)
def read(gene: str, text: str) -> CellReading | None:
    """Read the cell ``text`` of a row about ``gene``; None where it is plain notation, empty or too long, so that there
    is nothing to find out."""
    text = text.strip()
    if not text or is_unstated(text) or len(text) > _LONGEST or _is_notation(gene, text):
        return None
    outcomes = free_text.outcomes_of(f"{gene} {text}")
    readings = [reading for outcome in outcomes for reading in outcome.readings]
    small = [each for each in readings if isinstance(each, Mutation) and symbol_of(each.gene) == symbol_of(gene)]
    if small:
        exact = [each for each in small if not each.gene_only]
        stated = dict.fromkeys((each.protein_change, each.consequence) for each in exact or small[:1])
        return CellReading(tuple(stated), class_unknown=not exact)
    if readings:
        return CellReading(left_out=OTHER_KIND)
    return CellReading(left_out=next((outcome.left_out for outcome in outcomes if outcome.left_out), None))


def _is_notation(gene: str, text: str) -> bool:
    # C228T and C250T are TERT's promoter, although they look like a residue's exchange.
    return parse_protein_change(text) is not None and symbol_of(gene) != "TERT"


@dataclass
class Read:
    """``rows`` of a list with their cells read; how many of them are ``extra``, the second and later changes of one
    cell; the number of rows ``refused`` by reason; and in how many a mutation of unknown class is read as missense."""

    rows: pa.Table
    extra: int
    refused: dict[str, int]
    class_unknown: int = 0


def read_all(rows: pa.Table) -> Read:
    """Read the cells of ``rows`` (schema ``rows.ROWS``) that hold words. A change that another row states too is no
    extra one, so that no row counts twice."""
    names = ("case_id", "gene", "protein_change", "consequence")
    case, gene, change, consequence = (rows[name].cast(pa.string()).to_pylist() for name in names)
    refused: dict[str, int] = {}
    keep = np.ones(rows.num_rows, bool)
    more: list[tuple[int, str, str]] = []
    vague = 0
    for i, (own, text) in enumerate(zip(gene, change, strict=True)):
        reading = read(own, text)
        if reading is None:
            continue
        if reading.left_out:
            refused[reading.left_out] = refused.get(reading.left_out, 0) + 1
            keep[i] = False
        elif reading.mutations:
            (change[i], said), *others = reading.mutations
            if reading.class_unknown and consequence_class(consequence[i]) is not None:
                continue  # the row's own class
            vague += reading.class_unknown
            consequence[i] = said or ("" if change[i] else consequence[i])
            more += [(i, *other) for other in others]
    known = {(case[i], gene[i], _canonical(change[i])) for i in np.flatnonzero(keep).tolist()}
    extra: list[tuple[int, str, str]] = []
    for i, text, said in more:
        if (key := (case[i], gene[i], _canonical(text))) not in known:
            known.add(key)
            extra.append((i, text, said))
    order = [*np.flatnonzero(keep).tolist(), *(i for i, _, _ in extra)]
    kept = rows.take(pa.array(order, pa.int64()))
    n = int(keep.sum())
    new = {
        "protein_change": [*(change[i] for i in order[:n]), *(text for _, text, _ in extra)],
        "consequence": [*(consequence[i] for i in order[:n]), *(said for _, _, said in extra)],
    }
    for name, values in new.items():
        column = pa.array(values, pa.string())
        at = kept.schema.get_field_index(name)
        kept = kept.set_column(at, name, column.dictionary_encode() if name == "consequence" else column)
    return Read(compacted(kept.select(ROWS.names)), len(extra), refused, vague)


def _canonical(text: str) -> str:
    read_change = parse_protein_change(text)
    return read_change.text if read_change else text
