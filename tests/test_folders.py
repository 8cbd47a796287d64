"""Several folders of one source: what each may hold, one case per patient, and what becomes of everything else."""

import json
from collections import Counter
from pathlib import Path

import pytest

from cancertype.alterations.schema import ARMS
from cancertype.cohort import assembly, patients
from cancertype.cohort.settings import Cohort
from cancertype.errors import InputError
from cancertype.files import write_json
from cancertype.sources import cbioportal, depmap, folder_files, raw, tcga
from cancertype.sources.settings import ReadingLimits
from cancertype.variants.cases import NOTHING, SourceTables
from cancertype.variants.spectra import CLASSES
from tests.alterations_by_case import fusions_of
from tests.settings import settings
from tests.small_cohort import tables as small_tables
from tests.test_cohort import RULES, many, split_of

HEADER = (
    "Hugo_Symbol\tChromosome\tStart_Position\tVariant_Classification\tReference_Allele\tTumor_Seq_Allele2\t"
    "Tumor_Sample_Barcode\tHGVSp_Short\n"
)
TP53 = "TP53\t17\t7578406\tMissense_Mutation\tC\tT\t{}\tp.R175H\n"
KRAS = "KRAS\t12\t25398284\tMissense_Mutation\tC\tT\t{}\tp.G12D\n"
ONE, TWO, THREE, FOUR = (f"TCGA-AA-000{n}" for n in range(1, 5))
CLINICAL = "bcr_patient_barcode\ttype\n" + "".join(f"{name}\tLUAD\n" for name in (ONE, TWO, THREE, FOUR))
ARM_HEADER = "Sample\t" + "\t".join(ARMS) + "\n"


def arms(*samples: str) -> str:
    """An arm table: 1p is gained, 1q without a call, the rest neither gained nor lost."""
    return ARM_HEADER + "".join(f"{name}\t1\tNA" + "\t0" * (len(ARMS) - 2) + "\n" for name in samples)


def sbs96(*samples: str) -> str:
    rows = [f"{name}\t" + "\t".join(["1"] * len(samples)) for name in CLASSES["SBS96"]]
    return "\n".join(["MutationType\t" + "\t".join(samples), *rows]) + "\n"


def write(folder: Path, **files: str) -> Path:
    """A folder; a file's name is given with ``__`` for the dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def four_folders(tmp_path: Path) -> list[Path]:
    """An exome, a second caller's without a clinical table, a web download with all that lies beside it, spectra."""
    web = "STUDY_ID\tSAMPLE_ID\tTP53\tKRAS\tEGFR\n"
    copies = f"{web}luad_tcga_pub\t{ONE}-01\t-2\t0\t2\n"
    web += f"luad_tcga_pub\t{ONE}-01\tR175H\tWT\tWT\nluad_tcga_pub\t{THREE}-01\tWT\tG12D\tL858R\n"
    return [
        write(tmp_path / "1", a__maf=HEADER + TP53.format(f"{ONE}-01A") + KRAS.format(f"{ONE}-01A"), c__tsv=CLINICAL),
        write(tmp_path / "2", b__maf=HEADER + TP53.format(f"{ONE}-01A") + TP53.format(f"{TWO}-01A")),
        write(
            tmp_path / "3",
            mutations__tsv=web,
            cna__tsv=copies,
            arms__tsv=arms(f"{ONE}-01", f"{FOUR}-01", f"{TWO}-11", "TCGA-ZZ-9999-01"),
            fusions__tsv=f"Tissue\tSample\tGene_A\tGene_B\nLUAD\t{ONE}-01A\tEML4\tALK\n",
            fusions_screened__txt=f"{ONE}\n{TWO}\n",
            gene_arms__tsv="gene\tchromosome\tposition_hg19\tarm\nABL1\t9\t133755528\t9q\n",
        ),
        write(tmp_path / "4", SBS96__all=sbs96(f"{ONE}-01A-11D", f"{FOUR}-01A-11D", "TCGA-ZZ-9999-01A")),
    ]


def assembled(read: list[SourceTables]) -> assembly.Cohort:
    """The cohort of ``read`` beside enough other tumours of the label."""
    rules = settings(Cohort, "cohort", min_cases_per_label=3)
    return assembly.assemble([*read, small_tables(*many(30, "LUAD", "Q"))], rules)


