"""Wide tables: one row per case and one column per gene, of protein changes, class words, or 0 and 1.

Also the same the other way round, with one row per gene (``transposed``).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InputError
from ..labels import mapping
from ..tables import delimited
from ..tables.columns import encoded
from ..tables.containers import tab_separated
from ..tables.delimited import TEXT, DelimitedFile
from ..tables.layout import plain
from ..variants import canonical
from ..variants.cases import CASES, Dropped, RowAccount, SourceTables
from ..variants.consequences import consequence_class
from ..variants.genes import known_genes, symbol_of
from ..variants.protein_changes import is_unstated, parse_protein_change
from ..variants.schema import NON_CODING, SILENT
from .check_boxes import tick
from .report_readings import CLASS_UNKNOWN
from .vcf_samples import NORMAL_TISSUE, named_normals

_WORDS = {
    "wild type": """
        wt wildtype wild-type wild_type 0 0.0 false no negative neg unmutated not_mutated no_mutation no_alteration
        no_alterations none_detected
    """,
    "not sequenced": """
        na n/a nan null none ns . - ? not_sequenced not_profiled not_tested not_assessed not_available
    """,
    "mutated": "1 1.0 true yes mut mutated mutant mutation multi_hit positive pos x",
    "no small mutation": """
        amp amplification amplified gain homdel deepdel deep_deletion hetloss shallow_deletion loss fusion sv
        rearrangement up down mrna_high mrna_low cna_amp cna_homdel
    """,
    "germline": "[germline] (germline) germline",
    "tag": "(driver) [driver] (putative driver) [somatic] (somatic) somatic (vus) [vus]",
}
_MEANING = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}
"""What a cell, or a word of one, means besides protein changes and classes; blanks are written ``_``."""

_BOXES = {"ticked": "mutated", "empty": "wild type"}
_SEPARATORS = str.maketrans({";": "\n", ",": "\n", "|": "\n"})
_EXAMPLES = 5

_ID_NAMES = (
    "id", "sampleid", "sample", "samplename", "tumorsamplebarcode", "barcode", "modelid", "depmapid", "caseid", "case",
    "studyidsampleid", "celllinename", "cellline", "patientid", "patient", "name", "index", "unnamed0", "",
)  # fmt: skip
_OTHER_COLUMNS = frozenset(
    """
    studyid study studyoforigin cancertype cancertypedetailed cancerstudy oncotreecode tumortype sampletype sequencingid
    profileid modelconditionid isdefaultentryformodel isdefaultentryformc entrezgeneid entrezid cytoband altered
    genepanel genepanelid mutationcount tracktype
    """.split()  # noqa: SIM905  one word per line would be a page
)
"""Columns, without capitals and punctuation, that exports put beside those of the genes."""

PANEL = "table"
MOST_MUTATIONS = 1000
"""No gene of a tumour has more, so that larger numbers are places in the genome or measurements."""
SMALLEST_EXOME = 5000
"""A table with fewer gene columns is a panel: what is outside it was not looked at."""

_ABOUT_GENES = frozenset(
    """
    chromosome chrom chr chromosomename position pos start end startposition endposition genestart geneend txstart txend
    strand arm chromosomearm band cytoband cytogeneticband location locus length genelength cdslength transcript
    transcriptid refseq ensembl ensemblid ensemblgeneid entrez entrezid entrezgeneid geneid hgnc hgncid uniprot
    uniprotid pathway pathways role roleincancer function description genename fullname name synonyms alias aliases
    genetype biotype type class category moleculartype tier oncogene tsg tumorsuppressor isoncogene istumorsuppressor
    build genomebuild pvalue qvalue fdr logfc log2foldchange score rank
    """.split()  # noqa: SIM905  one word per line would be a page
)
"""Columns, without capitals and punctuation, of tables about genes: they name no sample."""

NO_GENE_COLUMN = "its name is no gene's: not read"

MOST_SETS = 50
"""A table with more different sets of sequenced genes says by its empty cells what nobody noted, not what an assay
covers."""
NOT_SEQUENCED = "not sequenced in this case"
_GERMLINE_REASON = "marked as germline"
_OTHER_KIND = "copy number, fusion or expression: no small mutation"
_CASE_LEFT_OUT = "of a case that is left out"
_UNREADABLE = "no protein change, class word, WT, 0 or 1"


@dataclass(frozen=True)
class Cell:
    """What a cell says: its ``mutations`` as (protein change, consequence), its words that were ``unreadable``, and the
    ``reason`` why a cell without a mutation is left out ("" for wild type)."""

    mutations: tuple[tuple[str, str], ...] = ()
    unreadable: tuple[str, ...] = ()
    reason: str = ""
    class_unknown: bool = False

    @property
    def understood(self) -> bool:
        """Whether anything of the cell was."""
        return bool(self.mutations) or not self.unreadable


@cache
def read_cell(text: str) -> Cell:
    """Read one cell: wild type, not sequenced, mutated (1, MUT), class words, or protein changes.

    Changes are separated by blanks, ``;``, ``,`` or ``|``. cBioPortal's tag ``[germline]`` takes back the change before
    it."""
    text = text.strip()
    meaning = _BOXES.get(tick(text)) or _MEANING.get(text.lower().replace(" ", "_"))
    if not text or meaning == "not sequenced":
        return Cell(reason=NOT_SEQUENCED)
    if meaning == "wild type":
        return Cell()
    if meaning == "mutated" or (text.isdecimal() and text != "0") or (text.endswith(".0") and text[:-2].isdecimal()):
        return Cell(mutations=(("", "missense"),), class_unknown=True)
    return _of_items(text.translate(_SEPARATORS).split("\n"))


def _of_items(items: list[str]) -> Cell:
    mutations: list[tuple[str, str]] = []
    unreadable: list[str] = []
    reasons: list[str] = []
    vague = False
    for item in filter(None, map(str.strip, items)):
        # A class of several words, such as "Frame Shift Del", before its words one by one.
        words = [item] if consequence_class(item) else item.split()
        for word in words:
            meaning = _MEANING.get(word.lower())
            if meaning == "germline":
                mutations = mutations[:-1]
                reasons.append(_GERMLINE_REASON)
            elif meaning in ("tag", "wild type") or is_unstated(word):
                continue
            elif meaning == "no small mutation":
                reasons.append(_OTHER_KIND)
            elif (change := parse_protein_change(word)) or consequence_class(word):
                kind = change.consequence if change else consequence_class(word)
                if kind in (SILENT, NON_CODING):
                    reasons.append(kind)
                else:
                    mutations.append((word, "") if change else ("", kind))
            elif meaning == "mutated" and len(words) == 1:
                vague = True
            else:
                unreadable.append(word)
    if vague and not mutations:
        mutations = [("", "missense")]
    distinct = tuple(dict.fromkeys(mutations))
    return Cell(
        distinct, tuple(unreadable), "" if distinct or not reasons else reasons[0], vague and len(distinct) == 1
    )


def read(path: Path, *, labelled: bool = True) -> SourceTables:
    """Read a comma-, semicolon- or tab-separated table (packed with gzip or not), or the one such file of a folder.

    Cells hold ``WT``, protein changes, class words (Missense_Mutation), or 0 and 1; an empty cell, ``NA`` or ``NS``
    says that the gene was not sequenced in that case, and a case without a sequenced gene is left out. Where no cell of
    the whole table says wild type, an empty cell does. The gene columns are the panel when they are fewer than
    ``SMALLEST_EXOME`` (cases then have ``panel`` "table", whose genes ``panels`` lists), else a whole exome. Cases in
    which some of the genes were not sequenced have a panel of their own ("table 2"), as long as there are few such
    sets of genes (``MOST_SETS``). There is no DNA in such a table: substitution and context are null, the DNA event is
    "unknown", and the protein change shows the consequence. Of cases with equal mutations and different labels none can
    be believed: all are left out.
    ``labelled`` False passes over SUBCLASS, and leaves no case out because of it.

    Raises ``InputError`` with file, line and column for anything that cannot be read, and for an ID that is there
    twice.
    """
    path = Path(path)
    source = delimited.origin(path, "table") if path.is_dir() else "table"
    return read_file(DelimitedFile.open(_the_file(path) if path.is_dir() else path), source, labelled=labelled)


def read_file(file: DelimitedFile, source: str = "table", *, labelled: bool = False) -> SourceTables:
    """The same for a file that is open already."""
    columns, genes = _columns(file)
    table = _default_entries(file, columns, file.read(dict.fromkeys((*columns.values(), *genes), TEXT)))
    ids = [text.strip() for text in table[columns["ID"]].to_pylist()]
    _check_ids(file.path, ids)
    grid = _Grid(file, table, genes)
    subclasses = _subclasses(table, columns.get("SUBCLASS") if labelled else None)
    contradictory = _contradictory(subclasses, grid.mutated)
    normals = set() if labelled else named_normals(ids)
    totals = set() if labelled else _totals(ids)
    no_cases = contradictory | totals | {i for i, name in enumerate(ids) if name in normals}
    keep = {i for i in range(len(ids)) if grid.sequenced[i] and i not in no_cases}
    left_out = _left_out(source, ids, grid.sequenced, contradictory, normals, totals)
    panel_of, panels = _panels(grid, sorted(keep)) if len(genes) < SMALLEST_EXOME else ({}, {})
    variants, unclear = canonical.table(_rows(grid.mutated, ids, keep), source)
    account = grid.account(keep)
    notes = {
        "files": [file.path.name],
        "gene_columns": len(genes),
        "cells_not_sequenced": int(len(ids) * len(genes) - grid.sequenced.sum()),
    }
    cases = [_case(ids[i], subclasses[i], source, panel_of.get(i)) for i in sorted(keep)]
    cases = pa.Table.from_pylist(cases, schema=CASES)
    dropped = [*left_out, *grid.dropped(source, account), *unclear, *_columns_left_out(source, file, columns, genes)]
    return SourceTables(cases, variants, dropped, notes, panels, account)


def _panels(grid: "_Grid", kept: list[int]) -> tuple[dict[int, str], dict[str, list[str]]]:
    """The panel of each kept row, and the genes of each panel: "table" holds all columns, and each set of columns that
    was not sequenced in some rows makes another."""
    sets = dict.fromkeys(grid.gaps[row] for row in kept)
    if len(sets) > MOST_SETS:
        return dict.fromkeys(kept, PANEL), {PANEL: grid.genes_looked_at()}
    names: dict[int, str] = {0: PANEL}
    for gaps in sets:
        names.setdefault(gaps, f"{PANEL} {len(names) + 1}")
    panel_of = {row: names[grid.gaps[row]] for row in kept}
    first_row = {panel: row for row, panel in reversed(panel_of.items())}
    # "table" first, where a row has it.
    return panel_of, {name: grid.genes_looked_at(first_row[name]) for name in names.values() if name in first_row}


def unreadable_cells(file: DelimitedFile) -> Iterator[tuple[int, str, str]]:
    """Row (from 1, below the column names), gene column and word of everything in a table that was not understood."""
    _, genes = _columns(file)
    table = file.read(dict.fromkeys(genes, TEXT))
    for gene in genes:
        column = encoded(table[gene])
        cells = _cells_of(gene, column.dictionary.to_pylist())
        bad = {code: cell.unreadable for code, cell in enumerate(cells)}
        for row, code in enumerate(column.indices.to_pylist(), 1):
            for word in bad[code]:
                yield row, gene, word


def looks_like_one(file: DelimitedFile) -> bool:
    """Whether the columns of ``file`` are those of a wide table: one that names the cases, the others mostly genes."""
    return names_genes(file.names)


def names_genes(columns: Sequence[str]) -> bool:
    """The same by the names of the columns."""
    names = [name for name in columns if plain(name) not in _OTHER_COLUMNS]
    genes = [name for name in names if is_gene(name)]
    if "ID" in {name.upper() for name in names} and len(names) > 1:
        return True
    if not genes or plain(names[0]) in ("gene", "hugosymbol", "genesymbol", "symbol"):
        return False
    if any(plain(name) in _ID_NAMES and not is_gene(name) for name in names):
        return 2 * len(genes) >= len(names) - 1
    return len(genes) > 1 and len(genes) == len(names) - 1 and not is_gene(names[0]) and ":" not in names[0]


def is_gene(name: str) -> bool:
    """Whether a column's ``name`` is a known gene symbol, in its usual capitals or not, or one with a word behind it
    such as ``KRAS mutation``."""
    return _gene_of(name).upper() in known_genes()


_SHAPE_OF_A_GENE = re.compile(r"[A-Za-z][A-Z0-9.-]*(?:orf[A-Z0-9]+)?(?: \(.*\))?|[A-Z][a-z]{2,}[0-9]+[a-z]?")


def _may_be_a_gene(name: str) -> bool:
    """Whether a column is named after a gene, be it known here or not: ``Smoker`` and ``MYC_amp`` are no genes."""
    return is_gene(name) or _SHAPE_OF_A_GENE.fullmatch(name) is not None


_BEHIND_A_GENE = re.compile(
    r"(?:(?<![\s_.:-])[\s_.:-]+|(?<!\s)\s*[(\[])(?:gene[\s_.-]+)?(?:mutations?|mut|mutated|mutant|variants?|alterations?|altered|genotype"
    r"|status|(?:mutation|mut)[\s_.-]+status)[)\]]?",
    re.IGNORECASE,
)


@cache
def _gene_of(name: str) -> str:
    """The symbol of the gene that a column is about."""
    match = _BEHIND_A_GENE.search(name)
    bare = name[: match.start()] if match and match.end() == len(name) else name
    return symbol_of(bare) if symbol_of(bare).upper() in known_genes() else symbol_of(name)


def transposed(file: DelimitedFile) -> DelimitedFile | None:
    """A table of one row per gene and one column per case as ``read_file`` wants it; None where the first column does
    not hold genes."""
    first, *rest = file.names
    if is_gene(first):
        return None  # TP53,R175H,R248Q: there are no column names
    cases = [name for name in rest if name and plain(name) not in _OTHER_COLUMNS]
    if long := [name for name in cases if plain(name) in {*_ID_NAMES} - {"", "name", "index"}]:
        raise InputError(
            f"{file.path} has a row for each gene of a {long[0]}, and no known column says how the gene is mutated: "
            "name that column Protein change or Consequence (copy number goes with --copy-number)"
        )
    about = [name for name in cases if plain(name) in _ABOUT_GENES]
    if not cases:
        return None
    track = next((name for name in rest if plain(name) == _TRACK_TYPE), None)
    table = file.read({first: TEXT} if track is None else {first: TEXT, track: TEXT})
    # Of cBioPortal's OncoPrint, which has several tracks for each gene.
    of_mutations = None if track is None else pc.equal(pc.utf8_upper(table[track].cast(pa.string())), "MUTATIONS")
    genes = [value.strip() for value in _chosen(table, of_mutations)[first].to_pylist()]
    if not genes or 2 * sum(map(is_gene, genes)) < len(genes):
        return None
    cases = [name for name in cases if name not in about]
    if not cases:
        raise InputError(
            f"{file.path} is a table about genes ({', '.join(about[:_EXAMPLES])}), which names no sample and no "
            "mutation: give the mutations, one row each, with the columns sample, gene and protein change"
        )
    table = _chosen(file.read(dict.fromkeys((first, *cases), TEXT)), of_mutations)
    _check_understood(file.path, table, cases)
    rows = ([case, *table[case].to_pylist()] for case in cases)
    return DelimitedFile(file.path, tab_separated(["ID", *genes], rows))


def _check_understood(path: Path, table: pa.Table, cases: Sequence[str]) -> None:
    """Raise ``InputError`` unless some cell of a matrix says something about a gene."""
    values = {value.strip() for case in cases for value in encoded(table[case]).dictionary.to_pylist()} - {""}
    if values and not any(value in "+-" or read_cell(value).understood for value in values):
        raise InputError(
            f"{path}: no cell below {', '.join(cases[:_EXAMPLES])} is a mutation, WT, 0 or 1 (one holds "
            f"{min(values)[:40]!r}), so this is no table of mutations: give the mutations, one row each, with the "
            "columns sample, gene and protein change"
        )


_ENTREZ = re.compile(r" \(\d+\)$")
"""What DepMap writes behind a gene's symbol, be it known here or not."""


