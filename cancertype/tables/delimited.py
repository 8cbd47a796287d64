"""Streaming delimited text files of unknown origin: compressed or not, any line end, with errors that say where and
what to do."""

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
from tqdm.auto import tqdm

from ..errors import InputError

TEXT = pa.dictionary(pa.int32(), pa.string())
"""Text columns are dictionary-encoded while they are parsed: a few bytes a row instead of the text."""

MISSING = ("", ".", "-", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "unknown")
"""What stands for no value in a column of numbers."""

_BLOCK_BYTES = 1 << 20
"""Fits the processor's cache: measured, larger blocks cost up to a third more (benchmarks/featurize.py)."""
_WHOLE_BLOCK_BYTES = 64 << 20
"""For tables read whole: with a column a gene, each further block costs a dictionary for every gene."""
_LONGEST_HEADER = 64 << 20
_BOM = b"\xef\xbb\xbf"
_NOT_TEXT = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"BZh": "a bzip2 file: unpack it first, or pack it with gzip",
    b"\xfd7zXZ": "an xz file: unpack it first, or pack it with gzip",
    b"PAR1": "a Parquet file: give the delimited text",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
}


@dataclass(frozen=True)
class Header:
    """The line that names the columns: ``names``, their ``delimiter``, whether values may be ``quoted``, the ``line``
    (from 1) it stands on, and the bytes (unpacked) up to the first row."""

    names: tuple[str, ...]
    delimiter: str
    quoted: bool
    line: int
    bytes: int


def _magic(path: Path) -> bytes:
    if not path.is_file():
        raise InputError(f"{path} is not there: check the path, or fetch the source again")
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    if not start:
        raise InputError(f"{path} is empty: fetch it again")
    for magic, what in _NOT_TEXT.items():
        if start.startswith(magic):
            raise InputError(f"{path} is {what}")
    return start


def _open(path: Path) -> io.BufferedReader | gzip.GzipFile:
    """The unpacked bytes; whether it is gzip is told by its content, not by its name."""
    return gzip.open(path, "rb") if _magic(path).startswith(b"\x1f\x8b") else path.open("rb")


def header(path: Path) -> Header:
    """Read the line that names the columns, after any that begin with ``#``. Raises ``InputError`` when there is
    none."""
    try:
        with _open(path) as stream:
            line, size, text, quoted_text = 0, 0, "", b""
            while not text:
                quoted_text, end = _line(stream)
                if not end and not quoted_text:
                    raise InputError(
                        f"{path}: line {line + 1}: no line names the columns: the file is cut short, fetch it again"
                    )
                line, size = line + 1, size + len(quoted_text) + len(end)
                body = quoted_text.removeprefix(_BOM) if line == 1 else quoted_text
                text = "" if body.startswith(b"#") or not body.strip() else body.decode("utf-8")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path}: line {line + 1}: the compressed file is damaged ({error}): fetch it again"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: line {line}: the column names are not UTF-8 text: save the file as UTF-8") from error
    if text.lstrip().lower().startswith(("<!doctype", "<html", "<?xml")):
        raise InputError(
            f"{path}: line {line} holds a web page and not a table: the download was refused, fetch it by hand"
        )
    delimiter = max("\t,;", key=text.count)
    quoted = delimiter != "\t" or '"' in text
    try:
        names = next(csv.reader([text], delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE))
    except csv.Error as error:
        raise InputError(
            f"{path}: line {line}: the column names cannot be read ({error}): save the file again"
        ) from error
    return Header(tuple(name.strip() for name in names), delimiter, quoted, line, size)


