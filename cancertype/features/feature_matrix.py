"""The matrix that the trees and the logistic regression read: one row per case, one column per feature."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from ..alterations.schema import ARMS
from ..tables.columns import distinct, positions, row_positions
from ..variants.cases import NOTHING
from ..variants.schema import SUBSTITUTIONS, TRUNCATING
from .alteration_columns import arm_calls
from .counts import AMINO_ACID_SUBSTITUTIONS, COUNTED
from .lookup import case_rows, mutation_names
from .spectrum_columns import shares_of
from .vocabulary import LISTED, Vocabulary, fused_genes


def matrix(
    cases: pa.Table, variants: pa.Table, vocabulary: Vocabulary, panels: Mapping[str, Sequence[str]] | None = None
) -> tuple[sp.csr_matrix, list[str]]:
    """The feature matrix (float32 CSR, shape (cases, features)) and its column names.

    ``cases`` comes from ``described`` and ``variants`` from ``informative_variants``. Shares are of all variants or of
    all substitutions of the case. The counts are there too, because trees cannot recover them from a share and the
    burden. What a case's assay cannot know is NaN (genes outside its panel, counts of a list, events without DNA
    alleles, spectra, arms without a call): not known is not the same as not there. Amplified and deleted genes and
    fusions are 1 where they were found and 0 elsewhere (``alteration_columns`` says why)."""
    panels = {NOTHING: []} | dict(panels or {})
    groups = [
        _shares_and_counts(cases),
        _amino_acid_shares(cases, vocabulary),
        _spectra(cases, vocabulary, "trinucleotide", "sbs96"),
    ]
    if sees_assays(vocabulary):
        groups = [_only_known(cases, group) for group in groups[:2]] + groups[2:]
        groups += [_assay(cases, panels), _spectra(cases, vocabulary, "indel", "id83"), _arms(cases)]
    dense = {name: column for group in groups for name, column in group.items()}
    mutations, mutation_columns = _mutations(cases, variants, vocabulary, panels)
    events, event_columns = _events(cases, vocabulary)
    left = sp.csr_matrix(np.stack(list(dense.values()), axis=1).astype(np.float32))
    whole = sp.hstack([left, mutations, events], format="csr")
    whole.sort_indices()
    return whole, [*dense, *mutation_columns, *event_columns]


def columns_of(kind: str, columns: Sequence[str]) -> np.ndarray:
    """The places among ``columns`` of those that tell one of ``KINDS``. Whoever does not know it has NaN in all."""
    return np.flatnonzero([name.startswith(KINDS[kind]) for name in columns])


KINDS = {"arms": ("arm ", "altered arms"), "spectra": ("trinucleotide ", "indel ")}
"""Kinds of data that are known of a case as a whole or not at all, and how the names of their columns begin."""


def sees_assays(vocabulary: Vocabulary) -> bool:
    """Whether the training cases were seen through assays; a model from before that takes every count as it is."""
    return bool(vocabulary.names("assay"))


def _only_known(cases: pa.Table, group: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """``group`` with NaN where the case's assay cannot know."""
    counted = cases["counts_known"].to_numpy(zero_copy_only=False)
    alleles = counted & cases["alleles_known"].to_numpy(zero_copy_only=False)
    known = {name: alleles if name in _OF_ALLELES else counted for name in group if name not in _OF_PERSON}
    return {name: np.where(known[name], column, np.nan) if name in known else column for name, column in group.items()}


_OF_PERSON = ("cell line", "female")
_OF_ALLELES = frozenset(
    f"{what} {name}" for what in ("share", "log2") for name in ("insertions", "deletions", "doublets", *SUBSTITUTIONS)
)


def _assay(cases: pa.Table, panels: Mapping[str, Sequence[str]]) -> dict[str, np.ndarray]:
    """How many genes were looked at, NaN for a list."""
    held = {name: math.log10(max(len(genes), 1)) for name, genes in panels.items()}
    counted = cases["counts_known"].to_numpy(zero_copy_only=False)
    genes = [held.get(panel, _LOG10_ALL_GENES) if panel else _LOG10_ALL_GENES for panel in cases["panel"].to_pylist()]
    return {"log10 genes sequenced": np.where(counted, genes, np.nan)}


_LOG10_ALL_GENES = math.log10(20_000)


def _arms(cases: pa.Table) -> dict[str, np.ndarray]:
    """Calls of the 39 arms and the number of altered ones, NaN without a call."""
    calls = arm_calls(cases)
    known = ~np.isnan(calls)
    altered = np.where(known.any(axis=1), (known & (calls != 0)).sum(axis=1), np.nan)
    return {"altered arms": altered, **{f"arm {name}": calls[:, i] for i, name in enumerate(ARMS)}}


