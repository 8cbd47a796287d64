"""One real `dvc repro` of a small simulated cohort with the real Gemma 3 270M, and what a user does with its result."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from cancertype.alterations.combine import for_cases
from cancertype.cohort.settings import Cohort
from cancertype.labels import LABELS
from cancertype.prediction.predictor import Predictor
from cancertype.sources import raw
from tests.settings import settings
from tests.test_pipeline import copy_of_the_repository, run

SMALL = {
    "data.simulated.cases_per_label": 8,
    "cohort.min_cases_per_label": 3,
    "cohort.max_out_of_scope_cases": 5,
    "views.copies": 2,
    "evaluate.assays": ["exome", "msk-impact-468", "list"],
    "evaluate.cases_per_assay": 4,
    "text.max_tokens": 144,
    "train.continue_from": None,
    "train.max_steps": 6,
    "train.batch_size": 4,
    "train.loss": "labels",
    "train.teacher_share": 0.5,
    "train.validation_cases": 8,
    "lora.r": 4,
    "tabular.trees": 10,
    "tabular.folds": 2,
    "evaluate.bootstrap_samples": 50,
    "evaluate.orders": 2,
}


PARQUET = ("data/features", "data/text")
"""The folders whose tables every clone makes alike."""


def with_params(folder: Path, **changes) -> Path:
    """Rewrite the copy's params.yaml."""
    document = yaml.safe_load((folder / "params.yaml").read_text())
    for dotted, value in changes.items():
        *sections, key = dotted.split(".")
        at = document
        for section in sections:
            at = at[section]
        assert key in at
        at[key] = value
    (folder / "params.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory, gemma_base) -> Path:
    """A copy of the repository, reproduced from raw files to published model."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("small") / "repository")
    (folder / "dvc.lock").unlink(missing_ok=True)
    with_params(folder, **SMALL, **{"model.base": str(gemma_base)})
    done = run(folder, "dvc", "repro")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def predictor(small) -> Predictor:
    return Predictor.from_pretrained(small / "models/published")


def test_a_second_repro_runs_nothing(small):
    done = run(small, "dvc", "repro")
    assert done.returncode == 0
    stages = yaml.safe_load((small / "dvc.yaml").read_text())["stages"]
    assert "Running stage" not in done.stdout
    assert all(f"Stage '{stage}' didn't change, skipping" in done.stdout for stage in stages)


def test_metrics_and_reports_are_there_and_say_that_the_data_are_simulated(small):
    metrics = json.loads((small / "metrics/eval.json").read_text())
    assert 0 < metrics["accuracy"] <= 1
    files = [json.loads((small / f"metrics/{name}.json").read_text()) for name in ("merge", "tabular", "training")]
    assert sum(map(len, [metrics, *files])) == 14 + 3, "a dozen numbers, and one accuracy for each of three assays"
    assert all(isinstance(number, float) for file in files for number in file.values())
    tabular = json.loads((small / "metrics/tabular.json").read_text())
    assert metrics["trees_accuracy"] == tabular["trees_accuracy"]
    details = json.loads((small / "metrics/details.json").read_text())
    assert details["simulated"] is True
    assert set(details["models"]["blend"]) == {"strict", "merged", "hierarchical"}
    assert set(details["by_source"]) == {"simulated_depmap", "simulated_tcga"}
    assert "orders" in details, "the gain of averaging orders is measured"
    for report in ("data/features/report.html", "metrics/report.html"):
        page = (small / report).read_text()
        assert "simulated" in page.lower() and "research use only" in page.lower()
    assert "SIMULATED" in run(small, "python", "-m", "pipeline.summary").stdout


def test_the_model_card_tells_every_parameter(small):
    card = (small / "models/published/README.md").read_text()
    for section, values in yaml.safe_load((small / "params.yaml").read_text()).items():
        assert f"\n{section}:" in card
        assert all(f"\n  {key}:" in card for key in values) if isinstance(values, dict) else True


def test_text_and_teacher_hold_every_view_of_every_training_case_and_of_no_other(small):
    train = pd.read_parquet(small / "data/text/train.parquet").set_index("case_id")
    text = pd.read_parquet(small / "data/text/views.parquet")
    assert json.loads((small / "models/adapter/training.json").read_text())["versions"] == 3
    for copy in (0, 1, 2):
        version = text[text["copy"] == copy].set_index("case_id")
        assert list(version.index) == list(train.index)
        assert (version["completion"] == train["completion"]).all()
        # Copy number and fusions are hidden in part of the first view too; they come after the first two lines.
        top, as_it_is = (prompts.str.split("\n").str[:2] for prompts in (version["prompt"], train["prompt"]))
        changed = (top != as_it_is).mean()
        assert changed > 0.3 if copy else changed == 0, "the first view is the case as it is"
    teacher = pd.read_parquet(small / "models/tabular/out_of_fold.parquet")
    assert list(zip(teacher["copy"], teacher["case_id"], strict=True)) == [
        (copy, case_id) for copy in range(3) for case_id in train.index
    ]
    assert teacher[list(LABELS)].sum(axis=1).to_numpy() == pytest.approx(np.ones(len(teacher)))


def test_merged_and_adapter_agree(small):
    parity = json.loads((small / "metrics/merge.json").read_text())
    assert parity["log_likelihood_difference"] < 0.1 < parity["adapter_effect_on_log_likelihood"]


def test_the_published_folder_predicts_from_raw_files_what_was_evaluated(small, predictor):
    evaluated = pd.read_parquet(small / "metrics/predictions.parquet").set_index("case_id")
    for tables in raw.read(small / "data/raw", settings(Cohort, "cohort")):
        ids = [case_id for case_id in tables.cases["case_id"].to_pylist() if case_id in evaluated.index][:12]
        assert len(ids) == 12
        cases = tables.cases.filter(pc.is_in(tables.cases["case_id"], pa.array(ids)))
        alterations = tables.alterations and for_cases(tables.alterations, ids)[0]
        held_out = replace(tables, cases=cases, alterations=alterations)
        found, same = predictor.predict(held_out), evaluated.loc[ids]
        # Cases are scored beside others here, and float32 sums depend on the padding.
        np.testing.assert_allclose(found.log_likelihood, same[[f"lm_{label}" for label in LABELS]], atol=2e-3)
        np.testing.assert_allclose(found.trees, same[[f"trees_{label}" for label in LABELS]], atol=1e-6)
        np.testing.assert_allclose(found.p, same[[f"p_{label}" for label in LABELS]], atol=2e-3)


def test_the_released_form_is_small_and_predicts_as_the_published_one(small, predictor, monkeypatch):
    done = run(small, "python", "-m", "pipeline.release")
    assert done.returncode == 0, done.stderr[-2000:]
    assert not list((small / "released").glob("*.safetensors")), "the base's weights stay out"
    assert sum(path.stat().st_size for path in (small / "released").rglob("*") if path.is_file()) < 20 << 20
    monkeypatch.chdir(small)
    released = Predictor.from_pretrained("released")
    (tables, *_) = raw.read(small / "data/raw", settings(Cohort, "cohort"))
    few = replace(tables, cases=tables.cases.slice(0, 8))
    # Merging rounds each weight to bfloat16 once; the adapter alone is exact.
    np.testing.assert_allclose(released.predict(few).p, predictor.predict(few).p, atol=0.02)
    assert 'from_pretrained("released")' in (small / "released/README.md").read_text()


def test_the_code_on_the_model_card_runs(small, tmp_path, monkeypatch, capsys):
    card = (small / "models/published/README.md").read_text()
    code = card.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    columns = "Hugo_Symbol\tTumor_Sample_Barcode\tVariant_Classification\tHGVSp_Short"
    Path("my_cases.maf").write_text(f"{columns}\nBRAF\tpatient\tMissense_Mutation\tp.V600E\n")
    source = next(line for line in code.splitlines() if "from_pretrained(" in line)
    exec(code.replace(source, f'predictor = cancertype.Predictor.from_pretrained("{small}/models/published")'), {})
    assert capsys.readouterr().out.startswith("patient [('")


def test_two_clones_make_byte_identical_parquet(small, tmp_path):
    other = copy_of_the_repository(tmp_path / "other")
    shutil.copyfile(small / "params.yaml", other / "params.yaml")
    (other / "dvc.lock").unlink(missing_ok=True)
    assert run(other, "dvc", "repro", "featurize").returncode == 0
    (other / "models/base").mkdir(parents=True)
    shutil.copyfile(small / "models/base/tokenizer.json", other / "models/base/tokenizer.json")
    assert run(other, "python", "-m", "stages.to_text").returncode == 0
    made = sorted(path.relative_to(other) for path in (other / "data").rglob("*.parquet"))
    assert made == sorted(path.relative_to(small) for part in PARQUET for path in (small / part).glob("*.parquet"))
    for path in made:
        assert (other / path).read_bytes() == (small / path).read_bytes(), path


def test_changing_a_threshold_of_the_evaluation_reruns_only_evaluate_and_publish(small):
    with_params(small, **{"evaluate.abstain_below": 0.4})
    done = run(small, "dvc", "repro")
    ran = [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage")]
    assert done.returncode == 0 and ran == ["evaluate", "publish"]
    assert json.loads((small / "models/calibration.json").read_text())["abstain_below"] == 0.4


# --- Mistakes: one message with the remedy, exit status 1, and nothing half-written ---------------------------------


@pytest.mark.parametrize(
    ("changes", "stage", "message"),
    [
        ({"model.base": "nowhere/at/all"}, "fetch_base", "nor a folder that exists, nor a Hub id"),
        ({"data.sources": ["table"], "data.table.path": "none.csv"}, "fetch_table", "none.csv"),
        ({"data.sources": ["tcga"], "data.tcga.location": "none"}, "fetch_tcga", "none"),
        ({"data.sources": ["depmap"], "data.depmap.release": "99Q9"}, "fetch_depmap", "99Q9"),
        ({"cohort.min_cases_per_label": 100}, "featurize", "cohort.small_labels: drop"),
        ({"text.max_tokens": 20}, "to_text", "raise text.max_tokens"),
        ({"train.continue_from": "no-such-revision"}, "train_lora", "no-such-revision"),
    ],
    ids=lambda x: str(x)[:30],
)
def test_a_mistake_is_one_message_with_status_one_and_leaves_no_output(small, tmp_path, changes, stage, message):
    folder = tmp_path / "copy"
    kept = ("data/raw", "data/features", "data/text", "models/base")
    for part in ("pipeline", "stages", "params", "params.yaml", *kept):
        if (small / part).is_dir():
            shutil.copytree(small / part, folder / part, copy_function=_link)
        else:
            folder.mkdir(exist_ok=True)
            shutil.copyfile(small / part, folder / part)
    with_params(folder, **changes)
    output = {"fetch_base": "models/base", "featurize": "data/features", "to_text": "data/text"}.get(stage)
    output = output or {"train_lora": "models/adapter"}.get(stage, f"data/raw/{stage.removeprefix('fetch_')}")
    shutil.rmtree(folder / output, ignore_errors=True)
    done = run(folder, "python", "-m", f"stages.{stage}")
    assert done.returncode == 1, done.stderr[-2000:]
    *_, last = done.stderr.strip().splitlines()
    assert last.startswith("error: ") and message in last and "Traceback" not in done.stderr
    left = [path for path in (folder / output).rglob("*") if path.is_file()] if (folder / output).exists() else []
    assert left == []


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
