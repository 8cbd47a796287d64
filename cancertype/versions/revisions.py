"""The text dataset of a git revision. Only the command line uses it: no other module of the library knows DVC."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..cohort.splits import SPLITS
from ..errors import InputError

DATASET = "data/text"


def text_dataset(revision: str | None, repository: str = ".") -> dict[str, pa.Table]:
    """Split to table, as of ``revision``; None is the working tree.

    ``repository``: a folder in a clone, or for a revision also an address that git can clone. Raises InputError when
    the revision is unknown, or when its dataset is neither in DVC's cache nor in the remote.
    """
    if revision is None:
        return _of_folder(Path(repository) / DATASET)
    # DVC takes seconds to import.
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from dvc.scm import RevError, SCMError
    from dvc_data.index import DataIndexError

    try:
        fs = DVCFileSystem(repository, rev=revision)
        if not fs.isdir(DATASET):
            raise InputError(
                f"{DATASET} is not in revision {revision} of {repository}: name one at which the stage to_text had run"
            )
        files = _splits(fs.ls(DATASET, detail=False))
        return {split: _table(fs.read_bytes(path), f"{path} of {revision}") for split, path in files.items()}
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
            "cache or in the default remote. Run `dvc push` where it was made. A remote that travels inside the "
            "repository is reached from a clone of it, not by address"
        ) from error


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
    """Split to file. Other files there (views of training cases, the grid to test on) contain no cases of their own."""
    files = {Path(path).name: path for path in paths}
    return {split: files[f"{split}.parquet"] for split in sorted(SPLITS) if f"{split}.parquet" in files}
