"""From the tokens of a sentence to its statements, and what each speaks of.

A sentence is cut into statements at commas, "and", "or" and the like. A statement has mentions: a gene, a fusion or
chromosome arms, with the words that belong to it. Three things pass from one statement to another: the gene ("TP53
R175H, R273H"), an event that heads or closes a list ("amplification of EGFR and MYC"), and a negation ("no mutation in
KRAS, NRAS or BRAF"; "EGFR, KRAS and BRAF wild type").
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..alterations.known_fusions import is_known_fusion, with_unknown_partner
from ..variants.protein_changes import ProteinChange, parse_protein_change
from ..variants.transcripts import is_second_notation
from .karyotype import is_chromosome, named_arms
from .report_words import (
    ASSAYED,
    BENIGN,
    EXPRESSION,
    GERMLINE,
    IN_SITU,
    NAMED_TYPE,
    OF_BLOOD,
    ONE_ALLELE,
    ORDINARY,
    OTHER_MARKER,
    UNCERTAIN,
    UNTESTED,
    Kind,
    Token,
    is_shaped_like_a_gene,
)

# --- Statements and their mentions ---


@dataclass
class Content:
    """The words that belong to a mention, by what they say."""

    changes: list[tuple[str, ProteinChange]] = field(default_factory=list)
    same_changes: list[str] = field(default_factory=list)
    codings: list[tuple[str, str]] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    fusion: bool = False
    exons: list[str] = field(default_factory=list)
    skipping: bool = False
    mutation: bool = False
    codon: str | None = None
    promoter: bool = False
    number_of_copies: float | None = None
    ratio: float | None = None
    log2: float | None = None
    bases: int | None = None
    one_allele: bool = False
    in_situ: bool = False
    named_type: bool = False
    level: bool = False
    names_copies: bool = False
    negation: Token | None = None
    positive: bool = False
    detected: bool = False
    general: bool = False
    reason: str | None = None
    unknown: list[Token] = field(default_factory=list)
    bands: list[str] = field(default_factory=list)

    @property
    def has_change(self) -> bool:
        return bool(self.changes or self.codings)

    @property
    def describes_a_mutation(self) -> bool:
        """Whether the words speak of a small mutation, so that a number behind them counts no copies."""
        return bool(
            self.has_change or self.classes or self.exons or self.mutation or self.codon or self.skipping
            or self.promoter or self.named_type
        )  # fmt: skip

    @property
    def has_event(self) -> bool:
        """Whether the words say what happened to a gene, be it only that it is mutated."""
        return bool(
            self.has_change or self.classes or self.copies or self.fusion or self.exons or self.mutation
            or self.codon or self.skipping or self.promoter or self.positive or self.named_type
            or not (self.number_of_copies is self.ratio is self.log2 is None)
        )  # fmt: skip

    @property
    def names_an_event(self) -> bool:
        """As ``has_event``, leaving out words that only say that there is a mutation."""
        return bool(
            self.has_change
            or self.classes
            or self.copies
            or self.fusion
            or self.skipping
            or self.promoter
            or self.codon
        )


_FLAGS = {
    Kind.FUSION: "fusion", Kind.SKIPPING: "skipping", Kind.MUTATION: "mutation", Kind.PROMOTER: "promoter",
    Kind.POSITIVE: "positive", Kind.DETECTED: "detected", Kind.GENERAL: "general", Kind.LEVEL: "level",
}  # fmt: skip


def content_of(tokens: list[Token]) -> Content:
    content = Content()
    for i, token in enumerate(tokens):
        if token.kind in _FLAGS:
            setattr(content, _FLAGS[token.kind], True)
        elif token.kind == Kind.CHANGE:
            content.changes.append((token.text, token.value))
        elif token.kind == Kind.SAME_CHANGE:
            content.same_changes.append(token.text)
        elif token.kind == Kind.CODING:
            content.codings.append((token.text, token.value))
        elif token.kind == Kind.CLASS:
            content.classes.append(token.value)
        elif token.kind == Kind.COPY:
            content.copies.append(token.value)
        elif token.kind == Kind.EXON:
            content.exons.append(token.value or _number_behind(tokens, i))
        elif token.kind == Kind.CODON:
            content.codon = token.text
        elif token.kind == Kind.COPIES:
            content.names_copies = True
            if content.number_of_copies is None:
                content.number_of_copies = _copies(tokens, i)
        elif token.kind == Kind.RATIO:
            content.names_copies = True
            content.ratio = _ratio(tokens, i) if content.ratio is None else content.ratio
        elif token.kind == Kind.LOG2:
            content.names_copies = True
            content.log2 = _value_behind(tokens, i) if content.log2 is None else content.log2
        elif token.kind == Kind.NEGATION and content.negation is None:
            content.negation = token
        elif token.kind == Kind.REASON and content.reason in (None, OTHER_MARKER):
            content.reason = token.value
        elif token.kind == Kind.BAND:
            content.bands.append(token.text)
        elif token.kind == Kind.UNKNOWN:
            content.unknown.append(token)
        elif token.kind == Kind.FILLER:
            content.one_allele |= token.value == ONE_ALLELE
            content.in_situ |= token.value == IN_SITU
            content.named_type |= token.value == NAMED_TYPE
            content.bases = content.bases or _bases(tokens, i)
    if content.number_of_copies is None and not content.describes_a_mutation:
        content.number_of_copies = _times(tokens)
    return content


_SKIPPED_BEFORE_NUMBERS = frozenset(
    {Kind.FILLER, Kind.RATIO, Kind.LOG2, Kind.COLON, Kind.CONNECTOR, Kind.OPEN, Kind.LEVEL, Kind.HYPHEN}
)


_LENGTH = re.compile(r"(\d{1,3})-?(?:bp|nt)", re.IGNORECASE)
_UNITS = frozenset(["bp", "nt", "base", "bases", "nucleotide", "nucleotides"])


def _bases(tokens: list[Token], i: int) -> int | None:
    """The length at ``52-bp``, ``52 bp``; None where token ``i`` is no length."""
    if match := _LENGTH.fullmatch(tokens[i].text):
        return int(match[1])
    before = tokens[i - 1] if i else None
    is_unit = tokens[i].text.lower() in _UNITS and before is not None and before.kind == Kind.NUMBER
    return int(before.value) if is_unit else None


def _number_behind(tokens: list[Token], i: int) -> str:
    for token in tokens[i + 1 : i + 4]:
        if token.kind == Kind.NUMBER or token.text[:1].isdigit():
            return token.text
        if token.kind not in _SKIPPED_BEFORE_NUMBERS:
            break
    return ""


def _copies(tokens: list[Token], i: int) -> float | None:
    """The number at "CN 14", "copy number: 14", "14 copies", and the lower one of "copy number 8-10"."""
    before = tokens[i - 1].value if i and tokens[i - 1].kind in (Kind.NUMBER, Kind.TIMES) else None
    if before is not None and tokens[i].text.lower() == "copies":
        return before
    behind = _value_behind(tokens, i)
    return before if behind is None else behind


_RANGE = re.compile(r"[<>=~]{0,2}(\d{1,3}(?:\.\d{1,2})?)-\d{1,3}(?:\.\d{1,2})?")
_SIGNED_NUMBER = re.compile(r"[+-]\d{1,2}(?:\.\d{1,6})?")


def _value_behind(tokens: list[Token], i: int) -> float | None:
    for token in tokens[i + 1 : i + 5]:
        if _SIGNED_NUMBER.fullmatch(token.text):
            return float(token.text)
        if token.kind in (Kind.NUMBER, Kind.TIMES):
            return token.value
        if match := _RANGE.fullmatch(token.text):
            return float(match[1])
        if token.kind not in _SKIPPED_BEFORE_NUMBERS:
            break
    return None


def _ratio(tokens: list[Token], i: int) -> float | None:
    """The number of "5.2-fold", "10 fold", "ratio 5.2"."""
    if tokens[i].value is not None:
        return tokens[i].value
    before = tokens[i - 1].value if i and tokens[i - 1].kind == Kind.NUMBER else None
    behind = _value_behind(tokens, i)
    return before if behind is None else behind


_DEPTH = frozenset(["coverage", "depth", "reads", "vaf"])
_TWO_MUTATIONS = 2


def _times(tokens: list[Token]) -> float | None:
    """The copies that ``x8``, ``x 8`` or ``8x`` states. ``x2`` counts the mutations of a gene as often as its copies,
    and two copies are no event."""
    if any(token.text.lower() in _DEPTH for token in tokens):
        return None
    for i, token in enumerate(tokens):
        apart = token.text == "x" and i + 1 < len(tokens) and tokens[i + 1].kind == Kind.NUMBER
        if token.kind == Kind.TIMES or apart:
            number = tokens[i + 1].value if apart else token.value
            return None if number == _TWO_MUTATIONS else number
    return None


@dataclass
class Mention:
    """What a statement speaks of: ``genes``, a ``pair`` of fused genes, or ``arms``; all empty where it names none.

    ``named`` is the token that names it, ``content`` the words that belong to it. ``headed``: its event stands before
    it, so that it may be the first of a list.
    """

    named: Token | None
    genes: tuple[str, ...] = ()
    pair: tuple[str | None, str | None] | None = None
    arms: tuple[tuple[str, int | None], ...] = ()
    content: Content = field(default_factory=Content)
    known: bool = True
    in_brackets: bool = False
    headed: bool = False
    negated: bool = False
    continued: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether nothing is said of it yet."""
        called = self.pair or any(call is not None for _, call in self.arms)
        content = self.content
        return not (called or content.has_event or content.unknown or content.reason or content.negation)


