"""Whether a run is done already, or diverged before. No torch here, so that a finished sweep is skipped fast."""

import contextlib
from pathlib import Path
from typing import Any

import yaml

from thaw.track.folder import CONFIG, PREDICTIONS, STATUS, RunFolder
from thaw.track.settings import read_settings

DIVERGED = "DivergedError:"  # how the error of a run begins whose loss, gradient or score was not finite


def finished(path: Path, config: Any = None) -> dict[str, Any] | None:
    """Return the row of a finished run, None where something is still to be done for its ``config``.

    That is: weights are to be kept (``keep``) and are not there, the test set is to be scored (``test``) and was not, a
    checkpoint on the way (``save_at``) was neither asked for before nor kept.
    """
    folder = RunFolder(path)
    row = folder.result() if folder.state() == "finished" else None
    if row is None:
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
    """Return the checkpoints on the way that a pretraining was never asked for: one that was may have been pruned."""
    absent = [name for name in save_at if not (path / "checkpoints" / name).exists()]
    if not absent:
        return []
    asked = None
    with contextlib.suppress(OSError, ValueError, yaml.YAMLError):  # a lost config: what was asked for is not known
        asked = read_settings(path / CONFIG).get("save_at")
    return [name for name in absent if name not in (asked if isinstance(asked, list) else [])]


def diverged(path: Path) -> str | None:
    """Return the error of a run that diverged, None for any other."""
    status = RunFolder(path).read(STATUS) or {}
    error = str(status.get("error") or "")
    return error if status.get("state") == "failed" and error.startswith(DIVERGED) else None
