"""A signal ends a run between two steps, after its state is saved. No torch here.

Decisions:
* One `Stop` listens in a process, for whoever asked first: the command line, else a job that another program started.
* While nothing is learnt a signal ends the process at once; from the first step on it is noted, and the run ends after
  the step, when its state is saved. A later second signal ends the process at once: the states before stay.
* Signals within a moment are one: a process group gets two from `timeout`, from a terminal and its first process.
* A handler that was there before is called last, when all is recorded: submitit's puts its job into the queue again.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import current_process
from types import FrameType
from typing import Any

from thaw.errors import StorageError

MOMENT = 1.0  # seconds
PATIENCE = 25.0  # seconds that a worker has to save its state: its parent waits for it, and Slurm kills after 30
PREEMPTION = "SUBMITIT_PREEMPT_SIGNAL"  # names, without SIG, the signal by which submitit's jobs are pre-empted
ALWAYS = ("SIGTERM", "SIGINT")
UNLESS_IGNORED = ("SIGHUP", "SIGUSR1", "SIGUSR2")  # nohup and `trap '' USR1` ask for it


class Interrupted(SystemExit):
    """A signal stopped the process, exit code 128 + its number; no failure, so ``except Exception`` lets it pass.

    ``over`` says that nobody will start the job again: an earlier handler has refused to. ``lost`` says that the run
    left without any state, as the disk took none: the exit code is that of storage then.
    """

    def __init__(self, number: int, words: str = "", over: bool = False, lost: bool = False) -> None:
        super().__init__(StorageError.exit_code if lost else 128 + number)
        self.number, self.words, self.over = number, words or signal.Signals(number).name, over
        self.remedy = f"the same command {'starts again' if lost else 'continues'}"

    def __str__(self) -> str:
        return self.words


class Stop:
    """Notes the signals that ask this process to end. ``first`` is called at the first one, before anything ends."""

    def __init__(self, first: Callable[[], None] | None = None) -> None:
        self.number = 0  # of the first signal; 0: there was none
        self.facts: list[str] = []  # why it came, where the run stopped
        self.received: list[int] = []
        # Of a worker's two signals one may be its parent's, or its launcher's, which comes when that one can.
        self.worker = current_process().name != "MainProcess"
        self._first, self._since = first, 0.0
        self._noted = self._saving = self._lost = False

    def __str__(self) -> str:
        return ", ".join([*([signal.Signals(self.number).name] if self.number else []), *self.facts])

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal; in the main thread, between two of Python's own instructions."""
        now = time.monotonic()
        self.received.append(number)
        if not self.number:
            self.number, self._since = number, now
            if not self._noted:
                if self._first is not None:
                    self._first()
                raise self.error()
        elif now - self._since > (PATIENCE if self.worker else MOMENT) and not self._saving:
            raise self.error()

    def error(self) -> Interrupted:
        """Return what ends the run."""
        return Interrupted(self.number, str(self), lost=self._lost)

    def note(self) -> None:
        """From now on, until the block of `stoppable` or `job` ends, only note the first signal."""
        self._noted = True

    @contextmanager
    def job(self) -> Iterator[None]:
        """Run one job, at whose end a signal ends the process at once again."""
        self._noted = False
        try:
            yield
        finally:
            self._noted = False

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Let no signal end the process while it saves its state: the run ends right afterwards."""
        self._saving = True
        try:
            yield
        finally:
            self._saving = False

    def agree(self, number: int) -> None:
        """Take over the signal that another process of the run received."""
        if not self.number:
            self.number, self._since = number, time.monotonic()
            self.received.append(number)

    def kept(self, step: int, saved: int) -> None:
        """Say that the run ends at ``step``, and that its newest state is of the step ``saved``, 0 if there is none."""
        if saved == step:
            self.facts.append(f"saved at step {step}")
        elif saved:
            self.facts.append(f"saved at step {saved}, step {step} could not be saved")
        else:
            self._lost = True
            self.facts.append(f"at step {step} no state could be saved")

    def leave(self) -> None:
        """End here if a signal was noted."""
        if self.number:
            raise self.error()

    def hand_on(self, before: Mapping[int, Any]) -> None:
        """Call the handlers that were there before for the signals that came; one that fails has nothing more to do."""
        for number in dict.fromkeys(self.received):
            handler = before.get(number)
            if callable(handler) and handler is not signal.default_int_handler:
                try:
                    handler(number, None)
                except Exception as error:
                    words = f"{self}, {' '.join(str(error).split())}"
                    raise Interrupted(self.number, words, over=True, lost=self._lost) from error


_current: Stop | None = None


@contextmanager
def stoppable(first: Callable[[], None] | None = None, stays: bool = False) -> Iterator[Stop]:
    """Listen to the signals that ask a process to end for the length of the block (main thread only).

    Inside another such block it is that block's `Stop`. With ``stays`` it goes on to listen after a signal, until the
    process ends: the second signal of a moment must not kill what is on its way out.
    """
    global _current
    if _current is not None:
        yield _current
        return
    stop, before = Stop(first), dict[int, Any]()
    main = threading.current_thread() is threading.main_thread()
    if main:  # elsewhere signals stay as they are
        before = {number: signal.signal(number, stop) for number in signals()}
        _current = stop
    try:
        yield stop
    finally:
        if main:
            _current = None
        if not (stays and stop.number):
            for number, handler in before.items():
                signal.signal(number, handler)
        stop.hand_on(before)


def signals() -> list[int]:
    """Return the signals that ask this process to end."""
    wished = os.environ.get(PREEMPTION, "")
    names = [*ALWAYS, *UNLESS_IGNORED, *([f"SIG{wished.removeprefix('SIG')}"] if wished else [])]
    numbers = dict.fromkeys(getattr(signal, name) for name in names if name in signal.Signals.__members__)
    return [number for number in numbers if _ours(number)]


def because(why: str) -> None:
    """Say why the signal will come that is about to be sent to this process."""
    if _current is not None:
        _current.facts.append(why)


def end_self(why: str) -> None:
    """Send this process SIGTERM, from any of its threads."""
    because(why)
    with contextlib.suppress(OSError):
        os.kill(os.getpid(), signal.SIGTERM)


def _ours(number: signal.Signals) -> bool:
    """Whether Python may take a signal: not one that can not be caught, that C code handles, or that is ignored."""
    if number in (getattr(signal, "SIGKILL", None), getattr(signal, "SIGSTOP", None)):
        return False
    handler = signal.getsignal(number)
    return handler is not None and (handler is not signal.SIG_IGN or number.name in ALWAYS)
