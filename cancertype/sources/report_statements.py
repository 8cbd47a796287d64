"""From the tokens of a sentence to what it states: statements, what they speak of, and how each is read.

A sentence is cut into statements at commas, "and", "or" and the like. A statement has mentions: a gene, a fusion or
chromosome arms, with the words that belong to it. Three things pass from one statement to another: the gene ("TP53
R175H, R273H"), an event that heads or closes a list ("amplification of EGFR and MYC"), and a negation ("no mutation in
KRAS, NRAS or BRAF"; "EGFR, KRAS and BRAF wild type").
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..alterations.known_fusions import fusion_of, in_usual_order, is_known_fusion, with_unknown_partner
from ..variants.coding_changes import PROMOTER, UNKNOWN, is_tert_promoter
from ..variants.protein_changes import ProteinChange
from ..variants.schema import NON_CODING, SILENT
from .karyotype import arms_of, is_chromosome, isochromosome
from .report_words import (
    COPY_LEVELS,
    COPY_NEUTRAL,
    EXPRESSION,
    METHYLATION,
    ORDINARY,
    OTHER_MARKER,
    UNCERTAIN,
    UNTESTED,
    Kind,
    Token,
    is_shaped_like_a_gene,
)

# --- What a statement may say ---


@dataclass(frozen=True)
class Mutation:
    """A small mutation; ``protein_change`` and ``consequence`` as ``canonical.table`` takes them.

    ``gene_only``: nothing is stated but that the gene is mutated, and if it ``is_bare`` not even that: it is only named.
    """

    gene: str
    protein_change: str
    consequence: str
    gene_only: bool = False
    is_bare: bool = False


@dataclass(frozen=True)
class GeneCall:
    """The copy number of a gene: -2 to 2 (``alterations.schema.GENE_CALLS``)."""

    gene: str
    call: int


@dataclass(frozen=True)
class ArmCall:
    """The copy number of a chromosome arm: -1, 0 or 1."""

    arm: str
    call: int


@dataclass(frozen=True)
class Fused:
    """A fusion; one gene is None where the partner is unknown."""

    five_prime: str | None
    three_prime: str | None


@dataclass(frozen=True)
class NoFusion:
    """The statement that fusions were looked for and that one was not found."""


@dataclass(frozen=True)
class Finding:
    """A finding about the tumour as a whole: ``msi`` or ``mutations_per_megabase``."""

    name: str
    value: str | float


Reading = Mutation | GeneCall | ArmCall | Fused | NoFusion | Finding

NEGATED, PROMOTER_CHANGE, GENERAL_STATEMENT = "negated", "promoter change", "general statement about a gene"
NOT_CODING, SEX_CHROMOSOME, BAND_ONLY = "outside the coding sequence", "sex chromosome or arm without genes", "band"
OTHER_FRAME, NO_NUMBER, LOCATION = "the same change in another reading frame", "burden without a number", "location"
NOTHING_KNOWN, NO_GENE = "no gene, chromosome or alteration recognised", "a change without a gene"
NO_EVENT, FAMILY, UNCLEAR_GENE = "no event stated", "a family of genes: which is not said", "words not understood"


@dataclass
class Outcome:
    """How one statement was read: ``readings``, or the reason why it was ``left_out`` or ``not_understood``.

    ``problems`` says what a reader must know: words that were ignored although they might matter, and why a statement
    does not count. ``used`` without a reading: the statement only says that nothing was found, or belongs to the next.
    """

    text: str
    line: int
    readings: list[Reading] = field(default_factory=list)
    left_out: str | None = None
    not_understood: str | None = None
    problems: list[str] = field(default_factory=list)
    used: bool = False


# --- Statements and their mentions ---


@dataclass
class Content:
    """The words that belong to a mention, by what they say."""

    changes: list[tuple[str, ProteinChange]] = field(default_factory=list)
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
    def has_event(self) -> bool:
        """Whether the words say what happened to a gene, be it only that it is mutated."""
        return bool(
            self.has_change or self.classes or self.copies or self.fusion or self.exons or self.mutation
            or self.codon or self.skipping or self.promoter or self.positive or self.number_of_copies is not None
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
    Kind.POSITIVE: "positive", Kind.DETECTED: "detected", Kind.GENERAL: "general",
}  # fmt: skip


def _content(tokens: list[Token]) -> Content:
    content = Content()
    for i, token in enumerate(tokens):
        if token.kind in _FLAGS:
            setattr(content, _FLAGS[token.kind], True)
        elif token.kind == Kind.CHANGE:
            content.changes.append((token.text, token.value))
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
        elif token.kind == Kind.COPIES and content.number_of_copies is None:
            content.number_of_copies = _copies(tokens, i)
        elif token.kind == Kind.NEGATION and content.negation is None:
            content.negation = token
        elif token.kind == Kind.REASON and content.reason in (None, OTHER_MARKER):
            content.reason = token.value
        elif token.kind == Kind.BAND:
            content.bands.append(token.text)
        elif token.kind == Kind.UNKNOWN:
            content.unknown.append(token)
    return content


_SKIPPED_BEFORE_NUMBERS = frozenset({Kind.FILLER, Kind.COLON, Kind.CONNECTOR, Kind.OPEN, Kind.LEVEL, Kind.HYPHEN})


def _number_behind(tokens: list[Token], i: int) -> str:
    for token in tokens[i + 1 : i + 4]:
        if token.kind == Kind.NUMBER or token.text[:1].isdigit():
            return token.text
        if token.kind not in _SKIPPED_BEFORE_NUMBERS:
            break
    return ""


def _copies(tokens: list[Token], i: int) -> float | None:
    """The number at "CN 14", "copy number: 14", "14 copies"."""
    if i and tokens[i - 1].kind == Kind.NUMBER and tokens[i].text.lower() == "copies":
        return tokens[i - 1].value
    for token in tokens[i + 1 : i + 5]:
        if token.kind == Kind.NUMBER:
            return token.value
        if token.kind not in _SKIPPED_BEFORE_NUMBERS:
            break
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

    @property
    def text(self) -> str:
        shown = [token.text for i, token in enumerate(self.tokens) if not i or token is not self.tokens[i - 1]]
        return " ".join(shown).replace("( ", "(").replace(" )", ")").replace(" :", ":")

    @property
    def is_bare(self) -> bool:
        return bool(self.mentions) and all(mention.is_bare for mention in self.mentions) and not self.lead.has_event

    @property
    def is_filler(self) -> bool:
        return all(token.kind in _FILLERS for token in self.tokens)

    @property
    def ends_detected(self) -> bool:
        return any(token.kind == Kind.DETECTED for token in self.tokens)


_FILLERS = frozenset(
    {Kind.FILLER, Kind.NUMBER, Kind.CONNECTOR, Kind.COLON, Kind.OPEN, Kind.CLOSE, Kind.HYPHEN, Kind.DETECTED,
     Kind.LEVEL, Kind.CHROMOSOME, Kind.BETWEEN, Kind.EXON, Kind.COPIES, Kind.POSITIVE, Kind.MUTATION}
)  # fmt: skip
_TARGETS = frozenset({Kind.GENE, Kind.PAIR, Kind.ARMS})
_SAYS_SOMETHING = frozenset(
    {Kind.CHANGE, Kind.CODING, Kind.CLASS, Kind.COPY, Kind.FUSION, Kind.SKIPPING, Kind.EXON, Kind.MUTATION}
)


def _statements(tokens: list[Token], lines: list[int]) -> Iterator[list[Statement]]:
    """Sentences, each a list of statements."""
    sentence: list[Statement] = []
    current: list[Token] = []
    start, joiner = 0, ""

    def close() -> None:
        nonlocal current, joiner
        if current:
            sentence.append(Statement(current, lines[start], joiner))
            current, joiner = [], ""

    for i, token in enumerate(tokens):
        if token.kind in (Kind.STOP, Kind.CONTRAST):
            close()
            if sentence:
                yield sentence
            sentence, joiner = [], ""
        elif token.kind in (Kind.COMMA, Kind.JOINER):
            close()
            joiner = ("," if not joiner else joiner) if token.kind == Kind.COMMA else token.value
        else:
            if _begins_a_negation(token, current, tokens, i):
                close()
            if not current:
                start = i
            current.append(token)
    close()
    if sentence:
        yield sentence


def _begins_a_negation(token: Token, before: list[Token], tokens: list[Token], i: int) -> bool:
    """Whether "no" or "negative for" stands between two genes of one statement and speaks of the second."""
    if token.kind != Kind.NEGATION or token.text.lower() not in ("no", "without", "negative for"):
        return False
    if not any(earlier.kind in _TARGETS for earlier in before[-8:]):
        return False
    for later in tokens[i + 1 : i + 8]:
        if later.kind in (Kind.COMMA, Kind.JOINER, Kind.STOP, Kind.CONTRAST):
            return False
        if later.kind in _TARGETS:
            return True
    return False


# --- Words that the words around them decide ---


def _resolved(tokens: list[Token]) -> list[Token]:
    """The tokens of a paragraph with every doubtful word decided: gene or not, change or gene, chromosome or number."""
    out: list[Token] = []
    gene_before = False  # in this statement
    only_fillers = True
    numbers_are_chromosomes = False
    for i, token in enumerate(tokens):
        if token.kind in (Kind.COMMA, Kind.JOINER, Kind.STOP, Kind.CONTRAST):
            gene_before, only_fillers = False, True
            numbers_are_chromosomes &= token.kind not in (Kind.STOP, Kind.CONTRAST)
            out.append(token)
            continue
        following = _next_word(tokens, i)
        token = _decided(token, following, gene_before, only_fillers)
        if token.kind == Kind.NUMBER and is_chromosome(token.value):
            starts = only_fillers and not gene_before and following is not None and following.kind == Kind.COPY
            behind = following is not None and following.kind in (Kind.COPIES, Kind.PER_MEGABASE)
            if (numbers_are_chromosomes and not behind) or (starts and following.text.lower() in _OF_ONE_CHROMOSOME):
                token = Token(Kind.ARMS, token.text, ((str(int(token.value)), None),))
        if token.kind == Kind.CHROMOSOME or (token.kind == Kind.COPY and not gene_before):
            numbers_are_chromosomes = True
        elif token.kind not in (Kind.ARMS, Kind.CONNECTOR, Kind.OPEN, Kind.COLON, Kind.COPY):
            numbers_are_chromosomes = False
        gene_before |= token.kind in (Kind.GENE, Kind.PAIR)
        only_fillers &= token.kind in (Kind.FILLER, Kind.NEGATION, Kind.CONNECTOR, Kind.OPEN, Kind.NUMBER, Kind.HYPHEN)
        out.append(token)
    return out


_OF_ONE_CHROMOSOME = frozenset(["gain", "loss", "monosomy", "trisomy", "tetrasomy", "polysomy"])
_PASSED_OVER = frozenset({Kind.FILLER, Kind.OPEN, Kind.CLOSE, Kind.COLON, Kind.HYPHEN})


def _next_word(tokens: list[Token], i: int) -> Token | None:
    return next((token for token in tokens[i + 1 : i + 4] if token.kind not in _PASSED_OVER), None)


def _decided(token: Token, following: Token | None, gene_before: bool, only_fillers: bool) -> Token:
    says = following is not None and following.kind in _SAYS_SOMETHING
    if token.kind == Kind.GENE and token.change and gene_before:
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
    mutation = following is not None and following.kind in (Kind.CHANGE, Kind.CODING, Kind.CLASS)
    if mutation and is_shaped_like_a_gene(token):
        return Token(Kind.GENE, token.text, (token.text,), sure=False)
    return token


def _with_pairs(tokens: list[Token]) -> list[Token]:
    """The tokens with the two genes of a fusion made one: ``EML4 - ALK fusion``, ``fusion of EML4 and ALK``."""
    out: list[Token] = []
    i = 0
    while i < len(tokens):
        end, pair = _pair_at(tokens, i)
        if pair:
            first, second = pair
            both = first.value[0], second.value[0]
            out.append(Token(Kind.PAIR, f"{first.text}-{second.text}", both))
            i = end
        else:
            out.append(tokens[i])
            i += 1
    return out


def _pair_at(tokens: list[Token], i: int) -> tuple[int, tuple[Token, Token] | None]:
    """Where the fusion that begins at token ``i`` ends, and its genes; None where none begins."""
    token = tokens[i]
    if token.kind != Kind.GENE or len(token.value) > 1:
        return i, None
    fused_before = any(t.kind == Kind.FUSION for t in tokens[max(0, i - 3) : i])
    j, linked, fused, hyphen = i + 1, False, False, False
    for _ in range(8):
        if j >= len(tokens):
            return i, None
        kind = tokens[j].kind
        if kind == Kind.GENE:
            break
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
        if named and (fused or is_known_fusion(token.value[0], partner.value[0]) or joined_by <= {"and", "with", "to"}):
            return j + 1, (token, partner)
        return i, None
    adjacent = all(t.kind in (Kind.HYPHEN, Kind.OPEN, Kind.CLOSE, Kind.NUMBER, Kind.EXON) for t in tokens[i + 1 : j])
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


def _find_mentions(statement: Statement) -> None:
    """Fill in the lead and the mentions of a statement, each with the content of the words behind it."""
    groups: list[tuple[Mention, list[Token]]] = []
    lead: list[Token] = []
    depth = 0
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
        mention.content = _content(tokens)
    statement.lead_tokens, statement.lead = lead, _content(lead)
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
    if not statement.mentions or not (statement.lead.has_event or statement.lead.reason or statement.lead.unknown):
        return
    first, lead = statement.mentions[0], statement.lead
    if lead.has_event and not first.content.names_an_event and not (lead.has_change and _speaks_of_before(statement)):
        negation, reason = first.content.negation, first.content.reason
        copies = first.content.number_of_copies
        unknown = [*lead.unknown, *first.content.unknown]
        first.content = _content([*statement.lead_tokens, *_of_mention(statement, first)])
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
    """Whether a change before a gene may belong to a gene named earlier: no "in" or "of" leads to this one."""
    return not any(token.kind == Kind.CONNECTOR for token in statement.lead_tokens) and statement.joiner == ","


# --- What passes from statement to statement ---


def _pass_events(sentence: list[Statement]) -> None:
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
    for statement in sentence[i + 1 :]:
        if not statement.is_bare or statement.mentions[0].continued:
            return
        same_kind = bool(statement.mentions[0].arms) == bool(head.arms)
        if not (same_kind and (head.arms or is_plural or ends_with_and or statement.joiner in ("and", "or"))):
            return
        for mention in statement.mentions:
            mention.content, mention.headed = _event_of(head.content), True


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
            mention.content = _event_of(tail.content)
            mention.negated = tail.content.negation is not None
        if statement.joiner == "":
            return


def _event_of(content: Content) -> Content:
    return Content(
        classes=list(content.classes), copies=list(content.copies), fusion=content.fusion, reason=content.reason,
        exons=list(content.exons),
    )  # fmt: skip


def _pass_negations(sentence: list[Statement]) -> None:
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
    open_list = last is None or last.headed or not last.content.has_event or strong
    closed = statement.ends_detected and last is not None and last.content.detected
    to_the_end = sentence[-1].ends_detected and not closed and len(sentence) - 1 > i
    met, ended = last is not None, False
    j = i + 1
    while j < len(sentence) and not closed:
        following = sentence[j]
        if following.lead.negation or any(mention.content.negation for mention in following.mentions):
            break
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
        met |= bool(following.mentions)
        ended |= following.joiner in ("and", "or") and bool(following.mentions)
        j += 1
    return j


def _pass_reasons(sentence: list[Statement]) -> None:
    """A reason that stands alone ("KRAS, not tested") belongs to what stands before it, one with a colon to its list."""
    for i, statement in enumerate(sentence):
        colon = any(token.kind == Kind.COLON for token in statement.lead_tokens)
        reason = statement.lead.reason or (statement.mentions[0].content.reason if statement.mentions else None)
        if colon and reason and statement.mentions and _stands_before(statement, reason):
            for following in sentence[i + 1 :]:
                following.reason = following.reason or reason
            return
        if not statement.mentions and statement.lead.reason in (UNTESTED, UNCERTAIN, "inherited (germline)", "benign"):
            for earlier in reversed(sentence[:i]):
                if earlier.reason or not earlier.mentions:
                    break
                earlier.reason = statement.lead.reason
                if statement.lead.reason != UNTESTED or not earlier.is_bare:
                    break


def _stands_before(statement: Statement, reason: str) -> bool:
    return any(token.kind == Kind.REASON and token.value == reason for token in statement.lead_tokens)


# --- Reading ---

_MEANT_BY_POSITIVE = {"ERBB2": "amplification", "ALK": "fusion", "ROS1": "fusion", "RET": "fusion", "NTRK1": "fusion",
                      "NTRK2": "fusion", "NTRK3": "fusion"}  # fmt: skip
"""What "HER2 positive" and "ALK positive" mean in reports."""

_IN_FRAME_GENES = frozenset(
    [
        "EGFR",
        "ERBB2",
        "ERBB3",
        "KIT",
        "PDGFRA",
        "FLT3",
        "MET",
        "BRAF",
        "MAP2K1",
        "JAK2",
        "CTNNB1",
        "PIK3CA",
        "PIK3R1",
        "ALK",
        "RET",
        "FGFR1",
        "FGFR2",
        "FGFR3",
        "HRAS",
        "KRAS",
        "NRAS",
        "AKT1",
        "CSF1R",
        "IL6ST",
    ]
)
"""Oncogenes, in which a deletion or insertion within an exon keeps the reading frame."""

_FRAMESHIFT_EXONS = {("CALR", "9"), ("NPM1", "12"), ("NPM1", "11")}


@dataclass
class Heading:
    """What a line that ends with a colon says of the lines below it."""

    negated: bool = False
    reason: str | None = None
    content: Content = field(default_factory=Content)


class Reader:
    """Reads paragraphs one after the other; keeps what a heading says of the lines below it."""

    def __init__(self) -> None:
        self._carried: Mention | None = None
        self._heading: Heading | None = None
        self._below = 0
        self.genes_of_changes: set[tuple[str, str]] = set()

    def end_section(self, blank_only: bool = False) -> None:
        """A blank line ends what a heading says, unless it follows the heading."""
        if not blank_only or self._below:
            self._heading, self._below = None, 0

    def begin_sample(self) -> None:
        self._carried = None
        self.end_section()

    def read(self, tokens: list[Token], lines: list[int], heading: bool) -> list[Outcome]:
        """The outcomes of a paragraph's statements, in their order."""
        tokens = _resolved(tokens)
        paired = _with_pairs(tokens)
        if len(paired) != len(tokens):
            lines = _lines_of(paired, tokens, lines)
        if heading:
            self.end_section()
        self._carried = None
        sentences = list(_statements(paired, lines))
        for sentence in sentences:
            self._relate(sentence)
        read = [self._read(statement) for sentence in sentences for statement in sentence]
        outcomes = [outcome for outcome in read if outcome]
        if heading:
            self._begin_section(paired)
        elif outcomes:
            self._below += 1
        return outcomes

    def _begin_section(self, tokens: list[Token]) -> None:
        content = _content(tokens)
        speaks_of_genes = any(token.kind in _TARGETS for token in tokens)
        if not speaks_of_genes and (content.negation or content.reason or content.copies or content.fusion):
            self._heading = Heading(content.negation is not None, content.reason, content)
        self._below = 0

    def _relate(self, sentence: list[Statement]) -> None:
        """Find the mentions of each statement and what passes from one to another."""
        for statement in sentence:
            _find_mentions(statement)
        if not _begins_with_a_change(sentence[0]):
            self._carried = None
        self._continue_genes(sentence)
        _pass_events(sentence)
        _pass_negations(sentence)
        _pass_reasons(sentence)
        self._apply_heading(sentence)

    def _continue_genes(self, sentence: list[Statement]) -> None:
        """Give statements without a gene the one named before them."""
        for statement in sentence:
            if statement.mentions:
                first = statement.mentions[0]
                if statement.lead.has_change and not first.headed and self._carried:
                    self._extend(statement, statement.lead, at=0)
                named = [mention for mention in statement.mentions if mention.genes or mention.pair]
                self._carried = named[-1] if named else (None if statement.mentions else self._carried)
            elif statement.lead.names_an_event and self._carried is not None:
                if statement.lead.reason and not statement.lead.has_change:
                    continue
                self._extend(statement, statement.lead, at=0)

    def _extend(self, statement: Statement, content: Content, at: int) -> None:
        carried = self._carried
        if carried.is_bare and not statement.lead.negation:
            carried.continued = True
        mention = Mention(carried.named, carried.genes, None, content=content, known=carried.known)
        if carried.pair and not carried.genes:
            mention.genes = tuple(gene for gene in carried.pair if gene)
        statement.mentions.insert(at, mention)
        statement.lead = Content(negation=content.negation, reason=content.reason, detected=content.detected)
        if at == 0 and content.negation:
            mention.content.negation = None

    def _apply_heading(self, sentence: list[Statement]) -> None:
        heading = self._heading
        if heading is None:
            return
        for statement in sentence:
            statement.negated |= heading.negated
            statement.reason = statement.reason or heading.reason
            for mention in statement.mentions:
                if mention.is_bare:
                    mention.content = _event_of(heading.content)

    # --- One statement ---

    def _read(self, statement: Statement) -> Outcome | None:
        outcome = Outcome(statement.text, statement.line)
        findings = _findings(statement)
        if findings is not None and not statement.mentions:
            return _of_findings(outcome, statement, *findings)
        if not statement.mentions:
            return self._without_mention(outcome, statement)
        for mention in statement.mentions:
            self._read_mention(outcome, statement, mention)
        if statement.lead.unknown:
            outcome.problems += [_not_known(token) for token in statement.lead.unknown]
        if statement.lead.has_change:
            outcome.problems += [
                f"{text!r} stands behind no known gene: not counted" for text, _ in statement.lead.changes
            ]
        if outcome.readings or outcome.used:
            outcome.left_out = outcome.not_understood = None
        return outcome

    def _without_mention(self, outcome: Outcome, statement: Statement) -> Outcome | None:
        content = statement.lead
        if statement.is_filler and not content.mutation:
            return None
        if statement.negated or statement.says_no or content.negation:
            outcome.used = True
            return outcome
        if content.unknown and not content.has_change and not content.reason:
            outcome.not_understood = NOTHING_KNOWN
            outcome.problems = [_not_known(token) for token in content.unknown[:3]]
            return outcome
        if content.reason:
            outcome.left_out = content.reason
            outcome.problems = [f"{outcome.text!r}: {content.reason}: not counted"]
        elif content.has_change:
            outcome.not_understood = NO_GENE
            shown = [text for text, _ in (*content.changes, *content.codings)]
            outcome.problems = [f"{text!r} stands behind no known gene: not counted" for text in shown]
            outcome.problems += [_not_known(token) for token in content.unknown]
        elif content.bands:
            self._read_bands(outcome, statement, content)
        elif content.names_an_event or content.unknown:
            outcome.not_understood = NOTHING_KNOWN
            outcome.problems = [f"{outcome.text!r} names no gene and no chromosome: not counted"]
        elif content.mutation and not statement.is_filler:
            outcome.left_out = GENERAL_STATEMENT
        else:
            return None
        return outcome

    def _read_bands(self, outcome: Outcome, statement: Statement, content: Content) -> None:
        band = content.bands[0]
        fusion = fusion_of(band.partition(".")[0]) if content.fusion else None
        if fusion:
            outcome.readings.append(Fused(*fusion))
        else:
            outcome.left_out = BAND_ONLY
            outcome.problems.append(f"{outcome.text!r} names no whole arm, gene or known fusion: not counted")

    def _read_mention(self, outcome: Outcome, statement: Statement, mention: Mention) -> None:
        content = mention.content
        if mention.continued:
            outcome.used = True
            return
        negated = statement.negated or mention.negated
        reason = _reason(statement, mention)
        if reason and not negated:
            _leave_out(outcome, reason, f"{outcome.text!r}: {reason}: not counted")
        elif mention.arms:
            _read_arms(outcome, mention, content, negated)
        elif mention.pair:
            _read_pair(outcome, mention, negated)
        elif mention.in_brackets and mention.is_bare and any(other.arms for other in statement.mentions):
            _leave_out(outcome, LOCATION, f"{mention.named.text!r} only names a gene of the arm: not counted")
        elif negated:
            _read_negated(outcome, mention, content)
        else:
            self._read_genes(outcome, mention, content)
            return
        outcome.problems += [_not_known(token) for token in content.unknown]

    def _read_genes(self, outcome: Outcome, mention: Mention, content: Content) -> None:
        if not mention.known:
            outcome.problems.append(
                f"{mention.named.text!r} is no gene symbol known here: counted, but no model uses it"
            )
        is_family = len(mention.genes) > 1 and "/" not in mention.named.text and "-" not in mention.named.text
        if is_family and not content.has_change:
            outcome.not_understood = outcome.not_understood or FAMILY
            names = ", ".join(mention.genes)
            outcome.problems.append(f"{mention.named.text!r} may be {names}: not counted; write which gene it is")
            return
        before = len(outcome.readings)
        _read_fusion_and_copies(outcome, mention, content)
        states_other = len(outcome.readings) > before
        if not states_other or content.has_change or (content.classes and not _is_described(content)):
            self._read_small(outcome, mention, content)
        if len(outcome.readings) > before or content.unknown == []:
            outcome.problems += [_not_known(token) for token in content.unknown]

    def _read_small(self, outcome: Outcome, mention: Mention, content: Content) -> None:
        """Read the small mutations of a mention's genes."""
        for gene in mention.genes:
            if content.promoter or _has_promoter_change(gene, content):
                _leave_out(
                    outcome,
                    PROMOTER_CHANGE,
                    f"{gene}: a change of the promoter leaves the protein as it is: not counted",
                )
                continue
            if content.changes:
                self._read_changes(outcome, mention, gene, content)
                continue
            consequence = _stated_consequence(gene, content)
            if consequence in (SILENT, NON_CODING):
                reason = SILENT if consequence == SILENT else NOT_CODING
                _leave_out(outcome, reason, f"{outcome.text!r} is {reason}: not counted")
            elif consequence:
                change = "splice" if consequence == "splice" else ""
                gene_only = consequence == "missense" and not content.classes
                outcome.readings.append(Mutation(gene, change, consequence, gene_only))
            elif content.unknown:
                outcome.not_understood = outcome.not_understood or UNCLEAR_GENE
                said = [_not_known(token) for token in content.unknown]
                outcome.problems += [*said[:-1], f"{said[-1]} ({mention.named.text} is not counted either)"]
            elif content.general:
                _leave_out(outcome, GENERAL_STATEMENT, f"{outcome.text!r} says nothing of this tumour: not counted")
            elif content.positive and not content.mutation:
                outcome.not_understood = outcome.not_understood or NO_EVENT
                outcome.problems.append(f"{outcome.text!r} does not say what was found: not counted")
            else:
                outcome.readings.append(Mutation(gene, "", "missense", True, is_bare=not content.has_event))

    def _read_changes(self, outcome: Outcome, mention: Mention, gene: str, content: Content) -> None:
        for text, change in content.changes:
            if change.consequence == SILENT or SILENT in content.classes:
                _leave_out(outcome, SILENT, f"{mention.named.text} {text} is silent: not counted")
            elif "14arf" in mention.named.text.lower() and any(g == "CDKN2A" for g, _ in self.genes_of_changes):
                _leave_out(outcome, OTHER_FRAME, f"{outcome.text!r} is {OTHER_FRAME}: not counted")
            else:
                outcome.readings.append(Mutation(gene, change.text, ""))
                self.genes_of_changes.add((gene, change.text))


