"""Batches and the loss: what a model is shown, in which order, and what it is asked for."""

import random
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from cancertype.errors import InputError
from cancertype.finetune.data import (
    IGNORED,
    Cases,
    Collator,
    Example,
    PlannedBatches,
    TrainingCases,
    lengths,
    plan,
    read_cases,
    read_teacher,
    read_views,
    subset,
    trie_of,
    view_of,
)
from cancertype.finetune.loss import return_label_loss
from cancertype.labels import LABELS, WORDS

WORD_TEXTS = {label: " " + WORDS[label] for label in LABELS}
CODE_TEXTS = {label: " " + label for label in LABELS}


@pytest.fixture(scope="module")
def tokenizer(tiny_gemma3):
    return AutoTokenizer.from_pretrained(tiny_gemma3)


def plan_of(labels, tokens, **changes):
    settings = {"batch": 8, "steps": 30, "seed": 3, "balance": False, "group_by_length": True} | changes
    return plan(labels, np.atleast_2d(np.asarray(tokens)), **settings)


def test_every_case_comes_once_before_any_comes_again():
    rows, epochs = plan_of(["BRCA"] * 64, range(64), steps=16)
    for epoch in (0, 1):
        assert sorted(rows[epochs[:, 0] == epoch].ravel()) == list(range(64))


def test_a_last_batch_is_filled_with_cases_drawn_again():
    rows, epochs = plan_of(["BRCA"] * 61, range(61), steps=8)
    assert set(rows.ravel()) == set(range(61)) and rows.shape == (8, 8) and set(epochs.ravel()) == {0}


def test_fewer_cases_than_a_batch_still_make_full_batches():
    rows, _ = plan_of(["BRCA"] * 3, range(3), steps=2)
    assert rows.shape == (2, 8) and all(set(row) == {0, 1, 2} for row in rows)


def test_epochs_have_orders_of_their_own_and_the_same_seed_gives_the_same_plan():
    rows, _ = plan_of(["BRCA"] * 64, np.full(64, 9), steps=16)
    assert (rows[:8] != rows[8:]).any()
    assert (rows == plan_of(["BRCA"] * 64, np.full(64, 9), steps=16)[0]).all()
    assert (rows != plan_of(["BRCA"] * 64, np.full(64, 9), steps=16, seed=4)[0]).any()


def test_a_longer_run_begins_like_a_shorter_one():
    long, short = (plan_of(["BRCA"] * 50, range(50), steps=steps)[0] for steps in (20, 5))
    assert (long[:5] == short).all()


def test_cases_of_like_length_share_a_batch():
    tokens = np.random.default_rng(0).integers(20, 200, 800)

    def padding(**changes):
        rows, _ = plan_of(["BRCA"] * 800, tokens, steps=100, **changes)
        return 1 - tokens[rows].sum() / (tokens[rows].max(axis=1).sum() * 8)

    assert padding() < 0.05 < 0.2 < padding(group_by_length=False)


def test_balanced_sampling_shows_every_label_equally_often():
    labels = ["BRCA"] * 90 + ["ACC"] * 6 + ["OV"] * 24
    rows, _ = plan_of(labels, range(120), balance=True, steps=15)
    counts = {label: sum(labels[row] == label for row in rows.ravel()) for label in ("BRCA", "ACC", "OV")}
    assert counts == {"BRCA": 40, "ACC": 40, "OV": 40}
    shown = [row for row in rows.ravel() if labels[row] == "BRCA"]
    assert len(set(shown)) == 40, "no case of a common label may come twice before the others came once"


@pytest.mark.parametrize("accumulation, processes", [(1, 4), (2, 2), (4, 1)])
def test_processes_and_micro_batches_share_one_step_without_overlap(accumulation, processes):
    rows, epochs = plan_of(["BRCA"] * 64, range(64))
    shares = [
        list(PlannedBatches(rows, epochs, accumulation=accumulation, processes=processes, rank=rank))
        for rank in range(processes)
    ]
    for step in range(len(rows)):
        micro = slice(step * accumulation, (step + 1) * accumulation)
        seen = [row for share in shares for batch in share[micro] for row, _ in batch]
        assert sorted(seen) == sorted(rows[step])


def test_mutations_are_shuffled_anew_each_epoch_and_alike_on_every_run():
    mutations = [f"G{i}" for i in range(8)]
    cases = Cases(["a"], ["BRCA"], [f"tumour\n{', '.join(mutations)}\ncancer:"], [mutations])
    orders = [TrainingCases([cases], 1, True)[0, epoch][0] for epoch in range(5)]
    assert len(set(orders)) == 5
    assert all(sorted(order.split("\n")[1].split(", ")) == mutations for order in orders)
    assert orders == [TrainingCases([cases], 1, True)[0, epoch][0] for epoch in range(5)]
    assert TrainingCases([cases], 1, False)[0, 3][0] == cases.prompts[0]


