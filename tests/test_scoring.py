"""Label log-likelihoods: equal to scoring every label as a sequence of its own, whatever the labels and prompts."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cancertype.errors import InputError
from cancertype.evaluation.calibration import outside_share
from cancertype.labels import LABELS
from cancertype.language_model import loading
from cancertype.language_model.label_trie import label_trie
from cancertype.scoring import batches, likelihood

CODES = [f" {label}" for label in LABELS]
WINDOW = 64
SHORT = ["tumour female\ncancer:", "TP53 R175H, APC R213*, KRAS G12D\ncancer:", "x", "cell line male 512 mutations"]
LONG = [
    "TP53 R175H, " * 12 + "\ncancer:",
    "KEAP1 P67fs, STK11, " * 9 + "\ncancer:",
    "BRAF V600E\ncancer:",
]
PREAMBLE = "Which cancer is it? " + ", ".join(LABELS) + "\n"
TOLERANCE = 1e-4


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Models this small are slowed down by more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=["tiny_gemma3", "tiny_gemma2"])
def loaded(request):
    folder = request.getfixturevalue(request.param)
    return loading.load_model(folder, device="cpu"), loading.load_tokenizer(folder)


@pytest.fixture(scope="module")
def gemma3(tiny_gemma3):
    return loading.load_model(tiny_gemma3, device="cpu"), loading.load_tokenizer(tiny_gemma3)


@torch.no_grad()
def brute_force(model, prompts: list[list[int]], labels: list[list[int]]) -> np.ndarray:
    """Each prompt and label as a whole sequence of its own, through the model's own forward pass and masks."""
    rows = []
    for prompt in prompts:
        sequences = [prompt + label for label in labels]
        width = max(map(len, sequences))
        padded = torch.tensor([tokens + [0] * (width - len(tokens)) for tokens in sequences])
        real = torch.tensor([[1] * len(tokens) + [0] * (width - len(tokens)) for tokens in sequences])
        log_p = model(padded, attention_mask=real).logits.double().log_softmax(-1)[:, len(prompt) - 1 :]
        rows.append([sum(log_p[n, at, t].item() for at, t in enumerate(label)) for n, label in enumerate(labels)])
    return np.array(rows)


def by_brute_force(model, tokenizer, prompts: list[str], label_texts: list[str]) -> np.ndarray:
    labels = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in label_texts]
    return brute_force(model, tokenizer(prompts)["input_ids"], labels)


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_scores_equal_brute_force(loaded, batch_size):
    model, tokenizer = loaded
    got = likelihood.score_labels(model, tokenizer, SHORT, CODES, batch_size=batch_size, progress=False)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, by_brute_force(model, tokenizer, SHORT, CODES), atol=TOLERANCE, rtol=0)


def test_scores_equal_brute_force_where_prompts_outgrow_the_window(loaded):
    model, tokenizer = loaded
    lengths = [len(tokens) for tokens in tokenizer(LONG)["input_ids"]]
    assert max(lengths) > WINDOW + 16 > WINDOW > min(lengths)
    got = likelihood.score_labels(model, tokenizer, LONG, CODES, batch_size=3, progress=False)
    np.testing.assert_allclose(got, by_brute_force(model, tokenizer, LONG, CODES), atol=TOLERANCE, rtol=0)


def _shapes_read(monkeypatch) -> list[tuple[int, int]]:
    """Shapes of the token batches that the model reads from now on."""
    shapes = []
    original = likelihood._hidden_states

    def watched(model, batch, *rest):
        shapes.append(tuple(batch.tokens.shape))
        return original(model, batch, *rest)

    monkeypatch.setattr(likelihood, "_hidden_states", watched)
    return shapes