def _not_known(token: Token) -> str:
    return f"{token.text!r} is no gene symbol known here, protein change or consequence"


def _leave_out(outcome: Outcome, reason: str, problem: str) -> None:
    outcome.left_out = outcome.left_out or reason
    if problem not in outcome.problems:
        outcome.problems.append(problem)


def _begins_with_a_change(statement: Statement) -> bool:
    """Whether a sentence goes on with the gene of the one before: ``TP53; R175H``."""
    return not statement.mentions and statement.lead.has_change


def _lines_of(paired: list[Token], tokens: list[Token], lines: list[int]) -> list[int]:
    """The line of each token after two genes became one."""
    out, j = [], 0
    for token in paired:
        out.append(lines[min(j, len(lines) - 1)])
        if j < len(tokens) and token is tokens[j]:
            j += 1
            continue
        j += 1
        while j < len(tokens) and tokens[j].kind != Kind.GENE:
            j += 1
        j += 1
    return out


def _reason(statement: Statement, mention: Mention) -> str | None:
    """Why a mention does not count although it is not negated."""
    content = mention.content
    reason = statement.reason or content.reason
    if reason == EXPRESSION:
        lowers = all(COPY_LEVELS.get(copy, 0) < 0 for copy in content.copies)
        found = content.has_change or content.fusion or (content.copies and not lowers)
        return None if found else reason
    if reason == METHYLATION and content.has_change:
        return None
    if reason == OTHER_MARKER:
        return None if content.has_event or not mention.is_bare else reason
    if reason == COPY_NEUTRAL and content.has_change:
        return None
    return reason


