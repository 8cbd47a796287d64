"""Rows of small and middle-sized text tables as the many tools for copy number and fusions write them.

``delimited`` streams columns of a known name and type. Here the layout is not known yet: comments of several kinds, a
header that begins with ``#``, tabs, commas or blanks, quotes, and R's unnamed column of row names are all accepted.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from ..errors import InputError
from . import delimited


@dataclass(frozen=True)
class TextTable:
    """A table whose header has been read: ``names`` of the columns, the ``comments`` above them, the header's ``line``
    (from 1), and the rows still to come."""

    path: Path
    names: tuple[str, ...]
    comments: tuple[str, ...]
    line: int
    _rows: Iterator[tuple[int, list[str]]] = field(repr=False)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line number and fields (as many as ``names``, stripped) of each row. They can be read once.

        Raises ``InputError`` with file and line for a row of another width.
        """
        for number, fields in self._rows:
            if len(fields) != len(self.names):
                raise InputError(
                    f"{self.path}: line {number}: {len(fields)} fields where {len(self.names)} columns are named: "
                    "fix or remove the row"
                )
            yield number, fields

    def named(self, names: Sequence[str]) -> "TextTable":
        """The same table with ``names`` for its columns, for a file without a header: its first line is a row."""
        rows = chain([(self.line, list(self.names))], self._rows)
        return TextTable(self.path, tuple(names), self.comments, self.line - 1, rows)

    def peeked(self) -> tuple[list[str], "TextTable"]:
        """The fields of the first row (none where there is no row), and the same table with all its rows."""
        first = next(self._rows, None)
        rows = chain([] if first is None else [first], self._rows)
        return ([] if first is None else first[1]), TextTable(self.path, self.names, self.comments, self.line, rows)

    def keys(self) -> tuple[str, ...]:
        """The names to compare by: small letters and digits only, so that ``loc.start`` and ``Loc_Start`` agree."""
        return tuple(key(name) for name in self.names)


def key(name: str) -> str:
    """``name`` in small letters, without anything but letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def open_table(path: Path) -> TextTable:
    """Read up to the header of ``path``. Raises ``InputError`` when it has none or is not text."""
    lines = delimited.lines(path, f"reading {path.name}")
    comments: list[str] = []
    for number, line in lines:
        if not line.strip():
            continue
        if _is_comment(line):
            comments.append(line)
            continue
        if line.lstrip().lower().startswith(("<!doctype", "<html", "<?xml")):
            raise InputError(f"{path}: line {number} holds a web page and not a table: fetch the file by hand")
        text = line.removeprefix("#")
        delimiter = _delimiter(text)
        quoted = '"' in text or delimiter in (",", ";")
        names = _split(text, delimiter, quoted, path, number)
        rows = ((n, _split(row, delimiter, quoted, path, n)) for n, row in lines if row.strip())
        names, rows = _with_row_names(names, rows)
        return TextTable(path, tuple(names), tuple(comments), number, rows)
    raise InputError(f"{path}: no line names the columns: the file is empty or cut short, fetch it again")


def _is_comment(line: str) -> bool:
    """SAM's header lines (GATK), ``##`` lines, and lines that begin with ``#`` and hold no tab."""
    if line.startswith("#"):
        return line.startswith("##") or "\t" not in line
    return bool(re.match(r"@(HD|SQ|RG|PG|CO)\t", line))


def _delimiter(text: str) -> str | None:
    best = max("\t,;", key=text.count)
    return best if text.count(best) else None


def _split(text: str, delimiter: str | None, quoted: bool, path: Path, number: int) -> list[str]:
    if delimiter is None:
        return [part.strip("\"'") for part in text.split()]
    if not quoted and '"' not in text:
        parts = text.split(delimiter)
        return [part.strip() for part in parts] if " " in text else parts
    try:
        return [part.strip() for part in next(csv.reader([text], delimiter=delimiter))]
    except csv.Error as error:
        raise InputError(f"{path}: line {number}: not readable as a row ({error}): fix or remove the line") from error


def _with_row_names(
    names: list[str], rows: Iterator[tuple[int, list[str]]]
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """R writes row names without a name for their column: then every row has one field more than the header."""
    first = next(rows, None)
    if first is None:
        return names, iter(())
    return (["", *names] if len(first[1]) == len(names) + 1 else names), chain([first], rows)
