"""Tumours of patients: one or more MAFs (TCGA's MC3, Firehose's, or another study's) and their clinical tables."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ..cohort.settings import Cohort
from ..errors import InputError
from ..labels import mapping
from ..tables import delimited
from ..tables.columns import compacted, encoded, matching, translated
from ..tables.delimited import TEXT
from ..variants import canonical
from ..variants.cases import CASES, Dropped, SourceTables, unlabelled

_REQUIRED = (
    "Hugo_Symbol",
    "Chromosome",
    "Variant_Classification",
    "Reference_Allele",
    "Tumor_Seq_Allele2",
    "Tumor_Sample_Barcode",
)
_POSITIONS = ("Start_Position", "Start_position")
PROTEIN_CHANGES = ("HGVSp_Short", "Protein_Change", "amino_acid_change_WU", "AAChange")
_COHORTS = ("acronym", "type", "cohort")
_SEXES = ("gender", "sex")
COLUMNS = (*_REQUIRED, *_POSITIONS, *PROTEIN_CHANGES, "FILTER", "CONTEXT")
"""Every column of a MAF that is read where it is there."""

_EXAMPLES = 5

_WHOLE_GENOME_AMPLIFIED = {"wga", "native_wga_mix"}
_AMPLIFIED_COHORTS = ("LAML", "OV")
"""The cohorts whose DNA was mostly whole-genome amplified, so that MC3 marks nearly all of their variants (Ellrott
2018)."""

_CONTEXT_BASES = 11
"""MC3's CONTEXT of a single base: it and five bases on either side."""


@dataclass(frozen=True)
class Patient:
    """A row of a clinical table: the study's cohort ("" where none is given) and the sex ("female", "male" or
    None)."""

    cohort: str
    sex: str | None


def read(folder: Path, settings: Cohort) -> SourceTables:
    """Read every MAF and clinical table of ``folder``; a case is a patient.

    A MAF is a file with a column Tumor_Sample_Barcode, a clinical table one with bcr_patient_barcode and acronym (or
    type). A patient is the first 12 characters of a barcode that begins with TCGA-, else the whole barcode. One
    tumour a patient is kept, of the type preferred in its cohort. A patient without a row in any MAF may not have
    been sequenced, and is no case. Where a MAF has a FILTER column, variants pass that are marked PASS, or only as
    whole-genome amplified in the two cohorts where nearly all DNA was (LAML and OV).

    Raises ``InputError`` with file, line and column for anything that cannot be read.
    """
    del settings  # Tumours have matched normals: the limits against germline variants are not for them.
    source = delimited.origin(folder, "tcga")
    mafs, clinical, others = _sorted_files(folder)
    patients, contradictory = _clinical(clinical)
    rows, barcodes, dropped = _variant_rows(mafs, source)
    tumours, left_out = _one_tumour_each(barcodes, patients, contradictory, source)
    rows, not_used = _of_tumours(rows, tumours, patients, source)
    rows, repeated = canonical.without_repeats(rows, source)
    table, unclear = canonical.table(rows.drop_columns(["chromosome", "position"]), source)
    never_seen = sorted(set(patients) - set(tumours.values()) - {_patient(barcode) for barcode in barcodes})
    if never_seen:
        reason = "in the clinical table, but in no MAF: perhaps never sequenced"
        left_out.append(Dropped(source, "case", reason, len(never_seen), tuple(never_seen[:_EXAMPLES])))
    notes = {
        "files": [path.name for path in (*mafs, *clinical)],
        "ignored_files": [path.name for path in others],
        "filter": "FILTER is PASS, or only wga or native_wga_mix in LAML and OV; files without FILTER are taken whole",
        "context": bool(table["context"].null_count < table.num_rows),
    }
    return SourceTables(
        _cases(tumours, patients, source), table, left_out + dropped + not_used + repeated + unclear, notes
    )


def read_samples(path: Path) -> SourceTables:
    """Read one MAF alone, for prediction: a case is a sample (its Tumor_Sample_Barcode), unlabelled, of unknown sex.

    Without a clinical table no cohort is known, so variants marked as whole-genome amplified only, the rule in LAML
    and OV, pass in every sample. Raises ``InputError`` as ``read`` does.
    """
    source = "maf"
    rows, barcodes, dropped = _variant_rows([path], source)
    barcode = translated(encoded(rows["case_id"]), str.strip)
    rows = rows.set_column(0, "case_id", barcode).drop_columns(["filter"])
    named = matching(barcode, bool)
    if not named.all():
        dropped.append(Dropped(source, "variant", "no Tumor_Sample_Barcode", int((~named).sum())))
    rows, repeated = canonical.without_repeats(rows.filter(pa.array(named)), source)
    table, unclear = canonical.table(rows.drop_columns(["chromosome", "position"]), source)
    samples = sorted({barcode.strip() for barcode in barcodes} - {""})
    notes = {"files": [path.name]}
    return SourceTables(unlabelled(samples, source, "tumour"), table, dropped + repeated + unclear, notes)


