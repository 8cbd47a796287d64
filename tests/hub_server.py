"""A real HTTP server that speaks the Hub's protocol, so that an unmodified huggingface_hub and datasets talk to it.

What it serves: whoami, repository creation and settings, card validation, preupload, Git LFS (batch, PUT, verify), the
commit endpoint, revision info, tree, paths-info and resolve. Bytes are stored, commits applied atomically with Git's
own blob hashes, LFS downloads redirected to a second host name as the Hub redirects to its CDN. It has no Xet store, so
clients run with HF_HUB_DISABLE_XET=1, the client's own switch.
``fail`` makes one kind of request go wrong, ``before_commit`` and ``after_commit`` let a test step in, ``requests``
records what was asked.
"""

import base64
import fnmatch
import hashlib
import json
import re
import socket
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

OWNER = "lab"
WRITE_TOKEN = "hf_write"
READ_TOKEN = "hf_read"
GITATTRIBUTES = b"".join(
    f"{pattern} filter=lfs diff=lfs merge=lfs -text\n".encode()
    for pattern in ("*.safetensors", "*.parquet", "*.bin", "tokenizer.json")
)
DROP = "drop"


@dataclass(frozen=True)
class Blob:
    """One file: its bytes, and its SHA-256 where it is kept in LFS."""

    data: bytes
    lfs: str | None = None

    @property
    def oid(self) -> str:
        """Git's hash of what git keeps: the file, or the pointer to it."""
        kept = self.data if self.lfs is None else self._pointer
        return hashlib.sha1(b"blob %d\0" % len(kept) + kept).hexdigest()

    @property
    def _pointer(self) -> bytes:
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.lfs}\nsize {len(self.data)}\n".encode()

    def to_json(self, path: str) -> dict:
        entry = {"type": "file", "path": path, "oid": self.oid, "size": len(self.data)}
        if self.lfs is not None:
            entry["lfs"] = {"oid": self.lfs, "size": len(self.data), "pointerSize": len(self._pointer)}
        return entry


@dataclass(frozen=True)
class Commit:
    """A whole tree, as one atomic state of a repository."""

    oid: str
    tree: dict[str, Blob]
    message: str
    date: str


@dataclass
class Repository:
    """A repository with one branch, ``main``; ``commits`` grows at its end."""

    private: bool
    commits: list[Commit] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    def at(self, revision: str) -> Commit | None:
        if revision in ("main", "refs/heads/main"):
            return self.head
        return next((commit for commit in self.commits if commit.oid == revision), None)

    def add(self, tree: dict[str, Blob], message: str) -> Commit:
        parent = self.commits[-1].oid if self.commits else ""
        state = json.dumps(
            [parent, message, len(self.commits), {path: blob.oid for path, blob in sorted(tree.items())}]
        )
        date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self.commits.append(Commit(hashlib.sha1(state.encode()).hexdigest(), tree, message, date))
        return self.head


@dataclass
class Fault:
    """``times`` requests to ``route`` answer ``status`` (or break off: ``DROP``), after their effect if ``applied``."""

    route: str
    status: int | str
    times: int
    applied: bool


class Refusal(Exception):
    """An HTTP error with the Hub's error headers."""

    def __init__(self, status: int, message: str, code: str | None = None):
        self.status, self.message, self.code = status, message, code
        super().__init__(message)


class HubServer:
    """``with HubServer() as hub: ...``; the client is pointed at ``hub.endpoint``."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Forget everything, as a new server at the same address."""
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.upload_started = threading.Event()
        self.uploads_may_end = threading.Event()
        self.uploads_may_end.set()
        self.before_commit = self.after_commit = lambda: None

    def __enter__(self) -> "HubServer":
        server = self

        class Handler(_Handler):
            hub = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.uploads_may_end.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def storage(self) -> str:
        """The host that keeps LFS objects: another name, to which the client must not send its token."""
        return f"http://localhost:{self._http.server_port}"

    def fail(self, route: str, status: int | str, *, times: int = 1, applied: bool = False) -> None:
        """Let the next ``times`` requests to ``route`` go wrong (``applied``: after they took effect)."""
        self.faults.append(Fault(route, status, times, applied))

    def create(self, repo_id: str, kind: str = "model", *, private: bool = True) -> Repository:
        """A new repository as the Hub makes it: with .gitattributes in a first commit."""
        repository = Repository(private)
        repository.add({".gitattributes": Blob(GITATTRIBUTES)}, "initial commit")
        self.repositories[kind, repo_id] = repository
        return repository

    def visible(self, repo_id: str, kind: str = "model") -> set[str]:
        """What a reader of ``main`` sees, but for the Hub's own .gitattributes."""
        repository = self.repositories.get((kind, repo_id))
        return set() if repository is None else set(repository.head.tree) - {".gitattributes"}

    def asked(self, route: str) -> int:
        """How many requests came to ``route``."""
        return sum(name == route for name, _ in self.requests)


