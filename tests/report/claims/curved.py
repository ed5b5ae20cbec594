"""Runs with dev curves by every clock: scores at steps, and what a step costs."""

import random
from collections.abc import Callable, Sequence

from report.claims.made_up import compared, run
from thaw.report.claims.rule import Rule
from thaw.report.claims.sides import Sides
from thaw.report.claims.target import Target, target_of
from thaw.report.collect import Run

LOOKS = (0, 1, 2, 4, 8, 12, 24, 36, 48, 60, 72, 84, 96, 108, 120)


def curved(
    strategy: str, seed: int, scores: Sequence[float], *, looks: Sequence[int] = LOOKS, step: float = 0.1,
    wait: float = 1.0, size: int = 100, test: float = 0.5, **more: object,
) -> Run:  # fmt: skip
    """Return a run of which a step takes ``step`` CPU seconds and ``wait`` times that of wall seconds."""
    last = looks[-1]
    row = {"steps": last, "train_seconds": last * step * wait, "cpu_seconds": last * step, "flops": last * step * 1e9}
    made = run(strategy, size, seed, test, **({"dev": max(scores)} | row | more))
    for at, score in zip(looks, scores, strict=True):
        clocks = {"seconds": at * step * wait, "cpu_seconds": at * step, "flops": at * step * 1e9}
        made.events.append({"step": at, "dev/accuracy": score} | clocks)
    return made


def noisy(
    curve: Callable[[float], float], seed: int, noise: float = 0.004, looks: Sequence[int] = LOOKS
) -> list[float]:
    """Return a curve's scores at the looks with noise that the seed decides, six digits as in a row."""
    draw = random.Random(f"{seed} {curve(0.3)}")
    return [round(curve(at / looks[-1]) + draw.gauss(0, noise), 6) for at in looks]


def study(
    scratch: Callable[[float], float], transfer: Callable[[float], float], *, seeds: int = 5, rule: Rule | None = None,
    floor: float | None = 0.2, noise: float = 0.004, base: dict[str, object] | None = None, **own: object,
) -> Sides:  # fmt: skip
    """Return the sides of scratch against full, curves of the share of steps done; ``base`` are scratch's settings."""
    runs = []
    for seed in range(1, seeds + 1):
        runs.append(curved("scratch", seed, noisy(scratch, seed, noise), **(base or {})))
        runs.append(curved("full", seed, noisy(transfer, seed + 100, noise), **own))
    if floor is not None:
        runs += [run("majority", 100, seed, floor) for seed in range(1, seeds + 1)]
    return compared(*runs, rule=rule)


def goal(sides: Sides, share: float = 0.95) -> Target:
    """Return the target of trec with 100 labels."""
    scratch = next(arm for arm in sides.arms if arm.strategy == "scratch")
    found = target_of(sides, "trec", scratch, 100, share)
    assert found is not None
    return found
