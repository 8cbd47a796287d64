"""Score every held-out case, calibrate on validation, measure on test, and write the report."""

import json
import os
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cancertype.evaluation import evaluate
from cancertype.evaluation.settings import Evaluate
from cancertype.files import write_json
from cancertype.labels import LABELS
from cancertype.reports import evaluation_report
from cancertype.scoring import likelihood, sharded
from cancertype.tables.parquet import write_parquet
from cancertype.text.prompt import SEPARATOR, Rendered
from pipeline.params import read, run
from pipeline.revision import code_version

TEXT = Path("data/text")
MERGED = Path("models/merged")
METRICS = Path("metrics")
HELD_OUT = ("validation", "test", "out_of_scope")


def main() -> None:
    settings, completion, seed = read({"evaluate": Evaluate, "text.completion": str, "seed": int})
    texts = pd.concat([pq.read_table(TEXT / f"{split}.parquet").to_pandas() for split in HELD_OUT], ignore_index=True)
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
    frame = evaluate.frame(pq.read_table("data/features/cases.parquet")).merge(scored, on="case_id")
    frame = frame.merge(pd.read_parquet("models/tabular/predictions.parquet"), on="case_id")

    result = evaluate.evaluate_predictions(frame, settings, seed)
    METRICS.mkdir(exist_ok=True)
    write_json(METRICS / "eval.json", result.metrics)
    write_json(METRICS / "details.json", result.details)
    result.calibration.save(Path("models/calibration.json"))
    write_parquet(pa.Table.from_pandas(result.predictions, preserve_index=False), METRICS / "predictions.parquet")
    losses = [pd.read_csv(METRICS / "training" / f"{which}.csv") for which in ("training", "validation")]
    evaluation_report.write_plots(METRICS / "plots", result, *losses)
    evaluation_report.write_report(METRICS / "report.html", result, about(), *losses)


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
