"""Known fusions: which of two genes is the 5' partner, and which fusion a translocation makes."""

from collections import Counter
from functools import cache

from ..package_data import rows


@cache
def _pairs() -> frozenset[tuple[str, str]]:
    return frozenset((row["five_prime"], row["three_prime"]) for row in rows("alterations", "known_fusions.csv"))


def is_known_fusion(one: str, other: str) -> bool:
    """Whether the two genes, in either order, are in ``known_fusions.csv``."""
    return (one, other) in _pairs() or (other, one) in _pairs()


def has_known_fusion(gene: str) -> bool:
    """Whether the gene is in ``known_fusions.csv``."""
    return gene in _three_prime_share()


def in_usual_order(one: str, other: str) -> tuple[str, str]:
    """The 5' and the 3' partner of a fusion: by ``known_fusions.csv``, otherwise in the order given.

    The table was written for this project after the WHO Classification of Tumours (5th edition) and the Mitelman
    Database. Its rows were not checked against a copy of either. Rearrangements that put a gene beside an
    immunoglobulin or T-cell receptor locus name the locus first.
    """
    return (other, one) if (other, one) in _pairs() and (one, other) not in _pairs() else (one, other)


@cache
def _three_prime_share() -> dict[str, float]:
    sides: Counter[tuple[str, bool]] = Counter()
    for five_prime, three_prime in _pairs():
        sides[five_prime, False] += 1
        sides[three_prime, True] += 1
    genes = {gene for gene, _ in sides}
    return {gene: sides[gene, True] / (sides[gene, True] + sides[gene, False]) for gene in genes}


def with_unknown_partner(gene: str) -> tuple[str | None, str | None]:
    """A fusion of ``gene`` with an unknown partner: ``(None, "ALK")``, ``("EWSR1", None)``.

    The gene takes the side that it has in most known fusions, and the 5' side if it is in none.
    """
    return (None, gene) if _three_prime_share().get(gene, 0.0) > 0.5 else (gene, None)


Fusion = tuple[str | None, str | None]


@cache
def _translocations() -> dict[str, list[tuple[str, Fusion]]]:
    known: dict[str, list[tuple[str, Fusion]]] = {}
    for row in rows("alterations", "translocations.csv"):
        fusion = row["five_prime"] or None, row["three_prime"] or None
        known.setdefault(row["event"], []).append((row["bands"], fusion))
    return known


def fusion_of(event: str, bands: str = "") -> Fusion | None:
    """The fusion that ``event`` makes (``t(9;22)``, ``inv(16)``, or a band such as ``11q23`` that is rearranged).

    ``bands`` are its breakpoints (``q34;q11.2``); where none are given, the most common fusion of the event is meant.
    ``translocations.csv`` lists it first. It was written after the WHO Classification of Tumours (5th edition) and the
    Mitelman Database, and not checked against a copy of either. A breakpoint may be one band beside that of the table,
    as far as banding resolves it, where only one fusion fits. None for an event that is not in the table, and for other
    breakpoints than those in it.
    """
    known = _translocations().get(event, [])
    if not bands:
        return known[0][1] if known else None
    exact = next((fusion for places, fusion in known if _same_breakpoints(places, bands)), None)
    near = {fusion for places, fusion in known if _near_breakpoints(places, bands)}
    return exact or (near.pop() if len(near) == 1 else None)


def _same_breakpoints(known: str, stated: str) -> bool:
    """Whether two lists of bands agree as far as both are resolved: q11 and q11.2 do, q11 and q12 do not."""
    ours, theirs = _bands(known), _bands(stated)
    return len(ours) == len(theirs) and all(
        a.startswith(b) or b.startswith(a) for a, b in zip(ours, theirs, strict=True)
    )


def _near_breakpoints(known: str, stated: str) -> bool:
    """Whether each band is at most one from the known one: q35 and q36.1 are."""
    ours, theirs = _bands(known), _bands(stated)
    return len(ours) == len(theirs) and all(
        a[0] == b[0] and a[1:3].isdecimal() and b[1:3].isdecimal() and abs(int(a[1:3]) - int(b[1:3])) <= 1
        for a, b in zip(ours, theirs, strict=True)
    )


def _bands(text: str) -> list[str]:
    return text.replace("p", " p").replace("q", " q").replace(";", " ").split()
