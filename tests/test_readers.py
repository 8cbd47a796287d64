"""The readers of DepMap, TCGA and the user's table: what they keep, what they count, and how they fail."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cancertype.errors import InputError
from cancertype.labels import LABELS
from cancertype.sources import depmap, table, tcga
from cancertype.sources.settings import ReadingLimits
from cancertype.tables import delimited
from cancertype.variants.cases import CASES, SourceTables
from cancertype.variants.schema import CONSEQUENCES, SCHEMA, TRINUCLEOTIDES

MAF_HEADER = (
    "Hugo_Symbol\tChromosome\tStart_Position\tVariant_Classification\tReference_Allele\tTumor_Seq_Allele2\t"
    "Tumor_Sample_Barcode\tHGVSp_Short\tFILTER\tCONTEXT\n"
)
CLINICAL = (
    "bcr_patient_barcode\tacronym\tgender\n"
    "TCGA-AA-0001\tLUAD\tMALE\nTCGA-AA-0002\tOV\tFEMALE\nTCGA-AA-0003\tCHOL\t\nMEL-IPI_Pat02\tSKCM\tFEMALE\n"
    "TCGA-AA-0009\tBRCA\tFEMALE\n"
)


def maf(*rows: str) -> str:
    """MAF text; a row is ``gene place class ref alt barcode protein filter context``, ``_`` an empty field."""
    lines = []
    for row in rows:
        gene, place, *rest = ("" if field == "_" else field for field in row.split())
        lines.append("\t".join([gene, *place.split(":"), *rest]) + "\n")
    return MAF_HEADER + "".join(lines)


def tcga_folder(folder: Path, text: str | bytes, clinical: str = CLINICAL, name: str = "a.maf") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (folder / "clinical.tsv").write_text(clinical)
    return folder


def counted(tables: SourceTables) -> dict[str, int]:
    return {dropped.reason: dropped.n for dropped in tables.dropped}


def pairs(tables: SourceTables) -> set[tuple[str, str, str]]:
    columns = (tables.variants[name].to_pylist() for name in ("case_id", "gene", "protein_change"))
    return set(zip(*columns, strict=True))


KRAS = "KRAS 12:100 Missense_Mutation C T TCGA-AA-0001-01A-11D p.G12D PASS AAAAACGTTTT"


# --- TCGA ---


def test_a_case_is_a_patient_and_its_primary_tumour(tmp_path):
    text = maf(
        KRAS,
        "TP53 17:7 Missense_Mutation C T TCGA-AA-0001-06A-11D p.R175H PASS AAAAACGTTTT",
        "TP53 17:7 Missense_Mutation C T TCGA-AA-0001-11A-11D p.R175H PASS AAAAACGTTTT",
        "BRAF 7:9 Missense_Mutation A T MEL-IPI_Pat02 p.V600E PASS CCCCCACCCCC",
        "BRAF 7:9 Missense_Mutation A T MEL-IPI_Pat02-b p.V600E PASS CCCCCACCCCC",
    )
    read = tcga.read(tcga_folder(tmp_path, text))
    assert pairs(read) == {("TCGA-AA-0001", "KRAS", "G12D"), ("MEL-IPI_Pat02", "BRAF", "V600E")}
    assert read.cases.to_pylist()[1] == {
        "case_id": "TCGA-AA-0001",
        "patient_id": "TCGA-AA-0001",
        "source": "tcga",
        "kind": "tumour",
        "label": "LUAD",
        "scope": "in",
        "origin": "LUAD",
        "sex": "male",
        "panel": None,
    }
    assert read.cases.schema == CASES
    assert counted(read) == {
        "another tumour of the patient is kept": 1,
        "no tumour sample": 1,
        "in no clinical table": 1,
        "in the clinical table, but in no MAF: perhaps never sequenced": 3,
        "of a sample that is not kept": 3,
    }


def test_melanoma_prefers_the_metastasis(tmp_path):
    rows = (f"BRAF 7:{i} Missense_Mutation A T TCGA-AA-0005-{i}A p.V60{i}E PASS _" for i in ("01", "06"))
    clinical = CLINICAL + "TCGA-AA-0005\tSKCM\tMALE\n"
    assert {change for _, _, change in pairs(tcga.read(tcga_folder(tmp_path, maf(*rows), clinical)))} == {"V6006E"}


def test_cases_out_of_scope_stay_and_silent_variants_do_not(tmp_path):
    text = maf(
        "TTN 2:5 Silent C T TCGA-AA-0003-01A p.L5L PASS _",
        "TTN 2:6 Intron C T TCGA-AA-0003-01A . PASS _",
    )
    read = tcga.read(tcga_folder(tmp_path, text))
    assert [(c["case_id"], c["label"], c["scope"], c["sex"]) for c in read.cases.to_pylist()] == [
        ("TCGA-AA-0003", None, "out", None)
    ]
    assert read.variants.num_rows == 0
    assert (counted(read)["silent"], counted(read)["non-coding"]) == (1, 1)


def test_amplified_dna_passes_only_in_the_cohorts_that_were_amplified(tmp_path):
    text = maf(
        KRAS.replace("PASS", "wga"),
        "TP53 17:7 Missense_Mutation C T TCGA-AA-0002-01A p.R175H wga,native_wga_mix _",
        "TP53 17:8 Missense_Mutation C T TCGA-AA-0002-01A p.R273H wga,oxog _",
        "TP53 17:9 Missense_Mutation C T TCGA-AA-0002-01A p.R248Q PASS _",
    )
    read = tcga.read(tcga_folder(tmp_path, text))
    assert pairs(read) == {("TCGA-AA-0002", "TP53", "R175H"), ("TCGA-AA-0002", "TP53", "R248Q")}
    assert counted(read)["whole-genome amplified DNA"] == 1
    assert counted(read)["marked by the study's FILTER"] == 1


def test_rows_given_twice_count_once_also_across_files(tmp_path):
    folder = tcga_folder(tmp_path, maf(KRAS, KRAS, KRAS.replace("G12D", "G12V").replace("12:100 ", "12:101 ")))
    (folder / "b.maf.gz").write_bytes(gzip.compress(maf(KRAS).encode()))
    read = tcga.read(folder)
    assert pairs(read) == {("TCGA-AA-0001", "KRAS", "G12D"), ("TCGA-AA-0001", "KRAS", "G12V")}
    assert read.variants.num_rows == 2
    assert counted(read)["the same variant of the same case again"] == 2


def test_context_is_read_from_around_the_base(tmp_path):
    text = maf(KRAS, "TP53 17:7 Missense_Mutation G A TCGA-AA-0001-01A-11D p.R175H PASS AAAAAGATTTT")
    read = tcga.read(tcga_folder(tmp_path, text))
    assert read.variants["context"].to_pylist() == ["A[C>T]G", "T[C>T]T"]


def test_a_patient_with_two_cohorts_is_left_out(tmp_path):
    read = tcga.read(tcga_folder(tmp_path, maf(KRAS), CLINICAL + "TCGA-AA-0001\tLUSC\tMALE\n"))
    assert read.cases.num_rows == 0
    assert counted(read)["the clinical tables give two cohorts"] == 1


def test_comment_lines_byte_order_marks_and_mixed_line_ends_do_not_matter(tmp_path):
    plain = maf(KRAS, KRAS.replace("100", "101").replace("G12D", "G13D"))
    header, *rows = plain.splitlines()
    mixed = "\ufeff#version 2.4\r\n\n#a note\n" + header + "\r\n" + rows[0] + "\r" + rows[1]
    expected = pairs(tcga.read(tcga_folder(tmp_path / "plain", plain)))
    assert len(expected) == 2
    assert pairs(tcga.read(tcga_folder(tmp_path / "mixed", mixed))) == expected
    packed = gzip.compress(mixed.encode())
    assert pairs(tcga.read(tcga_folder(tmp_path / "packed", packed))) == expected


def test_the_older_column_names_are_known(tmp_path):
    text = maf(KRAS).replace("HGVSp_Short", "Protein_Change").replace("Start_Position", "Start_position")
    read = tcga.read(tcga_folder(tmp_path, text, CLINICAL.replace("acronym", "type")))
    assert pairs(read) == {("TCGA-AA-0001", "KRAS", "G12D")}


BROKEN = {
    "an empty file": (b"", "is empty"),
    "a header cut short": (b"#version\n", "no line names the columns"),
    "a web page": (b"<!DOCTYPE html>\n<p>captcha</p>\n", "web page"),
    "a zip archive": (b"PK\x03\x04xxxx", "zip archive"),
    "a missing column": (maf(KRAS).replace("Hugo_Symbol", "Gene").encode(), "line 1: no column Hugo_Symbol"),
    "no protein change": (maf(KRAS).replace("HGVSp_Short", "x").encode(), "none of the columns HGVSp_Short"),
    "a doubled column": (maf(KRAS).replace("FILTER", "CONTEXT").encode(), "CONTEXT is there 2 times"),
    "a ragged row": (("#c\n" + maf(KRAS, KRAS)).encode() + b"KRAS\t12\n", "line 5: 2 fields where 10 columns"),
    "a place that is no number": (maf(KRAS, KRAS.replace(":100", ":x")).encode(), "line 3: column Start_Position"),
    "bytes that are no text": (maf(KRAS).encode().replace(b"G12D", b"G\xff"), "line 2: column HGVSp_Short is"),
    "a truncated gzip": (gzip.compress(maf(*[KRAS] * 500).encode())[:-9], "damaged or cut short"),
    "a damaged gzip": (gzip.compress(maf(KRAS).encode())[:30] + b"\0" * 60, "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_is_named_with_line_and_remedy(tmp_path, fault):
    content, said = BROKEN[fault]
    with pytest.raises(InputError) as caught:
        tcga.read(tcga_folder(tmp_path, content))
    assert str(tmp_path / "a.maf") in str(caught.value)
    assert said in str(caught.value)


def test_a_folder_without_a_clinical_table_says_so(tmp_path):
    (tmp_path / "a.maf").write_text(maf(KRAS))
    with pytest.raises(InputError, match="bcr_patient_barcode"):
        tcga.read(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        tcga.read(tmp_path / "nowhere")


# --- DepMap ---

MUTATIONS_HEADER = (
    "ModelID,Chrom,Pos,Ref,Alt,AF,DP,VariantInfo,MolecularConsequence,ProteinChange,HugoSymbol,"
    "GnomadeAF,GnomadgAF,Hotspot\n"
)
MODELS = """\
ModelID,PatientID,OncotreeLineage,OncotreePrimaryDisease,OncotreeSubtype,OncotreeCode,Sex,EngineeredModel,Comments
ACH-1,PT-1,Lung,Non-Small Cell Lung Cancer,Lung Adenocarcinoma,LUAD,Female,False,"two
lines, quoted"
ACH-2,PT-2,Myeloid,Acute Myeloid Leukemia,,AML,Male,,
ACH-3,PT-3,Lung,Non-Small Cell Lung Cancer,Lung Adenocarcinoma,LUAD,Male,True,
"""
SOUND = "ACH-1,chr12,100,C,T,0.5,80,missense_variant,,p.G12D,KRAS,,,True\n"


def depmap_folder(folder: Path, *rows: str, header: str = MUTATIONS_HEADER, models: str = MODELS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "OmicsSomaticMutations.csv").write_text(header + "".join(rows))
    (folder / "Model.csv").write_text(models)
    return folder


def test_a_line_carries_its_label_and_its_patient(tmp_path):
    read = depmap.read(depmap_folder(tmp_path, SOUND), ReadingLimits())
    (case,) = read.cases.to_pylist()
    assert (case["case_id"], case["patient_id"], case["kind"], case["label"], case["origin"], case["sex"]) == (
        "ACH-1",
        "PT-1",
        "cell line",
        "LUAD",
        "LUAD",
        "female",
    )
    assert pairs(read) == {("ACH-1", "KRAS", "G12D")}
    assert counted(read) == {"in Model.csv, but without mutations: not sequenced in this release": 1}


def test_what_looks_inherited_or_weak_is_left_out_unless_it_is_a_hotspot(tmp_path):
    rows = [
        SOUND,
        "ACH-1,chr1,1,C,T,0.5,80,missense_variant,,p.A1T,AAA,0.01,,False\n",
        "ACH-1,chr1,2,C,T,0.5,80,missense_variant,,p.A2T,AAA,,0.01,False\n",
        "ACH-1,chr1,3,C,T,0.01,80,missense_variant,,p.A3T,AAA,,,False\n",
        "ACH-1,chr1,4,C,T,0.5,3,missense_variant,,p.A4T,AAA,,,False\n",
        "ACH-1,chr1,5,C,T,0.01,3,missense_variant,,p.A5T,AAA,0.01,,True\n",
        "ACH-1,chr1,6,C,T,,,missense_variant,,p.A6T,AAA,,,\n",
    ]
    read = depmap.read(depmap_folder(tmp_path, *rows), ReadingLimits())
    assert {change for _, _, change in pairs(read)} == {"G12D", "A5T", "A6T"}
    assert counted(read)["likely inherited: known to gnomAD"] == 2
    assert counted(read)["low allele fraction"] == 1
    assert counted(read)["low read depth"] == 1
    assert read.notes["burden"] == {"before": {"median": 7.0, "mean": 7.0}, "after": {"median": 3.0, "mean": 3.0}}


def test_an_empty_variant_info_gives_way_to_the_molecular_consequence(tmp_path):
    rows = [
        SOUND,
        "ACH-1,chr1,7,C,T,,,,SO:0001587|nonsense,p.R7Ter,AAA,,,\n",
        "ACH-1,chr1,8,C,T,,,,SO:0001627|intron_variant,,AAA,,,\n",
    ]
    read = depmap.read(depmap_folder(tmp_path, *rows), ReadingLimits())
    assert read.variants["consequence"].to_pylist() == ["missense", "nonsense"]
    assert counted(read)["non-coding"] == 1


def test_releases_may_lack_columns_and_mark_default_entries(tmp_path):
    header = "ModelID,IsDefaultEntryForModel,HugoSymbol,Chrom,Pos,Ref,Alt,ProteinChange,VariantInfo\n"
    rows = ["ACH-1,Yes,KRAS,chr12,1,C,T,p.G12D,MISSENSE\n", "ACH-1,No,TP53,chr17,1,C,T,p.R175H,MISSENSE\n"]
    read = depmap.read(depmap_folder(tmp_path, *rows, header=header), ReadingLimits())
    assert pairs(read) == {("ACH-1", "KRAS", "G12D")}
    assert counted(read)["not the model's default entry"] == 1
    assert set(read.notes["germline_filter"].values()) == {"no column"}


def test_models_without_a_row_in_either_file_and_engineered_ones_are_counted(tmp_path):
    rows = [SOUND, SOUND.replace("ACH-1", "ACH-3"), SOUND.replace("ACH-1", "ACH-9")]
    read = depmap.read(depmap_folder(tmp_path, *rows), ReadingLimits())
    assert read.cases["case_id"].to_pylist() == ["ACH-1"]
    assert counted(read) == {
        "engineered model": 1,
        "in the mutations, but not in Model.csv": 1,
        "in Model.csv, but without mutations: not sequenced in this release": 1,
    }


def test_packed_and_plain_releases_read_alike(tmp_path):
    plain = depmap_folder(tmp_path / "plain", SOUND)
    packed = depmap_folder(tmp_path / "packed", SOUND)
    for name in ("OmicsSomaticMutations.csv", "Model.csv"):
        (packed / f"{name}.gz").write_bytes(gzip.compress((packed / name).read_bytes()))
        (packed / name).unlink()
    one, other = depmap.read(plain, ReadingLimits()), depmap.read(packed, ReadingLimits())
    assert one.cases.equals(other.cases)
    assert one.variants.equals(other.variants)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: (f / "Model.csv").unlink(), "Model.csv or Model.csv.gz is needed"),
        (lambda f: (f / "Model.csv").write_text(MODELS + MODELS[MODELS.index("ACH-3") :]), "'ACH-3' twice"),
        (lambda f: (f / "Model.csv").write_text(MODELS.replace("OncotreeCode", "Code")), "no column OncotreeCode"),
        (lambda f: depmap_folder(f, SOUND, SOUND.replace("0.5", "half")), "line 3: column AF holds 'half'"),
        (lambda f: depmap_folder(f, SOUND, "ACH-1,chr1\n"), "line 3: 2 fields where 14"),
        (lambda f: depmap_folder(f, header=MUTATIONS_HEADER.replace("VariantInfo,Mol", "x,")), "neither column"),
        (lambda f: (f / "source.json").write_text("{"), "source.json is not the record"),
    ],
)  # fmt: skip
def test_a_broken_release_is_named_with_place_and_remedy(tmp_path, change, said):
    change(depmap_folder(tmp_path, SOUND))
    with pytest.raises(InputError) as caught:
        depmap.read(tmp_path, ReadingLimits())
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


# --- The user's table ---


def wide(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_cells_hold_wild_type_or_several_changes(tmp_path):
    text = "ID,SUBCLASS,TP53,MLL2,KRAS\na,BRCA,R175H p.R213X,WT,\nb,luad,WT,Q5fs,G12D\nc,,WT,WT,WT\n"
    read = table.read(wide(tmp_path / "t.csv", text))
    assert pairs(read) == {
        ("a", "TP53", "R175H"),
        ("a", "TP53", "R213*"),
        ("b", "KMT2D", "Q5fs"),
        ("b", "KRAS", "G12D"),
    }
    assert read.variants["consequence"].to_pylist() == ["missense", "nonsense", "frameshift", "missense"]
    assert set(read.variants["dna"].to_pylist()) == {"unknown"}
    assert read.variants["substitution"].null_count == 4
    assert [(c["label"], c["scope"], c["panel"]) for c in read.cases.to_pylist()] == [
        ("BRCA", "in", "table 2"),
        ("LUAD", "in", "table"),
        (None, "unlabelled", "table"),
    ]
    assert read.panels == {"table": ["TP53", "KMT2D", "KRAS"], "table 2": ["TP53", "KMT2D"]}
    assert read.notes["cells_not_sequenced"] == 1


@pytest.mark.parametrize("delimiter", ["\t", ";", ","])
def test_the_delimiter_is_found_and_a_file_may_be_packed(tmp_path, delimiter):
    text = delimiter.join(("ID", "TP53", "KRAS")) + "\n" + delimiter.join(("a", "R175H", "WT")) + "\n"
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert pairs(table.read(tmp_path)) == {("a", "TP53", "R175H")}


def test_a_table_of_thousands_of_genes_is_an_exome(tmp_path):
    genes = [f"GENE{i}" for i in range(table.SMALLEST_EXOME)]
    text = ",".join(["ID", *genes]) + "\n" + ",".join(["a", "R5H", *["WT"] * (len(genes) - 1)]) + "\n"
    read = table.read(wide(tmp_path / "t.csv", text))
    assert read.cases["panel"].to_pylist() == [None]
    assert read.panels == {}
    assert pairs(read) == {("a", "GENE0", "R5H")}


def test_equal_mutations_under_different_labels_are_left_out(tmp_path):
    text = "ID,SUBCLASS,TP53\na,BRCA,R175H\nb,LUAD,R175H\nc,LUAD,R248Q\nd,LUAD,R248Q\ne,LUAD,WT\nf,BRCA,WT\ng,BRCA,NA\n"
    read = table.read(wide(tmp_path / "t.csv", text))
    assert read.cases["case_id"].to_pylist() == ["c", "d", "e", "f"]
    assert counted(read) == {
        "no gene was sequenced: every cell is empty": 1,
        "the same mutations as a case of another SUBCLASS": 2,
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("TP53,KRAS\nR175H,WT\n", "no column ID"),
        ("ID,SUBCLASS\na,BRCA\n", "no gene columns"),
        ("ID,TP53\n", "no rows"),
        ("ID,TP53\na,WT\nb,WT\na,R175H\n", "rows 1 and 3 below the column names: column ID holds 'a' in both"),
        ("ID,TP53\n,WT\n", "row 1 below the column names: column ID is empty"),
        ("ID,TP53,\na,WT,WT\n", "column 3 has no name"),
        ("ID,TP53,TP53\na,WT,WT\n", "TP53 is there 2 times"),
        ("ID,TP53\na,WT\nb,WT,WT\n", "line 3: 3 fields where 2 columns"),
    ],
)
def test_a_broken_table_is_named_with_place_and_remedy(tmp_path, text, said):
    path = wide(tmp_path / "t.csv", text)
    with pytest.raises(InputError) as caught:
        table.read(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


# --- Whatever a file holds ---

SOUND_FILES = {
    "maf": maf(KRAS, *[KRAS.replace("100", str(i)) for i in range(9)]),
    "clinical": CLINICAL,
    "mutations": MUTATIONS_HEADER + SOUND * 5,
    "models": MODELS,
    "table": "ID,SUBCLASS,TP53,KRAS\na,BRCA,R175H,WT\nb,LUAD,WT,G12D\n",
}


def _with(folder: Path, which: str, data: bytes) -> SourceTables:
    """Read a sound source whose one file ``which`` holds ``data``."""
    if which == "table":
        (folder / "t.csv").write_bytes(data)
        return table.read(folder / "t.csv")
    if which in ("mutations", "models"):
        depmap_folder(folder, SOUND)
        (folder / {"mutations": "OmicsSomaticMutations.csv", "models": "Model.csv"}[which]).write_bytes(data)
        return depmap.read(folder, ReadingLimits())
    tcga_folder(folder, maf(KRAS))
    (folder / {"maf": "a.maf", "clinical": "clinical.tsv"}[which]).write_bytes(data)
    return tcga.read(folder)


@st.composite
def damaged(draw, sound: bytes) -> bytes:
    """A sound file with some stretches replaced, packed or not, and perhaps cut."""
    data = draw(st.sampled_from([sound, sound, gzip.compress(sound, mtime=0)]))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        patch = draw(
            st.binary(max_size=8) | st.sampled_from([b"\r", b"\n", b'"', b"\t", b",", b"\0", b"\xef\xbb\xbf", b"#"])
        )
        data = data[:at] + patch + data[at + draw(st.integers(0, 8)) :]
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


@pytest.mark.parametrize("which", SOUND_FILES)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_only_an_input_error_comes_out(tmp_path_factory, which, data):
    content = data.draw(damaged(SOUND_FILES[which].encode()) | st.binary(max_size=200))
    try:
        read = _with(tmp_path_factory.mktemp("fuzz"), which, content)
    except InputError as error:
        assert len(str(error)) > 30
    else:
        assert read.variants.schema == SCHEMA
        assert read.cases.schema == CASES


# --- The real data ---


def _sound(read: SourceTables) -> None:
    """What holds for the tables of any source."""
    read.variants.validate(full=True)
    assert read.variants.schema == SCHEMA
    cases = read.cases["case_id"].to_pylist()
    assert len(set(cases)) == len(cases)
    assert set(read.variants["case_id"].unique().to_pylist()) <= set(cases)
    assert set(read.variants["consequence"].unique().to_pylist()) <= set(CONSEQUENCES)
    assert set(read.variants["context"].unique().to_pylist()) <= {None, *TRINUCLEOTIDES}
    assert set(read.cases["label"].unique().to_pylist()) <= {None, *LABELS}


def test_the_real_tumours_read_whole(shared_data):
    read = tcga.read(shared_data / "tcga")
    _sound(read)
    assert read.cases.num_rows == 6706
    assert counted(read)["silent"] == 277_901
    assert {"KMT2D", "KMT2C", "TENM1", "ADGRV1"} <= set(read.variants["gene"].chunk(0).dictionary.to_pylist())
    assert "protein change not readable: the variant is kept without it" not in counted(read)


def test_the_real_lines_read_whole(shared_data):
    read = depmap.read(shared_data / "depmap", ReadingLimits())
    _sound(read)
    assert read.cases.num_rows == 80
    assert read.notes["burden"]["after"]["median"] < read.notes["burden"]["before"]["median"]


def test_the_reader_streams_in_blocks(tmp_path):
    path = tmp_path / "long.tsv"
    path.write_text("a\tb\n" + "x\t1\n" * 5000)
    blocks = list(delimited.DelimitedFile(path).batches({"a": delimited.TEXT, "b": pa.int64()}, block_bytes=4096))
    assert len(blocks) > 3
    assert sum(block.num_rows for block in blocks) == 5000
