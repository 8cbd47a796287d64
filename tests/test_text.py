"""Cases as text."""

import random
import re

import numpy as np
import pyarrow as pa
import pytest

from cancertype import features
from cancertype.alterations.schema import ARMS
from cancertype.errors import InputError
from cancertype.features.settings import Features
from cancertype.labels import LABELS
from cancertype.tables.columns import with_column
from cancertype.text import alteration_words, prompt, rendering
from cancertype.text.settings import Text
from cancertype.variants.schema import SUBSTITUTIONS, TRINUCLEOTIDES
from tests.settings import settings
from tests.small_cohort import before_assays, cases_table, variants_table

TEMPLATE = "{kind} {sex} {burden} mutations\n{spectrum} indel{indels}\n{amino_acids}\n{mutations}\ncancer:"


MUTATIONS = variants_table(
    [(f"S{i}", "BRAF", "V600E", "missense", "T>A") for i in range(4)]
    + [(f"S{i}", "CDKN2A", f"R{80 + i}*", "nonsense", "C>T") for i in range(4)]
    + [(f"S{i}", f"GENE{j}", "A1V", "missense", "C>T") for i in range(4) for j in range(30)]
)


@pytest.fixture
def counter(tiny_gemma3):
    return rendering.token_counter(tiny_gemma3 / "tokenizer.json")


@pytest.fixture
def case():
    """One melanoma among others: its counted table, telling variants and vocabulary."""
    cases = cases_table([{"case_id": f"S{i}", "label": "SKCM", "sex": "female" if i else None} for i in range(4)])
    cases = cases.append_column("split", pa.array(["train"] * 4))
    counted = features.described(cases, MUTATIONS)
    wanted = {"genes": 100, "recurrent_min_cases": 3, "cancer_gene_panels": None}
    vocabulary = features.fit(counted, MUTATIONS, settings(Features, "features", **wanted))
    return counted, features.informative_variants(counted, MUTATIONS, vocabulary), vocabulary


def render(case, counter, panels=None, **changes):
    counted, informative, vocabulary = case
    text = settings(Text, "text", **{"template": TEMPLATE, "max_tokens": 512} | changes)
    return rendering.Renderer(text, vocabulary, counter, panels).render(counted, informative)


def test_a_case_is_written_as_the_template_says(case, counter):
    first, second = render(case, counter, max_mutations=2)[:2]
    lines = first.prompt.split("\n")
    assert lines[0] == "tumour 32 mutations", "an unknown sex leaves no double space"
    assert second.prompt.startswith("tumour female 32 mutations\n")
    assert lines[1] == "CA0 CG0 CT9 TA0 TC0 TG0 indel0"
    assert lines[-1] == "cancer:"
    assert first.left_out == 30


def test_the_classes_of_substitutions_may_be_written_by_place_or_as_a_process(case, counter):
    (first, *_) = render(case, counter, template="{shares} {process}\n{mutations}\ncancer:", max_mutations=1)
    assert first.prompt.startswith("009000 deamination with age\n")


def test_events_are_powers_of_two_a_digit_each():
    nothing = dict.fromkeys(("insertions", "deletions", "doublets", "truncating"), 0)
    assert rendering.events(nothing) == "0000"
    assert rendering.events({"insertions": 1, "deletions": 6, "doublets": 0, "truncating": 4}) == "1302"
    assert rendering.events(nothing | {"deletions": 5, "truncating": 100_000}) == "0309"


@pytest.mark.parametrize(
    ("counts", "process"),
    [
        ({"C>T": 9}, "too few to tell"),
        ({"C>T": 400, "T>C": 200, "deletions": 120, "burden": 720}, "mismatch-repair-deficient"),
        ({"C>A": 1200, "C>T": 1500, "T>G": 500, "burden": 3200}, "polymerase-deficient"),
        ({"C>T": 380, "C>A": 40, "doublets": 9, "burden": 430}, "ultraviolet-like"),
        ({"C>T": 60, "C>G": 50, "C>A": 20, "burden": 130}, "APOBEC-like"),
        ({"C>A": 120, "C>T": 80, "T>A": 40, "burden": 240}, "smoking-like"),
        ({"C>T": 30, "C>A": 10, "T>C": 10, "burden": 55}, "deamination with age"),
        ({"C>T": 10, "C>A": 10, "T>A": 10, "T>C": 10, "burden": 40}, "mixed"),
    ],
)
def test_a_process_is_named_by_the_classes_that_its_signatures_differ_in(counts, process):
    nothing = dict.fromkeys((*SUBSTITUTIONS, "insertions", "deletions", "doublets", "burden"), 0)
    assert rendering.process(nothing | counts) == process


