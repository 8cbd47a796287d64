"""Copy number and fusions as assays, callers and writers of lists show them."""

from dataclasses import replace

import numpy as np
import pytest

from cancertype.alterations.of_cases import AMPLIFIED, DELETED, NO_CALL, OfCases
from cancertype.alterations.schema import ARMS
from cancertype.assays import alteration_views
from cancertype.assays.noise import Noise
from cancertype.assays.settings import AlterationViews, Views
from tests.settings import settings

N = 400
NO_ERRORS = {"arms": 1.0, "genes": 1.0, "fusions": 1.0, "uncalled": 0.0, "wrong": 0.0}
KEY = (0, 1)


def rules(**changes) -> AlterationViews:
    return settings(Views, "views").alterations.model_copy(update=NO_ERRORS | changes)


def made_up(n: int = N) -> OfCases:
    """Cases with a third of the arms gained, a third lost, of four genes two amplified and one deleted, two fusions."""
    genes = ("ABCA13", "EGFR", "PTEN", "TP53")
    arms = np.tile(np.resize(np.array([-1, 0, 1], np.int8), len(ARMS)), (n, 1))
    calls = np.tile(np.array([2, 2, -2, 0], np.int8), (n, 1))
    return OfCases(arms, genes, calls, (frozenset({"TMPRSS2-ERG", "AAA1-BBB1"}),) * n)


def noise(n: int = N) -> Noise:
    return Noise([f"c{i}" for i in range(n)], np.empty(0, int), (np.empty(0, int), []), (np.empty(0, int), []))


def drawn(found: OfCases, panels: list, **changes) -> OfCases:
    labels = ["OV"] * len(found)
    return alteration_views.drawn(found, labels, panels, {}, noise(len(found)), KEY, rules(**changes))


def test_a_panel_tells_events_of_its_own_genes_and_arms_stay():
    found = made_up(4)
    panels = {"mine": ["EGFR", "TP53", "ERG"], "nothing": []}
    seen = alteration_views.through(found, ["mine", None, "nothing", "unknown"], panels)
    assert seen.names(AMPLIFIED) == [["EGFR"], *[["ABCA13", "EGFR"]] * 3]
    assert seen.names(DELETED)[0] == [] and seen.calls[0].tolist() == [NO_CALL, 2, NO_CALL, 0]
    assert seen.fusions == ({"TMPRSS2-ERG"}, *found.fusions[1:])
    assert (seen.arms == found.arms).all()
    assert found.calls[0, 0] == 2, "the original stays"


def test_a_fusion_of_a_gene_whose_symbol_has_a_hyphen_is_told_by_the_panel_that_holds_it():
    found = replace(made_up(1), fusions=(frozenset({"HLA-A-ROS1", "TMPRSS2-ERG"}),))
    for panel, seen in ((["HLA-A"], {"HLA-A-ROS1"}), (["ROS1"], {"HLA-A-ROS1"}), (["HLA", "A"], set())):
        assert alteration_views.through(found, ["mine"], {"mine": panel}).fusions == (seen,), panel


@pytest.mark.parametrize(("panel", "reported"), [("msk-impact-468", True), ("ampliseq-hotspot-50", False)])
def test_a_named_panel_that_reports_no_copy_number_or_fusions_shows_none(panel, reported):
    found = made_up(1)
    seen = alteration_views.through(found, [panel], {panel: [*found.genes, "ERG"]})
    assert seen.genes_known.tolist() == seen.fusions_known.tolist() == [reported]
    assert seen.arms_known.tolist() == [True], "the arms may come from another test"


def test_fusions_that_were_not_looked_for_stay_unknown_through_a_panel():
    seen = alteration_views.through(made_up(1).hidden(fusions=True), ["mine"], {"mine": ["ERG"]})
    assert seen.fusions == (None,)


def test_a_kind_is_shown_for_an_equal_share_of_every_label():
    rng = np.random.default_rng(0)
    labels = ["A"] * 3000 + ["B"] * 3000 + ["C"] * 3000 + [None] * 3000
    share_known = {"A": 0.6, "B": 1.0, "C": 0.3, None: 0.8}
    known = rng.random(12000) < np.array([share_known[label] for label in labels])
    shown = known & ~alteration_views.hidden(known, labels, 0.5, rng.random(12000))
    for label, expected in {"A": 0.5, "B": 0.5, "C": 0.3, None: 0.5}.items():
        of_label = np.array([each == label for each in labels])
        assert shown[of_label].mean() == pytest.approx(expected, abs=0.04), "C has no more than 0.3"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_or_nothing_is_shown(share):
    known = np.array([True, False, True])
    hide = alteration_views.hidden(known, ["A", "A", "B"], share, np.array([0.2, 0.5, 0.999]))
    assert (known & ~hide).tolist() == [share == 1.0, False, share == 1.0]


