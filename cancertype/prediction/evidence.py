"""What speaks for an answer in the training cases: "APC truncated: in 71% of colorectal cancers, 4% elsewhere"."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..alterations.of_cases import AMPLIFIED, DELETED, OfCases
from ..features.associations import altered
from ..labels import LABELS
from ..variants.cases import SourceTables
from ..variants.genes import fusion_genes
from ..variants.schema import TRUNCATING

MOST = 12

_MANY = 20
"""Training cases with one exact change that speak for themselves; fewer are shown beside those of the whole gene."""
_WORDS = {"truncated": "truncated", "gene": "mutated"}

CALLS = {"amplified": AMPLIFIED, "deleted": DELETED}
"""What is said of a gene's copy number, and the call that it is."""


@dataclass(frozen=True)
class Fact:
    """An alteration of the case, and the shares of training cases with it: ``share`` of the label's, ``elsewhere`` of
    those of all other labels, of ``n`` cases of the label in which it would be known. ``gene``: the one to look up;
    None for arms. ``bits``: log2 of share over elsewhere, both with one case more that has it as often as all
    training cases do, so that few cases say little."""

    alteration: str
    gene: str | None
    share: float
    elsewhere: float
    bits: float
    n: int


class Associations:
    """The table of ``features.associations``, ready to be asked."""

    def __init__(self, table: pa.Table):
        names = zip(table["kind"].to_pylist(), table["name"].to_pylist(), strict=True)
        self._row = {key: number for number, key in enumerate(names)}
        cut = {name: name.split(", ") for kind, name in self._row if kind == "arms"}
        self._pairs = {name: frozenset(parts) for name, parts in cut.items() if len(parts) == 2}
        shape = (table.num_rows, len(LABELS))
        self._found, self._looked_at = (
            np.asarray(table[name].combine_chunks().flatten()).reshape(shape) for name in ("found", "looked_at")
        )

    def facts(self, tables: SourceTables, labels: dict[str, str]) -> dict[str, list[Fact]]:
        """For each case in ``labels`` (case to the label in question): what the training cases say of its alterations,
        the most telling first, at most ``MOST``."""
        names = list(labels)
        of_cases = OfCases.of(tables.alterations, names)
        mutations = _mutations(tables.variants, names)
        arms = altered(of_cases.arms)
        found = {}
        for row, name in enumerate(names):
            here = {word for word, has in arms.items() if has[row]}
            facts = [
                *(fact for mutation in mutations.get(name, ()) for fact in self._of_mutation(*mutation, labels[name])),
                *(self._fact("arms", word, word, labels[name]) for word in self._named_arms(here)),
                *self._events(of_cases, row, labels[name]),
            ]
            # Two mutations of one gene say the same of it.
            once = {fact.alteration: fact for fact in facts if fact}
            found[name] = sorted(once.values(), key=lambda fact: (-abs(fact.bits), fact.alteration))[:MOST]
        return found

    def _of_mutation(self, gene: str, change: str, consequence: str, label: str) -> Iterator[Fact]:
        """What is known of a mutation: of its exact change, and of the gene truncated or mutated where that is all, or
        says more, because the mutation truncates or few cases have this very change."""
        exact = self._fact("change", f"{gene} {change}", f"{gene} {change}", label)
        if exact:
            yield exact
        wider = ("truncated", "gene") if consequence in TRUNCATING else ("gene",)
        for kind, words in zip(wider, (f"{gene} {_WORDS[kind]}" for kind in wider), strict=True):
            if fact := self._fact(kind, gene, words, label):
                if not exact or self._says_more(kind, gene, f"{gene} {change}"):
                    yield fact
                return

    def _says_more(self, kind: str, gene: str, change: str) -> bool:
        """Whether what is counted of a gene is worth showing beside one of its changes."""
        of_gene, of_change = (int(self._found[self._row[key]].sum()) for key in ((kind, gene), ("change", change)))
        return of_gene > of_change and (kind == "truncated" or of_change < _MANY)

    def _named_arms(self, here: set[str]) -> Iterator[str]:
        """The pairs that the table knows, then what is left: whole chromosomes, then arms."""
        said: set[str] = set()
        for name, pair in self._pairs.items():
            if pair <= here:
                said |= pair
                yield name
        for name in here:
            chromosome, word = name.split()
            if name not in said and not (chromosome[-1] in "pq" and f"{chromosome[:-1]} {word}" in here):
                yield name

    def _events(self, of_cases: OfCases, row: int, label: str) -> Iterator[Fact | None]:
        for kind, call in CALLS.items():
            for place in np.flatnonzero(of_cases.calls[row] == call).tolist():
                gene = of_cases.genes[place]
                yield self._fact(kind, gene, f"{gene} {kind}", label)
        for fusion in sorted(of_cases.fusions[row] or ()):
            if fact := self._fact("fusion", fusion, f"{fusion} fusion", label):
                yield fact
            else:
                yield from (self._fact("fusion_gene", gene, f"{gene} fused", label) for gene in fusion_genes(fusion))

    def _fact(self, kind: str, name: str, words: str, label: str) -> Fact | None:
        """The fact of a row of the table; None where there is no such row, or nothing to compare."""
        row = self._row.get((kind, name))
        if row is None:
            return None
        own, n = (int(counts[row, LABELS.index(label)]) for counts in (self._found, self._looked_at))
        others, of_others = int(self._found[row].sum()) - own, int(self._looked_at[row].sum()) - n
        if not n or not of_others:
            return None
        often = (own + others) / (n + of_others)
        share, elsewhere = (own + often) / (n + 1), (others + often) / (of_others + 1)
        gene = None if kind == "arms" else fusion_genes(name)[-1] if kind == "fusion" else name.split()[0]
        return Fact(words, gene, own / n, others / of_others, float(np.log2(share / elsewhere)), n)


def _mutations(variants: pa.Table, case_ids: list[str]) -> dict[str, list[tuple[str, str, str]]]:
    """Case to gene, protein change and consequence of its mutations."""
    wanted = frozenset(case_ids)
    columns = ("case_id", "gene", "protein_change", "consequence")
    found: dict[str, list[tuple[str, str, str]]] = {}
    for case, *mutation in zip(*(pc.cast(variants[c], pa.string()).to_pylist() for c in columns), strict=True):
        if case in wanted:
            found.setdefault(case, []).append(tuple(mutation))
    return found
