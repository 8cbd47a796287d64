"""Copy the trained model, without its base, to ``released/``: small enough for git, and used by default.

    python -m pipeline.release

The report of the run goes with it, and the model's answers to the textbook cases in examples/profiles.tsv, which
`cancertype reproduce` compares with those that it gives elsewhere. This is no stage of the pipeline, because a person
chooses what is released and commits it.
"""

import csv
from pathlib import Path

from cancertype.prediction import manifest, stored_answers
from cancertype.prediction.predictor import Predictor
from cancertype.publishing import hub
from pipeline.params import run
from pipeline.size import LARGEST

PUBLISHED, TRAINED, OUT = Path("models/published"), Path("models/adapter"), Path("released")
REPORT, PROFILES = Path("metrics/report.html"), Path(__file__).parents[1] / "examples/profiles.tsv"


def main() -> None:
    hub.assemble_adapter(OUT, published=PUBLISHED, adapter=TRAINED, largest=LARGEST, files={"report.html": REPORT})
    with PROFILES.open(encoding="utf-8", newline="") as file:
        texts = {row["case"]: row["mutations"] for row in csv.DictReader(file, delimiter="\t")}
    stored_answers.write(OUT, Predictor.from_pretrained(OUT), texts)
    manifest.write(OUT)
    size = sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file())
    print(f"{OUT}: {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    run(main)
