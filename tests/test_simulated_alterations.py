"""Copy number and fusions of simulated cases: true to the published figures, and read back as they were drawn."""

from collections import defaultdict

import numpy as np
import pytest
from sklearn.naive_bayes import BernoulliNB

from cancertype.alterations.calls import NOT_MEASURED
from cancertype.alterations.genome import cancer_genes, gene_arms
from cancertype.alterations.known_fusions import is_known_fusion
from cancertype.alterations.of_cases import AMPLIFIED, DELETED
from cancertype.alterations.schema import ARMS
from cancertype.labels import LABELS
from cancertype.package_data import rows
from cancertype.simulator import alteration_files as files
from cancertype.simulator import copy_number, fusions, simulation
from cancertype.simulator.draws import case_rng
from cancertype.simulator.settings import Simulated
from cancertype.sources import copy_number as copy_number_reader
from cancertype.sources import fusions as fusion_reader
from tests.alterations_by_case import fusions_of, genes_with_call
from tests.settings import settings

SMALL = settings(Simulated, "data.simulated", cases_per_label=6, cell_line_fraction=0.34)
MANY = settings(Simulated, "data.simulated", cases_per_label=60, cell_line_fraction=0.0)
CASES = 400


@pytest.fixture(scope="module")
def drawn():
    """Label to the copy number of ``CASES`` tumours."""
    return {
        label: [copy_number.draw(case_rng(1, label, "tumour copy number", i), label) for i in range(CASES)]
        for label in LABELS
    }


@pytest.fixture(scope="module")
def arms(drawn):
    """Label to arm calls, shape (cases, 39)."""
    return {label: np.array([case.arms for case in cases]) for label, cases in drawn.items()}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulated")
    simulation.write_tcga(root / "tcga", SMALL)
    simulation.write_depmap(root / "depmap", SMALL)
    return root


@pytest.fixture(scope="module")
def tumours():
    return simulation.altered_of(simulation.tumours(SMALL), SMALL.seed)


@pytest.fixture(scope="module")
def lines():
    return simulation.altered_of(simulation.lines(SMALL), SMALL.seed)


def deviation(found, expected, n):
    """In binomial standard errors."""
    return (found - expected) / np.sqrt(max(expected * (1 - expected), 1 / n) / n)


def standard(deviations):
    """Whether deviations look like those of chance."""
    return abs(np.mean(deviations)) < 0.15 and np.std(deviations) < 1.2 and np.abs(deviations).max() < 5


# ------------------------------------------------------------------------------------------------ true to the figures


def test_every_arm_is_gained_lost_and_without_a_call_as_often_as_published(arms):
    table = rows("simulator", "arm_frequency.csv")
    assert [(row["label"], row["arm"]) for row in table] == [(label, arm) for label in LABELS for arm in ARMS]
    deviations = defaultdict(list)
    for row in table:
        calls = arms[row["label"]][:, ARMS.index(row["arm"])]
        known = calls[calls != NOT_MEASURED]
        deviations["gained"].append(deviation((known == 1).mean(), float(row["gained"]), len(known)))
        deviations["lost"].append(deviation((known == -1).mean(), float(row["lost"]), len(known)))
        deviations["no_call"].append(deviation((calls == NOT_MEASURED).mean(), float(row["no_call"]), CASES))
    assert all(map(standard, deviations.values()))


@pytest.mark.parametrize("row", rows("simulator", "aneuploidy.csv"), ids=lambda row: row["label"])
def test_the_number_of_altered_arms_has_the_published_mean_and_spread(arms, row):
    altered = np.isin(arms[row["label"]], (-1, 1)).sum(axis=1)
    sd = float(row["altered_arms_sd"])
    assert altered.mean() == pytest.approx(float(row["altered_arms_mean"]), abs=4 * sd / np.sqrt(CASES))
    assert altered.std() == pytest.approx(sd, rel=0.3)


