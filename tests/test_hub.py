"""Publishing: complete folders, one atomic push, and the read-back, over HTTP through an unmodified huggingface_hub."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from cancertype.errors import InputError
from cancertype.prediction import manifest
from cancertype.publishing import hub
from cancertype.publishing.settings import Publish
from cancertype.tables.parquet import write_parquet

from .hub_server import DROP, READ_TOKEN, WRITE_TOKEN, Blob, HubServer

ROOT = Path(__file__).parents[1]
REPO = "lab/cancers"
PROMPT = "BRAF V600E, CDKN2A R80*\ncancer:"
OPEN = {"name": "TCGA", "terms": None}
RESTRICTED = {"name": "DepMap 25Q3", "terms": "no training of models for commerce"}
CARD = "---\nlicense: gemma\ntags:\n- cancertype\n---\n\n# Cancers\n"

# The client reads HF_ENDPOINT and HF_HUB_DISABLE_XET when it is imported, hence a process of its own. It answers each
# line of JSON with one: a receipt, or {"error": message}.
CLIENT = """
import json, os, sys
from pathlib import Path
from cancertype.errors import InputError
from cancertype.publishing import hub

def refuse(snapshot):
    raise InputError("the check said no")

def push(folder, reference=None, verify=None, **wish):
    checks = {
        None: lambda: None,
        "logits": lambda: hub.same_logits(Path(reference), ["BRAF V600E, CDKN2A R80*", "KRAS G12D"]),
        "rows": lambda: hub.same_rows(Path(folder)),
        "refuse": lambda: refuse,
    }
    try:
        return hub.push(Path(folder), verify=checks[verify](), **wish).to_dict()
    except InputError as error:
        return {"error": str(error)}

def load(name, revision):
    import datasets
    return datasets.load_dataset(name, revision=revision)["test"].to_dict()

for line in sys.stdin:
    wish = json.loads(line)
    os.environ["HF_TOKEN"] = wish.pop("token") or ""
    print(json.dumps((load if "revision" in wish else push)(**wish)), flush=True)
"""


def client_environment(home: Path, endpoint: str) -> dict[str, str]:
    """The environment of a process that talks to the server at ``endpoint`` and to no other Hub."""
    kept = {key: value for key, value in os.environ.items() if not key.upper().startswith(("HF_", "HUGGING"))}
    ours = {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PYTHONPATH": str(ROOT),
    }
    return kept | ours


def start_client(home: Path, endpoint: str, **more: str) -> subprocess.Popen:
    pipe, environment = subprocess.PIPE, client_environment(home, endpoint) | more
    return subprocess.Popen([sys.executable, "-c", CLIENT], stdin=pipe, stdout=pipe, env=environment, text=True)


@pytest.fixture(scope="module")
def running_server():
    with HubServer() as server:
        yield server


@pytest.fixture(scope="module")
def client(running_server, tmp_path_factory):
    with start_client(tmp_path_factory.mktemp("hf"), running_server.endpoint) as client:
        yield client
        client.stdin.close()


@pytest.fixture
def server(running_server):
    running_server.reset()
    return running_server


def ask(client: subprocess.Popen, token: str | None = WRITE_TOKEN, **wish) -> dict:
    print(json.dumps({"token": token} | wish), file=client.stdin, flush=True)
    return json.loads(client.stdout.readline())


@pytest.fixture
def push(client):
    """Push a folder from the client's process: the receipt, or ``{"error": message}``."""

    def push(folder: Path, **more) -> dict:
        return ask(client, **wish(folder, **more))

    return push


