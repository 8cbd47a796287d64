"""Cases as an assay would have shown them."""

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from cancertype.assays import assay, background, views
from cancertype.assays.settings import Lists, Views
from cancertype.errors import InputError
from cancertype.variants.cases import CASES
from cancertype.variants.protein_changes import parse_protein_change
from cancertype.variants.schema import CONSEQUENCES, DNA_EVENTS, SCHEMA
from tests.settings import default

MANY = 300

NO_DIFFERENCE = {
    "tumour_only": 0.0,
    "germline_per_megabase": [1.0, 5.0],
    "clonal_haematopoiesis": 0.0,
    "thinned": 0.0,
    "thinned_to": [0.3, 1.0],
    "no_indels": 0.0,
    "no_alleles": 0.0,
    "no_context": 0.0,
    "no_sex": 0.0,
}
ALL_OWN = {"own": 1.0, "panel": 0.0, "random_panel": 0.0, "list": 0.0, "nothing": 0.0}


def settings(
    shares: dict | None = None, not_panels: list[str] | None = None, unstated: float = 0.0, **pipelines
) -> Views:
    return Views.model_validate(
        {
            "copies": 2,
            "seed": 0,
            "shares": ALL_OWN | (shares or {}),
            "not_panels": not_panels or ["dfci-oncopanel-3.1"],
            "random_panels": {"number": 8, "genes": [20, 600], "other_genes": 0.05},
            "lists": {"mutations": [1, 8], "protein_change": 0.75},
            "pipelines": NO_DIFFERENCE | pipelines,
            "exchanged": 0.0,
            "other_calls": 0.0,
            "unstated": unstated,
            "no_spectra": 0.0,
            "alterations": default("views")["alterations"],
        }
    )


def variant(case: str, gene: str, change: str, consequence: str = "missense", dna: str = "snv") -> dict:
    codon = parse_protein_change(change).codon if change else None
    row = {"case_id": case, "gene": gene, "protein_change": change, "codon": codon, "consequence": consequence}
    return row | {"dna": dna, "substitution": "C>T" if dna == "snv" else None, "context": "A[C>T]G"}


def cohort(rows: list[dict], n: int | None = None, panel: str | None = None) -> tuple[pa.Table, pa.Table]:
    names = [f"c{i}" for i in range(n)] if n else list(dict.fromkeys(row["case_id"] for row in rows))
    one = {"source": "tcga", "kind": "tumour", "label": "BRCA", "scope": "in", "origin": "", "sex": "female"}
    cases = [{"case_id": name, "patient_id": name, "panel": panel} | one for name in names]
    return pa.Table.from_pylist(cases, schema=CASES), pa.Table.from_pylist(rows, schema=SCHEMA)


EXOME = [
    ("BRAF", "V600E", "missense", "snv"),
    ("BRAF", "L10F", "missense", "snv"),
    ("TP53", "R213*", "nonsense", "snv"),
    ("APC", "E1309fs", "frameshift", "deletion"),
    ("TTN", "A1V", "missense", "snv"),
    ("OR4F5", "", "missense", "snv"),
]


def many() -> tuple[pa.Table, pa.Table]:
    return cohort([variant(f"c{i}", *fields) for i in range(MANY) for fields in EXOME], MANY)


def seen(tables: tuple[pa.Table, pa.Table], **more) -> views.Seen:
    return views.Seen(*tables, views.recurrence(*tables), **more)


def genes(view: views.View) -> set[str]:
    return set(view.variants["gene"].to_pylist())


def test_a_panel_shows_the_mutations_in_its_genes_and_no_others():
    view = seen(many()).through(assay.get("msk-impact-468"))
    assert genes(view) == {"BRAF", "TP53", "APC"}
    assert view.cases["panel"].unique().to_pylist() == ["msk-impact-468"]
    assert view.panels == {"msk-impact-468": list(assay.get("msk-impact-468").genes)}
    assert view.variants.schema == SCHEMA


def test_a_hotspot_panel_shows_hotspots_and_not_the_rest_of_the_gene():
    view = seen(many()).through(assay.get("ampliseq-hotspot-50"))
    assert set(view.variants["protein_change"].to_pylist()) == {"V600E", "R213*", "E1309fs"}


def test_an_exome_shows_a_case_as_it_is():
    tables = many()
    view = seen(tables).through(assay.get("exome"))
    assert view.cases.equals(tables[0]) and view.variants.num_rows == tables[1].num_rows