def test_both_arms_of_a_chromosome_change_together_in_part(arms):
    calls = arms["KIPAN"]
    both = defaultdict(int)
    for chromosome in (7, 17):
        p, q = (calls[:, ARMS.index(f"{chromosome}{arm}")] for arm in "pq")
        both["gained"] += ((p == 1) & (q == 1)).mean()
        both["expected"] += (p == 1).mean() * (q == 1).mean()
    assert both["gained"] > 1.4 * both["expected"]
    calls = arms["HNSC"]
    p, q = calls[:, ARMS.index("3p")], calls[:, ARMS.index("3q")]
    assert ((p == -1) & (q == 1)).mean() > 0.2


def test_known_patterns_are_there(arms):
    def share(label, arm, call):
        return (arms[label][:, ARMS.index(arm)] == call).mean()

    assert share("TGCT", "12p", 1) > 0.6
    assert share("KIRC", "3p", -1) > 0.5
    assert share("GBMLGG", "7p", 1) > 0.6 and share("GBMLGG", "10q", -1) > 0.6
    assert share("THCA", "7p", 1) < 0.1
    lost_together = (arms["LGG"][:, [ARMS.index("1p"), ARMS.index("19q")]] == -1).all(axis=1).mean()
    assert lost_together > 0.2


def test_every_gene_is_amplified_and_deleted_as_often_as_published(drawn):
    places = {gene: place for place, gene in enumerate(copy_number.matrix_genes())}
    table = rows("simulator", "gene_copy_number_frequency.csv")
    deviations = defaultdict(list)
    for row in table:
        calls = np.array([case.genes[places[row["gene"]]] for case in drawn[row["label"]]])
        deviations["amplified"].append(deviation((calls == 2).mean(), float(row["amplified"]), CASES))
        deviations["deleted"].append(deviation((calls == -2).mean(), float(row["deleted"]), CASES))
    # Genes of one stretch of a chromosome are altered together, so that their deviations are not independent.
    for found in deviations.values():
        assert abs(np.mean(found)) < 0.3 and np.std(found) < 1.3 and np.abs(found).max() < 5


def test_the_gene_table_holds_genes_that_can_be_read_and_shares_that_matter():
    table = rows("simulator", "gene_copy_number_frequency.csv")
    assert {row["gene"] for row in table} <= cancer_genes()
    per_label = defaultdict(list)
    for row in table:
        per_label[row["label"]].append(row["gene"])
        assert max(float(row["amplified"]), float(row["deleted"])) >= 0.02
    assert all(len(genes) == len(set(genes)) <= 40 for genes in per_label.values())
    # Papillary thyroid and kidney tumours have no gene amplified or deleted in 2%.
    assert set(LABELS) - set(per_label) == {"KIPAN", "THCA"}


def test_genes_of_one_stretch_are_amplified_together(drawn):
    places = {gene: place for place, gene in enumerate(copy_number.matrix_genes())}
    calls = np.array([case.genes for case in drawn["HNSC"]])
    first, second = calls[:, places["CCND1"]] == 2, calls[:, places["FGF3"]] == 2
    assert (first & second).sum() == min(first.sum(), second.sum()) > 0


def test_unaltered_genes_follow_their_arm(drawn):
    genes = copy_number.matrix_genes()
    arm = np.array([ARMS.index(gene_arms()[gene]) for gene in genes])
    for case in drawn["BRCA"][:50]:
        ordinary = np.abs(case.genes) < 2
        called = case.arms[arm] != NOT_MEASURED
        assert (case.genes == case.arms[arm])[ordinary & called].all()
        for place in np.flatnonzero(case.arms == NOT_MEASURED):
            levels = case.genes[(arm == place) & ordinary]
            assert set(levels) <= {0, 1} or set(levels) <= {0, -1}


