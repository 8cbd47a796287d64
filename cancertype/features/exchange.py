"""Exchanged mutations: part of a training case's mutations is replaced by those of another case of its label.

A tumour is one draw from what its cancer does. A copy keeps most of that draw and takes the rest from another tumour of
the same label, so a model sees the label's mutations in combinations that no patient of the training split happens to
have. Validation and test cases have no copies.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from ..assays.settings import Views
from ..tables.columns import coded, with_column
from .lookup import case_rows

ALIKE = ("label", "source", "kind", "panel")
"""Columns in which a case equals the one that it exchanges mutations with: calls differ by source, and a panel never
sees what an exome does."""


def variants_of_copies(cases: pa.Table, variants: pa.Table, settings: Views) -> Iterator[pa.Table]:
    """The variants of each of ``settings.copies`` copies of ``cases``, in the columns of ``variants``.

    In each copy a case draws a share between 0 and ``settings.exchanged``, and a partner with the same ``ALIKE``. It
    loses each of its own variants with the probability of the share and gains each of the partner's with the same
    probability. A case without such a partner stays as it is. The same input gives the same copies, and the first
    copies do not depend on how many follow."""
    if not settings.exchanged:
        yield from [variants] * settings.copies
        return
    rows = case_rows(cases, variants)
    order = np.argsort(rows, kind="stable")
    order = order[rows[order] >= 0]
    variants, rows = variants.take(pa.array(order)), rows[order]
    first = np.searchsorted(rows, np.arange(cases.num_rows + 1))
    groups = _groups(cases)
    for copy in range(settings.copies):
        rng = np.random.default_rng([settings.seed, copy])
        share = rng.uniform(0.0, settings.exchanged, cases.num_rows)
        partner = _partners(groups, cases.num_rows, rng)
        share[partner == np.arange(cases.num_rows)] = 0.0
        own = np.flatnonzero(rng.random(len(rows)) >= share[rows])
        offered, receiver = _offered(first, partner)
        taken = rng.random(len(offered)) < share[receiver]
        chosen = np.concatenate([own, offered[taken]])
        of_case = coded(cases["case_id"].combine_chunks(), np.concatenate([rows[own], receiver[taken]]))
        yield with_column(variants.take(pa.array(chosen)), "case_id", of_case)


def _offered(first: np.ndarray, partner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every variant that a case's partner has, and the row of the case that may receive it.

    ``first`` (n + 1,): where each case's variants begin. ``partner`` (n,): the row of each case's partner."""
    number = (first[1:] - first[:-1])[partner]
    receiver = np.repeat(np.arange(len(partner)), number)
    within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    return within + first[partner][receiver], receiver


def _groups(cases: pa.Table) -> list[np.ndarray]:
    """The rows of the cases that are alike."""
    members: dict[tuple, list[int]] = {}
    for row, key in enumerate(zip(*(cases[name].to_pylist() for name in ALIKE), strict=True)):
        members.setdefault(key, []).append(row)
    return [np.array(rows) for rows in members.values()]


def _partners(groups: list[np.ndarray], n: int, rng: np.random.Generator) -> np.ndarray:
    """For each of ``n`` cases the row of another of its group, or its own where it is alone."""
    partner = np.arange(n)
    for rows in groups:
        if len(rows) > 1:
            # A step of at least one and less than the whole way round the group: never the case itself.
            step = rng.integers(1, len(rows), len(rows))
            partner[rows] = rows[(np.arange(len(rows)) + step) % len(rows)]
    return partner
