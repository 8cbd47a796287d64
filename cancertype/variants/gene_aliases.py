"""Common names of genes that are no HGNC symbols, old or new: HER2, p53, PD-L1, c-MYC, AF9."""

from functools import cache

from ..package_data import rows


@cache
def gene_aliases() -> dict[str, tuple[str, ...]]:
    """Each name in capitals and the genes that it stands for: one, or all members of a family (RAS, IDH, NTRK).

    ``gene_aliases.csv`` was written for this project after the alias names of HGNC, the former names of fusion partners
    in the WHO Classification of Tumours (5th edition), and the wording of clinical reports. The immunoglobulin and
    T-cell receptor loci stand for themselves. Older HGNC symbols (MLL, PARK2) are in ``gene_symbols.csv``.
    """
    return {row["alias"]: tuple(row["genes"].split()) for row in rows("variants", "gene_aliases.csv")}
