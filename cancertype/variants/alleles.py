"""What two alleles and the bases around them say: the DNA event, its substitution class and trinucleotide."""

_COMPLEMENT = str.maketrans("ACGT", "TGCA")


def dna_event(reference: str, alternative: str) -> tuple[str, str | None]:
    """The DNA event of two alleles and, for a single base replaced by another, its substitution class.

    Alleles may be anchored (VCF) or not (MAF, ``-`` for none); without them the event is ``unknown``.
    """
    before, after = (allele.strip().upper().replace("-", "") for allele in (reference, alternative))
    if before == after or not set(before + after) <= set("ACGT"):
        return "unknown", None
    if len(before) == len(after):
        differ = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
        if len(differ) > 1:
            return "doublet", None
        return "snv", _on_pyrimidine_strand(before[differ[0]], after[differ[0]])
    return ("deletion" if len(before) > len(after) else "insertion"), None


def _on_pyrimidine_strand(before: str, after: str) -> str:
    pair = f"{before}>{after}"
    return pair if before in "CT" else pair.translate(_COMPLEMENT)


def trinucleotide(around: str, substitution: str | None) -> str | None:
    """``A[C>T]G`` from the three bases ``around`` a replaced one, given on either strand; None unless they fit
    together."""
    if substitution is None or len(around) != 3 or not set(around) <= set("ACGT"):
        return None
    if around[1] not in "CT":
        around = around.translate(_COMPLEMENT)[::-1]
    return f"{around[0]}[{substitution}]{around[2]}" if around[1] == substitution[0] else None


def shortest(reference: str, alternative: str) -> tuple[str, str, int]:
    """The alleles without the bases that both begin or end with, and how many bases further the change begins.

    MAF puts an insertion (``-`` for no reference) at the base before it, so that it moves by one.
    """
    before, after = (allele.strip().upper().replace("-", "") for allele in (reference, alternative))
    if before == after:
        return before, after, 0
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    moved = same + (1 if not before and after else 0)
    before, after = before[same:], after[same:]
    while before and after and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    return before, after, moved
