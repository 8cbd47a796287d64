"""Tables of arm calls and matrices of genes by samples, as calls of arms and genes."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from ..alterations import calls, genome
from ..alterations.call_tables import arm_table, gene_table
from ..alterations.calls import NOT_MEASURED
from ..alterations.schema import ARMS, Alterations
from ..alterations.settings import CopyNumberLimits
from ..errors import InputError
from ..tables.accounts import RowTally
from ..tables.rows import TextTable, key
from .alteration_file import (
    IMPURE,
    SAMPLE_COLUMNS,
    AlterationFile,
    below,
    gene_of,
    one_sample,
    purities,
    value_of,
)

_GENE_COLUMNS = ("hugosymbol", "genesymbol", "gene", "genename", "hugogenesymbol", "symbol", "hgncsymbol")
_BESIDE_GENES = frozenset(
    (*_GENE_COLUMNS, "entrezgeneid", "entrezid", "entrez", "locusid", "geneid", "cytoband", "chromosome", "chr",
     "chrom", "start", "end", "strand", "band", "arm", "compositeelementref", "ensemblgeneid")
)  # fmt: skip
_BESIDE_SAMPLES = frozenset(
    (*SAMPLE_COLUMNS, "studyid", "type", "cancertype", "cohort", "aneuploidyscore", "score", "tissue", "disease",
     "sequencingid", "modelconditionid", "isdefaultentryformodel", "isdefaultentryformc", "strippedcelllinename",
     "celllinename", "lineage", "oncotreecode", "alteredgenes", "altered", "samplename", "subtype", "ploidy", "purity",
     "genomedoublings", "wgd", "")
)  # fmt: skip
_ARM_NAMES = ("arm", "chromosomearm", "chrarm", "entitystableid", "armid")
_BESIDE_ARMS = frozenset((*_ARM_NAMES, "name", "description", "chromosome", "genes", "ngenes", "qvalue", "entity"))
_ARM = re.compile(r"(?<!\d)(\d{1,2})([pq])(?![a-z0-9.])", re.IGNORECASE)
_SEX_ARM = re.compile(r"(?<![a-z0-9])(?:chr)?([XY])([pq]?)(?![a-z0-9.])", re.IGNORECASE)
_ACROCENTRIC = re.compile(r"(?:chr)?(13|14|15|21|22)", re.IGNORECASE)
_FEWEST_ARMS = 10
"""Columns named after arms from which on a table is one of arms."""

_WORDS = {
    2: "amplification amp amplified highlevelamplification highamplification highlevelgain highgain",
    1: "gain gained lowlevelgain lowgain duplication dup",
    0: "unchanged neutral diploid normal nochange none notcalled wt copyneutral",
    -1: "loss lost hetloss hemizygousdeletion hemdel hetdel shallowdeletion heterozygousdeletion hemizygousloss "
    "singlecopydeletion heterozygousloss",
    -2: "deletion del deleted homdel homozygousdeletion deepdeletion deepdel homdeletion homozygousloss",
}
_LEVELS = {word: float(level) for level, words in _WORDS.items() for word in words.split()}

_MISSING = "no value (NA)"
_UNCLEAR = "neither a number nor a word for a copy number"
_OUT_OF_RANGE = "an arm's call is none of -1, 0, 1"
_NO_ARM = "an arm that is not called (sex chromosome, or short arm of an acrocentric one)"
_NO_PLACE = "no gene whose place is known"
_REPEATED_GENE = "the gene is there twice: the first counts"
_REPEATED_SAMPLE = "the sample is there twice: the first counts"
_NOT_DEFAULT = "not the default profile of its model"
_NO_SAMPLE = "the sample has no name"
_EXTREMES_ONLY = "their assay calls amplifications and deletions only (no 1 and no -1), so it says nothing about arms"
_MANY_GENES = 200
"""Among so many genes, most are unaltered."""
_FEWEST_FOR_PLOIDY = 20
_MOST_KNOWN_TEXTS = 100_000
_ARM_PLACES = {arm: place for place, arm in enumerate(ARMS)}
_LARGEST_LOG2_PLUS_ONE = 7.0
"""DepMap writes log2(ratio + 1). A value beyond this would be a ratio above 127: then these are plain ratios."""


def level_of(text: str) -> float | None:
    """The number or word of a cell as a number, -1.5 (a partial deletion in cBioPortal) as -2; None for a missing
    value. Raises ``ValueError`` for anything else."""
    word = key(text)
    if word in _LEVELS:
        return _LEVELS[word]
    value = value_of(text)
    return {-1.5: -2.0, 1.5: 2.0}.get(value, value)


@cache
def arm_of(text: str) -> str | None:
    """The arm that a column's or row's name states (``1p``, ``chr1p``, ``13 (13q)``, ``1p_status``, 13 for 13q); an
    arm that is not one of ``ARMS`` comes back too; None for other names."""
    text = text.strip().strip("\"'")
    if match := _ARM.search(text):
        return f"{int(match[1])}{match[2].lower()}" if 1 <= int(match[1]) <= 22 else None
    if match := _SEX_ARM.search(text):
        return f"{match[1].upper()}{match[2].lower()}"
    match = _ACROCENTRIC.fullmatch(text)
    return f"{match[1]}q" if match else None


@dataclass
class _Matrix:
    """Calls or values by row, while they are read: int8 where every value is a level, else float32."""

    rows: list[np.ndarray] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def stacked(self, n_columns: int) -> np.ndarray:
        """Shape (rows, columns): int8 with ``NOT_MEASURED``, or float32 with NaN."""
        if not self.rows:
            return np.zeros((0, n_columns), np.int8)
        if all(row.dtype == np.int8 for row in self.rows):
            return np.stack(self.rows)
        return np.stack([_as_float(row) for row in self.rows])


def _as_float(row: np.ndarray) -> np.ndarray:
    if row.dtype != np.int8:
        return row
    return np.where(row == NOT_MEASURED, np.float32(np.nan), row.astype(np.float32))


class _Values(dict):
    """The number of each cell's text: NaN for a missing value, infinity for what cannot be read."""

    def __missing__(self, text: str) -> float:
        try:
            value = level_of(text)
        except ValueError:
            value = np.inf
        value = np.nan if value is None else value
        if len(self) < _MOST_KNOWN_TEXTS:
            self[text] = value
        return value


