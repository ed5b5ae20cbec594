"""The plan of a strategy as a run recorded it: from which step which group of parameters learns, and how fast.

Read from ``plan.txt``, which people read too: a line of group names, then a line a stretch of steps, ``-`` is frozen.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from thaw.track.bounded import content

PLAN = "plan.txt"
MOST = 1 << 20  # bytes
LATEST = 10**15  # step
_FIRST = "from step"


@dataclass(frozen=True)
class Plan:
    """Groups from the input to the output, and stretches: first step and the factor of each group, None is frozen."""

    groups: tuple[str, ...]
    stretches: tuple[tuple[int, tuple[float | None, ...]], ...]


def read_plan(folder: Path) -> Plan | None:
    """Return the plan of a run folder, None where there is none or it can not be read."""
    try:
        lines = content(folder / PLAN, MOST).decode("utf-8").splitlines()
        head = next(i for i, line in enumerate(lines) if line.strip().startswith(_FIRST))
        groups = tuple(lines[head].strip().removeprefix(_FIRST).split())
        stretches = tuple(_stretch(line) for line in lines[head + 1 :] if line.strip())
    except (OSError, ValueError, StopIteration):
        return None
    whole = groups and stretches and all(len(factors) == len(groups) for _, factors in stretches)
    whole = whole and all(0 <= step < LATEST and all(map(_is_factor, factors)) for step, factors in stretches)
    return Plan(groups, stretches) if whole else None


def _is_factor(value: float | None) -> bool:
    return value is None or (math.isfinite(value) and value >= 0)


def _stretch(line: str) -> tuple[int, tuple[float | None, ...]]:
    step, *factors = line.split()
    return int(step), tuple(None if one == "-" else float(one.removeprefix("x")) for one in factors)