def wish(folder: Path, **more) -> dict:
    return {"folder": str(folder), "repo_id": REPO, "private": True, "repo_type": "model", "sources": [OPEN]} | more


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a card, a small file that the Hub keeps in git, and a large one that it keeps in LFS."""
    folder = tmp_path / "folder"
    (folder / "trees").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    (folder / "trees" / "trees.txt.gz").write_text("tree\n")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 4000)
    return folder


def local_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# ------------------------------------------------------------------------------------------------- the round trip


def test_a_model_makes_the_round_trip_and_gives_the_same_logits(push, server, tiny_gemma3, tmp_path):
    out = tmp_path / "hub"
    config = tmp_path / "prediction.json"
    config.write_text("{}")
    hub.assemble(out, merged=tiny_gemma3, files={"prediction.json": config}, card=CARD, texts={"NOTICE.md": "Gemma"})

    receipt = push(out, verify="logits", reference=str(tiny_gemma3))

    assert receipt["repo_id"] == REPO
    assert receipt["commit"] == server.repositories["model", REPO].head.oid
    assert receipt["url"] == f"{server.endpoint}/{REPO}/tree/{receipt['commit']}"
    assert {"config.json", "tokenizer.json", "model.safetensors", "prediction.json", "NOTICE.md"} <= local_files(out)
    assert server.visible(REPO) == local_files(out) == {file["path"] for file in receipt["files"]}
    for file in receipt["files"]:
        data = (out / file["path"]).read_bytes()
        framed = data if file["algorithm"] == "sha256" else b"blob %d\0" % len(data) + data
        assert file["hash"] == hashlib.new(file["algorithm"].removeprefix("git-"), framed).hexdigest()
        assert file["bytes"] == len(data)
    assert server.asked("object") > 0, "the weights were never downloaded again"


def test_other_weights_do_not_pass_for_the_same(tiny_gemma3, tmp_path):
    from safetensors.torch import load_file, save_file

    changed = tmp_path / "changed"
    hub.assemble(changed, merged=tiny_gemma3, files={}, card=CARD)
    weights = load_file(changed / "model.safetensors")
    weights["model.norm.weight"] += 0.1
    save_file(weights, changed / "model.safetensors", metadata={"format": "pt"})
    verify = hub.same_logits(tiny_gemma3, [PROMPT])

    verify(tiny_gemma3)
    with pytest.raises(InputError, match=r"is not the one in .* logits differ by up to"):
        verify(changed)


def test_a_push_is_one_commit_and_a_rerun_makes_none(push, server, folder):
    first, second = push(folder), push(folder)

    commits = server.repositories["model", REPO].commits
    assert [commit.message for commit in commits] == ["initial commit", "Publish from cancertype"]
    assert first == second
    assert server.asked("upload") == 1


def test_a_changed_folder_replaces_what_was_there_in_one_commit(push, server, folder):
    push(folder)
    (folder / "trees" / "trees.txt.gz").rename(folder / "trees.txt.gz")
    (folder / "README.md").write_text(CARD + "More.\n")

    receipt = push(folder)

    repository = server.repositories["model", REPO]
    assert "error" not in receipt
    assert len(repository.commits) == 3
    assert server.visible(REPO) == {"README.md", "model.safetensors", "trees.txt.gz"}
    assert repository.head.tree["README.md"].data.endswith(b"More.\n")
    assert server.asked("upload") == 1, "weights that the Hub had already were sent again"


def test_the_commit_of_a_released_version_is_tagged_and_the_tag_never_moves(push, server, folder):
    receipt = push(folder, tags=["v0.4.0"])
    assert "error" not in receipt and "error" not in push(folder, tags=["v0.4.0"])
    assert server.repositories["model", REPO].tags == {"v0.4.0": receipt["commit"]}
    (folder / "README.md").write_text(CARD + "More.\n")
    assert "its tag v0.4.0 is at commit" in push(folder, tags=["v0.4.0"])["error"]
    assert server.repositories["model", REPO].tags == {"v0.4.0": receipt["commit"]}


def test_the_adapter_has_a_folder_of_its_own_that_peft_loads_onto_the_hubs_base(tiny_gemma3, tmp_path, monkeypatch):
    import torch
    from peft import AutoPeftModelForCausalLM
    from safetensors.torch import load_file, save_file
    from transformers import AutoModelForCausalLM

    from cancertype.language_model import adapter_weights
    from cancertype.language_model.loading import load_model
    from cancertype.scoring.merging import with_adapter
    from tests.test_merging import make_adapter

    tied = {"task_type": "CAUSAL_LM", "modules_to_save": ["embed_tokens"], "ensure_weight_tying": True}
    adapter = make_adapter(tiny_gemma3, tmp_path / "adapter", **tied)
    weights = adapter_weights.stored_once(load_file(adapter / adapter_weights.WEIGHTS))
    assert adapter_weights.EMBEDDING in weights and adapter_weights.HEAD not in weights, "stored once"
    save_file(weights, adapter / adapter_weights.WEIGHTS, metadata={"format": "pt"})
    config = json.loads((adapter / "adapter_config.json").read_text())
    config |= {"base_model_name_or_path": "gemma-3-270m", "revision": "sha256:abc"}
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    (adapter / "training.json").write_text(json.dumps({"base": {"id": "gemma-3-270m"}}))

    out = tmp_path / "out"
    hub.assemble_lora(out, adapter=adapter, base="google/gemma-3-270m", terms=tiny_gemma3, card=CARD)
    manifest.check(out)
    config = json.loads((out / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("google/gemma-3-270m", None)

    of_hub = AutoModelForCausalLM.from_pretrained

    def from_hub(name, *arguments, **options):
        assert name == "google/gemma-3-270m"
        return of_hub(tiny_gemma3, *arguments, **options)

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", from_hub)
    monkeypatch.setattr("peft.auto.check_file_exists_on_hf_hub", lambda *_, **__: False)
    loaded = AutoPeftModelForCausalLM.from_pretrained(out).eval()
    monkeypatch.undo()
    ours = with_adapter(load_model(tiny_gemma3, dtype="float32", device="cpu"), adapter)
    tokens = torch.arange(3, 20)[None]
    with torch.inference_mode():
        assert torch.allclose(loaded(input_ids=tokens).logits, ours(input_ids=tokens).logits, atol=1e-5)


ASKED = """
import sys
from pathlib import Path
from cancertype.errors import InputError
from cancertype.finetune.adapter import resolve
from cancertype.language_model.conversion import local_folder

