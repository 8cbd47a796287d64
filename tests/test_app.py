"""The web page, driven in headless Chromium as a visitor would, and what it must refuse."""

import gzip
import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

import cancertype
from cancertype.alterations import genome
from cancertype.page.limits import Limits
from cancertype.prediction import answers
from cancertype.prediction.predictor import Predictor

from .segment_files import write
from .test_companions import arms, fusions

ROOT = Path(__file__).parents[1]
MELANOMA = "BRAF V600E, CDKN2A R80*"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
_ANSWER = ".answer .downloads, .answer .error"
"""What stands there once an answer is complete."""


@pytest.fixture(scope="module")
def app():
    """The module of the page; what importing it sets in the environment is taken back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        patch.setenv("TQDM_DISABLE", "1")
        yield importlib.import_module("cancertype.page.app")


@pytest.fixture(scope="module")
def answering(app):
    """The module that answers a request."""
    return importlib.import_module("cancertype.page.answering")


@pytest.fixture(scope="module")
def ask(answering, published):
    """Ask the page's own function: text, and perhaps a file. Returns the last state of the answer."""
    predictor = Predictor.from_pretrained(published)
    model = answers.identity(published, predictor.config)

    def ask(text="", upload=None, sex="", kind="", **beside) -> str:
        *_, last = answering.answer(predictor, model, text, upload, sex, kind, **beside)
        return last.html

    return ask


@pytest.fixture
def states(answering, published):
    """Ask the page's own function, of the trees alone; every state of the answer."""
    predictor = Predictor.from_pretrained(published, fast=True)
    model = answers.identity(published, predictor.config)
    return lambda text: list(answering.answer(predictor, model, text, None))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory) -> Path:
    """Where the server may put temporary files."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def port(published, scratch) -> int:
    """The port of ``python app.py`` serving the small published model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    own = {"CANCERTYPE_MODEL": str(published), "GRADIO_SERVER_PORT": str(number), "TMPDIR": str(scratch)}
    inherited = {name: value for name, value in os.environ.items() if name != "GRADIO_SERVER_NAME"}
    with (scratch / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, ROOT / "app.py"], cwd=ROOT, env=inherited | own, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(server, number, scratch / "log")
        yield number
        waiting = httpx.post(
            f"http://127.0.0.1:{number}/gradio_api/upload", files={"files": ("left.txt", b"TP53")}
        ).json()
        assert Path(waiting[0]).is_file()
    finally:
        server.terminate()
        server.wait(60)
    assert not list(scratch.glob("cancertype-page-*")), "SIGTERM left visitors' files behind"


def _wait_for(server: subprocess.Popen, port: int, log: Path) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the page did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def browser():
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium to drive the page with: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, port):
    """Open the page in a window of a width; ``requested`` collects every address that it asks for. A ``script`` runs
    before those of the page."""
    contexts = []

    def open_page(width=1200, scheme="light", script=""):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(script)
        page.requested = []
        page.on("request", lambda request: page.requested.append(request.url))
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_label("Mutations").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()


def _upload(page, file: Path):
    """Give a file; returns its row in the field, which stands there once the server has it."""
    page.locator("input[type=file]").first.set_input_files(file)
    row = page.get_by_role("row").filter(has_text=re.compile(rf"{file.stem}\s*{file.suffix}"))
    row.wait_for()
    return row


def _press(page) -> str:
    """Ask, and return the answer as it reads."""
    page.get_by_role("button", name="Which cancer is it?").click()
    page.wait_for_selector(_ANSWER)
    return page.locator(".answer").inner_text()


# --- What a visitor sees ---


def test_pasted_mutations_are_answered_with_bars_set_figures_and_reasons(visit):
    page = visit()
    page.get_by_label("Mutations").first.fill(MELANOMA)
    text = _press(page)
    assert re.search(r"SKCM: .*, >?\d+%", text)
    assert re.search(r"The model recognised 80% of 10 SKCM cases among all test cases, as they are \(recall\)", text)
    assert re.search("in the 90% set", text) and "few mutations given" in text
    widths = page.locator(".ranked .bar i").evaluate_all("bars => bars.map(b => b.getBoundingClientRect().width)")
    assert len(widths) >= 5 and widths == sorted(widths, reverse=True) and widths[0] > 2 * widths[1]
    assert page.locator(".ranked li").first.get_attribute("class") == "inside"


