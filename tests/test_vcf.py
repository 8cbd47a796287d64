"""VCFs of every caller and annotator: whose mutations they hold, which of them count, and what became of each line."""

import gzip
import random
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cancertype.errors import InputError
from cancertype.sources import vcf, vcf_header, vcf_info, vcf_samples
from cancertype.sources.settings import ReadingLimits
from cancertype.sources.vcf_alleles import by_allele
from cancertype.sources.vcf_annotation import Effect
from cancertype.variants.cases import CASES, SourceTables
from cancertype.variants.schema import SCHEMA

FILE_FORMAT = "##fileformat=VCFv4.2\n"
CSQ_FIELDS = "Allele|Consequence|SYMBOL|HGVSp|Protein_position|Amino_acids|CANONICAL|PICK|gnomADe_AF"


def declared(key: str, fields: str = CSQ_FIELDS) -> str:
    about = f"Consequence annotations from Ensembl VEP. Format: {fields}"
    return f'##INFO=<ID={key},Number=.,Type=String,Description="{about}">\n'


CSQ = declared("CSQ")
ANN = (
    "##INFO=<ID=ANN,Number=.,Type=String,Description=\"Functional annotations: 'Allele | Annotation | "
    "Annotation_Impact | Gene_Name | Gene_ID | Feature_Type | Feature_ID | Transcript_BioType | Rank | HGVS.c | "
    "HGVS.p | cDNA.pos / cDNA.length | CDS.pos / CDS.length | "
    "AA.pos / AA.length | Distance | ERRORS / WARNINGS / INFO' \">\n"
)
V600E = "T|missense_variant|BRAF|ENSP00000288602.6:p.Val600Glu|600|V/E|YES||"
R80 = "A|stop_gained|CDKN2A||80|R/*|YES||"


def vcf_text(*lines: str, meta: str = CSQ, samples: str = "s1") -> str:
    """A VCF; a line is ``CHROM POS REF ALT FILTER INFO FORMAT sample...``, separated by blanks."""
    head = FILE_FORMAT + meta + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    head += "\tFORMAT\t" + samples.replace(" ", "\t") if samples else ""
    rows = []
    for line in lines:
        chromosome, position, reference, alternative, passed, *rest = line.split()
        rows.append("\t".join([chromosome, position, ".", reference, alternative, ".", passed, *rest]))
    return "\n".join([head, *rows]) + "\n"


def ann(allele: str, terms: str, gene: str, change: str) -> str:
    return f"{allele}|{terms}|HIGH|{gene}|ENSG1|transcript|ENST1|protein_coding|1/2|c.1A>T|{change}|1/1|1/1|1/1||"


def write(folder: Path, text: str, name: str = "a.vcf") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, **options) -> SourceTables:
    return vcf.read(write(folder, text), ReadingLimits(), **options)


def cases(tables: SourceTables) -> list[str]:
    return tables.cases["case_id"].to_pylist()


def mutations(tables: SourceTables, case_id: str | None = None) -> set[tuple[str, str, str]]:
    return {
        (row["gene"], row["protein_change"], row["consequence"])
        for row in tables.variants.to_pylist()
        if case_id is None or row["case_id"] == case_id
    }


def changes(tables: SourceTables) -> set[str]:
    """Gene and protein change of every mutation."""
    return {f"{gene} {change}".strip() for gene, change, _ in mutations(tables)}


def reasons(tables: SourceTables) -> dict[str, int]:
    return {dropped.reason: dropped.n for dropped in tables.dropped}


# --- Who carries what ---


def test_each_sample_carries_the_alleles_of_its_genotype(tmp_path):
    both = f"CSQ={V600E},C|missense_variant|BRAF|p.Val600Gly|600|V/G|YES||"
    lines = [f"7 5 A T,C PASS {both} GT 0/1 1|2 ./. 0/0", f"9 9 G A PASS CSQ={R80} GT 0/0 0 1 0/0"]
    tables = read(tmp_path, vcf_text(*lines, samples="a b c d"))
    assert {case: mutations(tables, case) for case in cases(tables)} == {
        "a": {("BRAF", "V600E", "missense")},
        "b": {("BRAF", "V600E", "missense"), ("BRAF", "V600G", "missense")},
        "c": {("CDKN2A", "R80*", "nonsense")},
        "d": set(),
    }
    assert set(tables.variants["dna"].to_pylist()) == {"snv"}
    assert sorted(tables.variants["substitution"].to_pylist()) == ["C>T", "T>A", "T>A", "T>G"]


def test_without_genotypes_a_variant_is_the_one_tumours(tmp_path):
    line = f"7 5 A T PASS CSQ={V600E} DP:AU 9:1 9:1"
    strelka = read(tmp_path, vcf_text(line, samples="NORMAL TUMOR"))
    assert mutations(strelka, "TUMOR") == {("BRAF", "V600E", "missense")}
    tables = read(tmp_path, vcf_text(line, samples="a b"))
    assert (tables.variants.num_rows, tables.dropped[0].n) == (0, 1)
    assert tables.dropped[0].examples == ("line 4: 7:5 A>T",)
    assert tables.dropped[0].reason.startswith("no genotype")
    assert tables.account.not_understood == {tables.dropped[0].reason: 1}


def test_a_genotype_left_open_is_the_tumours_where_the_caller_says_somatic(tmp_path):
    lines = [f"7 5 A T PASS SOMATIC;CSQ={V600E} GT:AD ./.:9,4 ./.:9,0", f"9 9 G A PASS CSQ={R80} GT:AD ./.:9,4 ./.:9,0"]
    tables = read(tmp_path, vcf_text(*lines, samples="TUMOR NORMAL"))
    assert changes(tables) == {"BRAF V600E"}
    assert tables.account.left_out == {"not called in any tumour": 1}


def test_a_file_of_sites_is_one_case_named_after_it(tmp_path):
    text = vcf_text(f"7 5 A T PASS CSQ={V600E}", samples="")
    for content in (text, text.replace("\tINFO\n", "\tINFO\tFORMAT\n").replace("||\n", "||\tGT\n")):
        tables = vcf.read(write(tmp_path, content, "Mine.vcf"), ReadingLimits())
        assert cases(tables) == ["mine"]
        assert mutations(tables) == {("BRAF", "V600E", "missense")}


def test_a_genotype_that_its_own_filter_marks_is_not_called(tmp_path):
    lines = [f"7 5 A T PASS CSQ={V600E} GT:FT 0/1:LowGQ", f"9 9 G A PASS CSQ={R80} GT:FT 0/1:PASS"]
    tables = read(tmp_path, vcf_text(*lines))
    assert changes(tables) == {"CDKN2A R80*"}
    assert tables.account.left_out == {"marked by the sample's filter (FT)": 1}


def test_a_reference_block_of_a_gvcf_is_no_mutation(tmp_path):
    lines = [
        f"7 5 A T,<NON_REF> PASS CSQ={V600E} GT 0/1",
        "7 6 A <NON_REF> . END=90 GT 0/0",
        "7 99 A <*> . DP=1 GT 0/0",
    ]
    tables = read(tmp_path, vcf_text(*lines))
    assert changes(tables) == {"BRAF V600E"}
    assert tables.account.left_out == {"not called in any tumour": 2}


# --- Matched normals ---

