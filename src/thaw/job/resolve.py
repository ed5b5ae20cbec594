"""What a config leaves to other runs: the checkpoint of a pretraining by its name, a learning rate tuned on dev.

``checkpoint=runs/my_pretraining`` is the checkpoint of the only run in there, ``checkpoint=runs/my_pretraining/1M`` the
one that ``save_at`` kept after a million tokens. ``tuned=FOLDER`` takes the rate from a finished sweep over
``optim.lr``: per task and strategy (and train size, where the sweep has this one) the one with the best mean dev score.
Of rates that are exactly equal the one in their middle is taken (track/ties.py). Test scores are not looked at. Every
rate must have been tried with the same seeds, else the choice would not be fair; one with which a run failed (diverged)
is not chosen. ``tuned=FILE.yaml`` takes it from a record of such a choice,
``{task: {strategy: rate}}``.
No torch here.
"""

import dataclasses
import glob
import json
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from thaw.config import PretrainConfig, TransferConfig, conf_dir, strategies
from thaw.errors import ConfigError
from thaw.job.tell import tell
from thaw.track.epoch import RESULTS
from thaw.track.folder import LINEAGE
from thaw.track.ties import EQUAL, RULE, taken

C = TypeVar("C", PretrainConfig, TransferConfig)


def resolve(config: C) -> C:
    """Return the config with its checkpoint's folder and, for a transfer, its tuned learning rate."""
    if config.checkpoint is not None:
        config = dataclasses.replace(config, checkpoint=str(checkpoint_in(Path(config.checkpoint))))
    if isinstance(config, TransferConfig) and config.tuned and strategies()[config.strategy.name].plan is not None:
        lr = chosen(config.tuned, config.task.name, config.strategy.name, config.data.train_size)
        config = dataclasses.replace(config, optim=dataclasses.replace(config.optim, lr=lr))
    return config


def checkpoint_in(folder: Path) -> Path:
    """Return ``folder`` if it is a model, else the only checkpoint of the runs in it, or of that name in its parent."""
    if (folder / "config.json").is_file():
        return folder
    if folder.is_dir():
        configs = [*folder.glob("checkpoint/config.json"), *folder.glob("*/checkpoint/config.json")]
    else:
        configs = list(folder.parent.glob(f"*/checkpoints/{glob.escape(folder.name)}/config.json"))
    found = of_this_epoch([path.parent for path in sorted(configs)])
    if len(found) > 1:
        raise ConfigError(f"checkpoint={folder} holds {len(found)} checkpoints, choose {' or '.join(map(str, found))}")
    if not found and "*" in str(folder):
        raise ConfigError(f"checkpoint={folder} matches no folder with a checkpoint, pretrain first")
    return found[0] if found else folder


def of_this_epoch(checkpoints: list[Path]) -> list[Path]:
    """Return the checkpoints that the code of this results epoch has made, all of them where none was.

    A pretraining is made again when the epoch is raised, and its older run stays beside the new one.
    """
    current = [path for path in checkpoints if _results(path) == RESULTS]
    if current and len(current) < len(checkpoints):
        older = ", ".join(str(path) for path in checkpoints if path not in current)
        tell(f"{older}: made by code whose results were others, left out beside {', '.join(map(str, current))}")
    return current or checkpoints


def _results(checkpoint: Path) -> Any:
    try:
        return json.loads((checkpoint / LINEAGE).read_text("utf-8")).get("results", 1)
    except (OSError, ValueError, AttributeError):
        return None


def chosen(folder: str, task: str, strategy: str, train_size: str) -> float:
    """Return the best learning rate of a sweep for a task and strategy; ConfigError when it has none."""
    for file in (Path(folder), conf_dir().parent / folder):  # a study's record lies beside it, in the package too
        if file.is_file():
            return _recorded(file, task, strategy)
    rows = [row for row in _rows(folder) if row["task"] == task and row["strategy"] == strategy]
    if failed := sorted({row["lr"] for row in rows if row["failed"]}):
        rows = [row for row in rows if row["lr"] not in failed]
        rates = ", ".join(f"{lr:g}" for lr in failed)
        tell(f"runs of {task} {strategy} with optim.lr={rates} failed in {folder}, not chosen")
    same_size = [row for row in rows if train_size in (row["asked"], str(row["train_size"]))]
    scores: dict[float, dict[tuple[int, int], float]] = defaultdict(dict)
    for row in same_size or rows:
        trial = (row["seed"], row["train_size"])
        if trial in scores[row["lr"]]:
            found = f"optim.lr={row['lr']:g} seed={row['seed']}"
            raise ConfigError(f"tuned={folder} has {task} {strategy} {found} twice, tune one setting at a time")
        if row["dev"] is not None:
            scores[row["lr"]][trial] = row["dev"]
    if not scores:
        raise ConfigError(
            f"tuned={folder} has no finished run of task={task} strategy={strategy}, sweep optim.lr there"
        )
    if len({frozenset(trials) for trials in scores.values()}) > 1:
        raise ConfigError(
            f"tuned={folder} tried the rates of {task} {strategy} with different seeds or sizes, finish that sweep"
        )
    means = {lr: sum(values.values()) / len(values) for lr, values in sorted(scores.items())}
    equal = [lr for lr, mean in means.items() if max(means.values()) - mean <= EQUAL]
    best = equal[taken([{"optim.lr": lr} for lr in equal], [{"optim.lr": lr} for lr in means])]
    if len(equal) > 1:
        rates = ", ".join(f"{lr:g}" for lr in equal)
        tell(f"optim.lr={rates} of {task} {strategy} are exactly equal on dev in {folder}, {best:g} is taken: {RULE}")
    if len(scores) > 2 and best in (min(scores), max(scores)):
        tell(f"optim.lr={best:g} of {task} {strategy} lies on the edge of the grid in {folder}, widen it")
    return best


def _recorded(file: Path, task: str, strategy: str) -> float:
    try:
        return float(yaml.safe_load(file.read_text())[task][strategy])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(f"tuned={file} has no rate for task={task} strategy={strategy}, add it there") from error


@lru_cache(maxsize=8)
def _rows(folder: str) -> tuple[dict[str, Any], ...]:
    """Return the trials of a sweep, finished or failed."""
    if not Path(folder).is_dir():
        raise ConfigError(f"tuned={folder} does not exist, give the folder of a sweep: runs/<name>")
    found = [_trial(path.parent) for path in sorted(Path(folder).glob("*/status.json"))]
    return tuple(row for row in found if row is not None and row["lr"] is not None)


def _trial(folder: Path) -> dict[str, Any] | None:
    """Return what counts of a run; None for one that is damaged: the seeds of its rate will not match."""
    try:
        config = yaml.safe_load((folder / "config.yaml").read_text("utf-8"))
        asked = str(config["data"]["train_size"])  # "all", where the row has the number that was
        if json.loads((folder / "status.json").read_text("utf-8"))["state"] == "failed":
            given = {
                "task": config["task"]["name"],
                "strategy": config["strategy"]["name"],
                "lr": config["optim"]["lr"],
            }
            return given | {"asked": asked, "failed": True}
        row = json.loads((folder / "result.json").read_text("utf-8"))
        return {name: row[name] for name in ("task", "strategy", "lr", "seed", "train_size", "dev")} | {
            "asked": asked, "failed": False,
        }  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, RecursionError, yaml.YAMLError):
        return None
