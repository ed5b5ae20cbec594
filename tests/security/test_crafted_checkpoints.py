"""Checkpoints that an attacker crafted, for everything that takes one: refused in one line or taken as mere data.

Nothing of them runs (the canary), nothing outside the working folder is changed or read out (conftest).
"""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import crafted
import pytest
from crafted import DEEP, WEIGHTS, change, sign
from hostile import Call, files, refusal

from thaw.cli.main import main

PICKLES = {"plain": crafted.pickled, "torch": crafted.saved_by_torch}
TEXTS = {
    "deep": DEEP,
    "list": "[]",
    "null": "null",
    "cut": '{"a": NaN',
    "long": f'"{"x" * 10**6}"',
    "half": b"\xed\xa0\x80",
}


@pytest.fixture
def taken_nowhere(place: Path) -> Callable[[Path], list[str]]:
    """Give a folder to everything that takes one of its kind; return what each said."""
    from thaw.encoder import hub
    from thaw.encoder.export import export
    from thaw.job import predict

    (place / "x.jsonl").write_text('{"text": "the sun"}\n')

    def call(folder: Path) -> list[str]:
        said = [refusal(lambda: hub.read(folder)), refusal(lambda: hub.import_folder(folder, "out"))]
        if folder.name == "kept":
            said += [refusal(lambda: predict.run(str(folder), "x.jsonl")), refusal(lambda: export(folder, "out"))]
        assert not (place / "out").exists()
        return said

    return call


@pytest.mark.parametrize("case", ["a pickle", "a bomb", "a link", "a manifest that leads out"])
def test_the_commands(case: str, foreign: Path, kept: Path, easy: list[str], refused: Call, canary: Path) -> None:
    Path("x.jsonl").write_text('{"text": "the sun"}\n')
    for folder in (foreign, kept):
        if case == "a pickle":
            (folder / "model.safetensors").write_bytes(crafted.saved_by_torch(canary))
        elif case == "a bomb":
            (folder / "config.json").write_text(DEEP)
        elif case == "a link":
            (folder / "config.json").unlink()
            (folder / "config.json").symlink_to("../../outside/secret.txt")
    if case == "a manifest that leads out":
        (kept / "MANIFEST.json").write_text(json.dumps({"format": 1, "files": {"../x": "0"}}))
        (foreign / "model.safetensors").unlink()
    else:
        sign(kept)
    for folder in (foreign, kept):
        refused((2, 5), *easy, f"checkpoint={folder}", "strategy=full")
        refused((2, 5), *easy, f"checkpoint={folder}", "strategy=scratch")
        refused((2, 5), "import", str(folder), "out")
        refused((2, 5), "predict", str(folder), "x.jsonl")
        refused((2, 5), "export", str(folder), "out")
    assert not Path("out").exists()


@pytest.mark.parametrize("kind", PICKLES)
def test_the_payloads_would_run(kind: str, tmp_path: Path) -> None:
    import io

    import torch

    (tmp_path / "file").write_bytes(PICKLES[kind](tmp_path / kind))
    data = (tmp_path / "file").read_bytes()
    torch.load(io.BytesIO(data), weights_only=False) if kind == "torch" else pickle.loads(data)  # noqa: S301
    assert (tmp_path / kind).exists()


@pytest.mark.parametrize("kind", PICKLES)
@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "epoch=3.ckpt", "model.pkl", "model.pth"])
def test_a_pickle_beside_the_config(kind: str, name: str, foreign: Path, taken_nowhere: Call, canary: Path) -> None:
    (foreign / "model.safetensors").unlink()
    (foreign / name).write_bytes(PICKLES[kind](canary))
    assert "may run code" in taken_nowhere(foreign)[-1]


@pytest.mark.parametrize("kind", PICKLES)
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"])
def test_a_pickle_under_another_name(kind: str, name: str, foreign: Path, taken_nowhere: Call, canary: Path) -> None:
    (foreign / name).write_bytes(PICKLES[kind](canary))
    taken_nowhere(foreign)


