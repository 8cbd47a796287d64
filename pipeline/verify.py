"""Check that every object in DVC's cache and in ``remote/`` is what its name says: ``make verify``.

DVC names an object by the MD5 of its content, and trusts the name of what is in its cache already. A disk that loses a
bit goes unnoticed until somebody compares. On a full disk DVC writes ``dvc.lock`` and exits with 0 although the output
never reached the cache, and the next run would make it, or train it, from nothing. ``--committed`` looks for that after
each run of the pipeline: it is quick, since it compares sizes only.
"""

import argparse
import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import yaml
from tqdm.auto import tqdm

from cancertype.errors import InputError
from cancertype.files import digest
from pipeline.params import run
from pipeline.revision import cache_folder

REMOTE = Path("remote")
_OBJECT = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}(\.dir)?")


def cache() -> Path:
    """The folder of DVC's cache: ``.dvc/cache``, unless the configuration names one on another disk."""
    objects_of = cache_folder()
    if objects_of is None:
        raise InputError("no DVC repository is here: run it in the root of one")
    folder = objects_of.parents[1]  # above files/md5
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def objects(store: Path) -> Iterator[Path]:
    """The objects of a DVC cache or of a remote in a folder."""
    root = store / "files" / "md5"
    for path in sorted(root.rglob("*")):
        if path.is_file() and _OBJECT.fullmatch(path.relative_to(root).as_posix()):
            yield path


def stored(store: Path, md5: str) -> Path:
    """Where ``store`` keeps the object that DVC calls ``md5``, whether it is there or not."""
    return store / "files" / "md5" / md5[:2] / md5[2:]


def damaged(store: Path) -> list[Path]:
    """The objects of ``store`` whose content is not what their name says."""
    found = list(objects(store))
    bar = tqdm(found, desc=f"verifying {store}", unit="object", leave=False, disable=not sys.stderr.isatty())
    return [path for path in bar if digest(path, "md5") != (path.parent.name + path.name.removesuffix(".dir"))]


def uncommitted(lock: Path, stages: Path, cache: Path) -> list[str]:
    """What ``lock`` says of the outputs that are kept in ``cache`` and is not there, or not whole: one line each."""
    kept = _kept(yaml.safe_load(stages.read_text(encoding="utf-8"))["stages"])
    locked = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
    outputs = [out for stage in locked.values() for out in stage.get("outs", []) if out["path"] in kept]
    return [f"{out['path']}: {fault}" for out in outputs if (fault := _fault(out, cache))]


def _kept(stages: dict) -> set[str]:
    """The outputs that DVC keeps in its cache: all but those with ``cache: false``."""
    entries = [
        entry for stage in stages.values() for kind in ("outs", "metrics", "plots") for entry in stage.get(kind, [])
    ]
    pairs = [next(iter(entry.items())) if isinstance(entry, dict) else (entry, {}) for entry in entries]
    return {path for path, options in pairs if (options or {}).get("cache", True)}


def _fault(out: dict, store: Path) -> str | None:
    """What is wrong with the cached object of an output, or with the files of its folder; None where nothing is."""
    path = stored(store, out["md5"])
    if not path.is_file():
        return "is not in the cache"
    if not out["md5"].endswith(".dir"):
        size, whole = path.stat().st_size, out.get("size")
        return None if whole in (None, size) else f"has {size:,} of {whole:,} bytes in the cache"
    try:
        files = [stored(store, entry["md5"]) for entry in json.loads(path.read_bytes())]
    except (ValueError, TypeError, KeyError):
        return "the list of its files is damaged in the cache"
    missing = sum(not file.is_file() for file in files)
    if missing:
        return f"{missing} of its {len(files)} files are not in the cache"
    size, whole = sum(file.stat().st_size for file in files), out.get("size")
    return None if whole in (None, size) else f"has {size:,} of {whole:,} bytes in the cache"


def check_commits() -> None:
    """Raise ``InputError`` that names each output of ``dvc.lock`` that is not whole in the cache, and what to do."""
    store = cache()
    problems = uncommitted(Path("dvc.lock"), Path("dvc.yaml"), store)
    if problems:
        existing = next(folder for folder in (store, *store.parents) if folder.is_dir())
        free = shutil.disk_usage(existing).free / 2**20
        raise InputError(
            "; ".join(problems)
            + f". {free:,.0f} MiB are free on the disk of {store}: make room, then run `dvc commit --force` while "
            "the outputs are still in the working tree, so that the next run does not make them again"
        )


def main(arguments: Sequence[str] = ()) -> None:
    """Verify cache and ``remote/``, or what ``arguments`` ask for. Raises ``InputError`` with faults and remedy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--committed", action="store_true", help="only: has all of dvc.lock reached the cache?")
    if parser.parse_args(arguments).committed:
        check_commits()
        return
    problems = []
    for store in (cache(), REMOTE):
        wrong = damaged(store)
        problems += [f"{path}: its content is not what its name says" for path in wrong]
        print(f"{store}: {sum(1 for _ in objects(store))} objects, {len(wrong)} damaged")
    if problems:
        raise InputError(
            "\n".join(problems)
            + "\nDelete these files. Then `dvc pull` gets them from a remote that has them; `git checkout remote`"
            " restores those that git tracks; `dvc repro` makes the rest again"
        )


if __name__ == "__main__":
    run(partial(main, sys.argv[1:]))
