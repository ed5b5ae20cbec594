"""``--dry-run``: the runs, which are finished, what the others will take. Starts nothing.

The estimate: a budget that is a time; else the steps times the mean step of finished runs of the same strategy (else of
all) in the same folder (else in all folders of runs); else unknown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thaw.cli.jobs import Job, title
from thaw.train.budget import parse_budget


def show(command: str, jobs: Sequence[Job]) -> None:
    """Print one line a run and the estimate."""
    width = len(str(len(jobs)))
    for job in jobs:
        state = "finished" if job.row is not None else "diverged" if job.diverged else state_of(job.folder)
        print(f"[{job.number:>{width}}/{len(jobs)}] {state:<11} {job.folder}  {title(job.config)}")
    pending = [job for job in jobs if job.pending]
    lost = sum(job.diverged is not None for job in jobs)
    done = f"{len(jobs) - len(pending) - lost} finished" + (f", {lost} diverged" if lost else "")
    print(f"{len(jobs)} runs, {done}, {len(pending)} to run; {_estimate(jobs, pending)}")


def state_of(folder: Path) -> str:
    """Return ``to run`` or how an earlier try ended."""
    from thaw.track.folder import RunFolder

    state = RunFolder(folder).state()
    return "to run" if state == "absent" else state


def _estimate(jobs: Sequence[Job], pending: Sequence[Job]) -> str:
    if not pending:
        return "expected: nothing"
    measured = _measured(path for root in {job.folder.parent for job in jobs} for path in root.glob("*/result.json"))
    elsewhere = Path(getattr(pending[0].config, "runs", "runs")).rglob("result.json")
    measured = measured or _measured(elsewhere)
    seconds = [_seconds(job.config, measured) for job in pending]
    sizes = [_mean([one.size for one in _alike(job.config, measured)]) for job in pending]
    known = [one for one in seconds if one is not None]
    if len(known) < len(seconds):
        return "expected hours and disk: unknown, no such run is finished"
    disk = f"{sum(sizes) / 1e6:.1f} MB of disk" if all(sizes) else "disk unknown"
    return f"expected: {sum(known) / 3600:.2f} hours in one process, {disk}"


def _seconds(config: Any, measured: list["Measured"]) -> float | None:
    """Return the seconds of a run: its budget where that is a time, else those of a step like it times its steps."""
    unit, amount = parse_budget(config.budget) if hasattr(config, "budget") else ("", 0.0)
    if unit == "seconds":
        return amount
    steps = getattr(config, "steps", None) or (amount if unit == "steps" else None)
    alike = _alike(config, measured)
    by_step = [one.seconds / one.steps for one in alike if one.steps]
    return _mean(by_step) * steps if by_step and steps else _mean([one.seconds for one in alike]) if alike else None


def _alike(config: Any, measured: list["Measured"]) -> list["Measured"]:
    """Return the finished runs of one's own kind; of the same strategy if there are some."""
    strategy = getattr(getattr(config, "strategy", None), "name", None)
    kind = [one for one in measured if (one.strategy is None) == (strategy is None)]
    return [one for one in kind if one.strategy == strategy] or kind


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


@dataclass(frozen=True)
class Measured:
    """What a finished run took."""

    strategy: str | None  # None: a pretraining
    steps: int | None
    seconds: float
    size: float  # bytes


def _measured(paths: Iterable[Path]) -> list[Measured]:
    """Return what the finished runs took whose results lie at ``paths``."""
    from thaw.job.finished import finished

    result = []
    for path in paths:
        row = finished(path.parent)
        if row is not None and row.get("train_seconds") is not None:
            seconds = row["train_seconds"] + (row.get("eval_seconds") or 0.0)
            size = sum(file.stat().st_size for file in path.parent.rglob("*") if file.is_file())
            result.append(Measured(row.get("strategy"), row.get("steps"), seconds, float(size)))
    return result
