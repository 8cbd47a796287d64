"""Cases as batches: tokenised prompts, label targets, and a plan of every batch of a run, fixed before it starts.

The plan is a pure function of the seed, so a resumed run and every process of a distributed one see the same batches.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from torch.utils.data import Dataset, Sampler
from transformers import PreTrainedTokenizerBase

from ..errors import InputError
from ..language_model.label_trie import LabelTrie, label_trie
from ..text.prompt import shuffled

IGNORED = -100
COLUMNS = ("case_id", "label", "prompt", "completion", "mutations")


def trie_of(label_texts: Mapping[str, str], tokenizer: PreTrainedTokenizerBase) -> LabelTrie:
    """The trie of ``label_texts`` (label to completion).

    No label may be the beginning of another: the score of a label is the likelihood of its tokens with no end-of-text
    token after them, and a label that continues another could then never be likelier than it. Raises ``InputError``.
    """
    codes = {
        label: tuple(tokenizer(text, add_special_tokens=False)["input_ids"]) for label, text in label_texts.items()
    }
    for label, code in codes.items():
        for other, longer in codes.items():
            if label != other and longer[: len(code)] == code:
                raise InputError(
                    f"the label text {label_texts[label]!r} ({label}) is, in tokens, the beginning of "
                    f"{label_texts[other]!r} ({other}), so the two cannot be told apart by likelihood: "
                    "choose another text.completion"
                )
    return label_trie(codes)


@dataclass(frozen=True)
class Cases:
    """The labelled cases of one split, in the file's order."""

    ids: list[str]
    labels: list[str]
    prompts: list[str]
    mutations: list[list[str]]

    def __len__(self) -> int:
        return len(self.ids)


def read_cases(path: Path, label_texts: Mapping[str, str]) -> Cases:
    """Read a split. Raises ``InputError`` where a column is missing or a completion is not its label's."""
    cases = _cases(path, _table(path, COLUMNS, "to_text"), label_texts)
    if not cases.ids:
        raise InputError(f"{path}: has no case. Give the split more cases (cohort section) or the sources more data")
    return cases


def _table(path: Path, columns: Sequence[str], stage: str) -> pa.Table:
    """These columns of a file. Raises ``InputError`` where one is missing, naming the ``stage`` that writes them."""
    try:
        names = pq.read_schema(path).names
    except FileNotFoundError:
        raise InputError(f"{path}: no such file. Run the {stage} stage") from None
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: damaged, not readable as Parquet ({error}). Run the {stage} stage again") from None
    missing = sorted(set(columns) - set(names))
    if missing:
        raise InputError(f"{path}: lacks the columns {missing}; it has {names}. Run the {stage} stage again")
    try:
        return pq.read_table(path, columns=list(columns))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: damaged, not readable as Parquet ({error}). Run the {stage} stage again") from None


def _cases(path: Path, table: pa.Table, label_texts: Mapping[str, str]) -> Cases:
    rows = table.select(COLUMNS).to_pydict()
    for row, (label, completion) in enumerate(zip(rows["label"], rows["completion"], strict=True)):
        if label_texts.get(label) != completion:
            raise InputError(
                f"{path}: row {row} (case {rows['case_id'][row]}) has the label {label!r} with the completion "
                f"{completion!r}, but the label texts say {label_texts.get(label)!r}. Run the to_text stage again"
            )
    return Cases(rows["case_id"], rows["label"], rows["prompt"], rows["mutations"])


def read_views(path: Path, cases: Cases, label_texts: Mapping[str, str]) -> list[Cases]:
    """The views of ``cases`` in a file whose column ``copy`` numbers them, each in the order of ``cases``.

    Raises ``InputError`` where a view lacks a case or has one that ``cases`` lacks.
    """
    table = _table(path, (*COLUMNS, "copy"), "to_text")
    views = []
    for number in sorted(set(table["copy"].to_pylist())):
        view = _cases(path, table.filter(pc.equal(table["copy"], number)), label_texts)
        if sorted(view.ids) != sorted(cases.ids):
            raise InputError(
                f"{path}: view {number} has {len(view)} cases, which are not those of the training split "
                f"({len(cases)}). Run the to_text stage again"
            )
        rows = {case_id: row for row, case_id in enumerate(view.ids)}
        views.append(take(view, [rows[case_id] for case_id in cases.ids]))
    return views


