"""The text dataset of a git revision. Only the command line uses it: no other module of the library knows DVC."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..cohort.splits import SPLITS
from ..errors import InputError
from .dataset_diff import SEEN_AGAIN
from .released import revision_of

DATASET = "data/text"
_EARLIER_NAMES = {"augmented": "views"}
"""Files of views under the names that they had in earlier versions."""


def text_dataset(revision: str | None, repository: str = ".", remote: str | None = None) -> dict[str, pa.Table]:
    """Split to table, as of ``revision``; None is the working tree. Views and the grid are there as splits of their
    own (``dataset_diff.SEEN_AGAIN``).

    ``revision``: what git knows, or a name in versions.csv. ``repository``: a folder in a clone, or for a revision also
    an address that git can clone. ``remote``: the name of a DVC remote, or an address or a folder that is one; by
    default the default remote of the folder as it is checked out, since a remote may be younger than ``revision``.
    Raises InputError when the revision is unknown, or when its dataset is neither in DVC's cache nor in the remote.
    """
    if revision is None:
        return _of_folder(Path(repository) / DATASET)
    # DVC takes seconds to import.
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from dvc.scm import RevError, SCMError
    from dvc_data.index import DataIndexError

    try:
        fs = DVCFileSystem(repository, rev=revision_of(revision, repository), **_remote(remote, repository))
        if not fs.isdir(DATASET):
            raise InputError(
                f"{DATASET} is not in revision {revision} of {repository}: name one at which the stage to_text had run"
            )
        files = _splits(fs.ls(DATASET, detail=False))
        return {split: _table(_exact(fs, path, revision), f"{path} of {revision}") for split, path in files.items()}
    except RevError as error:
        raise InputError(
            f"revision {revision} is not in {repository}: `git log --all` and `git tag` list those that are, and "
            "`git fetch` gets new ones"
        ) from error
    except SCMError as error:
        raise InputError(
            f"{repository} is no git repository that can be read ({error}): name a folder of one, or its address"
        ) from error
    except (DvcException, DataIndexError, OSError) as error:
        raise InputError(
            f"the dataset of revision {revision} cannot be fetched from {repository} ({error}): it must be in DVC's "
            "cache or in a remote. Name another one with --remote, or run `dvc push` where it was made. A remote that "
            "travels inside the repository is reached from a clone of it, not by address"
        ) from error


def _exact(fs: Any, path: str, revision: str) -> bytes:
    """The content of a file of a ``DVCFileSystem``. DVC does not compare what it streams with the file's hash."""
    content, md5 = fs.read_bytes(path), fs.info(path).get("md5")
    if md5 is not None and hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise InputError(
            f"{path} of {revision} is damaged: its MD5 is not {md5}. `make verify` finds damaged objects in DVC's "
            "cache and in remote/, and says how to replace them"
        )
    return content


def _remote(name: str | None, repository: str) -> dict[str, Any]:
    """Arguments of DVC for the remote ``name``. DVC reads an old revision with the configuration of that revision."""
    known, default = {}, None
    if Path(repository).is_dir():
        from dvc.exceptions import NotDvcRepoError
        from dvc.repo import Repo

        try:
            with Repo(repository) as repo:
                known, default = repo.config["remote"], repo.config["core"].get("remote")
        except NotDvcRepoError:
            return {}
    name = name or default
    if name is None:
        return {}
    if name in known:
        return {"remote": name, "remote_config": {**known[name]}}
    if "://" not in name and not Path(name).is_dir():
        return {"remote": name}
    url = name if "://" in name else str(Path(name).resolve())
    # As in .dvc/config: DVC compares what it fetches with its hash only where it is told to.
    return {"remote": "given", "remote_config": {"url": url, "verify": True}}


def _of_folder(folder: Path) -> dict[str, pa.Table]:
    files = _splits(map(str, folder.glob("*")))
    if not files:
        raise InputError(f"{folder} holds no dataset: run `dvc repro to_text` or `dvc pull {DATASET}` there")
    return {split: _table(Path(path).read_bytes(), path) for split, path in files.items()}


def _table(content: bytes, name: str) -> pa.Table:
    try:
        return pq.read_table(pa.BufferReader(content))
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{name} is damaged ({reason}): run `dvc repro to_text` or `dvc pull {DATASET}`") from None


def _splits(paths: Iterable[str]) -> dict[str, str]:
    """Split to file; the files in which cases are seen again have names of their own."""
    stems = {Path(path).stem: path for path in paths if Path(path).suffix == ".parquet"}
    files = {_EARLIER_NAMES.get(stem, stem): path for stem, path in stems.items()}
    return {name: files[name] for name in (*sorted(SPLITS), *SEEN_AGAIN) if name in files}
