"""All figures of an experiment from its predictions per case: one call for all models, one for the tabular ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax
from tqdm.auto import tqdm

from ..labels import LABELS
from . import calibration, held_out, metrics
from . import grid as grids
from .calibration import Calibration
from .predictions import SPLITS, check, matrix
from .settings import Evaluate
from .tabular import MODELS

TABULAR_BOOTSTRAP_SAMPLES = 1000
TABULAR_THRESHOLDS = (0.75, 0.9)
"""How the tabular models are measured when they are measured alone."""

RULES = {
    "absent_labels": "Labels without a test case are left out of every macro average. Predicting one is still an "
    "error.",
    "intervals": "95% percentile intervals of a bootstrap that draws patients, each with all of their cases.",
    "calibration": "Every model, including the tabular ones, is calibrated on the validation split alone: a "
    "temperature, and a bias for each label as far as cross-validation shows that it helps. Validation also chose the "
    "number of trees and the penalty of the logistic regression.",
    "best_tabular": "The tabular model with the highest test accuracy. It is chosen on the test set, which can only "
    "favour it.",
    "merged": "24 families: KIPAN includes KIRC, and GBMLGG includes LGG. A family's probability is the sum of its "
    "labels' probabilities.",
}


@dataclass(frozen=True)
class EvaluationResult:
    """``metrics``: the few numbers of the tracked metrics file: ``metrics.TRACKED`` of the final model,
    ``metrics.TRACKED_BESIDE`` of the trees (``trees_``) and the language model (``lm_``), and one accuracy for each
    assay. ``details``: all figures. Both dump to JSON.

    ``calibration``: what prediction needs. ``predictions``: the rows given, with ``p_<LABEL>`` (the final calibrated
    probability) after the other columns. ``probabilities``: calibrated test probabilities (n_test, 26) of every model.
    """

    metrics: dict[str, float | None]
    details: dict
    calibration: Calibration
    predictions: pd.DataFrame
    probabilities: dict[str, np.ndarray]


def evaluate_predictions(
    predictions: pd.DataFrame,
    settings: Evaluate,
    seed: int,
    grid: pd.DataFrame | None = None,
    grid_of_trees: pd.DataFrame | None = None,
) -> EvaluationResult:
    """Calibrate on validation rows, measure on test rows, and test abstention on out-of-scope rows.

    ``predictions`` has one row per case with the columns ``REQUIRED`` and ``lm_<LABEL>`` (log-likelihood, nats). For
    each tabular model to compare with, it has ``<model>_<LABEL>`` (probability). Where ``lm_*`` average several orders
    of the mutations, it has ``single_order_<LABEL>`` (log-likelihood of the first order alone), so that the gain is
    measured. With ``trees_*`` the final probability is the blend of language model and trees, otherwise it is the
    language model's alone.

    ``grid`` has the same columns for the same cases seen through assays, and ``row`` and ``group`` (``grid.measure``).
    With it, calibration is also fitted for each group of assays, and ``predictions`` need the column ``group``.
    ``grid_of_trees`` has the same columns but ``lm_*`` for all cases of its rows, of which the language model may have
    scored a sample: what the trees recognise where they answer alone is then measured on all of them.

    Raises ``InputError`` for missing columns, unknown splits or labels, and an empty validation or test split.
    """
    check(predictions)
    validation, test, ood = (predictions[predictions["split"] == split] for split in SPLITS)
    y_validation, y = metrics.encode(validation["label"]), metrics.encode(test["label"])
    tabular_models = [name for name in MODELS if f"{name}_{LABELS[0]}" in predictions.columns]
    trees = held_out.trees_of(validation, tabular_models)
    fitted = calibration.fit(matrix(validation, "lm"), y_validation, settings, seed, trees)
    if grid is not None:
        fitted = fitted.model_copy(update={"assays": _by_assay(predictions, grid, tabular_models, settings, seed)})
    p = held_out.probabilities(test, fitted, tabular_models)
    final = next(iter(p))
    p |= held_out.tempered(validation, test, tabular_models[::-1], seed)
    weights = metrics.resample(test["patient_id"], settings.bootstrap_samples, seed)
    details = _details(test, y, p, final, weights, settings.thresholds)
    details["n"] = {"validation": len(validation), "test": len(test), "out_of_scope": len(ood)}
    details["by_label"] = held_out.by_label(test, p[final], fitted, tabular_models)
    details["comparison"] = _comparison(y, p, tabular_models, weights)
    details["conformal"] = {"target": settings.coverage}
    details["conformal"] |= metrics.prediction_sets(
        y, fitted.sets(p[final], held_out.WAYS[final], held_out.groups_of(test)), weights
    )
    details["orders"] = _orders(validation, y_validation, test, y, p["language_model"], weights, seed)
    details["outside_share"] = metrics.share(calibration.outside_share(matrix(test, "lm")), weights)
    details["out_of_scope"] = held_out.out_of_scope(test, ood, fitted, tabular_models, weights, seed)
    if details["out_of_scope"]:
        details["out_of_scope"]["abstain_below"] = fitted.abstain_below
    details["calibration"] = fitted.model_dump()
    details["assays"] = (
        {} if grid is None else grids.measure(grid, fitted, tabular_models, settings, seed, grid_of_trees)
    )
    everyone = held_out.probabilities(predictions, fitted, tabular_models)[final]
    columns = pd.DataFrame(everyone, columns=[f"p_{label}" for label in LABELS], index=predictions.index)
    kept = [column for column in predictions.columns if column not in columns]
    return EvaluationResult(
        metrics=_few(details) | grids.few(details["assays"]),
        details=details | {"headline": _headline(details, tabular_models)},
        calibration=fitted,
        predictions=pd.concat([predictions[kept], columns], axis=1),
        probabilities=p,
    )


def evaluate_tabular_models(predictions: pd.DataFrame, seed: int) -> tuple[dict, dict]:
    """Metrics and details of the tabular models alone, measured as ``evaluate_predictions`` measures them.

    The metrics are the accuracies of the trees and of the logistic regression. Thresholds and the number of bootstrap
    samples are fixed here, so that a change of evaluate.* does not refit the models.
    """
    check(predictions)
    validation, test = (predictions[predictions["split"] == split] for split in SPLITS[:2])
    y = metrics.encode(test["label"])
    p = held_out.tempered(validation, test, MODELS[::-1], seed)
    weights = metrics.resample(test["patient_id"], TABULAR_BOOTSTRAP_SAMPLES, seed)
    best = _best(y, p, MODELS)
    details = _details(test, y, p, best, weights, TABULAR_THRESHOLDS)
    details["n"] = {"validation": len(validation), "test": len(test)}
    views = details["models"]
    return {f"{name}_accuracy": views[name]["strict"]["accuracy"]["value"] for name in ("trees", "logistic")}, details


def _by_assay(
    predictions: pd.DataFrame, grid: pd.DataFrame, tabular_models: Sequence[str], settings: Evaluate, seed: int
) -> dict[str, calibration.Heads]:
    """Calibration by group of assays, on the validation cases as they are and as the grid shows them."""
    rows = pd.concat([predictions, grid], ignore_index=True)
    rows = rows[rows["split"] == "validation"]
    y, trees = metrics.encode(rows["label"]), held_out.trees_of(rows, tabular_models)
    patients = rows["patient_id"].tolist()
    return calibration.fit_groups(matrix(rows, "lm"), y, rows["group"].tolist(), patients, settings, seed, trees)


def _best(y: np.ndarray, p: dict[str, np.ndarray], tabular_models: Sequence[str]) -> str:
    """The most accurate model; of equals, the one listed first."""
    return max(tabular_models, key=lambda name: float((p[name].argmax(axis=1) == y).mean()))


def _details(
    test: pd.DataFrame,
    y: np.ndarray,
    p: dict[str, np.ndarray],
    final: str,
    weights: np.ndarray,
    thresholds: Sequence[float],
) -> dict:
    """The figures that are measured in the same way whichever model is the final one."""
    sources = test["source"].value_counts().sort_index()
    views = {name: metrics.view(y, p[name], weights) for name in tqdm(p, desc="figures", leave=False)}
    return {
        "simulated": bool(sources.index.str.startswith("simulated").any()),
        "all_simulated": bool(sources.index.str.startswith("simulated").all()),
        "sources": {source: int(n) for source, n in sources.items()},
        "patients": int(test["patient_id"].nunique()),
        "rules": RULES,
        "absent_labels": [label for i, label in enumerate(LABELS) if not (y == i).any()],
        "final": final,
        "models": views,
        "per_label": {name: metrics.per_label(y, p[name]) for name in p},
        "by_source": metrics.by_group(y, p[final], test["source"], weights),
        "by_kind": metrics.by_group(y, p[final], test["kind"], weights),
        "by_mutations": metrics.by_burden(y, p[final], test["n_mutations"], weights),
        "confusions": metrics.confusion_pairs(y, p[final]),
        "reliability": {name: metrics.reliability(y, p[name]) for name in p},
        "thresholds": {name: metrics.at_thresholds(y, p[name], weights, thresholds) for name in p},
    }


def _comparison(
    y: np.ndarray, p: dict[str, np.ndarray], tabular_models: Sequence[str], weights: np.ndarray
) -> dict | None:
    """The language model and the blend against the best tabular model; None without tabular models."""
    if not tabular_models:
        return None
    best = _best(y, p, tabular_models)
    ours = [name for name in ("language_model", "blend") if name in p]
    return {"best_tabular": best} | {name: metrics.paired(y, p[name], p[best], weights) for name in ours}


def _orders(
    validation: pd.DataFrame,
    y_validation: np.ndarray,
    test: pd.DataFrame,
    y: np.ndarray,
    averaged: np.ndarray,
    weights: np.ndarray,
    seed: int,
) -> dict | None:
    """The gain from averaging over orders of the mutations instead of using one order, each calibrated separately."""
    if f"single_order_{LABELS[0]}" not in test.columns:
        return None
    logs = matrix(validation, "single_order"), matrix(test, "single_order")
    single = calibration.temper(softmax(logs[0], axis=1), y_validation, softmax(logs[1], axis=1), seed)
    return metrics.paired(y, averaged, single, weights)


def _few(details: dict) -> dict[str, float | None]:
    """The few numbers of the tracked metrics file."""
    views, final = details["models"], details["final"]
    out = metrics.few(views[final], names=metrics.TRACKED)
    if "trees" in views:
        out |= metrics.few(views["trees"], "trees_", metrics.TRACKED_BESIDE)
    if final != "language_model":
        out |= metrics.few(views["language_model"], "lm_", metrics.TRACKED_BESIDE)
    return out


def _headline(details: dict, tabular_models: Sequence[str]) -> dict:
    """What a published model says of its own accuracy: figures of the language model, and by name those of the best
    tabular model and of the blend."""
    views = details["models"]
    out = {"n": details["n"]["test"], "simulated": details["simulated"]}
    out |= metrics.headline(views["language_model"]) | {"outside_share": details["outside_share"]["value"]}
    if tabular_models:
        best = details["comparison"]["best_tabular"]
        out["trees" if best == "trees" else "tabular"] = metrics.headline(views[best])
    if "blend" in views:
        out["blend"] = metrics.headline(views["blend"])
    return out
