"""A VCF whose variants VEP (INFO/CSQ) or SnpEff (INFO/ANN) annotated: one or several samples, packed or not.

The fields are those of VCF 4.3 (https://samtools.github.io/hts-specs/VCFv4.3.pdf), of VEP's VCF output and of the
"Variant annotations in VCF format" specification 1.0, which SnpEff follows.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pyarrow as pa

from ..errors import InputError
from ..tables import delimited
from ..tables.columns import compacted
from ..variants import canonical, schema
from ..variants.cases import Dropped, SourceTables, unlabelled
from ..variants.consequences import consequence_class
from .settings import ReadingLimits

_FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
_ANN = ("Allele", "Annotation", "Impact", "Gene_Name", "Gene_ID", "Feature_Type", "Feature_ID", "Biotype", "Rank")
_ANN_PROTEIN = len(_ANN) + 1
_FREQUENCIES = ("gnomAD_AF", "gnomADe_AF", "gnomADg_AF")
_FORMAT = re.compile(r"Format: ([^\">]+)")
_NORMAL = re.compile(r"(.*[-_.])?normal", re.IGNORECASE)
_PEDIGREE_NORMAL = re.compile(r"##normal_sample=(.+)")
_SEVERITY = {
    name: i for i, name in enumerate(("nonsense", "frameshift", "splice", "stop_lost", "start_lost", "inframe"))
}
_SEVERITY |= {"missense": 6, schema.SILENT: 7, schema.NON_CODING: 8}
_EXAMPLES = 5

_NOT_PASSED = "marked by FILTER"
_NOT_CALLED = "not called in any sample"
_UNANNOTATED = "no annotation of this allele"
_INHERITED = "likely inherited: known to gnomAD"
_NO_GENOTYPE = "no genotype, and more than one tumour sample that could carry it"
_SYMBOLIC = "no alleles written out (symbolic, breakend or *)"


class Transcript(NamedTuple):
    """What an annotation says of one allele in one transcript. ``rank`` orders the transcripts of a gene: VEP's own
    pick, then the canonical one, then the rest; ``frequency`` is gnomAD's (0 when not given)."""

    allele: str
    number: str
    consequence: str
    gene: str
    protein_change: str
    rank: int
    frequency: float


@dataclass
class _Seen:
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, reason: str, example: str) -> None:
        self.counts[reason] += 1
        known = self.examples.setdefault(reason, [])
        if len(known) < _EXAMPLES:
            known.append(example)


def read(path: Path, settings: ReadingLimits) -> SourceTables:
    """Read the file; a case is a sample, or the file itself where it lists sites without samples.

    A sample carries the alleles of its genotype (FORMAT/GT). Matched normals (named so, or by Mutect2's
    ``##normal_sample``) are no cases; where a caller writes no genotypes, the variant is the one tumour's. Rows whose
    FILTER is neither PASS nor empty are left out, and variants that the annotation finds in gnomAD at more than
    ``germline_max_population_frequency``. An allele counts once, in the most severe gene, by the transcript that VEP
    picked, else the canonical one, else the most severe.

    Raises ``InputError`` with file and line for anything that cannot be read.
    """
    seen = _Seen()
    stream = delimited.lines(path, f"reading {path.name}")
    top = _header(path, stream)
    columns: dict[str, list[str]] = {name: [] for name in _COLUMNS}
    for number, line in stream:
        if line.strip():
            for row in _record(path, number, line, top, settings, seen):
                for name, value in zip(_COLUMNS, row, strict=True):
                    columns[name].append(value)
    rows = pa.table({name: pa.array(values, pa.string()).dictionary_encode() for name, values in columns.items()})
    rows, repeated = canonical.without_repeats(compacted(rows), "vcf")
    table, unclear = canonical.table(rows.drop_columns(["chromosome", "position"]), "vcf")
    dropped = [
        Dropped("vcf", "variant", reason, n, tuple(seen.examples[reason])) for reason, n in sorted(seen.counts.items())
    ]
    notes = {"files": [path.name], "annotation": top.annotation, "normals": list(top.normals)}
    return SourceTables(unlabelled(sorted(top.tumours), "vcf", "tumour"), table, dropped + repeated + unclear, notes)


_COLUMNS = (
    "case_id", "gene", "protein_change", "consequence", "reference", "alternative", "chromosome", "position"
)  # fmt: skip


@dataclass(frozen=True)
class _Header:
    """``tumours`` maps a case to its column, or to None where the file lists sites only; ``transcripts`` reads one
    value of INFO's ``annotation`` (CSQ or ANN)."""

    width: int
    tumours: dict[str, int | None]
    normals: tuple[str, ...]
    annotation: str
    transcripts: Callable[[str], Transcript]


