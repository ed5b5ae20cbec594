"""The dev score that time is counted to: a share of what scratch gains over the majority answer, and when it is none.

Target = floor + share x (best - floor). The floor is the majority answer's dev score. The best is the end of the curve
fitted to scratch's mean over seeds (growth.py): the best look of a noisy curve is lucky, and lies above what scratch
can do. A target that is met exactly is met, so it is rounded to the six digits that scores have.

Nothing is said of the time to a level that is not scratch's own: where scratch is not above the majority answer by its
own noise, where it has not converged (the last fifth of its steps still brings it more than the share leaves open), and
where the largest train size brings it nothing over the one below: a ceiling, of the task or of the steps it has. Where
its score leaves less than the margin to the best that the metric has, nothing is left to gain, and that is no doubt.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thaw.report.arms import Arm
from thaw.report.claims.arrival import diverged
from thaw.report.claims.doubts import Doubt
from thaw.report.claims.growth import Fitted, Floats, fitted
from thaw.report.claims.paired import sourced
from thaw.report.claims.sides import TAMER, Sides, Size, difference
from thaw.report.collect import Run
from thaw.report.statistics import FEWEST, bounds, estimate

DIGITS = 6  # of a score in a row
LEVEL = "Give scratch more steps, another rate or more labels, until it has a level to be measured against."
LOW = Doubt(says="scratch does no better than the majority answer, by its own noise", remedy=LEVEL)
COLLAPSED = Doubt(says="scratch does no better than the majority answer", remedy=LEVEL)
LOST = Doubt(says="every run of scratch diverged", remedy=TAMER)
MOSTLY_LOST = Doubt(says="most runs of scratch diverged, so what is left of it is no level", remedy=TAMER)
RISING = Doubt(
    says="scratch is not converged: its dev score still rises in the last fifth of its steps",
    remedy="Give scratch more steps, until its dev score rises no more.",
)
CEILING = Doubt(
    says="scratch scores no more with the most labels than with the next fewer, a ceiling of the task or of its steps",
    remedy="Give scratch more steps or another rate, and see whether more labels raise it then.",
    whole=True,
)
NOISE = 2.0  # standard deviations of scratch's runs under the target that are no miss yet
NEAREST = 0.75  # share of the gain to the target under which a miss is one, whatever the noise
ROBUST = 5  # runs from which one that failed must not widen the spread
Members = Mapping[tuple[str, int], Run]  # (pretraining, seed) -> run
Looks = tuple[tuple[float, ...], Floats]  # steps (L,), dev scores (S, L)
LATE = 0.8  # share of the steps after which a curve should rise no more


@dataclass(frozen=True, kw_only=True)
class Target:
    """What scratch reaches on one task at one train size, and the dev score that time is counted to."""

    value: float
    best: float  # end of scratch's fitted curve
    floor: float | None  # the majority's dev score, None where it is not known
    source: str  # of the floor: row, majority, lineage; "" where it is not known
    noise: float  # standard deviation over seeds of the ends of scratch's runs
    doubt: Doubt | None  # why no word rests on it, None where one may

    @property
    def near(self) -> float:
        """The dev score under which a run has not arrived: a miss by less than scratch's own runs differ is noise."""
        floor = self.floor or 0.0
        return max(self.value - NOISE * self.noise, floor + NEAREST * (self.value - floor))


def target_of(sides: Sides, task: str, scratch: Arm, size: Size, share: float) -> Target | None:
    """Return the target at ``share`` of scratch's gain, None where scratch has no run with a score.

    Where scratch gains nothing the target is the floor, with the doubt that says so: nobody races to it.
    """
    members = {
        (source, seed): run for source, own in sourced(sides, task, scratch, size).items() for seed, run in own.items()
    }
    runs = {place: run for place, run in members.items() if not diverged(run)}
    if members and not runs:
        floor, source = floor_of(sides, task, size, members)
        level = round(floor or 0.0, DIGITS)
        return Target(value=level, best=level, floor=floor, source=source, doubt=LOST, noise=0.0)
    seen = looks(runs)
    fit = fitted(*seen) if seen is not None else None
    scores = [run["dev"] for run in runs.values() if run["dev"] is not None]
    if fit is None and not scores:
        return None
    best = float(fit.end()[0]) if fit is not None else math.fsum(scores) / len(scores)
    floor, source = floor_of(sides, task, size, runs)
    base, own = floor or 0.0, ends(runs, seen)
    low = LOW if best <= base else None
    doubt = (
        (MOSTLY_LOST if 2 * len(runs) < len(members) else None) or low or _low(runs, own, floor)
        or _rising(seen, fit, best - base, share) or _ceiling(sides, task, scratch)
    )  # fmt: skip
    value = base + share * (best - base) if low is None else base
    return Target(
        value=round(value, DIGITS), best=round(best, DIGITS), floor=floor, source=source, doubt=doubt,
        noise=_noise(own),
    )  # fmt: skip


