"""The web page: paste mutations or upload a file, and read which of 26 cancers each sample is.

``python app.py`` serves it on this machine only. A Hugging Face Space runs the same file. The environment variable
CANCERTYPE_MODEL names the model (a folder or a Hub id); the default is that of the command line. Nothing that a visitor
gives is kept.
"""

import base64
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# Read when gradio and tqdm are imported. Progress bars would write the names of visitors' files into the server's log.
os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "TQDM_DISABLE": "1"}

import gradio as gr
from starlette.middleware import Middleware

from .. import package_data
from ..assays import assay as assays
from ..assays import recognition
from ..errors import InputError
from ..labels import NAMES
from ..prediction import (
    answers,
    assumed_assay,
    case_parts,
    companions,
    explanation,
    inputs,
    priors,
)
from ..prediction import histology as histologies
from ..prediction.model import records
from ..prediction.model_folder import model_folder
from ..prediction.predictor import Predictor
from ..reports import pages
from . import limits, reading
from .limits import Limits
from .uploads import Pending, Quota

MODEL_VARIABLE = "CANCERTYPE_MODEL"
LIMITS = Limits()
LONGEST_TEXT = 200_000
MOST_LEFT_OUT = 16
"""Mutations that are left out in turn, in each sample."""
SECONDS = 45.0
"""After this time no further sample is explained, and the page says so."""
WAITING = 16
"""Requests that may wait. One is answered at a time, because the model takes every core."""
PENDING = 10 * LIMITS.packed
"""Bytes of uploads that may wait to be submitted, of all visitors together."""
FORGOTTEN_AFTER = 600
"""Seconds after which an upload that was never submitted is deleted."""

_FEWEST_BARS, _MOST_BARS, _PROBLEMS = 5, 8, 5
_PASTED = "sample.txt"
_OVERRULE = "the choice under What was looked at overrules this"
_EXAMPLES = {
    "BRAF V600E and others": "BRAF V600E, CDKN2A R80*, TERT, PTEN, TTN, MUC16",
    "APC, KRAS, TP53": "APC R1450*, KRAS G12D, TP53 R175H, SMAD4, FBXW7, PIK3CA E545K",
    "Two samples": "first: SPOP F133V, FOXA1 R219S\nsecond: TP53 R273H, BRCA1 E23fs, NF1 frameshift",
    "With copy number": "EGFR amplification, CDKN2A/B homozygous deletion, +7/-10, PTEN R130Q",
    "Uninformative": "TTN, MUC16, KRAS wild type",
}
_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
# The pictures and the reports' colours are made for white paper, whatever the visitor's system prefers.
_ALWAYS_LIGHT = "() => document.body.classList.remove('dark')"


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)


def answer(
    predictor: Predictor,
    text: str,
    upload: str | None,
    sex: str,
    kind: str,
    assay: str = "",
    copy_number: Sequence[str] | None = None,
    fusions: Sequence[str] | None = None,
    spectra: Sequence[str] | None = None,
    histology: str = "",
    forget: Callable[[Path], None] = _delete,
) -> str:
    """The answer to one request as HTML.

    ``upload``, ``copy_number``, ``fusions`` and ``spectra`` are paths of uploaded files, which are given to ``forget``
    afterwards. ``sex``, ``kind``, ``assay`` (the name of a known one) and ``histology`` hold for every sample and may
    be empty.
    """
    given = {"copy_number": copy_number, "fusions": fusions, "spectra": spectra}
    beside = {name: list(map(Path, paths or ())) for name, paths in given.items()}
    try:
        with _given(text, upload, [path for paths in beside.values() for path in paths], forget) as path:
            # A name alone: anything else could be a path of the server's.
            known = assays.get(assay).name if assay else None
            own = {"sex": sex or None, "kind": kind or None, "assay": known}
            found = reading.read(path, predictor.config.cohort, **own, **beside)
        if (n := found.tables.cases.num_rows) > LIMITS.samples:
            raise InputError(
                f"{n} samples, and this page takes {LIMITS.samples} at once: give fewer, or use `cancertype predict`"
            )
        return _answered(predictor, found, histology or None)
    except InputError as error:
        return _page(error=str(error))


