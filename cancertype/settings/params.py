"""The whole of params.yaml, for the one check that every stage makes before it starts."""

from pydantic import Field, model_validator

from .augment import Augment
from .base import Settings
from .baseline import Baseline
from .cohort import Cohort
from .data import Data
from .evaluate import Evaluate
from .features import Features
from .lora import Lora
from .model import Model
from .publish import Publish
from .text import Text
from .train import Train


class Params(Settings):
    """Every section; a key that is missing, unknown, ill-typed or impossible is an error."""

    seed: int = Field(ge=0)
    data: Data
    cohort: Cohort
    features: Features
    augment: Augment
    text: Text
    model: Model
    lora: Lora
    train: Train
    baseline: Baseline
    evaluate: Evaluate
    publish: Publish

    @model_validator(mode="after")
    def _text_fits_the_model(self) -> "Params":
        if self.text.max_tokens > self.model.max_seq_length:
            raise ValueError(
                f"text.max_tokens ({self.text.max_tokens}) is more than model.max_seq_length "
                f"({self.model.max_seq_length}): lower the first or raise the second"
            )
        return self
