"""The samples of a cBioPortal study: who they are of, what they are labelled, and which one stands for a patient."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ..errors import InputError
from ..labels import mapping
from ..tables import delimited
from ..tables.delimited import TEXT
from ..variants.cases import CASES, Dropped

EXOMES = ("wes", "wxs", "wgs", "exome", "genome", "wholeexome", "wholegenome", "wholeexomesequencing")
"""Gene-panel ids of samples in which all genes were sequenced, as ``plain`` writes them."""

_EXAMPLES = 5
_COHORTS = ("acronym", "type", "cohort")

_PRIMARY, _RECURRENCE, _METASTASIS, _UNKNOWN, _BLOOD = range(5)
_SAMPLE_TYPES = {
    "primary": _PRIMARY,
    "hematologic": _PRIMARY,
    "blood derived": _PRIMARY,
    "recur": _RECURRENCE,
    "relapse": _RECURRENCE,
    "metasta": _METASTASIS,
    "cfdna": _BLOOD,
    "ctdna": _BLOOD,
    "plasma": _BLOOD,
}
"""A word of SAMPLE_TYPE or SAMPLE_CLASS to its place in the order in which a patient's samples are preferred."""

_TCGA_TYPES = {"01": _PRIMARY, "03": _PRIMARY, "02": _RECURRENCE, "05": _PRIMARY, "06": _METASTASIS, "07": _METASTASIS}
_NORMAL = "10"
"""TCGA sample types from here on are normal tissue."""


@dataclass(frozen=True)
class Sample:
    """A row of the clinical sample table, with the patient's sex. ``assay`` is the id of its gene panel ("" where
    none is given)."""

    name: str
    patient: str
    oncotree: str = ""
    disease: str = ""
    subtype: str = ""
    cohort: str = ""
    types: str = ""
    assay: str = ""
    sex: str | None = None

    @property
    def assignment(self) -> mapping.Assignment:
        """By the OncoTree code and its texts; without them, by the TCGA cohort."""
        if self.oncotree or not self.cohort:
            return mapping.from_oncotree(self.oncotree, self.disease, self.subtype, None)
        return mapping.from_tcga_cohort(self.cohort)

    @property
    def is_cell_line(self) -> bool:
        return "cell line" in self.types.replace("_", " ") or "cellline" in self.types

    @property
    def is_normal(self) -> bool:
        return "normal" in self.types.split() or (self.name.startswith("TCGA-") and self.name[13:15] >= _NORMAL)

    @property
    def preference(self) -> int:
        """0 for a primary tumour, then recurrences, metastases, samples of unknown type, and cell-free DNA; for TCGA
        barcodes, by the order of the cohort's own sample types (metastases first for melanoma)."""
        if self.name.startswith("TCGA-") and self.name[13:15]:
            order = mapping.sample_types(self.cohort)
            return order.index(self.name[13:15]) if self.name[13:15] in order else len(order)
        places = [place for word, place in _SAMPLE_TYPES.items() if word in self.types]
        return max(places, default=_UNKNOWN)


def tcga_patient(sample: str) -> str:
    """The patient of a TCGA barcode; any other sample name as it is."""
    return sample[:12] if sample.startswith("TCGA-") else sample


def plain(panel: str) -> str:
    """A gene-panel id to compare with ``EXOMES``."""
    return "".join(character for character in panel.lower() if character.isalnum())


def read_samples(path: Path, patients: Mapping[str, Mapping[str, str]]) -> dict[str, Sample]:
    """data_clinical_sample.txt by SAMPLE_ID; ``patients`` are the rows of data_clinical_patient.txt.

    Raises ``InputError`` for a missing column and for a sample that is there twice with two patients.
    """
    optional = ("ONCOTREE_CODE", "CANCER_TYPE", "CANCER_TYPE_DETAILED", "SAMPLE_TYPE", "SAMPLE_CLASS", "SEQ_ASSAY_ID")
    more = ("GENE_PANEL", "SEX", "GENDER", *_COHORTS)
    rows = clinical_rows(path, ("SAMPLE_ID", "PATIENT_ID"), (*optional, *more))
    samples: dict[str, Sample] = {}
    for row in rows:
        name, patient = row["SAMPLE_ID"], row["PATIENT_ID"]
        if name in samples and samples[name].patient != patient:
            both = f"{samples[name].patient} and {patient}"
            raise InputError(f"{path}: SAMPLE_ID {name!r} belongs to two patients, {both}: remove one of the rows")
        of_patient = patients.get(patient, {})
        both = {**of_patient, **{key: value for key, value in row.items() if value}}
        samples[name] = Sample(
            name,
            patient,
            oncotree=_stated(both.get("ONCOTREE_CODE")),
            disease=_stated(both.get("CANCER_TYPE")),
            subtype=_stated(both.get("CANCER_TYPE_DETAILED")),
            cohort=next((_stated(both[key]) for key in _COHORTS if _stated(both.get(key))), ""),
            types=f"{both.get('SAMPLE_TYPE', '')} {both.get('SAMPLE_CLASS', '')}".lower(),
            assay=_stated(both.get("SEQ_ASSAY_ID")) or _stated(both.get("GENE_PANEL")),
            sex=delimited.sex(both.get("SEX") or both.get("GENDER")),
        )
    return samples


