"""The adapter of another revision of the repository, fetched through DVC to continue from it."""

import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from cancertype.errors import InputError
from pipeline import revision


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    """A repository whose first commit has an adapter, and whose working folder has another."""
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
    subprocess.run([*git, "init", "-q"], check=True)
    adapter = tmp_path / "models" / "adapter"
    adapter.mkdir(parents=True)
    (adapter / "weights").write_text("first")
    with Repo.init(str(tmp_path)) as repo:
        repo.add(["models/adapter"])
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    subprocess.run([*git, "tag", "v1"], check=True)
    (adapter / "weights").write_text("second")
    return tmp_path


def test_an_adapter_is_fetched_by_tag_or_commit_once_and_whole(repository, monkeypatch):
    # What a killed run may have left.
    commit = subprocess.run(["git", "rev-parse", "v1"], capture_output=True, text=True, check=True).stdout.strip()
    (repository / "scratch" / "continue_from" / f"{commit}.part" / "adapter").mkdir(parents=True)
    fetched = revision.adapter_of("v1")
    assert (fetched / "weights").read_text() == "first"
    assert [path.name for path in fetched.parents[1].iterdir()] == [commit]
    monkeypatch.setattr(Repo, "get", lambda *arguments, **options: pytest.fail("fetched again"))
    assert revision.adapter_of(commit) == fetched


def test_what_is_no_revision_is_left_to_others(repository):
    for name in (None, "models/adapter", "owner/name", "--help", "no-such-revision"):
        assert revision.adapter_of(name) is None


def test_a_revision_whose_adapter_is_gone_is_one_clear_line_and_leaves_nothing(repository):
    for path in (repository / ".dvc" / "cache").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.unlink()
    with pytest.raises(InputError, match="DVC cannot fetch the adapter of revision v1"):
        revision.adapter_of("v1")
    assert list((repository / "scratch" / "continue_from").iterdir()) == []


def test_damaged_weights_of_a_revision_are_noticed_and_never_trained_further(repository):
    (broken,) = (
        path for path in (repository / ".dvc" / "cache").rglob("*") if path.is_file() and path.read_bytes() == b"first"
    )
    broken.chmod(0o644)
    broken.write_text("fIrst")
    with pytest.raises(InputError, match=r"models/adapter/weights of revision v1 is damaged"):
        revision.adapter_of("v1")
    assert list((repository / "scratch" / "continue_from").iterdir()) == []


def test_the_cache_is_found_only_inside_a_dvc_repository(repository, tmp_path_factory, monkeypatch):
    assert revision.cache_folder().is_relative_to(repository / ".dvc" / "cache")
    monkeypatch.chdir(tmp_path_factory.mktemp("outside"))
    assert revision.cache_folder() is None
