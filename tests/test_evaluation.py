"""One frame of predictions in, every figure out: calibrated on validation, measured on test."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cancertype.errors import InputError
from cancertype.evaluation import grid as grids
from cancertype.evaluation import metrics
from cancertype.evaluation.evaluate import evaluate_predictions, evaluate_tabular_models
from cancertype.evaluation.predictions import REQUIRED, frame
from cancertype.evaluation.settings import Evaluate
from cancertype.labels import LABELS

from .made_up_predictions import SETTINGS, made_up_grid, made_up_predictions, without
from .settings import settings


@pytest.fixture(scope="module")
def result():
    return evaluate_predictions(made_up_predictions(), SETTINGS, seed=0)


def test_metrics_and_details_dump_to_json(result):
    assert json.loads(json.dumps(result.metrics, allow_nan=False)) == result.metrics
    json.dumps(result.details, allow_nan=False)


def test_the_metrics_are_eight_flat_numbers_that_agree_with_the_details(result):
    models = result.details["models"]
    beside = metrics.TRACKED_BESIDE
    assert len(result.metrics) == len(metrics.TRACKED) + 2 * len(beside) == 8
    assert all(isinstance(number, (int, float)) for number in result.metrics.values())
    for prefix, model, names in (
        ("", "blend", metrics.TRACKED),
        ("trees_", "trees", beside),
        ("lm_", "language_model", beside),
    ):
        for name in names:
            assert result.metrics[prefix + name] == models[model]["strict"][name]["value"]


def test_the_headline_of_a_published_model_agrees_with_the_details(result):
    models, headline = result.details["models"], result.details["headline"]
    assert headline["n"] == 200
    assert headline["accuracy"] == models["language_model"]["strict"]["accuracy"]["value"]
    assert headline["blend"]["merged_accuracy"] == models["blend"]["merged"]["accuracy"]["value"]
    assert headline["trees"]["log_loss"] == models["trees"]["strict"]["log_loss"]["value"]
    assert headline["outside_share"] == pytest.approx(1 - np.exp(-0.1), abs=1e-5)


def test_the_final_probabilities_stand_beside_the_predictions(result):
    p = result.predictions[[f"p_{label}" for label in LABELS]].to_numpy()
    assert len(p) == 330 and p.sum(axis=1) == pytest.approx(np.ones(330))
    test = result.predictions["split"] == "test"
    assert p[test] == pytest.approx(result.probabilities["blend"])
    assert list(result.predictions["case_id"]) == list(made_up_predictions()["case_id"])


def test_calibration_sees_the_validation_split_alone():
    frame = made_up_predictions()
    changed = frame.copy()
    test = changed["split"] == "test"
    changed.loc[test, "label"] = list(changed.loc[test, "label"][::-1])
    first, second = (evaluate_predictions(rows, SETTINGS, seed=0) for rows in (frame, changed))
    assert first.calibration == second.calibration
    assert first.metrics["accuracy"] > second.metrics["accuracy"]


@pytest.mark.parametrize(("lm", "trees", "verdict"), [(5.0, 1.0, "better"), (0.5, 5.0, "worse")])
def test_the_language_model_is_compared_with_the_best_tabular(lm, trees, verdict):
    comparison = evaluate_predictions(made_up_predictions(lm, trees), SETTINGS, seed=0).details["comparison"]
    assert comparison["language_model"]["verdict"] == verdict
    assert comparison["blend"]["accuracy"]["value"] >= comparison["language_model"]["accuracy"]["value"] - 0.05


def test_the_best_tabular_is_the_most_accurate_one():
    frame = made_up_predictions(trees_skill=0.0)
    assert evaluate_predictions(frame, SETTINGS, seed=0).details["comparison"]["best_tabular"] == "logistic"


def test_out_of_scope_cases_are_distinguished_and_mostly_abstained_on():
    found = evaluate_predictions(made_up_predictions(5.0, 5.0), SETTINGS, seed=0).details["out_of_scope"]
    assert found["n"] == 30
    assert found["auroc"]["one_minus_max"]["value"] > 0.8
    assert found["abstained_out_of_scope"]["value"] > found["abstained_in_scope"]["value"]


def test_without_trees_the_language_model_is_the_final_one():
    frame = without(made_up_predictions(), "trees_", "logistic_", "majority_")
    result = evaluate_predictions(frame[frame["split"] != "out_of_scope"], SETTINGS, seed=0)
    assert result.details["final"] == "language_model"
    assert result.details["comparison"] is None and result.details["out_of_scope"] is None
    assert list(result.metrics) == [*metrics.TRACKED]
    assert "blend" not in result.details["headline"] and "tabular" not in result.details["headline"]


@pytest.mark.parametrize(
    ("sources", "some", "all_"),
    [(["tcga"], False, False), (["simulated_tcga", "depmap"], True, False), (["simulated_tcga"], True, True)],
)
def test_figures_of_simulated_cases_say_so(sources, some, all_):
    frame = made_up_predictions()
    frame["source"] = [sources[i % len(sources)] for i in range(len(frame))]
    result = evaluate_predictions(frame, SETTINGS, seed=0)
    assert result.details["headline"]["simulated"] is some
    assert (result.details["simulated"], result.details["all_simulated"]) == (some, all_)


def test_the_tabular_models_have_the_same_figures_in_their_own_file():
    result = evaluate_predictions(made_up_predictions(), settings(Evaluate, "evaluate"), seed=0)
    frame = without(made_up_predictions(), "lm_")
    short, details = evaluate_tabular_models(frame[frame["split"] != "out_of_scope"], seed=0)
    assert list(short) == ["trees_accuracy", "logistic_accuracy"]
    assert short["trees_accuracy"] == result.metrics["trees_accuracy"]
    assert short["logistic_accuracy"] == result.details["models"]["logistic"]["strict"]["accuracy"]["value"]
    assert details["models"]["trees"] == result.details["models"]["trees"]


def test_the_gain_of_averaging_orders_is_measured_against_a_single_order(result):
    frame = made_up_predictions(4.0)
    single = made_up_predictions(1.0)[[f"lm_{label}" for label in LABELS]].to_numpy()
    beside = pd.DataFrame(single, columns=[f"single_order_{label}" for label in LABELS])
    found = evaluate_predictions(pd.concat([frame, beside], axis=1), SETTINGS, seed=0).details["orders"]
    assert found["verdict"] == "better" and found["log_loss"]["high"] < 0
    assert result.details["orders"] is None


def test_the_same_seed_gives_the_same_figures(result):
    again = evaluate_predictions(made_up_predictions(), SETTINGS, seed=0)
    assert again.details == result.details


def test_held_out_cases_come_from_the_features_with_their_burden():
    cases = made_up_predictions().rename(columns={"n_mutations": "burden"})[[*REQUIRED[:-1], "burden"]]
    cases.loc[:49, "split"] = "train"
    found = frame(pa.Table.from_pandas(cases, preserve_index=False))
    assert list(found.columns) == list(REQUIRED) and len(found) == 280
    assert list(found["n_mutations"]) == list(cases["burden"][50:])


def test_a_group_of_assays_and_other_columns_are_kept_where_they_are_asked_for():
    cases = made_up_predictions().rename(columns={"n_mutations": "burden"})[[*REQUIRED[:-1], "burden"]]
    cases["row"] = "exome"
    found = frame(pa.Table.from_pandas(cases.assign(group="panel"), preserve_index=False), ["group", "row"])
    assert list(found.columns) == [*REQUIRED, "group", "row"] and set(found["group"]) == {"panel"}


# --- The grid of assays ---

GRID = {"exome": 3.0, "msk-impact-468": 2.0, "list": 0.0}


@pytest.fixture(scope="module")
def gridded():
    few = SETTINGS.model_copy(update={"bootstrap_samples": 20})
    # The logistic regression would only add time.
    predictions, grid = (
        without(each, "logistic_", "majority_") for each in (made_up_predictions(), made_up_grid(GRID))
    )
    return evaluate_predictions(predictions.assign(group="exome"), few, seed=0, grid=grid)


def test_every_row_of_the_grid_has_figures_with_intervals_for_every_model(gridded):
    assays = gridded.details["assays"]
    assert list(assays) == list(GRID)
    for found in assays.values():
        assert found["n"] == 200 and found["labels"] == 26
        assert list(found["models"]) == ["blend", "language_model", "trees"]
        for figures in found["models"].values():
            accuracy = figures["accuracy"]
            assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
            assert len(figures["thresholds"]) == 2
        assert found["out_of_scope"]["n"] == 30
    sets = assays["exome"]["sets"]
    assert set(sets) == {"blend", "language_model", "trees"}
    assert sets["blend"]["coverage"]["value"] > 0.8
    size = sets["blend"]["mean_size"]
    assert 1.0 <= size["low"] <= size["value"] <= size["high"] <= 26.0
    json.dumps(assays, allow_nan=False)


def test_a_row_in_which_models_know_less_has_lower_figures(gridded):
    accuracy = [found["models"]["blend"]["accuracy"]["value"] for found in gridded.details["assays"].values()]
    assert accuracy[0] > accuracy[1] + 0.1 and accuracy[1] > accuracy[2] + 0.1 and accuracy[2] < 0.2


def test_the_metrics_hold_one_number_for_each_row(gridded, result):
    rows = {f"{row}_accuracy" for row in GRID}
    assert set(gridded.metrics) - set(result.metrics) == rows
    for row in GRID:
        final = gridded.details["assays"][row]["models"]["blend"]
        assert gridded.metrics[f"{row}_accuracy"] == final["accuracy"]["value"]


def test_groups_of_assays_have_heads_of_their_own(gridded):
    heads = gridded.calibration.assays
    assert set(heads) == {"exome", "panel"}
    assert heads["exome"].cases == heads["panel"].cases == 200, "100 as they are and 100 in the grid; two rows of 100"
    assert heads["panel"].text.lm < 0.7 * heads["exome"].text.lm, "it was twice as sure as it may be"


def test_a_row_without_test_cases_has_no_figures(gridded):
    grid = made_up_grid(GRID)
    grid = grid[(grid["row"] != "list") | (grid["split"] == "validation")]
    few = SETTINGS.model_copy(update={"bootstrap_samples": 0})
    measured = grids.measure(grid, gridded.calibration, [], few, seed=0)
    assert measured["list"] == {"n": 0} and list(grids.few(measured)) == ["exome_accuracy", "msk-impact-468_accuracy"]
    assert list(measured["exome"]["models"]) == ["language_model"], "there are no trees to blend it with"


def test_without_a_grid_there_are_no_rows_and_no_groups(result):
    assert result.details["assays"] == {} and result.calibration.assays == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="patient_id"), "patient_id"),
        (lambda f: f.drop(columns="lm_OV"), "lm_OV"),
        (lambda f: f[f["split"] != "validation"], r"cohort\.validation_fraction"),
        (lambda f: f[f["split"] != "test"], r"cohort\.test_fraction"),
        (lambda f: f.assign(split="train"), "train"),
        (lambda f: f.assign(case_id="one"), "one occurs twice"),
        (lambda f: f.assign(label="MESO"), "MESO"),
        (lambda f: f.assign(trees_OV=0.9), "trees on validation: row 0 sums"),
    ],
)
def test_a_frame_that_cannot_be_evaluated_says_why(change, message):
    with pytest.raises(InputError, match=message):
        evaluate_predictions(change(made_up_predictions()), SETTINGS, seed=0)
