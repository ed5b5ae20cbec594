"""Which pretrainings are made by one recipe, so that they differ by their seed alone.

Such pretrainings are a factor of a study, as its seeds are: their transfers are one arm. A run says of its checkpoint
by which recipe it was made (``recipe`` in ``lineage.json``: the identity of the pretraining without its seed, and at
which of its steps the checkpoint was taken). Runs from before 2026-11-29 do not; there two pretrainings are one recipe
only where both of their run folders are in the study and tell it: equal settings but for the seed, equal text, equal
tokenizer. Equal costs and sizes are not enough: two corpora give encoders of one size.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from typing import Any

from thaw.report.run import Run

# Settings of a pretraining that say where, who and how fast, or name by path what its lineage names by content.
_FREE = {"name", "seed", "runs", "debug", "keep", "forked", "corpus.paths", "data.processes"}
_FREE_ROOTS = {"wandb", "hydra", "cache", "tokenizer"}
_TRAINER_IDENTITY = {"trainer.precision", "trainer.accumulate"}


def recipes(runs: Iterable[Run]) -> dict[int, str]:
    """Return the recipe of the checkpoint that each run starts from, by ``id(run)``; runs that do not tell are out."""
    members = list(runs)
    parents = {str(run["run_id"]): run for run in members if run["kind"] == "pretrain"}
    found = {}
    for run in members:
        if run.transfers and (recipe := _recipe(run, parents)):
            found[id(run)] = recipe
    return found


def pretraining(run: Run) -> str:
    """Return what names the pretraining that a run starts from: its run id, else its weights; "" if there is none."""
    found = (run["pretrain_run"], run.lineage.get("parent_run"), run["checkpoint"], run.lineage.get("checkpoint"))
    return str(next((one for one in found if one), ""))


def _recipe(run: Run, parents: dict[str, Run]) -> str:
    if isinstance(recipe := run.lineage.get("recipe"), str):
        return recipe
    parent = parents.get(pretraining(run))
    if parent is None or not parent.config or not parent.lineage.get("corpus"):
        return ""
    settings = {key: value for key, value in parent.config.items() if _counts(key)}
    content = {key: parent.lineage.get(key) for key in ("corpus", "tokenizer", "checkpoint")}
    return _digest([settings, content, _place(str(run.config.get("checkpoint") or ""), str(parent["run_id"]))])


def _counts(key: str) -> bool:
    root = key.split(".", 1)[0]
    if root == "trainer":
        return key in _TRAINER_IDENTITY
    return key not in _FREE and root not in _FREE_ROOTS


def _place(path: str, run_id: str) -> list[str]:
    """Return which of a pretraining's checkpoints a path names: what stands behind the run id, nothing for the last."""
    parts = os.path.normpath(path).split(os.sep)
    behind = parts[parts.index(run_id) + 1 :] if run_id in parts else parts[-1:]
    return [] if behind == ["checkpoint"] else behind


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:10]
