"""Runs that train in several processes: who starts those, and what can not be. No torch until one has run."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from thaw.errors import ConfigError
from thaw.train.world import own_task, world


def processes(config: Any) -> int:
    """Return the number of processes a run trains in."""
    return config.trainer.devices * config.trainer.num_nodes if hasattr(config, "trainer") else 1


def placed(configs: Sequence[Any], sweep: bool, only: int | None) -> bool:
    """Return whether this process is the one of its run that tells of it.

    ConfigError where a launcher has started another number of processes than the runs have, or those of a whole sweep.
    """
    trainers = [config.trainer for config in configs if hasattr(config, "trainer")]
    if only is not None and all(processes(config) == 1 for config in configs):
        own_task()
    places = [world(trainer) for trainer in trainers]
    if sweep and only is None and any(place.started for place in places):
        raise ConfigError(
            "a sweep starts the processes of its runs itself: leave out srun or torchrun, or add --only N"
        )
    return all(place.leads for place in places)


def refuse(runner: Any, configs: Sequence[Any]) -> None:
    """Raise ConfigError where the launcher of a sweep can not start as many processes as its runs have."""
    sizes = {processes(config) for config in configs}
    if type(runner).__name__ == "SlurmLauncher":  # submitit's: a task a process
        tasks = (runner.params.get("tasks_per_node") or 1) * (runner.params.get("nodes") or 1)
        if other := sizes - {tasks}:
            asked = f"hydra.launcher.tasks_per_node x hydra.launcher.nodes is {tasks}"
            raise ConfigError(f"trainer.devices x trainer.num_nodes is {min(other)}, {asked}: make them equal")
    elif type(runner).__name__ != "BasicLauncher" and sizes != {1}:
        raise ConfigError("several devices in a sweep need hydra/launcher=basic, or trainer.devices=1")


@contextmanager
def as_command(command: str, words: Sequence[str]) -> Iterator[None]:
    """Make ``thaw COMMAND WORDS`` the command of this process, which is started again for each further device.

    Else a stage of `thaw study` would start the whole study.
    """
    before = sys.argv
    sys.argv = [before[0], command, *words]
    try:
        yield
    finally:
        sys.argv = before


@contextmanager
def own_process_group(number: int) -> Iterator[None]:
    """Make the command that Lightning starts again for each further device one of this job alone.

    What it leaves in the environment is taken out again, else the next job would take itself for one of them.
    """
    words, environment = sys.argv, dict(os.environ)
    sys.argv = [*words, "--only", str(number)]
    try:
        yield
    finally:
        from thaw import build

        build.leave_process_group()
        sys.argv = words
        os.environ.clear()
        os.environ.update(environment)