@dataclass
class Statement:
    """The tokens between two separators: their ``mentions``, and the content of the ``lead`` before the first."""

    tokens: list[Token]
    line: int
    joiner: str
    lead: Content = field(default_factory=Content)
    lead_tokens: list[Token] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    negated: bool = False
    says_no: bool = False
    reason: str | None = None
    general: bool = False
    of_others: bool = False
    in_brackets: bool = False
    of_arms: bool = False
    of_amplified_arms: bool = False

    @property
    def text(self) -> str:
        shown = [token.text for i, token in enumerate(self.tokens) if not i or token is not self.tokens[i - 1]]
        return " ".join(shown).replace("( ", "(").replace(" )", ")").replace(" :", ":").replace(" ,", ",")

    @property
    def is_bare(self) -> bool:
        return bool(self.mentions) and all(mention.is_bare for mention in self.mentions) and not self.lead.has_event

    @property
    def is_filler(self) -> bool:
        return all(token.kind in _FILLERS for token in self.tokens)

    @property
    def is_result_in_situ(self) -> bool:
        """Whether it is only the result of a hybridisation (``FISH+``), of the gene named before it."""
        return self.is_filler_or_result and self.lead.in_situ and (self.lead.positive or self.lead.negation is not None)

    @property
    def is_filler_or_result(self) -> bool:
        return all(token.kind in _FILLERS or token.kind == Kind.NEGATION for token in self.tokens)

    @property
    def ends_detected(self) -> bool:
        """Whether "detected", "found" or the like closes the statement, behind all that it names."""
        for token in reversed(self.tokens):
            if token.kind in _TARGETS:
                return False
            if token.kind == Kind.DETECTED:
                return True
        return False


_FILLERS = frozenset(
    {Kind.FILLER, Kind.NUMBER, Kind.CONNECTOR, Kind.COLON, Kind.OPEN, Kind.CLOSE, Kind.HYPHEN, Kind.DETECTED,
     Kind.LEVEL, Kind.CHROMOSOME, Kind.BETWEEN, Kind.EXON, Kind.COPIES, Kind.TIMES, Kind.RATIO, Kind.LOG2,
     Kind.POSITIVE, Kind.MUTATION}
)  # fmt: skip
_TARGETS = frozenset({Kind.GENE, Kind.PAIR, Kind.ARMS})
_SAYS_SOMETHING = frozenset(
    {Kind.CHANGE, Kind.CODING, Kind.CLASS, Kind.COPY, Kind.FUSION, Kind.SKIPPING, Kind.EXON, Kind.MUTATION}
)


def sentences_of(tokens: list[Token], lines: list[int]) -> Iterator[list[Statement]]:
    """Sentences, each a list of statements."""
    sentence: list[Statement] = []
    current: list[Token] = []
    start, joiner = 0, ""
    in_brackets = False

    def close() -> None:
        nonlocal current, joiner
        if current:
            sentence.append(Statement(current, lines[start], joiner, in_brackets=in_brackets))
            current, joiner = [], ""

    depth = 0
    for i, token in enumerate(tokens):
        depth = max(0, depth + {Kind.OPEN: 1, Kind.CLOSE: -1}.get(token.kind, 0))
        if token.kind == Kind.STOP and token.text == ";" and depth:
            token = Token(Kind.COMMA, token.text)  # within brackets a semicolon ends no sentence
        if token.kind in (Kind.STOP, Kind.CONTRAST):
            close()
            if sentence:
                yield sentence
            sentence, joiner = [], ""
        elif token.kind in (Kind.COMMA, Kind.JOINER) and _is_among_exons(tokens, i):
            current.append(Token(Kind.FILLER, token.text))
        elif token.kind in (Kind.COMMA, Kind.JOINER):
            close()
            joiner = (joiner or ",") if token.kind == Kind.COMMA else token.value
        else:
            if _begins_a_negation(token, current, tokens, i) or _negates_another_change(token, current, tokens, i):
                close()
            if not current:
                start, in_brackets = i, depth > (token.kind == Kind.OPEN)
            current.append(token)
    close()
    if sentence:
        yield sentence


_SEPARATORS = frozenset({Kind.COMMA, Kind.JOINER, Kind.STOP, Kind.CONTRAST})
"""What parts the statements of a text."""
_AMONG_EXONS = frozenset({Kind.NUMBER, Kind.COMMA, Kind.JOINER, Kind.HYPHEN, Kind.OPEN})
_OF_NO_EXON = frozenset({Kind.COPY, Kind.COPIES, Kind.PER_MEGABASE})


