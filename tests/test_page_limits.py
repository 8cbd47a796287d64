"""One visitor cannot stop the page: limits before parsing, a reading process that can be ended, a quota on uploads."""

import asyncio
import gzip
import os
import time
import zipfile
from pathlib import Path

import pytest

from cancertype.errors import InputError
from cancertype.page import limits, reading
from cancertype.page.limits import Limits
from cancertype.page.uploads import Pending, Quota

SMALL = Limits(packed=50_000, unpacked=200_000, lines=1_000, line=20_000, columns=100, alleles=8, samples=3)
VCF = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (os.urandom(60_000), "is larger than"),
        (gzip.compress((b"T" * 9_999 + b"\n") * 30), "unpacks to more than"),
        (b"TP53\n" * 1_001, "has more than 1,000 lines"),
        (gzip.compress(b"T" * 30_000), "line 1 has more than"),
        (b"ID\t" + b"TP53\t" * 200, "line 1 has 202 columns, and this page reads 100"),
        (b"ID\n" + b"TP53," * 200, "line 2 has 201 columns"),
        (f"{VCF}\n1\t5\t.\tA\t{','.join('C' * 9)}\t.\t.\t.\n".encode(), "line 3 has 9 alternative alleles"),
        (f"{VCF}\tFORMAT\ta\tb\tc\td\n".encode(), "4 samples, and this page takes 3 at once"),
        (gzip.compress(b"TP53 R175H\n" * 100)[:-12], "is a damaged gzip file"),
    ],
)
def test_a_file_beyond_a_limit_is_refused_before_it_is_parsed(tmp_path, content, message):
    path = tmp_path / "given"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        limits.check(path, SMALL)


def test_a_spreadsheet_that_unpacks_to_too_much_is_refused(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(300_000))
    with pytest.raises(InputError, match="unpacks to more than"):
        limits.check(path, SMALL)


@pytest.mark.parametrize("content", [b"", b"TP53 R175H, KRAS G12D", b"ID\tTP53\nx\tR175H\r\n", b"\xff\x00\n"])
def test_an_ordinary_file_is_let_through(tmp_path, content):
    path = tmp_path / "given"
    path.write_bytes(content)
    limits.check(path, SMALL)


# --- The process that reads ---


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def allocate(size: int) -> int:
    return len(bytearray(size))


def die() -> None:
    os.abort()


def refuse() -> None:
    raise InputError("line 3: no")


def test_a_file_is_read_in_another_process_as_in_this_one(tmp_path):
    from cancertype.prediction import inputs
    from cancertype.sources.settings import ReadingLimits

    path = tmp_path / "a.csv"
    path.write_text("ID,BRAF,CDKN2A\nx,V600E,R80*\n")
    found, here = reading.read(path, ReadingLimits(), sex="female"), inputs.read(str(path))
    assert found.tables.variants.equals(here.tables.variants)
    assert (found.form, found.name, found.tables.cases["sex"].to_pylist()) == (here.form, here.name, ["female"])


@pytest.mark.parametrize(
    ("work", "arguments", "message"),
    [
        (sleep, (60.0,), "reading took more than 3 s"),
        (allocate, (1 << 30,), "takes more than 256 MB of memory"),
        (die, (), "failed or took too much memory"),
        (refuse, (), "line 3: no"),
    ],
)
def test_reading_ends_at_its_limits_with_one_line(work, arguments, message):
    began = time.monotonic()
    with pytest.raises(InputError, match=message):
        # The first process of a session imports the readers, which a busy machine does slowly.
        seconds = 3 if work is sleep else 120
        reading.within_limits(work, *arguments, seconds=seconds, memory=256 << 20)
    assert time.monotonic() - began < 100


# --- Uploads that wait ---


@pytest.fixture
def pending(tmp_path) -> Pending:
    (tmp_path / "uploads").mkdir()
    return Pending(tmp_path / "uploads", quota=1_000, forgotten_after=600)


def arrive(pending: Pending, path: Path, content: bytes = b"x") -> None:
    """What happens when a visitor uploads a file: gradio names the folder by the content."""
    assert pending.admit(len(content))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    pending.arrived(len(content), [str(path)])


def test_the_same_file_of_two_visitors_stays_until_both_are_answered(pending, tmp_path):
    path = tmp_path / "uploads" / "hash" / "a.maf"
    arrive(pending, path)
    arrive(pending, path)
    pending.forget(path)
    assert path.exists()
    pending.forget(path)
    assert not path.exists()


def test_an_upload_that_nobody_submitted_keeps_no_later_one(tmp_path):
    (tmp_path / "uploads").mkdir()
    pending = Pending(tmp_path / "uploads", quota=1_000, forgotten_after=0.0)
    path = tmp_path / "uploads" / "hash" / "a.maf"
    arrive(pending, path)
    arrive(pending, path)
    pending.forget(path)
    assert not path.exists()


def test_uploads_beyond_the_quota_are_refused_until_others_are_answered(pending, tmp_path):
    path = tmp_path / "uploads" / "hash" / "a.maf"
    arrive(pending, path, bytes(900))
    assert not pending.admit(200)
    pending.forget(path)
    assert pending.admit(200)
    assert not pending.admit(900), "what is still arriving counts too"
    pending.arrived(200, [])
    assert pending.admit(900)


def test_the_server_answers_503_to_an_upload_without_room(tmp_path):
    (tmp_path / "uploads").mkdir()
    pending = Pending(tmp_path / "uploads", quota=100, forgotten_after=600)
    passed = []

    async def store(scope, receive, send):
        passed.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'["/x"]'})

    async def ask(path: str, **headers: str) -> int:
        sent = []

        async def send(message):
            sent.append(message)

        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "POST", "path": path, "headers": named}
        await Quota(store, pending, largest=90)(scope, None, send)
        return sent[0]["status"]

    (tmp_path / "uploads" / "a").write_bytes(bytes(60))
    assert asyncio.run(ask("/gradio_api/upload")) == 503, "a request that does not say its size could be the largest"
    assert asyncio.run(ask("/gradio_api/upload", content_length="41")) == 503
    assert asyncio.run(ask("/gradio_api/upload", content_length="40")) == 200
    assert asyncio.run(ask("/gradio_api/queue/join")) == 200
    assert passed == ["/gradio_api/upload", "/gradio_api/queue/join"]
