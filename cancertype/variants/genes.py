"""Gene symbols: the current one for each old one, and every symbol that the project knows."""

import re
from functools import cache

from ..package_data import rows
from .protein_changes import UNSTATED

_SEVERAL = re.compile(r"[;,|/]")
_BEHIND = re.compile(r"(?<!\s)\s*\(.*\)$|_ENS[TG][0-9.]+$")
"""What exports write behind a symbol: DepMap's Entrez id, ``TP53 (7157)``, and COSMIC's transcript. Only the first of
several blanks begins a match, so that a line of thousands of them is read in linear time."""
_ENSEMBL_ID = re.compile(r"ENS[A-Z]*G[0-9]{6,}(\.[0-9]+)?", re.IGNORECASE)

_ENTREZ_ID = re.compile(r"[1-9][0-9]*(\.0)?")
_DATE = re.compile(r"[12][0-9]{3}-([01][0-9])-([0-3][0-9])(?:[ T]00:00:00)?")
"""SEPT9, turned into a date by a spreadsheet and written by a program."""
_MONTHS = {"03": "Mar", "09": "Sep", "12": "Dec"}

_MOUSE = {"Trp53": "TP53", "Trp63": "TP63", "Trp73": "TP73", "Trp53bp1": "TP53BP1", "Hras1": "HRAS", "Kras2": "KRAS"}
"""Mouse symbols (MGI) of cancer genes that are not the human symbol in other capitals."""


@cache
def _renamed_genes() -> dict[str, str]:
    return {row["old"]: row["current"] for row in rows("variants", "gene_symbols.csv")}


def current_symbol(gene: str) -> str:
    """The gene's current HGNC symbol (``gene_symbols.csv``), spreadsheet dates corrected; "" when there is none."""
    gene = gene.strip()
    if match := _DATE.fullmatch(gene):
        gene = f"{int(match[2])}-{_MONTHS.get(match[1], '')}"
    return "" if gene in UNSTATED or gene == "Unknown" else _renamed_genes().get(gene, gene)


@cache
def known_genes() -> dict[str, str]:
    """Every gene symbol that the project knows, in capitals, to its current form.

    The genes of ``genes.csv``, and the old and current symbols of ``gene_symbols.csv``."""
    symbols = [row["gene"] for row in rows("variants", "genes.csv")]
    for row in rows("variants", "gene_symbols.csv"):
        symbols += [row["old"], row["current"]]
    return {symbol.upper(): current_symbol(symbol) for symbol in symbols}


@cache
def _usual_forms() -> frozenset[str]:
    return frozenset(known_genes().values())


def symbol_of(stated: str) -> str:
    """The current symbol of what a cell of a table holds; "" where it holds none, the cell's text where none is known.

    Besides ``current_symbol``, it reads a symbol in other capitals (``braf``), a mouse's (``Trp53``), what exports
    write behind a symbol (``TP53 (7157)``), and the first known of several genes (``TP53;WRAP53``).
    """
    symbol = current_symbol(stated)
    if not symbol or symbol in _usual_forms():
        return symbol
    bare = current_symbol(_BEHIND.sub("", symbol))
    if bare in _usual_forms():
        return bare
    if same := known_genes().get(bare.upper()) or _MOUSE.get(bare):
        return same
    if _SEVERAL.search(bare):
        each = [symbol_of(part) for part in _SEVERAL.split(bare)]
        return next((part for part in each if part in _usual_forms()), next(filter(None, each), ""))
    return bare


def is_other_spelling(stated: str, symbol: str) -> bool:
    """Whether ``stated`` is ``symbol`` in other capitals or as a mouse's gene, which may mean another species."""
    bare = _BEHIND.sub("", stated.strip())
    return symbol in _usual_forms() and (
        bare in _MOUSE
        or (bare not in _usual_forms() and bare not in _renamed_genes() and bare.upper() in known_genes())
    )


def is_gene_id(stated: str) -> bool:
    """Whether ``stated`` is the Ensembl or Entrez id of a gene, of which no symbol is known here."""
    return bool(_ENSEMBL_ID.fullmatch(stated.strip()) or _ENTREZ_ID.fullmatch(stated.strip()))


def fusion_genes(fusion: str) -> list[str]:
    """The known genes of ``five prime-three prime``: HLA-A and other symbols hold a hyphen themselves, so every cut
    that leaves two symbols known here counts; where none does, the first hyphen is the cut."""
    parts = fusion.split("-")
    cuts = [("-".join(parts[:i]), "-".join(parts[i:])) for i in range(1, len(parts))] or [(fusion, "?")]
    known = known_genes()
    best = max(cuts, key=lambda cut: sum(gene in known or gene == "?" for gene in cut))
    return [gene for gene in best if gene != "?"]
