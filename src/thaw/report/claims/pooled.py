"""All tasks together, after Agarwal et al. 2021 (Deep RL at the Edge of the Statistical Precipice).

Scores are normalised by task: 0 is the majority answer (0 where it was not run), 1 the best mean of any arm on that
task. Intervals are over seeds, by Student's t: the seeds are few, so nothing is bootstrapped over them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thaw.report.arms import Arm
from thaw.report.claims.sides import Sides
from thaw.report.statistics import Estimate, estimate
from thaw.report.strategy import FLOOR


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """An arm over all (task, size) that every arm of the comparison has."""

    arm: Arm
    iqm: Estimate | None  # interquartile mean of the normalised scores, interval over seeds
    better: Estimate | None  # probability of a better score than scratch's, mean over (task, size), interval over them
    profile: list[float]  # share of runs with a normalised score above each of THRESHOLDS
    cells: int
    runs: int


THRESHOLDS = [round(0.02 * i, 2) for i in range(61)]  # 0 to 1.2


def pooled(sides: Sides) -> list[Pooled]:
    """Return every arm over the (task, size) that all arms share; the majority answer is not an arm here."""
    arms = [arm for arm in sides.arms if not arm.floor]
    places = [
        (task, size)
        for task in sides.tasks
        for size in sorted({size for arm in arms for size in sides.sizes(task, arm)})
        if all(sides.scores(task, arm, size) for arm in arms)
    ]
    if not places or len(arms) < 2:
        return []
    from scipy.stats import mannwhitneyu, trim_mean

    scale = {task: _scale(sides, task, arms) for task, _ in places}
    made = []
    for arm in arms:
        normal = [
            {seed: (score - scale[task][0]) / scale[task][1] for seed, score in sides.scores(task, arm, size).items()}
            for task, size in places
        ]
        seeds = set.intersection(*map(set, normal))
        iqms = [float(trim_mean([one[seed] for one in normal], 0.25)) for seed in sorted(seeds)]
        chances = []
        for task, size in places:
            scratch = sides.scratch(task, arm)
            if scratch is not None:
                own, base = (list(sides.scores(task, side, size).values()) for side in (arm, scratch))
                chances.append(float(mannwhitneyu(own, base).statistic) / (len(own) * len(base)))
        values = np.array([score for one in normal for score in one.values()])
        made.append(
            Pooled(
                arm=arm,
                iqm=estimate(iqms, sides.rule.level),
                better=estimate(chances, sides.rule.level),
                profile=[float((values > bound).mean()) for bound in THRESHOLDS],
                cells=len(places),
                runs=len(values),
            )
        )
    return made


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
