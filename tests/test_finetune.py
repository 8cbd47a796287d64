"""Fine-tuning runs, start to end, on a tiny Gemma: what is written, what a kill leaves, what is refused."""

import json
import logging
import math
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import traceback
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import Gemma3TextConfig

from cancertype.errors import InputError
from cancertype.features import view_files
from cancertype.finetune import Job, finetune
from cancertype.finetune import adapter as adapter_module
from cancertype.finetune import run as training_run
from cancertype.finetune.trainer import PlannedTraining
from cancertype.language_model.loading import LARGEST_ON_CPU, parameter_count
from cancertype.publishing import hub
from tests.finetune_runs import LABEL_TEXTS, SHORT_RUN, contents, curve, job, write_split
from tests.fresh_processes import forkserver


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """So small a model only loses time by threads, on a busy machine much of it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def splits(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("text")
    return {
        "train": write_split(folder / "train.parquet", 60),
        "validation": write_split(folder / "validation.parquet", 18, shift=60),
    }


@pytest.fixture(scope="module")
def finished(splits, tiny_gemma3, tmp_path_factory) -> tuple[Path, dict]:
    """A run that nothing interrupted: its folder and its report."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, finetune(job(splits, tiny_gemma3, folder))


# What a run writes


def test_the_adapter_folder_holds_weights_configuration_and_report_alone(finished):
    folder, _ = finished
    assert sorted(contents(folder / "adapter")) == ["adapter_config.json", "adapter_model.safetensors", "training.json"]
    assert not any((folder / "scratch").iterdir()), "the checkpoints of a finished run are gone"


def test_the_adapter_names_its_base_by_id_and_no_path_of_this_machine(finished):
    folder, _ = finished
    files = contents(folder / "adapter")
    config = json.loads(files["adapter_config.json"])
    assert config["base_model_name_or_path"] == "tiny-gemma3"
    assert config["target_modules"] == sorted(config["target_modules"])
    for name in ("adapter_config.json", "training.json"):
        assert str(folder.parent).encode() not in files[name] and b"/tmp" not in files[name]


def test_the_same_run_gives_the_same_bytes(finished, splits, tiny_gemma3, tmp_path):
    folder, _ = finished
    finetune(job(splits, tiny_gemma3, tmp_path))
    assert contents(tmp_path / "adapter") == contents(folder / "adapter")
    assert contents(tmp_path / "log") == contents(folder / "log")


def test_the_loss_falls_and_the_curves_hold_every_step(splits, tiny_gemma3, tmp_path):
    report = finetune(job(splits, tiny_gemma3, tmp_path, max_steps=24, evaluate_every_steps=8))
    training, validation = curve(tmp_path), curve(tmp_path, "validation")
    assert [row["step"] for row in training] == list(range(1, 25))
    assert [row["step"] for row in validation] == [8, 16, 24]
    assert training[-1]["epoch"] == pytest.approx(24 * 8 / 60, abs=1e-3)
    assert validation[-1]["loss"] < 0.7 * validation[0]["loss"]
    assert report["validation_loss_last"] == validation[-1]["loss"]
    assert report["steps"] == 24 and report["cases"] == 192


def test_a_run_shorter_than_its_intervals_is_logged_and_evaluated_at_its_end(splits, tiny_gemma3, tmp_path):
    intervals = {"log_every_steps": 50, "evaluate_every_steps": 50, "save_every_steps": 50}
    finetune(job(splits, tiny_gemma3, tmp_path, max_steps=2, **intervals))
    assert [row["step"] for row in curve(tmp_path)] == [row["step"] for row in curve(tmp_path, "validation")] == [2]


def test_a_teacher_is_followed_as_far_as_its_share_and_never_changes_what_validation_asks(
    splits, tiny_gemma3, tmp_path
):
    ids = pq.read_table(splits["train"], columns=["case_id"])
    always = pq.read_table(splits["validation"])["label"][0].as_py()
    one_answer = {label: pa.array([float(label == always)] * len(ids)) for label in LABEL_TEXTS}
    itself = {"case_id": ids["case_id"], "copy": pa.array([0] * len(ids))}
    pq.write_table(pa.table(itself | one_answer), tmp_path / "teacher.parquet")

    def trained(share: float) -> dict:
        run = job(splits, tiny_gemma3, tmp_path / str(share), loss="labels", max_steps=16, teacher_share=share)
        return finetune(replace(run, teacher=tmp_path / "teacher.parquet"))

    truth = pq.read_table(splits["validation"])["label"].to_pylist()
    followed, ignored = trained(1.0), trained(0.0)
    assert followed["validation_accuracy_last"] == pytest.approx(truth.count(always) / len(truth)), (
        "it says as the teacher"
    )
    assert followed["training_loss_last"] < 0.2 < ignored["validation_loss_last"] < followed["validation_loss_last"]


