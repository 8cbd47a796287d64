"""The benchmark of a GPU machine, on a CPU with tiny shapes: every kind of row is measured, and a failure is a row."""

from benchmarks import gpu
from pipeline.dependencies import ROOT


def test_every_kind_of_row_is_measured_and_written_between_the_marks(tiny_gemma3, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    # A process for each row would import everything again; that is for the memory of a card.
    monkeypatch.setattr(gpu, "apart", gpu._guarded)
    document = tmp_path / "gpu.md"
    begin, end = gpu.MARKS
    document.write_text(f"Before.\n\n{begin}\nan earlier table\n{end}\n\nAfter.\n")
    gpu.main(["--base", str(tiny_gemma3), "--tiny", "--steps", "2", "--scored", "40", "--write", str(document)])
    text = document.read_text()
    assert text.startswith("Before.") and text.endswith("After.\n") and "an earlier table" not in text
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| Gemma")]
    assert [row[0] for row in rows] == [
        "| Gemma 3 270M, training",
        "| Gemma 2 2B's shape, training",
        "| Gemma 3 270M, scoring",
        "| Gemma 3 270M, merging",
    ]
    assert "failed" not in text, text
    assert all(float(row[2]) > 0 for row in rows[:3]) and "a T4 holds it" in rows[1][-1]


def test_a_row_that_fails_says_why_and_a_late_one_is_not_measured(tmp_path):
    task = gpu.Task("Training", "trl", gpu.merge, (tmp_path / "work", tmp_path / "no base", tmp_path / "no adapter"))
    row = gpu._guarded(task)
    assert row.rate == "–" and "failed: InputError" in row.remark and "missing" in row.remark
    assert "| Training | trl | – | – | – | – | failed: InputError" in gpu.table([(task, row)], "A machine")


def test_the_document_has_the_marks_and_a_card_gets_every_row(tmp_path, monkeypatch):
    assert all((ROOT / gpu.DOCUMENT).read_text().count(mark) == 1 for mark in gpu.MARKS)
    monkeypatch.setattr(gpu, "large_base", lambda *_: None)
    wanted = list(gpu.tasks(tmp_path, tmp_path, shape=gpu.GEMMA_2_2B, steps=40, scored=10, card=True))
    assert len([task for task in wanted if task.what == "Gemma 3 270M, training"]) == 7
    assert [task.changes for task in wanted if "2B" in task.what] == [{"backend": "unsloth"}, {"backend": "trl"}]
