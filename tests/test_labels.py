"""The 26 labels and the three vocabularies that lead to them."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from cancertype.labels import FAMILIES, FAMILY_OF, LABELS, NAMES, WORDS
from cancertype.labels.mapping import (
    Assignment,
    PatientModel,
    from_oncotree,
    from_subclass,
    from_tcga_cohort,
    model_exclusion,
    patient_conflicts,
    sample_types,
)
from cancertype.package_data import rows
from cancertype.simulator import simulation
from cancertype.simulator.settings import Simulated
from tests.settings import settings

NO_LINES = {"PCPG", "THYM"}
DOC = Path(__file__).parents[1] / "docs" / "labels.md"


LISTED = {row["code"]: row for row in rows("labels", "oncotree_labels.csv")}
TREE = {row["code"]: row for row in rows("labels", "oncotree_tree.csv")}


def by_code(code: str) -> Assignment:
    return from_oncotree(code, None, None, None)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table_of_doc(header: str) -> list[list[str]]:
    """Rows of the one table in docs/labels.md whose header line is ``header``."""
    lines = DOC.read_text(encoding="utf-8").splitlines()
    start = lines.index(header) + 2
    end = next(i for i in range(start, len(lines) + 1) if i == len(lines) or not lines[i].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:end]]


# The labels themselves


def test_there_are_26_labels_in_24_families_with_a_name_and_a_word_each():
    assert len(LABELS) == len(set(LABELS)) == len(set(WORDS.values())) == len(set(NAMES.values())) == 26
    assert len(FAMILIES) == 24
    assert {label for label in LABELS if FAMILY_OF[label] != label} == {"KIRC", "LGG"}
    assert FAMILY_OF["KIRC"] == "KIPAN" and FAMILY_OF["LGG"] == "GBMLGG"


# The tables' integrity


def test_every_listed_code_is_listed_once_with_a_name_and_a_reason():
    codes = rows("labels", "oncotree_labels.csv")
    assert len(codes) == len(LISTED)
    assert [row["code"] for row in codes if not (row["name"] and row["reason"])] == []


def test_every_listed_label_is_one_of_the_26_or_empty():
    assert {row["label"] for row in LISTED.values()} - {""} == set(LABELS)


def test_the_tree_has_one_root_and_no_orphan():
    assert len(rows("labels", "oncotree_tree.csv")) == len(TREE)
    assert [code for code, row in TREE.items() if not row["parent"]] == ["TISSUE"]
    assert [code for code, row in TREE.items() if row["parent"] and row["parent"] not in TREE] == []


def test_the_tree_has_no_cycle():
    for start in TREE:
        seen, code = set(), start
        while code:
            assert code not in seen, f"{start} comes back to {code}"
            seen.add(code)
            code = TREE[code]["parent"]


def test_listed_codes_bear_the_trees_names():
    assert {c: r["name"] for c, r in LISTED.items() if c in TREE and r["name"] != TREE[c]["name"]} == {}


def test_every_site_is_listed_so_that_no_code_of_the_tree_is_undecided():
    sites = {code for code, row in TREE.items() if row["parent"] == "TISSUE"}
    assert sites and {LISTED[site]["label"] for site in sites} == {""}
    assert all(by_code(code).scope in ("in", "out") and by_code(code).reason for code in TREE if code != "TISSUE")


def test_the_root_of_the_tree_is_no_class():
    assert by_code("TISSUE").scope == from_oncotree(None, "Tissue", None, "Tissue").scope == "out"


def test_each_of_the_26_labels_is_reached_from_the_tree():
    assert {by_code(code).label for code in TREE} - {None} == set(LABELS)


def test_an_assignment_has_a_label_exactly_when_it_is_in_scope():
    assignments = [by_code(code) for code in TREE.keys() | LISTED.keys()]
    assert all(
        (a.label in LABELS) == (a.scope == "in") and (a.label is None) == (a.scope == "out") for a in assignments
    )


# The review, code by code: one line for each decision that a pathologist would look for


@pytest.mark.parametrize(
    ("label", "codes"),
    {
        "ACC": "ACC",
        "BLCA": "BLCA UCU UTUC",
        "BRCA": "BRCA IDC ILC BRCNOS BRCANOS DCIS BNNOS MBC",
        "CESC": "CESC CEAD ECAD MCCE CEGCC CEAS",
        "COAD": "COAD READ COADREAD MACR",
        "DLBC": "DLBCLNOS ABC GCB PMBL PCNSL",
        "GBMLGG": "GB GSARC ASTR4 DIFG ADIFG GNOS ASTR GBM",
        "HNSC": "HNSC OCSC LXSC HPHSC OPHSC SNSC",
        "KIPAN": "PRCC CHRCC",
        "KIRC": "CCRCC RCC",
        "LAML": "AML AMLNOS AMOL AMML AMKL AMLMD AMLMRC MLADS APL",
        "LGG": "ASTR2 ASTR3 AASTR ODG OAST",
        "LIHC": "HCC FLC HCCIHCH",
        "LUAD": "LUAD",
        "LUSC": "LUSC",
        "OV": "HGSOC SOC CCOV EOV MOV MXOV BTMOV",
        "PAAD": "PAAD PAASC",
        "PCPG": "PHC PGNG",
        "PRAD": "PRAD",
        "SARC": "LMS ULMS DDLS WDLS LIPO MFH MFS SYNS MPNST SARCNOS",
        "SKCM": "SKCM MEL ACRM",
        "STES": "STAD DSTAD TSTAD MSTAD SSRCC STAS ESCA ESCC GEJ EGC",
        "TGCT": "NSGCT SEM EMBCA TT TYST",
        "THCA": "THPA THFO THPD THAP",
        "THYM": "THYM THYC",
        "UCEC": "UCEC UASC UCCC",
    }.items(),
)
def test_codes_lead_to_their_cohort(label, codes):
    assert {code: by_code(code).label for code in codes.split()} == dict.fromkeys(codes.split(), label)


@pytest.mark.parametrize(
    "codes",
    [
        "SCLC LUCA PRSCC PRNE STSC SCCE HGNEC PANET UNEC MCC",  # neuroendocrine
        "NSCLC NSCLCPD LCLC GCLC LUAS NUTCL",  # lung, neither LUAD nor LUSC for sure
        "UM VMM HNMUCM RBL",  # melanoma that is not of the skin; eye
        "CHOL IHCH EHCH GBC GBAD AMPCA LIHB",
        "UCS OCS SCCO GRCT OMGCT UCCA EGCT",
        "ES OS CHS CHDM GIST RMS ARMS ERMS PLRMS DES FIBS MRLS DFSP ESS",
        "BL FL MCL PEL CLLSLL HCL PCM HL NHL MBN HGBCLMYCBCL2 ALCLALKP BLL TLL",
        "CMLBCRABL1 ALAL MDS TMN",
        "MBL ATRT PNET MNG DMG DIPG PDIFHG PAST EPM",
        "NBL WT MRT MRC ROCY NPC ACYC MUCC NMCHN CSCC BLSC THME DA",
        "PLMESO PLEMESO PLBMESO PLSMESO PEMESO",
    ],
)
def test_other_diseases_are_out_of_scope_with_a_reason(codes):
    found = {code: by_code(code) for code in codes.split()}
    assert {code: a.scope for code, a in found.items()} == dict.fromkeys(found, "out")
    assert all(a.label is None and len(a.reason) > 5 for a in found.values())


def test_a_code_spelt_like_a_label_is_not_taken_for_it():
    assert TREE["TGCT"]["name"] == "Tenosynovial Giant Cell Tumor Diffuse Type"
    assert by_code("TGCT").scope == "out"


# Unlisted codes


@pytest.mark.parametrize(
    ("code", "label", "decided_by"),
    [
        ("ODG3", "LGG", "ODG"),
        ("SCGBM", "GBMLGG", "GB"),
        ("ISTAD", "STES", "STAD"),
        ("AMLNPM1", "LAML", "AML"),
        ("USC", "UCEC", "UCEC"),
        ("LGSOC", "OV", "SOC"),
        ("TCCA", "TGCT", "NSGCT"),
        ("SCCRCC", "KIRC", "CCRCC"),
        ("PHCH", None, "CHOL"),
        ("MBLSHH", None, "MBL"),
        ("LUNE", None, "LUNG"),
        ("WM", None, "MBN"),
    ],
)
def test_an_unlisted_code_is_decided_by_its_nearest_listed_ancestor(code, label, decided_by):
    assert code not in LISTED
    found = by_code(code)
    assert found.label == label
    assert found.reason == f"{code} is decided by its ancestor {decided_by}: {LISTED[decided_by]['reason']}"


def test_a_known_code_outweighs_the_texts():
    assert from_oncotree("SCLC", "Non-Small Cell Lung Cancer", "Lung Adenocarcinoma", "Lung").scope == "out"


# No code, or an unknown one


@pytest.mark.parametrize("code", [None, "", "  ", "NOT_A_CODE"])
def test_without_a_known_code_the_subtype_decides_before_the_primary_disease(code):
    found = from_oncotree(code, "Non-Small Cell Lung Cancer", "Lung Adenocarcinoma", "Lung")
    assert (found.label, found.scope) == ("LUAD", "in")
    assert '"Lung Adenocarcinoma" names LUAD' in found.reason


def test_an_unknown_subtype_leaves_it_to_the_primary_disease():
    assert from_oncotree(None, "Hepatocellular Carcinoma", "a new kind", "Liver").label == "LIHC"
    assert from_oncotree(None, "Acute Myeloid Leukemia", "Acute Promyelocytic Leukemia", "Myeloid").label == "LAML"


def test_case_punctuation_and_a_bracketed_abbreviation_do_not_matter():
    text = "primary mediastinal (thymic) large b-cell lymphoma (PMBL)"
    assert from_oncotree(None, None, text, "Lymphoid").label == "DLBC"


def test_the_lineage_distinguishes_one_name_at_several_sites():
    assert from_oncotree(None, None, "Yolk Sac Tumor", "Testis").label == "TGCT"
    assert from_oncotree(None, None, "Yolk Sac Tumor", "Ovary/Fallopian Tube").label is None


def test_one_name_at_several_sites_without_a_lineage_is_out_and_names_the_codes():
    found = from_oncotree(None, None, "Yolk Sac Tumor", None)
    assert found.scope == "out"
    assert "TYST" in found.reason and "OYST" in found.reason


def test_a_name_of_another_site_is_not_taken():
    assert from_oncotree(None, None, "Mucinous Carcinoma", "Cervix").label == "CESC"
    assert from_oncotree(None, None, "Mucinous Carcinoma", "Breast").label is None


def test_a_non_cancerous_model_is_out():
    found = from_oncotree(None, "Non-Cancerous", "Immortalized Prostate Cells", "Prostate")
    assert found == Assignment(None, "out", "non-cancerous")


def test_an_unknown_code_and_text_are_out_and_named():
    found = from_oncotree("XYZ", "Hereditary Spherocytosis", "Spherocytosis", "Myeloid")
    assert found.scope == "out"
    assert "XYZ" in found.reason and "Spherocytosis / Hereditary Spherocytosis" in found.reason


def test_a_model_without_code_and_disease_is_unlabelled():
    assert from_oncotree(None, "", None, "Lung").scope == "unlabelled"


# TCGA cohorts


@pytest.mark.parametrize(
    ("cohort", "label"),
    {
        "KIRP": "KIPAN",
        "KICH": "KIPAN",
        "GBM": "GBMLGG",
        "STAD": "STES",
        "ESCA": "STES",
        "READ": "COAD",
        "COADREAD": "COAD",
        "COAD/READ": "COAD",
    }.items(),
)
def test_cohorts_without_a_label_of_their_own_lead_to_the_one_that_stands_for_them(cohort, label):
    assert from_tcga_cohort(cohort).label == label


@pytest.mark.parametrize("label", LABELS)
def test_each_label_is_accepted_as_a_cohort(label):
    found = from_tcga_cohort(label)
    assert (found.label, found.scope) == (label, "in")


@pytest.mark.parametrize("cohort", ["CHOL", "MESO", "UCS", "UVM", "LCML", "ZZZ", "LUAD2", "12"])
def test_cohorts_of_other_cancers_and_unknown_ones_are_out(cohort):
    found = from_tcga_cohort(cohort)
    assert found.label is None and found.scope == "out" and found.reason


def test_every_cohort_has_a_reason_a_valid_label_and_sample_types():
    cohorts = rows("labels", "tcga_cohorts.csv")
    assert len({row["cohort"] for row in cohorts}) == len(cohorts)
    assert {row["label"] for row in cohorts} - {""} == set(LABELS)
    assert all(row["name"] and row["reason"] for row in cohorts)
    assert {kind for row in cohorts for kind in row["sample_types"].split()} == {"01", "03", "06"}


@pytest.mark.parametrize("written", ["TCGA-LUAD", "luad", " LUAD "])
def test_a_cohort_is_known_however_it_is_written(written):
    assert from_tcga_cohort(written).label == "LUAD"


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_no_cohort_and_no_subclass_are_unlabelled(nothing):
    assert from_tcga_cohort(nothing).scope == from_subclass(nothing).scope == "unlabelled"


def test_the_tumours_sample_type_is_preferred():
    assert sample_types("BRCA") == ("01",)
    assert sample_types("LAML") == ("03",)
    assert sample_types("SKCM") == ("06", "01")
    assert sample_types("TCGA-SKCM") == ("06", "01")
    assert sample_types("unheard of") == sample_types(None) == ("01",)


# The user's own table


def test_a_subclass_is_one_of_the_26():
    assert [from_subclass(label).label for label in LABELS] == list(LABELS)
    assert from_subclass(" brca ").label == "BRCA"


def test_a_subclass_that_another_label_stands_for_is_out_and_the_label_is_named():
    found = from_subclass("GBM")
    assert found.scope == "out"
    assert "write GBMLGG" in found.reason


@pytest.mark.parametrize("text", ["CHOL", "Lung", "BRCA/OV"])
def test_any_other_subclass_is_out(text):
    assert from_subclass(text) == Assignment(None, "out", f"{text} is none of the 26 labels")


# Usability of a model


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ({"OncotreePrimaryDisease": "Non-Cancerous"}, "non-cancerous model"),
        ({"OncotreePrimaryDisease": "Melanoma", "EngineeredModel": "genetic knockout"}, "engineered model"),
        ({"OncotreePrimaryDisease": "Melanoma", "EngineeredModel": "True"}, "engineered model"),
        ({"OncotreePrimaryDisease": "Melanoma", "EngineeredModel": "cultured to resistance"}, "drug-adapted model"),
        ({"OncotreePrimaryDisease": "Melanoma", "CulturedResistanceDrug": "Dabrafenib"}, "drug-adapted model"),
        ({"OncotreePrimaryDisease": "Melanoma", "EngineeredModel": "False", "CulturedResistanceDrug": ""}, None),
        ({"OncotreePrimaryDisease": "Melanoma", "EngineeredModel": None, "CulturedResistanceDrug": None}, None),
        ({}, None),
    ],
)
def test_a_model_that_is_no_sample_of_a_cancer_is_excluded(model, reason):
    assert model_exclusion(model) == reason


# Patients whose models contradict each other


def model(model_id: str, lineage: str, code: str, patient: str = "P") -> PatientModel:
    return PatientModel(model_id, patient, lineage, by_code(code))


def test_models_that_agree_are_no_conflict():
    assert patient_conflicts([model("a", "Skin", "MEL"), model("b", "Skin", "SKCM")]) == {}


def test_the_lineage_of_most_models_stands():
    models = [model("a", "Bladder", "BLCA"), model("b", "Bladder", "BLCA"), model("c", "Lymphoid", "DLBCLNOS")]
    assert patient_conflicts(models) == {
        "c": "the patient's models have lineages Bladder, Lymphoid: most are Bladder",
    }


def test_without_a_majority_all_models_of_the_patient_go():
    conflicts = patient_conflicts([model("a", "Skin", "MEL"), model("b", "Peripheral Nervous System", "NBL")])
    assert conflicts.keys() == {"a", "b"}
    assert conflicts["a"].endswith("none has a majority")


def test_two_labels_within_one_lineage_are_settled_by_the_majority():
    models = [model("a", "Lung", "LUAD"), model("b", "Lung", "LUAD"), model("c", "Lung", "LUSC")]
    assert patient_conflicts(models).keys() == {"c"}
    assert patient_conflicts(models[1:]).keys() == {"b", "c"}


def test_a_model_without_a_label_or_a_lineage_contradicts_nothing():
    assert patient_conflicts([model("a", "Lung", "LUAD"), model("b", "Lung", "NSCLC")]) == {}
    assert patient_conflicts([model("a", "Lung", "LUAD"), model("b", "", "LUAD")]) == {}


def test_patients_are_judged_apart_and_models_without_a_patient_not_at_all():
    assert patient_conflicts([model("a", "Skin", "MEL", "P1"), model("b", "Lung", "LUAD", "P2")]) == {}
    assert patient_conflicts([model("a", "Skin", "MEL", ""), model("b", "Lung", "LUAD", "")]) == {}


# Against the simulated and the real tables


@pytest.fixture(scope="module")
def real_models(shared_data) -> list[dict[str, str]]:
    return read(shared_data / "depmap" / "Model.csv")


@pytest.fixture(scope="module", params=["simulated", "real"])
def models(request, tmp_path_factory) -> list[dict[str, str]]:
    """Rows of Model.csv: simulated ones, which everybody has, and DepMap's where they are."""
    if request.param == "real":
        return request.getfixturevalue("real_models")
    folder = tmp_path_factory.mktemp("simulated") / "depmap"
    simulation.write_depmap(folder, settings(Simulated, "data.simulated", cases_per_label=4, cell_line_fraction=0.5))
    return read(folder / simulation.MODELS_NAME)