def test_the_explanation_opens_with_effects_evidence_and_links(visit):
    page = visit()
    page.get_by_label("Mutations").first.fill(MELANOMA)
    _press(page)
    why = page.locator(".why")
    assert not why.locator(".effects").is_visible()
    why.locator("> summary").click()
    effects = why.locator(".effects tbody tr").all_inner_texts()
    assert any(row.startswith("BRAF V600E") and re.search(r"[+-]\d+\.\d", row) for row in effects)
    assert effects[-1].startswith("without all of these")
    widths = why.locator(".effects .weight i").evaluate_all("bars => bars.map(b => b.getBoundingClientRect().width)")
    assert len(widths) == 2 and min(widths) > 1
    facts = why.locator(".facts:not(.effects)")
    assert "the share of SKCM with each alteration of this sample" in facts.inner_text()
    links = facts.locator("a").evaluate_all("links => links.map(link => link.href)")
    assert any("cbioportal.org" in link for link in links) and any("oncokb.org/gene/BRAF" in link for link in links)


def test_ctrl_enter_asks(visit):
    page = visit()
    page.get_by_label("Mutations").first.fill(MELANOMA)
    page.get_by_label("Mutations").first.press("Control+Enter")
    page.wait_for_selector(_ANSWER)
    assert "SKCM" in page.locator(".verdict").inner_text()


def test_ctrl_enter_asks_even_before_the_page_answers_clicks(visit):
    """A press was lost that came between the field and web.js."""
    page = visit(
        script=f"""
        document.addEventListener("DOMContentLoaded", () => {{
          const waiting = new MutationObserver(() => {{
            const field = document.querySelector("textarea");
            if (!field) return;
            waiting.disconnect();
            field.value = "{MELANOMA}";
            field.dispatchEvent(new Event("input", {{ bubbles: true }}));
            field.dispatchEvent(new KeyboardEvent("keydown", {{ key: "Enter", ctrlKey: true, bubbles: true }}));
          }});
          waiting.observe(document, {{ childList: true, subtree: true }});
        }});"""
    )
    page.wait_for_selector(_ANSWER)
    assert "SKCM" in page.locator(".verdict").inner_text()


BATCH = f"a: {MELANOMA}\nb: XIRP2 A1V\nc: APC R1450*, KRAS G12D\nd: SPOP F133V"


def test_a_batch_is_a_table_that_sorts_by_name_answer_and_probability(visit):
    page = visit()
    page.get_by_label("Mutations").first.fill(BATCH)
    text = _press(page)
    assert "4 samples: 3 answered (" in text and "1 without an answer." in text

    def column(number: int) -> list[str]:
        return page.locator(f"table.batch tbody tr td:nth-child({number})").all_inner_texts()

    def press(heading: str) -> str:
        page.locator("table.batch").get_by_role("button", name=heading).click()
        return page.locator("table.batch th").filter(has_text=heading).get_attribute("aria-sort")

    assert column(1) == ["a", "b", "c", "d"]
    assert press("Sample") == "ascending" and press("Sample") == "descending"
    assert column(1) == ["d", "c", "b", "a"] == page.locator(".case h2").all_inner_texts()
    press("Answer")
    assert [answer.split(",")[0] for answer in column(2)] == ["COAD", "PRAD", "SKCM", "none"]
    assert press("Probability") == "descending" and column(1)[-1] == "b"
    assert all(re.fullmatch(r"[A-Z]+ [<>]?\d+%", runner_up) for runner_up in column(4))
    assert page.locator(".case[open]").count() == 0
    page.locator("table.batch").get_by_role("link", name="c", exact=True).click()
    assert page.locator(".case[open] h2").all_inner_texts() == ["c"]


def test_what_was_opened_and_sorted_stays_while_the_answer_streams_in(visit):
    """The states of an answer replace each other: here the page gets a second one."""
    page = visit()
    page.get_by_label("Mutations").first.fill(BATCH)
    _press(page)
    page.locator("table.batch").get_by_role("button", name="Sample").click()
    page.locator("table.batch").get_by_role("button", name="Sample").click()
    page.locator("table.batch").get_by_role("link", name="c", exact=True).click()
    page.evaluate(
        """() => {
          const before = document.querySelector("#answer .answer"), next = before.cloneNode(true);
          next.querySelectorAll("details").forEach((part) => part.removeAttribute("open"));
          next.querySelectorAll("th").forEach((head) => head.removeAttribute("aria-sort"));
          const body = next.querySelector("tbody");
          [...body.rows].reverse().forEach((row) => body.append(row));
          before.replaceWith(next);
        }"""
    )
    page.wait_for_function("document.querySelector('.case[open]')")
    assert page.locator(".case[open] h2").all_inner_texts() == ["c"]
    assert page.locator("table.batch tbody td:first-child").all_inner_texts() == ["d", "c", "b", "a"]
    assert page.locator("table.batch th").first.get_attribute("aria-sort") == "descending"


