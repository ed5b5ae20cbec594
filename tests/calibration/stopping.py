"""Thousands of studies at once that are looked at while seeds are added: numbers alone, words as in judge.py."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from thaw.report.claims.sequential import Look

WORDS = ("inconclusive", "supported", "real but below the margin", "not supported", "mixed")


@dataclass(frozen=True, kw_only=True)
class World:
    """What is true of one claim: effects by task, their spread over seeds, the error that seeds do not show."""

    effects: tuple[float, ...] = (0.0,)
    deviation: float = 0.02  # over seeds, of a task's mean over its train sizes
    texts: float = 0.0  # standard error of each task's mean from its test texts, which the judge knows
    least: float = 0.01
    seeds: int = 10
    skewed: bool = False  # differences of a lognormal shape, tail to the left

    def drawn(self, studies: int, draw: np.random.Generator) -> Any:
        """Return effects (studies, tasks, seeds)."""
        shape = (studies, len(self.effects), self.seeds)
        noise = draw.standard_normal(shape)
        if self.skewed:
            noise = -(np.exp(0.5 * noise) - np.exp(0.125)) / np.sqrt((np.exp(0.25) - 1) * np.exp(0.25))
        shared = draw.standard_normal((*shape[:2], 1)) * self.texts
        return np.array(self.effects)[:, None] + self.deviation * noise + shared


def word(effects: Any, world: World, level: float) -> Any:
    """Return for each study the place in WORDS of its word, (studies,), from effects (studies, tasks, seeds)."""
    tasks = effects.shape[1]
    mean, half = _interval(effects.mean(axis=1), world.texts / np.sqrt(tasks), 1 - level)
    found = np.where(mean - half > 0, np.where(mean >= world.least, 1, 2), np.where(mean + half < world.least, 3, 0))
    sure, passed = np.zeros(effects.shape[:2], bool), np.ones((len(effects), 1), bool)
    for left in range(tasks, 0, -1):  # Holm's steps: the smallest p of those left at (1 - level) / left
        means, halves = _interval(effects, world.texts, (1 - level) / left)
        told = np.abs(means) > halves
        passed = passed & (told.sum(axis=1, keepdims=True) > tasks - left)
        sure = np.where(passed, told, sure)
    harmed, helped = (sure & (means < 0)).any(axis=1), (sure & (means > 0)).any(axis=1)
    return np.where(harmed & (helped | (mean - half > 0)), 4, found)


def stopped(world: World, looks: Sequence[Look], studies: int, draw: np.random.Generator) -> tuple[Any, Any]:
    """Return the words at which studies stop and after how many seeds, both (studies,)."""
    effects = world.drawn(studies, draw)
    at, found = np.full(studies, looks[-1].seeds), np.zeros(studies, int)
    for look in looks:
        now = word(effects[:, :, : look.seeds], world, look.level)
        free = found == 0
        at[free & (now > 0)] = look.seeds
        found = np.where(free, now, found)
    return found, at


def least_seen(world: World, level: float = 0.95, power: float = 0.8) -> float:
    """Return the effect on every task that all seeds, looked at once, find above zero with this power."""
    from scipy.optimize import brentq

    deviation = world.deviation / np.sqrt(len(world.effects))
    df = world.seeds - 1
    bound = stats.t.isf((1 - level) / 2, df)
    return float(
        brentq(lambda effect: stats.nct.sf(bound, df, effect * np.sqrt(world.seeds) / deviation) - power, 0, 1)
    )


def everywhere(world: World, effect: float) -> World:
    """Return the world with this effect on every task."""
    return replace(world, effects=(effect,) * len(world.effects))


def mixture_looks(seeds: Sequence[int], level: float, g: float) -> list[Look]:
    """Return the looks of a confidence sequence, valid for any number of seeds, planned or not.

    The e-value of t is its likelihood ratio under effects drawn from a normal with variance ``g`` (in standard
    deviations of a seed) against none: Lai 1976; Wang and Ramdas 2023 (The extended Ville's inequality, section 4).
    """
    made = []
    for n in seeds:
        wealth = 1 / (1 - level)
        # E = (1 + n g) ** -.5 * ((1 + t^2 / (n - 1)) / (1 + t^2 / ((n - 1) (1 + n g)))) ** (n / 2) = wealth
        ratio = (wealth * np.sqrt(1 + n * g)) ** (2 / n)
        most = 1 + n * g
        bound = np.sqrt((n - 1) * (ratio - 1) / (1 - ratio / most)) if ratio < most else np.inf
        made.append(Look(seeds=n, level=min(1 - 1e-12, float(1 - 2 * stats.t.sf(bound, n - 1)))))
    return made


def _interval(values: Any, texts: float, alpha: float) -> tuple[Any, Any]:
    """Return mean and half-width at a two-sided error over the last axis, as statistics.spread_of does."""
    n = values.shape[-1]
    own = values.std(axis=-1, ddof=1) / np.sqrt(n)
    return values.mean(axis=-1), np.hypot(stats.t.isf(alpha / 2, n - 1) * own, stats.norm.isf(alpha / 2) * texts)
