"""Run folders -> runs. Plain files only: no torch, no W&B, nothing is computed that a folder does not say.

Decisions: a folder is a run if it holds ``status.json``, ``result.json`` or ``metrics.jsonl``; a damaged one is skipped
and counted with its reason; damaged lines of ``metrics.jsonl`` are passed over and counted, but for a torn last one.
"""

import json
import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from thaw.errors import ConfigError
from thaw.report.palette import rank
from thaw.track.folder import CONFIG, LINEAGE, METRICS, RESULT, STATUS, RunFolder
from thaw.track.plain import plain
from thaw.track.row import COLUMNS

MARKS = (STATUS, RESULT, METRICS)
STATES = ("finished", "failed", "interrupted", "running")
CONTROLS = ("frozen_random", "tfidf", "majority")
# Where a column stands in the config of a run that has no result yet.
CONFIG_KEYS = {
    "name": "name",
    "task": "task.name",
    "metric": "task.metric",
    "strategy": "strategy.name",
    "encoder": "encoder.name",
    "train_size": "data.train_size",
    "seed": "seed",
    "lr": "optim.lr",
    "precision": "trainer.precision",
}
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one reads 1,000 configs in seconds

Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run folder: its state, its flat result row, its flat config, its events."""

    folder: Path
    state: str  # one of STATES
    error: str | None
    updated: str  # ISO time of the last status, "" if unknown
    row: dict[str, Any]  # every name of COLUMNS; without a result only what the config tells
    config: dict[str, Any]  # dotted key -> value
    lineage: dict[str, Any]  # as written, {} if absent
    events: list[Event]  # lines of metrics.jsonl
    damaged_lines: int = 0  # lines of metrics.jsonl left out

    def __getitem__(self, column: str) -> Any:
        """Return a column of the result row."""
        return self.row[column]

    @property
    def transfers(self) -> bool:
        """Whether it is a transfer run or a control, so that it has a task and a strategy."""
        return self["kind"] in ("transfer", "control")

    @property
    def collapsed(self) -> bool:
        """Whether it finished without beating the majority class; the majority control itself does not count."""
        return self["collapsed"] is True and self["strategy"] != "majority"


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A run folder that was left out, and why."""

    folder: Path
    reason: str


@dataclass(frozen=True, kw_only=True)
class Study:
    """All runs found under some folders."""

    folders: list[Path]
    runs: list[Run]
    unreadable: list[Unreadable] = field(default_factory=list)

    def count(self, state: str) -> int:
        """Return the number of runs in a state."""
        return sum(run.state == state for run in self.runs)


def read(*folders: str | Path) -> Study:
    """Read every run folder under ``folders``; raise ConfigError if one does not exist or there is no run at all."""
    roots = [Path(folder) for folder in folders]
    runs: list[Run] = []
    unreadable: list[Unreadable] = []
    seen: set[Path] = set()
    for root in roots:
        if not root.is_dir():
            raise ConfigError(f"no such folder of runs: {root}, give one like runs/<name>")
        for folder in _find(root):
            real = folder.resolve()
            if real in seen:
                continue
            seen.add(real)
            try:
                runs.append(_read_run(folder))
            except (OSError, ValueError, yaml.YAMLError) as error:
                reason = " ".join(str(error).split())[:300]
                unreadable.append(Unreadable(folder=folder, reason=reason or type(error).__name__))
    if not runs and not unreadable:
        shown = ", ".join(map(str, roots))
        raise ConfigError(f"no run in {shown}, a run folder holds {', '.join(MARKS)}; give a folder like runs/<name>")
    _resolve_all(runs)
    return Study(folders=roots, runs=sorted(runs, key=_order), unreadable=unreadable)


def _find(root: Path) -> list[Path]:
    """Return the run folders under ``root``; a run folder is not searched further, nor are hidden folders."""
    found = []
    for path, folders, files in os.walk(root, followlinks=False):
        if any(mark in files for mark in MARKS):
            found.append(Path(path))
            folders.clear()
        folders[:] = sorted(name for name in folders if not name.startswith("."))
    return found


