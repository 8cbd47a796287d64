"""Files that are there whole or not at all, and their digests."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Digest of a file's content, in hexadecimal; ``algorithm`` is one of ``hashlib``."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def write_bytes(path: Path, content: bytes) -> None:
    """Write the file whole or not at all, making its folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with the line ends of ``text``, whole or not at all, making the folder."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, content: Any, *, sort_keys: bool = False) -> None:
    """Write ``content`` for people and machines, whole or not at all. Raises ``ValueError`` for NaN, which is no
    JSON."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, sort_keys=sort_keys)
    write_text(path, text + "\n")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder to write into: it takes the place of ``out`` when all is written and vanishes when anything fails."""
    out = Path(out)
    beside = out.with_name(out.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        replace_folder(beside, out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def replace_folder(beside: Path, out: Path) -> None:
    """Put the finished folder ``beside`` in the place of ``out``: a folder cannot be renamed over one that has
    files."""
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        os.replace(out, old)
    os.replace(beside, out)
    shutil.rmtree(old, ignore_errors=True)


def roots() -> tuple[Path, ...]:
    """Where the project's own folders are looked for: below the working directory, else in this package's
    repository."""
    return tuple(dict.fromkeys((Path.cwd(), Path(__file__).parents[1])))
