"""From label log-likelihoods and tree probabilities to probabilities that mean what they say.

Everything here is fitted on the validation split. With few validation cases nothing runs wild: a fit has one or two
bounded exponents, its objective is convex, a penalty worth about one case pulls them towards plain values, and a bias
for each label is there only as far as folds of the validation cases say that it helps.
"""

import math
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.model_selection import KFold

from ..errors import InputError
from ..files import write_text
from ..labels import LABELS
from .settings import Evaluate

# An exponent above this would turn two nearly equal probabilities into a certainty.
_LARGEST = 5.0
_SMALLEST = 0.05
_PENALTY = 1.0
_STIFFNESS = (np.inf, 30.0, 10.0, 3.0, 1.0)
"""Penalties on the squared biases to choose from, the first of them for none at all."""
_FOLDS = 5
_FLOOR = 1e-12


class Head(BaseModel):
    """One way to a probability: p is proportional to lm ** ``lm`` * trees ** ``trees`` * exp(``bias``).

    ``lm`` alone (``trees`` 0) is temperature scaling (Guo et al. 2017) with temperature 1 / ``lm``, bias-corrected
    (Alexandari, Kundaje & Shrikumar 2020) by ``bias`` (26,) in the order of ``LABELS``; both are a logarithmic opinion
    pool (Genest & Zidek 1986). ``quantile`` is the conformal quantile of 1 - p (``sets``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lm: float = Field(ge=0.0)
    trees: float = Field(ge=0.0)
    bias: tuple[float, ...] = Field((0.0,) * len(LABELS), min_length=len(LABELS), max_length=len(LABELS))
    quantile: float = Field(ge=0.0, le=1.0)


class Calibration(BaseModel):
    """All that prediction needs beside the models, as JSON: ``text`` for the language model alone, ``blend`` with
    trees.

    ``coverage``: what the prediction sets aim at. ``abstain_below``: the top probability under which no single answer
    is given. ``cases``: validation cases it was fitted on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Head
    blend: Head | None
    coverage: float = Field(gt=0.0, lt=1.0)
    abstain_below: float = Field(ge=0.0, le=1.0)
    cases: int = Field(ge=0)

    def apply(self, lm_loglik: np.ndarray, trees_proba: np.ndarray | None = None) -> np.ndarray:
        """Calibrated probabilities (n, 26) of log-likelihoods (n, 26, nats) and, for the blend, of trees (n, 26)."""
        head = self._head(trees_proba is not None)
        exponents = [head.lm] if trees_proba is None else [head.lm, head.trees]
        return _pool(_inputs(lm_loglik, trees_proba), np.array([*exponents, *head.bias]))

    def sets(self, p: np.ndarray, blended: bool | None = None) -> np.ndarray:
        """Conformal prediction sets, bool (n, 26), for probabilities from ``apply``.

        A label is in when 1 - p is at most the quantile; the most probable label always is, so that no set is empty.
        ``blended``: whether ``p`` came with trees; by default, whether a blend was fitted.
        """
        head = self._head(self.blend is not None if blended is None else blended)
        inside = 1.0 - p <= head.quantile
        inside[np.arange(len(p)), p.argmax(axis=1)] = True
        return inside

    def abstains(self, p: np.ndarray) -> np.ndarray:
        """Where, bool (n,), no label is probable enough to be given as the answer."""
        return p.max(axis=1) < self.abstain_below

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        write_text(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """Read what ``save`` wrote. Raises ``InputError`` naming the file when it is absent or not a calibration."""
        try:
            return cls.model_validate_json(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"{path}: no such file; run `dvc repro evaluate`, which fits it") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise InputError(f"{path}: {where}: {first['msg']}; run `dvc repro evaluate` to write it anew") from None

    def _head(self, with_trees: bool) -> Head:
        if with_trees and self.blend is None:
            raise InputError("this calibration was fitted without trees; leave trees_proba out, or fit it with them")
        return self.blend if with_trees else self.text


def fit(
    lm_loglik: np.ndarray, y: np.ndarray, settings: Evaluate, seed: int, trees_proba: np.ndarray | None = None
) -> Calibration:
    """Fit on validation: ``lm_loglik`` (n, 26) in nats, ``y`` (n,) positions in ``LABELS``, trees (n, 26) or none.

    Trees stopped early on these same cases, so they look a little better here than on new ones; the test figures tell.
    """
    blend = None if trees_proba is None else _fit_head(_inputs(lm_loglik, trees_proba), y, settings.coverage, seed)
    return Calibration(
        text=_fit_head(_inputs(lm_loglik, None), y, settings.coverage, seed),
        blend=blend,
        coverage=settings.coverage,
        abstain_below=settings.abstain_below,
        cases=len(y),
    )


def temper(p_validation: np.ndarray, y_validation: np.ndarray, p: np.ndarray, seed: int) -> np.ndarray:
    """``p`` after the same calibration, fitted on validation: it gives a tabular model the chance the others had."""
    logs = np.log(np.clip(p_validation, _FLOOR, None))[None]
    weights, _ = _fit_and_hold_out(logs, y_validation, seed)
    return _pool(np.log(np.clip(p, _FLOOR, None))[None], weights)


def conformal_quantile(scores: np.ndarray, coverage: float) -> float:
    """The ceil((n + 1) coverage)-th smallest of ``scores`` (n,): split conformal prediction (Vovk et al. 2005).

    With the score 1 - p(label) it gives the smallest sets on average (Sadinle, Lei & Wasserman 2019). 1, hence sets of
    all labels, when n is too small to promise the coverage.
    """
    rank = math.ceil((len(scores) + 1) * coverage)
    return 1.0 if rank > len(scores) else float(np.sort(scores)[rank - 1])


def unfamiliarity(lm_loglik: np.ndarray, p: np.ndarray) -> dict[str, np.ndarray]:
    """Scores (n,) that should be higher for a case that is none of the 26.

    ``one_minus_max``: 1 - the top probability (Hendrycks & Gimpel 2017); ``entropy`` of ``p``, nats;
    ``outside_share``: the language model's probability of any text that is no label. The energy score (Liu et al.
    2020) of these log-likelihoods is -log(1 - outside_share), the same ranking.
    """
    return {
        "one_minus_max": 1.0 - p.max(axis=1),
        "entropy": -(p * np.log(np.clip(p, _FLOOR, None))).sum(axis=1),
        "outside_share": outside_share(lm_loglik),
    }


def outside_share(lm_loglik: np.ndarray) -> np.ndarray:
    """The probability (n,) that the language model gives to anything but the 26 labels."""
    return np.clip(1.0 - np.exp(logsumexp(lm_loglik, axis=1)), 0.0, 1.0)


def _inputs(lm_loglik: np.ndarray, trees_proba: np.ndarray | None) -> np.ndarray:
    """Log-probabilities (1 or 2, n, 26). Raises ``InputError`` where a log-likelihood is not finite."""
    bad = ~np.isfinite(lm_loglik)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(
            f"log-likelihoods: row {row}, label {column} is {lm_loglik[row, column]}; score that case again"
        )
    lm = log_softmax(np.asarray(lm_loglik, dtype=np.float64), axis=1)
    if trees_proba is None:
        return lm[None]
    return np.stack([lm, np.log(np.clip(trees_proba, _FLOOR, None))])


def _pool(logs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Probabilities (n, 26) of ``logs`` (k, n, 26) by ``weights`` (k + 26,): the exponents, then the biases."""
    return softmax(_logits(logs, weights), axis=1)


def _logits(logs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.tensordot(weights[: len(logs)], logs, axes=1) + weights[len(logs) :]


def _fit_weights(logs: np.ndarray, y: np.ndarray, stiffness: float) -> np.ndarray:
    """Exponents and biases (k + 26,) of least penalised log loss for ``logs`` (k, n, 26); convex, as of any log-linear
    model. ``stiffness`` weighs the squared biases; where it is infinite they are 0."""
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

    # A blend may leave one of its two out; alone, an exponent of 0 would forget the model.
    least = _SMALLEST if k == 1 else 0.0
    bounds = [(least, _LARGEST)] * k + [(0.0, 0.0) if rigid else (-_LARGEST, _LARGEST)] * len(LABELS)
    return minimize(loss, plain, jac=True, bounds=bounds, method="L-BFGS-B").x


def _fit_and_hold_out(logs: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (k + 26,) fitted on all cases, and p(label) (n,) of each by weights that never saw it.

    The one of ``_STIFFNESS`` is taken under which held-out folds are likeliest; of equals, the stiffest. Too few cases
    for folds get no bias, and their p(label) comes from the plain weights that a fit without cases gives.
    """
    if len(y) < 2 * _FOLDS:
        unfitted = _fit_weights(logs[:, :0], y[:0], np.inf)
        return _fit_weights(logs, y, np.inf), _pool(logs, unfitted)[np.arange(len(y)), y]
    held_out = [_held_out(logs, y, stiffness, seed) for stiffness in _STIFFNESS]
    best = int(np.argmin([-np.log(np.clip(p, _FLOOR, None)).sum() for p in held_out]))
    return _fit_weights(logs, y, _STIFFNESS[best]), held_out[best]


def _held_out(logs: np.ndarray, y: np.ndarray, stiffness: float, seed: int) -> np.ndarray:
    """p(label) (n,) of each validation case, by weights fitted on the other folds."""
    found = np.empty(len(y))
    for fitted, held_out in KFold(_FOLDS, shuffle=True, random_state=seed).split(y):
        p = _pool(logs[:, held_out], _fit_weights(logs[:, fitted], y[fitted], stiffness))
        found[held_out] = p[np.arange(len(held_out)), y[held_out]]
    return found


def _fit_head(logs: np.ndarray, y: np.ndarray, coverage: float, seed: int) -> Head:
    # Scores of the very cases that the weights were fitted on would be too good, and the sets too small.
    weights, p = _fit_and_hold_out(logs, y, seed)
    weights = [round(float(w), 6) for w in weights]
    lm, trees = (*weights[: len(logs)], 0.0)[:2]
    return Head(lm=lm, trees=trees, bias=tuple(weights[len(logs) :]), quantile=conformal_quantile(1.0 - p, coverage))
