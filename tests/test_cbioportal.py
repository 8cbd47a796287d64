"""Studies of cBioPortal and AACR GENIE: which sample is kept, how it was sequenced, and where every row goes."""

import gzip
from pathlib import Path

import pytest

from benchmarks import cbioportal as cbioportal_benchmark
from cancertype.errors import InputError
from cancertype.sources import cbioportal, cbioportal_web
from cancertype.variants.cases import CASES, SourceTables
from cancertype.variants.schema import SCHEMA

MUTATIONS = """#Sequenced_Samples: S1 S2 S3 S5
Hugo_Symbol\tChromosome\tStart_Position\tVariant_Classification\tReference_Allele\tTumor_Seq_Allele2\tTumor_Sample_Barcode\tHGVSp_Short\tMutation_Status\tFILTER
KRAS\t12\t25398284\tMissense_Mutation\tC\tT\tS1\tp.G12D\tSOMATIC\tPASS
KRAS\t12\t25398284\tMissense_Mutation\tC\tT\tS2\tp.G12D\tUNKNOWN\t.
TP53\t17\t7578406\tMissense_Mutation\tC\tT\tS2\tp.R175H\tSOMATIC\tPASS
BRCA2\t13\t32914438\tFrame_Shift_Del\tT\t-\tS1\tp.S1982Rfs*22\tGERMLINE\tPASS
NOTCH1\t9\t139390649\tMissense_Mutation\tC\tT\tS1\tp.P2515L\tSOMATIC\tcommon_variant
APC\t5\t112175639\tSilent\tC\tT\tS1\tp.A5=\tSOMATIC\tPASS
APC\t5\t112175639\tNonsense_Mutation\tC\tT\tS3\tp.R1450*\tSOMATIC\tPASS
APC\t5\t112175639\tNonsense_Mutation\tC\tT\tS3\tp.R1450*\tSOMATIC\tPASS
TP53\t17\t1\tOdd_Class\tC\tT\tS3\t\tSOMATIC\tPASS
TP53\t17\t7578406\tMissense_Mutation\tC\tT\tS9\tp.R175H\tSOMATIC\tPASS
"""
SAMPLES = """#Patient Identifier\tSample Identifier\tOncoTree Code\tSample Type
#STRING\tSTRING\tSTRING\tSTRING
PATIENT_ID\tSAMPLE_ID\tONCOTREE_CODE\tSAMPLE_TYPE
P1\tS1\tLUAD\tMetastasis
P1\tS2\tLUAD\tPrimary
P2\tS3\tCOAD\tMetastasis
P3\tS4\tPAAD\tPrimary
P4\tS5\tCHOL\tPrimary
"""
PATIENTS = "PATIENT_ID\tSEX\nP1\tFemale\nP2\tMale\n"
MATRIX = "SAMPLE_ID\tmutations\tcna\nS1\tIMPACT341\tNA\nS2\tMINE\tNA\nS3\tWES\tNA\nS4\tNA\tIMPACT341\nS5\tMINE\tNA\n"
PANEL = "stable_id: MINE\ndescription: MET and others\ngene_list: KRAS\tTP53\tMLL2\n"


