"""Chromosomes, arms and karyotype events (ISCN): ``+8``, ``7q-``, ``del(5q)``, ``i(12p)``, ``t(9;22)(q34;q11.2)``."""

import re
from dataclasses import dataclass

from ..alterations.known_fusions import Fusion, fusion_of
from ..alterations.schema import ARMS

ArmCall = tuple[str, int | None]
"""A chromosome (``7``) or arm (``1p``), and 1 where it is gained, -1 where lost, None where that is said elsewhere."""

_CHROMOSOME = r"(?:2[0-2]|1[0-9]|[1-9]|X|Y)"
ARM = re.compile(
    rf"(?P<sign>[+-]?)(?:chr)?(?P<chromosome>{_CHROMOSOME})(?P<arm>[pq])"
    r"(?P<band>\d{1,2}(?:\.\d{1,2})?)?(?P<behind>[+-]?)(?:x\d)?(?:ter)?"
)
_WHOLE = re.compile(rf"(?P<sign>[+-])(?P<chromosome>{_CHROMOSOME})(?:x\d|\[\d+\])?|chr(?P<named>{_CHROMOSOME})")
_WHOLE_BEHIND = re.compile(rf"(?P<chromosome>{_CHROMOSOME})(?P<sign>[+-])")
_TWO_ARMS = re.compile(rf"({_CHROMOSOME}[pq])[-_]?({_CHROMOSOME}[pq])")
_EVENT = re.compile(
    r"(?P<sign>[+-]?)(?P<kind>t|inv|del|dup|i|iso|der|ins|add|gain|amp|trp|dic|idic|r|loss)"
    r"\((?P<chromosomes>[^()]{1,40})\)(?:\((?P<bands>[^()]{1,60})\))?(?:x\d)?(?:\[(?:cp)?\d{1,3}\])?",
)
_SIGN = {"+": 1, "-": -1, "": None}


@dataclass(frozen=True)
class ChromosomeEvent:
    """A karyotype event: the arms or chromosomes that it gains or loses, or the fusion that it makes, or neither."""

    arms: tuple[ArmCall, ...] = ()
    fusion: Fusion | None = None


def named_arms(word: str, signed_behind: bool = False) -> tuple[ArmCall, ...] | None:
    """The arms or chromosomes that a word names, as (``3p`` or ``7``, call); None for other words and for bands.

    ``3p``, ``+1q``, ``7q-``, ``+7``, ``chr7``, ``1p19q``; with ``signed_behind`` also ``7+``, which alone may be a
    score.
    """
    if match := ARM.fullmatch(word):
        if match["band"]:
            return None
        return ((match["chromosome"] + match["arm"], _SIGN[match["sign"] or match["behind"]]),)
    if match := _WHOLE.fullmatch(word):
        return ((match["named"], None),) if match["named"] else ((match["chromosome"], _SIGN[match["sign"]]),)
    if signed_behind and (match := _WHOLE_BEHIND.fullmatch(word)):
        return ((match["chromosome"], _SIGN[match["sign"]]),)
    if match := _TWO_ARMS.fullmatch(word):
        return (match[1], None), (match[2], None)
    return None


def is_chromosome(number: float) -> bool:
    return number == int(number) and 1 <= number <= 22


def arms_of(name: str) -> tuple[str, ...]:
    """The arms of ``schema.ARMS`` that a chromosome (``13``: 13q) or an arm stands for; none for X, Y, 13p ..."""
    return tuple(arm for arm in (name, f"{name}p", f"{name}q") if arm in ARMS)


def chromosome_event(word: str) -> ChromosomeEvent | None:
    """What a karyotype event such as ``del(5)(q13q33)`` says of arms or fusions; None for any other word.

    A deletion or duplication within an arm counts as loss or gain of the arm, as haematology's "5q-" does. An
    isochromosome gains its arm and loses the other, except for i(12p), which is an extra chromosome in germ-cell
    tumours. ``der(1;19)(q10;p10)`` loses the arms that it does not hold.
    """
    match = _EVENT.fullmatch(word)
    if not match:
        return None
    kind, places = match["kind"], match["chromosomes"].replace(" ", "")
    bands = (match["bands"] or "").replace(" ", "")
    if kind in ("t", "inv", "ins"):
        return ChromosomeEvent(fusion=_fusion(kind, places, bands))
    if kind in ("der", "dic"):
        return ChromosomeEvent(_whole_arm_translocation(places, bands) if not match["sign"] else ())
    arm = _arm(places, bands)
    if not arm:
        return ChromosomeEvent()
    if kind in ("i", "iso", "idic"):
        return ChromosomeEvent(_isochromosome(arm, extra=match["sign"] == "+"))
    call = {"del": -1, "loss": -1, "dup": 1, "gain": 1, "amp": 1, "trp": 1}.get(kind)
    return ChromosomeEvent(((arm, call),) if call else ())


def _fusion(kind: str, places: str, bands: str) -> Fusion | None:
    chromosomes, breakpoints = places.split(";"), bands.split(";") if bands else []
    if len(chromosomes) == 2 and len(breakpoints) in (0, 2):
        order = sorted(range(2), key=lambda i: _place_of(chromosomes[i]))
        chromosomes = [chromosomes[i] for i in order]
        breakpoints = [breakpoints[i] for i in order] if breakpoints else []
    return fusion_of(f"{kind}({';'.join(chromosomes)})", ";".join(breakpoints))


def _place_of(chromosome: str) -> tuple[int, str]:
    """ISCN's order: sex chromosomes first."""
    return (int(chromosome), "") if chromosome.isdecimal() and chromosome.isascii() else (0, chromosome)


def _arm(places: str, bands: str) -> str | None:
    if re.fullmatch(rf"{_CHROMOSOME}[pq](?:\d+(?:\.\d+)?)?(?:[pq]\d+(?:\.\d+)?)?", places):
        return re.match(rf"{_CHROMOSOME}[pq]", places)[0]
    if re.fullmatch(_CHROMOSOME, places) and (letters := set(re.findall("[pq]", bands))):
        return places + letters.pop() if len(letters) == 1 else None
    return places if re.fullmatch(_CHROMOSOME, places) and not bands else None


def isochromosome(arm: str) -> tuple[ArmCall, ...]:
    """The gains and losses of an isochromosome of ``arm``, named without a karyotype."""
    return _isochromosome(arm, extra=False)


def _isochromosome(arm: str, extra: bool) -> tuple[ArmCall, ...]:
    if arm[-1] not in "pq":
        return ()
    other = arm[:-1] + ("q" if arm[-1] == "p" else "p")
    return ((arm, 1),) if extra or arm == "12p" else ((arm, 1), (other, -1))


def _whole_arm_translocation(places: str, bands: str) -> tuple[ArmCall, ...]:
    chromosomes, breakpoints = places.split(";"), bands.split(";")
    if len(chromosomes) != 2 or len(breakpoints) != 2 or not all(re.fullmatch("[pq]10", b) for b in breakpoints):
        return ()
    lost = {"p10": "q", "q10": "p"}
    return tuple((chromosome + lost[band], -1) for chromosome, band in zip(chromosomes, breakpoints, strict=True))
