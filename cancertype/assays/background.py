"""Variants that a tumour's pipeline reports although the tumour did not acquire them: rare inherited ones, and those of
clonal blood cells. Pipelines without a matched normal sample report both."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from ..package_data import rows
from ..simulator.alterations import (
    ALTERATIONS,
    SUBSTITUTION_OF,
    SUBSTITUTIONS,
    WEIGHT_OF,
    Alteration,
    for_protein_change,
    of_effect,
)
from ..tables.columns import coded
from ..variants.schema import SCHEMA
from .assay import codons_of_genes

_SPECTRUM = np.array([0.09, 0.10, 0.43, 0.05, 0.28, 0.05])
"""Substitution classes of rare inherited variants, as the simulator draws them for cell lines: mostly transitions."""

_EFFECTS = {
    "missense": 0.94,
    "nonsense": 0.015,
    "splice": 0.01,
    "frameshift_deletion": 0.014,
    "frameshift_insertion": 0.006,
    "inframe_deletion": 0.010,
    "inframe_insertion": 0.005,
}
"""Shares among rare inherited non-silent variants: selection keeps truncating ones rare (Karczewski et al. 2020)."""

_TRUNCATING = {"nonsense": 0.45, "frameshift_deletion": 0.30, "frameshift_insertion": 0.15, "splice": 0.10}
"""Shares among the truncating variants of clonal haematopoiesis (Bolton et al. 2020)."""


@dataclass(frozen=True)
class Drawn:
    """Variants as parallel arrays: the row of the case, the gene (object array of symbols), the codon, and the index
    into ``simulator.alterations.ALTERATIONS``."""

    case: np.ndarray
    gene: np.ndarray
    codon: np.ndarray
    alteration: np.ndarray


def germline(rng: np.random.Generator, numbers: np.ndarray, genes: Sequence[str]) -> Drawn:
    """Rare inherited variants: ``numbers[i]`` of them for the case in row ``i``, in ``genes`` by coding length.

    Genes of unknown length get none."""
    lengths = codons_of_genes()
    known = np.array([gene for gene in genes if lengths.get(gene, 0) > 1], object)
    length = np.array([lengths[gene] for gene in known], np.int64)
    case = np.repeat(np.arange(len(numbers)), numbers if len(known) else 0)
    gene = np.searchsorted(np.cumsum(length), rng.random(len(case)) * length.sum(), side="right")
    codon = 2 + (rng.random(len(case)) * (length[gene] - 1)).astype(np.int64)
    return Drawn(case, known[gene], codon, _alterations(rng, _EFFECTS, len(case)))


def clonal_haematopoiesis(rng: np.random.Generator, carriers: np.ndarray, genes: frozenset[str]) -> Drawn:
    """One variant of clonal blood cells for each case of ``carriers`` (rows), by how common each is.

    ``genes`` are those that the assay covers: a carrier whose variant is elsewhere gets none. Shares:
    ``clonal_haematopoiesis.csv``, rounded from Bolton et al. 2020 (Nat Genet 52:1219).
    """
    forms = _forms()
    shares = np.cumsum([form.share for form in forms])
    picked = np.searchsorted(shares, rng.random(len(carriers)) * shares[-1], side="right")
    codon, alteration = np.zeros(len(carriers), np.int64), np.zeros(len(carriers), np.int64)
    for number, form in enumerate(forms):
        here = np.flatnonzero(picked == number)
        codon[here] = form.codon or 2 + (rng.random(len(here)) * (codons_of_genes()[form.gene] - 1)).astype(np.int64)
        alteration[here] = _alterations(rng, form.effects, len(here)) if form.effects else form.alteration
    gene = np.array([form.gene for form in forms], object)[picked]
    seen = np.array([name in genes for name in gene], bool)
    return Drawn(carriers[seen], gene[seen], codon[seen], alteration[seen])


@dataclass(frozen=True)
class _Form:
    """A way in which clonal haematopoiesis shows: a given protein change, or effects anywhere in the gene."""

    gene: str
    share: float
    codon: int
    alteration: int
    effects: dict[str, float]


@cache
def _forms() -> tuple[_Form, ...]:
    effects = {"missense": {"missense": 1.0}, "truncating": _TRUNCATING}
    forms = []
    for row in rows("assays", "clonal_haematopoiesis.csv"):
        gene, change, share = row["gene"], row["change"], float(row["share"])
        if change in effects:
            forms.append(_Form(gene, share, 0, -1, effects[change]))
        else:
            alteration = int(for_protein_change(change[0], change[-1])[0])
            forms.append(_Form(gene, share, int(change[1:-1]), alteration, {}))
    return tuple(forms)


def _alterations(rng: np.random.Generator, effects: dict[str, float], n: int) -> np.ndarray:
    """``n`` alterations with the given shares of effects, single bases after the spectrum of inherited variants."""
    names, shares = list(effects), np.cumsum(list(effects.values()))
    effect = np.searchsorted(shares, rng.random(n) * shares[-1], side="right")
    drawn = np.empty(n, np.int64)
    for number, name in enumerate(names):
        here = np.flatnonzero(effect == number)
        pool, cumulative = _pool(name)
        drawn[here] = pool[np.searchsorted(cumulative, rng.random(len(here)) * cumulative[-1], side="right")]
    return drawn


@cache
def _pool(effect: str) -> tuple[np.ndarray, np.ndarray]:
    """The alterations of an effect and their cumulative weights."""
    pool = of_effect(effect)
    weights = WEIGHT_OF[pool].copy()
    single = SUBSTITUTION_OF[pool]
    if effect in ("missense", "nonsense"):
        per_class = np.bincount(single, weights, len(SUBSTITUTIONS))
        weights *= (_SPECTRUM / np.maximum(per_class, 1e-12))[single]
    return pool, np.cumsum(weights)


def table(parts: Sequence[Drawn], case_ids: Sequence[str]) -> pa.Table:
    """The variants as a table of ``SCHEMA``, written as ``canonical.table`` writes them, without contexts."""
    case, codon, alteration, gene = (
        np.concatenate([np.zeros(0, kind), *(getattr(part, name) for part in parts)])
        for name, kind in (("case", np.int64), ("codon", np.int64), ("alteration", np.int64), ("gene", object))
    )
    changes = [_written(ALTERATIONS[i], at) for i, at in zip(alteration.tolist(), codon.tolist(), strict=True)]
    arrays = [
        coded(list(case_ids), case),
        coded(gene.tolist(), np.arange(len(gene))),
        coded(changes, np.arange(len(gene))),
        pa.array(codon, pa.int32()),
        coded([_consequence(form.effect) for form in ALTERATIONS], alteration),
        coded([SUBSTITUTIONS[i] if i >= 0 else None for i in SUBSTITUTION_OF], alteration),
        coded([_event(form.effect) for form in ALTERATIONS], alteration),
        coded([], np.full(len(gene), -1)),
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _written(form: Alteration, codon: int) -> str:
    if form.effect.startswith("frameshift"):
        return f"{form.before}{codon}fs"
    if form.effect == "splice":
        return f"X{codon}_splice"
    end = f"{form.infix}{codon + form.span}" if form.infix else ""
    return f"{form.before}{codon}{end}{form.after}"


def _consequence(effect: str) -> str:
    """``frameshift_deletion`` is a frameshift."""
    return effect.partition("_")[0] if effect.endswith(("deletion", "insertion")) else effect


def _event(effect: str) -> str:
    return effect.partition("_")[2] if effect.endswith(("deletion", "insertion")) else "snv"
