"""The unsloth backend, for real: 2026.10.9 trains on a CPU too. It has to be imported first, hence the processes."""

import json
import re
import subprocess
import sys
from importlib.metadata import requires, version
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from safetensors.torch import load_file

from cancertype.errors import InputError
from cancertype.finetune import finetune
from tests.finetune_runs import LABEL_TEXTS, contents, curve, job, write_split

ROOT = Path(__file__).parents[1]
INSTALL = "pip install --no-deps -r requirements-unsloth-cpu.txt"
needs_unsloth = pytest.mark.skipif(find_spec("unsloth") is None, reason=f"unsloth is not installed: {INSTALL}")

RUNS = {
    "gemma3": {"base": "tiny_gemma3"},
    "gemma2": {"base": "tiny_gemma2", "gradient_checkpointing": True},
    "embeddings": {"base": "tiny_gemma3", "lora": {"train_embeddings": True}},
    "label_tokens": {"base": "tiny_gemma3", "lora": {"train_embeddings": "label_tokens"}},
}

TRAIN = """
import sys
from pathlib import Path
import torch
from tests.finetune_runs import job
from cancertype.errors import InputError
from cancertype.finetune import finetune
torch.set_num_threads(1)
splits, folder, runs = eval(sys.argv[1])
for name, (base, changes) in runs.items():
    run = job(splits, base, folder / name, backend="unsloth", **changes)
    finetune(run)
try:
    finetune(job(splits, base, folder / "none", backend="unsloth", model={"load_in_4bit": True}))
except InputError as error:
    (folder / "4bit").write_text(str(error))
"""


def in_a_process_of_its_own(code: str, *argv: str) -> subprocess.CompletedProcess:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"
    return subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True)


