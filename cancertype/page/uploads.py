"""Uploads that wait to be submitted: at most so many bytes of them, and each deleted once nobody waits for it."""

import json
import threading
import time
from collections import defaultdict
from pathlib import Path


class Pending:
    """The uploads in ``folder``. Gradio names a file by its content, so two visitors can wait for the same one."""

    def __init__(self, folder: Path, quota: int, forgotten_after: float):
        self._folder, self._quota, self._forgotten_after = folder, quota, forgotten_after
        self._waiting: dict[Path, list[float]] = defaultdict(list)
        self._arriving = 0
        self._lock = threading.Lock()

    def admit(self, size: int) -> bool:
        """Whether ``size`` more bytes fit. If they do, they are reserved until ``arrived``."""
        with self._lock:
            if self._stored() + self._arriving + size > self._quota:
                return False
            self._arriving += size
            return True

    def arrived(self, size: int, paths: list[str]) -> None:
        """An upload of ``size`` reserved bytes ended; its files are at ``paths`` (none, if it failed)."""
        with self._lock:
            self._arriving -= size
            for path in paths:
                self._waiting[Path(path)].append(time.monotonic())

    def forget(self, path: Path) -> None:
        """One visitor's request for ``path`` was answered: delete it, unless another visitor uploaded the same file."""
        with self._lock:
            since = time.monotonic() - self._forgotten_after
            waiting = [at for at in self._waiting.pop(path, []) if at > since][1:]
            if waiting:
                self._waiting[path] = waiting
            else:
                path.unlink(missing_ok=True)

    def _stored(self) -> int:
        total = 0
        for path in self._folder.rglob("*"):
            try:
                total += path.stat().st_size if path.is_file() else 0
            except OSError:  # deleted meanwhile
                continue
        return total


class Quota:
    """ASGI middleware that refuses an upload which ``pending`` has no room for, and tells it of those that arrived."""

    def __init__(self, app, pending: Pending, largest: int):
        self._app, self._pending, self._largest = app, pending, largest

    async def __call__(self, scope, receive, send) -> None:
        uploads = (
            scope["type"] == "http" and scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/upload")
        )
        if not uploads:
            await self._app(scope, receive, send)
            return
        size = _stated_size(scope, self._largest)
        if not self._pending.admit(size):
            await _refuse(send)
            return
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer.send)
        finally:
            self._pending.arrived(size, answer.paths())


class _Answer:
    """Passes a response on, and keeps its body, a JSON list of the paths of the files that were stored."""

    def __init__(self, send):
        self._send, self._status, self._body = send, 0, b""

    async def send(self, message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
        await self._send(message)

    def paths(self) -> list[str]:
        try:
            paths = json.loads(self._body) if self._status == 200 else []
        except ValueError:
            return []
        return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []


def _stated_size(scope, largest: int) -> int:
    """Bytes that the request says it sends; the most that are accepted where it does not say."""
    stated = dict(scope["headers"]).get(b"content-length", b"")
    return min(int(stated), largest) if stated.isdigit() and len(stated) < 20 else largest


async def _refuse(send) -> None:
    text = b"Too many uploads are waiting to be submitted. Try again in a few minutes."
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"120")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": text})
