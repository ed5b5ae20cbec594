"""Which runs of a cell are scored: the variant with the best mean dev score, one run a seed and pretraining.

A variant is a set of settings that a study may choose between by dev score. These config keys are none, although they
change a run:

* ``steps`` is the budget. More steps mostly score higher, so arms of other budgets are arms of their own (arms.py).
* ``data.train_size`` and ``data.dev_size`` are labels, another budget; ``task.*`` but for how much of a text is read
  says what is learnt. Runs that differ there are other cells, or other tasks (tasks.py).
* ``eval_every`` says how often dev was looked at. The best of more looks is higher by chance alone, so nothing is
  chosen between them; comparable.py tells where a task's runs had several.

These are settings, and chosen between: ``data.batch_size`` (a step of more examples costs more, which the ledger and
the FLOPs show; the contract is equal optimizer steps), ``trainer.accumulate`` and ``trainer.precision`` (the same
examples a step, other rounding), ``task.max_length`` and ``task.stride`` (the labels and the looks stay the same; a
control without a network reads whole texts).
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from thaw.report.arms import Arm
from thaw.report.recipes import pretraining
from thaw.report.run import Run
from thaw.report.statistics import estimate
from thaw.track.ties import EQUAL, taken

# Config keys that make no variant: they define the cell or the arm, or say where, who and how fast.
_FREE = {"name", "seed", "test", "checkpoint", "tokenizer.path", "tuned", "keep", "keep_best", "runs", "debug",
         "forked", "steps", "eval_every", "data.train_size", "data.dev_size", "strategy.lr"}  # fmt: skip
_FREE_ROOTS = {"wandb", "hydra", "cache", "verdict"}
_ARCHITECTURE_ROOTS = {"encoder", "tokenizer"}  # a checkpoint brings its own
_TRAINER_SETTINGS = {"trainer.precision", "trainer.accumulate"}
_TASK_SETTINGS = {"task.max_length", "task.stride"}
_WITHOUT_NETWORK = {"strategy", "data", "task"}  # roots of what a control without a network depends on


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A variant that was tried, and its dev score with each tuning seed."""

    variant: dict[str, Any]
    devs: dict[Any, float]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The scored runs of a cell, and how they were chosen."""

    runs: list[Run]
    variant: dict[str, Any]
    trials: int
    trial_devs: list[float]
    tried: list[Trial]  # the same with their settings, seed by seed
    tuning_seeds: list[Any]
    held_out: bool
    edge: list[str]
    ties: list[dict[str, Any]]  # other variants whose mean dev score is exactly that of the chosen one
    repeated: int


def choose(arm: Arm, runs: list[Run]) -> Choice:
    """Choose the variant of one cell; diverged runs hold the scores of the majority answer.

    Runs of a tuning that left the test set alone (``test=false``) are no candidates beside scored ones; they tell what
    was tried where the scored runs have one variant. A trial whose test set was scored later is both.
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
        tried=tried.tried, ties=tried.ties, tuning_seeds=tried.tuning_seeds,
        held_out=not any(run["seed"] in tried.tuning_seeds for run in choice.runs),
    )  # fmt: skip


def _epoch(run: Run) -> int:
    """Return the results epoch of a run: a mended bug's number is not served again because its run ended last."""
    found = run.lineage.get("results")
    return found if isinstance(found, int) else 0


def _best(arm: Arm, runs: list[Run]) -> Choice:
    """Choose the variant of some runs."""
    variants, values = _variants(arm, _tried(arm, runs))
    planned = {name: {run["seed"] for run in members} for name, members in variants.items()}
    shared = set.intersection(*planned.values())
    merits = {name: _merit(members, shared or planned[name]) for name, members in variants.items()}
    top = max(merits.values())
    equal = [name for name in sorted(variants) if _ties(merits[name], top)]
    best = equal[taken([values[name] for name in equal], list(values.values()))]
    ties = [name for name in equal if name != best]
    held_out = len(variants) > 1 and bool(shared) and bool(planned[best] - shared)
    ended = [run for run in variants[best] if _ended(run)]
    newest: dict[tuple[Any, str], Run] = {}
    for run in sorted(ended, key=lambda run: (_epoch(run), run.updated)):
        newest[run["seed"], pretraining(run) if arm.crossed else ""] = run
    scored = [run for key, run in sorted(newest.items(), key=_order) if not (held_out and key[0] in shared)]
    return Choice(
        runs=scored,
        variant=values[best],
        trials=len(variants),
        trial_devs=[dev for members in variants.values() if (dev := _merit(members, shared)[1]) > float("-inf")],
        tried=[
            Trial(variant=values[name], devs=devs)
            for name, members in variants.items()
            if (devs := {run["seed"]: run["dev"] for run in _with_dev(members, shared)})
        ],
        tuning_seeds=sorted(shared or planned[best], key=str),
        held_out=held_out,
        edge=_edge(values[best], list(values.values())),
        ties=[values[name] for name in ties],
        repeated=len(ended) - len(newest),
    )


