"""Figures equal scikit-learn's; intervals come from patients; rules for absent labels hold."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    roc_auc_score,
    top_k_accuracy_score,
)

from cancertype.errors import InputError
from cancertype.evaluation import metrics
from cancertype.labels import FAMILIES, FAMILY_OF, LABELS

LABEL_CODES = np.arange(len(LABELS))


def random_predictions(n: int = 300, seed: int = 0, labels: int = 26, skill: float = 2.0):
    """Labels among the first ``labels``, and probabilities that lean to the truth by ``skill`` nats."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, labels, n)
    logits = rng.normal(size=(n, len(LABELS))) + skill * np.eye(len(LABELS))[y]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return y, p


def value(found: dict, name: str) -> float:
    return found[name]["value"]


# Predictions of absent labels are the point: the rule for them has a test of its own.
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_figures_equal_those_of_scikit_learn():
    y, p = random_predictions(labels=20)
    found = metrics.figures(y, p, np.zeros((0, len(y))))
    predicted, present = p.argmax(axis=1), np.unique(y)
    assert value(found, "accuracy") == pytest.approx(accuracy_score(y, predicted), abs=1e-6)
    assert value(found, "balanced_accuracy") == pytest.approx(balanced_accuracy_score(y, predicted), abs=1e-6)
    assert value(found, "macro_f1") == pytest.approx(f1_score(y, predicted, labels=present, average="macro"), abs=1e-6)
    assert value(found, "top3") == pytest.approx(top_k_accuracy_score(y, p, k=3, labels=LABEL_CODES), abs=1e-6)
    assert value(found, "log_loss") == pytest.approx(log_loss(y, p, labels=LABEL_CODES), abs=1e-6)
    assert value(found, "brier") == pytest.approx(((p - np.eye(26)[y]) ** 2).sum(axis=1).mean(), abs=1e-6)


def test_the_calibration_error_is_the_weighted_gap_of_the_bins_that_are_shown():
    y, p = random_predictions()
    bins = [row for row in metrics.reliability(y, p) if row["n"]]
    by_hand = sum(row["n"] * abs(row["accuracy"] - row["confidence"]) for row in bins) / len(y)
    assert sum(row["n"] for row in bins) == len(y)
    assert value(metrics.figures(y, p, np.zeros((0, len(y)))), "ece") == pytest.approx(by_hand, abs=1e-5)


def test_the_area_under_the_risk_coverage_curve_is_the_mean_of_its_risks():
    y, p = random_predictions(120)
    curve = metrics.risk_coverage(y, p, points=120)
    assert len(curve) == 120 and curve[-1]["coverage"] == 1.0
    assert curve[-1]["risk"] == pytest.approx((p.argmax(axis=1) != y).mean(), abs=1e-6)
    found = value(metrics.figures(y, p, np.zeros((0, 120))), "aurc")
    assert found == pytest.approx(np.mean([row["risk"] for row in curve]), abs=1e-5)


def test_a_weighted_sample_gives_what_the_repeated_cases_give():
    y, p = random_predictions(80)
    weights = metrics.resample([f"patient {i // 2}" for i in range(80)], 3, seed=1)
    for row in weights:
        repeated = np.repeat(np.arange(80), row.astype(int))
        found = metrics._estimates(y, p, row[None])
        plain = metrics._estimates(y[repeated], p[repeated], np.ones((1, len(repeated))))
        for name in set(metrics.FIGURES) - {"aurc"}:
            assert found[name][0] == pytest.approx(plain[name][0], abs=1e-9), name


def test_the_bootstrap_draws_patients_with_all_of_their_cases():
    patients = ["a", "a", "a", "b", "c", "c"]
    weights = metrics.resample(patients, 200, seed=0)
    assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 4] == weights[:, 5]).all()
    assert (weights[:, [0, 3, 4]].sum(axis=1) == 3).all()
    assert (metrics.resample(patients, 200, seed=0) == weights).all()


