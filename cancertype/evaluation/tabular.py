"""What a language model has to beat: the prior, logistic regression and boosted trees on the same features."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from safetensors.numpy import load_file
from safetensors.numpy import save as safetensors_bytes
from scipy.sparse import csr_matrix, vstack
from scipy.special import softmax
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler
from tqdm.auto import tqdm

from ..errors import InputError
from ..files import whole_folder, write_bytes, write_json, write_text
from ..labels import LABELS
from .metrics import encode
from .settings import Tabular

MODELS = ("majority", "logistic", "trees")
"""The tabular models' names, as in the columns ``<model>_<LABEL>`` of their predictions."""

_Cases = tuple[csr_matrix, np.ndarray]
_FILES = ("tabular.json", "logistic.safetensors", "trees.txt")


@dataclass(frozen=True)
class TabularModels:
    """The three fitted tabular models.

    ``columns``: the features' names, in the order of the matrices. ``seen``: positions in ``LABELS`` of the labels of
    the training set, the classes of both models. ``counts`` (26,): training cases per label. ``fill`` (features,): the
    training means that stand for what is not known (NaN), ``weight`` (seen, features) and ``bias`` (seen,): the
    logistic regression on unscaled features. ``trees``: the LightGBM booster. ``chosen``: what validation decided
    (``logistic_c``, ``trees``).
    """

    columns: tuple[str, ...]
    seen: np.ndarray
    counts: np.ndarray
    fill: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    trees: lightgbm.Booster
    chosen: dict[str, float]

    def predict_proba(self, x: csr_matrix, columns: Sequence[str], model: str = "trees") -> np.ndarray:
        """Probabilities (n, 26) in ``LABELS`` order of one of ``MODELS`` for features ``x`` (n, features).

        One more training case, spread evenly over the 26 labels, is added to every prediction: p <- (n p + 1/26) / (n
        + 1). So a label that training never saw has a small probability and never an infinite log loss. Raises
        ``InputError`` when ``columns`` are not those that the models were fitted on.
        """
        if tuple(columns) != self.columns:
            raise InputError(_column_difference(self.columns, tuple(columns)))
        if model == "majority":
            share = np.tile(self.counts / self.counts.sum(), (x.shape[0], 1))
        elif model == "logistic":
            share = self._spread(softmax(_filled(x, self.fill) @ self.weight.T.astype(np.float64) + self.bias, axis=1))
        elif model == "trees":
            share = self._spread(self.trees.predict(x))
        else:
            raise ValueError(f"no tabular model is named {model!r}: choose from {MODELS}")
        n = self.counts.sum()
        return (n * share + 1.0 / len(LABELS)) / (n + 1.0)

    def _spread(self, p: np.ndarray) -> np.ndarray:
        out = np.zeros((len(p), len(LABELS)))
        out[:, self.seen] = p
        return out

    def save(self, folder: Path) -> None:
        """Write ``tabular.json``, ``logistic.safetensors`` and ``trees.txt``: the whole folder, or nothing."""
        about = {
            "columns": list(self.columns),
            "training_cases": {label: int(n) for label, n in zip(LABELS, self.counts, strict=True)},
            "chosen": self.chosen,
        }
        tensors = {"fill": self.fill, "weight": self.weight, "bias": self.bias}
        with whole_folder(folder) as beside:
            write_json(beside / "tabular.json", about)
            write_bytes(beside / "logistic.safetensors", safetensors_bytes(tensors))
            write_text(beside / "trees.txt", self.trees.model_to_string())


def files(folder: Path) -> list[Path]:
    """The files that ``load`` needs."""
    return [Path(folder) / name for name in _FILES]


