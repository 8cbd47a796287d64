"""The command line as people use it: every form in, every form out, and one line for every mistake."""

import csv
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import cancertype
from cancertype.assays import assay
from cancertype.commands import screen
from cancertype.commands.cli import app
from cancertype.labels import FAMILIES, LABELS
from cancertype.prediction import abstention, answers, inputs, manifest
from cancertype.prediction import model as of_model
from cancertype.prediction.prediction_config import CONFIG
from cancertype.prediction.predictor import Predictor
from cancertype.reports import pages
from cancertype.variants.cases import RowAccount

from .published_model import TYPICAL, training_cohort
from .segment_files import arm_segments, write
from .test_companions import arms, fusions, spectrum
from .test_inputs import DEPMAP

ROOT = Path(__file__).parents[1]
TEXT = "s1: BRAF V600E, CDKN2A R80*\ns2: XIRP2 A1V\ns3: SPOP F133V, TP53 R175H\n"


@pytest.fixture
def run(published, tmp_path, monkeypatch):
    """Run a command in an empty folder, with the small model unless ``model`` says otherwise."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, model: str | None = str(published), stdin: str | bytes | None = None) -> Result:
        named = ["--model", model] if model and words[0] != "validate" else []
        return CliRunner().invoke(app, [*words, *named], input=stdin)

    return run


def as_json(result: Result) -> dict:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def predicted(result: Result) -> dict[str, dict]:
    return {case["case_id"]: case for case in as_json(result)["cases"]}


def with_changed_config(published: Path, folder: Path, section: str, **changes) -> None:
    """The small model as the default one of ``folder``, with another prediction config."""
    changed = folder / "models" / "published"
    shutil.copytree(published, changed)
    config = json.loads((changed / CONFIG).read_text())
    config[section] |= changes
    (changed / CONFIG).write_text(json.dumps(config))
    manifest.write(changed)


def test_a_shell_completes_commands_and_options(run, monkeypatch):
    for words, expected in (("cancertype pre", "predict"), ("cancertype predict --copy", "--copy-number")):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        shown = CliRunner().invoke(app, [], prog_name="cancertype", env={"_CANCERTYPE_COMPLETE": "complete_bash"})
        assert expected in shown.stdout.split()


# --- predict ---


def test_predict_says_what_the_predictor_says(run, published):
    cases = predicted(run("predict", TEXT, "--json", "-"))
    predictions = Predictor.from_pretrained(published).predict(inputs.read(TEXT).tables)
    assert list(cases) == ["s1", "s2", "s3"]
    p = np.array([[case["probabilities"][label] for label in LABELS] for case in cases.values()])
    np.testing.assert_allclose(p, predictions.p, rtol=1e-6)
    assert [set(case["set"]) for case in cases.values()] == [
        {label for label, inside in zip(LABELS, row, strict=True) if inside} for row in predictions.in_set
    ]


def test_each_sample_has_answer_top_three_family_set_and_measured_figures(run):
    case = predicted(run("predict", TEXT, "--json", "-"))["s1"]
    assert (case["answer"], case["abstains"], case["set"]) == ("SKCM", None, ["SKCM"])
    assert (case["top"][0]["label"], len(case["top"])) == ("SKCM", 3)
    assert (case["top"][0]["recall"], case["top"][0]["precision"], case["top"][0]["n"]) == (0.8, None, 10)
    assert case["family"] == {"label": "SKCM", "p": pytest.approx(case["probabilities"]["SKCM"])}
    assert set(case["families"]) == set(FAMILIES)
    assert sum(case["families"].values()) == pytest.approx(1.0)
    assert case["mutations"] == ["BRAF V600E", "CDKN2A R80*"]


def test_the_family_sums_its_labels(run, tmp_path):
    (tmp_path / "prior.csv").write_text("label,share\nKIPAN,30\nKIRC,30\nSKCM,40\n")
    case = predicted(run("predict", "XIRP2 A1V", "--prior", "prior.csv", "--json", "-"))["text"]
    kidney = case["probabilities"]["KIPAN"] + case["probabilities"]["KIRC"]
    assert case["families"]["KIPAN"] == pytest.approx(kidney)
    assert case["family"]["label"] == max(case["families"], key=case["families"].get)


def test_abstaining_comes_with_its_reason(run, published, tmp_path):
    with_changed_config(published, tmp_path, "calibration", abstain_below=1.0)
    cases = predicted(run("predict", "a: XIRP2 A1V\nb: TTN A1V", "--json", "-", model=None))
    p = np.array([cases["b"]["probabilities"][label] for label in LABELS])
    assert {name: (case["answer"], case["abstains"]) for name, case in cases.items()} == {
        "a": (None, "no informative mutation"),
        "b": (None, abstention.reason(p, 1.0, alterations=1)),
    }


def unlike_any(folder: Path) -> None:
    """A MAF of 600 genes that no vocabulary has, 570 of them with a deletion that shifts the frame, and BRAF V600E."""
    columns = ["Hugo_Symbol", "Tumor_Sample_Barcode", "HGVSp_Short", "Variant_Classification", "Variant_Type"]
    columns += ["Reference_Allele", "Tumor_Seq_Allele2"]
    shifts = [(f"ZNF{i}", "S-1", "p.A10fs", "Frame_Shift_Del", "DEL", "A", "-") for i in range(1, 571)]
    others = [(f"OR{i}A1", "S-1", "p.A10V", "Missense_Mutation", "SNP", "C", "T") for i in range(1, 31)]
    known = [("BRAF", name, "p.V600E", "Missense_Mutation", "SNP", "A", "T") for name in ("S-1", "S-2")]
    rows = [columns, *shifts, *others, *known]
    (folder / "far.maf").write_text("\n".join("\t".join(row) for row in rows) + "\n")


def test_a_sample_unlike_the_training_cases_is_said_to_be_so_wherever_answers_are_shown(run, published, tmp_path):
    unlike_any(tmp_path)
    before = predicted(run("predict", "far.maf", "--assay", "exome", "--json", "-"))["S-1"]
    assert not any("unlike" in said for said in (before["abstains"] or "", *before["remarks"])), "no ranges are stored"
    ranges = {"cases": 60, "burden": 4000, "indels": 0.61, "known": []}
    with_changed_config(published, tmp_path, "ranges", exome=ranges)
    options = ("--assay", "exome", "--json", "a.json", "--csv", "a.csv", "--html", "a.html")
    assert run("predict", "far.maf", *options, model=None).exit_code == 0
    shown = " ".join(run("predict", "far.maf", "--assay", "exome", model=None).stdout.split())
    far, near = json.loads((tmp_path / "a.json").read_text())["cases"]
    reason = "unlike any of the 26: 95% of its mutations are insertions or deletions"
    remark = (
        "unlike anything that the model was trained on: 95% of its mutations are insertions or deletions, where hardly "
        "any training case with at least 20 mutations has more than 61%"
    )
    assert (far["answer"], far["abstains"]) == (None, reason) and remark in far["remarks"]
    assert not any("unlike" in said for said in (near["abstains"] or "", *near["remarks"]))
    for name in ("a.csv", "a.html"):
        written = (tmp_path / name).read_text()
        assert reason in written and remark in written
    assert "unlike" in shown


def test_the_screen_shows_every_sample_its_remarks_and_the_warning(run):
    shown = run("predict", TEXT).stdout
    assert re.search(r"s1 +SKCM +SKCM >?9\d% Cutaneous melanoma +SKCM 80% of 10 / –", shown)
    assert "(all test cases)" in shown
    assert re.search(r"s2 +none .*no informative mutation", shown)
    assert "Every sample: no DNA alleles given: the substitution spectrum is unknown." in shown
    assert "simulated cases, so nothing here says anything about real tumours" in shown
    assert answers.WARNING in shown


def test_a_narrow_terminal_shows_each_label_beside_its_figures(run, monkeypatch):
    monkeypatch.setattr(screen.Screen, "width", 80)
    lines = [line.rstrip() for line in run("predict", TEXT).stdout.splitlines()]
    at = next(i for i, line in enumerate(lines) if re.fullmatch(r"  SKCM +>?9\d%  Cutaneous melanoma", line))
    assert lines[at - 1] == "s1: SKCM"
    assert lines[at + 1].strip() == "recall 80% of 10, precision – (all test cases)"
    assert "s2: no answer, no informative mutation" in lines


def test_words_that_are_not_understood_are_shown(run):
    assert "Not understood: line 1: 'banana' is no gene symbol known here" in run("predict", "KRAS G12D, banana").stdout


def test_csv_json_and_page_are_written_together_and_agree(run, tmp_path):
    result = run("predict", TEXT, "--csv", "a.csv", "--json", "a.json", "--html", "out/a.html")
    assert result.exit_code == 0, result.stderr
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    cases = json.loads((tmp_path / "a.json").read_text())["cases"]
    assert [row["case_id"] for row in rows] == ["s1", "s2", "s3"]
    for row, case in zip(rows, cases, strict=True):
        assert row["answer"] == (case["answer"] or "")
        assert row["set"].split() == case["set"]
        assert sum(float(row[f"p_{label}"]) for label in LABELS) == pytest.approx(1.0, abs=1e-4)
    page = (tmp_path / "out" / "a.html").read_text()
    assert answers.WARNING in page
    assert "SKCM: Cutaneous melanoma" in page
    assert "No answer: no informative mutation" in page
    # What a reader may follow is not loaded.
    without_links = re.sub(r'<a href="https://www\.(?:cbioportal|oncokb)\.org/[^"]*"', "", page)
    assert not re.search(r"""(?:src|href)=["']?(?:http|//|[\w/]+\.(?:css|js|png))""", without_links), (
        "the page needs other files"
    )


