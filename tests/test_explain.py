"""Which mutations carried a decision: exact, by the predictor itself."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cancertype import features
from cancertype.errors import InputError
from cancertype.labels import LABELS
from cancertype.prediction import drawing, explanation, inputs
from cancertype.prediction.prediction_config import VOCABULARY
from cancertype.prediction.predictor import Predictor
from cancertype.prediction.similar_cases import TrainingCases
from cancertype.reports import pages
from cancertype.tables.parquet import write_parquet
from tests.published_model import training_cohort

CASES = "a: BRAF V600E, CDKN2A R80*, TTN A1V\nb: KRAS G12D\nc: XIRP2 A1V"


@pytest.fixture(scope="module")
def predictor(published) -> Predictor:
    return Predictor.from_pretrained(published)


def read(text: str):
    return inputs.read(text).tables


def test_leaving_a_mutation_out_is_predicting_the_case_without_it(predictor):
    predictions, (why,) = explanation.explain(predictor, read(CASES), ["a"])
    without = {
        "BRAF V600E": "CDKN2A R80*, TTN A1V",
        "CDKN2A R80*": "BRAF V600E, TTN A1V",
        "TTN A1V": "BRAF V600E, CDKN2A R80*",
    }
    assert {effect.mutation for effect in why.effects} == set(without)
    at = LABELS.index(why.label)
    assert why.p == predictions.p[0, at] == predictor.predict(read(CASES)).p[0, at]
    for effect in why.effects:
        alone = predictor.predict(read(without[effect.mutation])).p[0, at]
        assert effect.without == pytest.approx(alone, rel=1e-5)
        assert effect.bits == pytest.approx(np.log2(why.p / (1 - why.p)) - np.log2(alone / (1 - alone)), abs=1e-3)


def test_an_effect_names_the_label_that_comes_first_without_the_mutation(predictor):
    _, (why,) = explanation.explain(predictor, read(CASES), ["a"])
    for effect in why.effects:
        left = [mutation for mutation in ("BRAF V600E", "CDKN2A R80*", "TTN A1V") if mutation != effect.mutation]
        ((first,),) = predictor.predict(read(", ".join(left))).top(1)
        assert (effect.first, effect.p_first) == (first[0], pytest.approx(first[1], rel=1e-5))


def test_the_mutation_that_decides_comes_first_and_one_that_speaks_against_last(predictor):
    _, (why,) = explanation.explain(predictor, read("TP53 R175H, SPOP F133V, TTN A1V"), ["text"])
    assert why.label in ("OV", "PRAD")
    mine, other = ("TP53 R175H", "SPOP F133V")[:: 1 if why.label == "OV" else -1]
    assert (why.effects[0].mutation, why.effects[-1].mutation) == (mine, other)
    assert why.effects[0].bits > 1 > 0 > why.effects[-1].bits


def test_cases_are_explained_in_the_order_asked_for(predictor):
    predictions, why = explanation.explain(predictor, read(CASES), ["c", "b"])
    assert [e.case_id for e in why] == ["c", "b"] == predictions.cases["case_id"].to_pylist()
    assert why[0].effects == ()
    assert why[0].without_all == pytest.approx(why[0].p)


def test_only_the_most_informative_are_tried_and_the_rest_counted(predictor):
    _, (why,) = explanation.explain(predictor, read(CASES), ["a"], most=2)
    assert (len(why.effects), why.not_tried) == (2, 1)


def test_a_prior_holds_without_each_mutation_too(predictor):
    weights = np.full((3, 26), 1.0)
    weights[0, LABELS.index("SKCM")] = 0.0
    _, (why,) = explanation.explain(predictor, read(CASES), ["a"], weights=weights)
    assert why.label != "SKCM"
    alone = predictor.predict(read("CDKN2A R80*, TTN A1V"), weights=weights[0]).p[0, LABELS.index(why.label)]
    assert {e.mutation: e.without for e in why.effects}["BRAF V600E"] == pytest.approx(alone, rel=1e-5)


def test_without_single_alterations_that_matter_sex_spectrum_and_counts_are_left_out(predictor, tmp_path):
    header = (
        "Hugo_Symbol\tTumor_Sample_Barcode\tHGVSp_Short\tVariant_Classification\tReference_Allele\tTumor_Seq_Allele2\n"
    )
    rows = ["BRAF\ts1\tp.V600E\tMissense_Mutation\tA\tT\n", "TTN\ts1\tp.A1V\tMissense_Mutation\tC\tT\n"]
    (tmp_path / "a.maf").write_text(header + "".join(rows))
    found = inputs.with_facts(inputs.read(str(tmp_path / "a.maf"), assay="exome"), sex="female", kind=None)
    _, (why,) = explanation.explain(predictor, found.tables, ["s1"])
    words = ["without its sex", "without the spectrum", "as a typed list: without burden, spectrum and assay"]
    assert [effect.mutation for effect in why.groups] == words
    at = LABELS.index(why.label)
    plain = inputs.read(str(tmp_path / "a.maf"), assay="exome").tables
    assert why.groups[0].without == pytest.approx(predictor.predict(plain).p[0, at], rel=1e-5)
    (tmp_path / "a.maf").write_text(
        header + "".join(row.replace("\tA\tT\n", "\t\t\n").replace("\tC\tT\n", "\t\t\n") for row in rows)
    )
    bare = inputs.read(str(tmp_path / "a.maf"), assay="exome")
    of_bare = predictor.predict(inputs.with_facts(bare, sex="female", kind=None).tables)
    assert why.groups[1].without == pytest.approx(of_bare.p[0, at], rel=1e-5)
    typed = inputs.with_facts(inputs.read("s1: BRAF V600E, TTN A1V"), sex="female", kind=None)
    assert why.groups[2].without == pytest.approx(predictor.predict(typed.tables).p[0, at], rel=1e-5)
    _, (nothing,) = explanation.explain(predictor, read("BRAF V600E"), ["text"])
    assert nothing.groups == ()


# --- Similar training cases ---


def run_folder(published: Path, root: Path) -> Path:
    """A run's folder with the published model and the training cases that it came from."""
    model = shutil.copytree(published, root / "models" / "published")
    cohort, splits = training_cohort()
    cases = features.described(cohort.cases, cohort.variants).append_column("split", pa.array(splits))
    vocabulary = features.Vocabulary.load(model / VOCABULARY)
    of_run = root / "data" / "features"
    of_run.mkdir(parents=True)
    shutil.copy(model / VOCABULARY, of_run)
    write_parquet(cases, of_run / "cases.parquet")
    write_parquet(features.informative_variants(cases, cohort.variants, vocabulary), of_run / "variants.parquet")
    return model


