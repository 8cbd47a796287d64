"""All figures of an experiment from its per-case predictions: one call for all models, one for the tabular ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import softmax
from tqdm.auto import tqdm

from ..errors import InputError
from ..labels import LABELS
from . import calibration, metrics
from .calibration import Calibration
from .settings import Evaluate
from .tabular import MODELS

SPLITS = ("validation", "test", "out_of_scope")
"""A row's ``split``: calibration is fitted on validation, figures are of test, the third is none of the 26."""

REQUIRED = ("case_id", "patient_id", "source", "kind", "split", "label", "n_mutations")

RULES = {
    "absent_labels": "Labels without a test case are left out of every macro average; predicting one is still wrong.",
    "intervals": "95 % percentile intervals of a bootstrap that draws patients, each with all of its cases.",
    "calibration": "Every model, tabular ones included, is calibrated on the validation split alone: a "
    "temperature, and a bias for each label as far as folds say that it helps. Validation also chose the number of "
    "trees and the penalty of logistic regression.",
    "best_tabular": "The tabular model of greatest test accuracy: chosen on the test set, which can only favour it.",
    "merged": "24 families: KIPAN with KIRC, GBMLGG with LGG; probabilities summed over a family's labels.",
}


@dataclass(frozen=True)
class EvaluationResult:
    """``headline``: the few figures of the tracked metrics file. ``details``: all others; both dump to JSON.

    ``calibration``: what prediction needs. ``predictions``: the rows given, with ``p_<LABEL>`` (the final calibrated
    probability) after the other columns. ``probabilities``: calibrated test probabilities (n_test, 26) of every model.
    """

    headline: dict
    details: dict
    calibration: Calibration
    predictions: pd.DataFrame
    probabilities: dict[str, np.ndarray]


def frame(cases: pa.Table) -> pd.DataFrame:
    """The held-out cases of the features' ``cases`` in the columns ``REQUIRED``: what predictions are joined to."""
    rows = cases.select([*REQUIRED[:-1], "burden"]).to_pandas().rename(columns={"burden": "n_mutations"})
    return rows[rows["split"].isin(SPLITS)].reset_index(drop=True)


def matrix(frame: pd.DataFrame, prefix: str) -> np.ndarray:
    """Columns ``<prefix>_<LABEL>`` as (n, 26) float64. Raises ``InputError`` naming the first that is absent."""
    columns = [f"{prefix}_{label}" for label in LABELS]
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InputError(f"predictions: column {missing[0]} is absent ({len(missing)} of 26); run that stage again")
    return frame[columns].to_numpy(dtype=np.float64)