def _numbers(cells: Sequence[str], known: _Values, tally: RowTally, where: str) -> np.ndarray:
    """The values of a row's cells (int8 with ``NOT_MEASURED`` where all are levels, else float32 with NaN); counts the
    cells."""
    values = np.array([known[cell] for cell in cells], np.float32)
    unclear = np.isinf(values)
    for place in np.flatnonzero(unclear):
        tally.misunderstand(_UNCLEAR, examples=[f"{where}: {cells[place][:30]!r}"])
    missing = np.isnan(values)
    tally.leave_out(_MISSING, int(missing.sum()))
    missing |= unclear
    tally.used += int((~missing).sum())
    values[missing] = np.nan
    stated = values[~missing]
    if np.all((stated == np.round(stated)) & (np.abs(stated) <= 2)):
        return np.where(missing, NOT_MEASURED, values).astype(np.int8)
    return values


def has_arm_columns(table: TextTable) -> bool:
    """Whether the columns are arms: many of them, or all but what is said of the sample."""
    others = [name for name, short in zip(table.names, table.keys(), strict=True) if short not in _BESIDE_SAMPLES]
    arms = sum(arm_of(name) in ARMS for name in table.names)
    return arms >= _FEWEST_ARMS or (len(others) < len(table.names) and 0 < arms == len(others))


def with_first_column_named(table: TextTable) -> TextTable:
    """The table with its first column called ``arm`` or ``gene`` where its first row names one there, whatever the
    header calls it: R and pandas leave it unnamed, UCSC Xena writes ``sample``."""
    first, table = table.peeked()
    if len(first) != len(table.names):
        return table
    place = first[0].strip("\"' ")
    if arm_of(place) in ARMS:
        name = "arm"
    elif gene_of(place) in genome.gene_arms() or gene_of(place) in genome.cancer_genes():
        name = "gene"
    else:
        return table
    return replace(table, names=(name, *table.names[1:]))


