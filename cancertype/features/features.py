"""What is counted in a case, which genes and changes tell labels apart, and the matrix that the trees read.

The vocabulary is fitted on the training split only. Everything in the matrix is also at hand for the text, so that the
trees and the language model see the same information.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import scipy.sparse as sp

from ..errors import InputError
from ..labels import LABELS
from ..tables.columns import codes, compacted, distinct, indices, single
from ..variants.schema import SUBSTITUTIONS, TRINUCLEOTIDES, TRUNCATING
from .settings import Features

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
AMINO_ACID_SUBSTITUTIONS: tuple[str, ...] = tuple(f"{a}>{b}" for a in AMINO_ACIDS for b in AMINO_ACIDS if a != b)
"""The 380 ordered pairs of different amino acids, by which ``amino_acids`` counts are indexed."""

COUNTED = ("burden", "insertions", "deletions", "doublets", "truncating")
_EVENTS = {"insertion": "insertions", "deletion": "deletions", "doublet": "doublets"}


@dataclass(frozen=True)
class Vocabulary:
    """Genes, recurrent protein changes and amino-acid substitutions worth naming.

    ``table`` has the columns kind, name, cases (training cases that have it), information (mutual information with the
    label, bits) and telling (bits by which seeing it moves the label's distribution), best first within each kind. The
    kinds are "gene" (TP53), "change" (TP53 R175H), "amino_acid" (R>H), "trinucleotide" (all 96, when the training
    cases carry contexts) and "panel" (every gene of the panel, when ``features.genes`` is a list)."""

    table: pa.Table

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what ``write_parquet(vocabulary.table, path)`` wrote."""
        return cls(pq.read_table(path))

    def names(self, kind: str) -> list[str]:
        """The names of one kind, most informative first."""
        return self._of(kind)["name"].to_pylist()

    def telling(self, kind: str) -> dict[str, float]:
        """Name to bits, of one kind."""
        rows = self._of(kind)
        return dict(zip(rows["name"].to_pylist(), rows["telling"].to_pylist(), strict=True))

    def _of(self, kind: str) -> pa.Table:
        return self.table.filter(pc.equal(self.table["kind"], kind))


def panels_table(panels: dict[str, list[str]]) -> pa.Table:
    """Panels as a table of the columns panel and gene."""
    pairs = [(name, gene) for name, genes in sorted(panels.items()) for gene in genes]
    return pa.table(
        {"panel": pa.array([p for p, _ in pairs], pa.string()), "gene": pa.array([g for _, g in pairs], pa.string())}
    )


def panels_of(table: pa.Table) -> dict[str, list[str]]:
    """The inverse of ``panels_table``."""
    panels: dict[str, list[str]] = {}
    for name, gene in zip(table["panel"].to_pylist(), table["gene"].to_pylist(), strict=True):
        panels.setdefault(name, []).append(gene)
    return panels


def _positions(values: pa.Array | pa.ChunkedArray | Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """For each of ``values`` its index in ``wanted``, or -1."""
    values = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values, pa.string())
    return pc.index_in(values, value_set=pa.array(wanted, pa.string())).fill_null(-1).to_numpy(zero_copy_only=False)


def _row_positions(
    column: pa.ChunkedArray, wanted: Sequence[str], named: Callable[[pa.Array], pa.Array] | None = None
) -> np.ndarray:
    """The same for each row of a text column, asked once a unique value, which ``named`` translates first."""
    whole = single(column)
    values = named(whole.dictionary) if named else whole.dictionary
    return np.append(_positions(values, wanted), np.int32(-1))[indices(whole)]


def case_rows(cases: pa.Table, variants: pa.Table) -> np.ndarray:
    """For each variant the row of its case in ``cases``, or -1 when the case is not there."""
    return _row_positions(variants["case_id"], cases["case_id"].to_pylist())


def _amino_acid_substitutions(changes: pa.Array) -> pa.Array:
    """``R175H`` gives ``R>H``; null, or a name of no use, for whatever is not such an exchange."""
    exchange = pc.match_substring_regex(changes, f"^[{AMINO_ACIDS}][0-9]+[{AMINO_ACIDS}]$")
    before, after = pc.utf8_slice_codeunits(changes, 0, 1), pc.utf8_slice_codeunits(changes, -1)
    return pc.if_else(exchange, pc.binary_join_element_wise(before, after, ">"), None)


def _named(variants: pa.Table) -> pa.ChunkedArray:
    """``TP53 R175H`` for each variant."""
    return pc.binary_join_element_wise(*(pc.cast(variants[c], pa.string()) for c in ("gene", "protein_change")), " ")


def restrict_to_panel(variants: pa.Table, genes: list[str]) -> pa.Table:
    """Only the variants in ``genes``: what a panel of these genes would have seen."""
    return variants.filter(pc.is_in(pc.cast(variants["gene"], pa.string()), value_set=pa.array(genes, pa.string())))


def count(cases: pa.Table, variants: pa.Table) -> pa.Table:
    """``cases`` with what is counted in each: burden (non-silent variants), the six substitution classes, insertions,
    deletions, doublets, truncating variants, ``amino_acids`` (int32 list of 380) and ``trinucleotides`` (int32 list of
    96, null where the source carries no context)."""
    n = cases.num_rows
    rows = case_rows(cases, variants)
    kept = rows >= 0
    rows = rows[kept]

    def tally(column: str, classes: tuple[str, ...], named: Callable[[pa.Array], pa.Array] | None = None) -> np.ndarray:
        which = _row_positions(variants[column], classes, named)[kept]
        seen = which >= 0
        flat = np.bincount(rows[seen] * len(classes) + which[seen], minlength=n * len(classes))
        return flat.reshape(n, len(classes)).astype(np.int32)

    counted = {"burden": np.bincount(rows, minlength=n).astype(np.int32)}
    counted |= dict(zip(_EVENTS.values(), tally("dna", tuple(_EVENTS)).T, strict=True))
    counted["truncating"] = tally("consequence", TRUNCATING).sum(axis=1, dtype=np.int32)
    counted |= dict(zip(SUBSTITUTIONS, tally("substitution", SUBSTITUTIONS).T, strict=True))
    amino_acids = tally("protein_change", AMINO_ACID_SUBSTITUTIONS, _amino_acid_substitutions)
    trinucleotides = tally("context", TRINUCLEOTIDES)
    table = cases
    for name, values in counted.items():
        table = table.append_column(name, pa.array(values))
    table = table.append_column("amino_acids", _fixed_lists(amino_acids))
    has_context = trinucleotides.sum(axis=1) > 0
    return table.append_column("trinucleotides", _fixed_lists(trinucleotides, has_context))


def _fixed_lists(values: np.ndarray, valid: np.ndarray | None = None) -> pa.Array:
    """The rows of an int32 matrix as a list column; rows that are not ``valid`` become null."""
    offsets = np.arange(0, values.size + 1, values.shape[1], dtype=np.int32)
    if valid is None or valid.all():
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.ravel()))
    mask = pa.array(~valid)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.ravel()), mask=mask)


