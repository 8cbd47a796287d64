"""Tag the released versions of versions.csv in git: ``make tags``.

Tags do not always travel with a branch, but `dvc get --rev`, `dvc artifacts get` and the Hub ask for them by name.
Each version gets its own name, and one tag for each artifact in the form that DVC wants (``adapter@v1.0.0``).
"""

import subprocess

from cancertype.errors import InputError
from cancertype.versions.released import versions
from pipeline.params import run

ARTIFACTS = ("text-dataset", "adapter")


def main() -> None:
    there = set(_git("tag", "--list").split())
    for version in versions().values():
        for name in (version.name, *(f"{artifact}@{version.name}" for artifact in ARTIFACTS)):
            if name in there:
                print(f"{name}: is there already")
                continue
            _git("tag", "-a", "-m", version.about, name, version.commit)
            print(f"{name}: {version.commit[:12]} ({version.about})")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise InputError(
            f"git {' '.join(arguments)}: {done.stderr.strip()}. A clone that is not shallow has every commit of "
            "versions.csv: git fetch --unshallow"
        )
    return done.stdout


if __name__ == "__main__":
    run(main)
