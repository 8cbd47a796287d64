"""The notation of protein changes: one canonical form for every notation in use."""

import re
from typing import NamedTuple

from .schema import SILENT

_ONE_LETTER = {
    "Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E", "Gly": "G", "His": "H",
    "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F", "Pro": "P", "Sec": "U", "Ser": "S", "Thr": "T",
    "Trp": "W", "Tyr": "Y", "Val": "V", "Ter": "*", "Xaa": "X",
}  # fmt: skip
_THREE_LETTERS = re.compile("|".join(_ONE_LETTER))
_UNTIDY = re.compile(r"[^!-~]|[():%]|[A-Z][a-eg-z]")
"""Something besides one-letter code: a space, a parenthesis, a transcript, VEP's code for "=", or an amino acid in
three letters."""
UNSTATED = frozenset(
    {"", ".", "-", "?", "0", "0?", "NA", "N/A", "nan", "NaN", "None", "none", "null", "NULL", "unknown", "Unknown",
     "UNKNOWN"}
)  # fmt: skip

_A = "[ACDEFGHIKLMNPQRSTUVWYX*]"
_N = "(0{0,5}[1-9][0-9]{0,5})"
_LAST_RESIDUE = 999_999
_SUBSTITUTION = re.compile(rf"({_A}?){_N}({_A}|=)")
PLAIN = "[ACDEFGHIKLMNPQRSTUVWY][1-9][0-9]{0,5}[ACDEFGHIKLMNPQRSTUVWY*]"
"""A substitution in canonical form, but for ``L11L`` (silent) and a lost start codon."""
PLAIN_FRAMESHIFT = (
    r"(?P<residue>[ACDEFGHIKLMNPQRSTUVWY])(?P<codon>[1-9][0-9]{0,5})[ACDEFGHIKLMNPQRSTUVWY*]?fs[*X]?(?:[0-9]+|\?)?"
)
"""A frameshift that begins with one known residue: its canonical form is ``residue``, ``codon``, fs."""
_START_LOST = re.compile(rf"M1(?:\?|{_A}?ext.*|del)")
_STOP_EXTENDED = re.compile(rf"\*{_N}({_A})ext[*X]?(?:[0-9]+|\?)?")
_FRAMESHIFT = re.compile(rf"({_A}*|-){_N}{_A}*fs(?:[*X]?(?:[0-9]+|\?)?)")
_SPLICE = re.compile(rf"({_A}?){_N}(?:_{_A}?[0-9]+)?_?splice")
_RANGED = re.compile(rf"({_A}*){_N}(?:_({_A}?){_N})?(del{_A}*ins|del|dup|ins|>|=)({_A}*)")
_BLOCK = re.compile(rf"{_N}_{_N}({_A}+)>({_A}+)")


class ProteinChange(NamedTuple):
    """A protein change in the canonical notation.

    ``text`` follows HGVS (one-letter, ``*`` for a stop) without ``p.``, parentheses and the length of frameshifts and
    extensions: R175H, R213*, P67fs, X125_splice, E746_A750del, F18dup, V769_D770insASV, 115_116insG,
    L747_T751delinsP, *228Y, M1?, L11=. ``codon`` is the first residue touched, ``consequence`` what the notation
    tells: one of ``CONSEQUENCES`` or ``SILENT``.
    """

    text: str
    codon: int | None
    consequence: str


def parse_protein_change(text: str) -> ProteinChange | None:
    """Read one protein change in any notation in use: HGVS with one or three letters, with or without ``p.`` and
    parentheses, MAF's (``p.EKV3582del``, ``p.9_9Y>YY``, ``p.*228Y``, ``p.X125_splice``) and COSMIC's (``R213X``,
    ``A138Cfs*27``).

    None for whatever is not a protein change; it never raises.
    """
    text = _bare(text)
    if match := _SUBSTITUTION.fullmatch(text):
        before, position, after = match.groups()
        return _replaced(int(position), before or "X", before or "X" if after == "=" else after)
    if text == "=":
        return ProteinChange("=", None, SILENT)
    if _START_LOST.fullmatch(text):
        return _START
    if match := _FRAMESHIFT.fullmatch(text):
        before, position = match.groups()
        residue = before[:1].strip("-X")
        return ProteinChange(f"{residue}{int(position)}fs", int(position), "frameshift")
    if match := _SPLICE.fullmatch(text):
        return splice(int(match[2]))
    if text in ("X_splice", "splice"):
        return splice(None)
    if match := _BLOCK.fullmatch(text):
        start, end, before, after = match.groups()
        return _replaced(int(start), before, after) if int(end) - int(start) + 1 == len(before) else None
    if match := _STOP_EXTENDED.fullmatch(text):
        return _replaced(int(match[1]), "*", match[2])
    if match := _RANGED.fullmatch(text):
        return _ranged(*match.groups())
    return None


