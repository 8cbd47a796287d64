"""The adapter's configuration and folder: made for a base, compared with an earlier one, written byte-stable."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import PeftModel, set_peft_model_state_dict
from peft.utils import load_peft_weights
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from ..errors import InputError
from ..files import digest, explained_writes, whole_folder, write_text
from ..language_model import adapter_weights
from ..language_model.conversion import local_folder
from ..language_model.label_trie import LabelTrie
from .settings import Lora

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
REPORT = "training.json"
GOES_ON = "then run again: training goes on from the last complete checkpoint"
"""What to do after a failed write."""

SHAPE = ("r", "lora_alpha", "use_rslora", "bias", "target_modules", "modules_to_save", "trainable_token_indices")


def lora_arguments(lora: Lora, trie: LabelTrie) -> dict[str, Any]:
    """``LoraConfig``'s arguments. Trained embeddings stay tied to the output head, so merging is exact."""
    arguments: dict[str, Any] = {
        "r": lora.r,
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "bias": "none",
        "use_rslora": lora.use_rslora,
        "target_modules": sorted(lora.target_modules),
    }
    if lora.train_embeddings is True:
        arguments |= {"modules_to_save": ["embed_tokens"], "ensure_weight_tying": True}
    elif lora.train_embeddings == "label_tokens":
        arguments |= {"trainable_token_indices": {"embed_tokens": list(trie.choices)}}
    return arguments


def resolve(name: str, folder: Path | None) -> Path:
    """The folder of the adapter to continue from: ``folder`` if given, else ``name`` as a folder or a Hub id.

    Raises ``InputError`` where there is none, or none that the train_lora stage wrote.
    """
    adapter = folder or Path(name)
    if not adapter.is_dir():
        adapter = local_folder(name, files=[WEIGHTS, CONFIG, REPORT], setting="train.continue_from")
    missing = [file for file in (WEIGHTS, CONFIG, REPORT) if not (adapter / file).is_file()]
    if missing:
        raise InputError(
            f"train.continue_from is {name!r}, and {', '.join(missing)} is missing there: name an adapter that the "
            "train_lora stage wrote. On the Hub it is in a repository of its own, whose name is the model's and -lora"
        )
    return adapter


def check_fits(
    folder: Path, name: str, *, base: Mapping[str, Any], arguments: Mapping[str, Any], label_texts: Mapping[str, str]
) -> dict[str, Any]:
    """Raise ``InputError`` unless the adapter was trained on this base with this shape and these labels.

    Returns what the report says of it: its name, its hash and how many steps and cases it had seen.
    """
    done, config = _object(folder / REPORT, name), _object(folder / CONFIG, name)
    absent = {"base", "label_texts", "steps_in_all", "cases_in_all"} - set(done)
    if absent or not isinstance(done["base"], dict) or not isinstance(done["label_texts"], dict):
        raise InputError(
            f"train.continue_from is {name!r}, whose {REPORT} is not one that the train_lora stage wrote "
            f"({', '.join(sorted(absent)) or 'base or label_texts'} is missing or damaged)"
        )
    if done["base"].get("sha256") != base["sha256"]:
        raise InputError(
            f"train.continue_from is {name!r}, trained on the base {done['base'].get('id')} (revision "
            f"{done['base'].get('revision')}), but model.base is now {base['id']} (revision {base['revision']}), with "
            "other weights: set model.base and model.revision to the first"
        )
    for key in SHAPE:
        before, now = _normal(config.get(key)), _normal(arguments.get(key))
        if before != now:
            raise InputError(
                f"train.continue_from is {name!r}, whose {key} is {before}, but the lora section says {now}"
            )
    if done["label_texts"] != dict(label_texts):
        changed = sorted(
            label
            for label in {*done["label_texts"], *label_texts}
            if done["label_texts"].get(label) != label_texts.get(label)
        )
        raise InputError(
            f"train.continue_from is {name!r}, whose label texts differ for {', '.join(changed)}: set text.completion "
            "as it was then, or train from the base (train.continue_from: null)"
        )
    return {
        "name": name,
        "sha256": digest(folder / WEIGHTS),
        "steps": done["steps_in_all"],
        "cases": done["cases_in_all"],
    }


def _object(path: Path, name: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"train.continue_from is {name!r}, and {path} is damaged: {error}") from None
    if not isinstance(content, dict):
        raise InputError(f"train.continue_from is {name!r}, and {path} is damaged: it holds {content!r:.40}")
    return content


def _normal(setting: Any) -> Any:
    """A setting in one form, whether it is as asked for or as PEFT has completed and stored it.

    PEFT stores sets in any order and adds a module's full path to its name. unsloth adds the output head that is tied
    to the embedding. Lists become sorted lists of plain names without the head, and empty ones None.
    """
    if isinstance(setting, Mapping):
        return {_name(module): _normal(value) for module, value in setting.items()} or None
    if isinstance(setting, list | tuple | set | frozenset):
        return sorted({_name(entry) for entry in setting} - {"lm_head"}) or None
    return setting


def _name(entry: Any) -> Any:
    return entry.rsplit(".", 1)[-1] if isinstance(entry, str) else entry


def load_weights(model: PeftModel, folder: Path) -> None:
    """Put an earlier adapter's weights into a fresh adapter of the same shape."""
    try:
        weights = load_peft_weights(str(folder), device="cpu")
    except SafetensorError as error:
        raise InputError(f"{folder / WEIGHTS}: damaged ({error}). Fetch or train the adapter again") from error
    result = set_peft_model_state_dict(model, adapter_weights.completed(weights))
    if result.unexpected_keys:
        raise InputError(f"{folder / WEIGHTS}: has weights that the adapter lacks: {result.unexpected_keys[:3]}")


def write(
    checkpoint: Path, out: Path, *, base: Mapping[str, Any], report: Mapping[str, Any], dtype: torch.dtype
) -> None:
    """Write the adapter folder from a checkpoint, whole or not at all; whole embeddings are stored in ``dtype``."""
    with explained_writes(out.parent, GOES_ON), whole_folder(out) as folder:
        _write_weights(checkpoint / WEIGHTS, folder / WEIGHTS, dtype)
        write_text(folder / CONFIG, dump(_portable(checkpoint / CONFIG, base)))
        write_text(folder / REPORT, dump(report))


def _write_weights(trained: Path, to: Path, dtype: torch.dtype) -> None:
    """Copy the weights, an embedding once and in the base's own dtype, to which merging would round it anyway."""
    with safe_open(trained, framework="pt") as file:
        names = set(file.keys())
    embeddings = {name for name in names if name.endswith(("embed_tokens.weight", "lm_head.weight"))}
    if not embeddings:
        shutil.copyfile(trained, to)
        return
    weights = adapter_weights.stored_once(load_file(trained))
    stored = {name: weight.to(dtype) if name in embeddings else weight for name, weight in weights.items()}
    save_file(stored, to, metadata={"format": "pt"})


def _portable(config: Path, base: Mapping[str, Any]) -> dict[str, Any]:
    """The adapter's configuration with its sets in one order, and the base named by its id instead of a path."""
    content = json.loads(config.read_text(encoding="utf-8"))
    content["target_modules"] = sorted(content["target_modules"])
    return content | {"base_model_name_or_path": base["id"], "revision": base["revision"], "inference_mode": True}


def dump(content: Mapping[str, Any]) -> str:
    """Indented JSON with sorted keys, which is the same for the same content."""
    return json.dumps(content, indent=2, sort_keys=True, default=_number) + "\n"


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
