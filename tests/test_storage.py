"""Files and folders are the old ones or the new ones, whatever happens between."""

import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from thaw.errors import StorageError
from thaw.process import own_mark
from thaw.storage import atomic_folder, leftovers, recover, replace_folder, sha256_file, sweep, told, write_text

DIES = """
import os, sys
from thaw import storage
rename, calls = os.rename, []
def stop(source, target):
    calls.append(source)
    if len(calls) == int(sys.argv[2]):
        os._exit(9)
    rename(source, target)
storage.os.rename = stop
with storage.atomic_folder(sys.argv[1]) as folder:
    (folder / "a").write_text("new")
"""


def test_replaces_a_folder_as_a_whole(tmp_path):
    target = tmp_path / "target"
    with atomic_folder(target) as folder:
        (folder / "a").write_text("old")
        (folder / "b").write_text("old")
    with atomic_folder(target) as folder:
        (folder / "a").write_text("new")
        assert (target / "b").read_text() == "old"
    assert [path.name for path in target.iterdir()] == ["a"]
    assert (target / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_an_exception_leaves_the_old_folder(tmp_path):
    target = tmp_path / "target"
    with atomic_folder(target) as folder:
        (folder / "a").write_text("old")

    def fail():
        with atomic_folder(target) as folder:
            (folder / "a").write_text("new")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert (target / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


@pytest.mark.parametrize("at", [1, 2])
def test_a_process_that_dies_between_the_renames_loses_nothing(tmp_path, at):
    target = tmp_path / "target"
    with atomic_folder(target) as folder:
        (folder / "a").write_text("old")
    assert subprocess.run([sys.executable, "-c", DIES, str(target), str(at)], check=False).returncode == 9
    assert target.exists() == (at == 1)
    recover(target)
    assert (target / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_leftovers_of_living_processes_stay(tmp_path):
    parent = tmp_path / f".target.new-{socket.gethostname()}-{os.getppid()}-1-00000000"
    elsewhere = tmp_path / ".target.new-another-host-1-1-00000000"
    parent.mkdir()
    elsewhere.mkdir()
    recover(tmp_path / "target")
    assert parent.is_dir()
    assert elsewhere.is_dir()
    os.utime(elsewhere, (0, 0))
    recover(tmp_path / "target")
    assert not elsewhere.exists()


def aside(folder: Path, process: str, host: str | None = None, kind: str = "old") -> Path:
    """Leave what a process had moved aside from ``folder/target``."""
    entry = folder / f".target.{kind}-{host or socket.gethostname()}-{process}-7-00000000"
    entry.mkdir()
    (entry / "a").write_text("old")
    return entry


@pytest.mark.parametrize("pid", [os.getppid(), os.getpid()], ids=["of a neighbour", "of this process"])
def test_an_id_that_was_given_out_again_is_another_process(pid: int, tmp_path: Path) -> None:
    """In a container every start has the same few ids: what was moved aside was never put back."""
    entry = aside(tmp_path, f"{pid}.0badc0de")
    assert leftovers(tmp_path) == []  # it is to be put back, not to be removed
    recover(tmp_path / "target")
    assert (tmp_path / "target" / "a").read_text() == "old"
    assert not entry.exists()


def test_a_process_that_lives_is_known_by_its_start(tmp_path: Path) -> None:
    entry = aside(tmp_path, f"{os.getpid()}.{own_mark()}")  # of another thread
    recover(tmp_path / "target")
    assert entry.exists()
    with atomic_folder(tmp_path / "other") as folder:
        assert f"-{os.getpid()}.{own_mark()}-" in folder.name


def test_who_has_the_lock_need_not_wait_a_day_for_another_host(tmp_path: Path) -> None:
    entry, living = aside(tmp_path, "1.0badc0de", "gone"), aside(tmp_path, str(os.getppid()), kind="new")
    sweep(tmp_path)
    assert entry.exists()
    sweep(tmp_path, owned=True)
    assert (tmp_path / "target" / "a").read_text() == "old"
    assert living.exists()


def test_a_folder_takes_the_place_of_another_or_both_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("new", "target"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
    rename = os.rename

    def full(source: Path, target: Path) -> None:
        if source == tmp_path / "new":
            raise OSError(28, "No space left on device")
        rename(source, target)

    with monkeypatch.context() as patched:
        patched.setattr("thaw.storage.os.rename", full)
        with pytest.raises(StorageError, match="No space left"):
            replace_folder(tmp_path / "new", tmp_path / "target")
    assert [(tmp_path / name / "a").read_text() for name in ("new", "target")] == ["new", "target"]
    replace_folder(tmp_path / "new", tmp_path / "target")
    assert (tmp_path / "target" / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_the_error_of_another_library_says_the_same(tmp_path: Path) -> None:
    class Rust(Exception):
        pass

    def fail() -> None:
        with told(tmp_path, Rust):
            raise Rust("Error while serializing: I/O error: File too large (os error 27)")

    with pytest.raises(StorageError, match=r"cannot write .*: File too large, free space or choose another folder"):
        fail()


def test_text_is_replaced_and_the_disk_is_told_in_one_line(tmp_path):
    path = tmp_path / "folder" / "text"
    write_text(path, "é")
    write_text(path, "è\n")
    assert path.read_bytes() == "è\n".encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["text"]
    assert sha256_file(path) == hashlib.sha256("è\n".encode()).hexdigest()
    with pytest.raises(StorageError, match=r"cannot write .*(File exists|Not a directory)"):
        write_text(path / "below", "x")
    with pytest.raises(StorageError, match="a file has that name"), atomic_folder(path):
        pass
