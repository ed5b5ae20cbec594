"""Made-up run folders with real W&B runs."""

import json
from collections.abc import Callable
from pathlib import Path

import yaml

from thaw.track.config import WandbConfig
from thaw.track.folder import write_lines
from thaw.track.mirror import Mirror

Make = Callable[..., Path]


def mirror(folder: Path, mode: str = "online", *, error: Exception | None = None, project: str = "thaw") -> None:
    """Give a made-up run folder its W&B run, as the recording of a run does."""
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    config = WandbConfig(mode=mode, project=project)
    group = f"{settings['name']}/{settings['task']['name']}-n{settings['data']['train_size']}"
    try:
        with Mirror(config, folder, run_id=folder.name, name=folder.name, group=group, settings=settings) as running:
            if (folder / "lineage.json").exists():
                running.summary({"lineage": json.loads((folder / "lineage.json").read_text())})
            for line in (folder / "metrics.jsonl").read_text().splitlines():
                running.log(json.loads(line))
            if error is not None:
                raise error
            if (folder / "predictions.jsonl.gz").exists():
                running.file(folder / "predictions.jsonl.gz")
            if (folder / "result.json").exists():
                running.summary(json.loads((folder / "result.json").read_text()))
    except RuntimeError:
        pass


def write_small_study(root: Path, make_run: Make) -> list[Path]:
    """Write four finished runs of one study and one that failed."""
    made = []
    for strategy, score in (("scratch", 0.5), ("full", 0.75)):
        for seed in (1, 2):
            test = score + seed / 64
            rows = [{"step": i, "seconds": i / 4, "tokens": i * 7, "train/loss": 2 / (i + 1)} for i in range(5)]
            rows.append({"step": 5, "seconds": 1.5, "tokens": 35, "dev/accuracy": test})
            folder = make_run(
                root, run_id=f"{len(made):010x}", strategy=strategy, seed=seed, test=test, dev=test, train_seconds=1.5,
                tokens=35, lr=1e-05, checkpoint="f00d", total_parameters=10, events=rows, wandb__project="thaw",
            )  # fmt: skip
            lineage = {"tokenizer": "t0", "split": "s0", "data": {"duplicates": {"train_test": 2}}}
            (folder / "lineage.json").write_text(json.dumps(lineage))
            answers = [{"label": "a", "prediction": "a" if i < 64 * test else "b"} for i in range(64)]
            write_lines(folder / "predictions.jsonl.gz", answers)
            made.append(folder)
    failed = make_run(root, run_id="bad0000000", state="failed", error="no space", strategy="full", seed=3)
    return [*made, failed]
