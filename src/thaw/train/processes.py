"""What the processes of a run have together: one of them records, so it asks the rest."""

from collections.abc import Sequence

import torch
from torch import distributed


def count() -> int:
    """Return how many processes train this run."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def totals(values: Sequence[float], device: torch.device) -> list[float]:
    """Return each value summed over all processes, all of which must call this at the same point of the run."""
    if count() == 1:
        return list(values)
    summed = torch.tensor(values, dtype=torch.float64, device=device)
    distributed.all_reduce(summed)
    return summed.tolist()


def agreed(number: int, device: torch.device) -> int:
    """Return the greatest of the processes' numbers, for which all of them must call this at the same point."""
    if count() == 1:
        return number
    greatest = torch.tensor(number, device=device)
    distributed.all_reduce(greatest, distributed.ReduceOp.MAX)
    return int(greatest)
