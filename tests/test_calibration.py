"""Calibration is fitted on validation only, stays tame when there is little of it, and survives its JSON file."""

import json

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import log_softmax, softmax
from sklearn import model_selection
from sklearn.metrics import log_loss

from cancertype.errors import InputError
from cancertype.evaluation import calibration, metrics
from cancertype.evaluation.calibration import Calibration, Head, Heads
from cancertype.evaluation.calibration import conformal_quantile as conformal
from cancertype.evaluation.settings import Evaluate
from cancertype.labels import LABELS
from tests.settings import settings

SETTINGS = settings(Evaluate, "evaluate")


def cases(n: int, seed: int, skill: float = 2.0, sharpness: float = 1.0):
    """Labels and log-probabilities: calibrated ones of a model of this skill, times ``sharpness``."""
    rng = np.random.default_rng(seed)
    logits = skill * rng.normal(size=(n, len(LABELS)))
    p = softmax(logits, axis=1)
    y = np.array([rng.choice(len(LABELS), p=row) for row in p])
    return y, log_softmax(sharpness * logits, axis=1)


def two_models(n: int, seed: int):
    """Labels, and two models that each see half of the evidence: their product is the calibrated answer."""
    rng = np.random.default_rng(seed)
    first, second = 1.5 * rng.normal(size=(2, n, len(LABELS)))
    y = np.array([rng.choice(len(LABELS), p=row) for row in softmax(first + second, axis=1)])
    return y, log_softmax(first, axis=1), softmax(second, axis=1)


def test_a_sharpened_model_gets_the_temperature_that_undoes_it():
    y, lm = cases(800, 0, sharpness=2.5)
    fitted = calibration.fit(lm, y, SETTINGS, seed=0)
    assert 1 / fitted.text.lm == pytest.approx(2.5, rel=0.1)
    assert fitted.text.trees == 0.0 and fitted.blend is None


def test_the_trees_alone_are_calibrated_too():
    y, lm, trees = two_models(600, 0)
    y_test, _, trees_test = two_models(1000, 1)
    sharp = softmax(2.5 * np.log(trees_test), axis=1)
    fitted = calibration.fit(lm, y, SETTINGS, seed=0, trees_proba=softmax(2.5 * np.log(trees), axis=1))
    p = fitted.apply(None, sharp)
    assert (fitted.trees.lm, 1 / fitted.trees.trees) == pytest.approx((0.0, 2.5), rel=0.35)
    assert log_loss(y_test, p, labels=np.arange(26)) < log_loss(y_test, sharp, labels=np.arange(26)) - 0.1
    assert fitted.sets(p, "trees")[np.arange(1000), y_test].mean() == pytest.approx(SETTINGS.coverage, abs=0.03)
    with pytest.raises(InputError, match="without a calibration of its trees alone"):
        fitted.model_copy(update={"trees": None}).apply(None, sharp)


def test_temperature_improves_held_out_log_loss_and_calibration_error():
    y, lm = cases(600, 0, sharpness=2.5)
    y_test, lm_test = cases(1500, 1, sharpness=2.5)
    p = calibration.fit(lm, y, SETTINGS, seed=0).apply(lm_test)
    before = metrics.figures(y_test, np.exp(lm_test), np.zeros((0, 1500)))
    after = metrics.figures(y_test, p, np.zeros((0, 1500)))
    assert after["log_loss"]["value"] < before["log_loss"]["value"]
    assert after["ece"]["value"] < 0.5 * before["ece"]["value"]
    assert after["accuracy"] == before["accuracy"]


def test_the_blend_beats_both_of_its_models_on_new_cases():
    y, lm, trees = two_models(600, 0)
    y_test, lm_test, trees_test = two_models(1000, 1)
    fitted = calibration.fit(lm, y, SETTINGS, seed=0, trees_proba=trees)
    codes = np.arange(26)
    blended = log_loss(y_test, fitted.apply(lm_test, trees_test), labels=codes)
    assert blended < log_loss(y_test, fitted.apply(lm_test), labels=codes) - 0.1
    assert blended < log_loss(y_test, trees_test, labels=codes) - 0.1
    assert (fitted.blend.lm, fitted.blend.trees) == pytest.approx((1.0, 1.0), abs=0.15)


def test_a_model_that_knows_nothing_gets_hardly_any_weight():
    y, lm = cases(800, 0)
    noise = softmax(np.random.default_rng(9).normal(size=lm.shape), axis=1)
    fitted = calibration.fit(lm, y, SETTINGS, seed=0, trees_proba=noise)
    assert fitted.blend.trees < 0.1 < fitted.blend.lm


