"""What a run needs to go on where it stopped: tensors and counters, no pickle.

The state folder holds two generations, ``step-000000120/``, each with ``state.safetensors``, ``state.json`` and the
SHA-256 of both. One is written as a whole beside the other, so a full disk or a kill leaves the older one. Damage is
found before use, and the generation before it is used.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from thaw.encoder.manifest import verify, write_manifest
from thaw.errors import ConfigError, ResumeError, StorageError
from thaw.storage import atomic_folder, sweep, told

FORMAT = 3  # of the state; raised when what a resume needs has changed
KEPT = 2  # generations
_UNREADABLE = (ValueError, KeyError, TypeError, RecursionError)  # JSON that is none, or of something else
TENSORS, INFO = "state.safetensors", "state.json"


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's moments as ``{group}.{parameter}.{name}`` -> tensor."""
    return {
        f"{g}.{p}.{name}": value
        for g, group in enumerate(optimizer.param_groups)
        for p, parameter in enumerate(group["params"])
        for name, value in optimizer.state.get(parameter, {}).items()
        if isinstance(value, Tensor)
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put the moments back where ``optimizer_tensors`` found them."""
    for key, value in tensors.items():
        g, p, name = key.split(".", 2)
        parameter = optimizer.param_groups[int(g)]["params"][int(p)]
        on_cpu = name == "step" and not optimizer.param_groups[int(g)].get("fused")  # as torch keeps it
        optimizer.state[parameter][name] = value if on_cpu else value.to(parameter.device)


def save(folder: Path, parts: dict[str, dict[str, Tensor]], info: dict[str, Any]) -> None:
    """Write ``parts`` (name -> tensors) and ``info`` (JSON, with the ``step``) as the newest generation.

    A failing disk gives StorageError; the generations before it stay.
    """
    flat = {f"{part}/{key}": value.detach().cpu().contiguous() for part, d in parts.items() for key, value in d.items()}
    shared: dict[int, Tensor] = {}
    for key, value in flat.items():  # safetensors refuses tensors that share memory (tied weights)
        if value.data_ptr() in shared and value.numel():
            flat[key] = value.clone()
        shared[value.data_ptr()] = value
    target = folder / f"step-{info['step']:09d}"
    with atomic_folder(target) as temporary:
        with told(target, SafetensorError):
            save_file(flat, temporary / TENSORS)
        (temporary / INFO).write_text(json.dumps({"format": FORMAT, **info}), "utf-8")
        write_manifest(temporary)
    found = generations(folder)
    newest = found.index(target)
    for other in found[:newest] + found[newest + KEPT :]:  # later ones were damaged: the run went on from before them
        shutil.rmtree(other, ignore_errors=True)


def generations(folder: Path) -> list[Path]:
    """Return the generations of a state, the newest first."""
    return sorted(folder.glob("step-*"), reverse=True)


def newest_step(folder: Path) -> int:
    """Return the step of the newest generation of a state, 0 where there is none."""
    steps = [path.name.removeprefix("step-") for path in generations(folder)]
    return next((int(step) for step in steps if step.isdecimal()), 0)


def load(
    folder: Path, run_id: str, tell: Callable[[str], None]
) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]] | None:
    """Return ``(parts, info)`` of the newest generation that is intact, None where there is none at all.

    A damaged generation is told of and the one before it used. Raises StorageError where none is intact, ResumeError
    where it belongs to another run or to another version of thaw.
    """
    sweep(folder)
    damage: StorageError | None = None
    for generation in generations(folder):
        try:
            parts, info = _read(generation)
        except StorageError as error:
            damage = damage or error
            continue
        if info.get("run_id", run_id) != run_id:
            raise ResumeError(f"{generation} is of run {info['run_id']}, not of {run_id}: remove {folder}")
        if damage is not None:
            tell(f"{damage}; that of step {info['step']} is used")
        return parts, info
    if damage is not None:
        raise StorageError(f"{damage}; no other is left, remove {folder} to start again")
    return None


def _read(generation: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    try:
        verify(generation)
        info = json.loads((generation / INFO).read_text("utf-8"))
        if info["format"] != FORMAT:
            formats = f"has training state format {info['format']}, this thaw resumes {FORMAT}"
            raise ResumeError(f"{generation} {formats}: remove {generation.parent}")
        flat = load_file(generation / TENSORS)
    except (ConfigError, StorageError, OSError, SafetensorError, *_UNREADABLE) as error:
        reason = str(error).partition(", restore")[0]
        raise StorageError(f"damaged training state: {reason}") from error
    parts: dict[str, dict[str, Tensor]] = {}
    for key, value in flat.items():
        part, _, name = key.partition("/")
        parts.setdefault(part, {})[name] = value
    return parts, info
