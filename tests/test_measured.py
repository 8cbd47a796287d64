"""The figures beside an answer are of the test cases that were seen as the sample was."""

import pytest

from cancertype.evaluation.evaluate import evaluate_predictions
from cancertype.labels import LABELS
from cancertype.prediction import answers, inputs, measured
from cancertype.prediction.measured import Seen
from cancertype.prediction.prediction_config import Measured, PredictionConfig

from .made_up_predictions import SETTINGS, made_up_grid, made_up_predictions, without
from .test_companions import arms

NOTHING_BESIDE = frozenset()


def row(name: str, n: int = 9) -> Measured:
    return Measured(row=name, final={"COAD": {"n": n, "recall": 0.5, "precision": None}})


SMALL = "ampliseq-hotspot-50"
GRID = [
    row("exome"),
    row("exome+arms"),
    row(SMALL, n=4),
    row("msk-impact-468"),
    row("msk-impact-468+arms"),
    row("reduced"),
    row("list"),
]


@pytest.fixture
def config(published) -> PredictionConfig:
    return PredictionConfig.load(published).model_copy(update={"measured": GRID})


@pytest.mark.parametrize(
    ("seen", "nearest"),
    [
        (Seen("exome", None, NOTHING_BESIDE), "exome"),
        (Seen("exome", None, frozenset({"arms", "genes", "fusions"})), "exome+arms"),
        (Seen("panel", 60, NOTHING_BESIDE), SMALL),
        (Seen("panel", 500, NOTHING_BESIDE), "msk-impact-468"),
        (Seen("panel", 60, frozenset({"arms"})), "msk-impact-468+arms"),
        (Seen("list", None, frozenset({"genes"})), "list"),
        (Seen("nothing", None, frozenset({"arms"})), None),
    ],
)
def test_the_row_is_that_of_the_same_kind_and_data_and_the_nearest_size(config, seen, nearest):
    found = measured.nearest(config, seen)
    assert (found and found.row) == nearest


def test_a_label_with_few_cases_in_the_row_has_the_figures_of_all(config):
    few, many = (row for row in GRID if row.row in (SMALL, "list"))
    assert measured.figures(config, many, "COAD", fast=False)["seen_through"] == "list"
    overall = {"n": 10, "recall": 0.8, "precision": None, "seen_through": None}
    assert measured.figures(config, few, "COAD", fast=False) == overall
    assert measured.figures(config, many, "SKCM", fast=False) == overall
    assert measured.figures(config, None, "COAD", fast=False) == overall
    # The trees alone were measured on no row here.
    assert measured.figures(config, many, "COAD", fast=True) == overall


def test_how_a_case_was_seen_is_read_from_its_input(tmp_path):
    beside = {"copy_number": [str(arms(tmp_path / "arms.tsv", "s1"))]}
    found = inputs.read("s1: APC R1450*\ns2: KRAS G12D", **beside)
    seen = measured.seen(found.tables)
    assert seen == {"s1": Seen("list", None, frozenset({"arms"})), "s2": Seen("list", None, NOTHING_BESIDE)}
    panel = inputs.read("KRAS G12D", assay="msk-impact-468")
    assert measured.seen(panel.tables)["text"] == Seen("panel", 468, NOTHING_BESIDE)
    assert measured.seen(inputs.read("KRAS G12D", assay="exome").tables)["text"].kind == "exome"


def test_the_words_say_which_test_cases_the_figures_are_of(config):
    first = {"label": "COAD"} | measured.figures(config, GRID[4], "COAD", fast=False)
    assert answers.measured_in_words(first) == (
        "The model recognised 50% of 9 COAD cases in the test, seen through msk-impact-468 with chromosome arms "
        "(recall). It never called COAD in the test, seen through msk-impact-468 with chromosome arms, so its "
        "precision is unknown."
    )
    assert measured.in_words("exome+all") == "exome with copy number, fusions and spectra"
    assert measured.in_words("nothing+spectra") == "spectra alone"


def test_the_trees_are_measured_on_all_cases_of_a_row_where_the_language_model_read_a_sample():
    everyone = without(made_up_grid({"exome": 3.0}), "logistic_", "majority_")
    read = everyone[everyone.index % 2 == 0].reset_index(drop=True)
    predictions = without(made_up_predictions(), "logistic_", "majority_").assign(group="exome")
    few = SETTINGS.model_copy(update={"bootstrap_samples": 0})
    found = evaluate_predictions(predictions, few, 0, grid=read, grid_of_trees=without(everyone, "lm_"))
    by_label = found.details["assays"]["exome"]["by_label"]
    assert sum(figures["n"] for figures in by_label["final"].values()) == 100
    assert sum(figures["n"] for figures in by_label["trees"].values()) == 200
    test = everyone[everyone["split"] == "test"]
    p = found.calibration.apply(None, test[[f"trees_{label}" for label in LABELS]].to_numpy(), ["exome"] * 200)
    bowel = test["label"].to_numpy() == "COAD"
    recall = (p.argmax(axis=1) == LABELS.index("COAD"))[bowel].mean()
    assert by_label["trees"]["COAD"]["recall"] == pytest.approx(recall, abs=1e-4)


def test_figures_of_all_test_cases_say_so_in_words(config):
    of_all = {"label": "COAD"} | measured.figures(config, None, "COAD", fast=False)
    assert answers.measured_in_words(of_all) == (
        "The model recognised 80% of 10 COAD cases among all test cases, as they are (recall). It never called COAD "
        "among all test cases, as they are, so its precision is unknown."
    )


def test_an_evaluation_gives_each_row_the_figures_that_a_model_publishes():
    names = {"exome": 3.0, "msk-impact-468+arms": 2.0, "reduced": 1.0}
    predictions, grid = (
        without(each, "logistic_", "majority_") for each in (made_up_predictions(), made_up_grid(names))
    )
    few = SETTINGS.model_copy(update={"bootstrap_samples": 0})
    details = evaluate_predictions(predictions.assign(group="exome"), few, seed=0, grid=grid).details
    rows = [Measured(row=name, **found["by_label"]) for name, found in details["assays"].items()]
    assert [measured.of_row(each.row) for each in rows] == [
        Seen("exome", None, NOTHING_BESIDE),
        Seen("panel", 468, frozenset({"arms"})),
        Seen("reduced", None, NOTHING_BESIDE),
    ]
    for each in rows:
        assert sum(figures["n"] for figures in each.final.values()) == 200
        right = sum(figures["n"] * figures["recall"] for figures in each.final.values()) / 200
        assert right == pytest.approx(details["assays"][each.row]["models"]["blend"]["accuracy"]["value"], abs=1e-4)
        assert set(each.trees) == set(each.final) and each.trees != each.final
    final = {each["label"]: each["recall"] for each in details["per_label"]["blend"]}
    assert all(final[label] == figures["recall"] for label, figures in details["by_label"]["final"].items())
