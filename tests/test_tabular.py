"""Tabular models on the same cases: fitted, saved without pickle, loaded, aligned to the 26 labels."""

import gzip
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression

from cancertype.errors import InputError
from cancertype.evaluation import tabular, trees
from cancertype.evaluation.settings import Tabular
from cancertype.evaluation.trees import Trees
from cancertype.labels import LABELS
from tests.settings import settings

SETTINGS = settings(
    Tabular, "tabular", trees=30, leaves=4, learning_rate=0.2, feature_fraction=1.0, early_stopping_rounds=5
)
COLUMNS = [f"gene {i}" for i in range(12)]
SEEN = ("BRCA", "COAD", "LUAD")


def made_up_cases(n: int = 150, seed: int = 0, labels: tuple[str, ...] = SEEN):
    """Sparse features in which each label switches on two genes of its own, most of the time."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, len(labels), n)
    x = (rng.random((n, len(COLUMNS))) < 0.1).astype(np.float32)
    for gene in (0, 1):
        x[np.arange(n), 2 * codes + gene] = rng.random(n) < 0.8
    return csr_matrix(x), [labels[code] for code in codes]


def fit(train, validation, rules):
    """Fitted on one view of the training cases, guided by one view of the validation cases: (matrix, labels) each."""
    return tabular.fit([train[0]], train[1], [validation], COLUMNS, rules, seed=1)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """So small a model only loses time by threads, on a busy machine much of it."""
    with mock.patch.object(trees, "THREADS", 1):
        yield


@pytest.fixture(scope="module")
def fitted():
    return fit(made_up_cases(), made_up_cases(60, seed=1), SETTINGS)


@pytest.mark.parametrize("model", tabular.MODELS)
def test_every_model_gives_probabilities_over_all_26_labels(fitted, model):
    x, _ = made_up_cases(40, seed=2)
    p = fitted.predict_proba(x, COLUMNS, model)
    assert p.shape == (40, 26)
    assert p.sum(axis=1) == pytest.approx(np.ones(40))
    assert (p > 0).all()


@pytest.mark.parametrize("model", ["logistic", "trees"])
def test_a_model_learns_what_the_prior_cannot(fitted, model):
    x, y = made_up_cases(200, seed=2)
    accuracy = {
        name: np.mean([LABELS[i] for i in fitted.predict_proba(x, COLUMNS, name).argmax(axis=1)] == np.array(y))
        for name in ("majority", model)
    }
    assert accuracy[model] > 0.75 > 0.5 > accuracy["majority"]


@pytest.mark.parametrize("model", tabular.MODELS)
def test_labels_that_training_lacks_share_one_case_spread_over_26(fitted, model):
    x, _ = made_up_cases(5, seed=2)
    p = fitted.predict_proba(x, COLUMNS, model)
    absent = [i for i, label in enumerate(LABELS) if label not in SEEN]
    assert p[:, absent] == pytest.approx(np.full((5, 23), 1 / 26 / 151))


def test_the_majority_is_the_share_of_training_cases(fitted):
    _, y = made_up_cases()
    p = fitted.predict_proba(csr_matrix((1, 12), dtype=np.float32), COLUMNS, "majority")[0]
    assert (p == fitted.prior).all()
    for label in SEEN:
        assert p[LABELS.index(label)] == pytest.approx((y.count(label) + 1 / 26) / 151)


def test_logistic_regression_is_scikit_learns_on_scaled_features(fitted):
    x, y = made_up_cases()
    scale = x.toarray().std(axis=0)
    peer = LogisticRegression(C=fitted.chosen["logistic_c"], max_iter=1000, tol=1e-8).fit(x.toarray() / scale, y)
    others, _ = made_up_cases(30, seed=3)
    ours = fitted.predict_proba(others, COLUMNS, "logistic")[:, [LABELS.index(label) for label in peer.classes_]]
    assert ours == pytest.approx(peer.predict_proba(others.toarray() / scale), abs=0.02)


def test_a_saved_tabular_model_comes_back_the_same_and_holds_no_pickle(fitted, tmp_path):
    fitted.save(tmp_path / "tabular")
    names = sorted(path.name for path in (tmp_path / "tabular").iterdir())
    assert names == ["logistic.safetensors", "tabular.json", "trees.txt.gz"]
    assert not (tmp_path / "tabular.part").exists()
    x, _ = made_up_cases(40, seed=2)
    loaded = tabular.load(tmp_path / "tabular")
    for model in tabular.MODELS:
        assert (loaded.predict_proba(x, COLUMNS, model) == fitted.predict_proba(x, COLUMNS, model)).all()
    assert loaded.chosen == fitted.chosen


def test_the_same_cases_give_the_same_files_and_threads_change_no_prediction(tmp_path, monkeypatch):
    x, _ = made_up_cases(40, seed=2)
    eight = settings(Tabular, "tabular", trees=8)
    models = []
    for threads in (1, 1, 2):
        monkeypatch.setattr(trees, "THREADS", threads)
        models.append(fit(made_up_cases(), made_up_cases(60, seed=1), eight))
    for i in (0, 1):
        models[i].save(tmp_path / str(i))
    for path in (tmp_path / "0").iterdir():
        assert path.read_bytes() == (tmp_path / "1" / path.name).read_bytes(), path.name
    assert (models[2].predict_proba(x, COLUMNS) == models[0].predict_proba(x, COLUMNS)).all()


def test_early_stopping_keeps_only_the_rounds_that_helped(fitted):
    assert 1 <= fitted.chosen["trees"] < SETTINGS.trees
    assert fitted.trees.boosters[trees.ALL].num_trees() == 3 * fitted.chosen["trees"]


def with_unknown(x: csr_matrix, share: float, seed: int) -> csr_matrix:
    dense = x.toarray()
    dense[np.random.default_rng(seed).random(dense.shape) < share] = np.nan
    dense[:, -1] = np.nan
    return csr_matrix(dense)


def test_what_a_panel_did_not_sequence_is_unknown_and_not_absent(tmp_path):
    (x, y), (x_validation, y_validation) = made_up_cases(), made_up_cases(60, seed=1)
    unknown = with_unknown(x, 0.2, 0)
    models = fit((unknown, y), (with_unknown(x_validation, 0.2, 1), y_validation), SETTINGS)
    known = x.toarray()[~np.isnan(unknown.toarray()[:, 0]), 0]
    assert models.fill[0] == pytest.approx(known.mean(), abs=1e-6)
    assert models.fill[-1] == 0.0
    models.save(tmp_path / "tabular")
    others, truth = made_up_cases(200, seed=2)
    others = with_unknown(others, 0.2, 2)
    before = others.toarray()
    for model in ("logistic", "trees"):
        p = tabular.load(tmp_path / "tabular").predict_proba(others, COLUMNS, model)
        assert np.isfinite(p).all()
        assert np.mean([LABELS[i] for i in p.argmax(axis=1)] == np.array(truth)) > 0.65
    np.testing.assert_array_equal(others.toarray(), before)


def test_two_labels_are_enough():
    pair = SEEN[:2]
    models = fit(made_up_cases(labels=pair), made_up_cases(60, seed=1, labels=pair), SETTINGS)
    x, y = made_up_cases(100, seed=2, labels=pair)
    for model in ("logistic", "trees"):
        predicted = [LABELS[i] for i in models.predict_proba(x, COLUMNS, model).argmax(axis=1)]
        assert np.mean(np.array(predicted) == y) > 0.8


def test_a_validation_label_that_training_lacks_is_passed_over(fitted):
    x, y = made_up_cases(60, seed=1)
    extra, _ = made_up_cases(10, seed=4)
    together = vstack([x, extra]).tocsr(), [*y, *["OV"] * 10]
    assert fit(made_up_cases(), together, SETTINGS).chosen == fitted.chosen
    apart = tabular.fit(
        [made_up_cases()[0]], made_up_cases()[1], [(x, y), (extra, ["OV"] * 10)], COLUMNS, SETTINGS, seed=1
    )
    assert apart.chosen == fitted.chosen, "validation cases may come in several matrices"


def test_one_label_is_too_few():
    x, _ = made_up_cases(20)
    with pytest.raises(InputError, match="holds 1 of the 26"):
        fit((x, ["OV"] * 20), (x, ["OV"] * 20), SETTINGS)


def test_validation_without_a_training_label_is_an_error():
    x, _ = made_up_cases(20)
    with pytest.raises(InputError, match="no validation case"):
        fit(made_up_cases(), (x, ["OV"] * 20), SETTINGS)


def test_features_may_come_in_any_order_with_others_beside_them_but_none_may_be_missing(fitted):
    x, _ = made_up_cases(30, seed=2)
    reordered = csr_matrix(np.hstack([np.ones((30, 1), np.float32), x.toarray()[:, ::-1]]))
    for model in tabular.MODELS:
        found = fitted.predict_proba(reordered, ["a new one", *COLUMNS[::-1]], model)
        assert (found == fitted.predict_proba(x, COLUMNS, model)).all()
    with pytest.raises(InputError, match=r"lack 1 that the tabular models were fitted on \['gene 11'\]"):
        fitted.predict_proba(x, [*COLUMNS[:-1], "TP53"])


def test_a_missing_file_is_named(fitted, tmp_path):
    fitted.save(tmp_path / "tabular")
    (tmp_path / "tabular" / "trees.txt.gz").unlink()
    with pytest.raises(InputError, match=r"trees\.txt\.gz"):
        tabular.load(tmp_path / "tabular")


def test_saving_over_an_old_tabular_model_leaves_none_of_it(fitted, tmp_path):
    (tmp_path / "tabular").mkdir()
    (tmp_path / "tabular" / "old.txt").write_text("old")
    replace(fitted, chosen={"logistic_c": 1.0, "trees": 1}).save(tmp_path / "tabular")
    assert not (tmp_path / "tabular" / "old.txt").exists()
    assert tabular.load(tmp_path / "tabular").chosen == {"logistic_c": 1.0, "trees": 1}


def test_out_of_fold_predictions_never_saw_a_case_of_the_same_patient(fitted):
    # Ten features at random tell the patients apart and say nothing of the label; every patient has two cases.
    rng = np.random.default_rng(0)
    x = csr_matrix(np.repeat(rng.random((60, 12)).astype(np.float32), 2, axis=0))
    y = np.repeat(rng.choice(SEEN, 60), 2).tolist()
    rules = settings(
        Tabular, "tabular", trees=40, leaves=8, learning_rate=0.3, feature_fraction=1.0, folds=5, min_cases_per_leaf=1
    )
    models = replace(fit((x, y), (x, y), rules), chosen={"trees": 40, "logistic_c": 1.0})

    def accuracy(patients):
        p = tabular.out_of_fold(models, [x], y, patients, rules, seed=1)
        assert p.shape == (1, 120, 26) and p.sum(axis=2) == pytest.approx(np.ones((1, 120)))
        return np.mean([LABELS[i] for i in p[0].argmax(axis=1)] == np.array(y))

    assert accuracy([f"case {i}" for i in range(120)]) > 0.75, "knows the patient from the other case"
    assert accuracy([f"patient {i // 2}" for i in range(120)]) < 0.55


def test_out_of_fold_predictions_are_those_of_trees_on_the_other_folds():
    x, y = made_up_cases(300)
    rules = SETTINGS.model_copy(update={"folds": 3})
    models = fit((x, y), made_up_cases(60, seed=1), rules)
    (p,) = tabular.out_of_fold(models, [x], y, range(300), rules, seed=1)
    assert np.mean([LABELS[i] for i in p.argmax(axis=1)] == np.array(y)) > 0.75
    assert (p == tabular.out_of_fold(models, [x], y, range(300), rules, seed=1)[0]).all()
    _, of_view = tabular.out_of_fold(models, [x, x[::-1]], y, range(300), rules, seed=1)
    assert not np.allclose(p, of_view), "the same trees predict a view with other features"
    assert not np.allclose(p, models.predict_proba(x, COLUMNS)), "the trees of all folds have seen these cases"


def test_trees_learn_from_all_views_and_a_leaf_needs_as_many_cases_as_with_one():
    x, y = made_up_cases(150)
    guide = made_up_cases(60, seed=1)

    def fitted_with(views, fewest):
        rules = SETTINGS.model_copy(update={"min_cases_per_leaf": fewest})
        models = tabular.fit(views, y, [guide], COLUMNS, rules, seed=1)
        p = models.predict_proba(guide[0], COLUMNS)
        return p, p[np.arange(60), [LABELS.index(label) for label in guide[1]]].mean()

    # The other views hold the features of other cases, so the labels can no longer be distinguished as well.
    other = x[np.random.default_rng(0).permutation(150)]
    assert fitted_with([x] + [other] * 3, 3)[1] < fitted_with([x], 3)[1] - 0.1
    # A leaf needs more than half of the cases, so nothing can be split, however many views there are.
    assert np.ptp(fitted_with([x] * 3, 76)[0], axis=0).max() < 1e-12 < np.ptp(fitted_with([x] * 3, 20)[0], axis=0).max()


def test_more_folds_than_a_label_has_cases_are_refused(fitted):
    x, y = made_up_cases()
    with pytest.raises(InputError, match=r"tabular.folds is 100, but \w+ has \d\d training cases"):
        tabular.out_of_fold(fitted, [x], y, range(150), settings(Tabular, "tabular", folds=100), seed=1)


KNOWN = ["gene 0", "gene 1", "arm 7p", "arm 10q", "altered arms", "trinucleotide ACA>T"]


def made_up_with_arms(n: int, seed: int, share_known: float):
    """Cases whose label follows from the arms where these are known, and from the genes, less surely, everywhere."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, n)
    x = np.full((n, len(KNOWN)), np.nan, np.float32)
    for gene in (0, 1):
        x[:, gene] = rng.random(n) < np.where(codes == gene, 0.8, 0.3)
    known = rng.random(n) < share_known
    x[known, 2:5] = np.stack([codes, 1 - codes, np.ones(n)], axis=1)[known]
    return csr_matrix(x), [SEEN[code] for code in codes]


