"""The words of mutation lists and clinical reports, and the kind of each: gene, change, event, negation, filler ...

``words`` turns a piece of text without separators into tokens. What a token means in its sentence is decided in
``report_statements``.
"""

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache, lru_cache

from ..alterations.known_fusions import is_known_fusion
from ..package_data import rows
from ..variants.coding_changes import coding_consequence, is_tert_promoter
from ..variants.consequences import consequence_class
from ..variants.gene_aliases import gene_aliases
from ..variants.genes import is_other_spelling, known_genes, symbol_of
from ..variants.protein_changes import ProteinChange, parse_protein_change
from .karyotype import ARM, ArmCall, chromosome_event, named_arms


class Kind(Enum):
    """What a word is."""

    __hash__ = object.__hash__  # Enum's own, in Python, takes a tenth of the reading time

    GENE = auto()  # value: a tuple of symbols, several for CDKN2A/B or RAS
    PAIR = auto()  # value: (5' gene, 3' gene) as written
    ARMS = auto()  # value: a tuple of (arm or chromosome, call or None)
    BAND = auto()  # value: a cytogenetic band such as 9p21
    CHANGE = auto()  # value: a ProteinChange
    SAME_CHANGE = auto()  # a protein change that only says in another transcript what the one before it says
    CODING = auto()  # value: what coding_consequence says
    CODON = auto()  # a residue and its number without what replaces it
    CLASS = auto()  # value: a consequence, "truncating", or "insertion"
    MUTATION = auto()  # a word for any small mutation
    COPY = auto()  # value: one of COPY_LEVELS
    FUSION = auto()
    EXON = auto()
    SKIPPING = auto()
    CHROMOSOME = auto()  # a word behind which numbers are chromosomes
    NUMBER = auto()  # value: float
    PER_MEGABASE = auto()
    BURDEN = auto()
    MICROSATELLITES = auto()  # value: "high", "low", "stable" or None
    LEVEL = auto()  # value: "high", "low" or "stable", as far as it matters
    COPIES = auto()
    TIMES = auto()  # value: the number of x8 or 8x, which behind a gene is its copies
    RATIO = auto()  # value: the number of 5-fold, or None for "ratio"; behind a gene, of its copies to the centromere's
    LOG2 = auto()  # the logarithm of a ratio of copies
    NEGATION = auto()  # value: "no", "negative for", "wild type" or "undetected"
    POSITIVE = auto()
    DETECTED = auto()
    PROMOTER = auto()
    REASON = auto()  # value: why a statement with this word does not count
    GENERAL = auto()  # a word of sentences about a gene in general
    CONTRAST = auto()  # but, except
    CONNECTOR = auto()  # in, of, for
    BETWEEN = auto()
    JOINER = auto()  # value: "and" or "or"; a slash is an "and"
    COMMA = auto()
    STOP = auto()  # a semicolon or the end of a sentence
    HYPHEN = auto()
    COLON = auto()
    OPEN = auto()
    CLOSE = auto()
    FILLER = auto()  # value: ONE_ALLELE, IN_SITU or NAMED_TYPE, as far as it matters
    UNKNOWN = auto()


@dataclass(frozen=True)
class Token:
    """A word with its ``kind`` and ``value``.

    ``sure`` is False for a word that is a gene only in the right place: one in small letters (braf, met), or one of the
    lexicon's words in capitals (WAS, REST). ``change`` is what else a gene's symbol reads as (A2M).
    """

    kind: Kind
    text: str
    value: object = None
    sure: bool = True
    change: ProteinChange | None = field(default=None, compare=False)


COPY_LEVELS = {
    "amplification": 2, "gain": 1, "copy gain": 1, "loss": -2, "deletion": -2, "homozygous deletion": -2,
    "heterozygous loss": -1, "loss of heterozygosity": -1, "two copies": 0, "co-deletion": -2,
}  # fmt: skip
"""Words for a change of copy number, and the level that they state for a gene. An arm is gained (1) or lost (-1)."""

