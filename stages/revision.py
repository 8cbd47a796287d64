"""An adapter of another revision of this repository."""

import subprocess
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from cancertype.errors import InputError

SCRATCH = Path("scratch/continue_from")


def adapter_of(revision: str | None) -> Path | None:
    """The folder of ``models/adapter`` as of a git revision, fetched through DVC; None when ``revision`` is not one."""
    if revision is None or Path(revision).is_dir():
        return None
    found = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        return None
    folder = SCRATCH / found.stdout.strip()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = folder.with_name(folder.name + ".part")
        try:
            Repo.get(".", "models/adapter", out=str(beside), rev=revision, force=True)
        except DvcException as error:
            raise InputError(
                f"train.continue_from: revision {revision} has no adapter that DVC can fetch ({error}). "
                "Pull it first: git checkout REVISION -- dvc.lock && dvc pull models/adapter"
            ) from error
        beside.rename(folder)
    return folder