for ask in (lambda name: resolve(name, None), lambda name: local_folder(name, sys.argv[2] or None)):
    try:
        print(sorted(path.name for path in ask(sys.argv[1]).iterdir()))
    except InputError as error:
        print(error)
"""


def test_an_adapter_to_continue_from_and_a_model_are_fetched_by_their_id(push, server, folder, tmp_path):
    for name in ("adapter_model.safetensors", "adapter_config.json", "training.json"):
        (folder / name).write_text("{}")
    commit = push(folder)["commit"]

    def ask(name: str, revision: str = "") -> list[str]:
        environment = client_environment(tmp_path / "hf", server.endpoint) | {"HF_TOKEN": READ_TOKEN}
        done = subprocess.run(
            [sys.executable, "-c", ASKED, name, revision], env=environment, text=True, capture_output=True, check=True
        )
        return done.stdout.splitlines()

    adapter, whole = ask(REPO, commit)
    assert adapter == "['adapter_config.json', 'adapter_model.safetensors', 'training.json']", "the adapter alone"
    assert "README.md" in whole and "model.safetensors" in whole
    refused, absent = ask("lab/none")
    assert "lab/none is not on the Hub, or is private: check train.continue_from" in refused and "HF_TOKEN" in refused
    assert "lab/none" in absent


def test_a_dataset_is_loaded_from_the_hub_by_its_name(push, client, server, tmp_path):
    splits = {}
    for split, n in (("train", 6), ("validation", 2), ("test", 3)):
        splits[split] = tmp_path / f"{split}.parquet"
        rows = {"text": [f"{split} {i}" for i in range(n)], "subclass": ["BRCA"] * n}
        write_parquet(pa.table(rows), splits[split])
    files = [{"split": split, "path": f"data/{split}.parquet"} for split in splits]
    metadata = json.dumps({"configs": [{"config_name": "default", "data_files": files}], "tags": ["cancertype"]})
    out = tmp_path / "dataset"
    hub.assemble_dataset(out, splits=splits, card=f"---\n{metadata}\n---\n\n# Texts\n")

    receipt = push(out, repo_type="dataset", verify="rows")
    loaded = ask(client, name=REPO, revision=receipt["commit"])

    assert server.visible(REPO, "dataset") == {"README.md", *(file["path"] for file in files)}
    assert loaded == {"text": ["test 0", "test 1", "test 2"], "subclass": ["BRCA"] * 3}


# -------------------------------------------------------------------------------------------- who may see what


def test_a_repository_is_private_by_default(push, server, folder):
    assert Publish().private is True
    assert push(folder, private=Publish().private)["private"] is True
    assert server.repositories["model", REPO].private


def test_a_public_repository_opens_only_after_the_check(push, server, folder):
    refused = push(folder, private=False, verify="refuse")
    assert refused["error"] == "the check said no"
    assert server.repositories["model", REPO].private, "an unchecked model was shown to everybody"

    assert push(folder, private=False)["private"] is False
    assert not server.repositories["model", REPO].private


def test_a_public_repository_is_not_filled_when_a_private_one_is_asked_for(push, server, folder):
    server.create(REPO, private=False)

    assert "is public, but publish.private is true" in push(folder)["error"]
    assert server.visible(REPO) == set()


def test_files_of_somebody_else_are_not_deleted(push, server, folder):
    repository = server.create(REPO)
    repository.add(repository.head.tree | {"thesis.txt": Blob(b"years of work")}, "mine")

    assert "holds files that did not come from here (thesis.txt)" in push(folder)["error"]
    assert server.visible(REPO) == {"thesis.txt"}


@pytest.mark.parametrize(
    ("private", "allowed", "sources", "refused"),
    [
        (False, False, [OPEN, RESTRICTED], True),
        (False, True, [OPEN, RESTRICTED], False),
        (True, False, [OPEN, RESTRICTED], False),
        (False, False, [OPEN], False),
    ],
)
def test_restricted_data_is_not_published_openly_without_leave(private, allowed, sources, refused):
    if refused:
        with pytest.raises(InputError, match=r"DepMap 25Q3 \(no training.*publish.allow_restricted_terms"):
            hub.refuse_restricted_terms(sources, private=private, allowed=allowed)
    else:
        hub.refuse_restricted_terms(sources, private=private, allowed=allowed)


def test_restricted_terms_stop_a_push_before_the_first_request(push, server, folder):
    assert "restrictive terms" in push(folder, private=False, sources=[RESTRICTED])["error"]
    assert server.requests == []


@pytest.mark.parametrize("repo_id", ["cancers", "a/b/c", "lab/", "/x", "https://huggingface.co/lab/x"])
def test_a_repository_id_without_owner_and_name_is_refused(repo_id):
    with pytest.raises(ValueError, match="owner/name"):
        Publish(repo_id=repo_id)


# --------------------------------------------------------------------------------------------- what can go wrong


def test_without_a_token_nothing_is_asked(push, server, folder):
    assert "HF_TOKEN is not set" in push(folder, token=None)["error"]
    assert server.requests == []


@pytest.mark.parametrize(
    ("token", "message"),
    [("hf_wrong", "the Hub answered 401.*HF_TOKEN is not valid"), (READ_TOKEN, "the Hub answered 403.*may not write")],
)
def test_a_wrong_or_weak_token_is_named_but_not_shown(push, server, folder, token, message):
    server.create(REPO)

    error = push(folder, token=token)["error"]

    assert token not in error
    assert_matches(message, error)
    assert server.visible(REPO) == set()


def test_a_namespace_of_somebody_else_is_refused(push, server, folder):
    assert_matches("^google/cancers: the Hub answered 403", push(folder, repo_id="google/cancers")["error"])
    assert server.repositories == {}


def test_without_a_network_the_address_is_to_be_checked(folder, tmp_path):
    with HubServer() as gone:
        endpoint = gone.endpoint
    with start_client(tmp_path / "hf", endpoint) as client:
        assert_matches("could not be reached.*HF_ENDPOINT.*Run it again", ask(client, **wish(folder))["error"])
        client.stdin.close()


def test_offline_mode_is_named(server, folder, tmp_path):
    with start_client(tmp_path / "hf", server.endpoint, HF_HUB_OFFLINE="1") as client:
        assert "HF_HUB_OFFLINE is set" in ask(client, **wish(folder))["error"]
        client.stdin.close()
    assert server.requests == []


def test_a_commit_of_somebody_else_during_the_push_is_a_conflict(push, server, folder):
    def somebody_commits() -> None:
        repository = server.repositories["model", REPO]
        repository.add(repository.head.tree | {"theirs.txt": Blob(b"theirs")}, "theirs")

    server.before_commit = somebody_commits

    assert_matches("the Hub answered 412.*somebody committed", push(folder)["error"])
    assert server.visible(REPO) == {"theirs.txt"}


@pytest.mark.parametrize(
    ("route", "status", "message"),
    [
        ("preupload", 409, "another operation"),
        ("upload", 403, "the Hub answered 403"),
        ("commit", 409, "another operation"),
        ("commit", 500, "the Hub itself is in trouble"),
        ("commit", DROP, "could not be reached"),
    ],
)
def test_after_a_failure_nothing_is_visible_and_a_rerun_finishes(push, server, folder, route, status, message):
    server.create(REPO)
    server.fail(route, status)

    assert_matches(f"{message}.*Run it again to finish", push(folder)["error"])
    assert server.visible(REPO) == set()
    assert "error" not in push(folder)
    assert server.visible(REPO) == local_files(folder)
    assert len(server.repositories["model", REPO].commits) == 2


def test_a_line_that_breaks_once_during_the_upload_is_survived(push, server, folder):
    server.fail("upload", DROP)

    assert "error" not in push(folder)
    assert server.asked("upload") == 2
    assert server.visible(REPO) == local_files(folder)


def test_a_push_killed_during_the_upload_leaves_nothing_and_a_rerun_finishes(push, server, folder, tmp_path):
    server.uploads_may_end.clear()
    killed = start_client(tmp_path / "hf", server.endpoint)
    print(json.dumps({"token": WRITE_TOKEN} | wish(folder)), file=killed.stdin, flush=True)
    assert server.upload_started.wait(timeout=60)
    killed.kill()
    killed.communicate()
    server.uploads_may_end.set()

    assert server.visible(REPO) == set()
    assert "error" not in push(folder)
    assert server.visible(REPO) == local_files(folder)


def test_a_commit_whose_answer_was_lost_is_not_made_twice(push, server, folder):
    server.fail("commit", DROP, applied=True)

    assert_matches("all of it is there or nothing is", push(folder)["error"])
    receipt = push(folder)

    repository = server.repositories["model", REPO]
    assert receipt["commit"] == repository.head.oid
    assert len(repository.commits) == 2


def test_a_download_that_is_not_what_was_sent_is_found(push, server, folder):
    def rot() -> None:
        server.objects = {oid: bytes(len(data)) for oid, data in server.objects.items()}

    server.after_commit = rot
    error = push(folder, verify="refuse")["error"]
    assert_matches("download of commit .* is damaged.*model.safetensors", error)


def test_a_file_that_the_hub_left_out_is_found(push, server, folder):
    def lose() -> None:
        del server.repositories["model", REPO].head.tree["trees/trees.txt.gz"]

    server.after_commit = lose
    assert_matches(r"not what was sent.*missing: \['trees/trees.txt.gz'\]", push(folder)["error"])


def test_a_card_that_the_hub_refuses_is_named(push, server, folder):
    (folder / "README.md").write_text("---\ntags: [\n---\n")
    assert_matches("the Hub answered 400 .*tags: .*correct what was sent", push(folder)["error"])
    assert server.visible(REPO) == set()


def assert_matches(pattern: str, text: str) -> None:
    assert re.search(pattern, text, re.DOTALL), text


# ------------------------------------------------------------------------------------------------- the folder


def copy_of(model: Path, folder: Path) -> Path:
    folder.mkdir()
    for path in model.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def in_shards(folder: Path) -> Path:
    """Cut the model's weights into two files with an index."""
    from safetensors.numpy import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    parts = {"model-00001-of-00002.safetensors": names[:10], "model-00002-of-00002.safetensors": names[10:]}
    for file, keys in parts.items():
        save_file({key: weights[key] for key in keys}, folder / file, metadata={"format": "pt"})
    weight_map = {key: file for file, keys in parts.items() for key in keys}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return folder


