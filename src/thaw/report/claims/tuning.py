"""What was tried for each arm: expected validation performance against the number of trials.

Source: Dodge et al. 2019 (Show Your Work), with the unbiased estimator of the expected maximum of k trials drawn
without replacement (Dodge et al. 2021, after Tang et al. 2020). A trial is a setting; its dev score is the mean over
the tuning seeds, the seeds that every setting of the cell has.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

from thaw.report.arms import Arm
from thaw.report.cells import Cell


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Expected best dev score of an arm after 1, 2, ... trials, averaged over its tasks and sizes."""

    arm: Arm
    cells: int
    expected: list[float]


def expected_maximum(scores: Sequence[float]) -> list[float]:
    """Return the expected maximum of k of the scores, for k from 1 to all."""
    ordered, n = sorted(scores), len(scores)
    return [
        sum(comb(place, k - 1) * score for place, score in enumerate(ordered) if place >= k - 1) / comb(n, k)
        for k in range(1, n + 1)
    ]


def tuning(cells: Sequence[Cell]) -> list[Tuning]:
    """Return the curve of every arm that has cells with several trials; of the cells with most trials."""
    found: dict[Arm, list[list[float]]] = defaultdict(list)
    for cell in cells:
        if len(cell.trial_devs) > 1:
            found[cell.arm].append(expected_maximum(cell.trial_devs))
    made = []
    for arm, curves in sorted(found.items(), key=lambda item: item[0].order):
        most = max(map(len, curves))
        whole = [curve for curve in curves if len(curve) == most]
        mean = [sum(values) / len(whole) for values in zip(*whole, strict=True)]
        made.append(Tuning(arm=arm, cells=len(whole), expected=mean))
    return made
