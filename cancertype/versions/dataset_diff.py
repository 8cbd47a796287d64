"""What changed between two versions of the text dataset, case by case and in words."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

import pyarrow as pa

from ..errors import InputError
from ..text.prompt import SEPARATOR
from ..text.rendering import NO_MUTATION

COLUMNS = ("case_id", "source", "label", "prompt", "completion", "mutations")
"""What a version must hold for its cases to be compared; further columns are compared for equality."""

WAYS = {
    "added": "added",
    "removed": "removed",
    "relabelled": "relabelled",
    "moved": "moved to another split",
    "mutations": "with other mutations named",
    "reordered": "with the same mutations in another order",
    "prompt": "with another prompt around the mutations",
    "completion": "with the same label answered in other words",
    "other": "with other values in further columns",
}
"""The ways in which a case can change; it may have changed in several."""

SEEN_AGAIN = {
    "views": ("copy", "Views of training cases"),
    "grid": ("row", "Held-out cases seen through assays"),
}
"""Files that hold cases of other files again, with the column that tells their versions apart, and what they are."""

_COMMONEST = 8
_DERIVED = ("text", "subclass", "left_out")


@dataclass(frozen=True)
class Change:
    """The ``n`` cases that changed in one way, counted ``by`` label, source, split and kind of change, with the first
    few of them in words."""

    n: int
    by: dict[str, dict[str, int]]
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Views:
    """Rows of a file of ``SEEN_AGAIN``: how many there were and are, and how many of them are new, gone or changed."""

    before: int
    after: int
    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class Difference:
    """Cases per split ``before`` and ``after``, columns that were added or removed, and changed cases by ``WAYS``.

    ``rows_reordered`` names the splits and files whose rows are in another order than before. ``views`` has the files
    of ``SEEN_AGAIN`` whose rows differ.
    """

    before: dict[str, int]
    after: dict[str, int]
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    rows_reordered: tuple[str, ...]
    changes: dict[str, Change]
    views: dict[str, Views]

    @property
    def identical(self) -> bool:
        """Whether both versions hold the same splits, views, columns and rows in the same order."""
        changed = self.columns_added or self.columns_removed or self.rows_reordered or self.changes or self.views
        return not changed and self.before == self.after

    def as_json(self) -> dict:
        """The same as plain lists, dicts, strings and numbers."""
        return {"identical": self.identical, **asdict(self)}


def compare(before: Mapping[str, pa.Table], after: Mapping[str, pa.Table], examples: int = 3) -> Difference:
    """What changed from ``before`` to ``after``, both split to table with at least ``COLUMNS``.

    Source and case_id identify a case. At most ``examples`` cases per kind of change are described in words. Files of
    ``SEEN_AGAIN`` are no splits: their rows are counted. Raises InputError when a column is missing or a version
    contains a case twice.
    """
    seen_again = [{name: version[name] for name in SEEN_AGAIN if name in version} for version in (before, after)]
    before, after = ({k: table for k, table in v.items() if k not in SEEN_AGAIN} for v in (before, after))
    old, new = _cases(before, "before"), _cases(after, "after")
    views, reordered_views = _views(*seen_again)
    old_columns, new_columns = ({name for t in v.values() for name in t.column_names} for v in (before, after))
    further = sorted((old_columns & new_columns) - {*COLUMNS})
    changed: dict[str, list[_Changed]] = {way: [] for way in WAYS}
    changed["added"] = [_Changed(case) for key, case in new.items() if key not in old]
    changed["removed"] = [_Changed(case) for key, case in old.items() if key not in new]
    for key, case in old.items():
        if key in new:
            for way, change in _changes(case, new[key], further):
                changed[way].append(change)
    return Difference(
        before={split: table.num_rows for split, table in sorted(before.items())},
        after={split: table.num_rows for split, table in sorted(after.items())},
        columns_added=tuple(sorted(new_columns - old_columns)),
        columns_removed=tuple(sorted(old_columns - new_columns)),
        rows_reordered=(*_reordered(old, new), *reordered_views),
        changes={way: _summary(cases, examples) for way, cases in changed.items() if cases},
        views=views,
    )


def in_words(difference: Difference) -> list[str]:
    """The difference as lines of text."""
    cases = sum(difference.after.values())
    if difference.identical:
        return [f"Identical: {cases} cases ({_listed(difference.after)})."]
    lines = [f"{sum(difference.before.values())} cases before, {cases} after."]
    for split in sorted({*difference.before, *difference.after}):
        numbers = [str(version.get(split, "no such file")) for version in (difference.before, difference.after)]
        lines.append(f"  {split}: " + (numbers[0] if numbers[0] == numbers[1] else " -> ".join(numbers)))
    for verb, columns in (("added", difference.columns_added), ("removed", difference.columns_removed)):
        if columns:
            lines.append(f"Columns {verb}: {', '.join(columns)}.")
    for way, change in difference.changes.items():
        lines.append(f"{change.n} {'case' if change.n == 1 else 'cases'} {WAYS[way]}:")
        lines += [f"  by {what}: {_listed(counts)}" for what, counts in change.by.items()]
        lines += [f"  e.g. {example}" for example in change.examples]
    for name, rows in difference.views.items():
        what, counts = SEEN_AGAIN[name][1], f"{rows.added} added, {rows.removed} removed, {rows.changed} changed"
        lines.append(f"{what}: {rows.before} before, {rows.after} after ({counts}).")
    if difference.rows_reordered:
        lines.append(f"Cases in another order: {', '.join(difference.rows_reordered)}.")
    return lines


# --- One case ---


@dataclass(frozen=True)
class _Changed:
    """One changed case, in words what it ``became``, and what is counted beside its label, source and split."""

    case: dict
    became: str = ""
    kinds: tuple[tuple[str, str], ...] = ()


def _changes(old: dict, new: dict, further: Iterable[str]) -> Iterator[tuple[str, _Changed]]:
    if old["label"] != new["label"]:
        became = f"{old['label'] or 'no label'} -> {new['label'] or 'no label'}"
        yield "relabelled", _Changed(new, became, (("change", became),))
    elif old["completion"] != new["completion"]:
        became = f'"{old["completion"]}" -> "{new["completion"]}"'
        yield "completion", _Changed(new, became, (("answer", became),))
    if old["split"] != new["split"]:
        became = f"{old['split']} -> {new['split']}"
        yield "moved", _Changed(new, became, (("change", became),))
    lost, gained = (
        [m for m in one["mutations"] if m not in {*other["mutations"]}] for one, other in ((old, new), (new, old))
    )
    if lost or gained:
        named = " ".join([*(f"+{m}" for m in gained), *(f"-{m}" for m in lost)])
        kinds = (*(("mutation gained", m) for m in gained), *(("mutation lost", m) for m in lost))
        yield "mutations", _Changed(new, named, kinds)
    elif old["mutations"] != new["mutations"]:
        yield "reordered", _Changed(new, f"{SEPARATOR.join(old['mutations'])} -> {SEPARATOR.join(new['mutations'])}")
    around = [_around_mutations(case) for case in (old, new)]
    if around[0] != around[1]:
        yield "prompt", _Changed(new, _first_difference(*around))
    differ = [name for name in further if old.get(name) != new.get(name)]
    # These follow from label, prompt, completion and mutations, so on their own they say nothing new.
    if old["prompt"] != new["prompt"] or old["completion"] != new["completion"] or old["label"] != new["label"]:
        differ = [name for name in differ if name not in _DERIVED]
    if differ:
        yield "other", _Changed(new, ", ".join(differ), tuple(("column", name) for name in differ))


def _around_mutations(case: dict) -> str:
    """The prompt without its mutations."""
    named = SEPARATOR.join(case["mutations"] or ()) or NO_MUTATION
    before, _, after = case["prompt"].rpartition(named)
    return f"{before}[mutations]{after}"


def _first_difference(old: str, new: str) -> str:
    """The first line that differs, as it was and as it is."""
    old_lines, new_lines = old.split("\n"), new.split("\n")
    shared = min(len(old_lines), len(new_lines))
    at = next((i for i in range(shared) if old_lines[i] != new_lines[i]), shared)
    was, now = ("\n".join(lines[at : at + 1]) or "nothing" for lines in (old_lines, new_lines))
    return f'line {at + 1}: "{was}" -> "{now}"'


# --- Both versions ---


def _cases(version: Mapping[str, pa.Table], which: str) -> dict[tuple[str, str], dict]:
    """(source, case_id) to the case's row with its split, in the order of splits and rows."""
    cases: dict[tuple[str, str], dict] = {}
    for split, table in sorted(version.items()):
        missing = [name for name in COLUMNS if name not in table.column_names]
        if missing:
            raise InputError(
                f"{split} of the version {which} lacks the column {', '.join(missing)}: it is no text dataset of this "
                "project, whose stage to_text writes it"
            )
        for row in table.to_pylist():
            key = (row["source"], row["case_id"])
            if key in cases:
                raise InputError(
                    f"case {key[1]} of {key[0]} is in the version {which} twice ({cases[key]['split']} and {split})"
                    ": compare versions that contain each case once"
                )
            cases[key] = row | {"split": split, "mutations": row["mutations"] or []}
    return cases


