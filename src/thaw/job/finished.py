"""Whether a run is done already. No torch here, so that a finished sweep is skipped fast."""

from pathlib import Path
from typing import Any

from thaw.track.folder import RunFolder


def finished(path: Path) -> dict[str, Any] | None:
    """Return the row of a finished run, None where it is still to be done."""
    folder = RunFolder(path)
    return folder.result() if folder.state() == "finished" else None
