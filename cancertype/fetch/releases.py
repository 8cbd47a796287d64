"""The raw files of the real sources with a record of their origin: a release's own addresses, an address or a folder of
the user's, or the user's table.

Each function writes one folder whole or not at all: it is built under another name and renamed when every file in it
has been checked and ``source.json`` is written. Nothing is decompressed or changed.
"""

import gzip
import hashlib
import json
import logging
import os
import re
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tqdm.auto import tqdm

from .. import package_data
from ..errors import InputError
from ..files import digest, whole_folder
from ..sources import layouts
from ..tables import delimited
from .download import DEFAULT_PATIENCE, NotServed, Patience, disk_full_is_named, download, public
from .settings import DepMap, Table, Tcga

Columns = Sequence[tuple[str, ...]]
"""What a header must hold: of each tuple, one name at least."""

DEPMAP_FILES: dict[str, Columns] = {
    "Model.csv": layouts.DEPMAP_MODELS.needs(training=True),
    "OmicsSomaticMutations.csv": layouts.DEPMAP_MUTATIONS.needs(training=True),
}
MAF_COLUMNS: Columns = layouts.MAF.needs(training=True)
CLINICAL_COLUMNS: Columns = layouts.TCGA_CLINICAL.needs(training=True)
TABLE_ENDINGS = (".csv", ".tsv", ".txt")

_OR_A_FOLDER = "Or get the files in another way and set {key} to their folder"
_CORRECT_ADDRESS = "Correct {key}, below which the release's files are looked up by name"

_LOG = logging.getLogger(__name__)
_CHUNK_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_QUARTERLY = re.compile(r"\d\dQ[1-4]")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class File(_Strict):
    """One file of a release; ``bytes`` is null where only its approximate size is known."""

    name: str
    url: str
    md5: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None
    bytes: int | None


class About(_Strict):
    """Where the data of a release come from, and what may be done with them."""

    release: str | None
    name: str
    licence: str
    citation: str
    terms: str | None
    limits_training: bool | None


class Release(About):
    """A release and its files in the order in which they are fetched (the smallest first)."""

    files: list[File]


class Restricted(_Strict):
    """The terms of all quarterly releases later than ``after``."""

    after: str
    licence: str
    citation: str
    terms: str


class Catalogue(_Strict):
    """What ``releases.json`` says about one source."""

    releases: list[Release]
    restricted: Restricted | None

    def named(self, release: str) -> Release | None:
        return next((known for known in self.releases if known.release == release), None)

    def is_restricted(self, release: str | None) -> bool:
        if self.restricted is None or release is None or _QUARTERLY.fullmatch(release) is None:
            return False
        return release > self.restricted.after


@cache
def catalogue(source: str) -> Catalogue:
    """The reviewed addresses, checksums and terms of ``source`` ("depmap" or "tcga")."""
    known = json.loads(package_data.text("fetch", "releases.json"))
    return Catalogue.model_validate(known[source])


@dataclass(frozen=True)
class Raw:
    """A file in its place. ``content_md5`` is of the unpacked content, ``origin`` an address without secrets."""

    name: str
    md5: str
    bytes: int
    origin: str | None
    content_md5: str


def fetch_depmap(settings: DepMap, folder: Path, scratch: Path, *, patience: Patience = DEFAULT_PATIENCE) -> None:
    """Fill ``folder`` with a DepMap release's two files and ``source.json``.

    Downloads, finished and unfinished, stay in ``scratch``, so that a second run fetches nothing again. Raises
    ``InputError`` for a release without a known address or with terms that limit training, unless ``location`` is
    given, and for a file that is missing, damaged, not the release's, or without a needed column. A folder given as
    ``location`` may describe its content in a ``source.json`` (``About``), but known releases and their terms take
    precedence.
    """
    key, known = "data.depmap.location", catalogue("depmap")
    release, described = known.named(settings.release), None
    with whole_folder(folder) as build:
        if settings.location is None:
            _check_open(known, settings.release)
            raws = _fetched(release.files, build, scratch, patience, _OR_A_FOLDER.format(key=key))
        elif (local := _local(settings.location, key)) is not None:
            raws = _copied([(delimited.named_file(local, name), needs) for name, needs in DEPMAP_FILES.items()], build)
            described = _described(local)
        else:
            expected = release.files if release else [File(name=n, url=n, md5=None, bytes=None) for n in DEPMAP_FILES]
            mirrored = _mirrored(expected, settings.location, key)
            raws = _fetched(mirrored, build, scratch, patience, _CORRECT_ADDRESS.format(key=key))
        _record("depmap", build, raws, _depmap_provenance(known, settings.release, raws, described))


