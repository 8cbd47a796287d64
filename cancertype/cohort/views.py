"""One case per patient or line from the folders that tell of it: the calls that count, and the further ones."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..alterations import combine
from ..alterations.schema import Alterations
from ..errors import InputError
from ..tables.columns import codes, with_column
from ..variants.cases import CASES, NOTHING, Dropped, SourceTables
from ..variants.spectra import SPECTRA

_EXAMPLES = 5
_TCGA = "TCGA-"


@dataclass(frozen=True)
class Calls:
    """What one folder calls in cases that an earlier folder has already: ``cases`` (the schema ``CASES``, the rows of
    the cohort's cases but for the folder's own ``panel``) and their ``variants`` (``variants.SCHEMA``)."""

    cases: pa.Table
    variants: pa.Table


def merged_cases(tables: Sequence[SourceTables]) -> tuple[pa.Table, list[int], list[dict[str, str | None]]]:
    """The cases of all folders, each id once; of each row, the place in ``tables`` of the folder whose calls it has;
    and, for each of ``tables``, its further cases (id to panel).

    The first folder that has looked at a case's mutations has its calls, the first that knows its label has the rest of
    its row. Raises ``InputError`` for a case id that two sources share, unless it is a TCGA barcode."""
    rows: dict[str, list[tuple[int, dict]]] = defaultdict(list)
    for place, table in enumerate(tables):
        for row in table.cases.to_pylist():
            rows[row["case_id"]].append((place, row))
    _check_sources(rows)
    kept, places, further = [], [], [{} for _ in tables]
    for name, found in rows.items():
        looked_at = [(place, row) for place, row in found if row["panel"] != NOTHING]
        (place, first), *others = looked_at or found[:1]
        labelled = next((row for _, row in found if row["scope"] != "unlabelled"), first)
        sex = next((row["sex"] for _, row in found if row["sex"]), None)
        kept.append(labelled | {"panel": first["panel"], "sex": sex, "source": first["source"], "kind": first["kind"]})
        places.append(place)
        for other, row in others:
            further[other][name] = row["panel"]
    return pa.Table.from_pylist(kept, schema=CASES), places, further


def _check_sources(rows: dict[str, list[tuple[int, dict]]]) -> None:
    twice = [
        name
        for name, found in rows.items()
        if len(found) > 1
        and (len({place for place, _ in found}) < len(found) or len({row["source"] for _, row in found}) > 1)
        and not name.startswith(_TCGA)
    ]
    if twice:
        raise InputError(
            f"{len(twice)} case ids come from more than one source, the first being {twice[0]}: rename one of them"
        )


def further_calls(
    cases: pa.Table, tables: Sequence[SourceTables], further: Sequence[dict[str, str | None]]
) -> list[Calls]:
    """The further calls of ``cases``, one ``Calls`` per folder that has any, in the folders' order."""
    row_of = {name: row for row, name in enumerate(cases["case_id"].to_pylist())}
    calls = []
    for table, panels in zip(tables, further, strict=True):
        names = sorted(name for name in panels if name in row_of)
        if names:
            own = cases.select(CASES.names).take([row_of[name] for name in names])
            own = with_column(own, "panel", pa.array([panels[name] for name in names], pa.string()))
            calls.append(Calls(own, variants_of(table.variants, names)))
    return calls


def variants_of(variants: pa.Table, case_ids: Iterable[str]) -> pa.Table:
    """The rows of ``case_ids``."""
    rows, names = codes(variants["case_id"])
    kept = set(case_ids)
    return variants.filter(pa.array(np.array([name in kept for name in names] or [False])[rows]))


def alterations_of(cases: pa.Table, tables: Sequence[SourceTables]) -> tuple[Alterations, list[Dropped]]:
    """Copy number and fusions of ``cases`` from all folders, the earlier folder's calls first, and the samples that
    belong to none of them."""
    names = cases["case_id"].to_pylist()
    cohorts = dict(zip(names, cases["origin"].to_pylist(), strict=True))
    parts, dropped = [], []
    for table in tables:
        if table.alterations is not None:
            part, left_out = combine.for_cases(table.alterations, names, cohorts)
            parts.append(part)
            dropped += left_out
    return combine.merge(*parts), dropped


def spectra_of(cases: pa.Table, tables: Sequence[SourceTables]) -> tuple[pa.Table, list[Dropped]]:
    """The spectra of ``cases``, of each kind the first folder's, and a count of the others."""
    kept, rows, unmatched, repeated = set(cases["case_id"].to_pylist()), {}, Counter(), 0
    for row in (row for table in tables if table.spectra is not None for row in table.spectra.to_pylist()):
        if row["case_id"] not in kept:
            unmatched[row["case_id"]] += 1
        elif (row["case_id"], row["kind"]) in rows:
            repeated += 1
        else:
            rows[row["case_id"], row["kind"]] = row
    dropped = []
    if unmatched:
        examples = tuple(sorted(unmatched)[:_EXAMPLES])
        dropped.append(Dropped("spectra", "spectrum", "the sample matches no case", unmatched.total(), examples))
    if repeated:
        dropped.append(Dropped("spectra", "spectrum", "an earlier folder has one of the case", repeated))
    return pa.Table.from_pylist(list(rows.values()), schema=SPECTRA), dropped
