"""Runs with predictions on disk: what each test text was answered, seed by seed."""

from pathlib import Path
from typing import Any

import numpy as np

from report.claims.made_up import run
from thaw.report.collect import Run
from thaw.track.folder import PREDICTIONS, write_lines


def answered(folder: Path, strategy: str, size: int, seed: int, right: np.ndarray, **more: Any) -> Run:
    """Return a run whose score is its share of right answers, with its predictions in a folder of its own."""
    task = more.get("task", "trec")
    own = folder / f"{task}-{strategy}-{size}-{seed}-{more.get('pretrain_run', '')}"
    lines = [
        {"prediction": "a" if one else "b", "scores": [0.6, 0.4], "label": "a", "credit": [float(one), 1.0]}
        for one in right
    ]
    write_lines(own / PREDICTIONS, lines)
    return run(strategy, size, seed, float(right.mean()), folder=own, **more)


def labelled(folder: Path, strategy: str, seed: int, labels: list[Any], guesses: list[Any], **row: Any) -> Run:
    """Return a run of a metric that is no ratio of sums: labels and predictions without credits."""
    own = folder / f"{strategy}-{seed}"
    write_lines(
        own / PREDICTIONS,
        [{"prediction": b, "scores": None, "label": a, "credit": None} for a, b in zip(labels, guesses, strict=True)],
    )
    return run(strategy, 100, seed, row.pop("test", 0.5), folder=own, **row)
