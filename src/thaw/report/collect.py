"""Folders of runs, and places in W&B -> the runs of a study.

Decisions: a folder is a run if it holds ``status.json``, ``result.json`` or ``metrics.jsonl``; a damaged one is skipped
and counted with its reason; a run that is in W&B and in a folder counts once.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from thaw.errors import ConfigError
from thaw.report.palette import rank
from thaw.report.run import Run as Run
from thaw.report.run import read_run
from thaw.report.strategy import strategies
from thaw.report.tasks import told_apart
from thaw.report.wandb.place import is_place, place
from thaw.track.folder import CONFIG
from thaw.track.plain import printable
from thaw.track.tree import MARKS as MARKS
from thaw.track.tree import run_folders

STATES = ("finished", "failed", "interrupted", "running")
DAMAGED = (OSError, ValueError, TypeError, ArithmeticError, LookupError, RecursionError, yaml.YAMLError)


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A run folder that was left out, and why."""

    folder: Path
    reason: str

    @property
    def place(self) -> str:
        """The folder as text that terminal, page and files show as text."""
        return printable(str(self.folder))


@dataclass(frozen=True, kw_only=True)
class Study:
    """All runs found under some folders."""

    folders: list[Path]
    runs: list[Run]
    unreadable: list[Unreadable] = field(default_factory=list)

    def count(self, state: str) -> int:
        """Return the number of runs in a state."""
        return sum(run.state == state for run in self.runs)


def read(*folders: str | Path, events: bool = True) -> Study:
    """Read every run under ``folders``, each a folder or a place in W&B (``wandb:ENTITY/PROJECT``).

    ConfigError if one does not exist or there is no run at all; StorageError if W&B does not answer.
    """
    roots = [Path(folder) for folder in folders]
    runs: list[Run] = []
    unreadable: list[Unreadable] = []
    seen: set[str] = set()
    for root in roots:
        for folder in _find(root):
            real = os.path.realpath(folder)
            if real in seen:
                continue
            seen.add(real)
            try:
                runs.append(read_run(folder, events))
            except DAMAGED as error:
                reason = printable(" ".join(str(error).split())[:300])
                unreadable.append(Unreadable(folder=folder, reason=reason or type(error).__name__))
    if not runs and not unreadable:
        shown = ", ".join(map(str, roots))
        raise ConfigError(f"no run in {shown}, a run folder holds {', '.join(MARKS)}; give a folder like runs/<name>")
    named = told_apart(_once(_known_settings(runs, unreadable)))
    _fill_sizes(named)
    return _study(roots, named, unreadable)


def together(first: Study, second: Study) -> tuple[Study, Study]:
    """Return two studies whose tasks are named by the contents of both, so that a name means the same in either."""
    runs = told_apart([*first.runs, *second.runs])
    count = len(first.runs)
    return (
        _study(first.folders, runs[:count], first.unreadable),
        _study(second.folders, runs[count:], second.unreadable),
    )


def _study(folders: list[Path], runs: Iterable[Run], unreadable: list[Unreadable]) -> Study:
    """Return a study in order: by task, train size, strategy, learning rate, seed; pretraining last."""
    members = list(runs)
    kinds = strategies(members)

    def order(run: Run) -> tuple[Any, ...]:
        seed = run["seed"] if isinstance(run["seed"], int) else 0
        place = rank(kinds[str(run["strategy"])]) if run.transfers else (0, "")
        cell = (str(run["task"]), size_key(run["train_size"]), place)
        return (not run.transfers, *cell, size_key(run["lr"]), seed, str(run.folder))

    return Study(folders=folders, runs=sorted(members, key=order), unreadable=unreadable)


def _find(root: Path) -> list[Path]:
    """Return the run folders of a place: under a folder, or copied from W&B."""
    if is_place(root):
        from thaw.report.wandb.fetch import fetch

        return fetch(place(str(root)))
    if not root.is_dir():
        raise ConfigError(f"no such folder of runs: {root}, give one like runs/<name>")
    return run_folders(root)


def _known_settings(runs: list[Run], unreadable: list[Unreadable]) -> list[Run]:
    """Leave out runs that have lost their config where others have one: their setting could be any."""
    if all(run.config for run in runs) or not any(run.config for run in runs):
        return runs
    lost = [run for run in runs if not run.config]
    unreadable += [Unreadable(folder=run.folder, reason=f"no {CONFIG}, so its settings are not known") for run in lost]
    return [run for run in runs if run.config]


def _once(runs: list[Run]) -> list[Run]:
    """Count a run once that is in W&B and in a folder, or several times in W&B (each try is a W&B run of its own).

    A finished one stands for the others, then a folder for a copy, then the newest.
    """
    same: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        same[str(run["name"]), str(run["run_id"])].append(run)
    best = {
        key: max(members, key=lambda run: (run.state == "finished", not run.fetched, run.updated))
        for key, members in same.items()
        if any(run.fetched for run in members)
    }
    chosen = [best.get((str(run["name"]), str(run["run_id"])), run) for run in runs]
    return [run for run, one in zip(runs, chosen, strict=True) if run is one]


def _fill_sizes(runs: list[Run]) -> None:
    """Give a run without a result whose config says train_size=all the number that finished runs of its task have."""
    whole = {run["task"]: run["train_size"] for run in runs if run["train_size"] != "all" and _takes_all(run)}
    for run in runs:
        if run["train_size"] == "all":
            run.row["train_size"] = whole.get(run["task"], "all")


def _takes_all(run: Run) -> bool:
    return run.state == "finished" and run.config.get("data.train_size") == "all"


def size_key(size: Any) -> tuple[int, float]:
    """Sort key of a train size: numbers first, "all" last."""
    return (0, float(size)) if isinstance(size, int | float) else (1, 0.0)
