"""Score every held-out case: exact log-likelihoods of all labels, by the language model alone."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cancertype.cohort.hashing import uniform
from cancertype.files import whole_folder
from cancertype.labels import LABELS
from cancertype.scoring import batches, sharded
from cancertype.tables.parquet import write_parquet
from cancertype.text.prompt import SEPARATOR, Rendered
from pipeline.params import read, run

TEXT, MERGED, OUT = Path("data/text"), Path("models/merged"), Path("data/scores")
HELD_OUT = ("validation", "test", "out_of_scope")


def main() -> None:
    orders, batch_size, processes, cases_per_assay, completion = read(
        {
            "evaluate.orders": int,
            "evaluate.batch_size": int,
            "evaluate.num_processes": int,
            "evaluate.cases_per_assay": int | None,
            "text.completion": str,
        }
    )
    as_they_are = pd.concat([pq.read_table(TEXT / f"{s}.parquet").to_pandas() for s in HELD_OUT], ignore_index=True)
    grid = _sampled(pq.read_table(TEXT / "grid.parquet").to_pandas(), cases_per_assay)
    texts = pd.concat([as_they_are, grid], ignore_index=True)
    rendered = [Rendered(row.prompt, tuple(row.mutations), row.left_out) for row in texts.itertuples()]
    scores = sharded.score_orders(
        MERGED, rendered, completion, orders=orders, batch_size=batch_size, processes=processes
    )
    # Under a launcher every process gets here with the same scores; one of them writes.
    if os.environ.get("RANK", "0") != "0":
        return
    scored = _table(texts, rendered, scores)
    of_grid = scored[len(as_they_are) :].assign(row=grid["row"].to_numpy())
    with whole_folder(OUT) as folder:
        for name, frame in (("cases", scored[: len(as_they_are)]), ("grid", of_grid)):
            write_parquet(pa.Table.from_pandas(frame, preserve_index=False), folder / f"{name}.parquet")


def _sampled(grid: pd.DataFrame, cases_per_assay: int | None) -> pd.DataFrame:
    """The rows of the grid in ``evaluate.assays``; of each row at most ``cases_per_assay`` cases of a split, the same
    ones in every row: those whose names have the smallest hashes."""
    if cases_per_assay is None or not len(grid):
        return grid
    place = grid["case_id"].map(lambda case: uniform(0, f"grid {case}"))
    rank = place.groupby([grid["row"], grid["split"]]).rank(method="first")
    return grid[rank <= cases_per_assay].reset_index(drop=True)


def _table(texts: pd.DataFrame, rendered: Sequence[Rendered], scores: np.ndarray) -> pd.DataFrame:
    """One row per text from ``scores`` (orders, texts, 26): case_id, the mutations that it names, ``lm_<LABEL>`` (nats,
    averaged over the orders) and, where there are several, ``single_order_<LABEL>`` (nats, the first order alone)."""
    scored = pd.DataFrame(batches.averaged(scores), columns=[f"lm_{label}" for label in LABELS])
    if len(scores) > 1:
        scored[[f"single_order_{label}" for label in LABELS]] = scores[0]
    scored.insert(0, "case_id", texts["case_id"])
    scored.insert(1, "mutations", [SEPARATOR.join(r.mutations) for r in rendered])
    return scored


if __name__ == "__main__":
    run(main)