def read_arm_columns(table: TextTable) -> AlterationFile:
    """Read a table with one row per sample and one column per arm; a cell is -1, 0, 1, a word, or NA: no call."""
    at = _sample_column(table)
    columns = [(place, arm_of(name)) for place, name in enumerate(table.names)]
    columns = [(place, arm) for place, arm in columns if arm is not None and place != at]
    result = _ArmCalls(table.path)
    for number, fields in table.rows():
        result.add_row(fields[at], [(arm, fields[place]) for place, arm in columns], f"line {number}")
    return result.finish("arm table")


def has_arm_rows(table: TextTable) -> bool:
    """Whether a column names arms: cBioPortal's arm-level file (ENTITY_STABLE_ID), or GISTIC's (Chromosome Arm)."""
    return not set(_ARM_NAMES).isdisjoint(table.keys())


def read_arm_rows(table: TextTable) -> AlterationFile:
    """Read a table with one row per arm and one column per sample (Gain, Loss, Unchanged, NA; or -1, 0, 1)."""
    keys = table.keys()
    named = [place for place, name in enumerate(keys) if name in (*_ARM_NAMES, "name")]
    of_sample = next((place for place, name in enumerate(keys) if name in SAMPLE_COLUMNS), None)
    result = _ArmCalls(table.path)
    if of_sample is not None:
        return _read_arm_list(table, named, of_sample, result)
    samples = [(place, name) for place, name in enumerate(table.names) if keys[place] not in _BESIDE_ARMS]
    for number, fields in table.rows():
        arm = _first_arm(keys, fields, named)
        for place, sample in samples:
            result.add(sample, arm, fields[place], f"line {number}")
    return result.finish("arm table, one row per arm")


def _read_arm_list(table: TextTable, named: list[int], of_sample: int, result: "_ArmCalls") -> AlterationFile:
    keys = table.keys()
    names = ("call", "value", "status", "cna", "state")
    value = next((place for place, name in enumerate(keys) if name in names), None)
    if value is None:
        raise InputError(f"{table.path}: line {table.line}: no column call beside sample and arm: add or rename it")
    for number, fields in table.rows():
        result.add(fields[of_sample], _first_arm(keys, fields, named), fields[value], f"line {number}")
    return result.finish("arm list")


def _first_arm(keys: tuple[str, ...], fields: list[str], named: list[int]) -> str | None:
    """The arm that a row names, also in two columns: 7 and p."""
    chromosome = next((fields[place] for place, name in enumerate(keys) if name in ("chromosome", "chr", "chrom")), "")
    cells = [chromosome + cell if (cell := fields[place]).lower() in ("p", "q") else cell for place in named]
    return next((arm for cell in cells if (arm := arm_of(cell)) is not None), None)


