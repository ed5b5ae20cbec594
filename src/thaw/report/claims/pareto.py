"""Score against cost over all arms: which of them no other arm beats in both."""

from collections.abc import Sequence
from dataclasses import dataclass

from thaw.report.arms import Arm
from thaw.report.cells import Cell
from thaw.report.claims.area import spent
from thaw.report.statistics import Estimate, estimate

COSTS = ("cpu_seconds", "flops", "seconds")


@dataclass(frozen=True, kw_only=True)
class Point:
    """What an arm costs and scores on one task at one train size; pretraining is not in the cost."""

    task: str
    arm: Arm
    size: object  # number of labels, or "all"
    clock: str
    cost: float  # of training, mean over the scored runs
    test: Estimate
    front: bool  # no other arm scores as high for less, or higher for as little


def points(cells: Sequence[Cell]) -> list[Point]:
    """Return the points of every arm by task, train size and cost."""
    found = []
    places = dict.fromkeys((cell.task, cell.train_size) for cell in cells)
    for task, size in places:
        members = [cell for cell in cells if (cell.task, cell.train_size) == (task, size) and cell.test is not None]
        for clock in COSTS:
            known = [(cell, cost) for cell in members if (cost := _cost(cell, clock)) is not None]
            found += [
                Point(
                    task=task, arm=cell.arm, size=size, clock=clock, cost=cost, test=cell.test,
                    front=not any(
                        _beats(_score(other), price, _score(cell), cost) for other, price in known if other is not cell
                    ),
                )
                for cell, cost in known
                if cell.test is not None
            ]  # fmt: skip
    return found


def _score(cell: Cell) -> float:
    assert cell.test is not None
    return cell.test.mean


def _beats(score: float, cost: float, other: float, price: float) -> bool:
    return score >= other and cost <= price and (score > other or cost < price)


def _cost(cell: Cell, clock: str) -> float | None:
    mean = estimate([cost for run in cell.runs if (cost := spent(run, clock)) is not None])
    return mean.mean if mean is not None else None
