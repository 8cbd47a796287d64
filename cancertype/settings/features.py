"""What is counted in a case."""

from pydantic import Field

from .base import Settings


class Features(Settings):
    """The vocabulary of genes, recurrent changes and amino-acid substitutions."""

    genes: int | list[str] = 400
    recurrent_min_cases: int = Field(3, ge=1)
    recurrent_changes: int = Field(400, ge=0)
    amino_acid_substitutions: int = Field(60, ge=0, le=380)
    trinucleotides: bool = True
