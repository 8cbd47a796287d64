"""The model in Python: ``cancertype.load().predict(x)``, in the manner of scikit-learn."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..labels import LABELS
from ..reports.pages import percent
from . import answers, explanation, known_mutations, measured, priors
from .inputs import Input, read, read_texts, with_facts
from .model_folder import model_folder
from .predictor import Predictions, Predictor
from .remarks import remarks

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Answers(Sequence):
    """The answers to some samples: a sequence of the records of ``answers.records``, and tables of them."""

    records: tuple[dict, ...]
    predictions: Predictions
    site: str | None = None
    """Where the biopsies were taken, as the user says. The model does not read it."""

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, at):
        return self.records[at]

    @property
    def labels(self) -> list[str | None]:
        """The answer to each sample, None where the model abstains."""
        return [record["answer"] for record in self.records]

    @property
    def proba(self) -> np.ndarray:
        """Calibrated probabilities, shape (samples, 26), in the order of ``Model.classes_``."""
        return self.predictions.p

    def to_pandas(self) -> "pd.DataFrame":
        """One row per sample, named by it: answer, the most probable label ``first`` and its ``p_first``, ``set``,
        ``abstains``, a column per label with its probability, and ``site`` where one was given."""
        import pandas as pd

        rows = [
            {
                "answer": record["answer"],
                "first": record["top"][0]["label"],
                "p_first": record["top"][0]["p"],
                "set": " ".join(record["set"]),
                "abstains": record["abstains"],
                "assay": (record["assay"] or {}).get("name"),
                **record["probabilities"],
                **({"site": self.site} if self.site else {}),
            }
            for record in self.records
        ]
        names = pd.Index([record["case_id"] for record in self.records], name="sample")
        return pd.DataFrame(rows, index=names)

    def __repr__(self) -> str:
        shown = [f"{record['case_id']}: {_short(record)}" for record in self.records[:_SHOWN]]
        more = f", and {len(self) - _SHOWN} more" if len(self) > _SHOWN else ""
        return f"<{len(self)} {'answer' if len(self) == 1 else 'answers'}: {', '.join(shown)}{more}>"


_SHOWN = 5


def _short(record: Mapping) -> str:
    first = record["top"][0]
    return f"{'' if record['answer'] else 'no answer, '}{first['label']} {percent(first['p'])}"


def records(predictor: Predictor, found: Input, predictions: Predictions) -> list[dict]:
    """``answers.records`` of the ``predictions`` for ``found``, with what was assumed of it, how its mutations are read
    and what the training cases say of them."""
    known = known_mutations.of_cases(found.tables, predictor.vocabulary)
    evidence = predictor.evidence(found.tables, predictions)
    seen = measured.seen(found.tables)
    return answers.records(predictions, predictor.config, remarks(found), found.assays, known, evidence, seen)


AT_ONCE = 64
"""Samples whose answers come together: few enough to see the first soon, enough to fill batches of like length."""


def in_parts(predictor: Predictor, found: Input, weights: np.ndarray, at_once: int = AT_ONCE) -> Iterator[list[dict]]:
    """The ``records`` of ``found`` for ``at_once`` samples after another, each part as soon as it is there. ``weights``
    (samples, 26) are those of ``Predictor.predict``."""
    names = found.tables.cases["case_id"].to_pylist()
    for start in range(0, len(names), at_once):
        tables, own = explanation.only(found.tables, names[start : start + at_once], weights)
        predictions = predictor.predict(tables, weights=own, progress=False)
        yield records(predictor, replace(found, tables=tables), predictions)


class Model:
    """A published model. ``classes_`` are the 26 labels in the order of all probabilities."""

    def __init__(self, predictor: Predictor, folder: Path):
        self.predictor, self.folder = predictor, folder

    @property
    def classes_(self) -> np.ndarray:
        """The 26 labels, shape (26,)."""
        return np.array(LABELS)

    def predict(
        self,
        given: "str | Path | Sequence[str] | Mapping[str, str] | pd.DataFrame" = (),
        *,
        sex: str | None = None,
        kind: str | None = None,
        rule_out_by_sex: bool = False,
        histology: str | None = None,
        site: str | None = None,
        prior: Mapping[str, float] | None = None,
        **options,
    ) -> Answers:
        """Answers for everything in ``given``: a path, a text of mutations, a list of texts (one sample each), a
        mapping from a sample's name to its text, or a data frame in any layout that is read from a file.

        ``sex``, ``kind`` and ``histology`` hold for every sample, and ``prior`` maps labels to their share among your
        samples, as on the command line. ``site`` is kept with the answers and changes none of them. ``options`` are
        those of ``cancertype.read``: ``assay``, ``copy_number``, ``fusions``, ``spectra``, ``build``, ``purity``,
        ``copy_number_limits``, ``tumor``, ``normal``, ``genome``, ``gff`` and ``rename``. Raises ``InputError`` for
        anything that can be corrected."""
        found = with_facts(self._read(given, options), sex=sex, kind=kind)
        weights = priors.label_weights(
            found.tables.cases,
            self.predictor.training_share,
            None if prior is None else priors.frequencies(prior),
            rule_out=rule_out_by_sex,
            histology=histology,
        )
        predictions = self.predictor.predict(found.tables, weights=weights, progress=False)
        return Answers(tuple(records(self.predictor, found, predictions)), predictions, site)

    def predict_proba(
        self, given: "str | Path | Sequence[str] | Mapping[str, str] | pd.DataFrame" = (), **options
    ) -> np.ndarray:
        """The calibrated probabilities (samples, 26) of ``predict``, which takes the same arguments."""
        return self.predict(given, **options).proba

    def _read(self, given: "str | Path | Sequence[str] | Mapping[str, str] | pd.DataFrame", options: dict) -> Input:
        limits = self.predictor.config.cohort
        if isinstance(given, str | Path):
            return read(str(given), limits, **options)
        if isinstance(given, Mapping):
            return read_texts(given, limits, **options)
        if hasattr(given, "to_csv"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "data frame.tsv"
                given.to_csv(path, sep="\t", index=given.index.name is not None)
                try:
                    return read(str(path), limits, **options)
                except InputError as error:
                    raise InputError(str(error).replace(str(path), "the data frame")) from error
        if not (texts := list(given)):
            return read([], limits, **options)
        return read_texts({str(number): text for number, text in enumerate(texts, 1)}, limits, **options)

    def __repr__(self) -> str:
        who = "trees alone" if self.predictor.fast else "language model and trees"
        return f"<cancertype model {self.folder} ({who}), {len(LABELS)} cancers>"


def load(model: str | Path | None = None, revision: str | None = None, *, fast: bool = False) -> Model:
    """Load a published model: a folder or a Hub id; by default the release, else the pipeline's own.

    ``fast`` leaves the language model out: the trees answer alone, by their own calibration. Raises ``InputError``
    for a model that is missing or damaged."""
    folder = model_folder(None if model is None else str(model), revision)
    return Model(Predictor.from_pretrained(folder, fast=fast), folder)
