"""One job of a sweep, in whatever process the launcher chose, and what is said of it.

Decision: a job never raises, it returns its outcome, so that one failure can not stop a sweep.
"""

import gc
import importlib
import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from multiprocessing import current_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaw import config as schema
from thaw.cli.devices import own_process_group, processes
from thaw.errors import DataError
from thaw.process import cores, watch_parent
from thaw.track.redact import shown
from thaw.train.interrupt import Interrupted, end_self

if TYPE_CHECKING:
    from omegaconf import DictConfig


@dataclass(frozen=True)
class Outcome:
    """What became of one job."""

    line: str  # for the terminal
    row: dict[str, Any] | None  # None: failed, or interrupted
    interrupted: bool = False


def verb(command: str) -> Callable[[Any], dict[str, Any]]:
    """Return the function of `thaw.run` that does the work; importing it is what takes seconds."""
    function: Callable[[Any], dict[str, Any]] = getattr(importlib.import_module("thaw.run"), command)
    return function


def run_job(
    raw: "DictConfig", *, command: str, labels: list[str], numbers: list[int], begun: float, folders: list[str],
    parent: int,
) -> Outcome:  # fmt: skip
    """Run one job of a sweep, in whatever process the launcher chose, and print one line."""
    from hydra.core.hydra_config import HydraConfig

    place = HydraConfig.get().job.num
    label = labels[place]
    config = schema.read(command, raw)
    if command != "tokenizer":
        config.trainer.progress = False
        config.trainer.threads = config.trainer.threads or share(HydraConfig.get().launcher.get("n_jobs"), cores())
    in_worker = current_process().name != "MainProcess" and os.getpid() != parent  # else a process of someone's own
    if in_worker:
        watch_parent(parent, end_self)
    start = time.monotonic()
    row: dict[str, Any] | None = None
    interrupted = False
    try:
        _still(config, folders[place])
        with own_process_group(numbers[place]) if processes(config) > 1 else nullcontext():
            row = verb(command)(config)
        line = f"{label} … {outcome(row)} in {time.monotonic() - start:.1f} s{_left(begun, len(labels))}"
    except SystemExit as stopped:
        if in_worker:
            os._exit(stopped.code if isinstance(stopped.code, int) else 1)  # else it would be given the next job
        if not (isinstance(stopped, Interrupted) and stopped.over):
            raise
        line, interrupted = f"{label} … interrupted by {stopped}: {stopped.remedy}", True
    except Exception as error:
        from thaw.cli.main import one_line, trace

        if config.debug:
            print(trace(), file=sys.stderr)
        line = f"{label} … failed: {one_line(error)}"
    with suppress(OSError):  # nobody reads any more (thaw … | head): no reason to lose the runs that are left
        print(line, flush=True)
    _collect()
    return Outcome(line, row, interrupted)


def _still(config: Any, folder: str) -> None:
    """Raise DataError where a run is no longer the one that the sweep named: an input has another content by now.

    Half of a sweep on other data would be a study of two test sets.
    """
    from thaw.run import run_folder

    if str(run_folder(config)) != folder:
        from thaw.job.identity import replaced
        from thaw.job.resolve import resolve

        name = Path(folder).name
        what = replaced(resolve(config), name) if not isinstance(config, schema.TokenizerRun) else ""
        raise DataError(
            f"{what or 'an input, or the device it runs on,'} was changed after the sweep had named run {name} by it:"
            " give the command again"
        )


def _collect() -> None:
    """Free the network of the job that ended: Lightning leaves it in reference cycles, which Python finds jobs later.

    What lives after the first job (imported modules, shared data) is not searched again, so this takes little time.
    """
    gc.collect()
    if not gc.get_freeze_count():
        gc.freeze()


def share(at_once: int | None, cores: int) -> int:
    """Return the threads of one of the jobs that joblib runs at once; 0, as many as there are, for other launchers.

    Workers with more threads than cores wait for each other: two with two each on two cores take four times as long.
    """
    if at_once is None or at_once == 1:
        return 0
    return max(1, cores // (at_once if at_once > 0 else max(1, cores + 1 + at_once)))


def _left(begun: float, jobs: int) -> str:
    """Return the time that is left by the jobs so far, from one minute on; jobs start in order in every launcher."""
    from hydra.core.hydra_config import HydraConfig

    done = HydraConfig.get().job.num + 1
    minutes = (time.time() - begun) / done * (jobs - done) / 60
    return f", {minutes:.0f} min left" if minutes >= 1 else ""


def outcome(row: dict[str, Any]) -> str:
    """Return what a result row says, in a few words."""
    if "fertility" in row:
        cuts = [f"{name} {one['pieces_per_word']:.2f} pieces a word" for name, one in row["fertility"].items()]
        unknown, single = (max(one[key] for one in row["fertility"].values()) for key in ("unknown_rate", "byte_rate"))
        return (
            f"{row['vocab_size']} pieces: {', '.join(cuts)}, at most {unknown:.2%} unknown, {single:.2%} single bytes"
        )
    scores = [f"{name} {row[name]:.3f}" for name in ("dev", "test") if isinstance(row.get(name), int | float)]
    metric = row.get("metric") or ""
    if metric == "f1" and row.get("positive") is not None:
        metric = f"f1 of '{shown(row['positive'])}'"
    return shown(f"{metric} {' '.join(scores)}".strip()) or "done"
