"""The evaluation."""

from typing import Annotated

from pydantic import Field

from .base import Settings


class Evaluate(Settings):
    """Scoring, intervals, calibration and abstention."""

    batch_size: int = Field(32, ge=1)
    num_processes: int = Field(1, ge=1)
    orders: int = Field(1, ge=1)
    bootstrap_samples: int = Field(1000, ge=0)
    calibration_bins: int = Field(10, ge=2)
    coverage: float = Field(0.9, gt=0.0, lt=1.0)
    thresholds: list[Annotated[float, Field(ge=0.0, le=1.0)]] = Field([0.75, 0.9], min_length=1)
    abstain_below: float = Field(0.5, ge=0.0, le=1.0)