class _ArmCalls:
    """Arm calls cell by cell, of the file at a path."""

    def __init__(self, path: object) -> None:
        self.path = path
        self.tally, self.known = RowTally(), _Values()
        self.first_fraction = ""
        self.samples: dict[str, int] = {}
        self.cells: dict[tuple[int, int], float] = {}

    def add_row(self, sample: str, cells: Iterable[tuple[str, str]], where: str) -> None:
        """One sample's row of a wide table; a second row of the same sample is left out."""
        cells = list(cells)
        if sample.strip("\"' ") in self.samples:
            self.tally.leave_out(_REPEATED_SAMPLE, len(cells), [sample])
            return
        for arm, text in cells:
            self.add(sample, arm, text, where)

    def add(self, sample: str, arm: str | None, text: str, where: str) -> None:
        """One cell."""
        sample = sample.strip("\"' ")
        if arm is None:
            self.tally.misunderstand("no chromosome arm", examples=[where])
        elif not sample:
            self.tally.leave_out(_NO_SAMPLE, examples=[where])
        elif arm not in _ARM_PLACES:
            self.tally.leave_out(_NO_ARM, examples=[arm])
        else:
            self._add(self.samples.setdefault(sample, len(self.samples)), _ARM_PLACES[arm], text, where)

    def _add(self, row: int, column: int, text: str, where: str) -> None:
        if (row, column) in self.cells:
            self.tally.leave_out("the arm is there twice: the first counts", examples=[where])
            return
        value = self.known[text]
        if value == math.inf:
            self.tally.misunderstand(_UNCLEAR, examples=[f"{where}: {text[:30]!r}"])
        elif value not in (-1, 0, 1) and not math.isnan(value) and key(text) not in _LEVELS:
            self.tally.misunderstand(_OUT_OF_RANGE, examples=[f"{where}: {text[:30]!r}"])
            if not value.is_integer():
                self.first_fraction = self.first_fraction or f"{where}: {text[:30]}"
        else:
            self.cells[row, column] = value
            self.tally.used += 1

    def finish(self, layout: str) -> AlterationFile:
        """The canonical table of all cells. Raises ``InputError`` where they are no calls but averages over the arms,
        as in GISTIC's broad_values_by_arm.txt: whether 80% of an arm is altered cannot be told from those."""
        if self.first_fraction and not any(abs(value) == 1 for value in self.cells.values()):
            raise InputError(
                f"{self.path}: {self.first_fraction} is an average over an arm, not a call: give a table of -1, 0 "
                "and 1, or the segments"
            )
        shape = (len(self.samples), len(ARMS))
        values, looked_at = np.full(shape, np.nan), np.zeros(shape, bool)
        for place, value in self.cells.items():
            values[place], looked_at[place] = np.sign(value), True
        alterations = Alterations(arms=arm_table(tuple(self.samples), values, looked_at))
        dropped = self.tally.dropped("copy number", "cell")
        return AlterationFile(alterations, dropped, self.tally.account("cell"), {"layout": layout})


def _sample_column(table: TextTable) -> int:
    keys = table.keys()
    return next((keys.index(name) for name in SAMPLE_COLUMNS if name in keys), 0)


def has_gene_rows(table: TextTable) -> bool:
    """Whether there is one row per gene, and a column that is no gene's property."""
    keys = table.keys()
    return any(name in _GENE_COLUMNS for name in keys) and any(name not in _BESIDE_GENES for name in keys)


def read_gene_rows(
    table: TextTable, limits: CopyNumberLimits, purity: float | Mapping[str, float] | None
) -> AlterationFile:
    """Read cBioPortal's data_cna.txt, GISTIC's tables by genes, and tables like them: -2 to 2 or words, else log2
    ratios."""
    keys, tally = table.keys(), RowTally()
    at = next(keys.index(name) for name in _GENE_COLUMNS if name in keys)
    places, samples = _sample_places(table, tally)
    matrix, seen, known = _Matrix(), set(), _Values()
    for number, fields in table.rows():
        gene = gene_of(fields[at])
        cells = [fields[place] for place in places]
        if reason := _refused(gene, seen):
            tally.leave_out(reason, len(cells), [fields[at]])
            continue
        matrix.names.append(gene)
        matrix.rows.append(_numbers(cells, known, tally, f"line {number}, {fields[at]}"))
    values = matrix.stacked(len(samples)).T
    return _finish_matrix(table, samples, matrix.names, values, limits, purity, tally, "one row per gene")


def _sample_places(table: TextTable, tally: RowTally) -> tuple[list[int], list[str]]:
    keys = table.keys()
    places = [place for place, name in enumerate(keys) if name not in _BESIDE_GENES]
    samples = [table.names[place].strip("\"' ") for place in places]
    if len(set(samples)) < len(samples):
        twice = next(name for name in samples if samples.count(name) > 1)
        raise InputError(f"{table.path}: line {table.line}: sample {twice} has two columns: keep one")
    return places, samples


def _refused(gene: str, seen: set[str]) -> str | None:
    if gene not in genome.gene_arms() and gene not in genome.cancer_genes():
        return _NO_PLACE
    if gene in seen:
        return _REPEATED_GENE
    seen.add(gene)
    return None


