"""What W&B writes below a run folder: found, set aside for a better one, removed; and whether there is room."""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from thaw.errors import StorageError

IDENTITY = "mirror.json"  # in the folder wandb/: what W&B knows the run by; a resumed one continues it
ROWS = "rows.json"  # beside it: how many rows W&B was told under that id
FETCHED = "fetched"  # the mode that file names where the run folder is a copy of the W&B run
BESIDE = "wandb-beside"  # where W&B records when there is no room in wandb/
ROOM = 1 << 16  # bytes; with less W&B can not end a recording
_ASIDE = "lost-"
_FATAL = "filestream: fatal error: "


def recordings(folder: Path, identity: str) -> list[Path]:
    """Return the recordings in a folder ``wandb`` of the W&B run ``identity``, a folder each."""
    found = [*folder.glob("run-*"), *folder.glob("offline-run-*")]
    return [one for one in found if one.name.endswith(f"-{identity}") and one.is_dir()]


def places(folder: Path) -> list[Path]:
    """Return the folders ``wandb`` in which the recordings of a run folder may lie."""
    return [folder / "wandb", folder / BESIDE / "wandb"]


def tries(folder: Path, run: str, before: str | None, now: str) -> list[Path]:
    """Return the recordings in a run folder of earlier tries to record the run; links are left alone.

    They have the run's own id in their name, or that of the W&B run ``before``, and are not of the W&B run ``now``.
    """
    own = re.compile(rf".*-{re.escape(run)}-[0-9a-f]{{6}}")
    at = [place for place in places(folder) if not (place.is_symlink() or place.parent.is_symlink())]
    found = [one for place in at for one in (*place.glob("run-*"), *place.glob("offline-run-*")) if one.is_dir()]
    ours = [one for one in found if own.fullmatch(one.name) or (before and one.name.endswith(f"-{before}"))]
    return [one for one in ours if not one.name.endswith(f"-{now}")]


def sent(recording: Path) -> bool:
    """Return whether the server has a recording, or some of it: one that went online, or that was synced."""
    return recording.name.startswith("run-") or any(recording.glob("*.wandb.synced"))


def known(folder: Path, name: str = IDENTITY) -> dict[str, Any]:
    """Return what a folder ``wandb`` says of the W&B run, {} where it says nothing."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        content = json.loads((folder / name).read_text("utf-8"))
        return content if isinstance(content, dict) else {}
    return {}


class Aside:
    """Recordings that are renamed, so that nothing takes them for one, until a better one is there."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._moved: list[tuple[Path, Path]] = []
        for one in folders:
            with contextlib.suppress(OSError):
                self._moved.append((one, one.rename(one.with_name(_ASIDE + one.name))))

    def back(self) -> None:
        """Give them their names again."""
        for one, there in self._moved:
            with contextlib.suppress(OSError):
                there.rename(one)
        self._moved.clear()

    def remove(self) -> None:
        """Remove them."""
        remove(there for _, there in self._moved)
        self._moved.clear()


@contextlib.contextmanager
def aside(folders: Iterable[Path]) -> Iterator[None]:
    """Set recordings aside and remove them; an exception puts them back."""
    moved = Aside(folders)
    try:
        yield
    except BaseException:
        moved.back()
        raise
    moved.remove()


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


def place(folder: Path) -> Path:
    """Return where W&B can record: in the run folder, in a folder of it where ``wandb/`` is full or no folder."""
    if room(folder / "wandb"):
        return folder
    if not room(folder / BESIDE / "wandb"):
        raise StorageError(f"no room in {folder}")
    return folder / BESIDE


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
