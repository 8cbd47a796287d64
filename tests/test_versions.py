"""Exact versions: remotes, a clone, datasets and adapters of a revision, comparisons, experiments.

They run on the repository's own dvc.yaml with commands that cost nothing: some write a small dataset, metrics and
curves that follow from the parameters, the others a digest of what they may read.
"""

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import chdir
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dvc.api
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from dvc.exceptions import DvcException
from dvc.repo import Repo
from typer.testing import CliRunner

from cancertype.commands.cli import app
from cancertype.errors import InputError
from cancertype.versions import released
from cancertype.versions.dataset_diff import compare
from cancertype.versions.revisions import text_dataset
from pipeline.dependencies import ROOT
from tests.test_pipeline import DIGEST, changed, copy_of_the_repository, rerun, run

FIGURES = """
import json, math
from pathlib import Path
if name == "to_text":
    import pyarrow as pa, pyarrow.parquet as pq
    named = ["TP53 R175H", "TTN"][:params["text"]["max_mutations"]]
    for split in ("train", "validation", "test", "out_of_scope"):
        cases = [
            {"case_id": f"{split} {i}", "source": "simulated_tcga", "label": "OV", "mutations": named,
             "prompt": ", ".join(named) + "\\ncancer:", "completion": " ovary"} for i in range(3)
        ]
        pq.write_table(pa.Table.from_pylist(cases), f"data/text/{split}.parquet")
    # Views of a case have its id and are no cases of their own.
    version = pq.read_table("data/text/train.parquet").append_column("copy", pa.array([1] * 3))
    pq.write_table(version, "data/text/views.parquet")
    seen = pq.read_table("data/text/test.parquet").append_column("row", pa.array(["exome"] * 3))
    pq.write_table(seen, "data/text/grid.parquet")
if name == "train_lora":
    # DVC writes 1e-05, which PyYAML takes for text.
    rate = float(params["train"]["learning_rate"])
    loss = 1 + abs(math.log10(rate) + 4)
    # As the stage does.
    from pipeline.figures import forget
    forget()
    Path("metrics/training.json").write_text(json.dumps({"validation_loss_best": loss, "validation_accuracy_last": 0}))
    rows = [f"{step},{loss + 1 / step}" for step in range(1, 4)]
    Path("metrics/training/training.csv").write_text("\\n".join(["step,loss", *rows]) + "\\n")
if name == "evaluate":
    loss = json.loads(Path("metrics/training.json").read_text())["validation_loss_best"]
    Path("metrics/eval.json").write_text(json.dumps({"accuracy": 1 / loss}))
"""
FIRST = {"text__max_mutations": 2, "train__learning_rate": 1.0e-3, "tabular__trees": 30, "evaluate__coverage": 0.7}
SECOND = {"text__max_mutations": 1, "train__learning_rate": 1.0e-2, "tabular__trees": 20, "evaluate__coverage": 0.8}
"""Parameters of the two releases, for ``set_params``."""
TRAVELS = {
    "data/features",
    "data/text",
    "data/scores",
    "models/adapter",
    "models/tabular",
    "models/calibration.json",
} | {f"metrics/{name}" for name in ("predictions.parquet", "report.html", "details.json", "tabular_details.json")}
"""What the remote inside the repository holds. The rest is tracked by git or made again."""


