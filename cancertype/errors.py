"""The one error that a user can fix."""


class InputError(ValueError):
    """Bad input or settings. The message says what was found, where (file, row, column or key), and the remedy."""