def test_recurrence_counts_cases_and_not_rows():
    rows = [variant(name, "BRAF", "V600E") for name in ("a", "a", "b")] + [variant("a", "KRAS", "G12D")]
    assert views.recurrence(*cohort(rows)).to_pylist() == [{"gene": "BRAF", "protein_change": "V600E", "cases": 2}]


def test_a_list_holds_some_mutations_of_known_genes_three_in_four_with_their_change():
    rows = [variant(f"c{i}", gene, f"R{k}H") for i in range(MANY) for k, gene in enumerate(EVERY_GENE, 2)]
    view = seen(cohort(rows, MANY)).lists(Lists(mutations=[1, 8], protein_change=0.75), seed=1)
    sizes = view.variants["case_id"].value_counts().field("counts").to_pylist()
    assert set(sizes) == set(range(1, 9)) and len(sizes) == MANY
    given = np.array([bool(text) for text in view.variants["protein_change"].to_pylist()])
    assert given.mean() == pytest.approx(0.75, abs=0.04)
    assert genes(view) <= set(assay.panels_per_gene())
    assert view.variants["codon"].null_count == (~given).sum()
    assert set(view.variants["dna"].to_pylist()) == {"unknown"}
    assert view.variants["substitution"].null_count == view.variants.num_rows
    assert view.cases["panel"].unique().to_pylist() == ["list"]


EVERY_GENE = ("TP53", "KRAS", "PIK3CA", "PTEN", "APC", "BRAF", "EGFR", "NF1", "RB1", "ATM", "TTN", "OR4F5")


def test_a_list_names_well_known_genes_and_recurrent_changes_first():
    rows = [variant(f"c{i}", "KRAS", "G12D") for i in range(MANY)]
    rows += [variant(f"c{i}", "KRAS", f"A{i + 2}V") for i in range(MANY)]
    rows += [variant(f"c{i}", "ACACA", f"A{i + 2}V") for i in range(MANY)]
    assert 0 < assay.panels_per_gene().get("ACACA", 0) < 5 or "ACACA" not in assay.panels_per_gene()
    view = seen(cohort(rows, MANY)).lists(Lists(mutations=[1, 1], protein_change=1.0), seed=0)
    changes = view.variants["protein_change"].to_pylist()
    assert changes.count("G12D") > 0.8 * MANY


def test_a_gene_given_alone_is_given_once():
    rows = [variant(f"c{i}", "TP53", f"R{k}H") for i in range(MANY) for k in range(2, 8)]
    view = seen(cohort(rows, MANY)).lists(Lists(mutations=[6, 6], protein_change=0.3), seed=0)
    alone = [
        case
        for case, change in zip(*(view.variants[c].to_pylist() for c in ("case_id", "protein_change")), strict=True)
        if not change
    ]
    with_change = {
        case
        for case, change in zip(*(view.variants[c].to_pylist() for c in ("case_id", "protein_change")), strict=True)
        if change
    }
    assert len(alone) == len(set(alone)) and not set(alone) & with_change


def test_a_reduced_case_keeps_recurrent_changes_and_truncations_of_well_known_genes():
    rows = [variant(f"c{i}", *fields) for i in range(5) for fields in EXOME]
    rows += [variant("c0", "KRAS", "A59V"), variant("c0", "OR4F5", "R3*", "nonsense")]
    view = seen(cohort(rows, 5)).reduced(min_cases=3, min_panels=10)
    assert set(view.variants["protein_change"].to_pylist()) == {"V600E", "L10F", "R213*", "E1309fs"}


def test_drawn_views_never_use_the_panels_that_are_kept_out():
    shares = {"own": 0.0, "panel": 1.0}
    view = seen(many()).drawn(settings(shares, ["dfci-oncopanel-3.1", "TSO500"]), 0)
    names = set(view.cases["panel"].to_pylist())
    assert len(names) == 23 and not names & {"dfci-oncopanel-3.1", "tso500"}
    assert set(view.panels) == names


def test_a_panel_to_keep_out_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="'impact' is not a known assay"):
        seen(many()).drawn(settings(not_panels=["impact"]), 0)
    with pytest.raises(InputError, match="not_panels names exome, which has no gene list"):
        seen(many()).drawn(settings(not_panels=["exome"]), 0)


def test_random_panels_hold_mostly_cancer_genes_in_the_range_of_sizes():
    drawn = views.random_panels(np.random.default_rng(0), settings().random_panels, "random 0")
    assert all(20 <= len(panel.genes) <= 600 for panel in drawn)
    share = np.mean([gene in assay.panels_per_gene() for panel in drawn for gene in panel.genes])
    assert 0.85 < share < 1.0


