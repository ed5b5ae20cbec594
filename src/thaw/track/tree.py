"""Folders of runs -> run folders."""

import os
from pathlib import Path

from thaw.track.folder import METRICS, RESULT, STATUS

MARKS = (STATUS, RESULT, METRICS)  # a folder that holds one of them is a run


def run_folders(root: Path | str) -> list[Path]:
    """Return the run folders under ``root``; a run folder is not searched further, nor are hidden folders."""
    found = []
    for path, folders, files in os.walk(root, followlinks=False):
        if any(mark in files for mark in MARKS):
            found.append(Path(path))
            folders.clear()
        folders[:] = sorted(name for name in folders if not name.startswith("."))
    return found