def _is_among_exons(tokens: list[Token], i: int) -> bool:
    """Whether the separator at ``i`` stands between numbers of exons or codons: ``KIT exons 9, 11 and 13``."""
    behind = tokens[i + 1 : i + 3]
    if not behind or behind[0].kind not in (Kind.NUMBER, Kind.JOINER) or behind[-1].kind in _OF_NO_EXON:
        return False
    before = next((token for token in reversed(tokens[:i]) if token.kind not in _AMONG_EXONS), None)
    return before is not None and (before.kind == Kind.EXON or before.text.lower() in ("codon", "codons"))


def _begins_a_negation(token: Token, before: list[Token], tokens: list[Token], i: int) -> bool:
    """Whether "no" or "negative for" stands between two genes of one statement and speaks of the second."""
    if token.kind != Kind.NEGATION or token.text.lower() not in ("no", "without", "negative for", "nor"):
        return False
    if not any(earlier.kind in _TARGETS for earlier in before[-8:]):
        return False
    for later in tokens[i + 1 : i + 8]:
        if later.kind in _SEPARATORS:
            return False
        if later.kind in _TARGETS:
            return True
    return False


def _negates_another_change(token: Token, before: list[Token], tokens: list[Token], i: int) -> bool:
    """Whether a negation in brackets speaks of another change of the same gene: ``KRAS G12D (not G12V)``."""
    opened = i > 0 and tokens[i - 1].kind == Kind.OPEN
    if token.kind != Kind.NEGATION or not opened or all(earlier.kind != Kind.CHANGE for earlier in before):
        return False
    return any(later.kind == Kind.CHANGE for later in tokens[i + 1 : i + 3])


# --- Words that the words around them decide ---


def resolved(tokens: list[Token]) -> list[Token]:
    """The tokens of a paragraph with every doubtful word decided: gene or not, change or gene, chromosome or number."""
    tokens = [Token(Kind.NEGATION, t.text, "no") if _counts_none(tokens, i) else t for i, t in enumerate(tokens)]
    out: list[Token] = []
    gene_before = False  # in this statement
    only_fillers = True
    numbers_are_chromosomes = False
    depth, fused = 0, False
    for i, token in enumerate(tokens):
        if _is_empty_list(tokens, i):
            token = Token(Kind.NEGATION, token.text, "undetected")
        if token.kind in _SEPARATORS:
            gene_before, only_fillers = False, True
            numbers_are_chromosomes &= token.kind not in (Kind.STOP, Kind.CONTRAST)
            fused &= depth > 0
            out.append(token)
            continue
        depth = max(0, depth + {Kind.OPEN: 1, Kind.CLOSE: -1}.get(token.kind, 0))
        was_fused = fused
        fused = (fused or token.kind == Kind.PAIR) and (token.kind != Kind.GENE or depth > 0)
        if was_fused and (depth or token.kind == Kind.CODON) and _FUSED_EXON.fullmatch(token.text):
            token = Token(Kind.FILLER, token.text)  # the fused exons, as in EML4-ALK (E13;A20)
        if token.kind in (Kind.NEGATION, Kind.DETECTED) and _is_of_partner(tokens, i):
            token = Token(Kind.FILLER, token.text)  # ROS1 fusion (partner not identified)
        if numbers_are_chromosomes and (listed := _chromosome_list(token)):
            token = Token(Kind.ARMS, token.text, listed)
        following = _next_word(tokens, i)
        if token.text == "/" and (_between_chromosomes(tokens, i) or _between_changes(tokens, i)):
            out.append(Token(Kind.JOINER, token.text, "and"))
            gene_before, only_fillers, numbers_are_chromosomes = False, True, False
            continue
        signed = named_arms(token.text, signed_behind=True) if i and tokens[i - 1].kind == Kind.CHROMOSOME else None
        if signed and token.kind != Kind.ARMS:
            token = Token(Kind.ARMS, token.text, signed)  # chr 7+, which alone may be a score
        if (token.kind == Kind.HYPHEN and _is_minus_sign(tokens, i)) or _says_gone(tokens, i):
            token = Token(Kind.NEGATION, token.text, "undetected")
        elif _says_kept(tokens, i):
            token = Token(Kind.DETECTED, token.text)
        elif token.text == "1" and _is_answer(tokens, i):
            token = Token(Kind.MUTATION, token.text)
        token = _decided(token, following, gene_before, only_fillers)
        if token.kind == Kind.UNKNOWN and _is_beside_deletion(tokens, i) and (change := _deleted(token.text)):
            token = Token(Kind.CHANGE, token.text, change)
        if gene_before and depth and token.kind == Kind.ARMS and token.text in _GISTIC:
            token = Token(Kind.COPY, token.text, _GISTIC[token.text])
        if numbers_are_chromosomes and token.text in ("X", "Y"):
            token = Token(Kind.ARMS, token.text, ((token.text, None),))
        if token.kind == Kind.NUMBER and is_chromosome(token.value):
            starts = only_fillers and not gene_before and following is not None and following.kind == Kind.COPY
            behind = following is not None and following.kind in (Kind.COPIES, Kind.PER_MEGABASE)
            if (numbers_are_chromosomes and not behind) or (starts and following.text.lower() in _OF_ONE_CHROMOSOME):
                token = Token(Kind.ARMS, token.text, ((str(int(token.value)), None),))
        if token.kind == Kind.CHROMOSOME or (token.kind == Kind.COPY and not gene_before):
            numbers_are_chromosomes = True
        elif token.kind not in (Kind.ARMS, Kind.CONNECTOR, Kind.OPEN, Kind.COLON, Kind.COPY):
            numbers_are_chromosomes = False
        if token.kind == Kind.ARMS:
            token = _of_named_arm(token, tokens, i)
        gene_before |= token.kind in (Kind.GENE, Kind.PAIR)
        only_fillers &= token.kind in _MAY_STAND_BEFORE
        out.append(token)
    return _with_second_notations(out)


_BETWEEN_NOTATIONS = frozenset({Kind.OPEN, Kind.FILLER, Kind.COLON, Kind.HYPHEN, Kind.CODING})


def _with_second_notations(tokens: list[Token]) -> list[Token]:
    """The tokens with every change marked that says the one before it in the numbers of another transcript, in brackets
    or behind a slash: ``MYD88 L265P (L252P)``, ``EZH2 Y641F/Y646F``."""
    out = list(tokens)
    genes: tuple[str, ...] = ()
    last, opened, slash = None, False, None
    for i, token in enumerate(tokens):
        if token.kind == Kind.GENE:
            genes, last = token.value, None
        elif token.kind == Kind.CHANGE:
            apart = opened or slash is not None
            if last is not None and apart and is_second_notation(genes, last, token.value, in_brackets=opened):
                out[i] = Token(Kind.SAME_CHANGE, token.text, token.value)
                if slash is not None:
                    out[slash] = Token(Kind.FILLER, tokens[slash].text)
            else:
                last = token.value
            opened, slash = False, None
        elif token.kind == Kind.JOINER and token.text == "/":
            slash = i
        elif token.kind in _BETWEEN_NOTATIONS:
            opened |= token.kind == Kind.OPEN
        else:
            last, opened, slash = None, False, None
    return out


