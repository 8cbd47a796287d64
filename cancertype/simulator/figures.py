"""The published figures that simulated cases are drawn from, converted to probabilities.

A gene's published frequency has two parts: chance hits, which grow with the gene's length and the case's burden, and
selection. ``figures_of`` separates them, so that the simulated frequency equals the published one and long genes still
follow the burden. The figures are of TCGA's open-access exomes; docs/simulator.md names the sources.
"""

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np

from ..package_data import rows as rows_of
from .alterations import SUBSTITUTIONS, for_protein_change

MAX_BURDEN = 20_000
"""The most non-silent variants of a case. The log-normal distribution itself has no upper limit."""

# The share of chance hits that truncates: nonsense, frameshift and splice sites among all non-silent variants.
_CHANCE_TRUNCATING = 0.17
# gene_frequency.csv lists genes from 3% upwards.
_UNLISTED_LIMIT = 0.029


@dataclass(frozen=True)
class Figures:
    """What a label's cases are drawn from. ``driver``: probability of a selected hit for each of ``driver_genes``;
    ``truncating``: the share of those hits that truncates; ``concentration``: of the Dirichlet distribution of a case's
    spectrum; ``chance``: cumulative weights of all genes for chance hits."""

    log10_burden: tuple[float, float]
    spectrum: np.ndarray
    concentration: float
    indel_share: float
    driver_genes: np.ndarray
    driver: np.ndarray
    truncating: np.ndarray
    chance: np.ndarray


@dataclass(frozen=True)
class Recurrent:
    """A gene's recurrent changes: codons, alterations that cause each, cumulative probability given a selected hit."""

    codons: list[int]
    alterations: list[np.ndarray]
    cumulative: np.ndarray


@cache
def genes() -> tuple[tuple[str, ...], np.ndarray]:
    """Symbols (of 2012, as TCGA wrote them) and coding lengths in codons of the 18,826 genes."""
    rows = rows_of("variants", "genes.csv")
    return tuple(row["gene"] for row in rows), np.array([int(row["codons"]) for row in rows])


@cache
def current_symbols() -> tuple[str, ...]:
    """The current symbol of each of ``genes()``."""
    now = {row["old"]: row["current"] for row in rows_of("variants", "gene_symbols.csv")}
    return tuple(now.get(gene, gene) for gene in genes()[0])


@cache
def _index() -> dict[str, int]:
    return {gene: i for i, gene in enumerate(genes()[0])}


@cache
def _published() -> dict[str, list[tuple[int, float, float]]]:
    """Label to (gene index, frequency, truncating share of the mutated)."""
    by_label: dict[str, list[tuple[int, float, float]]] = {}
    for row in rows_of("simulator", "gene_frequency.csv"):
        entry = (_index()[row["gene"]], float(row["percent"]) / 100, float(row["truncating_percent_of_mutated"]) / 100)
        by_label.setdefault(row["label"], []).append(entry)
    return by_label


@cache
def _burdens() -> dict[str, dict[str, str]]:
    return {row["label"]: row for row in rows_of("simulator", "burden_and_spectrum.csv")}


@cache
def _concentrations() -> dict[str, float]:
    """Dirichlet concentration of a label's spectrum: patients of one label differ in it by more than chance."""
    return {row["label"]: float(row["concentration"]) for row in rows_of("simulator", "spectrum_concentration.csv")}


def _chance_of_hit(weights: np.ndarray, burdens: np.ndarray) -> np.ndarray:
    """Probability that a gene of each weight is hit at least once by chance, averaged over ``burdens``."""
    return (1 - np.exp(-np.outer(weights, burdens))).mean(axis=1)


def _burden_grid(mean: float, sd: float) -> np.ndarray:
    quantiles = [NormalDist(mean, sd).inv_cdf((i + 0.5) / 200) for i in range(200)]
    return np.clip(np.rint(10 ** np.array(quantiles) - 1), 0, MAX_BURDEN)


