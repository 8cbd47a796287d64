"""Whether a model gives here the answers that it gave where it was released."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from cancertype.commands.cli import app
from cancertype.errors import InputError
from cancertype.prediction import manifest, stored_answers
from cancertype.prediction.predictor import Predictor

TEXTS = {"melanoma": "BRAF V600E, CDKN2A R80*", "bowel": "APC R1450*, KRAS G12D"}


@pytest.fixture
def released(published, tmp_path):
    folder = tmp_path / "released"
    shutil.copytree(published, folder)
    stored_answers.write(folder, Predictor.from_pretrained(folder), TEXTS)
    manifest.write(folder)
    return folder


def test_the_same_model_gives_the_same_answers(released):
    result = CliRunner().invoke(app, ["reproduce", "--model", str(released)])
    assert result.exit_code == 0, result.stderr
    assert "All 2 answers are those of the release, within 0.01." in result.stdout
    result = CliRunner().invoke(app, ["reproduce", "--model", str(released), "--json", "-"])
    found = json.loads(result.stdout)
    assert found["agree"] and {each["name"]: each["label"] for each in found["answers"]} == {
        "melanoma": "SKCM",
        "bowel": "COAD",
    }
    assert max(each["difference"] for each in found["answers"]) < 1e-5


def test_the_model_may_be_named_without_an_option(released):
    result = CliRunner().invoke(app, ["reproduce", str(released)])
    assert result.exit_code == 0, result.stderr
    assert "All 2 answers are those of the release" in result.stdout
    result = CliRunner().invoke(app, ["reproduce", str(released), "--model", "another"])
    assert result.exit_code == 1 and "two models are given" in result.stderr


def test_another_answer_is_shown_and_ends_with_status_1(released):
    path = released / stored_answers.STORED
    content = json.loads(path.read_text())
    content["answers"][0]["probabilities"]["SKCM"] -= 0.02
    path.write_text(json.dumps(content))
    manifest.write(released)
    result = CliRunner().invoke(app, ["reproduce", "--model", str(released)])
    assert result.exit_code == 1
    assert "1 of 2 answers differ by more than 0.01" in result.stdout and "melanoma" in result.stdout


def test_a_model_without_stored_answers_and_a_damaged_file_say_so(published, released):
    predictor = Predictor.from_pretrained(published)
    with pytest.raises(InputError, match="released without stored answers"):
        stored_answers.compare(published, predictor)
    for damaged in ("", "{}", '{"answers": [{"name": "a", "text": "BRAF V600E", "probabilities": {}}]}'):
        (released / stored_answers.STORED).write_text(damaged)
        with pytest.raises(InputError, match=r"answers\.json: damaged"):
            stored_answers.compare(released, predictor)
