"""Copy number, fusions and karyotypes in the wordings of pathologists, tumour boards and sequencing reports."""

import pytest

from tests.test_free_text import check, facts, problems, read


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("hemizygous CDKN2A deletion", "lost CDKN2A"),
        ("heterozygous CDKN2A/B deletion", "lost CDKN2A; lost CDKN2B"),
        ("monoallelic TP53 loss", "lost TP53"),
        ("CDKN2A loss (hemizygous), RB1 loss (1 copy)", "lost CDKN2A; lost RB1"),
        ("homozygous CDKN2A deletion", "deleted CDKN2A"),
        ("heterozygous TP53 R175H", "TP53 R175H"),
        ("hom. del. CDKN2A; CDKN2B hom. deleted", "deleted CDKN2A; deleted CDKN2B"),
        ("CDKN2A log2 = -2.5, RB1 (log2: -0.6)", "deleted CDKN2A; lost RB1"),
        ("EGFR log2 ratio 1.2, MYC log2 0.4, KIT log2=0.01", "amplified EGFR; gained MYC; unaltered KIT"),
        ("CDKN2A-del, TP53-mut", "deleted CDKN2A; TP53 missense"),
        ("amplified MDM2, CDK4, HMGA2; deleted CDKN2A, MTAP", "amplified MDM2; amplified CDK4; amplified HMGA2; "
         "deleted CDKN2A; deleted MTAP"),
        ("FGF3/4/19 amp, CCND1/FGF3 amp", "amplified FGF3; amplified FGF4; amplified FGF19; amplified CCND1"),
        ("MDM2 FISH positive, HER2 2+/FISH+", "amplified MDM2; amplified ERBB2"),
        ("HER2 gene copy number 5.1, ratio 2.5", "amplified ERBB2"),
        ("loss of MLH1, PMS2 and MSH6 expression; loss of nuclear BAP1", ""),
    ],
)  # fmt: skip
def test_how_many_copies_of_a_gene_are_left_is_read_from_the_words_around_it(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("CALR type 1, TET2 Q916*", "CALR frameshift; TET2 Q916*"),
        ("NPM1 mutation type A", "NPM1 frameshift"),
        ("NPM1 type A (W288fs)", "NPM1 W288fs"),
        ("CALR 52-bp deletion", "CALR frameshift"),
        ("EGFR 15 bp deletion in exon 19", "EGFR inframe"),
        ("NPM1 4bp insertion", "NPM1 frameshift"),
        ("EGFRvII, EGFR variant II", "EGFR inframe"),
        ("FLT3 ITD+", "FLT3 inframe"),
        ("FLT3 ITD-; NPM1 W288fs", "NPM1 W288fs"),
        ("FLT3-ITD-positive", "FLT3 inframe"),
        ("HER2 exon 20 YVMA insertion", "ERBB2 inframe"),
        ("MET-MET.M13M15", "MET X_splice"),
        ("BCR-ABL1 T315I", "BCR-ABL1; ABL1 T315I"),
        ("FGFR2-BICC1 with N550K mutation", "FGFR2-BICC1; FGFR2 N550K"),
        ("KIT exon 11 deletion, BRAF kinase domain duplication", "KIT inframe; BRAF inframe"),
    ],
)
def test_named_and_measured_changes_of_a_gene_are_small_mutations(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("+(1q), -(17p)", "1q 1; 17p -1"),
        ("Chr7 gain/Chr10 loss", "7p 1; 7q 1; 10p -1; 10q -1"),
        ("LOSS OF 3P, 1P/19Q CODELETION", "3p -1; 1p -1; 19q -1"),
        ("DEL(17P), Del(5q)", "17p -1; 5q -1"),
        ("del17p, i17q", "17p -1; 17q 1"),
        ("KRAS i17q", "KRAS I17Q"),
        ("tri(12), trisomy 7/17", "12p 1; 12q 1; 7p 1; 7q 1; 17p 1; 17q 1"),
        ("intact 1p/19q, retained 3p", "1p 0; 19q 0; 3p 0"),
        ("loss of chromosomes 1, 21, Y", "1p -1; 1q -1; 21q -1"),
        ("46,XY,idic(17)(p11.2)", "17q 1; 17p -1"),
        ("chr 7 log2 0.4", "7p 1; 7q 1"),
    ],
)
def test_arms_are_read_in_every_spelling_of_a_karyotype(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("t(9:22), t(15,17)", "BCR-ABL1; PML-RARA"),
        ("T(11;14); t8;21; inv16", "IGH-CCND1; RUNX1-RUNX1T1; CBFB-MYH11"),
        ("translocation (11;14), inversion of chromosome 16", "IGH-CCND1; CBFB-MYH11"),
        ("translocation between chromosomes 9 and 22", "BCR-ABL1"),
        ("46,XX,der(22)t(9;22)(q34;q11.2)", "BCR-ABL1"),
        ("ider(22)(q10)t(9;22)(q34;q11.2)", "BCR-ABL1"),
        ("t(2;13)(q36;q14)", "PAX3-FOXO1"),
        ("t(9;22)(p13;q13)", ""),
        ("nuc ish(ABL1,BCR)x3(ABL1 con BCRx2)[180/200]", ""),
        ("46,XX,der(7)t(1;7)(p22;q22)", ""),
    ],
)
def test_translocations_are_read_in_every_spelling_of_a_karyotype(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("CALM-AF10, NUP98-JARID1A, JAZF1-JJAZ1", "PICALM-MLLT10; NUP98-KDM5A; JAZF1-SUZ12"),
        ("ZNF198-FGFR1, MOZ-TIF2, EWS-CHN", "ZMYM2-FGFR1; KAT6A-NCOA2; EWSR1-NR4A3"),
        ("Philadelphia-positive ALL", "BCR-ABL1"),
        ("TMPRSS2:ERG (T1-E4)", "TMPRSS2-ERG"),
        ("CD74-ROS1 (C6;R34)", "CD74-ROS1"),
        ("EML4-ALK, E6;A20", "EML4-ALK"),
        ("EML4::ALK (EML4 exon 6; ALK exon 20)", "EML4-ALK"),
        ("ETV6::NTRK3 fusion, ETV6 exon 5, NTRK3 exon 15", "ETV6-NTRK3"),
        ("KIF5B(NM_004521.2)-RET(NM_020975.4) fusion", "KIF5B-RET"),
        ("EML4-ALK.E13A20.AB374361", "EML4-ALK"),
        ("EML4→ALK", "EML4-ALK"),
        ("EML4 and ALK fusion", "EML4-ALK"),
        ("ALK and ROS1 fusions", "?-ALK; ?-ROS1"),
        ("EWSR1::? fusion, unknown::ALK, ?-RET", "EWSR1-?; ?-ALK; ?-RET"),
        ("NTRK3 fusion (partner not identified)", "?-NTRK3"),
        ("ROS1 rearrangement; partner gene: CD74", "CD74-ROS1"),
        ("KMT2Ar", "KMT2A-?"),
        ("EWSR1 FISH positive; FISH for SS18: positive", "EWSR1-?; SS18-?"),
        ("SS18 FISH negative", "screened"),
        ("IGλ-MYC", "IGL-MYC"),
    ],
)
def test_fusions_are_read_in_every_spelling(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    "text",
    [
        "no fusions detected",
        "No clinically relevant gene fusions were detected.",
        "Fusions: none",
        "Fusions:\nnone detected",
        "fusion panel negative",
        "fusion-negative rhabdomyosarcoma",
        "no gene rearrangements identified",
        "no mutations or fusions detected",
    ],
)
def test_no_fusions_says_that_fusions_were_looked_for(text):
    check(f"{text}; KRAS G12D", "screened; KRAS G12D")


@pytest.mark.parametrize("text", ["fusions not tested", "fusion analysis failed", "fusion status unknown"])
def test_fusions_that_were_not_looked_for_remain_unknown(text):
    check(f"{text}; KRAS G12D", "KRAS G12D")


def test_a_pair_of_the_same_gene_is_no_fusion():
    assert facts(read("MET-MET")) == set()
    assert "within one gene" in problems("MET-MET")[0]


def test_a_burden_may_have_a_decimal_comma():
    check("TMB 4,5 mut/Mb", "mutations_per_megabase 4.5")
