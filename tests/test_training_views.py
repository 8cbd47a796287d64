"""The views that models learn from and are tested on: nothing about the label in what is known, rows of the grid."""

from dataclasses import replace

import lightgbm
import numpy as np
import pyarrow as pa
import pytest

from cancertype import features
from cancertype.alterations.of_cases import OfCases
from cancertype.assays import assay
from cancertype.assays.settings import Views
from cancertype.assays.views import recurrence
from cancertype.cohort.assembly import Cohort
from cancertype.cohort.views import Calls
from cancertype.errors import InputError
from cancertype.features import view_files, views
from cancertype.features.settings import Features
from tests.settings import settings
from tests.small_cohort import variants_table
from tests.views_cohort import GENES, made_up_cohort

KNOWN = {"BRCA": 0.6, "COAD": 0.75, "LUAD": 0.9, "SKCM": 1.0}
EACH = 400
RULES = settings(Views, "views", copies=1)


def fitted(cohort: Cohort) -> features.Vocabulary:
    found = OfCases.of(cohort.alterations, cohort.cases["case_id"].to_pylist())
    cases = features.described(cohort.cases, cohort.variants, found, cohort.spectra)
    return features.fit(cases, cohort.variants, settings(Features, "features"))


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return made_up_cohort(KNOWN, EACH)


@pytest.fixture(scope="module")
def vocabulary(cohort) -> features.Vocabulary:
    return fitted(cohort)


@pytest.fixture(scope="module")
def trained_on(cohort, vocabulary) -> list[view_files.Table]:
    return list(views.training_views(cohort, recurrence(cohort.cases, cohort.variants), vocabulary, RULES))


# --- What is known says nothing about the label ---

OF_KINDS = ("altered arms", "trinucleotide A[C>A]A", "indel 1:Del:C:0", "log10 burden", "log2 C>A")
"""A column of the matrix for each kind of data that is not always known."""


def what_is_known(tables: list[view_files.Table], vocabulary: features.Vocabulary) -> np.ndarray:
    """Of each view of each case which kinds of data are NaN, and the size of the assay: (views * cases, 6)."""
    blocks = []
    for table in tables:
        x, columns = features.matrix(table.cases, table.variants, vocabulary, table.panels)
        dense = x[:, [columns.index(name) for name in (*OF_KINDS, "log10 genes sequenced")]].toarray()
        blocks.append(np.column_stack([np.isnan(dense[:, :-1]), dense[:, -1]]))
    return np.concatenate(blocks)


