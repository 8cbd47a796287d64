"""The model in Python, as a scientist uses it in a notebook."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

import cancertype
from cancertype.errors import InputError
from cancertype.labels import LABELS
from cancertype.prediction import answers

MELANOMA, BOWEL = "BRAF V600E, CDKN2A R80*", "APC R1450*, KRAS G12D"


@pytest.fixture(scope="module")
def model(published):
    return cancertype.load(published)


def test_a_text_gives_one_answer(model):
    found = model.predict(MELANOMA)
    assert len(found) == 1 and found.labels == ["SKCM"]
    assert found[0]["top"][0]["label"] == "SKCM" and found[0]["assay"]["name"] == "list"
    assert repr(found).startswith("<1 answer: text: SKCM ")


def test_a_list_gives_one_answer_per_text_and_a_mapping_keeps_its_names(model):
    found = model.predict([MELANOMA, BOWEL])
    assert [record["case_id"] for record in found] == ["1", "2"]
    assert found.labels == ["SKCM", "COAD"]
    assert model.predict({"BRAF: a name": BOWEL})[0]["case_id"] == "BRAF: a name"
    named = model.predict({"P-1": MELANOMA, "P-2": BOWEL})
    assert named.to_pandas()["first"].to_dict() == {"P-1": "SKCM", "P-2": "COAD"}
    assert (named.proba == found.proba).all()


def test_identical_profiles_are_scored_once_also_one_after_another(published):
    model = cancertype.load(published)
    reader = model.predictor._reader
    scored, score_orders = [], reader._score_orders

    def counting(rendered, *rest, **how):
        scored.extend(rendered)
        return score_orders(rendered, *rest, **how)

    reader._score_orders = counting
    first = model.predict([MELANOMA, MELANOMA, BOWEL])
    assert len(scored) == 2
    again = model.predict([BOWEL, "TP53 R175H"])
    assert len(scored) == 3
    assert (again.proba[0] == first.proba[2]).all()


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


def test_the_site_is_kept_with_the_answers_and_changes_none(model):
    with_site = model.predict(MELANOMA, site="liver")
    assert with_site.site == "liver" and with_site.to_pandas()["site"].tolist() == ["liver"]
    plain = model.predict(MELANOMA)
    assert plain.site is None and "site" not in plain.to_pandas()
    assert (with_site.proba == plain.proba).all()


def test_what_was_ruled_out_is_not_listed(model):
    ruled = model.predict(MELANOMA, histology="thymic")
    assert [ranked["label"] for ranked in ruled[0]["top"]] == ["THYM"] == ruled[0]["set"]
    assert ruled[0]["probabilities"]["SKCM"] == 0.0
    by_sex = model.predict("TP53 R175H", sex="male", rule_out_by_sex=True)[0]
    assert not {"OV", "CESC", "UCEC"} & {*by_sex["set"], *(ranked["label"] for ranked in by_sex["top"])}
    (row,) = csv.DictReader(io.StringIO(answers.as_csv(ruled.records)))
    assert (row["label1"], row["label2"], row["family"], row["set"], row["p_THYM"]) == (
        "THYM",
        "",
        "THYM",
        "THYM",
        "1.000000",
    )
    assert "THYM" in answers.page(ruled.records, model.predictor.config, {})


def test_the_trees_alone_answer_without_pytorch(published):
    fast = cancertype.load(published, fast=True)
    found = fast.predict([MELANOMA, BOWEL])
    assert found.labels == ["SKCM", "COAD"]
    assert found.predictions.log_likelihood is None
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