def fetch_tcga(settings: Tcga, folder: Path, scratch: Path, *, patience: Patience = DEFAULT_PATIENCE) -> None:
    """Fill ``folder`` with TCGA's MAF and clinical table (or all of a folder of the user's) and ``source.json``.

    In a folder, a MAF is a file named .maf or with the column Tumor_Sample_Barcode, and a clinical table is a file with
    the columns bcr_patient_barcode and acronym or type. Other files are left out with a warning. Raises ``InputError``
    as ``fetch_depmap`` does.
    """
    key, known = "data.tcga.location", catalogue("tcga")
    expected, described = known.releases[0].files, None
    with whole_folder(folder) as build:
        if settings.location is None:
            raws = _fetched(expected, build, scratch, patience, _OR_A_FOLDER.format(key=key))
        elif (local := _local(settings.location, key)) is not None:
            raws = _copied(_mafs_and_clinical_tables(local), build)
            described = _described(local)
        else:
            mirrored = _mirrored(expected, settings.location, key)
            raws = _fetched(mirrored, build, scratch, patience, _CORRECT_ADDRESS.format(key=key))
        about = _identified(known, raws) or described or _unknown("MAFs and clinical tables of the user", None)
        _record("tcga", build, raws, about)


def fetch_table(settings: Table, folder: Path) -> None:
    """Fill ``folder`` with the user's wide table and ``source.json``.

    Raises ``InputError`` when the table is missing or damaged, or has no column ID.
    """
    if settings.path is None:
        raise InputError("data.table.path is null: set it to your table, or remove table from data.sources")
    source = Path(settings.path).expanduser()
    if not source.is_file() or not source.name.lower().removesuffix(".gz").endswith(TABLE_ENDINGS):
        raise InputError(
            f"{source}: is no file ending in {', '.join(TABLE_ENDINGS)} (or these with .gz): correct data.table.path"
        )
    if "ID" not in map(str.upper, delimited.header(source).names):
        raise InputError(f"{source}: has no column ID: give the column that names the cases this name")
    with whole_folder(folder) as build:
        raws = _copied([(source, ())], build)
        _record("table", build, raws, _unknown(f"the user's table {source.name}", None))


def _check_open(known: Catalogue, release: str) -> None:
    if known.is_restricted(release):
        reason = known.restricted.terms
    elif known.named(release) is None:
        reason = "its address is not known here"
    else:
        return
    raise InputError(
        f"data.depmap.release {release}: {reason}. Set data.depmap.location to a folder or address with its files, "
        f"or data.depmap.release to one whose address is known: {', '.join(each.release for each in known.releases)}"
    )


def _depmap_provenance(known: Catalogue, claimed: str, raws: list[Raw], described: About | None) -> About:
    if (release := _identified(known, raws)) is not None:
        return release
    if known.is_restricted(claimed):
        _LOG.warning("DepMap %s: %s", claimed, known.restricted.terms)
        return About(
            release=claimed,
            name=described.name if described else f"DepMap {claimed}",
            licence=known.restricted.licence,
            citation=known.restricted.citation,
            terms=known.restricted.terms,
            limits_training=True,
        )
    if described is not None:
        return described
    if known.named(claimed) is None:
        return _unknown(f"DepMap {claimed}", claimed)
    _LOG.warning(
        "the files of data.depmap.location are not those of DepMap %s, so their release and licence are recorded as "
        "unknown: set data.depmap.release to the release that they are from",
        claimed,
    )
    return _unknown("DepMap files of an unknown release", None)


