"""One run from files to adapter, the same for both backends."""

import hashlib
import json
import math
import platform
import resource
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from peft import PeftModel
from transformers import (
    EarlyStoppingCallback,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerState,
    TrainingArguments,
)

from ..files import check_room, digest, explained_writes, write_text
from ..language_model import base_record
from ..language_model.label_trie import LabelTrie
from ..language_model.loading import check_trainable_here, default_device, load_config
from . import Job
from . import adapter as adapters
from .callbacks import LastStep, LossCurves, Progress, ResumedLoss, StepTimer, StopOnSigterm
from .checkpoints import drop_incomplete, has_stopped, newest_complete, step_of
from .data import (
    Cases,
    Collator,
    TrainingCases,
    ValidationCases,
    lengths,
    plan,
    read_cases,
    read_teacher,
    read_views,
    subset,
    take,
    trie_of,
)
from .live import live_loggers
from .loss import return_label_loss
from .trainer import Batches, PlannedTraining

SCHEDULERS = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}
LIBRARIES = ("torch", "transformers", "peft", "trl")
CHECKPOINTS_KEPT = 3
SHAPES_NOTHING = {"continue_from", "num_processes", "log_to"}
"""Keys of the train section that do not shape the result, or are recorded in another way."""
TRACKED = ("validation_loss_best", "validation_accuracy_last")
"""Numbers of the report by which runs are compared."""

_BESIDE_WEIGHTS = 1 << 16
"""Bytes of a checkpoint's or adapter's small files, at most."""