@pytest.fixture(scope="module")
def apart():
    rules = SETTINGS.model_copy(update={"without": [["arms"], ["arms", "spectra"]]})
    (x, y), guide = made_up_with_arms(300, 0, 0.5), made_up_with_arms(100, 1, 0.5)
    return tabular.fit([x], y, [guide], KNOWN, rules, seed=1)


def test_a_case_is_left_to_the_trees_that_learned_without_what_is_not_known_of_it(apart, tmp_path):
    without_arms, without_both = trees.name_without(["arms"]), trees.name_without(["spectra", "arms"])
    assert without_both == "trees_without_arms_and_spectra"
    assert set(apart.trees.boosters) == {trees.ALL, without_arms, without_both}
    known = made_up_with_arms(20, 2, 1.0)[0].toarray()
    lacking, spectra_only = known.copy(), known.copy()
    lacking[:, 2:5] = spectra_only[:, 2:5] = np.nan
    spectra_only[:, 5] = 0.0
    for x, name in ((known, trees.ALL), (lacking, without_both), (spectra_only, without_arms)):
        for models in (apart, replace(apart, trees=Trees({trees.ALL: apart.trees.boosters[name]}))):
            p = models.predict_proba(csr_matrix(x), KNOWN)
            expected = models._smoothed(models._over_all_labels(apart.trees.boosters[name].predict(x)))
            np.testing.assert_array_equal(p, expected)
    together = apart.predict_proba(csr_matrix(np.concatenate([known, lacking])), KNOWN)
    np.testing.assert_array_equal(together[20:], apart.predict_proba(csr_matrix(lacking), KNOWN))
    apart.save(tmp_path / "tabular")
    stored = [path.name for path in tabular.files(tmp_path / "tabular")[2:]]
    assert stored == [f"{name}.txt.gz" for name in apart.trees.boosters]
    loaded = tabular.load(tmp_path / "tabular")
    assert not loaded.trees.boosters._parsed
    np.testing.assert_array_equal(loaded.predict_proba(csr_matrix(lacking), KNOWN), together[20:])
    assert list(loaded.trees.boosters._parsed) == [without_both], "only the trees that answer are parsed"


