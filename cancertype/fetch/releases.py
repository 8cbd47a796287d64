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
from collections import Counter
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
from ..sources import folder_files, layouts
from ..sources.settings import Locations, listed
from ..tables import delimited
from .download import DEFAULT_PATIENCE, NotServed, Patience, disk_full_is_named, download, public
from .settings import Cbioportal, DepMap, Table, Tcga

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
    """One file of a release; ``bytes`` is null where only its approximate size is known, and ``sha256`` is given where
    no md5 is known."""

    name: str
    url: str
    md5: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
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
    """Fill ``folder`` with a DepMap release's two files and ``source.json``, or with those of the first location that
    the settings name; of every further one, the folder beside it (``release-2`` beside ``release``).

    A folder given as location may hold other tables of the same lines: copy number, fusions, spectra, or MAFs with
    ModelIDs and a panel's genes.txt. Model.csv is needed once. Downloads, finished and unfinished, stay in ``scratch``,
    so that a second run fetches nothing again. Raises ``InputError`` for a release without a known address or with
    terms that limit training, unless ``location`` is given, and for a file that is missing, damaged, not the release's,
    or without a needed column. A folder given as ``location`` may describe its content in a ``source.json``
    (``About``), but known releases and their terms take precedence.
    """
    key, known = "data.depmap.location", catalogue("depmap")
    release, locals_ = known.named(settings.release), _locals(settings.location, key)
    taken = _depmap_files(
        [path for _, path in locals_ if path is not None], has_address=any(p is None for _, p in locals_)
    )
    remove_further(folder)
    if not locals_:
        _check_open(known, settings.release)
        with whole_folder(folder) as build:
            raws = _fetched(release.files, build, scratch, patience, _OR_A_FOLDER.format(key=key))
            _record("depmap", build, raws, _depmap_provenance(known, settings.release, raws, None))
    for target, (location, local) in zip(numbered(folder, len(locals_)), locals_, strict=True):
        with whole_folder(target) as build:
            if local is not None:
                raws = _copied(taken[local], build)
                about = _of_lines(known, settings.release, raws, _described(local))
            else:
                files = release.files if release else [File(name=n, url=n, md5=None, bytes=None) for n in DEPMAP_FILES]
                mirrored = _mirrored(files, location, key)
                raws = _fetched(mirrored, build, scratch, patience, _CORRECT_ADDRESS.format(key=key))
                about = _depmap_provenance(known, settings.release, raws, None)
            _record("depmap", build, raws, about)


def fetch_tcga(settings: Tcga, folder: Path, scratch: Path, *, patience: Patience = DEFAULT_PATIENCE) -> None:
    """Fill ``folder`` with TCGA's MAF, clinical table, arm calls and segments, or with what can be read of the first
    location that the settings name, and ``source.json``; of every further one, the folder beside it (``release-2``
    beside ``release``).

    In a folder, a MAF is a file named .maf or with the column Tumor_Sample_Barcode, and a clinical table is a file with
    the columns bcr_patient_barcode and acronym or type; ``sources.folder_files`` knows the rest. Other files are left
    out with a warning. MAFs need a clinical table in one of the folders. Raises ``InputError`` as ``fetch_depmap``
    does.
    """
    key, known = "data.tcga.location", catalogue("tcga")
    expected, locals_ = known.releases[0].files, _locals(settings.location, key)
    taken = _tcga_files(
        [path for _, path in locals_ if path is not None], has_address=any(p is None for _, p in locals_)
    )
    remove_further(folder)
    for target, (location, local) in zip(numbered(folder, len(locals_) or 1), locals_ or [(None, None)], strict=True):
        described = None
        with whole_folder(target) as build:
            if local is not None:
                raws, described = _copied(taken[local], build), _described(local)
            elif location is None:
                raws = _fetched(expected, build, scratch, patience, _OR_A_FOLDER.format(key=key))
            else:
                mirrored = _mirrored(expected, location, key)
                raws = _fetched(mirrored, build, scratch, patience, _CORRECT_ADDRESS.format(key=key))
            about = _identified(known, raws) or described or _unknown("tumours of patients, from the user", None)
            _record("tcga", build, raws, about)


