"""What a reader of a prediction must know of its input: what was looked at, and what was not."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from ..assays.assay import LIST
from ..sources.rows import NAMELESS
from ..variants.cases import NOTHING, SourceTables
from .inputs import Input

FEW_MUTATIONS = 10
"""A case with fewer says so beside its prediction: the models saw mostly whole exomes."""

_NO_MUTATIONS = "no mutations given"
_NAMES_NO_SAMPLE = "its name names no sample, so that the rows of several patients may be mixed: rename it"


def remarks(read_input: Input) -> dict[str, list[str]]:
    """Case to what a reader of its prediction must know of its input; no entry where there is nothing to say."""
    tables = read_input.tables
    has_dna, burden = _cases_with_dna(read_input), counts(tables.variants["case_id"])
    not_used = {name: reason for each in read_input.companions for name, reason in each.not_used.items()}
    given, findings = _beside_mutations(tables), tables.alterations.findings if tables.alterations else {}
    out: dict[str, list[str]] = {}
    for case_id, panel in zip(*(tables.cases[c].to_pylist() for c in ("case_id", "panel")), strict=True):
        said = []
        if panel == NOTHING:
            said.append(_NO_MUTATIONS if case_id in not_used else _without_mutations(given[case_id]))
        else:
            said += _of_mutations(panel, burden[case_id], case_id in has_dna)
            if panel in tables.panels:
                said.append(f"a panel of {len(tables.panels[panel])} genes: the burden counts these alone")
        if case_id in not_used:
            said.append(f"its copy number was not used: {not_used[case_id]}")
        if case_id in findings:
            said.append(_not_used(findings[case_id]))
        if _DOUBLETS in given[case_id]:
            said.append(f"{_DOUBLETS} was read, but the model does not use it: of spectra it uses SBS96 and ID83")
        assumed = read_input.assays.get(case_id)
        if assumed and not assumed.certain:
            said.append(f"the assay is uncertain: {assumed.assay.name} is assumed")
        if case_id.lower() in NAMELESS:
            said.append(_NAMES_NO_SAMPLE)
        if said:
            out[case_id] = said
    return out


def of_all(read_input: Input) -> list[str]:
    """The remarks that hold for every case of ``read_input``, to be said once."""
    of_case, (first, *others) = remarks(read_input), read_input.tables.cases["case_id"].to_pylist()
    return [said for said in of_case.get(first, ()) if all(said in of_case.get(other, ()) for other in others)]


_DOUBLETS = "DBS78"
_SHOWN = ("copy number", "fusions", "spectra")


def _beside_mutations(tables: SourceTables) -> defaultdict[str, set[str]]:
    """Case to what is known of it beside mutations: kinds of ``_SHOWN``, and the kinds of its spectra."""
    given: defaultdict[str, set[str]] = defaultdict(set)
    if (stated := tables.alterations) is not None:
        for what, table in (("copy number", stated.arms), ("copy number", stated.genes), ("fusions", stated.fusions)):
            for case_id in pc.cast(table["case_id"], pa.string()).unique().to_pylist():
                given[case_id].add(what)
        for case_id in stated.screened_for_fusions:
            given[case_id].add("fusions")
    if tables.spectra is not None:
        columns = (pc.cast(tables.spectra[name], pa.string()).to_pylist() for name in ("case_id", "kind"))
        for case_id, kind in zip(*columns, strict=True):
            given[case_id] |= {kind} if kind == _DOUBLETS else {kind, "spectra"}
    return given


def _without_mutations(given: Collection[str]) -> str:
    shown = [what for what in _SHOWN if what in given]
    if not shown:
        return "no mutations, copy number or fusions given: nothing was looked at that the model uses"
    listed = f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]
    return f"{_NO_MUTATIONS}: {listed} alone {'was' if shown == ['copy number'] else 'were'} looked at"


def _not_used(findings: Mapping[str, str | float]) -> str:
    """Findings that are understood and that no feature of the model is made of."""
    said = []
    if "msi" in findings:
        status = str(findings["msi"])
        said.append("microsatellite stability" if status == "stable" else f"MSI-{status}")
    if "mutations_per_megabase" in findings:
        said.append(f"{findings['mutations_per_megabase']:g} mutations per megabase")
    verb = "is" if len(said) == 1 else "are"
    return f"{' and '.join(said)} {verb} understood, but the model does not use {'it' if len(said) == 1 else 'them'}"


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
