"""How a command ends early: the workers of a sweep are told and waited for; a time limit is a SIGTERM to itself."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

from thaw.train.budget import parse_time
from thaw.train.interrupt import PATIENCE, end_self


def pass_on() -> None:
    """Ask the worker processes of this one to stop and wait until they have: else they would be killed at once."""
    from multiprocessing import active_children

    children, end = active_children(), time.monotonic() + PATIENCE
    for child in children:
        with contextlib.suppress(OSError, TypeError):  # gone meanwhile
            os.kill(child.pid, signal.SIGTERM)  # type: ignore[arg-type]
    for child in children:
        child.join(max(0.0, end - time.monotonic()))


@contextlib.contextmanager
def time_limit(limit: str | None) -> Iterator[None]:
    """Send this process SIGTERM when the block takes longer than ``limit`` ("1h30m"); None: never."""
    if limit is None:
        yield
        return

    def stop() -> None:
        with contextlib.suppress(OSError):
            print(f"trainer.time_limit={limit} is over", file=sys.stderr, flush=True)
        end_self(f"trainer.time_limit={limit} is over")

    timer = threading.Timer(parse_time(limit, "trainer.time_limit"), stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
