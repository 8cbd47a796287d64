"""What the notation of a coding-DNA change (``c.375+1G>T``, ``c.68_69delAG``) says about its consequence."""

import re

from .schema import NON_CODING

PROMOTER = "promoter"
"""A change before the transcript's start codon that lies in the promoter. It changes no protein."""

UNKNOWN = "unknown"
"""A change within the coding sequence whose effect on the protein the notation does not state."""

_PLACE = r"(?P<{0}>[-*]?\d{{1,6}})(?P<{0}_offset>[+-]\d{{1,6}})?"
_CHANGE = re.compile(
    r"(?:c\.)?\(?"
    + _PLACE.format("start")
    + r"(?:_"
    + _PLACE.format("end")
    + r")?(?P<event>delins|del|dup|ins|inv|[ACGTN]{1,50}>[ACGTN]{1,50}|>[ACGTN]{1,50}|=)"
    + r"(?P<rest>[0-9A-Za-z]{0,200})\)?",
    re.IGNORECASE,
)
_OLD_SUBSTITUTION = re.compile(r"c\.([ACGT])(\d{1,6})([ACGT])", re.IGNORECASE)
_OLD_INTRON = re.compile(r"(?:c\.)?IVS\d{1,3}(?P<offset>[+-]\d{1,6})\S{0,50}", re.IGNORECASE)
_PROMOTER_OF_TERT = re.compile(
    r"(?:[CG]228[TA]|[CG]250[TA]|[ACGT]?1295(?:228|250)(?:[ACGT]>[ACGT]|[ACGT])|g\.1295(?:228|250)[ACGT]>[ACGT])",
    re.IGNORECASE,
)
_SPLICE_SITE = 2
"""Bases of an intron beside each exon that splicing needs."""


def coding_consequence(text: str) -> str | None:
    """The consequence of a coding-DNA change: one of ``schema.CONSEQUENCES``, ``schema.NON_CODING``, ``PROMOTER`` or
    ``UNKNOWN``. None for what is no such change.

    An intron's first and last two bases are a splice site, the rest of it is not coded. A deletion, duplication or
    insertion shifts the reading frame unless its net length is a multiple of three. A change of codon 1 loses the
    start. Bases before the start codon count as promoter from -50 on (the hot spots of TERT are -57, -124 and -146) and
    as untranslated before that. A substitution's effect needs the sequence, so it is ``UNKNOWN``.
    """
    if len(text) > 300:
        return None
    if _OLD_SUBSTITUTION.fullmatch(text):
        return "start_lost" if int(text[3:-1]) <= 3 else UNKNOWN
    if match := _OLD_INTRON.fullmatch(text):
        return "splice" if abs(int(match["offset"])) <= _SPLICE_SITE else NON_CODING
    match = _CHANGE.fullmatch(text)
    if not match or not (text[:2].lower() == "c." or match["start_offset"] or match["start"][0] == "-"):
        return None
    return _of_parts(match)


def is_tert_promoter(text: str) -> bool:
    """Whether ``text`` is one of the promoter changes of TERT as reports write them: C228T, C250T, 1295228C>T."""
    return bool(_PROMOTER_OF_TERT.fullmatch(text))


def _of_parts(match: re.Match[str]) -> str:
    start, end = match["start"], match["end"] or match["start"]
    if start[0] == "*":
        return NON_CODING
    if match["event"] == "=":
        return NON_CODING
    if start[0] == "-" and end[0] == "-":
        return PROMOTER if min(int(start), int(end)) <= -50 else NON_CODING
    offsets = [int(match[f"{place}_offset"] or 0) for place in ("start", "end")]
    if not match["end"]:
        offsets[1] = offsets[0]
    if all(offsets):
        same_intron = start == end and offsets[0] * offsets[1] > 0
        near = any(abs(offset) <= _SPLICE_SITE for offset in offsets)
        return "splice" if near or not same_intron else NON_CODING
    if any(offsets):
        return "splice"
    if start[0] == "-" or int(start) <= 3:
        return "start_lost"
    return _of_length(match, int(start), int(end.lstrip("*-") or 0))


def _of_length(match: re.Match[str], start: int, end: int) -> str:
    event, rest = match["event"].lower(), match["rest"]
    span = max(end - start + 1, 1)
    if ">" in event:
        before, _, after = event.partition(">")
        return _of_net(len(after) - (len(before) or span)) if len(before) != len(after) else UNKNOWN
    if event == "delins" or (event == "del" and "ins" in rest.lower()):
        inserted = _length(re.split("ins", rest, flags=re.IGNORECASE)[-1])
        return UNKNOWN if inserted is None else _of_net(inserted - span, replaced=True)
    if event == "inv":
        return UNKNOWN
    if event == "ins":
        inserted = _length(rest)
        return UNKNOWN if inserted is None else _of_net(inserted)
    length = span if match["end"] else _length(rest) or 1
    return _of_net(length)


def _length(bases: str) -> int | None:
    """Of ``AG`` (2) or ``18`` (18); None where it is not stated."""
    if bases.isdigit():
        return int(bases)
    return len(bases) if bases and set(bases.upper()) <= set("ACGTN") else None


def _of_net(length: int, replaced: bool = False) -> str:
    if length == 0 and replaced:
        return UNKNOWN
    return "frameshift" if length % 3 else "inframe"
