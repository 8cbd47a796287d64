"""Which of the repository's own files a script depends on: the modules that it imports, and the data they read."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "cancertype" / "reference"


def _module_files(dotted: str) -> list[Path]:
    """The files that ``import dotted`` runs: the module and every package above it, as far as they are ours."""
    files, at = [], ROOT
    for part in dotted.split("."):
        at = at / part
        if (at / "__init__.py").exists():
            files.append(at / "__init__.py")
        elif at.with_suffix(".py").exists():
            files.append(at.with_suffix(".py"))
    return files


def _imported(file: Path) -> set[Path]:
    """The files of the repository that the imports in ``file`` run, at whatever depth in its functions they stand."""
    package = ".".join(file.relative_to(ROOT).parent.parts)
    found: set[Path] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            names = [prefix, *(f"{prefix}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.split(".")[0] in ("cancertype", "stages"):
                found.update(_module_files(name))
    return found


def _data_read(file: Path) -> set[Path]:
    """Files of ``cancertype/reference`` whose names stand as strings in ``file``."""
    strings = {
        node.value
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {path for path in REFERENCE.iterdir() if path.name in strings and path.suffix != ".py"}


def dependencies(script: Path) -> list[str]:
    """Every local file that ``script`` depends on, itself included, as sorted paths from the repository's root."""
    modules, waiting = set(), [script]
    while waiting:
        file = waiting.pop()
        if file not in modules:
            modules.add(file)
            waiting.extend(_imported(file))
    used = modules | {data for file in modules for data in _data_read(file)}
    # An empty __init__.py cannot change anything; one with code in it can.
    return sorted(str(f.relative_to(ROOT)) for f in used if f.stat().st_size > 0)