def evaluate_predictions(predictions: pd.DataFrame, settings: Evaluate, seed: int) -> EvaluationResult:
    """Calibrate on validation rows, measure on test rows, try out-of-scope rows.

    ``predictions``: one row a case, columns ``REQUIRED`` and ``lm_<LABEL>`` (log-likelihood, nats); for each
    tabular model to compare with, ``<model>_<LABEL>`` (probability); and where ``lm_*`` average several orders of
    mutations, ``single_order_<LABEL>`` (log-likelihood of the first alone), so that the gain is measured.
    With ``trees_*`` the final probability is the blend of language model and trees, otherwise the language model
    alone. Raises ``InputError`` for absent columns, unknown splits or labels, and empty validation or test.
    """
    _check(predictions)
    validation, test, ood = (predictions[predictions["split"] == split] for split in SPLITS)
    y_validation, y = metrics.encode(validation["label"]), metrics.encode(test["label"])
    tabular_models = [name for name in MODELS if f"{name}_{LABELS[0]}" in predictions.columns]
    trees = {split: _trees(rows, tabular_models) for split, rows in zip(SPLITS, (validation, test, ood), strict=True)}
    fitted = calibration.fit(matrix(validation, "lm"), y_validation, settings, seed, trees["validation"])
    final = "language_model" if trees["test"] is None else "blend"
    p = {} if final == "language_model" else {"blend": fitted.apply(matrix(test, "lm"), trees["test"])}
    p["language_model"] = fitted.apply(matrix(test, "lm"))
    p |= _tempered(validation, y_validation, test, tabular_models, seed)
    weights = metrics.resample(test["patient_id"], settings.bootstrap_samples, seed)
    details = _details(test, y, p, final, weights, settings)
    details["n"] = {"validation": len(validation), "test": len(test), "out_of_scope": len(ood)}
    details["comparison"] = _comparison(y, p, tabular_models, weights, settings.calibration_bins)
    details["conformal"] = {"target": settings.coverage}
    details["conformal"] |= metrics.prediction_sets(y, fitted.sets(p[final], final == "blend"), weights)
    details["orders"] = _orders(validation, y_validation, test, y, p["language_model"], weights, settings, seed)
    details["outside_share"] = metrics.share(calibration.outside_share(matrix(test, "lm")), weights)
    p_ood = fitted.apply(matrix(ood, "lm"), trees["out_of_scope"]) if len(ood) else np.empty((0, len(LABELS)))
    details["out_of_scope"] = _out_of_scope(test, ood, p[final], p_ood, fitted, weights, seed)
    details["calibration"] = fitted.model_dump()
    everyone = fitted.apply(matrix(predictions, "lm"), _trees(predictions, tabular_models))
    columns = pd.DataFrame(everyone, columns=[f"p_{label}" for label in LABELS], index=predictions.index)
    kept = [column for column in predictions.columns if column not in columns]
    return EvaluationResult(
        headline=_headline(details, tabular_models),
        details=details,
        calibration=fitted,
        predictions=pd.concat([predictions[kept], columns], axis=1),
        probabilities=p,
    )


def evaluate_tabular_models(predictions: pd.DataFrame, settings: Evaluate, seed: int) -> tuple[dict, dict]:
    """``headline`` and ``details`` of the tabular models alone, measured as ``evaluate_predictions`` measures them.

    The headline's own figures are those of the best tabular model; those of each follow under its name.
    """
    _check(predictions)
    validation, test = (predictions[predictions["split"] == split] for split in SPLITS[:2])
    y = metrics.encode(test["label"])
    p = _tempered(validation, metrics.encode(validation["label"]), test, MODELS, seed)
    weights = metrics.resample(test["patient_id"], settings.bootstrap_samples, seed)
    best = _best(y, p, MODELS)
    details = _details(test, y, p, best, weights, settings)
    details["n"] = {"validation": len(validation), "test": len(test)}
    short = {name: metrics.headline(details["models"][name]) for name in MODELS}
    return {"n": len(test), "simulated": details["simulated"]} | short[best] | short, details


def _check(predictions: pd.DataFrame) -> None:
    missing = [column for column in REQUIRED if column not in predictions.columns]
    if missing:
        raise InputError(f"predictions: columns {missing} are absent; run the stage that writes them again")
    unknown = sorted(set(predictions["split"]) - set(SPLITS))
    if unknown:
        raise InputError(f"predictions: column split holds {unknown}; use {', '.join(SPLITS)}")
    twice = predictions["case_id"][predictions["case_id"].duplicated()]
    if len(twice):
        raise InputError(f"predictions: case_id {twice.iloc[0]} stands there twice; keep one row a case")
    for split, key in (("validation", "cohort.validation_fraction"), ("test", "cohort.test_fraction")):
        if not (predictions["split"] == split).any():
            raise InputError(f"predictions: no case is in the {split} split; raise {key} or add cases")


def _trees(rows: pd.DataFrame, tabular_models: Sequence[str]) -> np.ndarray | None:
    return matrix(rows, "trees") if "trees" in tabular_models else None


def _tempered(
    validation: pd.DataFrame, y_validation: np.ndarray, test: pd.DataFrame, tabular_models: Sequence[str], seed: int
) -> dict[str, np.ndarray]:
    out = {}
    for name in reversed(tabular_models):
        p_validation, p = matrix(validation, name), matrix(test, name)
        metrics.check_probabilities(p_validation, f"{name} on validation")
        metrics.check_probabilities(p, f"{name} on test")
        out[name] = calibration.temper(p_validation, y_validation, p, seed)
    return out


