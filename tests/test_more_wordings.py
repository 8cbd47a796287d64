"""Mutations in the wordings that people use: negations, inheritance, DNA notation, spellings, names of samples."""

import pytest

from cancertype.errors import InputError
from cancertype.prediction import inputs

ONE_SAMPLE = [
    ("KRAS, NRAS and BRAF: no mutation detected. TP53 R175H", "TP53 R175H"),
    ("KRAS/NRAS/BRAF wild-type; PIK3CA H1047R", "PIK3CA H1047R"),
    ("No pathogenic variants were identified in EGFR, KRAS, BRAF, or MET.", ""),
    ("EGFR: not detected\nKRAS: G12C detected\nBRAF: not detected", "KRAS G12C"),
    ("EGFR: negative\nALK: negative\nKRAS: p.G12C", "KRAS G12C"),
    ("Tested negative for mutations in BRCA1 and BRCA2; TP53 R248Q", "TP53 R248Q"),
    ("wildtype KRAS, wildtype NRAS, BRAF V600E", "BRAF V600E"),
    ("RAS wild type, BRAF V600E", "BRAF V600E"),
    ("KRASwt, BRAF V600E", "BRAF V600E"),
    ("KRAS WT/NRAS WT/BRAF V600E", "BRAF V600E"),
    ("KRAS (-), NRAS (-), BRAF (+)", "BRAF missense"),
    ("Negative: EGFR, ALK, ROS1, RET\nPositive: KRAS G12D", "KRAS G12D"),
    ("Genes without alterations: EGFR, KRAS, BRAF\nGenes with alterations: TP53 R175H", "TP53 R175H"),
    ("The following genes were wild type: KRAS, NRAS, BRAF, PIK3CA. TP53 R273H was found.", "TP53 R273H"),
    ("Neither KRAS nor BRAF is mutated. APC R1450*", "APC R1450*"),
    ("absence of EGFR mutations; KRAS G12V", "KRAS G12V"),
    ("EGFR, ALK, ROS1, BRAF - all negative. STK11 Q37*", "STK11 Q37*"),
    ("Mutations were not found in IDH1, IDH2. TERT C228T", ""),
    ("KRAS exon 2 wild type, KRAS exon 3 wild type, NRAS Q61K", "NRAS Q61K"),
    ("No evidence of BRAF V600E mutation; NRAS Q61R", "NRAS Q61R"),
    ("BRAF V600E not detected, NRAS Q61R detected", "NRAS Q61R"),
    ("BRAF V600E absent. NRAS Q61R present.", "NRAS Q61R"),
    ("Pertinent negatives: EGFR, ALK, BRAF\nTP53 R175H", "TP53 R175H"),
    ("Wild-type: TP53; KRAS; NRAS", ""),
    ("non-mutated: KRAS, NRAS; mutated: TP53 R175H", "TP53 R175H"),
    ("unmutated KRAS and NRAS, BRAF V600E", "BRAF V600E"),
    ("mutated genes: TP53, KRAS. Not mutated: BRAF, NRAS", "TP53 missense, KRAS missense"),
    ("KRAS = WT, BRAF = V600E", "BRAF V600E"),
    ("KRAS: WT\nBRAF: V600E", "BRAF V600E"),
    ("PIK3CA H1047R, no KRAS, NRAS or BRAF mutation", "PIK3CA H1047R"),
    ("There were no alterations in EGFR, ERBB2, MET, but KRAS G12C was present", "KRAS G12C"),
    ("Excluded: EGFR L858R. Found: KRAS G12C", "KRAS G12C"),
    ("free of mutations in KRAS and BRAF; TP53 R175H", "TP53 R175H"),
    ("TP53 R175H (KRAS wild type)", "TP53 R175H"),
    ("KRAS wild type (exons 2, 3, 4), BRAF V600E", "BRAF V600E"),
    ("EGFR wild type by PCR. KRAS G12D by NGS.", "KRAS G12D"),
    ("lacks mutations in TP53 and RB1; KRAS G12D", "KRAS G12D"),
    ("TP53: Wild Type; RB1: Wild Type; CDKN2A: p.R80*", "CDKN2A R80*"),
    ("TP53 mutation: no\nKRAS mutation: yes", "KRAS missense"),
    ("TP53 - ; KRAS G12D +", "KRAS G12D"),
    ("KRAS G12D: Not Detected; TP53 R175H: Detected", "TP53 R175H"),
    ("Did not detect BRAF V600E. KRAS G12D.", "KRAS G12D"),
    ("cannot exclude EGFR mutation; KRAS G12D", "KRAS G12D"),
    ("KRAS G12D; without EGFR, ALK or ROS1 alterations", "KRAS G12D"),
    ("BRCA2 c.5946delT (germline), TP53 R175H", "TP53 R175H"),
    ("Germline: BRCA1 E23fs. Somatic: TP53 R175H", "TP53 R175H"),
    ("germline BRCA1 mutation, TP53 R175H", "TP53 R175H"),
    ("BRCA1 p.E23fs germline pathogenic variant; TP53 p.R175H somatic", "TP53 R175H"),
    ("TP53 R175H (constitutional), KRAS G12D", "KRAS G12D"),
    ("MUTYH G396D heterozygous germline\nAPC R1450*", "APC R1450*"),
    ("TP53 LOH, KRAS G12D", "KRAS G12D"),
    ("TERT -124C>T, BRAF V600E", "BRAF V600E"),
    ("TERT promoter mutation C250T, BRAF V600E", "BRAF V600E"),
    ("TERT p.C228T; BRAF V600E", "BRAF V600E"),
    ("TERT promoter; BRAF V600E", "BRAF V600E"),
    ("TERT c.-146C>T, IDH1 R132H", "IDH1 R132H"),
    ("TERTp mutated; IDH1 R132H", "IDH1 R132H"),
    ("chr5:1295228 C>T TERT, IDH1 R132H", "IDH1 R132H"),
    ("TERT g.1295228G>A; IDH1 R132H", "IDH1 R132H"),
    ("VHL c.340+1G>A", "VHL splice"),
    ("VHL c.340+5G>A; TP53 R175H", "TP53 R175H"),
    ("APC c.3927_3931delAAAGA", "APC frameshift"),
    ("APC c.3927_3931del5; KRAS c.35G>A (p.Gly12Asp)", "APC frameshift, KRAS G12D"),
    ("EGFR c.2235_2249del15", "EGFR inframe"),
    ("EGFR c.2235_2249del", "EGFR inframe"),
    ("KRAS c.35G>A", "KRAS missense"),
    ("NM_004333.4(BRAF):c.1799T>A (p.Val600Glu)", "BRAF V600E"),
    ("BRAF(NM_004333.4):c.1799T>A(p.V600E)", "BRAF V600E"),
    ("NM_000546.5:c.524G>A", ""),
    ("NP_004324.2:p.Val600Glu", ""),
    ("ENST00000288602.6:c.1799T>A ENSP00000288602.6:p.Val600Glu BRAF", "BRAF V600E"),
    ("BRAF c.1799_1800delTGinsAA p.V600E", "BRAF V600E"),
    ("BRAF NM_004333 c.1799T>A p.V600E VAF 35% depth 500", "BRAF V600E"),
    ("BRAF p.V600E (c.1799T>A) 35.2% tier I", "BRAF V600E"),
    ("c.1799T>A p.V600E", ""),
    ("rs113488022 BRAF V600E", "BRAF V600E"),
    ("p.(Gly12Asp) in KRAS", "KRAS G12D"),
    ("KRAS p.Gly12Asp; TP53 p.(Arg213*); APC p.(Glu1309Aspfs*4)", "KRAS G12D, TP53 R213*, APC E1309fs"),
    ("APC p.E1309Dfs*4, APC p.Arg1450Ter", "APC E1309fs, APC R1450*"),
    ("TP53 p.R213X, TP53 R213Stop", "TP53 R213*"),
    ("KRAS G12D/G13D", "KRAS G12D, KRAS G13D"),
    ("KRAS G12D & TP53 R175H", "KRAS G12D, TP53 R175H"),
    ("KRAS G12D + TP53 R175H", "KRAS G12D, TP53 R175H"),
    ("KRAS G12D | TP53 R175H", "KRAS G12D, TP53 R175H"),
    ("KRAS G12D\tTP53 R175H", "KRAS G12D, TP53 R175H"),
    ("KRAS_G12D, TP53_R175H", "KRAS G12D, TP53 R175H"),
    ("KRAS-G12D, TP53-R175H", "KRAS G12D, TP53 R175H"),
    ("KRAS.G12D, TP53.R175H", "KRAS G12D, TP53 R175H"),
    ("KRAS:G12D, TP53:R175H", "KRAS G12D, TP53 R175H"),
    ("KRAS(G12D), TP53(R175H)", "KRAS G12D, TP53 R175H"),
    ("KRAS^G12D, TP53^R175H", "KRAS G12D, TP53 R175H"),
    ("KRASG12D", "KRAS G12D"),
    ("BRAFV600E", "BRAF V600E"),
    ("G12D KRAS, R175H TP53", "KRAS G12D, TP53 R175H"),
    ("L858R mutation of EGFR and R175H in TP53", "EGFR L858R, TP53 R175H"),
    ("EGFR (L858R), EGFR (T790M)", "EGFR L858R, EGFR T790M"),
    ("EGFR exon 19 deletion", "EGFR inframe"),
    ("EGFR ex19del", "EGFR inframe"),
    ("EGFR exon 20 insertion", "EGFR inframe"),
    ("EGFR E746_A750delELREA", "EGFR E746_A750del"),
    ("EGFR E746-A750del", "EGFR E746_A750del"),
    ("MET exon 14 skipping", "MET splice"),
    ("METex14", "MET splice"),
    ("HER2 S310F, p53 R175H", "ERBB2 S310F, TP53 R175H"),
    ("ERBB2 (HER2) S310F", "ERBB2 S310F"),
    ("HER2 (ERBB2) p.S310F", "ERBB2 S310F"),
    ("MLL3 (KMT2C) Q755*", "KMT2C Q755*"),
    ("KMT2C (MLL3) Q755*", "KMT2C Q755*"),
    ("STK11/LKB1 Q37*", "STK11 Q37*"),
    ("LKB1 Q37*", "STK11 Q37*"),
    ("p16 R80*", "CDKN2A R80*"),
    ("CDKN2A (p16INK4a) R80*", "CDKN2A R80*"),
    ("PTEN (MMAC1) R130G", "PTEN R130G"),
    ("stop gained in APC, frameshift in TP53", "APC nonsense, TP53 frameshift"),
    ("APC stop-gain, TP53 splice site", "APC nonsense, TP53 splice"),
    (
        "APC nonsense mutation, TP53 missense mutation, PTEN frame-shift deletion",
        "APC nonsense, TP53 missense, PTEN frameshift",
    ),
    ("APC truncating", "APC nonsense"),
    ("APC Nonsense_Mutation; TP53 Missense_Mutation R175H", "APC nonsense, TP53 R175H"),
    ("KRAS p.G12D missense, TP53 p.R213* nonsense", "KRAS G12D, TP53 R213*"),
    ("FLT3-ITD, NPM1 W288fs, DNMT3A R882H", "FLT3 inframe, NPM1 W288fs, DNMT3A R882H"),
    ("kras g12d, tp53 r175h", "KRAS G12D, TP53 R175H"),
    ("Kras G12D, Trp53 R172H", "KRAS G12D, TP53 R172H"),
    ("KRAS \u2013 G12D; TP53 \u2014 R175H; BRAF\u2011V600E", "KRAS G12D, TP53 R175H, BRAF V600E"),
    ("KRAS\u00a0G12D, TP53\u2009R175H", "KRAS G12D, TP53 R175H"),
    ("1. KRAS G12D\n2. TP53 R175H", "KRAS G12D, TP53 R175H"),
    ("- KRAS G12D\n- TP53 R175H", "KRAS G12D, TP53 R175H"),
    ("KRAS G12D; KRAS p.Gly12Asp; KRAS c.35G>A p.G12D", "KRAS G12D"),
    ("TP53 R175H x2", "TP53 R175H"),
    ("KRAS G12D (VAF 0.35), TP53 R175H (VAF=0.12)", "KRAS G12D, TP53 R175H"),
    ("KRAS G12D 35%, TP53 R175H 12%", "KRAS G12D, TP53 R175H"),
    ("Gene\tVariant\tVAF\nKRAS\tG12D\t35\nTP53\tR175H\t12", "KRAS G12D, TP53 R175H"),
    ("Gene: KRAS\nVariant: G12D\nGene: TP53\nVariant: R175H", "KRAS G12D, TP53 R175H"),
    (
        "Tumor type: Lung adenocarcinoma\nSpecimen: biopsy\nKRAS: G12D\nTP53: R175H\nEGFR: wild type",
        "KRAS G12D, TP53 R175H",
    ),
    (
        "Biomarker Findings\nMicrosatellite status: MS-Stable\nTumor Mutational Burden: 5 Muts/Mb\n"
        "Genomic Findings\n"
        "KRAS G12D\nTP53 R175H\n0 disease relevant genes with no reportable alterations: EGFR, ALK, BRAF, MET",
        "KRAS G12D, TP53 R175H",
    ),
    ("Genes with no reportable alterations: EGFR, ALK, BRAF\nKRAS G12D", "KRAS G12D"),
    ("Variants of unknown significance: ATM S1400L, BRCA2 K3326*", "ATM S1400L, BRCA2 K3326*"),
    ("Genes tested: EGFR, KRAS, BRAF, TP53. Result: KRAS G12D", "KRAS G12D"),
    ("This test covers EGFR, KRAS, BRAF. KRAS G12D found.", "KRAS G12D"),
    ("This assay interrogates mutations in EGFR, KRAS and BRAF.\nKRAS G12V was identified.", "KRAS G12V"),
    ("KIT exons 9, 11, 13, 17: no mutation detected; NRAS Q61K", "NRAS Q61K"),
    ("KRAS exon 2, 3 and 4: no mutation; TP53 R175H", "TP53 R175H"),
    ("KRAS codons 12, 13 and 61: not mutated; BRAF codon 600: V600E", "BRAF V600E"),
    ("EGFR exon 19 deletion, 7 gain, TP53 R175H", "EGFR inframe, TP53 R175H"),
    ("EGFR mutations in exon 19 (E746_A750del) and 20 (T790M)", "EGFR E746_A750del, EGFR T790M"),
    ("TP53 mutations were not observed, nor were those of KRAS; BRAF V600E was.", "BRAF V600E"),
    ("Family history: mother with BRCA1 mutation. Tumor: TP53 R175H.", "TP53 R175H"),
    ("Clinical trial for patients with BRAF V600E mutant melanoma.\nTumor mutations: NRAS Q61R.", "NRAS Q61R"),
    ("NPM1: positive (c.860_863dupTCTG; p.W288fs*12). CEBPA: not mutated.", "NPM1 W288fs"),
    ("KRAS,G12D,missense\nTP53,R213*,nonsense", "KRAS G12D, TP53 R213*"),
    ("APC E1309fs, APC nonsense", "APC E1309fs, APC nonsense"),
    ("p.G12D (KRAS), p.V600E (BRAF)", "KRAS G12D, BRAF V600E"),
    ("TP53 c.375+1G>A - Splice region variant", "TP53 splice"),
    ("1.\tTP53\tNM_000546\tc.524G>A\tp.R175H\t45%\n2.\tKRAS\tNM_004985\tc.35G>A\tp.G12D\t30%", "TP53 R175H, KRAS G12D"),
    ("KRAS,G12D,0.35\nTP53,R175H,0.40", "KRAS G12D, TP53 R175H"),
    ("TP53,R175H,R248Q\nKRAS,G12D,G13D", "TP53 R175H, TP53 R248Q, KRAS G12D, KRAS G13D"),
    ("WILD TYPE GENES\nEGFR\nALK\nMUTATED GENES\nKRAS G12D", "KRAS G12D"),
    ("KRAS\n  p.G12D  VAF 32%\nBRAF\n  not detected\nEGFR\nwild type\nTP53 R175H", "KRAS G12D, TP53 R175H"),
    ("KRAS\u3000G12D\u3001TP53\u3000R175H", "KRAS G12D, TP53 R175H"),
    ("KRAS G12D\\nTP53 R175H", "KRAS G12D, TP53 R175H"),
    ("wt TP53 and mutant KRAS", "KRAS missense"),
    ("wild type TP53, KRAS and NRAS", ""),
    ("EGFR wt/ALK neg/ROS1 neg/KRAS G12C+", "KRAS G12C"),
    ("BRAFV600E-mutated, no TERT", "BRAF V600E"),
    ("EGFR E746-A750 deletion; KIT deletion of W557_K558", "EGFR E746_A750del, KIT W557_K558del"),
    ("TP53 R175H (germline status unknown), BRCA2 S1982fs (confirmed germline)", "TP53 R175H"),
    ("TP53 p.R175H; consider germline testing. KRAS G12D.", "TP53 R175H, KRAS G12D"),
    ("TP53 R175H, germline origin cannot be excluded", "TP53 R175H"),
    ("TP53 R175H likely artifact; KRAS G12D", "KRAS G12D"),
    ('{"TP53": "R175H", "KRAS": "G12D"}', "TP53 R175H, KRAS G12D"),
    ("HER2 ERBB2 S310F\nMLL2 KMT2D R5154*", "ERBB2 S310F, KMT2D R5154*"),
]
"""Texts about one sample, and its mutations."""