GERMLINE, COPY_NEUTRAL, EXPRESSION = "inherited (germline)", "copy-neutral", "protein or RNA expression"
METHYLATION, UNTESTED, UNCERTAIN = "methylation", "not tested", "uncertain"
BENIGN, OTHER_MARKER, ASSAYED = "benign", "a marker that is not used", "named as a gene that was tested"
OF_BLOOD = "clonal haematopoiesis"

ONE_ALLELE, IN_SITU, NAMED_TYPE = "one allele", "in situ", "named type"
"""Words that say nothing alone: hemizygous, FISH, type A."""

ORDINARY_WORD = "ordinary"


def _lexicon() -> dict[str, tuple[Kind, object]]:
    """Words and phrases in small letters, hyphens and underscores as blanks, to their kind and value.

    ``report_words.csv`` was compiled for this project from the wording of clinical reports (FoundationOne, Tempus,
    Caris, Guardant, MSK-IMPACT), cytogenetics and variant annotation.
    """
    words: dict[str, tuple[Kind, object]] = {}
    for row in rows("sources", "report_words.csv"):
        if row["kind"] != ORDINARY_WORD:
            words.setdefault(row["words"], (Kind[row["kind"].upper()], row["value"] or None))
    return words


_LEXICON = _lexicon()
_LONGEST_PHRASE = max(phrase.count(" ") for phrase in _LEXICON) + 1
_PHRASE_STARTS = frozenset(phrase.split(" ")[0] for phrase in _LEXICON if " " in phrase)
_EXPANDED = {
    "unamplified": ("not", "amplified"),
    "nonamplified": ("not", "amplified"),
    "undeleted": ("not", "deleted"),
    "tertp": ("TERT", "promoter"),
    "ptert": ("TERT", "promoter"),
    "npm1c": ("NPM1", "frameshift"),
    "npm1c+": ("NPM1", "frameshift"),
    "ph+": ("BCR-ABL1",),
    "philadelphia": ("BCR-ABL1",),
    "ph-positive": ("BCR-ABL1", "positive"),
    "ph-negative": ("BCR-ABL1", "negative"),
    "ret/ptc": ("RET", "rearranged"),
}  # fmt: skip

ORDINARY = frozenset(row["words"] for row in rows("sources", "report_words.csv") if row["kind"] == ORDINARY_WORD)
"""Gene symbols that are words of English or of reports in small letters."""

SITES = frozenset(phrase for phrase, meaning in _LEXICON.items() if meaning == (Kind.FILLER, "site"))
"""Parts of the body and kinds of tumour. Where several of them begin lines, each names a sample."""

_SYMBOL = re.compile(r"[A-Z][A-Z0-9-]{1,14}(?:orf[0-9]+)?")
_MOUSE_SYMBOL = re.compile(r"[A-Z][a-z]{2}[a-z0-9]{0,9}")
_NUMBER = re.compile(r"[<>=≥≤~±+]{0,2}(\d{1,9}(?:\.\d{1,6})?)(%|[xX]|mg|-?kb|-?bp|-?nt|th|st|nd|rd)?")
_SCORE = re.compile(r"[0-3]\+")
"""An immunohistochemistry score: HER2 3+."""
_TIMES = re.compile(r"[xX×](\d{1,3}(?:\.\d)?)|(\d{1,2}(?:\.\d)?)[xX×]")
"""Copies behind a gene. Three digits before the x are a depth of sequencing."""
_FOLD = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)-?fold", re.IGNORECASE)
_COPIES = re.compile(r"(CN|CNV|GCN|TCN)([<>=≥≤~]{0,2}\d{1,3}(?:\.\d{1,2})?)", re.IGNORECASE)
_BANDS = re.compile(r"(?:[12]?[0-9]|X|Y)[pq]\d{1,2}(?:\.\d{1,2})?[-_~](?:[pq]?\d{1,2}(?:\.\d{1,2})?|[pq]?ter)")
_CENTROMERE = re.compile(r"(?:CEP|CEN|CHR)-?(?:\d{1,2}|X)", re.IGNORECASE)
"""The probe of a chromosome's centromere, which FISH sets a gene's copies in relation to."""
_METHODS = frozenset(["fish", "ish", "cish", "sish", "dish", "pcr", "rt-pcr", "ngs"])
_NUMBERS = re.compile(r"[\d./%:+-]*\d[\d./%:-]*\+{0,3}|[<>]?\d+e-?\d+", re.IGNORECASE)
_ACCESSION = re.compile(
    r"(?:N[MPRCGT]_|X[MP]_|ENS[TPG]|CCDS|LRG_|rs|COSM|COSV)[0-9]+(?:\.[0-9]+)?(?:[tp][0-9]+)?", re.IGNORECASE
)
_GENOMIC = re.compile(r"(?:g|n|m|r)\.\S+|chr[0-9XYM]{1,2}[:\-_][0-9,]+\S*|(?:[0-9]{1,2}|[XY])[:\-_][0-9]{4,}\S*")
_CODON = re.compile(r"(?:p\.)?[ACDEFGHIKLMNPQRSTVWY][1-9][0-9]{0,3}X?")
_BASES = re.compile(r"[ACGTN]|[ACGTN]{1,9}>[ACGTN]{1,9}", re.IGNORECASE)
_DRUG = re.compile(r"[a-z-]{3,30}(?:nib|mab|limus|parib|ciclib|lisib|platin|taxel|rubicin|tecan|zomib|degib|sib|tecan|"
                   r"tuximab|fulvestrant|lutamide|deruxtecan|emtansine|tiucan)", re.IGNORECASE)  # fmt: skip
