"""One rule calls arms and genes, samples find their cases, and what was not looked at stays unknown."""

import csv
import gzip
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cancertype.alterations import calls, combine, genome
from cancertype.alterations.call_tables import arm_table, gene_table
from cancertype.alterations.of_cases import AMPLIFIED, DELETED, NO_CALL, OfCases
from cancertype.alterations.schema import ARM_CALLS, ARMS, FUSIONS, GENE_CALLS, Alterations
from cancertype.alterations.settings import CopyNumberLimits
from cancertype.sources import copy_number
from cancertype.variants.genes import current_symbol
from tests.segment_files import arm_segments, calls_of, genes_of

LIMITS = CopyNumberLimits()


def alterations(arms=(), genes=(), fusions=(), screened=(), findings=None) -> Alterations:
    def table(rows, schema):
        return pa.table(
            [pa.array([row[i] for row in rows], field.type) for i, field in enumerate(schema)], schema=schema
        )

    return Alterations(
        arms=table(arms, ARM_CALLS),
        genes=table(genes, GENE_CALLS),
        fusions=table(fusions, FUSIONS),
        screened_for_fusions=frozenset(screened),
        findings=findings or {},
    )


# ---- the genome


@pytest.mark.parametrize("build", genome.BUILDS)
def test_every_arm_has_a_place_and_the_arms_of_a_chromosome_do_not_overlap(build):
    bounds = genome.arm_bounds(build)
    assert set(ARMS) <= set(bounds)
    for name in genome.AUTOSOMES:
        assert bounds[f"{name}p"][2] < bounds[f"{name}q"][1] < bounds[f"{name}q"][2]


def test_the_lengths_of_the_chromosomes_are_those_of_the_genomes():
    # GRCh37 and GRCh38, https://www.ncbi.nlm.nih.gov/grc/human/data
    assert [genome.chromosome_lengths("hg19")[name] for name in ("1", "21", "X")] == [249250621, 48129895, 155270560]
    assert [genome.chromosome_lengths("hg38")[name] for name in ("1", "21", "X")] == [248956422, 46709983, 156040895]


@pytest.mark.parametrize("build", genome.BUILDS)
def test_every_cancer_gene_is_on_its_arms_side_of_the_centromere(build):
    spans, bounds = genome.gene_spans(build), genome.arm_bounds(build)
    for gene, start, end in zip(spans.genes, spans.starts, spans.ends, strict=True):
        arm = genome.gene_arms()[gene]
        centromere = (bounds[f"{arm[:-1]}p"][2] + bounds[f"{arm[:-1]}q"][1]) / 2
        assert 0 <= start < end <= bounds[f"{arm[:-1]}q"][2], gene
        assert ((start + end) / 2 < centromere) == (arm[-1] == "p"), gene
    assert len(spans.genes) > 1300


def test_known_genes_are_on_their_arms():
    known = {"EGFR": "7p", "CDKN2A": "9p", "PTEN": "10q", "MYC": "8q", "TP53": "17p", "AR": "Xq", "ERBB2": "17q"}
    assert {gene: genome.gene_arms()[gene] for gene in known} == known


@pytest.mark.parametrize(
    ("text", "name"),
    [("chr1", "1"), ("1", "1"), ("Chr22", "22"), ("23", "X"), ("chrX", "X"), ("NC_000007.14", "7"),
     ("NC_000023.11", "X"), ("chrM", "MT"), ("01", "1"), ("chrUn_gl000220", None), ("chr1_random", None),
     ("", None), ("99", None)],
)  # fmt: skip
def test_chromosomes_are_known_by_every_usual_name(text, name):
    assert genome.chromosome(text) == name


def test_positions_of_genes_agree_with_real_mutations(shared_data):
    with open(shared_data / "tcga_cbioportal" / "gene_arms.tsv", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter="\t") if row["arm"]]
    spans = genome.gene_spans("hg19")
    places = {gene: (start, end) for gene, start, end in zip(spans.genes, spans.starts, spans.ends, strict=True)}
    ours = genome.gene_arms()
    assert [row["gene"] for row in rows if ours[current_symbol(row["gene"])] != row["arm"]] == []
    wrong = [
        row["gene"]
        for row in rows
        if (place := places.get(current_symbol(row["gene"])))
        and not place[0] - 1000 <= int(float(row["position_hg19"])) <= place[1] + 1000
    ]
    assert len(wrong) <= 0.01 * len(rows), wrong


