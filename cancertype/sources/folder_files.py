"""What each file of a source's folder holds, by its name and its header: one rule for fetching and for reading.

It knows no more than that, so that the fetching stages do not depend on the readers.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..tables import delimited
from ..tables.layout import plain

MAF, CLINICAL, WEB_TABLE = "MAF", "clinical table", "table of cBioPortal's web download"
SPECTRA, ARMS, GENES, SEGMENTS = "spectra", "chromosome arms", "copy number of genes", "segments of copy number"
FUSIONS, SCREENED, GENE_LIST = "fusions", "samples screened for fusions", "gene list"
DEPMAP_MUTATIONS, DEPMAP_MODELS = "DepMap's mutations", "DepMap's models"
STUDY_CLINICAL = "clinical table of a cBioPortal study"
OTHER = "not used"

COPY_NUMBER = (ARMS, GENES, SEGMENTS)
"""In this order: a table of arms states what the other two only imply."""

_ENDINGS = (".csv", ".tsv", ".txt", ".maf", ".all", ".seg")
_SPECTRA_ENDINGS = (".all", ".csv", ".tsv", ".txt")
_SPECTRUM = re.compile(r"(?<![a-z])(SBS96|ID83|DBS78)(?!\d)", re.IGNORECASE)
_ARM = re.compile(r"(chr)?\d{1,2}[pq]")
_FEWEST_ARMS = 10
_GENE_HEADS = ("hugosymbol", "genesymbol")
_NAMED = {
    "fusions_screened.txt": SCREENED,
    "genes.txt": GENE_LIST,
    "omicssomaticmutations.csv": DEPMAP_MUTATIONS,
    "model.csv": DEPMAP_MODELS,
    "omicscngene.csv": GENES,
    "omicsfusionfiltered.csv": FUSIONS,
    "data_cna.txt": GENES,
    "data_sv.txt": FUSIONS,
    "data_fusions.txt": FUSIONS,
}
_FUSION_COLUMNS = (
    {"genea", "geneb"},
    {"site1hugosymbol", "site2hugosymbol"},
    {"leftgene", "rightgene"},
    {"gene1", "gene2"},
    {"fiveprime", "threeprime"},
    {"fusionname"},
    {"sample", "fusion"},
)
_COPY_NUMBER_NAME = re.compile(r"cna|cnv|copy|gistic|by_genes|cn_?gene")
_STUDY = re.compile(
    r"data_(mutations.*|clinical_.*|gene_panel_.*|gene_matrix|cna|armlevel_cna|sv|fusions)\.txt|genomic_information\.txt"
    r"|.*\.(bed|seg)"
)
_BELOW_STUDY = re.compile(r"cases_.*\.txt|data_gene_panel_.*\.txt|.*\.bed")
_SEGMENT_VALUES = {"segmentmean", "segmean", "log2", "log2ratio", "copynumber"}


def is_spectrum(name: str) -> bool:
    """Whether the name of a file is that of a matrix of SBS96, ID83 or DBS78."""
    return bool(_SPECTRUM.search(name)) and _unpacked(name).endswith(_SPECTRA_ENDINGS)


def kind_of(path: Path) -> str:
    """What ``path`` holds: one of this module's constants. Raises ``InputError`` for a file that is not readable."""
    if is_spectrum(path.name):
        return SPECTRA
    if named := _NAMED.get(_unpacked(path.name)):
        return named
    if "armlevel" in path.name.lower():
        return ARMS
    if _unpacked(path.name).endswith(".maf"):
        return MAF
    if _unpacked(path.name).endswith(".seg"):
        return SEGMENTS
    names = delimited.header(path).names
    keys = [plain(name) for name in names]
    if any(columns <= set(keys) for columns in _FUSION_COLUMNS):
        return FUSIONS
    if "Tumor_Sample_Barcode" in names or ".maf" in path.name.lower():
        return MAF
    if "bcr_patient_barcode" in names:
        return CLINICAL
    if path.name.startswith(("data_clinical_sample", "data_clinical_patient")):
        return STUDY_CLINICAL
    if names[:2] == ("STUDY_ID", "SAMPLE_ID"):
        return WEB_TABLE
    return _of_copy_number(path.name.lower(), keys)


def _of_copy_number(name: str, keys: Sequence[str]) -> str:
    if sum(bool(_ARM.fullmatch(key)) for key in keys) >= _FEWEST_ARMS:
        return ARMS
    if any(key.startswith("chrom") for key in keys) and _SEGMENT_VALUES & set(keys):
        return SEGMENTS
    beside = ("cytoband", "entrezgeneid", "locusid", "geneid")
    # Expression and methylation come in the same layout, so that the columns alone do not tell.
    named = _COPY_NUMBER_NAME.search(name)
    if (
        named
        and keys[0] in _GENE_HEADS
        and len([key for key in keys[1:] if key not in beside]) > 1
        and "chromosome" not in keys
    ):
        return GENES
    return OTHER


def sorted_files(folder: Path, *, lenient: bool = False) -> dict[str, list[Path]]:
    """The text tables of ``folder`` by what they hold, each list in the order of the names.

    Raises ``InputError`` where there is none, for a file that is there packed and unpacked, and, unless ``lenient``,
    for one whose header is not readable."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: fetch the source again")
    # macOS leaves dot files behind that are named after the files they belong to.
    paths = [path for path in sorted(folder.iterdir()) if path.name[0] != "." and path.is_file()]
    paths = [path for path in paths if _unpacked(path.name).endswith(_ENDINGS)]
    if not paths:
        raise InputError(f"{folder} holds no file ending in {', '.join(_ENDINGS)} (or these with .gz): put one there")
    for path in paths:
        if path.with_name(path.name + ".gz") in paths:
            raise InputError(f"{path}: {path.name}.gz is there too, so its rows would count twice: keep one of the two")
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(_readable_kind(path) if lenient else kind_of(path), []).append(path)
    return found


def _readable_kind(path: Path) -> str:
    try:
        return kind_of(path)
    except InputError:
        return OTHER


def study_files(folder: Path) -> list[Path]:
    """The files of a cBioPortal study (or of its web download) that can be read, in ``folder`` and one level below."""
    kinds = (WEB_TABLE, CLINICAL, SPECTRA, SCREENED)
    others = sorted_files(folder, lenient=True)
    found = {path for kind in kinds for path in others.get(kind, [])}
    for pattern, paths in ((_STUDY, folder.glob("*")), (_BELOW_STUDY, folder.glob("*/*"))):
        found |= {path for path in paths if pattern.fullmatch(_unpacked(path.name)) and path.is_file()}
    return sorted(path for path in found if not any(part[0] == "." for part in path.relative_to(folder).parts))


def _unpacked(name: str) -> str:
    return name.lower().removesuffix(".gz")