def load(folder: Path) -> TabularModels:
    """The tabular models that ``TabularModels.save`` wrote. Raises ``InputError`` naming the file that is absent."""
    folder = Path(folder)
    for name in _FILES:
        if not (folder / name).is_file():
            raise InputError(f"{folder / name}: no such file; run `dvc repro tabular`, or `dvc pull` it")
    about = json.loads((folder / "tabular.json").read_text(encoding="utf-8"))
    counts = np.array([about["training_cases"][label] for label in LABELS])
    tensors = load_file(folder / "logistic.safetensors")
    return TabularModels(
        columns=tuple(about["columns"]),
        seen=np.flatnonzero(counts),
        counts=counts,
        fill=tensors["fill"],
        weight=tensors["weight"],
        bias=tensors["bias"],
        trees=lightgbm.Booster(model_str=(folder / "trees.txt").read_text(encoding="utf-8")),
        chosen=about["chosen"],
    )


def fit(
    x_train: csr_matrix,
    y_train: Sequence[str],
    x_validation: csr_matrix,
    y_validation: Sequence[str],
    columns: Sequence[str],
    settings: Tabular,
    seed: int,
    versions: Sequence[csr_matrix] = (),
) -> TabularModels:
    """Fit all three on the training cases; validation chooses the number of trees and the logistic penalty.

    The trees learn from the ``versions`` of the training cases too, each the matrix of all of them in the same order.
    ``x_*`` (n, features) hold ``columns``, NaN where not known; ``y_*`` labels of the 26. Validation cases of a label
    that training lacks cannot guide the choice and are passed over. The same input gives the same models, whatever the
    number of threads. Raises ``InputError`` for fewer than two training labels, or no validation case that can guide.
    """
    codes, codes_validation = encode(y_train), encode(y_validation)
    counts = np.bincount(codes, minlength=len(LABELS))
    seen = np.flatnonzero(counts)
    if len(seen) < 2:
        raise InputError(f"the training split holds {len(seen)} of the 26 labels; a classifier needs two or more")
    usable = np.flatnonzero(np.isin(codes_validation, seen))
    if not len(usable):
        raise InputError("no validation case has a label of the training split; raise cohort.validation_fraction")
    target, target_validation = np.searchsorted(seen, codes), np.searchsorted(seen, codes_validation[usable])
    guide = (x_validation[usable], target_validation)
    # A column that no training case knows says nothing: it is filled with 0.
    fill = SimpleImputer(strategy="mean", keep_empty_features=True).fit(x_train).statistics_.astype(np.float32)
    known = (_filled(x_train, fill), target), (_filled(guide[0], fill), target_validation)
    weight, bias, c = _fit_logistic(*known, settings.logistic_c, len(seen))
    # A leaf needs as many cases as without versions, not as many of one case.
    fewest = settings.min_cases_per_leaf * (1 + len(versions))
    for_every = settings.model_copy(update={"min_cases_per_leaf": fewest})
    every = vstack([x_train, *versions], format="csr"), np.tile(target, 1 + len(versions))
    trees = _fit_trees(every, guide, for_every, len(seen), seed)
    chosen = {"logistic_c": c, "trees": trees.current_iteration()}
    return TabularModels(tuple(columns), seen, counts, fill, weight, bias, trees, chosen)


def out_of_fold(
    fitted: TabularModels,
    x_train: csr_matrix,
    y_train: Sequence[str],
    patients: Sequence[str],
    settings: Tabular,
    seed: int,
    versions: Sequence[csr_matrix] = (),
) -> np.ndarray:
    """Probabilities that trees give training cases which they were not fitted on: a teacher's soft labels.

    The shape is (1 + versions, n, 26): first the cases themselves, then each of ``versions`` (n, features) of them.

    The cases are cut into ``settings.folds`` of like label shares, with all cases of one of ``patients`` (n,) in one of
    them; the trees of a fold are as many as those of ``fitted``, fitted on the other folds' cases, and spread as in
    ``predict_proba``. They are not fitted on versions, which hold mutations of cases in other folds. Raises
    ``InputError`` when a label has fewer cases than there are folds.
    """
    counts = fitted.counts[fitted.seen]
    if counts.min() < settings.folds:
        label = LABELS[fitted.seen[counts.argmin()]]
        raise InputError(
            f"tabular.folds is {settings.folds}, but {label} has {counts.min()} training cases: lower tabular.folds"
        )
    target = np.searchsorted(fitted.seen, encode(y_train))
    asked = [x_train, *versions]
    found = np.empty((len(asked), x_train.shape[0], len(LABELS)))
    cut = StratifiedGroupKFold(settings.folds, shuffle=True, random_state=seed).split(x_train, target, patients)
    for rest, fold in tqdm(cut, desc="out-of-fold trees", unit="fold", total=settings.folds):
        data = lightgbm.Dataset(x_train[rest], target[rest])
        parameters = _tree_parameters(settings, len(fitted.seen), seed)
        trees = lightgbm.train(parameters, data, num_boost_round=fitted.chosen["trees"])
        without = replace(fitted, trees=trees)
        for version, x in enumerate(asked):
            found[version, fold] = without.predict_proba(x[fold], fitted.columns)
    return found


