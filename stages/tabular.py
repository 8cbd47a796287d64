"""Fit what the language model has to beat, on the same cases and the same information."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cancertype import features
from cancertype.evaluation import evaluate, tabular
from cancertype.evaluation.settings import Evaluate, Tabular
from cancertype.features import augmentation
from cancertype.files import write_json
from cancertype.labels import LABELS
from cancertype.tables.parquet import write_parquet
from pipeline.params import read, run

FEATURES = Path("data/features")
OUT = Path("models/tabular")
METRICS = Path("metrics")


def _with_probabilities(cases: pa.Table, p: np.ndarray, prefix: str = "") -> pa.Table:
    """``cases`` with a column for each label of ``p`` (cases, 26)."""
    for label, column in zip(LABELS, p.T, strict=True):
        cases = cases.append_column(prefix + label, pa.array(column))
    return cases


def main() -> None:
    settings, seed = read({"tabular": Tabular, "seed": int})
    cases = pq.read_table(FEATURES / "cases.parquet")
    vocabulary = features.Vocabulary.load(FEATURES / "vocabulary.parquet")
    panels = features.panels_of(pq.read_table(FEATURES / "panels.parquet"))
    x, columns = features.matrix(cases, pq.read_table(FEATURES / "variants.parquet"), vocabulary, panels)
    split, labels = np.array(cases["split"].to_pylist()), np.array(cases["label"].to_pylist())
    train, validation = split == "train", split == "validation"
    versions = [features.matrix(c, v, vocabulary, panels)[0] for c, v in augmentation.read(FEATURES)]
    fitted = tabular.fit(x[train], labels[train], x[validation], labels[validation], columns, settings, seed, versions)
    fitted.save(OUT)

    held_out = cases.filter(pa.array(~train)).select(["case_id"])
    for model in tabular.MODELS:
        held_out = _with_probabilities(held_out, fitted.predict_proba(x[~train], columns, model), f"{model}_")
    write_parquet(held_out, OUT / "predictions.parquet")

    # Without folds the file is there and empty, always the same, so that other trees do not train the adapter again.
    of_training = cases.filter(pa.array(train))
    soft = []
    if settings.folds:
        patients = of_training["patient_id"].to_pylist()
        soft = tabular.out_of_fold(fitted, x[train], labels[train], patients, settings, seed, versions)
    case_ids = of_training.select(["case_id"])
    nothing = _with_probabilities(case_ids.slice(0, 0), np.empty((0, len(LABELS))))
    taught = [_with_probabilities(case_ids, p) for p in soft]
    write_parquet(augmentation.numbered(taught, like=nothing, first=0), OUT / "out_of_fold.parquet")

    frame = evaluate.frame(cases).merge(held_out.to_pandas(), on="case_id")
    # Under the default settings of the evaluation, so that changing evaluate.* does not refit the tabular models.
    headline, details = evaluate.evaluate_tabular_models(frame, Evaluate(), seed)
    METRICS.mkdir(exist_ok=True)
    for name, content in (("tabular.json", headline), ("tabular_details.json", details)):
        write_json(METRICS / name, content)


if __name__ == "__main__":
    run(main)
