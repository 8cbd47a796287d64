"""How the model reads each alteration that was given: whole, as its gene only, or not at all."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..alterations.of_cases import AMPLIFIED, DELETED, NO_CALL, OfCases
from ..assays.assay import LIST
from ..features import Vocabulary, sees_assays
from ..text import alteration_words
from ..variants.cases import NOTHING, SourceTables
from ..variants.genes import fusion_genes

READ, GENE_ONLY, UNKNOWN = "read", "gene only", "unknown"


class Known(NamedTuple):
    """A case's mutations by how the model reads them: the ``number`` of each kind, and, of a list and of copy number or
    fusions alone, ``each`` alteration (None for other assays, where there may be thousands)."""

    number: dict[str, int]
    each: list[tuple[str, str]] | None


def of_cases(tables: SourceTables, vocabulary: Vocabulary) -> dict[str, Known]:
    """Case to how its mutations are read.

    "read": the model knows the protein change, or knows the gene where no change is given. "gene only": it knows the
    gene (and reads whether the mutation truncates it), but not this change. "unknown": it knows neither, so that the
    mutation counts in the burden alone. Copy number and fusions likewise: a fusion is read as its gene only where the
    model knows one of the two genes as fused, but not the pair."""
    genes, changes = frozenset(vocabulary.names("gene")), frozenset(vocabulary.names("change"))
    panels = dict(zip(*(tables.cases[name].to_pylist() for name in ("case_id", "panel")), strict=True))
    number: Mapping[str, Counter[str]] = {case: Counter() for case in panels}
    each: dict[str, list[tuple[str, str]]] = {case: [] for case, panel in panels.items() if panel in (LIST, NOTHING)}
    columns = ("case_id", "gene", "protein_change", "consequence")
    rows = zip(*(pc.cast(tables.variants[name], pa.string()).to_pylist() for name in columns), strict=True)
    for case, gene, change, consequence in rows:
        how = _how(gene, change, genes, changes)
        number[case][how] += 1
        if case in each:
            each[case].append((f"{gene} {change or consequence}", how))
    if each and tables.alterations is not None:
        of_cases = OfCases.of(tables.alterations, list(each))
        for row, case in enumerate(each):
            each[case] += _events(of_cases, row, vocabulary)
    kinds = (READ, GENE_ONLY, UNKNOWN)
    return {case: Known({kind: number[case][kind] for kind in kinds}, each.get(case)) for case in panels}


def _how(gene: str, change: str, genes: frozenset[str], changes: frozenset[str]) -> str:
    if f"{gene} {change}" in changes:
        return READ
    if gene not in genes:
        return UNKNOWN
    return GENE_ONLY if change else READ


def _events(found: OfCases, row: int, vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """The altered arms, amplified and deleted genes and fusions of one case in words, each with how it is read."""
    calls = [None if call == NO_CALL else int(call) for call in found.arms[row]]
    for words in filter(None, alteration_words.arms(calls).split("; ")):
        if not words.endswith(f" {alteration_words.NONE}"):
            yield words, READ if sees_assays(vocabulary) else UNKNOWN
    for kind, call in (("amplified", AMPLIFIED), ("deleted", DELETED)):
        known = frozenset(vocabulary.names(kind))
        for place in np.flatnonzero(found.calls[row] == call).tolist():
            yield f"{found.genes[place]} {kind}", READ if found.genes[place] in known else UNKNOWN
    pairs, fused = frozenset(vocabulary.names("fusion")), frozenset(vocabulary.names("fusion_gene"))
    for fusion in sorted(found.fusions[row] or ()):
        of_gene = GENE_ONLY if fused.intersection(fusion_genes(fusion)) else UNKNOWN
        named = fusion.removeprefix("?-").removesuffix("-?")
        yield f"{named} fusion", READ if fusion in pairs else of_gene
