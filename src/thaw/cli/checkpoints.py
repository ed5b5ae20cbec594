"""Several checkpoints by one word: ``checkpoint=[A,B,C]`` and ``checkpoint='runs/my_pretraining/*'`` are sweeps.

Pretrainings that differ by their seed are a source of error like the seeds of the transfers, so a study crosses them;
``*`` stands for all of them, whatever their run ids are.
"""

import glob
import re
from pathlib import Path
from typing import Any

from thaw.job.resolve import of_this_epoch


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
    plain = re.compile(r"[\w/]+")
    quoted = [folder if plain.fullmatch(folder) else "'" + folder.replace("'", "\\'") + "'" for folder in folders]
    return f"checkpoint={','.join(quoted)}"


def _matching(pattern: str) -> list[str]:
    """Return the folders that match and are, or hold, a checkpoint."""
    folders: dict[Path, str] = {}  # checkpoint -> as the pattern has it
    for path in sorted(glob.glob(pattern)):
        for folder in (Path(path), Path(path, "checkpoint")):
            if (folder / "config.json").is_file():
                folders.setdefault(folder, path)
    return [folders[folder] for folder in of_this_epoch(list(folders))]
