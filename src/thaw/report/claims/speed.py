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
from thaw.report.claims.arrival import CLOCKS, Arrival, Times, arrival, at_event, curve_of, diverged, passage
from thaw.report.claims.growth import Floats, fitted
from thaw.report.claims.judge import Effects
from thaw.report.claims.sides import Sides, Size, mean_effect
from thaw.report.claims.target import Target, looks, target_of
from thaw.report.collect import Run
from thaw.report.statistics import critical

SHARES = (0.9, 0.95, 1.0)  # of scratch's own gain
EARLY = 2  # looks, the one before the first step apart: an arrival at one of them has a least ratio alone
LEAST, MOST, ABOUT = "at least", "at most", "about"


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
        crossed = _crossed(sides[0], sides[1], target, clock)
        if crossed is not None:
            values, grid, bound = crossed
            return Ratio(values=dict(zip(pairs, values.tolist(), strict=True)), grid=grid, bound=bound, **told)
    bound = MOST if reached[0] < reached[1] else LEAST if reached[1] < len(pairs) else ""
    horizon = max(max(one.end, other.end) for one, other in pairs.values())
    values_ = {
        seed: math.log((one.at if there[0][seed] else horizon) / (other.at if there[1][seed] else horizon))
        for seed, (one, other) in pairs.items()
    }
    grid = sum(_resolution([runs[seed] for seed in pairs], target, clock) for runs in (scratch, transfer))
    return Ratio(values=values_, grid=grid, bound=bound, **told)


def _timed(*arrivals: Arrival) -> bool:
    """Whether every arrival among some has a time."""
    return all(each.at > 0 for each in arrivals if each.reached)


def _crossed(
    scratch: Mapping[int, Run], transfer: Mapping[int, Run], target: Target, clock: str
) -> tuple[Floats, float, str] | None:
    """Return (values by seed (S,), variance of the grid, what they bound), None where the runs share no looks."""
    seen = [looks(runs) for runs in (scratch, transfer)]
    if seen[0] is None or seen[1] is None:
        return None
    fits = [fitted(*each) for each in seen if each is not None]
    level = (target.value - (target.floor or 0.0)) / max(target.best - (target.floor or 0.0), 1e-9)
    ends = fits[0].end()
    goals = (target.floor or 0.0) + level * (ends - (target.floor or 0.0))  # each mean curve of scratch has its own
    goals[0] = target.value
    crossings, grid, places = [], 0.0, []
    for fit, each in zip(fits, seen, strict=True):
        assert each is not None
        at, steps = fit.crossing(goals), np.array(each[0])
        asked = steps[steps > 0]
        place = int(np.searchsorted(np.log(asked), at[0] - 1e-9))  # the first look that shows it
        if each[1].mean(0)[0] >= target.value and each[0][0] == 0:
            place, at = 0, np.zeros_like(at)
        crossings.append(at)
        places.append((place, asked))
    bound = ""
    (base, base_steps), (own, own_steps) = places
    if own < EARLY:  # known only from the look at which it was seen
        bound = LEAST
        crossings[1] = np.maximum(crossings[1], math.log(own_steps[own])) if crossings[1][0] > 0 else crossings[1]
        if base < EARLY:  # scratch may have been there right after the look before
            crossings[0] = np.minimum(crossings[0], math.log(base_steps[base - 1]) if base else 0.0)
    for place, asked in places[: 1 if bound else 2]:
        grid += _gap(asked, place) ** 2 / 12
    logs = [_by_clock(list(runs.values()), at, clock) for runs, at in zip((scratch, transfer), crossings, strict=True)]
    whole, without = float(logs[0][0] - logs[1][0]), logs[0][1:] - logs[1][1:]
    count = len(scratch)
    if count == 1:
        return np.array([whole]), grid, bound
    return whole - (count - 1) * (without - without.mean()), grid, bound


def _gap(asked: Floats, place: int) -> float:
    """Return the distance in log step of the looks about a crossing; the first look is as far from the first step."""
    after = min(place, len(asked) - 1)
    before = asked[after - 1] if after else min(1.0, asked[0] / 2)
    return math.log(asked[after] / before)


def _by_clock(runs: Sequence[Run], at: Floats, clock: str) -> Floats:
    """Return log times (1 + S,) of the crossings: the mean over runs at ``at[0]``, and without each run at its own."""
    marks = [_marks(run, clock) for run in runs]
    whole = np.array([_log_times(each, at) for each in marks])  # (S, 1 + S)
    count = len(runs)
    if count == 1:
        return np.asarray(whole[0])
    sums = whole.sum(0)
    return np.concatenate([[sums[0] / count], (sums[1:] - np.diag(whole[:, 1:])) / (count - 1)])


def _marks(run: Run, clock: str) -> tuple[Floats, Floats]:
    """Return (steps, times by a clock) of a run's events, from (0, 0), both rising."""
    known = {0: 0.0} | {
        event["step"]: at
        for event in run.events
        if isinstance(event.get("step"), int) and event["step"] > 0 and (at := at_event(run, event, clock)) is not None
    }
    steps = sorted(known)
    return np.array(steps, dtype=float), np.maximum.accumulate(np.array([known[step] for step in steps]))


def _log_times(marks: tuple[Floats, Floats], log_steps: Floats) -> Floats:
    """Return the log times at some log steps; past the end a run goes on as fast as it went."""
    wanted, (steps, clock) = np.exp(log_steps), marks
    at = np.where(wanted > steps[-1], clock[-1] * wanted / steps[-1], np.interp(wanted, steps, clock))
    return np.asarray(np.log(np.maximum(at, 1e-9)))


def _resolution(runs: Sequence[Run], target: Target, clock: str) -> float:
    """Return the variance of a log time that the looks leave, mean over the runs that arrive: h^2 / 12."""
    gaps = []
    for run in runs:
        steps, clocks = _marks(run, clock)
        seen = looks({0: run})
        reach = arrival(run, 0, target.value, clock) if not diverged(run) else None
        if seen is None or reach is None or not reach.reached:
            continue
        asked = np.array([step for step in seen[0] if step > 0])
        place = int(np.searchsorted(np.interp(asked, steps, clocks), reach.at - 1e-12))
        gaps.append(_gap(asked, place) ** 2 / 12)
    return math.fsum(gaps) / len(gaps) if gaps else 0.0