_FUSED_EXON = re.compile(r"[A-Z]\d{1,2}[a-z]?")


def _is_of_partner(tokens: list[Token], i: int) -> bool:
    """Whether the word at ``i`` says that the partner of a fusion is (not) known: ``partner not identified``."""
    before = next((t for t in reversed(tokens[max(0, i - 3) : i]) if t.kind not in (Kind.FILLER, Kind.COLON)), None)
    return before is not None and before.kind == Kind.BETWEEN and before.text.lower().startswith("partner")


def _chromosome_list(token: Token) -> tuple[tuple[str, None], ...]:
    """The chromosomes of ``7/17``."""
    numbers = token.text.split("/")
    is_list = len(numbers) > 1 and all(number.isdecimal() and is_chromosome(float(number)) for number in numbers)
    return tuple((number, None) for number in numbers) if is_list else ()


def _is_empty_list(tokens: list[Token], i: int) -> bool:
    """Whether the bracket at ``i`` opens a list without items behind a gene's colon, as in JSON: ``"TP53": []``."""
    behind = tokens[i + 1 : i + 2]
    return (
        tokens[i].text == "[" and bool(behind) and behind[0].text == "]" and i > 0 and tokens[i - 1].kind == Kind.COLON
    )


_NOTHING = re.compile(r"0|0/\d{1,4}|zero|nil", re.IGNORECASE)
_NOT_BEHIND_A_COUNT = _SEPARATORS | {
    Kind.NEGATION, Kind.GENE, Kind.PAIR, Kind.COLON, Kind.BURDEN, Kind.PER_MEGABASE
}  # fmt: skip


def _counts_none(tokens: list[Token], i: int) -> bool:
    """Whether the number at ``i`` says that there are no mutations: ``0/3 mutations detected``, ``0 of 50 genes
    mutated``. A burden of 0 per megabase is no such number."""
    before = tokens[max(0, i - 4) : i]
    if not _NOTHING.fullmatch(tokens[i].text) or any(t.kind == Kind.BURDEN for t in before):
        return False
    behind = tokens[i + 1].kind if i + 1 < len(tokens) else Kind.STOP
    ends = behind in (Kind.CLOSE, Kind.COMMA, Kind.STOP, Kind.OPEN)
    if ends and "/" in tokens[i].text and before and before[-1].kind in (Kind.GENE, Kind.CHANGE):
        return True  # KRAS 0/2
    if ends and before and before[-1].kind in (Kind.COLON, Kind.OPEN):
        # "Mutations detected: 0", "mutations (0/4)"
        kinds = {token.kind for token in before[:-1]}
        return Kind.MUTATION in kinds and kinds <= {Kind.MUTATION, Kind.DETECTED, Kind.FILLER, Kind.CONNECTOR}
    depth = 0
    for j, token in enumerate(tokens[i + 1 : i + 60], i + 1):
        depth += {Kind.OPEN: 1, Kind.CLOSE: -1}.get(token.kind, 0)
        if depth > 0:
            continue
        if token.kind in _NOT_BEHIND_A_COUNT or (depth == 0 and j > i + 8 and token.kind == Kind.UNKNOWN):
            return False
        if token.kind == Kind.MUTATION:
            return not any(later.kind == Kind.PER_MEGABASE for later in tokens[j + 1 : j + 4])
    return False


_NAMED_ARMS = {"short arm": "p", "short arms": "p", "long arm": "q", "long arms": "q", "p arm": "p", "q arm": "q"}


def _of_named_arm(token: Token, tokens: list[Token], i: int) -> Token:
    """The arm of a chromosome that words beside it name: ``long arm of chromosome 1``, ``chromosome 3 short arm``."""
    beside = [*tokens[max(0, i - 4) : i], *tokens[i + 1 : i + 2]]
    listed = [t for t in tokens[max(0, i - 12) : i] if t.text.lower().endswith(" arms")]
    letter = next((arm for t in [*beside, *listed] if (arm := _NAMED_ARMS.get(t.text.lower()))), "")
    arms = tuple((name if name[-1] in "pq" else name + letter, call) for name, call in token.value)
    return Token(Kind.ARMS, token.text, arms)


_OF_CHROMOSOMES = frozenset({Kind.COPY, Kind.ARMS, Kind.CHROMOSOME})


_RESIDUES = re.compile(r"(?:p\.)?([A-Z][a-z]{0,2}\d+)[-_]([A-Z]?[a-z]{0,2}\d+)")


def _deleted(text: str) -> ProteinChange | None:
    """The deletion of a range of residues, which a word beside it states: ``E746-A750 deletion``."""
    match = _RESIDUES.fullmatch(text)
    return parse_protein_change(f"{match[1]}_{match[2]}del") if match else None


def _is_beside_deletion(tokens: list[Token], i: int) -> bool:
    beside = [*tokens[max(0, i - 2) : i], *tokens[i + 1 : i + 2]]
    return any(token.kind == Kind.COPY and token.value == "deletion" for token in beside)


_GISTIC = {"-2": "homozygous deletion", "-1": "heterozygous loss", "+1": "gain", "+2": "amplification"}
"""Levels behind a gene, which elsewhere are whole chromosomes: CDKN2A (-2)."""

_MAY_STAND_BEFORE = frozenset(
    {Kind.FILLER, Kind.RATIO, Kind.LOG2, Kind.TIMES, Kind.NEGATION, Kind.CONNECTOR, Kind.OPEN, Kind.NUMBER, Kind.HYPHEN}
)


def _between_chromosomes(tokens: list[Token], i: int) -> bool:
    """Whether the slash at ``i`` stands between two events of chromosomes: ``7 gain / 10 loss``."""
    before, behind = tokens[max(0, i - 2) : i], tokens[i + 1 : i + 3]
    begins = bool(behind) and behind[0].kind in (Kind.NUMBER, *_OF_CHROMOSOMES)
    return begins and all(any(t.kind in _OF_CHROMOSOMES for t in side) for side in (before, behind))


def _is_minus_sign(tokens: list[Token], i: int) -> bool:
    """Whether the hyphen at ``i`` says that a gene is negative: ``KRAS (-)``, ``KRAS -``."""
    before = next((token for token in reversed(tokens[max(0, i - 2) : i]) if token.kind != Kind.OPEN), None)
    ends = i + 1 == len(tokens) or tokens[i + 1].kind in (Kind.CLOSE, Kind.COMMA, Kind.STOP)
    return ends and before is not None and before.kind in (Kind.GENE, Kind.CHANGE)


_FRACTION_NAMES = frozenset(["vaf", "af", "maf", "allele frequency", "allelic fraction", "variant allele frequency"])


def _said_before(tokens: list[Token], i: int) -> list[Token]:
    """The tokens of the statement that token ``i`` is in, up to it."""
    start = next((j + 1 for j in range(i - 1, -1, -1) if tokens[j].kind in _SEPARATORS), 0)
    return tokens[start:i]


