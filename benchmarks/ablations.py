"""What each part of the recipe is worth: trees on the same patients, with one part of it changed at a time.

    python -m benchmarks.ablations --params params/tcga-270m.yaml --raw data/raw --out ablations.json
    python -m benchmarks.ablations ... --only "no views" "10% of the patients"

For every change the cohort is made anew from ``--raw`` (what fetch_depmap wrote) in a folder of its own, and trees are
fitted on its training views: all with the same ``--rounds`` and rate, fewer than a release takes, so that the rows can
be compared with each other and not with a release. Figures are of the test split, of the cases as they are and of the
rows of ``evaluate.assays``. A change that is done already (in ``--out``) is not run again.
"""

import argparse
import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.sparse import csr_matrix

from cancertype import features
from cancertype.cohort import assembly
from cancertype.cohort.settings import Cohort
from cancertype.evaluation import metrics, tabular, trees
from cancertype.evaluation.settings import Tabular
from cancertype.features import view_files
from cancertype.features.views import table
from cancertype.files import write_json
from cancertype.labels import LABELS
from cancertype.sources import raw
from cancertype.sources.settings import Locations, listed
from pipeline.changes import write_changed
from pipeline.params import FILE, read
from stages import featurize

AS_IT_IS = "as they are"
_NO_ALTERATIONS = {f"views.alterations.{kind}": 0.0 for kind in ("arms", "genes", "fusions")}
_NO_PIPELINES = {
    f"views.pipelines.{name}": 0.0
    for name in ("tumour_only", "thinned", "no_indels", "no_alleles", "no_context", "no_sex")
}
WHOLE = "the whole recipe"
_EXOMES = {"views.copies": 0, "views.no_spectra": 1.0, **_NO_ALTERATIONS}
LOGISTIC = "mutations of exomes alone, logistic regression"
CHANGES: dict[str, dict[str, Any]] = {
    WHOLE: {},
    "one set of trees": {},
    "no spectra": {"features.trinucleotides": False},
    "no copy number, no fusions": _NO_ALTERATIONS,
    "no views": {"views.copies": 0},
    "no augmentation": {"views.exchanged": 0.0, "views.other_calls": 0.0, **_NO_PIPELINES},
    "no cancer-gene vocabulary": {"features.cancer_gene_panels": None},
    "mutations of exomes alone": _EXOMES,
    LOGISTIC: _EXOMES,
    "10% of the patients": {"cohort.train_share": 0.1, "cohort.min_cases_per_label": 3},
    "30% of the patients": {"cohort.train_share": 0.3, "cohort.min_cases_per_label": 3},
    "trained on tumours, tested on lines": {"cohort.train_sources": ["tcga"], "cohort.test_sources": ["depmap"]},
    "trained on lines, tested on tumours": {
        "cohort.train_sources": ["depmap"],
        "cohort.test_sources": ["tcga"],
        "cohort.small_labels": "drop",
        "cohort.min_cases_per_label": 3,
    },
}
"""What is changed, and how, in dotted keys of params.yaml. All but the first also have ``ONE_SET``. The model of
``LOGISTIC`` is no set of trees but a logistic regression, whose penalty validation chooses."""

ONE_SET: dict[str, Any] = {"tabular.without": []}
"""Every other change is compared with one set of trees for all cases, which takes a third of the time."""

OF_SECOND_CALLER = tuple(CHANGES)[:2]
"""The changes whose trees are also tested on other callers' calls of the same test patients."""


