"""What a training has cost so far, with all that it comes from: a chain of trainings loses nothing on its way."""

from collections.abc import Mapping
from typing import Any

from thaw.track.cost import Clock
from thaw.train.module import Learner

COSTS = ("seconds", "cpu_seconds", "tokens", "flops")


def spent(module: Learner, clock: Clock) -> dict[str, Any]:
    """Return what a training has cost so far, its own part alone."""
    seconds = {"seconds": round(clock.train_seconds, 3), "cpu_seconds": round(clock.cpu_seconds, 3)}
    return {**seconds, "tokens": module.tokens, "flops": module.flops}


def spent_by(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of a run that has finished, from its row."""
    return {key: row["train_seconds" if key == "seconds" else key] for key in COSTS}


def costs(own: Mapping[str, Any], parent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the costs of a training (``own``) and, summed, of it and all its ancestors, for a checkpoint's lineage.

    ``parent`` is the lineage of the checkpoint it starts from, empty where it starts from random weights. An imported
    encoder, which no run of ours has trained, has no costs to add. What a checkpoint of a run does not tell is unknown
    for all that comes from it: one written before CPU seconds were kept, or before a kept transfer told what it cost.
    """
    trained = parent.get("run_id") is not None or parent.get("parent_run") is not None
    known = {key for key in COSTS if parent.get(key) is not None or not trained}
    totals = {key: own[key] + (parent.get(key) or 0) if key in known else None for key in COSTS}
    return {"own": dict(own), **totals}


def ancestors_row(parent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row that tell what its encoder comes from and what that has cost, ancestors included."""
    return {"pretrain_run": parent.get("run_id"), **{f"pretrain_{key}": parent.get(key) for key in COSTS}}
