"""Merging an adapter into its base, and the proof that the merged folder on disk answers as base and adapter did.

The sum ``W + scale * B A`` is formed in float32 on the unquantised base, also where the adapter was trained on a base
in 4 bits, because adding to weights that were rounded to 4 bits would keep their rounding for good. It is stored in the
base's own dtype. That rounds each merged weight once, by as much as the base's own weights were rounded when they were
made. A file of twice the size would not bring those digits back. How far the rounding moves the answers is measured.
"""

import json
import shutil
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel
from safetensors import SafetensorError, safe_open
from tqdm.auto import tqdm
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from ..errors import InputError
from ..files import explained_writes, whole_folder
from ..language_model.adapter_weights import as_peft_wants_it
from ..language_model.loading import (
    attention,
    is_quantised,
    load_config,
    load_model,
    load_tokenizer,
    missing_files,
    model_files,
    weight_files,
)
from .likelihood import score_labels

EXACT = 1e-3
"""Largest difference, in nats, that float32's rounding may leave between adapter and merged weights before storing."""

_BATCH = 8
_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
_NOT_COPIED = {"config.json", "README.md"}


def merge(
    base: Path,
    adapter: Path,
    out: Path,
    prompts: Sequence[str],
    label_texts: Sequence[str],
    *,
    tolerance: float,
) -> dict[str, float | int | str]:
    """Write the merged model folder ``out``, whole or not at all, and only if it answers as base and adapter do.

    Args:
        base: the base folder.
        adapter: a PEFT adapter's folder: LoRA, with or without ``modules_to_save`` or ``trainable_token_indices``.
        out: the folder to write; replaced if it is there.
        prompts: texts on which the two are compared, at least one.
        label_texts: the labels' texts.
        tolerance: largest difference allowed in any label's log-likelihood, in nats, between base with adapter and
            the merged folder as read back from disk, both computed in float32.

    Returns:
        Parity figures: the largest differences in label log-likelihood (nats), before and after storing, and in
        next-token logits; the share of prompts with the same best label; how far the adapter moves the base.

    Raises:
        InputError: files missing, no prompts, an adapter of another base.
        RuntimeError: the merged folder disagrees, is the base unchanged, lost its tied embeddings, or cannot be read.
    """
    base, adapter, out = Path(base), Path(adapter), Path(out)
    _check_adapter(adapter)
    if not prompts:
        raise InputError("no prompts to compare the merged model on: the validation split is empty")
    tokenizer = load_tokenizer(base)
    with whole_folder(out) as folder, tqdm(total=5, desc="Merging", unit="step") as bar:
        wrapped = with_adapter(_unquantised(base), adapter)
        bar.update()
        with wrapped.disable_adapter():
            of_base = _labels(wrapped, tokenizer, prompts, label_texts)
        of_adapter = _labels(wrapped, tokenizer, prompts, label_texts)
        adapter_logits = _next_logits(wrapped, tokenizer, prompts)
        bar.update()
        merged = wrapped.merge_and_unload(safe_merge=True)
        merged.tie_weights()
        of_merged = _labels(merged, tokenizer, prompts, label_texts)
        bar.update()
        with explained_writes(out.parent):
            _save(merged, base, folder)
        del wrapped, merged
        _check_folder(folder, base, prompts, changed=not np.array_equal(of_base, of_adapter))
        bar.update()
        stored, tokenizer = load_model(folder, dtype="float32", device="cpu"), load_tokenizer(folder)
        of_stored = _labels(stored, tokenizer, prompts, label_texts)
        stored_logits = _next_logits(stored, tokenizer, prompts)
        bar.update()
        figures = {
            "prompts": len(prompts),
            "dtype": str(_dtype(base)).removeprefix("torch."),
            "tolerance": tolerance,
            "log_likelihood_difference": _largest(of_adapter, of_stored),
            "log_likelihood_difference_before_storing": _largest(of_adapter, of_merged),
            "logit_difference": _largest(adapter_logits, stored_logits),
            "same_best_label": _agreement(of_adapter, of_stored),
            "same_next_token": _agreement(adapter_logits, stored_logits),
            "adapter_effect_on_log_likelihood": _largest(of_base, of_adapter),
        }
        _check_parity(figures, tolerance)
    return figures


def _check_adapter(adapter: Path) -> None:
    missing = [name for name in _ADAPTER_FILES if not (adapter / name).is_file()]
    if missing:
        raise InputError(f"{adapter}: {', '.join(missing)} missing: train the adapter again, or copy them in")


def _dtype(base: Path) -> torch.dtype:
    return load_config(base).dtype or torch.float32