def _cells_of(column: str, values: Sequence[str], read: Callable[[str], Cell] = read_cell) -> list[Cell]:
    """The cells of a column. Numbers above 1 count a gene's mutations, but not in a column that is no known gene, which
    may be an age."""
    counts = {value for value in values if _is_number(value)}
    if not is_gene(column) and not _ENTREZ.search(column) and any(float(value) > 1 for value in counts):
        return [Cell(unreadable=(value.strip(),)) if value in counts else read(value) for value in values]
    return [read(value) for value in values]


_TRACK_TYPE = "tracktype"


def _chosen(table: pa.Table, rows: pa.ChunkedArray | None) -> pa.Table:
    return table if rows is None else table.filter(rows)


class _Grid:
    """Every cell of a table, read: ``mutated`` cells as (row, gene, cell), how many genes were ``sequenced`` in each
    row, the rows in which each gene was ``not_sequenced``, one number for each such set of genes (``gaps`` by row, 0
    where there are none), and the row and cell of all others by what became of them."""

    def __init__(self, file: DelimitedFile, table: pa.Table, genes: list[str]) -> None:
        self._rows, self._genes = table.num_rows, genes
        columns = {gene: encoded(table[gene]) for gene in genes}
        values = {value.strip() for column in columns.values() for value in column.dictionary.to_pylist()}
        counts = {v.strip() for gene in genes if is_gene(gene) for v in columns[gene].dictionary.to_pylist()}
        _check_numbers(file, values, counts)
        self._signs = (
            {"+": Cell(mutations=(("", "missense"),), class_unknown=True), "-": Cell()} if "+" in values else {}
        )
        self._empty_is_wild_type = "" in values and not any(read_cell(v) == Cell() for v in values)
        self.mutated: list[tuple[int, str, Cell]] = []
        self.sequenced = np.zeros(self._rows, np.int64)
        self.not_sequenced: dict[str, np.ndarray] = {}
        gaps, numbers = np.zeros(self._rows, np.uint64), np.random.default_rng(0)
        self.readable_genes: list[str] = []
        self._left_out: list[tuple[str, np.ndarray]] = []
        self._not_understood: list[np.ndarray] = []
        self._class_unknown = 0
        for gene, column in columns.items():
            self._take(gene, column)
            if gene in self.not_sequenced:
                gaps[self.not_sequenced[gene]] ^= numbers.integers(1, 2**63, dtype=np.uint64)
        self.gaps: list[int] = gaps.tolist()

    def genes_looked_at(self, row: int | None = None) -> list[str]:
        """The symbols of the genes that were sequenced in ``row``, or of all columns that could be read."""
        without = {gene for gene, rows in self.not_sequenced.items() if row is not None and row in rows}
        return list(dict.fromkeys(filter(None, (_gene_of(g) for g in self.readable_genes if g not in without))))

    def _take(self, gene: str, column: pa.DictionaryArray) -> None:
        cells = _cells_of(gene, column.dictionary.to_pylist(), self._cell)
        codes = column.indices.to_numpy()
        sequenced = np.array([cell.reason != NOT_SEQUENCED for cell in cells], bool)[codes]
        self.sequenced += sequenced
        if not sequenced.all():
            self.not_sequenced[gene] = np.flatnonzero(~sequenced)
        mutated = np.array([bool(cell.mutations) for cell in cells], bool)[codes]
        self.mutated += [(row, gene, cells[codes[row]]) for row in np.flatnonzero(mutated).tolist()]
        self._class_unknown += int(np.array([cell.class_unknown for cell in cells], bool)[codes].sum())
        for reason in {cell.reason for cell in cells} - {""}:
            self._left_out.append((reason, np.flatnonzero(np.array([c.reason == reason for c in cells], bool)[codes])))
        self._not_understood.append(np.flatnonzero(np.array([not cell.understood for cell in cells], bool)[codes]))
        if is_gene(gene) or any(cell.understood and cell.reason != NOT_SEQUENCED for cell in cells):
            self.readable_genes.append(gene)

    def _cell(self, value: str) -> Cell:
        if (sign := self._signs.get(value.strip())) is not None:
            return sign
        return Cell() if self._empty_is_wild_type and not value.strip() else read_cell(value)

    def account(self, kept: set[int]) -> RowAccount:
        """What became of each cell; ``kept`` are the rows that are cases."""
        is_case = np.zeros(self._rows, bool)
        is_case[list(kept)] = True
        left_out: Counter[str] = Counter()
        for reason, rows in self._left_out:
            left_out[reason] += int(is_case[rows].sum())
        left_out[_CASE_LEFT_OUT] = (self._rows - len(kept)) * len(self._genes)
        unread = sum(int(is_case[rows].sum()) for rows in self._not_understood)
        total = self._rows * len(self._genes)
        used = total - sum(left_out.values()) - unread
        return RowAccount("cell", total, used, dict(+left_out), {_UNREADABLE: unread} if unread else {})

    def dropped(self, source: str, account: RowAccount) -> list[Dropped]:
        """The same for the data report; cells that were not sequenced are in the notes."""
        counts = {**account.left_out, **account.not_understood}
        reasons = [reason for reason in sorted(counts) if reason not in (NOT_SEQUENCED, _CASE_LEFT_OUT)]
        out = [Dropped(source, "cell", reason, counts[reason]) for reason in reasons]
        return out + ([Dropped(source, "class", CLASS_UNKNOWN, self._class_unknown)] if self._class_unknown else [])


