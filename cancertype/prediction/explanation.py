"""Which alterations carried a decision: leave each out in turn and predict the case again with the same code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import features
from ..alterations.combine import under_names
from ..alterations.schema import Alterations
from ..errors import InputError
from ..labels import LABELS
from ..tables.columns import with_column
from ..text import rendering
from ..variants.cases import LIST, SourceTables, counts_are_known
from .evidence import CALLS
from .predictor import Predictions, Predictor
from .similar_cases import Similar

MOST = 24
_CERTAIN = 1e-12
_SHOWN = 15


@dataclass(frozen=True)
class Effect:
    """One alteration (in words: ``BRAF V600E``, ``EGFR amplified``, ``calls of 39 arms``), the label's probability
    ``without`` it, and the ``bits`` of evidence that it adds. ``first`` is the most probable label without it, and
    ``p_first`` its probability.

    The bits are the label's log2 odds with it minus those without it (I. J. Good's weight of evidence). A negative
    value speaks against the label.
    """

    mutation: str
    without: float
    bits: float
    first: str
    p_first: float


def largest(effects: Sequence[Effect]) -> list[Effect]:
    """The 15 largest in either direction, those that speak most for the label first: what a picture shows."""
    kept = sorted(effects, key=lambda effect: -abs(effect.bits))[:_SHOWN]
    return sorted(kept, key=lambda effect: -effect.bits)


@dataclass(frozen=True)
class Explanation:
    """Why ``case_id`` was called ``label`` with probability ``p``.

    ``effects`` come largest first. ``without_all`` is the label's probability without any of them: from burden,
    spectrum and the mutations that the model does not know by name. ``not_tried`` counts the informative mutations
    beyond the limit. ``groups`` are whole kinds of data left out, where the case has several, and its sex, its
    spectrum, and all numbers with the assay: in an answer that is nearly certain, single alterations change nothing,
    but a kind of data may. ``similar`` are the training cases most like it, where the run that made the model still
    holds them.
    """

    case_id: str
    label: str
    p: float
    effects: tuple[Effect, ...]
    without_all: float
    not_tried: int
    groups: tuple[Effect, ...] = ()
    similar: tuple[Similar, ...] = ()


def explain(
    predictor: Predictor,
    tables: SourceTables,
    case_ids: Sequence[str],
    *,
    most: int = MOST,
    weights: np.ndarray | None = None,
    progress: bool = False,
) -> tuple[Predictions, list[Explanation]]:
    """Leave out each of a case's ``most`` most informative mutations, and each event of copy number and fusion, in turn
    and predict what is left, in one batch.

    A mutation is a gene with a protein change, or a gene where no change is given. Without it, burden and spectrum
    lose it too. Calls of arms are left out together. ``weights`` are those of ``Predictor.predict`` for the cases of
    ``tables``.

    Returns the predictions of the named cases in the order asked for, and an explanation of each. Raises
    ``InputError`` for a case that is not there.
    """
    tables, weights = only(tables, case_ids, weights)
    predicted = predictor.predict(tables, weights=weights, progress=False)
    chosen = predicted.p.argmax(axis=1)
    names = tables.cases["case_id"].to_pylist()
    mutations, events = _informative(predictor, tables), _events(predictor, tables)
    tried = [[*mutations[name][:most], *events[name]] for name in names]
    beside = _beside(predictor, tables)
    groups = [_groups(own, tables, name, beside[name]) for own, name in zip(tried, names, strict=True)]
    turns = [[*([item] for item in own), own, *parts.values()] for own, parts in zip(tried, groups, strict=True)]
    without, origin = _without_each(tables, turns)
    again = predictor.predict(without, weights=None if weights is None else weights[origin], progress=progress)
    p_of_chosen = again.p[np.arange(len(origin)), chosen[origin]].tolist()
    left = iter([(p, *first) for p, (first,) in zip(p_of_chosen, again.top(1), strict=True)])
    similar = predictor.similar(tables, predicted)
    explanations = []
    for row, name in enumerate(names):
        p = float(predicted.p[row, chosen[row]])
        effects = [_effect(item.words, p, *next(left)) for item in tried[row]]
        effects.sort(key=lambda effect: -effect.bits)
        all_out, *_ = next(left)
        of_groups = tuple(_effect(words, p, *next(left)) for words in groups[row])
        not_tried = max(0, len(mutations[name]) - most)
        explanations.append(
            Explanation(
                name,
                LABELS[chosen[row]],
                p,
                tuple(effects),
                all_out,
                not_tried,
                groups=of_groups,
                similar=similar.get(name, ()),
            )
        )
    return predicted, explanations


@dataclass(frozen=True)
class _Item:
    """What can be left out: ``kind`` is "mutation" (``name`` is gene and protein change), "amplified", "deleted"
    (gene), "fusion" (both genes), "arms", "spectra", "sex", "alleles" (the DNA changes, and so the spectrum) or
    "counts" (the case is then read as a typed list, whose numbers mean nothing); ``name`` of the last five is empty."""

    kind: str
    name: tuple[str, ...]
    words: str


_ARMS, _SPECTRA = _Item("arms", (), "calls of chromosome arms"), _Item("spectra", (), "matrix of spectra")
_SEX, _ALLELES, _COUNTS = _Item("sex", (), "sex"), _Item("alleles", (), "DNA changes"), _Item("counts", (), "counts")


def _effect(words: str, p: float, without: float, first: str, p_first: float) -> Effect:
    return Effect(words, without, _log_odds(p) - _log_odds(without), first, p_first)


def _groups(
    tried: Sequence[_Item], tables: SourceTables, case_id: str, beside: Sequence[_Item]
) -> dict[str, list[_Item]]:
    """The kinds of data that the case has, each with all that is left out for it, unless it has a single one; and what
    is known ``beside`` its alterations."""
    of_kind = {
        "without its mutations": [item for item in tried if item.kind == "mutation"],
        "without copy number": [item for item in tried if item.kind in (*CALLS, "arms")],
        "without fusions": [item for item in tried if item.kind == "fusion"],
        "without spectra": [_SPECTRA] if _has_spectra(tables, case_id) else [],
    }
    found = {words: items for words, items in of_kind.items() if items}
    known = {
        "without its sex": [_SEX],
        "without the spectrum": [_ALLELES, _SPECTRA],
        "as a typed list: without burden, spectrum and assay": [_COUNTS, _ALLELES, _SPECTRA],
    }
    return (found if len(found) > 1 else {}) | {words: items for words, items in known.items() if items[0] in beside}


def _beside(predictor: Predictor, tables: SourceTables) -> dict[str, list[_Item]]:
    """Case to what the model sees of it beside its alterations: its sex, a spectrum, and numbers of mutations that mean
    something."""
    with_alleles = set(tables.variants.filter(pc.is_valid(tables.variants["substitution"]))["case_id"].to_pylist())
    counted = counts_are_known(tables.cases["panel"].to_pylist())
    hides = features.sees_assays(predictor.vocabulary)
    return {
        case: [
            *([_SEX] if sex else []),
            *([_ALLELES] if known and case in with_alleles else []),
            # A model that never saw a list would take its numbers for those of an exome.
            *([_COUNTS] if known and hides else []),
        ]
        for case, sex, known in zip(
            *(tables.cases[name].to_pylist() for name in ("case_id", "sex")), counted.tolist(), strict=True
        )
    }


def _has_spectra(tables: SourceTables, case_id: str) -> bool:
    return tables.spectra is not None and case_id in tables.spectra["case_id"].to_pylist()


def only(
    tables: SourceTables, case_ids: Sequence[str], weights: np.ndarray | None
) -> tuple[SourceTables, np.ndarray | None]:
    """Tables and weights of the cases asked for, in their order."""
    at = {name: row for row, name in enumerate(tables.cases["case_id"].to_pylist())}
    if missing := [name for name in case_ids if name not in at]:
        raise InputError(f"no case is named {missing[0]!r}: the first are {', '.join(list(at)[:5])}")
    rows = [at[name] for name in dict.fromkeys(case_ids)]
    kept = pc.is_in(pc.cast(tables.variants["case_id"], pa.string()), value_set=pa.array(list(case_ids), pa.string()))
    alterations = tables.alterations and under_names(tables.alterations, {name: [name] for name in case_ids})
    chosen = replace(
        tables, cases=tables.cases.take(rows), variants=tables.variants.filter(kept), alterations=alterations
    )
    return chosen, None if weights is None else weights[rows]


def _informative(predictor: Predictor, tables: SourceTables) -> dict[str, list[_Item]]:
    """Case to its informative mutations, most informative first."""
    counted = features.described(tables.cases, tables.variants)
    table = features.informative_variants(counted, tables.variants, predictor.vocabulary)
    found: dict[str, dict[_Item, None]] = {name: {} for name in tables.cases["case_id"].to_pylist()}
    for row in table.to_pylist():
        written = rendering.mutation(row["gene"], row["protein_change"], row["consequence"], row["recurrent"], "all")
        found[row["case_id"]][_Item("mutation", (row["gene"], row["protein_change"]), written)] = None
    return {name: list(items) for name, items in found.items()}


def _events(predictor: Predictor, tables: SourceTables) -> dict[str, list[_Item]]:
    """Case to its amplified and deleted genes and its fusions that the model knows, and to its arms as one."""
    found: dict[str, list[_Item]] = {name: [] for name in tables.cases["case_id"].to_pylist()}
    if tables.alterations is None or not features.sees_assays(predictor.vocabulary):
        return found
    known = {kind: frozenset(predictor.vocabulary.names(kind)) for kind in (*CALLS, "fusion_gene")}
    genes, fusions = tables.alterations.genes, tables.alterations.fusions
    for case, gene, call in zip(*(column.to_pylist() for column in genes.columns), strict=True):
        for kind, number in CALLS.items():
            if call == number and gene in known[kind] and case in found:
                found[case].append(_Item(kind, (gene,), f"{gene} {kind}"))
    for case, *pair in zip(*(column.to_pylist() for column in fusions.columns), strict=True):
        if case in found and known["fusion_gene"].intersection(pair):
            name = tuple(gene or "?" for gene in pair)
            found[case].append(_Item("fusion", name, f"{'-'.join(name)} fusion"))
    arms = tables.alterations.arms
    for case in arms.filter(arms["call"].is_valid())["case_id"].unique().to_pylist():
        if case in found:
            found[case].append(_ARMS)
    return found


def _without_each(tables: SourceTables, turns: list[list[list[_Item]]]) -> tuple[SourceTables, np.ndarray]:
    """For every case in turn one copy per turn, without the items of that turn.

    The array (n,) gives the row in ``tables`` that each comes from."""
    columns = (
        pc.cast(tables.variants[name], pa.string()).to_pylist() for name in ("case_id", "gene", "protein_change")
    )
    own: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    for row, (case_id, *mutation) in enumerate(zip(*columns, strict=True)):
        own.setdefault(case_id, []).append((row, tuple(mutation)))
    rows, of_row, origin = [], [], []
    left_out: dict[str, list[_Item]] = {}
    copies: dict[str, list[str]] = {}
    for at, case_id in enumerate(tables.cases["case_id"].to_pylist()):
        for items in turns[at]:
            name = str(len(left_out))
            left_out[name] = items
            copies.setdefault(case_id, []).append(name)
            origin.append(at)
            mutations = {item.name for item in items if item.kind == "mutation"}
            kept = [row for row, key in own.get(case_id, []) if key not in mutations]
            rows += kept
            of_row += [name] * len(kept)
    cases = with_column(tables.cases.take(origin), "case_id", pa.array(list(left_out), pa.string()))
    variants = tables.variants.take(pa.array(rows, pa.int64()))
    variants = with_column(variants, "case_id", pa.array(of_row, pa.string()).dictionary_encode())
    variants = _hidden(variants, {name for name, items in left_out.items() if _ALLELES in items}, _NO_ALLELES)
    cases = _hidden(cases, {name for name, items in left_out.items() if _SEX in items}, {"sex": None})
    cases = _hidden(cases, {name for name, items in left_out.items() if _COUNTS in items}, {"panel": LIST})
    without_spectra = {name for name, items in left_out.items() if _SPECTRA in items}
    return (
        replace(
            tables,
            cases=cases,
            variants=variants,
            dropped=[],
            alterations=tables.alterations and _without(under_names(tables.alterations, copies), left_out),
            spectra=None if tables.spectra is None else _spectra_of(tables.spectra, copies, without_spectra),
        ),
        np.array(origin),
    )


_NO_ALLELES = {"substitution": None, "dna": "unknown", "context": None}


def _hidden(table: pa.Table, case_ids: set[str], shown: Mapping[str, str | None]) -> pa.Table:
    """``table`` with the value ``shown`` in these columns of the rows of ``case_ids``."""
    rows = pc.is_in(pc.cast(table["case_id"], pa.string()), value_set=pa.array(sorted(case_ids), pa.string()))
    for name, value in shown.items():
        column = table[name]
        hidden = pc.if_else(rows, pa.scalar(value, pa.string()), pc.cast(column, pa.string()))
        table = with_column(
            table, name, hidden.cast(column.type) if column.type == pa.string() else hidden.dictionary_encode()
        )
    return table


def _without(alterations: Alterations, left_out: dict[str, list[_Item]]) -> Alterations:
    """``alterations`` without each copy's items: such a gene, fusion or arm was then not looked at."""
    out = {(name, *item.name) for name, items in left_out.items() for item in items if item.kind != "mutation"}
    without_arms = {key[0] for key in out if len(key) == 1 and _ARMS in left_out[key[0]]}

    def kept(table: pa.Table, columns: Sequence[str]) -> pa.Table:
        keys = zip(*(pc.fill_null(table[name], "?").to_pylist() for name in columns), strict=True)
        return table.filter(pa.array([key not in out for key in keys], pa.bool_()))

    arms = alterations.arms
    return replace(
        alterations,
        arms=arms.filter(pc.invert(pc.is_in(arms["case_id"], pa.array(sorted(without_arms), pa.string())))),
        genes=kept(alterations.genes, ("case_id", "gene")),
        fusions=kept(alterations.fusions, ("case_id", "five_prime", "three_prime")),
    )


def _spectra_of(spectra: pa.Table, copies: dict[str, list[str]], without: set[str]) -> pa.Table:
    """The spectra of the cases in ``copies``, once for each of their copies but those ``without``."""
    case_ids = spectra["case_id"].to_pylist()
    pairs = [(row, name) for row, case in enumerate(case_ids) for name in copies.get(case, ()) if name not in without]
    taken = spectra.take(pa.array([row for row, _ in pairs], pa.int64()))
    return with_column(taken, "case_id", pa.array([name for _, name in pairs], pa.string()))


def _log_odds(p: float) -> float:
    p = min(max(p, _CERTAIN), 1.0 - _CERTAIN)
    return float(np.log2(p / (1.0 - p)))
