"""Counts, vocabulary and the matrix that the trees read."""

import numpy as np
import pyarrow as pa
import pytest

from cancertype import features
from cancertype.alterations.of_cases import OfCases
from cancertype.assays.assay import panels_per_gene
from cancertype.errors import InputError
from cancertype.features.information import evidence, mutual_information
from cancertype.features.settings import Features
from cancertype.labels import LABELS
from tests.settings import settings
from tests.small_cohort import before_assays, cases_table, variants_table
from tests.views_cohort import made_up_cohort


def split_cases(rows: list[tuple[str, str, str]]) -> pa.Table:
    table = cases_table([{"case_id": c, "label": label} for c, label, _ in rows])
    return table.append_column("split", pa.array([s for *_, s in rows]))


@pytest.fixture
def small():
    """Ten melanomas with BRAF V600E, ten colon cancers with APC stops; TTN in all; a test case that must not count."""
    rows = [(f"S{i}", "SKCM", "train") for i in range(10)] + [(f"C{i}", "COAD", "train") for i in range(10)]
    rows.append(("T0", "COAD", "test"))
    variants = [(f"S{i}", "BRAF", "V600E", "missense", "T>A") for i in range(10)]
    variants += [(f"C{i}", "APC", f"R{i + 200}*", "nonsense", "C>T") for i in range(10)]
    variants += [(c, "TTN", "A1V", "missense", "C>T") for c, *_ in rows]
    variants += [("T0", "KRAS", "G12D", "missense", "C>T")]
    cases, table = split_cases(rows), variants_table(variants)
    return features.described(cases, table), table


NO_PANELS = {"cancer_gene_panels": None}
"""Only the genes that are ranked are in the vocabulary."""


def row(cases: pa.Table, case_id: str) -> dict:
    return cases.to_pylist()[cases["case_id"].to_pylist().index(case_id)]


def test_a_case_is_counted_by_class():
    cases = split_cases([("A", "OV", "train"), ("B", "OV", "train")])
    variants = variants_table(
        [
            ("A", "TP53", "R175H", "missense", "C>T"),
            ("A", "TP53", "R213*", "nonsense", "C>T"),
            ("A", "KRAS", "G12V", "missense", "C>A"),
            ("A", "APC", "P67fs", "frameshift", None),
            ("elsewhere", "APC", "P67fs", "frameshift", None),
        ]
    )
    counted = features.count(cases, variants)
    a, b = row(counted, "A"), row(counted, "B")
    assert (a["burden"], a["truncating"], a["deletions"], a["insertions"], a["C>T"], a["C>A"]) == (4, 2, 1, 0, 2, 1)
    named = {features.AMINO_ACID_SUBSTITUTIONS[i]: n for i, n in enumerate(a["amino_acids"]) if n}
    assert named == {"R>H": 1, "G>V": 1}
    assert b["burden"] == 0 and b["trinucleotides"] is None


def test_genes_are_ranked_by_information_on_the_training_split_only(small):
    cases, variants = small
    vocabulary = features.fit(
        cases, variants, settings(Features, "features", genes=10, recurrent_min_cases=3, **NO_PANELS)
    )
    assert set(vocabulary.names("gene")[:2]) == {"APC", "BRAF"}
    assert "KRAS" not in vocabulary.names("gene")
    information = dict(
        zip(vocabulary.table["name"].to_pylist(), vocabulary.table["information"].to_pylist(), strict=True)
    )
    assert information["APC"] == pytest.approx(1.0), "APC decides between two equally common labels: one bit"
    assert information["TTN"] == pytest.approx(0.0), "a gene mutated in every case says nothing"


def test_only_recurrent_changes_are_in_the_vocabulary(small):
    vocabulary = features.fit(*small, settings(Features, "features", recurrent_min_cases=3))
    assert set(vocabulary.names("change")) == {"BRAF V600E", "TTN A1V"}