def accuracy_on_other_cases(known: np.ndarray, labels: list[str]) -> float:
    """How often trees that see only ``known`` name the label of cases that they were not fitted on."""
    codes = np.array([sorted(KNOWN).index(label) for label in labels])
    case = np.arange(len(codes))
    of_row = np.tile(case, len(known) // len(codes))
    first = of_row % 2 == 0
    parameters = {"objective": "multiclass", "num_class": 4, "num_leaves": 8, "verbosity": -1, "num_threads": 1}
    data = lightgbm.Dataset(known[first], codes[of_row[first]])
    trees = lightgbm.train(parameters | {"min_data_in_leaf": 20}, data, num_boost_round=20)
    return float((trees.predict(known[~first]).argmax(axis=1) == codes[of_row[~first]]).mean())


CHANCE = 0.25 + 3.5 * np.sqrt(0.25 * 0.75 / (EACH * len(KNOWN)))
"""What a guess among four equally common labels does not exceed, on half of the cases in two views each."""


def test_which_kinds_of_data_are_known_does_not_tell_the_label(cohort, vocabulary, trained_on):
    labels = cohort.cases["label"].to_pylist()
    assert accuracy_on_other_cases(what_is_known(trained_on, vocabulary), labels) < CHANCE


def test_the_kinds_that_a_study_happens_to_have_would_tell_it(cohort, vocabulary):
    found = OfCases.of(cohort.alterations, cohort.cases["case_id"].to_pylist())
    cases = features.described(cohort.cases, cohort.variants, found, cohort.spectra)
    as_it_is = view_files.Table(cases, features.informative_variants(cases, cohort.variants, vocabulary), {})
    known = what_is_known([as_it_is] * 2, vocabulary)
    assert accuracy_on_other_cases(known, cohort.cases["label"].to_pylist()) > CHANCE + 0.03


@pytest.mark.parametrize("column", ["arms", "id83"])
def test_every_view_shows_a_kind_for_the_same_share_of_every_label(cohort, trained_on, column):
    labels = np.array(cohort.cases["label"].to_pylist())
    for table in trained_on:
        known = table.cases[column].is_valid().to_numpy(zero_copy_only=False)
        shares = [known[labels == label].mean() for label in KNOWN]
        assert np.ptp(shares) < 0.12 and min(shares) > 0.1, "a share of 400 cases is off by 0.025"


def test_the_first_view_is_each_case_with_its_own_mutations_and_others_differ(cohort, trained_on):
    own, drawn = trained_on
    assert own.cases["case_id"].equals(drawn.cases["case_id"])
    assert own.cases["panel"].null_count == own.cases.num_rows
    assert set(own.variants["gene"].to_pylist()) == set(GENES)
    panels = drawn.cases["panel"].to_pylist()
    named = {panel for panel in panels if panel not in (None, "list")}
    assert panels.count(None) / len(panels) == pytest.approx(0.3, abs=0.06)
    assert named <= set(drawn.panels) and "dfci-oncopanel-3.1" not in named
    assert not np.array([p == "list" for p in panels])[drawn.cases["counts_known"].to_numpy(zero_copy_only=False)].any()


def test_a_matrix_of_spectra_is_shown_with_a_whole_exome_or_without_mutations(trained_on):
    _, drawn = trained_on
    with_matrix = drawn.cases.filter(drawn.cases["id83"].is_valid())
    assert with_matrix.num_rows > 50 and set(with_matrix["panel"].to_pylist()) == {None, "nothing"}


def test_some_cases_are_seen_as_another_file_calls_them(cohort, vocabulary):
    few = replace(cohort, cases=cohort.cases.slice(0, 100))
    names = few.cases["case_id"].to_pylist()
    called = few.cases.drop_columns("split").set_column(8, "panel", pa.array(["theirs"] * 100))
    theirs = variants_table([(name, "EGFR", "L858R", "missense", "T>G") for name in names])
    few = replace(few, further=[Calls(called, theirs)], panels={"theirs": ["EGFR", "TP53"]})
    rules = settings(Views, "views", copies=1, other_calls=0.4, shares={"own": 1.0} | dict.fromkeys(OTHERS, 0.0))
    recurrent = recurrence(few.cases, few.variants)
    own, drawn = views.training_views(few, recurrent, vocabulary, rules)
    seen_so = [panel == "theirs" for panel in drawn.cases["panel"].to_pylist()]
    assert np.mean(seen_so) == pytest.approx(0.4, abs=0.15) and own.cases["panel"].null_count == 100
    of = dict(zip(names, seen_so, strict=True))
    for row in drawn.variants.to_pylist():
        assert (row["protein_change"] == "L858R") == of[row["case_id"]]


OTHERS = ("panel", "random_panel", "list", "nothing")


# --- The grid ---


@pytest.mark.parametrize(
    ("name", "through", "shown"),
    [
        ("exome", "exome", set()),
        ("MSK-IMPACT468", "msk-impact-468", set()),
        ("msk-impact-468+arms", "msk-impact-468", {"arms"}),
        ("reduced+genes+fusions", "reduced", {"genes", "fusions"}),
        ("list+all", "list", {"arms", "genes", "fusions", "spectra"}),
        ("nothing+spectra", "nothing", {"spectra"}),
    ],
)
def test_a_row_names_an_assay_and_what_else_is_shown(name, through, shown):
    row = views.row(name)
    assert (row.name, row.assay, row.shown) == (name, through, shown)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("msk-impact-469", "'msk-impact-469' is not a known assay"),
        ("exome+arm", "shows arm: write arms, genes, fusions, spectra or all after the plus"),
        ("exome+", "write arms, genes"),
        ("", "is not a known assay"),
        ("nothing", "shows nothing at all: add arms, genes, fusions or spectra, as in nothing\\+arms"),
    ],
)
def test_a_row_that_is_none_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        views.row(name)


ROWS = (
    "exome", "exome+all", "msk-impact-468+arms", "tso500+genes", "exome+spectra", "list+arms", "reduced",
    "nothing+arms", "nothing+spectra",
)  # fmt: skip


@pytest.fixture(scope="module")
def rows(vocabulary) -> tuple[Cohort, dict[str, view_files.Table]]:
    held_out = made_up_cohort(dict.fromkeys(KNOWN, 0.6), 15, seed=1, split="test")
    training = recurrence(held_out.cases, held_out.variants)
    return held_out, dict(views.grid(held_out, ("test",), training, vocabulary, ROWS, RULES))


