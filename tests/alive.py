"""Real processes in tests: wait for what they write, find their children, see whether any is left. Linux alone."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 300.0  # seconds: a machine that does sixteen other things, no measure of anything


def until(done: Callable[[], object], process: "subprocess.Popen[str] | None" = None) -> None:
    """Wait until something is true; fail where the process ends before."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def lines(path: Path) -> int:
    """Return the number of whole lines of a file, 0 where there is none."""
    return path.read_text().count("\n") if path.exists() else 0


def children(parent: int) -> list[int]:
    """Return the processes whose parent is ``parent``."""
    return [pid for pid, fields in _processes() if int(fields[1]) == parent]


def left(group: int) -> list[int]:
    """Return the processes of a group that live."""
    return [pid for pid, fields in _processes() if int(fields[2]) == group and fields[0] not in "ZX"]


@contextmanager
def started(command: list[str], folder: Path, **settings: object) -> Iterator["subprocess.Popen[str]"]:
    """Start a command in a group of its own; what is left of that is killed at the end of the block."""
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        **settings,  # type: ignore[call-overload]
    )  # fmt: skip
    try:
        yield process
    finally:
        for pid in left(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.communicate()


def _processes() -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text(errors="replace")
            except OSError:
                continue
            yield int(folder.name), stat.rpartition(")")[2].split()  # state, parent, group, ...