def panel_of(cohort: assembly.Cohort) -> dict[str, str | None]:
    rows = zip(cohort.cases["case_id"].to_pylist(), cohort.cases["panel"].to_pylist(), strict=True)
    return {name: panel for name, panel in rows if name.startswith("TCGA")}


def reasons(dropped) -> dict[tuple[str, str], int]:
    return {(each.what, each.reason): each.n for each in dropped}


# --- One folder after the other ---


def test_each_folder_of_tcga_gives_its_tables_and_the_clinical_table_serves_all(tmp_path):
    first, second, third, fourth = tcga.read_folders(four_folders(tmp_path))
    assert first.cases["case_id"].to_pylist() == [ONE]
    assert second.cases["case_id"].to_pylist() == [ONE, TWO] and set(second.cases["label"].to_pylist()) == {"LUAD"}
    assert dict(zip(*(third.cases[name].to_pylist() for name in ("case_id", "panel")), strict=True)) == {
        ONE: "cbioportal",
        THREE: "cbioportal",
        FOUR: NOTHING,
    }
    assert third.panels == {"cbioportal": ["TP53", "KRAS", "EGFR"], NOTHING: []}
    assert third.notes["ignored_files"] == ["gene_arms.tsv"]
    assert set(third.notes["beside"]) == {"arms.tsv", "cna.tsv", "fusions.tsv"}
    assert fourth.cases.num_rows == fourth.variants.num_rows == 0
    assert fourth.alterations is None and fourth.spectra.num_rows == 3


def test_a_genome_gives_the_bases_around_variants_of_mafs_without_them(tmp_path):
    maf = "Hugo_Symbol\tChromosome\tStart_Position\tVariant_Classification\tReference_Allele\t"
    maf += "Tumor_Seq_Allele2\tTumor_Sample_Barcode\tHGVSp_Short\tCONTEXT\n"
    maf += f"BRAF\t1\t3\tMissense_Mutation\tC\tT\t{ONE}-01A\tp.V600E\t\n"
    maf += f"KRAS\t1\t8\tMissense_Mutation\tC\tT\t{ONE}-01A\tp.G12D\tTCA\n"
    folder = write(tmp_path / "tcga" / "release", a__maf=maf, c__tsv=CLINICAL)
    write(folder, source__json=json.dumps({"source": "tcga"}))
    genomes = write(tmp_path / "genomes", other__fa=">1\nTTTTTTTTTT\n", fitting__fa=">1\nAACGTTACGT\n")
    files = [genomes / "other.fa", genomes / "fitting.fa"]
    of_gene = {None: ("none", "T[C>T]A"), "both": ("A[C>T]G", "T[C>T]A")}
    for given, expected in of_gene.items():
        (tables,) = raw.read(tmp_path, ReadingLimits(), files if given else [])
        found = dict(zip(tables.variants["gene"].to_pylist(), tables.variants["context"].to_pylist(), strict=True))
        assert (found["BRAF"] or "none", found["KRAS"]) == expected
    with pytest.raises(InputError, match=r"other\.fa: only 0 of 1 reference bases"):
        raw.read(tmp_path, ReadingLimits(), files[:1])


def test_a_patient_of_several_folders_is_one_case_with_further_calls(tmp_path):
    cohort = assembled(tcga.read_folders(four_folders(tmp_path)))
    assert panel_of(cohort) == {ONE: None, TWO: None, THREE: "cbioportal", FOUR: NOTHING}
    assert [calls.cases["case_id"].to_pylist() for calls in cohort.further] == [[ONE], [ONE]]
    assert [calls.cases["panel"].to_pylist() for calls in cohort.further] == [[None], ["cbioportal"]]
    assert all(calls.cases["label"].to_pylist() == ["LUAD"] for calls in cohort.further)
    own = [gene for name, gene in zip(*(cohort.variants[c].to_pylist() for c in ("case_id", "gene")), strict=True)
           if name == ONE]  # fmt: skip
    assert sorted(own) == ["KRAS", "TP53"]
    assert [calls.variants["gene"].to_pylist() for calls in cohort.further] == [["TP53"], ["TP53"]]
    assert cohort.panels == {"cbioportal": ["TP53", "KRAS", "EGFR"], NOTHING: []}


