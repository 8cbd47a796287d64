"""What a file says stays text: in the terminal, in a spreadsheet, in Markdown and in JSON."""

import csv
import io
import json
import re

import pytest
import yaml

from cancertype.commands.terminal import in_json, visible
from cancertype.prediction.spreadsheet import cell
from cancertype.publishing import markdown, redaction

HOSTILE = [
    *("\x1b[31mred", "\x1b]0;title\x07", "\x9b2J", "a\rb", "x\x08y"),
    *("\u202egnp.exe", "\u2066x", "\udcff", "\u2028", "\x7f"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_terminal_is_shown_escapes_and_never_obeys_them(text):
    shown = visible(text)
    assert shown.isprintable() and shown.isascii() and "\\" in shown


def test_the_terminal_shows_ordinary_text_as_it_is():
    text = "TP53 p.Arg175His, Zürich, 東京 – 83%\n\tindented"
    assert visible(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_json_reads_back_as_it_was_and_holds_no_escape(text):
    written = in_json(json.dumps({"name": text}, ensure_ascii=False))
    assert written.isprintable() and written.isascii()
    assert json.loads(written) == {"name": text}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＠"])
def test_a_spreadsheet_runs_no_cell(start):
    text = f"{start}HYPERLINK(0)"
    assert cell(text)[0] == "'" and cell(text).endswith("HYPERLINK(0)")


@pytest.mark.parametrize("value", ["TP53 R175H", "s=1", "", "0.000012", -0.5, None, 3])
def test_other_cells_stay_as_they_are(value):
    assert cell(value) == value


def test_control_characters_do_not_reach_a_csv_file():
    buffer = io.StringIO()
    csv.writer(buffer).writerow([cell(text) for text in HOSTILE])
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", buffer.getvalue())


def test_markdown_becomes_no_link_html_or_heading():
    shown = markdown.plain("# <img src=x onerror=a()> [here](http://x) `b` *c* _d_ | e\n## f")
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)[#<>\[\]`*_|]", shown)


def test_code_and_blocks_cannot_be_left_from_inside():
    assert markdown.code("a`b``c") == "```a`b``c```"
    block = markdown.block("key: |\n  ```\n  # heading", "yaml")
    assert block.startswith("````yaml\n") and block.endswith("\n````")


# --- What may be published ---


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("https://ann:secret@host.org/x.maf?token=abc#t", "https://host.org/x.maf"),
        ("s3://key:secret@bucket/x", "s3://bucket/x"),
        ("https://host/x?X-Amz-Signature=ab12", "https://host/x"),
        ("https://host:8443/x", "https://host:8443/x"),
        ("https://hf.co/hf_abcdefghijklmnopqrst/x", "https://hf.co/(left out)/x"),
        ("ann:pw@host.org:data/x.maf", "host.org:data/x.maf"),
        ("/home/ann/My Clinic/x.maf", "(a local path)"),
        ("~/x.maf", "(a local path)"),
        ("~ann/x.maf", "(a local path)"),
        ("../clinic/x.maf", "(a local path)"),
        ("C:\\Users\\Ann\\x.maf", "(a local path)"),
        ("\\\\server\\ann\\x.maf", "(a local path)"),
        ("file:///home/ann/x.maf", "(a local path)"),
        ("read from /home/ann/x.maf in May", "read from (a local path) in May"),
        ("read from /Users/ann/My old files/x.maf in May", "read from (a local path) in May"),
        ("ann:secret@host.org/x", "host.org/x"),
        ("see C:\\Users\\Ann\\x.maf", "see (a local path)"),
        ("token hf_abcdefghijklmnopqrst", "token (left out)"),
        ("ghp_0123456789abcdefghij", "(left out)"),
        ("AKIAIOSFODNN7EXAMPLE", "(left out)"),
    ],
)
def test_secrets_and_local_paths_are_left_out(text, public):
    assert redaction.text(text) == public
    assert redaction.text(public) == public


@pytest.mark.parametrize(
    "text",
    [
        "Ellrott et al., Cell Systems 2018, https://doi.org/10.1016/j.cels.2018.03.002; CC BY 4.0",
        "{kind} {sex} {burden} {process}\n{shares} {events}\ncancer:",
        "google/gemma-3-270m",
        "data/raw/tcga",
        "SNVs and/or indels, 3/4",
        "CC0 1.0",
        "sha256:a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        "q_proj",
        "",
    ],
)
def test_public_text_stays_as_it_is(text):
    assert redaction.text(text) == text


def test_values_under_a_secrets_name_are_left_out_wherever_they_are():
    given = {"a": [{"password": "x", "api_key": "y", "max_tokens": 96, "trainable_tokens": "all"}], "token": ""}
    assert redaction.public(given) == {
        "a": [{"password": "(left out)", "api_key": "(left out)", "max_tokens": 96, "trainable_tokens": "all"}],
        "token": "",
    }


def test_every_preset_is_public_as_it_is():
    from .test_params import PRESETS

    for preset in PRESETS:
        document = yaml.safe_load(preset.read_text())
        assert redaction.public(document) == document
