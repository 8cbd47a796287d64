"""From the lines of a text to paragraphs: uniform characters, one sample each, wrapped lines joined.

A paragraph is what one sentence or list entry may fill: a line, with those that continue it. A line ``name: mutations``
begins a sample where the text as a whole is a list of samples. In a report, where such lines are its entries
(``Gene: BRAF``), all of it is one sample.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from .check_boxes import Line, without_unticked
from .report_readings import Mutation, plain_list
from .report_words import SITES, Kind, Token, classify, words
from .vcf_samples import named_role

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹣－⁃➖"), "-")
_SIGNS = {
    ord(old): new
    for old, new in {
        "’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "→": ">", "⟶": ">", "➔": ">", "›": ">", "×": "x",
        "α": "A", "β": "B", "γ": "G", "δ": "D", "κ": "K", "λ": "L", "Δ": "del", "∆": "del", "⁄": "/", "∕": "/",
        "：": ":", "，": ",", "、": ",", "；": ";", "＋": "+", "∷": "::", "•": " ", "·": " ", "\u00ad": None,
        "\u200b": None,
        "\u200c": None, "\u200d": None, "\u2060": None, "\ufeff": None,
    }.items()
}  # fmt: skip
_UNIFORM = _DASHES | _SIGNS
_BULLET = re.compile(r"\s*(?:[*◦▪●■‣>#]+\s+|-+(?=\s)|-+(?=[A-Za-z]{3})|\(?\d{1,3}[.)](?=\s))\s*")

_BOLD = re.compile(r"\*\*([^\s*][^*]{0,200})\*\*")

_PIECE = re.compile(
    r"""
    (?P<fish>(?<!\w)(?:nuc\s)?ish\s?\((?:[^()\n]*\)(?:x\d|amp|,|\s?\[[^]]*\]|\s?\()*)+)
    | (?P<karyotype>(?<![^\s,;/(+-])(?:
        (?:i?der\([^()]{1,10}\)(?:\([pq][0-9.]{1,6}\))?(?=t\())?
        [+-]?(?:(?i:t|inv|del|dup|der)\s?|(?i:i|iso|ins|add|gain|amp|trp|dic|idic|r|loss|tri|mono))
        (?:\([0-9XY?pqPQ.;\s]{1,20}\)|(?<=[tT])\(\d{1,2}[:,/]\d{1,2}\))
        (?:\s?\([pq][0-9pq.;?~\s-]{1,30}\))?(?:x\d)?(?:\[(?:cp)?\d{1,3}\])?
        | [+-]\((?:\d{1,2}|[XY])[pq]?\)
        | [tT]\d{1,2};\d{1,2}(?!\d|;\d)))
    | (?P<translocation>(?<!\w)(?i:translocations?|inversion|inv)\s?(?:(?i:between|of|involving)\s)?
        (?:(?i:chromosomes?)\s)?\(?(?:\d{1,2}|[XY])(?:\s?(?:[;:/]|(?i:and))\s?\d{1,2})?\)?(?![\dpq.;]))
    | (?P<head>(?:2[3-9]|[3-9]\d)(?:[~-]\d\d)?(?:<\dn>)?,\s?[XY]{1,4}(?=[,/\s\[.]|$))
    | (?P<protein>p\.\s?[(\[][^()\[\]]{1,60}[)\]])
    | (?P<exons>(?<![\w;])[A-Z]\d{1,2}[a-z]?;\s?[A-Z]\d{1,2}[a-z]?(?![\w;]))
    | (?P<decimal>(?<![\d,])\d{1,3},\d{1,2}(?=\s?(?i:mut|m/mb|/mb)))
    | (?P<comma>,(?!\d{3}\b))
    | (?P<stop>;|!(?=\s|$)|(?<!::)\?(?=\s|$))
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<blank>[\s"|]+)
    | (?P<word>(?:[^\s,;()\[\]{}"|]|,(?=\d{3}\b))+)
    | (?P<rest>.)
    """,
    re.VERBOSE,
)
_ABBREVIATIONS = frozenset(
    [
        "p.",
        "c.",
        "g.",
        "chr.",
        "vs.",
        "mut.",
        "amp.",
        "del.",
        "hom.",
        "het.",
        "homo.",
        "hemi.",
        "rearr.",
        "ex.",
        "e.g.",
        "i.e.",
        "no.",
        "approx.",
        "dr.",
        "var.",
        "ca.",
        "incl.",
        "resp.",
        "st.",
        "fig.",
    ]
)

_NOUNS = frozenset(
    [
        "patient",
        "sample",
        "case",
        "tumor",
        "tumour",
        "specimen",
        "subject",
        "pt",
        "biopsy",
        "model",
        "donor",
        "id",
        "individual",
        "line",
        "mrn",
    ]
)
"""Nouns that make a sample's name of a number or letter behind them."""
_ANY_NOUN = "|".join(sorted(_NOUNS))
_ABOUT = frozenset(
    [
        "patient",
        "name",
        "dob",
        "birth",
        "date",
        "dates",
        "age",
        "sex",
        "gender",
        "disease",
        "diagnosis",
        "specimen",
        "physician",
        "ordering",
        "pathologist",
        "hospital",
        "institution",
        "mrn",
        "accession",
        "block",
        "tissue",
        "site",
        "collected",
        "received",
        "reported",
        "collection",
        "purity",
        "content",
        "cellularity",
        "coverage",
        "method",
        "methods",
        "laboratory",
        "lab",
        "address",
        "phone",
        "page",
        "report",
        "signed",
        "history",
        "indication",
        "block",
        "comments",
        "comment",
        "sample",
        "id",
        "case",
        "disclaimer",
        "references",
        "histology",
        "age/sex",
        "tumor-type",
        "stage",
        "fixation",
        "version",
        "order",
        "medical",
    ]
)
"""Words of a report's keys whose values say nothing about the genome."""
_GENOMIC_KINDS = frozenset({Kind.GENE, Kind.PAIR, Kind.ARMS, Kind.CHANGE, Kind.CODING, Kind.BAND})
_CONTINUES = frozenset(["and", "or", "in", "of", "for", "no", "the", "without", "with", "nor", "between", "to", "by"])


@dataclass
class Paragraph:
    """The ``tokens`` of one paragraph, and the line (from 1) that each is on.

    ``is_about``: it is about the patient, the sample or the method rather than the genome. ``heading``: it ends with a
    colon and speaks of what follows. ``blank``: an empty line. ``column_names``: the first line of a list. ``text``:
    the line, if it is only one. ``plain``: its mutations where the text lists nothing else; there are no tokens then.
    ``unticked``: the text stands beside an empty check box.
    """

    sample: str
    tokens: list[Token] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    is_about: bool = False
    heading: bool = False
    blank: bool = False
    column_names: bool = False
    text: str = ""
    plain: list[tuple[str, Mutation]] | None = None
    unticked: bool = False


def paragraphs(lines: Iterable[str], name: str) -> Iterator[Paragraph]:
    """The paragraphs of a text. What comes before the first line that begins a sample is the sample ``name``."""
    whole = with_sample_lines(_with_sample_keys(list(lines)))
    parts = without_unticked(_with_own_lines([Line(i, uniform(line)) for i, line in enumerate(whole, 1)]))
    layout = _Layout(["" if part.unticked else part.text for part in parts])
    sample, open_one = name, None
    for i, (number, text, unticked) in enumerate(parts):
        if unticked:
            yield Paragraph(sample, lines=[number], text=text, unticked=True)
            continue
        if not text:
            if open_one:
                yield open_one
            open_one = None
            yield Paragraph(sample, blank=True)
            continue
        named = layout.sample_of(i)
        if named is not None:
            sample, text = named
        if (named or not open_one or not _breaks_off(open_one.tokens)) and (plain := plain_list(text)):
            if open_one:
                yield open_one
            open_one = None
            yield Paragraph(sample, lines=[number], text=text, plain=plain)
            continue
        key = None if named else _key_of(text)
        tokens = tokens_of(text)
        if open_one and (named or not _goes_on(open_one.tokens, tokens, bool(key))):
            yield open_one
            open_one = None
        if open_one is None:
            open_one = Paragraph(sample, is_about=bool(key and _is_about(key)), heading=text.endswith(":"))
            open_one.column_names = layout.column_names == i
            open_one.text = text
        else:
            open_one.text = ""
            if open_one.tokens[-1].kind == Kind.GENE:
                tokens.insert(0, Token(Kind.COMMA, ","))
        open_one.tokens += tokens
        open_one.lines += [number] * len(tokens)
    if open_one:
        yield open_one


def _with_own_lines(lines: list[Line]) -> list[Line]:
    """The lines with every sample on one of its own (``S1: KRAS G12D; S2: BRAF V600E``)."""
    out: list[Line] = []
    for line in lines:
        text = line.text
        parts = list(filter(None, map(str.strip, _ENDS_OF_SAMPLES.split(text))))
        several = len(parts) > 1 and (text.count(":") > 1 or text.count("=") > 1 or _is_named_by_noun(parts))
        layout = _Layout(parts) if several else None
        named = [layout.sample_of(i) for i in range(len(parts))] if layout else []
        names = [each[0] for each in named if each]
        if len(names) < 2 or named[0] is None or len(set(names)) < len(names):
            parts = [text]
        out += [line._replace(text=part) for part in parts]
    return out


_ENDS_OF_SAMPLES = re.compile(rf";|(?<=[^\s.])\.\s+(?=(?:{_ANY_NOUN})\s)", re.IGNORECASE)
"""What ends the mutations of one sample on a line: a semicolon, or a sentence's end before the next patient."""


def _is_named_by_noun(parts: list[str]) -> bool:
    """Whether several of the ``parts`` of a line begin with a patient or sample (``patient 1 has KRAS G12D``)."""
    return sum(_noun_and_gene(part) is not None for part in parts) > 1


_SAMPLE_KEY = re.compile(
    rf"\s*(?P<noun>{_ANY_NOUN})(?:\s(?:id|identifier|name|number|no\.?|nr\.?))?\s?[:=#]\s?"
    r"(?P<name>[^\s:;,]{1,40})\s*",
    re.IGNORECASE,
)
"""A line of a report that names the sample: ``Patient ID: 001``."""


def _with_sample_keys(lines: list[str]) -> list[str]:
    """The lines with ``Patient 001:`` in the place of ``Patient ID: 001``, where such lines with different names stand
    above the genes of each, so that the reports of several patients are no single sample."""
    keys = {i: match for i, line in enumerate(lines) if (match := _SAMPLE_KEY.fullmatch(line))}
    keys = {i: match for i, match in keys.items() if _is_identifier(match["name"])}
    nouns = {match["noun"].lower() for match in keys.values()}
    if len({match["name"] for match in keys.values()}) < 2 or len(nouns) > 1:
        return lines
    ends = [*list(keys)[1:], len(lines)]
    if not all(any(map(_speaks_of_genome, lines[i + 1 : end])) for i, end in zip(keys, ends, strict=True)):
        return lines
    return [f"{keys[i]['noun']} {keys[i]['name']}:" if i in keys else line for i, line in enumerate(lines)]


def _speaks_of_genome(line: str) -> bool:
    return any(token.kind in _GENOMIC_KINDS or token.kind == Kind.NEGATION for token in tokens_of(uniform(line)[:80]))


_HEADING = re.compile(
    r"\s*(?P<mark>>|#{1,6}|={2,}|-{2,}|\*\*|\[)\s*(?P<name>[^\s#>=*\[\]:;,|][^#>=*\[\]:;,|]{0,58}?)\s*:?\s*"
    r"(?:\*\*|={2,}|-{2,}|#+|\])?\s*:?\s*"
)
"""A line that names a sample as FASTA (``>S1``), Markdown (``## S1``, ``**S1**``) or a file of settings (``[S1]``)
would."""
_LONGEST_HEADING = 80


def with_sample_lines(lines: list[str]) -> list[str]:
    """The lines with ``S1:`` in the place of a heading ``>S1`` or ``## S1``, where every heading of the kind with
    something below it names another sample."""
    short = {i: text for i, line in enumerate(lines) if len(text := line.strip()) < _LONGEST_HEADING}
    headings = {i: match for i, text in short.items() if (match := _HEADING.fullmatch(text))}
    if not headings or not any(map(str.strip, lines[max(headings) + 1 :])):
        return lines
    out = [
        headings[i]["name"] if i in headings and _is_gene_above_change(lines, i, headings[i]["name"]) else line
        for i, line in enumerate(lines)
    ]
    for mark in {match["mark"] for match in headings.values()}:
        names = {i: match["name"] for i, match in headings.items() if match["mark"] == mark}
        kinds = {_kind_of_name(name) for name in names.values()}
        distinct = len(set(names.values())) == len(names)
        numbered = len(names) > 1 or (mark != "[" and re.search("[A-Za-z]", next(iter(names.values()))))
        usual = {"sample", "identifier", "word"} if mark == ">" and len(names) > 1 else {"sample", "identifier"}
        named = kinds <= usual or _are_genes_of_others(lines, names, kinds)
        if distinct and numbered and named:
            out = [f"{names[i]}:" if i in names else line for i, line in enumerate(out)]
    return out


def _is_gene_above_change(lines: list[str], i: int, name: str) -> bool:
    """Whether a heading names the gene whose change is below (``## IDH1`` above ``R132H``)."""
    below = next((uniform(line) for line in lines[i + 1 :] if line.strip()), "")
    first = next(iter(tokens_of(below[:80])), None)
    return _kind_of_name(name) == "gene" and first is not None and first.kind in (Kind.CHANGE, Kind.CODING)


def _are_genes_of_others(lines: list[str], names: dict[int, str], kinds: set[str]) -> bool:
    """Whether headings that are genes' symbols (``>C1``, ``>C2``) name samples: alike, and with other genes below."""
    alike = len(names) > 1 and len({_shape(name) for name in names.values()}) == 1
    if not alike or not kinds <= {"identifier", "gene", "change"} or not re.search(r"\d", min(names.values())):
        return False
    for i in names:
        below = next((uniform(line) for line in lines[i + 1 :] if line.strip()), "")
        first = next(iter(tokens_of(below[:80])), None)
        if first is None or first.kind != Kind.GENE:
            return False
    return True


def uniform(line: str) -> str:
    """A line with one form of each sign (dashes, quotation marks, Greek letters), without a bullet in front and without
    Markdown's stars."""
    if line.startswith("#"):
        return ""
    line = _BOLD.sub(r"\1", line) if "**" in line else line
    if not line.isascii():
        line = unicodedata.normalize("NFKC", line.translate(_UNIFORM)).translate(_UNIFORM)
    return _BULLET.sub("", line, count=1) if _BULLET.match(line) else line.strip()


def _goes_on(before: list[Token], after: list[Token], is_entry: bool) -> bool:
    """Whether a line goes on with the next: it breaks off behind a comma or a word such as "and", or it only names a
    gene and the next begins with a change or only says that there is none (cells of a table pasted one per line,
    ``Gene: BRAF`` above ``Variant: V600E``, or ``BRAF`` above ``not detected``)."""
    if not before or not after:
        return False
    if _breaks_off(before) and not is_entry:
        return True
    named, said = ([t for t in tokens[:8] if t.kind not in _ENTRY_WORDS] for tokens in (before, after))
    is_gene = len(before) <= 4 and len(named) == 1 and named[0].kind == Kind.GENE
    if not is_gene or not said:
        return False
    is_none = said[0].kind == Kind.NEGATION and {token.kind for token in said} <= {Kind.NEGATION, Kind.DETECTED}
    return said[0].kind in (Kind.CHANGE, Kind.CODING) or (is_none and said[0].value != "no")


def _breaks_off(tokens: list[Token]) -> bool:
    last = tokens[-1] if tokens else None
    return last is not None and (
        last.kind == Kind.COMMA or (last.kind != Kind.GENE and last.text.lower() in _CONTINUES)
    )


_ENTRY_WORDS = frozenset({Kind.FILLER, Kind.COLON, Kind.MUTATION, Kind.HYPHEN})


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text without line ends, separators and brackets among them."""
    return list(_tokens_of_short(text)) if len(text) <= SHORT else _tokens_of(text)


SHORT = 300
"""Lines up to this length are read once however often they occur: reports repeat themselves."""


@lru_cache(1 << 13)
def _tokens_of_short(text: str) -> tuple[Token, ...]:
    return tuple(_tokens_of(text))


def _tokens_of(text: str) -> list[Token]:
    tokens: list[Token] = []
    run: list[str] = []
    for match in _PIECE.finditer(text):
        kind, piece = match.lastgroup, match[0]
        if kind == "blank":
            continue
        if kind == "word":
            ended = _ends_sentence(piece, text, match.end())
            piece = piece.strip("'").rstrip(".?!") if ended else piece.strip("'")
            run_on = piece.lstrip(":") if len(piece) > 1 else piece
            if run_on != piece or piece == ":":
                tokens += [*words(run), Token(Kind.COLON, ":")]
                run, piece = [], run_on.strip(":")
            bare = piece.rstrip(":")
            if bare:
                run.append(bare)
            if len(bare) < len(piece) or ended:
                tokens += words(run)
                run = []
                tokens.append(Token(Kind.STOP, ".") if ended else Token(Kind.COLON, ":"))
            continue
        if run:
            tokens += words(run)
            run = []
        tokens += _of_piece(kind, piece)
        if kind == "close" and _FULL_STOP.match(text, match.end()):
            tokens.append(Token(Kind.STOP, "."))
    return tokens + words(run)


def _of_piece(kind: str, piece: str) -> tuple[Token, ...]:
    if kind in ("karyotype", "protein"):
        return classify("".join(piece.split()))
    if kind == "translocation":
        chromosomes = re.findall(r"\d+|[XY]\b", piece)
        return classify(f"{'inv' if piece[0] in 'iI' else 't'}({';'.join(chromosomes)})")
    if kind == "decimal":
        return classify(piece.replace(",", "."))
    if kind == "fish":
        return (Token(Kind.UNKNOWN, piece),)
    signs = {"comma": Kind.COMMA, "stop": Kind.STOP, "open": Kind.OPEN, "close": Kind.CLOSE}
    return (Token(signs.get(kind, Kind.FILLER), piece),)


_FULL_STOP = re.compile(r"\.(?=\s)")
"""Behind a bracket it ends a sentence as it does behind a word."""


def _ends_sentence(word: str, text: str, end: int) -> bool:
    if not word.endswith((".", "!", "?")) or word.lower() in _ABBREVIATIONS or not word.strip(".!?"):
        return False
    if word.endswith("::?"):
        return False
    return not text[end : end + 1].strip()


# --- Which lines begin a sample ---


class _Layout:
    """Decides by the whole text which of its lines begin a sample."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts
        self._named: dict[int, tuple[str, str]] = {}
        candidates = {i: parts for i, text in enumerate(texts) if (parts := _name_and_rest(text))}
        candidates |= {i: (text, "") for i, text in enumerate(texts) if _is_lone_name(text)}
        kinds = {i: _kind_of_name(before) for i, (before, after) in candidates.items()}
        is_report = "key" in kinds.values()
        found = {
            i: self._begins_with_findings(i, after)
            for i, (_, after) in candidates.items()
            if kinds[i] in ("identifier", "word", "site")
        }
        sites = {before.lower() for i, (before, _) in candidates.items() if kinds[i] == "site" and found[i]}
        shapes = {
            _shape(before)
            for i, (before, after) in candidates.items()
            if (kinds[i] == "gene" and self._begins_with_another_gene(i, before, after))
            or (kinds[i] == "identifier" and found[i])
        }
        for i, (before, after) in candidates.items():
            of_samples = (
                kinds[i] == "sample"
                or (kinds[i] == "gene" and _shape(before) in shapes)
                or (kinds[i] == "change" and plain_list(after.partition(",")[0]))
                or (kinds[i] == "site" and len(sites) > 1 and found[i])
                or ((kinds[i] in ("identifier", "word") and (kinds[i] == "identifier" or not is_report)) and found[i])
            )
            if of_samples:
                self._named[i] = before, after
        self._named |= self._tumour_and_normal(candidates)
        self.column_names = None
        if not self._named and set(kinds.values()) <= {"statement", "change"}:
            self._named = _names_in_first_column(texts) or self._lone_identifiers()
        if (self._named and not candidates) or (self._named and min(self._named) not in candidates):
            self.column_names = next(i for i, text in enumerate(texts) if text)
            self.column_names = self.column_names if self.column_names not in self._named else None

    def sample_of(self, i: int) -> tuple[str, str] | None:
        """The sample that line ``i`` begins, and the rest of the line; None where it begins none."""
        return self._named.get(i)

    def _lone_identifiers(self) -> dict[int, tuple[str, str]]:
        """The lines that are a number or name such as ``S1`` and nothing else, where the text begins with one and every
        other is like it, with mutations below."""
        found = {i: text for i, text in enumerate(self._texts) if text and _is_lone_identifier(text)}
        begins = next((i for i, text in enumerate(self._texts) if text), None) in found
        alike = len(set(map(_shape, found.values()))) == 1 and len(set(found.values())) == len(found) > 1
        if not begins or not alike or not all(self._names_genes(i, "", or_none=True) for i in found):
            return {}
        return {i: (name, "") for i, name in found.items()}

    def _tumour_and_normal(self, candidates: dict[int, tuple[str, str]]) -> dict[int, tuple[str, str]]:
        """The lines that begin with what was sequenced (``tumour: ...`` beside ``blood: ...``) and go on with genes."""
        roles = {
            i: role
            for i, (before, after) in candidates.items()
            if (role := _role_of(before)) and self._names_genes(i, after)
        }
        return {i: candidates[i] for i in roles} if set(roles.values()) == {"tumour", "normal"} else {}

    def _names_genes(self, i: int, after: str, or_none: bool = False) -> bool:
        tokens = tokens_of((after or self._next_text(i))[:80])
        is_none = or_none and bool(tokens) and tokens[0].kind == Kind.NEGATION
        return is_none or any(token.kind in _GENOMIC_KINDS for token in tokens[:4])

    def _next_text(self, i: int) -> str:
        following = self._texts[i + 1 : i + 4]
        return next((text for text in following if text), "")

    def _begins_with_another_gene(self, i: int, before: str, after: str) -> bool:
        tokens = tokens_of((after or self._next_text(i))[:80])
        first = next((token for token in tokens if token.kind not in (Kind.FILLER, Kind.OPEN)), None)
        if first is None or first.kind != Kind.GENE or first.change:
            return False
        return not set(first.value) & set(classify(before)[0].value)

    def _begins_with_findings(self, i: int, after: str) -> bool:
        if not after or plain_list(after.partition(",")[0]):
            return True
        tokens = [token for token in tokens_of(after[:80]) if token.kind not in (Kind.FILLER, Kind.OPEN, Kind.COLON)]
        if not tokens or (tokens[0].kind == Kind.NEGATION and tokens[0].text.lower() not in ("negative", "positive")):
            return True
        return any(token.kind in _GENOMIC_KINDS for token in tokens[:4])


_NOUN_AND_HYPHEN = re.compile(rf"((?:{_ANY_NOUN}) [^\s=]{{1,20}})( -+ | ?= ?)", re.IGNORECASE)
"""``Tumor A - KRAS G12D``, ``Patient 1 = KRAS G12D``."""
_NOUN_AND_VERB = re.compile(
    rf"((?:{_ANY_NOUN}) [^\s=:;,()]{{1,20}}) (?:(?:has|had|carries|carried|harbou?rs|harbou?red|shows|"
    r"showed|with) (?:an? )?)?",
    re.IGNORECASE,
)


@lru_cache(1 << 12)
def _noun_and_gene(text: str) -> tuple[str, str] | None:
    """The sample and the rest of a line such as ``Patient 1 KRAS G12D`` or ``Patient 1 has KRAS G12D``."""
    match = _NOUN_AND_VERB.match(text)
    if not match or not _is_identifier(match[1].split()[-1]):
        return None
    tokens = tokens_of(text[match.end() :][:80])
    return (match[1], text[match.end() :]) if tokens and tokens[0].kind == Kind.GENE and tokens[0].sure else None


def _name_and_rest(text: str) -> tuple[str, str] | None:
    """What stands before and behind the first colon (or the hyphen behind ``Tumor A``), where the first could name
    something."""
    if named := _noun_and_gene(text):
        return named
    before, colon, after = text.partition(":")
    if not colon and (match := _NOUN_AND_HYPHEN.match(text)):
        before, colon, after = match[1], match[2], text[match.end() :]
    before = before.strip(" \"'{[")
    if not colon or not before or len(before) > 80 or re.search(r"[,;|]|\t| {3}", before):
        return None
    of_genome = "(" in before and not _GENOMIC_KINDS.isdisjoint(token.kind for token in words(before.split()))
    if of_genome and _kind_of_name(before) != "sample":
        return None  # EGFR (exon 19), but not Case 1 (62M)
    if re.match(r":|[pcgmnr]\.|\d{4,}|//", after):
        return None
    if not after[:1].isspace() and classify(re.split(r"[\s,;]", text, maxsplit=1)[0])[0].kind == Kind.PAIR:
        return None  # TMPRSS2:ERG
    return before, after.strip()


def _is_lone_name(text: str) -> bool:
    """Whether a line is a sample's name without a colon: ``Case 1``."""
    names = text.split() if len(text) < 40 and ":" not in text else []
    return len(names) == 2 and names[0].lower() in _NOUNS and _is_identifier(names[1])


def _is_lone_identifier(text: str) -> bool:
    return text[0].isalpha() and text.count(" ") == 0 and len(text) < 40 and _kind_of_name(text) == "identifier"


@lru_cache(1 << 14)
def _kind_of_name(before: str) -> str:
    """What a name before a colon is: "sample", "identifier" (S1), "gene", "change" (T47D), "site" (kidney), "key" of a
    report, "statement" or "word"."""
    bare, bracket, _ = before.rstrip().removesuffix(")").partition(" (")
    if bracket and before.rstrip().endswith(")") and (kind := _kind_of_name(bare)) in ("sample", "identifier"):
        return kind  # Patient 1 (colon), P1 (LUAD)
    names = before.split()
    tokens = words(names)
    if names[0].lower() in _NOUNS and len(names) > 1 and _is_identifier(names[-1]):
        return "sample"
    kinds = {token.kind for token in tokens}
    if len(names) == 1 and tokens[0].kind == Kind.GENE and len(tokens) == 1:
        return "gene"
    if len(names) == 1 and kinds == {Kind.CHANGE} and before.isalnum():
        return "change"  # T47D, a cell line
    if kinds & _GENOMIC_KINDS:
        return "statement"
    if len(names) == 1 and (kinds <= {Kind.NUMBER} or _is_ordinal(names[0])):
        return "identifier"
    if _is_about(before):
        return "key"
    if Kind.UNKNOWN not in kinds and Kind.CODON not in kinds:
        said = before.lower().split()
        return "key" if SITES.isdisjoint(said) or not _GENE_WORDS.isdisjoint(said) else "site"
    if any(c.isdigit() for c in names[-1]):
        return "identifier" if kinds.isdisjoint({Kind.MUTATION, Kind.DETECTED}) else "key"
    speaks_of_genes = kinds - {Kind.UNKNOWN, Kind.FILLER} or not _GENE_WORDS.isdisjoint(before.lower().split())
    return "word" if len(names) <= 3 and not speaks_of_genes else "key"


_ORDINALS = frozenset(
    (
        *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "first", "second", "third"),
        *("fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "left", "right", "primary", "metastasis"),
        *("recurrence", "relapse"),
    )
)


def _is_ordinal(word: str) -> bool:
    """Whether a word only counts or sets apart: ``a``, ``two``, ``first``, ``relapse``."""
    return word.lower() in _ORDINALS or (len(word) == 1 and word.isalpha())


_GENE_WORDS = frozenset(["gene", "genes", "biomarker", "biomarkers", "findings", "result", "results", "test", "panel"])


def _is_identifier(word: str) -> bool:
    return any(c.isdigit() for c in word) or (len(word) == 1 and word.isalpha())


_MOST_WORDS_OF_ROLE = 3


@lru_cache(1 << 14)
def _role_of(before: str) -> str:
    """ "tumour" or "normal" where the words before a colon only say which tissue was sequenced."""
    kinds = {token.kind for token in words(before.split())}
    speaks_of_genes = not kinds.isdisjoint({Kind.MUTATION, Kind.COPY, Kind.FUSION, Kind.BURDEN, *_GENOMIC_KINDS})
    return "" if speaks_of_genes or len(before.split()) > _MOST_WORDS_OF_ROLE else named_role(before)


def _shape(name: str) -> str:
    return re.sub(r"\d+", "9", name)


def _key_of(text: str) -> str | None:
    parts = _name_and_rest(text)
    return parts[0] if parts else None


@lru_cache(1 << 14)
def _is_about(key: str) -> bool:
    names = key.split()
    of_genome = {Kind.NEGATION, Kind.MUTATION, Kind.COPY, Kind.FUSION, *_GENOMIC_KINDS}
    return not _ABOUT.isdisjoint(key.lower().split()) and not any(token.kind in of_genome for token in words(names))


_COLUMNS = re.compile(r"(\S+?)(?:\s+[-=|]+\s+|[\s,;]+)(\S.*)")


def _names_in_first_column(texts: list[str]) -> dict[int, tuple[str, str]]:
    """The samples of a list whose every line begins with a name (``S1,KRAS,G12D``), but for a line of column names."""
    named: dict[int, tuple[str, str]] = {}
    for i, text in enumerate(texts):
        if not text:
            continue
        match = _COLUMNS.fullmatch(text)
        if not match:
            return {}
        tokens = tokens_of(match[2][:40])
        if _is_name(match[1]) and tokens and tokens[0].kind == Kind.GENE and tokens[0].sure:
            named[i] = match[1], match[2]
        elif named or not _is_header(text):
            return {}
    names = [name for name, _ in named.values()]
    are_genes = any(classify(name)[0].kind == Kind.GENE for name in names)
    if len(names) < 2 or (are_genes and len(set(map(_shape, names))) > 1):
        return {}
    return named


def _is_name(word: str) -> bool:
    tokens = classify(word)
    if tokens[0].kind == Kind.GENE:
        return len(tokens) == 1 and any(c.isdigit() for c in word)
    return tokens[0].kind in (Kind.UNKNOWN, Kind.CODON) and any(c.isdigit() for c in word)


def _is_header(text: str) -> bool:
    names = {name.lower() for name in re.split(r"[\s,;:._]+", text)}
    return not names.isdisjoint({"sample", "id", "patient", "case", "tumor_sample_barcode"}) and "gene" in names
