"""Fit the models that the language model has to beat, on the same cases and the same information."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import csr_matrix

from cancertype import features
from cancertype.evaluation import evaluate, predictions, tabular
from cancertype.evaluation.settings import Tabular
from cancertype.features import view_files
from cancertype.files import write_json
from cancertype.labels import LABELS
from cancertype.tables.parquet import write_parquet
from pipeline.params import read, run

FEATURES = Path("data/features")
OUT = Path("models/tabular")
METRICS = Path("metrics")

Seen = list[tuple[int | str, pa.Table, pa.Table]]
"""What ``view_files.read`` gives."""


def main() -> None:
    settings, seed = read({"tabular": Tabular, "seed": int})
    cases = pq.read_table(FEATURES / "cases.parquet")
    vocabulary = features.Vocabulary.load(FEATURES / "vocabulary.parquet")
    panels = features.panels_of(pq.read_table(FEATURES / "panels.parquet"))

    def matrices(seen: Seen) -> list[csr_matrix]:
        return [features.matrix(c, v, vocabulary, panels)[0] for _, c, v in seen]

    training, grid = (
        view_files.read(FEATURES, view_files.TRAINING, "copy"),
        view_files.read(FEATURES, view_files.GRID, "row"),
    )
    copies, of_grid = matrices(training), matrices(grid)
    x, columns = features.matrix(cases, pq.read_table(FEATURES / "variants.parquet"), vocabulary, panels)
    held_out = np.array(cases["split"].to_pylist()) != "train"
    of_training = training[0][1]
    labels = of_training["label"].to_pylist()
    guide = [_validation(c, m) for c, m in [(cases, x), *((c, m) for (_, c, _), m in zip(grid, of_grid, strict=True))]]
    fitted = tabular.fit(copies, labels, guide, columns, settings, seed)
    fitted.save(OUT)

    predicted = _predicted(fitted, cases.filter(pa.array(held_out)), x[held_out], columns)
    write_parquet(predicted, OUT / "predictions.parquet")
    rows = [(row, _predicted(fitted, c, m, columns)) for (row, c, _), m in zip(grid, of_grid, strict=True)]
    write_parquet(view_files.under_one_another(rows, "row", like=predicted), OUT / "grid.parquet")

    soft = []
    if settings.folds:
        patients = of_training["patient_id"].to_pylist()
        soft = tabular.out_of_fold(fitted, copies, labels, patients, settings, seed)
    write_parquet(_soft_labels(of_training.select(["case_id"]), soft), OUT / "out_of_fold.parquet")

    frame = predictions.frame(cases).merge(predicted.to_pandas(), on="case_id")
    few, details = evaluate.evaluate_tabular_models(frame, seed)
    METRICS.mkdir(exist_ok=True)
    for name, content in (("tabular.json", few), ("tabular_details.json", details)):
        write_json(METRICS / name, content)


def _validation(cases: pa.Table, x: csr_matrix) -> tuple[csr_matrix, list[str]]:
    """The rows of the validation split, and their labels."""
    own = np.array(cases["split"].to_pylist()) == "validation"
    return x[own], cases.filter(pa.array(own))["label"].to_pylist()


def _predicted(fitted: tabular.TabularModels, cases: pa.Table, x: csr_matrix, columns: Sequence[str]) -> pa.Table:
    """The probabilities that every tabular model gives to ``cases``."""
    predicted = cases.select(["case_id"])
    for model in tabular.MODELS:
        predicted = _with_probabilities(predicted, fitted.predict_proba(x, columns, model), f"{model}_")
    return predicted


def _with_probabilities(cases: pa.Table, p: np.ndarray, prefix: str = "") -> pa.Table:
    """``cases`` with one column per label of ``p`` (cases, 26)."""
    for label, column in zip(LABELS, p.T, strict=True):
        cases = cases.append_column(prefix + label, pa.array(column))
    return cases


def _soft_labels(case_ids: pa.Table, soft: Sequence[np.ndarray]) -> pa.Table:
    """``soft`` (views, cases, 26), one row per view and case. Without folds it has no row: the file is always the same
    then, so that other trees do not train the adapter again."""
    no_row = _with_probabilities(case_ids.slice(0, 0), np.empty((0, len(LABELS))))
    numbered = [(copy, _with_probabilities(case_ids, p)) for copy, p in enumerate(soft)]
    return view_files.under_one_another(numbered, "copy", like=no_row)


if __name__ == "__main__":
    run(main)