def git(folder: Path, *command: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    return subprocess.run(["git", *identity, *command], cwd=folder, check=True, capture_output=True, text=True).stdout


def set_params(folder: Path, **values) -> None:
    text = (folder / "params.yaml").read_text()
    for key, value in values.items():
        text = changed(text, key.replace("__", "."), value)
    (folder / "params.yaml").write_text(text)


def release(folder: Path, tag: str) -> None:
    """Reproduce, push to the remote inside the repository and commit both, as docs/versions.md tells a team to."""
    rerun(folder)
    (folder / "ran.txt").unlink()
    with chdir(folder), Repo() as repo:
        repo.push()
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", tag)
    for name in (tag, f"adapter@{tag}.0.0"):
        git(folder, "tag", "-a", "-m", name, name)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A repository with two releases: v2 names one mutation a case instead of two, learns at another rate, has other
    trees and another coverage."""
    project = tmp_path_factory.mktemp("versions") / "project"
    folder = copy_of_the_repository(project, without=("remote/", "released/", "dvc.lock"))
    (folder / "remote").mkdir()
    document = yaml.safe_load((folder / "dvc.yaml").read_text())
    for name, stage in document["stages"].items():
        stage["cmd"] = f"{sys.executable} digest.py {name}"
    document.pop("plots", None)
    (folder / "dvc.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    (folder / "digest.py").write_text(DIGEST + FIGURES)
    (folder / "ran.txt").write_text("")
    set_params(folder, **FIRST)
    release(folder, "v1")
    set_params(folder, **SECOND)
    release(folder, "v2")
    return folder


@pytest.fixture
def clone(project, tmp_path) -> Path:
    """What a reviewer has: git's files, and nothing in DVC's cache."""
    git(tmp_path, "clone", "-q", project.as_uri(), "clone")
    return tmp_path / "clone"


def contents(folder: Path, outs: set[str] = TRAVELS) -> dict[str, bytes]:
    files = [f for out in outs for f in ([folder / out] if (folder / out).is_file() else (folder / out).rglob("*"))]
    return {str(f.relative_to(folder)): f.read_bytes() for f in files if f.is_file() and f.name != ".gitignore"}


# --- Remotes ---


def test_pull_works_at_once_after_a_clone(project, clone):
    done = run(clone, "dvc", "pull")
    assert done.returncode == 0, done.stderr
    assert contents(clone) == contents(project)
    assert all(any(name.startswith(out) for name in contents(clone)) for out in TRAVELS)


def test_after_a_pull_only_what_does_not_travel_is_made_again(clone):
    with chdir(clone), Repo() as repo:
        repo.pull()
    fetched = {"fetch_depmap", "fetch_tcga", "fetch_cbioportal", "fetch_table", "fetch_base"}
    assert set(rerun(clone)) == {*fetched, "merge", "publish"}
    assert git(clone, "status", "--porcelain").split() == ["??", "ran.txt"]


def test_what_does_not_travel_is_made_again_as_it_was_when_a_revision_returns(clone):
    remade = {"data/raw", "models/base", "models/merged", "models/published"}
    made = []
    for revision in ("v2", "v1", "v2"):
        git(clone, "checkout", "-q", revision)
        with chdir(clone), Repo() as repo:
            repo.pull()
            repo.reproduce()
        made.append(contents(clone, remade))
    assert made[0] == made[2] != made[1]
    assert (clone / "ran.txt").read_text().split()[-4:] == ["merge", "publish"] * 2


def test_git_treats_the_remote_inside_the_repository_as_binary():
    answer = git(ROOT, "check-attr", "binary", "text", "diff", "--", "remote/files/md5/00/11")
    assert re.findall(r": (\w+): (\w+)$", answer, re.MULTILINE) == [
        ("binary", "set"),
        ("text", "unset"),
        ("diff", "unset"),
    ]


def test_the_outputs_too_large_to_travel_are_ignored_by_git():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    uncached = [path for s in stages.values() for o in s["outs"] if isinstance(o, dict) for path in o]
    large = [path for path in uncached if path.startswith(("data/", "models/")) and not path.endswith(".json")]
    assert {"data/raw/tcga", "models/base", "models/merged", "models/published"} <= set(large)
    ignored = git(ROOT, "check-ignore", "--no-index", *(f"{path}/content" for path in large))
    assert ignored.split() == [f"{path}/content" for path in large]


def through(remote: str, method: str | None, folder: Path) -> dict[str, bytes]:
    """Push everything of ``folder`` to another remote, lose it, and pull it from there."""
    with chdir(folder), Repo() as repo:
        repo.pull()
        with repo.config.edit("local") as config:
            config["remote"]["team"] = {"url": remote} | ({"method": method} if method else {})
    with chdir(folder), Repo() as repo:
        assert repo.push(remote="team") == len([f for f in (folder / ".dvc/cache").rglob("*") if f.is_file()])
    for lost in (folder / "remote", folder / ".dvc/cache", *(folder / out for out in TRAVELS)):
        shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    with chdir(folder), Repo() as repo:
        repo.pull(remote="team")
    return contents(folder)


def test_a_folder_serves_as_the_teams_remote(project, clone, tmp_path):
    assert through(str(tmp_path / "team"), None, clone) == contents(project)
    assert any((tmp_path / "team").rglob("*"))


class _Storage(BaseHTTPRequestHandler):
    """A web server that keeps what is PUT there, in memory."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.server.files[self.path] = self._body()
        self._answer(201)

    def do_GET(self) -> None:
        body = self.server.files.get(self.path)
        self._answer(404 if body is None else 200, body or b"")

    do_HEAD = do_GET

    def _body(self) -> bytes:
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def web() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Storage) as server:
        server.daemon_threads, server.files = True, {}
        server.url = f"http://127.0.0.1:{server.server_port}/team"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def test_a_web_server_serves_as_the_teams_remote(project, clone, web):
    assert through(web.url, "PUT", clone) == contents(project)
    assert len(web.files) > len(TRAVELS)


