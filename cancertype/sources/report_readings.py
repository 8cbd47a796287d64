"""From statements to what they state: mutations, copy number, fusions, findings, or why a statement does not count."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from ..alterations.known_fusions import fusion_of, has_known_fusion, in_usual_order, with_unknown_partner
from ..alterations.settings import CopyNumberLimits
from ..variants.coding_changes import PROMOTER, UNKNOWN, is_tert_promoter
from ..variants.schema import NON_CODING, SILENT
from .karyotype import arms_of, isochromosome
from .report_statements import (
    Content,
    Mention,
    Statement,
    content_of,
    event_of,
    find_mentions,
    pass_events,
    pass_generality,
    pass_negations,
    pass_reasons,
    resolved,
    sentences_of,
    with_pairs,
)
from .report_words import (
    ASSAYED,
    COPY_LEVELS,
    COPY_NEUTRAL,
    EXPRESSION,
    GERMLINE,
    METHYLATION,
    OTHER_MARKER,
    UNCERTAIN,
    UNTESTED,
    Kind,
    Token,
    classify,
    protein_change,
)

# --- What a statement may say ---


@dataclass(frozen=True)
class Mutation:
    """A small mutation; ``protein_change`` and ``consequence`` as ``canonical.table`` takes them.

    ``gene_only``: only that the gene is mutated is stated, and if it ``is_bare`` not even that: the gene is only named.
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
CLASS_UNKNOWN = "mutated, in a way that is not stated: read as missense"
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


# --- Reading ---

_MEANT_BY_POSITIVE = {"ERBB2": "amplification", "ALK": "fusion", "ROS1": "fusion", "RET": "fusion", "NTRK1": "fusion",
                      "NTRK2": "fusion", "NTRK3": "fusion"}  # fmt: skip
"""What "HER2 positive" and "ALK positive" mean in reports."""

_AMPLIFIED_IN_SITU = frozenset(
    ["ERBB2", "EGFR", "MET", "MDM2", "CDK4", "MYCN", "FGFR1", "CCND1", "CCNE1", "TERT", "AR", "KRAS", "PDGFRA"]
)
"""Genes that in situ hybridisation tests for amplification. Others with known fusions are tested for a break."""


def _meant_by_positive(gene: str, content: Content) -> str | None:
    """What a positive test of a gene found: an amplification or a fusion; None where that is not known."""
    if gene in _MEANT_BY_POSITIVE or not content.in_situ:
        return _MEANT_BY_POSITIVE.get(gene)
    if gene in _AMPLIFIED_IN_SITU:
        return "amplification"
    return "fusion" if has_known_fusion(gene) else None


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
"""Exons whose recurrent mutations all shift the reading frame."""

_FRAMESHIFT_TYPES = frozenset(gene for gene, _ in _FRAMESHIFT_EXONS)
"""Genes whose recurrent mutations are numbered or lettered: CALR type 1, NPM1 type A."""


@dataclass
class Heading:
    """What a line that ends with a colon says of the lines below it."""

    negated: bool = False
    reason: str | None = None
    content: Content = field(default_factory=Content)


@lru_cache(1 << 16)
def plain_mutation(item: str) -> Mutation | None:
    """The mutation of an item that is a gene's symbol and a protein change and nothing else (``BRAF V600E``).

    Long lists consist of such items, and this reads them ten times as fast as the grammar, with the same result.
    """
    symbol, _, change = item.strip().partition(" ")
    tokens = classify(symbol) if symbol.isupper() else ()
    read = protein_change(change.strip()) if tokens else None
    if read is None or read.consequence == SILENT or len(tokens) != 1 or "ARF" in symbol:
        return None
    token = tokens[0]
    is_one_gene = token.kind == Kind.GENE and token.sure and not token.change and len(token.value) == 1
    if not is_one_gene or classify(change.strip())[0].kind != Kind.CHANGE or token.value == ("TERT",):
        return None
    return Mutation(token.value[0], read.text, "")


