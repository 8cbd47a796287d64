"""The grid of assays by models: the same held-out cases seen through assays, each with its own figures."""

from collections.abc import Sequence

import pandas as pd
from tqdm.auto import tqdm

from . import held_out, metrics
from .calibration import Calibration
from .predictions import SPLITS
from .settings import Evaluate

FEWEST = 5
"""Cases that a label needs in a row to count in its macro-F1: one case more or less should not move it by points."""


def measure(
    grid: pd.DataFrame,
    fitted: Calibration,
    tabular_models: Sequence[str],
    settings: Evaluate,
    seed: int,
    of_trees: pd.DataFrame | None = None,
) -> dict[str, dict]:
    """Figures with intervals of each row of the grid and each model.

    ``grid`` has the columns of the predictions (``predictions.REQUIRED``, ``lm_``, ``trees_``, ...), ``row`` and
    ``group``. The result maps a row to ``n``, ``labels`` (those with a case), ``models`` (model to the figures
    ``metrics.FIGURES``, with macro-F1 over the labels with at least ``FEWEST`` cases, and ``thresholds``), ``by_label``
    (``held_out.by_label``), ``sets`` (model to ``metrics.prediction_sets``; of the trees where they answer alone), and
    ``out_of_scope``: how well other cancers are told apart (None without any). ``of_trees`` has all cases of the rows
    with the trees' probabilities, where the language model scored only some: ``by_label`` of the trees is of them."""
    measured = {}
    for row in tqdm(dict.fromkeys(grid["row"]), desc="grid of assays", unit="row", leave=False):
        measured[row] = _measured(grid[grid["row"] == row], fitted, tabular_models, settings, seed)
        if of_trees is not None and "trees" in measured[row].get("by_label", {}):
            everyone = of_trees[(of_trees["row"] == row) & (of_trees["split"] == "test")]
            measured[row]["by_label"]["trees"] = held_out.by_label_of_trees(everyone, fitted)
    return measured


def _measured(
    frame: pd.DataFrame, fitted: Calibration, tabular_models: Sequence[str], settings: Evaluate, seed: int
) -> dict:
    validation, test, outside = (frame[frame["split"] == split] for split in SPLITS)
    if not len(test):
        return {"n": 0}
    y = metrics.encode(test["label"])
    weights = metrics.resample(test["patient_id"], settings.bootstrap_samples, seed)
    p = held_out.probabilities(test, fitted, tabular_models)
    p |= held_out.tempered(validation, test, tabular_models, seed) if len(validation) else {}
    final = next(iter(p))
    models = {
        name: metrics.figures(y, each, weights, FEWEST)
        | {"thresholds": metrics.at_thresholds(y, each, weights, settings.thresholds)}
        for name, each in p.items()
    }
    return {
        "n": len(test),
        "labels": len(set(y.tolist())),
        "models": models,
        "by_label": held_out.by_label(test, p[final], fitted, tabular_models),
        "sets": {
            name: metrics.prediction_sets(y, found, weights)
            for name, found in held_out.sets(test, p, fitted, tabular_models).items()
        },
        "out_of_scope": held_out.out_of_scope(test, outside, fitted, tabular_models, weights, seed),
    }


def few(measured: dict[str, dict]) -> dict[str, float | None]:
    """One number for each row of the grid: the accuracy of the final model."""
    return {
        f"{row}_accuracy": next(iter(found["models"].values()))["accuracy"]["value"]
        for row, found in measured.items()
        if found["n"]
    }
