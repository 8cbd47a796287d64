"""Which samples are unlike the training cases, and in what."""

import json

import pyarrow as pa
import pytest

from cancertype import features
from cancertype.features import view_files
from cancertype.features.settings import Features
from cancertype.prediction import training_ranges
from cancertype.prediction.prediction_config import PredictionConfig

from .settings import settings
from .small_cohort import cases_table, variants_table

GENES = [f"GENE{i}" for i in range(20)]
"""What every training case has mutated, and so the vocabulary."""


def rows(case_id: str, n: int, indels: float = 0.05, known: float = 0.2) -> list[tuple]:
    """``n`` mutations of a case, of which these shares are deletions, or in genes of the vocabulary."""
    n_indels, n_known = round(n * indels), round(n * known)
    return [
        (
            case_id,
            GENES[i % len(GENES)] if i < n_known else f"PASSENGER{i}",
            f"A{i + 1}fs" if i >= n - n_indels else f"A{i + 1}V",
            "frameshift" if i >= n - n_indels else "missense",
            None if i >= n - n_indels else "C>T",
        )
        for i in range(n)
    ]


def table(samples: dict[str, list[tuple]], panels: dict[str, str] | None = None, train: bool = False):
    """The samples as described cases, their variants, and each one's group."""
    cases = cases_table([{"case_id": name, "label": "OV", "panel": (panels or {}).get(name)} for name in samples])
    variants = variants_table([row for own in samples.values() for row in own])
    cases = features.described(cases, variants)
    cases = cases.append_column("split", pa.array(["train"] * len(samples))) if train else cases
    return cases, variants, features.groups(cases, {"a panel": GENES * 10})


def training() -> dict[str, list[tuple]]:
    """Exomes and panels with up to 40% deletions, two of each hypermutated."""
    exomes = {f"e{i}": rows(f"e{i}", 25 + i, indels=i / 100, known=0.15 + i / 200) for i in range(41)}
    panels = {f"p{i}": rows(f"p{i}", 1 + i % 9, known=1.0) for i in range(40)}
    return exomes | panels | {f"h{i}": rows(f"h{i}", 3000, known=0.1) for i in range(2)}


@pytest.fixture(scope="module")
def fitted():
    samples = training()
    cases, variants, groups = table(samples, {name: "a panel" for name in samples if name[0] == "p"}, train=True)
    named = settings(Features, "features", amino_acid_substitutions=0, trinucleotides=False, cancer_gene_panels=None)
    vocabulary = features.fit(cases, variants, named)
    vocabulary = features.Vocabulary(
        vocabulary.table.filter(pa.array([name in GENES for name in vocabulary.table["name"].to_pylist()]))
    )
    informative = features.informative_variants(cases, variants, vocabulary)
    grouped = cases.append_column("group", pa.array(groups))
    return vocabulary, training_ranges.fit([(grouped, informative)]), (grouped, informative)


def said(fitted, own: list[tuple], panel: str | None = None, ranges=None):
    vocabulary, of_training, _ = fitted
    cases, variants, groups = table({"s": own}, {"s": panel})
    informative = features.informative_variants(cases, variants, vocabulary)
    (found,) = training_ranges.unlike(cases, informative, groups, of_training if ranges is None else ranges)
    return found


def test_nineteen_in_twenty_deletions_are_unlike_any_of_the_26(fitted):
    found = said(fitted, rows("s", 2000, indels=0.95))
    assert found.reason == "unlike any of the 26: 95% of its mutations are insertions or deletions"
    assert found.remark == (
        "unlike anything that the model was trained on: 95% of its mutations are insertions or deletions, where hardly "
        "any training case with at least 20 mutations has more than 40%"
    )


def test_a_share_not_far_outside_is_remarked_on_and_answered(fitted):
    found = said(fitted, rows("s", 200, indels=0.65))
    assert found.reason is None
    assert found.remark.startswith("unlike nearly anything that the model was trained on: 65% of its mutations")


def test_genes_that_the_model_does_not_know_are_unusual(fitted):
    found = said(fitted, rows("s", 1000, known=0.01))
    assert found.reason == "unlike any of the 26: only 1% of its mutations are in genes that the model knows"
    assert "with at least 20 mutations has less than 10%" in found.remark


def test_a_burden_beyond_ten_times_the_greatest_is_unusual(fitted):
    assert said(fitted, rows("s", 8000)) is None
    assert said(fitted, rows("s", 10_000)).reason is None
    assert "it has 31,000 mutations" in said(fitted, rows("s", 31_000)).reason


@pytest.mark.parametrize(
    ("own", "panel"),
    [
        (rows("s", 3, indels=1.0, known=0.0), None),
        (rows("s", 19, indels=1.0, known=0.0), None),
        (rows("s", 0), None),
        (rows("s", 8000, indels=0.02, known=0.12), None),
        (rows("s", 40, indels=1.0, known=0.0), "list"),
        (rows("s", 12, indels=0.0, known=1.0), "a panel"),
        (rows("s", 60, indels=0.4, known=1.0), "a panel"),
        ([(*row[:4], None) for row in rows("s", 25, known=0.04)], "nothing"),
    ],
    ids=["three mutations", "few", "none", "POLE", "typed list", "panel", "MSI seen through a panel", "nothing"],
)
def test_samples_that_are_merely_small_short_or_hypermutated_are_not_unusual(fitted, own, panel):
    assert said(fitted, own, panel) is None


def test_a_sample_without_dna_alleles_has_no_share_of_deletions(fitted):
    vocabulary, ranges, _ = fitted
    cases, variants, groups = table({"s": rows("s", 200, indels=0.95)})
    hidden = variants.set_column(6, "dna", pa.array(["unknown"] * 200).dictionary_encode())
    cases = features.described(cases.select(["case_id", "panel"]), hidden)
    informative = features.informative_variants(cases, hidden, vocabulary)
    assert training_ranges.unlike(cases, informative, groups, ranges) == [None]


def test_lists_and_rare_assays_have_no_range_and_a_model_without_ranges_says_nothing(fitted):
    assert set(fitted[1]) == {"exome", "panel"}
    assert said(fitted, rows("s", 2000, indels=0.95), ranges={}) is None


def test_ranges_are_those_of_the_files_of_training_views_and_survive_the_json(fitted, published, tmp_path):
    _, ranges, (cases, informative) = fitted
    seen = view_files.Table(cases, informative, {})
    view_files.write(tmp_path, view_files.TRAINING, "copy", [(0, seen)], like=seen)
    assert training_ranges.read(tmp_path) == ranges
    config = PredictionConfig.load(published)
    with_ranges = config.model_copy(update={"ranges": ranges})
    assert PredictionConfig.model_validate_json(with_ranges.model_dump_json()).ranges == ranges
    older = json.loads(config.model_dump_json())
    del older["ranges"]
    assert PredictionConfig.model_validate_json(json.dumps(older)).ranges == {}
