"""Tumours of patients: one or more MAFs (TCGA's MC3, Firehose's, or another study's) and their clinical tables."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ..errors import InputError
from ..labels import mapping
from ..tables import delimited
from ..tables.columns import encoded, matching, translated, with_column
from ..tables.delimited import MISSING, DelimitedFile
from ..variants import canonical
from ..variants.cases import CASES, Dropped, SourceTables
from . import maf
from .layouts import TCGA_CLINICAL as CLINICAL

_EXAMPLES = 5
_AMPLIFIED_COHORTS = ("LAML", "OV")
"""The cohorts whose DNA was mostly whole-genome amplified, so that MC3 marks nearly all of their variants (Ellrott
2018)."""


@dataclass(frozen=True)
class Patient:
    """A row of a clinical table: the study's cohort ("" where none is given) and the sex ("female", "male" or
    None)."""

    cohort: str
    sex: str | None


def read(folder: Path) -> SourceTables:
    """Read every MAF and clinical table of ``folder``; a case is a patient.

    A MAF is a file with a column Tumor_Sample_Barcode, a clinical table one with bcr_patient_barcode and acronym (or
    type). A patient is the first 12 characters of a barcode that begins with TCGA-, else the whole barcode. One
    tumour per patient is kept, of the type preferred in its cohort. A patient without a row in any MAF may not have
    been sequenced, and is no case. Where a MAF has a FILTER column, variants pass that are marked PASS, or only as
    whole-genome amplified in the two cohorts where nearly all DNA was (LAML and OV).

    Raises ``InputError`` with file, line and column for anything that cannot be read.
    """
    source = delimited.origin(folder, "tcga")
    mafs, clinical, others = _sorted_files(folder)
    patients, contradictory = _clinical(clinical)
    for file in mafs:
        maf.LAYOUT.check(file, training=True)
    reader = maf.MafReader()
    rows = reader.rows(mafs)
    tumours, left_out = _one_tumour_each(reader.samples, patients, contradictory, source)
    rows, not_used = _of_tumours(rows, tumours, patients, source)
    table, unclear = canonical.table(rows.drop_columns(["status"]), source)
    reader.tally.take(not_used)
    dropped = reader.tally.dropped(source)
    reader.tally.take(unclear)
    never_seen = sorted(set(patients) - set(tumours.values()) - {_patient(barcode) for barcode in reader.samples})
    if never_seen:
        reason = "in the clinical table, but in no MAF: perhaps never sequenced"
        left_out.append(Dropped(source, "case", reason, len(never_seen), tuple(never_seen[:_EXAMPLES])))
    notes = {
        "files": [file.path.name for file in (*mafs, *clinical)],
        "ignored_files": [path.name for path in others],
        "filter": "FILTER is PASS, or only wga or native_wga_mix in LAML and OV; files without FILTER are taken whole",
        "context": bool(table["context"].null_count < table.num_rows),
    }
    return SourceTables(
        _cases(tumours, patients, source),
        table,
        left_out + dropped + unclear,
        notes,
        account=reader.tally.account(table.num_rows),
    )


def _sorted_files(folder: Path) -> tuple[list[DelimitedFile], list[DelimitedFile], list[Path]]:
    """MAFs, clinical tables, and files that are neither."""
    mafs, clinical, others = [], [], []
    for path in delimited.table_files(folder):
        file = DelimitedFile(path)
        if is_maf(file):
            mafs.append(file)
        elif "bcr_patient_barcode" in file.names:
            clinical.append(file)
        else:
            others.append(path)
    if not mafs:
        raise InputError(f"{folder}: no MAF: no file has a column Tumor_Sample_Barcode. Put one there")
    if not clinical:
        raise InputError(f"{folder}: no clinical table: no file has a column bcr_patient_barcode. Put one there")
    return mafs, clinical, others


def is_maf(file: DelimitedFile) -> bool:
    """Whether the columns or the name of a file say that it is a MAF."""
    return "Tumor_Sample_Barcode" in file.names or ".maf" in file.path.name.lower()


def _clinical(files: list[DelimitedFile]) -> tuple[dict[str, Patient], set[str]]:
    """Patients by their barcodes, and those to whom the tables give two cohorts."""
    patients: dict[str, Patient] = {}
    contradictory = set()
    for file in files:
        CLINICAL.check(file)
        columns = {role: names[0] for role, names in CLINICAL.present(file.names).items()}
        table = file.read(dict.fromkeys(columns.values(), delimited.TEXT))
        values = {role: table[name].to_pylist() for role, name in columns.items()}
        sexes = values.get("sex", [None] * table.num_rows)
        for barcode, name, given in zip(values["patient"], values["cohort"], sexes, strict=True):
            patient = barcode.strip()
            row = Patient("" if name.strip() in MISSING else name.strip(), delimited.sex(given))
            known = patients.setdefault(patient, row)
            if known.cohort != row.cohort:
                contradictory.add(patient)
    return patients, contradictory


def _patient(barcode: str) -> str:
    barcode = barcode.strip()
    return barcode[:12] if barcode.startswith("TCGA-") else barcode


def _sample_type(barcode: str) -> str:
    """The two digits of a TCGA sample ("01" primary tumour, "10" and above normal); "" when the barcode does not
    tell."""
    return barcode.strip()[13:15] if barcode.startswith("TCGA-") else ""


def _one_tumour_each(
    barcodes: set[str], patients: dict[str, Patient], contradictory: set[str], source: str
) -> tuple[dict[str, str], list[Dropped]]:
    """The tumour kept of each patient (barcode to patient), and the cases left out."""
    of_patient: dict[str, list[str]] = defaultdict(list)
    for barcode in sorted(barcodes):
        of_patient[_patient(barcode)].append(barcode)
    tumours: dict[str, str] = {}
    reasons: dict[str, list[str]] = defaultdict(list)
    for patient, samples in of_patient.items():
        if not patient:
            reasons["no barcode"].append("(empty)")
        elif patient not in patients:
            reasons["in no clinical table"].append(patient)
        elif patient in contradictory:
            reasons["the clinical tables give two cohorts"].append(patient)
        else:
            order = _preference(samples, patients[patient].cohort)
            tumours |= dict.fromkeys(order[:1], patient)
            reasons["another tumour of the patient is kept"] += order[1:]
            reasons["no tumour sample"] += sorted(set(samples) - set(order))
    return tumours, [
        Dropped(source, "case", reason, len(ids), tuple(ids[:_EXAMPLES])) for reason, ids in reasons.items() if ids
    ]


def _preference(samples: list[str], cohort: str) -> list[str]:
    """The tumour samples among a patient's barcodes, the preferred one first; normal tissue (types from 10) is left
    out."""
    preferred = ("", *mapping.sample_types(cohort))
    types = {sample: _sample_type(sample) for sample in samples}
    tumours = [sample for sample in samples if types[sample] < "10"]
    place = {code: i for i, code in enumerate(preferred)}
    return sorted(tumours, key=lambda sample: (place.get(types[sample], len(preferred)), types[sample], sample))


def _of_tumours(
    rows: pa.Table, tumours: dict[str, str], patients: dict[str, Patient], source: str
) -> tuple[pa.Table, list[Dropped]]:
    """The rows of the kept tumours, by patient, that also pass the rule for amplified DNA."""
    case = translated(encoded(rows["case_id"]), lambda text: tumours.get(text, ""))
    of_tumour = matching(case, lambda patient: patient != "")
    amplified = matching(encoded(rows["filter"]), lambda text: bool(maf.flags(text)))
    allowed = matching(case, lambda patient: patient != "" and patients[patient].cohort.upper() in _AMPLIFIED_COHORTS)
    refused = of_tumour & amplified & ~allowed
    dropped = [
        Dropped(source, "variant", reason, int(mask.sum()))
        for reason, mask in (("of a sample that is not kept", ~of_tumour), ("whole-genome amplified DNA", refused))
        if mask.any()
    ]
    rows = with_column(rows, "case_id", case).drop_columns(["filter"])
    return rows.filter(pa.array(of_tumour & ~refused)), dropped


def _cases(tumours: dict[str, str], patients: dict[str, Patient], source: str) -> pa.Table:
    rows = []
    for patient in sorted(tumours.values()):
        clinical = patients[patient]
        assignment = mapping.from_tcga_cohort(clinical.cohort)
        rows.append(
            {
                "case_id": patient,
                "patient_id": patient,
                "source": source,
                "kind": "tumour",
                "label": assignment.label,
                "scope": assignment.scope,
                "origin": clinical.cohort,
                "sex": clinical.sex,
                "panel": None,
            }
        )
    return pa.Table.from_pylist(rows, schema=CASES)
