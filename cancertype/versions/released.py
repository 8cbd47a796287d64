"""The table of released versions, which names commits where tags may be missing."""

import csv
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

FILE = "versions.csv"
COLUMNS = ("name", "date", "commit", "cases", "accuracy", "language_model", "trees", "about")


@dataclass(frozen=True)
class Version:
    """A row of the table: the ``commit`` (40 hex digits) whose data, adapter and metrics are called ``name``."""

    name: str
    commit: str
    about: str


def versions(repository: str | Path = ".") -> dict[str, Version]:
    """The released versions by name, as the table in the folder ``repository`` lists them; none without a table.

    Raises ``InputError`` for a table with other columns, a name given twice, or a commit that is not written in full.
    """
    path = Path(repository) / FILE
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise InputError(f"{path}: row 1: the columns must be {','.join(COLUMNS)}")
        found: dict[str, Version] = {}
        for row in rows:
            name, commit = row["name"], row["commit"] or ""
            if name in found:
                raise InputError(f"{path}: row {rows.line_num}, column name: {name} is there twice; remove one of them")
            if len(commit) != 40 or not set(commit) <= set("0123456789abcdef"):
                raise InputError(
                    f"{path}: row {rows.line_num}, column commit: {commit!r} is not a commit's 40 digits; write what "
                    "`git rev-parse HEAD` prints"
                )
            found[name] = Version(name, commit, row["about"])
    return found


def revision_of(name: str, repository: str | Path = ".") -> str:
    """The commit of the released version ``name``; any other name (a tag, a branch, a commit) as it is."""
    version = versions(repository).get(name)
    return version.commit if version else name
