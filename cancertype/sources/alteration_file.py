"""What the readers of copy number and fusions share: what they return, and the names of samples and genes."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ..alterations.schema import Alterations
from ..alterations.settings import CopyNumberLimits
from ..errors import InputError
from ..tables.accounts import Dropped, RowAccount
from ..tables.delimited import MISSING
from ..tables.rows import TextTable
from ..variants.gene_aliases import gene_aliases
from ..variants.genes import current_symbol, known_genes

SAMPLE_COLUMNS = (
    "sampleid", "sample", "samples", "samplename", "id", "gdcaliquot", "aliquot", "aliquotid", "tumorsamplebarcode",
    "tumoursamplebarcode", "tumorsampleid", "barcode", "caseid", "patientid", "patient", "case", "modelid",
    "profileid", "depmapid", "submittedsampleid", "tumor", "tumour",
)  # fmt: skip
"""Names of the column that holds the sample, as ``tables.rows.key`` writes them; the first that a file has counts."""

NO_VALUE = frozenset(value.lower() for value in (*MISSING, "NP", "NS", "NC", "not profiled", "#N/A", "nd", "inf"))

_ENDINGS = (
    ".gz", ".bgz", ".tsv", ".txt", ".csv", ".tab", ".vcf", ".seg", ".cns", ".cnr", ".call", ".called", ".modelfinal",
    ".cr", ".bintest", ".cnv.somatic", ".cnv.gene", ".purple", ".cncf", ".segments", "_segments", ".cnv", ".sv",
    ".ascat", ".copynumber.caveman", ".fusions", ".fusion_predictions", ".abridged", ".coding_effect", ".star-fusion",
    "star-fusion", "fusions", "final-list_candidate-fusion-genes", ".hg19", ".hg38", ".grch37", ".grch38", ".arriba",
    ".fusioncatcher", ".linx", ".fusion", ".fusion_candidates", ".final", ".somatic", ".annotated", ".facets",
    ".sequenza", ".bed", ".bedgraph", "_cnvs",
)  # fmt: skip
IMPURE = "the sample's purity is below the limit: not looked at"
"""Why the rows of an impure sample are left out."""

_GENE_WITH_ID = re.compile(r"(.+?) ?\((?:\d+|ENSG\d+(?:\.\d+)?)\)|([^^|]+)[|^].*")


RECEPTOR_LOCI = re.compile(r"(IG[HKL]|TR[ABDG])(?:[@.\-_].*|[VDJ]\d.*|C\d*|(?<=IGH)(?:[AGM]\d?|[DE]))?")
"""Parts of the immunoglobulin and T-cell receptor loci."""
_VCF = ("CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
_NORMAL = re.compile(r"(.*[-_.])?(normal|blood|germline|reference)([-_.].*)?", re.IGNORECASE)


class AlterationFile(NamedTuple):
    """What a reader of copy number or fusions makes of a file: the ``alterations`` by the names that the file gives its
    samples, what was ``dropped`` and why, the ``account`` of every row (or cell), and ``notes`` on how it was read
    ("layout", and for segments "build"). ``withdrawn`` maps the samples whose copy number counts as not looked at to
    the reason; nothing of theirs is in ``alterations``. ``events`` are the small mutations within one gene that a file
    of fusions states, as (sample, what free text calls it), and ``silent`` the samples of which it gives nothing."""

    alterations: Alterations
    dropped: list[Dropped]
    account: RowAccount
    notes: dict
    withdrawn: Mapping[str, str] = {}
    events: tuple[tuple[str, str], ...] = ()
    silent: tuple[str, ...] = ()


def sample_of(path: Path) -> str:
    """The sample that a file without a sample column is about: its name without the endings that tools add, or the
    folder's name where nothing else is left."""
    name = path.name
    while True:
        lower = name.lower()
        ending = next((ending for ending in _ENDINGS if lower.endswith(ending)), None)
        if ending is None:
            break
        name = name[: -len(ending)]
    return name.strip("._- ") or path.resolve().parent.name


