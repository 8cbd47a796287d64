"""The one error that a user can fix."""

import re

_LONG_WORD = re.compile(r"\S{1000,}")
_SHOWN = 200


class InputError(ValueError):
    """Bad input or settings. The message says what was found, where (file, row, column or key), and the remedy.

    Each argument is one line. What files hold is quoted in them, so a character that cannot be printed, or that would
    break the line (a form feed, a line separator), is shown by its escape, and a word of thousands of characters by its
    first ones.
    """

    def __str__(self) -> str:
        lines = (shortened(str(line)) for line in self.args)
        return "\n".join("".join(c if c.isprintable() else repr(c)[1:-1] for c in line) for line in lines)


def shortened(line: str) -> str:
    """``line`` with the first 200 characters of each word that has a thousand or more, which nobody would read."""
    return _LONG_WORD.sub(lambda word: f"{word[0][:_SHOWN]}... ({len(word[0]):,} characters)", line)
