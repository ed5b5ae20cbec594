"""Runs made of numbers, for the claims: a task, an arm, a size, a seed, a score, and a dev curve where wanted."""

from pathlib import Path
from typing import Any

from thaw.report.cells import Cell, cells
from thaw.report.claims.rule import Rule
from thaw.report.claims.sides import Sides, sides
from thaw.report.collect import Run, Study
from thaw.track.row import COLUMNS


def run(
    strategy: str, size: int, seed: int, test: float, *, task: str = "trec", curve: list[tuple[float, float]] = (),
    folder: Path = Path("nowhere"), config: dict[str, Any] | None = None, **row: Any,
) -> Run:  # fmt: skip
    """Return a finished run; ``curve`` holds (seconds, dev score), a step every second."""
    transfers = strategy not in ("scratch", "tfidf", "majority", "frozen_random")
    best = max((score for _, score in curve), default=test)
    given = {
        "run_id": f"{task}-{strategy}-{size}-{seed}", "name": "study", "task": task, "strategy": strategy,
        "kind": "control" if strategy in ("tfidf", "majority", "frozen_random") else "transfer", "train_size": size,
        "seed": seed, "metric": "accuracy", "test": test, "dev": best, "collapsed": False, "host": "here",
        "threads": 1, "checkpoint": "c" * 64 if transfers else None, "steps": int(curve[-1][0]) if curve else 0,
        "train_seconds": curve[-1][0] if curve else 1.0, "eval_seconds": 0.5,
    } | row  # fmt: skip
    events = [{"step": int(at), "seconds": at, "dev/accuracy": score} for at, score in curve]
    settings = {"task.name": task, "strategy.name": strategy, "seed": seed, "data.train_size": size}
    return Run(
        folder=folder, state="finished", error=None, updated="", row=dict.fromkeys(COLUMNS) | given,
        config=settings | (config or {}), lineage={}, events=events,
    )  # fmt: skip


def study(*runs: Run) -> tuple[Study, list[Cell]]:
    """Return a study and its cells."""
    made = Study(folders=[], runs=list(runs))
    return made, cells(made)


def compared(*runs: Run, rule: Rule | None = None) -> Sides:
    """Return the sides of some runs."""
    return sides(study(*runs)[1], rule or Rule())
