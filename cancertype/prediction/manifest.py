"""The manifest of a published model: the SHA-256 of every file, compared before any of them is parsed.

A damaged tree file can abort or hang LightGBM, and a few damaged bytes of weights change answers without an error. So
nothing of a folder is parsed until its bytes are known to be those that were published.
"""

import json
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs

from ..errors import InputError
from ..files import digest, roots, write_json

MANIFEST = "manifest.json"
CARD = "README.md"
MODEL_FILE = re.compile(
    r"(generation_)?config\.json|tokenizer(_config)?\.json|tokenizer\.model|(special_tokens_map|added_tokens|vocab)\.json"
    r"|merges\.txt|chat_template\.(jinja|json)|model[\w-]*\.safetensors(\.index\.json)?"
)
"""Names of the files that transformers reads from a model folder."""

_OUR_FILES = re.compile(
    r"prediction\.json|(vocabulary|associations)\.parquet|base\.json|answers\.json|(trees|adapter)/.*"
)
_LARGE = 64 << 20
"""Files from this size on are hashed once per state (size and times), all others on every load."""
_OWN_RUN = "models/published"


class Notice(UserWarning):
    """Something that a user should know and that stops nothing."""


def write(folder: Path) -> None:
    """Write the manifest of ``folder`` as it is now."""
    folder = Path(folder)
    files = {name: {"bytes": path.stat().st_size, "sha256": digest(path)} for name, path in _files(folder)}
    write_json(folder / MANIFEST, {"format": 1, "files": files})


def check(folder: Path, *, card: bool = False) -> None:
    """Raise ``InputError`` unless every file of the published ``folder`` is as its manifest says.

    ``card`` compares README.md too: predictions never read it, and people edit it. A file without an entry is refused
    if loading the model could read it. The pipeline's own ``models/published`` may lack a manifest, with a warning.
    """
    folder = Path(folder)
    listed = _listed(folder)
    if listed is None:
        return
    present = dict(_files(folder))
    if not card:
        listed.pop(CARD, None)
        present.pop(CARD, None)
    if missing := sorted(set(listed) - set(present)):
        raise InputError(f"{folder}: {missing[0]} is missing, though {MANIFEST} lists it: {_REMEDY}")
    for name, path in present.items():
        if name in listed:
            _check_file(path, listed[name])
        elif MODEL_FILE.fullmatch(name) or _OUR_FILES.fullmatch(name):
            raise InputError(f"{path}: is not in {MANIFEST}, so it does not belong to the published model: remove it")


def check_weights(folder: Path, sha256: Mapping[str, str]) -> None:
    """Raise ``InputError`` unless the weight files of a base ``folder`` have the digests in ``sha256`` (by name)."""
    for path in sorted(Path(folder).glob("*.safetensors")):
        wanted = sha256.get(path.name)
        if wanted is not None and _digest(path) != wanted:
            raise InputError(
                f"{path}: its content is not what was downloaded (SHA-256 differs): delete the folder {folder}, and "
                "the next run fetches it again"
            )


_REMEDY = "copy or download the model again (`git checkout released`, or `dvc repro publish`)"


def _listed(folder: Path) -> dict[str, str] | None:
    """Name to SHA-256; None for the pipeline's own folder of an older run."""
    path = folder / MANIFEST
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        listed = {str(name): str(entry["sha256"]) for name, entry in files.items()}
    except FileNotFoundError:
        if _is_own_run(folder):
            warnings.warn(
                f"{folder} has no {MANIFEST}, so damage to its files would go unnoticed: run `dvc repro publish`",
                Notice,
                stacklevel=3,
            )
            return None
        raise InputError(
            f"{path}: no such file, so damage to the model could not be noticed. Models published before manifests "
            f"existed lack it. If you trust this folder, run `cancertype manifest {folder}`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{path}: damaged, so the model's files cannot be checked: {_REMEDY}") from None
    return listed


def _is_own_run(folder: Path) -> bool:
    return any(folder.resolve() == (root / _OWN_RUN).resolve() for root in roots())


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The folder's files by their relative names, without the manifest and hidden ones (git's, the Hub client's)."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if path.is_file() and not hidden and relative.as_posix() != MANIFEST:
            yield relative.as_posix(), path


def _check_file(path: Path, sha256: str) -> None:
    if _digest(path) != sha256:
        raise InputError(f"{path}: damaged or edited, because its SHA-256 is not the one in {MANIFEST}: {_REMEDY}")


# --- Large files are hashed once per state ---


def _digest(path: Path) -> str:
    status = path.stat()
    if status.st_size < _LARGE:
        return digest(path)
    key, state = str(path.resolve()), [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    known = _known()
    entry = known.get(key)
    if isinstance(entry, dict) and entry.get("state") == state and isinstance(entry.get("sha256"), str):
        return entry["sha256"]
    sha256 = digest(path)
    _remember(
        {name: entry for name, entry in known.items() if os.path.exists(name)}
        | {key: {"state": state, "sha256": sha256}}
    )
    return sha256


def _cache() -> Path | None:
    """Where digests of large files are kept; None where this user has no home folder."""
    folder = Path(platformdirs.user_cache_dir("cancertype"))
    return folder / "digests.json" if folder.is_absolute() else None


def _known() -> dict:
    try:
        known = json.loads(_cache().read_text(encoding="utf-8"))
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(known: dict) -> None:
    """Losing this file costs seconds, so a folder that cannot be written is no error."""
    try:
        if path := _cache():
            write_json(path, known)
    except OSError:
        pass