def test_csv_json_and_a_page_can_be_saved(visit, tmp_path):
    page = visit()
    page.get_by_label("Mutations").first.fill(BATCH)
    _press(page)
    saved = {}
    for link in page.locator(".downloads a").all():
        with page.expect_download() as waiting:
            link.click()
        saved[waiting.value.suggested_filename] = Path(waiting.value.path()).read_text()
    assert [line.split(",")[0] for line in saved["cancertype.csv"].splitlines()] == ["case_id", "a", "b", "c", "d"]
    content = json.loads(saved["cancertype.json"])
    assert [case["case_id"] for case in content["cases"]] == ["a", "b", "c", "d"]
    assert [why["case_id"] for why in content["explanations"]] == ["a", "b", "c", "d"]
    assert content["model"]["id"] and content["model"]["version"]
    report = saved["cancertype.html"]
    assert content["model"]["id"] in report and re.search(r"asked on \d{4}-\d\d-\d\d", report)
    assert "4 samples: 3 answered (" in report and "<script" not in report


def test_the_assay_is_chosen_from_a_list(visit):
    page = visit()
    page.get_by_label("Mutations").first.fill(MELANOMA)
    page.get_by_label("What was looked at (assay)").click()
    page.get_by_role("option", name="msk-impact-468").click()
    assert "What was looked at: msk-impact-468: as the user states" in _press(page)


def test_the_lists_show_what_was_recognised(visit):
    page = visit()
    labels = ("What was looked at (assay)", "Sex (of every sample)", "Kind of sample")
    shown = [page.get_by_label(label) for label in labels]
    assert [each.input_value() for each in shown] == ["as recognised", "not given", "not given"]
    page.get_by_label("Mutations").first.fill(MELANOMA)
    _press(page)
    assert [each.input_value() for each in shown] == ["as recognised: list", "not given", "as recognised: tumour"]


def test_the_commonest_of_what_was_recognised_is_named_and_the_others_are_counted(states):
    first, *_, last = states(f"a: {MELANOMA}\nb: {MELANOMA}\nc: MYC amplification")
    assert first.recognised == last.recognised == {"assay": "list and 1 more", "kind": "tumour"}
    (state,) = states("")
    assert state.recognised == {}


def test_the_page_warns_that_it_is_for_research_and_that_its_model_is_simulated(visit):
    banners = visit().locator(".top-banner").all_inner_texts()
    assert banners[0].startswith("For research use only.")
    assert banners[1].startswith("The model was trained on simulated cases")


def test_an_example_is_a_click_away(visit):
    page = visit()
    page.get_by_role("button", name="Four samples").click()
    page.wait_for_function("document.querySelector('textarea').value.startsWith('P1:')")
    _press(page)
    assert page.locator(".case h2").all_inner_texts() == ["P1", "P2", "P3", "P4"]


def test_the_released_model_answers_the_examples_rightly(app):
    """By its trees alone, which is quick; the language model agrees in each of them."""
    model = cancertype.load(ROOT / "released", fast=True)
    expected = {"Colon": ["COAD"], "Melanoma": ["SKCM"], "Four samples": ["PRAD", "KIRC", "LAML", "PAAD"]}
    expected |= {"Glioblastoma, with copy number": ["GBMLGG"], "Uninformative: no answer": [None]}
    assert {name: model.predict(text).labels for name, text in app.EXAMPLES.items()} == expected
    assert model.predict(app.PLACEHOLDER).labels == ["LGG"]


def test_a_file_is_answered_and_gone_afterwards(visit, tmp_path, scratch):
    file = tmp_path / "cases.csv"
    file.write_text("ID,APC,KRAS,BRAF\nsecret-7,R1450*,G12D,WT\n")
    page = visit()
    uploaded = _upload(page, file)
    text = _press(page)
    assert "Read as wide table: 1 sample, 2 mutations" in text and "secret-7" in text
    uploaded.wait_for(state="detached")
    kept = [path for path in scratch.rglob("*") if path.is_file() and b"secret-7" in path.read_bytes()]
    assert not kept
    assert "cases.csv" not in (scratch / "log").read_text()


def test_a_bad_file_is_refused_by_name_without_the_servers_folders(visit, tmp_path, scratch):
    file = tmp_path / "cases.maf"
    file.write_bytes(b"PK\x03\x04" + bytes(100))
    page = visit()
    _upload(page, file)
    _press(page)
    error = page.get_by_role("alert").inner_text()
    assert "cases.maf is a damaged zip archive or spreadsheet" in error and str(scratch) not in error


