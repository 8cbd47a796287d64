"""What a published folder holds beside weights, and where: light to load, for what needs no model."""

from pathlib import Path

import pydantic

from ..cohort.settings import Cohort
from ..errors import InputError
from ..evaluation.calibration import Calibration
from ..settings import Settings
from ..text.settings import Text

CONFIG = "prediction.json"
VOCABULARY = "vocabulary.parquet"
TREES = "trees"
ADAPTER = "adapter"


class PredictionConfig(Settings):
    """All that a prediction needs beside weights, vocabulary and trees.

    ``cohort`` gives the limits against inherited variants by which the training cases were read. ``performance`` maps a
    label to its measured precision, recall and n; ``sources`` are the records of the training data."""

    cohort: Cohort
    text: Text
    orders: int
    batch_size: int
    calibration: Calibration
    performance: dict[str, dict]
    headline: dict
    sources: list[dict]

    @property
    def simulated(self) -> bool:
        """Whether every training case was simulated, so that nothing is said about real tumours."""
        return all(source.get("simulated") for source in self.sources)

    @classmethod
    def load(cls, folder: Path) -> "PredictionConfig":
        """Read ``prediction.json``; raises ``InputError`` when it is missing or not of this form."""
        path = folder / CONFIG
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(
                f"{path}: no such file, so this folder holds no published model. Run the stage publish"
            ) from None
        except pydantic.ValidationError as error:
            raise InputError(f"{path}: not a prediction config of this version: {error.errors()[0]['msg']}") from None
