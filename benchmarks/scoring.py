"""Cases per second of five ways to get a label from a language model, measured in one run on the same cases.

    python -m benchmarks.scoring --base models/base --text data/text/test.parquet [--post-text FILE]

The blog post's prompt has the 26 labels and hundreds of mutations. FILE is what `to_text` writes for the same cases
under `params/gemma-2-2b.yaml`. Without it the post's template gets the few mutations of our own prompt.

Every way gets the same cases, sorted by length and in the same batches. Slow ways get fewer of them, evenly spaced over
the lengths. Rounds are interleaved and each way's best one counts, so that a passing load on the machine does not fall
on one way alone. On two idle cores it takes about three minutes. On a machine that others use, add `--shared`, which
uses one thread and counts its CPU seconds instead of the clock's.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from tqdm.auto import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from cancertype.labels import LABELS, WORDS
from cancertype.language_model.loading import load_model, load_tokenizer
from cancertype.scoring.likelihood import score_labels

POST = (
    "You are given the mutations of one tumour. Say which of the following cancer subclasses it belongs to.\n{labels}\n"
    "### mutations:\n{mutations}\n### SUBCLASS:"
)
"""The prompt of the blog post that this project started from: the task, the valid labels, the mutations."""


class Ways:
    """The five ways, for one model and one kind of label text."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, label_texts: dict[str, str], batch_size: int
    ):
        self.model, self.tokenizer, self.batch_size = model, tokenizer, batch_size
        self.texts = list(label_texts.values())
        self.label_of = {text.strip(): label for label, text in label_texts.items()}
        self.label_tokens = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in self.texts]
        self.longest = max(map(len, self.label_tokens))

    def generate_each(self, prompts: list[str]) -> list[str | None]:
        """(a) One ``generate`` call per case, then parsing; one token more than the longest label, to see it end."""
        return [self._parsed(self._generate([prompt], self.longest + 1)[0]) for prompt in prompts]

    def generate_batched(self, prompts: list[str]) -> list[str | None]:
        """(b) Batched ``generate``, with as many tokens as the longest label has and no more."""
        return [self._parsed(text) for some in self._batches(prompts) for text in self._generate(some, self.longest)]

    def brute_force(self, prompts: list[str]) -> np.ndarray:
        """(c) Every label as a sequence of its own, batched; logits at the labels' positions alone."""
        pairs = [(prompt, label) for prompt in self.tokenizer(prompts)["input_ids"] for label in self.label_tokens]
        scores = [score for some in self._batches(pairs) for score in self._sequences(some)]
        return np.array(scores).reshape(len(prompts), -1)

    def ours(self, prompts: list[str]) -> np.ndarray:
        """(d) Exact log-likelihoods in one pass over the prompt."""
        return score_labels(self.model, self.tokenizer, prompts, self.texts, batch_size=self.batch_size, progress=False)

    @torch.inference_mode()
    def read(self, prompts: list[str]) -> None:
        """The lower bound: the model reads the prompts and answers nothing."""
        for some in self._batches(prompts):
            batch = self.tokenizer(some, padding=True, padding_side="right", return_tensors="pt").to(self.model.device)
            self.model.get_decoder()(batch["input_ids"], use_cache=False)

    def _batches(self, items: list) -> list[list]:
        return [items[start : start + self.batch_size] for start in range(0, len(items), self.batch_size)]

    @torch.inference_mode()
    def _generate(self, prompts: list[str], tokens: int) -> list[str]:
        batch = self.tokenizer(prompts, padding=True, padding_side="left", return_tensors="pt").to(self.model.device)
        out = self.model.generate(**batch, max_new_tokens=tokens, do_sample=False)
        return self.tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)

    def _parsed(self, text: str) -> str | None:
        words = text.split()
        return self.label_of.get(words[0]) if words else None

    @torch.inference_mode()
    def _sequences(self, pairs: list[tuple[list[int], list[int]]]) -> list[float]:
        width = max(len(prompt) + len(label) for prompt, label in pairs)
        tokens = [[*prompt, *label, *[0] * (width - len(prompt) - len(label))] for prompt, label in pairs]
        hidden = self.model.get_decoder()(torch.tensor(tokens, device=self.model.device), use_cache=False)[0]
        rows = [row for row, (_, label) in enumerate(pairs) for _ in label]
        places = [len(prompt) - 1 + at for prompt, label in pairs for at in range(len(label))]
        logits = self.model.get_output_embeddings()(hidden[rows, places]).float().log_softmax(dim=1)
        wanted = torch.tensor([token for _, label in pairs for token in label], device=logits.device)
        picked = logits.gather(1, wanted[:, None])[:, 0].cpu().numpy()
        return np.add.reduceat(picked, np.cumsum([0, *[len(label) for _, label in pairs[:-1]]])).tolist()


