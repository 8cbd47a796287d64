"""The weights of an adapter on the disk: an embedding that is tied to the output head is stored once.

PEFT stores it under both names and wants both when it loads, which for Gemma 2 2B is more than a gigabyte too many.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

WEIGHTS = "adapter_model.safetensors"
EMBEDDING = "base_model.model.model.embed_tokens.weight"
HEAD = "base_model.model.lm_head.weight"


def stored_once(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights without the output head, where that is the trained embedding. One that differs from it stays."""
    tied = {HEAD, EMBEDDING} <= weights.keys() and torch.equal(weights[HEAD], weights[EMBEDDING])
    return {name: weight for name, weight in weights.items() if not (tied and name == HEAD)}


def completed(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights as PEFT wants them: the output head beside the trained embedding."""
    return {**weights, HEAD: weights[EMBEDDING]} if lacks_head(weights.keys()) else dict(weights)


def lacks_head(names: set[str]) -> bool:
    """Whether weights of these names hold a trained embedding without the head that is tied to it."""
    return EMBEDDING in names and HEAD not in names


@contextmanager
def as_peft_wants_it(adapter: Path) -> Iterator[Path]:
    """The folder of the adapter, or a passing copy of it that is ``completed``.

    Raises ``SafetensorError`` where the weights are damaged."""
    names: set[str] = set()
    if (adapter / WEIGHTS).is_file():
        with safe_open(adapter / WEIGHTS, framework="pt") as file:
            names = set(file.keys())
    if not lacks_head(names):
        yield adapter
        return
    with TemporaryDirectory() as folder:
        whole = Path(folder)
        shutil.copyfile(adapter / "adapter_config.json", whole / "adapter_config.json")
        write_completed(adapter / WEIGHTS, whole / WEIGHTS)
        yield whole


def write_completed(weights: Path, to: Path) -> None:
    """Copy a file of weights, ``completed``."""
    stored = load_file(weights)
    # A file cannot hold one tensor under two names.
    whole = {name: weight if name in stored else weight.clone() for name, weight in completed(stored).items()}
    save_file(whole, to, metadata={"format": "pt"})