def plain_list(text: str) -> list[tuple[str, Mutation]] | None:
    """The items of a text that is a list of plain mutations; None for any other text."""
    mutations = []
    for item in text.replace(";", ",").split(","):
        mutation = plain_mutation(item)
        if mutation is None:
            return None
        mutations.append((" ".join(item.split()), mutation))
    return mutations


class Reader:
    """Reads paragraphs one after the other; keeps what a heading says of the lines below it."""

    def __init__(self) -> None:
        self._carried: Mention | None = None
        self._heading: Heading | None = None
        self._below = 0
        self._changed_genes: set[str] = set()

    def end_section(self, blank_only: bool = False) -> None:
        """A blank line ends what a heading says, unless it follows the heading."""
        if not blank_only or self._below:
            self._heading, self._below = None, 0

    def begin_sample(self) -> None:
        self.end_section()

    @property
    def is_below_heading(self) -> bool:
        """Whether a heading speaks of the next lines."""
        return self._heading is not None

    def read(self, tokens: list[Token], lines: list[int], heading: bool) -> list[Outcome]:
        """The outcomes of a paragraph's statements, in their order."""
        self._changed_genes = set()
        tokens = resolved(tokens)
        paired, lines = with_pairs(tokens, lines)
        if heading:
            self.end_section()
        self._carried = None
        sentences = list(sentences_of(paired, lines))
        negated = False
        for sentence in sentences:
            self._relate(sentence)
            negated = _goes_on_with_negated(sentence, negated)
        read = [self._read(statement) for sentence in sentences for statement in sentence]
        outcomes = [outcome for outcome in read if outcome]
        speaks_of_genes = any(statement.mentions for sentence in sentences for statement in sentence)
        if speaks_of_genes:
            self._below += 1
            return outcomes
        content = content_of(paired)
        if heading or _is_title(paired) or (content.reason == GERMLINE and not content.negation):
            self._begin_section(content)
            return []
        if self._heading and self._heading.reason == GERMLINE:
            self.end_section()  # a line without a gene, such as the next heading
        return outcomes

    def _begin_section(self, content: Content) -> None:
        self._heading = None
        if content.negation or content.reason or content.copies or content.fusion:
            self._heading = Heading(content.negation is not None, content.reason, content)
        self._below = 0

    def _relate(self, sentence: list[Statement]) -> None:
        """Find the mentions of each statement and what passes from one to another."""
        for statement in sentence:
            find_mentions(statement)
        if not _begins_with_a_change(sentence[0]):
            self._carried = None
        _pass_brackets(sentence)
        self._continue_genes(sentence)
        pass_events(sentence)
        pass_negations(sentence)
        pass_reasons(sentence)
        pass_generality(sentence)
        self._apply_heading(sentence)

    def _continue_genes(self, sentence: list[Statement]) -> None:
        """Give statements without a gene the one named before them."""
        for statement in sentence:
            if statement.mentions:
                first = statement.mentions[0]
                if statement.lead.has_change and not first.headed and self._carried:
                    self._extend(statement, statement.lead)
                named = [mention for mention in statement.mentions if mention.genes or mention.pair]
                self._carried = named[-1] if named else (None if statement.mentions else self._carried)
            elif self._carried is not None and (
                statement.lead.names_an_event
                or statement.is_result_in_situ
                or (statement.lead.ratio is not None and self._carried.content.names_copies)
                or _says_mutated(statement, self._carried)
            ):
                if (statement.lead.reason and not statement.lead.has_change) or _begins_with_unknown(statement):
                    continue
                self._extend(statement, statement.lead)

    def _extend(self, statement: Statement, content: Content) -> None:
        """Add to a statement the carried gene, of which ``content`` is said."""
        carried = self._carried
        if carried.is_bare and not content.negation:
            carried.continued = True
        genes = carried.genes or _mutated_partner(carried.pair)
        statement.lead = Content(negation=content.negation, reason=content.reason, detected=content.detected)
        statement.mentions.insert(0, Mention(carried.named, genes, content=content, known=carried.known))
        content.negation = None

    def _apply_heading(self, sentence: list[Statement]) -> None:
        heading = self._heading
        if heading is None:
            return
        for statement in sentence:
            statement.negated |= heading.negated
            statement.reason = statement.reason or heading.reason
            for mention in statement.mentions:
                if mention.is_bare:
                    mention.content = event_of(heading.content)

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
            below_fusions = self._heading is not None and self._heading.content.fusion and statement.is_filler_or_result
            if (content.fusion or below_fusions) and not content.reason:
                outcome.readings.append(NoFusion())
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
            outcome.problems = [_not_known(token) for token in content.unknown]
            outcome.problems += [f"{text!r} stands behind no known gene: not counted" for text in shown]
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
        is_own = content.has_change and not statement.of_others
        if statement.general and not (negated or is_own or reason):
            _leave_out(outcome, GENERAL_STATEMENT, f"{outcome.text!r} says nothing of this tumour: not counted")
        elif reason and not negated:
            _leave_out(outcome, reason, f"{outcome.text!r}: {reason}: not counted")
        elif mention.arms:
            content.negation = content.negation or (statement.lead.negation if negated else None)
            _read_arms(outcome, mention, content, negated, among_others=len(statement.mentions) > 1)
        elif mention.pair:
            _read_pair(outcome, mention, negated)
            if content.has_change and not negated:
                for gene in _mutated_partner(mention.pair):
                    self._read_changes(outcome, mention, gene, content)
        elif mention.in_brackets and mention.is_bare and (statement.of_amplified_arms or _amplifies_an_arm(statement)):
            outcome.readings += [GeneCall(gene, 0 if negated else 2) for gene in mention.genes]
        elif mention.in_brackets and mention.is_bare and (statement.of_arms or _names_an_arm(statement)):
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
                if gene_only and content.codings:
                    outcome.problems.append(f"{outcome.text!r}: {CLASS_UNKNOWN}")
            elif content.unknown:
                outcome.not_understood = outcome.not_understood or UNCLEAR_GENE
                said = [_not_known(token) for token in content.unknown]
                outcome.problems += [*said[:-1], f"{said[-1]} ({mention.named.text} is not counted either)"]
            elif (content.positive or content.names_copies or content.level) and not content.mutation:
                outcome.not_understood = outcome.not_understood or NO_EVENT
                outcome.problems.append(f"{outcome.text!r} does not say what was found: not counted")
            else:
                outcome.readings.append(Mutation(gene, "", "missense", True, is_bare=not content.has_event))

    def _read_changes(self, outcome: Outcome, mention: Mention, gene: str, content: Content) -> None:
        for text, change in content.changes:
            if change.consequence == SILENT or SILENT in content.classes:
                _leave_out(outcome, SILENT, f"{mention.named.text} {text} is silent: not counted")
            elif "14arf" in mention.named.text.lower() and gene in self._changed_genes:
                _leave_out(outcome, OTHER_FRAME, f"{outcome.text!r} is {OTHER_FRAME}: not counted")
            else:
                outcome.readings.append(Mutation(gene, change.text, ""))
                self._changed_genes.add(gene)
        outcome.problems += [
            f"{text!r} is taken for the same change in another transcript: not counted" for text in content.same_changes
        ]