def fetch_cbioportal(settings: Cbioportal, folder: Path) -> None:
    """Fill ``folder`` with the files of the first study that can be read and ``source.json``; of every further one, the
    folder beside it (``release-2`` beside ``release``).

    Raises ``InputError`` where no folder is named, or one holds no study.
    """
    key = "data.cbioportal.location"
    if settings.location is None:
        raise InputError(f"{key} is null: set it to a study's folder, or remove cbioportal from data.sources")
    studies = []
    for location, local in _locals(settings.location, key):
        if local is None:
            raise InputError(f"{key} {public(location)}: unpack the study, and give its folder")
        files = [(path, ()) for path in folder_files.study_files(local)]
        if not any(_holds_calls(path) for path, _ in files):
            raise InputError(
                f"{local}: neither data_mutations.txt nor a table that begins with STUDY_ID and SAMPLE_ID is there: "
                "give the folder of a cBioPortal study, or of its web download"
            )
        studies.append((local, files))
    remove_further(folder)
    for target, (local, files) in zip(numbered(folder, len(studies)), studies, strict=True):
        with whole_folder(target) as build:
            raws = _copied(files, build, local)
            _record("cbioportal", build, raws, _described(local) or _unknown("a cBioPortal study of the user", None))


def _holds_calls(path: Path) -> bool:
    return path.name.startswith("data_mutations") or (
        path.suffix != ".bed" and folder_files.kind_of(path) == folder_files.WEB_TABLE
    )


def numbered(folder: Path, n: int) -> list[Path]:
    """``folder`` and those beside it for further locations: release, release-2, release-3 ..."""
    return [folder, *(folder.with_name(f"{folder.name}-{number}") for number in range(2, n + 1))][:n]


def remove_further(folder: Path) -> None:
    """Remove what an earlier run with more locations left beside ``folder``."""
    for path in folder.parent.glob(f"{folder.name}-*"):
        if re.fullmatch(r"\d+", path.name.removeprefix(f"{folder.name}-")):
            shutil.rmtree(path)


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
    """The release that has these files by md5, whatever the settings call it and however the files are compressed. A
    file whose md5 is not known goes by its name, beside others that are known."""
    for release in known.releases:
        sums = {file.md5 for file in release.files}
        by_md5 = {raw.name for raw in raws if raw.md5 in sums or raw.content_md5 in sums}
        by_name = {file.name for file in release.files if file.md5 is None}
        if by_md5 and {raw.name for raw in raws} <= by_md5 | by_name:
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
        if file.md5 is None and file.sha256 is None:
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
    kept = scratch / (file.md5 or file.sha256 or "unverified") / file.name
    if file.sha256 is None or not (kept.is_file() and digest(kept, "sha256") == file.sha256):
        download(file.url, kept, md5=file.md5, size=file.bytes, partial=kept.parent, patience=patience)
        _check_sha256(file, kept)
    _check_columns(kept, _needed(file.name))
    target = build / file.name
    _link(kept, target)
    md5 = file.md5 or digest(target, "md5")
    content_md5 = md5 if file.md5 else _content_md5(target, md5, shown=kept)
    return Raw(file.name, md5, target.stat().st_size, public(file.url), content_md5)


def _check_sha256(file: File, kept: Path) -> None:
    if file.sha256 is not None and (found := digest(kept, "sha256")) != file.sha256:
        kept.unlink()
        raise NotServed(
            f"{public(file.url)}: {file.name} has the SHA-256 {found} and not {file.sha256}: try again; if this stays, "
            "the server has another version of the file"
        )


def _needed(name: str) -> Columns:
    if name in DEPMAP_FILES:
        return DEPMAP_FILES[name]
    if name.endswith((".maf", ".maf.gz")):
        return MAF_COLUMNS
    return CLINICAL_COLUMNS if name.startswith("clinical") else ()


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


def _locals(location: Locations, key: str) -> list[tuple[str, Path | None]]:
    """Each location with the folder that it names, None for an address. Raises ``InputError`` for one named twice."""
    found = [(each, _local(each, key)) for each in listed(location)]
    twice = [each for each, n in Counter(local.resolve() if local else each for each, local in found).items() if n > 1]
    if twice:
        raise InputError(f"{key} names {public(str(twice[0]))} twice: keep one")
    return found


_BESIDE = (*folder_files.COPY_NUMBER, folder_files.FUSIONS, folder_files.SPECTRA)
_OF_TUMOURS = (folder_files.MAF, folder_files.WEB_TABLE, *_BESIDE)
_OF_LINES = (folder_files.DEPMAP_MUTATIONS, folder_files.MAF, *_BESIDE)


