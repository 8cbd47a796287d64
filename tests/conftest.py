"""Fixtures shared by all tests: tiny real Gemma models, the packaged Gemma 3 270M, the real data when it is there."""

import json
import os
from pathlib import Path

import pytest

# An export takes ten seconds even of a tiny model: test_exported and test_released make theirs.
os.environ.setdefault("CANCERTYPE_RUNTIME", "torch")
# Tests run side by side, a process for each core: threads of one would only wait for those of another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
CORPUS = [
    "tumour female 143 mutations\nCA1 CG0 CT7 TA0 TC1 TG0 indel1\nR>H E>K\nTP53 R175H, KRAS G12D\ncancer: colon",
    "cell line male 512 mutations\nCA4 CG1 CT3 TA1 TC1 TG0 indel0\nG>V\nKEAP1 P67fs, STK11, TTN\ncancer: lung",
    "BRAF V600E, CDKN2A R80*, NRAS Q61R, melanoma thyroid breast kidney renal brain glioma stomach liver prostate",
    "KIPAN SARC SKCM KIRC GBMLGG STES BRCA THCA LIHC HNSC PAAD OV PRAD UCEC LAML COAD ACC LGG LUSC LUAD CESC PCPG",
]


LONGEST = ("test_end_to_end", "test_pipeline", "test_versions", "test_finetune", "test_released", "test_kill")
"""Files of minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: where files run side by side, none is then left over for one core at the end."""
    order = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes do not name a test: gzip writes the time into them, and processes side by side must agree on the names."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real tumours and cell lines beside the repository; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data at {SHARED_DATA}: this check runs where it is there")
    return SHARED_DATA


def _tiny_tokenizer(folder: Path) -> int:
    """Train a 600-token byte-level BPE with Gemma's special tokens; returns the vocabulary's size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<pad>", "<eos>", "<bos>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", unk_token="<unk>"
    )
    fast.save_pretrained(folder)
    return tokenizer.get_vocab_size()


def _tiny_model(folder: Path, family: str) -> Path:
    import torch
    from transformers import AutoModelForCausalLM, Gemma2Config, Gemma3TextConfig

    folder.mkdir(parents=True)
    shape = {
        "vocab_size": _tiny_tokenizer(folder),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "query_pre_attn_scalar": 16,
        "sliding_window": 64,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "bos_token_id": 2,
        "tie_word_embeddings": True,
        # The default of 0.02 makes logits so flat that wrong scoring would pass unseen.
        "initializer_range": 0.3,
    }
    config = Gemma3TextConfig(**shape) if family == "gemma3" else Gemma2Config(**shape, attn_implementation="eager")
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
    (folder / "base.json").write_text(json.dumps({"id": f"tiny-{family}", "revision": None, "licence": "none"}))
    return folder


@pytest.fixture(scope="session")
def tiny_gemma3(tmp_path_factory) -> Path:
    """Folder of a random 4-layer Gemma 3 text model (hidden 32, tied embeddings) with a small trained tokenizer."""
    return _tiny_model(tmp_path_factory.mktemp("tiny") / "gemma3", "gemma3")


@pytest.fixture(scope="session")
def tiny_gemma2(tmp_path_factory) -> Path:
    """The same shape as a Gemma 2 model, with its attention and logit soft-caps."""
    return _tiny_model(tmp_path_factory.mktemp("tiny") / "gemma2", "gemma2")


@pytest.fixture(scope="session")
def gemma_base(tmp_path_factory) -> Path:
    """Folder of the real Gemma 3 270M, converted once a session from the package that ships it (about a minute)."""
    from cancertype.language_model import conversion

    folder = tmp_path_factory.mktemp("gemma") / "base"
    conversion.fetch("gemma-3-270m", None, folder)
    return folder


@pytest.fixture(scope="session")
def gemma_tokenizer(request) -> Path:
    """The tokenizer file of Gemma 3 270M: the pipeline's own where that has run, else a converted one."""
    base = ROOT / "models" / "base"
    about = base / "base.json"
    if about.is_file() and json.loads(about.read_text())["id"] == "gemma-3-270m":
        return base / "tokenizer.json"
    return request.getfixturevalue("gemma_base") / "tokenizer.json"


@pytest.fixture(scope="session")
def published(tiny_gemma3, tmp_path_factory) -> Path:
    """Folder of a small published model that tells SKCM, COAD, OV and PRAD apart by two mutations each."""
    from .published_model import publish

    return publish(tmp_path_factory.mktemp("published") / "model", tiny_gemma3)
