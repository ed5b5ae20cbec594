"""The table of worlds: what is true, how often a false *supported* is allowed, what an interval must cover."""

import math
from dataclasses import dataclass

from calibration.unfriendly import World, collapses, normal, skewed

CLAIMS = ("time", "accuracy", "labels")
LEVEL = 0.025  # of a false *supported* of one claim: a two-sided level of 95 %


@dataclass(frozen=True, kw_only=True)
class Case:
    """A world with what is asked of the words in it."""

    world: World
    false: tuple[str, ...] = ()  # claims of which *supported* would be false
    most: float = LEVEL  # share of studies that may say so
    true: tuple[str, ...] = ()  # claims that should be supported
    power: float = 0.0  # share of studies that must say so
    why: str = ""  # what is asked, and why more than the level is allowed where it is


FRIENDLY = {
    "no effect, three tasks": Case(world=World(tasks=3), false=CLAIMS),
    "no effect, one task": Case(world=World(tasks=1), false=CLAIMS),
    "no effect, three seeds": Case(world=World(tasks=3, seeds=3), false=CLAIMS),
    "a large effect": Case(world=World(tasks=3, gains=(0.15,), faster=3.0), true=CLAIMS, power=0.8),
    "four tasks and more, no effect": Case(world=World(tasks=8), false=CLAIMS),
}
UNFRIENDLY = {
    "load on transfer": Case(world=World(load=(1.0, 6.0)), false=("time",)),
    "load on scratch": Case(world=World(load=(6.0, 1.0)), false=("time",)),
    "load on transfer, twice as fast": Case(
        world=World(load=(1.0, 6.0), faster=3.0, gains=(0.15,)), true=("time",), power=0.8
    ),
    "half of the runs never arrive": Case(world=World(never=0.5, faster=4.0, seeds=10), false=("time",)),
    "a cheap arm that mostly never arrives": Case(
        world=World(never=0.6, faster=4.0, cost=0.05, seeds=10), false=("time",)
    ),
    "a cheap arm short of the target, small dev sets": Case(
        world=World(never=1.0, faster=4.0, cost=0.05, seeds=3, tasks=1, dev_texts=50), false=("time",)
    ),
    "nothing is learnt": Case(world=World(learns=False), false=CLAIMS, most=0.0),
    "coarse evaluations": Case(world=World(every=67), false=("time",)),
    "noisy dev": Case(world=World(dev_texts=50), false=("time",)),
    "rare collapses": Case(
        world=World(transfer_noise=collapses(0.015, 0.1, 0.3)),
        false=("accuracy",),
        most=0.1,
        why="a failure that happens once in ten runs is often not among five seeds: nothing in the data tells of it",
    ),
    "skewed differences": Case(
        world=World(transfer_noise=skewed(0.03)),
        false=("accuracy",),
        most=0.05,
        why="five values of a skewed noise do not show its tail",
    ),
    "square root curves, twice the labels": Case(
        world=World(curve="square root", sizes=(50, 150, 500), tasks=1), false=("accuracy",)
    ),
    "transfer is worth exactly twice the labels": Case(world=World(gains=(0.08 * math.log(2),)), false=("labels",)),
    "unequal tuning": Case(
        world=World(trials=6),
        false=("time", "accuracy"),
        most=0.1,
        why="the best of six equal settings by dev is a little better on test too: the page tells of unequal trials",
    ),
    "ceiling": Case(world=World(base=0.985, ceiling=1.0), false=CLAIMS),
    "harm on a quarter of the tasks": Case(
        world=World(tasks=8, gains=(0.03, 0.03, 0.03, -0.3), seeds=5), false=("accuracy",), most=0.0
    ),
    "harm outvoted by a mean above zero": Case(
        world=World(tasks=4, gains=(0.08, 0.08, 0.08, -0.08)), false=("accuracy",)
    ),
    "diverged seeds": Case(world=World(diverged=0.4, gains=(0.03,), seeds=10), false=("accuracy",)),
    "normal noise, unequal in the arms": Case(
        world=World(noise=normal(0.005), transfer_noise=normal(0.03)), false=("accuracy",)
    ),
}
