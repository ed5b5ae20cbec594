"""Files and folders that are either the old ones or the new ones, never half of either. No torch here.

Decisions: the new content is written beside its target, so that the rename stays within one file system; everything
is synced before the rename and the parent folder after it; a folder is moved aside before its successor takes its
name, and `recover` puts it back when a crash came between the two renames. What is not finished yet has a name that
says which process is at it: its host, its id, a mark of when it started, its thread.
"""

import contextlib
import functools
import hashlib
import os
import re
import shutil
import socket
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from thaw.errors import StorageError
from thaw.process import has_mark, own_mark

_LEFTOVER = re.compile(
    r"^\.(?P<name>.+)\.(?P<kind>new|old)-(?P<host>.*)"
    r"-(?P<pid>\d+)(?:\.(?P<mark>[0-9a-f]{8}))?-(?P<thread>\d+)-[0-9a-f]{8}$"
)  # names of before 2026-12-01 have no mark
_FROM_RUST = re.compile(r"I/O error: (.+?) \(os error \d+\)")
_STALE_SECONDS = 24 * 3600  # a leftover of another host is swept after a day: its process can not be asked


def sha256_file(path: Path | str) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def crc32_file(path: Path | str) -> str:
    """Return the CRC-32 of a file's bytes, 8 hexadecimal digits: against damage, twice as fast as SHA-256."""
    value = 0
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            value = zlib.crc32(part, value)
    return f"{value:08x}"


def remembered(digest: Callable[[Path], str], path: Path | str) -> str:
    """Return ``digest(path)``; a file is read again only when its size or time changed."""
    found = os.stat(path)
    return _remembered(digest, os.path.abspath(path), found.st_size, found.st_mtime_ns, found.st_ino)


@functools.lru_cache(maxsize=4096)
def _remembered(digest: Callable[[Path], str], path: str, size: int, modified: int, inode: int) -> str:
    return digest(Path(path))


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text so that a reader, or a crash, sees the old file or the new one."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write bytes so that a reader, or a crash, sees the old file or the new one."""
    path = Path(path)
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _beside(path, "new")
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync(path.parent)


@contextlib.contextmanager
def atomic_folder(target: Path | str) -> Iterator[Path]:
    """Give an empty folder beside ``target`` that takes its place when the block ends without an exception.

    The folder that stood there is moved aside, then removed; an exception leaves it untouched. Leftovers of processes
    that died are removed first. A failing disk gives StorageError.
    """
    target = Path(os.path.abspath(target))
    with told(target):
        _make_way(target)
        temporary = _beside(target, "new")
        temporary.mkdir()
    try:
        with told(target):
            yield temporary
            _sync_tree(temporary)
            _swap(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def replace_folder(source: Path | str, target: Path | str) -> None:
    """Give the folder ``source`` of the same file system the name ``target``, in place of the folder that has it.

    A failing disk gives StorageError and leaves both where they were.
    """
    target = Path(os.path.abspath(target))
    with told(target):
        _make_way(target)
        _swap(Path(source), target)


def recover(target: Path | str, *, owned: bool = False) -> None:
    """Finish what a dead process left beside ``target``: put a moved-aside folder back, remove half-written ones.

    ``owned`` says that this process has the lock of the place, so that no process of another host is at work there:
    without it what such a process left stays for a day.
    """
    target = Path(os.path.abspath(target))
    if not target.parent.is_dir():
        return
    leftovers = [(match, entry) for entry in target.parent.iterdir() if (match := _LEFTOVER.match(entry.name))]
    of_target = [(match, entry) for match, entry in leftovers if match["name"] == target.name]
    dead = [(match, entry) for match, entry in of_target if _is_dead(match, entry, owned)]
    if not target.exists():
        previous = [entry for match, entry in dead if match["kind"] == "old"]
        if previous:
            os.rename(max(previous, key=lambda entry: entry.stat().st_mtime), target)
    for _, entry in dead:
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def sweep(folder: Path | str, *, owned: bool = False) -> None:
    """Finish what dead processes left inside ``folder``, whatever its name; ``owned`` is that of `recover`."""
    if Path(folder).is_dir():
        for name in {match["name"] for entry in Path(folder).iterdir() if (match := _LEFTOVER.match(entry.name))}:
            recover(Path(folder, name), owned=owned)


def leftovers(folder: Path | str) -> list[Path]:
    """Return what dead processes left inside ``folder`` and nothing will put back."""
    if not Path(folder).is_dir():
        return []
    found = [(match, entry) for entry in Path(folder).iterdir() if (match := _LEFTOVER.match(entry.name))]
    spare = [(match, entry) for match, entry in found if match["kind"] == "new" or Path(folder, match["name"]).exists()]
    return [entry for match, entry in spare if _is_dead(match, entry)]


def discard(path: Path | str) -> None:
    """Remove a folder or file, if it is there; it gets another name first, so that nobody finds half of it."""
    path = Path(os.path.abspath(path))
    aside = _beside(path, "new")  # half written to whoever finds it after a crash
    try:
        if os.path.lexists(path):
            os.rename(path, aside)
            aside.unlink() if aside.is_symlink() or aside.is_file() else shutil.rmtree(aside)
    except OSError as error:
        raise StorageError(f"cannot remove {path}: {error.strerror or error}, remove it by hand") from error


@contextlib.contextmanager
def told(path: Path | str, *also: type[Exception]) -> Iterator[None]:
    """Turn an OSError of writing ``path`` into one line that says what to do.

    ``also`` are the exceptions that another library has for it: safetensors writes in Rust and has one of its own.
    """
    failures: tuple[type[Exception], ...] = (OSError, *also)
    try:
        yield
    except failures as error:
        raise StorageError(f"cannot write {path}: {_reason(error)}, free space or choose another folder") from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())
    match = _FROM_RUST.search(text)
    return match[1] if match else text


def _make_way(target: Path) -> None:
    """Finish what dead processes left of a folder; StorageError where a file has its name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    recover(target)
    if target.exists() and not target.is_dir():
        raise StorageError(f"cannot write the folder {target}: a file has that name, remove it or choose another")


def _swap(new: Path, target: Path) -> None:
    """Give a folder the name ``target``; the one that had it is moved aside, then removed."""
    previous = _beside(target, "old")
    try:
        if target.exists():
            os.rename(target, previous)
        os.rename(new, target)
        _sync(target.parent)
    except OSError:
        if previous.exists() and not target.exists():
            os.rename(previous, target)
        raise
    finally:
        if target.exists() and previous.is_symlink():  # the target was a link: what it led to stays
            previous.unlink()
        elif target.exists():
            shutil.rmtree(previous, ignore_errors=True)


def _beside(path: Path, kind: str) -> Path:
    host = socket.gethostname() or "host"
    process = f"{os.getpid()}.{own_mark()}"
    return path.parent / f".{path.name}.{kind}-{host}-{process}-{threading.get_ident()}-{uuid.uuid4().hex[:8]}"


def _is_dead(match: re.Match[str], entry: Path, owned: bool = False) -> bool:
    if match["host"] != (socket.gethostname() or "host"):
        with contextlib.suppress(OSError):
            return owned or time.time() - entry.stat().st_mtime > _STALE_SECONDS
        return False
    pid, mark = int(match["pid"]), match["mark"]
    if pid == os.getpid() and mark in (None, own_mark()):
        return int(match["thread"]) == threading.get_ident()  # this thread is here, not in there
    if mark is not None:
        return not has_mark(pid, mark)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _sync_tree(folder: Path) -> None:
    for root, _, names in os.walk(folder):
        for name in names:
            _sync(Path(root, name))
        _sync(Path(root))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