TUMOUR_AND_NORMAL = [
    ("TUMOR NORMAL", "TUMOR"),
    ("NORMAL TUMOR", "TUMOR"),
    ("NORMAL_PT01 TUMOR_PT01", "TUMOR_PT01"),
    ("PT01_tumor_L1 PT01_normal_L1", "PT01_tumor_L1"),
    ("PT01 PT01_germline", "PT01"),
    ("tumor control", "tumor"),
    ("PT01 TUMOR_NORMAL", "PT01"),
    ("PT01-T PT01-N", "PT01-T"),
    ("PT01-T1 PT01-N1", "PT01-T1"),
    ("PT01_T_S1_L001 PT01_N_S2_L001", "PT01_T_S1_L001"),
    ("PT01T PT01N", "PT01T"),
    ("PT01 PT01-N", "PT01"),
    ("left x-N", "left"),
    ("N T", "T"),
    ("P7_blood P7_met", "P7_met"),
    ("P7 P7_PBMC", "P7"),
    ("P7_buffycoat P7_primary", "P7_primary"),
    ("HCC1143 HCC1143BL", "HCC1143"),
    ("COLO829T COLO829R", "COLO829T"),
    ("COLO829 COLO829_BL", "COLO829"),
    ("TCGA-02-0001-01A-01W TCGA-02-0001-10A-01W", "TCGA-02-0001-01A-01W"),
    ("TCGA-02-0001-11A TCGA-02-0001-06A", "TCGA-02-0001-06A"),
    ("TARGET-20-PAAAAA-14A TARGET-20-PAAAAA-09A", "TARGET-20-PAAAAA-09A"),
    ("p1NormalBlood p1Tumor", "p1Tumor"),
    ("tumor none", "tumor"),
    ("PD1234a NORMAL.bam", "PD1234a"),
    ("skin_tumor_vs_blood_normal blood_normal", "skin_tumor_vs_blood_normal"),
]


@pytest.mark.parametrize(("samples", "tumour"), TUMOUR_AND_NORMAL)
def test_a_matched_normal_is_known_by_its_name(tmp_path, samples, tumour):
    here = ["0/1" if name == tumour else "0/0" for name in samples.split()]
    germline = f"9 9 G A PASS CSQ={R80} GT 0/1 0/1"
    tables = read(tmp_path, vcf_text(f"7 5 A T PASS CSQ={V600E} GT {' '.join(here)}", germline, samples=samples))
    assert (cases(tables), changes(tables)) == ([tumour], {"BRAF V600E"})
    assert reasons(tables) == {"also in the matched normal": 1}


@pytest.mark.parametrize(
    "samples",
    [
        "A B",
        "a b c d",
        "CASE-L CASE-M CASE-N CASE-T CASE-X",
        "PT01_abnormal PT02",
        "AML_normal_karyotype AML2",
        "S1 S2 S3",
        "primary relapse",
        "PT01_T1 PT01_T2",
        "control_tumor treated_tumor",
        "blood",
        "tumor_normalized",
        "NA12878 NA12891",
    ],
)
def test_a_tumour_is_no_normal_by_an_accident_of_its_name(tmp_path, samples):
    line = f"7 5 A T PASS CSQ={V600E} GT {' '.join('0/1' for _ in samples.split())}"
    assert cases(read(tmp_path, vcf_text(line, samples=samples))) == sorted(samples.split())


@pytest.mark.parametrize(
    "meta",
    [
        "##normal_sample=b\n##tumor_sample=a\n",
        "##normal_sample=b\n",
        "##PEDIGREE=<Derived=a,Original=b>\n",
        "##PEDIGREE=<ID=a,Original=b>\n",
        "##PEDIGREE=<ID=a,Original_1=b>\n",
        "##PEDIGREE=<Name_0=a,Name_1=b>\n",
        '##PEDIGREE=<Name_0="a",Name_1="b">\n',
        "##SAMPLE=<ID=b,Description=Normal>\n##SAMPLE=<ID=a,Description=Mutant>\n",
        '##SAMPLE=<ID=b,Genomes=Germline,Mixture=1.,Description="Patient germline genome">\n',
        "##SAMPLE=<ID=b,Assay=Exome,Disease=None,Tissue=Blood>\n",
        "##SAMPLE=<ID=b,SampleTCGABarcode=TCGA-06-0881-10A-01W>\n",
        '##SAMPLE=<ID=b,SampleName=P1_normal,Description="one, two">\n',
        "##inputs=NORMAL:b TUMOR:a\n",
        '##GATKCommandLine=<ID=Mutect2,CommandLine="Mutect2 --tumor-sample a --normal-sample b --output x.vcf">\n',
        '##MuTect="analysis_type=MuTect tumor_sample_name=a normal_sample_name=b"\n',
    ],
)
def test_a_matched_normal_is_known_by_the_header(tmp_path, meta):
    line = f"7 5 A T PASS CSQ={V600E} GT 0/1 0/0"
    tables = read(tmp_path, vcf_text(line, samples="a b", meta=CSQ + meta))
    assert (cases(tables), tables.notes["normals"]) == (["a"], ["b"])


@pytest.mark.parametrize(
    "meta",
    [
        "##PEDIGREE=<Derived=relapse,Original=primary>\n",
        '##SAMPLE=<ID=primary,Tissue=Blood,Disease=AML,Description="from blood">\n',
        "##SAMPLE=<ID=relapse,Genomes=Germline;Tumor,Mixture=.3;.7>\n",
        "##PEDIGREE=<Name_0=primary>\n##SAMPLE=<ID=x,Description=Normal>\n",
    ],
)
def test_a_tumour_that_another_derives_from_is_no_normal(tmp_path, meta):
    line = f"7 5 A T PASS CSQ={V600E} GT 0/1 0/1"
    tables = read(tmp_path, vcf_text(line, samples="primary relapse", meta=CSQ + meta))
    assert cases(tables) == ["primary", "relapse"]


def test_a_relapse_and_its_primary_share_the_normal_that_the_header_declares(tmp_path):
    meta = CSQ + "##PEDIGREE=<Derived=R,Original=P>\n##PEDIGREE=<Derived=P,Original=G>\n"
    lines = [f"7 5 A T PASS CSQ={V600E} GT 0/1 0/1 0/0", f"9 9 G A PASS CSQ={R80} GT 0/1 0/1 0/1"]
    tables = read(tmp_path, vcf_text(*lines, samples="P R G", meta=meta))
    assert (cases(tables), changes(tables)) == (["P", "R"], {"BRAF V600E"})


def test_each_tumour_of_a_cohort_is_compared_with_its_own_normal(tmp_path):
    line = f"7 5 A T PASS CSQ={V600E} GT 0/1 0/0 0/1 0/1"
    tables = read(tmp_path, vcf_text(line, samples="P1-T P1-N P2-T P2-N"))
    assert cases(tables) == ["P1-T", "P2-T"]
    assert mutations(tables, "P1-T") == {("BRAF", "V600E", "missense")}
    assert mutations(tables, "P2-T") == set()
    assert tables.account.used == 1


def test_the_user_says_which_sample_is_the_tumour(tmp_path):
    lines = [f"7 5 A T PASS CSQ={V600E} GT 0/1 0/0", f"9 9 G A PASS CSQ={R80} GT 0/1 0/1"]
    text = vcf_text(*lines, samples="a b")
    for options in ({"tumor": "a"}, {"normal": "b"}, {"tumor": "a", "normal": "b"}):
        tables = read(tmp_path, text, **options)
        assert (cases(tables), tables.notes["normals"]) == (["a"], ["b"])
        assert changes(tables) == {"BRAF V600E"}
    # The names say the opposite, and the user is right.
    swapped = vcf_text(*lines, samples="NORMAL TUMOR")
    assert cases(read(tmp_path, swapped, normal="TUMOR")) == ["NORMAL"]
    assert cases(read(tmp_path, swapped, tumor="NORMAL", normal="TUMOR")) == ["NORMAL"]
    assert cases(read(tmp_path, vcf_text(f"7 5 A T PASS CSQ={V600E} GT 0/1", samples="NORMAL"), tumor="NORMAL")) == [
        "NORMAL"
    ]


