"""MAFs, lists, matrices and VCFs in the spellings that tools and people use: which rows count, and for which sample."""

from pathlib import Path

import pytest

from cancertype.errors import InputError
from cancertype.prediction import inputs, summary

MAF = (
    "Hugo_Symbol Chromosome Start_Position Reference_Allele Tumor_Seq_Allele1 Tumor_Seq_Allele2 Variant_Classification "
    "Tumor_Sample_Barcode HGVSp_Short"
)
BRAF = "BRAF 7 140453136 A A T Missense_Mutation S1 p.V600E"
KRAS = "KRAS 12 25398284 C C T Missense_Mutation S1 p.G12D"
TP53 = "TP53 17 7577120 C C T Missense_Mutation S2 p.R273H"
ALL = {"S1": "BRAF V600E, KRAS G12D", "S2": "TP53 R273H"}
WITHOUT_BRAF = {"S1": "KRAS G12D", "S2": "TP53 R273H"}


def table(*rows: str) -> str:
    """Rows whose fields blanks separate, with tabs between them."""
    return "".join("\t".join(row.split(" ")) + "\n" for row in rows)


def found(path: Path, content: str, **options) -> dict[str, str]:
    """The mutations of each sample; the account of the rows is checked beside."""
    path.write_text(content, encoding="utf-8")
    read = inputs.read(str(path), **options)
    account = summary.summary(read)["account"]
    left_out, unclear = (sum(account[what].values()) for what in ("left_out", "not_understood"))
    assert account["total"] == account["used"] + left_out + unclear
    mutations: dict[str, list[str]] = {name: [] for name in read.tables.cases["case_id"].to_pylist()}
    for row in read.tables.variants.to_pylist():
        change = row["protein_change"] if row["protein_change"] not in ("", "X_splice") else row["consequence"]
        mutations[row["case_id"]].append(f"{row['gene']} {'splice' if 'splice' in change else change}")
    return {name: ", ".join(sorted(each)) for name, each in mutations.items()}


def in_order(expected: dict[str, str]) -> dict[str, str]:
    return {name: ", ".join(sorted(filter(None, text.split(", ")))) for name, text in expected.items()}


@pytest.mark.parametrize(
    ("column", "status"),
    [("Mutation_Status", each) for each in (
        "Germline", "GERMLINE", "LOH", "Wildtype", "wild type", "Post-transcriptional modification", "germline variant",
        "Germline (suspected)", "GERM", "Likely germline", "SNP_Germline", "inherited", "Normal", "RNA_editing",
    )] + [("Validation_Status", each) for each in (
        "Invalid", "invalid", "Wildtype", "Germline", "LOH", "Not validated", "Refuted", "False positive", "artifact",
    )],
)  # fmt: skip
def test_a_row_that_its_status_speaks_against_does_not_count(tmp_path, column, status):
    rows = [f"{MAF} {column}", *(f"{row} {{}}" for row in (BRAF, KRAS, TP53))]
    content = table(rows[0], rows[1], rows[2], rows[3]).format(status, "Somatic", "Untested")
    assert found(tmp_path / "a.maf", content) == in_order(WITHOUT_BRAF)


@pytest.mark.parametrize("status", ["Somatic", "somatic", "Unknown", "", "Non-germline", "not germline"])
def test_a_row_that_no_status_speaks_against_counts(tmp_path, status):
    content = table(f"{MAF} Mutation_Status", *(f"{row} {{0}}" for row in (BRAF, KRAS, TP53))).format(status)
    assert found(tmp_path / "a.maf", content) == in_order(ALL)


@pytest.mark.parametrize(
    ("name", "rows", "expected"),
    [
        ("the change is in the first allele", [
            "BRAF 7 140453136 A T A Missense_Mutation S1 p.V600E", "APC 5 1000 AG - AG Frame_Shift_Del S1 p.R10fs",
            "RB1 13 1000 - T - Frame_Shift_Ins S1 p.R11fs",
        ], {"S1": "BRAF V600E, APC R10fs, RB1 R11fs"}),
        ("one variant in four spellings", [
            BRAF, BRAF.replace(" 7 ", " chr7 "), BRAF.replace("p.V600E", "p.Val600Glu"),
            BRAF.replace("p.V600E", "V600E"),
        ], {"S1": "BRAF V600E"}),
        ("one deletion with and without the base before it", [
            "APC 5 101 AG AG - Frame_Shift_Del S1 p.R10fs", "APC 5 100 TAG TAG T Frame_Shift_Del S1 p.R10fs*4",
        ], {"S1": "APC R10fs"}),
        ("one variant in three transcripts", [
            "CDKN2A 9 100 G G A Missense_Mutation S1 p.H83Y", "CDKN2A 9 100 G G A Missense_Mutation S1 p.A97V",
            "CDKN2A 9 100 G G A Silent S1 p.A97A",
        ], {"S1": "CDKN2A H83Y"}),
        ("mouse symbols and other capitals", [
            BRAF.replace("BRAF", "braf"), KRAS.replace("KRAS", "Kras"), TP53.replace("TP53", "Trp53"),
        ], ALL),
        ("common names", [
            BRAF.replace("BRAF", "HER2").replace("V600E", "S310F"),
            KRAS.replace("KRAS", "p53").replace("G12D", "R175H"),
        ], {"S1": "ERBB2 S310F, TP53 R175H"}),
        ("two genes in a cell", [
            TP53.replace("TP53", "TP53,WRAP53"), KRAS.replace("KRAS", "KRAS|LOC1"),
        ], {"S1": "KRAS G12D", "S2": "TP53 R273H"}),
        ("dates that were genes", [
            BRAF.replace("BRAF", "9-Sep"), KRAS.replace("KRAS", "2024-09-02"), TP53.replace("TP53", "44805"),
        ], {"S1": "SEPTIN9 V600E, SEPTIN2 G12D", "S2": ""}),
        ("the class contradicts the change", [
            BRAF.replace("V600E", "V600fs"), KRAS.replace("G12D", "G12*"), TP53.replace("R273H", "R273_C275del"),
        ], {"S1": "BRAF V600fs, KRAS G12*", "S2": "TP53 R273_C275del"}),
        ("positions of R, pandas and spreadsheets", [
            BRAF.replace("140453136", "1.40453136e8"), KRAS.replace("25398284", "25398284.0"),
            TP53.replace("7577120", "7,577,120"),
        ], ALL),
    ],
)  # fmt: skip
def test_the_rows_of_a_maf(tmp_path, name, rows, expected):
    assert found(tmp_path / "a.maf", table(MAF, *rows)) == in_order(expected)


