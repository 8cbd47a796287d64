"""A user's mutations in whatever form they come, with the files beside them: read as one input, and with names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from ..alterations.settings import CopyNumberLimits
from ..assays import recognition
from ..assays.recognition import Recognised
from ..errors import InputError
from ..sources import depmap, exports, free_text, maf, table, vcf
from ..sources.free_text import Problem
from ..sources.settings import ReadingLimits
from ..tables import delimited
from ..tables.columns import with_column
from ..tables.delimited import DelimitedFile
from ..tables.layout import Layout
from ..variants import canonical
from ..variants.cases import LIST, NOTHING, RowAccount, SourceTables, unlabelled
from ..variants.schema import SCHEMA
from . import assumed_assay, companions, paths, several, stated_panels
from .companions import Companion
from .forms import DEPMAP, FREE_TEXT, LARGEST_TEXT, MAF, PANELS, TABLE, TEXTS, VCF, recognised, shown
from .paths import HOW

SEVERAL, COMPANIONS_ALONE = "several forms", "no mutations"
"""Forms of inputs that are not one file of mutations."""


@dataclass(frozen=True)
class Input:
    """What a user gave: its ``form``, its ``name``, what was read, the ``problems`` met while reading (of free text;
    ``row_problems`` finds those of tables), the ``path`` (None for text given as such), and the ``file`` with its
    ``layout`` where it has one mutation per row. ``parts`` are the inputs that were given together, ``companions`` the
    files beside the mutations. ``assays`` has the assay of each case, why it is assumed, and whether that is certain.
    """

    form: str
    name: str
    tables: SourceTables
    problems: list[Problem]
    path: Path | None
    file: DelimitedFile | None = None
    layout: Layout | None = None
    parts: tuple["Input", ...] = ()
    assays: dict[str, Recognised] = field(default_factory=dict)
    companions: tuple[Companion, ...] = ()


def read(
    given: str | Sequence[str] = (),
    limits: ReadingLimits | None = None,
    *,
    assay: str | None = None,
    copy_number: Sequence[str | Path] = (),
    fusions: Sequence[str | Path] = (),
    spectra: Sequence[str | Path] = (),
    build: str | None = None,
    purity: float | Mapping[str, float] | None = None,
    copy_number_limits: CopyNumberLimits | Mapping[str, float] | str | None = None,
    tumor: str | None = None,
    normal: str | None = None,
    genome: Path | None = None,
    gff: Path | None = None,
    rename: dict[str, str] | None = None,
) -> Input:
    """Read a file by its path, whatever its form, or ``given`` itself where it is text and not a path; several paths
    are read as one input, in which samples of the same name are one case.

    ``limits`` against inherited and poorly supported variants hold for files without a matched normal. ``assay`` (a
    name that ``assays.assay.named`` lists, or a file of genes) says what was sequenced in every sample; without it, it
    is what a file of panels among ``given`` states (``stated_panels``), or recognised. ``copy_number`` and ``fusions``
    are files of these in any layout that ``sources.copy_number`` and ``sources.fusions`` read, ``spectra`` matrices of
    ``sources.spectra``; their samples are matched by name. These files may be given alone: their samples are then the
    cases, whose mutations were not looked at.
    ``build`` ("hg19" or "hg38") is that of segments, where their ends leave it open and the mutations do not state it;
    ``purity`` (0 to 1) that of the only sample of the files of copy number, or of each sample by its name;
    ``copy_number_limits`` what counts as gained or lost (``alterations.settings.limits_of``).
    ``tumor`` and ``normal`` name samples of a VCF, ``genome`` and ``gff`` serve to annotate one (``sources.vcf``),
    and ``genome`` gives the bases around the variants of a MAF that lacks them.
    ``rename`` maps a sample's name in the file to the one that it gets.

    Raises ``InputError`` for a file that is missing, damaged, of no known form or without a case, for an assay that is
    not known, and for a sample to rename that is not there.
    """
    options = {"tumor": tumor, "normal": normal, "genome": genome, "gff": gff}
    options = {name: value for name, value in options.items() if value is not None}
    each = [given] if isinstance(given, str) else list(given)
    if not each and not (copy_number or fusions or spectra):
        raise InputError(f"no mutations, copy number, fusions or spectra are given. {HOW}")
    chosen = assumed_assay.chosen(assay) if assay else None
    # The small files first: a mistake in them shows before a large file is read.
    files = [Path(one) for one in each if paths.exists(Path(one))]
    how = {"build": build, "purity": purity, "limits": copy_number_limits}
    beside = companions.read(copy_number, fusions, spectra, mutations=files, **how)
    found = _with_stated_panels([_read_one(one, limits or ReadingLimits(), options) for one in each])
    inputs = [assumed_assay.assumed(one, chosen) for one in found]
    inputs = renamed(inputs, rename) if rename and inputs else inputs
    whole = _with_companions(_together(inputs) if inputs else _alone(beside), beside)
    return renamed([whole], rename)[0] if rename and not inputs else whole


def read_texts(
    texts: Mapping[str, str],
    limits: ReadingLimits | None = None,
    *,
    assay: str | None = None,
    copy_number: Sequence[str | Path] = (),
    fusions: Sequence[str | Path] = (),
    spectra: Sequence[str | Path] = (),
    build: str | None = None,
    purity: float | Mapping[str, float] | None = None,
    copy_number_limits: CopyNumberLimits | Mapping[str, float] | str | None = None,
) -> Input:
    """Read the mutations of each sample from its text: ``texts`` maps a sample's name, whatever it is, to what ``read``
    takes as text. The options are those of ``read``.

    Raises ``InputError`` as ``read`` does, for no text at all, and for a text that holds several samples."""
    if not texts:
        raise InputError(f"no mutations are given. {HOW}")
    chosen = assumed_assay.chosen(assay) if assay else None
    how = {"build": build, "purity": purity, "limits": copy_number_limits}
    beside = companions.read(copy_number, fusions, spectra, **how)
    inputs = []
    for name, text in texts.items():
        if not isinstance(text, str):
            raise InputError(f"sample {name}: a text of mutations is wanted, not {type(text).__name__}")
        one = _checked(_read_text(text.splitlines(), name, None, limits or ReadingLimits()))
        if len(own := one.tables.cases["case_id"].to_pylist()) > 1:
            raise InputError(f"sample {name}: its text holds {len(own)} samples ({shown(own)}): give each its own")
        inputs.append(assumed_assay.assumed(several.with_case_names(one, {own[0]: name}), chosen))
    return _with_companions(_together(inputs), beside)


def _with_stated_panels(found: list[Input]) -> list[Input]:
    """The inputs of mutations, with the panels that the other files state for their samples."""
    statements = [each for each in found if each.form == PANELS]
    inputs = [each for each in found if each.form != PANELS]
    if not statements:
        return inputs
    if not inputs:
        raise InputError(
            f"{statements[0].path} states the panels of samples and no mutations: give it together with the file of "
            "their mutations"
        )
    panels = {name: panel for each in statements for name, panel in stated_panels.of_samples(each.file).items()}
    cases = [name for each in inputs for name in each.tables.cases["case_id"].to_pylist()]
    inputs = [replace(each, tables=stated_panels.applied(each.tables, panels)) for each in inputs]
    missing = stated_panels.without_mutations(panels, cases)
    first = replace(inputs[0].tables, dropped=[*inputs[0].tables.dropped, *missing])
    return [replace(inputs[0], tables=first), *inputs[1:]]


def _with_companions(whole: Input, beside: Sequence[Companion]) -> Input:
    if not beside:
        return whole
    tables, matched = companions.matched(whole.tables, beside)
    # A file of fusions may state a mutation of a case whose mutations were not looked at.
    assays = {
        case: recognition.typed() if panel == LIST and whole.assays[case].assay.name == NOTHING else whole.assays[case]
        for case, panel in _case_panels(tables.cases)
    }
    return replace(whole, tables=tables, companions=matched, assays=assays)


def _alone(beside: Sequence[Companion]) -> Input:
    """The input of copy number, fusions and spectra without mutations."""
    tables = companions.cases_of(beside)
    if not tables.cases.num_rows:
        names = ", ".join(each.name for each in beside)
        raise InputError(f"{names}: no sample of tumour tissue, so there is no case: check the names of the samples")
    name = ", ".join(each.name for each in beside)
    return assumed_assay.assumed(Input(COMPANIONS_ALONE, name, tables, [], None), None)


def _read_one(given: str, limits: ReadingLimits, options: dict) -> Input:
    paths.check(given)
    if paths.exists(Path(given)):
        found = _read_file(Path(given), limits, options)
        return found if found.form == PANELS else _checked(found)
    # A shell passes on a backslash and an n where a line's end is meant.
    return _checked(_read_text(given.replace("\\n", "\n").splitlines(), "text", None, limits))


def _read_file(path: Path, limits: ReadingLimits, options: dict) -> Input:
    what = recognised(path)
    if what.form == FREE_TEXT:
        return _read_text_file(path, limits)
    if what.form == TEXTS:
        tables, problems = free_text.read_named(exports.named_texts(what.file))
        return Input(TEXTS, path.name, tables, problems, path, what.file)
    if what.form == PANELS:
        return Input(PANELS, path.name, SourceTables(unlabelled([], PANELS, "tumour"), SCHEMA.empty_table()), [], path,
                     what.file)  # fmt: skip
    if what.form == VCF:
        return Input(VCF, path.name, vcf.read(path, limits, **options), [], path)
    if what.form == TABLE:
        return Input(TABLE, path.name, table.read_file(what.file), [], path, what.file)
    if what.form == MAF:
        return Input(MAF, path.name, maf.read(what.file, options.get("genome")), [], path, what.file, maf.LAYOUT)
    if what.form == DEPMAP:
        return Input(DEPMAP, path.name, depmap.read_lines(what.file, limits), [], path, what.file, depmap.MUTATIONS)
    tables = exports.read(what.file, what.export, limits)
    return Input(what.form, path.name, tables, [], path, what.file, what.export.layout)


def _read_text_file(path: Path, limits: ReadingLimits) -> Input:
    if path.stat().st_size > LARGEST_TEXT:
        raise InputError(f"{path} is of no known form, and too large to be a text of mutations. {HOW}")
    lines = [line for _, line in delimited.lines(path)]
    first = next(line for line in lines if line.strip())
    # The columns of a table that is not known would be read as one sample's words, all rows thrown together.
    if len(lines) > 1 and "," in first and ":" not in first and not free_text.read([first])[0].variants.num_rows:
        raise InputError(f"{path}: line 1: no known layout has the columns {shown(first.split(','))}. {HOW}")
    name = path.name.lower().removesuffix(".gz").removesuffix(".txt") or path.name
    return _read_text(lines, name, path, limits)


def _read_text(lines: list[str], name: str, path: Path | None, limits: ReadingLimits) -> Input:
    unnamed = DelimitedFile(path or Path(name))
    columns = exports.headless_list(lines, unnamed) if len(lines) > 1 else None
    if columns is None and len(stated := [line for line in lines if line.strip()]) == 1:
        columns = exports.headless_list_on_one_line(stated[0], unnamed)
    if columns is not None:
        export = exports.Export(exports.LIST, frozenset())
        return Input(exports.LIST.name, name, exports.read(columns, export, limits), [], path, columns, exports.LIST)
    tables, problems = free_text.read(lines, name)
    if problems and not tables.variants.num_rows and not _anything_understood(tables):
        where = path or "text"
        raise InputError(
            f"{where}: line {problems[0].line}: {problems[0].what}; nothing else in it is a mutation. {HOW}"
        )
    return Input(FREE_TEXT, name, tables, problems, path)


def _anything_understood(tables: SourceTables) -> bool:
    """Whether a text without a mutation says so ("KRAS wild type"), which is no reason to refuse it."""
    account = tables.account
    return account is not None and account.used + sum(account.left_out.values()) > 0


def _checked(read_input: Input) -> Input:
    if not read_input.tables.cases.num_rows:
        raise InputError(f"{read_input.path or 'the text'} holds no case: {HOW}")
    return read_input


# --- Several files, and other names ---


def _together(parts: list[Input]) -> Input:
    if len(parts) == 1:
        return parts[0]
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
        assays=_assays(tables.cases, parts),
    )


def _assays(cases: pa.Table, parts: Sequence[Input]) -> dict[str, Recognised]:
    """The assay of each case: of the first file with the case's panel."""
    found: dict[tuple[str, str | None], Recognised] = {}
    for part in parts:
        for case_id, panel in _case_panels(part.tables.cases):
            found.setdefault((case_id, panel), part.assays[case_id])
    return {case_id: found[case_id, panel] for case_id, panel in _case_panels(cases)}


