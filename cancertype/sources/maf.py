"""The Mutation Annotation Format (MAF): one mutation per row, whoever made it.

Columns and their values are those of the GDC's MAF specification and of its predecessors, of vcf2maf, Oncotator,
Funcotator and maftools (https://docs.gdc.cancer.gov/Data/File_Formats/MAF_Format/).
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..tables.columns import encoded, matching, single
from ..tables.delimited import DelimitedFile
from ..tables.layout import Column, Layout
from ..variants.cases import SourceTables
from . import genome
from .common_names import with_symbols
from .layouts import MAF as LAYOUT
from .rows import Block, RowReader, read_samples

WHOLE_GENOME_AMPLIFIED = frozenset({"wga", "native_wga_mix"})
"""Flags of MC3 for variants of amplified DNA, which pass in the cohorts where nearly all DNA was amplified."""

IN_NORMAL = "also in the matched normal"
NO_MUTATION = "Mutation_Status None: no mutation"
_NOT_SOMATIC = (
    ("germline", "Mutation_Status germline"),
    ("loh", "Mutation_Status LOH: a loss of the other allele, no mutation"),
    ("wild type", "Mutation_Status wild type"),
    ("post-transcriptional", "Mutation_Status post-transcriptional: not in the DNA"),
)
_REFUTED = (
    ("invalid", "Validation_Status invalid"),
    ("wild type", "Validation_Status wild type"),
    ("germline", "Validation_Status germline"),
    ("loh", "Validation_Status LOH"),
)
_STATUSES = (
    (re.compile(r"wild\s?-?type|^wt$|^reference$"), "wild type"),
    (re.compile(r"post-?\s?transcription|rna edit"), "post-transcriptional"),
    (re.compile(r"\bloh\b|loss of heterozygosity"), "loh"),
    (re.compile(r"germ ?-?line|^germ$|inherit|constitutional|^normal$"), "germline"),
    (re.compile(r"invalid|not valid|refuted|false positive|not confirmed|not verified|artifact|artefact"), "invalid"),
)
"""What the words of Mutation_Status and Validation_Status say against a row; none of it behind "non" or "not"."""
_DENIED = re.compile(r"\b(?:non|not|no)[ -]+(?:a )?(?:germ|inherit|constitut|loh)")
_NOTHING = frozenset({"PASS", "", ".", "NA", "N/A", "NAN", "NONE", "NULL", "-"})
_UNSTATED_ALLELES = frozenset({"", ".", "NA", "N", "?"})
_NORMAL_TISSUE = re.compile(r"TCGA-\w{2}-\w{4}-1[0-4]")
_SEQUENCED = re.compile(r"#\s*Sequenced_Samples:?\s*(.*)", re.IGNORECASE)


class MafReader(RowReader):
    """Reads MAFs; rows are refused that the file itself marks as filtered, not somatic or refuted."""

    layout = LAYOUT
    source = "maf"

    def __init__(self) -> None:
        super().__init__()
        self._statuses: set[str] = set()

    def wanted(self, block: Block) -> np.ndarray:
        """Mask of the rows that may count: neither silent nor non-coding, passed by FILTER, somatic, not refuted."""
        keep = super().wanted(block)
        if "filter" in block:
            passed = matching(block.text("filter"), lambda text: flags(text) <= WHOLE_GENOME_AMPLIFIED)
            keep = self.refuse(keep, ~passed, "marked by the study's FILTER")
        self._statuses.update(map(_status, block.text("status").dictionary.to_pylist()))
        for role, reasons in (("status", _NOT_SOMATIC), ("validation", _REFUTED)):
            for value, reason in reasons if role in block else ():
                keep = self.refuse(keep, matching(block.text(role), lambda text, v=value: _status(text) == v), reason)
        return keep

    def rows(self, files: Sequence[DelimitedFile]) -> pa.Table:
        """The rows of all files that may count. A Mutation_Status None says that there is no mutation, but only where
        another status is stated too: pandas writes None for an empty value."""
        rows = super().rows(files)
        if not self._statuses - {"none", "", ".", "na", "nan", "unknown"}:
            return rows
        none = matching(encoded(rows["status"]), lambda text: _status(text) == "none")
        return self.without(rows, none, NO_MUTATION)

    def protein_change(self, block: Block) -> pa.Array:
        """The stated change; of ANNOVAR's AAChange.refGene, which lists all transcripts, that of the first."""
        change = super().protein_change(block)
        if not pc.any(pc.match_substring_regex(change, ":p\\.[^,]*,")).as_py():
            return change
        return pc.if_else(pc.match_substring(change, ","), pc.replace_substring_regex(change, ",.*$", ""), change)

    def alternative(self, block: Block) -> pa.DictionaryArray:
        """Tumor_Seq_Allele2, or Tumor_Seq_Allele1 where the former is the reference: some centres put the change there,
        and a homozygous change is in both."""
        if "other_allele" not in block or "reference" not in block:
            return block.text("alternative")
        reference, second, first = (block.strings(role) for role in ("reference", "alternative", "other_allele"))
        no_change = pc.or_(pc.equal(reference, second), pc.is_in(second, value_set=pa.array(["", ".", "NA"])))
        is_change = pc.and_(
            pc.not_equal(reference, first), pc.invert(pc.is_in(first, value_set=pa.array(["", ".", "NA"])))
        )
        swapped = pc.and_(no_change, is_change)
        if not pc.any(swapped).as_py():
            return block.text("alternative")
        return pc.if_else(swapped, first, second).dictionary_encode()

    def around(self, context: pa.ChunkedArray) -> pa.ChunkedArray:
        """The base and its two neighbours from CONTEXT or ref_context."""
        return genome.middle_bases(context)


