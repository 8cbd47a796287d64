"""Where the real sources are."""

from ..settings import Settings
from ..sources.settings import Locations


class DepMap(Settings):
    """A DepMap release by name, or folders and addresses of the user's with its files and other tables of its lines."""

    release: str
    location: Locations


class Tcga(Settings):
    """TCGA's MC3 and clinical table from the GDC (``location: null``), or folders of MAFs, cBioPortal's tables, copy
    number, fusions, spectra and clinical tables."""

    location: Locations


class Cbioportal(Settings):
    """Folders of studies as cBioPortal's datahub and AACR GENIE distribute them."""

    location: Locations


class Table(Settings):
    """The user's own wide table: ``ID``, optional ``SUBCLASS``, then one column per gene."""

    path: str | None
