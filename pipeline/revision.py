"""Revisions of this repository: which one runs, and the adapter of another."""

import re
import subprocess
from pathlib import Path

from cancertype.errors import InputError
from cancertype.files import digest, whole_folder

ADAPTER = Path("models/adapter")
SCRATCH = Path("scratch/continue_from")


def _git(*arguments: str) -> str | None:
    """What git answers; None outside a repository, without git, or for a revision that does not exist."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def code_version() -> str:
    """The commit that runs, marked when files differ from it."""
    return _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*") or "unknown (not a git checkout)"


def released_here() -> list[str]:
    """The released versions that this commit is: git's tags of the form v1.2.3 (versions.csv, `make tags`)."""
    tags = (_git("tag", "--points-at", "HEAD") or "").split()
    return sorted(tag for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag))


def adapter_of(revision: str | None) -> Path | None:
    """The folder of ``models/adapter`` as of a git revision, fetched through DVC; None when ``revision`` is not one."""
    # An argument of git that begins with a dash is an option.
    if revision is None or Path(revision).is_dir() or revision.startswith("-"):
        return None
    commit = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        return None
    folder = SCRATCH / commit
    if not (folder / ADAPTER.name).is_dir():
        _fetch(revision, folder)
    return folder / ADAPTER.name


def _fetch(revision: str, folder: Path) -> None:
    # DVC takes seconds to import, and few runs continue from a revision.
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc_data.index import DataIndexDirError

    try:
        # DVC puts what it gets into a folder that is there.
        with Repo() as repo:
            name = repo.config["core"].get("remote")
            config = repo.config["remote"].get(name)
        with whole_folder(folder) as part:
            # A team's remote may be younger than the revision, whose own configuration then does not name it.
            Repo.get(".", ADAPTER.as_posix(), out=str(part), rev=revision, remote=name, remote_config=config)
            _check(part / ADAPTER.name, revision)
    except (DvcException, DataIndexDirError) as error:
        raise InputError(
            f"train.continue_from: DVC cannot fetch the adapter of revision {revision} ({error}). It must be in the "
            "cache or in a remote: run `dvc fetch` at that revision, or `dvc push` where it was trained"
        ) from error


def _check(folder: Path, revision: str) -> None:
    """Raise ``InputError`` where a file of the adapter in ``folder`` is not that of ``revision``.

    ``dvc get`` compares nothing with its hash, and damaged weights would be trained further unnoticed.
    """
    from dvc.api import DVCFileSystem

    files = DVCFileSystem(".", rev=revision)
    for path in sorted(folder.iterdir()):
        name = (ADAPTER / path.name).as_posix()
        if digest(path, "md5") != files.info(name)["md5"]:
            raise InputError(
                f"train.continue_from: {name} of revision {revision} is damaged. `make verify` finds damaged objects "
                "in DVC's cache and in remote/, and says how to replace them"
            )


def cache_folder() -> Path | None:
    """The folder of DVC's cache, which keeps a copy of every adapter; None outside a DVC repository."""
    if not Path(".dvc").is_dir():
        return None
    from dvc.repo import Repo

    with Repo() as repo:
        return Path(repo.cache.local.path)
