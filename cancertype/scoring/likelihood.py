"""Exact log-likelihoods of a fixed set of labels after each prompt, in one pass over the prompt.

The labels' tokens form a trie. A label's log-likelihood is the sum of ``log p(token | prompt, tokens before it)`` along
its path, so only the trie's inner nodes have to be read by the model, and a token that several labels share is read
once. The inner nodes follow the prompt in the same sequence; a mask lets each of them see the prompt and its own
ancestors alone (tree attention). Labels of one token have no inner nodes: they cost no more than reading the prompt.

Prompt and label are tokenised apart and their tokens joined. Training has to join them in the same way: tokenised as
one text, a label's first token could merge with the prompt's last.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import torch
from tqdm.auto import tqdm
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from ..errors import InputError
from ..language_model.label_trie import LabelTrie, label_trie
from ..text.prompt import Rendered, completions, shuffled

_LOGITS_AT_ONCE = 1 << 24
"""Logits held in memory at a time (64 MiB of float32): 64 positions of Gemma's 262,144 tokens."""

_TOKENS_AT_ONCE = 1 << 13
"""Tokens read in one pass. Attention's memory grows with the square of a prompt's length, so a batch of long prompts
has fewer of them: 32 prompts of 256 tokens, 4 of 2,048."""

_SHORTEST_PREFIX = 16
"""Tokens that all prompts must share before reading them once is worth a pass of its own."""


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
    encoded = _encode(tokenizer, prompts)
    _check_lengths(model, encoded, max(map(len, codes)))
    scores = np.empty((len(encoded), len(label_texts)))
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), tqdm(total=len(encoded), desc="Scoring", unit="case", disable=not progress) as bar:
            prefix = _Prefix.read(model, encoded)
            for batch in _by_length([len(tokens) + len(trie.tokens) for tokens in encoded], batch_size):
                scores[batch] = _score_batch(model, trie, prefix, [encoded[index] for index in batch])
                bar.update(len(batch))
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

    ``completion`` is the form of the answers, as ``text.completion``. The first order is the rendered one; the others
    are drawn from the prompt itself, so that a case gets the same answer whatever it is scored beside. Raises what
    :func:`score_labels` raises.
    """
    prompts = [case.prompt for case in cases]
    for order in range(1, orders):
        # A text seeds random.Random by its SHA-512, alike on every machine.
        prompts += [shuffled(c.prompt, c.mutations, random.Random(f"{order} {c.prompt}")) for c in cases]
    answers = list(completions(completion).values())
    scores = score_labels(model, tokenizer, prompts, answers, batch_size=batch_size, progress=progress)
    return scores.reshape(orders, len(cases), len(answers))


def averaged(scores: np.ndarray) -> np.ndarray:
    """Log of the likelihood averaged over the first axis: (orders, n_cases, n_labels) to (n_cases, n_labels), nats."""
    return np.logaddexp.reduce(scores, axis=0) - np.log(len(scores))


def _encode(tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str]) -> list[list[int]]:
    encoded = tokenizer(list(prompts))["input_ids"] if len(prompts) else []
    if any(tokens[:1] != [tokenizer.bos_token_id] for tokens in encoded):
        raise InputError(
            f"the tokenizer puts no {tokenizer.bos_token or '<bos>'} before a text, and Gemma reads nothing well "
            "without it: use the base model's own tokenizer"
        )
    return encoded


def _check_lengths(model: PreTrainedModel, encoded: list[list[int]], longest_label: int) -> None:
    room = model.config.get_text_config().max_position_embeddings - longest_label
    for index, tokens in enumerate(encoded):
        if len(tokens) > room:
            raise InputError(
                f"prompt {index} has {len(tokens)} tokens and the model takes {room} before a label: "
                "lower text.max_mutations or text.max_tokens"
            )


def _by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Indices in batches of similar length, the longest first, so that too little memory shows at once.

    A batch has at most ``batch_size`` of them, and at most ``_TOKENS_AT_ONCE`` tokens unless one alone has more.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        size = min(batch_size, max(1, _TOKENS_AT_ONCE // lengths[order[start]]))
        yield order[start : start + size]
        start += size


@dataclass(frozen=True)
class _Prefix:
    """Keys and values, by layer, of the tokens with which every prompt begins."""

    length: int
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]

    @classmethod
    def read(cls, model: PreTrainedModel, encoded: list[list[int]]) -> "_Prefix":
        length = _shared_length(encoded)
        if length < _SHORTEST_PREFIX or len(encoded) == 1:
            return cls(0, ())
        # Without a config the cache keeps every key in windowed layers too; the mask does the windowing.
        cache = DynamicCache()
        positions = torch.arange(length, device=model.device)[None]
        _hidden_states(model, torch.tensor([encoded[0][:length]]), positions, positions, _causal(length), cache)
        return cls(length, tuple((layer.keys, layer.values) for layer in cache.layers))

    def expanded(self, n: int) -> DynamicCache:
        """A fresh cache that begins with the prefix for each of ``n`` prompts."""
        cache = DynamicCache()
        for index, (keys, values) in enumerate(self.layers):
            cache.update(keys.expand(n, -1, -1, -1), values.expand(n, -1, -1, -1), index)
        return cache


def _shared_length(encoded: list[list[int]]) -> int:
    """Tokens that begin every prompt, short of any prompt's last one: its hidden state is needed case by case."""
    if not encoded:
        return 0
    # What the first and the last in sorted order share, all those between them share as well.
    pairs = zip(min(encoded), max(encoded), strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return min(shared, min(map(len, encoded)) - 1)


def _causal(length: int) -> torch.Tensor:
    return torch.ones(1, length, length, dtype=torch.bool).tril()


def _score_batch(model: PreTrainedModel, trie: LabelTrie, prefix: _Prefix, prompts: list[list[int]]) -> np.ndarray:
    """Log-likelihoods of one batch: (n_prompts, n_labels)."""
    device = model.device
    rests = [prompt[prefix.length :] for prompt in prompts]
    lengths = torch.tensor([len(rest) for rest in rests])
    longest = int(lengths.max())
    # Padding stands between a prompt and the trie. Prompts never look to the right, and the trie's mask leaves it out.
    tokens = torch.tensor([[*rest, *[0] * (longest - len(rest)), *trie.tokens] for rest in rests])
    in_prompt = torch.arange(longest).expand(len(prompts), -1)
    in_trie = lengths[:, None] + torch.tensor(trie.depths, dtype=torch.long) - 1
    positions = prefix.length + torch.cat([in_prompt, in_trie], dim=1)
    key_positions = torch.cat([torch.arange(prefix.length).expand(len(prompts), -1), positions], dim=1)
    visible = _visible(prefix.length, lengths, trie)
    cache = prefix.expanded(len(prompts)) if prefix.length else None
    hidden = _hidden_states(model, tokens, positions, key_positions, visible, cache)
    roots = hidden[torch.arange(len(prompts), device=device), (lengths - 1).to(device)]
    states = torch.cat([roots[:, None], hidden[:, longest:]], dim=1)
    log_p = _log_probabilities(model, states.flatten(0, 1), trie.choices)
    log_p = log_p.reshape(len(prompts), -1, len(trie.choices))
    column = {token: index for index, token in enumerate(trie.choices)}
    return np.stack([sum(log_p[:, node, column[token]] for node, token in path) for path in trie.paths.values()], 1)


def _visible(prefix: int, lengths: torch.Tensor, trie: LabelTrie) -> torch.Tensor:
    """Which keys (prefix, prompt, trie) a query (prompt, trie) may see, windows aside: bool, (n or 1, queries, keys).

    Without inner nodes it is the plain causal mask, the same for every prompt.
    """
    longest, nodes = int(lengths.max()), len(trie.tokens)
    prompt_rows = torch.cat([_causal(longest), torch.zeros(1, longest, nodes, dtype=torch.bool)], dim=2)
    if nodes:
        own_prompt = torch.arange(longest) < lengths[:, None, None]
        ancestors = torch.from_numpy(trie.ancestors).expand(len(lengths), -1, -1)
        node_rows = torch.cat([own_prompt.expand(-1, nodes, -1), ancestors], dim=2)
        prompt_rows = torch.cat([prompt_rows.expand(len(lengths), -1, -1), node_rows], dim=1)
    return torch.nn.functional.pad(prompt_rows, (prefix, 0), value=True)


def _hidden_states(
    model: PreTrainedModel,
    tokens: torch.Tensor,
    positions: torch.Tensor,
    key_positions: torch.Tensor,
    visible: torch.Tensor,
    cache: DynamicCache | None,
) -> torch.Tensor:
    """Last hidden states, (n, queries, hidden), under a mask of our own for each kind of attention layer."""
    device = model.device
    positions, key_positions, visible = positions.to(device), key_positions.to(device), visible.to(device)
    shared = slice(0, len(visible))
    distance = positions[shared, :, None] - key_positions[shared, None, :]
    window = model.config.get_text_config().sliding_window
    masks = {
        "full_attention": _additive(visible, model.dtype),
        "sliding_attention": _additive(visible & (distance < window), model.dtype),
    }
    return model.get_decoder()(
        input_ids=tokens.to(device),
        attention_mask=masks,
        position_ids=positions,
        past_key_values=cache,
        use_cache=cache is not None,
    ).last_hidden_state


def _additive(allowed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Zero where allowed, else the lowest number, (n, 1, queries, keys), for eager attention adds masks to scores."""
    zeros = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return zeros.masked_fill(~allowed, torch.finfo(dtype).min)[:, None]


def _log_probabilities(model: PreTrainedModel, states: torch.Tensor, tokens: Sequence[int]) -> np.ndarray:
    """Natural log-probabilities of the given next tokens under the whole vocabulary: float64, (n_states, n_tokens)."""
    head = model.get_output_embeddings()
    cap = model.config.get_text_config().final_logit_softcapping
    at_once = max(1, _LOGITS_AT_ONCE // model.config.get_text_config().vocab_size)
    picked = []
    for some in states.split(at_once):
        logits = head(some).float()
        if cap is not None:
            logits = cap * torch.tanh(logits / cap)
        normaliser = logits.logsumexp(dim=1, keepdim=True)
        # To the CPU first: Apple's GPUs have no float64.
        picked.append(logits[:, list(tokens)].cpu().double() - normaliser.cpu().double())
    return torch.cat(picked).numpy()
