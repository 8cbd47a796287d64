"""The group of assays that a case belongs to, for which probabilities are calibrated together."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from ..variants.cases import LIST, NOTHING

SMALL_PANEL = 150
"""A panel with fewer genes shows so little of a tumour that it has a calibration of its own."""

WITH_ARMS = " with copy number"


def groups(cases: pa.Table, panels: Mapping[str, Sequence[str]]) -> list[str]:
    """``exome``, ``panel``, ``small panel``, ``list`` or ``nothing`` for each of ``cases`` (from ``described``), and
    whether calls of chromosome arms are known: ``panel with copy number``.

    A panel that training never saw takes the group of its size. A case without a statement of what was sequenced is an
    exome; one whose mutations nobody looked at belongs to ``nothing``."""
    sizes = {name: len(genes) for name, genes in panels.items()}
    arms = cases["arms"].is_valid().to_numpy(zero_copy_only=False)
    kinds = [_kind(panel, sizes) for panel in cases["panel"].to_pylist()]
    return [kind + WITH_ARMS if known else kind for kind, known in zip(kinds, np.asarray(arms), strict=True)]


def _kind(panel: str | None, sizes: Mapping[str, int]) -> str:
    if panel in (LIST, NOTHING):
        return panel
    if panel not in sizes:
        return "exome"
    return "panel" if sizes[panel] >= SMALL_PANEL else "small panel"