def _unquantised(base: Path) -> PreTrainedModel:
    """The base in float32, on the CPU: a card that holds the model in 16 or 4 bits may be too small for 32.

    A base that is stored in 4 bits is dequantised: there is no other to merge into.
    """
    model = load_model(base, dtype="float32", device="cpu")
    if not is_quantised(model.config):
        return model
    weights = model.dequantize().state_dict()
    # transformers cannot save a model that was loaded quantised, so its weights move to one that never was.
    config = deepcopy(model.config)
    plain = AutoModelForCausalLM.from_config(
        config, dtype=torch.float32, attn_implementation=attention(config), trust_remote_code=False
    )
    plain.load_state_dict(weights)
    return plain.to(model.device).eval()


def with_adapter(model: PreTrainedModel, adapter: Path) -> PeftModel:
    """``model`` wrapped by the adapter, on the same device.

    Raises ``InputError`` for an adapter that is damaged or of another shape of model.
    """
    try:
        with as_peft_wants_it(adapter) as folder:
            return PeftModel.from_pretrained(model, folder, torch_device=str(model.device)).eval()
    except SafetensorError as error:
        raise InputError(f"{adapter}: its weights are damaged ({error}). Fetch or train the adapter again") from error
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{adapter} does not fit the base model: train it again on this base, or set model.base to its own. "
            f"PEFT says: {error}"
        ) from error


def _labels(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    label_texts: Sequence[str],
) -> np.ndarray:
    return score_labels(model, tokenizer, prompts, label_texts, batch_size=_BATCH, progress=False)


@torch.inference_mode()
def _next_logits(
    model: PreTrainedModel | PeftModel, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str]
) -> np.ndarray:
    """Logits after each prompt, float32 (n_prompts, vocabulary), by the model's own forward pass: a second witness."""
    rows = []
    for prompt in prompts:
        tokens = tokenizer(prompt, return_tensors="pt").to(model.device)
        rows.append(model(**tokens, logits_to_keep=1).logits[0, -1].float().cpu().numpy())
    return np.stack(rows)


def _save(merged: PreTrainedModel, base: Path, folder: Path) -> None:
    merged.to(_dtype(base)).save_pretrained(folder)
    for name in model_files(base):
        # The base's own files, byte for byte: saving a tokenizer anew has changed tokenizers before.
        if name not in _NOT_COPIED and ".safetensors" not in name:
            shutil.copyfile(base / name, folder / name)


def _check_folder(folder: Path, base: Path, prompts: Sequence[str], *, changed: bool) -> None:
    """Raise RuntimeError if the merged folder is incomplete, untied, the base itself, or tokenises otherwise."""
    missing = missing_files(folder)
    if missing:
        raise RuntimeError(f"the merged folder lacks {', '.join(missing)}")
    tied, was_tied = _tied(folder), _tied(base)
    if tied != was_tied:
        raise RuntimeError(
            f"merging changed tie_word_embeddings from {was_tied} to {tied}: the adapter holds embeddings that were "
            "trained apart from the output head. Train them with lora.train_embeddings, which ties the two"
        )
    weights = _weights_by_name(folder)
    if tied and "lm_head.weight" in weights:
        raise RuntimeError("merging untied the output head from the embeddings: lm_head.weight was stored beside them")
    if changed and _same_weights(weights, _weights_by_name(base)):
        raise RuntimeError(
            f"the merged weights are the base's although the adapter changes its answers: in {_dtype(base)} its change "
            "is rounded away. Train for longer or at a higher rate"
        )
    before, after = load_tokenizer(base), load_tokenizer(folder)
    if before(list(prompts))["input_ids"] != after(list(prompts))["input_ids"]:
        raise RuntimeError("the tokenizer in the merged folder cuts prompts otherwise than the base's")


def _tied(folder: Path) -> bool:
    return load_config(folder).tie_word_embeddings


def _weights_by_name(folder: Path) -> dict[str, Path]:
    weights = {}
    for name in weight_files(folder):
        with safe_open(folder / name, framework="pt") as file:
            weights |= dict.fromkeys(file.keys(), folder / name)
    return weights


def _same_weights(one: dict[str, Path], other: dict[str, Path]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(_tensor(one, name), _tensor(other, name)) for name in one)


def _tensor(weights: dict[str, Path], name: str) -> torch.Tensor:
    with safe_open(weights[name], framework="pt") as file:
        return file.get_tensor(name)


def _largest(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def _agreement(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean(one.argmax(axis=1) == other.argmax(axis=1)))


def _check_parity(figures: dict, tolerance: float) -> None:
    """Raise RuntimeError on a disagreement; written so that NaN fails as well."""
    exact, stored = figures["log_likelihood_difference_before_storing"], figures["log_likelihood_difference"]
    if not exact <= EXACT:
        raise RuntimeError(
            f"merged weights and adapter disagree by {exact:.3g} nats in float32, where {EXACT} is rounding: "
            f"the adapter's kind cannot be merged exactly. Figures: {json.dumps(figures)}"
        )
    if not stored <= tolerance:
        raise RuntimeError(
            f"the merged folder and the adapter disagree by {stored:.3g} nats on a label, more than the tolerance of "
            f"{tolerance}. Figures: {json.dumps(figures)}"
        )
