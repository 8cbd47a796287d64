"""What training cases are like in burden, insertions and deletions, and genes, and which samples are unlike them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..features import case_rows, view_files
from ..features.groups import WITH_ARMS
from .prediction_config import KnownShare, Range

RARE = 0.001
"""Share of training cases that may be beyond a limit: a few outliers do not widen the range."""

FEWEST_MUTATIONS = (20, 100, 500)
"""Shares are compared among samples with at least so many mutations: one of two mutations says nothing. That of known
genes varies less the more mutations it is of, so that it has a limit for each number."""

FEWEST_CASES = 30
"""With fewer training cases their greatest value is no limit."""

_UNUSUAL_ODDS, _FAR_ODDS = 2.0, 4.0
"""How many times the odds of a share may be those of its limit."""

_UNUSUAL_BURDEN, _FAR_BURDEN = 3.0, 10.0
"""How many times the burden may be its limit: tumours with a defective POLE differ by this much among one another."""


@dataclass(frozen=True)
class Unlike:
    """How a sample differs from the training cases: a ``remark`` in words, and, where it is so far from them that no
    answer holds, the ``reason`` to give none."""

    remark: str
    reason: str | None


@dataclass(frozen=True)
class _Finding:
    """A fact about a sample, the limit that it is beyond, both in words, and whether it is far beyond."""

    fact: str
    limit: str
    far: bool


@dataclass(frozen=True)
class _Measures:
    """``burden`` (n,), ``indels`` (n,), the share of the mutations, NaN where no DNA alleles are known, and ``known``
    (n,), the share of those that the vocabulary has. Shares of no mutations are NaN."""

    burden: np.ndarray
    indels: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, cases: pa.Table, informative: pa.Table) -> "_Measures":
        rows = case_rows(cases, informative)
        burden = cases["burden"].to_numpy().astype(float)
        some = np.where(burden > 0, burden, np.nan)
        alleles = np.array(cases["alleles_known"].to_pylist(), bool)
        indels = (cases["insertions"].to_numpy() + cases["deletions"].to_numpy()) / some
        known = np.bincount(rows[rows >= 0], minlength=cases.num_rows) / some
        return cls(burden, np.where(alleles, indels, np.nan), known)

    def take(self, kept: np.ndarray) -> "_Measures":
        return _Measures(self.burden[kept], self.indels[kept], self.known[kept])


def read(folder: Path) -> dict[str, Range]:
    """``fit`` on the training views that featurize wrote into ``folder``."""
    views = view_files.read(folder, view_files.TRAINING, "copy")
    return fit([(cases, informative) for _, cases, informative in views])


def fit(views: Sequence[tuple[pa.Table, pa.Table]]) -> dict[str, Range]:
    """Kind of assay to the range of the training cases.

    ``views``: the cases (``described``, with the column ``group``) and their ``informative_variants`` in each view. A
    kind whose numbers of mutations mean nothing (lists), or of fewer than ``FEWEST_CASES``, has no range."""
    each, kinds, counted = [], [], []
    for cases, informative in views:
        each.append(_Measures.of(cases, informative))
        kinds += [_kind_of(group) for group in cases["group"].to_pylist()]
        counted += cases["counts_known"].to_pylist()
    if not each:
        return {}
    measures = _Measures(
        *(np.concatenate([getattr(one, name) for one in each]) for name in ("burden", "indels", "known"))
    )
    of_case, usable = np.array(kinds, object), np.array(counted, bool)
    # One limit for every assay, because a panel shows the indels of the same tumours, but seldom enough of them.
    indels = _greatest_share_of_indels(measures.take(usable))
    found = {}
    for kind in sorted(set(kinds)):
        here = (of_case == kind) & usable
        if here.sum() >= FEWEST_CASES:
            found[kind] = _range(measures.take(here), indels)
    return found


def _kind_of(group: str) -> str:
    """``panel`` of ``panel with copy number``: copy number changes no mutation."""
    return group.removesuffix(WITH_ARMS)


def _greatest_share_of_indels(measures: _Measures) -> float | None:
    shares = measures.indels[(measures.burden >= FEWEST_MUTATIONS[0]) & ~np.isnan(measures.indels)]
    return float(np.quantile(shares, 1.0 - RARE)) if len(shares) >= FEWEST_CASES else None


def _range(measures: _Measures, indels: float | None) -> Range:
    known = []
    for fewest in FEWEST_MUTATIONS:
        shares = measures.known[measures.burden >= fewest]
        if len(shares) >= FEWEST_CASES:
            known.append(KnownShare(mutations=fewest, least=float(np.quantile(shares, RARE))))
    return Range(
        cases=len(measures.burden),
        burden=int(np.ceil(np.quantile(measures.burden, 1.0 - RARE))),
        indels=indels,
        known=known,
    )


def unlike(
    cases: pa.Table, informative: pa.Table, groups: Sequence[str], ranges: Mapping[str, Range]
) -> list[Unlike | None]:
    """How each of ``cases`` (``described``) differs from the training cases; None where it is like them, or where
    nothing is known of them.

    ``groups`` (n,): each case's group of assays. Few mutations are never unusual: they only tell little."""
    measures = _Measures.of(cases, informative)
    out: list[Unlike | None] = []
    for i, group in enumerate(groups):
        own = ranges.get(_kind_of(group))
        found = [] if own is None else _findings(own, measures, i)
        out.append(_in_words(found, _kind_of(group)) if found else None)
    return out


