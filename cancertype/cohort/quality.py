"""Which cases are kept: those with a label, within the limits, of labels with enough cases. The rest is counted."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InputError
from ..variants.cases import Dropped
from .hashing import uniform
from .settings import Cohort as Settings

_EXAMPLES = 3


@dataclass(frozen=True)
class Kept:
    """The ``cases`` that remain, and what was ``dropped`` so far, with the reasons."""

    cases: pa.Table
    dropped: list[Dropped]

    def where(self, stays: np.ndarray, reason: str) -> "Kept":
        """The cases that ``stays`` (bool, shape (cases,)) marks; the others are counted under ``reason`` by source."""
        gone = self.cases.filter(pa.array(~stays))
        dropped = []
        for source in sorted(set(gone["source"].to_pylist())):
            ids = sorted(gone.filter(pc.equal(gone["source"], source))["case_id"].to_pylist())
            dropped.append(Dropped(source, "case", reason, len(ids), tuple(ids[:_EXAMPLES])))
        return Kept(self.cases.filter(pa.array(stays)), [*self.dropped, *dropped])


def apply_rules(cases: pa.Table, settings: Settings) -> Kept:
    """The cases that the cohort's rules keep.

    Raises ``InputError`` when no case has one of the 26 labels, and for a label with fewer than
    ``min_cases_per_label`` cases unless ``small_labels`` is "drop"."""
    kept = Kept(cases, []).where(np.array(cases["scope"].to_pylist()) != "unlabelled", "no label")
    kept = kept.where(_within_limits(kept.cases, settings), "over the limit of cases (cohort.max_...)")
    small = _small_labels(kept.cases, settings)
    large_enough = np.array([label not in small for label in kept.cases["label"].to_pylist()])
    return kept.where(large_enough, "label with too few cases")


def _within_limits(cases: pa.Table, settings: Settings) -> np.ndarray:
    """Which cases stay under ``max_cases_per_label`` and ``max_out_of_scope_cases``: those of the smallest hashes."""
    places = [uniform(settings.split_seed + 1, f"limit {patient}") for patient in cases["patient_id"].to_pylist()]
    taken: Counter = Counter()
    stays = np.zeros(cases.num_rows, dtype=bool)
    labels, scopes = cases["label"].to_pylist(), cases["scope"].to_pylist()
    for i in sorted(range(cases.num_rows), key=places.__getitem__):
        out = scopes[i] == "out"
        limit = settings.max_out_of_scope_cases if out else settings.max_cases_per_label
        key = None if out else labels[i]
        if limit is None or taken[key] < limit:
            taken[key] += 1
            stays[i] = True
    return stays


def _small_labels(cases: pa.Table, settings: Settings) -> set[str]:
    """The labels that have too few cases and are to be dropped."""
    counts = Counter(label for label in cases["label"].to_pylist() if label)
    if not counts:
        raise InputError("the cohort is empty: no case has one of the 26 labels. Check the labels of the sources")
    small = {label: n for label, n in counts.items() if n < settings.min_cases_per_label}
    if small and settings.small_labels == "error":
        listed = ", ".join(f"{label} ({n})" for label, n in sorted(small.items()))
        raise InputError(
            f"labels with fewer than cohort.min_cases_per_label = {settings.min_cases_per_label} cases: {listed}. "
            "Add a source that has them, lower the limit, or set cohort.small_labels: drop"
        )
    return set(small)
