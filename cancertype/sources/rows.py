"""Files with one mutation per row: read by the roles of their columns, with an account of every row."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InputError
from ..tables.columns import compacted, encoded, equals, matching, translated, with_column
from ..tables.delimited import MISSING, TEXT, DelimitedFile
from ..tables.layout import Layout
from ..variants import canonical
from ..variants.cases import SourceTables, VariantTally, unlabelled
from ..variants.protein_changes import UNSTATED
from . import genome
from .settings import ReadingLimits

_EXAMPLES = 5

ROWS = pa.schema(
    [
        ("case_id", TEXT),
        ("gene", pa.string()),
        ("protein_change", pa.string()),
        ("consequence", TEXT),
        ("reference", TEXT),
        ("alternative", TEXT),
        ("around", pa.string()),
        ("filter", TEXT),
        ("status", TEXT),
        ("chromosome", TEXT),
        ("position", pa.int64()),
    ]
)
"""What every layout with one mutation per row is read into, "" (or null, for the position) where it says nothing."""

NAMELESS = frozenset(
    {"__unknown__", "unknown", "na", "n/a", "nan", "none", "null", ".", "-", "tumor", "tumour", "sample"}
)
"""Barcodes, in small letters, that name no sample: the rows of several patients may share them."""

_NEEDED = ("sample", "gene")
"""Roles whose column every row must reach; a row may end before the others."""

_HEADER_AGAIN = "the column names again, in the middle of the file"


class Block:
    """A batch of rows by the roles of their columns."""

    def __init__(self, batch: pa.RecordBatch, roles: dict[str, list[str]]) -> None:
        self.rows = batch.num_rows
        self._batch = batch
        self._roles = roles

    def __contains__(self, role: str) -> bool:
        return role in self._roles

    @property
    def roles(self) -> frozenset[str]:
        """What the file's columns say."""
        return frozenset(self._roles)

    def names(self, role: str) -> list[str]:
        """The columns that play ``role``, as the file spells them."""
        return self._roles.get(role, [])

    def column(self, role: str) -> pa.Array | None:
        """The preferred column of ``role``, None where the file has none."""
        return self._batch.column(self._roles[role][0]) if role in self._roles else None

    def columns(self, role: str) -> list[pa.Array]:
        """All columns of ``role``, the preferred first."""
        return [self._batch.column(name) for name in self.names(role)]

    def text(self, role: str) -> pa.DictionaryArray:
        """The same as a dictionary array, "" where the file has none."""
        column = self.column(role)
        if column is None:
            return pa.repeat("", self.rows).dictionary_encode()
        return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()

    def strings(self, role: str) -> pa.Array:
        """The same as plain text."""
        column = self.column(role)
        if column is None:
            return pa.repeat("", self.rows)
        return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column

    def first_stated(self, role: str) -> pa.Array:
        """Row by row, the first of the role's columns that states anything, as plain text."""
        values = self.strings(role)
        for name in self._roles.get(role, ())[1:]:
            empty = pc.is_in(values, value_set=pa.array(sorted(UNSTATED), pa.string()))
            if not pc.any(empty).as_py():
                break
            other = self._batch.column(name)
            values = pc.if_else(
                empty, other.dictionary_decode() if pa.types.is_dictionary(other.type) else other, values
            )
        return values

    def filtered(self, keep: np.ndarray) -> "Block":
        return self if keep.all() else Block(self._batch.filter(pa.array(keep)), self._roles)


