"""A finished run that has to be trained or scored again does so beside its result, which stands until the new one does.

That is a pretraining that is to keep more checkpoints on the way, a transfer whose weights are to be kept, or whose
test set is to be scored and whose weights are gone. The new run is a run folder of its own inside the old one, hidden,
with the same id: ``<run id>/.again/<run id>/``; W&B records in the old one, where its files will stay. It is
interrupted and goes on like any other. Once it is whole, what it has made is brought in piece by piece, the status
last; a process that dies meanwhile leaves the new run as it is, and whoever asks for the run next brings it in. No
torch here.
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from thaw.storage import discard, replace_folder, write_bytes
from thaw.track.folder import BEST, CHECKPOINT, CONFIG, LINEAGE, METRICS, PREDICTIONS, RESULT, STATUS, RunFolder

WAIT_SECONDS = 60.0
AGAIN, STEPS, PLAN = ".again", "steps.json", "plan.txt"
STANDING = (LINEAGE, METRICS, PREDICTIONS, RESULT, BEST, PLAN, STEPS)  # a finished run, beside config and status


def place(path: Path) -> Path:
    """Return where a run writes: its folder, or beside its result where that folder holds a finished one."""
    return _new(path) if RunFolder(path).state() == "finished" else path


def waits(path: Path) -> bool:
    """Return whether a whole new run lies beside a result and has to be brought in."""
    return _new(path).is_dir() and RunFolder(_new(path)).state() == "finished"


@contextlib.contextmanager
def beside(home: RunFolder) -> Iterator[RunFolder]:
    """Give the folder to write to, owned: ``home``, which is, or one beside its finished result.

    A run that ends beside a result is brought in. One that fails leaves the result, with its status, as it was.
    """
    if home.state() != "finished":
        yield home
        return
    home.stands()
    new = _new(home.path)
    with RunFolder(new) as folder:
        if (home.path / STEPS).is_file() and not (new / STEPS).exists():  # of a budget of time: the same steps again
            write_bytes(new / STEPS, (home.path / STEPS).read_bytes())
        yield folder
    if folder.state() == "finished":
        _bring_in(home.path)


def settle(path: Path, leads: bool = True) -> None:
    """Bring in what a process left that died when its new run was whole; the others of a run wait for the first one."""
    end = time.monotonic() + WAIT_SECONDS
    while not leads and waits(path) and time.monotonic() < end:
        time.sleep(0.1)
    if leads and waits(path):
        home = RunFolder(path).open()
        try:
            _bring_in(path)
        finally:
            home.close()


def copy(home: Path, folder: Path) -> None:
    """Give a new run what the finished one consists of, so that it can be completed without training."""
    if home != folder:
        for name in STANDING:
            _copy(home / name, folder / name)


def _new(path: Path) -> Path:
    return path / AGAIN / path.name


def _bring_in(path: Path) -> None:
    """Put what a whole new run has made in the place of what was there; the same again changes nothing more."""
    new = _new(path)
    for kept in sorted((new / "checkpoints").glob("[!.]*")):
        replace_folder(kept, path / "checkpoints" / kept.name)
    if (new / CHECKPOINT).is_dir():
        replace_folder(new / CHECKPOINT, path / CHECKPOINT)
    for name in (CONFIG, *STANDING, STATUS):
        _copy(new / name, path / name)
    discard(path / AGAIN)


def _copy(source: Path, target: Path) -> None:
    """Make a file what another one is, absent where that is absent."""
    if source.is_file():
        write_bytes(target, source.read_bytes())
    else:
        target.unlink(missing_ok=True)