def has_gene_columns(table: TextTable) -> bool:
    """Whether there is one row per sample and one column per gene: most columns beside the sample's are genes."""
    keys = table.keys()
    names = [name for name, short in zip(table.names, keys, strict=True) if short not in _BESIDE_SAMPLES]
    known = sum(gene_of(name) in genome.gene_arms() for name in names)
    return len(names) > 0 and known > len(names) / 2


def read_gene_columns(
    table: TextTable, limits: CopyNumberLimits, purity: float | Mapping[str, float] | None
) -> AlterationFile:
    """Read cBioPortal's web download, DepMap's OmicsCNGene, and tables like them."""
    keys, tally, seen = table.keys(), RowTally(), set()
    at = keys.index("modelid") if "modelid" in keys else _sample_column(table)
    named = [place for place, name in enumerate(keys) if name not in _BESIDE_SAMPLES and place != at]
    places, genes, refused = [], [], {}
    for place in named:
        gene = gene_of(table.names[place])
        if reason := _refused(gene, seen):
            refused[table.names[place]] = reason
        else:
            places.append(place)
            genes.append(gene)
    default = keys.index("isdefaultentryformodel") if "isdefaultentryformodel" in keys else None
    matrix, known, samples = _Matrix(), _Values(), set()
    for number, fields in table.rows():
        sample = fields[at].strip("\"' ")
        if default is not None and fields[default].lower() not in ("yes", "true", "1", "1.0"):
            tally.leave_out(_NOT_DEFAULT, len(named), [sample])
        elif not sample:
            tally.leave_out(_NO_SAMPLE, len(named), [f"line {number}"])
        elif sample in samples:
            tally.leave_out(_REPEATED_SAMPLE, len(named), [sample])
        else:
            samples.add(sample)
            for name, reason in refused.items():
                tally.leave_out(reason, 1, [name])
            matrix.names.append(sample)
            matrix.rows.append(_numbers([fields[place] for place in places], known, tally, f"line {number}, {sample}"))
    values = matrix.stacked(len(genes))
    # Only DepMap writes the Entrez number behind the gene, and its values are log2(ratio + 1).
    of_depmap = sum(bool(re.search(r" \(\d+\)$", table.names[place])) for place in places) > len(places) / 2
    if of_depmap:
        values = _from_depmap(values)
    layout = "DepMap's" if of_depmap else "one column per gene"
    return _finish_matrix(table, matrix.names, genes, values, limits, purity, tally, layout)


def _from_depmap(values: np.ndarray) -> np.ndarray:
    """log2 ratios from DepMap's log2(ratio + 1), or from plain ratios."""
    values = _as_float(values)
    if not values.size or np.all(np.isnan(values)):
        return values
    if _are_copies(values):
        return values
    ratio = values if np.nanmax(values) > _LARGEST_LOG2_PLUS_ONE else np.exp2(values) - 1
    return np.log2(np.maximum(ratio, 1e-3))


def _finish(
    table: TextTable,
    samples: list[str],
    genes: list[str],
    level: np.ndarray,
    limits: CopyNumberLimits,
    purity: float | Mapping[str, float] | None,
    tally: RowTally,
    notes: dict[str, str],
    says_arms: np.ndarray | None = None,
) -> AlterationFile:
    """Arms and genes from ``level`` (int8, shape (samples, genes)). ``says_arms`` (bool, shape (samples,)): whose genes
    say something about arms; None for all."""
    if not samples or not genes:
        what = "sample" if not samples else "gene whose place is known"
        raise InputError(f"{table.path}: no {what}: check that this is a gene matrix of copy number, and its header")
    purity_of_each = np.array(purities(purity, tuple(samples)))
    impure = purity_of_each < limits.purity
    for place in np.flatnonzero(impure):
        tally.withdraw(IMPURE, int((level[place] != NOT_MEASURED).sum()), [samples[place]])
    withdrawn = {samples[place]: below(purity_of_each[place], limits) for place in np.flatnonzero(impure)}
    level = np.where(impure[:, None], NOT_MEASURED, level).astype(np.int8)
    arms, looked_at = calls.arms_of_genes(level, [genome.gene_arms().get(gene) for gene in genes], limits)
    if says_arms is not None:
        looked_at &= says_arms[:, None]
    cancer = [place for place, gene in enumerate(genes) if gene in genome.cancer_genes()]
    alterations = Alterations(
        arms=arm_table(samples, arms, looked_at),
        genes=gene_table(samples, [genes[place] for place in cancer], level[:, cancer]),
    )
    return AlterationFile(alterations, tally.dropped("copy number", "cell"), tally.account("cell"), notes, withdrawn)


