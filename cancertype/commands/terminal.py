"""Text for the terminal: nothing that a file holds can move the cursor, change colours or reverse the reading order."""

import re

# C0 and C1 controls but tab and newline, the surrogates that stand for bytes that are not UTF-8, line separators, and
# the marks that reorder text (Unicode Technical Report 36).
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: object) -> str:
    """``text`` with every character written out that a terminal would obey instead of show, as ``\\x1b``."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), str(text))


def in_json(text: str) -> str:
    """JSON with the same characters as JSON's own escapes, so that it reads back as it was."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
