"""A user's file in whatever form: recognised, read alike, checked row by row; only InputError comes out."""

import gzip
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cancertype.assays import assay
from cancertype.errors import InputError
from cancertype.labels import LABELS
from cancertype.prediction import forms, histology, inputs, priors, remarks, summary
from cancertype.tables import delimited
from cancertype.variants import spectra
from cancertype.variants.cases import CASES, SourceTables
from cancertype.variants.schema import SCHEMA

MAF = (
    "#version 2.4\nHugo_Symbol\tChromosome\tStart_Position\tVariant_Classification\tReference_Allele\t"
    "Tumor_Seq_Allele2\tTumor_Sample_Barcode\tHGVSp_Short\tCaller\n"
    "BRAF\t7\t140453136\tMissense_Mutation\tA\tT\ts1\tp.V600E\tx\n"
    "CDKN2A\t9\t21971120\tNonsense_Mutation\tG\tA\ts1\tp.R80*\tx\n"
    "TTN\t2\t5\tSilent\tC\tT\ts2\tp.L5L\tx\n"
)
DEPMAP = (
    "Chrom,Pos,Ref,Alt,HugoSymbol,ProteinChange,VariantInfo,AF,DP,ModelID\n"
    "chr7,140453136,A,T,BRAF,p.V600E,missense_variant,0.4,90,ACH-1\n"
    "chr9,21971120,G,A,CDKN2A,p.R80*,stop_gained,0.9,80,ACH-1\n"
)
TABLE = "ID,SUBCLASS,BRAF,CDKN2A,TP53\ns1,SKCM,V600E,R80*,WT\ns2,THCA,V600E,R80*,\n"
CSQ = (
    '##INFO=<ID=CSQ,Number=.,Type=String,Description="Consequence annotations from Ensembl VEP. '
    'Format: Allele|Consequence|SYMBOL|HGVSp|Protein_position|Amino_acids|CANONICAL|PICK|gnomADe_AF">\n'
)
V600E = "T|missense_variant|BRAF|ENSP00000288602.6:p.Val600Glu|600|V/E|YES||"
R80 = "A|stop_gained|CDKN2A|||R/*|YES||".replace("||R/*", "|80|R/*")
TEXT = "s1: BRAF V600E, CDKN2A R80*\n"
SAME = {("BRAF", "V600E", "missense"), ("CDKN2A", "R80*", "nonsense")}


def vcf_text(*lines: str, meta: str = CSQ, samples: str = "s1") -> str:
    """A VCF; a line is ``CHROM POS REF ALT FILTER INFO FORMAT sample...``, parted by blanks."""
    head = "##fileformat=VCFv4.2\n" + meta + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    head += "\tFORMAT\t" + samples.replace(" ", "\t") if samples else ""
    rows = []
    for line in lines:
        chromosome, position, reference, alternative, passed, *rest = line.split()
        rows.append("\t".join([chromosome, position, ".", reference, alternative, ".", passed, *rest]))
    return "\n".join([head, *rows]) + "\n"


VCF = vcf_text(f"7 140453136 A T PASS DP=5;CSQ={V600E} GT:AD 0/1:3,4", f"9 21971120 G A . CSQ={R80} GT:AD 1|1:0,9")
FORMS = {
    forms.MAF: ("a.maf", MAF),
    forms.DEPMAP: ("a.csv", DEPMAP),
    forms.TABLE: ("a.csv", TABLE),
    forms.VCF: ("a.vcf", VCF),
    forms.FREE_TEXT: ("a.txt", TEXT),
    forms.TEXTS: ("a.csv", 'Sample,Mutations\ns1,"BRAF V600E, CDKN2A R80*"\n'),
}


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def mutations(tables: SourceTables, case_id: str | None = None) -> set[tuple[str, str, str]]:
    rows = tables.variants.to_pylist()
    return {
        (row["gene"], row["protein_change"], row["consequence"])
        for row in rows
        if case_id is None or row["case_id"] == case_id
    }