def test_information_agrees_with_scikit_learn():
    from sklearn.metrics import mutual_info_score

    rng = np.random.default_rng(0)
    labels, present = rng.integers(0, 26, 500), rng.random(500) < 0.3
    joint = np.bincount(labels[present], minlength=26)[None, :].astype(float)
    information = mutual_information(joint, np.bincount(labels, minlength=26).astype(float))
    assert information[0] == pytest.approx(mutual_info_score(labels, present) / np.log(2), abs=1e-12)


def test_evidence_grows_with_the_cases_seen_and_never_trusts_one():
    prior = np.full(26, 10.0)
    once, often = np.zeros((1, 26)), np.zeros((1, 26))
    once[0, 3], often[0, 3] = 1, 10
    assert 0 < evidence(once, prior)[0] < evidence(often, prior)[0] < np.log2(26)


def test_the_most_informative_variants_come_first_and_a_change_once(small):
    cases, variants = small
    variants = pa.concat_tables([variants, variants_table([("S0", "BRAF", "V600E", "missense", "T>A")])])
    vocabulary = features.fit(cases, variants, settings(Features, "features", genes=10, **NO_PANELS))
    informative = features.informative_variants(cases, variants, vocabulary)
    own = [r for r in informative.to_pylist() if r["case_id"] == "S0"]
    assert [(r["gene"], r["protein_change"], r["recurrent"]) for r in own] == [
        ("BRAF", "V600E", True),
        ("TTN", "A1V", True),
    ]
    case_ids = informative["case_id"].to_pylist()
    assert case_ids == sorted(case_ids, key=cases["case_id"].to_pylist().index)


def test_the_matrix_holds_genes_truncations_and_changes(small):
    cases, variants = small
    vocabulary = features.fit(cases, variants, settings(Features, "features", genes=10, **NO_PANELS))
    x, columns = features.matrix(cases, features.informative_variants(cases, variants, vocabulary), vocabulary)
    frame = dict(zip(columns, x.toarray().T, strict=True))
    s0, c0 = (cases["case_id"].to_pylist().index(c) for c in ("S0", "C0"))
    assert frame["mutated BRAF"][s0] == 1 and frame["truncated BRAF"][s0] == 0 and frame["change BRAF V600E"][s0] == 1
    assert frame["mutated APC"][c0] == 1 and frame["truncated APC"][c0] == 1
    assert frame["share T>A"][s0] == pytest.approx(0.5)
    assert frame["log10 burden"][s0] == pytest.approx(np.log10(3))
    assert x.shape == (cases.num_rows, len(columns)) and len(set(columns)) == len(columns)


def test_a_panel_limits_what_is_seen_and_named(small):
    cases, variants = small
    seen = features.restrict_to_panel(variants, ["BRAF", "NRAS"])
    counted = features.described(cases.select(range(10)), seen)
    vocabulary = features.fit(counted, seen, settings(Features, "features", genes=["BRAF", "NRAS"]))
    assert set(vocabulary.names("gene")) == {"BRAF", "NRAS"} == set(vocabulary.names("panel"))
    assert row(counted, "C0")["burden"] == 0
    with pytest.raises(InputError, match="BRAF twice"):
        features.fit(counted, seen, settings(Features, "features", genes=["BRAF", "BRAF"]))


def test_what_a_panel_did_not_sequence_is_unknown_not_unmutated(small):
    cases, variants = small
    vocabulary = features.fit(cases, variants, settings(Features, "features", genes=10, **NO_PANELS))
    informative = features.informative_variants(cases, variants, vocabulary)
    on_panel = cases.set_column(8, "panel", pa.array(["small"] * cases.num_rows))
    x, columns = features.matrix(on_panel, informative, vocabulary, {"small": ["BRAF"]})
    frame = dict(zip(columns, x.toarray().T, strict=True))
    assert np.isnan(frame["mutated APC"]).all() and np.isnan(frame["truncated APC"]).all()
    assert not np.isnan(frame["mutated BRAF"]).any()


def test_a_training_split_without_variants_is_an_error():
    cases = split_cases([("A", LABELS[0], "train")])
    empty = variants_table([])
    with pytest.raises(InputError, match="no case of the training split has a variant"):
        features.fit(features.described(cases, empty), empty, settings(Features, "features"))


