"""From effects by task and seed to a word: supported, not supported or inconclusive.

An effect is one number a task and seed, positive where transfer helps. The rule (rule.py):

* supported: the mean is above zero by Student's t over seeds, Holm-adjusted over the tasks, on at least ``rule.tasks``
  of them, and so is the mean over seeds of the tasks' interquartile mean (for up to three tasks that is their mean);
* not supported: that pooled interval lies wholly below ``least``, the smallest effect worth the name;
* inconclusive: neither. Then it is told how many seeds would decide.

The bootstrap over seeds plays no part: with five of them its interval is too narrow (statistics.py).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from thaw.report.claims.rule import Rule
from thaw.report.statistics import Estimate, detectable, estimate, holm, seeds_needed

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "supported", "not supported", "inconclusive"
Effects = Mapping[str, Mapping[int, float]]  # task -> seed -> effect


@dataclass(frozen=True, kw_only=True)
class TaskEffect:
    """The effect on one task: mean over seeds, its interval, the p value after Holm over the tasks."""

    task: str
    estimate: Estimate
    p: float
    positive: bool  # above zero by the rule


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A word with what it rests on."""

    word: str
    tasks: list[TaskEffect]
    pooled: Estimate | None
    least: float  # the smallest effect worth the name
    detectable: float | None  # effect on every task that these seeds support with a power of 80 %
    seeds: int | None  # seeds that would support an effect as large as the one measured; None: no number would
    missing: list[str] = field(default_factory=list)  # tasks that have no paired seeds


def judge(effects: Effects, rule: Rule, least: float) -> Judgement:
    """Return the word for some effects; without two seeds on any task it is inconclusive."""
    found = {task: estimate(list(values.values()), rule.level) for task, values in effects.items()}
    usable = {task: one for task, one in found.items() if one is not None and one.n > 1}
    adjusted = dict(zip(usable, holm([one.p for one in usable.values()]), strict=True))
    tasks = [
        TaskEffect(
            task=task, estimate=one, p=adjusted.get(task, 1.0),
            positive=task in usable and one.mean > 0 and adjusted[task] < 1 - rule.level,
        )
        for task, one in found.items() if one is not None
    ]  # fmt: skip
    pooled = estimate(list(pool({task: effects[task] for task in usable}).values()), rule.level)
    if pooled is not None and pooled.n < 2:
        pooled = None  # the tasks share one seed: there is no interval to judge by
    needed = max(1, math.ceil(rule.tasks * len(tasks) - 1e-9))
    word = INCONCLUSIVE
    if pooled is not None and pooled.low is not None and pooled.high is not None:
        if pooled.low > 0 and sum(one.positive for one in tasks) >= needed:
            word = SUPPORTED
        elif pooled.high < least:
            word = NOT_SUPPORTED
    seen, deviation = [one.n for one in usable.values()], _deviation(list(usable.values()))
    strength = {"tests": len(tasks), "needed": needed, "level": rule.level}
    return Judgement(
        word=word,
        tasks=tasks,
        pooled=pooled,
        least=least,
        detectable=detectable(deviation, min(seen), **strength) if seen else None,  # type: ignore[arg-type]
        seeds=seeds_needed(pooled.mean, deviation, **strength) if pooled and seen else None,  # type: ignore[arg-type]
        missing=sorted(task for task, one in found.items() if one is None),
    )


def pool(effects: Effects) -> dict[int, float]:
    """Return for each seed that all tasks share the interquartile mean over tasks (Agarwal et al. 2021)."""
    if not effects:
        return {}
    from scipy.stats import trim_mean

    seeds = set.intersection(*(set(values) for values in effects.values()))
    ordered = sorted(seeds)
    means = trim_mean([[values[seed] for seed in ordered] for values in effects.values()], 0.25, axis=0)
    return dict(zip(ordered, map(float, means), strict=True))


def _deviation(found: list[Estimate]) -> float:
    """Return the root mean square of the tasks' standard deviations over seeds."""
    squares = [one.deviation**2 for one in found if one.deviation is not None]
    return math.sqrt(sum(squares) / len(squares)) if squares else 0.0
