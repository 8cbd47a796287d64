"""Drawing the gene fusions of one simulated case: the known ones of its label, and others that say nothing."""

from functools import cache

import numpy as np

from ..alterations.known_fusions import in_usual_order, is_known_fusion
from ..package_data import rows as rows_of
from .figures import current_symbols

_BY_CHANCE = 1.5
"""How many other fusions a case has on average. It is the same for every label, because the number depends on the RNA
and its caller more than on the cancer."""

Fusion = tuple[str, str]
"""The 5' and the 3' gene, under their current symbols."""


@cache
def _known(label: str) -> tuple[list[Fusion], np.ndarray]:
    """The known fusions of a label and their cumulative shares."""
    rows = [row for row in rows_of("simulator", "fusion_frequency.csv") if row["label"] == label]
    pairs = [(row["five_prime"], row["three_prime"]) for row in rows]
    return pairs, np.cumsum([float(row["share"]) for row in rows])


@cache
def _partners() -> tuple[str, ...]:
    """The genes that fuse by chance."""
    return tuple(sorted(set(current_symbols())))


def draw(rng: np.random.Generator, label: str, *, at_least_one: bool = False) -> list[Fusion]:
    """The fusions of one case of ``label``: at most one known fusion, and some between genes at random.

    With ``at_least_one`` there is always one at random: in DepMap's file, a line without any fusion is not to be told
    from one whose RNA was not sequenced."""
    known, cumulative = _known(label)
    place = int(np.searchsorted(cumulative, rng.random(), side="right"))
    found = known[place : place + 1]
    partners = _partners()
    for _ in range(rng.poisson(_BY_CHANCE) + at_least_one):
        one, other = (partners[i] for i in rng.choice(len(partners), 2, replace=False))
        if not is_known_fusion(one, other):
            found.append(in_usual_order(one, other))
    return found
