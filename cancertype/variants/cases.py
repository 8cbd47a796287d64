"""Readers that turn each source's raw files into the one canonical pair of tables, cases and variants."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

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
class Dropped:
    """``n`` cases, variants or rows (``what``) of ``source`` left out for one ``reason``, with a few ``examples``."""

    source: str
    what: str
    reason: str
    n: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceTables:
    """What a reader makes: ``cases`` (schema ``CASES``), ``variants`` (schema ``variants.SCHEMA``), what it left out,
    and notes for the data report."""

    cases: pa.Table
    variants: pa.Table
    dropped: list[Dropped] = field(default_factory=list)
    notes: dict = field(default_factory=dict)


def unlabelled(case_ids: Sequence[str], source: str, kind: str) -> pa.Table:
    """Cases of which a user's file tells no more than their names, as a table of ``CASES``."""
    rest = {"source": source, "kind": kind, "scope": "unlabelled", "origin": ""}
    return pa.Table.from_pylist([{"case_id": name, "patient_id": name} | rest for name in case_ids], schema=CASES)
