"""One run folder -> one run. Plain files only: no torch, nothing is computed that the folder does not say.

Decisions: a damaged folder is an error with its reason (damage.py); damaged lines of ``metrics.jsonl`` are passed over
and counted, but for a torn last one, and all of them where the file is not the one the run wrote. A run in W&B is
copied to a folder first (`thaw.report.wandb`), so a run has one wherever it came from; its ``mirror`` says what W&B
knows it by and whether the folder is such a copy.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thaw.report.damage import (
    changed,
    check_agreement,
    check_config,
    check_lineage,
    check_result,
    check_row,
    finite,
)
from thaw.report.files import Event, as_text, json_object, read, read_events
from thaw.report.strategy import FLOOR, described, recorded
from thaw.track.folder import CONFIG, LINEAGE, METRICS, RESULT, STATUS, standing
from thaw.track.mirror import FETCHED, IDENTITY
from thaw.track.plain import printable
from thaw.track.row import COLUMNS
from thaw.track.settings import settings

# How the error of a run begins whose training left the finite numbers; the words are those of before 2026-11-29, and
# of copies from W&B, which hold no name of the error.
DIVERGED = re.compile(
    r"DivergedError:|(the training loss|the gradient's norm) is -?(nan|inf)\b"
    r"|\d+ of \d+ predicted scores are not finite"
)
LONGEST = 2000  # letters of an error
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
    def place(self) -> str:
        """Its folder as text that terminal, page and files show as text."""
        return printable(str(self.folder))

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
    found = {name: read(folder, name) for name in (STATUS, CONFIG, RESULT, LINEAGE)}
    status = json_object(found, STATUS)
    if "state" not in status and (folder / RESULT).exists():
        raise ValueError(f"no {STATUS}" if not status else f"{STATUS} has no state")
    other = changed(folder, status, found, without=() if events else (METRICS,))
    if gone := [name for name in other if name != METRICS]:
        raise ValueError(f"{' and '.join(gone)} not as the run left it")
    result = finite(json_object(found, RESULT, exact=True))
    if result:
        check_result(result)
    state = standing(status)
    config: dict[str, Any] = {}
    if (text := found[CONFIG]) is not None:
        config = as_text(text, settings(text, CONFIG))
        check_config(config)
        check_agreement(config, result)
    elif not result:
        raise ValueError(f"neither {CONFIG} nor {RESULT}")
    if state == "finished" and not result:
        raise ValueError(f"{STATUS} says finished but there is no {RESULT}")
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {column: config.get(key) for column, key in CONFIG_KEYS.items()}
    try:
        mirror = json_object({IDENTITY: read(folder, os.path.join("wandb", IDENTITY))}, IDENTITY)
    except (OSError, ValueError):  # W&B's side of it: no reason to leave the run out
        mirror = {}
    mirror = {key: value for key, value in mirror.items() if isinstance(value, str | None)}
    lineage = json_object(found, LINEAGE)
    check_lineage(lineage)
    row |= {"run_id": mirror.get("run_id") or printable(folder.name), "kind": _kind(config, lineage)}
    row |= {column: value for column, value in result.items() if column in row}
    row["name"] = row["name"] or printable(folder.parent.name)
    row["train_size"] = _number(row["train_size"])
    check_row(row, RESULT if result else CONFIG)
    lines, damaged = read_events(folder / METRICS) if events else ([], 0)
    if METRICS in other:
        lines, damaged = [], max(1, damaged + len(lines))
    return Run(
        folder=folder,
        state=state,
        error=printable(str(status["error"])[:LONGEST]) if status.get("error") else None,
        updated=printable(str(status.get("updated") or "")[:LONGEST]),
        row=row,
        config=config,
        lineage=lineage,
        events=lines,
        damaged_lines=damaged,
        mirror=mirror,
        wandb=_recorded(status, mirror),
    )


def _recorded(status: Mapping[str, Any], mirror: Mapping[str, Any]) -> str:
    """Return what W&B has of a run; of one whose status is older than this field, what its mirror says."""
    if status.get("wandb") in RECORDED:
        return str(status["wandb"])
    return {"offline": "offline", "online": "online", FETCHED: "online"}.get(str(mirror.get("mode")), "none")


def _kind(config: dict[str, Any], lineage: dict[str, Any]) -> str:
    if "task.name" not in config:
        return "pretrain" if any(key.startswith("objective.") for key in config) else "tokenizer"
    strategy = recorded(lineage) or described(str(config.get("strategy.name")))
    return "control" if strategy.control else "transfer"


def _number(value: Any) -> Any:
    """Return 50 for "50"; anything else unchanged ("all" stays a word)."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value
