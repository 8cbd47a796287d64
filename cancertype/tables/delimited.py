"""Streaming delimited text files of unknown origin: compressed or not, any line end, with errors that say where and
what to do."""

import csv
import gzip
import io
import json
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from tqdm.auto import tqdm

from ..errors import InputError
from . import containers, formats

TEXT = pa.dictionary(pa.int32(), pa.string())
"""Text columns are dictionary-encoded while they are parsed: a few bytes a row instead of the text."""

MISSING = ("", ".", "-", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "unknown")
"""What stands for no value in a column of numbers."""

_BLOCK_BYTES = 1 << 20
"""Fits the processor's cache: measured, larger blocks cost up to a third more (benchmarks/featurize.py)."""
_WHOLE_BLOCK_BYTES = 64 << 20
"""For tables read whole: with one column per gene, each further block costs a dictionary for every gene."""
_LONGEST_HEADER = 64 << 20
# Python's own limit of 128 kB for a field would end in its error; a line has a limit of its own here.
csv.field_size_limit(_LONGEST_HEADER)
_MOST_COMMENTS = 10_000
_MOST_UNEVEN = 50_000
_BOM = b"\xef\xbb\xbf"
_DAMAGE = (OSError, EOFError, zlib.error)


@dataclass(frozen=True)
class Header:
    """The line that names the columns: ``names``, their ``delimiter``, whether values may be ``quoted``, the ``line``
    (from 1) that it is on, the bytes (unpacked) up to the first row, and the ``comments`` above it, which begin with
    ``#``."""

    names: tuple[str, ...]
    delimiter: str
    quoted: bool
    line: int
    bytes: int
    comments: tuple[str, ...] = ()


