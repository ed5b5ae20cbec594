"""Which process holds a file or runs a folder: a process id alone is not enough, ids are given out again.

In a container the first process has the same small id after every start, so an id counts with the time of its start.
Also of what a process died, and whether the one that started this one lives.

Decision: whether the parent lives is asked once a second, with what every system has. Linux alone could send a signal
at its death (prctl), and would send it when the thread ends that has started the child, too.
"""

import functools
import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

_PROC = Path("/proc")
_WATCHED: set[int] = set()  # parents that threads of this process watch


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def process_start(pid: int) -> str | None:
    """Return a text that names the process ``pid`` of this machine for good (boot and start time), None if dead."""
    if (_PROC / "self/stat").exists():
        try:
            stat = (_PROC / f"{pid}/stat").read_text(encoding="utf-8", errors="replace")
            boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()  # after the name, which may hold blanks and brackets
        return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"  # field 22 of proc(5): start time in ticks
    return _start_by_ps(pid)


def is_alive(pid: int, start: str | None) -> bool:
    """Return whether the process ``pid`` of this machine lives and is the one that started at ``start``.

    ``pid`` is what a file says: anything but a number is no process, and no path.
    """
    now = process_start(pid) if type(pid) is int else None
    return now is not None and (start is None or start == now)


def own_start() -> str | None:
    """Return `process_start` of this process."""
    return process_start(os.getpid())


def own_mark() -> str:
    """Return 8 hexadecimal digits that tell this process from others of its id, for the names of files."""
    return _own_mark(os.getpid())


def has_mark(pid: int, mark: str) -> bool:
    """Return whether the process ``pid`` of this machine lives and is the one whose `own_mark` is ``mark``."""
    start = process_start(pid)
    return start is not None and _digits(start) == mark


@functools.lru_cache(maxsize=2)  # by id: a fork is another process
def _own_mark(pid: int) -> str:
    return _digits(process_start(pid) or "")


def _digits(start: str) -> str:
    return hashlib.sha256(start.encode()).hexdigest()[:8]


def stopped_by(code: int) -> signal.Signals | None:
    """Return the signal after which a process ended in order, by its exit code 128 + n; None for any other code."""
    return signal.Signals(code - 128) if code - 128 in set(signal.Signals) else None


def died(code: int) -> str:
    """Return of what a process died, by its exit code as Python has it: "was killed by SIGKILL, ..."."""
    if code >= 0:
        return f"ended with code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"was killed by {name}" + (", as the kernel does when memory is short" if name == "SIGKILL" else "")


def watch_parent(parent: int, gone: Callable[[str], object]) -> None:
    """Call ``gone`` with words for it, in a thread, once the process ``parent`` is not this one's parent any more."""
    if parent in _WATCHED:
        return
    _WATCHED.add(parent)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        gone(f"the process that started this one (pid {parent}) is gone")

    threading.Thread(target=watch, name="thaw-parent", daemon=True).start()


def _start_by_ps(pid: int) -> str | None:
    try:
        listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return listed.stdout.strip() or None
