"""What models see of copy number: arms as vectors, their number, and amplified and deleted genes as sets."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc

from .schema import ARMS, Alterations

AMPLIFIED, DELETED = 2, -2


def arm_vectors(alterations: Alterations, case_ids: Sequence[str]) -> np.ndarray:
    """Calls of ``ARMS`` for each case (float32, shape (cases, 39)). NaN: no call, or not looked at."""
    rows = {case: place for place, case in enumerate(case_ids)}
    columns = {arm: place for place, arm in enumerate(ARMS)}
    vectors = np.full((len(case_ids), len(ARMS)), np.nan, np.float32)
    for case, arm, call in zip(*(column.to_pylist() for column in alterations.arms.columns), strict=True):
        if call is not None and case in rows and arm in columns:
            vectors[rows[case], columns[arm]] = call
    return vectors


def altered_arms(vectors: np.ndarray) -> np.ndarray:
    """How many arms of each case are gained or lost (float32, shape (cases,)); NaN where no arm has a call."""
    known = ~np.isnan(vectors)
    count = (known & (vectors != 0)).sum(axis=1).astype(np.float32)
    return np.where(known.any(axis=1), count, np.float32(np.nan))


def cases_with_arms(alterations: Alterations) -> frozenset[str]:
    """The cases whose arms were looked at."""
    return frozenset(alterations.arms["case_id"].unique().to_pylist())


def genes_with_call(alterations: Alterations, call: int) -> dict[str, frozenset[str]]:
    """The genes with ``call`` (such as ``AMPLIFIED`` or ``DELETED``) of each case whose genes were looked at.

    A case that is absent was not looked at. A case with an empty set has no such gene among those looked at.
    """
    found: dict[str, set[str]] = {case: set() for case in alterations.genes["case_id"].unique().to_pylist()}
    hits = alterations.genes.filter(pc.equal(alterations.genes["call"], call))
    for case, gene in zip(hits["case_id"].to_pylist(), hits["gene"].to_pylist(), strict=True):
        found[case].add(gene)
    return {case: frozenset(genes) for case, genes in found.items()}


def genes_looked_at(alterations: Alterations) -> dict[str, frozenset[str]]:
    """The genes of each case that have a copy-number call, altered or not."""
    found: dict[str, set[str]] = defaultdict(set)
    for case, gene in zip(alterations.genes["case_id"].to_pylist(), alterations.genes["gene"].to_pylist(), strict=True):
        found[case].add(gene)
    return {case: frozenset(genes) for case, genes in found.items()}


def fusions_of(alterations: Alterations) -> dict[str, frozenset[tuple[str | None, str | None]]]:
    """The fusions (5' gene, 3' gene) of each case whose fusions are known: it has one, or it was screened."""
    found: dict[str, set[tuple[str | None, str | None]]] = {case: set() for case in alterations.screened_for_fusions}
    for case, five, three in zip(*(column.to_pylist() for column in alterations.fusions.columns), strict=True):
        found.setdefault(case, set()).add((five, three))
    return {case: frozenset(pairs) for case, pairs in found.items()}
