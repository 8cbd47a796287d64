"""What the page accepts: limits that are checked while a file is unpacked, before anything parses it."""

import gzip
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_FIXED_COLUMNS = 9
"""Columns of a VCF before the first sample."""
_ELSEWHERE = "use `cancertype predict` on your own machine"


@dataclass(frozen=True)
class Limits:
    """The most that one request may hold. Real files of 50 samples stay far below each of them."""

    packed: int = 20 << 20
    unpacked: int = 200 << 20
    lines: int = 1_000_000
    line: int = 4 << 20
    columns: int = 30_000
    alleles: int = 64
    samples: int = 50


def check(path: Path, limits: Limits) -> None:
    """Read through the file at ``path``, unpacking it. Raises ``InputError`` at the first limit that it exceeds."""
    if path.stat().st_size > limits.packed:
        raise InputError(f"{path} is larger than {limits.packed >> 20} MB: {_ELSEWHERE}")
    with path.open("rb") as file:
        start = file.read(4)
    if start == _ZIP:
        _check_zip(path, limits)
        return
    with _unpacked(path, start) as file:
        _check_lines(path, file, limits)


@contextmanager
def _unpacked(path: Path, start: bytes) -> Iterator[BinaryIO]:
    packed = start.startswith(_GZIP)
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            yield file
    except (OSError, EOFError, ValueError) as error:
        if isinstance(error, InputError) or not packed:
            raise
        raise InputError(f"{path} is a damaged gzip file ({error}): pack it again") from error


def _check_lines(path: Path, file: BinaryIO, limits: Limits) -> None:
    size, is_vcf = 0, False
    number = 0
    while line := file.readline(limits.line + 1):
        number += 1
        size += len(line)
        if size > limits.unpacked:
            raise InputError(
                f"{path} unpacks to more than {limits.unpacked >> 20} MB: give fewer samples, or {_ELSEWHERE}"
            )
        if len(line) > limits.line:
            raise InputError(f"{path}: line {number} has more than {limits.line >> 20} MB: {_ELSEWHERE}")
        if number > limits.lines:
            raise InputError(f"{path} has more than {limits.lines:,} lines: give fewer samples, or {_ELSEWHERE}")
        _check_columns(path, number, line, limits)
        is_vcf = is_vcf or line.startswith((b"##fileformat=VCF", b"#CHROM\t"))
        if is_vcf:
            _check_vcf_line(path, number, line, limits)


def _check_columns(path: Path, number: int, line: bytes, limits: Limits) -> None:
    columns = 1 + max(line.count(b"\t"), line.count(b","), line.count(b";"))
    if columns > limits.columns:
        raise InputError(
            f"{path}: line {number} has {columns:,} columns, and this page reads {limits.columns:,}: {_ELSEWHERE}"
        )


def _check_vcf_line(path: Path, number: int, line: bytes, limits: Limits) -> None:
    if line.startswith(b"#CHROM"):
        samples = line.count(b"\t") + 1 - _FIXED_COLUMNS
        if samples > limits.samples:
            raise InputError(f"{path}: {samples:,} samples, and this page takes {limits.samples} at once: {_ELSEWHERE}")
    elif not line.startswith(b"#"):
        fields = line.split(b"\t", 5)
        alleles = fields[4].count(b",") + 1 if len(fields) > 4 else 0
        if alleles > limits.alleles:
            raise InputError(
                f"{path}: line {number} has {alleles:,} alternative alleles, and this page reads {limits.alleles}: "
                "is it a call of one tumour?"
            )


def _check_zip(path: Path, limits: Limits) -> None:
    """A spreadsheet is a zip archive. What it says about sizes is checked here; the reading process has a limit too."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return  # the reader says what is wrong with it
    if size > limits.unpacked:
        raise InputError(f"{path} unpacks to more than {limits.unpacked >> 20} MB: {_ELSEWHERE}")