def test_a_second_tumour_is_not_taken_for_the_normal_of_the_first(tmp_path):
    line = f"7 5 A T PASS CSQ={V600E} GT 0/1 0/1"
    tables = read(tmp_path, vcf_text(line, samples="primary relapse"), tumor="relapse")
    assert (cases(tables), changes(tables), tables.notes["normals"]) == (["relapse"], {"BRAF V600E"}, [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tumor": "c"}, "--tumor c: no such sample: the samples are a, b"),
        ({"normal": "c"}, "--normal c: no such sample: the samples are a, b"),
        ({"tumor": "a", "normal": "a"}, "--tumor and --normal both name a"),
    ],
)
def test_a_sample_that_is_not_there_is_named(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, vcf_text(f"7 5 A T PASS CSQ={V600E} GT 0/1 0/0", samples="a b"), **options)


def test_naming_a_tumour_in_a_file_without_samples_says_that_there_are_none(tmp_path):
    with pytest.raises(InputError, match="the file names no samples"):
        read(tmp_path, vcf_text(f"7 5 A T PASS CSQ={V600E}", samples=""), tumor="a")


# --- What the caller says ---


@pytest.mark.parametrize(
    ("info", "is_used"),
    [
        ("STATUS=StrongSomatic", True),
        ("STATUS=LikelySomatic", True),
        ("STATUS=SampleSpecific", True),
        ("STATUS=Germline", False),
        ("STATUS=StrongLOH", False),
        ("STATUS=LikelyLOH", False),
        ("STATUS=AFDiff", False),
        ("STATUS=Deletion", False),
        ("SS=2", True),
        ("SS=0", False),
        ("SS=1", False),
        ("SS=3", False),
        ("SS=5", False),
        ("SS=Germline", False),
        ("GermlineStatus=Germline_DB", False),
        ("GermlineStatus=Somatic", True),
        ("GERMLINE", False),
        ("LOH", False),
        ("DP=9", True),
    ],
)
def test_what_the_caller_does_not_call_somatic_is_left_out(tmp_path, info, is_used):
    tables = read(tmp_path, vcf_text(f"7 5 A T PASS {info};CSQ={V600E} GT 0/1 0/0", samples="TUMOR NORMAL"))
    assert tables.variants.num_rows == is_used
    assert tables.account.used == is_used
    assert sum(tables.account.left_out.values()) == 1 - is_used


@pytest.mark.parametrize(("status", "is_used"), [("2", True), ("1", False), ("3", False), ("0", False), (".", True)])
def test_the_status_in_the_tumours_own_column_counts(tmp_path, status, is_used):
    line = f"7 5 A T PASS CSQ={V600E} GT:SS 0/0:0 0/1:{status}"
    assert read(tmp_path, vcf_text(line, samples="NORMAL TUMOR")).variants.num_rows == is_used


def test_a_variant_that_the_caller_calls_somatic_may_have_reads_in_the_normal(tmp_path):
    line = f"7 5 A T PASS STATUS=LikelySomatic;CSQ={V600E} GT 0/1 0/1"
    assert changes(read(tmp_path, vcf_text(line, samples="TUMOR NORMAL"))) == {"BRAF V600E"}


def test_where_records_carry_the_flag_somatic_those_without_it_are_left_out(tmp_path):
    lines = [f"7 5 A T PASS SOMATIC;CSQ={V600E} GT 0/1", f"9 9 G A PASS CSQ={R80} GT 0/1"]
    flag = '##INFO=<ID=SOMATIC,Number=0,Type=Flag,Description="Somatic">\n'
    tables = read(tmp_path, vcf_text(*lines, meta=CSQ + flag))
    assert changes(tables) == {"BRAF V600E"}
    assert tables.account.left_out == {"not somatic according to the caller": 1}
    merged = read(tmp_path, vcf_text(*lines, meta=CSQ + flag + "##source=strelka\n##source=Mutect2\n"))
    assert changes(merged) == {"BRAF V600E", "CDKN2A R80*"}
    none_flagged = read(tmp_path, vcf_text(lines[1], meta=CSQ + flag))
    assert changes(none_flagged) == {"CDKN2A R80*"}


def test_filtered_inherited_and_unannotated_variants_are_counted_by_reason(tmp_path):
    lines = [
        f"7 5 A T weak CSQ={V600E} GT 0/1",
        f"7 6 A T PASS CSQ={V600E}0.01 GT 0/1",
        "7 7 A T PASS DP=3 GT 0/1",
        f"7 8 A <DEL> PASS CSQ={V600E} GT 0/1",
        "7 9 A T PASS CSQ=T|synonymous_variant|BRAF|||||| GT 0/1",
        f"7 10 A . PASS CSQ={V600E} GT 0/1",
        f"7 11 A T PASS CSQ={V600E}0.00001 GT 0/1",
        f"7 11 A T PASS CSQ={V600E}0.00001 GT 0/1",
        f"7 x A T PASS CSQ={V600E} GT 0/1",
        f"7 13 A T PASS CSQ={V600E} GT 0/3",
        "7 14 A T PASS CSQ=T|missense_variant||p.Val600Glu||||| GT 0/1",
        "7 15 A T PASS CSQ=T|no_such_term|BRAF|||||| GT 0/1",
        "7 16 A T PASS CSQ=T|intron_variant|BRAF|||||| GT 0/1",
    ]
    tables = read(tmp_path, vcf_text(*lines))
    assert tables.variants.num_rows == 1
    left_out = {
        "marked by FILTER": 1,
        "likely inherited: known to gnomAD": 1,
        "no alleles written out (symbolic, breakend or *)": 1,
        "silent": 1,
        "non-coding": 1,
        "not called in any tumour": 1,
        "the same variant of the same case again": 1,
    }
    not_understood = {
        "no annotation of this allele": 1,
        "the position is not a number": 1,
        "the genotype names an allele that the record lacks": 1,
        "no gene": 1,
        "consequence not recognised": 1,
    }
    assert reasons(tables) == left_out | not_understood
    account = tables.account
    assert (account.unit, account.total, account.used) == ("line", len(lines), 1)
    assert (account.left_out, account.not_understood) == (left_out, not_understood)


@pytest.mark.parametrize("passed", ["PASS", ".", "pass", "NA", "PASS;."])
def test_a_filter_that_says_nothing_passes(tmp_path, passed):
    assert changes(read(tmp_path, vcf_text(f"7 5 A T {passed} CSQ={V600E} GT 0/1"))) == {"BRAF V600E"}


def test_a_variant_that_only_its_protein_change_shows_to_be_silent_is_accounted_for(tmp_path):
    lines = [f"7 5 A T PASS CSQ={V600E} GT 0/1", "7 9 A T PASS CSQ=T|missense_variant|BRAF|p.Val600=||||| GT 0/1"]
    tables = read(tmp_path, vcf_text(*lines))
    assert changes(tables) == {"BRAF V600E"}
    assert tables.account.left_out == {"silent": 1}


# --- What is inherited ---


@pytest.mark.parametrize(
    "field",
    ["gnomAD_AF", "gnomADe_AF", "gnomADg_AF", "gnomADe_NFE_AF", "gnomADg_EAS_AF", "MAX_AF", "ExAC_AF", "AF", "EUR_AF"],
)
def test_vep_s_frequencies_have_many_names(tmp_path, field):
    meta = declared("CSQ", f"Allele|Consequence|SYMBOL|HGVSp|{field}")
    lines = [
        "7 5 A T PASS AF=0.4;CSQ=T|missense_variant|BRAF|p.Val600Glu| GT 0/1",
        "7 6 A T PASS AF=0.4;CSQ=T|missense_variant|TP53|p.Pro72Arg|0.0001&0.66 GT 0/1",
    ]
    tables = read(tmp_path, vcf_text(*lines, meta=meta))
    assert changes(tables) == {"BRAF V600E"}
    assert tables.account.left_out == {"likely inherited: known to gnomAD": 1}


