"""Copy number and fusions of simulated cases, written in the layouts of the real files.

Tumours: the arm table of Taylor et al. 2018, cBioPortal's web download of gene levels, and TumorFusions' list with the
patients that were screened. Cell lines: an arm table by ModelID, DepMap's OmicsCNGene.csv and OmicsFusionFiltered.csv.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..alterations.calls import NOT_MEASURED
from ..alterations.schema import ARMS
from ..files import write_text
from .copy_number import CopyNumber, matrix_genes
from .fusions import Fusion

ARMS_NAME = "arms.tsv"
GENES_NAME = "cna.tsv"
FUSIONS_NAME = "fusions.tsv"
SCREENED_NAME = "fusions_screened.txt"
LINE_GENES_NAME = "OmicsCNGene.csv"
LINE_FUSIONS_NAME = "OmicsFusionFiltered.csv"

_STUDY = "simulated_tcga"
_PROFILE_COLUMNS = ("SequencingID", "ModelID", "ModelConditionID", "IsDefaultEntryForModel", "IsDefaultEntryForMC")
_LOG2_OF_LEVEL = {-2: -4.0, -1: -0.35, 0: 0.0, 1: 0.3, 2: 2.0}
"""Log2 ratios. Loss and gain are less than 0.9 apart, so that whatever a line's median is, an amplification stays one
and a gain does not become one."""


@dataclass(frozen=True)
class Altered:
    """What was found in one sample. ``copy_number`` and ``fusions`` are None where they were not looked at."""

    sample: str
    cohort: str
    copy_number: CopyNumber | None
    fusions: list[Fusion] | None


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str = "\t") -> str:
    return "".join(delimiter.join(row) + "\n" for row in (header, *rows))


def _levels(calls: np.ndarray) -> list[str]:
    return ["NA" if call == NOT_MEASURED else str(call) for call in calls]


def _arms(cases: list[Altered], names: list[str]) -> str:
    rows = [
        [name, *_levels(case.copy_number.arms)]
        for name, case in zip(names, cases, strict=True)
        if case.copy_number is not None
    ]
    return _table(("Sample", *ARMS), rows)


def write_tumours(folder: Path, cases: list[Altered]) -> None:
    """Write ``arms.tsv``, ``cna.tsv``, ``fusions.tsv`` and ``fusions_screened.txt`` of tumour samples into ``folder``.

    Samples are named as in the real files: by the first 15 characters of the barcode for copy number, the first 16 for
    fusions, and the patient's 12 for who was screened."""
    genes = [
        [_STUDY, case.sample[:15], *_levels(case.copy_number.genes)] for case in cases if case.copy_number is not None
    ]
    screened = [case for case in cases if case.fusions is not None]
    fusions = [[case.cohort, case.sample, *pair] for case in screened for pair in case.fusions]
    patients = dict.fromkeys(case.sample[:12] for case in screened)
    write_text(folder / ARMS_NAME, _arms(cases, [case.sample[:15] for case in cases]))
    write_text(folder / GENES_NAME, _table(("STUDY_ID", "SAMPLE_ID", *matrix_genes()), genes))
    write_text(folder / FUSIONS_NAME, _table(("Tissue", "Sample", "Gene_A", "Gene_B"), fusions))
    write_text(folder / SCREENED_NAME, "".join(f"{patient}\n" for patient in patients))


def _profile(sample: str) -> list[str]:
    name = sample.removeprefix("ACH-")
    return [f"CDS-{name}", sample, f"MC-{name}", "Yes", "Yes"]


def _relative_copies(levels: np.ndarray) -> list[str]:
    """DepMap's log2(ratio + 1) of each gene."""
    text = {level: f"{np.log2(2**log2 + 1):.6f}" for level, log2 in _LOG2_OF_LEVEL.items()}
    return [text[int(level)] for level in levels]


def write_lines(folder: Path, cases: list[Altered]) -> None:
    """Write ``arms.tsv``, ``OmicsCNGene.csv`` and ``OmicsFusionFiltered.csv`` of cell lines into ``folder``.

    A screened line without a fusion is not in DepMap's file, and nobody can tell it from one that was not screened.
    The numbers in brackets behind genes are made up."""
    profiled = [case for case in cases if case.copy_number is not None]
    number = {gene: place for place, gene in enumerate(matrix_genes(), 1)}
    genes = [
        [str(place), *_profile(case.sample), *_relative_copies(case.copy_number.genes)]
        for place, case in enumerate(profiled)
    ]
    found = [(case, *pair) for case in cases for pair in case.fusions or ()]
    fusions = [
        [
            str(place),
            *_profile(case.sample),
            f"{one}--{other}",
            *(f"{gene} ({number.get(gene, 0)})" for gene in (one, other)),
        ]
        for place, (case, one, other) in enumerate(found)
    ]
    write_text(folder / ARMS_NAME, _arms(cases, [case.sample for case in cases]))
    header = ("", *_PROFILE_COLUMNS, *(f"{gene} ({place})" for gene, place in number.items()))
    write_text(folder / LINE_GENES_NAME, _table(header, genes, ","))
    header = ("", *_PROFILE_COLUMNS, "CanonicalFusionName", "Gene1", "Gene2")
    write_text(folder / LINE_FUSIONS_NAME, _table(header, fusions, ","))
