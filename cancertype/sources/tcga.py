"""Tumours of patients: one or more MAFs (TCGA's MC3, Firehose's, or another study's) and their clinical tables."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from ..errors import InputError
from ..labels import mapping
from ..tables import delimited
from ..tables.columns import encoded, matching, translated, with_column
from ..tables.delimited import MISSING, DelimitedFile
from ..variants import canonical
from ..variants.cases import CASES, NOTHING, Dropped, SourceTables
from ..variants.schema import SCHEMA
from . import beside, cbioportal_web, folder_files, maf
from .beside import with_silent_cases
from .layouts import TCGA_CLINICAL as CLINICAL

_EXAMPLES = 5
_FIRST_NORMAL = "10"
"""TCGA sample types from here on are normal tissue."""

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
    """Read a source that is one folder, without a second table of calls; see ``read_folders``."""
    (tables,) = read_folders([folder])
    return tables


def read_folders(folders: Sequence[Path], genomes: Sequence[Path] = ()) -> list[SourceTables]:
    """Read all folders of the source, one ``SourceTables`` each, in their order; a case is a patient.

    A folder may hold MAFs (files with a column Tumor_Sample_Barcode), tables of cBioPortal's web download (mutations,
    copy number), matrices of spectra, tables of arms and other copy number, fusions (with fusions_screened.txt), and
    clinical tables (columns bcr_patient_barcode and acronym or type); each is optional. The clinical tables of all
    folders serve all of them. A folder that holds both MAFs and mutations of the web download gives two
    ``SourceTables``, that of the MAFs first.

    A patient is the first 12 characters of a barcode that begins with TCGA-, else the whole barcode. Of a folder's MAFs
    one tumour per patient is kept, of the type preferred in its cohort. A patient without a row in any MAF may not have
    been sequenced; it is a case (with the panel ``NOTHING``) only if its copy number or its fusions are known. Where a
    MAF has a FILTER column, variants pass that are marked PASS, or only as whole-genome amplified in the two cohorts
    where nearly all DNA was (LAML and OV). The bases around variants of which the MAFs give none come from the first of
    ``genomes`` (FASTA) that fits the folder.

    Raises ``InputError`` with file, line and column for anything that cannot be read, and where no folder holds any
    data or none has the clinical table.
    """
    contents = [_Folder(folder, folder_files.sorted_files(folder)) for folder in folders]
    patients, contradictory = _clinical([DelimitedFile(path) for each in contents for path in each.clinical])
    _check(contents)
    tables, seen = [], set()
    for each in contents:
        own, sequenced = _of_folder(each, patients, contradictory, genomes)
        tables += own
        seen |= sequenced
    tables = with_silent_cases(tables, _Silent(patients, contradictory).cases, contents[0].source)
    return _with_never_seen(tables, set(patients) - seen, contents[0].source)


@dataclass(frozen=True)
class _Folder:
    """A folder and its ``files`` by what they hold (``folder_files.sorted_files``)."""

    path: Path
    files: dict[str, list[Path]]

    @property
    def source(self) -> str:
        return delimited.origin(self.path, "tcga")

    @property
    def mafs(self) -> list[Path]:
        return self.files.get(folder_files.MAF, [])

    @property
    def clinical(self) -> list[Path]:
        return self.files.get(folder_files.CLINICAL, [])

    @cached_property
    def web_tables(self) -> tuple[list[Path], list[Path]]:
        """Tables of cBioPortal's web download: of mutations, and of copy number."""
        paths = self.files.get(folder_files.WEB_TABLE, [])
        mutated = [path for path in paths if cbioportal_web.holds_mutations(path)]
        return mutated, [path for path in paths if path not in mutated]

    @property
    def not_used(self) -> list[str]:
        kinds = (folder_files.OTHER, folder_files.GENE_LIST, folder_files.DEPMAP_MUTATIONS, folder_files.DEPMAP_MODELS)
        return [path.name for kind in kinds for path in self.files.get(kind, [])]

    @property
    def has_data(self) -> bool:
        kinds = (folder_files.MAF, folder_files.WEB_TABLE, folder_files.SPECTRA, folder_files.FUSIONS)
        return any(self.files.get(kind) for kind in (*kinds, *folder_files.COPY_NUMBER))


def _check(contents: Sequence[_Folder]) -> None:
    """Raise ``InputError`` for a folder that holds nothing to read, and for MAFs without a clinical table."""
    has_clinical = any(each.clinical for each in contents)
    for each in contents:
        if not each.has_data and not (each.clinical and len(contents) > 1):
            raise InputError(
                f"{each.path}: no MAF: no file has a column Tumor_Sample_Barcode; nor is there a table of "
                "cBioPortal, copy number, fusions or spectra. Put one there"
            )
        if each.mafs and not has_clinical:
            raise InputError(f"{each.path}: no clinical table: no file has a column bcr_patient_barcode. Put one there")


