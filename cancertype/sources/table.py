"""The user's own wide table: ``ID``, an optional ``SUBCLASS``, then one column per gene."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..cohort.settings import Cohort
from ..errors import InputError
from ..labels import mapping
from ..tables import delimited
from ..tables.columns import encoded
from ..tables.delimited import TEXT
from ..variants import canonical
from ..variants.cases import CASES, Dropped, SourceTables
from ..variants.genes import current_symbol

_WILD_TYPE = ("WT", "wt", "Wt", "wild type", "wildtype")
_NOT_SEQUENCED = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")
_SEPARATORS = str.maketrans({";": " ", ",": " ", "|": " "})
_EXAMPLES = 5

PANEL = "table"
SMALLEST_EXOME = 5000
"""A table with fewer gene columns is a panel: what lies outside it was not looked at."""


def read(path: Path, settings: Cohort, *, labelled: bool = True) -> SourceTables:
    """Read a comma-, semicolon- or tab-separated table (packed with gzip or not), or the one such file of a folder.

    Cells hold ``WT`` or protein changes separated by spaces; an empty cell or ``NA`` says that the gene was not
    sequenced in that case, and a case without a sequenced gene is left out. The gene columns are the panel when they
    are fewer than ``SMALLEST_EXOME`` (cases then have ``panel`` "table", whose genes ``panels`` lists),
    else a whole exome. There is no DNA in such a table: substitution and context are null, the DNA event "unknown",
    and the protein change tells the consequence. Of cases with equal mutations and different labels none can be
    believed: all are left out. ``labelled`` False passes over SUBCLASS, and leaves no case out for it.

    Raises ``InputError`` with file, line and column for anything that cannot be read, and for an ID that is there
    twice.
    """
    del settings  # The table says what it says: there is nothing to filter by.
    path = Path(path)
    source = delimited.origin(path, "table") if path.is_dir() else "table"
    path = _the_file(path) if path.is_dir() else path
    columns, genes = _columns(path)
    table = delimited.read(path, dict.fromkeys((*columns.values(), *genes), TEXT))
    ids = [text.strip() for text in table[columns["ID"]].to_pylist()]
    _check_ids(path, ids)
    cells, sequenced = _cells(table, genes)
    sequenced_genes = np.bincount(sequenced, minlength=len(ids))
    subclasses = _subclasses(table, columns.get("SUBCLASS") if labelled else None)
    contradictory = _contradictory(subclasses, cells)
    keep = {i for i in range(len(ids)) if sequenced_genes[i] and i not in contradictory}
    left_out = _left_out(source, ids, sequenced_genes, contradictory)
    panel = PANEL if len(genes) < SMALLEST_EXOME else None
    found, unclear = canonical.table(_rows(cells, ids, keep), source)
    panels = {panel: list(dict.fromkeys(filter(None, map(current_symbol, genes))))} if panel else {}
    notes = {
        "files": [path.name],
        "gene_columns": len(genes),
        "cells_not_sequenced": int(len(ids) * len(genes) - sequenced_genes.sum()),
    }
    cases = [_case(ids[i], subclasses[i], source, panel) for i in sorted(keep)]
    return SourceTables(pa.Table.from_pylist(cases, schema=CASES), found, left_out + unclear, notes, panels)


def cells(path: Path) -> Iterator[tuple[int, str, str]]:
    """Row (from 1, below the column names), gene column and text of every protein change of a table, in the order of
    columns. Raises ``InputError`` as ``read`` does."""
    _, genes = _columns(path)
    for row, gene, text in _cells(delimited.read(path, dict.fromkeys(genes, TEXT)), genes)[0]:
        for change in text.translate(_SEPARATORS).split():
            yield row + 1, gene, change


def _the_file(folder: Path) -> Path:
    files = delimited.table_files(folder)
    if len(files) > 1:
        raise InputError(f"{folder} holds {len(files)} tables ({', '.join(p.name for p in files[:5])}): keep one")
    return files[0]


def _columns(path: Path) -> tuple[dict[str, str], list[str]]:
    """The columns that are ID and SUBCLASS, as they are spelt, and those of the genes."""
    top = delimited.header(path)
    special = {name.upper(): name for name in top.names if name.upper() in ("ID", "SUBCLASS")}
    if "ID" not in special:
        raise InputError(
            f"{path}: line {top.line}: no column ID (the first is {top.names[0]!r}): name the column of the cases ID"
        )
    unnamed = [i for i, name in enumerate(top.names, 1) if not name]
    if unnamed:
        raise InputError(
            f"{path}: line {top.line}: column {unnamed[0]} has no name: name it after its gene, or remove it"
        )
    genes = [name for name in top.names if name not in special.values()]
    if not genes:
        raise InputError(f"{path}: line {top.line}: no gene columns after ID and SUBCLASS: add one column a gene")
    return special, genes


def _check_ids(path: Path, ids: list[str]) -> None:
    if not ids:
        raise InputError(f"{path}: no rows below the column names: add one row a case")
    first: dict[str, int] = {}
    for row, name in enumerate(ids, 1):
        if not name:
            raise InputError(f"{path}: row {row} below the column names: column ID is empty: name the case")
        if name in first:
            rows = f"rows {first[name]} and {row} below the column names"
            raise InputError(f"{path}: {rows}: column ID holds {name!r} in both: rename or remove one")
        first[name] = row


def _cells(table: pa.Table, genes: list[str]) -> tuple[list[tuple[int, str, str]], np.ndarray]:
    """Every mutated cell as (row, gene, protein changes), and the row of every sequenced one."""
    cells: list[tuple[int, str, str]] = []
    sequenced = []
    wanted = set(genes)
    for gene, chunks in zip(table.column_names, table.itercolumns(), strict=True):
        if gene not in wanted:
            continue
        column = encoded(chunks)
        values = [value.strip() for value in column.dictionary.to_pylist()]
        codes = column.indices.to_numpy()
        known = np.array([value not in _NOT_SEQUENCED for value in values], bool)[codes]
        mutated = np.array([value not in (*_NOT_SEQUENCED, *_WILD_TYPE) for value in values], bool)[codes]
        sequenced.append(np.flatnonzero(known))
        cells += [(row, gene, values[codes[row]]) for row in np.flatnonzero(mutated).tolist()]
    return cells, np.concatenate(sequenced)


def _subclasses(table: pa.Table, column: str | None) -> list[str]:
    return [text.strip() for text in table[column].to_pylist()] if column else [""] * table.num_rows


def _contradictory(subclasses: list[str], cells: list[tuple[int, str, str]]) -> set[int]:
    """Rows with at least one mutation that share all of them with a row of another SUBCLASS."""
    profiles: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row, gene, changes in cells:
        profiles[row].add((gene, changes))
    groups: dict[frozenset, list[int]] = defaultdict(list)
    for row, profile in profiles.items():
        groups[frozenset(profile)].append(row)
    return {row for rows in groups.values() if len({subclasses[r] for r in rows} - {""}) > 1 for row in rows}


def _left_out(source: str, ids: list[str], sequenced_genes: np.ndarray, contradictory: set[int]) -> list[Dropped]:
    reasons = {
        "no gene was sequenced: every cell is empty": np.flatnonzero(sequenced_genes == 0).tolist(),
        "the same mutations as a case of another SUBCLASS": sorted(contradictory),
    }
    return [
        Dropped(source, "case", reason, len(rows), tuple(ids[row] for row in rows[:_EXAMPLES]))
        for reason, rows in reasons.items()
        if rows
    ]


def _rows(cells: list[tuple[int, str, str]], ids: list[str], keep: set[int]) -> pa.Table:
    """One row a protein change; one that a cell repeats counts once."""
    split: dict[str, list[str]] = {}
    case, gene, change = [], [], []
    for row, name, text in cells:
        if row in keep:
            if text not in split:
                split[text] = list(dict.fromkeys(text.translate(_SEPARATORS).split()))
            changes = split[text]
            case += [ids[row]] * len(changes)
            gene += [name] * len(changes)
            change += changes
    columns = {"case_id": case, "gene": gene, "protein_change": change}
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def _case(case_id: str, subclass: str, source: str, panel: str | None) -> dict[str, str | None]:
    assignment = mapping.from_subclass(subclass)
    return {
        "case_id": case_id,
        "patient_id": case_id,
        "source": source,
        "kind": "tumour",
        "label": assignment.label,
        "scope": assignment.scope,
        "origin": subclass,
        "sex": None,
        "panel": panel,
    }
