"""Downloads against a real server on this machine that breaks off, stalls, lies and answers nonsense."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path

import pytest

from cancertype.errors import InputError
from cancertype.fetch import download as download_module
from cancertype.fetch.download import NotServed, Patience, download, public

from .file_server import BODY, HASTY, MD5, PAGE, but, serve, server, status, wrong_byte

__all__ = ["server"]


@pytest.fixture
def scratch(tmp_path) -> Path:
    return tmp_path / "scratch"


@pytest.fixture
def destination(tmp_path) -> Path:
    return tmp_path / "data" / "mutations.csv"


@pytest.fixture
def get(server, destination, scratch):
    def run(url: str | None = None, **options) -> str:
        options = {"md5": MD5, "partial": scratch, "patience": HASTY} | options
        return download(url or server.url, destination, **options)

    return run


def names(folder: Path) -> list[str]:
    """What lies in ``folder``, but for locks."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []


def test_a_file_arrives_whole_and_leaves_no_part(get, destination, scratch):
    assert get() == MD5
    assert destination.read_bytes() == BODY
    assert names(destination.parent) == ["mutations.csv"]
    assert names(scratch) == []


@pytest.fixture
def bars(monkeypatch):
    """Progress bars, which are off where nobody sees them."""
    monkeypatch.setattr(download_module, "tqdm", partial(download_module.tqdm, disable=False))


def test_the_progress_bar_names_the_file_and_shows_size_and_rate(get, capsys, bars):
    get()
    shown = capsys.readouterr().err
    assert "mutations.csv: 100%" in shown
    assert "293k/293k" in shown
    assert "B/s]" in shown


def test_a_download_goes_on_where_it_broke_off(server, get, destination, capsys, bars):
    server.script = iter([but(until=100_000)])
    get()
    assert destination.read_bytes() == BODY
    assert len(server.requests) == 2
    assert 0 < server.first_bytes()[1] <= 100_000
    assert server.requests[1][1]["If-Range"] == f'"{MD5}"'
    assert "293k/293k" in capsys.readouterr().err


def test_a_line_that_breaks_more_often_than_there_are_tries_but_moves_on_is_not_given_up(server, get, destination):
    server.script = iter([but(until=20_000 * n) for n in range(1, 12)])
    get()
    assert destination.read_bytes() == BODY
    assert len(server.requests) == 12 > HASTY.tries
    assert server.first_bytes() == sorted(server.first_bytes())


def test_a_download_that_stands_still_is_given_up_and_a_later_run_goes_on_from_there(server, get, destination, scratch):
    server.always = but(until=100_000)
    with pytest.raises(NotServed, match=r"3 tries without progress.* of 300,000 bytes have arrived: run again"):
        get()
    assert not destination.exists()
    assert "mutations.csv.part" in names(scratch)
    server.always = serve
    server.requests.clear()
    get()
    assert destination.read_bytes() == BODY
    assert len(server.requests) == 1
    assert 0 < server.first_bytes()[0] <= 100_000
    assert names(scratch) == []


DOWNLOAD = """
import sys
from pathlib import Path
from cancertype.fetch.download import download
url, destination, scratch, md5 = sys.argv[1:]
download(url, Path(destination), md5=md5, partial=Path(scratch))
"""


