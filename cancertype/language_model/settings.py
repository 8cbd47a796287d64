"""The base model."""

from typing import Literal

from pydantic import Field

from ..settings import Settings


class Model(Settings):
    """The base model: the packaged ``gemma-3-270m``, a Hub id, or a folder."""

    base: str = Field(min_length=1)
    revision: str | None
    load_in_4bit: bool
    max_seq_length: int = Field(ge=32)
    dtype: Literal["auto", "float32", "bfloat16", "float16"]