def known(table: view_files.Table) -> set[str]:
    """The kinds of which some case shows something."""
    cases = table.cases
    shown = {name for name in ("arms", "id83") if cases[name].null_count < cases.num_rows}
    return shown | {name for name in ("amplified", "deleted", "fusions") if any(cases[name].to_pylist())}


def test_rows_show_what_their_names_say_and_hide_the_rest(rows):
    _, tables = rows
    assert list(tables) == list(ROWS)
    assert known(tables["exome"]) == known(tables["reduced"]) == set()
    assert known(tables["exome+all"]) == {"arms", "id83", "amplified", "deleted", "fusions"}
    assert known(tables["msk-impact-468+arms"]) == known(tables["list+arms"]) == {"arms"}
    assert known(tables["tso500+genes"]) == {"amplified", "deleted"}
    assert known(tables["exome+spectra"]) == known(tables["nothing+spectra"]) == {"id83"}
    assert known(tables["nothing+arms"]) == {"arms"}
    assert not tables["nothing+arms"].variants.num_rows and not tables["nothing+spectra"].variants.num_rows


def test_a_row_holds_the_cases_that_have_what_it_shows(rows):
    held_out, tables = rows
    everyone = set(held_out.cases["case_id"].to_pylist())
    with_arms = set(held_out.alterations.arms["case_id"].to_pylist())
    with_matrix = set(held_out.spectra["case_id"].to_pylist())
    of = {name: set(table.cases["case_id"].to_pylist()) for name, table in tables.items()}
    assert of["exome"] == of["reduced"] == of["tso500+genes"] == everyone
    assert of["exome+all"] == of["msk-impact-468+arms"] == of["list+arms"] == of["nothing+arms"] == with_arms < everyone
    assert of["exome+spectra"] == of["nothing+spectra"] == with_matrix < everyone


def test_a_row_of_a_panel_holds_its_genes_and_one_of_lists_knows_no_counts(rows):
    _, tables = rows
    panel = tables["msk-impact-468+arms"]
    assert set(panel.cases["panel"].to_pylist()) == {"msk-impact-468"} == set(panel.panels)
    assert set(panel.variants["gene"].to_pylist()) <= set(assay.get("msk-impact-468").genes)
    for name, counted in (
        ("exome", True),
        ("tso500+genes", True),
        ("list+arms", False),
        ("reduced", False),
        ("nothing+arms", False),
    ):
        assert set(tables[name].cases["counts_known"].to_pylist()) == {counted}


def test_only_whole_exomes_of_the_wanted_splits_are_in_the_grid(vocabulary):
    held_out = made_up_cohort({"OV": 1.0}, 6, split="test")
    panel = ["own panel", None] * 3
    split = ["test", "test", "test", "train", "validation", "validation"]
    cases = held_out.cases.set_column(8, "panel", pa.array(panel, pa.string())).drop_columns("split")
    held_out = replace(held_out, cases=cases.append_column("split", pa.array(split)), panels={"own panel": ["TP53"]})
    recurrent = recurrence(held_out.cases, held_out.variants)
    ((_, table),) = views.grid(held_out, ("test", "validation"), recurrent, vocabulary, ["exome"], RULES)
    assert table.cases["case_id"].to_pylist() == ["OV 1", "OV 5"]


# --- Files ---


def test_tables_come_back_from_their_files_in_order(tmp_path, trained_on):
    first = trained_on[0]
    nothing = replace(first, variants=first.variants.slice(0, 0))
    few = [(2, first), (0, nothing), (1, trained_on[1])]
    view_files.write(tmp_path, view_files.TRAINING, "copy", few, like=first)
    back = view_files.read(tmp_path, view_files.TRAINING, "copy")
    assert [number for number, *_ in back] == [2, 0, 1]
    for (_, table), (_, cases, variants) in zip(few, back, strict=True):
        assert cases.to_pylist() == table.cases.to_pylist()
        assert variants.to_pylist() == table.variants.to_pylist()


def test_no_table_gives_files_with_columns_and_without_rows(tmp_path, trained_on):
    view_files.write(tmp_path, view_files.GRID, "row", [], like=trained_on[0])
    assert view_files.read(tmp_path, view_files.GRID, "row") == []