def test_recurrent_changes_are_named_and_the_rest_by_what_truncates_them(case, counter):
    (first, *_) = render(case, counter, max_mutations=40)
    assert "BRAF V600E" in first.mutations and "CDKN2A stop" in first.mutations
    (all_named, *_) = render(case, counter, max_mutations=40, changes="all")
    assert "CDKN2A R80*" in all_named.mutations
    (none_named, *_) = render(case, counter, max_mutations=40, changes="none")
    assert "BRAF" in none_named.mutations


@pytest.mark.parametrize("budget", [70, 90, 110, 150])
def test_no_prompt_is_over_the_budget_and_no_mutation_is_cut(case, counter, budget):
    whole = set(render(case, counter, max_mutations=40)[0].mutations)
    rendered = render(case, counter, max_mutations=40, max_tokens=budget)
    longest = max(prompt.completions("word").values(), key=len)
    for r in rendered:
        assert counter([r.prompt])[0] + counter([longest])[0] <= budget
        assert set(r.mutations) <= whole and prompt.SEPARATOR.join(r.mutations) in r.prompt
        assert len(r.mutations) + r.left_out == len(whole)
    assert budget > 140 or rendered[0].left_out > 0


def test_one_more_mutation_would_not_have_fitted(case, counter):
    budget = 100
    all_of_them = render(case, counter, max_mutations=40)[0]
    r = render(case, counter, max_mutations=40, max_tokens=budget)[0]
    one_more = all_of_them.prompt.replace(
        prompt.SEPARATOR.join(all_of_them.mutations),
        prompt.SEPARATOR.join(all_of_them.mutations[: len(r.mutations) + 1]),
    )
    room = budget - 1 - max(counter(list(prompt.completions("word").values())))
    assert counter([one_more])[0] > room


def test_a_template_over_the_budget_is_an_error_that_names_the_remedy(case, counter):
    with pytest.raises(InputError, match=r"text.template alone takes \d+ tokens in case S0.*raise text.max_tokens"):
        render(case, counter, max_tokens=20)


def test_a_case_without_a_named_mutation_says_so(counter, case):
    _, informative, vocabulary = case
    lone = features.described(
        cases_table([{"case_id": "X", "label": "ACC"}]), variants_table([("X", "OTHER", "", "missense", "C>T")])
    )
    text = settings(Text, "text", template=TEMPLATE, max_tokens=200)
    (r,) = rendering.Renderer(text, vocabulary, counter).render(lone, informative)
    assert "\nnone\n" in r.prompt and r.mutations == ()


def seen_as(case, panel: str):
    """The same cases as cases of this panel."""
    counted, informative, vocabulary = case
    cases = counted.select([*counted.column_names[:8], "split"]).add_column(8, "panel", pa.array([panel] * 4))
    return features.described(cases, MUTATIONS), informative, vocabulary


def test_an_older_model_gets_the_words_for_panels_that_it_was_trained_on(case, counter):
    counted, informative, vocabulary = seen_as(case, "small")
    panels = {"small": ["BRAF", "CDKN2A"]}
    (r, *_) = render((counted, informative, before_assays(vocabulary)), counter, panels=panels, max_mutations=2)
    assert r.prompt.startswith("tumour, panel of 2 genes 32 mutations")
    assert "; not sequenced: GENE" in r.prompt


WITH_ASSAY = "{kind} {sex} {assay}\n{burden} {process}\n{shares} {events}\n{arms}\n{genes}\n{mutations}\ncancer:"


