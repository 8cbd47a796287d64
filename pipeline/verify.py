"""Check that every object in DVC's cache and in ``remote/`` is what its name says: ``make verify``.

DVC names an object by the MD5 of its content, and trusts the name of what is in its cache already. A disk that loses a
bit goes unnoticed until somebody compares.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm.auto import tqdm

from cancertype.errors import InputError
from cancertype.files import digest
from pipeline.params import run

PLACES = (Path(".dvc/cache"), Path("remote"))
_OBJECT = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}(\.dir)?")


def objects(store: Path) -> Iterator[Path]:
    """The objects of a DVC cache or of a remote in a folder."""
    root = store / "files" / "md5"
    for path in sorted(root.rglob("*")):
        if path.is_file() and _OBJECT.fullmatch(path.relative_to(root).as_posix()):
            yield path


def damaged(store: Path) -> list[Path]:
    """The objects of ``store`` whose content is not what their name says."""
    found = list(objects(store))
    bar = tqdm(found, desc=f"verifying {store}", unit="object", leave=False, disable=not sys.stderr.isatty())
    return [path for path in bar if digest(path, "md5") != (path.parent.name + path.name.removesuffix(".dir"))]


def main() -> None:
    """Verify ``PLACES``. Raises ``InputError`` that names each damaged object and what to do."""
    problems = []
    for store in PLACES:
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
    run(main)