def read_teacher(path: Path, cases: Cases, labels: Sequence[str], views: int = 1) -> np.ndarray:
    """The teacher's probabilities of that many ``views`` of ``cases``.

    The shape is (views, cases, labels). The file has the columns case_id, copy (the view's number, from 0) and one per
    label. Raises ``InputError`` where the file has no row for a case: it has none when ``tabular.folds`` is 0.
    """
    table = _table(path, ("case_id", "copy", *labels), "tabular")
    keys = zip(table["copy"].to_pylist(), table["case_id"].to_pylist(), strict=True)
    rows = {key: row for row, key in enumerate(keys)}
    wanted = [(copy, case_id) for copy in range(views) for case_id in cases.ids]
    absent = [key for key in wanted if key not in rows]
    if absent:
        raise InputError(
            f"{path}: has {len(rows)} rows, and none for {absent[0][1]} ({len(absent)} training cases are missing), so "
            "train.teacher_share has no teacher: set tabular.folds to 5, for example, and run the tabular stage again"
        )
    probabilities = np.stack([table[label].to_numpy() for label in labels], axis=1)
    return probabilities[[rows[key] for key in wanted]].reshape(views, len(cases), len(labels))


def subset(cases: Cases, size: int | None, seed: int) -> Cases:
    """At most ``size`` of the cases, drawn without replacement by ``seed``, in their first order."""
    if size is None or size >= len(cases):
        return cases
    keep = np.sort(np.random.default_rng([seed, 1]).permutation(len(cases))[:size])
    return take(cases, keep.tolist())


def take(cases: Cases, rows: Sequence[int]) -> Cases:
    """The cases of the given rows, in the given order."""
    columns = (cases.ids, cases.labels, cases.prompts, cases.mutations)
    return Cases(*([column[row] for row in rows] for column in columns))


def lengths(cases: Cases, tokenizer: PreTrainedTokenizerBase, trie: LabelTrie, max_seq_length: int) -> np.ndarray:
    """Tokens of each case, prompt and label together, shape (cases,). Raises ``InputError`` where one is too long."""
    prompts = tokenizer(cases.prompts)["input_ids"]
    tokens = np.array([len(ids) + len(trie.code(label)) for ids, label in zip(prompts, cases.labels, strict=True)])
    longest = int(tokens.argmax())
    if tokens[longest] > max_seq_length:
        raise InputError(
            f"case {cases.ids[longest]} takes {tokens[longest]} tokens with its label, more than model.max_seq_length "
            f"({max_seq_length}): lower text.max_tokens or raise model.max_seq_length"
        )
    return tokens


