"""Text for Markdown: what a source, a label or a parameter says stays text and becomes no link, HTML or table cell."""

import re
from collections.abc import Sequence

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~!&$])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def plain(text: object) -> str:
    """``text`` on one line, with Markdown's own characters escaped. None is a dash."""
    if text is None:
        return "–"
    one_line = " ".join(_CONTROL.sub(" ", str(text)).split())
    return _SPECIAL.sub(r"\\\1", one_line)


class Raw(str):
    """Markdown of our own making, such as inline code or bold text, which ``row`` leaves as it is."""


def code(text: object) -> Raw:
    """``text`` as inline code, in more backquotes than it holds itself."""
    one_line = " ".join(_CONTROL.sub(" ", str(text)).split())
    fence = "`" * (1 + max(map(len, re.findall("`+", one_line)), default=0))
    space = " " if one_line.startswith("`") or one_line.endswith("`") else ""
    return Raw(f"{fence}{space}{one_line}{space}{fence}")


def block(text: str, language: str) -> str:
    """``text`` as a fenced block that no line of it can close."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def row(cells: Sequence[object]) -> str:
    """One row of a table. A cell is text, which is escaped, or ``Raw``."""
    return f"| {' | '.join(cell if isinstance(cell, Raw) else plain(cell) for cell in cells)} |"


def head(cells: Sequence[object]) -> str:
    """The first two rows of a table."""
    return f"{row(cells)}\n{'|---' * len(cells)}|"