SEVERAL_SAMPLES = [
    ("AR: KRAS G12D\nMET: BRAF V600E", {"AR": "KRAS G12D", "MET": "BRAF V600E"}),
    ("A1: KRAS G12D\nB2: BRAF V600E", {"A1": "KRAS G12D", "B2": "BRAF V600E"}),
    ("F2: KRAS G12D\nF3: BRAF V600E", {"F2": "KRAS G12D", "F3": "BRAF V600E"}),
    ("T1: KRAS G12D\nT2: BRAF V600E", {"T1": "KRAS G12D", "T2": "BRAF V600E"}),
    ("C1 KRAS G12D\nC2 BRAF V600E", {"C1": "KRAS G12D", "C2": "BRAF V600E"}),
    ("C1;KRAS;G12D\nC2;BRAF;V600E", {"C1": "KRAS G12D", "C2": "BRAF V600E"}),
    ("AR:\nKRAS G12D\nTP53 R175H", {"AR": "KRAS G12D, TP53 R175H"}),
    ("ATM: KRAS G12D, TP53 R175H\nATR: BRAF V600E", {"ATM": "KRAS G12D, TP53 R175H", "ATR": "BRAF V600E"}),
    ("Patient A: KRAS G12D\nPatient B: BRAF V600E", {"Patient A": "KRAS G12D", "Patient B": "BRAF V600E"}),
    (
        "P-0001234-T01-IM3: KRAS G12D\nP-0001235-T01-IM3: BRAF V600E",
        {"P-0001234-T01-IM3": "KRAS G12D", "P-0001235-T01-IM3": "BRAF V600E"},
    ),
    ("TCGA-AA-3489: KRAS G12D", {"TCGA-AA-3489": "KRAS G12D"}),
    ("HCT116: KRAS G13D, PIK3CA H1047R", {"HCT116": "KRAS G13D, PIK3CA H1047R"}),
    ("A549: KRAS G12S, STK11 Q37*", {"A549": "KRAS G12S, STK11 Q37*"}),
    (
        "MCF7: PIK3CA E545K\nT47D: PIK3CA H1047R, TP53 L194F",
        {"MCF7": "PIK3CA E545K", "T47D": "PIK3CA H1047R, TP53 L194F"},
    ),
    ("PC3: TP53 K139fs", {"PC3": "TP53 K139fs"}),
    ("PT-001: KRAS G12D; TP53 R175H; PT-002: BRAF V600E", {"PT-001": "KRAS G12D, TP53 R175H", "PT-002": "BRAF V600E"}),
    ("C1: KRAS G12D; C2: BRAF V600E", {"C1": "KRAS G12D", "C2": "BRAF V600E"}),
    ("S1 KRAS G12D; S1 TP53 R175H; S2 BRAF V600E", {"S1": "KRAS G12D, TP53 R175H", "S2": "BRAF V600E"}),
    ("S1 KRAS G12D, S1 TP53 R175H, S2 BRAF V600E", {"S1": "KRAS G12D, TP53 R175H", "S2": "BRAF V600E"}),
    ("S1,KRAS,G12D;S1,TP53,R175H;S2,BRAF,V600E", {"S1": "KRAS G12D, TP53 R175H", "S2": "BRAF V600E"}),
    ("C1, KRAS G12D\nC1, TP53 R175H\nC2, BRAF V600E", {"C1": "KRAS G12D, TP53 R175H", "C2": "BRAF V600E"}),
    ("Tumor A - KRAS G12D\nTumor B - BRAF V600E", {"Tumor A": "KRAS G12D", "Tumor B": "BRAF V600E"}),
]


