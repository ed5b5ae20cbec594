"""After how many tasks a pretraining has paid for itself, by the clock of the verdict.

A run that never arrives has cost its whole training and saved nothing: the task must still be trained from scratch.
Source: C_pre / (C_scratch - C_transfer), infinite where nothing is saved. The tokenizer's training is in no run's clock
and so not in it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from thaw.report.arms import Arm
from thaw.report.cells import over_pretrainings
from thaw.report.claims.clocks import deciding
from thaw.report.claims.paired import sourced
from thaw.report.claims.sides import Sides, Size
from thaw.report.claims.speed import times
from thaw.report.collect import Run
from thaw.report.statistics import Estimate, estimate

PAID = {"seconds": "pretrain_seconds", "cpu_seconds": "pretrain_cpu_seconds", "flops": "pretrain_flops"}


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """After how many tasks the pretraining has paid for itself, by a clock, each task trained to the target."""

    task: str
    arm: Arm
    size: Size
    clock: str
    pretraining: float  # by the clock; of several pretrainings of one recipe the mean
    scratch: float  # of one task, mean
    transfer: float
    saved: Estimate  # a task, paired by seed, the mean over pretrainings
    tasks: float | None  # None: never, nothing is saved
    low: float | None
    high: float | None  # None: no end


def break_even(sides: Sides, task: str, arm: Arm, size: Size) -> BreakEven | None:
    """Return what was paid over what a task saves, with the interval that the saving's interval gives.

    By the clock that decides on time; where the pretraining's cost is not known by it, by wall seconds.
    """
    scratch = sides.scratch(task, arm)
    if scratch is None:
        return None
    sources = [list(runs.values()) for runs in sourced(sides, task, arm, size).values()]
    clock = next((clock for clock in (deciding(sides), "seconds") if _paid(sources, clock)), None)
    if clock is None:
        return None
    base, own = (times(sides, task, side, size, sides.rule.target, clock) for side in (scratch, arm))
    if base is None or own is None:
        return None
    first: dict[str, dict[int, float]] = {}
    for one in base.arrivals:
        first.setdefault(one.source, {})[one.seed] = one.at
    by_seed = over_pretrainings(first)
    spent: dict[str, dict[int, float]] = {}
    for one in own.arrivals:
        alone = first.get(one.source, by_seed).get(one.seed)
        if alone is not None:
            spent.setdefault(one.source, {})[one.seed] = one.at if one.reached else one.end + alone
    costs = over_pretrainings(spent)
    saved = estimate([by_seed[seed] - costs[seed] for seed in sorted(costs.keys() & by_seed.keys())], sides.rule.level)
    if saved is None:
        return None
    paid = _paid(sources, clock)
    return BreakEven(
        task=task, arm=arm, size=size, clock=clock, pretraining=paid, scratch=_mean(list(by_seed.values())),
        transfer=_mean(list(costs.values())), saved=saved, tasks=_over(paid, saved.mean), low=_over(paid, saved.high),
        high=_over(paid, saved.low),
    )  # fmt: skip


def _paid(sources: Sequence[Sequence[Run]], clock: str) -> float:
    """Return what one pretraining cost by a clock, the mean over those of the runs; 0 where that is not known."""
    column = PAID.get(clock, "")
    costs = [max((float(run.row.get(column) or 0.0) for run in runs), default=0.0) for runs in sources]
    known = [cost for cost in costs if cost]
    return _mean(known) if known else 0.0


def _over(paid: float, saved: float | None) -> float | None:
    return paid / saved if saved is not None and saved > 0 else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
