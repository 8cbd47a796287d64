"""The records that other stages leave for the cards."""

import json
from pathlib import Path
from typing import Any

from ..errors import InputError


def read(path: Path) -> Any:
    """The content of a JSON file that a stage wrote. Raises ``InputError`` where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run the stage that writes it") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable as JSON ({error}); run the stage that writes it again") from None
