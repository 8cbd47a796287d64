"""Predictions as a table: one row per held-out case, with a column per model and label."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from ..errors import InputError
from ..labels import LABELS

SPLITS = ("validation", "test", "out_of_scope")
"""A row's ``split``: calibration is fitted on validation, figures are of test, the third holds other cancers."""

REQUIRED = ("case_id", "patient_id", "source", "kind", "split", "label", "n_mutations")


def frame(cases: pa.Table, others: Sequence[str] = ()) -> pd.DataFrame:
    """The held-out cases of the features' ``cases`` with the columns ``REQUIRED``, to which predictions are joined.

    ``others``: columns of ``cases`` that are kept too."""
    rows = cases.select([*REQUIRED[:-1], "burden", *others]).to_pandas().rename(columns={"burden": "n_mutations"})
    return rows[rows["split"].isin(SPLITS)].reset_index(drop=True)


def matrix(frame: pd.DataFrame, prefix: str) -> np.ndarray:
    """Columns ``<prefix>_<LABEL>`` as (n, 26) float64. Raises ``InputError`` that names the first missing one."""
    columns = [f"{prefix}_{label}" for label in LABELS]
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InputError(f"predictions: column {missing[0]} is missing ({len(missing)} of 26): run that stage again")
    return frame[columns].to_numpy(dtype=np.float64)


def check(predictions: pd.DataFrame) -> None:
    """Raise ``InputError`` for missing columns, unknown splits, a case given twice, and an empty split."""
    missing = [column for column in REQUIRED if column not in predictions.columns]
    if missing:
        raise InputError(f"predictions: columns {missing} are missing: run the stage that writes them again")
    unknown = sorted(set(predictions["split"]) - set(SPLITS))
    if unknown:
        raise InputError(f"predictions: column split holds {unknown}: use {', '.join(SPLITS)}")
    twice = predictions["case_id"][predictions["case_id"].duplicated()]
    if len(twice):
        raise InputError(f"predictions: case_id {twice.iloc[0]} occurs twice: keep one row per case")
    for split, key in (("validation", "cohort.validation_fraction"), ("test", "cohort.test_fraction")):
        if not (predictions["split"] == split).any():
            raise InputError(f"predictions: no case is in the {split} split: raise {key} or add cases")