def _has_promoter_change(gene: str, content: Content) -> bool:
    if any(value == PROMOTER for _, value in content.codings):
        return not content.changes or gene == "TERT"
    return gene == "TERT" and any(is_tert_promoter(text) for text, _ in content.changes)


_RANKED = ("frameshift", "splice", "nonsense", "start_lost", "stop_lost", "inframe", "missense", SILENT, NON_CODING)


def _stated_consequence(gene: str, content: Content) -> str | None:
    """The consequence that the words or the coding-DNA notation state; None where they state none."""
    if content.skipping and content.exons:
        return "splice"
    exon_event = _exon_event(gene, content)
    if exon_event:
        return exon_event
    named = [name for name in content.classes if name in _RANKED]
    if named:
        return min(named, key=_RANKED.index)
    if "truncating" in content.classes:
        return "nonsense"
    for _, value in content.codings:
        if value == NON_CODING:
            return NON_CODING
        if value not in (UNKNOWN, "genomic", PROMOTER):
            return value
    return "missense" if content.codings else None


def _exon_event(gene: str, content: Content) -> str | None:
    """The consequence of a deletion or insertion of or within exons; None where there is none."""
    exons = next((exon for exon in content.exons if exon), "")
    inserted = "insertion" in content.classes
    deleted = any(copy in ("deletion", "loss", "homozygous deletion") for copy in content.copies)
    duplicated = any("dup" in name for name in content.classes)
    if not exons or not (inserted or deleted or duplicated):
        return None
    if "inframe" in content.classes:
        return "inframe"
    if (gene, exons) in _FRAMESHIFT_EXONS or "frameshift" in content.classes or "truncating" in content.classes:
        return "frameshift"
    if gene == "MET" and exons == "14" and deleted:
        return "splice"
    return "inframe" if gene in _IN_FRAME_GENES else "frameshift"


