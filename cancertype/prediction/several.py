"""Several files in one call: files of one sample together, files of several patients apart."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ..alterations.combine import merge, samples_of, under_names
from ..alterations.schema import Alterations
from ..variants.cases import NOTHING, Dropped, SourceTables

if TYPE_CHECKING:
    from .inputs import Input

NAMES_OF_ANYBODY = frozenset(
    (
        *("tumor", "tumour", "t", "normal", "n", "primary", "metastasis", "case", "patient"),
        *("sample", "sample1", "sample_1", "default", "mutations", "variants", "calls"),
        *("unknown", "__unknown__", "none", "na", "nan", "text", "stdin", "pipe"),
    )
)
"""Names that callers and people give to every patient's sample, in lower case: they name nobody."""


def distinct(inputs: Sequence["Input"]) -> list["Input"]:
    """The same inputs with names by which their cases can be put together.

    Files that use the same sample name describe the same sample, such as its SNVs and its indels. But VCF files of
    different patients often name their sample ``TUMOR``. Such a name gets the file's name after it if several files use
    it: ``TUMOR (a.vcf)``. Panels that share a name and differ in genes are kept apart in the same way.
    """
    if len(inputs) == 1:
        return list(inputs)
    uses = Counter(name for found in inputs for name in found.tables.cases["case_id"].to_pylist())
    uses = Counter({name: n for name, n in uses.items() if name.lower() in NAMES_OF_ANYBODY})
    contents = {(name, *genes) for found in inputs for name, genes in found.tables.panels.items()}
    kinds = Counter(name for name, *_ in contents)
    return [_renamed(found, uses, kinds, label) for found, label in zip(inputs, _labels(inputs), strict=True)]


def together(inputs: Sequence["Input"]) -> SourceTables:
    """The tables of ``distinct`` inputs as one. A mutation that a later file repeats counts once.

    The account of the rows stays with each input, because units differ."""
    if len(inputs) == 1:
        return inputs[0].tables
    tables = [found.tables for found in inputs]
    variants, repeated = _without_repeats([each.variants for each in tables])
    dropped = [dropped for each in tables for dropped in each.dropped]
    if repeated:
        dropped.append(Dropped("several files", "variant", "given in an earlier file too", repeated))
    stated = [each.alterations for each in tables if each.alterations is not None]
    return SourceTables(
        cases=_first_of_each(pa.concat_tables([each.cases for each in tables])),
        variants=variants,
        dropped=dropped,
        panels={name: genes for each in tables for name, genes in each.panels.items()},
        alterations=merge(*stated) if stated else None,
    )


def _first_of_each(cases: pa.Table) -> pa.Table:
    """The first row of each case; one whose mutations were looked at before one whose were not."""
    first: dict[str, int] = {}
    panels = cases["panel"].to_pylist()
    for row, name in enumerate(cases["case_id"].to_pylist()):
        if name not in first or (panels[first[name]] == NOTHING and panels[row] != NOTHING):
            first[name] = row
    return cases.take(list(first.values())).combine_chunks()


def _without_repeats(parts: Sequence[pa.Table]) -> tuple[pa.Table, int]:
    """All rows but those whose case, gene and protein change an earlier part has; and the number of those left out."""
    seen: set[tuple] = set()
    kept, repeated = [], 0
    for part in parts:
        columns = (pc.cast(part[name], pa.string()).to_pylist() for name in ("case_id", "gene", "protein_change"))
        keys = list(zip(*columns, strict=True))
        # Without a protein change, two mutations of a gene cannot be told from one.
        keep = [not key[2] or key not in seen for key in keys]
        seen.update(keys)
        repeated += keep.count(False)
        kept.append(part.filter(pa.array(keep, pa.bool_())))
    return pa.concat_tables(kept).unify_dictionaries().combine_chunks(), repeated


def _labels(inputs: Sequence["Input"]) -> list[str]:
    """What tells the files apart: their names, or their paths where two have the same name; else their place."""
    for labels in ([found.name for found in inputs], [str(found.path or found.name) for found in inputs]):
        if len(set(labels)) == len(labels):
            return labels
    return [f"{found.name}, input {place}" for place, found in enumerate(inputs, 1)]


def with_names(tables: SourceTables, new: Mapping[str, str]) -> SourceTables:
    """``tables`` with the cases in ``new`` (old to new) under their new names, everywhere."""
    return replace(
        tables,
        cases=_mapped(_mapped(tables.cases, "case_id", new), "patient_id", new),
        variants=_mapped(tables.variants, "case_id", new),
        alterations=tables.alterations and _renamed_alterations(tables.alterations, new),
        spectra=None if tables.spectra is None else _mapped(tables.spectra, "case_id", new),
    )


def with_case_names(found: "Input", new: Mapping[str, str]) -> "Input":
    """The input with the cases in ``new`` (old to new) under their new names."""
    assays = {new.get(name, name): assumed for name, assumed in found.assays.items()}
    beside = tuple(
        replace(each, not_used={new.get(name, name): reason for name, reason in each.not_used.items()})
        for each in found.companions
    )
    return replace(found, tables=with_names(found.tables, new), assays=assays, companions=beside)


def _renamed(found: "Input", uses: Mapping[str, int], kinds: Mapping[str, int], label: str) -> "Input":
    """``label`` goes behind a case name with several ``uses``, and a panel name that stands for several gene lists."""
    names = found.tables.cases["case_id"].to_pylist()
    found = with_case_names(found, {name: f"{name} ({label})" for name in names if uses[name] > 1})
    tables = found.tables
    panels = {name: f"{name} ({label})" if kinds[name] > 1 else name for name in tables.panels}
    tables = replace(
        tables,
        cases=_mapped(tables.cases, "panel", panels),
        panels={panels[name]: genes for name, genes in tables.panels.items()},
    )
    return replace(found, tables=tables)


def _mapped(table: pa.Table, column: str, new: Mapping[str, str]) -> pa.Table:
    """``table`` with the texts of ``column`` replaced where ``new`` says so."""
    if not new:
        return table
    at = table.schema.get_field_index(column)
    kind = table.schema.field(at).type
    texts = [new.get(text, text) for text in table[column].to_pylist()]
    values = pa.array(texts, pa.string())
    return table.set_column(at, table.schema.field(at), values.cast(kind) if kind != pa.string() else values)


def _renamed_alterations(stated: Alterations, new: Mapping[str, str]) -> Alterations:
    return under_names(stated, {name: [new.get(name, name)] for name in samples_of(stated)})
