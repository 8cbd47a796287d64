"""The language model of a published folder: from texts to log-likelihoods of the 26 labels.

It is apart from :mod:`predictor` because PyTorch and transformers take seconds to import, and an answer of the trees
alone needs neither.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..language_model import base_of_adapter, loading
from ..scoring import likelihood
from ..text.prompt import Rendered
from ..text.rendering import counter_of
from . import manifest
from .damage import damage_explained
from .prediction_config import ADAPTER, PredictionConfig


class Reader:
    """Model and tokenizer, ready to score texts."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase):
        self._model, self._tokenizer = model, tokenizer

    @classmethod
    def load(cls, folder: Path) -> "Reader":
        """The language model of a published ``folder``, with the adapter merged in if there is one."""
        adapter = folder / ADAPTER
        if not adapter.is_dir():
            with damage_explained(folder):
                return cls(loading.load_model(folder), loading.load_tokenizer(folder))
        base = base_of_adapter.base_of(adapter)
        trained_on = json.loads((adapter / "training.json").read_text(encoding="utf-8"))["base"]
        manifest.check_weights(base, trained_on["sha256"])
        # Imports PEFT, which a merged model does not need.
        from ..scoring.merging import with_adapter

        with damage_explained(base):
            model = loading.load_model(base)
            tokenizer = loading.load_tokenizer(base)
        with damage_explained(adapter):
            return cls(with_adapter(model, adapter).merge_and_unload(), tokenizer)

    @property
    def count_tokens(self) -> Callable[[Sequence[str]], list[int]]:
        """How many tokens each text has."""
        return counter_of(self._tokenizer.backend_tokenizer)

    def log_likelihood(self, rendered: Sequence[Rendered], config: PredictionConfig, *, progress: bool) -> np.ndarray:
        """Log-likelihoods (n, 26) in nats of the labels after each text, averaged over the orders of its mutations.

        Each text is scored once, however many cases share it."""
        once = {(text.prompt, text.mutations): text for text in rendered}
        place = {key: number for number, key in enumerate(once)}
        scores = likelihood.averaged(
            likelihood.score_orders(
                self._model,
                self._tokenizer,
                list(once.values()),
                config.text.completion,
                orders=config.orders,
                batch_size=config.batch_size,
                progress=progress,
            )
        )
        return scores[[place[text.prompt, text.mutations] for text in rendered]]
