"""W&B's side process (wandb-core): which one is ours, whether it gets anywhere, and its end."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAME = "wandb-core"
THREADS = ("thaw-wandb", "wandb-")  # how the names of W&B's threads in this process begin
_PROC = Path("/proc")


def core() -> int | None:
    """Return the process id of the side process this process started, None where there is none.

    While it starts only the system knows of it.
    """
    if "wandb" not in sys.modules:
        return None
    with contextlib.suppress(Exception):
        process = _connected()._process
        return int(process.pid) if process.poll() is None else None
    for listed in (_PROC / "self" / "task").glob("*/children"):
        with contextlib.suppress(OSError):
            for pid in listed.read_text("ascii").split():
                if NAME.encode() in (_PROC / pid / "cmdline").read_bytes():
                    return int(pid)
    return None


def kill_core() -> None:
    """Kill the side process this process started; one that others share (``WANDB_SERVICE``) is left alone."""
    pid = core()
    if pid is None:
        return
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(Exception):  # W&B waits for it where it has its handle by now
        _connected()._process.wait(1.0)


def cpu_seconds() -> tuple[float, bool]:
    """Return the CPU seconds of W&B's threads here and in its side process, and whether one has or wants a core.

    Both are those of this moment: a thread that has ended counts no more. 0 and False where there is no ``/proc``.
    """
    found = [one for one in map(_of_thread, _threads()) if one is not None]
    return sum(seconds for seconds, _ in found), any(state == "R" for _, state in found)


def _threads() -> Iterator[Path]:
    """Yield the files in which the system tells of W&B's threads."""
    if (pid := core()) is not None:
        yield from (_PROC / str(pid) / "task").glob("*/stat")
    for thread in threading.enumerate():
        if thread.name.startswith(THREADS) and thread.native_id is not None:
            yield _PROC / "self" / "task" / str(thread.native_id) / "stat"


def _of_thread(path: Path) -> tuple[float, str] | None:
    """Return the CPU seconds of a thread and the letter of its state (proc(5): R computes or waits for a core)."""
    try:
        fields = path.read_text("utf-8", errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), fields[0]
    except (OSError, ValueError, IndexError):
        return None


def _connected() -> Any:
    """Return W&B's handle of its side process; AttributeError where it has none."""
    from wandb.sdk import wandb_setup

    connection: Any = wandb_setup._singleton._connection  # type: ignore[union-attr]
    return connection._proc
