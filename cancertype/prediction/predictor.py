"""What users load: from mutations to calibrated probabilities of 26 cancers, through the code that was evaluated."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from .. import features
from ..alterations.of_cases import OfCases
from ..errors import InputError
from ..evaluation import tabular
from ..features.alteration_columns import EVENTS
from ..labels import LABELS
from ..language_model import base_of_adapter, loading
from ..scoring import likelihood
from ..text.prompt import Rendered
from ..text.rendering import Renderer, counter_of
from ..variants.cases import NOTHING, SourceTables
from . import abstention, manifest
from .evidence import Associations, Fact
from .prediction_config import ADAPTER, ASSOCIATIONS, CONFIG, TREES, VOCABULARY, PredictionConfig


@dataclass(frozen=True)
class Predictions:
    """Predictions for n cases.

    ``p`` (n, 26) are calibrated probabilities in the order of ``LABELS``, ``in_set`` (n, 26) says which labels are in
    the conformal set, ``log_likelihood`` (n, 26) is the language model's own in nats, ``trees`` (n, 26) are the
    probabilities of the trees. ``abstains`` holds a reason or None per case, ``rendered`` the texts that were scored.
    """

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
        count_tokens: Callable[[Sequence[str]], list[int]],
        associations: Associations | None = None,
    ):
        self.config = config
        self.vocabulary = vocabulary
        self.calibration = config.calibration
        self._model, self._tokenizer, self._trees, self._count_tokens = model, tokenizer, trees, count_tokens
        self._associations = associations

    @classmethod
    def from_pretrained(cls, source: str | Path, revision: str | None = None) -> "Predictor":
        """Load a published folder or Hub repository: merged weights, or an ``adapter`` that is put onto its base.

        Every file is compared with the manifest first. Raises ``InputError`` for a model that is missing, incomplete
        or damaged.
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
        with _damage_explained(folder / VOCABULARY):
            vocabulary = features.Vocabulary.load(folder / VOCABULARY)
        with _damage_explained(folder / TREES):
            trees = tabular.load(folder / TREES)
        associations = None
        # Models published before evidence was counted lack the file.
        if (folder / ASSOCIATIONS).is_file():
            with _damage_explained(folder / ASSOCIATIONS):
                associations = Associations(pq.read_table(folder / ASSOCIATIONS))
        model, tokenizer = _language_model(folder)
        count_tokens = counter_of(tokenizer.backend_tokenizer)
        return cls(model, tokenizer, config, vocabulary, trees, count_tokens, associations)

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
        rendered = Renderer(self.config.text, self.vocabulary, self._count_tokens, panels).render(cases, informative)
        x, columns = features.matrix(cases, informative, self.vocabulary, panels)
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
        groups = features.groups(cases, panels)
        p = _weighted(self.calibration.apply(scores, trees, groups), weights)
        informed = self._informed(cases, rendered)
        least = self.calibration.abstain_below
        abstains = [
            abstention.reason(row, least) if known else abstention.NOTHING_TO_GO_BY
            for row, known in zip(p, informed, strict=True)
        ]
        return Predictions(cases, rendered, scores, trees, p, self.calibration.sets(p, groups=groups), abstains)

    def evidence(self, tables: SourceTables, predictions: Predictions) -> dict[str, list[Fact]]:
        """Case to what the training cases say of its alterations and its most probable label; empty for a model that
        was published without such counts."""
        if self._associations is None:
            return {}
        names = predictions.cases["case_id"].to_pylist()
        first = dict(zip(names, (top[0][0] for top in predictions.top(1)), strict=True))
        return self._associations.facts(tables, first)

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


def _language_model(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and tokenizer of a published folder, with the adapter merged in if there is one."""
    adapter = folder / ADAPTER
    if not adapter.is_dir():
        with _damage_explained(folder):
            return loading.load_model(folder), loading.load_tokenizer(folder)
    base = base_of_adapter.base_of(adapter)
    trained_on = json.loads((adapter / "training.json").read_text(encoding="utf-8"))["base"]
    manifest.check_weights(base, trained_on["sha256"])
    # Imports PEFT, which a merged model does not need.
    from ..scoring.merging import with_adapter

    with _damage_explained(base):
        model = loading.load_model(base)
        tokenizer = loading.load_tokenizer(base)
    with _damage_explained(adapter):
        return with_adapter(model, adapter).merge_and_unload(), tokenizer


_OF_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, RuntimeError),
    *(SafetensorError, pa.ArrowException, lightgbm.basic.LightGBMError),
)
"""What transformers, safetensors, pyarrow and LightGBM raise for a damaged file."""


@contextmanager
def _damage_explained(path: Path) -> Iterator[None]:
    """Turn what a damaged file raises while it is parsed into one ``InputError``."""
    try:
        yield
    except (InputError, torch.OutOfMemoryError):
        raise
    except _OF_DAMAGE as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: damaged or incomplete ({reason}): get the model again") from error


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