@pytest.mark.parametrize(
    "column", ["HGVSp", "Protein_Change", "AAChange", "amino_acid_change", "aaChange", "protein_change"]
)
def test_each_name_of_the_column_of_protein_changes(tmp_path, column):
    content = table(MAF.replace("HGVSp_Short", column), BRAF, KRAS, TP53)
    assert found(tmp_path / "a.maf", content) == in_order(ALL)


@pytest.mark.parametrize("filters", ["PASS", "pass", ".", "NA", "nan", "None", "PASS;PASS"])
def test_a_filter_that_says_nothing(tmp_path, filters):
    content = table(f"{MAF} FILTER", *(f"{row} {filters}" for row in (BRAF, KRAS, TP53)))
    assert found(tmp_path / "a.maf", content) == in_order(ALL)


LISTS = [
    ("csv", "Patient,Gene,Protein\nC1,KRAS,G12D\nAR,BRAF,V600E\n", {"C1": "KRAS G12D", "AR": "BRAF V600E"}),
    ("tsv", "gene\tsample\tmutation\nKRAS\tC1\tp.G12D\nBRAF\tF2\tp.V600E\n", {"C1": "KRAS G12D", "F2": "BRAF V600E"}),
    (
        "txt",
        "C1 KRAS G12D\nC2 BRAF V600E\nF2 TP53 R175H\n",
        {"C1": "KRAS G12D", "C2": "BRAF V600E", "F2": "TP53 R175H"},
    ),
    ("txt", "S1;KRAS;G12D\nS1;TP53;R175H\nS2;BRAF;V600E\n", {"S1": "KRAS G12D, TP53 R175H", "S2": "BRAF V600E"}),
    ("csv", "ID,Gene,ProteinChange\nS1,KRAS,G12D\nS2,BRAF,V600E\n", {"S1": "KRAS G12D", "S2": "BRAF V600E"}),
    (
        "csv",
        "sample_id,hugo_symbol,aa_change,class\nS1,KRAS,G12D,Missense\nS2,APC,,Nonsense\n",
        {"S1": "KRAS G12D", "S2": "APC nonsense"},
    ),
    ("csv", "Sample,Mutation\nS1,KRAS G12D\nS2,BRAF V600E\n", {"S1": "KRAS G12D", "S2": "BRAF V600E"}),
    (
        "csv",
        'Sample,Mutations\nS1,"KRAS G12D, TP53 R175H"\nS2,BRAF V600E\n',
        {"S1": "KRAS G12D, TP53 R175H", "S2": "BRAF V600E"},
    ),
    ("csv", "sample;gene;change\nS1;KRAS;G12D\nS2;BRAF;V600E\n", {"S1": "KRAS G12D", "S2": "BRAF V600E"}),
    ("csv", "Probe;Gen;Mutation;VAF\nP1;KRAS;G12D;0,35\nP2;BRAF;V600E;0,1\n", {"P1": "KRAS G12D", "P2": "BRAF V600E"}),
    (
        "csv",
        "Patient;Gen;Aminosäureaustausch\nP1;KRAS;p.G12D\nP2;BRAF;V600E\n",
        {"P1": "KRAS G12D", "P2": "BRAF V600E"},
    ),
    (
        "csv",
        "Échantillon;Gène;Variation protéique\nE1;KRAS;p.(Gly12Asp)\nE2;BRAF;V600E\n",
        {"E1": "KRAS G12D", "E2": "BRAF V600E"},
    ),
    ("csv", "Muestra;Gen;Mutación\nM1;KRAS;G12D\nM2;BRAF;V600E\n", {"M1": "KRAS G12D", "M2": "BRAF V600E"}),
    (
        "txt",
        "gene\tcodingEffect\tcNomen\tpNomen\tgnomadAltFreq_all\nBRAF\tmissense\tc.1799T>A\tp.Val600Glu\t0\nTP53\tmissense\tc.215C>G\tp.Pro72Arg\t0.66\n",
        {"a": "BRAF V600E"},
    ),
    (
        "tsv",
        "Sample\tGene\tcDNA\tProtein\tGermline/Somatic\nS1\tKRAS\tc.35G>A\tp.G12D\tSomatic\nS1\tBRCA1\tc.68_69del\tp.E23fs\tGermline\n",
        {"S1": "KRAS G12D"},
    ),
    (
        "tsv",
        "Sample\tGene\tcDNA\nS1\tKRAS\tc.35G>A\nS1\tTP53\tc.376-1G>A\nS2\tAPC\tc.3927_3931del\n",
        {"S1": "KRAS missense, TP53 splice", "S2": "APC frameshift"},
    ),
    ("csv", "gene,change\nKRAS,G12D\nTP53,R175H\n", "KRAS G12D, TP53 R175H"),
    ("csv", "KRAS,G12D\nTP53,R175H\n", "KRAS G12D, TP53 R175H"),
    (
        "txt",
        "S1\tTP53\tR175H\tmissense\t0.4\nS1\tVHL\t\tsplice\t0.2\nS2\tBRAF\tV600E\tmissense\t0.3\n",
        {"S1": "TP53 R175H, VHL splice", "S2": "BRAF V600E"},
    ),
    ("txt", "S1\tTP53\tR175H\nS1\tKRAS\tWT\nS2\tMYC\tamplification\n", {"S1": "TP53 R175H", "S2": ""}),
    ("txt", "TP53\tp.R175H\nKRAS\tp.G12D\nBRAF\tWT\n", "TP53 R175H, KRAS G12D"),
    ("csv", "Gene,Type,cDNA\nAPC,Nonsense,c.4348C>T\nKRAS,,c.35G>A\n", "APC nonsense, KRAS missense"),
    ("tsv", "Sample\tGene\tMutation_Type\tEffect\nS1\tBRAF\tSNP\tMissense_Mutation\n", {"S1": "BRAF missense"}),
    (
        "tsv",
        "COSMIC sample\tGene Name\tAA Mutation\nA375\tBRAF\tp.V600E\nB\tKRAS\tp.G12D\n",
        {"A375": "BRAF V600E", "B": "KRAS G12D"},
    ),
    ("csv", "Gene,Change,Detected\nKRAS,G12D,Y\nBRAF,V600E,N\nNRAS,Q61R,no\n", "KRAS G12D"),
    ("csv", "Gene,Change,Germline\nKRAS,G12D,No\nBRCA1,E23fs,Yes\n", "KRAS G12D"),
    ("csv", "Gene,Change\nKRAS,G12D\nTP53,unknown\n", "KRAS G12D"),
    (
        "tsv",
        "Sample\tGene\tChange\tFILTER\tgnomAD_AF\nS1\tKRAS\tG12D\tPASS\t.\nS1\tBRAF\tV600E\tLowQual\t0\n"
        "S1\tTP53\tP72R\tPASS\t0.66\n",
        {"S1": "KRAS G12D"},
    ),
    ("csv", "Sample,Gene,Change\nP1-T,KRAS,G12D\nP1-N,BRCA1,E23fs\n", {"P1-T": "KRAS G12D"}),
    ("csv", "Sample,Gene,Change\nP1-N,KRAS,G12D\nP2-N,BRAF,V600E\n", {"P1-N": "KRAS G12D", "P2-N": "BRAF V600E"}),
    ("csv", "Tumor_ID,Gene,AA\nS1,KRAS,G12D\nS2,NF1,p.Leu1%3D\n", {"S1": "KRAS G12D", "S2": ""}),
    ("csv", "Gene,Variant,Status\nKRAS,G12D,Detected\nBRAF,V600E,Not detected\n", "KRAS G12D"),
    ("csv", "Gene,Result\nKRAS,G12D\nBRAF,Wild type\nEGFR,Not detected\n", "KRAS G12D"),
    ("csv", "Sample,Gene,Change\nS1,KRAS,WT\nS1,TP53,R175H\nS2,BRAF,negative\n", {"S1": "TP53 R175H", "S2": ""}),
    ("csv", "Sample,Gene,Change\nS1,TERT,C228T\nS1,TERT,c.-124C>T\nS1,BRAF,V600E\n", {"S1": "BRAF V600E"}),
    ("csv", "Sample,Gene,Change\nS1,MLL2 (KMT2D),R5154*\nS1,HER2,S310F\n", {"S1": "KMT2D R5154*, ERBB2 S310F"}),
    (
        "csv",
        'Sample,Gene,Change\nS1,EGFR,L858R/T790M\nS1,KRAS,"G12D, G13D"\n',
        {"S1": "EGFR L858R, EGFR T790M, KRAS G12D, KRAS G13D"},
    ),
    (
        "csv",
        "Sample,Gene,Change\nS1,EGFR,exon 19 deletion\nS1,MET,exon 14 skipping\nS1,APC,truncating\n",
        {"S1": "EGFR inframe, MET splice, APC nonsense"},
    ),
    (
        "csv",
        "Sample,Gene,Change\nS1,VHL,c.340+1G>A\nS1,APC,c.3927_3931delAAAGA\n",
        {"S1": "VHL splice, APC frameshift"},
    ),
]
"""Lists: the ending of the file, its content, and the mutations of each sample (of the only one, whatever its name)."""

