"""What a living process uses is not removed."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from thaw.errors import StorageError
from thaw.hold import Hold, hold, is_held, remove

HOLDER = """
import sys
from thaw.hold import hold
held = hold(sys.argv[1])
print("held" if held else "none", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two files, last used long ago."""
    made = tmp_path / "made"
    made.mkdir()
    for name in ("meta.json", "ids.bin"):
        (made / name).write_text("{}")
    os.utime(made, (1e9, 1e9))
    return made


@pytest.fixture
def other(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the folder's file."""
    command = [sys.executable, "-c", HOLDER, str(folder / "meta.json")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_folder_stays_while_another_process_holds_it(folder: Path, other: "subprocess.Popen[str]") -> None:
    assert is_held(folder / "meta.json")
    assert not remove(folder, "meta.json")
    assert sorted(path.name for path in folder.iterdir()) == ["ids.bin", "meta.json"]
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert not is_held(folder / "meta.json")
    assert remove(folder, "meta.json")
    assert list(folder.parent.iterdir()) == []


def test_several_hold_at_once_and_the_last_one_decides(folder: Path) -> None:
    first, second = hold(folder / "meta.json"), hold(folder / "meta.json")
    assert isinstance(first, Hold)
    assert isinstance(second, Hold)
    first.release()
    assert not remove(folder, "meta.json")
    del second
    assert remove(folder, "meta.json")


def test_holding_notes_the_time_of_use(folder: Path) -> None:
    hold(folder / "meta.json", note=False)
    assert folder.stat().st_mtime == 1e9
    hold(folder / "meta.json")
    assert folder.stat().st_mtime > time.time() - 60


def test_what_is_not_there_is_neither_held_nor_in_the_way(folder: Path) -> None:
    assert hold(folder / "absent") is None
    assert hold(folder / "absent" / "absent") is None
    assert remove(folder, "absent")  # half written: nobody can be using it
    assert remove(folder, "meta.json")
    assert not folder.exists()


def test_who_waited_for_what_was_then_removed_holds_nothing(folder: Path) -> None:
    found: list[Hold | None] = []
    with open(folder / "meta.json") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = threading.Thread(target=lambda: found.append(hold(folder / "meta.json")))
        waiting.start()
        time.sleep(0.05)
        shutil.rmtree(folder)
    waiting.join(timeout=60)
    assert found == [None]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may remove everything")
def test_a_folder_that_may_not_be_removed_is_told_in_one_line(folder: Path) -> None:
    folder.parent.chmod(0o500)
    try:
        with pytest.raises(StorageError, match=r"cannot remove .*: Permission denied, remove it by hand"):
            remove(folder, "meta.json")
    finally:
        folder.parent.chmod(0o700)
