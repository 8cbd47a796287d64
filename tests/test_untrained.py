"""The comparison with a model that was never trained on tumours."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks import untrained
from cancertype.labels import LABELS, WORDS


def cases(split: str, n: int) -> pd.DataFrame:
    rows = [{"label": LABELS[i % 26], "prompt": f"tumour list\n{split} {i}\ncancer:"} for i in range(n)]
    return pd.DataFrame(rows)


def test_the_question_names_every_cancer_and_ends_before_the_answer():
    asked = untrained.question([("tumour list\nVHL S65*\ncancer:", "renal")], "tumour list\nBRAF V600E\ncancer:")
    assert all(f"{word} (" in asked for word in WORDS.values())
    assert "VHL S65*\ncancer: renal\n\n" in asked and asked.endswith("BRAF V600E\ncancer:")


def test_solved_cases_are_of_as_many_cancers_as_there_are():
    rng = np.random.default_rng(0)
    assert {word for _, word in untrained.drawn(cases("train", 260), 26, rng)} == set(WORDS.values())
    assert untrained.drawn(cases("train", 260), 0, rng) == []


def test_calibration_takes_away_what_the_model_says_of_nothing():
    y, liked = np.arange(26), np.zeros((1, 26))
    liked[0, 3] = 9.0
    found = untrained.measured(4.0 * np.eye(26) + liked, liked, y)
    assert found["calibrated"]["accuracy"] == 1.0
    assert found["as they are"]["accuracy"] == pytest.approx(1 / 26, abs=1e-3)


def test_a_base_is_asked_from_the_command_line(tiny_gemma3, tmp_path, monkeypatch, capsys):
    for split in ("train", "test"):
        cases(split, 52).to_parquet(tmp_path / f"{split}.parquet")
    # The tiny model takes 512 tokens, and its tokenizer needs more of them for the names of all cancers.
    monkeypatch.setattr(untrained, "NAMES", dict.fromkeys(LABELS, "x"))
    options = ["--text", str(tmp_path), "--model", str(tiny_gemma3), "--cases", "8", "--shots", "0", "2"]
    monkeypatch.setattr(sys, "argv", ["untrained", *options])
    untrained.main()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["shots"], line["cases"]) for line in lines] == [(0, 8), (2, 8)]
    assert all(0.0 <= line["calibrated"]["accuracy"] <= 1.0 for line in lines)