MATRICES = [
    ("csv", ",KRAS,TP53,BRAF\nS1,1,0,0\nS2,0,1,1\n", {"S1": "KRAS missense", "S2": "TP53 missense, BRAF missense"}),
    ("tsv", "Gene\tS1\tS2\nKRAS\t1\t0\nTP53\t0\t1\n", {"S1": "KRAS missense", "S2": "TP53 missense"}),
    (
        "csv",
        "sample,KRAS,TP53\nS1,Missense_Mutation,WT\nS2,,Nonsense_Mutation\n",
        {"S1": "KRAS missense", "S2": "TP53 nonsense"},
    ),
    (
        "tsv",
        "Hugo_Symbol\tS1\tS2\nKRAS\tMissense_Mutation\t\nTP53\t\tFrame_Shift_Del;Missense_Mutation\n",
        {"S1": "KRAS missense", "S2": "TP53 frameshift, TP53 missense"},
    ),
    ("csv", "ID,KRAS,TP53\nS1,True,False\nS2,False,True\n", {"S1": "KRAS missense", "S2": "TP53 missense"}),
    (
        "csv",
        "ModelID,KRAS (3845),TP53 (7157)\nACH-000001,1.0,0.0\nACH-000002,0.0,2.0\n",
        {"ACH-000001": "KRAS missense", "ACH-000002": "TP53 missense"},
    ),
    ("csv", "ID,KRAS,TP53\nS1,MUT,WT\nS2,wt,mut\n", {"S1": "KRAS missense", "S2": "TP53 missense"}),
    (
        "tsv",
        "STUDY_ID\tSAMPLE_ID\tKRAS\tTP53\tAPC\nx\tS1\tG12D\tWT\tNS\nx\tS2\tWT\tR175H, R248Q [germline]\tE1309Dfs*4\n",
        {"S1": "KRAS G12D", "S2": "TP53 R175H, APC E1309fs"},
    ),
    ("tsv", "ID\tKRAS\tTP53\nS1\tyes\tno\nS2\tno\tyes\n", {"S1": "KRAS missense", "S2": "TP53 missense"}),
    ("tsv", "ID\tKRAS\tTP53\nS1\t+\t-\nS2\t-\t+\n", {"S1": "KRAS missense", "S2": "TP53 missense"}),
    (
        "tsv",
        "studyID:sampleId\tAltered\tKRAS\tTP53\nx:S1\t1\t1\t0\nx:S2\t0\t0\t0\n",
        {"x:S1": "KRAS missense", "x:S2": ""},
    ),
    (
        "tsv",
        "track_name\ttrack_type\tS1\tS2\nKRAS\tCNA\tAmplification\t\nKRAS\tMUTATIONS\t"
        "Missense Mutation (putative driver)\t\nTP53\tMUTATIONS\t"
        "Truncating mutation (putative passenger)\tSplice Mutation\n",
        {"S1": "KRAS missense, TP53 nonsense", "S2": "TP53 splice"},
    ),
    (
        "tsv",
        "Gene\tTCGA-AA-0001-01\tTCGA-AA-0001-11\nKRAS\tG12D\tWT\nTP53\tR175H\tR175H\n",
        {"TCGA-AA-0001-01": "KRAS G12D, TP53 R175H"},
    ),
    ("csv", "Sample,KRAS mutation,BRAF_status\nS1,G12D,wt\nS2,wt,V600E\n", {"S1": "KRAS G12D", "S2": "BRAF V600E"}),
    (
        "csv",
        "sample,TP53_mut,KRAS_mut,MYC_amp,Smoker\nS1,1,0,1,1\nS2,0,1,0,1\n",
        {"S1": "TP53 missense", "S2": "KRAS missense"},
    ),
    ("csv", "Gene,Sample 1,Sample 2\nKRAS,x,\nTP53,,x\n", {"Sample 1": "KRAS missense", "Sample 2": "TP53 missense"}),
    ("csv", "Patient,Age,Sex,TP53,KRAS\nP1,63,M,1,0\nP2,1,F,0,1\n", {"P1": "TP53 missense", "P2": "KRAS missense"}),
    ("csv", "ID,C1,C2,AR,KRAS\nS1,0,0,1,1\nS2,0,1,0,0\n", {"S1": "AR missense, KRAS missense", "S2": "C2 missense"}),
]