def test_views_of_a_case_take_turns_by_epoch_and_each_has_its_teacher():
    views = [Cases(["a"], ["OV"], [prompt], [[]]) for prompt in ("itself", "first", "second")]
    teacher = np.arange(3.0).reshape(3, 1, 1)
    cases = TrainingCases(views, 1, True, teacher)
    shown = [cases[0, epoch] for epoch in range(4)]
    assert [example.prompt for example in shown] == ["itself", "first", "second", "itself"]
    assert [float(example.teacher[0]) for example in shown] == [0.0, 1.0, 2.0, 0.0]


def test_batches_are_grouped_by_the_length_of_the_view_that_is_shown():
    tokens = np.stack([np.arange(64), np.random.default_rng(0).permutation(64)])
    rows, epochs = plan_of(["OV"] * 64, tokens, steps=16)
    for epoch in (0, 1):
        seen = [tokens[view_of(row, epoch, len(tokens)), row] for row in rows[epochs[:, 0] == epoch]]
        seen.sort(key=lambda lengths: (lengths.min(), lengths.max()))
        assert len(seen) == 8
        assert all(shorter.max() <= longer.min() for shorter, longer in pairwise(seen)), "neighbouring lengths"


def test_every_epoch_shows_the_cases_in_all_of_their_views():
    every = view_of(np.arange(12), 5, 4)
    assert np.bincount(every).tolist() == [3, 3, 3, 3]
    assert sorted(view_of(7, epoch, 4) for epoch in range(4)) == [0, 1, 2, 3]


def test_a_subset_is_seeded_and_keeps_the_order():
    cases = Cases([str(i) for i in range(50)], ["OV"] * 50, ["x"] * 50, [[]] * 50)
    kept = subset(cases, 10, 7).ids
    assert kept == sorted(kept, key=int) and len(set(kept)) == 10
    assert kept == subset(cases, 10, 7).ids != subset(cases, 10, 8).ids
    assert subset(cases, None, 7) is cases


def write_cases(path, **changes):
    row = {"case_id": "a", "label": "BRCA", "prompt": "x\ncancer:", "completion": " breast", "mutations": ["TP53"]}
    pq.write_table(pa.Table.from_pylist([row | changes]), path)
    return path


def test_a_completion_that_is_not_its_labels_is_named(tmp_path):
    with pytest.raises(InputError, match=r"row 0 \(case a\) has the label 'BRCA' with the completion ' ovary'"):
        read_cases(write_cases(tmp_path / "train.parquet", completion=" ovary"), WORD_TEXTS)


def test_a_missing_column_is_named(tmp_path):
    pq.write_table(pa.table({"case_id": ["a"], "label": ["OV"]}), tmp_path / "train.parquet")
    with pytest.raises(InputError, match=r"lacks the columns.*completion.*prompt"):
        read_cases(tmp_path / "train.parquet", WORD_TEXTS)


def test_an_empty_split_is_refused(tmp_path):
    table = pq.read_table(write_cases(tmp_path / "train.parquet")).slice(0, 0)
    pq.write_table(table, tmp_path / "train.parquet")
    with pytest.raises(InputError, match="has no case"):
        read_cases(tmp_path / "train.parquet", WORD_TEXTS)


def test_views_are_read_in_the_order_of_the_cases_and_must_be_of_the_same(tmp_path):
    row = {"label": "OV", "completion": WORD_TEXTS["OV"], "mutations": []}
    rows = [row | {"case_id": i, "prompt": f"{i}{copy}", "copy": copy} for copy in (2, 1) for i in ("a", "b")]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "views.parquet")
    cases = Cases(["b", "a"], ["OV", "OV"], ["", ""], [[], []])
    first, second = read_views(tmp_path / "views.parquet", cases, WORD_TEXTS)
    assert (first.prompts, second.prompts) == (["b1", "a1"], ["b2", "a2"])
    with pytest.raises(InputError, match=r"view 1 has 2 cases, which are not those of the training split \(1\)"):
        read_views(tmp_path / "views.parquet", Cases(["b"], ["OV"], [""], [[]]), WORD_TEXTS)


def test_a_case_that_is_too_long_is_named(tokenizer):
    cases = Cases(["short", "long"], ["OV", "OV"], ["x:", "x " * 80], [[], []])
    with pytest.raises(InputError, match=r"case long takes \d+ tokens.*model.max_seq_length \(64\)"):
        lengths(cases, tokenizer, trie_of(WORD_TEXTS, tokenizer), 64)


