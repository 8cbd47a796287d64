"""Score every held-out case, calibrate on validation, measure on test, and write the report."""

import json
import os
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cancertype.cohort.hashing import uniform
from cancertype.evaluation import evaluate, predictions
from cancertype.evaluation.settings import Evaluate
from cancertype.files import write_json
from cancertype.labels import LABELS
from cancertype.reports import evaluation_report
from cancertype.scoring import likelihood, sharded
from cancertype.tables.parquet import write_parquet
from cancertype.text.prompt import SEPARATOR, Rendered
from pipeline.params import read, run
from pipeline.revision import code_version

FEATURES, TEXT = Path("data/features"), Path("data/text")
MERGED = Path("models/merged")
METRICS = Path("metrics")
HELD_OUT = ("validation", "test", "out_of_scope")


def main() -> None:
    settings, completion, seed = read({"evaluate": Evaluate, "text.completion": str, "seed": int})
    as_they_are = pd.concat([pq.read_table(TEXT / f"{s}.parquet").to_pandas() for s in HELD_OUT], ignore_index=True)
    grid = _sampled(pq.read_table(TEXT / "grid.parquet").to_pandas(), settings)
    texts = pd.concat([as_they_are, grid], ignore_index=True)
    rendered = [Rendered(row.prompt, tuple(row.mutations), row.left_out) for row in texts.itertuples()]
    scores = sharded.score_orders(
        MERGED,
        rendered,
        completion,
        orders=settings.orders,
        batch_size=settings.batch_size,
        processes=settings.num_processes,
    )
    # Under a launcher every process gets here with the same scores; one of them writes.
    if os.environ.get("RANK", "0") != "0":
        return
    scored = pd.DataFrame(likelihood.averaged(scores), columns=[f"lm_{label}" for label in LABELS])
    if settings.orders > 1:
        scored[[f"single_order_{label}" for label in LABELS]] = scores[0]
    scored.insert(0, "case_id", texts["case_id"])
    scored.insert(1, "mutations", [SEPARATOR.join(r.mutations) for r in rendered])
    frame = _joined("cases", scored[: len(as_they_are)], "predictions")
    of_grid = None
    if len(grid):
        of_grid = _joined("grid_cases", scored[len(as_they_are) :].assign(row=grid["row"].to_numpy()), "grid")

    result = evaluate.evaluate_predictions(frame, settings, seed, of_grid)
    METRICS.mkdir(exist_ok=True)
    write_json(METRICS / "eval.json", result.metrics)
    write_json(METRICS / "details.json", result.details)
    result.calibration.save(Path("models/calibration.json"))
    write_parquet(pa.Table.from_pandas(result.predictions, preserve_index=False), METRICS / "predictions.parquet")
    losses = [pd.read_csv(METRICS / "training" / f"{which}.csv") for which in ("training", "validation")]
    evaluation_report.write_plots(METRICS / "plots", result, *losses)
    evaluation_report.write_report(METRICS / "report.html", result, about(), *losses)


def _sampled(grid: pd.DataFrame, settings: Evaluate) -> pd.DataFrame:
    """The rows of the grid in ``evaluate.assays``; of each row at most ``evaluate.cases_per_assay`` cases of a split,
    the same ones in every row: those whose names have the smallest hashes."""
    if settings.cases_per_assay is None or not len(grid):
        return grid
    place = grid["case_id"].map(lambda case: uniform(0, f"grid {case}"))
    rank = place.groupby([grid["row"], grid["split"]]).rank(method="first")
    return grid[rank <= settings.cases_per_assay].reset_index(drop=True)


def _joined(cases: str, scored: pd.DataFrame, tabular: str) -> pd.DataFrame:
    """Cases with the language model's scores and the tabular models' probabilities, from the files of these names."""
    keys = ["case_id", "row"] if "row" in scored.columns else ["case_id"]
    frame = predictions.frame(pq.read_table(FEATURES / f"{cases}.parquet"), others=("group", *keys[1:]))
    return frame.merge(scored, on=keys).merge(pd.read_parquet(f"models/tabular/{tabular}.parquet"), on=keys)


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
