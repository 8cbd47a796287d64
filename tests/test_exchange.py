"""Copies of training cases with exchanged mutations: whose mutations they hold."""

import numpy as np
import pyarrow as pa
import pytest

from cancertype.assays.settings import Views
from cancertype.features import exchange
from tests.settings import settings
from tests.small_cohort import cases_table, variants_table

PER_CASE = 40


def rules(**changes) -> Views:
    return settings(Views, "views", **{"exchanged": 0.5} | changes)


@pytest.fixture(scope="module")
def cohort():
    """Thirty cases of two labels and one alone of its kind; every gene's name says whose it is."""
    rows = [{"case_id": f"c{i}", "label": ("OV", "BRCA")[i % 2]} for i in range(30)]
    rows.append({"case_id": "line", "label": "OV", "kind": "cell line"})
    variants = [
        (row["case_id"], f"{row['case_id']}-{j}", "", "missense", "C>T") for row in rows for j in range(PER_CASE)
    ]
    return cases_table(rows), variants_table(variants)


def genes_of(copy: pa.Table) -> dict[str, list[str]]:
    genes: dict[str, list[str]] = {}
    for case_id, gene in zip(copy["case_id"].to_pylist(), copy["gene"].to_pylist(), strict=True):
        genes.setdefault(case_id, []).append(gene.split("-")[0])
    return genes


def test_a_copy_holds_mutations_of_its_case_and_of_one_other_that_is_alike(cohort):
    cases, variants = cohort
    label_of = dict(zip(cases["case_id"].to_pylist(), cases["label"].to_pylist(), strict=True))
    (copy,) = exchange.variants_of_copies(cases, variants, rules(copies=1, exchanged=0.8))
    assert copy.schema == variants.schema
    donors = {case_id: set(genes) - {case_id} for case_id, genes in genes_of(copy).items()}
    assert set(donors) == set(label_of)
    assert donors.pop("line") == set(), "it is the only cell line"
    assert all(len(others) <= 1 for others in donors.values()) and sum(map(len, donors.values())) > 25
    assert all(label_of[other] == label_of[case_id] for case_id, others in donors.items() for other in others)
    assert "line" not in set.union(*donors.values())


def test_the_share_that_is_exchanged_is_between_nothing_and_the_limit(cohort):
    cases, variants = cohort
    copies = list(exchange.variants_of_copies(cases, variants, rules(copies=20, exchanged=0.5)))
    of_cases = [pair for copy in copies for pair in genes_of(copy).items()]
    others = [np.mean([gene != case_id for gene in genes]) for case_id, genes in of_cases if case_id != "line"]
    assert np.mean(others) == pytest.approx(0.25, abs=0.02)
    assert np.mean([len(genes) for _, genes in of_cases]) == pytest.approx(PER_CASE, rel=0.02), "the burden stays"
    (hardly,) = exchange.variants_of_copies(cases, variants, rules(copies=1, exchanged=1e-9))
    assert genes_of(hardly) == genes_of(variants)


def test_more_copies_begin_with_the_fewer_and_another_seed_gives_others(cohort):
    def copies(**changes):
        return [copy.to_pydict() for copy in exchange.variants_of_copies(*cohort, rules(**changes))]

    assert copies(copies=3)[:2] == copies(copies=2) != copies(copies=2, seed=1)
    assert copies(copies=0) == []


def test_variants_of_cases_that_are_not_asked_for_are_left_out(cohort):
    cases, variants = cohort
    (copy,) = exchange.variants_of_copies(cases.slice(0, 4), variants, rules(copies=1))
    assert (
        set(genes_of(copy)) == {"c0", "c1", "c2", "c3"} == {gene for genes in genes_of(copy).values() for gene in genes}
    )


def test_nothing_is_exchanged_by_a_share_of_nothing(cohort):
    cases, variants = cohort
    assert list(exchange.variants_of_copies(cases, variants, rules(copies=2, exchanged=0.0))) == [variants, variants]
