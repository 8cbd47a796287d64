"""The base that an adapter was trained on: the repository's own if it is the same, else fetched once and kept."""

import json
from pathlib import Path

import platformdirs

from ..errors import InputError
from ..files import roots

_FETCHED_HERE = Path("models/base")


def base_of(adapter: Path) -> Path:
    """The base folder for the adapter in the folder ``adapter``, which its ``training.json`` names by id, revision and
    weight hashes.

    Looked for at ``models/base`` below the working directory and the repository; else fetched into the user's cache,
    which takes a minute the first time. Raises ``InputError`` for an adapter that names no base, a base that is a
    folder of another machine, and weights other than those it was trained on.
    """
    record = adapter / "training.json"
    try:
        wanted = json.loads(record.read_text(encoding="utf-8"))["base"]
    except (FileNotFoundError, ValueError, KeyError):
        raise InputError(f"{record}: missing, or it does not say which base the adapter was trained on") from None
    for root in roots():
        if _hashes(root / _FETCHED_HERE) == wanted["sha256"]:
            return root / _FETCHED_HERE
    name = f"{wanted['id'].replace('/', '--')}-{next(iter(wanted['sha256'].values()))[:12]}"
    kept = Path(platformdirs.user_cache_dir("cancertype")) / "base" / name
    if _hashes(kept) != wanted["sha256"]:
        # Loads what converts and downloads models, which an answer has no use for otherwise.
        from . import conversion

        # A base that is no Hub id has no revision to ask for; the hashes below hold it to the same weights.
        revision = wanted["revision"] if "/" in wanted["id"] else None
        conversion.fetch(wanted["id"], revision, kept)
    if _hashes(kept) != wanted["sha256"]:
        raise InputError(
            f"{kept}: the weights of {wanted['id']} are not those that {adapter} was trained on: train it again on "
            "this base, or put the right one at models/base"
        )
    return kept


def _hashes(base: Path) -> dict[str, str] | None:
    record = base / "base.json"
    return json.loads(record.read_text(encoding="utf-8")).get("sha256") if record.is_file() else None