@pytest.fixture(scope="module")
def splits(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("text")
    return {
        "train": write_split(folder / "train.parquet", 60),
        "validation": write_split(folder / "validation.parquet", 18, shift=60),
    }


@pytest.fixture(scope="module")
def both(splits, tiny_gemma3, tiny_gemma2, tmp_path_factory) -> dict[str, Path]:
    """Each run by each backend: backend to the folder that holds a folder per run."""
    folders = {backend: tmp_path_factory.mktemp(backend) for backend in ("trl", "unsloth")}
    bases = {"tiny_gemma3": tiny_gemma3, "tiny_gemma2": tiny_gemma2}
    runs = {
        name: (bases[run["base"]], {key: value for key, value in run.items() if key != "base"})
        for name, run in RUNS.items()
    }
    # Paths and plain values: their repr is the code that makes them.
    plan = repr((splits, folders["unsloth"], runs)).replace("PosixPath", "Path")
    done = in_a_process_of_its_own(TRAIN, plan)
    assert done.returncode == 0, done.stderr[-3000:]
    for name, (base, changes) in runs.items():
        finetune(job(splits, base, folders["trl"] / name, **changes))
    return folders


@needs_unsloth
@pytest.mark.parametrize("run", RUNS)
def test_both_backends_have_the_same_losses(both, run):
    """Within 1e-3 of each other: on a CPU unsloth takes the fused AdamW, which rounds otherwise."""
    for name in ("training", "validation"):
        ours, theirs = (curve(folder / run, name) for folder in both.values())
        assert [row["step"] for row in theirs] == [row["step"] for row in ours]
        assert [row["loss"] for row in theirs] == pytest.approx([row["loss"] for row in ours], rel=1e-3)
    assert theirs[-1]["loss"] < theirs[0]["loss"]


@needs_unsloth
@pytest.mark.parametrize("run", RUNS)
def test_both_backends_save_the_same_adapter_layout(both, run):
    ours, theirs = (contents(folder / run / "adapter") for folder in both.values())
    assert list(theirs) == list(ours)
    assert theirs["adapter_config.json"] == ours["adapter_config.json"]
    ours, theirs = (load_file(folder / run / "adapter" / "adapter_model.safetensors") for folder in both.values())
    assert {name: weight.shape for name, weight in theirs.items()} == {
        name: weight.shape for name, weight in ours.items()
    }


@needs_unsloth
@pytest.mark.parametrize("run", RUNS)
def test_both_backends_merge_to_the_same_answers(both, run, splits, request):
    from cancertype.language_model.loading import load_model, load_tokenizer
    from cancertype.scoring.likelihood import score_labels
    from cancertype.scoring.merging import merge

    base = request.getfixturevalue(RUNS[run]["base"])
    prompts = pq.read_table(splits["validation"])["prompt"].to_pylist()[:6]
    texts = list(LABEL_TEXTS.values())
    scores = []
    for folder in both.values():
        merge(base, folder / run / "adapter", folder / run / "merged", prompts, texts, tolerance=0.05)
        merged = folder / run / "merged"
        scores.append(score_labels(load_model(merged), load_tokenizer(merged), prompts, texts, batch_size=6))
    assert abs(scores[0] - scores[1]).max() < 0.05


def test_a_process_that_imported_transformers_first_is_refused(splits, tiny_gemma3, tmp_path):
    with pytest.raises(InputError, match=r"was imported before it.*process of its own"):
        finetune(job(splits, tiny_gemma3, tmp_path, backend="unsloth"))


def test_where_unsloth_is_absent_the_error_says_what_to_do():
    code = "sys.modules['unsloth'] = None\nimport cancertype.finetune.unsloth"
    done = in_a_process_of_its_own(code)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1 and last.startswith("cancertype.errors.InputError: train.backend is unsloth")
    assert "requirements-gpu.txt" in last and INSTALL in last and "set train.backend to trl" in last


@needs_unsloth
def test_4_bits_with_unsloth_off_a_gpu_are_refused(both):
    assert "model.load_in_4bit is true, but PyTorch sees no GPU" in (both["unsloth"] / "4bit").read_text()


def pins(name: str) -> dict[str, str]:
    """Package to pinned version, of a requirements file and those that it includes."""
    found = {}
    for line in (ROOT / name).read_text().splitlines():
        if line.startswith("-r "):
            found |= pins(line.removeprefix("-r ").strip())
        elif line and not line.startswith("#"):
            package, pin = re.fullmatch(r"([\w.-]+)==([\w.]+)", line).groups()
            found[canonicalize_name(package)] = pin
    return found


@needs_unsloth
def test_the_gpu_pins_satisfy_what_unsloth_declares():
    pinned = pins("requirements-gpu.txt")
    assert {name: pinned[name] for name in ("unsloth", "unsloth-zoo")} == {
        name: version(name) for name in ("unsloth", "unsloth-zoo")
    }
    environment = {"extra": "", "sys_platform": "linux", "platform_machine": "x86_64"}
    declared = [Requirement(text) for package in ("unsloth", "unsloth_zoo") for text in requires(package)]
    ranges = [need for need in declared if need.marker is None or need.marker.evaluate(environment)]
    checked = {canonicalize_name(need.name) for need in ranges} & set(pinned)
    assert {"torch", "transformers", "trl", "peft", "datasets", "bitsandbytes", "xformers", "torchvision"} <= checked
    for need in ranges:
        pin = pinned.get(canonicalize_name(need.name))
        assert pin is None or need.specifier.contains(pin), f"{need} is declared, {pin} pinned"


def test_the_cpu_pins_of_unsloth_are_those_for_a_gpu():
    gpu = pins("requirements-gpu.txt")
    assert all(gpu[name] == pin for name, pin in pins("requirements-unsloth-cpu.txt").items())


@needs_unsloth
def test_the_report_names_the_backend(both):
    assert json.loads((both["unsloth"] / "gemma3" / "adapter" / "training.json").read_text())["train"]["backend"] == (
        "unsloth"
    )