OTHER_SHAPES = [
    ("csv", "Gene,Sample\nTP53,S1\nKRAS,S1\nBRAF,S2\n", {"S1": "TP53 missense, KRAS missense", "S2": "BRAF missense"}),
    ("csv", "TP53,S1\nKRAS,S1\nBRAF,S2\n", {"S1": "TP53 missense, KRAS missense", "S2": "BRAF missense"}),
    ("tsv", "S1\tTP53\nS1\tKRAS\nS2\tBRAF\n", {"S1": "TP53 missense, KRAS missense", "S2": "BRAF missense"}),
    ("csv", "Gene,Change\nKRAS,c.35G>A\nBRAF,chr7:140453136A>T\n", "KRAS missense, BRAF missense"),
    ("csv", "Sample,Gene,Change\nS1,KRAS,c.35G>A\nS1,BRAF,chr7:140453136A>T\n", {"S1": "KRAS missense, BRAF missense"}),
    (
        "csv",
        "Table S1. Somatic mutations\nSample,Gene,Change\nS1,KRAS,G12D\nS2,BRAF,V600E\n",
        {"S1": "KRAS G12D", "S2": "BRAF V600E"},
    ),
    (
        "csv",
        "Supplementary Table 1: Mutations in all samples, n=2\n\nSample,Gene,Protein,VAF\nS1,KRAS,G12D,0.3\n"
        "S2,BRAF,V600E,0.2\n",
        {"S1": "KRAS G12D", "S2": "BRAF V600E"},
    ),
    (
        "tsv",
        "Table S1. Somatic mutations\t\t\nSample\tGene\tChange\nS1\tKRAS\tG12D\nS2\tBRAF\tV600E\n",
        {"S1": "KRAS G12D", "S2": "BRAF V600E"},
    ),
    ("csv", "Gene,Change,Detected\nKRAS,G12D,☑\nBRAF,V600E,☐\n", "KRAS G12D"),
    ("csv", "ID,KRAS,TP53\nS1,☑,☐\nS2,☐,☑\n", {"S1": "KRAS missense", "S2": "TP53 missense"}),
    (
        "csv",
        "Sample,Mutations\nS1,[x] KRAS G12D [ ] BRAF V600E\nS2,[ ] KRAS G12D [x] BRAF V600E\n",
        {"S1": "KRAS G12D", "S2": "BRAF V600E"},
    ),
    (
        "csv",
        "Sample,Gene,Change\nS1,MYD88,L265P (L252P)\nS2,EGFR,L858R/T790M\n",
        {"S1": "MYD88 L265P", "S2": "EGFR L858R, EGFR T790M"},
    ),
    ("csv", "Patient,Gene\nP1,KRAS\nP1,TP53\nP2,BRAF\n", {"P1": "KRAS missense, TP53 missense", "P2": "BRAF missense"}),
    (
        "csv",
        "KRAS;P-0001234-T01\nTP53;P-0001234-T01\nBRAF;P-0001235-T01\n",
        {"P-0001234-T01": "KRAS missense, TP53 missense", "P-0001235-T01": "BRAF missense"},
    ),
    ("csv", "KRAS,G12\nBRAF,V600\n", "KRAS missense, BRAF missense"),
    ("csv", "KRAS,G12\nKRAS,G13\n", "KRAS missense"),
    (
        "tsv",
        "HCT116\tKRAS\nHCT116\tPIK3CA\nA375\tBRAF\n",
        {"HCT116": "KRAS missense, PIK3CA missense", "A375": "BRAF missense"},
    ),
    ("csv", "Sample,Mutations\nS1,KRAS G12D\nS1-N,BRCA1 E23fs\n", {"S1": "KRAS G12D"}),
    ("csv", "Sample,Gene,Change\nS1,KRAS,G12D\nS1_N,BRCA1,E23fs\n", {"S1": "KRAS G12D"}),
    ("csv", "gene,chromosome,S1,S2\nKRAS,12,1,0\nTP53,17,0,1\n", {"S1": "KRAS missense", "S2": "TP53 missense"}),
    (
        "csv",
        "Table 2\n(continued)\nPatient;Gene;AA change\nP1;KRAS;G12D\nP2;BRAF;V600E\n",
        {"P1": "KRAS G12D", "P2": "BRAF V600E"},
    ),
    ("csv", "Mutation matrix\nID,KRAS,TP53\nS1,1,0\nS2,0,1\n", {"S1": "KRAS missense", "S2": "TP53 missense"}),
    (
        "tsv",
        "Exported 2024-01-05 by tool, v2\nHugo_Symbol\tTumor_Sample_Barcode\tVariant_Classification\t"
        "HGVSp_Short\nKRAS\tS1\tMissense_Mutation\tp.G12D\n",
        {"S1": "KRAS G12D"},
    ),
    (
        "csv",
        '"Supplementary Table 3. Mutations, by sample"\nSample,Gene,Change\nS1,KRAS,G12D\nS1,TP53,R175H\n',
        {"S1": "KRAS G12D, TP53 R175H"},
    ),
    ("csv", "gene,case\nTP53,A\nKRAS,A\nTP53,B\n", {"A": "TP53 missense, KRAS missense", "B": "TP53 missense"}),
    ("txt", "TP53\tPat_01\nKRAS\tPat_02\n", {"Pat_01": "TP53 missense", "Pat_02": "KRAS missense"}),
    ("csv", "Gene,Sample\nTP53,S1\nFOOBAR,S1\n,S2\n", {"S1": "TP53 missense, FOOBAR missense", "S2": ""}),
    ("csv", "Gene,Sample\nTP53,S1\nKRAS,S1-N\n", {"S1": "TP53 missense"}),
    ("csv", "EGFR,T790\nKIT,T670\n", "EGFR missense, KIT missense"),
    ("csv", "ID,H3F3A,TP53\nS1,K27M,R175H\nS2,G34R,WT\n", {"S1": "H3-3A K28M, TP53 R175H", "S2": "H3-3A G35R"}),
    ("csv", "Supplementary Table\n\n\nGene,Sample\nTP53,S1\nKRAS,S2\n", {"S1": "TP53 missense", "S2": "KRAS missense"}),
    ("txt", "Report of patient X\nKRAS G12D, TP53 R175H\n", "KRAS G12D, TP53 R175H"),
    ("txt", "Findings\nGene\tVariant\tVAF\nKRAS\tG12D\t35\nTP53\tR175H\t12\n", "KRAS G12D, TP53 R175H"),
    (
        "txt",
        "Findings\nGene\tVariant\tVAF\nKRAS\tG12D\t35\nTP53\tR175H\t12\nWild type: BRAF, EGFR\n",
        "KRAS G12D, TP53 R175H",
    ),
    ("csv", "Table S1,,\nSample,Gene,Change\nS1,KRAS,G12D\nS2,BRAF,V600E\n", {"S1": "KRAS G12D", "S2": "BRAF V600E"}),
]
"""Genes and samples alone, titles above the column names, check boxes, and tables that are texts after all."""


