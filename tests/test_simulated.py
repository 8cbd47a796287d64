"""The simulated cohort: true to the published figures, the genetic code and the real layouts; the same every time."""

import csv
import gzip
import hashlib
import json
from collections import Counter, defaultdict

import numpy as np
import pytest

from cancertype.labels import LABELS
from cancertype.package_data import rows
from cancertype.simulator import simulation
from cancertype.simulator.alterations import CODON_USAGE, COMPLEMENT, SUBSTITUTION_OF, TRANSLATION
from cancertype.simulator.draws import case_rng, draw_case, is_silent, is_truncating
from cancertype.simulator.figures import genes, recurrent
from cancertype.simulator.layouts import DEPMAP_COLUMNS, MAF_COLUMNS
from cancertype.simulator.settings import Simulated
from tests.settings import settings

SMALL = settings(Simulated, "data.simulated", cases_per_label=6, cell_line_fraction=0.34)
CASES = 120


def rows_of(path, delimiter):
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = [line for line in content.decode().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter=delimiter))


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulated")
    simulation.write_depmap(root / "depmap", SMALL)
    simulation.write_tcga(root / "tcga", SMALL)
    return root


@pytest.fixture(scope="module")
def maf(folders):
    return rows_of(folders / "tcga" / simulation.MAF_NAME, "\t")


@pytest.fixture(scope="module")
def clinical(folders):
    return rows_of(folders / "tcga" / simulation.CLINICAL_NAME, "\t")


@pytest.fixture(scope="module")
def mutations(folders):
    return rows_of(folders / "depmap" / simulation.MUTATIONS_NAME, ",")


@pytest.fixture(scope="module")
def models(folders):
    return rows_of(folders / "depmap" / simulation.MODELS_NAME, ",")


@pytest.fixture(scope="module")
def drawn():
    """Label to the non-silent variants of ``CASES`` tumours."""
    cases = {}
    for label in LABELS:
        draws = [draw_case(case_rng(1, label, "tumour", i), label, False) for i in range(CASES)]
        cases[label] = [d.take(~is_silent(d)) for d in draws]
    return cases


def mutated_share(draws, gene):
    return np.mean([gene in d.gene for d in draws])


# ------------------------------------------------------------------------------------------------ true to the figures


def test_every_published_gene_frequency_is_met_within_sampling_error(drawn):
    index = {gene: i for i, gene in enumerate(genes()[0])}
    deviations = []
    for row in rows("simulator", "gene_frequency.csv"):
        expected = float(row["percent"]) / 100
        found = mutated_share(drawn[row["label"]], index[row["gene"]])
        deviations.append((found - expected) / np.sqrt(expected * (1 - expected) / CASES))
    assert len(deviations) > 1000
    assert abs(np.mean(deviations)) < 0.15
    assert 0.85 < np.std(deviations) < 1.15
    assert np.abs(deviations).max() < 5.0


@pytest.mark.parametrize("label", LABELS)
def test_burden_spectrum_and_indels_follow_the_label(drawn, label):
    row = next(r for r in rows("simulator", "burden_and_spectrum.csv") if r["label"] == label)
    burdens = np.log10([len(d) + 1 for d in drawn[label]])
    sd = float(row["log10_burden_sd"])
    assert burdens.mean() == pytest.approx(float(row["log10_burden_mean"]), abs=4 * sd / np.sqrt(CASES) + 0.03)
    assert burdens.std() == pytest.approx(sd, rel=0.35)
    # Recurrent changes have bases of their own, so that they are left out here.
    kinds = np.concatenate([SUBSTITUTION_OF[d.take(~d.recurrent).alteration] for d in drawn[label]])
    shares = np.bincount(kinds[kinds >= 0], minlength=6) / (kinds >= 0).sum()
    published = np.array([float(row[name]) for name in ("C>A", "C>G", "C>T", "T>A", "T>C", "T>G")])
    assert np.abs(shares - published / published.sum()).max() < 0.12


def test_a_line_carries_about_three_times_the_variants_of_a_tumour():
    ratios = []
    for label in simulation.labels_with_lines():
        lines = [len(draw_case(case_rng(1, label, "line", i), label, True)) for i in range(15)]
        tumours = [draw_case(case_rng(1, label, "tumour", i), label, False) for i in range(40)]
        ratios.append(np.mean(np.log(lines)) - np.mean([np.log(1 + (~is_silent(t)).sum()) for t in tumours]))
    assert 2.4 < np.exp(np.mean(ratios)) < 3.8