def _check_numbers(file: DelimitedFile, values: set[str], counts: set[str]) -> None:
    """Raise ``InputError`` for a matrix of copy numbers or expression, whose numbers are not ``counts`` of a gene's
    mutations."""
    odd = [value for value in values if _is_number(value) and not (float(value) >= 0 and float(value).is_integer())]
    odd += [value for value in counts if _is_number(value) and float(value) > MOST_MUTATIONS]
    if odd:
        raise InputError(
            f"{file.path} holds numbers such as {odd[0]}, so it is a matrix of copy number or expression: give one of "
            "mutations (0 and 1, class words or protein changes)"
        )


def _is_number(text: str) -> bool:
    try:
        return text.strip()[:1] in "-+.0123456789" and np.isfinite(float(text))
    except ValueError:
        return False


def _the_file(folder: Path) -> Path:
    files = delimited.table_files(folder)
    if len(files) > 1:
        raise InputError(f"{folder} holds {len(files)} tables ({', '.join(p.name for p in files[:5])}): keep one")
    return files[0]


def _columns(file: DelimitedFile) -> tuple[dict[str, str], list[str]]:
    """The columns that are ID, SUBCLASS and DEFAULT (DepMap's IsDefaultEntryForModel), as they are spelt, and those of
    the genes."""
    path, top = file.path, file.header
    special = {name.upper(): name for name in top.names if name.upper() in ("ID", "SUBCLASS")}
    if "ID" not in special:
        spelt = {plain(name): name for name in reversed(top.names) if not is_gene(name) or plain(name) == "case"}
        first = top.names[0] if not is_gene(top.names[0]) else None
        named = next((spelt[name] for name in _ID_NAMES if name in spelt), first)
        if named is None:
            what = f"no column ID (the first is {top.names[0]!r})"
            raise InputError(f"{path}: line {top.line}: {what}: name the column of the cases ID")
        special["ID"] = named
    unnamed = [i for i, name in enumerate(top.names, 1) if not name and i > 1]
    if unnamed:
        raise InputError(
            f"{path}: line {top.line}: column {unnamed[0]} has no name: name it after its gene, or remove it"
        )
    others = {name for name in top.names if plain(name) in {*_OTHER_COLUMNS, *_ID_NAMES} and not is_gene(name)}
    genes = [name for name in top.names if name not in {*special.values(), *others}]
    if any(map(is_gene, genes)):
        genes = [name for name in genes if _may_be_a_gene(name)]
    if default := next((name for name in others if plain(name) == "isdefaultentryformodel"), None):
        special["DEFAULT"] = default
    if not genes:
        raise InputError(f"{path}: line {top.line}: no gene columns after ID and SUBCLASS: add one column per gene")
    return special, genes


