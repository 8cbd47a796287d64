"""What a model reads to score labels: prompts with the labels' trie behind them, in batches of like length.

This needs NumPy alone, so that an answer does not wait for PyTorch where another library computes it.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from ..errors import InputError
from ..language_model.label_trie import LabelTrie
from ..text.prompt import Rendered, shuffled

LOGITS_AT_ONCE = 1 << 24
"""Logits held in memory at a time (64 MiB of float32): 64 positions of Gemma's 262,144 tokens."""

TOKENS_AT_ONCE = 1 << 13
"""Tokens read in one pass. Attention's memory grows with the square of a prompt's length, so a batch of long prompts
has fewer of them: 32 prompts of 256 tokens, 4 of 2,048."""

SHORTEST_PREFIX = 16
"""Tokens that all prompts must share before reading them once is worth a pass of its own."""


@dataclass(frozen=True)
class Batch:
    """Tokens to read in one pass.

    ``tokens`` and ``positions`` (n, queries): a prompt (or what follows the prefix), padding, the trie's inner nodes.
    ``key_positions`` (n, keys): those of the prefix before them too. ``visible`` (n or 1, queries, keys): which keys a
    query may see, windows aside. ``at`` (n, nodes): the columns whose states choose the next token of a label, the
    prompt's last one first.
    """

    tokens: np.ndarray
    positions: np.ndarray
    key_positions: np.ndarray
    visible: np.ndarray
    at: np.ndarray

    @classmethod
    def of(cls, prompts: Sequence[Sequence[int]], trie: LabelTrie, prefix: int = 0) -> "Batch":
        """The batch of these prompts, whose first ``prefix`` tokens have been read already."""
        rests = [prompt[prefix:] for prompt in prompts]
        n, nodes = len(rests), len(trie.tokens)
        lengths = np.array([len(rest) for rest in rests])
        longest = int(lengths.max())
        # Padding stands between prompt and trie. Prompts never look to the right, and the trie's mask leaves it out.
        tokens = np.array([[*rest, *[0] * (longest - len(rest)), *trie.tokens] for rest in rests], np.int64)
        in_prompt = np.broadcast_to(np.arange(longest), (n, longest))
        in_trie = lengths[:, None] + np.array(trie.depths, np.int64)[None] - 1
        positions = prefix + np.concatenate([in_prompt, in_trie], axis=1).astype(np.int64)
        before = np.broadcast_to(np.arange(prefix), (n, prefix))
        inner = np.broadcast_to(longest + np.arange(nodes), (n, nodes))
        return cls(
            tokens,
            positions,
            np.concatenate([before, positions], axis=1),
            _visible(prefix, lengths, trie),
            np.concatenate([lengths[:, None] - 1, inner], axis=1).astype(np.int64),
        )

    @classmethod
    def of_prefix(cls, tokens: Sequence[int]) -> "Batch":
        """The beginning that all prompts share, to be read once."""
        positions = np.arange(len(tokens), dtype=np.int64)[None]
        nowhere = np.zeros((1, 0), np.int64)
        return cls(np.array([tokens], np.int64), positions, positions, _causal(len(tokens))[None], nowhere)

    def within(self, window: int) -> np.ndarray:
        """``visible`` for a layer that looks back over ``window`` positions, itself included."""
        shared = slice(0, len(self.visible))
        distance = self.positions[shared, :, None] - self.key_positions[shared, None, :]
        return self.visible & (distance < window)


def _causal(length: int) -> np.ndarray:
    return np.tri(length, dtype=bool)


def _visible(prefix: int, lengths: np.ndarray, trie: LabelTrie) -> np.ndarray:
    """Which keys (prefix, prompt, trie) a query (prompt, trie) may see: bool, (n or 1, queries, keys).

    Without inner nodes it is the plain causal mask, the same for every prompt."""
    longest, nodes, n = int(lengths.max()), len(trie.tokens), len(lengths)
    rows = np.concatenate([_causal(longest), np.zeros((longest, nodes), bool)], axis=1)[None]
    if nodes:
        own = np.broadcast_to((np.arange(longest) < lengths[:, None])[:, None], (n, nodes, longest))
        ancestors = np.broadcast_to(trie.ancestors, (n, nodes, nodes))
        of_nodes = np.concatenate([own, ancestors], axis=2)
        rows = np.concatenate([np.broadcast_to(rows, (n, *rows.shape[1:])), of_nodes], axis=1)
    return np.pad(rows, ((0, 0), (0, 0), (prefix, 0)), constant_values=True)


def encode(
    tokenize: Callable[[Sequence[str]], list[list[int]]], prompts: Sequence[str], bos: int, room: int
) -> list[list[int]]:
    """The token ids of each prompt.

    Raises ``InputError`` where a prompt does not begin with the token ``bos``, and for one of more than ``room``
    tokens."""
    encoded = tokenize(list(prompts)) if len(prompts) else []
    for index, tokens in enumerate(encoded):
        if list(tokens[:1]) != [bos]:
            raise InputError(
                "the tokenizer puts no <bos> before a text, and Gemma reads nothing well without it: use the base "
                "model's own tokenizer"
            )
        if len(tokens) > room:
            raise InputError(
                f"prompt {index} has {len(tokens)} tokens and the model takes {room} before a label: "
                "lower text.max_mutations or text.max_tokens"
            )
    return encoded


def by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Indices in batches of similar length, the longest first, so that too little memory shows at once.

    A batch has at most ``batch_size`` of them, and at most ``TOKENS_AT_ONCE`` tokens unless one alone has more.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        size = min(batch_size, max(1, TOKENS_AT_ONCE // lengths[order[start]]))
        yield order[start : start + size]
        start += size


def shared_length(encoded: list[list[int]]) -> int:
    """Tokens that begin every prompt, short of any prompt's last one: its hidden state is needed case by case."""
    if not encoded:
        return 0
    # What the first and the last in sorted order share, all those between them share as well.
    pairs = zip(min(encoded), max(encoded), strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return min(shared, min(map(len, encoded)) - 1)


def along_paths(log_p: np.ndarray, trie: LabelTrie) -> np.ndarray:
    """Log-likelihoods (n, labels) from the log-probabilities (n, nodes, choices) of ``trie.choices`` at its nodes."""
    column = {token: index for index, token in enumerate(trie.choices)}
    return np.stack([sum(log_p[:, node, column[token]] for node, token in path) for path in trie.paths.values()], 1)


def in_orders(cases: Sequence[Rendered], orders: int) -> list[str]:
    """The prompts of all cases in the rendered order, then in ``orders - 1`` further ones.

    These are drawn from the prompt itself, so that a case gets the same answer whatever it is scored beside."""
    prompts = [case.prompt for case in cases]
    for order in range(1, orders):
        # A text seeds random.Random by its SHA-512, alike on every machine.
        prompts += [shuffled(c.prompt, c.mutations, random.Random(f"{order} {c.prompt}")) for c in cases]
    return prompts


def averaged(scores: np.ndarray) -> np.ndarray:
    """Log of the likelihood averaged over the first axis: (orders, n_cases, n_labels) to (n_cases, n_labels), nats."""
    return np.logaddexp.reduce(scores, axis=0) - np.log(len(scores))
