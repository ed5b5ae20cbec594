"""What W&B wrote of a run to disk: found, set aside while a better one is made, removed; and whether there is room."""

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOM = 1 << 16  # bytes; with less W&B can not end a recording
_ASIDE = "lost-"
_FATAL = "filestream: fatal error: "


def recordings(folder: Path, identity: str) -> list[Path]:
    """Return the recordings in a folder ``wandb`` of the W&B run ``identity``, a folder each."""
    found = [*folder.glob("run-*"), *folder.glob("offline-run-*")]
    return [one for one in found if one.name.endswith(f"-{identity}") and one.is_dir()]


@contextlib.contextmanager
def aside(folders: Iterable[Path]) -> Iterator[None]:
    """Rename recordings so that nothing takes them for one, and remove them; an exception puts them back."""
    moved = []
    for one in folders:
        with contextlib.suppress(OSError):
            moved.append((one, one.rename(one.with_name(_ASIDE + one.name))))
    try:
        yield
    except BaseException:
        for one, there in moved:
            with contextlib.suppress(OSError):
                there.rename(one)
        raise
    remove(there for _, there in moved)


def remove(folders: Iterable[Path]) -> None:
    """Remove folders, as far as that is possible."""
    for one in folders:
        shutil.rmtree(one, ignore_errors=True)


def refusal(recording: Path) -> str | None:
    """Return why the server took no more of an online recording, None if it took all.

    W&B's log is the only one to know: its ``finish`` returns as if nothing were (wandb 0.31.0, 2026-11).
    """
    with contextlib.suppress(OSError):
        for line in (recording / "logs" / "debug-internal.log").read_text("utf-8", errors="replace").splitlines():
            if _FATAL in line:
                return line.partition(_FATAL)[2].partition(" url=")[0].strip(': "\\')
    return None


def room(folder: Path) -> bool:
    """Return whether a little can be written below a folder; W&B does not tell when its own writing fails.

    A link is no folder: what W&B writes would lie wherever it leads.
    """
    if folder.is_symlink():
        return False
    probe = folder / f".room-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(bytes(ROOM))
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return True
