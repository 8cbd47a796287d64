"""A released model knows its version, and every answer names it; one from before goes without."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from cancertype.commands.cli import app
from cancertype.prediction import answers, manifest
from cancertype.prediction.prediction_config import CONFIG, PredictionConfig
from pipeline import release


@pytest.fixture
def released(published, tmp_path):
    folder = tmp_path / "released"
    shutil.copytree(published, folder)
    release.state_version(folder, "v0.7.0")
    manifest.check(folder)
    return folder


def shown(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_the_version_is_in_info_answer_and_card(released):
    model = ("--model", str(released))
    assert "(release v0.7.0, id " in shown("info", *model)
    asked = json.loads(shown("predict", "BRAF V600E", "--fast", "--json", "-", *model))
    assert asked["model"]["release"] == "v0.7.0" and asked["about"]["Model"].startswith("v0.7.0, id ")
    lines = (released / "README.md").read_text().splitlines()
    title = next(at for at, line in enumerate(lines) if line.startswith("# "))
    assert lines[title + 2] == "Release v0.7.0."


def test_a_model_from_before_has_no_release(published, tmp_path):
    folder = tmp_path / "older"
    shutil.copytree(published, folder)
    config = json.loads((folder / CONFIG).read_text())
    del config["release"]
    (folder / CONFIG).write_text(json.dumps(config))
    loaded = PredictionConfig.load(folder)
    assert answers.identity(folder, loaded)["release"] is None


@pytest.mark.parametrize("given", ["0.7.0", "v1", "v0.7.0 "])
def test_a_version_of_another_form_is_refused_before_anything_is_written(given, monkeypatch):
    monkeypatch.setattr("sys.argv", ["release", "--version", given])
    with pytest.raises(release.InputError, match=r"write it like v0\.7\.0"):
        release.main()
