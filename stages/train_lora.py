"""Fine-tune the base model: train the adapter on the text dataset."""

import sys
from pathlib import Path

from cancertype.finetune import Job, finetune
from cancertype.finetune.settings import Lora, Train
from cancertype.language_model.settings import Model
from cancertype.text.prompt import completions
from pipeline.figures import forget
from pipeline.params import read, run
from pipeline.revision import adapter_of, cache_folder
from pipeline.size import warning

TEXT = Path("data/text")
TEACHER = Path("models/tabular/out_of_fold.parquet")
METRICS = Path("metrics")
SCRATCH = Path("scratch")


def main() -> None:
    model, lora, train, completion, seed = read(
        {"model": Model, "lora": Lora, "train": Train, "text.completion": str, "seed": int}
    )
    forget()
    cache = cache_folder()
    job = Job(
        train=TEXT / "train.parquet",
        validation=TEXT / "validation.parquet",
        base=Path("models/base"),
        out=Path("models/adapter"),
        scratch=SCRATCH / "training",
        model=model,
        lora=lora,
        train_settings=train,
        label_texts=completions(completion),
        seed=seed,
        curves=METRICS / "training",
        metrics=METRICS / "training.json",
        # Speed differs between runs of the same settings, so it is no output.
        timings=SCRATCH / "training_times.jsonl",
        live_logs=SCRATCH / "live",
        # DVC ends without an error when its cache is full, and the next run would train again.
        copied_to=() if cache is None else (cache,),
        continue_from=adapter_of(train.continue_from),
        teacher=TEACHER if train.teacher_share else None,
        views=TEXT / "views.parquet",
    )
    finetune(job)
    if too_large := warning(job.out):
        print(f"warning: {too_large}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
