"""The web page: paste mutations or upload a file, and read which of 26 cancers each sample is.

``python app.py`` serves it on this machine alone; a Hugging Face Space runs the same file. The model is the one that
CANCERTYPE_MODEL names (a folder or a Hub id), else the command line's default. Nothing a visitor gives is kept.
"""

import base64
import gzip
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Read when gradio and tqdm are imported. The bars would write the names of visitors' files into the server's log.
os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "TQDM_DISABLE": "1"}

import gradio as gr

from .. import package_data
from ..errors import InputError
from ..labels import NAMES
from ..prediction import answers, explanation, inputs
from ..prediction.model_folder import model_folder
from ..prediction.predictor import Predictor
from ..reports import pages

MODEL_VARIABLE = "CANCERTYPE_MODEL"
LARGEST_UPLOAD = 20 << 20
LARGEST_UNPACKED = 200 << 20
LONGEST_TEXT = 200_000
MOST_SAMPLES = 50
MOST_LEFT_OUT = 16
"""Mutations that are left out in turn, in each sample."""
SECONDS = 45.0
"""After these no further sample is explained; the page says so."""
WAITING = 16
"""Requests in the queue; one is worked on at a time, since the model takes every core."""
FORGOTTEN_AFTER = 600
"""Seconds after which an upload is deleted that was never submitted."""

_FEWEST_BARS, _MOST_BARS, _PROBLEMS = 5, 8, 5
_PASTED = "sample.txt"
_EXAMPLES = {
    "BRAF V600E and others": "BRAF V600E, CDKN2A R80*, TERT, PTEN, TTN, MUC16",
    "APC, KRAS, TP53": "APC R1450*, KRAS G12D, TP53 R175H, SMAD4, FBXW7, PIK3CA E545K",
    "Two samples": "first: SPOP F133V, FOXA1 R219S\nsecond: TP53 R273H, BRCA1 E23fs, NF1 frameshift",
    "Nothing telling": "TTN, MUC16, KRAS wild type",
}
_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
# The pictures and the reports' colours are made for white paper, whatever the visitor's system prefers.
_ALWAYS_LIGHT = "() => document.body.classList.remove('dark')"


def answer(predictor: Predictor, text: str, upload: str | None, sex: str, kind: str) -> str:
    """The answer to one request as HTML; ``upload`` is the path of the file given and is deleted. ``sex`` and ``kind``
    hold for every sample and may be empty."""
    try:
        with _given(text, upload) as path:
            found = inputs.told(inputs.read(str(path), predictor.config.cohort), sex=sex or None, kind=kind or None)
            if (n := found.tables.cases.num_rows) > MOST_SAMPLES:
                raise InputError(
                    f"{n} samples, and this page takes {MOST_SAMPLES} at once: give fewer, or use `cancertype predict`"
                )
            return _answered(predictor, found)
    except InputError as error:
        return _page(error=str(error))


@contextmanager
def _given(text: str, upload: str | None) -> Iterator[Path]:
    """The path of what was given, deleted at the end; errors name what the visitor knows, not the server's folders.

    Text always becomes a file: taken as it is, it could name a file of the server."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(upload) if upload else Path(folder) / _PASTED
        try:
            if upload and text.strip():
                raise InputError("both a text and a file were given: clear one of them")
            if not upload:
                _write_text(path, text)
            _check_size(path)
            yield path
        except InputError as error:
            raise InputError(str(error).replace(str(path), path.name if upload else "the text")) from error
        finally:
            path.unlink(missing_ok=True)


def _write_text(path: Path, text: str) -> None:
    if not text.strip():
        raise InputError("nothing was given: paste mutations such as BRAF V600E, CDKN2A R80*, or upload a file")
    if len(text) > LONGEST_TEXT:
        raise InputError(f"the text has more than {LONGEST_TEXT:,} characters: upload it as a file")
    path.write_text(text, encoding="utf-8", errors="replace")


def _check_size(path: Path) -> None:
    """Raise ``InputError`` for a file that is too large, or packed so that it would unpack to one that is."""
    if path.stat().st_size > LARGEST_UPLOAD:
        raise InputError(f"{path} is larger than {LARGEST_UPLOAD >> 20} MB: use `cancertype predict`")
    with path.open("rb") as packed:
        if packed.read(2) != b"\x1f\x8b":
            return
    size = 0
    try:
        with gzip.open(path) as unpacked:
            while block := unpacked.read(1 << 20):
                size += len(block)
                if size > LARGEST_UNPACKED:
                    raise InputError(f"{path} unpacks to more than {LARGEST_UNPACKED >> 20} MB: give fewer samples")
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path} is a damaged gzip file ({error}): pack it again") from error


def _answered(predictor: Predictor, found: inputs.Input) -> str:
    """The answer's HTML. Explanations take most of the time, so they stop when it is over."""
    end = time.monotonic() + SECONDS
    predictions = predictor.predict(found.tables, progress=False)
    cases = answers.records(predictions, predictor.config, inputs.remarks(found))
    explanations = {}
    for case in cases:
        if time.monotonic() > end:
            break
        _, told = explanation.explain(predictor, found.tables, [case["case_id"]], most=MOST_LEFT_OUT)
        explanations[case["case_id"]] = told[0]
    return _page(
        found=found,
        cases=cases,
        bars={case["case_id"]: _bars(case) for case in cases},
        explanations=explanations,
        pictures={name: _pictures(told) for name, told in explanations.items() if told.effects},
        coverage=predictor.calibration.coverage,
        csv="data:text/csv;base64," + base64.b64encode(answers.as_csv(cases).encode("utf-8")).decode("ascii"),
    )


