"""The part of a tokenizer that prompts need: a tenth of Gemma's vocabulary, parsed in a fraction of the two seconds.

Byte-pair encoding only ever forms tokens that are written in the text itself. A tokenizer without the tokens that a
text does not contain gives it the same ids, so what is left out here is what no prompt of this package contains: tokens
beyond ASCII, and tokens with three or more small letters in a row that are not part of a known word. Any other text is
read by the whole tokenizer, which is parsed when the first one comes.
"""

import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from ..labels import WORDS

_OF_TEMPLATES = (
    "tumour tumor sample cell line male female sex kind assay exome genome list panel genes not sequenced unknown none "
    "burden mutations spectrum shares process events contexts gains losses amplified deleted fusion fusions arms "
    "cancer stop inframe start end orf too few tell mismatch repair deficient polymerase ultraviolet like smoking "
    "splice deamination with age mixed"
)
_KNOWN = frozenset(re.findall("[a-z]{3,}", " ".join([_OF_TEMPLATES, *WORDS.values()])))
"""Runs of small letters in prompts and answers. One that is missing here costs time and changes no answer."""

_RUN = re.compile("[a-z]{3,}")
_SPACE = "\u2581"
"""What Gemma's vocabulary writes for a space."""
_PARTS = frozenset(word[i:j] for word in _KNOWN for i in range(len(word)) for j in range(i + 3, len(word) + 1))


def shortened(content: str) -> str:
    """A tokenizer's JSON without what no prompt needs; ``content`` itself where its kind is not known to allow it."""
    whole = json.loads(content)
    model, normalizer = whole["model"], whole["normalizer"] or {}
    spaces = normalizer.get("pattern") == {"String": " "} and normalizer.get("content") == _SPACE
    if model["type"] != "BPE" or model.get("dropout") or not spaces:
        return content
    always = {model.get("unk_token"), *(each["content"] for each in whole["added_tokens"] if each["special"])}
    vocabulary = {token: number for token, number in model["vocab"].items() if token in always or _needed(token)}
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    merges = [[one, other] for one, other in pairs if {one, other, one + other} <= vocabulary.keys()]
    added = [each for each in whole["added_tokens"] if each["content"] in always or _needed(each["content"])]
    # The number of an added token that the model lacks would depend on the vocabulary's size.
    if any(vocabulary.get(each["content"]) != each["id"] for each in added):
        return content
    return json.dumps(whole | {"model": model | {"vocab": vocabulary, "merges": merges}, "added_tokens": added})


def _needed(token: str) -> bool:
    return token.replace(_SPACE, "").isascii() and all(run in _PARTS for run in _RUN.findall(token))


class FewTokens:
    """What prompts need of the tokenizer in the file ``few`` (``shortened``), and ``whole`` for any other text. Both
    methods are those of ``tokenizers.Tokenizer``."""

    def __init__(self, few: Path, whole: Path):
        self._few, self._path = Tokenizer.from_file(str(few)), whole

    @cached_property
    def _whole(self) -> Tokenizer:
        return Tokenizer.from_file(str(self._path))

    def encode(self, text: str, *, add_special_tokens: bool = True) -> Encoding:
        """The tokens of a text."""
        return self._for([text]).encode(text, add_special_tokens=add_special_tokens)

    def encode_batch_fast(self, texts: Sequence[str]) -> list[Encoding]:
        """The tokens of each text, without the places in it that they come from."""
        return self._for(texts).encode_batch_fast(list(texts))

    def _for(self, texts: Sequence[str]) -> Tokenizer:
        return self._few if all(map(_is_read_by_few, texts)) else self._whole


def _is_read_by_few(text: str) -> bool:
    return text.isascii() and all(run in _KNOWN for run in _RUN.findall(text))
