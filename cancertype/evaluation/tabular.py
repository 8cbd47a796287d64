"""What a language model has to beat: the commonest label, logistic regression and boosted trees on equal features."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from safetensors.numpy import save as safetensors_bytes
from scipy.sparse import csr_matrix, vstack
from scipy.special import softmax
from tqdm.auto import tqdm

from ..errors import InputError
from ..files import whole_folder, write_bytes, write_json
from ..labels import LABELS
from . import trees
from .metrics import encode
from .settings import Tabular
from .trees import Trees

MODELS = ("majority", "logistic", "trees")
"""The tabular models' names, as in the columns ``<model>_<LABEL>`` of their predictions."""

LOGISTIC_C = (0.001, 0.003, 0.01, 0.03)
"""Inverse penalties of the logistic regression, of which validation chooses one."""

_FILES = ("tabular.json", "logistic.safetensors")


@dataclass(frozen=True)
class TabularModels:
    """The three fitted tabular models.

    ``columns``: the features' names, in the order of the matrices. ``seen``: positions in ``LABELS`` of the labels of
    the training set, the classes of both models. ``counts`` (26,): training cases per label. ``fill`` (features,): the
    training means that replace what is not known (NaN). ``weight`` (seen, features) and ``bias`` (seen,): the logistic
    regression on unscaled features. ``trees``: the boosted trees. ``chosen``: what validation chose (``logistic_c`` and
    the rounds of each set of trees).
    """

    columns: tuple[str, ...]
    seen: np.ndarray
    counts: np.ndarray
    fill: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    trees: Trees
    chosen: dict[str, float]

    def predict_proba(self, x: csr_matrix, columns: Sequence[str], model: str = "trees") -> np.ndarray:
        """Probabilities (n, 26) in ``LABELS`` order of one of ``MODELS`` for features ``x`` (n, features).

        Every prediction is smoothed (``_smoothed``). Raises ``InputError`` when ``columns`` lack one that the models
        were fitted on; others are ignored.
        """
        if tuple(columns) != self.columns:
            place = {name: i for i, name in enumerate(columns)}
            if missing := sorted(set(self.columns) - set(place)):
                raise InputError(_missing_columns(missing))
            x = x[:, [place[name] for name in self.columns]]
        if model == "majority":
            return np.tile(self.prior, (x.shape[0], 1))
        if model == "logistic":
            logits = _filled(x, self.fill) @ self.weight.T.astype(np.float64) + self.bias
            return self._smoothed(self._over_all_labels(softmax(logits, axis=1)))
        if model == "trees":
            return self._smoothed(self._over_all_labels(self.trees.predict(x, self.columns)))
        raise ValueError(f"no tabular model is named {model!r}: choose from {MODELS}")

    @property
    def prior(self) -> np.ndarray:
        """The share (26,) of each label among the training cases, smoothed as every prediction is."""
        return self._smoothed(self.counts / self.counts.sum())

    def _smoothed(self, p: np.ndarray) -> np.ndarray:
        """``p`` (..., 26) with one more training case spread evenly over the labels: (n p + 1/26) / (n + 1).

        So a label that training never saw has a small probability and never an infinite log loss."""
        n = self.counts.sum()
        return (n * p + 1.0 / len(LABELS)) / (n + 1.0)

    def _over_all_labels(self, p: np.ndarray) -> np.ndarray:
        """``p`` (n, seen) as (n, 26), 0 for labels that training never saw."""
        out = np.zeros((len(p), len(LABELS)))
        out[:, self.seen] = p
        return out

    def save(self, folder: Path) -> None:
        """Write ``tabular.json``, ``logistic.safetensors`` and a file for each of the ``trees``: the whole folder, or
        nothing."""
        about = {
            "columns": list(self.columns),
            "training_cases": {label: int(n) for label, n in zip(LABELS, self.counts, strict=True)},
            "chosen": self.chosen,
        }
        tensors = {"fill": self.fill, "weight": self.weight, "bias": self.bias}
        with whole_folder(folder) as beside:
            write_json(beside / "tabular.json", about)
            write_bytes(beside / "logistic.safetensors", safetensors_bytes(tensors))
            for name, content in self.trees.contents().items():
                write_bytes(beside / name, content)


