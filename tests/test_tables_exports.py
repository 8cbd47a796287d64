"""Layouts of other tools and portals, wide tables in every form, spreadsheets, Parquet and JSON."""

import datetime
import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cancertype.errors import InputError
from cancertype.prediction import forms, inputs, summary
from cancertype.sources import exports, gene_panels, table
from cancertype.tables.delimited import DelimitedFile


def rows(*lines: str, by: str = "\t") -> str:
    """Lines of fields separated by ``|``, ``_`` an empty one, as a table."""
    return "".join(by.join("" if field == "_" else field for field in line.split("|")) + "\n" for line in lines)


def read(folder: Path, content: str | bytes, name: str = "given.tsv", **options) -> inputs.Input:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return inputs.read(str(path), **options)


def pairs(given: inputs.Input) -> set[tuple[str, str, str]]:
    """Case, gene, and protein change or class of every mutation; all rows are in the account."""
    account = given.tables.account
    assert account.total == account.used + sum(account.left_out.values()) + sum(account.not_understood.values())
    summary.summary(given)
    return {
        (r["case_id"], r["gene"], r["protein_change"] or r["consequence"]) for r in given.tables.variants.to_pylist()
    }


TWO = {("S1", "BRAF", "V600E"), ("S2", "KRAS", "G12D")}

# --- Exports ---

EXPORTS = {
    "CCLE mutations": (
        rows(
            "Hugo_Symbol|Chromosome|Start_position|Variant_Classification|Reference_Allele|Tumor_Seq_Allele1|Protein_Change|"
            "Tumor_Sample_Barcode|DepMap_ID",
            "BRAF|7|140453136|Missense_Mutation|A|T|p.V600E|A_SKIN|S1",
            "KRAS|12|25398284|Missense_Mutation|C|T|p.G12D|B_LUNG|S2",
            "TTN|2|5|Silent|C|T|p.L5L|B_LUNG|S2",
            by=",",
        ),
        {"silent": 1},
    ),
    "COSMIC mutations": (
        rows(
            "Gene name|Accession Number|Sample name|ID_sample|Mutation CDS|Mutation AA|Mutation Description|"
            "Mutation somatic status",
            "BRAF_ENST00000288602|E|S1|1|c.1799T>A|p.V600E|Substitution - Missense|Confirmed somatic variant",
            "KRAS|E|S2|2|c.35G>A|p.G12D|Substitution - Missense|Variant of unknown origin",
            "TP53|E|S2|2|c.1A>T|p.L5L|Substitution - coding silent|Confirmed somatic variant",
            "APC|E|S2|2|c.1A>T|p.R5*|Substitution - Nonsense|Confirmed germline variant",
        ),
        {"silent": 1, "stated to be germline, LOH or wild type": 1},
    ),
    "ANNOVAR multianno": (
        rows(
            "Chr|Start|End|Ref|Alt|Func.refGene|Gene.refGene|ExonicFunc.refGene|AAChange.refGene|AF|Tumor_Sample_Barcode",
            "chr7|140453136|140453136|A|T|exonic|BRAF|nonsynonymous SNV|"
            "BRAF:NM_004333:exon15:c.T1799A:p.V600E,BRAF:NM_2:exon1:c.T9A:p.V3E|.|S1",
            "chr12|25398284|25398284|C|T|exonic|KRAS;LYRM5|nonsynonymous SNV|KRAS:NM_1:exon2:c.G35A:p.G12D|0.00001|S2",
            "chr17|7577120|7577120|C|T|exonic|TP53|nonsynonymous SNV|TP53:NM_1:exon4:c.C215G:p.P72R|0.66|S2",
            "chr1|5|5|C|T|intronic|TTN|.|.|.|S2",
        ),
        {"likely inherited: known to gnomAD": 1, "non-coding": 1},
    ),
    "PCGR variants": (
        rows(
            "CHROM|POS|REF|ALT|VCF_SAMPLE_ID|SYMBOL|CONSEQUENCE|PROTEIN_CHANGE|TIER",
            "7|140453136|A|T|S1|BRAF|missense_variant|ENSP00000288602.6:p.Val600Glu|TIER 1",
            "12|25398284|C|T|S2|KRAS|missense_variant|p.G12D|TIER 1",
            "12|25398299|C|T|S2|KRAS|synonymous_variant|p.L5L|NONCODING",
        ),
        {"silent": 1},
    ),
    "ICGC simple somatic mutations": (
        rows(
            "icgc_mutation_id|icgc_donor_id|icgc_sample_id|chromosome|chromosome_start|reference_genome_allele|"
            "mutated_from_allele|mutated_to_allele|consequence_type|aa_mutation|gene_affected|gene_symbol",
            "MU1|DO1|S1|7|140453136|A|A|T|missense_variant|V600E|ENSG00000157764|BRAF",
            "MU1|DO1|S1|7|140453136|A|A|T|missense_variant|V207E|ENSG00000157764|BRAF",
            "MU2|DO2|S2|12|25398284|C|C|T|missense_variant|G12D|ENSG00000133703|KRAS",
            "MU2|DO2|S2|12|25398284|C|C|T|downstream_gene_variant|_|ENSG00000133704|IPO8",
        ),
        {"the same variant of the same case again": 1, "non-coding": 1},
    ),
    "list of mutations": (
        rows(
            "Study of Origin|Sample ID|Cancer Type|Gene|Protein Change|Mutation Type|MS",
            "x|S1|Melanoma|BRAF|V600E|Missense_Mutation|SOMATIC",
            "x|S2|Lung|KRAS|G12D|Missense_Mutation|SOMATIC",
            "x|S2|Lung|BRCA1|E23fs|Frame_Shift_Del|GERMLINE",
            "x|S2|Lung|ERBB2|Amplification|_|_",
        ),
        {"stated to be germline, LOH or wild type": 1, "copy number or fusion: no small mutation": 1},
    ),
}


