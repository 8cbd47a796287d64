"""What is published: a complete Hub folder, one atomic push, and reading it back to prove what arrived."""

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import httpx
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.hf_api import RepoFile

from ..errors import InputError
from ..files import leads_elsewhere, whole_folder, write_json, write_text
from ..prediction import manifest
from ..prediction.manifest import CARD, MANIFEST, MODEL_FILE
from ..prediction.prediction_config import ADAPTER
from . import records, redaction

RepoType = Literal["model", "dataset"]

_TERMS = re.compile(r"(NOTICE|LICEN[CS]E|COPYING|GEMMA_TERMS|(PROHIBITED_)?USE_POLICY)[\w.-]*", re.IGNORECASE)
"""The texts of a base model's terms, which travel with it."""
_OF_ADAPTER = ("adapter_config.json", "adapter_model.safetensors", "training.json")
_WHOLE_RECORDS = ("training.json",)
_CONFIGURATIONS = ("config.json", "generation_config.json", "tokenizer_config.json", "adapter_config.json")
_PATH_KEYS = ("_name_or_path", "name_or_path", "base_model_name_or_path")
"""Where transformers and PEFT write down which folder a model was loaded from."""
TAG = "cancertype"
"""The tag of both cards. A repository that carries it was filled by this program and may be replaced by it."""

_OF_MERGED_WEIGHTS = re.compile(r"<!-- merged weights: begin -->.*?<!-- merged weights: end -->\n+", re.DOTALL)
"""What a card says of transformers, which loads no adapter by the name of our folder."""

_PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"}
_HUBS_OWN = {".gitattributes"}

_REMEDIES = {
    400: "correct what was sent as its answer says",
    401: "the token in HF_TOKEN is not valid: make one with write access at https://huggingface.co/settings/tokens "
    "and set HF_TOKEN to it",
    403: "the token in HF_TOKEN may not write there: use one with write access to this owner's repositories, or "
    "change the repository id",
    404: "there is no such repository, or HF_TOKEN may not see it: check the repository id and the token",
    409: "another operation on the repository is under way: wait for it to end",
    412: "somebody committed to it during the push: look at their commit",
    429: "too many requests: wait for a few minutes",
}
_WHOLE_OR_NOTHING = "A push is one commit: all of it is there or nothing is. Run it again to finish."


@dataclass(frozen=True)
class Receipt:
    """Proof of a push. ``files`` holds ``path``, ``bytes``, ``algorithm`` (sha256, or git-sha1 for files that the Hub
    keeps in git) and ``hash``, as the Hub gave them at ``commit``; ``committed`` is that commit's time (ISO 8601)."""

    repo_id: str
    repo_type: RepoType
    url: str
    commit: str
    committed: str
    private: bool
    files: tuple[dict, ...]

    def to_dict(self) -> dict:
        """The receipt as JSON holds it."""
        return asdict(self) | {"files": list(self.files)}


# ---------------------------------------------------------------------------------------------- the folder


def assemble(
    out: Path, *, merged: Path, files: Mapping[str, Path], card: str, texts: Mapping[str, str] | None = None
) -> list[str]:
    """Make ``out`` a complete Hub model folder with its manifest, whole or not at all, in place of what was there.

    ``merged`` gives weights, configuration, tokenizer and the texts of the base's terms, and nothing else: whatever
    else somebody put beside a base model stays where it is. Returns the names of what was left out. ``files`` maps a
    relative name in ``out`` to the file to put there (prediction config, trees, metrics). ``texts`` maps a name to the
    text itself (a licence's notice). ``card`` becomes README.md.

    Raises ``InputError`` where a file is missing, a pickle, or named twice, and where the result would not load.
    """
    merged = Path(merged)
    if not merged.is_dir():
        raise InputError(f"{merged}: no such folder; make the merged model first (stage merge)")
    present = {path.name: path for path in sorted(merged.iterdir())}
    contents = {name: path for name, path in present.items() if MODEL_FILE.fullmatch(name) or _TERMS.fullmatch(name)}
    texts = dict(texts or {}) | {CARD: card}
    twice = sorted(set(contents) & set(files) | (set(contents) | set(files)) & set(texts))
    if twice:
        raise InputError(f"{out}: {', '.join(twice)} would come from two places; give the added file another name")
    _build(Path(out), contents | dict(files), texts, check_complete, listed=True)
    return sorted(set(present) - set(contents) - {CARD})


