"""How weights and tokenizer are loaded from a model folder, on whatever device there is.

A model folder may come from a stranger: no code of its own is run, and damaged files end in one clear line.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

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
from .base_record import check_weights
from .memory import keep_freed_memory

DType = Literal["auto", "float32", "bfloat16", "float16"]

MODEL_FILES = (
    "LICENSE*",
    "NOTICE*",
    "README.md",
    "*TERMS*",
    "added_tokens.json",
    "chat_template.*",
    "config.json",
    "generation_config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
)
"""Names of the files of a model: whatever else is in a folder or repository (code, pickles, secrets) is left there."""

ALLOW_CPU = "CANCERTYPE_ALLOW_CPU"
LARGEST_ON_CPU = 900_000_000
"""Parameters of the largest model that trains on a CPU without being asked for. Gemma 3 1B has 999,885,952, and would
take days."""

_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_CONFIGS = ("config.json", "tokenizer_config.json")


def model_files(folder: Path) -> list[str]:
    """Names of the files of the model in ``folder``, sorted (``MODEL_FILES``)."""
    names = sorted(path.name for path in Path(folder).iterdir() if path.is_file())
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in MODEL_FILES)]


def check_folder(folder: Path) -> None:
    """Raise ``InputError`` for a model folder that lacks a file, has a damaged configuration, or brings code."""
    missing = missing_files(folder)
    if missing:
        raise InputError(
            f"{folder}: {', '.join(missing)} missing. A model folder needs config.json, safetensors weights with every "
            "part that their index names, and a fast tokenizer: fetch the model again, or copy the files in"
        )
    for name in _CONFIGS:
        if "auto_map" in _json_object(folder / name):
            raise InputError(
                f"{folder / name}: asks for code of the model's own (auto_map), which is never run here. Use a model "
                "that transformers knows; if this is one, remove the key auto_map"
            )


def missing_files(folder: Path) -> list[str]:
    """Names of the files that a model folder lacks, the parts of split weights included; empty when it is whole."""
    folder = Path(folder)
    needed = [*_CONFIGS, "tokenizer.json", *weight_files(folder)]
    return [name for name in needed if not (folder / name).is_file()]


def weight_files(folder: Path) -> list[str]:
    """Names of a folder's weight files: the parts that its index names, or the one whole file."""
    index = folder / _INDEX
    if not index.is_file():
        return [_WEIGHTS]
    parts = _json_object(index).get("weight_map")
    if not isinstance(parts, dict) or not all(_is_weight_file(name) for name in parts.values()):
        raise InputError(f"{index}: its weight_map does not give a file of this folder for each weight")
    return sorted(set(parts.values()))


def _is_weight_file(name: Any) -> bool:
    return isinstance(name, str) and fnmatchcase(name, "model*.safetensors") and "/" not in name


def _json_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: damaged, not readable as JSON ({error}). Fetch the model again") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: damaged, holds {content!r:.40} instead of settings. Fetch the model again")
    return content


@contextmanager
def _explained_reads(folder: Path) -> Iterator[None]:
    """Turn what the libraries say of a damaged file into one line. tokenizers raises plain ``Exception``s."""
    try:
        yield
    except (InputError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"{folder}: cannot be loaded ({type(error).__name__}: {reason}). Is a file cut short or damaged? Fetch or "
            "make the folder again"
        ) from error


def load_config(folder: Path) -> PreTrainedConfig:
    """The configuration of a model folder. Raises ``InputError`` for one that is damaged or brings code."""
    check_folder(folder)
    with _explained_reads(folder):
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The fast tokenizer of a model folder. Raises ``InputError`` for files that are missing or damaged."""
    check_folder(folder)
    with _explained_reads(folder):
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


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
        InputError: files that are missing, damaged or not those that the folder's ``base.json`` describes, or fp16
            asked of Gemma 3.
    """
    device = torch.device(device) if device is not None else default_device()
    if device.type == "cpu":
        keep_freed_memory()
    config = load_config(folder)
    check_weights(folder)
    chosen = choose_dtype(config, device, dtype)
    # Given as None, the argument would override the quantisation that an already quantised folder declares.
    quantization = {"quantization_config": _nf4(chosen)} if load_in_4bit and not is_quantised(config) else {}
    with _explained_reads(folder):
        model, loaded = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=chosen,
            attn_implementation=attention(config),
            device_map={"": device},
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            **quantization,
        )
    # transformers fills a weight that it does not find with random numbers.
    if absent := sorted(loaded["missing_keys"]):
        raise InputError(
            f"{folder}: its weight files lack {len(absent)} weights, {absent[0]} among them. Fetch or make the folder "
            "again"
        )
    return model.eval()


def parameter_count(config: PreTrainedConfig) -> int:
    """Parameters of the model that ``config`` describes, by its shapes alone."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, trust_remote_code=False).num_parameters()


def check_trainable_here(folder: Path, *, load_in_4bit: bool) -> None:
    """Raise ``InputError`` where training would run on a CPU although its settings are meant for a GPU.

    That is training in 4 bits, and any base above ``LARGEST_ON_CPU`` parameters. The environment variable
    ``CANCERTYPE_ALLOW_CPU=1`` allows both.
    """
    if default_device().type != "cpu" or os.environ.get(ALLOW_CPU) == "1":
        return
    parameters = parameter_count(load_config(folder))
    if load_in_4bit or parameters > LARGEST_ON_CPU:
        why = (
            "model.load_in_4bit is true" if load_in_4bit else f"the base has {parameters / 1e9:.1f} billion parameters"
        )
        raise InputError(
            f"{why}, but PyTorch sees no GPU here, and training on the CPU would take days. Check the driver with "
            "nvidia-smi and the installation with python -m torch.utils.collect_env, choose a smaller model.base with "
            f"model.load_in_4bit: false, or set {ALLOW_CPU}=1 to train on the CPU anyway"
        )


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