def _bars(case: dict) -> list[tuple[str, str, float, bool]]:
    """Label, name, probability and whether it is in the set, for the most probable labels: those of the set, but no
    fewer than 5 and no more than 8."""
    ranked = sorted(case["probabilities"].items(), key=lambda item: -item[1])
    n = min(max(len(case["set"]), _FEWEST_BARS), _MOST_BARS)
    return [(label, NAMES[label], p, label in case["set"]) for label, p in ranked[:n]]


def _pictures(told: explanation.Explanation) -> tuple[str, str]:
    """The effects of the mutations as two image sources, the second for a phone."""
    wide = pages.embedded(lambda: explanation.draw([told]))
    return wide, pages.embedded(lambda: explanation.draw([told], narrow=True))


def _page(error: str = "", **content) -> str:
    nothing = dict.fromkeys(("found", "cases", "bars", "explanations", "pictures", "coverage", "csv"))
    return pages.render(
        "page",
        "web_answer.html.j2",
        {"percent": pages.percent},
        error=error,
        names=NAMES,
        shown=_PROBLEMS,
        **(nothing | content),
    )


def build(predictor: Predictor) -> gr.Blocks:
    """The page around a loaded model."""
    with gr.Blocks(title="Which cancer is it?", analytics_enabled=False, delete_cache=(60, FORGOTTEN_AFTER)) as demo:
        gr.HTML(_head(predictor), apply_default_css=False)
        with gr.Row():
            text = gr.Textbox(
                label="Mutations",
                info="A line `name: mutations` begins a sample.",
                lines=6,
                max_lines=12,
                placeholder="BRAF V600E, CDKN2A R80*",
                max_length=LONGEST_TEXT,
                scale=3,
                min_width=280,
            )
            upload = gr.File(
                label="or a file: MAF, DepMap, table, VCF",
                height=190,
                scale=2,
                min_width=280,
            )
        gr.Examples(
            [[example] for example in _EXAMPLES.values()],
            [text],
            label="Examples",
            example_labels=list(_EXAMPLES),
            cache_examples=False,
            preload=False,
            api_visibility="private",
        )
        with gr.Row():
            sex = gr.Radio([("not given", ""), "female", "male"], value="", label="Sex, of every sample")
            kind = gr.Radio([("not given", ""), "tumour", "cell line"], value="", label="What was sequenced")
        button = gr.Button("Which cancer is it?", variant="primary", size="lg")
        shown = gr.HTML(_page(), apply_default_css=False, min_height=60)
        gr.HTML(_SMALL_PRINT, apply_default_css=False)

        def respond(*given) -> tuple[str, None]:
            return answer(predictor, *given), None

        # The file field is emptied, since its file is gone.
        button.click(
            respond,
            [text, upload, sex, kind],
            [shown, upload],
            show_progress_on=[shown],
            scroll_to_output=True,
            concurrency_limit=1,
            api_visibility="private",
        )
    return demo.queue(max_size=WAITING, default_concurrency_limit=1, api_open=False)


_SMALL_PRINT = (
    '<p class="small-print">Nothing is kept: a file is deleted as soon as it is read; text and answers are never '
    "stored. Give no names or other data of patients all the same. At most "
    f"{LARGEST_UPLOAD >> 20} MB and {MOST_SAMPLES} samples at once; <code>cancertype predict</code> takes any "
    "number.</p>"
)


def _head(predictor: Predictor) -> str:
    banners = f'<div class="top-banner" role="note">{answers.WARNING}</div>'
    if predictor.config.simulated:
        banners += (
            '<div class="top-banner simulated" role="note">The model was trained on simulated cases: nothing here says '
            "anything about a real tumour.</div>"
        )
    return (
        f'{banners}<div class="intro"><h1>Which cancer is it?</h1><p>From the somatic mutations of a tumour or a cell '
        "line to calibrated probabilities of 26 cancers, with their uncertainty and the mutations that "
        "mattered.</p></div>"
    )


def launch(demo: gr.Blocks, **options) -> None:
    """Serve the page on loopback, unless GRADIO_SERVER_NAME says otherwise (a Space does). ``options`` go to gradio."""
    theme = gr.themes.Base(primary_hue="sky", neutral_hue="slate", font=_FONTS, font_mono=("ui-monospace", "monospace"))
    theme.set(
        button_primary_background_fill=pages.BLUE,
        button_primary_background_fill_hover="#134663",
        button_primary_border_color=pages.BLUE,
        button_primary_border_color_hover="#134663",
        button_primary_text_color="#fff",
        block_label_text_color=pages.INK,
        block_title_text_color=pages.INK,
        block_info_text_color="#5c6a75",
        body_text_color_subdued="#5c6a75",
        input_placeholder_color="#6b7782",
        input_background_fill="#fff",
        input_border_color="#9aa5ae",
        input_border_width="1px",
        checkbox_background_color_selected=pages.BLUE,
        checkbox_border_color_selected=pages.BLUE,
        checkbox_label_background_fill="#f5f7f9",
        checkbox_label_background_fill_selected="#e3edf3",
    )
    demo.launch(
        theme=theme,
        css=package_data.text("page", "web.css"),
        js=_ALWAYS_LIGHT,
        max_file_size=LARGEST_UPLOAD,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        share=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        **options,
    )


def main() -> None:
    """Load the model and serve the page; what can be mended is one line on stderr and the exit status 1."""
    try:
        predictor = Predictor.from_pretrained(model_folder(os.environ.get(MODEL_VARIABLE) or None))
    except InputError as error:
        sys.exit(f"app.py: {error}")
    with tempfile.TemporaryDirectory() as uploads:
        os.environ["GRADIO_TEMP_DIR"] = uploads
        launch(build(predictor))