@pytest.mark.parametrize(
    "key",
    [
        "gnomAD_AF", "gnomADe_AF", "gnomad_AF", "AF_popmax", "AF_gnomad", "gnomAD_exome_ALL",
        "gnomAD_genome_EAS", "ExAC_ALL", "gnomAD_AF_popmax", "dbNSFP_gnomAD_exomes_AF", "gnomad41_exome_AF",
        "1000g2015aug_all", "dbNSFP_1000Gp3_AF", "MAX_AF", "AF_grpmax", "non_topmed_AF_popmax",
    ],
)  # fmt: skip
def test_frequencies_beside_snpeffs_annotation_have_many_names(tmp_path, key):
    info = f"{key}=0.00001,0.3;AF=0.4,0.3;ANN={ann('T', 'missense_variant', 'BRAF', 'p.Val600Glu')},"
    info += ann("C", "missense_variant", "TP53", "p.Pro72Arg")
    tables = read(tmp_path, vcf_text(f"7 5 A T,C PASS {info} GT 1/2", meta=ANN))
    assert changes(tables) == {"BRAF V600E"}


@pytest.mark.parametrize(
    "key", ["AF", "gnomAD_AC", "gnomADe_AN", "gnomAD_nhomalt", "TUMOR_AF", "MAF", "VAF", "FOO_ALL"]
)
def test_other_numbers_are_no_population_frequencies(tmp_path, key):
    info = f"{key}=0.4;ANN={ann('T', 'missense_variant', 'BRAF', 'p.Val600Glu')}"
    assert changes(read(tmp_path, vcf_text(f"7 5 A T PASS {info} GT 0/1", meta=ANN))) == {"BRAF V600E"}


def test_mutect2_s_population_frequency_is_a_negative_logarithm(tmp_path):
    lines = [f"7 5 A T PASS POPAF=6.00;CSQ={V600E} GT 0/1", f"9 9 G A PASS POPAF=0.18;CSQ={R80} GT 0/1"]
    assert changes(read(tmp_path, vcf_text(*lines))) == {"BRAF V600E"}


# --- Annotators ---


def test_snpeff_and_vep_say_the_same(tmp_path):
    annotations = (
        f"ANN={ann('T', 'missense_variant', 'BRAF', 'p.Val600Glu')},{ann('T', 'upstream_gene_variant', 'X', '')}"
    )
    expected = mutations(read(tmp_path, vcf_text(f"7 5 A T PASS CSQ={V600E} GT 0/1")))
    assert expected == {("BRAF", "V600E", "missense")}
    for meta in (ANN, ""):
        assert mutations(read(tmp_path, vcf_text(f"7 5 A T PASS {annotations} GT 0/1", meta=meta))) == expected


@pytest.mark.parametrize("key", ["ANN", "vep", "VEP_annotation"])
def test_vep_may_write_under_any_key(tmp_path, key):
    lines = [
        f"7 5 A T PASS {key}={V600E} GT 0/1",
        f"17 9 G A PASS {key}=A|missense_variant|TP53|p.Pro72Arg|||||0.66 GT 0/1",
    ]
    tables = read(tmp_path, vcf_text(*lines, meta=declared(key)))
    assert changes(tables) == {"BRAF V600E"}
    assert tables.notes["annotation"] == key


def test_of_several_annotations_the_one_that_a_record_carries_is_read(tmp_path):
    lines = [
        f"7 5 A T PASS ANN={ann('T', 'missense_variant', 'BRAF', 'p.Val600Glu')} GT 0/1",
        f"9 9 G A PASS CSQ={R80} GT 0/1",
        f"17 9 C T PASS CSQ=.;ANN={ann('T', 'missense_variant', 'TP53', 'p.Arg273His')} GT 0/1",
        f"12 9 C T PASS CSQ=T|missense_variant|||||||;ANN={ann('T', 'missense_variant', 'KRAS', 'p.Gly12Asp')} GT 0/1",
    ]
    tables = read(tmp_path, vcf_text(*lines, meta=CSQ + ANN))
    assert changes(tables) == {"BRAF V600E", "CDKN2A R80*", "TP53 R273H", "KRAS G12D"}
    # VEP's own fields cannot be used here, but SnpEff's can.
    broken = vcf_text(lines[0], meta=declared("CSQ", "Allele|Consequence|Gene") + ANN)
    assert changes(read(tmp_path, broken)) == {"BRAF V600E"}


def test_the_canonical_transcript_speaks_for_a_gene_and_the_most_severe_gene_for_a_variant(tmp_path):
    transcripts = [
        "T|stop_gained|BRAF|p.Val9Ter|9|V/*|||",
        "T|missense_variant|BRAF|p.Val600Glu|600|V/E|YES||",
        "T|upstream_gene_variant|OTHER||||YES||",
    ]
    text = vcf_text(f"7 5 A T PASS CSQ={','.join(transcripts)} GT 0/1")
    assert mutations(read(tmp_path, text)) == {("BRAF", "V600E", "missense")}


def test_a_splice_site_is_more_severe_than_a_new_stop_as_ensembl_orders_them(tmp_path):
    transcripts = ["T|stop_gained|A|p.Val9Ter|9|V/*|||", "T|splice_donor_variant|B||||||"]
    for order in (transcripts, transcripts[::-1]):
        tables = read(tmp_path, vcf_text(f"7 5 A T PASS CSQ={','.join(order)} GT 0/1"))
        assert {gene for gene, _, _ in mutations(tables)} == {"B"}


@pytest.mark.parametrize(
    ("csq", "alleles", "expected"),
    [
        ("A|missense_variant|TP53||175|R/H|YES||", "G A", ("TP53", "R175H", "missense")),
        ("-|frameshift_variant|KEAP1||67|P/X|YES||", "GC G", ("KEAP1", "P67fs", "frameshift")),
        ("-|inframe_deletion|EGFR||746-747|EL/-|YES||", "GCCCAAA G", ("EGFR", "E746_L747del", "inframe")),
        ("GCC|inframe_insertion|ERBB2||775-776|-/A|YES||", "G GGCC", ("ERBB2", "775_776insA", "inframe")),
        ("AA|missense_variant|BRAF||600|V/E|YES||", "AC TT", ("BRAF", "V600E", "missense")),
    ],
)
def test_protein_changes_are_made_of_residues_where_hgvs_is_absent(tmp_path, csq, alleles, expected):
    assert mutations(read(tmp_path, vcf_text(f"17 5 {alleles} PASS CSQ={csq} GT 0/1"))) == {expected}


EFF_HEADER = (
    "##INFO=<ID=EFF,Number=.,Type=String,Description=\"Predicted effects for this variant.Format: 'Effect ( {} ' \">\n"
)
EFF_FIELDS = (
    "Effect_Impact | Functional_Class | Codon_Change | Amino_Acid_Change| Amino_Acid_length | Gene_Name | "
    "Transcript_BioType | Gene_Coding | Transcript_ID | Exon_Rank  | Genotype_Number [ | ERRORS | WARNINGS ] )"
)
OLDER_EFF_FIELDS = (
    "Effect_Impact | Functional_Class | Codon_Change | Amino_Acid_change| Gene_Name | Gene_BioType | Coding | "
    "Transcript | Exon [ | ERRORS | WARNINGS ] )"
)


