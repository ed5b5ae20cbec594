"""The best-dev weights of a run with ``test=false``, so that ``test=true`` scores the test set without training.

Decisions: only what has learnt is kept, the rest follows from the checkpoint or the seed again; so a frozen encoder
leaves its head alone, a few kilobytes. All of ``full`` on encoder=mini with 8,000 pieces are 21 MB. What is larger than
``keep_best`` is not kept: a tuning has many runs and few of them are ever scored. A digest of all weights and the
run's id is kept too, so that other weights than those that dev has scored are never taken for them.
"""

import contextlib
import hashlib

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from thaw.storage import write_bytes
from thaw.track.folder import BEST, RunFolder
from thaw.train.module import Learner

_DIGEST = "weights"  # key of the file's metadata


def keep(folder: RunFolder, module: Learner, moved: set[str], most: float) -> bool:
    """Write the parameters whose names are in ``moved``, unless they are more than ``most`` megabytes."""
    chosen = {name: value for name, value in _parameters(module).items() if name in moved}
    if sum(value.numel() * value.element_size() for value in chosen.values()) > most * 1e6:
        return False
    tensors = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in chosen.items()}
    write_bytes(folder.path / BEST, save(tensors, {_DIGEST: _digest(folder, module)}))
    return True


def load(folder: RunFolder, module: Learner) -> bool:
    """Put the kept weights into a new module of the same run; False where there are none, or not these."""
    path, parameters = folder.path / BEST, _parameters(module)
    before = {name: value.detach().clone() for name, value in parameters.items()}
    unfit = contextlib.suppress(OSError, SafetensorError, KeyError, TypeError, RuntimeError)
    with unfit, torch.no_grad(), safe_open(path, "pt") as file:
        for name in file.keys():  # noqa: SIM118  it is no dictionary
            parameters[name].copy_(file.get_tensor(name))
        if file.metadata()[_DIGEST] == _digest(folder, module):
            return True
    with torch.no_grad():
        for name, value in parameters.items():
            value.copy_(before[name])
    return False


def remove(folder: RunFolder) -> None:
    """Remove the kept weights: the test set has been scored."""
    (folder.path / BEST).unlink(missing_ok=True)


def _parameters(module: Learner) -> dict[str, Tensor]:
    """Return the parameters by the names that the audit gives them."""
    groups = module.parameter_groups_in_order
    return {f"{group.name}.{name}": value for group in groups for name, value in group.named_parameters()}


def _digest(folder: RunFolder, module: Learner) -> str:
    """Return the SHA-256 of the run's id and all weights."""
    digest = hashlib.sha256(folder.path.name.encode())
    for name, value in sorted(module.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