def test_trees_without_a_kind_of_data_never_saw_it(apart):
    for name in set(apart.trees.boosters) - {trees.ALL}:
        used = dict(zip(KNOWN, apart.trees.boosters[name].feature_importance(), strict=True))
        assert used["gene 0"] and not any(used[column] for column in ("arm 7p", "arm 10q", "altered arms")), name
    assert apart.trees.boosters[trees.ALL].feature_importance()[2:4].any()


def test_trees_for_a_lack_that_no_validation_case_has_are_refused():
    rules = SETTINGS.model_copy(update={"without": [["arms"]]})
    x, y = made_up_with_arms(100, 0, 0.5)
    with pytest.raises(InputError, match=r"tabular.without names \['arms'\], but no validation case lacks them"):
        tabular.fit([x], y, [made_up_with_arms(50, 1, 1.0)], KNOWN, rules, seed=1)


@pytest.mark.parametrize("mistake", [[["arms"], ["arms"]], [[]], [["arms", "arms"]], [["genes"]], ["arms"]])
def test_kinds_of_data_are_named_once(mistake):
    with pytest.raises(ValueError, match="without"):
        Tabular.model_validate(SETTINGS.model_dump() | {"without": mistake})


def test_damaged_trees_are_named(apart, tmp_path):
    apart.save(tmp_path / "tabular")
    file = tmp_path / "tabular" / "trees_without_arms.txt.gz"
    file.write_text("no trees")
    x = made_up_with_arms(3, 2, 0.0)[0].toarray()
    x[:, 5] = 0.0
    with pytest.raises(InputError, match=r"trees_without_arms\.txt\.gz: damaged or incomplete"):
        tabular.load(tmp_path / "tabular").predict_proba(csr_matrix(x), KNOWN)
    file.unlink()
    with pytest.raises(InputError, match=r"trees_without_arms\.txt\.gz: no such file"):
        tabular.load(tmp_path / "tabular")


def test_trees_of_an_older_model_are_read_as_they_were_stored(fitted, tmp_path):
    fitted.save(tmp_path / "tabular")
    compressed = tmp_path / "tabular" / "trees.txt.gz"
    (tmp_path / "tabular" / "trees.txt").write_bytes(gzip.decompress(compressed.read_bytes()))
    compressed.unlink()
    assert [path.name for path in tabular.files(tmp_path / "tabular")][2:] == ["trees.txt"]
    x, _ = made_up_cases(40, seed=2)
    older = tabular.load(tmp_path / "tabular").predict_proba(x, COLUMNS)
    np.testing.assert_array_equal(older, fitted.predict_proba(x, COLUMNS))