class RowReader:
    """Reads files of one ``layout``; ``tally`` counts what becomes of their rows, ``samples`` are all they name. With
    ``genomes`` (FASTA), the bases around a variant that the files do not give come from the one that fits."""

    genomes: Sequence[Path] = ()
    layout: Layout
    source = "rows"
    kind = "tumour"

    def __init__(self, limits: ReadingLimits | None = None, layout: Layout | None = None) -> None:
        self.layout = layout or self.layout
        self.limits = limits or ReadingLimits()
        self.tally = VariantTally()
        self.samples: set[str] = set()

    def rows(self, files: Iterable[DelimitedFile]) -> pa.Table:
        """The rows of all ``files`` that may count, as a table of ``ROWS``."""
        blocks = [batch for file in files for batch in self._stream(file)]
        table = pa.Table.from_batches(blocks, schema=ROWS)
        table = with_column(table, "around", self.around(table["around"]))
        return compacted(_with_bases(table, self.genomes) if self.genomes else table)

    def _stream(self, file: DelimitedFile) -> Iterable[pa.RecordBatch]:
        roles = self.layout.present(file.names)
        roles = {role: names[:1] if self.layout.columns[role].only_one else names for role, names in roles.items()}
        kinds = {name: self.layout.columns[role].kind for role, names in roles.items() for name in names}
        needed = {names[0] for role, names in roles.items() if role in _NEEDED or self.layout.columns[role].required}
        columns = {name: kind for name, kind in kinds.items() if name in needed}
        for batch in file.batches(columns, kinds, f"reading {file.path.name}"):
            block = Block(batch, roles)
            self.tally.total += block.rows
            block = self._without_headers(file, block)
            self.samples.update(pc.unique(block.text("sample")).to_pylist() if "sample" in block else [""])
            keep = self.wanted(block)
            yield pa.RecordBatch.from_arrays(self._row_values(file, block.filtered(keep)), schema=ROWS)

    def _without_headers(self, file: DelimitedFile, block: Block) -> Block:
        """Without the column names of a second file that was appended to the first. Raises ``InputError`` where its
        columns come in another order, since its rows would then be read wrongly."""
        roles = ["sample" if "sample" in block else "gene", *(r for r in ("gene", "consequence") if r in block)]
        columns = [(block.text(roles[0]), block.names(roles[0])[0])]
        if set(file.names).isdisjoint(columns[0][0].dictionary.to_pylist()):
            return block
        columns += [(block.text(role), block.names(role)[0]) for role in roles[1:]]
        named = np.logical_and.reduce([matching(column, set(file.names).__contains__) for column, _ in columns])
        same = np.logical_and.reduce([equals(column, name) for column, name in columns])
        again = named | equals(*columns[0])
        if (again & ~same).any():
            raise InputError(
                f"{file.path}: a second header with other columns is in the middle: give the files one by one"
            )
        self.tally.leave_out(_HEADER_AGAIN, int(again.sum()))
        return block.filtered(~again)

    def wanted(self, block: Block) -> np.ndarray:
        """Mask of the rows that may count; counts the others in ``tally``."""
        keep = np.ones(block.rows, bool)
        if "consequence" in block:
            protein = block.column("protein_change")
            for reason, mask in canonical.silent_and_non_coding(self.consequence(block), protein).items():
                keep = self.refuse(keep, mask, reason)
        return keep

    def refuse(self, keep: np.ndarray, mask: np.ndarray, reason: str) -> np.ndarray:
        """``keep`` without the rows of ``mask``, which are counted under ``reason``."""
        refused = keep & mask
        self.tally.leave_out(reason, int(refused.sum()))
        return keep & ~mask

    def without(self, rows: pa.Table, mask: np.ndarray, reason: str) -> pa.Table:
        """``rows`` without those of ``mask``, which are counted under ``reason``."""
        keep = self.refuse(np.ones(rows.num_rows, bool), mask, reason)
        return rows if keep.all() else rows.filter(pa.array(keep))

    def consequence(self, block: Block) -> pa.DictionaryArray:
        """The stated consequence of each row."""
        return block.text("consequence")

    def protein_change(self, block: Block) -> pa.Array:
        """The stated protein change of each row."""
        return block.first_stated("protein_change")

    def alternative(self, block: Block) -> pa.DictionaryArray:
        """The changed allele of each row."""
        return block.text("alternative")

    def around(self, context: pa.ChunkedArray) -> pa.ChunkedArray:
        """The base and its two neighbours from the layout's context column."""
        return context

    def _row_values(self, file: DelimitedFile, block: Block) -> list[pa.Array]:
        return [
            block.text("sample"),
            block.strings("gene"),
            self.protein_change(block),
            self.consequence(block),
            block.text("reference"),
            self.alternative(block),
            block.strings("context"),
            block.text("filter"),
            block.text("status"),
            block.text("chromosome"),
            positions(file, block),
        ]


