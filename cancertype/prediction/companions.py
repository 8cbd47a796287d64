"""The files beside the mutations: copy number, fusions and spectra, read, matched to the samples and accounted for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from ..alterations.combine import (
    assign,
    for_cases,
    is_normal_tissue,
    merge,
    one_spelling,
    samples_of,
    under_names,
    unmatched,
)
from ..alterations.schema import Alterations
from ..alterations.settings import CopyNumberLimits, limits_of
from ..errors import InputError
from ..sources import builds, free_text
from ..sources import copy_number as copy_numbers
from ..sources import fusions as fusion_files
from ..sources import spectra as spectrum_files
from ..sources.alteration_file import AlterationFile
from ..sources.copy_number_segments import UndecidedBuild
from ..sources.spectra import SPECTRA
from ..tables.columns import with_column
from ..variants.cases import LIST, NOTHING, Dropped, RowAccount, SourceTables, unlabelled
from ..variants.schema import SCHEMA
from .several import NAMES_OF_ANYBODY

KINDS = COPY_NUMBER, FUSIONS, SPECTRUM = "copy number", "fusions", "spectra"
_EXAMPLES = 5
_SAME_EVENT = ("case_id", "gene", "consequence")
"""Columns by which a mutation that two files state counts once: an event within one gene has no protein change."""
_NO_SPECTRUM_TWICE = "the case has such a spectrum from an earlier file"


@dataclass(frozen=True)
class Companion:
    """A file beside the mutations: ``what`` it holds ("copy number", "fusions", "spectra"), its ``samples``, by the
    names that it gives them, and the content: ``alterations``, or for spectra a table of ``SPECTRA``. ``variants`` are
    small mutations that a file of fusions states (``SCHEMA``). ``withdrawn`` maps samples whose copy number counts as
    not looked at to the reason; they are among the ``samples``. ``not_used`` is the same for cases, once matched.

    ``account``, ``dropped`` and ``notes`` are the reader's. ``unmatched`` maps the reason why samples belong to no case
    to their names; ``taken_for`` is the only case, where the file's only sample was taken for it whatever its name."""

    what: str
    name: str
    samples: tuple[str, ...]
    alterations: Alterations | None = None
    spectra: pa.Table | None = None
    variants: pa.Table = field(default_factory=SCHEMA.empty_table)
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    not_used: Mapping[str, str] = field(default_factory=dict)
    account: RowAccount | None = None
    dropped: tuple[Dropped, ...] = ()
    notes: dict = field(default_factory=dict)
    unmatched: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    taken_for: str | None = None


def read(
    copy_number: Iterable[str | Path],
    fusions: Iterable[str | Path],
    spectra: Iterable[str | Path],
    *,
    build: str | None = None,
    purity: float | Mapping[str, float] | None = None,
    limits: CopyNumberLimits | Mapping[str, float] | str | None = None,
    mutations: Sequence[Path] = (),
) -> list[Companion]:
    """Read the files. ``build``, ``purity`` and ``limits`` are those of ``sources.copy_number.read``. Where the
    segments of a file leave the build open and none is given, that of the files of ``mutations`` counts, if they state
    one.

    Raises ``InputError`` with file, line and column for what cannot be read, for one ``purity`` of a file with several
    samples, and where these options come without copy number."""
    files = _files(copy_number)
    options = {"build": build, "purity": purity, "limits": limits}
    if not files and (stated := [name for name, value in options.items() if value is not None]):
        raise InputError(f"the {stated[0]} says how to read copy number, and no such file is given: add --copy-number")
    options["limits"] = limits_of(limits)
    found = [_of_alterations(COPY_NUMBER, path, _read_copy_number(path, options, mutations)) for path in files]
    if isinstance(purity, int | float):
        for each in found:
            if len(each.samples) > 1:
                raise InputError(
                    f"{each.name} holds {len(each.samples)} samples, and the purity of one is given: give a file of "
                    "that sample alone, or in Python a mapping from each sample to its purity"
                )
    found += [_of_alterations(FUSIONS, path, fusion_files.read(path, events=True)) for path in _files(fusions)]
    for path in _files(spectra):
        read_file = spectrum_files.read([path], case_of=str)
        names = tuple(dict.fromkeys(read_file.table["case_id"].to_pylist()))
        kinds = ", ".join(dict.fromkeys(read_file.table["kind"].to_pylist()))
        found.append(
            Companion(
                SPECTRUM, path.name, names, spectra=read_file.table, dropped=tuple(read_file.dropped),
                notes={"layout": kinds},
            )
        )  # fmt: skip
    return found


