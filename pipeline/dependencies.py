"""Write into dvc.yaml which of the repository's own files each stage depends on: ``make deps``.

A cheap stage depends on the whole rooms of the library that it uses, so that its list is short. A stage that trains,
scores or downloads (``EXACT``) depends on exactly the files that it imports or reads, so that nothing else makes it
run again.
"""

import ast
import re
import textwrap
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from cancertype.files import write_text

ROOT = Path(__file__).parents[1]
PACKAGES = ("cancertype", "pipeline", "stages")
FETCHING = ("fetch_depmap", "fetch_tcga", "fetch_cbioportal", "fetch_table")
EXACT = (*FETCHING, "tabular", "train_lora", "merge", "score", "evaluate")
HARMLESS = ("cancertype/__init__.py", "cancertype/errors.py")
"""Files that cannot change what a stage makes: names for a notebook, and what a failing stage says."""


def dependencies(stage: str) -> list[str]:
    """The local files and rooms that ``stage`` depends on, as sorted paths from the repository's root."""
    files = _used(ROOT / "stages" / f"{stage}.py")
    rooms: dict[Path, set[Path]] = {}
    for file in files:
        rooms.setdefault(file.parent, set()).add(file)
    listed: set[Path] = set()
    for room, used in rooms.items():
        is_room = room.parent == ROOT / "cancertype"
        whole = is_room and (stage not in EXACT or used >= _content(room))
        listed |= {room} if whole else used
    paths = {path.relative_to(ROOT).as_posix() for path in listed}
    return sorted(paths - set(HARMLESS))


def _used(script: Path) -> set[Path]:
    """Every module that ``script`` imports, directly or not, and the data files that these read."""
    modules: set[Path] = set()
    waiting = [script]
    while waiting:
        file = waiting.pop()
        if file not in modules:
            modules.add(file)
            waiting.extend(_imports(file))
    return {file for file in modules if _has_code(file)} | {data for file in modules for data in _data_of(file)}


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _has_code(module: Path) -> bool:
    """Whether there is more in it than a docstring, which cannot change anything."""
    return any(not isinstance(node, ast.Expr) for node in _tree(module).body)


def _imports(file: Path) -> set[Path]:
    """The repository's files that the imports in ``file`` run, wherever in it they are."""
    package = list(file.relative_to(ROOT).parent.parts)
    found: set[Path] = set()
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            names = [prefix, *(f"{prefix}.{alias.name}" for alias in node.names)]
        else:
            continue
        found.update(path for name in names for path in _module_files(name))
    return found


def _module_files(dotted: str) -> Iterable[Path]:
    """The files that ``import dotted`` runs: the module and every package above it, where they are the repository's."""
    if dotted.split(".")[0] not in PACKAGES:
        return
    at = ROOT
    for part in dotted.split("."):
        at = at / part
        for path in (at / "__init__.py", at.with_suffix(".py")):
            if path.exists():
                yield path


def _data_of(module: Path) -> set[Path]:
    """The library's data files whose room and name are strings in ``module``, as ``package_data`` wants them."""
    strings = {
        node.value for node in ast.walk(_tree(module)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {path for path in _data_files() if path.name in strings and path.parent.name in strings}


@cache
def _data_files() -> frozenset[Path]:
    files = (path for path in (ROOT / "cancertype").glob("*/*") if path.is_file())
    return frozenset(path for path in files if path.suffix != ".py")


def _content(room: Path) -> set[Path]:
    """The files of ``room`` that could change a result."""
    modules = {path for path in room.glob("*.py") if _has_code(path)}
    return modules | {path for path in _data_files() if path.parent == room}


def is_own_file(dependency: str) -> bool:
    """Whether an entry of a stage's ``deps`` is code or data of the repository rather than another stage's output."""
    return dependency.split("/")[0] in PACKAGES


def with_dependencies(text: str) -> str:
    """The text of dvc.yaml with the lists written anew; all else stays as it is."""
    for name, stage in YAML(typ="safe").load(text)["stages"].items():
        made = [entry for entry in stage["deps"] if not is_own_file(entry)]
        lines = textwrap.wrap(", ".join(sorted([*dependencies(name), *made])), 112, break_on_hyphens=False)
        written = "\n".join(f"      {line}" for line in lines)
        before = rf"^(  {name}:\n(?:    .*\n)*?    deps:) \[[^]]*\]"
        text, n = re.subn(before, rf"\1 [\n{written}\n    ]", text, flags=re.MULTILINE)
        assert n == 1, f"{name}: deps must be written as [a, b]"
    return text


def main() -> None:
    """Rewrite the lists in dvc.yaml."""
    path = ROOT / "dvc.yaml"
    write_text(path, with_dependencies(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