def test_the_vocabulary_survives_a_round_trip(small, tmp_path):
    from cancertype.tables.parquet import write_parquet

    vocabulary = features.fit(*small, settings(Features, "features"))
    write_parquet(vocabulary.table, tmp_path / "v.parquet")
    assert features.Vocabulary.load(tmp_path / "v.parquet").table.equals(vocabulary.table)


def test_genes_that_many_panels_hold_are_always_named(small):
    rules = settings(Features, "features", genes=1, cancer_gene_panels=20)
    named = features.fit(*small, rules, panels_per_gene()).names("gene")
    wanted = {gene for gene, n in panels_per_gene().items() if n >= 20}
    assert len(wanted) > 20 and set(named[1:]) == wanted - {named[0]} and named[0] in ("APC", "BRAF")


# --- Cases seen through assays ---


@pytest.fixture(scope="module")
def seen():
    """Forty cases of two labels, half of which have copy number, fusions and spectra; described, with a vocabulary."""
    cohort = made_up_cohort({"BRCA": 0.5, "OV": 0.5}, 20)
    found = OfCases.of(cohort.alterations, cohort.cases["case_id"].to_pylist())
    cases = features.described(cohort.cases, cohort.variants, found, cohort.spectra)
    vocabulary = features.fit(cases, cohort.variants, settings(Features, "features", genes=10))
    return cohort, found, cases, features.informative_variants(cases, cohort.variants, vocabulary), vocabulary


def columns_of(cases, informative, vocabulary, panels=None) -> dict[str, np.ndarray]:
    x, columns = features.matrix(cases, informative, vocabulary, panels)
    assert len(set(columns)) == len(columns) == x.shape[1]
    return dict(zip(columns, x.toarray().T, strict=True))


def through(seen, panel: str | None):
    """The same cases as cases of this panel."""
    cohort, found, _, informative, vocabulary = seen
    cases = cohort.cases.set_column(8, "panel", pa.array([panel] * cohort.cases.num_rows, pa.string()))
    return features.described(cases, cohort.variants, found, cohort.spectra), informative, vocabulary


def test_arms_without_a_call_are_nan_and_the_altered_ones_are_counted(seen):
    _, found, cases, informative, vocabulary = seen
    frame = columns_of(cases, informative, vocabulary)
    assert 0 < found.arms_known.sum() < 40
    assert (np.isnan(frame["altered arms"]) == ~found.arms_known).all()
    known = np.flatnonzero(found.arms_known)
    assert (frame["arm 1p"][known] == found.arms[known, 0]).all()
    assert (frame["altered arms"][known] == (found.arms[known] != 0).sum(axis=1)).all()


def test_events_are_one_where_found_and_zero_also_where_nobody_looked(seen):
    _, found, cases, informative, vocabulary = seen
    frame = columns_of(cases, informative, vocabulary)
    of_gene = found.calls[:, found.genes.index("EGFR")]
    assert (frame["amplified EGFR"] == (of_gene == 2)).all() and (frame["deleted EGFR"] == (of_gene == -2)).all()
    fused = np.array([bool(fusions) for fusions in found.fusions])
    for name in ("fusion TMPRSS2-ERG", "fusion gene ERG", "fusion gene TMPRSS2"):
        assert (frame[name] == fused).all()
    assert (of_gene == -9).any() and any(fusions is None for fusions in found.fusions)


def test_spectra_come_from_the_matrix_and_the_96_otherwise_from_the_cases_own_contexts(seen):
    cohort, _, cases, informative, vocabulary = seen
    frame = columns_of(cases, informative, vocabulary)
    with_matrix = np.isin(cases["case_id"].to_pylist(), cohort.spectra["case_id"].to_pylist())
    assert (np.isnan(frame["indel 1:Del:C:0"]) == ~with_matrix).all()
    assert frame["indel 1:Del:C:0"][with_matrix] == pytest.approx(1 / 83)
    assert frame["trinucleotide A[C>T]G"] == pytest.approx(np.where(with_matrix, 1 / 96, 1.0))
    hidden = features.described(cohort.cases, cohort.variants, None, cohort.spectra, no_spectra=with_matrix)
    assert hidden["id83"].null_count == 40 and hidden["sbs96"].null_count == 0


