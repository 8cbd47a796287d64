"""Tables of unknown layout are read row by row, and what becomes of each row is counted."""

import pytest

from cancertype.errors import InputError
from cancertype.sources.alteration_file import gene_of, purity_of, sample_of, value_of
from cancertype.tables.accounts import RowAccount, RowTally
from cancertype.tables.rows import open_table
from tests.segment_files import write


def test_a_tally_accounts_for_every_row_and_names_examples():
    tally = RowTally()
    tally.used += 3
    tally.leave_out("not wanted", 2, ["line 4"])
    tally.misunderstand("unclear", examples=["line 9"])
    tally.withdraw("impure", 1, ["S1"])
    account = tally.account("row")
    assert account == RowAccount("row", 6, 2, {"impure": 1, "not wanted": 2}, {"unclear": 1})
    assert [(d.source, d.what, d.reason, d.n, d.examples) for d in tally.dropped("copy number", "row")] == [
        ("copy number", "row", "impure", 1, ("S1",)),
        ("copy number", "row", "not wanted", 2, ("line 4",)),
        ("copy number", "row", "unclear", 1, ("line 9",)),
    ]


def test_rows_that_do_not_add_up_are_a_bug_and_say_so():
    with pytest.raises(AssertionError, match="5 rows were read, but 3 are accounted for"):
        RowAccount("row", 5, 2, {"x": 1})


@pytest.mark.parametrize(
    "lines",
    [
        ["a\tb", "1\t2"],
        ["a,b", "1,2"],
        ["a;b", '"1";2'],
        ["a b", "1 2"],
        ['"a"\t"b"', '"1"\t"2"'],
        ["# made by a tool", "## more", "#a\tb", "1\t2"],
        ["@HD\tVN:1.6", "@SQ\tSN:1\tLN:9", "", "a\tb", "", "1\t2"],
        ["\ufeffa\tb", "1\t2"],
    ],
)
def test_a_table_is_read_whatever_parts_its_columns_and_stands_above_its_header(tmp_path, lines):
    table = open_table(write(tmp_path / "t", *lines))
    assert table.names == ("a", "b")
    assert [fields for _, fields in table.rows()] == [["1", "2"]]


def test_rs_unnamed_row_names_are_a_column_of_their_own(tmp_path):
    table = open_table(write(tmp_path / "t", "a\tb", "r1\t1\t2"))
    assert table.names == ("", "a", "b")


@pytest.mark.parametrize(("text", "message"), [("", "is empty"), ("# only\n", "no line names"), ("<html>", "web page")])
def test_what_is_no_table_is_refused_with_the_remedy(tmp_path, text, message):
    (tmp_path / "t").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        open_table(tmp_path / "t")


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("P1.cns", "P1"),
        ("P1.call.cns", "P1"),
        ("P1.called.seg", "P1"),
        ("P1.modelFinal.seg.gz", "P1"),
        ("P1.purple.cnv.somatic.tsv", "P1"),
        ("P1_segments.txt", "P1"),
        ("P1.cnv.vcf.gz", "P1"),
        ("P1.arriba.fusions.tsv", "P1"),
        ("P1.star-fusion.fusion_predictions.abridged.tsv", "P1"),
        ("fusions.tsv", "RUN7"),
        ("TCGA-AA-0001-01A.seg", "TCGA-AA-0001-01A"),
    ],
)
def test_a_file_of_one_sample_is_named_after_it(tmp_path, name, sample):
    assert sample_of(tmp_path / "RUN7" / name) == sample


@pytest.mark.parametrize(
    ("text", "gene"),
    [
        ("EGFR", "EGFR"),
        ("egfr", "EGFR"),
        ("EGFR (1956)", "EGFR"),
        ("EGFR^ENSG00000146648.19", "EGFR"),
        ("FLI1 (ENSG00000151702.17)", "FLI1"),
        ("CDKN2A|chr9", "CDKN2A"),
        ("MLL2", "KMT2D"),
        ("", ""),
    ],
)
def test_a_gene_is_known_by_its_current_symbol(text, gene):
    assert gene_of(text) == gene


def test_numbers_and_purities_are_read_as_tools_write_them():
    assert [value_of(text) for text in ("0.5", "NA", "", "-Inf", "-25", "1e1")] == [0.5, None, None, -20.0, -20.0, 10.0]
    assert [purity_of(text, "x") for text in ("0.4", "40%", 40, 1)] == [0.4, 0.4, 0.4, 1.0]
    with pytest.raises(ValueError, match="could not convert"):
        value_of("much")