# ---- the rule


def segments_of(rows, unit=calls.LOG2, ploidy=np.nan) -> calls.Segments:
    chromosome, start, end, value = zip(*rows, strict=True)
    return calls.Segments(
        samples=("S",),
        sample=np.zeros(len(rows), int),
        chromosome=np.array([int(c) for c in chromosome], np.int8),
        start=np.array(start),
        end=np.array(end),
        value=np.array(value, float),
        unit=unit,
        centre=np.array([ploidy]),
        purity=np.array([np.nan]),
    )


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([-0.6, -0.1, 0.0, 0.1, 0.6]), min_size=39, max_size=39),
    st.integers(2, 6),
    st.floats(-0.5, 0.5),
)
def test_cutting_segments_or_shifting_a_sample_changes_no_call(values, pieces, shift):
    rows = [(c, s, e, value) for (c, s, e, _), value in zip(arm_segments(), values, strict=True)]
    cut = [
        (c, s + (e - s) * i // pieces, s + (e - s) * (i + 1) // pieces, v) for c, s, e, v in rows for i in range(pieces)
    ]
    moved = [(c, s, e, v + shift) for c, s, e, v in rows]
    results = []
    for variant in (rows, cut, moved):
        segments = segments_of(variant)
        results.append(calls.arms_of_segments(segments, calls.levels(segments, LIMITS), "hg38", LIMITS))
    for arms, looked_at in results[1:]:
        np.testing.assert_array_equal(arms, results[0][0])
        np.testing.assert_array_equal(looked_at, results[0][1])


def test_losses_and_gains_mirror_each_other():
    rows = arm_segments(arm_7p=0.5, arm_10q=-0.5, arm_3p=0.15)
    there, back = segments_of(rows), segments_of([(c, s, e, -v) for c, s, e, v in rows])
    one, _ = calls.arms_of_segments(there, calls.levels(there, LIMITS), "hg38", LIMITS)
    other, _ = calls.arms_of_segments(back, calls.levels(back, LIMITS), "hg38", LIMITS)
    np.testing.assert_array_equal(one, -other)


def test_an_arm_half_gained_and_half_lost_has_no_call():
    level = np.array([[1, 1, -1, -1, 0, 0]], np.int8)
    arms, _ = calls.arms_of_genes(level, ["7p"] * 4 + ["1p"] * 2, LIMITS)
    assert np.isnan(arms[0, ARMS.index("7p")])
    assert arms[0, ARMS.index("1p")] == 0


def test_one_gene_alone_does_not_call_an_arm():
    _, looked_at = calls.arms_of_genes(np.array([[2, 1, 1]], np.int8), ["7p", "8q", "8q"], LIMITS)
    assert looked_at[0, ARMS.index("8q")] and not looked_at[0, ARMS.index("7p")]


def test_many_short_segments_of_one_gain_are_one_stretch():
    rows = arm_segments()
    chromosome, start, end, _ = rows[0]
    step = (end - start) // 50
    short = [(chromosome, start + i * step, start + (i + 1) * step, 0.12) for i in range(50)]
    segments = segments_of(short + rows[1:])
    assert not calls.is_flat(segments, calls.levels(segments, LIMITS), LIMITS)[0]
    scattered = [(c, s, e, v if i % 4 == 0 else 0.0) for i, (c, s, e, v) in enumerate(short)]
    segments = segments_of(scattered + rows[1:])
    assert calls.is_flat(segments, calls.levels(segments, LIMITS), LIMITS)[0]


def test_a_gene_takes_the_lowest_level_of_its_segments():
    spans = genome.gene_spans("hg38")
    place = spans.genes.index("EGFR")
    start, end = int(spans.starts[place]), int(spans.ends[place])
    middle = (start + end) // 2
    rows = [row for row in arm_segments() if row[0] != "7"]
    rows += [("7", 1, middle, 2.0), ("7", middle, 159_000_000, 0.0)]
    segments = segments_of(rows)
    genes, names = calls.genes_of_segments(segments, calls.levels(segments, LIMITS), "hg38", LIMITS)
    assert genes[0, names.index("EGFR")] == 0


# ---- agreement with published calls


@pytest.fixture(scope="module")
def gene_matrix(shared_data):
    """The real gene matrix as read, and its number of samples and of genes."""
    path = shared_data / "tcga_cbioportal" / "cna.tsv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        genes = len(stream.readline().split("\t")) - 2
        samples = sum(1 for _ in stream)
    return copy_number.read(path), samples, genes


def test_arms_from_the_gene_matrix_agree_with_taylors_calls_in_nine_cells_of_ten(shared_data, gene_matrix):
    published = copy_number.read(shared_data / "tcga_cbioportal" / "arms.tsv").alterations
    matrix = gene_matrix[0].alterations
    samples = matrix.arms["case_id"].unique().to_pylist()
    ours = OfCases.of(matrix, samples).arms
    matched, _ = combine.for_cases(published, samples)
    theirs = OfCases.of(matched, samples).arms
    both = (ours != NO_CALL) & (theirs != NO_CALL)
    assert both.sum() > 200_000
    assert (ours == theirs)[both].mean() == pytest.approx(0.913, abs=0.003)
    assert ((ours == -theirs) & (ours != 0))[both].mean() < 0.001


def test_real_matrices_are_read_to_the_last_cell(gene_matrix):
    file, samples, genes = gene_matrix
    assert file.account.total == samples * genes
    assert file.account.not_understood == {}


# ---- putting together


def test_merged_parts_keep_the_earlier_call_and_prefer_a_call_to_none():
    one = alterations(
        arms=[("A", "1p", None), ("A", "1q", 1)], genes=[("A", "EGFR", 2)], findings={"A": {"msi": "high"}}
    )
    two = alterations(
        arms=[("A", "1p", -1), ("A", "1q", -1), ("B", "1p", 0)],
        genes=[("A", "EGFR", 0), ("A", "PTEN", -2)],
        fusions=[("A", "EML4", "ALK")],
        screened=["A"],
        findings={"A": {"msi": "low", "mutations_per_megabase": 3.0}},
    )
    both = combine.merge(one, two)
    assert calls_of(both, "A") == {"1p": -1, "1q": 1}
    assert genes_of(both, "A") == {"EGFR": 2, "PTEN": -2}
    assert calls_of(both, "B") == {"1p": 0}
    assert both.findings == {"A": {"msi": "high", "mutations_per_megabase": 3.0}}
    assert both.screened_for_fusions == {"A"}
    assert combine.merge().arms.num_rows == 0
    assert combine.merge(two, two).fusions.num_rows == 1


def test_samples_find_their_cases_by_name_and_the_rest_is_named():
    kept, dropped = combine.for_cases(alterations(arms=[("A", "1p", 1), ("Z", "1p", 1)]), ["A", "B"])
    assert calls_of(kept, "A") == {"1p": 1}
    assert [(d.what, d.reason, d.n, d.examples) for d in dropped] == [
        ("sample", "the sample matches no case", 1, ("Z",))
    ]


@pytest.mark.parametrize(
    ("cohort", "kept_sample"),
    [(None, "TCGA-AA-0001-01A-11D-A123-01"), ("SKCM", "TCGA-AA-0001-06A-11D-A123-01"), ("LAML", "TCGA-AA-0001-03A")],
)
def test_a_patient_takes_the_sample_type_that_its_cohort_prefers(cohort, kept_sample):
    samples = ["TCGA-AA-0001-06A-11D-A123-01", "TCGA-AA-0001-01A-11D-A123-01", "TCGA-AA-0001-03A", "TCGA-AA-0001-10A"]
    arms = [(name, "1p", 1 if name == kept_sample else -1) for name in samples]
    case = "TCGA-AA-0001"
    kept, dropped = combine.for_cases(alterations(arms=arms), [case], {case: cohort} if cohort else None)
    assert calls_of(kept, case) == {"1p": 1}
    assert {d.reason: d.n for d in dropped} == {"another sample of the patient is kept": 2, "normal tissue": 1}


def test_a_case_with_a_sample_type_takes_only_that_type():
    data = alterations(arms=[("TCGA.AA.0001.06", "1p", -1), ("TCGA-AA-0001-01B-1", "1p", 1)])
    kept, _ = combine.for_cases(data, ["TCGA-AA-0001-01"])
    assert calls_of(kept, "TCGA-AA-0001-01") == {"1p": 1}
    kept, _ = combine.for_cases(data, ["TCGA-AA-0001-06"])
    assert calls_of(kept, "TCGA-AA-0001-06") == {"1p": -1}


def test_a_patient_of_a_screened_list_stands_for_its_tumour_samples():
    data = alterations(screened=["TCGA-AA-0001"], fusions=[("TCGA-AA-0002-01A", "EML4", "ALK")])
    kept, dropped = combine.for_cases(data, ["TCGA-AA-0001-01", "TCGA-AA-0002"])
    assert kept.screened_for_fusions == {"TCGA-AA-0001-01"}
    assert kept.fusions.to_pylist() == [{"case_id": "TCGA-AA-0002", "five_prime": "EML4", "three_prime": "ALK"}]
    assert dropped == []


def test_hiding_a_kind_makes_it_unknown_and_touches_nothing_else():
    data = alterations(arms=[("A", "1p", 1), ("B", "1p", 0)], genes=[("A", "EGFR", 2)], screened=["A", "B"])
    hidden = combine.without_cases(data, ["A"], ["arms", "fusions"])
    assert calls_of(hidden, "A") == {} and calls_of(hidden, "B") == {"1p": 0}
    assert genes_of(hidden, "A") == {"EGFR": 2}
    assert hidden.screened_for_fusions == {"B"}


# ---- as arrays of cases


def test_an_arm_without_a_call_is_not_an_unaltered_one():
    data = alterations(arms=[("A", "1p", 1), ("A", "1q", None), ("A", "2p", 0), ("C", "1p", None), ("Z", "1p", 1)])
    found = OfCases.of(data, ["B", "A", "C"])
    assert found.arms.shape == (3, 39) and len(found) == 3
    assert found.arms[1, :3].tolist() == [1, NO_CALL, 0]
    assert (found.arms[0] == NO_CALL).all()
    assert found.arms_known.tolist() == [False, True, False], "a case with no call at all is one not looked at"


def test_a_case_that_was_not_looked_at_differs_from_one_without_events():
    data = alterations(
        genes=[("A", "EGFR", 2), ("A", "MYC", 2), ("A", "PTEN", -2), ("B", "EGFR", 0)],
        fusions=[("C", "EML4", "ALK"), ("C", None, "RET")],
        screened=["A", "C"],
    )
    found = OfCases.of(data, ["A", "B", "C"])
    assert found.genes == ("EGFR", "MYC", "PTEN")
    assert found.names(AMPLIFIED) == [["EGFR", "MYC"], [], []] and found.names(DELETED) == [["PTEN"], [], []]
    assert found.genes_known.tolist() == [True, True, False]
    assert found.fusions == (frozenset(), None, {"EML4-ALK", "?-RET"})
    assert found.fusions_known.tolist() == [True, False, True]


def test_hiding_and_taking_cases_leaves_the_others_as_they_are():
    data = alterations(
        arms=[("A", "1p", 1), ("B", "1p", -1)], genes=[("A", "EGFR", 2), ("B", "EGFR", 2)], screened=["A", "B"]
    )
    found = OfCases.of(data, ["A", "B"])
    less = found.hidden(arms=np.array([True, False]), genes=True)
    assert less.arms_known.tolist() == [False, True] and not less.genes_known.any()
    assert less.fusions == found.fusions == (frozenset(), frozenset())
    assert found.genes_known.all(), "the original stays"
    assert found.take(np.array([1])).arms[0, 0] == -1


def test_nothing_known_of_no_case_or_of_some():
    for names in ([], ["A"]):
        found = OfCases.of(None, names)
        assert len(found) == len(names) and found.genes == () and not found.arms_known.any()
        assert found.names(AMPLIFIED) == [[] for _ in names]


def test_tables_are_made_only_of_what_was_looked_at():
    arms = arm_table(["A"], np.full((1, 39), np.nan), np.arange(39)[None] < 2)
    assert arms.to_pylist() == [{"case_id": "A", "arm": arm, "call": None} for arm in ARMS[:2]]
    genes = gene_table(["A"], ["X", "Y"], np.array([[calls.NOT_MEASURED, -2]], np.int8))
    assert genes.to_pylist() == [{"case_id": "A", "gene": "Y", "call": -2}]


def test_limits_refuse_unknown_names_and_impossible_values():
    with pytest.raises(ValueError, match="unknown"):
        CopyNumberLimits(unknown=1)
    with pytest.raises(ValueError, match="altered_share"):
        CopyNumberLimits(altered_share=0.4)
    assert replace(alterations(), screened_for_fusions=frozenset("A")).screened_for_fusions == {"A"}
