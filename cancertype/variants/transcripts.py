"""One change of a gene in the numbers of two transcripts, or of a protein with and without its initial methionine."""

import re

from .protein_changes import ProteinChange

_OTHER_TRANSCRIPTS = {"MYD88": 13, "EZH2": 5, "FGFR3": 2, "MET": 18, "GNAS": 643, "BRAF": 1, "FBXW7": 80}
"""How far apart the numbers are that two transcripts in use give to the same residue: MYD88 L265P and L252P, EZH2 Y641F
and Y646F, FGFR3 K650E and K652E, MET D1010N and D1028N, GNAS R201H and R844H, BRAF V599E and V600E, FBXW7 R465C and
R385C."""

_OTHER_FRAME = {"CDKN2A": (14, 15)}
"""The same for two proteins that one gene makes in different frames, so that the residues differ too: p16 R80* is
p14ARF P94L."""


def is_second_notation(genes: tuple[str, ...], first: ProteinChange, second: ProteinChange, in_brackets: bool) -> bool:
    """Whether ``second``, which stands behind ``first`` (``in_brackets``, or else behind a slash), states the same
    change of ``genes`` in other numbers.

    In brackets, the same residues at another place do. Behind a slash (``G12D/G13D``) two mutations are as likely, so
    that the places must be as far apart as those of two transcripts of the gene."""
    if first.codon is None or second.codon is None or first.codon == second.codon:
        return False
    apart = abs(first.codon - second.codon)
    if any(apart in _OTHER_FRAME.get(gene, ()) for gene in genes):
        return True
    if _without_numbers(first.text) != _without_numbers(second.text):
        return False
    return in_brackets or any(_OTHER_TRANSCRIPTS.get(gene, 1 if is_histone_h3(gene) else 0) == apart for gene in genes)


def _without_numbers(text: str) -> str:
    return re.sub(r"[0-9]+", "#", text)


_HISTONE_H3 = re.compile(r"H3(?:C[0-9]{1,2}|-3[AB]|-4)")


def is_histone_h3(gene: str) -> bool:
    """Whether a current symbol is that of a gene of histone H3 (H3-3A, H3C2 ...), but for H3-5, which lacks residues of
    the others."""
    return bool(_HISTONE_H3.fullmatch(gene))


_TAIL = "ARTKQTARKSTGGKAPRKQLATKAARKSAPATGGVKKPHRYRPG"
"""The tail of histone H3 without its initial methionine, alike in all these genes but for a residue."""

_KNOWN_WITHOUT_METHIONINE = frozenset({"G34R", "G34V", "G34W", "G34L"})
"""Changes of giant-cell tumours of bone and gliomas. Residue 34 is a glycine with the methionine as well, but a change
of that one is rare."""

_OF_ONE_RESIDUE = re.compile(r"([A-Z])([1-9][0-9]{0,2})([A-Z*]|fs|del)")


def numbered_with_methionine(text: str) -> str:
    """A change of histone H3 in the numbers of HGVS, which count the initial methionine: K28M for K27M, the number that
    pathologists and histone biochemists use. One that already is in them stays as it is."""
    match = _OF_ONE_RESIDUE.fullmatch(text)
    if not match:
        return text
    residue, number, after = match[1], int(match[2]), match[3]
    if text not in _KNOWN_WITHOUT_METHIONINE and (_at(number - 1) == residue or _at(number) != residue):
        return text
    return f"{residue}{number + 1}{after}"


def _at(number: int) -> str:
    """The residue of the mature histone's tail at a place, from 1."""
    return _TAIL[number - 1] if 1 <= number <= len(_TAIL) else ""