def test_the_shares_of_the_kinds_are_kept():
    shares = {"own": 1.0, "panel": 1.0, "random_panel": 1.0, "list": 1.0}
    names = seen(many()).drawn(settings(shares), 0).cases["panel"].to_pylist()
    kinds = [name if name in (None, "list") else "random" if name.startswith("random") else "panel" for name in names]
    for kind in (None, "list", "random", "panel"):
        assert kinds.count(kind) == pytest.approx(MANY / 4, abs=35)


def test_a_view_of_nothing_has_no_mutation_and_no_count():
    view = seen(many()).drawn(settings({"own": 0.0, "nothing": 1.0}, unstated=1.0, tumour_only=1.0), 0)
    assert set(view.cases["panel"].to_pylist()) == {"nothing"} and view.panels == {"nothing": []}
    assert view.variants.num_rows == 0 and not view.counts_known.any()
    assert set(view.words) == {"nothing"}


def test_the_same_seed_gives_the_same_view_and_another_copy_another():
    shares = {"own": 1.0, "panel": 1.0, "random_panel": 1.0, "list": 1.0}
    wanted = settings(shares, tumour_only=0.5, thinned=0.5, clonal_haematopoiesis=0.5, no_sex=0.5)
    first, again, other = (seen(many()).drawn(wanted, copy) for copy in (0, 0, 1))
    assert first.cases.equals(again.cases) and first.variants.equals(again.variants)
    assert not first.cases.equals(other.cases)


def test_the_view_of_a_case_stays_when_other_cases_come():
    cases, variants = many()
    recurrent = views.recurrence(cases, variants)
    shares = {"own": 1.0, "panel": 1.0, "random_panel": 1.0, "list": 1.0}
    wanted = settings(shares, thinned=0.5, no_sex=0.5, no_indels=0.5)
    all_cases = views.Seen(cases, variants, recurrent)
    few = views.Seen(cases.slice(100, 50), variants, recurrent)
    names = set(cases.slice(100, 50)["case_id"].to_pylist())
    for one, other in (
        (all_cases.drawn(wanted, 0), few.drawn(wanted, 0)),
        (all_cases.lists(wanted.lists, 5), few.lists(wanted.lists, 5)),
    ):
        assert one.cases.slice(100, 50).equals(other.cases)
        rows = [row for row in one.variants.to_pylist() if row["case_id"] in names]
        assert sorted(map(str, rows)) == sorted(map(str, other.variants.to_pylist()))


@pytest.mark.parametrize(
    ("pipeline", "holds"),
    [
        ({"no_indels": 1.0}, lambda v: "APC" not in genes(v) and v.variants.num_rows == 5 * MANY),
        ({"no_alleles": 1.0}, lambda v: set(v.variants["dna"].to_pylist()) == {"unknown"}),
        ({"no_context": 1.0}, lambda v: v.variants["context"].null_count == v.variants.num_rows),
        ({"no_sex": 1.0}, lambda v: v.cases["sex"].null_count == MANY),
        ({"thinned": 1.0, "thinned_to": [0.5, 0.5]}, lambda v: 0.45 < v.variants.num_rows / (6 * MANY) < 0.55),
    ],
)
def test_a_pipeline_leaves_out_what_it_does_not_know(pipeline, holds):
    view = seen(many()).drawn(settings(**pipeline), 0)
    assert holds(view)
    assert all(view.words)


def test_tumour_only_calls_add_inherited_variants_by_the_size_of_the_assay():
    shares = {"own": 0.0, "panel": 1.0}
    kept_out = [name for name in assay.panels() if name not in ("tso500", "guardant360")]
    view = seen(many()).drawn(settings(shares, kept_out, tumour_only=1.0, germline_per_megabase=[4.0, 4.0]), 0)
    names = dict(zip(view.cases["case_id"].to_pylist(), view.cases["panel"].to_pylist(), strict=True))
    added = {"tso500": 0, "guardant360": 0}
    for case, gene in zip(view.variants["case_id"].to_pylist(), view.variants["gene"].to_pylist(), strict=True):
        added[names[case]] += gene not in {fields[0] for fields in EXOME}
        assert gene in assay.get(names[case]).genes
    cases = {name: list(names.values()).count(name) for name in added}
    expected = 4.0 * assay.coding_megabases(assay.get("tso500").genes)
    assert added["tso500"] / cases["tso500"] == pytest.approx(expected, rel=0.15)
    assert added["guardant360"] / cases["guardant360"] < 2.0