@pytest.mark.parametrize("form", EXPORTS)
@pytest.mark.parametrize("packed", [False, True])
def test_exports_of_other_tools_are_read_and_accounted_for(tmp_path, form, packed):
    text, left_out = EXPORTS[form]
    content, name = (gzip.compress(text.encode()), "x.txt.gz") if packed else (text, "x.txt")
    given = read(tmp_path, content, name)
    assert given.form == form
    assert pairs(given) == TWO
    assert given.tables.account.left_out == left_out
    assert given.tables.account.total == text.count("\n") - 1
    kind = "cell line" if form == "CCLE mutations" else "tumour"
    assert set(given.tables.cases["kind"].to_pylist()) == {kind}


def test_icgcs_ensembl_ids_are_named_with_a_remedy(tmp_path):
    text, _ = EXPORTS["ICGC simple somatic mutations"]
    bare = "".join(line.rsplit("\t", 1)[0] + "\n" for line in text.splitlines())
    with pytest.raises(InputError, match="genes are Ensembl ids: add a column gene_symbol"):
        read(tmp_path, bare)


def test_a_multianno_file_without_samples_is_one_case_named_after_it(tmp_path):
    text, _ = EXPORTS["ANNOVAR multianno"]
    given = read(tmp_path, "".join(line.rsplit("\t", 1)[0] + "\n" for line in text.splitlines()), "P7.txt")
    assert given.tables.cases["case_id"].to_pylist() == ["P7"]
    assert given.tables.variants.num_rows == 2


def test_the_combined_output_of_tso500_is_read(tmp_path):
    text = (
        "[Analysis Details]\t\t\nPair ID\tP1\t\nDNA Sample ID\tS1\t\n\n[TMB]\nTotal TMB\t4.0\n\n[Gene Amplifications]\n"
        "Gene\tFold Change\nERBB2\t3.1\n\n[Small Variants]\n"
        "Gene\tChromosome\tGenomic Position\tReference Call\tAlternative Call\tAllele Frequency\tDepth\t"
        "P-Dot Notation\tC-Dot Notation\tConsequence(s)\tAffected Exon(s)\n"
        "BRAF\tchr7\t140453136\tA\tT\t0.31\t500\tNP_004324.2:p.(Val600Glu)\tNM_004333.4:c.1799T>A\tmissense_variant\t15/18\n"
        "APC\tchr5\t9\tA\tT\t0.31\t500\tNP_1:p.(=)\tNM_1:c.9A>T\tsynonymous_variant\t15/18\n"
    )
    given = read(tmp_path, text)
    assert given.form == "TSO500 combined variant output"
    assert pairs(given) == {("S1", "BRAF", "V600E")}
    assert given.tables.account.left_out == {"silent": 1}


