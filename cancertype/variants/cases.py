"""What every reader makes: cases, their variants, and an account of every row of the input."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ..alterations.schema import Alterations

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
class RowAccount:
    """What became of every row of an input: each is in exactly one of the three, so that they sum to ``total``.

    ``unit``: what is counted ("row" of a table, "line" of a VCF below its header, "cell" of a wide table, "statement"
    of a text). ``used``: rows that made a mutation, or said that there is none where that is known. ``left_out`` and
    ``not_understood`` map a reason to its rows: the first are understood and not wanted (silent, germline, repeated),
    the second are not.
    """

    unit: str
    total: int
    used: int
    left_out: dict[str, int] = field(default_factory=dict)
    not_understood: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stated = self.used + sum(self.left_out.values()) + sum(self.not_understood.values())
        if stated != self.total:
            raise AssertionError(f"{self.total} {self.unit}s were read, but {stated} are accounted for: {self}")


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
