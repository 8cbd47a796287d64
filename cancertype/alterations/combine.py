"""Putting alterations of several files together, and bringing samples to the cases that they belong to."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..labels.mapping import sample_types
from ..tables.accounts import Dropped
from ..tables.columns import with_column
from .schema import ARM_CALLS, FUSIONS, GENE_CALLS, Alterations

_TCGA = re.compile(r"(TCGA)[-.](\w{2})[-.](\w{4})(?:[-.](\d\d)[A-Z]?(?:[-.].*)?)?", re.IGNORECASE)
_FIRST_NORMAL = "10"
_EXAMPLES = 5

_NO_CASE = "the sample matches no case"
_OTHER_SAMPLE = "another sample of the patient is kept"
_NORMAL = "normal tissue"


def merge(*parts: Alterations) -> Alterations:
    """All ``parts`` as one. Where two give a call of the same arm or gene, the earlier part's stands, except that "no
    call" gives way to a call. Fusions and screened cases are united; of findings, the earlier part's stand."""
    findings: dict[str, dict[str, str | float]] = {}
    for part in reversed(parts):
        for case, stated in part.findings.items():
            findings[case] = findings.get(case, {}) | stated
    fusions = pa.concat_tables([FUSIONS.empty_table(), *(part.fusions for part in parts)])
    return Alterations(
        arms=_first_calls([part.arms for part in parts], "arm", ARM_CALLS),
        genes=_first_calls([part.genes for part in parts], "gene", GENE_CALLS),
        fusions=without_repeats(fusions),
        screened_for_fusions=frozenset().union(*(part.screened_for_fusions for part in parts)),
        findings=dict(sorted(findings.items())),
    )


def for_cases(
    alterations: Alterations, case_ids: Iterable[str], cohorts: Mapping[str, str] | None = None
) -> tuple[Alterations, list[Dropped]]:
    """The alterations of ``case_ids``, under these names, and the samples that were left out.

    A sample belongs to the case of its own name. A TCGA barcode, however long, also belongs to the case of the same
    patient: to the one of the same sample type where the case's name states a type, else to the patient, unless it is
    normal tissue (types from 10). Of several samples of a patient, copy number and fusions each take the one whose type
    the cohort prefers (``labels.mapping.sample_types``; ``cohorts`` maps a case to its TCGA cohort, and a case that is
    not in it counts as one of a solid primary tumour).
    """
    cases, cohorts = list(dict.fromkeys(case_ids)), cohorts or {}
    reasons: dict[str, dict[str, None]] = defaultdict(dict)

    def assigned(names: Iterable[str]) -> dict[str, list[str]]:
        chosen, left_out = assign(names, cases, cohorts)
        for name, reason in left_out.items():
            reasons[reason][name] = None
        return chosen

    with_fusions = set(alterations.fusions["case_id"].unique().to_pylist()) | alterations.screened_for_fusions
    of_fusions = assigned(with_fusions)
    kept = _under(
        alterations,
        arms=assigned(alterations.arms["case_id"].unique().to_pylist()),
        genes=assigned(alterations.genes["case_id"].unique().to_pylist()),
        fusions=of_fusions,
        findings=assigned(alterations.findings),
    )
    dropped = [
        Dropped("alterations", "sample", reason, len(names), tuple(names)[:_EXAMPLES])
        for reason, names in sorted(reasons.items())
    ]
    return kept, dropped


def unmatched(alterations: Alterations, case_ids: Iterable[str]) -> dict[str, str]:
    """The samples of which ``for_cases`` uses nothing, with the reason."""
    cases = list(case_ids)
    assigned = [assign(names, cases) for names in _names_by_kind(alterations)]
    used = {name for chosen, _ in assigned for name in chosen}
    reasons = {name: reason for _, left_out in assigned for name, reason in left_out.items()}
    return {name: reason for name, reason in sorted(reasons.items()) if name not in used}


def samples_of(alterations: Alterations) -> list[str]:
    """The names under which ``alterations`` knows anything, in alphabetical order."""
    return sorted(set().union(*_names_by_kind(alterations)))


def _names_by_kind(alterations: Alterations) -> list[set[str]]:
    """The names of samples with arms, with genes, with known fusions and with findings."""
    arms, genes, fusions = (
        set(table["case_id"].unique().to_pylist())
        for table in (alterations.arms, alterations.genes, alterations.fusions)
    )
    return [arms, genes, fusions | alterations.screened_for_fusions, set(alterations.findings)]


def under_names(alterations: Alterations, names: Mapping[str, Sequence[str]]) -> Alterations:
    """``alterations`` under other names, once for each name that ``names`` gives a sample; samples that it lacks are
    left out."""
    return _under(alterations, arms=names, genes=names, fusions=names, findings=names)


def _under(
    alterations: Alterations,
    *,
    arms: Mapping[str, Sequence[str]],
    genes: Mapping[str, Sequence[str]],
    fusions: Mapping[str, Sequence[str]],
    findings: Mapping[str, Sequence[str]],
) -> Alterations:
    screened = alterations.screened_for_fusions
    stated = alterations.findings
    return Alterations(
        arms=_renamed(alterations.arms, arms),
        genes=_renamed(alterations.genes, genes),
        fusions=without_repeats(_renamed(alterations.fusions, fusions)),
        screened_for_fusions=frozenset(case for name in screened for case in fusions.get(name, ())),
        findings={case: stated[name] for name, own in findings.items() if name in stated for case in own},
    )


