"""The base model: fetched whole from each origin, refused with a remedy, and loaded in the right dtype."""

import json
import shutil
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import huggingface_hub.constants
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoConfig

from cancertype.errors import InputError
from cancertype.labels import WORDS
from cancertype.language_model import base_record, conversion, loading
from cancertype.language_model.gguf_tokenizer import GEMMA3_MERGES, byte_pair_merges, gemma_tokenizer, vocabulary

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ENGLISH = (
    "Melanoma is a type of skin cancer that develops from the pigment-producing cells known as melanocytes. "
    "The BRAF V600E mutation is found in about half of all patients."
)
CPU = torch.device("cpu")
CUDA = torch.device("cuda")


def test_the_packaged_gemma_reads_english_and_cuts_words_as_google_does(gemma_base):
    tokenizer = loading.load_tokenizer(gemma_base)
    stored = json.loads((gemma_base / "tokenizer.json").read_text(encoding="utf-8"))
    assert len(stored["model"]["merges"]) == GEMMA3_MERGES
    assert len(tokenizer) == 262_144
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id, tokenizer.unk_token_id) == (
        0,
        1,
        2,
        3,
    )
    assert tokenizer("")["input_ids"] == [tokenizer.bos_token_id]
    assert tokenizer.tokenize("a  b\n\n\tc") == ["a", "▁▁", "b", "\n\n", "\t", "c"]
    assert all(len(tokenizer.tokenize(f" {word}")) == 1 for word in WORDS.values())

    model = loading.load_model(gemma_base, device="cpu")
    assert model.dtype == torch.float32
    ids = tokenizer(ENGLISH, return_tensors="pt").input_ids
    with torch.no_grad():
        nats = model(ids, labels=ids).loss.item() * (ids.shape[1] - 1)
    assert nats / len(ENGLISH) < 0.7

    origin = json.loads((gemma_base / "base.json").read_text(encoding="utf-8"))
    assert origin["id"] == "gemma-3-270m"
    assert origin["licence"] == "gemma"
    assert len(origin["sha256"]["model.safetensors"]) == 64
    assert (gemma_base / "GEMMA_TERMS.html").is_file()
    assert [path.name for path in gemma_base.parent.iterdir()] == ["base"]


def test_merges_are_every_split_of_a_token_in_the_order_of_the_made_token():
    vocab = {token: index for index, token in enumerate(["a", "b", "c", "ab", "bc", "abc", "zz"])}
    assert byte_pair_merges(vocab) == [("a", "b"), ("b", "c"), ("a", "bc"), ("ab", "c")]


def test_runs_of_spaces_are_stored_as_the_normaliser_writes_them():
    assert vocabulary(["  ", "a b"], [4, 1]) == {"▁▁": 0, "a b": 1}


@given(st.text(alphabet="ab\n \t<>é", max_size=30))
def test_the_rebuilt_tokenizer_gives_back_every_text(text):
    assert TOY.decode(TOY(text, add_special_tokens=False)["input_ids"]) == text


def _toy_tokenizer():
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<unused0>"]
    user = ["\n", "\n\n", "  ", "   "]
    byte = [f"<0x{value:02X}>" for value in range(256)]
    normal = ["▁", "a", "b", "<", ">", "▁a", "ab", "▁ab"]
    types = [3] * len(special) + [4] * len(user) + [6] * len(byte) + [1] * len(normal)
    return gemma_tokenizer([*special, *user, *byte, *normal], types, model_max_length=64)


TOY = _toy_tokenizer()


def test_reserved_tokens_stay_visible_and_special_ones_do_not():
    assert TOY.decode(TOY("<unused0>a<mask>")["input_ids"], skip_special_tokens=True) == "<unused0>a"