def _tcga_files(folders: Sequence[Path], has_address: bool) -> dict[Path, list[tuple[Path, Columns]]]:
    """The files of each folder that can be read, and the columns that each needs."""
    taken, left_out = {}, {}
    more = (folder_files.SCREENED, folder_files.STUDY_CLINICAL)
    for folder in folders:
        files = folder_files.sorted_files(folder)
        clinical = {
            path: _lacking(delimited.header(path).names, CLINICAL_COLUMNS)
            for path in files.get(folder_files.CLINICAL, [])
        }
        left_out[folder] = [f"{path.name} has no column {lacking}" for path, lacking in clinical.items() if lacking]
        unused = [
            path
            for kind, paths in files.items()
            if kind not in (*_OF_TUMOURS, *more, folder_files.CLINICAL)
            for path in paths
        ]
        left_out[folder] += [f"{path.name} is no table that is used" for path in unused]
        taken[folder] = [(path, MAF_COLUMNS) for path in files.get(folder_files.MAF, [])]
        taken[folder] += [(path, CLINICAL_COLUMNS) for path, lacking in clinical.items() if not lacking]
        others = [kind for kind in (*_OF_TUMOURS, *more) if kind != folder_files.MAF]
        taken[folder] += [(path, ()) for kind in others for path in files.get(kind, [])]
    kinds = [needs for files in taken.values() for _, needs in files]
    for folder, files in taken.items():
        has_data = any(needs != CLINICAL_COLUMNS for _, needs in files)
        no_clinical = MAF_COLUMNS in (needs for _, needs in files) and CLINICAL_COLUMNS not in kinds and not has_address
        others = "; ".join(left_out[folder])
        if no_clinical or not (has_data or (files and len(folders) > 1)):
            what = "clinical table (columns bcr_patient_barcode, and acronym or type)" if has_data else "MAF"
            raise InputError(
                f"{folder}: has no {what}: put one there or correct data.tcga.location. {others}".strip(". ")
            )
        if others:
            _LOG.warning("%s: left out: %s", folder, others)
    return taken


def _depmap_files(folders: Sequence[Path], has_address: bool) -> dict[Path, list[tuple[Path, Columns]]]:
    """The files of each folder that can be read, and the columns that each needs."""
    taken: dict[Path, list[tuple[Path, Columns]]] = {}
    for folder in folders:
        named = {name: [p for p in (folder / name, folder / f"{name}.gz") if p.is_file()] for name in DEPMAP_FILES}
        for name in (name for name, paths in named.items() if len(paths) > 1):
            delimited.named_file(folder, name)
        files = folder_files.sorted_files(folder, lenient=True) if any(folder.iterdir()) else {}
        taken[folder] = [(paths[0], DEPMAP_FILES[name]) for name, paths in named.items() if paths]
        if not any(files.get(kind) for kind in _OF_LINES) and not (named["Model.csv"] and len(folders) > 1):
            delimited.named_file(folder, "OmicsSomaticMutations.csv")
        more = (folder_files.MAF, *_BESIDE, folder_files.SCREENED, folder_files.GENE_LIST)
        taken[folder] += [(path, ()) for kind in more for path in files.get(kind, [])]
    if folders and not has_address and not any(DEPMAP_FILES["Model.csv"] in (n for _, n in t) for t in taken.values()):
        delimited.named_file(folders[0], "Model.csv")
    return taken


def _of_lines(known: Catalogue, claimed: str, raws: list[Raw], described: About | None) -> About:
    """The origin of a folder of lines: a release's where it holds any of its files."""
    of_release = [raw for raw in raws if raw.name.removesuffix(".gz") in DEPMAP_FILES]
    if of_release or any(raw.name.startswith("Omics") for raw in raws):
        return _depmap_provenance(known, claimed, of_release or raws, described)
    return described or _unknown("tables of cell lines, from the user", None)


def _copied(sources: Sequence[tuple[Path, Columns]], build: Path, root: Path | None = None) -> list[Raw]:
    """Copy files into ``build``: by their names, or at the same place as below ``root``."""
    # Headers first, so that a missing column is reported before a gigabyte is copied.
    for source, needs in sources:
        _check_columns(source, needs)
    names = [source.relative_to(root).as_posix() if root else source.name for source, _ in sources]
    return [_copy(source, build / name, name) for (source, _), name in zip(sources, names, strict=True)]


def _copy(source: Path, target: Path, name: str) -> Raw:
    """Copy and hash. Not a hard link, because caching an output would make the user's file read-only too."""
    size = source.stat().st_size
    target.parent.mkdir(exist_ok=True)
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
    return Raw(name, md5, target.stat().st_size, None, _content_md5(target, md5, shown=source))


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