def _views(before: Mapping[str, pa.Table], after: Mapping[str, pa.Table]) -> tuple[dict[str, Views], list[str]]:
    """The files whose rows differ, and the names of those that hold the same rows in another order."""
    differ, reordered = {}, []
    for name, (column, _) in SEEN_AGAIN.items():
        old, new = (_rows(version[name], column) if name in version else {} for version in (before, after))
        changed = sum(new[key] != row for key, row in old.items() if key in new)
        counted = Views(len(old), len(new), len(new.keys() - old.keys()), len(old.keys() - new.keys()), changed)
        if counted.added or counted.removed or counted.changed:
            differ[name] = counted
        elif list(old) != list(new):
            reordered.append(name)
    return differ, reordered


def _rows(table: pa.Table, column: str) -> dict[tuple, dict]:
    """The rows by source, case and ``column``."""
    return {(row["source"], row["case_id"], row[column]): row for row in table.to_pylist()}


def _reordered(old: dict, new: dict) -> Iterator[str]:
    """Splits in which the cases that both versions have are in another order."""
    common = [{key: case["split"] for key, case in version.items()} for version in (old, new)]
    stayed = {key for key, split in common[0].items() if common[1].get(key) == split}
    orders = [[(split, key) for key, split in version.items() if key in stayed] for version in common]
    for split in sorted({split for split, _ in orders[0]}):
        before, after = ([key for s, key in order if s == split] for order in orders)
        if before != after:
            yield split


def _summary(changed: list[_Changed], examples: int) -> Change:
    by: dict[str, Counter] = {}
    for kind, value in (pair for one in changed for pair in one.kinds):
        by.setdefault(kind, Counter())[value] += 1
    fields: dict[str, Callable[[dict], str]] = {
        "label": lambda case: case["label"] or "no label",
        "source": lambda case: case["source"],
        "split": lambda case: case["split"],
    }
    for name, field in fields.items():
        by[name] = Counter(field(one.case) for one in changed)
    return Change(
        n=len(changed),
        by={name: dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))) for name, counts in by.items()},
        examples=tuple(_in_one_line(one) for one in changed[:examples]),
    )


def _in_one_line(changed: _Changed) -> str:
    case = changed.case
    name = f"{case['case_id']} ({case['source']}, {case['label'] or 'no label'}, {case['split']})"
    return f"{name}: {changed.became}" if changed.became else name


def _listed(counts: Mapping[str, int]) -> str:
    """The most frequent ones, and how many more there are."""
    shown = ", ".join(f"{name} {n}" for name, n in list(counts.items())[:_COMMONEST])
    return shown + (f" and {len(counts) - _COMMONEST} more" if len(counts) > _COMMONEST else "")
