"""A user's mutations in whatever form they come: recognised, read, checked row by row, and told what is missing."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..cohort.settings import Cohort
from ..errors import InputError
from ..features.features import restrict_to_panel
from ..labels import LABELS
from ..sources import depmap, free_text, table, tcga, vcf
from ..sources.free_text import Problem
from ..tables import delimited
from ..tables.columns import matching
from ..tables.delimited import TEXT
from ..variants import canonical
from ..variants.cases import Dropped, SourceTables
from ..variants.consequences import consequence_class
from ..variants.genes import current_symbol, known_genes
from ..variants.protein_changes import is_unstated, parse_protein_change

MAF, DEPMAP, TABLE, VCF, FREE_TEXT = "MAF", "DepMap mutations", "wide table", "annotated VCF", "free text"
FORMS = (MAF, DEPMAP, TABLE, VCF, FREE_TEXT)

FEW_MUTATIONS = 10
"""A case with fewer says so beside its prediction: the models saw mostly whole exomes."""

PANEL = "given"
_LARGEST_TEXT = 16 << 20
_FILE_ENDINGS = (".maf", ".vcf", ".csv", ".tsv", ".txt", ".gz", ".bgz", ".xlsx", ".json", ".parquet", ".zip")
_HOW = (
    "Give a MAF, DepMap's OmicsSomaticMutations.csv, a table with a column ID and one column a gene, a VCF annotated "
    'by VEP or SnpEff, or text such as "BRAF V600E, CDKN2A R80*"'
)


@dataclass(frozen=True)
class Input:
    """What a user gave: its ``form`` (one of ``FORMS``), its ``name``, what was read, the ``problems`` met while
    reading (of free text; ``row_problems`` finds those of tables), and the ``path``, None for text given as such."""

    form: str
    name: str
    tables: SourceTables
    problems: list[Problem]
    path: Path | None


def read(given: str, settings: Cohort | None = None) -> Input:
    """Read a file by its path, whatever its form, or ``given`` itself where it is text and not a path.

    Limits of ``settings`` against inherited variants hold for DepMap's layout and for VCF. Raises ``InputError`` for a
    file that is missing, damaged, of no known form or without a case.
    """
    settings = settings or Cohort()
    path = Path(given)
    if not _exists(path):
        if _looks_like_a_path(given):
            raise InputError(f"{given} is not there: check the path. {_HOW}")
        return _checked(_read_text(given.splitlines(), "text", None))
    if path.is_dir():
        raise InputError(f"{given} is a folder: give one file")
    form = recognise(path)
    if form == FREE_TEXT:
        return _checked(_read_text_file(path))
    read_form = {
        MAF: tcga.read_samples,
        DEPMAP: lambda p: depmap.read_lines(p, settings),
        TABLE: lambda p: table.read(p, settings, labelled=False),
        VCF: lambda p: vcf.read(p, settings),
    }[form]
    return _checked(Input(form, path.name, read_form(path), [], path))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a text too long, or with a character that no file name may hold
        return False


def _looks_like_a_path(given: str) -> bool:
    return given.lower().endswith(_FILE_ENDINGS) or ("/" in given and not any(c in given for c in " ,;\n"))


def recognise(path: Path) -> str:
    """The form of a file, told by its first lines; ``FREE_TEXT`` for any that is no known table.

    Raises ``InputError`` for an empty or damaged file, and for a table of a layout that is not known.
    """
    start = list(islice(delimited.lines(path), 50))
    first = next((line for _, line in start if line.strip()), "")
    if not first:
        raise InputError(f"{path} holds no text: {_HOW}")
    if first.startswith(("##fileformat=VCF", "##INFO", "#CHROM")):
        return VCF
    if all(line.startswith("#") or not line.strip() for _, line in start):
        return FREE_TEXT
    top = delimited.header(path)
    names = set(top.names)
    if "Tumor_Sample_Barcode" in names or ".maf" in path.name.lower():
        return MAF
    if "ModelID" in names:
        if "HugoSymbol" not in names:
            raise InputError(f"{path} has a column ModelID but no HugoSymbol: give OmicsSomaticMutations.csv")
        return DEPMAP
    if len(names) > 1 and "ID" in {name.upper() for name in names}:
        return TABLE
    if top.delimiter == "\t" and len(names) > 1:
        raise InputError(f"{path}: line {top.line}: no known layout has the columns {_shown(top.names)}. {_HOW}")
    return FREE_TEXT


def _shown(names: Sequence[str], n: int = 6) -> str:
    return ", ".join(names[:n]) + (f" and {len(names) - n} more" if len(names) > n else "")


def _read_text_file(path: Path) -> Input:
    if path.stat().st_size > _LARGEST_TEXT:
        raise InputError(f"{path} is of no known form, and too large to be a text of mutations. {_HOW}")
    lines = [line for _, line in delimited.lines(path)]
    first = next(line for line in lines if line.strip())
    # The columns of a table that is not known would be read as one sample's words, all rows thrown together.
    if len(lines) > 1 and "," in first and ":" not in first and not free_text.read([first])[0].variants.num_rows:
        raise InputError(f"{path}: line 1: no known layout has the columns {_shown(first.split(','))}. {_HOW}")
    name = path.name.lower().removesuffix(".gz").removesuffix(".txt") or path.name
    return _read_text(lines, name, path)


def _read_text(lines: list[str], name: str, path: Path | None) -> Input:
    tables, problems = free_text.read(lines, name)
    if problems and not tables.variants.num_rows:
        where = path or "text"
        raise InputError(
            f"{where}: line {problems[0].line}: {problems[0].what}; nothing else in it is a mutation. {_HOW}"
        )
    return Input(FREE_TEXT, name, tables, problems, path)


def _checked(found: Input) -> Input:
    if not found.tables.cases.num_rows:
        raise InputError(f"{found.path or 'the text'} holds no case: {_HOW}")
    return found


def told(found: Input, *, kind: str | None = None, sex: str | None = None, panel: Sequence[str] | None = None) -> Input:
    """The same with what the user adds for every case: ``kind`` ("tumour" or "cell line"), ``sex`` ("female" or
    "male") and the genes of the ``panel`` that was sequenced (``read_panel``); each replaces what the file says.
    Variants outside the panel are left out."""
    tables = found.tables
    cases, rows, panels, dropped = tables.cases, tables.variants, tables.panels, list(tables.dropped)
    for column, value in (("kind", kind), ("sex", sex), ("panel", PANEL if panel else None)):
        if value:
            at = cases.schema.get_field_index(column)
            cases = cases.set_column(at, column, pa.array([value] * cases.num_rows, pa.string()))
    if panel:
        rows = restrict_to_panel(rows, list(panel))
        outside = tables.variants.num_rows - rows.num_rows
        dropped += [Dropped(found.form, "variant", "in no gene of the panel", outside)] if outside else []
        panels = {PANEL: list(panel)}
    return replace(found, tables=replace(tables, cases=cases, variants=rows, dropped=dropped, panels=panels))


def read_panel(path: Path) -> list[str]:
    """The genes of a panel under their current symbols, from a file of names parted by blanks, commas or lines;
    ``#`` begins a comment.

    Raises ``InputError`` for a file without a gene, or in which most names are no known gene symbols.
    """
    known = known_genes()
    words = [
        word
        for _, line in delimited.lines(path)
        for word in line.partition("#")[0].replace(",", " ").replace(";", " ").split()
    ]
    unknown = [word for word in words if word.upper() not in known]
    if not words:
        raise InputError(f"{path} names no gene: write the symbols of the panel's genes, one a line")
    if 2 * len(unknown) > len(words):
        what = f"{len(unknown)} of {len(words)} names are no known gene symbols ({_shown(unknown, 3)})"
        raise InputError(f"{path}: {what}: write the symbols of the panel's genes, one a line")
    return list(dict.fromkeys(known.get(word.upper(), word) for word in words))


def remarks(found: Input) -> dict[str, list[str]]:
    """Case to what a reader of its prediction must know of its input; no entry where there is nothing to say."""
    panels = found.tables.panels
    rows = found.tables.variants
    has_dna = pc.any(pc.not_equal(pc.cast(rows["dna"], pa.string()), "unknown")).as_py() or False
    burden = Counter(pc.cast(rows["case_id"], pa.string()).to_pylist())
    out: dict[str, list[str]] = {}
    for case_id, panel in zip(*(found.tables.cases[c].to_pylist() for c in ("case_id", "panel")), strict=True):
        said = []
        if found.form == FREE_TEXT or burden[case_id] < FEW_MUTATIONS:
            said.append("few mutations given: the burden counts these alone")
        if not has_dna:
            said.append("no DNA alleles given: the substitution spectrum is unknown")
        if panel:
            said.append(f"a panel of {len(panels[panel])} genes: the burden counts these alone")
        if said:
            out[case_id] = said
    return out


# --- What is wrong, row by row ---


@dataclass(frozen=True)
class _Check:
    """A column to look at, what is said of a value that is wrong, and the test for it."""

    column: str
    says: str
    is_wrong: Callable[[str], bool]


def _unreadable(text: str) -> bool:
    return not is_unstated(text) and parse_protein_change(text) is None


def _no_alleles(text: str) -> bool:
    return not set(text.strip().upper()) <= set("ACGT-") or not text.strip()


def _unknown_class(text: str) -> bool:
    return consequence_class(text) is None


def _checks(form: str, names: Sequence[str]) -> tuple[str, list[_Check]]:
    """The column of consequences, and the checks of a MAF or of DepMap's layout."""
    if form == MAF:
        sample, gene, alleles = "Tumor_Sample_Barcode", "Hugo_Symbol", ("Reference_Allele", "Tumor_Seq_Allele2")
        consequence, protein = "Variant_Classification", next(n for n in tcga.PROTEIN_CHANGES if n in names)
    else:
        sample, gene, alleles, protein = "ModelID", "HugoSymbol", ("Ref", "Alt"), "ProteinChange"
        consequence = next(n for n in ("VariantInfo", "MolecularConsequence") if n in names)
    return consequence, [
        _Check(sample, "no sample: the row is ignored", lambda text: not text.strip()),
        _Check(gene, "no gene: the row is ignored", lambda text: not current_symbol(text)),
        _Check(consequence, "consequence not recognised: the protein change decides", _unknown_class),
        _Check(protein, "protein change not readable: used without it", _unreadable),
        *(_Check(name, "alleles not written out: the DNA event is unknown", _no_alleles) for name in alleles),
    ]


