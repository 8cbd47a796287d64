"""The build of the reference genome that files of mutations state."""

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from ..alterations import genome
from ..errors import InputError
from ..tables.rows import TextTable, open_table

_COLUMNS = ("ncbibuild", "genomebuild", "referencegenome", "assembly", "build")
"""Names of the column that states the build, as ``tables.rows.key`` writes them."""
_ROWS = 1000
"""Rows of a table that are looked at: a file has one build."""
_NAMES = re.compile(r"(?<![a-z0-9])(?:(hg19|grch37|b37|hs37d5|hg37|37(?:\.\d+)?)|(hg38|grch38|b38|hs38d1|38))(?![0-9])")


def stated(paths: Iterable[Path]) -> str | None:
    """The build ("hg19" or "hg38") that the files state: a MAF in its column NCBI_Build, a VCF by the lengths of its
    contigs or the name of its reference. None where no file states one, or where they state both."""
    found = {build for path in paths if (build := _of_file(path))}
    return found.pop() if len(found) == 1 else None


def lengths(comments: Iterable[str]) -> list[tuple[str, int]]:
    """Lengths of chromosomes (bases) in SAM's or VCF's header lines."""
    pattern = re.compile(r"^@SQ\t.*?SN:([^\t]+).*?LN:(\d+)|^##contig=<ID=([^,>]+).*?length=(\d+)")
    found = [match for text in comments if (match := pattern.search(text))]
    return [(name, int(match[2] or match[4])) for match in found if (name := genome.chromosome(match[1] or match[3]))]


def _of_file(path: Path) -> str | None:
    try:
        table = open_table(path)
        return _of_header(table.comments) or _of_column(table)
    except InputError:
        return None  # a text, or a damaged file, of which its own reader says more


def _of_header(comments: tuple[str, ...]) -> str | None:
    builds = genome.builds_of_lengths(lengths(comments))
    if len(builds) == 1:
        return builds[0]
    return _one(text for text in comments if text.lower().startswith(("##reference=", "##assembly=")))


def _of_column(table: TextTable) -> str | None:
    place = next((place for place, name in enumerate(table.keys()) if name in _COLUMNS), None)
    return None if place is None else _one(fields[place] for _, fields in islice(table.rows(), _ROWS))


def _one(texts: Iterable[str]) -> str | None:
    """The one build that ``texts`` name; None for none and for both."""
    matches = [match for text in texts if (match := _NAMES.search(text.lower()))]
    found = {genome.BUILDS[0] if match[1] else genome.BUILDS[1] for match in matches}
    return found.pop() if len(found) == 1 else None
