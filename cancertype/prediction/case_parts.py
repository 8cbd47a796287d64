"""What a page shows of one case in the same way in a file and in the browser: what decided, its chromosome arms, and
the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass

from .. import package_data
from ..reports.pages import percent, render
from .about import first_of
from .explanation import Effect, Explanation, largest

_CLASSES = {1: "gained", -1: "lost", 0: "same", None: "no-call"}
_WORDS = {1: "gained", -1: "lost", 0: "neither gained nor lost", None: "no call"}


def html(case: Mapping, explanation: "Explanation | None" = None) -> str:
    """The effects of an ``explanation``, and the strip of arms and the table of facts of a record of
    ``answers.records``; "" where there is none of them."""
    arms = case["arms"] or {}
    return render(
        "prediction",
        "case_parts.html.j2",
        {"percent": percent},
        first_of=first_of,
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

    effect: Effect
    left: float
    width: float


def _bars(explanation: "Explanation | None") -> list[_Bar]:
    shown = largest(explanation.effects if explanation else ())
    low = min(0.0, *(effect.bits for effect in shown), 0.0)
    # At least one bit wide, so that small effects look small.
    high = max(low + 1.0, *(effect.bits for effect in shown), 0.0)
    scale = 100.0 / (high - low)
    return [_Bar(effect, (min(effect.bits, 0.0) - low) * scale, abs(effect.bits) * scale) for effect in shown]


def css() -> str:
    """The style rules that ``html`` needs."""
    return package_data.text("prediction", "case_parts.css")
