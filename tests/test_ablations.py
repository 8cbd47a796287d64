"""Ablations: the cohort is made anew with a change, a model is fitted on it, and what is done is not done again."""

import json
import shutil
import sys

import pytest
from ruamel.yaml import YAML

from benchmarks import ablations, language_ablations
from pipeline.changes import write_changed
from pipeline.params import FILE
from stages import fetch_depmap, fetch_tcga

from .settings import PRESET

CHANGES = {
    "data.simulated.cases_per_label": 6,
    "cohort.min_cases_per_label": 3,
    "cohort.max_out_of_scope_cases": 5,
    "evaluate.assays": ["exome", "list"],
}


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ablations")
    write_changed(PRESET, CHANGES, folder / FILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        fetch_depmap.main()
        fetch_tcga.main()
    return folder


def test_the_language_model_is_trained_anew_and_a_finished_stage_is_not_run_again(
    raw, tiny_gemma3, tmp_path, monkeypatch, capsys
):
    params, folder = tmp_path / FILE, tmp_path / "runs"
    write_changed(raw / FILE, {"model.base": str(tiny_gemma3), "train.batch_size": 4, "views.copies": 1}, params)
    given = ["--params", str(params), "--raw", str(raw / "data" / "raw"), "--folder", str(folder)]
    given += ["--steps", "2", "--cases", "4", "--only", "the whole recipe", "no teacher"]
    monkeypatch.setattr(sys, "argv", ["language_ablations", *given])
    language_ablations.main()
    results = folder / "results.json"
    found = json.loads(results.read_text(encoding="utf-8"))["no teacher"]
    assert set(found) == {*language_ablations.ROWS, "together"}
    assert (
        found["together"]["n"] == sum(found[row]["n"] for row in language_ablations.ROWS) and found["exome"]["n"] == 4
    )
    assert "| no teacher |" in capsys.readouterr().out
    report = folder / "no-teacher" / "models" / "adapter" / "training.json"
    assert json.loads(report.read_text(encoding="utf-8"))["steps"] == 2
    texts = [folder / name / "data" / "text" / "train.parquet" for name in ("the-whole-recipe", "no-teacher")]
    assert texts[0].stat().st_mtime_ns == texts[1].stat().st_mtime_ns, "texts and teacher are taken over"
    results.unlink()
    written = report.stat().st_mtime_ns
    language_ablations.main()
    assert json.loads(results.read_text(encoding="utf-8"))["no teacher"] == found
    assert report.stat().st_mtime_ns == written


def test_a_change_is_measured_once_and_written_down(raw, monkeypatch, capsys):
    out = raw / "ablations.json"
    given = ["--params", str(raw / FILE), "--raw", str(raw / "data" / "raw"), "--out", str(out), "--rounds", "3"]
    monkeypatch.setattr(sys, "argv", ["ablations", *given, "--only", "no views", ablations.LOGISTIC])
    before = (raw / FILE).read_bytes()
    ablations.main()
    found = json.loads(out.read_text(encoding="utf-8"))["no views"]
    assert {"as they are, tumours", "as they are, cell lines", "exome", "list"} <= set(found)
    assert found["as they are, cell lines"]["n"] < found["as they are"]["n"]
    assert found["exome"]["n"] >= 10 and 0.0 <= found["exome"]["accuracy"] <= 1.0
    said = capsys.readouterr().out
    assert "| no views |" in said and f"| {ablations.LOGISTIC} |" in said
    linear = json.loads(out.read_text(encoding="utf-8"))[ablations.LOGISTIC]
    assert set(linear) == set(found) and linear["exome"]["accuracy"] > 0.1
    assert (raw / FILE).read_bytes() == before
    shutil.rmtree(raw / "data" / "raw")
    ablations.main()
    assert "| no views |" in capsys.readouterr().out, "nothing of it was made again"


def test_every_change_names_keys_that_exist():
    document = YAML(typ="safe").load(PRESET.read_text(encoding="utf-8"))
    for changes in [*ablations.CHANGES.values(), *language_ablations.CHANGES.values()]:
        for dotted in changes:
            at = document
            for key in dotted.split("."):
                assert key in at, dotted
                at = at[key]
