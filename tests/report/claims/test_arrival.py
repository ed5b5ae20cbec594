"""Arrivals: Kaplan and Meier by hand, what each clock needs, who never arrives."""

from dataclasses import replace

import pytest

from report.claims.curved import curved
from report.claims.made_up import run
from thaw.report.claims.arrival import Arrival, Times, arrival


def arrivals(*pairs):
    return [Arrival(seed=seed, at=at, reached=reached, end=end) for seed, (at, reached, end) in enumerate(pairs, 1)]


def of(*pairs):
    return Times(task="t", arm=None, size=1, share=1, target=0.5, clock="seconds", arrivals=arrivals(*pairs))


def test_kaplan_meier_by_hand():
    # arrivals at 1 and 3, one censored at 2: S = 2/3 after 1, then 2/3 * (1 - 1/1) after 3
    found = of((1, True, 9), (2, False, 2), (3, True, 9))
    times, shares = found.survival()
    assert dict(zip(times, shares, strict=True))[1.0] == pytest.approx(1 / 3)
    assert shares[-1] == pytest.approx(1.0)
    assert found.restricted_mean(3) == pytest.approx(1 + 2 * 2 / 3)
    assert found.restricted_mean(2) == pytest.approx(1 + 2 / 3)
    assert (found.reached, found.median(), found.watched, found.longest) == (2, 3.0, 2, 9)


def test_nothing_reached_has_no_curve_and_the_whole_time():
    found = of((4, False, 4))
    assert found.survival() == ([], [])
    assert (found.restricted_mean(3), found.median()) == (3, None)


def test_a_target_that_is_met_exactly_is_met():
    made = curved("scratch", 1, [0.2, 0.36], looks=(0, 10))
    assert arrival(made, 1, 0.36, "seconds").reached
    assert not arrival(made, 1, 0.360001, "seconds").reached


def test_an_arrival_keeps_the_end_of_its_run():
    found = arrival(curved("full", 1, [0.2, 0.6, 0.7], looks=(0, 10, 40)), 1, 0.5, "seconds")
    assert (found.at, found.end) == (1.0, 4.0)


def test_a_diverged_run_never_arrives():
    made = curved("full", 1, [0.2, 0.6, 0.7], looks=(0, 10, 40))
    lost = replace(made, state="failed", error="DivergedError: loss is not finite")
    assert arrival(made, 1, 0.5, "seconds").reached
    assert not arrival(lost, 1, 0.5, "seconds").reached
    at_once = replace(lost, events=[])
    found = arrival(at_once, 1, 0.5, "seconds")
    assert (found.reached, found.end) == (False, 0.0)


def test_flops_are_those_of_the_event_or_go_by_steps():
    curve = [(0, 0.2), (5, 0.4), (10, 0.6), (20, 0.8)]
    made = run("scratch", 100, 1, 0.8, curve=curve, flops=2e9)
    assert arrival(made, 1, 0.6, "flops").at == pytest.approx(1e9)
    made.events[2]["flops"] = 3e8
    assert arrival(made, 1, 0.6, "flops").at == pytest.approx(3e8)
    assert arrival(made, 1, 0.6, "cpu_seconds") is None
