"""The model in Python, as a scientist uses it in a notebook."""

import numpy as np
import pandas as pd
import pytest

import cancertype
from cancertype.errors import InputError
from cancertype.labels import LABELS

MELANOMA, BOWEL = "BRAF V600E, CDKN2A R80*", "APC R1450*, KRAS G12D"


@pytest.fixture(scope="module")
def model(published):
    return cancertype.load(published)


def test_a_text_gives_one_answer(model):
    answers = model.predict(MELANOMA)
    assert len(answers) == 1 and answers.labels == ["SKCM"]
    assert answers[0]["top"][0]["label"] == "SKCM" and answers[0]["assay"]["name"] == "list"
    assert repr(answers).startswith("<1 answer: text: SKCM ")


def test_a_list_gives_one_answer_per_text_and_a_mapping_keeps_its_names(model):
    answers = model.predict([MELANOMA, BOWEL])
    assert [record["case_id"] for record in answers] == ["1", "2"]
    assert answers.labels == ["SKCM", "COAD"]
    assert model.predict({"BRAF: a name": BOWEL})[0]["case_id"] == "BRAF: a name"
    named = model.predict({"P-1": MELANOMA, "P-2": BOWEL})
    assert named.to_pandas()["first"].to_dict() == {"P-1": "SKCM", "P-2": "COAD"}
    assert (named.proba == answers.proba).all()


def test_a_path_and_a_data_frame_are_read_alike(model, tmp_path):
    rows = {
        "Hugo_Symbol": ["BRAF", "CDKN2A", "APC"],
        "Tumor_Sample_Barcode": ["a", "a", "b"],
        "HGVSp_Short": ["p.V600E", "p.R80*", "p.R1450*"],
        "Variant_Classification": ["Missense_Mutation", "Nonsense_Mutation", "Nonsense_Mutation"],
    }
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "a.maf", sep="\t", index=False)
    of_file, of_frame = model.predict(tmp_path / "a.maf"), model.predict(frame)
    assert [record["case_id"] for record in of_frame] == ["a", "b"]
    assert (of_file.proba == of_frame.proba).all()
    wide = pd.DataFrame({"ID": ["x", "y"], "BRAF": ["V600E", "WT"], "APC": ["WT", "R1450*"]})
    assert model.predict(wide).to_pandas()["first"].to_dict() == {"x": "SKCM", "y": "COAD"}
    assert model.predict(wide.set_index("ID")).to_pandas()["first"].to_dict() == {"x": "SKCM", "y": "COAD"}


def test_probabilities_are_in_the_order_of_the_classes(model):
    p = model.predict_proba([MELANOMA, BOWEL])
    assert p.shape == (2, 26) and p.sum(axis=1) == pytest.approx(np.ones(2))
    assert model.classes_.tolist() == list(LABELS)
    assert model.classes_[p.argmax(axis=1)].tolist() == ["SKCM", "COAD"]
    table = model.predict([MELANOMA]).to_pandas()
    assert table.loc["1", list(LABELS)].to_numpy(float) == pytest.approx(p[0])


def test_what_the_user_knows_goes_in_as_on_the_command_line(model):
    assert model.predict(MELANOMA, histology="glial").labels[0] in (None, "GBMLGG", "LGG")
    assert model.predict(MELANOMA, prior={"OV": 1.0}).labels == ["OV"]
    assert model.predict("TP53 R175H", sex="male", rule_out_by_sex=True)[0]["probabilities"]["OV"] == 0.0
    assert model.predict(MELANOMA, assay="msk-impact-468")[0]["assay"]["name"] == "msk-impact-468"


def test_the_trees_alone_answer_without_pytorch(published):
    fast = cancertype.load(published, fast=True)
    answers = fast.predict([MELANOMA, BOWEL])
    assert answers.labels == ["SKCM", "COAD"]
    assert answers.predictions.log_likelihood is None
    assert "trees alone" in repr(fast) and "language model and trees" in repr(cancertype.load(published))


def test_mistakes_name_the_remedy(model):
    with pytest.raises(InputError, match="the data frame"):
        model.predict(pd.DataFrame({"nothing": [1], "known": [2]}))
    with pytest.raises(InputError, match="sample a: its text holds 2 samples"):
        model.predict({"a": f"x: {MELANOMA}\ny: {BOWEL}"})
    with pytest.raises(InputError, match="a text of mutations is wanted, not float"):
        model.predict([MELANOMA, float("nan")])
    with pytest.raises(InputError, match="'XYZ' is none of the 26 labels"):
        model.predict(MELANOMA, prior={"XYZ": 1.0})
    with pytest.raises(InputError, match="no mutations, copy number, fusions or spectra are given"):
        model.predict([])
