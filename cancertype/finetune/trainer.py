"""What both backends' trainers share: planned batches, the label loss, and checkpoints that are whole or not at all."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch.utils.data import DataLoader
from transformers import EvalPrediction, Trainer

from ..errors import InputError
from ..files import explained_writes, write_json
from .adapter import GOES_ON
from .checkpoints import mark_complete
from .data import IGNORED, Collator, PlannedBatches, TrainingCases, ValidationCases

UNSTABLE = (
    "the {what} loss is {value} at step {step}, so training has diverged. Lower train.learning_rate (and "
    "train.embedding_learning_rate), raise train.warmup_fraction, or set model.dtype to bfloat16 or float32"
)


@dataclass(frozen=True)
class Batches:
    """All that a run will see. ``rows`` and ``epochs`` are those of ``data.plan``: (steps, cases per step)."""

    cases: TrainingCases
    validation: ValidationCases
    rows: np.ndarray
    epochs: np.ndarray
    collator: Collator
    validation_collator: Collator

    def epoch_at(self, step: int) -> float:
        """How often each case has been seen after ``step`` optimiser steps, on average."""
        return step * self.rows.shape[1] / len(self.cases)


def validation_metrics(scored: EvalPrediction) -> dict[str, float]:
    """Nats per case (the score that prediction ranks by), nats per label token, and the share of cases wholly right."""
    nll, correct = scored.predictions.T
    return {
        "loss": float(nll.mean()),
        "loss_per_token": float(nll.sum() / scored.label_ids.sum()),
        "accuracy": float(correct.mean()),
    }


def is_embedding(name: str) -> bool:
    """Whether a trained parameter is the embedding or rows of it, by where PEFT keeps it."""
    return "modules_to_save" in name or "trainable_tokens" in name


class PlannedTraining(Trainer):
    """A mix-in for a Hugging Face trainer whose model returns a ``LabelLoss``.

    The loss of a step is the mean over its cases of -log P(label | prompt) in nats, or with the loss on the whole text
    the mean over its tokens; over all micro-batches and processes, so that neither changes it.
    """

    def __init__(self, *, batches: Batches, **kwargs: Any):
        self.batches = batches
        self.tokens_seen = 0
        self._unchecked: tuple[int, torch.Tensor] | None = None
        super().__init__(
            # SFTTrainer asks for tables; what it trains on comes from the loaders below.
            train_dataset=Dataset.from_dict({"prompt": batches.cases.views[0].prompts}),
            eval_dataset=Dataset.from_dict({"prompt": batches.validation.cases.prompts}),
            data_collator=batches.collator,
            compute_metrics=validation_metrics,
            **kwargs,
        )
        # The loss below is already divided by what the whole step counts.
        self.model_accepts_loss_kwargs = True

    def get_train_dataloader(self) -> DataLoader:
        planned = PlannedBatches(
            self.batches.rows,
            self.batches.epochs,
            accumulation=self.args.gradient_accumulation_steps,
            processes=self.accelerator.num_processes,
            rank=self.accelerator.process_index,
        )
        return DataLoader(
            self.batches.cases,
            batch_sampler=planned,
            collate_fn=self.batches.collator,
            pin_memory=self.accelerator.device.type == "cuda",
        )

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader:
        loader = DataLoader(
            self.batches.validation,
            batch_size=self.args.per_device_eval_batch_size,
            collate_fn=self.batches.validation_collator,
        )
        return self.accelerator.prepare(loader)

    def get_batch_samples(
        self, epoch_iterator: Iterator, num_batches: int, device: torch.device
    ) -> tuple[list, torch.Tensor]:
        batches = list(islice(epoch_iterator, num_batches))
        self.tokens_seen += sum(int(batch["attention_mask"].sum()) for batch in batches)
        if self.batches.collator.whole_text:
            counted = sum(int((batch["targets"] != IGNORED).sum()) for batch in batches)
        else:
            counted = sum(len(batch["targets"]) for batch in batches)
        return batches, self.accelerator.reduce(torch.tensor(counted, device=device), reduction="sum")

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        # unsloth knows whole embeddings but not trained rows of them; one grouping serves both backends.
        if self.optimizer is None:
            kind, arguments = self.get_optimizer_cls_and_kwargs(self.args, self.model)
            self.optimizer = kind(self._parameter_groups(), **arguments)
        return self.optimizer

    def _parameter_groups(self) -> list[dict]:
        trained = [(name, parameter) for name, parameter in self.model.named_parameters() if parameter.requires_grad]
        groups = [
            {
                "params": [parameter for name, parameter in trained if is_embedding(name) == embedding],
                "lr": self.args.embedding_learning_rate if embedding else self.args.learning_rate,
                "weight_decay": self.args.weight_decay,
            }
            for embedding in (False, True)
        ]
        return [group for group in groups if group["params"]]

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        self._stop_if_diverged()
        label_loss = model(**inputs)
        # DDP averages gradients over processes; the step's count is already over all of them.
        loss = label_loss.nll.sum() * self.accelerator.num_processes / num_items_in_batch
        self._unchecked = (self.state.global_step + 1, loss.detach())
        return (loss, label_loss) if return_outputs else loss

    def _stop_if_diverged(self) -> None:
        """Raise ``InputError`` where the last loss is not finite.

        It is looked at when the next one is wanted, by when a GPU has long computed it, and before log, evaluation and
        checkpoint: the CPU need not wait for a loss that was only just asked for.
        """
        if self._unchecked is None:
            return
        (step, loss), self._unchecked = self._unchecked, None
        if not torch.isfinite(loss):
            raise InputError(UNSTABLE.format(what="training", value=loss.item(), step=step))

    def log(self, *args: Any, **kwargs: Any) -> None:
        self._stop_if_diverged()
        super().log(*args, **kwargs)

    def prediction_step(self, model, inputs, prediction_loss_only, ignore_keys=None):
        with torch.no_grad():
            scored = model(**self._prepare_inputs(inputs))
        return None, torch.stack([scored.nll, scored.correct.to(scored.nll.dtype)], dim=1), scored.tokens

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        self._stop_if_diverged()
        metrics = super().evaluate(*args, **kwargs)
        if not np.isfinite(metrics["eval_loss"]):
            raise InputError(
                UNSTABLE.format(what="validation", value=metrics["eval_loss"], step=self.state.global_step)
            )
        return metrics

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: a checkpoint is no publication, and the library's card would name this machine's paths."""

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        # The base is beside every run, so a checkpoint needs no copy of its tokenizer (33 MB for Gemma).
        tokenizer, collator = self.processing_class, self.data_collator
        self.processing_class = self.data_collator = None
        try:
            super()._save(output_dir, state_dict)
        finally:
            self.processing_class, self.data_collator = tokenizer, collator

    def _save_checkpoint(self, model, trial):
        self._stop_if_diverged()
        folder = Path(self.args.output_dir)
        with explained_writes(folder, GOES_ON):
            super()._save_checkpoint(model, trial)
            checkpoint = folder / f"checkpoint-{self.state.global_step}"
            self._save_unlogged_loss(checkpoint)
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                mark_complete(checkpoint, stopped=self.control.should_training_stop)

    # The trainer logs the mean loss since the last log, and forgets in a checkpoint what is not logged yet. A run that
    # was resumed between two logs would then log another mean.

    def _save_unlogged_loss(self, checkpoint: Path) -> None:
        unlogged = {"sum": self._tr_loss.item(), "since_step": self._globalstep_last_logged}
        write_json(checkpoint / f"unlogged_loss_{self.accelerator.process_index}.json", unlogged)

    def restore_unlogged_loss(self, checkpoint: Path) -> None:
        """Take up the sum of the losses that were not logged yet at a checkpoint, on this process."""
        path = checkpoint / f"unlogged_loss_{self.accelerator.process_index}.json"
        unlogged = json.loads(path.read_text(encoding="utf-8"))
        self._tr_loss += unlogged["sum"]
        self._globalstep_last_logged = unlogged["since_step"]