def test_a_panel_is_named_by_its_size_and_no_gene_is_listed_as_not_sequenced(case, counter):
    panels = {"small": ["BRAF", "CDKN2A"]}
    (first, second, *_) = render(seen_as(case, "small"), counter, panels, template=WITH_ASSAY, max_mutations=2)
    assert first.prompt.startswith("tumour panel of 2 genes\n32 deamination with age\n009000 0001\n")
    assert second.prompt.startswith("tumour female panel of 2 genes\n")
    assert "not sequenced" not in first.prompt


def test_lines_of_which_nothing_is_known_are_left_out(case, counter):
    (first, *_) = render(case, counter, template=WITH_ASSAY, max_mutations=2)
    assert first.prompt.split("\n") == [
        "tumour exome",
        "32 deamination with age",
        "009000 0001",
        "BRAF V600E, CDKN2A stop",
        "cancer:",
    ]
    (bare, *_) = render(case, counter, template="{arms} {genes}\nmutations: {mutations}\ncancer:", max_mutations=1)
    assert bare.prompt == "mutations: BRAF V600E\ncancer:", "a line without a field stays"


def test_a_list_has_no_burden_and_no_counts(case, counter):
    (first, *_) = render(seen_as(case, "list"), counter, template=WITH_ASSAY, max_mutations=2)
    assert first.prompt == "tumour list\nBRAF V600E, CDKN2A stop\ncancer:"
    counted, informative, vocabulary = seen_as(case, "list")
    (older, *_) = render((counted, informative, before_assays(vocabulary)), counter, template=WITH_ASSAY)
    assert "\n32 deamination with age\n" in older.prompt, "a model from before that takes every count as it is"


def test_counts_without_alleles_are_the_burden_alone(case, counter):
    counted, informative, vocabulary = case
    unknown = with_column(counted, "alleles_known", pa.array([False] * 4))
    (first, *_) = render((unknown, informative, vocabulary), counter, template=WITH_ASSAY, max_mutations=1)
    assert first.prompt == "tumour exome\n32\nBRAF V600E\ncancer:"


def test_mutations_that_were_not_looked_at_are_unknown_and_not_none(case, counter):
    counted, informative, vocabulary = seen_as(case, "nothing")
    (first, *_) = render((counted, informative.slice(0, 0), vocabulary), counter, template=WITH_ASSAY)
    assert first.prompt == "tumour not sequenced\nunknown\ncancer:"
    (exome, *_) = render((case[0], informative.slice(0, 0), vocabulary), counter, template=WITH_ASSAY)
    assert exome.prompt.endswith("\nnone\ncancer:")


def test_an_exome_of_which_nobody_says_what_was_sequenced_names_no_assay(case, counter):
    counted, informative, vocabulary = case
    unstated = with_column(counted, "counts_known", pa.array([False] * 4))
    (first, *_) = render((unstated, informative, vocabulary), counter, template=WITH_ASSAY, max_mutations=1)
    assert first.prompt == "tumour\nBRAF V600E\ncancer:"


def test_arms_are_named_in_the_order_of_the_genome_and_whole_chromosomes_once():
    calls = dict.fromkeys(ARMS, 0) | {"7p": 1, "7q": 1, "19q": 1, "9p": -1, "10p": -1, "10q": -1, "13q": -1, "1p": None}
    assert alteration_words.arms(list(calls.values())) == "gains 7 19q; losses 9p 10 13q"
    assert alteration_words.arms([0] * 39) == "gains none; losses none"
    assert alteration_words.arms(None) == ""


def test_events_are_named_and_nothing_is_written_where_there_are_none():
    assert alteration_words.genes(["EGFR"], ["CDKN2A", "PTEN"]) == "amplified EGFR; deleted CDKN2A PTEN"
    assert alteration_words.genes([], ["PTEN"]) == "deleted PTEN" and alteration_words.genes([], []) == ""
    assert alteration_words.fusions(["TMPRSS2-ERG"]) == "fusion TMPRSS2-ERG" and alteration_words.fusions([]) == ""


