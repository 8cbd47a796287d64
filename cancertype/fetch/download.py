"""One file over HTTP: resumed after an interruption, and checked before it gets its name.

httpx streams and tenacity paces the tries. pooch would verify the checksum but cannot resume by Range, and a 750 MB
file that starts again after every interruption never arrives over a poor connection.
"""

import contextlib
import errno
import functools
import hashlib
import itertools
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import tenacity
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from ..errors import InputError
from ..files import digest

PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses that may be gone at a later try (RFC 9110, RFC 6585, RFC 8470)."""

LARGEST_OF_UNKNOWN_SIZE = 4 << 30
"""Bytes after which a file whose size neither the caller nor the server states is given up. The largest that the
pipeline fetches has 0.75 GB."""

_HEAD_BYTES = 1024
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|title|body|script|meta)\b",
    re.IGNORECASE | re.DOTALL,
)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
# As many digits as any file needs: int() refuses thousands of them, and a digit such as ² is none to int().
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
_DIGITS = re.compile(r"[0-9]{1,18}")


class NotServed(InputError):
    """The address does not serve the file. The remedy is another address or another way to get the file."""


@dataclass(frozen=True)
class Patience:
    """How long a download waits for a server; times are in seconds.

    ``tries`` counts successive tries without progress, so a connection that breaks often but advances is not given up.
    ``stall_s`` is the longest silence within a transfer. ``longest_wait_s`` also limits what Retry-After may ask for.
    """

    tries: int = 6
    connect_s: float = 20.0
    stall_s: float = 60.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 120.0


DEFAULT_PATIENCE = Patience()


def download(
    url: str,
    destination: Path,
    *,
    md5: str | None = None,
    size: int | None = None,
    partial: Path | None = None,
    patience: Patience = DEFAULT_PATIENCE,
) -> str:
    """Fetch ``url`` to ``destination`` and return the file's md5 (hex).

    A destination that already has the right ``md5`` is kept and nothing is requested. Without ``md5`` the file is
    fetched again, because the address may serve another one by now. ``size`` is in bytes. The folder ``partial`` (by
    default the destination's) holds ``NAME.part`` between runs, so that a later run can continue, and a lock, so that
    two runs never write the same part. An unfinished or unchecked file never has the destination's name.

    Of a file of unknown size at most ``LARGEST_OF_UNKNOWN_SIZE`` bytes are taken, and its part is deleted when it
    reaches them or fills the disk.

    Raises ``NotServed`` when the server gives no file (HTML, a permanent error status, no progress in
    ``patience.tries`` tries, no end) or a wrong one twice, and ``InputError`` when the disk is full.
    """
    folder = partial or destination.parent
    folder.mkdir(parents=True, exist_ok=True)
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(folder / f"{destination.name}.part")
    with _alone(part.path.with_suffix(".lock")):
        if md5 is not None and destination.is_file() and digest(destination, "md5") == md5:
            return md5
        md5_of_file = _Transfer(url, part, destination.name, md5, size, patience).run()
        with disk_full_is_named(destination, part.size()):
            _move(part.path, destination)
        part.discard()
        return md5_of_file


def public(url: str | httpx.URL) -> str:
    """``url`` without user, password, query and fragment, so that messages and records contain no secret."""
    url = httpx.URL(url)
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))


@contextlib.contextmanager
def disk_full_is_named(path: Path, total: int | None) -> Iterator[None]:
    """Turn a full disk or quota, met while the ``total`` bytes of ``path`` are written, into an ``InputError``."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _no_room(path, total) from error


def _no_room(path: Path, total: int | None) -> InputError:
    written = path.stat().st_size if path.exists() else 0
    needed = "more bytes than are free" if total is None else f"{total - written:,} more bytes"
    return InputError(
        f"{path}: the disk is full: {needed} are needed, and {_free_bytes(path):,} are free. "
        f"Make room on the disk that holds {path.parent} and run again"
    )


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tqdm.write(f"{path.stem}: another run is downloading it: waiting for that one", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _free_bytes(path: Path) -> int:
    return shutil.disk_usage(path.parent).free


def _move(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Another file system: os.replace cannot cross over, so copy to a temporary name there first.
        beside = target.with_name(f".{target.name}.part")
        try:
            shutil.copyfile(source, beside)
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)


class _Broken(Exception):
    """A try that failed in a way that another try may not; ``wait_s`` is what the server asked for."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _Part:
    """The part of a file that has arrived, and a record beside it of which file the part is of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._record = path.with_name(path.name + ".json")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def record(self) -> dict:
        try:
            return json.loads(self._record.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def begin(self, record: dict) -> None:
        """Empty the part and note what will fill it, in this order: old bytes must never stand under a new record."""
        self.path.write_bytes(b"")
        self._record.write_text(json.dumps(record), encoding="utf-8")

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)


class _Transfer:
    """The tries to bring one file into its part."""

    def __init__(self, url: str, part: _Part, name: str, md5: str | None, size: int | None, patience: Patience) -> None:
        try:
            self.url = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise NotServed(f"{name}: its address is not a URL ({error}): correct it") from error
        if self.url.scheme not in ("http", "https"):
            raise NotServed(
                f"{public(url)}: cannot be downloaded: give an address that begins with https:// or http://"
            )
        self.part, self.name, self.md5, self.size, self.patience = part, name, md5, size, patience
        # A digest, since the address itself may carry a secret.
        self.url_digest = hashlib.sha256(url.encode()).hexdigest()
        self.furthest = 0
        self.was_wrong = False

    def run(self) -> str:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Broken),
            stop=tenacity.stop_after_attempt(self.patience.tries),
            wait=self._wait,
            before_sleep=self._say,
            reraise=True,
        )
        timeout = httpx.Timeout(self.patience.stall_s, connect=self.patience.connect_s)
        # The bytes are counted and hashed as stored, so the server must not compress them on the way.
        headers = {"Accept-Encoding": "identity", "User-Agent": "cancertype"}
        with (
            httpx.Client(
                timeout=timeout, headers=headers, verify=_certificates(), follow_redirects=True
            ) as self.client,
            tqdm(desc=self.name, unit="B", unit_scale=True, unit_divisor=1024, total=self.size) as self.bar,
        ):
            try:
                while not retrying(self._advance):
                    time.sleep(self.patience.first_wait_s)
            except _Broken as error:
                raise NotServed(self._given_up(error)) from error
        return self.md5_of_part

    def _advance(self) -> bool:
        """One try: true when the file is whole and right, false when it stopped after some progress."""
        before = self.furthest
        try:
            if not self._is_whole():
                self._request()
            self._verify()
        except (httpx.TooManyRedirects, httpx.UnsupportedProtocol) as error:
            raise NotServed(f"{public(self.url)}: {error}: correct the address") from error
        except (httpx.TransportError, _Broken) as error:
            if self.furthest > before:
                return False
            if isinstance(error, _Broken):
                raise
            raise _Broken(str(error) or type(error).__name__) from error
        return True

    def _is_whole(self) -> bool:
        record = self.part.record()
        return record.get("url") == self.url_digest and self.part.size() == record.get("total")

    def _range_headers(self) -> dict[str, str]:
        start, record = self.part.size(), self.part.record()
        validator = record.get("etag") or record.get("last_modified")
        # Without a validator only the md5 shows whether both halves are of one file.
        if start == 0 or record.get("url") != self.url_digest or (validator is None and self.md5 is None):
            return {}
        return {"Range": f"bytes={start}-"} | ({"If-Range": validator} if validator else {})

    def _request(self) -> None:
        with self.client.stream("GET", self.url, headers=self._range_headers()) as response:
            self._check_status(response)
            chunks = response.iter_raw()
            head = self._head_that_is_no_page(response, chunks)
            start, total = self._placed(response)
            self._write(itertools.chain([head], chunks), start, total)

    def _check_status(self, response: httpx.Response) -> None:
        if response.status_code == 416:
            self.part.discard()
            raise _Broken("the server does not have the rest of this part (status 416)")
        if response.status_code in PASSING_STATUSES:
            raise _Broken(_status(response), wait_s=_retry_after_s(response.headers.get("Retry-After")))
        if not response.is_success:
            raise NotServed(
                f"{public(self.url)}: the server answered {_status(response)}: check the address and your access to it"
            )

    def _head_that_is_no_page(self, response: httpx.Response, chunks: Iterator[bytes]) -> bytes:
        head = b""
        for chunk in chunks:
            head += chunk
            if len(head) >= _HEAD_BYTES:
                break
        if _HTML.match(head):
            title = _TITLE.search(head)
            said = f' ("{" ".join(title[1].decode(errors="replace").split())}")' if title else ""
            raise NotServed(
                f"{public(self.url)}: the server answered {_status(response)} with an HTML page{said} and not the file "
                f"{self.name}: the address is behind a log-in or a captcha, or is wrong"
            )
        if response.status_code not in (200, 206):
            raise NotServed(
                f"{public(self.url)}: the server answered {_status(response)} and not the file: check the address"
            )
        if response.headers.get("Content-Encoding", "identity") != "identity" and not self.name.endswith(".gz"):
            raise NotServed(f"{public(self.url)}: the server compresses the file unasked: serve {self.name} as it is")
        return head

    def _placed(self, response: httpx.Response) -> tuple[int, int | None]:
        """Where in the file the body begins, and the size of the whole file if it is given; makes the part fit both."""
        etag = _strong(response.headers.get("ETag"))
        if response.status_code == 206:
            start, total = _content_range(response.headers.get("Content-Range", ""))
            self._check_same_file(start, total, etag)
        else:
            start, total = 0, _length(response)
            record = {"url": self.url_digest, "etag": etag, "total": total}
            with disk_full_is_named(self.part.path, total):
                self.part.begin(record | {"last_modified": response.headers.get("Last-Modified")})
        if self.size is not None and total not in (None, self.size):
            self._refuse(f"is {total:,} bytes long and not {self.size:,}")
        return start, total

    def _check_same_file(self, start: int, total: int | None, etag: str | None) -> None:
        """A server that obeys Range but not If-Range would add the end of a new file to the beginning of an old one."""
        record = self.part.record()
        pairs = ((record.get("etag"), etag), (record.get("total"), total))
        if start != self.part.size() or any(None not in pair and pair[0] != pair[1] for pair in pairs):
            self.part.discard()
            raise _Broken("the server answered with a part of another file, or with another part")

    def _write(self, chunks: Iterator[bytes], start: int, total: int | None) -> None:
        total = self.size if total is None else total
        if total is not None and total - start > _free_bytes(self.part.path):
            raise _no_room(self.part.path, total)
        self.bar.reset(total)
        # What an earlier try fetched counts as done, but not towards the rate.
        self.bar.initial = self.bar.n = position = start
        self.bar.set_postfix_str("")
        try:
            with disk_full_is_named(self.part.path, total):
                position = self._append(chunks, position, LARGEST_OF_UNKNOWN_SIZE if total is None else total)
        except InputError:
            if total is None:  # What may never end must not keep the disk full.
                self.part.discard()
            raise
        if total is None and position > LARGEST_OF_UNKNOWN_SIZE:
            self.part.discard()
            raise NotServed(
                f"{public(self.url)}: it does not say how large {self.name} is, and more than "
                f"{LARGEST_OF_UNKNOWN_SIZE:,} bytes have arrived: deleted. Check the address, or fetch the file by hand"
            )
        if total is not None and position < total:
            raise _Broken(f"the server broke off after {position:,} of {total:,} bytes")

    def _append(self, chunks: Iterator[bytes], position: int, limit: int) -> int:
        """Add ``chunks`` to the part, of which ``position`` bytes are there, until ``limit`` is passed; returns its
        size."""
        with self.part.path.open("ab") as file:
            for chunk in chunks:
                file.write(chunk)
                position += len(chunk)
                self.furthest = max(self.furthest, position)
                self.bar.update(len(chunk))
                if position > limit:
                    break
            file.flush()
            os.fsync(file.fileno())
        return position

    def _verify(self) -> None:
        self.md5_of_part = digest(self.part.path, "md5")
        if self.size is not None and self.part.size() != self.size:
            self._refuse(f"is {self.part.size():,} bytes long and not {self.size:,}")
        if self.md5 not in (None, self.md5_of_part):
            self._refuse(f"has md5 {self.md5_of_part} and not {self.md5}")

    def _refuse(self, finding: str) -> None:
        """Delete the part. The first time the connection may be the cause, the second time it is the file."""
        self.part.discard()
        if self.was_wrong:
            raise NotServed(
                f"{public(self.url)}: what arrived, twice, {finding}: deleted. The address holds another file"
            )
        self.was_wrong = True
        raise _Broken(f"what arrived {finding}")

    def _wait(self, state: tenacity.RetryCallState) -> float:
        first, longest = self.patience.first_wait_s, self.patience.longest_wait_s
        backoff = tenacity.wait_exponential_jitter(first, longest, jitter=first)
        return min(max(backoff(state), state.outcome.exception().wait_s), longest)

    def _say(self, state: tenacity.RetryCallState) -> None:
        reason, pause_s = state.outcome.exception(), state.next_action.sleep
        self.bar.set_postfix_str(f"{reason}; try {state.attempt_number + 1} in {pause_s:.0f} s")

    def _given_up(self, error: _Broken) -> str:
        total = self.part.record().get("total") or self.size
        arrived = f"{self.part.size():,} of {'unknown' if total is None else format(total, ',')} bytes"
        return (
            f"{public(self.url)}: given up after {self.patience.tries} tries without progress: {error}. "
            f"{arrived} have arrived: run again to continue from there"
        )


# Reading the certificates takes longer than fetching a small file.
_certificates = functools.cache(httpx.create_ssl_context)


def _status(response: httpx.Response) -> str:
    return f"status {response.status_code} {response.reason_phrase}".strip()


def _length(response: httpx.Response) -> int | None:
    header = response.headers.get("Content-Length", "")
    return int(header) if _DIGITS.fullmatch(header) else None


def _strong(etag: str | None) -> str | None:
    """A weak ETag says "equivalent", not "the same bytes", and may not be used in If-Range (RFC 9110, 13.1.5)."""
    return None if etag is None or etag.startswith("W/") else etag


def _content_range(header: str) -> tuple[int, int | None]:
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None:
        return -1, None
    return int(match[1]), None if match[2] == "*" else int(match[2])


def _retry_after_s(header: str | None) -> float:
    """Seconds asked for by a Retry-After header in either of its forms, seconds or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return 0.0
    if _DIGITS.fullmatch(header.strip()):
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
