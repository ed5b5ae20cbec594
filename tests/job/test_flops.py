"""FLOPs against counts by hand."""

from typing import Any

import pytest
import torch

from thaw.encoder.config import EncoderConfig
from thaw.encoder.model import Encoder
from thaw.job.flops import head_flops, transfer_flops
from thaw.task.head_config import HeadConfig
from thaw.task.heads import Head, build_head
from thaw.task.task import Kind
from thaw.track.cost import encoder_flops

SHAPE = EncoderConfig(layers=2, hidden=8, heads=2, intermediate=16)
FORWARD = 2 * (8 * 8 * 8 + 4 * 8 * 16 + 4 * 10 * 8)  # a token at length 10: two layers
N = None


def head(kind: Kind = Kind.classes, **fields: object) -> Head:
    torch.manual_seed(0)
    return build_head(kind, 3, 8, 2, HeadConfig(**fields))  # type: ignore[arg-type]


def flops(plan: list, part: Head) -> float:
    return transfer_flops(SHAPE, part, plan, tokens=1000, steps=10, mean_length=10.0, only_biases=False)


def test_heads_behind_a_pooling_count_a_text_the_others_a_token() -> None:
    assert head_flops(head(), 1000, 100) == 2 * 100 * 8 * 3
    assert head_flops(head(Kind.tags), 1000, 100) == 2 * 1000 * 8 * 3
    assert head_flops(head(model="bilstm", hidden=4), 1000, 100) > 2 * 1000 * (4 * 4 * (8 + 4)) * 2


def test_what_is_frozen_is_counted_forward_only() -> None:
    part = head()
    own = 3 * head_flops(part, 1000, 100)
    assert flops([(0, [1, 1, 1, 1])], part) == pytest.approx(3 * 1000 * FORWARD + own)
    assert flops([(0, [N, N, N, 1])], part) == pytest.approx(1000 * FORWARD + own)
    assert flops([(0, [N, N, 1, 1])], part) == pytest.approx(2 * 1000 * FORWARD + own)


@pytest.mark.parametrize("dialect", [{}, {"dialect": "modern", "segments": 1}])
def test_a_gate_is_counted_as_the_matrix_it_is(dialect: dict[str, Any]) -> None:
    shape = EncoderConfig(layers=2, hidden=8, heads=2, intermediate=16, **dialect)
    matrices = sum(p.numel() for p in Encoder(shape, 20).layers.parameters() if p.ndim == 2)
    assert encoder_flops(2, 8, shape.feed_forward, 10) == 2 * matrices + 2 * 4 * 10 * 8


def test_a_plan_that_thaws_is_the_sum_of_its_stretches() -> None:
    part = head()
    expected = 0.4 * flops([(0, [N, N, N, 1])], part) + 0.6 * flops([(0, [1, 1, 1, 1])], part)
    assert flops([(0, [N, N, N, 1]), (4, [1, 1, 1, 1])], part) == pytest.approx(expected)
