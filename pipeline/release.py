"""Copy the trained model, without its base, to ``released/``: small enough for git, and used by default.

    python -m pipeline.release --version v0.7.0

The report of the run (without single cases), the picture of its grid of assays, and the model's answers to the textbook
cases in examples/profiles.tsv go with it; `cancertype reproduce` compares them with those that it gives elsewhere. This
is no stage of the pipeline, because a person chooses what is released and commits it. The version, if one is given, is
written into the model and its card, and every answer names it.
"""

import argparse
import csv
import json
import re
from pathlib import Path

from cancertype.errors import InputError
from cancertype.files import write_bytes, write_json, write_text
from cancertype.prediction import manifest, stored_answers
from cancertype.prediction.prediction_config import CONFIG
from cancertype.prediction.predictor import Predictor
from cancertype.publishing import hub
from cancertype.reports import evaluation_report
from cancertype.reports.pages import picture
from pipeline.params import run
from pipeline.size import LARGEST
from stages import evaluate

PUBLISHED, TRAINED, OUT = Path("models/published"), Path("models/adapter"), Path("released")
PROFILES = Path(__file__).parents[1] / "examples/profiles.tsv"


def main() -> None:
    parser = argparse.ArgumentParser(description="Copy the trained model to released/.")
    parser.add_argument("--version", help="Its version, such as v0.7.0, as it will stand in versions.csv.")
    version = parser.parse_args().version
    if version is not None and not re.fullmatch(r"v\d+\.\d+\.\d+", version):
        raise InputError(f"--version {version}: write it like v0.7.0")
    hub.assemble_adapter(OUT, published=PUBLISHED, adapter=TRAINED, largest=LARGEST)
    if version:
        state_version(OUT, version)
    with PROFILES.open(encoding="utf-8", newline="") as file:
        texts = {row["case"]: row["mutations"] for row in csv.DictReader(file, delimiter="\t")}
    result = evaluate.evaluated()
    # Without examples, which are single patients.
    losses = evaluate.training_losses()
    evaluation_report.write_report(OUT / "report.html", result, evaluate.about(), *losses, examples=False)
    write_bytes(OUT / "grid.png", picture(lambda: evaluation_report.draw_assays(result.details), "png"))
    stored_answers.write(OUT, Predictor.from_pretrained(OUT), texts)
    manifest.write(OUT)
    size = sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file())
    print(f"{OUT}: {size / 2**20:.1f} MiB")


def state_version(folder: Path, version: str) -> None:
    """Write ``version`` into the model in ``folder`` and under the title of its card, and the manifest anew."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    write_json(folder / CONFIG, config | {"release": version})
    card = folder / manifest.CARD
    text = re.sub(
        r"^(# .*)$", rf"\1\n\nRelease {version}.", card.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE
    )
    write_text(card, text)
    manifest.write(folder)


if __name__ == "__main__":
    run(main)