def assignment(row: dict[str, str]) -> Assignment:
    return from_oncotree(
        row["OncotreeCode"], row["OncotreePrimaryDisease"], row["OncotreeSubtype"], row.get("OncotreeLineage")
    )


def usable(models: list[dict[str, str]]) -> list[dict[str, str]]:
    return [row for row in models if model_exclusion(row) is None]


def conflicts_of(models: list[dict[str, str]]) -> dict[str, str]:
    return patient_conflicts(
        PatientModel(row["ModelID"], row["PatientID"], row["OncotreeLineage"], assignment(row))
        for row in usable(models)
    )


def test_every_code_of_depmap_is_reviewed_by_name(models):
    assert {row["OncotreeCode"] for row in models if row["OncotreeCode"]} - LISTED.keys() == set()


def test_every_label_but_two_has_lines(real_models):
    assert {assignment(row).label for row in real_models} - {None} == set(LABELS) - NO_LINES


def test_no_model_of_depmap_is_left_without_a_reason(models):
    assert all(assignment(row).reason and assignment(row).scope in ("in", "out") for row in models)


def test_a_matched_normal_line_excludes_no_model(models):
    normal = next(row for row in models if model_exclusion(row) == "non-cancerous model")
    tumour = next(row for row in models if model_exclusion(row) is None)
    pair = [normal | {"PatientID": "P"}, tumour | {"PatientID": "P"}]
    assert conflicts_of(pair) == {} and [row["ModelID"] for row in usable(pair)] == [tumour["ModelID"]]


