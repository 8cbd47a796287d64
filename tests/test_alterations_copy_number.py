"""Copy number is read from the layouts that people have, and every row of a file is accounted for."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cancertype.alterations import genome
from cancertype.alterations.schema import ARMS
from cancertype.alterations.settings import CopyNumberLimits, limits_of
from cancertype.errors import InputError
from cancertype.sources import copy_number
from tests.segment_files import altered, arm_segments, calls_of, genes_of, write

GBM = {"arm_7p": 0.4, "arm_7q": 0.4, "arm_10p": -0.5, "arm_10q": -0.5}
GBM_CALLS = {"7p": 1, "7q": 1, "10p": -1, "10q": -1}
GBM_COPIES = {"arm_7p": 3, "arm_7q": 3, "arm_10p": 1, "arm_10q": 1}


def reasons(file) -> dict[str, int]:
    return file.account.left_out | file.account.not_understood


# ---- tables of arms


def test_an_arm_table_keeps_the_difference_between_unaltered_and_no_call(tmp_path):
    path = write(tmp_path / "arms.tsv", "Sample\t" + "\t".join(ARMS), "A\t" + "\t".join(["1", "NA", "-1"] + ["0"] * 36))
    file = copy_number.read(path)
    assert altered(calls_of(file.alterations, "A")) == {"1p": 1, "1q": None, "2p": -1}
    assert len(calls_of(file.alterations, "A")) == 39
    assert file.account.total == file.account.used == 39


def test_averages_over_arms_are_no_calls(tmp_path):
    """GISTIC's broad_values_by_arm.txt: a sample whose values are all fractions vanished, and 0.000 became a call."""
    path = write(tmp_path / "broad_values_by_arm.txt", "Chromosome Arm\tS1\tS2", "1p\t0.412\t0.00", "1q\t-0.31\t-0.26")
    with pytest.raises(
        InputError, match=r"line 2: 0\.412 is an average over an arm, not a call: give a table of -1, 0"
    ):
        copy_number.read(path)
    path = write(tmp_path / "calls.txt", "Chromosome Arm\tS1\tS2", "1p\t0.5\t0", "1q\t-1\t1")
    assert reasons(copy_number.read(path)) == {"an arm's call is none of -1, 0, 1": 1}


def test_the_gdc_names_the_arms_of_acrocentric_chromosomes_in_its_own_way(tmp_path):
    header = [f"{arm[:-1]} ({arm})" if arm[:-1] in ("13", "14", "15", "21", "22") else arm for arm in ARMS]
    path = write(
        tmp_path / "PANCAN_ArmCallsAndAneuploidyScore_092817.txt",
        "Sample\tType\tAneuploidyScore\t" + "\t".join(header),
        "TCGA-OR-A5J1-01\tACC\t12\t" + "\t".join("-1" if arm == "22q" else "" if arm == "1q" else "0" for arm in ARMS),
    )
    calls = calls_of(copy_number.read(path).alterations, "TCGA-OR-A5J1-01")
    assert altered(calls) == {"1q": None, "22q": -1}


@pytest.mark.parametrize("words", [("Gain", "Loss", "Unchanged"), ("Gained", "Lost", "Unchanged"), ("1", "-1", "0")])
def test_cbioportals_arm_level_file_has_one_row_per_arm(tmp_path, words):
    gain, loss, same = words
    path = write(
        tmp_path / "data_armlevel_cna.txt",
        "ENTITY_STABLE_ID\tNAME\tDESCRIPTION\tS1\tS2",
        f"seven_short\t 7p\tshort arm\t{gain}\t{same}",
        f"10q_status\t10q\tArm 10q\t{loss}\tNA",
        f"Xp_status\tXp\tArm Xp\t{gain}\t{same}",
    )
    file = copy_number.read(path)
    assert calls_of(file.alterations, "S1") == {"7p": 1, "10q": -1}
    assert calls_of(file.alterations, "S2") == {"7p": 0, "10q": None}
    assert file.account.total == 6
    assert sum(file.account.left_out.values()) == 2  # Xp of both samples


def test_a_call_that_is_no_call_is_named_and_counted(tmp_path):
    path = write(tmp_path / "a.csv", "sample," + ",".join(ARMS), "A," + ",".join(["maybe", "3"] + ["0"] * 37))
    file = copy_number.read(path)
    assert file.account.used == 37
    assert sum(file.account.not_understood.values()) == 2
    assert any("'maybe'" in example for dropped in file.dropped for example in dropped.examples)
    assert set(calls_of(file.alterations, "A")) == set(ARMS[2:])


# ---- gene matrices


def gene_rows(values: dict[str, str], header="Hugo_Symbol\tEntrez_Gene_Id\tS1") -> list[str]:
    return [header, *(f"{gene}\t1\t{value}" for gene, value in values.items())]


def test_cbioportals_gene_matrix_gives_arms_and_genes(tmp_path):
    seven = [gene for gene, arm in genome.gene_arms().items() if arm == "7p"][:10]
    rows = dict.fromkeys(seven, "1") | {"EGFR": "2", "CDKN2A": "-2", "CDKN2B": "-2", "MLLT3": "0"}
    file = copy_number.read(write(tmp_path / "data_cna.txt", *gene_rows(rows)))
    assert calls_of(file.alterations, "S1") == {"7p": 1, "9p": None}
    genes = genes_of(file.alterations, "S1")
    assert (genes["EGFR"], genes["CDKN2A"], genes["MLLT3"]) == (2, -2, 0)
    assert "TP53" not in genes


