"""A run folder's path and a W&B server on the loopback interface."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loopback import KEY, LoopbackWandb
from slow import SLOW, relax
from thaw.track import reach

relax()


@pytest.fixture(autouse=True)
def _no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the outages and messages of earlier tests."""
    monkeypatch.setattr(reach, "_outages", {})
    monkeypatch.setattr(reach, "_told", set())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackWandb]:
    """A server that is up, and a key for it."""
    with LoopbackWandb() as running:
        monkeypatch.setenv("WANDB_BASE_URL", running.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        yield running


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start a Python program in a process of its own, in an empty folder, with nothing on its standard input."""
    place = tmp_path / "place"
    place.mkdir()

    def start(program: str, *arguments: str, pipe: bool = False) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", ("import slow; slow.relax()\n" if SLOW != 1 else "") + program, *arguments],
            cwd=place,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
