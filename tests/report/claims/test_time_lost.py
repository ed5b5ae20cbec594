"""Runs that diverge, come near, or were never looked at, in the verdict, the tables and the figure of time."""

import math
from dataclasses import replace

import pytest

from report.claims.curved import LOOKS, curved, noisy, study
from report.claims.made_up import compared, run
from thaw.report.claims.analysis import analyse
from thaw.report.claims.arrival import Arrival, Times
from thaw.report.claims.clocks import deciding, load
from thaw.report.claims.speed import speed, times
from thaw.report.claims.verdicts import verdicts
from thaw.report.collect import Study
from thaw.report.figures.style import Style
from thaw.report.figures.survival import survival
from thaw.report.tables.claims import time_tables


def learns(t):
    return 0.2 + 0.4 * (1 - math.exp(-6 * t))


def twice(t):
    return learns(2 * t)


def lose(sides, strategy, seeds, *, looks):
    """Return the sides with some runs of an arm diverged after that many looks."""
    cells = {}
    for key, cell in sides.cells.items():
        runs = [
            replace(one, state="failed", error="DivergedError: nan", events=one.events[:looks])
            if one["strategy"] == strategy and one["seed"] in seeds
            else one
            for one in cell.runs
        ]
        cells[key] = replace(cell, runs=runs)
    return replace(sides, cells=cells)


def full(sides):
    return next(arm for arm in sides.arms if arm.strategy == "full")


def of(sides):
    runs = [one for cell in sides.cells.values() for one in cell.runs]
    made = Study(folders=[], runs=runs)
    return analyse(made, list(sides.cells.values()))


def test_a_diverged_run_is_watched_as_long_as_the_longest():
    # five arrive at 10, five diverged at 1: was 100 % at 10
    arrivals = [Arrival(seed=seed, at=10, reached=True, end=20) for seed in range(5)]
    arrivals += [Arrival(seed=seed, at=1, reached=False, end=1, diverged=True) for seed in range(5, 10)]
    found = Times(task="t", arm=None, size=1, share=1, target=0.5, clock="step", arrivals=arrivals)
    assert found.survival()[1][-1] == pytest.approx(0.5)
    assert found.restricted_mean(20) == pytest.approx(10 + 10 * 0.5)
    assert (found.watched, found.longest, found.lost) == (20, 20, [20] * 5)


def test_the_table_and_the_figure_of_times_keep_diverged_runs():
    sides = lose(study(learns, twice, seeds=10), "full", range(1, 6), looks=2)
    found = times(sides, "trec", full(sides), 100, 0.95, "cpu_seconds")
    assert found.survival()[1][-1] == pytest.approx(0.5)
    assert found.watched == pytest.approx(12.0)
    (table,) = time_tables(of(sides))
    row = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}["full, 100 labels"]
    assert (row["reached"], row["end"]) == ("5 of 10", "12")
    plot = survival([found], Style.of([full(sides)]))
    bars = next(trace for trace in plot.figure["data"] if trace["mode"] == "markers")
    assert bars["x"] == [12.0] * 5


def test_the_sentence_says_how_many_diverged():
    sides = lose(study(learns, twice, seeds=10), "full", range(1, 5), looks=3)
    found = verdicts(sides)[0]
    assert "6 of 10 arrive, scratch 10 of 10" in found.sentence
    assert "; 4 of 10 runs of full diverged and never arrive" in found.sentence
    both = verdicts(lose(sides, "scratch", [1], looks=3))[0]
    assert "4 of 10 runs of full diverged and 1 of 10 runs of scratch diverged and never arrive" in both.sentence
    assert "diverged" not in verdicts(study(learns, twice))[0].sentence


