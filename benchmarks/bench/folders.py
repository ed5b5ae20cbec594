"""Folders of runs that were never run: a study of thousands in the files that real runs write, with made-up scores."""

import gzip
import hashlib
import json
import math
import random
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from thaw import __version__
from thaw.config import TransferConfig
from thaw.fields import as_dict
from thaw.strategy.plan import STRATEGIES
from thaw.task.task import DataConfig, Kind, TaskConfig
from thaw.track.folder import CONFIG, LINEAGE, METRICS, PREDICTIONS, RESULT, STATUS
from thaw.track.row import row
from thaw.train.config import OptimConfig

CEILING = {"scratch": 0.6, "frozen": 0.7, "full": 0.8, "gradual_unfreeze": 0.79, "tfidf": 0.65, "majority": 0.3}
SIZES, RATES, SEEDS = (50, 200, 1000), (3e-4, 1e-3, 3e-3), 10
A_TASK = (2 * len(RATES) + len(CEILING) - 2) * len(SIZES) * SEEDS  # scratch and full are tuned
EXAMPLES = 200  # of a test set
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def write(root: Path, count: int) -> Path:
    """Write ``count`` finished runs: strategies, train sizes, learning rates, seeds, on as many tasks as it takes."""
    draw = random.Random(0)
    for number, (place, strategy, size, seed, lr) in enumerate(_grid(count)):
        folder = root / f"{number:010x}"
        folder.mkdir(parents=True)
        score = CEILING[strategy] - 0.25 * math.exp(-size / 300) - 0.01 * place % 0.1 + draw.gauss(0, 0.012)
        score -= 0.03 * abs(math.log10(lr / 1e-3))
        words = strategy in ("tfidf", "majority")
        files = {
            CONFIG: yaml.dump(_config(place, strategy, size, seed, lr), Dumper=_Dumper, sort_keys=False).encode(),
            METRICS: b"" if words else "".join(json.dumps(one) + "\n" for one in _events(score, draw)).encode(),
            RESULT: json.dumps(_row(folder.name, place, strategy, size, seed, lr, score), indent=2).encode(),
            LINEAGE: json.dumps(_lineage(folder.name, place, strategy), indent=2).encode(),
        }
        status = {"state": "finished", "error": None, "pid": 1, "host": "here", "updated": "2026-11-26T10:00:00+00:00"}
        status |= {"sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}}
        files |= {STATUS: json.dumps(status, indent=2).encode(), PREDICTIONS: _predictions(score, draw)}
        for name, content in files.items():
            (folder / name).write_bytes(content)
    return root


def _grid(count: int) -> list[tuple[int, str, int, int, float]]:
    tasks = -(-count // A_TASK)
    tuned = [(name, lr) for name in CEILING for lr in (RATES if name in ("scratch", "full") else (1e-3,))]
    every = product(range(tasks), tuned, SIZES, range(1, SEEDS + 1))
    return [(place, name, size, seed, lr) for place, (name, lr), size, seed in every][:count]


def _task(place: int) -> str:
    return f"task{place:02d}"


def _config(place: int, strategy: str, size: int, seed: int, lr: float) -> dict[str, Any]:
    config = TransferConfig(
        name="many", seed=seed, checkpoint="runs/my_pretraining/0123456789/checkpoint",
        task=TaskConfig(name=_task(place), kind=Kind.classes, metric="accuracy", path=f"tasks/{_task(place)}"),
        strategy=STRATEGIES[strategy].config(), data=DataConfig(train_size=str(size)), optim=OptimConfig(lr=lr),
    )  # fmt: skip
    return dict(as_dict(config))


def _events(score: float, draw: random.Random) -> list[dict[str, Any]]:
    """Return a loss every 10 steps and a dev score every 30."""
    found: list[dict[str, Any]] = []
    for step in range(10, 301, 10):
        here = {"step": step, "epoch": step / 50, "seconds": step / 10, "cpu_seconds": step / 5, "tokens": step * 1024}
        learnt = 1 - math.exp(-step / 80)
        found.append({**here, "train/loss": 2.4 * (1 - learnt * score) + draw.gauss(0, 0.04), "lr": 1e-3})
        if step % 30 == 0:
            found.append(
                {**here, "dev/accuracy": 0.15 + (score - 0.15) * learnt + draw.gauss(0, 0.01), "dev/loss": 1.0}
            )
    last = {"step": 300, "epoch": 6.0, "seconds": 30.0, "cpu_seconds": 60.0, "tokens": 307200, "test/accuracy": score}
    return [*found, last]


def _row(run_id: str, place: int, strategy: str, size: int, seed: int, lr: float, score: float) -> dict[str, Any]:
    words = strategy in ("tfidf", "majority")
    given: dict[str, Any] = {"steps": 0, "train_seconds": 0.1}
    if not words:
        given = {"lr": lr, "best_step": 270, "steps": 300, "train_seconds": 30.0, "cpu_seconds": 60.0, "flops": 1e12}
        given |= {"encoder": "mini", "tokens": 307200, "total_parameters": 11_000_000, "frozen_audit": "passed"}
    if not words and strategy != "scratch":
        given |= {"checkpoint": "f00d" * 16, "pretrain_run": "0123456789", "pretrain_tokens": 1e7}
        given |= {"pretrain_seconds": 600.0, "pretrain_flops": 1e14}
    return row(
        run_id=run_id, name="many", kind="control" if words else "transfer", task=_task(place), strategy=strategy,
        train_size=size, seed=seed, metric="accuracy", dev=score + 0.01, test=score, eval_seconds=2.0,
        collapsed=strategy == "majority", threads=1, host="here", precision="32-true", thaw_version=__version__,
        **given,
    )  # fmt: skip


def _lineage(run_id: str, place: int, strategy: str) -> dict[str, Any]:
    content = {name: hashlib.sha256(f"{name}{place}".encode()).hexdigest() for name in ("split", "subset")}
    parents = (
        {} if strategy in ("scratch", "tfidf", "majority") else {"checkpoint": "f00d" * 16, "parent_run": "0123456789"}
    )
    report = {"warning": None, "mean_length": 31.5, "pieces": 12345, "duplicates": {"train_dev": 0, "train_test": 0}}
    return {"run_id": run_id, "tokenizer": "beef" * 16, **content, **parents, "train": report, "dev": report}


def _predictions(score: float, draw: random.Random) -> bytes:
    lines = []
    for number in range(EXAMPLES):
        right = draw.random() < score
        answer = {"index": number, "prediction": "ab"[right], "label": "b", "credit": [int(right), 1]}
        lines.append(json.dumps({**answer, "scores": [round(draw.random(), 4), round(draw.random(), 4)]}) + "\n")
    return gzip.compress("".join(lines).encode(), 1)
