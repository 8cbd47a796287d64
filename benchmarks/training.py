"""Fine-tuning speed on the same cases in one run: (a) the original post's recipe through plain TRL, (b) ours.

    python -m benchmarks.training --features data/features --base models/base

(a) is an unchanged SFTTrainer with the settings and the prompt of params/gemma-2-2b.yaml: the loss on the whole text,
padded to the right in random order, batches of 2 and 8 of them accumulated, gradient checkpointing. Its trained
embeddings are left out, which only makes it faster. (b) is ``cancertype.finetune`` with params/quickstart.yaml, once
per loss. Each recipe runs in a process of its own, so that its peak memory is its own: (a) for a number of minutes, (b)
over all cases once.

Because the two see different texts of the same cases, (a)'s rate in cases is its rate in tokens over the mean length of
all cases. The bound is the measured speed of a float32 matrix product over the work that no implementation can avoid:
4 operations per token and weight of the transformer blocks (2 forward, 2 for the gradient of the activations; the
frozen weights need none). CPU seconds are given beside seconds of the clock, because the machine may have other work.
"""

import argparse
import json
import multiprocessing
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from cancertype.features import Vocabulary, panels_of
from cancertype.finetune import Job, finetune
from cancertype.finetune.settings import Lora, Train
from cancertype.language_model.settings import Model
from cancertype.tables.parquet import write_parquet
from cancertype.text.prompt import completions
from cancertype.text.rendering import Renderer, dataset, token_counter
from cancertype.text.settings import Text

POST = Path("params/gemma-2-2b.yaml")
OURS = Path("params/quickstart.yaml")
SEED = 3407


def texts(features: Path, base: Path, preset: Path, split: str, cases: int) -> pa.Table:
    """The same seeded draw of a split's cases, written as a preset writes them."""
    settings = Text(**yaml.safe_load(preset.read_text())["text"])
    table = pq.read_table(features / "cases.parquet")
    table = table.filter(pc.equal(table["split"], split))
    drawn = np.sort(np.random.default_rng(SEED).permutation(table.num_rows)[:cases])
    table = table.take(drawn)
    renderer = Renderer(
        settings,
        Vocabulary.load(features / "vocabulary.parquet"),
        token_counter(base / "tokenizer.json"),
        panels_of(pq.read_table(features / "panels.parquet")),
    )
    return dataset(table, renderer.render(table, pq.read_table(features / "variants.parquet")), settings)