def _header(path: Path, stream: Iterator[tuple[int, str]]) -> _Header:
    meta: list[str] = []
    for number, line in stream:
        if line.startswith("##"):
            meta.append(line)
        elif line.startswith("#CHROM"):
            return _columns(path, number, line, meta)
        elif line.strip():
            raise InputError(f"{path}: line {number}: a variant before the line that begins with #CHROM: add that line")
    raise InputError(f"{path}: no line begins with #CHROM: the file is cut short, fetch it again")


def _columns(path: Path, number: int, line: str, meta: list[str]) -> _Header:
    names = line.rstrip().split("\t")
    if tuple(names[:8]) != _FIXED:
        raise InputError(
            f"{path}: line {number}: the first columns are not {' '.join(_FIXED)}, parted by tabs: mend it"
        )
    samples = [name.strip() for name in names[9:]]
    twice = [name for name, n in Counter(samples).items() if n > 1]
    if twice or "" in samples:
        what = f"sample {twice[0]!r} is there twice" if twice else "a sample has no name"
        raise InputError(f"{path}: line {number}: {what}: rename it")
    stated = {match[1].strip() for text in meta if (match := _PEDIGREE_NORMAL.fullmatch(text))}
    normals = tuple(name for name in samples if name in stated or _NORMAL.fullmatch(name))
    tumours: dict[str, int | None] = {name: 9 + i for i, name in enumerate(samples) if name not in normals}
    if samples and not tumours:
        raise InputError(
            f"{path}: line {number}: every sample is a matched normal ({', '.join(normals)}): add the tumour"
        )
    if not samples:
        tumours = {path.name.lower().removesuffix(".gz").removesuffix(".vcf") or path.name: None}
    annotation, transcripts = _annotation(path, meta)
    return _Header(len(names), tumours, normals, annotation, transcripts)


def _annotation(path: Path, meta: list[str]) -> tuple[str, Callable[[str], Transcript]]:
    for text in meta:
        if text.startswith("##INFO=<ID=CSQ,"):
            if not (match := _FORMAT.search(text)):
                raise InputError(
                    f"{path}: the line ##INFO=<ID=CSQ names no fields (Format: ...): annotate with VEP again"
                )
            return "CSQ", _vep([name.strip() for name in match[1].split("|")], path)
        if text.startswith("##INFO=<ID=ANN,"):
            return "ANN", _snpeff
    raise InputError(
        f"{path}: no annotation: neither INFO/CSQ (VEP) nor INFO/ANN (SnpEff) is declared, so genes and protein "
        "changes are not known. Annotate it with VEP (--vcf --symbol --hgvs) or SnpEff first"
    )


def _vep(names: Sequence[str], path: Path) -> Callable[[str], Transcript]:
    missing = [name for name in ("Allele", "Consequence", "SYMBOL") if name not in names]
    if missing:
        raise InputError(f"{path}: INFO/CSQ has no field {', '.join(missing)}: annotate with VEP's --symbol --hgvs")
    # Fields that the file has not are read from an empty one behind the last. By place and not by name, because a
    # genome's VCF holds some ten million transcripts.
    width = len(names)
    wanted = ("Allele", "ALLELE_NUM", "Consequence", "SYMBOL", "HGVSp", "PICK", "CANONICAL", "MANE_SELECT")
    places = [names.index(name) if name in names else width for name in (*wanted, "Amino_acids", "Protein_position")]
    frequencies = [names.index(name) for name in _FREQUENCIES if name in names]

    def transcript(text: str) -> Transcript:
        values = text.split("|")
        values += [""] * (width + 1 - len(values))
        allele, number, terms, gene, change, pick, canon, mane, residues, position = [values[at] for at in places]
        change = unquote(change) or _from_residues(terms, residues, position)
        rank = 0 if pick == "1" else 1 if canon == "YES" or mane else 2
        frequency = max((_frequency(values[at]) for at in frequencies if values[at]), default=0.0)
        return Transcript(allele, number, terms, gene, change, rank, frequency)

    return transcript


def _from_residues(terms: str, residues: str, position: str) -> str:
    """A protein change from VEP's Amino_acids and Protein_position, for files made without --hgvs; "" for indels."""
    before, _, after = residues.partition("/")
    position = position.partition("/")[0]
    if len(before) != 1 or not position.isdecimal():
        return ""
    if "frameshift" in terms:
        return f"{before}{position}fs"
    return f"{before}{position}{after}" if len(after) == 1 else ""


def _frequency(text: str) -> float:
    try:
        return max((float(part) for part in text.split("&") if part not in delimited.MISSING), default=0.0)
    except ValueError:
        return 0.0