def test_mutations_of_cbioportals_api_are_read(tmp_path):
    records = [
        {"sampleId": "S1", "gene": {"hugoGeneSymbol": "BRAF"}, "proteinChange": "V600E",
         "mutationType": "Missense_Mutation", "chr": "7", "startPosition": 140453136, "referenceAllele": "A",
         "variantAllele": "T", "mutationStatus": "SOMATIC"},
        {"sampleId": "S2", "gene": {"hugoGeneSymbol": "KRAS"}, "proteinChange": "G12D",
         "mutationType": "Missense_Mutation", "chr": "12", "startPosition": 25398284, "referenceAllele": "C",
         "variantAllele": "T", "mutationStatus": None},
        {"sampleId": "S2", "gene": {"hugoGeneSymbol": "TP53"}, "proteinChange": "R273H",
         "mutationType": "Missense_Mutation", "mutationStatus": "GERMLINE"},
    ]  # fmt: skip
    given = read(tmp_path, json.dumps(records), "mutations.json")
    assert given.form == "cBioPortal mutations (API)"
    assert pairs(given) == TWO
    assert set(given.tables.variants["dna"].to_pylist()) == {"snv"}
    assert given.tables.account.total == 3
    for other in ("{}", "[]", "[1, 2]", '{"a": {"b": [1]}}', '[{"name": "x"}]'):
        with pytest.raises(InputError, match="is JSON"):
            read(tmp_path, other, "other.json")


@pytest.mark.parametrize("by", ["\t", ",", ";", "|", " "])
@pytest.mark.parametrize("header", [True, False])
def test_a_list_is_read_in_any_delimiter_with_or_without_a_header(tmp_path, by, header):
    lines = ["S1|BRAF|V600E", "S2|KRAS|p.Gly12Asp", "S2|KRAS|G12D"]
    if header and by == " ":
        pytest.skip("a header of words is text")
    text = rows(*(["Sample|Gene|Protein"] if header else []), *lines, by=by)
    given = read(tmp_path, text, "list.txt")
    assert pairs(given) == TWO
    assert given.tables.account.left_out == {"the same variant of the same case again": 1}


def test_a_list_of_genes_and_class_words_is_read(tmp_path):
    given = read(tmp_path, rows("Tumor_Sample|Gene|Effect", "S1|APC|stopgain", "S1|KEAP1|frameshift deletion"))
    given = read(tmp_path, rows("Sample|Gene|Effect", "S1|APC|stopgain", "S1|KEAP1|frameshift deletion", "S1|TP53|odd"))
    assert pairs(given) == {("S1", "APC", "nonsense"), ("S1", "KEAP1", "frameshift")}
    assert given.tables.account.not_understood == {"consequence not recognised": 1}


def test_text_is_no_list(tmp_path):
    for text in ("BRAF V600E, KRAS G12D\n", "BRAF V600E\nKRAS G12D\n", "C1: KRAS G12D, TP53\n", "TP53, KRAS\n"):
        assert read(tmp_path, text, "a.txt").form == forms.FREE_TEXT


# --- MAF ---

MAF = "Hugo_Symbol|Tumor_Sample_Barcode|Variant_Classification|HGVSp_Short"


def test_the_four_columns_that_cbioportal_needs_are_enough(tmp_path):
    given = read(tmp_path, rows(MAF, "BRAF|S1|Missense_Mutation|p.V600E", "KRAS|S2|Missense_Mutation|p.G12D"))
    assert (given.form, pairs(given)) == (forms.MAF, TWO)
    with pytest.raises(InputError, match="none of the columns Variant_Classification"):
        read(tmp_path, rows("Hugo_Symbol|Tumor_Sample_Barcode", "BRAF|S1"))


