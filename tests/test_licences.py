"""The page of licences is that of the installed packages, and none of them forbids what this project allows."""

import re
from email.message import Message

import pytest

from pipeline import licences
from pipeline.dependencies import ROOT


def test_the_page_is_up_to_date():
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page(), "run `python -m pipeline.licences`"


def test_every_package_of_the_requirements_is_on_the_page_and_states_a_licence():
    named = licences.direct((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    found = licences.of_all(named)
    assert set(named) <= set(found) and len(found) > 2 * len(named)
    assert "huggingface-hub" in named and "markupsafe" in found


def test_no_package_is_under_a_licence_that_its_users_would_inherit():
    named = licences.direct((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    choice = re.compile(r"LGPL|exception|\bOR\b|\|", re.IGNORECASE)  # a weaker one, or another to choose
    strong = {name for name, text in licences.of_all(named).items() if "GPL" in text and not choice.search(text)}
    assert strong == set()


@pytest.mark.parametrize(
    ("fields", "stated"),
    [
        ([("License-Expression", "MIT OR Apache-2.0"), ("License", "x")], "MIT OR Apache-2.0"),
        ([("Classifier", "License :: OSI Approved :: BSD License"), ("License", "long\ntext")], "BSD License"),
        ([("Classifier", "License :: OSI Approved"), ("License", "\n  MIT License\n\nCopyright")], "MIT License"),
        ([("License", "UNKNOWN")], licences.UNSTATED),
        ([], licences.UNSTATED),
    ],
)
def test_the_licence_is_what_the_metadata_state(fields, stated):
    package = Message()
    for name, value in fields:
        package[name] = value
    assert licences.licence(package) == stated


def test_make_audit_reads_the_pinned_requirements_in_an_environment_of_its_own():
    rule = (ROOT / "Makefile").read_text().partition("\naudit:")[2].partition("\n\n")[0]
    assert ".venv-audit/bin/pip-audit --requirement requirements.txt" in rule and "pipeline.licences" in rule
    assert all("==" in line for line in (ROOT / "requirements.txt").read_text().splitlines() if line[:1].isalnum())
