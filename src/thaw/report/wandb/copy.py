"""A W&B run as a run folder: the files a run writes, from what its mirror was told.

Decisions: a run that has its result row is finished, whatever W&B makes of its end; without one W&B's state decides;
rows that an interrupted try left beyond the step it was resumed from are dropped, as the run folder did.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from thaw.report.plan import PLAN
from thaw.track.folder import CONFIG, LINEAGE, METRICS, RESULT, STATUS
from thaw.track.mirror import FETCHED, IDENTITY, STEP
from thaw.track.row import COLUMNS

STATES = {"finished": "interrupted", "failed": "failed", "running": "running", "pending": "running"}  # others: stopped
_TRY = re.compile(r"-[0-9a-f]{6}$")  # the mirror adds it to the run id, new for each try
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

Values = Mapping[str, Any]


def is_ours(config: Values) -> bool:
    """Return whether the config of a W&B run is one of a transfer, control or pretraining run."""
    return "seed" in config and ("strategy" in config or "objective" in config)


def write(folder: Path, identity: Values, run: Values, config: Values, summary: Values, rows: Iterable[Values]) -> None:
    """Write the folder; ``run`` holds state, created and updated, ``identity`` what `read` finds the W&B run by.

    Nothing is synced to disk: the copy can be made again. The file that says it is whole is written last.
    """
    (folder / "wandb").mkdir(parents=True, exist_ok=True)
    (folder / "wandb" / IDENTITY).unlink(missing_ok=True)
    has_row = bool(summary.get("run_id") and summary.get("kind"))
    state = "finished" if has_row else STATES.get(str(run["state"]), "interrupted")
    status = {"state": state, "error": summary.get("error"), "pid": 0, "host": "W&B"}
    status |= {"started": _utc(run["created"]), "updated": _utc(run["updated"])}
    files = {CONFIG: yaml.dump(dict(config), Dumper=_Dumper, sort_keys=False, allow_unicode=True)}
    files[METRICS] = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events(rows))
    files[STATUS] = json.dumps(status)
    if has_row:
        files[RESULT] = json.dumps({column: _scalar(summary.get(column)) for column in COLUMNS})
    if isinstance(summary.get("lineage"), Mapping):
        files[LINEAGE] = json.dumps(summary["lineage"])
    if summary.get("plan"):
        files[PLAN] = f"{summary['plan']}\n"
    for name in (CONFIG, METRICS, STATUS, RESULT, LINEAGE, PLAN):
        if name in files:
            (folder / name).write_text(files[name], "utf-8")
        else:
            (folder / name).unlink(missing_ok=True)
    known = {"mode": FETCHED, "run_id": summary.get("run_id") or _TRY.sub("", str(identity["id"]))}
    (folder / "wandb" / IDENTITY).write_text(json.dumps(dict(identity) | known), "utf-8")


def events(rows: Iterable[Values]) -> list[dict[str, Any]]:
    """Return the events a run logged: W&B's own columns dropped, what a resume made undone taken back."""
    kept: list[dict[str, Any]] = []
    for row in rows:
        event = {"step": row[STEP]} if STEP in row else {}
        event |= {key: value for key, value in row.items() if key != STEP and not key.startswith("_")}
        if kept and event.get("seconds", 0) < kept[-1].get("seconds", 0):  # the clock went back: a resume
            kept = [one for one in kept if one.get("step", 0) < event.get("step", 0)]
        kept.append(event)
    return kept


def _scalar(value: Any) -> Any:
    """Return a value of the row; W&B spells a number that is not finite as a word."""
    return None if isinstance(value, dict | list) or value in ("NaN", "Infinity", "-Infinity") else value


def _utc(time: Any) -> str:
    """Return a time as run folders spell it: ``2026-11-22T10:00:00+00:00``."""
    text = str(time or "")
    return text.removesuffix("Z") + "+00:00" if text.endswith("Z") else f"{text}+00:00" if "T" in text else text
