"""The last lines of `make run`: a short table of results, where the reports are, and what the released model says."""

import csv
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

import cancertype
from cancertype.labels import LABELS
from cancertype.prediction import answers
from cancertype.reports.pages import percent
from pipeline.params import run

METRICS = Path("metrics")
RELEASED, EXAMPLES = Path("released"), Path("examples")
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
    if details["simulated"]:
        console.print("The table checks the pipeline. Every case is simulated: it says nothing of real tumours.")
    if RELEASED.is_dir():
        _released(console)


def _released(console: Console) -> None:
    """The released model's measured figures, and its answers to the example tumours."""
    model = cancertype.load(RELEASED)
    final = answers.headline(model.predictor.config)["final"]
    figures = ", ".join(f"{FIGURES[name]} {final[name]:.3f}" for name in FIGURES if name in final)
    console.print(f"\nThe released model ({RELEASED}/), on real tumours that it never saw: {figures}")
    with (EXAMPLES / "cohorts.tsv").open(encoding="utf-8", newline="") as file:
        cohorts = {row["sample"]: row["cohort"] for row in csv.DictReader(file, delimiter="\t")}
    asked = model.predict(
        EXAMPLES / "tumours.maf", copy_number=[EXAMPLES / "arms.tsv"], fusions=[EXAMPLES / "fusions.tsv"]
    )
    table = Table(title=f"Its answers to {EXAMPLES}/tumours.maf, simulated tumours", title_justify="left")
    for name in ("sample", "drawn for", "answer", "most probable"):
        table.add_column(name)
    for record in asked:
        first = record["top"][0]
        answer = record["answer"] or "none"
        table.add_row(record["case_id"], cohorts[record["case_id"]], answer, f"{first['label']} {percent(first['p'])}")
    console.print(table)


if __name__ == "__main__":
    run(main)
