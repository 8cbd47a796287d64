"""The made-up files of tests/cases, after public bug reports and layouts: what each gives, with an account of its rows.

``cases/EXPECTED.tsv`` says in words what each file is about."""

import csv
from pathlib import Path

import pytest

from cancertype.errors import InputError
from cancertype.prediction import inputs, remarks, summary
from cancertype.sources import gene_panels

CASES = Path(__file__).parent / "cases"

MUTATIONS: dict[str, dict[str, str]] = {
    "binary_matrix.csv": {"S1": "TP53 missense", "S2": "KRAS missense, APC missense"},
    "binary_matrix_id.csv": {"S1": "TP53 missense", "S2": "KRAS missense, APC missense"},
    "cbioportal_oncoprint_id.tsv": {"S1": "TP53 R175H, TP53 R248Q", "S2": ""},
    "data_mutations.txt": {"S1": "BRAF V600E, KRAS G12D", "S2": "", "S3": ""},
    "foundation_report.txt": {"*": "EGFR L858R, TP53 splice, PTEN frameshift, ATM S1400L, NOTCH1 R912W"},
    "long_colon_header.csv": {"S1": "KRAS G12D", "S2": "BRAF V600E"},
    "long_id.csv": {"S1": "KRAS G12D", "S2": "BRAF V600E"},
    "long_id_repeated.csv": {"S1": "KRAS G12D, TP53 R175H"},
    "long_no_header.csv": {"S1": "KRAS G12D", "S2": "BRAF V600E"},
    "long_sep_semicolon.csv": {"S1": "KRAS G12D", "S2": "BRAF V600E, TP53 R175H"},
    "maf_allele1.maf": {"S1": "BRAF V600E, KRAS G12D, TP53 R273H, APC R1450*"},
    "maf_annovar_terms.maf": {
        "S1": "BRAF V600E, KRAS G12D, APC R1450*, TP53 frameshift, RB1 frameshift, VHL splice, EGFR E746_A750del, "
        "ATM nonsense"
    },
    "maf_annovartomaf.maf": {"S1": "BRAF V600E, KRAS G12D, APC R1450*"},
    "maf_case_header.txt": {"S1": "BRAF V600E, KRAS G12D"},
    "maf_cat.maf": {"S1": "BRAF V600E, KRAS G12D", "S2": "TP53 R273H, APC R1450*"},
    "maf_chr_and_plain.maf": {"S1": "BRAF V600E, KRAS G12D, TP53 R273H"},
    "maf_filter_na.maf": {"S1": "BRAF V600E, KRAS G12D", "S2": "TP53 R273H, APC R1450*"},
    "maf_float_pos.maf": {"S1": "BRAF V600E, KRAS G12D", "S2": "TP53 R273H"},
    "maf_funcotator.maf": {
        "__UNKNOWN__": "BRAF V600E, APC R1450*, KRAS G12D, TP53 P67fs, PTEN splice, ATM M1?, EGFR E746_L747del, "
        "SMAD4 *553Y, VHL start_lost, RB1 stop_lost"
    },
    "maf_germline.maf": {"S1": "BRAF V600E", "S2": "IDH1 R132H"},
    "maf_hgvsp_long.maf": {"S1": "BRAF V600E, KRAS G12D", "S2": "TP53 R273H"},
    "maf_missense_is_indel.maf": {"S1": "TP53 P67fs, TP53 R213*, EGFR E746_A750del"},
    "maf_mouse.maf": {"S1": "BRAF V600E, KRAS G12D, TP53 R273H, APC R1450*"},
    "maf_no_place.maf": {"S1": "APC frameshift, APC nonsense, BRAF V600E"},
    "maf_two_genes.maf": {"S1": "TP53 R273H, KRAS G12D"},
    "maf_two_transcripts.maf": {"S1": "CDKN2A H83Y, BRAF V600E"},
    "maf_unknown_barcode.maf": {"__UNKNOWN__": "BRAF V600E, KRAS G12D", "unknown": "TP53 R273H", "NA": "APC R1450*"},
    "maf_upper_header.maf": {"S1": "BRAF V600E, KRAS G12D"},
    "maf_v24_no_protein.maf": {"S1": "BRAF missense, KRAS missense", "S2": "TP53 missense"},
    "matrix_id.tsv": {"S1": "PIK3CA missense, TP53 nonsense", "S2": "PTEN frameshift, TP53 missense"},
    "oncoprint_words.csv": {"S1": "TP53 missense", "S2": "KRAS G12D"},
    "text_alias_in_brackets.txt": {"*": "KMT2D R5154*"},
    "text_annovar.txt": {"*": "BRAF V600E, TP53 R175H"},
    "text_case_names.txt": {"C1": "KRAS G12D", "C2": "BRAF V600E"},
    "text_cdna_only.txt": {"*": "TP53 frameshift, VHL splice, BRCA1 frameshift"},
    "text_change_first.txt": {"*": "BRAF V600E, TP53 R175H"},
    "text_dashes.txt": {"*": "KRAS G12D, BRAF V600E, NRAS Q61R, TP53 R175H"},
    "text_deletion_word.txt": {"*": "EGFR E746_A750del, TP53 R175H"},
    "text_exon_number.txt": {"*": "EGFR L858R, TP53 R175H"},
    "text_gene_comma_change.csv": {"*": "KRAS G12D, TP53 R175H"},
    "text_list_then_wildtype.txt": {"*": "TP53 R175H"},
    "text_missense_word.txt": {"*": "KRAS G12D, APC E1309fs"},
    "text_negated_list.txt": {"*": "TP53 R175H"},
    "text_predicted_parentheses.txt": {"*": "BRAF V600E, KRAS G12D"},
    "text_tert_promoter.txt": {"*": "BRAF V600E"},
    "text_wt_list.txt": {"*": ""},
    "vcf_csq_declared_ann_used.vcf": {"S1": "BRAF V600E, KRAS G12D"},
    "vcf_freebayes_joint.vcf": {"PT01_tumor": "BRAF V600E"},
    "vcf_multiallelic_snpeff.vcf": {
        "S1": "KRAS G12D, VHL L10fs, PBRM1 L10fs, SETD2 R20H",
        "S2": "KRAS G12V, VHL L11fs, PBRM1 R11H, SETD2 R20H",
    },
    "vcf_normal_control.vcf": {"tumor": "BRAF V600E, KRAS G12D"},
    "vcf_normal_germline.vcf": {"PT01": "BRAF V600E, KRAS G12D"},
    "vcf_normal_normal_lane.vcf": {"PT01_tumor_L1": "BRAF V600E, KRAS G12D"},
    "vcf_normal_normal_prefix.vcf": {"TUMOR_PT01": "BRAF V600E, KRAS G12D"},
    "vcf_pedigree.vcf": {"A1": "BRAF V600E"},
    "vcf_star_indel.vcf": {"S1": "TP53 R273fs, BRAF V600E"},
    "vcf_vardict_germline.vcf": {"TUMOR": "BRAF V600E, APC R1450*"},
    "vcf_vep115_two_deletions.vcf": {"S1": "TP53 K11fs, BRAF V600E"},
    "vcf_vep_as_ann.vcf": {"S1": "BRAF V600E, APC R1450*"},
    "vcf_vep_as_ann_gnomad.vcf": {"S1": "BRAF V600E"},
}
"""File to each of its cases and its mutations: the gene, and the protein change or, without one, the class. ``*`` is
the one case of a file that names none."""