def test_rows_whose_empty_cells_were_cut_are_read_and_problems_keep_their_rows(tmp_path):
    header = MAF + "|Validation_Status|Note|Other"
    text = rows(
        header, "BRAF|S1|Missense_Mutation|p.V600E", "KRAS|S2|Missense_Mutation|p.G12D|_|x|y", "APC|S2|Odd|what?"
    )
    given = read(tmp_path, text)
    assert pairs(given) == TWO
    assert given.tables.account.not_understood == {"consequence not recognised": 1}
    assert {problem["line"] for problem in summary.summary(given)["wrong"]} == {3}
    with pytest.raises(InputError, match="line 3: 1 fields where 7 columns"):
        read(tmp_path, rows(header, "BRAF|S1|Missense_Mutation|p.V600E", "KRAS"))


def test_refuted_rows_and_normal_tissue_are_left_out(tmp_path):
    text = rows(
        MAF + "|Validation_Status",
        "BRAF|TCGA-AA-0001-01A|Missense_Mutation|p.V600E|Valid",
        "KRAS|TCGA-AA-0001-01A|Missense_Mutation|p.G12D|Invalid",
        "NRAS|TCGA-AA-0001-01A|Missense_Mutation|p.Q61R|Wildtype",
        "TP53|TCGA-AA-0001-10A|Missense_Mutation|p.R175H|Valid",
    )
    given = read(tmp_path, text)
    assert pairs(given) == {("TCGA-AA-0001-01A", "BRAF", "V600E")}
    assert given.tables.cases.num_rows == 1
    assert sum(given.tables.account.left_out.values()) == 3


def test_a_status_none_counts_where_no_row_states_another(tmp_path):
    lines = ["BRAF|S1|Missense_Mutation|p.V600E|None", "KRAS|S2|Missense_Mutation|p.G12D|None"]
    assert pairs(read(tmp_path, rows(MAF + "|Mutation_Status", *lines))) == TWO
    again = read(tmp_path, rows(MAF + "|Mutation_Status", *lines, "TP53|S1|Missense_Mutation|p.R175H|Germline"))
    assert pairs(again) == set()


def test_a_position_that_is_no_number_is_named_with_its_line(tmp_path):
    text = rows(
        MAF + "|Start_Position", "BRAF|S1|Missense_Mutation|p.V600E|1.4e8", "KRAS|S2|Missense_Mutation|G12D|here"
    )
    with pytest.raises(InputError, match="line 3: column Start_Position holds 'here'"):
        read(tmp_path, text)


def test_a_second_header_with_other_columns_is_refused(tmp_path):
    text = rows(MAF, "BRAF|S1|Missense_Mutation|p.V600E", "Gene|Tumor_Sample_Barcode|Class|Change")
    with pytest.raises(InputError, match="a second header with other columns"):
        read(tmp_path, text, "a.maf")


def test_silent_rows_with_another_protein_change_are_read_and_reported(tmp_path):
    given = read(tmp_path, rows(MAF, "BRAF|S1|Silent|p.V600E", "KRAS|S2|Silent|p.G12D", "TTN|S2|Silent|p.L5L"))
    assert pairs(given) == TWO
    assert ("consequence", 2) in [(each.what, each.n) for each in given.tables.dropped]


def test_one_variant_of_two_callers_counts_once_however_its_alleles_are_written(tmp_path):
    header = MAF + "|Chromosome|Start_Position|Reference_Allele|Tumor_Seq_Allele2"
    given = read(
        tmp_path,
        rows(
            header,
            "APC|S1|Frame_Shift_Ins|p.T5fs|5|100|-|A",
            "APC|S1|Frame_Shift_Ins|p.T5fs|chr5|100|C|CA",
            "APC|S1|Frame_Shift_Del|p.T9fs|5|201|G|-",
            "APC|S1|Frame_Shift_Del|p.T9fs|5|200|TG|T",
            "APC|S1|Frame_Shift_Del|p.T9fs|_|_|_|_",
            "APC|S1|Frame_Shift_Del|p.T10fs|5|203|G|-",
        ),
    )
    assert given.tables.variants["protein_change"].to_pylist() == ["T5fs", "T9fs", "T10fs"]
    assert given.tables.account.left_out == {"the same variant of the same case again": 3}


