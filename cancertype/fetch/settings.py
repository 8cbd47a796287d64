"""Where the real sources are."""

from ..settings import Settings


class DepMap(Settings):
    """A DepMap release by name, or a folder or address of the user's with its two files."""

    release: str
    location: str | None


class Tcga(Settings):
    """TCGA's MC3 and clinical table from the GDC (``location: null``), or a folder of MAFs and clinical tables."""

    location: str | None


class Table(Settings):
    """The user's own wide table: ``ID``, optional ``SUBCLASS``, then one column per gene."""

    path: str | None
