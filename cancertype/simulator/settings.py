"""The simulated cohort."""

from pydantic import Field

from ..settings import Settings


class Simulated(Settings):
    """The simulated cohort: ``cases_per_label`` tumours and lines of each of the 26 labels."""

    cases_per_label: int = Field(40, ge=1)
    cell_line_fraction: float = Field(0.25, ge=0.0, le=1.0)
    seed: int = Field(3407, ge=0)
