"""Drawing the variants of one simulated case from the published figures of its label."""

from dataclasses import dataclass, fields
from typing import Self
from zlib import crc32

import numpy as np

from .alterations import EFFECT, EFFECT_OF, IS_DOUBLET, SUBSTITUTION_OF, SUBSTITUTIONS, TRUNCATING, WEIGHT_OF, of_effect
from .figures import MAX_BURDEN, Figures, chance_of_unlisted, figures_of, genes, recurrent

# Shares of non-silent variants in 6,625 TCGA exomes (Firehose calls). The rest are single bases within codons.
_KIND_SHARES = {"splice": 0.0428, "stop_lost": 0.001, "start_lost": 0.001, "doublet": 0.0028}
_INDEL_SHARES = {
    "frameshift_deletion": 0.641,
    "frameshift_insertion": 0.220,
    "inframe_deletion": 0.122,
    "inframe_insertion": 0.017,
}
_TRUNCATING_SHARES = {"nonsense": 0.386, "splice": 0.253, "frameshift_deletion": 0.269, "frameshift_insertion": 0.092}
_INFRAME_SHARE_OF_DRIVERS = 0.012

# The germline variants that remain in a cell line, which has no matched normal: about 80, mostly transitions, so that
# the median line has three times the variants of the median tumour (DepMap 25Q3: median 203 per line).
_GERMLINE_SPECTRUM = np.array([0.09, 0.10, 0.43, 0.05, 0.28, 0.05])
_GERMLINE_LOG10 = (1.9, 0.15)
_CULTURE_GROWTH = 1.5
_KNOWN_IN_POPULATION = 0.3
_COMMON_IN_POPULATION = 0.02


@dataclass(frozen=True)
class Draws:
    """Variants as parallel arrays: gene index, codon (1-based), alteration index, whether it is a recurrent change,
    allele frequency in the population (0 = never seen), reads covering it, reads carrying it."""

    gene: np.ndarray
    codon: np.ndarray
    alteration: np.ndarray
    recurrent: np.ndarray
    population: np.ndarray
    depth: np.ndarray
    alt_reads: np.ndarray

    def __len__(self) -> int:
        return len(self.gene)

    def take(self, chosen: np.ndarray | slice) -> Self:
        """The variants chosen by a mask, by indices or by a slice."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """All variants of ``parts``, in order."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


_MISSENSE_OR_NONSENSE = np.sort(np.concatenate([of_effect("missense"), of_effect("nonsense")]))
_SILENT, _MISSENSE = of_effect("silent"), of_effect("missense")
_DOUBLETS = np.flatnonzero(IS_DOUBLET & np.isin(EFFECT_OF, [EFFECT["missense"], EFFECT["nonsense"]]))
_FIXED_POOLS = {name: of_effect(name) for name in _INDEL_SHARES}