def test_names_in_a_file_cannot_write_markup_into_the_page(run, tmp_path):
    run("predict", "<script>alert(1)</script>: BRAF V600E", "--html", "a.html")
    assert "<script>" not in (tmp_path / "a.html").read_text()


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_may_be_any_form(run, packed):
    table = b"ID,BRAF,CDKN2A\nx,V600E,R80*\n"
    result = run("predict", "-", "--json", "-", stdin=gzip.compress(table) if packed else table)
    assert predicted(result)["x"]["answer"] == "SKCM"
    assert "stdin (wide table): 1 sample, 2 mutations used" in as_json(result)["about"]["Input"]


def test_many_samples_are_predicted_at_once(run, tmp_path):
    typical = list(TYPICAL.items())
    lines = [f"s{i}: {mutation[0]} {mutation[1]}" for i in range(250) for mutation in typical[i % 4][1]]
    (tmp_path / "many.txt").write_text("\n".join(lines))
    cases = predicted(run("predict", "many.txt", "--json", "-"))
    assert [cases[f"s{i}"]["answer"] for i in range(250)] == [typical[i % 4][0] for i in range(250)]


def test_a_prior_multiplies_by_its_share_over_the_training_share(run, tmp_path):
    (tmp_path / "prior.csv").write_text("label,share\nSKCM,1\nCOAD,1\nOV,1\nPRAD,7\n")
    before = predicted(run("predict", "TTN A1V", "--json", "-"))["text"]["probabilities"]
    result = run("predict", "TTN A1V", "--prior", "prior.csv", "--json", "-")
    after = predicted(result)["text"]["probabilities"]
    # The four labels have the same number of training cases, so the ratio moves by the prior's alone.
    assert after["PRAD"] / after["SKCM"] == pytest.approx(7 * before["PRAD"] / before["SKCM"])
    assert {label for label, p in after.items() if p} == {"SKCM", "COAD", "OV", "PRAD"}
    assert as_json(result)["about"]["Prior"].startswith("prior.csv")


