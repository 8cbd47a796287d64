"""Copy number, fusions and substitution contexts in the field's own short words."""

from collections.abc import Sequence

import numpy as np

from ..alterations.schema import ARMS
from ..variants.schema import TRINUCLEOTIDES

NONE = "none"


def arms(calls: Sequence[int | None] | None) -> str:
    """Arm calls (39) in the order of the genome: ``gains 7 19q; losses 9p 10``. A chromosome whose two arms agree is
    named whole. "" where no arm was looked at."""
    if calls is None:
        return ""
    call_of = dict(zip(ARMS, calls, strict=True))
    return f"gains {_named(call_of, 1)}; losses {_named(call_of, -1)}"


def _named(call_of: dict[str, int | None], call: int) -> str:
    altered = [arm for arm, each in call_of.items() if each == call]
    names = []
    for arm in altered:
        chromosome, side = arm[:-1], arm[-1]
        whole = f"{chromosome}p" in altered and f"{chromosome}q" in altered
        if not whole:
            names.append(arm)
        elif side == "p":
            names.append(chromosome)
    return " ".join(names) or NONE


def genes(amplified: Sequence[str], deleted: Sequence[str]) -> str:
    """``amplified EGFR; deleted CDKN2A PTEN``; "" without any."""
    parts = [f"{what} {' '.join(found)}" for what, found in (("amplified", amplified), ("deleted", deleted)) if found]
    return "; ".join(parts)


def fusions(found: Sequence[str]) -> str:
    """``fusion TMPRSS2-ERG``; "" without any."""
    return f"fusion {' '.join(found)}" if found else ""


def _group(name: str) -> str:
    """The process that a trinucleotide class is typical of, by the classes that are strongest in its signature."""
    five, exchange, three = name[0], name[2:5], name[-1]
    behind_t = five == "T" and three in "AT"
    if exchange == "C>T":
        if three == "G":
            return "CpG"
        return "ApoT" if behind_t else "UV" if five in "CT" else "CT"
    if exchange == "C>G":
        return "ApoG" if behind_t else "CG"
    if exchange == "C>A":
        return "POLE" if behind_t else "CA"
    if exchange == "T>A":
        return "CTG" if (five, three) == ("C", "G") else "TA"
    if exchange == "T>C":
        return "ATN" if five == "A" else "TC"
    return "CTT" if (five, three) == ("C", "T") else "TG"


_GROUP_OF = [_group(name) for name in TRINUCLEOTIDES]
GROUPS = tuple(dict.fromkeys(_GROUP_OF))
"""CpG: deamination of methylated cytosine (SBS1). ApoT and ApoG: C>T and C>G with T before and A or T behind (SBS2,
SBS13: APOBEC). POLE: C>A there (SBS10a). UV: other C>T behind a pyrimidine (SBS7). CTG: T>A there (SBS22). ATN: T>C
behind A (SBS5, SBS16). CTT: T>G there (SBS17). The others are the rest of their substitution (COSMIC v3.4)."""


def contexts(shares: Sequence[float] | None) -> str:
    """Shares (96) of the trinucleotide classes, summed by process: ``CA3 POLE0 ...``; "" where unknown.

    Each share s is a digit, 9 times the root of s rounded, which tells small shares apart: 3 is about a tenth."""
    if shares is None:
        return ""
    totals = dict.fromkeys(GROUPS, 0.0)
    for group, share in zip(_GROUP_OF, np.asarray(shares, float), strict=True):
        totals[group] += share
    return " ".join(f"{group}{min(9, int(9 * total**0.5 + 0.5))}" for group, total in totals.items())
