"""What a user gives beside the mutations, or alone: assay, copy number, fusions, spectra, and what is said of them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cancertype.alterations import genome
from cancertype.alterations.schema import ARMS
from cancertype.alterations.settings import CopyNumberLimits
from cancertype.assays import assay, recognition
from cancertype.errors import InputError
from cancertype.features import Vocabulary
from cancertype.prediction import abstention, assumed_assay, companions, explanation, inputs, remarks, summary
from cancertype.prediction.about import of_companion
from cancertype.prediction.known_mutations import Known, of_cases
from cancertype.prediction.predictor import Predictor
from cancertype.sources import builds
from cancertype.sources.spectra import CLASSES, SPECTRA
from cancertype.tables.accounts import RowAccount
from cancertype.variants.cases import NOTHING, SourceTables
from tests.segment_files import arm_segments, write

CALLS = {"7p": 1, "7q": 1, "10p": -1, "10q": -1}


def arms(path: Path, *samples: str) -> Path:
    """A table of arms: 7 gained and 10 lost in every sample."""
    rows = ["\t".join([name, *(str(CALLS.get(arm, 0)) for arm in ARMS)]) for name in samples]
    path.write_text("\n".join(["Sample\t" + "\t".join(ARMS), *rows]) + "\n")
    return path


def fusions(path: Path, *samples: str) -> Path:
    path.write_text("Sample\tGene_A\tGene_B\n" + "".join(f"{name}\tTMPRSS2\tERG\n" for name in samples))
    return path


def spectrum(path: Path, *samples: str, kind: str = "SBS96") -> Path:
    """A matrix in which only the first class was counted, twice."""
    rows = [f"{name}\t" + "\t".join(["2" if i == 0 else "0"] * len(samples)) for i, name in enumerate(CLASSES[kind])]
    path.write_text("\n".join(["MutationType\t" + "\t".join(samples), *rows]) + "\n")
    return path


def panels(tables: SourceTables) -> dict[str, str | None]:
    return dict(zip(tables.cases["case_id"].to_pylist(), tables.cases["panel"].to_pylist(), strict=True))


def altered(tables: SourceTables) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in tables.alterations.arms.to_pylist():
        if row["call"]:
            found.setdefault(row["case_id"], {})[row["arm"]] = row["call"]
    return found


# --- The assay ---


def test_each_form_gets_the_assay_that_it_shows(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("ID,BRAF,CDKN2A\nx,V600E,WT\n")
    found = inputs.read(["text: BRAF V600E", str(table)])
    assert panels(found.tables) == {"text": "list", "x": "table"}
    assert found.tables.panels == {"table": ["BRAF", "CDKN2A"]}
    assert {name: each.certain for name, each in found.assays.items()} == {"text": True, "x": True}
    said = assumed_assay.in_words(found.assays)
    assert "1 of 2 samples: list: typed mutations are somebody's selection; --assay overrules this" in said
    assert "the table has 2 gene columns" in said


def test_a_wide_table_with_the_columns_of_a_named_panel_is_that_panel(tmp_path):
    genes = assay.get("tst170").genes
    table = tmp_path / "a.csv"
    table.write_text("ID," + ",".join(genes) + "\nx," + ",".join(["WT"] * len(genes)) + "\n")
    found = inputs.read(str(table))
    assert panels(found.tables) == {"x": "tst170"} and len(found.tables.panels["tst170"]) == len(genes)


def test_what_was_not_sequenced_in_a_row_of_a_wide_table_is_not_in_its_assay(tmp_path):
    lines = ["STUDY_ID\tSAMPLE_ID\tTP53\tKRAS\tAPC\tBRAF", "s\tA\tR175H\tWT\tNS\tWT", "s\tB\tWT\tG12D\tWT\tWT",
             "s\tC\tWT\tWT\tNS\tV600E"]  # fmt: skip
    (tmp_path / "wide.tsv").write_text("\n".join(lines) + "\n")
    read = inputs.read(str(tmp_path / "wide.tsv"))
    genes = {case: set(found.assay.genes) for case, found in read.assays.items()}
    assert genes == {"A": {"TP53", "KRAS", "BRAF"}, "B": {"TP53", "KRAS", "APC", "BRAF"}, "C": {"TP53", "KRAS", "BRAF"}}
    assert "3 genes were sequenced" in read.assays["A"].reason
    account = read.tables.account
    assert (account.total, account.used, account.left_out) == (12, 10, {"not sequenced in this case": 2})


def test_an_uncertain_assay_says_so_in_the_remarks_and_how_to_overrule_it(tmp_path):
    maf = tmp_path / "a.maf"
    maf.write_text(
        "Hugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\tHGVSp_Short\nBRAF\tMissense_Mutation\ts\tp.V600E\n"
    )
    found = inputs.read(str(maf))
    assert any(said.startswith("the assay is uncertain") for said in remarks.remarks(found)["s"])
    assert recognition.OVERRULE in assumed_assay.in_words(found.assays)
    stated = inputs.read(str(maf), assay="WES")
    assert panels(stated.tables) == {"s": None} and stated.tables.panels == {}
    assert assumed_assay.in_words(stated.assays) == "exome: as the user states"
    assert not any("uncertain" in said for said in remarks.remarks(stated)["s"])


def test_a_column_of_panels_names_each_samples_assay(tmp_path):
    maf = tmp_path / "genie.maf"
    row = "TP53\tMissense_Mutation\t{}\tp.R175H\t{}\n"
    samples = (("a", "MSK-IMPACT468"), ("b", "WES"), ("c", "LAB-1"), ("d", ""))
    maf.write_text(
        "Hugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\tHGVSp_Short\tSEQ_ASSAY_ID\n"
        + "".join(row.format(*sample) for sample in samples)
    )
    found = inputs.read(str(maf))
    assert [panels(found.tables)[name] for name in "ab"] == ["msk-impact-468", None]
    assert [found.assays[name].certain for name in "abcd"] == [True, True, False, False]
    assert found.assays["c"].reason.startswith("the file names LAB-1, which is not known here")


@pytest.mark.parametrize(("name", "panel"), [("WGS", "genome"), ("list", "list"), ("IMPACT468", "msk-impact-468")])
def test_a_stated_assay_holds_for_every_sample(name, panel):
    found = inputs.read("a: BRAF V600E\nb: KRAS G12D, TTN A1V", assay=name)
    assert panels(found.tables) == {"a": panel, "b": panel}
    assert found.tables.variants.num_rows == (2 if panel == "msk-impact-468" else 3)
    assert list(found.tables.panels) == ([panel] if panel == "msk-impact-468" else [])


def test_an_assay_that_is_not_known_is_named():
    with pytest.raises(InputError, match="'IMPACT1' is neither a known assay nor a file of genes"):
        inputs.read("BRAF V600E", assay="IMPACT1")


# --- Beside mutations ---


def test_samples_are_matched_by_name_and_what_does_not_match_is_named(tmp_path):
    beside = {
        "copy_number": [arms(tmp_path / "arms.tsv", "a", "z")],
        "fusions": [fusions(tmp_path / "f.tsv", "b", "y")],
    }
    found = inputs.read("a: BRAF V600E\nb: KRAS G12D", **beside)
    assert altered(found.tables) == {"a": CALLS}
    assert found.tables.alterations.fusions.to_pylist() == [
        {"case_id": "b", "five_prime": "TMPRSS2", "three_prime": "ERG"}
    ]
    lost = {each.source: each.examples for each in found.tables.dropped if each.what == "sample"}
    assert lost == {"copy number": ("z",), "fusions": ("y",)}
    of_arms, of_fusions = map(companions.in_json, found.companions)
    assert (of_arms["samples"], of_arms["matched"]) == (2, 1)
    assert of_arms["unmatched"] == {"the sample matches no case": ["z"]}
    assert RowAccount(**of_arms["account"]).total == 2 * len(ARMS)
    assert (of_fusions["account"]["used"], of_fusions["unmatched"]) == (2, {"the sample matches no case": ["y"]})
    assert not summary.summary(found)["ignored"]


def test_tcga_barcodes_are_matched_by_patient_and_type(tmp_path):
    maf = tmp_path / "a.maf"
    maf.write_text(
        "Hugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\tHGVSp_Short\n"
        "BRAF\tMissense_Mutation\tTCGA-AA-0001-01A-11D-A\tp.V600E\n"
    )
    samples = ("TCGA-AA-0001-01", "TCGA-AA-0001-11", "TCGA-BB-0001-01")
    found = inputs.read(str(maf), copy_number=[arms(tmp_path / "arms.tsv", *samples)])
    assert altered(found.tables) == {"TCGA-AA-0001-01A-11D-A": CALLS}
    assert found.companions[0].unmatched == {
        "normal tissue": ("TCGA-AA-0001-11",),
        "the sample matches no case": ("TCGA-BB-0001-01",),
    }


def test_samples_of_one_patient_in_two_files_both_count_for_what_they_alone_know(tmp_path):
    genes = tmp_path / "genes.txt"
    genes.write_text("Hugo_Symbol\tTCGA-AA-0001-01A-11D\n" + "".join(f"{g}\t2\n" for g in ("EGFR", "MYC", "ERBB2")))
    files = [arms(tmp_path / "arms.tsv", "TCGA-AA-0001-01", "TCGA-AA-0001-02"), genes]
    found = inputs.read("TCGA-AA-0001-01: BRAF V600E", copy_number=files)
    assert set(found.tables.alterations.genes["gene"].to_pylist()) == {"EGFR", "MYC", "ERBB2"}
    of_arms, of_genes = found.companions
    assert (of_arms.unmatched, of_genes.unmatched) == (
        {"another sample of the patient is kept": ("TCGA-AA-0001-02",)},
        {},
    )


def test_a_renamed_sample_is_matched_by_its_new_name(tmp_path):
    files = [arms(tmp_path / "arms.tsv", "P1")]
    assert altered(inputs.read("x: BRAF V600E", copy_number=files, rename={"x": "P1"}).tables) == {"P1": CALLS}


def test_the_only_sample_of_a_file_is_that_of_typed_text_whatever_its_name(tmp_path):
    beside = {"copy_number": [arms(tmp_path / "arms.tsv", "P1")], "spectra": [spectrum(tmp_path / "s.all", "P1")]}
    found = inputs.read("BRAF V600E", **beside)
    assert altered(found.tables) == {"text": CALLS}
    assert found.tables.spectra["case_id"].to_pylist() == ["text"]
    assert [each.taken_for for each in found.companions] == ["text", "text"]
    named = inputs.read("x: BRAF V600E", **beside)
    assert altered(named.tables) == {} and named.companions[0].unmatched


def test_what_the_text_states_stands_before_the_file(tmp_path):
    found = inputs.read("loss of 7, EGFR amplification, BRAF V600E", copy_number=[arms(tmp_path / "arms.tsv", "P1")])
    assert altered(found.tables)["text"] == CALLS | {"7p": -1, "7q": -1}
    assert found.tables.alterations.genes["gene"].to_pylist() == ["EGFR"]


def test_spectra_are_matched_and_one_of_each_kind_is_kept(tmp_path):
    files = [
        spectrum(tmp_path / "one.SBS96.all", "a", "z"),
        spectrum(tmp_path / "two.SBS96.all", "a"),
        spectrum(tmp_path / "one.ID83.all", "b", kind="ID83"),
    ]
    tables = inputs.read("a: BRAF V600E\nb: KRAS G12D", spectra=files).tables
    assert tables.spectra.schema == SPECTRA
    found = [(row["case_id"], row["kind"], row["total"], row["shares"][0]) for row in tables.spectra.to_pylist()]
    assert found == [("a", "SBS96", 2.0, 1.0), ("b", "ID83", 2.0, 1.0)]
    assert {each.what: each.examples for each in tables.dropped if each.source == "spectra"} == {
        "sample": ("z",),
        "spectrum": ("a",),
    }
    assert inputs.read("BRAF V600E").tables.spectra is None


def test_a_file_that_is_missing_or_of_another_kind_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no\.seg is not there"):
        inputs.read("BRAF V600E", copy_number=[tmp_path / "no.seg"])
    other = tmp_path / "other.tsv"
    other.write_text("a\tb\n1\t2\n")
    with pytest.raises(InputError, match=r"other\.tsv: line 1: not a layout of copy number"):
        inputs.read("BRAF V600E", copy_number=[other])


def test_a_genome_gives_the_bases_around_the_variants_of_a_maf(tmp_path):
    (tmp_path / "hg.fa").write_text(">1\nAACGTTACGT\n")
    maf = tmp_path / "a.maf"
    row = "{}\t1\t{}\tMissense_Mutation\t{}\tT\ts\tp.V{}A\n"
    columns = ("Hugo_Symbol", "Chromosome", "Start_Position", "Variant_Classification", "Reference_Allele",
               "Tumor_Seq_Allele2", "Tumor_Sample_Barcode", "HGVSp_Short")  # fmt: skip
    maf.write_text("\t".join(columns) + "\n" + row.format("BRAF", 3, "C", 5) + row.format("KRAS", 8, "C", 6))
    contexts = inputs.read(str(maf), genome=tmp_path / "hg.fa").tables.variants["context"].to_pylist()
    assert contexts == ["A[C>T]G", "A[C>T]G"]
    assert inputs.read(str(maf)).tables.variants["context"].to_pylist() == [None, None]
    maf.write_text("\t".join(columns) + "\n" + row.format("BRAF", 4, "C", 5))
    with pytest.raises(InputError, match="another build"):
        inputs.read(str(maf), genome=tmp_path / "hg.fa")


def segments(path: Path, build: str = "hg38", sample: str = "S1", **values: float) -> Path:
    rows = [f"{sample}\t{c}\t{start}\t{end}\t9\t{v}" for c, start, end, v in arm_segments(build, **values)]
    return write(path, "ID\tchrom\tloc.start\tloc.end\tnum.mark\tseg.mean", *rows)


def focal(path: Path, gene: str = "KIT", build: str = "hg38") -> Path:
    """One short amplified segment around a gene, whose place is another in the other build."""
    spans = genome.gene_spans(build)
    place = spans.genes.index(gene)
    row = f"S1\t4\t{spans.starts[place]}\t{spans.ends[place]}\t9\t2.5"
    return write(path, "ID\tchrom\tloc.start\tloc.end\tnum.mark\tseg.mean", row)


def amplified(tables: SourceTables) -> list[str]:
    return [row["gene"] for row in tables.alterations.genes.to_pylist() if row["call"] == 2]


def test_a_few_focal_segments_are_read_by_the_build_that_is_given(tmp_path):
    file = focal(tmp_path / "a.seg")
    with pytest.raises(InputError, match="say which it is \\(--build hg19 or --build hg38\\)"):
        inputs.read("BRAF V600E", copy_number=[file])
    assert amplified(inputs.read("BRAF V600E", copy_number=[file], build="hg38").tables) == ["KIT"]
    assert amplified(inputs.read("BRAF V600E", copy_number=[file], build="hg19").tables) == []
    assert amplified(inputs.read_texts({"S1": "BRAF V600E"}, copy_number=[file], build="hg38").tables) == ["KIT"]


def maf_of(path: Path, build: str) -> Path:
    head = "Hugo_Symbol\tNCBI_Build\tVariant_Classification\tTumor_Sample_Barcode\tHGVSp_Short"
    return write(path, head, f"BRAF\t{build}\tMissense_Mutation\tS1\tp.V600E")


@pytest.mark.parametrize(("stated", "found"), [("GRCh38", ["KIT"]), ("hg38", ["KIT"]), ("37", []), ("GRCh37", [])])
def test_the_build_that_a_maf_states_decides_where_the_segments_leave_it_open(tmp_path, stated, found):
    read = inputs.read(str(maf_of(tmp_path / "a.maf", stated)), copy_number=[focal(tmp_path / "a.seg")])
    assert amplified(read.tables) == found
    assert read.companions[0].notes["build"].endswith("as the file of mutations states")


def test_the_build_of_the_mutations_gives_way_to_what_the_segments_show(tmp_path):
    maf = maf_of(tmp_path / "a.maf", "GRCh37")
    read = inputs.read(str(maf), copy_number=[segments(tmp_path / "a.seg", "hg38", arm_1p=0.5)])
    assert read.companions[0].notes["build"] == "hg38"


def test_a_vcf_states_its_build_by_its_contigs_or_its_reference(tmp_path):
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    by_length = write(tmp_path / "a.vcf", "##fileformat=VCFv4.2", "##contig=<ID=chr1,length=248956422>", columns)
    by_name = write(tmp_path / "b.vcf", "##fileformat=VCFv4.2", "##reference=file:///ref/GRCh37.fa", columns)
    neither = write(tmp_path / "c.vcf", "##fileformat=VCFv4.2", columns)
    assert [builds.stated([path]) for path in (by_length, by_name, neither)] == ["hg38", "hg19", None]
    assert builds.stated([by_length, by_name]) is None


def test_copy_number_that_was_not_used_is_remarked_on_and_counted(tmp_path):
    flat = inputs.read("BRAF V600E", copy_number=[segments(tmp_path / "flat.seg")])
    said = remarks.remarks(flat)["text"]
    assert any(each.startswith("its copy number was not used: the profile is flat") for each in said)
    file = companions.in_json(flat.companions[0])
    assert (file["samples"], file["matched"], list(file["not_used"].values())) == (1, 0, [["text"]])
    assert "0 of 1 sample used" in of_companion(file) and "the profile is flat" in of_companion(file)
    pure = inputs.read("BRAF V600E", copy_number=[segments(tmp_path / "flat.seg")], purity=0.7)
    assert pure.tables.alterations.arms.num_rows == 39 and not pure.companions[0].not_used
    impure = inputs.read("S1: BRAF V600E", copy_number=[segments(tmp_path / "b.seg", arm_7p=0.5)], purity=0.1)
    assert "its copy number was not used: the purity 0.10 is below 0.20" in remarks.remarks(impure)["S1"]


def test_copy_number_from_another_file_or_the_text_leaves_nothing_to_remark_on(tmp_path):
    files = [segments(tmp_path / "flat.seg"), arms(tmp_path / "arms.tsv", "S1")]
    assert not any(each.not_used for each in inputs.read("S1: BRAF V600E", copy_number=files).companions)


def test_a_sample_of_a_case_that_is_not_there_is_unmatched_though_its_copy_number_is_withdrawn(tmp_path):
    found = inputs.read("a: BRAF V600E", copy_number=[segments(tmp_path / "flat.seg")])
    assert found.companions[0].unmatched == {"the sample matches no case": ("S1",)}
    assert found.companions[0].not_used == {}


def test_copy_number_alone_that_was_not_used_is_a_case_that_says_so(tmp_path, predictor):
    found = inputs.read(copy_number=[segments(tmp_path / "flat.seg")], rename={"S1": "P1"})
    said = remarks.remarks(found)["P1"]
    assert said[0] == "no mutations given" and said[1].startswith("its copy number was not used")
    predictions = predictor.predict(found.tables)
    assert predictions.abstains == [abstention.NOTHING_TO_GO_BY]


def test_the_purity_of_one_sample_is_no_ones_in_a_file_of_two(tmp_path):
    matrix = write(tmp_path / "cna.txt", "Hugo_Symbol\ta\tb", "EGFR\t2\t0", "MYC\t1\t1")
    with pytest.raises(InputError, match=r"cna\.txt holds 2 samples, and the purity of one is given"):
        inputs.read("a: BRAF V600E", copy_number=[matrix], purity=0.5)
    by_name = inputs.read("a: BRAF V600E\nb: KRAS G12D", copy_number=[matrix], purity={"a": 0.5, "b": 0.1})
    assert by_name.companions[0].not_used == {"b": "the purity 0.10 is below 0.20"}


@pytest.mark.parametrize("option", [{"build": "hg19"}, {"purity": 0.0}, {"copy_number_limits": "purity=0.1"}])
def test_how_to_read_copy_number_needs_copy_number(option):
    with pytest.raises(InputError, match="says how to read copy number, and no such file is given"):
        inputs.read("BRAF V600E", **option)


def test_the_limits_of_copy_number_can_be_set(tmp_path):
    file = segments(tmp_path / "a.seg", arm_1p=0.15, arm_7p=0.5)
    assert altered(inputs.read("BRAF V600E", copy_number=[file]).tables) == {"text": {"7p": 1}}
    for limits in ("gained_log2=0.1", {"gained_log2": 0.1}, CopyNumberLimits(gained_log2=0.1)):
        found = inputs.read("BRAF V600E", copy_number=[file], copy_number_limits=limits)
        assert altered(found.tables) == {"text": {"1p": 1, "7p": 1}}


def structural(path: Path, *rows: str) -> Path:
    return write(path, "Sample_Id\tSite1_Hugo_Symbol\tSite2_Hugo_Symbol\tEvent_Info", *rows)


def mutations(tables: SourceTables) -> list[tuple[str, str, str]]:
    return [(row["case_id"], row["gene"], row["consequence"]) for row in tables.variants.to_pylist()]


def test_egfrviii_of_a_table_of_structural_variants_is_the_mutation_that_text_makes_of_it(tmp_path):
    rows = ("a\tEGFR\tEGFR\tEGFRvIII", "b\tMET\tMET\tMET exon 14 skipping", "c\tTP53\tTP53\tDeletion of 3 exons")
    file = structural(tmp_path / "data_sv.txt", *rows)
    found = inputs.read("a: BRAF V600E\nb: KRAS G12D", fusions=[file])
    typed = inputs.read("a: BRAF V600E, EGFRvIII\nb: KRAS G12D, MET exon 14 skipping")
    assert sorted(map(str, found.tables.variants.to_pylist())) == sorted(map(str, typed.tables.variants.to_pylist()))
    file_json = companions.in_json(found.companions[0])
    assert (file_json["samples"], file_json["matched"]) == (3, 2)
    assert file_json["unmatched"] == {"the sample matches no case": ["c"]}
    twice = inputs.read("a: EGFRvIII", fusions=[file])
    assert mutations(twice.tables) == [("a", "EGFR", "inframe")]


def test_an_event_within_one_gene_alone_is_a_list_of_one_mutation(tmp_path, predictor):
    rows = ("a\tEGFR\tEGFR\tEGFRvIII", "b\tTMPRSS2\tERG\t", "c\tTP53\tTP53\tDeletion of 3 exons")
    found = inputs.read(fusions=[structural(tmp_path / "data_sv.txt", *rows)])
    assert mutations(found.tables) == [("a", "EGFR", "inframe")]
    assert panels(found.tables) == {"a": "list", "b": NOTHING, "c": NOTHING}
    assert {name: each.assay.name for name, each in found.assays.items()} == panels(found.tables)
    assert np.isfinite(predictor.predict(found.tables).p).all()
    text = inputs.read("EGFR amplification", fusions=[structural(tmp_path / "sv.txt", rows[0])])
    assert panels(text.tables) == {"text": "list"} and mutations(text.tables) == [("text", "EGFR", "inframe")]


# --- Panels stated beside the mutations ---

PANEL_MAF = (
    "Hugo_Symbol\tTumor_Sample_Barcode\tVariant_Classification\tHGVSp_Short\n"
    "KRAS\tP1\tMissense_Mutation\tp.G12D\nTP53\tP2\tMissense_Mutation\tp.R175H\n"
    "APC\tP4\tNonsense_Mutation\tp.R1450*\n"
)
MATRIX = "SAMPLE_ID\tmutations\tcna\nP1\tIMPACT468\tIMPACT468\nP2\tHOSPITAL-7\tNA\nP3\tIMPACT468\tNA\nP4\tWES\tNA\n"


@pytest.mark.parametrize("order", [1, -1])
def test_a_gene_panel_matrix_beside_mutations_states_the_assays_of_their_samples(tmp_path, order):
    maf, matrix = tmp_path / "data_mutations.txt", tmp_path / "data_gene_panel_matrix.txt"
    maf.write_text(PANEL_MAF)
    matrix.write_text(MATRIX)
    found = inputs.read([str(maf), str(matrix)][::order])
    assert found.tables.cases["case_id"].to_pylist() == ["P1", "P2", "P4"]
    assert (found.assays["P1"].assay.name, found.assays["P1"].certain) == ("msk-impact-468", True)
    assert (found.assays["P4"].assay.name, found.assays["P4"].certain) == ("exome", True)
    assert not found.assays["P2"].certain
    assert "the file names HOSPITAL-7, which is not known here" in found.assays["P2"].reason
    assert [each.examples for each in found.tables.dropped if each.source == "gene panels"] == [["P3"]]


def test_a_clinical_sample_table_states_the_assays_of_the_samples(tmp_path):
    maf, clinical = tmp_path / "data_mutations.txt", tmp_path / "data_clinical_sample.txt"
    maf.write_text(PANEL_MAF)
    clinical.write_text("#a\tb\n#STRING\tSTRING\nSAMPLE_ID\tSEQ_ASSAY_ID\nP1\tMSK-IMPACT468\nP2\tMSK-IMPACT341\n")
    found = inputs.read([str(maf), str(clinical)])
    assert [found.assays[name].assay.name for name in ("P1", "P2")] == ["msk-impact-468", "msk-impact-341"]


def test_a_gene_panel_matrix_without_mutations_is_refused_and_a_list_of_texts_is_none(tmp_path):
    matrix, texts = tmp_path / "data_gene_panel_matrix.txt", tmp_path / "texts.tsv"
    matrix.write_text(MATRIX)
    with pytest.raises(InputError, match="states the panels of samples and no mutations"):
        inputs.read(str(matrix))
    texts.write_text("SAMPLE_ID\tmutations\nP1\tKRAS G12D\nP2\tBRAF V600E, TP53 R175H\n")
    assert inputs.read(str(texts)).tables.variants.num_rows == 3


# --- Without mutations ---


def test_copy_number_and_fusions_alone_are_cases_whose_mutations_were_not_looked_at(tmp_path):
    samples = ("TCGA-AA-0001-01", "TCGA-AA-0001-11", "S2")
    beside = {
        "copy_number": [arms(tmp_path / "arms.tsv", *samples)],
        "fusions": [fusions(tmp_path / "f.tsv", "TCGA-AA-0001-01A", "S3")],
    }
    found = inputs.read(**beside)
    assert panels(found.tables) == dict.fromkeys(("TCGA-AA-0001-01", "S2", "S3"), NOTHING)
    assert found.tables.panels == {NOTHING: []} and not found.tables.variants.num_rows
    assert set(altered(found.tables)) == {"TCGA-AA-0001-01", "S2"}
    assert found.tables.alterations.fusions["case_id"].to_pylist() == ["TCGA-AA-0001-01", "S3"]
    said = remarks.remarks(found)
    assert said["TCGA-AA-0001-01"] == ["no mutations given: copy number and fusions alone were looked at"]
    assert said["S2"] == ["no mutations given: copy number alone was looked at"]
    assert said["S3"] == ["no mutations given: fusions alone were looked at"]
    assert assumed_assay.in_words(found.assays) == "no mutations are given: they were not looked at"
    assert (found.form, summary.summary(found)["without_mutation"]) == (inputs.COMPANIONS_ALONE, [])


@pytest.mark.parametrize(
    ("text", "panel"),
    [
        ("EGFR amplification, CDKN2A/B homozygous deletion, +7/-10", NOTHING),
        ("EML4::ALK", NOTHING),
        ("EGFR amplification, KRAS wild type", "list"),
        ("EGFR amplification, BRAF V600E", "list"),
        ("KRAS wild type", "list"),
    ],
)
def test_text_without_a_word_on_mutations_did_not_look_at_them(text, panel):
    assert panels(inputs.read(text).tables) == {"text": panel}


def test_a_case_of_a_text_without_and_a_file_with_mutations_was_looked_at(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("ID,BRAF\nP1,V600E\n")
    found = inputs.read(["P1: EGFR amplification", str(table)])
    assert panels(found.tables) == {"P1": "table"} and found.assays["P1"].assay.name == "table"
    assert found.tables.alterations.genes["gene"].to_pylist() == ["EGFR"]


def test_spectra_alone_make_cases_whose_mutations_were_not_looked_at(tmp_path, predictor):
    found = inputs.read(spectra=[spectrum(tmp_path / "s.all", "a", "TCGA-AA-0001-11")])
    assert panels(found.tables) == {"a": NOTHING}
    predictions = predictor.predict(found.tables)
    assert "CA9" in predictions.rendered[0].prompt or "contexts" not in predictor.config.text.template
    assert predictions.abstains[0] != abstention.NOTHING_TO_GO_BY


def test_nothing_at_all_is_refused(tmp_path):
    with pytest.raises(InputError, match="no mutations, copy number, fusions or spectra are given"):
        inputs.read([])
    with pytest.raises(InputError, match="no sample of tumour tissue"):
        inputs.read(copy_number=[arms(tmp_path / "arms.tsv", "TCGA-AA-0001-11")])


# --- What the model makes of it ---


@pytest.fixture(scope="module")
def predictor(published) -> Predictor:
    return Predictor.from_pretrained(published)


def test_every_mutation_of_a_list_is_read_or_read_as_its_gene_or_unknown(predictor):
    found = of_cases(inputs.read("a: BRAF V600E, CDKN2A, SPOP A9V, VHL L89P\nb: VHL").tables, predictor.vocabulary)
    assert found["a"] == Known(
        {"read": 2, "gene only": 1, "unknown": 1},
        [("BRAF V600E", "read"), ("CDKN2A missense", "read"), ("SPOP A9V", "gene only"), ("VHL L89P", "unknown")],
    )
    assert found["b"].number == {"read": 0, "gene only": 0, "unknown": 1}
    exome = of_cases(inputs.read("BRAF V600E, VHL L89P", assay="exome").tables, predictor.vocabulary)
    assert exome["text"] == Known({"read": 1, "gene only": 0, "unknown": 1}, None)


def test_copy_number_and_fusions_of_a_list_are_shown_as_they_are_read():
    rows = [
        {"kind": kind, "name": name}
        for kind, name in (("assay", "list"), ("amplified", "EGFR"), ("fusion", "EML4-ALK"), ("fusion_gene", "ALK"))
    ]
    vocabulary = Vocabulary(pa.Table.from_pylist(rows))
    text = "EGFR amp, MYC amp, gain of 7, loss of 10q, EML4-ALK, STRN-ALK fusion, NUTM1 fusion"
    assert of_cases(inputs.read(text).tables, vocabulary)["text"].each == [
        ("gains 7", "read"),
        ("losses 10q", "read"),
        ("EGFR amplified", "read"),
        ("MYC amplified", "unknown"),
        ("NUTM1 fusion", "unknown"),
        ("EML4-ALK fusion", "read"),
        ("STRN-ALK fusion", "gene only"),
    ]


def test_the_model_answers_whatever_was_looked_at(predictor, tmp_path):
    found = inputs.read(copy_number=[arms(tmp_path / "arms.tsv", "a")])
    assert np.isfinite(predictor.predict(found.tables).p).all()
    for name in ("msk-impact-468", "genome", "list"):
        found = inputs.read("BRAF V600E, EGFR amplification", assay=name)
        assert np.isfinite(predictor.predict(found.tables).p).all()


def test_an_explanation_keeps_copy_number_and_spectra_while_mutations_are_left_out(predictor, tmp_path, monkeypatch):
    beside = {"copy_number": [arms(tmp_path / "arms.tsv", "a")], "spectra": [spectrum(tmp_path / "s.all", "a")]}
    tables = inputs.read("a: BRAF V600E, CDKN2A R80*\nb: KRAS G12D", **beside).tables
    asked, predict = [], predictor.predict
    monkeypatch.setattr(predictor, "predict", lambda tables, **more: asked.append(tables) or predict(tables, **more))
    explanation.explain(predictor, tables, ["b", "a"])
    left_out = asked[1]
    # Of b the mutation, then all. Of a each mutation, the arms, all, and then mutations, copy number and spectra.
    assert left_out.cases["case_id"].to_pylist() == list("012345678")
    assert altered(left_out) == dict.fromkeys("2368", CALLS)
    assert left_out.spectra["case_id"].to_pylist() == list("234567")
    assert Counter(left_out.variants["case_id"].to_pylist()) == {"2": 1, "3": 1, "4": 2, "7": 2, "8": 2}
