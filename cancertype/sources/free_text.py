"""Alterations as people write them, in typed lists (``BRAF V600E, CDKN2A R80*, MYC gain``) and in clinical reports.

The text is read in four steps: ``report_lines`` makes characters uniform, finds the samples and joins wrapped lines;
``report_words`` says what each word is; ``report_statements`` says what each statement speaks of, and
``report_readings`` what it means.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, replace
from functools import lru_cache

import pyarrow as pa

from ..alterations.schema import ARM_CALLS, FUSIONS, GENE_CALLS, Alterations
from ..errors import shortened
from ..variants import canonical
from ..variants.cases import Dropped, RowAccount, SourceTables, unlabelled
from ..variants.protein_changes import parse_protein_change
from .check_boxes import Line, without_unticked
from .report_lines import SHORT, Paragraph, paragraphs, tokens_of, uniform
from .report_readings import ArmCall, Finding, Fused, GeneCall, Mutation, NoFusion, Outcome, Reader, Reading
from .vcf_samples import NORMAL_TISSUE, named_normals

SOURCE = "text"

MOST_STATEMENTS = 10_000
"""``notes["statements"]`` shows how each was read up to this number; the account counts all."""

COLUMN_NAMES = "names of columns"
UNTICKED = "its box is not ticked"
NOT_GENOMIC = "about the patient, the sample or the method"
_EXAMPLES = 5


@dataclass(frozen=True)
class Problem:
    """Something in a file that is not understood or not used: the ``line`` or row (from 1), and what is wrong."""

    line: int
    what: str


def read(lines: Iterable[str], name: str = "text") -> tuple[SourceTables, list[Problem]]:
    """Read ``lines`` of text, and what in them was not understood or does not count; never raises.

    Statements stand between commas, semicolons, line ends, "and" or "or". Each is a gene with a protein or coding-DNA
    change, with what happens to it (stop, frameshift, splice ...), or alone, which counts as a missense mutation; a
    gain, loss, amplification or deletion of a gene or a chromosome arm; a fusion; microsatellite status or mutations
    per megabase. Negated, inherited and silent ones do not count. What a negation says of copy number or fusions is
    kept: the call is 0, or the sample was screened. A line ``name: mutations`` begins a sample (``report_lines``).

    ``notes["statements"]`` lists how each statement was read: its text, its line, its sample, ``reading`` ("read",
    "gene only", "no alteration", "left out", "not understood") and ``meaning``, what was read or why not.
    """
    found = _Found()
    reader = Reader()
    sample = None
    whole = list(paragraphs(lines, name))
    normals = named_normals((paragraph.sample for paragraph in whole), typed=True)
    for paragraph in whole:
        if paragraph.sample != sample:
            sample = paragraph.sample
            reader.begin_sample()
            if sample != name and sample not in normals:
                found.samples.setdefault(sample)
        if paragraph.blank:
            reader.end_section(blank_only=True)
        elif sample in normals:
            found.add_normal(sample, _outcomes(reader, paragraph))
        else:
            found.add_all(sample, _outcomes(reader, paragraph))
    found.forget_preamble(name)
    return found.tables(), found.problems


def read_named(texts: Iterable[tuple[str, str]]) -> tuple[SourceTables, list[Problem]]:
    """The same for texts that each stand beside the name of their sample, one on each row (from 1) of a table."""
    found = _Found()
    reader = Reader()
    texts = list(texts)
    normals = named_normals(sample for sample, _ in texts)
    for row, (sample, text) in enumerate(texts, 1):
        if sample not in normals:
            found.samples.setdefault(sample)
        reader.begin_sample()
        for line in without_unticked([Line(row, uniform(text))]):
            paragraph = Paragraph(sample, lines=[line.number], text=line.text, unticked=line.unticked)
            add = found.add_normal if sample in normals else found.add_all
            add(sample, _outcomes(reader, paragraph))
    return found.tables(), found.problems


def outcomes_of(text: str) -> list[Outcome]:
    """How each statement of one short text is read."""
    return _read_paragraph(Reader(), Paragraph("", text=uniform(text)))


def _outcomes(reader: Reader, paragraph: Paragraph) -> list[Outcome]:
    if paragraph.unticked:
        problem = f"{paragraph.text!r} is not ticked: not counted"
        return [Outcome(paragraph.text, paragraph.lines[0], left_out=UNTICKED, problems=[problem])]
    if paragraph.column_names:
        text = " ".join(token.text for token in paragraph.tokens)
        return [Outcome(text, paragraph.lines[0], left_out=COLUMN_NAMES)]
    if paragraph.plain and not reader.is_below_heading:
        return [Outcome(text, paragraph.lines[0], [mutation]) for text, mutation in paragraph.plain]
    outcomes = _read_paragraph(reader, paragraph)
    if not paragraph.is_about or any(outcome.readings for outcome in outcomes):
        return outcomes
    text = " ".join(token.text for token in paragraph.tokens)
    return [Outcome(text, paragraph.lines[0], left_out=NOT_GENOMIC)] if paragraph.tokens else []


def _read_paragraph(reader: Reader, paragraph: Paragraph) -> list[Outcome]:
    line = paragraph.lines[0] if paragraph.lines else 0
    if paragraph.text and not (paragraph.heading or reader.is_below_heading) and len(paragraph.text) <= SHORT:
        known = _read_alone(paragraph.text)
        if known is not None:
            return [replace(outcome, line=line) for outcome in known]
    tokens = paragraph.tokens or tokens_of(paragraph.text)
    lines = paragraph.lines if paragraph.tokens else [line] * len(tokens)
    return reader.read(tokens, lines, paragraph.heading)


@lru_cache(1 << 13)
def _read_alone(text: str) -> tuple[Outcome, ...] | None:
    """How a line is read below no heading; None where it is a heading itself."""
    tokens = tokens_of(text)
    reader = Reader()
    outcomes = reader.read(tokens, [0] * len(tokens), heading=False)
    return None if reader.is_below_heading else tuple(outcomes)


@dataclass
class _Found:
    """What was read so far. Dicts, because what is said twice counts once."""

    mutations: dict[tuple[str, Mutation], None] = field(default_factory=dict)
    genes: dict[tuple[str, str], int] = field(default_factory=dict)
    arms: dict[tuple[str, str], int | None] = field(default_factory=dict)
    fusions: dict[tuple[str, Fused], None] = field(default_factory=dict)
    screened: set[str] = field(default_factory=set)
    findings: dict[str, dict[str, str | float]] = field(default_factory=dict)
    samples: dict[str, None] = field(default_factory=dict)
    speaking: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    statements: list[dict] = field(default_factory=list)
    used: int = 0
    left_out: Counter = field(default_factory=Counter)
    not_understood: Counter = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add_all(self, sample: str, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.left_out != COLUMN_NAMES:
                self.samples.setdefault(sample)
            for reading in outcome.readings:
                self._add(sample, reading)
            if outcome.readings or outcome.used or outcome.left_out not in (None, NOT_GENOMIC, COLUMN_NAMES):
                self.speaking.add(sample)
            self._account(outcome)
            self.problems += [Problem(outcome.line, shortened(what)) for what in outcome.problems]
            if len(self.statements) < MOST_STATEMENTS:
                self.statements.append(_shown(sample, outcome))

    def add_normal(self, sample: str, outcomes: list[Outcome]) -> None:
        """Count what is said of a matched normal, which is no case."""
        for outcome in outcomes:
            left_out = replace(outcome, readings=[], left_out=NORMAL_TISSUE, not_understood=None, used=False)
            self._account(left_out)
            self.problems.append(Problem(outcome.line, shortened(f"{outcome.text!r}: {NORMAL_TISSUE}: not counted")))
            if len(self.statements) < MOST_STATEMENTS:
                self.statements.append(_shown(sample, left_out))

    def forget_preamble(self, name: str) -> None:
        """Make no case of what stands above the first sample of several, where it says nothing of a genome."""
        if len(self.samples) > 1 and name not in self.speaking:
            self.samples.pop(name, None)

    def _add(self, sample: str, reading: Reading) -> None:
        if isinstance(reading, Mutation):
            self.mutations.setdefault((sample, reading))
        elif isinstance(reading, GeneCall):
            key = sample, reading.gene
            self.genes[key] = max(self.genes.get(key, 0), reading.call, key=abs)
        elif isinstance(reading, ArmCall):
            self._add_arm((sample, reading.arm), reading.call)
        elif isinstance(reading, Fused):
            self.fusions.setdefault((sample, reading))
        elif isinstance(reading, NoFusion):
            self.screened.add(sample)
        elif isinstance(reading, Finding):
            self.findings.setdefault(sample, {})[reading.name] = reading.value

    def _add_arm(self, key: tuple[str, str], call: int) -> None:
        """A loss and a gain of the same arm leave it without a call."""
        before = self.arms.get(key, 0)
        if before is None or call == 0:
            self.arms.setdefault(key, call)
        else:
            self.arms[key] = None if before == -call else call

    def _account(self, outcome: Outcome) -> None:
        reason = outcome.left_out or outcome.not_understood
        if outcome.readings or outcome.used or reason is None:
            self.used += 1
            return
        (self.left_out if outcome.left_out else self.not_understood)[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(f"line {outcome.line}: {outcome.text[:80]}")

    def tables(self) -> SourceTables:
        table, dropped = canonical.table(self._mutation_rows(), SOURCE)
        for reason, n in (*self.left_out.items(), *self.not_understood.items()):
            dropped.append(Dropped(SOURCE, "statement", reason, n, tuple(self.examples[reason])))
        total = self.used + sum(self.left_out.values()) + sum(self.not_understood.values())
        account = RowAccount("statement", total, self.used, dict(self.left_out), dict(self.not_understood))
        return SourceTables(
            unlabelled(list(self.samples), SOURCE, "tumour"),
            table,
            dropped,
            notes={"statements": self.statements},
            account=account,
            alterations=self._alterations(),
        )

    def _mutation_rows(self) -> pa.Table:
        """The distinct mutations. Of a gene that is named again with more, only the latter counts: a class alone
        ("KRAS, G12D, missense") says no more than an exact change of that class."""
        more = {(sample, m.gene) for sample, m in self.mutations if not m.gene_only}
        exact = {
            (sample, m.gene, change.consequence)
            for sample, m in self.mutations
            if (change := parse_protein_change(m.protein_change))
        }
        altered = {key for key, call in self.genes.items() if call}
        altered |= {(sample, gene) for sample, f in self.fusions for gene in (f.five_prime, f.three_prime)}
        rows = {
            (sample, m.gene, m.protein_change, m.consequence): None
            for sample, m in self.mutations
            if not (m.gene_only and (sample, m.gene) in more)
            and not (m.is_bare and (sample, m.gene) in altered)
            and not (not m.protein_change and (sample, m.gene, m.consequence) in exact)
        }
        rows = list(rows)
        columns = ("case_id", "gene", "protein_change", "consequence")
        table = pa.table({name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(columns)})
        # Without a place, what two notations state counts once.
        n = table.num_rows
        return table.append_column("chromosome", pa.repeat("", n)).append_column("position", pa.nulls(n, pa.int64()))

    def _alterations(self) -> Alterations:
        arms = [{"case_id": s, "arm": arm, "call": call} for (s, arm), call in self.arms.items()]
        genes = [{"case_id": s, "gene": gene, "call": call} for (s, gene), call in self.genes.items()]
        partnered = {(s, gene) for s, f in self.fusions if f.five_prime and f.three_prime for gene in astuple(f)}
        known = [
            (s, f)
            for s, f in self.fusions
            if (f.five_prime and f.three_prime) or (s, f.five_prime or f.three_prime) not in partnered
        ]
        fusions = [{"case_id": s, "five_prime": f.five_prime, "three_prime": f.three_prime} for s, f in known]
        return Alterations(
            pa.Table.from_pylist(arms, schema=ARM_CALLS),
            pa.Table.from_pylist(genes, schema=GENE_CALLS),
            pa.Table.from_pylist(fusions, schema=FUSIONS),
            frozenset(self.screened),
            self.findings,
        )


_LEVELS = {2: "amplified", 1: "gained", 0: "copy number not altered", -1: "lost", -2: "deleted"}
_ARM_LEVELS = {1: "gain", 0: "no change", -1: "loss"}


def _meaning(reading: Reading) -> str:
    """A reading in words."""
    if isinstance(reading, Mutation):
        return " ".join(filter(None, (reading.gene, reading.protein_change, reading.consequence)))
    if isinstance(reading, GeneCall):
        return f"{reading.gene} {_LEVELS[reading.call]}"
    if isinstance(reading, ArmCall):
        return f"{_ARM_LEVELS[reading.call]} of {reading.arm}"
    if isinstance(reading, Fused):
        return f"fusion {reading.five_prime or 'unknown'}-{reading.three_prime or 'unknown'}"
    if isinstance(reading, NoFusion):
        return "no fusion found"
    return f"{reading.name} {reading.value}"


def _shown(sample: str, outcome: Outcome) -> dict:
    meaning = [_meaning(reading) for reading in outcome.readings]
    if outcome.readings:
        gene_only = any(isinstance(reading, Mutation) and reading.gene_only for reading in outcome.readings)
        reading = "gene only" if gene_only else "read"
    elif outcome.used or not (outcome.left_out or outcome.not_understood):
        reading = "no alteration" if not outcome.readings and outcome.used else "read"
    else:
        reading = "left out" if outcome.left_out else "not understood"
        meaning = [outcome.left_out or outcome.not_understood]
    return {"sample": sample, "line": outcome.line, "text": outcome.text, "reading": reading, "meaning": meaning}
