"""What a run needs to go on where it stopped: tensors and counters, no pickle.

The state folder holds ``state.safetensors`` and ``state.json``; it is replaced as a whole.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from thaw.errors import ResumeError, StorageError
from thaw.storage import atomic_folder

FORMAT = 1  # of the state; raised when what a resume needs has changed


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
    """Write ``parts`` (name -> tensors) and ``info`` (JSON) to ``folder`` in one atomic step."""
    flat = {f"{part}/{key}": value.detach().cpu().contiguous() for part, d in parts.items() for key, value in d.items()}
    shared: dict[int, Tensor] = {}
    for key, value in flat.items():  # safetensors refuses tensors that share memory (tied weights)
        if value.data_ptr() in shared and value.numel():
            flat[key] = value.clone()
        shared[value.data_ptr()] = value
    with atomic_folder(folder) as temporary:
        save_file(flat, temporary / "state.safetensors")
        (temporary / "state.json").write_text(json.dumps({"format": FORMAT, **info}))


def exists(folder: Path) -> bool:
    """Whether there is a state to go on from."""
    return (folder / "state.json").is_file()


def load(folder: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]] | None:
    """Return ``(parts, info)`` of a state folder, None where there is none."""
    if not exists(folder):
        return None
    try:
        info = json.loads((folder / "state.json").read_text())
        flat = load_file(folder / "state.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise StorageError(f"damaged training state in {folder}: {error}, remove the folder to start again") from error
    if info.get("format") != FORMAT:
        found = info.get("format", "an older one")
        raise ResumeError(f"{folder} has training state format {found}, this thaw resumes {FORMAT}: remove the folder")
    parts: dict[str, dict[str, Tensor]] = {}
    for key, value in flat.items():
        part, name = key.split("/", 1)
        parts.setdefault(part, {})[name] = value
    return parts, info
