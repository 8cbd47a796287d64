"""Checkpoints that a kill at any moment cannot spoil: each is complete by its own record, or it does not count."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from ..errors import InputError
from ..files import digest, write_json

RECORD = "complete.json"


def mark_complete(checkpoint: Path, *, stopped: bool) -> None:
    """Record every file's digest, last of all; ``stopped`` says that training ended here."""
    files = {path.name: digest(path) for path in sorted(checkpoint.iterdir()) if path.name != RECORD}
    write_json(checkpoint / RECORD, {"stopped": stopped, "files": files})


def is_complete(checkpoint: Path) -> bool:
    """Whether the checkpoint has its record and every file of it unchanged."""
    record = checkpoint / RECORD
    if not record.is_file():
        return False
    files = json.loads(record.read_text())["files"]
    return all((checkpoint / name).is_file() and digest(checkpoint / name) == sha for name, sha in files.items())


def has_stopped(checkpoint: Path) -> bool:
    """Whether training ended at this checkpoint, by its last step or early."""
    return json.loads((checkpoint / RECORD).read_text())["stopped"]


def step_of(checkpoint: Path) -> int:
    """The optimiser step after which the checkpoint was taken."""
    return int(checkpoint.name.removeprefix("checkpoint-"))


def newest_complete(folder: Path) -> Path | None:
    """The latest complete checkpoint in ``folder``."""
    found = sorted(folder.glob("checkpoint-*"), key=step_of, reverse=True)
    return next((checkpoint for checkpoint in found if is_complete(checkpoint)), None)


def drop_incomplete(folder: Path) -> list[str]:
    """Delete the checkpoints that a kill left half-written; returns their names."""
    broken = [checkpoint for checkpoint in sorted(folder.glob("checkpoint-*")) if not is_complete(checkpoint)]
    for checkpoint in broken:
        shutil.rmtree(checkpoint)
    return [checkpoint.name for checkpoint in broken]


@contextmanager
def explained_writes(folder: Path) -> Iterator[None]:
    """Turn a failed write into an ``InputError`` that says where, why and how much room is left."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        free = shutil.disk_usage(folder).free / 2**20
        raise InputError(
            f"{folder}: writing failed ({error}); {free:,.0f} MiB are free there. Make room or move the folder to a "
            "larger disk, then run again: training goes on from the last complete checkpoint"
        ) from error
