"""The exchange rate comes from measured points and is never extrapolated."""

import math

import pytest

from report.claims.made_up import compared, run
from thaw.report.claims import labels
from thaw.report.claims.curves import crossover, curve
from thaw.report.claims.rule import Rule

SIZES = (50, 100, 200, 400, 800)


def study(gain: float, noise=(0.004, -0.004, 0.001, -0.002, 0.001), rule: Rule | None = None, base=None):
    def scratch(n):
        return base[n] if base else 0.4 + 0.1 * math.log2(n / 50)

    runs = []
    for seed, shift in enumerate(noise, 1):
        for n in SIZES:
            runs += [run("scratch", n, seed, scratch(n) + shift), run("full", n, seed, scratch(n) + gain + shift / 2)]
    return compared(*runs, rule=rule)


def rates(sides):
    return {one.labels: one for one in labels.exchange(sides, "trec", sides.transfer)}


def test_a_score_between_two_sizes_is_worth_what_lies_between():
    one = rates(study(gain=0.15))[100]  # a doubling and a half
    assert one.worth == pytest.approx(100 * 2**1.5, rel=0.02)
    assert one.low < one.worth < one.high
    assert one.rate.startswith("2.8x [")


def test_beyond_the_largest_size_there_is_a_bound_and_no_number():
    one = rates(study(gain=0.5))[400]
    assert (one.worth, one.beyond, one.high) == (None, "above", None)
    assert one.rate.startswith("> 2x")
    below = rates(study(gain=-0.5))[100]
    assert (below.worth, below.beyond) == (None, "below")
    assert below.rate.startswith("< 0.5x")


def test_the_interval_is_open_where_it_leaves_the_measured_sizes():
    one = rates(study(gain=0.1, noise=(0.1, -0.1, 0.05, -0.04, -0.01)))[400]
    assert one.high is None
    assert "> 2]" in one.rate


def test_equal_arms_are_worth_the_same():
    for n, one in rates(study(gain=0.0)).items():
        assert (one.low or n) <= n * 1.001
        assert (one.high or n) >= n * 0.999


def test_the_effect_is_against_scratch_with_more_labels():
    sides = study(gain=0.15)
    effect = labels.effects(sides)["trec"]  # n and 2n: sizes 50 to 400
    assert sum(effect.values()) / len(effect) == pytest.approx(0.05, abs=0.002)
    assert labels.effects(study(gain=0.15, rule=Rule(sizes=[800]))) == {}  # nothing is measured at 1,600


def test_a_power_law_is_found_and_what_is_none_is_monotone():
    law = {n: 1 - (2 * n**-0.5 + 0.1) for n in SIZES}
    sides = study(gain=0.0, base=law, noise=(0.001, -0.001, 0.0))
    found = curve(sides, "trec", sides.transfer)
    assert found.kind == "power law"
    assert found.parameters == pytest.approx((2, 0.5, 0.1), rel=0.05)
    dented = study(gain=0.0, base=dict(zip(SIZES, (0.3, 0.6, 0.5, 0.55, 0.9), strict=True)), noise=(0.001, -0.001, 0.0))
    shape = curve(dented, "trec", dented.transfer)
    assert (shape.kind, shape.y == sorted(shape.y)) == ("monotone", True)


def test_curves_that_change_places_cross():
    runs = []
    for seed in (1, 2):
        for n, one, other in ((50, 0.4, 0.6), (200, 0.6, 0.65), (800, 0.8, 0.7)):
            runs += [run("scratch", n, seed, one), run("full", n, seed, other)]
    sides = compared(*runs)
    found = {one.arm.strategy: one for one in (curve(sides, "trec", arm) for arm in sides.arms)}
    assert 200 < crossover(found["scratch"], found["full"]) < 800
    assert crossover(found["full"], found["full"]) is None