def _is_described(content: Content) -> bool:
    return bool(content.copies)


def _read_fusion_and_copies(outcome: Outcome, mention: Mention, content: Content) -> None:
    """Read fusions with an unknown partner and copy-number events of a mention's genes."""
    meant = (
        [_MEANT_BY_POSITIVE.get(gene) for gene in mention.genes] if content.positive and not content.mutation else []
    )
    if content.fusion or ("fusion" in meant and not content.names_an_event):
        outcome.readings += [Fused(*with_unknown_partner(gene)) for gene in mention.genes]
    level = _level(content)
    if level is None and "amplification" in meant and not content.names_an_event:
        level = 2
    if level is not None:
        outcome.readings += [GeneCall(gene, level) for gene in mention.genes]


def _level(content: Content) -> int | None:
    """The copy-number level of genes; None where the words name none, or describe a small mutation."""
    described = content.has_change or (content.classes and "deletion" in content.copies) or content.skipping
    levels = [
        COPY_LEVELS[copy] for copy in content.copies if copy in COPY_LEVELS and not (described and copy == "deletion")
    ]
    exon_loss = any(content.exons) and any(
        copy in ("deletion", "loss", "homozygous deletion") for copy in content.copies
    )
    if exon_loss:
        return None
    if levels:
        return max(levels, key=abs) if "heterozygous loss" not in content.copies else -1
    if content.number_of_copies is not None and not content.has_change and not content.classes and not content.fusion:
        return _level_of_copies(content.number_of_copies)
    return None