def run(job: Job, backend: ModuleType) -> dict[str, Any]:
    """Train in this process, which may be one of several. Only the first one writes; all return the same report."""
    settings = job.train_settings
    # Joins the other processes, if any, and takes this one's GPU, before a model is loaded to it.
    processes = PartialState(cpu=default_device().type == "cpu").num_processes
    check_trainable_here(job.base, load_in_4bit=job.model.load_in_4bit)
    base = base_record.identity(job.base)
    train = read_cases(job.train, job.label_texts)
    views = (read_views(job.views, train, job.label_texts) if job.views else []) or [train]
    validation = subset(read_cases(job.validation, job.label_texts), settings.validation_cases, job.seed)
    model, tokenizer = backend.load(job.base, job.model)
    trie = trie_of(job.label_texts, tokenizer)
    shape = adapters.lora_arguments(job.lora, trie)
    model = backend.add_adapter(model, shape, seed=job.seed, gradient_checkpointing=settings.gradient_checkpointing)
    origin = _continue(job, model, base, shape)

    checkpoints = job.scratch / _key(job, base, origin, processes)
    _check_room(job, model, checkpoints)
    batches = _batches(job, views, validation, tokenizer, trie, model.device, processes)
    timer = StepTimer()
    trainer = backend.LabelTrainer(
        model=model,
        args=_arguments(job, backend, model, checkpoints, len(batches.rows)),
        processing_class=tokenizer,
        callbacks=_callbacks(job, batches, timer, processes, resumes=checkpoints.is_dir()),
        batches=batches,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(ResumedLoss(trainer))
    return_label_loss(
        model.get_base_model(), trie if settings.loss == "labels" else None, teacher_share=settings.teacher_share
    )
    if settings.compile:
        # In place, so that the names of its weights stay. Lengths vary from batch to batch.
        model.get_base_model().get_decoder().compile(dynamic=True)
    resumed = _train(trainer, checkpoints)

    report = _report(job, trainer, batches, base, origin)
    measured = _measured(trainer, timer) | {"resumed_from_step": resumed}
    if trainer.is_world_process_zero():
        _write(job, trainer, checkpoints, report, measured)
    trainer.accelerator.wait_for_everyone()
    return report | measured


def _continue(job: Job, model: PeftModel, base: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any] | None:
    """Load the adapter to continue from, if any; returns what the report says of it."""
    name = job.train_settings.continue_from
    if name is None:
        return None
    folder = adapters.resolve(name, job.continue_from)
    origin = adapters.check_fits(folder, name, base=base, arguments=shape, label_texts=job.label_texts)
    adapters.load_weights(model, folder)
    return origin


def _key(job: Job, base: dict[str, Any], origin: dict[str, Any] | None, processes: int) -> str:
    """A name for all that shapes the result: a checkpoint of other settings, data or libraries is never resumed."""
    shaping = {
        "data": [digest(job.train), digest(job.validation), job.views and digest(job.views)],
        "teacher": job.teacher and digest(job.teacher),
        "base": base,
        "continued_from": origin and origin["sha256"],
        "settings": [section.model_dump() for section in (job.model, job.lora)],
        "train": job.train_settings.model_dump(exclude=SHAPES_NOTHING),
        "processes": processes,
        "label_texts": dict(job.label_texts),
        "seed": job.seed,
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]


def _check_room(job: Job, model: PeftModel, checkpoints: Path) -> None:
    """Raise ``InputError`` unless adapter, its copies and all checkpoints that are kept at one time have room."""
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    adapter = 4 * trained + _BESIDE_WEIGHTS
    # Adam keeps two numbers per weight.
    checkpoint = adapter + trained * (2 if job.train_settings.optimizer == "adamw_8bit" else 8)
    there = sum(path.stat().st_size for path in checkpoints.rglob("*") if path.is_file())
    # A checkpoint is complete before the oldest is deleted.
    needed = {job.scratch: max(checkpoint, (CHECKPOINTS_KEPT + 1) * checkpoint - there), job.out.parent: adapter}
    for folder in job.copied_to:
        needed[folder] = needed.get(folder, 0) + adapter
    check_room(
        needed,
        f"The adapter takes {adapter / 2**20:,.0f} MiB and a checkpoint {checkpoint / 2**20:,.0f} MiB. Make room, move "
        "the folders to a larger disk, or lower lora.r or lora.train_embeddings",
    )


def _batches(
    job: Job,
    views: list[Cases],
    validation: Cases,
    tokenizer: PreTrainedTokenizerBase,
    trie: LabelTrie,
    device: torch.device,
    processes: int,
) -> Batches:
    """Plan the run. ``views`` are the training cases, seen in one or several ways."""
    settings = job.train_settings
    train = views[0]
    tokens = np.stack([lengths(cases, tokenizer, trie, job.model.max_seq_length) for cases in views])
    by_length = np.argsort(-lengths(validation, tokenizer, trie, job.model.max_seq_length), kind="stable")
    batch = settings.batch_size * settings.gradient_accumulation_steps * processes
    steps_per_epoch = math.ceil(len(train) / batch)
    rows, epochs = plan(
        train.labels,
        tokens,
        batch=batch,
        steps=settings.max_steps if settings.max_steps > 0 else max(1, round(settings.epochs * steps_per_epoch)),
        seed=job.seed,
        balance=settings.balance_labels,
        group_by_length=settings.group_by_length,
    )
    teacher = None if job.teacher is None else read_teacher(job.teacher, train, list(trie.paths), len(views))
    # Tensor cores want multiples of eight; elsewhere padding is only work.
    multiple = 8 if device.type == "cuda" else 1
    return Batches(
        cases=TrainingCases(views, job.seed, settings.shuffle_mutations, teacher),
        validation=ValidationCases(take(validation, by_length.tolist())),
        rows=rows,
        epochs=epochs,
        collator=Collator(tokenizer, trie, whole_text=settings.loss == "text", multiple=multiple),
        validation_collator=Collator(tokenizer, trie, multiple=multiple),
    )


def _arguments(job: Job, backend: ModuleType, model: PeftModel, folder: Path, steps: int) -> TrainingArguments:
    settings = job.train_settings
    dtype = model.get_input_embeddings().weight.dtype
    # The best checkpoint can only be kept where every evaluated state is saved.
    early = settings.early_stopping_patience is not None
    return backend.Arguments(
        output_dir=str(folder),
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        max_steps=steps,
        learning_rate=settings.learning_rate,
        embedding_learning_rate=settings.embedding_learning_rate,
        optim=_optimizer(settings.optimizer, model.device.type),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_gradient_norm,
        lr_scheduler_type=SCHEDULERS[settings.scheduler],
        warmup_steps=round(settings.warmup_fraction * steps),
        bf16=dtype == torch.bfloat16,
        fp16=dtype == torch.float16,
        use_cpu=model.device.type == "cpu",
        gradient_checkpointing=settings.gradient_checkpointing,
        logging_steps=settings.log_every_steps,
        eval_strategy="steps",
        eval_steps=settings.evaluate_every_steps,
        save_strategy="steps",
        save_steps=settings.evaluate_every_steps if early else settings.save_every_steps,
        save_total_limit=CHECKPOINTS_KEPT,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        seed=job.seed,
        # A loss that is not finite must stop the run, not vanish from the log.
        logging_nan_inf_filter=False,
        ddp_find_unused_parameters=False,
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        # What follows turns off SFTTrainer's own preparation, padding and loss in favour of ours.
        dataset_kwargs={"skip_prepare_dataset": True},
        completion_only_loss=False,
        packing=False,
        padding_free=False,
        max_length=None,
        loss_type="nll",
    )


def _optimizer(name: str, device: str) -> str:
    """The name by which transformers knows the optimizer; on a GPU PyTorch's AdamW takes all weights in one kernel."""
    return "adamw_torch_fused" if name == "adamw_torch" and device == "cuda" else name


def _callbacks(job: Job, batches: Batches, timer: StepTimer, processes: int, *, resumes: bool) -> list[TrainerCallback]:
    callbacks: list[TrainerCallback] = [LastStep(), Progress(), timer]
    if processes == 1:
        callbacks.append(StopOnSigterm())
    if job.curves is not None:
        callbacks.append(LossCurves(job.curves, batches))
    if job.train_settings.log_to and PartialState().is_main_process:
        callbacks.extend(live_loggers(job.train_settings.log_to, job.live_logs, resumes=resumes))
    if job.train_settings.early_stopping_patience is not None:
        callbacks.append(EarlyStoppingCallback(job.train_settings.early_stopping_patience))
    return callbacks


def _train(trainer: PlannedTraining, checkpoints: Path) -> int | None:
    """Train, from the last complete checkpoint where there is one; returns the step it stood at."""
    if trainer.is_world_process_zero():
        checkpoints.mkdir(parents=True, exist_ok=True)
        drop_incomplete(checkpoints)
    trainer.accelerator.wait_for_everyone()
    checkpoint = newest_complete(checkpoints)
    if checkpoint is None:
        trainer.train()
        return None
    if has_stopped(checkpoint):
        trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    else:
        trainer.train(resume_from_checkpoint=str(checkpoint))
    return step_of(checkpoint)


def _write(
    job: Job, trainer: PlannedTraining, checkpoints: Path, report: dict[str, Any], measured: dict[str, Any]
) -> None:
    """Write all results, and delete the checkpoints once everything is on the disk."""
    dtype = load_config(job.base).dtype or torch.float32
    adapters.write(_result(trainer, checkpoints), job.out, base=report["base"], report=report, dtype=dtype)
    with explained_writes(job.out.parent, adapters.GOES_ON):
        if job.curves is not None:
            LossCurves(job.curves, trainer.batches).write(trainer.state.log_history)
        if job.metrics is not None:
            write_text(job.metrics, adapters.dump({name: report[name] for name in TRACKED}))
        if job.timings is not None:
            job.timings.parent.mkdir(parents=True, exist_ok=True)
            with job.timings.open("a", encoding="utf-8") as file:
                ended = datetime.now(UTC).isoformat(timespec="seconds")
                file.write(json.dumps({"ended": ended, "steps": report["steps"], **measured}) + "\n")
    shutil.rmtree(checkpoints)


def _result(trainer: PlannedTraining, checkpoints: Path) -> Path:
    """The checkpoint that becomes the adapter: the best one with early stopping, else the last."""
    early = any(isinstance(callback, EarlyStoppingCallback) for callback in trainer.callback_handler.callbacks)
    step = trainer.state.best_global_step if early else trainer.state.global_step
    return checkpoints / f"checkpoint-{step}"


def _report(
    job: Job, trainer: PlannedTraining, batches: Batches, base: dict[str, Any], origin: dict[str, Any] | None
) -> dict[str, Any]:
    """What was done, the same on every run of the same input. It is stored beside the adapter."""
    state = trainer.state
    training = [entry["loss"] for entry in state.log_history if "loss" in entry]
    validation = [entry for entry in state.log_history if "eval_loss" in entry]
    best = min(validation, key=lambda entry: entry["eval_loss"])
    cases = state.global_step * batches.rows.shape[1]
    before = origin or {"steps": 0, "cases": 0}
    return {
        "base": base,
        "label_texts": dict(job.label_texts),
        "model": job.model.model_dump(exclude={"base", "revision"}),
        "lora": job.lora.model_dump(),
        "train": job.train_settings.model_dump(exclude=SHAPES_NOTHING),
        "seed": job.seed,
        "continued_from": origin,
        "steps": state.global_step,
        "stopped_early": state.global_step < state.max_steps,
        "cases": cases,
        "epochs": batches.epoch_at(state.global_step),
        "steps_in_all": before["steps"] + state.global_step,
        "cases_in_all": before["cases"] + cases,
        "training_cases": len(batches.cases),
        "versions": len(batches.cases.views),
        "validation_cases": len(batches.validation),
        "trained_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        "training_loss_first": training[0],
        "training_loss_last": training[-1],
        "validation_loss_last": validation[-1]["eval_loss"],
        "validation_loss_per_token_last": validation[-1]["eval_loss_per_token"],
        "validation_accuracy_last": validation[-1]["eval_accuracy"],
        "validation_loss_best": best["eval_loss"],
        "best_step": best["step"],
    }


def _measured(trainer: PlannedTraining, timer: StepTimer) -> dict[str, Any]:
    """Speed since the start or resumption of this process, and its peak memory. A rate is None where no step ran."""
    device = trainer.accelerator.device
    cuda = device.type == "cuda"
    tokens = int(trainer.accelerator.reduce(torch.tensor(trainer.tokens_seen, device=device), reduction="sum"))
    cases = timer.steps * trainer.batches.rows.shape[1]
    return {
        "seconds": timer.seconds,
        "steps_timed": timer.steps,
        "cases_per_second": cases / timer.seconds if timer.steps else None,
        "tokens_per_second": tokens / timer.seconds if timer.steps else None,
        "peak_memory_bytes": torch.cuda.max_memory_allocated() if cuda else peak_resident_bytes(),
        "device": torch.cuda.get_device_name(device) if cuda else platform.machine(),
        "processes": trainer.accelerator.num_processes,
    }


def peak_resident_bytes() -> int:
    """The most memory that this process has held, in bytes; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else 1024 * peak