def test_weights_in_several_files_with_their_index_are_complete(tiny_gemma3, tmp_path):
    merged = in_shards(copy_of(tiny_gemma3, tmp_path / "merged"))

    hub.assemble(tmp_path / "hub", merged=merged, files={}, card=CARD)

    hub.same_logits(tiny_gemma3, [PROMPT])(tmp_path / "hub")


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("model.safetensors.index.json", "neither one model.safetensors nor an index"),
        ("model-00002-of-00002.safetensors", "names .*00002-of.*the folder holds"),
    ],
)
def test_weights_in_several_files_need_all_and_their_index(tiny_gemma3, tmp_path, lost, message):
    merged = in_shards(copy_of(tiny_gemma3, tmp_path / "merged"))
    (merged / lost).unlink()
    with pytest.raises(InputError, match=message):
        hub.assemble(tmp_path / "hub", merged=merged, files={}, card=CARD)
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize("lost", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"])
def test_a_model_that_lacks_a_file_is_not_assembled(tiny_gemma3, tmp_path, lost):
    merged = copy_of(tiny_gemma3, tmp_path / "merged")
    (merged / lost).unlink()
    with pytest.raises(InputError, match=lost):
        hub.assemble(tmp_path / "hub", merged=merged, files={}, card=CARD)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", b"\x08\x00\x00\x00\x00\x00\x00\x00{", "not a whole safetensors file"),
        ("tokenizer.json", b"{}", "transformers cannot load it"),
        ("config.json", b'{"model_type": "gemma3_text", "vocab_size": 10}', "tokenizer knows .* the embedding 10"),
    ],
)
def test_a_broken_file_is_named(tiny_gemma3, tmp_path, name, content, message):
    merged = copy_of(tiny_gemma3, tmp_path / "merged")
    (merged / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        hub.assemble(tmp_path / "hub", merged=merged, files={}, card=CARD)


def test_a_failed_assembly_leaves_the_folder_that_was_there(tiny_gemma3, tmp_path):
    out = tmp_path / "hub"
    hub.assemble(out, merged=tiny_gemma3, files={}, card=CARD)
    before = {path: path.read_bytes() for path in out.iterdir()}

    with pytest.raises(InputError, match=r"prediction.json: no such file.*run the stage that writes it"):
        hub.assemble(out, merged=tiny_gemma3, files={"prediction.json": tmp_path / "prediction.json"}, card="other")

    assert {path: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["hub"]


def test_a_new_assembly_keeps_nothing_of_the_old(tiny_gemma3, tmp_path):
    out, extra = tmp_path / "hub", tmp_path / "extra.json"
    extra.write_text("{}")
    hub.assemble(out, merged=tiny_gemma3, files={"old/extra.json": extra}, card="one")
    hub.assemble(out, merged=tiny_gemma3, files={"extra.json": extra}, card="two")

    assert (out / "README.md").read_text() == "two"
    of_model = {path.name for path in tiny_gemma3.iterdir()} - {"base.json"}
    assert local_files(out) == of_model | {"extra.json", "README.md", "manifest.json"}


def test_only_a_models_own_files_leave_a_base_folder(tiny_gemma3, tmp_path):
    merged, secret = copy_of(tiny_gemma3, tmp_path / "merged"), tmp_path / "id_rsa"
    secret.write_text("private")
    for name in (".env", "modeling_x.py", "notes.txt", "training_args.bin", "configuration.yaml"):
        (merged / name).write_text("secret")
    (merged / "id_rsa").symlink_to(secret)
    (merged / "more").mkdir()
    (merged / "NOTICE.md").write_text("Gemma")
    left_out = hub.assemble(tmp_path / "hub", merged=merged, files={}, card=CARD)
    strange = {".env", "modeling_x.py", "notes.txt", "training_args.bin", "configuration.yaml", "id_rsa", "more"}
    assert set(left_out) == strange | {"base.json"}
    assert "NOTICE.md" in local_files(tmp_path / "hub")
    assert not any(b"secret" in path.read_bytes() for path in (tmp_path / "hub").rglob("*") if path.is_file())


def test_a_link_out_of_the_folder_is_not_followed(tiny_gemma3, tmp_path):
    merged, secret = copy_of(tiny_gemma3, tmp_path / "merged"), tmp_path / "id_rsa"
    secret.write_text("private")
    (merged / "LICENSE").symlink_to(secret)
    with pytest.raises(InputError, match=r"LICENSE: is a link to .*id_rsa"):
        hub.assemble(tmp_path / "hub", merged=merged, files={}, card=CARD)


def test_a_link_into_a_cache_is_followed(tiny_gemma3, tmp_path):
    merged, stored = copy_of(tiny_gemma3, tmp_path / "merged"), tmp_path / "cache" / ("0f" * 15)
    stored.parent.mkdir()
    (merged / "model.safetensors").rename(stored)
    (merged / "model.safetensors").symlink_to(stored)
    hub.assemble(tmp_path / "hub", merged=merged, files={}, card=CARD)
    assert not (tmp_path / "hub" / "model.safetensors").is_symlink()


def test_a_configuration_is_published_without_the_folder_that_it_was_loaded_from(tiny_gemma3, tmp_path):
    merged = copy_of(tiny_gemma3, tmp_path / "merged")
    config = json.loads((merged / "config.json").read_text()) | {"_name_or_path": "/home/ann/gemma"}
    (merged / "config.json").write_text(json.dumps(config))
    hub.assemble(tmp_path / "hub", merged=merged, files={}, card=CARD)
    published = json.loads((tmp_path / "hub" / "config.json").read_text())
    assert published == config | {"_name_or_path": "(a local path)"}
    assert (tmp_path / "hub" / "tokenizer_config.json").read_bytes() == (merged / "tokenizer_config.json").read_bytes()


@pytest.fixture
def adapter(tmp_path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "/home/ann/base", "r": 8}')
    record = {"base": {"id": "gemma-3-270m", "sha256": {}}, "continued_from": {"name": "/home/ann/adapter"}}
    (folder / "training.json").write_text(json.dumps(record))
    (folder / ".env").write_text("secret")
    return folder


def test_a_release_holds_the_adapter_and_a_manifest_and_no_local_path(published, adapter, tmp_path):
    out = tmp_path / "released"
    hub.assemble_adapter(out, published=published, adapter=adapter, largest=20 << 20)
    manifest.check(out, card=True)
    assert {"manifest.json", "prediction.json", "trees/trees.txt.gz", "adapter/training.json"} <= local_files(out)
    assert not local_files(out) & {"model.safetensors", "tokenizer.json", "config.json", "adapter/.env"}
    assert not any(b"/home/ann" in path.read_bytes() for path in (out / "adapter").iterdir())


def test_the_card_of_a_release_shows_no_code_for_merged_weights(published, adapter, tmp_path):
    template = (ROOT / "cancertype/publishing/model_card.md.j2").read_text()
    section = re.search(r"<!-- merged weights: begin -->.*?<!-- merged weights: end -->", template, re.DOTALL)[0]
    whole = tmp_path / "published"
    shutil.copytree(published, whole)
    (whole / "README.md").write_text(f"{CARD}{section}\n\n## How good it is\n\nIn {whole}.\n")
    hub.assemble_adapter(tmp_path / "released", published=whole, adapter=adapter, largest=20 << 20)
    assert (tmp_path / "released" / "README.md").read_text() == f"{CARD}## How good it is\n\nIn {tmp_path}/released.\n"


def test_a_damaged_model_is_not_released(published, adapter, tmp_path):
    damaged = tmp_path / "published"
    shutil.copytree(published, damaged)
    (damaged / "trees" / "trees.txt.gz").write_text("tree")
    with pytest.raises(InputError, match="damaged or edited"):
        hub.assemble_adapter(tmp_path / "released", published=damaged, adapter=adapter, largest=20 << 20)
    assert not (tmp_path / "released").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("training_args.bin", "is a pickle"),
        ("../prediction.json", "outside the Hub folder"),
        ("config.json", "from two places"),
        ("README.md", "from two places"),
    ],
)
def test_a_file_that_must_not_be_added_is_refused(tiny_gemma3, tmp_path, name, message):
    extra = tmp_path / "extra"
    extra.write_text("{}")
    with pytest.raises(InputError, match=message):
        hub.assemble(tmp_path / "hub", merged=tiny_gemma3, files={name: extra}, card=CARD)


def test_a_dataset_whose_card_names_absent_files_is_not_assembled(tmp_path):
    write_parquet(pa.table({"text": ["a"]}), tmp_path / "train.parquet")
    card = "---\nconfigs: [{config_name: default, data_files: [{split: test, path: data/test.parquet}]}]\n---\n"
    with pytest.raises(InputError, match="datasets cannot load it by its card"):
        hub.assemble_dataset(tmp_path / "out", splits={"train": tmp_path / "train.parquet"}, card=card)
    assert not (tmp_path / "out").exists()