def _events(cases: pa.Table, vocabulary: Vocabulary) -> tuple[sp.csr_matrix, list[str]]:
    """1 where a gene is amplified or deleted, or a fusion or a fused gene was found; and the columns' names."""
    lists = {kind: cases[name].to_pylist() for kind, name in LISTED.items() if vocabulary.names(kind)}
    if vocabulary.names("fusion_gene"):
        lists["fusion_gene"] = [sorted(fused_genes(found)) for found in cases[LISTED["fusion"]].to_pylist()]
    names = [(kind, name) for kind in lists for name in vocabulary.names(kind)]
    place = {pair: i for i, pair in enumerate(names)}
    cells = {
        (row, place[kind, name])
        for kind, found in lists.items()
        for row, events in enumerate(found)
        for name in events
        if (kind, name) in place
    }
    rows, columns = zip(*sorted(cells), strict=True) if cells else ((), ())
    values = np.ones(len(rows), np.float32)
    table = sp.csr_matrix((values, (rows, columns)), shape=(cases.num_rows, len(names)), dtype=np.float32)
    return table, [f"{kind.replace('_', ' ')} {name}" for kind, name in names]


def _shares_and_counts(cases: pa.Table) -> dict[str, np.ndarray]:
    """Burden, spectrum, indels, kind and sex, each (cases,) by its column name."""
    numbers = {name: cases[name].to_numpy().astype(np.float64) for name in (*COUNTED, *SUBSTITUTIONS)}
    burden = np.maximum(numbers["burden"], 1.0)
    spectrum = np.stack([numbers[name] for name in SUBSTITUTIONS], axis=1)
    substitutions = spectrum.sum(axis=1, keepdims=True)
    shares = np.where(substitutions > 0, spectrum / np.maximum(substitutions, 1.0), np.nan)
    kinds, sexes = cases["kind"].to_pylist(), cases["sex"].to_pylist()
    return {
        "log10 burden": np.log10(numbers["burden"] + 1.0),
        **{f"share {name}": shares[:, i] for i, name in enumerate(SUBSTITUTIONS)},
        **{f"share {name}": numbers[name] / burden for name in COUNTED[1:]},
        **{f"log2 {name}": np.log2(numbers[name] + 1.0) for name in (*COUNTED[1:], *SUBSTITUTIONS)},
        "cell line": np.array([kind == "cell line" for kind in kinds], dtype=np.float64),
        "female": np.array([{"female": 1.0, "male": 0.0}.get(sex, math.nan) for sex in sexes]),
    }


def _amino_acid_shares(cases: pa.Table, vocabulary: Vocabulary) -> dict[str, np.ndarray]:
    """Shares of the vocabulary's amino-acid substitutions among all those of the case."""
    counts = np.array(cases["amino_acids"].combine_chunks().flatten())
    counts = counts.reshape(cases.num_rows, len(AMINO_ACID_SUBSTITUTIONS))
    totals = np.maximum(counts.sum(axis=1), 1)
    names = vocabulary.names("amino_acid")
    return {f"amino acid {name}": counts[:, AMINO_ACID_SUBSTITUTIONS.index(name)] / totals for name in names}


def _spectra(cases: pa.Table, vocabulary: Vocabulary, kind: str, column: str) -> dict[str, np.ndarray]:
    """Shares of the classes of a spectrum, NaN where unknown; nothing where the vocabulary has none."""
    names = vocabulary.names(kind)
    if not names:
        return {}
    shares = shares_of(cases, column)
    return {f"{kind} {name}": shares[:, i] for i, name in enumerate(names)}


def _mutations(
    cases: pa.Table, variants: pa.Table, vocabulary: Vocabulary, panels: Mapping[str, Sequence[str]]
) -> tuple[sp.csr_matrix, list[str]]:
    """1 where a gene is mutated, a gene is truncated, or a case has a recurrent change; and the columns' names."""
    genes, changes = vocabulary.names("gene"), vocabulary.names("change")
    width = 2 * len(genes) + len(changes)
    rows = case_rows(cases, variants)
    gene = row_positions(variants["gene"], genes)
    truncated = np.where(row_positions(variants["consequence"], TRUNCATING) >= 0, gene, -1)
    change = positions(mutation_names(variants), changes)
    cells = [
        rows[known].astype(np.int64) * width + first + at[known]
        for first, at in ((0, gene), (len(genes), truncated), (2 * len(genes), change))
        for known in [(rows >= 0) & (at >= 0)]
    ]
    unknown = _not_sequenced(cases["panel"].to_pylist(), genes, panels, width)
    present = np.setdiff1d(distinct(np.concatenate(cells)), unknown, assume_unique=True)
    values = np.append(np.ones(len(present), np.float32), np.full(len(unknown), np.nan, np.float32))
    places = np.divmod(np.append(present, unknown), width)
    names = [
        *(f"mutated {gene}" for gene in genes),
        *(f"truncated {gene}" for gene in genes),
        *(f"change {change}" for change in changes),
    ]
    return sp.csr_matrix((values, places), shape=(cases.num_rows, width)), names


def _not_sequenced(
    panel_of_case: Sequence[str | None], genes: list[str], panels: Mapping[str, Sequence[str]], width: int
) -> np.ndarray:
    """The cells (row * width + column) of genes, mutated and truncated, that a case's panel does not hold."""
    used = sorted(set(panel_of_case) & set(panels)) if genes else []
    outside = {name: np.flatnonzero(~np.isin(genes, panels[name])) for name in used}
    cells = [
        row * width + np.concatenate([outside[name], outside[name] + len(genes)])
        for row, name in enumerate(panel_of_case)
        if name in outside
    ]
    return np.concatenate(cells).astype(np.int64) if cells else np.empty(0, np.int64)
