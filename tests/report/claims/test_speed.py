"""Time to a target: what is censored is neither dropped nor taken for transfer's good."""

import math

import pytest

from report.claims.made_up import compared, run
from thaw.report.claims import speed
from thaw.report.claims.speed import Arrival, Times

SCRATCH = [(0, 0.2), (5, 0.4), (10, 0.6), (15, 0.8), (20, 0.8)]
QUICK = [(0, 0.2), (2, 0.8), (20, 0.9)]
NEVER = [(0, 0.2), (10, 0.5), (30, 0.6)]


def sides_of(curve, seeds=(1, 2)):
    runs = [run("scratch", 100, seed, 0.8, curve=SCRATCH) for seed in seeds]
    return compared(*runs, *[run("full", 100, seed, 0.9, curve=curve, pretrain_seconds=60.0) for seed in seeds])


def arms(sides):
    return {arm.strategy: arm for arm in sides.arms}


def test_the_target_is_a_share_of_scratchs_own_best():
    sides = sides_of(QUICK)
    found = speed.times(sides, "trec", arms(sides)["full"], 100, 0.9)
    assert found.target == pytest.approx(0.72)
    assert [(one.at, one.reached) for one in found.arrivals] == [(2, True)] * 2
    assert speed.effects(sides)["trec"] == pytest.approx({1: math.log(15 / 2), 2: math.log(15 / 2)})


def test_a_run_that_never_arrives_counts_as_the_longer_of_the_two():
    sides = sides_of(NEVER)
    assert speed.effects(sides)["trec"] == pytest.approx({1: math.log(15 / 30), 2: math.log(15 / 30)})
    short = sides_of(NEVER[:2])  # watched for 10 s only: scratch took 15, so at least that is charged
    assert speed.effects(short)["trec"] == pytest.approx({1: 0.0, 2: 0.0})


def test_kaplan_meier_by_hand():
    # deaths at 1 and 3, one censored at 2: S = 2/3 after 1, then 2/3 * (1 - 1/1) after 3
    found = Times(task="t", arm=None, size=1, share=1, target=0.5, clock="seconds", arrivals=[
        Arrival(seed=1, at=1, reached=True), Arrival(seed=2, at=2, reached=False), Arrival(seed=3, at=3, reached=True),
    ])  # fmt: skip
    times, shares = found.survival()
    assert dict(zip(times, shares, strict=True))[1.0] == pytest.approx(1 / 3)
    assert shares[-1] == pytest.approx(1.0)
    assert found.restricted_mean(3) == pytest.approx(1 + 2 * 2 / 3)
    assert found.restricted_mean(2) == pytest.approx(1 + 2 / 3)
    assert found.reached == 2


def test_nothing_reached_has_no_curve_and_the_whole_time():
    found = Times(task="t", arm=None, size=1, share=1, target=0.5, clock="seconds",
                  arrivals=[Arrival(seed=1, at=4, reached=False)])  # fmt: skip
    assert found.survival() == ([], [])
    assert found.restricted_mean(3) == 3


def test_break_even_is_pretraining_over_what_a_task_saves():
    sides = sides_of(QUICK)
    found = speed.break_even(sides, "trec", arms(sides)["full"], 100)
    assert (found.scratch, found.transfer, found.pretraining) == (15, 2, 60)
    assert found.tasks == pytest.approx(60 / 13)
    slower = sides_of(NEVER)
    assert speed.break_even(slower, "trec", arms(slower)["full"], 100).tasks is None  # never


def test_flops_go_by_steps_and_cpu_seconds_need_their_clock():
    runs = [run("scratch", 100, seed, 0.8, curve=SCRATCH, flops=2e9) for seed in (1, 2)]
    sides = compared(*runs)
    found = speed.times(sides, "trec", sides.arms[0], 100, 0.95, "flops")
    assert found.arrivals[0].at == pytest.approx(2e9 * 15 / 20)
    assert speed.times(sides, "trec", sides.arms[0], 100, 0.95, "cpu_seconds") is None
