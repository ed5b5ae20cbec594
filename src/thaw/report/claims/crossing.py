"""The ratio of a cell in which every run arrives: where the curves of both arms cross the target, by a clock.

Crossings are found in steps (growth.py), and each run's own record turns them into a clock's time.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from thaw.report.claims.arrival import arrival, at_event, diverged
from thaw.report.claims.growth import Floats, fitted
from thaw.report.claims.target import Target, looks
from thaw.report.collect import Run

EARLY = 2  # looks, the one before the first step apart: an arrival at one of them has a least ratio alone
LEAST, MOST, ABOUT = "at least", "at most", "about"


def crossed(
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
    if own < min(EARLY, len(own_steps)):  # known only from the look at which it was seen
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


def resolution(runs: Sequence[Run], target: Target, clock: str) -> float:
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
