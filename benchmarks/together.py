"""What the language model adds to the trees in a finished run: rows of the grid of assays taken together.

    python -m benchmarks.together                                              # every row, and every row at once
    python -m benchmarks.together --rows exome msk-impact-468 list reduced     # these rows at once

One row has too few cases (``evaluate.cases_per_assay``) to tell a few points apart. The same patients are in several
rows, so the bootstrap draws patients with all of their cases. Differences are those of the final model to the trees
where they answer alone, on the test split, by the calibration that ``evaluate`` wrote.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd

from cancertype.evaluation import held_out, metrics
from cancertype.evaluation.calibration import Calibration
from cancertype.evaluation.settings import Evaluate
from pipeline.params import read
from stages import evaluate

FIGURES = ("accuracy", "top3", "log_loss")


@dataclass(frozen=True)
class Grid:
    """The rows of a run's grid on the test split, and what their probabilities are computed with."""

    rows: pd.DataFrame
    calibration: Calibration
    settings: Evaluate
    seed: int

    @classmethod
    def read(cls, names: Sequence[str] | None = None) -> Self:
        """Of the run in the working directory; ``names`` of rows, default all. Raises ``ValueError`` for a row that was
        not scored."""
        settings, seed = read({"evaluate": Evaluate, "seed": int})
        grid = evaluate.joined("grid_cases", "grid", "grid")
        if grid is None:
            raise ValueError("the run has no grid: evaluate.assays is empty")
        if unknown := set(names or ()) - set(grid["row"]):
            raise ValueError(f"not in evaluate.assays: {', '.join(sorted(unknown))}")
        test = grid[(grid["split"] == "test") & grid["row"].isin(names or set(grid["row"]))]
        return cls(test, Calibration.load(evaluate.CALIBRATION), settings, seed)

    def parts(self) -> dict[str, Self]:
        """Each row by itself, and all of them together."""
        each = {row: self.rows[self.rows["row"] == row] for row in dict.fromkeys(self.rows["row"])}
        return {name: replace(self, rows=rows) for name, rows in each.items()} | {"together": self}

    def final(self) -> np.ndarray:
        """Probabilities (n, 26) of the final model."""
        return held_out.probabilities(self.rows, self.calibration, ["trees"])["blend"]

    def trees(self) -> np.ndarray:
        """Probabilities (n, 26) of the trees where they answer alone."""
        return self.calibration.apply(None, held_out.trees_of(self.rows, ["trees"]), held_out.groups_of(self.rows))

    def difference(self, p: np.ndarray, other: np.ndarray) -> dict:
        """How ``p`` differs from ``other`` (both (n, 26)) on these rows, by a bootstrap over patients."""
        weights = metrics.resample(self.rows["patient_id"], self.settings.bootstrap_samples, self.seed)
        found = metrics.paired(metrics.encode(self.rows["label"]), p, other, weights)
        return {"cases": len(self.rows)} | {name: found[name] for name in FIGURES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", help="rows of evaluate.assays; default all")
    parts = Grid.read(parser.parse_args().rows).parts()
    print(json.dumps({name: part.difference(part.final(), part.trees()) for name, part in parts.items()}, indent=1))


if __name__ == "__main__":
    main()
