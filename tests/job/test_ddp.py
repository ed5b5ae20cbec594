"""Two processes on CPU give the losses of one with the same global batch, and one run folder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from thaw.task.task import Kind


def command(root: Path, *words: str) -> list[dict[str, Any]]:
    """Run a command as a user would; return the row and events of each run."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled"}
    common = [
        "wandb=disabled",
        "trainer.threads=1",
        "trainer.progress=false",
        f"runs={root}",
        f"cache.folder={root}/cache",
    ]
    line = [sys.executable, "-m", "thaw", *words, *common]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, cwd=root, timeout=240)
    assert done.returncode == 0, done.stderr
    runs = []
    for path in sorted(root.glob("*/*/result.json")):
        events = [json.loads(line) for line in path.with_name("metrics.jsonl").read_text().splitlines()]
        runs.append({"row": json.loads(path.read_text()), "events": events, "out": done.stdout})
    return runs


def thaw(root: Path, *words: str) -> dict[str, Any]:
    """Run a command of one run."""
    (run,) = command(root, *words)
    return run


TWO = [
    "trainer=ddp",
    "trainer.accelerator=cpu",
    "trainer.devices=2",
    "trainer.precision=32-true",
    "trainer.compile=false",
]


def losses(run: dict[str, Any], name: str) -> list[float]:
    return [event[name] for event in run["events"] if name in event]


def test_pretraining_on_two_processes(corpus_file: Path, tmp_path: Path) -> None:
    words = [
        "pretrain", "corpus=files", f"corpus.paths=[{corpus_file}]", "corpus.document=line", "tokenizer.vocab_size=320",
        "encoder=tiny", "encoder.hidden=32", "encoder.intermediate=64", "data.length=32", "data.batch_size=8",
        "budget=8",
    ]  # fmt: skip
    runs = []
    for name, extra in (("one", []), ("two", TWO)):
        (tmp_path / name).mkdir()
        runs.append(thaw(tmp_path / name, *words, *extra))
    assert losses(runs[0], "dev/loss") == pytest.approx(losses(runs[1], "dev/loss"), abs=1e-4)
    assert runs[0]["row"]["tokens"] == runs[1]["row"]["tokens"]


def gradual(task: Path, checkpoint: Path) -> list[str]:
    return [
        "transfer", "task=files", f"task.path={task}", "task.kind=classes", "task.metric=accuracy",
        f"checkpoint={checkpoint}", "strategy=gradual_unfreeze", "strategy.every=2", "strategy.dropout=0",
        "steps=8", "eval_every=4", "data.batch_size=8", "data.train_size=60", "task.max_length=32",
    ]  # fmt: skip


def test_gradual_unfreezing_on_two_processes(
    tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path
) -> None:
    words = gradual(tasks[Kind.classes], pretrained["folder"])
    runs = []
    for name, extra in (("one", []), ("two", TWO)):
        (tmp_path / name).mkdir()
        runs.append(thaw(tmp_path / name, *words, *extra))
    drift = [next(event for event in run["events"] if "drift/head" in event) for run in runs]
    for key in ("drift/embeddings", "drift/layer.0", "drift/layer.1", "drift/head"):
        assert drift[0][key] == pytest.approx(drift[1][key], rel=1e-2)
        assert drift[1][key] > 0
    assert runs[0]["row"]["test"] == pytest.approx(runs[1]["row"]["test"], abs=0.06)


def test_a_sweep_on_two_processes(tasks: dict[Kind, Path], pretrained: dict[str, Any], tmp_path: Path) -> None:
    words = gradual(tasks[Kind.classes], pretrained["folder"])
    runs = command(tmp_path, *words, *TWO, "-m", "seed=1,2,3", "eval_every=8")
    assert sorted(run["row"]["seed"] for run in runs) == [1, 2, 3]
    assert "3 finished" in runs[0]["out"]
    assert runs[0]["out"].count("[2/3]") == 1
    again = command(tmp_path, *words, *TWO, "-m", "seed=1,2,3", "eval_every=8")
    assert "3 finished before" in again[0]["out"]