@pytest.mark.parametrize("rest", [SHORT, LONG])
def test_a_shared_beginning_is_read_once_and_changes_nothing(loaded, monkeypatch, rest):
    model, tokenizer = loaded
    prompts = [PREAMBLE + text for text in rest]
    expected = by_brute_force(model, tokenizer, prompts, CODES[:9])
    read = _shapes_read(monkeypatch)
    got = likelihood.score_labels(model, tokenizer, prompts, CODES[:9], batch_size=2, progress=False)
    np.testing.assert_allclose(got, expected, atol=TOLERANCE, rtol=0)
    assert read[0][0] == 1
    assert read[0][1] >= batches.SHORTEST_PREFIX
    longest = max(map(len, tokenizer(prompts)["input_ids"]))
    assert all(width < longest for _, width in read[1:])


def test_a_prompt_that_is_all_of_another_is_scored_too(loaded):
    model, tokenizer = loaded
    prompts = [PREAMBLE, PREAMBLE + "x", PREAMBLE]
    got = likelihood.score_labels(model, tokenizer, prompts, CODES, batch_size=8, progress=False)
    np.testing.assert_allclose(got, by_brute_force(model, tokenizer, prompts, CODES), atol=TOLERANCE, rtol=0)


TOKENS = st.lists(st.integers(4, 9), min_size=1, max_size=4).map(tuple)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    labels=st.lists(TOKENS, min_size=1, max_size=8, unique=True),
    prompts=st.lists(st.lists(st.integers(4, 400), max_size=90), min_size=1, max_size=4),
    batch_size=st.integers(1, 4),
)
def test_scores_equal_brute_force_for_any_labels(loaded, labels, prompts, batch_size):
    """Six tokens make up every label, so that labels share prefixes and begin one another."""
    model, _ = loaded
    label_texts = [" ".join(map(str, label)) for label in labels]
    texts = [" ".join(map(str, prompt)) for prompt in prompts]
    got = likelihood.score_labels(model, _as_written, texts, label_texts, batch_size=batch_size, progress=False)
    expected = brute_force(model, [[2, *prompt] for prompt in prompts], [list(label) for label in labels])
    np.testing.assert_allclose(got, expected, atol=TOLERANCE, rtol=0)


class _AsWritten:
    """A tokenizer whose texts are their own token ids, to reach any sequence of tokens."""

    bos_token = "<bos>"
    bos_token_id = 2

    def __call__(self, texts, add_special_tokens=True):
        first = [self.bos_token_id] if add_special_tokens else []
        if isinstance(texts, str):
            return {"input_ids": first + [int(token) for token in texts.split()]}
        return {"input_ids": [self(text, add_special_tokens)["input_ids"] for text in texts]}


_as_written = _AsWritten()


def test_a_trie_reads_shared_tokens_once_and_never_a_last_token():
    trie = label_trie({"a": [5], "b": [6, 7], "c": [6, 8, 9], "d": [6, 8, 4]})
    assert trie.tokens == (6, 8)
    assert trie.depths == (1, 2)
    assert trie.ancestors.tolist() == [[True, False], [True, True]]
    assert trie.paths == {
        "a": ((0, 5),),
        "b": ((0, 6), (1, 7)),
        "c": ((0, 6), (1, 8), (2, 9)),
        "d": ((0, 6), (1, 8), (2, 4)),
    }


def test_labels_of_one_token_cost_nothing_beyond_the_prompt(gemma3, monkeypatch):
    model, _ = gemma3
    read = _shapes_read(monkeypatch)
    likelihood.score_labels(model, _as_written, ["5 6 7"], ["8", "9"], batch_size=1, progress=False)
    assert read == [(1, len(["<bos>", "5", "6", "7"]))]


def test_labels_and_what_lies_outside_them_add_up_to_one(gemma3):
    model, _ = gemma3
    every = [str(token) for token in range(model.config.vocab_size)]
    scores = likelihood.score_labels(model, _as_written, ["5 6", "7"], every, batch_size=2, progress=False)
    np.testing.assert_allclose(outside_share(scores), 0.0, atol=1e-5)
    half = scores[:, ::2]
    np.testing.assert_allclose(outside_share(half), 1 - np.exp(half).sum(axis=1), atol=1e-9)