def reasons(tables: SourceTables) -> dict[str, int]:
    return {dropped.reason: dropped.n for dropped in tables.dropped}


# --- Every form ---


@pytest.mark.parametrize("form", forms.FORMS)
@pytest.mark.parametrize("how", ["as it is", "gzip", "BOM and CRLF", "old Mac line ends", "mixed line ends"])
def test_each_form_is_recognised_and_says_the_same(tmp_path, form, how):
    name, text = FORMS[form]
    content = text.encode()
    if how == "gzip":
        content, name = gzip.compress(content), name + ".gz"
    elif how == "BOM and CRLF":
        content = b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n")
    elif how == "old Mac line ends":
        content = content.replace(b"\n", b"\r")
    elif how == "mixed line ends":
        content = content.replace(b"\n", b"\r\n", 1)[:-1] + b"\r\n"
    found = inputs.read(str(write(tmp_path, name, content)))
    assert found.form == form
    assert found.tables.cases.schema == CASES
    assert found.tables.variants.schema == SCHEMA
    first = found.tables.cases["case_id"][0].as_py()
    assert mutations(found.tables, first) == SAME
    assert set(found.tables.cases["label"].to_pylist()) == {None}


def test_text_may_stand_in_place_of_a_file():
    found = inputs.read("BRAF V600E, CDKN2A R80*")
    assert (found.form, found.path, mutations(found.tables)) == (forms.FREE_TEXT, None, SAME)


def test_cell_lines_are_cell_lines_and_all_else_tumours(tmp_path):
    kinds = {form: inputs.read(str(write(tmp_path, *FORMS[form]))).tables.cases["kind"][0].as_py() for form in FORMS}
    assert kinds == dict.fromkeys(FORMS, "tumour") | {forms.DEPMAP: "cell line"}


def test_a_sample_without_a_mutation_that_counts_is_still_a_case(tmp_path):
    found = inputs.read(str(write(tmp_path, "a.maf", MAF)))
    assert found.tables.cases["case_id"].to_pylist() == ["s1", "s2"]
    assert summary.summary(found)["without_mutation"] == ["s2"]


def test_labels_of_a_table_leave_no_case_out_of_a_prediction(tmp_path):
    found = inputs.read(str(write(tmp_path, "a.csv", TABLE)))
    assert found.tables.cases["case_id"].to_pylist() == ["s1", "s2"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.maf", "", "is empty"),
        ("a.txt", "\n  \n\n", "holds no text"),
        ("a.vcf.gz", gzip.compress(VCF.encode())[:-12], "damaged or cut short"),
        ("a.vcf.gz", gzip.compress(b"", mtime=0), "holds no text"),
        ("a.csv", b"ID,BRAF\ns1,\xff\xfe\n", "not UTF-8"),
        ("a.csv", b"PK\x03\x04aaaaaaaa", "zip archive"),
        ("a.csv", "ModelID,OncotreeCode\nACH-1,MEL\n", "give OmicsSomaticMutations.csv"),
        ("a.tsv", "sample\tsite\tage\ns1\tlung\t60\n", "no known layout has the columns sample, site, age"),
        ("a.tsv", "STUDY\tCANCER TYPE\nst\tx\n", "no known layout has the columns STUDY, CANCER TYPE"),
        ("a.csv", "sample,site,age\ns1,lung,60\n", "no known layout has the columns sample, site, age"),
        ("a.txt", "Dear colleague, please find enclosed\n", "line 1: 'Dear' is no gene symbol known here"),
        ("a.txt", "# only a comment\n", "holds no case"),
        ("a.maf", "Hugo_Symbol\tChromosome\nBRAF\t7\n", "no column Tumor_Sample_Barcode"),
        ("a.csv", "ID\ns1\n", "'s1' is no gene symbol known here"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_remedy(tmp_path, name, content, message):
    path = write(tmp_path, name, content)
    with pytest.raises(InputError, match=message) as caught:
        inputs.read(str(path))
    assert name in str(caught.value)


@pytest.mark.parametrize("given", ["missing.maf", "data/cases", "cases.vcf.gz"])
def test_a_path_that_is_not_there_is_no_text(given):
    with pytest.raises(InputError, match="is not there"):
        inputs.read(given)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        inputs.read(str(tmp_path))


def test_a_line_without_an_end_is_refused_before_it_fills_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "_LONGEST_HEADER", 1000)
    with pytest.raises(InputError, match="line 2 has more than 64 MB"):
        list(delimited.lines(write(tmp_path, "a.txt", "BRAF V600E\n" + "x" * 5000)))


@pytest.mark.parametrize("form", forms.FORMS)
def test_a_file_broken_anywhere_gives_cases_or_an_error_that_names_it(tmp_path_factory, form):
    name, text = FORMS[form]
    path = tmp_path_factory.mktemp("fuzz") / name

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(text)), st.integers(0, 12), st.binary(max_size=12))
    def broken(at: int, cut: int, new: bytes) -> None:
        path.write_bytes(text.encode()[:at] + new + text.encode()[at + cut :])
        try:
            found = inputs.read(str(path))
            assert found.tables.cases.num_rows
            summary.summary(found)
        except InputError as error:
            assert str(path) in str(error)

    broken()


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    start=st.sampled_from(["", "ID,BRAF\n", "##fileformat=VCFv4.2\n" + CSQ, MAF[:200], "\x1f\x8b"]), rest=st.binary()
)
def test_any_bytes_give_cases_or_an_error(tmp_path_factory, start, rest):
    path = write(tmp_path_factory.getbasetemp(), "anything", start.encode("latin-1") + rest)
    try:
        assert inputs.read(str(path)).tables.cases.num_rows
    except InputError as error:
        assert str(path) in str(error)


