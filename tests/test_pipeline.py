"""The pipeline as DVC sees it: what each stage depends on, and what a change reruns."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from pipeline import size
from pipeline.dependencies import EXACT, ROOT, with_dependencies
from pipeline.schema import Params

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
EVALUATED = {"evaluate", "publish"}
SCORED = {"score"} | EVALUATED
TRAINED = {"train_lora", "merge"} | SCORED
FEATURIZED = {"featurize", "to_text", "tabular"} | TRAINED

# A parameter, another value for it, and the stages that must run again; every other stage must not.
RERUNS = [
    ("seed", 1, {"tabular"} | TRAINED),
    (
        "data.sources",
        ["simulated", "table"],
        {"fetch_depmap", "fetch_tcga", "fetch_cbioportal", "fetch_table"} | FEATURIZED,
    ),
    ("data.simulated.cases_per_label", 41, {"fetch_depmap", "fetch_tcga"} | FEATURIZED),
    ("data.depmap.location", "elsewhere", {"fetch_depmap"} | FEATURIZED),
    ("data.tcga.location", "elsewhere", {"fetch_tcga"} | FEATURIZED),
    ("data.tcga.location", ["one", "other"], {"fetch_tcga"} | FEATURIZED),
    ("data.cbioportal.location", ["study"], {"fetch_cbioportal"} | FEATURIZED),
    ("data.table.path", "table.csv", {"fetch_table"} | FEATURIZED),
    ("data.genome", ["hg19.fa", "hg38.fa"], FEATURIZED),
    ("cohort.test_fraction", 0.3, FEATURIZED),
    ("features.genes", 10, FEATURIZED),
    ("features.cancer_gene_panels", None, FEATURIZED),
    ("views.copies", 1, FEATURIZED),
    ("views.alterations", {"arms": 0.0}, FEATURIZED),
    ("text.max_mutations", 3, {"to_text"} | TRAINED),
    ("text.completion", "code", {"to_text"} | TRAINED),
    ("model.base", "google/gemma-3-1b-pt", {"fetch_base", "to_text"} | TRAINED),
    ("model.load_in_4bit", True, TRAINED),
    ("lora.r", 4, TRAINED),
    ("train.learning_rate", 1.0e-4, TRAINED),
    ("train.epochs", 3.0, TRAINED),
    ("tabular.trees", 10, {"tabular"} | EVALUATED),
    ("tabular.folds", 5, {"tabular"} | TRAINED),
    ("tabular.folds", 0, {"tabular"} | TRAINED),
    ("evaluate.assays", ["exome"], FEATURIZED),
    ("evaluate.cases_per_assay", 10, SCORED),
    ("evaluate.orders", 4, SCORED),
    ("evaluate.abstain_below", 0.4, EVALUATED),
    ("evaluate.coverage", 0.8, EVALUATED),
    ("publish.private", False, {"publish"}),
]


def names(entries: list) -> list[str]:
    """Paths of deps, outs, metrics or plots, with or without options."""
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def outputs(stage: dict) -> list[str]:
    return names(stage.get("outs", []) + stage.get("metrics", []) + stage.get("plots", []))


def test_dvc_yaml_lists_the_code_that_each_stage_runs_as_make_deps_writes_it():
    text = (ROOT / "dvc.yaml").read_text()
    assert with_dependencies(text) == text


NO_READERS = ("cancertype/sources/gene_panels.py",)
"""What names the assays' genes lies beside the reader of users' gene lists."""


@pytest.mark.parametrize("name", ["tabular", "train_lora", "merge", "score", "evaluate"])
def test_no_reader_makes_a_model_run_again(name):
    rooms = tuple(f"cancertype/{room}" for room in ("sources", "fetch", "simulator"))
    assert not [dep for dep in STAGES[name]["deps"] if dep.startswith(rooms) and dep not in NO_READERS]


@pytest.mark.parametrize("name", ["tabular", "train_lora", "merge", "score", "evaluate"])
def test_no_way_of_drawing_views_or_calling_copy_number_makes_a_model_run_again(name):
    """Their results do, which are files."""
    deps = set(STAGES[name]["deps"])
    drawing = {"assays/views.py", "assays/alteration_views.py", "assays/background.py", "features/views.py"}
    assert not deps & {f"cancertype/{file}" for file in (*drawing, "alterations/calls.py", "alterations", "assays")}


@pytest.mark.parametrize("name", EXACT)
def test_a_costly_stage_depends_on_no_answer_page_or_report_of_data(name):
    rooms = ("cohort", "prediction", "publishing", "versions", "commands", "page", "reports/data_report")
    found = [dep for dep in STAGES[name]["deps"] if dep.startswith(tuple(f"cancertype/{room}" for room in rooms))]
    # The draw of the grid's cases is by the hash that splits the cohort.
    assert set(found) <= {"cancertype/cohort/hashing.py"}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_reads_exactly_the_parameters_it_lists(name):
    tree = ast.parse((ROOT / "stages" / f"{name}.py").read_text())
    assigned = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    wanted = [
        assigned.get(node.args[0].id) if isinstance(node.args[0], ast.Name) else node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "read"
    ]
    if "read_everything()" in ast.unparse(tree):
        assert not wanted and sorted(Params.model_fields) == STAGES[name]["params"]
        return
    assert len(wanted) == 1, "a stage reads its parameters once"
    assert sorted(key.value for key in wanted[0].keys) == STAGES[name]["params"]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_one_short_script_with_a_description_and_sorted_lists(name):
    stage = STAGES[name]
    assert stage["cmd"] == f"python -m stages.{name}" and stage["desc"]
    for key in ("deps", "params"):
        assert stage[key] == sorted(stage[key])
    assert len((ROOT / "stages" / f"{name}.py").read_text().splitlines()) <= 100


def test_metrics_are_tracked_by_git_and_large_outputs_by_dvc():
    for stage in STAGES.values():
        assert all(entry[path].get("cache") is False for entry in stage.get("metrics", []) for path in entry)
    options = {name: entry for stage in STAGES.values() for entry in stage["outs"] for name in names([entry])}
    assert options["models/base"] == {"models/base": {"cache": False}}
    assert options["data/text"] == "data/text" and options["models/adapter"] == "models/adapter"


@pytest.mark.parametrize("name", ["featurize", "to_text", "tabular", "train_lora", "score", "evaluate"])
def test_a_stage_whose_results_travel_can_be_kept_by_the_run_cache(name):
    """DVC passes over a stage with an uncached output that is neither metric nor plot."""
    assert all(isinstance(entry, str) for entry in STAGES[name]["outs"])


def test_an_adapter_that_is_too_large_for_git_is_warned_of(tmp_path):
    weights = tmp_path / "adapter" / "adapter_model.safetensors"
    weights.parent.mkdir()
    for megabytes, warned in ((8, False), (21, True)):
        with weights.open("wb") as file:
            file.truncate(megabytes << 20)
        message = size.warning(weights.parent)
        assert bool(message) is warned
    assert "takes 21 MiB" in message and "docs/versions.md" in message


def test_git_tracks_nothing_that_is_too_large_to_travel():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    assert [file.name for file in files if file.is_file() and file.stat().st_size > size.LARGEST] == []


def test_dvc_yaml_stays_short_enough_to_read():
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) <= 255


# --- What a change reruns: the real graph, with commands that write a digest of what they may read -------------------

DIGEST = """
import ast, hashlib, json, pathlib, sys, yaml
name = sys.argv[1]
parsed = pathlib.Path(".dvc/tmp/parsed.json")  # which git ignores
known = json.loads(parsed.read_text()) if parsed.exists() else {}
def of_code(path):
    # A comment changes a file and nothing that the file does. Parsing takes long, so that it is done once for a file.
    state = path.stat()
    key = f"{path} {state.st_mtime_ns} {state.st_size}"
    if key not in known:
        known[key] = hashlib.sha256(ast.dump(ast.parse(path.read_bytes())).encode()).hexdigest()
    return known[key].encode()
