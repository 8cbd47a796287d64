"""A language model as ONNX Runtime reads it: ready in a second, where PyTorch and transformers take ten.

An exported folder (``scoring.export`` writes it) holds the transformer as a graph, the embeddings as a NumPy array,
which are the output layer too, the tokenizer, and the few settings that scoring needs. Weights are read where they are
on the disk, so that only the rows of the tokens at hand are fetched of the embeddings' 262,144.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from tqdm.auto import tqdm

from ..language_model.label_trie import LabelTrie, label_trie
from ..text.prompt import Rendered, completions
from . import batches
from .batches import Batch
from .few_tokens import FewTokens

GRAPH, EMBEDDINGS, SETTINGS, TOKENIZER = "decoder.onnx", "embeddings.npy", "decoder.json", "tokenizer.json"
FEW_TOKENS = "few_tokens.json"
INPUTS = ("embedded", "positions", "full_attention", "sliding_attention", "at")
"""The graph's inputs: embedded tokens (n, queries, hidden), their positions (n, queries), additive masks of both kinds
of layers (n, 1, queries, queries), and the columns (n, nodes) of the states that it returns, (n, nodes, hidden)."""

_FATAL = 4
_LOWEST = np.finfo(np.float32).min


class Exported:
    """The model of an exported folder, which computes in float32 on the CPU."""

    def __init__(self, folder: Path):
        self._folder = Path(folder)
        settings = json.loads((self._folder / SETTINGS).read_text(encoding="utf-8"))
        self._window, self._longest = int(settings["window"]), int(settings["longest"])
        self._cap, self._scale, self._bos = settings["cap"], float(settings["scale"]), int(settings["bos"])
        self._embeddings = np.load(self._folder / EMBEDDINGS, mmap_mode="r", allow_pickle=False)
        # Each takes a second, and neither waits for the other.
        with ThreadPoolExecutor(1) as beside:
            session = beside.submit(_session, self._folder / GRAPH)
            self.tokenizer = FewTokens(self._folder / FEW_TOKENS, self._folder / TOKENIZER)
            self._session = session.result()

    def score_labels(
        self,
        prompts: Sequence[str],
        label_texts: Sequence[str],
        *,
        batch_size: int,
        progress: bool = True,
        among_labels: bool = False,
    ) -> np.ndarray:
        """What ``likelihood.score_labels`` gives for the model that was exported, and raises: nats, float64,
        (n_prompts, n_labels).

        ``among_labels``: a constant per prompt does not matter. Where each label is one token, the 262,144 logits of
        the vocabulary are then left out, and the labels' likelihoods sum to 1."""
        codes = [self.tokenizer.encode(text, add_special_tokens=False).ids for text in label_texts]
        trie = label_trie(dict(enumerate(codes)))
        encoded = batches.encode(self._tokens, prompts, self._bos, self._longest - max(map(len, codes)))
        scores = np.empty((len(encoded), len(label_texts)))
        with tqdm(total=len(encoded), desc="Scoring", unit="case", disable=not progress) as bar:
            for rows in batches.by_length([len(tokens) + len(trie.tokens) for tokens in encoded], batch_size):
                scores[rows] = self._score_batch([encoded[row] for row in rows], trie, among_labels)
                bar.update(len(rows))
        return scores

    def score_orders(
        self, cases: Sequence[Rendered], completion: str, *, orders: int, batch_size: int, progress: bool = True
    ) -> np.ndarray:
        """What ``likelihood.score_orders`` gives for the model that was exported, with a single order up to a constant
        per case: nats, float64, (orders, n_cases, 26)."""
        prompts, answers = batches.in_orders(cases, orders), list(completions(completion).values())
        # The average over orders weighs each by how likely it makes any label, so it needs the constant.
        how = {"batch_size": batch_size, "progress": progress, "among_labels": orders == 1}
        scores = self.score_labels(prompts, answers, **how)
        return scores.reshape(orders, len(cases), len(answers))

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(list(texts))]

    def _score_batch(self, prompts: Sequence[Sequence[int]], trie: LabelTrie, among_labels: bool) -> np.ndarray:
        batch = Batch.of(prompts, trie)
        embedded = self._embeddings[batch.tokens] * np.float32(self._scale)
        masks = [_additive(mask, len(prompts)) for mask in (batch.visible, batch.within(self._window))]
        given = dict(zip(INPUTS, (embedded, batch.positions, *masks, batch.at), strict=True))
        (states,) = self._session.run(None, given)
        alone = among_labels and not trie.tokens
        log_p = (self._among if alone else self._log_probabilities)(states.reshape(-1, states.shape[2]), trie.choices)
        return batches.along_paths(log_p.reshape(*batch.at.shape, len(trie.choices)), trie)

    def _among(self, states: np.ndarray, tokens: Sequence[int]) -> np.ndarray:
        """Natural log-probabilities of the given next tokens among themselves, (n_states, n_tokens)."""
        logits = (states @ self._embeddings[list(tokens)].T).astype(np.float64)
        if self._cap is not None:
            logits = self._cap * np.tanh(logits / self._cap)
        return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)

    def _log_probabilities(self, states: np.ndarray, tokens: Sequence[int]) -> np.ndarray:
        """Natural log-probabilities of the given next tokens under the whole vocabulary, (n_states, n_tokens)."""
        at_once = max(1, batches.LOGITS_AT_ONCE // len(self._embeddings))
        picked = []
        for start in range(0, len(states), at_once):
            logits = states[start : start + at_once] @ self._embeddings.T
            if self._cap is not None:
                logits = self._cap * np.tanh(logits / self._cap)
            of_tokens, top = logits[:, list(tokens)].astype(np.float64), logits.max(axis=1, keepdims=True)
            np.exp(np.subtract(logits, top, out=logits), out=logits)
            picked.append(of_tokens - top - np.log(logits.sum(axis=1, keepdims=True, dtype=np.float64)))
        return np.concatenate(picked)


def _session(graph: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _additive(allowed: np.ndarray, n: int) -> np.ndarray:
    """Zero where allowed, else the lowest number: (n, 1, queries, keys)."""
    mask = np.where(allowed, np.float32(0.0), _LOWEST)[:, None]
    return np.broadcast_to(mask, (n, *mask.shape[1:])).copy()
