"""A compiled pretraining computes what the other does, beyond rounding."""

import shutil
from typing import Any

import pytest
import torch

from thaw.encoder.config import EncoderConfig
from thaw.encoder.model import Encoder
from thaw.objective.mlm import MLMHead
from thaw.train.config import OptimConfig
from thaw.train.pretrain import MaskedBatch, PretrainModule


def module(compile: bool, **dialect: Any) -> PretrainModule:
    encoder = Encoder(EncoderConfig(layers=2, hidden=32, heads=2, intermediate=64, **dialect), 100)
    head = MLMHead(encoder.config, 100, encoder.word_weight)
    return PretrainModule(encoder, head, OptimConfig(), seed=0, steps=1, epoch_steps=1, compile=compile)


def batch(masked: int, padded: bool) -> MaskedBatch:
    generator = torch.Generator().manual_seed(masked)
    inputs = torch.randint(5, 100, (4, 16), generator=generator)
    valid = torch.ones(4, 16, dtype=torch.bool)
    valid[2, 9:] = False
    positions = torch.arange(masked)
    return MaskedBatch(inputs, valid if padded else None, positions, inputs.flatten()[positions], 1 / masked, 64, [0])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # inductor itself imports what torch deprecates
@pytest.mark.skipif(not shutil.which("g++"), reason="compiling for a CPU needs a C++ compiler")
@pytest.mark.parametrize("dialect", [{}, {"dialect": "modern", "segments": 1}])
def test_loss_and_gradients_with_any_number_of_masked_places(dialect: dict[str, Any]) -> None:
    plain, compiled = module(False, **dialect), module(True, **dialect)
    for masked, padded in ((9, False), (11, False), (7, True), (12, True)):
        found = []
        for one in (plain, compiled):
            one.zero_grad()
            loss = one.loss(batch(masked, padded))
            loss.backward()
            found.append([loss.detach(), *[p.grad for p in one.parameters() if p.grad is not None]])
        torch.testing.assert_close(found[1], found[0], atol=1e-5, rtol=1e-4)
