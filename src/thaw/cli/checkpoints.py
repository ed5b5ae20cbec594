"""Several checkpoints by one word: ``checkpoint=[A,B,C]`` and ``checkpoint='runs/my_pretraining/*'`` are sweeps.

Pretrainings that differ by their seed are a source of error like the seeds of the transfers, so a study crosses them;
``*`` stands for all of them, whatever their run ids are.
"""

import glob
from pathlib import Path
from typing import Any


def several(value: Any) -> list[str]:
    """Return the checkpoints that a value of ``checkpoint=`` stands for: of a list each, of a pattern all that match.

    Empty for a plain value, and for a pattern that matches nothing yet: its run says so (job/resolve.py), so that a
    study can be shown before its pretraining was run.
    """
    if isinstance(value, str) and "*" not in value:
        return []
    if not isinstance(value, str | list):
        return []
    folders: list[str] = []
    for path in [value] if isinstance(value, str) else value:
        folders += _matching(str(path)) if "*" in str(path) else [str(path)]
    return list(dict.fromkeys(folders))


def word(folders: list[str]) -> str:
    """Return the override that sweeps over folders."""
    quoted = [folder if folder.replace("/", "").replace("_", "").isalnum() else f"'{folder}'" for folder in folders]
    return f"checkpoint={','.join(quoted)}"


def _matching(pattern: str) -> list[str]:
    """Return the folders that match and are, or hold, a checkpoint."""
    marks = ("config.json", "checkpoint/config.json")
    return [path for path in sorted(glob.glob(pattern)) if any(Path(path, mark).is_file() for mark in marks)]