@pytest.fixture
def another_run(server, destination, scratch):
    """Start the same download as ``get`` in a process of its own."""
    command = [sys.executable, "-c", DOWNLOAD, server.url, destination, scratch, MD5]
    started = []

    def start() -> subprocess.Popen:
        started.append(subprocess.Popen(command, cwd=Path(__file__).parents[1], stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_killed_run_leaves_no_file_and_the_next_goes_on(server, get, another_run, destination, scratch):
    server.script = iter([but(until=200_000, stall=True)])
    process = another_run()
    part = scratch / "mutations.csv.part"
    for _ in range(1000):
        if part.exists() and part.stat().st_size > 100_000:
            break
        threading.Event().wait(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not destination.exists()
    get()
    assert destination.read_bytes() == BODY
    assert server.first_bytes()[1] > 100_000


def test_two_runs_at_once_share_one_download(server, another_run, destination):
    go = threading.Event()

    def hold(handler, body):
        go.wait(20)
        serve(handler, body)

    server.script = iter([hold])
    first = another_run()
    while not server.requests:
        assert first.poll() is None, first.stderr.read()
        threading.Event().wait(0.01)
    second = another_run()
    assert "another run is downloading it: waiting" in second.stderr.readline()
    go.set()
    assert [first.wait(20), second.wait(20)] == [0, 0]
    assert destination.read_bytes() == BODY
    assert len(server.requests) == 1


def test_a_second_run_requests_nothing(server, get):
    get()
    server.requests.clear()
    assert get() == MD5
    assert server.requests == []


def test_a_damaged_file_is_fetched_again(server, get, destination):
    get()
    destination.write_bytes(BODY[:-1])
    get()
    assert destination.read_bytes() == BODY
    assert len(server.requests) == 2


def test_a_file_without_a_known_md5_is_fetched_again(server, get):
    assert get(md5=None) == MD5
    get(md5=None)
    assert len(server.requests) == 2


def test_a_server_that_ignores_range_makes_it_start_anew_rather_than_append(server, get, destination):
    server.script = iter([but(until=100_000), but(heed_range=False)])
    get()
    assert server.first_bytes()[1] > 0
    assert destination.read_bytes() == BODY


def test_a_file_that_changes_between_tries_is_fetched_from_its_start(server, get, destination):
    def break_off_and_change(handler, body):
        serve(handler, body, until=100_000)
        server.files["/mutations.csv"] = BODY[::-1]

    server.script = iter([break_off_and_change])
    get(md5=None)
    assert server.first_bytes()[1] > 0
    assert destination.read_bytes() == BODY[::-1]


@pytest.mark.parametrize("new", [BODY[::-1], BODY + b"more"], ids=["other content", "other length"])
def test_a_server_that_heeds_range_and_not_if_range_cannot_mix_two_files(server, get, destination, new):
    def break_off_and_change(handler, body):
        serve(handler, body, until=100_000)
        server.files["/mutations.csv"] = new

    server.script = iter([break_off_and_change])
    server.always = but(heed_if_range=False)
    get(md5=None)
    assert len(server.requests) == 3
    assert destination.read_bytes() == new


@pytest.mark.parametrize("unfit", [{"etag": False}, {"weak": True}], ids=["no ETag", "a weak ETag"])
def test_without_md5_and_validator_nothing_is_resumed(server, get, destination, unfit):
    server.script = iter([but(until=100_000, **unfit), but(**unfit)])
    get(md5=None)
    assert server.first_bytes() == [0, 0]
    assert destination.read_bytes() == BODY


def test_without_a_validator_the_md5_is_enough_to_resume(server, get, destination):
    server.script = iter([but(until=100_000, etag=False), but(etag=False)])
    get()
    assert server.first_bytes()[1] > 0
    assert destination.read_bytes() == BODY


def test_a_part_of_another_address_is_not_resumed(server, get, destination):
    server.files["/other.csv"] = BODY[::-1]
    server.script = iter([but(until=100_000)] + [status(503)] * HASTY.tries)
    with pytest.raises(NotServed):
        get()
    server.requests.clear()
    get(f"{server.base}/other.csv", md5=None)
    assert server.first_bytes() == [0]
    assert destination.read_bytes() == BODY[::-1]


def test_a_part_that_the_server_cannot_continue_is_dropped(server, get, destination, scratch):
    server.script = iter([but(until=100_000), status(416)])
    get()
    assert server.first_bytes()[2] == 0
    assert destination.read_bytes() == BODY


def test_a_part_that_had_arrived_whole_is_checked_without_a_request(server, get, destination, scratch):
    server.script = iter([but(until=100_000)] + [status(503)] * HASTY.tries)
    with pytest.raises(NotServed):
        get()
    (scratch / "mutations.csv.part").write_bytes(BODY)
    server.requests.clear()
    get()
    assert server.requests == []
    assert destination.read_bytes() == BODY


def test_a_stalled_transfer_is_broken_off_and_resumed(server, get, destination):
    server.script = iter([but(until=100_000, stall=True)])
    get()
    assert server.first_bytes()[1] > 0
    assert destination.read_bytes() == BODY


def test_a_short_body_without_a_length_is_resumed_when_the_size_is_known(server, get, destination):
    server.script = iter([but(until=100_000, length=False)])
    get(size=len(BODY))
    assert destination.read_bytes() == BODY
    assert server.first_bytes()[1] > 0


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_passing_status_is_tried_again(server, get, destination, code):
    server.script = iter([status(code, PAGE)])
    get()
    assert destination.read_bytes() == BODY


def test_a_status_that_stays_is_given_up_and_named(server, get, destination):
    server.always = status(503)
    with pytest.raises(NotServed, match="3 tries without progress: status 503"):
        get()
    assert len(server.requests) == HASTY.tries
    assert not destination.exists()


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_permanent_status_is_reported_at_once(server, get, destination, code):
    server.always = status(code)
    with pytest.raises(NotServed, match=f"{server.url}: the server answered status {code}"):
        get()
    assert len(server.requests) == 1
    assert not destination.exists()


def test_retry_after_is_waited_for_but_not_for_ever(server, get, monkeypatch):
    waits = []
    monkeypatch.setattr("time.sleep", waits.append)
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    asked = ["7", in_a_minute, "86400", "soon"]
    server.script = iter([status(503, Retry_After=value) for value in asked])
    get(patience=dataclasses.replace(HASTY, tries=9, longest_wait_s=120.0))
    assert waits[0] == 7
    assert 50 < waits[1] <= 60
    assert waits[2] == 120
    assert waits[3] < 7


def test_waits_grow_from_try_to_try(server, get, monkeypatch):
    waits = []
    monkeypatch.setattr("time.sleep", waits.append)
    server.always = status(503)
    with pytest.raises(NotServed):
        get(patience=Patience(tries=6, first_wait_s=1.0, longest_wait_s=10.0))
    assert waits == sorted(waits)
    assert 1 <= waits[0] <= 2
    assert waits[-1] == 10


@pytest.mark.parametrize("code", [200, 202, 203])
def test_an_html_page_is_refused_whatever_its_status_and_type(server, get, destination, scratch, code):
    server.always = status(code, PAGE, Content_Type="text/csv")
    with pytest.raises(NotServed, match=rf'status {code} .*HTML page \("Just a moment..."\) and not the file'):
        get(md5=None)
    assert len(server.requests) == 1
    assert not destination.exists()
    assert names(scratch) == []


@pytest.mark.parametrize(
    "start", [b"\xef\xbb\xbf\r\n <HTML lang='en'>", b"<!-- x -->\n<head>", b'<?xml version="1.0"?><!doctype HTML>']
)
def test_html_is_known_by_its_content(server, get, destination, start):
    server.files["/mutations.csv"] = start + b"<p>no data</p>"
    with pytest.raises(NotServed, match="HTML page"):
        get(md5=None)
    assert not destination.exists()


def test_a_table_that_is_called_html_is_taken(server, get, destination):
    server.files["/mutations.csv"] = b"ModelID,note\nACH-1,<html>\n"
    server.always = lambda handler, body: handler.answer(
        200, {"Content-Type": "text/html", "Content-Length": str(len(body))}, body
    )
    get(md5=None)
    assert destination.read_bytes() == b"ModelID,note\nACH-1,<html>\n"


def test_an_html_page_in_place_of_the_rest_keeps_the_part(server, get, destination, scratch):
    server.script = iter([but(until=100_000), status(200, PAGE)])
    with pytest.raises(NotServed, match="HTML page"):
        get()
    assert not destination.exists()
    server.requests.clear()
    get()
    assert server.first_bytes()[0] > 0
    assert destination.read_bytes() == BODY


def test_a_wrong_byte_is_fetched_again(server, get, destination):
    server.script = iter([wrong_byte])
    get()
    assert destination.read_bytes() == BODY
    assert server.first_bytes() == [0, 0]


def test_a_wrong_byte_that_stays_is_deleted_and_named(server, get, destination, scratch):
    server.always = wrong_byte
    with pytest.raises(NotServed, match=f"twice, has md5 [0-9a-f]{{32}} and not {MD5}: deleted"):
        get()
    assert len(server.requests) == 2
    assert not destination.exists()
    assert names(scratch) == []


@pytest.mark.parametrize("length", [True, False], ids=["length told", "length not told"])
@pytest.mark.parametrize("body", [BODY[:-9], BODY + b"more"], ids=["shorter", "longer"])
def test_a_file_of_another_size_is_refused(server, get, destination, length, body):
    server.files["/mutations.csv"] = body
    server.always = but(length=length, heed_range=False)
    with pytest.raises(NotServed, match=r"and not 300,000|after 299,991 of 300,000"):
        get(md5=None, size=len(BODY))
    assert not destination.exists()


def test_a_wrong_size_is_refused_before_the_body_is_awaited(server, get):
    server.always = but(until=2000, stall=True)
    with pytest.raises(NotServed, match="twice, is 300,000 bytes long and not 300,004"):
        get(size=len(BODY) + 4)


def test_an_older_file_stays_until_the_new_one_is_right(server, get, destination):
    destination.parent.mkdir()
    destination.write_bytes(b"older")
    server.always = wrong_byte
    with pytest.raises(NotServed):
        get()
    assert destination.read_bytes() == b"older"


def test_a_server_that_is_not_there_is_named(get, destination, server):
    with pytest.raises(NotServed, match=r"http://127\.0\.0\.1:9/mutations\.csv: given up after 3 tries"):
        get("http://127.0.0.1:9/mutations.csv")
    assert not destination.exists()


def test_a_redirect_is_followed_and_resumed(server, get, destination):
    server.files = {"/stored": BODY}
    redirect = status(302, Location="/stored")
    server.script = iter([redirect, but(until=100_000), redirect])
    get()
    assert [path for path, _ in server.requests] == ["/mutations.csv", "/stored"] * 2
    assert server.first_bytes()[3] > 0
    assert destination.read_bytes() == BODY


def test_redirects_in_a_circle_are_named(server, get):
    server.always = status(302, Location="/mutations.csv")
    with pytest.raises(NotServed, match="redirects"):
        get()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x.csv", "http://[::1/x.csv"])
def test_an_address_that_cannot_be_is_refused(get, url):
    with pytest.raises(NotServed, match=r"cannot be downloaded|not a URL"):
        get(url)


def test_secrets_of_an_address_are_in_no_message_and_no_file(server, get, scratch):
    server.script = iter([but(until=100_000)])
    server.always = status(503)
    with pytest.raises(NotServed) as raised:
        get(f"http://ada:lovelace@127.0.0.1:{server.server_port}/mutations.csv?token=enigma")
    assert server.requests[0][0].endswith("?token=enigma")
    assert server.requests[0][1]["Authorization"].startswith("Basic ")
    written = str(raised.value) + (scratch / "mutations.csv.part.json").read_text()
    assert not any(secret in written for secret in ("ada", "lovelace", "enigma"))


def test_public_keeps_the_address_without_secrets():
    assert (
        public("https://ada:lovelace@example.org:8443/a%20b/x.csv?token=1#2") == "https://example.org:8443/a%20b/x.csv"
    )


def test_a_compressed_answer_that_was_not_asked_for_is_refused(server, get, destination):
    server.always = status(200, b"\x1f\x8b...", Content_Encoding="gzip")
    with pytest.raises(NotServed, match="compresses the file unasked"):
        get(md5=None)
    assert not destination.exists()
    assert server.requests[0][1]["Accept-Encoding"] == "identity"


def test_a_file_that_cannot_fit_is_said_before_a_byte_is_written(server, get, destination, scratch, monkeypatch):
    usage = type("usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(
        InputError, match=r"disk is full: 300,000 more bytes are needed, and 1,000 are free\. Make room"
    ):
        get()
    assert not destination.exists()
    assert (scratch / "mutations.csv.part").stat().st_size == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, the device that is always full")
def test_a_disk_that_fills_up_is_named_and_leaves_no_file(server, get, destination, scratch):
    scratch.mkdir()
    (scratch / "mutations.csv.part").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"mutations\.csv\.part: the disk is full: 300,000 more bytes are needed"):
        get()
    assert len(server.requests) == 1
    assert names(destination.parent) == []


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder], capture_output=True)
    if mount.returncode:
        pytest.skip("a small file system can be mounted only by root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_real_small_disk_that_a_file_of_unknown_size_fills_is_emptied_again(server, small_disk):
    server.script = iter([but(length=False)])
    with pytest.raises(InputError, match="disk is full: more bytes than are free are needed"):
        download(server.url, small_disk / "mutations.csv", md5=MD5, patience=HASTY)
    assert names(small_disk) == []
    subprocess.run(["mount", "-o", "remount,size=1m", small_disk], check=True)
    download(server.url, small_disk / "mutations.csv", md5=MD5, patience=HASTY)
    assert (small_disk / "mutations.csv").read_bytes() == BODY


def test_a_file_of_unknown_size_ends_at_a_cap_and_its_part_is_deleted(server, get, destination, scratch, monkeypatch):
    monkeypatch.setattr(download_module, "LARGEST_OF_UNKNOWN_SIZE", 100_000)
    server.always = but(length=False)
    with pytest.raises(NotServed, match="more than 100,000 bytes have arrived: deleted"):
        get(md5=None)
    assert len(server.requests) == 1
    assert names(destination.parent) == names(scratch) == []
    get(md5=None, size=len(BODY))
    assert destination.read_bytes() == BODY


def test_a_destination_on_another_file_system_is_reached(server, tmp_path):
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or os.stat(shared_memory).st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    scratch = shared_memory / f"cancertype-test-{os.getpid()}"
    try:
        download(server.url, tmp_path / "mutations.csv", md5=MD5, partial=scratch, patience=HASTY)
        assert (tmp_path / "mutations.csv").read_bytes() == BODY
        assert names(tmp_path) == ["mutations.csv"]
        assert names(scratch) == []
    finally:
        for path in scratch.iterdir():
            path.unlink()
        scratch.rmdir()


def test_an_unreadable_record_beside_a_part_means_a_fresh_start(server, get, destination, scratch):
    scratch.mkdir()
    (scratch / "mutations.csv.part").write_bytes(b"of unknown origin")
    (scratch / "mutations.csv.part.json").write_text('{"url": ')
    get()
    assert server.first_bytes() == [0]
    assert destination.read_bytes() == BODY


def test_the_record_of_a_part_names_its_file(server, get, scratch):
    server.script = iter([but(until=100_000)])
    server.always = status(503)
    with pytest.raises(NotServed):
        get()
    record = json.loads((scratch / "mutations.csv.part.json").read_text())
    assert record["etag"] == f'"{MD5}"'
    assert record["total"] == len(BODY)


@pytest.mark.parametrize("header", ["²", "", "9" * 5000, "soon"])
def test_a_retry_after_that_is_no_number_asks_for_no_wait(header):
    assert download_module._retry_after_s(header) == 0.0


@pytest.mark.parametrize("header", ["bytes ²-3/4", f"bytes 0-1/{'9' * 5000}", f"bytes {'9' * 5000}-1/2", "bytes */5"])
def test_a_content_range_that_is_no_range_begins_nowhere(header):
    assert download_module._content_range(header) == (-1, None)