def _finish_matrix(
    table: TextTable,
    samples: list[str],
    genes: list[str],
    values: np.ndarray,
    limits: CopyNumberLimits,
    purity: float | Mapping[str, float] | None,
    tally: RowTally,
    layout: str,
) -> AlterationFile:
    """The same from levels (int8), from log2 ratios, or from copies (both float)."""
    if _are_copies(values):
        level, notes = _levels_of_copies(_as_float(values), limits), {"layout": f"gene matrix, {layout}, copies"}
        return _finish(table, samples, genes, level, limits, purity, tally, notes)
    if values.dtype != np.int8:
        level, notes = _levels_of_log2(values, limits), {"layout": f"gene matrix, {layout}, log2 ratios"}
        return _finish(table, samples, genes, level, limits, purity, tally, notes)
    notes = {"layout": f"gene matrix, {layout}, levels"}
    coarse = _calls_extremes_only(values) & (values != NOT_MEASURED).any(axis=1)
    if coarse.any():
        notes["arms"] = f"{int(coarse.sum())} of {len(samples)} samples: {_EXTREMES_ONLY}"
    return _finish(table, samples, genes, values, limits, purity, tally, notes, ~coarse)


def _are_copies(values: np.ndarray) -> bool:
    """Whether whole numbers are copies, 2 being unaltered, and not levels, of which most are 0."""
    numbers = _as_float(values)
    known = numbers[~np.isnan(numbers)]
    if not len(known) or known.min() < 0 or np.any(known != np.round(known)):
        return False
    return bool(known.max() > 2 or (values.shape[1] >= _MANY_GENES and np.median(known) == 2))


def _calls_extremes_only(level: np.ndarray) -> np.ndarray:
    """Which samples come from an assay that calls no single gains and losses (bool, shape (samples,)).

    Panels such as MSK-IMPACT report amplifications and deletions only, and their 0 means neither of these. The samples
    of one assay are known by the genes that they measure, because a file may hold several (AACR GENIE)."""
    _, assay = np.unique(np.packbits(level != NOT_MEASURED, axis=1), axis=0, return_inverse=True)
    assay = assay.ravel()
    single = np.bincount(assay, (np.abs(level) == 1).any(axis=1)) > 0
    return ~single[assay]


def _levels_of_log2(values: np.ndarray, limits: CopyNumberLimits) -> np.ndarray:
    known = ~np.isnan(values)
    medians = _by_sample(values, known, np.median)
    with np.errstate(invalid="ignore"):
        departure = np.round(values - medians[:, None], 6)
        level = (departure >= limits.gained_log2).astype(np.int8) + (departure >= limits.amplified_log2)
        level = level - (departure <= limits.lost_log2) - (departure <= limits.deleted_log2)
    return np.where(known, level, NOT_MEASURED).astype(np.int8)


def _by_sample(values: np.ndarray, known: np.ndarray, summary: Callable[[np.ndarray], float]) -> np.ndarray:
    """``summary`` of each row's known values (shape (rows,)); NaN where there is none."""
    return np.array([summary(row[mask]) if mask.any() else np.nan for row, mask in zip(values, known, strict=True)])


def is_gene_list(table: TextTable) -> bool:
    """Whether each row is one gene of one sample: PURPLE's and the GDC's gene files, or a list of events."""
    keys = table.keys()
    if not any(name in _GENE_COLUMNS for name in keys):
        return False
    if _copies_column(keys) is None and _event_column(keys) is None:
        return False
    with_place = _copies_column(keys) is not None and any(name in keys for name in ("start", "chromosome", "chr"))
    of_samples = any(name in SAMPLE_COLUMNS for name in keys)
    others = [name for name in keys if name not in _BESIDE_GENES]
    return with_place or of_samples or len(others) == 1  # a gene and what happened to it


