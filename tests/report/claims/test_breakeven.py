"""Break-even: what was paid over what a task saves, by the clock of the verdict."""

import pytest

from report.claims.curved import curved
from report.claims.made_up import compared
from thaw.report.claims.breakeven import break_even

SCRATCH, QUICK, NEVER = [0.2, 0.4, 0.6, 0.8, 0.8], [0.2, 0.8, 0.9, 0.9, 0.9], [0.2, 0.3, 0.4, 0.5, 0.5]
LOOKS = (0, 50, 100, 150, 200)


def paid(scores):
    runs = []
    for seed in (1, 2):
        runs.append(curved("scratch", seed, SCRATCH, looks=LOOKS, wait=2.0))
        runs.append(curved("full", seed, scores, looks=LOOKS, wait=2.0, pretrain_seconds=60.0))
    sides = compared(*runs)
    return break_even(sides, "trec", next(arm for arm in sides.arms if arm.strategy == "full"), 100), sides


def test_it_is_pretraining_over_what_a_task_saves():
    found, _ = paid(QUICK)
    assert (found.clock, found.scratch, found.transfer, found.pretraining) == ("seconds", 30, 10, 60)
    assert found.tasks == pytest.approx(60 / 20)


def test_by_cpu_seconds_where_those_of_the_pretraining_are_known():
    found, sides = paid(QUICK)
    for cell in sides.cells.values():
        for run in cell.runs:
            run.row["pretrain_cpu_seconds"] = 45.0
    found = break_even(sides, "trec", found.arm, 100)
    assert (found.clock, found.scratch, found.transfer, found.pretraining) == ("cpu_seconds", 15, 5, 45)


def test_a_run_that_never_arrives_saves_nothing_and_costs_its_whole_training():
    found, _ = paid(NEVER)
    assert found.tasks is None
    assert (found.transfer, found.saved.mean) == (30 + 40, -40)
