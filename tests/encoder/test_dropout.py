import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from thaw.encoder.attention import attend
from thaw.encoder.dropout import Dropout, Rows, TorchDropout, dropout, rows_of, torch_dropout

SIZE = 400_000


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.013])
def test_the_share_is_dropped_and_the_mean_stays(share: float, dtype: torch.dtype) -> None:
    torch.manual_seed(3)
    found = dropout(torch.ones(SIZE, dtype=dtype), share)
    dropped = float((found == 0).float().mean())
    four_sigma = 4 * math.sqrt(share * (1 - share) / SIZE)
    assert abs(dropped - share) < four_sigma
    (scale,) = found[found != 0].unique().tolist()
    assert scale == pytest.approx(1 / (1 - share), rel=1e-4 if dtype is torch.float32 else 1e-2)
    assert found.dtype is dtype


def test_neighbours_and_calls_are_independent() -> None:
    torch.manual_seed(4)
    one, other = ((dropout(torch.ones(SIZE), 0.5) == 0).float() - 0.5 for _ in range(2))
    four_sigma = 4 * 0.25 / math.sqrt(SIZE)
    for shift in (1, 2, 3, 4, 8, 256):
        assert abs(float((one[shift:] * one[:-shift]).mean())) < four_sigma
    assert abs(float((one * other).mean())) < four_sigma


def test_torchs_seed_decides_and_the_gradient_follows_the_values() -> None:
    values = torch.randn(7, 5, 3, requires_grad=True)
    torch.manual_seed(1)
    found = dropout(values, 0.4)
    torch.manual_seed(1)
    assert torch.equal(found, dropout(values, 0.4))
    assert not torch.equal(found, dropout(values, 0.4))
    found.sum().backward()
    assert torch.equal(values.grad == 0, found == 0)
    assert torch.allclose(values.grad * values.detach(), found.detach())


def test_the_module_drops_only_while_training() -> None:
    module, values = Dropout(0.3), torch.randn(50, 4)
    assert (module(values) == 0).any()
    assert module.eval()(values) is values
    assert Dropout(0.0)(values) is values


PARTS = [[0, 3, 6], [1, 4], [2, 5]]  # seven rows as three micro-batches have them


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("drop", [dropout, torch_dropout])
def test_parts_of_a_batch_draw_the_bits_of_the_whole(drop: Callable[..., Tensor], dtype: torch.dtype) -> None:
    values = torch.randn(7, 5, 3, dtype=dtype)
    torch.manual_seed(1)
    whole = [drop(values, 0.4), drop(values, 0.2)]
    for own in PARTS:
        torch.manual_seed(1)
        with rows_of(Rows(own, 7)):
            part = [drop(values[own], 0.4), drop(values[own], 0.2)]
        assert all(torch.equal(one, both[own]) for one, both in zip(part, whole, strict=True))
    torch.manual_seed(1)
    assert torch.equal(drop(values, 0.4), whole[0])  # outside the block a batch is whole again


def test_heads_keep_the_bits_of_torchs_dropout() -> None:
    values = torch.randn(7, 33)
    torch.manual_seed(2)
    expected = functional.dropout(values, 0.3)
    for own in PARTS:
        torch.manual_seed(2)
        with rows_of(Rows(own, 7)):
            assert torch.allclose(TorchDropout(0.3)(values[own]), expected[own])
            assert torch.equal(TorchDropout(0.3).eval()(values[own]), values[own])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_of_a_part_is_that_of_the_whole_batch(dtype: torch.dtype) -> None:
    query, key, value = (torch.randn(7, 2, 6, 4, dtype=dtype) for _ in range(3))
    torch.manual_seed(3)
    whole = attend(query, key, value, None, 0.3)
    for own in PARTS:
        torch.manual_seed(3)
        with rows_of(Rows(own, 7)):
            part = attend(query[own], key[own], value[own], None, 0.3)
        assert torch.allclose(part, whole[own], atol=1e-6 if dtype is torch.float32 else 1e-2)