# --- What is wrong, and what the user adds ---


def test_wrong_rows_are_named_and_all_are_counted(tmp_path):
    row = "BRAF\t7\t5\tMissense_Mutation\tA\tT\ts1\tp.V600E\tx\n"
    wrong = [row.replace("p.V600E", "V600"), row.replace("BRAF", ""), row.replace("\tA\t", "\tN\t")]
    wrong += [row.replace("Missense_Mutation", "Odd"), row.replace("s1", "")]
    silent = row.replace("Missense_Mutation", "Silent").replace("p.V600E", "V600")
    found = inputs.read(str(write(tmp_path, "a.maf", MAF + silent + "".join(wrong))))
    held = summary.summary(found, limit=3)
    assert held["wrong_rows"] == 5
    assert held["wrong"] == [
        {"line": 5, "what": "HGVSp_Short 'V600': protein change not readable: used without it"},
        {"line": 6, "what": "Hugo_Symbol '': no gene: the row is ignored"},
        {"line": 7, "what": "Reference_Allele 'N': alleles not written out: the DNA event is unknown"},
    ]
    assert held["unused_columns"] == ["Caller"]
    assert {row["reason"]: row["n"] for row in held["ignored"]}["no Tumor_Sample_Barcode"] == 1


def test_wrong_cells_of_a_table_are_named_by_row_and_column(tmp_path):
    found = inputs.read(str(write(tmp_path, "a.csv", TABLE + "s3,,V600E mutated,WT,WT\n")))
    assert summary.summary(found)["wrong"] == [
        {"line": 3, "what": "column BRAF: 'mutated' is no protein change and not WT: used without it"}
    ]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (forms.FREE_TEXT, ["few mutations given", "no DNA alleles given"]),
        (forms.TABLE, ["few mutations given", "no DNA alleles given", "a panel of 3 genes"]),
        (forms.MAF, ["few mutations given", "a panel of", "the assay is uncertain: "]),
    ],
)
def test_what_an_input_cannot_tell_is_said(tmp_path, form, expected):
    found = inputs.read(str(write(tmp_path, *FORMS[form])))
    said = remarks.remarks(found)["s1"]
    assert [remark[: len(start)] for remark, start in zip(said, expected, strict=True)] == expected


