"""By which recipe a checkpoint was made: what its run is, all but the seeds of it and of the runs it comes from.

Checkpoints of one recipe differ by chance alone, so a report takes them as repetitions of one pretraining. A checkpoint
on the way (``save_at``) is another recipe than the one at the end. No torch here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thaw.config import PretrainConfig, TransferConfig
from thaw.job.identity import pretrain_identity, transfer_identity
from thaw.track.identity import run_id

ON_THE_WAY = "checkpoints"  # the folder of a pretraining that holds them


def pretrain_recipe(config: PretrainConfig, parent: Mapping[str, Any] | None, folder: Path, steps: int) -> str:
    """Return the recipe of the checkpoint that a pretraining writes to ``folder``; ``parent`` is its parent's lineage.

    ``steps`` are the optimizer steps of the whole pretraining: a budget of time gives each seed a number of its own.
    A parent that names no recipe (it was imported, or is older) counts by its content, as in the run id.
    """
    place = folder.name if folder.parent.name == ON_THE_WAY else "end"
    return run_id({**_without_chance(pretrain_identity(config), parent), "steps": steps, "at": place})


def transfer_recipe(config: TransferConfig, parent: Mapping[str, Any] | None) -> str:
    """Return the recipe of the checkpoint that a transfer keeps; ``parent`` is None where its weights began at random.

    The run's identity holds the results epoch, a plug-in's version, and of a ``scratch`` its shape by content.
    """
    return run_id(_without_chance(transfer_identity(config), parent))


def _without_chance(fields: dict[str, Any], parent: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a run's identity without its seed; a parent that names its recipe stands there by that."""
    recipe = (parent or {}).get("recipe")
    chance = {"seed", "checkpoint"} if isinstance(recipe, str) else {"seed"}
    kept = {key: value for key, value in fields.items() if key not in chance}
    return kept | ({"parent": recipe} if isinstance(recipe, str) else {})
