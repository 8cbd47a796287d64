"""What a reader leaves out of files that carry inherited or poorly supported variants."""

from pydantic import Field

from ..settings import Settings


class ReadingLimits(Settings):
    """Limits for files without a matched normal: DepMap's, VCF, and tables with population frequencies.

    A model's cases and a user's file are read with the same limits."""

    germline_max_population_frequency: float = Field(1.0e-4, gt=0.0, le=1.0)
    min_variant_allele_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    min_read_depth: int = Field(10, ge=0)
