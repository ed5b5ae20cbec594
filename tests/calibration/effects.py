"""Worlds of effects whose truth is known, friendly and unfriendly ones: made of numbers, judged by the same code.

A world draws one study: the effects by task and seed, and what the study knows beside them (predictions, pretrainings,
how many runs collapsed). Standard deviations are those of the demo: .0175 of a seed's difference.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thaw.report.claims.collapse import LEVEL, Collapse
from thaw.report.claims.judge import Decision, decide
from thaw.report.claims.resampling import errors_of
from thaw.report.claims.rule import Rule
from thaw.report.crossed import over_both
from thaw.report.rates import wilson_interval
from thaw.report.statistics import Estimate

OWN = 0.0175  # standard deviation of a seed's difference
LOSS = 0.3  # scratch over the majority answer


@dataclass
class Drawn:
    """A study: effects by task and seed, and the keywords of `judge`."""

    effects: dict[str, dict[int, float]]
    known: dict[str, Any] = field(default_factory=dict)


World = Callable[[np.random.Generator, int], Drawn]  # of a number of seeds


def by_task(values: np.ndarray) -> dict[str, dict[int, float]]:
    """Return effects (tasks, seeds) by task and seed."""
    return {f"task{number}": dict(enumerate(map(float, row))) for number, row in enumerate(values)}


def excluded(runs: int, collapsed: int, loss: float = LOSS) -> Collapse:
    """Return what runs of which some collapsed say of collapses."""
    low, high = wilson_interval(collapsed, runs)
    worst = wilson_interval(collapsed, runs, LEVEL)[1]
    return Collapse(runs=runs, collapsed=collapsed, low=low, high=high, worst=worst, loss=loss)


def normal(mean: float = 0.0, tasks: int = 1, harmed: int = 0, harm: float = -0.1, sizes: int = 1) -> World:
    """Return the friendly world; ``harmed`` of the tasks have the mean ``harm``."""
    means = np.array([harm] * harmed + [mean] * (tasks - harmed))[:, None]

    def draw(random: np.random.Generator, seeds: int) -> Drawn:
        values = means + random.normal(0, OWN, (tasks, seeds))
        return Drawn(by_task(values), {"collapse": excluded(tasks * seeds * sizes, 0)} if sizes > 1 else {})

    return draw


def skewed(deviation: float = OWN) -> World:
    """Return a world without an effect whose differences have a long tail to the left (lognormal, s = 1)."""

    def draw(random: np.random.Generator, seeds: int) -> Drawn:
        values = (math.exp(0.5) - random.lognormal(0, 1, (1, seeds))) / math.sqrt((math.e - 1) * math.e)
        return Drawn(by_task(deviation * values), {"collapse": excluded(seeds, 0)})

    return draw


def collapsing(rate: float = 0.1, tasks: int = 1) -> World:
    """Return a world in which a share of runs falls to the majority answer and the others gain as much (Mosbach)."""

    def draw(random: np.random.Generator, seeds: int) -> Drawn:
        fallen = random.random((tasks, seeds)) < rate
        values = np.where(fallen, -LOSS, rate * LOSS / (1 - rate)) + random.normal(0, OWN, (tasks, seeds))
        return Drawn(by_task(values), {"collapse": excluded(tasks * seeds, int(fallen.sum()))})

    return draw


def texts(count: int = 500, apart: float = 0.5, with_texts: bool = True) -> World:
    """Return a world without an effect in which both sides are right on different texts, the same ones in all seeds.

    Over all texts there are the sides are equal; on ``count`` of them they are not, and more seeds do not help.
    """

    def draw(random: np.random.Generator, seeds: int) -> Drawn:
        ease, side = random.normal(0.5, 1.0, count), random.normal(0, apart, count)
        shift = random.normal(0, 0.05, (2, seeds, 1))
        right = ease + np.array([1, -1])[:, None, None] * side + shift + random.normal(0, 0.7, (2, seeds, count)) > 0
        gaps = right[0].astype(float) - right[1]
        values = gaps.mean(axis=1, keepdims=True)
        known = {"errors": {"task0": errors_of(gaps - values)[0]}} if with_texts else {}
        return Drawn(by_task(values.T), known)

    return draw


def pretrained(deviation: float, pretrainings: int, mean: float = 0.0) -> World:
    """Return a world whose effect differs by pretraining; half of a seed's variance is the run's own."""

    def draw(random: np.random.Generator, seeds: int) -> Drawn:
        half = OWN / math.sqrt(2)
        table = mean + random.normal(0, deviation, (pretrainings, 1)) + random.normal(0, half, (1, seeds))
        table = table + random.normal(0, half, (pretrainings, seeds))
        crossed = {"task0": {f"p{number}": dict(enumerate(map(float, row))) for number, row in enumerate(table)}}
        return Drawn(by_task(table.mean(axis=0)[None]), {"crossed": crossed})

    return draw


@dataclass(frozen=True)
class Measured:
    """Shares of the studies of a world."""

    covers: float  # the interval of the mean holds the truth
    supported: float
    mixed: float
    words: dict[str, int]


def measure(world: World, seeds: int, truth: float = 0.0, repeats: int = 2000, rule: Rule | None = None) -> Measured:
    """Return how often the interval covers the truth and each word is said."""
    random, rule = np.random.default_rng(seeds), rule or Rule()
    words: dict[str, int] = {}
    covered = 0
    for _ in range(repeats):
        study = world(random, seeds)
        found: Decision = decide(study.effects, rule, rule.margin, **study.known)
        words[found.word] = words.get(found.word, 0) + 1
        one = found.pooled
        covered += one is not None and one.low is not None and one.low <= truth <= (one.high or 0.0)
    share = {word: count / repeats for word, count in words.items()}
    return Measured(covered / repeats, share.get("supported", 0.0), share.get("mixed", 0.0), words)


def interval(world: World, random: np.random.Generator, seeds: int) -> Estimate | None:
    """Return the interval over seeds and pretrainings of one study, whatever their number."""
    return over_both(world(random, seeds).known["crossed"]["task0"])