@pytest.mark.parametrize(
    ("word", "call"),
    [
        ("Amplification", 2),
        ("AMP", 2),
        ("Gain", 1),
        ("Loss", -1),
        ("Deletion", -2),
        ("HOMDEL", -2),
        ("Deep Deletion", -2),
        ("HETLOSS", -1),
        ("Shallow Deletion", -1),
        ("Diploid", 0),
        ("-1.5", -2),
        ("2", 2),
        ("-1", -1),
    ],
)
def test_numbers_and_words_for_a_gene_mean_the_same(tmp_path, word, call):
    path = write(tmp_path / "data_cna.txt", *gene_rows({"ERBB2": word, "TP53": "-1"}))
    assert genes_of(copy_number.read(path).alterations, "S1")["ERBB2"] == call


def test_a_panel_that_reports_only_amplifications_and_deletions_says_nothing_about_arms(tmp_path):
    genes = [gene for gene in sorted(genome.cancer_genes()) if genome.gene_arms()[gene] in ARMS][:300]
    path = write(tmp_path / "data_cna.txt", *gene_rows(dict.fromkeys(genes, "0") | {"ERBB2": "2", "PTEN": "-2"}))
    file = copy_number.read(path)
    assert file.alterations.arms.num_rows == 0
    assert "no 1 and no -1" in file.notes["arms"]
    assert genes_of(file.alterations, "S1")["ERBB2"] == 2


def test_each_assay_of_a_file_is_judged_by_its_own_samples(tmp_path):
    genes = [gene for gene in sorted(genome.cancer_genes()) if genome.gene_arms()[gene] in ARMS][:300]
    rows = {
        gene: f"{'NA' if i < 20 else 0}\t{int(genome.gene_arms()[gene] == '7q')}\t0" for i, gene in enumerate(genes)
    }
    path = write(tmp_path / "data_cna.txt", *gene_rows(rows, "Hugo_Symbol\tEntrez_Gene_Id\tPANEL\tEXOME\tQUIET"))
    file = copy_number.read(path)
    assert calls_of(file.alterations, "PANEL") == {}
    assert altered(calls_of(file.alterations, "EXOME")) == {"7q": 1}
    assert set(calls_of(file.alterations, "QUIET").values()) == {0}
    assert file.notes["arms"].startswith("1 of 3 samples")


def test_a_missing_value_is_no_row_and_an_unread_one_is_reported(tmp_path):
    path = write(tmp_path / "data_cna.txt", *gene_rows({"ERBB2": "NA", "TP53": "what", "PTEN": "-1", "NOGENE1": "1"}))
    file = copy_number.read(path)
    assert genes_of(file.alterations, "S1") == {"PTEN": -1}
    assert (file.account.total, file.account.used) == (4, 1)
    assert sorted(reasons(file).values()) == [1, 1, 1]


def test_the_web_download_of_cbioportal_has_one_row_per_sample(tmp_path):
    path = write(
        tmp_path / "cna.txt",
        "STUDY_ID\tSAMPLE_ID\tEGFR\tMLL2\tPTEN",
        "gbm_tcga\tTCGA-02-0001-01\t2\t0\t-1",
        "gbm_tcga\tTCGA-02-0001-01\t1\t0\t0",
    )
    file = copy_number.read(path)
    assert genes_of(file.alterations, "TCGA-02-0001-01") == {"EGFR": 2, "KMT2D": 0, "PTEN": -1}
    assert file.account.left_out == {"the sample is there twice: the first counts": 3}


def test_gistics_table_names_the_gene_and_its_band(tmp_path):
    path = write(
        tmp_path / "all_thresholded.by_genes_whitelisted.tsv",
        "Gene Symbol\tLocus ID\tCytoband\tTCGA-OR-A5J1-01A-11D-A29H-01\tB",
        "ACAP3\t116983\t1p36.33\t-1\t1",
        "CDKN2A|chr9\t1029\t9p21.3\t-2\t0",
    )
    file = copy_number.read(path)
    assert genes_of(file.alterations, "TCGA-OR-A5J1-01A-11D-A29H-01") == {"CDKN2A": -2}
    assert file.account.used == 4


def test_depmaps_relative_copies_become_log2_ratios(tmp_path):
    genes = [gene for gene, arm in genome.gene_arms().items() if arm in ARMS][::20]
    ratio = {gene: 1.5 if genome.gene_arms()[gene] == "8q" else 1.0 for gene in genes} | {"MYC": 4.0, "CDKN2A": 0.01}
    path = write(
        tmp_path / "OmicsCNGene.csv",
        "," + ",".join(f"{gene} ({place})" for place, gene in enumerate(ratio, 1)),
        "ACH-000001," + ",".join(f"{np.log2(value + 1):.4f}" for value in ratio.values()),
    )
    file = copy_number.read(path)
    assert altered(calls_of(file.alterations, "ACH-000001")) == {"8q": 1}
    genes = genes_of(file.alterations, "ACH-000001")
    assert (genes["MYC"], genes["CDKN2A"]) == (2, -2)


def test_only_the_default_profile_of_a_depmap_model_counts(tmp_path):
    path = write(
        tmp_path / "OmicsCNGene.csv",
        ",SequencingID,ModelID,IsDefaultEntryForModel,EGFR (1956),PTEN (5728)",
        "0,CDS-1,ACH-1,Yes,1.0,1.0",
        "1,CDS-2,ACH-1,No,3.0,1.0",
    )
    file = copy_number.read(path)
    assert genes_of(file.alterations, "ACH-1") == {"EGFR": 0, "PTEN": 0}
    assert file.account.left_out == {"not the default profile of its model": 2}


