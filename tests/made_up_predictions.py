"""A frame of predictions with known skill, for the tests of the evaluation and of its report."""

import numpy as np
import pandas as pd
from scipy.special import log_softmax, softmax

from cancertype.evaluation.settings import Evaluate
from cancertype.labels import LABELS
from tests.settings import settings

SETTINGS = settings(Evaluate, "evaluate", bootstrap_samples=100)


def made_up_predictions(lm_skill: float = 2.0, trees_skill: float = 2.0, seed: int = 0) -> pd.DataFrame:
    """100 validation, 200 test and 30 out-of-scope cases; models that lean to the truth by their skill, in nats."""
    rng = np.random.default_rng(seed)
    splits = ["validation"] * 100 + ["test"] * 200 + ["out_of_scope"] * 30
    n = len(splits)
    y = rng.integers(0, 26, n)
    truth = np.eye(26)[y] * (np.array(splits) != "out_of_scope")[:, None]
    frame = pd.DataFrame(
        {
            "case_id": [f"case {i}" for i in range(n)],
            "patient_id": [f"patient {i // 2}" for i in range(n)],
            "source": np.where(np.arange(n) % 5, "tcga", "depmap"),
            "kind": np.where(np.arange(n) % 5, "tumour", "cell line"),
            "split": splits,
            "label": [LABELS[code] if split != "out_of_scope" else None for code, split in zip(y, splits, strict=True)],
            "n_mutations": rng.integers(1, 500, n),
            "mutations": "TP53 R175H, KRAS G12D",
        }
    )
    lm = log_softmax(rng.normal(size=(n, 26)) + lm_skill * truth, axis=1) - 0.1
    probabilities = {
        "majority": np.full((n, 26), 1 / 26),
        "logistic": softmax(rng.normal(size=(n, 26)) + truth, axis=1),
        "trees": softmax(rng.normal(size=(n, 26)) + trees_skill * truth, axis=1),
    }
    blocks = [pd.DataFrame(lm, columns=[f"lm_{label}" for label in LABELS])]
    blocks += [pd.DataFrame(p, columns=[f"{name}_{label}" for label in LABELS]) for name, p in probabilities.items()]
    return pd.concat([frame, *blocks], axis=1)


def made_up_grid(rows: dict[str, float]) -> pd.DataFrame:
    """The same cases in each of ``rows``, which maps a row's name to the skill of both models in it. The groups are
    "exome" for the row exome and "panel" for every other."""
    frames = [
        made_up_predictions(skill, skill, seed=place).assign(row=name, group="exome" if name == "exome" else "panel")
        for place, (name, skill) in enumerate(rows.items())
    ]
    # The language model of panels is twice as sure as it may be, which a calibration of its own undoes.
    for frame in frames[1:]:
        lm = [f"lm_{label}" for label in LABELS]
        frame[lm] = log_softmax(2.0 * frame[lm].to_numpy(), axis=1) - 0.1
    return pd.concat(frames, ignore_index=True)


def without(frame: pd.DataFrame, *prefixes: str) -> pd.DataFrame:
    return frame[[column for column in frame.columns if not column.startswith(prefixes)]]
