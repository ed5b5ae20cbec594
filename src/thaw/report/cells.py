"""Cells of the comparison: (task, arm, train size) -> mean over seeds, difference to scratch, how it was chosen.

The rule where a cell holds several variants (a sweep over ``optim.lr`` or any other setting): the variant with the
best mean dev score over the seeds that all variants have is taken; a variant with failed runs yields to one without.
If the chosen variant has more seeds than those, the seeds it was chosen on are left out of the score.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from thaw.report.arms import WITHOUT_ENCODER, Arm, arms, baseline_of
from thaw.report.collect import Run, Study, size_key
from thaw.report.statistics import Estimate, estimate, paired

RULE = (
    "Where a strategy was run with several settings (such as learning rates), the setting with the best mean dev score "
    "is shown, per task and train size; the test score is never used for choosing."
)
# Config keys that make no variant: they define the cell, or say where, who and how fast.
_FREE = {
    "name",
    "seed",
    "test",
    "checkpoint",
    "data.train_size",
    "task.path",
    "tokenizer.path",
    "tuned",
    "keep",
    "keep_best",
    "runs",
    "debug",
}
_FREE_ROOTS = {"wandb", "hydra", "cache", "verdict"}
_ARCHITECTURE_ROOTS = {"encoder", "tokenizer"}  # a checkpoint brings its own
_SPEED_ROOT = "trainer"
_TRAINER_IDENTITY = {"trainer.precision", "trainer.accumulate"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one strategy reached on one task with one train size."""

    task: str
    arm: Arm
    train_size: Any  # number of labelled examples, or "all"
    metric: str
    runs: list[Run]  # finished runs that are scored: the chosen variant, one a seed
    test: Estimate | None
    dev: Estimate | None
    difference: Estimate | None  # test score minus that of scratch, paired by seed
    variant: dict[str, Any]  # the settings chosen, {} if there was nothing to choose
    trials: int  # variants to choose from
    trial_devs: list[float]  # mean dev score of each variant on the tuning seeds
    others: list[Run]  # runs that are not scored: other variants, tuning seeds, failed ones
    tuning_seeds: list[Any]  # seeds the variant was chosen on
    held_out: bool  # whether the scored seeds are others than the tuning seeds
    edge: list[str]  # settings chosen at an edge of their grid
    failed: int  # runs of the cell, any variant
    unfinished: int
    collapsed: int  # finished and not above the majority class, any variant
    repeated: int  # finished runs left out since another of the same variant has the same seed
    unscored: int  # scored runs whose test metric is undefined, such as a correlation of constant predictions

    @property
    def choice(self) -> str:
        """How the variant was chosen, in words; empty if there was nothing to choose."""
        if self.trials < 2:
            return ""
        names = {"optim.lr": "lr"}
        settings = ", ".join(f"{names.get(key, key)} {_shown(value)}" for key, value in self.variant.items())
        seeds = ", ".join(map(str, self.tuning_seeds))
        text = f"{settings}: chosen on dev of {self.trials}" + (f" (seed {seeds})" if self.held_out else "")
        return text + (", at the edge of its grid" if self.edge else "")


def cells(study: Study) -> list[Cell]:
    """Return all cells of a study, ordered by task, train size and strategy."""
    arm_of = arms(study.runs)
    groups: dict[tuple[str, Arm, Any], list[Run]] = defaultdict(list)
    for run in study.runs:
        if run.transfers:
            groups[str(run["task"]), arm_of[id(run)], run["train_size"]].append(run)
    chosen = {key: _choose(key[1], runs) for key, runs in groups.items()}
    made = []
    for (task, arm, size), runs in groups.items():
        choice = chosen[task, arm, size]
        peers = [other for other_task, other, other_size in groups if (other_task, other_size) == (task, size)]
        baseline = baseline_of(arm, peers)
        difference = None
        if baseline and baseline != arm:
            difference = paired(_scores(choice.runs), _scores(chosen[task, baseline, size].runs))
        finished = [run for run in runs if run.state == "finished"]
        made.append(
            Cell(
                task=task,
                arm=arm,
                train_size=size,
                metric=next((str(run["metric"]) for run in runs if run["metric"]), ""),
                runs=choice.runs,
                test=estimate(list(_scores(choice.runs).values())),
                dev=estimate([run["dev"] for run in choice.runs if run["dev"] is not None]),
                difference=difference,
                variant=choice.variant,
                trials=choice.trials,
                trial_devs=choice.trial_devs,
                others=[run for run in runs if not any(run is one for one in choice.runs)],
                tuning_seeds=choice.tuning_seeds,
                held_out=choice.held_out,
                edge=choice.edge,
                failed=sum(run.state == "failed" for run in runs),
                unfinished=sum(run.state in ("interrupted", "running") for run in runs),
                collapsed=sum(run.collapsed for run in finished),
                repeated=choice.repeated,
                unscored=sum(run["test"] is None and run.config.get("test", True) for run in choice.runs),
            )
        )
    return sorted(made, key=lambda cell: (cell.task, size_key(cell.train_size), cell.arm.order))