def test_logits_are_made_a_few_positions_at_a_time(gemma3, monkeypatch):
    model, tokenizer = gemma3
    whole = likelihood.score_labels(model, tokenizer, SHORT, CODES, batch_size=4, progress=False)
    heights = []
    hook = model.lm_head.register_forward_hook(lambda module, inputs, output: heights.append(len(output)))
    monkeypatch.setattr(batches, "LOGITS_AT_ONCE", 3 * model.config.vocab_size)
    chunked = likelihood.score_labels(model, tokenizer, SHORT, CODES, batch_size=4, progress=False)
    hook.remove()
    assert max(heights) == 3
    np.testing.assert_allclose(chunked, whole, atol=1e-6)


def test_bfloat16_takes_the_logarithm_in_float32(tiny_gemma3, gemma3):
    half = loading.load_model(tiny_gemma3, dtype="bfloat16", device="cpu")
    _, tokenizer = gemma3
    got = likelihood.score_labels(half, tokenizer, SHORT, CODES, batch_size=4, progress=False)
    np.testing.assert_allclose(got, by_brute_force(half, tokenizer, SHORT, CODES), atol=0.5, rtol=0)
    # bfloat16 keeps 8 bits: log-probabilities computed in it would all be multiples of 1/64 or coarser.
    assert np.any(np.abs(got * 64 - np.round(got * 64)) > 1e-3)


def test_scoring_leaves_a_model_in_the_mode_it_was_in(gemma3):
    model, tokenizer = gemma3
    model.train()
    likelihood.score_labels(model, tokenizer, SHORT, CODES, batch_size=4, progress=False)
    assert model.training
    model.eval()


def test_no_prompts_give_no_rows(gemma3):
    model, tokenizer = gemma3
    assert likelihood.score_labels(model, tokenizer, [], CODES, batch_size=4, progress=False).shape == (0, len(CODES))


@pytest.mark.parametrize(
    ("labels", "message"), [([" a", ""], "label 1 has no tokens"), ([" a", " b", " a"], "same tokens")]
)
def test_labels_that_cannot_be_told_apart_are_refused(gemma3, labels, message):
    model, tokenizer = gemma3
    with pytest.raises(InputError, match=message):
        likelihood.score_labels(model, tokenizer, SHORT, labels, batch_size=4, progress=False)


def test_a_prompt_too_long_for_the_model_is_named(gemma3):
    model, _ = gemma3
    prompts = ["5", "5 " * model.config.max_position_embeddings]
    with pytest.raises(InputError, match="prompt 1 has 513 tokens and the model takes 511 before a label"):
        likelihood.score_labels(model, _as_written, prompts, ["7"], batch_size=4, progress=False)


def test_a_tokenizer_without_bos_is_refused():
    with pytest.raises(InputError, match="puts no <bos>"):
        batches.encode(lambda texts: [[5]] * len(texts), ["x"], bos=2, room=10)


def test_a_batch_of_long_prompts_has_fewer_of_them():
    lengths = [100, 5000, 2000, 100, 2000, 9000, 2000, 2000, 2000, 100]
    found = list(batches.by_length(lengths, 3))
    assert sorted(index for batch in found for index in batch) == list(range(len(lengths)))
    assert [[lengths[index] for index in batch] for batch in found] == [
        [9000],
        [5000],
        [2000, 2000, 2000],
        [2000, 2000, 100],
        [100, 100],
    ]


def test_answers_do_not_depend_on_how_many_tokens_are_read_at_a_time(tiny_gemma2, monkeypatch):
    model, tokenizer = loading.load_model(tiny_gemma2, device="cpu"), loading.load_tokenizer(tiny_gemma2)
    prompts = ["TP53 R175H, " * n + "cancer:" for n in range(1, 9)]
    together = likelihood.score_labels(model, tokenizer, prompts, [" breast", " lung"], batch_size=8)
    monkeypatch.setattr(batches, "TOKENS_AT_ONCE", 1)
    alone = likelihood.score_labels(model, tokenizer, prompts, [" breast", " lung"], batch_size=8)
    assert abs(together - alone).max() < 1e-3
