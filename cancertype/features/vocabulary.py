"""The vocabulary: which genes, recurrent changes and amino-acid substitutions are worth naming."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import InputError
from ..labels import LABELS
from ..tables.columns import codes, distinct, positions
from ..variants.genes import fusion_genes
from ..variants.schema import TRINUCLEOTIDES
from ..variants.spectra import CLASSES
from .counts import AMINO_ACID_SUBSTITUTIONS
from .information import evidence, mutual_information
from .lookup import case_rows
from .settings import Features
from .spectrum_columns import INDELS

_LEAST_CASES_OF_GENE = 2
# The last bits differ between processors, so they are rounded away and never change the file.
_DECIMALS = 9


@dataclass(frozen=True)
class Vocabulary:
    """Genes, recurrent protein changes and amino-acid substitutions worth naming.

    ``table`` has the columns kind, name, cases (training cases that have it), information (mutual information with the
    label, bits) and telling (``information.evidence``, bits), most informative first within each kind. The kinds are
    "gene" (TP53), "change" (TP53 R175H), "amino_acid" (R>H), "trinucleotide" and "indel" (all 96 and all 83, when
    training cases carry contexts or spectra), "amplified" and "deleted" (EGFR), "fusion" (TMPRSS2-ERG), "fusion_gene"
    (ERG), "panel" (every gene of the panel, when ``features.genes`` is a list) and "assay" (each kind of assay that
    training cases are seen through: its presence says that what an assay cannot know is unknown)."""

    table: pa.Table

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what ``write_parquet(vocabulary.table, path)`` wrote."""
        return cls(pq.read_table(path))

    def names(self, kind: str) -> list[str]:
        """The names of one kind, most informative first."""
        return self._of(kind)["name"].to_pylist()

    def evidence(self, kind: str) -> dict[str, float]:
        """Name to bits of evidence (``information.evidence``), for one kind."""
        rows = self._of(kind)
        return dict(zip(rows["name"].to_pylist(), rows["telling"].to_pylist(), strict=True))

    def _of(self, kind: str) -> pa.Table:
        return self.table.filter(pc.equal(self.table["kind"], kind))


@dataclass(frozen=True)
class _Training:
    """The training split. ``labels``: each case's position in ``LABELS``. ``per_label`` (26,): cases by label.
    ``rows``, ``genes`` and ``changes``: case, gene and protein change of each variant, as positions."""

    cases: pa.Table
    labels: np.ndarray
    per_label: np.ndarray
    rows: np.ndarray
    genes: np.ndarray
    gene_names: list[str]
    changes: np.ndarray
    change_names: list[str]

    def presence(self, rows: np.ndarray, items: np.ndarray, n_items: int) -> np.ndarray:
        """Cases that have each item at least once, by label: shape (items, labels)."""
        keys = distinct(rows.astype(np.int64) * n_items + items)
        rows, items = np.divmod(keys, max(n_items, 1))
        flat = np.bincount(items * len(LABELS) + self.labels[rows], minlength=n_items * len(LABELS))
        return flat.reshape(n_items, len(LABELS)).astype(np.float64)

    def ranked(self, kind: str, names: list[str], present: np.ndarray, limit: int, least: int) -> list[dict]:
        """The ``limit`` items of greatest mutual information among those that at least ``least`` cases have."""
        information, bits = mutual_information(present, self.per_label), evidence(present, self.per_label)
        cases = present.sum(axis=1)
        order = sorted(np.flatnonzero(cases >= least), key=lambda i: (-information[i], names[i]))[:limit]
        return [_item(kind, names[i], int(cases[i]), float(information[i]), float(bits[i])) for i in order]


def _item(kind: str, name: str, cases: int = 0, information: float = 0.0, bits: float = 0.0) -> dict:
    """A row of ``Vocabulary.table``."""
    numbers = {"information": round(information, _DECIMALS), "telling": round(bits, _DECIMALS)}
    return {"kind": kind, "name": name, "cases": cases} | numbers


ASSAYS = ("exome", "panel", "list")
"""The kinds of assays that a model is trained for."""


def fit(
    cases: pa.Table, variants: pa.Table, settings: Features, panels_per_gene: Mapping[str, int] | None = None
) -> Vocabulary:
    """Rank genes, recurrent changes, amino-acid substitutions and other alterations on the training split of ``cases``.

    ``cases`` has the columns of ``described``, split and label. Genes that at least ``settings.cancer_gene_panels``
    panels hold (``panels_per_gene``) are always in it, for they are what people report. Raises ``InputError`` when
    ``settings.genes`` names a gene twice or when no training case has a variant."""
    training = _training(cases, variants)
    panel = settings.genes if isinstance(settings.genes, list) else []
    genes = _rank_panel(training, panel) if panel else _rank_genes(training, settings, panels_per_gene or {})
    lists = {kind: training.cases[name].to_pylist() for kind, name in LISTED.items()}
    lists["fusion_gene"] = [sorted(fused_genes(fusions)) for fusions in lists["fusion"]]
    ranked = [
        *genes,
        *_rank_changes(training, _changes_of_panel(training, genes) if panel else None, settings),
        *_rank_amino_acids(training, settings),
        *(_spectra(training) if settings.trinucleotides else []),
        *(item for kind, found in lists.items() for item in _rank_listed(training, kind, found, settings)),
        *(_item("panel", name) for name in panel),
        *(_item("assay", name) for name in ASSAYS),
    ]
    return Vocabulary(pa.Table.from_pylist(ranked))


