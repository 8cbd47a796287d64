"""From label log-likelihoods and tree probabilities to probabilities that mean what they say.

Everything here is fitted on the validation split. A fit stays tame when there are few validation cases: it has one or
two bounded exponents, its objective is convex, a penalty worth about one case pulls the exponents towards plain values,
and a label gets a bias only as far as cross-validation on the validation cases shows that it helps.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy.special import log_softmax, logsumexp, softmax

from ..errors import InputError
from ..files import write_text
from ..labels import LABELS
from .settings import Evaluate

# An exponent above this would turn two nearly equal probabilities into a certainty.
_LARGEST = 5.0
_SMALLEST = 0.05
_PENALTY = 1.0
_STIFFNESS = (np.inf, 30.0, 10.0, 3.0, 1.0)
"""Penalties on the squared biases to choose from; the first allows no bias at all."""
_FOLDS = 5
_FLOOR = 1e-12
_CONFIDENCE = 0.8
"""How sure it should be that sets hold the label as often as they promise. At 0.9, sets of typed lists have 15 labels
instead of 13."""

Way = Literal["text", "trees", "blend"]
"""What a probability comes from: the language model's text, the trees, or both."""


class Head(BaseModel):
    """One way to a probability: p is proportional to lm ** ``lm`` * trees ** ``trees`` * exp(``bias``).

    One of the two alone (the other 0) is temperature scaling (Guo et al. 2017) with temperature 1 over it,
    bias-corrected (Alexandari, Kundaje & Shrikumar 2020) by ``bias`` (26,) in the order of ``LABELS``; both are a
    logarithmic opinion pool (Genest & Zidek 1986). ``quantile`` is the conformal quantile of 1 - p (``sets``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lm: float = Field(ge=0.0)
    trees: float = Field(ge=0.0)
    bias: tuple[float, ...] = Field((0.0,) * len(LABELS), min_length=len(LABELS), max_length=len(LABELS))
    quantile: float = Field(ge=0.0, le=1.0)


class Heads(BaseModel):
    """The ways to a probability for one group of assays: ``text`` for the language model alone, ``trees`` for the trees
    alone and ``blend`` for both. ``cases``: the number of validation cases that they were fitted on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Head
    blend: Head | None
    trees: Head | None = None
    cases: int = Field(ge=0)