def row_problems(found: Input) -> Iterator[Problem]:
    """What is wrong in the rows of a MAF, DepMap's layout or a wide table, and what free text was not understood.

    ``line`` counts rows below the column names (lines, for free text). Rows that silent or non-coding variants fill are
    not looked at. Of a VCF, the counts in ``tables.dropped`` name the lines."""
    yield from found.problems
    if found.form in (MAF, DEPMAP):
        yield from _of_rows(found.path, found.form)
    elif found.form == TABLE:
        yield from _of_cells(found.path)


def _of_rows(path: Path, form: str) -> Iterator[Problem]:
    consequence, checks = _checks(form, delimited.header(path).names)
    columns = dict.fromkeys((check.column for check in checks), TEXT)
    row = 0
    for batch in delimited.DelimitedFile(path).batches(columns, description=f"checking {path.name}"):
        looked_at = canonical.tells(batch.column(consequence), Counter())
        wrong: dict[int, list[str]] = {}
        for check in checks:
            column = batch.column(check.column)
            for i in np.flatnonzero(matching(column, check.is_wrong) & looked_at).tolist():
                value = column[i].as_py()
                wrong.setdefault(i, []).append(f"{check.column} {value[:40]!r}: {check.says}")
        yield from (Problem(row + i + 1, what) for i in sorted(wrong) for what in wrong[i])
        row += batch.num_rows