@contextlib.contextmanager
def cohort_of(params: Path, raw_folder: Path, changes: Mapping[str, Any]) -> Iterator[Path]:
    """A folder with params.yaml (``params`` with ``changes``) and data/features as featurize makes it, the working
    directory meanwhile."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        (folder / "data" / "raw").symlink_to(raw_folder.resolve())
        write_changed(params, changes, folder / FILE)
        os.chdir(folder)
        try:
            featurize.main()
            yield folder
        finally:
            os.chdir(before)


def measured(
    rounds: int, rate: float, seed: int, *, second_caller: bool = False, logistic: bool = False
) -> dict[str, dict[str, float]]:
    """Row to figures of the trees of the cohort in the working directory, or of a logistic regression."""
    (settings,) = read({"tabular": Tabular})
    settings = settings.model_copy(update={"learning_rate": rate, "trees": rounds})
    folder = featurize.OUT
    vocabulary = features.Vocabulary.load(folder / "vocabulary.parquet")
    panels = features.panels_of(pq.read_table(folder / "panels.parquet"))

    def matrix(cases: pa.Table, variants: pa.Table):
        return features.matrix(cases, variants, vocabulary, panels)

    training = view_files.read(folder, view_files.TRAINING, "copy")
    labels = training[0][1]["label"].to_pylist()
    seen = np.unique(metrics.encode(labels))
    views, (columns, *_) = zip(*(matrix(cases, variants) for _, cases, variants in training), strict=True)
    cases, variants = (pq.read_table(folder / f"{name}.parquet") for name in ("cases", "variants"))
    if logistic:
        held_out = pc.equal(cases["split"], "validation")
        guide = matrix(cases, variants)[0][held_out.to_numpy()], cases.filter(held_out)["label"].to_pylist()
        # The fit is of all tabular models, of which one tree is enough here.
        models = tabular.fit(views, labels, [guide], columns, settings.model_copy(update={"trees": 1}), seed)
        predict = partial(models.predict_proba, columns=columns, model="logistic")
    else:
        codes = np.searchsorted(seen, metrics.encode(labels))
        fitted = trees.boosted(views, codes, len(seen), columns, settings, seed)

        def predict(x: csr_matrix) -> np.ndarray:
            p = np.zeros((x.shape[0], len(LABELS)))
            p[:, seen] = fitted.predict(x, columns)
            return p

    def figures(cases: pa.Table, variants: pa.Table) -> dict[str, float] | None:
        test = np.array(cases["split"].to_pylist()) == "test"
        if not test.any():
            return None
        p = predict(matrix(cases, variants)[0][test])
        y = metrics.encode(cases.filter(pa.array(test))["label"].to_pylist())
        found = metrics.figures(y, p, np.zeros((0, len(y))))
        return {"n": len(y)} | {name: round(found[name]["value"], 3) for name in ("accuracy", "macro_f1", "top3")}

    of = {AS_IT_IS: figures(cases, variants)}
    for kind in ("tumour", "cell line"):
        own = cases.filter(pc.equal(cases["kind"], kind))
        of[f"{AS_IT_IS}, {kind}s"] = figures(own, variants)
    grid = view_files.read(folder, view_files.GRID, "row")
    of |= {row: figures(its_cases, its_variants) for row, its_cases, its_variants in grid}
    if second_caller:
        for number, (own, other) in enumerate(_two_callers(vocabulary), start=1):
            for name, each in (("first", own), ("other", other)):
                said = f"exomes that file {number} calls too: {name} calls"
                of[said] = figures(each.cases, each.variants)
    return {row: found for row, found in of.items() if found}


def _two_callers(vocabulary: features.Vocabulary) -> Iterator[tuple[view_files.Table, view_files.Table]]:
    """For every file that calls whole exomes of test patients again: these by their own calls, and by that file's."""
    rules, genome = read({"cohort": Cohort, "data.genome": Locations})
    cohort = assembly.assemble(raw.read(featurize.RAW, rules, [Path(path) for path in listed(genome)]), rules)
    of_test = cohort.cases.filter(pc.and_(pc.equal(cohort.cases["split"], "test"), pc.is_null(cohort.cases["panel"])))
    for calls in cohort.further:
        again = calls.cases.filter(pc.is_null(calls.cases["panel"]))
        theirs = again.filter(pc.is_in(again["case_id"], of_test["case_id"].combine_chunks()))
        if not theirs.num_rows:
            continue
        ours = of_test.filter(pc.is_in(of_test["case_id"], theirs["case_id"].combine_chunks()))
        theirs = theirs.append_column("split", pa.array(["test"] * theirs.num_rows))
        yield tuple(
            table(features.described(cases, variants), variants, cohort.panels, vocabulary)
            for cases, variants in ((ours, cohort.variants), (theirs, calls.variants))
        )


def markdown(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """The accuracies, one row per change and one column per row of the grid that most have."""
    rows = list(dict.fromkeys(row for each in found.values() for row in each))
    lines = ["| | " + " | ".join(rows) + " |", "|---" * (len(rows) + 1) + "|"]
    for change, each in found.items():
        cells = [f"{100 * each[row]['accuracy']:.1f}%" if row in each else "" for row in rows]
        lines.append(f"| {change} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--raw", type=Path, default=Path("data/raw"))
    parser.add_argument("--out", type=Path, required=True, help="JSON file with the figures, which is added to")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--rate", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=3407)
    parser.add_argument("--only", nargs="+", choices=list(CHANGES), default=list(CHANGES))
    given = parser.parse_args()
    params, raw_folder, out = given.params.resolve(), given.raw.resolve(), given.out.resolve()
    found = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    for change in given.only:
        if change in found:
            continue
        with cohort_of(params, raw_folder, CHANGES[change] | ({} if change == WHOLE else ONE_SET)):
            how = {"second_caller": change in OF_SECOND_CALLER, "logistic": change == LOGISTIC}
            found[change] = measured(given.rounds, given.rate, given.seed, **how)
        write_json(out, found)
        print(change, json.dumps(found[change]), flush=True)
    print(markdown(found))


if __name__ == "__main__":
    main()