class Calibration(BaseModel):
    """All that prediction needs beside the models, as JSON: ``text`` for the language model alone, ``trees`` for the
    trees alone and ``blend`` for both (None where there were no trees). ``assays``: the same by group of assays
    (``features.groups``); a group that is not in it takes the general ones.

    ``coverage``: how often the prediction sets should hold the label, at least. ``abstain_below``: the top probability
    below which no single answer is given. ``cases``: the number of validation cases that it was fitted on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Head
    blend: Head | None
    trees: Head | None = None
    coverage: float = Field(gt=0.0, lt=1.0)
    abstain_below: float = Field(ge=0.0, le=1.0)
    cases: int = Field(ge=0)
    assays: dict[str, Heads] = {}

    def apply(
        self,
        lm_loglik: np.ndarray | None,
        trees_proba: np.ndarray | None = None,
        groups: Sequence[str] | None = None,
    ) -> np.ndarray:
        """Calibrated probabilities (n, 26) of log-likelihoods (n, 26, nats), of trees (n, 26), or of both: the blend.

        ``groups`` (n,): each case's group of assays; None for the general calibration."""
        logs = _inputs(lm_loglik, trees_proba)
        way = "trees" if lm_loglik is None else "text" if trees_proba is None else "blend"
        p = np.empty(logs.shape[1:])
        for rows, head in self._heads(len(p), way, groups):
            exponents = {"text": [head.lm], "trees": [head.trees], "blend": [head.lm, head.trees]}[way]
            p[rows] = _pool(logs[:, rows], np.array([*exponents, *head.bias]))
        return p

    def sets(self, p: np.ndarray, way: Way | None = None, groups: Sequence[str] | None = None) -> np.ndarray:
        """Conformal prediction sets, bool (n, 26), for probabilities from ``apply``.

        A label is in the set when 1 - p is at most the quantile. The most probable label always is, so no set is empty.
        ``way``: what ``p`` came from; by default the blend, where there is one, else the language model. ``groups`` as
        in ``apply``.
        """
        inside = np.empty(p.shape, bool)
        for rows, head in self._heads(len(p), way or ("text" if self.blend is None else "blend"), groups):
            inside[rows] = 1.0 - p[rows] <= head.quantile
        inside[np.arange(len(p)), p.argmax(axis=1)] = True
        return inside

    def abstains(self, p: np.ndarray) -> np.ndarray:
        """Cases (bool, shape (n,)) in which no label is probable enough to be given as the answer."""
        return p.max(axis=1) < self.abstain_below

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        write_text(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """Read what ``save`` wrote. Raises ``InputError`` that names a file that is missing or is not a calibration."""
        try:
            return cls.model_validate_json(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"{path}: no such file: run `dvc repro evaluate`, which fits it") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise InputError(f"{path}: {where}: {first['msg']}; run `dvc repro evaluate` to write it anew") from None

    def _heads(self, n: int, way: Way, groups: Sequence[str] | None) -> Iterator[tuple[np.ndarray, Head]]:
        """The rows of each group among ``n`` cases, with the head that is theirs."""
        if getattr(self, way) is None:
            raise InputError(
                "this calibration was fitted without trees: leave trees_proba out, or fit it with trees"
                if way == "blend"
                else "this model was published without a calibration of its trees alone: run `dvc repro publish`"
            )
        of_case = np.array([""] * n if groups is None else list(groups), object)
        for group in dict.fromkeys(of_case.tolist()):
            heads = self.assays.get(group, self)
            yield np.flatnonzero(of_case == group), getattr(heads, way)


FEWEST_OF_GROUP = 50
"""Validation cases that a group of assays needs for a calibration of its own."""


def fit_groups(
    lm_loglik: np.ndarray,
    y: np.ndarray,
    groups: Sequence[str],
    patients: Sequence[str],
    settings: Evaluate,
    seed: int,
    trees_proba: np.ndarray | None = None,
) -> dict[str, Heads]:
    """Heads by group of assays, of the groups with at least ``FEWEST_OF_GROUP`` rows.

    The rows are validation cases as in ``fit``, here seen through several assays: ``groups`` and ``patients`` (n,) say
    which row is of which, and all rows of a patient are in one fold."""
    of_row, patients = np.array(groups, object), np.array(patients, object)
    found = {}
    for group in sorted(set(of_row.tolist())):
        rows = np.flatnonzero(of_row == group)
        if len(rows) < FEWEST_OF_GROUP:
            continue
        trees = None if trees_proba is None else trees_proba[rows]
        found[group] = _fit_heads(lm_loglik[rows], y[rows], settings, seed, trees, patients[rows])
    return found


def fit(
    lm_loglik: np.ndarray, y: np.ndarray, settings: Evaluate, seed: int, trees_proba: np.ndarray | None = None
) -> Calibration:
    """Fit on validation: ``lm_loglik`` (n, 26) in nats, ``y`` (n,) positions in ``LABELS``, trees (n, 26) or none.

    The trees stopped early on these same cases, so they look a little better here than on new cases.
    """
    heads = _fit_heads(lm_loglik, y, settings, seed, trees_proba)
    return Calibration(
        text=heads.text,
        blend=heads.blend,
        trees=heads.trees,
        coverage=settings.coverage,
        abstain_below=settings.abstain_below,
        cases=heads.cases,
    )


def _fit_heads(
    lm_loglik: np.ndarray,
    y: np.ndarray,
    settings: Evaluate,
    seed: int,
    trees_proba: np.ndarray | None,
    patients: np.ndarray | None = None,
) -> Heads:
    def head(lm: np.ndarray | None, trees: np.ndarray | None) -> Head:
        return _fit_head(lm, trees, y, settings.coverage, seed, patients)

    text = head(lm_loglik, None)
    if trees_proba is None:
        return Heads(text=text, blend=None, cases=len(y))
    return Heads(text=text, blend=head(lm_loglik, trees_proba), trees=head(None, trees_proba), cases=len(y))


def temper(p_validation: np.ndarray, y_validation: np.ndarray, p: np.ndarray, seed: int) -> np.ndarray:
    """``p`` (n, 26) after the same calibration, fitted on validation, so that tabular models are compared fairly."""
    weights, _ = _fit_and_hold_out(_logs(p_validation)[None], y_validation, seed)
    return _pool(_logs(p)[None], weights)


def conformal_quantile(scores: np.ndarray, coverage: float, independent: int | None = None) -> float:
    """The quantile of ``scores`` (n,) for sets that hold the label in at least ``coverage`` of new cases, with
    ``_CONFIDENCE`` over the draw of the n cases (Vovk 2012): a little more than split conformal prediction (Vovk et al.
    2005) asks for, which promises the coverage on average only, so that half of all draws would fall short of it.

    ``independent``: how many of the n are independent of each other, where a patient has several rows; default all.
    With the score 1 - p(label) it gives the smallest sets on average (Sadinle, Lei & Wasserman 2019). It is 1, so that
    sets hold all labels, when there are too few cases to promise the coverage.
    """
    # Answering needs no fit, and the import takes half a second.
    from scipy.stats import beta

    number = independent or len(scores)
    ranks = np.arange(1, number + 1)
    # The coverage of the sets that end at the k-th smallest of m scores is distributed as Beta(k, m + 1 - k).
    enough = ranks[beta.sf(coverage, ranks, number + 1 - ranks) >= _CONFIDENCE]
    if not len(enough):
        return 1.0
    rank = math.ceil((len(scores) + 1) * enough[0] / (number + 1))
    return float(np.sort(scores)[min(rank, len(scores)) - 1])


def unfamiliarity(lm_loglik: np.ndarray, p: np.ndarray) -> dict[str, np.ndarray]:
    """Scores (n,) that should be higher for a case of a cancer outside the 26.

    ``one_minus_max``: 1 - the top probability (Hendrycks & Gimpel 2017); ``entropy`` of ``p``, nats;
    ``outside_share``: the language model's probability of any text that is not a label. The energy score (Liu et al.
    2020) of these log-likelihoods is -log(1 - outside_share), which gives the same ranking.
    """
    return {
        "one_minus_max": 1.0 - p.max(axis=1),
        "entropy": -(p * np.log(np.clip(p, _FLOOR, None))).sum(axis=1),
        "outside_share": outside_share(lm_loglik),
    }


def outside_share(lm_loglik: np.ndarray) -> np.ndarray:
    """The probability (n,) that the language model gives to anything but the 26 labels, exact also where it is tiny.

    One minus the labels' summed likelihood, so no label may begin with another's tokens. The sum is left in logarithms
    and ``expm1`` taken of it, because 1 - exp(x) loses all digits of a share below 1e-16."""
    return np.clip(-np.expm1(np.logaddexp.reduce(lm_loglik, axis=1)), 0.0, 1.0)


def _inputs(lm_loglik: np.ndarray | None, trees_proba: np.ndarray | None) -> np.ndarray:
    """Log-probabilities (1 or 2, n, 26). Raises ``InputError`` for a log-likelihood that is not finite."""
    if lm_loglik is None:
        return _logs(trees_proba)[None]
    bad = ~np.isfinite(lm_loglik)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(
            f"log-likelihoods: row {row}, label {column} is {lm_loglik[row, column]}: score that case again"
        )
    lm = log_softmax(np.asarray(lm_loglik, dtype=np.float64), axis=1)
    if trees_proba is None:
        return lm[None]
    return np.stack([lm, _logs(trees_proba)])


def _logs(p: np.ndarray) -> np.ndarray:
    return np.log(np.clip(p, _FLOOR, None))


def _pool(logs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Probabilities (n, 26) of ``logs`` (k, n, 26) by ``weights`` (k + 26,): the exponents, then the biases."""
    return softmax(_logits(logs, weights), axis=1)


def _logits(logs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.tensordot(weights[: len(logs)], logs, axes=1) + weights[len(logs) :]


def _fit_weights(logs: np.ndarray, y: np.ndarray, stiffness: float) -> np.ndarray:
    """Exponents and biases (k + 26,) that minimise the penalised log loss for ``logs`` (k, n, 26).

    The loss is convex, as it is for any log-linear model. ``stiffness`` is the penalty on the squared biases; where it
    is infinite, they are 0."""
    k, rows = len(logs), np.arange(len(y))
    plain = np.concatenate([np.full(k, 1.0 / k), np.zeros(len(LABELS))])
    rigid = np.isinf(stiffness)
    penalty = np.concatenate([np.full(k, _PENALTY), np.full(len(LABELS), 0.0 if rigid else stiffness / 2)])
    seen = np.bincount(y, minlength=len(LABELS))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logits = _logits(logs, weights)
        p = softmax(logits, axis=1)
        value = (logsumexp(logits, axis=1) - logits[rows, y]).sum() + penalty @ (weights - plain) ** 2
        of_exponents = (p * logs).sum(axis=(1, 2)) - logs[:, rows, y].sum(axis=1)
        gradient = np.concatenate([of_exponents, p.sum(axis=0) - seen])
        return value, gradient + 2 * penalty * (weights - plain)

    # A blend may ignore one of its two models, but a single model with the exponent 0 would be ignored altogether.
    least = _SMALLEST if k == 1 else 0.0
    bounds = [(least, _LARGEST)] * k + [(0.0, 0.0) if rigid else (-_LARGEST, _LARGEST)] * len(LABELS)
    # Answering needs no fit, and the import takes half a second.
    from scipy.optimize import minimize

    return minimize(loss, plain, jac=True, bounds=bounds, method="L-BFGS-B").x


def _fit_and_hold_out(
    logs: np.ndarray, y: np.ndarray, seed: int, patients: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (k + 26,) fitted on all cases, and each case's p(label) (n,) by weights fitted on the other folds.

    Cross-validation chooses the one of ``_STIFFNESS`` that makes held-out labels most likely; of equals, the stiffest.
    Where there are too few cases for folds, there is no bias, and p(label) comes from the plain weights that a fit
    without cases gives. The rows of one of ``patients`` (n,), where they are given, are in one fold.
    """
    from sklearn.model_selection import GroupKFold, KFold

    if len(y) < 2 * _FOLDS:
        unfitted = _fit_weights(logs[:, :0], y[:0], np.inf)
        return _fit_weights(logs, y, np.inf), _pool(logs, unfitted)[np.arange(len(y)), y]
    held_out = np.empty((len(_STIFFNESS), len(y)))
    folds = KFold if patients is None else GroupKFold
    for rest, fold in folds(_FOLDS, shuffle=True, random_state=seed).split(y, groups=patients):
        for p_of_label, stiffness in zip(held_out, _STIFFNESS, strict=True):
            p = _pool(logs[:, fold], _fit_weights(logs[:, rest], y[rest], stiffness))
            p_of_label[fold] = p[np.arange(len(fold)), y[fold]]
    best = int(np.argmin([-np.log(np.clip(p_of_label, _FLOOR, None)).sum() for p_of_label in held_out]))
    return _fit_weights(logs, y, _STIFFNESS[best]), held_out[best]


def _fit_head(
    lm_loglik: np.ndarray | None,
    trees_proba: np.ndarray | None,
    y: np.ndarray,
    coverage: float,
    seed: int,
    patients: np.ndarray | None = None,
) -> Head:
    logs = _inputs(lm_loglik, trees_proba)
    # On the cases that the weights were fitted on, scores would be too good and the sets too small.
    weights, p = _fit_and_hold_out(logs, y, seed, patients)
    weights = [round(float(w), 6) for w in weights]
    given = [name for name, values in (("lm", lm_loglik), ("trees", trees_proba)) if values is not None]
    exponents = {"lm": 0.0, "trees": 0.0} | dict(zip(given, weights, strict=False))
    bias = tuple(weights[len(given) :])
    independent = None if patients is None else len(set(patients.tolist()))
    return Head(**exponents, bias=bias, quantile=conformal_quantile(1.0 - p, coverage, independent))
