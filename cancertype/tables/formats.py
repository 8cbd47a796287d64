"""What a file is, by its first bytes: text, text packed with gzip, a table in another container, or none of these."""

import gzip
import io
import zipfile
import zlib
from pathlib import Path

from ..errors import InputError

GZIP = b"\x1f\x8b"
_START_BYTES = 1024
_TAR_MARK = slice(257, 262)
_NOT_TEXT = {
    b"BZh": "a bzip2 file: unpack it (bunzip2) and give the text",
    b"\xfd7zXZ": "an xz file: unpack it (unxz) and give the text",
    b"\x28\xb5\x2f\xfd": "a Zstandard file: unpack it (zstd -d) and give the text",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive: unpack it and give one file of it",
    b"Rar!": "a RAR archive: unpack it and give one file of it",
    b"%PDF": "a PDF: copy the mutations out of it, as text",
    b"{\\rtf": "an RTF document: save it as plain text",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file (.xls, .doc): save it as .xlsx, or as CSV or plain text",
    b"SQLite format 3": "an SQLite database (OpenCRAVAT writes these): export its variants as a table",
    b"\x89HDF": "an HDF5 file: export the mutations as a table",
    b"RDX": "an R file (.rds or .RData): write the table with write.table(x, sep = '\\t', quote = FALSE)",
    b"X\n\x00\x00\x00": "an R file (.rds): write the table with write.table(x, sep = '\\t', quote = FALSE)",
    b"A\n": "an R file (.rds): write the table with write.table(x, sep = '\\t', quote = FALSE)",
    b"CRAM": "a CRAM file of reads: call variants and annotate them first, and give the VCF or MAF",
    b"BAM\x01": "a BAM file of reads: call variants and annotate them first, and give the VCF or MAF",
    b"BCF\x02": "a BCF file: convert it with bcftools view file.bcf > file.vcf",
    b"ARROW1": "an Arrow file: save the table as CSV or Parquet",
    b"Obj\x01": "an Avro file: save the table as CSV or Parquet",
    b"\x89PNG": "a picture: type the mutations as text",
    b"\xff\xd8\xff": "a picture: type the mutations as text",
    b"GIF8": "a picture: type the mutations as text",
}
_IN_ZIP = {
    "word/": "a Word document (.docx): copy the mutations out of it, as text",
    "ppt/": "a PowerPoint file (.pptx): copy the mutations out of it, as text",
    "content.xml": "an OpenDocument file (.ods, .odt): save it as .xlsx, CSV or plain text",
}

SPREADSHEET, PARQUET = "spreadsheet", "Parquet"


def start_of(path: Path) -> bytes:
    """The first bytes of a file as they are. Raises ``InputError`` for a file that is missing, unreadable or empty."""
    if not path.is_file():
        raise InputError(f"{path} is not there: check the path, or fetch the source again")
    try:
        with path.open("rb") as stream:
            start = stream.read(_START_BYTES)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    if not start:
        raise InputError(f"{path} is empty: fetch it again")
    return start


def container(path: Path) -> str | None:
    """``SPREADSHEET`` or ``PARQUET`` for a table in a container that can be read, None for text, packed or not.

    Raises ``InputError`` that names any other format and says how to convert it.
    """
    start = start_of(path)
    if start.startswith(b"PAR1"):
        return PARQUET
    if start.startswith(b"PK\x03\x04"):
        return _in_zip(path)
    _refuse(path, start)
    if start.startswith(GZIP):
        unpacked = _unpacked_start(path)
        if utf_16(unpacked):
            raise InputError(f"{path} is packed UTF-16 text: unpack it (gunzip), or save it as UTF-8")
        if unpacked.startswith(GZIP):
            raise InputError(f"{path} is packed with gzip twice: unpack it once (gunzip) and give the result")
        if unpacked.startswith((b"PK\x03\x04", b"PAR1")):
            raise InputError(f"{path} is a packed spreadsheet, archive or Parquet file: unpack it (gunzip) first")
        _refuse(path, unpacked)
    return None


def _refuse(path: Path, start: bytes) -> None:
    for magic, what in _NOT_TEXT.items():
        if start.startswith(magic) and (magic != b"A\n" or start[2:3].isdigit()):
            raise InputError(f"{path} is {what}")
    if start[_TAR_MARK] == b"ustar":
        raise InputError(f"{path} is a tar archive: unpack it (tar -xf) and give one file of it")


def _unpacked_start(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as stream:
            # read1 gives what the first block holds, also of a file that is cut short.
            return stream.read1(_START_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""  # The reader of the text reports the damage with its line.


def _in_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"{path} is a damaged zip archive or spreadsheet ({error}): save or fetch it again") from error
    if "xl/workbook.xml" in names:
        return SPREADSHEET
    for part, what in _IN_ZIP.items():
        if any(name.startswith(part) for name in names):
            raise InputError(f"{path} is {what}")
    raise InputError(f"{path} is a zip archive: unpack it first, and give one file of it")


_MOST_UTF_16 = 256 << 20
_LEAST_BYTES = 8


def utf_16(start: bytes) -> str | None:
    """The encoding of UTF-16 text by its first bytes, as spreadsheets and Windows save it; None for anything else.

    Without a mark at the start, every second byte of Western text is zero."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if len(start) < _LEAST_BYTES or b"\x00" not in start:
        return None
    zeros = [start[i::2].count(0) / len(start[i::2]) for i in (0, 1)]
    if min(zeros) > 0.01 or max(zeros) < 0.9:
        return None
    return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"


def as_utf_8(path: Path) -> bytes | None:
    """The text of a UTF-16 file as UTF-8; None for any other file. Raises ``InputError`` for one that is damaged or
    larger than 256 MB."""
    encoding = utf_16(start_of(path))
    if encoding is None:
        return None
    if path.stat().st_size > _MOST_UTF_16:
        raise InputError(f"{path} is UTF-16 text of more than 256 MB: save it as UTF-8")
    try:
        return path.read_bytes().decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeError as error:
        raise InputError(f"{path} is damaged UTF-16 text ({error}): save it as UTF-8") from error


def opened(path: Path) -> io.BufferedIOBase:
    """The unpacked bytes of a text file, in UTF-8. Its content and not its name shows whether it is gzip or UTF-16."""
    container(path)
    if (text := as_utf_8(path)) is not None:
        return io.BytesIO(text)
    return gzip.open(path, "rb") if start_of(path).startswith(GZIP) else path.open("rb")