def assemble_adapter(
    out: Path, *, published: Path, adapter: Path, largest: int, files: Mapping[str, Path] | None = None
) -> None:
    """Make ``out`` what ``published`` (made by ``assemble``) is, with the ``adapter`` instead of merged weights, and
    with ``files`` (name in ``out`` to path) beside it.

    Raises ``InputError`` where a file is missing or damaged, and where the result has more than ``largest`` bytes.
    """
    manifest.check(published)
    contents = {path.relative_to(published).as_posix(): path for path in sorted(published.rglob("*")) if path.is_file()}
    contents = {
        name: path
        for name, path in contents.items()
        if not MODEL_FILE.fullmatch(name) and name not in (CARD, MANIFEST) and not name.startswith(".")
    }
    contents |= {f"{ADAPTER}/{name}": Path(adapter) / name for name in _OF_ADAPTER} | dict(files or {})
    card = _OF_MERGED_WEIGHTS.sub("", (published / CARD).read_text(encoding="utf-8")).replace(str(published), str(out))

    def check(folder: Path) -> None:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if size > largest:
            raise InputError(
                f"{out}: would take {size / 2**20:.1f} MiB, more than the {largest / 2**20:.0f} MiB that may be "
                "committed: lower lora.r or tabular.trees"
            )

    _build(Path(out), contents, {CARD: card}, check, listed=True)


def assemble_dataset(
    out: Path, *, splits: Mapping[str, Path], card: str, files: Mapping[str, Path] | None = None
) -> None:
    """Make ``out`` a Hub dataset folder: ``data/<split>.parquet`` for each of ``splits``, ``files`` and the card.

    Raises ``InputError`` where a file is missing or ``datasets`` cannot read the result by its card.
    """
    contents = {f"data/{split}.parquet": Path(path) for split, path in splits.items()} | dict(files or {})
    _build(Path(out), contents, {CARD: card}, _rows, listed=False)


def assemble_lora(out: Path, *, adapter: Path, base: str | None, terms: Path, card: str) -> None:
    """Make ``out`` a Hub folder of the ``adapter`` alone, with its manifest, which PEFT loads onto the Hub model
    ``base``.

    ``base``: a Hub id; None leaves the name that the adapter has. ``terms``: a folder with the texts of the base's
    terms. Raises ``InputError`` where a file is missing or not readable.
    """
    adapter = Path(adapter)
    # PyTorch takes seconds to import.
    from ..language_model.adapter_weights import WEIGHTS, as_peft_wants_it

    config_name, *_ = _OF_ADAPTER
    contents = {path.name: path for path in sorted(Path(terms).iterdir()) if _TERMS.fullmatch(path.name)}
    config = records.read(adapter / config_name)
    config |= {key: redaction.public(config[key]) for key in _PATH_KEYS if key in config}
    if base is not None:
        # A packaged base is named by its file's hash, which is no revision on the Hub.
        of_hub = config.get("base_model_name_or_path") == base
        config |= {"base_model_name_or_path": base, "revision": config.get("revision") if of_hub else None}
    texts = {config_name: json.dumps(config, indent=2, sort_keys=True) + "\n", CARD: card}
    with as_peft_wants_it(adapter) as whole:
        contents |= {WEIGHTS: whole / WEIGHTS, "training.json": adapter / "training.json"}
        _build(Path(out), contents, texts, lambda _: None, listed=True)


def _build(
    out: Path,
    contents: Mapping[str, Path],
    texts: Mapping[str, str],
    check: Callable[[Path], None],
    *,
    listed: bool,
) -> None:
    """Copy ``contents``, write ``texts`` and, if ``listed``, the manifest, then ``check`` the folder."""
    with whole_folder(out) as beside:
        for name, path in contents.items():
            _copy(Path(path), beside, name)
        for name, text in texts.items():
            write_text(_target(beside, name), text)
        if listed:
            manifest.write(beside)
        check(beside)