def test_a_case_with_many_mutations_and_alleles_needs_no_remark(tmp_path):
    genes = [gene for gene in assay.codons_of_genes() if gene not in assay.panels_per_gene()][:20]
    rows = "".join(f"{gene}\t2\t5\tMissense_Mutation\tC\tT\ts1\tp.A5V\tx\n" for gene in genes)
    assert "s1" not in remarks.remarks(inputs.read(str(write(tmp_path, "a.maf", MAF + rows))))


def test_kind_sex_and_assay_are_told_for_every_case(tmp_path):
    panel = write(tmp_path, "mine.txt", "BRAF KRAS")
    found = inputs.read("a: BRAF V600E, TTN A1V\nb: KRAS G12D", assay=str(panel))
    told = inputs.with_facts(found, kind="cell line", sex="female")
    assert set(told.tables.cases["kind"].to_pylist()) == {"cell line"}
    assert set(told.tables.cases["sex"].to_pylist()) == {"female"}
    assert {gene for gene, _, _ in mutations(told.tables)} == {"BRAF", "KRAS"}
    assert reasons(told.tables) == {"in no gene of the assay": 1}
    assert told.tables.panels == {"mine": ["BRAF", "KRAS"]}
    assert told.tables.cases["panel"].to_pylist() == ["mine", "mine"]
    account = told.tables.account
    assert (account.used, account.left_out["in no gene of the assay"]) == (2, 1)


def test_a_panel_is_read_under_current_symbols(tmp_path):
    path = write(tmp_path, "panel.txt", "# a panel\nBRAF, mll2\nKRAS;BRAF  # twice\n")
    assert assay.from_file(path).genes == ("BRAF", "KMT2D", "KRAS")