def test_the_documented_move_to_the_teams_remote_takes_the_whole_history(project, tmp_path):
    git(tmp_path, "clone", "-q", project.as_uri(), "moving")
    moving, team = tmp_path / "moving", tmp_path / "team"
    objects = {path.name for path in (moving / "remote").rglob("*") if path.is_file()}
    git(moving, "config", "user.name", "test")
    git(moving, "config", "user.email", "test@localhost")
    done = run(
        moving, "bash", "-euo", "pipefail", "-c", code_block("versions.md", "bash").replace("ADDRESS", str(team))
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in team.rglob("*") if path.is_file()} >= objects and not (moving / "remote").exists()
    for config in ("config", "config.local"):
        assert "verify = true" in (moving / ".dvc" / config).read_text()
    # A colleague, who has nothing but the new remote.
    git(tmp_path, "clone", "-q", moving.as_uri(), "colleague")
    colleague = tmp_path / "colleague"
    assert text_dataset("v1", str(colleague))["train"]["mutations"][0].as_py() == ["TP53 R175H", "TTN"]
    assert run(colleague, "dvc", "remote", "add", "--local", "-d", "team", str(team)).returncode == 0
    assert (
        run(colleague, "dvc", "get", ".", "models/adapter", "--rev", "v1", "-o", str(tmp_path / "v1")).returncode == 0
    )
    assert (tmp_path / "v1" / "content").is_file()


# --- A dataset or an adapter of a revision ---


def test_get_brings_the_adapter_and_the_dataset_of_each_revision(project, clone, tmp_path):
    for revision in ("v1", "v2"):
        for path in ("models/adapter", "data/text"):
            Repo.get(str(clone), path, out=str(tmp_path / revision / path), rev=revision)
    assert contents(tmp_path / "v2", {"models/adapter", "data/text"}) == contents(
        project, {"models/adapter", "data/text"}
    )
    assert contents(tmp_path / "v1", {"models/adapter"}) != contents(tmp_path / "v2", {"models/adapter"})


def test_open_reads_a_dataset_of_a_revision(clone):
    for revision, named in (("v1", ["TP53 R175H", "TTN"]), ("v2", ["TP53 R175H"])):
        with dvc.api.open("data/text/train.parquet", repo=str(clone), rev=revision, mode="rb") as file:
            assert pq.read_table(pa.BufferReader(file.read()))["mutations"][0].as_py() == named


def test_by_its_address_alone_a_repository_gives_versions_from_a_remote_on_the_web(project, web, tmp_path):
    for path in (project / "remote").rglob("*"):
        if path.is_file():
            web.files[f"/team/{path.relative_to(project / 'remote').as_posix()}"] = path.read_bytes()
    remote = {"remote": "web", "remote_config": {"url": web.url}}
    Repo.get(project.as_uri(), "models/adapter", out=str(tmp_path / "adapter"), rev="v2", **remote)
    assert contents(tmp_path, {"adapter"}).keys() == {"adapter/content"}
    with dvc.api.open("data/text/test.parquet", project.as_uri(), "v1", mode="rb", **remote) as file:
        assert pq.read_table(pa.BufferReader(file.read())).num_rows == 3


def test_an_artifact_is_found_by_its_name_and_version(clone, tmp_path):
    done = run(clone, "dvc", "artifacts", "get", ".", "adapter", "--rev", "v1.0.0", "-o", str(tmp_path / "got"))
    assert done.returncode == 0, done.stderr
    with dvc.api.open("models/adapter/content", repo=str(clone), rev="v1") as file:
        assert (tmp_path / "got" / "content").read_text() == file.read()


# --- Comparing two versions ---