def test_purples_gene_file_is_read_as_copies(tmp_path):
    genes = [gene for gene, arm in genome.gene_arms().items() if arm in ARMS][::40]
    copies = {gene: 3.02 if genome.gene_arms()[gene] == "7p" else 1.98 for gene in genes} | {"EGFR": 12.3, "PTEN": 0.1}
    path = write(
        tmp_path / "T1.purple.cnv.gene.tsv",
        "chromosome\tstart\tend\tgene\tminCopyNumber\tmaxCopyNumber",
        *(
            f"1\t{1000 * i}\t{1000 * i + 500}\t{gene}\t{value}\t{value}"
            for i, (gene, value) in enumerate(copies.items())
        ),
    )
    file = copy_number.read(path)
    assert altered(calls_of(file.alterations, "T1")) == {"7p": 1}
    assert genes_of(file.alterations, "T1")["EGFR"] == 2
    assert genes_of(file.alterations, "T1")["PTEN"] == -2


def test_a_list_of_events_gives_only_the_genes_that_it_names(tmp_path):
    path = write(
        tmp_path / "cna.csv",
        "Sample,Gene,Call",
        "A,ERBB2,Amplification",
        "A,PTEN,Deletion",
        "B,MYC,Gain",
        "B,RAD21,Gain",
    )
    file = copy_number.read(path)
    assert genes_of(file.alterations, "A") == {"ERBB2": 2, "PTEN": -2}
    assert genes_of(file.alterations, "B") == {"MYC": 1, "RAD21": 1}
    assert file.alterations.arms.num_rows == 0


@pytest.mark.parametrize(
    ("header", "rows", "case"),
    [
        ("Sample,Gene,Type", ["A,EGFR,Amplification", "A,CDKN2A,Deep Deletion"], "A"),
        ("sample_id,gene,copy_number_change", ["A,EGFR,AMP", "A,CDKN2A,HOMDEL"], "A"),
        ("Sample,Gene,Copies", ["A,EGFR,14", "A,CDKN2A,0"], "A"),
        ("Gene,Alteration", ["EGFR,Amplification", "CDKN2A,Deletion"], "cna"),
    ],
)
def test_a_list_of_events_may_name_its_column_in_many_ways_or_no_sample(tmp_path, header, rows, case):
    file = copy_number.read(write(tmp_path / "cna.csv", header, *rows))
    assert genes_of(file.alterations, case) == {"EGFR": 2, "CDKN2A": -2}
    assert (file.account.total, file.account.used) == (2, 2)


@pytest.mark.parametrize("corner", ["", "Unnamed: 0", "Sample"])
def test_the_column_of_genes_or_arms_may_have_any_name(tmp_path, corner):
    genes = write(tmp_path / "genes.csv", f"{corner},S1,S2", "EGFR,2,0", "CDKN2A,\u22122,1")
    file = copy_number.read(genes)
    assert genes_of(file.alterations, "S1") == {"EGFR": 2, "CDKN2A": -2}
    assert genes_of(file.alterations, "S2") == {"EGFR": 0, "CDKN2A": 1}
    arms = write(tmp_path / "arms.csv", f"{corner},S1", "1p,-1", "7q,1", "3p,NA")
    assert calls_of(copy_number.read(arms).alterations, "S1") == {"1p": -1, "7q": 1, "3p": None}


def test_a_table_of_a_few_arms_is_an_arm_table(tmp_path):
    file = copy_number.read(write(tmp_path / "a.tsv", "patient\t1p\t19q", "A\t-1\t-1", "B\t0\tNA"))
    assert calls_of(file.alterations, "A") == {"1p": -1, "19q": -1}
    assert calls_of(file.alterations, "B") == {"1p": 0, "19q": None}


def test_a_list_of_arms_may_have_the_chromosome_in_a_column_of_its_own(tmp_path):
    lines = ("sample\tchromosome\tarm\tcall", "A\t7\tp\tgain", "A\t10\tq\tloss")
    assert calls_of(copy_number.read(write(tmp_path / "a.tsv", *lines)).alterations, "A") == {"7p": 1, "10q": -1}


# ---- segments


def cbs(build="hg38", **values) -> list[str]:
    rows = [f"S1\t{c}\t{s + 1}\t{e}\t100\t{v}" for c, s, e, v in arm_segments(build, **values)]
    return ["ID\tchrom\tloc.start\tloc.end\tnum.mark\tseg.mean", *rows]