_THREE_LETTERS = re.compile(
    "ala|arg|asn|asp|cys|gln|glu|gly|his|ile|leu|lys|met|phe|pro|ser|thr|trp|tyr|val|ter", re.IGNORECASE
)
_OLD_RANGE = re.compile(r"(?:p\.)?del([A-Z]\d+)[-_]([A-Z]?\d+)|(?:p\.)?([A-Z]\d+)-([A-Z]\d+)((?:del|ins|dup)\S*)")
_LEGACY_DNA = re.compile(r"\d{1,5}(?:[-_]\d{1,5})?(?:del|ins|dup)[ACGT]{1,40}")
"""Changes of bases without "c.", as BRCA1 and BRCA2 were long written: 185delAG, 6174delT."""

_EXON = re.compile(
    r"(?:ex|exon)[_:.]?(\d{1,2})(?:[-_]\d{1,2})?(\D\S*)?|(?:del|ins)(\d{2})|(\d{2})(?:del|ins)", re.IGNORECASE
)
_FUSED_EXONS = re.compile(
    r"(?P<pair>[A-Za-z0-9]+-[A-Za-z0-9]+)\.[A-Za-z](?P<first>\d{1,2})[a-z]?[A-Za-z](?P<last>\d{1,2})[a-z]?(?:\.\S+)?"
)
_GLUED_CHANGE = re.compile(r"(?:p\.)?[ACDEFGHIKLMNPQRSTVWY][1-9][0-9]{0,3}(?:[A-Z*]|fs\S*|del|dup)")
_GLUED_EVENT = re.compile(
    r"amp|mut|wt|del|loss|gain|fusion|itd|vi{2,3}|viv[abc]?|ptd|(?:ex|del|ins)\d{2}\S*|(?-i:r)", re.IGNORECASE
)
_LONGEST_SYMBOL = 12
_VARIANT_NAME = re.compile(
    r"\d{1,2}[a-z](?:/[a-z])?|[evEV]\d{1,2}[a-z]?(?:[;:,][A-Za-z]\d{1,2})?|[A-Z]\d{1,2}-[A-Z]\d{1,2}|\(?\+{1,3}\)?"
)
_LONGEST_WORD = 120
_SUFFIX_SIGN = re.compile(r"(.*[A-Za-z0-9])([+-])")


def words(pieces: list[str]) -> list[Token]:
    """The tokens of consecutive words between which nothing but blanks stands; phrases become one token."""
    tokens: list[Token] = []
    i = 0
    while i < len(pieces):
        length = _phrase_length(pieces, i)
        if length:
            text = " ".join(pieces[i : i + length])
            tokens.append(Token(*_meaning(_LEXICON[_plain(text)], text)))
            i += length
        else:
            tokens += classify(pieces[i])
            i += 1
    return tokens


