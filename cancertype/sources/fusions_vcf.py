"""Fusions from a VCF of structural variants whose genes SnpEff (INFO/ANN) or VEP (INFO/CSQ) named.

Breakends (VCF 4.3, section 5.4) join two places; deletions, duplications and inversions join their own two ends. The
order 5' to 3' follows from which part of each gene is kept, where VEP states the strand. Known fusions have their usual
order whichever derivative is listed.
"""

import re
from dataclasses import dataclass
from functools import cache

from ..alterations import genome
from ..alterations.known_fusions import in_usual_order
from ..errors import InputError
from ..tables.accounts import RowTally
from ..tables.rows import TextTable
from .alteration_file import fusion_gene, tumours_of

Pair = tuple[str, str | None, str | None]
"""Sample, 5' gene, 3' gene."""

_NOT_PASSED = "marked by FILTER"
_NOT_CALLED = "not called in any tumour sample"
_NOT_STRUCTURAL = "no structural variant"
_NO_TWO_GENES = "does not join two genes"
_NO_MATE = "a breakend without its mate"
_SEVERAL = "no genotype, and more than one tumour sample that could carry it"
_OUTSIDE = re.compile(r"upstream_gene|downstream_gene|intergenic|regulatory|TF_binding")
_WHOLE = re.compile(r"transcript_ablation|transcript_amplification")
_LEFT, _RIGHT = "left", "right"
_KEPT = {"DEL": (_LEFT, _RIGHT), "DUP": (_RIGHT, _LEFT)}
"""Which side of the first and of the second end of a variant is kept where the two are joined."""


@dataclass(frozen=True)
class _Gene:
    symbol: str
    strand: str


@dataclass(frozen=True)
class _Record:
    """One line: its genes, the part of the genome that a breakend keeps, and the samples that carry it."""

    line: int
    genes: tuple[_Gene, ...]
    kept: str
    carriers: tuple[str, ...]


def read(table: TextTable, sample: str | None) -> tuple[list[Pair], RowTally]:
    """The fusions of a VCF and what became of its records. Raises ``InputError`` where no genes are annotated."""
    annotated = _Annotation.of(table)
    tumours = tumours_of(table, sample)
    tally, pairs = RowTally(), []
    waiting: dict[str, _Record] = {}
    for number, fields in table.rows():
        details = dict(part.partition("=")[::2] for part in fields[7].split(";"))
        kind = _kind(fields[4], details)
        carriers = _carriers(fields, tumours)
        if reason := _refusal(fields[6], kind, carriers):
            tally.leave_out(reason, examples=[f"line {number}"])
            continue
        stated = annotated.fusions(details)
        record = _Record(number, annotated.genes(details), _kept(fields[4]), tuple(carriers))
        if not stated and kind == "BND":
            mate = details.get("MATEID", details.get("PARID", "")).partition(",")[0]
            if mate not in waiting:
                waiting[fields[2]] = record
                continue
            stated = _joined(waiting.pop(mate), record)
            _take(stated, record.carriers, 2, number, pairs, tally)
            continue
        stated = stated or _within(record, kind)
        _take(stated, record.carriers, 1, number, pairs, tally)
    for record in waiting.values():
        tally.leave_out(_NO_MATE, examples=[f"line {record.line}"])
    return pairs, tally


def _take(
    stated: list[tuple[str, str]], carriers: tuple[str, ...], n: int, number: int, pairs: list[Pair], tally: RowTally
) -> None:
    if not stated:
        tally.leave_out(_NO_TWO_GENES, n, [f"line {number}"])
        return
    tally.used += n
    usual = dict.fromkeys(in_usual_order(*pair) for pair in stated)  # both derivatives of a translocation are it
    pairs += [(case, five, three) for case in carriers for five, three in usual]


def _kind(alternative: str, details: dict[str, str]) -> str:
    if "[" in alternative or "]" in alternative:
        return "BND"
    name = details.get("SVTYPE") or alternative.strip("<>").partition(":")[0]
    return {"TRA": "BND"}.get(name, name) if name in ("DEL", "DUP", "INV", "BND", "TRA") else ""


def _refusal(filters: str, kind: str, carriers: list[str] | None) -> str | None:
    if filters not in ("PASS", ".", ""):
        return _NOT_PASSED
    if not kind:
        return _NOT_STRUCTURAL
    if carriers is None:
        return _SEVERAL
    return None if carriers else _NOT_CALLED