SEGMENT_LAYOUTS = {
    "igv.seg": (
        "#track graphType=heatmap",
        "'ID\tchrom\tloc.start\tloc.end\tnum.mark\tseg.mean",
        "S1\t{c}\t{s}\t{e}\t9\t{l}",
    ),
    "gdc.seg": (None, "GDC_Aliquot\tChromosome\tStart\tEnd\tNum_Probes\tSegment_Mean", "S1\t{c}\t{s}\t{e}\t9\t{l}"),
    "S1.cns": (None, "chromosome\tstart\tend\tgene\tlog2\tdepth\tprobes\tweight", "chr{c}\t{s}\t{e}\t-\t{l}\t9\t9\t9"),
    "S1.call.cns": (
        None,
        "chromosome\tstart\tend\tgene\tlog2\tbaf\tcn\tcn1\tcn2\tdepth\tprobes\tweight",
        "chr{c}\t{s}\t{e}\tA,B\t{l}\t\t2\t1\t1\t9\t9\t9",
    ),
    "S1.called.seg": (
        "@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:248956422\n@RG\tID:GATKCopyNumber\tSM:S1",
        "CONTIG\tSTART\tEND\tNUM_POINTS_COPY_RATIO\tMEAN_LOG2_COPY_RATIO\tCALL",
        "chr{c}\t{s}\t{e}\t9\t{l}\t0",
    ),
    "S1.modelFinal.seg": (
        "@HD\tVN:1.6",
        "CONTIG\tSTART\tEND\tNUM_POINTS_COPY_RATIO\tNUM_POINTS_ALLELE_FRACTION\tLOG2_COPY_RATIO_POSTERIOR_10\t"
        "LOG2_COPY_RATIO_POSTERIOR_50\tLOG2_COPY_RATIO_POSTERIOR_90\tMINOR_ALLELE_FRACTION_POSTERIOR_50",
        "chr{c}\t{s}\t{e}\t9\t9\t-5\t{l}\t5\t0.4",
    ),
    "facets.cncf.txt": (
        None,
        "ID\tchrom\tloc.start\tloc.end\tseg\tnum.mark\tnhet\tcnlr.median\tmafR\tcf.em\ttcn.em\tlcn.em",
        "S1\t{c}\t{s}\t{e}\t1\t9\t9\t{l}\t0.1\t0.8\t{n}\t1",
    ),
    "ascat.segments.txt": (None, "sample\tchr\tstartpos\tendpos\tnMajor\tnMinor", "S1\t{c}\t{s}\t{e}\t{major}\t1"),
    "gdc.ascat.txt": (
        None,
        "GDC_Aliquot\tChromosome\tStart\tEnd\tCopy_Number\tMajor_Copy_Number\tMinor_Copy_Number",
        "S1\tchr{c}\t{s}\t{e}\t{n}\t{major}\t1",
    ),
    "S1_segments.txt": (
        None,
        '"chromosome"\t"start.pos"\t"end.pos"\t"Bf"\t"N.BAF"\t"sd.BAF"\t"depth.ratio"\t"N.ratio"\t"sd.ratio"\t"CNt"\t"A"\t"B"',
        '"chr{c}"\t{s}\t{e}\t0.4\t9\t0.1\t1.0\t9\t0.1\t{n}\t{major}\t1',
    ),
    "S1.purple.cnv.somatic.tsv": (
        None,
        "chromosome\tstart\tend\tcopyNumber\tbafCount\tobservedBAF\tbaf\tsegmentStartSupport\tsegmentEndSupport\tmethod\t"
        "depthWindowCount\tgcContent\tminStart\tmaxStart\tminorAlleleCopyNumber\tmajorAlleleCopyNumber",
        "chr{c}\t{s}\t{e}\t{n}.04\t9\t0.5\t0.5\tTELOMERE\tNONE\tBAF_WEIGHTED\t9\t0.4\t1\t1\t1\t{major}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEGMENT_LAYOUTS)
@pytest.mark.parametrize("packed", [False, True])
def test_segments_of_each_tool_give_the_same_arms(tmp_path, name, packed):
    comment, header, row = SEGMENT_LAYOUTS[name]
    lines = [*([comment] if comment else []), header]
    for (c, s, e, l), (*_, n) in zip(arm_segments(**GBM), arm_segments(neutral=2, **GBM_COPIES), strict=True):  # noqa: E741
        lines.append(row.format(c=c, s=s + 1, e=e, l=l, n=int(n), major=int(n) - 1))
    path = write(tmp_path / name, *lines)
    if packed:
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    file = copy_number.read(path)
    assert altered(calls_of(file.alterations, "S1")) == GBM_CALLS
    assert len(calls_of(file.alterations, "S1")) == 39
    assert file.notes["build"] == "hg38"
    assert file.account.used == file.account.total == 39
    assert genes_of(file.alterations, "S1")["EGFR"] == 1


@pytest.mark.parametrize(("log2", "call"), [(0.2, 1), (0.19, 0), (-0.2, -1), (0.9, 2), (-1.1, -2), (-1.09, -1)])
def test_the_limits_of_a_log2_ratio_are_from_the_samples_median(tmp_path, log2, call):
    for shift in (0.0, 0.3):
        rows = cbs(neutral=shift, arm_7p=shift + log2, arm_1p=shift + 0.5)
        file = copy_number.read(write(tmp_path / "a.seg", *rows))
        assert genes_of(file.alterations, "S1")["EGFR"] == call


@pytest.mark.parametrize(
    ("ploidy", "copies", "call"),
    [(2, 3, 1), (2, 6, 2), (2, 5, 1), (4, 4, 0), (4, 8, 2), (4, 3, -1), (2, 0, -2), (2, 1, -1)],
)
def test_copies_are_judged_by_the_samples_ploidy(tmp_path, ploidy, copies, call):
    rows = arm_segments(neutral=ploidy, arm_7p=copies, arm_3p=ploidy - 1)
    lines = [f"S1,{c},{s + 1},{e},{v - 1},{min(v, 1)}" for c, s, e, v in rows]
    path = write(tmp_path / "ascat.csv", "sample,chr,startpos,endpos,nMajor,nMinor", *lines)
    assert genes_of(copy_number.read(path).alterations, "S1")["EGFR"] == call


def test_a_limit_can_be_set(tmp_path):
    path = write(tmp_path / "a.seg", *cbs(arm_7p=0.15, arm_1p=0.5))
    assert altered(calls_of(copy_number.read(path).alterations, "S1")) == {"1p": 1}
    calls = copy_number.read(path, limits=CopyNumberLimits(gained_log2=0.1)).alterations
    assert altered(calls_of(calls, "S1")) == {"1p": 1, "7p": 1}


@pytest.mark.parametrize(("share", "call"), [(0.81, 1), (0.79, None), (0.21, None), (0.19, 0)])
def test_an_arm_needs_four_fifths_for_a_gain_and_allows_one_fifth_for_none(tmp_path, share, call):
    chromosome, start, end = genome.arm_bounds("hg38")["7q"]
    cut = start + int(share * (end - start))
    rows = [row for row in cbs(arm_1p=0.5) if not row.startswith(f"S1\t7\t{start + 1}\t")]
    rows += [f"S1\t{chromosome}\t{start}\t{cut}\t9\t0.5", f"S1\t{chromosome}\t{cut}\t{end}\t9\t0"]
    calls = calls_of(copy_number.read(write(tmp_path / "a.seg", *rows)).alterations, "S1")
    assert calls["7q"] == call


def test_an_arm_that_segments_hardly_cover_was_not_looked_at(tmp_path):
    rows = [row for row in cbs(arm_1p=0.5) if "\t7\t" not in row] + ["S1\t7\t1000000\t9000000\t9\t0.5"]
    calls = calls_of(copy_number.read(write(tmp_path / "a.seg", *rows)).alterations, "S1")
    assert "7p" not in calls and "7q" not in calls and calls["1p"] == 1


@pytest.mark.parametrize("build", genome.BUILDS)
def test_the_build_follows_from_the_ends_of_the_chromosomes(tmp_path, build):
    assert copy_number.read(write(tmp_path / "a.seg", *cbs(build, arm_1p=0.5))).notes["build"] == build


def test_an_undecided_build_is_asked_for_only_where_it_matters(tmp_path):
    whole = {"1": 0.5} | dict.fromkeys(("2", "3", "4", "5", "6"), 0.0)
    rows = ["ID\tchrom\tstart\tend\tseg.mean", *(f"S1\t{c}\t1\t170000000\t{v}" for c, v in whole.items())]
    file = copy_number.read(write(tmp_path / "a.seg", *rows))
    assert file.notes["build"] == "hg19 or hg38, which give the same calls"
    span = genome.gene_spans("hg38")
    place = span.genes.index("KIT")
    rows = [row for row in rows if "\t4\t" not in row]
    start, end = span.starts[place], span.ends[place]
    rows += [f"S1\t4\t1\t{start}\t0", f"S1\t4\t{start}\t{end}\t2.0", f"S1\t4\t{end}\t170000000\t0"]
    path = write(tmp_path / "c.seg", *rows)
    with pytest.raises(InputError, match="fit both hg19 and hg38"):
        copy_number.read(path)
    assert genes_of(copy_number.read(path, build="hg38").alterations, "S1")["KIT"] == 2


def test_segments_behind_the_end_of_a_chromosome_are_refused_with_both_numbers(tmp_path):
    path = write(tmp_path / "a.seg", *cbs(), "S1\t21\t1\t99000000\t9\t0")
    with pytest.raises(InputError, match=r"chromosome 21 ends at 99,000,000.*hg19 and hg38 \(48,129,895\)"):
        copy_number.read(path)
    path = write(tmp_path / "b.seg", *cbs("hg38", arm_1p=0.5))
    with pytest.raises(InputError, match="behind the chromosome's end in hg19"):
        copy_number.read(path, build="hg19")


def test_ends_that_are_rounded_up_to_bins_still_show_the_build(tmp_path):
    rows = [f"S1\t{c}\t{s + 1}\t{-(-e // 50_000) * 50_000}\t9\t{v}" for c, s, e, v in arm_segments("hg19", arm_1p=0.5)]
    assert copy_number.read(write(tmp_path / "a.seg", cbs()[0], *rows)).notes["build"] == "hg19"


def test_sex_chromosomes_bad_numbers_and_repeated_rows_are_counted(tmp_path):
    rows = cbs(arm_1p=0.5)
    extra = ["S1\tX\t1\t1000000\t9\t-1", "S1\tMT\t1\t16000\t9\t0", "S1\t2\t1\tend\t9\t0", "S1\t2\t9\t5\t9\t0",
             "S1\t2\t1\t500\t9\tNA", rows[1]]  # fmt: skip
    account = copy_number.read(write(tmp_path / "a.seg", *rows, *extra)).account
    assert (account.total, account.used) == (45, 39)
    assert account.left_out == {
        "sex chromosome, mitochondrium or contig": 2,
        "no value (NA)": 1,
        "the same segment twice": 1,
    }
    assert sum(account.not_understood.values()) == 2


def test_a_flat_profile_of_unknown_purity_counts_as_not_looked_at(tmp_path):
    file = copy_number.read(write(tmp_path / "a.seg", *cbs(arm_7p=0.08)))
    assert file.alterations.arms.num_rows == file.alterations.genes.num_rows == 0
    assert file.account.left_out == {"a flat profile of a sample of unknown purity: not looked at": 39}
    assert [d.examples for d in file.dropped] == [("S1",)]


def test_samples_that_count_as_not_looked_at_are_named_with_the_reason(tmp_path):
    flat = copy_number.read(write(tmp_path / "a.seg", *cbs(arm_7p=0.08)))
    assert list(flat.withdrawn) == ["S1"] and flat.withdrawn["S1"].startswith("the profile is flat")
    impure = copy_number.read(write(tmp_path / "b.seg", *cbs(**GBM)), purity=0.1)
    assert impure.withdrawn == {"S1": "the purity 0.10 is below 0.20"}
    matrix = write(tmp_path / "data_cna.txt", "Hugo_Symbol\tS1\tS2", "EGFR\t2\t0", "MYC\t1\t1", "PTEN\t-1\t0")
    assert copy_number.read(matrix, purity={"S2": 0.05}).withdrawn == {"S2": "the purity 0.05 is below 0.20"}
    assert copy_number.read(write(tmp_path / "c.seg", *cbs(**GBM))).withdrawn == {}


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("gained_log2", "'gained_log2' is not NAME=NUMBER"),
        ("gain=0.3", "no limit 'gain': choose from gained_log2, lost_log2"),
        ("gained_log2=a", "gained_log2 is 'a', which is no number"),
        ("gained_log2=-0.3", "gained_log2 is -0.3: Input should be greater than 0"),
        ("gained_log2=nan", "gained_log2 is nan"),
        ("amplified_copies=2.5", "amplified_copies is 2.5"),
        ("purity=0.1,purity=0.2", "purity is stated twice"),
    ],
)
def test_limits_that_cannot_be_are_named(stated, message):
    with pytest.raises(InputError, match=message):
        limits_of(stated)


