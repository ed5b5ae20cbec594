"""The dispatcher: help, exit codes, signals."""

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from thaw import __version__
from thaw.cli import main as dispatcher
from thaw.cli.main import COMMANDS, main, one_line
from thaw.errors import DataError


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert all(f"  {command} " in shown for command in COMMANDS)


def test_help_is_fast() -> None:
    best = 9.0
    for _ in range(3):
        start = time.monotonic()
        subprocess.run([sys.executable, "-m", "thaw", "--help"], check=True, capture_output=True)
        best = min(best, time.monotonic() - start)
    assert best < 0.5


@pytest.mark.parametrize("command", ["tokenizer", "pretrain", "transfer"])
def test_help_of_a_command_lists_groups_and_keys(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "unigram" in shown
    assert ("seed=1" in shown) == (command != "tokenizer")
    assert max(map(len, shown.splitlines())) <= 120


def test_every_command_has_its_module() -> None:
    for module, words in COMMANDS.values():
        assert callable(importlib.import_module(module).main)
        assert words


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"thaw {__version__}\n"


def test_one_line() -> None:
    assert one_line(DataError("a\n  b")) == "a b"
    assert one_line(ValueError()) == "ValueError: no message (--debug shows the traceback)"


def test_signals_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    main(["--version"])
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_decides_the_exit_code(
    number: signal.Signals, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever a library makes of it: here a command turns the interruption into its own exit code 1."""
    (tmp_path / "stopped.py").write_text(
        "import os, sys\ndef main(argv):\n    try:\n        os.kill(os.getpid(), int(argv[0]))\n"
        "    except BaseException:\n        sys.exit(1)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(dispatcher.COMMANDS, "stop", ("stopped", "stops"))
    assert main(["stop", str(int(number))]) == code


@pytest.mark.parametrize(("given", "policy"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_that_wait_give_way_on_a_busy_machine(given: str | None, policy: str) -> None:
    # it was torch's own, by which two threads beside two busy processes took 18 times as long as one
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"OMP_DISPLAY_ENV": "true"} | ({"OMP_WAIT_POLICY": given} if given else {})
    code = "from thaw.cli.main import main; main(['--version']); import torch"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert f"OMP_WAIT_POLICY = '{policy}'" in told.stderr