def test_views_take_turns_by_epoch_and_cases_start_at_different_ones(splits, tiny_gemma3, tmp_path):
    train = pq.read_table(splits["train"])
    other = train.set_column(train.column_names.index("prompt"), "prompt", pa.array(["none\ncancer:"] * len(train)))
    other = other.set_column(
        other.column_names.index("mutations"),
        "mutations",
        pa.array([[]] * len(train), train.schema.field("mutations").type),
    )
    epoch = math.ceil(len(train) / SHORT_RUN["batch_size"])

    def trained(name: str, views: list) -> dict:
        path = tmp_path / f"{name}.parquet"
        pq.write_table(view_files.under_one_another(list(enumerate(views)), "copy", like=train), path)
        return finetune(replace(job(splits, tiny_gemma3, tmp_path / name, max_steps=epoch + 2), views=path))

    plain = finetune(job(splits, tiny_gemma3, tmp_path / "plain", max_steps=epoch + 2))
    assert trained("one", [train])["versions"] == plain["versions"] == 1
    assert contents(tmp_path / "one" / "adapter") == contents(tmp_path / "plain" / "adapter")
    assert trained("two", [train, other])["versions"] == 2
    # Every second case starts at its second view.
    turn = [row if row % 2 == 0 else len(train) + row for row in range(len(train))]
    trained("mixed", [pa.concat_tables([train, other]).take(turn)])
    losses = [[row["loss"] for row in curve(tmp_path / name)] for name in ("mixed", "two")]
    assert losses[0][:epoch] == losses[1][:epoch] and losses[0][epoch:] != losses[1][epoch:]


