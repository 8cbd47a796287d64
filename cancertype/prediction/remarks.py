"""What a reader of a prediction must know of its input: what was looked at, and what was not."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from ..assays.assay import LIST
from ..sources.rows import NAMELESS
from ..variants.cases import NOTHING
from .inputs import Input

FEW_MUTATIONS = 10
"""A case with fewer says so beside its prediction: the models saw mostly whole exomes."""

_NO_MUTATIONS, _OTHERS_ALONE = "no mutations given", ": copy number and fusions alone were looked at"
_NAMES_NO_SAMPLE = "its name names no sample, so that the rows of several patients may be mixed: rename it"


def remarks(read_input: Input) -> dict[str, list[str]]:
    """Case to what a reader of its prediction must know of its input; no entry where there is nothing to say."""
    tables = read_input.tables
    has_dna, burden = _cases_with_dna(read_input), counts(tables.variants["case_id"])
    not_used = {name: reason for each in read_input.companions for name, reason in each.not_used.items()}
    out: dict[str, list[str]] = {}
    for case_id, panel in zip(*(tables.cases[c].to_pylist() for c in ("case_id", "panel")), strict=True):
        said = []
        if panel == NOTHING:
            said.append(_NO_MUTATIONS + ("" if case_id in not_used else _OTHERS_ALONE))
        else:
            said += _of_mutations(panel, burden[case_id], case_id in has_dna)
            if panel in tables.panels:
                said.append(f"a panel of {len(tables.panels[panel])} genes: the burden counts these alone")
        if case_id in not_used:
            said.append(f"its copy number was not used: {not_used[case_id]}")
        assumed = read_input.assays.get(case_id)
        if assumed and not assumed.certain:
            said.append(f"the assay is uncertain: {assumed.assay.name} is assumed")
        if case_id.lower() in NAMELESS:
            said.append(_NAMES_NO_SAMPLE)
        if said:
            out[case_id] = said
    return out


def _of_mutations(panel: str | None, burden: int, has_dna: bool) -> list[str]:
    said = []
    if panel == LIST or burden < FEW_MUTATIONS:
        said.append("few mutations given: the burden counts these alone")
    if not has_dna:
        said.append("no DNA alleles given: the substitution spectrum is unknown")
    return said


def _cases_with_dna(read_input: Input) -> set[str]:
    """The cases of the files that hold DNA alleles."""
    found: set[str] = set()
    for part in read_input.parts or (read_input,):
        dna = pc.cast(part.tables.variants["dna"], pa.string())
        if pc.any(pc.not_equal(dna, "unknown")).as_py():
            found.update(part.tables.cases["case_id"].to_pylist())
    return found


def counts(column: pa.ChunkedArray) -> Counter[str]:
    """How often each text is in a column, in the order of their first rows."""
    values = pc.cast(column, pa.string()).value_counts()
    return Counter(dict(zip(values.field("values").to_pylist(), values.field("counts").to_pylist(), strict=True)))
