"""Exact versions are exact: a damaged object is noticed in the cache, in the remote, and when it is pulled."""

import shutil
import subprocess
import sys

import pytest
import yaml
from dvc.repo import Repo

from cancertype.errors import InputError
from cancertype.files import digest
from pipeline import verify
from pipeline.dependencies import ROOT


def flip_a_bit(path):
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A git repository with the project's DVC configuration and one tracked file, pushed to remote/."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    Repo.init().close()
    shutil.copyfile(ROOT / ".dvc" / "config", ".dvc/config")
    shutil.copytree(ROOT / "dev", "dev", symlinks=True)
    (tmp_path / "remote").mkdir()
    (tmp_path / "data.txt").write_text("exact\n")
    with Repo() as repo:
        repo.add("data.txt")
        repo.push()
    return tmp_path


def test_whole_stores_pass(project, capsys):
    verify.main()
    assert capsys.readouterr().out.splitlines() == [".dvc/cache: 1 objects, 0 damaged", "remote: 1 objects, 0 damaged"]


@pytest.mark.parametrize("store", ["remote", ".dvc/cache"])
def test_one_bit_in_a_store_is_found_and_named(project, store):
    (broken,) = verify.objects(project / store)
    flip_a_bit(broken)
    with pytest.raises(InputError, match=f"{broken.name}: its content is not what its name says"):
        verify.main()


def test_a_damaged_object_is_not_pulled(project):
    flip_a_bit(*verify.objects(project / "remote"))
    shutil.rmtree(".dvc/cache")
    (project / "data.txt").unlink()
    pulled = subprocess.run([sys.executable, "-m", "dvc", "pull"], capture_output=True, text=True)
    assert pulled.returncode != 0 and not (project / "data.txt").exists()


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    """A project of which DVC has run three stages: with a file, a folder, and a file that it does not keep."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        subprocess.run(["git", "init", "-q"], check=True)
        Repo.init().close()
        with Repo() as repo:
            repo.run(cmd="echo model > model.txt", name="train", outs=["model.txt"])
            repo.run(cmd="mkdir parts && echo a > parts/a && echo bb > parts/b", name="parts", outs=["parts"])
            repo.run(cmd="echo large > large.txt", name="large", outs_no_cache=["large.txt"])
    return folder


@pytest.fixture
def pipeline_run(finished_run, tmp_path, monkeypatch):
    """A copy of it to harm."""
    folder = tmp_path / "copy"
    shutil.copytree(finished_run, folder)
    monkeypatch.chdir(folder)
    return folder


def test_a_run_whose_outputs_reached_the_cache_passes(pipeline_run):
    assert verify.main(["--committed"]) is None


def test_a_cache_on_another_disk_is_checked_where_it_is(pipeline_run, tmp_path, capsys):
    elsewhere = tmp_path / "large disk"
    shutil.move(pipeline_run / ".dvc" / "cache", elsewhere)
    (pipeline_run / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {elsewhere}\n")
    assert verify.main(["--committed"]) is None
    flip_a_bit(next(path for path in verify.objects(elsewhere) if path.read_bytes() == b"model\n"))
    with pytest.raises(InputError, match=f"{elsewhere}.*: its content is not what its name says"):
        verify.main()


@pytest.mark.parametrize(
    ("output", "harm", "message"),
    [
        ("model.txt", "gone", r"model\.txt: is not in the cache"),
        ("model.txt", "short", r"model\.txt: has 3 of 6 bytes in the cache"),
        ("parts/b", "gone", "parts: 1 of its 2 files are not in the cache"),
        ("parts/b", "short", "parts: has 4 of 5 bytes in the cache"),
        ("parts", "gone", "parts: is not in the cache"),
        ("parts", "short", "parts: the list of its files is damaged"),
    ],
)
def test_an_output_that_a_full_disk_kept_from_the_cache_is_named(pipeline_run, output, harm, message):
    lock = yaml.safe_load((pipeline_run / "dvc.lock").read_text())["stages"]
    name = next(
        out["md5"] for stage in lock.values() for out in stage["outs"] if out["path"] == output.partition("/")[0]
    )
    if "/" in output:
        name = digest(pipeline_run / output, "md5")
    path = pipeline_run / ".dvc" / "cache" / "files" / "md5" / name[:2] / name[2:]
    content = path.read_bytes()
    path.chmod(0o644)
    path.unlink()
    if harm == "short":
        path.write_bytes(content[: len(content) // 2 + len(content) % 2])
    with pytest.raises(InputError, match=message) as caught:
        verify.main(["--committed"])
    assert "dvc commit --force" in str(caught.value) and "large.txt" not in str(caught.value)


def test_what_make_run_ends_with_checks_the_commits():
    rule = (ROOT / "Makefile").read_text().partition("\nrun:")[2].partition("\n\n")[0]
    assert rule.index("dvc repro") < rule.index("pipeline.verify --committed")
