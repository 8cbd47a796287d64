"""Recognising the form of a file of mutations by its content."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..errors import InputError
from ..sources import exports, table
from ..tables import containers
from ..tables.delimited import DelimitedFile
from ..tables.layout import plain
from . import stated_panels
from .paths import HOW

MAF, DEPMAP, TABLE, VCF, FREE_TEXT = "MAF", "DepMap mutations", "wide table", "annotated VCF", "free text"
TEXTS = "list of texts"
PANELS = "panels of samples"
"""The panels of samples whose mutations another file gives (``stated_panels``)."""
FORMS = (MAF, DEPMAP, TABLE, VCF, FREE_TEXT, TEXTS)
"""The forms of their own; the layouts of ``sources.exports`` are read as well, each under its own name."""

LARGEST_TEXT = 16 << 20
"""Bytes of a file that may be free text, or a list without column names."""

_LARGEST_JSON = 256 << 20
_FIRST_LINES = 200

_BED_LINE = re.compile(r"^(chr)?[0-9XYMTxymt]{1,2}(_\S+)?[ \t]+[0-9]+[ \t]+[0-9]+")

_NOT_READ = (
    ({"chrom", "pos", "ref", "alt"}, "a table of variants without genes (GATK's VariantsToTable or a VCF without its "
     "header): annotate the VCF with VEP or SnpEff, and give the VCF"),
    ({"chrom", "posstart", "posend", "muttype"}, "SigProfiler's text format, which has no genes: give the MAF or the "
     "annotated VCF that it was made from"),
    ({"chrom", "locstart", "locend", "segmean"}, "a table of copy-number segments, which holds no mutations: give it "
     "with --copy-number"),
    ({"site1hugosymbol", "site2hugosymbol"}, "cBioPortal's table of structural variants, which holds no small "
     "mutations: give it with --fusions, and data_mutations.txt for the mutations"),
    ({"genesymbol", "locusid", "cytoband"}, "GISTIC's table of copy number per gene, which holds no mutations: "
     "give it with --copy-number"),
    ({"gene", "mut", "profiledsamples"}, "cBioPortal's summary of a study, which counts the mutated samples of each "
     "gene and names none of them: give the study's data_mutations.txt"),
    ({"mutationtype", "trinucleotide"}, "a matrix of mutational signatures, which has no genes: give it with "
     "--spectra beside the mutations"),
)  # fmt: skip
"""Layouts that are not read: columns by which they are known (without capitals and punctuation), and what they are."""


@dataclass(frozen=True)
class RecognisedFile:
    """The ``form`` of a file, the ``file`` with its content in columns, and the ``export`` that it is, if any."""

    form: str
    file: DelimitedFile
    export: exports.Export | None = None


def recognise(path: Path) -> str:
    """The form of a file, by its content: one of ``FORMS``, or the name of a layout of ``sources.exports``.

    Raises ``InputError`` for an empty or damaged file, for a binary format, and for a table of a layout that is not
    read; the message names what it is.
    """
    return recognised(path).form


def recognised(path: Path) -> RecognisedFile:
    """The same with the file's content; where it has columns, in columns."""
    file = DelimitedFile.open(path)
    start = [line for _, line in islice(file.lines(), _FIRST_LINES)]
    first = next((line for line in start if line.strip()), "")
    if not first:
        raise InputError(f"{path} holds no text: {HOW}")
    if first.startswith(("##fileformat=VCF", "##INFO", "#CHROM")):
        return RecognisedFile(VCF, file)
    if first.lstrip()[:1] in ("[", "{") and (records := _json(path, file)) is not None:
        return records
    if any(line.lower().startswith("[small variants]") for line in start):
        sections = exports.combined_variant_output([line for _, line in file.lines()], file)
        return RecognisedFile(exports.TSO500.name, sections, exports.Export(exports.TSO500, frozenset()))
    if all(line.startswith("#") or not line.strip() for line in start):
        return RecognisedFile(FREE_TEXT, file)
    if _BED_LINE.match(first) or first.startswith(("stable_id:", "track ", "browser ")):
        raise InputError(f"{path} is a panel (a BED file or a gene list) and not mutations: give it with --assay")
    titles = _titles(file, start)
    return _by_columns(path, file.below(titles) if titles else file, start[titles:])


_MOST_TITLES = 10


def _titles(file: DelimitedFile, start: list[str]) -> int:
    """How many lines stand above the column names of a table, as the title of a supplementary table does; 0 where its
    first line names them, or where it is no such table."""
    if _names_known_columns(file.names):
        return 0
    for i, line in enumerate(start[1:_MOST_TITLES], 1):
        above = [text for text in start[:i] if text.strip() and not text.startswith("#")]
        if not above or not line.strip() or line.startswith("#"):
            continue
        below = file.below(i)
        width, mark = len(below.names), below.header.delimiter
        if width < 2 or any(_width(text, mark) >= width for text in above) or not _names_known_columns(below.names):
            continue
        widths = [_all_fields(text, mark) for text in start[i + 1 :] if text.strip()]
        if widths and widths[0] == width and (set(widths) == {width} or exports.names_samples(below)):
            return i
    return 0