@pytest.mark.parametrize(("ending", "content", "expected"), LISTS + MATRICES + OTHER_SHAPES)
def test_a_list_or_a_matrix(tmp_path, ending, content, expected):
    mutations = found(tmp_path / f"a.{ending}", content)
    if isinstance(expected, str):
        assert list(mutations.values()) == [", ".join(sorted(expected.split(", ")))]
    else:
        assert mutations == in_order(expected)


AGAINST = [
    ("result", "positive", "negative", "stated to be germline, LOH or wild type"),
    ("result", "pos", "WT", "stated to be germline, LOH or wild type"),
    ("present", "1", "0", "stated to be germline, LOH or wild type"),
    ("mutated", "yes", "no", "stated to be germline, LOH or wild type"),
    ("type", "tumor", "normal", "of a matched normal, by its name"),
    ("Sample Type", "Primary Solid Tumor", "Blood Derived Normal", "of a matched normal, by its name"),
    ("Variant type", "Somatic", "Germline", "stated to be germline, LOH or wild type"),
    ("Type", "Somatic", "germline variant", "stated to be germline, LOH or wild type"),
    ("Classification", "Pathogenic", "Likely benign", "stated to be benign"),
    ("ClinVar", "Uncertain significance", "Benign/Likely_benign", "stated to be benign"),
    ("Verdict", "Likely Pathogenic", "Benign", "stated to be benign"),
    ("QC", "pass", "FAILED", "failed the stated quality control"),
    ("VAF", "0.01", "0", "an allele fraction of 0: not found"),
    ("VAF (%)", "35", "0.00 %", "an allele fraction of 0: not found"),
    ("gnomAD (Aggregated)", "0", "0.66", "likely inherited: known to gnomAD"),
]
"""Columns of a list, a value that lets a row count, one that speaks against it, and the reason that is given."""


