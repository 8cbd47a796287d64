"""Why there is no single answer, in words."""

import numpy as np
import pytest

from cancertype.labels import LABELS
from cancertype.prediction import abstention


def probabilities(**shares: float) -> np.ndarray:
    """The given shares, and the rest spread evenly over the other labels."""
    p = np.full(len(LABELS), (1.0 - sum(shares.values())) / (len(LABELS) - len(shares)))
    for label, share in shares.items():
        p[LABELS.index(label)] = share
    return p


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ({"BRCA": 0.6}, None),
        ({"BRCA": 0.5}, None),
        ({"BRCA": 0.42, "OV": 0.35}, "undecided between BRCA (Breast carcinoma, 42%) and OV (Ovarian carcinoma, 35%)"),
        ({"LGG": 0.3, "GBMLGG": 0.4}, "the family is clear, but not the type: GBMLGG 40% or LGG 30%"),
        ({"KIRC": 0.3, "KIPAN": 0.3, "OV": 0.3}, "the family is clear, but not the type: KIPAN 30% or KIRC 30%"),
        ({"BRCA": 0.3, "OV": 0.3}, "looks like none of the 26: no cancer reaches a probability of 0.5"),
        ({}, "looks like none of the 26: no cancer reaches a probability of 0.5"),
    ],
)
def test_an_abstention_says_which_of_three_things_it_is(shares, says):
    assert abstention.reason(probabilities(**shares), 0.5) == says
