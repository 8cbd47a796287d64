"""What this machine's card does with the recipes of this repository: one command, under ten minutes, one table.

    python -m benchmarks.gpu                # prints the table
    python -m benchmarks.gpu --write        # and puts it into docs/gpu.md

Training is measured through ``cancertype.finetune`` as the stage train_lora runs it: Gemma 3 270M with the settings of
params/quickstart.yaml under both backends and in three number formats, with and without ``train.compile``; and the
shape of Gemma 2 2B with random weights under params/gemma-2-2b.yaml, for speed and memory do not depend on what the
weights are. Its vocabulary is that of the 270M base, 2% larger than its own. Then scoring and merging with the 270M
base. The cases are made up. Each row is a process of its own, so that its peak memory is its own; what fails, for want
of memory for example, is a row that says so. No row starts after ``--minutes``.
"""

import argparse
import multiprocessing
import platform
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import yaml

from cancertype.files import write_json, write_text
from cancertype.tables.parquet import write_parquet
from cancertype.text.prompt import completions

DOCUMENT = Path("docs/gpu.md")
MARKS = ("<!-- measured: begin -->", "<!-- measured: end -->")
SMALL, LARGE = Path("params/quickstart.yaml"), Path("params/gemma-2-2b.yaml")
T4 = 14.6
"""GiB that a process can have of a T4's nominal 16 GB."""

GEMMA_2_2B = {
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "query_pre_attn_scalar": 256,
    "sliding_window": 4096,
}
TINY = {
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 1,
    "num_key_value_heads": 1,
    "head_dim": 64,
    "query_pre_attn_scalar": 64,
    "sliding_window": 64,
}
LONG = (15, 25, 40, 50, 80, 160)
"""Mutations of the made-up cases for the large model, at some ten tokens each: the texts of that preset have 594 tokens
on average and 1,855 at the 95th percentile."""
SHORT = (5, 6, 7, 8)

_GENES = ("TP53", "KRAS", "PIK3CA", "BRAF", "APC", "PTEN", "EGFR", "VHL", "IDH1", "ARID1A", "CDKN2A", "TTN")


@dataclass(frozen=True)
class Row:
    """What was measured, as the table shows it. ``start``: loading, compiling and evaluating; ``memory`` in GiB."""

    rate: str = "–"
    tokens: str = "–"
    start: str = "–"
    memory: str = "–"
    remark: str = ""


def made_up(cases: int, mutations: Sequence[int], labels: dict[str, str], seed: int) -> pa.Table:
    """Text cases with numbers of mutations drawn from ``mutations``, in the columns that training reads."""
    draw = random.Random(seed)
    rows = []
    for i in range(cases):
        label = draw.choice(sorted(labels))
        named = [_mutation(draw) for _ in range(draw.choice(mutations))]
        row = {"case_id": f"case {i}", "label": label, "prompt": ", ".join(named) + "\ncancer:"}
        rows.append(row | {"completion": labels[label], "mutations": named})
    return pa.Table.from_pylist(rows)


def _mutation(draw: random.Random) -> str:
    return f"{draw.choice(_GENES)} {draw.choice('ARNDC')}{draw.randrange(900)}{draw.choice('EQGHI')}"


def large_base(folder: Path, tokenizer_of: Path, shape: dict[str, int]) -> None:
    """Write a Gemma 2 of ``shape`` with random bfloat16 weights, and the other base's tokenizer and vocabulary."""
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM

    from cancertype.language_model import base_record
    from cancertype.language_model.loading import load_config

    folder.mkdir(parents=True)
    like = load_config(tokenizer_of)
    config = Gemma2Config(vocab_size=like.vocab_size, **shape)
    model = Gemma2ForCausalLM._from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if (tokenizer_of / name).is_file():
            shutil.copyfile(tokenizer_of / name, folder / name)
    write_json(folder / base_record.RECORD, {"id": "random-gemma-2", "revision": None, "licence": "none"})