def _level_of_copies(copies: float) -> int:
    """The level of an absolute copy number in a tumour taken as diploid: amplified from ploidy + 4 on, deleted at 0."""
    if copies >= 6:
        return 2
    if copies < 0.5:
        return -2
    return 1 if copies > 2.5 else -1 if copies < 1.5 else 0


def _read_arms(outcome: Outcome, mention: Mention, content: Content, negated: bool) -> None:
    call = _arm_call(content)
    calls: list[tuple[str, int | None]] = []
    for name, own in mention.arms:
        if "isochromosome" in content.copies:
            calls += isochromosome(name)
        else:
            calls.append((name, own if own is not None else call))
    stated = False
    for name, level in calls:
        arms = arms_of(name)
        if level is None:
            continue
        stated = True
        if not arms:
            _leave_out(
                outcome,
                SEX_CHROMOSOME,
                f"{name} is no arm that is used (sex chromosome or short arm without genes): not counted",
            )
        outcome.readings += [ArmCall(arm, 0 if negated else level) for arm in arms]
    if stated:
        return
    if negated:
        if content.negation and content.negation.value == "wild type":
            outcome.readings += [ArmCall(arm, 0) for name, _ in mention.arms for arm in arms_of(name)]
        else:
            _leave_out(outcome, NEGATED, f"{outcome.text!r} says that there is none: not counted")
    elif outcome.readings or content.number_of_copies is not None or mention.in_brackets:
        return
    else:
        outcome.not_understood = outcome.not_understood or NO_EVENT
        outcome.problems.append(f"{outcome.text!r} names a chromosome but no gain or loss: not counted")


