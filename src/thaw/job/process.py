"""One process of a run while it lasts: its place among the others, and what may end it. No torch here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from thaw.process import watch_parent
from thaw.train.config import TrainerConfig
from thaw.train.interrupt import Stop, stoppable
from thaw.train.world import FIRST, World, world


@contextmanager
def process(config: TrainerConfig) -> Iterator[tuple[World, Stop]]:
    """Give this process' place in a run and its `Stop` for the length of the run; end it then if a signal was noted."""
    here = world(config)
    with stoppable() as stop:
        with stop.job():
            stop.worker = stop.worker or here.started
            if FIRST in os.environ:  # without the first process this one has nobody to work for, and nothing to record
                watch_parent(int(os.environ[FIRST]), lambda why: os._exit(1))
            elif here.started:  # one that ended now would let the others wait for it
                stop.note()
            yield here, stop
        stop.leave()
