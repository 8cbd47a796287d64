"""Merging: exact for every kind of adapter that we train, and refused when the merged folder is not as it should be."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from cancertype.errors import InputError
from cancertype.language_model import loading
from cancertype.scoring import merging

PROMPTS = ["tumour female\nTP53 R175H, APC R213*\ncancer:", "cell line male\ncancer:", "BRAF V600E"]
LABELS = [" breast", " BRCA", " KIRC", " KIPAN", " x"]
TOLERANCE = 1e-3
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
KINDS = {
    "lora": {},
    "embeddings": {"modules_to_save": ["embed_tokens"], "ensure_weight_tying": True},
    "label_tokens": {"trainable_token_indices": {"embed_tokens": [7, 70, 300]}},
}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Models this small are slowed down by more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_adapter(base: Path, folder: Path, *, size: float = 0.1, **config) -> Path:
    """An adapter whose every trained weight has been moved by noise of the given size."""
    model = loading.load_model(base, dtype="float32", device="cpu")
    wrapped = get_peft_model(
        model, LoraConfig(r=4, lora_alpha=8, use_rslora=True, target_modules=PROJECTIONS, **config)
    )
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in wrapped.named_parameters():
            if weight.requires_grad and "lora_A" not in name:
                weight.add_(torch.randn_like(weight) * size)
    wrapped.save_pretrained(folder)
    return folder


def merge(base: Path, adapter: Path, out: Path, tolerance: float = TOLERANCE) -> dict:
    return merging.merge(base, adapter, out, PROMPTS, LABELS, tolerance=tolerance)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", ["tiny_gemma3", "tiny_gemma2"])
def test_merging_is_exact_and_keeps_the_embeddings_tied(request, tmp_path, family, kind):
    base = request.getfixturevalue(family)
    adapter = make_adapter(base, tmp_path / "adapter", **KINDS[kind])
    figures = merge(base, adapter, tmp_path / "merged")
    assert figures["adapter_effect_on_log_likelihood"] > 0.5
    assert figures["log_likelihood_difference"] < TOLERANCE
    assert figures["logit_difference"] < TOLERANCE
    assert figures["same_best_label"] == figures["same_next_token"] == 1.0
    assert "lm_head.weight" not in load_file(tmp_path / "merged" / "model.safetensors")
    merged = loading.load_model(tmp_path / "merged", device="cpu")
    assert merged.get_input_embeddings().weight is merged.get_output_embeddings().weight
    assert (tmp_path / "merged" / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "merged"]


@pytest.fixture
def half_base(tiny_gemma3, tmp_path) -> Path:
    """The tiny base stored in bfloat16, as Gemma's own weights are."""
    folder = shutil.copytree(tiny_gemma3, tmp_path / "base")
    loading.load_model(tiny_gemma3, dtype="bfloat16", device="cpu").save_pretrained(folder)
    return folder


def test_a_merged_model_keeps_the_dtype_of_its_base_and_says_what_that_cost(half_base, tmp_path):
    adapter = make_adapter(half_base, tmp_path / "adapter")
    figures = merge(half_base, adapter, tmp_path / "merged", tolerance=1.0)
    assert figures["dtype"] == "bfloat16"
    assert {weight.dtype for weight in load_file(tmp_path / "merged" / "model.safetensors").values()} == {
        torch.bfloat16
    }
    assert figures["log_likelihood_difference_before_storing"] < TOLERANCE < figures["log_likelihood_difference"]


def test_a_disagreement_beyond_the_tolerance_leaves_the_old_folder_in_place(half_base, tmp_path):
    adapter = make_adapter(half_base, tmp_path / "adapter")
    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "earlier").touch()
    with pytest.raises(RuntimeError, match=r"disagree by .* more than the tolerance of 1e-05"):
        merge(half_base, adapter, tmp_path / "merged", tolerance=1e-5)
    assert [path.name for path in (tmp_path / "merged").iterdir()] == ["earlier"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "base", "merged"]


def test_an_adapter_that_bfloat16_rounds_away_is_refused(half_base, tmp_path):
    tokens = {"trainable_token_indices": {"embed_tokens": [2]}}
    adapter = make_adapter(half_base, tmp_path / "adapter", size=0.0, **tokens)
    weights = load_file(adapter / "adapter_model.safetensors")
    # bfloat16 keeps 8 bits: a change by a ten-thousandth always rounds back.
    faint = {name: w * (1 + 1e-4) if "token_adapter" in name else w for name, w in weights.items()}
    assert any("token_adapter" in name for name in weights)
    save_file(faint, adapter / "adapter_model.safetensors")
    with pytest.raises(RuntimeError, match=r"the merged weights are the base's .* rounded away"):
        merge(half_base, adapter, tmp_path / "merged", tolerance=1.0)


def test_an_adapter_that_does_nothing_merges_into_the_base(half_base, tmp_path):
    adapter = make_adapter(half_base, tmp_path / "adapter", size=0.0)
    figures = merge(half_base, adapter, tmp_path / "merged")
    assert figures["adapter_effect_on_log_likelihood"] == 0.0