def _ended(run: Run) -> bool:
    """Whether a run has an outcome: it finished, or it diverged and its majority answer is known."""
    return run.state == "finished" or (run.diverged and (run["dev"] is not None or run["test"] is not None))


def _tried(arm: Arm, runs: list[Run]) -> list[Run]:
    """Return the runs of the variants that were tried: not of one whose runs all failed without an outcome.

    Such a one is a typing mistake or a full disk, no setting that was worse. Where nothing else is there, all count.
    """
    variants, _ = _variants(arm, runs)
    tried = [
        run
        for members in variants.values()
        if any(run.state != "failed" or run.diverged for run in members)
        for run in members
    ]
    return tried or runs


def _variants(arm: Arm, runs: list[Run]) -> tuple[dict[str, list[Run]], dict[str, dict[str, Any]]]:
    """Return the runs of each variant, and its settings, by a name of the settings that differ."""
    settings = [_settings(arm, run) for run in runs]
    keys = sorted({key for one in settings for key in one})
    differing = [key for key in keys if len({json.dumps(one.get(key), default=str) for one in settings}) > 1]
    variants: dict[str, list[Run]] = defaultdict(list)
    values: dict[str, dict[str, Any]] = {}
    for run, setting in zip(runs, settings, strict=True):
        variant = {key: setting.get(key) for key in differing}
        name = json.dumps(variant, default=str)
        variants[name].append(run)
        values[name] = variant
    return variants, values


def _merit(runs: list[Run], seeds: set[Any]) -> tuple[float, float]:
    """Return (share of the runs of these seeds that finished, mean dev score of those with an outcome)."""
    among = [run for run in runs if run["seed"] in seeds]
    finished = sum(run.state == "finished" and run["dev"] is not None for run in among)
    mean = estimate([run["dev"] for run in _with_dev(runs, seeds)])
    return (finished / max(1, len(among)), mean.mean if mean else float("-inf"))


def _with_dev(runs: list[Run], seeds: set[Any]) -> list[Run]:
    """Return the runs of some seeds that have an outcome on dev."""
    return [run for run in runs if run["seed"] in seeds and _ended(run) and run["dev"] is not None]


def _ties(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one == other or (one[0] == other[0] and abs(one[1] - other[1]) <= EQUAL)


def _settings(arm: Arm, run: Run) -> dict[str, Any]:
    """Return the config keys of a run that may make it a variant."""
    config = run.config or {"optim.lr": run["lr"]}
    return {key: value for key, value in config.items() if _varies(key, arm, bool(config.get("checkpoint")))}


def _varies(key: str, arm: Arm, from_checkpoint: bool) -> bool:
    root = key.split(".", 1)[0]
    if key in _FREE or root in _FREE_ROOTS:
        return False
    if root == "trainer":
        return arm.network and key in _TRAINER_SETTINGS
    if root == "task":
        return arm.network and key in _TASK_SETTINGS
    if not arm.network:
        return root in _WITHOUT_NETWORK and key != "data.batch_size"
    return not (from_checkpoint and root in _ARCHITECTURE_ROOTS)


def _edge(variant: dict[str, Any], grid: Iterable[dict[str, Any]]) -> list[str]:
    """Return the numeric settings whose chosen value is the smallest or largest of three or more tried."""
    tried_of = {key: {one[key] for one in grid if isinstance(one[key], int | float)} for key in variant}
    return [
        key
        for key, value in variant.items()
        if len(tried_of[key]) >= 3 and value in (min(tried_of[key]), max(tried_of[key]))
    ]


def _order(item: tuple[tuple[Any, str], Run]) -> tuple[float, str, str]:
    seed, parent = item[0]
    return (float(seed) if isinstance(seed, int | float) else float("inf"), str(seed), parent)


def shown(value: Any) -> str:
    """Return a setting's value as a reader writes it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def in_words(variant: dict[str, Any]) -> str:
    """Return a variant in words: ``lr 0.001, strategy.decay 2.6``."""
    names = {"optim.lr": "lr"}
    return ", ".join(f"{names.get(key, key)} {shown(value)}" for key, value in variant.items())
