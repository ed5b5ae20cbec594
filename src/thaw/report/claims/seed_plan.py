"""What the seeds of a comparison can see, and how many would see the effect that was measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from thaw.report.claims.rule import Rule
from thaw.report.power import FEWEST, detectable, deviation_interval, seeds_needed
from thaw.report.statistics import Estimate


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Effects are of the mean over tasks."""

    detectable: float | None = None  # found with a power of 80 %
    seeds: int | None = None  # that find an effect as large as the one measured; None: no number does
    seeds_range: tuple[int, int | None] | None = (
        None  # by the interval of the deviation; an end of None: no number does
    )


def seed_plan(
    pooled: Estimate | None,
    tasks: Sequence[Estimate],
    rule: Rule,
    least: float,
    error: float,
    *,
    undecided: bool = True,
) -> Plan | None:
    """Return the plan for an estimate whose ``error`` the seeds do not show; None under three seeds.

    Where it is not ``undecided`` no number of seeds is asked for. The number comes from the spread and the effect that
    these seeds happen to show, which say little more than p does (Hoenig and Heisey 2001); so it is a range, by what
    the spread may be.
    """
    if pooled is None or pooled.n < FEWEST or pooled.error is None or pooled.df is None:
        return None
    own, count = pooled.own, max(FEWEST, pooled.df + 1)
    visible = detectable(own * math.sqrt(count), count, level=rule.level, error=error, least=least)
    needed = math.ceil(rule.tasks * len(tasks) - 1e-9)
    usable = [effect for effect in tasks if effect.n >= FEWEST]
    if needed and visible is not None and usable:
        deviation = math.sqrt(sum((effect.deviation or 0.0) ** 2 for effect in usable) / len(usable))
        by_task = detectable(
            deviation, min(effect.n for effect in usable), tests=len(tasks), needed=needed, level=rule.level,
            error=error * math.sqrt(len(usable)),
        )  # fmt: skip
        visible = max(visible, by_task or 0.0)
    if not undecided:
        return Plan(detectable=visible)
    deviation = own * math.sqrt(pooled.n)

    def seeds(spread: float) -> int | None:
        return seeds_needed(pooled.mean, spread, level=rule.level, error=error, least=least)

    number = seeds(deviation)
    if number is None:
        return Plan(detectable=visible)
    low, high = deviation_interval(deviation, pooled.n)
    return Plan(detectable=visible, seeds=number, seeds_range=(seeds(low) or number, seeds(high)))