@dataclass(frozen=True, kw_only=True)
class _Choice:
    runs: list[Run]
    variant: dict[str, Any]
    trials: int
    trial_devs: list[float]
    tuning_seeds: list[Any]
    held_out: bool
    edge: list[str]
    repeated: int


def _choose(arm: Arm, runs: list[Run]) -> _Choice:
    """Choose the variant of one cell.

    Runs of a tuning that left the test set alone (``test=false``) are no candidates beside scored ones; they tell what
    was tried where the scored runs have one variant. One whose test set was scored later counts on both sides.
    """
    tuning = [run for run in runs if run.config.get("test") is False or run.lineage.get("tuning") is True]
    scored = [run for run in runs if run.config.get("test") is not False]
    if not tuning or not scored:
        return _best(arm, runs)
    choice, tried = _best(arm, scored), _best(arm, tuning)
    if choice.trials > 1:
        return choice
    return replace(
        choice, variant=tried.variant, trials=tried.trials, trial_devs=tried.trial_devs, edge=tried.edge,
        tuning_seeds=tried.tuning_seeds, held_out=True,
    )  # fmt: skip


def _best(arm: Arm, runs: list[Run]) -> _Choice:
    """Choose the variant of some runs by the rule above."""
    settings = _settings(arm, runs)
    keys = sorted({key for one in settings for key in one})
    differing = [key for key in keys if len({json.dumps(one.get(key), default=str) for one in settings}) > 1]
    variants: dict[str, list[Run]] = defaultdict(list)
    values: dict[str, dict[str, Any]] = {}
    for run, setting in zip(runs, settings, strict=True):
        variant = {key: setting.get(key) for key in differing}
        name = json.dumps(variant, default=str)
        variants[name].append(run)
        values[name] = variant
    planned = {name: {run["seed"] for run in members} for name, members in variants.items()}
    shared = set.intersection(*planned.values())
    best = max(sorted(variants), key=lambda name: _merit(variants[name], shared or planned[name]))
    held_out = len(variants) > 1 and bool(shared) and bool(planned[best] - shared)
    finished = [run for run in variants[best] if run.state == "finished"]
    newest: dict[Any, Run] = {}
    for run in sorted(finished, key=lambda run: run.updated):
        newest[run["seed"]] = run
    scored = [run for seed, run in sorted(newest.items(), key=_seed_key) if not (held_out and seed in shared)]
    return _Choice(
        runs=scored,
        variant=values[best],
        trials=len(variants),
        trial_devs=[dev for members in variants.values() if (dev := _merit(members, shared)[1]) > float("-inf")],
        tuning_seeds=sorted(shared or planned[best], key=str),
        held_out=held_out,
        edge=_edge(values[best], list(values.values())),
        repeated=len(finished) - len(newest),
    )


def _merit(runs: list[Run], seeds: set[Any]) -> tuple[float, float]:
    """Return (share of the runs of these seeds that finished, mean dev score)."""
    among = [run for run in runs if run["seed"] in seeds]
    devs = [run["dev"] for run in among if run.state == "finished" and run["dev"] is not None]
    mean = estimate(devs)
    return (len(devs) / max(1, len(among)), mean.mean if mean else float("-inf"))


def _settings(arm: Arm, runs: Iterable[Run]) -> list[dict[str, Any]]:
    """Return for each run the config keys that may make it a variant."""
    made = []
    for run in runs:
        config = run.config or {"optim.lr": run["lr"]}
        made.append({key: value for key, value in config.items() if _varies(key, arm, bool(config.get("checkpoint")))})
    return made


def _varies(key: str, arm: Arm, from_checkpoint: bool) -> bool:
    root = key.split(".", 1)[0]
    if root == _SPEED_ROOT:
        return key in _TRAINER_IDENTITY
    if arm.strategy in WITHOUT_ENCODER:
        return root in ("strategy", "data", "task") and key not in _FREE
    if from_checkpoint and root in _ARCHITECTURE_ROOTS:
        return False
    return key not in _FREE and root not in _FREE_ROOTS


def _edge(variant: dict[str, Any], grid: list[dict[str, Any]]) -> list[str]:
    """Return the numeric settings whose chosen value is the smallest or largest of three or more tried."""
    found = []
    for key, value in variant.items():
        tried = {one[key] for one in grid if isinstance(one[key], int | float)}
        if len(tried) >= 3 and value in (min(tried), max(tried)):
            found.append(key)
    return found


def _scores(runs: Iterable[Run]) -> dict[Any, float]:
    return {run["seed"]: run["test"] for run in runs if run["test"] is not None}


def _seed_key(item: tuple[Any, Run]) -> tuple[float, str]:
    seed = item[0]
    return (float(seed) if isinstance(seed, int | float) else float("inf"), str(seed))


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
