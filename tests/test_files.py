"""Files and folders are written whole or not at all, whatever lies in the way and whenever it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from cancertype import files
from cancertype.errors import InputError
from cancertype.tables.parquet import write_parquet

ROOT = Path(__file__).parents[1]
WRITERS = {
    "bytes": lambda path: files.write_bytes(path, b"new"),
    "text": lambda path: files.write_text(path, "new"),
    "json": lambda path: files.write_json(path, {"new": 1}),
    "parquet": lambda path: write_parquet(pa.table({"new": [1]}), path),
}


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("writer", WRITERS)
def test_a_planted_part_is_never_followed_and_a_leftover_is_replaced(tmp_path, writer):
    victim, path = tmp_path / "victim", tmp_path / "out" / "x"
    victim.write_text("precious")
    path.parent.mkdir()
    for plant in (
        lambda part: part.symlink_to(victim),
        lambda part: part.write_text("half"),
        lambda part: part.mkdir(),
    ):
        plant(path.with_name("x.part"))
        WRITERS[writer](path)
        assert victim.read_text() == "precious"
        assert path.is_file() and not path.is_symlink() and path.stat().st_size > 0
        assert [entry.name for entry in path.parent.iterdir()] == ["x"]


@pytest.mark.parametrize("writer", WRITERS)
def test_files_get_the_rights_that_the_umask_allows(tmp_path, writer):
    before = os.umask(0o027)
    try:
        WRITERS[writer](tmp_path / "x")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_a_failed_write_leaves_the_old_content(tmp_path):
    path = tmp_path / "x.json"
    files.write_json(path, {"old": 1})
    with pytest.raises(ValueError):
        files.write_json(path, {"new": float("nan")})
    with pytest.raises(KeyError), files.whole_file(path) as part:
        part.write_text("half")
        raise KeyError
    assert json.loads(path.read_text()) == {"old": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]


def write_folder(out: Path, name: str) -> None:
    with files.whole_folder(out) as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / name).write_text(name)


@pytest.mark.parametrize("whole", [files.whole_file, files.whole_folder])
def test_a_full_disk_is_named_by_what_could_not_be_written(tmp_path, whole):
    """The system's error names no file where a write fails, and where a copy fails the file that it was read from."""
    source, out = tmp_path / "source", tmp_path / "out"
    source.write_text("content")
    for fill in (lambda: Path("/dev/full").write_bytes(b"x"), lambda: shutil.copyfile(source, "/dev/full")):
        with pytest.raises(OSError, match="No space left") as raised, whole(out):
            fill()
        assert raised.value.filename == str(out)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_folder_takes_the_place_of_another_and_nothing_is_left_beside_it(tmp_path, monkeypatch, exchanges):
    if not exchanges:
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    out = tmp_path / "models" / "x"
    for name in ("first", "second"):
        write_folder(out, name)
        assert [path.name for path in (out / "inner").iterdir()] == [name]
        assert [path.name for path in out.parent.iterdir()] == ["x"]