def train(folder: Path, base: Path, preset: Path, steps: int, cases: Sequence[int], **changes: Any) -> Row:
    """Fine-tune for ``steps`` steps by ``preset``; ``changes`` are keys of ``model`` and ``train``."""
    from cancertype.finetune import Job, finetune
    from cancertype.finetune.settings import Lora, Train
    from cancertype.language_model.settings import Model

    params = yaml.safe_load(preset.read_text(encoding="utf-8"))
    model = params["model"] | {key: value for key, value in changes.items() if key in params["model"]}
    settings = params["train"] | {key: value for key, value in changes.items() if key in params["train"]}
    # An adapter to go on from fits its own base alone, and changes no speed.
    settings["continue_from"] = None
    settings |= {"max_steps": steps, "evaluate_every_steps": 10_000, "save_every_steps": 10_000, "validation_cases": 4}
    settings |= {"log_every_steps": 1}
    labels = completions(params["text"]["completion"])
    batch = settings["batch_size"] * settings["gradient_accumulation_steps"]
    for split, n in (("train", batch * steps), ("validation", 4)):
        write_parquet(made_up(n, cases, labels, seed=0), folder / f"{split}.parquet")
    began = time.perf_counter()
    report = finetune(
        Job(
            train=folder / "train.parquet",
            validation=folder / "validation.parquet",
            base=base,
            out=folder / "adapter",
            scratch=folder / "scratch",
            model=Model(**model),
            lora=Lora(**params["lora"]),
            train_settings=Train(**settings),
            label_texts=labels,
            seed=0,
        )
    )
    memory = report["peak_memory_bytes"] / 2**30
    return Row(
        rate=f"{report['cases_per_second']:.1f}",
        tokens=f"{report['tokens_per_second']:,.0f}",
        start=f"{time.perf_counter() - began - report['seconds']:.0f} s",
        memory=f"{memory:.1f}",
        remark=f"a T4 {'holds' if memory < T4 else 'does not hold'} it",
    )


def score(folder: Path, base: Path, cases: Sequence[int], n: int) -> Row:
    """Score made-up cases, 32 at a time."""
    import torch

    from cancertype.finetune.run import peak_resident_bytes
    from cancertype.language_model.loading import load_model, load_tokenizer
    from cancertype.scoring.likelihood import score_labels

    labels = completions("word")
    prompts = made_up(n, cases, labels, seed=1)["prompt"].to_pylist()
    began = time.perf_counter()
    model, tokenizer = load_model(base), load_tokenizer(base)
    score_labels(model, tokenizer, prompts[:32], list(labels.values()), batch_size=32, progress=False)
    start, began = time.perf_counter() - began, time.perf_counter()
    score_labels(model, tokenizer, prompts, list(labels.values()), batch_size=32, progress=False)
    seconds = time.perf_counter() - began
    tokens = sum(map(len, tokenizer(prompts)["input_ids"]))
    peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else peak_resident_bytes()
    return Row(f"{n / seconds:.1f}", f"{tokens / seconds:,.0f}", f"{start:.0f} s", f"{peak / 2**30:.1f}")


def merge(folder: Path, base: Path, adapter: Path) -> Row:
    """Merge an adapter on the CPU, as the stage merge does, with its proof."""
    from cancertype.finetune.run import peak_resident_bytes
    from cancertype.scoring import merging

    labels = completions("word")
    prompts = made_up(8, SHORT, labels, seed=2)["prompt"].to_pylist()
    began = time.perf_counter()
    merging.merge(base, adapter, folder / "merged", prompts, list(labels.values()), tolerance=5.0)
    seconds, peak = time.perf_counter() - began, peak_resident_bytes() / 2**30
    return Row(rate=f"{seconds:.0f} s in all", memory=f"{peak:.1f} of the machine", remark="on the CPU")


@dataclass(frozen=True)
class Task:
    """One row to measure: ``work(*arguments, **changes)``, whose first argument is the folder that it may fill."""

    what: str
    settings: str
    work: Callable[..., Row]
    arguments: tuple
    changes: dict[str, Any] = field(default_factory=dict)


