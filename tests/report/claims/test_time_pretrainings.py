"""Time over several pretrainings of one recipe: each of their runs counts, not those of the last alone."""

import math

import pytest

from report.claims.curved import curved, noisy
from report.claims.made_up import compared, run
from thaw.report.claims.area import areas
from thaw.report.claims.breakeven import break_even
from thaw.report.claims.clocks import compared as paired
from thaw.report.claims.clocks import load
from thaw.report.claims.speed import speed, times
from thaw.report.claims.verdicts import verdicts

SEEDS = range(1, 6)


def learns(t):
    return 0.2 + 0.4 * (1 - math.exp(-6 * t))


def never(t):
    return 0.2 + 0.2 * (1 - math.exp(-18 * t))


def faster(by):
    return lambda t: learns(by * t)


def pretrained(*curves, **each):
    """Scratch, and transfer from a pretraining for each curve, of one recipe; the last one comes last."""
    runs = [run("majority", 100, seed, 0.2) for seed in SEEDS]
    runs += [curved("scratch", seed, noisy(learns, seed)) for seed in SEEDS]
    for number, curve in enumerate(curves):
        for seed in SEEDS:
            own = {key: values[number] for key, values in each.items()}
            made = curved(
                "full",
                seed,
                noisy(curve, seed + 100 * number),
                pretrain_run=f"p{number}",
                checkpoint=f"{number}" * 64,
                **own,
            )
            made.lineage["recipe"] = "one"
            runs.append(made)
    return compared(*runs)


def full(sides):
    return next(arm for arm in sides.arms if arm.strategy == "full")


def test_two_pretrainings_of_three_that_never_arrive_are_losses():
    # was "supported, 5 of 5 arrive": the last pretraining's runs alone
    found = verdicts(pretrained(never, never, faster(3)))[0]
    assert found.word != "supported"
    assert "at most" in found.sentence
    assert "5 of 15 arrive, scratch 5 of 5" in found.sentence
    assert "on 1 task, with these 3 encoders (0.519 to 2.87 times by encoder), " in found.sentence
    assert found.word == "mixed"
    assert "it helps with p2, harms with p0 and p1" in found.sentence


def test_the_value_of_a_seed_is_the_mean_over_the_pretrainings():
    sides = pretrained(faster(1), faster(2), faster(4))
    found = speed(sides, "step")
    mean = sum(found.effects["trec"].values()) / 5
    assert math.exp(mean) == pytest.approx(2.0, rel=0.1)  # the geometric mean of 1, 2 and 4
    by_source = {source: math.exp(sum(own.values()) / 5) for source, own in found.crossed["trec"].items()}
    assert by_source == pytest.approx({"p0": 1.0, "p1": 2.0, "p2": 4.0}, rel=0.12)
    assert (found.pairs, found.reached, found.counts[0].runs, found.counts[1].runs) == (15, (15, 15), 15, 5)


def test_five_pretrainings_are_random():
    # by seeds alone the interval is narrow; three of the five pretrainings bring nothing
    sides = pretrained(faster(1), faster(1), faster(1), faster(6), faster(6))
    found = verdicts(sides)[0]
    assert "on 1 task, over 5 pretrainings, " in found.sentence
    assert found.judgement.random
    assert found.judgement.pooled.low < 0 < found.judgement.pooled.mean
    assert found.word == "inconclusive"
    assert verdicts(pretrained(*map(faster, (3, 3.2, 3.4, 3.1, 3.3))))[0].word == "supported"


def test_the_times_hold_every_pretraining():
    sides = pretrained(never, never, faster(3))
    found = times(sides, "trec", full(sides), 100, 0.95, "cpu_seconds")
    assert (found.reached, len(found.arrivals)) == (5, 15)
    assert found.median() is None
    assert {arrival.source for arrival in found.arrivals if arrival.reached} == {"p2"}


def test_load_is_looked_for_in_every_pair():
    sides = pretrained(faster(2), faster(2), faster(2), wait=[6.0, 6.0, 1.0])
    assert len(paired(sides)) == 15
    assert set(load(sides).disturbed) == {"seconds"}  # the last pretraining's runs waited for nothing


def test_the_area_is_the_mean_over_the_pretrainings():
    leads = [
        areas(sides, "trec", full(sides), 100)[0].lead
        for sides in (pretrained(never), pretrained(faster(3)), pretrained(never, faster(3)))
    ]
    assert leads[0].mean < 0 < leads[1].mean
    assert leads[2].mean == pytest.approx((leads[0].mean + leads[1].mean) / 2, abs=0.005)
    assert leads[2].n == 5


def test_break_even_pays_for_a_mean_pretraining_and_saves_what_its_runs_save_in_the_mean():
    one, three = (
        break_even(sides, "trec", full(sides), 100)
        for sides in (
            pretrained(faster(3), pretrain_seconds=[30.0]),
            pretrained(never, never, faster(3), pretrain_seconds=[90.0, 60.0, 30.0]),
        )
    )
    assert (one.pretraining, three.pretraining) == (30.0, 60.0)
    assert one.tasks is not None
    # a run that never arrives has cost its 12 s and saved nothing
    assert three.saved.mean == pytest.approx((one.saved.mean - 12 - 12) / 3, abs=0.1)
    assert three.tasks is None
