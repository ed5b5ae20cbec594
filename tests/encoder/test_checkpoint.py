"""A checkpoint folder gives back what was saved, loads elsewhere, and is never used when damaged."""

import json
import random
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from thaw.encoder import checkpoint as checkpoints
from thaw.encoder import hub
from thaw.encoder.manifest import fingerprint
from thaw.encoder.model import Encoder
from thaw.errors import ConfigError, StorageError, ThawError
from thaw.objective.mlm import MLMHead

VOCAB = 60
ELSEWHERE = """
import json, sys
import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer, BertForMaskedLM
assert "thaw" not in sys.modules
folder = sys.argv[1]
_, told = BertForMaskedLM.from_pretrained(folder, output_loading_info=True)
assert not any(told.values()), told
model = AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()
tokenizer = AutoTokenizer.from_pretrained(folder)
batch = tokenizer(["abc de. f", "g"], ["xyz", "a b c"], return_tensors="pt", padding=True)
with torch.no_grad():
    states = model(**batch, output_hidden_states=True).hidden_states
save_file({**batch, **{f"state.{number}": state.contiguous() for number, state in enumerate(states)}}, sys.argv[2])
"""


@pytest.fixture
def saved(tmp_path, bert_folder, small, spread):
    """A folder with encoder, masked-word head and a task's head; the encoder; the masked-word head."""
    encoder = Encoder(small(dropout=0.1), VOCAB)
    spread(encoder)
    mlm_head = MLMHead(encoder.config, VOCAB, encoder.embeddings.word.weight)
    mlm_head.reset(4)
    folder = tmp_path / "runs" / "checkpoint"
    checkpoints.save(
        folder,
        encoder=encoder,
        tokenizer=hub.read(bert_folder).tokenizer,
        mlm_head=mlm_head,
        head_state={"output.weight": torch.ones(3, 32), "output.bias": torch.zeros(3)},
        head_config={"kind": "classes", "labels": ["a", "b", "ü"]},
        lineage={"corpus": "123"},
        card="# test\n",
    )
    return folder, encoder, mlm_head


def test_everything_comes_back(saved):
    folder, encoder, mlm_head = saved
    loaded = checkpoints.load(folder)
    again = loaded.encoder()
    assert again.config == encoder.config
    assert loaded.vocab_size == VOCAB
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), encoder.parameters(), strict=True))
    head = MLMHead(encoder.config, VOCAB, again.embeddings.word.weight)
    head.restore(loaded.mlm_state)
    assert all(torch.equal(a, b) for a, b in zip(head.parameters(), mlm_head.parameters(), strict=True))
    assert loaded.head_config == {"kind": "classes", "labels": ["a", "b", "ü"]}
    assert loaded.head_state["output.weight"].sum() == 96
    assert loaded.lineage == {"corpus": "123"}
    assert loaded.fingerprint == fingerprint(folder)


def test_the_initialisation_is_remembered_and_weights_are_the_saved_ones(tmp_path, bert_folder, small):
    encoder = Encoder(small(init="local"), VOCAB)
    encoder.reset(3)
    folder = tmp_path / "checkpoint"
    checkpoints.save(folder, encoder=encoder, tokenizer=hub.read(bert_folder).tokenizer, lineage={}, card="")
    loaded = checkpoints.load(folder).encoder()
    assert loaded.config.init == "local"
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name


def test_two_encoders_of_one_checkpoint_share_nothing(saved):
    loaded = checkpoints.load(saved[0])
    one, other = loaded.encoder(), loaded.encoder(dropout=0.0)
    with torch.no_grad():
        one.layers[0].up.weight.zero_()
    assert other.layers[0].up.weight.abs().sum() > 0
    assert loaded.state["layers.0.up.weight"].abs().sum() > 0
    assert (one.config.dropout, other.config.dropout, other.embeddings.dropout.p) == (0.1, 0.0, 0.0)
    assert all(parameter.requires_grad for parameter in one.parameters())


def test_the_same_content_has_the_same_fingerprint_and_other_weights_another(saved, tmp_path):
    folder = saved[0]
    loaded = checkpoints.load(folder)
    checkpoints.write(tmp_path / "copy", loaded, "another card")
    assert fingerprint(tmp_path / "copy") == loaded.fingerprint
    loaded.state["layers.0.up.bias"][0] += 1e-6
    checkpoints.write(tmp_path / "copy", loaded, "another card")
    assert fingerprint(tmp_path / "copy") != loaded.fingerprint


def test_transformers_loads_it_without_our_code(saved, tmp_path):
    pytest.importorskip("transformers")
    folder, encoder, _ = saved
    out = tmp_path / "states.pt"
    command = [sys.executable, "-c", ELSEWHERE, str(folder), str(out)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    batch = load_file(out)
    ids, valid = batch["input_ids"], batch["attention_mask"].bool()
    with torch.no_grad():
        states = encoder.eval()(ids, valid, batch["token_type_ids"])
    for number, state in enumerate(states):
        torch.testing.assert_close(state[valid], batch[f"state.{number}"][valid], atol=1e-5, rtol=0)
    first = checkpoints.load(folder).tokenizer.encode("abc de. f").tolist()
    assert ids[0, 1 : len(first) + 1].tolist() == first


def test_every_flipped_bit_and_every_cut_is_found(saved):
    folder = saved[0]
    draw = random.Random(0)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for _ in range(12):
            place = draw.randrange(len(whole))
            flipped = bytearray(whole)
            flipped[place] ^= 1 << draw.randrange(8)
            path.write_bytes(bytes(flipped))
            with pytest.raises(ThawError) as caught:
                checkpoints.load(folder)
            message = str(caught.value)
            assert "\n" not in message
            assert path.name in message or path.name == "MANIFEST.json"
            path.write_bytes(whole[:place])
            with pytest.raises(StorageError):
                checkpoints.load(folder)
        path.write_bytes(whole)
    checkpoints.load(folder)


def test_what_is_missing_foreign_or_newer_is_named(saved, tmp_path, bert_folder):
    folder = saved[0]
    with pytest.raises(ConfigError, match="no such checkpoint"):
        checkpoints.load(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="thaw import"):
        checkpoints.load(bert_folder)
    (folder / "lineage.json").unlink()
    with pytest.raises(StorageError, match=r"lineage\.json is missing"):
        checkpoints.load(folder)
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    (folder / "MANIFEST.json").write_text(json.dumps({**manifest, "format": 2}))
    with pytest.raises(ConfigError, match="update thaw"):
        checkpoints.load(folder)
    manifest["files"]["../bert/config.json"] = "0"
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))
    with pytest.raises(StorageError, match="outside its folder"):
        checkpoints.load(folder)


def test_weights_that_do_not_fit_are_listed(saved):
    loaded = checkpoints.load(saved[0])
    del loaded.state["layers.0.up.bias"]
    loaded.state["extra"] = torch.zeros(1)
    loaded.state["layers.1.up.bias"] = torch.zeros(3)
    with pytest.raises(
        StorageError, match=r"\+ extra, - layers\.0\.up\.bias, ! layers\.1\.up\.bias \(3,\) for \(48,\)"
    ):
        loaded.encoder()


def test_a_failed_save_leaves_the_old_checkpoint(saved, monkeypatch):
    folder = saved[0]
    before = fingerprint(folder)
    loaded = checkpoints.load(folder)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_manifest", full)
    with pytest.raises(StorageError, match="No space left on device, free space"):
        checkpoints.write(folder, loaded, "card")
    assert fingerprint(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["checkpoint"]
