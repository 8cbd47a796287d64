"""Fit the models that the language model has to beat, on the same cases and the same information."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cancertype import features
from cancertype.evaluation import evaluate, tabular
from cancertype.evaluation.settings import Tabular
from cancertype.features import augmentation
from cancertype.files import write_json
from cancertype.labels import LABELS
from cancertype.tables.parquet import write_parquet
from pipeline.params import read, run

FEATURES = Path("data/features")
OUT = Path("models/tabular")
METRICS = Path("metrics")


def main() -> None:
    settings, seed = read({"tabular": Tabular, "seed": int})
    cases = pq.read_table(FEATURES / "cases.parquet")
    vocabulary = features.Vocabulary.load(FEATURES / "vocabulary.parquet")
    panels = features.panels_of(pq.read_table(FEATURES / "panels.parquet"))
    x, columns = features.matrix(cases, pq.read_table(FEATURES / "variants.parquet"), vocabulary, panels)
    split, labels = np.array(cases["split"].to_pylist()), np.array(cases["label"].to_pylist())
    train, validation = split == "train", split == "validation"
    copies = [features.matrix(c, v, vocabulary, panels)[0] for c, v in augmentation.read(FEATURES)]
    fitted = tabular.fit(x[train], labels[train], x[validation], labels[validation], columns, settings, seed, copies)
    fitted.save(OUT)

    held_out = cases.filter(pa.array(~train)).select(["case_id"])
    for model in tabular.MODELS:
        held_out = _with_probabilities(held_out, fitted.predict_proba(x[~train], columns, model), f"{model}_")
    write_parquet(held_out, OUT / "predictions.parquet")

    of_training = cases.filter(pa.array(train))
    soft = []
    if settings.folds:
        patients = of_training["patient_id"].to_pylist()
        soft = tabular.out_of_fold(fitted, x[train], labels[train], patients, settings, seed, copies)
    write_parquet(_soft_labels(of_training.select(["case_id"]), soft), OUT / "out_of_fold.parquet")

    frame = evaluate.frame(cases).merge(held_out.to_pandas(), on="case_id")
    few, details = evaluate.evaluate_tabular_models(frame, seed)
    METRICS.mkdir(exist_ok=True)
    for name, content in (("tabular.json", few), ("tabular_details.json", details)):
        write_json(METRICS / name, content)


def _with_probabilities(cases: pa.Table, p: np.ndarray, prefix: str = "") -> pa.Table:
    """``cases`` with one column per label of ``p`` (cases, 26)."""
    for label, column in zip(LABELS, p.T, strict=True):
        cases = cases.append_column(prefix + label, pa.array(column))
    return cases


def _soft_labels(case_ids: pa.Table, soft: Sequence[np.ndarray]) -> pa.Table:
    """``soft`` (1 + copies, cases, 26), one row per copy and case. Without folds it has no row: the file is always the
    same then, so that other trees do not train the adapter again."""
    no_row = _with_probabilities(case_ids.slice(0, 0), np.empty((0, len(LABELS))))
    return augmentation.numbered([_with_probabilities(case_ids, p) for p in soft], like=no_row, first=0)


if __name__ == "__main__":
    run(main)
