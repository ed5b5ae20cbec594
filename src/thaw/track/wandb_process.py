"""W&B inside our process: kept in its corner while a run lasts, gone without a trace afterwards.

Decisions: W&B's side process (wandb-core) serves all runs of this process one after the other; when it stops
answering it is killed, for its own time limits do not hold while it uploads an artifact (wandb 0.31.0, 2026-11); what
it had written to disk by then can still be uploaded with ``wandb sync``.

How long W&B keeps a run waiting is told by a clock of its own. On a busy machine the side process needs minutes of the
wall clock for what takes 0.2 s of the CPU. So W&B's seconds are those of the CPU while anything of W&B computes or
waits for a core, and those of the wall while nothing of it moves: then it waits for a server or a disk, or is stuck.
"""

import contextlib
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from thaw.track import wandb_variables
from thaw.track.wandb_core import THREADS, cpu_seconds, kill_core

QUICK_SECONDS = 0.5
MOST_SECONDS = 120.0  # of the wall clock for one call, whatever the processes seem to do
LONG_SECONDS = "3600"  # W&B's own limit for the start of its side process; ours counts
_TICK = 0.05  # seconds between two looks
_FOLDERS = {"WANDB_DATA_DIR": "data", "WANDB_CACHE_DIR": "cache", "WANDB_ARTIFACT_DIR": "artifacts"}


@contextlib.contextmanager
def surroundings(folder: Path) -> Iterator[None]:
    """Keep W&B's files in ``folder``, and put every ``WANDB_`` variable back afterwards.

    Threads of W&B that lose their side process die silently. What says which run W&B is to make or resume is hidden
    from it, unless its agent says so.
    """
    hook = threading.excepthook
    threading.excepthook = partial(_of_others, hook)
    before = {name: value for name, value in os.environ.items() if name.startswith("WANDB_")}
    os.environ.update({name: str(folder / part) for name, part in _FOLDERS.items()})
    os.environ.update(WANDB_SILENT="true", WANDB_ERROR_REPORTING="false", WANDB__SERVICE_WAIT=LONG_SECONDS)
    for name in (*wandb_variables.hidden(), *wandb_variables.SAID):
        os.environ.pop(name, None)
    try:
        yield
    finally:
        threading.excepthook = hook
        for name in [name for name in os.environ if name.startswith("WANDB_") and name not in before]:
            del os.environ[name]
        os.environ.update(before)


def _of_others(hook: Callable[[threading.ExceptHookArgs], object], failed: threading.ExceptHookArgs) -> None:
    """Tell of a thread's exception unless W&B's own code raised it."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(failed.exc_traceback)]
    if not any(f"{os.sep}wandb{os.sep}sdk{os.sep}" in file for file in files):
        hook(failed)


@contextlib.contextmanager
def own_hooks() -> Iterator[None]:
    """Undo W&B's replacements of ``sys.exit`` and ``sys.excepthook``: it never does, and a sweep would stack them.

    Its log files say nothing on the terminal when they can not be written, now and later.
    """
    before = sys.exit, sys.excepthook, logging.raiseExceptions
    logging.raiseExceptions = False
    try:
        yield
    finally:
        sys.exit, sys.excepthook, logging.raiseExceptions = before
        for handler in logging.getLogger("wandb").handlers:
            handler.handleError = _silent  # type: ignore[method-assign]


def _silent(record: logging.LogRecord) -> None:
    """Say nothing."""


class Call:
    """A call to W&B in a thread of its own, and what it has taken so far."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._failed: list[BaseException] = []
        self._before: float | None = None  # CPU seconds of W&B at the last look
        self.charged = 0.0  # seconds of W&B's clock that were waited
        self.cpu = 0.0  # CPU seconds of W&B between the looks at it
        self._thread = threading.Thread(target=self._do, args=(call,), name=THREADS[0], daemon=True)
        self._thread.start()

    def _do(self, call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:
            self._failed.append(error)

    def wait(self, seconds: float, most: float = MOST_SECONDS) -> bool:
        """Wait for the end for so many seconds of W&B's clock, ``most`` of the wall's; return whether it has come."""
        begun, limit = time.monotonic(), self.charged + seconds
        while True:
            looked = time.monotonic()
            self._thread.join(min(_TICK, max(0.0, limit - self.charged)))
            wall = time.monotonic() - looked
            if not self._thread.is_alive():
                self.charged += wall
                return True
            used, wants = self.look()
            self.charged += min(used, wall) if used or wants else wall
            if self.charged >= limit or time.monotonic() - begun >= most:
                return False

    def ended(self) -> bool:
        """Return whether its end has come, without waiting; what it takes of the CPU meanwhile is counted."""
        running = self._thread.is_alive()
        if running:
            self.look()
        return not running

    def look(self) -> tuple[float, bool]:
        """Return the CPU seconds that W&B took since the last look, and whether it has or wants a core."""
        now, wants = cpu_seconds()
        used = max(0.0, now - (now if self._before is None else self._before))
        self._before, self.cpu = now, self.cpu + used
        return used, wants

    def end(self) -> None:
        """Raise what the call raised; TimeoutError where it still runs, after W&B's side process was killed."""
        if self._thread.is_alive():
            kill_core()
            self._thread.join(1.0)  # the broken connection ends the call
            raise TimeoutError(f"no answer within {max(self.charged, self.cpu):.2g} s")
        if self._failed:
            raise self._failed[0]


def within(seconds: float, call: Callable[[], object]) -> None:
    """Call, and raise what it raises; TimeoutError when it takes more of W&B's seconds."""
    made = Call(call)
    made.wait(seconds)
    made.end()


class Patience:
    """What is left of the seconds that W&B may keep a run waiting; a quick call takes nothing of it."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def spend(self, seconds: float) -> None:
        """Take off the seconds that something took, unless that was quick."""
        if seconds > QUICK_SECONDS:
            self.left -= seconds

    def wait(self, made: Call, seconds: float, most: float = MOST_SECONDS) -> bool:
        """Wait for a call, for no longer than is left; return whether it has ended."""
        before, ended = made.charged, False
        try:
            ended = made.wait(max(0.0, min(seconds, self.left)), most)
        finally:
            taken = made.charged - before
            self.left -= 0.0 if ended and taken <= QUICK_SECONDS else taken
        return ended

    def within(self, seconds: float, call: Callable[[], object]) -> None:
        """Call as `within` does, for no longer than is left."""
        made = Call(call)
        self.wait(made, seconds)
        made.end()


def lost(error: BaseException) -> bool:
    """Return whether a call failed because W&B's side process is gone."""
    from wandb.sdk.mailbox import MailboxClosedError

    return isinstance(error, OSError | MailboxClosedError) and not isinstance(error, TimeoutError)


def forget_run() -> None:
    """After a failure: no W&B run is left open, and the next job starts its own W&B process."""
    wandb = sys.modules.get("wandb")
    if wandb is None:
        return
    kill_core()

    def end() -> None:
        with contextlib.suppress(Exception, SystemExit):  # it exits when its side process was killed
            wandb.teardown(exit_code=1)

    ending = threading.Thread(target=end, name="thaw-wandb", daemon=True)
    ending.start()
    ending.join(2.0)  # a side process that others share is not killed, and may be stuck
    with contextlib.suppress(Exception):
        wandb.sdk.lib.module.unset_globals()
