"""One owner a run folder: a lock of the operating system on a file that says who holds it.

Decisions: ``flock`` and not the existence of a file, so that a killed process leaves no stale lock; the file stays,
for removing it would let two processes lock two files of one name; where a file system knows no locks, exclusive
creation of a second file takes its place, with the process id to tell a stale one.
"""

import contextlib
import errno
import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from thaw.errors import StorageError
from thaw.storage import told
from thaw.track.process import is_alive, own_start

_UNSUPPORTED = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}


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
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
            try:
                mine = self._flock(descriptor)
                if not mine:
                    raise StorageError(_taken(what, self.path))
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, _holder().encode(), 0)
            except BaseException:
                os.close(descriptor)
                raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # closing drops the lock whatever becomes of the text
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None
        if self._exclusive is not None:
            self._exclusive.unlink(missing_ok=True)
            self._exclusive = None

    def _flock(self, descriptor: int) -> bool:
        import fcntl  # not on Windows; reading run folders works there

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                return self._create()
            if isinstance(error, BlockingIOError) or error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise
        return True

    def _create(self) -> bool:
        """Take the lock by creating a file exclusively; take over the file of a dead process of this machine."""
        path = self.path.with_name(self.path.name + ".owner")
        for _ in range(2):
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                holder = _read(path)
                same = holder.get("host") == (socket.gethostname() or "host")
                if not same or is_alive(holder["pid"], holder.get("process")):
                    return False
                stale = path.with_name(f"{path.name}.stale-{os.getpid()}")
                with contextlib.suppress(FileNotFoundError):  # rename, not unlink: only one of two takes it away
                    os.rename(path, stale)
                    stale.unlink(missing_ok=True)
                continue
            with os.fdopen(descriptor, "w") as file:
                file.write(_holder())
            self._exclusive = path
            return True
        return False


def _holder() -> str:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    host = socket.gethostname() or "host"
    return json.dumps({"pid": os.getpid(), "host": host, "process": own_start(), "since": now})


def _taken(what: Path, path: Path) -> str:
    holder = _read(path)
    who = f"pid {holder.get('pid', '?')} on host {holder.get('host', '?')} since {holder.get('since', '?')}"
    return f"{what} is already being run by {who}, wait for it or choose another name"


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        holder = json.loads(path.read_text())
        if isinstance(holder, dict):
            return holder
    return {}
