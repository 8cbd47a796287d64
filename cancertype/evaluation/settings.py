"""The tabular models and the evaluation."""

from typing import Annotated

from pydantic import Field, field_validator

from ..settings import Settings


class Tabular(Settings):
    """LightGBM (Ke et al. 2017) with early stopping, and logistic regression with its penalty chosen, on validation."""

    trees: int = Field(300, ge=1)
    leaves: int = Field(15, ge=2)
    learning_rate: float = Field(0.04, gt=0.0)
    feature_fraction: float = Field(0.3, gt=0.0, le=1.0)
    min_cases_per_leaf: int = Field(5, ge=1)
    early_stopping_rounds: int = Field(50, ge=1)
    logistic_c: list[Annotated[float, Field(gt=0.0)]] = Field([0.001, 0.003, 0.01, 0.03, 0.1], min_length=1)
    folds: int = Field(0, ge=0)
    threads: int = Field(0, ge=0)

    @field_validator("folds")
    @classmethod
    def _none_or_several(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("must be 0 (no out-of-fold predictions) or 2 and more")
        return folds


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