_IN_TITLES = frozenset({Kind.NEGATION, Kind.FILLER, Kind.MUTATION, Kind.DETECTED, Kind.POSITIVE})
_LONGEST_TITLE = 5


def _is_title(tokens: list[Token]) -> bool:
    """Whether a line without a gene is the title of a list of genes, such as ``WILD TYPE GENES``."""
    names_genes = any(token.text.lower() in ("genes", "negatives") for token in tokens)
    return names_genes and len(tokens) <= _LONGEST_TITLE and _IN_TITLES.issuperset(token.kind for token in tokens)


def _mutated_partner(pair: tuple[str | None, str | None]) -> tuple[str, ...]:
    """Which gene of a fusion a change behind it is of (``BCR-ABL1 T315I``): the 3' partner, unless the 5' partner is
    the oncogene (FGFR2-BICC1)."""
    five_prime, three_prime = in_usual_order(*pair) if all(pair) else pair
    oncogene_first = five_prime in _IN_FRAME_GENES and three_prime not in _IN_FRAME_GENES
    gene = five_prime if oncogene_first or not three_prime else three_prime
    return (gene,) if gene else ()


def _names_an_arm(statement: Statement) -> bool:
    return any(mention.arms for mention in statement.mentions)


def _amplifies_an_arm(statement: Statement) -> bool:
    """Whether the statement says that an arm is amplified, as "12q amplification (MDM2, CDK4)" does of its genes."""
    return any(mention.arms and "amplification" in mention.content.copies for mention in statement.mentions)


