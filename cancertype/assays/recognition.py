"""Which assay samples were seen through, as far as their files show it, with the reason and whether it is certain."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pyarrow as pa

from ..package_data import rows
from ..sources import table
from ..tables.columns import codes
from ..variants.cases import NOTHING, SourceTables
from ..variants.genes import current_symbol
from .assay import EXOME, LIST, Assay, codons_of_genes, get, known, of_genes, panels

OVERRULE = "--assay overrules this"
"""What every uncertain reason ends with."""

_STRAY = 0.002
"""The share of mutations outside a panel's genes that is put down to other spellings of symbols."""

_CERTAIN = 0.99
_FEWEST_MUTATIONS = 5
"""With fewer mutations no assay is certain, whatever their genes."""

_SAME = 0.98
_MUCH_THE_SAME = 0.9
"""Shared genes over all genes of two panels: from here on they are one panel, and it matters little which it is."""

_FEW_OF_EXPECTED = 0.5
"""A panel (or an exome) that would show more than twice as many genes with as many mutations is not the assay."""

_WHOLE_LIST = 0.99
"""The share of the next mutations that would be in genes seen before, above which the seen genes are the panel."""


@dataclass(frozen=True)
class Recognised:
    """An assay, the ``reason`` in words, and whether it is ``certain``."""

    assay: Assay
    reason: str
    certain: bool


@dataclass(frozen=True)
class Resolved:
    """``tables`` whose cases' column ``panel`` names assays (null for an exome) with their genes in ``panels``. Cases
    whose mutations were not looked at keep the panel ``NOTHING``, whose gene list is empty.

    ``recognised`` has what was found by that name (None for an exome), and ``of_cases`` by case: two panels of a source
    may turn out to be one assay for different reasons."""

    tables: SourceTables
    recognised: dict[str | None, Recognised]
    of_cases: dict[str, Recognised]


def typed() -> Recognised:
    """Mutations that somebody typed are a list."""
    return Recognised(get(LIST), "typed mutations are somebody's selection", True)


def not_looked_at() -> Recognised:
    """Without mutations, none were looked for."""
    return Recognised(of_genes(NOTHING, (), "No mutations"), "no mutations are given: they were not looked at", True)


def stated(name: str, genes: Sequence[str] | None = None) -> Recognised | None:
    """The assay that a file names (GENIE's SEQ_ASSAY_ID, a column of panels, cBioPortal's gene-panel matrix), with the
    ``genes`` that it lists for it. None for a name that is not known and comes without genes."""
    assay = known(name)
    if genes:
        own = of_genes(name, genes, title=assay.title if assay else "", source="the file")
        if assay and assay.genes and _shared(own.genes, assay.genes) >= _SAME:
            return Recognised(assay, f"the file names {name}, with the genes of {assay.name}", True)
        return Recognised(own, f"the file names {name} and lists its {len(own.genes)} genes", True)
    return Recognised(assay, f"the file names {name}", True) if assay else None


def of_columns(name: str, genes: Sequence[str], all_columns: bool = True) -> Recognised:
    """The assay of a table with one column per gene: a named panel where the columns are its genes, else the columns
    themselves under ``name``. Without ``all_columns``, ``genes`` are those of the columns that were sequenced."""
    own = of_genes(name, genes, source="the table's columns")
    what = f"the table's {len(genes)} gene columns" if all_columns else f"the {len(genes)} genes that were sequenced"
    for assay in panels().values():
        if _shared(own.genes, assay.genes) >= _SAME:
            return Recognised(assay, f"{what} are the genes of {assay.name}", True)
    if not all_columns:
        return Recognised(own, f"the table says that {len(genes)} genes were sequenced, and nothing else", True)
    return Recognised(own, f"the table has {len(genes)} gene columns: nothing else was looked at", True)