class DelimitedFile:
    """A delimited text file, whose header is read once.

    ``path`` names it in messages. ``content`` (bytes) takes the place of what is on disk: the text of a spreadsheet or
    of another container, converted. The column names stand below ``titles`` lines of other text.
    """

    def __init__(self, path: Path, content: bytes | None = None, titles: int = 0) -> None:
        self.path = path
        self._given = content
        self._titles = titles

    @cached_property
    def _content(self) -> bytes | None:
        return formats.as_utf_8(self.path) if self._given is None else self._given

    def below(self, titles: int) -> "DelimitedFile":
        """The same file with its first lines, as many as ``titles``, taken for what stands above the column names."""
        return DelimitedFile(self.path, self._given, titles)

    @classmethod
    def open(cls, path: Path) -> "DelimitedFile":
        """A delimited file, an .xlsx sheet or a Parquet file, whichever ``path`` is.

        Raises ``InputError`` that names any binary format and says how to convert it.
        """
        kind = formats.container(path)
        if kind == formats.SPREADSHEET:
            return cls(path, containers.from_spreadsheet(path))
        return cls(path, containers.from_parquet(path) if kind == formats.PARQUET else None)

    @cached_property
    def header(self) -> Header:
        """The line that names the columns, after any that begin with ``#``. Raises ``InputError`` without one."""
        return _header(self.path, self._opened, self._titles)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.header.names

    def lines(self, description: str | None = None) -> Iterator[tuple[int, str]]:
        """Number (from 1) and text of every line, whatever ends it.

        Raises ``InputError`` with the line for text that is not UTF-8, a line of more than 64 MB, and a damaged or
        unfinished compressed file."""
        with self._opened() as stream, self._bar(description) as bar:
            yield from _lines(self.path, stream, bar)

    def batches(
        self,
        columns: dict[str, pa.DataType],
        optional: dict[str, pa.DataType] | None = None,
        description: str | None = None,
        block_bytes: int = _BLOCK_BYTES,
    ) -> Iterator[pa.RecordBatch]:
        """Stream ``columns`` (and those of ``optional`` that the file has), by name, in blocks of ``block_bytes``
        (unpacked).

        Text columns come as dictionary arrays (``TEXT``), numbers as asked for with null for any of ``MISSING``. Rows
        whose trailing empty cells were cut, or that have further empty cells, come last. Raises ``InputError`` with the
        line and the column for a missing or doubled column, any other uneven row, a value that is no number, text that
        is not UTF-8, and a damaged or unfinished compressed file.
        """
        for _, batch in self._blocks(columns, optional, description, block_bytes, numbered=False):
            yield batch

    def numbered(
        self, columns: dict[str, pa.DataType], optional: dict[str, pa.DataType] | None = None, description: str = ""
    ) -> Iterator[tuple[np.ndarray, pa.RecordBatch]]:
        """The same, each batch with the numbers of its rows in the file (from 1, below the column names)."""
        return self._blocks(columns, optional, description, _BLOCK_BYTES, numbered=True)

    def read(self, columns: dict[str, pa.DataType], optional: dict[str, pa.DataType] | None = None) -> pa.Table:
        """The same as ``batches``, whole: for files of some ten thousand rows."""
        parts = list(self.batches(columns, optional, block_bytes=_WHOLE_BLOCK_BYTES))
        if not parts:
            return pa.schema(list(self._wanted(columns, optional).items())).empty_table()
        return pa.Table.from_batches(parts)

    def line_of(self, column: str, value: str) -> int:
        """The first line on which ``column`` holds ``value``, for a message; 0 where none does."""
        at, quoting = self.names.index(column), csv.QUOTE_MINIMAL if self.header.quoted else csv.QUOTE_NONE
        with self._opened() as stream:
            stream.read(self.header.bytes)
            text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline=None)
            rows = csv.reader(text, delimiter=self.header.delimiter, quoting=quoting)
            for row in rows:
                if at < len(row) and row[at].strip() == value:
                    return self.header.line + rows.line_num
        return 0

    def _opened(self) -> io.BufferedIOBase:
        return formats.opened(self.path) if self._content is None else io.BytesIO(self._content)

    def _packed_size(self) -> int:
        return self.path.stat().st_size if self._content is None else len(self._content)

    @contextmanager
    def _bar(self, description: str | None) -> Iterator[tqdm]:
        shown = description or self.path.name
        with tqdm(total=self._packed_size(), unit="B", unit_scale=True, desc=shown, leave=False) as bar:
            yield bar

    def _wanted(
        self, columns: dict[str, pa.DataType], optional: dict[str, pa.DataType] | None
    ) -> dict[str, pa.DataType]:
        names = set(self.names)
        return columns | {name: kind for name, kind in (optional or {}).items() if name in names}

    def _blocks(
        self,
        columns: dict[str, pa.DataType],
        optional: dict[str, pa.DataType] | None,
        description: str | None,
        block_bytes: int,
        numbered: bool,
    ) -> Iterator[tuple[np.ndarray, pa.RecordBatch]]:
        wanted = self._wanted(columns, optional)
        _check_names(self.path, self.header, list(columns), list(wanted))
        uneven = _Uneven(self.header, wanted, columns)
        with self._bar(description) as bar:
            try:
                yield from self._parsed(wanted, block_bytes, bar, uneven, numbered)
            except (pa.ArrowException, OSError) as error:
                raise _fault(self.path, self._opened, self.header, wanted, columns, error) from error

    def _parsed(
        self, wanted: dict[str, pa.DataType], block_bytes: int, bar: tqdm, uneven: "_Uneven", numbered: bool
    ) -> Iterator[tuple[np.ndarray, pa.RecordBatch]]:
        if self._content is None:
            raw = pa.OSFile(str(self.path))
            packed = formats.start_of(self.path).startswith(formats.GZIP)
        else:
            raw, packed = pa.BufferReader(self._content), False
        unpacked = pa.CompressedInputStream(raw, "gzip") if packed else raw
        unpacked.read(self.header.bytes)
        start = 1
        for batch in _csv_batches(unpacked, self.header, wanted, block_bytes, uneven, threads=not numbered):
            bar.update(raw.tell() - bar.n)
            rows = uneven.numbers_between(start, batch.num_rows) if numbered else np.empty(0, np.int64)
            start = int(rows[-1]) + 1 if len(rows) else start
            yield rows, batch
            if uneven.n_waiting > _MOST_UNEVEN:
                yield uneven.batch()
        if uneven.n_waiting:
            yield uneven.batch()


