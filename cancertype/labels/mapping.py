"""From a source's own class to one of the 26 labels.

Three vocabularies lead here: OncoTree codes (cell lines), TCGA cohorts (patients) and the user's own table. Each map
answers with an ``Assignment``, whose reason is what the data report counts. The rules are told in docs/labels.md.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from ..package_data import rows
from . import LABELS


@dataclass(frozen=True)
class Assignment:
    """Where a source's own class leads: ``label`` is one of ``LABELS`` exactly when ``scope`` is "in", else None.

    ``scope`` "out" is a class that none of the 26 stands for, "unlabelled" no class at all. ``reason`` is one phrase.
    """

    label: str | None
    scope: str
    reason: str


def _assign(label: str, reason: str) -> Assignment:
    return Assignment(label, "in", reason) if label else Assignment(None, "out", reason)


_ROOT = "TISSUE"


@dataclass(frozen=True)
class _OncoTree:
    """``listed``: code to assignment. ``parent``: code to parent, "" at the root. ``named``: plain name to codes."""

    listed: dict[str, Assignment]
    parent: dict[str, str]
    named: dict[str, tuple[str, ...]]


def _plain(text: str | None) -> str:
    """A name to compare by: releases differ in case, punctuation and an abbreviation in brackets at the end."""
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"\([A-Z]+\)\s*$", "", text or "").casefold()).strip()


@cache
def _oncotree() -> _OncoTree:
    labels, tree = rows("labels", "oncotree_labels.csv"), rows("labels", "oncotree_tree.csv")
    named = defaultdict(dict)
    for row in labels + tree:
        if row["code"] != _ROOT:
            named[_plain(row["name"])][row["code"]] = None
    return _OncoTree(
        listed={row["code"]: _assign(row["label"], row["reason"]) for row in labels},
        parent={row["code"]: row["parent"] for row in tree},
        named={name: tuple(codes) for name, codes in named.items()},
    )


def _ancestry(code: str) -> list[str]:
    """``code`` and its ancestors in the tree, the root left out."""
    parent, path = _oncotree().parent, []
    while code and code != _ROOT:
        path.append(code)
        code = parent.get(code, "")
    return path


@cache
def _from_code(code: str) -> Assignment | None:
    """The nearest listed code, from ``code`` upwards; None for a code that neither the map nor the tree knows."""
    listed = _oncotree().listed
    for ancestor in _ancestry(code):
        if ancestor in listed:
            found = listed[ancestor]
            reason = (
                found.reason if ancestor == code else f"{code} is decided by its ancestor {ancestor}: {found.reason}"
            )
            return Assignment(found.label, found.scope, reason)
    return None


def _named_codes(text: str | None, lineage: str | None) -> tuple[str, ...]:
    """Codes that ``text`` names in full, at the site that ``lineage`` names where it names one.

    The site matters: germ-cell tumours of several sites bear one name, and "mucinous carcinoma" is a code of the cervix
    only. Codes outside the tree have no site.
    """
    tree = _oncotree()
    sites = set(tree.named.get(_plain(lineage), ()))
    codes = tree.named.get(_plain(text), ())
    return tuple(code for code in codes if not sites or code not in tree.parent or sites & set(_ancestry(code)))


def _from_text(text: str | None, lineage: str | None) -> Assignment | None:
    """What the codes that ``text`` names agree on; "out" where they differ; None where it names none."""
    found = {code: _from_code(code) for code in _named_codes(text, lineage)}
    if not found:
        return None
    if len({assignment.label for assignment in found.values()}) > 1:
        return Assignment(None, "out", f'"{text}" is the name of {", ".join(sorted(found))}, which differ in label')
    code, assignment = next(iter(found.items()))
    return Assignment(assignment.label, assignment.scope, f'"{text}" names {code}: {assignment.reason}')


def from_oncotree(
    code: str | None, primary_disease: str | None, subtype: str | None, lineage: str | None
) -> Assignment:
    """The label of a model by its OncoTree ``code``, or where that is empty or unknown, by its texts.

    A code is decided by the reviewed map (``reference/oncotree_labels.csv``), else by its nearest listed ancestor in
    the OncoTree of 2025-10-03. Without a known code, the code that ``subtype`` names in full decides, else the one that
    ``primary_disease`` names; ``lineage`` tells apart codes of one name at several sites. Arguments are the columns
    OncotreeCode, OncotreePrimaryDisease, OncotreeSubtype and OncotreeLineage of DepMap's Model.csv.
    """
    code = (code or "").strip()
    by_code = _from_code(code) if code else None
    if by_code:
        return by_code
    if not (code or _plain(primary_disease) or _plain(subtype)):
        return Assignment(None, "unlabelled", "neither an OncoTree code nor a disease is given")
    if _plain(primary_disease) == "non cancerous":
        return Assignment(None, "out", "non-cancerous")
    known_as = f"OncoTree code {code} is unknown" if code else "no OncoTree code"
    by_text = _from_text(subtype, lineage) or _from_text(primary_disease, lineage)
    if by_text:
        return Assignment(by_text.label, by_text.scope, f"{known_as}; {by_text.reason}")
    disease = " / ".join(dict.fromkeys(text for text in (subtype, primary_disease) if text))
    return Assignment(None, "out", f'{known_as}; "{disease}" names no class of the tree' if disease else known_as)


@cache
def _cohorts() -> dict[str, dict[str, str]]:
    return {row["cohort"]: row for row in rows("labels", "tcga_cohorts.csv")}


def _acronym(text: str | None) -> str:
    """A cohort as ``tcga_cohorts.csv`` writes it: TCGA-COAD and coad are COAD, COAD/READ is COADREAD."""
    return re.sub(r"[\s/]", "", (text or "").upper()).removeprefix("TCGA-")


def from_tcga_cohort(acronym: str | None) -> Assignment:
    """The label of a TCGA cohort, or of a combined one (KIPAN, GBMLGG, STES, COADREAD): ``reference/tcga_cohorts.csv``.

    Case, blanks, "TCGA-" before it and a slash within are forgiven. An unknown acronym is "out", an empty one
    "unlabelled".
    """
    key = _acronym(acronym)
    if not key:
        return Assignment(None, "unlabelled", "no cohort is given")
    row = _cohorts().get(key)
    return _assign(row["label"], row["reason"]) if row else Assignment(None, "out", f"{acronym} is no TCGA cohort")


def from_subclass(text: str | None) -> Assignment:
    """The label that a user's own table gives: one of ``LABELS`` (case and blanks forgiven), else "out".

    A cohort that another label stands for, such as GBM, is "out" too, with that label named in the reason: the table's
    author decides, since the 26 are the contract of that column.
    """
    key = (text or "").strip()
    if not key:
        return Assignment(None, "unlabelled", "SUBCLASS is empty")
    if key.upper() in LABELS:
        return Assignment(key.upper(), "in", "one of the 26 labels")
    cohort = from_tcga_cohort(key)
    if cohort.label:
        return Assignment(None, "out", f"{key} is none of the 26 labels: write {cohort.label}, which stands for it")
    return Assignment(None, "out", f"{key} is none of the 26 labels")


def sample_types(cohort: str | None) -> tuple[str, ...]:
    """Two-digit TCGA sample types of ``cohort`` that stand for its tumour, the preferred one first.

    01 (primary solid tumour), but 03 (primary blood-derived cancer) for LAML, and 06 (metastasis), then 01, for SKCM,
    whose primaries were mostly too small to sequence. Source: GDC sample-type codes.
    """
    row = _cohorts().get(_acronym(cohort))
    return tuple(row["sample_types"].split()) if row else ("01",)


def model_exclusion(model: Mapping[str, str | None]) -> str | None:
    """Why a row of DepMap's Model.csv is no sample of a patient's cancer; None when it is.

    Drug-adapted (CulturedResistanceDrug is given, or EngineeredModel says so), engineered (EngineeredModel is given,
    and not as false) and non-cancerous models are excluded: their mutations are not those of the tumour. Columns that a
    release lacks count as empty.
    """
    engineered, drug = (_plain(model.get(column)) for column in ("EngineeredModel", "CulturedResistanceDrug"))
    if drug or "resistance" in engineered:
        return "drug-adapted model"
    if engineered not in ("", "false", "no", "0"):
        return "engineered model"
    if "non cancerous" in (_plain(model.get("OncotreePrimaryDisease")), _plain(model.get("OncotreeLineage"))):
        return "non-cancerous model"
    return None


@dataclass(frozen=True)
class PatientModel:
    """One usable model of a patient: its ids, DepMap's lineage ("" where unknown) and its assignment."""

    model_id: str
    patient_id: str
    lineage: str
    assignment: Assignment


