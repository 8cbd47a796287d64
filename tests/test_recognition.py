"""Which assay samples were seen through, the reason, and whether it is certain."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from cancertype.assays import assay, recognition
from cancertype.sources import tcga
from cancertype.variants.cases import SourceTables, unlabelled
from cancertype.variants.genes import current_symbol
from cancertype.variants.schema import SCHEMA


def drawn(genes: tuple[str, ...] | None, n: int, seed: int = 0) -> Counter[str]:
    """Mutations as they fall on ``genes`` (None: an exome's)."""
    shares = recognition.mutation_shares()
    names = list(genes or shares)
    weight = np.array([shares.get(name, 0.0) for name in names])
    return Counter(np.random.default_rng(seed).choice(names, n, p=weight / weight.sum()).tolist())


def tables(counts: Counter[str], panel: str | None = None, genes: list[str] | None = None) -> SourceTables:
    cases = unlabelled(["a"], "maf", "tumour")
    cases = cases.set_column(cases.schema.get_field_index("panel"), "panel", pa.array([panel], pa.string()))
    rows = [{"case_id": "a", "gene": gene, "consequence": "missense"} for gene in counts.elements()]
    panels = {panel: genes} if genes else {}
    return SourceTables(cases, pa.Table.from_pylist(rows, schema=SCHEMA), panels=panels)


def test_the_shares_of_mutations_sum_to_one_and_know_drivers():
    shares = recognition.mutation_shares()
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["TP53"] > 10 * shares["OR4F5"]


@pytest.mark.parametrize("name", list(assay.panels()))
def test_many_mutations_in_the_genes_of_a_panel_are_recognised_as_that_panel(name):
    got = recognition.of_mutations(drawn(assay.get(name).genes, 3000))
    assert got.assay.name == name and got.certain


@pytest.mark.parametrize("n", [30, 300, 30_000])
def test_mutations_anywhere_are_an_exome(n):
    got = recognition.of_mutations(drawn(None, n))
    assert got.assay.name == "exome" and got.certain
    assert "in none of the genes of" in got.reason


def test_a_few_symbols_of_another_spelling_do_not_hide_a_panel():
    counts = drawn(assay.get("tso500").genes, 3000)
    counts["OLDNAME1"] += 3
    got = recognition.of_mutations(counts)
    assert got.assay.name == "tso500" and got.reason.startswith("3,000 of 3,003 mutations are in the 523 genes")


def test_few_mutations_make_nothing_certain():
    got = recognition.of_mutations(Counter({"BRAF": 1, "TP53": 1}))
    assert not got.certain and got.reason.endswith(recognition.OVERRULE)
    got = recognition.of_mutations(Counter())
    assert got.assay.name == "exome" and not got.certain


def test_ten_mutations_that_could_be_of_several_panels_name_the_others():
    got = recognition.of_mutations(drawn(assay.get("msk-impact-468").genes, 12, seed=3))
    assert got.assay.name != "exome" and not got.certain
    assert "would fit too" in got.reason


def test_an_unknown_panel_is_the_genes_that_are_seen():
    rng = np.random.default_rng(0)
    lengths = recognition.codons_of_genes()
    genes = tuple(rng.choice([gene for gene in lengths if gene not in assay.panels_per_gene()], 120, replace=False))
    got = recognition.of_mutations(drawn(genes, 20_000), name="mine")
    assert set(got.assay.genes) <= set(genes) and len(got.assay.genes) > 110 and got.certain
    got = recognition.of_mutations(drawn(genes, 300), name="mine")
    assert got.assay.name == "mine" and not got.certain and "may hold more" in got.reason


def test_a_small_panel_within_a_larger_named_one_is_not_taken_for_the_larger():
    large = assay.get("tempus-xt-v4").genes
    got = recognition.of_mutations(drawn(large[::8], 5000), name="mine")
    assert set(got.assay.genes) <= set(large[::8])


def test_an_assay_that_the_file_names_is_certain():
    got = recognition.stated("MSK-IMPACT468")
    assert got.assay.name == "msk-impact-468" and got.certain and "MSK-IMPACT468" in got.reason
    assert recognition.stated("WES").assay.name == "exome"
    assert recognition.stated("LAB-1") is None


def test_the_files_own_genes_count_more_than_the_name():
    got = recognition.stated("IMPACT468", ["TP53", "KRAS"])
    assert got.assay.genes == ("TP53", "KRAS") and got.assay.name == "IMPACT468"
    whole = assay.get("msk-impact-468").genes
    assert recognition.stated("IMPACT468", whole).assay.name == "msk-impact-468"


def test_the_columns_of_a_wide_table_are_the_assay():
    assert recognition.of_columns("table", assay.get("guardant360").genes).assay.name == "guardant360"
    got = recognition.of_columns("table", ["TP53", "MLL2"])
    assert got.assay.genes == ("TP53", "KMT2D") and got.certain


def test_typed_mutations_are_a_list():
    found = recognition.resolved(tables(Counter({"BRAF": 1})), is_text=True)
    assert found.tables.cases["panel"].to_pylist() == ["list"] and found.tables.panels == {}
    assert found.recognised["list"].certain


def test_cases_get_the_names_and_genes_of_their_assays():
    found = recognition.resolved(tables(Counter({"BRAF": 1}), "IMPACT341"))
    assert found.tables.cases["panel"].to_pylist() == ["msk-impact-341"]
    assert len(found.tables.panels["msk-impact-341"]) == 341
    found = recognition.resolved(tables(drawn(None, 300)))
    assert found.tables.cases["panel"].to_pylist() == [None] and found.recognised[None].certain


def test_a_panel_that_nobody_knows_is_recognised_by_its_mutations_and_is_uncertain():
    found = recognition.resolved(tables(drawn(assay.get("tso500").genes, 2000), "LAB-1"))
    got = found.recognised["tso500"]
    assert not got.certain and got.reason.startswith("the file names LAB-1, which is not known here; 2,000 of 2,000")


def test_real_exomes_are_exomes_together_and_one_by_one(shared_data):
    read = tcga.read(shared_data / "tcga")
    ids = read.cases["case_id"].to_pylist()
    together = recognition.of_mutations(recognition.mutations_per_gene(read.variants, ids))
    assert together.assay.name == "exome" and together.certain
    wrong = 0
    for case in ids[::100]:
        got = recognition.of_mutations(recognition.mutations_per_gene(read.variants, [case]))
        wrong += got.certain and got.assay.name != "exome"
    assert wrong == 0


def test_real_cell_lines_of_a_gene_list_are_a_panel_of_it(shared_data):
    import gzip

    with gzip.open(shared_data / "ccle_panel" / "ccle_dev.maf.gz", "rt") as file:
        next(file)
        counts = Counter(current_symbol(line.split("\t")[0]) for line in file)
    got = recognition.of_mutations(counts, name="ccle")
    listed = assay.from_file(shared_data / "ccle_panel" / "genes.txt").genes
    assert got.certain and got.assay.name == "ccle"
    assert len(set(got.assay.genes) & set(listed)) > 770 and len(got.assay.genes) < 790