def _read_run(folder: Path) -> Run:
    status = _read_json(folder / STATUS)
    result = _read_json(folder / RESULT)
    state = RunFolder(folder).state()
    config: dict[str, Any] = {}
    if (folder / CONFIG).exists():
        nested = yaml.load((folder / CONFIG).read_text("utf-8"), Loader=_Loader)  # noqa: S506  a safe one
        if not isinstance(nested, dict):
            raise ValueError(f"{CONFIG} is not a mapping")
        config = flat(nested)
    elif not result:
        raise ValueError(f"neither {CONFIG} nor {RESULT}")
    if state == "finished" and not result:
        raise ValueError(f"{STATUS} says finished but there is no {RESULT}")
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {column: config.get(key) for column, key in CONFIG_KEYS.items()}
    row |= {"run_id": folder.name, "kind": _kind(config)}
    row |= {column: value for column, value in result.items() if column in row}
    row["name"] = row["name"] or folder.parent.name
    row["train_size"] = _number(row["train_size"])
    events, damaged = _read_events(folder / METRICS)
    return Run(
        folder=folder,
        state="finished" if result and not status else state,
        error=str(status["error"]) if status.get("error") else None,
        updated=str(status.get("updated") or ""),
        row=row,
        config=config,
        lineage=_read_json(folder / LINEAGE),
        events=events,
        damaged_lines=damaged,
    )


def _resolve_all(runs: list[Run]) -> None:
    """Name what only all runs together can tell apart or fill in: tasks of one name, sizes of runs without a result.

    ``task=files`` may stand for several data sets: where both source and content differ, the source joins the name.
    A run without a result whose config says train_size=all gets the number that finished runs of its task have.
    """
    sources: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for run in runs:
        if run.transfers and run.lineage.get("split"):
            sources[str(run["task"])][_source(run)].add(run.lineage["split"])
    for run in runs:
        contents = sources[str(run["task"])]
        if len(contents) > 1 and len(set.union(*contents.values())) > 1:
            run.row["task"] = f"{run['task']} ({os.path.basename(_source(run)) or 'unnamed'})"
    whole = {run["task"]: run["train_size"] for run in runs if run["train_size"] != "all" and _takes_all(run)}
    for run in runs:
        if run["train_size"] == "all":
            run.row["train_size"] = whole.get(run["task"], "all")


def _source(run: Run) -> str:
    sources = [run.config.get(f"task.{key}") for key in ("path", "hub", "package")]
    return next((os.path.normpath(str(source)) for source in sources if source), "")


def _takes_all(run: Run) -> bool:
    return run.state == "finished" and run.config.get("data.train_size") == "all"


def _read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, {} if there is no such file, with None for numbers that are not finite."""
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} is not a JSON object")
    return {str(key): plain(one) for key, one in value.items()}


def _read_events(path: Path) -> tuple[list[Event], int]:
    """Return the events of a run and how many lines were damaged."""
    if not path.exists():
        return [], 0
    text = path.read_text("utf-8", errors="replace")
    events, damaged = [], 0
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        try:
            event = json.loads(line) if line.strip() else {}
        except ValueError:
            damaged += number < len(lines)  # the last one may be being written
            continue
        if isinstance(event, dict) and event:
            events.append({key: plain(value) for key, value in event.items()})
    return events, damaged


def _kind(config: dict[str, Any]) -> str:
    if "task.name" not in config:
        return "pretrain" if any(key.startswith("objective.") for key in config) else "tokenizer"
    return "control" if config.get("strategy.name") in CONTROLS else "transfer"


def _number(value: Any) -> Any:
    """Return 50 for "50"; anything else unchanged ("all" stays a word)."""
    return int(value) if isinstance(value, str) and value.isdigit() else value


def flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested config as dotted keys; lists stay values."""
    items: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            items |= flat(value, f"{prefix}{key}.")
        else:
            items[f"{prefix}{key}"] = plain(value)
    return items


def size_key(size: Any) -> tuple[int, float]:
    """Sort key of a train size: numbers first, "all" last."""
    return (0, float(size)) if isinstance(size, int | float) else (1, 0.0)


def _order(run: Run) -> tuple[Any, ...]:
    """Sort key of runs: by task, train size, strategy, learning rate, seed; pretraining last."""
    seed = run["seed"] if isinstance(run["seed"], int) else 0
    cell = (str(run["task"]), size_key(run["train_size"]), rank(str(run["strategy"])))
    return (not run.transfers, *cell, size_key(run["lr"]), seed, str(run.folder))