def test_a_folder_is_copied_whole_with_its_origin(tiny_gemma3, tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "stale.txt").write_text("of an earlier base")
    conversion.fetch(str(tiny_gemma3), None, tmp_path / "base")
    copied = {path.name for path in (tmp_path / "base").iterdir()}
    assert copied == {path.name for path in tiny_gemma3.iterdir()} | {"base.json"}
    origin = json.loads((tmp_path / "base" / "base.json").read_text())
    assert origin["copied_from"] == "tiny-gemma3"
    assert origin["licence"] == "none"
    assert json.loads((tiny_gemma3 / "base.json").read_text())["id"] == "tiny-gemma3"
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named_and_nothing_is_written(tiny_gemma3, tmp_path, name):
    shutil.copytree(tiny_gemma3, tmp_path / "given")
    (tmp_path / "given" / name).unlink()
    with pytest.raises(InputError, match=name):
        conversion.fetch(str(tmp_path / "given"), None, tmp_path / "base")
    with pytest.raises(InputError, match=name):
        loading.load_model(tmp_path / "given")
    with pytest.raises(InputError, match=name):
        loading.load_tokenizer(tmp_path / "given")
    assert [path.name for path in tmp_path.iterdir()] == ["given"]


def test_a_missing_part_of_split_weights_is_named(tiny_gemma3, tmp_path):
    folder = shutil.copytree(tiny_gemma3, tmp_path / "given")
    parts = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors").rename(folder / parts["a"])
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
    assert loading.missing_files(folder) == [parts["b"]]


def test_an_unknown_base_lists_what_a_base_can_be(tmp_path):
    with pytest.raises(InputError, match="neither 'gemma-3-270m', nor a folder that exists, nor a Hub id"):
        conversion.fetch("gemma", None, tmp_path / "base")


def test_a_revision_of_something_without_revisions_is_refused(tiny_gemma3, tmp_path):
    for base in ("gemma-3-270m", str(tiny_gemma3)):
        with pytest.raises(InputError, match="only a Hub id has revisions"):
            conversion.fetch(base, "main", tmp_path / "base")


def test_code_pickles_and_secrets_beside_a_model_stay_where_they_are(tiny_gemma3, tmp_path):
    given = shutil.copytree(tiny_gemma3, tmp_path / "given")
    (tmp_path / "secret").write_text("password")
    for name in (".env", "modeling_x.py", "pytorch_model.bin", "notes.txt"):
        (given / name).write_text("private")
    (given / "credentials.json").symlink_to(tmp_path / "secret")
    conversion.fetch(str(given), None, tmp_path / "base")
    assert {path.name for path in (tmp_path / "base").iterdir()} == {path.name for path in tiny_gemma3.iterdir()}


def test_a_link_in_a_base_folder_leads_to_no_file_that_is_then_published(tiny_gemma3, tmp_path):
    """A licence is copied into every folder that is made of the base, and published with it."""
    given = shutil.copytree(tiny_gemma3, tmp_path / "given")
    (tmp_path / ".env").write_text("TOKEN=private")
    (given / "LICENSE").symlink_to(tmp_path / ".env")
    with pytest.raises(InputError, match=r"LICENSE: is a link to .*\.env, whose content nobody chose to publish"):
        conversion.fetch(str(given), None, tmp_path / "base")
    assert not (tmp_path / "base").exists()