stage = yaml.safe_load(pathlib.Path("dvc.yaml").read_text())["stages"]
own, params = stage[name], yaml.safe_load(pathlib.Path("params.yaml").read_text())
digest, without_reports = hashlib.sha256(), hashlib.sha256()
def update(content, of_reports=False):
    digest.update(content)
    if not of_reports:
        without_reports.update(content)
for dep in own["deps"]:
    for path in sorted(pathlib.Path(dep).rglob("*")) if pathlib.Path(dep).is_dir() else [pathlib.Path(dep)]:
        if path.is_file():
            content = of_code(path) if path.suffix == ".py" else path.read_bytes()
            update(content, dep.startswith("cancertype/reports"))
for key in own["params"]:
    value = params
    for part in key.split("."):
        value = value[part]
    update(repr(value).encode())
wanted = [dep for other in stage.values() for dep in other["deps"]]
for out in [o if isinstance(o, str) else next(iter(o)) for k in ("outs", "metrics", "plots") for o in own.get(k, [])]:
    inside = [dep for dep in wanted if dep.startswith(out + "/")]
    is_file = "." in pathlib.Path(out).name
    for path in [out] if is_file else [*inside, out + "/content"]:
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        # A tokenizer file, for one, need not change when a base does; here everything does.
        # The code of the reports makes pages and pictures, and no table.
        is_report = "report" in path or "plots" in path
        written = (digest if is_report else without_reports).hexdigest()
        if path.endswith("out_of_fold.parquet") and not params["tabular"]["folds"]:
            written = "no folds: other trees, the same empty file"
        pathlib.Path(path).write_text(f'{{"digest": "{written}"}}' if path.endswith(".json") else written)