def is_unstated(text: str) -> bool:
    """Whether the source says that it gives no protein change (an empty field, ``.``, ``-``, ``p.?`` ...)."""
    return text.strip() in UNSTATED or _bare(text) in UNSTATED


def _bare(text: str) -> str:
    """Without transcript, ``p.``, parentheses and spaces around, and in one-letter code."""
    if not _UNTIDY.search(text):
        return text.removeprefix("p.")
    text = text.replace("%3D", "=").strip("() \t\r\n")
    text = text.rpartition(":")[2].lstrip("( ").removeprefix("p.").strip("() \t")
    if text.isupper() or not text.isascii():
        return text
    return _THREE_LETTERS.sub(lambda match: _ONE_LETTER[match[0]], text)


_START = ProteinChange("M1?", 1, "start_lost")


def splice(position: int | None) -> ProteinChange:
    return ProteinChange(f"X{position or ''}_splice", position, "splice")


def _ranged(before: str, start: str, last: str | None, end: str | None, event: str, after: str) -> ProteinChange | None:
    """A deletion, duplication, insertion or replacement of the residues from ``start`` to ``end``."""
    first = int(start)
    if len(before) > 1 and end is not None:
        return None
    # MAF names a run by its residues and the place of the first: EKV3582del.
    stop = int(end) if end is not None else first + max(len(before), 1) - 1
    inner = "X" * (stop - first - 1)
    residues = before if len(before) > 1 else (before or "X") + (inner + (last or "X") if stop > first else "")
    if stop < first or len(residues) != stop - first + 1 or stop > _LAST_RESIDUE:
        return None
    if event == "del":
        return _replaced(first, residues, "")
    if event == "dup":
        return ProteinChange(f"{_range(first, residues)}dup", first, "inframe")
    if event == "=":
        return None if after else ProteinChange(f"{_range(first, residues)}=", first, SILENT)
    if not after or (event == "ins" and (end is None or stop != first + 1)):
        return None
    # The other events, delins (with or without what it deletes) and ">", are one and the same.
    return _inserted(first, residues, after) if event == "ins" else _replaced(first, residues, after)


def _replaced(first: int, before: str, after: str) -> ProteinChange | None:
    """Residues ``before`` (X where unknown), the first at ``first``, give way to ``after``: the shortest description
    of it."""
    after = after.replace("X", "*")
    if before == after:
        return ProteinChange(f"{_range(first, before)}=", first, SILENT)
    # Prefix before suffix puts the change as far towards the C terminus as the known residues allow (HGVS, 3' rule).
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    tail = 0
    while tail < min(len(before), len(after)) - same and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    kept, rest = before[:same], before[len(before) - tail :]
    first, before, after = first + same, before[same : len(before) - tail], after[same : len(after) - tail]
    if first == 1 and before[:1] == "M" and after[:1] != "M":
        return _START
    if not before:
        return _inserted(first - 1, (kept[-1:] or "X") + (rest[:1] or "X"), after, kept) if first > 1 else None
    if not after:
        return ProteinChange(f"{_range(first, before)}del", first, "stop_lost" if _loses_stop(before) else "inframe")
    # What follows a new stop is never made.
    if after[0] == "*" or len(before) == len(after) == 1:
        return _exchanged(before[0], first, after[0])
    return ProteinChange(f"{_range(first, before)}delins{after}", first, _replacement_class(before, after))


def _exchanged(before: str, position: int, after: str) -> ProteinChange:
    consequence = "nonsense" if after == "*" else "stop_lost" if before == "*" else "missense"
    return ProteinChange(f"{'' if before == 'X' else before}{position}{after}", position, consequence)


def _replacement_class(before: str, after: str) -> str:
    if "*" in after:
        return "nonsense"
    if _loses_stop(before):
        return "stop_lost"
    return "missense" if len(before) == len(after) else "inframe"


def _loses_stop(residues: str) -> bool:
    """Whether the stop is among the ``residues`` that the range is written with (both of its ends, or none)."""
    ends = residues[0] + residues[-1]
    return "*" in ends and "X" not in ends


def _inserted(first: int, flanks: str, after: str, kept: str = "") -> ProteinChange:
    """``after`` is inserted behind residue ``first``; ``flanks`` are its two neighbours, ``kept`` the residues known
    before."""
    after = after.replace("X", "*")
    known = kept or flanks[0]
    if "*" not in after and known.endswith(after):
        start = first - len(after) + 1
        return ProteinChange(f"{_range(start, after)}dup", start, "inframe")
    return ProteinChange(f"{_range(first, flanks)}ins{after}", first, "nonsense" if "*" in after else "inframe")


def _range(first: int, residues: str) -> str:
    """``E746_A750``, ``F18``, or bare numbers where a residue at either end is not known."""
    start = f"{residues[0].strip('X')}{first}"
    if len(residues) == 1:
        return start
    if "X" in (residues[0], residues[-1]):
        return f"{first}_{first + len(residues) - 1}"
    return f"{start}_{residues[-1]}{first + len(residues) - 1}"
