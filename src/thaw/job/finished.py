"""Whether a run is done already, or diverged before. No torch here, so that a finished sweep is skipped fast."""

import contextlib
from pathlib import Path
from typing import Any

import yaml

from thaw.job.again import waits
from thaw.track.folder import CONFIG, LOST, PREDICTIONS, STATUS, UNSAVED, RunFolder
from thaw.track.settings import read_settings

DIVERGED = "DivergedError:"  # how the error of a run begins whose loss, gradient or score was not finite


def finished(path: Path, config: Any = None) -> dict[str, Any] | None:
    """Return the row of a finished run, None where something is still to be done for its ``config``.

    That is: weights are to be kept (``keep``) and are not there, the test set is to be scored (``test``) and was not, a
    checkpoint on the way (``save_at``) was neither asked for before nor kept, a new run waits to be brought in.
    """
    folder = RunFolder(path)
    row = folder.result() if folder.state() == "finished" else None
    if row is None or waits(path):
        return None
    has_weights = row["total_parameters"] is not None
    to_keep = getattr(config, "keep", False) and has_weights and not (folder.checkpoint / "config.json").exists()
    to_score = getattr(config, "test", False) and unscored(folder)
    return None if to_keep or to_score or missing(path, getattr(config, "save_at", [])) else row


def unscored(folder: RunFolder) -> bool:
    """Return whether a run has a result but has left its test set alone (``test=false``)."""
    row = folder.result()
    return row is not None and row.get("test") is None and not (folder.path / PREDICTIONS).exists()


def missing(path: Path, save_at: list[str]) -> list[str]:
    """Return the checkpoints on the way that a pretraining was never asked for, or could not write.

    One that it was asked for and wrote may have been pruned.
    """
    absent = [name for name in save_at if not (path / "checkpoints" / name).exists()]
    if not absent:
        return []
    asked = None
    with contextlib.suppress(OSError, ValueError, yaml.YAMLError):  # a lost config: what was asked for is not known
        asked = read_settings(path / CONFIG).get("save_at")
    lost = (RunFolder(path).read(STATUS) or {}).get(LOST)
    due = {name for name in absent if isinstance(lost, dict) and on_the_way(name) in lost}
    return [name for name in absent if name in due or name not in (asked if isinstance(asked, list) else [])]


def on_the_way(name: str) -> str:
    """Return what a checkpoint on the way is called in a status that tells of its loss."""
    return f"save_at={name}"


def complaint(path: Path) -> str:
    """Return what a finished run could not save, as an error of storage; "" for nothing: its result is whole."""
    status = RunFolder(path).read(STATUS) or {}
    lost, unsaved = status.get(LOST), status.get(UNSAVED)
    if isinstance(lost, dict) and lost:
        what, why = next(iter(lost.items()))
        return f"{what} of {path} is not kept ({why}): its result is whole, the same command tries again"
    if unsaved:
        then = "its result is whole, but had it been stopped it would have had to start again"
        return f"no training state of {path} could be saved ({unsaved}): {then}"
    return ""


def diverged(path: Path) -> str | None:
    """Return the error of a run that diverged, None for any other."""
    status = RunFolder(path).read(STATUS) or {}
    error = str(status.get("error") or "")
    return error if status.get("state") == "failed" and error.startswith(DIVERGED) else None
