"""What is wrong in the rows of a table of mutations, row by row."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..sources import exports, list_cells, table
from ..sources.common_names import human_symbol
from ..sources.free_text import Problem
from ..tables.columns import equals, matching, single
from ..tables.delimited import DelimitedFile
from ..tables.layout import Layout
from ..variants import canonical
from ..variants.consequences import consequence_class
from ..variants.protein_changes import UNSTATED
from .forms import TABLE
from .inputs import Input


def _blank(column: pa.Array) -> np.ndarray:
    return _mask(pc.equal(pc.utf8_trim_whitespace(_strings(column)), ""))


def _no_gene(column: pa.Array) -> np.ndarray:
    nothing = pa.array(["Unknown", *UNSTATED], pa.string())
    return _mask(pc.is_in(pc.utf8_trim_whitespace(_strings(column)), value_set=nothing))


def _no_alleles(column: pa.Array) -> np.ndarray:
    return matching(single(column), lambda text: not text.strip() or not set(text.strip().upper()) <= set("ACGT-"))


def _unknown_class(column: pa.Array) -> np.ndarray:
    return matching(single(column), lambda text: consequence_class(text) is None)


def _strings(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _mask(column: pa.Array) -> np.ndarray:
    return column.to_numpy(zero_copy_only=False)


_CHECKS: tuple[tuple[str, str, Callable[[pa.Array], np.ndarray]], ...] = (
    ("sample", "no sample: the row is ignored", _blank),
    ("gene", "no gene: the row is ignored", _no_gene),
    ("consequence", "consequence not recognised: the protein change decides", _unknown_class),
    ("protein_change", "protein change not readable: used without it", canonical.unreadable),
    ("reference", "alleles not written out: the DNA event is unknown", _no_alleles),
    ("alternative", "alleles not written out: the DNA event is unknown", _no_alleles),
)
"""Role of a column, what is said of a value that is wrong, and the mask of the values that are."""


def row_problems(read_input: Input) -> Iterator[Problem]:
    """What is wrong in the rows of a table, and what free text was not understood.

    ``line`` counts rows below the column names (lines, for free text). Rows that silent or non-coding variants fill are
    not looked at. Of a VCF, the counts in ``tables.dropped`` name the lines."""
    yield from read_input.problems
    for part in read_input.parts:
        yield from row_problems(replace(part, problems=[]))
    if read_input.layout is not None:
        yield from _of_rows(read_input.file, read_input.layout)
    elif read_input.form == TABLE and read_input.file is not None:
        for row, gene, word in table.unreadable_cells(read_input.file):
            yield Problem(row, f"column {gene}: {word[:40]!r} is no protein change and not WT: used without it")


def _of_rows(file: DelimitedFile, layout: Layout) -> Iterator[Problem]:
    present = layout.present(file.names)
    names = {role: present[role][0] for role, _, _ in _CHECKS if role in present}
    kinds = {name: layout.columns[role].kind for role, name in names.items()}
    needed = {name: kinds[name] for role, name in names.items() if role in ("sample", "gene")}
    for numbers, batch in file.numbered(needed, kinds, f"checking {file.path.name}"):
        rows = np.flatnonzero(_looked_at(batch, names))
        numbers, batch = numbers[rows], batch.take(pa.array(rows))
        wrong: dict[int, list[str]] = {}
        for role, says, is_wrong in _CHECKS:
            if role in names:
                column = batch.column(names[role])
                for i in np.flatnonzero(is_wrong(column)).tolist():
                    if role == "protein_change" and layout.name == exports.LIST.name and _in_words(batch, names, i):
                        continue
                    wrong.setdefault(i, []).append(f"{names[role]} {column[i].as_py()[:40]!r}: {says}")
        yield from (Problem(int(numbers[i]), what) for i in sorted(wrong) for what in wrong[i])


def _in_words(batch: pa.RecordBatch, names: dict[str, str], i: int) -> bool:
    """Whether the change of row ``i`` of a list is written in words that are understood."""
    gene, text = (batch.column(names[role])[i].as_py() or "" for role in ("gene", "protein_change"))
    reading = list_cells.read(human_symbol(gene), text)
    return reading is not None and bool(reading.mutations or reading.left_out)


def _looked_at(batch: pa.RecordBatch, names: dict[str, str]) -> np.ndarray:
    """Mask of the rows that are neither silent nor non-coding, nor a second line of column names."""
    role = "sample" if "sample" in names else "gene"
    keep = ~equals(single(batch.column(names[role])), names[role])
    if "consequence" in names:
        masks = canonical.silent_and_non_coding(batch.column(names["consequence"]))
        keep &= ~np.logical_or.reduce(list(masks.values()))
    return keep
