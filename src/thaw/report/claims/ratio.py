"""How many times as fast transfer is as scratch in one cell, by one clock, and how many runs of either arrive.

What is estimated, and why, stands in speed.py.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from thaw.report.cells import over_pretrainings
from thaw.report.claims.arrival import Arrival, curve_of, diverged, passage
from thaw.report.claims.crossing import ABOUT, LEAST, MOST, crossed, resolution
from thaw.report.claims.growth import fitted
from thaw.report.claims.paired import Pair
from thaw.report.claims.target import Target, ends, looks
from thaw.report.collect import Run
from thaw.report.statistics import Estimate, estimate


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many runs of a side arrive, come near, and diverge; scratch's runs count once, whatever they pair with."""

    runs: int = 0
    arrived: int = 0  # within the noise of scratch's runs
    near: int = 0  # of those, the runs that come within that noise alone
    diverged: int = 0

    def __add__(self, more: "Counts") -> "Counts":
        return Counts(
            runs=self.runs + more.runs, arrived=self.arrived + more.arrived, near=self.near + more.near,
            diverged=self.diverged + more.diverged,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """How many times as fast transfer is in one cell: logarithms by seed, and what they rest on."""

    by_source: dict[str, dict[int, float]]  # pretraining -> seed -> log(scratch's time / transfer's)
    grid: float  # variance that the grid of looks leaves in their mean
    bound: str  # LEAST, MOST, ABOUT or "": what the values are of the true ratio
    pairs: int  # of a pretraining and seed
    reached: tuple[int, int]  # pairs of which a run arrives, within the noise of scratch's: transfer, scratch
    counts: tuple[Counts, Counts]  # of the runs: transfer, scratch
    above: Estimate | None = None  # transfer's mean curve at its end over the target, as a share of the gain to it

    @property
    def values(self) -> dict[int, float]:
        """The logarithm by seed, the mean over the pretrainings."""
        return over_pretrainings(self.by_source)


@dataclass(frozen=True, kw_only=True)
class _Passage:
    """Whether and when the two runs of a pair arrive: transfer, scratch."""

    pair: Pair
    at: tuple[Arrival, Arrival]
    there: tuple[bool, bool]  # a miss within the noise of scratch's runs is forgiven


def ratio(members: Sequence[Pair], target: Target, clock: str) -> Ratio | None:
    """Return the ratio of one cell over its pairs with curves on a clock, None without one or without scratch's curves.

    A run of transfer that diverged before the first look has no curve, and is a loss.
    """
    passages = [each for pair in members if (each := _passage(pair, target, clock)) is not None]
    if not any(each.at[1].end > 0 for each in passages):
        return None
    horizon = max(arrival.end for each in passages for arrival in each.at)
    sources: dict[str, list[_Passage]] = {}
    for each in passages:
        sources.setdefault(each.pair.source, []).append(each)
    parts = {source: _one_source(own, target, clock, horizon) for source, own in sources.items()}
    bounds = {bound for _, _, bound in parts.values() if bound}
    return Ratio(
        by_source={source: values for source, (values, _, _) in parts.items()},
        grid=math.fsum(grid for _, grid, _ in parts.values()) / len(parts),
        bound=ABOUT if len(bounds) > 1 else next(iter(bounds), ""), pairs=len(passages),
        reached=(sum(each.there[0] for each in passages), sum(each.there[1] for each in passages)),
        counts=(_counts(passages, 0), _counts(passages, 1)),
        above=_above({(each.pair.source, each.pair.seed): each.pair.transfer for each in passages}, target),
    )  # fmt: skip


def _above(runs: Mapping[tuple[str, int], Run], target: Target) -> Estimate | None:
    """Return how far the fitted mean curve of some runs ends over a target, None where they share no looks.

    Its error is that of the runs' ends, the mean of the last third of their looks. A run that diverged has no end.
    """
    whole = {place: run for place, run in runs.items() if not diverged(run)}
    seen, gain = looks(whole), target.value - (target.floor or 0.0)
    if seen is None or gain <= 0:
        return None
    apart = estimate([end / gain for end in ends(whole, seen)])
    mean = (float(fitted(*seen).end()[0]) - target.value) / gain
    return replace(apart, mean=mean) if apart is not None else None


def _passage(pair: Pair, target: Target, clock: str) -> _Passage | None:
    own, base = (
        [passage(run, pair.seed, level, curve_of(run, clock)) for level in (target.value, target.near)]
        for run in (pair.transfer, pair.scratch)
    )
    if own[0] is None or base[0] is None or own[1] is None or base[1] is None:
        return None
    if any(near.reached and at.at <= 0 for at, near in ((own[0], own[1]), (base[0], base[1]))):
        return None  # an arrival without a time
    return _Passage(pair=pair, at=(own[0], base[0]), there=(own[1].reached, base[1].reached))


def _counts(passages: Sequence[_Passage], side: int) -> Counts:
    runs = {id((each.pair.transfer, each.pair.scratch)[side]): each for each in passages}.values()
    return Counts(
        runs=len(runs), arrived=sum(each.there[side] for each in runs),
        near=sum(each.there[side] and not each.at[side].reached for each in runs),
        diverged=sum(each.at[side].diverged for each in runs),
    )  # fmt: skip


def _one_source(
    passages: Sequence[_Passage], target: Target, clock: str, horizon: float
) -> tuple[dict[int, float], float, str]:
    """Return (values by seed, variance of the grid, what they bound) of the pairs of one pretraining."""
    scratch = {each.pair.seed: each.pair.scratch for each in passages}
    transfer = {each.pair.seed: each.pair.transfer for each in passages}
    if all(all(each.there) for each in passages):
        made = crossed(scratch, transfer, target, clock)
        if made is not None:
            values, grid, bound = made
            return dict(zip(scratch, values.tolist(), strict=True)), grid, bound
    arrived, base = (sum(each.there[side] for each in passages) for side in (0, 1))
    bound = MOST if arrived < base else LEAST if base < len(passages) else ""
    logs = {}
    for each in passages:
        own, other = (at.at if there else horizon for at, there in zip(each.at, each.there, strict=True))
        logs[each.pair.seed] = math.log(other / own)
    grid = sum(resolution(list(runs.values()), target, clock) for runs in (scratch, transfer))
    return logs, grid, bound
