"""From effects by task and seed to a word, and why it is that word.

An effect is one number a task and seed, positive where transfer helps. With ``low`` and ``high`` the interval of the
mean over tasks (Student's t over seeds, errors that seeds do not show added):

* inconclusive, where nothing can be judged: fewer than three seeds, or values that do not vary and no error beside;
* mixed: a task is harmed (Holm over the tasks) and transfer helps elsewhere;
* supported: ``low`` is above zero and the mean is at least ``least``, the smallest effect worth the name;
* real but below the margin: ``low`` is above zero and the mean is below ``least``;
* not supported: ``high`` is below ``least``;
* inconclusive: neither. Then it is told how many seeds would decide.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from thaw.report.claims.rule import Rule
from thaw.report.statistics import FEWEST, Estimate, detectable, estimate, holm, seeds_needed

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "supported", "not supported", "inconclusive"
SMALL, MIXED = "real but below the margin", "mixed"
WORDS = (SUPPORTED, SMALL, MIXED, NOT_SUPPORTED, INCONCLUSIVE)
Effects = Mapping[str, Mapping[int, float]]  # task -> seed -> effect


@dataclass(frozen=True, kw_only=True)
class TaskEffect:
    """The effect on one task: mean over seeds, its interval, the p value after Holm over the tasks."""

    task: str
    estimate: Estimate
    p: float
    positive: bool  # above zero by the rule
    negative: bool  # below zero by the rule: the task is harmed


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A word with what it rests on."""

    word: str
    why: str  # the reason of the word, one clause
    tasks: list[TaskEffect]
    pooled: Estimate | None
    least: float  # the smallest effect worth the name
    detectable: float | None  # effect on every task that these seeds support with a power of 80 %
    seeds: int | None  # seeds that would support an effect as large as the one measured; None: no number would
    missing: list[str] = field(default_factory=list)  # tasks that have no paired seeds

    @property
    def harmed(self) -> list[str]:
        """The tasks on which the effect is below zero by the rule."""
        return [effect.task for effect in self.tasks if effect.negative]

    @property
    def helped(self) -> list[str]:
        """The tasks on which the effect is above zero by the rule."""
        return [effect.task for effect in self.tasks if effect.positive]


def judge(effects: Effects, rule: Rule, least: float, errors: Mapping[str, float] | None = None) -> Judgement:
    """Return the word for some effects.

    ``errors`` holds of each task the standard error of its mean effect that the seeds do not show (test texts, the grid
    of the metric or of the evaluations), independent over tasks; a task without one has none.
    """
    errors = errors or {}
    estimates = {
        task: one
        for task, values in effects.items()
        if (one := estimate(list(values.values()), rule.level, errors.get(task, 0.0))) is not None
    }
    usable = {task: one for task, one in estimates.items() if one.n >= FEWEST}
    adjusted = dict(zip(usable, holm([one.p for one in usable.values()]), strict=True))
    alpha = 1 - rule.level
    tasks = [
        TaskEffect(
            task=task, estimate=one, p=adjusted.get(task, 1.0),
            positive=adjusted.get(task, 1.0) < alpha and one.mean > 0,
            negative=adjusted.get(task, 1.0) < alpha and one.mean < 0,
        )
        for task, one in estimates.items()
    ]  # fmt: skip
    shared = {task: effects[task] for task in (usable or estimates)}
    error = math.sqrt(sum(errors.get(task, 0.0) ** 2 for task in shared)) / max(1, len(shared))
    pooled = estimate(list(pool(shared).values()), rule.level, error)
    needed = math.ceil(rule.tasks * len(tasks) - 1e-9)
    word, why = _word(pooled, tasks, needed, least)
    seen, deviation = [one.n for one in usable.values()], _deviation(list(usable.values()))
    strength = {"tests": len(tasks), "needed": max(1, needed), "level": rule.level}
    return Judgement(
        word=word,
        why=why,
        tasks=tasks,
        pooled=pooled,
        least=least,
        detectable=detectable(deviation, min(seen), **strength) if seen else None,  # type: ignore[arg-type]
        seeds=seeds_needed(pooled.mean, deviation, **strength) if pooled and seen else None,  # type: ignore[arg-type]
        missing=sorted(set(effects) - set(estimates)),
    )


def _word(pooled: Estimate | None, tasks: list[TaskEffect], needed: int, least: float) -> tuple[str, str]:
    """Return the word and why it is that word."""
    if pooled is None:
        return INCONCLUSIVE, "no seed is shared by both sides"
    if pooled.n < FEWEST:
        return INCONCLUSIVE, f"{pooled.n} paired seed{'s' * (pooled.n > 1)}, fewer than {FEWEST}: no test"
    if pooled.low is None or pooled.high is None or not pooled.error:
        return INCONCLUSIVE, "the seeds do not differ at all, so there is no spread to judge by"
    positive = [effect.task for effect in tasks if effect.positive]
    negative = [effect.task for effect in tasks if effect.negative]
    if negative and (positive or pooled.low > 0):
        helped = f"helps on {', '.join(positive)}" if positive else "helps in the mean"
        return MIXED, f"{helped}, harms on {', '.join(negative)}"
    if pooled.low > 0:
        if len(positive) < needed:
            return INCONCLUSIVE, f"it stands on {len(positive)} of {len(tasks)} tasks alone, the rule asks for {needed}"
        if pooled.mean >= least:
            return SUPPORTED, "the interval lies above none and the mean reaches the margin"
        return SMALL, "the interval lies above none, the mean below the margin"
    if pooled.high < least:
        return NOT_SUPPORTED, "the interval leaves no effect worth the name"
    return INCONCLUSIVE, "the interval holds both no effect and one worth the name"


def pool(effects: Effects) -> dict[int, float]:
    """Return for each seed that all tasks share the mean over tasks: every task counts, harm too."""
    if not effects:
        return {}
    seeds = set.intersection(*(set(values) for values in effects.values()))
    return {seed: math.fsum(values[seed] for values in effects.values()) / len(effects) for seed in sorted(seeds)}


def _deviation(estimates: list[Estimate]) -> float:
    """Return the root mean square of the tasks' standard deviations over seeds."""
    squares = [one.deviation**2 for one in estimates if one.deviation is not None]
    return math.sqrt(sum(squares) / len(squares)) if squares else 0.0
