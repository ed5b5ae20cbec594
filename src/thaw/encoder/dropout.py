"""Dropout whose random bits on a CPU come from a generator that is fast there, drawn by row of the step's batch.

torch draws the Bernoulli numbers of a CPU one after the other, which takes a fifth of a fine-tuning step of a small
encoder; here each call draws one seed from torch's generator (so that it is keyed and restored like everything random)
and its bits from numpy's SFC64. On other devices, and where the code is compiled, it is torch's own.

A step's batch may be spread over processes and micro-batches. Inside `rows_of` every part draws the bits of the whole
batch and takes those of its own rows, so that a result does not depend on how the batch was spread.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

_LEVELS = 1 << 16  # a share is rounded to 1 / 65,536: 0.1 becomes 0.100006, and the scale follows it


@dataclass(frozen=True)
class Rows:
    """Which rows of a step's batch a micro-batch holds."""

    own: list[int]  # numbers of the rows, in the order in which they stand in the micro-batch
    total: int  # rows of the step's batch


_now: list[Rows | None] = [None]  # of the micro-batch that is being computed; None: it is the whole batch


@contextmanager
def rows_of(rows: Rows | None) -> Iterator[None]:
    """Draw the bits of dropout, inside the block, by row of the step's batch."""
    before, _now[0] = _now[0], rows
    try:
        yield
    finally:
        _now[0] = before


def by_row(values: Tensor) -> Rows | None:
    """Return the rows by which the bits for ``values`` are drawn; None: for ``values`` alone.

    On a device other than a CPU and in compiled code the bits come from a fused kernel, which knows no rows.
    """
    return None if values.device.type != "cpu" or torch.compiler.is_compiling() else _now[0]


def dropout(values: Tensor, share: float) -> Tensor:
    """Return ``values`` (B, …) with a random ``share`` of them 0 and the rest scaled up, so that their mean stays."""
    if not share:
        return values
    if values.device.type != "cpu" or torch.compiler.is_compiling():
        return functional.dropout(values, share)
    rows = by_row(values)
    shape = values.shape if rows is None else (rows.total, *values.shape[1:])
    count, cut = math.prod(shape), round(share * _LEVELS)
    generator = np.random.SFC64(int(torch.randint(1 << 62, ())))
    levels = generator.random_raw(-(-count // 4)).view(np.uint16)[:count]
    if rows is not None:
        levels = levels.reshape(rows.total, -1)[rows.own]
    kept = torch.from_numpy(levels >= cut).view(values.shape)
    return values * (kept.to(values.dtype) * (_LEVELS / (_LEVELS - cut)))


def torch_dropout(values: Tensor, share: float) -> Tensor:
    """Return what `dropout` does, with the bits of torch's own dropout: for attention weights and heads."""
    rows = by_row(values)
    if rows is None or not share:
        return functional.dropout(values, share)
    noise = torch.empty((rows.total, *values.shape[1:]), dtype=values.dtype).bernoulli_(1 - share)
    return values * noise[rows.own].div_(1 - share)


class Dropout(nn.Dropout):
    """`dropout` while training, nothing else."""

    def forward(self, values: Tensor) -> Tensor:
        """Return values of the same shape."""
        return dropout(values, self.p) if self.training else values


class TorchDropout(nn.Dropout):
    """`torch_dropout` while training, nothing else."""

    def forward(self, values: Tensor) -> Tensor:
        """Return values of the same shape."""
        return torch_dropout(values, self.p) if self.training else values
