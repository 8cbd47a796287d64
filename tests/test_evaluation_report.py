"""The page is one file that says what is true; the plots' files are what dvc draws."""

import csv
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cancertype.evaluation.evaluate import evaluate_predictions
from cancertype.labels import LABELS
from cancertype.reports import evaluation_report
from cancertype.reports.pages import picture

from .made_up_predictions import SETTINGS, made_up_predictions, without

LOSS = pd.DataFrame({"step": [1, 2, 3], "loss": [3.0, 2.0, 1.5]})
ABOUT = {"Code": "commit 0123abc", "Data": "release <24Q4>"}


class _Page(HTMLParser):
    """The page's text, the addresses it would load, and whether its tags close."""

    VOID = frozenset({"meta", "img", "br", "link", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.loads, self.open, self.seen = "", [], [], set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.loads += [value for key, value in attrs if key in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def write(path, result, about=ABOUT, **losses) -> _Page:
    evaluation_report.write_report(path, result, about, **losses)
    return _Page(path.read_text(encoding="utf-8"))


def written(tmp_path, frame, **losses) -> _Page:
    return write(tmp_path / "report.html", evaluate_predictions(frame, SETTINGS, seed=0), **losses)


@pytest.fixture(scope="module")
def result():
    return evaluate_predictions(made_up_predictions(5.0, 1.0), SETTINGS, seed=0)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    frame = made_up_predictions(1.0, 3.0)
    return written(tmp_path_factory.mktemp("page"), frame, training_loss=LOSS, validation_loss=LOSS)


@pytest.fixture(scope="module")
def odd_page(tmp_path_factory):
    """Simulated cases, markup where mutations should be, and a single order beside the averaged ones."""
    frame = made_up_predictions(4.0).assign(mutations="<script>alert(1)</script>", source="simulated_tcga")
    single = made_up_predictions(1.0)[[f"lm_{label}" for label in LABELS]]
    single.columns = [f"single_order_{label}" for label in LABELS]
    return written(tmp_path_factory.mktemp("odd"), pd.concat([frame, single], axis=1))


def test_the_page_needs_no_other_file(page):
    assert len(page.loads) == 6
    assert all(address.startswith("data:image/svg+xml;base64,") for address in page.loads)
    assert page.open == []


def test_the_page_leads_with_what_is_true(page):
    lead = page.text[: page.text.index("accuracy: the top label is right")]
    assert "Language model: worse than the best tabular model, boosted trees" in lead
    assert re.search(r"The difference is −\d+\.\d\u00a0points \(−\d+\.\d to −\d+\.\d\)\. McNemar’s exact test: p", lead)


def test_a_better_model_is_called_better(result):
    rows = evaluation_report.statements(result.details)
    assert [row["verdict"] for row in rows] == ["better", "better"]
    assert rows[1]["title"] == "Language model: better than the best tabular model, boosted trees"


def test_the_page_says_research_use_only_and_names_versions(page):
    assert "For research use only" in page.text
    assert "commit 0123abc" in page.text and "release <24Q4>" in page.text


def test_the_page_holds_every_label_and_an_example_of_each_shown_confusion(page):
    assert all(label in page.text for label in LABELS)
    assert len(re.findall(r"case \d+", page.text)) >= 6
    assert "TP53 R175H, KRAS G12D" in page.text


def test_only_simulated_figures_wear_the_banner(page, odd_page):
    assert "Simulated" not in page.text
    assert "every test case was drawn from published gene frequencies" in odd_page.text


def test_text_from_the_data_cannot_become_markup(odd_page):
    assert "<script>alert(1)</script>" in odd_page.text
    assert "script" not in odd_page.seen


def test_the_gain_of_averaging_orders_is_reported(page, odd_page):
    gain = r"Averaging over several orders of the mutations changes accuracy by \+\d+\.\d\u00a0points"
    assert re.search(gain, odd_page.text) and not re.search(gain, page.text)


def test_a_page_without_tabular_models_losses_intervals_or_other_cancers_is_whole(tmp_path):
    frame = without(made_up_predictions(), "trees_", "logistic_", "majority_", "mutations")
    result = evaluate_predictions(
        frame[frame["split"] != "out_of_scope"], SETTINGS.model_copy(update={"bootstrap_samples": 0}), seed=0
    )
    page = write(tmp_path / "report.html", result, about={})
    assert page.open == []
    assert "No tabular model was measured" in page.text and "95% intervals." not in page.text
    assert "outside the 26" not in page.text


@pytest.mark.parametrize("skill", [-9.0, 50.0])
def test_a_page_of_few_cases_all_wrong_or_all_right_is_whole(tmp_path, skill):
    frame = made_up_predictions(skill, skill)
    page = written(tmp_path, frame[(frame["split"] != "test") | (frame.index < 104)])
    assert page.open == []
    assert ("Every test case is right" in page.text) is (skill > 0)


def test_the_same_figures_give_the_same_pictures(result):
    drawings = evaluation_report._pictures(result, LOSS, LOSS)
    for name in ("models", "reliability"):
        assert picture(drawings[name], "svg") == picture(drawings[name], "svg")


def rows_of(path) -> list[dict]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_plots_files_hold_what_dvc_draws(result, tmp_path):
    evaluation_report.write_plots(tmp_path, result, LOSS, LOSS[:1])
    test = result.predictions[result.predictions["split"] == "test"]
    confusion = rows_of(tmp_path / "confusion.csv")
    assert [row["actual"] for row in confusion] == list(test["label"])
    right = np.mean([row["actual"] == row["predicted"] for row in confusion])
    assert right == pytest.approx(result.details["models"]["blend"]["strict"]["accuracy"]["value"])
    for folder, columns in (
        ("reliability", {"confidence", "accuracy"}),
        ("risk_coverage", {"coverage", "risk"}),
        ("f1", {"label", "f1"}),
    ):
        assert sorted(path.name for path in (tmp_path / folder).iterdir()) == [
            "final.csv",
            "language_model.csv",
            "tabular.csv",
        ]
        assert columns <= set(rows_of(tmp_path / folder / "final.csv")[0])


def test_every_picture_is_a_png_with_something_in_it(result, tmp_path):
    evaluation_report.write_plots(tmp_path, result, LOSS, LOSS)
    pictures = sorted((tmp_path / "pictures").iterdir())
    assert [path.stem for path in pictures] == ["confusion", "f1", "loss", "models", "reliability", "risk_coverage"]
    for path in pictures:
        with Image.open(path) as image:
            assert len(image.convert("L").getcolors(256)) > 20, path.name


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (evaluation_report.percent({"value": 0.604, "low": 0.578, "high": 0.63}), "60.4% (57.8 to 63.0)"),
        (evaluation_report.percent(None), "–"),
        (evaluation_report.number(1.314), "1.31"),
        (evaluation_report.points({"value": -0.079, "low": -0.106, "high": 0.001}), "−7.9\u00a0points (−10.6 to +0.1)"),
    ],
)
def test_figures_are_written_for_readers(written, expected):
    assert written == expected


def test_a_page_for_others_shows_no_single_case(tmp_path):
    result = evaluate_predictions(made_up_predictions(1.0, 3.0), SETTINGS, seed=0)
    shared = write(tmp_path / "shared.html", result, examples=False).text
    assert "called" in shared and not re.findall(r"case \d+", shared)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("exome", "exome"),
        ("msk-impact-468+arms", "msk-impact-468 + arms"),
        ("nothing+spectra", "spectra alone"),
        ("nothing+arms+genes", "arms + genes alone"),
    ],
)
def test_rows_of_the_grid_are_named_for_readers(row, words):
    assert evaluation_report.in_words(row) == words