# --- Wide tables ---


def test_depmaps_zero_one_matrices_are_read(tmp_path):
    text = rows(
        "_|SequencingID|ModelID|IsDefaultEntryForModel|TP53 (7157)|KRAS (3845)",
        "0|CDS-1|ACH-1|Yes|1.0|0.0",
        "1|CDS-2|ACH-1|No|0.0|0.0",
        "2|CDS-3|ACH-2|Yes|0.0|2.0",
        by=",",
    )
    given = read(tmp_path, text, "OmicsSomaticMutationsMatrixHotspot.csv")
    assert pairs(given) == {("ACH-1", "TP53", "missense"), ("ACH-2", "KRAS", "missense")}
    assert set(given.tables.cases["kind"].to_pylist()) == {"cell line"}
    assert given.tables.panels == {"table": ["TP53", "KRAS"]}
    older = read(tmp_path, rows("_|TP53 (7157)|KRAS (3845)", "ACH-1|1|0", "ACH-2|0|1", by=","), "m.csv")
    assert pairs(older) == pairs(given)


def test_a_table_of_genes_by_samples_is_read_like_one_of_samples_by_genes(tmp_path):
    turned = rows("Hugo_Symbol|S1|S2", "BRAF|V600E|WT", "KRAS|WT|G12D", "TP53|0|_")
    given = read(tmp_path, turned)
    assert (given.form, pairs(given)) == (forms.TABLE, TWO)
    assert given.tables.account.total == 6
    assert pairs(read(tmp_path, rows("SAMPLE_ID|BRAF|KRAS|TP53", "S1|V600E|WT|0", "S2|WT|G12D|_"))) == TWO


def test_cbioportals_web_table_knows_what_was_not_sequenced(tmp_path):
    text = rows("STUDY_ID|SAMPLE_ID|BRAF|KRAS", "st|S1|V600E|NS", "st|S2|NS|G12D G12D", "st|S3|NS|NS")
    given = read(tmp_path, text)
    assert pairs(given) == TWO
    assert given.tables.cases["case_id"].to_pylist() == ["S1", "S2"]
    assert given.tables.account.left_out == {"not sequenced in this case": 2, "of a case that is left out": 2}


@pytest.mark.parametrize(
    ("text", "mutations", "reason", "unreadable"),
    [
        ("WT", (), "", ()),
        ("0", (), "", ()),
        ("", (), table.NOT_SEQUENCED, ()),
        ("NS", (), table.NOT_SEQUENCED, ()),
        ("1", (("", "missense"),), "", ()),
        ("R175H;p.R248Q", (("R175H", ""), ("p.R248Q", "")), "", ()),
        ("Frame_Shift_Del", (("", "frameshift"),), "", ()),
        ("Frame Shift Del;MUT", (("", "frameshift"),), "", ()),
        ("G12D [germline]", (), "marked as germline", ()),
        ("AMP;", (), "copy number, fusion or expression: no small mutation", ()),
        ("HOMDEL;R80*", (("R80*", ""),), "", ()),
        ("p.L5L", (), "silent", ()),
        ("huh", (), "", ("huh",)),
    ],
)
def test_a_cell_is_read_as_people_write_it(text, mutations, reason, unreadable):
    cell = table.read_cell(text)
    assert (cell.mutations, cell.reason, cell.unreadable) == (mutations, reason, unreadable)


def test_a_matrix_of_copy_number_is_no_table_of_mutations(tmp_path):
    for text in (rows("ID|TP53|KRAS", "S1|-2|0"), rows("ID|TP53|KRAS", "S1|0.37|1.2")):
        with pytest.raises(InputError, match="a matrix of copy number or expression"):
            read(tmp_path, text)


def test_one_change_in_two_notations_counts_once_in_a_cell(tmp_path):
    given = read(tmp_path, rows("ID|TP53|KRAS", "S1|R273H p.Arg273His|WT"))
    assert given.tables.variants.num_rows == 1