def _card_data(tree: dict[str, Blob]) -> dict:
    match = re.match(rb"---\n(.*?)\n---\n", tree["README.md"].data, re.DOTALL) if "README.md" in tree else None
    return yaml.safe_load(match[1]) if match else {}


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    _REPOSITORY = r"(?P<kind>models|datasets|spaces)/(?P<repo>[^/]+/[^/]+)"
    _ROUTES = (
        ("whoami", "GET", r"/api/whoami-v2"),
        ("create", "POST", r"/api/repos/create"),
        ("validate", "POST", r"/api/validate-yaml"),
        ("settings", "PUT", rf"/api/{_REPOSITORY}/settings"),
        ("preupload", "POST", rf"/api/{_REPOSITORY}/preupload/(?P<revision>[^/]+)"),
        ("commit", "POST", rf"/api/{_REPOSITORY}/commit/(?P<revision>[^/]+)"),
        ("tree", "GET", rf"/api/{_REPOSITORY}/tree/(?P<revision>[^/]+)(?:/(?P<path>.+))?"),
        ("paths", "POST", rf"/api/{_REPOSITORY}/paths-info/(?P<revision>[^/]+)"),
        ("refs", "GET", rf"/api/{_REPOSITORY}/refs"),
        ("tag", "POST", rf"/api/{_REPOSITORY}/tag/(?P<revision>[^/]+)"),
        ("info", "GET", rf"/api/{_REPOSITORY}(?:/revision/(?P<revision>[^/]+))?"),
        ("batch", "POST", r"/(?P<kind>datasets/)?(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch"),
        ("upload", "PUT", r"/storage/(?P<oid>[0-9a-f]{64})"),
        ("verify", "POST", r"/api/lfs-verify"),
        ("object", "GET", r"/storage/(?P<oid>[0-9a-f]{64})"),
        ("resolve", "GET|HEAD", r"/(?P<kind>datasets/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)"),
    )

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_GET

    def log_message(self, *_) -> None:
        """Silence: ``HubServer.requests`` is the log."""

    def _serve(self) -> None:
        body = self._body()
        parts = urlsplit(self.path)
        for name, methods, pattern in self._ROUTES:
            match = re.fullmatch(pattern, parts.path) if self.command in methods.split("|") else None
            if match:
                self.hub.requests.append((name, self.path))
                found = {key: unquote(value) for key, value in match.groupdict().items() if value is not None}
                return self._answer(name, body, found, parse_qs(parts.query))
        return self._refuse(Refusal(404, f"no route {self.command} {self.path}"))

    def _answer(self, name: str, body: bytes, found: dict, query: dict) -> None:
        fault = self._fault(name)
        try:
            if fault is None or fault.applied:
                status, headers, answer = getattr(self, f"_{name}")(body=body, query=query, **found)
            if fault is None:
                return self._send(status, headers, answer)
            if fault.status == DROP:
                self.close_connection = True
                return self.connection.shutdown(socket.SHUT_RDWR)
            raise Refusal(fault.status, f"told to answer {fault.status}")
        except Refusal as refusal:
            return self._refuse(refusal)

    def _fault(self, name: str) -> Fault | None:
        with self.hub.lock:
            for fault in self.hub.faults:
                if fault.route == name and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, status: int, headers: dict, answer) -> None:
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _refuse(self, refusal: Refusal) -> None:
        headers = {"X-Error-Message": refusal.message} | ({"X-Error-Code": refusal.code} if refusal.code else {})
        self._send(refusal.status, headers, {"error": refusal.message})

    # ------------------------------------------------------------------------------------------- who may do what

    def _token(self) -> str | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        if token not in (None, WRITE_TOKEN, READ_TOKEN):
            raise Refusal(401, "Invalid credentials in Authorization header")
        return token

    def _repository(self, kind: str, repo: str, *, write: bool = False) -> Repository:
        token = self._token()
        repository = self.hub.repositories.get((kind.rstrip("s/") or "model", repo))
        if repository is None or (repository.private and token is None):
            raise Refusal(401 if token is None else 404, "Repository not found", "RepoNotFound")
        if write and token != WRITE_TOKEN:
            raise Refusal(403, "You need write access to this repository")
        return repository

    def _commit_at(self, kind: str, repo: str, revision: str) -> Commit:
        commit = self._repository(kind, repo).at(revision)
        if commit is None:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit

    # ---------------------------------------------------------------------------------------------- repositories

    def _whoami(self, **_):
        if self._token() is None:
            raise Refusal(401, "Invalid username or password.")
        return 200, {}, {"type": "user", "name": OWNER, "orgs": []}

    def _create(self, body: bytes, **_):
        if self._token() != WRITE_TOKEN:
            raise Refusal(403, "You don't have the rights to create a repository under this namespace")
        wish = json.loads(body)
        owner, kind = wish.get("organization") or OWNER, wish.get("type", "model")
        if owner != OWNER:
            raise Refusal(403, f'You don\'t have the rights to create a {kind} under the namespace "{owner}"')
        repo_id = f"{owner}/{wish['name']}"
        answer = {"url": f"{self.hub.endpoint}/{'datasets/' if kind == 'dataset' else ''}{repo_id}", "name": repo_id}
        with self.hub.lock:
            if (kind, repo_id) in self.hub.repositories:
                return 409, {}, answer | {"error": "You already created this repo"}
            self.hub.create(repo_id, kind, private=wish.get("visibility") == "private")
        return 200, {}, answer

    def _settings(self, body: bytes, kind: str, repo: str, **_):
        self._repository(kind, repo, write=True).private = json.loads(body)["visibility"] == "private"
        return 200, {}, {}

    def _info(self, kind: str, repo: str, revision: str = "main", **_):
        commit = self._commit_at(kind, repo, revision)
        card = _card_data(commit.tree)
        return (
            200,
            {},
            {
                "id": repo,
                "author": repo.split("/")[0],
                "private": self._repository(kind, repo).private,
                "sha": commit.oid,
                "lastModified": commit.date,
                "tags": card.get("tags", []),
                "cardData": card,
                "siblings": [{"rfilename": path} for path in sorted(commit.tree)],
            },
        )

    def _refs(self, kind: str, repo: str, **_):
        repository = self._repository(kind, repo)
        tags = [
            {"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid} for name, oid in repository.tags.items()
        ]
        head = {"name": "main", "ref": "refs/heads/main", "targetCommit": repository.head.oid}
        return 200, {}, {"branches": [head], "converts": [], "tags": tags}

    def _tag(self, body: bytes, kind: str, repo: str, revision: str, **_):
        repository, name = self._repository(kind, repo, write=True), json.loads(body)["tag"]
        if name in repository.tags:
            raise Refusal(409, f"Tag {name} exists already")
        repository.tags[name] = self._commit_at(kind, repo, revision).oid
        return 200, {}, {}

    def _tree(self, kind: str, repo: str, revision: str, query: dict, path: str = "", **_):
        tree = self._commit_at(kind, repo, revision).tree
        inside = {name: blob for name, blob in tree.items() if not path or name.startswith(path + "/")}
        if path and not inside:
            raise Refusal(404, f"{path} does not exist on {revision}", "EntryNotFound")
        depth = path.count("/") + 1 if path else 0
        recursive = query.get("recursive", ["false"])[0].lower() in ("true", "1")
        folders = {"/".join(name.split("/")[:n]) for name in inside for n in range(depth + 1, name.count("/") + 1)}
        entries = [blob.to_json(name) for name, blob in sorted(inside.items())]
        entries += [
            {"type": "directory", "path": name, "oid": hashlib.sha1(name.encode()).hexdigest()} for name in folders
        ]
        return 200, {}, [entry for entry in entries if recursive or entry["path"].count("/") == depth]

    def _paths(self, body: bytes, kind: str, repo: str, revision: str, **_):
        tree = self._commit_at(kind, repo, revision).tree
        return 200, {}, [tree[path].to_json(path) for path in parse_qs(body.decode())["paths"] if path in tree]

    # ---------------------------------------------------------------------------------------------------- upload

    def _validate(self, body: bytes, **_):
        content = json.loads(body)["content"]
        try:
            metadata = _card_data({"README.md": Blob(content.encode())})
        except yaml.YAMLError as error:
            return 400, {}, {"errors": [{"message": str(error)}], "warnings": []}
        warnings = [] if metadata else [{"message": "empty or missing yaml metadata in repo card"}]
        return 200, {}, {"errors": [], "warnings": warnings}

    def _preupload(self, body: bytes, kind: str, repo: str, revision: str, **_):
        self._repository(kind, repo, write=True)
        tree = self._commit_at(kind, repo, revision).tree
        patterns = [line.split()[0] for line in tree[".gitattributes"].data.decode().splitlines()]
        answers = []
        for file in json.loads(body)["files"]:
            name = file["path"].rsplit("/", 1)[-1]
            lfs = any(fnmatch.fnmatch(name, pattern) for pattern in patterns) or file["size"] > 10 * 2**20
            answer = {"path": file["path"], "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
            if file["path"] in tree:
                answer["oid"] = tree[file["path"]].lfs or tree[file["path"]].oid
            answers.append(answer)
        return 200, {}, {"files": answers}

    def _batch(self, body: bytes, repo: str, kind: str = "", **_):
        self._repository(kind, repo, write=True)
        objects = []
        for wanted in json.loads(body)["objects"]:
            entry = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.hub.objects:
                entry["actions"] = {
                    "upload": {"href": f"{self.hub.storage}/storage/{wanted['oid']}"},
                    "verify": {"href": f"{self.hub.endpoint}/api/lfs-verify"},
                }
            objects.append(entry)
        return 200, {"Content-Type": "application/vnd.git-lfs+json"}, {"transfer": "basic", "objects": objects}

    def _upload(self, body: bytes, oid: str, **_):
        if self.headers.get("Authorization"):
            raise Refusal(400, "the token was sent to the storage host")
        self.hub.upload_started.set()
        self.hub.uploads_may_end.wait()
        if hashlib.sha256(body).hexdigest() != oid:
            raise Refusal(400, "content does not match its SHA-256")
        self.hub.objects[oid] = body
        return 200, {"ETag": f'"{oid}"'}, b""

    def _verify(self, body: bytes, **_):
        wanted = json.loads(body)
        if len(self.hub.objects.get(wanted["oid"], b"")) != wanted["size"]:
            raise Refusal(404, "object not found")
        return 200, {}, {}

    def _commit(self, body: bytes, kind: str, repo: str, revision: str, **_):
        self.hub.before_commit()
        repository = self._repository(kind, repo, write=True)
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        with self.hub.lock:
            if header.get("parentCommit", repository.head.oid) != repository.head.oid:
                raise Refusal(412, "A commit has happened since. Please refresh and try again.")
            tree = dict(repository.head.tree)
            for line in lines:
                self._apply(tree, line["key"], line["value"])
            made = repository.add(tree, header["summary"])
            self.hub.after_commit()
        url = f"{self.hub.endpoint}/{'datasets/' if kind == 'datasets' else ''}{repo}/commit/{made.oid}"
        return 200, {}, {"success": True, "commitOid": made.oid, "commitUrl": url, "hookOutput": ""}

    def _apply(self, tree: dict[str, Blob], key: str, value: dict) -> None:
        if key == "file":
            tree[value["path"]] = Blob(base64.b64decode(value["content"]))
        elif key == "lfsFile":
            if value["oid"] not in self.hub.objects:
                raise Refusal(400, f"LFS pointer of {value['path']} points to a file that does not exist")
            tree[value["path"]] = Blob(self.hub.objects[value["oid"]], value["oid"])
        elif key == "deletedFile":
            if tree.pop(value["path"], None) is None:
                raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound")
        elif key != "header":
            raise Refusal(400, f"unknown operation {key}")

    # -------------------------------------------------------------------------------------------------- download

    def _resolve(self, repo: str, revision: str, path: str, kind: str = "", **_):
        commit = self._commit_at(kind, repo, revision)
        if path not in commit.tree:
            raise Refusal(404, f"{path} does not exist on {revision}", "EntryNotFound")
        blob = commit.tree[path]
        headers = {"X-Repo-Commit": commit.oid, "Content-Type": "application/octet-stream"}
        if blob.lfs is None:
            return 200, headers | {"ETag": f'"{blob.oid}"'}, blob.data
        linked = {"X-Linked-Etag": f'"{blob.lfs}"', "X-Linked-Size": str(len(blob.data))}
        return 302, headers | linked | {"Location": f"{self.hub.storage}/storage/{blob.lfs}"}, b""

    def _object(self, oid: str, **_):
        if self.headers.get("Authorization"):
            raise Refusal(400, "the token was sent to the storage host")
        if oid not in self.hub.objects:
            raise Refusal(404, "object not found")
        return 200, {"Content-Type": "application/octet-stream", "ETag": f'"{oid}"'}, self.hub.objects[oid]
