"""Calibrate on validation, measure on test, and write the report, from scores and probabilities that are there."""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cancertype.evaluation import evaluate, predictions
from cancertype.evaluation.settings import Evaluate
from cancertype.files import write_json
from cancertype.reports import evaluation_report
from cancertype.tables.parquet import write_parquet
from pipeline.params import read, run
from pipeline.revision import code_version

FEATURES, METRICS = Path("data/features"), Path("metrics")
CALIBRATION = Path("models/calibration.json")


def main() -> None:
    result = evaluated()
    METRICS.mkdir(exist_ok=True)
    write_json(METRICS / "eval.json", result.metrics)
    write_json(METRICS / "details.json", result.details)
    result.calibration.save(CALIBRATION)
    write_parquet(pa.Table.from_pandas(result.predictions, preserve_index=False), METRICS / "predictions.parquet")
    losses = training_losses()
    evaluation_report.write_plots(METRICS / "plots", result, *losses)
    evaluation_report.write_report(METRICS / "report.html", result, about(), *losses)


def evaluated() -> evaluate.EvaluationResult:
    """Everything that is measured of the run in the working directory."""
    settings, seed = read({"evaluate": Evaluate, "seed": int})
    frame, grid = joined("cases", "cases", "predictions"), joined("grid_cases", "grid", "grid")
    # The language model reads a sample of each row's cases; the trees answered all of them.
    of_trees = None if grid is None else with_tabular("grid_cases", "grid")
    return evaluate.evaluate_predictions(frame, settings, seed, grid, of_trees)


def training_losses() -> list[pd.DataFrame]:
    """The losses of the training and of the validation split, with the columns step and loss."""
    return [pd.read_csv(METRICS / "training" / f"{which}.csv") for which in ("training", "validation")]


def joined(cases: str, scores: str, tabular: str) -> pd.DataFrame | None:
    """Cases with the language model's scores and the tabular models' probabilities, from the files of these names; None
    where nothing was scored, as without any assay in ``evaluate.assays``."""
    scored = pq.read_table(f"data/scores/{scores}.parquet").to_pandas()
    if not len(scored):
        return None
    return with_tabular(cases, tabular, scored)


def with_tabular(cases: str, tabular: str, scored: pd.DataFrame | None = None) -> pd.DataFrame:
    """Cases with the tabular models' probabilities, from the files of these names: all of them, or with ``scored``
    those that the language model scored, with its scores."""
    found = pd.read_parquet(f"models/tabular/{tabular}.parquet")
    keys = ["case_id", "row"] if "row" in found.columns else ["case_id"]
    frame = predictions.frame(pq.read_table(FEATURES / f"{cases}.parquet"), others=("group", *keys[1:]))
    return (frame if scored is None else frame.merge(scored, on=keys)).merge(found, on=keys)


def about() -> dict[str, str]:
    """What the report says about data, model and code."""
    base = json.loads(Path("models/base/base.json").read_text(encoding="utf-8"))
    sources = json.loads(Path("data/features/sources.json").read_text(encoding="utf-8"))
    return {
        "Data": "; ".join(f"{source['name']} ({source['licence']})" for source in sources),
        "Code": code_version(),
        "Base model": f"{base['id']}, {base['licence']}",
    }


if __name__ == "__main__":
    run(main)