def _arm_call(content: Content) -> int | None:
    levels = [COPY_LEVELS[copy] for copy in content.copies if copy in COPY_LEVELS]
    if levels:
        return 1 if levels[0] > 0 else -1
    if content.number_of_copies is not None:
        return max(-1, min(1, _level_of_copies(content.number_of_copies)))
    return None


def _read_pair(outcome: Outcome, mention: Mention, negated: bool) -> None:
    if negated:
        outcome.readings.append(NoFusion())
        return
    five_prime, three_prime = mention.pair
    if five_prime and three_prime:
        five_prime, three_prime = in_usual_order(five_prime, three_prime)
    outcome.readings.append(Fused(five_prime, three_prime))


def _read_negated(outcome: Outcome, mention: Mention, content: Content) -> None:
    """Negated copy number and fusions say that they were looked at; a negated mutation has no place in the tables."""
    negative_her2 = (
        mention.genes == ("ERBB2",) and content.negation and content.negation.text.lower() in ("negative", "neg")
    )
    if content.copies or (negative_her2 and not content.has_event):
        outcome.readings += [GeneCall(gene, 0) for gene in mention.genes]
    elif content.fusion:
        outcome.readings.append(NoFusion())
    else:
        _leave_out(outcome, NEGATED, f"{outcome.text!r} says that there is none: not counted")


