"""What a living process uses is not removed: a shared lock on a file, for as long as the process needs it.

Decisions: ``flock`` on a file of what is used, so that nothing else lies about and the kernel drops it with the
process; who removes takes that lock alone and gives the folder another name first, so that nobody opens half of one;
the folder's time says when it was last used, for access times are often not kept; where there are no locks nothing is
removed.
"""

import contextlib
import os
import weakref
from collections.abc import Iterator
from pathlib import Path

from thaw.storage import discard


class Hold:
    """A shared lock, dropped with this object."""

    def __init__(self, descriptor: int) -> None:
        self.release = weakref.finalize(self, os.close, descriptor)


def hold(path: Path | str, *, note: bool = True) -> Hold | None:
    """Return a shared lock on the file ``path``, None where there is no such file or no lock.

    ``note`` has its folder say that it was used now.
    """
    while (descriptor := _locked(path, alone=False)) is not None:
        held = Hold(descriptor)
        if _is_still(path, descriptor):
            if note:
                with contextlib.suppress(OSError):  # another user's folder
                    os.utime(os.path.dirname(path))
            return held
        held.release()  # removed while this process waited
    return None


def is_held(path: Path | str) -> bool:
    """Return whether a process uses the file ``path``, or nobody can tell."""
    with _alone(path) as free:
        return not free


def remove(folder: Path, name: str) -> bool:
    """Remove ``folder`` unless a process uses its file ``name``; return whether it is gone. StorageError on failure."""
    with _alone(folder / name) as free:
        if free:
            discard(folder)
    return free


@contextlib.contextmanager
def _alone(path: Path | str) -> Iterator[bool]:
    """Lock a file for this process alone; True if that is done or there is no such file."""
    descriptor = _locked(path, alone=True)
    try:
        yield descriptor is not None or not os.path.lexists(path)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(path: Path | str, alone: bool) -> int | None:
    """Return the descriptor of a file with a lock on it, None where there is none to be had."""
    try:
        import fcntl  # not on Windows

        descriptor = os.open(path, os.O_RDWR if alone else os.O_RDONLY)  # network file systems ask for it
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _is_still(path: Path | str, descriptor: int) -> bool:
    with contextlib.suppress(OSError):
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    return False
