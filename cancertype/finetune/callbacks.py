"""What is written and shown while training runs: the loss curves as CSV, and a progress bar."""

import csv
import io
import time
from pathlib import Path

from tqdm.auto import tqdm
from transformers import TrainerCallback

from ..files import write_text
from .trainer import Batches

CURVES = {
    "training.csv": {"step": "step", "epoch": "epoch", "loss": "loss", "learning_rate": "learning_rate"},
    "validation.csv": {
        "step": "step",
        "epoch": "epoch",
        "loss": "eval_loss",
        "loss_per_token": "eval_loss_per_token",
        "accuracy": "eval_accuracy",
    },
}
"""File to its columns, and each column's name in the trainer's own history."""


class LossCurves(TrainerCallback):
    """Writes ``training.csv`` and ``validation.csv`` in ``folder``, a row as soon as it is known.

    The trainer's history lies in each checkpoint, so a resumed run first writes the rows before it again.
    """

    def __init__(self, folder: Path, batches: Batches):
        self.folder, self.batches = folder, batches

    def on_train_begin(self, args, state, control, **kwargs):
        if state.is_world_process_zero:
            self.write(state.log_history)

    def on_log(self, args, state, control, **kwargs):
        if state.is_world_process_zero:
            for name, columns in CURVES.items():
                rows = self._rows(state.log_history[-1:], columns)
                with (self.folder / name).open("a", newline="", encoding="utf-8") as file:
                    csv.writer(file, lineterminator="\n").writerows(rows)

    def write(self, history: list[dict]) -> None:
        """Write both files anew from a trainer's history."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, columns in CURVES.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([list(columns), *self._rows(history, columns)])
            write_text(self.folder / name, text.getvalue())

    def _rows(self, history: list[dict], columns: dict[str, str]) -> list[list]:
        rows = [
            {**entry, "epoch": round(self.batches.epoch_at(entry["step"]), 4)}
            for entry in history
            if columns["loss"] in entry
        ]
        return [[row[key] for key in columns.values()] for row in rows]


class LastStep(TrainerCallback):
    """The last step is always logged and evaluated, whatever the intervals."""

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step >= state.max_steps:
            control.should_log = control.should_evaluate = True


class Progress(TrainerCallback):
    """A bar over the optimiser steps, with the latest losses beside it."""

    def __init__(self):
        self.bar = None
        self.losses = {}

    def on_train_begin(self, args, state, control, **kwargs):
        if state.is_world_process_zero:
            self.bar = tqdm(total=state.max_steps, initial=state.global_step, desc="Fine-tuning", unit="step")

    def on_step_end(self, args, state, control, **kwargs):
        if self.bar is not None:
            self.bar.update(state.global_step - self.bar.n)

    def on_log(self, args, state, control, logs=None, **kwargs):
        if self.bar is not None:
            names = {"loss": "loss", "eval_loss": "validation"}
            self.losses |= {names[key]: f"{value:.3f}" for key, value in logs.items() if key in names}
            self.bar.set_postfix(self.losses)

    def on_train_end(self, args, state, control, **kwargs):
        if self.bar is not None:
            self.bar.close()


class StepTimer(TrainerCallback):
    """Seconds spent in this process's optimiser steps, without evaluation and checkpoints."""

    def __init__(self):
        self.seconds, self.steps, self.began = 0.0, 0, 0.0

    def on_step_begin(self, args, state, control, **kwargs):
        self.began = time.perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        self.seconds += time.perf_counter() - self.began
        self.steps += 1