def _training(cases: pa.Table, variants: pa.Table) -> _Training:
    training = cases.filter(pc.equal(cases["split"], "train"))
    labels = positions(training["label"].to_pylist(), LABELS)
    per_label = np.bincount(labels[labels >= 0], minlength=len(LABELS)).astype(np.float64)
    rows = case_rows(training, variants)
    genes, gene_names = codes(variants["gene"])
    changes, change_names = codes(variants["protein_change"])
    own = rows >= 0
    if not own.any():
        raise InputError("no case of the training split has a variant: check data.sources and the cohort's rules")
    return _Training(training, labels, per_label, rows[own], genes[own], gene_names, changes[own], change_names)


LISTED = {"amplified": "amplified", "deleted": "deleted", "fusion": "fusions"}
"""Kinds of the vocabulary and the columns of cases that list them."""


def fused_genes(fusions: Sequence[str]) -> set[str]:
    """The genes of ``fusions``."""
    return {gene for fusion in fusions for gene in fusion_genes(fusion)}


def _rank_listed(training: _Training, kind: str, lists: Sequence[Sequence[str]], settings: Features) -> list[dict]:
    """Events of a kind that enough training cases have; ``lists`` has those of each case."""
    names = sorted({name for found in lists for name in found})
    place = {name: i for i, name in enumerate(names)}
    pairs = [(row, place[name]) for row, found in enumerate(lists) for name in found]
    rows, items = (np.array(column, np.int64) for column in (zip(*pairs, strict=True) if pairs else ((), ())))
    present = training.presence(rows, items, len(names))
    return training.ranked(kind, names, present, settings.alterations, settings.recurrent_min_cases)


def _rank_genes(training: _Training, settings: Features, panels_per_gene: Mapping[str, int]) -> list[dict]:
    names = training.gene_names
    present = training.presence(training.rows, training.genes, len(names))
    ranked = training.ranked("gene", names, present, settings.genes, _LEAST_CASES_OF_GENE)
    if settings.cancer_gene_panels is None:
        return ranked
    there = {item["name"] for item in ranked}
    wanted = {gene for gene, n in panels_per_gene.items() if n >= settings.cancer_gene_panels} - there
    every = {item["name"]: item for item in training.ranked("gene", names, present, len(names), 0)}
    return [*ranked, *(every.get(gene) or _item("gene", gene) for gene in sorted(wanted))]


def _rank_panel(training: _Training, panel: list[str]) -> list[dict]:
    """Every gene of the panel, also one that no training case has."""
    twice = sorted(gene for gene, n in Counter(panel).items() if n > 1)
    if twice:
        raise InputError(f"features.genes names {', '.join(twice)} twice: remove the second")
    present = training.presence(training.rows, training.genes, len(training.gene_names))
    at = positions(panel, training.gene_names)
    present = np.where((at >= 0)[:, None], present[at], 0.0)
    return training.ranked("gene", panel, present, len(panel), 0)


def _changes_of_panel(training: _Training, genes: list[dict]) -> np.ndarray:
    """Which variants are in one of ``genes``: bool, shape (variants,)."""
    kept = np.zeros(len(training.gene_names), dtype=bool)
    at = positions([item["name"] for item in genes], training.gene_names)
    kept[at[at >= 0]] = True
    return kept[training.genes]


def _rank_changes(training: _Training, allowed: np.ndarray | None, settings: Features) -> list[dict]:
    """Protein changes that enough training cases have, of all variants or of those ``allowed``."""
    n_changes, least = len(training.change_names), settings.recurrent_min_cases
    eligible = np.array([bool(change) for change in training.change_names])[training.changes]
    if allowed is not None:
        eligible &= allowed
    keys = training.genes[eligible].astype(np.int64) * n_changes + training.changes[eligible]
    keys, items = np.unique(keys, return_inverse=True)
    # Most changes are of one case: counting rows first leaves few for the costlier count of cases.
    often = np.bincount(items, minlength=len(keys)) >= least
    renumbered, frequent = np.cumsum(often) - 1, often[items]
    names = [f"{training.gene_names[k // n_changes]} {training.change_names[k % n_changes]}" for k in keys[often]]
    present = training.presence(training.rows[eligible][frequent], renumbered[items[frequent]], len(names))
    return training.ranked("change", names, present, settings.recurrent_changes, least)


def _rank_amino_acids(training: _Training, settings: Features) -> list[dict]:
    counts = np.array(training.cases["amino_acids"].combine_chunks().flatten()).reshape(training.cases.num_rows, -1)
    present = (counts > 0).T.astype(np.float64) @ np.eye(len(LABELS))[training.labels]
    return training.ranked("amino_acid", list(AMINO_ACID_SUBSTITUTIONS), present, settings.amino_acid_substitutions, 1)


def _spectra(training: _Training) -> list[dict]:
    """All classes of the two spectra, or none of one that no training case has."""
    found = []
    for kind, column, names in (("trinucleotide", "sbs96", TRINUCLEOTIDES), ("indel", "id83", CLASSES[INDELS])):
        known = training.cases.num_rows - training.cases[column].null_count
        found += [_item(kind, name, known) for name in names] if known else []
    return found