def test_recurrent_changes_recur_where_they_should(drawn):
    index = {gene: i for i, gene in enumerate(genes()[0])}

    def share(label, gene, codon):
        carriers = [d for d in drawn[label] if index[gene] in d.gene]
        return np.mean([((d.gene == index[gene]) & (d.codon == codon)).any() for d in carriers])

    assert share("THCA", "BRAF", 600) > 0.7
    assert share("LGG", "IDH1", 132) > 0.7
    assert share("PAAD", "KRAS", 12) > 0.5
    assert share("BRCA", "TP53", 175) < 0.3
    for changes in recurrent().values():
        assert changes.cumulative[-1] <= 0.97 + 1e-9


def test_truncating_genes_truncate_and_oncogenes_do_not(drawn):
    index = {gene: i for i, gene in enumerate(genes()[0])}

    def truncating(label, gene):
        hits = [is_truncating(d)[d.gene == index[gene]].any() for d in drawn[label] if index[gene] in d.gene]
        return np.mean(hits)

    assert truncating("COAD", "APC") > 0.7
    assert truncating("KIRC", "PBRM1") > 0.6
    assert truncating("PAAD", "KRAS") < 0.1
    assert truncating("LGG", "IDH1") < 0.1


def test_codon_usage_sums_to_one():
    assert CODON_USAGE.sum() == pytest.approx(1.0, abs=0.005)


# ------------------------------------------------------------------------------------------- true to the genetic code


def codon_change(row):
    """Codons before and after, from the cell that VEP writes and, independently, from alleles and strand."""
    before, after = row["Codons"].split("/")
    altered = [i for i, base in enumerate(before) if base.isupper()]
    reference, alternative = row["Reference_Allele"], row["Tumor_Seq_Allele2"]
    if row["STRAND"] == "-1":
        reference, alternative = (text.translate(COMPLEMENT)[::-1] for text in (reference, alternative))
    assert before[altered[0] : altered[-1] + 1] == reference
    assert after[altered[0] : altered[-1] + 1] == alternative
    return before.upper(), after.upper()


def test_amino_acids_agree_with_alleles_strand_and_codon_table(maf):
    seen = Counter()
    for row in maf:
        if row["Variant_Type"] not in ("SNP", "DNP") or row["Variant_Classification"] == "Splice_Site":
            continue
        before, after = (TRANSLATION[codon] for codon in codon_change(row))
        kind, position = row["Variant_Classification"], row["Protein_position"]
        seen[kind] += 1
        if kind == "Silent":
            assert before == after and row["HGVSp_Short"] == f"p.{before}{position}="
        elif kind == "Missense_Mutation":
            assert before != after and "*" not in before + after
            assert row["HGVSp_Short"] == f"p.{before}{position}{after}"
        elif kind == "Nonsense_Mutation":
            assert after == "*" and row["HGVSp_Short"] == f"p.{before}{position}*"
        elif kind == "Translation_Start_Site":
            assert row["HGVSp_Short"] == "p.M1?"
        else:
            assert kind == "Nonstop_Mutation" and before == "*"
    assert set(seen) >= {"Silent", "Missense_Mutation", "Nonsense_Mutation"}
    assert 0.2 < seen["Silent"] / seen["Missense_Mutation"] < 0.8


def test_context_is_eleven_bases_around_the_reference_allele(maf):
    for row in maf:
        assert len(row["CONTEXT"]) == 11
        if row["Variant_Type"] in ("SNP", "DNP"):
            allele = row["Reference_Allele"]
            assert row["CONTEXT"][5 : 5 + len(allele)] == allele


def test_context_contains_the_altered_codon(maf):
    for row in maf[:5000]:
        if row["Codons"] != ".":
            codon = row["Codons"].split("/")[0]
            first = next(i for i, base in enumerate(codon) if base.isupper())
            minus = row["STRAND"] == "-1"
            first = 3 - first - sum(base.isupper() for base in codon) if minus else first
            expected = codon.upper().translate(COMPLEMENT)[::-1] if minus else codon.upper()
            assert row["CONTEXT"][5 - first : 8 - first] == expected


def test_a_frameshift_is_not_a_multiple_of_three_and_an_inframe_indel_is(maf):
    lengths = defaultdict(set)
    for row in maf:
        if row["Variant_Type"] in ("DEL", "INS"):
            allele = row["Reference_Allele"] if row["Variant_Type"] == "DEL" else row["Tumor_Seq_Allele2"]
            lengths[row["Variant_Classification"]].add(len(allele) % 3)
    assert lengths["In_Frame_Del"] == lengths["In_Frame_Ins"] == {0}
    assert lengths["Frame_Shift_Del"] == lengths["Frame_Shift_Ins"] == {1, 2}


