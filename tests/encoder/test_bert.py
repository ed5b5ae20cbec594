"""The encoder computes what transformers' BERT computes, at every layer, with padding and pairs."""

import pytest
import torch

from thaw.encoder.attention import attend, attention_bias, attention_kernel
from thaw.encoder.model import Encoder
from thaw.errors import ConfigError

VOCAB = 60


@pytest.mark.parametrize(
    ("dtype", "length", "kernel"),
    [
        (torch.float32, 8, "sdpa"),
        (torch.bfloat16, 512, "plain"),
        (torch.float16, 8, "plain"),
        (torch.bfloat16, 513, "sdpa"),
    ],
)
def test_kernel_rule_on_cpu(dtype, length, kernel):
    assert attention_kernel("cpu", dtype, length) == kernel
    assert attention_kernel("cuda", dtype, length) == "sdpa"


def test_both_kernels_agree(monkeypatch):
    query, key, value = torch.randn(3, 2, 4, 7, 8, generator=torch.Generator().manual_seed(0))
    bias = attention_bias(torch.tensor([[True] * 7, [True] * 3 + [False] * 4]), torch.float32)
    fast = attend(query, key, value, bias, 0.0)
    monkeypatch.setattr("thaw.encoder.attention.attention_kernel", lambda *_: "plain")
    torch.testing.assert_close(attend(query, key, value, bias, 0.0), fast, atol=1e-6, rtol=1e-5)


def test_padding_changes_nothing_and_costs_no_mask_when_absent(small, spread, batch):
    encoder = Encoder(small(), VOCAB).eval()
    spread(encoder)
    ids, valid, segments = batch
    padded = encoder(ids, valid, segments)
    alone = encoder(ids[1:2, :11], None, segments[1:2, :11])
    for one, other in zip(padded, alone, strict=True):
        torch.testing.assert_close(one[1:2, :11], other, atol=1e-5, rtol=1e-5)
    assert attention_bias(torch.ones(2, 3, dtype=torch.bool), torch.float32) is None


def test_rows_of_padding_alone_stay_finite_with_gradients(small, batch):
    encoder = Encoder(small(), VOCAB)
    ids, valid, _ = batch
    valid[2] = False
    states = encoder(ids, valid)
    states[-1].sum().backward()
    assert all(torch.isfinite(state).all() for state in states)
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters())


def test_reset_is_repeatable_and_leaves_the_global_generator_alone(small):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, other = Encoder(small(), VOCAB), Encoder(small(), VOCAB)
    assert torch.equal(torch.rand(3), expected)
    one.reset(1)
    assert not torch.equal(one.layers[0].up.weight, other.layers[0].up.weight)
    other.reset(1)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert one.embeddings.word.weight.std().item() == pytest.approx(0.02, rel=0.1)


def test_frozen_layer_in_eval_mode_has_no_dropout(small, batch):
    encoder = Encoder(small(dropout=0.5, attention_dropout=0.5), VOCAB).train()
    ids, valid, _ = batch
    encoder.embeddings.eval()
    encoder.layers[0].eval()
    one, other = encoder(ids, valid), encoder(ids, valid)
    assert torch.equal(one[1], other[1])
    assert not torch.equal(one[2], other[2])


def test_too_long_a_sequence_is_refused(small):
    with pytest.raises(ConfigError, match="max_positions=24"):
        Encoder(small(), VOCAB)(torch.zeros(1, 25, dtype=torch.long))