def test_copy_number_fusions_and_spectra_are_those_of_the_cases_and_the_rest_is_counted(tmp_path):
    cohort = assembled(tcga.read_folders(four_folders(tmp_path)))
    found = cohort.alterations
    assert set(found.arms["case_id"].to_pylist()) == {ONE, FOUR}
    calls = {(row["case_id"], row["arm"]): row["call"] for row in found.arms.to_pylist()}
    assert calls[ONE, "1p"] == 1 and calls[ONE, "1q"] is None
    genes = {row["gene"]: row["call"] for row in found.genes.to_pylist() if row["case_id"] == ONE}
    assert genes == {"TP53": -2, "KRAS": 0, "EGFR": 2}
    assert fusions_of(found) == {ONE: {("EML4", "ALK")}, TWO: set()}
    assert found.screened_for_fusions == {ONE, TWO}
    assert sorted(cohort.spectra["case_id"].to_pylist()) == [ONE, FOUR]
    counted = reasons(cohort.dropped)
    assert counted["sample", "the sample matches no case"] == 1
    assert counted["sample", "normal tissue"] == 1
    assert counted["spectrum", "the sample matches no case"] == 1


def test_the_arms_of_a_table_stand_also_where_they_have_no_call(tmp_path):
    genes = f"Hugo_Symbol\t{ONE}-01\nEGFR\t1\n"
    folder = write(tmp_path, a__maf=HEADER + KRAS.format(ONE), c__tsv=CLINICAL, arms__tsv=arms(f"{ONE}-01"),
                   data_cna__txt=genes)  # fmt: skip
    found = tcga.read(folder).alterations
    assert {row["arm"]: row["call"] for row in found.arms.to_pylist()}["1q"] is None
    assert found.genes.num_rows == 1


def test_a_clinical_table_is_needed_once_and_two_that_contradict_leave_the_patient_out(tmp_path):
    alone = write(tmp_path / "1", a__maf=HEADER + KRAS.format(ONE))
    with pytest.raises(InputError, match="bcr_patient_barcode"):
        tcga.read_folders([alone])
    clinical = write(tmp_path / "2", c__tsv=CLINICAL)
    assert tcga.read_folders([alone, clinical])[0].cases["label"].to_pylist() == ["LUAD"]
    other = write(tmp_path / "3", c__tsv=f"bcr_patient_barcode\ttype\n{ONE}\tBRCA\n")
    assert tcga.read_folders([alone, clinical, other])[0].cases.num_rows == 0


def test_cohorts_that_stand_for_one_label_do_not_contradict(tmp_path):
    first = write(tmp_path / "1", a__maf=HEADER + KRAS.format(ONE), c__tsv=f"bcr_patient_barcode\ttype\n{ONE}\tREAD\n")
    second = write(tmp_path / "2", c__tsv=f"bcr_patient_barcode\ttype\n{ONE}\tCOADREAD\n")
    (case,) = tcga.read_folders([first, second])[0].cases.to_pylist()
    assert (case["label"], case["origin"]) == ("COAD", "READ")


def test_an_empty_folder_among_others_is_named(tmp_path):
    write(tmp_path / "2", notes__txt="a\tb\n")
    with pytest.raises(InputError, match=r"2: no MAF"):
        tcga.read_folders([write(tmp_path / "1", a__maf=HEADER, c__tsv=CLINICAL), tmp_path / "2"])


# --- Lines ---

MODELS = (
    "ModelID,PatientID,OncotreeCode,OncotreePrimaryDisease,OncotreeLineage\n"
    "ACH-1,PT-1,LUAD,Non-Small Cell Lung Cancer,Lung\nACH-2,PT-1,LUAD,Non-Small Cell Lung Cancer,Lung\n"
    "ACH-3,PT-3,LUAD,Non-Small Cell Lung Cancer,Lung\n"
)
MUTATIONS = (
    "ModelID,Chrom,Pos,Ref,Alt,HugoSymbol,ProteinChange,VariantInfo\n"
    "ACH-1,chr12,25245350,C,T,KRAS,p.G12D,missense_variant\n"
)
OF_PANEL = (
    "Hugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\tHGVSp_Short\n"
    "KRAS\tMissense_Mutation\tACH-1\tp.G12D\nTP53\tMissense_Mutation\tACH-2\tp.R175H\n"
    "TP53\tMissense_Mutation\tACH-2\tp.R248Q\n"
)


