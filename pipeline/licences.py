"""Write the licences of everything that is imported at run time to docs/licences.md: ``python -m pipeline.licences``.

The packages of requirements.txt and all that they require, as far as they are installed. The licences are those that
the packages' own metadata state. Versions are those of requirements.txt and not repeated.
"""

import re
from importlib import metadata
from pathlib import Path

from cancertype.files import write_text
from pipeline.dependencies import ROOT

PAGE = ROOT / "docs" / "licences.md"
HEAD = """# Licences of what is imported at run time

Written by `python -m pipeline.licences` from the metadata of the installed packages: those of requirements.txt (in
bold) and all that they require. cancertype itself is under the Apache License 2.0. The terms of the data and of the
base model are in the model card.

| Package | Licence |
|---|---|
"""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OF_AN_EXTRA = re.compile(r";.*\bextra\s*==")
_LONGEST = 60
UNSTATED = "not stated"


def plain(name: str) -> str:
    """A package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct(requirements: str) -> list[str]:
    """The names of the packages that a requirements file lists."""
    lines = (line.partition("#")[0].strip() for line in requirements.splitlines())
    return [plain(_NAME.match(line)[0]) for line in lines if line and not line.startswith("-")]


def licence(package: metadata.PackageMetadata) -> str:
    """What a package states: an SPDX expression, else a short free text, else its classifiers, else the first line of a
    long text."""
    if expression := package.get("License-Expression"):
        return expression
    lines = [line.strip() for line in (package.get("License") or "").splitlines() if line.strip()]
    if len(lines) == 1 and len(lines[0]) <= _LONGEST and lines[0] != "UNKNOWN":
        return lines[0]
    classifiers = [text for text in package.get_all("Classifier") or [] if text.startswith("License ::")]
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.count(" :: ") > 1]
    if named:
        return ", ".join(sorted(named))
    return lines[0][:_LONGEST] if lines and lines[0] != "UNKNOWN" else UNSTATED


def of_all(names: list[str]) -> dict[str, str]:
    """The licence of each installed package among ``names`` and all that they require, in order of their names."""
    found: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # needed on another system or version of Python
            continue
        found[name] = licence(package.metadata)
        waiting += [plain(_NAME.match(each)[0]) for each in package.requires or [] if not _OF_AN_EXTRA.search(each)]
    return dict(sorted(found.items()))


def page() -> str:
    """The text of docs/licences.md."""
    named = direct((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    rows = (
        f"| {f'**{name}**' if name in named else name} | {text.replace('|', '/')} |\n"
        for name, text in of_all(named).items()
    )
    return HEAD + "".join(rows)


def main() -> None:
    """Write the page."""
    write_text(PAGE, page())
    print(f"wrote {PAGE.relative_to(Path(ROOT))}")


if __name__ == "__main__":
    main()
