"""What the training cases say of a sample's alterations, counted for an answer."""

import copy
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from cancertype import features
from cancertype.alterations.of_cases import OfCases
from cancertype.alterations.schema import ARM_CALLS, ARMS, FUSIONS, GENE_CALLS, Alterations
from cancertype.features.associations import FEWEST, associations
from cancertype.features.settings import Features
from cancertype.prediction import case_parts, explanation, inputs
from cancertype.prediction.evidence import Associations
from cancertype.prediction.predictor import Predictor

from .settings import settings
from .small_cohort import tables

GLIOMA, BOWEL = "GBMLGG", "COAD"
N = 10


def cohort() -> tuple[pa.Table, pa.Table, OfCases, features.Vocabulary]:
    """Ten cases of two cancers; the last of each has no copy number, and one more is held out.

    Gliomas: 8 of 10 with 7 gained and 10 lost, all with EGFR R108K and EGFR amplified, 5 of 9 with a fusion of FGFR3.
    Bowel: all with APC stopped at one place, half with EGFR mutated elsewhere, one with 7 gained alone."""
    cases, rows, arms, genes, fusions = [], [], [], [], []
    for label in (GLIOMA, BOWEL):
        for i in range(N):
            name = f"{label} {i}"
            cases.append({"case_id": name, "label": label})
            if label == GLIOMA:
                rows.append((name, "EGFR", "R108K", "missense", "G>A"))
            else:
                rows.append((name, "APC", "R1450*", "nonsense", "C>T"))
                rows += [(name, "EGFR", f"A{i + 1}V", "missense", "C>T")] * (i % 2)
            if i == N - 1:
                continue
            gained, lost = (("7p", "7q"), ("10p", "10q")) if label == GLIOMA and i < 8 else ((), ())
            gained = ("7p", "7q") if label == BOWEL and i == 0 else gained
            arms += [(name, arm, 1 if arm in gained else -1 if arm in lost else 0) for arm in ARMS]
            genes.append((name, "EGFR", 2 if label == GLIOMA else 0))
            fusions += [(name, "FGFR3", "TACC3")] if label == GLIOMA and i < 5 else []
    cases.append({"case_id": "held out", "label": BOWEL})
    rows.append(("held out", "EGFR", "R108K", "missense", "G>A"))
    own = tables(cases, rows)
    known = [f"{label} {i}" for label in (GLIOMA, BOWEL) for i in range(N - 1)]
    stated = Alterations(
        arms=table(arms, ARM_CALLS),
        genes=table(genes, GENE_CALLS),
        fusions=table(fusions, FUSIONS),
        screened_for_fusions=frozenset(known),
    )
    found = OfCases.of(stated, own.cases["case_id"].to_pylist())
    described = features.described(own.cases, own.variants, found)
    described = described.append_column("split", pa.array(["train"] * 2 * N + ["test"]))
    vocabulary = features.fit(described, own.variants, settings(Features, "features", cancer_gene_panels=None))
    return described, own.variants, found, vocabulary