def tasks(work: Path, base: Path, *, shape: dict[str, int], steps: int, scored: int, card: bool) -> Iterator[Task]:
    """What is measured, one after the other; without a ``card`` what a CPU can do."""
    yield from _small(work, base, steps, card)
    large = work / "large"
    large_base(large, base, shape)
    on_a_cpu = {"load_in_4bit": False, "optimizer": "adamw_torch", "gradient_accumulation_steps": 1}
    for backend in ("unsloth", "trl") if card else ("trl",):
        arguments = (work / f"large {backend}", large, LARGE, max(2, steps // 10), LONG if card else SHORT)
        changes = {"backend": backend} | ({} if card else on_a_cpu)
        yield Task("Gemma 2 2B's shape, training", f"{backend}, {LARGE.name}", train, arguments, changes)
    yield Task("Gemma 3 270M, scoring", "batches of 32", score, (work / "scores", base, SHORT, scored))
    adapter = work / "trl float32" / "adapter"
    yield Task("Gemma 3 270M, merging", "LoRA", merge, (work / "merge", base, adapter))


def _small(work: Path, base: Path, steps: int, card: bool) -> Iterator[Task]:
    """The 270M model: both backends in every number format, then compiled."""
    batch = {"batch_size": 32 if card else 2}
    formats = {"float32": {"dtype": "float32"}}
    if card:
        formats |= {"bfloat16": {"dtype": "bfloat16"}, "4 bit": {"load_in_4bit": True}}
    settings = [
        (f"{backend} {name}", {"backend": backend, **of_format})
        for backend in ("trl", "unsloth")
        for name, of_format in formats.items()
    ]
    settings.append(("trl bfloat16 compiled", {"backend": "trl", "dtype": "bfloat16", "compile": True}))
    for name, changes in settings if card else settings[:1]:
        yield Task("Gemma 3 270M, training", name, train, (work / name, base, SMALL, steps, SHORT), changes | batch)


def _guarded(task: Task) -> Row:
    task.arguments[0].mkdir(parents=True, exist_ok=True)
    try:
        return task.work(*task.arguments, **task.changes)
    except Exception as error:  # What a card or an installation cannot do is a row too.
        reason = " ".join(str(error).split())[:160].replace("|", "/")
        return Row(remark=f"failed: {type(error).__name__}: {reason}")


def apart(task: Task) -> Row:
    """The task in a fresh process, so that its memory and its imports are its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(_guarded, task).result()
        except BrokenProcessPool:
            return Row(remark="failed: the process was killed, as the system does when its memory is full")


def table(rows: Sequence[tuple[Task, Row]], machine: str) -> str:
    """The rows as Markdown, under a line that names the machine."""
    head = ("What", "Settings", "Cases/s", "Tokens/s", "To start", "Peak GiB", "Remark")
    lines = [f"{machine}:", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for task, row in rows:
        cells = (task.what, task.settings, row.rate, row.tokens, row.start, row.memory, row.remark)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def machine_name() -> str:
    """Card, driver's CUDA and library versions; the processor where there is no card."""
    import torch

    libraries = f"torch {torch.__version__}"
    if not torch.cuda.is_available():
        return f"{platform.machine()} CPU, {torch.get_num_threads()} threads, {libraries}"
    memory = torch.cuda.get_device_properties(0).total_memory / 2**30
    return f"{torch.cuda.get_device_name(0)} ({memory:.0f} GiB), CUDA {torch.version.cuda}, {libraries}"


def into(document: str, measured: str) -> str:
    """``document`` with ``measured`` between its marks."""
    begin, end = MARKS
    return re.sub(rf"{begin}\n.*?{end}", lambda _: f"{begin}\n{measured}{end}", document, flags=re.DOTALL)


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, default=Path("models/base"), help="what `dvc repro fetch_base` made")
    parser.add_argument("--minutes", type=float, default=9.0, help="no row starts after so many")
    parser.add_argument("--steps", type=int, default=40, help="training steps of a row")
    parser.add_argument("--scored", type=int, default=2000, help="cases to score")
    parser.add_argument("--tiny", action="store_true", help="a tiny shape instead of Gemma 2 2B's, to try this program")
    parser.add_argument("--write", type=Path, nargs="?", const=DOCUMENT, help="file with the marks to write between")
    options = parser.parse_args(given)
    import torch

    card, began, rows = torch.cuda.is_available(), time.perf_counter(), []
    shape = TINY if options.tiny or not card else GEMMA_2_2B
    with TemporaryDirectory() as scratch:
        wanted = {"shape": shape, "steps": options.steps, "scored": options.scored, "card": card}
        for task in tasks(Path(scratch), options.base, **wanted):
            late = time.perf_counter() - began > 60 * options.minutes
            row = Row(remark="not measured: the time was over") if late else apart(task)
            rows.append((task, row))
            print(f"{task.what}, {task.settings}: {row.rate} cases/s, {row.memory} GiB {row.remark}", flush=True)
    measured = table(rows, machine_name())
    print(measured)
    if options.write:
        write_text(options.write, into(options.write.read_text(encoding="utf-8"), measured))


if __name__ == "__main__":
    main()
