"""Claim 1, less training time: how many times as fast as scratch a run's dev score is as good as scratch's own.

What is estimated is the ratio of the times at which the noise-free curves cross the target (growth.py). Where every
run of both arms arrives, the values by seed are jackknife pseudo-values (Tukey 1958) about the crossings of the mean
curves, as logarithms of scratch's time over transfer's; a clock goes by each run's own record of it. The grid of looks
is a floor under their variance: a time known to lie between two looks, ``h`` apart on the log scale, has the variance
``h^2 / 12``, and runs that all arrive at the same look do not make it smaller.

Where a run never arrives, a mean of ratios is none. Then the times of a cell are restricted to one horizon, the longest
watch of its runs: a run that does not arrive counts the whole horizon, whatever it cost, so it loses against one that
does. Of the tests of the field this one, by Student's t over seeds, with a condition on the arrivals (on_time.py), had
the right level and most power in simulation; log-rank and Prentice-Wilcoxon call an arm faster of which half the runs
never arrive.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thaw.report.arms import Arm
from thaw.report.claims.arrival import CLOCKS, Arrival, Times, arrival, curve_of, passage
from thaw.report.claims.crossing import ABOUT, LEAST, MOST, crossed, resolution
from thaw.report.claims.judge import Effects
from thaw.report.claims.sides import Sides, Size, mean_effect
from thaw.report.claims.target import Target, target_of
from thaw.report.collect import Run
from thaw.report.statistics import critical

SHARES = (0.9, 0.95, 1.0)  # of scratch's own gain


def times(sides: Sides, task: str, arm: Arm, size: Size, share: float, clock: str = "seconds") -> Times | None:
    """Return the times of an arm to ``share`` of scratch's gain, None without a target or without curves."""
    return next(iter(by_clocks(sides, task, arm, size, share, (clock,))), None)


def by_clocks(
    sides: Sides, task: str, arm: Arm, size: Size, share: float, clocks: Iterable[str] = tuple(CLOCKS)
) -> list[Times]:
    """Return the times of an arm to ``share`` of scratch's gain by every clock that its runs have."""
    scratch = arm if arm.strategy == "scratch" else sides.scratch(task, arm)
    target = target_of(sides, task, scratch, size, share) if scratch else None
    found = [_times(sides, task, arm, size, share, clock, target) for clock in clocks] if target else []
    return [each for each in found if each is not None]


def _times(sides: Sides, task: str, arm: Arm, size: Size, share: float, clock: str, target: Target) -> Times | None:
    arrivals = [
        each
        for seed, run in sides.runs(task, arm, size).items()
        if (each := arrival(run, seed, target.value, clock)) is not None
    ]
    if not any(each.end > 0 for each in arrivals):
        return None
    return Times(task=task, arm=arm, size=size, share=share, target=target.value, clock=clock, arrivals=arrivals)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """How many times as fast transfer is in one cell: logarithms by seed, and what they rest on."""

    values: dict[int, float]  # seed -> log(scratch's time / transfer's)
    grid: float  # variance that the grid of looks leaves in their mean
    bound: str  # LEAST, MOST or "": what the values are of the true ratio
    pairs: int
    reached: tuple[int, int]  # runs that arrive, within the noise of scratch's: transfer, scratch


@dataclass(frozen=True, kw_only=True)
class Speed:
    """The ratios of a study by one clock, over the headline cells that a word may rest on."""

    clock: str
    effects: Effects
    errors: dict[str, float]  # task -> standard error that the seeds do not show: the grid of looks
    bound: str  # LEAST, MOST, ABOUT where cells differ, or ""
    pairs: int
    reached: tuple[int, int]  # runs that arrive: transfer, scratch
    doubts: dict[str, str] = field(default_factory=dict)  # "task, size labels" -> why no word rests on that cell
    floorless: bool = False  # whether a target is a share of scratch's whole best, its floor unknown


def speed(sides: Sides, clock: str = "seconds") -> Speed:
    """Return for each task and seed the mean over headline sizes of log(scratch's time / transfer's time)."""
    return speeds(sides, (clock,))[clock]


