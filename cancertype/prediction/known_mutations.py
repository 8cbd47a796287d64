"""How the model reads each mutation that was given: whole, as its gene only, or not at all."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ..assays.assay import LIST
from ..features import Vocabulary
from ..variants.cases import SourceTables

READ, GENE_ONLY, UNKNOWN = "read", "gene only", "unknown"


class Known(NamedTuple):
    """A case's mutations by how the model reads them: the ``number`` of each kind, and, of a list, ``each`` mutation
    (None for other assays, where there may be thousands)."""

    number: dict[str, int]
    each: list[tuple[str, str]] | None


def of_cases(tables: SourceTables, vocabulary: Vocabulary) -> dict[str, Known]:
    """Case to how its mutations are read.

    "read": the model knows the protein change, or knows the gene where no change is given. "gene only": it knows the
    gene (and reads whether the mutation truncates it), but not this change. "unknown": it knows neither, so that the
    mutation counts in the burden alone."""
    genes, changes = frozenset(vocabulary.names("gene")), frozenset(vocabulary.names("change"))
    panels = dict(zip(*(tables.cases[name].to_pylist() for name in ("case_id", "panel")), strict=True))
    number: Mapping[str, Counter[str]] = {case: Counter() for case in panels}
    each: dict[str, list[tuple[str, str]]] = {case: [] for case, panel in panels.items() if panel == LIST}
    columns = ("case_id", "gene", "protein_change", "consequence")
    rows = zip(*(pc.cast(tables.variants[name], pa.string()).to_pylist() for name in columns), strict=True)
    for case, gene, change, consequence in rows:
        how = _how(gene, change, genes, changes)
        number[case][how] += 1
        if case in each:
            each[case].append((f"{gene} {change or consequence}", how))
    kinds = (READ, GENE_ONLY, UNKNOWN)
    return {case: Known({kind: number[case][kind] for kind in kinds}, each.get(case)) for case in panels}


def _how(gene: str, change: str, genes: frozenset[str], changes: frozenset[str]) -> str:
    if f"{gene} {change}" in changes:
        return READ
    if gene not in genes:
        return UNKNOWN
    return GENE_ONLY if change else READ
