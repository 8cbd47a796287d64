"""A user's mutations in whatever form they come: recognised, read, checked row by row, with what is missing said."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InputError
from ..features import restrict_to_panel
from ..labels import LABELS
from ..sources import depmap, exports, free_text, maf, table, vcf
from ..sources.free_text import Problem
from ..sources.rows import NAMELESS
from ..sources.settings import ReadingLimits
from ..tables import containers, delimited
from ..tables.columns import equals, matching
from ..tables.delimited import TEXT, DelimitedFile
from ..tables.layout import Layout, plain
from ..variants import canonical
from ..variants.cases import Dropped, RowAccount, SourceTables
from ..variants.consequences import consequence_class
from ..variants.genes import known_genes
from ..variants.protein_changes import UNSTATED
from . import several

MAF, DEPMAP, TABLE, VCF, FREE_TEXT = "MAF", "DepMap mutations", "wide table", "annotated VCF", "free text"
FORMS = (MAF, DEPMAP, TABLE, VCF, FREE_TEXT)
"""The forms of their own; the layouts of ``sources.exports`` are read as well, each under its own name."""

FEW_MUTATIONS = 10
"""A case with fewer says so beside its prediction: the models saw mostly whole exomes."""

PANEL = "given"
_LARGEST_TEXT = 16 << 20
_LARGEST_JSON = 256 << 20
_FIRST_LINES = 200
_FILE_ENDINGS = (".maf", ".vcf", ".csv", ".tsv", ".txt", ".gz", ".bgz", ".xlsx", ".json", ".parquet", ".zip")
_HOW = (
    "Give a MAF, DepMap's OmicsSomaticMutations.csv, a table with a column ID and one column per gene, a list with the "
    "columns sample, gene and protein change, a VCF annotated by VEP or SnpEff, or text such as "
    '"BRAF V600E, CDKN2A R80*"'
)
_NAMES_NO_SAMPLE = "its name names no sample, so that the rows of several patients may be mixed: rename it"

_NOT_READ = (
    ({"chrom", "pos", "ref", "alt"}, "a table of variants without genes (GATK's VariantsToTable or a VCF without its "
     "header): annotate the VCF with VEP or SnpEff, and give the VCF"),
    ({"chrom", "posstart", "posend", "muttype"}, "SigProfiler's text format, which has no genes: give the MAF or the "
     "annotated VCF that it was made from"),
    ({"chrom", "locstart", "locend", "segmean"}, "a table of copy-number segments, which holds no mutations: give the "
     "mutations as a MAF or an annotated VCF"),
    ({"site1hugosymbol", "site2hugosymbol"}, "cBioPortal's table of structural variants, which holds no small "
     "mutations: give data_mutations.txt"),
    ({"genesymbol", "locusid", "cytoband"}, "GISTIC's table of copy number per gene, which holds no mutations: give "
     "the mutations as a MAF or an annotated VCF"),
    ({"mutationtype", "trinucleotide"}, "a matrix of mutational signatures, which has no genes: give the mutations"),
)  # fmt: skip
"""Layouts that are not read: columns by which they are known (without capitals and punctuation), and what they are."""


@dataclass(frozen=True)
class Input:
    """What a user gave: its ``form``, its ``name``, what was read, the ``problems`` met while reading (of free text;
    ``row_problems`` finds those of tables), the ``path`` (None for text given as such), and the ``file`` with its
    ``layout`` where it has one mutation per row. ``parts`` are the inputs that were given together."""

    form: str
    name: str
    tables: SourceTables
    problems: list[Problem]
    path: Path | None
    file: DelimitedFile | None = None
    layout: Layout | None = None
    parts: tuple["Input", ...] = ()


@dataclass(frozen=True)
class Recognised:
    """The ``form`` of a file, the ``file`` with its content in columns, and the ``export`` that it is, if any."""

    form: str
    file: DelimitedFile
    export: exports.Export | None = None


def read(
    given: str | Sequence[str],
    limits: ReadingLimits | None = None,
    *,
    tumor: str | None = None,
    normal: str | None = None,
    genome: Path | None = None,
    gff: Path | None = None,
    rename: dict[str, str] | None = None,
) -> Input:
    """Read a file by its path, whatever its form, or ``given`` itself where it is text and not a path; several paths
    are read as one input, in which samples of the same name are one case.

    ``limits`` against inherited and poorly supported variants hold for files without a matched normal. ``tumor`` and
    ``normal`` name samples of a VCF, ``genome`` and ``gff`` serve to annotate one (``sources.vcf``). ``rename`` maps a
    sample's name in the file to the one that it gets. Raises ``InputError`` for a file that is missing, damaged, of no
    known form or without a case, and for a sample to rename that is not there.
    """
    options = {"tumor": tumor, "normal": normal, "genome": genome, "gff": gff}
    options = {name: value for name, value in options.items() if value is not None}
    each = [given] if isinstance(given, str) else list(given)
    if not each:
        raise InputError(f"nothing is given. {_HOW}")
    inputs = [_read_one(one, limits or ReadingLimits(), options) for one in each]
    whole = inputs[0] if len(inputs) == 1 else _together(inputs)
    return renamed([whole], rename)[0] if rename else whole


def _read_one(given: str, limits: ReadingLimits, options: dict) -> Input:
    path = Path(given)
    if not _exists(path):
        if _looks_like_a_path(given):
            raise InputError(f"{given} is not there: check the path. {_HOW}")
        return _checked(_read_text(given.splitlines(), "text", None, limits))
    if path.is_dir():
        raise InputError(f"{given} is a folder: give one file")
    return _checked(_read_file(path, limits, options))


def _read_file(path: Path, limits: ReadingLimits, options: dict) -> Input:
    what = _recognised(path)
    if what.form == FREE_TEXT:
        return _read_text_file(path, limits)
    if what.form == VCF:
        return Input(VCF, path.name, vcf.read(path, limits, **options), [], path)
    if what.form == TABLE:
        return Input(TABLE, path.name, table.read_file(what.file), [], path, what.file)
    if what.form == MAF:
        return Input(MAF, path.name, maf.read(what.file), [], path, what.file, maf.LAYOUT)
    if what.form == DEPMAP:
        return Input(DEPMAP, path.name, depmap.read_lines(what.file, limits), [], path, what.file, depmap.MUTATIONS)
    tables = exports.read(what.file, what.export, limits)
    return Input(what.form, path.name, tables, [], path, what.file, what.export.layout)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a text too long, or with a character that no file name may hold
        return False


def _looks_like_a_path(given: str) -> bool:
    return given.lower().endswith(_FILE_ENDINGS) or ("/" in given and not any(c in given for c in " ,;\n"))


def recognise(path: Path) -> str:
    """The form of a file, by its content: one of ``FORMS``, or the name of a layout of ``sources.exports``.

    Raises ``InputError`` for an empty or damaged file, for a binary format, and for a table of a layout that is not
    read; the message names what it is.
    """
    return _recognised(path).form


def _recognised(path: Path) -> Recognised:
    file = DelimitedFile.open(path)
    start = [line for _, line in islice(file.lines(), _FIRST_LINES)]
    first = next((line for line in start if line.strip()), "")
    if not first:
        raise InputError(f"{path} holds no text: {_HOW}")
    if first.startswith(("##fileformat=VCF", "##INFO", "#CHROM")):
        return Recognised(VCF, file)
    if first.lstrip()[:1] in ("[", "{") and (records := _json(path, file)) is not None:
        return records
    if any(line.lower().startswith("[small variants]") for line in start):
        sections = exports.combined_variant_output([line for _, line in file.lines()], file)
        return Recognised(exports.TSO500.name, sections, exports.Export(exports.TSO500, frozenset()))
    if all(line.startswith("#") or not line.strip() for line in start):
        return Recognised(FREE_TEXT, file)
    if _BED_LINE.match(first) or first.startswith(("stable_id:", "track ", "browser ")):
        raise InputError(f"{path} is a panel (a BED file or a gene list) and not mutations: give it with --panel")
    return _by_columns(path, file, start)


def _json(path: Path, file: DelimitedFile) -> Recognised | None:
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
            f"{_shown(columns.names)}, not a gene and a protein change. Give the annotated VCF or a MAF"
        )
    return Recognised(export.layout.name, columns, export)


def _by_columns(path: Path, file: DelimitedFile, start: list[str]) -> Recognised:
    names = {plain(name) for name in file.names}
    export = exports.recognised(file)
    is_maf = {"hugosymbol", "tumorsamplebarcode"} <= names
    if is_maf and not (export and export.layout is exports.CCLE):
        return Recognised(MAF, file)
    if len(names) == 1 and "hugo_symbol" in file.names[0].lower() and " " in file.names[0]:
        raise InputError(
            f"{path}: line {file.header.line}: the columns are separated by blanks, not tabs: write it with tabs "
            "(in R, write.table(x, sep = '\\t', quote = FALSE, row.names = FALSE))"
        )
    if ".maf" in path.name.lower() and export is None:
        return Recognised(MAF, file)
    if {"modelid", "hugosymbol"} <= names and not (export and export.layout is exports.CCLE):
        return Recognised(DEPMAP, file)
    if export is not None:
        return Recognised(export.layout.name, file, export)
    for marks, what in _NOT_READ:
        if marks <= names:
            raise InputError(f"{path} is {what}")
    return _by_shape(path, file, start)


def _by_shape(path: Path, file: DelimitedFile, start: list[str]) -> Recognised:
    """What has no columns of known names: wide tables, lists without a header, free text."""
    if exports.headless_list(start, file) and path.stat().st_size <= _LARGEST_TEXT:
        columns = exports.headless_list([line for _, line in file.lines()], file)
        if columns is None:
            raise InputError(
                f"{path}: some of its rows are no sample, gene and change: name the columns in a first line"
            )
        return Recognised(exports.LIST.name, columns, exports.Export(exports.LIST, frozenset()))
    if table.looks_like_one(file):
        return Recognised(TABLE, file)
    if "ModelID" in file.names:
        raise InputError(f"{path} has a column ModelID but no HugoSymbol: give OmicsSomaticMutations.csv")
    if len(file.names) > 2 and _all_of_one_width(file, start) and (turned := table.transposed(file)) is not None:
        return Recognised(TABLE, turned)
    if file.header.delimiter == "\t" and len(file.names) > 1:
        raise InputError(
            f"{path}: line {file.header.line}: no known layout has the columns {_shown(file.names)}. {_HOW}"
        )
    return Recognised(FREE_TEXT, file)


def _all_of_one_width(file: DelimitedFile, start: list[str]) -> bool:
    rows = [line for line in start if line.strip() and not line.startswith("#")]
    return len(rows) > 1 and len({line.count(file.header.delimiter) for line in rows}) == 1


def _shown(names: Sequence[str], n: int = 6) -> str:
    return ", ".join(names[:n]) + (f" and {len(names) - n} more" if len(names) > n else "")


def _read_text_file(path: Path, limits: ReadingLimits) -> Input:
    if path.stat().st_size > _LARGEST_TEXT:
        raise InputError(f"{path} is of no known form, and too large to be a text of mutations. {_HOW}")
    lines = [line for _, line in delimited.lines(path)]
    first = next(line for line in lines if line.strip())
    # The columns of a table that is not known would be read as one sample's words, all rows thrown together.
    if len(lines) > 1 and "," in first and ":" not in first and not free_text.read([first])[0].variants.num_rows:
        raise InputError(f"{path}: line 1: no known layout has the columns {_shown(first.split(','))}. {_HOW}")
    name = path.name.lower().removesuffix(".gz").removesuffix(".txt") or path.name
    return _read_text(lines, name, path, limits)


def _read_text(lines: list[str], name: str, path: Path | None, limits: ReadingLimits) -> Input:
    unnamed = DelimitedFile(path or Path(name))
    if len(lines) > 1 and (columns := exports.headless_list(lines, unnamed)) is not None:
        export = exports.Export(exports.LIST, frozenset())
        return Input(exports.LIST.name, name, exports.read(columns, export, limits), [], path, columns, exports.LIST)
    tables, problems = free_text.read(lines, name)
    if problems and not tables.variants.num_rows and not _anything_understood(tables):
        where = path or "text"
        raise InputError(
            f"{where}: line {problems[0].line}: {problems[0].what}; nothing else in it is a mutation. {_HOW}"
        )
    return Input(FREE_TEXT, name, tables, problems, path)


def _anything_understood(tables: SourceTables) -> bool:
    """Whether a text without a mutation says so ("KRAS wild type"), which is no reason to refuse it."""
    account = tables.account
    return account is not None and account.used + sum(account.left_out.values()) > 0


def _checked(read_input: Input) -> Input:
    if not read_input.tables.cases.num_rows:
        raise InputError(f"{read_input.path or 'the text'} holds no case: {_HOW}")
    return read_input


# --- Several files, and other names ---

SEVERAL = "several forms"


def _together(parts: list[Input]) -> Input:
    parts = several.distinct(parts)
    tables = several.together(parts)
    repeated = sum(part.tables.variants.num_rows for part in parts) - tables.variants.num_rows
    accounts = [part.tables.account for part in parts]
    account = _summed(accounts, repeated) if all(accounts) else None
    notes = {"files": [name for part in parts for name in part.tables.notes.get("files", [part.name])]}
    forms = {part.form for part in parts}
    return Input(
        form=forms.pop() if len(forms) == 1 else SEVERAL,
        name=", ".join(part.name for part in parts),
        tables=replace(tables, account=account, notes=notes),
        problems=[problem for part in parts for problem in part.problems],
        path=None,
        parts=tuple(parts),
    )


def _summed(accounts: list[RowAccount], repeated: int) -> RowAccount:
    units = {account.unit for account in accounts}
    left_out, not_understood = Counter(), Counter()
    for account in accounts:
        left_out.update(account.left_out)
        not_understood.update(account.not_understood)
    if repeated:
        left_out[canonical.REPEATED] += repeated
    total = sum(account.total for account in accounts)
    used = sum(account.used for account in accounts) - repeated
    unit = units.pop() if len(units) == 1 else "row"
    return RowAccount(unit, total, used, dict(left_out), dict(not_understood))


def renamed(inputs: Sequence[Input], new_names: Mapping[str, str]) -> list[Input]:
    """The ``inputs`` with the samples in ``new_names`` (old to new) under their new names. Raises ``InputError`` for a
    sample that no input has, and where two samples of one input would share a name."""
    names = [name for each in inputs for name in each.tables.cases["case_id"].to_pylist()]
    for old in new_names:
        if old not in names:
            raise InputError(f"no sample {old!r} to rename: the input has {_shown(names)}")
    return [_renamed(each, new_names) for each in inputs]


def _renamed(read_input: Input, rename: Mapping[str, str]) -> Input:
    tables = read_input.tables
    new = [rename.get(name, name) for name in tables.cases["case_id"].to_pylist()]
    twice = [name for name, n in Counter(new).items() if n > 1]
    if twice or "" in new:
        what = f"two samples would be named {twice[0]!r}" if twice else "a sample would have no name"
        raise InputError(f"{what}: choose another name")
    return replace(read_input, tables=several.with_names(tables, rename))


def _with(cases: pa.Table, column: str, values: Sequence[str | None]) -> pa.Table:
    at = cases.schema.get_field_index(column)
    return cases.set_column(at, column, pa.array(values, pa.string()))


def with_facts(
    read_input: Input, *, kind: str | None = None, sex: str | None = None, panel: Sequence[str] | None = None
) -> Input:
    """The same with what the user adds for every case: ``kind`` ("tumour" or "cell line"), ``sex`` ("female" or
    "male") and the genes of the ``panel`` that was sequenced (``read_panel``); each replaces what the file says.
    Variants outside the panel are left out."""
    tables = read_input.tables
    cases, rows, panels, dropped = tables.cases, tables.variants, tables.panels, list(tables.dropped)
    for column, value in (("kind", kind), ("sex", sex), ("panel", PANEL if panel else None)):
        if value:
            at = cases.schema.get_field_index(column)
            cases = cases.set_column(at, column, pa.array([value] * cases.num_rows, pa.string()))
    if panel:
        rows = restrict_to_panel(rows, list(panel))
        outside = tables.variants.num_rows - rows.num_rows
        dropped += [Dropped(read_input.form, "variant", "in no gene of the panel", outside)] if outside else []
        panels = {PANEL: list(panel)}
    return replace(read_input, tables=replace(tables, cases=cases, variants=rows, dropped=dropped, panels=panels))


# --- Panels ---

_BED_LINE = re.compile(r"^(chr)?[0-9XYMTxymt]{1,2}(_\S+)?[ \t]+[0-9]+[ \t]+[0-9]+")
_GENE_LIST = re.compile(r"^(gene_?list|genes?|gene_?symbols?|symbols?)\s*:\s*(.*)$", re.IGNORECASE)
_KEY = re.compile(r"^[A-Za-z_]+\s*:")
_PANEL_HELP = "write the symbols of the panel's genes, one per line"


def read_panel(path: Path) -> list[str]:
    """The genes of a panel under their current symbols.

    The file is a list of symbols separated by blanks, commas or lines, in which ``#`` begins a comment; a BED file with
    gene names in its fourth column; cBioPortal's gene panel, of which only the line ``gene_list`` counts; or a table
    with a column of genes. Raises ``InputError`` for a file without a gene, or in which most names are no known gene
    symbols.
    """
    lines = [line for _, line in delimited.lines(path)]
    rows = [line for line in lines if line.strip() and not line.startswith(("#", "track", "browser"))]
    if rows and all(_BED_LINE.match(line) for line in rows):
        words = _words_of_bed(path, rows)
    else:
        words = _words_of_table(path, rows) or _words_of_list(rows)
    known = known_genes()
    unknown = [word for word in words if word.upper() not in known]
    if not words:
        raise InputError(f"{path} names no gene: {_PANEL_HELP}")
    if 2 * len(unknown) > len(words):
        what = f"{len(unknown)} of {len(words)} names are no known gene symbols ({_shown(unknown, 3)})"
        raise InputError(f"{path}: {what}: {_PANEL_HELP}")
    return list(dict.fromkeys(known.get(word.upper(), word) for word in words))


def _words_of_bed(path: Path, rows: list[str]) -> list[str]:
    """The gene of each region: the first word of its name that is a symbol (TP53_exon2, ref|TP53,ref|NM_000546)."""
    known, genes = known_genes(), []
    for line in rows:
        fields = re.split(r"\t|\s+", line.strip())
        names = re.split(r"[;,|:_\s.()]+", fields[3]) if len(fields) > 3 else []
        # A symbol with a hyphen (HLA-A) before its parts.
        names += [part for name in names for part in name.split("-")]
        genes += [name for name in names if name.upper() in known][:1]
    if not genes:
        raise InputError(f"{path} is a BED file without gene names in its fourth column: add them, or {_PANEL_HELP}")
    return genes


def _words_of_table(path: Path, rows: list[str]) -> list[str]:
    """The column of genes, where the first line names one."""
    if len(rows) < 2 or not any(mark in rows[0] for mark in "\t,;"):
        return []
    file = DelimitedFile(path)
    genes = exports.LIST.present(file.names).get("gene")
    if not genes:
        return []
    return [word.strip() for word in file.read({genes[0]: TEXT})[genes[0]].to_pylist() if word.strip()]


def _words_of_list(rows: list[str]) -> list[str]:
    words = []
    stated = [match[2] for line in rows if (match := _GENE_LIST.match(line))]
    for line in stated or [line for line in rows if not _KEY.match(line)]:
        words += line.partition("#")[0].replace(",", " ").replace(";", " ").split()
    return words


def remarks(read_input: Input) -> dict[str, list[str]]:
    """Case to what a reader of its prediction must know of its input; no entry where there is nothing to say."""
    panels = read_input.tables.panels
    rows = read_input.tables.variants
    has_dna = pc.any(pc.not_equal(pc.cast(rows["dna"], pa.string()), "unknown")).as_py() or False
    burden = _counts(rows["case_id"])
    out: dict[str, list[str]] = {}
    for case_id, panel in zip(*(read_input.tables.cases[c].to_pylist() for c in ("case_id", "panel")), strict=True):
        said = []
        if read_input.form == FREE_TEXT or burden[case_id] < FEW_MUTATIONS:
            said.append("few mutations given: the burden counts these alone")
        if not has_dna:
            said.append("no DNA alleles given: the substitution spectrum is unknown")
        if panel:
            said.append(f"a panel of {len(panels[panel])} genes: the burden counts these alone")
        if case_id.lower() in NAMELESS:
            said.append(_NAMES_NO_SAMPLE)
        if said:
            out[case_id] = said
    return out


# --- What is wrong, row by row ---


def _blank(column: pa.Array) -> np.ndarray:
    return _mask(pc.equal(pc.utf8_trim_whitespace(_strings(column)), ""))


def _no_gene(column: pa.Array) -> np.ndarray:
    nothing = pa.array(["Unknown", *UNSTATED], pa.string())
    return _mask(pc.is_in(pc.utf8_trim_whitespace(_strings(column)), value_set=nothing))


def _no_alleles(column: pa.Array) -> np.ndarray:
    return matching(_coded(column), lambda text: not text.strip() or not set(text.strip().upper()) <= set("ACGT-"))


def _unknown_class(column: pa.Array) -> np.ndarray:
    return matching(_coded(column), lambda text: consequence_class(text) is None)


def _strings(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _coded(column: pa.Array) -> pa.DictionaryArray:
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def _mask(column: pa.Array) -> np.ndarray:
    return column.to_numpy(zero_copy_only=False)


_CHECKS: tuple[tuple[str, str, Callable[[pa.Array], np.ndarray]], ...] = (
    ("sample", "no sample: the row is ignored", _blank),
    ("gene", "no gene: the row is ignored", _no_gene),
    ("consequence", "consequence not recognised: the protein change decides", _unknown_class),
    ("protein_change", "protein change not readable: used without it", canonical.unreadable),
    ("reference", "alleles not written out: the DNA event is unknown", _no_alleles),
    ("alternative", "alleles not written out: the DNA event is unknown", _no_alleles),
)
"""Role of a column, what is said of a value that is wrong, and the mask of the values that are."""


def row_problems(read_input: Input) -> Iterator[Problem]:
    """What is wrong in the rows of a table, and what free text was not understood.

    ``line`` counts rows below the column names (lines, for free text). Rows that silent or non-coding variants fill are
    not looked at. Of a VCF, the counts in ``tables.dropped`` name the lines."""
    yield from read_input.problems
    for part in read_input.parts:
        yield from row_problems(replace(part, problems=[]))
    if read_input.layout is not None:
        yield from _of_rows(read_input.file, read_input.layout)
    elif read_input.form == TABLE and read_input.file is not None:
        for row, gene, word in table.unreadable_cells(read_input.file):
            yield Problem(row, f"column {gene}: {word[:40]!r} is no protein change and not WT: used without it")


def _of_rows(file: DelimitedFile, layout: Layout) -> Iterator[Problem]:
    present = layout.present(file.names)
    names = {role: present[role][0] for role, _, _ in _CHECKS if role in present}
    kinds = {name: layout.columns[role].kind for role, name in names.items()}
    needed = {name: kinds[name] for role, name in names.items() if role in ("sample", "gene")}
    for numbers, batch in file.numbered(needed, kinds, f"checking {file.path.name}"):
        rows = np.flatnonzero(_looked_at(batch, names))
        numbers, batch = numbers[rows], batch.take(pa.array(rows))
        wrong: dict[int, list[str]] = {}
        for role, says, is_wrong in _CHECKS:
            if role in names:
                column = batch.column(names[role])
                for i in np.flatnonzero(is_wrong(column)).tolist():
                    wrong.setdefault(i, []).append(f"{names[role]} {column[i].as_py()[:40]!r}: {says}")
        yield from (Problem(int(numbers[i]), what) for i in sorted(wrong) for what in wrong[i])


def _looked_at(batch: pa.RecordBatch, names: dict[str, str]) -> np.ndarray:
    """Mask of the rows that are neither silent nor non-coding, nor a second line of column names."""
    role = "sample" if "sample" in names else "gene"
    keep = ~equals(_coded(batch.column(names[role])), names[role])
    if "consequence" in names:
        masks = canonical.silent_and_non_coding(batch.column(names["consequence"]))
        keep &= ~np.logical_or.reduce(list(masks.values()))
    return keep


def _counts(column: pa.ChunkedArray) -> Counter[str]:
    """How often each text is in a column, in the order of their first rows."""
    values = pc.cast(column, pa.string()).value_counts()
    return Counter(dict(zip(values.field("values").to_pylist(), values.field("counts").to_pylist(), strict=True)))


def unused_columns(read_input: Input) -> list[str]:
    """Names of the columns that are not read, of a file with one mutation per row; empty for other forms."""
    if read_input.parts:
        return list(dict.fromkeys(name for part in read_input.parts for name in unused_columns(part)))
    if read_input.layout is None:
        return []
    used = {name for names in read_input.layout.present(read_input.file.names).values() for name in names}
    return [name for name in read_input.file.names if name not in used]


def unknown_genes(read_input: Input) -> list[tuple[str, int]]:
    """Symbols that are no known gene, with their variants, the most frequent first: no model can use them."""
    counts = _counts(read_input.tables.variants["gene"])
    known = known_genes()
    return [(gene, n) for gene, n in counts.most_common() if gene.upper() not in known]


def summary(read_input: Input, limit: int = 20) -> dict:
    """What the input holds, ready for JSON: name, form, samples, ``mutations`` used and their ``consequences``,
    samples ``without_mutation``, ``remarks`` with the number of samples, the ``account`` of every row (unit, total,
    used, left_out and not_understood by reason), what was ``ignored`` (what, reason, n, examples), ``unused_columns``,
    ``unknown_genes``, and the number of ``wrong_rows`` with the first ``limit``."""
    tables = read_input.tables
    seen = _counts(tables.variants["case_id"])
    wrong, n_wrong = [], 0
    for problem in row_problems(read_input):
        n_wrong += 1
        if len(wrong) < limit:
            wrong.append({"line": problem.line, "what": problem.what})
    said = Counter(remark for case in remarks(read_input).values() for remark in case)
    return {
        "name": read_input.name,
        "form": read_input.form,
        "samples": tables.cases.num_rows,
        "mutations": tables.variants.num_rows,
        "consequences": dict(_counts(tables.variants["consequence"]).most_common()),
        "without_mutation": [name for name in tables.cases["case_id"].to_pylist() if name not in seen],
        "remarks": dict(said.most_common()),
        "account": asdict(tables.account) if tables.account else None,
        "ignored": [asdict(dropped) | {"examples": list(dropped.examples)} for dropped in tables.dropped],
        "unused_columns": unused_columns(read_input),
        "unknown_genes": dict(unknown_genes(read_input)),
        "unit": "line" if read_input.form == FREE_TEXT else "row",
        "wrong_rows": n_wrong,
        "wrong": wrong,
    }


# --- What the user knows beside the mutations ---

OF_ONE_SEX = {"female": ("CESC", "OV", "UCEC"), "male": ("PRAD", "TGCT")}
"""Labels of organs that one sex alone has. Breast cancer is not among them: men get it too."""


def read_prior(path: Path) -> np.ndarray:
    """Label frequencies (26,), summing to 1, from a table of the columns label and share; a label that it leaves out
    has none.

    Raises ``InputError`` with the row for an unknown or repeated label and for a share that is no number from 0 up.
    """
    rows = delimited.read(path, {"label": TEXT, "share": pa.float64()})
    shares: dict[str, float] = {}
    for row, (label, share) in enumerate(zip(rows["label"].to_pylist(), rows["share"].to_pylist(), strict=True), 1):
        where, name = f"{path}: row {row} below the column names", label.strip().upper()
        if name not in LABELS:
            raise InputError(f"{where}: {label!r} is none of the 26 labels ({', '.join(LABELS)}): fix it")
        if name in shares:
            raise InputError(f"{where}: label {name} is there twice: keep one row")
        if share is None or not 0.0 <= share < np.inf:
            raise InputError(f"{where}: the share of {name} is {share}: write a number from 0 up")
        shares[name] = share
    if not (total := sum(shares.values())):
        raise InputError(f"{path} gives no label a share: write a row label,share for each cancer that can occur")
    return np.array([shares.get(label, 0.0) / total for label in LABELS])


def label_weights(
    cases: pa.Table, training_share: np.ndarray, prior: np.ndarray | None = None, *, rule_out: bool = False
) -> np.ndarray | None:
    """What multiplies the probabilities of each case, (n, 26): ``prior`` (26,) divided by ``training_share`` (26,),
    and with ``rule_out`` 0 for the labels that the case's sex rules out (``OF_ONE_SEX``). None where there is neither.
    """
    if prior is None and not rule_out:
        return None
    ratio = np.ones(len(LABELS)) if prior is None else prior / training_share
    weights = np.tile(ratio, (cases.num_rows, 1))
    for row, sex in enumerate(cases["sex"].to_pylist() if rule_out else []):
        for other in set(OF_ONE_SEX) - {sex or ""} if sex else ():
            weights[row, [LABELS.index(label) for label in OF_ONE_SEX[other]]] = 0.0
    return weights