def test_known_fusions_are_as_frequent_as_published():
    table = rows("simulator", "fusion_frequency.csv")
    found = {
        label: [set(fusions.draw(case_rng(1, label, "tumour fusions", i), label)) for i in range(CASES)]
        for label in LABELS
    }
    deviations = []
    for row in table:
        pair = (row["five_prime"], row["three_prime"])
        assert is_known_fusion(*pair)
        share = np.mean([pair in case for case in found[row["label"]]])
        deviations.append(deviation(share, float(row["share"]), CASES))
    assert abs(np.mean(deviations)) < 0.5 and np.abs(deviations).max() < 4
    numbers = [np.mean([len(case) for case in found[label]]) for label in ("THYM", "KIPAN", "OV", "TGCT")]
    assert max(numbers) - min(numbers) < 0.4


def test_arms_alone_tell_the_labels_apart_far_better_than_chance(arms):
    """40 cases per label, half of them for training. Chance is 4%."""
    calls = np.concatenate([arms[label][:40] for label in LABELS])
    altered = np.hstack([calls == 1, calls == -1])
    label = np.repeat(LABELS, 40)
    training = np.arange(len(label)) % 2 == 0
    model = BernoulliNB().fit(altered[training], label[training])
    assert model.score(altered[~training], label[~training]) > 0.25


# ------------------------------------------------------------------------------------- what was looked at says nothing


def test_what_was_looked_at_does_not_depend_on_the_label():
    cases = simulation.tumours(MANY)
    seen = defaultdict(list)
    for case in cases:
        altered = case.draw_altered(MANY.seed)
        seen[case.label].append((altered.copy_number is not None, altered.fusions is not None))
    every = np.concatenate(list(seen.values()))
    for column, share in enumerate((simulation.COPY_NUMBER_SHARE, simulation.FUSIONS_SHARE)):
        assert every[:, column].mean() == pytest.approx(share, abs=0.04)
        deviations = [deviation(np.mean(found, axis=0)[column], share, len(found)) for found in seen.values()]
        assert 0.6 < np.std(deviations) < 1.4 and np.abs(deviations).max() < 4


# ------------------------------------------------------------------------------------------------ real layouts


def expected_arms(cases, name_of):
    """Sample to its called arms."""
    return {
        name_of(case.sample): {
            arm: None if call == NOT_MEASURED else int(call)
            for arm, call in zip(ARMS, case.copy_number.arms, strict=True)
        }
        for case in cases
        if case.copy_number is not None
    }


def by_sample(table, key):
    found = defaultdict(dict)
    for row in table.to_pylist():
        found[row["case_id"]][row[key]] = row["call"]
    return dict(found)


def test_arms_of_tumours_are_read_as_drawn(folders, tumours):
    file = copy_number_reader.read(folders / "tcga" / files.ARMS_NAME)
    assert not file.dropped and not file.account.left_out and not file.account.not_understood
    found = by_sample(file.alterations.arms, "arm")
    assert found == expected_arms(tumours, lambda sample: sample[:15])
    assert any(call is None for calls in found.values() for call in calls.values())


def test_arms_of_lines_are_read_as_drawn_and_all_have_a_call(folders, lines):
    file = copy_number_reader.read(folders / "depmap" / files.ARMS_NAME)
    found = by_sample(file.alterations.arms, "arm")
    assert found == expected_arms(lines, str)
    assert all(call is not None for calls in found.values() for call in calls.values())


def test_genes_of_tumours_are_read_as_drawn_and_give_the_arms(folders, tumours):
    file = copy_number_reader.read(folders / "tcga" / files.GENES_NAME)
    assert file.notes["layout"] == "gene matrix, one column per gene, levels"
    assert not file.account.left_out and not file.account.not_understood
    genes = copy_number.matrix_genes()
    expected = {
        case.sample[:15]: dict(zip(genes, map(int, case.copy_number.genes), strict=True))
        for case in tumours
        if case.copy_number is not None
    }
    assert by_sample(file.alterations.genes, "gene") == expected
    arms = expected_arms(tumours, lambda sample: sample[:15])
    found = by_sample(file.alterations.arms, "arm")
    pairs = [(calls[arm], call) for sample, calls in arms.items() for arm, call in found[sample].items()]
    # Amplified genes on an unaltered arm leave it without a call in some cases.
    assert np.mean([one == other for one, other in pairs]) > 0.95
    assert not [(one, other) for one, other in pairs if None not in (one, other) and one * other < 0]