def speeds(sides: Sides, clocks: Iterable[str] = tuple(CLOCKS)) -> dict[str, Speed]:
    """Return the ratios of a study by several clocks."""
    doubts: dict[str, str] = {}
    cells: list[tuple[str, Target, Mapping[int, Run], Mapping[int, Run]]] = []
    arm = sides.transfer
    for task in sides.tasks if arm else []:
        assert arm is not None
        scratch = sides.scratch(task, arm)
        for size in sides.headline(task, arm, scratch) if scratch else []:
            assert scratch is not None
            target = target_of(sides, task, scratch, size, sides.rule.target)
            if target is not None and target.doubt:
                doubts[f"{task}, {size} labels"] = target.doubt
            elif target is not None:
                cells.append((task, target, sides.runs(task, scratch, size), sides.runs(task, arm, size)))
    return {clock: _speed(clock, cells, doubts, sides.rule.level) for clock in clocks}


def _speed(
    clock: str, cells: Sequence[tuple[str, Target, Mapping[int, Run], Mapping[int, Run]]], doubts: dict[str, str],
    level: float,
) -> Speed:  # fmt: skip
    parts: dict[str, list[Ratio]] = {}
    floorless = False
    for task, target, scratch, transfer in cells:
        if (each := ratio(scratch, transfer, target, clock)) is not None:
            parts.setdefault(task, []).append(each)
            floorless |= target.floor is None
    effects = {task: mean_effect([each.values for each in own]) for task, own in parts.items()}
    ratios = [each for own in parts.values() for each in own]
    bounds = {each.bound for each in ratios if each.bound}
    return Speed(
        clock=clock, effects=effects, bound=ABOUT if len(bounds) > 1 else next(iter(bounds), ""),
        errors={task: _error(effects[task], own, level) for task, own in parts.items()},
        pairs=sum(each.pairs for each in ratios), doubts=doubts, floorless=floorless,
        reached=(sum(each.reached[0] for each in ratios), sum(each.reached[1] for each in ratios)),
    )  # fmt: skip


def _error(values: Mapping[int, float], parts: Sequence[Ratio], level: float) -> float:
    """Return the standard error that lifts the variance of a task's mean to that of the grid of looks.

    Few seeds can not show that they vary less than the grid: its variance is taken at their quantile of Student's t.
    """
    grid = math.fsum(each.grid for each in parts) / len(parts) ** 2
    count = len(values)
    if count < 2:
        return math.sqrt(grid)
    own = float(np.var(list(values.values()), ddof=1)) / count
    return math.sqrt(max(0.0, (critical(count, level) / critical(math.inf, level)) ** 2 * grid - own))


def ratio(scratch: Mapping[int, Run], transfer: Mapping[int, Run], target: Target, clock: str) -> Ratio | None:
    """Return the ratio of one cell over the seeds that both arms have with curves on a clock, None without one."""
    shared = sorted(scratch.keys() & transfer.keys())
    curves = [{seed: curve_of(runs[seed], clock) for seed in shared} for runs in (scratch, transfer)]
    if not any(curves[0].values()) or not any(curves[1].values()):
        return None
    arrivals = {
        seed: [
            passage(runs[seed], seed, target.value, own[seed])
            for runs, own in zip((scratch, transfer), curves, strict=True)
        ]
        for seed in shared
    }
    pairs = {seed: (one, other) for seed, (one, other) in arrivals.items() if one and other and _timed(one, other)}
    if not pairs:
        return None
    there = [
        {
            seed: (reach := passage(runs[seed], seed, target.near, own[seed])) is not None and reach.reached
            for seed in pairs
        }
        for runs, own in zip((scratch, transfer), curves, strict=True)
    ]  # a miss within the noise of scratch's runs is forgiven
    reached = (sum(there[1].values()), sum(there[0].values()))
    told: dict[str, Any] = {"pairs": len(pairs), "reached": reached}
    if min(reached) == len(pairs):
        sides = [{seed: runs[seed] for seed in pairs} for runs in (scratch, transfer)]
        made = crossed(sides[0], sides[1], target, clock)
        if made is not None:
            values, grid, bound = made
            return Ratio(values=dict(zip(pairs, values.tolist(), strict=True)), grid=grid, bound=bound, **told)
    bound = MOST if reached[0] < reached[1] else LEAST if reached[1] < len(pairs) else ""
    horizon = max(max(one.end, other.end) for one, other in pairs.values())
    values_ = {
        seed: math.log((one.at if there[0][seed] else horizon) / (other.at if there[1][seed] else horizon))
        for seed, (one, other) in pairs.items()
    }
    grid = sum(resolution([runs[seed] for seed in pairs], target, clock) for runs in (scratch, transfer))
    return Ratio(values=values_, grid=grid, bound=bound, **told)


def _timed(*arrivals: Arrival) -> bool:
    """Whether every arrival among some has a time."""
    return all(each.at > 0 for each in arrivals if each.reached)