def _copy(path: Path, folder: Path, name: str) -> None:
    if Path(name).suffix in _PICKLES:
        raise InputError(f"{path}: is a pickle, which runs code when it is loaded; publish safetensors or JSON instead")
    if not path.is_file():
        raise InputError(f"{path}: no such file, but the Hub folder needs it as {name}; run the stage that writes it")
    if leads_elsewhere(path):
        raise InputError(
            f"{path}: is a link to {os.readlink(path)}, whose content nobody chose to publish: put a file there"
        )
    target = _target(folder, name)
    if path.name in (*_WHOLE_RECORDS, *_CONFIGURATIONS):
        _copy_record(path, target)
    else:
        shutil.copyfile(path, target)


def _copy_record(path: Path, target: Path) -> None:
    """Copy JSON without passwords and local paths; byte for byte where it holds none."""
    record = records.read(path)
    if path.name in _WHOLE_RECORDS:
        public = redaction.public(record)
    elif isinstance(record, dict):
        public = record | {key: redaction.public(record[key]) for key in _PATH_KEYS if key in record}
    else:
        public = record
    if public == record:
        shutil.copyfile(path, target)
    else:
        write_json(target, public)


def _target(folder: Path, name: str) -> Path:
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise InputError(f"{name}: would be outside the Hub folder; use a relative name")
    target = folder / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def check_complete(folder: Path) -> None:
    """Raise ``InputError`` unless ``folder`` is a model that a stranger can load: card, configuration, all weights with
    their index if there are several files, and a tokenizer that returns what it was given and fits the embedding."""
    folder = Path(folder)
    for name, remedy in (
        (CARD, "render the card"),
        ("config.json", "merge again"),
        ("tokenizer.json", "save the tokenizer beside the weights"),
        ("tokenizer_config.json", "save the tokenizer beside the weights"),
    ):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: {name} is missing; {remedy}")
    _check_weights(folder)
    _check_loads(folder)


def _check_weights(folder: Path) -> None:
    from safetensors import SafetensorError, safe_open

    present = {path.name: path for path in sorted(folder.glob("*.safetensors"))}
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        if list(present) != ["model.safetensors"]:
            held = ", ".join(present) or "no weights"
            raise InputError(f"{folder}: holds {held}, but neither one model.safetensors nor an index; merge again")
        wanted = {}
    else:
        try:
            wanted = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{index}: damaged ({error}); merge again") from None
        if set(wanted.values()) != set(present):
            raise InputError(
                f"{index}: names {sorted(set(wanted.values()))}, the folder holds {sorted(present)}; merge again"
            )
    for name, path in present.items():
        try:
            with safe_open(path, framework="numpy") as tensors:
                keys = set(tensors.keys())
        except SafetensorError as error:
            raise InputError(f"{path}: not a whole safetensors file ({error}); merge again") from error
        lost = {key for key, shard in wanted.items() if shard == name} - keys
        if lost or not keys:
            raise InputError(
                f"{path}: lacks {len(lost)} tensors that it should hold, such as {min(lost, default='any')}"
            )


def _check_loads(folder: Path) -> None:
    from transformers import AutoConfig, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    # transformers raises whatever the broken part raises: OSError, KeyError, ValueError, tokenizers' bare Exception.
    except Exception as error:
        raise InputError(f"{folder}: transformers cannot load it ({error}); merge again") from error
    rows = config.get_text_config().vocab_size
    if len(tokenizer) > rows:
        raise InputError(f"{folder}: the tokenizer knows {len(tokenizer)} tokens, the embedding {rows}; merge again")
    sample = "TP53 R175H, KRAS G12D"
    returned = tokenizer.decode(tokenizer(sample)["input_ids"], skip_special_tokens=True)
    if returned != sample:
        raise InputError(f"{folder}: the tokenizer turns {sample!r} into {returned!r}; save the base's own tokenizer")


