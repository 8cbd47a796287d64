"""The labels' token sequences as a trie: training chooses a label by walking it, scoring reads the whole of it."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import InputError


@dataclass(frozen=True)
class LabelTrie:
    """A trie of labels; node 0 is the root, which stands for the end of the prompt.

    Attributes:
        tokens: token of each inner node but the root, parents before children, (n_nodes - 1,).
        depths: tokens from the root to each of them, (n_nodes - 1,).
        ancestors: True where the column is the row's node or its ancestor, (n_nodes - 1, n_nodes - 1).
        paths: for each label the (node, token) pairs whose log-probabilities add up to its log-likelihood.
    """

    tokens: tuple[int, ...]
    depths: tuple[int, ...]
    ancestors: np.ndarray
    paths: Mapping[Hashable, tuple[tuple[int, int], ...]]

    def code(self, label: Hashable) -> tuple[int, ...]:
        """The label's token ids."""
        return tuple(token for _, token in self.paths[label])

    def nodes(self, label: Hashable) -> tuple[int, ...]:
        """The node at which each of the label's tokens is chosen."""
        return tuple(node for node, _ in self.paths[label])

    @cached_property
    def choices(self) -> tuple[int, ...]:
        """Token ids of all labels, ascending, (n_choices,)."""
        return tuple(sorted({token for path in self.paths.values() for _, token in path}))

    @cached_property
    def leads(self) -> np.ndarray:
        """True where the label goes on from the node by the choice, bool, (n_nodes, n_labels, n_choices)."""
        leads = np.zeros((len(self.tokens) + 1, len(self.paths), len(self.choices)), dtype=bool)
        for label, path in enumerate(self.paths.values()):
            for node, token in path:
                leads[node, label, self.choices.index(token)] = True
        return leads

    @cached_property
    def allowed(self) -> np.ndarray:
        """True where some label goes on from the node by the choice, bool, (n_nodes, n_choices)."""
        return self.leads.any(axis=1)


def label_trie(codes: Mapping[Hashable, Sequence[int]]) -> LabelTrie:
    """The trie of the labels' token ids.

    Raises:
        InputError: a label without tokens, or two labels with the same tokens.
    """
    labels = {name: tuple(code) for name, code in codes.items()}
    if empty := [name for name, code in labels.items() if not code]:
        raise InputError(f"label {empty[0]} has no tokens: give every label a text")
    if len(set(labels.values())) < len(labels):
        twice = next(code for code in labels.values() if list(labels.values()).count(code) > 1)
        raise InputError(f"two labels have the same tokens {list(twice)}: give them different texts")
    prefixes = {code[:end] for code in labels.values() for end in range(1, len(code))}
    inner = sorted(prefixes, key=lambda prefix: (len(prefix), prefix))
    node_of = {(): 0} | {prefix: node for node, prefix in enumerate(inner, start=1)}
    ancestors = [[prefix[: len(other)] == other for other in inner] for prefix in inner]
    return LabelTrie(
        tokens=tuple(prefix[-1] for prefix in inner),
        depths=tuple(len(prefix) for prefix in inner),
        ancestors=np.array(ancestors, dtype=bool).reshape(len(inner), len(inner)),
        paths={name: tuple((node_of[code[:at]], code[at]) for at in range(len(code))) for name, code in labels.items()},
    )
