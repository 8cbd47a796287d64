"""Which mutations carried a decision: each is left out in turn, and the case predicted again by the same code."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .. import features
from ..errors import InputError
from ..labels import LABELS, NAMES
from ..reports.pages import BLUE, INK, ORANGE, percent, styled
from ..text import rendering
from ..variants.cases import SourceTables
from .predictor import Predictions, Predictor

MOST = 24
_SHOWN = 15
_CERTAIN = 1e-12


@dataclass(frozen=True)
class Effect:
    """One mutation, the label's probability ``without`` it, and the ``bits`` of evidence that it adds: the log2 odds
    of the label with it less those without it (I. J. Good's weight of evidence). Below 0 it speaks against the
    label."""

    mutation: str
    without: float
    bits: float


@dataclass(frozen=True)
class Explanation:
    """Why ``case_id`` was called ``label`` with probability ``p``: ``effects``, the greatest first; ``without_all``,
    the label's probability from burden, spectrum and the mutations that are not named; how many telling mutations were
    ``not_tried``."""

    case_id: str
    label: str
    p: float
    effects: tuple[Effect, ...]
    without_all: float
    not_tried: int


def explain(
    predictor: Predictor,
    tables: SourceTables,
    case_ids: Sequence[str],
    *,
    most: int = MOST,
    weights: np.ndarray | None = None,
    progress: bool = False,
) -> tuple[Predictions, list[Explanation]]:
    """Leave each of a case's ``most`` most telling mutations out in turn and predict what is left, all in one batch.

    Returns the predictions of the cases named, in their order, and why they are so.

    A mutation is a gene with a protein change, or a gene where none is given; without it, burden and spectrum lose it
    too. ``weights`` are those of ``Predictor.predict`` for the cases of ``tables``. Raises ``InputError`` for a case
    that is not there.
    """
    tables, weights = _only(tables, case_ids, weights)
    predicted = predictor.predict(tables, weights=weights, progress=False)
    chosen = predicted.p.argmax(axis=1)
    told = _told(predictor, tables)
    names = tables.cases["case_id"].to_pylist()
    tried = [list(told.get(name, {}))[:most] for name in names]
    without, origin = _without_each(tables, tried)
    again = predictor.predict(without, weights=None if weights is None else weights[origin], progress=progress)
    p_of_chosen = again.p[np.arange(len(origin)), chosen[origin]]
    explanations, start = [], 0
    for row, name in enumerate(names):
        p = float(predicted.p[row, chosen[row]])
        *singly, all_out = p_of_chosen[start : start + len(tried[row]) + 1].tolist()
        start += len(tried[row]) + 1
        effects = [
            Effect(told[name][key], q, _log_odds(p) - _log_odds(q)) for key, q in zip(tried[row], singly, strict=True)
        ]
        effects.sort(key=lambda effect: -effect.bits)
        not_tried = len(told.get(name, {})) - len(tried[row])
        explanations.append(Explanation(name, LABELS[chosen[row]], p, tuple(effects), all_out, not_tried))
    return predicted, explanations


_Key = tuple[str, str]


def _only(
    tables: SourceTables, case_ids: Sequence[str], weights: np.ndarray | None
) -> tuple[SourceTables, np.ndarray | None]:
    """Tables and weights of the cases asked for, in their order."""
    at = {name: row for row, name in enumerate(tables.cases["case_id"].to_pylist())}
    if missing := [name for name in case_ids if name not in at]:
        raise InputError(f"no case is named {missing[0]!r}: the first are {', '.join(list(at)[:5])}")
    rows = [at[name] for name in dict.fromkeys(case_ids)]
    kept = pc.is_in(pc.cast(tables.variants["case_id"], pa.string()), value_set=pa.array(list(case_ids), pa.string()))
    chosen = replace(tables, cases=tables.cases.take(rows), variants=tables.variants.filter(kept))
    return chosen, None if weights is None else weights[rows]


def _told(predictor: Predictor, tables: SourceTables) -> dict[str, dict[_Key, str]]:
    """Case to its telling mutations, most telling first: gene and protein change to how the mutation is written."""
    counted = features.count(tables.cases, tables.variants)
    table = features.informative_variants(counted, tables.variants, predictor.vocabulary)
    told: dict[str, dict[_Key, str]] = {}
    for row in table.to_pylist():
        written = rendering.mutation(row["gene"], row["protein_change"], row["consequence"], row["recurrent"], "all")
        told.setdefault(row["case_id"], {})[row["gene"], row["protein_change"]] = written
    return told


def _without_each(tables: SourceTables, tried: list[list[_Key]]) -> tuple[SourceTables, np.ndarray]:
    """A case for every mutation left out and, after those of each case, one without all of them; and the row in
    ``tables`` that each comes from."""
    columns = (
        pc.cast(tables.variants[name], pa.string()).to_pylist() for name in ("case_id", "gene", "protein_change")
    )
    own: dict[str, list[tuple[int, _Key]]] = {}
    for row, (case_id, gene, change) in enumerate(zip(*columns, strict=True)):
        own.setdefault(case_id, []).append((row, (gene, change)))
    rows, names, of_row, origin = [], [], [], []
    for at, case_id in enumerate(tables.cases["case_id"].to_pylist()):
        for left_out in [*({key} for key in tried[at]), set(tried[at])]:
            kept = [row for row, key in own.get(case_id, []) if key not in left_out]
            names.append(str(len(names)))
            origin.append(at)
            rows += kept
            of_row += names[-1:] * len(kept)
    cases = tables.cases.take(origin).set_column(0, "case_id", pa.array(names, pa.string()))
    variants = tables.variants.take(pa.array(rows, pa.int64()))
    variants = variants.set_column(0, "case_id", pa.array(of_row, pa.string()).dictionary_encode())
    return replace(tables, cases=cases, variants=variants, dropped=[]), np.array(origin)


def _log_odds(p: float) -> float:
    p = min(max(p, _CERTAIN), 1.0 - _CERTAIN)
    return float(np.log2(p / (1.0 - p)))


def draw(explanations: Sequence[Explanation], narrow: bool = False) -> Figure:
    """The effects of each case as bars, one plot a case; ``narrow`` fits a phone. At most 15 mutations a case, those
    of the greatest effect either way."""
    shown = [_most_moving(explanation.effects) for explanation in explanations]
    heights = [max(len(effects), 1) + 2.2 for effects in shown]
    size = (4.4 if narrow else 7.4, 0.24 * sum(heights) + 0.4)
    with styled(*size, nrows=len(shown), height_ratios=heights) as (figure, axes):
        for ax, explanation, effects in zip(axes[:, 0], explanations, shown, strict=True):
            _draw_effects(ax, effects, room=0.75 if narrow else 0.35)
            name = explanation.label if narrow else f"{explanation.label} ({NAMES[explanation.label]})"
            ax.set(title=f"{explanation.case_id}: {name}, {percent(explanation.p)}")
    return figure


def _draw_effects(ax: Axes, effects: Sequence[Effect], room: float) -> None:
    """Bars, the first at the top; ``room`` is left for their texts, as a share of what the bars take."""
    bits = np.array([effect.bits for effect in effects])
    ax.barh(range(len(bits)), bits, 0.7, color=[BLUE if b >= 0 else ORANGE for b in bits])
    for row, effect in enumerate(effects):
        side = 1 if effect.bits >= 0 else -1
        beside = {"textcoords": "offset points", "va": "center", "ha": "left" if side > 0 else "right", "fontsize": 7.5}
        ax.annotate(f"{percent(effect.without)} without", (effect.bits, row), (4 * side, 0), **beside)
    if not effects:
        ax.annotate("no informative mutation", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center")
    low, high = min(0.0, *bits, 0.0), max(0.0, *bits, 0.0)
    # No less than a bit wide, so that what hardly matters looks so.
    high = max(high, low + 1.0)
    margin = room * (high - low)
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


def _most_moving(effects: Sequence[Effect]) -> list[Effect]:
    kept = sorted(effects, key=lambda effect: -abs(effect.bits))[:_SHOWN]
    return sorted(kept, key=lambda effect: -effect.bits)
