"""Made-up run folders, written as the real ones are, with known scores."""

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from thaw.track.folder import write_lines
from thaw.track.row import COLUMNS

CONTROLS = ("frozen_random", "tfidf", "majority")
CEILING = {"scratch": 0.55, "frozen": 0.68, "gradual_unfreeze": 0.78, "full": 0.8, "tfidf": 0.62, "majority": 0.2}
SPEED = {"frozen": 0.4, "gradual_unfreeze": 0.8, "tfidf": 0.01, "majority": 0.001}


PRETRAINED = {"checkpoint": "f00d" * 16, "pretrain_run": "pretrain1", "pretrain_tokens": 1e7, "pretrain_seconds": 600.0}
GROUPS = ("embeddings", "layer.0", "layer.1", "head")
PLANS = {
    "scratch": "0 x1 x1 x1 x1",
    "frozen": "0 - - - x1",
    "gradual_unfreeze": "0 - - - x1\n38 - - x0.385 x1\n76 - x0.148 x0.385 x1\n114 x0.0569 x0.148 x0.385 x1",
    "full": "0 x1 x1 x1 x1",
}


def write_run(root: Path, *, run_id: str, state: str = "finished", error: str | None = None, **given: Any) -> Path:
    """Write one run folder; ``given`` are columns of its row, or dotted config keys spelled with ``__``."""
    folder = root / run_id
    folder.mkdir(parents=True)
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {"run_id": run_id, "name": root.name, "kind": "transfer", "task": "topics", "strategy": "full", "seed": 1}
    row |= {"metric": "accuracy", "train_size": 50, "lr": 1e-3, "collapsed": False, "host": "here", "threads": 1}
    row |= {key: value for key, value in given.items() if key in COLUMNS}
    config: dict[str, Any] = {"name": row["name"], "seed": row["seed"], "optim": {"lr": row["lr"]}}
    if row["kind"] != "pretrain":
        config |= {"task": {"name": row["task"], "metric": row["metric"]}, "strategy": {"name": row["strategy"]}}
        config |= {"data": {"train_size": str(row["train_size"])}, "checkpoint": "runs/pre/abc/checkpoint"}
    for key, value in given.items():
        if "__" in key:
            root_key, leaf = key.split("__")
            config.setdefault(root_key, {})[leaf] = value
    (folder / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    status = {"state": state, "error": error, "pid": 1, "host": "elsewhere", "updated": "2026-11-22T10:00:00"}
    (folder / "status.json").write_text(json.dumps(status), "utf-8")
    events = given.get("events", [])
    (folder / "metrics.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), "utf-8")
    if row["strategy"] in PLANS:
        head = f"plan of it (factor on the learning rate, - is frozen)\nfrom step {' '.join(GROUPS)}\n"
        (folder / "plan.txt").write_text(head + PLANS[row["strategy"]] + "\n", "utf-8")
    answers = given.get("predictions")
    if answers:
        write_lines(folder / "predictions.jsonl.gz", answers)
        (folder / "lineage.json").write_text(json.dumps({"split": "5911" * 16}), "utf-8")
    if state == "finished":
        (folder / "result.json").write_text(json.dumps(row), "utf-8")
    return folder


def curve(ceiling: float, seconds: float, rng: random.Random, metric: str = "dev/accuracy") -> list[dict[str, Any]]:
    """Return made-up events: a loss every 10 steps and a dev score every 30."""
    events: list[dict[str, Any]] = []
    for step in range(10, 301, 10):
        here = {"step": step, "epoch": step / 50, "seconds": seconds * step / 300, "tokens": step * 1024}
        learned = 1 - math.exp(-step / 80)
        events.append({**here, "train/loss": 2.4 * (1 - learned * ceiling) + rng.gauss(0, 0.04)})
        if step % 30 == 0:
            score = 0.15 + (ceiling - 0.15) * learned + rng.gauss(0, 0.01)
            events.append({**here, metric: score, "dev/loss": 2 - learned})
    events.append({"step": 300, "epoch": 6.0, "seconds": seconds} | {f"drift/{name}": 0.1 for name in GROUPS})
    return events


def answers(share: float, seed: int, rng: random.Random) -> list[dict[str, Any]]:
    """Return made-up predictions of 60 examples, about ``share`` of them right."""
    labels = ["<i>news</i>", "sport"]
    made = []
    for number in range(60):
        label = labels[number % 2]
        right = rng.random() < share
        made.append({"prediction": label if right else labels[1 - number % 2], "label": label, "credit": [right, 1]})
    return made


def write_study(root: Path, *, seeds: int = 3, tasks: tuple[str, ...] = ("topics", "trec")) -> Path:
    """Write a study of several tasks, strategies, sizes and seeds, with names that must be escaped."""
    rng = random.Random(0)
    number = 0
    for place, task in enumerate(tasks):
        metric = "accuracy" if task != "conll2003" else "entity_f1"
        for strategy, ceiling in CEILING.items():
            for size in (50, 200, 1000):
                for lr in (3e-4, 1e-3, 3e-3) if strategy in ("full", "scratch") and place == 0 else (1e-3,):
                    for seed in range(1, seeds + 1):
                        number += 1
                        best = ceiling - 0.25 * math.exp(-size / 300) * (strategy != "majority") - 0.05 * place
                        best += rng.gauss(0, 0.012) - 0.03 * abs(math.log10(lr / 1e-3))
                        seconds = 40 * SPEED.get(strategy, 1.0) * rng.uniform(0.9, 1.1)
                        words = strategy in ("tfidf", "majority")
                        write_run(
                            root,
                            run_id=f"{number:010x}",
                            kind="control" if strategy in CONTROLS else "transfer",
                            task=task,
                            strategy=strategy,
                            train_size=size,
                            seed=seed,
                            lr=None if words else lr,
                            metric=metric,
                            dev=best + 0.01,
                            test=best,
                            train_seconds=seconds,
                            steps=0 if words else 300,
                            **({} if words or strategy == "scratch" else PRETRAINED),
                            eval_seconds=0.2 * seconds,
                            collapsed=strategy == "majority",
                            predictions=answers(best, seed, rng) if size == 50 else None,
                            events=[] if words else curve(best, seconds, rng, f"dev/{metric}"),
                        )
    lesser = PRETRAINED | {"checkpoint": "beef" * 16, "pretrain_tokens": 2.5e6, "pretrain_seconds": 150.0}
    for seed in range(1, seeds + 1):  # an encoder of a quarter of the pretraining, at two train sizes
        for size, best in ((200, 0.58), (1000, 0.3)):
            made = {"train_size": size, "seed": seed, "dev": best + 0.02, "test": best + seed / 100}
            events = curve(best, 30.0, rng)
            write_run(root, run_id=f"dose{size}-{seed}", steps=300, train_seconds=30.0, events=events, **made, **lesser)
    texts = [{"text": f"<script>alert('text')</script> number {number}, " + "word " * number} for number in range(60)]
    write_lines(root / ".tasks" / f"{'5911' * 16}.jsonl.gz", texts)
    for seed in (1, 2):
        events = [
            {"step": step, "seconds": step / 5.0, "tokens": step * 4096}
            | {"train/loss": 8 * step**-0.1, "dev/bits_per_byte": (3 + seed / 20) * step**-0.08}
            for step in range(20, 3001, 20)
        ]
        write_run(
            root,
            run_id=f"pretrain{seed}",
            kind="pretrain",
            task=None,
            strategy=None,
            train_size=None,
            metric="bits_per_byte",
            dev=1.58,
            seed=seed,
            train_seconds=600.0,
            events=events,
        )
    write_run(
        root,
        run_id="bad<script>alert(1)",
        state="failed",
        error="<script>alert('error')</script> loss is not finite at step 12\n  in step 12",
        strategy="full",
        lr=3e-3,
        seed=9,
        strategy__note="</script><script>alert('label')</script>",
    )
    write_run(root, run_id="stopped", state="interrupted", strategy="frozen", seed=8)
    (root / "damaged").mkdir()
    (root / "damaged" / "status.json").write_text("{", "utf-8")
    return root


@pytest.fixture
def make_run() -> Callable[..., Path]:
    """The function that writes one run folder."""
    return write_run


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole made-up study."""
    return write_study(tmp_path_factory.mktemp("runs") / "a <b>study</b>")
