"""When a run's dev score first reached a target, by a clock, and how long the run was watched.

Evaluation is off every clock. A run that never reaches the target is censored where it ended, not dropped: the share of
runs that have reached it by a time is Kaplan and Meier's estimate (1958). A diverged run never arrives: it would not
had it been watched longer, so it is censored at the longest watch of its cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thaw.report.arms import Arm
from thaw.report.claims.sides import Size
from thaw.report.collect import Run

CLOCKS = {"seconds": "training seconds", "cpu_seconds": "CPU seconds of training", "step": "optimizer steps",
          "flops": "FLOPs"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """When one run reached its target, by a clock, and until when it was watched."""

    seed: int
    at: float  # the first look that is as good as the target; the end where there is none
    reached: bool
    end: float  # of the run
    source: str = ""  # the pretraining that the run starts from
    near: bool = False  # whether it comes as near to the target as scratch's own runs differ (target.py)
    diverged: bool = False


@dataclass(frozen=True, kw_only=True)
class Times:
    """Times to a target of one arm on one task at one train size."""

    task: str
    arm: Arm
    size: Size
    share: float  # of what scratch gains over the majority answer
    target: float  # dev score
    clock: str
    arrivals: list[Arrival]

    @property
    def reached(self) -> int:
        """Runs that reached the target."""
        return sum(arrival.reached for arrival in self.arrivals)

    @property
    def near(self) -> int:
        """Runs that reached the target or came as near to it as scratch's own runs differ."""
        return sum(arrival.reached or arrival.near for arrival in self.arrivals)

    @property
    def watched(self) -> float:
        """How long every run that did not diverge was watched, at least; 0 where all of them diverged."""
        return min((arrival.end for arrival in self.arrivals if not arrival.diverged), default=0.0)

    @property
    def longest(self) -> float:
        """How long the run that was watched longest was watched."""
        return max((arrival.end for arrival in self.arrivals), default=0.0)

    @property
    def lost(self) -> list[float]:
        """Until when each run that does not arrive counts as one: its end, of a diverged one the longest watch."""
        longest = self.longest
        return [longest if one.diverged else one.end for one in self.arrivals if not one.reached]

    def survival(self) -> tuple[list[float], list[float]]:
        """Return times and the share of runs that have reached the target by then (Kaplan-Meier), as steps."""
        from scipy.stats import CensoredData, ecdf

        done = [arrival.at for arrival in self.arrivals if arrival.reached]
        if not done:
            return [], []
        steps = ecdf(CensoredData(done, right=self.lost)).cdf
        return [float(q) for q in steps.quantiles], [float(p) for p in steps.probabilities]

    def median(self) -> float | None:
        """Return the time by which half of the runs have arrived, None where fewer than half ever do."""
        return next((at for at, share in zip(*self.survival(), strict=True) if share >= 0.5), None)

    def restricted_mean(self, end: float) -> float:
        """Return the mean time to the target, counted no longer than ``end`` (area under the survival curve)."""
        times, shares = self.survival()
        area, last, left = 0.0, 0.0, 1.0
        for at, share in zip(times, shares, strict=True):
            if at >= end:
                break
            area, last, left = area + left * (at - last), at, 1.0 - share
        return area + left * (end - last)


def diverged(run: Run) -> bool:
    """Whether a run of a cell failed: among scored runs stand only those that failed by diverging."""
    return run.state == "failed"


def arrival(run: Run, seed: int, target: float, clock: str) -> Arrival | None:
    """Return when a run's dev score first reached a target, None if it has no curve on that clock.

    A run that is there before its first step took one step's time.
    """
    return passage(run, seed, target, curve_of(run, clock))


def passage(run: Run, seed: int, target: float, curve: Sequence[tuple[float, float]]) -> Arrival | None:
    """Return when a run whose curve is known first reached a target, None without a curve.

    A diverged run has never arrived, even where it was not looked at once.
    """
    end = curve[-1][0] if curve else 0.0
    if diverged(run):
        return Arrival(seed=seed, at=end, reached=False, end=end, diverged=True)
    if not curve or not run["steps"]:
        return None
    for at, score in curve:
        if score >= target:
            return Arrival(seed=seed, at=max(at, end / run["steps"]), reached=True, end=end)
    return Arrival(seed=seed, at=end, reached=False, end=end)


def curve_of(run: Run, clock: str) -> list[tuple[float, float]]:
    """Return the dev scores of a run as (time by a clock, score), in the order of its steps.

    A control that takes no step has none: what it records are trials of a setting, not a training.
    """
    name, curve = f"dev/{run['metric']}", []
    if run["steps"] == 0:
        return []
    for event in run.events:
        score = event.get(name)
        if isinstance(score, int | float) and (at := at_event(run, event, clock)) is not None:
            curve.append((at, float(score)))
    return curve


def at_event(run: Run, event: Mapping[str, Any], clock: str) -> float | None:
    """Return the time of an event by a clock, None where it is not known.

    Runs that do not record FLOPs as they go have the run's own in proportion to its steps: exact but for plans that
    change, whose early steps cost less than that.
    """
    value = event.get(clock)
    if isinstance(value, int | float):
        return float(value)
    step = event.get("step")
    if clock == "flops" and run["flops"] and run["steps"] and isinstance(step, int):
        return float(run["flops"] * step / run["steps"])
    return None
