"""What a published folder holds beside its weights, and where. Quick to load, for what needs no model."""

from pathlib import Path

import pydantic

from ..cohort.settings import Cohort
from ..errors import InputError
from ..evaluation.calibration import Calibration
from ..settings import Settings
from ..text.settings import Text

CONFIG = "prediction.json"
VOCABULARY = "vocabulary.parquet"
ASSOCIATIONS = "associations.parquet"
TREES = "trees"
ADAPTER = "adapter"


class Measured(Settings):
    """What was recognised of the test cases as one ``row`` of the grid of assays shows them (``msk-impact-468+arms``).

    ``final`` and ``trees`` map a label to its n, recall and precision, where both models answer and where the trees
    answer alone.
    """

    row: str
    final: dict[str, dict]
    trees: dict[str, dict] = pydantic.Field(default_factory=dict)


class KnownShare(Settings):
    """The ``least`` share of a training case's mutations that are in genes that the vocabulary knows, among cases with
    at least ``mutations``."""

    mutations: int
    least: float


class Range(Settings):
    """The training cases, and views of them, seen through one kind of assay: the number of ``cases``, their greatest
    ``burden`` (mutations), the greatest share of ``indels`` through any assay (None where too few cases give DNA
    alleles), and ``known``, by increasing number of mutations. All but 0.1% of the cases are within each limit."""

    cases: int
    burden: int
    indels: float | None
    known: list[KnownShare] = pydantic.Field(default_factory=list)


class PredictionConfig(Settings):
    """All that a prediction needs beside weights, vocabulary and trees.

    ``cohort`` holds the limits against inherited variants with which the training cases were read. ``performance`` maps
    a label to its measured precision, recall and n on the test cases as they are, ``performance_of_trees`` to those of
    the trees where they answer alone, and ``measured`` has both for each row of the grid of assays (models published
    before lack the two). ``ranges`` maps a kind of assay to what the training cases seen through it are like (models
    published before lack it). ``headline`` holds the figures of the test split, as in metrics/eval.json. ``sources``
    are the records of the training data.
    """

    cohort: Cohort
    text: Text
    orders: int
    batch_size: int
    calibration: Calibration
    performance: dict[str, dict]
    headline: dict
    sources: list[dict]
    performance_of_trees: dict[str, dict] = pydantic.Field(default_factory=dict)
    measured: list[Measured] = pydantic.Field(default_factory=list)
    ranges: dict[str, Range] = pydantic.Field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether every training case was simulated. Nothing is then known about real tumours."""
        return all(source.get("simulated") for source in self.sources)

    @classmethod
    def load(cls, folder: Path) -> "PredictionConfig":
        """Read ``prediction.json``. Raises ``InputError`` when it is missing, damaged or of another version."""
        path = folder / CONFIG
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(
                f"{path}: no such file, so this folder holds no published model. Run the stage publish"
            ) from None
        except UnicodeDecodeError:
            raise InputError(f"{path}: damaged, because it is not UTF-8 text: get the model again") from None
        except pydantic.ValidationError as error:
            problem = error.errors()[0]
            key = ".".join(map(str, problem["loc"]))
            where = f" (key {key})" if key else ""
            raise InputError(
                f"{path}: damaged, or written by another version of cancertype: {problem['msg']}{where}. Use the "
                "version that published the model, or get the model again"
            ) from None
