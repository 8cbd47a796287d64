"""The language model of a published folder: from texts to log-likelihoods of the 26 labels.

On a CPU ONNX Runtime computes it, from an export that is made once per machine. PyTorch and transformers, which take
ten seconds to load, are imported only where they compute: to make the export, and on a machine with a GPU.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from ..labels import LABELS
from ..language_model import base_of_adapter
from ..scoring import batches
from ..text.prompt import Rendered, completions
from ..text.rendering import counter_of
from . import exports, manifest
from .damage import damage_explained
from .prediction_config import ADAPTER, PredictionConfig

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

COMPARED_ON = (
    "tumour female\nmutations: TP53 R175H, APC R1450*, KRAS G12D\ncancer:",
    "cell line\nmutations: BRAF V600E\ncancer:",
    "gains 7; losses 10\namplified EGFR; deleted CDKN2A\nmutations: PTEN, TERT\ncancer:",
)
"""Texts on which an export has to answer as the model does, before it is used."""


_REMEMBERED = 4096
"""Texts whose scores are kept."""


class Reader:
    """Scores texts. ``score_orders`` is that function of ``scoring.likelihood`` for one model, and ``tokenizer`` its
    own."""

    def __init__(self, score_orders: Callable[..., np.ndarray], tokenizer: Tokenizer):
        self._score_orders, self._tokenizer = score_orders, tokenizer
        self._scored: dict[tuple[str, tuple[str, ...]], np.ndarray] = {}

    @classmethod
    def load(cls, folder: Path, completion: str) -> "Reader":
        """The language model of a published ``folder``, whose answers have the form ``completion``.

        Raises ``InputError`` for a model that is missing or damaged."""
        exported = exports.folder_of(folder, partial(_export, folder, completion)) if exports.wanted() else None
        if exported is not None:
            from ..scoring.exported import Exported

            with damage_explained(exported):
                model = Exported(exported)
            return cls(model.score_orders, model.tokenizer)
        from ..scoring import likelihood

        model, tokenizer = _loaded(folder)
        return cls(partial(likelihood.score_orders, model, tokenizer), tokenizer.backend_tokenizer)

    @property
    def count_tokens(self) -> Callable[[Sequence[str]], list[int]]:
        """How many tokens each text has."""
        return counter_of(self._tokenizer)

    def log_likelihood(self, rendered: Sequence[Rendered], config: PredictionConfig, *, progress: bool) -> np.ndarray:
        """Log-likelihoods (n, 26) in nats of the labels after each text, averaged over the orders of its mutations.

        Each text is scored once, however many cases share it, also of those that come one after another."""
        if len(self._scored) > _REMEMBERED:
            # Not cleared: another thread may be using it.
            self._scored = {}
        scored = self._scored
        keys = [(text.prompt, text.mutations) for text in rendered]
        new = {key: text for key, text in zip(keys, rendered, strict=True) if key not in scored}
        if new:
            scores = batches.averaged(
                self._score_orders(
                    list(new.values()),
                    config.text.completion,
                    orders=config.orders,
                    batch_size=config.batch_size,
                    progress=progress,
                )
            )
            scored |= zip(new, scores, strict=True)
        return np.stack([scored[key] for key in keys]) if keys else np.empty((0, len(LABELS)))


def _loaded(folder: Path, **how) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """The model of a published ``folder`` with its adapter merged in, if there is one, and its tokenizer. ``how`` goes
    to ``loading.load_model``."""
    from ..language_model import loading

    adapter = folder / ADAPTER
    if not adapter.is_dir():
        with damage_explained(folder):
            return loading.load_model(folder, **how), loading.load_tokenizer(folder)
    base = base_of_adapter.base_of(adapter)
    trained_on = json.loads((adapter / "training.json").read_text(encoding="utf-8"))["base"]
    manifest.check_weights(base, trained_on["sha256"])
    # Imports PEFT, which a merged model does not need.
    from ..scoring.merging import with_adapter

    with damage_explained(base):
        model, tokenizer = loading.load_model(base, **how), loading.load_tokenizer(base)
    with damage_explained(adapter):
        return with_adapter(model, adapter).merge_and_unload(), tokenizer


def _export(folder: Path, completion: str, out: Path) -> bool:
    """Write the export of the model in ``folder``; False for one that is too large for a CPU to answer with, or keeps
    its output layer apart."""
    from ..language_model import loading
    from ..scoring.export import can_be_exported, export

    model, tokenizer = _loaded(folder, dtype="float32", device="cpu")
    if model.num_parameters() > loading.LARGEST_ON_CPU or not can_be_exported(model):
        return False
    export(model, tokenizer, out, COMPARED_ON, list(completions(completion).values()))
    return True
