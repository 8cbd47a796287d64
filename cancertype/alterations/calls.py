"""One rule that turns segments and gene matrices into calls of chromosome arms and genes.

An arm is gained where at least 80% of it is gained, lost where at least 80% of it is lost, and neither where at most
20% of it is altered. Between these shares there is no call (Taylor et al. 2018, doi:10.1016/j.ccell.2018.03.007). All
limits are in ``settings.CopyNumberLimits``.

The arithmetic is our own: cnsistent 1.1.1 averages copy numbers over an arm but does not measure which share of it is
altered, and it works chromosome by chromosome in Python; CNVkit 0.9.14 has no arm calls and needs pysam, R and
matplotlib.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from . import genome
from .schema import ARMS
from .settings import CopyNumberLimits

NOT_MEASURED = np.int8(-128)
"""A gene's call where the file has no value, in arrays of int8."""

LOG2, COPIES = "log2", "copies"
_AUTOSOMES_LENGTH = 2_875_001_522
"""Bases of the autosomes of hg38. Those of hg19 are 0.2% more."""


@dataclass(frozen=True)
class Segments:
    """Segments of the autosomes of some samples, one array entry each (shape (segments,)).

    ``sample``: index into ``samples``. ``chromosome``: 1 to 22. ``start``, ``end``: bases, counted from 0 and 1.
    ``value``: log2 ratios or absolute copies, as ``unit`` (``LOG2`` or ``COPIES``) says. ``centre``: the value of an
    unaltered segment of each sample, which is its ploidy where the unit is copies; ``purity``: of each sample. Both are
    NaN where unknown (shape (samples,)).
    """

    samples: tuple[str, ...]
    sample: np.ndarray
    chromosome: np.ndarray
    start: np.ndarray
    end: np.ndarray
    value: np.ndarray
    unit: str
    centre: np.ndarray
    purity: np.ndarray

    @property
    def length(self) -> np.ndarray:
        """The length of each segment in bases."""
        return self.end - self.start


def rounded(values: np.ndarray) -> np.ndarray:
    """To the nearest whole number, halves upwards."""
    return np.floor(values + 0.5)


def sample_medians(segments: Segments) -> np.ndarray:
    """The median value of each sample, weighted by the segments' lengths (shape (samples,)); NaN without segments."""
    order = np.lexsort((segments.value, segments.sample))
    sample, value, weight = segments.sample[order], segments.value[order], segments.length[order]
    medians = np.full(len(segments.samples), np.nan)
    bounds = np.searchsorted(sample, np.arange(len(segments.samples) + 1))
    for i, (first, last) in enumerate(pairwise(bounds)):
        if last > first:
            total = np.cumsum(weight[first:last])
            medians[i] = value[first + np.searchsorted(total, total[-1] / 2)]
    return medians


def _means(segments: Segments) -> np.ndarray:
    """The mean value of each sample, weighted by the segments' lengths; NaN without segments."""
    n = len(segments.samples)
    weight = np.bincount(segments.sample, segments.length, n)
    total = np.bincount(segments.sample, segments.length * segments.value, n)
    return np.divide(total, weight, out=np.full(n, np.nan), where=weight > 0)


def centres(segments: Segments, limits: CopyNumberLimits) -> np.ndarray:
    """The value of an unaltered segment of each sample (shape (samples,)): the stated one; else the median of its log2
    ratios, or its ploidy as the mean of its copies, both by length.

    Some files list altered segments only. Where the segments cover too little of the autosomes to show what is
    unaltered, 0 (log2) or 2 (copies) stands for it."""
    estimated, fixed = (sample_medians(segments), 0.0) if segments.unit == LOG2 else (_means(segments), 2.0)
    covered = np.bincount(segments.sample, segments.length, len(segments.samples))
    estimated = np.where(covered < limits.covered_share * _AUTOSOMES_LENGTH, fixed, estimated)
    return np.where(np.isnan(segments.centre), estimated, segments.centre)


def departures(segments: Segments, limits: CopyNumberLimits) -> np.ndarray:
    """How far each segment is from its sample's centre: log2 from the median, or whole copies from the ploidy."""
    centre = centres(segments, limits)
    if segments.unit == LOG2:
        # Rounded, so that a ratio exactly at a limit does not miss it by the last binary digit of a difference.
        return np.round(segments.value - centre[segments.sample], 9)
    return rounded(segments.value) - rounded(centre)[segments.sample]


def levels(segments: Segments, limits: CopyNumberLimits) -> np.ndarray:
    """Each segment as GISTIC writes a gene (int8, shape (segments,)): -2 deleted, -1 lost, 0, 1 gained, 2
    amplified."""
    departure = departures(segments, limits)
    if segments.unit == LOG2:
        deleted = departure <= limits.deleted_log2
        lost, gained = departure <= limits.lost_log2, departure >= limits.gained_log2
        amplified = departure >= limits.amplified_log2
    else:
        lost, gained = departure < 0, departure > 0
        deleted = lost & (rounded(segments.value) <= 0)
        amplified = departure >= limits.amplified_copies
    return (gained.astype(np.int8) + amplified - lost - deleted).astype(np.int8)