# --- Containers ---


def workbook(lines: list[list], sheets: int = 1) -> bytes:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    for i in range(1, sheets):
        book.create_sheet(f"more {i}").append(["x", "y"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_spreadsheet_is_read_like_the_same_table(tmp_path):
    lines = [["Sample", "Gene", "Protein change"], ["S1", "BRAF", "V600E"], [None], ["S2", "KRAS", "p.G12D"]]
    assert pairs(read(tmp_path, workbook(lines), "a.xlsx")) == TWO
    assert pairs(read(tmp_path, workbook(lines), "a.txt")) == TWO  # its content shows what it is, not its name
    dates = [["Sample", "Gene", "Protein change"], ["S1", datetime.datetime(2024, 9, 2), "A5V"]]
    assert pairs(read(tmp_path, workbook(dates), "b.xlsx")) == {("S1", "SEPTIN2", "A5V")}
    with pytest.raises(InputError, match="2 sheets with content"):
        read(tmp_path, workbook(lines, sheets=2), "c.xlsx")
    with pytest.raises(InputError, match="damaged zip archive or spreadsheet"):
        read(tmp_path, workbook(lines)[:-400], "d.xlsx").tables  # noqa: B018


def test_a_spreadsheet_may_have_a_title_and_a_sheet_of_text(tmp_path):
    lines = [
        ["Table S1. Mutations"],
        ["Sample", "Gene", "Protein change"],
        ["S1", "BRAF", "V600E"],
        ["S2", "KRAS", "G12D"],
    ]
    book = openpyxl.load_workbook(io.BytesIO(workbook(lines)))
    book.create_sheet("README").append(["made in 2024"])
    book.save(tmp_path / "a.xlsx")
    assert pairs(inputs.read(str(tmp_path / "a.xlsx"))) == TWO


def test_the_row_names_of_pandas_are_the_samples(tmp_path):
    pd.DataFrame({"BRAF": ["V600E", "WT"], "KRAS": ["WT", "G12D"]}, index=["S1", "S2"]).to_parquet(
        tmp_path / "a.parquet"
    )
    assert pairs(inputs.read(str(tmp_path / "a.parquet"))) == TWO


def test_a_parquet_file_is_read_like_the_same_table(tmp_path):
    frame = pa.table({"Sample": ["S1", "S2"], "Gene": ["BRAF", "KRAS"], "HGVSp": ["p.V600E", 'p."G12D']})
    frame = frame.set_column(2, "HGVSp", pa.array(["p.V600E", "p.G12D"])).append_column("n", pa.array([1, None]))
    pq.write_table(frame, tmp_path / "a.parquet")
    assert pairs(inputs.read(str(tmp_path / "a.parquet"))) == TWO
    with pytest.raises(InputError, match="damaged Parquet"):
        read(tmp_path, b"PAR1xxxxxxxxxxxx", "b.parquet")


def archive(kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w") as packed:
            packed.writestr("a.maf", "x")
    else:
        with tarfile.open(fileobj=out, mode=f"w:{'gz' if kind == 'tar.gz' else ''}") as packed:
            packed.addfile(tarfile.TarInfo("a.maf"), io.BytesIO())
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (archive("zip"), "a zip archive"),
        (archive("tar"), "a tar archive"),
        (archive("tar.gz"), "a tar archive"),
        (gzip.compress(gzip.compress(b"x")), "packed with gzip twice"),
        (gzip.compress(b"BAM\x01xxxx"), "a BAM file"),
        (b"{\\rtf1 x", "an RTF document"),
        (b"BZh91AY", "a bzip2 file"),
        (b"\x89HDF\r\n", "an HDF5 file"),
    ],
)
def test_binary_formats_are_named(tmp_path, content, said):
    with pytest.raises(InputError, match=said):
        read(tmp_path, content, "given.maf")


# --- Several files, other names ---


def test_several_files_are_one_input_in_which_a_sample_is_one_case(tmp_path):
    one, two = tmp_path / "a.maf", tmp_path / "b.maf"
    one.write_text(rows(MAF, "BRAF|S1|Missense_Mutation|p.V600E", "TP53|S1|Missense_Mutation|p.R175H"))
    two.write_text(rows(MAF, "TP53|S1|Missense_Mutation|p.R175H", "KRAS|S2|Missense_Mutation|p.G12D"))
    given = inputs.read([str(one), str(two)])
    assert pairs(given) == {*TWO, ("S1", "TP53", "R175H")}
    assert given.tables.cases["case_id"].to_pylist() == ["S1", "S2"]
    assert (given.form, given.tables.account.total, given.tables.account.used) == (forms.MAF, 4, 3)
    mixed = inputs.read([str(one), "S3: KRAS G12D"])
    assert mixed.tables.cases["case_id"].to_pylist() == ["S1", "S3"]
    assert mixed.form == inputs.SEVERAL


def test_samples_are_renamed_and_an_unknown_one_is_named(tmp_path):
    text = rows(MAF, "BRAF|x|Missense_Mutation|p.V600E", "KRAS|S2|Missense_Mutation|p.G12D")
    assert pairs(read(tmp_path, text, "a.maf", rename={"x": "S1"})) == TWO
    with pytest.raises(InputError, match="no sample 'y' to rename"):
        read(tmp_path, text, "a.maf", rename={"y": "S1"})
    with pytest.raises(InputError, match="two samples would be named 'S2'"):
        read(tmp_path, text, "a.maf", rename={"x": "S2"})


# --- Panels ---


@pytest.mark.parametrize(
    ("text", "genes"),
    [
        ("chr17\t1\t2\tTP53_exon1\nchr12\t3\t4\tref|KRAS,ref|NM_004985\n# c\n", ["TP53", "KRAS"]),
        ("track name=x\n17 1 2 TP53\n12 3 4 KRAS 0 +\n", ["TP53", "KRAS"]),
        ("stable_id: P\ndescription: A SET of genes for the REST\ngene_list: TP53\tKRAS\n", ["TP53", "KRAS"]),
        ("Gene\tTranscript\nTP53\tNM_000546\nKRAS\tNM_004985\n", ["TP53", "KRAS"]),
        ("TP53, KRAS # a comment\n", ["TP53", "KRAS"]),
    ],
)
def test_a_panel_is_read_from_any_list_of_genes(tmp_path, text, genes):
    path = tmp_path / "panel.txt"
    path.write_text(text)
    assert list(gene_panels.read(path).genes) == genes


def test_a_bed_file_without_gene_names_is_named(tmp_path):
    path = tmp_path / "panel.bed"
    path.write_text("chr17\t1\t2\nchr12\t3\t4\n")
    with pytest.raises(InputError, match="put the gene's symbol there"):
        gene_panels.read(path)


# --- Whatever a file holds ---

SEEDS = [text for text, _ in EXPORTS.values()] + [
    rows("ID|TP53|KRAS", "S1|R175H|WT", "S2|_|MUT;"),
    rows("Hugo_Symbol|S1|S2", "BRAF|V600E|WT", "KRAS|WT|G12D"),
    rows(MAF + "|Chromosome|Start_Position|Mutation_Status", "BRAF|S1|Missense_Mutation|p.V600E|7|5.0|Somatic"),
    "S1,KRAS,G12D\nS2,BRAF,V600E\n",
    '[{"sampleId": "S1", "hugoGeneSymbol": "BRAF", "proteinChange": "V600E"}]',
]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.sampled_from(SEEDS), data=st.data())
def test_every_row_of_a_fuzzed_file_is_accounted_for(tmp_path_factory, seed, data):
    content = seed.encode()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content)))
        new = data.draw(st.binary(max_size=6) | st.sampled_from([b"\t", b"\n", b",", b'"', b"NA", b"1", b"WT", b"#"]))
        content = content[:at] + new + content[at + data.draw(st.integers(0, 6)) :]
    path = tmp_path_factory.getbasetemp() / "fuzzed.txt"
    path.write_bytes(content)
    try:
        given_input = inputs.read(str(path))
    except InputError as error:
        assert str(path) in str(error)
        return
    account = given_input.tables.account
    if given_input.form != forms.FREE_TEXT:
        assert account.total == account.used + sum(account.left_out.values()) + sum(account.not_understood.values())
        if account.unit == "row":
            # A row counts once, however many changes its cell states.
            assert account.used <= given_input.tables.variants.num_rows
    summary.summary(given_input)


