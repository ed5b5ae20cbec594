"""SIGTERM and SIGINT while a network trains: 143 and 130, a state is saved, the same command goes on to the end."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from thaw.text import corpus, tokenizer
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import TokenizerConfig

TEXT = "\n\n".join(f"The river {i} runs over warm stones under a bright sky in the cold night." for i in range(99))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("multirun", [False, True], ids=["single", "sweep"])
def test_interrupt_then_continue(
    number: signal.Signals, code: int, multirun: bool, task_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    documents = corpus.documents(CorpusConfig(paths=[str(tmp_path / "text.txt")]))
    tokenizer.train(documents, TokenizerConfig(vocab_size=300)).save(tmp_path / "tokenizer")
    words = [
        sys.executable, "-m", "thaw", "transfer", "task=files", f"task.path={task_folder}", "task.kind=classes",
        "strategy=scratch", "encoder=tiny", "encoder.hidden=32", "encoder.intermediate=64", "tokenizer=folder",
        f"tokenizer.path={tmp_path / 'tokenizer'}", "steps=2000", "eval_every=100", "wandb=disabled",
        "trainer.threads=1",
    ] + (["-m", "seed=1,2", "name=s"] if multirun else ["seed=1", "name=s"])  # fmt: skip
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not any(path.stat().st_size for path in tmp_path.glob("runs/s/*/metrics.jsonl")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert re.search(rf"interrupted by {number.name}.*the same command continues", errors)
    (status,) = tmp_path.glob("runs/s/*/status.json")
    assert json.loads(status.read_text())["state"] == "interrupted"
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {json.loads(path.read_text())["state"] for path in tmp_path.glob("runs/s/*/status.json")} == {"finished"}
