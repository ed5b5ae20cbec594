"""One run or many of a composed command: what is finished is skipped, what fails is recorded and the rest goes on.

Decision: a job never raises, it returns its outcome, so that one failure can not stop a sweep.
"""

import functools
import gc
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import current_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaw import config as schema
from thaw.cli import help, words
from thaw.cli.devices import own_process_group, processes
from thaw.cli.interrupt import time_limit
from thaw.cli.jobs import Job, more, named, title
from thaw.errors import ConfigError, DataError, DivergedError, StorageError
from thaw.job.finished import DIVERGED, complaint, diverged, finished
from thaw.process import cores
from thaw.report.words import number
from thaw.storage import write_text
from thaw.track.folder import PLANNED
from thaw.track.lock import taking_over
from thaw.track.redact import shown

if TYPE_CHECKING:
    from omegaconf import DictConfig


@dataclass(frozen=True)
class Outcome:
    """What became of one job."""

    line: str  # for the terminal
    row: dict[str, Any] | None  # None: failed


def main(command: str, argv: list[str], settled: bool = False) -> int:
    """Run a Hydra command; return the exit code. With ``settled`` a sweep is done (0) where runs only diverged."""
    given = words.parse(argv)
    if given.help:
        print(help.text(command, given.search_path))
        return 0
    from thaw.cli.compose import composer

    with composer(command, given) as compose:
        combinations = compose.combinations()
        if given.show_config:
            for one in combinations:
                print(one.yaml, end="")
            return 0
        jobs = named(command, [(one.overrides, one.config) for one in combinations], given.retry)
        if given.dry_run:
            from thaw.cli import forecast, power

            forecast.show(command, jobs)
            if command == "transfer":
                power.show([job.config for job in jobs])
            return 0
        if given.only is not None and not 1 <= given.only <= len(jobs):
            raise ConfigError(f"--only {given.only} is none of the {number(len(jobs), 'run')}, give 1 to {len(jobs)}")
        limit = jobs[0].config.trainer.time_limit if command != "tokenizer" else None
        with time_limit(limit), taking_over(given.take_over):
            if compose.multirun and given.only is None:
                return sweep(command, jobs, compose.launcher, settled)
            return single(command, jobs[(given.only or 1) - 1])


def verb(command: str) -> Callable[[Any], dict[str, Any]]:
    """Return the function of `thaw.run` that does the work; importing it is what takes seconds."""
    function: Callable[[Any], dict[str, Any]] = getattr(importlib.import_module("thaw.run"), command)
    return function


def single(command: str, job: Job) -> int:
    """Run one combination; its error is the command's."""
    row = job.row
    if job.diverged is not None:
        raise DivergedError(
            f"{job.diverged.removeprefix(DIVERGED).strip()} (before, {job.folder}); --retry tries it again"
        )
    if row is None:
        row = verb(command)(job.config)
        print(f"{outcome(row)}, {row.get('out') or job.folder}")
        if lost := complaint(job.folder):
            raise StorageError(lost)
    else:
        print(f"finished before: {outcome(row)}, {job.folder}")
    return 0


def sweep(command: str, jobs: list[Job], launcher: Callable[[Any], Any], settled: bool = False) -> int:
    """Run what is not finished with Hydra's launcher, show the summary; 1 if any failed, 5 if any could not be saved.

    A run that diverged is an outcome, which the report counts: the same command does not try it again. With ``settled``
    it is no failure of the sweep either, nor is a whole result of which a state or checkpoint could not be saved.
    """
    pending = [job for job in jobs if job.pending]
    before = sum(job.diverged is not None for job in jobs)
    words = f"{number(len(jobs), 'run')}, {len(jobs) - len(pending) - before} finished before"
    print(words + (f", {before} diverged before (--retry tries them again)" if before else ""), flush=True)
    failed: list[Job] = []
    lost: list[str] = []
    for root in dict.fromkeys(job.folder.parent for job in jobs) if pending and command != "tokenizer" else ():
        planned = [job.folder.name for job in jobs if job.folder.parent == root]
        write_text(root / PLANNED, json.dumps({"planned": planned}) + "\n")  # `thaw report --watch` tells what is left
    if pending:
        common = set.intersection(*(set(job.overrides) for job in jobs))
        labels = [f"[{job.number}/{len(jobs)}] {title(job.config)}{shown(more(job, common))}" for job in pending]
        numbers = [job.number for job in pending]
        runner = launcher(
            functools.partial(
                run_job,
                command=command,
                labels=labels,
                numbers=numbers,
                begun=time.time(),
                folders=[str(job.folder) for job in pending],
            )
        )
        if type(runner).__name__ != "BasicLauncher" and any(processes(job.config) > 1 for job in pending):
            raise ConfigError("several devices in a sweep need hydra/launcher=basic, or trainer.devices=1")
        returned = runner.launch([job.overrides for job in pending], initial_job_idx=0)
        outcomes: list[Outcome] = [one.return_value for one in returned]
        failed = [job for one, job in zip(outcomes, pending, strict=True) if one.row is None and not _done(job)]
        lost = [text for one, job in zip(outcomes, pending, strict=True) if one.row and (text := complaint(job.folder))]
        if "submitit" in type(runner).__module__:  # its jobs print into files
            print("\n".join(one.line for one in outcomes))
    if command == "transfer":
        from thaw.report import summary

        for root in dict.fromkeys(job.folder.parent for job in jobs if job.folder.exists()):
            summary.show(root)
    diverging = before + sum(diverged(job.folder) is not None for job in failed)
    broken = len(failed) + before - diverging
    told = [f"{broken} of {number(len(jobs), 'run')} failed, the same command tries them again"] if broken else []
    told += [f"{diverging} of {number(len(jobs), 'run')} diverged, only --retry tries them again"] if diverging else []
    told += [shown(lost[0]) + (f", and so for {number(len(lost) - 1, 'run')} more" if lost[1:] else "")] if lost else []
    if told:
        print(f"{'error' if broken or not settled else 'note'}: {'; '.join(told)}", file=sys.stderr)
    return 1 if broken or (diverging and not settled) else StorageError.exit_code if lost and not settled else 0


def run_job(
    raw: "DictConfig", *, command: str, labels: list[str], numbers: list[int], begun: float, folders: list[str]
) -> Outcome:  # fmt: skip
    """Run one job of a sweep, in whatever process the launcher chose, and print one line."""
    from hydra.core.hydra_config import HydraConfig

    place = HydraConfig.get().job.num
    label = labels[place]
    config = schema.read(command, raw)
    if command != "tokenizer":
        config.trainer.progress = False
        config.trainer.threads = config.trainer.threads or share(HydraConfig.get().launcher.get("n_jobs"), cores())
    start = time.monotonic()
    row: dict[str, Any] | None = None
    try:
        _still(config, folders[place])
        with own_process_group(numbers[place]) if processes(config) > 1 else nullcontext():
            row = verb(command)(config)
        line = f"{label} … {outcome(row)} in {time.monotonic() - start:.1f} s{_left(begun, len(labels))}"
    except SystemExit as stopped:
        if current_process().name == "MainProcess":
            raise
        os._exit(stopped.code if isinstance(stopped.code, int) else 1)  # else the pool would give it the next job
    except Exception as error:
        from thaw.cli.main import one_line

        if config.debug:
            traceback.print_exc()
        line = f"{label} … failed: {one_line(error)}"
    print(line, flush=True)
    _collect()
    return Outcome(line, row)


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


def _done(job: Job) -> bool:
    """Return whether a run that failed here was finished by another process that had it in hand."""
    return bool(finished(job.folder, job.config))


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