def study(folder: Path, **changes: str | None) -> Path:
    """A small study; ``changes`` replaces a file's text (by name up to the first dot), or leaves it out (None)."""
    files = {
        "data_mutations.txt": MUTATIONS,
        "data_clinical_sample.txt": SAMPLES,
        "data_clinical_patient.txt": PATIENTS,
        "data_gene_panel_matrix.txt": MATRIX,
        "data_gene_panel_mine.txt": PANEL,
    }
    files |= {f"{name}.txt": text for name, text in changes.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def read(folder: Path) -> SourceTables:
    tables = cbioportal.read(folder)
    assert tables.cases.schema == CASES and tables.variants.schema == SCHEMA
    return tables


def mutations(tables: SourceTables) -> set[tuple[str, str, str]]:
    columns = (tables.variants[name].to_pylist() for name in ("case_id", "gene", "protein_change"))
    return set(zip(*columns, strict=True))


def case(tables: SourceTables, name: str) -> dict:
    return next(row for row in tables.cases.to_pylist() if row["case_id"] == name)


def dropped(tables: SourceTables) -> dict[str, int]:
    return {each.reason: each.n for each in tables.dropped}


def test_a_case_is_a_patient_with_its_label_sex_and_panel(tmp_path):
    tables = read(study(tmp_path))
    assert tables.cases["case_id"].to_pylist() == ["P1", "P2", "P4"]
    assert case(tables, "P1") == {
        "case_id": "P1",
        "patient_id": "P1",
        "source": "cbioportal",
        "kind": "tumour",
        "label": "LUAD",
        "scope": "in",
        "origin": "LUAD",
        "sex": "female",
        "panel": "MINE",
    }
    assert case(tables, "P2")["panel"] is None and case(tables, "P4")["scope"] == "out"
    assert tables.panels == {"MINE": ["KRAS", "TP53", "KMT2D"]}


def test_the_primary_tumour_stands_for_the_patient(tmp_path):
    tables = read(study(tmp_path))
    assert mutations(tables) == {("P1", "KRAS", "G12D"), ("P1", "TP53", "R175H"), ("P2", "APC", "R1450*")}
    assert dropped(tables)["another sample of the patient is kept"] == 1


def test_of_two_primaries_the_one_with_the_larger_panel_stands_for_the_patient(tmp_path):
    samples = SAMPLES.replace("S1\tLUAD\tMetastasis", "S1\tLUAD\tPrimary")
    small = "stable_id: IMPACT341\ngene_list: KRAS\tTP53\n"
    tables = read(study(tmp_path, data_clinical_sample=samples, data_gene_panel_impact=small))
    assert case(tables, "P1")["panel"] == "MINE"
    large = "stable_id: IMPACT341\ngene_list: KRAS\tTP53\tAPC\tEGFR\n"
    assert case(read(study(tmp_path, data_gene_panel_impact=large)), "P1")["panel"] == "MINE"  # primary comes first
    tables = read(study(tmp_path, data_clinical_sample=samples, data_gene_panel_impact=large))
    assert case(tables, "P1")["panel"] == "IMPACT341"


def test_every_row_is_used_or_left_out_with_its_reason(tmp_path):
    account = read(study(tmp_path)).account
    assert (account.unit, account.total, account.used) == ("row", 10, 3)
    assert account.left_out == {
        "Mutation_Status germline": 1,
        "marked common_variant": 1,
        "of a sample that is not kept": 2,
        "silent": 1,
        "the same variant of the same case again": 1,
    }
    assert account.not_understood == {"consequence not recognised": 1}


def test_a_sequenced_sample_without_a_mutation_is_a_case_and_an_unsequenced_one_is_not(tmp_path):
    tables = read(study(tmp_path))
    assert "P4" in tables.cases["case_id"].to_pylist()
    assert dropped(tables)["nothing says that the sample was sequenced"] == 1
    assert dropped(tables)["not in data_clinical_sample.txt"] == 1


def test_a_case_list_says_who_was_sequenced(tmp_path):
    folder = study(tmp_path, data_gene_panel_matrix=None, data_mutations=MUTATIONS.partition("\n")[2])
    assert "P3" not in read(folder).cases["case_id"].to_pylist()
    (folder / "case_lists").mkdir()
    (folder / "case_lists" / "cases_sequenced.txt").write_text("stable_id: x_sequenced\ncase_list_ids: S1\tS4\tS5\n")
    assert read(folder).cases["case_id"].to_pylist() == ["P1", "P2", "P3", "P4"]


GENIE = """PATIENT_ID\tSAMPLE_ID\tONCOTREE_CODE\tSAMPLE_TYPE\tSEQ_ASSAY_ID
P1\tS1\tLUAD\tMetastasis\tLAB-1
P1\tS2\tLUAD\tUnspecified\tLAB-2
P2\tS3\tCOAD\tPrimary\tLAB-2
"""
INFORMATION = """Chromosome\tStart_Position\tEnd_Position\tHugo_Symbol\tID\tSEQ_ASSAY_ID\tFeature_Type\tincludeInPanel
12\t1\t2\tKRAS\tk\tLAB-1\texon\tTrue
17\t1\t2\tTP53\tt\tLAB-1\texon\tTrue
2\t1\t2\tALK\ta\tLAB-1\tintron\tTrue
7\t1\t2\tMET\tm\tLAB-1\texon\tFalse
12\t1\t2\tKRAS\tk\tLAB-2\texon\tTrue
"""


def test_the_layout_of_genie_is_read(tmp_path):
    folder = study(tmp_path, data_clinical_sample=GENIE, data_gene_panel_matrix=None, data_gene_panel_mine=None)
    (folder / "data_mutations.txt").rename(folder / "data_mutations_extended.txt")
    (folder / "genomic_information.txt").write_text(INFORMATION)
    tables = read(folder)
    assert tables.panels == {"LAB-1": ["KRAS", "TP53"], "LAB-2": ["KRAS"]}
    assert case(tables, "P1")["panel"] == "LAB-1"  # a metastasis comes before a sample of unknown type
    assert ("P1", "TP53", "R175H") not in mutations(tables)


def test_a_bed_file_named_after_the_assay_gives_its_genes(tmp_path):
    folder = study(tmp_path, data_clinical_sample=GENIE, data_gene_panel_matrix=None, data_gene_panel_mine=None)
    (folder / "beds").mkdir()
    (folder / "beds" / "LAB-1.bed").write_text("12\t1\t2\tKRAS\n17\t3\t4\tTP53\n")
    tables = read(folder)
    assert tables.panels == {"LAB-1": ["KRAS", "TP53"]}
    assert tables.notes["panels_without_genes"] == ["LAB-2"] and case(tables, "P2")["panel"] == "LAB-2"


def test_packed_files_are_read(tmp_path):
    folder = study(tmp_path)
    (folder / "data_mutations.txt.gz").write_bytes(gzip.compress(MUTATIONS.encode()))
    (folder / "data_mutations.txt").unlink()
    assert read(folder).account.total == 10


def test_the_protein_change_comes_from_whichever_column_states_it(tmp_path):
    text = (
        "Hugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\tHGVSp_Short\tHGVSp\n"
        "KRAS\tMissense_Mutation\tS2\t\tp.Gly12Asp\nBRAF\tMissense_Mutation\tS2\tp.V600E\t\n"
    )
    assert mutations(read(study(tmp_path, data_mutations=text))) == {("P1", "KRAS", "G12D"), ("P1", "BRAF", "V600E")}


def test_melanoma_of_tcga_is_known_by_its_metastasis(tmp_path):
    text = (
        "Hugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\tHGVSp_Short\n"
        "BRAF\tMissense_Mutation\tTCGA-AA-0001-06\tp.V600E\nNRAS\tMissense_Mutation\tTCGA-AA-0001-01\tp.Q61R\n"
    )
    clinical = (
        "PATIENT_ID\tSAMPLE_ID\tcohort\nTCGA-AA-0001\tTCGA-AA-0001-01\tSKCM\nTCGA-AA-0001\tTCGA-AA-0001-06\tSKCM\n"
    )
    tables = read(study(tmp_path, data_mutations=text, data_clinical_sample=clinical, data_gene_panel_matrix=None))
    assert mutations(tables) == {("TCGA-AA-0001", "BRAF", "V600E")} and case(tables, "TCGA-AA-0001")["label"] == "SKCM"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data_clinical_sample": None}, "data_mutations.txt is there without data_clinical_sample.txt"),
        ({"data_mutations": None}, "neither data_mutations.txt nor a table that begins with STUDY_ID"),
        (
            {"data_mutations": "Hugo_Symbol\tTumor_Sample_Barcode\n"},
            "none of the columns Variant_Classification, Consequence, HGVSp",
        ),
        ({"data_mutations": "Hugo_Symbol\tHGVSp_Short\n"}, "no column Tumor_Sample_Barcode"),
        ({"data_gene_panel_matrix": "SAMPLE_ID\tcna\nS1\tX\n"}, "line 1: no column mutations"),
        ({"data_clinical_sample": SAMPLES + "P9\tS1\tLUAD\tPrimary\n"}, "'S1' belongs to two patients, P1 and P9"),
        ({"data_clinical_sample": "SAMPLE_ID\nS1\n"}, "no column PATIENT_ID"),
    ],
)
def test_what_is_wrong_is_said_with_the_remedy(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        read(study(tmp_path, **changes))


def test_the_benchmarks_study_is_read_as_its_panels(tmp_path):
    cbioportal_benchmark.write_study(tmp_path, 300)
    measured = cbioportal_benchmark.measure(tmp_path)
    assert measured["rows"] == 3000 and 250 < measured["cases"] < 300 and measured["assays"] == 11
    assert measured["variants"] == pytest.approx(0.9 * 3000 * measured["cases"] / 300, rel=0.1)


# --- The web download ---

WEB = """STUDY_ID\tSAMPLE_ID\tTP53\tKRAS\tMLL2
luad_tcga_pan_can_atlas_2018\tTCGA-AA-0001-01\tR175H R248Q\tWT\tWT
luad_tcga_pan_can_atlas_2018\tTCGA-AA-0002-01\tNS\tG12D [germline]\tWT
brca_tcga_pan_can_atlas_2018\tTCGA-AA-0003-01\tX125_splice, Q16=\tG12D (driver)\tA5=
mine_2020\tQ1\tNS\tNS\tNS
mine_2020\tQ2\tWT\tWT\todd!
"""


def web(folder: Path, text: str = WEB) -> Path:
    (folder / "mutations.tsv").write_text(text)
    return folder


def test_the_web_download_is_read(tmp_path):
    tables = read(web(tmp_path))
    assert mutations(tables) == {
        ("TCGA-AA-0001", "TP53", "R175H"),
        ("TCGA-AA-0001", "TP53", "R248Q"),
        ("TCGA-AA-0003", "TP53", "X125_splice"),
        ("TCGA-AA-0003", "KRAS", "G12D"),
    }
    assert case(tables, "TCGA-AA-0001")["label"] == "LUAD" and case(tables, "TCGA-AA-0003")["label"] == "BRCA"
    assert case(tables, "Q2")["scope"] == "unlabelled"
    assert dropped(tables)["nothing says that the sample was sequenced"] == 1


def test_genes_that_were_not_sequenced_are_in_no_panel(tmp_path):
    tables = read(web(tmp_path))
    assert tables.panels[case(tables, "TCGA-AA-0001")["panel"]] == ["TP53", "KRAS", "KMT2D"]
    assert tables.panels[case(tables, "TCGA-AA-0002")["panel"]] == ["KRAS", "KMT2D"]


def test_every_cell_is_accounted_for(tmp_path):
    account = read(web(tmp_path)).account
    assert (account.unit, account.total, account.used) == ("cell", 15, 8)
    assert account.left_out == {
        "germline only": 1,
        "not sequenced": 1,
        "of a sample that is not kept": 3,
        "silent": 1,
    }
    assert account.not_understood == {"protein change not readable": 1}


def test_a_clinical_table_gives_cohort_and_sex(tmp_path):
    (tmp_path / "clinical.tsv").write_text("bcr_patient_barcode\ttype\tgender\nTCGA-AA-0001\tLUSC\tMALE\n")
    row = case(read(web(tmp_path)), "TCGA-AA-0001")
    assert (row["label"], row["sex"]) == ("LUSC", "male")


def test_a_sample_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="column SAMPLE_ID holds 'Q2' twice"):
        read(web(tmp_path, WEB + "mine_2020\tQ2\tWT\tWT\tWT\n"))


def test_copy_numbers_of_the_same_layout_are_not_mutations(tmp_path):
    (tmp_path / "cna.tsv").write_text("STUDY_ID\tSAMPLE_ID\tTP53\nx\tS1\t-2\n")
    assert cbioportal_web.tables(web(tmp_path)) == [tmp_path / "mutations.tsv"]


def test_the_real_download_is_read_whole(shared_data):
    tables = read(shared_data / "tcga_cbioportal")
    assert tables.cases.num_rows == 7309 and tables.account.total == 7317 * 1066
    assert len(tables.panels["cbioportal"]) == 1066
    labels = tables.cases["label"].to_pylist()
    assert labels.count("SKCM") == 333 and labels.count("LUSC") == 363
