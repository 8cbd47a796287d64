"""The cohort's page and its counts."""

import base64
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from cancertype import features
from cancertype.cohort import assembly, patients
from cancertype.cohort.settings import Cohort
from cancertype.features.settings import Features
from cancertype.reports import arms_picture, data_report
from cancertype.reports.pages import picture, plain, styled
from cancertype.variants.cases import Dropped
from tests.settings import settings
from tests.small_cohort import cases_table, tables, variants_table

VOID = {"meta", "img", "source", "br", "col"}


class Page(HTMLParser):
    """The text, the pictures and the addresses of a page; fails on tags that do not close in order."""

    def __init__(self, html: str):
        super().__init__()
        self.open, self.texts, self.pictures, self.addresses, self.rows = [], [], {}, [], []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"
        self.text = " ".join("".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.pictures[attributes["alt"]] = base64.b64decode(attributes["src"].split("base64,")[1])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.addresses += [attributes[name] for name in ("href", "src", "srcset") if name in attributes]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another tag"
        self.texts.append(" ")

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def row(self, start: str) -> list[str]:
        return next([" ".join(cell.split()) for cell in row] for row in self.rows if row and row[0].startswith(start))


def record(source: str, **changes) -> dict:
    return {
        "source": source,
        "name": f"the {source} source",
        "release": "24Q4",
        "licence": "CC BY 4.0",
        "citation": "Somebody, 2024",
        "terms": None,
        "simulated": source.startswith("simulated"),
        "files": [{"name": "a.maf.gz", "md5": "0" * 32, "bytes": 18_332_758, "origin": "https://example.org/a"}],
    } | changes


NOTES = {
    "depmap": {
        "files": ["OmicsSomaticMutations.csv"],
        "germline_filter": {
            "germline_max_population_frequency": 0.0001,
            "min_variant_allele_fraction": "no column",
            "min_read_depth": 10,
        },
        "burden": {"before": {"median": 812.0, "mean": 1000.5}, "after": {"median": 304.5, "mean": 411.0}},
    },
    "tcga": {"files": ["a.maf.gz"], "ignored_files": ["README"], "filter": "FILTER is PASS", "context": False},
}
DROPPED = [
    Dropped("tcga", "variant", "silent", 277_901),
    Dropped("depmap", "case", "engineered model", 3, ("ACH-1", "ACH-2")),
    Dropped("tcga", "case", "no tumour <sample>", 5, ("TCGA-X",)),
    Dropped("tcga", "case", "no tumour <sample>", 2, ("TCGA-Y",)),
]


def small(prefix: str = "", source: str = "tcga") -> tuple[list[dict], list[tuple]]:
    """Twelve melanomas and twelve colon cancers, one of each a line, and two cholangiocarcinomas."""
    cases, variants = [], []
    for label, gene, change, base in (("SKCM", "BRAF", "V600E", "T>A"), ("COAD", "APC", "R213*", "C>T")):
        for i in range(12):
            case = f"{prefix}{label}-{i}"
            line = i == 0
            cases.append(
                {
                    "case_id": case,
                    "label": label,
                    "source": source.replace("tcga", "depmap") if line else source,
                    "kind": "cell line" if line else "tumour",
                }
            )
            variants.append((case, gene, change, "missense", base))
            variants += [(case, f"GENE{k}", f"A{i + 1}V", "missense", "C>A") for k in range(i + 5)]
    cases += [
        {"case_id": f"{prefix}CHOL-{i}", "label": None, "scope": "out", "origin": "CHOL", "source": source}
        for i in (0, 1)
    ]
    return cases, variants


def assembled(cases: list[dict], variants: list[tuple]) -> tuple[pa.Table, features.Vocabulary, list[str | None]]:
    whole = assembly.assemble([tables(cases, variants)], settings(Cohort, "cohort", min_cases_per_label=3))
    counted = features.described(whole.cases, whole.variants)
    vocabulary = features.fit(
        counted, whole.variants, settings(Features, "features", recurrent_min_cases=2, cancer_gene_panels=None)
    )
    return counted, vocabulary, patients.profiles(whole.cases, whole.variants)


@pytest.fixture(scope="module")
def real():
    return assembled(*small())


def written(path, cases, vocabulary, profiles=None, dropped=(), sources=("depmap", "tcga"), notes=NOTES) -> Page:
    records = [record(source) for source in sources]
    of_sources = [notes.get(source.removeprefix("simulated_"), {}) for source in sources]
    data_report.write_report(path, cases, vocabulary, list(dropped), of_sources, records, profiles)
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def first_file(tmp_path_factory):
    return tmp_path_factory.mktemp("page") / "report.html"


@pytest.fixture(scope="module")
def page(real, first_file):
    return written(first_file, *real, DROPPED)


@pytest.fixture(scope="module")
def awkward():
    """The small cohort, with all that a reader should be warned of."""
    cases, variants = small()
    cases[0]["patient_id"] = cases[1]["patient_id"] = "the-patient"
    variants += [("SKCM-X", *rest) for case, *rest in variants if case == "COAD-7"]
    variants += [(name, "BRAF", "V600E", "missense", "T>A") for name in ("CHANCE-1", "CHANCE-2")]
    cases += [{"case_id": name, "label": "SKCM"} for name in ("SKCM-X", "CHANCE-1", "CHANCE-2")]
    cases += [{"case_id": f"EMPTY-{i}", "label": "SKCM"} for i in range(2)]
    cases += [{"case_id": f"OV-{i}", "label": "OV", "kind": "cell line", "source": "depmap"} for i in range(3)]
    cases += [{"case_id": f"P{i}", "label": "COAD", "source": "table", "panel": "table"} for i in range(4)]
    variants += [(f"P{i}", "APC", f"R{i + 300}*", "nonsense", None) for i in range(4)]
    return assembled(cases, variants)


@pytest.fixture(scope="module")
def awkward_page(awkward, tmp_path_factory):
    path = tmp_path_factory.mktemp("awkward") / "report.html"
    return written(path, *awkward, sources=("depmap", "table", "tcga"))


def test_the_counts_add_up_to_the_cohort(real):
    cases, *_ = real
    counts = json.loads(json.dumps(data_report.summary(cases, DROPPED)))
    cells = [n for by_source in counts["labels"].values() for splits in by_source.values() for n in splits.values()]
    assert sum(cells) == 24 == counts["cases"] - counts["splits"]["out_of_scope"]
    assert counts["sources"] == {"tcga": 24, "depmap": 2} and counts["patients"] == 26
    assert (
        sum(counts["labels"]["SKCM"]["tcga"].values()) == 11 and sum(counts["labels"]["SKCM"]["depmap"].values()) == 1
    )
    assert counts["labels"]["OV"] == {} and counts["out_of_scope"] == {"tcga": {"CHOL": 2}}
    for split in ("train", "validation", "test"):
        own = sum(by[split] for by_source in counts["labels"].values() for by in by_source.values())
        assert own == counts["splits"][split] == cases["split"].to_pylist().count(split)


def test_a_reason_appears_once_and_the_largest_comes_first(real):
    dropped = data_report.summary(real[0], DROPPED)["dropped"]
    assert [(d["what"], d["reason"], d["n"]) for d in dropped] == [
        ("case", "no tumour <sample>", 7),
        ("case", "engineered model", 3),
        ("variant", "silent", 277_901),
    ]
    assert dropped[0]["examples"] == ["TCGA-X", "TCGA-Y"]


def test_the_page_needs_no_other_file(page, first_file):
    assert "url(" not in first_file.read_text(encoding="utf-8"), "the style sheet would load something"
    assert page.addresses and all(address.startswith("data:image/svg+xml;base64,") for address in page.addresses)
    assert len(page.pictures) == 4
    for drawing in page.pictures.values():
        assert ElementTree.fromstring(drawing).tag.endswith("svg")


def test_the_same_cohort_gives_the_same_bytes(real, first_file, page, tmp_path):
    written(tmp_path / "second.html", *real, DROPPED)
    assert (tmp_path / "second.html").read_bytes() == first_file.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["second.html"], "nothing half-written is left beside it"
    drawn = b"".join(page.pictures.values())
    assert not re.search(rb"20\d\d-\d\d-\d\d|[Mm]atplotlib v", drawn), "a date or a version would change the file"


def test_labels_sources_and_splits_are_in_the_table(real, page):
    cases = real[0].to_pylist()
    own = [case["split"] for case in cases if case["label"] == "SKCM"]
    row = page.row("SKCM")
    assert row[0] == "SKCM Cutaneous melanoma" and row[1] == "12"
    assert row[2:5] == [str(own.count(split)) for split in ("train", "validation", "test")]
    assert row[5].startswith("11") and row[6].startswith("1")
    assert page.row("OV ")[1:5] == ["0", "0", "0", "0"]


def test_what_was_left_out_has_a_reason_a_count_and_examples(page):
    assert page.row("no tumour <sample>")[1:3] == ["TCGA tumours", "7"]
    assert page.row("no tumour <sample>")[4] == "TCGA-X, TCGA-Y"
    assert page.row("silent")[2] == "277,901"
    assert "Cases: 10 left out, 26 kept" in page.text


def test_the_burden_of_lines_is_given_before_and_after_the_filter(page):
    row = next(row for row in page.rows if row[1:5] == ["812", "304.5", "1,000.5", "411"])
    assert row[0] == "DepMap cell lines" and row[5:] == ["0.0001", "no column", "10"]


def test_the_sources_are_described(page):
    for text in ("the tcga source", "CC BY 4.0", "Somebody, 2024", "FILTER is PASS", "README", "18 MB", "0" * 32):
        assert text in page.text


def test_real_data_carry_no_banner(page):
    assert "Simulated" not in page.text and "For research use only" in page.text


def test_simulated_cases_are_named_as_such(tmp_path):
    sources = ("simulated_depmap", "simulated_tcga")
    whole = written(tmp_path / "whole.html", *assembled(*small(source="simulated_tcga")), sources=sources)
    assert "Simulated: all 26 cases were drawn from published gene frequencies" in whole.text
    assert "the simulated_depmap source simulated" in whole.text and "the simulated_tcga source simulated" in whole.text


def test_a_partly_simulated_cohort_says_how_much_of_it_is(tmp_path):
    real, simulated = small("R-"), small("S-", "simulated_tcga")
    mixed = assembled(real[0] + simulated[0], real[1] + simulated[1])
    page = written(tmp_path / "a.html", *mixed, sources=("depmap", "tcga", "simulated_depmap", "simulated_tcga"))
    assert "Simulated: 26 of 52 cases were drawn from published gene frequencies" in page.text


def test_the_same_mutations_under_two_names_are_flagged(awkward_page):
    assert "1 group of different patients has exactly the same mutations, 5 or more" in awkward_page.text
    _, cases, split = awkward_page.row("1two labels")
    assert "COAD-7 COAD, 13 variants" in cases and "SKCM-X SKCM, 13 variants" in cases
    assert split in ("train", "validation", "test")


def test_few_equal_mutations_may_be_chance(awkward_page):
    assert "2 cases with fewer mutations have the same as another patient" in awkward_page.text


def test_a_patient_with_two_cases_is_flagged(awkward_page):
    assert "1 patient has more than one case" in awkward_page.text
    cases = awkward_page.row("the-patient")[1]
    assert "SKCM-0 SKCM" in cases and "SKCM-1 SKCM" in cases


def test_a_cohort_without_duplicates_says_so(page):
    assert "Every patient has one case" in page.text
    assert "No two patients have exactly the same mutations (of cases with 5 or more)" in page.text


@pytest.mark.parametrize(
    "remark",
    [
        "23 labels have no case",
        "3 labels have fewer than 10 test cases",
        "1 label is known from cell lines only OV.",
        "SKCM has 17 cases, OV has 3",
        "5 cases have no variant",
    ],
)
def test_a_reader_learns_what_limits_later_figures(awkward_page, remark):
    assert remark in awkward_page.text


def test_a_reader_is_warned_of_nothing_that_is_not_so(page, awkward_page):
    assert "known from" not in page.text and "has no variant" not in page.text and "differ in size" not in page.text
    assert "from tumours only" not in awkward_page.text


def test_panel_cases_are_not_compared_with_exomes(page, awkward_page):
    panel = "sequenced with a panel instead of a whole exome"
    assert f"4 cases {panel} are not in this picture" in awkward_page.text and panel not in page.text


def test_a_table_without_dna_has_no_spectrum_but_a_page(tmp_path):
    cases = cases_table([{"case_id": f"P{i}", "label": "BRCA", "source": "table", "panel": "table"} for i in range(6)])
    cases = cases.append_column("split", pa.array(["train", "train", "train", "train", "validation", "test"]))
    variants = variants_table([(f"P{i}", "TP53", "R175H", "missense", None) for i in range(6)])
    counted = features.described(cases, variants)
    panel = settings(Features, "features", genes=["TP53"], recurrent_changes=0, amino_acid_substitutions=0)
    vocabulary = features.fit(counted, variants, panel)
    page = written(tmp_path / "a.html", counted, vocabulary, sources=("table",), notes={"table": {"gene_columns": 1}})
    assert "Only 1 gene is used" in page.text and "Own table: 6 cases in this cohort" in page.text
    assert "not in this picture" not in page.text


@pytest.mark.parametrize("name", ["$x^$", "$\\frac$ and $", "a\x1b[31m", "a\u202eb", "line\nbreak", "<b>&amp;"])
def test_names_that_are_markup_of_any_kind_stay_names(tmp_path, name):
    cases = cases_table([{"case_id": f"{name}{i}", "label": "BRCA", "patient_id": name} for i in range(6)])
    cases = cases.append_column("split", pa.array(["train", "train", "train", "train", "validation", "test"]))
    variants = variants_table([(f"{name}{i}", name, "R175H", "missense", None) for i in range(6)])
    counted = features.described(cases, variants)
    vocabulary = features.fit(counted, variants, settings(Features, "features"))
    assert name in vocabulary.names("gene")
    page = written(tmp_path / "a.html", counted, vocabulary, sources=("tcga",))
    assert name.split("\n")[0] in page.text.replace("\n", " ")
    for drawing in page.pictures.values():
        assert ElementTree.fromstring(drawing).tag.endswith("svg")


def test_a_name_in_a_picture_is_one_visible_line_and_a_dollar_is_a_dollar():
    assert (
        plain("$x^$ a\x1b[31m\n\u202eb")
        == "$x^$ a\N{REPLACEMENT CHARACTER}[31m" + "\N{REPLACEMENT CHARACTER}" * 2 + "b"
    )
    assert plain("é東京🙂") == "é東京🙂"
    assert len(plain("x" * 1000)) == 80

    def titled():
        with styled(3, 2) as (figure, axes):
            axes[0, 0].set(title="$x^$", xlabel="$", ylabel=r"$\frac{$")
        return figure

    assert picture(titled, "svg").startswith(b"<?xml")


def test_notes_of_another_number_than_sources_are_refused(real, tmp_path):
    cases, vocabulary, profiles = real
    with pytest.raises(ValueError):
        data_report.write_report(tmp_path / "a.html", cases, vocabulary, [], [{}], [record("tcga"), record("depmap")])
    with pytest.raises(ValueError, match="25 profiles for 26 cases"):
        data_report.write_report(tmp_path / "a.html", cases, vocabulary, [], [], [], profiles[1:])
    assert not list(tmp_path.iterdir())


def test_arms_are_shared_out_over_the_cases_in_which_they_have_a_call():
    calls = [[1] * 39, [1] * 38 + [None], [-1] * 38 + [None], [0] * 39]
    cases = pa.table(
        {
            "label": pa.array(["OV", "OV", "OV", "COAD"]),
            "arms": pa.array(calls, pa.list_(pa.int8())),
        }
    )
    shares = arms_picture.shares(cases)
    assert list(shares) == ["OV"], "one case is no share"
    assert shares["OV"][0] == pytest.approx(1 / 3) and shares["OV"][38] == 1.0
    assert arms_picture.draw(cases.slice(3)) is None
    (image,) = [c for c in arms_picture.draw(cases).axes[0].collections if c.get_array() is not None]
    assert image.get_array().shape == (1, 39)


def test_the_page_shows_the_arms_where_any_were_looked_at(tmp_path):
    rows = [(f"c{i}", "TP53", "R175H", "missense", "C>T") for i in range(4)]
    own = tables([{"case_id": f"c{i}", "label": "OV"} for i in range(4)], rows)
    plain_cases = features.described(own.cases, own.variants).append_column("split", pa.array(["train"] * 4))
    vocabulary = features.fit(plain_cases, own.variants, settings(Features, "features", cancer_gene_panels=None))
    with_arms = plain_cases.set_column(
        plain_cases.column_names.index("arms"), "arms", pa.array([[1] * 39] * 4, pa.list_(pa.int8()))
    )
    for cases, shown in ((plain_cases, False), (with_arms, True)):
        data_report.write_report(tmp_path / "a.html", cases, vocabulary, [], [], [])
        assert ("Arms gained and lost in each label" in Page((tmp_path / "a.html").read_text()).pictures) is shown
