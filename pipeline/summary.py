"""The last lines of `make run`: a short table of results, and where the reports are."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cancertype.labels import LABELS
from pipeline.params import run

METRICS = Path("metrics")
FIGURES = {"accuracy": "accuracy", "macro_f1": "macro-F1", "top3": "top-3", "log_loss": "log loss", "ece": "ECE"}
TITLES = {"language_model": "language model", "trees": "boosted trees", "blend": "both together"}


def main() -> None:
    details = json.loads((METRICS / "details.json").read_text(encoding="utf-8"))
    summary = json.loads(Path("data/features/report.json").read_text(encoding="utf-8"))
    models = {title: details["models"][name]["strict"] for name, title in TITLES.items()}
    simulated = ", SIMULATED" if details["simulated"] else ""
    table = Table(title=f"{details['n']['test']} test cases{simulated}", title_justify="left")
    table.add_column("")
    for model in models:
        table.add_column(model, justify="right")
    for key, title in FIGURES.items():
        table.add_row(title, *(f"{figures[key]['value']:.3f}" for figures in models.values()))
    counts = {
        label: sum(n for splits in sources.values() for n in splits.values())
        for label, sources in summary["labels"].items()
    }
    console = Console()
    console.print("\nCases:", ", ".join(f"{label} {counts.get(label, 0)}" for label in LABELS))
    console.print(table)
    console.print("Reports: data/features/report.html (data), metrics/report.html (model)")
    console.print("Model:   models/published/")


if __name__ == "__main__":
    run(main)
