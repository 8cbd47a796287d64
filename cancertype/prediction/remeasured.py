"""A model's figures on its test split, measured again from the data that it was made of."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..cohort import assembly
from ..cohort.views import variants_of
from ..errors import InputError
from ..evaluation import metrics
from ..fetch import releases
from ..fetch.settings import DepMap, Tcga
from ..sources import raw
from ..variants.cases import SourceTables
from .predictor import Predictor

FIGURES = ("accuracy", "macro_f1", "top3", "log_loss", "ece")
TOLERANCE = 0.005
"""How far a figure may be from the one of the release: other processors turn a few answers in a thousand."""

_NO_RELEASE = "the user's"


@dataclass(frozen=True)
class Figure:
    """A figure of the final model on the test split: where it was released, and here."""

    name: str
    stored: float
    here: float


@dataclass(frozen=True)
class Remeasured:
    """The number of test cases where the model was released (``stored_n``) and here (``n``), and the ``figures``."""

    stored_n: int
    n: int
    figures: tuple[Figure, ...]

    @property
    def agrees(self) -> bool:
        """Whether it is the same test split with the same figures."""
        return self.n == self.stored_n and all(abs(f.here - f.stored) <= TOLERANCE for f in self.figures)


def remeasured(predictor: Predictor, locations: Mapping[str, Sequence[str]], *, progress: bool) -> Remeasured:
    """Make the model's cohort from ``locations`` ("tcga" and "depmap" to what ``data.tcga.location`` and
    ``data.depmap.location`` would be), answer its test split, and measure that.

    Raises ``InputError`` where a location cannot be read, where the cohort has no test case, and for a model that was
    published without figures."""
    stored = predictor.config.headline.get("blend")
    if not stored:
        raise InputError("the model was published without figures of both models together: nothing to compare with")
    tables, labels = _test_split(predictor, locations)
    p = predictor.predict(tables, progress=progress).p
    y = metrics.encode(labels)
    found = metrics.figures(y, p, np.zeros((0, len(y))))
    figures = tuple(Figure(name, float(stored[name]), found[name]["value"]) for name in FIGURES if name in stored)
    return Remeasured(int(predictor.config.headline["n"]), len(y), figures)


def _test_split(predictor: Predictor, locations: Mapping[str, Sequence[str]]) -> tuple[SourceTables, list[str]]:
    rules = predictor.config.cohort
    with tempfile.TemporaryDirectory() as name:
        folder, scratch = Path(name) / "raw", Path(name) / "scratch"
        if given := list(locations.get("tcga", ())):
            releases.fetch_tcga(Tcga(location=given), folder / "tcga" / "release", scratch)
        if given := list(locations.get("depmap", ())):
            releases.fetch_depmap(DepMap(release=_NO_RELEASE, location=given), folder / "depmap" / "release", scratch)
        cohort = assembly.assemble(raw.read(folder, rules), rules)
    of_test = np.array(cohort.cases["split"].to_pylist()) == "test"
    if not of_test.any():
        raise InputError("the data given hold no case of the test split: give all locations that the model was made of")
    cases = cohort.cases.filter(pa.array(of_test)).drop_columns("split")
    variants = variants_of(cohort.variants, cases["case_id"].to_pylist())
    tables = SourceTables(cases, variants, panels=cohort.panels, alterations=cohort.alterations, spectra=cohort.spectra)
    return tables, cases["label"].to_pylist()
