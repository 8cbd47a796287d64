"""What a model was trained on, in a few words: folders that say the same of themselves are named once."""

from collections.abc import Mapping, Sequence

_TOLD_APART_BY = ("name", "release", "licence", "terms", "citation", "simulated")


def grouped(sources: Sequence[Mapping]) -> list[tuple[Mapping, int]]:
    """The records of ``sources`` that differ in what a reader is told (name, release, licence, terms, citation,
    simulated), each with the number of folders that it stands for, in the order of the first of each."""
    first: dict[tuple, Mapping] = {}
    folders: dict[tuple, int] = {}
    for source in sources:
        key = tuple(source.get(name) for name in _TOLD_APART_BY)
        first.setdefault(key, source)
        folders[key] = folders.get(key, 0) + 1
    return [(first[key], n) for key, n in folders.items()]


def name(source: Mapping, folders: int) -> str:
    """``tumours of patients, from the user (4 folders)``; the count only where there are several."""
    return source["name"] if folders == 1 else f"{source['name']} ({folders} folders)"


def names(sources: Sequence[Mapping]) -> list[str]:
    """The name of each group of ``sources``."""
    return [name(*group) for group in grouped(sources)]
