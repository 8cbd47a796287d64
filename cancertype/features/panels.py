"""Panels, the genes that an assay sequenced, as a table."""

from collections.abc import Mapping, Sequence

import pyarrow as pa


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
