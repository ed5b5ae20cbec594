"""Studies of unfriendly worlds: runs made of numbers whose truth is known, read and judged by the code for real runs.

A world says what is true (gains by task, how many times sooner transfer arrives) and what is in the way: noise that is
not normal, runs that never arrive or diverge, load on one arm, coarse evaluations, few test texts. Nothing here knows
how a verdict is reached.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from thaw.report.cells import cells
from thaw.report.claims.rule import Rule
from thaw.report.claims.sides import Sides, sides
from thaw.report.collect import Run, Study
from thaw.track.row import COLUMNS

FLOOR = 0.2  # the majority answer's score, dev and test
SECONDS = 20.0  # of training, scratch's and transfer's on an idle machine
Noise = Callable[[np.random.Generator], float]


def normal(sd: float) -> Noise:
    """Return noise of a run that is normal."""
    return lambda draw: float(draw.normal(0, sd))


def skewed(sd: float) -> Noise:
    """Return noise of mean zero with a long tail below: a lognormal one of shape 1, turned round."""
    mean, deviation = math.exp(0.5), math.sqrt((math.e - 1) * math.e)
    return lambda draw: -sd * (float(draw.lognormal(0, 1)) - mean) / deviation


def collapses(sd: float, share: float, depth: float) -> Noise:
    """Return noise of mean zero in which a share of the runs falls by ``depth`` (Mosbach et al. 2021)."""
    return lambda draw: float(draw.normal(share * depth, sd)) - depth * (draw.random() < share)


@dataclass(frozen=True, kw_only=True)
class World:
    """What is true and what is in the way. Scores are fractions, times are in units of scratch's training."""

    tasks: int = 2
    sizes: tuple[int, ...] = (50, 100, 200, 400)
    seeds: int = 5
    gains: tuple[float, ...] = (0.0,)  # of transfer over scratch, by task in turn, at every size
    words: float = -0.15  # TF-IDF over scratch
    faster: float = 1.0  # how many times sooner transfer's noise-free curve crosses a score
    curve: str = "log"  # scratch's learning curve: log, square root, inverse, s
    base: float = 0.5  # scratch's score with 100 labels
    ceiling: float = 1.0
    shared: float = 0.01  # sd of what a seed's subset does to all arms alike
    noise: Noise = field(default=normal(0.015))  # of each run
    transfer_noise: Noise | None = None  # of transfer's runs, where it is another
    diverged: float = 0.0  # share of transfer's runs that diverge
    never: float = 0.0  # share of transfer's runs that never reach scratch's level
    learns: bool = True  # False: every curve stays at the majority answer
    load: tuple[float, float] = (1.0, 1.0)  # wall over CPU seconds of scratch and of transfer
    cost: float = 1.0  # CPU seconds and FLOPs of transfer's whole training over scratch's
    dev_texts: int = 400
    every: int = 10  # steps between looks
    steps: int = 200
    pace: float = 0.1  # sd of the logarithm of a run's speed
    trials: int = 1  # learning rates tried for transfer, all equally good; scratch has one

    def truth(self, task: int, size: float) -> float:
        """Return scratch's true score."""
        rise = {
            "log": 0.08 * math.log(size / 100),
            "square root": 0.25 * (1 - (size / 100) ** -0.5),
            "inverse": 0.15 * (1 - 100 / size),
            "s": 0.3
            * (1 / (1 + math.exp(-2.5 * math.log(size / 130))) - 1 / (1 + math.exp(-2.5 * math.log(100 / 130)))),
        }[self.curve]
        return min(self.ceiling, self.base + rise - 0.03 * (task % 3))

    def gain(self, task: int) -> float:
        """Return what transfer adds on a task."""
        return self.gains[task % len(self.gains)]

    @property
    def mean_gain(self) -> float:
        """The mean over tasks of what transfer adds."""
        return sum(self.gain(task) for task in range(self.tasks)) / self.tasks


def runs(world: World, draw: np.random.Generator) -> list[Run]:
    """Return the runs of one study of a world: scratch, full, TF-IDF."""
    made = []
    for task in range(world.tasks):
        for size in world.sizes:
            for seed in range(1, world.seeds + 1):
                subset = draw.normal(0, world.shared)
                for strategy in ("scratch", "full", "tfidf"):
                    for trial in range(world.trials if strategy == "full" else 1):
                        made.append(_run(world, draw, task, strategy, size, seed, subset, trial))
    return made


