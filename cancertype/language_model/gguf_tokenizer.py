"""Gemma's tokenizer, rebuilt from the vocabulary that a GGUF file carries.

A GGUF file holds Gemma's tokens but not the byte-pair merges between them. transformers reads the ranks that stand in
the file's ``scores`` as the log-probabilities of a Unigram model, which yields a tokenizer that loads, runs and cuts
words where Gemma never would. The merges follow from the vocabulary alone: a token may be made from any two tokens
that spell it, and tokens are made in the order of their ids.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum

from tokenizers import AddedToken
from tokenizers.processors import TemplateProcessing
from transformers import GemmaTokenizer

GEMMA3_MERGES = 514_906
"""Merges in Google's own Gemma 3 ``tokenizer.json``: the rebuilt list must come to the same number."""

_SPACE = "▁"
_UNUSED = "<unused"


class TokenType(IntEnum):
    """Values of ``tokenizer.ggml.token_type`` in a GGUF file (the format's specification)."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


def vocabulary(tokens: Sequence[str], types: Sequence[int]) -> dict[str, int]:
    """Token to id, with the runs of spaces as the normaliser writes them: llama.cpp stores those as plain spaces.

    Args:
        tokens: ``tokenizer.ggml.tokens``; the id of a token is its place.
        types: ``tokenizer.ggml.token_type``, one for each token.
    """
    return {
        token.replace(" ", _SPACE) if kind == TokenType.USER_DEFINED else token: index
        for index, (token, kind) in enumerate(zip(tokens, types, strict=True))
    }


def byte_pair_merges(vocab: dict[str, int]) -> list[tuple[str, str]]:
    """Every split of a token into two others, in the order of the made token's id, shorter left part first.

    The rule is SentencePiece's: its byte-pair model stores no merges and ranks a pair by the token that it makes.
    """
    in_order = sorted(vocab, key=vocab.__getitem__)
    return [pair for token in in_order for pair in _splits(token, vocab)]


def _splits(token: str, vocab: dict[str, int]) -> Iterator[tuple[str, str]]:
    for cut in range(1, len(token)):
        left, right = token[:cut], token[cut:]
        if left in vocab and right in vocab:
            yield left, right


def gemma_tokenizer(tokens: Sequence[str], types: Sequence[int], model_max_length: int) -> GemmaTokenizer:
    """Gemma's fast tokenizer, which puts ``<bos>`` before a text, from a GGUF file's token list.

    Args:
        tokens: ``tokenizer.ggml.tokens``.
        types: ``tokenizer.ggml.token_type``.
        model_max_length: the longest sequence that the model takes, in tokens.
    """
    vocab = vocabulary(tokens, types)
    tokenizer = GemmaTokenizer(vocab=vocab, merges=byte_pair_merges(vocab), model_max_length=model_max_length)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos> $B", special_tokens=[("<bos>", vocab["<bos>"])]
    )
    tokenizer.add_tokens(_added_tokens(vocab, types))
    return tokenizer


def _added_tokens(vocab: dict[str, int], types: Sequence[int]) -> list[AddedToken]:
    """Tokens that are cut out of a text before any merge; the reserved ``<unused…>`` ones stay visible on decoding."""
    return [
        AddedToken(
            token,
            normalized=False,
            special=types[index] == TokenType.CONTROL and not token.startswith(_UNUSED),
        )
        for token, index in vocab.items()
        if types[index] in (TokenType.CONTROL, TokenType.USER_DEFINED)
    ]