def _best(y: np.ndarray, p: dict[str, np.ndarray], tabular_models: Sequence[str]) -> str:
    """The most accurate; of equals, the one named first."""
    return max(tabular_models, key=lambda name: float((p[name].argmax(axis=1) == y).mean()))


def _details(
    test: pd.DataFrame, y: np.ndarray, p: dict[str, np.ndarray], final: str, weights: np.ndarray, settings: Evaluate
) -> dict:
    """What is measured in the same way whichever model is the final one."""
    bins = settings.calibration_bins
    sources = test["source"].value_counts().sort_index()
    views = {name: metrics.view(y, p[name], weights, bins) for name in tqdm(p, desc="figures", leave=False)}
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
        "by_source": metrics.by_group(y, p[final], test["source"], weights, bins),
        "by_kind": metrics.by_group(y, p[final], test["kind"], weights, bins),
        "by_mutations": metrics.by_burden(y, p[final], test["n_mutations"], weights),
        "confusions": metrics.confusion_pairs(y, p[final]),
        "reliability": {name: metrics.reliability(y, p[name], bins) for name in p},
        "thresholds": {name: metrics.at_thresholds(y, p[name], weights, settings.thresholds) for name in p},
    }


def _comparison(
    y: np.ndarray, p: dict[str, np.ndarray], tabular_models: Sequence[str], weights: np.ndarray, bins: int
) -> dict | None:
    """The language model, and the blend, against the best tabular model; none without tabular models."""
    if not tabular_models:
        return None
    best = _best(y, p, tabular_models)
    ours = [name for name in ("language_model", "blend") if name in p]
    return {"best_tabular": best} | {name: metrics.paired(y, p[name], p[best], weights, bins) for name in ours}


def _orders(
    validation: pd.DataFrame,
    y_validation: np.ndarray,
    test: pd.DataFrame,
    y: np.ndarray,
    averaged: np.ndarray,
    weights: np.ndarray,
    settings: Evaluate,
    seed: int,
) -> dict | None:
    """What averaging over orders of the mutations gains over a single one, each calibrated for itself."""
    if f"single_order_{LABELS[0]}" not in test.columns:
        return None
    logs = matrix(validation, "single_order"), matrix(test, "single_order")
    single = calibration.temper(softmax(logs[0], axis=1), y_validation, softmax(logs[1], axis=1), seed)
    return metrics.paired(y, averaged, single, weights, settings.calibration_bins)


def _out_of_scope(
    test: pd.DataFrame,
    ood: pd.DataFrame,
    p: np.ndarray,
    p_ood: np.ndarray,
    fitted: Calibration,
    weights: np.ndarray,
    seed: int,
) -> dict | None:
    """Can cases of none of the 26 be told from the others, and does abstaining catch them? None without such cases."""
    if not len(ood):
        return None
    drawn = metrics.resample(ood["patient_id"], len(weights), seed + 1)
    inside = calibration.unfamiliarity(matrix(test, "lm"), p)
    outside = calibration.unfamiliarity(matrix(ood, "lm"), p_ood)
    return {
        "n": len(ood),
        "auroc": {score: metrics.auroc(inside[score], outside[score], weights, drawn) for score in inside},
        "abstain_below": fitted.abstain_below,
        "abstained_in_scope": metrics.share(fitted.abstains(p), weights),
        "abstained_out_of_scope": metrics.share(fitted.abstains(p_ood), drawn),
    }


def _headline(details: dict, tabular_models: Sequence[str]) -> dict:
    views = details["models"]
    out = {"n": details["n"]["test"], "simulated": details["simulated"]}
    out |= metrics.headline(views["language_model"]) | {"outside_share": details["outside_share"]["value"]}
    if tabular_models:
        out["tabular"] = metrics.headline(views[details["comparison"]["best_tabular"]])
    if "blend" in views:
        out["blend"] = metrics.headline(views["blend"])
    return out