def _by_substitution(pool: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
    """Weights of a pool of single-base alterations such that missense and nonsense ones together have ``spectrum``."""
    kinds = SUBSTITUTION_OF[_MISSENSE_OR_NONSENSE]
    per_kind = np.bincount(kinds, WEIGHT_OF[_MISSENSE_OR_NONSENSE], len(SUBSTITUTIONS))
    return WEIGHT_OF[pool] * (spectrum / per_kind)[SUBSTITUTION_OF[pool]]


def _pick(rng: np.random.Generator, pool: np.ndarray, weights: np.ndarray, n: int) -> np.ndarray:
    cumulative = np.cumsum(weights)
    chosen = np.searchsorted(cumulative, rng.random(n) * cumulative[-1], side="right")
    return pool[np.minimum(chosen, len(pool) - 1)]


def _pick_one_of(rng: np.random.Generator, shares: dict[str, float]) -> str:
    return list(shares)[min(int(np.searchsorted(np.cumsum(list(shares.values())), rng.random())), len(shares) - 1)]


def _codons(rng: np.random.Generator, gene: np.ndarray, alteration: np.ndarray) -> np.ndarray:
    """A codon for each hit, uniform along the gene. A lost start is at codon 1, a lost stop after the last codon."""
    length = genes()[1][gene]
    codon = 2 + (rng.random(len(gene)) * (length - 2)).astype(np.int64)
    effect = EFFECT_OF[alteration]
    codon[effect == EFFECT["start_lost"]] = 1
    ends = effect == EFFECT["stop_lost"]
    codon[ends] = length[ends] + 1
    return codon


def chance_alterations(rng: np.random.Generator, spectrum: np.ndarray, indel_share: float, n: int) -> np.ndarray:
    """``n`` non-silent alterations that occur by chance: the genetic code under a spectrum, splice sites, indels."""
    names = [*_KIND_SHARES, *_INDEL_SHARES]
    shares = np.array([*_KIND_SHARES.values(), *(indel_share * share for share in _INDEL_SHARES.values())])
    kind = np.searchsorted(np.cumsum(shares), rng.random(n), side="right")
    drawn = np.empty(n, np.int64)
    pools = {**_FIXED_POOLS, "doublet": _DOUBLETS}
    for number in range(len(names) + 1):
        here = np.flatnonzero(kind == number)
        if len(here) == 0:
            continue
        name = names[number] if number < len(names) else ""
        if name in pools:
            drawn[here] = _pick(rng, pools[name], WEIGHT_OF[pools[name]], len(here))
        else:
            pool = of_effect(name) if name else _MISSENSE_OR_NONSENSE
            drawn[here] = _pick(rng, pool, _by_substitution(pool, spectrum), len(here))
    return drawn


def _selected_alteration(
    rng: np.random.Generator, gene: int, truncating: bool, spectrum: np.ndarray
) -> tuple[int | None, int, bool]:
    """(codon or None, alteration, whether recurrent) of one selected hit."""
    known = recurrent().get((gene, truncating))
    if known is not None:
        which = int(np.searchsorted(known.cumulative, rng.random(), side="right"))
        if which < len(known.codons):
            pool = known.alterations[which]
            weights = WEIGHT_OF[pool] if IS_DOUBLET[pool[0]] else _by_substitution(pool, spectrum)
            return known.codons[which], int(_pick(rng, pool, weights, 1)[0]), True
    if truncating:
        name = _pick_one_of(rng, _TRUNCATING_SHARES)
        pool = _FIXED_POOLS.get(name, of_effect(name))
    elif rng.random() < _INFRAME_SHARE_OF_DRIVERS:
        name, pool = "inframe_deletion", _FIXED_POOLS["inframe_deletion"]
    else:
        name, pool = "missense", _MISSENSE
    weights = WEIGHT_OF[pool] if name in _FIXED_POOLS else _by_substitution(pool, spectrum)
    return None, int(_pick(rng, pool, weights, 1)[0]), False


def _reads(rng: np.random.Generator, n: int, line: bool) -> tuple[np.ndarray, np.ndarray]:
    """Depth (log-normal, median 90) and variant reads: about a third of a tumour's reads, half of a line's."""
    depth = np.maximum(np.rint(rng.lognormal(4.5, 0.45, n)), 8).astype(np.int64)
    fraction = rng.beta(6, 6, n) if line else rng.beta(6, 12, n)
    return depth, np.minimum(np.maximum(rng.binomial(depth, fraction), 3), depth)


def _assembled(
    rng: np.random.Generator,
    gene: np.ndarray,
    codon: np.ndarray,
    alteration: np.ndarray,
    is_recurrent: np.ndarray,
    population: np.ndarray,
    line: bool,
) -> Draws:
    """The draws with reads added."""
    depth, alt_reads = _reads(rng, len(gene), line)
    return Draws(
        gene.astype(np.int64),
        codon,
        alteration.astype(np.int64),
        is_recurrent,
        population.astype(np.float64),
        depth,
        alt_reads,
    )


def _chance_hits(
    rng: np.random.Generator,
    cumulative: np.ndarray,
    alteration: np.ndarray,
    line: bool,
    population: np.ndarray | None = None,
) -> Draws:
    """A gene, by its cumulative weights, and a codon for each alteration."""
    n = len(alteration)
    gene = np.minimum(np.searchsorted(cumulative, rng.random(n) * cumulative[-1], side="right"), len(cumulative) - 1)
    population = np.zeros(n) if population is None else population
    return _assembled(rng, gene, _codons(rng, gene, alteration), alteration, np.zeros(n, bool), population, line)


def _population_frequencies(rng: np.random.Generator, n: int) -> np.ndarray:
    """As in gnomAD: most are never seen, some are seen once or twice, a few are common enough for a germline filter."""
    kind = rng.random(n)
    rare, common = 10 ** rng.uniform(-6.2, -5.0, n), 10 ** rng.uniform(-4.5, -2.5, n)
    return np.where(kind < _COMMON_IN_POPULATION, common, np.where(kind < _KNOWN_IN_POPULATION, rare, 0.0))


def _selected_hits(rng: np.random.Generator, figures: Figures, spectrum: np.ndarray, line: bool) -> Draws:
    hit = np.flatnonzero(rng.random(len(figures.driver)) < figures.driver)
    truncates = rng.random(len(hit)) < figures.truncating[hit]
    gene = figures.driver_genes[hit]
    drawn = [_selected_alteration(rng, int(g), bool(t), spectrum) for g, t in zip(gene, truncates, strict=True)]
    alteration = np.array([d[1] for d in drawn], np.int64)
    codon = _codons(rng, gene, alteration)
    known = np.array([d[2] for d in drawn], bool)
    codon[known] = [d[0] for d in drawn if d[2]]
    return _assembled(rng, gene, codon, alteration, known, np.zeros(len(hit)), line)


def _silent_hits(rng: np.random.Generator, spectrum: np.ndarray, single_bases: int) -> Draws:
    """Silent variants at the rate that the genetic code implies for ``single_bases`` other variants."""
    weights = _by_substitution(_SILENT, spectrum)
    n = rng.poisson(single_bases * weights.sum())
    return _chance_hits(rng, np.cumsum(genes()[1]), _pick(rng, _SILENT, weights, n), False)


def case_rng(seed: int, label: str, kind: str, number: int) -> np.random.Generator:
    """The case's own stream of random numbers, which does not depend on other labels or cases."""
    return np.random.default_rng([seed, crc32(label.encode()), crc32(kind.encode()), number])


def draw_case(
    rng: np.random.Generator, label: str, line: bool, *, burden: int | None = None, selected: bool = True
) -> Draws:
    """One case of ``label``: a tumour (with its silent variants) or a cell line (with rare germline variants).

    ``burden`` fixes the number of non-silent variants. With ``selected=False`` no gene that is listed for any label
    is hit.
    """
    figures = figures_of(label)
    spectrum = np.maximum(rng.dirichlet(figures.concentration * figures.spectrum), 1e-6)
    drawn = np.clip(np.rint(10 ** rng.normal(*figures.log10_burden) - 1), 0, MAX_BURDEN)
    indels = rng.beta(figures.concentration * figures.indel_share, figures.concentration * (1 - figures.indel_share))
    total = int(drawn if burden is None else burden)
    if line:
        total = round(total * _CULTURE_GROWTH)
    hits = _selected_hits(rng, figures, spectrum, line)
    if not selected:
        hits = hits.take(np.zeros(len(hits), bool))
    by_chance = chance_alterations(rng, spectrum, indels, max(total - len(hits), 0))
    parts = [hits, _chance_hits(rng, figures.chance if selected else chance_of_unlisted(), by_chance, line)]
    if line:
        n = round(10 ** rng.normal(*_GERMLINE_LOG10))
        germline = chance_alterations(rng, _GERMLINE_SPECTRUM, 0.05, n)
        parts.append(_chance_hits(rng, np.cumsum(genes()[1]), germline, line, _population_frequencies(rng, n)))
    else:
        parts.append(_silent_hits(rng, spectrum, int((SUBSTITUTION_OF[by_chance] >= 0).sum())))
    return Draws.joined(parts)


def is_silent(draws: Draws) -> np.ndarray:
    """Mask of the silent variants."""
    return EFFECT_OF[draws.alteration] == EFFECT["silent"]


def is_truncating(draws: Draws) -> np.ndarray:
    """Mask of nonsense, frameshift, splice-site and start-lost variants."""
    return np.isin(EFFECT_OF[draws.alteration], TRUNCATING)
