"""What the broad histology adds in a finished run: the final model with and without it, in every row of the grid.

    python -m benchmarks.histology                                          # each row, and all of them together
    python -m benchmarks.histology --clinical tcga_clinical.tsv more.tsv    # the histology that these tables state

A case has the only histology of its label, or the one that a clinical table states (``bcr_patient_barcode`` and
``histological_type``), or else one that is drawn by the shares of its label (``cancertype/prediction/histology.csv``).
Its probabilities are multiplied by the weights that ``cancertype predict --histology`` uses. Test split; the bootstrap
draws patients.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cancertype.cohort.hashing import uniform
from cancertype.labels import LABELS
from cancertype.prediction import histology

from .together import Grid

STATED = (("adenosquamous", "other carcinoma"), ("squamous", "squamous"), ("adenocarcinoma", "adenocarcinoma"))
"""What a histological type says, by the first of these words that it holds and that its label can have."""


def of_case(label: str, patient: str, written: str) -> str:
    """The histology of a case whose table states ``written`` ("" for nothing)."""
    shares = {name: share[LABELS.index(label)] for name, share in histology.shares().items()}
    for word, name in STATED:
        if word in written.lower() and shares[name]:
            return name
    names, weights = zip(*((name, share) for name, share in shares.items() if share), strict=True)
    cumulative = np.cumsum(weights) / np.sum(weights)
    return names[int(np.searchsorted(cumulative, uniform(0, f"histology {patient}"), side="right"))]


def with_histology(cases: pd.DataFrame, p: np.ndarray, written: Mapping[str, str]) -> np.ndarray:
    """``p`` (n, 26) of ``cases`` (label, patient_id) after each case's histology; ``written`` by patient."""
    known = [of_case(case.label, case.patient_id, written.get(case.patient_id, "")) for case in cases.itertuples()]
    weighted = p * np.stack([histology.weights(name) for name in known])
    return weighted / weighted.sum(axis=1, keepdims=True)


def read_clinical(paths: list[Path]) -> dict[str, str]:
    """Patient to histological type."""
    tables = [pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False) for path in paths]
    return pd.concat(tables).set_index("bcr_patient_barcode")["histological_type"].to_dict() if tables else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", help="rows of evaluate.assays; default all")
    parser.add_argument("--clinical", nargs="+", type=Path, default=[], help="tables of histological types")
    options = parser.parse_args()
    written, found = read_clinical(options.clinical), {}
    for name, part in Grid.read(options.rows).parts().items():
        p = part.final()
        right = (p.argmax(axis=1) == [LABELS.index(label) for label in part.rows["label"]]).mean()
        found[name] = {"without": round(float(right), 3)}
        found[name] |= part.difference(with_histology(part.rows, p, written), p)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
