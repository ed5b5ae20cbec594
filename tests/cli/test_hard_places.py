"""The real command where the surroundings are bad: no home, no network, a full disk, a strange path, a jumping clock.

What needs a file system or network of its own gets one from ``unshare``, and is skipped where that is not allowed.
"""

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from loopback import KEY
from pairs import pairs
from slow import SLOW, room

TRANSFER = """
import sys
from thaw.cli.main import main
code = main(sys.argv[1:])
"""
REPORT = """
code = code or main(["report", "runs/s", "--out", "report", "--no-pictures"])
"""
CLOCK = """
import time
true, looks = time.time, [0]
def jumping():
    looks[0] += 1
    return true() + 86400 * (looks[0] % 3 - 1)
time.time = jumping
"""
# In a name space of its own: a name server that takes every question and answers none.
DEAF = """
import fcntl, os, socket, struct, subprocess, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS: up
deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
deaf.bind(("127.0.0.1", 53))
with open("resolv.conf", "w") as file:
    file.write("nameserver 127.0.0.1\\n")
subprocess.run(["mount", "--bind", "resolv.conf", "/etc/resolv.conf"], check=True)
sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
"""
RELAXED = (
    "" if SLOW == 1 else f"import sys; sys.path.append({str(Path(__file__).parents[1])!r}); import slow; slow.relax()\n"
)
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@cache
def may(*unshare: str) -> bool:
    """Whether this machine lets a user make such name spaces."""
    try:
        done = subprocess.run(["unshare", *unshare, "true"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def needs(*unshare: str) -> None:
    if not may(*unshare):
        pytest.skip(f"needs unshare {' '.join(unshare)}")


@pytest.fixture
def run(task_folder: Path, tmp_path: Path) -> Run:
    """Run a command of thaw without a terminal, in a folder of its own."""

    def start(
        *words: str, before: tuple[str, ...] = (), place: Path | None = None, report: bool = True,
        without: tuple[str, ...] = (), **environment: str,
    ) -> "subprocess.CompletedProcess[str]":  # fmt: skip
        place = place or tmp_path / "place"
        place.mkdir(parents=True, exist_ok=True)
        program = ["-c", RELAXED + TRANSFER + (REPORT if report else "") + "sys.exit(code)"]
        given = {"task": "files", "task.path": f"{task_folder}", "task.kind": "classes", "strategy": "tfidf"}
        given |= {"name": "s", "data.train_size": "20"} | dict(word.split("=", 1) for word in words)
        command = [*before, sys.executable, *program, "transfer", *(f"{key}={value}" for key, value in given.items())]
        env = {key: value for key, value in (os.environ | environment).items() if key not in without}
        return subprocess.run(
            command, cwd=place, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120 * room(),
            check=False, encoding="utf-8",
        )  # fmt: skip

    return start


def made(place: Path) -> dict[str, Any]:
    """The result of the only run of a place, after a look at its other files."""
    (folder,) = (place / "runs" / "s").glob("[!.]*")
    row = json.loads((folder / "result.json").read_text("utf-8"))
    events = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert json.loads((folder / "status.json").read_text("utf-8"))["state"] == "finished"
    assert events[-1]["test/accuracy"] == row["test"]
    assert len(gzip.decompress((folder / "predictions.jsonl.gz").read_bytes()).splitlines()) == 20
    return row


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("", id="ordinary", marks=pytest.mark.slow),
        pytest.param("with a space/and ünïcödé 日本", id="space and unicode"),
        pytest.param("x" * 100 + "/" + "y" * 100, id="200 characters", marks=pytest.mark.slow),
        pytest.param("it's $HOME and = , [a] {b}", id="signs"),
    ],
)
def test_paths(place: str, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "work" / place
    done = run("wandb=offline", place=folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert made(folder)["test"] > 0.9
    assert (folder / "report" / "index.html").exists()


SURROUNDINGS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "read-only HOME": ({"HOME": "/proc/sys"}, ()),  # nobody can write there, root neither
    "no HOME": ({}, ("HOME",)),
    "HOME that can not be": ({"HOME": "/dev/null/home", "TMPDIR": "."}, ()),
    "LANG=C": ({"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, ()),
    "ASCII": ({"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"}, ("LANG",)),
    "clock jumps": ({"PYTHONPATH": "clock"}, ()),
    "bare": ({"TERM": "dumb", "COLUMNS": "1"}, ("PATH", "LANG")),
}


@pytest.mark.parametrize(
    ("environment", "without"),
    [
        pytest.param(*given, id=name, marks=[pytest.mark.slow] if number else [])  # ten seconds each
        for number, (name, given) in enumerate(SURROUNDINGS.items())
    ],
)
def test_surroundings(environment: dict[str, str], without: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    (tmp_path / "place" / "clock").mkdir(parents=True)
    (tmp_path / "place" / "clock" / "sitecustomize.py").write_text(CLOCK)
    before = set((tmp_path / "place").iterdir())
    done = run("wandb=offline", without=without, **environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert made(tmp_path / "place")["test"] > 0.9
    assert {path.name for path in set((tmp_path / "place").iterdir()) - before} <= {"runs", "report", ".cache"}


@pytest.mark.parametrize(
    "mode", ["auto", *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("online", "offline"))]
)
def test_a_user_without_a_name_and_a_home(mode: str, run: Run, tmp_path: Path) -> None:
    """A container's user id that stands in no list."""
    user = ("unshare", "--map-user=12345", "--map-group=12345")
    needs(*user[1:])
    done = run(f"wandb={mode}", before=user, without=("HOME", "USER", "LOGNAME"))
    assert done.returncode == 0, done.stderr
    assert made(tmp_path / "place")["test"] > 0.9
    assert not (tmp_path / "place" / "~").exists()


@pytest.mark.parametrize("name_server", [False, True], ids=["no network", "dead name server"])
def test_no_network(name_server: bool, run: Run, tmp_path: Path) -> None:
    needs("-r", "-m", "-n")
    before = ("unshare", "-r", "-m", "-n", *((sys.executable, "-c", DEAF) if name_server else ()))
    begun = time.monotonic()
    done = run("wandb=auto", before=before, report=False, WANDB_API_KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < room() * (15 + 30)  # 30: to load the program on a busy machine
    told = "does not answer within" if name_server else "is not reachable"
    assert done.stderr.startswith("W&B: ")
    assert told in done.stderr
    assert made(tmp_path / "place")["test"] > 0.9


@pytest.mark.parametrize(("kilobytes", "mode"), pairs((8, 100, 1000), ("auto", "online", "offline")))
def test_a_full_disk_below_wandb(
    kilobytes: int, mode: str, run: Run, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    needs("-r", "-m")
    if mode != "offline":
        request.getfixturevalue("wandb_server")
    done = run("strategy=majority", f"wandb={mode}", "name=first", report=False)
    (folder,) = (tmp_path / "place" / "runs" / "first").glob("[!.]*")
    wandb = tmp_path / "place" / "runs" / "s" / folder.name / "wandb"
    wandb.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size={kilobytes}k tmpfs {wandb} && exec "$@"'
    begun = time.monotonic()
    done = run("strategy=majority", f"wandb={mode}", before=("unshare", "-r", "-m", "sh", "-c", mount, "sh"))
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < room() * (15 + 30)
    assert "Traceback" not in done.stderr
    assert made(tmp_path / "place")["train_size"] == 20


@pytest.mark.parametrize(
    "wandb",
    [
        "a file",
        *(
            pytest.param(one, marks=pytest.mark.slow)
            for one in ("a link to nowhere", "a link to where nobody may write")
        ),
    ],
)
def test_a_wandb_folder_that_is_none(wandb: str, run: Run, tmp_path: Path) -> None:
    done = run("name=first", "wandb=disabled", report=False)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "place" / "runs" / "first").glob("[!.]*")
    here = tmp_path / "place" / "runs" / "s" / folder.name
    here.mkdir(parents=True)
    if wandb == "a file":
        (here / "wandb").write_text("mine")
    else:
        (here / "wandb").symlink_to("/dev/null/x" if "nowhere" in wandb else "/proc/sys")
    done = run("wandb=offline")
    assert done.returncode == 0, done.stderr
    assert made(tmp_path / "place")["test"] > 0.9
    assert "Traceback" not in done.stderr