def _minority(values: Mapping[str, str]) -> tuple[set[str], str | None]:
    """Ids whose value is not the one that more than half have, and that value; all ids and None where there is none."""
    if len(set(values.values())) < 2:
        return set(), None
    winner, votes = Counter(values.values()).most_common(1)[0]
    if votes * 2 <= len(values):
        return set(values), None
    return {key for key, value in values.items() if value != winner}, winner


def patient_conflicts(models: Iterable[PatientModel]) -> dict[str, str]:
    """Models to leave out because the models of their patient contradict each other: model id to reason.

    Models of one patient share a genotype, so two lineages mean that one is misfiled or contaminated. The lineage of
    more than half of a patient's models stands and the others go; without such a majority all go. Among those that
    stand, two labels are settled by the same rule. Pass usable models only (``model_exclusion`` is None): a patient's
    matched normal line is no contradiction. A model without a lineage, or without a label, contradicts nothing.
    """
    of_patient: dict[str, list[PatientModel]] = defaultdict(list)
    for model in models:
        if model.patient_id:
            of_patient[model.patient_id].append(model)
    conflicts: dict[str, str] = {}
    for group in of_patient.values():
        for what, value_of in (("lineages", lambda m: m.lineage), ("labels", lambda m: m.assignment.label)):
            values = {m.model_id: value_of(m) for m in group if value_of(m) and m.model_id not in conflicts}
            losers, winner = _minority(values)
            settled = f"most are {winner}" if winner else "none has a majority"
            listed = ", ".join(sorted(set(values.values())))
            conflicts |= dict.fromkeys(sorted(losers), f"the patient's models have {what} {listed}: {settled}")
    return conflicts