def flags(text: str) -> set[str]:
    """The flags of a FILTER value that speak against a variant."""
    each = {flag.strip() for flag in text.replace(";", ",").split(",")}
    return {flag for flag in each if flag.upper() not in _NOTHING}


@lru_cache(1 << 12)
def _status(text: str) -> str:
    """A status in small letters, or the name in ``_STATUSES`` of what it says against the row."""
    said = " ".join(text.lower().replace("_", " ").split())
    if _DENIED.search(said):
        return said
    return next((name for pattern, name in _STATUSES if pattern.search(said)), said)


class SampleReader(MafReader):
    """Reads one MAF for prediction, where normal tissue is no case, and what the matched normal carries too does not
    count unless the file calls it somatic."""

    layout = Layout(
        "MAF",
        {**LAYOUT.columns, "normal_alleles": Column(("Match_Norm_Seq_Allele2", "Match_Norm_Seq_Allele1"))},
    )

    def wanted(self, block: Block) -> np.ndarray:
        """The same without rows whose changed allele is also one of the matched normal's."""
        keep = super().wanted(block)
        if "normal_alleles" not in block or "reference" not in block:
            return keep
        alternative, reference = self.alternative(block), block.text("reference")
        changed = ~matching(alternative, _UNSTATED_ALLELES.__contains__) & ~_same(alternative, reference)
        carried = [_same(alternative, single(column)) for column in block.columns("normal_alleles")]
        somatic = matching(block.text("status"), lambda text: _status(text) == "somatic")
        in_normal = np.logical_or.reduce([np.zeros(block.rows, bool), *carried])
        return self.refuse(keep, in_normal & changed & ~somatic, IN_NORMAL)

    def rows(self, files: Sequence[DelimitedFile]) -> pa.Table:
        """The rows that may count, without those of normal tissue."""
        rows = with_symbols(super().rows(files))
        normal = matching(encoded(rows["case_id"]), is_normal_tissue)
        self.samples = {name for name in self.samples if not is_normal_tissue(name)}
        return self.without(rows, normal, "of normal tissue (TCGA sample types 10 to 14)")


def _same(first: pa.DictionaryArray, second: pa.DictionaryArray) -> np.ndarray:
    """Mask of the rows in which two columns hold the same."""
    return pc.equal(first.dictionary_decode(), second.dictionary_decode()).to_numpy(zero_copy_only=False)


def is_normal_tissue(barcode: str) -> bool:
    """Whether a TCGA barcode is of normal tissue or blood (sample types 10 to 14)."""
    return bool(_NORMAL_TISSUE.match(barcode.strip()))


def read(file: DelimitedFile, fasta: Path | None = None) -> SourceTables:
    """Read one MAF alone, for prediction: a case is a sample (its Tumor_Sample_Barcode), unlabelled, of unknown sex.

    Samples that ``#Sequenced_Samples`` names above the header are cases even without a row. Without a clinical table no
    cohort is known, so variants that are only marked as whole-genome amplified, the rule in LAML and OV, pass in every
    sample. ``fasta`` is the reference genome for the bases around variants of which the file gives none. Raises
    ``InputError`` with file, line and column for anything that cannot be read, and for a genome of another build.
    """
    LAYOUT.check(file)
    if not {"consequence", "protein_change"} & set(LAYOUT.present(file.names)):
        LAYOUT_OF_CHANGES.check(file)
    reader = SampleReader()
    reader.genomes = [fasta] if fasta else []
    return read_samples(file, reader, more=sequenced_samples(file))


LAYOUT_OF_CHANGES = Layout(
    "MAF",
    {"change": Column((*LAYOUT.columns["consequence"].names, *LAYOUT.columns["protein_change"].names), required=True)},
)
"""What a MAF must have one of: without either, a row does not say what happened to its gene."""


def sequenced_samples(file: DelimitedFile) -> list[str]:
    """The samples that cBioPortal's line ``#Sequenced_Samples`` names, whether or not they have a mutation."""
    matches = (_SEQUENCED.fullmatch(comment.strip()) for comment in file.header.comments)
    return [name for match in matches if match for name in match[1].split() if not is_normal_tissue(name)]
