"""The cohort: who is kept, and that no patient and no profile crosses a split."""

from collections import Counter, defaultdict

import pytest

from cancertype.cohort import assembly, patients, splits
from cancertype.cohort.settings import Cohort
from cancertype.errors import InputError
from tests.settings import settings
from tests.small_cohort import cases_table, tables, variants_table

RULES = settings(Cohort, "cohort", min_cases_per_label=3)


def many(n: int, label: str = "BRCA", prefix: str = "P") -> tuple[list[dict], list[tuple]]:
    cases = [{"case_id": f"{prefix}{i:04d}", "label": label} for i in range(n)]
    variants = [(c["case_id"], "TP53", f"R{i + 1}H", "missense", "C>T") for i, c in enumerate(cases)]
    return cases, [*variants, *((c["case_id"], "TTN", "", "missense", "C>A") for c in cases)]


def split_of(result: assembly.Cohort) -> dict[str, str]:
    return dict(zip(result.cases["case_id"].to_pylist(), result.cases["split"].to_pylist(), strict=True))


def test_shares_of_the_splits_are_near_the_fractions():
    counts = Counter(split_of(assembly.assemble([tables(*many(2000))], RULES)).values())
    assert counts["test"] / 2000 == pytest.approx(0.2, abs=0.03)
    assert counts["validation"] / 2000 == pytest.approx(0.1, abs=0.03)


def test_a_case_stays_in_its_split_when_others_are_added():
    before = split_of(assembly.assemble([tables(*many(200))], RULES))
    cases, variants = many(200)
    more_cases, more_variants = many(300, "LUAD", "Q")
    other_changes = [(c, g, change and f"K{i + 1}E", k, s) for i, (c, g, change, k, s) in enumerate(more_variants)]
    after = split_of(assembly.assemble([tables(cases + more_cases, variants + other_changes)], RULES))
    assert {case: after[case] for case in before} == before


def test_all_models_of_a_patient_share_a_split():
    cases, variants = many(300)
    for i, case in enumerate(cases):
        case["patient_id"] = f"patient {i // 3}"
    result = assembly.assemble([tables(cases, variants)], RULES)
    splits_of = defaultdict(set)
    for patient, split in zip(result.cases["patient_id"].to_pylist(), result.cases["split"].to_pylist(), strict=True):
        splits_of[patient].add(split)
    assert all(len(s) == 1 for s in splits_of.values())


def test_identical_profiles_share_a_split_whatever_the_order_of_their_rows():
    cases = [{"case_id": f"P{i:03d}", "label": "BRCA"} for i in range(200)]
    variants = []
    for i, case in enumerate(cases):
        pair = [
            (case["case_id"], "TP53", f"R{i // 2 + 1}H", "missense", "C>T"),
            (case["case_id"], "TTN", "", "missense", None),
        ]
        variants += pair if i % 2 else pair[::-1]
    assigned = split_of(assembly.assemble([tables(cases, variants)], RULES))
    assert all(assigned[f"P{i:03d}"] == assigned[f"P{i + 1:03d}"] for i in range(0, 200, 2))
    assert len(set(assigned.values())) == 3


def test_a_profile_is_a_set_of_changes():
    cases = cases_table([{"case_id": c, "label": "OV"} for c in ("A", "B", "C", "D")])
    variants = variants_table(
        [
            ("A", "TP53", "R175H", "missense", "C>T"),
            ("A", "TTN", "A1V", "missense", "C>T"),
            ("B", "TTN", "A1V", "missense", "C>T"),
            ("B", "TP53", "R175H", "missense", "C>T"),
            ("B", "TP53", "R175H", "missense", "C>T"),
            ("C", "TP53", "A1V", "missense", "C>T"),
            ("C", "TTN", "R175H", "missense", "C>T"),
        ]
    )
    a, b, c, d = patients.profiles(cases, variants)
    assert a == b != c
    assert d is None


def test_cases_are_grouped_through_a_chain_of_shared_patients_and_profiles():
    groups = patients.groups(["a", "a", "b", "c", "d"], ["1:x", "1:y", "1:y", None, None])
    assert groups[0] == groups[1] == groups[2], "a and b share the mutations 1:y"
    assert len(set(groups)) == 3, "cases without a variant share nothing with one another"


def test_a_patient_named_like_a_profile_is_not_taken_for_one():
    assert len(set(patients.groups(["1:x", "b"], [None, "1:x"]))) == 2


def test_a_small_label_has_a_case_in_every_split():
    for seed in range(20):
        cases, variants = many(3)
        more, more_variants = many(100, "LUAD", "Q")
        shifted = [(c, g, change and f"K{i + 1}E", k, s) for i, (c, g, change, k, s) in enumerate(more_variants)]
        rules = RULES.model_copy(update={"split_seed": seed})
        result = assembly.assemble([tables(cases + more, variants + shifted)], rules)
        own = {
            s
            for s, label in zip(*(result.cases[c].to_pylist() for c in ("split", "label")), strict=True)
            if label == "BRCA"
        }
        assert own == {"train", "validation", "test"}


