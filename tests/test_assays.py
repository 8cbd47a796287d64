"""What was looked at: the named assays, and gene lists in the forms that people have them in."""

import gzip
from pathlib import Path

import pytest

from cancertype.assays import assay
from cancertype.errors import InputError
from cancertype.sources import gene_panels
from cancertype.variants.genes import current_symbol

BED = """track name=panel
chr17\t7571720\t7590868\tTP53
chr12\t25358180\t25403854\tKRAS_exon2
chr7\t140433813\t140624564\tNM_004333|BRAF
"""
CBIOPORTAL = "stable_id: MINE1\ndescription: Targeted cancer genes of MET and others\ngene_list: TP53\tKRAS\tMLL2\n"


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_every_named_panel_has_current_symbols_and_a_source():
    assert len(assay.panels()) == 25
    for panel in assay.panels().values():
        assert panel.source and len(set(panel.genes)) == len(panel.genes)
        assert all(current_symbol(gene) == gene for gene in panel.genes)
        assert panel.megabases is None or panel.megabases_source


@pytest.mark.parametrize(
    ("name", "genes"), [("msk-impact-468", 468), ("dfci-oncopanel-3.1", 447), ("tso500", 523), ("guardant360", 73)]
)
def test_a_panel_has_as_many_genes_as_its_maker_says(name, genes):
    assert len(assay.get(name).genes) == genes


@pytest.mark.parametrize("spelling", ["msk-impact-468", "MSK-IMPACT468", "IMPACT468", "MSK_IMPACT_468"])
def test_an_assay_is_known_under_the_names_that_studies_give_it(spelling):
    assert assay.get(spelling).name == "msk-impact-468"


def test_no_two_assays_share_a_name_or_an_alias():
    pairs = {(assay.plain(text), a.name) for a in assay.named().values() for text in (a.name, *a.aliases)}
    assert len({spelling for spelling, _ in pairs}) == len(pairs)


def test_an_unknown_name_gives_the_names_to_choose_from():
    with pytest.raises(InputError, match=r"'impact' is not a known assay: .*msk-impact-468"):
        assay.get("impact")


def test_a_hotspot_panel_covers_codons_and_not_whole_genes():
    hotspots = assay.get("ampliseq-hotspot-50")
    assert 600 in hotspots.codons["BRAF"] and 12 in hotspots.codons["KRAS"]
    assert 1 not in hotspots.codons["BRAF"] and set(hotspots.codons) == set(hotspots.genes)
    assert assay.get("msk-impact-468").codons == {}


def test_the_coding_length_of_a_panel_is_near_its_published_size():
    for row in assay.table().to_pylist():
        if row["name"].startswith("msk-impact") and row["megabases"]:
            assert row["coding_megabases"] == pytest.approx(row["megabases"], rel=0.25)


def test_counts_mean_nothing_in_a_list():
    assert not assay.get("list").counts_are_known and assay.get("exome").counts_are_known
    assert assay.get("WES").covers_all_genes and not assay.get("tso500").covers_all_genes


@pytest.mark.parametrize(
    ("name", "text", "genes"),
    [
        ("panel.txt", "# a panel\nBRAF, mll2\nKRAS;BRAF  # twice\n", ("BRAF", "KMT2D", "KRAS")),
        ("panel.bed", BED, ("TP53", "KRAS", "BRAF")),
        ("data_gene_panel_mine.txt", CBIOPORTAL, ("TP53", "KRAS", "KMT2D")),
        ("genes.csv", "Entrez,Hugo_Symbol\n7157,TP53\n3845,KRAS\n", ("TP53", "KRAS")),
        ("gene.txt", "gene\nTP53\nKRAS\n", ("TP53", "KRAS")),
    ],
)
def test_a_gene_list_is_read_in_every_form(tmp_path, name, text, genes):
    assert assay.from_file(write(tmp_path, name, text)).genes == genes


def test_a_packed_gene_list_is_read(tmp_path):
    (tmp_path / "panel.bed.gz").write_bytes(gzip.compress(BED.encode()))
    assert assay.from_file(tmp_path / "panel.bed.gz").name == "panel"


def test_words_of_a_description_are_not_genes(tmp_path):
    listed = gene_panels.read(write(tmp_path, "p.txt", CBIOPORTAL))
    assert listed.name == "MINE1" and "MET" not in listed.genes and listed.unknown == ()


def test_unknown_symbols_stay_and_are_named(tmp_path):
    listed = gene_panels.read(write(tmp_path, "p.txt", "TP53\nKRAS\nNOGENE7\n"))
    assert listed.genes == ("TP53", "KRAS", "NOGENE7") and listed.unknown == ("NOGENE7",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#\n", "names no gene: write the symbols"),
        ("a panel of genes\n", r"are not known gene symbols \(line 1: a\)"),
        ("stable_id: X\ndescription: y\n", "line 1 gives a stable_id, but no line gives a gene_list"),
        ("chr1\t1\t20\nchr2\t3\t40\n", r"fourth column names a known gene in only 0 of 2 intervals \(line 1"),
        ("chr1\t1\t20\tAMPL1\nchr2\t3\t40\tAMPL2\n", r"\(line 1: AMPL1\): put the gene's symbol there"),
        ("id,gene\n1\n", "line 2: no field in column gene"),
    ],
)
def test_a_file_without_genes_is_refused_with_the_remedy(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        assay.from_file(write(tmp_path, "panel.txt", text))


def test_a_user_names_an_assay_or_a_file(tmp_path):
    assert assay.named_or_file("TSO500").name == "tso500"
    assert assay.named_or_file(str(write(tmp_path, "mine.txt", "TP53\nKRAS"))).name == "mine"
    with pytest.raises(InputError, match="neither a known assay nor a file of genes"):
        assay.named_or_file("nothing.txt")


def test_the_assay_of_a_case_follows_its_name_and_the_genes_of_its_source():
    genes = {"mine": ["TP53", "KRAS"], "tso500": list(assay.get("tso500").genes), "IMPACT341": ["TP53"]}
    assert assay.of_case(None, {}).kind == "exome" and assay.of_case("list", {}).kind == "list"
    assert assay.of_case("tso500", genes).megabases == 1.94
    assert assay.of_case("guardant360", genes).name == "guardant360"
    assert assay.of_case("mine", genes).genes == ("TP53", "KRAS")
    assert assay.of_case("IMPACT341", genes).genes == ("TP53",)
    with pytest.raises(InputError, match="'other' is not a known assay"):
        assay.of_case("other", genes)


def test_the_example_panels_are_read(shared_data):
    assert assay.from_file(shared_data / "cases" / "panel.bed").genes == ("TP53", "KRAS")
    assert len(assay.from_file(shared_data / "cases" / "panel_cbioportal.txt").genes) == 20
