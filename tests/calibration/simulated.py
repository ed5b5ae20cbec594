"""Studies whose truth is known, made of numbers alone: runs in memory, read by the same code as real ones.

Scores grow with the logarithm of the labels, so that interpolation between sizes is exact and every true value can be
written down. Noise has two parts: what a seed's subset does to all arms alike, and what is each run's own.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thaw.report.cells import cells
from thaw.report.claims.rule import Rule
from thaw.report.claims.sides import Sides, sides
from thaw.report.collect import Run, Study
from thaw.track.row import COLUMNS

STEPS, EVERY, SECONDS = 200, 20, 20.0


@dataclass(frozen=True, kw_only=True)
class World:
    """What is true: everything a study would like to know."""

    tasks: int = 3
    sizes: tuple[int, ...] = (50, 100, 200, 400)
    seeds: int = 5
    gain: float = 0.0  # of transfer over scratch, at every size
    words: float = -0.1  # TF-IDF over scratch
    faster: float = 1.0  # how many times sooner a transfer run reaches a score of scratch's
    slope: float = 0.1  # score for each factor e of labels
    shared: float = 0.01  # standard deviations
    own: float = 0.015
    pace: float = 0.05  # of the logarithm of a run's speed

    def score(self, arm: str, size: float) -> float:
        """Return an arm's true test score."""
        return 0.4 + self.slope * math.log(size / 50) + {"scratch": 0.0, "full": self.gain, "tfidf": self.words}[arm]


def study(world: World, draw: np.random.Generator) -> Sides:
    """Return one study of a world."""
    runs = []
    for task in range(world.tasks):
        for size in world.sizes:
            for seed in range(1, world.seeds + 1):
                shared = draw.normal(0, world.shared)
                for arm in ("scratch", "full", "tfidf"):
                    score = world.score(arm, size) + shared + draw.normal(0, world.own)
                    rate = math.exp(draw.normal(0, world.pace)) * (world.faster if arm == "full" else 1.0)
                    runs.append(run(f"task{task}", arm, size, seed, score, rate, world.score("scratch", size)))
    return sides(cells(Study(folders=[], runs=runs)), Rule())


def run(task: str, arm: str, size: int, seed: int, score: float, rate: float, base: float) -> Run:
    """Return a run whose dev score crosses 95 % of ``base`` at a time that only its ``rate`` decides."""
    network = arm != "tfidf"
    events = []
    for step in range(0, STEPS + 1, EVERY) if network else ():
        dev = base * (1 - math.exp(-3 * rate * step / STEPS)) / (1 - math.exp(-3))
        events.append({"step": step, "seconds": SECONDS * step / STEPS, "dev/accuracy": dev})
    row = dict.fromkeys(COLUMNS) | {
        "run_id": f"{task}-{arm}-{size}-{seed}", "name": "simulated", "kind": "transfer" if network else "control",
        "task": task, "strategy": arm, "train_size": size, "seed": seed, "metric": "accuracy", "test": score,
        "dev": base if network else score, "steps": STEPS if network else 0, "train_seconds": SECONDS,
        "checkpoint": "c" * 64 if arm == "full" else None, "pretrain_run": "p" if arm == "full" else None,
        "pretrain_seconds": 600.0 if arm == "full" else None, "collapsed": False,
    }  # fmt: skip
    return Run(
        folder=Path("nowhere"), state="finished", error=None, updated="", row=row, lineage={}, events=events,
        config={"task.name": task, "strategy.name": arm, "seed": seed, "data.train_size": size},
    )  # fmt: skip