@pytest.mark.parametrize(
    ("fields", "effects", "alleles", "expected"),
    [
        (
            EFF_FIELDS,
            "NON_SYNONYMOUS_CODING(MODERATE|MISSENSE|gTg/gAg|p.Val600Glu/c.1799T>A|766|BRAF|protein_coding|CODING|ENST1|15|1)",
            "A T",
            "BRAF V600E",
        ),
        (
            EFF_FIELDS,
            "DOWNSTREAM(MODIFIER||||766|OTHER|protein_coding|CODING|ENST2||1),"
            "SPLICE_SITE_REGION+NON_SYNONYMOUS_CODING(MODERATE|MISSENSE|g/a|V600E|766|BRAF|protein_coding|CODING|ENST1|15|1)",
            "A T",
            "BRAF V600E",
        ),
        (
            OLDER_EFF_FIELDS,
            "STOP_GAINED(HIGH|NONSENSE|Cga/Tga|R80*|CDKN2A|protein_coding|CODING|ENST1|exon_9)",
            "G A",
            "CDKN2A R80*",
        ),
        (
            EFF_FIELDS,
            "missense_variant(MODERATE|MISSENSE|gTg/gAg|p.(Val600Glu)/c.1799T>A|766|BRAF|protein_coding|CODING|ENST1|15|1)",
            "A T",
            "BRAF V600E",
        ),
        (
            EFF_FIELDS,
            "FRAME_SHIFT(HIGH||-/A|p.Pro67fs/c.1dup|9|KEAP1|protein_coding|CODING|ENST1|1|2)",
            "G C,GA",
            "KEAP1 P67fs",
        ),
    ],
)
def test_the_older_effects_of_snpeff_are_read(tmp_path, fields, effects, alleles, expected):
    text = vcf_text(f"7 5 {alleles} PASS EFF={effects} GT 1/2", meta=EFF_HEADER.format(fields))
    assert changes(read(tmp_path, text.replace("1/2", "1/2" if "," in alleles else "0/1"))) == {expected}


FUNCOTATOR = (
    '##INFO=<ID=FUNCOTATION,Number=A,Type=String,Description="Functional annotation from the Funcotator tool.  '
    "Funcotation fields are: Gencode_34_hugoSymbol|Gencode_34_chromosome|Gencode_34_variantClassification|"
    "Gencode_34_secondaryVariantClassification|Gencode_34_annotationTranscript|Gencode_34_proteinChange|"
    'gnomAD_exome_AF|HGNC_Name">\n'
)


def test_funcotator_s_annotation_is_read_allele_by_allele(tmp_path):
    lines = [
        "7 5 A T,C PASS FUNCOTATION=[BRAF|chr7|MISSENSE||ENST1|p.V600E||x_%2C_y],"
        "[BRAF|chr7|MISSENSE||ENST1|p.V600G||] GT 0/2",
        "9 9 G A PASS FUNCOTATION=[CDKN2A|chr9|NONSENSE||ENST1|p.R80*||] GT 0/1",
        "17 9 C T PASS FUNCOTATION=[TP53|chr17|MISSENSE||ENST1|p.P72R|6.6e-01|] GT 0/1",
        "17 10 C T PASS FUNCOTATION=[Unknown|chr17|IGR|||||] GT 0/1",
        "17 11 CA C PASS FUNCOTATION=[TP53|chr17|FRAME_SHIFT_DEL||ENST1|p.K11fs||]#[X|chr17|INTRON||ENST2|||] GT 0/1",
        "17 12 C T PASS FUNCOTATION=[TP53|chr17|SPLICE_SITE|INTRON|ENST1|||] GT 0/1",
        "17 13 C T PASS FUNCOTATION=[TP53|chr17|FIVE_PRIME_FLANK||ENST1|||] GT 0/1",
        "17 14 C T PASS FUNCOTATION=[VHL|chr17|START_CODON_SNP||ENST1|p.M1V||] GT 0/1",
    ]
    tables = read(tmp_path, vcf_text(*lines, meta=FUNCOTATOR))
    assert mutations(tables) == {
        ("BRAF", "V600G", "missense"),
        ("CDKN2A", "R80*", "nonsense"),
        ("TP53", "K11fs", "frameshift"),
        ("TP53", "", "splice"),
        ("VHL", "M1?", "start_lost"),
    }
    assert tables.account.left_out == {"likely inherited: known to gnomAD": 1, "non-coding": 2}


BCSQ = (
    '##INFO=<ID=BCSQ,Number=.,Type=String,Description="Local consequence annotation from BCFtools/csq. Format: '
    'Consequence|gene|transcript|biotype|strand|amino_acid_change|dna_change">\n'
)


@pytest.mark.parametrize("meta", [BCSQ, BCSQ.replace("BCSQ", "CSQ", 1), ""])
def test_bcftools_csq_is_read(tmp_path, meta):
    key = "CSQ" if "ID=CSQ" in meta else "BCSQ"
    consequences = [
        "7 5 A T missense|BRAF|ENST1|protein_coding|-|600V>600E|5A>T",
        "9 9 G A stop_gained|CDKN2A|ENST1|protein_coding|-|80R>80*|9G>A",
        "19 5 GC G frameshift|KEAP1|ENST1|protein_coding|+|66LPF*>66LQS|5GC>G",
        "19 6 GC G frameshift&stop_retained|STK11|ENST1|protein_coding|+|10LKL..*>10LPQ..*|6GC>G",
        "17 5 G C splice_donor|TP53|ENST1|protein_coding",
        "7 6 GAAGAA G inframe_deletion|EGFR|ENST1|protein_coding|+|746EL>746E|6GAAGAA>G",
        "17 6 G C synonymous|TP53|ENST1|protein_coding|-|72P|6G>C",
        "17 7 G C @5",
        "17 8 G C *missense|NF1|ENST1|protein_coding|-|72P>72L|8G>C",
        "17 9 G C intron|NF1||protein_coding",
        "17 10 G C splice_region|PTEN|ENST1|protein_coding,missense|PTEN|ENST1|protein_coding|+|130R>130Q|10G>C",
        "17 11 G C 5_prime_utr|PTEN|ENST1|protein_coding",
    ]
    lines = []
    for text in consequences:
        *place, consequence = text.split()
        lines.append(f"{' '.join(place)} PASS {key}={consequence} GT 0/1")
    tables = read(tmp_path, vcf_text(*lines, meta=meta))
    assert mutations(tables) == {
        ("BRAF", "V600E", "missense"),
        ("CDKN2A", "R80*", "nonsense"),
        ("KEAP1", "P67fs", "frameshift"),
        ("STK11", "K11fs", "frameshift"),
        ("TP53", "", "splice"),
        ("EGFR", "L747del", "inframe"),
        ("PTEN", "R130Q", "missense"),
    }
    assert tables.account.left_out == {
        "silent": 2,
        "stated with another variant of the same haplotype": 1,
        "non-coding": 2,
    }


def test_bcftools_csq_names_the_allele_by_its_dna_change(tmp_path):
    value = "missense|BRAF|ENST1|protein_coding|+|7V>7E|120T>A,missense|BRAF|ENST1|protein_coding|+|7V>7A|120T>C"
    assert changes(read(tmp_path, vcf_text(f"7 120 T A,C PASS BCSQ={value} GT 0/2", meta=BCSQ))) == {"BRAF V7A"}
    compound = "missense|BRAF|ENST1|protein_coding|+|7V>7E|120T>A+121G>C,splice_region|BRAF|ENST1|protein_coding"
    assert changes(read(tmp_path, vcf_text(f"7 120 T A,C PASS BCSQ={compound} GT 0/1", meta=BCSQ))) == {"BRAF V7E"}
    splice = "splice_donor|BRAF|ENST1|protein_coding"
    tables = read(tmp_path, vcf_text(f"7 120 T A,C PASS BCSQ={splice} GT 1/2", meta=BCSQ))
    assert mutations(tables) == {("BRAF", "", "splice")} and tables.variants.num_rows == 2


def test_bcftools_csq_writes_nothing_on_a_variant_outside_genes(tmp_path):
    lines = ["7 5 A T PASS BCSQ=missense|BRAF|ENST1|protein_coding|-|600V>600E|5A>T GT 0/1", "7 9 A T PASS DP=3 GT 0/1"]
    tables = read(tmp_path, vcf_text(*lines, meta=BCSQ))
    assert (changes(tables), tables.account.left_out) == ({"BRAF V600E"}, {"non-coding": 1})