def test_every_limit_is_documented_with_its_default():
    text = Path(__file__).parents[1].joinpath("docs", "data.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for name, default in CopyNumberLimits().model_dump().items():
        (row,) = [row for row in rows if f"`{name}`" in row.split("|")[1]]
        assert f"{default:,}" in row.split("|")[2]


def test_limits_are_stated_as_text_or_by_a_mapping_and_the_others_keep_their_defaults():
    assert limits_of(None) == CopyNumberLimits() == limits_of({})
    wanted = CopyNumberLimits(gained_log2=0.3, amplified_copies=6)
    assert limits_of("gained_log2=0.3, amplified_copies=6") == wanted
    assert limits_of({"gained_log2": 0.3, "amplified_copies": 6}) == limits_of(wanted) == wanted


def test_a_flat_profile_of_a_pure_sample_is_evidence(tmp_path):
    file = copy_number.read(write(tmp_path / "a.seg", *cbs()), purity=0.7)
    assert set(calls_of(file.alterations, "S1").values()) == {0}


def test_a_focal_amplification_shows_that_the_sample_holds_a_tumour(tmp_path):
    span = genome.gene_spans("hg38")
    place = span.genes.index("EGFR")
    focal = f"S1\t7\t{span.starts[place] - 9}\t{span.ends[place] + 9}\t9\t2.5"
    rows = [row for row in cbs() if not row.startswith("S1\t7\t1\t")]
    before = f"S1\t7\t1\t{span.starts[place] - 10}\t9\t0"
    after = f"S1\t7\t{span.ends[place] + 10}\t60000000\t9\t0"
    file = copy_number.read(write(tmp_path / "a.seg", *rows, before, focal, after))
    assert genes_of(file.alterations, "S1")["EGFR"] == 2
    assert altered(calls_of(file.alterations, "S1")) == {}


def test_a_sample_below_the_purity_limit_counts_as_not_looked_at(tmp_path):
    path = write(tmp_path / "a.seg", *cbs(**GBM))
    file = copy_number.read(path, purity={"S1": 0.15})
    assert file.alterations.arms.num_rows == 0
    assert "below the limit" in next(iter(file.account.left_out))
    assert copy_number.read(path, purity={"S1": 0.25}).alterations.arms.num_rows == 39


def test_purple_states_purity_and_ploidy_in_the_file_beside(tmp_path):
    rows = [f"{c}\t{s + 1}\t{e}\t{v}" for c, s, e, v in arm_segments(neutral=2)]
    path = write(tmp_path / "T.purple.cnv.somatic.tsv", "chromosome\tstart\tend\tcopyNumber", *rows)
    assert copy_number.read(path).alterations.arms.num_rows == 0
    write(tmp_path / "T.purple.purity.tsv", "purity\tnormFactor\tscore\tploidy", "0.65\t1\t1\t2.01")
    assert set(calls_of(copy_number.read(path).alterations, "T").values()) == {0}


def test_a_seg_file_needs_no_header(tmp_path):
    file = copy_number.read(write(tmp_path / "a.seg", *cbs(**GBM)[1:]))
    assert altered(calls_of(file.alterations, "S1")) == GBM_CALLS
    assert file.account.used == 39


@pytest.mark.parametrize(
    "header",
    ["sample,Chrom,Start,End,value", "sampleID,chrom,arm,start.pos,end.pos,mean", "S,chr,start,end,LOG2_RATIO_MEAN",
     "Sampleid,chr,start,end,arm,seg.mean"],
)  # fmt: skip
def test_segments_of_other_tools_are_known_by_their_columns(tmp_path, header):
    keys = [name.lower().replace(".", "") for name in header.split(",")]

    def row(chromosome, start, end, value) -> str:
        named = {"chrom": chromosome, "chr": chromosome, "start": start + 1, "startpos": start + 1, "end": end,
                 "endpos": end, "arm": "p", "sample": "A", "sampleid": "A", "s": "A"}  # fmt: skip
        return ",".join(str(named.get(key, value)) for key in keys)

    path = write(tmp_path / "A.csv", header, *(row(*each) for each in arm_segments(arm_7p=0.5, arm_10q=-0.5)))
    assert altered(calls_of(copy_number.read(path).alterations, "A")) == {"7p": 1, "10q": -1}


def test_ascatngs_segments_have_no_header(tmp_path):
    rows = [f"{i},{c},{s + 1},{e},2,1,{int(v)},1" for i, (c, s, e, v) in enumerate(arm_segments(neutral=2, arm_7p=3))]
    file = copy_number.read(write(tmp_path / "A.copynumber.caveman.csv", *rows))
    assert altered(calls_of(file.alterations, "A")) == {"7p": 1}
    assert file.account.used == len(ARMS)


def test_numbers_may_have_decimal_commas_and_commas_between_thousands(tmp_path):
    rows = [f"A;{c};{s + 1:,};{e:,};{str(v).replace('.', ',')}" for c, s, e, v in arm_segments(arm_7p=0.5, arm_3p=-0.5)]
    file = copy_number.read(write(tmp_path / "a.csv", "sample;chromosome;start;end;log2", *rows))
    assert altered(calls_of(file.alterations, "A")) == {"7p": 1, "3p": -1}


def test_depmaps_segments_are_plain_ratios(tmp_path):
    rows = [f"PR-1,{c},{s + 1},{e},9,{2**v}" for c, s, e, v in arm_segments(**GBM)]
    path = write(tmp_path / "OmicsCNSegmentsProfile.csv", "ProfileID,Chromosome,Start,End,NumProbes,SegmentMean", *rows)
    assert altered(calls_of(copy_number.read(path).alterations, "PR-1")) == GBM_CALLS


def test_a_row_of_the_wrong_width_is_named(tmp_path):
    path = write(tmp_path / "a.seg", *cbs(arm_1p=0.5), "S1\t1\t5")
    with pytest.raises(InputError, match=r"a\.seg: line 41: 3 fields where 6 columns"):
        copy_number.read(path)


# ---- VCF


def vcf(header: list[str], columns: str, records: list[str]) -> list[str]:
    return [
        "##fileformat=VCFv4.2",
        *header,
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{columns}",
        *records,
    ]


def test_a_dragen_vcf_gives_copies_and_leaves_out_what_its_filter_marks(tmp_path):
    lengths = [f"##contig=<ID=chr{n},length={genome.chromosome_lengths('hg38')[n]}>" for n in genome.AUTOSOMES]
    records = [
        f"chr{c}\t{s + 1}\tDRAGEN:{'REF' if n == 2 else 'GAIN'}:chr{c}\tN\t{'.' if n == 2 else '<DUP>'}\t99\tPASS\t"
        f"SVTYPE=CNV;END={e};REFLEN={e - s}\tGT:SM:CN:BC:PE\t./1:{n / 2}:{int(n)}:9:0,0"
        for c, s, e, n in arm_segments(neutral=2, **GBM_COPIES)
    ]
    records.append("chr1\t5\tx\tN\t<DEL>\t3\tcnvLength\tSVTYPE=CNV;END=5000\tGT:SM:CN:BC:PE\t0/1:0.5:1:1:0,0")
    head = ["##EstimatedTumorPurity=0.65", "##OverallPloidy=2.05", *lengths]
    file = copy_number.read(write(tmp_path / "t.cnv.vcf", *vcf(head, "T1", records)))
    assert altered(calls_of(file.alterations, "T1")) == GBM_CALLS
    assert file.account.left_out == {"marked by FILTER": 1}
    assert file.notes["build"] == "hg38"


def test_a_vcf_without_a_purity_model_is_read_by_its_ratio(tmp_path):
    records = [
        f"{c}\t{s + 1}\t.\tN\t<CNV>\t99\tPASS\tEND={e}\tGT:SM:CN\t./.:{2**v:.4f}:.\t./.:1:2"
        for c, s, e, v in arm_segments(**GBM)
    ]
    file = copy_number.read(write(tmp_path / "t.vcf", *vcf([], "T1\tT1_normal", records)))
    assert altered(calls_of(file.alterations, "T1")) == GBM_CALLS
    assert set(file.alterations.arms["case_id"].to_pylist()) == {"T1"}


def test_a_vcf_of_small_variants_is_no_copy_number(tmp_path):
    path = write(tmp_path / "t.vcf", *vcf([], "T1", ["1\t5\t.\tA\tT\t9\tPASS\tDP=9\tGT\t0/1"]))
    with pytest.raises(InputError, match="none of its 1 records states copies"):
        copy_number.read(path)


def test_facets_vcf_has_no_sample_columns_and_states_purity_in_its_header(tmp_path):
    records = [
        f"chr{c}\t{s + 1}\t{i}\tN\t<CNV>\t.\tPASS\tSVTYPE=NEUTR;END={e};CNLR_MEDIAN=0.1;TCN_EM={int(n)};LCN_EM=1"
        for i, (c, s, e, n) in enumerate(arm_segments(neutral=2))
    ]
    lines = ["##fileformat=VCFv4.2", "##purity=0.8", "##ploidy=2.02", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    file = copy_number.read(write(tmp_path / "S9.vcf", *lines, *records))
    assert set(calls_of(file.alterations, "S9").values()) == {0}


def test_a_vcf_that_lists_altered_segments_only_is_not_centred_on_them(tmp_path):
    records = [
        f"{c}\t{s + 1}\t.\tN\t<DUP>\t.\t.\tSVTYPE=DUP;END={e};FOLD_CHANGE_LOG={v}\tGT:GQ\t0/1:9"
        for c, s, e, v in arm_segments(neutral=0, **GBM)
        if v
    ]
    calls = calls_of(copy_number.read(write(tmp_path / "t.vcf", *vcf([], "T1", records))).alterations, "T1")
    assert calls == GBM_CALLS


def test_a_matrix_of_whole_copies_is_not_read_as_levels(tmp_path):
    genes = [gene for gene, arm in sorted(genome.gene_arms().items()) if arm in ARMS][::30]
    copies = {gene: "1" if genome.gene_arms()[gene] == "3p" else "2" for gene in genes}
    file = copy_number.read(write(tmp_path / "cn.txt", *gene_rows(copies)))
    assert altered(calls_of(file.alterations, "S1")) == {"3p": -1}
    file = copy_number.read(write(tmp_path / "cn.txt", *gene_rows(copies | {"EGFR": "9", "PTEN": "0"})))
    genes = genes_of(file.alterations, "S1")
    assert (genes["EGFR"], genes["PTEN"]) == (2, -2)
    assert file.notes["layout"].endswith("copies")


# ---- anything else


def test_a_vcf_with_another_header_is_refused(tmp_path):
    path = write(tmp_path / "t.vcf", "##fileformat=VCFv4.2", "#CHROM\tPOS\tREF", "1\t2\tA")
    with pytest.raises(InputError, match="first columns are not #CHROM POS ID REF"):
        copy_number.read(path)


def test_a_file_without_a_row_of_an_autosome_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no row"):
        copy_number.read(write(tmp_path / "a.seg", cbs()[0]))
    with pytest.raises(InputError, match="sex chromosome, mitochondrium or contig: 1"):
        copy_number.read(write(tmp_path / "a.seg", cbs()[0], "S1\tX\t1\t500\t9\t0"))


@pytest.mark.parametrize("purity", ["much", -0.5, 200])
def test_a_purity_that_is_no_share_is_refused(tmp_path, purity):
    with pytest.raises(InputError, match="neither a share from 0 to 1 nor a percentage"):
        copy_number.read(write(tmp_path / "a.seg", *cbs(arm_1p=0.5)), purity={"S1": purity})


def test_an_unknown_layout_is_refused_with_its_columns_and_what_is_readable(tmp_path):
    path = write(tmp_path / "x.tsv", "alpha\tbeta\tgamma", "1\t2\t3")
    with pytest.raises(InputError, match=r"columns are alpha, beta, gamma.*table of chromosome arms"):
        copy_number.read(path)


def test_an_unknown_build_is_refused(tmp_path):
    with pytest.raises(InputError, match="hg19, hg38"):
        copy_number.read(tmp_path / "x", build="hg18")


NAMES = [*ARMS[:12], "Sample", "Hugo_Symbol", "TP53", "EGFR", "chrom", "start", "end", "seg.mean", "nMajor", "S1"]
CELLS = st.sampled_from(["0", "1", "-1", "NA", "", "2", "x", "0.5", "-0.31", "inf", "1e400", "Gain", "chr7", "7p", "é"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.lists(st.sampled_from(NAMES), min_size=1, max_size=14, unique=True),
    rows=st.lists(st.lists(CELLS, min_size=14, max_size=14), max_size=5),
)
def test_any_table_is_either_read_with_every_cell_accounted_for_or_refused_with_its_name(tmp_path, header, rows):
    path = write(tmp_path / "any.tsv", "\t".join(header), *("\t".join(row[: len(header)]) for row in rows))
    try:
        file = copy_number.read(path)
    except InputError as error:
        assert "any.tsv" in str(error)
        return
    account = file.account
    assert account.total == account.used + sum(account.left_out.values()) + sum(account.not_understood.values())
    assert set(file.alterations.arms["call"].to_pylist()) <= {-1, 0, 1, None}
    assert set(file.alterations.genes["call"].to_pylist()) <= {-2, -1, 0, 1, 2}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "chr2", "X", "GL1", ""]),
            st.sampled_from(["1", "5000", "x", ""]),
            st.sampled_from(["END=9000000", "SVLEN=-5", "END=", "", "END=x;CN=3", "FOLD_CHANGE_LOG=0.3;END=90000"]),
            st.sampled_from(["CN", "SM:CN", "GT", ""]),
            st.sampled_from(["3", ".", "0.5:2", "", "a:b:c"]),
        ),
        max_size=5,
    )
)
def test_any_vcf_is_either_read_with_every_record_accounted_for_or_refused_with_its_name(tmp_path, records):
    lines = [f"{c}\t{p}\t.\tN\t<CNV>\t.\tPASS\t{info}\t{keys}\t{values}" for c, p, info, keys, values in records]
    path = write(tmp_path / "any.vcf", *vcf([], "T1", lines))
    try:
        file = copy_number.read(path)
    except InputError as error:
        assert "any.vcf" in str(error)
        return
    assert file.account.total == len(records)


