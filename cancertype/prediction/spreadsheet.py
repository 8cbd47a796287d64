"""Cells of a CSV file that no spreadsheet takes for a formula."""

import re

# Excel and LibreOffice run a cell that begins with one of these, or its full-width form (OWASP, "CSV injection").
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def cell(value: object) -> object:
    """``value`` as a cell. Text that would start a formula gets an apostrophe before it, as spreadsheets do themselves,
    and control characters are written out (``\\x1b``). Numbers and None stay as they are."""
    if not isinstance(value, str):
        return value
    text = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), value)
    return f"'{text}" if _FORMULA.match(text) else text
