"""The base model."""

from typing import Literal

from pydantic import Field

from ..settings import Settings


class Model(Settings):
    """The base model: the packaged ``gemma-3-270m``, a Hub id, or a folder."""

    base: str = "gemma-3-270m"
    revision: str | None = None
    load_in_4bit: bool = False
    max_seq_length: int = Field(512, ge=32)
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