@pytest.mark.parametrize(
    ("text", "message"), [("#\n", "names no gene"), ("a panel of genes", "not known gene symbols")]
)
def test_a_file_without_genes_is_no_panel(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        assay.from_file(write(tmp_path, "panel.txt", text))


def test_a_prior_is_scaled_to_one(tmp_path):
    prior = priors.read_prior(write(tmp_path, "prior.csv", "label,share\nSKCM,30\nbrca,10\n"))
    assert {LABELS[i]: p for i, p in enumerate(prior) if p} == {"SKCM": 0.75, "BRCA": 0.25}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("GBM,1\n", "row 1 .*'GBM' is none of the 26 labels"),
        ("SKCM,1\nSKCM,2\n", "row 2 .*label SKCM is there twice"),
        ("SKCM,-1\n", "row 1 .*share of SKCM is -1"),
        ("SKCM,\n", "row 1 .*share of SKCM is None"),
        ("SKCM,many\n", "line 2: column share holds 'many'"),
        ("SKCM,0\n", "no label a share"),
        ("", "no label a share"),
    ],
)
def test_a_prior_that_cannot_be_used_says_why(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        priors.read_prior(write(tmp_path, "prior.csv", "label,share\n" + rows))


def test_weights_are_the_prior_over_the_training_share_without_the_other_sexs_organs():
    cases = inputs.with_facts(inputs.read("a: BRAF V600E"), sex="male").tables.cases
    training, prior = np.full(26, 1 / 26), np.full(26, 1 / 26)
    prior[LABELS.index("SKCM")] *= 3
    weights = priors.label_weights(cases, training, prior, rule_out=True)
    assert weights.shape == (1, 26)
    assert {LABELS[i] for i in np.flatnonzero(weights[0] == 0)} == {"CESC", "OV", "UCEC"}
    assert weights[0, LABELS.index("SKCM")] == pytest.approx(3.0)
    assert priors.label_weights(cases, training) is None


def test_the_shares_of_a_labels_histologies_are_those_of_all_its_cases():
    per_label = sum(histology.shares().values())
    assert per_label == pytest.approx(np.ones(26), abs=0.011)
    assert len(histology.shares()) == 14


def test_a_histology_multiplies_by_how_often_each_cancer_has_it():
    cases = inputs.read("a: BRAF V600E").tables.cases
    training = np.full(26, 1 / 26)
    (weights,) = priors.label_weights(cases, training, histology="Germ-Cell")
    assert {LABELS[i] for i in np.flatnonzero(weights)} == {"TGCT"} == set(histology.labels("germ cell"))
    (weights,) = priors.label_weights(cases, training, histology="squamous")
    assert weights[LABELS.index("LUSC")] == 1.0 and 0.7 < weights[LABELS.index("CESC")] < 0.9
    both = priors.label_weights(cases, training, np.eye(26)[LABELS.index("CESC")], histology="squamous")
    assert both[0, LABELS.index("CESC")] == pytest.approx(26 * weights[LABELS.index("CESC")])
    with pytest.raises(InputError, match=r"'plumber' is not known: choose from adenocarcinoma, squamous, .*clear cell"):
        priors.label_weights(cases, training, histology="plumber")


def test_real_files_are_read_and_their_wrong_rows_found(shared_data):
    found = inputs.read(str(shared_data / "depmap" / "OmicsSomaticMutations.csv.gz"))
    held = summary.summary(found)
    assert (found.form, held["samples"]) == (forms.DEPMAP, 81)
    assert held["mutations"] > 30_000
    assert held["wrong"] == [
        {"line": 30994, "what": "ProteinChange 'p.EAV2_?4': protein change not readable: used without it"}
    ]


# --- What a reader must know ---


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        (
            "BRAF V600E, MSI-high, TMB 45 mut/Mb",
            "MSI-high and 45 mutations per megabase are understood, but the model does not use them",
        ),
        ("BRAF V600E, MSS", "microsatellite stability is understood, but the model does not use it"),
        ("BRAF V600E, TMB 4.5 mut/Mb", "4.5 mutations per megabase is understood, but the model does not use it"),
    ],
)
def test_a_finding_that_the_model_does_not_use_is_named(text, remark):
    assert remark in remarks.remarks(inputs.read(text))["text"]
    assert not any("the model does not use" in each for each in remarks.remarks(inputs.read("BRAF V600E"))["text"])


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        (
            "MSI-high, TMB 45 mut/Mb",
            "no mutations, copy number or fusions given: nothing was looked at that the model uses",
        ),
        ("EGFR amplification", "no mutations given: copy number alone was looked at"),
        ("EML4-ALK fusion", "no mutations given: fusions alone were looked at"),
        ("EML4-ALK fusion, +7", "no mutations given: copy number and fusions alone were looked at"),
    ],
)
def test_a_case_without_mutations_says_what_was_given(text, remark):
    assert remarks.remarks(inputs.read(text))["text"][0] == remark


def _matrix(path, kind: str):
    header = ("MutationType", *("S1",))
    rows = [f"{name}\t{1 + at % 3}" for at, name in enumerate(spectra.CLASSES[kind])]
    path.write_text("\n".join(["\t".join(header), *rows]) + "\n")
    return path


def test_spectra_alone_are_named_and_dinucleotides_are_said_to_be_unused(tmp_path):
    sbs, dbs = _matrix(tmp_path / "x.SBS96.all", "SBS96"), _matrix(tmp_path / "x.DBS78.all", "DBS78")
    said = remarks.remarks(inputs.read(spectra=[sbs, dbs]))["S1"]
    assert said[0] == "no mutations given: spectra alone were looked at"
    assert "DBS78 was read, but the model does not use it: of spectra it uses SBS96 and ID83" in said
    assert not any("DBS78" in each for each in remarks.remarks(inputs.read(spectra=[sbs]))["S1"])


def test_a_line_of_thousands_of_blanks_is_read_in_linear_time(tmp_path):
    """Blanks before a bracket are cut off behind a gene's symbol: tried from each of them, 40,000 took 11 seconds."""
    path = tmp_path / "a.txt"
    path.write_text("TP53" + " " * 40_000 + "R175H")
    inputs.read(str(path))
    began = time.process_time()
    found = inputs.read(str(path))
    assert time.process_time() - began < 3
    assert found.tables.variants.num_rows == 1