def evenly_spaced(items: list, n: int) -> list:
    """``n`` of the items at even distances, so that few have the lengths of many."""
    return [items[int((at + 0.5) * len(items) / n)] for at in range(n)]


def post_prompts(cases: list[dict], written: Path | None) -> list[str]:
    """The post's prompts for the cases: as ``written`` by ``to_text``, or its template with our own mutations."""
    if written is None:
        return [POST.format(labels=" ".join(LABELS), mutations=", ".join(case["mutations"])) for case in cases]
    prompt_of = {row["case_id"]: row["prompt"] for row in pq.read_table(written).to_pylist()}
    return [prompt_of[case["case_id"]] for case in cases]


def seconds(run: Callable[[list[str]], object], prompts: list[str], clock: Callable[[], float]) -> float:
    """Seconds of one run by the given clock."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    start = clock()
    run(prompts)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return clock() - start


def measure(plan: dict[str, tuple[Callable, list[str]]], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Cases per second of each way's best round."""
    best = dict.fromkeys(plan, float("inf"))
    with tqdm(total=rounds * len(plan), desc="Measuring", unit="run") as bar:
        for _ in range(rounds):
            for name, (run, prompts) in plan.items():
                best[name] = min(best[name], seconds(run, prompts, clock))
                bar.update()
    return {name: len(plan[name][1]) / best[name] for name in plan}


def report(
    title: str, plan: dict[str, tuple[Callable, list[str]]], rate: dict[str, float], tokenizer: PreTrainedTokenizerBase
) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n\n| way | cases/s | tokens a prompt | cases | ours is faster by |\n|---|---|---|---|---|")
    for name, (_, prompts) in plan.items():
        tokens = np.mean([len(ids) for ids in tokenizer(prompts)["input_ids"]])
        print(f"| {name} | {rate[name]:.2f} | {tokens:.0f} | {len(prompts)} | {rate['ours'] / rate[name]:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="base or merged model folder")
    parser.add_argument(
        "--text", type=Path, required=True, help="Parquet file that to_text wrote: prompt and mutations"
    )
    parser.add_argument("--post-text", type=Path, help="the same, written under params/gemma-2-2b.yaml")
    parser.add_argument("--cases", type=int, default=32, help="cases for the fast ways; the slow ones get an eighth")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--shared", action="store_true", help="one thread, timed by the CPU seconds it used")
    args = parser.parse_args()
    if args.shared:
        torch.set_num_threads(1)
    clock = time.process_time if args.shared else time.perf_counter
    model, tokenizer = load_model(args.base), load_tokenizer(args.base)
    columns = ["case_id", "prompt", "mutations"]
    rows = sorted(pq.read_table(args.text, columns=columns).to_pylist(), key=lambda row: len(row["prompt"]))
    many, few = evenly_spaced(rows, args.cases), evenly_spaced(rows, max(1, args.cases // 8))
    post = post_prompts(few, args.post_text)
    own_many, own_few = [row["prompt"] for row in many], [row["prompt"] for row in few]
    clocked = "its CPU seconds" if args.shared else "the clock"
    print(f"{args.base.name} on {model.device} in {model.dtype}, {torch.get_num_threads()} threads, by {clocked}")
    codes = {label: f" {label}" for label in LABELS}
    the_post = Ways(model, tokenizer, codes, args.batch_size)
    the_post.read(post)
    the_post.generate_batched(own_few)
    for title, texts in (
        ("one word a label (the default)", {label: f" {word}" for label, word in WORDS.items()}),
        ("codes of one to four tokens", codes),
    ):
        ways = Ways(model, tokenizer, texts, args.batch_size)
        plan = {
            "(a) generate, one call a case, the post's prompt": (the_post.generate_each, post),
            "(b) generate, batched": (ways.generate_batched, own_many),
            "(c) every label as a sequence, batched": (ways.brute_force, own_few),
            "ours": (ways.ours, own_many),
            "reading the prompts alone": (ways.read, own_many),
        }
        report(title, plan, measure(plan, args.rounds, clock), tokenizer)
        difference = np.abs(ways.brute_force(own_few) - ways.ours(own_few)).max()
        print(f"\nLargest difference between (c) and ours: {difference:.1e} nats.")


if __name__ == "__main__":
    main()