@pytest.mark.parametrize(("column", "of_a_mutation", "against", "reason"), AGAINST)
def test_a_row_of_a_list_that_another_column_speaks_against(tmp_path, column, of_a_mutation, against, reason):
    rows = [f"S1,KRAS,G12D,{of_a_mutation}", f"S1,TP53,P72R,{against}", f"S2,BRAF,V600E,{of_a_mutation}"]
    path = tmp_path / "a.csv"
    assert found(path, "\n".join([f"sample,gene,change,{column}", *rows])) == {"S1": "KRAS G12D", "S2": "BRAF V600E"}
    assert inputs.read(str(path)).tables.account.left_out == {reason: 1}


def test_annovar_beside_the_lines_of_a_vcf(tmp_path):
    names = [f"Otherinfo{i}" for i in range(1, 14)]
    head = ["Chr", "Start", "Ref", "Alt", "Func.refGene", "Gene.refGene", "ExonicFunc.refGene", "AAChange.refGene"]
    lines = [[*head, *names]]
    for gene, change, flag in (("BRAF", "V600E", "PASS"), ("KRAS", "G12D", "germline;base_qual")):
        own = ["1", "5", "A", "T", "exonic", gene, "nonsynonymous_SNV", f"{gene}:NM_1:exon2:c.T1A:p.{change}"]
        lines.append([*own, "0.5", ".", "9", "1", "5", ".", "A", "T", ".", flag, "DP=4", "GT:AD", "0/1:3,4"])
    assert found(tmp_path / "a.txt", table(*map(" ".join, lines))) == {"a": "BRAF V600E"}


def test_totals_below_a_matrix_are_no_sample(tmp_path):
    path = tmp_path / "a.csv"
    matrix = "ID,KRAS,TP53\nS1,1,0\nS2,1,1\n"
    assert found(path, matrix + "Total,2,1\n%,100,50\n") == found(path, matrix)
    assert found(path, "ID,KRAS,TP53\nTotal,1,0\nS2,1,1\n") == {
        "Total": "KRAS missense",
        "S2": "KRAS missense, TP53 missense",
    }


def test_words_that_are_understood_are_no_wrong_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Sample,Gene,Change\nS1,EGFR,exon 19 deletion\nS1,TERT,C228T\nS1,KRAS,xyzzy\nS1,p53,R175H\n")
    found = summary.summary(inputs.read(str(path)))
    assert [row["line"] for row in found["wrong"]] == [3]
    assert found["account"] | {"left_out": 0, "not_understood": 0} == {
        "unit": "row", "total": 4, "used": 2, "left_out": 0, "not_understood": 0,
    }  # fmt: skip
    assert list(found["account"]["left_out"]) == ["promoter change"]


# --- Samples of a VCF ---

CSQ = (
    '##INFO=<ID=CSQ,Number=.,Type=String,Description="Consequence annotations from Ensembl VEP. '
    'Format: Allele|Consequence|SYMBOL|HGVSp|PICK">'
)
SOMATIC = "CSQ=T|missense_variant|BRAF|ENSP1:p.Val600Glu|1"
IN_BOTH = "CSQ=T|missense_variant|KRAS|ENSP2:p.Gly12Asp|1"


def vcf(tumour: str, normal: str, meta: str = "") -> str:
    """A joint call: BRAF in the tumour alone, KRAS in both."""
    head = f"#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT {normal} {tumour}"
    rows = [
        f"7 140453136 . A T . PASS {SOMATIC} GT 0/0 0/1",
        f"12 25398284 . C T . PASS {IN_BOTH} GT 0/1 0/1",
    ]
    return "##fileformat=VCFv4.2\n" + CSQ + "\n" + meta + table(head, *rows)


NORMALS = {
    "P1_T": [
        "P1_N", "P1_blood", "P1_germline", "P1_control", "P1_PBMC", "P1_normal", "P1_BL", "P1-WBC", "P1_buffy",
        "P1_saliva", "P1_NAT", "P1_adjacent", "P1_GL", "P1_ctrl", "P1_ref", "P1_healthy", "P1-buccal",
        "P1_leukocytes", "P1_matched_normal", "P1_N01", "P1_PBL", "P1_CD3", "P1_Tcells", "P1_host", "P1_constit",
        "P1_WB", "P1_peripheral_blood", "P1_fibroblasts", "P1_nontumor", "P1_non-tumor", "P1_nontumour", "P1_NL",
        "P1_mononuclear", "P1_unaffected", "P1_germ", "P1_oral_swab", "P1_hair", "P1_B", "P1_R",
    ],
    "TUMOR_1": ["NORMAL_1"],
    "T-P1": ["N-P1"],
    "TCGA-AA-0001-01A": ["TCGA-AA-0001-10A", "TCGA-AA-0001-11A-01D"],
    "COLO829": ["COLO829BL", "COLO829_normal"],
}  # fmt: skip


@pytest.mark.parametrize(("tumour", "normal"), [(t, n) for t, names in NORMALS.items() for n in names])
def test_a_matched_normal_by_its_name(tmp_path, tumour, normal):
    assert found(tmp_path / "a.vcf", vcf(tumour, normal)) == {tumour: "BRAF V600E"}


@pytest.mark.parametrize("names", [("P1_T1", "P1_T2"), ("A", "B"), ("P1_primary", "P1_metastasis")])
def test_two_tumours_are_two_cases(tmp_path, names):
    assert set(found(tmp_path / "a.vcf", vcf(*names))) == set(names)