class _Uneven:
    """The rows of another width than the header's that can be read all the same: trailing empty cells cut, further
    empty cells, or comments in the middle of the file (two files that were joined)."""

    def __init__(self, top: Header, wanted: dict[str, pa.DataType], required: Sequence[str]) -> None:
        self.wanted = wanted
        self._top = top
        self._places = {name: top.names.index(name) for name in wanted}
        self._last_required = max((self._places[name] for name in required), default=0)
        self._skipped: list[int] = []
        self._numbers: list[int] = []
        self._values: list[list[str]] = []

    @property
    def n_waiting(self) -> int:
        return len(self._values)

    def handle(self, row: arrow_csv.InvalidRow) -> str:
        """Keep the row and "skip" it, or "error"."""
        fields = _fields(row.text, self._top)
        if not row.text.startswith("#"):
            if not _is_padded(fields, len(self._top.names), self._last_required):
                return "error"
            self._numbers.append(row.number or 0)
            self._values.append([fields[at] if at < len(fields) else "" for at in self._places.values()])
        self._skipped.append(row.number or 0)
        return "skip"

    def numbers_between(self, start: int, n: int) -> np.ndarray:
        """The numbers of ``n`` even rows from the row ``start`` on."""
        inside = [number for number in self._skipped if number >= start]
        return np.setdiff1d(np.arange(start, start + n + len(inside)), inside)[:n]

    def batch(self) -> tuple[np.ndarray, pa.RecordBatch]:
        numbers, columns = np.array(self._numbers), list(zip(*self._values, strict=True))
        arrays = [_column(values, kind) for values, kind in zip(columns, self.wanted.values(), strict=True)]
        self._numbers, self._values = [], []
        return numbers, pa.RecordBatch.from_arrays(arrays, names=list(self.wanted))


def _fields(text: str, top: Header) -> list[str]:
    quoting = csv.QUOTE_MINIMAL if top.quoted else csv.QUOTE_NONE
    return next(csv.reader([text], delimiter=top.delimiter, quoting=quoting), [])


def _is_padded(fields: list[str], n_columns: int, last_required: int) -> bool:
    if len(fields) > n_columns:
        return not any(field.strip() for field in fields[n_columns:])
    return len(fields) > last_required


def _column(values: Sequence[str], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, pa.string()).dictionary_encode()
    if pa.types.is_string(kind):
        return pa.array(values, pa.string())
    return pa.array([None if value in MISSING else value for value in values], pa.string()).cast(kind)


