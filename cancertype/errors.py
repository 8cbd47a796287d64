"""The one error that a user can fix."""


class InputError(ValueError):
    """Bad input or settings. The message says what was found, where (file, row, column or key), and the remedy.

    Each argument is one line. What files hold is quoted in them, so a character that cannot be printed, or that would
    break the line (a form feed, a line separator), is shown by its escape.
    """

    def __str__(self) -> str:
        return "\n".join("".join(c if c.isprintable() else repr(c)[1:-1] for c in str(line)) for line in self.args)
