"""The tabular models and the evaluation."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from ..settings import Settings


class Tabular(Settings):
    """LightGBM (Ke et al. 2017), which stops early on validation, and its out-of-fold predictions."""

    trees: int = Field(ge=1)
    leaves: int = Field(ge=2)
    learning_rate: float = Field(gt=0.0)
    feature_fraction: float = Field(gt=0.0, le=1.0)
    case_fraction: float = Field(gt=0.0, le=1.0)
    min_cases_per_leaf: int = Field(ge=1)
    l2: float = Field(ge=0.0)
    early_stopping_rounds: int = Field(ge=1)
    without: list[list[Literal["arms", "spectra"]]]
    folds: int = Field(ge=0)

    @field_validator("without")
    @classmethod
    def _different_kinds(cls, without: list[list[str]]) -> list[list[str]]:
        named = [tuple(sorted(set(kinds))) for kinds in without]
        if not all(named) or len(set(named)) < len(named) or sum(map(len, named)) < sum(map(len, without)):
            raise ValueError("must be a list of different lists of kinds of data, such as [[arms], [arms, spectra]]")
        return [list(kinds) for kinds in named]

    @field_validator("folds")
    @classmethod
    def _none_or_several(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("must be 0 (no out-of-fold predictions) or at least 2")
        return folds


class Evaluate(Settings):
    """Scoring, intervals, calibration and abstention."""

    batch_size: int = Field(ge=1)
    num_processes: int = Field(ge=1)
    orders: int = Field(ge=1)
    assays: list[str]
    cases_per_assay: int | None = Field(ge=1)
    bootstrap_samples: int = Field(ge=0)
    coverage: float = Field(gt=0.0, lt=1.0)
    thresholds: list[Annotated[float, Field(ge=0.0, le=1.0)]] = Field(min_length=1)
    abstain_below: float = Field(ge=0.0, le=1.0)
