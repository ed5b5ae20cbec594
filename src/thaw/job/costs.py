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
    encoder has no costs to add. A checkpoint written before CPU seconds were kept leaves them unknown.
    """
    known = {key for key in COSTS if key in parent or "seconds" not in parent}
    totals = {key: own[key] + (parent.get(key) or 0) if key in known else None for key in COSTS}
    return {"own": dict(own), **totals}


def ancestors_row(parent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row that tell what its encoder comes from and what that has cost, ancestors included."""
    return {"pretrain_run": parent.get("run_id"), **{f"pretrain_{key}": parent.get(key) for key in COSTS}}