def _meaning(meaning: tuple[Kind, object], text: str) -> tuple[Kind, str, object]:
    return meaning[0], text, meaning[1]


@lru_cache(1 << 16)
def _plain(text: str) -> str:
    return " ".join(text.lower().replace("-", " ").replace("_", " ").split())


def _phrase_length(pieces: list[str], i: int) -> int:
    """How many words from ``i`` on are one phrase of the lexicon; 0 where none is."""
    start = _plain(pieces[i])
    if start.partition(" ")[0] not in _PHRASE_STARTS:
        return 0
    for length in range(min(_LONGEST_PHRASE, len(pieces) - i), 0, -1):
        phrase = start if length == 1 else " ".join(map(_plain, pieces[i : i + length]))
        if " " in phrase and phrase in _LEXICON:
            return length
    return 0


@lru_cache(1 << 16)
def classify(word: str) -> tuple[Token, ...]:
    """The tokens that one word stands for: several for ``BRAF:p.V600E``, ``KRAS/NRAS`` or ``FLT3-ITD``."""
    if len(word) > _LONGEST_WORD:
        return (Token(Kind.UNKNOWN, word),)
    return _simple(word) or _composite(word) or (Token(Kind.UNKNOWN, word),)


def _simple(word: str) -> tuple[Token, ...] | None:
    lower = word.lower()
    if not word.strip("-_"):
        return (Token(Kind.HYPHEN, word),)
    if lower in _EXPANDED:
        return tuple(token for part in _EXPANDED[lower] for token in classify(part))
    if lower.endswith(".") and lower[:-1] in _LEXICON and lower not in _LEXICON:
        return classify(word[:-1])  # del., amp., hom.
    if lower in _LEXICON:
        token = Token(*_meaning(_LEXICON[lower], word))
        if word.isupper() and len(word) > 2 and word in known_genes():
            return (Token(token.kind, word, token.value, sure=False),)
        return (token,)
    if gene := _gene(word):
        return (gene,)
    if ">" in word and (fusion := _arrow(word, ">")):
        return fusion
    event = chromosome_event(word)
    if change := protein_change(word):
        if event and event.arms and word[0] == "i":  # i17q
            return (Token(Kind.ARMS, word, event.arms, change=change),)
        return (Token(Kind.CHANGE, word, change),)
    if event:
        kind = Kind.ARMS if event.arms else Kind.PAIR if event.fusion else Kind.BAND
        return (Token(kind, word, event.arms or event.fusion or word),)
    if is_tert_promoter(word):
        return (Token(Kind.CODING, word, "promoter"),)
    if consequence := coding_consequence(f"c.{word}" if _LEGACY_DNA.fullmatch(word) else word):
        return (Token(Kind.CODING, word, consequence),)
    if arms := named_arms(word) or _arm_list(word):
        return (Token(Kind.ARMS, word, arms),)
    if ARM.fullmatch(word) or _BANDS.fullmatch(word):
        return (Token(Kind.BAND, word, word),)
    return _incidental(word, lower)


def _arm_list(word: str) -> tuple[ArmCall, ...] | None:
    """The arms of ``1p/19q`` or ``+7/-10``."""
    sides = word.split("/") if "/" in word else []
    arms = [named_arms(side, signed_behind=True) for side in sides]
    return tuple(arm for named in arms for arm in named) if arms and all(arms) else None


