"""Settings for tests. The typed models have no defaults of their own, so tests start from the quick preset's values."""

from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML

from cancertype.settings import Settings

PRESET = Path(__file__).parents[1] / "params" / "quickstart.yaml"
Section = TypeVar("Section", bound=Settings)


@cache
def _preset() -> Any:
    return YAML(typ="safe", pure=True).load(PRESET.read_text(encoding="utf-8"))


def default(section: str) -> dict[str, Any]:
    """The values of a section of ``params/quickstart.yaml`` by its dotted name: ``train``, ``data.simulated``."""
    values = _preset()
    for key in section.split("."):
        values = values[key]
    # The preset goes on from the released adapter, which fits no base but its own; tests train tiny random ones.
    return dict(values) | ({"continue_from": None, "loss": "completion"} if section == "train" else {})


def settings(model_class: type[Section], section: str, **changes: Any) -> Section:
    """The section's settings with some of them changed: ``settings(Train, "train", epochs=1.0)``."""
    return model_class(**default(section) | changes)
