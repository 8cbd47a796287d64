"""What is counted in a case, and what is worth naming."""

from pydantic import Field, field_validator

from ..settings import Settings


class Features(Settings):
    """The vocabulary of genes, recurrent changes, amino-acid substitutions, copy number and fusions."""

    genes: int | list[str]
    recurrent_min_cases: int = Field(ge=1)
    recurrent_changes: int = Field(ge=0)
    amino_acid_substitutions: int = Field(ge=0, le=380)
    trinucleotides: bool
    cancer_gene_panels: int | None = Field(ge=1)
    alterations: int = Field(ge=0)

    @field_validator("genes")
    @classmethod
    def _some(cls, genes: int | list[str]) -> int | list[str]:
        if genes == [] or (isinstance(genes, int) and genes < 0):
            raise ValueError("must be a number of genes, 0 or more, or a list of at least one gene")
        return genes