def test_one_site_has_one_coordinate(maf):
    places = defaultdict(set)
    for row in maf:
        if row["HGVSp_Short"] in ("p.V600E", "p.R132H") and row["Hugo_Symbol"] in ("BRAF", "IDH1"):
            places[row["Hugo_Symbol"], row["HGVSp_Short"]].add((row["Chromosome"], row["Start_Position"]))
    assert len(places) == 2
    assert all(len(found) == 1 for found in places.values())


# ---------------------------------------------------------------------------------------------------- real layouts


def test_headers_are_the_declared_ones(folders):
    with gzip.open(folders / "depmap" / simulation.MUTATIONS_NAME, "rt") as lines:
        assert tuple(next(lines).strip().split(",")) == DEPMAP_COLUMNS
    with gzip.open(folders / "tcga" / simulation.MAF_NAME, "rt") as lines:
        header = next(line for line in lines if not line.startswith("#")).rstrip("\n").split("\t")
    assert set(header) <= set(MAF_COLUMNS)


def test_headers_are_those_of_the_real_files(folders, shared_data):
    with gzip.open(shared_data / "depmap" / "OmicsSomaticMutations.csv.gz", "rt") as real:
        assert tuple(next(real).strip().split(",")) == DEPMAP_COLUMNS
    with open(shared_data / "depmap" / "Model.csv") as real:
        assert set(simulation._MODEL_COLUMNS) <= set(next(real).strip().split(","))
    assert len(MAF_COLUMNS) == len(set(MAF_COLUMNS)) == 114


def test_depmap_cells_are_written_as_depmap_writes_them(mutations):
    kinds = {row["VariantInfo"] for row in mutations}
    assert {"missense_variant", "stop_gained", "frameshift_variant", "splice_donor_variant"} <= kinds
    assert "synonymous_variant" not in kinds
    for row in mutations:
        change, kind = row["ProteinChange"], row["VariantInfo"]
        assert "*" not in change
        assert (change == "") == kind.startswith("splice")
        assert ("Ter" in change) == (kind in ("stop_gained", "frameshift_variant", "stop_lost"))
        assert int(row["RefCount"]) + int(row["AltCount"]) == int(row["DP"])
        if row["VariantType"] in ("insertion", "deletion"):
            assert row["Ref"][0] == row["Alt"][0]
            assert (len(row["Alt"]) > len(row["Ref"])) == (row["VariantType"] == "insertion")
        assert (row["LikelyLoF"] == "True") == (
            kind in ("stop_gained", "frameshift_variant", "splice_donor_variant", "start_lost")
        )


def test_lines_hold_rare_germline_variants_and_a_few_common_ones(mutations):
    frequencies = np.array([float(row["GnomadeAF"]) for row in mutations])
    assert 0.05 < (frequencies > 0).mean() < 0.35
    assert 0 < (frequencies > 1e-4).mean() < 0.03


def test_every_label_is_there_with_its_number_of_patients(models, clinical):
    code_labels = {r["code"]: r["label"] for r in rows("simulator", "simulated_classes.csv") if r["layout"] == "depmap"}
    cohort_labels = {r["code"]: r["label"] for r in rows("simulator", "simulated_classes.csv") if r["layout"] == "tcga"}
    patients = defaultdict(set)
    for row in models:
        if row["OncotreeCode"] in code_labels:
            patients[code_labels[row["OncotreeCode"]]].add(row["PatientID"])
    for row in clinical:
        if row["acronym"] in cohort_labels:
            patients[cohort_labels[row["acronym"]]].add(row["bcr_patient_barcode"])
    assert set(patients) == set(LABELS)
    # The hypermutated, the unlisted-only, the silent-only and the uncalled patient come on top.
    extra = {"UCEC": 1, "PCPG": 1, "THCA": 1, "THYM": 1}
    assert {label: len(found) for label, found in patients.items()} == {
        label: SMALL.cases_per_label + extra.get(label, 0) for label in LABELS
    }


def test_labels_without_lines_in_life_have_none_here(models):
    assert set(LABELS) - set(simulation.labels_with_lines()) == {"PCPG", "THYM"}
    assert not [row for row in models if "PCPG" in row["ModelID"] or "THYM" in row["ModelID"]]


