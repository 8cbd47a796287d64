"""Matrices of spectra, and the bases around variants from columns and from a reference genome."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cancertype.errors import InputError
from cancertype.sources import genome, spectra
from cancertype.variants.alleles import trinucleotide


def matrix(kind: str, samples: dict[str, list[float]], delimiter: str = "\t", drop: int = 0) -> str:
    names = spectra.CLASSES[kind][drop:]
    lines = [delimiter.join(["MutationType", *samples])]
    for i, name in enumerate(names, drop):
        lines.append(delimiter.join([name, *(f"{counts[i]:g}" for counts in samples.values())]))
    return "\n".join(lines) + "\n"


def counts(kind: str, **of: int) -> list[int]:
    """Counts with these classes (by index ``c3=5``), 0 elsewhere."""
    found = [0] * len(spectra.CLASSES[kind])
    for name, n in of.items():
        found[int(name[1:])] = n
    return found


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_the_classes_are_those_of_sigprofiler():
    assert {kind: len(set(names)) for kind, names in spectra.CLASSES.items()} == {"SBS96": 96, "ID83": 83, "DBS78": 78}
    assert "5:Del:M:5" in spectra.CLASSES["ID83"] and "CC>TT" in spectra.CLASSES["DBS78"]


@pytest.mark.parametrize("kind", spectra.CLASSES)
def test_a_matrix_gives_shares_and_totals(tmp_path, kind):
    path = write(tmp_path, f"a.{kind}.all", matrix(kind, {"S1": counts(kind, c0=3, c5=1), "S2": counts(kind)}))
    read = spectra.read([path])
    assert read.table.schema == spectra.SPECTRA
    first, second = read.table.to_pylist()
    assert (first["case_id"], first["kind"], first["total"]) == ("S1", kind, 4.0)
    assert first["shares"][0] == 0.75 and first["shares"][5] == 0.25
    assert second["total"] == 0.0 and second["shares"] is None


def test_a_packed_matrix_and_a_csv_are_read(tmp_path):
    text = matrix("ID83", {"S1": counts("ID83", c1=2)})
    (tmp_path / "x.ID83.all.gz").write_bytes(gzip.compress(text.encode()))
    write(tmp_path, "SBS96.csv", matrix("SBS96", {"S1": counts("SBS96", c1=2)}, ","))
    write(tmp_path, "notes.txt", "nothing")
    paths = spectra.files(tmp_path)
    assert [path.name for path in paths] == ["SBS96.csv", "x.ID83.all.gz"]
    assert [row["kind"] for row in spectra.read(paths).table.to_pylist()] == ["ID83", "SBS96"]


def test_the_classes_in_two_columns_are_read(tmp_path):
    lines = ["Type,SubType,S1"]
    for name in spectra.CLASSES["SBS96"]:
        five, exchange, three = name[0], name[2:5], name[6]
        lines.append(f"{exchange},{five}{exchange[0]}{three},{1 if name == 'A[C>T]G' else 0}")
    read = spectra.read([write(tmp_path, "cosmic.SBS96.csv", "\n".join(lines))])
    shares = read.matrix("SBS96", ["S1"])[0]
    assert shares[spectra.CLASSES["SBS96"].index("A[C>T]G")] == 1.0


def test_indel_classes_as_pcawg_spells_them_are_read(tmp_path):
    def spelt(name: str) -> str:
        length, event, what, n = name.split(":")
        what = {"R": "repeats", "M": "MH"}.get(what, what)
        return "_".join([event.upper(), what, *(number.replace("5", "5+") for number in (length, n))])

    lines = ["MutationType\tS1", *(f"{spelt(name)}\t{i == 30:d}" for i, name in enumerate(spectra.CLASSES["ID83"]))]
    read = spectra.read([write(tmp_path, "x.ID83.tsv", "\n".join(lines))])
    assert read.matrix("ID83", ["S1"])[0][30] == 1.0


def test_rows_and_columns_may_be_exchanged_and_classes_in_any_order(tmp_path):
    names = list(reversed(spectra.CLASSES["SBS96"]))
    text = "\t".join(["Sample", *names]) + "\nS1\t" + "\t".join("5" if name == "T[T>G]T" else "0" for name in names)
    shares = spectra.read([write(tmp_path, "x.SBS96.tsv", text)]).matrix("SBS96", ["S1", "S2"])
    assert shares[0][spectra.CLASSES["SBS96"].index("T[T>G]T")] == 1.0
    assert np.isnan(shares[1]).all()


@pytest.mark.parametrize("quoted", ["{}", '"{}"'])
@pytest.mark.parametrize("sign", ["\t", " ", ","])
def test_r_names_no_column_for_its_row_names(tmp_path, sign, quoted):
    classes, found = spectra.CLASSES["SBS96"], counts("SBS96", c0=3, c5=1)
    names = [quoted.format(name) for name in classes]
    rows = [f"{name}{sign}{n}" for name, n in zip(names, found, strict=True)]
    as_is = write(tmp_path, "a.txt", "\n".join([quoted.format("S1"), *rows]))
    turned = write(tmp_path, "b.txt", sign.join(names) + "\n" + sign.join([quoted.format("S1"), *map(str, found)]))
    for path in (as_is, turned):
        (row,) = spectra.read([path]).table.to_pylist()
        assert (row["case_id"], row["total"], row["shares"][0]) == ("S1", 4.0, 0.75)


def test_a_case_is_a_patient_and_its_primary_tumour(tmp_path):
    samples = {
        "TCGA-AA-0001-06A-11D-1": counts("SBS96", c1=1),
        "TCGA-AA-0001-01A-11D-1": counts("SBS96", c2=1),
        "TCGA-AA-0002-11A-11D-1": counts("SBS96", c3=1),
        "line": counts("SBS96", c4=1),
    }
    read = spectra.read([write(tmp_path, "x.SBS96.all", matrix("SBS96", samples))])
    assert read.cases() == {"TCGA-AA-0001", "line"}
    assert read.matrix("SBS96", ["TCGA-AA-0001"])[0][2] == 1.0
    assert {each.reason: each.n for each in read.dropped} == {
        "normal tissue": 1,
        "another sample of the case is kept": 1,
    }


def test_a_matrix_of_shares_has_no_total(tmp_path):
    path = write(tmp_path, "x.SBS96.all", matrix("SBS96", {"S1": counts("SBS96", c1=0.25, c2=0.75)}))
    assert spectra.read([path]).table["total"].to_pylist() == [None]


def _with(line: str, n: int) -> str:
    lines = matrix("SBS96", {"S1": counts("SBS96", c0=1)}).splitlines()
    return "\n".join([*lines[:n], line, *lines[n + 1 :]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (matrix("SBS96", {"S1": counts("SBS96")}, drop=3), "3 of the 96 classes of SBS96 are missing"),
        (_with("AA[C>A]AA\t1", 5), r"line 6: 'AA\[C>A\]AA' is not a class of SBS96, ID83 or DBS78"),
        (_with(spectra.CLASSES["SBS96"][0] + "\t1", 5), "is there twice: keep one"),
        (_with(spectra.CLASSES["SBS96"][4] + "\t-3", 5), "column S1 holds a negative count"),
        (_with(spectra.CLASSES["SBS96"][4] + "\tmany", 5), "line 6: column S1 holds 'many' and not a number"),
        (_with(spectra.CLASSES["SBS96"][4] + "\t", 5), "row 5 below the column names: column S1 is empty"),
        (_with("AC>CA\t1", 5), "mixes classes of DBS78 and SBS96"),
        ("MutationType\nA[C>A]A\n", "no column of a sample"),
        (matrix("SBS96", {"S1": counts("SBS96")}).replace("S1", "S1\tS1", 1), "column S1 is there 2 times"),
    ],
)
def test_what_is_no_whole_matrix_is_refused_with_the_place(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        spectra.read([write(tmp_path, "x.SBS96.all", text)])


def test_two_matrices_of_one_kind_are_refused(tmp_path):
    text = matrix("SBS96", {"S1": counts("SBS96")})
    with pytest.raises(InputError, match="both hold SBS96: keep one"):
        spectra.read([write(tmp_path, "a.SBS96.all", text), write(tmp_path, "b.SBS96.all", text)])


def test_the_real_matrices_are_read(shared_data):
    read = spectra.read(spectra.files(shared_data / "tcga_spectra"))
    assert len(read.cases()) == 6075 and read.table.num_rows == 3 * 6075
    shares = read.matrix("SBS96", sorted(read.cases()))
    assert np.allclose(shares.sum(axis=1), 1.0, atol=1e-5)


# --- Bases around variants ---


@pytest.mark.parametrize(
    ("context", "bases"),
    [("AAAAACGTTTT", "ACG"), ("aaaaaaaaaacgttttttttt", "ACG"), ("TCA", "TCA"), ("AAAACGTTTT", ""), ("C", ""), ("", "")],
)
def test_the_middle_of_a_context_of_any_odd_length_is_read(context, bases):
    assert genome.middle_bases(pa.array([context, None])).to_pylist() == [bases, ""]


GENOME = ">chr1 first\nAACGT\nTTGCA\n>chrX\nGGGACTTT\n>chrM\nAC\n"


def fasta(folder: Path, text: str = GENOME) -> Path:
    return write(folder, "genome.fa", text)


def test_the_genome_gives_the_bases_around_a_place(tmp_path):
    places = np.array([3, 5, 6, 5, 1, 10, 999, *[3] * 40])
    names = ["1", "chr1", "1", "X", "1", "1", "1", *["1"] * 40]
    found = genome.around([fasta(tmp_path)], names, places, [*"CTTCAAC", *"C" * 40])
    assert found.bases.to_pylist()[:8] == ["ACG", "GTT", "TTT", "ACT", "", "", "", "ACG"]
    assert trinucleotide(found.bases[0].as_py(), "C>T") == "A[C>T]G"
    assert (found.n_checked, found.n_fitting) == (47, 44)


def test_of_several_genomes_the_one_of_the_variants_is_taken(tmp_path):
    other = write(tmp_path, "other.fa", ">1\nTTTTTTTTTTT\n")
    found = genome.around([other, fasta(tmp_path)], ["1"] * 4, np.array([3, 3, 4, 5]), list("CCGT"))
    assert found.bases.to_pylist() == ["ACG", "ACG", "CGT", "GTT"]
    with pytest.raises(InputError, match=r"other\.fa: only 0 of 1.*; .*genome\.fa: only 0 of 1"):
        genome.around([other, fasta(tmp_path)], ["1"], np.array([3]), ["A"])


def test_insertions_and_unknown_places_have_no_bases(tmp_path):
    found = genome.around([fasta(tmp_path)], ["1", "1", "1", "MT"], np.array([3, 3, np.nan, 1]), ["CG", "-", "C", "N"])
    assert found.bases.to_pylist() == ["", "", "", ""] and found.n_checked == 0


def test_another_build_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"only 1 of 4 reference bases \(25%\) agree .*another build.*hg19"):
        genome.around([fasta(tmp_path)], ["1"] * 4, np.array([3, 4, 5, 6]), list("CCCC"))


@pytest.mark.parametrize(
    ("text", "message"),
    [("ACGT\n", "not a FASTA file"), (">scaffold_1\nACGT\n", r"none of the variants' chromosomes \(it has scaffold_1")],
)
def test_what_is_no_genome_is_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        genome.around([fasta(tmp_path, text)], ["1"], np.array([2]), ["C"])


def test_a_compressed_genome_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "hg19.fa.gz"
    path.write_bytes(gzip.compress(GENOME.encode()))
    with pytest.raises(InputError, match="unpack it"):
        genome.around([path], ["1"], np.array([2]), ["A"])