def _snpeff(text: str) -> Transcript:
    value = text.split("|")
    value += [""] * (_ANN_PROTEIN + 1 - len(value))
    # ANN names an allele of a cancer sample against a normal's as G-C.
    allele = value[0].partition("-")[0]
    return Transcript(allele, "", value[1], value[3], unquote(value[_ANN_PROTEIN]), 2, 0.0)


def _record(
    path: Path, number: int, line: str, top: _Header, settings: ReadingLimits, seen: _Seen
) -> Iterator[tuple[str, ...]]:
    """The rows of ``_COLUMNS`` that one line of the file makes."""
    fields = line.split("\t")
    if len(fields) != top.width:
        what = f"{len(fields)} fields where {top.width} columns are named"
        raise InputError(f"{path}: line {number}: {what}: mend or remove the line")
    chromosome, position, _, reference, alternatives, _, filters, info = fields[:8]
    place = f"line {number}: {chromosome}:{position} {reference}>{alternatives}"[:80]
    alleles = [reference, *alternatives.split(",")]
    carriers = _carriers(fields, top, len(alleles))
    if reason := _refusal(filters, alternatives, carriers):
        seen.drop(reason, place)
        return
    told = [top.transcripts(text) for text in _info(info, top.annotation).split(",") if text]
    for i, allele in enumerate(alleles[1:], 1):
        best = _best([transcript for transcript in told if _is_of(transcript, i, alleles)])
        if reason := _refusal_of_allele(allele, carriers[i], best, settings):
            seen.drop(reason, place)
        else:
            for case in carriers[i]:
                yield case, best.gene, best.protein_change, best.consequence, reference, allele, chromosome, position


def _refusal(filters: str, alternatives: str, carriers: list[list[str]] | None) -> str | None:
    if filters not in ("PASS", ".", ""):
        return _NOT_PASSED
    if alternatives in (".", ""):
        return _NOT_CALLED
    return _NO_GENOTYPE if carriers is None else None


def _refusal_of_allele(
    allele: str, carriers: list[str], best: Transcript | None, settings: ReadingLimits
) -> str | None:
    if not carriers:
        return _NOT_CALLED
    if not allele.isalpha():
        return _SYMBOLIC
    if best is None:
        return _UNANNOTATED
    # Left out here and not by canonical.table, so that a whole genome's millions need no memory.
    if (name := _class_of(best.consequence)) in (schema.SILENT, schema.NON_CODING):
        return name
    return _INHERITED if best.frequency > settings.germline_max_population_frequency else None


def _info(text: str, key: str) -> str:
    return next((part[len(key) + 1 :] for part in text.split(";") if part.startswith(f"{key}=")), "")


def _carriers(fields: list[str], top: _Header, n_alleles: int) -> list[list[str]] | None:
    """The cases that carry each allele; None where that cannot be told."""
    carriers: list[list[str]] = [[] for _ in range(n_alleles)]
    keys = fields[8].split(":") if top.width > 8 else []
    if "GT" not in keys:
        if len(top.tumours) > 1:
            return None
        return [list(top.tumours) for _ in range(n_alleles)]
    at = keys.index("GT")
    for case, column in top.tumours.items():
        values = fields[column].split(":") if column is not None else []
        called = set(re.split(r"[/|]", values[at])) if at < len(values) else set()
        for i in range(1, n_alleles):
            if str(i) in called:
                carriers[i].append(case)
    return carriers


def _is_of(transcript: Transcript, number: int, alleles: list[str]) -> bool:
    """Whether the transcript speaks of the allele ``number``: by its number, its text, or the only one there is."""
    if transcript.number:
        return transcript.number == str(number)
    if len(alleles) == 2:
        return True
    return transcript.allele in (alleles[number], _trimmed(alleles)[number])


def _trimmed(alleles: list[str]) -> list[str]:
    """The alleles as VEP writes them: where lengths differ and all share the first base, without it ("-" for
    none)."""
    if len({len(allele) for allele in alleles}) == 1 or len({allele[:1] for allele in alleles}) > 1:
        return alleles
    return [allele[1:] or "-" for allele in alleles]


def _best(transcripts: list[Transcript]) -> Transcript | None:
    """The transcript that speaks for the allele: first the best of each gene, then the most severe of these."""
    genes: dict[str, Transcript] = {}
    for transcript in sorted(transcripts, key=lambda t: (t.rank, _severity(t))):
        genes.setdefault(transcript.gene, transcript)
    return min(genes.values(), key=lambda t: (_severity(t), t.rank), default=None)


def _severity(transcript: Transcript) -> int:
    return _SEVERITY.get(_class_of(transcript.consequence), len(_SEVERITY))


@cache
def _class_of(terms: str) -> str | None:
    return consequence_class(terms)
