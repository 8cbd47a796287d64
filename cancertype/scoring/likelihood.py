"""Exact log-likelihoods of a fixed set of labels after each prompt, in one pass over the prompt.

The labels' tokens form a trie. A label's log-likelihood is the sum of ``log p(token | prompt, tokens before it)`` along
its path, so only the trie's inner nodes have to be read by the model, and a token that several labels share is read
once. The inner nodes follow the prompt in the same sequence; a mask lets each of them see the prompt and its own
ancestors alone (tree attention). Labels of one token have no inner nodes: they cost no more than reading the prompt.

Prompt and label are tokenised apart and their tokens joined. Training has to join them in the same way: tokenised as
one text, a label's first token could merge with the prompt's last.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tqdm.auto import tqdm
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from ..language_model.label_trie import LabelTrie, label_trie
from ..text.prompt import Rendered, completions
from . import batches
from .batches import Batch


def score_labels(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    label_texts: Sequence[str],
    *,
    batch_size: int,
    progress: bool = True,
) -> np.ndarray:
    """Log-likelihood of every label after every prompt, in nats: float64, (n_prompts, n_labels).

    Where one label's tokens begin another's, the shorter one's likelihood includes the longer one's.

    Args:
        model: a Gemma 2 or Gemma 3 causal language model, or one wrapped by PEFT; scored in evaluation mode.
        tokenizer: its tokenizer, which puts ``<bos>`` before a prompt.
        prompts: texts without the label.
        label_texts: what follows a prompt, with its leading space.
        batch_size: prompts in one pass at most, and fewer where they are long (8,192 tokens in one pass). They are
            sorted by length, so that little of a pass is padding.
        progress: whether to show a progress bar.

    Raises:
        InputError: labels without tokens or alike, no ``<bos>``, or a prompt longer than the model can take.
    """
    codes = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in label_texts]
    trie = label_trie(dict(enumerate(codes)))
    room = model.config.get_text_config().max_position_embeddings - max(map(len, codes))
    encoded = batches.encode(lambda texts: tokenizer(texts)["input_ids"], prompts, tokenizer.bos_token_id, room)
    scores = np.empty((len(encoded), len(label_texts)))
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), tqdm(total=len(encoded), desc="Scoring", unit="case", disable=not progress) as bar:
            prefix = _Prefix.read(model, encoded)
            for rows in batches.by_length([len(tokens) + len(trie.tokens) for tokens in encoded], batch_size):
                scores[rows] = _score_batch(model, trie, prefix, [encoded[row] for row in rows])
                bar.update(len(rows))
    finally:
        model.train(was_training)
    return scores


def score_orders(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    cases: Sequence[Rendered],
    completion: str,
    *,
    orders: int,
    batch_size: int,
    progress: bool = True,
) -> np.ndarray:
    """Log-likelihood of every label (nats, float64, (orders, n_cases, 26)) for several orders of a case's mutations.

    ``completion`` is the form of the answers, as ``text.completion``. The first order is the rendered one, the others
    are those of ``batches.in_orders``. Raises what :func:`score_labels` raises.
    """
    prompts, answers = batches.in_orders(cases, orders), list(completions(completion).values())
    scores = score_labels(model, tokenizer, prompts, answers, batch_size=batch_size, progress=progress)
    return scores.reshape(orders, len(cases), len(answers))


@dataclass(frozen=True)
class _Prefix:
    """Keys and values, by layer, of the tokens with which every prompt begins."""

    length: int
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]

    @classmethod
    def read(cls, model: PreTrainedModel, encoded: list[list[int]]) -> "_Prefix":
        length = batches.shared_length(encoded)
        if length < batches.SHORTEST_PREFIX or len(encoded) == 1:
            return cls(0, ())
        # Without a config the cache keeps every key in windowed layers too; the mask does the windowing.
        cache = DynamicCache()
        _hidden_states(model, Batch.of_prefix(encoded[0][:length]), cache)
        return cls(length, tuple((layer.keys, layer.values) for layer in cache.layers))

    def expanded(self, n: int) -> DynamicCache:
        """A fresh cache that begins with the prefix for each of ``n`` prompts."""
        cache = DynamicCache()
        for index, (keys, values) in enumerate(self.layers):
            cache.update(keys.expand(n, -1, -1, -1), values.expand(n, -1, -1, -1), index)
        return cache


def _score_batch(model: PreTrainedModel, trie: LabelTrie, prefix: _Prefix, prompts: list[list[int]]) -> np.ndarray:
    """Log-likelihoods of one batch: (n_prompts, n_labels)."""
    batch = Batch.of(prompts, trie, prefix.length)
    hidden = _hidden_states(model, batch, prefix.expanded(len(prompts)) if prefix.length else None)
    at = torch.from_numpy(batch.at).to(model.device)
    states = hidden[torch.arange(len(prompts), device=model.device)[:, None], at]
    log_p = _log_probabilities(model, states.flatten(0, 1), trie.choices)
    return batches.along_paths(log_p.reshape(*batch.at.shape, len(trie.choices)), trie)


def _hidden_states(model: PreTrainedModel, batch: Batch, cache: DynamicCache | None) -> torch.Tensor:
    """Last hidden states, (n, queries, hidden), under a mask of our own for each kind of attention layer."""
    window = model.config.get_text_config().sliding_window
    masks = {"full_attention": batch.visible, "sliding_attention": batch.within(window)}
    return model.get_decoder()(
        input_ids=torch.from_numpy(batch.tokens).to(model.device),
        attention_mask={kind: _additive(mask, model) for kind, mask in masks.items()},
        position_ids=torch.from_numpy(batch.positions).to(model.device),
        past_key_values=cache,
        use_cache=cache is not None,
    ).last_hidden_state


def _additive(allowed: np.ndarray, model: PreTrainedModel) -> torch.Tensor:
    """Zero where allowed, else the lowest number, (n, 1, queries, keys), for eager attention adds masks to scores."""
    mask = torch.from_numpy(allowed).to(model.device)
    zeros = torch.zeros(mask.shape, dtype=model.dtype, device=model.device)
    return zeros.masked_fill(~mask, torch.finfo(model.dtype).min)[:, None]


def _log_probabilities(model: PreTrainedModel, states: torch.Tensor, tokens: Sequence[int]) -> np.ndarray:
    """Natural log-probabilities of the given next tokens under the whole vocabulary: float64, (n_states, n_tokens)."""
    head = model.get_output_embeddings()
    cap = model.config.get_text_config().final_logit_softcapping
    at_once = max(1, batches.LOGITS_AT_ONCE // model.config.get_text_config().vocab_size)
    picked = []
    for some in states.split(at_once):
        logits = head(some).float()
        if cap is not None:
            logits = cap * torch.tanh(logits / cap)
        normaliser = logits.logsumexp(dim=1, keepdim=True)
        # To the CPU first: Apple's GPUs have no float64.
        picked.append(logits[:, list(tokens)].cpu().double() - normaliser.cpu().double())
    return torch.cat(picked).numpy()
