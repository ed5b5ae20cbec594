"""Copied weights give transformers' numbers: hidden states at every layer and masked-word logits, with padding."""

import pytest
import torch

from thaw.encoder.model import Encoder
from thaw.encoder.names import difference, from_bert, mlm_from_bert, mlm_to_bert, to_bert
from thaw.objective.mlm import MLMHead

transformers = pytest.importorskip("transformers")
VOCAB = 60


def their_config():
    return transformers.BertConfig(
        vocab_size=VOCAB,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=24,
    )


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_hidden_states_at_every_layer(attention, small, spread, batch):
    theirs = transformers.BertModel(their_config(), add_pooling_layer=False).eval()
    theirs.set_attn_implementation(attention)
    spread(theirs)
    ours = Encoder(small(), VOCAB).eval()
    state = from_bert(theirs.state_dict(), 2)
    assert difference(ours.state_dict(), state) == ""
    ours.load_state_dict(state)
    ids, valid, segments = batch
    with torch.no_grad():
        expected = theirs(
            ids, attention_mask=valid.long(), token_type_ids=segments, output_hidden_states=True
        ).hidden_states
        states = ours(ids, valid, segments)
    assert len(states) == len(expected) == 3
    for one, other in zip(states, expected, strict=True):
        torch.testing.assert_close(one[valid], other[valid], atol=1e-5, rtol=0)


def test_masked_word_logits_and_gradients(small, spread, batch):
    theirs = transformers.BertForMaskedLM(their_config()).eval()
    spread(theirs)
    ours = Encoder(small(), VOCAB).eval()
    ours.load_state_dict(from_bert(theirs.state_dict(), 2))
    head = MLMHead(small(), VOCAB, ours.embeddings.word.weight)
    head.restore(mlm_from_bert(theirs.state_dict()))
    ids, valid, segments = batch
    places = torch.tensor([1, 5, 24])
    logits = head(ours(ids, valid, segments)[-1].flatten(0, 1)[places])
    expected = theirs(ids, attention_mask=valid.long(), token_type_ids=segments).logits.flatten(0, 1)[places]
    torch.testing.assert_close(logits, expected, atol=2e-5, rtol=0)
    torch.nn.functional.cross_entropy(logits, places).backward()
    torch.nn.functional.cross_entropy(expected, places).backward()
    gradients = to_bert({name: parameter.grad for name, parameter in ours.named_parameters()})
    for name, parameter in theirs.bert.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, atol=2e-5, rtol=1e-4)


def test_names_there_and_back(small):
    encoder = Encoder(small(), VOCAB)
    state = encoder.state_dict()
    back = from_bert({f"bert.{name}": value for name, value in to_bert(state).items()}, 2)
    assert back.keys() == state.keys()
    assert all(torch.equal(back[name], state[name]) for name in state)
    head = MLMHead(small(), VOCAB, encoder.embeddings.word.weight)
    again = mlm_from_bert(mlm_to_bert(head.own_state()))
    assert again is not None
    assert again.keys() == head.own_state().keys()


def test_old_names_of_norms_are_read_and_missing_weights_named(small):
    encoder = Encoder(small(), VOCAB)
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in to_bert(encoder.state_dict()).items()
    }
    assert difference(encoder.state_dict(), from_bert(old, 2)) == ""
    del old["encoder.layer.1.attention.self.key.weight"]
    assert difference(encoder.state_dict(), from_bert(old, 2)) == "- layers.1.query_key_value.weight"