def _rows(folder: Path) -> dict[str, int]:
    """Configuration and split to number of rows, read by the card as ``datasets.load_dataset`` reads it."""
    from datasets import get_dataset_config_names, load_dataset
    from datasets.exceptions import DatasetGenerationError

    with tempfile.TemporaryDirectory() as cache:
        try:
            read = {
                name: load_dataset(str(folder), name, cache_dir=cache) for name in get_dataset_config_names(str(folder))
            }
            return {f"{name} {split}": len(rows) for name, splits in read.items() for split, rows in splits.items()}
        except (DatasetGenerationError, ValueError, OSError) as error:
            if _is_full_disk(error):
                raise InputError(f"{cache}: no space left on the disk: free some, or set TMPDIR to another") from error
            raise InputError(
                f"{folder}: datasets cannot load it by its card ({error}); make the splits again"
            ) from error


def _is_full_disk(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


# ------------------------------------------------------------------------------------------- what is checked


def same_logits(reference: Path, prompts: Sequence[str], *, tolerance: float = 1e-3) -> Callable[[Path], None]:
    """A check for ``push``: the uploaded model and tokenizer give ``reference``'s next-token logits for ``prompts``.

    Both are loaded in float32 on the CPU, as any user of the Hub would load them; ``tolerance`` is the largest absolute
    difference of a logit. The returned function raises ``InputError``.
    """
    import torch

    expected = _next_token_logits(reference, prompts)

    def verify(snapshot: Path) -> None:
        found = _next_token_logits(snapshot, prompts)
        worst = (found - expected).abs().max().item() if found.shape == expected.shape else float("inf")
        # A NaN compares false with everything, so the good case is the one that is asked for.
        if not (worst <= tolerance and bool(torch.isfinite(found).all())):
            raise InputError(
                f"the uploaded model is not the one in {reference}: logits differ by up to {worst:.3g} "
                f"(tolerance {tolerance:g}); assemble the folder again and push it"
            )

    return verify


def _next_token_logits(folder: Path, prompts: Sequence[str]):
    """Float32 logits (prompts, vocabulary) after each prompt's last token."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, trust_remote_code=False
    ).eval()
    with torch.inference_mode():
        return torch.stack([model(**tokenizer(prompt, return_tensors="pt")).logits[0, -1] for prompt in prompts])


def same_rows(reference: Path) -> Callable[[Path], None]:
    """A check for ``push``: ``datasets`` loads the uploaded folder and finds ``reference``'s splits and row counts."""
    expected = _rows(reference)

    def verify(snapshot: Path) -> None:
        found = _rows(snapshot)
        if found != expected:
            raise InputError(f"the uploaded dataset has rows {found}, {reference} has {expected}; push it again")

    return verify


def refuse_restricted_terms(sources: Sequence[Mapping], *, private: bool, allowed: bool) -> None:
    """Raise ``InputError`` where a public push would spread what came from data whose terms restrict it.

    ``sources`` are source.json records; a record's ``terms`` is null where nothing restricts its use.
    """
    restricted = [f"{source['name']} ({source['terms']})" for source in sources if source["terms"]]
    if restricted and not private and not allowed:
        raise InputError(
            f"not published: made from data with restrictive terms: {'; '.join(restricted)}. Set publish.private: "
            "true, or, if its owner has agreed, publish.allow_restricted_terms: true"
        )


# ------------------------------------------------------------------------------------------------- the push


def push(
    folder: Path,
    repo_id: str,
    *,
    private: bool,
    repo_type: RepoType,
    sources: Sequence[Mapping],
    allow_restricted_terms: bool = False,
    verify: Callable[[Path], None] | None = None,
    tags: Sequence[str] = (),
) -> Receipt:
    """Make the Hub repository ``repo_id`` hold exactly ``folder``, prove it, and return the receipt.

    A new repository is private until what arrived has been read back: every hash at the new commit is compared, a
    snapshot is downloaded, and ``verify(snapshot)`` may raise. What is there already is not committed again, so a rerun
    finishes what broke off and a finished one changes nothing. The token comes from HF_TOKEN, the Hub's address from
    HF_ENDPOINT. ``sources`` are the source.json records of the data (see ``refuse_restricted_terms``). ``tags`` are
    given to the commit once it is checked.

    Raises ``InputError``, with the remedy, for a missing, wrong or weak token, no connection, a conflict, a repository
    filled by somebody else, a public one where a private one was asked for, and an upload that is not what was sent.
    """
    folder = Path(folder)
    refuse_restricted_terms(sources, private=private, allowed=allow_restricted_terms)
    if not (folder / CARD).is_file():
        raise InputError(f"{folder}: not a Hub folder ({CARD} is missing); assemble it first")
    api = _api()
    with _explained(repo_id, _WHOLE_OR_NOTHING):
        repo_id = api.create_repo(repo_id, repo_type=repo_type, private=True, exist_ok=True).repo_id
        before = api.repo_info(repo_id, repo_type=repo_type)
        if private and not before.private:
            raise InputError(
                f"{repo_id}: is public, but publish.private is true; make it private on the Hub, or set it false"
            )
        commit = _commit(api, folder, repo_id, repo_type, before)
    with _explained(repo_id, f"Commit {commit} is there but was not checked. Run it again to check it."):
        files = _read_back(api, folder, repo_id, repo_type, commit)
    if verify is not None:
        _verify_snapshot(api, repo_id, repo_type, commit, verify)
    with _explained(repo_id, f"Commit {commit} is there and checked, but not all is done. Run it again."):
        if not private and before.private:
            api.update_repo_settings(repo_id, repo_type=repo_type, private=False)
        _tag(api, repo_id, repo_type, commit, tags)
        info = api.repo_info(repo_id, repo_type=repo_type, revision=commit)
    prefix = "datasets/" if repo_type == "dataset" else ""
    return Receipt(
        repo_id=repo_id,
        repo_type=repo_type,
        url=f"{api.endpoint}/{prefix}{repo_id}/tree/{commit}",
        commit=commit,
        committed=info.last_modified.isoformat(),
        private=info.private,
        files=files,
    )


def _tag(api: HfApi, repo_id: str, repo_type: RepoType, commit: str, tags: Sequence[str]) -> None:
    """Tag ``commit``. Raises ``InputError`` for a tag that stands at another one: a released version never moves."""
    there = {}
    if tags:
        there = {tag.name: tag.target_commit for tag in api.list_repo_refs(repo_id, repo_type=repo_type).tags}
    for tag in tags:
        if there.get(tag, commit) != commit:
            raise InputError(
                f"{repo_id}: its tag {tag} is at commit {there[tag]}, and this is {commit}; give the version another "
                "name, or delete the tag on the Hub"
            )
        if tag not in there:
            api.create_tag(repo_id, tag=tag, revision=commit, repo_type=repo_type)


def _api() -> HfApi:
    token = os.environ.get("HF_TOKEN", "").strip()
    if not token:
        raise InputError(
            "HF_TOKEN is not set: make a token with write access at https://huggingface.co/settings/tokens and export "
            "it as HF_TOKEN (it belongs in the environment, never in a file of the project)"
        )
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token, library_name="cancertype")


