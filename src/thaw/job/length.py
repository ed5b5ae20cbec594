"""How long a pretraining is: a budget of steps, tokens or time as optimizer steps."""

import math
import time
from collections.abc import Callable

import numpy as np
import torch

from thaw import build
from thaw.config import PretrainConfig
from thaw.errors import ConfigError
from thaw.train.budget import parse_budget
from thaw.train.pretrain import MaskedBlocks, PretrainModule

MEASURED_STEPS, MEASURED_SECONDS = 100, 10.0  # the warm-up that turns a time budget into steps
FEWEST = 20  # steps of a time budget, however short


def steps(config: PretrainConfig, seconds_per_step: Callable[[], float], spent: float) -> int:
    """Return the optimizer steps of a budget; of a time budget, those that fit beside the seconds ``spent`` already."""
    unit, amount = parse_budget(config.budget)
    if unit != "seconds":
        return in_steps(config, unit, amount)
    return max(FEWEST, int((amount - spent) / seconds_per_step()))


def in_steps(config: PretrainConfig, unit: str, amount: float) -> int:
    """Return steps or tokens as steps, at least one."""
    per_step = config.data.batch_size * config.data.length if unit == "tokens" else 1
    return max(1, math.ceil(amount / per_step))


def eval_every(config: PretrainConfig, steps: int) -> int:
    """Return the steps between two validations; a time is taken as its share of a time budget."""
    if config.eval_every == "auto":
        return max(1, steps // 10)
    unit, amount = parse_budget(config.eval_every, "eval_every")
    if unit == "seconds":
        whole, budget = parse_budget(config.budget)
        if whole != "seconds":
            raise ConfigError(f"eval_every={config.eval_every} is a time, budget={config.budget} is not")
        return max(1, round(steps * amount / budget))
    return in_steps(config, unit, amount)


def seconds_per_step(config: PretrainConfig, module: PretrainModule, train: MaskedBlocks) -> float:
    """Return the median seconds of a step of one process, the first three left out; ``module`` is a copy, it learns."""
    trainer = config.trainer
    device = build.device(trainer)
    module = module.to(device)
    module.head.decoder.weight = module.encoder.word_weight
    casting = torch.autocast(device.type, torch.bfloat16, enabled=trainer.precision == "bf16-mixed")
    optimizer = module.configure_optimizers()
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < MEASURED_STEPS and (len(times) < 5 or time.perf_counter() - begun < MEASURED_SECONDS):
        start = time.perf_counter()
        for batch in train.step(len(times), trainer.accumulate, 0, trainer.devices * trainer.num_nodes):
            with casting:
                loss = module.loss(batch.to(device))
            float(loss.detach())  # waits for the device
            loss.backward()  # type: ignore[no-untyped-call]
        module.configure_gradient_clipping(optimizer)
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - start)
    return float(np.median(times[3:]))
