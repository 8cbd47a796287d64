"""The simulated cohort."""

from pydantic import Field

from ..settings import Settings


class Simulated(Settings):
    """The simulated cohort: ``cases_per_label`` tumours and cell lines for each of the 26 labels."""

    cases_per_label: int = Field(ge=1)
    cell_line_fraction: float = Field(ge=0.0, le=1.0)
    seed: int = Field(ge=0)
