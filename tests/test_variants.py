"""Protein changes, classes and gene symbols: one canonical form from every notation in use."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cancertype.variants import alleles, canonical, consequences, genes, protein_changes, schema
from cancertype.variants.canonical import parse_protein_changes
from cancertype.variants.protein_changes import parse_protein_change
from cancertype.variants.schema import SILENT

from .conftest import ROOT

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
ONE_LETTER = st.sampled_from(RESIDUES)
POSITION = st.integers(1, 35_991)


@pytest.mark.parametrize(
    ("given_as", "canonical", "codon", "consequence"),
    [
        ("p.R175H", "R175H", 175, "missense"),
        ("R175H", "R175H", 175, "missense"),
        (" p.R175H ", "R175H", 175, "missense"),
        ("p.(R175H)", "R175H", 175, "missense"),
        ("p.Arg175His", "R175H", 175, "missense"),
        ("ENSP00000269305.4:p.Arg175His", "R175H", 175, "missense"),
        ("NP_000537.3:p.(Arg175His)", "R175H", 175, "missense"),
        ("p.162_163LD>FY", "L162_D163delinsFY", 162, "missense"),
        ("p.R213*", "R213*", 213, "nonsense"),
        ("R213X", "R213*", 213, "nonsense"),
        ("p.Arg213Ter", "R213*", 213, "nonsense"),
        ("p.L333Ter", "L333*", 333, "nonsense"),
        ("p.740_743SMNQ>*", "S740*", 740, "nonsense"),
        ("p.171_172CQ>*K", "C171*", 171, "nonsense"),
        ("p.507_508ME>I*", "M507_E508delinsI*", 507, "nonsense"),
        ("p.Y571_K572delinsTer", "Y571*", 571, "nonsense"),
        ("P67fs", "P67fs", 67, "frameshift"),
        ("A138Cfs*27", "A138fs", 138, "frameshift"),
        ("p.Q36PfsTer52", "Q36fs", 36, "frameshift"),
        ("p.K5NfsTer?", "K5fs", 5, "frameshift"),
        ("p.-146fs", "146fs", 146, "frameshift"),
        ("p.RGRNSG*315fs", "R315fs", 315, "frameshift"),
        ("p.X125_splice", "X125_splice", 125, "splice"),
        ("p.125_126splice", "X125_splice", 125, "splice"),
        ("X_splice", "X_splice", None, "splice"),
        ("E746_A750del", "E746_A750del", 746, "inframe"),
        ("p.E746_A750delELREA", "E746_A750del", 746, "inframe"),
        ("p.EKV3582del", "E3582_V3584del", 3582, "inframe"),
        ("p.F18del", "F18del", 18, "inframe"),
        ("p.52_53TT>T", "T53del", 53, "inframe"),
        ("p.115_116insG", "115_116insG", 115, "inframe"),
        ("p.V769_D770insASV", "V769_D770insASV", 769, "inframe"),
        ("p.A211_P212insKTer", "A211_P212insK*", 211, "nonsense"),
        ("p.9_9Y>YY", "Y9dup", 9, "inframe"),
        ("p.H400dup", "H400dup", 400, "inframe"),
        ("p.S648_S650dup", "S648_S650dup", 648, "inframe"),
        ("p.28_28P>PPP", "28_29insPP", 28, "inframe"),
        ("p.L747_T751delinsP", "L747_T751delinsP", 747, "inframe"),
        ("p.E746_A750delELREAinsP", "E746_A750delinsP", 746, "inframe"),
        ("p.K558_V559>N", "K558_V559delinsN", 558, "inframe"),
        ("p.*228Y", "*228Y", 228, "stop_lost"),
        ("p.*394Rext*?", "*394R", 394, "stop_lost"),
        ("p.Ter635QextTer35", "*635Q", 635, "stop_lost"),
        ("p.M1?", "M1?", 1, "start_lost"),
        ("p.M1V", "M1?", 1, "start_lost"),
        ("p.L11=", "L11=", 11, SILENT),
        ("p.L11L", "L11=", 11, SILENT),
        ("p.Leu11=", "L11=", 11, SILENT),
        ("p.=", "=", None, SILENT),
    ],
)
def test_every_notation_leads_to_one_form(given_as, canonical, codon, consequence):
    assert parse_protein_change(given_as) == (canonical, codon, consequence)


@pytest.mark.parametrize("text", ["", ".", "-", "p.?", "?", " ", "NA", "p.", "p.(?)"])
def test_an_unstated_change_is_no_error(text):
    column = parse_protein_changes(pa.array([text]))
    assert (column.text.to_pylist(), column.codon.to_pylist(), column.consequence.to_pylist()) == ([""], [None], [None])
    assert column.unreadable == 0


@pytest.mark.parametrize(
    "text", ["foo", "p.R0H", "p.E16_A12del", "KRAS12D", "p.EAV2_?4", "R175H,P72R", "p.12_14L>V", "٣R3H"]
)
def test_what_is_no_protein_change_is_counted_and_shown(text):
    column = parse_protein_changes(pa.array([text, "p.R175H", text]))
    assert column.text.to_pylist() == ["", "R175H", ""]
    assert (column.unreadable, column.examples) == (2, (text,))


RANGE = st.builds(
    lambda a, start, b, length: f"{a}{start}" if length == 0 else f"{a}{start}_{b}{start + length}",
    st.sampled_from(["", *RESIDUES]), POSITION, ONE_LETTER, st.integers(0, 30),
)  # fmt: skip
SEQUENCE = st.text(RESIDUES + "*X", min_size=1, max_size=6)
NOTATION = st.one_of(
    st.builds("{}{}{}".format, ONE_LETTER, POSITION, st.sampled_from([*RESIDUES, "*", "X", "="])),
    st.builds("{}{}{}fs*{}".format, ONE_LETTER, POSITION, ONE_LETTER, POSITION),
    st.builds("{}{}{}".format, RANGE, st.sampled_from(["del", "dup", "delins", "ins", ">"]), st.just("") | SEQUENCE),
    st.builds(lambda at, a, b: f"{at}_{at + len(a) - 1}{a}>{b}", POSITION, SEQUENCE, SEQUENCE),
    st.builds(lambda a, at, event: f"{a}{at}{event}", SEQUENCE, POSITION, st.sampled_from(["del", "fs", "dup"])),
    st.builds("X{}_splice".format, POSITION),
    st.builds("*{}{}ext*{}".format, POSITION, ONE_LETTER, POSITION),
)


@given(st.sampled_from(["", "p.", "p.("]), NOTATION)
@settings(max_examples=1500, deadline=None)
def test_reading_what_was_written_changes_nothing(prefix, text):
    change = parse_protein_change(prefix + text + (")" if "(" in prefix else ""))
    assert change == parse_protein_change(text)
    if change is not None:
        assert parse_protein_change(change.text) == change
        assert change.consequence in (*schema.CONSEQUENCES, SILENT)


@given(st.lists(NOTATION | st.text(max_size=12) | st.text("RHKM*X_0123456789delinsfup.=>?", max_size=9), max_size=20))
@settings(max_examples=500, deadline=None)
def test_a_column_reads_as_its_values_do_and_garbage_only_counts(texts):
    column = parse_protein_changes(pa.array(texts, pa.string()))
    each = [parse_protein_change(text) for text in texts]
    assert column.text.to_pylist() == [change.text if change else "" for change in each]
    assert column.codon.to_pylist() == [change.codon if change else None for change in each]
    assert column.consequence.to_pylist() == [change.consequence if change else None for change in each]
    lost = [
        text
        for text, change in zip(texts, each, strict=True)
        if change is None and not protein_changes.is_unstated(text)
    ]
    assert column.unreadable == len(lost)
    assert set(column.examples) <= set(lost)
    assert bool(column.examples) == bool(lost)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("Missense_Mutation", "missense"),
        ("MISSENSE", "missense"),
        ("missense_variant&splice_region_variant", "missense"),
        ("SO:0001583|missense_variant,SO:0001619|non-coding_transcript_variant", "missense"),
        ("Nonsense_Mutation", "nonsense"),
        ("stop_gained&frameshift_variant", "nonsense"),
        ("SO:0001583|missense_variant,SO:0001587|nonsense,SO:0001624|3_prime_UTR_variant", "nonsense"),
        ("Frame_Shift_Del", "frameshift"),
        ("FRAME_SHIFT_INS", "frameshift"),
        ("frameshift_variant&stop_lost", "frameshift"),
        ("Splice_Site", "splice"),
        ("splice_acceptor_variant&coding_sequence_variant&intron_variant", "splice"),
        ("splice_donor_variant&non_coding_transcript_variant", "non-coding"),
        ("In_Frame_Ins", "inframe"),
        ("inframe_insertion&stop_retained_variant", "inframe"),
        ("Translation_Start_Site", "start_lost"),
        ("Start_Codon_Del", "start_lost"),
        ("Nonstop_Mutation", "stop_lost"),
        ("Silent", "silent"),
        ("splice_region_variant&synonymous_variant", "silent"),
        ("5'UTR", "non-coding"),
        ("Intron", "non-coding"),
        ("upstream_gene_variant", "non-coding"),
        ("", None),
        ("something new", None),
    ],
)
def test_stated_terms_of_all_sources_fall_into_one_set_of_classes(stated, expected):
    assert consequences.consequence_class(stated) == expected


def test_the_order_of_severity_is_ensembls():
    ensembl = (
        "splice_acceptor_variant", "stop_gained", "frameshift_variant", "stop_lost", "start_lost", "inframe_deletion",
        "missense_variant", "synonymous_variant", "intron_variant",
    )  # fmt: skip
    ranks = [consequences.severity_of(consequences.consequence_class(term)) for term in ensembl]
    assert ranks == list(range(len(consequences.SEVERITY)))
    assert consequences.severity_of(None) == len(consequences.SEVERITY)
    assert {*schema.CONSEQUENCES, SILENT, schema.NON_CODING} == set(consequences.SEVERITY)


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("C", "T"), ("snv", "C>T")),
        (("G", "A"), ("snv", "C>T")),
        (("A", "C"), ("snv", "T>G")),
        (("GC", "GT"), ("snv", "C>T")),
        (("GG", "AA"), ("doublet", None)),
        (("-", "A"), ("insertion", None)),
        (("ACT", "-"), ("deletion", None)),
        (("CCTG", "C"), ("deletion", None)),
        (("C", "CA"), ("insertion", None)),
        (("", ""), ("unknown", None)),
        (("N", "A"), ("unknown", None)),
    ],
)
def test_alleles_give_the_event_and_the_class_on_the_pyrimidine_strand(pair, expected):
    assert alleles.dna_event(*pair) == expected


def test_context_is_the_same_on_both_strands():
    assert alleles.trinucleotide("ACG", "C>T") == alleles.trinucleotide("CGT", "C>T") == "A[C>T]G"
    assert alleles.trinucleotide("AAG", "C>T") is None
    assert alleles.trinucleotide("NCG", "C>T") is None
    assert len(set(schema.TRINUCLEOTIDES)) == 96


@pytest.mark.parametrize(
    ("old", "current"),
    [
        ("MLL2", "KMT2D"), ("MLL3", "KMT2C"), ("MLL", "KMT2A"), ("MLL4", "KMT2B"), ("ODZ1", "TENM1"),
        ("GPR98", "ADGRV1"),
        ("PARK2", "PRKN"), ("FAM123B", "AMER1"), ("WHSC1", "NSD2"), ("WHSC1L1", "NSD3"), ("C10orf2", "TWNK"),
        ("C11orf95", "ZFTA"), ("FAM22B", "NUTM2B"),
        ("2-Sep", "SEPTIN2"), ("1-Mar", "MARCHF1"), ("SEPT9", "SEPTIN9"), ("TP53", "TP53"), (" KRAS ", "KRAS"),
        ("Unknown", ""), (".", ""),
    ],
)  # fmt: skip
def test_gene_symbols_are_brought_up_to_date(old, current):
    assert genes.current_symbol(old) == current


def test_no_current_symbol_is_itself_renamed():
    renamed = genes._renamed_genes()
    assert len(renamed) > 1000
    assert not set(renamed) & set(renamed.values())


def _rows(*rows: tuple[str, ...]) -> pa.Table:
    names = ("case_id", "gene", "protein_change", "consequence", "reference", "alternative", "around")
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])


def test_the_canonical_table_has_its_schema_and_says_what_it_left_out():
    table, dropped = canonical.table(
        _rows(
            ("a", "MLL2", "p.R213X", "Nonsense_Mutation", "G", "A", "CGA"),
            ("a", "TP53", "p.T125T", "Splice_Site", "C", "A", "ACG"),
            ("b", "TP53", "", "Splice_Site", "-", "GGA", ""),
            ("b", "KRAS", "p.G12D", "unheard of", "GG", "AA", ""),
            ("b", "VHL", "p.M1V", "Missense_Mutation", "A", "G", ""),
            ("b", "TTN", "p.L5L", "Silent", "C", "A", ""),
            ("b", "TTN", "", "Intron", "C", "A", ""),
            ("b", "Unknown", "p.L5R", "Missense_Mutation", "C", "A", ""),
            ("b", "APC", "what?", "", "C", "A", ""),
        ),
        "tcga",
    )
    assert table.schema == schema.SCHEMA
    assert table.to_pydict() == {
        "case_id": ["a", "a", "b", "b", "b"],
        "gene": ["KMT2D", "TP53", "TP53", "KRAS", "VHL"],
        "protein_change": ["R213*", "X125_splice", "", "G12D", "M1?"],
        "codon": [213, 125, None, 12, 1],
        "consequence": ["nonsense", "splice", "splice", "missense", "start_lost"],
        "substitution": ["C>T", "C>A", None, None, "T>C"],
        "dna": ["snv", "snv", "insertion", "doublet", "snv"],
        "context": ["T[C>T]G", "A[C>A]G", None, None, None],
    }
    assert {(d.what, d.reason): d.n for d in dropped} == {
        ("variant", "silent"): 1,
        ("variant", "non-coding"): 1,
        ("variant", "no gene"): 1,
        ("variant", "consequence not recognised"): 1,
        ("protein change", "protein change not readable: the variant is kept without it"): 1,
    }
    assert next(d for d in dropped if d.reason == "no gene").examples == ("b Unknown Missense_Mutation p.L5R",)


def test_dropped_rows_leave_no_values_behind():
    table, _ = canonical.table(
        _rows(("gone", "TTN", "p.L5L", "Silent", "C", "A", ""), ("a", "APC", "p.R5H", "", "C", "A", "")), "x"
    )
    assert table["case_id"].chunk(0).dictionary.to_pylist() == ["a"]


def test_no_rows_make_an_empty_table():
    table, dropped = canonical.table(_rows(("a", "TTN", "p.L5L", "Silent", "C", "A", "")).slice(0, 0), "x")
    assert (table.num_rows, table.schema, dropped) == (0, schema.SCHEMA, [])


def test_the_genes_of_the_released_vocabulary_are_read_under_the_same_names():
    vocabulary = pq.read_table(ROOT / "released" / "vocabulary.parquet").to_pylist()
    named = [row["name"] for row in vocabulary if row["kind"] == "gene"]
    assert len(named) > 100
    assert [name for name in named if genes.current_symbol(name) != name] == []
    fusions = [row["name"] for row in vocabulary if row["kind"].startswith("fusion") and "-" in row["name"]]
    assert [name for name in fusions for gene in genes.fusion_genes(name) if genes.current_symbol(gene) != gene] == []