def _read_copy_number(path: Path, options: Mapping, mutations: Sequence[Path]) -> AlterationFile:
    try:
        return copy_numbers.read(path, **options)
    except UndecidedBuild:
        if (build := builds.stated(mutations)) is None:
            raise
    found = copy_numbers.read(path, **{**options, "build": build})
    return found._replace(notes=found.notes | {"build": f"{build}, as the file of mutations states"})


def _files(paths: Iterable[str | Path]) -> list[Path]:
    files = [Path(path) for path in paths]
    for path in files:
        if not path.is_file():
            what = "is a folder: give one file" if path.is_dir() else "is not there: check the path"
            raise InputError(f"{path} {what}")
    return files


def _of_alterations(what: str, path: Path, found: AlterationFile) -> Companion:
    return Companion(
        what,
        path.name,
        tuple(sorted({*samples_of(found.alterations), *found.withdrawn, *found.silent, *dict(found.events)})),
        alterations=found.alterations,
        variants=free_text.read_named(found.events)[0].variants,
        withdrawn=found.withdrawn,
        account=found.account,
        dropped=tuple(found.dropped),
        notes=found.notes,
    )


# --- Cases without mutations ---


def cases_of(beside: Sequence[Companion]) -> SourceTables:
    """The samples of the files as cases whose mutations were not looked at (panel ``NOTHING``).

    Spellings of one TCGA sample are one case, under the first of them; normal tissue is none."""
    named: dict[str, str] = {}
    for each in beside:
        for sample in each.samples:
            if not is_normal_tissue(sample):
                named.setdefault(one_spelling(sample), sample)
    cases = unlabelled(list(named.values()), "alterations", "tumour")
    cases = with_column(cases, "panel", pa.array([NOTHING] * cases.num_rows, pa.string()))
    return SourceTables(cases, SCHEMA.empty_table(), panels={NOTHING: []})


# --- Matching ---


def matched(tables: SourceTables, beside: Sequence[Companion]) -> tuple[SourceTables, tuple[Companion, ...]]:
    """``tables`` with the alterations and spectra of their cases, and the files with what matched no case.

    Samples belong to cases by the rules of ``alterations.combine.for_cases``. Where there is one case whose name names
    nobody (typed text, ``TUMOR``), a file's only sample is taken for it. Of two calls for the same, that of the
    mutations' own text stands, then that of the earlier file. What matched no case is in ``dropped`` too.

    A case gets the small mutations of its file of fusions, unless it has one of that gene and consequence already;
    where its mutations were not looked at, it then counts as a list."""
    cases = tables.cases["case_id"].to_pylist()
    beside = [_for_the_only_case(each, cases) for each in beside]
    stated = [tables.alterations] if tables.alterations is not None else []
    dropped, missing = list(tables.dropped), {}
    for what in (COPY_NUMBER, FUSIONS):
        whole = merge(*(each.alterations for each in beside if each.what == what))
        if any(each.what == what for each in beside):
            stated.append(for_cases(whole, cases)[0])
        missing[what] = unmatched(whole, cases) | _without_data(beside, what, whole, cases)
    matrices = [each for each in beside if each.what == SPECTRUM]
    spectra, repeated = _spectra(matrices, cases)
    missing[SPECTRUM] = assign((name for each in matrices for name in _names(each)), cases)[1]
    for what, reasons in missing.items():
        dropped += [Dropped(what, "sample", why, len(names), names[:_EXAMPLES]) for why, names in _by_reason(reasons)]
    if repeated:
        dropped.append(Dropped(SPECTRUM, "spectrum", _NO_SPECTRUM_TWICE, len(repeated), tuple(repeated[:_EXAMPLES])))
    beside = [replace(each, unmatched=dict(_by_reason(_own(missing[each.what], each)))) for each in beside]
    alterations = merge(*stated) if stated else None
    beside = [replace(each, not_used=_not_used(each, alterations, cases)) for each in beside]
    tables = _with_variants(tables, [each.variants for each in beside])
    return replace(tables, alterations=alterations, spectra=spectra, dropped=dropped), tuple(beside)


def _without_data(beside: Sequence[Companion], what: str, whole: Alterations, cases: Sequence[str]) -> dict[str, str]:
    """The samples without a case of which the files of ``what`` hold nothing that is used, with the reason."""
    silent = {name for each in beside if each.what == what for name in _names(each)} - set(samples_of(whole))
    return assign(silent, cases)[1]


def _not_used(each: Companion, alterations: Alterations | None, cases: Sequence[str]) -> dict[str, str]:
    """The cases whose copy number was withdrawn, with the reason, unless another file or the text gives them some."""
    if not each.withdrawn:
        return {}
    known = {name for table in (alterations.arms, alterations.genes) for name in table["case_id"].unique().to_pylist()}
    of_sample = assign(each.withdrawn, cases)[0]
    reasons = {case: each.withdrawn[sample] for sample, own in of_sample.items() for case in own}
    return {case: reason for case, reason in reasons.items() if case not in known}


