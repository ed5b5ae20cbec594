"""How far a sweep has come: what runs, what is left, from the run folders and the list that the sweep left there."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thaw.report.collect import MARKS, Run, Study
from thaw.track import bounded
from thaw.track.folder import PLANNED

CHANGING = (*MARKS, PLANNED)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Counts of the runs of a study, and those that run now."""

    finished: int
    failed: int
    interrupted: int
    running: list[Run]
    left: int  # planned by the newest sweep into a folder and not begun

    @property
    def going(self) -> bool:
        """Whether more is to come."""
        return bool(self.running or self.left)


def progress(study: Study) -> Progress:
    """Return how far a study has come."""
    return Progress(
        finished=study.count("finished"),
        failed=study.count("failed"),
        interrupted=study.count("interrupted"),
        running=[run for run in study.runs if run.state == "running"],
        left=_left(study),
    )


def _left(study: Study) -> int:
    begun = {run.folder.resolve() for run in study.runs} | {one.folder.resolve() for one in study.unreadable}
    roots = {Path(folder).resolve() for folder in study.folders} | {folder.parent for folder in begun}
    return sum(root / name not in begun for root in roots for name in _planned(root))


def _planned(root: Path) -> list[str]:
    try:
        content: Any = json.loads(bounded.content(root / PLANNED))
    except (OSError, ValueError, RecursionError):
        return []
    names = content.get("planned") if isinstance(content, dict) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def stamp(folders: Sequence[str | Path]) -> int:
    """Return a number that changes when a run under the folders does."""
    seen = []
    for folder in folders:
        for path, inside, files in os.walk(folder):
            inside[:] = sorted(name for name in inside if not name.startswith("."))
            for name in CHANGING:
                if name in files:
                    found = os.stat(os.path.join(path, name))
                    seen.append((path, name, found.st_mtime_ns, found.st_size))
    return hash(tuple(seen))
