"""What reports share: one style, pictures whose bytes never vary, and a page that needs no other file."""

import base64
import io
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined

from .. import package_data

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY, INK, RULE = "#1b5e86", "#c9772b", "#8a939c", "#22303a", "#dde3e8"
"""The colours of both reports; blue and orange differ under every common colour blindness, and in grey."""

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": "#9aa5ae",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "hatch.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.hashsalt": "cancertype",
    # A $ in the name of a case, gene or file is a dollar sign. Read as mathematics, "$x^$" would stop the report.
    "text.parse_math": False,
}
"""How every picture looks. Text made under it is never read as mathematics."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@contextmanager
def styled(width: float, height: float, **grid) -> "Iterator[tuple[Figure, np.ndarray]]":
    """A figure of ``width`` by ``height`` inches in the reports' look, and the 2-D array of its axes."""
    # Imported where a figure is drawn: an answer on the screen draws none.
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots(squeeze=False, **grid)


def picture(draw: "Callable[[], Figure]", kind: str) -> bytes:
    """The figure as "png" or "svg", with no date or version in it, so that the same figures give the same bytes."""
    import matplotlib

    buffer = io.BytesIO()
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    with matplotlib.rc_context(STYLE):
        draw().savefig(buffer, format=kind, dpi=150, metadata=metadata[kind])
    return buffer.getvalue()


def embedded(draw: "Callable[[], Figure]") -> str:
    """The figure as the ``src`` of an image: an SVG within the page."""
    return "data:image/svg+xml;base64," + base64.b64encode(picture(draw, "svg")).decode("ascii")


def render(room: str, template: str, filters: dict[str, Callable], /, **content) -> str:
    """A page from ``template`` in ``cancertype.<room>``, given ``content`` and the reports' style sheet as ``css``."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= filters
    return environment.from_string(package_data.text(room, template)).render(
        css=package_data.text("reports", "report.css"), **content
    )


def plain(name: str, longest: int = 80) -> str:
    """The name of a case, gene or file as it may stand in a picture: one line of at most ``longest`` characters.

    Control characters, surrogates and marks of writing direction become the replacement character, because they break
    an SVG or reorder the text around them. ``STYLE`` sees to it that a ``$`` stays a dollar sign. Pages need no such
    function: their templates escape every text."""
    shown = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _INVISIBLE else c for c in name)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def percent(x: float | None) -> str:
    """``83%``; ``<1%`` and ``>99%`` for what rounding would show as impossible or certain; an en dash for None."""
    if x is None:
        return "–"
    if 0 < x < 0.01:
        return "<1%"
    return ">99%" if 0.99 < x < 1 else f"{100 * x:.0f}%"
