"""The answers that a model gave where it was released, to compare with those that it gives here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import write_json
from ..labels import LABELS
from .inputs import read_texts
from .predictor import Predictor

STORED = "answers.json"
TOLERANCE = 0.01
"""How far a probability may be from the stored one. Other processors and library versions sum in another order, which
moves probabilities by less than 0.001; a wrong file moves some by far more."""


@dataclass(frozen=True)
class Compared:
    """One text: the most probable ``label`` with its ``stored`` probability and the one found ``here``, and the largest
    ``difference`` of any label's."""

    name: str
    text: str
    label: str
    stored: float
    here: float
    difference: float


def write(folder: Path, predictor: Predictor, texts: Mapping[str, str]) -> None:
    """Write the predictor's answers to ``texts`` (name to mutations) into ``folder``."""
    p = _answers(predictor, texts)
    each = [
        {"name": name, "text": text, "probabilities": dict(zip(LABELS, np.round(row, 6).tolist(), strict=True))}
        for (name, text), row in zip(texts.items(), p, strict=True)
    ]
    write_json(folder / STORED, {"tolerance": TOLERANCE, "answers": each})


def compare(folder: Path, predictor: Predictor) -> list[Compared]:
    """The stored answers of ``folder`` beside those that ``predictor`` gives now, the largest difference first.

    Raises ``InputError`` where the folder holds no stored answers, or damaged ones."""
    path = folder / STORED
    try:
        each = json.loads(path.read_text(encoding="utf-8"))["answers"]
        texts = {one["name"]: one["text"] for one in each}
        stored = np.array([[one["probabilities"][label] for label in LABELS] for one in each], float)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: this model was released without stored answers") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}): get the model again") from error
    here = _answers(predictor, texts)
    difference, first = abs(here - stored).max(axis=1), stored.argmax(axis=1)
    found = [
        Compared(name, text, LABELS[at], float(stored[row, at]), float(here[row, at]), float(difference[row]))
        for row, ((name, text), at) in enumerate(zip(texts.items(), first.tolist(), strict=True))
    ]
    return sorted(found, key=lambda one: -one.difference)


def _answers(predictor: Predictor, texts: Mapping[str, str]) -> np.ndarray:
    found = read_texts(texts, predictor.config.cohort)
    p = predictor.predict(found.tables, progress=False).p
    place = {name: row for row, name in enumerate(found.tables.cases["case_id"].to_pylist())}
    return p[[place[name] for name in texts]]
