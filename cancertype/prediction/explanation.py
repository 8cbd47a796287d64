"""Which mutations carried a decision: leave each out in turn and predict the case again with the same code."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import features
from ..alterations.combine import under_names
from ..errors import InputError
from ..labels import LABELS
from ..tables.columns import with_column
from ..text import rendering
from ..variants.cases import SourceTables
from .predictor import Predictions, Predictor

MOST = 24
_CERTAIN = 1e-12


@dataclass(frozen=True)
class Effect:
    """One mutation, the label's probability ``without`` it, and the ``bits`` of evidence that it adds.

    The bits are the label's log2 odds with the mutation minus those without it (I. J. Good's weight of evidence). A
    negative value speaks against the label.
    """

    mutation: str
    without: float
    bits: float


@dataclass(frozen=True)
class Explanation:
    """Why ``case_id`` was called ``label`` with probability ``p``.

    ``effects`` come largest first. ``without_all`` is the label's probability without any of them: from burden,
    spectrum and the mutations that the model does not know by name. ``not_tried`` counts the informative mutations
    beyond the limit.
    """

    case_id: str
    label: str
    p: float
    effects: tuple[Effect, ...]
    without_all: float
    not_tried: int


def explain(
    predictor: Predictor,
    tables: SourceTables,
    case_ids: Sequence[str],
    *,
    most: int = MOST,
    weights: np.ndarray | None = None,
    progress: bool = False,
) -> tuple[Predictions, list[Explanation]]:
    """Leave out each of a case's ``most`` most informative mutations in turn and predict what is left, in one batch.

    A mutation is a gene with a protein change, or a gene where no change is given. Without it, burden and spectrum
    lose it too. ``weights`` are those of ``Predictor.predict`` for the cases of ``tables``.

    Returns the predictions of the named cases in the order asked for, and an explanation of each. Raises
    ``InputError`` for a case that is not there.
    """
    tables, weights = _only(tables, case_ids, weights)
    predicted = predictor.predict(tables, weights=weights, progress=False)
    chosen = predicted.p.argmax(axis=1)
    informative = _informative(predictor, tables)
    names = tables.cases["case_id"].to_pylist()
    tried = [list(informative.get(name, {}))[:most] for name in names]
    without, origin = _without_each(tables, tried)
    again = predictor.predict(without, weights=None if weights is None else weights[origin], progress=progress)
    p_of_chosen = again.p[np.arange(len(origin)), chosen[origin]]
    explanations, start = [], 0
    for row, name in enumerate(names):
        p = float(predicted.p[row, chosen[row]])
        written = informative.get(name, {})
        *singly, all_out = p_of_chosen[start : start + len(tried[row]) + 1].tolist()
        start += len(tried[row]) + 1
        effects = [
            Effect(written[key], q, _log_odds(p) - _log_odds(q)) for key, q in zip(tried[row], singly, strict=True)
        ]
        effects.sort(key=lambda effect: -effect.bits)
        not_tried = len(written) - len(tried[row])
        explanations.append(Explanation(name, LABELS[chosen[row]], p, tuple(effects), all_out, not_tried))
    return predicted, explanations


_Key = tuple[str, str]


def _only(
    tables: SourceTables, case_ids: Sequence[str], weights: np.ndarray | None
) -> tuple[SourceTables, np.ndarray | None]:
    """Tables and weights of the cases asked for, in their order."""
    at = {name: row for row, name in enumerate(tables.cases["case_id"].to_pylist())}
    if missing := [name for name in case_ids if name not in at]:
        raise InputError(f"no case is named {missing[0]!r}: the first are {', '.join(list(at)[:5])}")
    rows = [at[name] for name in dict.fromkeys(case_ids)]
    kept = pc.is_in(pc.cast(tables.variants["case_id"], pa.string()), value_set=pa.array(list(case_ids), pa.string()))
    chosen = replace(tables, cases=tables.cases.take(rows), variants=tables.variants.filter(kept))
    return chosen, None if weights is None else weights[rows]


def _informative(predictor: Predictor, tables: SourceTables) -> dict[str, dict[_Key, str]]:
    """Case to its informative mutations, most informative first: (gene, protein change) to the mutation as written."""
    counted = features.described(tables.cases, tables.variants)
    table = features.informative_variants(counted, tables.variants, predictor.vocabulary)
    informative: dict[str, dict[_Key, str]] = {}
    for row in table.to_pylist():
        written = rendering.mutation(row["gene"], row["protein_change"], row["consequence"], row["recurrent"], "all")
        informative.setdefault(row["case_id"], {})[row["gene"], row["protein_change"]] = written
    return informative


def _without_each(tables: SourceTables, tried: list[list[_Key]]) -> tuple[SourceTables, np.ndarray]:
    """One case per mutation that is left out, then one without all of them, for every case in turn.

    The array (n,) gives the row in ``tables`` that each comes from."""
    columns = (
        pc.cast(tables.variants[name], pa.string()).to_pylist() for name in ("case_id", "gene", "protein_change")
    )
    own: dict[str, list[tuple[int, _Key]]] = {}
    for row, (case_id, gene, change) in enumerate(zip(*columns, strict=True)):
        own.setdefault(case_id, []).append((row, (gene, change)))
    rows, names, of_row, origin = [], [], [], []
    for at, case_id in enumerate(tables.cases["case_id"].to_pylist()):
        for left_out in [*({key} for key in tried[at]), set(tried[at])]:
            kept = [row for row, key in own.get(case_id, []) if key not in left_out]
            names.append(str(len(names)))
            origin.append(at)
            rows += kept
            of_row += names[-1:] * len(kept)
    cases = with_column(tables.cases.take(origin), "case_id", pa.array(names, pa.string()))
    variants = tables.variants.take(pa.array(rows, pa.int64()))
    variants = with_column(variants, "case_id", pa.array(of_row, pa.string()).dictionary_encode())
    copies: dict[str, list[str]] = {}
    for name, at in zip(names, origin, strict=True):
        copies.setdefault(tables.cases["case_id"][at].as_py(), []).append(name)
    return (
        replace(
            tables,
            cases=cases,
            variants=variants,
            dropped=[],
            alterations=tables.alterations and under_names(tables.alterations, copies),
            spectra=None if tables.spectra is None else _spectra_of(tables.spectra, copies),
        ),
        np.array(origin),
    )


def _spectra_of(spectra: pa.Table, copies: dict[str, list[str]]) -> pa.Table:
    """The spectra of the cases in ``copies``, once for each of their copies."""
    case_ids = spectra["case_id"].to_pylist()
    rows = [row for row, case in enumerate(case_ids) for _ in copies.get(case, ())]
    names = [name for case in case_ids for name in copies.get(case, ())]
    return with_column(spectra.take(pa.array(rows, pa.int64())), "case_id", pa.array(names, pa.string()))


def _log_odds(p: float) -> float:
    p = min(max(p, _CERTAIN), 1.0 - _CERTAIN)
    return float(np.log2(p / (1.0 - p)))
