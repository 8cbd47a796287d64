"""The dataset diff: what it finds between two versions, and how it says so."""

import json

import pyarrow as pa
import pytest

from cancertype.errors import InputError
from cancertype.text.prompt import completions
from cancertype.versions import revisions
from cancertype.versions.dataset_diff import compare, in_words

ANSWERS = completions("word")


def case(case_id: str, label: str | None, *mutations: str, burden: int = 10, source: str = "tcga", **other) -> dict:
    prompt = f"tumour {burden} mutations\n{', '.join(mutations) or 'none'}\ncancer:"
    row = {"case_id": case_id, "source": source, "label": label, "prompt": prompt}
    row["completion"] = other.pop("completion", ANSWERS.get(label, ""))
    return row | {"text": prompt + row["completion"], "subclass": label, "mutations": list(mutations), **other}


def version(**splits: list[dict]) -> dict[str, pa.Table]:
    return {split: pa.Table.from_pylist(rows) for split, rows in splits.items()}


A = case("a", "SKCM", "BRAF V600E", "TTN")
B = case("b", "KIPAN", "VHL stop", source="table")
C = case("c", "OV", "TP53 R175H")
BEFORE = version(train=[A, B], test=[C])


def changed(after: dict[str, pa.Table], before: dict[str, pa.Table] = BEFORE) -> dict[str, int]:
    return {way: change.n for way, change in compare(before, after).changes.items()}


def test_the_same_version_twice_is_said_to_be_identical():
    difference = compare(BEFORE, version(train=[A, B], test=[C]))
    assert difference.identical and difference.changes == {}
    assert in_words(difference) == ["Identical: 3 cases (test 1, train 2)."]


def test_views_that_were_added_make_versions_differ_though_their_cases_are_the_same():
    views = [case("a", "SKCM", "BRAF V600E") | {"copy": copy} for copy in range(9)]
    after = BEFORE | {"views": pa.Table.from_pylist(views)}
    difference = compare(BEFORE | {"views": pa.Table.from_pylist(views[:1])}, after)
    assert not difference.identical and difference.changes == {} and difference.before == {"train": 2, "test": 1}
    line = "Views of training cases: 1 before, 9 after (8 added, 0 removed, 0 changed)."
    assert line in in_words(difference)
    assert difference.as_json()["views"]["views"]["added"] == 8
    assert compare(after, after).identical


def test_held_out_cases_that_assays_show_otherwise_are_counted_and_another_order_is_named():
    old, new = ([case("c", "OV", m) | {"row": row} for row in ("exome", "list")] for m in ("TP53", "KRAS"))
    before, after = (BEFORE | {"grid": pa.Table.from_pylist(rows)} for rows in (old, [old[0], new[1]]))
    assert compare(before, after).views["grid"].changed == 1
    turned = compare(before, BEFORE | {"grid": pa.Table.from_pylist(old[::-1])})
    assert turned.rows_reordered == ("grid",) and "Cases in another order: grid." in in_words(turned)


def test_added_and_removed_cases_are_counted_by_label_source_and_split():
    difference = compare(BEFORE, version(train=[A, case("d", "OV"), case("e", "PRAD")], test=[C]))
    added, removed = difference.changes["added"], difference.changes["removed"]
    assert (added.n, removed.n) == (2, 1)
    assert added.by == {"label": {"OV": 1, "PRAD": 1}, "source": {"tcga": 2}, "split": {"train": 2}}
    assert removed.by == {"label": {"KIPAN": 1}, "source": {"table": 1}, "split": {"train": 1}}
    assert removed.examples == ("b (table, KIPAN, train)",)
    assert not difference.identical


def test_a_relabelled_case_names_both_labels_and_is_not_counted_as_another_answer():
    after = version(train=[A, case("b", "KIRC", "VHL stop", source="table")], test=[C])
    difference = compare(BEFORE, after)
    assert changed(after) == {"relabelled": 1}
    assert difference.changes["relabelled"].by["change"] == {"KIPAN -> KIRC": 1}
    assert "  e.g. b (table, KIRC, train): KIPAN -> KIRC" in in_words(difference)


def test_a_case_that_lost_its_label_is_relabelled_to_none():
    after = compare(BEFORE, version(train=[A, case("b", None, "VHL stop", source="table")], test=[C]))
    assert after.changes["relabelled"].by["change"] == {"KIPAN -> no label": 1}


def test_a_case_in_another_split_has_moved_and_is_neither_added_nor_removed():
    difference = compare(BEFORE, version(train=[A], test=[C, B]))
    assert {way: change.n for way, change in difference.changes.items()} == {"moved": 1}
    assert difference.changes["moved"].by["change"] == {"train -> test": 1}
    assert difference.rows_reordered == ()


