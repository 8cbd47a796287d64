"""Copy the trained model, without its base, to ``released/``: small enough for git, and used by default.

    python -m pipeline.release

The report of the run and the picture of its grid of assays go with it, and the model's answers to the textbook cases in
examples/profiles.tsv, which `cancertype reproduce` compares with those that it gives elsewhere. This is no stage of the
pipeline, because a person chooses what is released and commits it.
"""

import csv
import json
from pathlib import Path

from cancertype.files import write_bytes
from cancertype.prediction import manifest, stored_answers
from cancertype.prediction.predictor import Predictor
from cancertype.publishing import hub
from cancertype.reports.evaluation_report import draw_assays
from cancertype.reports.pages import picture
from pipeline.params import run
from pipeline.size import LARGEST

PUBLISHED, TRAINED, OUT = Path("models/published"), Path("models/adapter"), Path("released")
REPORT, DETAILS = Path("metrics/report.html"), Path("metrics/details.json")
PROFILES = Path(__file__).parents[1] / "examples/profiles.tsv"


def main() -> None:
    hub.assemble_adapter(OUT, published=PUBLISHED, adapter=TRAINED, largest=LARGEST, files={"report.html": REPORT})
    with PROFILES.open(encoding="utf-8", newline="") as file:
        texts = {row["case"]: row["mutations"] for row in csv.DictReader(file, delimiter="\t")}
    details = json.loads(DETAILS.read_text(encoding="utf-8"))
    write_bytes(OUT / "grid.png", picture(lambda: draw_assays(details), "png"))
    stored_answers.write(OUT, Predictor.from_pretrained(OUT), texts)
    manifest.write(OUT)
    size = sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file())
    print(f"{OUT}: {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    run(main)
