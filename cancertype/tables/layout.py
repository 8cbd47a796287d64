"""Layouts of raw files: which columns a file of one kind has, under which names, declared once for all who need it."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ..errors import InputError
from .delimited import TEXT, DelimitedFile


@dataclass(frozen=True)
class Column:
    """One column of a layout: its ``names`` in the wild, the preferred first, and the ``kind`` to read it as.

    ``required`` columns are needed by every reader, those ``for_training`` by the pipeline as well. Of columns that
    are there under several names, ``only_one``, the preferred, is read.
    """

    names: tuple[str, ...]
    kind: pa.DataType = field(default=TEXT)
    required: bool = False
    for_training: bool = False
    only_one: bool = False


@dataclass(frozen=True)
class Layout:
    """A kind of file: its ``name`` as people call it, and its ``columns`` by the role that each plays for a reader."""

    name: str
    columns: Mapping[str, Column]

    def present(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Role to those of ``names`` that play it, the preferred first; roles without a column are left out.

        Capitals, blanks and punctuation in a name count only where two columns differ in nothing else.
        """
        spelt = {}
        for name in names:
            spelt.setdefault(plain(name), name)
        exact = set(names)
        roles: dict[str, list[str]] = {}
        for role, column in self.columns.items():
            known = [name if name in exact else spelt.get(plain(name)) for name in column.names]
            if of_role := list(dict.fromkeys(filter(None, known))):
                roles[role] = of_role
        return roles

    def needs(self, *, training: bool = False) -> tuple[tuple[str, ...], ...]:
        """The names of each column that a reader (or the ``training`` pipeline) cannot do without."""
        return tuple(c.names for c in self.columns.values() if c.required or (training and c.for_training))

    def lacking(self, names: Sequence[str], *, training: bool = False) -> list[tuple[str, ...]]:
        """Those of ``needs`` that ``names`` has under none of their names."""
        present = {plain(name) for name in names}
        return [each for each in self.needs(training=training) if present.isdisjoint(map(plain, each))]

    def check(self, file: DelimitedFile, *, training: bool = False) -> None:
        """Raise ``InputError`` with the line unless ``file`` has every needed column."""
        for names in self.lacking(file.names, training=training):
            shown = ", ".join(file.names[:8]) + (", ..." if len(file.names) > 8 else "")
            what = f"no column {names[0]}" if len(names) == 1 else f"none of the columns {', '.join(names)}"
            raise InputError(
                f"{file.path}: line {file.header.line}: {what} among {len(file.names)} ({shown}): add or rename one"
            )


def plain(name: str) -> str:
    """A column's name without capitals, accents, blanks and punctuation."""
    if not name.isascii():
        name = unicodedata.normalize("NFKD", name)
    return re.sub(r"[^a-z0-9]", "", name.lower())
