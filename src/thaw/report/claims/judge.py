"""From effects by task and seed to a word, and why it is that word.

An effect is one number a task and seed, positive where transfer helps. With ``low`` and ``high`` the interval of the
mean over tasks (Student's t over seeds, errors that seeds do not show added; five pretrainings or more are crossed with
the seeds, crossed.py):

* inconclusive, where nothing can be judged: fewer than three seeds, or values that do not vary and no error beside;
* mixed: a task is harmed (Holm over the tasks) and transfer helps elsewhere; or, of several pretrainings that are
  fixed, one harms (Holm over them) and others help;
* supported: ``low`` is above zero and the mean is at least ``least``, the smallest effect worth the name, and would be
  with as many collapsed runs as the runs do not exclude (collapse.py);
* real but below the margin: ``low`` is above zero and the mean is below ``least``;
* not supported: ``high`` is below ``least``;
* inconclusive: neither. Then it is told how many seeds would decide (seed_plan.py).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from thaw.report.claims.collapse import Collapse
from thaw.report.claims.encoders import EncoderEffect, encoder_effects
from thaw.report.claims.rule import Rule
from thaw.report.claims.seed_plan import Plan, seed_plan
from thaw.report.crossed import FEWEST_PRETRAININGS, Components, Crossed, components, over_both
from thaw.report.statistics import FEWEST, Estimate, estimate, holm
from thaw.report.words import listed, number

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "supported", "not supported", "inconclusive"
SMALL, MIXED = "real but below the margin", "mixed"
SOURCES = ("texts", "tuning", "reading")  # of errors that seeds do not show: as in `crossed.Components`
WORDS = (SUPPORTED, SMALL, MIXED, NOT_SUPPORTED, INCONCLUSIVE)
Effects = Mapping[str, Mapping[int, float]]  # task -> seed -> effect
ByPretraining = Mapping[str, Crossed]  # task -> pretraining -> seed -> effect
Errors = Mapping[str, float]  # task -> standard error of its mean effect that the seeds do not show


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
    detectable: float | None  # effect that these seeds support with a power of 80 %
    seeds: int | None  # of an inconclusive word: that would support the effect measured; None: no number would
    seeds_range: tuple[int, int | None] | None = None  # of ``seeds``, by what the spread may be; None: no end
    missing: list[str] = field(default_factory=list)  # tasks that have no paired seeds
    pretrainings: int = 1  # of the transfer side, as far as they are told apart here
    random: bool = False  # whether the pretrainings are in the interval; else the word is about these alone
    components: Components | None = None  # of the mean over tasks
    collapse: Collapse | None = None
    note: str = ""  # why pretrainings that are five or more on each task are not in the interval; "" where they are
    encoders: list[EncoderEffect] = field(default_factory=list)  # where several pretrainings are fixed

    @property
    def harmed(self) -> list[str]:
        """The tasks on which the effect is below zero by the rule."""
        return [effect.task for effect in self.tasks if effect.negative]

    @property
    def helped(self) -> list[str]:
        """The tasks on which the effect is above zero by the rule."""
        return [effect.task for effect in self.tasks if effect.positive]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The word alone, and the estimates it follows from."""

    word: str
    why: str
    tasks: list[TaskEffect]
    pooled: Estimate | None
    error: float  # of ``pooled``, that the seeds do not show
    crossed: Crossed  # the mean over tasks by pretraining and seed
    random: bool
    note: str = ""  # as in `Judgement`
    encoders: list[EncoderEffect] = field(default_factory=list)  # as in `Judgement`


def judge(
    effects: Effects,
    rule: Rule,
    least: float,
    errors: Errors | None = None,
    *,
    floors: Errors | None = None,
    crossed: ByPretraining | None = None,
    collapse: Collapse | None = None,
    residuals: Errors | None = None,
    sources: Mapping[str, Errors] | None = None,
) -> Judgement:
    """Return the word for some effects.

    ``errors`` holds of each task the standard error of its mean effect that the seeds do not show (test texts, the grid
    of the evaluations), independent over tasks; a task without one has none. ``floors`` holds the least standard
    deviation that is believed of a seed's effect (the grid of the metric). ``crossed`` holds the effects by
    pretraining too; five pretrainings or more that all tasks share are then random, fewer are fixed and ``effects`` are
    their means.
    ``collapse`` is what supported must stand, where that is known. ``residuals`` holds the standard deviation that the
    test texts give to a seed's effect apart from ``errors``, ``sources`` what ``errors`` consist of, by SOURCES: both
    for the variance components alone.
    """
    decision = decide(effects, rule, least, errors, floors=floors, crossed=crossed, collapse=collapse)
    strict = collapse.least(least) if collapse else least
    every, open_ = [effect.estimate for effect in decision.tasks], decision.word == INCONCLUSIVE
    plan = seed_plan(decision.pooled, every, rule, strict, decision.error, undecided=open_) or Plan()
    return Judgement(
        word=decision.word,
        why=decision.why,
        tasks=decision.tasks,
        pooled=decision.pooled,
        least=least,
        detectable=plan.detectable,
        seeds=plan.seeds,
        seeds_range=plan.seeds_range,
        missing=sorted(set(effects) - {effect.task for effect in decision.tasks}),
        pretrainings=max(1, len(decision.crossed)),
        random=decision.random,
        components=_components(decision, residuals, sources or {}),
        collapse=collapse,
        note=decision.note,
        encoders=decision.encoders,
    )