def test_the_exponents_are_where_the_penalised_loss_is_least():
    y, lm, trees = two_models(150, 3)
    logs = calibration._inputs(lm, trees)
    best = calibration._fit_weights(logs, y, stiffness=3.0)

    def objective(weights):
        p = softmax(np.tensordot(weights[:2], logs, axes=1) + weights[2:], axis=1)
        penalty = ((weights[:2] - 0.5) ** 2).sum() + 1.5 * (weights[2:] ** 2).sum()
        return -np.log(p[np.arange(150), y]).sum() + penalty

    for at in range(28):
        for step in (0.05, -0.05):
            assert objective(best) < objective(best + step * np.eye(28)[at])
    assert not calibration._fit_weights(logs, y, stiffness=np.inf)[2:].any()


def test_a_model_that_favours_some_labels_is_put_right_where_there_are_cases_enough():
    favour = np.where(np.arange(26) < 6, 1.5, 0.0)
    y, lm = cases(800, 0)
    y_test, lm_test = cases(1500, 1)
    fitted = calibration.fit(lm + favour, y, SETTINGS, seed=0)
    p = fitted.apply(lm_test + favour)
    assert np.mean(fitted.text.bias[:6]) - np.mean(fitted.text.bias[6:]) == pytest.approx(-1.5, abs=0.25)
    found = (p.argmax(axis=1) == y_test).mean()
    assert found > ((lm_test + favour).argmax(axis=1) == y_test).mean() + 0.02
    assert found == pytest.approx((lm_test.argmax(axis=1) == y_test).mean(), abs=0.02)
    # A tempered tabular model is put right in the same way.
    tempered = calibration.temper(softmax(lm + favour, axis=1), y, softmax(lm_test + favour, axis=1), seed=0)
    assert tempered == pytest.approx(p, abs=1e-3)


def test_few_cases_of_a_model_without_favourites_give_no_bias():
    biases = [
        calibration.fit(cases(100, seed)[1], cases(100, seed)[0], SETTINGS, seed=0).text.bias for seed in range(4)
    ]
    assert np.median([np.abs(bias).max() for bias in biases]) < 0.1


@pytest.mark.parametrize("n", [0, 1, 3, 12])
def test_few_validation_cases_give_tame_exponents_and_whole_sets(n):
    y, lm, trees = two_models(n, 0) if n else (np.empty(0, dtype=int), np.empty((0, 26)), np.empty((0, 26)))
    fitted = calibration.fit(lm, y, SETTINGS, seed=0, trees_proba=trees)
    _, lm_test, trees_test = two_models(20, 1)
    p = fitted.apply(lm_test, trees_test)
    assert np.isfinite(p).all() and p.sum(axis=1) == pytest.approx(np.ones(20))
    assert 0.2 < fitted.text.lm < 3 and 0.1 < fitted.blend.lm + fitted.blend.trees < 4
    assert fitted.sets(p).all(), "so few cases cannot promise 90%"


def test_a_model_that_is_always_right_does_not_get_an_endless_exponent():
    y = np.arange(26).repeat(4)
    fitted = calibration.fit(log_softmax(3.0 * np.eye(26)[y], axis=1), y, SETTINGS, seed=0)
    assert 1.0 < fitted.text.lm <= calibration._LARGEST
    assert np.isfinite(fitted.apply(np.full((1, 26), -3.0))).all()


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_sets_hold_the_label_as_often_as_asked(coverage):
    y, lm = cases(900, 0, sharpness=1.7)
    y_test, lm_test = cases(3000, 1, sharpness=1.7)
    fitted = calibration.fit(lm, y, settings(Evaluate, "evaluate", coverage=coverage), seed=0)
    sets = fitted.sets(fitted.apply(lm_test))
    found = metrics.prediction_sets(y_test, sets, np.zeros((0, 3000)))
    assert coverage - 0.01 <= found["coverage"]["value"] <= coverage + 0.035
    assert found["mean_size"]["value"] < 20


def test_four_of_five_small_validation_sets_give_the_coverage_that_is_promised():
    rng = np.random.default_rng(0)
    # Of new scores between 0 and 1, all alike, a share as large as the quantile lies below it.
    covered = np.array([conformal(rng.uniform(size=60), 0.9) for _ in range(1000)])
    assert (covered >= 0.9).mean() == pytest.approx(0.86, abs=0.03), "by one rank less it would be below four of five"
    assert covered.mean() <= 0.94