def plan(
    labels: Sequence[str],
    tokens: np.ndarray,
    *,
    batch: int,
    steps: int,
    seed: int,
    balance: bool,
    group_by_length: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Every batch of a run: rows and epochs, each of shape (steps, batch).

    ``tokens`` (views, cases) are those of each view of a case, which take turns by epoch (``view_of``).
    An epoch is a fresh permutation of the cases (or, with ``balance``, as many draws with every label equally often).
    Its last batch is filled with cases drawn again, so that all batches weigh the same. With ``group_by_length`` the
    cases of 50 batches at a time are sorted by length before they are cut, and the batches then shuffled.
    """
    rows, epochs, epoch = [], [], 0
    while len(rows) < steps:
        rng = np.random.default_rng([seed, 2, epoch])
        order = _balanced(labels, rng) if balance else rng.permutation(len(labels))
        missing = -len(order) % batch
        order = np.concatenate([order, rng.choice(order, missing, replace=missing > len(order))])
        everyone = np.arange(len(labels))
        seen = tokens[view_of(everyone, epoch, len(tokens)), everyone]
        rows.extend(_batches(order, seen, batch, rng) if group_by_length else order.reshape(-1, batch))
        epochs.extend([epoch] * (len(rows) - len(epochs)))
        epoch += 1
    return np.stack(rows[:steps]), np.repeat(np.array(epochs[:steps])[:, None], batch, axis=1)


def view_of(row: int | np.ndarray, epoch: int, n: int) -> int | np.ndarray:
    """Which of the ``n`` views of a case an epoch shows. Cases start at different ones, so that every epoch, the last
    and its small steps too, shows all ways of seeing a case."""
    return (row + epoch) % n


def _balanced(labels: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """As many draws as there are cases, every label equally often; a label's cases all come before any comes again."""
    groups = [np.flatnonzero(np.asarray(labels) == label) for label in sorted(set(labels))]
    per_label = -(-len(labels) // len(groups))
    drawn = [
        np.concatenate([rng.permutation(group) for _ in range(-(-per_label // len(group)))])[:per_label]
        for group in groups
    ]
    return rng.permutation(np.concatenate(drawn))[: len(labels)]


def _batches(order: np.ndarray, tokens: np.ndarray, batch: int, rng: np.random.Generator) -> list[np.ndarray]:
    window = 50 * batch
    cut = []
    for start in range(0, len(order), window):
        part = order[start : start + window]
        cut.extend(part[np.argsort(tokens[part], kind="stable")].reshape(-1, batch))
    return [cut[at] for at in rng.permutation(len(cut))]


class PlannedBatches(Sampler[list[tuple[int, int]]]):
    """This process's share of each planned batch: one list of (row, epoch) a micro-batch.

    ``rows`` and ``epochs`` are those of ``plan``, each of shape (steps, accumulation x processes x per-device batch).
    """

    def __init__(self, rows: np.ndarray, epochs: np.ndarray, *, accumulation: int, processes: int, rank: int):
        # Neighbours in a sorted batch are of like length: a device gets neighbours, so it pads little.
        cut = (len(rows), accumulation, processes, -1)
        self.rows = rows.reshape(cut)[:, :, rank].reshape(len(rows) * accumulation, -1)
        self.epochs = epochs.reshape(cut)[:, :, rank].reshape(len(rows) * accumulation, -1)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for rows, epochs in zip(self.rows, self.epochs, strict=True):
            yield list(zip(rows.tolist(), epochs.tolist(), strict=True))


class Example(NamedTuple):
    """A case as the collator wants it; ``teacher``, where there is one, has a probability per label, (labels,)."""

    prompt: str
    label: str
    teacher: np.ndarray | None = None


class TrainingCases(Dataset):
    """(row, epoch) to ``Example``; the mutations of a case have an order of their own in every epoch.

    ``views`` of the same cases take turns by epoch. ``teacher`` is None or what ``read_teacher`` gave for the same
    cases, (views, cases, labels).
    """

    def __init__(self, views: Sequence[Cases], seed: int, shuffle: bool, teacher: np.ndarray | None = None):
        self.views, self.seed, self.shuffle, self.teacher = views, seed, shuffle, teacher

    def __len__(self) -> int:
        return len(self.views[0])

    def __getitem__(self, key: tuple[int, int]) -> Example:
        row, epoch = key
        view = view_of(row, epoch, len(self.views))
        cases = self.views[view]
        prompt = cases.prompts[row]
        if self.shuffle:
            prompt = shuffled(prompt, cases.mutations[row], random.Random(f"{self.seed} {epoch} {row}"))
        return Example(prompt, cases.labels[row], None if self.teacher is None else self.teacher[view, row])


class ValidationCases(Dataset):
    """Row to ``Example``, as they are in the file. There is no teacher, because validation asks for the true label."""

    def __init__(self, cases: Cases):
        self.cases = cases

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, row: int) -> Example:
        return Example(self.cases.prompts[row], self.cases.labels[row])


class Collator:
    """Examples to one right-padded batch; every tensor but the last three has the shape (batch, longest).

    ``input_ids`` ends before the last label token, which no position has to read; ``targets`` is the next token where
    the loss is and ``IGNORED`` elsewhere; ``nodes`` is the label tree's node there and 0 elsewhere. With
    ``whole_text`` the loss is on every token after the first. ``rows`` and ``columns`` (targets,) are where ``targets``
    is not ``IGNORED``: a GPU that had to find them would make the CPU wait for it. ``teacher`` (batch, labels) is there
    where every example has one.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, trie: LabelTrie, *, whole_text: bool = False, multiple: int = 1
    ):
        self.tokenizer, self.trie, self.whole_text, self.multiple = tokenizer, trie, whole_text, multiple

    def __call__(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        prompts = self.tokenizer([example.prompt for example in examples])["input_ids"]
        codes = [self.trie.code(example.label) for example in examples]
        longest = max(len(ids) + len(code) - 1 for ids, code in zip(prompts, codes, strict=True))
        shape = (len(examples), -(-longest // self.multiple) * self.multiple)
        batch = {
            "input_ids": torch.full(shape, self.tokenizer.pad_token_id),
            "attention_mask": torch.zeros(shape, dtype=torch.long),
            "targets": torch.full(shape, IGNORED),
            "nodes": torch.zeros(shape, dtype=torch.long),
        }
        for row, (ids, code, example) in enumerate(zip(prompts, codes, examples, strict=True)):
            text = torch.tensor([*ids, *code])
            first, last = len(ids) - 1, len(text) - 1
            batch["input_ids"][row, :last] = text[:-1]
            batch["attention_mask"][row, :last] = 1
            loss_from = 0 if self.whole_text else first
            batch["targets"][row, loss_from:last] = text[loss_from + 1 :]
            batch["nodes"][row, first:last] = torch.tensor(self.trie.nodes(example.label))
        batch["rows"], batch["columns"] = (batch["targets"] != IGNORED).nonzero(as_tuple=True)
        if all(example.teacher is not None for example in examples):
            batch["teacher"] = torch.tensor(np.stack([example.teacher for example in examples]), dtype=torch.float32)
        return batch
