"""Ablations: the cohort is made anew with a change, trees are fitted on it, and what is done is not done again."""

import json
import shutil
import sys

import pytest
from ruamel.yaml import YAML

from benchmarks import ablations
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


def test_a_change_is_measured_once_and_written_down(raw, monkeypatch, capsys):
    out = raw / "ablations.json"
    given = ["--params", str(raw / FILE), "--raw", str(raw / "data" / "raw"), "--out", str(out), "--rounds", "3"]
    monkeypatch.setattr(sys, "argv", ["ablations", *given, "--only", "no views"])
    before = (raw / FILE).read_bytes()
    ablations.main()
    found = json.loads(out.read_text(encoding="utf-8"))["no views"]
    assert {"as they are", "exome", "list"} <= set(found)
    assert found["exome"]["n"] >= 10 and 0.0 <= found["exome"]["accuracy"] <= 1.0
    assert "| no views |" in capsys.readouterr().out
    assert (raw / FILE).read_bytes() == before
    shutil.rmtree(raw / "data" / "raw")
    ablations.main()
    assert "| no views |" in capsys.readouterr().out, "nothing of it was made again"


def test_every_change_names_keys_that_exist():
    document = YAML(typ="safe").load(PRESET.read_text(encoding="utf-8"))
    for changes in ablations.CHANGES.values():
        for dotted in changes:
            at = document
            for key in dotted.split("."):
                assert key in at, dotted
                at = at[key]
