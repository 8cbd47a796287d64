"""The TRL backend: PEFT adapters and ``SFTTrainer``, on a CPU, one GPU or many."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from ..language_model.loading import load_model, load_tokenizer
from ..language_model.settings import Model
from .trainer import PlannedTraining


class Arguments(SFTConfig):
    """``SFTConfig``; ``embedding_learning_rate`` is the rate of trained embeddings."""

    def __init__(self, *, embedding_learning_rate: float, **kwargs: Any):
        self.embedding_learning_rate = embedding_learning_rate
        super().__init__(**kwargs)


class LabelTrainer(PlannedTraining, SFTTrainer):
    """``SFTTrainer`` with the planned batches and the label loss."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        # SFTTrainer casts the adapter of a quantised model to bf16, which the loss scaler of fp16 cannot unscale.
        for parameter in self.model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()


def load(base: Path, settings: Model) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The base model and its tokenizer."""
    return load_model(base, dtype=settings.dtype, load_in_4bit=settings.load_in_4bit), load_tokenizer(base)


def add_adapter(
    model: PreTrainedModel, arguments: dict[str, Any], *, seed: int, gradient_checkpointing: bool
) -> PeftModel:
    """The model with a fresh adapter of ``LoraConfig``'s ``arguments``; the trainer turns checkpointing on itself."""
    torch.manual_seed(seed)
    # PEFT changes the lists that it is given.
    return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **deepcopy(arguments)))
