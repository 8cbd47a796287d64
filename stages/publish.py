"""Assemble the complete model and dataset folders, and push them when a repository is named."""

import sys
from pathlib import Path

import pyarrow.parquet as pq

from cancertype.cohort.settings import Cohort
from cancertype.evaluation import tabular
from cancertype.evaluation.calibration import Calibration
from cancertype.evaluation.settings import Evaluate
from cancertype.files import write_json
from cancertype.prediction.prediction_config import ASSOCIATIONS, CONFIG, TREES, VOCABULARY, Measured, PredictionConfig
from cancertype.prediction.training_ranges import read as training_ranges
from cancertype.publishing import cards, hub, records, redaction
from cancertype.publishing.settings import Publish
from cancertype.text.prompt import completions
from cancertype.text.settings import Text
from pipeline.params import read_everything, run
from pipeline.revision import code_version, released_here

MODEL, LORA, DATASET = Path("models/published"), Path("models/published_adapter"), Path("data/published")
ADAPTER, BASE, VIEWS = Path("models/adapter"), Path("models/base/base.json"), Path("data/text/views.parquet")
FEATURES, MERGED, METRICS = Path("data/features"), Path("models/merged"), Path("metrics")
SPLITS = {split: Path(f"data/text/{split}.parquet") for split in ("train", "validation", "test", "out_of_scope")}


def main() -> None:
    params = read_everything()
    settings = Publish(**params["publish"])
    sources = records.read(FEATURES / "sources.json")
    pushes = settings.repo_id or settings.dataset_repo_id
    about = {"sources": sources, "params": params, "revision": code_version() if pushes else None}
    rights = {"private": settings.private, "allow_restricted_terms": settings.allow_restricted_terms}

    def push(folder: Path, repo_id: str, repo_type: str, verify=None) -> dict:
        how = {"repo_type": repo_type, "verify": verify, "tags": released_here(), **rights}
        return hub.push(folder, repo_id, sources=sources, **how).to_dict()

    receipts = {}
    _assemble_dataset(settings, about)
    if settings.dataset_repo_id:
        receipts["dataset"] = push(DATASET, settings.dataset_repo_id, "dataset", hub.same_rows(DATASET))
    # After the dataset, whose commit the model's card names.
    _assemble_model(settings, about, receipts.get("dataset", {}).get("commit"))
    base, model = records.read(BASE), settings.repo_id or MODEL.as_posix()
    card = cards.adapter_card(repo_id=f"{model}-lora", model_repo_id=model, base=base, sources=sources)
    hub.assemble_lora(LORA, adapter=ADAPTER, base=cards.hub_base(base), terms=MODEL, card=card)
    if settings.repo_id:
        prompts = pq.read_table(SPLITS["validation"], columns=["prompt"])["prompt"].to_pylist()[:4]
        receipts["model"] = push(MODEL, settings.repo_id, "model", hub.same_logits(MODEL, prompts))
        receipts["adapter"] = push(LORA, f"{settings.repo_id}-lora", "model")
    write_json(METRICS / "publish.json", receipts, sort_keys=True)


def _assemble_dataset(settings: Publish, about: dict) -> None:
    views = pq.read_metadata(VIEWS).num_rows
    card = cards.dataset_card(repo_id=settings.dataset_repo_id, splits=cards.count(SPLITS), views=views, **about)
    hub.assemble_dataset(DATASET, splits=SPLITS, card=card, files={"views/train.parquet": VIEWS} if views else {})


def _assemble_model(settings: Publish, about: dict, dataset_revision: str | None) -> None:
    details, training = records.read(METRICS / "details.json"), records.read(ADAPTER / "training.json")
    evaluate, text = Evaluate(**about["params"]["evaluate"]), Text(**about["params"]["text"])
    config = PredictionConfig(
        cohort=Cohort(**about["params"]["cohort"]),
        text=text,
        orders=evaluate.orders,
        batch_size=evaluate.batch_size,
        calibration=Calibration.load(Path("models/calibration.json")),
        performance={row["label"]: row for row in details["per_label"][details["final"]]},
        performance_of_trees=details["by_label"].get("trees", {}),
        measured=[Measured(row=row, **found["by_label"]) for row, found in details["assays"].items() if found["n"]],
        ranges=training_ranges(FEATURES),
        headline=details["headline"],
        sources=redaction.public(about["sources"]),
    )
    card = cards.model_card(
        repo_id=settings.repo_id,
        dataset_repo_id=settings.dataset_repo_id,
        dataset_revision=dataset_revision,
        base=records.read(BASE),
        labels=completions(text.completion),
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


if __name__ == "__main__":
    run(main)