def plain_trl(folder: Path, base: Path, seconds: float) -> dict[str, Any]:
    """(a): train for so many seconds; then the loss on the labels of the validation cases."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig, get_peft_model
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from cancertype.finetune.run import peak_resident_bytes
    from cancertype.language_model.loading import load_model, load_tokenizer

    train, validation = (pq.read_table(folder / f"post-{split}.parquet") for split in ("train", "validation"))
    settings = yaml.safe_load(POST.read_text())
    tokenizer = load_tokenizer(base)
    lora = {key: settings["lora"][key] for key in ("r", "use_rslora", "target_modules")}
    torch.manual_seed(SEED)
    model = get_peft_model(
        load_model(base), LoraConfig(task_type="CAUSAL_LM", lora_alpha=settings["lora"]["alpha"], **lora)
    )

    class Clock(TrainerCallback):
        """Times every micro-batch but those of the first, which warms up, and stops when the time is over."""

        micro_batches, tokens, wall, cpu = 0, 0, 0.0, 0.0

        def on_substep_end(self, args, state, control, **kwargs):
            self.micro_batches += 1
            if self.micro_batches == 1:
                self.began = (state.num_input_tokens_seen, time.perf_counter(), time.process_time())
            now = (state.num_input_tokens_seen, time.perf_counter(), time.process_time())
            self.tokens, self.wall, self.cpu = (end - start for start, end in zip(self.began, now, strict=True))
            control.should_training_stop = self.wall > seconds

        on_step_end = on_substep_end

    clock = Clock()
    size = settings["train"]["batch_size"]
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=str(folder / "plain"),
            per_device_train_batch_size=size,
            gradient_accumulation_steps=settings["train"]["gradient_accumulation_steps"],
            num_train_epochs=100,
            learning_rate=settings["train"]["learning_rate"],
            optim=settings["train"]["optimizer"],
            gradient_checkpointing=settings["train"]["gradient_checkpointing"],
            max_length=settings["model"]["max_seq_length"],
            bf16=False,
            use_cpu=model.device.type == "cpu",
            save_strategy="no",
            logging_steps=1,
            include_num_input_tokens_seen="non_padding",
            report_to="none",
            seed=SEED,
        ),
        train_dataset=Dataset.from_dict({"text": [text + tokenizer.eos_token for text in train["text"].to_pylist()]}),
        processing_class=tokenizer,
        callbacks=[clock],
    )
    lengths = [len(ids) for ids in trainer.train_dataset["input_ids"]]
    trainer.train()
    tokens, mean = clock.tokens, sum(lengths) / len(lengths)
    peak = peak_resident_bytes()
    return {
        "tokens_per_case": mean,
        "cases_trained": clock.micro_batches * size,
        "tokens_per_second": tokens / clock.wall,
        "cases_per_second": tokens / clock.wall / mean,
        "cases_per_cpu_second": tokens / clock.cpu / mean,
        "peak_memory_bytes": peak,
        **label_loss(model, tokenizer, validation, completions(settings["text"]["completion"])),
    }


def label_loss(model: Any, tokenizer: Any, cases: pa.Table, label_texts: dict[str, str]) -> dict[str, float]:
    """Nats a case and a label token over the whole vocabulary."""
    import torch

    from cancertype.finetune.data import Collator, Example, trie_of
    from cancertype.finetune.loss import return_label_loss

    trie = trie_of(label_texts, tokenizer)
    model.eval()
    return_label_loss(model.get_base_model(), None)
    collator = Collator(tokenizer, trie)
    examples = list(map(Example, cases["prompt"].to_pylist(), cases["label"].to_pylist()))
    with torch.no_grad():
        losses = [model(**collator([example])) for example in examples]
    nll, tokens = (sum(float(getattr(one, name).sum()) for one in losses) for name in ("nll", "tokens"))
    return {"validation_loss": nll / len(examples), "validation_loss_per_token": nll / tokens}


def ours(folder: Path, base: Path, loss: str) -> dict[str, Any]:
    """(b): every case once."""
    preset = yaml.safe_load(OURS.read_text())
    size = preset["train"]["batch_size"]
    began = time.process_time()
    train = preset["train"] | {
        "loss": loss,
        "epochs": 1.0,
        "continue_from": None,
        "evaluate_every_steps": 1000,
        "save_every_steps": 1000,
    }
    job = Job(
        train=folder / "ours-train.parquet",
        validation=folder / "ours-validation.parquet",
        base=base,
        out=folder / f"adapter-{loss}",
        scratch=folder / "scratch",
        model=Model(**preset["model"]),
        lora=Lora(**preset["lora"]),
        train_settings=Train(**train),
        label_texts=completions(preset["text"]["completion"]),
        seed=SEED,
    )
    report = finetune(job)
    cpu = time.process_time() - began
    cases = report["steps_timed"] * size
    return {
        "tokens_per_case": report["tokens_per_second"] / report["cases_per_second"],
        "cases_trained": cases,
        "tokens_per_second": report["tokens_per_second"],
        "cases_per_second": report["cases_per_second"],
        # Loading and evaluation are in it: the true figure is higher.
        "cases_per_cpu_second": cases / cpu,
        "peak_memory_bytes": report["peak_memory_bytes"],
        "validation_loss": report["validation_loss_last"],
        "validation_loss_per_token": report["validation_loss_per_token_last"],
    }


def product_speed(repeats: int = 40) -> float:
    """Operations a second of a float32 product of (2048, 640) and (640, 2048): the best of several."""
    import torch

    left, right = torch.randn(2048, 640), torch.randn(640, 2048)
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        left @ right
        times.append(time.perf_counter() - began)
    return 2 * 2048 * 640 * 2048 / min(times)


def block_weights(base: Path) -> int:
    """Weights in the matrices of the transformer blocks: all but the embedding and the norms."""
    from safetensors import safe_open

    with safe_open(base / "model.safetensors", "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    return sum(int(np.prod(shape)) for name, shape in shapes.items() if ".layers." in name and len(shape) == 2)


def apart(work: Any, *arguments: Any) -> dict[str, Any]:
    """``work`` in a fresh process, so that its peak memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, default=Path("data/features"))
    parser.add_argument("--base", type=Path, default=Path("models/base"))
    parser.add_argument("--cases", type=int, default=200, help="training cases")
    parser.add_argument("--validation-cases", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=4.0, help="how long (a) trains")
    parser.add_argument("--losses", nargs="+", default=["completion", "labels"], help="losses of (b)")
    options = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, preset in (("post", POST), ("ours", OURS)):
            for split, count in (("train", options.cases), ("validation", options.validation_cases)):
                table = texts(options.features, options.base, preset, split, count)
                write_parquet(table, folder / f"{name}-{split}.parquet")
        speed = apart(product_speed)
        bound = speed / (4 * block_weights(options.base))
        print(json.dumps({"product_gflops": speed / 1e9, "bound_tokens_per_second": bound}), flush=True)
        post = apart(plain_trl, folder, options.base, 60 * options.minutes)
        print(json.dumps({"recipe": "post", **post}), flush=True)
        for loss in options.losses:
            row = apart(ours, folder, options.base, loss)
            for rate in ("cases_per_second", "cases_per_cpu_second"):
                row[f"{rate}_times_the_post"] = row[rate] / post[rate]
            row["share_of_bound"] = row["tokens_per_second"] / bound
            print(json.dumps({"recipe": loss, **row}), flush=True)


if __name__ == "__main__":
    main()