def lines(path: Path, description: str | None = None) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of every line of a UTF-8 text file, packed with gzip or not, whatever ends its lines.

    Raises ``InputError`` with the line for text that is not UTF-8, a line of more than 64 MB, and a damaged or
    unfinished compressed file."""
    number = 0
    with (
        _open(path) as stream,
        tqdm(total=path.stat().st_size, unit="B", unit_scale=True, desc=description or path.name, leave=False) as bar,
    ):
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
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(
                f"{path}: line {number + 1}: the compressed file is damaged or cut short ({error}): fetch it again"
            ) from error


def _line(stream: io.BufferedReader | gzip.GzipFile) -> tuple[bytes, bytes]:
    """The next line and its end: ``\\n``, ``\\r\\n``, a lone ``\\r``, or none at the end of the file."""
    text = stream.readline(_LONGEST_HEADER)
    body = text.rstrip(b"\r\n")
    if b"\r" in body:
        body, _, _ = body.partition(b"\r")
        stream.seek(len(body) + 1 - len(text), io.SEEK_CUR)
        return body, b"\r"
    return body, text[len(body) :]


def batches(
    path: Path,
    columns: dict[str, pa.DataType],
    optional: dict[str, pa.DataType] | None = None,
    description: str | None = None,
    block_bytes: int = _BLOCK_BYTES,
) -> Iterator[pa.RecordBatch]:
    """Stream ``columns`` (and those of ``optional`` that the file has) of a delimited file, by name, in blocks of
    ``block_bytes`` (unpacked).

    Text columns come as dictionary arrays (``TEXT``), numbers as asked for with null for any of ``MISSING``. Raises
    ``InputError`` with the line and the column for a missing or doubled column, a ragged row, a value that is no
    number, text that is not UTF-8, and a damaged or unfinished compressed file.
    """
    top = header(path)
    wanted = columns | {name: kind for name, kind in (optional or {}).items() if name in top.names}
    _check_names(path, top, list(columns), list(wanted))
    with tqdm(total=path.stat().st_size, unit="B", unit_scale=True, desc=description or path.name, leave=False) as bar:
        try:
            yield from _stream(path, top, wanted, block_bytes, bar)
        except (pa.ArrowException, OSError) as error:
            raise _fault(path, top, wanted, error) from error


def read(path: Path, columns: dict[str, pa.DataType], optional: dict[str, pa.DataType] | None = None) -> pa.Table:
    """The same, whole: for files of some ten thousand rows."""
    parts = list(batches(path, columns, optional, block_bytes=_WHOLE_BLOCK_BYTES))
    if not parts:
        kinds = columns | {name: kind for name, kind in (optional or {}).items() if name in header(path).names}
        return pa.schema(list(kinds.items())).empty_table()
    return pa.Table.from_batches(parts)


def _check_names(path: Path, top: Header, required: list[str], wanted: list[str]) -> None:
    # Counted once: a user's table may have a column for each of twenty thousand genes.
    times = Counter(top.names)
    for name in wanted:
        if times[name] > 1:
            raise InputError(f"{path}: line {top.line}: column {name} is there {times[name]} times: keep one")
    missing = [name for name in required if not times[name]]
    if missing:
        found = ", ".join(top.names[:8]) + (", ..." if len(top.names) > 8 else "")
        absent = ", ".join(missing)
        raise InputError(
            f"{path}: line {top.line}: no column {absent} among {len(top.names)} ({found}): add or rename it"
        )


def _stream(
    path: Path, top: Header, wanted: dict[str, pa.DataType], block_bytes: int, bar: tqdm
) -> Iterator[pa.RecordBatch]:
    file = pa.OSFile(str(path))
    unpacked = pa.CompressedInputStream(file, "gzip") if _magic(path).startswith(b"\x1f\x8b") else file
    unpacked.read(top.bytes)
    # Names of no interest may repeat, which the parser would refuse.
    names = [name if name in wanted else f"{i}\t" for i, name in enumerate(top.names)]
    try:
        reader = arrow_csv.open_csv(
            unpacked,
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=max(block_bytes, 8 * top.bytes)),
            parse_options=arrow_csv.ParseOptions(
                delimiter=top.delimiter, quote_char='"' if top.quoted else False, newlines_in_values=top.quoted
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(wanted), column_types=wanted, null_values=list(MISSING), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        raise
    for batch in reader:
        bar.update(file.tell() - bar.n)
        yield batch


def _fault(path: Path, top: Header, wanted: dict[str, pa.DataType], error: Exception) -> InputError:
    """Find the line that the parser refused: it is fast because it does not count lines, so this reads the file once
    more."""
    places = {name: (place, wanted[name]) for place, name in enumerate(top.names) if name in wanted}
    line = top.line
    try:
        with _open(path) as stream:
            stream.read(top.bytes)
            text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline=None)
            quoting = csv.QUOTE_MINIMAL if top.quoted else csv.QUOTE_NONE
            rows = csv.reader(text, delimiter=top.delimiter, quoting=quoting)
            for row in rows:
                line = top.line + rows.line_num
                if row and (what := _row_fault(row, len(top.names), places)):
                    return InputError(f"{path}: line {line}: {what}")
    except (OSError, EOFError, zlib.error) as damage:
        return InputError(
            f"{path}: line {line + 1}: the compressed file is damaged or cut short ({damage}): fetch it again"
        )
    except csv.Error as damage:
        return InputError(f"{path}: line {line + 1}: not readable as a table ({damage}): mend or remove the line")
    return InputError(f"{path}: after line {top.line}: not readable as a table ({error}): save it again as UTF-8 text")


def _row_fault(row: list[str], n_columns: int, places: dict[str, tuple[int, pa.DataType]]) -> str | None:
    if len(row) != n_columns:
        last = row[-1][:40].encode("utf-8", "backslashreplace").decode()
        return f"{len(row)} fields where {n_columns} columns are named (the last is {last!r}): mend or remove the row"
    for name, (place, kind) in places.items():
        value = row[place]
        if not value.isascii() and any("\udc80" <= c <= "\udcff" for c in value):
            return f"column {name} is not UTF-8 text: save the file as UTF-8"
        if not pa.types.is_dictionary(kind) and value not in MISSING:
            try:
                pa.scalar(value).cast(kind)
            except pa.ArrowException:
                return f"column {name} holds {value[:40]!r} and not a number: mend it, or leave it empty"
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
