"""Fusions are read from the layouts that people have, 5' gene first, and every row is accounted for."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cancertype.errors import InputError
from cancertype.sources import fusions
from tests.segment_files import write


def pairs(file, case: str) -> set[tuple[str | None, str | None]]:
    return {
        (row["five_prime"], row["three_prime"])
        for row in file.alterations.fusions.to_pylist()
        if row["case_id"] == case
    }


STAR = (
    "#FusionName\tJunctionReadCount\tSpanningFragCount\test_J\test_S\tSpliceType\tLeftGene\tLeftBreakpoint\tRightGene\t"
    "RightBreakpoint\tLargeAnchorSupport\tFFPM\tLeftBreakDinuc\tLeftBreakEntropy\tRightBreakDinuc\tRightBreakEntropy\tannots"
)


def star(five: str, three: str, spanning: int = 5, anchor: str = "YES_LDAS", annots: str = "[]") -> str:
    return (
        f"{five}--{three}\t20\t{spanning}\t20\t5\tONLY_REF_SPLICE\t{five}^ENSG00000184012.7\tchr21:41508081:-\t"
        f"{three}^ENSG00000157554.14\tchr21:38445621:-\t{anchor}\t0.9\tGT\t1.9\tAG\t1.8\t{annots}"
    )


def test_star_fusion_gives_the_left_gene_as_the_five_prime_one(tmp_path):
    path = write(
        tmp_path / "P1.star-fusion.fusion_predictions.tsv",
        STAR,
        star("TMPRSS2", "ERG", annots='["TMPRSS2--ERG:Mitelman","ChimerKB","INTRACHROMOSOMAL[chr21:2.80Mb]"]'),
        star("SIDT2", "TAGLN", annots='["GTEx_recurrent_StarF2019","Babiceanu_Normal"]'),
        star("AAK1", "MERTK", spanning=0, anchor="NO_LDAS"),
    )
    file = fusions.read(path)
    assert pairs(file, "P1") == {("TMPRSS2", "ERG")}
    assert file.alterations.screened_for_fusions == {"P1"}
    assert (file.account.total, file.account.used, len(file.account.left_out)) == (3, 1, 2)


def test_a_caller_that_finds_nothing_shows_that_the_sample_was_screened(tmp_path):
    path = write(tmp_path / "star-fusion.fusion_predictions.tsv", STAR)
    file = fusions.read(path, sample="P1")
    assert file.alterations.fusions.num_rows == 0
    assert file.alterations.screened_for_fusions == {"P1"}


ARRIBA = (
    "#gene1\tgene2\tstrand1(gene/fusion)\tstrand2(gene/fusion)\tbreakpoint1\tbreakpoint2\tsite1\tsite2\ttype\t"
    "confidence"
)


def arriba(one: str, two: str, kind: str = "translocation", confidence: str = "high") -> str:
    return f"{one}\t{two}\t+/+\t+/+\t2:42295516\t2:29223528\tCDS/splice-site\tCDS\t{kind}\t{confidence}"


def test_arribas_low_confidence_and_read_through_calls_are_left_out_and_counted(tmp_path):
    path = write(
        tmp_path / "P2.arriba.fusions.tsv",
        ARRIBA,
        arriba("EML4", "ALK", "inversion"),
        arriba("EML4", "ALK", "inversion", "medium"),
        arriba("CCDC6", "RET", confidence="low"),
        arriba("AZGP1", "GJC3", "deletion/read-through", "medium"),
        arriba("EWSR1", "FLI1(1234),ETS1(567)"),
        arriba("X(1),Y(2)", "FLI1(1234),ETS1(567)"),
    )
    file = fusions.read(path)
    assert pairs(file, "P2") == {("EML4", "ALK"), ("EWSR1", None)}
    assert file.account.used == 3
    assert file.account.left_out == {
        "the caller marks it as of low confidence": 1,
        "read-through of neighbouring genes": 1,
        "between genes on both sides": 1,
    }


def test_fusion_catchers_labels_of_false_positives_are_heeded(tmp_path):
    path = write(
        tmp_path / "final-list_candidate-fusion-genes.txt",
        "Gene_1_symbol(5end_fusion_partner)\tGene_2_symbol(3end_fusion_partner)\tFusion_description\tSpanning_pairs",
        "FGFR3\tTACC3\tknown,oncogene,short_distance,tcga\t12",
        "AAA1\tBBB1\tbanned,gtex\t40",
        "BCR\tABL1\t\t7",
        "VAMP8\tVAMP5\treadthrough\t9",
    )
    file = fusions.read(path, sample="P3")
    assert pairs(file, "P3") == {("FGFR3", "TACC3"), ("BCR", "ABL1")}
    assert sum(file.account.left_out.values()) == 2


def test_cbioportals_structural_variants_give_pairs_and_single_genes(tmp_path):
    path = write(
        tmp_path / "data_sv.txt",
        "Sample_Id\tSV_Status\tSite1_Hugo_Symbol\tSite2_Hugo_Symbol\tClass\tEvent_Info",
        "S1\tSOMATIC\tTMPRSS2\tERG\tDELETION\tTMPRSS2-ERG fusion",
        "S2\tSOMATIC\tALK\tEML4\tINVERSION\tProtein Fusion: in frame  {EML4:ALK}",
        "S3\tSOMATIC\tEWSR1\t\tTRANSLOCATION\tEWSR1 rearrangement",
        "S4\tGERMLINE\tBRCA1\tRPL27\tDELETION\t",
        "S5\tSOMATIC\tEGFR\tEGFR\tDELETION\tEGFR vIII",
    )
    file = fusions.read(path, screened=["S1", "S6"])
    assert pairs(file, "S1") == {("TMPRSS2", "ERG")}
    assert pairs(file, "S2") == {("EML4", "ALK")}
    assert pairs(file, "S3") == {("EWSR1", None)}
    assert file.account.left_out == {"inherited": 1, "within one gene": 1}
    assert file.alterations.screened_for_fusions == {"S1", "S6"}


EVENTS = (
    "Sample_Id\tSite1_Hugo_Symbol\tSite2_Hugo_Symbol\tClass\tEvent_Info",
    "S1\tEGFR\tEGFR\tDELETION\tEGFRvIII",
    "S2\tEGFR\tEGFR\tDELETION\tDeletion of exons 2-7: in frame",
    "S3\tMET\tMET\tDELETION\tMET exon 14 skipping",
    "S4\tMET\t\tDELETION\tMETex14",
    "S5\tKMT2A\tKMT2A\tDUPLICATION\tKMT2A-PTD",
    "S6\tEGFR\tEGFR\tDUPLICATION\tEGFR kinase domain duplication",
    "S7\tTP53\tTP53\tDELETION\tDeletion of 3 exons",
    "S8\tMET\tCAPZA2\tDELETION\tMET-CAPZA2 fusion, exon 14 lost",
)


def test_known_events_within_one_gene_are_small_mutations_in_the_words_of_free_text(tmp_path):
    path = write(tmp_path / "data_sv.txt", *EVENTS)
    file = fusions.read(path, events=True)
    assert dict(file.events) == {
        "S1": "EGFRvIII",
        "S2": "EGFRvIII",
        "S3": "MET exon 14 skipping",
        "S4": "MET exon 14 skipping",
        "S5": "KMT2A-PTD",
        "S6": "EGFR kinase domain duplication",
    }
    assert pairs(file, "S8") == {("CAPZA2", "MET")} and file.alterations.fusions.num_rows == 1
    assert (file.account.used, file.silent) == (7, ("S7",))
    (dropped,) = file.dropped
    assert "state it as text beside the file, such as BRCA2 loss exons 3-5" in dropped.reason
    assert dropped.examples == ("line 8: TP53; Deletion of 3 exons; DELETION",)
    plain = fusions.read(path)
    assert plain.events == () and plain.account.left_out["within one gene"] == 6


@pytest.mark.parametrize(
    "said", ["Deletion of exon 2", "exons 2-7 duplication", "EGFRvII", "Deletion of exons 25-27", ""]
)
def test_another_event_within_egfr_is_not_taken_for_egfrviii(tmp_path, said):
    file = fusions.read(write(tmp_path / "data_sv.txt", EVENTS[0], f"S1\tEGFR\tEGFR\tINVERSION\t{said}"), events=True)
    assert file.events == () and file.silent == ("S1",)


def test_the_older_fusion_file_states_each_fusion_once_for_each_gene(tmp_path):
    path = write(
        tmp_path / "data_fusions.txt",
        "Hugo_Symbol\tEntrez_Gene_Id\tCenter\tTumor_Sample_Barcode\tFusion\tDNA_support\tRNA_support\tMethod\tFrame",
        "EML4\t0\tMSK\tS1\tEML4-ALK fusion - Archer\tno\tyes\tNA\tin frame",
        "ALK\t0\tMSK\tS1\tEML4-ALK fusion - Archer\tno\tyes\tNA\tin frame",
        "NKX2-1\t0\tMSK\tS2\tNKX2-1-MIPOL1\tyes\tno\tNA\tunknown",
        "ERG\t0\tMSK\tS3\tERG-intragenic\tyes\tno\tNA\tunknown",
    )
    file = fusions.read(path)
    assert file.alterations.fusions.num_rows == 2
    assert pairs(file, "S1") == {("EML4", "ALK")}
    assert pairs(file, "S2") == {("NKX2-1", "MIPOL1")}
    assert (file.account.used, file.account.left_out) == (3, {"within one gene": 1})


def test_depmaps_fusions_are_by_model_and_only_of_its_default_profile(tmp_path):
    path = write(
        tmp_path / "OmicsFusionFiltered.csv",
        "ModelID,IsDefaultEntryForModel,CanonicalFusionName,Gene1,Gene2",
        "ACH-1,Yes,BCR--ABL1,BCR (613),ABL1 (25)",
        "ACH-2,No,EML4--ALK,EML4 (27436),ALK (238)",
    )
    file = fusions.read(path)
    assert pairs(file, "ACH-1") == {("BCR", "ABL1")}
    assert pairs(file, "ACH-2") == set()
    path = write(
        tmp_path / "old.csv",
        "FusionName,JunctionReadCount,LeftGene,RightGene,annots,ModelID",
        'EWSR1--FLI1,9,EWSR1 (ENSG00000182944.18),FLI1 (ENSG00000151702.17),"[""Mitelman""]",ACH-3',
    )
    assert pairs(fusions.read(path), "ACH-3") == {("EWSR1", "FLI1")}


def test_tumorfusions_lists_what_was_found_and_a_file_names_who_was_screened(tmp_path):
    path = write(tmp_path / "fusions.tsv", "Tissue\tSample\tGene_A\tGene_B", "PRAD\tTCGA-2A-A8VL-01A\tTMPRSS2\tERG")
    screened = write(tmp_path / "screened.txt", "TCGA-2A-A8VL", "TCGA-2A-A8VO")
    file = fusions.read(path, screened=screened)
    assert pairs(file, "TCGA-2A-A8VL-01A") == {("TMPRSS2", "ERG")}
    assert file.alterations.screened_for_fusions == {"TCGA-2A-A8VL", "TCGA-2A-A8VO"}


def test_a_case_list_of_cbioportal_names_who_was_screened(tmp_path):
    path = write(tmp_path / "cases_sv.txt", "cancer_study_identifier: x", "stable_id: x_sv", "case_list_ids: A\tB")
    assert fusions.screened_samples(path) == {"A", "B"}
    with pytest.raises(InputError, match="names no sample"):
        fusions.screened_samples(write(tmp_path / "empty.txt", "# nothing"))


@pytest.mark.parametrize(
    ("lines", "case", "expected"),
    [
        (["sample,fusion", "A,TMPRSS2-ERG", "A,EWSR1 rearrangement"], "A", {("TMPRSS2", "ERG"), ("EWSR1", None)}),
        (["A\tEML4::ALK", "B\tBCR--ABL1"], "A", {("EML4", "ALK")}),
        (["gene1,gene2", "EML4,ALK"], "mine", {("EML4", "ALK")}),
        (["EML4\tALK", "PML\tRARA"], "mine", {("EML4", "ALK"), ("PML", "RARA")}),
        (["A\tEML4\tALK"], "A", {("EML4", "ALK")}),
        (["Sample;5'gene;3'gene", "A;SS18;SSX1"], "A", {("SS18", "SSX1")}),
    ],
)
def test_lists_need_no_certain_header(tmp_path, lines, case, expected):
    assert pairs(fusions.read(write(tmp_path / "mine.txt", *lines)), case) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EML4::ALK", ("EML4", "ALK")),
        ("eml4-alk", ("EML4", "ALK")),
        ("HLA-A--ALK", ("HLA-A", "ALK")),
        ("NKX2-1-ALK", ("NKX2-1", "ALK")),
        ("IGH@--MYC", ("IGH", "MYC")),
        ("IGHV3-23--BCL2", ("IGH", "BCL2")),
        ("TRAM1--TRAC", ("TRAM1", "TRA")),
        ("MLL-AFF1", ("KMT2A", "AFF1")),
        ("IGHMBP2--MRGPRD", ("IGHMBP2", "MRGPRD")),
        ("EWSR1 rearrangement", ("EWSR1", None)),
        ("TRAF1-ALK", ("TRAF1", "ALK")),
        ("no idea", None),
        ("", None),
    ],
)
def test_a_pair_of_genes_is_read_as_people_write_it(text, expected):
    assert fusions.split_pair(text) == expected


# ---- structural variants

CSQ = '##INFO=<ID=CSQ,Number=.,Type=String,Description="From Ensembl VEP. Format: Allele|Consequence|SYMBOL|STRAND">'
ANN = '##INFO=<ID=ANN,Number=.,Type=String,Description="Functional annotations">'


def sv(header: str, *records: str, samples: str = "TUMOR") -> list[str]:
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
    return ["##fileformat=VCFv4.2", header, columns + samples, *(f"{record}\tPR:SR\t5,5:5,5" for record in records)]


def test_breakends_are_joined_with_their_mates_in_the_order_of_transcription(tmp_path):
    # EWSR1 (22, +) keeps what is left of its break, FLI1 (11, +) what is right of it; FLI1's record comes first.
    path = write(
        tmp_path / "t.sv.vcf",
        *sv(
            CSQ,
            "11\t128675261\tM1\tC\t]22:29683123]C\t.\tPASS\tSVTYPE=BND;MATEID=M2;CSQ=x|intron_variant|FLI1|1",
            "22\t29683123\tM2\tA\tA[11:128675261[\t.\tPASS\tSVTYPE=BND;MATEID=M1;CSQ=x|intron_variant|EWSR1|1",
            "3\t5\tM3\tA\tA[4:9[\t.\tPASS\tSVTYPE=BND;MATEID=M9;CSQ=x|intron_variant|TP63|1",
            "5\t5\tM5\tA\tA[6:9[\t.\tLowQual\tSVTYPE=BND;MATEID=M6;CSQ=x|intron_variant|TERT|-1",
        ),
    )
    file = fusions.read(path)
    assert pairs(file, "TUMOR") == {("EWSR1", "FLI1")}
    assert file.account.used == 2
    assert file.account.left_out == {"a breakend without its mate": 1, "marked by FILTER": 1}


def test_a_deletion_between_two_genes_of_the_reverse_strand_fuses_the_later_one_first(tmp_path):
    # TMPRSS2 lies behind ERG on chromosome 21, and both are read backwards.
    path = write(
        tmp_path / "t.vcf",
        *sv(
            CSQ,
            "21\t38445621\tD1\tN\t<DEL>\t.\tPASS\tSVTYPE=DEL;END=41508081;CSQ=x|feature_truncation&intron_variant|ERG|-1,"
            "x|transcript_ablation|ETS2|1,x|feature_truncation&intron_variant|TMPRSS2|-1,x|downstream_gene_variant|MX1|1",
            "7\t5\tD2\tN\t<DEL>\t.\tPASS\tSVTYPE=DEL;END=900;CSQ=x|feature_truncation|EGFR|1",
        ),
    )
    file = fusions.read(path)
    assert pairs(file, "TUMOR") == {("TMPRSS2", "ERG")}
    assert file.account.left_out == {"does not join two genes": 1}


def test_a_tandem_duplication_fuses_kiaa1549_to_braf(tmp_path):
    path = write(
        tmp_path / "t.vcf",
        *sv(
            CSQ,
            "7\t138860000\tU1\tN\t<DUP:TANDEM>\t.\tPASS\tSVTYPE=DUP;END=140790000;"
            "CSQ=x|feature_elongation&intron_variant|BRAF|-1,x|feature_elongation&intron_variant|KIAA1549|-1",
        ),
    )
    assert pairs(fusions.read(path), "TUMOR") == {("KIAA1549", "BRAF")}


def test_snpeffs_gene_fusions_are_taken_as_named(tmp_path):
    path = write(
        tmp_path / "t.vcf",
        *sv(
            ANN,
            "2\t29223528\tB1\tA\tA]2:42295516]\t.\tPASS\tSVTYPE=BND;MATEID=B2;ANN=x|gene_fusion|HIGH|EML4&ALK|e&a|gene_variant",
            "2\t29223528\tB3\tA\tA\t.\tPASS\tDP=9;ANN=x|missense_variant|HIGH|ALK|a|transcript",
        ),
    )
    file = fusions.read(path)
    assert pairs(file, "TUMOR") == {("EML4", "ALK")}
    assert file.account.left_out == {"no structural variant": 1}


def test_normals_are_no_samples_and_genotypes_say_who_carries_a_variant(tmp_path):
    record = "2\t5\tB1\tA\t<DEL>\t.\tPASS\tSVTYPE=DEL;ANN=x|gene_fusion|HIGH|EML4&ALK|e\tGT\t0/1\t0/0\t0/1"
    lines = sv(ANN, samples="A\tB\tA_normal")
    file = fusions.read(write(tmp_path / "t.vcf", *lines, record))
    assert file.alterations.fusions["case_id"].to_pylist() == ["A"]


def test_structural_variants_without_genes_are_refused_with_the_remedy(tmp_path):
    path = write(tmp_path / "t.vcf", *sv("##source=Manta", "2\t5\tB1\tA\t<DEL>\t.\tPASS\tSVTYPE=DEL;END=9"))
    with pytest.raises(InputError, match="Annotate it with VEP"):
        fusions.read(path)


def test_an_unknown_layout_is_refused_with_its_columns(tmp_path):
    path = write(tmp_path / "x.tsv", "alpha\tbeta\tgamma\tdelta", "1\t2\t3\t4")
    with pytest.raises(InputError, match="alpha, beta, gamma, delta"):
        fusions.read(path)


WORDS = st.sampled_from(
    ["EML4", "ALK", "EML4-ALK", "", "A", "fusion", "gene1", "gene2", "sample", "x::y", "é", "::", "-"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(WORDS, min_size=2, max_size=2), min_size=1, max_size=6))
def test_any_list_is_either_read_with_every_row_accounted_for_or_refused_with_its_name(tmp_path, rows):
    path = write(tmp_path / "any.tsv", *("\t".join(row) for row in rows))
    try:
        file = fusions.read(path)
    except InputError as error:
        assert "any.tsv" in str(error)
        return
    account = file.account
    assert account.total == account.used + sum(account.left_out.values()) + sum(account.not_understood.values())
    assert all(row["five_prime"] or row["three_prime"] for row in file.alterations.fusions.to_pylist())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MLL-AF9", ("KMT2A", "MLLT3")),
        ("BCR/ABL", ("BCR", "ABL1")),
        ("TEL-AML1", ("ETV6", "RUNX1")),
        ("EWS-FLI1", ("EWSR1", "FLI1")),
        ("ALK-NPM1", ("NPM1", "ALK")),
        ("t(15;17)", ("PML", "RARA")),
        ("inv(16)(p13q22)", ("CBFB", "MYH11")),
        ("EWSR1-intergenic", ("EWSR1", None)),
    ],
)
def test_a_list_names_fusions_by_old_names_translocations_and_in_either_order(tmp_path, text, expected):
    path = write(tmp_path / "fusions.tsv", "sample\tfusion", f"A\t{text}")
    assert pairs(fusions.read(path), "A") == {expected}


def test_gene_named_unk_is_not_an_unknown_partner(tmp_path):
    path = write(tmp_path / "fusions.tsv", "Sample\tGene_A\tGene_B", "A\tUNK\tSPOP")
    assert pairs(fusions.read(path), "A") == {("UNK", "SPOP")}


def test_the_words_for_no_fusion_of_a_list_differ_from_an_empty_cell(tmp_path):
    path = write(tmp_path / "f.csv", "sample,fusion", "A,EML4-ALK", "B,none", "C,Not detected", "D,", "E,NA")
    file = fusions.read(path)
    assert pairs(file, "A") == {("EML4", "ALK")}
    assert file.alterations.screened_for_fusions == {"B", "C"}
    assert (file.account.total, file.account.used, file.account.left_out) == (5, 3, {"no value (NA)": 2})


def test_a_cell_of_a_list_may_name_several_fusions(tmp_path):
    path = write(tmp_path / "f.tsv", "sample\tfusion", "A\tEML4-ALK; ROS1-CD74")
    file = fusions.read(path)
    assert pairs(file, "A") == {("EML4", "ALK"), ("CD74", "ROS1")}
    assert (file.account.total, file.account.used) == (1, 1)


def test_columns_that_do_not_say_which_gene_is_first_get_the_usual_order(tmp_path):
    lines = ("Sample_Id\tSite1_Hugo_Symbol\tSite2_Hugo_Symbol\tEvent_Info", "A\tROS1\tCD74\t", "B\tALK\tintergenic\t",
             "C\tALK\t\tEML4-ALK fusion", "D\tRET\tCCDC6\tRET-CCDC6 fusion")  # fmt: skip
    file = fusions.read(write(tmp_path / "data_sv.txt", *lines))
    assert pairs(file, "A") == {("CD74", "ROS1")}
    assert pairs(file, "B") == {(None, "ALK")}
    assert pairs(file, "C") == {("EML4", "ALK")}
    assert pairs(file, "D") == {("CCDC6", "RET")}
    old = write(tmp_path / "old.txt", "Sample_ID\tSite1_Gene\tSite2_Gene\tSV_Class_Name", "A\tALK\tEML4\tINVERSION")
    assert pairs(fusions.read(old), "A") == {("EML4", "ALK")}


def test_a_vcf_gives_a_known_fusion_its_usual_order_and_a_receptor_locus_its_name(tmp_path):
    gene = "N|intron_variant|MODIFIER|{}|E|Transcript|T|protein_coding|{}".format
    inverted = f"SVTYPE=INV;END=42295516;CSQ={gene('ALK', -1)},{gene('EML4', 1)}"
    lines = (
        "##fileformat=VCFv4.2",
        '##INFO=<ID=CSQ,Number=.,Type=String,Description="VEP. Format: '
        'Allele|Consequence|IMPACT|SYMBOL|Gene|Feature_type|Feature|BIOTYPE|STRAND">',
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tT",
        f"chr2\t29223528\ti\tN\t<INV>\t9\tPASS\t{inverted}\tGT\t0/1",
        f"chr14\t105864000\ta\tN\tN[chr18:63126000[\t9\tPASS\tSVTYPE=BND;MATEID=b;CSQ={gene('IGHJ6', -1)}\tGT\t0/1",
        f"chr18\t63126000\tb\tN\t]chr14:105864000]N\t9\tPASS\tSVTYPE=BND;MATEID=a;CSQ={gene('BCL2', -1)}\tGT\t0/1",
    )
    assert pairs(fusions.read(write(tmp_path / "sv.vcf", *lines)), "T") == {("EML4", "ALK"), ("IGH", "BCL2")}


def test_ericscript_names_the_five_prime_gene_first(tmp_path):
    path = write(tmp_path / "S1.tsv", "GeneName1\tGeneName2\tchr1\tchr2\tEricScore", "EML4\tALK\t2\t2\t0.9")
    assert pairs(fusions.read(path), "S1") == {("EML4", "ALK")}


def test_foundations_rearrangements_without_another_gene_are_fusions_only_where_they_say_so(tmp_path):
    lines = ("SAMPLE,TARGETED-GENE,OTHER-GENE,TYPE", "A,ALK,EML4,fusion", "B,RET,N/A,rearrangement",
             "C,BRCA2,N/A,deletion")  # fmt: skip
    file = fusions.read(write(tmp_path / "rearrangements.csv", *lines))
    assert (pairs(file, "A"), pairs(file, "B"), pairs(file, "C")) == ({("EML4", "ALK")}, {(None, "RET")}, set())
    assert file.account.left_out == {"within one gene": 1}
