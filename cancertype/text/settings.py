"""How a case is written as text."""

from string import Formatter
from typing import Literal

from pydantic import Field, field_validator

from ..settings import Settings

FIELDS = (
    "kind",
    "sex",
    "burden",
    "spectrum",
    "shares",
    "process",
    "events",
    "indels",
    "amino_acids",
    "mutations",
    "labels",
    "source",
    "assay",
    "contexts",
    "arms",
    "genes",
    "fusions",
)


class Text(Settings):
    """The prompt's template, its token budget, and the form of the answer."""

    template: str
    completion: Literal["word", "code"]
    changes: Literal["all", "recurrent", "none"]
    max_mutations: int = Field(ge=0)
    max_tokens: int = Field(ge=16)
    amino_acids: int = Field(ge=0)

    @field_validator("template")
    @classmethod
    def _known_fields(cls, template: str) -> str:
        names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
        unknown = sorted(set(names) - set(FIELDS))
        if unknown:
            raise ValueError(f"has unknown fields {unknown}; the fields are {list(FIELDS)}")
        if names.count("mutations") != 1:
            raise ValueError("must hold {mutations} exactly once")
        return template
