"""What tests compare of copy number and fusions: sets by case."""

import pyarrow.compute as pc

from cancertype.alterations.schema import Alterations


def genes_with_call(alterations: Alterations, call: int) -> dict[str, set[str]]:
    """The genes with ``call`` of each case whose genes were looked at."""
    found: dict[str, set[str]] = {case: set() for case in alterations.genes["case_id"].unique().to_pylist()}
    hits = alterations.genes.filter(pc.equal(alterations.genes["call"], call))
    for case, gene in zip(hits["case_id"].to_pylist(), hits["gene"].to_pylist(), strict=True):
        found[case].add(gene)
    return found


def fusions_of(alterations: Alterations) -> dict[str, set[tuple[str | None, str | None]]]:
    """The fusions (5' gene, 3' gene) of each case that has one or was screened."""
    found: dict[str, set[tuple[str | None, str | None]]] = {case: set() for case in alterations.screened_for_fusions}
    for case, five, three in zip(*(column.to_pylist() for column in alterations.fusions.columns), strict=True):
        found.setdefault(case, set()).add((five, three))
    return found
