"""A lock whose holder is gone: explained with the name of its file, taken over when the user says so."""

import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from thaw.cli.words import parse
from thaw.errors import StorageError
from thaw.process import own_start
from thaw.track.folder import RunFolder
from thaw.track.lock import Lock, taking_over

HERE = socket.gethostname() or "host"
Write = Callable[..., Path]
HOLDS = """
import fcntl, sys
file = open(sys.argv[1], "r+")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without flock."""

    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refused)


@pytest.fixture
def owner(tmp_path: Path, no_locks: None) -> Write:
    """Return the function that writes the file of an owner where there are no locks."""

    def write(**holder: object) -> Path:
        path = tmp_path / ".lock.owner"
        path.write_text(json.dumps({"since": "2026-11-28T10:00:00Z", **holder}))
        return path

    return write


def refusal(folder: Path) -> str:
    with pytest.raises(StorageError) as refused:
        RunFolder(folder).open()
    return str(refused.value)


def test_without_locks_the_owner_is_a_file(tmp_path: Path, no_locks: None) -> None:
    with RunFolder(tmp_path):
        assert f"already being run by pid {os.getpid()} on host {HERE}" in refusal(tmp_path)
        assert "--take-over" not in refusal(tmp_path)  # it lives
    assert not (tmp_path / ".lock.owner").exists()
    RunFolder(tmp_path).open().close()


@pytest.mark.parametrize("process", ["another boot:1", None])
def test_a_dead_process_of_this_host_is_followed(process: str | None, tmp_path: Path, owner: Write) -> None:
    """An id that was given out again is not the process that had the lock."""
    owner(pid=os.getppid() if process else 2**22 + 1, host=HERE, process=process)
    RunFolder(tmp_path).open().close()


@pytest.mark.parametrize(
    ("holder", "who"),
    [
        ({"pid": 7, "host": "gone", "process": "boot:1"}, "pid 7 on host gone since 2026-11-28T10:00:00Z"),
        ({"pid": "\x1b[31m", "host": "gone"}, "pid \ufffd[31m on host gone"),
        ({}, "pid ? on host ?"),
    ],
)
def test_a_holder_of_whom_nobody_can_tell_is_explained_and_taken_over(
    holder: dict[str, object], who: str, tmp_path: Path, owner: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = owner(**holder)
    said = refusal(tmp_path)
    assert who in said
    assert said.endswith(f"if that process is gone, --take-over takes its lock, the file {path}")
    with taking_over(True), RunFolder(tmp_path):
        assert json.loads(path.read_text())["pid"] == os.getpid()
    assert not path.exists()
    assert capsys.readouterr().err.startswith(f"note: took over {path} of {who}")
    owner(**holder)
    refusal(tmp_path)  # the next one is asked for anew


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"pid": '])
def test_the_file_of_an_owner_who_died_writing_it(content: str, tmp_path: Path, owner: Write) -> None:
    owner().write_text(content)
    assert "--take-over takes its lock" in refusal(tmp_path)
    with taking_over(True):
        RunFolder(tmp_path).open().close()


def test_a_process_that_lives_here_is_never_taken_over(tmp_path: Path, owner: Write) -> None:
    path = owner(pid=os.getpid(), host=HERE, process=own_start())
    with taking_over(True):
        assert f"is being run by pid {os.getpid()} on this host, which lives" in refusal(tmp_path)
    assert path.exists()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    """A lock that another process holds; whoever reads who it is finds another host, as on a network file system."""
    path = tmp_path / ".lock"
    path.write_text(json.dumps({"pid": 7, "host": "gone", "since": "then"}))
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(path)], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield path
        process.kill()


def test_a_lock_of_the_system_is_taken_over_too(tmp_path: Path, held: Path) -> None:
    assert refusal(tmp_path).endswith(f"--take-over takes its lock, the file {held}")
    with taking_over(True):
        folder = RunFolder(tmp_path).open()
        assert f"pid {os.getpid()} on this host, which lives" in refusal(tmp_path)  # now it is ours
    assert "wait for it or choose another name" in refusal(tmp_path)
    folder.close()
    RunFolder(tmp_path).open().close()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_of_two_that_take_over_one_has_it(tmp_path: Path, held: Path) -> None:
    program = """
import sys
from pathlib import Path
from thaw.errors import StorageError
from thaw.track.folder import RunFolder
from thaw.track.lock import taking_over
sys.stdin.readline()
try:
    with taking_over(True):
        folder = RunFolder(sys.argv[1]).open()
    print("owned", flush=True)
except StorageError as error:
    print(error, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    processes = [subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True) for _ in range(6)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.stdout.readline() for process in processes if process.stdout is not None]
    for process in processes:
        process.communicate(timeout=60)
    assert answers.count("owned\n") == 1, answers


def test_the_flag_is_one_of_every_command_that_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from thaw.cli.main import main

    assert parse(["--take-over", "seed=1"]).take_over
    assert not parse(["seed=1"]).take_over
    for command in ("pretrain", "transfer", "resume", "study", "demo"):
        assert main([command, "--help"]) == 0
        assert "--take-over" in capsys.readouterr().out


def test_a_lock_is_taken_for_the_length_of_the_command_alone(tmp_path: Path) -> None:
    with taking_over(True), taking_over(False):  # a stage of a study
        assert os.environ["THAW_TAKE_OVER"] == "1"
    assert "THAW_TAKE_OVER" not in os.environ
    lock = Lock(tmp_path / "x")
    lock.acquire(tmp_path)
    lock.release()
    assert not lock.held