def _pass_brackets(sentence: list[Statement]) -> None:
    """Mark statements within the brackets behind an arm, which name its genes: "9p loss (CDKN2A, MTAP)"; and those
    behind a fusion which name its exons: "EML4-ALK (EML4 exon 6; ALK exon 20)"."""
    fused: set[str | None] = set()
    for statement in sentence:
        for mention in statement.mentions:
            fused |= set(mention.pair or ())
            content = mention.content
            exons_only = bool(content.exons) and not (content.names_an_event or content.mutation)
            mention.continued |= exons_only and bool(mention.genes) and fused.issuperset(mention.genes)
    for before, statement in pairwise(sentence):
        if statement.in_brackets:
            statement.of_arms = before.of_arms or _names_an_arm(before)
            statement.of_amplified_arms = before.of_amplified_arms or _amplifies_an_arm(before)


def _not_known(token: Token) -> str:
    return f"{token.text!r} is no gene symbol known here, protein change or consequence"


def _leave_out(outcome: Outcome, reason: str, problem: str) -> None:
    outcome.left_out = outcome.left_out or reason
    if problem not in outcome.problems:
        outcome.problems.append(problem)


def _goes_on_with_negated(sentence: list[Statement], before: bool) -> bool:
    """Whether a sentence is part of a negated list with a colon (``WT: TP53; KRAS``), whose genes it then marks."""
    bare = all(statement.mentions and statement.is_bare and not statement.lead.unknown for statement in sentence)
    if before and bare:
        for statement in sentence:
            statement.negated = True
        return True
    first = sentence[0]
    begins = first.lead.negation is not None and any(token.kind == Kind.COLON for token in first.lead_tokens)
    return begins and all(statement.mentions and not statement.lead.has_event for statement in sentence)


def _says_mutated(statement: Statement, carried: Mention) -> bool:
    """Whether a statement only adds that a gene of which a copy-number event is stated is mutated too."""
    words = [token for token in statement.tokens if token.kind != Kind.FILLER]
    return len(words) == 1 and words[0].kind == Kind.MUTATION and bool(carried.content.copies)


def _begins_with_unknown(statement: Statement) -> bool:
    """Whether a word that is not understood stands before the change: it may be a gene that is not known here."""
    said = (token.kind for token in statement.lead_tokens if token.kind in (Kind.UNKNOWN, Kind.CHANGE, Kind.CODING))
    return next(said, None) == Kind.UNKNOWN


def _begins_with_a_change(statement: Statement) -> bool:
    """Whether a sentence goes on with the gene of the one before: ``TP53; R175H``."""
    return not statement.mentions and statement.lead.has_change


