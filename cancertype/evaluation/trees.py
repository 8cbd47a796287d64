"""Boosted trees that do not mind what is not known of a case: sets of them, each without other kinds of data.

Trees that learn with copy number and without it answer worse where it is missing than trees that never had it: a split
on an arm says nothing of a case whose arms nobody looked at. So cases that lack a kind of data may have trees of their
own (``settings.without``).
"""

import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix, vstack
from tqdm.auto import tqdm

from ..errors import InputError
from ..features.feature_matrix import columns_of
from .settings import Tabular

if TYPE_CHECKING:
    import lightgbm

ALL = "trees"
"""The name of the trees that learned from every column."""

THREADS = 0
"""LightGBM's threads; 0 is one per core. The models do not depend on it."""

Cases = tuple[csr_matrix, np.ndarray]
"""Features (n, features), NaN where not known, and classes (n,) from 0."""

_WITHOUT, _AND = "_without_", "_and_"
_SUFFIX, _SUFFIX_BEFORE = ".txt.gz", ".txt"
_BINS = 63
_LEAST_HESSIAN = 1.0


@dataclass(frozen=True)
class Trees:
    """LightGBM boosters by name: ``ALL``, and one for each of ``settings.without`` (``name_without``)."""

    boosters: "Mapping[str, lightgbm.Booster]"

    def predict(self, x: csr_matrix, columns: Sequence[str]) -> np.ndarray:
        """Probabilities (n, classes): each case of ``x`` (n, features), whose features are ``columns``, by the trees
        that learned without what is not known of it."""
        answering = np.full(x.shape[0], ALL, dtype=object)
        # The more kinds are missing, the later: trees without two of them come after those without one.
        for name in sorted(set(self.boosters) - {ALL}, key=lambda name: (len(_kinds(name)), name)):
            answering[_lacking(x, columns, _kinds(name))] = name
        p = None
        for name in np.unique(answering) if len(answering) else [ALL]:
            own = answering == name
            found = self.boosters[name].predict(x[own])
            p = np.empty((x.shape[0], found.shape[1])) if p is None else p
            p[own] = found
        return p

    def rounds(self) -> dict[str, int]:
        """How many rounds each set of trees has, by its name."""
        return {name: booster.current_iteration() for name, booster in self.boosters.items()}

    def contents(self) -> dict[str, bytes]:
        """The bytes of each file that ``load`` reads, by its name: LightGBM's text, a third as large by gzip."""
        texts = {name: booster.model_to_string() for name, booster in self.boosters.items()}
        return {name + _SUFFIX: gzip.compress(text.encode(), mtime=0) for name, text in texts.items()}


def name_without(kinds: Sequence[str]) -> str:
    """The name of the trees that learned without ``kinds`` of data: ``trees_without_arms_and_spectra``."""
    return f"{ALL}{_WITHOUT}{_AND.join(sorted(kinds))}" if kinds else ALL


def _kinds(name: str) -> list[str]:
    return name.removeprefix(ALL + _WITHOUT).split(_AND)


def _lacking(x: csr_matrix, columns: Sequence[str], kinds: Sequence[str]) -> np.ndarray:
    """Of which cases (n,) nothing is known of any of ``kinds``."""
    unknown = [np.isnan(x[:, columns_of(kind, columns)].toarray()).all(axis=1) for kind in kinds]
    return np.logical_and.reduce([np.ones(x.shape[0], bool), *unknown])


class _Stored(Mapping):
    """The boosters of files by name, each parsed when it is first asked for: most samples need only one of them. The
    files are read at once, so that a model that is replaced meanwhile is never mixed with the new one."""

    def __init__(self, files: Mapping[str, Path]):
        self._contents = {name: (file, file.read_bytes()) for name, file in files.items()}
        self._parsed: dict[str, lightgbm.Booster] = {}

    def __getitem__(self, name: str) -> "lightgbm.Booster":
        if name not in self._parsed:
            self._parsed[name] = _parsed(*self._contents[name])
        return self._parsed[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._contents)

    def __len__(self) -> int:
        return len(self._contents)


