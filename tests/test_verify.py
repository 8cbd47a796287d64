"""Exact versions are exact: a damaged object is noticed in the cache, in the remote, and when it is pulled."""

import shutil
import subprocess
import sys

import pytest
from dvc.repo import Repo

from cancertype.errors import InputError
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
