"""From a source's own class to one of the 26 labels.

There are three vocabularies: OncoTree codes (cell lines), TCGA cohorts (patients) and the user's own table. Each map
gives an ``Assignment``, whose reason the data report counts. docs/labels.md explains the rules.
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
    """The label of a source's own class: one of ``LABELS`` when ``scope`` is "in", otherwise None.

    The ``scope`` "out" is a class that none of the 26 covers, "unlabelled" no class at all. ``reason`` is one phrase.
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
    """A name for comparison: releases differ in case, punctuation and an abbreviation in brackets at the end."""
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
    """``code`` and its ancestors in the tree, without the root."""
    parent, path = _oncotree().parent, []
    while code and code != _ROOT:
        path.append(code)
        code = parent.get(code, "")
    return path


@cache
def _from_code(code: str) -> Assignment | None:
    """The assignment of the nearest listed code, from ``code`` upwards; None for a code in neither map nor tree."""
    listed = _oncotree().listed
    for ancestor in _ancestry(code):
        if ancestor in listed:
            nearest = listed[ancestor]
            if ancestor == code:
                return nearest
            reason = f"{code} is decided by its ancestor {ancestor}: {nearest.reason}"
            return Assignment(nearest.label, nearest.scope, reason)
    return None


def _named_codes(text: str | None, lineage: str | None) -> tuple[str, ...]:
    """Codes that ``text`` names in full, at the site that ``lineage`` names where it names one.

    The site matters: germ-cell tumours of several sites have one name, and "mucinous carcinoma" is a code of the cervix
    only. Codes outside the tree have no site.
    """
    tree = _oncotree()
    sites = set(tree.named.get(_plain(lineage), ()))
    codes = tree.named.get(_plain(text), ())
    return tuple(code for code in codes if not sites or code not in tree.parent or sites & set(_ancestry(code)))


def _from_text(text: str | None, lineage: str | None) -> Assignment | None:
    """The assignment that all codes named by ``text`` share; "out" where they differ; None where it names no code."""
    named = {code: _from_code(code) for code in _named_codes(text, lineage)}
    if not named:
        return None
    if len({assignment.label for assignment in named.values()}) > 1:
        return Assignment(None, "out", f'"{text}" is the name of {", ".join(sorted(named))}, which differ in label')
    code, assignment = next(iter(named.items()))
    return Assignment(assignment.label, assignment.scope, f'"{text}" names {code}: {assignment.reason}')


def from_oncotree(
    code: str | None, primary_disease: str | None, subtype: str | None, lineage: str | None
) -> Assignment:
    """The label of a model by its OncoTree ``code`` or, where that is empty or unknown, by its texts.

    The reviewed map (``oncotree_labels.csv``) decides a code, otherwise its nearest listed ancestor in the OncoTree of
    2025-10-03 does. Without a known code, the code that ``subtype`` names in full decides, then the code that
    ``primary_disease`` names. ``lineage`` distinguishes codes that have one name at several sites. Arguments are the
    columns OncotreeCode, OncotreePrimaryDisease, OncotreeSubtype and OncotreeLineage of DepMap's Model.csv.
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
    """The label of a TCGA cohort, or of a combined one (KIPAN, GBMLGG, STES, COADREAD), from ``tcga_cohorts.csv``.

    Case, blanks, a leading "TCGA-" and a slash are ignored. An unknown acronym is "out", an empty one "unlabelled".
    """
    key = _acronym(acronym)
    if not key:
        return Assignment(None, "unlabelled", "no cohort is given")
    row = _cohorts().get(key)
    return _assign(row["label"], row["reason"]) if row else Assignment(None, "out", f"{acronym} is no TCGA cohort")


def from_subclass(text: str | None) -> Assignment:
    """The label that a user's own table gives: one of ``LABELS`` (case and blanks are ignored), otherwise "out".

    A cohort that another label covers, such as GBM, is "out" too, and the reason names that label. The table's author
    decides, because the column is defined as holding the 26 labels.
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
    """Two-digit TCGA sample types that represent the tumours of ``cohort``, the preferred one first.

    01 (primary solid tumour), but 03 (primary blood-derived cancer) for LAML, and 06 (metastasis), then 01, for SKCM,
    whose primaries were mostly too small to sequence. Source: GDC sample-type codes.
    """
    row = _cohorts().get(_acronym(cohort))
    return tuple(row["sample_types"].split()) if row else ("01",)


def model_exclusion(model: Mapping[str, str | None]) -> str | None:
    """Why a row of DepMap's Model.csv is not a sample of a patient's cancer; None when it is one.

    Drug-adapted models (CulturedResistanceDrug is given, or EngineeredModel says so), engineered models
    (EngineeredModel is given and not false) and non-cancerous models are excluded, because their mutations are not
    those of the tumour. Columns that a release lacks count as empty.
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
    """Ids whose value is not the majority's, and the majority's value; all ids and None where there is no majority."""
    if len(set(values.values())) < 2:
        return set(), None
    winner, votes = Counter(values.values()).most_common(1)[0]
    if votes * 2 <= len(values):
        return set(values), None
    return {key for key, value in values.items() if value != winner}, winner


def patient_conflicts(models: Iterable[PatientModel]) -> dict[str, str]:
    """Models to leave out because the models of their patient contradict each other: model id to reason.

    Models of one patient share a genotype, so two lineages mean that one is misfiled or contaminated. The lineage of
    more than half of a patient's models is kept and the other models are left out; without a majority all are left out.
    The same rule then decides between two labels. Pass usable models only (``model_exclusion`` is None), because a
    patient's matched normal line is no contradiction. A model without a lineage or a label contradicts nothing.
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
