"""The manifest: damage to a published model is one clear line, and never an abort, a hang or another answer."""

import json
import os
import random
import shutil
from pathlib import Path

import pytest

from cancertype.errors import InputError
from cancertype.prediction import answers, manifest
from cancertype.prediction.manifest import MANIFEST, Notice
from cancertype.prediction.predictor import Predictor

ROOT = Path(__file__).parents[1]


@pytest.fixture
def copy(published, tmp_path) -> Path:
    folder = tmp_path / "model"
    shutil.copytree(published, folder)
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as error:
        Predictor.from_pretrained(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_publishing_lists_every_file_with_its_digest(published):
    listed = json.loads((published / MANIFEST).read_text())["files"]
    present = {path.relative_to(published).as_posix() for path in published.rglob("*") if path.is_file()}
    assert set(listed) == present - {MANIFEST}
    manifest.check(published, card=True)


@pytest.mark.parametrize(
    "name",
    [
        *("trees/trees.txt.gz", "trees/tabular.json", "trees/logistic.safetensors", "prediction.json"),
        *("vocabulary.parquet", "config.json", "tokenizer.json", "model.safetensors"),
    ],
)
def test_a_flipped_bit_is_named_before_the_file_is_parsed(copy, name):
    path = copy / name
    content = bytearray(path.read_bytes())
    content[random.Random(name).randrange(len(content))] ^= 1
    path.write_bytes(content)
    assert f"{path}: damaged or edited" in refusal(copy)


@pytest.mark.parametrize("name", ["trees/trees.txt.gz", "vocabulary.parquet", "config.json"])
@pytest.mark.parametrize("keep", [0, 0.5])
def test_a_truncated_file_is_named(copy, name, keep):
    path = copy / name
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    assert f"{path}: damaged or edited" in refusal(copy)


def test_a_missing_file_is_named(copy):
    (copy / "trees" / "trees.txt.gz").unlink()
    assert "trees/trees.txt.gz is missing" in refusal(copy)


@pytest.mark.parametrize("name", ["special_tokens_map.json", "trees/more.txt", "adapter/adapter_config.json"])
def test_a_planted_file_that_loading_could_read_is_refused(copy, name):
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_text("{}")
    assert f"{name}: is not in manifest.json" in refusal(copy)


def test_a_note_or_a_hidden_file_beside_the_model_is_no_damage(copy):
    (copy / "notes.txt").write_text("mine")
    (copy / ".gitattributes").write_text("* -text")
    manifest.check(copy)


def test_the_card_may_be_edited_for_predictions_and_not_for_info(copy):
    (copy / "README.md").write_text("---\nlicense: mit\n---\n")
    manifest.check(copy)
    with pytest.raises(InputError, match=r"README\.md: damaged or edited"):
        answers.describe(copy)


@pytest.mark.parametrize(
    "content", ["", "[", "[]", "{}", '{"files": []}', '{"files": {"a": 1}}', "\udcff", "[" * 100_000]
)
def test_a_damaged_manifest_is_one_line(copy, content):
    (copy / MANIFEST).write_bytes(content.encode("utf-8", "surrogateescape"))
    assert "manifest.json: damaged" in refusal(copy)


def test_a_model_without_a_manifest_is_refused_with_the_command_that_writes_one(copy):
    (copy / MANIFEST).unlink()
    assert f"If you trust this folder, run `cancertype manifest {copy}`" in refusal(copy)


def test_the_pipelines_own_older_run_is_read_with_a_notice(copy, tmp_path, monkeypatch):
    (copy / MANIFEST).unlink()
    (tmp_path / "models").mkdir()
    copy.rename(tmp_path / "models" / "published")
    monkeypatch.chdir(tmp_path)
    with pytest.warns(Notice, match="has no manifest.json"):
        manifest.check(Path("models/published"))


@pytest.mark.parametrize("name", ["trees/tabular.json", "trees/logistic.safetensors", "vocabulary.parquet"])
def test_damage_without_a_manifest_is_one_line_too(copy, tmp_path, monkeypatch, name):
    (copy / MANIFEST).unlink()
    (tmp_path / "models").mkdir()
    folder = copy.rename(tmp_path / "models" / "published")
    (folder / name).write_bytes((folder / name).read_bytes()[:40])
    monkeypatch.chdir(tmp_path)
    with pytest.warns(Notice):
        assert "damaged or incomplete" in refusal(folder)


def test_large_weights_are_hashed_once_per_state(copy, tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "_LARGE", 100_000)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hashed = []
    digest = manifest.digest
    monkeypatch.setattr(manifest, "digest", lambda path: hashed.append(path.name) or digest(path))
    manifest.check(copy)
    manifest.check(copy)
    assert hashed.count("model.safetensors") == 1
    assert hashed.count("trees.txt.gz") == 2
    content = bytearray((copy / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (copy / "model.safetensors").write_bytes(content)
    assert "model.safetensors: damaged or edited" in refusal(copy)


def test_a_user_without_a_home_folder_leaves_no_files_behind(copy, tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "_LARGE", 100_000)
    monkeypatch.setattr(manifest.platformdirs, "user_cache_dir", lambda name: f"~/.cache/{name}")
    monkeypatch.chdir(tmp_path)
    manifest.check(copy)
    assert os.listdir(tmp_path) == ["model"]


def test_damaged_base_weights_are_named(published):
    weights = published / "model.safetensors"
    manifest.check_weights(published, {weights.name: manifest.digest(weights)})
    with pytest.raises(InputError, match=r"model\.safetensors: its content is not what was downloaded"):
        manifest.check_weights(published, {weights.name: "0" * 64})


def test_the_release_matches_its_manifest():
    manifest.check(ROOT / "released", card=True)
