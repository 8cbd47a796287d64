"""What the user knows beside the mutations: how frequent the cancers are, and which ones the sex rules out."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..errors import InputError
from ..labels import LABELS
from ..tables import delimited
from ..tables.delimited import TEXT
from . import histology as histologies

OF_ONE_SEX = {"female": ("CESC", "OV", "UCEC"), "male": ("PRAD", "TGCT")}
"""Labels of organs that one sex alone has. Breast cancer is not among them: men get it too."""


def read_prior(path: Path) -> np.ndarray:
    """Label frequencies (26,), summing to 1, from a table of the columns label and share; a label that it leaves out
    has none.

    Raises ``InputError`` with the row for an unknown or repeated label and for a share that is no number from 0 up.
    """
    rows = delimited.read(path, {"label": TEXT, "share": pa.float64()})
    shares: dict[str, float] = {}
    for row, (label, share) in enumerate(zip(rows["label"].to_pylist(), rows["share"].to_pylist(), strict=True), 1):
        where, name = f"{path}: row {row} below the column names", label.strip().upper()
        if name not in LABELS:
            raise InputError(f"{where}: {label!r} is none of the 26 labels ({', '.join(LABELS)}): fix it")
        if name in shares:
            raise InputError(f"{where}: label {name} is there twice: keep one row")
        if share is None or not 0.0 <= share < np.inf:
            raise InputError(f"{where}: the share of {name} is {share}: write a number from 0 up")
        shares[name] = share
    if not sum(shares.values()):
        raise InputError(f"{path} gives no label a share: write a row label,share for each cancer that can occur")
    return frequencies(shares)


def frequencies(shares: Mapping[str, float]) -> np.ndarray:
    """``shares`` of labels as frequencies (26,) that sum to 1; a label that they leave out has none.

    Raises ``InputError`` for an unknown label, and for shares that are negative or all 0."""
    if strange := sorted(set(shares) - set(LABELS)):
        raise InputError(f"prior: {strange[0]!r} is none of the 26 labels ({', '.join(LABELS)})")
    total = sum(shares.values())
    if min(shares.values(), default=0.0) < 0 or not 0.0 < total < np.inf:
        raise InputError("prior: the shares must be numbers from 0 up, and one of them above 0")
    return np.array([shares.get(label, 0.0) / total for label in LABELS])


def label_weights(
    cases: pa.Table,
    training_share: np.ndarray,
    prior: np.ndarray | None = None,
    *,
    rule_out: bool = False,
    histology: str | None = None,
) -> np.ndarray | None:
    """What multiplies the probabilities of each case, (n, 26): ``prior`` (26,) divided by ``training_share`` (26,),
    the share of each label's cases with ``histology``, and with ``rule_out`` 0 for the labels that the case's sex rules
    out (``OF_ONE_SEX``). None where there is none of them. Raises ``InputError`` for an unknown histology."""
    if prior is None and not rule_out and histology is None:
        return None
    ratio = np.ones(len(LABELS)) if prior is None else prior / training_share
    ratio = ratio if histology is None else ratio * histologies.weights(histology)
    weights = np.tile(ratio, (cases.num_rows, 1))
    for row, sex in enumerate(cases["sex"].to_pylist() if rule_out else []):
        for other in set(OF_ONE_SEX) - {sex or ""} if sex else ():
            weights[row, [LABELS.index(label) for label in OF_ONE_SEX[other]]] = 0.0
    return weights
