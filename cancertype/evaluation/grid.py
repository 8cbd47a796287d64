"""The grid of assays by models: the same held-out cases seen through assays, each with its own figures."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from . import metrics
from .calibration import Calibration, temper, unfamiliarity
from .predictions import matrix
from .settings import Evaluate


def measure(
    grid: pd.DataFrame, fitted: Calibration, tabular_models: Sequence[str], settings: Evaluate, seed: int
) -> dict[str, dict]:
    """Figures with intervals of each row of the grid and each model.

    ``grid`` has the columns of the predictions (``predictions.REQUIRED``, ``lm_``, ``trees_``, ...), ``row`` and
    ``group``. The result maps a row to ``n``, ``labels`` (those with a case), ``models`` (model to the figures
    ``metrics.FIGURES``, and ``thresholds``), ``sets`` of the final model, and ``out_of_scope``: how well other cancers
    are told apart (None without any)."""
    rows = dict.fromkeys(grid["row"])
    return {
        row: _measured(grid[grid["row"] == row], fitted, tabular_models, settings, seed)
        for row in tqdm(rows, desc="grid of assays", unit="row", leave=False)
    }


def _measured(
    frame: pd.DataFrame, fitted: Calibration, tabular_models: Sequence[str], settings: Evaluate, seed: int
) -> dict:
    validation, test, outside = (frame[frame["split"] == split] for split in ("validation", "test", "out_of_scope"))
    if not len(test):
        return {"n": 0}
    y = metrics.encode(test["label"])
    weights = metrics.resample(test["patient_id"], settings.bootstrap_samples, seed)
    p = probabilities(test, fitted, tabular_models)
    for name in tabular_models if len(validation) else ():
        own = matrix(validation, name)
        p[name] = temper(own, metrics.encode(validation["label"]), matrix(test, name), seed)
    final = next(iter(p))
    sets = fitted.sets(p[final], final == "blend", test["group"].tolist())
    models = {
        name: metrics.figures(y, each, weights)
        | {"thresholds": metrics.at_thresholds(y, each, weights, settings.thresholds)}
        for name, each in p.items()
    }
    return {
        "n": len(test),
        "labels": len(set(y.tolist())),
        "models": models,
        "sets": metrics.prediction_sets(y, sets, weights),
        "out_of_scope": _outside(test, outside, p[final], fitted, tabular_models, weights, seed),
    }


def probabilities(rows: pd.DataFrame, fitted: Calibration, tabular_models: Sequence[str]) -> dict[str, np.ndarray]:
    """Calibrated probabilities (n, 26) of the blend, where there are trees, and of the language model."""
    lm, groups = matrix(rows, "lm"), rows["group"].tolist()
    both = {"blend": fitted.apply(lm, matrix(rows, "trees"), groups)} if "trees" in tabular_models else {}
    return both | {"language_model": fitted.apply(lm, groups=groups)}


def _outside(
    test: pd.DataFrame,
    outside: pd.DataFrame,
    p: np.ndarray,
    fitted: Calibration,
    tabular_models: Sequence[str],
    weights: np.ndarray,
    seed: int,
) -> dict | None:
    if not len(outside):
        return None
    p_outside = next(iter(probabilities(outside, fitted, tabular_models).values()))
    drawn = metrics.resample(outside["patient_id"], len(weights), seed + 1)
    inside, others = (unfamiliarity(matrix(rows, "lm"), each) for rows, each in ((test, p), (outside, p_outside)))
    return {
        "n": len(outside),
        "auroc": {score: metrics.auroc(inside[score], others[score], weights, drawn) for score in inside},
        "abstained_in_scope": metrics.share(fitted.abstains(p), weights),
        "abstained_out_of_scope": metrics.share(fitted.abstains(p_outside), drawn),
    }


def few(measured: dict[str, dict]) -> dict[str, float | None]:
    """One number for each row of the grid: the accuracy of the final model."""
    return {
        f"{row}_accuracy": next(iter(found["models"].values()))["accuracy"]["value"]
        for row, found in measured.items()
        if found["n"]
    }