def _of_cells(path: Path) -> Iterator[Problem]:
    for row, gene, change in table.cells(path):
        if _unreadable(change):
            yield Problem(row, f"column {gene}: {change[:40]!r} is no protein change and not WT: used without it")


def unused_columns(found: Input) -> list[str]:
    """Names of the columns of a MAF or DepMap's layout that are not read; empty for other forms."""
    if found.form not in (MAF, DEPMAP):
        return []
    read_too = (*tcga.COLUMNS, *depmap.COLUMNS)
    return [name for name in delimited.header(found.path).names if name not in read_too]


def unknown_genes(found: Input) -> list[tuple[str, int]]:
    """Symbols that are no known gene, with their variants, the most frequent first: no model can use them."""
    counts = Counter(pc.cast(found.tables.variants["gene"], pa.string()).to_pylist())
    known = known_genes()
    return [(gene, n) for gene, n in counts.most_common() if gene.upper() not in known]


def summary(found: Input, limit: int = 20) -> dict:
    """What the input holds, ready for JSON: name, form, samples, ``mutations`` used and their ``consequences``,
    samples ``without_mutation``, ``remarks`` with the number of samples, what was ``ignored`` (what, reason, n,
    examples), ``unused_columns``, ``unknown_genes``, and the number of ``wrong_rows`` with the first ``limit``."""
    tables = found.tables
    texts = {name: pc.cast(tables.variants[name], pa.string()).to_pylist() for name in ("case_id", "consequence")}
    seen = set(texts["case_id"])
    wrong, n_wrong = [], 0
    for problem in row_problems(found):
        n_wrong += 1
        if len(wrong) < limit:
            wrong.append({"line": problem.line, "what": problem.what})
    return {
        "name": found.name,
        "form": found.form,
        "samples": tables.cases.num_rows,
        "mutations": tables.variants.num_rows,
        "consequences": dict(Counter(texts["consequence"]).most_common()),
        "without_mutation": [name for name in tables.cases["case_id"].to_pylist() if name not in seen],
        "remarks": dict(Counter(remark for said in remarks(found).values() for remark in said).most_common()),
        "ignored": [asdict(dropped) | {"examples": list(dropped.examples)} for dropped in tables.dropped],
        "unused_columns": unused_columns(found),
        "unknown_genes": dict(unknown_genes(found)),
        "unit": "line" if found.form == FREE_TEXT else "row",
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
            raise InputError(f"{where}: {label!r} is none of the 26 labels ({', '.join(LABELS)}): mend it")
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