def _says_gone(tokens: list[Token], i: int) -> bool:
    """Whether the word at ``i`` says that the change before it is not there (any more): ``EGFR T790M was lost``, ``JAK2
    V617F 0%``, ``VAF: 0``. A gene that is lost, or that has a score of 0%, says nothing of a mutation."""
    token, word = tokens[i], tokens[i].text.lower()
    is_zero = token.value == 0.0 and token.kind in (Kind.NUMBER, Kind.FILLER)
    if not is_zero and word not in ("lost", "loss"):
        return False
    before = _said_before(tokens, i)
    of_change = any(earlier.kind in (Kind.CHANGE, Kind.CODING, Kind.CLASS) for earlier in before)
    if word == "lost":
        return of_change or _heads_changes(tokens, i)
    if word == "loss":
        return bool(before) and before[-1].kind == Kind.CHANGE and _ends_statement(tokens, i)
    return (word == "0" and _is_answer(tokens, i)) or (of_change and _is_fraction(tokens, i, before))


def _is_fraction(tokens: list[Token], i: int, before: list[Token]) -> bool:
    """Whether the number at ``i`` is an allele fraction: a percentage, or behind a word for one."""
    named = next((earlier for earlier in reversed(before) if earlier.kind != Kind.COLON), None)
    is_percentage = tokens[i].text.endswith("%") or (i + 1 < len(tokens) and tokens[i + 1].text == "%")
    return is_percentage or (named is not None and named.text.lower() in _FRACTION_NAMES)


def _ends_statement(tokens: list[Token], i: int) -> bool:
    return i + 1 == len(tokens) or tokens[i + 1].kind in _SEPARATORS


_FARTHEST_COLON = 4


def _heads_changes(tokens: list[Token], i: int) -> bool:
    """Whether the word at ``i`` heads a list of exact changes: ``Lost: EGFR T790M``, ``Retained at relapse: ...``."""
    colon = next(
        (j for j in range(i + 1, min(i + 1 + _FARTHEST_COLON, len(tokens))) if tokens[j].kind == Kind.COLON), -1
    )
    kinds = [token.kind for token in tokens[colon + 1 : colon + 3]] if colon > 0 else []
    return kinds in ([Kind.GENE, Kind.CHANGE], [Kind.GENE, Kind.CODING])


_KEPT = frozenset(["retained", "maintained", "preserved"])


def _says_kept(tokens: list[Token], i: int) -> bool:
    """Whether a word that elsewhere says that a gene or protein is intact says that a change is still there: ``EGFR
    L858R retained``."""
    if tokens[i].text.lower() not in _KEPT:
        return False
    of_change = any(token.kind in (Kind.CHANGE, Kind.CODING) for token in _said_before(tokens, i))
    return of_change or _heads_changes(tokens, i)


def _is_answer(tokens: list[Token], i: int) -> bool:
    """Whether the number at ``i`` is all that is said of a gene: ``KRAS: 1, NRAS: 0``."""
    kinds = [token.kind for token in _said_before(tokens, i)]
    is_named = kinds == [Kind.GENE, Kind.COLON] or (kinds == [Kind.GENE] and tokens[i].text == "0")
    return is_named and _ends_statement(tokens, i)


def _between_changes(tokens: list[Token], i: int) -> bool:
    """Whether the slash at ``i`` stands alone between the results for two changes of a gene: ``L858R positive / T790M
    negative``."""
    behind = tokens[i + 1] if i + 1 < len(tokens) else None
    before = {token.kind for token in _said_before(tokens, i)}
    return behind is not None and behind.kind == Kind.CHANGE and Kind.CHANGE in before


_OF_ONE_CHROMOSOME = frozenset(["gain", "loss", "monosomy", "trisomy", "tetrasomy", "polysomy"])
_PASSED_OVER = frozenset({Kind.FILLER, Kind.OPEN, Kind.CLOSE, Kind.COLON, Kind.HYPHEN})


def _next_word(tokens: list[Token], i: int) -> Token | None:
    return next((token for token in tokens[i + 1 : i + 4] if token.kind not in _PASSED_OVER), None)


def _decided(token: Token, following: Token | None, gene_before: bool, only_fillers: bool) -> Token:
    says = following is not None and following.kind in _SAYS_SOMETHING
    if token.kind in (Kind.GENE, Kind.ARMS) and token.change and gene_before:
        return Token(Kind.CHANGE, token.text, token.change)
    if token.kind == Kind.GENE and not token.sure:
        ordinary = token.text.lower() in ORDINARY
        if says or (only_fillers and not ordinary):
            return Token(Kind.GENE, token.text, token.value)
        negated = following is not None and following.kind in (Kind.NEGATION, Kind.REASON, Kind.POSITIVE)
        if not ordinary and negated:
            return Token(Kind.GENE, token.text, token.value)
        return Token(Kind.FILLER if ordinary else Kind.UNKNOWN, token.text)
    if token.kind != Kind.GENE and not token.sure:
        # A word in capitals that is a gene's symbol too (INS, SET): a gene only with a change of its own.
        if not gene_before and following is not None and following.kind == Kind.CHANGE:
            return Token(Kind.GENE, token.text, (token.text,))
        return token
    mutation = following is not None and following.kind in (Kind.CHANGE, Kind.CODING)
    mutation |= following is not None and following.kind == Kind.CLASS and not gene_before  # HER2 YVMA insertion
    if mutation and is_shaped_like_a_gene(token):
        return Token(Kind.GENE, token.text, (token.text,), sure=False)
    return token


def with_pairs(tokens: list[Token], lines: list[int]) -> tuple[list[Token], list[int]]:
    """The tokens with the two genes of a fusion made one, and the line of each: ``EML4 - ALK fusion``, ``fusion of EML4
    and ALK``, ``ROS1 (CD74) fusion``."""
    out: list[Token] = []
    lines_out: list[int] = []
    i = 0
    while i < len(tokens):
        lines_out.append(lines[i])
        end, pair = _partner_at(tokens, i)
        if not pair:
            end, pair = _pair_at(tokens, i)
        if pair:
            first, second = pair
            both = first.value[0], second.value[0]
            out.append(Token(Kind.PAIR, f"{first.text}-{second.text}", both))
            i = end
        else:
            out.append(tokens[i])
            i += 1
    return out, lines_out


_BESIDE_A_PARTNER = frozenset(
    {Kind.FILLER, Kind.COLON, Kind.CONNECTOR, Kind.JOINER, Kind.HYPHEN, Kind.NUMBER, Kind.EXON}
)


