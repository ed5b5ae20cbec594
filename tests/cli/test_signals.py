"""Signals and a time limit while networks train: 128 + the number, states are saved, the same command ends it."""

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from alive import lines, until
from thaw.text import corpus, tokenizer
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import TokenizerConfig

TEXT = "\n\n".join(f"The river {i} runs over warm stones under a bright sky in the cold night." for i in range(99))
WAYS = {
    "single": ["seed=1"],
    "sweep": ["-m", "seed=1,2"],
    "workers": ["-m", "seed=1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"],
}


@pytest.fixture
def words(task_folder: Path, tmp_path: Path) -> list[str]:
    """A transfer that takes a while; give it a seed."""
    (tmp_path / "text.txt").write_text(TEXT)
    documents = corpus.documents(CorpusConfig(paths=[str(tmp_path / "text.txt")]))
    tokenizer.train(documents, TokenizerConfig(vocab_size=300)).save(tmp_path / "tokenizer")
    return [
        sys.executable, "-m", "thaw", "transfer", "task=files", f"task.path={task_folder}", "task.kind=classes",
        "strategy=scratch", "encoder=tiny", "encoder.hidden=32", "encoder.intermediate=64", "tokenizer=folder",
        f"tokenizer.path={tmp_path / 'tokenizer'}", "steps=2000", "eval_every=100", "wandb=disabled",
        "trainer.threads=1",
        "name=s",
    ]  # fmt: skip


EVERY_WAY = [(way, number, code) for way in WAYS for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "number", "code"),
    [*EVERY_WAY, ("single", signal.SIGHUP, 129), ("sweep", signal.SIGUSR1, 138), ("workers", signal.SIGUSR2, 140)],
)
def test_interrupt_then_continue(way: str, number: signal.Signals, code: int, words: list[str], tmp_path: Path) -> None:
    words = [*words, *WAYS[way]]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    at_once = 2 if way == "workers" else 1
    while sum(path.stat().st_size > 0 for path in tmp_path.glob("runs/s/*/metrics.jsonl")) < at_once:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert re.search(rf"interrupted by {number.name}.*the same command continues", errors)
    stopped = list(tmp_path.glob("runs/s/*/status.json"))
    assert len(stopped) == at_once
    assert {json.loads(status.read_text())["state"] for status in stopped} == {"interrupted"}
    assert len(list(tmp_path.glob("runs/s/*/state/step-*/MANIFEST.json"))) == at_once
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {json.loads(path.read_text())["state"] for path in tmp_path.glob("runs/s/*/status.json")} == {"finished"}


@pytest.mark.slow
def test_a_time_limit_is_a_sigterm(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run([*words, "seed=1", "trainer.time_limit=8s"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 143, done.stderr
    assert "trainer.time_limit=8s is over" in done.stderr
    assert "Traceback" not in done.stderr
    (status,) = tmp_path.glob("runs/s/*/status.json")
    recorded = json.loads(status.read_text())
    assert recorded["state"] == "interrupted"
    assert recorded["error"].startswith("Interrupted: SIGTERM, trainer.time_limit=8s is over")


@pytest.mark.slow
def test_a_terminal_that_is_gone_loses_nothing(words: list[str], tmp_path: Path) -> None:
    """Its last words could not be printed, and that was the error that the run failed of."""
    mine, terminal = os.openpty()

    def sit_down() -> None:
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [*words, "seed=1"], cwd=tmp_path, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        preexec_fn=sit_down,
    )  # fmt: skip
    os.close(terminal)
    os.set_blocking(mine, False)

    def trains() -> bool:
        with contextlib.suppress(BlockingIOError):
            os.read(mine, 1 << 16)  # else it waits until somebody reads
        return any(lines(path) > 3 for path in tmp_path.glob("runs/s/*/metrics.jsonl"))

    until(trains)
    os.close(mine)
    assert process.wait() == 129
    (status,) = tmp_path.glob("runs/s/*/status.json")
    assert json.loads(status.read_text())["error"].startswith("Interrupted: SIGHUP, saved at step ")
    assert list(tmp_path.glob("runs/s/*/state/step-*"))
