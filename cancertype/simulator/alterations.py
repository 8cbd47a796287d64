"""Every alteration that the simulator can draw: single bases and doublets of a codon, splice sites, and a pool of
indels.

An alteration knows its alleles and how it is written; only the gene and the position are added later. So amino acids
agree with the bases by construction. Codon usage: Kazusa database, Homo sapiens (93,487 coding sequences), per thousand
codons.
"""

from dataclasses import dataclass

import numpy as np

BASES = "TCAG"
CODONS = tuple(a + b + c for a in BASES for b in BASES for c in BASES)
AMINO_ACIDS = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
"""The standard genetic code in the order of ``CODONS``."""

# fmt: off
_USAGE = (17.6, 20.3, 7.7, 12.9, 15.2, 17.7, 12.2, 4.4, 12.2, 15.3, 1.0, 0.8, 10.6, 12.6, 1.6, 13.2,
          13.2, 19.6, 7.2, 39.6, 17.5, 19.8, 16.9, 6.9, 10.9, 15.1, 12.3, 34.2, 4.5, 10.4, 6.2, 11.4,
          16.0, 20.8, 7.5, 22.0, 13.1, 18.9, 15.1, 6.1, 17.0, 19.1, 24.4, 31.9, 12.1, 19.5, 12.2, 12.0,
          11.0, 14.5, 7.1, 28.1, 18.4, 27.7, 15.8, 7.4, 21.8, 25.1, 29.0, 39.6, 10.8, 22.2, 16.5, 16.5)
# fmt: on
CODON_USAGE = np.array(_USAGE) / 1000
TRANSLATION = dict(zip(CODONS, AMINO_ACIDS, strict=True))
SUBSTITUTIONS = ("C>A", "C>G", "C>T", "T>A", "T>C", "T>G")
COMPLEMENT = str.maketrans("ACGT", "TGCA")

EFFECTS = (
    "missense",
    "silent",
    "nonsense",
    "stop_lost",
    "start_lost",
    "splice",
    "frameshift_deletion",
    "frameshift_insertion",
    "inframe_deletion",
    "inframe_insertion",
)
EFFECT = {name: number for number, name in enumerate(EFFECTS)}
TRUNCATING = tuple(
    EFFECT[name] for name in ("nonsense", "start_lost", "splice", "frameshift_deletion", "frameshift_insertion")
)

_INDEL_KINDS = 1024
_INDEL_SEED = 20260101
# Lengths in bases and their shares among TCGA's deletions and insertions (multiples of three are in frame).
_FRAMESHIFT_LENGTHS = {1: 0.83, 2: 0.1, 4: 0.05, 5: 0.02}
_INFRAME_RESIDUES = {1: 0.75, 2: 0.14, 3: 0.06, 5: 0.05}


@dataclass(frozen=True)
class Alteration:
    """One way to alter coding DNA. ``reference`` and ``alternative`` are read on the coding strand ("" for no base).

    ``offset``: bases between the codon's first base and the alteration. ``span``: residues after the first one that the
    protein change names (0 = one residue). ``before``, ``infix``, ``after``: the protein change around its positions.
    """

    effect: str
    reference: str
    alternative: str
    before: str
    after: str
    offset: int = 0
    weight: float = 1.0
    infix: str = ""
    span: int = 0
    codon: str = ""
    altered_codon: str = ""

    @property
    def substitution(self) -> int:
        """Index into ``SUBSTITUTIONS``, or -1 for anything but a single-base substitution."""
        if len(self.reference) != 1 or len(self.alternative) != 1:
            return -1
        pair = (self.reference, self.alternative)
        if self.reference in "AG":
            pair = tuple(base.translate(COMPLEMENT) for base in pair)
        return SUBSTITUTIONS.index(">".join(pair))


def translated(codons: str) -> str:
    """The amino acids of a sequence of whole codons."""
    return "".join(TRANSLATION[codons[i : i + 3]] for i in range(0, len(codons), 3))


def _coding(codon: str, altered: str, offset: int, length: int, weight: float) -> Alteration:
    before, after = TRANSLATION[codon], TRANSLATION[altered]
    if before == after:
        effect, after = "silent", "="
    elif before == "*":
        effect, after = "stop_lost", f"{after}ext*35"
    else:
        effect = "nonsense" if after == "*" else "missense"
    part = slice(offset, offset + length)
    names = {"codon": codon, "altered_codon": altered}
    return Alteration(effect, codon[part], altered[part], before, after, offset, weight, **names)


