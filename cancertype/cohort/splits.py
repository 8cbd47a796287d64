"""Which split each case is in, by a hash of its patient, and which cases an experiment leaves out of its splits."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ..errors import InputError
from ..labels import LABELS
from .hashing import uniform
from .settings import Cohort as Settings

SPLITS = ("train", "validation", "test", "out_of_scope")


@dataclass(frozen=True)
class _Group:
    """Cases that must be in one split: the smallest patient id (``key``), its hash (``place``) and the ``labels``."""

    key: str
    place: float
    labels: frozenset[str]


def assign(labels: Sequence[str], patients: Sequence[str], groups: Sequence[int], settings: Settings) -> list[str]:
    """The split of each labelled case: train, validation or test.

    A group's hash against the two fractions decides. The hash is of the group's smallest patient id, so a case stays
    where it is when other cases are added. A label that the hash leaves without a case in a split takes the group
    whose hash is nearest to that split. So small labels are never without a test case, and this choice too depends on
    nothing but the hashes."""
    described = _described(labels, patients, groups, settings.split_seed)
    bounds = _bounds(settings)
    split_of = {
        number: next(name for name, (low, high) in bounds.items() if low <= group.place < high)
        for number, group in described.items()
    }
    for label in LABELS:
        members = [number for number, group in described.items() if label in group.labels]
        _fill_empty_splits(label, members, described, bounds, split_of)
    return [split_of[number] for number in groups]


def _described(labels: Sequence[str], patients: Sequence[str], groups: Sequence[int], seed: int) -> dict[int, _Group]:
    keys: dict[int, str] = {}
    labels_of: dict[int, set[str]] = defaultdict(set)
    for number, patient, label in zip(groups, patients, labels, strict=True):
        keys[number] = min(keys.get(number, patient), patient)
        labels_of[number].add(label)
    return {number: _Group(key, uniform(seed, key), frozenset(labels_of[number])) for number, key in keys.items()}


def _bounds(settings: Settings) -> dict[str, tuple[float, float]]:
    """The interval of hashes that belongs to each split."""
    first, second = settings.test_fraction, settings.test_fraction + settings.validation_fraction
    return {"test": (0.0, first), "validation": (first, second), "train": (second, 1.0)}


def _fill_empty_splits(
    label: str,
    members: Sequence[int],
    groups: dict[int, _Group],
    bounds: dict[str, tuple[float, float]],
    split_of: dict[int, str],
) -> None:
    """Move a group of ``label`` into each split that has none of its ``members``, where another split can spare one."""
    for name, (low, high) in bounds.items():
        counts = Counter(split_of[number] for number in members)
        if counts[name]:
            continue
        spare = [n for n in members if counts[split_of[n]] > 1 and groups[n].labels == {label}]
        if spare:
            distances = {n: max(low - groups[n].place, groups[n].place - high) for n in spare}
            split_of[min(spare, key=lambda n: (distances[n], groups[n].key))] = name


def outside_experiment(cases: pa.Table, groups: Sequence[int], settings: Settings) -> list[tuple[set[str], str]]:
    """Case ids that have a split but take no part in this experiment, with the reason.

    ``cases`` has the column split; ``groups`` has one number per case."""
    columns = (cases[name].to_pylist() for name in ("case_id", "patient_id", "source", "split"))
    rows = list(zip(*columns, groups, strict=True))
    trained_on = {group for *_, split, group in rows if split == "train"}
    allowed = {"train": settings.train_sources, "validation": settings.train_sources, "test": settings.test_sources}
    leaking = {case for case, _, _, split, group in rows if split == "out_of_scope" and group in trained_on}
    elsewhere = {case for case, _, source, split, _ in rows if allowed.get(split) and source not in allowed[split]}
    surplus = {
        case
        for case, patient, _, split, _ in rows
        if split == "train" and uniform(settings.split_seed + 2, f"share {patient}") >= settings.train_share
    }
    return [
        (leaking, "out of scope, and of a patient or profile in the training split"),
        (elsewhere, "of a source that cohort.train_sources or cohort.test_sources leaves out of its split"),
        (surplus, "a training case beyond cohort.train_share"),
    ]


def check(cases: pa.Table, fingerprints: Sequence[str | None]) -> None:
    """Raise ``InputError`` when a patient or a fingerprint is in two of train, validation and test."""
    for what, keys in (("patient", cases["patient_id"].to_pylist()), ("profile", fingerprints)):
        splits_of: dict[str, set[str]] = defaultdict(set)
        for key, split in zip(keys, cases["split"].to_pylist(), strict=True):
            if key is not None and split != "out_of_scope":
                splits_of[key].add(split)
        crossing = sorted(key for key, splits in splits_of.items() if len(splits) > 1)
        if crossing:
            raise InputError(f"{len(crossing)} {what}s are in more than one split, the first being {crossing[0]}")
