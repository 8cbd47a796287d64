"""Figures that git tracks and that must not outlive the adapter that they are of."""

from pathlib import Path

OF_THE_ADAPTER = (Path("metrics/merge.json"), Path("metrics/eval.json"))
"""Metrics of the stages after training."""


def forget() -> None:
    """Delete the metrics of the adapter that is about to be replaced.

    A sweep trains without evaluating. Otherwise each of its runs would carry the accuracy of the last adapter that was
    evaluated, and ``dvc exp show`` would give it as the run's own. The stages after training write them again.
    """
    for path in OF_THE_ADAPTER:
        path.unlink(missing_ok=True)