def _incidental(word: str, lower: str) -> tuple[Token, ...] | None:
    """Words beside the alterations: numbers, exons, accessions, drugs, and terms of annotation tools."""
    if _SCORE.fullmatch(word):
        return (Token(Kind.REASON, word, EXPRESSION),)
    if match := _TIMES.fullmatch(word):
        return (Token(Kind.TIMES, word, float(match[1] or match[2])),)
    if match := _FOLD.fullmatch(word):
        return (Token(Kind.RATIO, word, float(match[1])),)
    if match := _COPIES.fullmatch(word):
        return (Token(Kind.COPIES, match[1]), *classify(match[2]))
    if _CENTROMERE.fullmatch(word):
        return (Token(Kind.FILLER, word),)
    if match := _NUMBER.fullmatch(word):
        return (Token(Kind.FILLER if match[2] else Kind.NUMBER, word, float(match[1])),)
    if match := _EXON.fullmatch(word):
        rest = match[2] or (word[:3] if match[3] else word[-3:] if match[4] else "")
        exon = Token(Kind.EXON, word, match[1] or match[3] or match[4])
        return (exon, *(classify(rest.strip("-_: ")) if rest.strip("-_: ") else ()))
    if _CODON.fullmatch(word):
        return (Token(Kind.CODON, word),)
    if _ACCESSION.fullmatch(word) or _BASES.fullmatch(word) or _DRUG.fullmatch(word):
        return (Token(Kind.FILLER, word),)
    if _GENOMIC.fullmatch(word):
        return (Token(Kind.CODING, word, "genomic"),)
    if _NUMBERS.fullmatch(word) or _VARIANT_NAME.fullmatch(word):
        return (Token(Kind.FILLER, word),)
    named = consequence_class(lower) if "_" in word or "'" in word else None
    return (Token(Kind.CLASS, word, named),) if named else None


@cache
def _genes() -> dict[str, tuple[str, ...]]:
    genes = {symbol: (current,) for symbol, current in known_genes().items() if len(symbol) > 1 and current}
    # The genes of fusions and of copy number are of today; genes.csv is of 2012 and lacks some (ZFTA, NUTM2B).
    pairs = rows("alterations", "known_fusions.csv")
    later = {pair[side] for pair in pairs for side in ("five_prime", "three_prime")}
    later |= {row["gene"] for row in rows("alterations", "cancer_genes.csv") if not _CODON.fullmatch(row["gene"])}
    return {gene.upper(): (gene,) for gene in later} | genes | gene_aliases()


def _of_mouse(word: str) -> tuple[str, ...]:
    """The human gene of a mouse's symbol that is not the same in other capitals (Trp53)."""
    if not _MOUSE_SYMBOL.fullmatch(word):
        return ()
    return (symbol_of(word),) if is_other_spelling(word, symbol_of(word)) else ()


def _gene(word: str) -> Token | None:
    genes = _genes().get(word.upper()) or _of_mouse(word)
    if not genes or word[0].isdigit():
        return None
    sure = word.isupper() or (len(word) > 2 and any(c.isdigit() for c in word))
    reads_as = protein_change(word) if word[1:2].isdigit() else None
    return Token(Kind.GENE, word, genes, sure, reads_as)


@lru_cache(1 << 16)
def protein_change(word: str) -> ProteinChange | None:
    """A protein change as people write it, also in small letters (``v600e``) or with a hyphen for the range.

    Numbers with a letter behind (``30X``, a depth) are none, although MAFs write changes so.
    """
    if ":" in word or not (any(c.isdigit() for c in word) or word.startswith("p.")) or _LEGACY_DNA.fullmatch(word):
        return None
    bare = word.removeprefix("p.")
    if bare[:1].isdigit() and "_" not in bare and not re.search("del|ins|dup|fs", bare):
        return None if bare == word else parse_protein_change(word)
    word = re.sub(r"(?<=\d)stop$", "*", word, flags=re.IGNORECASE)
    if match := _OLD_RANGE.fullmatch(word):
        word = f"{match[1]}_{match[2]}del" if match[1] else f"{match[3]}_{match[4]}{match[5]}"
    change = parse_protein_change(word)
    if change or word != word.lower():
        return change
    titled = _THREE_LETTERS.sub(lambda residue: residue[0].title(), word)
    return parse_protein_change(word.upper().replace("FS", "fs")) or parse_protein_change(titled)


# --- Words that hold several ---


