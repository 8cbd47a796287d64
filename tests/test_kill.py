"""Every stage, killed at random moments and started again, gives the bytes of a run that nothing interrupted.

The stages run on a tiny random base, in processes of their own, without DVC; a stage's outputs are deleted before it
starts, as DVC does.
"""

import hashlib
import os
import random
import shutil
import signal
import time
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.changes import write_changed
from pipeline.figures import OF_THE_ADAPTER

from .fresh_processes import forkserver
from .settings import PRESET

ROOT = Path(__file__).parents[1]
SECONDS = 45.0
"""Every stage is killed once, and then more often until this time is over."""

CHANGES = {
    "data.simulated.cases_per_label": 6,
    "cohort.min_cases_per_label": 3,
    "cohort.max_out_of_scope_cases": 5,
    "text.max_tokens": 400,
    "model.max_seq_length": 512,
    "lora.r": 4,
    "train.continue_from": None,
    "train.max_steps": 6,
    "train.batch_size": 2,
    "train.save_every_steps": 2,
    "train.log_every_steps": 3,
    "train.evaluate_every_steps": 3,
    "train.validation_cases": 8,
    "tabular.trees": 4,
    "evaluate.bootstrap_samples": 20,
}


def _names(entries: list) -> list[str]:
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def _overlap(one: str, other: str) -> bool:
    """Whether one of the paths is the other or inside it."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def stages() -> dict[str, list[str]]:
    """Every stage of dvc.yaml with its outputs, each stage after those that it depends on."""
    document = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    outputs = {
        name: [path for kind in ("outs", "metrics", "plots") for path in _names(stage.get(kind, []))]
        for name, stage in document.items()
    }
    before = {
        name: {
            other
            for other, paths in outputs.items()
            if any(_overlap(dep, path) for dep in stage["deps"] for path in paths)
        }
        for name, stage in document.items()
    }
    return {name: outputs[name] for name in TopologicalSorter(before).static_order()}


def run_stage(folder: Path, stage: str) -> None:
    """Run a stage in ``folder``, in this process; what it prints goes to a file beside the folder."""
    import importlib

    import torch

    from pipeline.params import run

    torch.set_num_threads(1)
    os.chdir(folder)
    with (folder.parent / f"{stage}.log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    run(importlib.import_module(f"stages.{stage}").main)


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file but those of ``scratch``, by path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] != "scratch"
    }


def delete(folder: Path, outputs: list[str]) -> None:
    for output in outputs:
        path = folder / output
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def workplace(tiny_gemma3, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("kill") / "repository"
    folder.mkdir()
    write_changed(PRESET, CHANGES | {"model.base": str(tiny_gemma3)}, folder / "params.yaml")
    return folder


def test_every_stage_killed_at_random_moments_and_restarted_gives_equal_hashes(workplace):
    processes = forkserver()

    def started(stage: str):
        process = processes.Process(target=run_stage, args=(workplace, stage))
        process.start()
        return process

    def finished(stage: str) -> None:
        process = started(stage)
        process.join()
        assert process.exitcode == 0, (workplace.parent / f"{stage}.log").read_text()[-2000:]

    durations = {}
    for stage in stages():
        began = time.monotonic()
        finished(stage)
        durations[stage] = time.monotonic() - began
    whole = hashes(workplace)
    assert {"models/adapter/adapter_model.safetensors", "models/merged/model.safetensors"} <= set(whole)

    forgotten: set[str] = set()
    seed = random.SystemRandom().randrange(1 << 32)
    rng = random.Random(seed)
    began, rounds = time.monotonic(), 0
    while rounds == 0 or time.monotonic() - began < SECONDS:
        for stage, outputs in stages().items():
            delete(workplace, outputs)
            ending = rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
            process = started(stage)
            process.join(rng.uniform(0, durations[stage]))
            if process.exitcode is None:
                os.kill(process.pid, ending)
            process.join()
            assert process.exitcode in (0, -ending, 128 + ending), (seed, stage, process.exitcode)
            delete(workplace, outputs)
            finished(stage)
            # Training deletes the metrics of the adapter that it replaces, until the stages after it write them again.
            if stage == "train_lora":
                forgotten |= {path.as_posix() for path in OF_THE_ADAPTER}
            forgotten -= set(outputs)
            expected = {path: digest for path, digest in whole.items() if path not in forgotten}
            assert hashes(workplace) == expected, f"seed {seed}, round {rounds}: {stage} killed by {ending.name}"
            if rounds and time.monotonic() - began > SECONDS:
                break
        rounds += 1