def _partner_at(tokens: list[Token], i: int) -> tuple[int, tuple[Token, Token] | None]:
    """As ``_pair_at``, of a gene whose partner is set apart: ``ROS1 (CD74) fusion``, ``NTRK1 rearranged (TPM3)``, ``ALK
    rearrangement, partner EML4``."""
    gene, partner, nothing = tokens[i], None, (i, None)
    if gene.kind != Kind.GENE or len(gene.value) > 1:
        return nothing
    opened = fused = called_partner = False
    for j in range(i + 1, min(i + 12, len(tokens))):
        token, kind = tokens[j], tokens[j].kind
        if kind == Kind.GENE and partner is None and token.value != gene.value:
            partner = token
            if not opened:
                return _as_pair(j + 1, gene, partner) if fused and called_partner else nothing
        elif kind == Kind.CLOSE and partner:
            fused |= j + 1 < len(tokens) and tokens[j + 1].kind == Kind.FUSION
            return _as_pair(j + 1, gene, partner) if fused or called_partner else nothing
        elif kind == Kind.GENE and token.value == gene.value and opened:
            continue  # KMT2A (MLL) fusion (MLLT3)
        elif kind == Kind.CLOSE and opened:
            opened = False
        elif kind == Kind.OPEN and not opened:
            opened = True
        elif kind == Kind.FUSION and not opened:
            fused = True
        elif kind == Kind.BETWEEN and token.text.lower().startswith("partner"):
            called_partner = True
        elif kind == Kind.STOP and token.text == ";" and fused and _next_is_partner(tokens, j):
            continue  # ROS1 rearrangement; partner gene: CD74
        elif not (kind == Kind.COMMA and fused and not opened) and (
            kind not in _BESIDE_A_PARTNER or token.text.lower() in ("and", "or", "/")
        ):
            return nothing
    return nothing


def _next_is_partner(tokens: list[Token], j: int) -> bool:
    return j + 1 < len(tokens) and tokens[j + 1].text.lower().startswith("partner")


def _as_pair(end: int, gene: Token, partner: Token) -> tuple[int, tuple[Token, Token] | None]:
    """The partner takes the side that the gene does not have in most fusions."""
    if len(partner.value) > 1 or partner.value == gene.value:
        return end, None
    is_three_prime = with_unknown_partner(gene.value[0])[1] is not None
    return end, (partner, gene) if is_three_prime else (gene, partner)


def _pair_at(tokens: list[Token], i: int) -> tuple[int, tuple[Token, Token] | None]:
    """Where the fusion that begins at token ``i`` ends, and its genes; None where none begins."""
    token = tokens[i]
    if token.kind != Kind.GENE or len(token.value) > 1:
        return i, None
    fused_before = any(t.kind == Kind.FUSION for t in tokens[max(0, i - 3) : i])
    j, linked, fused, hyphen, depth = i + 1, False, False, False, 0
    beside: list[Token] = []  # what stands between the genes, outside brackets
    for _ in range(12):
        if j >= len(tokens):
            return i, None
        kind = tokens[j].kind
        if kind == Kind.GENE:
            break
        depth = max(0, depth + {Kind.OPEN: 1, Kind.CLOSE: -1}.get(kind, 0))
        if kind not in (Kind.OPEN, Kind.CLOSE) and not (depth and kind == Kind.FILLER):
            beside.append(tokens[j])
        if kind == Kind.FUSION:
            fused = True
        elif kind == Kind.HYPHEN:
            hyphen = True
        elif kind in (Kind.JOINER, Kind.BETWEEN) or tokens[j].text.lower() == "to":
            linked = True
        elif kind not in (Kind.OPEN, Kind.CLOSE, Kind.NUMBER, Kind.EXON, Kind.FILLER, Kind.CONNECTOR):
            return i, None
        j += 1
    else:
        return i, None
    partner = tokens[j]
    if len(partner.value) > 1 or partner.value == token.value:
        return i, None
    word_behind = _next_word(tokens, j)
    fused_behind = word_behind is not None and word_behind.kind == Kind.FUSION
    joined_by = {t.text.lower() for t in tokens[i + 1 : j] if t.kind in (Kind.JOINER, Kind.BETWEEN, Kind.CONNECTOR)}
    if linked:
        # "fusion of EML4 and ALK", "ALK fusion with EML4", "EML4 fused to ALK"
        named = (fused_before and _fusion_of(tokens, i)) or (fused and joined_by <= {"with", "to", "partner"})
        known = is_known_fusion(token.value[0], partner.value[0])
        if named and (fused or known or joined_by <= {"and", "with", "to"}):
            return j + 1, (token, partner)
        if known and fused_behind and not fused and joined_by == {"and"}:
            return j + 1, (token, partner)  # EML4 and ALK fusion
        return i, None
    adjacent = all(t.kind in (Kind.HYPHEN, Kind.NUMBER, Kind.EXON) for t in beside)
    if fused or not adjacent:
        return i, None
    known = is_known_fusion(token.value[0], partner.value[0])
    if (hyphen and (fused_behind or known)) or (j == i + 1 and (fused_behind or (fused_before and known))):
        return j + 1, (token, partner)
    return i, None


def _fusion_of(tokens: list[Token], i: int) -> bool:
    """Whether "fusion of", "fusion between" or the like stands right before token ``i``, with nothing negated."""
    before = tokens[max(0, i - 2) : i]
    return any(t.kind in (Kind.CONNECTOR, Kind.BETWEEN) for t in before)


# --- Mentions ---


def find_mentions(statement: Statement) -> None:
    """Fill in the lead and the mentions of a statement, each with the content of the words behind it."""
    groups: list[tuple[Mention, list[Token]]] = []
    lead: list[Token] = []
    depth = int(statement.in_brackets)
    for token in statement.tokens:
        depth += {Kind.OPEN: 1, Kind.CLOSE: -1}.get(token.kind, 0)
        if token.kind not in _TARGETS:
            (groups[-1][1] if groups else lead).append(token)
            continue
        last = groups[-1] if groups else None
        if last and _is_again(token, last[0], last[1]):
            if token.kind == Kind.PAIR:
                last[0].pair, last[0].genes = token.value, ()
            elif token.kind == Kind.ARMS:
                last[0].arms += token.value
            continue
        groups.append((_mention(token, depth > 0), []))
    for mention, tokens in groups:
        mention.content = content_of(tokens)
    statement.lead_tokens, statement.lead = lead, content_of(lead)
    statement.mentions = [mention for mention, _ in groups]
    _give_lead(statement)


def _mention(token: Token, in_brackets: bool) -> Mention:
    if token.kind == Kind.GENE:
        return Mention(token, genes=token.value, known=token.sure, in_brackets=in_brackets)
    if token.kind == Kind.PAIR:
        return Mention(token, pair=token.value, in_brackets=in_brackets)
    return Mention(token, arms=token.value, in_brackets=in_brackets)


def _is_again(token: Token, mention: Mention, tokens: list[Token]) -> bool:
    """Whether the token names what the mention before it names: ``MLL2 (KMT2D)``, ``RET CCDC6-RET``, ``1p 19q``."""
    said = any(t.kind not in (Kind.OPEN, Kind.CLOSE, Kind.FILLER, Kind.HYPHEN, Kind.COLON, Kind.FUSION) for t in tokens)
    if said:
        return False
    fused = any(t.kind == Kind.FUSION for t in tokens)
    if token.kind == Kind.GENE:
        in_pair = mention.pair is not None and token.value[0] in mention.pair
        return not fused and (set(token.value) <= set(mention.genes) or in_pair)
    if token.kind == Kind.PAIR:
        return mention.pair == token.value or bool(set(mention.genes) & set(token.value))
    return bool(mention.arms) and not fused and all(call is None for _, call in mention.arms)


