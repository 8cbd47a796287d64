"""What is counted in a case, and how training cases are augmented."""

from pydantic import Field, field_validator

from ..settings import Settings


class Features(Settings):
    """The vocabulary of genes, recurrent changes and amino-acid substitutions."""

    genes: int | list[str]
    recurrent_min_cases: int = Field(ge=1)
    recurrent_changes: int = Field(ge=0)
    amino_acid_substitutions: int = Field(ge=0, le=380)
    trinucleotides: bool

    @field_validator("genes")
    @classmethod
    def _some(cls, genes: int | list[str]) -> int | list[str]:
        if genes == [] or (isinstance(genes, int) and genes < 0):
            raise ValueError("must be a number of genes, 0 or more, or a list of at least one gene")
        return genes


class Augment(Settings):
    """How many copies of each training case, and how far they may differ from it."""

    copies: int = Field(ge=0)
    exchanged: float = Field(gt=0.0, le=1.0)
    seed: int = Field(ge=0)
