"""Chromosome arms and genes of the two human reference genomes in use, hg19 (GRCh37) and hg38 (GRCh38).

``chromosome_arms.csv``: from UCSC's cytobands (cytoBand of hg19 and hg38, free for all uses), as bioframe 0.8.0 ships
them. An arm ends where the bands of the centromere (stain "acen") begin, and the long arm's end is the chromosome's.
``gene_arms.csv``: the arm of each protein-coding gene. ``cancer_genes.csv``: the span of each gene of a clinical panel.
Both are from Ensembl's transcripts of GRCh37 and GRCh38, as SigProfilerMatrixGenerator 1.4.0 ships them, completed for
genes without a coding transcript there from Ensembl 110 (GRCh38 only), as ideogram 1.53.0 (CC0) ships it. Genes whose
arm differs between the two genomes were left out. Starts and ends are counted from 0 and 1, as in a BED file.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..package_data import rows

BUILDS = ("hg19", "hg38")
AUTOSOMES = tuple(str(number) for number in range(1, 23))

_OVERRUNS = (0, 100_000, 1_000_000)
_CHROMOSOME = re.compile(r"(?:chr(?:omosome)?)?[_ ]?0?(\d{1,2}|x|y|mt?)", re.IGNORECASE)
_REFSEQ = re.compile(r"NC_0000(\d\d)\.\d+", re.IGNORECASE)
_NUMBERED = {"23": "X", "24": "Y", "25": "MT", "M": "MT"}


@dataclass(frozen=True)
class GeneSpans:
    """Genes and where they are in one build: arrays of shape (genes,)."""

    genes: tuple[str, ...]
    chromosomes: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


def chromosome(text: str) -> str | None:
    """ "1" to "22", "X", "Y" or "MT" from any usual way to write it (chr1, 01, 23, NC_000001.10); else None."""
    text = text.strip().strip("\"'")
    if match := _REFSEQ.fullmatch(text):
        name = str(int(match[1]))
    elif match := _CHROMOSOME.fullmatch(text):
        name = match[1].upper()
    else:
        return None
    name = _NUMBERED.get(name, name)
    return name if name in AUTOSOMES or name in ("X", "Y", "MT") else None


@cache
def arm_bounds(build: str) -> dict[str, tuple[str, int, int]]:
    """Each arm of ``build`` as (chromosome, start, end) in bases, the centromere left out; X and Y included."""
    return {
        row["arm"]: (row["chromosome"], int(row["start"]), int(row["end"]))
        for row in rows("alterations", "chromosome_arms.csv")
        if row["build"] == build
    }


@cache
def chromosome_lengths(build: str) -> dict[str, int]:
    """The length in bases of each chromosome of ``build``."""
    return {name: end for name, _, end in arm_bounds(build).values()}


@cache
def gene_arms() -> dict[str, str]:
    """The arm of each gene, by its current symbol, such as {"EGFR": "7p"}. X and Y have arms Xp, Xq, Yp and Yq."""
    return {row["gene"]: row["arm"] for row in rows("alterations", "gene_arms.csv")}


@cache
def cancer_genes() -> frozenset[str]:
    """Current symbols of the genes of clinical panels. Only for these are gene calls kept."""
    return frozenset(row["gene"] for row in rows("alterations", "cancer_genes.csv"))


@cache
def gene_spans(build: str) -> GeneSpans:
    """The autosomal genes of ``cancer_genes`` that have a place in ``build``."""
    table = [
        row for row in rows("alterations", "cancer_genes.csv") if row[f"{build}_start"] and row["arm"][:-1] in AUTOSOMES
    ]
    return GeneSpans(
        genes=tuple(row["gene"] for row in table),
        chromosomes=np.array([int(row["arm"][:-1]) for row in table], np.int8),
        starts=np.array([int(row[f"{build}_start"]) - 1 for row in table], np.int64),
        ends=np.array([int(row[f"{build}_end"]) for row in table], np.int64),
    )


def builds_of_lengths(lengths: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """The builds whose chromosomes have the stated ``lengths`` (chromosome, bases), as a file's header gives them."""
    known = [(name, length) for name, length in lengths if name in chromosome_lengths(BUILDS[0])]
    return tuple(
        build for build in BUILDS if known and all(chromosome_lengths(build)[name] == length for name, length in known)
    )


def builds_of_ends(ends: Mapping[str, int]) -> tuple[str, ...]:
    """The builds whose chromosomes are at least as long as the last base of each in ``ends`` (chromosome to bases).

    Where neither is, chromosomes may be overrun by a little, because tools that count in bins round ends upwards."""
    for allowed in _OVERRUNS:
        fitting = tuple(
            build
            for build in BUILDS
            if all(end <= chromosome_lengths(build).get(name, end) + allowed for name, end in ends.items())
        )
        if fitting:
            return fitting
    return ()