@contextmanager
def _given(
    text: str, upload: str | None, beside: Sequence[Path], forget: Callable[[Path], None]
) -> Iterator[Path | None]:
    """The path of the mutations (None where only files ``beside`` them were given). All files are within the limits,
    and forgotten at the end. Errors name what the visitor knows, not the server's folders.

    Text always becomes a file: taken as it is, it could name a file of the server."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(upload) if upload else Path(folder) / _PASTED
        files = [path, *beside]
        try:
            if upload and text.strip():
                raise InputError("both a text and a file were given: clear one of them")
            if not upload and (text.strip() or not beside):
                _write_text(path, text)
            for file in files:
                if file.exists() or file in beside:
                    limits.check(file, LIMITS)
            yield path if path.exists() else None
        except InputError as error:
            said = str(error).replace(str(path), path.name if upload else "the text")
            for file in beside:
                said = said.replace(str(file), file.name)
            raise InputError(said) from error
        finally:
            for file in files:
                forget(file)


def _write_text(path: Path, text: str) -> None:
    if not text.strip():
        raise InputError("nothing was given: paste mutations such as BRAF V600E, CDKN2A R80*, or upload a file")
    if len(text) > LONGEST_TEXT:
        raise InputError(f"the text has more than {LONGEST_TEXT:,} characters: upload it as a file")
    path.write_text(text, encoding="utf-8", errors="replace")


def _answered(predictor: Predictor, found: inputs.Input, histology: str | None) -> str:
    """The answer's HTML. Explanations take most of the time, so they stop when the time is up."""
    end = time.monotonic() + SECONDS
    weights = priors.label_weights(found.tables.cases, predictor.training_share, histology=histology)
    predictions = predictor.predict(found.tables, weights=weights, progress=False)
    cases = records(predictor, found, predictions)
    explanations = {}
    for case in cases:
        if time.monotonic() > end:
            break
        _, (explained,) = explanation.explain(
            predictor, found.tables, [case["case_id"]], most=MOST_LEFT_OUT, weights=weights
        )
        explanations[case["case_id"]] = explained
    return _page(
        found=found,
        assay=assumed_assay.in_words(found.assays).replace(recognition.OVERRULE, _OVERRULE),
        beside=[companions.in_json(each) for each in found.companions],
        cases=cases,
        bars={case["case_id"]: _bars(case) for case in cases},
        explanations=explanations,
        pictures={name: answers.pictures(each) for name, each in explanations.items() if each.effects},
        coverage=predictor.calibration.coverage,
        csv="data:text/csv;base64," + base64.b64encode(answers.as_csv(cases).encode("utf-8")).decode("ascii"),
    )


def _bars(case: dict) -> list[tuple[str, str, float, bool]]:
    """Label, name, probability and whether it is in the set, most probable first: the labels of the set, but at least 5
    and at most 8."""
    ranked = sorted(case["probabilities"].items(), key=lambda item: -item[1])
    n = min(max(len(case["set"]), _FEWEST_BARS), _MOST_BARS)
    return [(label, NAMES[label], p, label in case["set"]) for label, p in ranked[:n]]


def _page(error: str = "", **content) -> str:
    nothing = dict.fromkeys(
        ("found", "assay", "beside", "cases", "bars", "explanations", "pictures", "coverage", "csv")
    )
    return pages.render(
        "page",
        "web_answer.html.j2",
        {"percent": pages.percent},
        error=error,
        names=NAMES,
        given=answers.given_in_words,
        parts=case_parts.html,
        shown=_PROBLEMS,
        **(nothing | content),
    )


