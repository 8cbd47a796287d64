"""The house: each room of the library uses only the rooms before it."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[1] / "cancertype"
FIRST = ("errors", "files", "package_data", "settings")
"""Modules outside every room, which all rooms may use."""

ROOMS = (
    "labels",
    "tables",
    "alterations",
    "variants",
    "sources",
    "fetch",
    "simulator",
    "cohort",
    "assays",
    "features",
    "text",
    "language_model",
    "finetune",
    "scoring",
    "evaluation",
    "reports",
    "prediction",
    "publishing",
    "versions",
    "commands",
    "page",
)
"""In this order; the README's tree lists the same."""


def imported_rooms(module: Path) -> set[str]:
    """Rooms and top-level modules that ``module`` imports, wherever in it the import is."""
    package = module.relative_to(LIBRARY.parent).parent.parts
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            prefix = list(package[: len(package) - node.level + 1]) if node.level else []
            base = [*prefix, *(node.module or "").split(".")] if node.module else prefix
            paths = [[*base, alias.name] for alias in node.names]
        elif isinstance(node, ast.Import):
            paths = [alias.name.split(".") for alias in node.names]
        else:
            continue
        found |= {path[1] for path in paths if path[0] == "cancertype" and len(path) > 1}
    return found


def test_every_folder_of_the_library_is_a_room_in_the_list():
    folders = {path.parent.name for path in LIBRARY.glob("*/__init__.py")}
    assert folders == set(ROOMS)
    assert {path.stem for path in LIBRARY.glob("*.py")} == {*FIRST, "__init__"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_rooms_listed_before_it(room):
    allowed = {*FIRST, *ROOMS[: ROOMS.index(room) + 1]}
    wrong = {
        (module.name, other) for module in (LIBRARY / room).glob("*.py") for other in imported_rooms(module) - allowed
    }
    assert not wrong


def test_the_library_knows_neither_the_stages_nor_the_pipeline():
    text = "\n".join(path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.py"))
    assert "from pipeline" not in text and "from stages" not in text and "import pipeline" not in text
