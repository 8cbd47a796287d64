"""How weights and tokenizer are loaded from a model folder, on whatever device there is."""

import json
from pathlib import Path
from typing import Literal

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from ..errors import InputError

DType = Literal["auto", "float32", "bfloat16", "float16"]

_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"


def check_folder(folder: Path) -> None:
    """Raise an InputError that names what a base or merged folder lacks."""
    missing = missing_files(folder)
    if missing:
        raise InputError(
            f"{folder}: {', '.join(missing)} missing. A model folder needs config.json, safetensors weights with every "
            "part that their index names, and a fast tokenizer: fetch the model again, or copy the files in"
        )


def missing_files(folder: Path) -> list[str]:
    """Names of the files that a model folder lacks, the parts of split weights included; empty when it is whole."""
    folder = Path(folder)
    needed = ["config.json", "tokenizer.json", "tokenizer_config.json", *weight_files(folder)]
    return [name for name in needed if not (folder / name).is_file()]


def weight_files(folder: Path) -> list[str]:
    """Names of a folder's weight files: the parts that its index names, or the one whole file."""
    index = folder / _INDEX
    if not index.is_file():
        return [_WEIGHTS]
    return sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The fast tokenizer of a model folder. Raises InputError when files are missing."""
    check_folder(folder)
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def load_model(
    folder: Path, *, dtype: DType = "auto", load_in_4bit: bool = False, device: torch.device | str | None = None
) -> PreTrainedModel:
    """The causal language model of a model folder, in evaluation mode.

    Args:
        folder: a base or merged folder.
        dtype: ``auto`` follows :func:`choose_dtype`.
        load_in_4bit: quantise to NF4 with bitsandbytes while loading (double quantisation, computing in ``dtype``).
        device: default :func:`default_device`.

    Raises:
        InputError: files missing, or fp16 asked of Gemma 3.
    """
    check_folder(folder)
    device = torch.device(device) if device is not None else default_device()
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    chosen = choose_dtype(config, device, dtype)
    # Given as None, the argument would blot out the quantisation that an already quantised folder declares.
    quantization = {"quantization_config": _nf4(chosen)} if load_in_4bit and not is_quantised(config) else {}
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=chosen,
        attn_implementation=attention(config),
        device_map={"": device},
        local_files_only=True,
        **quantization,
    )
    return model.eval()


def is_quantised(config: PreTrainedConfig) -> bool:
    """Whether the weights on disk are already quantised, as in the ``…-bnb-4bit`` repositories."""
    return "quantization_config" in config.to_dict()


def choose_dtype(config: PreTrainedConfig, device: torch.device, requested: DType) -> torch.dtype:
    """The dtype to compute in.

    ``auto`` gives float32 off CUDA (most CPUs have no bf16 units, and there a bf16 product takes some 200 times as
    long); on CUDA bfloat16 where the card has it, else float16, else, for Gemma 3, float32: its activations exceed
    float16's largest number of 65,504.

    Raises:
        InputError: float16 asked of Gemma 3.
    """
    overflows = config.model_type.startswith("gemma3")
    if requested == "float16" and overflows:
        raise InputError(
            f"model.dtype is float16, which {config.model_type} overflows: set model.dtype to auto, bfloat16 or float32"
        )
    if requested != "auto":
        return getattr(torch, requested)
    if device.type != "cuda":
        return torch.float32
    if torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32 if overflows else torch.float16


def attention(config: PreTrainedConfig) -> str:
    """The attention implementation: PyTorch's fused one has no place for the soft-cap on Gemma 2's scores."""
    return "eager" if config.model_type == "gemma2" else "sdpa"


def default_device() -> torch.device:
    """The current CUDA card, else Apple's GPU, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _nf4(compute: torch.dtype) -> BitsAndBytesConfig:
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=compute,
        bnb_4bit_use_double_quant=True,
    )