def test_a_label_that_begins_another_is_refused(tokenizer):
    with pytest.raises(InputError, match="beginning of"):
        trie_of({"OV": " ov", "OTHER": " ov ov"}, tokenizer)


@pytest.mark.parametrize("texts", [WORD_TEXTS, CODE_TEXTS])
def test_the_trie_allows_exactly_the_labels(tokenizer, texts):
    trie = trie_of(texts, tokenizer)
    codes = set(map(trie.code, trie.paths))
    reachable = set()
    stack = [()]
    while stack:
        prefix = stack.pop()
        if prefix in codes:
            reachable.add(prefix)
            continue
        label = next(label for label in trie.paths if trie.code(label)[: len(prefix)] == prefix)
        allowed = trie.allowed[trie.nodes(label)[len(prefix)]]
        stack.extend((*prefix, token) for token, yes in zip(trie.choices, allowed, strict=True) if yes)
    assert reachable == codes


def pairs_of(texts, count=7):
    rng = random.Random(0)
    genes = ["TP53 R175H", "APC R213*", "KRAS G12D", "TTN", "MUC16"]
    return [
        Example(f"tumour {', '.join(rng.sample(genes, rng.randint(1, 5)))}\ncancer:", rng.choice(list(texts)))
        for _ in range(count)
    ]


def test_a_batch_ends_before_the_last_label_token_and_asks_only_for_the_label(tokenizer):
    trie = trie_of(CODE_TEXTS, tokenizer)
    batch = Collator(tokenizer, trie)(pairs := pairs_of(CODE_TEXTS))
    for row, (prompt, label, _) in enumerate(pairs):
        ids = tokenizer(prompt)["input_ids"]
        inputs = batch["input_ids"][row][batch["attention_mask"][row] == 1].tolist()
        assert inputs == [*ids, *trie.code(label)[:-1]]
        targets = batch["targets"][row]
        assert targets[targets != IGNORED].tolist() == list(trie.code(label))
        assert (targets != IGNORED).nonzero()[0] == len(ids) - 1


def stock_losses(model, tokenizer, texts, pairs):
    """-log P of every token after the first, one list a text, from the stock model's full logits, a text at a time."""
    losses = []
    for prompt, label, _ in pairs:
        completion = tokenizer(texts[label], add_special_tokens=False)["input_ids"]
        ids = torch.tensor([tokenizer(prompt)["input_ids"] + completion])
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        losses.append((-logits[torch.arange(len(logits)), ids[0, 1:]], len(completion), logits))
    return losses


@pytest.mark.parametrize("family", ["tiny_gemma3", "tiny_gemma2"])
@pytest.mark.parametrize("loss", ["completion", "labels", "text"])
def test_the_loss_is_the_stock_models_own_on_the_wanted_tokens(family, loss, request, tokenizer):
    model = AutoModelForCausalLM.from_pretrained(request.getfixturevalue(family)).eval()
    trie = trie_of(CODE_TEXTS, tokenizer)
    pairs = pairs_of(CODE_TEXTS)
    expected, counts = [], []
    for (_, label, _), (nll, length, logits) in zip(
        pairs, stock_losses(model, tokenizer, CODE_TEXTS, pairs), strict=True
    ):
        if loss == "labels":
            # Renormalised over the tokens that continue a label, at each of the label's own nodes.
            chosen = logits[-length:][:, list(trie.choices)]
            allowed = torch.from_numpy(trie.allowed[list(trie.nodes(label))])
            wanted = torch.tensor([trie.choices.index(token) for token in trie.code(label)])
            among = chosen.masked_fill(~allowed, float("-inf")).log_softmax(-1)
            nll = -among[torch.arange(length), wanted]
        wanted_tokens = nll if loss == "text" else nll[-length:]
        expected.append(wanted_tokens.sum())
        counts.append(len(wanted_tokens))
    return_label_loss(model, trie if loss == "labels" else None)
    batch = Collator(tokenizer, trie, whole_text=loss == "text")(pairs)
    with torch.no_grad():
        found = model(**batch)
    torch.testing.assert_close(found.nll, torch.stack(expected), rtol=1e-4, atol=1e-4)
    assert found.tokens.tolist() == counts


