"""Finding the base of an adapter that is kept alone."""

import json
import shutil

import pytest

from cancertype.errors import InputError
from cancertype.language_model import base_of_adapter, conversion


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An empty working directory, repository and cache."""
    for name in ("work", "repository"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(base_of_adapter, "roots", lambda: (tmp_path / "work", tmp_path / "repository"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


ONE, ANOTHER = "ab" * 32, "cd" * 32


def adapter(folder, sha=ONE, id="gemma-3-270m", revision="sha256:1"):
    folder.mkdir(exist_ok=True)
    base = {"id": id, "revision": revision, "sha256": {"model.safetensors": sha}}
    (folder / "training.json").write_text(json.dumps({"base": base}))
    return folder


def base(folder, sha=ONE):
    folder.mkdir(parents=True)
    (folder / "base.json").write_text(json.dumps({"id": "x", "sha256": {"model.safetensors": sha}}))
    return folder


def test_the_base_that_is_here_already_is_used_and_no_other(places):
    base(places / "work" / "models" / "base", sha=ANOTHER)
    here = base(places / "repository" / "models" / "base")
    assert base_of_adapter.base_of(adapter(places / "adapter")) == here


@pytest.mark.parametrize(
    ("id", "revision", "asked"),
    [
        ("gemma-3-270m", "sha256:1", ("gemma-3-270m", None)),
        ("google/gemma-2-2b", "c0ffee", ("google/gemma-2-2b", "c0ffee")),
    ],
)
def test_a_base_is_fetched_once_and_kept(places, monkeypatch, id, revision, asked):
    fetched = []
    monkeypatch.setattr(conversion, "fetch", lambda *wish: fetched.append(wish[:2]) or base(wish[2]))
    wanted = adapter(places / "adapter", id=id, revision=revision)
    first, second = base_of_adapter.base_of(wanted), base_of_adapter.base_of(wanted)
    assert first == second and first.is_relative_to(places / "cache")
    assert fetched == [asked]


def test_other_weights_are_refused(places, monkeypatch):
    monkeypatch.setattr(conversion, "fetch", lambda id, revision, out: base(out, sha=ANOTHER))
    with pytest.raises(InputError, match=r"weights of gemma-3-270m are not those"):
        base_of_adapter.base_of(adapter(places / "adapter"))


def test_an_adapter_that_names_no_base_is_refused(places):
    wanted = adapter(places / "adapter")
    (wanted / "training.json").write_text("{}")
    with pytest.raises(InputError, match="does not say which base"):
        base_of_adapter.base_of(wanted)
    shutil.rmtree(wanted)
    with pytest.raises(InputError, match="missing"):
        base_of_adapter.base_of(wanted)


@pytest.mark.parametrize(
    "changed",
    [
        {"sha256": {"model.safetensors": "x/../../../../precious"}},
        {"sha256": {"../../precious": ONE}},
        {"sha256": {"model.safetensors": None}},
        {"sha256": {}},
        {"sha256": None},
        {"sha256": [ONE]},
        {"id": ["gemma-3-270m"]},
        {"id": None},
        {"id": "../precious"},
        {"id": "a/b/c"},
        {"id": "precious"},
        {"revision": {"a": 1}},
    ],
    ids=str,
)
def test_a_crafted_report_never_becomes_a_path(places, monkeypatch, changed):
    monkeypatch.setattr(conversion, "fetch", lambda *wish: pytest.fail(f"fetched {wish}"))
    (places / "precious").mkdir()
    wanted = adapter(places / "adapter")
    named = json.loads((wanted / "training.json").read_text())["base"]
    (wanted / "training.json").write_text(json.dumps({"base": named | changed}))
    with pytest.raises(InputError):
        base_of_adapter.base_of(wanted)
    assert (places / "precious").is_dir()


@pytest.mark.parametrize("content", ["null", "[]", '{"base": null}', '{"base": "x"}', "", "{", '"x"'])
def test_a_damaged_report_is_refused_in_one_line(places, content):
    wanted = adapter(places / "adapter")
    (wanted / "training.json").write_text(content)
    with pytest.raises(InputError, match=r"training\.json"):
        base_of_adapter.base_of(wanted)


@pytest.mark.parametrize("content", ["null", "[]", "{", '{"id": 1}', '{"id": "x", "sha256": 1}'])
def test_a_base_with_a_damaged_record_is_passed_over(places, content):
    damaged = base(places / "work" / "models" / "base")
    (damaged / "base.json").write_text(content)
    here = base(places / "repository" / "models" / "base")
    assert base_of_adapter.base_of(adapter(places / "adapter")) == here


def test_without_a_home_folder_nothing_is_kept_in_a_folder_named_tilde(places, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: f"~/.cache/{name}")
    with pytest.raises(InputError, match="set HOME or XDG_CACHE_HOME"):
        base_of_adapter.base_of(adapter(places / "adapter"))
    assert not (places / "work" / "~").exists()
