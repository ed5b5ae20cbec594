"""The ratio of times: where the noise-free curves cross, by every clock, with the grid of looks in its interval."""

import math

import pytest

from report.claims.curved import LOOKS, curved, study
from report.claims.made_up import compared, run
from thaw.report.claims.arrival import CLOCKS
from thaw.report.claims.judge import judge
from thaw.report.claims.speed import speed


def learns(t):
    return 0.2 + 0.4 * (1 - math.exp(-6 * t))


def twice(t):
    return learns(2 * t)


def mean(found, task="trec"):
    return math.exp(sum(found.effects[task].values()) / len(found.effects[task]))


def test_the_ratio_is_that_of_the_noise_free_curves():
    found = speed(study(learns, twice, noise=0.002))
    assert mean(found) == pytest.approx(2.0, rel=0.1)
    assert (found.pairs, found.reached, found.bound, found.doubts) == (5, (5, 5), "", {})


def test_each_clock_counts_its_own():
    sides = study(learns, twice, noise=0.002, step=0.05, wait=4.0)  # a step costs half, the machine waits four times
    ratios = {clock: mean(speed(sides, clock)) for clock in CLOCKS}
    expected = {"step": 2.0, "cpu_seconds": 4.0, "flops": 4.0, "seconds": 1.0}
    assert ratios == pytest.approx(expected, rel=0.1)


def test_runs_that_all_arrive_at_one_look_do_not_have_no_error():
    # trust 6: few looks, no jitter: was "3 times as fast (3 to 3)", p = 0
    runs, few = [], (0, 24, 48, 72, 96, 120)
    for seed in (1, 2, 3):
        runs.append(curved("scratch", seed, [0.2, 0.3, 0.4, 0.5, 0.6, 0.6], looks=few))
        runs.append(curved("full", seed, [0.2, 0.3, 0.5, 0.6, 0.6, 0.6], looks=few))
    found = speed(compared(*runs))
    assert len({round(value, 9) for value in found.effects["trec"].values()}) == 1
    h = math.log(96 / 72), math.log(72 / 48)
    assert found.errors["trec"] == pytest.approx(4.303 / 1.96 * math.hypot(*h) / math.sqrt(12), rel=1e-3)
    each = judge(found.effects, compared(*runs).rule, math.log(1.1), errors=found.errors)
    assert each.pooled.high - each.pooled.low == pytest.approx(2 * 1.96 * found.errors["trec"], rel=1e-3)


def test_an_arrival_at_the_first_looks_gives_a_least_ratio():
    at_once = [0.2, *[0.6] * (len(LOOKS) - 1)]
    runs = [curved("full", seed, at_once) for seed in range(1, 6)]
    sides = study(learns, twice)
    runs += sides.cells["trec", _arm(sides, "scratch"), 100].runs
    found = speed(compared(*runs))
    assert found.bound == "at least"
    # scratch crosses 95 % of its gain at about half of 120 steps; transfer is seen at step 1
    assert mean(found) == pytest.approx(60, rel=0.15)


def test_a_run_that_never_arrives_loses_against_one_that_does_whatever_it_cost():
    scratch = {seed: [(0, 0.2), (10, 0.6), (20, 0.8)] for seed in (1, 2)}
    for last in (1, 30):  # a cheap one: was taken for exactly as fast as scratch
        never = [(0, 0.2), (last, 0.5)]
        runs = [run("scratch", 100, seed, 0.8, curve=curve) for seed, curve in scratch.items()]
        runs += [run("full", 100, seed, 0.5, curve=never) for seed in scratch]
        found = speed(compared(*runs))
        assert found.reached == (0, 2)
        assert found.bound == "at most"
        assert all(value <= 0 for value in found.effects["trec"].values())
    assert found.effects["trec"] == pytest.approx({1: math.log(20 / 30), 2: math.log(20 / 30)})


def test_a_clock_that_no_run_has_gives_nothing():
    runs = [run(arm, 100, seed, 0.8, curve=[(0, 0.2), (5, 0.8)]) for arm in ("scratch", "full") for seed in (1, 2)]
    assert speed(compared(*runs), "cpu_seconds").effects == {}


def _arm(sides, strategy):
    return next(arm for arm in sides.arms if arm.strategy == strategy)
