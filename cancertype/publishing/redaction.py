"""What a published file may not say: passwords and tokens, and folders of the author's machine."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

LOCAL_PATH = "(a local path)"
SECRET = "(left out)"

_SECRET_KEY = re.compile(r"(?i)(^|_)(pass(word|wd)?|secret|credentials?|api_?key|access_?key|auth|bearer|token)$")
# Shapes that services give their tokens, so that one is recognised wherever it stands.
_TOKEN = re.compile(
    r"\b(hf_[A-Za-z0-9]{16,}|gh[opsur]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{8,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{12,}|sk-[\w-]{16,}|AIza[\w-]{20,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)"
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
_USER_AT_HOST = re.compile(r"(?<![\w/.:])(?:[\w.+-]+:[^\s@/]+@(?=[\w.-])|[\w.+-]+(:[^\s@/]*)?@(?=[\w.-]+:))")
_PATH = re.compile(
    r"(?<![\w/:.@)])(?:~[\w.-]*(?=[/\\])|\.{1,2}(?=[/\\])|[A-Za-z]:(?=[\\/])|\\\\(?=\w)|(?=/[^/\s]))[/\\]?[^\s'\"<>|,;]*"
    # A folder's name may hold blanks: up to three words before the next separator belong to it.
    r"(?: (?:[^\s/\\'\"<>|,;\0]+ ){0,2}[^\s/\\'\"<>|,;\0]+[/\\][^\s'\"<>|,;]*)*"
)
_WHOLE_PATH = re.compile(r"~[\w.-]*([/\\]|$)|/\S|\.{1,2}([/\\]|$)|[A-Za-z]:[/\\]|\\\\|file:", re.IGNORECASE)


def public(value, key: str = ""):
    """``value`` (JSON-like: mappings, lists, strings, numbers) as strangers may read it.

    An address loses its user, password, query and fragment. A path of this machine becomes ``(a local path)``: it may
    name a person. A known kind of token, and text under a key such as ``password``, becomes ``(left out)``. What is
    public already stays the same, so this may be applied twice.
    """
    if isinstance(value, Mapping):
        return {name: public(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [public(inner, key) for inner in value]
    if not isinstance(value, str):
        return value
    return SECRET if value and _SECRET_KEY.search(key) and value != SECRET else text(value)


def text(value: str) -> str:
    """One string as strangers may read it; see ``public``."""
    if _WHOLE_PATH.match(value) and "\n" not in value:
        return LOCAL_PATH
    kept: list[str] = []

    def address(match: re.Match) -> str:
        kept.append(_address(match[0]))
        return f"\0{len(kept) - 1}\0"

    value = _ADDRESS.sub(address, value)
    value = _TOKEN.sub(SECRET, value)
    value = _USER_AT_HOST.sub("", value)
    for home in _homes():
        value = re.sub(rf"{re.escape(home)}(?![\w-])[^\s'\"<>|,;]*", LOCAL_PATH, value)
    value = _PATH.sub(LOCAL_PATH, value)
    return re.sub("\0(\\d+)\0", lambda match: kept[int(match[1])], value)


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return SECRET
    if parts.scheme.lower() == "file":
        return LOCAL_PATH
    host = parts.netloc.rpartition("@")[2]
    return _TOKEN.sub(SECRET, urlunsplit((parts.scheme, host, parts.path, "", "")))


def _homes() -> list[str]:
    try:
        home = str(Path.home())
    except RuntimeError:
        return []
    return [home] if len(home) > 1 else []
