"""Chromosomes, arms and karyotype events (ISCN): ``+8``, ``7q-``, ``del(5q)``, ``i(12p)``, ``t(9;22)(q34;q11.2)``."""

import re
from dataclasses import dataclass

from ..alterations.known_fusions import Fusion, fusion_of
from ..alterations.schema import ARMS

ArmCall = tuple[str, int | None]
"""A chromosome (``7``) or arm (``1p``), and 1 where it is gained, -1 where lost, None where that is said elsewhere."""

_CHROMOSOME = r"(?:2[0-2]|1[0-9]|[1-9]|X|Y)"
_CHR = r"(?:[Cc]hr|CHR)"
ARM = re.compile(
    rf"(?P<sign>[+-]?){_CHR}?(?P<chromosome>{_CHROMOSOME})(?P<arm>[pqPQ])"
    r"(?P<band>\d{1,2}(?:\.\d{1,2})?)?(?P<behind>[+-]?)(?:x\d)?(?:ter)?"
)
_WHOLE = re.compile(
    rf"(?P<sign>[+-])(?P<chromosome>{_CHROMOSOME})(?:x\d|\[\d+\])?|{_CHR}(?P<named>{_CHROMOSOME})(?P<behind>[+-]?)"
)
_WHOLE_BEHIND = re.compile(rf"(?P<chromosome>{_CHROMOSOME})(?P<sign>[+-])")
_TWO_ARMS = re.compile(rf"({_CHROMOSOME}[pqPQ])[-_]?({_CHROMOSOME}[pqPQ])")
_KINDS = "t|inv|del|dup|i|iso|der|ins|add|gain|amp|trp|dic|idic|r|loss|tri|mono"
_EVENT = re.compile(
    rf"(?:i?der\([^()]{{1,10}}\)(?:\([^()]{{1,10}}\))?(?=t\())?(?P<sign>[+-]?)(?P<kind>{_KINDS}|)"
    r"\((?P<chromosomes>[^()]{1,40})\)(?:\((?P<bands>[^()]{1,60})\))?(?:x\d)?(?:\[(?:cp)?\d{1,3}\])?",
)
_WITHOUT_BRACKETS = re.compile(
    rf"(?P<kind>del|dup|iso|i|idic|gain|amp)(?P<arm>{_CHROMOSOME}[pq](?:\d{{1,2}}(?:\.\d{{1,2}})?)?)"
    rf"|(?P<whole>inv|tri|mono)(?P<chromosome>{_CHROMOSOME})|t(?P<both>{_CHROMOSOME}[;/:]{_CHROMOSOME})",
    re.IGNORECASE,
)
"""``del17p``, ``inv16``, ``i17q``, ``t8;21``."""
_SIGN = {"+": 1, "-": -1, "": None}


@dataclass(frozen=True)
class ChromosomeEvent:
    """A karyotype event: the arms or chromosomes that it gains or loses, or the fusion that it makes, or neither."""

    arms: tuple[ArmCall, ...] = ()
    fusion: Fusion | None = None


def named_arms(word: str, signed_behind: bool = False) -> tuple[ArmCall, ...] | None:
    """The arms or chromosomes that a word names, as (``3p`` or ``7``, call); None for other words and for bands.

    ``3p``, ``+1q``, ``7q-``, ``+7``, ``chr7``, ``chr7+``, ``1p19q``; with ``signed_behind`` also ``7+``, which alone
    may be a score.
    """
    if match := ARM.fullmatch(word):
        if match["band"]:
            return None
        return ((match["chromosome"] + match["arm"].lower(), _SIGN[match["sign"] or match["behind"]]),)
    if match := _WHOLE.fullmatch(word):
        name, sign = match["named"] or match["chromosome"], match["sign"] or match["behind"] or ""
        return ((name, _SIGN[sign]),)
    if signed_behind and (match := _WHOLE_BEHIND.fullmatch(word)):
        return ((match["chromosome"], _SIGN[match["sign"]]),)
    if match := _TWO_ARMS.fullmatch(word):
        return (match[1].lower(), None), (match[2].lower(), None)
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
    tumours. ``der(1;19)(q10;p10)`` loses the arms that it does not hold. A derivative chromosome of a translocation,
    ``der(22)t(9;22)(q34;q11)``, is read as the translocation. Brackets may be missing (``del17p``), and the sign of a
    whole chromosome or arm may stand before them (``+(1q)``).
    """
    match = _EVENT.fullmatch(_usual(word))
    if not match or not (match["kind"] or match["sign"]):
        return None
    kind, places = match["kind"], match["chromosomes"]
    bands = match["bands"] or ""
    if kind in ("t", "inv", "ins"):
        return ChromosomeEvent(fusion=_fusion(kind, places, bands))
    if kind in ("der", "dic"):
        return ChromosomeEvent(_whole_arm_translocation(places, bands) if not match["sign"] else ())
    arm = _arm(places, bands)
    if not arm:
        return ChromosomeEvent()
    if kind == "idic" and bands and arm[-1] in "pq":
        arm = _other_arm(arm)  # it is broken in the arm that it lacks
    if kind in ("i", "iso", "idic"):
        return ChromosomeEvent(_isochromosome(arm, extra=match["sign"] == "+"))
    call = _CALLS.get(kind, _SIGN[match["sign"]])
    return ChromosomeEvent(((arm, call),) if call else ())


_CALLS = {
    "del": -1, "loss": -1, "mono": -1, "dup": 1, "gain": 1, "amp": 1, "trp": 1, "tri": 1, "r": None, "add": None,
}  # fmt: skip


def _usual(word: str) -> str:
    """An event as ISCN writes it: ``T(9,22)``, ``t9;22`` and ``t(9:22)`` are ``t(9;22)``."""
    word = "".join(word.split())
    if match := _WITHOUT_BRACKETS.fullmatch(word):
        kind, place = match["kind"] or match["whole"] or "t", match["arm"] or match["chromosome"] or match["both"]
        word = f"{kind}({place})"
    head, bracket, rest = word.partition("(")
    rest = re.sub("[xy](?![a-z])", lambda sex: sex[0].upper(), rest.lower())
    word = head.lower() + bracket + rest
    return re.sub(rf"(?<=t\()({_CHROMOSOME})[:,/]({_CHROMOSOME})(?=\))", r"\1;\2", word)


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
    return ((arm, 1),) if extra or arm == "12p" else ((arm, 1), (_other_arm(arm), -1))


def _other_arm(arm: str) -> str:
    return arm[:-1] + ("q" if arm[-1] == "p" else "p")


def _whole_arm_translocation(places: str, bands: str) -> tuple[ArmCall, ...]:
    chromosomes, breakpoints = places.split(";"), bands.split(";")
    if len(chromosomes) != 2 or len(breakpoints) != 2 or not all(re.fullmatch("[pq]10", b) for b in breakpoints):
        return ()
    lost = {"p10": "q", "q10": "p"}
    return tuple((chromosome + lost[band], -1) for chromosome, band in zip(chromosomes, breakpoints, strict=True))