def _composite(word: str) -> tuple[Token, ...] | None:
    lower = word.lower()
    if word[0] == "/" and len(word) > 1:
        return (Token(Kind.JOINER, "/", "and"), *classify(word[1:]))
    if lower.endswith("-/-") and (gene := _gene(word[:-3])):
        return gene, Token(Kind.COPY, word[-3:], "homozygous deletion")
    negated = _LEXICON.get(_plain(lower[4:])) if lower.startswith("non-") else None
    if negated and negated[0] in (Kind.COPY, Kind.FUSION, Kind.MUTATION):
        return Token(Kind.NEGATION, "non", "no"), Token(negated[0], word, negated[1])
    method, _, result = word.partition("-")
    if result and method.lower() in _METHODS:
        return *classify(method), *words([result])
    known, _, said = word.partition("-")
    if said and known.lower() in _EXPANDED:
        return *classify(known), *words([said])  # Philadelphia-positive
    if match := _FUSED_EXONS.fullmatch(word):
        return _with_exons(match["pair"], match["first"], match["last"])
    if fused := _one_of_several(word):
        return fused
    for separator, read in _READ_BY_SEPARATOR.items():
        if separator in word.strip(separator) and (tokens := read(word, separator)):
            return tokens
    return _signed(word) or _hyphenated(word) or _glued(word)


def _with_exons(pair: str, first: str, last: str) -> tuple[Token, ...] | None:
    """A fusion with the exons that it joins, as Oncomine reports it: ``EML4-ALK.E13A20.AB374361``. Within one gene, the
    exons between them are lost: ``MET-MET.M13M15``."""
    tokens = _hyphenated(pair)
    if not tokens or tokens[0].kind != Kind.PAIR:
        return None
    gene, other = tokens[0].value
    if gene != other:
        return tokens
    lost = Token(Kind.EXON, f"exons {int(first) + 1}-{int(last) - 1}", str(int(first) + 1))
    return Token(Kind.GENE, pair, (gene,)), lost, Token(Kind.COPY, "deletion", "deletion")


def _one_of_several(word: str) -> tuple[Token, ...] | None:
    """A fusion that leaves open with which of several genes it is, and so has an unknown partner: ``SS18::SSX1/2``,
    ``PAX3/7-FOXO1``. A hyphen also joins genes that are next to each other (``MTAP-CDKN2A/B``)."""
    separator = "::" if "::" in word else "-"
    sides = word.split(separator)
    if len(sides) != 2 or ("/" in sides[0]) == ("/" in sides[1]):
        return None
    one, others = sorted(sides, key=lambda side: "/" in side)
    gene, partners = _gene(one), _gene_list(others.split("/")) if all(others.split("/")) else None
    if not gene or not partners or len(gene.value) > 1:
        return None
    known = all(is_known_fusion(gene.value[0], partner) for partner in partners)
    return (gene, Token(Kind.FUSION, word)) if known or separator == "::" else None


_UNKNOWN_PARTNERS = frozenset(["", "?", "unknown", "na", "novel", "intergenic", "unidentified"])


def _double_colon(word: str, separator: str) -> tuple[Token, ...]:
    sides = [side for side in word.split(separator) if side]
    genes = [_partner(side) for side in sides]
    if len(sides) == 2 and all(genes):
        return (Token(Kind.PAIR, word, tuple(genes)),)
    known = [_gene(side) for side in sides if side.lower() not in _UNKNOWN_PARTNERS]
    if len(known) == 1 and known[0]:
        return known[0], Token(Kind.FUSION, word)  # EWSR1::?
    partner, _, said = sides[-1].rpartition("-")
    if len(sides) == 2 and partner and genes[0] and _gene(partner):
        return (*_double_colon(f"{sides[0]}::{partner}", separator), *words([said]))  # EML4::ALK-positive
    return _joined(sides, Token(Kind.JOINER, separator, "and"))


def _partner(side: str) -> str | None:
    """The gene on one side of ``::``, known here or not."""
    gene = _gene(side)
    if gene:
        return gene.value[0]
    return side if _SYMBOL.fullmatch(side) else None


def _dotted(word: str, separator: str) -> tuple[Token, ...] | None:
    """``KRAS.G12D``"""
    gene, _, change = word.partition(separator)
    read = protein_change(change) if _gene(gene) else None
    return (_gene(gene), Token(Kind.CHANGE, change, read)) if read else None


def _arrow(word: str, separator: str) -> tuple[Token, ...] | None:
    """``EML4>ALK``, as an arrow between the two is written here."""
    genes = [_gene(side) for side in word.split(separator)]
    return (Token(Kind.PAIR, word, tuple(g.value[0] for g in genes)),) if len(genes) == 2 and all(genes) else None


