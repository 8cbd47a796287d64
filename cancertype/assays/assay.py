"""What was looked at in a sample: the named assays that come with the package, and those that a file gives."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import pyarrow as pa

from ..errors import InputError
from ..package_data import rows
from ..sources import gene_panels
from ..variants.cases import EXOME, GENOME, LIST
from ..variants.genes import current_symbol

Kind = Literal["exome", "genome", "panel", "hotspot panel", "list"]

_BASES_PER_MEGABASE = 1e6


@dataclass(frozen=True)
class Assay:
    """What was looked at in a sample.

    ``genes`` are current symbols, or None where every gene was looked at (exome, genome) or nobody knows which were
    (list). ``codons`` limits a gene of a hotspot panel to these codons; a gene that is not in it is covered whole.
    ``megabases`` is the covered size that the ``megabases_source`` publishes, None where it is not known.
    ``copy_number`` and ``fusions`` say whether the assay reports them, None where that is not known.
    """

    name: str
    title: str
    kind: Kind
    genes: tuple[str, ...] | None = None
    codons: dict[str, frozenset[int]] = field(default_factory=dict)
    megabases: float | None = None
    megabases_source: str = ""
    copy_number: bool | None = None
    fusions: bool | None = None
    version: str = ""
    aliases: tuple[str, ...] = ()
    source: str = ""

    @property
    def covers_all_genes(self) -> bool:
        """Whether a gene without a mutation is known to have none, whichever gene it is."""
        return self.kind in (EXOME, GENOME)

    @property
    def counts_are_known(self) -> bool:
        """Whether the number of mutations means anything: in a list it depends on who wrote it."""
        return self.kind != LIST


def coding_megabases(genes: Iterable[str]) -> float:
    """The coding length of ``genes`` (their longest transcripts), in megabases; genes of unknown length count as 0."""
    lengths = codons_of_genes()
    return sum(3 * lengths.get(gene, 0) for gene in genes) / _BASES_PER_MEGABASE


@cache
def codons_of_genes() -> dict[str, int]:
    """Gene (current symbol) to its coding length in codons, of the 18,826 genes of ``variants/genes.csv``."""
    return {current_symbol(row["gene"]): int(row["codons"]) for row in rows("variants", "genes.csv")}


_UNPANELLED = (
    Assay(EXOME, "Whole exome", "exome", copy_number=None, fusions=False, aliases=("WES", "WXS", "whole-exome")),
    Assay(GENOME, "Whole genome, its coding part", "genome", aliases=("WGS", "whole-genome")),
    Assay(LIST, "A list of mutations that somebody chose", "list", aliases=("report", "typed list")),
)


@cache
def named() -> dict[str, Assay]:
    """The assays that the package knows, by name: exome, genome and list, then the panels in alphabetical order.

    Their gene lists hold current symbols and come from the sources that each assay names. Which codons the two
    hotspot panels cover is not public: their genes are limited to the codons that are mutated in at least two of
    6,706 TCGA tumours (``hotspot_codons.csv``).
    """
    genes: dict[str, list[str]] = {}
    for row in rows("assays", "panel_genes.csv"):
        genes.setdefault(row["panel"], []).append(row["gene"])
    panels = (_panel(row, tuple(genes[row["name"]])) for row in rows("assays", "panels.csv"))
    return {assay.name: assay for assay in (*_UNPANELLED, *panels)}


def _panel(row: dict[str, str], genes: tuple[str, ...]) -> Assay:
    return Assay(
        name=row["name"],
        title=row["title"],
        kind=row["kind"],
        genes=genes,
        codons={gene: _hotspot_codons().get(gene, frozenset()) for gene in genes} if row["kind"] != "panel" else {},
        megabases=float(row["megabases"]) if row["megabases"] else None,
        megabases_source=row["megabases_source"],
        copy_number=_YES.get(row["copy_number"]),
        fusions=_YES.get(row["fusions"]),
        version=row["version"],
        aliases=tuple(row["aliases"].split()),
        source=row["source"],
    )


_YES = {"yes": True, "no": False}


@cache
def _hotspot_codons() -> dict[str, frozenset[int]]:
    codons: dict[str, set[int]] = {}
    for row in rows("assays", "hotspot_codons.csv"):
        codons.setdefault(row["gene"], set()).add(int(row["codon"]))
    return {gene: frozenset(numbers) for gene, numbers in codons.items()}


def panels() -> dict[str, Assay]:
    """The named panels alone: those with a gene list."""
    return {name: assay for name, assay in named().items() if assay.genes is not None}


@cache
def panels_per_gene() -> dict[str, int]:
    """Gene to the number of named panels that hold it: how well known a cancer gene is."""
    counts: dict[str, int] = {}
    for assay in panels().values():
        for gene in assay.genes:
            counts[gene] = counts.get(gene, 0) + 1
    return counts


def plain(name: str) -> str:
    """A name to compare by: studies differ in case, hyphens and blanks (MSK-IMPACT468, IMPACT468, msk-impact-468)."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _by_plain_name() -> dict[str, str]:
    return {plain(spelling): name for name, assay in named().items() for spelling in (name, *assay.aliases)}


