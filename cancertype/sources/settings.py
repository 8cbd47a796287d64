"""Where the files of a source are, and what a reader leaves out of those with inherited or doubtful variants."""

from typing import Annotated

from pydantic import Field

from ..settings import Settings

Locations = str | Annotated[list[str], Field(min_length=1)] | None
"""A folder or an address, several of them, or null."""


def listed(location: Locations) -> list[str]:
    """The single locations, in order; none for null."""
    return [location] if isinstance(location, str) else location or []


class ReadingLimits(Settings):
    """Limits for files without a matched normal: DepMap's, VCF, and tables with population frequencies.

    A model's cases and a user's file are read with the same limits."""

    germline_max_population_frequency: float = Field(1.0e-4, gt=0.0, le=1.0)
    min_variant_allele_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    min_read_depth: int = Field(10, ge=0)