@pytest.mark.parametrize("columns", ["{c}\t{s}\t{e}\t{v}", "chr{c}\t{s}\t{e}\tsegment\t{v}"])
@pytest.mark.parametrize(("neutral", "gained", "lost"), [(0.0, 0.5, -0.6), (2, 3, 1)])
def test_a_bed_file_of_segments_needs_no_header(tmp_path, columns, neutral, gained, lost):
    segments = arm_segments(neutral=neutral, arm_7p=gained, arm_10q=lost)
    path = write(tmp_path / "S1.bed", *(columns.format(c=c, s=s, e=e, v=v) for c, s, e, v in segments))
    found = copy_number.read(path).alterations
    assert altered(calls_of(found, "S1")) == {"7p": 1, "10q": -1}


@pytest.mark.parametrize("more", ["", "\tAAB\t0.5"])
def test_control_freecs_list_of_altered_segments_has_no_header(tmp_path, more):
    segments = [part for part in arm_segments(neutral=2, arm_7p=3, arm_10q=1) if part[3] != 2]
    states = {3: "gain", 1: "loss"}
    path = write(tmp_path / "S1_CNVs", *("\t".join(map(str, (*part, states[part[3]]))) + more for part in segments))
    assert calls_of(copy_number.read(path).alterations, "S1") == {"7p": 1, "10q": -1}


def test_four_copies_in_a_column_of_any_value_are_no_amplification(tmp_path):
    path = write(
        tmp_path / "S1.bed", *("\t".join(map(str, part)) for part in arm_segments(neutral=2, arm_7p=4, arm_10q=1))
    )
    assert 2 not in genes_of(copy_number.read(path).alterations, "S1").values()