def _header(path: Path, opened, titles: int = 0) -> Header:
    comments: list[str] = []
    try:
        with opened() as stream:
            line, size, text, quoted_text = 0, 0, "", b""
            while not text:
                quoted_text, end = _line(stream)
                if not end and not quoted_text:
                    raise InputError(
                        f"{path}: line {line + 1}: no line names the columns: the file is cut short, fetch it again"
                    )
                line, size = line + 1, size + len(quoted_text) + len(end)
                body = quoted_text.removeprefix(_BOM) if line == 1 else quoted_text
                if body.startswith(b"#") and len(comments) < _MOST_COMMENTS:
                    comments.append(body.decode("utf-8", "replace"))
                is_none = line <= titles or body.startswith(b"#") or not body.strip()
                text = "" if is_none else body.decode("utf-8")
    except _DAMAGE as error:
        raise InputError(
            f"{path}: line {line + 1}: the compressed file is damaged ({error}): fetch it again"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: line {line}: the column names are not UTF-8 text: save the file as UTF-8") from error
    return _of_line(path, text, line, size, tuple(comments))


def _of_line(path: Path, text: str, line: int, size: int, comments: tuple[str, ...]) -> Header:
    if text.lstrip().lower().startswith(("<!doctype", "<html", "<?xml")):
        raise InputError(
            f"{path}: line {line} holds a web page and not a table: the download was refused, fetch it by hand"
        )
    delimiter = max("\t,;|", key=lambda mark: (text.count(mark), mark != "|"))
    quoted = delimiter != "\t" or '"' in text
    try:
        names = next(csv.reader([text], delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE))
    except csv.Error as error:
        raise InputError(
            f"{path}: line {line}: the column names cannot be read ({error}): save the file again"
        ) from error
    return Header(tuple(name.strip() for name in names), delimiter, quoted, line, size, comments)


def header(path: Path) -> Header:
    """The header of the delimited file at ``path``; see ``DelimitedFile.header``."""
    return DelimitedFile(path).header


def read(path: Path, columns: dict[str, pa.DataType], optional: dict[str, pa.DataType] | None = None) -> pa.Table:
    """The columns of the delimited file at ``path``, whole; see ``DelimitedFile.read``."""
    return DelimitedFile(path).read(columns, optional)


def lines(path: Path, description: str | None = None) -> Iterator[tuple[int, str]]:
    """The lines of the text file at ``path``; see ``DelimitedFile.lines``."""
    return DelimitedFile(path).lines(description)


def _lines(path: Path, stream: io.BufferedIOBase, bar: tqdm) -> Iterator[tuple[int, str]]:
    number = 0
    raw = stream.fileobj if isinstance(stream, gzip.GzipFile) else stream
    try:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline=None)
        while line := text.readline(_LONGEST_HEADER):
            number += 1
            if len(line) == _LONGEST_HEADER:
                raise InputError(f"{path}: line {number} has more than 64 MB: this is no text of lines, check it")
            if number % 10_000 == 0:
                bar.update(raw.tell() - bar.n)
            yield number, line.rstrip("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: after line {number}: not UTF-8 text: save the file as UTF-8") from error
    except _DAMAGE as error:
        raise InputError(
            f"{path}: line {number + 1}: the compressed file is damaged or cut short ({error}): fetch it again"
        ) from error


def _line(stream: io.BufferedIOBase) -> tuple[bytes, bytes]:
    """The next line and its end: ``\\n``, ``\\r\\n``, a lone ``\\r``, or none at the end of the file."""
    text = stream.readline(_LONGEST_HEADER)
    body = text.rstrip(b"\r\n")
    if b"\r" in body:
        body, _, _ = body.partition(b"\r")
        stream.seek(len(body) + 1 - len(text), io.SEEK_CUR)
        return body, b"\r"
    return body, text[len(body) :]


def _check_names(path: Path, top: Header, required: list[str], wanted: list[str]) -> None:
    # Counted once: a user's table may have one column for each of twenty thousand genes.
    times = Counter(top.names)
    for name in wanted:
        if times[name] > 1:
            raise InputError(f"{path}: line {top.line}: column {name} is there {times[name]} times: keep one")
    missing = [name for name in required if not times[name]]
    if missing:
        present = ", ".join(top.names[:8]) + (", ..." if len(top.names) > 8 else "")
        absent = ", ".join(missing)
        raise InputError(
            f"{path}: line {top.line}: no column {absent} among {len(top.names)} ({present}): add or rename it"
        )


def _csv_batches(
    stream: pa.NativeFile, top: Header, wanted: dict[str, pa.DataType], block_bytes: int, uneven: _Uneven, threads: bool
) -> Iterator[pa.RecordBatch]:
    # Names of no interest may repeat, which the parser would refuse.
    names = [name if name in wanted else f"{i}\t" for i, name in enumerate(top.names)]
    try:
        with _quiet_about_bytes():
            reader = arrow_csv.open_csv(
                stream,
                # The parser counts rows, which their numbers need, only without threads.
                read_options=arrow_csv.ReadOptions(
                    column_names=names, block_size=max(block_bytes, 8 * top.bytes), use_threads=threads
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=top.delimiter,
                    quote_char='"' if top.quoted else False,
                    newlines_in_values=top.quoted,
                    invalid_row_handler=uneven.handle,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=list(wanted),
                    column_types=wanted,
                    null_values=list(MISSING),
                    strings_can_be_null=False,
                ),
            )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        raise
    while True:
        with _quiet_about_bytes():
            batch = next(reader, None)
        if batch is None:
            return
        yield batch


