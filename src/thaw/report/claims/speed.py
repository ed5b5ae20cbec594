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

Several pretrainings of one recipe are judged one by one against the same scratch. The value of a seed is their mean;
from five of them on they are random beside the seeds (crossed.py).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from thaw.report.arms import Arm
from thaw.report.claims.arrival import CLOCKS, Times, curve_of, passage
from thaw.report.claims.crossing import ABOUT
from thaw.report.claims.doubts import Doubt, Place
from thaw.report.claims.judge import ByPretraining, Effects
from thaw.report.claims.paired import Pair, pairs, sourced
from thaw.report.claims.ratio import Counts, Ratio, ratio
from thaw.report.claims.sides import Sides, Size, mean_effect
from thaw.report.claims.target import Target, target_of
from thaw.report.statistics import Estimate, critical

SHARES = (0.9, 0.95, 1.0)  # of scratch's own gain
UNSEEN = Doubt(says="no pair of runs has dev scores by this clock", remedy="Run both with dev scores along the way.")


def times(sides: Sides, task: str, arm: Arm, size: Size, share: float, clock: str = "seconds") -> Times | None:
    """Return the times of an arm to ``share`` of scratch's gain, None without a target or without curves."""
    return next(iter(by_clocks(sides, task, arm, size, share, (clock,))), None)


def by_clocks(
    sides: Sides, task: str, arm: Arm, size: Size, share: float, clocks: Iterable[str] = tuple(CLOCKS)
) -> list[Times]:
    """Return the times of an arm to ``share`` of scratch's gain by every clock that its runs have.

    Where scratch gains nothing there is no level to arrive at, and no times.
    """
    scratch = arm if arm.strategy == "scratch" else sides.scratch(task, arm)
    target = target_of(sides, task, scratch, size, share) if scratch else None
    if target is None or target.value <= (target.floor or 0.0):
        return []
    made = [_times(sides, task, arm, size, share, clock, target) for clock in clocks]
    return [each for each in made if each is not None]


def _times(sides: Sides, task: str, arm: Arm, size: Size, share: float, clock: str, target: Target) -> Times | None:
    arrivals = []
    for source, runs in sourced(sides, task, arm, size).items():
        for seed, run in runs.items():
            curve = curve_of(run, clock)
            reach, near = (passage(run, seed, level, curve) for level in (target.value, target.near))
            if reach is not None and near is not None:
                arrivals.append(replace(reach, source=source, near=near.reached))
    if not any(each.end > 0 for each in arrivals):
        return None
    return Times(task=task, arm=arm, size=size, share=share, target=target.value, clock=clock, arrivals=arrivals)


@dataclass(frozen=True, kw_only=True)
class Speed:
    """The ratios of a study by one clock, over the headline cells that a word may rest on."""

    clock: str
    effects: Effects
    crossed: ByPretraining  # the same by pretraining, of the tasks that have several
    errors: dict[str, float]  # task -> standard error that the seeds do not show: the grid of looks
    bound: str  # LEAST, MOST, ABOUT where cells differ, or ""
    pairs: int
    reached: tuple[int, int]  # pairs of which a run arrives: transfer, scratch
    counts: tuple[Counts, Counts] = (Counts(), Counts())  # of the runs: transfer, scratch
    doubts: dict[Place, Doubt] = field(default_factory=dict)  # cell -> why no word rests on it
    short: bool = False  # whether transfer's mean curves end under the targets by more than their own error
    floorless: bool = False  # whether a target is a share of scratch's whole best, its floor unknown


def speed(sides: Sides, clock: str = "seconds") -> Speed:
    """Return for each task and seed the mean over headline sizes of log(scratch's time / transfer's time)."""
    return speeds(sides, (clock,))[clock]


@dataclass(frozen=True, kw_only=True)
class _Cell:
    task: str
    size: Size
    target: Target
    pairs: list[Pair]


def speeds(sides: Sides, clocks: Iterable[str] = tuple(CLOCKS)) -> dict[str, Speed]:
    """Return the ratios of a study by several clocks."""
    doubts: dict[Place, Doubt] = {}
    cells: list[_Cell] = []
    arm = sides.transfer
    for task in sides.tasks if arm else []:
        assert arm is not None
        scratch = sides.scratch(task, arm)
        for size in sides.headline(task, arm, scratch) if scratch else []:
            assert scratch is not None
            target = target_of(sides, task, scratch, size, sides.rule.target)
            if target is not None and target.doubt:
                doubts[task, size] = target.doubt
            elif target is not None:
                members = pairs(*(sourced(sides, task, side, size) for side in (arm, scratch)))
                cells.append(_Cell(task=task, size=size, target=target, pairs=members))
    return {clock: _speed(clock, cells, doubts, sides.rule.level) for clock in clocks}


def _speed(clock: str, cells: Sequence[_Cell], doubts: Mapping[Place, Doubt], level: float) -> Speed:
    parts: dict[str, list[Ratio]] = {}
    without: dict[Place, Doubt] = {}
    floorless = False
    for cell in cells:
        each = ratio(cell.pairs, cell.target, clock)
        if each is None:
            without[cell.task, cell.size] = UNSEEN
            continue
        parts.setdefault(cell.task, []).append(each)
        floorless |= cell.target.floor is None
    effects = {task: mean_effect([each.values for each in own]) for task, own in parts.items()}
    by_source = {task: _by_source(own) for task, own in parts.items()}
    ratios = [each for own in parts.values() for each in own]
    bounds = {each.bound for each in ratios if each.bound}
    return Speed(
        clock=clock, effects=effects, bound=ABOUT if len(bounds) > 1 else next(iter(bounds), ""),
        crossed={task: sources for task, sources in by_source.items() if len(sources) > 1},
        errors={task: _error(effects[task], own, level) for task, own in parts.items()},
        pairs=sum(each.pairs for each in ratios), floorless=floorless,
        reached=(sum(each.reached[0] for each in ratios), sum(each.reached[1] for each in ratios)),
        counts=(sum((each.counts[0] for each in ratios), Counts()), sum((each.counts[1] for each in ratios), Counts())),
        doubts={**doubts, **(without if ratios else {})}, short=_short([each.above for each in ratios]),
    )  # fmt: skip


def _short(above: Sequence[Estimate | None]) -> bool:
    """Whether curves end under their targets in the mean over cells, by more than the standard error of that mean."""
    known = [each for each in above if each is not None]
    if not known:
        return False
    mean = math.fsum(each.mean for each in known) / len(known)
    error = math.sqrt(math.fsum((each.error or 0.0) ** 2 for each in known)) / len(known)
    return mean < -error


def _by_source(ratios: Sequence[Ratio]) -> dict[str, dict[int, float]]:
    """Return the mean over the sizes of a task for each pretraining that all of them have."""
    sources = set.intersection(*(set(each.by_source) for each in ratios))
    return {source: mean_effect([each.by_source[source] for each in ratios]) for source in sorted(sources)}


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
