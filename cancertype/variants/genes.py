"""Gene symbols: the current one for each old one, and every symbol that the project knows."""

from functools import cache

from ..package_data import rows
from .protein_changes import UNSTATED


@cache
def _renamed_genes() -> dict[str, str]:
    return {row["old"]: row["current"] for row in rows("variants", "gene_symbols.csv")}


def current_symbol(gene: str) -> str:
    """The gene's current HGNC symbol (``gene_symbols.csv``), spreadsheet dates corrected; "" when there is none."""
    gene = gene.strip()
    return "" if gene in UNSTATED or gene == "Unknown" else _renamed_genes().get(gene, gene)


@cache
def known_genes() -> dict[str, str]:
    """Every gene symbol that the project knows, in capitals, to its current form.

    The genes of ``genes.csv``, and the old and current symbols of ``gene_symbols.csv``."""
    symbols = [row["gene"] for row in rows("variants", "genes.csv")]
    for row in rows("variants", "gene_symbols.csv"):
        symbols += [row["old"], row["current"]]
    return {symbol.upper(): current_symbol(symbol) for symbol in symbols}
