"""Drawing the copy number of one simulated case from the published figures of its label.

Arms of a case are not independent: some tumours have hardly any altered arm and others have most of them altered, and
both arms of a chromosome often change together. Whether an arm is altered therefore depends on three normal numbers:
one of the case, one of the chromosome and one of the arm. Their weights (``aneuploidy.csv``) are fitted so that the
number of altered arms has the published mean and standard deviation, while each arm keeps its published frequencies.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Self

import numpy as np

from ..alterations import genome
from ..alterations.calls import NOT_MEASURED
from ..alterations.schema import ARMS
from ..package_data import rows as rows_of

AMPLIFIED, DELETED = 2, -2

_LOCUS = 5_000_000
"""Bases. Genes of one such stretch are amplified or deleted together, the more frequent ones first."""
_GENES_PER_ARM = 8
"""Genes that the simulated matrices hold of each arm at least, so that a single amplified gene leaves its arm's call
as it is."""

_LOST_TOGETHER = {"LGG": ("1p", "19q")}
"""Two arms of a label that one translocation takes away: the co-deletion of oligodendroglioma."""


@dataclass(frozen=True)
class CopyNumber:
    """A case's calls. ``arms`` (int8, in the order of ``ARMS``): -1, 0, 1, or ``NOT_MEASURED`` for no call; ``genes``
    (int8, in the order of ``matrix_genes()``): -2 to 2."""

    arms: np.ndarray
    genes: np.ndarray


@dataclass(frozen=True)
class _Figures:
    """A label's shares, by arm (of ``ARMS``) and by gene (of ``matrix_genes()``); of the normal number behind an arm,
    ``level_share`` of the variance is the case's and ``chromosome_share`` of the rest the chromosome's."""

    gained: np.ndarray
    lost: np.ndarray
    no_call: np.ndarray
    level_share: float
    chromosome_share: float
    amplified: np.ndarray
    deleted: np.ndarray


@dataclass(frozen=True)
class _Places:
    """Where the genes of the matrix are: ``arm`` (place in ``ARMS``), ``locus`` (stretches numbered from 0) and
    ``rank`` (0 to 1 from one end of the arm to the other), each of shape (genes,)."""

    arm: np.ndarray
    locus: np.ndarray
    rank: np.ndarray

    @classmethod
    def of(cls, genes: tuple[str, ...]) -> Self:
        """The places of ``genes``, which are in the order of the genome."""
        spots = [_spots()[gene] for gene in genes]
        stretches = {(arm, start // _LOCUS): None for arm, start in spots}
        number = {stretch: n for n, stretch in enumerate(stretches)}
        arms = [arm for arm, _ in spots]
        seen, totals, rank = Counter(), Counter(arms), []
        for arm in arms:
            rank.append((seen[arm] + 0.5) / totals[arm])
            seen[arm] += 1
        locus = [number[arm, start // _LOCUS] for arm, start in spots]
        return cls(np.array(arms), np.array(locus), np.array(rank))


@cache
def _spots() -> dict[str, tuple[int, int]]:
    """The autosomal cancer genes in the order of the genome: gene to (place of its arm in ``ARMS``, start in hg19)."""
    spans = genome.gene_spans("hg19")
    arms = genome.gene_arms()
    spots = {
        gene: (ARMS.index(arms[gene]), int(start))
        for gene, start in zip(spans.genes, spans.starts, strict=True)
        if arms.get(gene) in ARMS
    }
    return dict(sorted(spots.items(), key=lambda item: (item[1], item[0])))


@cache
def matrix_genes() -> tuple[str, ...]:
    """The genes of the simulated matrices: those with a published frequency, and others so that each arm has several.

    In the order of the genome."""
    listed = {row["gene"] for row in rows_of("simulator", "gene_copy_number_frequency.csv")}
    chosen = set(listed)
    for place in range(len(ARMS)):
        here = [gene for gene, (arm, _) in _spots().items() if arm == place]
        missing = max(_GENES_PER_ARM - len(listed.intersection(here)), 0)
        chosen.update([gene for gene in here if gene not in listed][:missing])
    return tuple(gene for gene in _spots() if gene in chosen)


@cache
def _places() -> _Places:
    return _Places.of(matrix_genes())


@cache
def _chromosomes() -> np.ndarray:
    """The chromosome of each arm, numbered from 0."""
    return np.array([int(arm[:-1]) - 1 for arm in ARMS])


@cache
def _figures_of(label: str) -> _Figures:
    arms = {row["arm"]: row for row in rows_of("simulator", "arm_frequency.csv") if row["label"] == label}
    genes = {
        row["gene"]: row for row in rows_of("simulator", "gene_copy_number_frequency.csv") if row["label"] == label
    }
    spread = next(row for row in rows_of("simulator", "aneuploidy.csv") if row["label"] == label)

    def by_gene(column: str) -> np.ndarray:
        return np.array([float(genes[gene][column]) if gene in genes else 0.0 for gene in matrix_genes()])

    return _Figures(
        *(np.array([float(arms[arm][column]) for arm in ARMS]) for column in ("gained", "lost", "no_call")),
        float(spread["level_share"]),
        float(spread["chromosome_share"]),
        by_gene("amplified"),
        by_gene("deleted"),
    )


def _drawn_arms(rng: np.random.Generator, figures: _Figures, together: tuple[str, ...]) -> np.ndarray:
    """-1, 0 or 1 for each arm. The arms ``together`` share their random numbers."""
    chromosomes = _chromosomes()
    case, by_chromosome, by_arm = rng.standard_normal(), rng.standard_normal(22), rng.standard_normal(len(ARMS))
    direction = rng.random(22)[chromosomes]
    level, chromosome = figures.level_share, figures.chromosome_share
    own = np.sqrt(chromosome) * by_chromosome[chromosomes] + np.sqrt(1 - chromosome) * by_arm
    number = np.sqrt(level) * case + np.sqrt(1 - level) * own
    linked = [ARMS.index(arm) for arm in together]
    number[linked], direction[linked] = number[linked[:1]], direction[linked[:1]]
    frequency = figures.gained + figures.lost
    altered = number < _quantiles(frequency)
    # One number decides for both arms of a chromosome, so that they are gained or lost together as far as their
    # frequencies allow.
    gained = direction * frequency < figures.gained
    return np.where(altered, np.where(gained, 1, -1), 0).astype(np.int8)


def _quantiles(shares: np.ndarray) -> np.ndarray:
    """The standard normal quantile of each share."""
    inside = np.clip(shares, 1e-9, 1 - 1e-9)
    return np.array([NormalDist().inv_cdf(share) for share in inside])


def _drawn_genes(rng: np.random.Generator, figures: _Figures, arms: np.ndarray, partly: np.ndarray) -> np.ndarray:
    """-2 to 2 for each gene: as its arm, but amplified or deleted where its locus is.

    ``partly`` marks the arms without a call. Half of such an arm is altered, from one of its ends on, which is why it
    has none."""
    places = _places()
    at_start, side = rng.random(len(ARMS)) < 0.5, np.where(rng.random(len(ARMS)) < 0.5, 1, -1)
    in_half = (places.rank < 0.5) == at_start[places.arm]
    level = np.where(partly[places.arm], np.where(in_half, side[places.arm], 0), arms[places.arm])
    focal = rng.random(places.locus.max() + 1)[places.locus]
    level = np.where(focal < figures.amplified, AMPLIFIED, level)
    return np.where(focal > 1 - figures.deleted, DELETED, level).astype(np.int8)


def draw(rng: np.random.Generator, label: str, *, complete: bool = False) -> CopyNumber:
    """One case of ``label``. With ``complete``, every arm has a call, as in tables of cell lines."""
    figures = _figures_of(label)
    arms = _drawn_arms(rng, figures, _LOST_TOGETHER.get(label, ()))
    partly = rng.random(len(ARMS)) < figures.no_call
    if complete:
        partly = np.zeros(len(ARMS), bool)
    genes = _drawn_genes(rng, figures, arms, partly)
    return CopyNumber(np.where(partly, NOT_MEASURED, arms).astype(np.int8), genes)