# --- Findings about the tumour as a whole ---


def _findings(statement: Statement) -> tuple[str | None, float | None, bool] | None:
    """Microsatellite status, burden per megabase, and whether a burden is named; None where the statement names none."""
    kinds = {token.kind for token in statement.tokens}
    if not kinds & {Kind.MICROSATELLITES, Kind.BURDEN, Kind.PER_MEGABASE}:
        return None
    status = next((t.value for t in statement.tokens if t.kind == Kind.MICROSATELLITES and t.value), None)
    if status is None and Kind.MICROSATELLITES in kinds:
        status = next((t.value for t in statement.tokens if t.kind == Kind.LEVEL), None)
    return status, _burden(statement.tokens), bool(kinds & {Kind.BURDEN, Kind.PER_MEGABASE})


def _burden(tokens: list[Token]) -> float | None:
    per_megabase = next((i for i, t in enumerate(tokens) if t.kind == Kind.PER_MEGABASE), None)
    if per_megabase is not None:
        before = [t.value for t in tokens[:per_megabase] if t.kind == Kind.NUMBER]
        return before[-1] if before else None
    at = next((i for i, t in enumerate(tokens) if t.kind == Kind.BURDEN), None)
    return None if at is None else next((t.value for t in tokens[at:] if t.kind == Kind.NUMBER), None)


def _of_findings(
    outcome: Outcome, statement: Statement, status: str | None, burden: float | None, names_burden: bool
) -> Outcome:
    if statement.negated or statement.lead.negation:
        _leave_out(outcome, NEGATED, f"{outcome.text!r} says that there is none: not counted")
        return outcome
    if statement.lead.reason in (UNTESTED, UNCERTAIN):
        _leave_out(outcome, statement.lead.reason, f"{outcome.text!r}: {statement.lead.reason}: not counted")
        return outcome
    if status:
        outcome.readings.append(Finding("msi", status))
    if burden is not None:
        outcome.readings.append(Finding("mutations_per_megabase", burden))
    if not outcome.readings:
        reason = NO_NUMBER if names_burden else NO_EVENT
        _leave_out(outcome, reason, f"{outcome.text!r} gives no value: not counted")
    return outcome