def test_the_training_share_is_that_of_the_training_cases(published):
    share = Predictor.from_pretrained(published).training_share
    cases, splits = training_cohort()
    n = sum(split == "train" for split in splits)
    assert share[LABELS.index("OV")] == pytest.approx((n / 4 + 1 / 26) / (n + 1))
    assert share.sum() == pytest.approx(1.0)
    assert cases.cases.num_rows == len(splits)


def test_sex_is_read_by_the_model_and_rules_organs_out_only_when_asked_to(run):
    asked = ("predict", "TP53 R175H, BRCA1 E23fs", "--sex", "male", "--json", "-")
    read, ruled_out = (predicted(run(*asked, *more))["text"] for more in ((), ("--rule-out-by-sex",)))
    assert (read["sex"], ruled_out["sex"]) == ("male", "male")
    assert read["probabilities"]["OV"] > 0.5
    assert [ruled_out["probabilities"][label] for label in ("CESC", "OV", "UCEC")] == [0, 0, 0]
    assert ruled_out["probabilities"]["TGCT"] > 0
    assert sum(ruled_out["probabilities"].values()) == pytest.approx(1.0)


def test_a_prior_and_a_sex_that_leave_no_label_are_refused(run, tmp_path):
    (tmp_path / "prior.csv").write_text("label,share\nOV,1\n")
    result = run("predict", "KRAS G12D", "--sex", "male", "--rule-out-by-sex", "--prior", "prior.csv")
    assert result.exit_code == 1
    assert "leave a case no label at all" in result.stderr


def test_kind_and_panel_reach_the_model(run, tmp_path):
    (tmp_path / "panel.txt").write_text("BRAF\nKRAS\n")
    asked = ("predict", "BRAF V600E, TTN A1V", "--kind", "cell-line", "--panel", "panel.txt", "--json", "-")
    case = predicted(run(*asked))["text"]
    assert (case["kind"], case["burden"], case["mutations"]) == ("cell line", 1, ["BRAF V600E"])
    assert "a panel of 2 genes: the burden counts these alone" in case["remarks"]


# --- Assay, copy number, fusions ---


def test_the_answer_says_which_assay_is_assumed_why_and_how_the_mutations_are_read(run):
    text = "s1: BRAF V600E, VHL L89P\ns2: SPOP A9V"
    result = run("predict", text, "--json", "-", "--csv", "a.csv", "--html", "a.html")
    case = predicted(result)["s1"]
    reason = "typed mutations are somebody's selection"
    assert case["assay"] == {"name": "list", "reason": reason, "certain": True}
    assert case["readings"] == {"read": 1, "gene only": 0, "unknown": 1}
    assert case["given"][1] == {"mutation": "VHL L89P", "reading": "unknown"}
    assert as_json(result)["about"]["Assay"] == f"list: {reason}; --assay overrules this"
    shown = run("predict", text).stdout
    assert "read: BRAF V600E; unknown to the model: VHL L89P" in shown and "read as their gene only: SPOP A9V" in shown
    with Path("a.csv").open(newline="") as file:
        assert [row["assay"] for row in csv.DictReader(file)] == ["list", "list"]
    page = Path("a.html").read_text()
    assert "assay: list" in page and "unknown to the model: VHL L89P" in page


