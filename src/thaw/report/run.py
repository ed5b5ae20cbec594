"""One run folder -> one run. Plain files only: no torch, nothing is computed that the folder does not say.

Decisions: a damaged folder is an error with its reason (damage.py); damaged lines of ``metrics.jsonl`` are passed over
and counted, but for a torn last one, and all of them where the file is not the one the run wrote. A run in W&B is
copied to a folder first (`thaw.report.wandb`), so a run has one wherever it came from; its ``mirror`` says what W&B
knows it by and whether the folder is such a copy.
"""

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thaw.report.damage import changed, check_agreement, check_lineage, check_result, check_row, sound
from thaw.report.strategy import FLOOR, described, recorded
from thaw.track.folder import CONFIG, LINEAGE, METRICS, RESULT, STATUS, standing
from thaw.track.mirror import FETCHED, IDENTITY
from thaw.track.row import COLUMNS
from thaw.track.settings import settings

# How the error of a run begins whose training left the finite numbers; the words are those of before 2026-11-29, and
# of copies from W&B, which hold no name of the error.
DIVERGED = re.compile(
    r"DivergedError:|(the training loss|the gradient's norm) is -?(nan|inf)\b"
    r"|\d+ of \d+ predicted scores are not finite"
)
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

RECORDED = ("online", "offline", "none")

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
    wandb: str = "none"  # what W&B has of it, as its status says: online, offline or none
    own_task: str = ""  # the task's name before data sets of one name were told apart (tasks.py)
    aside: str = ""  # why no table holds the run, empty if it is in one

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
        return self["collapsed"] is True and self["strategy"] != FLOOR

    @property
    def diverged(self) -> bool:
        """Whether it failed since its training left the finite numbers: an outcome, as a score is one."""
        return self.state == "failed" and DIVERGED.match(self.error or "") is not None

    @property
    def steps(self) -> int | None:
        """The optimizer steps it was given, None if not known."""
        steps = self.config.get("steps") if self.config else self["steps"]
        return steps if isinstance(steps, int) and not isinstance(steps, bool) else None


def read_run(folder: Path, events: bool = True) -> Run:
    """Read a run folder; OSError, ValueError or YAMLError say what is damaged. ``events``: whether they are wanted."""
    files = {name: _read(folder, name) for name in (STATUS, CONFIG, RESULT, LINEAGE)}
    status = _json(files, STATUS)
    if "state" not in status and (folder / RESULT).exists():
        raise ValueError(f"no {STATUS}" if not status else f"{STATUS} has no state")
    other = changed(folder, status, files, without=() if events else (METRICS,))
    if gone := [name for name in other if name != METRICS]:
        raise ValueError(f"{' and '.join(gone)} not as the run left it")
    result = _json(files, RESULT)
    if result:
        check_result(result)
    state = standing(status)
    config: dict[str, Any] = {}
    if (content := files[CONFIG]) is not None:
        config = settings(content, CONFIG)
        check_agreement(config, result)
    elif not result:
        raise ValueError(f"neither {CONFIG} nor {RESULT}")
    if state == "finished" and not result:
        raise ValueError(f"{STATUS} says finished but there is no {RESULT}")
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {column: config.get(key) for column, key in CONFIG_KEYS.items()}
    try:
        mirror = _json({IDENTITY: _read(folder, os.path.join("wandb", IDENTITY))}, IDENTITY)
    except ValueError:  # W&B's side of it: no reason to leave the run out
        mirror = {}
    lineage = _json(files, LINEAGE)
    check_lineage(lineage)
    row |= {"run_id": mirror.get("run_id") or folder.name, "kind": _kind(config, lineage)}
    row |= {column: value for column, value in result.items() if column in row}
    row["name"] = row["name"] or folder.parent.name
    row["train_size"] = _number(row["train_size"])
    check_row(row, RESULT if result else CONFIG)
    found, damaged = _read_events(folder / METRICS) if events else ([], 0)
    if METRICS in other:
        found, damaged = [], max(1, damaged + len(found))
    return Run(
        folder=folder,
        state=state,
        error=str(status["error"]) if status.get("error") else None,
        updated=str(status.get("updated") or ""),
        row=row,
        config=config,
        lineage=lineage,
        events=found,
        damaged_lines=damaged,
        mirror=mirror,
        wandb=_recorded(status, mirror),
    )


def _recorded(status: Mapping[str, Any], mirror: Mapping[str, Any]) -> str:
    """Return what W&B has of a run; of one whose status is older than this field, what its mirror says."""
    if status.get("wandb") in RECORDED:
        return str(status["wandb"])
    return {"offline": "offline", "online": "online", FETCHED: "online"}.get(str(mirror.get("mode")), "none")


def _read(folder: Path, name: str) -> bytes | None:
    """Return what is in a file, None if there is no such file."""
    try:
        with open(f"{folder}{os.sep}{name}", "rb") as file:  # Path takes as long as reading
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _json(files: Mapping[str, bytes | None], name: str) -> dict[str, Any]:
    """Return the JSON object in a file, {} if there is no such file, with None for numbers that are not finite."""
    content = files[name]
    if content is None:
        return {}
    try:
        value = _DECODER.decode(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not a JSON object")
    return value


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


def _read_events(path: Path) -> tuple[list[Event], int]:
    """Return the events of a run and how many lines were damaged."""
    if not path.exists():
        return [], 0
    text = path.read_text("utf-8", errors="replace")
    events, damaged = [], 0
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = sound(_DECODER.decode(line))
        except (ValueError, RecursionError):
            event = None
        if event is None:
            damaged += number < len(lines)  # the last one may be being written
        else:
            events.append(event)
    return events, damaged


def _kind(config: dict[str, Any], lineage: dict[str, Any]) -> str:
    if "task.name" not in config:
        return "pretrain" if any(key.startswith("objective.") for key in config) else "tokenizer"
    strategy = recorded(lineage) or described(str(config.get("strategy.name")))
    return "control" if strategy.control else "transfer"


def _number(value: Any) -> Any:
    """Return 50 for "50"; anything else unchanged ("all" stays a word)."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value