@pytest.mark.parametrize("looks", [0, 3])
def test_a_transfer_that_diverges_as_a_whole_is_judged_by_cpu_seconds(looks):
    # was judged by wall seconds without a guard: pairs with a diverged run were dropped
    sides = lose(study(learns, twice, base={"wait": 3.0}), "full", range(1, 6), looks=looks)
    assert deciding(sides) == "cpu_seconds"
    assert load(sides).waiting is None  # of one arm nothing is known
    found = verdicts(sides)[0]
    assert found.word in ("not supported", "inconclusive")
    assert "0 of 5 arrive, scratch 5 of 5" in found.sentence
    assert "5 of 5 runs of full diverged" in found.sentence
    assert "by CPU seconds" in found.sentence


def test_the_load_is_that_of_the_runs_that_did_not_diverge():
    sides = study(learns, twice, seeds=4, wait=6.0)
    halves = lose(lose(sides, "full", [1, 2], looks=3), "scratch", [3, 4], looks=3)  # no pair is whole
    assert load(halves).waiting == (pytest.approx(6.0), pytest.approx(1.0))
    assert set(load(halves).disturbed) == {"seconds"}


def test_a_scratch_that_diverges_as_a_whole_is_no_level():
    found = verdicts(lose(study(learns, twice), "scratch", range(1, 6), looks=3))[0]
    assert found.why == "every run of scratch diverged (trec, 100 labels)"
    assert "lower rate" in found.settle


def test_a_cell_that_the_clock_does_not_know_is_left_out_and_named():
    runs = []
    for seed in range(1, 6):
        for task in ("trec", "sst2"):
            runs.append(curved("scratch", seed, noisy(learns, seed), task=task))
            runs.append(curved("full", seed, noisy(twice, seed + 9), task=task))
            runs.append(run("majority", 100, seed, 0.2, task=task))
    for one in runs:
        if one["task"] == "sst2":
            for event in one.events:
                event.pop("cpu_seconds", None)
    found = verdicts(compared(*runs))[0]
    assert found.word == "supported"
    assert "Left out: no pair of runs has dev scores by this clock (sst2, 100 labels)." in found.settle


def spread_out():
    """Scratch whose ends differ by .02 from seed to seed about .60, and transfer that is soon above them."""
    runs = []
    for seed in range(1, 6):
        shift = 0.02 * (seed - 3)
        runs.append(curved("scratch", seed, [round(learns(t / 120) + shift * t / 120, 6) for t in LOOKS]))
        runs.append(curved("full", seed, [round(0.2 + 0.44 * (1 - math.exp(-t / 7)), 6) for t in LOOKS]))
        runs.append(run("majority", 100, seed, 0.2))
    return compared(*runs)


def test_the_card_and_the_table_count_the_same_arrivals():
    sides = spread_out()
    target = times(sides, "trec", full(sides), 100, 0.95).target
    runs = []
    for cell in sides.cells.values():
        for one in cell.runs:
            if one["strategy"] == "full" and one["seed"] <= 2:
                for event in one.events:
                    event["dev/accuracy"] = min(event["dev/accuracy"], target - 0.005)
            runs.append(one)
    sides = compared(*runs)
    found = times(sides, "trec", full(sides), 100, 0.95)
    assert (found.reached, found.near) == (3, 5)
    assert "scratch 5 of 5, 2 of full's and 1 of scratch's only within scratch's noise" in verdicts(sides)[0].sentence
    (table,) = time_tables(of(sides))
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert rows["full, 100 labels"]["reached"] == "3 of 5 (5 within scratch's noise)"


def test_mean_curves_that_end_under_the_target_have_a_ratio():
    # two seeds, one look after the start: was an IndexError
    runs = [curved("scratch", seed, [0.0, end], looks=(0, 40)) for seed, end in ((1, 0.5), (2, 0.7))]
    runs += [curved("full", seed, [0.0, end], looks=(0, 40)) for seed, end in ((1, 0.5), (2, 0.56))]
    found = speed(compared(*runs), "step")
    assert found.reached == (2, 2)
    # isotonic curves that never cross are put at the last step, scratch's at its only look
    assert all(math.isfinite(value) for value in found.effects["trec"].values())
    assert sum(found.effects["trec"].values()) < 0
