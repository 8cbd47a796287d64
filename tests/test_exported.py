"""The exported language model answers as the model that PyTorch computes, is made once, and again when damaged."""

import json

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from cancertype.errors import InputError
from cancertype.language_model import loading
from cancertype.prediction import exports, manifest
from cancertype.scoring import likelihood
from cancertype.scoring.export import TOLERANCE, can_be_exported, export
from cancertype.scoring.exported import FEW_TOKENS, TOKENIZER, Exported
from cancertype.scoring.few_tokens import FewTokens, shortened
from cancertype.text.prompt import Rendered

from .test_scoring import CODES, LONG, PREAMBLE, SHORT

SETTINGS = {"batch_size": 3, "progress": False}


@pytest.fixture(scope="module", params=["tiny_gemma3", "tiny_gemma2"])
def both(request, tmp_path_factory):
    folder = request.getfixturevalue(request.param)
    model, tokenizer = loading.load_model(folder, device="cpu"), loading.load_tokenizer(folder)
    out = tmp_path_factory.mktemp("exported") / request.param
    assert export(model, tokenizer, out, SHORT, CODES) <= TOLERANCE
    return (model, tokenizer), Exported(out)


@pytest.mark.parametrize("prompts", [SHORT, LONG, [PREAMBLE + text for text in LONG], SHORT[:1]])
def test_scores_equal_the_models_whatever_the_lengths_and_labels(both, prompts):
    (model, tokenizer), exported = both
    for labels in (CODES, [" breast", " lung"], [" a", " b"]):
        expected = likelihood.score_labels(model, tokenizer, prompts, labels, **SETTINGS)
        np.testing.assert_allclose(exported.score_labels(prompts, labels, **SETTINGS), expected, atol=TOLERANCE, rtol=0)


def test_orders_of_the_mutations_are_the_same(both):
    (model, tokenizer), exported = both
    cases = [Rendered("tumour\nTP53, KRAS, APC, TTN\ncancer:", ("TP53", "KRAS", "APC", "TTN"), 0), Rendered("x", (), 0)]
    how = {"orders": 3, **SETTINGS}
    expected = likelihood.score_orders(model, tokenizer, cases, "code", **how)
    np.testing.assert_allclose(exported.score_orders(cases, "code", **how), expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("labels", [[" a", " b"], CODES])
def test_a_choice_among_the_labels_differs_by_a_constant_per_prompt(both, labels, monkeypatch):
    (model, tokenizer), exported = both
    expected = likelihood.score_labels(model, tokenizer, LONG, labels, **SETTINGS)
    one_token_each = all(len(exported.tokenizer.encode(text, add_special_tokens=False).ids) == 1 for text in labels)
    if one_token_each:
        monkeypatch.setattr(exported, "_log_probabilities", lambda *_: pytest.fail("the whole vocabulary"))
    found = exported.score_labels(LONG, labels, among_labels=True, **SETTINGS)
    among = [each - np.logaddexp.reduce(each, axis=1, keepdims=True) for each in (found, expected)]
    np.testing.assert_allclose(*among, atol=TOLERANCE, rtol=0)
    if one_token_each:
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1.0)


GEMMAS = {
    "model": {
        "type": "BPE",
        "unk_token": "<unk>",
        "byte_fallback": True,
        "vocab": {"<unk>": 0, "<bos>": 1, "b": 2, "r": 3, "▁": 4, "br": 5, "▁br": 6, "é": 7}
        | {"e": 8, "ea": 9, "a": 10, "z": 11, "zz": 12, "zzz": 13, "brea": 14},
        "merges": [["b", "r"], ["▁", "br"], ["e", "a"], ["z", "z"], ["zz", "z"], ["br", "ea"]],
    },
    "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    "added_tokens": [
        {"id": number, "content": content, "special": True}
        | {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
        for number, content in enumerate(["<unk>", "<bos>"])
    ],
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "pre_tokenizer": None,
    "post_processor": None,
    "decoder": None,
}


