"""``--dry-run``: the runs, which are finished, what the others will take. Starts nothing.

The estimate is the mean of finished runs of the same strategy in the same folder, else of all of them, else unknown.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thaw.cli.sweep import Job


def show(command: str, jobs: Sequence["Job"]) -> None:
    """Print one line a run and the estimate."""
    from thaw.cli.sweep import title

    width = len(str(len(jobs)))
    for job in jobs:
        state = "finished" if job.row is not None else state_of(job.folder)
        print(f"[{job.number:>{width}}/{len(jobs)}] {state:<11} {job.folder}  {title(job.config)}")
    pending = [job for job in jobs if job.row is None]
    print(f"{len(jobs)} runs, {len(jobs) - len(pending)} finished, {len(pending)} to run; {_estimate(jobs, pending)}")


def state_of(folder: Path) -> str:
    """Return ``to run`` or how an earlier try ended."""
    from thaw.track.folder import RunFolder

    state = RunFolder(folder).state()
    return "to run" if state == "absent" else state


def _estimate(jobs: Sequence["Job"], pending: Sequence["Job"]) -> str:
    if not pending:
        return "expected: nothing"
    seconds, sizes = 0.0, 0.0
    measured = _measured({job.folder.parent for job in jobs})
    if not measured:
        return "expected hours and disk: unknown, no run in that folder is finished"
    for job in pending:
        strategy = getattr(getattr(job.config, "strategy", None), "name", None)
        alike = [one for one in measured if one[0] == strategy] or measured
        seconds += sum(one[1] for one in alike) / len(alike)
        sizes += sum(one[2] for one in alike) / len(alike)
    return f"expected: {seconds / 3600:.2f} hours in one process, {sizes / 1e6:.1f} MB of disk"


def _measured(roots: set[Path]) -> list[tuple[Any, float, float]]:
    """Return (strategy, seconds, bytes) of every finished run under some folders."""
    from thaw.job.finished import finished

    result = []
    for root in roots:
        for path in root.glob("*/result.json"):
            row = finished(path.parent)
            if row is not None and row.get("train_seconds") is not None:
                seconds = row["train_seconds"] + (row.get("eval_seconds") or 0.0)
                size = sum(file.stat().st_size for file in path.parent.rglob("*") if file.is_file())
                result.append((row.get("strategy"), seconds, float(size)))
    return result
