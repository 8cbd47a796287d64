"""Checkpoints that a kill at any moment cannot spoil: each is complete by its own record, or it does not count."""

import json
import shutil
from pathlib import Path

from ..files import digest, write_json

RECORD = "complete.json"


def mark_complete(checkpoint: Path, *, stopped: bool) -> None:
    """Record every file's digest, after all else is written; ``stopped`` says that training ended here."""
    files = {path.name: digest(path) for path in sorted(checkpoint.iterdir()) if path.name != RECORD}
    write_json(checkpoint / RECORD, {"stopped": stopped, "files": files})


def is_complete(checkpoint: Path) -> bool:
    """Whether the checkpoint has its record and every file of it unchanged."""
    try:
        files = json.loads((checkpoint / RECORD).read_text(encoding="utf-8"))["files"]
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return False
    return all((checkpoint / name).is_file() and digest(checkpoint / name) == sha for name, sha in files.items())


def has_stopped(checkpoint: Path) -> bool:
    """Whether training ended at this checkpoint, by its last step or early."""
    return json.loads((checkpoint / RECORD).read_text(encoding="utf-8"))["stopped"]


def step_of(checkpoint: Path) -> int:
    """The optimiser step after which the checkpoint was taken."""
    return int(checkpoint.name.removeprefix("checkpoint-"))


def newest_complete(folder: Path) -> Path | None:
    """The latest complete checkpoint in ``folder``."""
    latest_first = sorted(folder.glob("checkpoint-*"), key=step_of, reverse=True)
    return next((checkpoint for checkpoint in latest_first if is_complete(checkpoint)), None)


def drop_incomplete(folder: Path) -> list[str]:
    """Delete the checkpoints that a kill left half-written; returns their names."""
    broken = [checkpoint for checkpoint in sorted(folder.glob("checkpoint-*")) if not is_complete(checkpoint)]
    for checkpoint in broken:
        shutil.rmtree(checkpoint)
    return [checkpoint.name for checkpoint in broken]
