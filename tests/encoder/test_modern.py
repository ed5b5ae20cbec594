"""ModernBERT's dialect: copied weights give transformers' numbers both ways, another computation is refused."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from thaw.encoder import checkpoint as checkpoints
from thaw.encoder import hub, local
from thaw.encoder.config import EncoderConfig
from thaw.encoder.dialects import DIALECTS
from thaw.encoder.export import export
from thaw.encoder.model import Encoder
from thaw.encoder.modern import frequencies, rotate
from thaw.encoder.names import difference
from thaw.errors import ConfigError
from thaw.objective.mlm import MLMHead
from thaw.text.tokenizer import Tokenizer

VOCAB = 60
MODERN = DIALECTS["modern"]


@pytest.fixture
def modern(small):
    """Config of a small encoder of the dialect, with changes."""
    return lambda **changes: small(**{"dialect": "modern", "segments": 1, "layer_norm_eps": 1e-5} | changes)


def theirs(config: EncoderConfig, kind: str = "ModernBertModel"):
    """The same encoder by transformers."""
    transformers = pytest.importorskip("transformers")
    values = MODERN.to_config(config, VOCAB, 0, kind)
    made = transformers.ModernBertConfig(**{key: value for key, value in values.items() if key != "model_type"})
    return getattr(transformers, kind)(made).eval()


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_hidden_states_at_every_layer(attention, modern, spread, batch):
    other = theirs(modern())
    other.set_attn_implementation(attention)
    spread(other)
    ours = Encoder(modern(), VOCAB).eval()
    state = MODERN.from_names(other.state_dict(), 2)
    assert difference(ours.state_dict(), state) == ""
    ours.load_state_dict(state)
    ids, valid, segments = batch
    with torch.no_grad():
        expected = other(ids, attention_mask=valid.long(), output_hidden_states=True).hidden_states
        states = ours(ids, valid, segments)
    assert len(states) == len(expected) == 3
    for one, their in zip(states, expected, strict=True):
        torch.testing.assert_close(one[valid], their[valid], atol=1e-5, rtol=1e-5)


def test_masked_word_logits_and_gradients(modern, spread, batch):
    other = theirs(modern(), "ModernBertForMaskedLM")
    spread(other)
    ours = Encoder(modern(), VOCAB).eval()
    ours.load_state_dict(MODERN.from_names(other.state_dict(), 2))
    head = MLMHead(modern(), VOCAB, ours.embeddings.word.weight)
    head.restore(MODERN.mlm_from_names(other.state_dict()))
    ids, valid, _ = batch
    places = torch.tensor([1, 5, 24])
    logits = head(ours(ids, valid)[-1].flatten(0, 1)[places])
    expected = other(ids, attention_mask=valid.long()).logits.flatten(0, 1)[places]
    torch.testing.assert_close(logits, expected, atol=2e-5, rtol=1e-5)
    torch.nn.functional.cross_entropy(logits, places).backward()
    torch.nn.functional.cross_entropy(expected, places).backward()
    gradients = MODERN.to_names({name: parameter.grad for name, parameter in ours.named_parameters()})
    for name, parameter in other.model.named_parameters():
        if name != "embeddings.tok_embeddings.weight":  # theirs leaves out the piece of padding
            torch.testing.assert_close(gradients[name], parameter.grad, atol=2e-5, rtol=1e-4)


def test_a_checkpoint_is_what_transformers_loads(tmp_path: Path, modern, spread, bert_folder):
    transformers = pytest.importorskip("transformers")
    encoder = Encoder(modern(), VOCAB).eval()
    head = MLMHead(modern(), VOCAB, encoder.embeddings.word.weight)
    spread(head)
    spread(encoder)
    tokenizer = Tokenizer.load(bert_folder)
    checkpoints.save(
        tmp_path / "ours", encoder=encoder, tokenizer=tokenizer, mlm_head=head, lineage={}, card="# a card\n"
    )
    again = checkpoints.load(tmp_path / "ours")
    assert again.encoder_config == modern()
    assert all(torch.equal(again.state[name], value) for name, value in encoder.state_dict().items())
    other, problems = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert type(other).__name__ == "ModernBertForMaskedLM"
    assert not any(problems.values()), problems
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        expected = other.eval()(ids).logits
        found = head(encoder(ids)[-1])
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-5)
    other.save_pretrained(tmp_path / "theirs")
    tokenizer.save(tmp_path / "theirs", 24)
    back = hub.read(tmp_path / "theirs")
    assert all(torch.equal(back.state[name], value) for name, value in encoder.state_dict().items())
    assert back.mlm_state is not None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"attention_bias": False}, "attention_bias=False"),
        ({"norm_bias": True}, "norm_bias=True"),
        ({"hidden_activation": "relu"}, "hidden_activation='relu'"),
        ({"layer_types": ["full_attention", "sliding_attention"]}, "local attention"),
        ({"layer_types": None, "global_attn_every_n_layers": 3}, "local attention"),
        ({"layer_types": [["full_attention"]]}, "local attention"),
        ({"layer_types": {}}, "local attention"),
        ({"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 160_000.0}}}, "rotary"),
        ({"rope_parameters": None, "global_rope_theta": 160_000.0}, "rotary"),
        ({"rope_parameters": 7, "global_rope_theta": None}, "rotary"),
        ({"hidden_size": 30}, "multiple"),
        ({"hidden_size": 12}, "even"),
    ],
)
def test_another_computation_is_refused(tmp_path: Path, modern, bert_folder, changes, said):
    values = MODERN.to_config(modern(), VOCAB, 0, "ModernBertModel") | changes
    (bert_folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        hub.read(bert_folder)


def test_older_files_without_layer_types_are_read(modern, bert_folder):
    values = MODERN.to_config(modern(), VOCAB, 0, "ModernBertModel")
    del values["layer_types"], values["rope_parameters"]
    Tokenizer.load(bert_folder).save(bert_folder)  # transformers reads no vocab.txt for a ModernBERT
    (bert_folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    save_file(MODERN.to_names(Encoder(modern(), VOCAB).state_dict()), bert_folder / "model.safetensors")
    assert hub.read(bert_folder).encoder_config == modern()


def test_heads_of_the_dialect_are_not_exported(tmp_path: Path, modern, bert_folder):
    head = {"output.weight": torch.zeros(2, 32), "output.bias": torch.zeros(2)}
    checkpoints.save(
        tmp_path / "kept", encoder=Encoder(modern(), VOCAB), tokenizer=Tokenizer.load(bert_folder), head_state=head,
        head_config={"kind": "tags", "model": "linear", "layers": "last"}, lineage={}, card="",
    )  # fmt: skip
    with pytest.raises(ConfigError, match="only BERT encoders can be exported"):
        export(tmp_path / "kept", tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "said"), [({"segments": 2}, "encoder.segments=1"), ({"hidden": 36, "heads": 12}, "even")]
)
def test_shapes_that_can_not_be(modern, changes, said):
    with pytest.raises(ConfigError, match=said):
        modern(**changes)


def test_a_rotation_depends_on_the_distance_alone():
    vectors = torch.randn(2, 32, generator=torch.Generator().manual_seed(0))
    query, key = (rotate(vector.expand(1, 40, 1, 32))[0, :, 0] for vector in vectors)
    scores = query @ key.T
    for distance in (-7, 0, 3):
        along = scores.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(query.norm(dim=1), vectors[0].norm().expand(40))


@torch.no_grad()
@pytest.mark.parametrize(("hidden", "heads"), [(128, 2), (256, 4), (256, 8)])
def test_each_head_of_local_looks_at_its_place(hidden: int, heads: int):
    shape = EncoderConfig(dialect="modern", segments=1, layers=1, hidden=hidden, heads=heads, init="local")
    encoder = Encoder(shape, 1000)
    ids = torch.randint(1000, (16, 64), generator=torch.Generator().manual_seed(0))
    fused = encoder.layers[0].query_key_value(encoder.embeddings(ids, None)).view(16, 64, 3, heads, -1)
    query, key = rotate(fused[:, :, :2]).permute(2, 0, 3, 1, 4)
    weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1).mean(0)
    for head in range(heads):
        side = local.OFFSETS[head % 4]
        beside = [float(weights[head].diagonal(d)[10:40].mean()) for d in range(-10, 11)]
        assert beside[10 + side] > 0.25
        assert beside[10 + side] > 10 * beside[10 - side]
        assert sum(beside[7:14]) > 0.8


def test_frequencies_fall_from_one():
    assert frequencies(8).tolist() == pytest.approx([1.0, 0.1, 0.01, 0.001])