parsed.parent.mkdir(parents=True, exist_ok=True)
parsed.write_text(json.dumps(known))
with open("ran.txt", "a") as log:
    log.write(name + "\\n")
"""


def copy_of_the_repository(to: Path, without: tuple[str, ...] = ("remote/",)) -> Path:
    """A git repository with the working tree's files, those that git ignores or whose names begin so left out.

    Where a test clones it, the hundred megabytes of data and models would take longer than all else.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if name.startswith(without):
            continue
        if (ROOT / name).is_file() or (ROOT / name).is_symlink():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name, follow_symlinks=False)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "copy"]):
        subprocess.run([*git, *command], cwd=to, check=True)
    return to


def run(folder: Path, *command: str) -> subprocess.CompletedProcess:
    """Run a command of the environment in ``folder``; the caller judges its exit status."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "DVC_NO_ANALYTICS": "1",
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def graph(tmp_path_factory) -> Path:
    """The repository with the real dvc.yaml but for its commands, reproduced once."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("graph") / "repository", without=("remote/", "released/"))
    (folder / "dvc.lock").unlink(missing_ok=True)
    document = yaml.safe_load((folder / "dvc.yaml").read_text())
    for name, stage in document["stages"].items():
        stage["cmd"] = f"{sys.executable} digest.py {name}"
    document.pop("plots", None)
    (folder / "dvc.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    (folder / "digest.py").write_text(DIGEST)
    first = run(folder, "dvc", "repro", "--quiet")
    assert first.returncode == 0, first.stderr
    assert set((folder / "ran.txt").read_text().split()) == set(STAGES)
    return folder


def rerun(folder: Path) -> list[str]:
    """Reproduce in this process, which spares the seconds that dvc takes to start, and tell which commands ran."""
    (folder / "ran.txt").write_text("")
    before = Path.cwd()
    os.chdir(folder)
    try:
        with Repo(str(folder)) as repo:
            repo.reproduce(run_cache=False)
    finally:
        os.chdir(before)
    return (folder / "ran.txt").read_text().split()


def changed(text: str, dotted: str, value) -> str:
    document = yaml.safe_load(text)
    *sections, key = dotted.split(".")
    at = document
    for section in sections:
        at = at[section]
    assert at[key] != value
    at[key] = value
    return yaml.safe_dump(document, sort_keys=False)


# Each of the following leaves the pipeline up to date in a state of its own, from which the next one starts.


@pytest.mark.parametrize(("key", "value", "expected"), RERUNS, ids=[key for key, *_ in RERUNS])
def test_a_changed_parameter_reruns_its_stages_and_no_others(graph, key, value, expected):
    params = graph / "params.yaml"
    params.write_text(changed(params.read_text(), key, value))
    assert sorted(rerun(graph)) == sorted(expected)


def test_a_comment_in_params_reruns_nothing(graph):
    params = graph / "params.yaml"
    params.write_text("# A remark.\n" + params.read_text())
    assert rerun(graph) == []


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("cancertype/evaluation/metrics.py", {"tabular"} | EVALUATED),
        ("cancertype/publishing/hub.py", {"publish"}),
        ("cancertype/labels/oncotree_labels.csv", FEATURIZED),
        ("cancertype/sources/vcf.py", FEATURIZED),
        ("cancertype/reports/data_report.py", {"featurize"}),
        ("cancertype/reports/evaluation_report.py", {"featurize", "evaluate"}),
        ("cancertype/reports/report.css", {"featurize", "evaluate"}),
        ("cancertype/scoring/likelihood.py", {"merge"} | SCORED),
        ("stages/to_text.py", {"to_text"} | TRAINED),
        ("cancertype/errors.py", set()),
        ("cancertype/prediction/answers.py", {"publish"}),
        ("cancertype/commands/cli.py", set()),
        ("cancertype/page/app.py", set()),
        ("docs/predict.md", set()),
    ],
)
def test_a_changed_file_reruns_the_stages_that_import_or_read_it(graph, file, expected):
    with (graph / file).open("a") as appended:
        appended.write("CHANGED = True\n" if file.endswith(".py") else "\n")
    assert sorted(rerun(graph)) == sorted(expected)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("cancertype/sources/tcga.py", {"featurize", "publish"}),
        ("cancertype/fetch/releases.py", {"fetch_depmap", "fetch_tcga", "fetch_cbioportal", "fetch_table"}),
        ("cancertype/reports/pages.py", {"featurize", "evaluate"}),
    ],
)
def test_a_comment_in_the_code_reruns_what_it_may_concern_and_nothing_after_it(graph, file, expected):
    with (graph / file).open("a") as appended:
        appended.write("# A remark.\n")
    assert sorted(rerun(graph)) == sorted(expected)
