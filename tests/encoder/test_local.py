"""An encoder of `init=local`: a step aside is a rotation of the positions, and heads look where they are told."""

import pytest
import torch

from thaw.encoder import local
from thaw.encoder.config import EncoderConfig
from thaw.encoder.model import Encoder


@pytest.mark.parametrize(("width", "offset"), [(32, 1), (32, -2), (33, 3)])
def test_a_shift_gives_the_vector_of_the_place_beside(width: int, offset: int) -> None:
    table = local.positions(40, width, 0.02)
    assert torch.allclose(table[10:30] @ local._shift(width, offset).T, table[10 + offset : 30 + offset], atol=1e-5)


def test_positions_are_louder_than_pieces() -> None:
    assert float(local.positions(512, 256, 0.02).std()) == pytest.approx(0.02 * local.LOUDNESS, rel=0.05)


@torch.no_grad()
def attention(init: str, hidden: int, heads: int) -> torch.Tensor:
    """Mean attention (H, distance -10 … 10) of the first layer, random text of 64 pieces."""
    encoder = Encoder(EncoderConfig(layers=1, hidden=hidden, heads=heads, init=init), 1000)
    ids = torch.randint(1000, (16, 64), generator=torch.Generator().manual_seed(0))
    query, key, _ = encoder.layers[0].query_key_value(encoder.embeddings(ids, None)).chunk(3, -1)
    query, key = (part.view(16, 64, heads, -1).transpose(1, 2) for part in (query, key))
    weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1).mean(0)
    return torch.stack([weights.diagonal(d, -2, -1)[:, 10:40].mean(-1) for d in range(-10, 11)], -1)


@pytest.mark.parametrize(("hidden", "heads"), [(128, 2), (256, 4), (512, 8)])
def test_each_head_looks_at_its_place(hidden: int, heads: int) -> None:
    assert float(attention("normal", hidden, heads).max()) < 0.03  # 1 / 64: at all alike
    for head, weights in enumerate(attention("local", hidden, heads)):
        side = local.OFFSETS[head % 4]
        assert weights[10 + side] > 0.25
        assert weights[10 + side] > 10 * weights[10 - side]
        assert float(weights[10 - 3 : 10 + 4].sum()) > 0.8


def test_seeds_give_other_weights_with_the_same_view() -> None:
    one, other = (Encoder(EncoderConfig(layers=1, hidden=32, heads=4, init="local"), 50) for _ in range(2))
    other.reset(1)
    assert not torch.equal(one.layers[0].query_key_value.weight, other.layers[0].query_key_value.weight)
    assert torch.equal(one.embeddings.position.weight, other.embeddings.position.weight)
    other.reset(0)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
