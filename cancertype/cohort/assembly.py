"""From the sources' tables to one cohort: who is kept, who is the same person, and which split each case is in."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InputError
from ..labels import LABELS
from ..tables.columns import codes, distinct
from ..variants.cases import Dropped, SourceTables
from .settings import Cohort as Settings

SPLITS = ("train", "validation", "test", "out_of_scope")


@dataclass(frozen=True)
class Cohort:
    """``cases`` (the schema ``CASES`` and ``split``, sorted by source and case_id), the ``profiles`` of each, their
    ``variants``, and what was left out."""

    cases: pa.Table
    profiles: list[str | None]
    variants: pa.Table
    dropped: list[Dropped]


def uniform(seed: int, key: str) -> float:
    """A number in [0, 1) that depends on ``seed`` and ``key`` alone, the same on every machine."""
    digest = hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def profiles(cases: pa.Table, variants: pa.Table) -> list[str | None]:
    """A fingerprint of each case's set of (gene, protein change), None for a case without a variant.

    Two cases of one fingerprint carry the same mutations: the same tumour under two names, or nothing to tell them
    apart."""
    case_codes, names = codes(variants["case_id"])
    gene_codes, genes = codes(variants["gene"])
    change_codes, changes = codes(variants["protein_change"])
    # A set: a row given twice counts once. 64 bits hold a million cases of 60,000 genes and a hundred million changes.
    per_case = max(len(genes) * len(changes), 1)
    keys = distinct(case_codes.astype(np.int64) * per_case + gene_codes.astype(np.int64) * len(changes) + change_codes)
    rows, pairs = np.divmod(keys, per_case)
    sums = np.zeros(len(names), dtype=np.uint64)
    np.add.at(sums, rows, _scattered(pairs.astype(np.uint64)))
    sizes = np.bincount(rows, minlength=len(names))
    of_case = {name: f"{size}:{total:016x}" for name, size, total in zip(names, sizes, sums, strict=True) if size}
    return [of_case.get(case_id) for case_id in cases["case_id"].to_pylist()]


def _scattered(keys: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea & Flood, 2014): one to one, and sums of it collide by chance only."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _groups(patients: list[str], fingerprints: list[str | None]) -> list[int]:
    """Cases joined by a shared patient or a shared profile get one group number (union-find)."""
    parent = list(range(len(patients)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[tuple[str, str], int] = {}
    for i, keys in enumerate(zip(patients, fingerprints, strict=True)):
        for key in (("patient", keys[0]), ("profile", keys[1])):
            if key[1] is not None:
                parent[root(i)] = root(first.setdefault(key, i))
    return [root(i) for i in range(len(patients))]


def _splits(labels: list[str], patients: list[str], groups: list[int], settings: Settings) -> list[str]:
    """The split of each case: the group's hash against the two fractions, then the rule for small labels.

    The hash is of the group's smallest patient id, so a case stays where it is when other cases come. A label that the
    hash leaves without a case in a split takes for it the group whose hash lies nearest to that split: small labels
    are never without a test case, and the choice, too, depends on nothing but the hashes."""
    key_of: dict[int, str] = {}
    for group, patient in zip(groups, patients, strict=True):
        key_of[group] = min(key_of.get(group, patient), patient)
    u = {group: uniform(settings.split_seed, key) for group, key in key_of.items()}
    bounds = {
        "test": (0.0, settings.test_fraction),
        "validation": (settings.test_fraction, settings.test_fraction + settings.validation_fraction),
        "train": (settings.test_fraction + settings.validation_fraction, 1.0),
    }
    split_of = {g: next(name for name, (low, high) in bounds.items() if low <= x < high) for g, x in u.items()}
    labels_of: dict[int, set[str]] = defaultdict(set)
    for label, group in zip(labels, groups, strict=True):
        labels_of[group].add(label)
    for label in LABELS:
        members = sorted({g for g, own in zip(groups, labels, strict=True) if own == label})
        for name, (low, high) in bounds.items():
            counts = Counter(split_of[g] for g in members)
            if counts[name] or not members:
                continue
            spare = [g for g in members if counts[split_of[g]] > 1 and labels_of[g] == {label}]
            if spare:
                nearest = min(spare, key=lambda g: (max(low - u[g], u[g] - high), key_of[g]))
                split_of[nearest] = name
    return [split_of[group] for group in groups]


def _limited(cases: pa.Table, settings: Settings) -> np.ndarray:
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


def assemble(tables: list[SourceTables], settings: Settings) -> Cohort:
    """Join the sources, apply the cohort's rules and split by patient.

    Cases without a label are dropped and counted; cases of cancers that are none of the 26 are kept in the split "out
    of scope", for evaluation only. Raises ``InputError`` for an empty cohort, for a case id that two sources share,
    and for a label with fewer than ``min_cases_per_label`` cases unless ``small_labels`` is "drop"."""
    cases = pa.concat_tables([t.cases for t in tables]) if tables else None
    dropped = [d for t in tables for d in t.dropped]
    if cases is None or cases.num_rows == 0:
        raise InputError("the cohort is empty: no source gave a case. Check data.sources and the locations beside it")
    twice = [name for name, n in Counter(cases["case_id"].to_pylist()).items() if n > 1]
    if twice:
        raise InputError(
            f"{len(twice)} case ids come from more than one source, the first being {twice[0]}: rename one of them"
        )

    def drop(table: pa.Table, stays: np.ndarray, reason: str) -> pa.Table:
        gone = table.filter(pa.array(~stays))
        for source in sorted(set(gone["source"].to_pylist())):
            ids = gone.filter(pc.equal(gone["source"], source))["case_id"].to_pylist()
            dropped.append(Dropped(source, "case", reason, len(ids), tuple(sorted(ids)[:3])))
        return table.filter(pa.array(stays))

    cases = drop(cases, np.array(cases["scope"].to_pylist()) != "unlabelled", "no label")
    cases = drop(cases, _limited(cases, settings), "over the limit of cases (cohort.max_...)")
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
    cases = drop(
        cases, np.array([label not in small for label in cases["label"].to_pylist()]), "label with too few cases"
    )

    cases = cases.take(pc.sort_indices(cases, [("source", "ascending"), ("case_id", "ascending")]))
    variants = pa.concat_tables([t.variants for t in tables]).unify_dictionaries()
    rows, names = codes(variants["case_id"])
    kept = set(cases["case_id"].to_pylist())
    variants = variants.filter(pa.array(np.array([name in kept for name in names] or [False])[rows]))

    fingerprints = profiles(cases, variants)
    patients = cases["patient_id"].to_pylist()
    inside = [i for i, label in enumerate(cases["label"].to_pylist()) if label]
    # Out-of-scope cases take part in the grouping: a patient with a tumour of each kind must not be trained on and
    # tested.
    groups = _groups(patients, fingerprints)
    of_inside = _splits(
        [cases["label"][i].as_py() for i in inside],
        [patients[i] for i in inside],
        [groups[i] for i in inside],
        settings,
    )
    splits = ["out_of_scope"] * cases.num_rows
    for i, split in zip(inside, of_inside, strict=True):
        splits[i] = split
    cases = cases.append_column("split", pa.array(splits))
    for left_out, reason in _beside_the_question(cases, groups, settings):
        gone = np.isin(np.array(cases["case_id"].to_pylist()), left_out)
        fingerprints = [f for f, out in zip(fingerprints, gone, strict=True) if not out]
        cases = drop(cases, ~gone, reason)
    check_splits(cases, fingerprints)
    return Cohort(cases, fingerprints, variants, dropped)


def _beside_the_question(cases: pa.Table, groups: list[int], settings: Settings) -> list[tuple[list[str], str]]:
    """Case ids that have their split but no part in this experiment, with the reason."""
    rows = list(zip(*(cases[c].to_pylist() for c in ("case_id", "patient_id", "source", "split")), groups, strict=True))
    trained_on = {group for *_, split, group in rows if split == "train"}
    allowed = {
        "train": settings.train_sources,
        "validation": settings.train_sources,
        "test": settings.test_sources,
    }
    leaking = [c for c, _, _, split, group in rows if split == "out_of_scope" and group in trained_on]
    elsewhere = [c for c, _, source, split, _ in rows if allowed.get(split) and source not in allowed[split]]
    surplus = [
        case_id
        for case_id, patient, _, split, _ in rows
        if split == "train" and uniform(settings.split_seed + 2, f"share {patient}") >= settings.train_share
    ]
    return [
        (leaking, "out of scope, and of a patient or profile in the training split"),
        (elsewhere, "of a source that cohort.train_sources or cohort.test_sources leaves out of its split"),
        (surplus, "a training case beyond cohort.train_share"),
    ]


def check_splits(cases: pa.Table, fingerprints: list[str | None]) -> None:
    """Raise ``InputError`` when a patient or a profile is in two of train, validation and test."""
    for what, keys in (("patient", cases["patient_id"].to_pylist()), ("profile", fingerprints)):
        splits_of: dict[str, set[str]] = defaultdict(set)
        for key, split in zip(keys, cases["split"].to_pylist(), strict=True):
            if key is not None and split != "out_of_scope":
                splits_of[key].add(split)
        crossing = sorted(key for key, splits in splits_of.items() if len(splits) > 1)
        if crossing:
            raise InputError(f"{len(crossing)} {what}s are in more than one split, the first being {crossing[0]}")