def floor_of(sides: Sides, task: str, size: Size, runs: Members) -> tuple[float | None, str]:
    """Return the majority's dev score and where it stands: the runs' rows, the control's runs, the runs' lineage."""
    places = {
        "row": [run.row.get("floor") for run in runs.values()],
        "majority": _majority(sides, task, size, runs),
        "lineage": [run.lineage.get("floor") for run in runs.values()],
    }
    for source, values in places.items():
        known = [float(value) for value in values if isinstance(value, int | float)]
        if known:
            return math.fsum(known) / len(known), source
    return None, ""


def _majority(sides: Sides, task: str, size: Size, runs: Members) -> list[float | None]:
    control = sides.control("majority")
    answers, seeds = sides.runs(task, control, size) if control else {}, {seed for _, seed in runs}
    return [run["dev"] for seed, run in answers.items() if seed in seeds] or [run["dev"] for run in answers.values()]


def looks(runs: Mapping[Any, Run]) -> Looks | None:
    """Return the steps (L,) at which every run was looked at and the dev scores there (S, L), None under two steps."""
    curves = [_by_step(run) for run in runs.values()]
    shared = sorted(set.intersection(*map(set, curves))) if curves else []
    if not shared or shared[-1] <= 0 or len(shared) < 2:
        return None
    return tuple(map(float, shared)), np.array([[curve[step] for step in shared] for curve in curves])


def _by_step(run: Run) -> dict[int, float]:
    name = f"dev/{run['metric']}"
    return {
        event["step"]: float(event[name])
        for event in run.events
        if isinstance(event.get("step"), int) and isinstance(event.get(name), int | float)
    }


def ends(runs: Mapping[Any, Run], seen: Looks | None) -> list[float]:
    """Return by run the mean of the last third of its looks, its best score where the runs share no looks."""
    if seen is None:
        return [run["dev"] for run in runs.values() if run["dev"] is not None]
    return [float(end) for end in seen[1][:, -max(1, len(seen[0]) // 3) :].mean(-1)]


def _noise(scores: Sequence[float]) -> float:
    """Return the standard deviation of the runs' ends; of ROBUST and more by their median absolute deviation."""
    ends = np.array(scores)
    if len(ends) < 2:
        return 0.0
    if len(ends) < ROBUST:
        return float(ends.std(ddof=1))
    return float(1.4826 * np.median(np.abs(ends - np.median(ends))))


def _low(runs: Members, ends: Sequence[float], floor: float | None) -> Doubt | None:
    """Say whether scratch is not above the majority answer: over seeds, the mean of the last third of its looks."""
    if floor is None:
        collapsed = [bool(run["collapsed"]) for run in runs.values()]
        return COLLAPSED if sum(collapsed) * 2 > len(collapsed) else None
    gain = estimate([end - floor for end in ends])
    if gain is None or gain.mean <= 0 or (gain.n >= FEWEST and gain.low is not None and gain.low <= 0):
        return LOW
    return None


def _rising(seen: Looks | None, fit: Fitted | None, gained: float, share: float) -> Doubt | None:
    """Say whether scratch still rises: what the end of its steps brings, by its fitted curve and by a test over seeds.

    It must be more than the share leaves open, and by the test more than half of that: a curve that comes near its end
    rises a little at all times.
    """
    if fit is None or seen is None or len(seen[1]) < FEWEST:
        return None
    steps, scores = np.array(seen[0]), seen[1]
    late = LATE * steps[-1]
    last = scores[:, steps > 0.5 * (1 + LATE) * steps[-1]].mean(-1)
    rises = estimate([float(end - np.interp(late, steps, run)) for end, run in zip(last, scores, strict=True)])
    brings = float(fit.end()[0] - fit.at(LATE)[0])
    left = (1 - share) * gained
    if rises is not None and rises.low is not None and rises.low > 0.5 * left and brings > left:
        return replace(RISING, amount=brings)
    return None


def _ceiling(sides: Sides, task: str, scratch: Arm) -> Doubt | None:
    """Say whether scratch gains nothing from more labels: the largest train size against the one below, over seeds."""
    sizes = [size for size in sides.sizes(task, scratch) if sides.scores(task, scratch, size)]
    if len(sizes) < 2:
        return None
    more, fewer = (sides.scores(task, scratch, size) for size in (sizes[-1], sizes[-2]))
    gain = estimate(list(difference(more, fewer).values()))
    if gain is None or gain.n < FEWEST:
        return None
    most = bounds(sides.cells[task, scratch, sizes[-1]].metric)[1]
    if most - math.fsum(fewer.values()) / len(fewer) < sides.rule.margin:
        return None
    if gain.mean <= 0 or (gain.high is not None and gain.high < sides.rule.margin):
        return replace(CEILING, amount=gain.mean)
    return None