def test_sexes_are_possible(clinical, models):
    always = {"OV": "FEMALE", "UCEC": "FEMALE", "CESC": "FEMALE", "PRAD": "MALE", "TGCT": "MALE"}
    for row in clinical:
        assert row["gender"] == always.get(row["acronym"], row["gender"])
    assert {row["gender"] for row in clinical if row["acronym"] == "LUAD"} == {"MALE", "FEMALE"}
    assert {row["Sex"] for row in models} >= {"Male", "Female"}


# ------------------------------------------------------------------------------------------------- awkward cases


def test_a_patient_may_have_several_models_and_several_samples(models, maf):
    per_patient = Counter(row["PatientID"] for row in models)
    assert max(per_patient.values()) == 2
    samples = defaultdict(set)
    for row in maf:
        samples[row["Tumor_Sample_Barcode"][:12]].add(row["Tumor_Sample_Barcode"][13:15])
    assert {frozenset(found) for found in samples.values() if len(found) > 1} == {
        frozenset({"01", "06"}),
        frozenset({"01", "11"}),
    }
    assert {found for found in map(frozenset, samples.values()) if "03" in found} == {frozenset({"03"})}


def test_two_models_of_a_patient_share_most_variants_and_the_normal_sample_few(mutations, maf):
    def variants(rows, key, sample, columns):
        return {tuple(row[c] for c in columns) for row in rows if row[key] == sample}

    columns = ("HugoSymbol", "ProteinChange", "Pos")
    first, second = (variants(mutations, "ModelID", f"ACH-SIM-LUAD-0000{end}", columns) for end in ("", "-B"))
    assert second < first and len(second) > 0.75 * len(first)
    patient = next(row["Tumor_Sample_Barcode"][:12] for row in maf if row["Tumor_Sample_Barcode"][13:15] == "11")
    columns = ("Hugo_Symbol", "HGVSp_Short", "Start_Position")
    tumour, normal = (variants(maf, "Tumor_Sample_Barcode", f"{patient}-{t}A", columns) for t in ("01", "11"))
    assert normal < tumour and len(normal) < 0.2 * len(tumour)


def test_engineered_resistant_uncoded_and_out_of_scope_lines_are_there(models):
    assert {row["EngineeredModel"] for row in models} == {"", "genetic knockout", "cultured to resistance"}
    assert [row["CulturedResistanceDrug"] for row in models if row["CulturedResistanceDrug"]] == ["Dabrafenib"]
    assert {"", "SCLC", "UM", "ES", "NBL"} <= {row["OncotreeCode"] for row in models}
    assert "Non-Cancerous" in {row["OncotreePrimaryDisease"] for row in models}


def test_hypermutated_silent_uncalled_and_out_of_scope_patients_are_there(maf, clinical):
    assert {"CHOL", "MESO", "UCS", "UVM"} <= {row["acronym"] for row in clinical}
    counts = Counter(r["Tumor_Sample_Barcode"][:12] for r in maf if r["Variant_Classification"] != "Silent")
    assert max(counts.values()) == pytest.approx(6000, abs=50)
    patients = {row["bcr_patient_barcode"] for row in clinical}
    called = {row["Tumor_Sample_Barcode"][:12] for row in maf}
    assert len(patients - called) == 1
    assert called - set(counts) == {simulation.barcode(len(LABELS), 2)}


def test_one_patient_has_no_mutation_in_any_listed_gene(maf):
    listed = {row["gene"] for row in rows("simulator", "gene_frequency.csv")}
    patient = simulation.barcode(len(LABELS), 1)
    hit = {
        row["Hugo_Symbol"]
        for row in maf
        if row["Tumor_Sample_Barcode"].startswith(patient) and row["Variant_Classification"] != "Silent"
    }
    assert len(hit) >= 3
    assert not hit & listed


def test_the_maf_has_old_gene_symbols_and_depmap_current_ones(maf, mutations):
    assert "MLL2" in {row["Hugo_Symbol"] for row in maf}
    symbols = {row["HugoSymbol"] for row in mutations}
    assert "KMT2D" in symbols and "MLL2" not in symbols


# ------------------------------------------------------------------------------------------------ marked, repeatable