def test_the_quantile_leaves_room_for_an_unlucky_draw_of_the_cases():
    scores = np.arange(1, 1001) / 1000
    # 0.9 and 0.84 standard errors of a share of 0.9 among 1,000.
    assert conformal(scores, 0.9) == pytest.approx(0.9 + 0.8416 * np.sqrt(0.09 / 1000), abs=0.002)
    # One patient seen ten times counts once.
    assert conformal(scores, 0.9, independent=100) == pytest.approx(0.9 + 0.8416 * np.sqrt(0.09 / 100), abs=0.01)
    assert conformal(scores[:15], 0.9) == 1.0, "even with the largest score 0.9 ** 15 of all draws hold too little"
    assert conformal(scores[:16], 0.9) == scores[15]


def test_no_set_is_empty_and_each_holds_the_top_label():
    head = Head(lm=1.0, trees=0.0, quantile=0.0)
    strict = Calibration(text=head, blend=None, coverage=0.1, abstain_below=0.5, cases=5)
    p = softmax(np.random.default_rng(0).normal(size=(30, 26)), axis=1)
    sets = strict.sets(p)
    assert (sets.sum(axis=1) == 1).all() and (sets.argmax(axis=1) == p.argmax(axis=1)).all()


def test_sets_of_the_language_model_alone_use_its_own_quantile():
    heads = Head(lm=1.0, trees=0.0, quantile=1.0), Head(lm=0.5, trees=0.5, quantile=0.2)
    both = Calibration(text=heads[0], blend=heads[1], coverage=0.9, abstain_below=0.5, cases=50)
    p = np.full((2, 26), 1 / 26)
    assert both.sets(p, "text").all()
    assert both.sets(p).sum() == 2


def test_abstaining_goes_by_the_top_probability():
    fitted = Calibration(
        text=Head(lm=1.0, trees=0.0, quantile=0.5), blend=None, coverage=0.9, abstain_below=0.5, cases=1
    )
    p = np.zeros((2, 26))
    p[0, :2], p[1, :3] = 0.5, [0.4, 0.3, 0.3]
    assert fitted.abstains(p).tolist() == [False, True]


# --- By group of assays ---


def by_group() -> Calibration:
    """The general head takes the language model as it is; that of panels turns it round."""
    general, panels = Head(lm=1.0, trees=0.0, quantile=0.5), Head(lm=0.5, trees=0.0, quantile=1.0)
    blends = Head(lm=1.0, trees=0.0, quantile=0.0), Head(lm=0.0, trees=1.0, quantile=0.9)
    groups = {"panel": Heads(text=panels, blend=blends[1], cases=120)}
    return Calibration(text=general, blend=blends[0], coverage=0.9, abstain_below=0.5, cases=50, assays=groups)


def test_a_case_gets_the_head_of_its_group_and_the_general_one_where_there_is_none():
    _, lm, trees = two_models(6, 0)
    groups = ["panel", "exome", "panel", "list", "", "exome"]
    p = by_group().apply(lm, groups=groups)
    panel = np.array([group == "panel" for group in groups])
    assert p[panel] == pytest.approx(softmax(0.5 * lm[panel], axis=1))
    assert p[~panel] == pytest.approx(softmax(lm[~panel], axis=1))
    blended = by_group().apply(lm, trees, groups)
    assert blended[panel] == pytest.approx(trees[panel]) and blended[~panel] == pytest.approx(
        softmax(lm[~panel], axis=1)
    )
    assert by_group().apply(lm) == pytest.approx(softmax(lm, axis=1)), "no groups, no heads of groups"


def test_sets_go_by_the_quantile_of_the_group():
    p = np.full((2, 26), 1 / 26)
    assert by_group().sets(p, "text", groups=["panel", "exome"]).sum(axis=1).tolist() == [26, 1]
    assert by_group().sets(p, groups=["panel", "exome"]).sum(axis=1).tolist() == [1, 1]
    few = np.eye(26)[[0, 0]] * 0.74 + 0.01
    assert by_group().sets(few, "text", groups=["panel", "exome"]).sum(axis=1).tolist() == [26, 1]


def test_groups_with_too_few_cases_have_no_head_of_their_own():
    y, lm = cases(250, 0)
    groups = ["many"] * 150 + ["few"] * 49 + ["one"]
    heads = calibration.fit_groups(lm, y, groups, [str(i) for i in range(250)], SETTINGS, seed=0)
    assert list(heads) == ["many"] and heads["many"].cases == 150 and heads["many"].blend is None


def test_a_groups_head_is_fitted_on_its_own_cases():
    y, lm = cases(600, 0)
    sharp = np.concatenate([log_softmax(2.5 * lm[:300], axis=1), lm[300:]])
    patients = [str(i) for i in range(600)]
    heads = calibration.fit_groups(sharp, y, ["sharp"] * 300 + ["plain"] * 300, patients, SETTINGS, seed=0)
    assert 1 / heads["sharp"].text.lm == pytest.approx(2.5, rel=0.2)
    assert 1 / heads["plain"].text.lm == pytest.approx(1.0, rel=0.2)


