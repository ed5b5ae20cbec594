"""By which recipe a checkpoint was made: what its run is, all but the seeds of it and of the runs it comes from.

Checkpoints of one recipe differ by chance alone, so a report takes them as repetitions of one pretraining. A checkpoint
on the way (``save_at``) is another recipe than the one at the end. No torch here.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thaw.config import PretrainConfig, TransferConfig
from thaw.fields import identity_of
from thaw.job.identity import pretrain_id, task_content
from thaw.track.identity import run_id

ON_THE_WAY = "checkpoints"  # the folder of a pretraining that holds them


def pretrain_recipe(config: PretrainConfig, parent: Mapping[str, Any] | None, folder: Path) -> str:
    """Return the recipe of the checkpoint that a pretraining writes to ``folder``; ``parent`` is its parent's lineage.

    A parent that names no recipe (it was imported, or is older) counts by its content, as in the run id.
    """
    known = _recipe(parent)
    alone = dataclasses.replace(config, seed=0, checkpoint=None if known else config.checkpoint)
    at = folder.name if folder.parent.name == ON_THE_WAY else "end"
    return run_id({"pretraining": pretrain_id(alone), "parent": known, "at": at})


def transfer_recipe(config: TransferConfig, parent: Mapping[str, Any] | None, content: str | None) -> str:
    """Return the recipe of the checkpoint that a transfer keeps; ``content`` names its parent where no recipe does."""
    fields = identity_of(config)
    del fields["seed"]
    return run_id({"transfer": fields, "task": task_content(config), "parent": _recipe(parent) or content})


def _recipe(lineage: Mapping[str, Any] | None) -> str | None:
    found = (lineage or {}).get("recipe")
    return found if isinstance(found, str) else None
