"""A web server on this machine that serves files well or badly, as a test tells it."""

import hashlib
import random
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cancertype.fetch.download import Patience

BODY = random.Random(0).randbytes(300_000)
MD5 = hashlib.md5(BODY).hexdigest()
HASTY = Patience(tries=3, connect_s=5.0, stall_s=0.3, first_wait_s=0.005, longest_wait_s=0.02)
FIRST_BYTE = re.compile(r"bytes=(\d+)-")
PAGE = b"<!DOCTYPE html>\n<html><head><title>Just a\n moment...</title></head><body>captcha</body></html>"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.requests.append((self.path, dict(self.headers)))
        behaviour = next(self.server.script, self.server.always)
        behaviour(self, self.server.files.get(self.path.partition("?")[0]))

    def log_message(self, *_) -> None:
        pass

    def answer(self, status: int, headers: dict, body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Connection": "close"}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def serve(
    handler, body, *, until=None, stall=False, etag=True, heed_range=True, heed_if_range=True, length=True, weak=False
) -> None:
    """What a good server does (RFC 9110), and, by its options, one thing that a bad one does."""
    if body is None:
        handler.answer(404, {"Content-Length": "0"}, b"")
        return
    tag = f'{"W/" if weak else ""}"{hashlib.md5(body).hexdigest()}"'
    headers, start, status = {"ETag": tag} if etag else {}, 0, 200
    asked = FIRST_BYTE.fullmatch(handler.headers.get("Range", ""))
    unchanged = handler.headers.get("If-Range", tag) == tag or not heed_if_range
    if asked and heed_range and unchanged:
        start, status = int(asked[1]), 206
        if start >= len(body):
            handler.answer(416, {"Content-Length": "0", "Content-Range": f"bytes */{len(body)}"}, b"")
            return
        headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
    if length:
        headers["Content-Length"] = str(len(body) - start)
    handler.answer(status, headers, body[start:until])
    if stall:
        handler.wfile.flush()
        handler.server.closing.wait(20)


def but(**options):
    return lambda handler, body: serve(handler, body, **options)


def status(code: int, body: bytes = b"", **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Length": str(len(body))}
    return lambda handler, _: handler.answer(code, named, body)


def wrong_byte(handler, body: bytes) -> None:
    serve(handler, body[:-1] + bytes([body[-1] ^ 1]))


class Server(ThreadingHTTPServer):
    """Answers the first requests by ``script``, one behaviour each, and all later ones by ``always``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {"/mutations.csv": BODY}
        self.requests: list[tuple[str, dict]] = []
        self.script, self.always = iter(()), serve
        self.closing = threading.Event()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"{self.base}/mutations.csv"

    def first_bytes(self) -> list[int]:
        """The first byte that each request asked for."""
        ranges = (FIRST_BYTE.fullmatch(headers.get("Range", "bytes=0-")) for _, headers in self.requests)
        return [int(match[1]) for match in ranges]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.closing.set()
        running.shutdown()
