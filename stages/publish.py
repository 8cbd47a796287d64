"""Assemble the complete model and dataset folders, and push them when a repository is named."""

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq

from cancertype.cohort.settings import Cohort
from cancertype.errors import InputError
from cancertype.evaluation import tabular
from cancertype.evaluation.calibration import Calibration
from cancertype.evaluation.settings import Evaluate
from cancertype.files import write_json
from cancertype.prediction.prediction_config import ASSOCIATIONS, CONFIG, TREES, VOCABULARY, PredictionConfig
from cancertype.publishing import cards, hub, redaction
from cancertype.publishing.settings import Publish
from cancertype.text.settings import Text
from pipeline.params import read_everything, run
from pipeline.revision import code_version

MODEL, DATASET = Path("models/published"), Path("data/published")
FEATURES, MERGED, METRICS = Path("data/features"), Path("models/merged"), Path("metrics")
SPLITS = {split: Path(f"data/text/{split}.parquet") for split in ("train", "validation", "test", "out_of_scope")}


def main() -> None:
    params = read_everything()
    settings = Publish(**params["publish"])
    sources = _json(FEATURES / "sources.json")
    pushed = settings.repo_id or settings.dataset_repo_id
    about = {"sources": sources, "params": params, "revision": code_version() if pushed else None}
    _assemble_model(settings, about)
    card = cards.dataset_card(repo_id=settings.dataset_repo_id, splits=cards.count(SPLITS), **about)
    hub.assemble_dataset(DATASET, splits=SPLITS, card=card)

    receipts = {}
    for kind, folder, repo_id in (("model", MODEL, settings.repo_id), ("dataset", DATASET, settings.dataset_repo_id)):
        if repo_id:
            verify = hub.same_logits(folder, _prompts()) if kind == "model" else hub.same_rows(folder)
            rights = {"private": settings.private, "allow_restricted_terms": settings.allow_restricted_terms}
            receipt = hub.push(folder, repo_id, repo_type=kind, sources=sources, verify=verify, **rights)
            receipts[kind] = receipt.to_dict()
    write_json(METRICS / "publish.json", receipts, sort_keys=True)


def _assemble_model(settings: Publish, about: dict) -> None:
    details, training = _json(METRICS / "details.json"), _json(Path("models/adapter/training.json"))
    evaluate, text = Evaluate(**about["params"]["evaluate"]), Text(**about["params"]["text"])
    config = PredictionConfig(
        cohort=Cohort(**about["params"]["cohort"]),
        text=text,
        orders=evaluate.orders,
        batch_size=evaluate.batch_size,
        calibration=Calibration.load(Path("models/calibration.json")),
        performance={row["label"]: row for row in details["per_label"][details["final"]]},
        headline=details["headline"],
        sources=redaction.public(about["sources"]),
    )
    card = cards.model_card(
        repo_id=settings.repo_id,
        dataset_repo_id=settings.dataset_repo_id,
        base=_json(Path("models/base/base.json")),
        details=details,
        continued_from=(training["continued_from"] or {}).get("name"),
        **about,
    )
    files = {f"{TREES}/{path.name}": path for path in tabular.files(Path("models/tabular"))}
    files |= {name: FEATURES / name for name in (VOCABULARY, ASSOCIATIONS)}
    texts = {CONFIG: config.model_dump_json(indent=2) + "\n"}
    # The packaged base brings the notice that Gemma's terms require. A base from the Hub may lack it.
    if not (MERGED / "NOTICE.md").exists():
        texts["NOTICE.md"] = cards.NOTICE
    left_out = hub.assemble(MODEL, merged=MERGED, files=files, texts=texts, card=card)
    if left_out:
        print(f"not published, because no model needs it: {', '.join(left_out)} (of {MERGED})", file=sys.stderr)


def _json(path: Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable as JSON ({error}); run the stage that writes it again") from None


def _prompts() -> list[str]:
    return pq.read_table(SPLITS["validation"], columns=["prompt"])["prompt"].to_pylist()[:4]


if __name__ == "__main__":
    run(main)
