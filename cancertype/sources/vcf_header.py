"""The lines of a VCF above its first record: what they declare, and the limits of what is read."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
FIRST_SAMPLE = 9
"""The place of the first sample's column: the eight of ``FIXED`` and FORMAT come before it."""

MOST_SAMPLES = 20_000
MOST_ALLELES = 10_000
LONGEST_LINE = 16 << 20
_LONGEST_HEADER = 64 << 20
_LONGEST_NAME = 200

_DESCRIPTION = re.compile(r'Description="([^"]*)')
_INFO_ID = re.compile(r"##INFO=<\s*ID=([^,>]+)")

_ASSEMBLIES = {
    "GRCh38": re.compile(r"GRCh38|hg38|Homo_sapiens_assembly38|length=248956422\b", re.IGNORECASE),
    "GRCh37": re.compile(r"GRCh37|hg19|hs37d5|\bb37\b|Homo_sapiens_assembly19|length=249250621\b", re.IGNORECASE),
}


_PASSED = {"PASS", ".", "", "NA", "NONE", "NAN"}


def passes(filters: str) -> bool:
    """Whether FILTER marks nothing: it is PASS, or empty however a tool writes that."""
    return filters == "PASS" or {text.strip().upper() for text in filters.split(";")} <= _PASSED


@dataclass(frozen=True)
class Header:
    """``meta``: the lines that begin with ``##``. ``samples``: the names of the columns behind FORMAT, in order.
    ``width``: the number of columns. ``columns``: the line that names them. ``number``: its line."""

    path: Path
    meta: tuple[str, ...]
    samples: tuple[str, ...]
    width: int
    columns: str
    number: int

    def values(self, key: str) -> Iterator[str]:
        """What stands behind ``##key=``, whatever the case of the key, line by line."""
        start = f"##{key.lower()}="
        for line in self.meta:
            if line[: len(start)].lower() == start:
                yield line[len(start) :].strip()

    def structured(self, key: str) -> Iterator[dict[str, str]]:
        """The pairs of every line ``##key=<name=value,...>``, without quotation marks."""
        for value in self.values(key):
            # Commas between quotation marks separate nothing.
            parts = [part if i % 2 == 0 else part.replace(",", "\0") for i, part in enumerate(value.split('"'))]
            pairs = [pair.partition("=") for pair in "".join(parts).strip("<> ").split(",")]
            yield {name.strip(): text.strip().replace("\0", ",") for name, _, text in pairs}

    def info(self) -> dict[str, str]:
        """The INFO fields that are declared, with their descriptions ("" where there is none)."""
        found = {}
        for line in self.meta:
            if match := _INFO_ID.match(line):
                description = _DESCRIPTION.search(line)
                found[match[1].strip()] = description[1] if description else ""
        return found

    def assembly(self) -> str | None:
        """GRCh37 or GRCh38, where the lines on the reference and the contigs show which of them it is."""
        text = "\n".join(
            line for line in self.meta if line.lower().startswith(("##reference", "##contig", "##assembly"))
        )
        named = [name for name, pattern in _ASSEMBLIES.items() if pattern.search(text)]
        return named[0] if len(named) == 1 else None


def read_header(path: Path, stream: Iterable[tuple[int, str]]) -> Header:
    """Read ``stream`` (number and text of each line) up to the line that begins with #CHROM.

    Raises ``InputError`` with the line for a header that is cut short, too long, or names its columns wrongly.
    """
    meta: list[str] = []
    size = 0
    for number, line in stream:
        if line.startswith("##"):
            meta.append(line)
            size += len(line)
            if size > _LONGEST_HEADER:
                raise InputError(f"{path}: line {number}: the header has more than 64 MB: check that this is a VCF")
        elif line.startswith("#CHROM"):
            return _named_columns(path, number, line, meta)
        elif line.strip():
            raise InputError(f"{path}: line {number}: a variant before the line that begins with #CHROM: add that line")
    raise InputError(f"{path}: no line begins with #CHROM: the file is cut short, fetch it again")


def _named_columns(path: Path, number: int, line: str, meta: list[str]) -> Header:
    where = f"{path}: line {number}"
    columns = line.rstrip()
    names = columns.split("\t")
    if len(names) == 1 and tuple(columns.split()[:8]) == FIXED:
        raise InputError(f"{where}: the columns are separated by blanks: separate them by tabs, as VCF asks for")
    if tuple(names[:8]) != FIXED:
        raise InputError(f"{where}: the first columns are not {' '.join(FIXED)}, separated by tabs: correct the line")
    samples = tuple(name.strip() for name in names[FIRST_SAMPLE:])
    if len(samples) > MOST_SAMPLES:
        raise InputError(
            f"{where}: {len(samples):,} samples, and at most {MOST_SAMPLES:,} are read: split the file with "
            "bcftools +split"
        )
    if longest := next((name for name in samples if len(name) > _LONGEST_NAME), ""):
        raise InputError(f"{where}: the name of a sample has {len(longest):,} characters: shorten it")
    if "" in samples:
        raise InputError(f"{where}: a sample has no name: name it")
    if len(set(samples)) < len(samples):
        twice = Counter(samples).most_common(1)[0][0]
        raise InputError(f"{where}: sample {twice!r} is there twice: rename one")
    return Header(path, tuple(meta), samples, len(names), columns, number)
