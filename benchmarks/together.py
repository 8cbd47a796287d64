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

import pandas as pd

from cancertype.evaluation import held_out, metrics
from cancertype.evaluation.calibration import Calibration
from cancertype.evaluation.settings import Evaluate
from pipeline.params import read
from stages import evaluate

FIGURES = ("accuracy", "top3", "log_loss")


def difference(rows: pd.DataFrame, fitted: Calibration, settings: Evaluate, seed: int) -> dict:
    """How the final model differs from the trees on test cases seen through assays, and the number of these."""
    final = held_out.probabilities(rows, fitted, ["trees"])["blend"]
    trees = fitted.apply(None, held_out.trees_of(rows, ["trees"]), held_out.groups_of(rows))
    weights = metrics.resample(rows["patient_id"], settings.bootstrap_samples, seed)
    found = metrics.paired(metrics.encode(rows["label"]), final, trees, weights)
    return {"cases": len(rows)} | {name: found[name] for name in FIGURES}


def measured(names: Sequence[str] | None) -> dict[str, dict]:
    """The differences of each row, and of all of them together. Raises ``ValueError`` for a row that was not scored."""
    settings, seed = read({"evaluate": Evaluate, "seed": int})
    grid = evaluate.joined("grid_cases", "grid", "grid")
    if grid is None:
        raise ValueError("the run has no grid: evaluate.assays is empty")
    if unknown := set(names or ()) - set(grid["row"]):
        raise ValueError(f"not in evaluate.assays: {', '.join(sorted(unknown))}")
    test = grid[(grid["split"] == "test") & grid["row"].isin(names or set(grid["row"]))]
    fitted = Calibration.load(evaluate.CALIBRATION)
    parts = {row: test[test["row"] == row] for row in dict.fromkeys(test["row"])} | {"together": test}
    return {name: difference(rows, fitted, settings, seed) for name, rows in parts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", help="rows of evaluate.assays; default all")
    print(json.dumps(measured(parser.parse_args().rows), indent=1))


if __name__ == "__main__":
    main()