def _information(present: np.ndarray, per_label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mutual information and telling of each item, in bits.

    ``present``: training cases with the item by label, shape (items, labels). ``per_label``: training cases by label.
    Mutual information is that of two discrete variables (Cover & Thomas, 2006, eq. 2.28). Telling is the Kullback-
    Leibler divergence of the label's distribution given the item from its distribution without it (ibid., eq. 2.26),
    with one pseudo-case spread over the labels so that an item seen once is not taken for certain."""
    total = per_label.sum()
    prior = per_label / total
    some = prior > 0

    def partial(joint: np.ndarray, marginal: np.ndarray) -> np.ndarray:
        expected = np.where(some, marginal[:, None] * prior, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(joint > 0, joint * np.log2(joint / np.where(expected > 0, expected, 1.0)), 0.0)
        return terms.sum(axis=1)

    joint = present / total
    information = partial(joint, joint.sum(axis=1)) + partial(prior - joint, 1.0 - joint.sum(axis=1))
    posterior = (present + prior) / (present.sum(axis=1, keepdims=True) + 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        telling = np.where(some & (posterior > 0), posterior * np.log2(posterior / np.where(some, prior, 1.0)), 0.0)
    return np.maximum(information, 0.0), telling.sum(axis=1)


def _ranked(
    kind: str, names: list[str], present: np.ndarray, per_label: np.ndarray, limit: int, least: int
) -> list[dict]:
    """The ``limit`` items of greatest mutual information among those that ``least`` training cases have."""
    information, telling = _information(present, per_label)
    cases = present.sum(axis=1)
    order = sorted(np.flatnonzero(cases >= least), key=lambda i: (-information[i], names[i]))[:limit]
    return [
        {
            "kind": kind,
            "name": names[i],
            "cases": int(cases[i]),
            # Rounded so that the last bits, which differ between processors, never change the file.
            "information": round(float(information[i]), 9),
            "telling": round(float(telling[i]), 9),
        }
        for i in order
    ]


def _presence(rows: np.ndarray, items: np.ndarray, labels: np.ndarray, n_items: int) -> np.ndarray:
    """Cases that have each item at least once, by label: shape (items, labels)."""
    keys = distinct(rows.astype(np.int64) * n_items + items)
    rows, items = np.divmod(keys, n_items)
    flat = np.bincount(items * len(LABELS) + labels[rows], minlength=n_items * len(LABELS))
    return flat.reshape(n_items, len(LABELS)).astype(np.float64)


def fit(cases: pa.Table, variants: pa.Table, settings: Features) -> Vocabulary:
    """Rank genes, recurrent changes and amino-acid substitutions on the training split of ``cases``.

    ``cases`` is the table of ``count`` with columns split and label. Raises ``InputError`` when a panel names a gene
    twice or when no training case has a variant."""
    training = cases.filter(pc.equal(cases["split"], "train"))
    labels = _positions(training["label"].to_pylist(), LABELS)
    per_label = np.bincount(labels[labels >= 0], minlength=len(LABELS)).astype(np.float64)
    rows = case_rows(training, variants)
    gene_codes, gene_names = codes(variants["gene"])
    change_codes, change_names = codes(variants["protein_change"])
    seen = rows >= 0
    if not seen.any():
        raise InputError("no case of the training split has a variant: check data.sources and the cohort's rules")
    rows, gene_codes, change_codes = rows[seen], gene_codes[seen], change_codes[seen]

    panel: tuple[str, ...] = ()
    present = _presence(rows, gene_codes, labels, len(gene_names))
    if isinstance(settings.genes, list):
        panel = tuple(settings.genes)
        if len(set(panel)) < len(panel):
            twice = sorted({gene for gene in panel if panel.count(gene) > 1})
            raise InputError(f"features.genes names {', '.join(twice)} twice: remove the second")
        by_name = _positions(list(panel), gene_names)
        present = np.where((by_name >= 0)[:, None], present[by_name], 0.0)
        ranked = _ranked("gene", list(panel), present, per_label, len(panel), 0)
    else:
        ranked = _ranked("gene", gene_names, present, per_label, settings.genes, 2)

    kept_genes = np.zeros(len(gene_names), dtype=bool)
    kept_genes[[i for i in _positions([item["name"] for item in ranked], gene_names) if i >= 0]] = True
    named = np.array([bool(change) for change in change_names])[change_codes] & (kept_genes[gene_codes] | (not panel))
    keys, items = np.unique(
        gene_codes[named].astype(np.int64) * len(change_names) + change_codes[named], return_inverse=True
    )
    often = np.bincount(items, minlength=len(keys)) >= settings.recurrent_min_cases
    renumbered = np.cumsum(often) - 1
    frequent = often[items]
    keys = keys[often]
    change_of_key = [f"{gene_names[k // len(change_names)]} {change_names[k % len(change_names)]}" for k in keys]
    present = (
        _presence(rows[named][frequent], renumbered[items[frequent]], labels, len(keys))
        if len(keys)
        else np.empty((0, 26))
    )
    ranked += _ranked(
        "change", change_of_key, present, per_label, settings.recurrent_changes, settings.recurrent_min_cases
    )

    exchanged = np.array(training["amino_acids"].combine_chunks().flatten()).reshape(training.num_rows, -1) > 0
    one_hot = np.eye(len(LABELS))[labels]
    present = exchanged.T.astype(np.float64) @ one_hot
    ranked += _ranked(
        "amino_acid", list(AMINO_ACID_SUBSTITUTIONS), present, per_label, settings.amino_acid_substitutions, 1
    )
    if settings.trinucleotides and training["trinucleotides"].null_count < training.num_rows:
        known = training.num_rows - training["trinucleotides"].null_count
        ranked += [
            {"kind": "trinucleotide", "name": name, "cases": known, "information": 0.0, "telling": 0.0}
            for name in TRINUCLEOTIDES
        ]
    ranked += [{"kind": "panel", "name": name, "cases": 0, "information": 0.0, "telling": 0.0} for name in panel]
    return Vocabulary(pa.Table.from_pylist(ranked))


def telling_variants(cases: pa.Table, variants: pa.Table, vocabulary: Vocabulary) -> pa.Table:
    """The variants worth naming, most telling first within each case.

    Columns: case_id, gene, protein_change, consequence, recurrent (bool: the protein change is in the vocabulary) and
    telling (bits). One row per case, gene and protein change; cases in the order of ``cases``."""
    rows = case_rows(cases, variants)
    gene_bits, change_bits = vocabulary.telling("gene"), vocabulary.telling("change")
    of_gene = _bits(_row_positions(variants["gene"], list(gene_bits)), gene_bits)
    of_change = np.full(len(rows), -1.0)
    texts = sorted({name.split(" ", 1)[1] for name in change_bits})
    candidates = np.flatnonzero((rows >= 0) & (_row_positions(variants["protein_change"], texts) >= 0))
    named = _named(variants.take(pa.array(candidates)))
    of_change[candidates] = _bits(_positions(named, list(change_bits)), change_bits)
    telling = np.maximum(of_gene, of_change)

    kept = np.flatnonzero((rows >= 0) & (telling >= 0))
    taken = compacted(variants.select(["gene", "protein_change", "consequence"]).take(pa.array(kept)))
    genes, gene_names = codes(taken["gene"])
    changes, change_names = codes(taken["protein_change"])
    order = np.lexsort((_ranks(change_names)[changes], _ranks(gene_names)[genes], -telling[kept], rows[kept]))
    columns = [column[order] for column in (rows[kept], genes, changes)]
    again = np.logical_and.reduce([np.diff(column, prepend=-1) == 0 for column in columns])
    order = order[~again]
    kept, taken = kept[order], taken.take(pa.array(order))
    as_text = {name: pc.cast(taken[name], pa.string()) for name in ("gene", "protein_change", "consequence")}
    return pa.table(
        {
            "case_id": pa.array(np.array(cases["case_id"].to_pylist(), dtype=object)[rows[kept]], pa.string()),
            **as_text,
            "recurrent": pa.array(of_change[kept] >= 0),
            "telling": pa.array(telling[kept]),
        }
    )


def _bits(positions: np.ndarray, bits: dict[str, float]) -> np.ndarray:
    """The bits at each position, -1 for none."""
    return np.append(np.fromiter(bits.values(), float, len(bits)), -1.0)[positions]


def _ranks(names: list[str]) -> np.ndarray:
    """The place of each name in the order of all."""
    return np.argsort(np.argsort(np.array(names, dtype=object)))


def matrix(
    cases: pa.Table, variants: pa.Table, vocabulary: Vocabulary, panels: dict[str, list[str]] | None = None
) -> tuple[sp.csr_matrix, list[str]]:
    """The feature matrix (float32 CSR, shape (cases, features)) and its column names.

    ``cases`` comes from ``count`` and ``variants`` from ``telling_variants``. Shares are of all variants or
    substitutions of the case; the same counts stand beside them, which trees do not get from a share and the burden.
    What a case's panel did not sequence, and trinucleotides a source does not carry, are NaN: not known is not the
    same as not mutated."""
    n = cases.num_rows
    numbers = {name: cases[name].to_numpy().astype(np.float64) for name in (*COUNTED, *SUBSTITUTIONS)}
    burden = np.maximum(numbers["burden"], 1.0)
    spectrum = np.stack([numbers[name] for name in SUBSTITUTIONS], axis=1)
    substitutions = spectrum.sum(axis=1, keepdims=True)
    shares = np.where(substitutions > 0, spectrum / np.maximum(substitutions, 1.0), np.nan)
    kind, sex = cases["kind"].to_pylist(), cases["sex"].to_pylist()
    dense = {
        "log10 burden": np.log10(numbers["burden"] + 1.0),
        **{f"share {name}": shares[:, i] for i, name in enumerate(SUBSTITUTIONS)},
        "share insertions": numbers["insertions"] / burden,
        "share deletions": numbers["deletions"] / burden,
        "share doublets": numbers["doublets"] / burden,
        "share truncating": numbers["truncating"] / burden,
        **{f"log2 {name}": np.log2(numbers[name] + 1.0) for name in (*COUNTED[1:], *SUBSTITUTIONS)},
        "cell line": np.array([k == "cell line" for k in kind], dtype=np.float64),
        "female": np.array([{"female": 1.0, "male": 0.0}.get(s, math.nan) for s in sex]),
    }
    amino_acids = np.array(cases["amino_acids"].combine_chunks().flatten()).reshape(n, len(AMINO_ACID_SUBSTITUTIONS))
    exchanges = np.maximum(amino_acids.sum(axis=1), 1)
    for name in vocabulary.names("amino_acid"):
        dense[f"amino acid {name}"] = amino_acids[:, AMINO_ACID_SUBSTITUTIONS.index(name)] / exchanges
    if vocabulary.names("trinucleotide"):
        filled = np.full((n, len(TRINUCLEOTIDES)), np.nan)
        known = np.flatnonzero(cases["trinucleotides"].is_valid().to_numpy(zero_copy_only=False))
        counts = np.array(cases["trinucleotides"].drop_null().combine_chunks().flatten())
        counts = counts.reshape(len(known), len(TRINUCLEOTIDES))
        filled[known] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        dense |= {f"trinucleotide {name}": filled[:, i] for i, name in enumerate(TRINUCLEOTIDES)}

    genes, changes = vocabulary.names("gene"), vocabulary.names("change")
    truncated_from, changes_from = len(genes), 2 * len(genes)
    width = changes_from + len(changes)
    rows = case_rows(cases, variants)
    gene = _row_positions(variants["gene"], genes)
    truncated = np.where(_row_positions(variants["consequence"], TRUNCATING) >= 0, gene, -1)
    change = _positions(_named(variants), changes)
    cells = [
        rows[known].astype(np.int64) * width + first + at[known]
        for first, at in ((0, gene), (truncated_from, truncated), (changes_from, change))
        for known in [(rows >= 0) & (at >= 0)]
    ]
    unknown = _not_sequenced(cases["panel"].to_pylist(), genes, panels or {}, width)
    present = np.setdiff1d(distinct(np.concatenate(cells)), unknown, assume_unique=True)
    values = np.append(np.ones(len(present), np.float32), np.full(len(unknown), np.nan, np.float32))
    sparse = sp.csr_matrix((values, np.divmod(np.append(present, unknown), width)), shape=(n, width))
    names = [
        *dense,
        *(f"mutated {gene}" for gene in genes),
        *(f"truncated {gene}" for gene in genes),
        *(f"change {change}" for change in changes),
    ]
    whole = sp.hstack([sp.csr_matrix(np.stack(list(dense.values()), axis=1).astype(np.float32)), sparse], format="csr")
    whole.sort_indices()
    return whole, names


def _not_sequenced(of_case: list[str | None], genes: list[str], panels: dict[str, list[str]], width: int) -> np.ndarray:
    """The cells (row * width + column) of genes, mutated and truncated, that a case's panel does not hold."""
    outside = {
        name: np.flatnonzero(~np.isin(genes, panels[name])) for name in sorted(set(of_case) & set(panels)) if genes
    }
    cells = [
        row * width + np.concatenate([outside[name], outside[name] + len(genes)])
        for row, name in enumerate(of_case)
        if name in outside
    ]
    return np.concatenate(cells).astype(np.int64) if cells else np.empty(0, np.int64)