@contextmanager
def _quiet_about_bytes() -> Iterator[None]:
    """An uneven row that is not UTF-8 text never reaches the handler: pyarrow reports the failure to decode it on
    standard error and refuses the row. ``_fault`` names that row, so the report is kept back."""
    before = sys.unraisablehook
    sys.unraisablehook = lambda what: None if what.exc_type is UnicodeDecodeError else before(what)
    try:
        yield
    finally:
        sys.unraisablehook = before


def _fault(
    path: Path, opened, top: Header, wanted: dict[str, pa.DataType], required: Sequence[str], error: Exception
) -> InputError:
    """Find the line that the parser refused: it is fast because it does not count lines, so this reads the file once
    more."""
    places = {name: (place, wanted[name]) for place, name in enumerate(top.names) if name in wanted}
    last_required = max((places[name][0] for name in required), default=0)
    line = top.line
    try:
        with opened() as stream:
            stream.read(top.bytes)
            text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline=None)
            quoting = csv.QUOTE_MINIMAL if top.quoted else csv.QUOTE_NONE
            rows = csv.reader(text, delimiter=top.delimiter, quoting=quoting)
            for row in rows:
                line = top.line + rows.line_num
                if row and (what := _row_fault(row, top.names, places, last_required)):
                    return InputError(f"{path}: line {line}: {what}")
    except _DAMAGE as damage:
        return InputError(
            f"{path}: line {line + 1}: the compressed file is damaged or cut short ({damage}): fetch it again"
        )
    except csv.Error as damage:
        return InputError(f"{path}: line {line + 1}: not readable as a table ({damage}): fix or remove the line")
    return InputError(f"{path}: after line {top.line}: not readable as a table ({error}): save it again as UTF-8 text")


def _row_fault(
    row: list[str], names: Sequence[str], places: dict[str, tuple[int, pa.DataType]], last_required: int
) -> str | None:
    if row[0].startswith("#"):
        return None
    if len(row) != len(names) and not _is_padded(row, len(names), last_required):
        last = row[-1][:40].encode("utf-8", "backslashreplace").decode()
        return f"{len(row)} fields where {len(names)} columns are named (the last is {last!r}): fix or remove the row"
    for name, (place, kind) in places.items():
        value = row[place] if place < len(row) else ""
        if not value.isascii() and any("\udc80" <= c <= "\udcff" for c in value):
            return f"column {name} is not UTF-8 text: save the file as UTF-8"
        if not pa.types.is_dictionary(kind) and not pa.types.is_string(kind) and value not in MISSING:
            if value.strip() == name:
                return "the column names again, so two files were joined: give them one by one"
            try:
                pa.scalar(value).cast(kind)
            except pa.ArrowException:
                return f"column {name} holds {value[:40]!r} and not a number: fix it, or leave it empty"
    return None


def table_files(folder: Path) -> list[Path]:
    """The delimited files of ``folder``, by their names, in order. Raises ``InputError`` when there is none."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: fetch the source again")
    endings = (".csv", ".tsv", ".txt", ".maf")
    files = [path for path in sorted(folder.iterdir()) if path.name.lower().removesuffix(".gz").endswith(endings)]
    if not files:
        raise InputError(f"{folder} holds no file ending in {', '.join(endings)} (or these with .gz): put one there")
    return files


def named_file(folder: Path, name: str) -> Path:
    """``name`` or ``name.gz`` in ``folder``. Raises ``InputError`` unless exactly one is there."""
    found = [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
    if len(found) != 1:
        state = "both are there: keep one" if found else "neither is there: fetch the source again, or copy it in"
        raise InputError(f"{folder}: {name} or {name}.gz is needed, and {state}")
    return found[0]


def origin(folder: Path, default: str) -> str:
    """The source that the folder's ``source.json`` names, or ``default`` where there is none."""
    record = folder / "source.json"
    if not record.is_file():
        return default
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["source"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{record} is not the record that a fetch stage writes ({error!r}): fetch the source again"
        ) from error


def sex(text: str | None) -> str | None:
    """ "female", "male", or None for anything else."""
    return {"f": "female", "female": "female", "m": "male", "male": "male"}.get((text or "").strip().lower())