def test_embeddings_trained_apart_from_the_head_are_refused(tiny_gemma3, tmp_path):
    """Without tying, training moves the embedding and leaves the head: no Gemma that others load has two of them."""
    adapter = make_adapter(tiny_gemma3, tmp_path / "adapter", modules_to_save=["embed_tokens"])
    with pytest.raises(RuntimeError, match="tie_word_embeddings from True to False"):
        merge(tiny_gemma3, adapter, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_an_adapter_trained_in_four_bits_merges_onto_the_whole_base(tiny_gemma3, tmp_path):
    model = loading.load_model(tiny_gemma3, load_in_4bit=True, device="cpu")
    wrapped = get_peft_model(model, LoraConfig(r=4, target_modules=PROJECTIONS, init_lora_weights=False))
    wrapped.save_pretrained(tmp_path / "adapter")
    figures = merge(tiny_gemma3, tmp_path / "adapter", tmp_path / "merged")
    assert figures["log_likelihood_difference"] < TOLERANCE
    assert not loading.is_quantised(loading.load_model(tmp_path / "merged", device="cpu").config)


def test_a_base_stored_in_four_bits_is_multiplied_out(tiny_gemma3, tmp_path):
    base = shutil.copytree(tiny_gemma3, tmp_path / "base")
    loading.load_model(tiny_gemma3, load_in_4bit=True, device="cpu").save_pretrained(base)
    adapter = make_adapter(tiny_gemma3, tmp_path / "adapter")
    figures = merge(base, adapter, tmp_path / "merged", tolerance=1.0)
    assert figures["log_likelihood_difference_before_storing"] < TOLERANCE
    config = json.loads((tmp_path / "merged" / "config.json").read_text())
    assert "quantization_config" not in config


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
def test_a_missing_adapter_file_is_named(tiny_gemma3, tmp_path, name):
    adapter = make_adapter(tiny_gemma3, tmp_path / "adapter")
    (adapter / name).unlink()
    with pytest.raises(InputError, match=name):
        merge(tiny_gemma3, adapter, tmp_path / "merged")


def test_an_adapter_of_another_base_is_refused(tiny_gemma3, tmp_path):
    adapter = make_adapter(tiny_gemma3, tmp_path / "adapter")
    weights = load_file(adapter / "adapter_model.safetensors")
    wider = {name: torch.cat([w, w], dim=1) if "lora_A" in name else w for name, w in weights.items()}
    save_file(wider, adapter / "adapter_model.safetensors")
    with pytest.raises(InputError, match="does not fit the base"):
        merge(tiny_gemma3, adapter, tmp_path / "merged")


def test_nothing_to_compare_on_is_refused(tiny_gemma3, tmp_path):
    adapter = make_adapter(tiny_gemma3, tmp_path / "adapter")
    with pytest.raises(InputError, match="no prompts"):
        merging.merge(tiny_gemma3, adapter, tmp_path / "merged", [], LABELS, tolerance=1.0)


@pytest.fixture
def merged(tiny_gemma3, tmp_path) -> Path:
    merge(tiny_gemma3, make_adapter(tiny_gemma3, tmp_path / "adapter"), tmp_path / "merged")
    return tmp_path / "merged"


def _refusal(folder: Path, base: Path) -> str:
    with pytest.raises(RuntimeError) as caught:
        merging._check_folder(folder, base, PROMPTS, changed=True)
    return str(caught.value)


def test_what_a_merged_folder_lacks_is_named(merged, tiny_gemma3):
    (merged / "tokenizer.json").unlink()
    assert "tokenizer.json" in _refusal(merged, tiny_gemma3)


def test_a_changed_tokenizer_is_seen(merged, tiny_gemma3):
    stored = json.loads((merged / "tokenizer.json").read_text())
    stored["model"]["merges"] = stored["model"]["merges"][:20]
    (merged / "tokenizer.json").write_text(json.dumps(stored))
    assert "cuts prompts otherwise" in _refusal(merged, tiny_gemma3)


def test_an_untied_head_is_seen(merged, tiny_gemma3):
    weights = load_file(merged / "model.safetensors")
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"] + 1
    save_file(weights, merged / "model.safetensors", metadata={"format": "pt"})
    assert "untied" in _refusal(merged, tiny_gemma3)
    config = json.loads((merged / "config.json").read_text()) | {"tie_word_embeddings": False}
    (merged / "config.json").write_text(json.dumps(config))
    assert "tie_word_embeddings from True to False" in _refusal(merged, tiny_gemma3)


def test_answers_that_are_not_numbers_never_pass():
    figures = {"log_likelihood_difference_before_storing": 0.0, "log_likelihood_difference": float("nan")}
    with pytest.raises(RuntimeError, match="disagree by nan"):
        merging._check_parity(figures, 1.0)