@dataclass(frozen=True)
class _Difference:
    """Paths that differ, that only the Hub has, and that only the folder has."""

    changed: list[str]
    remote_only: list[str]
    local_only: list[str]

    def __bool__(self) -> bool:
        return bool(self.changed or self.remote_only or self.local_only)


def _difference(api: HfApi, folder: Path, repo_id: str, repo_type: RepoType, commit: str) -> _Difference:
    compared = api.verify_repo_checksums(repo_id, repo_type=repo_type, local_dir=folder, revision=commit)
    return _Difference(
        changed=sorted(mismatch["path"] for mismatch in compared.mismatches),
        remote_only=sorted(set(compared.missing_paths) - _HUBS_OWN),
        # A snapshot in a local folder brings the client's own notes along.
        local_only=sorted(path for path in compared.extra_paths if not path.startswith(".cache/huggingface/")),
    )


def _commit(api: HfApi, folder: Path, repo_id: str, repo_type: RepoType, before) -> str:
    """Commit what differs, at once, on top of the head that was compared; returns the commit that holds ``folder``."""
    difference = _difference(api, folder, repo_id, repo_type, before.sha)
    if not difference:
        return before.sha
    if difference.remote_only and TAG not in (before.tags or []):
        raise InputError(
            f"{repo_id}: holds files that did not come from here ({', '.join(difference.remote_only[:5])}); choose "
            "another repository id, or delete them there first"
        )
    added = sorted(difference.changed + difference.local_only)
    operations = [CommitOperationDelete(path) for path in difference.remote_only]
    operations += [CommitOperationAdd(path, folder / path) for path in added]
    # Not upload_folder: with hf-xet it may cut a folder into several commits, and between two of them a reader would
    # see half a model. create_commit is one commit or none, and parent_commit refuses to bury somebody else's.
    return api.create_commit(
        repo_id,
        operations,
        commit_message=f"Publish from {TAG}",
        repo_type=repo_type,
        parent_commit=before.sha,
    ).oid


