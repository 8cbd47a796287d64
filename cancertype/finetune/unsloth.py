"""The unsloth backend: ``FastLanguageModel`` and ``UnslothTrainer``, with the batches and the loss of the TRL backend.

unsloth changes transformers, trl and peft while it is imported, so it has to come before them in its process.
"""

import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

from ..errors import InputError

_INSTALL = (
    "train.backend is unsloth, and unsloth cannot be imported here ({error}). On a machine with an NVIDIA GPU: "
    "pip install -r requirements-gpu.txt. On a CPU: pip install --no-deps -r requirements-unsloth-cpu.txt. "
    "Or set train.backend to trl"
)
_EARLIER = [name for name in ("transformers", "trl", "peft") if name in sys.modules]
if _EARLIER and "unsloth" not in sys.modules:
    raise InputError(
        f"train.backend is unsloth, but {', '.join(_EARLIER)} was imported before it, which leaves them unpatched: "
        "fine-tune in a process of its own, as `dvc repro train_lora` does"
    )
try:
    from unsloth import FastLanguageModel, UnslothTrainer, UnslothTrainingArguments
except (ImportError, NotImplementedError) as error:  # Versions that know no CPU raise the second.
    raise InputError(_INSTALL.format(error=error)) from error

import torch  # noqa: E402
from peft import PeftModel  # noqa: E402
from transformers import PreTrainedModel, PreTrainedTokenizerBase  # noqa: E402

from ..language_model.base_record import check_weights  # noqa: E402
from ..language_model.loading import attention, choose_dtype, default_device, load_config, load_tokenizer  # noqa: E402
from ..language_model.settings import Model  # noqa: E402
from .trainer import PlannedTraining  # noqa: E402

Arguments = UnslothTrainingArguments


class LabelTrainer(PlannedTraining, UnslothTrainer):
    """``UnslothTrainer`` with the planned batches and the label loss."""


def load(base: Path, settings: Model) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The base model as unsloth loads it, and its tokenizer as every other stage loads it."""
    config = load_config(base)
    check_weights(base)
    device = default_device()
    if settings.load_in_4bit and device.type != "cuda":
        raise InputError(
            "model.load_in_4bit with train.backend unsloth needs an NVIDIA GPU: set train.backend to trl, or "
            "model.load_in_4bit to false"
        )
    arguments: dict[str, Any] = {}
    if device.type != "cuda":
        # Off CUDA unsloth runs the stock model, and needs the stock choice of attention.
        arguments["attn_implementation"] = attention(config)
    model, _ = FastLanguageModel.from_pretrained(
        model_name=str(base),
        max_seq_length=settings.max_seq_length,
        dtype=choose_dtype(config, device, settings.dtype),
        load_in_4bit=settings.load_in_4bit,
        trust_remote_code=False,
        **arguments,
    )
    return model, load_tokenizer(base)


def add_adapter(
    model: PreTrainedModel, arguments: dict[str, Any], *, seed: int, gradient_checkpointing: bool
) -> PeftModel:
    """The model with a fresh adapter; ``arguments`` are ``LoraConfig``'s, and have the same names here."""
    torch.manual_seed(seed)
    return FastLanguageModel.get_peft_model(
        model,
        use_gradient_checkpointing="unsloth" if gradient_checkpointing else False,
        random_state=seed,
        # PEFT changes the lists that it is given.
        **deepcopy(arguments),
    )