def test_few_tokens_read_a_prompt_as_all_do_and_leave_other_texts_to_them(tmp_path):
    (tmp_path / TOKENIZER).write_text(json.dumps(GEMMAS))
    (tmp_path / FEW_TOKENS).write_text(shortened(json.dumps(GEMMAS)))
    few = json.loads((tmp_path / FEW_TOKENS).read_text())["model"]
    assert set(GEMMAS["model"]["vocab"]) - set(few["vocab"]) == {"é", "zzz"}
    assert ["br", "ea"] in few["merges"] and ["zz", "z"] not in few["merges"]
    whole, read = Tokenizer.from_file(str(tmp_path / TOKENIZER)), FewTokens(tmp_path / FEW_TOKENS, tmp_path / TOKENIZER)
    for text in (" br", "zz br ea", " breast"):
        assert read.encode(text).ids == whole.encode(text).ids
    assert "_whole" not in vars(read), "prompts do not need the whole tokenizer"
    for text in ("zzz", "é br"):
        assert [each.ids for each in read.encode_batch_fast([text])] == [whole.encode(text).ids]
    assert "_whole" in vars(read)


def test_a_tokenizer_of_another_kind_is_not_shortened():
    other = json.dumps(GEMMAS | {"normalizer": None})
    assert shortened(other) == other


def test_no_prompts_give_no_rows_and_one_too_long_is_named(both):
    _, exported = both
    assert exported.score_labels([], CODES, **SETTINGS).shape == (0, len(CODES))
    with pytest.raises(InputError, match=r"prompt 1 has \d+ tokens and the model takes"):
        exported.score_labels(["x", "TP53 R175H, " * 400], CODES, **SETTINGS)


def test_an_export_that_answers_otherwise_is_not_kept(tiny_gemma3, tmp_path, monkeypatch):
    model, tokenizer = loading.load_model(tiny_gemma3, device="cpu"), loading.load_tokenizer(tiny_gemma3)

    def another(*given, **how):
        return likelihood.score_labels(*given, **how) + 0.01

    monkeypatch.setattr("cancertype.scoring.export.score_labels", another)
    with pytest.raises(RuntimeError, match=r"differs by 0\.0"):
        export(model, tokenizer, tmp_path / "exported", SHORT, CODES)
    assert not list(tmp_path.iterdir())


def test_a_model_with_an_output_layer_of_its_own_is_not_exported(tiny_gemma3):
    model = loading.load_model(tiny_gemma3, device="cpu")
    assert can_be_exported(model)
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.clone())
    assert not can_be_exported(model)


# --- Kept in the cache ---


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "user_cache", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "exported"


def published(folder, content: str):
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter" / "adapter_model.safetensors").write_text(content)
    manifest.write(folder)
    return folder


def test_an_export_is_made_once_again_when_damaged_and_for_other_weights(tmp_path, cache, capsys):
    made = []

    def make(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "decoder.json").write_text("{}")
        made.append(folder)
        return True

    one = published(tmp_path / "one", "weights")
    first = exports.folder_of(one, make)
    assert exports.folder_of(one, make) == first and len(made) == 1
    assert "a minute, once" in capsys.readouterr().err
    (first / "decoder.json").write_text("{ }")
    assert exports.folder_of(one, make) == first and len(made) == 2
    (one / "README.md").write_text("a card says nothing of the answers")
    manifest.write(one)
    assert exports.folder_of(one, make) == first and len(made) == 2
    others = [exports.folder_of(published(tmp_path / name, name), make) for name in ("two", "three")]
    assert len({first, *others}) == 3
    assert {path.name for path in cache.iterdir()} == {other.name for other in others}, "the oldest went"


def test_without_a_manifest_or_a_place_there_is_no_export(tmp_path, cache, capsys):
    (tmp_path / "bare").mkdir()
    assert exports.folder_of(tmp_path / "bare", lambda folder: pytest.fail("made")) is None
    one = published(tmp_path / "one", "weights")
    assert exports.folder_of(one, lambda folder: False) is None

    def full(folder):
        raise OSError(28, "No space left on device")

    assert exports.folder_of(one, full) is None
    assert "No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize(("chosen", "here"), [("onnx", True), ("torch", False)])
def test_the_environment_chooses_what_computes(monkeypatch, chosen, here):
    monkeypatch.setenv(exports.RUNTIME, chosen)
    assert exports.wanted() is here


def test_an_unknown_choice_is_refused(monkeypatch):
    monkeypatch.setenv(exports.RUNTIME, "tensorflow")
    with pytest.raises(InputError, match="CANCERTYPE_RUNTIME is 'tensorflow': set it to auto, onnx or torch"):
        exports.wanted()
