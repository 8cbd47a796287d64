"""Where cases come from."""

from typing import Literal

from pydantic import Field, field_validator

from .base import Settings

SOURCES = ("simulated", "depmap", "tcga", "table")


class Simulated(Settings):
    """The simulated cohort: ``cases_per_label`` tumours and lines of each of the 26 labels."""

    cases_per_label: int = Field(40, ge=1)
    cell_line_fraction: float = Field(0.25, ge=0.0, le=1.0)
    seed: int = Field(3407, ge=0)


class DepMap(Settings):
    """A DepMap release by its name, or a folder or address of the user's that holds its two files."""

    release: str = "24Q4"
    location: str | None = None


class Tcga(Settings):
    """TCGA's MC3 and clinical table from the GDC (``location: null``), or a folder of MAFs and clinical tables."""

    location: str | None = None


class Table(Settings):
    """The user's own wide table: ``ID``, optional ``SUBCLASS``, then one column per gene."""

    path: str | None = None


class Data(Settings):
    """All of ``data``."""

    sources: list[Literal["simulated", "depmap", "tcga", "table"]] = Field(["simulated"], min_length=1)
    simulated: Simulated = Simulated()
    depmap: DepMap = DepMap()
    tcga: Tcga = Tcga()
    table: Table = Table()

    @field_validator("sources")
    @classmethod
    def _each_once(cls, sources: list[str]) -> list[str]:
        if len(set(sources)) < len(sources):
            raise ValueError(f"names a source twice: {sources}")
        return sources