def known(name: str) -> Assay | None:
    """The named assay that ``name`` stands for, in any spelling or under an alias (such as its id in AACR GENIE);
    None where there is none."""
    found = _by_plain_name().get(plain(name))
    return named()[found] if found else None


def get(name: str) -> Assay:
    """The same. Raises ``InputError`` that lists the names for one that is not known."""
    if assay := known(name):
        return assay
    raise InputError(f"{name!r} is not a known assay: give a file of its genes, or one of {', '.join(named())}")


def of_genes(name: str, genes: Iterable[str], title: str = "", source: str = "") -> Assay:
    """The assay of a given set of genes, under their current symbols."""
    symbols = dict.fromkeys(filter(None, map(current_symbol, genes)))
    return Assay(name, title or f"A panel of {len(symbols)} genes", "panel", tuple(symbols), source=source)


def from_file(path: Path) -> Assay:
    """The assay that a file of genes describes (``gene_panels.read`` lists the forms that it may have).

    A file whose name for itself is that of a named panel still counts as what it lists. Raises ``InputError`` with
    file and line for a file that holds no list of genes.
    """
    listed = gene_panels.read(path)
    return of_genes(listed.name, listed.genes, source=Path(path).name)


def named_or_file(text: str) -> Assay:
    """The assay that a user names: a known name, else the file at that path. Raises ``InputError`` for neither."""
    if assay := known(text):
        return assay
    if Path(text).is_file():
        return from_file(Path(text))
    raise InputError(
        f"{text!r} is neither a known assay nor a file of genes: `cancertype assays` lists the names, and a file holds "
        "one gene symbol per line"
    )


def of_case(panel: str | None, genes: Mapping[str, Sequence[str]]) -> Assay:
    """The assay of a case: ``panel`` is what its column ``panel`` holds (None for an exome), ``genes`` the panels of
    its source or view by name.

    A name under which ``genes`` lists other genes than the named assay has is a panel of those. Raises ``InputError``
    for a name that is neither listed nor known."""
    if panel is None:
        return get(EXOME)
    assay = known(panel)
    if panel not in genes or (assay and assay.genes and set(assay.genes) == set(genes[panel])):
        return assay or get(panel)
    return of_genes(panel, genes[panel])


_TABLE = pa.schema(
    [
        ("name", pa.string()),
        ("kind", pa.string()),
        ("genes", pa.int32()),
        ("version", pa.string()),
        ("megabases", pa.float64()),
        ("megabases_source", pa.string()),
        ("coding_megabases", pa.float64()),
        ("copy_number", pa.bool_()),
        ("fusions", pa.bool_()),
        ("title", pa.string()),
        ("aliases", pa.string()),
        ("source", pa.string()),
    ]
)


def table() -> pa.Table:
    """The named assays, one row each, for people to choose from.

    ``genes`` is null where there is no gene list; ``megabases`` is what the ``megabases_source`` publishes ("" where
    none does) and ``coding_megabases`` the coding length of the genes (of the hotspot codons, for a hotspot panel).
    """
    return pa.Table.from_pylist([_row(assay) for assay in named().values()], schema=_TABLE)


def _row(assay: Assay) -> dict:
    return {
        "name": assay.name,
        "kind": assay.kind,
        "genes": None if assay.genes is None else len(assay.genes),
        "version": assay.version,
        "megabases": assay.megabases,
        "megabases_source": assay.megabases_source,
        "coding_megabases": None if assay.genes is None else round(_covered(assay), 3),
        "copy_number": assay.copy_number,
        "fusions": assay.fusions,
        "title": assay.title,
        "aliases": " ".join(assay.aliases),
        "source": assay.source,
    }


def _covered(assay: Assay) -> float:
    whole = coding_megabases(gene for gene in assay.genes if gene not in assay.codons)
    return whole + 3 * sum(map(len, assay.codons.values())) / _BASES_PER_MEGABASE
