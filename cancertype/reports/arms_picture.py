"""The chromosome arms of each label as one heatmap: how much more often an arm is gained than lost."""

import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure

from ..alterations.schema import ARMS
from ..labels import LABELS
from .pages import INK, styled

_FEWEST = 3
"""Cases with calls that a label needs for a row."""


def shares(cases: pa.Table) -> dict[str, np.ndarray]:
    """Label to the share of its cases with each arm gained minus the share with it lost, shape (39,), between -1 and 1.

    ``cases`` has the columns label and arms (39 calls, null where no arm was looked at). A share is of the cases in
    which the arm has a call; NaN where none has. Labels with fewer than three cases with calls are left out."""
    calls: dict[str, list] = {}
    for label, arms in zip(cases["label"].to_pylist(), cases["arms"].to_pylist(), strict=True):
        if label is not None and arms is not None:
            calls.setdefault(label, []).append([np.nan if call is None else call for call in arms])
    found = {}
    for label in LABELS:
        if len(rows := np.array(calls.get(label, []), float)) >= _FEWEST:
            known = np.maximum((~np.isnan(rows)).sum(axis=0), 1)
            found[label] = np.where(np.isnan(rows).all(axis=0), np.nan, np.nansum(rows, axis=0) / known)
    return found


def draw(cases: pa.Table) -> Figure | None:
    """The heatmap, red where an arm is gained and blue where it is lost; None where no label has enough calls."""
    rows = shares(cases)
    if not rows:
        return None
    with styled(8.6, 0.2 * len(rows) + 1.1) as (figure, axes):
        ax = axes[0, 0]
        image = ax.pcolormesh(
            np.ma.masked_invalid(np.array(list(rows.values()))),
            cmap="RdBu_r",
            vmin=-1,
            vmax=1,
            edgecolors="white",
            linewidth=0.4,
        )
        ax.set(xlim=(0, len(ARMS)), ylim=(len(rows), 0))
        ax.set_xticks(np.arange(len(ARMS)) + 0.5, ARMS, rotation=90, fontsize=6.5)
        ax.set_yticks(np.arange(len(rows)) + 0.5, list(rows), fontsize=7.5)
        ax.tick_params(length=0)
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
        bar = figure.colorbar(image, ax=ax, fraction=0.025, pad=0.01, ticks=[-1, -0.5, 0, 0.5, 1])
        bar.ax.set_yticklabels(["all lost", "half", "even", "half", "all gained"], fontsize=6.5, color=INK)
        bar.outline.set_visible(False)
    return figure