def dvc_json(folder: Path, *command: str) -> dict:
    done = run(folder, "dvc", *command, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_metrics_diff_tells_both_values(project):
    found = dvc_json(project, "metrics", "diff", "v1", "v2")
    assert found["metrics/training.json"]["validation_loss_best"] == {"old": 2.0, "new": 3.0, "diff": 1.0}
    assert found["metrics/eval.json"]["accuracy"]["old"] == 0.5


def test_params_diff_tells_what_was_set_otherwise(project):
    with chdir(project), Repo() as repo:
        found = repo.params.diff("v1", "v2")["diff"]["params.yaml"]
    assert found == {
        "text.max_mutations": {"old": 2, "new": 1, "diff": -1},
        "train.learning_rate": {"old": 1.0e-3, "new": 1.0e-2, "diff": pytest.approx(9.0e-3)},
        "tabular.trees": {"old": 30, "new": 20, "diff": -10},
        "evaluate.coverage": {"old": 0.7, "new": 0.8, "diff": pytest.approx(0.1)},
    }


def test_diff_names_the_outputs_that_changed(project):
    with chdir(project), Repo() as repo:
        modified = {entry["path"] for entry in repo.diff("v1", "v2")["modified"]}
    assert {"models/adapter/", "data/text/train.parquet", "metrics/predictions.parquet"} <= {
        path.replace("\\", "/") for path in modified
    }
    assert not any(path.startswith("data/features") for path in modified)


def test_plots_diff_draws_the_curves_of_both_versions(project, tmp_path):
    curve = ["--targets", "metrics/training/training.csv", "-x", "step", "-y", "loss"]
    done = run(project, "dvc", "plots", "diff", "v1", "v2", *curve, "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "index.html").read_text()
    assert all(f'"rev": "{revision}"' in page for revision in ("v1", "v2"))


def test_plots_show_draws_the_curve_of_the_working_tree(project):
    file = "metrics/training/training.csv"
    with chdir(project), Repo() as repo:
        found = repo.plots.show(targets=[file])["workspace"]["sources"]["data"][file]["data"]
    assert [float(point["loss"]) for point in found] == pytest.approx([4.0, 3.5, 3.0 + 1 / 3])


def test_the_dataset_diff_of_two_revisions(clone):
    difference = compare(text_dataset("v1", str(clone)), text_dataset("v2", str(clone)))
    assert {way: change.n for way, change in difference.changes.items()} == {"mutations": 12}
    assert difference.changes["mutations"].by["mutation lost"] == {"TTN": 12}


def test_the_dataset_of_a_revision_comes_from_the_remote_that_is_named(clone, tmp_path):
    (clone / "remote").rename(tmp_path / "elsewhere")
    assert text_dataset("v1", str(clone), str(tmp_path / "elsewhere"))["train"].num_rows == 3
    answer = CliRunner().invoke(
        app, ["diff", "v1", "v2", "--repo", str(clone), "--remote", str(tmp_path / "elsewhere")]
    )
    assert answer.exit_code == 0 and "12 cases with other mutations named:" in answer.stdout


def test_a_damaged_dataset_of_a_revision_is_noticed(clone):
    lock = yaml.safe_load(git(clone, "show", "v1:dvc.lock"))
    (md5,) = (out["md5"] for out in lock["stages"]["to_text"]["outs"])
    store = clone / "remote" / "files" / "md5"
    files = json.loads((store / md5[:2] / md5[2:]).read_bytes())
    name = next(file["md5"] for file in files if file["relpath"] == "test.parquet")
    broken = store / name[:2] / name[2:]
    content = bytearray(broken.read_bytes())
    # The first byte after the mark of the format: the file can still be read.
    content[4] ^= 1
    broken.chmod(0o644)
    broken.write_bytes(content)
    with pytest.raises(InputError, match=r"test\.parquet of v1 is damaged: its MD5 is not"):
        text_dataset("v1", str(clone), str(clone / "remote"))


def listed(folder: Path, **commits: str) -> None:
    rows = [f"{name},2026-01-01,{commit},12,0.5,0.5,0.5,as {name} was" for name, commit in commits.items()]
    (folder / "versions.csv").write_text("\n".join([",".join(released.COLUMNS), *rows]) + "\n")


def test_a_released_version_is_known_by_its_name_without_a_tag(clone):
    commits = {f"r{v}.0.0": git(clone, "rev-parse", f"{v}^{{commit}}").strip() for v in ("v1", "v2")}
    listed(clone, **{name.replace("rv", "r"): commit for name, commit in commits.items()})
    answer = CliRunner().invoke(app, ["diff", "r1.0.0", "r2.0.0", "--repo", str(clone)])
    assert answer.exit_code == 0 and "12 cases with other mutations named:" in answer.stdout


def test_make_tags_tags_the_released_versions_and_their_artifacts(clone, tmp_path):
    commit = git(clone, "rev-parse", "v1^{commit}").strip()
    listed(clone, **{"v7.0.0": commit})
    for _ in range(2):
        done = run(clone, sys.executable, "-m", "pipeline.tags")
        assert done.returncode == 0, done.stderr
    assert "v7.0.0: is there already" in done.stdout
    assert git(clone, "rev-parse", "text-dataset@v7.0.0^{commit}").strip() == commit
    got = run(clone, "dvc", "artifacts", "get", ".", "adapter", "--rev", "v7.0.0", "-o", str(tmp_path / "got"))
    assert got.returncode == 0, got.stderr


def test_a_table_of_versions_that_cannot_be_right_is_refused(clone):
    listed(clone, **{"v7.0.0": "HEAD"})
    with pytest.raises(InputError, match="row 2, column commit: 'HEAD' is not a commit's 40 digits"):
        released.versions(clone)
    (clone / "versions.csv").write_text("name,commit\n")
    with pytest.raises(InputError, match="the columns must be name,date,commit"):
        released.versions(clone)


def test_the_repositorys_own_versions_have_the_figures_that_its_table_says():
    """Where the history is there, which a shallow clone lacks."""
    datasets = set()
    with (ROOT / "versions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["name"] for row in rows} == set(released.versions(ROOT)) and len(rows) >= 2
    for row in rows:
        if subprocess.run(["git", "cat-file", "-e", row["commit"]], cwd=ROOT, capture_output=True).returncode:
            pytest.skip("the history is not here")
        figures = json.loads(git(ROOT, "show", f"{row['commit']}:metrics/eval.json"))
        both = figures["blend"]["accuracy"] if "blend" in figures else figures["accuracy"]
        assert float(row["accuracy"]) == pytest.approx(both, abs=5e-4), row["name"]
        outs = yaml.safe_load(git(ROOT, "show", f"{row['commit']}:dvc.lock"))["stages"]["to_text"]["outs"]
        datasets.add(next(out["md5"] for out in outs if out["path"] == "data/text"))
    assert len(datasets) >= 2


def test_the_command_says_what_changed_in_words_and_as_json(project, tmp_path):
    answer = CliRunner().invoke(app, ["diff", "v1", "v2", "--repo", str(project)])
    assert answer.exit_code == 0, answer.output
    assert "12 cases with other mutations named:" in answer.stdout
    written = tmp_path / "diff.json"
    assert CliRunner().invoke(app, ["diff", "v1", "--repo", str(project), "--json", str(written)]).exit_code == 0
    assert json.loads(written.read_text())["changes"]["mutations"]["n"] == 12


def test_a_revision_and_the_working_tree_that_agree_are_identical(project):
    answer = CliRunner().invoke(app, ["diff", "v2", "--repo", str(project)])
    assert answer.stdout.splitlines()[-1].startswith("Identical: 12 cases (out_of_scope 3, test 3, train 3")


def test_the_command_names_a_revision_that_is_not_there(project):
    answer = CliRunner().invoke(app, ["diff", "v1", "v9", "--repo", str(project)])
    assert answer.exit_code == 1
    assert "revision v9 is not in" in answer.stderr and "git fetch" in answer.stderr


def test_a_dataset_that_was_never_pushed_is_said_to_need_a_push(clone):
    shutil.rmtree(clone / "remote")
    with pytest.raises(InputError, match=r"dataset of revision v1 cannot be fetched[\s\S]*`dvc push`"):
        text_dataset("v1", str(clone))


def test_a_remote_inside_the_repository_is_said_to_need_a_clone(project):
    with pytest.raises(InputError, match="reached from a clone of it, not by address"):
        text_dataset("v1", project.as_uri())


def test_a_revision_without_a_dataset_is_named(clone):
    git(clone, "rm", "-q", "dvc.lock")
    git(clone, "commit", "-qm", "nothing has run")
    with pytest.raises(InputError, match="data/text is not in revision HEAD"):
        text_dataset("HEAD", str(clone))


def test_a_folder_that_is_no_repository_is_named(tmp_path):
    with pytest.raises(InputError, match="is no git repository"):
        text_dataset("v1", str(tmp_path))


def test_a_working_tree_without_a_dataset_says_how_to_get_it(clone):
    with pytest.raises(InputError, match="dvc pull data/text"):
        text_dataset(None, str(clone))


# --- Experiments ---


def code_block(document: str, language: str) -> str:
    """The only block of ``language`` in a file of docs/."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / document).read_text(), re.DOTALL)
    return block


def test_a_sweep_over_learning_rates_finds_the_best_by_validation(project, tmp_path):
    folder = tmp_path / "sweep"
    shutil.copytree(project, folder, symlinks=True)
    queued = run(folder, "dvc", "exp", "run", "--queue", "-S", "train.learning_rate=3.0e-5,1.0e-4", "train_lora")
    assert queued.returncode == 0, queued.stderr
    done = run(folder, "dvc", "exp", "run", "--run-all", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    best = run(folder, sys.executable, "-c", code_block("experiments.md", "python"))
    assert best.returncode == 0, best.stderr
    runs = [line.split() for line in best.stdout.splitlines()]
    assert [[float(number) for number in run[1:]] for run in runs] == [
        [1.0e-4, 1.0],
        [3.0e-5, pytest.approx(1.5229, abs=1e-3)],
    ]
    with chdir(folder), Repo() as repo:
        repo.experiments.apply(runs[0][0])
    assert yaml.safe_load((folder / "params.yaml").read_text())["train"]["learning_rate"] == 1.0e-4
    assert json.loads((folder / "metrics/training.json").read_text())["validation_loss_best"] == 1.0
    assert not (folder / "metrics/eval.json").exists(), "the figures of the adapter before it"
    with chdir(folder):
        shown = [row for row in dvc.api.exp_show() if row["Experiment"]]
    assert len(shown) == 2 and all(row["accuracy"] == "!" for row in shown), "nothing, and no other run's"
    (command,) = re.findall(r"^(dvc exp show .*--csv) >", (ROOT / "docs/experiments.md").read_text(), re.MULTILINE)
    table = run(folder, *shlex.split(command)).stdout
    columns = next(csv.reader(table.splitlines()))
    assert {"validation_loss_best", "train.learning_rate"} <= set(columns) and len(columns) < 15, columns
    assert run(folder, "dvc", "repro").returncode == 0
    assert json.loads((folder / "metrics/eval.json").read_text()) == {"accuracy": 1.0}


def test_going_back_to_earlier_parameters_fits_trains_scores_and_evaluates_nothing(project, tmp_path):
    folder = tmp_path / "back"
    shutil.copytree(project, folder, symlinks=True)
    set_params(folder, **FIRST)
    (folder / "ran.txt").write_text("")
    with chdir(folder), Repo() as repo:
        repo.reproduce()
    assert set((folder / "ran.txt").read_text().split()) == {"merge", "publish"}
    metrics = [f"metrics/{name}.json" for name in ("eval", "training", "tabular")]
    for path in (*metrics, "metrics/training/training.csv", "dvc.lock"):
        assert (folder / path).read_text() == git(folder, "show", f"v1:{path}"), path


@pytest.fixture
def colleagues(project, tmp_path) -> tuple[Path, Path]:
    """Two clones of one bare repository, which have the same DVC remote of a team."""
    git(tmp_path, "clone", "-q", "--bare", project.as_uri(), "origin")
    for name in ("one", "other"):
        git(tmp_path, "clone", "-q", (tmp_path / "origin").as_uri(), name)
        with chdir(tmp_path / name), Repo() as repo:
            repo.pull()
    return tmp_path / "one", tmp_path / "other"


def test_an_experiment_pushed_to_the_teams_remote_arrives_whole(colleagues, tmp_path):
    one, other = colleagues
    for folder in colleagues:
        assert run(folder, "dvc", "remote", "add", "--local", "-d", "team", str(tmp_path / "team")).returncode == 0
    for folder, commands in (
        (one, (("run", "-n", "slow", "-S", "train.learning_rate=1.0e-5", "train_lora"), ("push", "origin", "slow"))),
        (other, (("pull", "origin", "slow"), ("apply", "slow"))),
    ):
        for command in commands:
            done = run(folder, "dvc", "exp", *command)
            assert done.returncode == 0, done.stderr
    assert contents(one, {"models/adapter"}) == contents(other, {"models/adapter"}) != {}


def test_without_make_setup_nothing_is_written_outside_and_both_sides_are_told(colleagues):
    """The path of another revision's remote is resolved at the root of the file system."""
    one, other = colleagues
    assert run(one, "dvc", "exp", "run", "-n", "slow", "-S", "train.learning_rate=1.0e-5", "train_lora").returncode == 0
    for folder, command in ((one, "push"), (other, "pull")):
        done = run(folder, "dvc", "exp", command, "origin", "slow")
        assert done.returncode != 0 and "Not a directory: '/dev/null/remote/" in done.stderr
    for folder, command in ((one, "push"), (other, "pull"), (other, "show")):
        shared = ["--no-cache", "origin", "slow"] if command != "show" else ["--json"]
        done = run(folder, "dvc", "exp", command, *shared)
        assert done.returncode == 0, done.stderr
    assert '"slow"' in done.stdout, "parameters and metrics arrive"
    assert not Path("/remote").exists()


def test_after_make_setup_an_experiment_is_pushed_into_the_repositorys_own_folder(colleagues):
    one, _ = colleagues
    (setup,) = re.findall(r"^setup:.*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert run(one, "bash", "-c", setup.replace("$(CURDIR)", str(one))).returncode == 0
    assert run(one, "dvc", "exp", "run", "-n", "slow", "-S", "train.learning_rate=1.0e-5", "train_lora").returncode == 0
    before = {path for path in (one / "remote").rglob("*") if path.is_file()}
    done = run(one, "dvc", "exp", "push", "origin", "slow")
    assert done.returncode == 0, done.stderr
    assert {path for path in (one / "remote").rglob("*") if path.is_file()} > before


def test_an_experiment_with_a_changed_parameter_runs_and_is_listed_beside_its_base(project, tmp_path):
    folder = tmp_path / "experiment"
    shutil.copytree(project, folder, symlinks=True)
    with chdir(folder), Repo() as repo:
        repo.experiments.run(targets=["train_lora"], params=["train.learning_rate=1.0e-5"], name="slow")
        shown = {row["Experiment"]: row for row in dvc.api.exp_show() if row["Experiment"]}
    assert shown["slow"]["validation_loss_best"] == pytest.approx(2.0)
    assert (folder / "ran.txt").read_text().split() == ["train_lora"]


# --- The example for a team's own repository ---


def test_the_actions_example_reports_the_changed_metrics(project, tmp_path):
    workflow = yaml.safe_load((ROOT / "docs" / "github-actions.yml").read_text())
    steps = {step.get("name"): step for step in workflow["jobs"]["compare"]["steps"]}
    git(tmp_path, "clone", "-q", project.as_uri(), "checkout")
    checkout = tmp_path / "checkout"
    for name in ("Metrics belong to this code", "Compare with the base"):
        done = run(checkout, "env", "BASE=v1", "bash", "-euo", "pipefail", "-c", steps[name]["run"])
        assert done.returncode == 0, done.stderr + done.stdout
    report = (checkout / "report.md").read_text()
    assert re.search(r"\| metrics/eval.json +\| accuracy +\| 0.5 ", report)
    assert re.search(r"\| params.yaml +\| train.learning_rate +\| 0.001 ", report)


def test_the_actions_example_refuses_metrics_of_other_code(project, tmp_path):
    workflow = yaml.safe_load((ROOT / "docs" / "github-actions.yml").read_text())
    step = next(s for s in workflow["jobs"]["compare"]["steps"] if s.get("name") == "Metrics belong to this code")
    git(tmp_path, "clone", "-q", project.as_uri(), "checkout")
    set_params(tmp_path / "checkout", train__learning_rate=1.0e-5)
    done = run(tmp_path / "checkout", "bash", "-euo", "pipefail", "-c", step["run"])
    assert done.returncode == 1
    assert "train_lora" in done.stdout


def test_push_without_a_remote_that_exists_fails(clone):
    with chdir(clone), Repo() as repo, pytest.raises(DvcException, match="nowhere"):
        repo.push(remote="nowhere")