def _parts(word: str, separator: str) -> tuple[Token, ...]:
    sides = [side for side in word.split(separator) if side]
    genes = [_gene(side) for side in sides]
    if separator == ":" and len(sides) == 2 and all(genes) and is_known_fusion(genes[0].value[0], genes[1].value[0]):
        return (Token(Kind.PAIR, word, (genes[0].value[0], genes[1].value[0])),)
    return _joined(sides, Token(Kind.COLON, separator))


def _joined(sides: list[str], between: Token) -> tuple[Token, ...]:
    tokens: list[Token] = []
    for side in sides:
        tokens += [between, *words([side])] if tokens else words([side])
    return tuple(tokens)


def _slash(word: str, separator: str) -> tuple[Token, ...]:
    sides = [side for side in word.split("/") if side]
    if len(sides) == 2 and _CENTROMERE.fullmatch(sides[1]) and (gene := _gene(sides[0])):
        return gene, Token(Kind.FILLER, sides[1])
    if genes := _gene_list(sides):
        if len(genes) == 2 and is_known_fusion(*genes):
            return (Token(Kind.PAIR, word, genes),)
        return (Token(Kind.GENE, word, genes),)
    first = protein_change(sides[0])
    if first and all(side.lower() in ("wt", "+") for side in sides[1:]):
        return classify(sides[0])  # G12D/wt: beside an allele that is not mutated
    if first and all(len(side) == 1 and side.isalpha() for side in sides[1:]):
        return classify(sides[0])  # V600E/K: one of the two, and the first is the usual one
    tokens = classify(sides[0])
    last = [side for side in sides if len(side) > 1 or side.isdigit()]
    if len(last) > 1 and tokens[-1].kind == Kind.GENE:
        # IDH1/2-mutant: the last side also holds what is said of the genes.
        for mark in "-_":
            head, _, tail = last[-1].partition(mark)
            if tail and (genes := _gene_list([*sides[:-1], head])):
                if len(genes) == 2 and is_known_fusion(*genes):
                    return (Token(Kind.PAIR, word, genes), *classify(tail))
                return (Token(Kind.GENE, word, genes), *classify(tail))
    return _joined(sides, Token(Kind.JOINER, "/", "and"))


def _gene_list(sides: list[str]) -> tuple[str, ...] | None:
    """The genes of ``KRAS/NRAS/BRAF``, ``CDKN2A/B``, ``NTRK1/2/3``; None where a side is no gene."""
    first = _gene(sides[0])
    if not first:
        return None
    genes, named = list(first.value), sides[0]
    for side in sides[1:]:
        gene = _gene(side) if len(side) > 1 else None
        if gene:
            genes += gene.value
            named = side
        elif len(side) <= 2 and (sibling := _genes().get(_stem(named, side) + side.upper())):
            genes += sibling
        else:
            return None
    return tuple(dict.fromkeys(genes))


def _stem(named: str, sibling: str) -> str:
    """What the names of ``named`` and its ``sibling`` begin with: FGF of FGF3/19, CDKN2 of CDKN2A/B."""
    stem = named.upper()
    if sibling.isdecimal() and stem[-1:].isdecimal():
        return stem.rstrip("0123456789")
    return stem[: -len(sibling)]


_READ_BY_SEPARATOR = {
    "::": _double_colon, ":": _parts, "=": _parts, "/": _slash, "|": _parts, "^": _parts, ".": _dotted,
}  # fmt: skip


