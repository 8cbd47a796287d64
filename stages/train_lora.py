"""Fine-tune the base model: train the adapter on the text dataset."""

import os
from pathlib import Path

from cancertype.files import write_json
from cancertype.finetune import finetune
from cancertype.finetune.settings import Lora, Train
from cancertype.language_model.settings import Model
from cancertype.text.prompt import completions
from pipeline.params import read, run
from pipeline.revision import adapter_of

TEXT = Path("data/text")
TEACHER = Path("models/tabular/out_of_fold.parquet")
METRICS = Path("metrics")


def main() -> None:
    model, lora, train, completion, seed = read(
        {"model": Model, "lora": Lora, "train": Train, "text.completion": str, "seed": int}
    )
    report = finetune(
        TEXT / "train.parquet",
        TEXT / "validation.parquet",
        Path("models/base"),
        Path("models/adapter"),
        scratch=Path("scratch/training"),
        log=METRICS / "training",
        model=model,
        lora=lora,
        train_settings=train,
        label_texts=completions(completion),
        seed=seed,
        continue_from=adapter_of(train.continue_from),
        teacher=TEACHER if train.teacher_share else None,
        augmented=TEXT / "augmented.parquet",
    )
    # Under a launcher every process comes here with the same report.
    if os.environ.get("RANK", "0") == "0":
        METRICS.mkdir(exist_ok=True)
        write_json(METRICS / "training.json", report, sort_keys=True)


if __name__ == "__main__":
    run(main)
