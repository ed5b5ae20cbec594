"""The two sides of a comparison: the transfer a verdict is about, and what it must beat, paired by task, size, seed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thaw.report.arms import Arm, baseline_of
from thaw.report.cells import Cell, over_pretrainings
from thaw.report.claims.rule import Rule
from thaw.report.collect import Run, size_key
from thaw.report.strategy import FLOOR
from thaw.report.words import listed

Size = int | float
TAMER = "Give scratch a lower rate or a longer warm-up."


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
        """Return the sizes with scores of all these arms that the rule's verdicts are about; a tuning has no score."""
        shared = set.intersection(*(set(self.sizes(task, arm)) for arm in arms))
        asked = [size for size in sorted(shared) if not self.rule.sizes or size in self.rule.sizes]
        return [size for size in asked if all(self.scores(task, arm, size) for arm in arms)]

    def runs(self, task: str, arm: Arm, size: Size) -> dict[int, Run]:
        """Return a scored run of a cell for each seed; of several pretrainings the last one's."""
        return {seed: members[-1] for seed, members in self.all_runs(task, arm, size).items()}

    def all_runs(self, task: str, arm: Arm, size: Size) -> dict[int, list[Run]]:
        """Return the scored runs of a cell by seed, one for each pretraining."""
        cell = self.cells.get((task, arm, size))
        members: dict[int, list[Run]] = {}
        for run in cell.runs if cell else []:
            members.setdefault(run["seed"], []).append(run)
        return members

    def by_pretraining(self, task: str, arm: Arm, size: Size) -> dict[str, dict[int, float]]:
        """Return the test scores of a cell by pretraining and seed; "" for an arm that crosses no pretrainings.

        Runs of one arm that come from several pretrainings are of one recipe, which differs only by its seed.
        """
        cell = self.cells.get((task, arm, size))
        return cell.by_pretraining if cell else {}

    def scores(self, task: str, arm: Arm, size: Size) -> dict[int, float]:
        """Return the test scores of a cell by seed, of several pretrainings their mean.

        A seed counts that every pretraining has; where none is, a seed counts with the pretrainings it has.
        """
        return over_pretrainings(self.by_pretraining(task, arm, size))

    def scratch(self, task: str, arm: Arm) -> Arm | None:
        """Return the scratch arm that an arm is compared with on a task."""
        peers = {other for one, other, _ in self.cells if one == task}
        found = baseline_of(arm, peers)
        return found if found != arm else None

    def comparable(self, arm: Arm) -> bool:
        """Whether an arm may be compared with the transfer: it trains no network, or one with as many steps."""
        return not arm.network or self.transfer is None or arm.steps == self.transfer.steps

    def control(self, strategy: str) -> Arm | None:
        """Return the arm of a control, None where none was run that may be compared with the transfer.

        Of several that of the transfer's own architecture.
        """
        peers = [arm for arm in self.arms if arm.strategy == strategy and self.comparable(arm)]
        own = [arm for arm in peers if self.transfer is not None and arm.source == self.transfer.source]
        return own[0] if own else peers[0] if len(peers) == 1 else None

    def tuned(self, arm: Arm) -> bool:
        """Whether the learning rate of an arm was tuned in every cell it was scored in, or it has none."""
        return all(cell.tuned for (_, cell_arm, _), cell in self.cells.items() if cell_arm == arm and cell.runs)

    def gap(self, task: str, one: Arm, other: Arm) -> dict[int, float] | None:
        """Return for each seed the mean over headline sizes of ``one - other``, None where they share no size."""
        parts = [
            difference(self.scores(task, one, size), self.scores(task, other, size))
            for size in self.headline(task, one, other)
        ]
        return mean_effect(parts) if parts else None

    def gap_by_pretraining(self, task: str, arm: Arm, baseline: Arm) -> dict[str, dict[int, float]]:
        """Return ``gap`` for each pretraining of ``arm``, or of ``baseline`` where that alone has several.

        The other side is the same pretraining's, else the mean over its own.
        """
        sizes = self.headline(task, arm, baseline)
        ours = {size: self.by_pretraining(task, arm, size) for size in sizes}
        theirs = {size: self.by_pretraining(task, baseline, size) for size in sizes}
        crossing = theirs if baseline.crossed and not arm.crossed else ours
        shared = set.intersection(*map(set, crossing.values())) if crossing else set()
        gaps = {}
        for source in sorted(shared):
            one, other = (
                {size: values.get(source) or over_pretrainings(values) for size, values in side.items()}
                for side in (ours, theirs)
            )
            gaps[source] = mean_effect([difference(one[size], other[size]) for size in sizes])
        return gaps

    def floor(self, task: str) -> float | None:
        """Return the majority answer's test score on a task: as the runs recorded it, else as the control has it."""
        majority = self.control(FLOOR)
        own = [
            run.row.get("floor_test")
            for (cell_task, _, _), cell in self.cells.items()
            if cell_task == task
            for run in cell.runs
        ]
        scores = [score for score in own if score is not None] or [
            score
            for size in (self.sizes(task, majority) if majority else [])
            if majority
            for score in self.scores(task, majority, size).values()
        ]
        return math.fsum(scores) / len(scores) if scores else None

    def pretrainings(self, arm: Arm) -> int:
        """Return from how many pretrainings the scored runs of an arm start; 1 for an encoder of unknown origin."""
        sources = {source for task, cell_arm, size in self.cells if cell_arm == arm
                 for source in self.by_pretraining(task, arm, size)}  # fmt: skip
        return max(1, len(sources))

    def lost(self) -> str:
        """Say where most runs of scratch diverged: there it is nothing to be better than; "" where none did."""
        tasks = []
        for task in self.tasks if self.transfer else []:
            assert self.transfer is not None
            scratch = self.scratch(task, self.transfer)
            sizes = self.headline(task, self.transfer, scratch) if scratch else []
            runs = [run for size in sizes if scratch for run in self.cells[task, scratch, size].runs]
            if 2 * sum(run.diverged for run in runs) > len(runs):
                tasks.append(task)
        return f"most runs of scratch diverged on {listed(tasks)}, so there is no baseline" if tasks else ""

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