def _single_bases() -> list[Alteration]:
    return [
        _coding(codon, codon[:offset] + base + codon[offset + 1 :], offset, 1, usage)
        for codon, usage in zip(CODONS, CODON_USAGE, strict=True)
        for offset in range(3)
        for base in BASES
        if base != codon[offset]
    ]


def _doublets() -> list[Alteration]:
    """CC>TT (and GG>AA on the other strand) is the doublet of ultraviolet light and has ten times the usual weight."""
    return [
        _coding(codon, codon[:offset] + pair + codon[offset + 2 :], offset, 2, usage * (10 if ultraviolet else 1))
        for codon, usage in zip(CODONS, CODON_USAGE, strict=True)
        for offset in range(2)
        for pair in (a + b for a in BASES for b in BASES)
        if pair[0] != codon[offset] and pair[1] != codon[offset + 1]
        for ultraviolet in [(codon[offset : offset + 2], pair) in {("CC", "TT"), ("GG", "AA")}]
    ]


def _start_lost() -> list[Alteration]:
    return [
        Alteration("start_lost", site, base, "M", "?", i, codon="ATG", altered_codon="ATG"[:i] + base + "ATG"[i + 1 :])
        for i, site in enumerate("ATG")
        for base in BASES
        if base != site
    ]


def _splice() -> list[Alteration]:
    """The four bases of the donor GT and the acceptor AG, each altered to any other."""
    return [Alteration("splice", site, base, "X", "_splice") for site in "GTAG" for base in BASES if base != site]


def _indels() -> list[Alteration]:
    """A fixed pool, drawn once from codon usage. It has a seed of its own, so no setting changes it."""
    rng = np.random.default_rng(_INDEL_SEED)
    sense = [i for i, acid in enumerate(AMINO_ACIDS) if acid != "*"]
    usage = CODON_USAGE[sense] / CODON_USAGE[sense].sum()

    def codons(n: int) -> str:
        return "".join(CODONS[sense[i]] for i in rng.choice(len(sense), n, p=usage))

    def pick(shares: dict[int, float]) -> int:
        return int(rng.choice(list(shares), p=list(shares.values())))

    pool = []
    for _ in range(_INDEL_KINDS):
        for kind in ("frameshift_deletion", "frameshift_insertion"):
            codon, length = codons(1), pick(_FRAMESHIFT_LENGTHS)
            after = f"{translated(codons(1))}fs*{rng.integers(2, 60)}"
            deleted = (codon + codons(1))[:length] if kind == "frameshift_deletion" else ""
            inserted = "" if deleted else codons(2)[:length]
            pool.append(Alteration(kind, deleted, inserted, translated(codon), after, codon=codon))
    for _ in range(_INDEL_KINDS // 2):
        deleted = codons(pick(_INFRAME_RESIDUES))
        acids = translated(deleted)
        infix = f"_{acids[-1]}" if len(acids) > 1 else ""
        place = {"infix": infix, "span": len(acids) - 1, "codon": deleted[:3]}
        pool.append(Alteration("inframe_deletion", deleted, "", acids[0], "del", **place))
        left, inserted = codons(1), codons(pick(_INFRAME_RESIDUES))
        place = {"offset": 3, "infix": f"_{translated(codons(1))}", "span": 1, "codon": left}
        pool.append(
            Alteration("inframe_insertion", "", inserted, translated(left), f"ins{translated(inserted)}", **place)
        )
    return pool


ALTERATIONS: tuple[Alteration, ...] = tuple(_single_bases() + _doublets() + _start_lost() + _splice() + _indels())
"""All alterations; draws refer to them by index."""

EFFECT_OF = np.array([EFFECT[a.effect] for a in ALTERATIONS], np.int8)
SUBSTITUTION_OF = np.array([a.substitution for a in ALTERATIONS], np.int8)
WEIGHT_OF = np.array([a.weight for a in ALTERATIONS])
IS_DOUBLET = np.array([len(a.reference) == len(a.alternative) == 2 for a in ALTERATIONS])


def of_effect(effect: str) -> np.ndarray:
    """Indices of the alterations with ``effect``, without doublets."""
    return np.flatnonzero((EFFECT[effect] == EFFECT_OF) & ~IS_DOUBLET)


def for_protein_change(before: str, after: str) -> np.ndarray:
    """Indices of the alterations that turn residue ``before`` into ``after`` ("*" = stop); single bases if possible."""
    fits = np.array([a.codon != "" and a.before == before and a.after == after for a in ALTERATIONS])
    single = np.flatnonzero(fits & ~IS_DOUBLET)
    return single if len(single) else np.flatnonzero(fits)
