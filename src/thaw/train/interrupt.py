"""SIGINT and SIGTERM end a run between two steps, after its state is saved. No torch here."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(SystemExit):
    """A signal stopped the run after its state was saved; no failure, so ``except Exception`` lets it pass."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


class Stop:
    """Remembers the first SIGINT or SIGTERM, so that a run can end between two steps."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal; a second SIGINT is not waited for."""
        if self.number and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = number

    def leave(self) -> None:
        """End here if a signal came after the last step."""
        if self.number:
            raise Interrupted(self.number)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Turn SIGINT and SIGTERM into a request to stop for the length of the block (main thread only)."""
    stop = Stop()
    try:
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: signals stay as they are
        yield stop
        return
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