def test_an_error_gives_way_to_the_next_answer(visit):
    page = visit()
    assert "nothing was given" in _press(page)
    page.get_by_label("Mutations").first.fill(MELANOMA)
    page.get_by_role("button", name="Which cancer is it?").click()
    page.wait_for_selector(".answer .case")
    assert page.locator(".answer .error").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [(1200, "dark"), (390, "light")])
def test_the_page_fits_its_window_and_asks_no_other_server(visit, port, width, scheme):
    page = visit(width, scheme)
    page.get_by_label("Mutations").first.fill(MELANOMA)
    _press(page)
    beyond = page.evaluate(
        "[...document.querySelectorAll('.answer *')].filter(e => e.getBoundingClientRect().right > innerWidth)"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width and not beyond
    elsewhere = [url for url in page.requested if not url.startswith((f"http://127.0.0.1:{port}/", "data:", "blob:"))]
    assert page.requested and not elsewhere
    assert page.locator("body.dark").count() == 0


# --- What the server refuses ---


def test_the_page_listens_on_loopback_alone(port):
    with socket.socket() as probe:
        # A server on every address would take this one too.
        assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_a_large_upload_is_refused(port, app):
    files = {"files": ("large.maf", bytes(app.LIMITS.packed + 1))}
    assert httpx.post(f"http://127.0.0.1:{port}/gradio_api/upload", files=files, timeout=30).status_code == 413


def _completed(base: str, path: str) -> str:
    """What the server says in the end to a request, made without a browser, that names ``path`` as its upload."""
    pressed = next(d for d in httpx.get(f"{base}/config", timeout=60).json()["dependencies"] if len(d["inputs"]) == 11)
    data = ["", {"path": path, "meta": {"_type": "gradio.FileData"}}, "", "", "", None, None, None, "", "", ""]
    call = {"data": data, "fn_index": pressed["id"], "session_hash": Path(path).parent.name}
    httpx.post(f"{base}/gradio_api/queue/join", json=call, timeout=60).raise_for_status()
    session = {"session_hash": call["session_hash"]}
    with httpx.stream("GET", f"{base}/gradio_api/queue/data", params=session, timeout=30) as said:
        return next(line for line in said.iter_lines() if "process_completed" in line)


def test_a_request_cannot_name_a_file_of_the_server(port, tmp_path):
    """The page deletes the file that a request names, so it must be one that was uploaded."""
    base, own = f"http://127.0.0.1:{port}", tmp_path / "own.txt"
    own.write_text(MELANOMA)
    refused = _completed(base, str(own))
    assert '"success":false' in refused and "SKCM" not in refused
    assert own.read_text() == MELANOMA
    (uploaded,) = httpx.post(f"{base}/gradio_api/upload", files={"files": ("own.txt", own.read_bytes())}).json()
    assert "SKCM" in _completed(base, uploaded) and not Path(uploaded).exists()


def test_the_same_file_of_two_visitors_is_answered_twice(port):
    base = f"http://127.0.0.1:{port}"
    paths = [
        httpx.post(f"{base}/gradio_api/upload", files={"files": ("a.txt", MELANOMA)}, timeout=60).json()[0]
        for _ in range(2)
    ]
    assert all("SKCM" in _completed(base, path) for path in paths)
    assert not any(Path(path).exists() for path in paths)


def test_a_text_is_never_taken_for_a_path_of_the_server(ask, tmp_path):
    own = tmp_path / "own.txt"
    own.write_text(MELANOMA)
    assert "SKCM" not in ask(str(own)) and own.is_file()


def test_names_are_shown_as_text_and_not_as_markup(ask):
    page = ask(f"S1<b>: {MELANOMA}")
    assert "S1<b>" not in page and "S1&lt;b&gt;" in page


def test_sex_and_kind_reach_the_model(ask):
    assert "list, cell line, female, 2 non-silent mutations" in ask(MELANOMA, sex="female", kind="cell line")


def test_the_site_is_shown_and_what_the_histology_rules_out_is_not(ask):
    page = ask(MELANOMA, site=" liver<b> ", histology="thymic")
    assert "Site of the biopsy: liver&lt;b&gt; (not read by the model)." in page
    assert "Histology: thymic, for every sample; possible: THYM." in page
    assert "<b>THYM</b>" in page and "<b>SKCM</b>" not in page
    assert "Site of the biopsy" not in ask(MELANOMA)
    batch = ask(BATCH, histology="thymic")
    assert '<td data-value="THYM">' in batch and "0%" not in batch.split("downloads")[0]


def test_the_assay_is_recognised_shown_and_can_be_chosen(ask):
    said = "What was looked at: list: typed mutations are somebody&#39;s selection; the choice under What was looked at"
    page = ask(f"{MELANOMA}, VHL L89P")
    assert said in page and "--assay" not in page
    assert "unknown to the model: VHL L89P" in page
    assert "What was looked at: msk-impact-468: as the user states" in ask(MELANOMA, assay="msk-impact-468")
    assert "is not a known assay" in ask(MELANOMA, assay="/etc/hostname")


def test_copy_number_and_fusions_are_taken_beside_mutations_or_alone_and_deleted(ask, tmp_path):
    files = {
        "copy_number": [str(arms(tmp_path / "arms.tsv", "s1", "z"))],
        "fusions": [str(fusions(tmp_path / "f.tsv", "s1"))],
    }
    page = ask(f"s1: {MELANOMA}", **files)
    assert "arms.tsv (copy number, arm table): 1 of 2 samples used" in page and "the sample matches no case: z" in page
    assert not any(Path(path).exists() for (path,) in files.values())
    page = ask(copy_number=[str(arms(tmp_path / "arms.tsv", "s1"))])
    assert "no mutations are given: they were not looked at" in page and "<h2>s1</h2>" in page
    spans = genome.gene_spans("hg38")
    place = spans.genes.index("KIT")
    row = f"text\t4\t{spans.starts[place]}\t{spans.ends[place]}\t2.5"
    for build, said in (("", "choose it under Reference genome"), ("hg38", "1 of 1 sample used")):
        segments = write(tmp_path / "a.seg", "ID\tchrom\tstart\tend\tseg.mean", row)
        page = ask(MELANOMA, copy_number=[str(segments)], build=build)
        assert said in page and "--build" not in page
    (tmp_path / "bad.tsv").write_text("a\tb\n1\t2\n")
    page = ask(MELANOMA, copy_number=[str(tmp_path / "bad.tsv")])
    assert "bad.tsv: line 1: not a layout of copy number" in page and str(tmp_path) not in page


def test_more_samples_than_the_page_takes_are_refused(ask, app):
    most = app.LIMITS.samples
    given = "\n".join(f"case {i}: {MELANOMA}" for i in range(most + 1))
    assert f"{most + 1} samples, and this page takes {most} at once" in ask(given)


def test_text_and_file_together_are_refused_and_the_file_is_deleted(ask, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(MELANOMA)
    assert "both a text and a file were given" in ask(MELANOMA, str(file))
    assert not file.exists()


def test_a_text_that_is_too_long_is_refused(ask, app):
    assert "upload it as a file" in ask("T" * (app.LONGEST_TEXT + 1))


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is_read(ask, answering, tmp_path, monkeypatch):
    monkeypatch.setattr(answering, "LIMITS", Limits(unpacked=3 << 20))
    file = tmp_path / "bomb.maf.gz"
    file.write_bytes(gzip.compress(b"TP53\tR175H\n" * (5 << 16)))
    assert "bomb.maf.gz unpacks to more than 3 MB" in ask(upload=str(file))


def test_a_damaged_gzip_file_is_refused(ask, tmp_path):
    file = tmp_path / "cut.maf.gz"
    file.write_bytes(gzip.compress(b"Hugo_Symbol\n" * 500)[:-12])
    assert "cut.maf.gz is a damaged gzip file" in ask(upload=str(file))


def test_when_the_time_is_over_the_answer_stays_and_says_what_is_missing(ask, answering, monkeypatch):
    monkeypatch.setattr(answering, "SECONDS", -1.0)
    page = ask(MELANOMA)
    assert "<b>SKCM</b>" in page and "time for one request was up" in page and "effects" not in page


def test_answers_come_first_and_explanations_and_downloads_later(answering, states, monkeypatch):
    monkeypatch.setattr(answering, "_AT_ONCE", 2)
    first, second, *_, last = (state.html for state in states(BATCH))
    assert "2 of 4 answered" in first and first.count('class="case"') == 2
    assert "Working out what decided: 0 of 4" in second and second.count('class="case"') == 4
    assert second.count("still being worked out") == 4 and "downloads" not in second
    assert "still being worked out" not in last and last.count("<caption>What decided") == 3 and "downloads" in last


def test_a_missing_model_is_one_line(app, monkeypatch, tmp_path):
    monkeypatch.setenv(app.MODEL_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(SystemExit, match=r"app\.py: .*nowhere"):
        app.main()
