"""The masked-word head: tied to the embeddings, repeatable, restored exactly."""

import pytest
import torch

from thaw.encoder.config import EncoderConfig
from thaw.encoder.model import Encoder
from thaw.objective.mlm import MLMHead

CONFIG = EncoderConfig(name="test", layers=1, hidden=32, heads=4, intermediate=48, max_positions=24)


def test_piece_vectors_are_shared_and_receive_both_gradients():
    encoder = Encoder(CONFIG, 50)
    head = MLMHead(CONFIG, 50, encoder.embeddings.word.weight)
    assert head.decoder.weight is encoder.embeddings.word.weight
    logits = head(encoder(torch.tensor([[3, 4, 5]]))[-1][0])
    assert logits.shape == (3, 50)
    logits.sum().backward()
    assert encoder.embeddings.word.weight.grad[40].abs().sum() > 0  # by the output layer alone: 40 is no input


def test_reset_leaves_the_shared_weight_alone():
    encoder = Encoder(CONFIG, 50)
    before = encoder.embeddings.word.weight.clone()
    head, other = (MLMHead(CONFIG, 50, encoder.embeddings.word.weight) for _ in range(2))
    head.reset(3)
    assert torch.equal(encoder.embeddings.word.weight, before)
    assert not torch.equal(head.dense.weight, other.dense.weight)
    encoder.reset(3)
    assert not torch.equal(head.dense.weight, encoder.embeddings.word.weight[:32])  # one seed, two streams
    other.restore(head.own_state())
    assert torch.equal(head.dense.weight, other.dense.weight)
    assert "decoder.weight" not in head.own_state()


def test_restore_refuses_what_does_not_fit():
    head = MLMHead(CONFIG, 50, Encoder(CONFIG, 50).embeddings.word.weight)
    state = head.own_state()
    del state["dense.bias"]
    with pytest.raises(RuntimeError, match=r"dense\.bias"):
        head.restore(state)