def test_the_adapter_answers_as_the_report_says(finished, splits, tiny_gemma3):
    """The validation loss of the report, from the saved adapter and the stock forward pass."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, report = finished
    tokenizer = AutoTokenizer.from_pretrained(tiny_gemma3)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_gemma3), folder / "adapter").eval()
    losses = []
    for row in pq.read_table(splits["validation"]).to_pylist():
        completion = tokenizer(row["completion"], add_special_tokens=False)["input_ids"]
        ids = torch.tensor([tokenizer(row["prompt"])["input_ids"] + completion])
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, -len(completion) - 1 : -1].log_softmax(-1)
        losses.append(-logits[torch.arange(len(completion)), torch.tensor(completion)].sum())
    assert torch.stack(losses).mean().item() == pytest.approx(report["validation_loss_last"], rel=1e-4)


def test_accumulated_micro_batches_are_one_batch(finished, splits, tiny_gemma3, tmp_path):
    folder, _ = finished
    finetune(job(splits, tiny_gemma3, tmp_path, batch_size=2, gradient_accumulation_steps=4))
    whole, parts = curve(folder), curve(tmp_path)
    assert [row["loss"] for row in parts] == pytest.approx([row["loss"] for row in whole], rel=1e-4)


def test_gradient_checkpointing_changes_no_loss(finished, splits, tiny_gemma3, tmp_path):
    folder, _ = finished
    finetune(job(splits, tiny_gemma3, tmp_path, gradient_checkpointing=True))
    assert [row["loss"] for row in curve(tmp_path)] == pytest.approx([row["loss"] for row in curve(folder)], rel=1e-4)


def test_the_learning_rate_follows_its_schedule(splits, tiny_gemma3, tmp_path):
    rates = {}
    for scheduler in ("linear", "cosine", "constant"):
        folder = tmp_path / scheduler
        finetune(job(splits, tiny_gemma3, folder, max_steps=10, scheduler=scheduler, warmup_fraction=0.2))
        rates[scheduler] = [row["learning_rate"] / 1e-2 for row in curve(folder)]
    assert all(rate[:3] == pytest.approx([0, 0.5, 1]) for rate in rates.values())
    assert rates["linear"][6] == pytest.approx(0.5) and rates["cosine"][6] == pytest.approx(0.5)
    assert rates["linear"][4] == pytest.approx(0.75) and rates["cosine"][4] == pytest.approx(0.853553, abs=1e-5)
    assert set(rates["constant"][2:]) == {1.0}


@pytest.mark.parametrize("loss", ["labels", "text"])
def test_other_losses_train_too(splits, tiny_gemma2, tmp_path, loss):
    report = finetune(
        job(splits, tiny_gemma2, tmp_path, loss=loss, max_steps=16, balance_labels=True, optimizer="adamw_8bit")
    )
    assert report["training_loss_last"] < 0.8 * report["training_loss_first"]


def test_early_stopping_keeps_the_best_adapter(splits, tiny_gemma3, tmp_path):
    settings = {"scheduler": "constant", "evaluate_every_steps": 2, "learning_rate": 0.3}
    early = finetune(job(splits, tiny_gemma3, tmp_path / "early", early_stopping_patience=2, max_steps=60, **settings))
    assert early["stopped_early"] and early["best_step"] == early["steps"] - 4
    finetune(job(splits, tiny_gemma3, tmp_path / "best", max_steps=early["best_step"], **settings))
    names = ("early", "best")
    kept, best = (load_file(tmp_path / name / "adapter" / "adapter_model.safetensors") for name in names)
    assert all(torch.equal(kept[key], best[key]) for key in best)


# Killed and resumed


def _die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)


def _on_call(number: int, method):
    """``method``, but its call of that number kills the process at once."""
    calls = iter(range(1, 1_000_000))

    def called(*args, **kwargs):
        return _die() if next(calls) == number else method(*args, **kwargs)

    return called


def run_and_die(run: Job, moment: str) -> None:
    torch.set_num_threads(1)
    from transformers import Trainer

    from cancertype import files
    from cancertype.finetune import adapter, trainer
    from cancertype.finetune import run as running

    owner, name, call = {
        "before the first checkpoint": (trainer.PlannedTraining, "compute_loss", 2),
        "half-way through a checkpoint": (Trainer, "_save_rng_state", 2),
        "before a checkpoint is complete": (trainer, "mark_complete", 2),
        "after the last step": (adapter, "write", 1),
        "while the adapter is saved": (files, "replace_folder", 1),
        "before the report is saved": (running, "write_text", 1),
    }[moment]
    setattr(owner, name, _on_call(call, getattr(owner, name)))
    finetune(run)


def run_and_report_error(run: Job, answer, largest_file: int | None, room_is_checked: bool) -> None:
    torch.set_num_threads(1)
    from cancertype.finetune import run as running

    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    if not room_is_checked:
        running.check_room = lambda *arguments: None
    try:
        finetune(run)
    except InputError as error:
        answer.send(str(error))


@pytest.fixture(scope="module")
def processes():
    return forkserver()


@pytest.mark.parametrize(
    "moment, resumes_at",
    [
        ("before the first checkpoint", None),
        ("half-way through a checkpoint", 2),
        ("before a checkpoint is complete", 2),
        ("after the last step", 6),
        ("while the adapter is saved", 6),
        ("before the report is saved", 6),
    ],
)
def test_a_killed_run_resumes_to_the_same_bytes(moment, resumes_at, finished, splits, tiny_gemma3, tmp_path, processes):
    folder, whole = finished
    run = job(splits, tiny_gemma3, tmp_path, fields={"metrics": tmp_path / "training.json"})
    killed = processes.Process(target=run_and_die, args=(run, moment))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert (tmp_path / "adapter").exists() == (moment == "before the report is saved")
    # DVC deletes a stage's outputs before it runs the stage again.
    for output in ("log", "adapter"):
        shutil.rmtree(tmp_path / output, ignore_errors=True)
    report = finetune(run)
    assert contents(tmp_path / "adapter") == contents(folder / "adapter")
    tracked = json.loads((tmp_path / "training.json").read_text())
    assert tracked == {name: report[name] for name in ("validation_loss_best", "validation_accuracy_last")}
    if resumes_at == 6:
        assert report["steps_timed"] == 0 and report["cases_per_second"] is report["tokens_per_second"] is None
    assert report["resumed_from_step"] == resumes_at
    assert contents(tmp_path / "adapter") == contents(folder / "adapter")
    assert contents(tmp_path / "log") == contents(folder / "log")
    assert whole["resumed_from_step"] is None
    assert not any((tmp_path / "scratch").iterdir())
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["adapter", "log", "scratch", "training.json"]


def test_a_run_killed_between_two_logs_has_the_same_curves(splits, tiny_gemma3, tmp_path, processes):
    intervals = {"log_every_steps": 5, "save_every_steps": 2, "evaluate_every_steps": 5}
    finetune(job(splits, tiny_gemma3, tmp_path / "whole", **intervals))
    run = job(splits, tiny_gemma3, tmp_path / "killed", **intervals)
    killed = processes.Process(target=run_and_die, args=(run, "before a checkpoint is complete"))
    killed.start()
    killed.join()
    assert finetune(run)["resumed_from_step"] == 2
    for part in ("adapter", "log"):
        assert contents(tmp_path / "killed" / part) == contents(tmp_path / "whole" / part)


def run_and_terminate(run: Job) -> None:
    """SIGTERM arrives in the middle of the third step."""
    torch.set_num_threads(1)
    from cancertype.finetune import trainer

    calls, compute_loss = iter(range(1, 1_000_000)), trainer.PlannedTraining.compute_loss

    def terminated(*args, **kwargs):
        if next(calls) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return compute_loss(*args, **kwargs)

    trainer.PlannedTraining.compute_loss = terminated
    finetune(run)


def test_sigterm_ends_training_with_a_checkpoint_of_the_current_step(
    finished, splits, tiny_gemma3, tmp_path, processes
):
    folder, _ = finished
    run = job(splits, tiny_gemma3, tmp_path)
    terminated = processes.Process(target=run_and_terminate, args=(run,))
    terminated.start()
    terminated.join()
    assert terminated.exitcode == 128 + signal.SIGTERM
    assert not (tmp_path / "adapter").exists()
    assert finetune(run)["resumed_from_step"] == 3
    assert contents(tmp_path / "adapter") == contents(folder / "adapter")
    assert contents(tmp_path / "log") == contents(folder / "log")


def test_a_checkpoint_keeps_no_copy_of_the_tokenizer(splits, tiny_gemma3, tmp_path, processes):
    killed = processes.Process(target=run_and_die, args=(job(splits, tiny_gemma3, tmp_path), "after the last step"))
    killed.start()
    killed.join()
    names = {path.name for path in (tmp_path / "scratch").rglob("*")}
    assert "adapter_model.safetensors" in names and not [name for name in names if "token" in name]


def test_speed_goes_to_a_log_of_its_own_and_not_into_the_report(splits, tiny_gemma3, tmp_path):
    fields = {"metrics": tmp_path / "training.json", "timings": tmp_path / "times" / "runs.jsonl"}
    for _ in range(2):
        returned = finetune(job(splits, tiny_gemma3, tmp_path, fields=fields))
    report = json.loads((tmp_path / "adapter" / "training.json").read_text())
    times = [json.loads(line) for line in fields["timings"].read_text().splitlines()]
    assert len(times) == 2 and times[0]["seconds"] > 0 and times[1]["cases_per_second"] == returned["cases_per_second"]
    assert not set(report) & (set(times[0]) - {"steps"})
    assert report == {key: returned[key] for key in report}


def test_a_damaged_checkpoint_is_passed_over_and_other_settings_never_resume(
    finished, splits, tiny_gemma3, tmp_path, processes
):
    folder, _ = finished
    run = job(splits, tiny_gemma3, tmp_path)
    killed = processes.Process(target=run_and_die, args=(run, "after the last step"))
    killed.start()
    killed.join()
    (scratch,) = (tmp_path / "scratch").iterdir()
    with (scratch / "checkpoint-6" / "optimizer.pt").open("r+b") as file:
        file.seek(1000)
        file.write(b"\0damage\0")
    faster = run.train_settings.model_copy(update={"learning_rate": 2.0e-2})
    other = finetune(replace(run, train_settings=faster, out=tmp_path / "other"))
    assert other["resumed_from_step"] is None
    assert finetune(replace(run, seed=1, out=tmp_path / "other"))["resumed_from_step"] is None
    assert finetune(run)["resumed_from_step"] == 4
    assert contents(tmp_path / "adapter") == contents(folder / "adapter")


def test_an_early_stop_is_not_undone_by_a_resume(splits, tiny_gemma3, tmp_path, processes):
    settings = {"evaluate_every_steps": 1, "learning_rate": 0.5, "early_stopping_patience": 1, "max_steps": 60}
    whole = finetune(job(splits, tiny_gemma3, tmp_path / "whole", **settings))
    run = job(splits, tiny_gemma3, tmp_path / "killed", **settings)
    killed = processes.Process(target=run_and_die, args=(run, "after the last step"))
    killed.start()
    killed.join()
    report = finetune(run)
    assert whole["stopped_early"] and report["resumed_from_step"] == whole["steps"] == report["steps"]
    assert contents(tmp_path / "killed" / "adapter") == contents(tmp_path / "whole" / "adapter")


def failure_of(run: Job, processes, largest_file: int | None = None, *, room_is_checked: bool = True) -> str:
    """The error that stops the run, in a process of its own that may write files of so many bytes."""
    answer, theirs = multiprocessing.Pipe(duplex=False)
    limited = processes.Process(target=run_and_report_error, args=(run, theirs, largest_file, room_is_checked))
    limited.start()
    theirs.close()
    message = answer.recv()
    limited.join()
    return message


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one MiB, which only root can make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_file_that_cannot_grow_is_a_clear_error_and_leaves_nothing_half_written(
    splits, tiny_gemma3, finished, tmp_path, processes
):
    folder, _ = finished
    run = job(splits, tiny_gemma3, tmp_path)
    message = failure_of(run, processes, largest_file=20_000)
    assert "writing failed" in message and "MiB are free" in message and "Make room" in message
    assert not (tmp_path / "adapter").exists()
    assert finetune(run)["steps"] == 6
    assert contents(tmp_path / "adapter") == contents(folder / "adapter")


def test_a_full_disk_stops_the_run_which_goes_on_once_there_is_room(
    splits, tiny_gemma3, finished, tmp_path, processes, small_disk
):
    folder, _ = finished
    run = replace(job(splits, tiny_gemma3, tmp_path), scratch=small_disk / "scratch")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(700_000))
    message = failure_of(run, processes)
    assert "MiB free" in message and "are needed" in message, "refused before it trains"
    assert not (small_disk / "scratch").exists() and not (tmp_path / "log").exists()
    message = failure_of(run, processes, room_is_checked=False)
    assert "writing failed" in message and "0 MiB are free" in message and "Make room" in message
    assert not (tmp_path / "adapter").exists()
    filler.unlink()
    report = finetune(run)
    assert report["resumed_from_step"] == 2, "what was whole before the disk was full"
    assert contents(tmp_path / "adapter") == contents(folder / "adapter")


def test_a_disk_that_is_full_when_the_adapter_is_written_costs_no_training(
    splits, tiny_gemma3, finished, tmp_path, processes, small_disk
):
    folder, _ = finished
    run = replace(job(splits, tiny_gemma3, tmp_path), out=small_disk / "adapter")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1 << 20))
    message = failure_of(run, processes, room_is_checked=False)
    assert "writing failed" in message and "Make room" in message
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
    filler.unlink()
    assert finetune(run)["resumed_from_step"] == 6
    assert contents(small_disk / "adapter") == contents(folder / "adapter")


def test_room_for_copies_of_the_adapter_is_checked_before_training(splits, tiny_gemma3, tmp_path, small_disk):
    (small_disk / "filler").write_bytes(bytes(1 << 20))
    with pytest.raises(InputError, match=r"0 MiB free.*The adapter takes"):
        finetune(job(splits, tiny_gemma3, tmp_path, fields={"copied_to": (small_disk / "cache",)}))
    assert not (tmp_path / "scratch").exists()


def test_a_loss_that_is_not_finite_stops_the_run_with_advice(splits, tiny_gemma3, tmp_path):
    with pytest.raises(InputError, match=r"loss is (nan|inf) at step \d+.*Lower train.learning_rate"):
        finetune(job(splits, tiny_gemma3, tmp_path, learning_rate=1.0e30))
    assert not (tmp_path / "adapter").exists()


def test_a_share_for_a_teacher_that_is_not_there_is_refused_before_anything_is_loaded(splits, tmp_path):
    run = job(splits, tmp_path / "no base", tmp_path, loss="labels", teacher_share=0.5)
    with pytest.raises(InputError, match=r"train.teacher_share is 0.5, but no teacher.*set train.teacher_share to 0"):
        finetune(run)
    assert not any(tmp_path.iterdir())


# Continued training


def test_training_continues_from_an_adapter_and_says_so(finished, splits, tiny_gemma3, tmp_path):
    folder, first = finished
    run = job(splits, tiny_gemma3, tmp_path, continue_from=str(folder / "adapter"))
    report = finetune(replace(run, seed=8))
    assert report["continued_from"]["name"] == str(folder / "adapter")
    assert report["continued_from"]["steps"] == 6 and report["steps_in_all"] == 12
    assert report["cases_in_all"] == 2 * first["cases"]
    assert report["training_loss_first"] < 0.8 * first["training_loss_first"]


def test_a_revision_that_the_caller_fetched_is_named_as_it_was_asked_for(finished, splits, tiny_gemma3, tmp_path):
    folder, _ = finished
    run = job(splits, tiny_gemma3, tmp_path, continue_from="v1.0", max_steps=1)
    report = finetune(replace(run, continue_from=folder / "adapter"))
    assert report["continued_from"]["name"] == "v1.0"
    assert str(folder) not in (tmp_path / "adapter" / "training.json").read_text()


@pytest.mark.parametrize("embeddings", [True, "label_tokens"])
def test_training_continues_from_trained_embeddings(embeddings, splits, tiny_gemma3, tmp_path):
    lora = {"train_embeddings": embeddings}
    finetune(job(splits, tiny_gemma3, tmp_path / "first", lora=lora, max_steps=2))
    first = str(tmp_path / "first" / "adapter")
    report = finetune(job(splits, tiny_gemma3, tmp_path / "second", lora=lora, max_steps=2, continue_from=first))
    assert report["steps_in_all"] == 4
    with pytest.raises(InputError, match="but the lora section says"):
        finetune(job(splits, tiny_gemma3, tmp_path / "third", max_steps=2, continue_from=first))


def test_whole_embeddings_are_stored_in_the_dtype_of_the_base_and_the_adapter_answers_as_trained(
    splits, tiny_gemma3, tmp_path
):
    from cancertype.language_model.loading import load_model
    from cancertype.scoring.merging import merge

    base = shutil.copytree(tiny_gemma3, tmp_path / "base")
    load_model(tiny_gemma3, dtype="bfloat16", device="cpu").save_pretrained(base)
    lora, rate = {"train_embeddings": True}, {"embedding_learning_rate": 1.0e-2}
    finetune(job(splits, base, tmp_path, lora=lora, max_steps=2, **rate))
    weights = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert [name for name in weights if "lora" not in name] == ["base_model.model.model.embed_tokens.weight"]
    assert weights["base_model.model.model.embed_tokens.weight"].dtype == torch.bfloat16
    assert {weight.dtype for name, weight in weights.items() if "lora" in name} == {torch.float32}
    prompts = pq.read_table(splits["validation"])["prompt"].to_pylist()[:4]
    merge(base, tmp_path / "adapter", tmp_path / "merged", prompts, list(LABEL_TEXTS.values()), tolerance=1.0)
    stored = load_file(tmp_path / "merged" / "model.safetensors")["model.embed_tokens.weight"]
    assert torch.equal(stored, weights["base_model.model.model.embed_tokens.weight"])


def test_an_adapter_with_a_trained_embedding_goes_on_from_what_is_stored_or_published(splits, tiny_gemma3, tmp_path):
    lora, rate = {"train_embeddings": True}, {"embedding_learning_rate": 1.0e-2}
    finetune(job(splits, tiny_gemma3, tmp_path / "first", lora=lora, max_steps=2, **rate))
    first, published = tmp_path / "first" / "adapter", tmp_path / "published"
    hub.assemble_lora(published, adapter=first, base="google/gemma-3-270m", terms=tiny_gemma3, card="# An adapter")
    before = load_file(first / "adapter_model.safetensors")
    for earlier in (first, published):
        still = {"learning_rate": 1e-12, "embedding_learning_rate": 1e-12, "max_steps": 1}
        folder = tmp_path / f"from {earlier.name}"
        report = finetune(job(splits, tiny_gemma3, folder, lora=lora, continue_from=str(earlier), **still))
        after = load_file(folder / "adapter" / "adapter_model.safetensors")
        assert before.keys() == after.keys() and report["steps_in_all"] == 3
        assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)


def test_modules_to_save_are_compared_in_one_form():
    """unsloth names the head that is tied to the embedding, and PEFT changes the list that it is given in place."""
    asked = ["embed_tokens"]
    for stored in ([*asked], ["lm_head", "embed_tokens"], ["model.embed_tokens", "embed_tokens"], ("embed_tokens",)):
        assert adapter_module._normal(stored) == adapter_module._normal(asked)
    assert adapter_module._normal([]) is adapter_module._normal(None) is None
    assert adapter_module._normal(["q_proj"]) != adapter_module._normal(asked)


def test_on_a_gpu_the_optimizer_is_fused():
    assert training_run._optimizer("adamw_torch", "cuda") == "adamw_torch_fused"
    assert training_run._optimizer("adamw_torch", "cpu") == "adamw_torch"
    assert training_run._optimizer("adamw_8bit", "cuda") == "adamw_8bit"


class Waits(TorchDispatchMode):
    """Notes where values of tensors are asked for, each of which makes the CPU wait for a GPU."""

    places: ClassVar[list[str]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        by_mask = func.name() == "aten::index.Tensor" and any(i is not None and i.dtype == torch.bool for i in args[1])
        if by_mask or func.name() in ("aten::_local_scalar_dense", "aten::nonzero"):
            ours = [frame.name for frame in traceback.extract_stack() if "cancertype/finetune" in frame.filename]
            self.places.append(ours[-1])
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("loss", ["labels", "text"])
def test_in_a_step_the_cpu_waits_for_no_loss_but_the_last_steps(loss, splits, tiny_gemma3, tmp_path, monkeypatch):
    def watched(self, *arguments, **options):
        with Waits():
            return training_step(self, *arguments, **options)

    training_step = PlannedTraining.training_step
    monkeypatch.setattr(PlannedTraining, "training_step", watched)
    monkeypatch.setattr(Waits, "places", [])
    run = job(splits, tiny_gemma3, tmp_path, loss=loss, log_every_steps=9, evaluate_every_steps=9, save_every_steps=9)
    finetune(run)
    # In forward, transformers asks twice for each of its two masks whether there is any padding.
    assert Counter(Waits.places) == {"_stop_if_diverged": 5, "forward": 6 * 4}


def copied(adapter: Path, to: Path, name: str, **changes) -> Path:
    """A copy of an adapter with changed keys in one of its JSON files."""
    shutil.copytree(adapter, to)
    content = json.loads((to / name).read_text()) | changes
    (to / name).write_text(json.dumps(content))
    return to


def test_an_adapter_that_does_not_fit_is_refused_with_the_reason(finished, splits, tiny_gemma3, tmp_path):
    adapter = finished[0] / "adapter"
    done = json.loads((adapter / "training.json").read_text())
    other_base = {"base": done["base"] | {"id": "gemma-9", "sha256": {"model.safetensors": "0"}}}
    other_labels = {"label_texts": done["label_texts"] | {"OV": " ovary"}}
    cases = [
        (copied(adapter, tmp_path / "base", "training.json", **other_base), "trained on the base gemma-9"),
        (copied(adapter, tmp_path / "labels", "training.json", **other_labels), "label texts differ for OV"),
        (
            copied(adapter, tmp_path / "shape", "adapter_config.json", r=64),
            "whose r is 64, but the lora section says 4",
        ),
        (tmp_path / "absent" / "adapter" / "x", "neither a folder that exists nor a Hub id"),
        (tiny_gemma3, "is missing there"),
    ]
    for folder, reason in cases:
        with pytest.raises(InputError, match=reason):
            finetune(job(splits, tiny_gemma3, tmp_path, continue_from=str(folder)))


# Embeddings, 4 bits, several processes


@pytest.mark.parametrize("family", ["tiny_gemma3", "tiny_gemma2"])
@pytest.mark.parametrize("embeddings", [False, True, "label_tokens"])
def test_the_merged_model_answers_as_base_and_adapter(family, embeddings, splits, tmp_path, request):
    from cancertype.scoring.merging import merge

    base = request.getfixturevalue(family)
    rate = {"embedding_learning_rate": 1.0e-2}
    finetune(job(splits, base, tmp_path, lora={"train_embeddings": embeddings}, **rate))
    prompts = pq.read_table(splits["validation"])["prompt"].to_pylist()[:6]
    texts = list(LABEL_TEXTS.values())
    merge(base, tmp_path / "adapter", tmp_path / "merged", prompts, texts, tolerance=0.05)
    merged, before = (load_file(folder / "model.safetensors") for folder in (tmp_path / "merged", base))
    assert "lm_head.weight" not in merged, "the output head stays tied to the embedding"
    name = "model.embed_tokens.weight"
    moved = (merged[name].float() != before[name].float()).any(dim=1).nonzero().ravel().tolist()
    if embeddings == "label_tokens":
        from transformers import AutoTokenizer

        from cancertype.finetune.data import trie_of

        assert moved and set(moved) <= set(trie_of(LABEL_TEXTS, AutoTokenizer.from_pretrained(base)).choices)
    else:
        assert bool(moved) == bool(embeddings)


@pytest.mark.parametrize("embeddings", [True, "label_tokens"])
def test_embeddings_learn_at_their_own_rate(embeddings, splits, tiny_gemma3, tmp_path):
    """Adam's first step is as long as the learning rate, so the rate can be read off the weights."""
    lora = {"train_embeddings": embeddings}
    rates = {"learning_rate": 1.0e-2, "embedding_learning_rate": 1.0e-4, "max_steps": 1}
    finetune(job(splits, tiny_gemma3, tmp_path, lora=lora, **rates))
    after = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    before = load_file(tiny_gemma3 / "model.safetensors")["model.embed_tokens.weight"]
    trained = next(value for name, value in after.items() if "embed_tokens" in name)
    if embeddings == "label_tokens":
        config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
        before = before[config["trainable_token_indices"]["embed_tokens"]]
    assert (trained - before).abs().max().item() == pytest.approx(1e-4, rel=0.02)
    lora_b = next(value for name, value in after.items() if "lora_B" in name)
    assert lora_b.abs().max().item() == pytest.approx(1e-2, rel=0.02)


