"""What is counted in a case: burden, substitution classes, indels, amino-acid substitutions, trinucleotides."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..tables.columns import row_positions
from ..variants.schema import DNA_EVENTS, SUBSTITUTIONS, TRINUCLEOTIDES, TRUNCATING
from .lookup import case_rows

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
AMINO_ACID_SUBSTITUTIONS: tuple[str, ...] = tuple(f"{a}>{b}" for a in AMINO_ACIDS for b in AMINO_ACIDS if a != b)
"""The 380 ordered pairs of different amino acids, in the order of the counts ``amino_acids``."""

COUNTED = ("burden", "insertions", "deletions", "doublets", "truncating")
_EVENTS = {"insertion": "insertions", "deletion": "deletions", "doublet": "doublets"}

_Tally = Callable[..., np.ndarray]


def count(cases: pa.Table, variants: pa.Table) -> pa.Table:
    """``cases`` with the counts of each case appended as columns.

    They are burden (non-silent variants), insertions, deletions, doublets, truncating, the six substitution classes,
    ``amino_acids`` (int32 list of 380), ``trinucleotides`` (int32 list of 96, null where the source carries no context)
    and ``alleles_known`` (whether the DNA change of any variant is known). Variants of other cases are ignored."""
    rows = case_rows(cases, variants)
    tally = _tally_of(rows, variants, cases.num_rows)
    table = cases
    for name, values in _scalars(tally, rows, cases.num_rows).items():
        table = table.append_column(name, pa.array(values))
    amino_acids = tally("protein_change", AMINO_ACID_SUBSTITUTIONS, _amino_acid_substitutions)
    table = table.append_column("amino_acids", _fixed_lists(amino_acids))
    alleles = tally("dna", tuple(event for event in DNA_EVENTS if event != "unknown")).sum(axis=1)
    table = table.append_column("alleles_known", pa.array((alleles > 0) | (table["burden"].to_numpy() == 0)))
    trinucleotides = tally("context", TRINUCLEOTIDES)
    return table.append_column("trinucleotides", _fixed_lists(trinucleotides, trinucleotides.sum(axis=1) > 0))


def _tally_of(rows: np.ndarray, variants: pa.Table, n: int) -> _Tally:
    """A function that counts, per case, the variants of each class of a column: int32, shape (n, classes)."""
    kept = rows >= 0
    rows = rows[kept]

    def tally(
        column: str, classes: tuple[str, ...], translate: Callable[[pa.Array], pa.Array] | None = None
    ) -> np.ndarray:
        which = row_positions(variants[column], classes, translate)[kept]
        known = which >= 0
        flat = np.bincount(rows[known] * len(classes) + which[known], minlength=n * len(classes))
        return flat.reshape(n, len(classes)).astype(np.int32)

    return tally


def _scalars(tally: _Tally, rows: np.ndarray, n: int) -> dict[str, np.ndarray]:
    """The counts that are one number per case, by column name."""
    counted = {"burden": np.bincount(rows[rows >= 0], minlength=n).astype(np.int32)}
    counted |= dict(zip(_EVENTS.values(), tally("dna", tuple(_EVENTS)).T, strict=True))
    counted["truncating"] = tally("consequence", TRUNCATING).sum(axis=1, dtype=np.int32)
    return counted | dict(zip(SUBSTITUTIONS, tally("substitution", SUBSTITUTIONS).T, strict=True))


def _amino_acid_substitutions(changes: pa.Array) -> pa.Array:
    """``R>H`` for ``R175H``; null for a protein change that is not one amino acid in place of another."""
    substitution = pc.match_substring_regex(changes, f"^[{AMINO_ACIDS}][0-9]+[{AMINO_ACIDS}]$")
    before, after = pc.utf8_slice_codeunits(changes, 0, 1), pc.utf8_slice_codeunits(changes, -1)
    return pc.if_else(substitution, pc.binary_join_element_wise(before, after, ">"), None)


def _fixed_lists(values: np.ndarray, valid: np.ndarray | None = None) -> pa.Array:
    """The rows of an int32 matrix as a list column; rows that are not ``valid`` become null."""
    offsets = np.arange(0, values.size + 1, values.shape[1], dtype=np.int32)
    if valid is None or valid.all():
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.ravel()))
    mask = pa.array(~valid)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.ravel()), mask=mask)
