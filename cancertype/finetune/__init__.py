"""Fine-tuning a base model on cases written as text."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..language_model.processes import shared_out
from ..language_model.settings import Model
from .settings import Lora, Train


@dataclass(frozen=True)
class Job:
    """The arguments of ``finetune``."""

    train: Path
    validation: Path
    base: Path
    out: Path
    scratch: Path
    log: Path | None
    model: Model
    lora: Lora
    train_settings: Train
    label_texts: dict[str, str]
    seed: int
    continue_from: Path | None
    teacher: Path | None
    augmented: Path | None


def finetune(
    train: Path,
    validation: Path,
    base: Path,
    out: Path,
    *,
    scratch: Path,
    log: Path | None,
    model: Model,
    lora: Lora,
    train_settings: Train,
    label_texts: Mapping[str, str],
    seed: int,
    continue_from: Path | None = None,
    teacher: Path | None = None,
    augmented: Path | None = None,
) -> dict:
    """Train an adapter for ``base`` and write it to the folder ``out``, whole or not at all.

    Args:
        train, validation: Parquet files with the columns case_id, label, prompt, completion and mutations.
        base: the base model's folder, with its ``base.json``.
        out: gets ``adapter_model.safetensors``, ``adapter_config.json`` and ``training.json``. The same input gives the
            same bytes on the same CPU, killed and resumed or not.
        scratch: checkpoints go to a sub-folder named after a hash of all that shapes the result. A run that was killed
            resumes from its last complete one; a finished run deletes them. Must outlive the process.
        log: folder for ``training.csv`` and ``validation.csv``; None for no files.
        label_texts: label to completion; no label's tokens may begin another's.
        continue_from: the folder that ``train_settings.continue_from`` names where that is neither a folder nor a Hub
            id (a revision, say) and the caller has fetched it.
        teacher: Parquet file of case_id, copy and one column of probabilities a label, for
            ``train_settings.teacher_share``; None for the true labels alone, which a share above 0 refuses.
        augmented: Parquet file of versions of the training cases, in the columns of ``train`` and ``copy``, their
            number from 1; an epoch shows each case in one version, in turn. None, or an empty file, for none.

    Returns:
        What was done: losses (nats), steps, seconds, cases/s, tokens/s, peak memory (bytes), what it continued and
        resumed from.

    Raises:
        InputError: a teacher's share with no teacher; data, label texts or an adapter to continue from that do not fit;
            a loss that is not finite; a backend that cannot run here; a disk that is full.

    With ``train_settings.num_processes`` above 1 the work is spread over that many local processes. Under a launcher
    (``accelerate launch``, ``torchrun``) every process calls this function, and the launcher's number counts.
    """
    # It would train on the true labels alone, and the report would still say that a teacher had its share.
    if train_settings.teacher_share and teacher is None:
        raise InputError(
            f"train.teacher_share is {train_settings.teacher_share}, but no teacher was given: pass the out-of-fold "
            "predictions that the tabular stage writes with tabular.folds above 0, or set train.teacher_share to 0"
        )
    job = Job(
        train=train,
        validation=validation,
        base=base,
        out=out,
        scratch=scratch,
        log=log,
        model=model,
        lora=lora,
        train_settings=train_settings,
        label_texts=dict(label_texts),
        seed=seed,
        continue_from=continue_from,
        teacher=teacher,
        augmented=augmented,
    )
    return shared_out(_start, job, train_settings.num_processes)


def _start(job: Job) -> dict:
    # The backend comes first: unsloth has to be imported before transformers, trl and peft, which ``run`` imports.
    if job.train_settings.backend == "unsloth":
        from . import unsloth as backend
    else:
        from . import trl as backend
    from .run import run

    return run(job, backend)