REFUSED = {
    "gdc_download.maf.tar.gz": "a tar archive: unpack it",
    "maf.rds": "an R file",
    "maf_spaces.maf": "separated by blanks, not tabs",
    "nirvana.json": "JSON of another tool",
    "oc.sqlite": "an SQLite database",
    "old.xls": "an old Excel or Word file",
    "panel.bed": "a panel .* not mutations",
    "panel_cbioportal.txt": "a panel .* not mutations",
    "report.docx": "a Word document",
    "report.pdf": "a PDF",
    "sigprofiler_simple.txt": "SigProfiler's text format",
    "study.tar": "a tar archive: unpack it",
    "study_plain.tar.gz": "a tar archive: unpack it",
    "study_version.tar.gz": "a tar archive: unpack it",
    "table.xlsx": "a damaged spreadsheet",
    "text_no_gene_hgvs.txt": "nothing else in it is a mutation",
    "twice.maf.gz": "packed with gzip twice",
    "variants_to_table.tsv": "a table of variants without genes",
    "x.bam": "a BAM file",
    "x.bcf": "a BCF file",
    "x.maf.zst": "a Zstandard file",
}

LEFT_OUT = {
    "maf_germline.maf": 6,
    "maf_cat.maf": 1,
    "maf_funcotator.maf": 3,
    "maf_chr_and_plain.maf": 3,
    "maf_two_transcripts.maf": 2,
    "maf_two_genes.maf": 2,
    "maf_unknown_barcode.maf": 1,
    "maf_no_place.maf": 1,
    "cbioportal_oncoprint_id.tsv": 3,
    "vcf_freebayes_joint.vcf": 2,
    "vcf_vardict_germline.vcf": 2,
    "vcf_vep_as_ann_gnomad.vcf": 1,
    "vcf_normal_control.vcf": 1,
    "vcf_normal_germline.vcf": 1,
    "vcf_normal_normal_lane.vcf": 1,
    "vcf_normal_normal_prefix.vcf": 1,
}
"""How many rows (of a wide table: cells) are left out; of the files that are not here, none or a text's words."""


