"""Mutations as people write them: ``BRAF V600E, CDKN2A R80*``; a line ``name: mutations`` begins a sample."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from ..variants import canonical, schema
from ..variants.cases import Dropped, SourceTables, unlabelled
from ..variants.genes import known_genes
from ..variants.protein_changes import ProteinChange, parse_protein_change

SOURCE = "text"

_EVENTS = {
    "nonsense": "stop nonsense truncating truncation truncated ptc lof",
    "frameshift": "fs frameshift",
    "splice_site": "splice splicing splice-site splice_site",
    "inframe": "inframe in-frame",
    "start_lost": "start-loss start_lost startloss",
    "stop_lost": "stop-loss stop_lost stoploss nonstop",
    "missense": "missense",
}
_EVENT_OF = {word: event for event, words in _EVENTS.items() for word in words.split()}
_ROLES = {
    "filler": """
    mutation mutations mutated mutant mut variant variants pathogenic somatic likely hotspot activating inactivating
    het heterozygous homozygous site and with plus in the of + & / p. is are exon
    """,
    # Before or behind a gene, these speak of everything between two separators.
    "negation": "no not without absent none",
    "no small mutation": """
    wt wildtype wild-type negative unmutated germline amplification amplified amp gain loss deletion deleted homdel
    fusion fused rearrangement rearranged translocation methylation methylated overexpression
    """,
}
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words.split()}
_CODING_DNA = re.compile(r"[cgn]\.\S+")
_ACCESSION = re.compile(r"(?:N[MPRC]_|ENS[TPG])[0-9]+(?:\.[0-9]+)?")
_SYMBOL = re.compile(r"[A-Z][A-Z0-9-]{1,}(?:orf[0-9]+)?")
_EXAMPLES = 5


@dataclass(frozen=True)
class Problem:
    """Something in a file that is not understood or not used: the ``line`` or row (from 1), and what is wrong."""

    line: int
    what: str


def read(lines: Iterable[str], name: str = "text") -> tuple[SourceTables, list[Problem]]:
    """Read ``lines`` of text, and what in them was not understood; never raises.

    Commas, semicolons and line ends part mutations. A line ``name: mutations`` begins a sample; what comes before the
    first such line is the sample ``name``. A mutation is a gene and a protein change (any notation of
    ``notation.parse_protein_change``), a gene and what happens to it (stop, fs, splice, inframe ...), or a gene alone,
    which is taken for a change that leaves a full-length protein. A gene said to be wild type, amplified, fused or
    otherwise without a small mutation does not count, nor does a gene of which only words that are not understood tell.
    """
    reader = _Reader(name)
    for number, line in enumerate(lines, 1):
        reader.line(number, line)
    rows = {column: [mutation[i] for mutation in reader.mutations] for i, column in enumerate(_COLUMNS)}
    distinct = pa.table({column: pa.array(values, pa.string()) for column, values in rows.items()})
    table, dropped = canonical.table(distinct, SOURCE)
    if reader.problems:
        shown = tuple(f"line {problem.line}: {problem.what}" for problem in reader.problems[:_EXAMPLES])
        dropped = [Dropped(SOURCE, "word", "not understood or not used", len(reader.problems), shown), *dropped]
    return SourceTables(unlabelled(list(reader.samples), SOURCE, "tumour"), table, dropped), reader.problems


_COLUMNS = ("case_id", "gene", "protein_change", "consequence")


@dataclass
class _Reader:
    """Goes through the lines; ``mutations`` and ``samples`` are dicts because what is said twice counts once."""

    sample: str
    mutations: dict[tuple[str, str, str, str], None] = field(default_factory=dict)
    samples: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, number: int, text: str) -> None:
        text = "" if text.startswith("#") else text.strip().lstrip("-•* ")
        before, colon, after = text.partition(":")
        if colon and _names_a_sample(before, after):
            self.sample, text = before.strip(), after
            self.samples[self.sample] = None
        gene = None
        for item in re.split(r"[,;]", text):
            if words := _words(item):
                self.samples[self.sample] = None
                gene = self._item(number, words, gene)

    def _item(self, number: int, words: list[str], gene: str | None) -> str | None:
        """Read what stands between two separators; returns the last gene, to which a protein change may follow."""
        negated = "negation" in {_ROLE_OF.get(word.lower()) for word in words}
        for mention in _mentions(words, gene):
            found, unclear = mention.read(negated)
            self.mutations |= {(self.sample, *mutation): None for mutation in found}
            self.problems += [Problem(number, what) for what in unclear]
            gene = mention.gene
        return gene


@dataclass
class _Mention:
    """A gene and the words behind it; ``named`` False when the gene stood before the last separator, ``known`` False
    when its symbol is none of ``known_genes``."""

    gene: str | None
    named: bool
    words: list[str] = field(default_factory=list)
    known: bool = True

    def read(self, negated: bool) -> tuple[list[tuple[str, str, str]], list[str]]:
        """Mutations as gene, protein change and consequence, and what is not understood or not counted."""
        named, said = self.gene, " ".join(filter(None, (self.gene, *self.words)))
        if negated or "no small mutation" in {_ROLE_OF.get(word.lower()) for word in self.words}:
            says_something = self.named or any(word.lower() not in _ROLE_OF for word in self.words)
            return [], [f"{said!r} states no small somatic mutation: not counted"] if says_something else []
        found, unclear = [], []
        if not self.known:
            unclear.append(f"{self.gene!r} is no gene symbol known here: counted, but it may tell nothing")
        for word in self.words:
            change, event = _change(word), _EVENT_OF.get(word.lower())
            if word.lower() in _ROLE_OF or _CODING_DNA.fullmatch(word) or _ACCESSION.fullmatch(word):
                continue
            if self.gene and change and change.consequence == schema.SILENT:
                unclear.append(f"{self.gene} {word} is silent: not counted")
            elif self.gene and (change or event):
                found.append((self.gene, change.text if change else "", "" if change else event))
            elif change or event:
                unclear.append(f"{word!r} stands behind no known gene: not counted")
            else:
                unclear.append(f"{word!r} is no gene symbol known here, protein change or consequence")
                # What follows may belong to a gene that is not known.
                self.gene = None
        if self.named and not found and unclear:
            unclear[-1] += f" ({named} is not counted either)"
        elif self.named and not found:
            found.append((named, "", "missense"))
        return found, unclear


def _mentions(words: list[str], gene: str | None) -> list[_Mention]:
    mentions = [_Mention(gene, False)]
    for i, word in enumerate(words):
        # Some symbols (A2M, C1R) read as protein changes too: behind a gene they are.
        symbol = None if mentions[-1].named and _change(word) else _gene(word, first=i == 0)
        if symbol:
            mentions.append(_Mention(symbol, True))
        elif _is_shaped_like_a_gene(word) and i + 1 < len(words) and _is_mutation(words[i + 1]):
            mentions.append(_Mention(word, True, known=False))
        else:
            mentions[-1].words.append(word)
    return mentions


def _is_shaped_like_a_gene(word: str) -> bool:
    return bool(_SYMBOL.fullmatch(word)) and not _change(word) and word.lower() not in (*_ROLE_OF, *_EVENT_OF)


def _is_mutation(word: str) -> bool:
    return _change(word) is not None or word.lower() in _EVENT_OF


def _words(item: str) -> list[str]:
    """The words of an item, ``BRAF(V600E)``, ``BRAF:p.V600E`` and ``BRAF-V600E`` being two."""
    words = []
    for word in re.sub(r"[()\[\]{}:\"'`]", " ", item).split():
        word = word.rstrip(".!")
        gene, _, change = word.replace("-", "_", 1).partition("_")
        if _gene(gene, first=False) and not _gene(word, first=False) and _change(change):
            words += [gene, change]
        elif word:
            words.append(word)
    return words


def _change(word: str) -> ProteinChange | None:
    return parse_protein_change(word) or parse_protein_change(word.upper())


def _gene(word: str, first: bool) -> str | None:
    """The current symbol of a gene; one that is not in its usual capitals only as the ``first`` word of an item."""
    symbol = known_genes().get(word.upper())
    usual = word.isupper() or "orf" in word
    return symbol if symbol and len(word) > 1 and (usual or first) and word.lower() not in _ROLE_OF else None


def _names_a_sample(before: str, after: str) -> bool:
    words = before.split()
    if not words or re.search(r"[,;]", before) or after.lstrip().startswith(("p.", "c.")):
        return False
    return _gene(words[0], first=len(words) == 1) is None and not _ACCESSION.fullmatch(words[0])