def _carriers(fields: list[str], tumours: dict[str, int]) -> list[str] | None:
    keys = fields[8].split(":") if len(fields) > 9 else []
    if "GT" not in keys:
        return list(tumours) if len(tumours) == 1 else None
    at = keys.index("GT")
    genotypes = {case: [*fields[place].split(":"), *keys][at] for case, place in tumours.items()}
    if len(tumours) == 1 and set(*genotypes.values()) <= set("./|GT"):
        return list(tumours)  # Somatic callers leave the genotype open.
    return [case for case, genotype in genotypes.items() if re.search("[1-9]", genotype)]


def _kept(alternative: str) -> str:
    """The side that a breakend keeps: ``t[p[`` and ``t]p]`` what is left of it, ``]p]t`` and ``[p[t`` the right."""
    return _RIGHT if alternative[:1] in "[]" else _LEFT


class _Annotation:
    """Genes of a record as its annotation names them."""

    def __init__(self, key: str, fields: list[str]) -> None:
        self.key, self.fields = key, fields

    @classmethod
    def of(cls, table: TextTable) -> "_Annotation":
        """The annotation that the header declares."""
        for text in table.comments:
            if text.startswith("##INFO=<ID=CSQ,") and (match := re.search(r'Format: ([^">]+)', text)):
                return cls("CSQ", [name.strip() for name in match[1].split("|")])
        if any(text.startswith("##INFO=<ID=ANN,") for text in table.comments):
            return cls("ANN", ["Allele", "Consequence", "Impact", "SYMBOL"])
        raise InputError(
            f"{table.path}: no annotation: neither INFO/CSQ (VEP) nor INFO/ANN (SnpEff) is declared, so the genes "
            "at its breakends are not known. Annotate it with VEP (--symbol) or SnpEff first"
        )

    def _entries(self, details: dict[str, str]) -> list[dict[str, str]]:
        texts = [text for text in details.get(self.key, "").split(",") if text]
        return [dict(zip(self.fields, text.split("|"), strict=False)) for text in texts]

    def fusions(self, details: dict[str, str]) -> list[tuple[str, str]]:
        """Pairs that SnpEff calls a gene_fusion and writes as ``A&B``."""
        pairs = {}
        for entry in self._entries(details):
            genes = [fusion_gene(part) for part in entry.get("SYMBOL", "").split("&")]
            if "gene_fusion" in entry.get("Consequence", "") and len(set(genes)) == 2:
                pairs[tuple(genes)] = None
        return list(pairs)

    def genes(self, details: dict[str, str]) -> tuple[_Gene, ...]:
        """The genes that the variant breaks, each once: those beside it, and those that lie in it whole, are not."""
        found: dict[str, str] = {}
        for entry in self._entries(details):
            terms = entry.get("Consequence", "")
            if entry.get("SYMBOL") and not _OUTSIDE.search(terms) and not _WHOLE.search(terms):
                for symbol in entry["SYMBOL"].split("&"):
                    found.setdefault(fusion_gene(symbol), entry.get("STRAND", ""))
        return tuple(_Gene(symbol, strand) for symbol, strand in found.items() if symbol)


def _joined(first: _Record, second: _Record) -> list[tuple[str, str]]:
    """Each gene of one breakend with each of its mate's, where they differ."""
    return [
        _in_order((one, first.kept), (other, second.kept))
        for one in first.genes
        for other in second.genes
        if one.symbol != other.symbol
    ]


def _within(record: _Record, kind: str) -> list[tuple[str, str]]:
    """The two genes that the ends of a deletion, duplication or inversion break."""
    if len(record.genes) != 2 or kind not in ("DEL", "DUP", "INV"):
        return []
    first, second = sorted(record.genes, key=lambda gene: _places().get(gene.symbol, 0))
    sides = _KEPT.get(kind, ("", ""))
    return [_in_order((first, sides[0]), (second, sides[1]))]


def _in_order(one: tuple[_Gene, str], other: tuple[_Gene, str]) -> tuple[str, str]:
    """5' gene first. A gene on the forward strand keeps its beginning where what is left of the break is kept."""
    begins = [
        None if not gene.strand or not kept else (gene.strand.startswith("-")) == (kept == _RIGHT)
        for gene, kept in (one, other)
    ]
    reverse = begins == [False, True]
    symbols = one[0].symbol, other[0].symbol
    return symbols[::-1] if reverse else symbols


@cache
def _places() -> dict[str, int]:
    """Where each cancer gene begins on its chromosome (hg38; the order is the same in hg19)."""
    spans = genome.gene_spans("hg38")
    return dict(zip(spans.genes, spans.starts.tolist(), strict=True))
