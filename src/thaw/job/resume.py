"""Save what a run needs to go on, and go on from it: under the same run id, whatever the speed settings are then.

A run id is made of what changes the result, so a state always fits its run. Settings of speed, the number of threads,
the version of torch and the source of this package may differ; then the bits may too, or, with other code, more. That
is told, and kept in the lineage for the report. A state that can not be saved ends no run: it is told, and tried again
when the next one is due.
"""

from typing import Any

import torch
from torch import Tensor

from thaw import fields
from thaw.config import PretrainConfig, TransferConfig
from thaw.errors import StorageError
from thaw.job.record import Record
from thaw.job.source import source
from thaw.job.tell import tell
from thaw.track.folder import LINEAGE
from thaw.train import state

Parts = dict[str, dict[str, Tensor]]


def machine(config: PretrainConfig | TransferConfig) -> dict[str, Any]:
    """Return what equal bits need beside the run id: threads, torch, our source, the trainer's settings of speed."""
    speeds = {name: getattr(config.trainer, name) for name in fields.names(config.trainer, "speed")}
    return {**speeds, "threads": torch.get_num_threads(), "torch": torch.__version__, "source": source()}


def save(rec: Record, config: PretrainConfig | TransferConfig, parts: Parts, info: dict[str, Any]) -> int:
    """Write the state of a run; only its first process does. Return the step from which the run would go on.

    That is the step of ``info``; of an older state where this one can not be written, 0 where there is none.
    """
    if not rec.leads:
        return int(info["step"])
    own = {"run_id": rec.run_id, "machine": machine(config), "resumed": rec.resumed, "lost": rec.lost}
    try:
        rec.write_events()  # a state whose events are not on disk would be gone on from without them
        state.save(rec.folder.training_state, parts, {**own, **info})
    except StorageError as error:
        rec.not_saved(error)
        return state.newest_step(rec.folder.training_state)
    rec.saved()
    return int(info["step"])


def load(rec: Record, config: PretrainConfig | TransferConfig) -> tuple[Parts, dict[str, Any]] | None:
    """Return the state to go on from, None where there is none; tell what is not as it was."""
    say = tell if rec.leads else _silent
    found = state.load(rec.folder.training_state, rec.run_id, say)
    if found is None:
        return None
    try:
        before, rec.resumed = dict(found[1]["machine"]), list(found[1]["resumed"])
    except (KeyError, TypeError, ValueError) as error:
        folder = rec.folder.training_state
        raise StorageError(
            f"damaged training state: {folder} does not say where it ran, remove it to start again"
        ) from error
    rec.saved()
    rec.lost = {str(what): str(why) for what, why in dict(found[1].get("lost") or {}).items()}
    before.setdefault("source", (rec.folder.read(LINEAGE) or {}).get("source"))  # a state of before it was kept there
    now = machine(config)
    changed = {key: [before.get(key), now[key]] for key in now if before.get(key) != now[key]}
    if changed:
        rec.resumed = [*rec.resumed, {"step": found[1]["step"], "changed": changed}]
        shown = ", ".join(f"{key} {old} -> {new}" for key, (old, new) in changed.items())
        equal = (
            "other code, whose results may differ" if "source" in changed else "equal beyond rounding, not to the bit"
        )
        say(f"{rec.run_id} goes on at step {found[1]['step']} with {shown}: {equal}")
    return found


def _silent(note: str) -> None:
    """Say nothing: another process does."""