def test_a_killed_run_with_trained_embeddings_resumes_to_the_same_bytes(splits, tiny_gemma3, tmp_path, processes):
    for embeddings in (True, "label_tokens"):
        folder = tmp_path / str(embeddings)
        lora = {"train_embeddings": embeddings}
        finetune(job(splits, tiny_gemma3, folder / "whole", lora=lora))
        run = job(splits, tiny_gemma3, folder / "killed", lora=lora)
        killed = processes.Process(target=run_and_die, args=(run, "half-way through a checkpoint"))
        killed.start()
        killed.join()
        assert finetune(run)["resumed_from_step"] == 2
        assert contents(folder / "killed" / "adapter") == contents(folder / "whole" / "adapter")


@pytest.fixture(scope="module")
def wide_gemma(tiny_gemma3, tmp_path_factory) -> Path:
    """A tiny Gemma 3 as wide as bitsandbytes' 4-bit packing asks for."""
    from transformers import AutoConfig, AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("wide") / "base"
    shutil.copytree(tiny_gemma3, folder)
    config = AutoConfig.from_pretrained(tiny_gemma3)
    config.update({"hidden_size": 64, "intermediate_size": 128, "head_dim": 64, "query_pre_attn_scalar": 64})
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
    return folder


def test_settings_for_a_gpu_are_refused_on_a_cpu_unless_asked_for(tiny_gemma3, splits, tmp_path, monkeypatch):
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("a GPU is here, and training would use it")
    with pytest.raises(InputError, match=r"load_in_4bit is true, but PyTorch sees no GPU.*CANCERTYPE_ALLOW_CPU=1"):
        finetune(job(splits, tiny_gemma3, tmp_path, model={"load_in_4bit": True}))
    monkeypatch.setattr("cancertype.language_model.loading.LARGEST_ON_CPU", 10_000)
    with pytest.raises(InputError, match=r"the base has .* billion parameters, but PyTorch sees no GPU"):
        finetune(job(splits, tiny_gemma3, tmp_path))
    monkeypatch.setenv("CANCERTYPE_ALLOW_CPU", "1")
    assert finetune(job(splits, tiny_gemma3, tmp_path, max_steps=1))["steps"] == 1


