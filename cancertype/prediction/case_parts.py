"""What a page shows of one case in the same way in a file and in the browser: its chromosome arms and the evidence."""

from collections.abc import Mapping

from .. import package_data
from ..reports.pages import percent, render

_CLASSES = {1: "gained", -1: "lost", 0: "same", None: "no-call"}
_WORDS = {1: "gained", -1: "lost", 0: "neither gained nor lost", None: "no call"}


def html(case: Mapping) -> str:
    """The strip of arms and the table of facts of a record of ``answers.records``; "" where it has neither."""
    arms = case["arms"] or {}
    return render(
        "prediction",
        "case_parts.html.j2",
        {"percent": percent},
        case=case,
        classes=_CLASSES,
        words=_WORDS,
        gained=[arm for arm, call in arms.items() if call == 1],
        lost=[arm for arm, call in arms.items() if call == -1],
    ).strip()


def css() -> str:
    """The style rules that ``html`` needs."""
    return package_data.text("prediction", "case_parts.css")
