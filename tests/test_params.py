"""params.yaml and the presets: every mistake is one line that names the key."""

import re
from pathlib import Path

import pytest
import yaml

from cancertype.errors import InputError
from cancertype.sources.settings import ReadingLimits
from pipeline import params

ROOT = Path(__file__).parents[1]
PRESETS = sorted((ROOT / "params").glob("*.yaml"))


def leaves(document: dict, above: str = "") -> set[str]:
    return {
        key
        for name, value in document.items()
        for key in (leaves(value, f"{above}{name}.") if isinstance(value, dict) else {f"{above}{name}"})
    }


def message(change: dict, tmp_path: Path) -> str:
    document = yaml.safe_load((ROOT / "params.yaml").read_text())
    for dotted, value in change.items():
        *sections, key = dotted.split(".")
        at = document
        for section in sections:
            at = at[section]
        if value is KeyError:
            del at[key]
        else:
            at[key] = value
    with pytest.raises(InputError) as error:
        params.check(document, Path("params.yaml"))
    return str(error.value)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.stem)
def test_every_preset_is_valid_and_holds_every_key_with_a_comment(preset):
    document = yaml.safe_load(preset.read_text())
    params.check(document, preset)
    assert leaves(document) == leaves(yaml.safe_load((ROOT / "params.yaml").read_text()))
    uncommented = [
        line
        for line in preset.read_text().splitlines()
        if ": " in line and not line.rstrip().endswith(":") and "#" not in line and not line.startswith("    ")
    ]
    known_by_their_section = {"target_modules", "template"}
    assert [line for line in uncommented if line.split(":")[0].strip() not in known_by_their_section] == []


def test_the_committed_params_are_the_quickstart_preset():
    assert (ROOT / "params.yaml").read_text() == (ROOT / "params" / "quickstart.yaml").read_text()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"train.learning_rat": 1.0}, "params.yaml: train.learning_rat: unknown key"),
        ({"trian": {}}, "params.yaml: trian: unknown key"),
        (
            {"train.learning_rate": KeyError},
            "params.yaml: train.learning_rate: missing; add it (params/quickstart.yaml has 0.0003)",
        ),
        ({"text.amino_acids": KeyError}, "text.amino_acids: missing; add it (params/quickstart.yaml has 6)"),
        ({"cohort.train_sources": KeyError}, "cohort.train_sources: missing; add it (params/quickstart.yaml has null)"),
        ({"data.table": KeyError}, "data.table: missing; add it (params/quickstart.yaml shows its keys)"),
        (
            {"features.genes": []},
            "features.genes: must be a number of genes, 0 or more, or a list of at least one",
        ),
        ({"tabular.threads": 2}, "params.yaml: tabular.threads: unknown key"),
        ({"train.learning_rate": "fast"}, "train.learning_rate: input should be a valid number (found 'fast')"),
        ({"train.epochs": -1.0}, "train.epochs: input should be greater than 0 (found -1.0)"),
        ({"train.batch_size": 1.5}, "train.batch_size: input should be a valid integer"),
        ({"train.backend": "jax"}, "train.backend: input should be 'trl' or 'unsloth' (found 'jax')"),
        ({"data.sources": ["tcga", "tcga"]}, "data.sources: names a source twice"),
        ({"data.sources": []}, "data.sources"),
        ({"cohort.test_fraction": 0.95}, "leave nothing to train on"),
        ({"text.template": "{mutations} {age}"}, "text.template: has unknown fields ['age']"),
        ({"text.max_tokens": 600}, "text.max_tokens (600) is more than model.max_seq_length (512)"),
        ({"lora.target_modules": ["embed_tokens"]}, "ties the two"),
        ({"views.alterations.mentioned": [4, 1]}, "views.alterations: mentioned is [4, 1]: write the smaller number"),
        ({"views.no_spectra": 1.5}, "views.no_spectra: input should be less than or equal to 1 (found 1.5)"),
        ({"views.unstated": KeyError}, "views.unstated: missing; add it (params/quickstart.yaml has 0.25)"),
        ({"augment": {"copies": 1}}, "params.yaml: augment: unknown key"),
        ({"features.cancer_gene_panels": 0}, "features.cancer_gene_panels: input should be greater than or equal to 1"),
        ({"evaluate.cases_per_assay": 0}, "evaluate.cases_per_assay: input should be greater than or equal to 1"),
        ({"seed": True}, "seed: input should be a valid integer"),
    ],
    ids=lambda x: str(x)[:40],
)
def test_a_mistake_is_named_with_its_key(change, expected, tmp_path):
    assert expected in message(change, tmp_path)


def test_every_mistake_has_its_own_line(tmp_path):
    lines = message({"train.epochs": 0.0, "lora.r": 0, "nonsense": 1}, tmp_path).splitlines()
    assert len(lines) == 3


def test_broken_yaml_and_a_missing_file_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"params.yaml: no such file.*params/quickstart.yaml"):
        params.read({"seed": int})
    Path("params.yaml").write_text("seed: [1\n")
    with pytest.raises(InputError, match="not readable as YAML"):
        params.read({"seed": int})
    Path("params.yaml").write_text("just text\n")
    with pytest.raises(InputError, match="whole file"):
        params.read({"seed": int})


def test_reading_gives_the_wanted_keys_in_their_order(monkeypatch):
    from cancertype.cohort.settings import Cohort

    monkeypatch.chdir(ROOT)
    cohort, seed = params.read({"cohort": Cohort, "seed": int})
    assert isinstance(cohort, Cohort) and seed == 3407


def test_an_error_that_a_user_can_fix_is_one_message_and_status_one(capsys):
    def main():
        raise InputError("file x, row 3: correct it")

    with pytest.raises(SystemExit) as stop:
        params.run(main)
    assert stop.value.code == 1
    assert capsys.readouterr().err == "error: file x, row 3: correct it\n"


def test_a_defect_of_ours_keeps_its_trace():
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        params.run(main)


@pytest.mark.parametrize("written", ["3e-05", "3e-5", "3.0e-5", "0.00003"])
def test_a_learning_rate_may_be_written_as_dvc_or_a_hand_writes_it(written, tmp_path, monkeypatch):
    from cancertype.finetune.settings import Train

    monkeypatch.chdir(tmp_path)
    text = (ROOT / "params.yaml").read_text()
    Path("params.yaml").write_text(re.sub(r"(?m)^  learning_rate: 3\.0e-4", f"  learning_rate: {written}", text))
    (train,) = params.read({"train": Train})
    assert train.learning_rate == 3e-5


def test_the_limits_for_reading_without_a_model_are_those_of_the_presets():
    presets = [yaml.safe_load(path.read_text())["cohort"] for path in PRESETS]
    for name, value in ReadingLimits():
        assert {float(preset[name]) for preset in presets} == {value}
