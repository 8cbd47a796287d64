"""Why there is no single answer, in words."""

import numpy as np
import pytest

from cancertype.labels import LABELS
from cancertype.prediction import abstention, inputs
from cancertype.prediction.predictor import Predictor

BRCA, OV = "BRCA (Breast carcinoma, {})", "OV (Ovarian carcinoma, {})"


def probabilities(**shares: float) -> np.ndarray:
    """The given shares, and the rest spread evenly over the other labels."""
    p = np.full(len(LABELS), (1.0 - sum(shares.values())) / (len(LABELS) - len(shares)))
    for label, share in shares.items():
        p[LABELS.index(label)] = share
    return p


@pytest.mark.parametrize("alterations", [2, 50])
@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ({"BRCA": 0.6}, None),
        ({"BRCA": 0.5}, None),
        ({"BRCA": 0.42, "OV": 0.35}, f"undecided between {BRCA.format('42%')} and {OV.format('35%')}"),
        ({"BRCA": 0.3, "OV": 0.25}, f"undecided between {BRCA.format('30%')} and {OV.format('25%')}"),
        ({"OV": 0.27, "BRCA": 0.26}, f"undecided between {OV.format('27%')} and {BRCA.format('26%')}"),
        ({"OV": 0.4, "BRCA": 0.1}, f"undecided: {OV.format('40%')} is the most probable, then {BRCA.format('10%')}"),
        (
            {"OV": 0.4996, "BRCA": 0.1},
            f"undecided: {OV.format('49.9%')} is the most probable, then {BRCA.format('10%')}",
        ),
        ({"LGG": 0.3, "GBMLGG": 0.4}, "the family is clear, but not the type: GBMLGG 40% or LGG 30%"),
        ({"KIRC": 0.3, "KIPAN": 0.3, "OV": 0.3}, "the family is clear, but not the type: KIPAN 30% or KIRC 30%"),
    ],
)
def test_what_leads_is_named_however_much_is_known(shares, says, alterations):
    assert abstention.reason(probabilities(**shares), 0.5, alterations) == says


def test_a_flat_answer_of_few_alterations_says_that_too_little_is_known():
    flat = probabilities(OV=0.12, BRCA=0.1)
    assert abstention.reason(flat, 0.5, 2) == (
        "undecided: too little is known of this sample (the model knows 2 alterations of it); the most probable are "
        f"{OV.format('12%')} and {BRCA.format('10%')}"
    )
    assert "no alteration of it" in abstention.reason(flat, 0.5, 0)
    assert "1 alteration of it" in abstention.reason(flat, 0.5, 1)


def test_a_flat_answer_of_many_alterations_is_unlike_any_of_the_26():
    assert abstention.reason(probabilities(OV=0.12, BRCA=0.1), 0.5, 10) == (
        "unlike any of the 26: the model knows 10 alterations of it, and no cancer fits them; the closest are "
        f"{OV.format('12%')} and {BRCA.format('10%')}"
    )


def test_two_mutations_that_tell_nothing_are_too_little_rather_than_unlike_any_of_the_26(published):
    found = inputs.read("TTN A5V, MUC16 A5V")
    (reason,) = Predictor.from_pretrained(published, fast=True).predict(found.tables).abstains
    assert reason.startswith("undecided"), reason
    assert "2 alterations" in reason or "between" in reason