@pytest.mark.parametrize("kind", PICKLES)
@pytest.mark.parametrize("name", ["model.safetensors", "head.safetensors", "head.json", "lineage.json", "spiece.model"])
def test_a_pickle_in_the_manifest(kind: str, name: str, kept: Path, taken_nowhere: Call, canary: Path) -> None:
    (kept / name).write_bytes(PICKLES[kind](canary))
    sign(kept)
    taken_nowhere(kept)


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_with_a_hostile_header(case: str, foreign: Path, taken_nowhere: Call) -> None:
    (foreign / "model.safetensors").write_bytes(WEIGHTS[case])
    taken_nowhere(foreign)


def test_a_piece_without_end(kept: Path, taken_nowhere: Call) -> None:
    """SentencePiece 0.2.1 overflows the stack there (its issue 1263); a crash would end this process."""
    (kept / "spiece.model").write_bytes(crafted.sentencepiece_model([b"<unk>", b"a", b"x" * 200_000]))
    sign(kept)
    taken_nowhere(kept)


CONFIGS = {
    "layers without end": {"num_hidden_layers": 10**8},
    "hidden without end": {"hidden_size": 2**40, "num_attention_heads": 2},
    "pieces without end": {"vocab_size": 2**29},
    "positions without end": {"max_position_embeddings": 2**50},
    "a number of 400 digits": {"hidden_size": 10**400},
    "an object for a number": {"hidden_size": {"_target_": "evil.Evil"}},
    "an object for a model": {"model_type": {"_target_": "evil.Evil"}},
    "code for an activation": {"hidden_act": "__import__('evil')" * 1000},
    "another model": {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Evil"}},
    "a name that leads out": {"thaw": {"format": 1, "init": "../../outside"}},
    "a format of its own": {"thaw": {"format": {"_target_": "evil.Evil"}}},
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_that_asks_for_more(case: str, foreign: Path, taken_nowhere: Call) -> None:
    change(foreign / "config.json", **CONFIGS[case])
    taken_nowhere(foreign)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("case", TEXTS)
def test_json_that_is_none(name: str, case: str, foreign: Path, taken_nowhere: Call) -> None:
    text = TEXTS[case]
    (foreign / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    taken_nowhere(foreign)


@pytest.mark.parametrize("name", ["MANIFEST.json", "lineage.json", "head.json"])
@pytest.mark.parametrize("case", TEXTS)
def test_json_of_ours_that_is_none(name: str, case: str, kept: Path, taken_nowhere: Call) -> None:
    text = TEXTS[case]
    (kept / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    if name != "MANIFEST.json":
        sign(kept)
    taken_nowhere(kept)


HEAD = {"kind": "classes", "labels": ["a", "b"], "task": {"name": "x"}}
HEADS = {
    "nothing": {},
    "an object": {"_target_": "evil.Evil", "kind": {"_target_": "evil.Evil"}},
    "another kind": HEAD | {"kind": "evil.Evil"},
    "another model": HEAD | {"model": "evil.Evil"},
    "another key": HEAD | {"evil": "evil.Evil"},
    "a task with another key": HEAD | {"task": {"name": "x", "_target_": "evil.Evil"}},
    "labels that are none": HEAD | {"labels": 5},
    "a width without end": HEAD | {"hidden": 10**12, "model": "mlp"},
    "a width that is none": HEAD | {"hidden": 0, "model": "mlp"},
    "a text for a number": HEAD | {"hidden": "wide"},
    "a task of numbers": HEAD | {"task": {"name": "x", "max_length": "long"}},
    "a list for a task": HEAD | {"task": ["x"]},
}


@pytest.mark.parametrize("case", HEADS)
def test_a_head_that_is_none(case: str, kept: Path, refused: Call) -> None:
    (kept / "head.json").write_text(json.dumps(HEADS[case]))
    sign(kept)
    Path("x.jsonl").write_text('{"text": "the sun"}\n')
    assert "head.json describes no head" in refused(5, "predict", str(kept), "x.jsonl")
    refused(2, "export", str(kept), "out")
    assert not Path("out").exists()


NAMES = ["../../outside/secret.txt", "/etc/passwd", "..\\..\\x", "..", "a\0b", "x/y", "C:\\x"]


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_that_leads_out(name: str, kept: Path, taken_nowhere: Call) -> None:
    manifest = json.loads((kept / "MANIFEST.json").read_text())
    manifest["files"][name] = "0" * 64
    (kept / "MANIFEST.json").write_text(json.dumps(manifest))
    taken_nowhere(kept)


@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "tokenizer.json", "vocab.txt", "tokenizer_config.json"]
)
def test_a_link_tells_nothing_of_what_it_leads_to(name: str, foreign: Path, outside: Path, taken_nowhere: Call) -> None:
    if name == "vocab.txt":
        (foreign / "tokenizer.json").unlink()
    (foreign / name).unlink(missing_ok=True)
    (foreign / name).symlink_to(outside / "secret.txt")
    assert not any("neighbour" in line for line in taken_nowhere(foreign))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
@pytest.mark.parametrize("what", ["fifo", "/dev/zero", "itself", "folder"])
def test_what_is_no_file_is_not_waited_for(name: str, what: str, foreign: Path, taken_nowhere: Call) -> None:
    (foreign / name).unlink()
    if what == "fifo":
        os.mkfifo(foreign / name)
    elif what == "folder":
        (foreign / name).mkdir()
    else:
        (foreign / name).symlink_to(name if what == "itself" else what)
    taken_nowhere(foreign)


def test_weights_in_parts_outside(foreign: Path, taken_nowhere: Call) -> None:
    (foreign / "model.safetensors").rename(foreign / "elsewhere")
    parts = {"weight_map": {"embeddings.word_embeddings.weight": "../../outside/secret.txt"}}
    (foreign / "model.safetensors.index.json").write_text(json.dumps(parts))
    taken_nowhere(foreign)


TOKENIZERS = {
    "an object for a piece": lambda twin: twin["model"]["vocab"].__setitem__(0, ["x", {"_target_": "evil.Evil"}]),
    "a rule none knows": lambda twin: twin.__setitem__("pre_tokenizer", {"type": "Custom", "module": "evil"}),
    "no vocabulary": lambda twin: twin["model"].__setitem__("vocab", []),
    "a model none knows": lambda twin: twin["model"].__setitem__("type", "evil.Evil"),
}


@pytest.mark.parametrize("case", TOKENIZERS)
def test_a_tokenizer_of_garbage(case: str, foreign: Path, taken_nowhere: Call) -> None:
    twin = json.loads((foreign / "tokenizer.json").read_text())
    TOKENIZERS[case](twin)
    (foreign / "tokenizer.json").write_text(json.dumps(twin))
    taken_nowhere(foreign)


def test_an_id_that_would_take_all_memory(foreign: Path, taken_nowhere: Call) -> None:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = {piece: number for number, piece in enumerate([*special, "a", "##b"])} | {"c": 2**32 - 1}
    model = {"type": "WordPiece", "vocab": pieces, "unk_token": "[UNK]", "continuing_subword_prefix": "##"}
    model["max_input_chars_per_word"] = 100
    (foreign / "tokenizer.json").write_text(json.dumps({"version": "1.0", "model": model}))
    assert "too many" in taken_nowhere(foreign)[-1]


def test_code_that_comes_with_a_model_stays_text(foreign: Path, canary: Path, easy: list[str]) -> None:
    code = f"open({str(canary)!r}, 'w')\n"
    for name in ("modeling.py", "tokenization.py", "configuration.py", "__init__.py", "setup.py", "conftest.py"):
        (foreign / name).write_text(code)
    (foreign / "README.md").write_text("---\nlibrary: !!python/object/apply:evil.Evil []\n---\n{{ evil }}<script>\n")
    (foreign / "generation_config.json").write_text('{"_target_": "evil.Evil"}')
    (foreign / "chat_template.jinja").write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}")
    (foreign / "adapter_model.bin").write_bytes(crafted.pickled(canary))
    (foreign / "optimizer.pt").write_bytes(crafted.saved_by_torch(canary))
    auto = {"auto_map": {"AutoModel": "modeling.Evil"}, "trust_remote_code": True, "_target_": "evil.Evil"}
    change(foreign / "config.json", **auto, architectures=["evil.Evil"], custom_pipelines={"x": {"impl": "evil.Evil"}})
    custom = {"tokenizer_class": "evil.Evil", "auto_map": {"AutoTokenizer": ["tokenization.Evil", None]}}
    change(foreign / "tokenizer_config.json", **custom, chat_template="{{ evil }}", processor_class="evil.Evil")
    assert main(["import", str(foreign), "out"]) == 0
    wanted = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "spiece.model"}
    found = files(Path("out"))
    assert set(found) == wanted | {"lineage.json", "README.md", "MANIFEST.json"}
    for word in (b"evil", b"auto_map", b"trust_remote_code", b"Evil", b"{{"):
        assert not [name for name, data in found.items() if word in data], word
    assert main([*easy, f"checkpoint={foreign}", "strategy=full"]) == 0


