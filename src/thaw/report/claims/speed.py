"""Claim 1, less training time: how long until a run's dev score is as good as scratch's own best.

A target is ``share`` of the mean over seeds of scratch's best dev score, at the same task and train size. A run reaches
it at its first dev score that is as good; evaluation is off every clock. Runs that never reach it are censored where
they ended, not dropped: the share of runs that have reached the target by a time is Kaplan and Meier's estimate (1958).

The verdict pairs by seed, by the logarithm of scratch's time over transfer's. Where a run never arrives its time is not
known; what is known is taken against transfer: its run counts as if it arrived at the end of the longer of the two,
scratch's as if it arrived where it ended. So a speed-up can be understated, not overstated.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thaw.report.arms import Arm
from thaw.report.claims.judge import Effects
from thaw.report.claims.sides import Sides, Size, mean_effect
from thaw.report.collect import Run
from thaw.report.statistics import Estimate, estimate

SHARES = (0.9, 0.95, 1.0)  # of scratch's own best
CLOCKS = {"seconds": "training seconds", "cpu_seconds": "CPU seconds of training", "step": "optimizer steps",
          "flops": "FLOPs"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """When one run reached its target, by a clock; or how long it was watched in vain."""

    seed: int
    at: float
    reached: bool


@dataclass(frozen=True, kw_only=True)
class Times:
    """Times to a target of one arm on one task at one train size."""

    task: str
    arm: Arm
    size: Size
    share: float  # of scratch's best
    target: float  # dev score
    clock: str
    arrivals: list[Arrival]

    @property
    def reached(self) -> int:
        """Runs that reached the target."""
        return sum(one.reached for one in self.arrivals)

    def survival(self) -> tuple[list[float], list[float]]:
        """Return times and the share of runs that have reached the target by then (Kaplan-Meier), as steps."""
        from scipy.stats import CensoredData, ecdf

        done = [one.at for one in self.arrivals if one.reached]
        if not done:
            return [], []
        found = ecdf(CensoredData(done, right=[one.at for one in self.arrivals if not one.reached])).cdf
        return [float(q) for q in found.quantiles], [float(p) for p in found.probabilities]

    def restricted_mean(self, end: float) -> float:
        """Return the mean time to the target, counted no longer than ``end`` (area under the survival curve)."""
        times, shares = self.survival()
        area, last, left = 0.0, 0.0, 1.0
        for at, share in zip(times, shares, strict=True):
            if at >= end:
                break
            area, last, left = area + left * (at - last), at, 1.0 - share
        return area + left * (end - last)

    @property
    def watched(self) -> float:
        """How long the run that was watched longest was watched."""
        return max((one.at for one in self.arrivals), default=0.0)


def times(sides: Sides, task: str, arm: Arm, size: Size, share: float, clock: str = "seconds") -> Times | None:
    """Return the times of an arm to ``share`` of scratch's best, None without a target or without curves."""
    scratch = arm if arm.strategy == "scratch" else sides.scratch(task, arm)
    target = target_of(sides, task, scratch, size, share) if scratch else None
    if target is None:
        return None
    arrivals = [
        one
        for seed, run in sides.runs(task, arm, size).items()
        if (one := arrival(run, seed, target, clock)) is not None
    ]
    if not arrivals:
        return None
    return Times(task=task, arm=arm, size=size, share=share, target=target, clock=clock, arrivals=arrivals)


def target_of(sides: Sides, task: str, scratch: Arm, size: Size, share: float) -> float | None:
    """Return ``share`` of the mean of scratch's best dev scores, None where that is not above zero."""
    best = [run["dev"] for run in sides.runs(task, scratch, size).values() if run["dev"] is not None]
    target = share * sum(best) / len(best) if best else 0.0
    return target if target > 0 else None


def arrival(run: Run, seed: int, target: float, clock: str) -> Arrival | None:
    """Return when a run's dev score first reached a target, None if it has no curve on that clock.

    A run that is there before its first step took one step's time. FLOPs at an event are the run's in proportion to its
    steps: exact but for plans that change, whose early steps cost less than that.
    """
    curve = _curve(run, clock)
    if not curve or not run["steps"]:
        return None
    end = curve[-1][0]
    for at, score in curve:
        if score >= target:
            return Arrival(seed=seed, at=max(at, end / run["steps"]), reached=True)
    return Arrival(seed=seed, at=end, reached=False)