def test_no_patient_of_depmap_is_in_conflict_with_a_matched_normal_line(real_models):
    conflicts = conflicts_of(real_models)
    with_normal = {row["PatientID"] for row in real_models if row["OncotreeSubtype"] == "Matched Normal"}
    assert len(with_normal) > 30
    assert [row for row in usable(real_models) if row["PatientID"] in with_normal and row["ModelID"] in conflicts] == []


def test_the_documented_counts_are_those_of_model_csv(real_models):
    conflicts = conflicts_of(real_models)
    assigned = Counter(assignment(row).label for row in real_models)
    kept = Counter(assignment(row).label for row in usable(real_models) if row["ModelID"] not in conflicts)
    documented = table_of_doc("| label | assigned | usable |")
    assert documented == [[label, str(assigned[label]), str(kept[label])] for label in LABELS]


@pytest.fixture(scope="module")
def gdsc(shared_data) -> Counter:
    """Lines by (code or text, GDSC's own label, GDSC's label as one of ours, our label or None)."""
    lines = Counter()
    for row in read(shared_data / "facts" / "oncotree_vs_gdsc_tcga_label_crosstab.csv"):
        theirs = from_tcga_cohort(row["gdsc_tcga_label"]).label
        if theirs:
            named = row["OncotreeCode"] or row["OncotreeSubtype"]
            lines[named, row["gdsc_tcga_label"], theirs, assignment(row).label] += int(row["n"])
    return lines


def share(lines: Counter, agrees) -> float:
    return sum(n for key, n in lines.items() if agrees(key)) / lines.total()


def test_at_least_97_percent_of_the_lines_that_gdsc_and_we_label_agree(gdsc):
    """By family: GDSC has one kidney label and calls gliosarcomas LGG, so that it cannot decide a leaf."""
    both = Counter({key: n for key, n in gdsc.items() if key[3]})
    assert both.total() > 550
    assert share(both, lambda key: FAMILY_OF[key[2]] == FAMILY_OF[key[3]]) >= 0.97
    assert share(both, lambda key: key[2] == key[3]) >= 0.96


def test_few_lines_that_gdsc_labels_are_held_out_of_scope(gdsc):
    assert share(gdsc, lambda key: key[3] is None) < 0.04


def test_every_disagreement_with_gdsc_is_documented(gdsc):
    found = {(named, own, ours or "out", str(n)) for (named, own, theirs, ours), n in gdsc.items() if theirs != ours}
    documented = table_of_doc("| code or text | GDSC | ours | lines | why |")
    assert {tuple(row[:4]) for row in documented} == found
    assert len(documented) == len(found) and all(row[4] for row in documented)