def one_spelling(name: str) -> str:
    """What all spellings of a sample share: patient and sample type of a TCGA barcode, any other name itself."""
    patient, kind = _barcode(name)
    return f"{patient}-{kind}" if patient else name


def is_normal_tissue(name: str) -> bool:
    """Whether a TCGA barcode is of normal tissue or blood (sample types from 10)."""
    return _barcode(name)[1] >= _FIRST_NORMAL


def without_cases(alterations: Alterations, case_ids: Iterable[str], kinds: Iterable[str]) -> Alterations:
    """``alterations`` with ``kinds`` ("arms", "genes", "fusions") of ``case_ids`` not looked at."""
    hidden = pa.array(sorted(set(case_ids)), pa.string())
    changes: dict = {}
    for kind in kinds:
        table = getattr(alterations, kind)
        changes[kind] = table.filter(pc.invert(pc.is_in(table["case_id"], hidden)))
        if kind == "fusions":
            changes["screened_for_fusions"] = alterations.screened_for_fusions - set(hidden.to_pylist())
    return replace(alterations, **changes)


def without_repeats(fusions: pa.Table) -> pa.Table:
    """Each fusion of a case once, in the order of first mention."""
    rows = dict.fromkeys(zip(*(column.to_pylist() for column in fusions.columns), strict=True))
    if len(rows) == fusions.num_rows:
        return fusions
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=FUSIONS)


def _first_calls(tables: list[pa.Table], what: str, schema: pa.Schema) -> pa.Table:
    table = pa.concat_tables([schema.empty_table(), *tables])
    if sum(part.num_rows > 0 for part in tables) < 2:
        return table
    codes = [np.asarray(table[name].combine_chunks().dictionary_encode().indices) for name in ("case_id", what)]
    key = codes[0].astype(np.int64) * (int(codes[1].max()) + 1) + codes[1]
    unknown = table["call"].is_null().to_numpy()
    order = np.lexsort((np.arange(len(key)), unknown, key))
    first = order[np.diff(key[order], prepend=-1) != 0]
    return table.take(pa.array(np.sort(first)))


def _renamed(table: pa.Table, cases_of: Mapping[str, Sequence[str]]) -> pa.Table:
    """The rows of the samples in ``cases_of``, once for each of their cases."""
    names = table["case_id"].combine_chunks().dictionary_encode()
    parts = []
    for turn in range(max((len(cases) for cases in cases_of.values()), default=0)):
        own = [
            cases[turn] if turn < len(cases := cases_of.get(name, [])) else None
            for name in names.dictionary.to_pylist()
        ]
        column = pa.array(own, pa.string()).take(names.indices)
        parts.append(with_column(table, "case_id", column).filter(column.is_valid()))
    return pa.concat_tables(parts) if parts else table.schema.empty_table()


def _barcode(name: str) -> tuple[str, str]:
    """Patient and two-digit sample type ("" where not stated) of a TCGA barcode; ("", "") for any other name."""
    match = _TCGA.fullmatch(name.strip())
    return ("-".join(match.group(1, 2, 3)).upper(), match[4] or "") if match else ("", "")


def assign(
    names: Iterable[str], case_ids: Iterable[str], cohorts: Mapping[str, str] | None = None
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The cases of each sample by the rules of ``for_cases``, and the samples without one with the reason."""
    names, cases, cohorts = sorted(set(names)), list(dict.fromkeys(case_ids)), cohorts or {}
    own = set(cases)
    of_patient: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name in names:
        patient, kind = _barcode(name)
        if patient:
            of_patient[patient].append((name, kind))
    chosen: dict[str, list[str]] = defaultdict(list)
    known = set(names)
    for case in cases:
        if (name := case if case in known else _best(case, of_patient, cohorts.get(case))) is not None:
            chosen[name].append(case)
    patients = {_barcode(case)[0] for case in own} - {""}
    left_out = {name: _reason(name, patients) for name in names if name not in chosen}
    return chosen, left_out


def _best(case: str, of_patient: Mapping[str, list[tuple[str, str]]], cohort: str | None) -> str | None:
    """The sample of the case's patient that stands for the case."""
    patient, wanted = _barcode(case)
    samples = [
        (name, kind)
        for name, kind in of_patient.get(patient, ())
        if (kind < _FIRST_NORMAL if not wanted else kind in ("", wanted))
    ]
    order = (wanted, "", *sample_types(cohort))
    place = {kind: number for number, kind in reversed(list(enumerate(order)))}
    ranked = sorted(samples, key=lambda sample: (place.get(sample[1], len(order)), sample[1], sample[0]))
    return ranked[0][0] if ranked else None


def _reason(name: str, patients: set[str]) -> str:
    patient, kind = _barcode(name)
    if patient not in patients:
        return _NO_CASE
    return _NORMAL if kind >= _FIRST_NORMAL else _OTHER_SAMPLE
