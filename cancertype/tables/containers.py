"""Tables in other containers (.xlsx, .parquet, records of JSON) as tab-separated text that one reader serves."""

import csv
import datetime
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from ..errors import InputError

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def tab_separated(names: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Rows of values as UTF-8 text. Tabs and line ends inside a value become blanks."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
    for row in (names, *rows):
        writer.writerow([" ".join(_text(value).split("\t")).replace("\r", " ").replace("\n", " ") for value in row])
    return out.getvalue().encode()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.date):
        # Spreadsheets turn SEPT2 and MARCH1 into dates; the gene symbols' table knows 2-Sep and 1-Mar.
        return f"{value.day}-{_MONTHS[value.month - 1]}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def from_spreadsheet(path: Path) -> bytes:
    """The one sheet of an .xlsx file that holds a table, without the lines of text above it. Sheets of a single column,
    such as a README, count only where there is no other. Raises ``InputError`` for several, none, or a damaged file."""
    # Most tables are no spreadsheets, and the import takes a quarter of a second.
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        # Of an opened file the content counts and not the name, which may end in anything.
        with path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheets = {sheet.title: _filled(sheet) for sheet in book.worksheets}
    except (
        *(OSError, EOFError, KeyError, IndexError, ValueError, TypeError, AttributeError, OverflowError, SyntaxError),
        *(zipfile.BadZipFile, zlib.error, NotImplementedError, InvalidFileException),
    ) as error:
        raise InputError(
            f"{path} is a damaged spreadsheet ({_in_one_line(error)}): open it, and save it as .xlsx or CSV again"
        ) from error
    tables = {title: rows for title, rows in sheets.items() if rows}
    tables = {title: rows for title, rows in tables.items() if max(map(len, rows)) > 1} or tables
    if len(tables) != 1:
        what = f"{len(tables)} sheets with content ({', '.join(tables)})" if tables else "no sheet with content"
        raise InputError(f"{path} holds {what}: keep the one sheet of mutations")
    (rows,) = tables.values()
    width = max(map(len, rows))
    if width > 1:
        # A title above the column names, as in the tables of papers.
        rows = rows[next(i for i, row in enumerate(rows) if len(row) > 1) :]
    return tab_separated(
        [*rows[0], *[""] * (width - len(rows[0]))], ([*row, *[None] * (width - len(row))] for row in rows[1:])
    )


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _filled(sheet) -> list[list[object]]:
    """The rows of a sheet without empty ones, and without the empty cells behind the last that holds something."""
    rows = []
    for values in sheet.iter_rows(values_only=True):
        last = max((i for i, value in enumerate(values, 1) if value not in (None, "")), default=0)
        if last:
            rows.append(list(values[:last]))
    return rows


_PANDAS_INDEX = "__index_level_0__"


def from_parquet(path: Path) -> bytes:
    """A Parquet file's columns as text. Raises ``InputError`` for a damaged file or a nested column."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} is a damaged Parquet file ({_in_one_line(error)}): write it again") from error
    if _PANDAS_INDEX in table.column_names:
        # The names of the rows, which often are those of the samples.
        names = [name for name in table.column_names if name != _PANDAS_INDEX]
        table = table.select([_PANDAS_INDEX, *names]).rename_columns(["", *names])
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            text = column.cast(pa.string()).fill_null("")
        except pa.ArrowException as error:
            raise InputError(f"{path}: column {name} holds {column.type} and not text or numbers: remove it") from error
        columns.append(pc.replace_substring_regex(text, r"[\t\r\n]", " "))
    out = io.BytesIO(("\t".join(table.column_names) + "\n").encode())
    out.seek(0, io.SEEK_END)
    options = arrow_csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    try:
        arrow_csv.write_csv(pa.table(columns, names=[str(i) for i in range(len(columns))]), out, options)
    except pa.ArrowException:  # A quotation mark inside a value, which this writer refuses.
        return tab_separated(table.column_names, zip(*(column.to_pylist() for column in columns), strict=True))
    return out.getvalue()


def is_json(text: str) -> bool:
    """Whether ``text`` is JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def json_records(text: str) -> list[dict[str, object]] | None:
    """The records of a JSON list (or of the one list inside an object), nested objects flattened to ``outer.inner``;
    None for JSON of another shape or text that is no JSON."""
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list)]
        content = lists[0] if len(lists) == 1 else None
    if not isinstance(content, list) or not content or not all(isinstance(record, dict) for record in content):
        return None
    return [_flat(record) for record in content]


def _flat(record: dict, prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def from_records(records: Sequence[dict[str, object]]) -> bytes:
    """Records as a table with one column per name that any of them has."""
    names = list(dict.fromkeys(name for record in records for name in record))
    return tab_separated(names, ([record.get(name) for name in names] for record in records))