def line_folders(tmp_path: Path) -> list[Path]:
    return [
        write(tmp_path / "1", Model__csv=MODELS, OmicsSomaticMutations__csv=MUTATIONS),
        write(
            tmp_path / "2",
            lines__maf=OF_PANEL,
            genes__txt="# a panel\nKRAS\nTP53\n",
            arms__tsv=arms("ACH-1", "ACH-3", "ACH-9"),
        ),
    ]


def test_lines_seen_through_a_panel_are_further_calls_of_the_same_lines(tmp_path):
    first, second = depmap.read_folders(line_folders(tmp_path), ReadingLimits())
    assert second.panels == {"lines": ["KRAS", "TP53"], NOTHING: []}
    cohort = assembled([first, second])
    rows = [row for row in cohort.cases.to_pylist() if row["case_id"].startswith("ACH")]
    assert {row["case_id"]: row["panel"] for row in rows} == {"ACH-1": None, "ACH-2": "lines", "ACH-3": NOTHING}
    assert {row["patient_id"] for row in rows} == {"PT-1", "PT-3"}
    assert {row["split"] for row in rows if row["patient_id"] == "PT-1"} in ({"train"}, {"test"}, {"validation"})
    assert [calls.cases["case_id"].to_pylist() for calls in cohort.further] == [["ACH-1"]]
    assert set(cohort.alterations.arms["case_id"].to_pylist()) == {"ACH-1", "ACH-3"}


def test_copy_number_and_fusions_of_a_depmap_release_are_read(tmp_path):
    folder = write(
        tmp_path,
        Model__csv=MODELS,
        OmicsSomaticMutations__csv=MUTATIONS,
        OmicsCNGene__csv=",EGFR (1956),KRAS (3845),TP53 (7157)\nACH-1,3.01,1.01,1.01\nACH-2,1.01,1.01,1.01\n",
        OmicsFusionFiltered__csv="ModelID,FusionName\nACH-2,EML4--ALK\n",
    )
    found = depmap.read(folder, ReadingLimits())
    calls = {row["gene"]: row["call"] for row in found.alterations.genes.to_pylist() if row["case_id"] == "ACH-1"}
    assert calls["EGFR"] == 2 and calls["KRAS"] == 0
    assert fusions_of(found.alterations) == {"ACH-2": {("EML4", "ALK")}}
    assert dict(zip(*(found.cases[c].to_pylist() for c in ("case_id", "panel")), strict=True)) == {
        "ACH-1": None,
        "ACH-2": NOTHING,
    }


# --- Studies ---


def test_copy_number_of_a_study_is_that_of_the_kept_samples_under_the_patients_names(tmp_path):
    folder = write(
        tmp_path,
        data_mutations__txt=HEADER + KRAS.format("S1"),
        data_clinical_sample__txt="PATIENT_ID\tSAMPLE_ID\tONCOTREE_CODE\nP1\tS1\tLUAD\nP1\tS2\tLUAD\nP2\tS3\tCOAD\n",
        data_cna__txt="Hugo_Symbol\tEntrez_Gene_Id\tS1\tS2\tS3\nEGFR\t1956\t2\t0\t-2\n",
        data_sv__txt="Sample_Id\tSite1_Hugo_Symbol\tSite2_Hugo_Symbol\nS3\tEML4\tALK\n",
    )
    write(tmp_path / "case_lists", cases_sv__txt="cancer_study_identifier: x\ncase_list_ids: S1\tS3\n")
    found = cbioportal.read(folder)
    assert dict(zip(*(found.cases[c].to_pylist() for c in ("case_id", "panel")), strict=True)) == {
        "P1": None,
        "P2": NOTHING,
    }
    assert {(row["case_id"], row["call"]) for row in found.alterations.genes.to_pylist()} == {("P1", 2), ("P2", -2)}
    assert fusions_of(found.alterations) == {"P1": set(), "P2": {("EML4", "ALK")}}
    assert found.alterations.screened_for_fusions == {"P1", "P2"}
    assert reasons(found.dropped)["sample", "copy number or fusions of a sample that is no case"] == 1


def test_expression_is_not_taken_for_copy_number(tmp_path):
    write(tmp_path, data_mrna_seq__txt="Hugo_Symbol\tEntrez_Gene_Id\tS1\tS2\nEGFR\t1956\t2.1\t0.3\n")
    assert folder_files.kind_of(tmp_path / "data_mrna_seq.txt") == folder_files.OTHER


# --- The cohort ---