@pytest.mark.parametrize("option", ["--assay", "--panel"])
def test_a_named_assay_is_taken_for_every_sample(run, option):
    case = predicted(run("predict", "BRAF V600E, OR4F5 A1V", option, "IMPACT468", "--json", "-"))["text"]
    assert (case["assay"]["name"], case["burden"], case["given"]) == ("msk-impact-468", 1, None)


def test_copy_number_and_fusions_are_predicted_beside_mutations_or_alone(run, tmp_path):
    beside = arms(tmp_path / "arms.tsv", "s1", "z"), fusions(tmp_path / "f.tsv", "s3")
    files = ("--copy-number", "arms.tsv", "--fusions", "f.tsv")
    about = as_json(run("predict", TEXT, *files, "--json", "-"))["about"]
    assert about["Beside it"] == (
        "arms.tsv (copy number, arm table): 1 of 2 samples matched, not z; "
        "f.tsv (fusions, pairs of genes): 1 of 1 sample matched"
    )
    alone = as_json(run("predict", *files, "--json", "-"))
    assert [case["case_id"] for case in alone["cases"]] == ["s1", "z", "s3"]
    assert {case["assay"]["name"] for case in alone["cases"]} == {"nothing"}
    assert alone["about"]["Assay"] == "no mutations are given: they were not looked at"
    explained = as_json(run("explain", TEXT, *files, "--sample", "s1", "--json", "-"))["explanations"]
    assert explained[0]["assay"]["name"] == "list" and explained[0]["readings"]["read"] == 2
    assert all(path.is_file() for path in beside)


def test_validate_accounts_for_the_files_beside_the_mutations(run, tmp_path):
    arms(tmp_path / "arms.tsv", "s1", "z")
    spectrum(tmp_path / "s.SBS96.all", "s2")
    asked = ("validate", TEXT, "--copy-number", "arms.tsv", "--spectra", "s.SBS96.all")
    of_arms, of_spectra = as_json(run(*asked, "--json", "-"))["beside"]
    assert (of_arms["matched"], of_arms["samples"], of_arms["account"]["total"]) == (1, 2, 78)
    assert (of_spectra["layout"], of_spectra["matched"]) == ("SBS96", 1)
    shown = run(*asked).stdout
    assert "assay: list: typed mutations" in shown and "arm table): 1 of 2 samples matched, not z" in shown
    assert "1 sample not used, because the sample matches no case: z" in shown


def test_copy_number_that_is_not_used_is_said_in_the_answer(run, tmp_path):
    rows = [f"s1\t{c}\t{start}\t{end}\t{v}" for c, start, end, v in arm_segments(arm_7p=0.4)]
    write(tmp_path / "a.seg", "ID\tchrom\tstart\tend\tseg.mean", *rows)
    beside = ("s1: BRAF V600E", "--copy-number", "a.seg")
    found = as_json(run("predict", *beside, "--purity", "0.1", "--json", "-"))
    (case,), reason = found["cases"], "the purity 0.10 is below 0.20"
    assert case["arms"] is None and f"its copy number was not used: {reason}" in case["remarks"]
    assert found["about"]["Beside it"].endswith(f"0 of 1 sample used; copy number of s1 not used: {reason}")
    found = as_json(run("validate", *beside, "--purity", "0", "--json", "-"))["beside"]
    assert found[0]["not_used"] == {"the purity 0.00 is below 0.20": ["s1"]}
    limits = ("--purity", "0.1", "--copy-number-limits", "purity=0.05,gained_log2=0.5")
    (case,) = as_json(run("predict", *beside, *limits, "--json", "-"))["cases"]
    assert set(case["arms"].values()) == {0}
    (case,) = as_json(run("predict", *beside, "--build", "hg38", "--json", "-"))["cases"]
    assert case["arms"]["7p"] == 1
    assert "behind the chromosome's end in hg19" in run("predict", *beside, "--build", "hg19").stderr


