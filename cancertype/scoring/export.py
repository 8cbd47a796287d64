"""Writing a language model for ONNX Runtime (``scoring.exported``), and the proof that it answers as the model does."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.export import Dim
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..files import whole_folder, write_json, write_text
from .exported import EMBEDDINGS, FEW_TOKENS, GRAPH, INPUTS, SETTINGS, TOKENIZER, Exported
from .few_tokens import shortened
from .likelihood import score_labels

TOLERANCE = 2e-3
"""Largest difference in any label's log-likelihood, in nats, between the model and its export, both in float32."""


def can_be_exported(model: PreTrainedModel) -> bool:
    """Whether the model's output layer is its embeddings, as every Gemma's is: an export holds them once."""
    return model.get_output_embeddings().weight.data_ptr() == model.get_input_embeddings().weight.data_ptr()


def export(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    out: Path,
    prompts: Sequence[str],
    label_texts: Sequence[str],
) -> float:
    """Write the exported folder ``out``, whole or not at all, and only if it answers as ``model`` does.

    ``model`` is in float32 on the CPU, and ``can_be_exported``. The two are compared on ``prompts``. Returns the
    largest difference in a label's log-likelihood, in nats. Raises ``RuntimeError`` where it is above ``TOLERANCE``,
    and ``OSError`` where the disk is full."""
    embeddings = model.get_input_embeddings()
    config = model.config.get_text_config()
    out = Path(out)
    with whole_folder(out) as folder:
        _write_graph(model, folder / GRAPH)
        np.save(folder / EMBEDDINGS, embeddings.weight.detach().numpy())
        tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
        write_text(folder / FEW_TOKENS, shortened((folder / TOKENIZER).read_text(encoding="utf-8")))
        about = {
            "window": config.sliding_window,
            "longest": config.max_position_embeddings,
            "cap": config.final_logit_softcapping,
            # Gemma 3 scales embeddings as it looks them up, Gemma 2 afterwards, in what the graph holds.
            "scale": float(getattr(embeddings, "embed_scale", 1.0)),
            "bos": tokenizer.bos_token_id,
        }
        write_json(folder / SETTINGS, about)
        given = {"batch_size": len(prompts), "progress": False}
        expected = score_labels(model, tokenizer, prompts, label_texts, **given)
        found = Exported(folder).score_labels(prompts, label_texts, **given)
        difference = float(np.abs(found - expected).max())
        # Written so that NaN fails as well.
        if not difference <= TOLERANCE:
            raise RuntimeError(f"the exported model differs by {difference:.3g} nats on a label (at most {TOLERANCE})")
    return difference


class _Decoder(torch.nn.Module):
    """From embedded tokens to the last hidden states of some columns, with the masks as inputs."""

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.decoder = model.get_decoder()

    def forward(self, embedded, positions, full_attention, sliding_attention, at):
        hidden = self.decoder(
            inputs_embeds=embedded,
            attention_mask={"full_attention": full_attention, "sliding_attention": sliding_attention},
            position_ids=positions,
            use_cache=False,
        ).last_hidden_state
        return torch.gather(hidden, 1, at[:, :, None].expand(-1, -1, hidden.shape[2]))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's warnings and its progress, which speak of its own insides."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _write_graph(model: PreTrainedModel, path: Path) -> None:
    # Any sizes do, but for 0 and 1, which the exporter would take for constants.
    n, queries, nodes = 2, 7, 3
    mask = torch.zeros(n, 1, queries, queries)
    embedded = torch.zeros(n, queries, model.get_input_embeddings().weight.shape[1])
    example = (
        embedded,
        torch.arange(queries).repeat(n, 1),
        mask,
        mask.clone(),
        torch.zeros(n, nodes, dtype=torch.long),
    )
    most = model.config.get_text_config().max_position_embeddings
    cases, tokens, columns = Dim("n", min=1), Dim("queries", min=2, max=most), Dim("nodes", min=1)
    of_mask = {0: cases, 2: tokens, 3: tokens}
    shapes = ({0: cases, 1: tokens}, {0: cases, 1: tokens}, of_mask, of_mask, {0: cases, 1: columns})
    with torch.inference_mode(), _quiet():
        torch.onnx.export(
            _Decoder(model).eval(),
            example,
            path,
            dynamo=True,
            dynamic_shapes=shapes,
            input_names=list(INPUTS),
            output_names=["states"],
            external_data=True,
            verbose=False,
        )
