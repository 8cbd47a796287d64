"""The training cases most like a case, where the run that made the model still has them.

A release holds no patients.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..alterations.schema import ARMS
from ..features.alteration_columns import EVENTS
from ..features.associations import ARM_WORDS
from ..features.lookup import mutation_names
from ..variants.schema import TRUNCATING
from .prediction_config import VOCABULARY

FEATURES = Path("data/features")
"""Where a run keeps its cases, below its folder."""

MOST = 5
_EVENT_WORDS = dict(zip(EVENTS, ("amplified", "deleted", "fusion"), strict=True))


@dataclass(frozen=True)
class Similar:
    """A training case, its label, how similar it is (above 0, to 1) and the alterations that both have, the rarest
    first."""

    case_id: str
    label: str
    similarity: float
    shared: tuple[str, ...]


class TrainingCases:
    """The training cases of a run by their known mutations, altered arms and other events.

    Two cases are as similar as the cosine of their alterations, each weighted by how few training cases have it
    (tf-idf, Spärck Jones 1972). ``cases`` and ``variants`` are a run's ``data/features``."""

    def __init__(self, cases: pa.Table, variants: pa.Table):
        # Only explanations of a user's own run need scikit-learn, which takes seconds to import.
        from sklearn.feature_extraction.text import TfidfVectorizer

        cases = cases.filter(pc.equal(cases["split"], "train"))
        self._names, self._labels = cases["case_id"].to_pylist(), cases["label"].to_pylist()
        self._weights = TfidfVectorizer(analyzer=list)
        self._of_cases = self._weights.fit_transform(_alterations(cases, variants))

    @classmethod
    def of_run(cls, model: Path) -> "TrainingCases | None":
        """Those of the run that made the published folder ``model``: the folder one or two levels above it whose
        ``data/features`` have the very vocabulary of the model. None where there is no such run."""
        own = (model / VOCABULARY).read_bytes()
        for folder in (above / FEATURES for above in list(model.resolve().parents)[:2]):
            needed = [folder / name for name in (VOCABULARY, "cases.parquet", "variants.parquet")]
            if all(path.is_file() for path in needed) and needed[0].read_bytes() == own:
                return cls(pq.read_table(needed[1]), pq.read_table(needed[2]))
        return None

    def nearest(self, cases: pa.Table, variants: pa.Table, most: int = MOST) -> list[tuple[Similar, ...]]:
        """The ``most`` training cases most similar to each of ``cases`` (from ``described``), whose mutations are
        ``variants`` (from ``informative_variants``); fewer, or none, where no more share an alteration."""
        alterations = _alterations(cases, variants)
        rows = self._weights.transform(alterations)
        names = self._weights.get_feature_names_out()
        found = []
        for row, similarity in zip(rows, (rows @ self._of_cases.T).toarray(), strict=True):
            best = np.argsort(-similarity, kind="stable")[:most]
            found.append(
                tuple(self._similar(int(i), row, names, float(similarity[i])) for i in best if similarity[i] > 0)
            )
        return found

    def _similar(self, number: int, row, names: np.ndarray, similarity: float) -> Similar:
        both = row.multiply(self._of_cases[number]).tocoo()
        rarest = both.col[np.argsort(-both.data, kind="stable")]
        return Similar(self._names[number], self._labels[number], min(1.0, similarity), tuple(names[rarest].tolist()))


def _alterations(cases: pa.Table, variants: pa.Table) -> list[list[str]]:
    """The alterations of each case in words, each once: ``KRAS``, ``KRAS G12D``, ``7p gained``, ``EGFR amplified``."""
    found: dict[str, dict[str, None]] = {name: {} for name in cases["case_id"].to_pylist()}
    columns = (pc.cast(variants[name], pa.string()).to_pylist() for name in ("case_id", "gene", "consequence"))
    changes = mutation_names(variants).to_pylist()
    for case, gene, consequence, change in zip(*columns, changes, strict=True):
        if case in found:
            words = (f"{gene} mutated", f"{gene} truncated" if consequence in TRUNCATING else change)
            found[case] |= dict.fromkeys(filter(None, words))
    for own, calls in zip(found.values(), cases["arms"].to_pylist(), strict=True):
        own |= dict.fromkeys(f"{arm} {ARM_WORDS[call]}" for arm, call in zip(ARMS, calls or (), strict=False) if call)
    for kind, word in _EVENT_WORDS.items():
        for own, names in zip(found.values(), cases[kind].to_pylist(), strict=True):
            own |= dict.fromkeys(f"{name} {word}" for name in names)
    return [list(own) for own in found.values()]
