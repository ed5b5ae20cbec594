"""Whether a run is done already. No torch here, so that a finished sweep is skipped fast."""

from pathlib import Path
from typing import Any

from thaw.track.folder import RunFolder


def finished(path: Path, keep: bool = False) -> dict[str, Any] | None:
    """Return the row of a finished run, None where it is still to be done (or to be kept, and was not)."""
    folder = RunFolder(path)
    row = folder.result() if folder.state() == "finished" else None
    has_weights = row is not None and row["total_parameters"] is not None
    return None if keep and has_weights and not (folder.checkpoint / "config.json").exists() else row
