"""Every command in the README, docs/ and examples/ runs, or is at least one that its program accepts.

``cancertype`` commands and Python that uses it run in this process as they are written, in a folder that looks like a
clone, with the released model answering by its trees alone. Only parsed (subcommand, options, parameters, files) are:
``dvc``, ``make`` and ``pip``, which change the working tree, need a network or train for minutes; ``python`` programs,
which are servers (tests/test_app.py starts that), benchmarks of minutes, or need a GPU; and what ``NOT_RUN`` names.
"""

import importlib.util
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import typer
import yaml
from dvc.cli import parse_args
from dvc.cli.parser import DvcParserError
from typer.testing import CliRunner

from cancertype.commands.cli import app
from cancertype.prediction.predictor import Predictor
from pipeline.dependencies import ROOT

PROGRAMS = ("dvc", "cancertype", "make", "python", "pip", "cp")
COMMENT = re.compile(r"\s+#.*$", re.MULTILINE)
SHELL = {"", "bash", "sh", "console"}
NOT_RUN = {
    "diff": "compares the data of two revisions: tests/test_dataset_diff.py",
    "reproduce": "loads the language model: tests/test_stored_answers.py",
}
"""Subcommands that are parsed alone, and why."""
GIVEN = "P1: APC R1450*, KRAS G12D\nP2: VHL S65*, PBRM1 fs\n"
"""What stands in the file that documents call FILE."""


