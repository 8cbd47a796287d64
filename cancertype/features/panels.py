"""Panels: the genes that an assay sequenced, as a table, and variants as a panel would show them."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc


def panels_table(panels: Mapping[str, Sequence[str]]) -> pa.Table:
    """Panels (name to genes) as a table with the columns panel and gene, one row per gene."""
    pairs = [(name, gene) for name, genes in sorted(panels.items()) for gene in genes]
    return pa.table(
        {"panel": pa.array([p for p, _ in pairs], pa.string()), "gene": pa.array([g for _, g in pairs], pa.string())}
    )


def panels_of(table: pa.Table) -> dict[str, list[str]]:
    """The inverse of ``panels_table``."""
    panels: dict[str, list[str]] = {}
    for name, gene in zip(table["panel"].to_pylist(), table["gene"].to_pylist(), strict=True):
        panels.setdefault(name, []).append(gene)
    return panels


def restrict_to_panel(variants: pa.Table, genes: Sequence[str]) -> pa.Table:
    """Only the variants in ``genes``: what a panel of these genes would have shown."""
    return variants.filter(pc.is_in(pc.cast(variants["gene"], pa.string()), value_set=pa.array(genes, pa.string())))
