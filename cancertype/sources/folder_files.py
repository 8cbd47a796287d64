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
    return _of_copy_number(keys)


def _of_copy_number(keys: Sequence[str]) -> str:
    if sum(bool(_ARM.fullmatch(key)) for key in keys) >= _FEWEST_ARMS:
        return ARMS
    if any(key.startswith("chrom") for key in keys) and _SEGMENT_VALUES & set(keys):
        return SEGMENTS
    beside = ("cytoband", "entrezgeneid", "locusid", "geneid")
    if keys[0] in _GENE_HEADS and len([key for key in keys[1:] if key not in beside]) > 1 and "chromosome" not in keys:
        return GENES
    return OTHER


def sorted_files(folder: Path) -> dict[str, list[Path]]:
    """The text tables of ``folder`` by what they hold, each list in the order of the names.

    Raises ``InputError`` where there is none, and for a file that is there packed and unpacked."""
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
        found.setdefault(kind_of(path), []).append(path)
    return found


def _unpacked(name: str) -> str:
    return name.lower().removesuffix(".gz")
