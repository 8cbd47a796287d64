"""The files that hold views of cases.

They have a module of their own so that the stages that only read them do not depend on what draws views."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..tables.parquet import write_parquet

TRAINING, GRID = "views", "grid"
"""Beginnings of the names of the files that ``write`` makes."""


@dataclass(frozen=True)
class Table:
    """Cases seen in one way: ``cases`` (``described``), ``variants`` (``informative_variants``) and ``panels``."""

    cases: pa.Table
    variants: pa.Table
    panels: dict[str, list[str]]


def write(folder: Path, name: str, column: str, tables: Sequence[tuple[int | str, Table]], like: Table) -> None:
    """Write tables under one another as ``<name>_cases.parquet`` and ``<name>_variants.parquet``.

    ``column`` tells them apart; ``like`` gives the columns when there are none."""
    for part in ("cases", "variants"):
        of_part = [(value, getattr(table, part)) for value, table in tables]
        write_parquet(under_one_another(of_part, column, getattr(like, part)), folder / f"{name}_{part}.parquet")


def under_one_another(tables: Sequence[tuple[int | str, pa.Table]], column: str, like: pa.Table) -> pa.Table:
    """``tables`` as one, with ``column`` that tells them apart; ``like`` gives the columns when there are none."""
    empty = _marked(like.slice(0, 0), column, tables[0][0] if tables else 0)
    return pa.concat_tables([empty, *(_marked(table, column, value) for value, table in tables)])


def _marked(table: pa.Table, column: str, value: int | str) -> pa.Table:
    kind = pa.int32() if isinstance(value, int) else pa.string()
    return table.append_column(column, pa.array([value] * table.num_rows, kind))


def read(folder: Path, name: str, column: str) -> list[tuple[int | str, pa.Table, pa.Table]]:
    """What ``write`` wrote: the value of ``column``, cases and variants of each table, in their first order."""
    cases, variants = (pq.read_table(Path(folder) / f"{name}_{part}.parquet") for part in ("cases", "variants"))
    values = list(dict.fromkeys(cases[column].to_pylist()))
    return [(value, *(_selected(table, column, value) for table in (cases, variants))) for value in values]


def _selected(table: pa.Table, column: str, value: int | str) -> pa.Table:
    return table.filter(pc.equal(table[column], value)).drop_columns(column)
