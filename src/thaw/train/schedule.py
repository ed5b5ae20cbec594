"""Learning-rate schedules: pure functions of the step. No torch here."""

import math

from thaw.train.config import OptimConfig


def rate(config: OptimConfig, step: int, steps: int) -> float:
    """Return the learning rate of optimizer step ``step`` (0-based) of ``steps``.

    linear, cosine: to zero after the warm-up. constant: flat after the warm-up. cooldown: flat, then linear to zero
    (Zhai et al. 2022, section 3.5). slanted: ULMFiT's slanted triangle with ratio 32 (Howard & Ruder 2018, eq. 3), its
    cut at ``warmup``.
    """
    warm = max(1, round(config.warmup * steps))
    if config.schedule == "slanted":
        rise = (step + 1) / warm if step < warm else 1 - (step - warm) / max(1, steps - warm)
        return config.rate * (1 + min(1.0, rise) * 31) / 32
    if step < warm:
        return config.rate * (step + 1) / (warm + 1)
    left = (steps - step) / max(1, steps - warm)
    if config.schedule == "linear":
        return config.rate * left
    if config.schedule == "cosine":
        return config.rate * 0.5 * (1 - math.cos(math.pi * left))
    if config.schedule == "cooldown":
        tail = max(1, round(config.cooldown * steps))
        return config.rate * min(1.0, (steps - step) / tail)
    return config.rate
