"""What users load: from mutations to calibrated probabilities of 26 cancers, through the code that was evaluated."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .. import features
from ..alterations.of_cases import OfCases
from ..errors import InputError
from ..evaluation import tabular
from ..features.alteration_columns import EVENTS
from ..labels import LABELS
from ..text.prompt import Rendered
from ..text.rendering import Renderer
from ..variants.cases import NOTHING, SourceTables
from . import abstention, manifest, training_ranges
from .damage import damage_explained
from .evidence import Associations, Fact
from .prediction_config import ASSOCIATIONS, CONFIG, TREES, VOCABULARY, PredictionConfig
from .similar_cases import Similar, TrainingCases

if TYPE_CHECKING:
    from .reader import Reader


@dataclass(frozen=True)
class Predictions:
    """Predictions for n cases.

    ``p`` (n, 26) are calibrated probabilities in the order of ``LABELS``, ``in_set`` (n, 26) says which labels are in
    the conformal set, ``log_likelihood`` (n, 26) is the language model's in nats, up to a constant per case (None of a
    fast answer), ``trees`` (n, 26) are the probabilities of the trees. ``abstains`` holds a reason or None per case,
    ``rendered`` the texts that were scored (of a fast answer, those that would be, however long). ``unlike`` says how a
    case differs from all training cases, None where it does not.
    """

    cases: pa.Table
    rendered: list[Rendered]
    log_likelihood: np.ndarray | None
    trees: np.ndarray
    p: np.ndarray
    in_set: np.ndarray
    abstains: list[str | None]
    unlike: list[training_ranges.Unlike | None]

    def top(self, n: int = 3) -> list[list[tuple[str, float]]]:
        """The ``n`` most probable labels of each case with their probabilities."""
        order = np.argsort(-self.p, axis=1, kind="stable")[:, :n]
        return [[(LABELS[i], float(row[i])) for i in best] for row, best in zip(self.p, order, strict=True)]


class Predictor:
    """A published model: language model, trees and calibration behind one ``predict``. Without a ``reader`` it is fast:
    the trees answer alone, by their own calibration. ``folder`` is where it was loaded from."""

    def __init__(
        self,
        reader: "Reader | None",
        config: PredictionConfig,
        vocabulary: features.Vocabulary,
        trees: tabular.TabularModels,
        associations: Associations | None = None,
        folder: Path | None = None,
    ):
        self.config = config
        self.vocabulary = vocabulary
        self.calibration = config.calibration
        self._reader, self._trees, self._associations = reader, trees, associations
        self._folder = folder

    @classmethod
    def from_pretrained(cls, source: str | Path, revision: str | None = None, *, fast: bool = False) -> "Predictor":
        """Load a published folder or Hub repository: merged weights, or an ``adapter`` that is put onto its base.

        ``fast`` leaves the language model out, so that the trees answer alone. Every file is compared with the manifest
        first. Raises ``InputError`` for a model that is missing, incomplete or damaged.
        """
        folder = Path(source)
        if revision is not None or not folder.is_dir():
            # Imported only here, because it takes a second.
            from ..language_model.conversion import local_folder

            folder = local_folder(str(source), revision)
        if (folder / CONFIG).is_file():
            manifest.check(folder)
        config = PredictionConfig.load(folder)
        # The small files first: they fail at once, where weights take seconds.
        with damage_explained(folder / VOCABULARY):
            vocabulary = features.Vocabulary.load(folder / VOCABULARY)
        with damage_explained(folder / TREES):
            trees = tabular.load(folder / TREES)
        associations = None
        # Models published before evidence was counted lack the file.
        if (folder / ASSOCIATIONS).is_file():
            with damage_explained(folder / ASSOCIATIONS):
                associations = Associations(pq.read_table(folder / ASSOCIATIONS))
        if fast:
            return cls(None, config, vocabulary, trees, associations, folder)
        from .reader import Reader

        return cls(Reader.load(folder, config.text.completion), config, vocabulary, trees, associations, folder)

    @property
    def fast(self) -> bool:
        """Whether the trees answer alone."""
        return self._reader is None

    @property
    def training_share(self) -> np.ndarray:
        """Share (26,) of each label among the training cases, with one more case spread over all, as in the trees."""
        return self._trees.prior

    def predict(
        self, tables: SourceTables, *, weights: np.ndarray | None = None, progress: bool = sys.stderr.isatty()
    ) -> Predictions:
        """Predict every case of ``tables`` (from any reader).

        ``weights`` (26,) or (n, 26) multiply the calibrated probabilities, which are then scaled to sum to 1. A weight
        is a prior divided by ``training_share`` (Saerens et al. 2002), or 0 for a label that is ruled out. Raises
        ``InputError`` when the weights leave a case no label.
        """
        variants, panels = tables.variants, tables.panels
        if panel := self.vocabulary.names("panel"):
            variants = features.restrict_to_panel(variants, panel)
        alterations = OfCases.of(tables.alterations, tables.cases["case_id"].to_pylist())
        cases = features.described(tables.cases, variants, alterations, tables.spectra)
        informative = features.informative_variants(cases, variants, self.vocabulary)
        count_tokens = _no_tokens if self._reader is None else self._reader.count_tokens
        rendered = Renderer(self.config.text, self.vocabulary, count_tokens, panels).render(cases, informative)
        x, columns = features.matrix(cases, informative, self.vocabulary, panels)
        trees = self._trees.predict_proba(x, columns)
        scores = None
        if self._reader is not None:
            scores = self._reader.log_likelihood(rendered, self.config, progress=progress)
        way = "trees" if scores is None else "blend"
        groups = features.groups(cases, panels)
        p = _weighted(self.calibration.apply(scores, trees, groups), weights)
        unlike = training_ranges.unlike(cases, informative, groups, self.config.ranges)
        abstains = self._abstains(p, cases, informative, rendered, unlike)
        return Predictions(cases, rendered, scores, trees, p, self.calibration.sets(p, way, groups), abstains, unlike)

    def evidence(self, tables: SourceTables, predictions: Predictions) -> dict[str, list[Fact]]:
        """Case to what the training cases say of its alterations and its most probable label; empty for a model that
        was published without such counts."""
        if self._associations is None:
            return {}
        names = predictions.cases["case_id"].to_pylist()
        first = dict(zip(names, (top[0][0] for top in predictions.top(1)), strict=True))
        return self._associations.facts(tables, first)

    def similar(self, tables: SourceTables, predictions: Predictions) -> dict[str, tuple[Similar, ...]]:
        """Case to the training cases most like it; empty unless the run that made the model still holds them."""
        if self._training_cases is None:
            return {}
        informative = features.informative_variants(predictions.cases, tables.variants, self.vocabulary)
        nearest = self._training_cases.nearest(predictions.cases, informative)
        return dict(zip(predictions.cases["case_id"].to_pylist(), nearest, strict=True))

    @cached_property
    def _training_cases(self) -> TrainingCases | None:
        return None if self._folder is None else TrainingCases.of_run(self._folder)

    def _abstains(
        self,
        p: np.ndarray,
        cases: pa.Table,
        informative: pa.Table,
        rendered: Sequence[Rendered],
        unlike: Sequence[training_ranges.Unlike | None],
    ) -> list[str | None]:
        """Why each case has no answer; None where it has one. A case far from all training cases has none, however
        probable a cancer seems."""
        least, alterations = self.calibration.abstain_below, _alterations(cases, informative)
        informed = self._informed(cases, rendered)
        out: list[str | None] = []
        for row, far, known, n in zip(p, unlike, informed, alterations.tolist(), strict=True):
            if far and far.reason:
                out.append(far.reason)
            else:
                out.append(abstention.reason(row, least, n) if known else abstention.NOTHING_TO_GO_BY)
        return out

    def _informed(self, cases: pa.Table, rendered: Sequence[Rendered]) -> np.ndarray:
        """Which cases (bool, shape (n,)) have anything that tells a cancer: a mutation of the vocabulary, or, where the
        model knows them, copy number, a fusion or a matrix of spectra without mutations."""
        named = np.array([bool(text.mutations) for text in rendered])
        if not features.sees_assays(self.vocabulary):
            return named
        arms = cases["arms"].is_valid().to_numpy(zero_copy_only=False)
        events = [any(map(len, found)) for found in zip(*(cases[name].to_pylist() for name in EVENTS), strict=True)]
        unread = np.array([panel == NOTHING for panel in cases["panel"].to_pylist()], bool)
        spectra = cases["sbs96"].is_valid().to_numpy(zero_copy_only=False) & unread
        return named | arms | spectra | np.array(events, bool)


def _alterations(cases: pa.Table, informative: pa.Table) -> np.ndarray:
    """How many alterations of each case the model knows, shape (n,): mutations, altered arms, and other events."""
    rows = features.case_rows(cases, informative)
    mutations = np.bincount(rows[rows >= 0], minlength=cases.num_rows)
    arms = [sum(1 for call in calls or () if call) for calls in cases["arms"].to_pylist()]
    events = [sum(map(len, found)) for found in zip(*(cases[name].to_pylist() for name in EVENTS), strict=True)]
    return mutations + np.array(arms, int) + np.array(events, int)


def _no_tokens(texts: Sequence[str]) -> list[int]:
    """Counts for a text that no language model reads: nothing is left out of it."""
    return [0] * len(texts)


def _weighted(p: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    if weights is None:
        return p
    weighted = p * weights
    if not (total := weighted.sum(axis=1, keepdims=True)).all():
        raise InputError(
            "the prior, the sex and the histology leave a case no label at all: give more labels a share, or another "
            "histology"
        )
    return weighted / total