_COPIES = ("mincopynumber", "copynumber", "copies", "cn", "totalcn", "totalcopynumber", "tcn")


def _copies_column(keys: tuple[str, ...]) -> int | None:
    if "log2" in keys:  # CNVkit's segments have a column gene, and copies made from the ratio.
        return None
    return next((keys.index(name) for name in _COPIES if name in keys), None)


def _event_column(keys: tuple[str, ...]) -> int | None:
    names = (
        "cna",
        "call",
        "alteration",
        "cnacall",
        "copynumberalteration",
        "cnvtype",
        "cnastatus",
        "value",
        "cnaevent",
        "copynumberchange",
        "copynumberstatus",
        "copynumberevent",
        "cnchange",
        "cnstatus",
        "cnv",
        "event",
        "type",
        "alterationtype",
        "varianttype",
        "gistic",
        "status",
    )
    return next((keys.index(name) for name in names if name in keys), None)


def read_gene_list(
    table: TextTable, limits: CopyNumberLimits, sample: str | None, purity: float | Mapping[str, float] | None
) -> AlterationFile:
    """Read a file with one row per gene and sample: copies (PURPLE, GDC), or events by name."""
    keys = table.keys()
    at = next(keys.index(name) for name in _GENE_COLUMNS if name in keys)
    of_sample = next((keys.index(name) for name in SAMPLE_COLUMNS if name in keys), None)
    of_value = _copies_column(keys)
    copies = of_value is not None
    of_value = of_value if copies else _event_column(keys)
    alone, tally = one_sample(table.path, sample), RowTally()
    samples: dict[str, int] = {}
    genes: dict[str, int] = {}
    cells: dict[tuple[int, int], float] = {}
    for number, fields in table.rows():
        gene, where = gene_of(fields[at]), f"line {number}"
        name = fields[of_sample].strip("\"' ") if of_sample is not None else alone
        row, column = samples.setdefault(name, len(samples)), genes.setdefault(gene, len(genes))
        try:
            value = value_of(fields[of_value]) if copies else level_of(fields[of_value])
        except ValueError:
            tally.misunderstand(_UNCLEAR, examples=[f"{where}: {fields[of_value][:30]!r}"])
            continue
        if gene not in genome.gene_arms() and gene not in genome.cancer_genes():
            tally.leave_out(_NO_PLACE, examples=[fields[at]])
        elif value is None:
            tally.leave_out(_MISSING, examples=[where])
        elif (row, column) in cells:
            tally.leave_out(_REPEATED_GENE, examples=[fields[at]])
        else:
            cells[row, column] = value
            tally.used += 1
    values = np.full((len(samples), len(genes)), np.nan)
    for place, value in cells.items():
        values[place] = value
    rest = (table, list(samples), list(genes))
    if copies:
        notes = {"layout": "one gene per row, copies"}
        return _finish(*rest, _levels_of_copies(values, limits), limits, purity, tally, notes)
    level = np.where(np.isnan(values), NOT_MEASURED, np.clip(np.round(values), -2, 2))
    # A list names what is altered. What else of an arm was looked at remains open.
    no_arms = np.zeros(len(samples), bool)
    return _finish(*rest, level, limits, purity, tally, {"layout": "list of altered genes"}, no_arms)


def _levels_of_copies(values: np.ndarray, limits: CopyNumberLimits) -> np.ndarray:
    """Levels by the mean of a sample's genes as its ploidy; sex chromosomes count neither for it nor as called. The few
    genes of a list, most of them altered, do not show the ploidy: it is 2."""
    known = ~np.isnan(values)
    ploidy = calls.rounded(_by_sample(values, known, np.mean))
    ploidy = np.where(known.sum(axis=1) < _FEWEST_FOR_PLOIDY, 2, ploidy)
    with np.errstate(invalid="ignore"):
        copies = calls.rounded(values)
        departure = copies - ploidy[:, None]
        level = (departure > 0).astype(np.int8) + (departure >= limits.amplified_copies)
        level = level - (departure < 0) - ((departure < 0) & (copies <= 0))
    return np.where(known, level, NOT_MEASURED)