def test_annovar_s_vcf_is_read_allele_by_allele(tmp_path):
    def block(what: str, gene: str, change: str, frequency: str) -> str:
        exonic = f"Func.refGene=exonic;Gene.refGene={gene};GeneDetail.refGene=.;ExonicFunc.refGene={what}"
        return f"ANNOVAR_DATE=2020-06-08;{exonic};AAChange.refGene={change};gnomAD_exome_ALL={frequency};ALLELE_END"

    v600e = block("nonsynonymous_SNV", "BRAF", "BRAF:NM_004333:exon15:c.T1799A:p.V600E", ".")
    v600g = block("nonsynonymous_SNV", "BRAF", "BRAF:NM_004333:exon15:c.T1799G:p.V600G", ".")
    r80 = block("stopgain", "CDKN2A", "CDKN2A:NM_1:exon2:c.C238T:p.R80X,CDKN2A:NM_2:exon2:c.C238T:p.R80X", ".")
    common = block("nonsynonymous_SNV", "TP53", "TP53:NM_1:exon4:c.C215G:p.P72R", "0.66")
    silent = block("synonymous_SNV", "TP53", "TP53:NM_1:exon4:c.C216G:p.P72P", ".")
    lines = [
        f"7 5 A T,C PASS AF=0.4;{v600e};{v600g} GT 0/2",
        f"9 9 G A PASS DP=3;{r80} GT 0/1",
        f"17 9 C T PASS DP=3;{common} GT 0/1",
        f"17 10 C T PASS DP=3;{silent} GT 0/1",
        "17 11 C T PASS ANNOVAR_DATE=x;Func.refGene=splicing;Gene.refGene=NF1;ExonicFunc.refGene=.;AAChange.refGene=.;"
        "ALLELE_END GT 0/1",
        r"17 12 C T PASS ANNOVAR_DATE=x;Func.refGene=intergenic;Gene.refGene=A\x3bB;ExonicFunc.refGene=.;"
        "AAChange.refGene=.;ALLELE_END GT 0/1",
    ]
    tables = read(tmp_path, vcf_text(*lines, meta=""))
    assert mutations(tables) == {
        ("BRAF", "V600G", "missense"),
        ("CDKN2A", "R80*", "nonsense"),
        ("NF1", "", "splice"),
    }
    assert tables.account.left_out == {"likely inherited: known to gnomAD": 1, "silent": 1, "non-coding": 1}


# --- Alleles ---


def effects(*spelled: str) -> list[Effect]:
    """Effects; each is ``allele`` or ``allele:number``, and its place among them is its protein change."""
    return [
        Effect(text.partition(":")[0], text.partition(":")[2], "missense_variant", "G", str(i), "ENST1")
        for i, text in enumerate(spelled)
    ]


@pytest.mark.parametrize(
    ("reference", "alternatives", "spelled", "expected"),
    [
        ("A", "T", "T T", [[0, 1]]),
        ("A", "T", "anything", [[0]]),
        ("A", "T,C", "C T", [[1], [0]]),
        # VEP takes the first base off where all share it, and * is none of them.
        ("GC", "G,GT", "- T", [[0], [1]]),
        ("CAG", "C,*", "-", [[0], []]),
        ("CAG", "*,C", "- *", [[], [0]]),
        ("G", "GT,T", "GT T", [[0], [1]]),
        # VEP --minimal, and VEP 115, trim each allele by itself.
        ("CAAGCC", "CAGCC,CA", "- -", [[0], [1]]),
        ("G", "GT,T", "T T", [[0], [1]]),
        ("GAC", "GTC,G", "T -", [[0], [1]]),
        ("CA", "CAA,C", "A -", [[0], [1]]),
        # SnpEff takes off some of what is shared.
        ("TTGTGTGTGTGTGG", "TTGTGTGTGTGTGTGT,TTGTGTGTGTGTGTGTGT", "TGT TGTGT", [[0], [1]]),
        ("ACACG", "ACACGCACA,ACACA", "ACGCACA ACACA", [[0], [1]]),
        # A number counts where it agrees with the spelling: the second record was split after it was annotated.
        ("CAAGCC", "CAGCC,CA", "-:2 -:1", [[1], [0]]),
        ("A", "C", "T:1 C:2", [[1]]),
        ("A", "C", "T G", [[]]),
        ("A", "T,C", ":2 :1", [[1], [0]]),
        ("A", "T,<NON_REF>", "T", [[0], []]),
        ("A", "T,C", "G", [[], []]),
    ],
)
def test_an_annotation_is_of_the_allele_that_its_annotator_spells_so(reference, alternatives, spelled, expected):
    found = by_allele(effects(*spelled.split()), reference, alternatives.split(","))
    assert [[int(effect.protein_change) for effect in own] for own in found] == expected


def test_two_alleles_spelled_alike_are_told_apart_in_each_transcript():
    given = [Effect("-", "", "frameshift_variant", "G", f"{t}{i}", t) for t in ("ENST1", "ENST2") for i in (0, 1)]
    found = by_allele(given, "CAAGCC", ["CAGCC", "CA"])
    assert [[effect.protein_change for effect in own] for own in found] == [["ENST10", "ENST20"], ["ENST11", "ENST21"]]


def test_a_record_of_many_alleles_takes_time_in_proportion_to_them(tmp_path):
    """The record that held a page's only worker for 69 seconds: 1,500 alleles on a line of 51 kB. Its annotations are
    found by look-ups whose number grows with the alleles, and not with their square."""
    rnd = random.Random(1)
    alternatives = sorted({"G" + "".join(rnd.choices("ACGT", k=8)) for _ in range(1_500)})
    csq = ",".join(f"{allele[1:]}|frameshift_variant|G|p.Pro{i + 2}fs|||||" for i, allele in enumerate(alternatives))
    genotype = "/".join(map(str, range(len(alternatives) + 1)))
    tables = read(tmp_path, vcf_text(f"7 5 G {','.join(alternatives)} PASS CSQ={csq} GT {genotype}"))
    assert changes(tables) == {f"G P{i + 2}fs" for i in range(len(alternatives))}


# --- What cannot be read ---

GOOD = vcf_text(f"7 140453136 A T PASS DP=5;CSQ={V600E} GT:AD 0/1:3,4", f"9 21971120 G A . CSQ={R80} GT:AD 1|1:0,9")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("|SYMBOL", "|Gene"), "INFO/CSQ has no field SYMBOL"),
        (GOOD.replace("Format: ", ""), "names no fields"),
        (GOOD.replace("#CHROM", "#CHR"), "line 3: a variant before the line that begins with #CHROM"),
        (GOOD.replace("\tGT:AD", ""), "line 4: 9 fields where 10 columns"),
        (GOOD.replace("\tQUAL\tFILTER", "\tFILTER\tQUAL"), "line 3: the first columns are not #CHROM POS"),
        (GOOD.replace("\t", " "), "line 3: the columns are separated by blanks"),
        (GOOD.replace(CSQ, ""), "no line ##INFO=<ID=CSQ names the fields of CSQ"),
        (GOOD + GOOD.replace("s1", "s2"), "line 8: the header of another VCF, with other samples"),
        (vcf_text(samples="s1 s1"), "sample 's1' is there twice"),
        (vcf_text(samples="x" * 201), "the name of a sample has 201 characters"),
        (vcf_text(samples="NORMAL"), "every sample is a matched normal .NORMAL..* --tumor NAME"),
        (FILE_FORMAT + CSQ, "no line begins with #CHROM"),
        (
            FILE_FORMAT + '##INFO=<ID=FUNCOTATION,Number=A,Description="x">\n' + GOOD.split(CSQ)[1],
            "has no field hugoSymbol",
        ),
        (vcf_text("7 5 A " + ",".join(["T"] * 10_001) + f" PASS CSQ={V600E} GT 0/1"), "line 4: 10,001 alleles"),
        (vcf_text(f"7 5 A T PASS DP={'9' * (16 << 20)} GT 0/1"), "line 4 has more than 16 MB"),
        (vcf_text(samples=" ".join(f"s{i}" for i in range(20_001))), "line 3: 20,001 samples"),
    ],
)
def test_a_vcf_that_cannot_be_read_says_where_and_why(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path, text)
    assert str(tmp_path / "a.vcf") in str(error.value)


