"""Small fine-tuning runs, shared by the tests of both backends. Imports nothing that unsloth has to come before."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cancertype.finetune import Job
from cancertype.finetune.settings import Lora, Train
from cancertype.labels import LABELS, WORDS
from cancertype.language_model.settings import Model

from .settings import settings

LABEL_TEXTS = {label: " " + WORDS[label] for label in LABELS}
SHORT_RUN = {
    "max_steps": 6,
    "batch_size": 8,
    "learning_rate": 1.0e-2,
    "log_every_steps": 1,
    "evaluate_every_steps": 3,
    "save_every_steps": 2,
    "warmup_fraction": 0.0,
}


def write_split(path: Path, count: int, shift: int = 0) -> Path:
    """Cases whose label follows from their genes, so that a loss can fall."""
    genes = ["TP53 R175H", "APC R213*", "KRAS G12D", "TTN", "MUC16", "EGFR", "STK11", "PTEN", "RB1"]
    rows = []
    for case in range(shift, shift + count):
        label = LABELS[case * 7 % 5]
        mutations = [genes[(case * step + step) % len(genes)] for step in range(1, 2 + case % 4)]
        mutations = list(dict.fromkeys([f"{label[:2]}{case % 3}", *mutations]))
        prompt = f"tumour {case % 40} mutations\n{', '.join(mutations)}\ncancer:"
        completion = LABEL_TEXTS[label]
        rows.append(
            {
                "case_id": f"case{case}",
                "source": "simulated_tcga",
                "label": label,
                "prompt": prompt,
                "completion": completion,
                "text": prompt + completion,
                "subclass": label,
                "mutations": mutations,
            }
        )
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def job(splits, base: Path, folder: Path, *, lora=None, model=None, fields=None, **train) -> Job:
    """One run in ``folder``; ``fields`` are further fields of the job, and other keywords the train section's."""
    return Job(
        **splits,
        base=base,
        out=folder / "adapter",
        scratch=folder / "scratch",
        curves=folder / "log",
        model=settings(Model, "model", **(model or {})),
        lora=settings(Lora, "lora", **({"r": 4, "alpha": 8} | (lora or {}))),
        train_settings=settings(Train, "train", **(SHORT_RUN | train)),
        label_texts=LABEL_TEXTS,
        seed=3407,
        **(fields or {}),
    )


def curve(folder: Path, name: str = "training") -> list[dict[str, float]]:
    with (folder / "log" / f"{name}.csv").open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
