"""Which allele of a VCF record an annotation is about.

Annotators shorten alleles in ways of their own. VEP takes off the first base where all alleles share it, or trims each
allele by itself (``--minimal``, and release 115 by default); SnpEff takes off part of what an allele shares with the
reference. Everything here takes time in proportion to the length of the record.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from .vcf_annotation import EVERY_ALLELE, Effect

_MOST_COMPARISONS = 10_000
"""How many spellings are tried on how many alleles, at most, where no rule of an annotator explains them."""


def by_allele(effects: Sequence[Effect], reference: str, alternatives: Sequence[str]) -> list[list[Effect]]:
    """The effects of each of the ``alternatives``; those that fit none are left out.

    An effect belongs to an allele by its number where that agrees with its spelling, else by its spelling. Where two
    alleles are spelled alike, the effects on one transcript belong to them in the order of ALT.
    """
    spellings = dict.fromkeys(effect.allele for effect in effects)
    if len(alternatives) == 1 and len(spellings) <= 1:
        return [list(effects)]
    everyones = [effect for effect in effects if effect.allele == EVERY_ALLELE]
    if everyones:
        others = by_allele([effect for effect in effects if effect.allele != EVERY_ALLELE], reference, alternatives)
        return [own + everyones for own in others]
    found: list[list[Effect]] = [[] for _ in alternatives]
    alleles = _Alleles(reference, alternatives)
    if all(_number_fits(effect, alleles) for effect in effects):
        for effect in effects:
            found[int(effect.number) - 1].append(effect)
        return found
    owners = _owners(effects, spellings, alleles)
    times: Counter[tuple[str, str]] = Counter()
    for effect in effects:
        if own := owners.get(effect.allele):
            key = (effect.allele, effect.transcript)
            found[own[min(times[key], len(own) - 1)]].append(effect)
            times[key] += 1
    return found


class _Alleles:
    """The alleles of one record, with what each shares with the reference at both ends."""

    def __init__(self, reference: str, alternatives: Sequence[str]) -> None:
        self.reference = reference
        self.alternatives = alternatives
        self.written = [i for i, allele in enumerate(alternatives) if allele.isalpha()]
        self._shared: dict[int, tuple[int, int]] = {}

    def shared(self, i: int) -> tuple[int, int]:
        """How many bases the allele shares with the reference from the start, and from the end."""
        if i not in self._shared:
            pair = self.reference, self.alternatives[i]
            self._shared[i] = _same_start(*pair), _same_start(pair[0][::-1], pair[1][::-1])
        return self._shared[i]

    def fits(self, spelling: str, i: int) -> bool:
        """Whether ``spelling`` is the allele without bases that it shares with the reference at either end."""
        bases = spelling.strip("-")
        allele = self.alternatives[i]
        start, end = self.shared(i)
        gone = len(allele) - len(bases)
        first, last = max(0, gone - end), min(start, gone)
        return 0 <= gone <= len(self.reference) and first <= last and allele.find(bases, first, last + len(bases)) >= 0


def _same_start(first: str, second: str) -> int:
    """How many characters two texts share from their start."""
    length = min(len(first), len(second))
    if first[:length] == second[:length]:
        return length
    return next(i for i in range(length) if first[i] != second[i])


def _number_fits(effect: Effect, alleles: _Alleles) -> bool:
    """Whether the number of the effect's allele agrees with its spelling: of a record that was split after it was
    annotated, it does not."""
    if not effect.number.isdecimal() or not 1 <= len(effect.number) <= 6:
        return False
    i = int(effect.number) - 1
    if not 0 <= i < len(alleles.alternatives):
        return False
    return not effect.allele or not alleles.alternatives[i].isalpha() or alleles.fits(effect.allele, i)


def _owners(effects: Sequence[Effect], spellings: dict[str, None], alleles: _Alleles) -> dict[str, list[int]]:
    """The alleles (places in ALT) that each spelling stands for, by the rule that explains most of the spellings."""
    most: Counter[str] = Counter()
    for (spelling, _), n in Counter((effect.allele, effect.transcript) for effect in effects).items():
        most[spelling] = max(most[spelling], n)

    def explained(owners: dict[str, list[int]]) -> tuple[int, int, int]:
        known = [spelling for spelling in spellings if spelling in owners]
        too_often = sum(most[spelling] > len(owners[spelling]) for spelling in known)
        return len(known), -too_often, sum(len(owners[spelling]) for spelling in known)

    best = max(_rules(alleles), key=explained)
    owners = {spelling: best[spelling] for spelling in spellings if spelling in best}
    taken = {i for own in owners.values() for i in own}
    free = [i for i in alleles.written if i not in taken]
    unknown = [spelling for spelling in spellings if spelling and spelling not in owners]
    if len(unknown) * len(free) <= _MOST_COMPARISONS:
        for spelling in unknown:
            fitting = [i for i in free if alleles.fits(spelling, i)]
            if len(fitting) == 1:
                owners[spelling] = fitting
    return owners


def _rules(alleles: _Alleles) -> Iterator[dict[str, list[int]]]:
    """How each annotator spells the alleles: every spelling with the alleles (places in ALT) that it stands for."""
    reference, written = alleles.reference, [alleles.alternatives[i] for i in alleles.written]
    lengths = {len(allele) for allele in (reference, *written)}
    firsts = {allele[:1] for allele in (reference, *written)}
    anchored = len(lengths) > 1 and len(firsts) == 1
    places = alleles.written
    shared = [alleles.shared(i) for i in places]

    yield _index(places, [allele[1:] if anchored else allele for allele in written])
    yield _index(places, written)
    room = [min(len(reference), len(allele)) for allele in written]
    yield _index(
        places,
        [
            allele[start : len(allele) - min(end, most - start)]
            for allele, (start, end), most in zip(written, shared, room, strict=True)
        ],
    )
    yield _index(
        places,
        [
            allele[min(start, most - end) : len(allele) - end]
            for allele, (start, end), most in zip(written, shared, room, strict=True)
        ],
    )
    yield _index(places, [allele[start:] for allele, (start, _) in zip(written, shared, strict=True)])
    yield _index(
        places,
        [allele[1:] if start and len(allele) != len(reference) else allele
         for allele, (start, _) in zip(written, shared, strict=True)],
    )  # fmt: skip


def _index(places: Sequence[int], spelled: Sequence[str]) -> dict[str, list[int]]:
    owners: dict[str, list[int]] = defaultdict(list)
    for i, spelling in zip(places, spelled, strict=True):
        owners[spelling or "-"].append(i)
    return dict(owners)
