"""Augmented copies of training cases: whose mutations they hold, and what trees and fine-tuning make of them."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cancertype.features import augmentation
from cancertype.features.settings import Augment
from tests.settings import settings
from tests.small_cohort import cases_table, variants_table

PER_CASE = 40


def rules(**changes) -> Augment:
    return settings(Augment, "augment", **changes)


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
    (copy,) = augmentation.variants_of_copies(cases, variants, rules(copies=1, exchanged=0.8))
    assert copy.schema == variants.schema
    donors = {case_id: set(genes) - {case_id} for case_id, genes in genes_of(copy).items()}
    assert set(donors) == set(label_of)
    assert donors.pop("line") == set(), "it is the only cell line"
    assert all(len(others) <= 1 for others in donors.values()) and sum(map(len, donors.values())) > 25
    assert all(label_of[other] == label_of[case_id] for case_id, others in donors.items() for other in others)
    assert "line" not in set.union(*donors.values())


def test_the_share_that_is_exchanged_is_between_nothing_and_the_limit(cohort):
    cases, variants = cohort
    copies = list(augmentation.variants_of_copies(cases, variants, rules(copies=20, exchanged=0.5)))
    of_cases = [pair for copy in copies for pair in genes_of(copy).items()]
    others = [np.mean([gene != case_id for gene in genes]) for case_id, genes in of_cases if case_id != "line"]
    assert np.mean(others) == pytest.approx(0.25, abs=0.02)
    assert np.mean([len(genes) for _, genes in of_cases]) == pytest.approx(PER_CASE, rel=0.02), "the burden stays"
    (hardly,) = augmentation.variants_of_copies(cases, variants, rules(copies=1, exchanged=1e-9))
    assert genes_of(hardly) == genes_of(variants)


def test_more_copies_begin_with_the_fewer_and_another_seed_gives_others(cohort):
    def copies(**changes):
        return [copy.to_pydict() for copy in augmentation.variants_of_copies(*cohort, rules(**changes))]

    assert copies(copies=3)[:2] == copies(copies=2) != copies(copies=2, seed=1)
    assert copies(copies=0) == []


def test_variants_of_cases_that_are_not_asked_for_are_left_out(cohort):
    cases, variants = cohort
    (copy,) = augmentation.variants_of_copies(cases.slice(0, 4), variants, rules(copies=1))
    assert (
        set(genes_of(copy)) == {"c0", "c1", "c2", "c3"} == {gene for genes in genes_of(copy).values() for gene in genes}
    )


def test_copies_come_back_from_their_files_in_order_and_none_from_empty_ones(tmp_path):
    cases = [pa.table({"case_id": ["a", "b"], "burden": [number, 0]}) for number in (1, 2, 3)]
    # The second copy has no informative variant at all.
    variants = [pa.table({"case_id": pa.array(ids, pa.string())}) for ids in (["a"], [], ["b"])]
    for name, tables in ((augmentation.CASES, cases), (augmentation.VARIANTS, variants)):
        pq.write_table(augmentation.numbered(tables, like=tables[0]), tmp_path / name)
    assert [(c.to_pydict(), v.to_pydict()) for c, v in augmentation.read(tmp_path)] == [
        (c.to_pydict(), v.to_pydict()) for c, v in zip(cases, variants, strict=True)
    ]
    for name, table in ((augmentation.CASES, cases[0]), (augmentation.VARIANTS, variants[0])):
        pq.write_table(augmentation.numbered([], like=table), tmp_path / name)
    assert augmentation.read(tmp_path) == []
