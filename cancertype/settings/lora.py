"""The adapter."""

from typing import Literal

from pydantic import Field, field_validator

from .base import Settings


class Lora(Settings):
    """Low-rank adaptation (Hu et al. 2021) of the base model's projections."""

    r: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    use_rslora: bool = True
    target_modules: list[str] = Field(["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])
    train_embeddings: bool | Literal["label_tokens"] = False

    @field_validator("target_modules")
    @classmethod
    def _no_raw_embeddings(cls, modules: list[str]) -> list[str]:
        if "embed_tokens" in modules or "lm_head" in modules:
            raise ValueError(
                "holds embed_tokens or lm_head: Gemma ties the two, and a low-rank change of one of them merges into a "
                "wrong model. Use lora.train_embeddings: true (all rows) or label_tokens instead"
            )
        return modules