def _identified(known: Catalogue, raws: list[Raw]) -> Release | None:
    """The release that has these files by md5, whatever the settings call it and however the files are compressed."""
    for release in known.releases:
        sums = {file.md5 for file in release.files}
        if all(raw.md5 in sums or raw.content_md5 in sums for raw in raws):
            return release
    return None


def _described(folder: Path) -> About | None:
    """What the user's folder says about itself in ``source.json``; None without that file."""
    path = folder / "source.json"
    if not path.is_file():
        return None
    try:
        return About.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        mistakes = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise InputError(
            f"{path}: does not describe the folder's files ({mistakes}): give {', '.join(About.model_fields)}, "
            "or remove the file"
        ) from error


def _unknown(name: str, release: str | None) -> About:
    return About(
        release=release,
        name=name,
        licence="unknown (given by the user)",
        citation="unknown (given by the user)",
        terms="Given by the user: check the licence and terms before you publish what was trained on these files",
        limits_training=None,
    )


def _record(source: str, build: Path, raws: list[Raw], about: About) -> None:
    listed = [{key: value for key, value in asdict(raw).items() if key != "content_md5"} for raw in raws]
    record = {
        "source": source,
        **about.model_dump(exclude={"files"}),
        "simulated": False,
        "files": sorted(listed, key=lambda raw: raw["name"]),
    }
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    (build / "source.json").write_text(text, encoding="utf-8")


def _mirrored(expected: list[File], base: str, key: str) -> list[File]:
    """The same files by name below the address ``base``, whose query (such as a token) is kept."""
    try:
        there = httpx.URL(base)
    except httpx.InvalidURL as error:
        raise InputError(f"{key} is not a URL ({error}): correct it") from error
    for file in expected:
        if file.md5 is None:
            _LOG.warning("%s of %s: its md5 is not known, so it is recorded but not checked", file.name, public(base))
    return [
        file.model_copy(update={"url": str(there.copy_with(path=f"{there.path.rstrip('/')}/{file.name}"))})
        for file in expected
    ]


def _fetched(expected: list[File], build: Path, scratch: Path, patience: Patience, remedy: str) -> list[Raw]:
    try:
        return [_downloaded(file, build, scratch, patience) for file in expected]
    except NotServed as error:
        raise NotServed(f"{error}. {remedy}") from error


def _downloaded(file: File, build: Path, scratch: Path, patience: Patience) -> Raw:
    kept = scratch / (file.md5 or "unverified") / file.name
    download(file.url, kept, md5=file.md5, size=file.bytes, partial=kept.parent, patience=patience)
    _check_columns(kept, _needed(file.name))
    target = build / file.name
    _link(kept, target)
    md5 = file.md5 or digest(target, "md5")
    content_md5 = md5 if file.md5 else _content_md5(target, md5, shown=kept)
    return Raw(file.name, md5, target.stat().st_size, public(file.url), content_md5)


def _needed(name: str) -> Columns:
    if name in DEPMAP_FILES:
        return DEPMAP_FILES[name]
    return MAF_COLUMNS if name.endswith((".maf", ".maf.gz")) else CLINICAL_COLUMNS


def _link(kept: Path, target: Path) -> None:
    """A second name for a file in the scratch folder, which nobody edits; a copy where the file system has no links."""
    try:
        os.link(kept, target)
    except OSError:
        with disk_full_is_named(target, kept.stat().st_size):
            shutil.copyfile(kept, target)