def documents() -> list[str]:
    of_docs = (path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").glob("*.md")))
    return ["README.md", "examples/README.md", *of_docs]


def written(document: str) -> Iterator[str]:
    """The pieces of a document that are commands: lines of shell blocks, and code within a line."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if language in SHELL:
            yield from COMMENT.sub("", block.replace("\\\n", " ")).splitlines()
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"`([^`]+)`", outside):
        if "..." not in code:
            yield " ".join(code.split())


def commands(document: str) -> list[list[str]]:
    """Argument lists, without what redirects them. A loop gives the command within it."""
    found = []
    for line in written(document):
        for part in re.split(r"&&|;\s*(?:do\s)?|\|\s", line.removeprefix("$ ")):
            words = shlex.split(part.strip(), posix=True) if part.count('"') % 2 == part.count("'") % 2 == 0 else []
            words = words[: words.index(">")] if ">" in words else words
            if len(words) > 1 and words[0] in PROGRAMS:
                found.append(words)
    return found


def problem(words: list[str]) -> str | None:
    """What is wrong with a command; None for one that its program accepts."""
    program, *rest = words
    if program == "dvc":
        return dvc_problem(rest)
    if program == "cancertype":
        return cancertype_problem(rest)
    if program == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return None if rest[0] in targets or "=" in rest[0] else f"no target {rest[0]}"
    if program == "python" and rest[0] == "-m":
        return None if importlib.util.find_spec(rest[1]) else f"no module {rest[1]}"
    files = [word for word in rest if re.fullmatch(r"[\w./-]+\.(txt|py|yaml)", word)]
    return next((f"no file {file}" for file in files if not (ROOT / file).is_file()), None)


def dvc_problem(arguments: list[str]) -> str | None:
    try:
        parse_args(arguments)
    except (DvcParserError, SystemExit) as error:
        return f"dvc says {error}"
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    for setting in (after for before, after in pairwise(arguments) if before == "-S"):
        at = params
        for key in setting.split("=")[0].split("."):
            if not isinstance(at, dict) or key not in at:
                return f"params.yaml has no {setting.split('=')[0]}"
            at = at[key]
    return None


def cancertype_problem(arguments: list[str]) -> str | None:
    program = typer.main.get_command(app)
    if arguments[0] in options_of(program):
        return None
    if arguments[0] not in program.commands:
        return f"no command {arguments[0]}"
    options = options_of(program.commands[arguments[0]])
    given = [word.split("=")[0] for word in arguments[1:] if word.startswith("-") and word != "-"]
    return next((f"{arguments[0]} has no option {word}" for word in given if word not in options), None)


def options_of(command) -> set[str]:
    return {option for param in command.params for option in (*param.opts, *param.secondary_opts)}


@pytest.mark.parametrize("document", documents())
def test_every_command_in_a_document_is_one_that_its_program_accepts(document):
    wrong = {shlex.join(words): reason for words in commands(document) if (reason := problem(words))}
    assert not wrong


def test_the_check_finds_commands_and_tells_wrong_ones():
    assert len(commands("docs/versions.md")) > 15 and len(commands("docs/experiments.md")) > 15
    assert "repro" in problem(["dvc", "repro", "-S", "train.epochs=1"]) or problem(["dvc", "repro", "-S", "a=1"])
    assert problem(["dvc", "exp", "run", "-S", "train.learn_rate=1"]) == "params.yaml has no train.learn_rate"
    assert problem(["cancertype", "diff", "A", "--far"]) == "diff has no option --far"
    assert problem(["make", "everything"]) and problem(["python", "-m", "benchmarks.nothing"])


def test_the_readmes_table_of_the_default_run_has_the_figures_of_the_committed_run():
    measured = json.loads((ROOT / "metrics" / "eval.json").read_text())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^│ (accuracy|macro-F1|log loss|ECE) +│ +([\d.]+) │ +([\d.]+) │ +([\d.]+) │$", readme, re.MULTILINE
    )
    names = {"accuracy": "accuracy", "macro-F1": "macro_f1", "log loss": "log_loss", "ECE": "ece"}
    # The tracked metrics have accuracy and log loss of each model, and the others of both together alone.
    assert {names[name]: both for name, _, _, both in rows} == {
        name: f"{measured[name]:.3f}" for name in names.values()
    }, "update the table that `make run` ends with in README.md"
    for name, language_model, trees, _ in rows:
        if f"lm_{names[name]}" in measured:
            assert (language_model, trees) == tuple(
                f"{measured[f'{who}_{names[name]}']:.3f}" for who in ("lm", "trees")
            )


# --- Running them ---


def runnable() -> list[str]:
    """The different ``cancertype`` commands of all documents. `cancertype predict --fast` within a sentence names a
    command and gives it nothing to do."""
    alone = {name for name, command in typer.main.get_command(app).commands.items() if takes_nothing(command)}
    found = {}
    for document in documents():
        for program, *rest in commands(document):
            complete = program == "cancertype" and (rest[0] in alone or any(word[0] != "-" for word in rest[1:]))
            if complete and rest[0] not in NOT_RUN:
                found[shlex.join(rest)] = None
    return list(found)


def takes_nothing(command) -> bool:
    return not any(param.param_type_name == "argument" for param in command.params)


def snippets() -> Iterator[tuple[str, str]]:
    """The Python in documents, each with the name of its document."""
    for document in documents():
        text = (ROOT / document).read_text(encoding="utf-8")
        for number, block in enumerate(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL), 1):
            yield f"{document} {number}", block


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A folder that looks like a clone, and holds what documents call FILE and FOLDER."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "models").mkdir()
    for name in ("examples", "released"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "models/published").symlink_to(ROOT / "released")
    (folder / "FILE").write_text(GIVEN)
    shutil.copytree(ROOT / "released", folder / "FOLDER")
    return folder


@pytest.fixture(scope="module")
def released() -> Predictor:
    return Predictor.from_pretrained(ROOT / "released", fast=True)


@pytest.fixture
def answering(clone, released, monkeypatch):
    """Everything that loads a model, in the clone, gets the released one without its language model."""
    monkeypatch.setattr(Predictor, "from_pretrained", lambda *_, **__: released)
    monkeypatch.chdir(clone)


def test_there_are_commands_to_run():
    assert len(runnable()) >= 12 and len(list(snippets())) >= 3


@pytest.mark.parametrize("command", runnable())
def test_a_command_runs_as_it_is_written(answering, command):
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0, result.stderr or result.exception
    assert result.stdout or "wrote" in result.stderr


@pytest.mark.parametrize(("name", "code"), [pytest.param(*each, id=each[0]) for each in snippets()])
def test_python_runs_as_it_is_written(answering, name, code):
    program = compile(code, name, "exec")
    # Code about DVC needs runs and revisions that a fresh clone does not have.
    if "import cancertype" in code:
        exec(program, {})