_LONGEST_NAME = 100


def _names_known_columns(names: Sequence[str]) -> bool:
    if len(names) < 2 or max(map(len, names)) > _LONGEST_NAME:
        return False  # a line of text
    plain_names = {plain(name) for name in names}
    if {"hugosymbol", "tumorsamplebarcode"} <= plain_names or {"modelid", "hugosymbol"} <= plain_names:
        return True
    return exports.recognised_names(names) is not None or table.names_genes(names)


def _width(text: str, mark: str) -> int:
    """The fields of a line up to the last that holds anything."""
    return len(text.rstrip(f"{mark} ").split(mark))


def _all_fields(text: str, mark: str) -> int:
    return len(next(csv.reader([text], delimiter=mark)))


def _json(path: Path, file: DelimitedFile) -> RecognisedFile | None:
    if path.stat().st_size > _LARGEST_JSON:
        raise InputError(f"{path} is JSON of more than 256 MB: give a MAF or an annotated VCF")
    text = "\n".join(line for _, line in file.lines())
    if not containers.is_json(text):
        return None
    records = containers.json_records(text)
    if records is None:
        raise InputError(
            f"{path} is JSON, but no list of mutations such as cBioPortal's API gives: give the annotated VCF or a MAF"
        )
    columns = DelimitedFile(path, containers.from_records(records))
    if (export := exports.recognised_records(columns)) is None:
        raise InputError(
            f"{path} is JSON of another tool (Nirvana's, for example): its records have the fields "
            f"{shown(columns.names)}, not a gene and a protein change. Give the annotated VCF or a MAF"
        )
    return RecognisedFile(export.layout.name, columns, export)


def _by_columns(path: Path, file: DelimitedFile, start: list[str]) -> RecognisedFile:
    names = {plain(name) for name in file.names}
    export = exports.recognised(file)
    is_maf = {"hugosymbol", "tumorsamplebarcode"} <= names
    if is_maf and not (export and export.layout is exports.CCLE):
        return RecognisedFile(MAF, file)
    if len(names) == 1 and "hugo_symbol" in file.names[0].lower() and " " in file.names[0]:
        raise InputError(
            f"{path}: line {file.header.line}: the columns are separated by blanks, not tabs: write it with tabs "
            "(in R, write.table(x, sep = '\\t', quote = FALSE, row.names = FALSE))"
        )
    if ".maf" in path.name.lower() and export is None:
        return RecognisedFile(MAF, file)
    if {"modelid", "hugosymbol"} <= names and not (export and export.layout is exports.CCLE):
        return RecognisedFile(DEPMAP, file)
    if export is not None:
        return RecognisedFile(export.layout.name, file, export)
    if stated_panels.are_stated_in(file):
        return RecognisedFile(PANELS, file)
    if exports.text_columns(file) is not None and not table.looks_like_one(file):
        return RecognisedFile(TEXTS, file)
    for marks, what in _NOT_READ:
        if marks <= names:
            raise InputError(f"{path} is {what}")
    return _by_shape(path, file, start)


def _by_shape(path: Path, file: DelimitedFile, start: list[str]) -> RecognisedFile:
    """What has no columns of known names: wide tables, lists without a header, free text."""
    if exports.headless_list(start, file) and path.stat().st_size <= LARGEST_TEXT:
        columns = exports.headless_list([line for _, line in file.lines()], file)
        if columns is None:
            raise InputError(
                f"{path}: some of its rows are no sample, gene and change: name the columns in a first line"
            )
        return RecognisedFile(exports.LIST.name, columns, exports.Export(exports.LIST, frozenset()))
    if table.looks_like_one(file):
        return RecognisedFile(TABLE, file)
    if "ModelID" in file.names:
        raise InputError(f"{path} has a column ModelID but no HugoSymbol: give OmicsSomaticMutations.csv")
    if len(file.names) > 2 and _all_of_one_width(file, start) and (turned := table.transposed(file)) is not None:
        return RecognisedFile(TABLE, turned)
    if file.header.delimiter == "\t" and len(file.names) > 1:
        raise InputError(f"{path}: line {file.header.line}: no known layout has the columns {shown(file.names)}. {HOW}")
    return RecognisedFile(FREE_TEXT, file)


def _all_of_one_width(file: DelimitedFile, start: list[str]) -> bool:
    rows = [line for line in start if line.strip() and not line.startswith("#")]
    return len(rows) > 1 and len({line.count(file.header.delimiter) for line in rows}) == 1


def shown(names: Sequence[str], n: int = 6) -> str:
    """The first ``n`` names, and how many more there are."""
    return ", ".join(names[:n]) + (f" and {len(names) - n} more" if len(names) > n else "")