def decide(
    effects: Effects,
    rule: Rule,
    least: float,
    errors: Errors | None = None,
    *,
    floors: Errors | None = None,
    crossed: ByPretraining | None = None,
    collapse: Collapse | None = None,
) -> Decision:
    """Return the word and its estimates, without what more seeds would do; the arguments are those of `judge`."""
    errors, floors = errors or {}, floors or {}
    by_source = {task: (crossed or {}).get(task) or {"": values} for task, values in effects.items()}
    having = {task: sources for task, sources in by_source.items() if any(sources.values())}
    every = set.intersection(*map(set, having.values())) if having else set()
    random = len(every) >= FEWEST_PRETRAININGS
    apart = not random and bool(having) and min(map(len, having.values())) >= FEWEST_PRETRAININGS
    note = f"All tasks share {number(len(every), 'pretraining')}, so these are fixed, not drawn." if apart else ""

    def interval(own: Mapping[int, float], sources: Crossed, error: float, floor: float) -> Estimate | None:
        if random:
            return over_both(sources, rule.level, error, floor)
        return estimate(list(own.values()), rule.level, error, floor)

    estimates = {
        task: mean
        for task, values in effects.items()
        if (mean := interval(values, by_source[task], errors.get(task, 0.0), floors.get(task, 0.0))) is not None
    }
    usable = {task: mean for task, mean in estimates.items() if mean.n >= FEWEST}
    adjusted = dict(zip(usable, holm([mean.p for mean in usable.values()]), strict=True))
    alpha = 1 - rule.level
    tasks = [
        TaskEffect(
            task=task, estimate=mean, p=adjusted.get(task, 1.0),
            positive=adjusted.get(task, 1.0) < alpha and mean.mean > 0,
            negative=adjusted.get(task, 1.0) < alpha and mean.mean < 0,
        )
        for task, mean in estimates.items()
    ]  # fmt: skip
    shared = list(usable or estimates)
    error, floor = (_mean_error(parts, shared) for parts in (errors, floors))
    means = pool({task: effects[task] for task in shared})
    table = _pool_crossed({task: by_source[task] for task in shared}) or {"": means}
    pooled = interval(means, table, error, floor)
    needed = math.ceil(rule.tasks * len(tasks) - 1e-9)
    encoders = [] if random else encoder_effects(table, rule.level, error, floor)
    word, why = _word(pooled, tasks, encoders, needed, least, collapse)
    return Decision(
        word=word, why=why, tasks=tasks, pooled=pooled, error=error, crossed=table, random=random, note=note,
        encoders=encoders,
    )  # fmt: skip


def _components(decision: Decision, residuals: Errors | None, sources: Mapping[str, Errors]) -> Components | None:
    """Return the components of the mean over tasks; each source of error that seeds do not show by its own name."""
    if decision.pooled is None:
        return None
    tasks = [effect.task for effect in decision.tasks]
    named = {source: _mean_error(sources[source], tasks) if sources.get(source) else None for source in SOURCES}
    residual = _mean_error(residuals, tasks) if residuals else None
    return replace(components(decision.crossed, named.pop("texts"), residual), **named)


def _word(
    pooled: Estimate | None, tasks: list[TaskEffect], encoders: list[EncoderEffect], needed: int, least: float,
    collapse: Collapse | None,
) -> tuple[str, str]:  # fmt: skip
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
    better, worse = ([one.source for one in encoders if getattr(one, sign)] for sign in ("positive", "negative"))
    if worse and (better or pooled.low > 0):
        helped = f"helps with {listed(better)}" if better else "helps in the mean"
        return MIXED, f"{helped}, harms with {listed(worse)}"
    if pooled.low > 0:
        if len(positive) < needed:
            return INCONCLUSIVE, f"it stands on {len(positive)} of {len(tasks)} tasks alone, the rule asks for {needed}"
        if pooled.mean < least:
            return SMALL, "the interval lies above none, the mean below the margin"
        if collapse is not None and pooled.mean < collapse.least(least):
            return INCONCLUSIVE, (
                f"{collapse.count}, so up to {collapse.worst * 100:.0f} % may, and that many would take the gain below"
                " the margin"
            )
        return SUPPORTED, "the interval lies above none and the mean reaches the margin"
    if pooled.high < least:
        return NOT_SUPPORTED, "the interval leaves no effect worth the name"
    return INCONCLUSIVE, "the interval holds both no effect and one worth the name"


def together(sources: Mapping[str, Errors]) -> Errors:
    """Return by task the standard error of several independent sources."""
    tasks = dict.fromkeys(task for errors in sources.values() for task in errors)
    return {task: math.hypot(*(errors.get(task, 0.0) for errors in sources.values())) for task in tasks}


def pool(effects: Effects) -> dict[int, float]:
    """Return for each seed that all tasks share the mean over tasks: every task counts, harm too."""
    if not effects:
        return {}
    seeds = set.intersection(*(set(values) for values in effects.values()))
    return {seed: math.fsum(values[seed] for values in effects.values()) / len(effects) for seed in sorted(seeds)}


def _pool_crossed(effects: ByPretraining) -> dict[str, dict[int, float]]:
    """Return the mean over tasks for each pretraining that all tasks have, and each seed."""
    if not effects:
        return {}
    sources = set.intersection(*(set(sources_of) for sources_of in effects.values()))
    return {
        source: pool({task: sources_of[source] for task, sources_of in effects.items()}) for source in sorted(sources)
    }


def _mean_error(errors: Errors, tasks: list[str]) -> float:
    """Return the error of the mean over tasks of errors that are independent over them."""
    return math.sqrt(sum(errors.get(task, 0.0) ** 2 for task in tasks)) / max(1, len(tasks))
