"""Why no single answer is given, in words: between two, a family without its type, or unlike any of the 26."""

import numpy as np

from ..labels import FAMILIES, FAMILY_OF, LABELS, NAMES

NOTHING_TO_GO_BY = "no informative mutation"
_BETWEEN_TWO = 0.7
"""The least probability that two labels must share to be named as the two that it is between."""


def reason(p: np.ndarray, least: float) -> str | None:
    """Why the probabilities ``p`` (26,) give no answer at a threshold of ``least``; None where they give one."""
    if p.max() >= least:
        return None
    of_family = {family: sum(p[LABELS.index(label)] for label in _leaves(family)) for family in FAMILIES}
    family = max(of_family, key=of_family.get)
    if len(_leaves(family)) > 1 and of_family[family] >= least:
        parts = " or ".join(f"{label} {100 * p[LABELS.index(label)]:.0f}%" for label in _leaves(family))
        return f"the family is clear, but not the type: {parts}"
    first, second = np.argsort(-p, kind="stable")[:2]
    if p[first] + p[second] >= _BETWEEN_TWO:
        named = " and ".join(f"{LABELS[i]} ({NAMES[LABELS[i]]}, {100 * p[i]:.0f}%)" for i in (first, second))
        return f"undecided between {named}"
    return f"looks like none of the 26: no cancer reaches a probability of {least:g}"


def _leaves(family: str) -> list[str]:
    return [label for label in LABELS if FAMILY_OF[label] == family]
