"""The released model on textbook cases: what any oncologist would name first must be among its first three."""

import json
import random

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from cancertype.cohort import assembly
from cancertype.cohort.settings import Cohort
from cancertype.files import digest
from cancertype.labels import LABELS
from cancertype.prediction.predictor import Predictor
from cancertype.sources import tcga
from cancertype.tables.columns import with_column
from cancertype.variants.cases import LIST, SourceTables
from pipeline.verify import stored
from tests.small_cohort import tables
from tests.test_pipeline import ROOT

ULTRAVIOLET = {"C>T": 85, "C>A": 5, "T>A": 4, "T>C": 6}
AGE = {"C>T": 60, "C>A": 12, "C>G": 8, "T>A": 5, "T>C": 12, "T>G": 3}
FLAT = {"C>T": 28, "C>A": 18, "C>G": 12, "T>A": 14, "T>C": 20, "T>G": 8}
EXCHANGES = {
    "C>T": ["R>H", "R>C", "E>K", "A>V", "S>F", "P>L", "P>S", "G>E"],
    "C>A": ["A>S", "G>V", "L>I", "P>H"],
    "C>G": ["E>Q", "D>H", "S>C"],
    "T>A": ["L>Q", "V>D", "N>I"],
    "T>C": ["I>T", "K>E", "Y>C"],
    "T>G": ["V>G", "F>C"],
}
"""Amino-acid exchanges that each class of substitution causes, for mutations without a meaning."""

CASES = {
    "SKCM": ([("BRAF", "V600E", "missense", "T>A"), ("CDKN2A", "R80*", "nonsense", "C>T")], 280, ULTRAVIOLET),
    "COAD": ([("APC", "R1450*", "nonsense", "C>T"), ("KRAS", "G12D", "missense", "C>T")], 90, AGE),
    "KIRC": ([("VHL", "S65*", "nonsense", "C>A"), ("PBRM1", "R710*", "nonsense", "C>T")], 45, FLAT),
    "LGG": ([("IDH1", "R132H", "missense", "C>T"), ("CIC", "R215W", "missense", "C>T")], 24, AGE),
    "THYM": ([("GTF2I", "L424H", "missense", "T>A")], 9, FLAT),
    "LAML": ([("NPM1", "W288fs", "frameshift", None), ("FLT3", "D835Y", "missense", "C>A")], 8, AGE),
    "PRAD": ([("SPOP", "F133V", "missense", "T>G")], 26, AGE),
}
UNSURE = {"TP53 alone": [("TP53", "R175H", "missense", "C>T")], "nothing": []}


def other_mutations(n: int, spectrum: dict[str, int], rng: random.Random) -> list[tuple]:
    """``n`` missense mutations of genes that no vocabulary holds, so that they count in burden and spectrum only."""
    classes = rng.choices(list(spectrum), weights=list(spectrum.values()), k=n)
    changes = [rng.choice(EXCHANGES[name]).replace(">", str(100 + at)) for at, name in enumerate(classes)]
    return [
        (f"PASSENGER{at}", change, "missense", name)
        for at, (name, change) in enumerate(zip(classes, changes, strict=True))
    ]


@pytest.fixture(scope="module")
def predictions(gemma_base, tmp_path_factory) -> dict:
    """Every case's record. The base lies where a repository that ran fetch_base has it."""
    folder = tmp_path_factory.mktemp("released")
    (folder / "models").mkdir()
    (folder / "models" / "base").symlink_to(gemma_base)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # As on a user's machine without a GPU.
        patch.setenv("CANCERTYPE_RUNTIME", "onnx")
        patch.setattr("cancertype.prediction.exports.user_cache", lambda: folder / "cache")
        predictor = Predictor.from_pretrained(ROOT / "released")
    rng = random.Random(0)
    given = {name: drivers + other_mutations(n, spectrum, rng) for name, (drivers, n, spectrum) in CASES.items()}
    given |= {name: drivers + other_mutations(3 if drivers else 0, AGE, rng) for name, drivers in UNSURE.items()}
    rows = [(name, *mutation) for name, mutations in given.items() for mutation in mutations]
    answers = predictor.predict(tables([{"case_id": name, "label": None} for name in given], rows))
    return dict(zip(given, zip(answers.p, answers.abstains, answers.top(3), answers.in_set, strict=True), strict=True))


@pytest.mark.parametrize("label", CASES)
def test_a_textbook_case_has_its_answer_among_the_first_three(predictions, label):
    p, _, top, _ = predictions[label]
    assert label in [name for name, _ in top], (label, p[LABELS.index(label)], top)


def test_tp53_alone_leaves_the_model_unsure(predictions):
    """Below the 0.75 from which an answer counts as confident, with more than one cancer left in the 90 % set."""
    p, _, _, in_set = predictions["TP53 alone"]
    assert p.max() < 0.75 and in_set.sum() >= 2


def test_no_mutation_is_no_answer(predictions):
    assert predictions["nothing"][1] == "no informative mutation"


def test_the_committed_run_went_on_from_the_adapter_that_is_released():
    """DVC does not watch ``released/adapter``, because each release writes there. The training's report, an output of
    the committed ``dvc.lock``, is read from ``remote/``."""
    assert yaml.safe_load((ROOT / "params.yaml").read_text())["train"]["continue_from"] == "released/adapter"
    outs = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]["train_lora"]["outs"]
    (adapter,) = (out["md5"] for out in outs if out["path"] == "models/adapter")
    md5 = {entry["relpath"]: entry["md5"] for entry in json.loads(stored(ROOT / "remote", adapter).read_text())}
    origin = json.loads(stored(ROOT / "remote", md5["training.json"]).read_text())["continued_from"]
    assert origin["sha256"] == digest(ROOT / "released" / "adapter" / "adapter_model.safetensors", "sha256"), (
        "run `dvc repro --force --single-item train_lora`, then `dvc repro` and `dvc push`"
    )


def test_melanomas_of_a_panel_are_called_melanoma_as_exomes_too(shared_data):
    """No exome of a melanoma had copy number in training, and these were seen through 1,066 genes only. A model
    that had learned what was looked at would call them something else as soon as nothing says "panel"."""
    (tables,) = tcga.read_folders([shared_data / "tcga_cbioportal"])
    preset = yaml.safe_load((ROOT / "params" / "tcga-270m.yaml").read_text(encoding="utf-8"))
    found = assembly.assemble([tables], Cohort(**preset["cohort"] | {"small_labels": "drop"}))
    of_panel = pc.and_(pc.equal(found.cases["label"], "SKCM"), pc.equal(found.cases["panel"], "cbioportal"))
    melanomas = found.cases.filter(pc.and_(of_panel, pc.is_in(found.cases["split"], pa.array(["validation", "test"]))))
    assert melanomas.num_rows > 80
    cases = melanomas.drop_columns("split")
    variants = found.variants.filter(pc.is_in(found.variants["case_id"], cases["case_id"].combine_chunks()))
    predictor = Predictor.from_pretrained(ROOT / "released", fast=True)

    def recall(panel: str | None) -> float:
        seen = with_column(cases, "panel", pa.array([panel] * cases.num_rows, pa.string()))
        p = predictor.predict(SourceTables(seen, variants, panels=found.panels, alterations=found.alterations)).p
        return (p.argmax(axis=1) == LABELS.index("SKCM")).mean()

    as_panel = recall("cbioportal")
    assert as_panel > 0.9
    assert recall(None) > 0.85 * as_panel, "as exomes with few mutations"
    assert recall(LIST) > 0.8 * as_panel, "their number not known"
