"""kill -9 of a whole sweep, and of the real command: nothing finished is repeated, the table is that of a whole one.

The same where many processes are started on one study at once.
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from killing import COSTS, bits, forget, start

from thaw.cli.main import main
from thaw.text import corpus, tokenizer
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import TokenizerConfig

TEXT = "\n\n".join(f"The river {i} runs over warm stones under a bright sky in the cold night." for i in range(99))
TINY = ["encoder=tiny", "encoder.hidden=32", "encoder.intermediate=64", "encoder.layers=1", "tokenizer=folder"]
QUIET = ["wandb=disabled", "trainer.threads=1", "trainer.progress=false", "trainer.checkpoint_minutes=1e-6"]


@pytest.fixture
def words(task_folder: Path, tmp_path: Path) -> list[str]:
    """A transfer of a small network and two controls; give it ``strategy`` and ``seed``."""
    (tmp_path / "text.txt").write_text(TEXT)
    documents = corpus.documents(CorpusConfig(paths=[str(tmp_path / "text.txt")]))
    tokenizer.train(documents, TokenizerConfig(vocab_size=300)).save(tmp_path / "tokenizer")
    task = ["task=files", f"task.path={task_folder}", "task.kind=classes", "steps=12", "eval_every=4", "name=s"]
    return ["transfer", *task, *TINY, f"tokenizer.path={tmp_path / 'tokenizer'}", *QUIET]


def command(root: Path, words: list[str]) -> None:
    """Run a command in a folder, silently; its exit code is the process'."""
    root.mkdir(parents=True, exist_ok=True)
    os.chdir(root)
    with open(os.devnull, "w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        code = main(words)
    os._exit(code)


def folders(root: Path) -> list[Path]:
    return [path.parent for path in root.glob("runs/s/*/status.json")]


def table(root: Path) -> dict[str, dict[str, Any]]:
    rows = [json.loads(path.read_text()) for path in root.glob("runs/s/*/result.json")]
    return {row["run_id"]: {key: value for key, value in row.items() if key not in COSTS} for row in rows}


def written(root: Path) -> dict[str, int]:
    """Return when each finished run was."""
    finished = (path for path in root.glob("runs/s/*/status.json") if '"finished"' in path.read_text())
    return {path.parent.name: path.with_name("result.json").stat().st_mtime_ns for path in finished}


@pytest.mark.parametrize("count", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_a_killed_sweep_gives_the_table_of_a_whole_one(words: list[str], tmp_path: Path, count: int) -> None:
    words = [*words, "-m", "strategy=majority,scratch,tfidf", "seed=1,2"]
    for root in ("warm", "whole"):
        begun = time.monotonic()
        process = start(command, tmp_path / root, words)
        process.join()
        seconds = time.monotonic() - begun
        assert process.exitcode == 0
    whole, draw = table(tmp_path / "whole"), random.Random(4)
    assert len(whole) == 6
    for number in range(count):
        root, delay = tmp_path / f"killed{number}", draw.uniform(0, seconds)
        process = start(command, root, words)
        process.join(delay)
        process.kill()
        process.join()
        before = written(root)
        process = start(command, root, words)
        process.join()
        assert process.exitcode == 0
        assert table(root) == whole, delay
        assert before.items() <= written(root).items(), delay
        forget(root)


@pytest.mark.parametrize("count", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_processes_started_at_once_on_one_study_mix_no_folder(words: list[str], tmp_path: Path, count: int) -> None:
    words = [*words, "-m", "strategy=majority,scratch,tfidf", "seed=1,2"]
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    alone = start(command, whole, words)
    alone.join()
    processes = [start(command, shared, words) for _ in range(count)]
    for process in processes:
        process.join()
    codes = [process.exitcode for process in processes]
    assert set(codes) <= {0, 1}  # 1: another process had a run in hand
    assert table(shared) == table(whole)  # whoever ran it, all of it was run
    assert len(folders(shared)) == 6
    for folder in folders(shared):
        assert bits(folder) == bits(whole / "runs/s" / folder.name)


@pytest.mark.slow
def test_the_real_command_killed_thirty_times(words: list[str], tmp_path: Path) -> None:
    real = [sys.executable, "-m", "thaw", *words, "strategy=scratch", "seed=1", "steps=150", "keep=true"]
    whole, draw = tmp_path / "whole", random.Random(5)
    whole.mkdir()
    seconds = _rest(subprocess.Popen(real, cwd=whole, stdout=subprocess.DEVNULL), whole)
    (expected,) = folders(whole)
    met = 0
    for number in range(30):
        root = tmp_path / f"killed{number}"
        root.mkdir()
        process = subprocess.Popen(real, cwd=root, stdout=subprocess.DEVNULL)
        while not folders(root):
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(draw.uniform(0, seconds))
        process.kill()
        met += process.wait() == -9
        subprocess.run(real, cwd=root, check=True, stdout=subprocess.DEVNULL)
        (folder,) = folders(root)
        assert bits(folder) == bits(expected)
        forget(root)
    assert met >= 20  # the others were over before


def _rest(process: subprocess.Popen[bytes], root: Path) -> float:
    """Return the seconds from the first file of a run to the end of its process."""
    while not folders(root):
        time.sleep(0.01)
    begun = time.monotonic()
    assert process.wait() == 0
    return time.monotonic() - begun
