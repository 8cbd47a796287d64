"""Free text: mutations, copy number, fusions and findings as people and clinical reports write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cancertype.alterations.known_fusions import fusion_of, in_usual_order, with_unknown_partner
from cancertype.alterations.schema import ARM_CALLS, ARMS, FUSIONS, GENE_CALLS
from cancertype.package_data import rows
from cancertype.sources import free_text, report_lines
from cancertype.sources.karyotype import arms_of
from cancertype.sources.report_words import Kind, classify
from cancertype.variants.cases import SourceTables
from cancertype.variants.coding_changes import coding_consequence
from cancertype.variants.gene_aliases import gene_aliases
from cancertype.variants.genes import known_genes
from cancertype.variants.schema import SCHEMA

LEVELS = {"amplified": 2, "gained": 1, "unaltered": 0, "lost": -1, "deleted": -2}


def read(text: str) -> SourceTables:
    return free_text.read(text.split("\n"))[0]


def problems(text: str) -> list[str]:
    return [problem.what for problem in free_text.read(text.split("\n"))[1]]


def facts(tables: SourceTables, case_id: str | None = None) -> set[str]:
    """All that was read of a case (of all cases where none is named), one short phrase each."""

    def of(table) -> list[dict]:
        return [row for row in table.to_pylist() if case_id in (None, row["case_id"])]

    found = set()
    for row in of(tables.variants):
        found.add(f"{row['gene']} {row['protein_change'] or row['consequence']}")
    alterations = tables.alterations
    names = {level: name for name, level in LEVELS.items()}
    found |= {f"{names[row['call']]} {row['gene']}" for row in of(alterations.genes)}
    found |= {f"{row['arm']} {row['call']}" for row in of(alterations.arms)}
    found |= {f"{row['five_prime'] or '?'}-{row['three_prime'] or '?'}" for row in of(alterations.fusions)}
    for case, values in alterations.findings.items():
        found |= {f"{name} {value}" for name, value in values.items() if case_id in (None, case)}
    if case_id in alterations.screened_for_fusions or (case_id is None and alterations.screened_for_fusions):
        found.add("screened")
    return found


def expected(text: str) -> set[str]:
    return {phrase.strip() for phrase in text.split(";") if phrase.strip()}


def check(text: str, phrases: str) -> None:
    assert facts(read(text)) == expected(phrases)


# --- Small mutations ---


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("braf v600e; cdkn2a p.Arg80Ter", "BRAF V600E; CDKN2A R80*"),
        ("BRAF:p.V600E CDKN2A(R80*)", "BRAF V600E; CDKN2A R80*"),
        ("BRAF-V600E\nCDKN2A R80X", "BRAF V600E; CDKN2A R80*"),
        ("BRAF V600E (c.1799T>A) and CDKN2A R80* mutation", "BRAF V600E; CDKN2A R80*"),
        ("APC stop, KEAP1 fs, MET splice, TTN", "APC nonsense; KEAP1 frameshift; MET X_splice; TTN missense"),
        ("TP53 R175H, R273H", "TP53 R175H; TP53 R273H"),
        ("MLL2 Q5*", "KMT2D Q5*"),
        ("TP53 A2M, A2M", "TP53 A2M; A2M missense"),
        ("MLL2 (KMT2D) R5154*", "KMT2D R5154*"),
        ("KRAS G12D missense mutation, APC E1309fs frameshift", "KRAS G12D; APC E1309fs"),
        ("KRAS,G12D\nTP53,R175H", "KRAS G12D; TP53 R175H"),
        ("KRAS;G12D\nTP53;R175H", "KRAS G12D; TP53 R175H"),
        ("KRAS\nG12D\nTP53\nR175H", "KRAS G12D; TP53 R175H"),
        ("Gene: BRAF\nVariant: V600E\nVAF: 45%", "BRAF V600E"),
        ("BRAF p.(Val600Glu), KRAS G12D", "BRAF V600E; KRAS G12D"),
        ("EGFR exon 21 L858R", "EGFR L858R"),
        ("V600E mutation in BRAF, TP53 R175H", "BRAF V600E; TP53 R175H"),
        ("EGFR L858R/T790M", "EGFR L858R; EGFR T790M"),
        ("EGFR L858R and T790M", "EGFR L858R; EGFR T790M"),
        ("KRAS - G12D\nBRAF‑V600E\nNRAS – Q61R", "KRAS G12D; BRAF V600E; NRAS Q61R"),
        ("APC stop gain, KEAP1 stop gained", "APC nonsense; KEAP1 nonsense"),
        ("EGFR p.E746_A750del (exon 19 deletion), TP53 R175H", "EGFR E746_A750del; TP53 R175H"),
        ("EGFR E746-A750del, KIT delW557_K558", "EGFR E746_A750del; KIT W557_K558del"),
        ("BRAF:NM_004333:exon15:c.1799T>A:p.V600E", "BRAF V600E"),
        ("NM_004333.4(BRAF):c.1799T>A (p.Val600Glu)", "BRAF V600E"),
        ("KRAS G12D (45%), TP53 R175H VAF: 0.34, APC R1450* x2", "KRAS G12D; TP53 R175H; APC R1450*"),
        ("EGFR L858R - osimertinib 80 mg, tier IA, pathogenic", "EGFR L858R"),
        ("Gene   Variant   VAF\nTP53   R175H   34%\nKRAS\tG12D\t12%", "TP53 R175H; KRAS G12D"),
        ("BRAFV600E, PIK3CAH1047R, KITD816V", "BRAF V600E; PIK3CA H1047R; KIT D816V"),
        ("p53 R175H, c-KIT D816V, K-RAS G12D, HER2 S310F", "TP53 R175H; KIT D816V; KRAS G12D; ERBB2 S310F"),
        ("braf v600e and kras g12d with Tp53 R175H", "BRAF V600E; KRAS G12D; TP53 R175H"),
        ("chr7 140453136 A T BRAF V600E", "BRAF V600E"),
        ("1. KRAS G12D\n2) TP53 R175H\n• APC R1450*\n- SMAD4 R361H", "KRAS G12D; TP53 R175H; APC R1450*; SMAD4 R361H"),
        ("KRAS p.G12D|TP53 p.R175H", "KRAS G12D; TP53 R175H"),
        ("APC p.Arg1450Ter, TP53 R213Stop", "APC R1450*; TP53 R213*"),
        ("APC c.3927_3931delAAAGA p.(Glu1309Aspfs*4)", "APC E1309fs"),
        ("FLT3-ITD, NPM1 W288fs", "FLT3 inframe; NPM1 W288fs"),
        ("KMT2A-PTD; MLL PTD", "KMT2A inframe"),
        ("EGFR exon 19 deletion, ERBB2 exon 20 insertion", "EGFR inframe; ERBB2 inframe"),
        ("EGFR ex19del, METex14 skipping", "EGFR inframe; MET X_splice"),
        ("CALR exon 9 mutation", "CALR frameshift"),
        ("TP53, TP53 R175H", "TP53 R175H"),
        ("TP53 Frame_Shift_Del, APC Nonsense_Mutation", "TP53 frameshift; APC nonsense"),
        ("CDKN2A p16INK4a R80* and p14ARF P94L", "CDKN2A R80*"),
        ("SET R175H was found", "SET R175H"),
        ("none", ""),
        ("No mutations detected", ""),
    ],
)
def test_mutations_are_read_as_people_write_them(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("TP53 c.524delG, VHL c.340+1G>A, BRCA1 c.68_69delAG", "TP53 frameshift; VHL X_splice; BRCA1 frameshift"),
        ("EGFR c.2236_2250del", "EGFR inframe"),
        ("BRAF c.1799T>A", "BRAF missense"),
        ("TP53 splice site 375+1G>A", "TP53 X_splice"),
        ("TERT C228T, BRAF V600E; TERT c.-124C>T", "BRAF V600E"),
        ("TERT C250T, TERT c.-146C>T, TERT promoter mutation, TERT promoter -124C>T", ""),
        ("VHL c.340+5G>A, TP53 c.*32A>G", ""),
    ],
)
def test_coding_dna_notation_gives_the_consequence_that_it_states(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("notation", "consequence"),
    [
        ("c.375+1G>T", "splice"),
        ("c.376-2A>G", "splice"),
        ("c.375+5G>A", "non-coding"),
        ("c.68_69del", "frameshift"),
        ("c.5266dupC", "frameshift"),
        ("c.2237_2255delinsT", "inframe"),
        ("c.1234_1235insTTT", "inframe"),
        ("c.1621_1632del12", "inframe"),
        ("c.1A>G", "start_lost"),
        ("c.1799T>A", "unknown"),
        ("c.T1799A", "unknown"),
        ("c.-124C>T", "promoter"),
        ("c.-5G>A", "non-coding"),
        ("c.*32A>G", "non-coding"),
        ("c.4186-10_4190del", "splice"),
        ("V600E", None),
        ("c.", None),
    ],
)
def test_a_coding_change_has_one_consequence(notation, consequence):
    assert coding_consequence(notation) == consequence


def test_a_promoter_change_is_left_out_with_its_reason():
    assert read("TERT C228T, BRAF V600E").account.left_out == {"promoter change": 1}


@pytest.mark.parametrize("text", ["NM_004333.4:c.1799T>A", "7:g.140453136A>T", "c.1799T>A", "V600E, KRAS G12D"])
def test_a_change_without_a_gene_is_reported(text):
    tables = read(text)
    assert tables.account.not_understood == {"a change without a gene": 1}
    assert any("stands behind no known gene" in what for what in problems(text))
    assert facts(tables) <= {"KRAS G12D"}


# --- Negation ---


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("WT: TP53, KRAS", ""),
        ("TP53 R175H. No mutation in KRAS, NRAS, BRAF.", "TP53 R175H"),
        ("negative for EGFR, ALK and ROS1", ""),
        ("negative for EGFR, ALK and ROS1, KRAS G12C", "KRAS G12C"),
        ("EGFR, KRAS, BRAF wild type; TP53 R175H", "TP53 R175H"),
        ("TP53: not detected", ""),
        ("KRAS/NRAS/BRAF: no mutation detected", ""),
        ("KRAS G12D, no EGFR L858R, TP53 R175H", "KRAS G12D; TP53 R175H"),
        ("KRAS G12D, EGFR wild type", "KRAS G12D"),
        ("KRAS wild-type, NRAS wild-type, TP53 R175H", "TP53 R175H"),
        ("KRAS wt NRAS wt BRAF V600E", "BRAF V600E"),
        ("IDH-wildtype, RAS wt, EGFR A289V", "EGFR A289V"),
        ("wild type TP53 and KRAS", ""),
        ("Neither KRAS nor NRAS mutated", ""),
        ("NO MUTATION WAS DETECTED IN KRAS, NRAS OR BRAF", ""),
        (
            "No pathogenic variants were detected in KRAS,\nNRAS or BRAF. A TP53 p.R175H mutation was found.",
            "TP53 R175H",
        ),
        ("No pathogenic SNVs, indels, or copy number changes found in: BRAF, KRAS, NRAS", ""),
        ("EGFR L858R and KRAS G12C were not detected; TP53 R175H", "TP53 R175H"),
        ("TP53 R175H detected, KRAS G12D not detected", "TP53 R175H"),
        ("BRAF V600E negative, TP53 R175H positive", "TP53 R175H"),
        ("Detected: BRAF V600E\nNot detected: NRAS, KIT", "BRAF V600E"),
        ("Wild type:\nKRAS\nNRAS\n\nTP53 R175H", "TP53 R175H"),
        ("No mutations except TP53 R175H", "TP53 R175H"),
        ("no alterations in ALK, ROS1 or RET but EGFR L858R", "EGFR L858R"),
        ("KRAS: not tested, TP53 R175H", "TP53 R175H"),
        ("EGFR and ALK not tested; KRAS G12D", "KRAS G12D"),
        ("Genes tested: ABL1, AKT1, ALK, APC\nKRAS G12D", "KRAS G12D"),
        ("The following genes were analyzed: KRAS, NRAS. No mutations were detected.", ""),
        ("BRAF V600E. Cetuximab is not recommended in patients with KRAS mutations.", "BRAF V600E"),
        ("Loss of PTEN is associated with poor survival; TP53 R175H", "TP53 R175H"),
        ("HER2 not amplified, ESR1 D538G", "unaltered ERBB2; ESR1 D538G"),
        ("no amplification of ERBB2", "unaltered ERBB2"),
        ("MYC amplification not detected; TP53 R248W", "unaltered MYC; TP53 R248W"),
        ("no ALK, ROS1 or RET fusion detected; KRAS G12C", "screened; KRAS G12C"),
        ("NTRK1/2/3 fusion not detected", "screened"),
        ("ALK not rearranged", "screened"),
        ("no 1p/19q codeletion", "1p 0; 19q 0"),
        ("1p/19q intact", "1p 0; 19q 0"),
    ],
)
def test_a_negation_reaches_to_the_end_of_its_list_and_no_further(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("EGFR wild type", "negated"),
        ("BRCA1 E23fs (germline)", "inherited (germline)"),
        ("Germline: BRCA2 S1982fs", "inherited (germline)"),
        ("TP53 p.R72=", "silent"),
        ("EGFR Q787Q", "silent"),
        ("TP53 c.672+9A>G", "outside the coding sequence"),
        ("copy-neutral LOH of 17p", "copy-neutral"),
        ("KRAS not tested", "not tested"),
        ("ERBB2 amplification - equivocal", "uncertain"),
        ("MGMT promoter methylated", "methylation"),
        ("PD-L1 TPS 50%", "protein or RNA expression"),
        ("loss of MLH1 expression", "protein or RNA expression"),
        ("HPV positive", "a marker that is not used"),
        ("loss of 9p21", "band"),
        ("loss of Y", "sex chromosome or arm without genes"),
    ],
)
def test_what_does_not_count_is_left_out_with_its_reason(text, reason):
    tables = read(f"{text}; KRAS G12D")
    assert facts(tables) == {"KRAS G12D"}
    assert tables.account.left_out == {reason: 1}
    assert problems(f"{text}; KRAS G12D")


def test_germline_findings_below_a_heading_do_not_count():
    text = "Somatic\nKRAS G12D\nGermline - Pathogenic\nBRCA2 S1982fs\nImmunotherapy markers\nTMB 4 mut/Mb"
    assert facts(read(text)) == {"KRAS G12D", "mutations_per_megabase 4.0"}


# --- Copy number, fusions, findings ---


PHRASES = [
    ("EGFR amplification, CDKN2A/B homozygous deletion", "amplified EGFR; deleted CDKN2A; deleted CDKN2B"),
    ("ERBB2 amp (CN 14), TP53 R175H", "amplified ERBB2; TP53 R175H"),
    ("HER2 amplified", "amplified ERBB2"),
    ("PTEN loss", "deleted PTEN"),
    ("MYC gain", "gained MYC"),
    ("MTAP loss, CDKN2A p16INK4a loss, CDKN2B loss", "deleted MTAP; deleted CDKN2A; deleted CDKN2B"),
    ("TMPRSS2-ERG fusion, SPOP F133L", "TMPRSS2-ERG; SPOP F133L"),
    ("EML4::ALK", "EML4-ALK"),
    ("EML4-ALK variant 3a/b", "EML4-ALK"),
    ("RET CCDC6-RET fusion", "CCDC6-RET"),
    ("EWSR1 rearrangement", "EWSR1-?"),
    ("+7/-10", "7p 1; 7q 1; 10p -1; 10q -1"),
    (
        "gain of chromosome 7 and loss of chromosome 10, TERT promoter mutation",
        "7p 1; 7q 1; 10p -1; 10q -1",
    ),
    ("1p/19q co-deletion, IDH1 R132H", "1p -1; 19q -1; IDH1 R132H"),
    ("loss of 3p, VHL L89P", "3p -1; VHL L89P"),
    ("isochromosome 12p", "12p 1"),
    ("monosomy 3, GNAQ Q209L", "3p -1; 3q -1; GNAQ Q209L"),
    ("EGFRvIII", "EGFR inframe"),
    ("no ALK, ROS1 or RET fusion detected; KRAS G12C", "screened; KRAS G12C"),
    ("HER2 not amplified, ESR1 D538G", "unaltered ERBB2; ESR1 D538G"),
    ("BRCA2 loss exons 3-5", "BRCA2 frameshift"),
    ("MET exon 14 skipping", "MET X_splice"),
    ("MSI-high, TMB 45 mut/Mb", "msi high; mutations_per_megabase 45.0"),
    ("copy-neutral LOH of 17p", ""),
]
"""The 24 phrases of reports that this reader was specified with."""


@pytest.mark.parametrize(("text", "phrases"), PHRASES)
def test_the_phrases_of_reports_have_the_right_reading(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("MYC and EGFR amplification", "amplified MYC; amplified EGFR"),
        ("CDK4, MDM2 and FRS2 amplification", "amplified CDK4; amplified MDM2; amplified FRS2"),
        ("TP53, MDM2 amplification", "TP53 missense; amplified MDM2"),
        ("amplification of EGFR, MYC and CDK4", "amplified EGFR; amplified MYC; amplified CDK4"),
        ("Amplifications: EGFR, MYC\nDeletions: PTEN", "amplified EGFR; amplified MYC; deleted PTEN"),
        ("Amplifications:\nEGFR\nMYC", "amplified EGFR; amplified MYC"),
        ("loss of PTEN, TP53 R175H", "deleted PTEN; TP53 R175H"),
        ("EGFR copy number 14, MYC CN: 4, RB1 CN=0, TP53 CN 1", "amplified EGFR; gained MYC; deleted RB1; lost TP53"),
        ("PTEN heterozygous loss, RB1 shallow deletion, TP53 LOH", "lost PTEN; lost RB1; lost TP53"),
        ("SMARCB1 (INI1) loss, CD274 (PD-L1) amplification", "deleted SMARCB1; amplified CD274"),
        ("MTAP/CDKN2A/CDKN2B homozygous deletion", "deleted MTAP; deleted CDKN2A; deleted CDKN2B"),
        ("EGFR, EGFR amplification", "amplified EGFR"),
        ("HER2-positive, ALK negative", "amplified ERBB2; screened"),
        ("amplified EGFR; deleted CDKN2A; gains 7 19q; losses 9p 10", "amplified EGFR; deleted CDKN2A; 7p 1; 7q 1; "
         "19q 1; 9p -1; 10p -1; 10q -1"),
        ("CDKN2A/2B deletion, TP53 -/-", "deleted CDKN2A; deleted CDKN2B; deleted TP53"),
        ("TP53 deleted/mutated", "deleted TP53; TP53 missense"),
        ("ERBB2 3+, MYC amplified", "amplified MYC"),
        ("HLA-A R20*, NKX2-1 amplification, H3-3A K28M", "HLA-A R20*; amplified NKX2-1; H3-3A K28M"),
    ],
)  # fmt: skip
def test_amplified_and_deleted_genes_are_read(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("trisomy 12, 13q deletion, del(17p)", "12p 1; 12q 1; 13q -1; 17p -1"),
        ("gain of 13", "13q 1"),
        ("gains of chromosomes 7, 19 and 20", "7p 1; 7q 1; 19p 1; 19q 1; 20p 1; 20q 1"),
        ("loss of 1p, 3p and 9q", "1p -1; 3p -1; 9q -1"),
        ("1p and 19q loss", "1p -1; 19q -1"),
        ("1p/19q non-codeleted, disomy 3", "1p 0; 19q 0; 3p 0; 3q 0"),
        ("LOH 1p/19q", "1p -1; 19q -1"),
        ("17q gain, 1p deletion, MYCN amplification", "17q 1; 1p -1; amplified MYCN"),
        ("trisomies 4, 10 and 17", "4p 1; 4q 1; 10p 1; 10q 1; 17p 1; 17q 1"),
        ("47,XX,+8,del(5)(q13q33),-7", "8p 1; 8q 1; 5q -1; 7p -1; 7q -1"),
        ("i(12p)", "12p 1"),
        ("46,XY,i(17)(q10)", "17q 1; 17p -1"),
        ("der(1;19)(q10;p10)", "1p -1; 19q -1"),
        ("+8, -7, 1q+, 5q-", "8p 1; 8q 1; 7p -1; 7q -1; 1q 1; 5q -1"),
        ("extra copy of chromosome 8", "8p 1; 8q 1"),
        ("+7, del(7q)", "7p 1; 7q None"),
    ],
)
def test_gained_and_lost_arms_are_read(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("BCR/ABL1, BCR-ABL", "BCR-ABL1"),
        ("MLL-AF9", "KMT2A-MLLT3"),
        ("IGH-MYC; BCL2-IGH", "IGH-MYC; IGH-BCL2"),
        ("ALK-EML4", "EML4-ALK"),
        ("ALK rearranged, MYC rearrangement", "?-ALK; ?-MYC"),
        ("fusion of EML4 and ALK", "EML4-ALK"),
        ("ALK fusion with EML4", "EML4-ALK"),
        ("EML4 - ALK fusion", "EML4-ALK"),
        ("ALK (EML4-ALK) fusion", "EML4-ALK"),
        ("BRAF fusion (KIAA1549-BRAF)", "KIAA1549-BRAF"),
        ("TMPRSS2:ERG", "TMPRSS2-ERG"),
        ("Fusions: EML4-ALK, SYT-SSX", "EML4-ALK; SS18-SSX"),
        ("46,XY,t(9;22)(q34;q11.2)[20]", "BCR-ABL1"),
        ("t(9;22)(q22;q12)", "EWSR1-NR4A3"),
        ("t(15;17), inv(16)(p13.1q22), t(8;21)", "PML-RARA; CBFB-MYH11; RUNX1-RUNX1T1"),
        ("t(11;22), t(X;18), t(14;18), t(8;14)", "EWSR1-FLI1; SS18-SSX; IGH-BCL2; IGH-MYC"),
        ("t(11;14), t(2;5), t(12;21), t(2;13), t(12;16)", "IGH-CCND1; NPM1-ALK; ETV6-RUNX1; PAX3-FOXO1; FUS-DDIT3"),
        ("t(11;22)(p13;q12)", "EWSR1-WT1"),
        ("11q23 rearrangement", "KMT2A-?"),
        ("KMT2A rearranged, t(4;11)", "KMT2A-AFF1"),
        ("EML4-ALK fusion (E13;A20)", "EML4-ALK"),
        ("EML4(13)-ALK(20)", "EML4-ALK"),
    ],
)
def test_fusions_are_read_as_5_prime_and_3_prime_partner(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("CCNE1 x8", "amplified CCNE1"),
        ("FGFR1 x12, TP53 R175H", "amplified FGFR1; TP53 R175H"),
        ("ERBB2 (x10)", "amplified ERBB2"),
        ("ERBB2 \u00d710, MYC 9x, MET x 7", "amplified ERBB2; amplified MYC; amplified MET"),
        ("CCND1/FGF3/FGF4 x8", "amplified CCND1; amplified FGF3; amplified FGF4"),
        ("MYC x4, MET x5", "gained MYC; gained MET"),
        ("CDKN2A x0, PTEN x1", "deleted CDKN2A; lost PTEN"),
        ("MYC CN=9; EGFR CN>10; CDK4 CN~25; KIT CN9", "amplified MYC; amplified EGFR; amplified CDK4; amplified KIT"),
        ("MDM2 copy number 14, ERBB2 8 CN", "amplified MDM2; amplified ERBB2"),
        ("MYC copy number 8-10", "amplified MYC"),
        ("CDKN2A (-2), MYC (+2)", "deleted CDKN2A; amplified MYC"),
        ("CDKN2A homozygous deletion (-2)", "deleted CDKN2A"),
        ("CDKN2A HD", "deleted CDKN2A"),
        ("CDK4 high copy gain, MYC high-level copy-number gain", "amplified CDK4; amplified MYC"),
        ("HER2 amplified (ratio 5.2)", "amplified ERBB2"),
        ("HER2/CEP17 ratio 5.2", "amplified ERBB2"),
        ("MYC 10-fold", "amplified MYC"),
        ("11q13 amplification (CCND1, FGF3, FGF4)", "amplified CCND1; amplified FGF3; amplified FGF4"),
        ("12q amplification (MDM2, CDK4)", "12q 1; amplified MDM2; amplified CDK4"),
        ("amplification of 12q13-15 (MDM2, CDK4)", "amplified MDM2; amplified CDK4"),
        ("9p loss (CDKN2A, CDKN2B)", "9p -1"),
    ],
)
def test_copies_of_a_gene_are_read_however_they_are_written(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("TP53 x2", "TP53 missense"),
        ("TP53 R175H (x8)", "TP53 R175H"),
        ("TP53 mutation x3", "TP53 missense"),
        ("TP53 30x coverage", "TP53 missense"),
        ("gain of 7 (+7)", "7p 1; 7q 1"),
    ],
)
def test_a_number_that_counts_something_else_is_no_copy_number(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize("text", ["HER2 low", "MYC high", "MYC copy number high", "HER2/CEP17 ratio 1.1"])
def test_a_gene_of_which_no_event_is_stated_is_no_mutation(text):
    assert facts(read(text)) == set()
    assert "does not say what was found" in problems(text)[0]


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("ROS1 (CD74) fusion", "CD74-ROS1"),
        ("ALK (EML4) rearrangement, TP53 R175H", "EML4-ALK; TP53 R175H"),
        ("NTRK1 rearranged (TPM3)", "TPM3-NTRK1"),
        ("NTRK1 (partner: TPM3)", "TPM3-NTRK1"),
        ("ALK rearrangement, partner EML4", "EML4-ALK"),
        ("ALK fusion (EML4 partner)", "EML4-ALK"),
        ("EWSR1 (FLI1) translocation", "EWSR1-FLI1"),
        ("KMT2A (MLL) fusion (MLLT3)", "KMT2A-MLLT3"),
        ("BRAF (AGK) fusion, NTRK3 (ETV6) fusion", "AGK-BRAF; ETV6-NTRK3"),
        ("no ROS1 (CD74) fusion", "screened"),
        ("ALK (EML4) fusion not detected", "screened"),
        ("ALK rearrangement (FISH), KRAS G12C", "?-ALK; KRAS G12C"),
        ("MYC rearranged (BCL2 rearranged)", "?-MYC; ?-BCL2"),
        ("FGFR2 fusion, partner unknown", "FGFR2-?"),
        ("ZFTA-RELA fusion", "ZFTA-RELA"),
        ("ZFTA::RELA, C11orf95-RELA", "ZFTA-RELA"),
        ("YWHAE-NUTM2B, YWHAE-FAM22B", "YWHAE-NUTM2B"),
        ("double-hit lymphoma (MYC, BCL2)", "?-MYC; ?-BCL2"),
        ("Ph+", "BCR-ABL1"),
        ("Philadelphia chromosome positive", "BCR-ABL1"),
        ("Philadelphia chromosome negative", "screened"),
        ("BCR/ABL1-positive, TMPRSS2::ERG-positive", "BCR-ABL1; TMPRSS2-ERG"),
        ("RET/PTC", "?-RET"),
        ("ALK FISH+", "?-ALK"),
        ("ALK FISH-negative", "screened"),
        ("SS18::SSX1/2", "SS18-?"),
        ("PAX3/7-FOXO1 fusion", "?-FOXO1"),
        ("PAX3/7::FOXO1", "?-FOXO1"),
    ],
)
def test_fusions_are_read_wherever_the_partner_stands(text, phrases):
    check(text, phrases)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("7 gain / 10 loss", "7p 1; 7q 1; 10p -1; 10q -1"),
        ("chr 7+ / chr 10-", "7p 1; 7q 1; 10p -1; 10q -1"),
        ("combined gain of 7 and loss of 10", "7p 1; 7q 1; 10p -1; 10q -1"),
        ("gain of the long arm of chromosome 1", "1q 1"),
        ("chromosome 3 short arm loss", "3p -1"),
        ("loss of the short arms of chromosomes 1 and 3", "1p -1; 3p -1"),
        ("gain of 7 and loss of the short arm of chromosome 3", "7p 1; 7q 1; 3p -1"),
        ("chromosome 7 trisomy, polysomy 8", "7p 1; 7q 1; 8p 1; 8q 1"),
        ("whole-arm loss of 1p and 19q", "1p -1; 19q -1"),
        ("-7/7q-", "7p -1; 7q -1"),
        ("chr7+, chr10-", "7p 1; 7q 1; 10p -1; 10q -1"),
    ],
)
def test_arms_are_read_however_the_chromosome_is_named(text, phrases):
    check(text, phrases)


def test_the_line_of_a_statement_behind_a_fusion_with_its_partner_in_brackets():
    tables = read("ROS1 (CD74) fusion,\nKRAS G12D")
    assert [each["line"] for each in tables.notes["statements"]] == [1, 2]


def test_a_translocation_with_other_breakpoints_is_not_guessed():
    tables = read("t(9;22)(p13;q13)")
    assert facts(tables) == set()
    assert tables.account.left_out == {"band": 1}


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        (
            "Microsatellite status: MS-Stable\nTumor Mutational Burden: 4 Muts/Mb",
            "msi stable; mutations_per_megabase 4.0",
        ),
        ("MSI: stable; TMB: low, 4 mut/Mb", "msi stable; mutations_per_megabase 4.0"),
        ("MSS, TMB 3.2 m/MB", "msi stable; mutations_per_megabase 3.2"),
        (
            "TMB 12 mutations per megabase. Microsatellite instability-high.",
            "msi high; mutations_per_megabase 12.0",
        ),
        ("MSI-High NOT DETECTED", ""),
        ("TMB-high", ""),
    ],
)
def test_findings_about_the_whole_tumour_are_kept(text, phrases):
    check(text, phrases)


def test_a_text_of_alterations_alone_is_a_case():
    tables = read("EGFR amplification, +7/-10")
    assert (tables.cases.num_rows, tables.variants.num_rows) == (1, 0)
    assert tables.alterations.genes.schema == GENE_CALLS
    assert tables.alterations.arms.schema == ARM_CALLS
    assert tables.alterations.fusions.schema == FUSIONS


# --- Samples and reports ---


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("patient 1: KRAS G12D\nTP53 R175H\npatient 2:\nBRAF: V600E", {
            "patient 1": "KRAS G12D; TP53 R175H", "patient 2": "BRAF V600E"}),
        ("C1: KRAS G12D\nC2: BRAF V600E", {"C1": "KRAS G12D", "C2": "BRAF V600E"}),
        ("C1: KRAS G12D\nC2: none\nF2: BRAF V600E\nAR: TP53 R175H", {
            "C1": "KRAS G12D", "C2": "", "F2": "BRAF V600E", "AR": "TP53 R175H"}),
        ("HeLa: PIK3CA E545K\nA549: CDKN2A loss", {"HeLa": "PIK3CA E545K", "A549": "deleted CDKN2A"}),
        ("Smith: KRAS G12D\nJones: no mutations", {"Smith": "KRAS G12D", "Jones": ""}),
        ("S1 KRAS G12D\nS2 BRAF V600E\nS2 TP53 R175H", {"S1": "KRAS G12D", "S2": "BRAF V600E; TP53 R175H"}),
        ("S1,KRAS,G12D\nS2,BRAF,V600E", {"S1": "KRAS G12D", "S2": "BRAF V600E"}),
        ("Sample;Gene;Protein\nS1;KRAS;G12D\nS2;BRAF;V600E", {"S1": "KRAS G12D", "S2": "BRAF V600E"}),
        ("Case 1\nKRAS G12D\nCase 2\nBRAF V600E", {"Case 1": "KRAS G12D", "Case 2": "BRAF V600E"}),
        ("BRAF: V600E\nTP53: R175H", {"text": "BRAF V600E; TP53 R175H"}),
        ("BRAF:p.V600E\nTP53:p.R175H", {"text": "BRAF V600E; TP53 R175H"}),
        ("7:g.140453136A>T BRAF V600E", {"text": "BRAF V600E"}),
        ("Mutations: KRAS G12D\nCNV: MYC amplification\nFusions: none", {
            "text": "KRAS G12D; amplified MYC; screened"}),
        ("kidney: VHL S65*\nlung: KRAS G12C", {"kidney": "VHL S65*", "lung": "KRAS G12C"}),
        ("Melanoma: BRAF V600E\ncolorectal cancer: KRAS G12C", {
            "Melanoma": "BRAF V600E", "colorectal cancer": "KRAS G12C"}),
        ("kidney: VHL S65*, TP53 R175H", {"text": "TP53 R175H; VHL S65*"}),
        ("breast: PIK3CA H1047R\nbreast: TP53 R175H", {"text": "PIK3CA H1047R; TP53 R175H"}),
        ("Specimen: kidney\nVHL S65*\nLiver: no metastasis", {"text": "VHL S65*"}),
    ],
)  # fmt: skip
def test_samples_are_told_apart_by_the_whole_text(text, samples):
    tables = read(text)
    assert tables.cases["case_id"].to_pylist() == list(samples)
    assert {name: facts(tables, name) for name in samples} == {name: expected(said) for name, said in samples.items()}


REPORTS = {
    "FoundationOne": (
        "Patient: female 62 y\nDisease: Unknown primary carcinoma (NOS)\nMicrosatellite status: MS-Stable\n"
        "Tumor Mutational Burden: 4 Muts/Mb\nGenomic Findings:\nEGFR L858R\nTP53 splice site 375+1G>A\n"
        "ERBB2 amplification\nPTEN loss exons 3-5\nALK EML4-ALK fusion (Variant 1)\n"
        "Disease relevant genes with no reportable alterations: KRAS, BRAF, ROS1, MET\n"
        "Variants of unknown significance: ATM S1400L, NOTCH1 R912W",
        "msi stable; mutations_per_megabase 4.0; EGFR L858R; TP53 X_splice; amplified ERBB2; PTEN frameshift; "
        "EML4-ALK; ATM S1400L; NOTCH1 R912W",
    ),
    "Tempus": (
        "Tempus xT\nPatient: Jane Doe   Date of Birth: 01/02/1960\nDiagnosis: Lung adenocarcinoma\nGENOMIC VARIANTS\n"
        "Somatic - Potentially Actionable\nEGFR p.L858R Missense variant (exon 21) - GOF  32.1%\n"
        "TP53 p.R175H Missense variant - LOF 45.2%\nCDKN2A Copy number loss\nMYC Copy number gain\n"
        "RB1 p.R320* Stop gain - LOF 22%\nPertinent Negatives\n"
        "No pathogenic single nucleotide variants, indels, or copy number changes found in: BRAF, KRAS, NRAS\n"
        "Tumor Mutational Burden 3.2 m/MB 45th percentile\nMicrosatellite Instability Status Stable",
        "EGFR L858R; TP53 R175H; deleted CDKN2A; gained MYC; RB1 R320*; mutations_per_megabase 3.2; msi stable",
    ),
    "Caris": (
        "Biomarker\tMethod\tResult\nKRAS\tNGS\tMutation Not Detected\nTP53\tNGS\tPathogenic Variant Exon 5 p.R175H\n"
        "MSI\tNGS\tStable\nTMB\tNGS\tLow, 4 mut/Mb\nERBB2 (Her2/Neu)\tIHC\tNegative 0\n"
        "ALK\tRNA-seq\tFusion Not Detected\nPTEN\tIHC\tPositive\nCCND1\tCNA\tAmplified",
        "TP53 R175H; msi stable; mutations_per_megabase 4.0; unaltered ERBB2; screened; amplified CCND1",
    ),
    "Guardant": (
        "GUARDANT360\nEGFR L858R    12.3%   osimertinib\nEGFR Amplification   Medium (++)\nALK   Not Detected\n"
        "MET amplification High (+++) Plasma copy number: 3.2\nTP53 R175H  0.3% cfDNA",
        "EGFR L858R; amplified EGFR; amplified MET; TP53 R175H",
    ),
    "prose": (
        "The tumor harbors a KRAS G12C mutation and STK11 loss. No EGFR, ALK or ROS1 alterations were found. "
        "PD-L1 TPS 1%.",
        "KRAS G12C; deleted STK11",
    ),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_one_sample(name):
    text, phrases = REPORTS[name]
    tables = read(text)
    assert tables.cases["case_id"].to_pylist() == ["text"]
    assert facts(tables) == expected(phrases)


# --- The account ---


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("KRAS G12D, banana", "'banana' is no gene symbol"),
        ("KRAS G12D, TP53 banana", "TP53 is not counted either"),
        ("KRAS G12D, EGFR WT", "'EGFR WT' says that there is none"),
        ("KRAS G12D, no EGFR L858R", "'no EGFR L858R' says that there is none"),
        ("V600E, KRAS G12D", "'V600E' stands behind no known gene"),
        ("KRAS G12D, TP53 p.R72=", "TP53 p.R72= is silent"),
        ("amplification; KRAS G12D", "names no gene and no chromosome"),
        ("KRAS G12D; RAS mutation", "write which gene it is"),
    ],
)
def test_what_is_not_understood_is_reported_and_not_counted(text, said):
    assert facts(read(text)) == {"KRAS G12D"}
    assert any(said in what for what in problems(text))


def test_a_change_behind_an_unknown_gene_is_not_given_to_the_gene_before_it():
    text = "KRAS G12D, BRAFF V600E, blah V600E"
    assert facts(read(text)) == {"KRAS G12D", "BRAFF V600E"}
    assert [what.split("'")[1] for what in problems(text)] == ["BRAFF", "blah", "V600E"]


def test_each_statement_is_shown_as_it_was_read():
    shown = read("TP53, KRAS G12D, EGFR wild type,\nbanana").notes["statements"]
    assert [(row["text"], row["reading"], row["line"]) for row in shown] == [
        ("TP53", "gene only", 1),
        ("KRAS G12D", "read", 1),
        ("EGFR wild type", "left out", 1),
        ("banana", "not understood", 2),
    ]


def test_statements_are_accounted_for_by_reason():
    tables = read("TP53, KRAS G12D, EGFR wild type, TERT promoter, banana")
    account = tables.account
    assert (account.unit, account.total, account.used) == ("statement", 5, 2)
    assert account.left_out == {"negated": 1, "promoter change": 1}
    assert sum(account.not_understood.values()) == 1
    assert {dropped.reason: dropped.n for dropped in tables.dropped} == account.left_out | account.not_understood


# --- Reference data ---


def test_every_alias_stands_for_genes_or_loci():
    loci = {"IGH", "IGK", "IGL", "TRA", "TRB", "TRD", "TRG", "SSX"}
    known = set(known_genes().values()) | loci
    unknown = {gene for genes in gene_aliases().values() for gene in genes} - known
    assert unknown <= {"DUX4", "MALAT1"}


def test_every_translocation_reads_as_its_fusion():
    for row in rows("alterations", "translocations.csv"):
        fusion = row["five_prime"] or None, row["three_prime"] or None
        assert fusion_of(row["event"], row["bands"]) == fusion
        if all(fusion):
            assert in_usual_order(fusion[1], fusion[0]) == fusion, "not in known_fusions.csv"


def test_no_pair_of_known_fusions_is_there_twice_in_the_same_order():
    pairs = [(row["five_prime"], row["three_prime"]) for row in rows("alterations", "known_fusions.csv")]
    assert len(pairs) == len(set(pairs))


def test_a_gene_takes_its_usual_side_beside_an_unknown_partner():
    assert with_unknown_partner("ALK") == (None, "ALK")
    assert with_unknown_partner("EWSR1") == ("EWSR1", None)


def test_every_word_of_the_lexicon_has_a_kind():
    for row in rows("sources", "report_words.csv"):
        assert row["kind"] == "ordinary" or row["kind"].upper() in Kind.__members__, row


def test_an_acrocentric_chromosome_has_one_arm():
    assert arms_of("13") == ("13q",)
    assert arms_of("13p") == ()
    assert {arm for chromosome in range(1, 23) for arm in arms_of(str(chromosome))} == set(ARMS)


def test_a_hyphenated_gene_is_no_fusion():
    for gene in ("HLA-A", "NKX2-1", "H3-3A"):
        (token,) = classify(gene)
        assert (token.kind, token.value) == (Kind.GENE, (gene,))


# --- Robustness ---

WORDS = [
    "BRAF",
    "V600E",
    "fs",
    "no",
    ":",
    ",",
    ";",
    "KRAS",
    "A2M",
    "p.G12D",
    "wt",
    "and",
    "or",
    "(",
    ")",
    "/",
    "-",
    "+",
    "7",
    "1p",
    "19q",
    "loss",
    "gain",
    "of",
    "amplification",
    "EML4-ALK",
    "fusion",
    "not\ndetected",
    "germline",
    "t(9;22)",
    "exon",
    "19",
    "deletion",
    "c.1799T>A",
    "TERT",
    "promoter",
    "TMB",
    "MSI-high",
    "negative",
    "for",
    "C1:",
    "patient",
    "1:",
    "\t",
    "|",
    ".",
    "%",
    "banana\nchromosome",
    "copy",
    "number",
    "in",
    "with",
    "EGFR::ALK",
    "IDH1/2",
    "KRAS,",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(WORDS)).map(" ".join))))
def test_free_text_never_fails_and_accounts_for_every_statement(lines):
    tables, found = free_text.read(lines)
    assert tables.variants.schema == SCHEMA
    cases = set(tables.cases["case_id"].to_pylist())
    for table in (tables.variants, tables.alterations.arms, tables.alterations.genes, tables.alterations.fusions):
        assert set(table["case_id"].to_pylist()) <= cases
    keys = [(row["case_id"], row["gene"]) for row in tables.alterations.genes.to_pylist()]
    assert len(keys) == len(set(keys))
    assert set(tables.alterations.arms["arm"].to_pylist()) <= set(ARMS)
    assert tables.account.total == len(tables.notes["statements"])
    assert all(1 <= problem.line <= len(lines) for problem in found)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["BRAF V600E", "TP53 R175H", "cdkn2a R80*", "APC E1309fs", "TP53 R72R", "TERT C228T", "A2M"])
    )
)
def test_plain_lists_read_the_same_with_and_without_the_fast_way(items):
    text = ", ".join(items)
    fast = free_text.read([text])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_lines, "plain_list", lambda text: None)
        slow = free_text.read([text])
    assert fast[0].variants.equals(slow[0].variants)
    assert fast[0].account == slow[0].account
    assert fast[0].notes == slow[0].notes


@pytest.mark.parametrize("unit", ["no EGFR, KRAS or ", "EGFR not detected, ", "(", "p.(", "t(1;", "EGFR-", "x", "a:"])
def test_a_long_line_of_anything_is_read(unit):
    assert free_text.read([unit * 5_000])[0].account.unit == "statement"
