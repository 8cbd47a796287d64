"""Copy number from files: tables of chromosome arms, gene matrices, segments and VCFs, recognised by their content.

- Arms: a table with columns ``1p`` to ``22q``, Taylor's PANCAN_ArmCallsAndAneuploidyScore, cBioPortal's arm-level file.
- Genes: cBioPortal's data_cna.txt and web download, GISTIC's all_thresholded.by_genes and all_data_by_genes, DepMap's
  OmicsCNGene, PURPLE's and the GDC's gene files, a list of events.
- Segments: .seg (CBS, IGV, GDC, DepMap), CNVkit, GATK, FACETS, ASCAT, Sequenza, PURPLE, TitanCNA,
  Control-FREEC (``_CNVs``), BED.
- VCF: records with FORMAT CN or SM (DRAGEN, PURPLE, Canvas), CNVkit's FOLD_CHANGE_LOG, or FACETS' TCN_EM.
"""

from collections.abc import Mapping
from pathlib import Path

from ..alterations import genome
from ..alterations.settings import CopyNumberLimits
from ..errors import InputError
from ..tables.rows import TextTable, open_table
from . import copy_number_matrices as matrices
from . import copy_number_segments as segments
from .alteration_file import AlterationFile, is_vcf

LAYOUTS = (
    "a table of chromosome arms (columns 1p to 22q, or one row per arm)",
    "a gene matrix (Hugo_Symbol or Gene Symbol and samples across; or one row per sample and genes across)",
    "segments (columns for chromosome, start, end and a log2 ratio or copies)",
    "a VCF with FORMAT CN or SM",
)


def read(
    path: Path,
    *,
    limits: CopyNumberLimits | None = None,
    build: str | None = None,
    sample: str | None = None,
    purity: float | Mapping[str, float] | None = None,
) -> AlterationFile:
    """Read one file of copy number; the layout is recognised by its content (``LAYOUTS``).

    ``limits`` say what counts as gained, lost, amplified and deleted. ``build`` ("hg19" or "hg38") is needed for
    segments only where the ends of the chromosomes leave it open and it makes a difference. ``sample`` names the one
    sample of a file that names none (default: the file's name). ``purity``: of all samples, or by sample, as a share.

    Arms without a call have a null; arms and genes that the file does not measure have no row. Gene calls are kept for
    the genes of clinical panels (``genome.cancer_genes``); the others serve to call the arms.

    Raises ``InputError`` with file, line and column for what cannot be read.
    """
    path, limits = Path(path), limits or CopyNumberLimits()
    if build is not None and build not in genome.BUILDS:
        raise InputError(f"build is {build!r}: choose one of {', '.join(genome.BUILDS)}")
    table = segments.with_header(open_table(path))
    if is_vcf(table):
        return segments.read_vcf(table, limits, build, sample, purity)
    if matrices.has_arm_columns(table):
        return matrices.read_arm_columns(table)
    if matrices.has_arm_rows(table) and not segments.has_segments(table):  # some tools name the arm of each segment
        return matrices.read_arm_rows(table)
    if matrices.is_gene_list(table):
        return matrices.read_gene_list(table, limits, sample, purity)
    if segments.has_segments(table):
        return segments.read(table, limits, build, sample, purity)
    if matrices.has_gene_rows(table):
        return matrices.read_gene_rows(table, limits, purity)
    if matrices.has_gene_columns(table):
        return matrices.read_gene_columns(table, limits, purity)
    table = matrices.with_first_column_named(table)
    if matrices.has_arm_rows(table):
        return matrices.read_arm_rows(table)
    if matrices.has_gene_rows(table):
        return matrices.read_gene_rows(table, limits, purity)
    raise InputError(_unknown(table))


def _unknown(table: TextTable) -> str:
    names = ", ".join(table.names[:8]) + (", ..." if len(table.names) > 8 else "")
    return (
        f"{table.path}: line {table.line}: not a layout of copy number that is known. Its columns are {names}. "
        f"Readable are: {'; '.join(LAYOUTS)}"
    )
