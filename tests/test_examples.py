"""The example files are read as what they are, and the notebook runs."""

import csv
import json

import pytest

from cancertype.labels import LABELS
from cancertype.prediction import inputs, summary
from tests.test_pipeline import ROOT

EXAMPLES = ROOT / "examples"


def test_the_example_tumours_are_read_whole_with_what_lies_beside_them():
    beside = {"copy_number": [EXAMPLES / "arms.tsv"], "fusions": [EXAMPLES / "fusions.tsv"]}
    found = inputs.read(str(EXAMPLES / "tumours.maf"), **beside)
    held = summary.summary(found)
    assert (held["samples"], held["wrong_rows"], held["account"]["not_understood"]) == (10, 0, {})
    with (EXAMPLES / "cohorts.tsv").open(newline="") as file:
        named = [row["sample"] for row in csv.DictReader(file, delimiter="\t")]
    assert found.tables.cases["case_id"].to_pylist() == named
    assert set(found.tables.alterations.arms["case_id"].to_pylist()) == set(named)
    assert all(not companion.unmatched for companion in found.companions)
    assert "SIMULATED" in (EXAMPLES / "tumours.maf").read_text().splitlines()[0]


def test_every_textbook_list_is_read_and_expects_labels_that_exist():
    with (EXAMPLES / "profiles.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        # One names HPV, which is a finding and no mutation.
        problems = [problem.what for problem in inputs.read(row["mutations"]).problems]
        assert all("a marker that is not used" in what for what in problems), (row, problems)
        # "?" and "OUT": no single answer can be right.
        assert set(row["expected"].split(",")) <= {*LABELS, "?", "OUT"}, row


@pytest.mark.parametrize("folder", [ROOT, EXAMPLES])
def test_the_notebook_runs(published, monkeypatch, folder):
    cells = json.loads((EXAMPLES / "predict.ipynb").read_text())["cells"]
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    assert code and not any(cell.get("outputs") for cell in cells), "outputs depend on the model: none is kept"
    monkeypatch.chdir(folder)
    import cancertype

    load = cancertype.load
    monkeypatch.setattr(cancertype, "load", lambda *_, **more: load(published, **more))
    space: dict = {}
    for number, source in enumerate(code):
        try:
            exec(compile("".join(source), f"cell {number}", "exec"), space)
        except Exception as error:
            pytest.fail(f"cell {number} fails with {error!r}:\n{''.join(source)}")
    assert len(space["table"]) == 10