def _parsed(file: Path, content: bytes) -> "lightgbm.Booster":
    _without_interfaces()
    import lightgbm

    try:
        text = gzip.decompress(content) if file.suffix == ".gz" else content
        return lightgbm.Booster(model_str=text.decode("utf-8"))
    except (lightgbm.basic.LightGBMError, gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{file}: damaged or incomplete ({error}): get the model again") from error


def files(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """The file in ``folder`` of each set of trees among ``names``. Models of before v0.6.1 are not compressed."""
    sets = [name for name in names if name == ALL or name.startswith(ALL + _WITHOUT)]
    return {name: _either(folder / (name + _SUFFIX), folder / (name + _SUFFIX_BEFORE)) for name in sets}


def _either(file: Path, before: Path) -> Path:
    return before if before.is_file() and not file.is_file() else file


def load(files: Mapping[str, Path]) -> Trees:
    """The sets of trees of ``files``, by name. Each is parsed when it is needed: raises ``InputError`` then for one
    that is damaged."""
    return Trees(_Stored(files))


def _without_interfaces() -> None:
    """Import LightGBM without scikit-learn and pandas: where they are installed it imports them, for interfaces that
    nothing here uses and for two of its three seconds. What is loaded already stays."""
    hidden = [name for name in ("sklearn", "pandas") if name not in sys.modules]
    # None makes an import fail as if the package were not installed.
    sys.modules.update(dict.fromkeys(hidden))
    try:
        import lightgbm  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]


def fit(
    views: Sequence[csr_matrix], y: np.ndarray, guide: Cases, columns: Sequence[str], settings: Tabular, seed: int
) -> Trees:
    """Fit on all of ``views`` (n, features), NaN where not known, of the same cases, whose classes are ``y`` (n,);
    ``guide``, other cases, chooses the number of rounds. Raises ``InputError`` when none of these can guide one of the
    sets of ``settings.without``."""
    train = vstack(views, format="csr"), np.tile(y, len(views))
    parameters = _parameters(_for_views(settings, len(views)), int(y.max()) + 1, seed)
    return Trees(
        {name_without(k): _guided(k, train, guide, columns, settings, parameters) for k in ([], *settings.without)}
    )


def boosted(
    views: Sequence[csr_matrix], y: np.ndarray, classes: int, columns: Sequence[str], settings: Tabular, seed: int
) -> Trees:
    """Trees of ``settings.trees`` rounds, without validation, for ``classes`` of which ``y`` may lack some. Otherwise
    as ``fit``."""
    import lightgbm

    x, target = vstack(views, format="csr"), np.tile(y, len(views))
    parameters = _parameters(_for_views(settings, len(views)), classes, seed)
    boosters = {}
    for kinds in ([], *settings.without):
        data = lightgbm.Dataset(_hidden(x, columns, kinds), target, params={"max_bin": _BINS})
        boosters[name_without(kinds)] = lightgbm.train(parameters, data, num_boost_round=settings.trees)
    return Trees(boosters)


def _guided(
    kinds: Sequence[str],
    train: Cases,
    guide: Cases,
    columns: Sequence[str],
    settings: Tabular,
    parameters: Mapping[str, Any],
) -> "lightgbm.Booster":
    """Trees that learn from all of ``train`` with ``kinds`` of data hidden, guided by the cases that lack them."""
    import lightgbm

    x, y = guide
    lacking = _lacking(x, columns, kinds)
    if not lacking.any():
        raise InputError(
            f"tabular.without names {list(kinds)}, but no validation case lacks them: take them off, or add a row "
            "without them to evaluate.assays"
        )
    data = lightgbm.Dataset(_hidden(train[0], columns, kinds), train[1], params={"max_bin": _BINS})
    others = lightgbm.Dataset(_hidden(x[lacking], columns, kinds), y[lacking], reference=data)
    said = name_without(kinds).replace("_", " ")
    with tqdm(total=settings.trees, desc=f"boosted {said}", unit="round", leave=False) as bar:

        def advance(_: Any) -> None:
            bar.update()

        booster = lightgbm.train(
            parameters,
            data,
            num_boost_round=settings.trees,
            valid_sets=[others],
            callbacks=[
                lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False),
                advance,
            ],
        )
    # Rounds after the best one would otherwise be saved in the file and used as soon as it is loaded.
    best = booster.best_iteration or booster.current_iteration()
    return lightgbm.Booster(model_str=booster.model_to_string(num_iteration=best))


def _hidden(x: csr_matrix, columns: Sequence[str], kinds: Sequence[str]) -> np.ndarray:
    """``x`` with NaN for ``kinds`` of data. Dense: sparse columns gain nothing where what is unknown is stored."""
    dense = x.toarray()
    for kind in kinds:
        dense[:, columns_of(kind, columns)] = np.nan
    return dense


def _for_views(settings: Tabular, n: int) -> Tabular:
    """A leaf needs as many different cases as without views, so its limit grows with their number in a round."""
    least = max(1, round(settings.min_cases_per_leaf * n * settings.case_fraction))
    return settings.model_copy(update={"min_cases_per_leaf": least})


def _parameters(settings: Tabular, classes: int, seed: int) -> dict[str, Any]:
    return {
        "objective": "multiclass",
        "num_class": classes,
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "feature_fraction": settings.feature_fraction,
        "bagging_fraction": settings.case_fraction,
        "bagging_freq": 1 if settings.case_fraction < 1.0 else 0,
        "min_data_in_leaf": settings.min_cases_per_leaf,
        # Without a penalty the Newton steps of rare labels grow without limit and the loss explodes: on real tumours
        # exomes fell from 67 to 53% right.
        "lambda_l2": settings.l2,
        "min_sum_hessian_in_leaf": _LEAST_HESSIAN,
        "seed": seed,
        "deterministic": True,
        # Row-wise or column-wise is otherwise chosen by timing, and the choice changes sums in their last digits. By
        # column is twice as fast where most columns are unknown in most views, and few bins lose nothing on shares.
        "force_col_wise": True,
        "max_bin": _BINS,
        "num_threads": THREADS,
        "verbosity": -1,
    }