def _reason(statement: Statement, mention: Mention) -> str | None:
    """Why a mention does not count although it is not negated."""
    content = mention.content
    reason = statement.reason or content.reason
    if mention.named is not None and mention.named.text.upper() in _PROTEINS and not content.names_an_event:
        return reason or EXPRESSION
    if reason == EXPRESSION:
        lowers = all(COPY_LEVELS.get(copy, 0) < 0 for copy in content.copies)
        found = content.has_change or content.fusion or (content.copies and not lowers)
        return None if found else reason
    if reason == METHYLATION and content.has_change:
        return None
    if reason == ASSAYED:
        # "This assay interrogates mutations in EGFR" says nothing of this tumour's EGFR.
        only_mutation = content.mutation and mention.headed and not (content.names_an_event or content.exons)
        return None if content.has_event and not only_mutation else reason
    if reason == OTHER_MARKER:
        return None if content.has_event or not mention.is_bare else reason
    if reason == COPY_NEUTRAL and content.has_change:
        return None
    return reason


_PROTEINS = frozenset(["PD-L1", "PDL1"])
"""Names of genes that stand for the staining of the protein where no other event is stated: ``PD-L1 60%``."""

_PROMOTER_OF_TERT = re.compile("1295(?:228|250|113|135)")
"""The two hot spots on the genome, of GRCh37 and GRCh38."""


def _has_promoter_change(gene: str, content: Content) -> bool:
    if gene == "TERT" and any(_PROMOTER_OF_TERT.search(text.replace(",", "")) for text, _ in content.codings):
        return True
    if any(value == PROMOTER for _, value in content.codings):
        return not content.changes or gene == "TERT"
    return gene == "TERT" and any(is_tert_promoter(text.removeprefix("p.")) for text, _ in content.changes)


_RANKED = ("frameshift", "splice", "nonsense", "start_lost", "stop_lost", "inframe", "missense", SILENT, NON_CODING)


def _stated_consequence(gene: str, content: Content) -> str | None:
    """The consequence that the words or the coding-DNA notation state; None where they state none."""
    if content.skipping and content.exons:
        return "splice"
    exon_event = _exon_event(gene, content) or _event_of_length(content)
    if exon_event:
        return exon_event
    if content.named_type and gene in _FRAMESHIFT_TYPES:
        return "frameshift"
    if any((gene, exon) in _FRAMESHIFT_EXONS for exon in content.exons):
        return "frameshift"
    if gene == "MET" and "14" in content.exons and not content.classes and not content.has_change:
        return "splice"  # METex14: mutations of this exon count as they make the transcript skip it
    named = [name for name in content.classes if name in _RANKED]
    if set(named) == {NON_CODING} and "splice" in (value for _, value in content.codings):
        return "splice"  # annotators call c.375+1G>T a splice region variant as well
    if named:
        return min(named, key=_RANKED.index)
    if "truncating" in content.classes:
        return "nonsense"
    if content.classes:  # an insertion or duplication
        return "inframe" if gene in _IN_FRAME_GENES else "frameshift"
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
    duplicated = "duplication" in content.classes
    if not exons or not (inserted or deleted or duplicated):
        return None
    if "inframe" in content.classes:
        return "inframe"
    if (gene, exons) in _FRAMESHIFT_EXONS or "frameshift" in content.classes or "truncating" in content.classes:
        return "frameshift"
    if gene == "MET" and exons == "14" and deleted:
        return "splice"
    return "inframe" if gene in _IN_FRAME_GENES else "frameshift"


def _event_of_length(content: Content) -> str | None:
    """The consequence of a deletion or insertion whose length in bases is stated (``52-bp deletion``); None where there
    is none."""
    events = {*content.copies, *content.classes} & {"deletion", "insertion", "duplication"}
    if not content.bases or not events:
        return None
    return "frameshift" if content.bases % 3 else "inframe"


def _is_described(content: Content) -> bool:
    return bool(content.copies)


