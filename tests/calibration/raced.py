"""Races to a target whose truth is known: dev curves of two arms, seen at few looks through the noise of few dev texts.

The world of the review of 2026-11-28 (trust 6): exponential learning to a plateau of .5 over a majority answer of .1;
the dev texts of a seed are the same for both arms, the looks at a run share most of their errors.
"""

import math
from dataclasses import dataclass

import numpy as np

from report.claims.made_up import run
from thaw.report.cells import cells
from thaw.report.claims.on_time import judged_by
from thaw.report.claims.rule import Rule
from thaw.report.claims.sides import Sides, sides
from thaw.report.claims.speed import speed
from thaw.report.collect import Run, Study

STEPS = 120
FLOOR, PLATEAU = 0.1, 0.5


def schedule(name: str) -> list[int]:
    """Return the steps that are looked at: so many, evenly; or 1, 2, 4 and so on, then every tenth of the steps."""
    if name != "geometric":
        return [0, *(STEPS * (i + 1) // int(name) for i in range(int(name)))]
    every = STEPS // 10
    return sorted({0, *(2**i for i in range(every.bit_length())), *range(every, STEPS + 1, every)})


@dataclass(frozen=True, kw_only=True)
class Race:
    """What is true, and how it is seen."""

    ratio: float = 1.0  # how many times as fast transfer is
    looks: str = "geometric"
    tasks: int = 1
    seeds: int = 5
    texts: int = 200  # of dev
    never: float = 0.0  # share of transfer's runs that stay half way
    base_never: float = 0.0  # of scratch's
    cost: float = 1.0  # of a step of transfer, in steps of scratch
    bend: float = 3.0  # of learning: e-folds of scratch within its steps
    pace: float = 0.1  # standard deviation of the logarithm of a run's speed
    level: float = 0.01  # of a run's plateau
    same: tuple[float, float] = (0.3, 0.3)  # share of the noise's variance that is the seed's, that is the run's
    follow: float = 0.5  # correlation of the rest from look to look


def race(world: Race, draw: np.random.Generator) -> Sides:
    """Return one study of a world."""
    looks = schedule(world.looks)
    share = np.array(looks) / STEPS
    runs: list[Run] = []
    for task in range(world.tasks):
        for seed in range(1, world.seeds + 1):
            texts = draw.normal()
            for arm, ratio, never in (("scratch", 1.0, world.base_never), ("full", world.ratio, world.never)):
                rate = ratio * math.exp(draw.normal(0, world.pace))
                done = (1 - np.exp(-world.bend * rate * share)) / (1 - math.exp(-world.bend))
                done = done * (0.5 if draw.random() < never else 1.0)
                true = FLOOR + (PLATEAU - FLOOR) * done + draw.normal(0, world.level)
                scores = _seen(true, texts, world, draw)
                step = world.cost if arm == "full" else 1.0
                curve = [(at, score) for at, score in zip(looks, scores, strict=True)]
                made = run(arm, 100, seed, scores[-1], task=f"task{task}", curve=curve, train_seconds=STEPS * step)
                for event in made.events:
                    event |= {"seconds": event["step"] * step, "cpu_seconds": event["step"] * step}
                runs.append(made)
            runs.append(run("majority", 100, seed, FLOOR, task=f"task{task}"))
    return sides(cells(Study(folders=[], runs=runs)), Rule())


def _seen(true: np.ndarray, texts: float, world: Race, draw: np.random.Generator) -> list[float]:
    """Return the share of dev texts that are right: binomial in its spread, in whole texts."""
    rest = draw.normal(size=len(true))
    for i in range(1, len(rest)):
        rest[i] = world.follow * rest[i - 1] + math.sqrt(1 - world.follow**2) * rest[i]
    seed, own = world.same
    noise = math.sqrt(seed) * texts + math.sqrt(own) * draw.normal() + math.sqrt(1 - seed - own) * rest
    right = np.clip(true, 0.01, 0.99)
    scores = np.clip(true + np.sqrt(right * (1 - right) / world.texts) * noise, 0, 1)
    return [round(float(score), 6) for score in np.round(scores * world.texts) / world.texts]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What many studies of a world said, as shares of those that had a word."""

    studies: int
    worded: float  # share of the studies: scratch had a level of its own
    supported: float  # of all studies
    true: float  # the statement holds: the interval, or its one end where it is a bound
    interval: float  # statements that are an interval
    covered: float  # of the intervals: they hold the truth
    ratio: float  # median over the intervals


def outcome(world: Race, studies: int, seed: int = 0) -> Outcome:
    """Return what ``studies`` of a world say by CPU seconds."""
    draw, truth = np.random.default_rng(seed), math.log(world.ratio / world.cost)
    words, true, inside, means = 0, [], [], []
    for _ in range(studies):
        study = race(world, draw)
        own = speed(study, "cpu_seconds")
        found = judged_by(study, own).judgement
        words += found.word == "supported"
        ratio = found.pooled
        if ratio is None or ratio.low is None or ratio.high is None:
            continue
        low, high = (
            ratio.low <= truth or own.bound in ("at most", "about"),
            (truth <= ratio.high or own.bound in ("at least", "about")),
        )
        true.append(low and high)
        if own.bound == "":
            inside.append(low and high)
            means.append(ratio.mean)
    return Outcome(
        studies=studies, worded=len(true) / studies, supported=words / studies, true=_mean(true),
        interval=len(inside) / max(1, len(true)), covered=_mean(inside),
        ratio=math.exp(float(np.median(means))) if means else math.nan,
    )  # fmt: skip


def _mean(values: list[bool]) -> float:
    return float(np.mean(values)) if values else math.nan
