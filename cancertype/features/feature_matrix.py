"""The matrix that the trees and the logistic regression read: one row per case, one column per feature."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from ..tables.columns import distinct
from ..variants.schema import SUBSTITUTIONS, TRINUCLEOTIDES, TRUNCATING
from .counts import AMINO_ACID_SUBSTITUTIONS, COUNTED
from .lookup import case_rows, mutation_names, positions, row_positions
from .vocabulary import Vocabulary


def matrix(
    cases: pa.Table, variants: pa.Table, vocabulary: Vocabulary, panels: Mapping[str, Sequence[str]] | None = None
) -> tuple[sp.csr_matrix, list[str]]:
    """The feature matrix (float32 CSR, shape (cases, features)) and its column names.

    ``cases`` comes from ``count`` and ``variants`` from ``informative_variants``. Shares are of all variants or of all
    substitutions of the case. The counts are there too, because trees cannot recover them from a share and the burden.
    Genes that a case's panel did not sequence, and trinucleotides that a source does not carry, are NaN: not known is
    not the same as not mutated."""
    dense = _shares_and_counts(cases) | _amino_acid_shares(cases, vocabulary) | _trinucleotide_shares(cases, vocabulary)
    mutations, mutation_columns = _mutations(cases, variants, vocabulary, panels or {})
    left = sp.csr_matrix(np.stack(list(dense.values()), axis=1).astype(np.float32))
    whole = sp.hstack([left, mutations], format="csr")
    whole.sort_indices()
    return whole, [*dense, *mutation_columns]


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


def _trinucleotide_shares(cases: pa.Table, vocabulary: Vocabulary) -> dict[str, np.ndarray]:
    """Shares of the 96 contexts, NaN for a case without contexts; nothing where the vocabulary has none."""
    if not vocabulary.names("trinucleotide"):
        return {}
    shares = np.full((cases.num_rows, len(TRINUCLEOTIDES)), np.nan)
    known = np.flatnonzero(cases["trinucleotides"].is_valid().to_numpy(zero_copy_only=False))
    counts = np.array(cases["trinucleotides"].drop_null().combine_chunks().flatten())
    counts = counts.reshape(len(known), len(TRINUCLEOTIDES))
    shares[known] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return {f"trinucleotide {name}": shares[:, i] for i, name in enumerate(TRINUCLEOTIDES)}


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
