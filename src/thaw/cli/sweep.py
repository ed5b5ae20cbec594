"""One run or many of a composed command: what is finished is skipped, what fails is recorded and the rest goes on."""

import functools
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from thaw.cli import help, words
from thaw.cli.devices import as_command, placed, refuse
from thaw.cli.interrupt import time_limit
from thaw.cli.jobs import Job, more, named, title
from thaw.cli.launch import launch
from thaw.cli.worker import outcome, run_job, verb
from thaw.errors import ConfigError, DivergedError, StorageError
from thaw.job.finished import DIVERGED, complaint, diverged, finished
from thaw.report.words import number
from thaw.storage import write_text
from thaw.track.folder import PLANNED
from thaw.track.lock import taking_over
from thaw.track.redact import shown


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
        leads = placed([job.config for job in jobs], compose.multirun, given.only)
        limit = jobs[0].config.trainer.time_limit if command != "tokenizer" else None
        with time_limit(limit), taking_over(given.take_over), as_command(command, argv):
            if compose.multirun and given.only is None:
                return sweep(command, jobs, compose.launcher, settled)
            return single(command, jobs[(given.only or 1) - 1], leads)


def single(command: str, job: Job, leads: bool = True) -> int:
    """Run one combination; its error is the command's. Of the processes of a run the one that ``leads`` tells of it."""
    row = job.row
    if job.diverged is not None:
        raise DivergedError(
            f"{job.diverged.removeprefix(DIVERGED).strip()} (before, {job.folder}); --retry tries it again"
        )
    if row is None:
        row = verb(command)(job.config)
        if leads:
            print(f"{outcome(row)}, {row.get('out') or job.folder}")
            if lost := complaint(job.folder):
                raise StorageError(lost)
    elif leads:
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
    failed, stopped, lost = list[Job](), set[int](), list[str]()
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
                parent=os.getpid(),
            )
        )
        refuse(runner, [job.config for job in pending])
        outcomes = launch(runner, pending, labels)
        failed = [job for one, job in zip(outcomes, pending, strict=True) if one.row is None and not _done(job)]
        stopped = {job.number for one, job in zip(outcomes, pending, strict=True) if one.interrupted}
        lost = [text for one, job in zip(outcomes, pending, strict=True) if one.row and (text := complaint(job.folder))]
        if "submitit" in type(runner).__module__:  # its jobs print into files
            print("\n".join(one.line for one in outcomes))
    if command == "transfer":
        from thaw.report import summary

        for root in dict.fromkeys(job.folder.parent for job in jobs if job.folder.exists()):
            summary.show(root)
    halted = sum(job.number in stopped for job in failed)
    diverging = before + sum(diverged(job.folder) is not None for job in failed)
    broken = len(failed) + before - diverging - halted
    told = [f"{broken} of {number(len(jobs), 'run')} failed, the same command tries them again"] if broken else []
    told += [f"{halted} of {number(len(jobs), 'run')} interrupted, the same command continues them"] if halted else []
    told += [f"{diverging} of {number(len(jobs), 'run')} diverged, only --retry tries them again"] if diverging else []
    told += [shown(lost[0]) + (f", and so for {number(len(lost) - 1, 'run')} more" if lost[1:] else "")] if lost else []
    if told:
        print(f"{'error' if broken or halted or not settled else 'note'}: {'; '.join(told)}", file=sys.stderr)
    if broken or halted or (diverging and not settled):
        return 1
    return StorageError.exit_code if lost and not settled else 0


def _done(job: Job) -> bool:
    """Return whether a run that failed here was finished by another process that had it in hand."""
    return bool(finished(job.folder, job.config))