def of_cases(read: inputs.Input) -> dict[str, set[str]]:
    mutations = {name: set() for name in read.tables.cases["case_id"].to_pylist()}
    for row in read.tables.variants.to_pylist():
        change = row["protein_change"] if row["protein_change"] not in ("", "X_splice") else row["consequence"]
        mutations[row["case_id"]].add(f"{row['gene']} {change if 'splice' not in change else 'splice'}")
    return mutations


def listed() -> list[str]:
    with (CASES / "EXPECTED.tsv").open(encoding="utf-8") as file:
        return [row["file"] for row in csv.DictReader(file, delimiter="\t")]


def test_every_case_has_its_expectation():
    assert set(listed()) == {*MUTATIONS, *REFUSED}
    assert {path.name for path in CASES.iterdir()} == {"EXPECTED.tsv", *listed()}


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_case_gives_its_mutations_once(name):
    read = inputs.read(str(CASES / name))
    expected = {case: set(filter(None, text.split(", "))) for case, text in MUTATIONS[name].items()}
    found = of_cases(read)
    if "*" in expected:
        assert len(found) == 1
        expected = dict.fromkeys(found, expected["*"])
    assert found == expected
    assert read.tables.variants.num_rows == sum(map(len, expected.values()))


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_row_of_a_case_is_accounted_for(name):
    account = summary.summary(inputs.read(str(CASES / name)))["account"]
    left_out, not_understood = (sum(account[what].values()) for what in ("left_out", "not_understood"))
    assert account["total"] == account["used"] + left_out + not_understood
    if account["unit"] in ("row", "line"):
        assert account["total"] == rows_of(CASES / name)
    if not name.startswith("text_") and name != "foundation_report.txt":
        assert left_out == LEFT_OUT.get(name, 0)


def rows_of(path: Path) -> int:
    """Rows below the first line that is no comment (of a list without column names, all rows)."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"]
    has_names = path.suffix != ".vcf" and path.name not in ("long_no_header.csv", "text_gene_comma_change.csv")
    return len(lines) - has_names


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_named_with_a_remedy(name):
    with pytest.raises(InputError, match=REFUSED[name]) as caught:
        inputs.read(str(CASES / name))
    assert name in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_barcode_that_names_no_sample_is_remarked_on():
    for name in ("maf_unknown_barcode.maf", "maf_funcotator.maf"):
        read = inputs.read(str(CASES / name))
        assert all(any("names no sample" in said for said in case) for case in remarks.remarks(read).values())
    renamed = inputs.read(str(CASES / "maf_funcotator.maf"), rename={"__UNKNOWN__": "P1"})
    assert set(of_cases(renamed)) == {"P1"}
    assert not any("names no sample" in said for said in remarks.remarks(renamed).get("P1", []))


def test_all_alleles_of_the_file_with_the_change_in_the_first_allele_are_known():
    variants = inputs.read(str(CASES / "maf_allele1.maf")).tables.variants
    assert variants["dna"].to_pylist() == ["snv"] * 4
    assert variants["substitution"].to_pylist() == ["T>A", "C>T", "C>T", "C>T"]


@pytest.mark.parametrize("name", ["maf_mouse.maf", "maf_missense_is_indel.maf"])
def test_what_is_read_otherwise_than_stated_is_reported(name):
    ignored = summary.summary(inputs.read(str(CASES / name)))["ignored"]
    assert [(each["what"], each["n"]) for each in ignored] == [
        ("gene", 4) if name == "maf_mouse.maf" else ("consequence", 3)
    ]


@pytest.mark.parametrize(("name", "n"), [("panel_cbioportal.txt", 20), ("panel.bed", 2)])
def test_only_the_genes_of_a_panel_are_read(name, n):
    genes = gene_panels.read(CASES / name).genes
    assert len(genes) == n
    assert {"TP53", "KRAS"} <= set(genes)
