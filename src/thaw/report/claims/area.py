"""Score against cost without a target: the area between an arm's dev curve and scratch's over the budget both have.

The area over the budget is the mean lead in dev score while that budget is spent. It needs no level to arrive at and
counts early and late scores alike; a run that never arrives is in it as it is. Between looks a curve is a line, and
evaluation is on no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thaw.report.arms import Arm
from thaw.report.cells import over_pretrainings
from thaw.report.claims.arrival import CLOCKS, curve_of, diverged
from thaw.report.claims.paired import pairs, sourced
from thaw.report.claims.sides import Sides, Size
from thaw.report.collect import Run
from thaw.report.statistics import Estimate, estimate


@dataclass(frozen=True, kw_only=True)
class Area:
    """The mean lead of an arm over scratch while a budget is spent, on one task at one train size, by a clock."""

    task: str
    arm: Arm
    size: Size
    clock: str
    budget: float  # by the clock: the smallest that all its pairs have
    lead: Estimate  # dev score, paired by seed, the mean over pretrainings
    left_out: int = 0  # pairs with a run that diverged: they have no score to lead by


def areas(sides: Sides, task: str, arm: Arm, size: Size) -> list[Area]:
    """Return the areas between an arm and scratch by every clock that both have; none for scratch itself."""
    scratch = sides.scratch(task, arm)
    if scratch is None:
        return []
    paired = list(pairs(*(sourced(sides, task, side, size) for side in (arm, scratch))))
    members = [pair for pair in paired if not diverged(pair.transfer) and not diverged(pair.scratch)]
    left_out = len(paired) - len(members)
    made = []
    for clock in CLOCKS:
        curves = [(pair, curve_of(pair.transfer, clock), curve_of(pair.scratch, clock)) for pair in members]
        curves = [each for each in curves if each[1] and each[2]]
        budget = min((curve[-1][0] for _, *both in curves for curve in both), default=0.0)
        leads: dict[str, dict[int, float]] = {}
        for pair, own, base in curves if budget > 0 else []:
            leads.setdefault(pair.source, {})[pair.seed] = _lead(own, base, budget)
        lead = estimate(list(over_pretrainings(leads).values()), sides.rule.level)
        if lead is not None:
            made.append(Area(task=task, arm=arm, size=size, clock=clock, budget=budget, lead=lead, left_out=left_out))
    return made


def _lead(one: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]], budget: float) -> float:
    """Return the mean of one curve minus the other from nothing spent to the budget."""
    (x, y), (at, score) = np.array(one).T, np.array(other).T
    places = np.unique(np.concatenate([[0.0, budget], x[x < budget], at[at < budget]]))
    gap = np.interp(places, x, y) - np.interp(places, at, score)
    return float(np.sum(0.5 * (gap[1:] + gap[:-1]) * np.diff(places)) / budget)


def spent(run: Run, clock: str) -> float | None:
    """Return what the whole training of a run cost by a clock, None where its row does not say."""
    column = {"seconds": "train_seconds", "step": "steps"}.get(clock, clock)
    value = run.row.get(column)
    return float(value) if isinstance(value, int | float) else None
