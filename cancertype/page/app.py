"""The web page: paste mutations or upload a file, and read which of 26 cancers each sample is.

``python app.py`` serves it on this machine only. A Hugging Face Space runs the same file. The environment variable
CANCERTYPE_MODEL names the model (a folder or a Hub id); the default is that of the command line. Nothing that a visitor
gives is kept.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path

# Read when gradio and tqdm are imported. Progress bars would write the names of visitors' files into the server's log.
os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "TQDM_DISABLE": "1"}

import gradio as gr
from starlette.middleware import Middleware

from .. import package_data
from ..alterations.genome import BUILDS
from ..assays import assay as assays
from ..errors import InputError
from ..prediction import answers, case_parts
from ..prediction import histology as histologies
from ..prediction.model_folder import model_folder
from ..prediction.predictor import Predictor
from ..reports import pages
from . import reading
from .answering import LIMITS, LONGEST_TEXT, answer, delete, html
from .uploads import Pending, Quota

MODEL_VARIABLE = "CANCERTYPE_MODEL"
LONGEST_SITE = 100
WAITING = 16
"""Requests that may wait. One is answered at a time, because the model takes every core."""
PENDING = 10 * LIMITS.packed
"""Bytes of uploads that may wait to be submitted, of all visitors together."""
FORGOTTEN_AFTER = 600
"""Seconds after which an upload that was never submitted is deleted."""

EXAMPLES = {
    "Colon": "APC R1450*, KRAS G12D, TP53 R175H, SMAD4, FBXW7, PIK3CA E545K",
    "Melanoma": "NRAS Q61R, CDKN2A R58*, GRIN2A, DCC",
    "Glioblastoma, with copy number": "EGFR amplification, CDKN2A/B homozygous deletion, +7/-10, PTEN R130Q",
    "Four samples": "P1: SPOP F133V, FOXA1 R219S\nP2: VHL S65*, PBRM1 fs\nP3: NPM1 W288fs, FLT3, DNMT3A R882H\n"
    "P4: KRAS G12D, SMAD4, CDKN2A, TP53 R282W",
    "Uninformative: no answer": "TTN, MUC16, KRAS wild type",
}
"""Textbook cases, which the released model answers rightly, and one that it must not answer."""
PLACEHOLDER = "IDH1 R132H, TP53 R273C, ATRX fs"
_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")


def build(predictor: Predictor, model: Mapping, forget: Callable[[Path], None] = delete) -> gr.Blocks:
    """The page around a loaded model, whose ``answers.identity`` is ``model``. ``forget`` gets the path of every upload
    that was read."""
    with gr.Blocks(title="Which cancer is it?", analytics_enabled=False, delete_cache=(60, FORGOTTEN_AFTER)) as demo:
        gr.HTML(_head(predictor), apply_default_css=False)
        with gr.Row():
            text = gr.Textbox(
                label="Mutations",
                info="Start lines with `P1:`, `P2:` to give several samples. Ctrl+Enter asks.",
                lines=6,
                max_lines=12,
                placeholder=PLACEHOLDER,
                max_length=LONGEST_TEXT,
                scale=3,
                min_width=280,
            )
            upload = gr.File(
                label="Or a file: MAF, DepMap, table, VCF",
                height=190,
                scale=2,
                min_width=280,
            )
        gr.Examples(
            [[example] for example in EXAMPLES.values()],
            [text],
            label="Examples",
            example_labels=list(EXAMPLES),
            cache_examples=False,
            preload=False,
            api_visibility="private",
        )
        with gr.Row():
            assay = _choice("What was looked at (assay)", "as recognised", _assay_choices())
            sex = _choice("Sex (of every sample)", "not given", ["female", "male"])
            kind = _choice("Kind of sample", "not given", ["tumour", "cell line"])
            histology = _choice("Histology (of every sample)", "not given", list(histologies.shares()))
            site = gr.Textbox(
                label="Site of the biopsy",
                placeholder="such as liver; shown with the answer, changes nothing",
                max_lines=1,
                max_length=LONGEST_SITE,
                min_width=200,
            )
        with gr.Row():
            beside = [
                gr.File(label=label, file_count="multiple", height=92, min_width=200, elem_classes="beside")
                for label in ("Copy number", "Fusions", "Spectra")
            ]
            reference = _choice("Reference genome (of segments)", "as recognised", list(BUILDS))
        button = gr.Button("Which cancer is it?", variant="primary", size="lg", elem_id="ask")
        shown = gr.HTML(html(), apply_default_css=False, min_height=60, elem_id="answer")
        gr.HTML(_SMALL_PRINT + _footer(model), apply_default_css=False)

        files = [upload, *beside]
        lists = {"sex": sex, "kind": kind, "assay": assay}
        fields = [*files, *lists.values()]

        def respond(*given) -> Iterator[tuple]:
            # The fields change once, with the first state. Those of files are emptied, because their files are gone;
            # what is put there later stays.
            for number, (page, recognised) in enumerate(answer(predictor, model, *given, forget=forget)):
                if number:
                    yield page, *(gr.skip() for _ in fields)
                else:
                    yield page, *(None for _ in files), *(_showing(lists[name], recognised.get(name)) for name in lists)

        button.click(
            respond,
            [text, upload, sex, kind, assay, *beside, histology, reference, site],
            [shown, *fields],
            show_progress_on=[shown],
            scroll_to_output=True,
            concurrency_limit=1,
            api_visibility="private",
        )
    return demo.queue(max_size=WAITING, default_concurrency_limit=1, api_open=False)


def _choice(label: str, nothing: str, choices: list) -> gr.Dropdown:
    """A list to choose from, with "" for the first entry, ``nothing``."""
    return gr.Dropdown([(nothing, ""), *choices], value="", label=label, min_width=200)


def _assay_choices() -> list[tuple[str, str]]:
    return [(f"{name}: {known.title}", name) for name, known in assays.named().items()]


def _showing(field: gr.Dropdown, recognised: str | None) -> dict:
    """The update of a list of ``_choice`` whose first entry says what the input was ``recognised`` as, if anything."""
    first, *others = field.choices
    return gr.update(choices=[(f"as recognised: {recognised}", "") if recognised else first, *others])


_SMALL_PRINT = (
    '<p class="small-print">Nothing is kept. A file is deleted as soon as it is read, and text and answers are never '
    "stored. Even so, do not enter names or other data that identify patients. The page takes at most "
    f"{LIMITS.packed >> 20} MB and {LIMITS.samples} samples at once; <code>cancertype predict</code> takes any "
    "number.</p>"
)


def _footer(model: Mapping) -> str:
    """Which model answers, from its ``answers.identity``."""
    release = f"Model {escape(model['release'])}" if model["release"] else "Model without a release number"
    return f'<p class="small-print">{release}, cancertype {escape(model["version"])}.</p>'


def _head(predictor: Predictor) -> str:
    banners = f'<div class="top-banner" role="note">{answers.WARNING}</div>'
    if predictor.config.simulated:
        banners += (
            '<div class="top-banner simulated" role="note">The model was trained on simulated cases, so this page says '
            "nothing about real tumours.</div>"
        )
    return (
        f'{banners}<div class="intro"><h1>Which cancer is it?</h1><p>Enter the somatic mutations of a tumour or a cell '
        "line. The answer gives a calibrated probability for each of 26 cancers, its uncertainty, and the mutations "
        "that mattered.</p></div>"
    )


def launch(demo: gr.Blocks, pending: Pending | None = None, **options) -> None:
    """Serve the page on loopback, unless GRADIO_SERVER_NAME names another address (a Space does).

    ``pending`` limits the uploads that wait, and ``options`` go to gradio.
    """
    if pending is not None:
        quota = Middleware(Quota, pending=pending, largest=LIMITS.packed)
        options["app_kwargs"] = {"middleware": [quota]} | options.get("app_kwargs", {})
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
        css=package_data.text("page", "web.css") + case_parts.css(),
        js=package_data.text("page", "web.js"),
        head=f"<script>{package_data.text('page', 'keys.js')}</script>",
        max_file_size=LIMITS.packed,
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
    """Load the model and serve the page. A mistake that can be corrected is one line on stderr and exit status 1."""
    # Python's own way out deletes the visitors' files; the signal's default would leave them.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        reading.start()
        folder = model_folder(os.environ.get(MODEL_VARIABLE) or None)
        predictor = Predictor.from_pretrained(folder)
        model = answers.identity(folder, predictor.config)
    except InputError as error:
        sys.exit(f"app.py: {error}")
    with tempfile.TemporaryDirectory(prefix="cancertype-page-") as folder:
        # Everything that a visitor gives goes below this folder, pasted text and half-finished uploads included.
        tempfile.tempdir = folder
        uploads = Path(folder) / "uploads"
        uploads.mkdir()
        os.environ["GRADIO_TEMP_DIR"] = str(uploads)
        pending = Pending(uploads, PENDING, FORGOTTEN_AFTER)
        demo = build(predictor, model, pending.forget)
        try:
            launch(demo, pending)
        finally:
            tempfile.tempdir = None
            demo.close(verbose=False)