def _give_lead(statement: Statement) -> None:
    """Give the words before the first mention to it where it has no event of its own: ``loss of PTEN``."""
    if statement.mentions:
        statement.mentions[0].content.one_allele |= statement.lead.one_allele
        statement.mentions[0].content.in_situ |= statement.lead.in_situ
    if not statement.mentions or not (statement.lead.has_event or statement.lead.reason or statement.lead.unknown):
        return
    first, lead = statement.mentions[0], statement.lead
    if lead.has_event and not first.content.names_an_event and not (lead.has_change and _speaks_of_before(statement)):
        negation, reason = first.content.negation, first.content.reason
        copies = first.content.number_of_copies
        unknown = [*lead.unknown, *first.content.unknown]
        first.content = content_of([*statement.lead_tokens, *_of_mention(statement, first)])
        first.content.negation, first.content.unknown = negation, unknown
        first.content.reason = reason or lead.reason
        first.content.number_of_copies = copies if copies is not None else lead.number_of_copies
        first.headed = True
        statement.lead = Content(negation=lead.negation, reason=lead.reason, detected=lead.detected)
    elif lead.reason and not first.content.reason:
        first.content.reason = lead.reason


def _of_mention(statement: Statement, mention: Mention) -> list[Token]:
    """The words behind a mention, up to the next one."""
    at = next(i for i, token in enumerate(statement.tokens) if token is mention.named)
    tokens = []
    for token in statement.tokens[at + 1 :]:
        if token.kind in _TARGETS:
            break
        tokens.append(token)
    return tokens


def _speaks_of_before(statement: Statement) -> bool:
    """Whether a change before a gene may belong to a gene named earlier: no "in" or "of" leads to this one, and it does
    not stand right before it as the only thing said of it (``G12D KRAS``, ``G12D (KRAS)``)."""
    changes = [token for token in statement.lead_tokens if token.kind in (Kind.CHANGE, Kind.CODING)]
    said = [token for token in statement.lead_tokens if token.kind != Kind.OPEN]
    adjacent = len(changes) == 1 and said[-1] is changes[0]
    if adjacent and len(statement.mentions) == 1 and not statement.mentions[0].content.has_event:
        return False
    return not any(token.kind == Kind.CONNECTOR for token in statement.lead_tokens) and statement.joiner == ","


# --- What passes from statement to statement ---


def pass_events(sentence: list[Statement]) -> None:
    """Give the event that heads or closes a list of genes or arms to all in the list."""
    ends_with_and = _ends_with_and(sentence)
    for i, statement in enumerate(sentence):
        if not statement.mentions:
            continue
        head = statement.mentions[-1]
        if head.headed and _is_list_event(head):
            _pass_on(sentence, i, head, ends_with_and[i])
    for i in range(len(sentence) - 1, 0, -1):
        mentions = sentence[i].mentions
        if mentions and not mentions[0].headed and _is_list_event(mentions[0]):
            _pass_back(sentence, i, mentions[0])


def _ends_with_and(sentence: list[Statement]) -> list[bool]:
    """For each statement whether the bare statements behind it end with one that "and" or "or" joins."""
    ends = [False] * len(sentence)
    for i in range(len(sentence) - 2, -1, -1):
        following = sentence[i + 1]
        if following.is_bare:
            ends[i] = following.joiner in ("and", "or") or ends[i + 1]
    return ends


def _is_list_event(mention: Mention) -> bool:
    content = mention.content
    return bool(content.copies or content.fusion or content.classes or _called(mention)) and not content.has_change


def _called(mention: Mention) -> bool:
    return any(call is not None for _, call in mention.arms)


def _pass_on(sentence: list[Statement], i: int, head: Mention, ends_with_and: bool) -> None:
    tokens = sentence[i].lead_tokens
    is_plural = any(token.kind == Kind.COLON or token.text.lower().endswith("s") for token in tokens)
    is_plural |= bool(tokens) and tokens[-1].kind == Kind.COPY and tokens[-1].text.lower() in _PARTICIPLES
    for statement in sentence[i + 1 :]:
        if not statement.is_bare or statement.mentions[0].continued:
            return
        same_kind = bool(statement.mentions[0].arms) == bool(head.arms)
        bracketed = statement.in_brackets and head.in_brackets  # 11q13 amplification (CCND1, FGF3)
        if not (
            same_kind and (bracketed or head.arms or is_plural or ends_with_and or statement.joiner in ("and", "or"))
        ):
            return
        for mention in statement.mentions:
            mention.content, mention.headed = event_of(head.content), True


_PARTICIPLES = frozenset(["amplified", "deleted", "gained", "lost"])
"""Before a gene, these head the whole list: ``deleted CDKN2A, CDKN2B, MTAP``."""


def _pass_back(sentence: list[Statement], i: int, tail: Mention) -> None:
    is_plural = any(
        token.kind in (Kind.COPY, Kind.FUSION) and token.text.lower().endswith("s") for token in sentence[i].tokens
    )
    joined = is_plural or sentence[i].joiner in ("and", "or")
    if not (tail.arms or joined):
        return
    for statement in reversed(sentence[:i]):
        same_kind = statement.is_bare and bool(statement.mentions[0].arms) == bool(tail.arms)
        if not same_kind or (tail.arms and _called(tail) and not tail.content.copies):
            return
        for mention in statement.mentions:
            mention.content = event_of(tail.content)
            mention.negated = tail.content.negation is not None
        if statement.joiner == "":
            return


def event_of(content: Content) -> Content:
    return Content(
        classes=list(content.classes), copies=list(content.copies), fusion=content.fusion, reason=content.reason,
        exons=list(content.exons), one_allele=content.one_allele,
    )  # fmt: skip


def pass_negations(sentence: list[Statement]) -> None:
    """Mark all that a negation speaks of: what follows it, to the end of the list, or the list that it closes."""
    last_of_or = _last_of_or_list(sentence)
    i = 0
    while i < len(sentence):
        statement = sentence[i]
        prefix, suffix = _negations(statement)
        if suffix:
            _negate_backwards(sentence, i)
        i = _negate_forwards(sentence, i, prefix, last_of_or[i]) if prefix else i + 1


def _last_of_or_list(sentence: list[Statement]) -> list[int]:
    """For each statement the last one of the first list behind it that "or" closes; -1 where there is none."""
    last = [-1] * len(sentence)
    for i in range(len(sentence) - 2, -1, -1):
        if sentence[i + 1].joiner == "or":
            chained = i + 2 < len(sentence) and sentence[i + 2].joiner == "or"
            last[i] = last[i + 1] if chained else i + 1
        else:
            last[i] = last[i + 1]
    return last


def _negations(statement: Statement) -> tuple[Token | None, bool]:
    """The negation before the first mention, and whether a mention is negated by what stands behind it."""
    prefix = statement.lead.negation
    suffix = False
    for mention in statement.mentions:
        if mention.content.negation:
            mention.negated = suffix = True
    if not statement.mentions and prefix:
        statement.says_no = True
        if prefix.value in ("wild type", "undetected") and prefix.text.lower() not in ("none", "no"):
            return None, True
    return prefix, suffix