def _split_chance_from_selection(
    published: list[tuple[int, float, float]], grid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Chance weights of all genes (sum 1) and, for the published genes, the probability of a selected hit.

    Chance weight is in proportion to length, lowered where length alone would exceed the published frequency (or, for
    a gene that is not listed, the least frequency that would have been listed).
    """
    listed, frequency = np.array([p[0] for p in published]), np.array([p[1] for p in published])
    lengths = genes()[1] / genes()[1].sum()
    limit = frequency.min() if len(listed) >= 60 else _UNLISTED_LIMIT
    ceiling = np.full(len(lengths), limit)
    ceiling[listed] = frequency
    candidates = np.geomspace(1e-7, 1.0, 400)
    selected, weights = np.zeros(len(listed)), lengths
    for _ in range(4):
        burdens = np.maximum(grid - selected.sum(), 0)
        largest = np.interp(ceiling, _chance_of_hit(candidates, burdens), candidates)
        # Weight that the ceilings take away goes to the genes below theirs.
        scale = 1.0
        for _ in range(20):
            weights = np.minimum(lengths * scale, largest)
            scale /= weights.sum()
        weights = weights / weights.sum()
        chance = np.minimum(_chance_of_hit(weights[listed], burdens), frequency)
        selected = 1 - (1 - frequency) / (1 - chance)
    return weights, selected


@cache
def figures_of(label: str) -> Figures:
    """The figures of ``label``, chance and selection separated. KeyError for an unknown label."""
    row, published = _burdens()[label], _published()[label]
    burden = (float(row["log10_burden_mean"]), float(row["log10_burden_sd"]))
    weights, selected = _split_chance_from_selection(published, _burden_grid(*burden))
    frequency, truncating = (np.array([p[i] for p in published]) for i in (1, 2))
    share_selected = np.maximum(selected / frequency, 1e-9)
    spectrum = np.array([float(row[name]) for name in SUBSTITUTIONS]) + 1e-3
    return Figures(
        burden,
        spectrum / spectrum.sum(),
        _concentrations()[label],
        float(row["indel_share"]),
        np.array([p[0] for p in published]),
        selected,
        np.clip((truncating - (1 - share_selected) * _CHANCE_TRUNCATING) / share_selected, 0, 1),
        np.cumsum(weights),
    )


@cache
def _selected_tumours() -> dict[tuple[int, bool], float]:
    """(gene, truncating) to the expected number of published tumours with a selected hit of that kind."""
    counts: dict[tuple[int, bool], float] = {}
    for label, row in _burdens().items():
        figures = figures_of(label)
        for gene, probability, truncating in zip(figures.driver_genes, figures.driver, figures.truncating, strict=True):
            for kind, share in ((True, truncating), (False, 1 - truncating)):
                key = (int(gene), kind)
                counts[key] = counts.get(key, 0.0) + int(row["tumours"]) * probability * share
    return counts


@cache
def recurrent() -> dict[tuple[int, bool], Recurrent]:
    """(gene, truncating) to its recurrent changes; two silent ones of the published list are left out.

    The share of a change is its published count over the expected number of tumours with a selected hit of its kind,
    scaled down where the shares of a gene exceed 0.97 (its listed labels then hold fewer tumours than its changes).
    """
    changes_of: dict[tuple[int, bool], list[tuple[int, np.ndarray, float]]] = {}
    for row in rows_of("simulator", "recurrent_changes.csv"):
        before, codon, after = row["HGVSp_Short"][2], int(row["HGVSp_Short"][3:-1]), row["HGVSp_Short"][-1]
        if before != after:
            key = (_index()[row["Hugo_Symbol"]], after == "*")
            changes_of.setdefault(key, []).append((codon, for_protein_change(before, after), float(row["tumours"])))
    changes = {}
    for key, entries in changes_of.items():
        shares = np.array([e[2] for e in entries]) / max(_selected_tumours().get(key, 0.0), 1.0)
        shares *= min(1.0, 0.97 / shares.sum())
        changes[key] = Recurrent([e[0] for e in entries], [e[1] for e in entries], np.cumsum(shares))
    return changes


@cache
def chance_of_unlisted() -> np.ndarray:
    """Cumulative weights for chance hits that spare every gene listed for any label."""
    weights = genes()[1].astype(np.float64)
    weights[[entry[0] for published in _published().values() for entry in published]] = 0
    return np.cumsum(weights)
