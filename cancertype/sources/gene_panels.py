"""Gene lists of panels: plain lists, tables with a gene column, BED files, and cBioPortal's gene-panel files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..tables import delimited
from ..variants.genes import current_symbol, known_genes


@dataclass(frozen=True)
class GeneList:
    """A panel as a file gives it: its ``name`` (the file's own, or the file name), its ``genes`` under their current
    symbols, in the file's order, and the names in it that are ``unknown`` as gene symbols, which are among the
    genes."""

    name: str
    genes: tuple[str, ...]
    unknown: tuple[str, ...] = ()


_FIELD = re.compile(r"([a-z_]+)\s*:\s*(.*)", re.IGNORECASE)
_GENE_COLUMNS = ("hugo_symbol", "hugosymbol", "gene_symbol", "genesymbol", "symbol", "gene", "genes", "hgnc_symbol")
_BED_HEADINGS = ("track", "browser")
_WITHIN_BED_NAMES = re.compile(r"[|;,:=/()\s]+|(?<=[A-Za-z0-9])[_.](?=[A-Za-z0-9])")
_ONE_GENE_A_LINE = "write the symbols of the panel's genes, one per line"


def read(path: Path) -> GeneList:
    """Read the genes of a panel from any of four forms of text file, packed with gzip or not.

    - cBioPortal's gene-panel file: lines ``stable_id:``, ``description:`` and ``gene_list:``; the words of the
      description are not genes.
    - BED: chromosome, start and end, and in the fourth column the gene's name, alone or among others
      (``TP53_exon4``, ``NM_000546|TP53``).
    - A table whose first line names a column Hugo_Symbol, gene_symbol, symbol or gene.
    - Gene symbols separated by blanks, commas, semicolons or lines; ``#`` begins a comment.

    Raises ``InputError`` with file and line for a file without a gene, one in which most names are not gene symbols,
    and a BED file without gene names.
    """
    path = Path(path)
    lines = [(number, text) for number, text in delimited.lines(path) if text.strip()]
    fields = _fields(lines)
    name = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    if "gene_list" in fields or "stable_id" in fields:
        return _of_cbioportal(path, fields, name)
    content = [(number, text) for number, text in lines if not text.startswith("#")]
    if bed := _bed_rows(content):
        return GeneList(name, _of_bed(path, bed))
    return _checked(path, name, _of_column(path, content) or _words(content))


def _fields(lines: Sequence[tuple[int, str]]) -> dict[str, tuple[int, str]]:
    """``key: value`` lines by their keys, each with its number."""
    found = ((number, _FIELD.fullmatch(text.strip())) for number, text in lines)
    return {match[1].lower(): (number, match[2]) for number, match in found if match}


def _of_cbioportal(path: Path, fields: dict[str, tuple[int, str]], name: str) -> GeneList:
    if "gene_list" not in fields:
        raise InputError(f"{path}: line {fields['stable_id'][0]} gives a stable_id, but no line gives a gene_list: add")
    name = fields.get("stable_id", (0, ""))[1].strip() or name
    return _checked(path, name, [fields["gene_list"]])


def _bed_rows(content: Sequence[tuple[int, str]]) -> list[tuple[int, list[str]]]:
    """The fields of each interval; empty when the file is not a BED file."""
    rows = [(number, re.split(r"\t| {1,}", text.strip())) for number, text in content]
    rows = [(number, row) for number, row in rows if row[0].lower() not in _BED_HEADINGS]
    first = rows[:20]
    is_bed = bool(first) and all(len(row) >= 3 and row[1].isdigit() and row[2].isdigit() for _, row in first)
    return rows if is_bed else []


def _of_bed(path: Path, rows: Sequence[tuple[int, list[str]]]) -> tuple[str, ...]:
    known, genes, named = known_genes(), {}, 0
    first_unnamed = 0
    for number, row in rows:
        found = _named_in(" ".join(row[3:4]), known) or _named_in(" ".join(row[4:]), known)
        genes |= dict.fromkeys(found)
        named += bool(found)
        first_unnamed = first_unnamed or (0 if found else number)
    if 2 * named < len(rows):
        example = "\t".join(rows[0][1][3:4]) or "nothing"
        raise InputError(
            f"{path}: the fourth column names a known gene in only {named} of {len(rows)} intervals "
            f"(line {first_unnamed or rows[0][0]}: {example}): put the gene's symbol there, or {_ONE_GENE_A_LINE}"
        )
    return tuple(genes)


def _named_in(text: str, known: dict[str, str]) -> list[str]:
    """The genes named in one field of a BED file."""
    if gene := known.get(text.strip().upper()):
        return [gene]
    words = [word for word in _WITHIN_BED_NAMES.split(text) if len(word) > 1 and not word.isdigit()]
    return [known[word] for word in words if word in known]


def _of_column(path: Path, content: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """The column of gene symbols of a table; empty when the first line names none."""
    if not content:
        return []
    delimiter = max("\t,;", key=content[0][1].count)
    heads = [head.strip().strip('"').lower() for head in content[0][1].split(delimiter)]
    place = next((heads.index(name) for name in _GENE_COLUMNS if name in heads), None)
    if place is None or (len(content) < 2):
        return []
    rows = [(number, text.split(delimiter)) for number, text in content[1:]]
    short = next((number for number, row in rows if len(row) <= place), None)
    if short:
        raise InputError(f"{path}: line {short}: no field in column {heads[place]}: complete or remove the line")
    return [(number, row[place].strip().strip('"')) for number, row in rows]


def _words(content: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    return [(number, text.partition("#")[0]) for number, text in content]


def _checked(path: Path, name: str, texts: Sequence[tuple[int, str]]) -> GeneList:
    """The genes of ``texts``, which must mostly be known symbols."""
    known = known_genes()
    words = [(number, word) for number, text in texts for word in re.split(r"[\s,;]+", text) if word]
    if not words:
        raise InputError(f"{path} names no gene: {_ONE_GENE_A_LINE}")
    unknown = [(number, word) for number, word in words if word.upper() not in known]
    if 2 * len(unknown) > len(words):
        number, word = unknown[0]
        raise InputError(
            f"{path}: {len(unknown)} of {len(words)} names are not known gene symbols (line {number}: {word}): "
            f"{_ONE_GENE_A_LINE}"
        )
    genes = dict.fromkeys(known.get(word.upper()) or current_symbol(word) or word for _, word in words)
    return GeneList(name, tuple(genes), tuple(dict.fromkeys(word for _, word in unknown)))