def test_the_links_of_the_hubs_cache_and_linked_weights_are_followed(tiny_gemma3, tmp_path):
    given = shutil.copytree(tiny_gemma3, tmp_path / "given")
    for name, kept in {"config.json": "0" * 40, "model.safetensors": "weights.safetensors"}.items():
        (given / name).rename(tmp_path / kept)
        (given / name).symlink_to(tmp_path / kept)
    conversion.fetch(str(given), None, tmp_path / "base")
    for name in ("config.json", "model.safetensors"):
        copied = tmp_path / "base" / name
        assert not copied.is_symlink() and copied.read_bytes() == (tiny_gemma3 / name).read_bytes()


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_model_that_brings_code_is_refused_and_its_code_never_runs(tiny_gemma3, tmp_path, name):
    given = shutil.copytree(tiny_gemma3, tmp_path / "given")
    content = json.loads((given / name).read_text())
    content["auto_map"] = {key: f"evil.{key}" for key in ("AutoConfig", "AutoModelForCausalLM", "AutoTokenizer")}
    (given / name).write_text(json.dumps(content | {"model_type": "evil"} if name == "config.json" else content))
    (given / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    for load in (
        lambda: conversion.fetch(str(given), None, tmp_path / "base"),
        lambda: loading.load_model(given),
        lambda: loading.load_tokenizer(given),
    ):
        with pytest.raises(InputError, match=rf"{name}: asks for code of the model's own \(auto_map\)"):
            load()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given"]


def _damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    damages = {"cut": content[: len(content) // 2], "empty": b"", "noise": content[::-1], "null": b"null"}
    path.write_bytes(damages[how])


@pytest.mark.parametrize("how", ["cut", "empty", "noise", "null"])
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"])
def test_a_damaged_file_is_one_clear_line(tiny_gemma3, tmp_path, name, how):
    folder = shutil.copytree(tiny_gemma3, tmp_path / "given")
    _damage(folder / name, how)
    with pytest.raises(InputError) as refused:
        loading.load_tokenizer(folder)
        loading.load_model(folder)
    assert str(folder) in str(refused.value) and "\n" not in str(refused.value)


def test_weights_that_lack_a_tensor_are_not_filled_with_random_numbers(tiny_gemma3, tmp_path):
    folder = shutil.copytree(tiny_gemma3, tmp_path / "given")
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.2.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"lack 1 weights, model\.layers\.2\.mlp\.up_proj\.weight among them"):
        loading.load_model(folder)


def test_a_flipped_bit_in_the_weights_of_a_base_is_noticed(tiny_gemma3, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    conversion.fetch(str(tiny_gemma3), None, tmp_path / "base")
    loading.load_model(tmp_path / "base")
    # The weights are a hard link to the given ones, so the damage is done to a copy.
    copy = shutil.copytree(tmp_path / "base", tmp_path / "copy")
    content = bytearray((copy / "model.safetensors").read_bytes())
    content[-1000] ^= 1
    (copy / "model.safetensors").write_bytes(content)
    for load in (loading.load_model, lambda folder: conversion.fetch(str(folder), None, tmp_path / "other")):
        with pytest.raises(InputError, match=r"model\.safetensors: damaged or replaced.*Fetch the base again"):
            load(copy)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("content", ["null", "[1]", "{", '{"id": 3}', '{"id": "x", "sha256": {"a": "b"}}'])
def test_a_damaged_record_of_a_base_is_one_clear_line(tiny_gemma3, tmp_path, content):
    folder = shutil.copytree(tiny_gemma3, tmp_path / "given")
    (folder / "base.json").write_text(content)
    for read in (base_record.identity, loading.load_model):
        with pytest.raises(InputError, match=r"base\.json: "):
            read(folder)


def test_an_index_that_points_out_of_its_folder_is_refused(tiny_gemma3, tmp_path):
    folder = shutil.copytree(tiny_gemma3, tmp_path / "given")
    for parts in ({"a": "../model.safetensors"}, {"a": "/etc/passwd"}, {"a": None}, [], None):
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
        with pytest.raises(InputError, match="does not give a file of this folder for each weight"):
            conversion.fetch(str(folder), None, tmp_path / "base")


class _Hub(BaseHTTPRequestHandler):
    """As much of the Hub's HTTP interface as a download uses; `gated/model` and `absent/model` are refused."""

    def __init__(self, files: dict[str, bytes], *args):
        self.files = files
        super().__init__(*args)

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if "gated/model" in path:
            self._answer(403, b"{}", {"X-Error-Code": "GatedRepo"})
        elif "absent/model" in path:
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif path.startswith("/api/models/open/model/revision/lost"):
            self._answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif path.startswith(f"/api/models/open/model/tree/{COMMIT}"):
            self._json([{"type": "file", "path": n, "size": len(c), "oid": "0" * 40} for n, c in self.files.items()])
        elif path.startswith("/api/models/open/model"):
            siblings = [{"rfilename": name} for name in self.files]
            card = {"license": "gemma"}
            self._json({"id": "open/model", "sha": COMMIT, "siblings": siblings, "cardData": card})
        elif path.startswith(f"/open/model/resolve/{COMMIT}/"):
            self._answer(200, self.files[path.split("/", 5)[5]], {"ETag": '"tag"', "X-Repo-Commit": COMMIT})
        else:
            self._answer(500, b"{}", {})

    do_HEAD = do_GET

    def _json(self, content):
        self._answer(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(tiny_gemma3, monkeypatch):
    files = {path.name: path.read_bytes() for path in tiny_gemma3.iterdir() if path.name != "base.json"}
    files |= {"pytorch_model.bin": b"a pickle", "original/model.safetensors": b"another format"}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Hub, files)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield files
        server.shutdown()


def test_a_hub_model_is_downloaded_at_a_commit_without_pickles(hub, tmp_path):
    conversion.fetch("open/model", "main", tmp_path / "base")
    got = {path.name for path in (tmp_path / "base").rglob("*")}
    assert got == set(hub) - {"pytorch_model.bin", "original/model.safetensors"} | {"base.json"}
    assert (tmp_path / "base" / "config.json").read_bytes() == hub["config.json"]
    origin = json.loads((tmp_path / "base" / "base.json").read_text())
    assert (origin["revision"], origin["licence"]) == (COMMIT, "gemma")


def test_a_model_of_the_hub_is_used_at_a_commit_that_is_stated_and_without_code_or_pickles(
    hub, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    hub |= {"modeling_x.py": b"print()", ".env": b"secret"}
    folder = conversion.local_folder("open/model")
    assert folder.name == COMMIT and f"open/model: using commit {COMMIT}" in capsys.readouterr().err
    got = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert got == set(hub) - {"modeling_x.py", ".env", "pytorch_model.bin"}


@pytest.mark.parametrize(
    ("base", "revision", "remedy"),
    [
        ("gated/model", None, "accept its terms at .*gated/model .*HF_TOKEN"),
        ("absent/model", None, "not on the Hub, or is private"),
        ("open/model", "lost", "no revision 'lost'"),
    ],
)
def test_what_the_hub_refuses_comes_with_a_remedy(hub, tmp_path, base, revision, remedy):
    with pytest.raises(InputError, match=remedy):
        conversion.fetch(base, revision, tmp_path / "base")
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_offline_base_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"out of reach .*'gemma-3-270m', which needs no network"):
        conversion.fetch("open/model", None, tmp_path / "base")


def _config(folder: Path):
    return AutoConfig.from_pretrained(folder)


def test_dtype_follows_the_model_and_the_card(tiny_gemma2, tiny_gemma3, monkeypatch):
    gemma2, gemma3 = _config(tiny_gemma2), _config(tiny_gemma3)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert loading.choose_dtype(gemma3, CUDA, "auto") == torch.bfloat16
    assert loading.choose_dtype(gemma2, CPU, "auto") == torch.float32
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation)
    assert loading.choose_dtype(gemma2, CUDA, "auto") == torch.float16
    assert loading.choose_dtype(gemma3, CUDA, "auto") == torch.float32
    assert loading.choose_dtype(gemma2, CUDA, "float16") == torch.float16
    assert loading.choose_dtype(gemma3, CPU, "bfloat16") == torch.bfloat16
    with pytest.raises(InputError, match="gemma3_text overflows"):
        loading.choose_dtype(gemma3, CUDA, "float16")


def test_gemma_2_keeps_its_soft_cap(tiny_gemma2, tiny_gemma3):
    loaded = loading.load_model(tiny_gemma2, device="cpu")
    assert loaded.config._attn_implementation == "eager"
    assert not loaded.training
    assert loading.load_model(tiny_gemma3, device="cpu").config._attn_implementation == "sdpa"


def test_four_bit_weights_are_known_as_such(tiny_gemma3, tmp_path):
    assert not loading.is_quantised(_config(tiny_gemma3))
    model = loading.load_model(tiny_gemma3, load_in_4bit=True, device="cpu")
    assert model.is_loaded_in_4bit
    shutil.copytree(tiny_gemma3, tmp_path / "nf4")
    model.save_pretrained(tmp_path / "nf4")
    assert loading.is_quantised(_config(tmp_path / "nf4"))
    assert loading.load_model(tmp_path / "nf4", device="cpu").is_loaded_in_4bit