def _default_entries(file: DelimitedFile, columns: dict[str, str], table: pa.Table) -> pa.Table:
    """DepMap's matrices have one row per sequencing of a model, of which one is the model's default."""
    if "DEFAULT" not in columns:
        return table
    default = [text.strip().lower() in ("yes", "true", "1") for text in table[columns["DEFAULT"]].to_pylist()]
    return table.filter(pa.array(default))


def _check_ids(path: Path, ids: list[str]) -> None:
    if not ids:
        raise InputError(f"{path}: no rows below the column names: add one row per case")
    first: dict[str, int] = {}
    for row, name in enumerate(ids, 1):
        if not name:
            raise InputError(f"{path}: row {row} below the column names: column ID is empty: name the case")
        if name in first:
            rows = f"rows {first[name]} and {row} below the column names"
            raise InputError(f"{path}: {rows}: column ID holds {name!r} in both: rename or remove one")
        first[name] = row


def _subclasses(table: pa.Table, column: str | None) -> list[str]:
    return [text.strip() for text in table[column].to_pylist()] if column else [""] * table.num_rows


def _contradictory(subclasses: list[str], cells: list[tuple[int, str, "Cell"]]) -> set[int]:
    """Rows with at least one mutation that share all of them with a row of another SUBCLASS."""
    profiles: dict[int, set[tuple[str, tuple]]] = defaultdict(set)
    for row, gene, cell in cells:
        profiles[row].add((gene, cell.mutations))
    groups: dict[frozenset, list[int]] = defaultdict(list)
    for row, profile in profiles.items():
        groups[frozenset(profile)].append(row)
    return {row for rows in groups.values() if len({subclasses[r] for r in rows} - {""}) > 1 for row in rows}


