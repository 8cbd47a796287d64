"""What a page shows of one case in the same way in a file and in the browser: what decided, its chromosome arms, and
the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import package_data
from ..reports.pages import percent, render

if TYPE_CHECKING:
    from .explanation import Effect, Explanation

_CLASSES = {1: "gained", -1: "lost", 0: "same", None: "no-call"}
_WORDS = {1: "gained", -1: "lost", 0: "neither gained nor lost", None: "no call"}
_MOST_EFFECTS = 15


def html(case: Mapping, explanation: "Explanation | None" = None) -> str:
    """The effects of an ``explanation``, and the strip of arms and the table of facts of a record of
    ``answers.records``; "" where there is none of them."""
    arms = case["arms"] or {}
    return render(
        "prediction",
        "case_parts.html.j2",
        {"percent": percent},
        case=case,
        why=explanation,
        bars=_bars(explanation),
        classes=_CLASSES,
        words=_WORDS,
        gained=[arm for arm, call in arms.items() if call == 1],
        lost=[arm for arm, call in arms.items() if call == -1],
    ).strip()


@dataclass(frozen=True)
class _Bar:
    """An effect as a bar; ``left`` and ``width`` in percent of its cell."""

    effect: "Effect"
    left: float
    width: float


def _bars(explanation: "Explanation | None") -> list[_Bar]:
    """The 15 largest effects in either direction, those that speak most for the label first."""
    largest = sorted(explanation.effects if explanation else (), key=lambda effect: -abs(effect.bits))[:_MOST_EFFECTS]
    low = min(0.0, *(effect.bits for effect in largest), 0.0)
    # At least one bit wide, so that small effects look small.
    high = max(low + 1.0, *(effect.bits for effect in largest), 0.0)
    scale = 100.0 / (high - low)
    return [
        _Bar(effect, (min(effect.bits, 0.0) - low) * scale, abs(effect.bits) * scale)
        for effect in sorted(largest, key=lambda effect: -effect.bits)
    ]


def css() -> str:
    """The style rules that ``html`` needs."""
    return package_data.text("prediction", "case_parts.css")
