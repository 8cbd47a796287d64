"""Scoring shared out among processes: the same likelihoods, and one clear message when a process fails."""

import numpy as np
import pytest

from cancertype.errors import InputError
from cancertype.labels import LABELS
from cancertype.language_model import loading
from cancertype.scoring import likelihood, sharded
from cancertype.text.prompt import Rendered

CASES = [
    Rendered(f"tumour {burden} mutations\n{', '.join(names)}\ncancer:", tuple(names), 0)
    for burden, names in enumerate(
        [("TP53 R175H", "TTN"), ("KRAS G12D",), ("APC stop", "KRAS G12D", "TP53"), ("BRAF V600E", "NRAS"), ("VHL fs",)]
    )
]
HOW = {"orders": 2, "batch_size": 2}


def test_two_processes_score_as_one(tiny_gemma3):
    """Within 1e-4 nats: cases share passes with others, and float32 sums depend on the padding."""
    whole = likelihood.score_orders(
        loading.load_model(tiny_gemma3), loading.load_tokenizer(tiny_gemma3), CASES, "word", **HOW
    )
    assert whole.shape == (2, len(CASES), len(LABELS))
    for processes in (1, 2):
        shared = sharded.score_orders(tiny_gemma3, CASES, "word", **HOW, processes=processes)
        np.testing.assert_allclose(shared, whole, atol=1e-4)


def test_more_processes_than_cases_are_no_mistake(tiny_gemma3):
    assert sharded.score_orders(tiny_gemma3, CASES[:1], "word", **HOW, processes=2).shape == (2, 1, 26)


def test_what_a_process_cannot_score_is_named(tiny_gemma3):
    long = Rendered("TP53 " * 600, (), 0)
    with pytest.raises(InputError, match=r"process \d of 2 failed: .*the model takes"):
        sharded.score_orders(tiny_gemma3, [*CASES, long], "word", **HOW, processes=2)
