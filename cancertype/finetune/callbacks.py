"""What happens beside the optimiser's steps: loss curves, a progress bar, timing, and stopping when asked to."""

import csv
import io
import signal
import threading
import time
from pathlib import Path
from types import FrameType

from tqdm.auto import tqdm
from transformers import TrainerCallback

from ..files import write_text
from .trainer import Batches, PlannedTraining

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
    """Writes ``training.csv`` and ``validation.csv`` in ``folder``, each row as soon as it is known.

    The trainer's history is in each checkpoint, so a resumed run first writes the earlier rows again.
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


class ResumedLoss(TrainerCallback):
    """Takes up the losses that were not logged yet at the checkpoint from which training resumes."""

    def __init__(self, trainer: PlannedTraining):
        self.trainer = trainer

    def on_train_begin(self, args, state, control, **kwargs):
        if state.global_step:
            self.trainer.restore_unlogged_loss(Path(args.output_dir) / f"checkpoint-{state.global_step}")


class StopOnSigterm(TrainerCallback):
    """SIGTERM ends training after the current step, with a checkpoint and exit status 143; a second one at once.

    For a run in one process. Processes that work together are ended at once, because one that stops by itself leaves
    the others waiting for it.
    """

    def __init__(self):
        self.asked, self.before = False, None

    def on_train_begin(self, args, state, control, **kwargs):
        if threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def on_step_end(self, args, state, control, **kwargs):
        if self.asked:
            control.should_save = True

    def on_save(self, args, state, control, **kwargs):
        if self.asked:
            self._restore()
            raise SystemExit(128 + signal.SIGTERM)

    def on_train_end(self, args, state, control, **kwargs):
        self._restore()

    def _restore(self) -> None:
        if self.before is not None:
            signal.signal(signal.SIGTERM, self.before)
