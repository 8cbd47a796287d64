"""Which cases are kept, and how they are split."""

from typing import Literal

from pydantic import Field, model_validator

from ..sources.settings import ReadingLimits


class Cohort(ReadingLimits):
    """Quality rules, the limits of the readers, and the split."""

    max_cases_per_label: int | None = Field(ge=1)
    min_cases_per_label: int = Field(ge=3)
    small_labels: Literal["error", "drop"]
    max_out_of_scope_cases: int | None = Field(ge=0)
    test_fraction: float = Field(gt=0.0, lt=1.0)
    validation_fraction: float = Field(gt=0.0, lt=1.0)
    split_seed: int = Field(ge=0)
    train_share: float = Field(gt=0.0, le=1.0)
    train_sources: list[str] | None = Field(min_length=1)
    test_sources: list[str] | None = Field(min_length=1)

    @model_validator(mode="after")
    def _room_for_training(self) -> "Cohort":
        if self.test_fraction + self.validation_fraction >= 1.0:
            raise ValueError(
                "test_fraction + validation_fraction leave nothing to train on: make their sum less than 1"
            )
        return self