def test_many_cases_of_few_patients_give_a_wider_interval_than_as_many_patients():
    y, p = random_predictions(200)
    order = np.argsort(p.argmax(axis=1) == y)
    y, p = y[order], p[order]
    few = metrics.figures(y, p, metrics.resample(np.arange(200) // 20, 500, 0))["accuracy"]
    many = metrics.figures(y, p, metrics.resample(np.arange(200), 500, 0))["accuracy"]
    assert few["value"] == many["value"]
    assert few["high"] - few["low"] > 1.5 * (many["high"] - many["low"])


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    covered = 0
    for trial in range(100):
        right = rng.random(150) < 0.6
        p = np.where(right[:, None], np.eye(26)[0], np.eye(26)[1])
        found = metrics.figures(np.zeros(150, dtype=int), p, metrics.resample(np.arange(150), 200, trial))["accuracy"]
        covered += found["low"] <= 0.6 <= found["high"]
    assert 87 <= covered <= 100


def test_labels_without_a_case_are_left_out_of_macro_averages_but_their_prediction_is_an_error():
    y = np.array([0, 0, 1, 1])
    p = np.eye(26)[[0, 5, 1, 1]]
    found = metrics.figures(y, p, np.zeros((0, 4)))
    assert value(found, "balanced_accuracy") == pytest.approx((0.5 + 1.0) / 2)
    assert value(found, "macro_f1") == pytest.approx((2 / 3 + 1.0) / 2, abs=1e-6)


def test_an_equal_score_is_no_hit():
    y, p = np.array([25, 25]), np.full((2, 26), 1 / 26)
    found = metrics.figures(y, p, np.zeros((0, 2)))
    assert value(found, "accuracy") == 0.0 and value(found, "top3") == 0.0


def test_family_probabilities_are_the_sums_of_their_leaves():
    _, p = random_predictions(20)
    merged = metrics.family_probabilities(p)
    kidney = [LABELS.index("KIPAN"), LABELS.index("KIRC")]
    assert merged.shape == (20, 24)
    assert merged.sum(axis=1) == pytest.approx(np.ones(20))
    assert merged[:, FAMILIES.index("KIPAN")] == pytest.approx(p[:, kidney].sum(axis=1))
    assert all(FAMILY_OF[LABELS[i]] == FAMILIES[code] for i, code in enumerate(metrics.family_codes(LABEL_CODES)))


def test_a_sibling_of_the_label_is_right_for_the_family_and_wrong_for_the_leaf():
    y = metrics.encode(["KIRC", "KIRC", "LGG"])
    p = np.eye(26)[metrics.encode(["KIPAN", "KIRC", "BRCA"])]
    found = metrics.view(y, p, np.zeros((0, 3)))
    assert value(found["strict"], "accuracy") == pytest.approx(1 / 3, abs=1e-6)
    assert value(found["merged"], "accuracy") == pytest.approx(2 / 3, abs=1e-6)
    assert value(found["hierarchical"], "family_accuracy") == pytest.approx(2 / 3, abs=1e-6)
    assert value(found["hierarchical"], "family_then_leaf_accuracy") == pytest.approx(1 / 3, abs=1e-6)
    assert found["hierarchical"]["families"]["KIPAN"]["n"] == 2


def test_the_family_can_win_where_no_leaf_of_it_does():
    p = np.zeros((1, 26))
    p[0, metrics.encode(["KIPAN", "KIRC", "BRCA"])] = [0.33, 0.27, 0.40]
    found = metrics.hierarchical(metrics.encode(["KIPAN"]), p, np.zeros((0, 1)))
    assert p.argmax() == LABELS.index("BRCA")
    assert value(found, "family_then_leaf_accuracy") == 1.0


def test_the_table_of_labels_says_what_it_does_not_know():
    y, p = np.array([0, 0, 1]), np.eye(26)[[0, 2, 2]]
    rows = metrics.per_label(y, p)
    assert [row["label"] for row in rows] == list(LABELS)
    assert (rows[0]["precision"], rows[0]["recall"], rows[0]["f1"], rows[0]["n"]) == (1.0, 0.5, 0.666667, 2)
    assert (rows[1]["precision"], rows[1]["recall"], rows[1]["f1"]) == (None, 0.0, 0.0)
    assert (rows[2]["precision"], rows[2]["recall"], rows[2]["f1"], rows[2]["predicted"]) == (0.0, None, None, 2)
    assert rows[0]["recall_low"] < 0.5 < rows[0]["recall_high"]


def test_groups_and_burden_bins_hold_every_case_once():
    y, p = random_predictions(100)
    weights = metrics.resample(np.arange(100), 20, 0)
    groups = metrics.by_group(y, p, ["tcga"] * 60 + ["depmap"] * 40, weights)
    assert {name: row["n"] for name, row in groups.items()} == {"depmap": 40, "tcga": 60}
    assert value(groups["tcga"], "accuracy") == pytest.approx((p.argmax(1) == y)[:60].mean(), abs=1e-6)
    rows = metrics.by_burden(y, p, np.array([0, 9, 10, 5000] * 25), weights)
    assert [row["n"] for row in rows] == [50, 25, 0, 0, 0, 25]
    assert rows[0]["high"] == rows[1]["low"] and rows[-1]["high"] is None


def test_confusions_come_most_frequent_first():
    y = metrics.encode(["LUSC"] * 4 + ["BRCA"] * 4)
    p = np.eye(26)[metrics.encode(["LUAD", "LUAD", "LUAD", "LUSC", "OV", "BRCA", "BRCA", "BRCA"])]
    assert metrics.confusion_pairs(y, p) == [
        {"actual": "LUSC", "predicted": "LUAD", "n": 3, "share": 0.75},
        {"actual": "BRCA", "predicted": "OV", "n": 1, "share": 0.25},
    ]


def test_mcnemar_counts_only_the_cases_on_which_two_models_differ():
    first = np.array([True] * 9 + [False] + [True] * 50)
    second = np.array([False] * 9 + [True] + [True] * 50)
    found = metrics.mcnemar(first, second)
    assert (found["only_first"], found["only_second"]) == (9, 1)
    # Two-sided exact binomial, 10 discordant cases: 2 (1 + 10) / 2 ** 10.
    assert found["p_value"] == pytest.approx(22 / 1024, abs=1e-4)
    assert metrics.mcnemar(first, first)["p_value"] == 1.0


@pytest.mark.parametrize(("ours", "theirs", "verdict"), [(3.0, 0.5, "better"), (0.5, 3.0, "worse")])
def test_the_verdict_says_which_model_is_better(ours, theirs, verdict):
    y, p = random_predictions(skill=ours)
    _, other = random_predictions(skill=theirs)
    found = metrics.paired(y, p, other, metrics.resample(np.arange(len(y)), 200, 0))
    assert found["verdict"] == verdict


def test_a_model_against_itself_is_undecided():
    y, p = random_predictions()
    found = metrics.paired(y, p, p, metrics.resample(np.arange(len(y)), 200, 0))
    assert found["verdict"] == "undecided"
    assert found["log_loss"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_without_bootstrap_samples_there_is_no_interval_and_no_verdict():
    y, p = random_predictions()
    _, other = random_predictions(skill=0.0)
    none = metrics.resample(np.arange(len(y)), 0, 0)
    assert metrics.figures(y, p, none)["accuracy"]["low"] is None
    assert metrics.paired(y, p, other, none)["verdict"] == "undecided"


def test_an_interval_of_cases_that_all_agree_has_a_width():
    weights = metrics.resample(np.arange(8), 100, 0)
    assert metrics.share(np.ones(8), weights)["low"] == pytest.approx(0.676, abs=1e-3)


def test_thresholds_answer_fewer_cases_and_err_less():
    y, p = random_predictions(400, skill=4.0)
    low, high = metrics.at_thresholds(y, p, metrics.resample(np.arange(400), 50, 0), [0.3, 0.8])
    assert low["n"] == (p.max(axis=1) >= 0.3).sum() > high["n"] > 0
    assert value(high, "accuracy") > value(low, "accuracy")
    nothing = metrics.at_thresholds(y, p, np.zeros((0, 400)), [1.0])[0]
    assert (nothing["n"], value(nothing, "coverage"), value(nothing, "accuracy")) == (0, 0.0, None)


def test_auroc_equals_scikit_learns_with_ties():
    rng = np.random.default_rng(0)
    inside, outside = rng.integers(0, 5, 60).astype(float), rng.integers(2, 7, 40).astype(float)
    weights = metrics.resample(np.arange(60), 100, 0), metrics.resample(np.arange(40), 100, 1)
    found = metrics.auroc(inside, outside, *weights)
    expected = roc_auc_score(np.r_[np.zeros(60), np.ones(40)], np.r_[inside, outside])
    assert found["value"] == pytest.approx(expected, abs=1e-6)
    assert found["low"] < expected < found["high"]


def test_an_unknown_label_is_named():
    with pytest.raises(InputError, match="MESO"):
        metrics.encode(["BRCA", "MESO"])


@pytest.mark.parametrize(("entry", "message"), [(np.nan, "row 1"), (-0.1, "row 1"), (0.9, "row 1 sums to")])
def test_probabilities_that_are_none_are_refused(entry, message):
    p = np.full((3, 26), 1 / 26)
    p[1, 4] = entry
    with pytest.raises(InputError, match=message):
        metrics.check_probabilities(p, "trees")


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(0, 10_000), st.integers(1, 26))
def test_any_test_set_gives_figures_that_dump_to_json(n, seed, labels):
    y, p = random_predictions(n, seed, labels)
    weights = metrics.resample(np.arange(n) // 2, 20, seed)
    found = metrics.view(y, p, weights) | {"labels": metrics.per_label(y, p), "bins": metrics.reliability(y, p)}
    json.dumps(found, allow_nan=False)
    for name in ("accuracy", "macro_f1", "top3", "ece", "aurc"):
        figure = found["strict"][name]
        assert 0.0 <= figure["low"] <= figure["high"] <= 1.0


def test_labels_with_few_cases_may_be_left_out_of_macro_f1():
    y = np.array([0] * 6 + [1] * 6 + [2])
    p = np.eye(26)[np.array([0] * 6 + [1] * 6 + [3])]
    none = np.zeros((0, len(y)))
    assert value(metrics.figures(y, p, none), "macro_f1") == pytest.approx(2 / 3, abs=1e-6)
    assert value(metrics.figures(y, p, none, fewest=5), "macro_f1") == 1.0
    assert value(metrics.figures(y, p, none, fewest=5), "accuracy") == pytest.approx(12 / 13, abs=1e-6)


def test_a_mean_has_an_interval_even_where_all_values_agree():
    weights = np.ones((10, 4))
    assert metrics.mean(np.full(4, 3), weights) == {"value": 3.0, "low": 3.0, "high": 3.0}
    assert metrics.mean(np.array([]), np.ones((10, 0)))["value"] is None
