"""What parts of the recipe are worth to the language model: short trainings, one part of the recipe changed at a time.

    python -m benchmarks.language_ablations --params params/tcga-270m.yaml --raw data/raw --folder scratch/ablations
    python -m benchmarks.language_ablations ... --start ADAPTER --steps 120 --only "no views"

For every change the stages from featurize to merge run in a sub-folder of ``--folder``, with ``--steps`` steps of
training from ``--start`` (default: from the base model), far fewer than a release takes, so that the rows can be
compared with each other and not with a release. The teacher is small for the same reason. A change of the training
alone takes texts and teacher over from the whole recipe, where that is done. Figures are of ``--cases`` validation
cases in each of ``ROWS``, uncalibrated. Killed and started again, a stage that was finished is not run again, and
training resumes from its last checkpoint.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cancertype.evaluation import metrics
from cancertype.files import write_json
from cancertype.scoring import sharded
from cancertype.text.prompt import Rendered
from pipeline.changes import write_changed
from pipeline.params import FILE, read

from .ablations import CHANGES as OF_TREES
from .ablations import WHOLE

BEFORE_TRAINING = ("fetch_base", "featurize", "to_text", "tabular")
STAGES = (*BEFORE_TRAINING, "train_lora", "merge")
ROWS = ("exome", "exome+arms", "msk-impact-468", "list", "list+arms")
SMALL_TEACHER = {"tabular.trees": 60, "tabular.learning_rate": 0.2, "tabular.without": []}
CHANGES: dict[str, dict[str, Any]] = {
    name: OF_TREES[name] for name in (WHOLE, "no views", "no copy number, no fusions")
} | {"no teacher": {"train.teacher_share": 0.0}, "one order": {"train.shuffle_mutations": False}}
"""What is changed, and how, in dotted keys of params.yaml."""
FIGURES = ("accuracy", "top3", "log_loss")


def trained(folder: Path, params: Path, raw_folder: Path, changes: Mapping[str, Any]) -> None:
    """Run every stage of ``STAGES`` in ``folder`` that has not been finished there, with ``params`` changed."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    if not (folder / "data" / "raw").exists():
        (folder / "data" / "raw").symlink_to(raw_folder.resolve())
    write_changed(params, changes, folder / FILE)
    root = Path(__file__).resolve().parent.parent
    for stage in STAGES:
        finished = _mark(folder, stage)
        if not finished.exists():
            environment = os.environ | {"PYTHONPATH": str(root)}
            subprocess.run([sys.executable, "-m", f"stages.{stage}"], cwd=folder, env=environment, check=True)
            finished.touch()


def _mark(folder: Path, stage: str) -> Path:
    """The file that says that ``stage`` is finished in ``folder``."""
    return folder / f"{stage}.finished"


def _taken_over(whole: Path, folder: Path) -> None:
    """Begin ``folder`` with what the stages before training made in ``whole``, if they are all finished there."""
    marks = [_mark(whole, stage) for stage in BEFORE_TRAINING]
    if folder.exists() or not all(mark.exists() for mark in marks):
        return
    for made in ("data/features", "data/text", "models/base", "models/tabular"):
        shutil.copytree(whole / made, folder / made)
    for mark in marks:
        _mark(folder, mark.stem).touch()


def measured(folder: Path, cases: int) -> dict[str, dict[str, float]]:
    """Row to figures of the merged model of ``folder`` on at most ``cases`` validation cases of it."""
    grid = pd.read_parquet(folder / "data" / "text" / "grid.parquet")
    grid = grid[grid["split"] == "validation"].sort_values("case_id").groupby("row").head(cases)
    with contextlib.chdir(folder):
        completion, batch_size = read({"text.completion": str, "evaluate.batch_size": int})
    rendered = [Rendered(row.prompt, tuple(row.mutations), row.left_out) for row in grid.itertuples()]
    (scores,) = sharded.score_orders(
        folder / "models" / "merged", rendered, completion, orders=1, batch_size=batch_size
    )
    p = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
    y = metrics.encode(grid["label"].to_numpy())
    parts = {row: (grid["row"] == row).to_numpy() for row in ROWS} | {"together": np.ones(len(grid), bool)}
    return {row: _figures(y[part], p[part]) for row, part in parts.items()}


def _figures(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    found = metrics.figures(y, p, np.zeros((0, len(y))))
    return {"n": len(y)} | {name: round(found[name]["value"], 3) for name in FIGURES}


def markdown(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Accuracies, and the log loss of all rows together, one line per change."""
    lines = ["| | " + " | ".join(ROWS) + " | together | log loss |", "|---" * (len(ROWS) + 3) + "|"]
    for change, each in found.items():
        cells = [f"{100 * each[row]['accuracy']:.1f}%" for row in (*ROWS, "together")]
        lines.append(f"| {change} | " + " | ".join(cells) + f" | {each['together']['log_loss']:.2f} |")
    return "\n".join(lines)


def _folder(among: Path, change: str) -> Path:
    return among / change.replace(",", "").replace(" ", "-")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--raw", type=Path, default=Path("data/raw"), help="what the fetch stages wrote")
    parser.add_argument("--folder", type=Path, required=True, help="gets a folder for each change, and results.json")
    parser.add_argument("--start", type=Path, help="folder of an adapter to train further; default the base model")
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--cases", type=int, default=100, help="validation cases of each row")
    parser.add_argument("--only", nargs="+", choices=list(CHANGES), default=list(CHANGES))
    given = parser.parse_args()
    results = given.folder / "results.json"
    found = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else {}
    common = SMALL_TEACHER | {
        "train.max_steps": given.steps,
        "train.continue_from": str(given.start.resolve()) if given.start else None,
        "evaluate.assays": list(ROWS),
    }
    for change in given.only:
        if change not in found:
            folder = _folder(given.folder, change)
            if all(key.startswith("train.") for key in CHANGES[change]):
                _taken_over(_folder(given.folder, WHOLE), folder)
            trained(folder, given.params, given.raw, common | CHANGES[change])
            found[change] = measured(folder, given.cases)
            write_json(results, found)
            print(change, json.dumps(found[change]), flush=True)
    print(markdown(found))


if __name__ == "__main__":
    main()
