"""What the histology adds, by the benchmark: each case has a histology that its label can have."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import histology
from cancertype.labels import LABELS
from cancertype.prediction.histology import shares


@pytest.mark.parametrize(
    ("label", "written", "expected"),
    [
        ("LUSC", "", "squamous"),
        ("CESC", "Adenosquamous", "other carcinoma"),
        ("CESC", "Cervical_Squamous_Cell_Carcinoma", "squamous"),
        ("STES", "Esophagus_Adenocarcinoma,_NOS", "adenocarcinoma"),
        ("STES", "Esophagus_Squamous_Cell_Carcinoma", "squamous"),
        ("GBMLGG", "Astrocytoma", "glial"),
    ],
)
def test_a_case_has_the_histology_that_is_stated_or_the_only_one(label, written, expected):
    assert histology.of_case(label, "P1", written) == expected


def test_a_histology_that_is_not_stated_is_drawn_by_the_shares_of_the_label():
    drawn = [histology.of_case("STES", f"P{i}", "") for i in range(2000)]
    share = shares()["squamous"][LABELS.index("STES")]
    assert drawn.count("squamous") / len(drawn) == pytest.approx(share, abs=0.03)
    assert set(drawn) == {"squamous", "adenocarcinoma"}


def test_answers_that_the_histology_rules_out_are_gone():
    cases = pd.DataFrame({"label": ["LUSC", "THCA"], "patient_id": ["P1", "P2"]})
    p = np.full((2, 26), 1 / 26)
    found = histology.with_histology(cases, p, {})
    assert found.sum(axis=1) == pytest.approx(np.ones(2))
    assert found[0, LABELS.index("LUAD")] == 0.0 < found[0, LABELS.index("LUSC")]


def test_clinical_tables_are_read_by_patient(tmp_path):
    table = tmp_path / "clinical.tsv"
    table.write_text("bcr_patient_barcode\ttype\thistological_type\nP1\tCESC\tAdenosquamous\nP2\tLAML\t\n")
    assert histology.read_clinical([table]) == {"P1": "Adenosquamous", "P2": ""}