def test_all_views_of_a_patient_are_in_one_fold(monkeypatch):
    seen = []

    class Folds(model_selection.GroupKFold):
        def split(self, X, y=None, groups=None):
            for rest, fold in super().split(X, y, groups):
                seen.append((set(groups[rest]), set(groups[fold])))
                yield rest, fold

    monkeypatch.setattr(model_selection, "GroupKFold", Folds)
    y, lm = cases(60, 0)
    patients = [f"p{i}" for i in range(60)] * 2
    calibration.fit_groups(np.tile(lm, (2, 1)), np.tile(y, 2), ["panel"] * 120, patients, SETTINGS, seed=0)
    assert len(seen) == 5 and not any(rest & fold for rest, fold in seen)


def test_heads_of_groups_survive_the_json_file_and_an_older_file_has_none(tmp_path):
    by_group().save(tmp_path / "c.json")
    assert Calibration.load(tmp_path / "c.json") == by_group()
    older = json.loads((tmp_path / "c.json").read_text())
    del older["assays"]
    (tmp_path / "old.json").write_text(json.dumps(older))
    assert Calibration.load(tmp_path / "old.json").assays == {}


def test_the_json_file_gives_the_same_calibration_back(tmp_path):
    y, lm, trees = two_models(100, 0)
    fitted = calibration.fit(lm, y, SETTINGS, seed=0, trees_proba=trees)
    fitted.save(tmp_path / "folder" / "calibration.json")
    loaded = Calibration.load(tmp_path / "folder" / "calibration.json")
    assert loaded == fitted
    assert (loaded.apply(lm, trees) == fitted.apply(lm, trees)).all()
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["calibration.json"]


def test_a_calibration_cannot_be_changed():
    with pytest.raises(ValidationError):
        Head(lm=1.0, trees=0.0, quantile=0.5).lm = 2.0


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"calibration\.json: no such file"):
        Calibration.load(tmp_path / "calibration.json")
    (tmp_path / "calibration.json").write_text(json.dumps({"text": {"lm": -1, "trees": 0, "quantile": 0.5}}))
    with pytest.raises(InputError, match=r"calibration\.json: text\.lm"):
        Calibration.load(tmp_path / "calibration.json")


def test_trees_without_a_fitted_blend_are_refused():
    y, lm, trees = two_models(30, 0)
    with pytest.raises(InputError, match="without trees"):
        calibration.fit(lm, y, SETTINGS, seed=0).apply(lm, trees)


def test_a_log_likelihood_that_is_none_is_named():
    y, lm = cases(30, 0)
    lm[7, 3] = np.nan
    with pytest.raises(InputError, match="row 7, label 3"):
        calibration.fit(lm, y, SETTINGS, seed=0)


def test_a_constant_outside_share_changes_no_probability():
    y, lm = cases(50, 0)
    fitted = calibration.fit(lm, y, SETTINGS, seed=0)
    assert fitted.apply(lm - 1.3) == pytest.approx(fitted.apply(lm))
    assert calibration.outside_share(lm - 1.3) == pytest.approx(np.full(50, 1 - np.exp(-1.3)))
    assert calibration.outside_share(lm) == pytest.approx(np.zeros(50), abs=1e-9)


@pytest.mark.parametrize("share", [1e-3, 1e-9, 1e-14])
def test_the_outside_share_is_exact_where_it_is_tiny(share):
    one_label = np.full((1, 26), -np.inf)
    one_label[0, 3] = np.log1p(-share)
    assert calibration.outside_share(one_label)[0] == pytest.approx(share, rel=1e-2)


def test_unfamiliarity_is_least_for_a_certain_case_and_most_for_an_even_one():
    p = np.vstack([np.eye(26)[0], np.full(26, 1 / 26)])
    lm = np.log(np.clip(p, 1e-9, None)) - np.array([[0.0], [1.0]])
    scores = calibration.unfamiliarity(lm, p)
    assert scores["one_minus_max"] == pytest.approx([0.0, 25 / 26])
    assert scores["entropy"] == pytest.approx([0.0, np.log(26)])
    assert scores["outside_share"] == pytest.approx([0.0, 1 - np.exp(-1.0)], abs=1e-6)


def test_a_tabular_model_is_tempered_by_validation_alone():
    y, logs = cases(800, 0, sharpness=2.5)
    _, test = cases(50, 1, sharpness=2.5)
    once = calibration.temper(np.exp(logs), y, np.exp(test), seed=0)
    alone = calibration.temper(np.exp(logs), y, np.exp(test[:1]), seed=0)
    assert once[:1] == pytest.approx(alone)
    assert once.max(axis=1).mean() < np.exp(test).max(axis=1).mean()