def test_the_most_similar_training_cases_are_named_where_the_run_still_holds_them(published, tmp_path):
    predictor = Predictor.from_pretrained(run_folder(published, tmp_path), fast=True)
    _, (why, other) = explanation.explain(predictor, read("a: KRAS G12D, APC R1450*\nb: ZZZ3 A1V"), ["a", "b"])
    assert {similar.label for similar in why.similar} == {"COAD"} and len(why.similar) == 5
    assert why.similar[0].shared[0] in ("KRAS G12D", "APC truncated", "APC mutated", "KRAS mutated")
    assert [s.similarity for s in why.similar] == sorted((s.similarity for s in why.similar), reverse=True)
    assert all(0.0 < s.similarity <= 1.0 for s in why.similar)
    validation = {f"COAD {i}" for i in range(0, 20, 5)}
    assert not validation & {similar.case_id for similar in why.similar}, "training cases alone"
    assert other.similar == ()


def test_a_model_without_its_run_or_of_another_run_names_no_training_case(published, predictor, tmp_path):
    _, (why,) = explanation.explain(predictor, read("KRAS G12D, APC R1450*"), ["text"])
    assert why.similar == ()
    model = run_folder(published, tmp_path)
    vocabulary = tmp_path / "data" / "features" / VOCABULARY
    write_parquet(pq.read_table(vocabulary).slice(1), vocabulary)
    assert TrainingCases.of_run(model) is None


def test_a_case_that_is_not_there_is_named(predictor):
    with pytest.raises(InputError, match="no case is named 'z': the first are a, b, c"):
        explanation.explain(predictor, read(CASES), ["z"])


def test_the_picture_shows_the_greatest_effects_of_every_case():
    bits = map(float, range(9, -11, -1))
    effects = tuple(explanation.Effect(f"GENE{i} A1V", 0.5, each, "SKCM", 0.5) for i, each in enumerate(bits))
    cases = [
        explanation.Explanation("a", "SKCM", 0.8, effects, 0.1, 0),
        explanation.Explanation("b", "OV", 0.3, (), 0.3, 0),
    ]
    figure = drawing.draw(cases)
    first, second = figure.axes
    named = [label.get_text() for label in first.get_yticklabels()]
    assert (len(named), named[0], named[-1]) == (15, "GENE0 A1V", "GENE19 A1V")
    assert [bar.get_width() for bar in first.patches] == sorted((b.get_width() for b in first.patches), reverse=True)
    assert "no informative mutation" in [text.get_text() for text in second.texts]
    assert pages.picture(lambda: drawing.draw(cases), "svg") == pages.picture(lambda: drawing.draw(cases), "svg")
