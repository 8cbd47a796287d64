"""Every command in the README and docs/ is one that its program accepts: subcommand, options, parameters, files.

Tests elsewhere run what can be run here. A command that needs a GPU or a large download is parsed only.
"""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise

import pytest
import typer
import yaml
from dvc.cli import parse_args
from dvc.cli.parser import DvcParserError

from cancertype.commands.cli import app
from pipeline.dependencies import ROOT

PROGRAMS = ("dvc", "cancertype", "make", "python", "pip", "cp")
COMMENT = re.compile(r"\s+#.*$", re.MULTILINE)
SHELL = {"", "bash", "sh", "console"}


def documents() -> list[str]:
    return ["README.md", *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").glob("*.md")))]


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
    known = typer.main.get_command(app).commands
    if arguments[0] not in known:
        return f"no command {arguments[0]}"
    options = {option for param in known[arguments[0]].params for option in (*param.opts, *param.secondary_opts)}
    given = [word.split("=")[0] for word in arguments[1:] if word.startswith("-") and word != "-"]
    return next((f"{arguments[0]} has no option {word}" for word in given if word not in options), None)


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
