"""The model of the whole params.yaml, which every stage checks before it starts."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from cancertype.assays.settings import Views
from cancertype.cohort.settings import Cohort
from cancertype.evaluation.settings import Evaluate, Tabular
from cancertype.features.settings import Features
from cancertype.fetch.settings import Cbioportal, DepMap, Table, Tcga
from cancertype.finetune.settings import Lora, Train
from cancertype.language_model.settings import Model
from cancertype.publishing.settings import Publish
from cancertype.settings import Settings
from cancertype.simulator.settings import Simulated
from cancertype.sources.settings import Locations
from cancertype.text.settings import Text


class Data(Settings):
    """All of ``data``."""

    sources: list[Literal["simulated", "depmap", "tcga", "cbioportal", "table"]] = Field(min_length=1)
    simulated: Simulated
    depmap: DepMap
    tcga: Tcga
    cbioportal: Cbioportal
    table: Table
    genome: Locations

    @field_validator("sources")
    @classmethod
    def _each_once(cls, sources: list[str]) -> list[str]:
        if len(set(sources)) < len(sources):
            raise ValueError(f"names a source twice: {sources}")
        return sources


class Params(Settings):
    """Every section. A key that is missing or unknown, or has a wrong type or an impossible value, is an error."""

    seed: int = Field(ge=0)
    data: Data
    cohort: Cohort
    features: Features
    views: Views
    text: Text
    model: Model
    lora: Lora
    train: Train
    tabular: Tabular
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
