"""All tasks together, after Agarwal et al. 2021 (Deep RL at the Edge of the Statistical Precipice).

Scores are normalised by task: 0 is the majority answer (0 where it was not run), 1 the best mean of any arm on that
task. Intervals are over seeds: the seeds are few, so nothing is bootstrapped over them. The interquartile mean has
Student's t; the probability of improvement is a share, so it has Wilson's interval at the number of pairs that its
spread over seeds amounts to (Korn and Graubard 1998), at least the seeds: where all runs are better it is not [1, 1].
Runs pair by seed, as everywhere here; a tie counts a half. The sizes of one task are nested, so cells are no sample.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from thaw.report.arms import Arm
from thaw.report.claims.sides import Sides, Size, difference
from thaw.report.rates import wilson_interval
from thaw.report.statistics import FEWEST, Estimate, estimate
from thaw.report.strategy import FLOOR


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """An arm over all (task, size) that every arm of the comparison has."""

    arm: Arm
    iqm: Estimate | None  # interquartile mean of the normalised scores, interval over seeds
    better: Estimate | None  # probability of a better score than scratch's with the same seed, interval over seeds
    profile: list[float]  # share of runs with a normalised score above each of THRESHOLDS
    cells: int
    runs: int


THRESHOLDS = [round(0.02 * i, 2) for i in range(61)]  # 0 to 1.2


def pooled(sides: Sides) -> list[Pooled]:
    """Return every arm over the (task, size) that all arms share; the majority answer is not an arm here.

    Networks with other steps than the transfer of the verdicts are not compared.
    """
    arms = [arm for arm in sides.arms if not arm.floor and sides.comparable(arm)]
    places = [
        (task, size)
        for task in sides.tasks
        for size in sorted({size for arm in arms for size in sides.sizes(task, arm)})
        if all(sides.scores(task, arm, size) for arm in arms)
    ]
    if not places or len(arms) < 2:
        return []
    from scipy.stats import trim_mean

    scale = {task: _scale(sides, task, arms) for task, _ in places}
    made = []
    for arm in arms:
        normal = [
            {seed: (score - scale[task][0]) / scale[task][1] for seed, score in sides.scores(task, arm, size).items()}
            for task, size in places
        ]
        seeds = set.intersection(*map(set, normal))
        iqms = [float(trim_mean([one[seed] for one in normal], 0.25)) for seed in sorted(seeds)]
        values = np.array([score for one in normal for score in one.values()])
        made.append(
            Pooled(
                arm=arm,
                iqm=estimate(iqms, sides.rule.level),
                better=_better(sides, arm, places),
                profile=[float((values > bound).mean()) for bound in THRESHOLDS],
                cells=len(places),
                runs=len(values),
            )
        )
    return made


def _better(sides: Sides, arm: Arm, places: Sequence[tuple[str, Size]]) -> Estimate | None:
    """Return how probable it is that a run beats scratch's run with the same seed, None where scratch was not run."""
    wins: dict[int, list[float]] = {}
    for task, size in places:
        scratch = sides.scratch(task, arm)
        if scratch is None:
            continue
        for seed, gap in difference(sides.scores(task, arm, size), sides.scores(task, scratch, size)).items():
            wins.setdefault(seed, []).append(0.5 + 0.5 * (gap > 0) - 0.5 * (gap < 0))
    means = [math.fsum(shares) / len(shares) for shares in wins.values()]
    mean = estimate(means, sides.rule.level)
    if mean is None or mean.n < FEWEST or mean.deviation is None:
        return replace(mean, low=None, high=None) if mean else None
    pairs = sum(map(len, wins.values()))
    apart = mean.deviation**2 / mean.n
    count = mean.mean * (1 - mean.mean) / apart if apart else 0.0
    count = min(float(pairs), max(float(mean.n), count))
    low, high = wilson_interval(mean.mean * count, count, sides.rule.level)
    return replace(mean, low=low, high=high)


def _scale(sides: Sides, task: str, arms: Sequence[Arm]) -> tuple[float, float]:
    """Return (zero, unit) of a task's scores."""
    majority = sides.control(FLOOR)
    floor = [
        score
        for size in (sides.sizes(task, majority) if majority else [])
        if majority
        for score in sides.scores(task, majority, size).values()
    ]
    zero = sum(floor) / len(floor) if floor else 0.0
    means = [
        sum(scores.values()) / len(scores)
        for arm in arms
        for size in sides.sizes(task, arm)
        if (scores := sides.scores(task, arm, size))
    ]
    return zero, max(1e-9, max(means) - zero)