def _read_back(api: HfApi, folder: Path, repo_id: str, repo_type: RepoType, commit: str) -> tuple[dict, ...]:
    difference = _difference(api, folder, repo_id, repo_type, commit)
    if difference:
        raise InputError(
            f"{repo_id}: commit {commit} is not what was sent (differ: {difference.changed}, unexpected: "
            f"{difference.remote_only}, missing: {difference.local_only}); run it again"
        )
    tree = api.list_repo_tree(repo_id, repo_type=repo_type, revision=commit, recursive=True)
    files = [entry for entry in tree if isinstance(entry, RepoFile) and entry.path not in _HUBS_OWN]
    return tuple(_entry(file) for file in sorted(files, key=lambda file: file.path))


def _entry(file: RepoFile) -> dict:
    kept_in_git = file.lfs is None
    return {
        "path": file.path,
        "bytes": file.size,
        "algorithm": "git-sha1" if kept_in_git else "sha256",
        "hash": file.blob_id if kept_in_git else file.lfs.sha256,
    }


def _verify_snapshot(
    api: HfApi, repo_id: str, repo_type: RepoType, commit: str, verify: Callable[[Path], None]
) -> None:
    unchecked = f"Commit {commit} is there but was not checked. Run it again to check it."
    with tempfile.TemporaryDirectory(prefix="cancertype-") as folder:
        with _explained(repo_id, unchecked):
            snapshot = Path(api.snapshot_download(repo_id, repo_type=repo_type, revision=commit, local_dir=folder))
            difference = _difference(api, snapshot, repo_id, repo_type, commit)
            if difference:
                raise InputError(f"{repo_id}: the download of commit {commit} is damaged ({difference}). {unchecked}")
        verify(snapshot)


# ---------------------------------------------------------------------------------------------- what went wrong


@contextmanager
def _explained(repo_id: str, state: str) -> Iterator[None]:
    """Turn what the Hub's client raises into one ``InputError``: what, its remedy, and how things stand (``state``)."""
    try:
        yield
    except InputError:
        raise
    # The client wraps a failed transfer in RuntimeError, a refused card or id in ValueError, no network in OSError.
    except (httpx.HTTPError, OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{repo_id}: {_reason(error)}. {state}") from error


def _reason(error: BaseException) -> str:
    cause = _first_cause(error)
    if isinstance(cause, HfHubHTTPError):
        status = cause.response.status_code
        answer = cause.server_message or cause.response.reason_phrase
        remedy = _REMEDIES.get(status) or ("the Hub itself is in trouble: wait" if status >= 500 else "see its answer")
        return f"the Hub answered {status} ({answer}): {remedy}"
    if isinstance(cause, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set: unset it to publish"
    if isinstance(cause, httpx.TransportError):
        return (
            f"the Hub could not be reached ({cause or type(cause).__name__}): check the network, proxy and HF_ENDPOINT"
        )
    return f"the Hub's client gave up: {cause}"


def _first_cause(error: BaseException) -> BaseException:
    """The HTTP or network error behind the client's wrappers, or the error itself."""
    known = (HfHubHTTPError, httpx.TransportError, OfflineModeIsEnabled)
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, known):
        cause = cause.__cause__
    return cause or error