def study(world: World, draw: np.random.Generator, rule: Rule | None = None) -> Sides:
    """Return the sides of one study of a world."""
    return judged(runs(world, draw), rule)


def judged(members: list[Run], rule: Rule | None = None) -> Sides:
    """Return the sides of some runs."""
    return sides(cells(Study(folders=[], runs=members)), rule or Rule())


def _run(
    world: World, draw: np.random.Generator, task: int, strategy: str, size: int, seed: int, subset: float, trial: int
) -> Run:
    transfer, network = strategy == "full", strategy != "tfidf"
    level = world.truth(task, size) + {"scratch": 0.0, "full": world.gain(task), "tfidf": world.words}[strategy]
    noise = world.transfer_noise if transfer and world.transfer_noise else world.noise
    score = min(world.ceiling, max(0.0, level + subset + noise(draw)))
    if not world.learns:
        score = level = FLOOR
    diverged = transfer and draw.random() < world.diverged
    wall = SECONDS * (world.load[1 if transfer else 0]) * (world.cost if transfer else 1.0)
    cpu = SECONDS * (world.cost if transfer else 1.0)
    events = _events(world, draw, task, strategy, size, wall, cpu) if network else []
    if diverged:
        events = events[:2]
    rate = 1e-3 * 3.0**trial
    best = max((event["dev/accuracy"] for event in events), default=score)
    name = f"task{task}"
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | {
        "run_id": f"{name}-{strategy}-{size}-{seed}-{trial}", "name": "simulated", "task": name,
        "kind": "transfer" if network else "control",
        "strategy": strategy, "train_size": size, "seed": seed, "metric": "accuracy", "lr": rate,
        "threads": 1, "host": "here", "host_gflops": 100.0, "checkpoint": "c" * 64 if transfer else None,
        "pretrain_run": "p" if transfer else None, "pretrain_seconds": 600.0 if transfer else None,
    }  # fmt: skip
    if not diverged:
        row |= {
            "test": round(score, 6), "dev": best, "steps": world.steps if network else 0, "train_seconds": wall,
            "cpu_seconds": cpu, "flops": 1e12 * cpu / SECONDS, "collapsed": score <= FLOOR, "eval_seconds": 1.0,
            "total_parameters": 1000 if network else None,
        }  # fmt: skip
        row |= {column: FLOOR for column in ("floor", "floor_test") if column in COLUMNS}
        row |= {"device": "cpu"} if "device" in COLUMNS else {}
    config = {"task.name": name, "strategy.name": strategy, "seed": seed, "data.train_size": size, "optim.lr": rate}
    return Run(
        folder=Path("nowhere"), state="failed" if diverged else "finished", updated="", row=row, events=events,
        error="DivergedError: the training loss is nan at step 20" if diverged else None,
        config=config | ({"steps": world.steps, "checkpoint": "here"} if network else {}),
        lineage={"floor": FLOOR, "floor_test": FLOOR, "split": "s" * 64},
    )  # fmt: skip


def _events(
    world: World, draw: np.random.Generator, task: int, strategy: str, size: int, wall: float, cpu: float
) -> list[dict[str, Any]]:
    """Return a dev curve: from the floor to a plateau, with the noise of a dev set of few texts at each look."""
    looks = sorted({*(2**i for i in range(20) if 2**i < world.every), *range(0, world.steps + 1, world.every)})
    plateau, rate = world.truth(task, size), 8 * math.exp(draw.normal(0, world.pace))
    if strategy == "full":
        plateau, rate = min(world.ceiling, plateau + world.gain(task)), rate * world.faster
        if draw.random() < world.never:
            plateau = FLOOR + 0.7 * (plateau - FLOOR)
    texts, offset = world.dev_texts, draw.normal()
    events = []
    for step in looks:
        true = FLOOR + (plateau - FLOOR) * (1 - math.exp(-rate * step / world.steps)) if world.learns else FLOOR
        sd = math.sqrt(true * (1 - true) / texts) if world.learns else 0.0
        noisy = true + sd * (0.8 * offset + 0.6 * draw.normal())
        share = step / world.steps
        events.append(
            {
                "step": step, "seconds": round(share * wall, 3), "cpu_seconds": round(share * cpu, 3),
                "flops": 1e12 * share * cpu / SECONDS, "dev/accuracy": round(min(1.0, max(0.0, noisy)) * texts) / texts,
            }
        )  # fmt: skip
    return events
