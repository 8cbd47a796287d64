"""Genes under the names that people use beside the official symbols."""

import pyarrow as pa

from ..tables.columns import encoded, translated, with_column
from ..variants.gene_aliases import gene_aliases
from ..variants.genes import known_genes, symbol_of


def human_symbol(stated: str) -> str:
    """The symbol of a common name (HER2, p53) that stands for one gene; ``stated`` for anything else."""
    bare = stated.strip()
    if symbol_of(bare).upper() in known_genes():
        return stated
    genes = gene_aliases().get(bare.upper(), ())
    return genes[0] if len(genes) == 1 else stated


def with_symbols(rows: pa.Table) -> pa.Table:
    """``rows`` with the symbols of common names in their column ``gene``."""
    return with_column(rows, "gene", translated(encoded(rows["gene"]), human_symbol))
