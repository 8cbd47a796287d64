"""Copy-number segments of the usual tools, and copy-number VCFs, as calls of arms and genes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ..alterations import calls, genome
from ..alterations.call_tables import arm_table, gene_table
from ..alterations.calls import COPIES, LOG2, Segments
from ..alterations.schema import Alterations
from ..alterations.settings import CopyNumberLimits
from ..errors import InputError
from ..tables.accounts import RowTally
from ..tables.rows import TextTable, open_table
from . import builds
from .alteration_file import (
    IMPURE,
    SAMPLE_COLUMNS,
    AlterationFile,
    below,
    one_sample,
    purities,
    purity_of,
    tumours_of,
    value_of,
)

_CHROMOSOMES = ("chromosome", "chrom", "chr", "contig", "seqnames", "chromosomename")
_STARTS = ("start", "locstart", "startpos", "segstart", "chromstart", "startposition", "begin", "startbp",
           "startpositionbp")  # fmt: skip
_ENDS = ("end", "locend", "endpos", "segend", "chromend", "endposition", "stop", "endbp",
         "endpositionbp")  # fmt: skip
_PLOIDIES = ("ploidy", "sampleploidy", "tumorploidy")
_PURITIES = ("purity", "cellularity", "tumorpurity", "aberrantcellfraction", "samplepurity")

_LOG2_VALUES = (
    "log2", "segmean", "segmentmean", "meanlog2copyratio", "log2copyratioposterior50", "cnlrmedian", "log2ratio",
    "log2copyratio", "logratio", "segmeanlog2", "meanlog2ratio", "logr", "log2mean", "log2ratiomean", "meanlog2",
    "medianlog2", "lrr", "cnlr",
)  # fmt: skip
_COPY_VALUES = (
    "copynumber", "cnt", "totalcn", "totalcopynumber", "tcn", "cntotal", "modaltotalcn", "rescaledtotalcn", "cn",
    "absolutecn", "segmentabsolutecn", "absolutecopynumber", "copies", "cnstate", "totalcopynumberintumour",
)  # fmt: skip
_PLAIN_VALUES = ("mean", "value")
"""Names of log2 ratios that say nothing (R's copynumber, UCSC Xena): only where no other column fits."""
_COPY_FIELDS = ("CN", "TCN_EM")
_LOG2_FIELDS = ("SM", "FOLD_CHANGE_LOG", "CNLR_MEDIAN")
"""Fields of a VCF, of the record or of the sample."""
_ALLELES = (("nmajor", "nminor"), ("majorcopynumber", "minorcopynumber"), ("majorcn", "minorcn"))

_TWO_COPIES = 2

_NOT_AUTOSOMAL = "sex chromosome, mitochondrium or contig"
_MISSING = "no value (NA)"
_BAD_NUMBER = "the value or a position is no number"
_REVERSED = "the end is not behind the start"
_REPEATED = "the same segment twice"
_NOT_PASSED = "marked by FILTER"
_NOT_STATED = "no copy number is stated"
STATE_BUILD = "--build hg19 or --build hg38"
"""How an error names the remedy; the page puts its own list in its place."""

_FLAT = "a flat profile of a sample of unknown purity: not looked at"
_FLAT_SAMPLE = "the profile is flat, as that of an impure sample is, and no purity is given (--purity states it)"


class UndecidedBuild(InputError):
    """Segments fit both builds, which give them different calls."""


@dataclass
class _Columns:
    """Segments while they are read, and the last base of each chromosome."""

    samples: dict[str, int]
    rows: list[tuple[int, int, int, int, float]]
    ends: dict[str, int]
    tally: RowTally
    ploidy: dict[str, float]
    purity: dict[str, float]

    @classmethod
    def empty(cls) -> "_Columns":
        return cls({}, [], {}, RowTally(), {}, {})

    def add(self, sample: str, chromosome: str, start: str, end: str, value: float | None, where: str) -> None:
        """Take one segment, or count why not."""
        try:
            first, last = _position(start), _position(end)
        except (ValueError, OverflowError):
            self.tally.misunderstand(_BAD_NUMBER, examples=[where])
            return
        name = genome.chromosome(chromosome)
        if last <= first:
            self.tally.misunderstand(_REVERSED, examples=[where])
            return
        if name is not None:
            self.ends[name] = max(self.ends.get(name, 0), last)
        self.samples.setdefault(sample, len(self.samples))
        if name not in genome.AUTOSOMES:
            self.tally.leave_out(_NOT_AUTOSOMAL, examples=[chromosome])
        elif value is None:
            self.tally.leave_out(_MISSING, examples=[where])
        else:
            self.rows.append((self.samples[sample], int(name), first, last, value))

    def segments(self, unit: str) -> Segments:
        """The segments, each once, in the order of samples and the genome."""
        rows = sorted(set(self.rows))
        self.tally.leave_out(_REPEATED, len(self.rows) - len(rows))
        self.tally.used += len(rows)
        sample, chromosome, start, end, value = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        names = tuple(self.samples)
        centre = [self.ploidy.get(name, np.nan) if unit == COPIES else np.nan for name in names]
        return Segments(
            samples=names,
            sample=np.array(sample, np.int64),
            chromosome=np.array(chromosome, np.int8),
            start=np.array(start, np.int64),
            end=np.array(end, np.int64),
            value=np.array(value, np.float64),
            unit=unit,
            centre=np.array(centre, np.float64),
            purity=np.array([self.purity.get(name, np.nan) for name in names]),
        )


def _position(text: str) -> int:
    """A place on a chromosome, also with commas between thousands. Raises ``ValueError`` for anything else."""
    return int(float(text.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+", text) else text))


def has_segments(table: TextTable) -> bool:
    """Whether the table has a column for chromosome, start, end, and a value that this module knows."""
    keys = table.keys()
    return all(_first(keys, names) is not None for names in (_CHROMOSOMES, _STARTS, _ENDS)) and bool(_value(keys))


_WITHOUT_HEADER = (
    ("ID", "chrom", "loc.start", "loc.end", "num.mark", "seg.mean"),
    ("segment", "chromosome", "start", "end", "normal total", "normal minor", "total_cn", "minor_cn"),
)
"""A .seg file as GISTIC takes it, and ascatNgs' copynumber.caveman.csv."""
_FREEC_STATES = frozenset(["gain", "loss", "normal", "neutral"])


def with_header(table: TextTable) -> TextTable:
    """A file that begins with its first segment, with the usual names of its columns."""
    names = table.names
    if columns := _bed_columns(names):
        return table.named(columns)
    columns = next((known for known in _WITHOUT_HEADER if len(known) == len(names)), None)
    if columns is None or genome.chromosome(names[1]) is None:
        return table
    return table if any(np.isnan(_number(text)) for text in (*names[2:4], names[-1])) else table.named(columns)


def _bed_columns(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The columns of a file without a header whose first row is a place and a value: a BED or bedGraph file of four or
    five columns, or Control-FREEC's ``_CNVs``, which goes on behind its word for the state. None for other files."""
    if len(names) < 4 or genome.chromosome(names[0]) is None or not _number(names[1]) < _number(names[2]):
        return None
    is_number = [not np.isnan(_number(text)) for text in names]
    place = ("chromosome", "start", "end")
    if is_number[3] and len(names) > 4 and names[4].strip().lower() in _FREEC_STATES:
        return (*place, "copy number", "state", *(f"column {i}" for i in range(6, len(names) + 1)))
    if len(names) == 4 and is_number[3]:
        return (*place, "value")
    return (*place, "name", "value") if len(names) == 5 and is_number[4] and not is_number[3] else None


def read(
    table: TextTable,
    limits: CopyNumberLimits,
    build: str | None,
    sample: str | None,
    purity: float | Mapping[str, float] | None,
) -> AlterationFile:
    """Read a table of segments."""
    keys, found = table.keys(), _Columns.empty()
    unit, value = _value(keys)
    places = [_first(keys, names) for names in (_CHROMOSOMES, _STARTS, _ENDS)]
    of_sample, of_ploidy, of_purity = (_first(keys, names) for names in (SAMPLE_COLUMNS, _PLOIDIES, _PURITIES))
    alone = _sample_in(table.comments) or one_sample(table.path, sample)
    if of_sample is None:
        _purple_purity(table.path, alone, found)
    for number, fields in table.rows():
        where = f"line {number}"
        name = fields[of_sample].strip("\"'") if of_sample is not None else alone
        chromosome, start, end = (fields[place] for place in places)
        try:
            stated = value(fields)
        except ValueError:
            found.tally.misunderstand(_BAD_NUMBER, examples=[where])
            continue
        found.add(name, chromosome, start, end, stated, where)
        if of_purity is not None:
            found.purity[name] = purity_of(fields[of_purity], f"{table.path}: {where}")
        if of_ploidy is not None:
            found.ploidy[name] = _number(fields[of_ploidy])
    return _called(
        table.path, _in_log2(found.segments(unit)), found, limits, build, purity, builds.lengths(table.comments)
    )


def _first(keys: tuple[str, ...], names: tuple[str, ...]) -> int | None:
    return next((keys.index(name) for name in names if name in keys), None)


def _value(keys: tuple[str, ...]) -> tuple[str, Callable[[list[str]], float | None]] | None:
    """The unit of the file's values and what reads one from a row.

    FACETS' total copies (tcn.em) come before its log ratio, and a log2 ratio before copies that were made from it
    (CNVkit's cn)."""
    if "tcnem" in keys:
        best, other = keys.index("tcnem"), keys.index("tcn") if "tcn" in keys else None

        def facets(fields: list[str]) -> float | None:
            stated = value_of(fields[best])
            return stated if stated is not None or other is None else value_of(fields[other])

        return COPIES, facets
    for unit, names in ((LOG2, _LOG2_VALUES), (COPIES, _COPY_VALUES)):
        if (place := _first(keys, names)) is not None:
            return unit, lambda fields: value_of(fields[place])
    for major, minor in _ALLELES:
        if major in keys and minor in keys:
            return COPIES, partial(_both_alleles, keys.index(major), keys.index(minor))
    if (place := _first(keys, _PLAIN_VALUES)) is not None:
        return LOG2, lambda fields: value_of(fields[place])
    return None


def _both_alleles(major: int, minor: int, fields: list[str]) -> float | None:
    values = value_of(fields[major]), value_of(fields[minor])
    return None if None in values else sum(values)


def _number(text: str) -> float:
    try:
        value = value_of(text)
    except ValueError:
        return float("nan")
    return float("nan") if value is None else value


def _in_log2(segments: Segments) -> Segments:
    """Ratios that are not logarithms (DepMap's segments: 1 where nothing is gained or lost) as logarithms; whole
    numbers with a median of two or more as copies.

    A file of log2 ratios has negative values, and its median is near 0."""
    if segments.unit != LOG2 or not len(segments.value) or segments.value.min() < 0:
        return segments
    if np.median(segments.value) < 0.5:
        return segments
    if np.median(segments.value) >= _TWO_COPIES and np.all(segments.value == np.round(segments.value)):
        return replace(segments, unit=COPIES)
    return replace(segments, value=np.log2(np.maximum(segments.value, 1e-3)))


def _sample_in(comments: tuple[str, ...]) -> str | None:
    """The sample of a read group in SAM's header lines, which GATK writes above its segments."""
    found = {match[1].strip() for text in comments if (match := re.search(r"^@RG\t.*?SM:([^\t]+)", text))}
    return found.pop() if len(found) == 1 else None


def _purple_purity(path: Path, sample: str, found: _Columns) -> None:
    """PURPLE writes purity and ploidy into a file of its own beside the segments."""
    beside = path.with_name(re.sub(r"\.cnv\.(somatic|gene)\.tsv(\.gz)?$", ".purity.tsv", path.name))
    if beside == path or not beside.is_file():
        return
    table = open_table(beside)
    for number, fields in table.rows():
        row = dict(zip(table.keys(), fields, strict=True))
        found.purity[sample] = purity_of(row.get("purity"), f"{beside}: line {number}")
        found.ploidy[sample] = _number(row.get("ploidy", ""))


def _called(
    path: Path,
    segments: Segments,
    found: _Columns,
    limits: CopyNumberLimits,
    build: str | None,
    purity: float | Mapping[str, float] | None,
    lengths: list[tuple[str, int]],
) -> AlterationFile:
    """Arms and genes of the samples that can be judged."""
    if not len(segments.sample):
        counts = found.tally.left_out + found.tally.not_understood
        why = "; ".join(f"{reason}: {n}" for reason, n in counts.items()) or "there is no row"
        raise InputError(f"{path}: no segment of an autosome can be used ({why}): check the file")
    given = np.array(purities(purity, segments.samples))
    segments = replace(segments, purity=np.where(np.isnan(given), segments.purity, given))
    level = calls.levels(segments, limits)
    chosen, noted = _build(path, segments, level, limits, build, lengths, found.ends)
    judged, withdrawn = _judged(segments, level, limits, found.tally)
    arms, looked_at = calls.arms_of_segments(segments, level, chosen, limits)
    genes, symbols = calls.genes_of_segments(segments, level, chosen, limits)
    genes[~judged] = calls.NOT_MEASURED
    alterations = Alterations(
        arms=arm_table(segments.samples, arms, looked_at & judged[:, None]),
        genes=gene_table(segments.samples, symbols, genes),
    )
    unit = "log2 ratios" if segments.unit == LOG2 else "copies"
    notes = {"layout": f"segments ({unit})", "build": noted}
    tally = found.tally
    return AlterationFile(alterations, tally.dropped("copy number", "row"), tally.account("row"), notes, withdrawn)


def _build(
    path: Path,
    segments: Segments,
    level: np.ndarray,
    limits: CopyNumberLimits,
    stated: str | None,
    lengths: list[tuple[str, int]],
    ends: dict[str, int],
) -> tuple[str, str]:
    """The build to call by, and what to note about it: the stated one, else the one that the header's lengths or the
    ends of the segments leave, else any where it makes no difference."""
    possible = genome.builds_of_lengths(lengths) or genome.builds_of_ends(ends)
    if stated:
        if stated not in possible:
            raise InputError(
                f"{path}: {_misfit(ends, (stated,))}: check the build, and that these are segments of {stated}"
            )
        return stated, stated
    if not possible:
        raise InputError(f"{path}: {_misfit(ends, genome.BUILDS)}: only segments of hg19 and hg38 can be read")
    if len(possible) == 1:
        return possible[0], possible[0]
    if _agree(*(_all_calls(segments, level, build, limits) for build in genome.BUILDS)):
        return genome.BUILDS[0], "hg19 or hg38, which give the same calls"
    raise UndecidedBuild(
        f"{path}: the segments fit both hg19 and hg38, and their calls differ: say which it is ({STATE_BUILD})"
    )


def _misfit(ends: dict[str, int], builds: tuple[str, ...]) -> str:
    """Where the segments do not fit ``builds``: the chromosome that they overrun most."""
    lengths = {
        name: max(genome.chromosome_lengths(build).get(name, end) for build in builds) for name, end in ends.items()
    }
    name = max(ends, key=lambda name: ends[name] - lengths[name])
    if ends[name] <= lengths[name]:
        return f"the chromosomes have neither the lengths nor the ends of {' or '.join(builds)}"
    return (
        f"a segment of chromosome {name} ends at {ends[name]:,}, behind the chromosome's end in {' and '.join(builds)} "
        f"({lengths[name]:,})"
    )


def _all_calls(segments: Segments, level: np.ndarray, build: str, limits: CopyNumberLimits) -> np.ndarray:
    """Arms and genes as one array (float, shape (samples, arms and genes)): NaN for no call, infinity where not looked
    at."""
    arms, looked_at = calls.arms_of_segments(segments, level, build, limits)
    genes, names = calls.genes_of_segments(segments, level, build, limits)
    in_both = np.isin(names, genome.gene_spans("hg19").genes) & np.isin(names, genome.gene_spans("hg38").genes)
    known = np.where(genes == calls.NOT_MEASURED, np.inf, genes.astype(float))
    return np.hstack([np.where(looked_at, arms, np.inf), known[:, in_both]])


def _agree(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether both builds give every arm and gene the same call; one that is unaltered or not looked at may be
    either."""
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    quiet = (np.isinf(one) | (one == 0)) & (np.isinf(other) | (other == 0))
    return bool(np.all(same | quiet))


def _judged(
    segments: Segments, level: np.ndarray, limits: CopyNumberLimits, tally: RowTally
) -> tuple[np.ndarray, dict[str, str]]:
    """Which samples count as looked at (bool, shape (samples,)), and why not the others, whose rows are left out."""
    unknown = np.isnan(segments.purity)
    impure = ~unknown & (segments.purity < limits.purity)
    flat = unknown & calls.is_flat(segments, level, limits)
    rows = np.bincount(segments.sample, minlength=len(segments.samples))
    withdrawn: dict[str, str] = {}
    for reason, mask in ((IMPURE, impure), (_FLAT, flat)):
        for place in np.flatnonzero(mask & (rows > 0)):
            name = segments.samples[place]
            tally.withdraw(reason, int(rows[place]), [name])
            withdrawn[name] = _FLAT_SAMPLE if reason == _FLAT else below(segments.purity[place], limits)
    return ~(impure | flat) & (rows > 0), withdrawn


def read_vcf(
    table: TextTable,
    limits: CopyNumberLimits,
    build: str | None,
    sample: str | None,
    purity: float | Mapping[str, float] | None,
) -> AlterationFile:
    """Read the segments of a copy-number VCF. Matched normals, by their names, are no samples."""
    samples = tumours_of(table, sample)
    found = {unit: _Columns.empty() for unit in (COPIES, LOG2)}
    stated = _header_values(table.comments)
    records = total = 0
    for number, fields in table.rows():
        total += 1
        records += _add_record(fields, samples, found, f"line {number}")
    if not records:
        raise InputError(
            f"{table.path}: none of its {total} records states copies (FORMAT CN) or a ratio (FORMAT SM, or INFO "
            "FOLD_CHANGE_LOG): give the VCF of a copy-number caller, or its segments"
        )
    # Copies need a model of the purity. Without one, callers leave CN empty.
    unit = COPIES if len(found[COPIES].rows) >= len(found[LOG2].rows) else LOG2
    columns = found[unit]
    for name in samples:
        columns.purity[name] = purity_of(stated.get("purity"), f"{table.path}: header")
        columns.ploidy[name] = _number(stated.get("ploidy", ""))
    return _called(table.path, columns.segments(unit), columns, limits, build, purity, builds.lengths(table.comments))


def _header_values(comments: tuple[str, ...]) -> dict[str, str]:
    """Purity and ploidy where a header states them (DRAGEN and Canvas: EstimatedTumorPurity, OverallPloidy)."""
    pattern = re.compile(r"##(EstimatedTumorPurity|purity|OverallPloidy|ploidy)=(\S+)", re.IGNORECASE)
    found = [match for text in comments if (match := pattern.fullmatch(text.strip()))]
    return {"purity" if "purity" in match[1].lower() else "ploidy": match[2] for match in found}


def _add_record(fields: list[str], samples: dict[str, int], found: dict[str, _Columns], where: str) -> bool:
    """Add one record for each sample and unit; whether it states a copy number at all."""
    chromosome, position, _, _, _, _, filters, info = fields[:8]
    details = dict(part.partition("=")[::2] for part in info.split(";"))
    end = details.get("END") or _end(position, details)
    keys, any_value = fields[8].split(":") if len(fields) > 8 else [], False
    for name, place in samples.items():
        values = dict(zip(keys, fields[place].split(":"), strict=False)) if place else {}
        for unit, (value, present) in _record_values(values, details).items():
            any_value |= present
            if not present:
                found[unit].tally.leave_out(_NOT_STATED, examples=[where])
            elif filters not in ("PASS", ".", ""):
                found[unit].tally.leave_out(_NOT_PASSED, examples=[f"{where}: {filters}"])
            elif end is None:
                found[unit].tally.misunderstand(_REVERSED, examples=[where])
            else:
                found[unit].add(name, chromosome, position, end, value, where)
    return any_value


def _end(position: str, details: dict[str, str]) -> str | None:
    length = details.get("SVLEN", details.get("REFLEN", "")).partition(",")[0].lstrip("-")
    return str(int(position) + int(length)) if length.isdecimal() and position.isdecimal() else None


def _record_values(values: dict[str, str], details: dict[str, str]) -> dict[str, tuple[float | None, bool]]:
    """The value in copies and as log2 ratio, each with whether the record has the field."""
    stated = values | details
    copies = _number(stated.get("CN", stated.get("TCN_EM", "")))
    ratio = _number(values.get("SM", ""))
    log2 = _number(details.get("FOLD_CHANGE_LOG", details.get("CNLR_MEDIAN", "")))
    if not np.isnan(ratio):
        log2 = float(np.log2(max(ratio, 1e-3)))
    return {
        COPIES: (None if np.isnan(copies) else copies, not stated.keys().isdisjoint(_COPY_FIELDS)),
        LOG2: (
            None if np.isnan(log2) else log2,
            not stated.keys().isdisjoint(_LOG2_FIELDS),
        ),
    }