# --- Real files, counted independently ---

NOT_COUNTED = ("Silent", "Intron", "RNA", "IGR", "lincRNA", "3'UTR", "5'UTR", "3'Flank", "5'Flank", "Splice_Region")
MAFS = [
    "tcga/tcga_firehose_dev.maf.gz",
    "tcga/melanoma_vanallen2015_dev.maf.gz",
    "tcga_mc3/mc3_new.maf.gz",
    "tcga_mc3/mc3_dev.maf.gz",
    "ccle_panel/ccle_dev.maf.gz",
]


@pytest.mark.parametrize("name", MAFS)
def test_the_account_of_a_real_maf_agrees_with_pandas(shared_data, name):
    frame = pd.read_csv(shared_data / name, sep="\t", dtype=str, keep_default_na=False, comment="#")
    account = inputs.read(str(shared_data / name)).tables.account
    assert account.total == len(frame)
    same_residue = frame["HGVSp_Short"].str.fullmatch(r"p\.([A-Z])\d+(\1|=)") & frame["Variant_Classification"].eq(
        "Missense_Mutation"
    )
    frame.loc[same_residue, "Variant_Classification"] = "Silent"
    silent = frame["Variant_Classification"].eq("Silent").sum()
    other = frame["Variant_Classification"].isin(NOT_COUNTED[1:]).sum()
    assert account.left_out.get("silent", 0) == silent
    assert account.left_out.get("non-coding", 0) == other
    coding = frame[~frame["Variant_Classification"].isin(NOT_COUNTED)]
    again = account.left_out.get("the same variant of the same case again", 0)
    assert account.used == len(coding) - again - account.left_out.get("no gene", 0) - sum(
        account.not_understood.values()
    )
    if "Start_Position" in frame:
        place = ["Tumor_Sample_Barcode", "Hugo_Symbol", "Chromosome", "Start_Position", "Reference_Allele"]
        assert again >= coding.duplicated([*place, "Tumor_Seq_Allele2"]).sum()