def test_amplified_and_deleted_genes_of_lines_are_read_as_drawn(folders, lines):
    file = copy_number_reader.read(folders / "depmap" / files.LINE_GENES_NAME)
    assert file.notes["layout"] == "gene matrix, DepMap's, log2 ratios"
    genes = np.array(copy_number.matrix_genes())
    profiled = [case for case in lines if case.copy_number is not None]
    for call in (AMPLIFIED, DELETED):
        found = genes_with_call(file.alterations, call)
        assert found == {case.sample: frozenset(genes[case.copy_number.genes == call]) for case in profiled}
    calls = by_sample(file.alterations.genes, "gene")
    unshifted = [case for case in profiled if np.median(case.copy_number.genes) == 0]
    assert len(unshifted) > len(profiled) / 2
    for case in unshifted:
        assert list(calls[case.sample].values()) == case.copy_number.genes.tolist()


def test_fusions_of_tumours_are_read_as_drawn(folders, tumours):
    folder = folders / "tcga"
    file = fusion_reader.read(folder / files.FUSIONS_NAME, screened=folder / files.SCREENED_NAME)
    assert not file.account.left_out and not file.account.not_understood
    screened = {case.sample[:12] for case in tumours if case.fusions is not None}
    assert file.alterations.screened_for_fusions == screened
    found = {case: pairs for case, pairs in fusions_of(file.alterations).items() if pairs}
    assert found == {case.sample: frozenset(case.fusions) for case in tumours if case.fusions}


def test_fusions_of_lines_are_read_as_drawn(folders, lines):
    file = fusion_reader.read(folders / "depmap" / files.LINE_FUSIONS_NAME)
    assert not file.account.left_out and not file.account.not_understood
    expected = {case.sample: frozenset(case.fusions) for case in lines if case.fusions is not None}
    assert all(expected.values())
    assert fusions_of(file.alterations) == expected
    assert file.alterations.screened_for_fusions == set(expected)


def test_headers_are_those_of_the_real_files(folders, shared_data):
    def header(path):
        with open(path) as lines:
            return next(lines)

    real = shared_data / "tcga_cbioportal"
    assert header(folders / "tcga" / files.ARMS_NAME) == header(real / files.ARMS_NAME)
    assert header(folders / "tcga" / files.FUSIONS_NAME) == header(real / files.FUSIONS_NAME)
    assert header(folders / "depmap" / files.ARMS_NAME) == header(shared_data / "ccle_panel" / files.ARMS_NAME)


# ------------------------------------------------------------------------------------------------ repeatable


def test_a_case_depends_on_its_seed_label_kind_and_number_only(tumours):
    more = settings(Simulated, "data.simulated", cases_per_label=9, cell_line_fraction=0.34)
    later = {case.sample: case for case in simulation.altered_of(simulation.tumours(more), more.seed)}
    for case in tumours:
        same = later[case.sample]
        assert (case.copy_number is None) == (same.copy_number is None)
        if case.copy_number is not None:
            assert np.array_equal(case.copy_number.arms, same.copy_number.arms)
            assert np.array_equal(case.copy_number.genes, same.copy_number.genes)
        assert case.fusions == same.fusions
    other = simulation.altered_of(simulation.tumours(SMALL), SMALL.seed + 1)
    assert [case.fusions for case in other] != [case.fusions for case in tumours]


def test_normal_tissue_has_no_copy_number_and_samples_of_a_patient_have_the_same(tumours):
    assert not [case for case in tumours if case.sample[13:15] == "11"]
    of_patient = defaultdict(list)
    for case in tumours:
        of_patient[case.sample[:12]].append(case)
    several = [cases for cases in of_patient.values() if len(cases) > 1]
    assert len(several) == 2
    for first, second in several:
        assert (first.copy_number is None) == (second.copy_number is None)
        assert first.fusions == second.fusions
