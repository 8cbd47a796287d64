"""A general language model without training, beside the fine-tuned one: the likelihoods of the same 26 answers.

    python -m benchmarks.untrained --text data/text --model models/base
    python -m benchmarks.untrained --text data/text --model google/gemma-3-4b-it --shots 0 26

Any causal model that transformers loads can be asked. The question (``question``) explains the task, names every
cancer with the word that stands for it, shows ``--shots`` solved training cases, each of another cancer where they
suffice, and then the case's own text, the one that the fine-tuned model reads. A word that the model likes anyway would
always win, so the figures are given twice: by the likelihoods as they are, and divided by those after a case without
content (contextual calibration, Zhao et al. 2021).
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cancertype.evaluation import metrics
from cancertype.labels import LABELS, NAMES, WORDS
from cancertype.language_model import loading
from cancertype.language_model.conversion import local_folder
from cancertype.scoring.likelihood import score_labels

SEED = 3407
ENDING = "\ncancer:"
NO_CONTENT = "not given" + ENDING


def question(solved: Sequence[tuple[str, str]], text: str) -> str:
    """The exact prompt: ``solved`` cases (text, word), then the ``text`` in question, which ends before its answer."""
    words = "; ".join(f"{WORDS[label]} ({NAMES[label]})" for label in LABELS)
    head = (
        "Which cancer is it? A tumour is described by what was sequenced, its number of mutations, the classes of base "
        "substitutions, gained and lost chromosome arms, and mutated genes. The answer is one word of this list: "
        f"{words}.\n\n"
    )
    return head + "".join(f"{shown} {word}\n\n" for shown, word in solved) + text


def drawn(cases: pd.DataFrame, shots: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Solved cases, as many of each label as the number allows."""
    order = cases.iloc[rng.permutation(len(cases))]
    turn = order.groupby("label").cumcount().to_numpy()
    chosen = order.iloc[np.argsort(turn, kind="stable")[:shots]]
    return [(row.prompt, WORDS[row.label]) for row in chosen.itertuples()]


def measured(scores: np.ndarray, no_content: np.ndarray, y: np.ndarray) -> dict[str, dict[str, float]]:
    """Accuracy, macro-F1 and top-3 of log-likelihoods (n, 26), as they are and divided by those without content."""
    found = {}
    for name, logits in (("as they are", scores), ("calibrated", scores - no_content)):
        p = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        figures = metrics.figures(y, p, np.zeros((0, len(y))))
        found[name] = {key: round(figures[key]["value"], 3) for key in ("accuracy", "macro_f1", "top3")}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, default=Path("data/text"), help="folder that the stage to_text wrote")
    parser.add_argument("--model", default="models/base", help="folder or Hub id of a causal language model")
    parser.add_argument("--shots", type=int, nargs="+", default=[0, 26])
    parser.add_argument("--cases", type=int, default=260, help="test cases, drawn evenly")
    parser.add_argument("--batch-size", type=int, default=16)
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    train, test = (pd.read_parquet(options.text / f"{split}.parquet") for split in ("train", "test"))
    test = test.iloc[np.sort(rng.permutation(len(test))[: options.cases])]
    y = metrics.encode(test["label"])
    folder = Path(options.model) if Path(options.model).is_dir() else local_folder(options.model, None)
    model, tokenizer = loading.load_model(folder), loading.load_tokenizer(folder)
    answers = [f" {WORDS[label]}" for label in LABELS]
    for shots in options.shots:
        solved = drawn(train, shots, rng)
        prompts = [question(solved, text) for text in (*test["prompt"], NO_CONTENT)]
        scores = score_labels(model, tokenizer, prompts, answers, batch_size=options.batch_size)
        result = measured(scores[:-1], scores[-1:], y)
        print(json.dumps({"model": str(options.model), "shots": shots, "cases": len(test)} | result))


if __name__ == "__main__":
    main()