def test_background_variants_are_canonical():
    rng = np.random.default_rng(0)
    carriers = np.arange(400)
    every = frozenset(assay.codons_of_genes())
    drawn = [
        background.germline(rng, np.full(400, 20), ["TP53", "TTN", "BRCA2"]),
        background.clonal_haematopoiesis(rng, carriers, every),
    ]
    table = background.table(drawn, [f"c{i}" for i in range(400)])
    assert table.schema == SCHEMA and table.num_rows == 400 * 21
    for row in table.to_pylist():
        read = parse_protein_change(row["protein_change"])
        assert read.text == row["protein_change"] and read.codon == row["codon"]
        assert read.consequence == row["consequence"] and row["consequence"] in CONSEQUENCES
        assert row["dna"] in DNA_EVENTS and (row["substitution"] is not None) == (row["dna"] == "snv")
    share = table["gene"].to_pylist().count("DNMT3A") / 400
    assert share == pytest.approx(0.45, abs=0.08)


def test_a_panel_case_is_seen_through_the_genes_that_both_panels_share():
    own = list(assay.get("guardant360").genes)
    rows = [variant(f"c{i}", *fields) for i in range(MANY) for fields in EXOME if fields[0] in own]
    tables = cohort(rows, MANY, panel="mine")
    shares = {"own": 0.0, "panel": 1.0}
    kept_out = [name for name in assay.panels() if name != "tso500"]
    view = seen(tables, own_panels={"mine": own}).drawn(settings(shares, kept_out), 0)
    assert set(view.cases["panel"].to_pylist()) == {"mine & tso500"}
    assert set(view.panels["mine & tso500"]) == set(own) & set(assay.get("tso500").genes)


def test_a_panel_case_that_shares_next_to_nothing_stays_as_it_is():
    tables = cohort([variant(f"c{i}", "TTN", "A1V") for i in range(MANY)], MANY, panel="mine")
    shares = {"own": 0.0, "panel": 1.0}
    view = seen(tables, own_panels={"mine": ["TTN", "TP53"]}).drawn(settings(shares), 0)
    assert set(view.cases["panel"].to_pylist()) == {"mine"} and view.variants.num_rows == MANY


def test_a_panel_whose_genes_are_not_known_stays_as_it_is_but_can_be_a_list():
    tables = cohort([variant(f"c{i}", "TP53", "R175H") for i in range(MANY)], MANY, panel="LAB-1")
    shares = {"own": 0.0, "panel": 1.0, "list": 1.0}
    view = seen(tables).drawn(settings(shares, tumour_only=1.0), 0)
    assert set(view.cases["panel"].to_pylist()) == {"LAB-1", "list"} and view.panels == {}
    assert view.variants.num_rows == MANY


def test_cases_without_variants_have_views_too():
    cases, _ = cohort([], 3)
    empty = views.Seen(cases, SCHEMA.empty_table(), views.RECURRENCE.empty_table())
    shares = {"own": 1.0, "panel": 1.0, "random_panel": 1.0, "list": 1.0}
    for view in (empty.drawn(settings(shares), 0), empty.through(assay.get("tso500")), empty.reduced(3, 10)):
        assert view.cases.num_rows == 3 and view.variants.num_rows == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shares": dict.fromkeys(ALL_OWN, 0.0)}, "all 0"),
        ({"lists": {"mutations": [8, 1], "protein_change": 0.75}}, "smaller number first"),
        ({"random_panels": {"number": 8, "genes": [0, 5], "other_genes": 0.0}}, "at least 1"),
        ({"pipelines": NO_DIFFERENCE | {"thinned_to": [0.5, 1.5]}}, "at most 1"),
        ({"panels": 3}, "Extra inputs"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        Views.model_validate(settings().model_dump() | change)


def test_some_whole_cases_do_not_tell_what_was_sequenced_and_their_counts_mean_nothing():
    view = seen(many()).drawn(settings(unstated=0.4), 0)
    assert view.cases["panel"].null_count == MANY and view.variants.num_rows == 6 * MANY
    assert 1 - view.counts_known.mean() == pytest.approx(0.4, abs=0.08)
    assert [words.startswith("not stated") for words in view.words] == (~view.counts_known).tolist()
    lists = seen(many()).drawn(settings({"own": 0.0, "list": 1.0}, unstated=1.0), 0)
    assert set(lists.cases["panel"].to_pylist()) == {"list"}, "a list is known to be one"


def test_a_small_panel_never_passes_for_an_exome():
    own = list(assay.get("guardant360").genes)
    tables = cohort([variant(f"c{i}", "TP53", "R175H") for i in range(MANY)], MANY, panel="mine")
    view = seen(tables, own_panels={"mine": own}).drawn(settings(unstated=1.0), 0)
    assert set(view.cases["panel"].to_pylist()) == {"mine"} and view.counts_known.all()