def files(folder: Path) -> list[Path]:
    """The files that ``load`` needs. Raises ``InputError`` that names a missing one."""
    folder = Path(folder)
    needed = [folder / name for name in _FILES]
    _there(needed)
    needed += trees.files(folder, _about(folder)["chosen"]).values()
    _there(needed)
    return needed


def _about(folder: Path) -> dict[str, Any]:
    return json.loads((folder / _FILES[0]).read_text(encoding="utf-8"))


def _there(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: no such file: run `dvc repro tabular`, or get it with `dvc pull`")


def load(folder: Path) -> TabularModels:
    """The tabular models that ``TabularModels.save`` wrote. Raises ``InputError`` that names a missing file."""
    folder = Path(folder)
    files(folder)
    about = _about(folder)
    counts = np.array([about["training_cases"][label] for label in LABELS])
    tensors = load_file(folder / "logistic.safetensors")
    return TabularModels(
        columns=tuple(about["columns"]),
        seen=np.flatnonzero(counts),
        counts=counts,
        fill=tensors["fill"],
        weight=tensors["weight"],
        bias=tensors["bias"],
        trees=trees.load(trees.files(folder, about["chosen"])),
        chosen=about["chosen"],
    )


def fit(
    views: Sequence[csr_matrix],
    y_train: Sequence[str],
    validation: Sequence[tuple[csr_matrix, Sequence[str]]],
    columns: Sequence[str],
    settings: Tabular,
    seed: int,
) -> TabularModels:
    """Fit all three on the training cases; validation chooses the number of trees and the logistic penalty.

    ``views`` are matrices (n, features) of ``columns``, NaN where not known, all of the same n training cases in the
    same order, and ``y_train`` (n,) their labels of the 26: the models learn from all views. ``validation`` are
    matrices of validation cases with their labels, seen in one or several ways that all count alike. Validation cases
    of a label that training lacks cannot guide the choice and are ignored. The same input gives the same models,
    whatever the number of threads. Raises ``InputError`` for fewer than two training labels, or when no validation case
    can guide the choice, of all trees or of those of ``settings.without``.
    """
    # Predicting needs no scikit-learn, which takes seconds to import.
    from sklearn.impute import SimpleImputer

    codes = encode(y_train)
    counts = np.bincount(codes, minlength=len(LABELS))
    seen = np.flatnonzero(counts)
    if len(seen) < 2:
        raise InputError(f"the training split holds {len(seen)} of the 26 labels; a classifier needs two or more")
    guide = _guide(validation, seen)
    y = np.searchsorted(seen, codes)
    x, target = vstack(views, format="csr"), np.tile(y, len(views))
    # A column that no training case knows carries no information: it is filled with 0.
    fill = SimpleImputer(strategy="mean", keep_empty_features=True).fit(x).statistics_.astype(np.float32)
    known = (_filled(x, fill), target), (_filled(guide[0], fill), guide[1])
    weight, bias, c = _fit_logistic(*known, len(seen))
    fitted = trees.fit(views, y, guide, columns, settings, seed)
    chosen = {"logistic_c": c} | fitted.rounds()
    return TabularModels(tuple(columns), seen, counts, fill, weight, bias, fitted, chosen)


def _guide(validation: Sequence[tuple[csr_matrix, Sequence[str]]], seen: np.ndarray) -> trees.Cases:
    """The validation cases whose labels are ``seen`` in training, as one matrix and their places among them."""
    x = vstack([matrix for matrix, _ in validation], format="csr")
    codes = np.concatenate([encode(labels) for _, labels in validation])
    usable = np.flatnonzero(np.isin(codes, seen))
    if not len(usable):
        raise InputError("no validation case has a label of the training split; raise cohort.validation_fraction")
    return x[usable], np.searchsorted(seen, codes[usable])


def out_of_fold(
    fitted: TabularModels,
    views: Sequence[csr_matrix],
    y_train: Sequence[str],
    patients: Sequence[str],
    settings: Tabular,
    seed: int,
) -> np.ndarray:
    """Probabilities (views, n, 26) that trees give training cases on which they were not fitted: a teacher's soft
    labels.

    The cases are cut into ``settings.folds`` folds with equal shares of the labels. All cases of one of ``patients``
    (n,) are in one fold. A fold's trees are as many as those of ``fitted`` and are fitted on all views of the other
    folds' cases. Where views exchange mutations (``views.exchanged``), such a view may hold mutations of a case in the
    fold, which makes the teacher a little too sure. Trees of ``settings.without`` teach nothing: they would take as
    long again. Probabilities are smoothed as in ``predict_proba``. Raises ``InputError`` when a label has fewer cases
    than there are folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    counts = fitted.counts[fitted.seen]
    if counts.min() < settings.folds:
        label = LABELS[fitted.seen[counts.argmin()]]
        raise InputError(
            f"tabular.folds is {settings.folds}, but {label} has {counts.min()} training cases: lower tabular.folds"
        )
    target = np.searchsorted(fitted.seen, encode(y_train))
    p = np.empty((len(views), len(target), len(LABELS)))
    as_many = settings.model_copy(update={"trees": fitted.chosen[trees.ALL], "without": []})
    cut = StratifiedGroupKFold(settings.folds, shuffle=True, random_state=seed).split(target, target, patients)
    for rest, fold in tqdm(cut, desc="out-of-fold trees", unit="fold", total=settings.folds):
        others = [x[rest] for x in views]
        without = replace(
            fitted, trees=trees.boosted(others, target[rest], len(fitted.seen), fitted.columns, as_many, seed)
        )
        for place, x in enumerate(views):
            p[place, fold] = without.predict_proba(x[fold], fitted.columns)
    return p


def _filled(x: csr_matrix, fill: np.ndarray) -> csr_matrix:
    """``x`` with ``fill`` (features,) in place of NaN: trees handle missing values, logistic regression does not."""
    x = csr_matrix(x, copy=True)
    unknown = np.isnan(x.data)
    x.data[unknown] = fill[x.indices[unknown]]
    return x


def _fit_logistic(train: trees.Cases, validation: trees.Cases, classes: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Weight (classes, features), bias (classes,) and the C of least validation log loss. Ties go to the smaller C."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.preprocessing import StandardScaler

    # Not centred, which would make the sparse matrix dense.
    scaler = StandardScaler(with_mean=False).fit(train[0])
    x, x_validation = scaler.transform(train[0]), scaler.transform(validation[0])
    best, least = None, np.inf
    model = LogisticRegression(max_iter=100, tol=1e-3, warm_start=True)
    for c in tqdm(LOGISTIC_C, desc="logistic regression", unit="penalty", leave=False):
        model.set_params(C=c).fit(x, train[1])
        loss = log_loss(validation[1], model.predict_proba(x_validation), labels=np.arange(classes))
        if loss < least:
            best, least = (model.coef_.copy(), model.intercept_.copy(), c), loss
    coefficients, bias, c = best
    if classes == 2:  # scikit-learn keeps one row for two classes; two rows of a softmax say the same.
        coefficients, bias = np.vstack([-coefficients, coefficients]) / 2, np.concatenate([-bias, bias]) / 2
    return (coefficients / scaler.scale_).astype(np.float32), bias.astype(np.float32), float(c)


def _missing_columns(missing: Sequence[str]) -> str:
    return (
        f"the features lack {len(missing)} that the tabular models were fitted on {list(missing[:3])}: run `dvc repro "
        "tabular` again"
    )