def _of_folder(
    folder: _Folder, patients: dict[str, Patient], contradictory: set[str], genomes: Sequence[Path]
) -> tuple[list[SourceTables], set[str]]:
    """What one folder holds: of the MAFs, of the web download, or neither; what lies beside them is with the first.
    And the patients whom a MAF names."""
    mutated, copies = folder.web_tables
    found = beside.read(folder.files, folder.source, copies)
    tables, sequenced = [], set()
    if folder.mafs:
        of_mafs, sequenced = _of_mafs(folder, patients, contradictory, genomes)
        tables.append(of_mafs)
    if mutated:
        cohorts = {
            name: (patient.cohort, patient.sex) for name, patient in patients.items() if name not in contradictory
        }
        tables.append(cbioportal_web.read_tables(mutated, folder.path, folder.source, cohorts))
    if not tables:
        tables.append(SourceTables(CASES.empty_table(), SCHEMA.empty_table(), notes={"files": []}))
    first, *more = tables
    notes = first.notes | {"ignored_files": folder.not_used}
    if found.notes:
        notes["beside"] = found.notes
    first = replace(
        first,
        dropped=first.dropped + found.dropped,
        notes=notes,
        alterations=found.alterations,
        spectra=found.spectra,
    )
    return [first, *more], sequenced


def _with_never_seen(tables: list[SourceTables], patients: set[str], source: str) -> list[SourceTables]:
    """With a count of those of ``patients``, who are in no MAF, of whom nothing else is known either."""
    cases = {name for table in tables for name in table.cases["case_id"].to_pylist()}
    names = sorted(patients - cases)
    if not names:
        return tables
    reason = "in the clinical table, but in no MAF: perhaps never sequenced"
    never_seen = Dropped(source, "case", reason, len(names), tuple(names[:_EXAMPLES]))
    return [*tables[:-1], replace(tables[-1], dropped=[*tables[-1].dropped, never_seen])]


def _of_mafs(
    folder: _Folder, patients: dict[str, Patient], contradictory: set[str], genomes: Sequence[Path]
) -> tuple[SourceTables, set[str]]:
    """The cases of the folder's MAFs, and the patients whom they name."""
    source, mafs = folder.source, [DelimitedFile(path) for path in folder.mafs]
    for file in mafs:
        maf.LAYOUT.check(file, training=True)
    reader = maf.MafReader()
    reader.genomes = genomes
    rows = reader.rows(mafs)
    tumours, left_out = _one_tumour_each(reader.samples, patients, contradictory, source)
    rows, not_used = _of_tumours(rows, tumours, patients, source)
    table, unclear = canonical.table(rows.drop_columns(["status"]), source)
    reader.tally.take(not_used)
    dropped = reader.tally.dropped(source, "variant")
    reader.tally.take(unclear)
    notes = {
        "files": [path.name for path in (*folder.mafs, *folder.clinical)],
        "filter": "FILTER is PASS, or only wga or native_wga_mix in LAML and OV; files without FILTER are taken whole",
        "context": bool(table["context"].null_count < table.num_rows),
    }
    cases = _cases(tumours.values(), patients, source)
    reader.tally.used = table.num_rows
    account = reader.tally.account("row")
    tables = SourceTables(cases, table, left_out + dropped + unclear, notes, account=account)
    return tables, {_patient(barcode) for barcode in reader.samples}


@dataclass(frozen=True)
class _Silent:
    """The patients of whom some file beside the mutations may tell something."""

    patients: dict[str, Patient]
    contradictory: set[str]

    def cases(self, samples: Sequence[str], seen: set[str], source: str) -> pa.Table:
        """The cases of ``samples`` of copy number and fusions whose patients are not ``seen``."""
        tumours = {_patient(name) for name in samples if _sample_type(name) < _FIRST_NORMAL} - seen
        known = [name for name in tumours if name in self.patients and name not in self.contradictory]
        return _cases(known, self.patients, source, NOTHING)


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
            patients[patient] = Patient(known.cohort or row.cohort, known.sex or row.sex)
            if known.cohort and row.cohort and _differ(known.cohort, row.cohort):
                contradictory.add(patient)
    return patients, contradictory


def _differ(one: str, other: str) -> bool:
    """Whether two cohorts stand for two cancers, as COAD and COADREAD do not."""
    first, second = mapping.from_tcga_cohort(one), mapping.from_tcga_cohort(other)
    same = first.label == second.label is not None
    return one != other and not same


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
    tumours = [sample for sample in samples if types[sample] < _FIRST_NORMAL]
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


def _cases(names: Iterable[str], patients: dict[str, Patient], source: str, panel: str | None = None) -> pa.Table:
    rows = []
    for patient in sorted(names):
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
                "panel": panel,
            }
        )
    return pa.Table.from_pylist(rows, schema=CASES)