def _curve(run: Run, clock: str) -> list[tuple[float, float]]:
    name, made = f"dev/{run['metric']}", []
    for event in run.events:
        score = event.get(name)
        if isinstance(score, int | float) and (at := _at(run, event, clock)) is not None:
            made.append((at, float(score)))
    return made


def _at(run: Run, event: Mapping[str, Any], clock: str) -> float | None:
    if clock == "flops":
        step = event.get("step")
        known = run["flops"] and run["steps"] and isinstance(step, int)
        return run["flops"] * step / run["steps"] if known else None
    value = event.get(clock)
    return float(value) if isinstance(value, int | float) else None


def ratios(one: Times, other: Times) -> dict[int, float]:
    """Return for each seed ``log(one's time / other's time)``, with what is not known taken against ``other``."""
    first = {arrival.seed: arrival for arrival in one.arrivals}
    made = {}
    for arrival_ in other.arrivals:
        before = first.get(arrival_.seed)
        if before is None or before.at <= 0 or arrival_.at <= 0:
            continue
        at = arrival_.at if arrival_.reached else max(arrival_.at, before.at)
        made[arrival_.seed] = math.log(before.at / at)
    return made


def effects(sides: Sides, clock: str = "seconds") -> Effects:
    """Return for each task and seed the mean over headline sizes of log(scratch's time / transfer's time)."""
    made: dict[str, dict[int, float]] = {}
    arm = sides.transfer
    for task in sides.tasks if arm else []:
        assert arm is not None
        scratch = sides.scratch(task, arm)
        parts = []
        for size in sides.headline(task, arm, scratch) if scratch else []:
            assert scratch is not None
            both = [times(sides, task, one, size, sides.rule.target, clock) for one in (scratch, arm)]
            if both[0] is not None and both[1] is not None:
                parts.append(ratios(both[0], both[1]))
        if parts:
            made[task] = mean_effect(parts)
    return made


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """After how many tasks the pretraining has paid for itself, by seconds of training to the target."""

    task: str
    arm: Arm
    size: Size
    pretraining: float  # seconds
    scratch: float  # seconds of one task, restricted mean
    transfer: float
    saved: Estimate  # seconds a task, paired by seed
    tasks: float | None  # None: never, nothing is saved
    low: float | None
    high: float | None  # None: no end


def break_even(sides: Sides, task: str, arm: Arm, size: Size) -> BreakEven | None:
    """Return pretraining seconds over seconds saved a task, with the interval that the saving's interval gives.

    Source: C_pre / (C_scratch - C_transfer), infinite if nothing is saved. The tokenizer's training is in no run's
    clock and so not in it.
    """
    scratch = sides.scratch(task, arm)
    if scratch is None:
        return None
    one, other = (times(sides, task, side, size, sides.rule.target) for side in (scratch, arm))
    paid = max((run["pretrain_seconds"] or 0.0 for run in sides.runs(task, arm, size).values()), default=0.0)
    if one is None or other is None or not paid:
        return None
    first = {arrival.seed: arrival.at for arrival in one.arrivals}
    late = {
        arrival.seed: arrival.at if arrival.reached else max(arrival.at, first.get(arrival.seed, 0.0))
        for arrival in other.arrivals
    }
    saved = estimate([first[seed] - late[seed] for seed in sorted(first.keys() & late.keys())], sides.rule.level)
    if saved is None:
        return None
    return BreakEven(
        task=task, arm=arm, size=size, pretraining=paid, scratch=_mean(list(first.values())),
        transfer=_mean(list(late.values())), saved=saved, tasks=_over(paid, saved.mean), low=_over(paid, saved.high),
        high=_over(paid, saved.low),
    )  # fmt: skip


def _over(paid: float, saved: float | None) -> float | None:
    return paid / saved if saved is not None and saved > 0 else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
