"""W&B inside our process: kept in its corner while a run lasts, gone without a trace afterwards.

Decisions: W&B's side process (wandb-core) serves all runs of this process one after the other; when it stops
answering it is killed, for its own time limits do not hold while it uploads an artifact (wandb 0.31.0, 2026-11); what
it had written to disk by then can still be uploaded with ``wandb sync``.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

QUICK_SECONDS = 0.5
_FOLDERS = {"WANDB_DATA_DIR": "data", "WANDB_CACHE_DIR": "cache", "WANDB_ARTIFACT_DIR": "artifacts"}


@contextlib.contextmanager
def surroundings(folder: Path) -> Iterator[None]:
    """Keep W&B's files in ``folder``, and put every ``WANDB_`` variable back afterwards.

    Threads of W&B that lose their side process die silently.
    """
    hook = threading.excepthook
    threading.excepthook = partial(_of_others, hook)
    before = {name: value for name, value in os.environ.items() if name.startswith("WANDB_")}
    os.environ.update({name: str(folder / part) for name, part in _FOLDERS.items()})
    os.environ.update(WANDB_SILENT="true", WANDB_ERROR_REPORTING="false")
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


def within(seconds: float, call: Callable[[], object]) -> None:
    """Call, and raise what it raises; TimeoutError when it takes longer, after killing W&B's side process."""
    failed: list[BaseException] = []

    def target() -> None:
        try:
            call()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=target, name="thaw-wandb", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _kill_core()
        thread.join(1.0)  # the broken connection ends the call
        raise TimeoutError(f"no answer within {seconds:g} s")
    if failed:
        raise failed[0]


class Patience:
    """What is left of the seconds that W&B may keep a run waiting; a quick call takes nothing of it."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def spend(self, seconds: float) -> None:
        """Take off the seconds that something took, unless that was quick."""
        if seconds > QUICK_SECONDS:
            self.left -= seconds

    def within(self, seconds: float, call: Callable[[], object]) -> None:
        """Call as `within` does, for no longer than is left."""
        begun = time.monotonic()
        try:
            within(max(0.0, min(seconds, self.left)), call)
        finally:
            self.spend(time.monotonic() - begun)


def lost(error: BaseException) -> bool:
    """Return whether a call failed because W&B's side process is gone."""
    from wandb.sdk.mailbox import MailboxClosedError

    return isinstance(error, OSError | MailboxClosedError) and not isinstance(error, TimeoutError)


def forget_run() -> None:
    """After a failure: no W&B run is left open, and the next job starts its own W&B process."""
    wandb = sys.modules.get("wandb")
    if wandb is None:
        return
    _kill_core()

    def end() -> None:
        with contextlib.suppress(Exception, SystemExit):  # it exits when its side process was killed
            wandb.teardown(exit_code=1)

    ending = threading.Thread(target=end, name="thaw-wandb", daemon=True)
    ending.start()
    ending.join(2.0)  # a side process that others share is not killed, and may be stuck
    with contextlib.suppress(Exception):
        wandb.sdk.lib.module.unset_globals()


def _kill_core() -> None:
    """Kill the side process this process started; one that others share (``WANDB_SERVICE``) is left alone."""
    if "wandb" not in sys.modules:
        return
    with contextlib.suppress(Exception):
        from wandb.sdk import wandb_setup

        connection: Any = wandb_setup.singleton()._connection
        process = connection._proc._process
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(1.0)
