"""The picture of an explanation. It is apart from :mod:`explanation` because matplotlib takes a second to import."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..labels import NAMES
from ..reports.pages import BLUE, INK, ORANGE, percent, styled
from .explanation import Effect, Explanation, largest

_ROOM = 0.35
"""Space for the texts at the ends of the bars, as a share of the bars' width."""


def draw(explanations: Sequence[Explanation]) -> Figure:
    """The effects as bars, one plot per case with at most 15 mutations: those with the largest effect in either
    direction."""
    shown = [largest(explanation.effects) for explanation in explanations]
    heights = [max(len(effects), 1) + 2.2 for effects in shown]
    with styled(7.4, 0.24 * sum(heights) + 0.4, nrows=len(shown), height_ratios=heights) as (figure, axes):
        for ax, explanation, effects in zip(axes[:, 0], explanations, shown, strict=True):
            _draw_effects(ax, effects)
            name = f"{explanation.label} ({NAMES[explanation.label]})"
            ax.set(title=f"{explanation.case_id}: {name}, {percent(explanation.p)}")
    return figure


def _draw_effects(ax: Axes, effects: Sequence[Effect]) -> None:
    """Bars with the first at the top."""
    bits = np.array([effect.bits for effect in effects])
    ax.barh(range(len(bits)), bits, 0.7, color=[BLUE if b >= 0 else ORANGE for b in bits])
    for row, effect in enumerate(effects):
        side = 1 if effect.bits >= 0 else -1
        beside = {"textcoords": "offset points", "va": "center", "ha": "left" if side > 0 else "right", "fontsize": 7.5}
        ax.annotate(f"{percent(effect.without)} without", (effect.bits, row), (4 * side, 0), **beside)
    if not effects:
        ax.annotate("no informative mutation", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center")
    low, high = min(0.0, *bits, 0.0), max(0.0, *bits, 0.0)
    # At least one bit wide, so that small effects look small.
    high = max(high, low + 1.0)
    margin = _ROOM * (high - low)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set(
        yticks=range(len(bits)),
        ylim=(max(len(bits), 1) - 0.4, -0.6),
        xlim=(low - (margin if low < 0 else 0.0), high + margin),
        xlabel="Bits for (right) or against (left)",
    )
    ax.set_yticklabels([effect.mutation for effect in effects])
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