def build(predictor: Predictor, forget: Callable[[Path], None] = _delete) -> gr.Blocks:
    """The page around a loaded model. ``forget`` gets the path of every upload that was answered."""
    with gr.Blocks(title="Which cancer is it?", analytics_enabled=False, delete_cache=(60, FORGOTTEN_AFTER)) as demo:
        gr.HTML(_head(predictor), apply_default_css=False)
        with gr.Row():
            text = gr.Textbox(
                label="Mutations",
                info="Start a line with `name:` to give several samples.",
                lines=6,
                max_lines=12,
                placeholder="BRAF V600E, CDKN2A R80*",
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
            [[example] for example in _EXAMPLES.values()],
            [text],
            label="Examples",
            example_labels=list(_EXAMPLES),
            cache_examples=False,
            preload=False,
            api_visibility="private",
        )
        with gr.Row():
            sex = gr.Radio([("not given", ""), "female", "male"], value="", label="Sex (of every sample)")
            kind = gr.Radio([("not given", ""), "tumour", "cell line"], value="", label="What was sequenced")
            histology = gr.Dropdown(
                [("not given", ""), *histologies.shares()], value="", label="Histology (of every sample)", min_width=200
            )
        with gr.Row():
            assay = gr.Dropdown(
                [("recognised from the mutations", ""), *_assay_choices()],
                value="",
                label="What was looked at (the assay)",
                scale=2,
                min_width=280,
            )
            copy_number = gr.File(label="Copy number", file_count="multiple", height=110, scale=2, min_width=200)
            fusions = gr.File(label="Fusions", file_count="multiple", height=110, scale=2, min_width=200)
            spectra = gr.File(label="Spectra", file_count="multiple", height=110, scale=2, min_width=200)
        button = gr.Button("Which cancer is it?", variant="primary", size="lg")
        shown = gr.HTML(_page(), apply_default_css=False, min_height=60)
        gr.HTML(_SMALL_PRINT, apply_default_css=False)

        def respond(*given) -> tuple[str, None, None, None, None]:
            return answer(predictor, *given, forget=forget), None, None, None, None

        # The file fields are emptied, because their files are gone.
        button.click(
            respond,
            [text, upload, sex, kind, assay, copy_number, fusions, spectra, histology],
            [shown, upload, copy_number, fusions, spectra],
            show_progress_on=[shown],
            scroll_to_output=True,
            concurrency_limit=1,
            api_visibility="private",
        )
    return demo.queue(max_size=WAITING, default_concurrency_limit=1, api_open=False)


def _assay_choices() -> list[tuple[str, str]]:
    return [(f"{name}: {known.title}", name) for name, known in assays.named().items()]


_SMALL_PRINT = (
    '<p class="small-print">Nothing is kept. A file is deleted as soon as it is read, and text and answers are never '
    "stored. Even so, do not enter names or other data that identify patients. The page takes at most "
    f"{LIMITS.packed >> 20} MB and {LIMITS.samples} samples at once; <code>cancertype predict</code> takes any "
    "number.</p>"
)


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
        js=_ALWAYS_LIGHT,
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
        predictor = Predictor.from_pretrained(model_folder(os.environ.get(MODEL_VARIABLE) or None))
    except InputError as error:
        sys.exit(f"app.py: {error}")
    with tempfile.TemporaryDirectory(prefix="cancertype-page-") as folder:
        # Everything that a visitor gives goes below this folder, pasted text and half-finished uploads included.
        tempfile.tempdir = folder
        uploads = Path(folder) / "uploads"
        uploads.mkdir()
        os.environ["GRADIO_TEMP_DIR"] = str(uploads)
        pending = Pending(uploads, PENDING, FORGOTTEN_AFTER)
        demo = build(predictor, pending.forget)
        try:
            launch(demo, pending)
        finally:
            tempfile.tempdir = None
            demo.close(verbose=False)
