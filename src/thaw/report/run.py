"""One run folder -> one run. Plain files only: no torch, nothing is computed that the folder does not say.

Decisions: a damaged folder is an error with its reason; damaged lines of ``metrics.jsonl`` are passed over and counted,
but for a torn last one. A run in W&B is copied to a folder first (`thaw.report.wandb`), so a run has one wherever it
came from; its ``mirror`` says what W&B knows it by and whether the folder is such a copy.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from thaw.track.folder import CONFIG, LINEAGE, METRICS, RESULT, STATUS, RunFolder
from thaw.track.mirror import FETCHED, IDENTITY
from thaw.track.plain import plain
from thaw.track.row import COLUMNS

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
    mirror: dict[str, Any] = field(default_factory=dict)  # of its W&B run: id, url, mode; {} if there is none

    def __getitem__(self, column: str) -> Any:
        """Return a column of the result row."""
        return self.row[column]

    @property
    def url(self) -> str | None:
        """The page of its W&B run, None if it is not there or was recorded offline."""
        return self.mirror.get("url")

    @property
    def fetched(self) -> bool:
        """Whether its folder is a copy of its W&B run."""
        return self.mirror.get("mode") == FETCHED

    @property
    def transfers(self) -> bool:
        """Whether it is a transfer run or a control, so that it has a task and a strategy."""
        return self["kind"] in ("transfer", "control")

    @property
    def collapsed(self) -> bool:
        """Whether it finished without beating the majority class; the majority control itself does not count."""
        return self["collapsed"] is True and self["strategy"] != "majority"


def read_run(folder: Path) -> Run:
    """Read a run folder; OSError, ValueError or YAMLError say what is damaged."""
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
    mirror = _read_json(folder / "wandb" / IDENTITY)
    row |= {"run_id": mirror.get("run_id") or folder.name, "kind": _kind(config)}
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
        mirror=mirror,
    )


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
