"""The adapter, and the run that trains it."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from ..settings import Settings


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


class Train(Settings):
    """Optimisation, schedule, checkpoints and scale."""

    backend: Literal["trl", "unsloth"] = "trl"
    epochs: float = Field(2.0, gt=0.0)
    max_steps: int = Field(-1, ge=-1)
    batch_size: int = Field(16, ge=1)
    gradient_accumulation_steps: int = Field(1, ge=1)
    gradient_checkpointing: bool = False
    learning_rate: float = Field(3.0e-4, gt=0.0)
    embedding_learning_rate: float = Field(1.0e-5, gt=0.0)
    optimizer: Literal["adamw_torch", "adamw_8bit"] = "adamw_torch"
    weight_decay: float = Field(0.0, ge=0.0)
    max_gradient_norm: float = Field(1.0, gt=0.0)
    scheduler: Literal["linear", "cosine", "constant"] = "linear"
    warmup_fraction: float = Field(0.05, ge=0.0, lt=1.0)
    loss: Literal["completion", "labels", "text"] = "completion"
    teacher_share: float = Field(0.0, ge=0.0, le=1.0)
    shuffle_mutations: bool = True
    balance_labels: bool = False
    group_by_length: bool = True
    log_every_steps: int = Field(5, ge=1)
    evaluate_every_steps: int = Field(50, ge=1)
    validation_cases: int | None = Field(256, ge=1)
    save_every_steps: int = Field(50, ge=1)
    early_stopping_patience: int | None = Field(None, ge=1)
    continue_from: str | None = None
    num_processes: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _a_teacher_speaks_of_labels(self) -> "Train":
        if self.teacher_share and self.loss != "labels":
            raise ValueError("teacher_share needs loss: labels, for the trees give probabilities of labels only")
        return self
