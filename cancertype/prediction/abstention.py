"""Why no single answer is given, in words: undecided, a family without its type, or unlike any of the 26."""

import math

import numpy as np

from ..labels import FAMILIES, FAMILY_OF, LABELS, NAMES
from .about import counted

NOTHING_TO_GO_BY = "no informative mutation"

FEW_ALTERATIONS = 10
"""A sample with fewer alterations that the model knows tells too little to say that no cancer fits it."""

_LEADS, _TWO_LEAD = 0.3, 0.5
"""The least probability of the first label, or of the first two together, at which they are named as those that it is
between."""
_FAR_AHEAD = 2.0
"""The first label is the most probable, rather than one of two, where it is so many times as probable as the second."""


def reason(p: np.ndarray, least: float, alterations: int) -> str | None:
    """Why the probabilities ``p`` (26,) give no answer at a threshold of ``least``; None where they give one.

    ``alterations``: how many alterations of the sample the model knows."""
    if p.max() >= least:
        return None
    of_family = {family: sum(p[LABELS.index(label)] for label in _leaves(family)) for family in FAMILIES}
    family = max(of_family, key=of_family.get)
    if len(_leaves(family)) > 1 and of_family[family] >= least:
        parts = " or ".join(f"{label} {_percent(p[LABELS.index(label)], least)}" for label in _leaves(family))
        return f"the family is clear, but not the type: {parts}"
    first, second = np.argsort(-p, kind="stable")[:2]
    a, b = (f"{LABELS[i]} ({NAMES[LABELS[i]]}, {_percent(p[i], least)})" for i in (first, second))
    if p[first] >= _LEADS or p[first] + p[second] >= _TWO_LEAD:
        if p[first] >= _FAR_AHEAD * p[second]:
            return f"undecided: {a} is the most probable, then {b}"
        return f"undecided between {a} and {b}"
    if alterations < FEW_ALTERATIONS:
        known = f"the model knows {counted(alterations, 'alteration') if alterations else 'no alteration'} of it"
        return f"undecided: too little is known of this sample ({known}); the most probable are {a} and {b}"
    return (
        f"unlike any of the 26: the model knows {counted(alterations, 'alteration')} of it, and no cancer fits them; "
        f"the closest are {a} and {b}"
    )


def _percent(p: float, least: float) -> str:
    """``p`` in whole percent. One just below ``least`` is not rounded up to it: 49.6%, where 50% would be an answer."""
    if p < least <= round(100 * p) / 100:
        return f"{math.floor(1000 * p) / 10:.1f}%"
    return f"{100 * p:.0f}%"


def _leaves(family: str) -> list[str]:
    return [label for label in LABELS if FAMILY_OF[label] == family]