def _findings(own: Range, measures: _Measures, i: int) -> list[_Finding]:
    burden, indels, known = measures.burden[i], measures.indels[i], measures.known[i]
    found = []
    if burden >= FEWEST_MUTATIONS[-1] and burden > _UNUSUAL_BURDEN * own.burden:
        fact, limit = f"it has {burden:,.0f} mutations", f"has more than {own.burden:,}"
        found.append(_Finding(fact, limit, burden > _FAR_BURDEN * own.burden))
    if burden < FEWEST_MUTATIONS[0]:
        return found
    # A sample without alleles has an unknown share, NaN, which is beyond no limit.
    times = np.nan if own.indels is None else _odds(_less_sure(indels, burden)) / _odds(own.indels)
    if times > _UNUSUAL_ODDS:
        fact = f"{_percent(indels)} of its mutations are insertions or deletions"
        limit = f"with at least {FEWEST_MUTATIONS[0]} mutations has more than {_percent(own.indels)}"
        found.append(_Finding(fact, limit, times > _FAR_ODDS))
    if limits := [limit for limit in own.known if burden >= limit.mutations]:
        most = limits[-1]
        times = _odds(most.least) / _odds(_less_sure(known, burden))
        if times > _UNUSUAL_ODDS:
            fact = f"only {_percent(known)} of its mutations are in genes that the model knows"
            limit = f"with at least {most.mutations} mutations has less than {_percent(most.least)}"
            found.append(_Finding(fact, limit, times > _FAR_ODDS))
    return found


def _less_sure(share: float, n: float) -> float:
    """``share`` of ``n`` mutations with half a mutation more on either side, so that chance is not taken for a fact."""
    return (share * n + 0.5) / (n + 1.0)


def _odds(share: float) -> float:
    """Odds of ``share``, which is kept from 0 and 1 by as much as the quantiles leave open."""
    kept = float(np.clip(share, RARE, 1.0 - RARE))
    return kept / (1.0 - kept)


def _in_words(found: Sequence[_Finding], kind: str) -> Unlike:
    far = [finding.fact for finding in found if finding.far]
    seen = "" if kind == "exome" else f" seen through a {kind}"
    said = "; ".join(f"{each.fact}, where hardly any training case{seen} {each.limit}" for each in found)
    of = "anything" if far else "nearly anything"
    return Unlike(
        f"unlike {of} that the model was trained on: {said}", f"unlike any of the 26: {'; '.join(far)}" if far else None
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%" if share >= 0.01 or share == 0 else f"{100 * share:.1f}%"