def test_contexts_are_grouped_by_process_and_every_share_counts_once():
    one = np.zeros(96)
    one[TRINUCLEOTIDES.index("A[C>T]G")] = 0.6
    one[TRINUCLEOTIDES.index("T[C>T]A")] = 0.25
    one[TRINUCLEOTIDES.index("T[C>G]T")] = 0.1
    one[TRINUCLEOTIDES.index("C[C>T]C")] = 0.05
    words = dict(re.fullmatch(r"(\D+)(\d)", word).groups() for word in alteration_words.contexts(one).split())
    assert (words["CpG"], words["ApoT"], words["ApoG"], words["UV"]) == ("7", "5", "3", "2")
    assert set(words) == set(alteration_words.GROUPS)
    assert alteration_words.contexts(None) == ""
    even = alteration_words.contexts(np.full(96, 1 / 96))
    # A digit is 9 times the root of a share, so the squares sum to 81, but for rounding.
    assert sum(int(word[-1]) ** 2 for word in even.split()) == pytest.approx(81, rel=0.15)


def test_only_events_that_training_knows_are_named(case, counter):
    counted, informative, vocabulary = case
    known = [
        {"kind": kind, "name": name, "cases": 4, "information": 0.1, "telling": 0.1}
        for kind, name in (("amplified", "EGFR"), ("fusion", "TMPRSS2-ERG"), ("fusion_gene", "ALK"))
    ]
    vocabulary = features.Vocabulary(pa.concat_tables([vocabulary.table, pa.Table.from_pylist(known)]))
    for name, events in (("amplified", ["EGFR", "MYC"]), ("fusions", ["AAA1-BBB1", "EML4-ALK", "TMPRSS2-ERG"])):
        column = pa.array([events] * 4, pa.list_(pa.string()))
        counted = counted.set_column(counted.column_names.index(name), name, column)
    template = "{genes}\n{fusions}\n{mutations}\ncancer:"
    (first, *_) = render((counted, informative, vocabulary), counter, template=template, max_mutations=1)
    assert first.prompt == "amplified EGFR\nfusion TMPRSS2-ERG EML4-ALK\nBRAF V600E\ncancer:"


def test_shuffling_keeps_the_set_and_everything_around_it(case, counter):
    (r, *_) = render(case, counter, max_mutations=20)
    other = prompt.shuffled(r.prompt, r.mutations, random.Random(1))
    assert other != r.prompt and sorted(other) == sorted(r.prompt)
    assert set(other.split("\n")[3].split(", ")) == set(r.mutations)
    assert other.split("\n")[:3] == r.prompt.split("\n")[:3] and other.endswith("\ncancer:")


def test_the_answers_are_distinct_and_begin_with_a_space():
    for form in ("word", "code"):
        answers = prompt.completions(form)
        assert list(answers) == list(LABELS) and len(set(answers.values())) == 26
        assert all(a.startswith(" ") and a.strip() == a[1:] for a in answers.values())


def test_the_dataset_has_the_columns_of_the_post_and_reads_as_a_dataset(case, counter, tmp_path):
    from datasets import load_dataset

    from cancertype.tables.parquet import write_parquet

    counted, *_ = case
    text = settings(Text, "text", template=TEMPLATE, max_tokens=300)
    table = rendering.dataset(counted, render(case, counter, max_tokens=300), text)
    write_parquet(table, tmp_path / "train.parquet")
    loaded = load_dataset(
        "parquet", data_files={"train": str(tmp_path / "train.parquet")}, cache_dir=str(tmp_path / "c")
    )["train"]
    wanted = ["case_id", "source", "split", "label", "prompt", "completion", "text", "subclass"]
    assert loaded.column_names[:8] == wanted
    assert loaded[0]["text"] == loaded[0]["prompt"] + loaded[0]["completion"]
    assert loaded[0]["completion"] == " melanoma" and loaded[0]["subclass"] == "SKCM"


def test_a_template_must_hold_the_mutations_and_known_fields_only():
    with pytest.raises(ValueError, match="unknown fields"):
        settings(Text, "text", template="{mutations} {age}")
    with pytest.raises(ValueError, match="exactly once"):
        settings(Text, "text", template="{burden}")


def test_a_missing_tokenizer_is_named(tmp_path):
    with pytest.raises(InputError, match=r"tokenizer.json.*Fetch the base first"):
        rendering.token_counter(tmp_path / "tokenizer.json")