def mutations(text: str) -> dict[str, list[str]]:
    tables = inputs.read(text).tables
    found: dict[str, list[str]] = {name: [] for name in tables.cases["case_id"].to_pylist()}
    for row in tables.variants.to_pylist():
        change = row["protein_change"] if row["protein_change"] not in ("", "X_splice") else row["consequence"]
        found[row["case_id"]].append(f"{row['gene']} {'splice' if 'splice' in change else change}")
    account = tables.account
    assert account.total == account.used + sum(account.left_out.values()) + sum(account.not_understood.values())
    return {name: sorted(each) for name, each in found.items()}


def listed(text: str) -> list[str]:
    return sorted(filter(None, text.split(", ")))


@pytest.mark.parametrize(("text", "expected"), [pair for pair in ONE_SAMPLE if pair[1]])
def test_the_mutations_of_a_text(text, expected):
    assert list(mutations(text).values()) == [listed(expected)]


@pytest.mark.parametrize("text", [text for text, expected in ONE_SAMPLE if not expected])
def test_a_text_without_a_mutation(text):
    try:
        found = mutations(text)
    except InputError as error:
        assert "nothing else in it is a mutation" in str(error)
    else:
        assert list(found.values()) == [[]]


@pytest.mark.parametrize(("text", "expected"), SEVERAL_SAMPLES)
def test_the_samples_of_a_text(text, expected):
    assert mutations(text) == {name: listed(each) for name, each in expected.items()}