def table(rows: list[tuple], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


@pytest.fixture(scope="module")
def counted() -> pa.Table:
    cases, variants, found, vocabulary = cohort()
    return associations(cases, features.informative_variants(cases, variants, vocabulary), found, vocabulary)


def test_each_alteration_is_counted_where_it_would_be_known(counted):
    at = {label: features.associations.LABELS.index(label) for label in (GLIOMA, BOWEL)}
    numbers = {
        (row["kind"], row["name"]): tuple((row["found"][at[x]], row["looked_at"][at[x]]) for x in at)
        for row in counted.to_pylist()
    }
    # The held-out case has the same change and is not counted.
    assert numbers["change", "EGFR R108K"] == ((N, N), (0, N))
    assert numbers["gene", "EGFR"] == ((N, N), (N // 2, N))
    assert numbers["truncated", "APC"] == ((0, N), (N, N))
    # Copy number is not known of the last case of each.
    assert numbers["arms", "7 gained"] == ((8, N - 1), (1, N - 1))
    assert numbers["arms", "7 gained, 10 lost"] == ((8, N - 1), (0, N - 1))
    assert numbers["amplified", "EGFR"] == ((N - 1, N - 1), (0, N - 1))
    assert numbers["fusion", "FGFR3-TACC3"] == ((5, N - 1), (0, N - 1))
    assert numbers["fusion_gene", "TACC3"] == ((5, N - 1), (0, N - 1))


def test_what_few_patients_have_is_never_published(counted):
    assert min(sum(row["found"]) for row in counted.to_pylist()) >= FEWEST
    assert ("arms", "8 gained") not in zip(counted["kind"].to_pylist(), counted["name"].to_pylist(), strict=True)


def test_a_mutation_is_cited_as_exactly_as_it_is_known(counted):
    read = inputs.read("a: EGFR R108K\nb: EGFR A3V\nc: APC E5*\nd: TTN A1V").tables
    facts = Associations(counted).facts(read, {"a": GLIOMA, "b": GLIOMA, "c": BOWEL, "d": BOWEL})
    (of_a, wider), (of_b,), (of_c,) = facts["a"], facts["b"], facts["c"]
    # Ten cases have this very change, so what all mutations of the gene say is shown beside it.
    assert (wider.alteration, wider.share, wider.elsewhere) == ("EGFR mutated", 1.0, 0.5)
    assert (of_a.alteration, of_a.gene, of_a.share, of_a.elsewhere, of_a.n) == ("EGFR R108K", "EGFR", 1.0, 0.0, N)
    assert (of_b.alteration, of_b.share, of_b.elsewhere) == ("EGFR mutated", 1.0, 0.5)
    assert (of_c.alteration, of_c.share, of_c.elsewhere) == ("APC truncated", 1.0, 0.0)
    assert of_a.bits == pytest.approx(np.log2((10.5 / 11) / (0.5 / 11)))
    assert facts["d"] == []


def test_a_rare_change_is_cited_beside_what_truncates_the_gene():
    rows = [("change", "APC R1450*", 3, 1), ("truncated", "APC", 40, 4), ("gene", "APC", 45, 9)]
    rows += [("change", "KRAS G12D", 25, 0), ("gene", "KRAS", 40, 10), ("change", "TP53 R248L", 3, 0)]
    rows += [("gene", "TP53", 30, 30)]

    def counts(**of_label: int) -> list[int]:
        return [of_label.get(label, 0) for label in features.associations.LABELS]

    records = [
        {"kind": kind, "name": name, "found": counts(COAD=own, GBMLGG=other), "looked_at": counts(COAD=50, GBMLGG=50)}
        for kind, name, own, other in rows
    ]
    width = pa.list_(pa.int32(), len(features.associations.LABELS))
    schema = pa.schema({"kind": pa.string(), "name": pa.string(), "found": width, "looked_at": width})
    read = inputs.read("APC R1450*, KRAS G12D, TP53 R248L").tables
    (facts,) = Associations(pa.Table.from_pylist(records, schema=schema)).facts(read, {"text": BOWEL}).values()
    shares = {fact.alteration: (fact.share, fact.elsewhere) for fact in facts}
    assert shares == {
        "APC R1450*": (0.06, 0.02),
        "APC truncated": (0.8, 0.08),
        "KRAS G12D": (0.5, 0.0),
        "TP53 R248L": (0.06, 0.0),
        "TP53 mutated": (0.6, 0.6),
    }


def test_copy_number_and_fusions_are_cited_in_the_words_of_the_field(counted):
    read = inputs.read("+7/-10, EGFR amplification, FGFR3-TACC3").tables
    (facts,) = Associations(counted).facts(read, {"text": GLIOMA}).values()
    assert {fact.alteration: fact.gene for fact in facts} == {
        "7 gained, 10 lost": None,
        "EGFR amplified": "EGFR",
        "FGFR3-TACC3 fusion": "TACC3",
    }
    other = inputs.read("+7, NSD1::TACC3").tables
    (facts,) = Associations(counted).facts(other, {"text": GLIOMA}).values()
    assert [fact.alteration for fact in facts] == ["TACC3 fused", "7 gained"]


def test_what_speaks_against_an_answer_is_cited_too(counted):
    read = inputs.read("APC R1450*, EGFR R108K").tables
    (facts,) = Associations(counted).facts(read, {"text": GLIOMA}).values()
    # Every APC of the cohort stops at this place: the gene says the same, and is not repeated.
    assert {fact.alteration: fact.bits > 0 for fact in facts} == {
        "APC R1450*": False,
        "EGFR R108K": True,
        "EGFR mutated": True,
    }


def test_a_model_without_counts_answers_without_evidence(published):
    predictor = Predictor.from_pretrained(published)
    predictor._associations = None
    read = inputs.read("BRAF V600E").tables
    assert predictor.evidence(read, predictor.predict(read)) == {}


def test_a_published_model_cites_its_training_cases(published):
    predictor = Predictor.from_pretrained(published)
    read = inputs.read("BRAF V600E, CDKN2A R80*").tables
    predictions = predictor.predict(read)
    assert predictions.top(1)[0][0][0] == "SKCM"
    first = predictor.evidence(read, predictions)["text"][0]
    assert first.alteration in ("BRAF V600E", "CDKN2A R80*")
    assert first.share > 0.7 and first.elsewhere == 0.0


def test_events_are_left_out_in_turn_and_kinds_of_data_as_groups(published, monkeypatch):
    predictor = copy.copy(Predictor.from_pretrained(published))
    rows = [{"kind": kind, "name": name, "bits": 0.1, "cases": 9} for kind, name in EVENTS]
    known = predictor.vocabulary.table
    more = pa.Table.from_pylist(rows).select(["kind", "name"])
    columns = [c for c in known.column_names if c not in more.column_names]
    for name in columns:
        more = more.append_column(name, pa.nulls(len(rows), known.schema.field(name).type))
    predictor.vocabulary = features.Vocabulary(
        pa.concat_tables([known, more.select(known.column_names).cast(known.schema)])
    )
    read = inputs.read("BRAF V600E, EGFR amplification, CDKN2A deletion, TMPRSS2-ERG, +7").tables
    asked, predict = [], predictor.predict
    monkeypatch.setattr(predictor, "predict", lambda tables, **more: asked.append(tables) or predict(tables, **more))
    _, (why,) = explanation.explain(predictor, read, ["text"])
    words = [effect.mutation for effect in why.effects]
    assert sorted(words) == [
        "BRAF V600E",
        "CDKN2A deleted",
        "EGFR amplified",
        "TMPRSS2-ERG fusion",
        "calls of chromosome arms",
    ]
    assert [effect.mutation for effect in why.groups] == [
        "without its mutations",
        "without copy number",
        "without fusions",
    ]
    seen = SimpleNamespace(
        **{kind: getattr(asked[1].alterations, kind).to_pylist() for kind in ("arms", "genes", "fusions")}
    )
    # Copies: BRAF, EGFR, CDKN2A, the fusion, arms, all, then without mutations, copy number, fusions.
    assert sorted({row["case_id"] for row in seen.genes if row["gene"] == "EGFR"}) == list("0234" + "68")
    assert sorted({row["case_id"] for row in seen.fusions}) == list("0124" + "67")
    assert sorted({row["case_id"] for row in seen.arms}) == list("0123" + "68")


EVENTS = [("amplified", "EGFR"), ("deleted", "CDKN2A"), ("fusion", "TMPRSS2-ERG"), ("fusion_gene", "ERG")]


def test_a_page_shows_the_strip_of_arms_and_the_table_with_links():
    case = {
        "arms": dict.fromkeys(ARMS, 0) | {"7p": 1, "7q": 1, "10p": -1, "1p": None},
        "evidence": [
            {"alteration": "EGFR amplified", "gene": "EGFR", "share": 0.4, "elsewhere": 0.01, "bits": 5.0, "n": 9}
        ],
        "top": [{"label": GLIOMA}],
    }
    html = case_parts.html(case)
    assert html.count("<i class=") == 39 + 4
    assert 'aria-label="Gained: 7p 7q. Lost: 10p."' in html
    assert 'class="no-call" title="1p: no call"' in html
    assert "oncokb.org/gene/EGFR" in html and "40%" in html
    assert case_parts.html(case | {"arms": None, "evidence": []}) == ""
