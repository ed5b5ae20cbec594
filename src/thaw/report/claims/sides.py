"""The two sides of a comparison: the transfer a verdict is about, and what it must beat, paired by task, size, seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thaw.report.arms import Arm, baseline_of
from thaw.report.cells import Cell
from thaw.report.claims.rule import Rule
from thaw.report.collect import Run, size_key

Size = int | float


@dataclass(frozen=True)
class Sides:
    """The cells of a study as a table, and which arm is the transfer."""

    cells: dict[tuple[str, Arm, Any], Cell]
    transfer: Arm | None
    rule: Rule

    @property
    def arms(self) -> list[Arm]:
        """All arms, in the order of tables."""
        return sorted({arm for _, arm, _ in self.cells}, key=lambda arm: arm.order)

    @property
    def tasks(self) -> list[str]:
        """All tasks, by name."""
        return sorted({task for task, _, _ in self.cells})

    def sizes(self, task: str, arm: Arm) -> list[Size]:
        """Return the train sizes of an arm on a task that are numbers, smallest first."""
        found = {size for one, other, size in self.cells if (one, other) == (task, arm)}
        return sorted((size for size in found if isinstance(size, int | float)), key=size_key)

    def headline(self, task: str, *arms: Arm) -> list[Size]:
        """Return the sizes all these arms have and the rule's verdicts are about."""
        shared = set.intersection(*(set(self.sizes(task, arm)) for arm in arms))
        return sorted(size for size in shared if not self.rule.sizes or size in self.rule.sizes)

    def runs(self, task: str, arm: Arm, size: Size) -> dict[int, Run]:
        """Return the scored runs of a cell by seed."""
        cell = self.cells.get((task, arm, size))
        return {run["seed"]: run for run in cell.runs} if cell else {}

    def scores(self, task: str, arm: Arm, size: Size) -> dict[int, float]:
        """Return the test scores of a cell by seed."""
        return {seed: run["test"] for seed, run in self.runs(task, arm, size).items() if run["test"] is not None}

    def scratch(self, task: str, arm: Arm) -> Arm | None:
        """Return the scratch arm that an arm is compared with on a task."""
        peers = {other for one, other, _ in self.cells if one == task}
        found = baseline_of(arm, peers)
        return found if found != arm else None

    def control(self, strategy: str) -> Arm | None:
        """Return the arm of a control, None where it was not run."""
        return next((arm for arm in self.arms if arm.strategy == strategy), None)

    def gap(self, task: str, one: Arm, other: Arm) -> dict[int, float] | None:
        """Return for each seed the mean over headline sizes of ``one - other``, None where they share no size."""
        parts = [
            difference(self.scores(task, one, size), self.scores(task, other, size))
            for size in self.headline(task, one, other)
        ]
        return mean_effect(parts) if parts else None

    @property
    def transfers(self) -> list[Arm]:
        """The arms that use pretrained weights."""
        return [arm for arm in self.arms if arm.transfers]


def sides(cells: Sequence[Cell], rule: Rule) -> Sides:
    """Return the sides of a study: of several encoders the one with most cells, then with most pretraining.

    Where the rule's strategy was not run, the transfer with most cells takes its place.
    """
    table = {(cell.task, cell.arm, cell.train_size): cell for cell in cells}
    found = Sides(table, None, rule)

    def weight(arm: Arm) -> tuple[bool, int, float]:
        own = [cell for cell in cells if cell.arm == arm]
        flops = [run["pretrain_flops"] or 0.0 for cell in own for run in cell.runs]
        return arm.strategy == rule.strategy, len(own), max(flops, default=0.0)

    best = max(found.transfers, key=weight, default=None)
    return Sides(table, best, rule)


def mean_effect(per_size: Sequence[dict[int, float]]) -> dict[int, float]:
    """Return the mean over sizes for each seed that all sizes have."""
    if not per_size:
        return {}
    seeds = set.intersection(*map(set, per_size))
    return {seed: sum(values[seed] for values in per_size) / len(per_size) for seed in sorted(seeds)}


def difference(one: dict[int, float], other: dict[int, float]) -> dict[int, float]:
    """Return ``one - other`` for the seeds both have."""
    return {seed: one[seed] - other[seed] for seed in sorted(one.keys() & other.keys())}