def _with_variants(tables: SourceTables, parts: Sequence[pa.Table]) -> SourceTables:
    """``tables`` with the variants of the files' samples that belong to a case."""
    rows = [row for part in parts for row in part.to_pylist()]
    if not rows:
        return tables
    names, panels = (tables.cases[column].to_pylist() for column in ("case_id", "panel"))
    of_sample = assign((row["case_id"] for row in rows), names)[0]
    columns = (tables.variants[column].to_pylist() for column in _SAME_EVENT)
    known = set(zip(*columns, strict=True))
    added = []
    for row in (one | {"case_id": case} for one in rows for case in of_sample.get(one["case_id"], ())):
        if (event := tuple(row[column] for column in _SAME_EVENT)) not in known:
            known.add(event)
            added.append(row)
    stated = {row["case_id"] for row in added}
    own = [LIST if panel == NOTHING and name in stated else panel for name, panel in zip(names, panels, strict=True)]
    variants = pa.concat_tables([tables.variants, pa.Table.from_pylist(added, schema=SCHEMA)])
    cases = with_column(tables.cases, "panel", pa.array(own, pa.string()))
    return replace(tables, cases=cases, variants=variants.unify_dictionaries().combine_chunks())


def _names(each: Companion) -> tuple[str, ...]:
    return (each.taken_for,) if each.taken_for else each.samples


def _own(reasons: Mapping[str, str], each: Companion) -> dict[str, str]:
    return {name: reasons[name] for name in _names(each) if name in reasons}


def _by_reason(reasons: Mapping[str, str]) -> list[tuple[str, tuple[str, ...]]]:
    names: dict[str, list[str]] = defaultdict(list)
    for name, reason in reasons.items():
        names[reason].append(name)
    return [(reason, tuple(each)) for reason, each in sorted(names.items())]


def _for_the_only_case(each: Companion, cases: Sequence[str]) -> Companion:
    """A file about one sample, beside one case that has no name of its own: they are the same."""
    if len(cases) != 1 or len(each.samples) != 1 or cases[0].lower() not in NAMES_OF_ANYBODY:
        return each
    (sample,), (case,) = each.samples, cases
    alterations = each.alterations and under_names(each.alterations, {sample: [case]})
    spectra = each.spectra
    if spectra is not None:
        spectra = with_column(spectra, "case_id", pa.array([case] * spectra.num_rows, pa.string()))
    return replace(
        each,
        alterations=alterations,
        spectra=spectra,
        variants=with_column(each.variants, "case_id", pa.array([case] * each.variants.num_rows, pa.string())),
        withdrawn=dict.fromkeys([case] if each.withdrawn else [], each.withdrawn.get(sample, "")),
        taken_for=case,
    )


def _spectra(files: Sequence[Companion], cases: Sequence[str]) -> tuple[pa.Table | None, list[str]]:
    """The spectra of the cases (None where no file is given), and the names of samples whose spectrum is a second one
    of its kind."""
    if not files:
        return None, []
    whole = pa.concat_tables([each.spectra for each in files])
    chosen, _ = assign(whole["case_id"].to_pylist(), cases)
    rows: dict[tuple[str, str], dict] = {}
    repeated = []
    for row in whole.to_pylist():
        for case in chosen.get(row["case_id"], ()):
            if (case, row["kind"]) in rows:
                repeated.append(row["case_id"])
            rows.setdefault((case, row["kind"]), row | {"case_id": case})
    return pa.Table.from_pylist(list(rows.values()), schema=SPECTRA), repeated


# --- In JSON ---


def in_json(each: Companion) -> dict:
    """What a file gave, ready for JSON: ``what``, ``name``, ``layout``, the numbers of ``samples`` and of those that
    ``matched`` a case and are used, ``taken_for``, ``unmatched`` names by reason, those ``not_used`` of the cases by
    reason, the ``account`` of its rows, and what was ``ignored``."""
    unmatched = {reason: list(names) for reason, names in each.unmatched.items()}
    not_used = {reason: list(names) for reason, names in _by_reason(each.not_used)}
    missing = sum(map(len, (*unmatched.values(), *not_used.values())))
    account = each.account
    return {
        "what": each.what,
        "name": each.name,
        "layout": each.notes.get("layout", ""),
        "samples": len(each.samples),
        "matched": len(each.samples) - missing,
        "taken_for": each.taken_for,
        "unmatched": unmatched,
        "not_used": not_used,
        "account": account and asdict(account),
        "ignored": [asdict(dropped) | {"examples": list(dropped.examples)} for dropped in each.dropped],
    }