def _read_fusion_and_copies(outcome: Outcome, mention: Mention, content: Content) -> None:
    """Read fusions with an unknown partner and copy-number events of a mention's genes."""
    meant = (
        [_meant_by_positive(gene, content) for gene in mention.genes]
        if content.positive and not content.mutation
        else []
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
    if exon_loss or _event_of_length(content):
        return None
    if levels:
        one_left = content.one_allele or content.number_of_copies == 1
        of_one = "heterozygous loss" in content.copies or (one_left and max(levels) < 0)
        return -1 if of_one else max(levels, key=abs)
    if content.has_change or content.classes or content.fusion:
        return None
    if content.log2 is not None:
        return _level_of_log2(content.log2)
    if content.number_of_copies is not None:
        return _level_of_copies(content.number_of_copies)
    return 2 if content.ratio is not None and content.ratio >= AMPLIFIED_RATIO and not content.mutation else None


AMPLIFIED_RATIO = 2.0
"""A gene's signals to those of its chromosome's centromere, from which FISH calls it amplified (ASCO/CAP 2018, of
HER2). A lower ratio states neither an amplification nor its absence, as the copies may be gained with the arm."""


def _level_of_log2(ratio: float) -> int:
    """The level of a log2 ratio, by the limits that files of segments are read with."""
    gained, lost = ratio >= _LIMITS.gained_log2, ratio <= _LIMITS.lost_log2
    return gained + (ratio >= _LIMITS.amplified_log2) - lost - (ratio <= _LIMITS.deleted_log2)


_LIMITS = CopyNumberLimits()


def _level_of_copies(copies: float) -> int:
    """The level of an absolute copy number in a tumour taken as diploid: amplified from ploidy + 4 on, deleted at 0."""
    if copies >= 6:
        return 2
    if copies < 0.5:
        return -2
    return 1 if copies > 2.5 else -1 if copies < 1.5 else 0


def _read_arms(outcome: Outcome, mention: Mention, content: Content, negated: bool, among_others: bool) -> None:
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
    elif among_others or outcome.readings or content.number_of_copies is not None or mention.in_brackets:
        return  # a place in the genome
    else:
        outcome.not_understood = outcome.not_understood or NO_EVENT
        outcome.problems.append(f"{outcome.text!r} names a chromosome but no gain or loss: not counted")


def _arm_call(content: Content) -> int | None:
    levels = [COPY_LEVELS[copy] for copy in content.copies if copy in COPY_LEVELS]
    if levels:
        return max(-1, min(1, levels[0]))
    if content.number_of_copies is not None:
        return max(-1, min(1, _level_of_copies(content.number_of_copies)))
    return None if content.log2 is None else max(-1, min(1, _level_of_log2(content.log2)))


def _read_pair(outcome: Outcome, mention: Mention, negated: bool) -> None:
    if negated:
        outcome.readings.append(NoFusion())
        return
    five_prime, three_prime = mention.pair
    if five_prime == three_prime:
        outcome.not_understood = outcome.not_understood or NO_EVENT
        outcome.problems.append(f"{outcome.text!r} is within one gene: write which event it is. Not counted")
        return
    if five_prime and three_prime:
        five_prime, three_prime = in_usual_order(five_prime, three_prime)
    outcome.readings.append(Fused(five_prime, three_prime))


def _read_negated(outcome: Outcome, mention: Mention, content: Content) -> None:
    """Negated copy number and fusions say that they were looked at; a negated mutation has no place in the tables."""
    is_negative = content.negation and content.negation.text.lower() in ("negative", "neg") and not content.has_event
    meant = {_meant_by_positive(gene, content) for gene in mention.genes} if is_negative else set()
    if content.copies or "amplification" in meant:
        outcome.readings += [GeneCall(gene, 0) for gene in mention.genes]
    elif content.fusion or "fusion" in meant:
        outcome.readings.append(NoFusion())
    else:
        _leave_out(outcome, NEGATED, f"{outcome.text!r} says that there is none: not counted")


# --- Findings about the tumour as a whole ---


def _findings(statement: Statement) -> tuple[str | None, float | None, bool] | None:
    """Microsatellite status, burden per megabase, and whether a burden is named; None where neither is named."""
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
