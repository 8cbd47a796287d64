"""The parts of a text that training and scoring need too: the answers, and the mutations as a set in any order."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..labels import LABELS, WORDS

SEPARATOR = ", "


@dataclass(frozen=True)
class Rendered:
    """A case as text: the ``prompt``, the ``mutations`` in it (joined by ``SEPARATOR``), and the number ``left_out`` to
    stay within the token budget."""

    prompt: str
    mutations: tuple[str, ...]
    left_out: int


def completions(form: str) -> dict[str, str]:
    """Label to the text of the answer, with the leading space that belongs to its first token. ``form``: "word" or
    "code", as in ``text.completion``."""
    return {label: " " + (WORDS[label] if form == "word" else label) for label in LABELS}


def shuffled(prompt: str, mutations: Sequence[str], rng: random.Random) -> str:
    """The same case with its mutations in another order, because they are a set and not a list."""
    if len(mutations) < 2:
        return prompt
    before = SEPARATOR.join(mutations)
    at = prompt.rindex(before)
    return prompt[:at] + SEPARATOR.join(rng.sample(list(mutations), len(mutations))) + prompt[at + len(before) :]
