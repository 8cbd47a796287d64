"""What users load: from mutations to calibrated probabilities of 26 cancers, by the very path that was evaluated."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from .. import features
from ..errors import InputError
from ..evaluation import tabular
from ..labels import LABELS
from ..language_model import base_of_adapter, loading
from ..scoring import likelihood
from ..text.prompt import Rendered
from ..text.rendering import Renderer, counter_of
from ..variants.cases import SourceTables
from .prediction_config import ADAPTER, TREES, VOCABULARY, PredictionConfig


@dataclass(frozen=True)
class Predictions:
    """Predictions for n cases. ``p`` (n, 26) are calibrated probabilities in the order of ``LABELS``, ``in_set`` (n,
    26) the conformal set, ``log_likelihood`` (n, 26) the language model's own (nats), ``trees`` (n, 26) the trees'
    probabilities, ``abstains`` a reason or None for each case, ``rendered`` the texts that were scored."""

    cases: pa.Table
    rendered: list[Rendered]
    log_likelihood: np.ndarray
    trees: np.ndarray
    p: np.ndarray
    in_set: np.ndarray
    abstains: list[str | None]

    def top(self, n: int = 3) -> list[list[tuple[str, float]]]:
        """The ``n`` most probable labels of each case with their probabilities."""
        order = np.argsort(-self.p, axis=1, kind="stable")[:, :n]
        return [[(LABELS[i], float(row[i])) for i in best] for row, best in zip(self.p, order, strict=True)]


class Predictor:
    """A published model: language model, trees and calibration behind one ``predict``."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        config: PredictionConfig,
        vocabulary: features.Vocabulary,
        trees: tabular.TabularModels,
        count_tokens,
    ):
        self.config = config
        self.vocabulary = vocabulary
        self.calibration = config.calibration
        self._model, self._tokenizer, self._trees, self._count_tokens = model, tokenizer, trees, count_tokens

    @classmethod
    def from_pretrained(cls, source: str | Path, revision: str | None = None) -> "Predictor":
        """Load a published folder or Hub repository: merged weights, or an ``adapter`` that is put onto its base.

        Raises ``InputError`` for one that is missing or incomplete."""
        # Imported where they are needed: each adds a second to every start.
        folder = Path(source)
        if revision is not None or not folder.is_dir():
            from ..language_model.conversion import local_folder

            folder = local_folder(str(source), revision)
        config = PredictionConfig.load(folder)
        adapter = folder / ADAPTER
        weights = base_of_adapter.base_of(adapter) if adapter.is_dir() else folder
        model = loading.load_model(weights)
        if adapter.is_dir():
            from ..scoring.merging import with_adapter

            model = with_adapter(model, adapter).merge_and_unload()
        tokenizer = loading.load_tokenizer(weights)
        return cls(
            model,
            tokenizer,
            config,
            features.Vocabulary.load(folder / VOCABULARY),
            tabular.load(folder / TREES),
            counter_of(tokenizer.backend_tokenizer),
        )

    @property
    def training_share(self) -> np.ndarray:
        """Share (26,) of each label among the training cases, with one more case spread over all, as in the trees."""
        return self._trees.prior

    def predict(
        self, tables: SourceTables, *, weights: np.ndarray | None = None, progress: bool = sys.stderr.isatty()
    ) -> Predictions:
        """Predict every case of ``tables`` (from any reader of ``cancertype.variants.cases``).

        ``weights`` (26,) or (n, 26) multiply the calibrated probabilities, which are then scaled to sum to 1: a prior
        divided by ``training_share`` (Saerens et al. 2002), 0 for a label that is ruled out. Raises ``InputError``
        where they leave a case no label."""
        variants, panels = tables.variants, tables.panels
        if panel := self.vocabulary.names("panel"):
            variants = features.restrict_to_panel(variants, panel)
        cases = features.count(tables.cases, variants)
        told = features.informative_variants(cases, variants, self.vocabulary)
        rendered = Renderer(self.config.text, self.vocabulary, self._count_tokens, panels).render(cases, told)
        x, columns = features.matrix(cases, told, self.vocabulary, panels)
        trees = self._trees.predict_proba(x, columns)
        scores = likelihood.averaged(
            likelihood.score_orders(
                self._model,
                self._tokenizer,
                rendered,
                self.config.text.completion,
                orders=self.config.orders,
                batch_size=self.config.batch_size,
                progress=progress,
            )
        )
        p = _weighted(self.calibration.apply(scores, trees), weights)
        unsure = self.calibration.abstains(p)
        abstains = [self._why_not(r, doubt) for r, doubt in zip(rendered, unsure, strict=True)]
        return Predictions(cases, rendered, scores, trees, p, self.calibration.sets(p), abstains)

    def _why_not(self, rendered: Rendered, unsure: bool) -> str | None:
        if not rendered.mutations:
            return "no informative mutation"
        doubt = f"looks like none of the 26: no cancer reaches a probability of {self.calibration.abstain_below:g}"
        return doubt if unsure else None


def _weighted(p: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    if weights is None:
        return p
    weighted = p * weights
    if not (total := weighted.sum(axis=1, keepdims=True)).all():
        raise InputError("the prior and the sex leave a case no label at all: give more labels a share")
    return weighted / total