def test_everything_says_that_it_is_simulated(folders, models, clinical, mutations):
    for layout in ("depmap", "tcga"):
        source = json.loads((folders / layout / "source.json").read_text())
        assert source["simulated"] is True
        assert source["source"] == f"simulated_{layout}"
        assert "SIMULATED" in source["name"] and "SIMULATED" in source["citation"]
        for described in source["files"]:
            content = (folders / layout / described["name"]).read_bytes()
            assert described["bytes"] == len(content)
            assert described["md5"] == hashlib.md5(content).hexdigest()
    with gzip.open(folders / "tcga" / simulation.MAF_NAME, "rt") as lines:
        assert "SIMULATED" in "".join(next(lines) for _ in range(2))
    assert {row["note"] for row in clinical} == {row["PublicComments"] for row in models} == {"SIMULATED"}
    assert all(row["ModelID"].startswith("ACH-SIM-") for row in mutations)
    assert all(row["bcr_patient_barcode"].startswith("TCGA-00-") for row in clinical)


def test_no_real_patient_has_a_simulated_barcode(shared_data):
    with open(shared_data / "tcga" / "tcga_clinical_dev.tsv") as lines:
        assert not [line for line in lines if line.startswith("TCGA-00-")]


def test_equal_settings_give_equal_bytes_and_another_seed_does_not(folders, tmp_path):
    simulation.write_depmap(tmp_path / "depmap", SMALL)
    simulation.write_tcga(tmp_path / "tcga", SMALL)
    for layout in ("depmap", "tcga"):
        assert contents(tmp_path / layout) == contents(folders / layout)
    other = settings(Simulated, "data.simulated", cases_per_label=2, seed=1)
    same = settings(Simulated, "data.simulated", cases_per_label=2)
    simulation.write_tcga(tmp_path / "other", other)
    simulation.write_tcga(tmp_path / "same", same)
    assert contents(tmp_path / "other")[simulation.MAF_NAME] != contents(tmp_path / "same")[simulation.MAF_NAME]


def test_more_cases_leave_the_earlier_ones_as_they_were():
    few = {c.sample: c for c in simulation.tumours(SMALL) + simulation.lines(SMALL)}
    larger = settings(Simulated, "data.simulated", cases_per_label=12, cell_line_fraction=0.34)
    many = {c.sample: c for c in simulation.tumours(larger) + simulation.lines(larger)}
    assert set(few) < set(many)
    assert all(many[sample] == case for sample, case in few.items())


def test_a_failed_write_leaves_the_old_folder_and_no_fragment(folders, tmp_path, monkeypatch):
    simulation.write_tcga(tmp_path / "tcga", settings(Simulated, "data.simulated", cases_per_label=1))
    before = contents(tmp_path / "tcga")

    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr(simulation, "_write_source", fails)
    with pytest.raises(OSError, match="disk full"):
        simulation.write_tcga(tmp_path / "tcga", SMALL)
    assert contents(tmp_path / "tcga") == before
    assert [path.name for path in tmp_path.iterdir()] == ["tcga"]


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_all_tumours_or_all_lines_can_be_asked_for(tmp_path, fraction):
    two = settings(Simulated, "data.simulated", cases_per_label=2, cell_line_fraction=fraction)
    lines = [c for c in simulation.lines(two) if c.stream == "line"]
    tumours = [c for c in simulation.tumours(two) if c.stream == "tumour"]
    assert bool({c.label for c in lines}) == bool(fraction)
    assert {c.label for c in tumours} == (set(LABELS) if fraction == 0 else {"PCPG", "THYM"})
    simulation.write_depmap(tmp_path / "depmap", two)
    assert rows_of(tmp_path / "depmap" / simulation.MUTATIONS_NAME, ",")


def test_a_file_of_any_number_of_rows_can_be_written(tmp_path):
    simulation.write_tcga_rows(tmp_path / "tcga", 2500)
    rows = rows_of(tmp_path / "tcga" / simulation.MAF_NAME, "\t")
    assert len(rows) == 2500 and tuple(rows[0]) == MAF_COLUMNS
    clinical = rows_of(tmp_path / "tcga" / simulation.CLINICAL_NAME, "\t")
    assert {r["Tumor_Sample_Barcode"][:12] for r in rows} <= {r["bcr_patient_barcode"] for r in clinical}
    simulation.write_depmap_rows(tmp_path / "depmap", 2500)
    rows = rows_of(tmp_path / "depmap" / "OmicsSomaticMutations.csv", ",")
    assert len(rows) == 2500 and tuple(rows[0]) == DEPMAP_COLUMNS
    models = rows_of(tmp_path / "depmap" / simulation.MODELS_NAME, ",")
    assert {r["ModelID"] for r in rows} <= {r["ModelID"] for r in models}