def test_two_files_of_the_same_samples_one_behind_the_other_are_read_as_one(tmp_path):
    second = vcf_text(f"17 9 C T PASS CSQ={V600E.replace('BRAF', 'TP53')} GT:AD 0/1:3,4")
    tables = read(tmp_path, GOOD + second)
    assert changes(tables) == {"BRAF V600E", "CDKN2A R80*", "TP53 V600E"}
    assert tables.account.total == 3


def test_a_packed_file_says_the_same(tmp_path):
    path = tmp_path / "a.vcf.gz"
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert changes(vcf.read(path, ReadingLimits())) == changes(read(tmp_path, GOOD)) == {"BRAF V600E", "CDKN2A R80*"}


# --- Without annotation ---


def test_an_unannotated_vcf_gets_the_commands_that_annotate_it(tmp_path):
    path = write(tmp_path, vcf_text("7 5 A T PASS DP=3 GT 0/1", meta=""), "my calls.vcf")
    with pytest.raises(InputError, match="no annotation") as error:
        vcf.read(path, ReadingLimits())
    commands = re.findall(r"`(\w+) ", str(error.value))
    assert commands == ["vep", "snpEff", "bcftools"]
    assert str(error.value).count(f"'{path}'") == 3
    assert "\n" not in str(error.value)
    assert "'my calls.vep.vcf'" in str(error.value) and "--genome" in str(error.value)


@pytest.mark.parametrize(
    ("meta", "assembly"),
    [
        ("##reference=file:///x/Homo_sapiens_assembly38.fasta\n", "--assembly GRCh38"),
        ("##contig=<ID=1,length=249250621>\n", "--assembly GRCh37"),
    ],
)
def test_the_command_names_the_assembly_of_the_file(tmp_path, meta, assembly):
    with pytest.raises(InputError, match=assembly):
        read(tmp_path, vcf_text("7 5 A T PASS DP=3 GT 0/1", meta=meta))


def test_an_annotation_that_is_declared_but_on_no_record_is_none(tmp_path):
    with pytest.raises(InputError, match="no annotation"):
        read(tmp_path, vcf_text("7 5 A T PASS DP=3 GT 0/1"))
    # Where no record was looked at, none can be missed.
    tables = read(tmp_path, vcf_text("7 5 A T weak DP=3 GT 0/1"))
    assert (cases(tables), tables.variants.num_rows) == (["s1"], 0)


EXONS = ("ATGCTGGGTTTTGAAAACGTAGAACGTCTGCTGGAA", "GAAACAGGTCTGGGTACAGTAAACGGTGTACGTTAA")
"""A made-up gene: two exons between untranslated ends, and an intron that begins with GT and ends with AG."""


def made_up_genome(folder: Path, chromosome: str = "7", gff_chromosome: str = "7") -> tuple[Path, Path]:
    """A FASTA and a GFF3 as Ensembl writes it."""
    end, intron = "ACCTGATTCACAGGCTTACA" * 2, "GT" + "ACTTGCCATT" * 4 + "AG"
    sequence = end + EXONS[0] + intron + EXONS[1] + end
    fasta = folder / "genome.fa"
    fasta.write_text(f">{chromosome} made up\n{sequence}\n")
    first = (len(end) + 1, len(end) + len(EXONS[0]))
    second = (first[1] + len(intron) + 1, first[1] + len(intron) + len(EXONS[1]))
    last = len(sequence)
    gene = "ID=gene:ENSG1;Name=MADEUP;biotype=protein_coding;gene_id=ENSG1"
    transcript = "ID=transcript:ENST1;Parent=gene:ENSG1;Name=MADEUP-201;biotype=protein_coding;transcript_id=ENST1"
    rows = [("gene", 1, last, ".", gene), ("mRNA", 1, last, ".", transcript)]
    for (start, stop), (exon_start, exon_stop) in zip((first, second), ((1, first[1]), (second[0], last)), strict=True):
        rows.append(("exon", exon_start, exon_stop, ".", "Parent=transcript:ENST1"))
        rows.append(("CDS", start, stop, "0", "ID=CDS:ENSP1;Parent=transcript:ENST1;protein_id=ENSP1"))
    lines = [f"{gff_chromosome}\thavana\t{kind}\t{a}\t{b}\t.\t+\t{phase}\t{about}" for kind, a, b, phase, about in rows]
    gff = folder / "genes.gff3"
    gff.write_text("##gff-version 3\n" + "\n".join(lines) + "\n")
    return fasta, gff


MADE_UP_CALLS = [
    "{c} 41 A G PASS DP=1 GT 0/1",  # the start codon
    "{c} 44 C T PASS DP=1 GT 0/1",  # L2, silent: CTG and TTG are both leucine
    "{c} 48 G A,<NON_REF> PASS DP=1 GT 0/1",  # G3D
    "{c} 53 G T,C PASS DP=1 GT 0/2",  # E5, to a stop by T and to glutamine by C
    "{c} 56 AAC A PASS DP=1 GT 0/1",  # a frameshift from N6 on
    "{c} 65 C A weak DP=1 GT 0/1",
    "{c} 119 A C PASS DP=1 GT 0/1",  # the splice acceptor
    "{c} 5 G T PASS DP=1 GT 0/1",  # before the gene's coding part
]

needs_bcftools = pytest.mark.skipif(shutil.which("bcftools") is None, reason="bcftools is not installed")


@needs_bcftools
@pytest.mark.parametrize(
    ("names", "chromosome"), [(("7", "7"), "7"), (("chr7", "7"), "chr7"), (("chr7", "7"), "7"), (("7", "chr7"), "chr7")]
)
def test_bcftools_csq_annotates_with_a_genome_and_its_genes(tmp_path, names, chromosome):
    genome, gff = made_up_genome(tmp_path, *names)
    before = sorted(path.name for path in tmp_path.iterdir())
    lines = sorted((line.format(c=chromosome) for line in MADE_UP_CALLS), key=lambda line: int(line.split()[1]))
    tables = read(tmp_path, vcf_text(*lines, meta=""), genome=genome, gff=gff)
    assert mutations(tables) == {
        ("MADEUP", "", "start_lost"),
        ("MADEUP", "G3D", "missense"),
        ("MADEUP", "E5Q", "missense"),
        ("MADEUP", "N6fs", "frameshift"),
        ("MADEUP", "", "splice"),
    }
    assert tables.account.left_out == {"marked by FILTER": 1, "silent": 1, "non-coding": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "a.vcf"])


@needs_bcftools
def test_a_genome_of_another_assembly_is_named_as_the_fault(tmp_path):
    genome, gff = made_up_genome(tmp_path)
    with pytest.raises(InputError, match=r"a.vcf: bcftools csq failed: .*REF"):
        read(tmp_path, vcf_text("7 48 T A PASS DP=1 GT 0/1", meta=""), genome=genome, gff=gff)
    with pytest.raises(InputError, match="no record that passed is on a chromosome of"):
        read(tmp_path, vcf_text("12 48 G A PASS DP=1 GT 0/1", meta=""), genome=genome, gff=gff)
    gff.write_text("##gff-version 3\n")
    with pytest.raises(InputError, match="no coding sequence"):
        read(tmp_path, vcf_text("7 48 G A PASS DP=1 GT 0/1", meta=""), genome=genome, gff=gff)


