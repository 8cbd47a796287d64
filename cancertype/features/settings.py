"""What is counted in a case, and how training cases are augmented."""

from pydantic import Field

from ..settings import Settings


class Features(Settings):
    """The vocabulary of genes, recurrent changes and amino-acid substitutions."""

    genes: int | list[str] = 400
    recurrent_min_cases: int = Field(3, ge=1)
    recurrent_changes: int = Field(400, ge=0)
    amino_acid_substitutions: int = Field(60, ge=0, le=380)
    trinucleotides: bool = True


class Augment(Settings):
    """How many versions, and how far they may differ from the case."""

    copies: int = Field(0, ge=0)
    exchanged: float = Field(0.5, gt=0.0, le=1.0)
    seed: int = Field(0, ge=0)
