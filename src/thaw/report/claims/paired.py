"""Which runs of two arms pair: those of one seed, for every pretraining that the transfer starts from.

Several pretrainings of one recipe are one arm, and a cell then holds a run for each of them and each seed. Scratch
starts from none, so its run of a seed pairs with every pretraining.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from thaw.report.arms import Arm
from thaw.report.claims.sides import Sides, Size
from thaw.report.collect import Run
from thaw.report.recipes import pretraining

Sourced = Mapping[str, Mapping[int, Run]]  # pretraining ("" for none) -> seed -> run


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The runs of one seed, with the pretraining of the transfer."""

    source: str
    seed: int
    transfer: Run
    scratch: Run


def sourced(sides: Sides, task: str, arm: Arm, size: Size) -> dict[str, dict[int, Run]]:
    """Return the scored runs of a cell by pretraining ("" for an arm that crosses none, as in scores) and seed."""
    cell = sides.cells.get((task, arm, size))
    runs: dict[str, dict[int, Run]] = {}
    for run in cell.runs if cell else []:
        runs.setdefault(pretraining(run) if arm.crossed else "", {})[run["seed"]] = run
    return runs


def pairs(transfer: Sourced, scratch: Sourced) -> list[Pair]:
    """Return the pairs of two cells, by pretraining and seed; scratch's run is of the same pretraining if it has one.

    Where scratch has none of that pretraining, its last run of the seed is taken.
    """
    by_seed = {seed: run for runs in scratch.values() for seed, run in runs.items()}
    paired = []
    for source in sorted(transfer):
        base = scratch.get(source) or by_seed
        paired += [
            Pair(source=source, seed=seed, transfer=transfer[source][seed], scratch=base[seed])
            for seed in sorted(transfer[source].keys() & base.keys())
        ]
    return paired