def test_copy_number_through_a_pipe_is_read_like_a_file(tmp_path):
    arms(tmp_path / "arms.tsv", "s1")
    done = shell("cancertype validate 's1: BRAF V600E' --copy-number <(cat arms.tsv)", tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"1 of 1 sample matched" in done.stdout


def test_assays_are_listed(run):
    listed = {row["name"]: row for row in as_json(CliRunner().invoke(app, ["assays", "--json", "-"]))}
    assert (listed["msk-impact-468"]["genes"], listed["exome"]["genes"]) == (468, None)
    assert listed["caris-mi-profile"]["megabases_source"].startswith("Caris Life Sciences")
    assert (listed["foundationone-cdx"]["version"], listed["exome"]["megabases_source"]) == ("CDx", "")
    shown = CliRunner().invoke(app, ["assays"]).stdout
    assert all(name in shown for name in listed)


def test_the_source_and_version_of_each_panel_are_listed_within_80_columns(monkeypatch):
    begin = screen.Screen.__init__

    def narrow(self):
        begin(self)
        self._console.width = 80

    monkeypatch.setattr(screen.Screen, "__init__", narrow)
    shown = CliRunner().invoke(app, ["assays"]).stdout
    assert max(map(len, shown.splitlines())) <= 80
    sources = shown[shown.index("Source of its genes") :]
    assert all(name in sources for name in assay.panels())
    assert "CDx" in sources and "dgidb/dgidb@" in sources


# --- explain, validate, info ---


def test_explain_shows_the_mutations_in_words_and_pictures(run, tmp_path):
    result = run("explain", TEXT, "--sample", "s3", "--picture", "a.png", "--html", "a.html")
    assert result.exit_code == 0, result.stderr
    assert re.search(r"(TP53 R175H|SPOP F133V) +[<>]?\d+% +[+-]\d+\.\d\d", result.stdout)
    assert "without all of these" in result.stdout
    assert "2 more samples: name them with --sample." in result.stdout
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "SPOP F133V" in (tmp_path / "a.html").read_text().split("What decided: each alteration")[1]


def test_explain_gives_json_too(run):
    explained = as_json(run("explain", TEXT, "--json", "-"))["explanations"]
    assert [case["case_id"] for case in explained] == ["s1", "s2", "s3"]
    assert {effect["mutation"] for effect in explained[0]["effects"]} == {"BRAF V600E", "CDKN2A R80*"}
    assert explained[1]["effects"] == []


def test_validate_needs_no_model_and_names_what_is_wrong(run):
    result = run("validate", "s1: KRAS G12D, banana\ns2: none", model=None)
    assert result.exit_code == 0
    for said in (
        "text: free text, 2 samples",
        "used: 1 mutation (missense 1)",
        "no mutation that counts in 1 sample: s2",
        "2 samples: few mutations given: the burden counts these alone",
        "line 1: 'banana' is no gene symbol known here",
    ):
        assert said in result.stdout
    assert as_json(run("validate", "KRAS G12D", "--json", "-"))["wrong_rows"] == 0


def test_info_shows_labels_data_figures_versions_and_licences(run):
    about = as_json(run("info", "--json", "-"))
    assert (about["licence"], about["base_model"]) == ("gemma", "google/gemma-3-270m")
    source = {"name": "Made-up cohort", "licence": "CC0 1.0", "terms": None, "citation": "nobody"}
    assert about["data"][0] == source | {"folders": 1}
    assert [row["label"] for row in about["labels"]] == list(LABELS)
    assert {row["label"]: row["training_cases"] for row in about["labels"]}["SKCM"] == 16
    assert about["headline"] == {"accuracy": 0.8, "test_cases": 260}
    shown = run("info").stdout
    for said in ("licence: gemma", "torch 2", "Made-up cohort", "Cutaneous melanoma"):
        assert said in shown


def test_what_a_model_was_trained_on_is_named_once(run, published, tmp_path):
    one = json.loads((published / CONFIG).read_text())["sources"][0]
    changed = tmp_path / "models" / "published"
    shutil.copytree(published, changed)
    config = json.loads((changed / CONFIG).read_text())
    config["sources"] = [one, one | {"files": ["another"]}, one | {"name": "Other cohort"}]
    (changed / CONFIG).write_text(json.dumps(config))
    manifest.write(changed)
    about = as_json(run("info", "--json", "-", model=None))
    assert about["trained_on"] == ["Made-up cohort (2 folders)", "Other cohort"]
    assert [(each["name"], each["folders"]) for each in about["data"]] == [("Made-up cohort", 2), ("Other cohort", 1)]
    shown = run("predict", TEXT, model=None).stdout
    assert "trained on Made-up cohort (2 folders); Other cohort" in shown


def test_info_leads_with_the_figures_of_what_answers():
    about = as_json(CliRunner().invoke(app, ["info", "--model", str(ROOT / "released"), "--json", "-"]))
    stored = json.loads((ROOT / "released" / "prediction.json").read_text(encoding="utf-8"))["headline"]
    both = stored["blend"]["accuracy"]
    assert about["headline"]["accuracy"] == pytest.approx(both, abs=1e-4)
    assert about["parts"]["language model alone"]["accuracy"] == pytest.approx(stored["accuracy"], abs=1e-4)
    shown = CliRunner().invoke(app, ["info", "--model", str(ROOT / "released")]).stdout
    assert (
        f"measured ({stored['n']:,} test cases): accuracy {both:.3f}" in " ".join(shown.split()) and "bias" not in shown
    )


def test_json_says_which_model_answered_and_by_which_thresholds(run, published):
    model = as_json(run("predict", TEXT, "--json", "-"))["model"]
    assert model == {
        "id": hashlib.sha256((published / "manifest.json").read_bytes()).hexdigest()[:16],
        "release": None,
        "version": cancertype.__version__,
        "trained_on": ["Made-up cohort"],
        "coverage": 0.9,
        "abstain_below": 0.5,
    }


# --- Several files, and names ---


def test_several_files_are_predicted_together(run, tmp_path):
    (tmp_path / "a.csv").write_text("ID,BRAF,CDKN2A\nx,V600E,R80*\n")
    (tmp_path / "b.txt").write_text("y: SPOP F133V, FOXA1 R219S\n")
    result = run("predict", "a.csv", "b.txt", "--json", "-")
    assert {name: case["answer"] for name, case in predicted(result).items()} == {"x": "SKCM", "y": "PRAD"}
    assert "a.csv (wide table), b (free text): 2 samples, 4 mutations used" in as_json(result)["about"]["Input"]
    alone = predicted(run("predict", "a.csv", "--json", "-"))["x"]
    assert predicted(result)["x"]["probabilities"]["SKCM"] == pytest.approx(alone["probabilities"]["SKCM"], rel=1e-5)


def test_a_name_that_names_nobody_gets_the_files_name_where_two_files_use_it(run, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    (tmp_path / "one" / "a.csv").write_text("ID,BRAF,CDKN2A\nTUMOR,V600E,R80*\nown,V600E,WT\n")
    (tmp_path / "b.csv").write_text("ID,SPOP,FOXA1\nTUMOR,F133V,R219S\n")
    (tmp_path / "two" / "a.csv").write_text("ID,SPOP,FOXA1\nTUMOR,F133V,R219S\n")
    cases = predicted(run("predict", "one/a.csv", "b.csv", "--json", "-"))
    assert {name: case["answer"] for name, case in cases.items()} == {
        "TUMOR (a.csv)": "SKCM",
        "own": "SKCM",
        "TUMOR (b.csv)": "PRAD",
    }
    same_name = predicted(run("predict", "one/a.csv", "two/a.csv", "--json", "-"))
    assert set(same_name) == {"TUMOR (one/a.csv)", "own", "TUMOR (two/a.csv)"}


def test_two_files_of_one_sample_are_one_case(run, tmp_path):
    (tmp_path / "snvs.csv").write_text("ID,BRAF\nP1,V600E\n")
    (tmp_path / "more.csv").write_text("ID,BRAF,CDKN2A\nP1,V600E,R80*\n")
    (case,) = predicted(run("predict", "snvs.csv", "more.csv", "--json", "-")).values()
    assert (case["case_id"], case["burden"], case["mutations"]) == ("P1", 2, ["BRAF V600E", "CDKN2A R80*"])


def test_validate_reports_each_file(run, tmp_path):
    (tmp_path / "a.csv").write_text("ID,BRAF\nx,V600E\n")
    (tmp_path / "b.csv").write_text("ID,BRAF\nx,banana\n")
    files = as_json(run("validate", "a.csv", "b.csv", "--json", "-"))["files"]
    assert [(file["name"], file["wrong_rows"]) for file in files] == [("a.csv", 0), ("b.csv", 1)]


def test_validate_shows_what_became_of_every_row(run, monkeypatch):
    account = RowAccount("row", 7, 4, {"silent": 2}, {"no gene": 1})
    read = inputs.read

    def with_account(*given, **options):
        found = read(*given, **options)
        return replace(found, tables=replace(found.tables, account=account))

    monkeypatch.setattr(inputs, "read", with_account)
    assert as_json(run("validate", "KRAS G12D", "--json", "-"))["account"] == {
        "unit": "row",
        "total": 7,
        "used": 4,
        "left_out": {"silent": 2},
        "not_understood": {"no gene": 1},
    }
    shown = run("validate", "KRAS G12D").stdout
    for row in (r"4 +used", r"2 +left out +silent", r"1 +not understood +no gene", r"7 +in all"):
        assert re.search(row, shown)


@pytest.mark.parametrize("command", ["predict", "explain", "validate"])
def test_what_the_options_say_of_a_file_reaches_its_reader_and_nothing_else_does(run, monkeypatch, tmp_path, command):
    (tmp_path / "hg38.fa").write_text(">1\nACGT\n")
    (tmp_path / "genes.gff3").write_text("##gff-version 3\n")
    asked, read = [], inputs.read
    monkeypatch.setattr(inputs, "read", lambda given, limits, **options: asked.append(options) or read(given, limits))
    assert run(command, "KRAS G12D", "--json", "-").exit_code == 0
    named = ("--tumor", "T", "--normal", "N", "--genome", "hg38.fa", "--gff", "genes.gff3")
    run(command, "KRAS G12D", "--json", "-", *named, "--sample", "case=__UNKNOWN__")
    paths = {"genome": Path("hg38.fa"), "gff": Path("genes.gff3")}
    assert asked == [{}, {"tumor": "T", "normal": "N", "rename": {"__UNKNOWN__": "case"}} | paths]


# --- Hostile and unusual input ---


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run a command line in bash, as a user does; ``cancertype`` is this repository's."""
    code = "from cancertype.commands.cli import app; app(prog_name='cancertype')"
    program = f'cancertype() {{ "{sys.executable}" -c "{code}" "$@"; }}; '
    own = {name: value for name, value in os.environ.items() if name not in environment}
    return subprocess.run(
        ["bash", "-c", program + command],
        cwd=folder,
        env=own | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        timeout=400,
    )


def test_a_name_cannot_write_to_the_terminal_or_into_a_spreadsheet(run, tmp_path):
    (tmp_path / "a.csv").write_text('ID,BRAF\n"=HYPERLINK(""http://x"")",V600E\n\x1b[31mred,V600E\n')
    result = run("predict", "a.csv")
    assert "\x1b" not in result.stdout and "\\x1b[31mred" in result.stdout
    rows = list(csv.DictReader(run("predict", "a.csv", "--csv", "-").stdout.splitlines()))
    assert rows[0]["case_id"] == '\'=HYPERLINK("http://x")'
    assert "\x1b" not in run("predict", "a.csv", "--json", "-").stdout
    assert "\x1b" not in run("predict", "\x1b[31mred").stderr


def test_what_comes_through_a_pipe_is_read_like_a_file(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"ID,BRAF,CDKN2A\nx,V600E,banana\n"))
    for command in ("cancertype validate <(zcat a.csv.gz)", "zcat a.csv.gz | cancertype validate -"):
        done = shell(command, tmp_path)
        assert done.returncode == 0, done.stderr
        assert b"wide table, 1 sample" in done.stdout and b"banana" in done.stdout


def test_bytes_that_are_no_text_are_one_line(tmp_path):
    for command in (r"cancertype validate $'\xff\xfe'", r"cancertype validate $'no\xff.maf'"):
        done = shell(command, tmp_path)
        assert done.returncode == 1, done.stderr
        assert done.stderr.startswith(b"cancertype: ") and len(done.stderr.splitlines()) == 1
        assert b"\\udcff" in done.stderr


def test_without_a_home_folder_a_file_is_validated(tmp_path):
    done = shell("unset HOME; cancertype validate 'BRAF V600E'", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_device_is_refused(tmp_path):
    done = shell("cancertype validate /dev/zero", tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        b"cancertype: /dev/zero is a device: give a file, a text, or - for standard input\n",
    )


def test_stderr_holds_nothing_that_is_not_for_the_user(published, tmp_path):
    done = shell(f"cancertype predict 'BRAF V600E' --model {published} --json -", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["cases"][0]["answer"] == "SKCM"


def test_python_shows_no_progress_bar_where_stderr_is_no_terminal(tmp_path):
    code = "import cancertype; from tqdm.auto import tqdm; print(*tqdm(range(3)))"
    done = shell(f'{sys.executable} -c "{code}"', tmp_path, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"0 1 2\n", b"")


def test_a_yaml_tag_in_the_card_builds_nothing(run, published, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(published, folder)
    (folder / "README.md").write_text("---\nlicense: !!python/object/apply:os.system [touch planted]\n---\n")
    manifest.write(folder)
    result = run("info", model=str(folder))
    assert result.exit_code == 1 and "its front matter is not plain YAML" in result.stderr
    assert not (tmp_path / "planted").exists()


# --- Many samples ---


def test_a_batch_is_answered_in_parts_with_the_answers_that_it_has_at_once(run, monkeypatch):
    given = "".join(f"s{i}: {text}\n" for i, text in enumerate(["BRAF V600E", "KRAS G12D, +7", "TP53 R175H"] * 3))
    at_once = as_json(run("predict", "-", "--json", "-", stdin=given))
    monkeypatch.setattr(of_model.in_parts, "__defaults__", (2,))
    in_parts = as_json(run("predict", "-", "--json", "-", stdin=given))
    assert len(in_parts["cases"]) == 9 and in_parts["cases"][1]["arms"]["7p"] == 1
    for one, other in zip(at_once["cases"], in_parts["cases"], strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)
        assert one["remarks"] == other["remarks"]


def test_answers_are_printed_as_soon_as_they_are_there(run, capsys):
    cases = as_json(run("predict", "-", "--json", "-", stdin=TEXT))["cases"]
    printed = []

    def one_after_another():
        for case in cases:
            printed.append(capsys.readouterr().out)
            yield [case]

    screen.cases(one_after_another(), {"Input": "three samples"}, 0.9, ["few mutations given"])
    assert "three samples" in printed[0] and "s1" not in printed[0]
    assert "s1" in printed[1] and "s2" not in printed[1] and "s2" in printed[2]
    assert "Every sample: few mutations given." in capsys.readouterr().out


# --- Mistakes ---


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("predict", "missing.maf"), "missing.maf is not there"),
        (("predict", "hello there"), "'hello' is no gene symbol known here"),
        (("predict", "KRAS G12D", "--prior", "no.csv"), "no.csv is not there"),
        (("predict", "KRAS G12D", "--panel", "no.txt"), "'no.txt' is neither a known assay nor a file of genes"),
        (("predict", "KRAS G12D", "--rule-out-by-sex"), "--rule-out-by-sex needs --sex"),
        (("predict", "KRAS G12D", "--csv", "/dev/null/a.csv"), "/dev/null/a.csv cannot be written"),
        (("explain", "KRAS G12D", "--picture", "a.gif"), "must end in .png or .svg"),
        (("explain", "KRAS G12D", "--sample", "z"), "no case is named 'z'"),
        (("predict", "-"), "stdin is empty"),
        (("predict", "KRAS G12D", "BRAF V600E"), "KRAS G12D is no file. Where several are given, each must be one"),
        (("predict", "KRAS G12D", "--sample", "new"), "--sample new: write NEW=OLD"),
        (("validate", "KRAS G12D", "--sample", "a=x", "--sample", "b=x"), "x is renamed twice"),
        (("validate", "KRAS G12D", "--sample", "a=x", "--sample", "a=y"), "two samples the same new name"),
        (("validate", "KRAS G12D", "--genome", "no.fa"), "no.fa is not there"),
        (("predict", "KRAS G12D", "--copy-number", "no.seg"), "no.seg is not there"),
        (
            ("predict", "KRAS G12D", "--build", "hg19"),
            "the build says how to read copy number",
        ),
        (("predict", "KRAS G12D", "--purity", "0"), "the purity says how to read copy number"),
        (("predict",), "no mutations, copy number, fusions or spectra are given"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_status_1(run, words, message):
    result = run(*words)
    assert result.exit_code == 1
    assert result.stdout == ""
    said = [line for line in result.stderr.splitlines() if line.startswith("cancertype: ")]
    assert len(said) == 1
    assert message in said[0]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("no/such/folder", "neither a folder that exists nor a Hub id"),
        (".", f"{CONFIG}: no such file, so this folder holds no published model"),
    ],
)
def test_a_model_that_is_none_is_named(run, model, message):
    result = run("predict", "KRAS G12D", model=model)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_a_revision_of_the_default_model_is_refused(run):
    result = run("predict", "KRAS G12D", "--revision", "v1", model=None)
    assert result.exit_code == 1 and "--revision v1 needs --model with a Hub id" in result.stderr


def test_a_file_is_read_by_the_limits_of_the_models_own_training_cases(run, published, tmp_path):
    with_changed_config(published, tmp_path, "cohort", min_read_depth=85)
    (tmp_path / "lines.csv").write_text(DEPMAP)
    lenient = as_json(run("predict", "lines.csv", "--json", "-"))
    assert "2 mutations used" in lenient["about"]["Input"]
    assert "1 mutation used" in as_json(run("predict", "lines.csv", "--json", "-", model=None))["about"]["Input"]
    assert as_json(run("validate", "lines.csv", "--json", "-"))["mutations"] == 1, "as it would be predicted"


def test_without_a_model_anywhere_the_error_names_the_remedy(run, monkeypatch, tmp_path):
    monkeypatch.setattr("cancertype.prediction.model_folder.roots", lambda: (tmp_path,))
    result = run("predict", "KRAS G12D", model=None)
    assert result.exit_code == 1
    assert re.search(r"no model: none of released, models/published is here. Run `dvc repro`.*--model", result.stderr)


def test_the_published_model_of_the_working_directory_is_the_default(run, published, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "published").symlink_to(published)
    assert predicted(run("predict", "BRAF V600E", "--json", "-", model=None))["text"]["answer"] == "SKCM"


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_every_command(option):
    shown = CliRunner().invoke(app, [option]).stdout
    assert all(name in shown for name in ("predict", "explain", "validate", "assays", "info", "diff", "manifest"))


def test_the_version_is_that_of_the_package():
    assert CliRunner().invoke(app, ["--version"]).stdout == f"cancertype {cancertype.__version__}\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+", cancertype.__version__)


def test_a_notebook_finds_predictor_and_reader_without_a_slow_import():
    code = (
        "import sys, cancertype\n"
        "assert not {'torch', 'pyarrow', 'numpy', 'pydantic'} & set(sys.modules)\n"
        "from cancertype import InputError, read\n"
        "assert read('KRAS G12D').tables.variants.num_rows == 1 and issubclass(InputError, ValueError)\n"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)\n"
        "assert {'Predictor', 'read', 'InputError', '__version__'} <= set(dir(cancertype))\n"
        "assert cancertype.Predictor.__name__ == 'Predictor'\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_a_prediction_on_the_screen_loads_no_matplotlib(published):
    code = (
        "import sys; from cancertype.commands.cli import app\n"
        f"app(['predict', 'KRAS G12D', '--model', {str(published)!r}], standalone_mode=False)\n"
        "assert not {'matplotlib', 'dvc', 'peft'} & set(sys.modules)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_help_and_validation_load_no_model_library():
    code = (
        "import sys; from cancertype.commands.cli import app\n"
        "heavy = {'torch', 'transformers', 'pyarrow', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "app(['validate', 'KRAS G12D'], standalone_mode=False)\n"
        "heavy = {'torch', 'transformers', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("p", "said"), [(0.0, "0%"), (0.004, "<1%"), (0.834, "83%"), (0.9999, ">99%"), (1.0, "100%"), (None, "–")]
)
def test_percentages_never_round_to_certainty(p, said):
    assert pages.percent(p) == said