def test_a_planted_link_is_not_written_through(tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (tmp_path / "x.part").symlink_to(victim)
    write_folder(tmp_path / "x", "new")
    assert list(victim.iterdir()) == []
    assert not (tmp_path / "x").is_symlink()


def test_the_folder_is_there_at_every_moment_of_its_replacement(tmp_path):
    """A child replaces the folder again and again while this process looks for it."""
    out = tmp_path / "x"
    write_folder(out, "a")
    if not _can_exchange(tmp_path):
        pytest.skip("this file system cannot exchange two names in one step")
    code = (
        "import sys; from pathlib import Path; from cancertype.files import whole_folder\n"
        "for _ in range(200):\n"
        "    with whole_folder(Path(sys.argv[1])) as folder: (folder / 'a').touch()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(out)], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    looks = 0
    while child.poll() is None:
        assert out.is_dir()
        looks += 1
    assert child.returncode == 0 and looks > 100


def _can_exchange(folder: Path) -> bool:
    one, other = folder / "one", folder / "other"
    one.mkdir()
    other.mkdir()
    try:
        return files._exchange(one, other)
    finally:
        one.rmdir()
        other.rmdir()


def test_where_names_cannot_be_exchanged_the_next_write_restores_the_old_folder_first(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    out = tmp_path / "x"
    write_folder(out, "old")
    replace, calls = os.replace, []

    def killed(*names):
        calls.append(names)
        if len(calls) == 2:
            raise KeyboardInterrupt
        replace(*names)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_folder(out, "new")
    assert not out.exists()
    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyError), files.whole_folder(out):
        raise KeyError
    assert [path.name for path in (out / "inner").iterdir()] == ["old"]
    write_folder(out, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_leftovers_of_killed_runs_are_removed_and_nothing_else(tmp_path):
    for name in (".base-ab12_xyz", "base.part", "base", ".base-notes", ".merged-ab12_xyz", "base.json"):
        (tmp_path / name / "inside").mkdir(parents=True)
    files.remove_leftovers(tmp_path / "base")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".base-notes", ".merged-ab12_xyz", "base", "base.json"]


def test_a_digest_is_computed_once_per_state_of_the_file(tmp_path, cache, monkeypatch):
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    right = files.digest(path)
    assert files.remembered_digest(path) == right
    computed = []
    digest = files.digest
    monkeypatch.setattr(files, "digest", lambda path: computed.append(path) or digest(path))
    assert files.remembered_digest(path) == right and not computed
    stat = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert files.remembered_digest(path) != right and computed, "the same size and time, yet another state"
    for record in (cache / "cancertype" / "digests").iterdir():
        record.write_text("damaged")
    assert files.remembered_digest(path) == digest(path)


def test_a_digest_needs_no_cache(tmp_path, monkeypatch):
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert files.remembered_digest(path) == files.digest(path)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: f"~/.cache/{name}")
    assert files.remembered_digest(path) == files.digest(path)


def test_a_disk_that_is_too_small_is_named_with_what_is_needed_and_the_remedy(tmp_path):
    files.check_room({tmp_path / "not" / "yet": 1, tmp_path: 1}, "Make room.")
    with pytest.raises(InputError, match=r"MiB free, and 8,796,093,022,208 MiB are needed .*Make room\."):
        files.check_room({tmp_path / "a": 1 << 62, tmp_path / "b": 1 << 62}, "Make room.")


STAGE = """
import sys, time
from pathlib import Path
from cancertype import files
from pipeline.params import run
def main():
    with files.whole_folder(Path("out")) as folder:
        (folder / "half").write_text("half")
        Path("ready").touch()
        time.sleep(60)
run(main)
"""


def _wait_for(what: Path, process: subprocess.Popen) -> None:
    ends = time.monotonic() + 60
    while not what.exists() and process.poll() is None and time.monotonic() < ends:
        time.sleep(0.02)
    assert what.exists()


def test_sigterm_ends_a_stage_with_nothing_half_written(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    stage = subprocess.Popen([sys.executable, "-c", STAGE], cwd=tmp_path, env=environment)
    _wait_for(tmp_path / "ready", stage)
    stage.terminate()
    assert stage.wait(30) == 128 + signal.SIGTERM
    assert [path.name for path in tmp_path.iterdir()] == ["ready"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_a_stage_ends_when_the_dvc_that_started_it_is_killed(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DVC_STAGE": "x"}
    (tmp_path / "stage.py").write_text(STAGE)
    dvc = "import subprocess, sys; subprocess.run([sys.executable, 'stage.py'])"
    parent = subprocess.Popen([sys.executable, "-c", dvc], cwd=tmp_path, env=environment)
    _wait_for(tmp_path / "ready", parent)
    parent.kill()
    parent.wait()
    ends = time.monotonic() + 30
    while (tmp_path / "out.part").exists() and time.monotonic() < ends:
        time.sleep(0.05)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ready", "stage.py"]