def test_a_case_of_the_other_folder_with_the_same_mutations_shares_the_split():
    cases, variants = many(60)
    # The second folder calls in P0000 what the first calls in P0002: one of them is under a wrong name.
    swapped = [("P0000", *rest) for name, *rest in variants if name == "P0002"]
    second = small_tables([cases[0]], swapped)
    assigned = split_of(assembly.assemble([small_tables(cases, variants), second], RULES))
    assert assigned["P0000"] == assigned["P0002"]


def test_one_change_on_a_panel_ties_no_patients_together():
    shared = [("A", "BRAF", "V600E", "missense", "T>A"), ("B", "BRAF", "V600E", "missense", "T>A")]
    found = small_tables([{"case_id": name, "label": "THCA", "panel": "mine"} for name in "AB"], shared)
    assert patients.profiles(found.cases, found.variants) == [None, None]
    two = [*shared, *((name, "TP53", "R175H", "missense", "C>T") for name in "AB")]
    one, other = patients.profiles(found.cases, small_tables([], two).variants)
    assert one == other is not None


def test_the_folder_that_knows_the_label_gives_it():
    cases, variants = many(20)
    first = small_tables([cases[0] | {"label": None, "scope": "unlabelled"}, *cases[1:]], variants)
    second = small_tables([cases[0]], [row for row in variants if row[0] == "P0000"])
    assert "P0000" in split_of(assembly.assemble([first, second], RULES))


# --- The raw folder ---


def test_folders_are_read_in_the_order_of_the_list_and_panels_get_names_of_their_own(tmp_path):
    web = "STUDY_ID\tSAMPLE_ID\t{}\tEGFR\nluad_tcga_pub\t{}-01\tR175H\tWT\n"
    for number in range(1, 12):
        name = "release" if number == 1 else f"release-{number}"
        gene, patient = ("TP53", ONE) if number != 10 else ("KRAS", TWO)
        folder = write(tmp_path / "tcga" / name, m__tsv=web.format(gene, patient), c__tsv=CLINICAL)
        write_json(folder / "source.json", {"source": "tcga"})
    write(tmp_path / "tcga" / ".release-12.building", source__json='{"source": "tcga"}')
    found = [path.name for path, _ in raw.records(tmp_path)]
    assert found == ["release", *(f"release-{number}" for number in range(2, 12))]
    panels = [set(each.panels) for each in raw.read(tmp_path, ReadingLimits())]
    assert panels[0] == panels[10] == {"cbioportal"} and panels[9] == {"cbioportal (2)"}


@pytest.mark.parametrize(
    "text", ["{}", "[]", "null", "{broken", "\udcff", '{"source": "nope"}', '{"source": ["tcga"]}']
)
def test_an_edited_record_is_one_line(tmp_path, text):
    folder = tmp_path / "tcga" / "release"
    folder.mkdir(parents=True)
    (folder / "source.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"source\.json is not the record that a fetch stage writes: fetch .* again"):
        raw.read(tmp_path, ReadingLimits())


# --- Real data ---


def test_the_real_folders_of_tcga_give_one_case_per_patient(shared_data):
    names = ("tcga", "tcga_mc3", "tcga_cbioportal", "tcga_spectra")
    read = tcga.read_folders([shared_data / name for name in names])
    rules = settings(Cohort, "cohort", small_labels="drop", max_out_of_scope_cases=None)
    cohort = assembly.assemble(read, rules)
    case_ids = cohort.cases["case_id"].to_pylist()
    assert len(case_ids) == len(set(case_ids)) == len(set(cohort.cases["patient_id"].to_pylist())) > 8000
    panels = Counter(cohort.cases["panel"].to_pylist())
    assert panels[None] > 7000 and panels["cbioportal"] > 900 and panels[NOTHING] > 300
    further = [set(calls.cases["case_id"].to_pylist()) for calls in cohort.further]
    assert [len(names) > 5000 for names in further] == [True, True] and set().union(*further) <= set(case_ids)
    found = cohort.alterations
    assert len(found.arms["case_id"].unique()) > 7800 and len(found.genes["case_id"].unique()) > 7400
    assert len(found.fusions["case_id"].unique()) > 4000 and len(found.screened_for_fusions) > 6500
    assert Counter(cohort.spectra["kind"].to_pylist()) == dict.fromkeys(CLASSES, 6075)