def of_mutations(counts: Mapping[str, int], name: str = "panel") -> Recognised:
    """The assay that shows mutations in these genes: ``counts`` maps genes to their mutations, of all samples.

    Each named panel is compared with a whole exome. Mutations fall on genes as they do on average over the 26 cancers
    (published gene frequencies, and the length of all other genes); a panel shows those in its genes and nothing
    else, but for 2 in 1,000 under a foreign symbol. The most likely assay is certain where it is at least 99 times as
    likely as all others together, panels that share nine tenths of their genes with it aside. Where neither an exome
    nor a named panel fits, because far fewer genes are seen than it would show, the genes that are seen are the panel
    (called ``name``); this is certain once 99% of further mutations would be in them (Good 1953).
    """
    n = sum(counts.values())
    if not n:
        return Recognised(get(EXOME), f"no mutation is given: a whole exome is assumed; {OVERRULE}", False)
    likelihood = _log_likelihoods(counts)
    names = sorted(likelihood, key=likelihood.get, reverse=True)
    best = get(names[0])
    if n >= _FEWEST_MUTATIONS and len(counts) < _FEW_OF_EXPECTED * _expected_genes(best, n):
        return _of_seen_genes(counts, best, name)
    weights = {each: math.exp(likelihood[each] - likelihood[best.name]) for each in names}
    alike = {each for each in names if _alike(best, get(each))}
    share = sum(weights[each] for each in alike) / sum(weights.values())
    certain = share >= _CERTAIN and n >= _FEWEST_MUTATIONS
    reason = _fit(counts, best, likelihood)
    others = [each for each in names[1:] if weights[each] >= 0.05][:3]
    if others:
        reason += f"; {_listed(others)} would fit too"
    return Recognised(best, reason if certain else f"{reason}; {OVERRULE}", certain)


def resolved(tables: SourceTables, is_text: bool = False) -> Resolved:
    """Recognise the assay of every case of a reader's tables.

    Cases of free text (``is_text``) are lists, and the columns of a wide table are its panel. Cases with a panel get
    the assay that it names; panels that are neither known nor listed, and all cases without a panel together, get what
    their mutated genes show.
    """
    own = tables.cases["panel"].to_pylist()
    own_names = dict.fromkeys(own)
    found = {each: typed() if is_text and each != NOTHING else _of_panel(each, tables, own) for each in own_names}
    called = {each: None if got.assay.name == EXOME else got.assay.name for each, got in found.items()}
    at = tables.cases.schema.get_field_index("panel")
    column = pa.array([called[each] for each in own], pa.string())
    cases = tables.cases.set_column(at, tables.cases.schema.field("panel"), column)
    genes = {got.assay.name: list(got.assay.genes) for got in found.values() if got.assay.genes is not None}
    of_cases = {case: found[each] for case, each in zip(tables.cases["case_id"].to_pylist(), own, strict=True)}
    by_name = {called[each]: got for each, got in found.items()}
    return Resolved(replace(tables, cases=cases, panels=genes), by_name, of_cases)


def _of_panel(panel: str | None, tables: SourceTables, own: Sequence[str | None]) -> Recognised:
    if panel == NOTHING:
        return not_looked_at()
    listed = tables.panels.get(panel) if panel else None
    if panel == table.PANEL and listed:
        return of_columns(panel, listed)
    if panel and listed and panel.startswith(f"{table.PANEL} "):
        return of_columns(panel, listed, all_columns=False)
    if panel and (got := stated(panel, listed)):
        return got
    cases = {case for case, each in zip(tables.cases["case_id"].to_pylist(), own, strict=True) if each == panel}
    got = of_mutations(mutations_per_gene(tables.variants, cases), panel or "panel")
    if panel:
        reason = f"the file names {panel}, which is not known here; {got.reason}"
        return Recognised(got.assay, reason, False)
    return got


def mutations_per_gene(variants: pa.Table, cases: Iterable[str]) -> dict[str, int]:
    """Gene to the number of variants in it, of the given cases."""
    case, case_names = codes(variants["case_id"])
    gene, genes = codes(variants["gene"])
    wanted = set(cases)
    of_cases = np.array([each in wanted for each in case_names] or [False], bool)[case]
    counts = np.bincount(gene[of_cases], minlength=len(genes))
    return {name: n for name, n in zip(genes, counts.tolist(), strict=True) if n}


# --- How likely mutations fall on genes ---