def test_the_counts_of_a_list_are_nan_and_so_is_its_size(seen):
    exome, as_list = columns_of(*through(seen, None)), columns_of(*through(seen, "list"))
    assert exome["log10 genes sequenced"] == pytest.approx(np.log10(20_000))
    assert np.isnan(as_list["log10 genes sequenced"]).all()
    for name in ("log10 burden", "share C>T", "log2 truncating", "log2 C>T", "amino acid R>H"):
        assert np.isnan(as_list[name]).all() and not np.isnan(exome[name]).any()
    for name in ("cell line", "female", "mutated TP53"):
        assert (as_list[name] == exome[name]).all()


def test_counts_of_alleles_are_nan_where_only_protein_changes_are_known(seen):
    cohort, _, cases, informative, vocabulary = seen
    unknown = cases.set_column(cases.column_names.index("alleles_known"), "alleles_known", pa.array([False] * 40))
    frame = columns_of(unknown, informative, vocabulary)
    assert all(np.isnan(frame[name]).all() for name in ("log2 deletions", "share C>T", "log2 C>T"))
    assert not any(np.isnan(frame[name]).any() for name in ("log10 burden", "log2 truncating", "amino acid R>H"))
    blank = cohort.variants.set_column(
        cohort.variants.column_names.index("dna"),
        cohort.variants.schema.field("dna"),
        pa.array(["unknown"] * cohort.variants.num_rows)
        .dictionary_encode()
        .cast(cohort.variants.schema.field("dna").type),
    )
    assert not any(features.described(cohort.cases, blank)["alleles_known"].to_pylist())


def test_the_size_of_a_panel_is_a_feature(seen):
    frame = columns_of(*through(seen, "mine"), panels={"mine": ["TP53"] * 1 + [f"G{i}" for i in range(99)]})
    assert frame["log10 genes sequenced"] == pytest.approx(2.0)
    assert np.isnan(frame["mutated KRAS"]).all() and not np.isnan(frame["mutated TP53"]).any()


def test_a_model_from_before_that_gets_its_old_columns(seen):
    _, _, cases, informative, vocabulary = seen
    older = before_assays(vocabulary)
    old, new = columns_of(cases, informative, older), columns_of(cases, informative, vocabulary)
    gone = set(new) - set(old)
    assert set(old) < set(new) and gone == {
        name for name in new if name.startswith(("arm ", "altered arms", "indel ", "amplified ", "deleted ", "fusion"))
    } | {"log10 genes sequenced"}
    assert [name for name in new if name in old] == list(old), "in the same order"
    cases, informative, _ = through(seen, "list")
    assert not np.isnan(columns_of(cases, informative, older)["log10 burden"]).any(), "it takes every count as it is"


@pytest.mark.parametrize(
    ("panel", "group"),
    [(None, "exome"), ("unheard of", "exome"), ("large", "panel"), ("small", "small panel"), ("list", "list"),
     ("nothing", "nothing")],
)  # fmt: skip
def test_a_case_is_calibrated_with_those_of_its_group(seen, panel, group):
    _, found, *_ = seen
    cases, *_ = through(seen, panel)
    panels = {"large": [f"G{i}" for i in range(150)], "small": [f"G{i}" for i in range(149)], "nothing": []}
    expected = [group + " with copy number" * known for known in found.arms_known.tolist()]
    assert features.groups(cases, panels) == expected


@pytest.mark.parametrize(
    ("fusion", "genes"),
    [("TMPRSS2-ERG", ["TMPRSS2", "ERG"]), ("HLA-A-ROS1", ["HLA-A", "ROS1"]), ("?-RET", ["RET"]), ("ALK-?", ["ALK"]),
     ("ROS1-HLA-DRB1", ["ROS1", "HLA-DRB1"])],
)  # fmt: skip
def test_a_fusion_is_cut_where_both_parts_are_genes(fusion, genes):
    from cancertype.variants.genes import fusion_genes

    assert fusion_genes(fusion) == genes