@pytest.mark.parametrize(
    "meta",
    [
        "##PEDIGREE=<Derived=A,Original=B>",
        "##PEDIGREE=<ID=A,Original=B>",
        '##SAMPLE=<ID=B,Description="Normal">',
        "##SAMPLE=<ID=NORMAL,SampleName=B>\n##SAMPLE=<ID=TUMOR,SampleName=A>",
        "##normal_sample=B\n##tumor_sample=A",
        "##tumor_sample=A",
        "##cmdline=configureStrelkaSomaticWorkflow.py --normalBam x/B.bam --tumorBam x/A.bam",
        "##inputs=TUMOR:A NORMAL:B",
        '##GATKCommandLine=<ID=Mutect2,CommandLine="Mutect2 --tumor-sample A --normal-sample B --output x.vcf">',
        '##GATKCommandLine=<ID=Mutect2,CommandLine="Mutect2 -normal B -I a.bam">',
        "##SAMPLE=<ID=B,Tissue=Blood>\n##SAMPLE=<ID=A,Tissue=Tumor>",
        '##DRAGENCommandLine=<ID=dragen,CommandLineOptions="--tumor-bam-input A.bam --bam-input B.bam">',
    ],
)
def test_a_matched_normal_by_what_the_header_declares(tmp_path, meta):
    assert found(tmp_path / "a.vcf", vcf("A", "B", meta + "\n")) == {"A": "BRAF V600E"}


def test_two_callers_records_of_one_variant_count_once(tmp_path):
    head = "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT T1"
    deletion = "CSQ={}|frameshift_variant|APC|ENSP3:p.Arg10fs|1"
    rows = [
        f"7 140453136 . A T . PASS set=one;{SOMATIC} GT 0/1",
        f"chr7 140453136 . A T . PASS set=two;{SOMATIC} GT 0/1",
        f"7 140453136 . A T . PASS set=three;{SOMATIC.replace('Val600Glu', '?')} GT 0/1",
        f"5 100 . TAG T . PASS {deletion.format('-')} GT 0/1",
        f"5 99 . CTAG CT . PASS {deletion.format('-')} GT 0/1",
    ]
    content = "##fileformat=VCFv4.2\n" + CSQ + "\n" + table(head, *rows)
    assert found(tmp_path / "a.vcf", content) == {"T1": "APC R10fs, BRAF V600E"}


def test_a_second_header_in_another_order_is_an_error(tmp_path):
    path = tmp_path / "a.maf"
    header = "Hugo_Symbol Tumor_Sample_Barcode Variant_Classification HGVSp_Short"
    other = "Hugo_Symbol HGVSp_Short Variant_Classification Tumor_Sample_Barcode"
    path.write_text(table(header, "BRAF S1 Missense_Mutation p.V600E", other, "TP53 p.R273H Missense_Mutation S2"))
    with pytest.raises(InputError, match="a second header with other columns is in the middle"):
        inputs.read(str(path))


def test_the_api_has_to_be_asked_for_gene_symbols(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"sampleId": "S1", "entrezGeneId": 673, "proteinChange": "V600E"}]')
    with pytest.raises(InputError, match=r"without gene symbols: .* projection=DETAILED"):
        inputs.read(str(path))


@pytest.mark.parametrize(("status", "counts"), [("Somatic", True), ("Unknown", False)])
def test_what_the_matched_normal_carries_too_counts_where_it_is_called_somatic(tmp_path, status, counts):
    header = f"{MAF} Match_Norm_Seq_Allele1 Match_Norm_Seq_Allele2 Mutation_Status"
    content = table(header, f"{BRAF} A A {status}", f"{KRAS} C T {status}", f"{TP53} C C {status}")
    expected = ALL if counts else {"S1": "BRAF V600E", "S2": "TP53 R273H"}
    assert found(tmp_path / "a.maf", content) == in_order(expected)


def test_a_maf_whose_classes_are_ensembls(tmp_path):
    header = "Hugo_Symbol Tumor_Sample_Barcode Consequence HGVSp_Short"
    content = table(header, "BRAF S1 missense_variant p.V600E", "VHL S1 splice_acceptor_variant .")
    assert found(tmp_path / "a.maf", content) == {"S1": "BRAF V600E, VHL splice"}


def test_a_bare_equals_says_nothing_of_another_variant(tmp_path):
    rows = [BRAF.replace("Missense_Mutation", "Frame_Shift_Del").replace("p.V600E", "p.%3D"), KRAS, TP53]
    assert found(tmp_path / "a.maf", table(MAF, *rows)) == {"S1": "BRAF frameshift, KRAS G12D", "S2": "TP53 R273H"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["csv", "txt"])
def test_utf_16(tmp_path, ending, encoding):
    path = tmp_path / f"a.{ending}"
    path.write_bytes("Sample,Gene,Change\nS1,KRAS,G12D\nS2,BRAF,V600E\n".encode(encoding))
    read = inputs.read(str(path))
    assert read.tables.cases["case_id"].to_pylist() == ["S1", "S2"]
    assert read.tables.variants["protein_change"].to_pylist() == ["G12D", "V600E"]