def _case_panels(cases: pa.Table) -> list[tuple[str, str | None]]:
    return list(zip(cases["case_id"].to_pylist(), cases["panel"].to_pylist(), strict=True))


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
            raise InputError(f"no sample {old!r} to rename: the input has {shown(names)}")
    return [_renamed(each, new_names) for each in inputs]


def _renamed(read_input: Input, rename: Mapping[str, str]) -> Input:
    tables = read_input.tables
    new = [rename.get(name, name) for name in tables.cases["case_id"].to_pylist()]
    twice = [name for name, n in Counter(new).items() if n > 1]
    if twice or "" in new:
        what = f"two samples would be named {twice[0]!r}" if twice else "a sample would have no name"
        raise InputError(f"{what}: choose another name")
    return several.with_case_names(read_input, rename)


def with_facts(read_input: Input, *, kind: str | None = None, sex: str | None = None) -> Input:
    """The same with what the user adds for every case: ``kind`` ("tumour" or "cell line") and ``sex`` ("female" or
    "male"); each replaces what the file says."""
    cases = read_input.tables.cases
    for column, value in (("kind", kind), ("sex", sex)):
        if value:
            cases = with_column(cases, column, pa.array([value] * cases.num_rows, pa.string()))
    return replace(read_input, tables=replace(read_input.tables, cases=cases))