def _sorted_files(folder: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """MAFs, clinical tables, and files that are neither."""
    mafs, clinical, others = [], [], []
    for path in delimited.table_files(folder):
        names = delimited.header(path).names
        is_maf = "Tumor_Sample_Barcode" in names or ".maf" in path.name.lower()
        (mafs if is_maf else clinical if "bcr_patient_barcode" in names else others).append(path)
    if not mafs:
        raise InputError(f"{folder}: no MAF: no file has a column Tumor_Sample_Barcode. Put one there")
    if not clinical:
        raise InputError(f"{folder}: no clinical table: no file has a column bcr_patient_barcode. Put one there")
    return mafs, clinical, others


def _first_of(path: Path, choices: tuple[str, ...], needed: bool = True) -> str | None:
    names = delimited.header(path).names
    found = next((name for name in choices if name in names), None)
    if needed and found is None:
        raise InputError(
            f"{path}: line {delimited.header(path).line}: none of the columns {', '.join(choices)}: rename or add one"
        )
    return found


def _clinical(paths: list[Path]) -> tuple[dict[str, Patient], set[str]]:
    """Patients by their barcodes, and those to whom the tables give two cohorts."""
    patients: dict[str, Patient] = {}
    contradictory = set()
    for path in paths:
        cohort, sex = _first_of(path, _COHORTS), _first_of(path, _SEXES, needed=False)
        columns = ["bcr_patient_barcode", cohort, *([sex] if sex else [])]
        table = delimited.read(path, dict.fromkeys(columns, TEXT))
        sexes = table[sex].to_pylist() if sex else [None] * table.num_rows
        for barcode, name, given in zip(table[columns[0]].to_pylist(), table[cohort].to_pylist(), sexes, strict=True):
            patient, row = (
                barcode.strip(),
                Patient("" if name.strip() in delimited.MISSING else name.strip(), delimited.sex(given)),
            )
            known = patients.setdefault(patient, row)
            if known.cohort != row.cohort:
                contradictory.add(patient)
    return patients, contradictory


def _variant_rows(paths: list[Path], source: str) -> tuple[pa.Table, set[str], list[Dropped]]:
    """The rows of all MAFs that may count, every barcode in them, and what was left out row by row."""
    batches, barcodes = [], set()
    counts: Counter[str] = Counter()
    for path in paths:
        position, protein = _first_of(path, _POSITIONS), _first_of(path, PROTEIN_CHANGES)
        # Where nearly every value of a block is another, coding each block costs more than coding the whole column.
        columns = (
            dict.fromkeys(_REQUIRED, TEXT)
            | dict.fromkeys(("Hugo_Symbol", protein), pa.string())
            | {position: pa.int64()}
        )
        optional = {"FILTER": TEXT, "CONTEXT": pa.string()}
        for batch in delimited.DelimitedFile(path).batches(columns, optional, f"reading {path.name}"):
            barcodes.update(batch.column("Tumor_Sample_Barcode").dictionary.to_pylist())
            batches.append(_rows(_telling(batch, counts), position, protein))
    rows = pa.Table.from_batches([pa.RecordBatch.from_arrays(arrays, schema=_ROWS) for arrays in batches], schema=_ROWS)
    rows = rows.set_column(rows.column_names.index("around"), "around", _around(rows["around"]))
    dropped = [Dropped(source, "variant", reason, n) for reason, n in sorted(counts.items()) if n]
    return compacted(rows), barcodes, dropped


_ROWS = pa.schema(
    [
        ("case_id", TEXT),
        ("gene", pa.string()),
        ("protein_change", pa.string()),
        ("consequence", TEXT),
        ("reference", TEXT),
        ("alternative", TEXT),
        ("around", pa.string()),
        ("filter", TEXT),
        ("chromosome", TEXT),
        ("position", pa.int64()),
    ]
)


def _telling(batch: pa.RecordBatch, counts: Counter[str]) -> pa.RecordBatch:
    """Without silent and non-coding rows, and without those that did not pass the study's own filter."""
    keep = canonical.tells(batch.column("Variant_Classification"), counts)
    if "FILTER" in batch.schema.names:
        passed = matching(batch.column("FILTER"), lambda flags: _flags(flags) <= _WHOLE_GENOME_AMPLIFIED)
        counts["marked by the study's FILTER"] += int((keep & ~passed).sum())
        keep &= passed
    return batch.filter(pa.array(keep))


def _flags(text: str) -> set[str]:
    """The flags of a FILTER value that tell against a variant."""
    return {flag.strip() for flag in text.replace(";", ",").split(",")} - {"PASS", "", "."}


def _rows(batch: pa.RecordBatch, position: str, protein: str) -> list[pa.Array]:
    empty = pa.repeat("", batch.num_rows)
    names = batch.schema.names
    return [
        batch.column("Tumor_Sample_Barcode"),
        batch.column("Hugo_Symbol"),
        batch.column(protein),
        batch.column("Variant_Classification"),
        batch.column("Reference_Allele"),
        batch.column("Tumor_Seq_Allele2"),
        batch.column("CONTEXT") if "CONTEXT" in names else empty,
        batch.column("FILTER") if "FILTER" in names else empty.dictionary_encode(),
        batch.column("Chromosome"),
        batch.column(position),
    ]


def _around(context: pa.ChunkedArray) -> pa.ChunkedArray:
    """The base and its two neighbours out of MC3's CONTEXT; "" where that has another length than a single base's."""
    single = pc.equal(pc.utf8_length(context), _CONTEXT_BASES)
    middle = _CONTEXT_BASES // 2
    bases = pc.utf8_upper(pc.utf8_slice_codeunits(context, middle - 1, middle + 2))
    return pc.if_else(single, bases, "")


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
    barcode = encoded(rows["case_id"])
    case = translated(barcode, lambda text: tumours.get(text, ""))
    of_tumour = matching(case, lambda patient: patient != "")
    amplified = matching(encoded(rows["filter"]), lambda flags: bool(_flags(flags)))
    allowed = matching(case, lambda patient: patient != "" and patients[patient].cohort.upper() in _AMPLIFIED_COHORTS)
    refused = of_tumour & amplified & ~allowed
    dropped = [
        Dropped(source, "variant", reason, int(mask.sum()))
        for reason, mask in (("of a sample that is not kept", ~of_tumour), ("whole-genome amplified DNA", refused))
        if mask.any()
    ]
    rows = rows.set_column(0, "case_id", case).drop_columns(["filter"])
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
