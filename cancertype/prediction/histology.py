"""What the broad histology says before any mutation is read: a pathologist nearly always knows it."""

import csv
import io
from functools import cache

import numpy as np

from .. import package_data
from ..errors import InputError
from ..labels import LABELS


@cache
def shares() -> dict[str, np.ndarray]:
    """Histology to the share (26,) of each label's cases that have it, from ``histology.csv``: TCGA's histological
    types, and published frequencies where TCGA leaves the rarer ones out (each row states its source)."""
    found: dict[str, np.ndarray] = {}
    for row in csv.DictReader(io.StringIO(package_data.text("prediction", "histology.csv"))):
        found.setdefault(row["histology"], np.zeros(len(LABELS)))[LABELS.index(row["label"])] = float(row["share"])
    return found


def weights(histology: str) -> np.ndarray:
    """What multiplies the probabilities (26,): by Bayes' rule, the share of each label's cases with this ``histology``.

    Raises ``InputError`` for a histology that is not in the table."""
    known = shares()
    name = " ".join(histology.lower().replace("-", " ").split())
    if name not in known:
        raise InputError(f"histology {histology!r} is not known: choose from {', '.join(known)}")
    return known[name]


def labels(histology: str) -> list[str]:
    """The labels that can have ``histology``, the commonest first."""
    share = weights(histology)
    return [LABELS[i] for i in np.argsort(-share, kind="stable") if share[i] > 0]