@cache
def mutation_shares() -> dict[str, float]:
    """Gene to its share of the non-silent mutations of a tumour, averaged over the 26 cancers; the shares sum to 1.

    A gene that is listed for a cancer has its published frequency (``simulator/gene_frequency.csv``), and the other
    mutations of the cancer's mean burden fall on the other genes by coding length.
    """
    lengths = codons_of_genes()
    listed: dict[str, dict[str, float]] = {}
    for row in rows("simulator", "gene_frequency.csv"):
        listed.setdefault(row["label"], {})[current_symbol(row["gene"])] = float(row["percent"]) / 100
    names, length = list(lengths), np.array(list(lengths.values()), float)
    total = np.zeros(len(names))
    burdens = rows("simulator", "burden_and_spectrum.csv")
    for row in burdens:
        frequency = listed.get(row["label"], {})
        rate = np.array([frequency.get(name, 0.0) for name in names])
        by_length = np.where(rate > 0, 0.0, length)
        rest = max(10 ** float(row["log10_burden_mean"]) - rate.sum(), 0.0)
        rate = rate + rest * by_length / by_length.sum()
        total += rate / rate.sum()
    return dict(zip(names, (total / len(burdens)).tolist(), strict=True))


def _log_likelihoods(counts: Mapping[str, int]) -> dict[str, float]:
    """Of each named panel, the log of how likely it shows these genes; relative to an exome, whose value is 0."""
    shares, n = mutation_shares(), sum(counts.values())
    found = {EXOME: 0.0}
    for assay in panels().values():
        inside = sum(number for gene, number in counts.items() if gene in _held(assay.name))
        share = max(sum(shares.get(gene, 0.0) for gene in assay.genes), 1e-9)
        found[assay.name] = inside * math.log((1 - _STRAY) / share) + (n - inside) * math.log(_STRAY)
    return found


@cache
def _held(name: str) -> frozenset[str]:
    return frozenset(get(name).genes)


def _expected_genes(assay: Assay, n: int) -> float:
    """How many different genes ``n`` mutations are expected in."""
    shares = mutation_shares()
    genes = list(shares) if assay.covers_all_genes else assay.genes
    share = np.array([shares.get(gene, 0.0) for gene in genes])
    return float((1 - np.exp(n * np.log1p(-share / share.sum()))).sum())


def _alike(one: Assay, other: Assay) -> bool:
    if one.genes is None or other.genes is None:
        return one.name == other.name
    return _shared(one.genes, other.genes) >= _MUCH_THE_SAME


def _shared(one: Sequence[str], other: Sequence[str]) -> float:
    """Shared genes over all genes of the two (Jaccard)."""
    return len(set(one) & set(other)) / max(len({*one, *other}), 1)


# --- In words ---


def _of_seen_genes(counts: Mapping[str, int], nearest: Assay, name: str) -> Recognised:
    n, once = sum(counts.values()), sum(number == 1 for number in counts.values())
    assay = of_genes(name, sorted(counts), source="the genes with a mutation")
    expected = _expected_genes(nearest, n)
    what = "a whole exome" if nearest.covers_all_genes else nearest.name
    reason = (
        f"{n:,} mutations are in {len(counts):,} different genes, where {what} would show about {expected:,.0f}: these "
        "genes are taken for the panel"
    )
    certain = 1 - once / n >= _WHOLE_LIST
    return Recognised(assay, reason if certain else f"{reason}, which may hold more; {OVERRULE}", certain)


def _fit(counts: Mapping[str, int], best: Assay, likelihood: Mapping[str, float]) -> str:
    n = sum(counts.values())
    if best.covers_all_genes:
        nearest = max(panels(), key=lambda name: likelihood[name])
        outside = sum(number for gene, number in counts.items() if gene not in _held(nearest))
        return f"{outside:,} of {n:,} mutations are in none of the genes of {nearest}, the panel that fits best"
    inside = sum(number for gene, number in counts.items() if gene in _held(best.name))
    chance = -likelihood[best.name] / math.log(10)
    odds = "less than once in 10^12 times" if chance < -12 else f"once in {10**-chance:,.0f} times"
    return (
        f"{inside:,} of {n:,} mutations are in the {len(best.genes)} genes of {best.name}: an exome shows that {odds}"
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