def test_every_base_that_is_meant_for_a_gpu_is_too_large_for_a_cpu():
    """By the published shapes: the base of params/gpu-smoke.yaml and the packaged one."""
    shapes = {
        999_885_952: {"hidden_size": 1152, "intermediate_size": 6912, "num_hidden_layers": 26},
        268_098_176: {"hidden_size": 640, "intermediate_size": 2048, "num_hidden_layers": 18},
    }
    for parameters, shape in shapes.items():
        heads = {"num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256}
        assert parameter_count(Gemma3TextConfig(vocab_size=262_144, **heads, **shape)) == parameters
    assert min(shapes) < LARGEST_ON_CPU < max(shapes)


def test_a_4_bit_base_trains_and_evaluates_and_merges_onto_16_bits(wide_gemma, splits, tmp_path, monkeypatch):
    from cancertype.scoring.merging import merge

    monkeypatch.setenv("CANCERTYPE_ALLOW_CPU", "1")
    report = finetune(
        job(splits, wide_gemma, tmp_path, model={"load_in_4bit": True}, max_steps=30, evaluate_every_steps=10)
    )
    validation = curve(tmp_path, "validation")
    assert validation[-1]["loss"] < validation[0]["loss"]
    assert report["model"]["load_in_4bit"]
    prompts = pq.read_table(splits["validation"])["prompt"].to_pylist()[:4]
    merge(wide_gemma, tmp_path / "adapter", tmp_path / "merged", prompts, list(LABEL_TEXTS.values()), tolerance=0.05)
    names = load_file(tmp_path / "merged" / "model.safetensors")
    assert not any("quant" in name or "absmax" in name for name in names)


def test_two_processes_have_the_losses_of_one_with_the_same_global_batch(finished, splits, tiny_gemma3, tmp_path):
    folder, whole = finished
    report = finetune(job(splits, tiny_gemma3, tmp_path, num_processes=2, batch_size=4))
    assert report["processes"] == 2 and report["cases"] == whole["cases"]
    for name in ("training", "validation"):
        one, two = curve(folder, name), curve(tmp_path, name)
        assert [row["step"] for row in two] == [row["step"] for row in one]
        assert [row["loss"] for row in two] == pytest.approx([row["loss"] for row in one], rel=1e-4)
    config = "adapter_config.json"
    assert contents(tmp_path / "adapter")[config] == contents(folder / "adapter")[config]


# Live logging, compilation, memory


def test_live_logs_hold_every_logged_loss_and_change_no_byte_of_the_adapter(finished, splits, tiny_gemma3, tmp_path):
    folder, _ = finished
    finetune(job(splits, tiny_gemma3, tmp_path, fields={"live_logs": tmp_path / "live"}, log_to=["dvclive"]))
    written = (tmp_path / "live" / "dvclive" / "plots" / "metrics" / "loss.tsv").read_text().splitlines()
    logged = [float(line.split("\t")[-1]) for line in written[1:]]
    assert logged == pytest.approx([row["loss"] for row in curve(folder)])
    assert contents(tmp_path / "adapter") == contents(folder / "adapter")


def test_a_live_logger_that_is_not_installed_is_named_with_the_remedy(splits, tiny_gemma3, tmp_path, monkeypatch):
    monkeypatch.setattr("cancertype.finetune.live.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"train\.log_to names wandb, which is not installed: pip install wandb"):
        finetune(job(splits, tiny_gemma3, tmp_path, fields={"live_logs": tmp_path / "live"}, log_to=["wandb"]))


def test_a_compiled_model_has_the_same_losses(splits, tiny_gemma3, tmp_path, monkeypatch):
    """Traced as one graph and run as it is: a C++ compiler would take minutes over it."""
    compile_module = torch.nn.Module.compile
    traced = {"backend": "eager", "fullgraph": True}
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, **options: compile_module(self, **options | traced))
    # pytest would have every graph written out as text.
    monkeypatch.setattr(logging.getLogger("torch.__trace"), "disabled", True)
    reports = [
        finetune(job(splits, tiny_gemma3, tmp_path / str(compiled), compile=compiled, max_steps=2))
        for compiled in (False, True)
    ]
    for key in ("training_loss_last", "validation_loss_last"):
        assert reports[1][key] == pytest.approx(reports[0][key], rel=1e-4)
    weights = [load_file(tmp_path / str(c) / "adapter" / "adapter_model.safetensors") for c in (False, True)]
    assert set(weights[0]) == set(weights[1])


@pytest.mark.parametrize("settings", [{"loss": "text"}, {"loss": "labels"}, {"batch_size": 16}])
def test_a_loss_computed_in_parts_is_the_loss_of_the_whole(settings, splits, tiny_gemma2, tmp_path, monkeypatch):
    for folder, logits in (("whole", 1 << 25), ("parts", 1000)):
        monkeypatch.setattr("cancertype.finetune.loss._LOGITS_AT_ONCE", logits)
        finetune(job(splits, tiny_gemma2, tmp_path / folder, **settings))
    for name in ("training", "validation"):
        whole, parts = curve(tmp_path / "whole", name), curve(tmp_path / "parts", name)
        assert [row["loss"] for row in parts] == pytest.approx([row["loss"] for row in whole], rel=1e-4)
