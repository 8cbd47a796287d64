"""What is computed of held-out cases in the same way, as they are and in every row of the grid of assays."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from . import metrics
from .calibration import Calibration, Way, temper, unfamiliarity
from .predictions import matrix

WAYS: dict[str, Way] = {"blend": "blend", "language_model": "text"}
"""How ``calibration`` calls the models whose probabilities it calibrates."""


def trees_of(rows: pd.DataFrame, tabular_models: Sequence[str]) -> np.ndarray | None:
    """The trees' probabilities (n, 26) of ``rows``; None where there are no trees among ``tabular_models``."""
    return matrix(rows, "trees") if "trees" in tabular_models else None


def probabilities(rows: pd.DataFrame, fitted: Calibration, tabular_models: Sequence[str]) -> dict[str, np.ndarray]:
    """Calibrated probabilities (n, 26) of the final model first: of the blend, where there are trees, and of the
    language model. Rows with a column ``group`` are calibrated by it."""
    lm, trees = matrix(rows, "lm"), trees_of(rows, tabular_models)
    both = {} if trees is None else {"blend": fitted.apply(lm, trees, groups_of(rows))}
    return both | {"language_model": fitted.apply(lm, groups=groups_of(rows))}


def by_label(
    rows: pd.DataFrame, p: np.ndarray, fitted: Calibration, tabular_models: Sequence[str]
) -> dict[str, dict[str, dict]]:
    """What an answer quotes (``metrics.of_labels``): of ``final``, whose probabilities of ``rows`` are ``p`` (n, 26),
    and of the ``trees`` where they answer alone."""
    alone = {"trees": by_label_of_trees(rows, fitted)} if "trees" in tabular_models else {}
    return {"final": metrics.of_labels(metrics.encode(rows["label"]), p), **alone}


def by_label_of_trees(rows: pd.DataFrame, fitted: Calibration) -> dict[str, dict]:
    """``metrics.of_labels`` of the trees where they answer alone; ``rows`` need no scores of the language model."""
    p = fitted.apply(None, matrix(rows, "trees"), groups_of(rows))
    return metrics.of_labels(metrics.encode(rows["label"]), p)


def sets(
    rows: pd.DataFrame, p: dict[str, np.ndarray], fitted: Calibration, tabular_models: Sequence[str]
) -> dict[str, np.ndarray]:
    """The conformal sets (bool, (n, 26)) of each calibrated model, whose probabilities of ``rows`` are in ``p``, and of
    the trees where they answer alone."""
    groups, trees = groups_of(rows), trees_of(rows, tabular_models)
    found = {name: fitted.sets(p[name], way, groups) for name, way in WAYS.items() if name in p}
    if trees is not None:
        found["trees"] = fitted.sets(fitted.apply(None, trees, groups), "trees", groups)
    return found


def groups_of(rows: pd.DataFrame) -> list[str] | None:
    """Each row's group of assays; None where the rows have none."""
    return rows["group"].tolist() if "group" in rows.columns else None


def tempered(
    validation: pd.DataFrame, test: pd.DataFrame, tabular_models: Sequence[str], seed: int
) -> dict[str, np.ndarray]:
    """Probabilities (n, 26) of ``test`` by each tabular model, calibrated on ``validation``."""
    y_validation, found = metrics.encode(validation["label"]), {}
    for name in tabular_models:
        p_validation, p = matrix(validation, name), matrix(test, name)
        metrics.check_probabilities(p_validation, f"{name} on validation")
        metrics.check_probabilities(p, f"{name} on test")
        found[name] = temper(p_validation, y_validation, p, seed)
    return found


def out_of_scope(
    test: pd.DataFrame,
    outside: pd.DataFrame,
    fitted: Calibration,
    tabular_models: Sequence[str],
    weights: np.ndarray,
    seed: int,
) -> dict | None:
    """How well cases of other cancers are distinguished by the final model, and how often abstention catches them; None
    without any. ``weights`` are those of ``test``."""
    if not len(outside):
        return None
    drawn = metrics.resample(outside["patient_id"], len(weights), seed + 1)
    p, p_outside = (next(iter(probabilities(rows, fitted, tabular_models).values())) for rows in (test, outside))
    inside, others = (unfamiliarity(matrix(rows, "lm"), each) for rows, each in ((test, p), (outside, p_outside)))
    return {
        "n": len(outside),
        "auroc": {score: metrics.auroc(inside[score], others[score], weights, drawn) for score in inside},
        "abstained_in_scope": metrics.share(fitted.abstains(p), weights),
        "abstained_out_of_scope": metrics.share(fitted.abstains(p_outside), drawn),
    }
