"""What every reader returns: cases, their variants, what was left out, and an account of every row of the input."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ..alterations.schema import Alterations
from ..tables.accounts import Dropped, RowAccount

__all__ = ["CASES", "Dropped", "RowAccount", "SourceTables", "unlabelled"]

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
"""One row a case. ``kind`` is "tumour" or "cell line"; ``scope`` "in", "out" or "unlabelled"; ``label`` is null unless
"in"; ``origin`` is the source's own class; ``panel`` is null for a whole exome."""


@dataclass(frozen=True)
class SourceTables:
    """What a reader makes: ``cases`` (schema ``CASES``), ``variants`` (``schema.SCHEMA``), what it left out, ``notes``
    for the data report, ``panels`` (name, as in the cases' column ``panel``, to the genes that it covers), the
    ``account`` of the input's rows, and ``alterations``: copy number and fusions, where the input states any."""

    cases: pa.Table
    variants: pa.Table
    dropped: list[Dropped] = field(default_factory=list)
    notes: dict = field(default_factory=dict)
    panels: dict[str, list[str]] = field(default_factory=dict)
    account: RowAccount | None = None
    alterations: Alterations | None = None


def unlabelled(case_ids: Sequence[str], source: str, kind: str) -> pa.Table:
    """Cases of which a user's file tells no more than their names, as a table of ``CASES``."""
    rest = {"source": source, "kind": kind, "scope": "unlabelled", "origin": ""}
    return pa.Table.from_pylist([{"case_id": name, "patient_id": name} | rest for name in case_ids], schema=CASES)
