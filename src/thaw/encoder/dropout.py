"""Dropout whose random bits on a CPU come from a generator that is fast there.

torch draws the Bernoulli numbers of a CPU one after the other, which takes a fifth of a fine-tuning step of a small
encoder; here each call draws one seed from torch's generator (so that it is keyed and restored like everything random)
and its bits from numpy's SFC64. On other devices, and where the code is compiled, it is torch's own.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

_LEVELS = 1 << 16  # a share is rounded to 1 / 65,536: 0.1 becomes 0.100006, and the scale follows it


def dropout(values: Tensor, share: float) -> Tensor:
    """Return ``values`` with a random ``share`` of them 0 and the others scaled up, so that their mean stays."""
    if not share:
        return values
    if values.device.type != "cpu" or torch.compiler.is_compiling():
        return functional.dropout(values, share)
    cut = round(share * _LEVELS)
    generator = np.random.SFC64(int(torch.randint(1 << 62, ())))
    levels = generator.random_raw(-(-values.numel() // 4)).view(np.uint16)[: values.numel()]
    kept = torch.from_numpy(levels >= cut).view(values.shape)
    return values * (kept.to(values.dtype) * (_LEVELS / (_LEVELS - cut)))


class Dropout(nn.Dropout):
    """`dropout` while training, nothing else."""

    def forward(self, values: Tensor) -> Tensor:
        """Return values of the same shape."""
        return dropout(values, self.p) if self.training else values