@pytest.mark.parametrize("texts", [WORD_TEXTS, CODE_TEXTS])
def test_a_teachers_loss_is_the_cross_entropy_with_its_choice_at_every_node(texts, tiny_gemma3, tokenizer):
    model = AutoModelForCausalLM.from_pretrained(tiny_gemma3).eval()
    trie = trie_of(texts, tokenizer)
    codes, teacher = list(map(trie.code, trie.paths)), np.random.default_rng(0).dirichlet(np.full(26, 0.3), 7)
    examples = [e._replace(teacher=row) for e, row in zip(pairs_of(texts), teacher, strict=True)]
    expected = []
    for example, (_, length, logits) in zip(examples, stock_losses(model, tokenizer, texts, examples), strict=True):
        code, total = trie.code(example.label), 0.0
        for at in range(length):
            # The labels that share the answer's first tokens, by the token with which each goes on.
            going_on = [(i, other[at]) for i, other in enumerate(codes) if other[:at] == code[:at]]
            tokens = sorted({token for _, token in going_on})
            among = logits[len(logits) - length + at][tokens].log_softmax(-1).tolist()
            weights = [sum(example.teacher[i] for i, token in going_on if token == t) for t in tokens]
            soft = -sum(w * p for w, p in zip(weights, among, strict=True)) / sum(weights)
            total += 0.3 * -among[tokens.index(code[at])] + 0.7 * soft
        expected.append(total)
    return_label_loss(model, trie, teacher_share=0.7)
    with torch.no_grad():
        found = model(**Collator(tokenizer, trie)(examples))
    torch.testing.assert_close(found.nll, torch.tensor(expected, dtype=torch.float32), rtol=1e-4, atol=1e-4)


def write_teacher(path, ids, copies=None):
    table = {"case_id": ids, "copy": copies or [0] * len(ids)} | {
        label: np.arange(len(ids)) + i / 100 for i, label in enumerate(LABELS)
    }
    pq.write_table(pa.table(table), path)
    return path


def test_a_teacher_is_read_in_the_order_of_the_cases_and_a_case_without_one_is_named(tmp_path):
    cases = Cases(["b", "a"], ["OV", "OV"], ["x", "y"], [[], []])
    soft = read_teacher(write_teacher(tmp_path / "t.parquet", ["a", "b", "c"]), cases, LABELS[:2])
    assert soft.tolist() == [[[1.0, 1.01], [0.0, 0.01]]]
    path = write_teacher(tmp_path / "v.parquet", ["a", "b", "a", "b"], [1, 0, 0, 1])
    assert read_teacher(path, cases, LABELS[:1], views=2).tolist() == [[[1.0], [2.0]], [[3.0], [0.0]]]
    with pytest.raises(InputError, match=r"has 4 rows, and none for b \(2 training"):
        read_teacher(path, cases, LABELS, views=3)
    with pytest.raises(InputError, match=r"lacks the columns \['nonsense'\].*Run the tabular stage again"):
        read_teacher(path, cases, ["nonsense"])
    with pytest.raises(InputError, match=r"has 0 rows, and none for b \(2 training.*set tabular.folds"):
        read_teacher(write_teacher(tmp_path / "none.parquet", []), cases, LABELS)


def test_the_whole_is_right_only_where_every_token_is_likeliest(tiny_gemma3, tokenizer):
    model = AutoModelForCausalLM.from_pretrained(tiny_gemma3).eval()
    trie = trie_of(CODE_TEXTS, tokenizer)
    prompts = [example.prompt for example in pairs_of(CODE_TEXTS, 3)]
    return_label_loss(model, trie)
    with torch.no_grad():
        correct = {
            label: model(**Collator(tokenizer, trie)([Example(p, label) for p in prompts])).correct
            for label in trie.paths
        }
    # Following the likeliest token from the root ends at one label, and that is the only one wholly right.
    assert torch.stack(list(correct.values())).sum(0).tolist() == [1, 1, 1]


def test_the_benchmark_asks_its_rival_the_same_question(tiny_gemma3, tokenizer):
    from peft import LoraConfig, get_peft_model

    from benchmarks.training import label_loss

    stock = AutoModelForCausalLM.from_pretrained(tiny_gemma3).eval()
    pairs = pairs_of(CODE_TEXTS, 4)
    nll = sum(losses[-n:].sum() for losses, n, _ in stock_losses(stock, tokenizer, CODE_TEXTS, pairs))
    model = get_peft_model(stock, LoraConfig(r=2, target_modules=["q_proj"]))
    cases = pa.table({"prompt": [pair.prompt for pair in pairs], "label": [pair.label for pair in pairs]})
    found = label_loss(model, tokenizer, cases, CODE_TEXTS)
    assert found["validation_loss"] == pytest.approx(float(nll) / 4, rel=1e-4)


def test_a_loss_at_huge_logits_stays_finite(tiny_gemma3, tokenizer):
    model = AutoModelForCausalLM.from_pretrained(tiny_gemma3).eval()
    model.lm_head.weight.data *= 1e4
    trie = trie_of(WORD_TEXTS, tokenizer)
    return_label_loss(model, None)
    with torch.no_grad():
        assert torch.isfinite(model(**Collator(tokenizer, trie)(pairs_of(WORD_TEXTS))).nll).all()
