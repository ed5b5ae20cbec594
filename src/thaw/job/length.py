"""How long a pretraining is: a budget of steps, tokens or time as optimizer steps."""

import math
import time
from collections.abc import Callable

import numpy as np
import torch

from thaw import build
from thaw.config import PretrainConfig
from thaw.job.tell import tell
from thaw.train.budget import parse_budget, parse_count
from thaw.train.pretrain import MaskedBlocks, PretrainModule

MEASURED_STEPS, MEASURED_SECONDS = 100, 10.0  # the warm-up that turns a time budget into steps
FEWEST = 20  # steps of a time budget, however short


def steps(config: PretrainConfig, step_tokens: float, seconds_per_step: Callable[[], float], spent: float) -> int:
    """Return the optimizer steps of a budget; of a time budget, those that fit beside the seconds ``spent`` already.

    ``step_tokens`` are the tokens of a step on average.
    """
    unit, amount = parse_budget(config.budget)
    if unit != "seconds":
        return in_steps(unit, amount, step_tokens)
    seconds = seconds_per_step()
    fitting = int((amount - spent) / seconds)
    if fitting < FEWEST:
        needed = spent + FEWEST * seconds
        tell(f"{FEWEST} steps are the least, about {needed:.0f} s, budget={config.budget}")
    return max(FEWEST, fitting)


def in_steps(unit: str, amount: float, step_tokens: float) -> int:
    """Return steps or tokens as steps, at least one."""
    return max(1, math.ceil(amount / (step_tokens if unit == "tokens" else 1)))


def eval_every(config: PretrainConfig, steps: int, step_tokens: float) -> int:
    """Return the steps between two validations; a time is taken as its share of a time budget."""
    if config.eval_every == "auto":
        return max(1, steps // 10)
    unit, amount = parse_budget(config.eval_every, "eval_every")
    if unit == "seconds":
        return max(1, round(steps * amount / parse_budget(config.budget)[1]))
    return in_steps(unit, amount, step_tokens)


def milestones(config: PretrainConfig, steps: int, step_tokens: float) -> dict[int, list[str]]:
    """Return the steps at which intermediate checkpoints are due, with their names, from ``save_at``."""
    due: dict[int, list[str]] = {}
    for name in config.save_at:
        step = math.ceil(parse_count(name, "save_at") / step_tokens)
        if step <= steps:
            due.setdefault(step, []).append(name)
        else:
            reached = f"{steps * step_tokens:.4g} tokens"
            tell(f"save_at={name} is not reached, budget={config.budget} ends at {reached}")
    return due


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
