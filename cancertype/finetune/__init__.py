"""Fine-tuning a base model on cases written as text."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..language_model.processes import shared_out
from ..language_model.settings import Model
from .settings import Lora, Train


@dataclass(frozen=True, kw_only=True)
class Job:
    """One fine-tuning run: what it reads, what it writes, and its settings.

    Attributes:
        train, validation: Parquet files with the columns case_id, label, prompt, completion and mutations.
        base: the base model's folder, with its ``base.json``.
        out: folder that gets ``adapter_model.safetensors``, ``adapter_config.json`` and ``training.json``. The same
            input gives the same bytes on the same CPU, whether the run was killed and resumed or not.
        scratch: folder for checkpoints, in a sub-folder named after a hash of all that shapes the result. A run that
            was killed resumes from its last complete one. They are deleted when all else is written. Must outlive the
            process.
        model, lora, train_settings: sections of the settings.
        label_texts: label to completion. No label's tokens may be the beginning of another's.
        seed: of the adapter's first weights, the order of cases and mutations, and dropout.
        curves: folder for ``training.csv`` and ``validation.csv``; None for no files.
        metrics: JSON file for the few numbers by which runs are compared; None for no file. The whole report is in
            ``out``.
        timings: file that gets one line of JSON per finished run with its speed and memory; None for no file.
        live_logs: folder for what ``train_settings.log_to`` writes; None where it is empty.
        copied_to: folders that get a copy of the adapter later, whose disks must have room for it too.
        continue_from: the adapter folder that ``train_settings.continue_from`` names, where the caller has fetched it
            because it is neither a folder nor a Hub id (but a git revision, for example).
        teacher: Parquet file of case_id, copy and one column of probabilities per label, for
            ``train_settings.teacher_share``; None for the true labels alone.
        views: Parquet file of views of the training cases: the columns of ``train``, and ``copy``, a number from 0.
            Each epoch shows every case once, in one of its views, in turn. None or an empty file to show each case as
            it is.
    """

    train: Path
    validation: Path
    base: Path
    out: Path
    scratch: Path
    model: Model
    lora: Lora
    train_settings: Train
    label_texts: Mapping[str, str]
    seed: int
    curves: Path | None = None
    metrics: Path | None = None
    timings: Path | None = None
    live_logs: Path | None = None
    copied_to: tuple[Path, ...] = ()
    continue_from: Path | None = None
    teacher: Path | None = None
    views: Path | None = None


def finetune(job: Job) -> dict:
    """Train an adapter for ``job.base`` and write it to the folder ``job.out``, whole or not at all.

    Returns:
        The report (losses in nats, steps, cases, settings, what it continued) and how it went in this process: seconds,
        cases/s, tokens/s (None where it resumed after the last step), peak memory (bytes) and the step it resumed from.

    Raises:
        InputError: a teacher's share without a teacher; data, label texts or an adapter to continue from that do not
            fit; a loss that is not finite; a backend that cannot run here; a model too large for a machine without a
            GPU; a disk that is full or too small.
        SystemExit: SIGTERM. With one process a checkpoint is written first, after the current step.

    With ``train_settings.num_processes`` above 1 that many local processes share the work. Under a launcher
    (``accelerate launch``, ``torchrun``) every process calls this function, and the launcher's number counts.
    """
    if job.train_settings.log_to and job.live_logs is None:
        raise InputError(f"train.log_to is {job.train_settings.log_to}, but no folder for live logs was given")
    share = job.train_settings.teacher_share
    # It would train on the true labels alone, and the report would still say that a teacher had its share.
    if share and job.teacher is None:
        raise InputError(
            f"train.teacher_share is {share}, but no teacher was given: pass the out-of-fold predictions that the "
            "tabular stage writes with tabular.folds above 0, or set train.teacher_share to 0"
        )
    return shared_out(_start, job, job.train_settings.num_processes)


def _start(job: Job) -> dict:
    # The backend comes first: unsloth has to be imported before transformers, trl and peft, which ``run`` imports.
    if job.train_settings.backend == "unsloth":
        from . import unsloth as backend
    else:
        from . import trl as backend
    from .run import run

    return run(job, backend)
