"""One owner a run folder: a lock of the operating system on a file that says who holds it.

Decisions: ``flock`` and not the existence of a file, so that a killed process leaves no stale lock; the file stays,
for removing it would let two processes lock two files of one name; where a file system knows no locks, exclusive
creation of a second file takes its place, with the process to tell a stale one. Whether a process of another host is
gone nobody here can tell, so its lock is taken only when the user says so (``--take-over``); the lock of a process that
lives on this host never is.
"""

import contextlib
import errno
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thaw.errors import StorageError
from thaw.process import is_alive, own_start
from thaw.storage import told
from thaw.track.plain import printable

TAKE_OVER = "take the lock of a process that is gone where that can not be told from here: another host, no locks"
_ASKED = "THAW_TAKE_OVER"  # in the environment, so that the workers of a sweep know it too
_TAKING_SECONDS = 60.0  # taking over takes milliseconds
_UNSUPPORTED = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}


@contextlib.contextmanager
def taking_over(wanted: bool) -> Iterator[None]:
    """Let this process and those that it starts take locks over, for the length of the block."""
    before = os.environ.get(_ASKED)
    if wanted:
        os.environ[_ASKED] = "1"
    try:
        yield
    finally:
        if wanted and before is None:
            os.environ.pop(_ASKED, None)


class Lock:
    """An exclusive lock on the file ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._exclusive: Path | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self, what: Path) -> None:
        """Take the lock of the folder ``what``, at once or StorageError with the holder."""
        if self.held:
            raise StorageError(f"{what} is already being run by this process, choose another name")
        with told(self.path):
            taken = self._acquire()
            if taken is not None and os.environ.get(_ASKED):
                holder = _read(taken)
                with _alone(what, taken):
                    _take_over(what, taken, holder)
                    taken = self._acquire()
        if taken is not None:
            raise StorageError(_taken(what, taken, _read(taken)))

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # closing drops the lock whatever becomes of the text
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None
        if self._exclusive is not None:
            holder, own = _read(self._exclusive), json.loads(_holder())
            if all(holder.get(key) == own[key] for key in ("pid", "host", "process")):  # else another took it over
                self._exclusive.unlink(missing_ok=True)
            self._exclusive = None

    def _acquire(self) -> Path | None:
        """Take the lock; return the file that says who has it where that is another one."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            taken = self._flock(descriptor)
            if taken is None:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, _holder().encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        if taken is None:
            self._descriptor = descriptor
        else:
            os.close(descriptor)
        return taken

    def _flock(self, descriptor: int) -> Path | None:
        import fcntl  # not on Windows; reading run folders works there

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                return self._create()
            if isinstance(error, BlockingIOError) or error.errno in (errno.EACCES, errno.EAGAIN):
                return self.path
            raise
        return None

    def _create(self) -> Path | None:
        """Take the lock by creating a file exclusively; take over the file of a dead process of this machine."""
        path = self.path.with_name(self.path.name + ".owner")
        for _ in range(2):
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                holder = _read(path)
                if holder.get("host") != _host() or _lives_here(holder):
                    return path
                _put_aside(path, holder)
                continue
            with os.fdopen(descriptor, "w") as file:
                file.write(_holder())
            self._exclusive = path
            return None
        return path


@contextlib.contextmanager
def _alone(what: Path, path: Path) -> Iterator[None]:
    """Let one process at a time take a lock over; StorageError for the others."""
    guard = path.with_name(f"{path.name}.taking")
    with contextlib.suppress(OSError):
        if time.time() - guard.stat().st_mtime > _TAKING_SECONDS:  # of a process that was killed meanwhile
            guard.unlink()
    try:
        os.close(os.open(guard, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError as error:
        raise StorageError(f"{what} is being taken over by another process, wait for it") from error
    try:
        yield
    finally:
        guard.unlink(missing_ok=True)


def _take_over(what: Path, path: Path, holder: dict[str, Any]) -> None:
    """Put the file of a lock aside whose holder the user calls gone; StorageError where it lives on this host."""
    if _lives_here(holder):
        raise StorageError(
            f"{what} is being run by pid {holder['pid']} on this host, which lives: end it or choose another name"
        )
    if not _put_aside(path, holder):
        raise StorageError(f"{what} was taken over by another process meanwhile, wait for it or choose another name")
    print(f"note: took over {path} of {_who(holder)}", file=sys.stderr, flush=True)


def _put_aside(path: Path, holder: dict[str, Any]) -> bool:
    """Take away the file of the lock that ``holder`` had; False where it is someone else's by now, who keeps it."""
    aside = path.with_name(f"{path.name}.stale-{os.getpid()}")
    try:
        os.rename(path, aside)  # and not unlink: of two processes only one takes it
    except FileNotFoundError:
        return False
    same = _read(aside) == holder
    if not same:
        with contextlib.suppress(OSError):
            os.link(aside, path)
    aside.unlink(missing_ok=True)
    return same


def _host() -> str:
    return socket.gethostname() or "host"


def _holder() -> str:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({"pid": os.getpid(), "host": _host(), "process": own_start(), "since": now})


def _lives_here(holder: dict[str, Any]) -> bool:
    """Whether a lock is held by a process of this host that lives; its start counts, for ids are given out again."""
    return holder.get("host") == _host() and is_alive(holder.get("pid", 0), holder.get("process"))


def _taken(what: Path, path: Path, holder: dict[str, Any]) -> str:
    line = f"{what} is already being run by {_who(holder)}, wait for it or choose another name"
    if _lives_here(holder):
        return line
    return f"{line}; if that process is gone, --take-over takes its lock, the file {path}"


def _who(holder: dict[str, Any]) -> str:
    pid, host, since = (printable(str(holder.get(name, "?"))) for name in ("pid", "host", "since"))
    return f"pid {pid} on host {host} since {since}"


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, RecursionError):
        holder = json.loads(path.read_text())
        if isinstance(holder, dict):
            return holder
    return {}
