"""What every reader returns: cases, their variants, what was left out, and an account of every row of the input."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..alterations.schema import Alterations
from ..tables.accounts import Dropped, RowAccount, RowTally

__all__ = [
    "CASES",
    "EXOME",
    "GENOME",
    "LIST",
    "NOTHING",
    "Dropped",
    "RowAccount",
    "SourceTables",
    "counts_are_known",
    "restrict_to_panel",
    "unlabelled",
]

CASES = pa.schema(
    [
        ("case_id", pa.string()),
        ("patient_id", pa.string()),
        ("source", pa.string()),
        ("kind", pa.string()),
        ("label", pa.string()),
        ("scope", pa.string()),
        ("origin", pa.string()),
        ("sex", pa.string()),
        ("panel", pa.string()),
    ]
)
"""One row per case. ``kind`` is "tumour" or "cell line"; ``scope`` "in", "out" or "unlabelled"; ``label`` is null
unless "in"; ``origin`` is the source's own class; ``panel`` is null for a whole exome."""

EXOME, GENOME, LIST = "exome", "genome", "list"
"""Names in the column ``panel`` of cases without a list of genes; an exome may also be null."""

NOTHING = "nothing"
"""The ``panel`` of a case whose mutations were not looked at: of its copy number or fusions alone something is known.
It covers no gene."""


UNRECOGNISED = "consequence not recognised"
GENE_ID = "an Ensembl or Entrez id where a gene symbol is needed"
NOT_UNDERSTOOD = frozenset({UNRECOGNISED, GENE_ID})
"""Reasons of ``Dropped`` for which a row counts as not understood; for any other it is left out."""


@dataclass
class VariantTally(RowTally):
    """The same for rows whose number is known before it is known which of them are mutations."""

    total: int = 0

    def take(self, dropped: Iterable[Dropped]) -> None:
        """The rows that ``canonical.table`` left out, of the reasons in ``NOT_UNDERSTOOD`` or not."""
        for each in dropped:
            if each.what in ("variant", "row"):
                count = self.misunderstand if each.reason in NOT_UNDERSTOOD else self.leave_out
                count(each.reason, each.n, each.examples)


@dataclass(frozen=True)
class SourceTables:
    """What a reader makes: ``cases`` (schema ``CASES``), ``variants`` (``schema.SCHEMA``), what it left out, ``notes``
    for the data report, ``panels`` (name, as in the cases' column ``panel``, to the genes that it covers), the
    ``account`` of the input's rows, and, where the input states any, ``alterations`` (copy number and fusions) and
    ``spectra`` (schema ``spectra.SPECTRA``). The last two may be of samples that are none of ``cases``."""

    cases: pa.Table
    variants: pa.Table
    dropped: list[Dropped] = field(default_factory=list)
    notes: dict = field(default_factory=dict)
    panels: dict[str, list[str]] = field(default_factory=dict)
    account: RowAccount | None = None
    alterations: Alterations | None = None
    spectra: pa.Table | None = None


def unlabelled(case_ids: Sequence[str], source: str, kind: str) -> pa.Table:
    """Cases of which a user's file tells no more than their names, as a table of ``CASES``."""
    rest = {"source": source, "kind": kind, "scope": "unlabelled", "origin": ""}
    return pa.Table.from_pylist([{"case_id": name, "patient_id": name} | rest for name in case_ids], schema=CASES)


def counts_are_known(panels: Sequence[str | None]) -> np.ndarray:
    """Whether the numbers of mutations of cases with these ``panels`` mean anything (bool, shape (panels,))."""
    return np.array([panel not in (LIST, NOTHING) for panel in panels], bool)


def restrict_to_panel(variants: pa.Table, genes: Sequence[str]) -> pa.Table:
    """Only the variants in ``genes``: what a panel of these genes would have shown."""
    return variants.filter(pc.is_in(pc.cast(variants["gene"], pa.string()), value_set=pa.array(genes, pa.string())))