def _signed(word: str) -> tuple[Token, ...] | None:
    """``HER2+``, ``ALK-``, ``V600E+``, ``+TP53``."""
    if word[0] in "+-" and len(word) > 1:
        rest = classify(word.lstrip("+-"))
        return (Token(Kind.HYPHEN, word[0]), *rest) if rest[0].kind != Kind.UNKNOWN else None
    match = _SUFFIX_SIGN.fullmatch(word.rstrip("+") + "+" if word.endswith("++") else word)
    if match and match[1].lower() in _METHODS:
        return *classify(match[1]), *classify("positive" if match[2] == "+" else "negative")
    if not match:
        return None
    sign = Token(Kind.POSITIVE, word) if match[2] == "+" else Token(Kind.NEGATION, word, "undetected")
    event = _LEXICON.get(match[1].lower())
    if event and event[0] in _SIGNED_EVENTS:
        return Token(event[0], match[1], event[1]), sign  # ITD+
    if gene := _gene(match[1]):
        return gene, sign
    exon = _incidental(match[1], match[1].lower())
    if exon and exon[0].kind == Kind.EXON:
        return (*exon, sign)  # del19+
    change = protein_change(match[1])
    return (Token(Kind.CHANGE, match[1], change), sign) if change else None


_SIGNED_EVENTS = frozenset({Kind.CLASS, Kind.COPY, Kind.FUSION, Kind.MUTATION})


def _hyphenated(word: str) -> tuple[Token, ...] | None:
    """A gene, a hyphen or underscore, and what belongs to the gene or is fused with it."""
    for match in re.finditer("[-_]", word):
        left, right = word[: match.start()], word[match.end() :]
        gene = _gene(left)
        if left == "?" and (partner := _gene(right)):
            return partner, Token(Kind.FUSION, word)
        if not gene or not right:
            continue
        if right.isdigit() and len(right) == 1 and left[-1].isdigit():
            genes = [f"{left[:-1].upper()}{n}" for n in range(int(left[-1]), int(right) + 1)]
            if len(genes) > 1 and all(name in _genes() for name in genes):
                return (Token(Kind.GENE, word, tuple(_genes()[name][0] for name in genes)),)
        partner = _gene(right)
        is_word = right.lower() in _LEXICON and not right.isupper()  # TP53-mut
        if partner and not is_word and not (partner.change and not partner.sure):
            return (Token(Kind.PAIR, word, (gene.value[0], partner.value[0])),)
        rest = words([right]) if right.lower() not in ("a", "b") else []
        if rest and all(token.kind != Kind.UNKNOWN for token in rest):
            if rest[0].kind == Kind.GENE and len(rest) > 1 and rest[1].kind != Kind.JOINER:
                return (Token(Kind.PAIR, word, (gene.value[0], rest[0].value[0])), *rest[1:])
            return (Token(gene.kind, left, gene.value), *rest)
    parts = [part for part in word.split("-") if part]
    pieces = [classify(part) for part in parts] if len(parts) > 1 else []
    # V600E-mutated, BRAFV600E-mutated
    begins = _SAYS_SOMETHING - {Kind.NEGATION, Kind.POSITIVE, Kind.LEVEL}
    says = bool(pieces) and bool({pieces[0][0].kind, pieces[0][-1].kind} & begins)
    if says and all(map(_says_something, pieces[1:])):
        return tuple(token for part in pieces for token in part)
    return None


def _says_something(tokens: tuple[Token, ...]) -> bool:
    return tokens[0].kind in _SAYS_SOMETHING


_SAYS_SOMETHING = _SIGNED_EVENTS | {
    Kind.CHANGE, Kind.ARMS, Kind.CODING, Kind.NEGATION, Kind.POSITIVE, Kind.MICROSATELLITES, Kind.LEVEL,
}  # fmt: skip


def _glued(word: str) -> tuple[Token, ...] | None:
    """``BRAFV600E``, ``EGFRvIII``, ``METex14``: the longest gene with a change or an event behind it."""
    for length in range(min(_LONGEST_SYMBOL, len(word) - 1), 1, -1):
        gene, rest = _gene(word[:length]), word[length:]
        if not gene or not gene.sure:
            continue
        if change := protein_change(rest) if _GLUED_CHANGE.fullmatch(rest) else None:
            return (Token(gene.kind, gene.text, gene.value), Token(Kind.CHANGE, rest, change))
        if _GLUED_EVENT.fullmatch(rest):
            return (Token(gene.kind, gene.text, gene.value), *classify(rest))
    return None


def is_shaped_like_a_gene(token: Token) -> bool:
    """Whether an unknown word could be a gene's symbol: capitals and digits."""
    return token.kind == Kind.UNKNOWN and bool(_SYMBOL.fullmatch(token.text))