def read_patients(path: Path | None) -> dict[str, dict[str, str]]:
    """data_clinical_patient.txt by PATIENT_ID: sex and, where it has them, OncoTree code and cohort."""
    if path is None:
        return {}
    rows = clinical_rows(path, ("PATIENT_ID",), ("SEX", "GENDER", "ONCOTREE_CODE", *_COHORTS))
    return {row["PATIENT_ID"]: row for row in rows}


def read_cohorts(path: Path) -> dict[str, tuple[str, str | None]]:
    """A clinical table by bcr_patient_barcode: the cohort and the sex of each patient."""
    rows = clinical_rows(path, ("bcr_patient_barcode",), (*_COHORTS, "gender", "sex"))
    return {
        row["bcr_patient_barcode"]: (
            next((_stated(row[key]) for key in _COHORTS if _stated(row.get(key))), ""),
            delimited.sex(row.get("gender") or row.get("sex")),
        )
        for row in rows
    }


def clinical_rows(path: Path, required: Sequence[str], optional: Sequence[str]) -> Iterable[dict[str, str]]:
    """The rows of a clinical table, each as column to stripped text. Comment lines (``#``) above the column names,
    with which cBioPortal describes them, are passed over."""
    table = delimited.read(path, dict.fromkeys(required, TEXT), dict.fromkeys(optional, TEXT))
    columns = {name: [(value or "").strip() for value in table[name].to_pylist()] for name in table.column_names}
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _stated(text: str | None) -> str:
    return "" if text is None or text.strip() in delimited.MISSING else text.strip()


def one_per_patient(
    samples: Iterable[Sample], sequenced: set[str], genes_of: Mapping[str, int], source: str
) -> tuple[dict[str, Sample], list[Dropped]]:
    """The sample that stands for each patient, by its name, and what was left out.

    Of a patient's sequenced samples the primary tumour is kept before recurrences, metastases, samples of unknown type
    and cell-free DNA (for TCGA barcodes: the order of the cohort's own sample types); then the one whose assay looked
    at more genes (``genes_of``: sample to their number, an exome having more than any panel); then the first by name.
    The number of mutations plays no part, because it would prefer the more mutated of two samples.
    """
    of_patient: dict[str, list[Sample]] = defaultdict(list)
    reasons: dict[str, list[str]] = defaultdict(list)
    for sample in samples:
        if not sample.patient:
            reasons["no PATIENT_ID"].append(sample.name)
        elif sample.is_normal:
            reasons["no tumour sample"].append(sample.name)
        elif sample.name not in sequenced:
            reasons["nothing says that the sample was sequenced"].append(sample.name)
        else:
            of_patient[sample.patient].append(sample)
    kept = {}
    for group in of_patient.values():
        group.sort(key=lambda sample: (sample.preference, -genes_of.get(sample.name, 0), sample.name))
        kept[group[0].name] = group[0]
        reasons["another sample of the patient is kept"] += [sample.name for sample in group[1:]]
    return kept, [
        Dropped(source, "case", reason, len(names), tuple(names[:_EXAMPLES]))
        for reason, names in sorted(reasons.items())
        if names
    ]


def cases_table(kept: Mapping[str, Sample], panel_of: Mapping[str, str | None], source: str) -> pa.Table:
    """The kept samples as a table of ``CASES``, one row per patient, whose id is the case's; sorted by it."""
    rows = []
    for sample in sorted(kept.values(), key=lambda sample: sample.patient):
        assignment = sample.assignment
        rows.append(
            {
                "case_id": sample.patient,
                "patient_id": sample.patient,
                "source": source,
                "kind": "cell line" if sample.is_cell_line else "tumour",
                "label": assignment.label,
                "scope": assignment.scope,
                "origin": sample.oncotree or sample.cohort,
                "sex": sample.sex,
                "panel": panel_of.get(sample.name),
            }
        )
    return pa.Table.from_pylist(rows, schema=CASES)