def test_damaged_utf_16_is_an_error(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("KRAS G12D".encode("utf-16") + b"\x00")
    with pytest.raises(InputError, match=r"damaged UTF-16 text .* save it as UTF-8"):
        inputs.read(str(path))


ANNOTATION = [
    (
        "Gene,MutSig(Q-value),# Mut,#,Profiled Samples,Freq\nTP53,,300,200,400,50%\nKRAS,,100,90,400,22%\n",
        "cBioPortal's summary of a study",
    ),
    ("gene,chromosome,position,arm\nTP53,17,7571720,17p\nKRAS,12,25358180,12p\n", "a table about genes"),
    ("Gene,Start,End,Strand\nKRAS,25358180,25403854,-\nTP53,7571720,7590868,-\n", "a table about genes"),
    ("gene,pathway,role\nTP53,p53,TSG\nKRAS,RAS,oncogene\nBRAF,RAS,oncogene\n", "a table about genes"),
    ("gene,pathway\nTP53,p53\nKRAS,RAS\nBRAF,RAS\n", "no known layout has the columns gene, pathway"),
    ("gene,colour,shape\nTP53,red,round\nKRAS,blue,square\n", "no cell below colour, shape is a mutation"),
    ("gene,S1,S2\nKRAS,12345,200\nTP53,300,4000\n", "holds numbers such as"),
    ("Gene,Sample,CNV\nMYC,S1,amplification\n", "no known column says how the gene is mutated"),
    ("sample,gene,log2\nS1,KRAS,0.3\nS2,MYC,2.1\n", "no known layout has the columns"),
    ("Gene,Sample\nKRAS,1\nTP53,0\n", "holds 0 and 1 and no names"),
    ("Table S1\nSample,Gene,Change\nS1,KRAS,G12D\nS2,BRAF,V600E\n* all somatic\n", "line 5"),
]


@pytest.mark.parametrize(("content", "what"), ANNOTATION)
def test_a_table_without_mutations_is_refused(tmp_path, content, what):
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=what):
        inputs.read(str(path))


@pytest.mark.parametrize("change", ["p.K27M", "p.K28M", "K27M"])
def test_histones_are_numbered_with_the_initial_methionine(tmp_path, change):
    row = f"H3F3A 1 226252135 A A T Missense_Mutation S1 {change}"
    assert found(tmp_path / "a.maf", table(MAF, row)) == {"S1": "H3-3A K28M"}


@pytest.mark.parametrize("change", ["c.35G>A", "chr12:25398284C>T"])
def test_a_row_that_does_not_state_its_class_is_reported(tmp_path, change):
    path = tmp_path / "a.csv"
    path.write_text(f"Sample,Gene,Change\nS1,KRAS,{change}\nS2,TP53,R175H\n")
    ignored = summary.summary(inputs.read(str(path)))["ignored"]
    assert [(each["what"], each["n"]) for each in ignored if "not stated" in each["reason"]] == [("class", 1)]


def test_a_list_of_genes_and_samples_alone_is_reported(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Gene,Sample\nTP53,S1\nKRAS,S1\nBRAF,S2\n")
    ignored = summary.summary(inputs.read(str(path)))["ignored"]
    assert [(each["what"], each["n"]) for each in ignored] == [("class", 3)]


# --- Strelka, which writes no genotypes ---

BASES = "DP:FDP:SDP:SUBDP:AU:CU:GU:TU"


def strelka(record: str, formats: str, normal: str, tumour: str) -> str:
    head = "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT NORMAL TUMOR"
    return "##fileformat=VCFv4.2\n" + CSQ + "\n" + table(head, f"{record} {formats} {normal} {tumour}")


TWO_BASES = "7 140453136 . A T,G . PASS SOMATIC;" + ",".join(
    ["CSQ=T|missense_variant|BRAF|ENSP1:p.Val600Glu|1", "G|missense_variant|BRAF|ENSP1:p.Val600Ala|1"]
)
TWO_INDELS = (
    "5 100 . A AT,AG . PASS SOMATIC;CSQ=T|frameshift_variant|APC|p.Arg10fs|1,G|frameshift_variant|APC|p.Arg11fs|1"
)


@pytest.mark.parametrize(
    ("normal", "tumour", "expected"),
    [
        ("30:0:0:0:30,30:0,0:0,0:0,0", "60:0:0:0:40,40:0,0:0,0:20,20", "BRAF V600E"),
        ("30:0:0:0:30,30:0,0:0,0:0,0", "60:0:0:0:40,40:0,0:20,20:0,0", "BRAF V600A"),
        ("30:0:0:0:30,30:0,0:0,0:0,0", "60:0:0:0:30,30:0,0:15,15:15,15", "BRAF V600A, BRAF V600E"),
        ("30:0:0:0:15,15:0,0:15,15:0,0", "60:0:0:0:30,30:0,0:15,15:15,15", "BRAF V600E"),
        ("30:0:0:0:30,30:0,0:0,0:0,0", "60:0:0:0:30,30:0,0:1,1:25,25", "BRAF V600E"),
        ("30:0:0:0:30,30:0,0:0,0:0,0", "60:0:0:0:60,60:0,0:0,0:0,0", ""),
    ],
)
def test_strelkas_counts_say_which_allele_the_tumour_has(tmp_path, normal, tumour, expected):
    assert found(tmp_path / "a.vcf", strelka(TWO_BASES, BASES, normal, tumour)) == {"TUMOR": expected}


def test_two_indels_at_one_place_of_strelka_are_not_understood(tmp_path):
    path = tmp_path / "a.vcf"
    path.write_text(strelka(TWO_INDELS, "DP:TAR:TIR", "30:30,30:0,0", "30:20,20:10,10"))
    account = inputs.read(str(path)).tables.account
    assert (account.used, list(account.not_understood.values())) == (0, [1])


def test_the_panel_of_a_table_holds_the_genes_that_its_columns_are_about(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Sample,KRAS mutation,BRAF_status,TP53\nS1,G12D,wt,NS\nS2,wt,V600E,R175H\n")
    panels = inputs.read(str(path)).tables.panels
    assert panels == {"table": ["KRAS", "BRAF", "TP53"], "table 2": ["KRAS", "BRAF"]}