def test_gained_and_lost_mutations_are_counted_by_name():
    after = version(train=[case("a", "SKCM", "BRAF V600E", "NRAS Q61R"), B], test=[case("c", "OV")])
    mutations = compare(BEFORE, after).changes["mutations"]
    assert mutations.n == 2
    assert mutations.by["mutation gained"] == {"NRAS Q61R": 1}
    assert mutations.by["mutation lost"] == {"TP53 R175H": 1, "TTN": 1}
    assert mutations.examples[-1] == "a (tcga, SKCM, train): +NRAS Q61R -TTN"
    assert changed(after) == {"mutations": 2}, "the rest of the prompt is the same"


def test_the_same_mutations_in_another_order_differ_from_other_mutations():
    after = version(train=[case("a", "SKCM", "TTN", "BRAF V600E"), B], test=[C])
    assert changed(after) == {"reordered": 1}


def test_a_changed_prompt_shows_the_first_line_that_differs():
    after = version(train=[case("a", "SKCM", "BRAF V600E", "TTN", burden=11), B], test=[C])
    assert changed(after) == {"prompt": 1}
    (example,) = compare(BEFORE, after).changes["prompt"].examples
    assert example.endswith('line 1: "tumour 10 mutations" -> "tumour 11 mutations"')


def test_a_prompt_that_ends_earlier_is_a_difference_too():
    shorter = A | {"prompt": A["prompt"].removesuffix("\ncancer:")}
    (example,) = compare(BEFORE, version(train=[shorter, B], test=[C])).changes["prompt"].examples
    assert example.endswith('line 3: "cancer:" -> "nothing"')


def test_the_same_label_in_other_words_is_another_answer():
    after = version(train=[case("a", "SKCM", "BRAF V600E", "TTN", completion=" SKCM"), B], test=[C])
    assert changed(after) == {"completion": 1}


def test_a_case_that_changed_in_two_ways_is_counted_in_both():
    after = version(train=[A], test=[C, case("b", "KIRC", "VHL stop", source="table")])
    assert changed(after) == {"relabelled": 1, "moved": 1}


def test_two_sources_may_use_the_same_case_id():
    after = version(train=[A, B, case("a", "OV", source="depmap")], test=[C])
    assert changed(after) == {"added": 1}


def test_columns_and_splits_that_come_and_go_are_named():
    after = {"train": BEFORE["train"].append_column("sex", pa.array(["male", None])), "validation": BEFORE["test"]}
    difference = compare(BEFORE, after)
    assert (difference.columns_added, difference.columns_removed) == (("sex",), ())
    words = in_words(difference)
    assert "Columns added: sex." in words
    assert "  test: 1 -> no such file" in words and "  validation: no such file -> 1" in words


def test_an_empty_new_split_is_a_difference():
    assert not compare(BEFORE, BEFORE | {"validation": BEFORE["test"].slice(0, 0)}).identical


def test_a_change_in_any_other_column_is_found():
    before, after = (version(train=[case("a", "SKCM", left_out=n)]) for n in (0, 1))
    assert compare(before, after).changes["other"].by["column"] == {"left_out": 1}


def test_a_text_that_no_longer_is_prompt_and_completion_is_found():
    after = version(train=[A | {"text": "other"}, B], test=[C])
    assert compare(BEFORE, after).changes["other"].by["column"] == {"text": 1}


def test_the_same_cases_in_another_order_are_not_identical():
    difference = compare(BEFORE, version(train=[B, A], test=[C]))
    assert not difference.identical and difference.changes == {}
    assert in_words(difference)[-1] == "Cases in another order: train."


def test_examples_are_as_many_as_asked_for_and_all_cases_are_counted():
    after = version(train=[A, B, *(case(f"new {i}", "OV") for i in range(9))], test=[C])
    added = compare(BEFORE, after, examples=2).changes["added"]
    assert added.n == 9 and len(added.examples) == 2


def test_long_lists_of_counts_end_with_how_many_more():
    after = version(train=[case("a", "SKCM", *(f"GENE{i} stop" for i in range(20))), B], test=[C])
    assert any(line.endswith("and 12 more") for line in in_words(compare(BEFORE, after)))


def test_the_difference_survives_json():
    difference = compare(BEFORE, version(train=[A], test=[C, B]))
    content = json.loads(json.dumps(difference.as_json()))
    assert content["identical"] is False
    assert content["changes"]["moved"]["by"]["change"] == {"train -> test": 1}


def test_a_case_that_is_there_twice_is_refused_by_name():
    with pytest.raises(InputError, match=r"case a of tcga is in the version after twice \(test and train\)"):
        compare(BEFORE, version(train=[A, B], test=[A]))


def test_a_table_that_is_no_text_dataset_is_refused_by_column():
    with pytest.raises(InputError, match="train of the version before lacks the column prompt, mutations"):
        compare({"train": BEFORE["train"].drop_columns(["prompt", "mutations"])}, BEFORE)


def test_a_truncated_dataset_of_the_working_tree_is_named(tmp_path):
    folder = tmp_path / "data" / "text"
    folder.mkdir(parents=True)
    (folder / "train.parquet").write_bytes(b"PAR1" + bytes(30))
    with pytest.raises(InputError, match=r"train\.parquet is damaged .*`dvc repro to_text`"):
        revisions.text_dataset(None, str(tmp_path))
