"""A learning rate chosen on dev: ``tuned=FOLDER`` takes it from a finished sweep over ``optim.lr``. No torch here.

Per task and strategy (and train size, where the sweep has this one) the rate with the best mean dev score is taken.
Test scores are not looked at. Every rate must have been tried with the same seeds, else the choice would not be fair.
"""

import dataclasses
import json
import sys
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from thaw.config import TransferConfig, strategies
from thaw.errors import ConfigError


def resolve(config: TransferConfig) -> TransferConfig:
    """Return the config with the tuned learning rate in ``optim.lr``; unchanged without ``tuned``."""
    if config.tuned is None or strategies()[config.strategy.name].plan is None:
        return config
    lr = chosen(config.tuned, config.task.name, config.strategy.name, config.data.train_size)
    return dataclasses.replace(config, tuned=None, optim=dataclasses.replace(config.optim, lr=lr))


def chosen(folder: str, task: str, strategy: str, train_size: str) -> float:
    """Return the best learning rate of a sweep for a task and strategy; ConfigError when it has none."""
    rows = [row for row in _rows(folder) if row["task"] == task and row["strategy"] == strategy]
    same_size = [row for row in rows if str(row["train_size"]) == train_size]
    scores: dict[float, dict[int, float]] = defaultdict(dict)
    for row in same_size or rows:
        if row["dev"] is not None:
            scores[row["lr"]][row["seed"]] = row["dev"]
    if not scores:
        raise ConfigError(f"tuned={folder} has no finished run of task={task} strategy={strategy}, sweep optim.lr there")
    seeds = {frozenset(dev) for dev in scores.values()}
    if len(seeds) > 1:
        raise ConfigError(f"tuned={folder} tried the rates of {task} {strategy} with different seeds, finish that sweep")
    best = max(sorted(scores), key=lambda lr: sum(scores[lr].values()) / len(scores[lr]))
    if len(scores) > 2 and best in (min(scores), max(scores)):
        _tell(f"note: optim.lr={best:g} of {task} {strategy} lies on the edge of the grid in {folder}, widen it")
    return best


@lru_cache(maxsize=8)
def _rows(folder: str) -> tuple[dict[str, Any], ...]:
    if not Path(folder).is_dir():
        raise ConfigError(f"tuned={folder} does not exist, give the folder of a sweep: runs/<name>")
    rows = []
    for path in sorted(Path(folder).glob("*/result.json")):
        try:
            rows.append(json.loads(path.read_text()))
        except ValueError:
            continue  # a damaged row is no trial; the seeds of its rate will not match
    return tuple(row for row in rows if row.get("lr") is not None)


@lru_cache(maxsize=1000)
def _tell(text: str) -> None:
    print(text, file=sys.stderr)