def _columns_left_out(source: str, file: DelimitedFile, columns: dict[str, str], genes: Sequence[str]) -> list[Dropped]:
    known = {*columns.values(), *genes}
    names = [name for name in file.names if name not in known and plain(name) not in {*_OTHER_COLUMNS, *_ID_NAMES}]
    return [Dropped(source, "column", NO_GENE_COLUMN, len(names), tuple(names[:_EXAMPLES]))] if names else []


_NAMES_OF_TOTALS = frozenset(
    ["total", "totals", "sum", "count", "%", "percent", "percentage", "frequency", "freq", "mean", "gesamt", "summe"]
)


def _totals(ids: list[str]) -> set[int]:
    """The last rows of a table, as far as their names say that they sum up those above."""
    rows = set()
    for row in range(len(ids) - 1, 0, -1):
        if ids[row].lower().rstrip(":") not in _NAMES_OF_TOTALS:
            break
        rows.add(row)
    return rows


def _left_out(
    source: str,
    ids: list[str],
    sequenced_genes: np.ndarray,
    contradictory: set[int],
    normals: set[str],
    totals: set[int],
) -> list[Dropped]:
    reasons = {
        "no gene was sequenced: every cell is empty": np.flatnonzero(sequenced_genes == 0).tolist(),
        "the same mutations as a case of another SUBCLASS": sorted(contradictory),
        NORMAL_TISSUE: [row for row, name in enumerate(ids) if name in normals],
        "sums up the rows above, by its name": sorted(totals),
    }
    return [
        Dropped(source, "case", reason, len(rows), tuple(ids[row] for row in rows[:_EXAMPLES]))
        for reason, rows in reasons.items()
        if rows
    ]


def _rows(mutated: list[tuple[int, str, Cell]], ids: list[str], keep: set[int]) -> pa.Table:
    """One row per mutation, without a place, so that one that a cell states in two notations counts once."""
    stated = [
        (ids[row], _gene_of(gene), change, consequence)
        for row, gene, cell in mutated
        if row in keep
        for change, consequence in cell.mutations
    ]
    columns = dict(zip(("case_id", "gene", "protein_change", "consequence"), zip(*stated, strict=True), strict=False))
    names = ("case_id", "gene", "protein_change", "consequence")
    table = pa.table({name: pa.array(columns.get(name, ()), pa.string()) for name in names})
    nowhere = pa.repeat("", table.num_rows)
    return table.append_column("chromosome", nowhere).append_column("position", pa.nulls(table.num_rows, pa.int64()))


def _case(case_id: str, subclass: str, source: str, panel: str | None) -> dict[str, str | None]:
    assignment = mapping.from_subclass(subclass)
    return {
        "case_id": case_id,
        "patient_id": case_id,
        "source": source,
        "kind": "cell line" if case_id.startswith("ACH-") else "tumour",
        "label": assignment.label,
        "scope": assignment.scope,
        "origin": subclass,
        "sex": None,
        "panel": panel,
    }
