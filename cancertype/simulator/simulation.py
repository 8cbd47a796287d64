"""The simulated cohort, written as a DepMap release and as TCGA files, so the readers of real data read it too.

Every label has the number of patients in the settings, divided between tumours and cell lines as in the real sources.
A few awkward cases from real life are added (docs/simulator.md lists them).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from ..files import whole_folder
from ..labels import LABELS
from ..package_data import rows as rows_of
from . import alteration_files, copy_number, fusions
from .alteration_files import Altered
from .draws import Draws, case_rng, draw_case, is_silent
from .layouts import DEPMAP_COLUMNS, MAF_COLUMNS, MAF_CORE_COLUMNS, Block, depmap_table, maf_table, write_text
from .settings import Simulated

MAF_NAME = "simulated.maf.gz"
CLINICAL_NAME = "simulated_clinical.tsv"
MUTATIONS_NAME = "OmicsSomaticMutations.csv.gz"
MODELS_NAME = "Model.csv"
MAF_NOTICE = "#version 2.4\n#SIMULATED data: drawn from published frequencies, no patient's data (docs/simulator.md)\n"

_ROWS_PER_BLOCK = 100_000
_FEMALE_SHARE = {"OV": 1.0, "UCEC": 1.0, "CESC": 1.0, "PRAD": 0.0, "TGCT": 0.0, "BRCA": 0.99, "THCA": 0.73}
# TCGA's sample types: 01 primary tumour, 03 blood of a leukaemia, 06 metastasis, 11 normal tissue.
_SAMPLE_TYPE = {"LAML": "03", "SKCM": "06"}
_CLINICAL_COLUMNS = ("bcr_patient_barcode", "acronym", "gender", "histological_type", "note")
_MODEL_COLUMNS = (
    "ModelID", "PatientID", "CellLineName", "StrippedCellLineName", "DepmapModelType", "OncotreeLineage",
    "OncotreePrimaryDisease", "OncotreeSubtype", "OncotreeCode", "Sex", "ModelType", "EngineeredModel",
    "EngineeredModelDetails", "CulturedResistanceDrug", "PublicComments",
)  # fmt: skip
# Cohorts and codes outside the 26 labels, with the label whose figures stand in for theirs.
_COHORTS_OUT_OF_SCOPE = {"CHOL": "LIHC", "MESO": "KIPAN", "UCS": "OV", "UVM": "PCPG"}
_LINES_OUT_OF_SCOPE = {
    "SCLC": ("LUSC", "Lung", "Lung Neuroendocrine Tumor", "Small Cell Lung Cancer"),
    "UM": ("PCPG", "Eye", "Ocular Melanoma", "Uveal Melanoma"),
    "ES": ("SARC", "Bone", "Ewing Sarcoma", "Ewing Sarcoma"),
    "NBL": ("PCPG", "Peripheral Nervous System", "Neuroblastoma", "Neuroblastoma"),
}
_CASES_PER_OUT_OF_SCOPE = 3
_HYPERMUTATED_BURDEN = 6000
# Shares of the cases whose copy number, and whose fusions, were looked at. They are the same for every label, so that a
# model cannot tell the label from what was looked at.
COPY_NUMBER_SHARE = 0.8
FUSIONS_SHARE = 0.6


@dataclass(frozen=True)
class Case:
    """A case to be drawn: its identifiers, the label whose figures it follows and its own random stream."""

    sample: str
    patient: str
    label: str
    line: bool
    number: int
    stream: str
    code: str
    sex: str
    lineage: str = ""
    disease: str = ""
    subtype: str = ""
    burden: int | None = None
    selected: bool = True
    only_silent: bool = False
    engineered: str = ""
    resistance: str = ""
    kept: float = 1.0

    def draw(self, seed: int) -> Draws:
        """The case's variants; a second sample of a patient keeps ``kept`` of the first one's."""
        drawn = draw_case(
            case_rng(seed, self.label, self.stream, self.number),
            self.label,
            self.line,
            burden=self.burden,
            selected=self.selected,
        )
        if self.only_silent:
            return drawn.take(is_silent(drawn))
        if self.kept < 1.0:
            chosen = case_rng(seed, self.label, f"{self.stream} kept in {self.sample}", self.number).random(len(drawn))
            # All parts of a tumour share its early (selected) hits; adjacent normal tissue has none.
            return drawn.take((chosen < self.kept) | (drawn.recurrent & (self.kept > 0.5)))
        return drawn

    def draw_altered(self, seed: int) -> Altered:
        """The case's copy number and fusions, as far as they were looked at. All samples of a patient have the same.

        Each has a random stream of its own, so that the mutations do not depend on them."""

        def stream(what: str) -> np.random.Generator:
            return case_rng(seed, self.label, f"{self.stream} {what}", self.number)

        seen = stream("looked at").random(2) < (COPY_NUMBER_SHARE, FUSIONS_SHARE)
        return Altered(
            self.sample,
            self.code,
            copy_number.draw(stream("copy number"), self.label, complete=self.line) if seen[0] else None,
            fusions.draw(stream("fusions"), self.label, at_least_one=self.line) if seen[1] else None,
        )

    @property
    def is_normal_tissue(self) -> bool:
        """Whether the sample is normal tissue beside a tumour (TCGA's types from 10), which has no copy number here."""
        return not self.line and self.sample[13:15] >= "10"


@cache
def _classes(label: str, layout: str) -> tuple[list[dict[str, str]], np.ndarray]:
    rows = [
        row for row in rows_of("simulator", "simulated_classes.csv") if (row["label"], row["layout"]) == (label, layout)
    ]
    return rows, np.cumsum([float(row["weight"]) for row in rows])


def labels_with_lines() -> tuple[str, ...]:
    """The labels that have cell lines: all but PCPG and THYM, as in reality."""
    return tuple(label for label in LABELS if _classes(label, "depmap")[0])


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, rest = divmod(number, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[rest] + digits
    return digits


def barcode(label_number: int, number: int) -> str:
    """A patient's barcode in TCGA's form. TCGA has no tissue source site 00, so the barcode is nobody's."""
    return f"TCGA-00-{_base36(label_number * 46_656 + number, 4)}"


def _case(label: str, line: bool, number: int, seed: int) -> Case:
    """Case ``number`` of a label. The class and the sex come from a random stream of their own."""
    stream = "line" if line else "tumour"
    rng = case_rng(seed, label, f"{stream} person", number)
    classes, cumulative = _classes(label, "depmap" if line else "tcga")
    chosen = classes[min(int(np.searchsorted(cumulative, rng.random(), side="right")), len(classes) - 1)]
    sex = "Female" if rng.random() < _FEMALE_SHARE.get(label, 0.45) else "Male"
    if line:
        sample, patient = f"ACH-SIM-{label}-{number:04d}", f"PT-SIM-{label}-{number:04d}"
    else:
        patient = barcode(LABELS.index(label), number)
        sample = f"{patient}-{_SAMPLE_TYPE.get(label, '01')}A"
    described = {key: chosen[key] for key in ("lineage", "disease", "subtype")}
    return Case(sample, patient, label, line, number, stream, chosen["code"], sex, **described)


def lines_per_label(label: str, settings: Simulated) -> int:
    """How many of a label's cases are cell lines; 0 for a label without cell lines."""
    return round(settings.cases_per_label * settings.cell_line_fraction) if label in labels_with_lines() else 0


def lines(settings: Simulated) -> list[Case]:
    """The cell lines, including awkward ones."""
    ordinary = [
        _case(label, True, i, settings.seed) for label in LABELS for i in range(lines_per_label(label, settings))
    ]
    first = {case.label: case for case in reversed(ordinary)}
    awkward = []
    for label, changes in {
        "LUAD": {},
        "COAD": {"engineered": "genetic knockout"},
        "SKCM": {"engineered": "cultured to resistance", "resistance": "Dabrafenib"},
    }.items():
        if label in first:
            awkward.append(replace(first[label], sample=f"{first[label].sample}-B", kept=0.85, **changes))
    for code, (like, lineage, disease, subtype) in _LINES_OUT_OF_SCOPE.items():
        for i in range(_CASES_PER_OUT_OF_SCOPE):
            names = (f"ACH-SIM-{code}-{i:04d}", f"PT-SIM-{code}-{i:04d}")
            awkward.append(Case(*names, like, True, i, f"line {code}", code, "Male", lineage, disease, subtype))
    no_code = ("", "Male", "Lymphoid", "B-Cell Acute Lymphoblastic Leukemia", "B-Cell Acute Lymphoblastic Leukemia")
    normal = ("", "Unknown", "Fibroblast", "Non-Cancerous", "Fibroblast, Skin")
    awkward.append(Case("ACH-SIM-NOCODE-0000", "PT-SIM-NOCODE-0000", "LAML", True, 0, "line without code", *no_code))
    awkward.append(Case("ACH-SIM-NORMAL-0000", "PT-SIM-NORMAL-0000", "THYM", True, 0, "line normal", *normal))
    return ordinary + awkward


def tumours(settings: Simulated) -> list[Case]:
    """The tumour samples, including awkward ones."""
    ordinary = [
        _case(label, False, i, settings.seed)
        for label in LABELS
        for i in range(settings.cases_per_label - lines_per_label(label, settings))
    ]
    first = {case.label: case for case in reversed(ordinary)}
    awkward = []
    for label, sample_type in {"SKCM": "01", "BRCA": "06", "LIHC": "11"}.items():
        if label in first:
            second = f"{first[label].patient}-{sample_type}A"
            awkward.append(replace(first[label], sample=second, kept=0.02 if sample_type == "11" else 0.8))
    for n, (label, changes) in enumerate(
        {
            "UCEC": {"burden": _HYPERMUTATED_BURDEN},
            "PCPG": {"burden": 5, "selected": False},
            "THCA": {"only_silent": True},
        }.items()
    ):
        patient = barcode(len(LABELS), n)
        ordinary_case = _case(label, False, n, settings.seed)
        names = {"sample": f"{patient}-01A", "patient": patient, "stream": "awkward"}
        awkward.append(replace(ordinary_case, **names, **changes))
    for n, (cohort, like) in enumerate(_COHORTS_OUT_OF_SCOPE.items()):
        for i in range(_CASES_PER_OUT_OF_SCOPE):
            patient = barcode(len(LABELS) + 1 + n, i)
            names = (f"{patient}-01A", patient)
            awkward.append(Case(*names, like, False, i, f"tumour {cohort}", cohort, "Male", subtype=cohort))
    return ordinary + awkward


def _blocks(cases: Iterable[Case], seed: int, silent: bool) -> Iterator[Block]:
    """Cases are drawn and collected until a block is full."""
    parts, samples, counts = [], [], []
    for case in cases:
        drawn = case.draw(seed)
        parts.append(drawn if silent else drawn.take(~is_silent(drawn)))
        samples.append(case.sample)
        counts.append(len(parts[-1]))
        if sum(counts) >= _ROWS_PER_BLOCK:
            yield Block(Draws.joined(parts), samples, np.repeat(np.arange(len(counts)), counts))
            parts, samples, counts = [], [], []
    if parts:
        yield Block(Draws.joined(parts), samples, np.repeat(np.arange(len(counts)), counts))


def _csv_cell(text: str) -> str:
    return f'"{text}"' if "," in text else text


def _models_csv(cases: list[Case]) -> str:
    rows = [",".join(_MODEL_COLUMNS)]
    for case in cases:
        name = case.sample.removeprefix("ACH-")
        cells = (
            case.sample, case.patient, name, name.replace("-", ""), case.code, case.lineage, case.disease, case.subtype,
            case.code, case.sex, "Cell Line", case.engineered, "", case.resistance, "SIMULATED",
        )  # fmt: skip
        rows.append(",".join(map(_csv_cell, cells)))
    return "\n".join(rows) + "\n"


def _clinical_tsv(cases: list[Case]) -> str:
    """One row per patient, and one patient without any variant call."""
    silent_patient = (barcode(len(LABELS), 99), "THYM", "FEMALE", "Thymoma", "SIMULATED")
    rows = {case.patient: (case.patient, case.code, case.sex.upper(), case.subtype, "SIMULATED") for case in cases}
    cells = [_CLINICAL_COLUMNS, *rows.values(), silent_patient]
    return "".join("\t".join(row) + "\n" for row in cells)


def altered_of(cases: Iterable[Case], seed: int) -> list[Altered]:
    """Copy number and fusions of the tumour samples or cell lines among ``cases``."""
    return [case.draw_altered(seed) for case in cases if not case.is_normal_tissue]


def _md5(path: Path) -> str:
    with open(path, "rb") as content:
        return hashlib.file_digest(content, "md5").hexdigest()


def _write_source(folder: Path, source: str, layout: str) -> None:
    named = sorted(path for path in folder.iterdir() if path.name != "source.json")
    described = {
        "source": source,
        "name": f"SIMULATED cohort in the layout of {layout}",
        "release": None,
        "licence": "Apache-2.0 (simulated; made by this project)",
        "citation": "SIMULATED: drawn by cancertype from the frequencies, burdens and spectra of TCGA (open access), "
        "and from published frequencies of copy number and fusions. "
        "No patient's and no cell line's data; not for any conclusion about a cancer.",
        "terms": None,
        "simulated": True,
        "files": [{"name": p.name, "md5": _md5(p), "bytes": p.stat().st_size, "origin": None} for p in named],
    }
    (folder / "source.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def write_depmap(folder: Path, settings: Simulated) -> None:
    """Write ``OmicsSomaticMutations.csv.gz``, ``Model.csv``, copy number, fusions and ``source.json`` into ``folder``,
    replacing its content.

    Equal settings give equal bytes. A label's first lines do not depend on how many follow.
    """
    cases = lines(settings)
    with whole_folder(folder) as beside:
        progress = tqdm(cases, desc="simulating cell lines", unit="line")
        tables = map(depmap_table(), _blocks(progress, settings.seed, silent=False))
        write_text(beside / MUTATIONS_NAME, ",".join(DEPMAP_COLUMNS) + "\n", tables, ",")
        (beside / MODELS_NAME).write_text(_models_csv(cases), encoding="utf-8")
        alteration_files.write_lines(beside, altered_of(cases, settings.seed))
        _write_source(beside, "simulated_depmap", "DepMap 25Q3")


def write_tcga(folder: Path, settings: Simulated) -> None:
    """Write a MAF, a clinical table, copy number, fusions and ``source.json`` into ``folder``, replacing its content.

    The MAF has those of MC3's columns that hold something, silent variants too, and genes under their symbols of 2012.
    Equal settings give equal bytes. A label's first tumours do not depend on how many follow.
    """
    cases = tumours(settings)
    with whole_folder(folder) as beside:
        progress = tqdm(cases, desc="simulating tumours", unit="tumour")
        blocks = _blocks(progress, settings.seed, silent=True)
        header = MAF_NOTICE + "\t".join(MAF_CORE_COLUMNS) + "\n"
        write_text(beside / MAF_NAME, header, map(maf_table(), blocks), "\t")
        (beside / CLINICAL_NAME).write_text(_clinical_tsv(cases), encoding="utf-8")
        alteration_files.write_tumours(beside, altered_of(cases, settings.seed))
        _write_source(beside, "simulated_tcga", "TCGA (MC3)")


def _endless(line: bool, seed: int, made: list[Case]) -> Iterator[Case]:
    """Cases of all labels in turn, recorded in ``made``."""
    labels, number = labels_with_lines() if line else LABELS, 0
    while True:
        for label in labels:
            made.append(_case(label, line, number, seed))
            yield made[-1]
        number += 1


def _limited(blocks: Iterator[Block], rows: int, progress: tqdm) -> Iterator[Block]:
    left = rows
    while left:
        block = next(blocks)
        block = block.take(slice(0, left)) if len(block) > left else block
        left -= len(block)
        progress.update(len(block))
        yield block


def write_depmap_rows(folder: Path, rows: int, *, gzipped: bool = False, seed: int = 3407) -> None:
    """As ``write_depmap``, but with exactly ``rows`` variants (25Q3 has about 1.2 million): for benchmarks."""
    made: list[Case] = []
    progress = tqdm(total=rows, desc="simulating cell lines", unit="row", unit_scale=True)
    with whole_folder(folder) as beside, progress as bar:
        blocks = _limited(_blocks(_endless(True, seed, made), seed, silent=False), rows, bar)
        name = MUTATIONS_NAME if gzipped else MUTATIONS_NAME.removesuffix(".gz")
        write_text(beside / name, ",".join(DEPMAP_COLUMNS) + "\n", map(depmap_table(), blocks), ",")
        (beside / MODELS_NAME).write_text(_models_csv(made), encoding="utf-8")
        _write_source(beside, "simulated_depmap", "DepMap 25Q3")


def write_tcga_rows(
    folder: Path, rows: int, *, gzipped: bool = True, columns: int = len(MAF_COLUMNS), seed: int = 3407
) -> None:
    """As ``write_tcga``, but with exactly ``rows`` variants (MC3 has 3.6 million) and ``columns`` columns: for
    benchmarks.

    ``columns`` counts MC3's columns from the left. The columns of the small cohort are always in the file.
    """
    kept = tuple(name for i, name in enumerate(MAF_COLUMNS) if i < columns or name in MAF_CORE_COLUMNS)
    made: list[Case] = []
    progress = tqdm(total=rows, desc="simulating tumours", unit="row", unit_scale=True)
    with whole_folder(folder) as beside, progress as bar:
        blocks = _limited(_blocks(_endless(False, seed, made), seed, silent=True), rows, bar)
        name = MAF_NAME if gzipped else MAF_NAME.removesuffix(".gz")
        write_text(beside / name, MAF_NOTICE + "\t".join(kept) + "\n", map(maf_table(kept), blocks), "\t")
        (beside / CLINICAL_NAME).write_text(_clinical_tsv(made), encoding="utf-8")
        _write_source(beside, "simulated_tcga", "TCGA (MC3)")