def _negate_backwards(sentence: list[Statement], i: int) -> None:
    whole = any(token.text.lower() in ("were", "are") for token in sentence[i].tokens)
    joiner = sentence[i].joiner
    lone = not sentence[i].mentions
    for j in range(i - 1, -1, -1):
        earlier = sentence[j]
        if earlier.negated or any(mention.content.negation for mention in earlier.mentions) or earlier.says_no:
            return
        if lone and sentence[i].lead.exons and any(mention.content.has_change for mention in earlier.mentions):
            return  # KRAS exon 2 (G12D), exon 3 (wt)
        carries = earlier.is_bare or lone or (joiner == "or") or (whole and not earlier.ends_detected)
        if not earlier.mentions or not carries:
            return
        earlier.negated = True
        lone, joiner = False, earlier.joiner
        if joiner == "":
            return


def _negate_forwards(sentence: list[Statement], i: int, negation: Token, last_of_or: int) -> int:
    """Mark the list that begins at ``i``; returns the first statement behind it."""
    statement = sentence[i]
    statement.negated = True
    last = statement.mentions[-1] if statement.mentions else None
    colon = any(token.kind == Kind.COLON for token in statement.lead_tokens)
    strong = negation.value == "negative for" or (colon and negation.value != "wild type")
    none_of = negation.text.lower() in ("none of", "neither") or negation.text[:1] == "0"
    open_list = last is None or last.headed or not last.content.has_event or strong
    closed = statement.ends_detected and last is not None
    to_the_end = sentence[-1].ends_detected and not closed and len(sentence) - 1 > i
    met, ended = last is not None, False
    j = i + 1
    while j < len(sentence) and not closed:
        following = sentence[j]
        if following.lead.negation or any(mention.content.negation for mention in following.mentions):
            break
        if none_of and _closes_none_of(following):
            following.negated = True
            return j + 1
        if negation.value == "wild type" and any(mention.content.mutation for mention in following.mentions):
            break  # wild-type TP53 and mutant KRAS
        listed = j <= last_of_or or to_the_end
        if not listed:
            if not following.mentions:
                listed = not met or following.is_filler
            elif ended and following.joiner == ",":
                break
            elif following.is_bare:
                listed = open_list
            else:
                has_change = any(mention.content.has_change for mention in following.mentions)
                joined = following.joiner == "and" and not has_change and open_list
                listed = joined or (strong and negation.value != "wild type")
        if not listed:
            break
        following.negated = True
        ended |= met and following.joiner in ("and", "or") and bool(following.mentions)
        met |= bool(following.mentions)
        j += 1
    return j


def _closes_none_of(statement: Statement) -> bool:
    """Whether a statement ends the list of "none of KRAS, NRAS, BRAF mutated", of which its event is said."""
    contents = [mention.content for mention in statement.mentions]
    return bool(contents) and contents[-1].mutation and not any(content.names_an_event for content in contents)


_ALSO_OF_EARLIER = frozenset([UNTESTED, ASSAYED, UNCERTAIN, GERMLINE, BENIGN, OF_BLOOD])
"""Reasons that alone in a statement speak of what is before it."""


def pass_reasons(sentence: list[Statement]) -> None:
    """Give a reason that stands alone ("KRAS, not tested") to what is before it, one with a colon to its list."""
    _mark_some_of(sentence)
    for i, statement in enumerate(sentence):
        colon = any(token.kind == Kind.COLON for token in statement.lead_tokens)
        reason = statement.lead.reason or (statement.mentions[0].content.reason if statement.mentions else None)
        # "Family history: mother with a BRCA1 mutation"
        begins = bool(statement.mentions) or (i == 0 and reason == GERMLINE and statement.lead.negation is None)
        if colon and reason and begins and _stands_before(statement, reason):
            for following in sentence[i + 1 :]:
                following.reason = following.reason or reason
            return
        if not statement.mentions and statement.lead.reason in _ALSO_OF_EARLIER:
            _pass_reason_back(sentence, i, statement.lead.reason, lone=True)
        elif reason == EXPRESSION and not statement.lead.has_event:
            _pass_expression_back(sentence, i)
        elif reason in (UNTESTED, ASSAYED):
            _pass_reason_back(sentence, i, reason, lone=False)
            if reason == ASSAYED and _stands_before(statement, reason):
                _pass_reason_on(sentence, i, reason)


_SOME_OF = re.compile(r"(\d{1,3}) ?(?:of|out of|/) ?(?:the )?(\d{1,3}) ")


def _mark_some_of(sentence: list[Statement]) -> None:
    """Mark the genes of a list of which only some are mutated, where it does not say which: ``1 of 3 genes mutated:
    KRAS, NRAS, BRAF``."""
    lead = sentence[0].lead_tokens
    counts = _SOME_OF.match(" ".join(token.text for token in lead))
    if not counts or lead[-1].kind != Kind.COLON or all(token.kind != Kind.MUTATION for token in lead):
        return
    named = [mention for statement in sentence for mention in statement.mentions]
    if int(counts[1]) < int(counts[2]) == len(named):
        for mention in named:
            if not mention.content.names_an_event:
                mention.content.reason = mention.content.reason or UNCERTAIN


def pass_generality(sentence: list[Statement]) -> None:
    """Mark statements about a gene in general, and what follows in the sentence: "patients with KRAS mutations". Of
    such patients even an exact change is not this tumour's."""
    general = of_others = False
    for statement in sentence:
        general |= any(token.kind == Kind.GENERAL for token in statement.tokens)
        of_others |= any(token.kind == Kind.GENERAL and token.value for token in statement.lead_tokens)
        statement.general, statement.of_others = general, of_others


def _pass_reason_back(sentence: list[Statement], i: int, reason: str, lone: bool) -> None:
    for earlier in reversed(sentence[:i]):
        if earlier.reason or not earlier.mentions or not (lone or earlier.is_bare):
            return
        earlier.reason = reason
        if reason not in (UNTESTED, ASSAYED) or not earlier.is_bare:
            return
        lone = False


def _pass_expression_back(sentence: list[Statement], i: int) -> None:
    """Mark the list that "expression" or the like closes: "loss of MLH1, PMS2 and MSH6 expression"."""
    last = sentence[i]
    if last.joiner not in ("and", "or") or not last.mentions or last.mentions[0].content.has_event:
        return
    for earlier in reversed(sentence[:i]):
        headed = bool(earlier.mentions) and earlier.mentions[0].headed
        if not headed and not earlier.is_bare:
            return
        earlier.reason = earlier.reason or EXPRESSION
        if headed and earlier.lead_tokens:
            return


def _pass_reason_on(sentence: list[Statement], i: int, reason: str) -> None:
    for following in sentence[i + 1 :]:
        if not following.is_bare:
            return
        following.reason = following.reason or reason


def _stands_before(statement: Statement, reason: str) -> bool:
    return any(token.kind == Kind.REASON and token.value == reason for token in statement.lead_tokens)