def is_flat(segments: Segments, level: np.ndarray, limits: CopyNumberLimits) -> np.ndarray:
    """Which samples show no copy-number change at all (bool, shape (samples,)).

    Neighbouring segments beyond the limit on the same side count as one stretch, because some tools write many short
    segments. An amplified or deleted segment shows tumour DNA however short it is.
    """
    departure = departures(segments, limits)
    limit = limits.flat_log2 if segments.unit == LOG2 else 0.5
    side = (departure > limit).astype(np.int8) - (departure < -limit)
    order = np.lexsort((segments.start, segments.chromosome, segments.sample))
    key = np.stack([segments.sample[order], segments.chromosome[order], side[order]])
    stretch = np.cumsum(np.any(np.diff(key, axis=1, prepend=-9) != 0, axis=0)) - 1
    length = np.bincount(stretch, segments.length[order]) if len(order) else np.zeros(0)
    long = (length[stretch] >= limits.flat_length) & (side[order] != 0)
    altered = np.zeros(len(segments.samples), bool)
    altered[segments.sample[order][long]] = True
    altered[segments.sample[np.abs(level) == 2]] = True
    return ~altered


def arms_of_segments(
    segments: Segments, level: np.ndarray, build: str, limits: CopyNumberLimits
) -> tuple[np.ndarray, np.ndarray]:
    """Calls of ``ARMS`` (float, shape (samples, 39), NaN for no call), and which of them were looked at (bool)."""
    shape = (len(segments.samples), len(ARMS))
    covered, gained, lost, size = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(len(ARMS))
    for place, arm in enumerate(ARMS):
        chromosome, start, end = genome.arm_bounds(build)[arm]
        size[place] = end - start
        here = np.flatnonzero(segments.chromosome == int(chromosome))
        overlap = np.clip(np.minimum(segments.end[here], end) - np.maximum(segments.start[here], start), 0, None)
        sample, n = segments.sample[here], shape[0]
        covered[:, place] = np.bincount(sample, overlap, n)
        gained[:, place] = np.bincount(sample, overlap * (level[here] > 0), n)
        lost[:, place] = np.bincount(sample, overlap * (level[here] < 0), n)
    looked_at = (covered > 0) & (covered >= limits.covered_share * size)
    return _arm_calls(gained, lost, covered, limits), looked_at


def arms_of_genes(calls: np.ndarray, arms: list[str | None], limits: CopyNumberLimits) -> tuple[np.ndarray, np.ndarray]:
    """The same from a gene matrix: ``calls`` (int8, shape (samples, genes)) and the arm of each of its genes."""
    shape = (len(calls), len(ARMS))
    measured, gained, lost = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for place, arm in enumerate(ARMS):
        part = calls[:, [column for column, name in enumerate(arms) if name == arm]]
        known = part != NOT_MEASURED
        measured[:, place] = known.sum(axis=1)
        gained[:, place] = (known & (part > 0)).sum(axis=1)
        lost[:, place] = (known & (part < 0)).sum(axis=1)
    return _arm_calls(gained, lost, measured, limits), measured >= limits.genes_per_arm


def _arm_calls(gained: np.ndarray, lost: np.ndarray, whole: np.ndarray, limits: CopyNumberLimits) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        gained, lost = gained / whole, lost / whole
    calls = np.full(gained.shape, np.nan)
    calls[gained + lost <= limits.unaltered_share] = 0
    calls[gained >= limits.altered_share] = 1
    calls[lost >= limits.altered_share] = -1
    return calls


def genes_of_segments(
    segments: Segments, level: np.ndarray, build: str, limits: CopyNumberLimits
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Calls of the genes of ``genome.gene_spans`` (int8, shape (samples, genes), ``NOT_MEASURED`` where segments cover
    too little of the gene), and the genes.

    A gene takes the lowest level of the segments that it overlaps, as PURPLE does: an amplification counts where the
    whole gene is amplified, a deletion where a part is lost.
    """
    spans, n = genome.gene_spans(build), len(segments.samples)
    calls = np.full((n, len(spans.genes)), NOT_MEASURED, np.int8)
    for number in np.unique(spans.chromosomes):
        here = np.flatnonzero(segments.chromosome == number)
        sample, start, end, value = segments.sample[here], segments.start[here], segments.end[here], level[here]
        for place in np.flatnonzero(spans.chromosomes == number):
            overlap = np.minimum(end, spans.ends[place]) - np.maximum(start, spans.starts[place])
            hit = overlap > 0
            lowest = np.full(n, 127, np.int8)
            np.minimum.at(lowest, sample[hit], value[hit])
            covered = np.bincount(sample[hit], overlap[hit], n)
            enough = (covered > 0) & (covered >= limits.covered_share * (spans.ends[place] - spans.starts[place]))
            calls[enough, place] = lowest[enough]
    return calls, spans.genes