def test_a_label_with_too_few_cases_is_an_error_with_its_count_and_the_remedy():
    with pytest.raises(InputError, match=r"ACC \(2\).*cohort.small_labels: drop"):
        assembly.assemble([tables(*[a + b for a, b in zip(many(20), many(2, "ACC", "Q"), strict=True)])], RULES)


def test_a_small_label_is_dropped_and_counted_when_asked():
    rules = RULES.model_copy(update={"small_labels": "drop"})
    cases, variants = (a + b for a, b in zip(many(20), many(2, "ACC", "Q"), strict=True))
    result = assembly.assemble([tables(cases, variants)], rules)
    assert set(result.cases["label"].to_pylist()) == {"BRCA"}
    assert [(d.reason, d.n) for d in result.dropped] == [("label with too few cases", 2)]


def test_an_empty_cohort_is_an_error():
    with pytest.raises(InputError, match="empty"):
        assembly.assemble([], RULES)
    with pytest.raises(InputError, match="no case has one of the 26 labels"):
        assembly.assemble([tables([{"case_id": "A", "label": None}], [])], RULES)


def test_unlabelled_cases_are_counted_and_out_of_scope_cases_kept_apart():
    cases, variants = many(30)
    cases += [{"case_id": "U1", "label": None}, {"case_id": "O1", "label": None, "scope": "out", "origin": "CHOL"}]
    result = assembly.assemble([tables(cases, [*variants, ("O1", "BAP1", "", "frameshift", None)])], RULES)
    assert split_of(result)["O1"] == "out_of_scope"
    assert "U1" not in split_of(result)
    assert ("no label", 1) in [(d.reason, d.n) for d in result.dropped]


def test_an_out_of_scope_tumour_of_a_trained_patient_is_left_out():
    cases, variants = many(30)
    assigned = split_of(assembly.assemble([tables(cases, variants)], RULES))
    trained = next(c for c, s in assigned.items() if s == "train")
    cases.append({"case_id": "O1", "label": None, "scope": "out", "origin": "CHOL", "patient_id": trained})
    result = assembly.assemble([tables(cases, [*variants, ("O1", "BAP1", "", "frameshift", None)])], RULES)
    assert "O1" not in split_of(result)
    assert any("training split" in d.reason and d.examples == ("O1",) for d in result.dropped)


def test_a_limit_keeps_the_same_cases_when_others_are_added():
    rules = RULES.model_copy(update={"max_cases_per_label": 10})
    first = set(split_of(assembly.assemble([tables(*many(50))], rules)))
    cases, variants = (a + b for a, b in zip(many(50), many(50, "LUAD", "Q"), strict=True))
    changed = [
        (c, g, f"{change}x" if c.startswith("Q") and change else change, k, s) for c, g, change, k, s in variants
    ]
    second = {c for c in split_of(assembly.assemble([tables(cases, changed)], rules)) if c.startswith("P")}
    assert first == second and len(first) == 10


def test_a_case_id_of_two_sources_is_an_error():
    cases, variants = many(5)
    elsewhere = [case | {"source": "table"} for case in cases]
    with pytest.raises(InputError, match="more than one source, the first being P0000"):
        assembly.assemble([tables(cases, variants), tables(elsewhere, variants)], RULES)


def test_a_crossing_patient_is_caught():
    cases = cases_table([{"case_id": c, "label": "OV", "patient_id": "same"} for c in ("A", "B")])
    crossing = cases.append_column("split", [["train", "test"]])
    with pytest.raises(InputError, match="1 patients are in more than one split, the first being same"):
        splits.check(crossing, [None, None])
    with pytest.raises(InputError, match="profiles"):
        apart = cases.set_column(1, "patient_id", [["p", "q"]]).append_column("split", [["train", "test"]])
        splits.check(apart, ["1:f", "1:f"])


def test_a_smaller_share_of_training_cases_is_part_of_a_larger_one_and_leaves_the_rest_alone():
    def by_split(share):
        rules = RULES.model_copy(update={"train_share": share})
        assigned = split_of(assembly.assemble([tables(*many(400))], rules))
        return {name: {c for c, s in assigned.items() if s == name} for name in ("train", "validation", "test")}

    whole, third, tenth = by_split(1.0), by_split(0.3), by_split(0.1)
    assert tenth["train"] < third["train"] < whole["train"]
    assert len(third["train"]) == pytest.approx(0.3 * len(whole["train"]), rel=0.3)
    assert whole["test"] == third["test"] == tenth["test"] and whole["validation"] == tenth["validation"]


def test_transfer_trains_on_one_source_and_tests_on_the_other():
    cases, variants = many(300)
    for case in cases[::2]:
        case["source"] = "depmap"
    rules = RULES.model_copy(update={"train_sources": ["depmap"], "test_sources": ["tcga"]})
    result = assembly.assemble([tables(cases, variants)], rules)
    by_split = defaultdict(set)
    for split, source in zip(*(result.cases[c].to_pylist() for c in ("split", "source")), strict=True):
        by_split[split].add(source)
    assert by_split == {"train": {"depmap"}, "validation": {"depmap"}, "test": {"tcga"}}
    assert sum(d.n for d in result.dropped) == 300 - result.cases.num_rows