def _filled(x: csr_matrix, fill: np.ndarray) -> csr_matrix:
    """``x`` with ``fill`` (features,) in place of NaN; trees know a missing value, logistic regression does not."""
    x = csr_matrix(x, copy=True)
    unknown = np.isnan(x.data)
    x.data[unknown] = fill[x.indices[unknown]]
    return x


def _fit_logistic(
    train: _Cases, validation: _Cases, grid: Sequence[float], classes: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Weight (classes, features), bias (classes,) and the C of least validation log loss. Ties go to the smaller C."""
    # Not centred, which would make the sparse matrix dense.
    scaler = StandardScaler(with_mean=False).fit(train[0])
    x, x_validation = scaler.transform(train[0]), scaler.transform(validation[0])
    best, least = None, np.inf
    model = LogisticRegression(max_iter=300, tol=1e-3, warm_start=True)
    for c in tqdm(sorted(grid), desc="logistic regression", unit="penalty", leave=False):
        model.set_params(C=c).fit(x, train[1])
        loss = log_loss(validation[1], model.predict_proba(x_validation), labels=np.arange(classes))
        if loss < least:
            best, least = (model.coef_.copy(), model.intercept_.copy(), c), loss
    coefficients, bias, c = best
    if classes == 2:  # scikit-learn keeps one row for two classes; two rows of a softmax say the same.
        coefficients, bias = np.vstack([-coefficients, coefficients]) / 2, np.concatenate([-bias, bias]) / 2
    return (coefficients / scaler.scale_).astype(np.float32), bias.astype(np.float32), float(c)


def _tree_parameters(settings: Tabular, classes: int, seed: int) -> dict[str, Any]:
    return {
        "objective": "multiclass",
        "num_class": classes,
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "feature_fraction": settings.feature_fraction,
        "min_data_in_leaf": settings.min_cases_per_leaf,
        "seed": seed,
        "deterministic": True,
        # Row-wise or column-wise is otherwise chosen by timing, and the choice changes sums in their last digits.
        "force_row_wise": True,
        "num_threads": settings.threads,
        "verbosity": -1,
    }


def _fit_trees(train: _Cases, validation: _Cases, settings: Tabular, classes: int, seed: int) -> lightgbm.Booster:
    data = lightgbm.Dataset(train[0], train[1])
    with tqdm(total=settings.trees, desc="boosted trees", unit="round", leave=False) as bar:

        def advance(_: lightgbm.callback.CallbackEnv) -> None:
            bar.update()

        booster = lightgbm.train(
            _tree_parameters(settings, classes, seed),
            data,
            num_boost_round=settings.trees,
            valid_sets=[lightgbm.Dataset(validation[0], validation[1], reference=data)],
            callbacks=[
                lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False),
                advance,
            ],
        )
    # Rounds after the best one would otherwise travel in the file and come back as soon as it is loaded.
    best = booster.best_iteration or booster.current_iteration()
    return lightgbm.Booster(model_str=booster.model_to_string(num_iteration=best))


def _column_difference(expected: tuple[str, ...], found: tuple[str, ...]) -> str:
    missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    what = (
        f"{len(missing)} missing {missing[:3]}, {len(extra)} unknown {extra[:3]}" if missing or extra else "their order"
    )
    return f"features differ from those that the tabular model was fitted on ({what}); run `dvc repro tabular` again"
