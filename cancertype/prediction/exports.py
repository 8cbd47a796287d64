"""Exports of published language models: each made once per machine, kept in the user's cache, and used from there.

An export is what answers in seconds on a CPU (``scoring.exported``). It holds nothing that the published model does not
say, so it is no output of the pipeline: every machine makes its own from the weights that it has.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import InputError
from ..files import user_cache
from . import manifest

RUNTIME = "CANCERTYPE_RUNTIME"
"""The environment variable that chooses what computes the language model: ``onnx``, ``torch``, or ``auto``: ONNX
Runtime, but PyTorch on a machine with a GPU."""

KEPT = 2
"""Exports that stay in the cache, a gigabyte each: those used last."""

_FORMAT = 2
_OF_THE_MODEL = re.compile(r"adapter/.*|model[\w-]*\.safetensors|config\.json|tokenizer\.json")
_GPU_DEVICES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def wanted() -> bool:
    """Whether ONNX Runtime is to compute the language model here. Raises ``InputError`` for an unknown ``RUNTIME``."""
    chosen = os.environ.get(RUNTIME, "auto")
    if chosen not in ("auto", "onnx", "torch"):
        raise InputError(f"{RUNTIME} is {chosen!r}: set it to auto, onnx or torch")
    # PyTorch would say for certain, but takes two seconds to import.
    with_gpu = platform.system() == "Darwin" or any(map(os.path.exists, _GPU_DEVICES))
    return chosen == "onnx" or (chosen == "auto" and not with_gpu)


def folder_of(published: Path, make: Callable[[Path], bool]) -> Path | None:
    """The exported folder of the model in ``published``, made by ``make`` where the cache has none, or a damaged one.

    ``make`` writes the folder that it is given, and returns False where the model cannot be exported; the answer is
    then None. So it is for a folder without a manifest, whose weights nobody can tell from others, and where the cache
    cannot be written."""
    key = _key(published)
    if key is None:
        return None
    folder = user_cache() / "exported" / key
    if not _whole(folder):
        print("Preparing the language model for this machine: a minute, once.", file=sys.stderr)
        try:
            if not make(folder):
                return None
            manifest.write(folder)
        except OSError as error:
            print(f"It cannot be kept ({error}), so every answer takes some seconds more.", file=sys.stderr)
            return None
        _forget_old(folder.parent)
    os.utime(folder)
    return folder


def _key(published: Path) -> str | None:
    """A name for what the published model's answers depend on, from the digests of its manifest."""
    try:
        files = json.loads((published / manifest.MANIFEST).read_text(encoding="utf-8"))["files"]
    except FileNotFoundError:
        return None
    parts = {name: entry["sha256"] for name, entry in files.items() if _OF_THE_MODEL.fullmatch(name)}
    return hashlib.sha256(json.dumps([_FORMAT, parts], sort_keys=True).encode("utf-8")).hexdigest()[:24]


def _whole(folder: Path) -> bool:
    try:
        manifest.check(folder)
    except InputError:
        return False
    return True


def _forget_old(exports: Path) -> None:
    """Delete all exports but the ``KEPT`` used last. A process that still reads one keeps it until it ends."""
    there = sorted((path for path in exports.iterdir() if path.is_dir()), key=lambda path: -path.stat().st_mtime)
    for folder in there[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