def test_the_account_of_the_real_lines_agrees_with_pandas(shared_data):
    path = shared_data / "depmap" / "OmicsSomaticMutations.csv.gz"
    frame = pd.read_csv(path, low_memory=False)
    account = inputs.read(str(path)).tables.account
    assert account.total == len(frame)
    hotspot = frame["Hotspot"].eq(True)
    common = (frame[["GnomadeAF", "GnomadgAF"]] > 1e-4).any(axis=1) & ~hotspot
    assert account.left_out["likely inherited: known to gnomAD"] <= common.sum()
    assert account.used == len(frame) - sum(account.left_out.values())


def test_the_cells_of_the_real_web_table_agree_with_pandas(shared_data):
    path = shared_data / "tcga_cbioportal" / "mutations.tsv.gz"
    frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False).drop(columns=["STUDY_ID", "SAMPLE_ID"])
    given = inputs.read(str(path))
    account = given.tables.account
    sequenced = frame.ne("NS")
    assert (account.unit, account.total) == ("cell", frame.size)
    assert given.tables.cases.num_rows == sequenced.any(axis=1).sum()
    out = account.left_out.get("not sequenced in this case", 0) + account.left_out.get("of a case that is left out", 0)
    assert out == (~sequenced).to_numpy().sum()
    changes = frame.where(frame.ne("WT") & sequenced, "").stack().str.split()
    assert given.tables.variants.num_rows <= changes.map(len).sum()


def test_the_layouts_are_known_by_their_columns(tmp_path):
    for form, (text, _) in EXPORTS.items():
        (tmp_path / "x").write_text(text)
        assert exports.recognised(DelimitedFile(tmp_path / "x")).layout.name == form
