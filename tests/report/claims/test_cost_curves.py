"""Score against cost: the area between two curves, and the front that no arm beats."""

from dataclasses import replace

import pytest

from report.claims.curved import curved
from report.claims.made_up import compared, run, study
from thaw.report.claims.analysis import analyse
from thaw.report.claims.area import areas
from thaw.report.claims.pareto import points
from thaw.report.figures.pareto import pareto
from thaw.report.figures.seconds import by_cost
from thaw.report.figures.style import Style
from thaw.report.page.content import gather
from thaw.report.page.record import report
from thaw.report.tables.claims import time_tables

LOOKS = (0, 10, 20, 40)


def raced(cheap=1.0):
    runs = []
    for seed in (1, 2, 3):
        shift = 0.01 * seed
        runs.append(curved("scratch", seed, [0.2, 0.2, 0.4, 0.6], looks=LOOKS, step=1.0))
        runs.append(curved("full", seed, [0.2, 0.4 + shift, 0.6 + shift, 0.6 + shift], looks=LOOKS, step=cheap))
    return compared(*runs)


def full(sides):
    return next(arm for arm in sides.arms if arm.strategy == "full")


def test_the_area_is_the_mean_lead_while_a_budget_is_spent():
    sides = raced()
    found = {area.clock: area for area in areas(sides, "trec", full(sides), 100)}
    assert set(found) == {"seconds", "cpu_seconds", "step", "flops"}
    # leads of seed 2 (shift .02) at 0, 10, 20, 40: 0, .22, .22, .02
    by_hand = (10 * 0.11 + 10 * 0.22 + 20 * 0.12) / 40
    assert found["cpu_seconds"].lead.mean == pytest.approx(by_hand)
    assert found["cpu_seconds"].budget == 40
    assert found["cpu_seconds"].lead.n == 3
    assert found["cpu_seconds"].lead.low < by_hand < found["cpu_seconds"].lead.high


def test_the_budget_is_the_one_that_both_have():
    sides = raced(cheap=0.25)  # 10 CPU seconds in all, while scratch is still at its beginning
    found = {area.clock: area for area in areas(sides, "trec", full(sides), 100)}
    assert found["cpu_seconds"].budget == 10
    # scratch stays at .2 until then; transfer of seed 2 has .2, .42, .62, .62 at 0, 2.5, 5, 10
    assert found["cpu_seconds"].lead.mean == pytest.approx((2.5 * 0.11 + 2.5 * 0.32 + 5 * 0.42) / 10)


def test_pairs_with_a_run_that_diverged_are_counted():
    sides = raced()
    cells = {
        key: replace(
            cell, runs=[lost(one) if (one["strategy"], one["seed"]) == ("full", 1) else one for one in cell.runs]
        )
        for key, cell in sides.cells.items()
    }
    found = areas(replace(sides, cells=cells), "trec", full(sides), 100)
    assert {(area.lead.n, area.left_out) for area in found} == {(2, 1)}
    assert {area.left_out for area in areas(sides, "trec", full(sides), 100)} == {0}


def lost(one):
    return replace(one, state="failed", error="DivergedError: nan", events=one.events[:1])


def arms():
    costs = {"scratch": (10.0, 0.5), "full": (12.0, 0.8), "frozen": (2.0, 0.6), "lp_ft": (14.0, 0.7)}
    return [
        run(strategy, 100, seed, score, cpu_seconds=cost, train_seconds=cost, flops=1e9 * cost)
        for strategy, (cost, score) in costs.items()
        for seed in (1, 2, 3)
    ]


def test_the_front_is_what_no_other_arm_beats_in_both():
    found = [point for point in points(study(*arms())[1]) if point.clock == "cpu_seconds"]
    assert {point.arm.strategy: point.front for point in found} == {
        "scratch": False, "full": True, "frozen": True, "lp_ft": False,
    }  # fmt: skip
    assert {point.arm.strategy: point.cost for point in found}["full"] == 12.0


def test_the_figure_of_the_front_greys_what_is_beaten():
    made, found = study(*arms())
    style = Style.of(cell.arm for cell in found)
    plots = pareto(points(found), "accuracy", style)
    assert [plot.choice for plot in plots] == [
        "100 labels, CPU seconds",
        "100 labels, FLOPs",
        "100 labels, wall seconds",
    ]
    colours = {trace["name"]: trace["marker"]["color"] for trace in plots[0].figure["data"] if "marker" in trace}
    assert colours["scratch"] == colours["lp_ft"] == "@quiet"
    assert "@quiet" not in (colours["full"], colours["frozen"])
    assert plots[0].caption.endswith("The front: frozen, full.")
    assert plots[0].figure["data"][0]["x"] == [2.0, 12.0]
    assert len(made.runs) == 12


def test_the_figure_without_a_target_tells_the_area_and_stands_in_the_record():
    sides = raced()
    members = list(sides.cells.values())
    leads = areas(sides, "trec", full(sides), 100)
    plots = by_cost(members, Style.of(cell.arm for cell in members), leads)
    assert [plot.choice.split(", ")[1] for plot in plots] == ["CPU seconds", "FLOPs", "wall seconds"]
    assert "area between the curves, 95% t-interval, paired by seed): full +0.142 [+0.1" in plots[0].caption
    thin = [trace for trace in plots[0].figure["data"] if trace.get("opacity") == 0.4]
    assert len(thin) == 6  # three seeds are too few for a band
    runs = [one for cell in members for one in cell.runs]
    kept = report(gather(study(*runs)[0]))
    assert kept["areas"][0]["left_out"] == 0
    assert kept["areas"][0]["lead"]["mean"] == pytest.approx(0.1425)
    assert {point["arm"] for point in kept["pareto"]} == {"scratch", "full"}
    assert kept["verdicts"][0]["clocks"] == []  # scratch still rises: no word by any clock


def test_the_table_of_times_keeps_each_end_beside_its_arrival():
    # N4: 15 of 18 rows held the same number, the fastest strategy's arrival
    made, found = study(*[one for cell in raced().cells.values() for one in cell.runs])
    (table,) = time_tables(analyse(made, found))
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert rows["scratch, 100 labels"]["half"] == "40"
    assert rows["full, 100 labels"]["half"] == "20"
    assert {row["end"] for row in rows.values()} == {"40"}
    assert rows["scratch, 100 labels"]["CPU s"] == "40"
    assert rows["full, 100 labels"]["CPU s"] == "20"
