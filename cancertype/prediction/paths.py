"""Whether what a user gave is a path, and whether there is a file: light, so that a slip is reported at once."""

from pathlib import Path

from ..errors import InputError

HOW = (
    "Give a MAF, DepMap's OmicsSomaticMutations.csv, a table with a column ID and one column per gene, a list with the "
    "columns sample, gene and protein change, a VCF annotated by VEP or SnpEff, or text such as "
    '"APC R1450*, KRAS G12D"'
)

_FILE_ENDINGS = (".maf", ".vcf", ".csv", ".tsv", ".txt", ".gz", ".bgz", ".xlsx", ".json", ".parquet", ".zip")


def exists(path: Path) -> bool:
    """Whether there is a file or folder at ``path``, which may be any text."""
    try:
        return path.exists()
    except (OSError, ValueError):  # a text too long, or with a character that no file name may hold
        return False


def looks_like_a_path(given: str) -> bool:
    """Whether ``given`` is meant as a path, going by its letters."""
    return given.lower().endswith(_FILE_ENDINGS) or ("/" in given and not any(c in given for c in " ,;\n"))


def check(given: str) -> None:
    """Raise ``InputError`` for a path where there is nothing, or a folder. A text of mutations is neither."""
    path = Path(given)
    if not exists(path) and looks_like_a_path(given):
        raise InputError(f"{given} is not there: check the path. {HOW}")
    if exists(path) and path.is_dir():
        raise InputError(f"{given} is a folder: give one file")
