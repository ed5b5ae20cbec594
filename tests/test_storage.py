"""Files and folders are the old ones or the new ones, whatever happens between."""

import hashlib
import os
import socket
import subprocess
import sys

import pytest

from thaw.errors import StorageError
from thaw.storage import atomic_folder, recover, sha256_file, write_text

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
