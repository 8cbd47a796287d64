"""Files and folders that are written whole or not at all, and their digests.

Whatever is being written has its final name with ``.part`` added. A kill can leave such a part behind. The next write
of the same file or folder removes it. Parts are created exclusively, so a link that somebody has put there is never
followed. Content reaches the disk before it gets its final name, so a power cut leaves either the old or the new.
"""

import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import platformdirs
from safetensors import SafetensorError

from .errors import InputError

_WORKING_FOLDER = -100
"""``AT_FDCWD`` of Linux: paths are relative to the working directory."""

_EXCHANGE = 2
"""``RENAME_EXCHANGE`` of Linux's renameat2."""


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Digest of a file's content, in hexadecimal; ``algorithm`` is one of ``hashlib``."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def remembered_digest(path: Path) -> str:
    """SHA-256 of a large file, computed once per state of the file.

    The digest is kept in the user's cache under the file's device, inode, size and times, so any write to the file
    makes it count as new. Where no cache can be written, the digest is computed each time.
    """
    state = Path(path).stat()
    key = repr((state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns))
    try:
        record = user_cache() / "digests" / hashlib.sha256(key.encode()).hexdigest()
    except InputError:
        return digest(path)
    with suppress(OSError, UnicodeDecodeError):
        known = record.read_text(encoding="ascii")
        if re.fullmatch("[0-9a-f]{64}", known):
            return known
    computed = digest(path)
    with suppress(OSError):
        write_text(record, computed)
    return computed


def user_cache() -> Path:
    """The user's folder for what can be made or fetched again. Raises ``InputError`` where there is no home folder."""
    folder = Path(platformdirs.user_cache_dir("cancertype"))
    # Without HOME and without an entry for the user, "~" stays as it is and would become a folder of that name.
    if not folder.is_absolute():
        raise InputError("there is no home folder to keep downloads in: set HOME or XDG_CACHE_HOME to a folder")
    return folder


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A new, empty file to write to. It replaces ``path`` when the block ends and vanishes when the block fails.

    Makes the folder of ``path`` if it is missing.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _part(path)
    _remove(part)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        with _full_disk_of(path):
            yield part
            _sync(part)
        os.replace(part, path)
        _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write the file whole or not at all, making its folder."""
    with whole_file(path) as part:
        part.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with the line ends of ``text``, whole or not at all, making the folder."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, content: Any, *, sort_keys: bool = False) -> None:
    """Write ``content`` as indented JSON, whole or not at all. Raises ``ValueError`` for NaN, which JSON lacks."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, sort_keys=sort_keys)
    write_text(path, text + "\n")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A new, empty folder to write into. It replaces ``out`` when the block ends and vanishes when the block fails."""
    out = Path(out)
    part, old = _part(out), _old(out)
    # On a system that cannot exchange two folders, a kill can leave the earlier folder under its spare name only.
    if old.exists() and not out.exists():
        os.replace(old, out)
    _remove(part)
    part.mkdir(parents=True)
    try:
        with _full_disk_of(out):
            yield part
        replace_folder(part, out)
    finally:
        _remove(part)


@contextmanager
def _full_disk_of(path: Path) -> Iterator[None]:
    """Make the error of a full disk name ``path``: a write names no file, and a copy names the file that it reads."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def replace_folder(new: Path, out: Path) -> None:
    """Put the finished folder ``new`` in the place of ``out`` and delete what was there.

    Linux exchanges the two in one step. Elsewhere ``out`` is missing for a moment, between two renames.
    """
    for path in [*new.rglob("*"), new]:
        if not path.is_symlink():
            _sync(path)
    if not os.path.lexists(out):
        os.replace(new, out)
    elif _exchange(new, out):
        _remove(new)
    else:
        old = _old(out)
        _remove(old)
        os.replace(out, old)
        os.replace(new, out)
        _remove(old)
    _sync(out.parent)


def remove_leftovers(out: Path) -> None:
    """Remove what a killed run has left beside ``out``: its part, and the hidden folders of earlier releases."""
    _remove(_part(out))
    for path in out.parent.glob(f".{out.name}-*"):
        if re.fullmatch(r"[a-z0-9_]{8}", path.name.removeprefix(f".{out.name}-")):
            _remove(path)


def check_room(needed: Mapping[Path, int], remedy: str) -> None:
    """Raise ``InputError`` unless every disk has room for the bytes that its folders need together.

    Args:
        needed: folder, which need not exist yet, to bytes.
        remedy: what to do when the room is short, for the message.
    """
    bytes_by_disk: dict[int, int] = {}
    folder_by_disk: dict[int, Path] = {}
    for folder, size in needed.items():
        existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())
        disk = existing.stat().st_dev
        bytes_by_disk[disk] = bytes_by_disk.get(disk, 0) + size
        folder_by_disk.setdefault(disk, existing)
    for disk, size in bytes_by_disk.items():
        free = shutil.disk_usage(folder_by_disk[disk]).free
        if free < size:
            folders = ", ".join(str(folder) for folder in needed)
            raise InputError(
                f"the disk of {folder_by_disk[disk]} has {free / 2**20:,.0f} MiB free, and {size / 2**20:,.0f} MiB are "
                f"needed ({folders}). {remedy}"
            )


@contextmanager
def explained_writes(folder: Path, afterwards: str = "then run it again") -> Iterator[None]:
    """Turn a failed write into an ``InputError`` that says where, why, how much room is left and what to do."""
    try:
        yield
    except Exception as error:
        # PyTorch reports a full disk as a RuntimeError, and tokenizers as a plain Exception.
        if not isinstance(error, OSError | SafetensorError | RuntimeError) and type(error) is not Exception:
            raise
        existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())
        free = shutil.disk_usage(existing).free / 2**20
        raise InputError(
            f"{folder}: writing failed ({error}); {free:,.0f} MiB are free there. Make room or move the folder to a "
            f"larger disk, {afterwards}"
        ) from error


def leads_elsewhere(path: Path) -> bool:
    """Whether ``path`` is a link, but not one into a store that names files by their hash, as DVC's and the Hub's
    caches do."""
    return path.is_symlink() and re.fullmatch(r"[0-9a-f]{30,64}", path.resolve().name) is None


def roots() -> tuple[Path, ...]:
    """Where the project's own folders are looked for: below the working directory, else in this package's
    repository."""
    return tuple(dict.fromkeys((Path.cwd(), Path(__file__).parents[1])))


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _old(path: Path) -> Path:
    return path.with_name(path.name + ".old.part")


def _remove(path: Path) -> None:
    """Delete a file, a link (not what it points to) or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Have the system write a file's or folder's content to the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the system or the file system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    return rename(_WORKING_FOLDER, os.fsencode(one), _WORKING_FOLDER, os.fsencode(other), _EXCHANGE) == 0