def test_a_label_of_which_nothing_is_known_is_no_error():
    hide = alteration_views.hidden(np.zeros(2, bool), ["A", "B"], 0.5, np.array([0.1, 0.9]))
    assert hide.shape == (2,)


@pytest.mark.parametrize("kind", ["arms", "genes", "fusions"])
def test_each_kind_is_hidden_by_its_own_share(kind):
    seen = drawn(made_up(), [None] * N, **{kind: 0.25})
    for other in ("arms", "genes", "fusions"):
        share = getattr(seen, f"{other}_known").mean()
        assert share == pytest.approx(0.25, abs=0.07) if other == kind else share == 1.0


def test_kinds_are_hidden_independently_of_each_other():
    seen = drawn(made_up(), [None] * N, arms=0.5, genes=0.5)
    assert (seen.arms_known & seen.genes_known).mean() == pytest.approx(0.25, abs=0.07)


def test_without_errors_an_exome_shows_everything_as_it_is():
    found = made_up()
    seen = drawn(found, [None] * N)
    assert (seen.arms == found.arms).all() and (seen.calls == found.calls).all() and seen.fusions == found.fusions


def test_a_callers_errors_are_as_many_as_the_settings_allow():
    found = made_up()
    uncalled = drawn(found, [None] * N, uncalled=0.4).arms == NO_CALL
    assert uncalled.mean() == pytest.approx(0.2, abs=0.03), "each case draws its share between nothing and the limit"
    assert uncalled.mean(axis=1).max() < 0.7 and np.std(uncalled.mean(axis=1)) > 0.08
    seen = drawn(found, [None] * N, wrong=0.4).arms
    wrong = seen != found.arms
    assert wrong.mean() == pytest.approx(0.2, abs=0.03)
    assert set(np.unique(seen)) == {-1, 0, 1}
    for call in (-1, 0, 1):
        others = seen[wrong & (found.arms == call)]
        assert set(others.tolist()) == {-1, 0, 1} - {call}
        assert np.mean(others == others[0]) == pytest.approx(0.5, abs=0.08), "both other calls are as likely"


def test_an_arm_without_a_call_never_gets_one():
    found = made_up().hidden(arms=True)
    assert (drawn(found, [None] * N, wrong=1.0).arms == NO_CALL).all()


def test_a_list_mentions_few_events_and_the_best_known_first():
    seen = drawn(made_up(), ["list"] * N, mentioned=[1, 2])
    numbers = [
        len(a) + len(d) + len(f)
        for a, d, f in zip(seen.names(AMPLIFIED), seen.names(DELETED), seen.fusions, strict=True)
    ]
    assert set(numbers) == {1, 2}
    assert not any("ABCA13" in names for names in seen.names(AMPLIFIED)), "no panel holds it"
    assert not any("AAA1-BBB1" in fusions for fusions in seen.fusions)


def test_half_of_the_lists_tell_all_arms_and_the_others_a_few_altered_ones():
    found = made_up()
    seen = drawn(found, ["list"] * N, mentioned=[1, 4])
    called = (seen.arms != NO_CALL).sum(axis=1)
    few = called < len(ARMS)
    assert few.mean() == pytest.approx(0.5, abs=0.08)
    assert set(called[few].tolist()) == {1, 2, 3, 4} and not (seen.arms[few] == 0).any()
    assert (seen.arms[few] != NO_CALL).any(axis=0)[found.arms[0] != 0].all(), "any arm may be the one that is mentioned"


def test_the_view_of_a_case_stays_when_other_cases_come():
    wanted = {"arms": 1.0, "uncalled": 0.3, "wrong": 0.3}
    all_cases, few = (drawn(made_up(n), ["list", None] * (n // 2), **wanted) for n in (N, 10))
    assert (all_cases.arms[:10] == few.arms).all() and (all_cases.calls[:10] == few.calls).all()
    assert all_cases.fusions[:10] == few.fusions


def test_mentioned_numbers_must_be_in_order():
    with pytest.raises(ValueError, match="smaller number first"):
        AlterationViews.model_validate(rules().model_dump() | {"mentioned": [4, 1]})
