"""Damaged files of every kind give an answer or one line, whatever reads them, and every row stays accounted for."""

import gzip
import os
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from cancertype.errors import InputError
from cancertype.prediction import inputs, summary

from .conftest import SHARED_DATA

CASES = Path(__file__).parent / "cases"
FILES = int(os.environ.get("FUZZ_FILES", "1500"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
"""How many damaged files the seeded run reads, and which: the same for everybody unless the environment says so."""
_LINES = 60

BESIDE = {
    "copy_number": [
        "Hugo_Symbol\tS1\tS2\nMYC\t2\t-1\nTP53\t-2\tNA\n",
        "sample\t1p\t1q\t19q\nS1\t-1\t0\t-1\nS2\tNA\t1\t0\n",
        "ID\tchrom\tloc.start\tloc.end\tnum.mark\tseg.mean\nS1\t1\t100\t50000000\t90\t-0.8\nS1\t7\t1\t9000000\t40\t0.9\n",
        "chromosome\tstart\tend\tgene\tlog2\tcn\tdepth\nchr1\t10\t900000\tTP73\t-0.9\t1\t30\n",
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n"
        "chr7\t100\t.\tN\t<DUP>\t.\tPASS\tEND=90000000;SVTYPE=CNV\tGT:CN\t0/1:4\n",
    ],
    "fusions": [
        "#FusionName\tJunctionReadCount\tLeftGene\tRightGene\nEML4--ALK\t9\tEML4^ENSG1\tALK^ENSG2\n",
        "#gene1\tgene2\tstrand1(gene/fusion)\tstrand2(gene/fusion)\tbreakpoint1\tbreakpoint2\ttype\tconfidence\n"
        "TMPRSS2\tERG\t-/-\t-/-\t21:1\t21:2\tdeletion\thigh\n",
        "Sample_Id\tSite1_Hugo_Symbol\tSite2_Hugo_Symbol\tSV_Status\nS1\tEML4\tALK\tSOMATIC\n",
        "sample,fusion\nS1,EWSR1-FLI1\n",
    ],
    "spectra": [
        "MutationType\tS1\tS2\nA[C>A]A\t3\t0\nA[C>T]G\t12\t9\nT[T>G]T\t1\t0\n",
        "MutationType\tS1\n1:Del:C:0\t3\n2:Ins:R:1\t1\n",
    ],
    "assay": [
        "TP53\nKRAS\nBRAF\n",
        "chr7\t100\t200\tBRAF\nchr12\t5\t9\tKRAS\n",
        "stable_id: x\ngene_list:\tTP53\tKRAS\n",
    ],
}
PIECES = [
    b"\t",
    b"\n",
    b"\r",
    b",",
    b";",
    b'"',
    b"NA",
    b"0",
    b"1e999",
    b"-1",
    b"\x00",
    b"\xff",
    b"#",
    b"=",
    b" ",
    b"p.",
]


def damaged(content: bytes, draw: Callable[[int], int], noise: Callable[[int], bytes]) -> bytes:
    """``content`` with a few places cut, repeated or written over; ``draw(n)`` is a number from 0 to ``n``."""
    for _ in range(1 + draw(3)):
        at, kind = draw(len(content)), draw(3)
        end = at + draw(12)
        if kind == 0:
            content = content[:at] + noise(1 + draw(5)) + content[end:]
        elif kind == 1:
            content = content[:at] + PIECES[draw(len(PIECES) - 1)] + content[end:]
        elif kind == 2:
            content = content[:at] + content[end:]
        else:
            content = content[:end] + content[at:]
    return content


def read(path: Path, role: str) -> None:
    """Read the file in its role. Only ``InputError`` may be raised, in one line that names the file."""
    try:
        if role == "mutations":
            found = inputs.read(str(path))
            account = found.tables.account
            assert account.total == account.used + sum(account.left_out.values()) + sum(account.not_understood.values())
            summary.summary(found)
        elif role == "assay":
            inputs.read("TP53 R175H", assay=str(path))
        else:
            inputs.read("TP53 R175H, KRAS G12D", **{role: [path]})
    except InputError as error:
        assert len(str(error).splitlines()) == 1
        assert path.name in str(error)


def _workbook(folder: Path) -> bytes:
    book = Workbook()
    book.active.append(["Sample", "Gene", "Change"])
    book.active.append(["S1", "KRAS", "G12D"])
    book.save(folder / "a.xlsx")
    return (folder / "a.xlsx").read_bytes()


def _parquet(folder: Path) -> bytes:
    pq.write_table(pa.table({"Sample": ["S1"], "Gene": ["KRAS"], "Change": ["G12D"]}), folder / "a.parquet")
    return (folder / "a.parquet").read_bytes()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory) -> list[tuple[str, bytes]]:
    """Role and content of small files of every kind."""
    folder = tmp_path_factory.mktemp("seeds")
    small = [("mutations", path.read_bytes()) for path in sorted(CASES.iterdir()) if path.stat().st_size < 20_000]
    small += [("mutations", make(folder)) for make in (_workbook, _parquet)]
    small += [("mutations", b'[{"sampleId": "S1", "gene": {"hugoGeneSymbol": "KRAS"}, "proteinChange": "G12D"}]')]
    return small + [(role, text.encode()) for role, texts in BESIDE.items() for text in texts]


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_file_of_any_kind_is_read_or_refused_in_one_line(seeds, tmp_path_factory, data):
    role, content = data.draw(st.sampled_from(seeds))
    content = damaged(
        content,
        lambda n: data.draw(st.integers(0, max(n, 0))),
        lambda n: data.draw(st.binary(min_size=n, max_size=n)),
    )
    path = tmp_path_factory.getbasetemp() / "fuzzed.txt"
    path.write_bytes(data.draw(st.sampled_from([content, gzip.compress(content)])))
    read(path, role)


def _heads(folder: Path) -> list[tuple[str, bytes]]:
    """The first lines of every real table."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name.endswith((".maf.gz", ".tsv", ".tsv.gz", ".csv.gz", ".all.gz", ".csv", ".txt")):
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                content = b"".join(line[:20_000] for _, line in zip(range(_LINES), file, strict=False))
            role = "spectra" if ".all" in path.name else "copy_number" if "arms" in path.name else "mutations"
            role = "fusions" if "fusions.tsv" in path.name else role
            found.append((role, content))
    return found


def test_many_damaged_files_most_of_them_real(seeds, tmp_path):
    """Real files where they are there. ``FUZZ_SEED=1 FUZZ_FILES=50000 pytest tests/test_fuzz.py`` reads others."""
    files = (_heads(SHARED_DATA) if SHARED_DATA.is_dir() else []) + seeds
    rng, path = random.Random(SEED), tmp_path / "fuzzed.txt"
    for n in range(FILES):
        role, content = rng.choice(files)
        path.write_bytes(damaged(content, lambda n: rng.randint(0, max(n, 0)), rng.randbytes))
        try:
            read(path, role)
        except Exception as error:
            raise AssertionError(f"seed {SEED}, file {n} as {role}: {path.read_bytes()[:2000]!r}") from error
