"""Check boxes in the lines of a text: ``[ ] BRAF V600E  [x] KRAS G12D``, ``KRAS: ☐ mutated ☑ wild type``.

Forms print every gene or result, and the box beside it says which holds. What a ticked box stands for is read as if the
others were not there, and what an unticked one stands for is left out.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from .report_words import Kind, classify


class Line(NamedTuple):
    """One line, or one item of it, with its ``number`` (from 1). ``unticked``: its box is empty, so it says nothing of
    this tumour."""

    number: int
    text: str
    unticked: bool = False


_EMPTY = r"[☐□◻◽⬜▢✗✘❌]|\[(?:\s+|_+)\]|(?<!\S)\(\s+\)(?=\s)"
_TICKED = r"[☑☒✓✔✅🗹🗷⊠]\ufe0f?|\[\s*[xX✓✔✗✘]\s*\]|(?<!\S)\(\s*[xX✓✔]\s*\)(?=\s|$)"
_BOX = re.compile(rf"(?P<empty>{_EMPTY})|(?P<ticked>{_TICKED})")
_BEGINS_EMPTY = re.compile(r"(?:[-*•]\s*)?\[\]\s")
_KEY = re.compile(r"([^:]{1,60}:)\s*(\S.*)", re.DOTALL)
_BETWEEN = " \t,;|/"


def has_box(text: str) -> bool:
    """Whether a line has a check box."""
    return _BOX.search(text) is not None


def tick(cell: str) -> str:
    """ "ticked" or "empty" where a cell is a check box, else ""."""
    match = _BOX.fullmatch(cell.strip())
    return (match.lastgroup or "") if match else ""


def without_unticked(lines: Sequence[Line]) -> list[Line]:
    """The lines with the items of their boxes apart, each behind the words that all of the line's boxes share, which
    may be a gene on the line above."""
    out: list[Line] = []
    above = ""
    has_above = False
    for number, text, _ in lines:
        text = _BEGINS_EMPTY.sub("[ ] ", text, count=1)
        if not has_box(text):
            has_above = _names_a_gene(text)
            above = f"{text.strip().rstrip(':')}:" if has_above else ""
            out.append(Line(number, text))
            continue
        text, rest = _without_statement_behind(text)
        key, items = _items(text)
        if above and not key:
            key = above
            if has_above:
                del out[-1]
        else:
            above = ""
        has_above = False
        out += [Line(number, f"{key} {item}".strip(), not ticked) for item, ticked in items]
        out += [Line(number, rest)] if rest else []
    return out


def _without_statement_behind(text: str) -> tuple[str, str]:
    """A line of boxes with words before the first (``KRAS: [ ] mutated [x] wild type; TP53 R175H``), and the statement
    behind a semicolon that none of them belongs to."""
    first, last = next(_BOX.finditer(text)), list(_BOX.finditer(text))[-1]
    end = text.find(";", last.end())
    if end < 0 or not text[: first.start()].strip(" \t-*•"):
        return text, ""
    return text[:end], text[end + 1 :].strip()


def _items(text: str) -> tuple[str, list[tuple[str, bool]]]:
    """The words before the items of a line, and the items, each with whether its box is ticked. Boxes stand before
    their items, or behind where the line ends with one and does not begin so."""
    boxes = list(_BOX.finditer(text))
    ticked = [box["ticked"] is not None for box in boxes]
    before, behind = text[: boxes[0].start()].strip(" \t-*•"), text[boxes[-1].end() :].strip(_BETWEEN)
    starts = [0, *(box.end() for box in boxes[:-1])]
    items = [text[start : box.start()].strip(_BETWEEN) for start, box in zip(starts, boxes, strict=True)]
    if before and not behind and (not before.endswith(":") or all(item.endswith(":") for item in items)):
        items = [item.rstrip(":") for item in items]
        key = _KEY.fullmatch(items[0])
        if key and len(items) > 1:
            return key[1], list(zip([key[2], *items[1:]], ticked, strict=True))
        return "", list(zip(items, ticked, strict=True))
    ends = [*(box.start() for box in boxes[1:]), len(text)]
    items = [text[box.end() : end].strip(_BETWEEN) for box, end in zip(boxes, ends, strict=True)]
    return before, [(item, tick) for item, tick in zip(items, ticked, strict=True) if item]


def _names_a_gene(text: str) -> bool:
    words = text.strip().rstrip(":").split()
    return len(words) == 1 and [token.kind for token in classify(words[0])] == [Kind.GENE]
