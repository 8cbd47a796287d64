"""A VCF whose records say which genes and protein changes are hit: one or several samples, packed with gzip or not.

The walk from a record to its mutations: which samples are tumours (``vcf_samples``), is the record wanted, who carries
which allele, what the annotation says (``vcf_annotation``) and of which allele (``vcf_alleles``), which transcript
speaks for it. The fields are those of VCF 4.3 (https://samtools.github.io/hts-specs/VCFv4.3.pdf).

The parser is our own. htslib (cyvcf2 0.35.0, pysam 0.24.1) was tried on 27 small files, most of them damaged. cyvcf2
ends the process with a segmentation fault on two of them. Both read a record with too many columns without a warning,
and pysam one with too few. Neither names the line of a fault, and both write to stderr. They read the fields used here
of 200,000 annotated records in 1.9 and 2.7 s. Splitting lines takes 1.0 s, and reading the annotations takes longer.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from ..errors import InputError
from ..tables import delimited
from ..tables.columns import compacted, with_column
from ..variants import canonical, schema
from ..variants.alleles import shortest
from ..variants.cases import Dropped, RowAccount, SourceTables, unlabelled
from ..variants.consequences import severity_of
from ..variants.genes import current_symbol
from ..variants.protein_changes import parse_protein_change
from . import vcf_csq
from .settings import ReadingLimits
from .vcf_alleles import by_allele
from .vcf_annotation import (
    COMPOUND,
    OUTSIDE_GENES,
    Annotation,
    Effect,
    annotations,
    class_of,
    effects_of,
)
from .vcf_header import LONGEST_LINE, MOST_ALLELES, Header, passes, read_header
from .vcf_info import info_fields, info_frequency
from .vcf_samples import Samples, assign

_EXAMPLES = 5
_RECORDS_BEFORE_GIVING_UP = 1_000
"""An annotation that no header declares must show itself by then."""

# Why a record, or an allele of it, makes no mutation. The first are understood and not wanted.
_NOT_PASSED = "marked by FILTER"
_NOT_PASSED_IN_SAMPLE = "marked by the sample's filter (FT)"
_NOT_CALLED = "not called in any tumour"
_SYMBOLIC = "no alleles written out (symbolic, breakend or *)"
_GERMLINE = "germline according to the caller"
_LOH = "loss of heterozygosity according to the caller"
_NOT_SOMATIC = "not somatic according to the caller"
_IN_NORMAL = "also in the matched normal"
_INHERITED = "likely inherited: known to gnomAD"
_COMPOUND = "stated with another variant of the same haplotype"
_REPEATED = "the same variant of the same case again"
# These are not understood.
_UNANNOTATED = "no annotation of this allele"
_NO_GENE = "no gene"
_NO_CONSEQUENCE = "consequence not recognised"
_NO_GENOTYPE = "no genotype, and more than one tumour that could carry it: name the tumour with --tumor"
_NO_SUCH_ALLELE = "the genotype names an allele that the record lacks"
_NO_ALLELE = "several alleles, and nothing says which the tumour carries: split the records before calling"
_NO_POSITION = "the position is not a number"
_NOT_UNDERSTOOD = (_UNANNOTATED, _NO_GENE, _NO_CONSEQUENCE, _NO_GENOTYPE, _NO_SUCH_ALLELE, _NO_ALLELE, _NO_POSITION)

_BASES = re.compile("-|[ACGTNRYKMSWBDHV]+", re.IGNORECASE)


def read(
    path: Path,
    limits: ReadingLimits,
    *,
    tumor: str | None = None,
    normal: str | None = None,
    genome: Path | None = None,
    gff: Path | None = None,
) -> SourceTables:
    """Read the file; a case is a tumour's sample, or the file itself where it lists sites without samples.

    A sample carries the alleles of its genotype (FORMAT/GT). Matched normals are no cases (``vcf_samples.assign``;
    ``tumor`` and ``normal`` overrule what it finds). An allele that a tumour's normal carries too is left out unless
    the caller calls the record somatic. So is what the caller calls germline, LOH or wild type (VarDict's STATUS,
    VarScan's and others' SS, DRAGEN's GermlineStatus, the flag SOMATIC where records carry it), records whose FILTER is
    neither PASS nor empty, and alleles of a population frequency above ``limits.germline_max_population_frequency``.
    Where a caller writes no genotypes, the variant is the one tumour's; of several alleles at one place, those that
    Strelka's counts of reads show.

    An allele counts once, in the most severe gene, by the transcript that VEP picked, else the canonical one, else the
    most severe. ``account`` says what became of each line below the header.

    A file without annotation is annotated by ``bcftools csq`` if ``genome`` (FASTA) and ``gff`` (Ensembl's GFF3) are
    given. Raises ``InputError`` with file and line for anything that cannot be read, and with the commands that
    annotate the file where it is not annotated.
    """
    if (genome is None) != (gff is None):
        raise InputError(f"{path}: --genome and --gff belong together: give both, or neither")
    try:
        reader = _read(path, limits, tumor, normal, None)
    except _NotAnnotatedError as fault:
        if genome is None or gff is None:
            raise InputError(vcf_csq.how_to_annotate(fault.header)) from None
        reader = _read(path, limits, tumor, normal, vcf_csq.consequences(fault.header, genome, gff))
    return _tables(reader)


class _NotAnnotatedError(Exception):
    def __init__(self, header: Header) -> None:
        super().__init__()
        self.header = header


_COLUMNS = (
    "case_id", "gene", "protein_change", "consequence", "reference", "alternative", "chromosome", "position"
)  # fmt: skip


@dataclass
class _Reader:
    """What is known of the file, and what was read so far. ``csq``: what ``bcftools csq`` says of each line, where it
    was run. ``omits_intergenic``: whether the annotator writes nothing on variants outside genes, as bcftools csq does.
    ``rows``: the mutations, by column, with the ``lines`` they come from and whether the caller flagged them
    as ``somatic``. ``total``: the lines below the header; ``lost``: the reason of each that made no mutation, counted.
    ``alleles``: what was left out, allele by allele, with ``examples``. ``examined``: the records whose annotation was
    looked at; ``keys``: the annotations that they carry; ``undeclared``: one that cannot be read because the header
    lacks its fields. ``flagged``: whether any record is flagged SOMATIC."""

    header: Header
    samples: Samples
    annotations: list[Annotation]
    most_frequent: float
    csq: Mapping[int, str] | None
    omits_intergenic: bool
    rows: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in _COLUMNS})
    lines: list[int] = field(default_factory=list)
    somatic: list[bool] = field(default_factory=list)
    total: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    alleles: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    examined: int = 0
    keys: Counter[str] = field(default_factory=Counter)
    undeclared: str | None = None
    flagged: bool = False

    def lose(self, reason: str, place: str) -> None:
        """Count a line that makes no mutation after all."""
        self.lost[reason] += 1
        self.drop(reason, place)

    def drop(self, reason: str, place: str) -> None:
        """Count an allele that was left out."""
        self.alleles[reason] += 1
        known = self.examples.setdefault(reason, [])
        if len(known) < _EXAMPLES:
            known.append(place)


class _Record(NamedTuple):
    """One line. ``place`` names it in messages; ``genotypes`` holds FORMAT and the samples' columns."""

    place: str
    chromosome: str
    position: str
    reference: str
    alternatives: list[str]
    passed: bool
    info: dict[str, str]
    formats: list[str]
    fields: list[str]


def _read(
    path: Path, limits: ReadingLimits, tumor: str | None, normal: str | None, csq: Mapping[int, str] | None
) -> _Reader:
    stream = delimited.lines(path, f"reading {path.name}")
    header = read_header(path, stream)
    candidates, info = annotations(header), header.info()
    declared = [annotation for annotation in candidates if annotation.key in info]
    omits_intergenic = any(annotation.tool == "bcftools csq" for annotation in declared)
    samples = assign(header, tumor, normal)
    reader = _Reader(header, samples, candidates, limits.germline_max_population_frequency, csq, omits_intergenic)
    for number, line in stream:
        if line.startswith("#"):
            _check_second_header(reader, number, line)
        elif line.strip():
            _add(reader, number, line)
            if not reader.keys and not declared and reader.examined == _RECORDS_BEFORE_GIVING_UP:
                break
    if not reader.keys and csq is None and (reader.examined or not declared):
        if key := reader.undeclared:
            raise InputError(f"{path}: no line ##INFO=<ID={key} names the fields of {key}: keep the whole header")
        raise _NotAnnotatedError(header)
    return reader


def _check_second_header(reader: _Reader, number: int, line: str) -> None:
    if line.startswith("#CHROM") and line.rstrip() != reader.header.columns:
        raise InputError(
            f"{reader.header.path}: line {number}: the header of another VCF, with other samples: give each by itself"
        )


def _add(reader: _Reader, number: int, line: str) -> None:
    """Add the mutations of one line, or the reason why it makes none."""
    record = _record(reader, number, line)
    reader.total += 1
    before = len(reader.lines)
    reasons = list(_mutations(reader, number, record))
    for reason in reasons:
        reader.drop(reason, record.place)
    if len(reader.lines) == before:
        reader.lost[next((reason for reason in reasons if reason != _NOT_CALLED), _NOT_CALLED)] += 1


def _record(reader: _Reader, number: int, line: str) -> _Record:
    header = reader.header
    where = f"{header.path}: line {number}"
    if len(line) > LONGEST_LINE:
        raise InputError(f"{where} has more than {LONGEST_LINE >> 20} MB: leave out samples or annotations")
    fields = line.split("\t")
    if len(fields) != header.width:
        fields = line.rstrip().split("\t")
    if len(fields) != header.width:
        what = f"{len(fields)} fields where {header.width} columns are named"
        raise InputError(f"{where}: {what}: correct or remove the line")
    chromosome, position, _, reference, written, _, filters, info = fields[:8]
    alternatives = [] if written in (".", "") else written.split(",")
    if len(alternatives) > MOST_ALLELES:
        raise InputError(
            f"{where}: {len(alternatives):,} alleles, and at most {MOST_ALLELES:,} are read: split the record with "
            "bcftools norm --multiallelics -any, or remove it"
        )
    place = f"line {number}: {chromosome}:{position} {reference}>{written}"[:80]
    passed = passes(filters)
    return _Record(
        place,
        chromosome,
        position,
        reference,
        alternatives,
        passed,
        info_fields(info) if passed and alternatives else {},
        fields[8].split(":") if header.width > 8 else [],
        fields,
    )


def _mutations(reader: _Reader, number: int, record: _Record) -> Iterator[str]:
    """Add the rows of a record to the reader, and yield the reason of each allele that makes none."""
    against, somatic = _stated_by_caller(record.info)
    reader.flagged |= "SOMATIC" in record.info
    if reason := _refusal(record, against):
        yield reason
        return
    carriers, reasons = _carriers(record, reader.samples, somatic)
    yield from reasons
    if not carriers:
        return
    effects, key = _effects(reader, number, record)
    reader.examined += 1
    reader.keys.update([key] if key else [])
    of_allele = by_allele(effects, record.reference, record.alternatives)
    for i, cases in sorted(carriers.items()):
        best = _best(of_allele[i])
        if reason := _refusal_of_allele(reader, record, i, best, of_allele[i]):
            yield reason
            continue
        place = _place(record, i)
        for case in cases:
            row = (case, best.gene, best.protein_change, best.consequence, *place)
            for name, value in zip(_COLUMNS, row, strict=True):
                reader.rows[name].append(value)
            reader.lines.append(number)
            reader.somatic.append(somatic)
    yield from [_NOT_CALLED] * (len(record.alternatives) - len(carriers) - len(reasons))


def _place(record: _Record, i: int) -> tuple[str, str, str, str]:
    """Reference, allele, chromosome and position in one spelling: callers differ in ``chr7`` and 7, and in the bases
    around an indel."""
    before, after, moved = shortest(record.reference, record.alternatives[i])
    return before, after, _chromosome(record.chromosome), str(int(record.position) + moved)


@lru_cache(1 << 12)
def _chromosome(name: str) -> str:
    bare = name.upper().removeprefix("CHR")
    return "M" if bare == "MT" else bare


# --- Is the record wanted ---


_STATUS_KEYS = ("STATUS", "Status", "SS", "GermlineStatus", "SomaticStatus", "Somatic_Status", "Mutation_Status")
_SOMATIC = "somatic"
_STATUS_NUMBERS = {"0": _NOT_SOMATIC, "1": _GERMLINE, "2": _SOMATIC, "3": _LOH, "4": _NOT_SOMATIC, "5": _NOT_SOMATIC}
"""SS of VarScan, SomaticSniper and MuSE: 0 reference, 1 germline, 2 somatic, 3 LOH; 4 and 5 are unknown, or edited
RNA."""


def _stated_by_caller(info: Mapping[str, str]) -> tuple[str | None, bool]:
    """The reason against a record that its caller states in INFO, and whether it states that the record is somatic."""
    for key in _STATUS_KEYS:
        if status := _status(info.get(key, "")):
            return (None, True) if status == _SOMATIC else (status, False)
    if "GERMLINE" in info:
        return _GERMLINE, False
    if "LOH" in info:
        return _LOH, False
    return None, "SOMATIC" in info


@lru_cache(1 << 12)
def _status(text: str) -> str | None:
    """``_SOMATIC``, the reason against the record, or None where the text states neither."""
    text = text.strip().lower()
    if text in _STATUS_NUMBERS:
        return _STATUS_NUMBERS[text]
    if "loh" in text:
        return _LOH
    # VarDict's AFDiff is in both samples, at different frequencies.
    if text.startswith(("germline", "afdiff")):
        return _GERMLINE
    if text in ("deletion", "wildtype", "wild_type", "wt", "reference", "ref", "none", "unknown"):
        return _NOT_SOMATIC
    return _SOMATIC if "somatic" in text else None


def _refusal(record: _Record, against: str | None) -> str | None:
    if not record.passed:
        return _NOT_PASSED
    if not record.alternatives:
        return _NOT_CALLED
    if not record.position.strip().isdecimal():
        return _NO_POSITION
    return against


# --- Who carries which allele ---


def _carriers(record: _Record, samples: Samples, somatic: bool) -> tuple[dict[int, list[str]], list[str]]:
    """The tumours that carry each allele (its place in ALT), and the reasons against the alleles that none does."""
    formats = record.formats
    if "GT" not in formats or None in samples.tumours.values():
        if len(samples.tumours) > 1:
            return {}, [_NO_GENOTYPE]
        against = _against_sample(record, next(iter(samples.tumours.values())))
        if against:
            return {}, [against]
        return _by_counts(record, samples)
    at = formats.index("GT")
    carriers: dict[int, list[str]] = {}
    against_allele: dict[int, str] = {}
    for case, column in samples.tumours.items():
        called = _alleles(_value(record, column, at))
        if called is None and somatic and len(samples.tumours) == len(record.alternatives) == 1:
            called = (1,)
        if not called:
            continue
        reason = _against_sample(record, column)
        in_normal = () if somatic else _of_normals(record, samples, case, at)
        for allele in called:
            if allele > len(record.alternatives):
                against_allele[allele - 1] = _NO_SUCH_ALLELE
            elif reason or allele in in_normal:
                against_allele.setdefault(allele - 1, reason or _IN_NORMAL)
            else:
                carriers.setdefault(allele - 1, []).append(case)
    return carriers, [reason for i, reason in against_allele.items() if i not in carriers] or (
        [] if carriers else [_NOT_CALLED] * len(record.alternatives)
    )


_LEAST_SHARE = 0.2
"""An allele with less than this share of the reads of the record's most frequent one is an error of sequencing."""


def _by_counts(record: _Record, samples: Samples) -> tuple[dict[int, list[str]], list[str]]:
    """The alleles of the one tumour of a file without genotypes. Where a record has several, Strelka's counts of reads
    say which are the tumour's: AU, CU, GU and TU of the bases. TIR counts the reads of all indels of a record."""
    every = {i: list(samples.tumours) for i in range(len(record.alternatives))}
    case, column = next(iter(samples.tumours.items()))
    if len(record.alternatives) < 2 or column is None:
        return every, []
    of_bases = {f"{base}U" for base in "ACGT"} <= set(record.formats)
    if not of_bases or any(len(allele) != 1 for allele in (record.reference, *record.alternatives)):
        return ({}, [_NO_ALLELE] * len(record.alternatives)) if "TIR" in record.formats else (every, [])
    reads = _reads(record, column)
    most = max(reads)
    normal = [_reads(record, other) for other in samples.matched.get(case, ())]
    carriers, reasons = {}, []
    for i, n in enumerate(reads):
        if not n or n < _LEAST_SHARE * most:
            reasons.append(_NOT_CALLED)
        elif any(others[i] >= _LEAST_SHARE * n for others in normal):
            reasons.append(_IN_NORMAL)
        else:
            carriers[i] = [case]
    return carriers, reasons


def _reads(record: _Record, column: int) -> list[int]:
    """How many reads of a sample (of the first tier) show each of the record's alleles."""
    found = []
    for name in (f"{allele.upper()}U" for allele in record.alternatives):
        counts = _value(record, column, record.formats.index(name)) if name in record.formats else ""
        first = counts.partition(",")[0]
        found.append(int(first) if first.isdecimal() else 0)
    return found


def _value(record: _Record, column: int | None, at: int) -> str:
    values = record.fields[column].split(":") if column is not None else []
    return values[at] if at < len(values) else ""


@lru_cache(1 << 12)
def _alleles(genotype: str) -> tuple[int, ...] | None:
    """The alternative alleles that a genotype (0/1, 1|2, 1) names, from 1; None where it names no allele at all."""
    named = [int(text) for text in re.split(r"[/|]", genotype) if text.strip().isdecimal() and len(text) < 8]
    return tuple(sorted({allele for allele in named if allele})) if named else None


def _against_sample(record: _Record, column: int | None) -> str | None:
    """The reason against a tumour's genotype that its column states: FT, or SS as SomaticSniper and MuSE write it."""
    if column is None:
        return None
    if "FT" in record.formats:
        filters = _value(record, column, record.formats.index("FT"))
        if not passes(filters.replace(",", ";")):
            return _NOT_PASSED_IN_SAMPLE
    if "SS" in record.formats:
        status = _status(_value(record, column, record.formats.index("SS")))
        return None if status == _SOMATIC else status
    return None


def _of_normals(record: _Record, samples: Samples, case: str, at: int) -> set[int]:
    """The alleles that the normals of a tumour carry."""
    return {allele for column in samples.matched.get(case, ()) for allele in _alleles(_value(record, column, at)) or ()}


# --- What the annotation says ---


def _effects(reader: _Reader, number: int, record: _Record) -> tuple[list[Effect], str | None]:
    """The effects of a record, and the key of the annotation that states them."""
    info = record.info
    if reader.csq is not None:
        info = info | {"BCSQ": reader.csq.get(number, ".")}
    effects, key = effects_of(info, f"{record.position}{record.reference}>", reader.annotations)
    if key is None and reader.undeclared is None:
        reader.undeclared = next((name for name in ("CSQ", "FUNCOTATION") if info.get(name)), None)
    if key is None and reader.omits_intergenic:
        return [OUTSIDE_GENES], None
    return effects, key


def _refusal_of_allele(
    reader: _Reader, record: _Record, i: int, best: Effect | None, effects: Sequence[Effect]
) -> str | None:
    if not _BASES.fullmatch(record.alternatives[i]) or not _BASES.fullmatch(record.reference):
        return _SYMBOLIC
    if best is None:
        return _UNANNOTATED
    if best.consequence == COMPOUND:
        return _COMPOUND
    # Silent and non-coding variants are left out here and not by canonical.table: a genome has millions of them.
    consequence = class_of(best.consequence)
    if consequence in (schema.SILENT, schema.NON_CODING):
        return consequence
    if not current_symbol(best.gene):
        return _NO_GENE
    if consequence is None and (reason := _of_change(best.protein_change)):
        return reason
    annotated = max(effect.frequency for effect in effects)
    frequency = max(annotated, info_frequency(record.info, i, len(record.alternatives)))
    return _INHERITED if frequency > reader.most_frequent else None


def _of_change(protein_change: str) -> str | None:
    """The reason against a variant of which only the protein change is understood."""
    change = parse_protein_change(protein_change)
    return _NO_CONSEQUENCE if change is None else schema.SILENT if change.consequence == schema.SILENT else None


def _best(effects: Sequence[Effect]) -> Effect | None:
    """The transcript that speaks for the allele: first the best of each gene, then the most severe of these."""
    of_gene: dict[str, tuple[int, int, Effect]] = {}
    for effect in effects:
        known = of_gene.get(effect.gene)
        order = (effect.rank, _severity(effect.consequence))
        if known is None or order < known[:2]:
            of_gene[effect.gene] = (*order, effect)
    best = min(of_gene.values(), key=lambda known: (known[1], known[0]), default=None)
    return best[2] if best else None


@lru_cache(1 << 16)
def _severity(terms: str) -> int:
    return severity_of(class_of(terms))


# --- The tables, and what became of each line ---


def _tables(reader: _Reader) -> SourceTables:
    rows = pa.table(
        {name: pa.array(values, pa.string()).dictionary_encode() for name, values in reader.rows.items()}
        | {"line": pa.array(reader.lines, pa.int64()), "somatic": pa.array(reader.somatic, pa.bool_())}
    )
    if reader.flagged and _flags_somatic(reader.header):
        flagged = rows.filter(rows["somatic"])
        for line in _lines_lost(rows, flagged):
            reader.lose(_NOT_SOMATIC, f"line {line}")
        rows = flagged
    unique, repeated = canonical.without_repeats(compacted(rows), "vcf")
    reader.lost[_REPEATED] += len(_lines_lost(rows, unique))
    table, unclear = canonical.table(unique.drop_columns(["chromosome", "position", "line", "somatic"]), "vcf")
    if table.num_rows < unique.num_rows:
        _account_for_the_unclear(reader, unique)
    dropped = [
        Dropped("vcf", "variant", reason, n, tuple(reader.examples[reason]))
        for reason, n in sorted(reader.alleles.items())
    ]
    notes = {
        "files": [reader.header.path.name],
        "annotation": ", ".join(sorted(reader.keys)),
        "normals": list(reader.samples.normals),
    }
    cases = unlabelled(sorted(reader.samples.tumours), "vcf", "tumour")
    return SourceTables(cases, table, dropped + repeated + unclear, notes, account=_account(reader))


def _flags_somatic(header: Header) -> bool:
    """Whether the lack of the flag SOMATIC says something: it does where one caller wrote the file (Octopus lists
    germline variants without it), not where several callers' records were merged."""
    sources = {value.split(" ")[0].lower() for value in header.values("source")}
    merged = {"set", "callers", "sources", "identified", "called_by", "num_callers"}
    declared = header.info()
    return "SOMATIC" in declared and len(sources) < 2 and merged.isdisjoint(key.lower() for key in declared)


def _lines_lost(before: pa.Table, after: pa.Table) -> list[int]:
    """The lines of which ``after`` has no row left."""
    if after.num_rows == before.num_rows:
        return []
    return sorted(set(before["line"].to_pylist()) - set(after["line"].to_pylist()))


def _account_for_the_unclear(reader: _Reader, rows: pa.Table) -> None:
    """Count the lines of which ``canonical.table`` keeps no row: their protein change contradicts the consequence."""
    numbered = rows.drop_columns(["chromosome", "position", "line", "somatic"])
    numbered = with_column(numbered, "case_id", pa.array([str(i) for i in range(rows.num_rows)]))
    kept = canonical.table(numbered, "vcf")[0]["case_id"].cast(pa.string()).to_pylist()
    lost = set(_lines_lost(rows, rows.take(pa.array([int(i) for i in kept], pa.int64()))))
    changes = rows["protein_change"].cast(pa.string()).to_pylist()
    reasons = {line: _of_change(change) for line, change in zip(rows["line"].to_pylist(), changes, strict=True)}
    reader.lost.update(reasons[line] or _NO_CONSEQUENCE for line in lost)


def _account(reader: _Reader) -> RowAccount:
    lost = dict(sorted(reader.lost.items()))
    return RowAccount(
        "line",
        reader.total,
        reader.total - sum(lost.values()),
        {reason: n for reason, n in lost.items() if reason not in _NOT_UNDERSTOOD and n},
        {reason: n for reason, n in lost.items() if reason in _NOT_UNDERSTOOD and n},
    )