def _with_bases(rows: pa.Table, genomes: Sequence[Path]) -> pa.Table:
    """``rows`` with the bases around those that have none from a genome."""
    unknown = pc.fill_null(pc.equal(rows["around"], ""), True).combine_chunks()
    if not pc.any(unknown).as_py():
        return rows
    without = rows.filter(unknown)
    names, reference = (
        pc.fill_null(pc.cast(without[name], pa.string()), "").to_pylist() for name in ("chromosome", "reference")
    )
    found = genome.around(genomes, names, without["position"].to_numpy(), reference)
    return with_column(rows, "around", pc.replace_with_mask(rows["around"], unknown, found.bases))


def positions(file: DelimitedFile, block: Block) -> pa.Array:
    """Start positions as int64, null where none is stated. Floats such as ``140453136.0`` and ``1.4e8``, which R and
    pandas write, are read. Raises ``InputError`` with the line for any other text."""
    if "position" not in block:
        return pa.nulls(block.rows, pa.int64())
    text = block.strings("position")
    try:
        return text.cast(pa.int64())
    except pa.ArrowInvalid:
        return pa.array([_position(file, value.strip(), block) for value in text.to_pylist()], pa.int64())


def _position(file: DelimitedFile, text: str, block: Block) -> int | None:
    if text in MISSING:
        return None
    try:
        number = float(text.replace(",", ""))
        if 0 <= number < 1e12:
            return int(number)
    except ValueError:
        pass
    name = block.names("position")[0]
    what = f"column {name} holds {text[:40]!r} and not a number: fix it, or leave it empty"
    raise InputError(f"{file.path}: line {file.line_of(name, text)}: {what}")


def read_samples(file: DelimitedFile, reader: RowReader, *, more: Sequence[str] = ()) -> SourceTables:
    """Read one file alone, for prediction: a case is a sample, unlabelled. ``more`` names samples that were sequenced
    whether or not a row names them. Where the layout names no samples, the file is one case, named after it.

    Raises ``InputError`` with file, line and column for anything that cannot be read.
    """
    source, tally = reader.source, reader.tally
    rows = reader.rows([file])
    sample = translated(encoded(rows["case_id"]), str.strip)
    if "sample" not in reader.layout.present(file.names):
        sample = pa.repeat(case_name(file.path), rows.num_rows).dictionary_encode()
        reader.samples = {case_name(file.path)}
    rows = with_column(rows, "case_id", sample).drop_columns(["filter", "status"])
    named = matching(sample, bool)
    column = next(iter(reader.layout.present(file.names).get("sample", ["sample"])))
    tally.leave_out(f"no {column}", int((~named).sum()))
    table, dropped = canonical.table(rows.filter(pa.array(named)), source)
    tally.take(dropped)
    tally.used = table.num_rows
    names = sorted({name.strip() for name in (*reader.samples, *more)} - {""})
    remarks = [each for each in dropped if each.what not in ("variant", "row")]
    return SourceTables(
        unlabelled(names, source, reader.kind),
        table,
        tally.dropped(source, "variant") + remarks,
        {"files": [file.path.name]},
        account=tally.account("row"),
    )


def case_name(path: Path) -> str:
    """The name of a file without the endings that say its format."""
    name = path.name
    while (ending := Path(name).suffix.lower()) in _ENDINGS and name.lower() != ending:
        name = name[: -len(ending)]
    return name or path.name


_ENDINGS = (".gz", ".bgz", ".txt", ".tsv", ".csv", ".maf", ".json", ".xlsx", ".parquet", ".vcf")
