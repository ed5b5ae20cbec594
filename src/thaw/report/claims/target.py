"""The dev score that time is counted to: a share of what scratch gains over the majority answer, and when it is none.

Target = floor + share x (best - floor). The floor is the majority answer's dev score. The best is the end of the curve
fitted to scratch's mean over seeds (growth.py): the best look of a noisy curve is lucky, and lies above what scratch
can do. A target that is met exactly is met, so it is rounded to the six digits that scores have.

Nothing is said of the time to a level that is not scratch's own: where scratch is not above the majority answer by its
own noise, and where it has not converged. It has not where the last fifth of its steps still brings it more than the
share leaves open, or where the largest train size brings it nothing over the one below.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thaw.report.arms import Arm
from thaw.report.claims.arrival import diverged
from thaw.report.claims.growth import Fitted, Floats, fitted
from thaw.report.claims.sides import Sides, Size, difference
from thaw.report.collect import Run
from thaw.report.statistics import FEWEST, estimate

DIGITS = 6  # of a score in a row
LOW = "scratch does no better than the majority answer, by its own noise"
NOISE = 2.0  # standard deviations of scratch's runs under the target that are no miss yet
NEAREST = 0.75  # share of the gain to the target under which a miss is one, whatever the noise
ROBUST = 5  # runs from which one that failed must not widen the spread
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
    doubt: str  # why no word rests on it, a clause about scratch; "" where one may

    @property
    def near(self) -> float:
        """The dev score under which a run has not arrived: a miss by less than scratch's own runs differ is noise."""
        floor = self.floor or 0.0
        return max(self.value - NOISE * self.noise, floor + NEAREST * (self.value - floor))


def target_of(sides: Sides, task: str, scratch: Arm, size: Size, share: float) -> Target | None:
    """Return the target at ``share`` of scratch's gain, None where scratch has no score or none above the floor."""
    runs = {seed: run for seed, run in sides.runs(task, scratch, size).items() if not diverged(run)}
    seen = looks(runs)
    fit = fitted(*seen) if seen is not None else None
    scores = [run["dev"] for run in runs.values() if run["dev"] is not None]
    if fit is None and not scores:
        return None
    best = float(fit.end()[0]) if fit is not None else math.fsum(scores) / len(scores)
    floor, source = floor_of(sides, task, size, runs)
    value = round((floor or 0.0) + share * (best - (floor or 0.0)), DIGITS)
    if best <= (floor or 0.0):
        value = round(floor or 0.0, DIGITS)
    if value <= 0:
        return None
    ends = _ends(runs, seen)
    doubt = LOW if best <= (floor or 0.0) else ""
    doubt = (
        doubt
        or _low(runs, ends, floor)
        or _rising(seen, fit, best - (floor or 0.0), share)
        or _flat(sides, task, scratch)
    )
    return Target(value=value, best=round(best, DIGITS), floor=floor, source=source, doubt=doubt, noise=_noise(ends))


def floor_of(sides: Sides, task: str, size: Size, runs: Mapping[int, Run]) -> tuple[float | None, str]:
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


def _majority(sides: Sides, task: str, size: Size, runs: Mapping[int, Run]) -> list[float | None]:
    control = sides.control("majority")
    answers = sides.runs(task, control, size) if control else {}
    return [run["dev"] for seed, run in answers.items() if seed in runs] or [run["dev"] for run in answers.values()]


def looks(runs: Mapping[int, Run]) -> Looks | None:
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


def _ends(runs: Mapping[int, Run], seen: Looks | None) -> list[float]:
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


def _low(runs: Mapping[int, Run], ends: Sequence[float], floor: float | None) -> str:
    """Say whether scratch is not above the majority answer: over seeds, the mean of the last third of its looks."""
    if floor is None:
        collapsed = [bool(run["collapsed"]) for run in runs.values()]
        return "scratch does no better than the majority answer" if sum(collapsed) * 2 > len(collapsed) else ""
    gain = estimate([end - floor for end in ends])
    if gain is None or gain.mean <= 0 or (gain.n >= FEWEST and gain.low is not None and gain.low <= 0):
        return LOW
    return ""


def _rising(seen: Looks | None, fit: Fitted | None, gained: float, share: float) -> str:
    """Say whether scratch still rises: what the end of its steps brings, by its fitted curve and by a test over seeds.

    It must be more than the share leaves open, and by the test more than half of that: a curve that comes near its end
    rises a little at all times.
    """
    if fit is None or seen is None or len(seen[1]) < FEWEST:
        return ""
    steps, scores = np.array(seen[0]), seen[1]
    late = LATE * steps[-1]
    last = scores[:, steps > 0.5 * (1 + LATE) * steps[-1]].mean(-1)
    rises = estimate([float(end - np.interp(late, steps, run)) for end, run in zip(last, scores, strict=True)])
    brings = float(fit.end()[0] - fit.at(LATE)[0])
    left = (1 - share) * gained
    if rises is not None and rises.low is not None and rises.low > 0.5 * left and brings > left:
        return f"scratch is not converged: its dev score still rises by {brings:.3f} in the last fifth of its steps"
    return ""


def _flat(sides: Sides, task: str, scratch: Arm) -> str:
    """Say whether scratch gains nothing from more labels: the largest train size against the one below, over seeds."""
    sizes = [size for size in sides.sizes(task, scratch) if sides.scores(task, scratch, size)]
    if len(sizes) < 2:
        return ""
    more, fewer = (sides.scores(task, scratch, size) for size in (sizes[-1], sizes[-2]))
    gain = estimate(list(difference(more, fewer).values()))
    if gain is None or gain.n < FEWEST:
        return ""
    if gain.mean <= 0 or (gain.high is not None and gain.high < sides.rule.margin):
        return (
            f"scratch is not converged: with {sizes[-1]} labels it scores {gain.mean:+.3f} against {sizes[-2]} labels,"
            " so it does not gain from more of them"
        )
    return ""