LINEAGE = {
    "run_id": "../../../outside/<script>",
    "ancestors": ["../..", "${oc.env:HOME}"],
    "corpus": "../../../outside",
    "seconds": None,
    "_target_": "evil.Evil",
    "__class__": "evil.Evil",
}


def test_a_hostile_lineage_is_text(kept: Path, easy: list[str]) -> None:
    (kept / "lineage.json").write_text(json.dumps(LINEAGE))
    (kept / "README.md").write_text("<script>evil</script>{{ evil }}")
    sign(kept)
    words = [*easy, f"checkpoint={kept}", "strategy=full", "wandb=offline", "name=s", "keep=true"]
    assert main(words) == 0
    assert main(["report", "runs/s", "--out", "report", "--no-pictures"]) == 0
    (made,) = Path("runs/s").glob("*/checkpoint")
    assert json.loads((made / "lineage.json").read_text())["ancestors"][-1] == LINEAGE["run_id"]
    assert "<script>evil" not in Path("report/index.html").read_text() + (made / "README.md").read_text()


def test_an_export_of_hostile_labels_is_text(kept: Path) -> None:
    change(kept / "head.json", labels=["<script>evil</script>", "{'_target_': 'evil.Evil'}"])
    sign(kept)
    assert main(["export", str(kept), "out"]) == 0
    labels = json.loads(Path("out/config.json").read_text())["id2label"]
    assert labels == {"0": "<script>evil</script>", "1": "{'_target_': 'evil.Evil'}"}


@pytest.mark.parametrize("command", ["import", "export"])
def test_a_link_for_a_target(command: str, foreign: Path, kept: Path, outside: Path, refused: Call) -> None:
    source = str(foreign if command == "import" else kept)
    Path("full").symlink_to(outside)
    assert "not an empty folder" in refused(2, command, source, "full")
    Path("dangling").symlink_to(outside / "new")
    assert "dangling" in refused(5, command, source, "dangling")
    empty = outside.with_name("empty")
    empty.mkdir()
    Path("empty").symlink_to(empty)
    assert main([command, source, "empty"]) == 0
    assert list(empty.iterdir()) == []
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]  # nothing half left


def test_a_name_of_the_hub_is_no_path(refused: Call) -> None:
    for name in ("../model", "a/../model", "~/model", "https://host/model", "file:///etc", "a\\b", "-x/y", "a/b/c"):
        assert "no such folder" in refused(2, "import", "--", name, "out")