def _local(location: str, key: str) -> Path | None:
    """The folder that ``location`` names, or None when it is an address on the web."""
    scheme = location.partition("://")[0].lower() if "://" in location else ""
    if scheme in ("http", "https"):
        return None
    if scheme not in ("", "file"):
        raise InputError(
            f"{key} {public(location)}: give a folder or an address that begins with https://, http:// or file://"
        )
    folder = Path(url2pathname(urlsplit(location).path) if scheme else location).expanduser()
    if not folder.is_dir():
        raise InputError(f"{key} {folder}: no such folder: set it to the folder that holds the files")
    return folder


def _mafs_and_clinical_tables(folder: Path) -> list[tuple[Path, Columns]]:
    # macOS leaves dot files behind that are named after the files they belong to.
    names = {path: delimited.header(path).names for path in delimited.table_files(folder) if path.name[0] != "."}
    _check_counted_once(list(names))
    mafs = [path for path in names if ".maf" in path.name.lower() or "Tumor_Sample_Barcode" in names[path]]
    lacking = {path: _lacking(names[path], CLINICAL_COLUMNS) for path in names if path not in mafs}
    clinical = [path for path in lacking if not lacking[path]]
    others = "; ".join(f"{path.name} has no column {lacking[path]}" for path in lacking if lacking[path])
    if not mafs or not clinical:
        what = "clinical table (columns bcr_patient_barcode, and acronym or type)" if mafs else "MAF"
        raise InputError(f"{folder}: has no {what}: put one there or correct data.tcga.location. {others}".strip(". "))
    if others:
        _LOG.warning("%s: left out because it is neither MAF nor clinical table: %s", folder, others)
    return [(path, MAF_COLUMNS) for path in mafs] + [(path, CLINICAL_COLUMNS) for path in clinical]


def _check_counted_once(paths: list[Path]) -> None:
    for path in paths:
        if path.with_name(path.name + ".gz") in paths:
            raise InputError(f"{path}: {path.name}.gz is there too, so its rows would count twice: keep one of the two")


def _copied(sources: list[tuple[Path, Columns]], build: Path) -> list[Raw]:
    # Headers first, so that a missing column is reported before a gigabyte is copied.
    for source, needs in sources:
        _check_columns(source, needs)
    return [_copy(source, build / source.name) for source, _ in sources]


def _copy(source: Path, target: Path) -> Raw:
    """Copy and hash. Not a hard link, because caching an output would make the user's file read-only too."""
    size = source.stat().st_size
    digest = hashlib.md5(usedforsecurity=False)
    with (
        disk_full_is_named(target, size),
        source.open("rb") as file,
        target.open("wb") as copy,
        tqdm(desc=source.name, unit="B", unit_scale=True, unit_divisor=1024, total=size) as bar,
    ):
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            copy.write(chunk)
            bar.update(len(chunk))
    md5 = digest.hexdigest()
    return Raw(source.name, md5, target.stat().st_size, None, _content_md5(target, md5, shown=source))


def _content_md5(path: Path, md5: str, shown: Path) -> str:
    """The md5 of the content of ``path``. A gzip file is read to its end, so its checksums are verified too."""
    with path.open("rb") as file:
        if file.read(len(_GZIP_MAGIC)) != _GZIP_MAGIC:
            return md5
        file.seek(0)
        digest = hashlib.md5(usedforsecurity=False)
        counted = tqdm.wrapattr(file, "read", total=path.stat().st_size, desc=f"check {path.name}")
        try:
            with counted as packed, gzip.GzipFile(fileobj=packed) as content:
                while chunk := content.read(_CHUNK_BYTES):
                    digest.update(chunk)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{shown}: the gzip file is truncated or damaged ({error}): get it again") from error
    return digest.hexdigest()


def _check_columns(path: Path, needs: Columns) -> None:
    header = delimited.header(path).names
    if lacking := _lacking(header, needs):
        shown = ", ".join(header[:12]) + (", ..." if len(header) > 12 else "")
        raise InputError(f"{path}: has no column {lacking}; its columns are: {shown}. Give a file that has it")


def _lacking(header: Sequence[str], needs: Columns) -> str:
    return ", ".join(" or ".join(names) for names in needs if not set(names) & set(header))
