"""The adapter, and the run that trains it."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from ..settings import Settings


class Lora(Settings):
    """Low-rank adaptation (Hu et al. 2021) of the base model's projections. params.yaml explains each key."""

    r: int = Field(ge=1)
    alpha: int = Field(ge=1)
    dropout: float = Field(ge=0.0, lt=1.0)
    use_rslora: bool
    target_modules: list[str] = Field(min_length=1)
    train_embeddings: bool | Literal["label_tokens"]

    @field_validator("target_modules")
    @classmethod
    def _no_raw_embeddings(cls, modules: list[str]) -> list[str]:
        if "embed_tokens" in modules or "lm_head" in modules:
            raise ValueError(
                "holds embed_tokens or lm_head: Gemma ties the two, and merging a low-rank change of one of them gives "
                "a wrong model. Use lora.train_embeddings: true (all rows) or label_tokens instead"
            )
        return modules


class Train(Settings):
    """Optimisation, schedule, checkpoints and scale. params.yaml explains each key."""

    backend: Literal["trl", "unsloth"]
    epochs: float = Field(gt=0.0)
    max_steps: int = Field(ge=-1)
    batch_size: int = Field(ge=1)
    gradient_accumulation_steps: int = Field(ge=1)
    gradient_checkpointing: bool
    learning_rate: float = Field(gt=0.0)
    embedding_learning_rate: float = Field(gt=0.0)
    optimizer: Literal["adamw_torch", "adamw_8bit"]
    weight_decay: float = Field(ge=0.0)
    max_gradient_norm: float = Field(gt=0.0)
    scheduler: Literal["linear", "cosine", "constant"]
    warmup_fraction: float = Field(ge=0.0, lt=1.0)
    loss: Literal["completion", "labels", "text"]
    teacher_share: float = Field(ge=0.0, le=1.0)
    shuffle_mutations: bool
    balance_labels: bool
    group_by_length: bool
    log_every_steps: int = Field(ge=1)
    evaluate_every_steps: int = Field(ge=1)
    validation_cases: int | None = Field(ge=1)
    save_every_steps: int = Field(ge=1)
    early_stopping_patience: int | None = Field(ge=1)
    log_to: list[Literal["dvclive", "tensorboard", "wandb"]]
    compile: bool
    continue_from: str | None
    num_processes: int = Field(ge=1)

    @model_validator(mode="after")
    def _a_teacher_needs_the_loss_over_labels(self) -> "Train":
        if self.teacher_share and self.loss != "labels":
            raise ValueError("teacher_share needs loss: labels, because the trees give probabilities of labels only")
        return self