@needs_bcftools
def test_a_variant_outside_the_genes_is_non_coding_and_one_on_another_chromosome_not_understood(tmp_path):
    genome, gff = made_up_genome(tmp_path)
    genes = gff.read_text().replace("\t1\t", "\t20\t")
    gff.write_text(genes)
    lines = ["7 5 G T PASS DP=1 GT 0/1", "7 48 G A PASS DP=1 GT 0/1", "8 5 G T PASS DP=1 GT 0/1"]
    tables = read(tmp_path, vcf_text(*lines, meta=""), genome=genome, gff=gff)
    assert changes(tables) == {"MADEUP G3D"}
    assert tables.account.left_out == {"non-coding": 1}
    assert tables.account.not_understood == {"no annotation of this allele": 1}


@needs_bcftools
def test_records_out_of_order_are_named_as_the_fault(tmp_path):
    genome, gff = made_up_genome(tmp_path)
    lines = ["7 53 G T PASS DP=1 GT 0/1", "7 48 G A PASS DP=1 GT 0/1"]
    with pytest.raises(InputError, match=r"7:53 comes before 7:48.*bcftools sort"):
        read(tmp_path, vcf_text(*lines, meta=""), genome=genome, gff=gff)


def test_without_bcftools_the_message_says_what_to_install(tmp_path, monkeypatch):
    genome, gff = made_up_genome(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"bcftools is not installed.*`vep "):
        read(tmp_path, vcf_text("7 48 G A PASS DP=1 GT 0/1", meta=""), genome=genome, gff=gff)


def test_a_genome_alone_is_not_enough(tmp_path):
    with pytest.raises(InputError, match="--genome and --gff belong together"):
        read(tmp_path, GOOD, genome=tmp_path / "genome.fa")


def test_an_annotated_file_needs_no_genome(tmp_path):
    tables = read(tmp_path, GOOD, genome=tmp_path / "missing.fa", gff=tmp_path / "missing.gff3")
    assert changes(tables) == {"BRAF V600E", "CDKN2A R80*"}


# --- Damaged and made-up files ---


def check_account(tables: SourceTables, text: str) -> None:
    """Every line below the header is in the account, and as many are used as have a mutation."""
    body = re.split(r"^#CHROM.*\n", text.replace("\r\n", "\n").replace("\r", "\n"), maxsplit=1, flags=re.MULTILINE)[-1]
    account = tables.account
    assert account.total == sum(bool(line.strip()) and not line.startswith("#") for line in body.split("\n"))
    assert account.used + sum(account.left_out.values()) + sum(account.not_understood.values()) == account.total
    assert account.used <= tables.variants.num_rows <= account.used * max(1, tables.cases.num_rows) * 20
    assert bool(account.used) == bool(tables.variants.num_rows)
    assert tables.cases.schema == CASES and tables.variants.schema == SCHEMA
    assert all(n > 0 for n in (*account.left_out.values(), *account.not_understood.values()))


SEEDS = [
    GOOD,
    vcf_text(
        f"7 5 A T,C PASS SS=2;CSQ={V600E},C|missense_variant|BRAF|p.Val600Gly|600|V/G|YES|| "
        "GT:FT 0/1:PASS 0/2:PASS 0/0:.",
        f"9 9 G A PASS STATUS=Germline;POPAF=0.1;CSQ={R80} GT:FT 0/1:. 0/0:. 0/1:.",
        f"9 10 GAA G,* . SOMATIC;CSQ={R80} GT:FT 0/1:. 0/0:. 0/0:.",
        meta=CSQ + '##INFO=<ID=SOMATIC,Number=0,Type=Flag,Description="s">\n##PEDIGREE=<Derived=a,Original=c>\n',
        samples="a b c",
    ),
    vcf_text(f"7 5 A T PASS ANN={ann('T', 'missense_variant', 'BRAF', 'p.Val600Glu')} GT 0/1", meta=ANN),
    vcf_text("7 5 A T PASS BCSQ=missense|BRAF|E|protein_coding|-|600V>600E|5A>T,@9 GT 0/1", meta=BCSQ),
    vcf_text("7 5 A T PASS FUNCOTATION=[BRAF|chr7|MISSENSE||ENST1|p.V600E||] GT 0/1", meta=FUNCOTATOR),
    vcf_text("7 5 A T PASS EFF=STOP_GAINED(HIGH|NONSENSE|C/T|R80*|9|G|p|CODING|E|1|1) GT 0/1", meta=""),
]


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 6), st.text('\t\n|,;:/=<>.-*@0129ACGTNaz#%&[]()+"é', max_size=6)),
        max_size=6,
    ),
)
def test_every_line_of_a_damaged_file_is_accounted_for_or_the_error_says_where(tmp_path_factory, seed, edits):
    text = seed
    for place, cut, new in edits:
        at = int(place * len(text))
        text = text[:at] + new + text[at + cut :]
    path = write(tmp_path_factory.getbasetemp(), text, "damaged.vcf")
    try:
        tables = vcf.read(path, ReadingLimits())
    except InputError as error:
        assert str(path) in str(error)
    else:
        check_account(tables, text)


FIELDS = {
    "chromosome": st.sampled_from(["7", "chrX", "", "é"]),
    "position": st.sampled_from(["5", "6", "0", "x", "", "99999999999999999999"]),
    "id": st.just("."),
    "reference": st.sampled_from(["A", "AC", "N", "", "-", "acg"]),
    "alternative": st.lists(
        st.sampled_from(["T", "AC", "A", "*", "<DEL>", "", "]7:5]T", "-"]), max_size=4
    ).map(",".join),
    "quality": st.just("."),
    "filter": st.sampled_from(["PASS", ".", "weak", "PASS;weak"]),
    "info": st.lists(
        st.sampled_from(
            [f"CSQ={V600E}", f"CSQ={R80},{V600E}", "CSQ=", "CSQ=|||", "SS=1", "SS=2", "SOMATIC", "STATUS=LOH",
             "AF=1", ".", "gnomAD_AF=0.1,0.2", "POPAF=x", "CSQ=T|synonymous_variant|A",
             f"ANN={ann('T', 'stop_gained', 'TP53', 'p.Arg1*')}"]
        ),
        max_size=4,
    ).map(";".join),
    "format": st.sampled_from(["GT", "GT:SS", "AD", "", "SS:GT:FT"]),
    "s1": st.sampled_from(["0/1", "1|2", "./.", "", "0/1:2:PASS", "9/9", "1/1:1", "a/b", "2:0/1:LowQ"]),
    "s2": st.sampled_from(["0/0", "0/1", "1", "2/2", ".", "0/2:1"]),
}  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(st.tuples(*FIELDS.values()), max_size=6),
    samples=st.sampled_from(["T\tN", "a\tb", "x\tx_normal"]),
    meta=st.sampled_from([CSQ, CSQ + ANN, CSQ + '##INFO=<ID=SOMATIC,Number=0,Type=Flag,Description="s">\n']),
)
def test_every_line_of_a_made_up_file_is_accounted_for(tmp_path_factory, records, samples, meta):
    text = vcf_text(meta=meta, samples=samples.replace("\t", " ")) + "".join("\t".join(row) + "\n" for row in records)
    path = write(tmp_path_factory.getbasetemp(), text, "made_up.vcf")
    try:
        tables = vcf.read(path, ReadingLimits())
    except InputError as error:
        assert str(path) in str(error)
    else:
        check_account(tables, text)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(names=st.lists(st.text("TtNnBR01-_. norml", min_size=1, max_size=12), min_size=1, max_size=6, unique=True))
def test_some_sample_is_always_a_tumour_or_the_error_says_that_none_is(names):
    names = [name.strip() for name in names]
    header = vcf_header.Header(Path("a.vcf"), (), tuple(names), 9 + len(names), "", 1)
    try:
        samples = vcf_samples.assign(header)
    except InputError as error:
        assert "every sample is a matched normal" in str(error)
    else:
        assert samples.tumours and not set(samples.tumours) & set(samples.normals)


def test_no_name_of_a_field_is_looked_at_for_long():
    for name in ("_" * 5_000, "gnomad" * 1_000, "af_" * 2_000):
        assert vcf_info.is_population_frequency(name) in (True, False)