def one_sample(path: Path, sample: str | None) -> str:
    """``sample``, or what the file's name says."""
    return sample or sample_of(path)


def is_vcf(table: TextTable) -> bool:
    """Whether the file is a VCF."""
    return any(text.startswith("##fileformat=VCF") for text in table.comments) or table.names[:2] == _VCF[:2]


def tumours_of(table: TextTable, sample: str | None = None) -> dict[str, int]:
    """The tumour samples of a VCF and their columns. Matched normals are known by their names. A file without sample
    columns is about one sample, whose column is 0.

    Raises ``InputError`` for another header than a VCF's and where every sample is a normal."""
    if table.names[:8] != _VCF:
        raise InputError(
            f"{table.path}: line {table.line}: the first columns are not #{' '.join(_VCF)}: correct the header"
        )
    if len(table.names) < 10:
        return {one_sample(table.path, sample): 0}
    tumours = {name: place for place, name in enumerate(table.names[9:], 9) if not _NORMAL.fullmatch(name)}
    if not tumours:
        raise InputError(f"{table.path}: line {table.line}: every sample is a matched normal: add the tumour")
    return tumours


@cache
def gene_of(text: str) -> str:
    """The current symbol of a gene as tables write it (``EGFR``, ``EGFR (1956)``, ``EGFR^ENSG00000146648.19``); ""
    where it names none."""
    text = text.strip().strip("\"'")
    if match := _GENE_WITH_ID.fullmatch(text):
        text = (match[1] or match[2]).strip()
    symbol = current_symbol(text)
    return known_genes().get(symbol.upper(), symbol)


@cache
def fusion_gene(text: str) -> str:
    """The current symbol of a gene in a fusion, by its old or common name too (MLL, AF9, TEL). Parts of an
    immunoglobulin or T-cell receptor locus are the locus (IGHV3-23, IGH@, IGH.g@: IGH)."""
    gene = gene_of(text)
    named = gene_aliases().get(gene.upper(), ())
    if len(named) == 1 and gene.upper() not in known_genes():
        gene = named[0]
    match = RECEPTOR_LOCI.fullmatch(gene.upper())
    return match[1] if match else gene


def value_of(text: str) -> float | None:
    """The number that a cell holds; None for a missing one. Raises ``ValueError`` for anything else."""
    text = text.strip().strip("\"'")
    if text.lower() in NO_VALUE:
        return None
    text = text.replace("\u2212", "-")
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        text = text.replace(",", ".")  # a decimal comma
    # CNVkit and GATK write minus infinity where nothing is left of a segment; CNVkit also as -20.
    return max(float(text), -20.0) if text.lower() != "-inf" else -20.0


def purity_of(text: str | float | None, where: str) -> float:
    """A purity between 0 and 1, from a share or a percentage; NaN where none is given.

    Raises ``InputError`` that names ``where``."""
    if text is None or str(text).strip().lower() in NO_VALUE:
        return float("nan")
    try:
        share = float(str(text).strip().removesuffix("%"))
    except ValueError:
        share = -1.0
    if str(text).strip().endswith("%") or 1 < share <= 100:
        share /= 100
    if not 0 <= share <= 1:
        raise InputError(
            f"{where}: purity {text!r} is neither a share from 0 to 1 nor a percentage: correct or empty it"
        )
    return share


def below(purity: float, limits: CopyNumberLimits) -> str:
    """Why the copy number of a sample of this ``purity`` is not used."""
    return f"the purity {purity:.2f} is below {limits.purity:.2f}"


def purities(purity: float | Mapping[str, float] | None, samples: tuple[str, ...]) -> list[float]:
    """The purity of each sample, from one for all or one per name; NaN where none is given."""
    if purity is None or isinstance(purity, int | float):
        return [purity_of(purity, "the given purity")] * len(samples)
    return [purity_of(purity.get(name), f"the given purity of {name}") for name in samples]
