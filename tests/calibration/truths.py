"""What is true in a world of `unfriendly.py`, in the units of each claim's interval; None where no formula says it."""

import math
from collections.abc import Callable
from statistics import fmean

from calibration.unfriendly import FLOOR, World


def time(world: World) -> float | None:
    """Return the logarithm of how many times sooner transfer crosses scratch's level: equal plateaus only."""
    plain = world.learns and world.ceiling >= 1 and not (world.never or world.diverged) and world.cost == 1
    return math.log(world.faster) if plain and not any(world.gains) and world.load[0] == world.load[1] else None


def accuracy(world: World) -> float | None:
    """Return the mean gain over tasks and sizes; a diverged run has the majority answer's score."""
    if not world.learns or world.base > 0.9:
        return None
    return fmean(
        world.gain(task) - world.diverged * (world.truth(task, size) + world.gain(task) - FLOOR)
        for task in range(world.tasks)
        for size in world.sizes
    )


def labels(world: World) -> float | None:
    """Return transfer with n minus scratch with 2n, the mean over tasks and the sizes whose double was run."""
    doubled = [size for size in world.sizes if 2 * size in world.sizes]
    if not world.learns or world.base > 0.9 or world.diverged or len(doubled) < len(world.sizes) - 1:
        return None
    return fmean(
        world.truth(task, size) + world.gain(task) - world.truth(task, 2 * size)
        for task in range(world.tasks)
        for size in doubled
    )


TRUTHS: dict[str, Callable[[World], float | None]] = {"time": time, "accuracy": accuracy, "labels": labels}
