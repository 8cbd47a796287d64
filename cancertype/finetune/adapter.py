"""The adapter's configuration and folder: made for a base, compared with an earlier one, written byte-stable."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from peft import PeftModel, set_peft_model_state_dict
from peft.utils import load_peft_weights

from ..errors import InputError
from ..files import digest, whole_folder, write_text
from ..language_model.conversion import local_folder
from ..language_model.label_trie import LabelTrie
from .checkpoints import explained_writes
from .settings import Lora

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
REPORT = "training.json"
SHAPE = ("r", "lora_alpha", "use_rslora", "bias", "target_modules", "modules_to_save", "trainable_token_indices")


def base_identity(base: Path) -> dict[str, Any]:
    """Id, revision and weight hashes of a base folder, from its ``base.json`` and, where that lacks them, its files."""
    record = json.loads((base / "base.json").read_text(encoding="utf-8"))
    hashes = record.get("sha256") or {path.name: digest(path) for path in sorted(base.glob("*.safetensors"))}
    # A folder given as model.base is a path of this machine: its name is all that others can use.
    name = Path(record["id"]).name if Path(record["id"]).is_absolute() else record["id"]
    return {"id": name, "revision": record.get("revision"), "sha256": hashes}


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
    """The folder of the adapter to continue from: ``folder`` if given, else ``name`` as a folder or a Hub id. Raises
    ``InputError`` where it is not to be had, or is no adapter that the train_lora stage wrote."""
    found = folder or Path(name)
    if not found.is_dir():
        found = local_folder(name, files=[WEIGHTS, CONFIG, REPORT], setting="train.continue_from")
    missing = [file for file in (WEIGHTS, CONFIG, REPORT) if not (found / file).is_file()]
    if missing:
        raise InputError(
            f"train.continue_from is {name!r}, and {', '.join(missing)} is missing there: name an adapter that the "
            "train_lora stage wrote"
        )
    return found


def check_fits(
    folder: Path, name: str, *, base: Mapping[str, Any], arguments: Mapping[str, Any], label_texts: Mapping[str, str]
) -> dict[str, Any]:
    """Raise ``InputError`` unless the adapter was trained on this base with this shape and these labels.

    Returns what the report says of it: its name, its hash and how many steps and cases it had seen.
    """
    done = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    if done["base"]["sha256"] != base["sha256"]:
        raise InputError(
            f"train.continue_from is {name!r}, trained on the base {done['base']['id']} (revision "
            f"{done['base']['revision']}), but model.base is now {base['id']} (revision {base['revision']}), with "
            "other weights: set model.base and model.revision to the first"
        )
    for key in SHAPE:
        before, now = config.get(key), arguments.get(key)
        if key == "target_modules":
            before = sorted(before)
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


def load_weights(model: PeftModel, folder: Path) -> None:
    """Put an earlier adapter's weights into a fresh adapter of the same shape."""
    result = set_peft_model_state_dict(model, load_peft_weights(str(folder), device="cpu"))
    if result.unexpected_keys:
        raise InputError(f"{folder / WEIGHTS}: holds weights that the adapter lacks: {result.unexpected_keys[:3]}")


def write(checkpoint: Path, out: Path, *, base: Mapping[str, Any], report: Mapping[str, Any]) -> None:
    """Write the adapter folder from a checkpoint, whole or not at all."""
    # Made first, for a failed write is explained by the room that is left in it.
    out.parent.mkdir(parents=True, exist_ok=True)
    with explained_writes(out.parent), whole_folder(out) as beside:
        shutil.copyfile(checkpoint / WEIGHTS, beside / WEIGHTS)
        write_text(beside / CONFIG, _dump(_portable(checkpoint / CONFIG, base)))
        write_text(beside / REPORT, _dump(report))


def _portable(config: Path, base: Mapping[str, Any]) -> dict[str, Any]:
    """The adapter's configuration with its sets in one order, and the base named by its id instead of a path."""
    content = json.loads(config.read_text(encoding="utf-8"))
    content["target_modules"] = sorted(content["target_modules"])
    return content | {"base_model_name_or_path": base["id"], "revision": base["revision"], "inference_mode": True}


def _dump(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, sort_keys=True, default=_number) + "\n"


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
