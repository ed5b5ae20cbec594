"""The word on time in the worlds of the review: load on one arm, never arriving, clocks that disagree."""

import math
from dataclasses import replace

import pytest

from report.claims.curved import LOOKS, curved, noisy, study
from report.claims.made_up import compared, run
from thaw.report.claims.analysis import analyse
from thaw.report.claims.clocks import deciding, load
from thaw.report.claims.on_time import exact
from thaw.report.claims.rule import Rule
from thaw.report.claims.verdicts import verdicts
from thaw.report.collect import Study
from thaw.report.page.content import gather
from thaw.report.page.record import report
from thaw.report.page.verdicts import cards


def learns(t):
    return 0.2 + 0.4 * (1 - math.exp(-6 * t))


def twice(t):
    return learns(2 * t)


def word(sides):
    return verdicts(sides)[0]


def clocks(verdict):
    return {clock.clock: clock for clock in verdict.clocks}


def test_twice_as_fast_is_supported_by_all_clocks():
    found = word(study(learns, twice, seeds=10))
    assert found.word == "supported"
    assert {clock.word for clock in found.clocks} == {"supported"}
    assert [clock.clock for clock in found.clocks if clock.decides] == ["cpu_seconds"]
    assert "10 of 10 arrive, scratch 10 of 10" in found.sentence


def test_the_card_and_the_record_have_all_four_clocks():
    sides = study(learns, twice, seeds=5, wait=6.3)
    content = gather(Study(folders=[], runs=[one for cell in sides.cells.values() for one in cell.runs]))
    kept = report(content)["verdicts"][0]["clocks"]
    assert {clock["clock"]: bool(clock["disturbed"]) for clock in kept} == {
        "seconds": True, "cpu_seconds": False, "step": False, "flops": False,
    }  # fmt: skip
    shown = cards(content.analysis, content.plots, content.style)
    assert all(f">{name}" in shown for name in ("wall seconds", "CPU seconds (decides)", "steps", "FLOPs"))
    assert "no vote: transfer waited 6.30 times" in shown


def test_a_busy_machine_does_not_decide():
    # trust 1: transfer waits six times as long; by wall seconds it is three times as slow
    sides = study(learns, twice, seeds=10, wait=6.3, base={"wait": 1.04})
    found = word(sides)
    assert found.word == "supported"
    wall = clocks(found)["seconds"]
    assert wall.word == "not supported"
    assert math.exp(wall.ratio.mean) == pytest.approx(2 * 1.04 / 6.3, rel=0.15)
    assert "6.30 times" in wall.disturbed
    assert clocks(found)["cpu_seconds"].disturbed == ""
    assert "cpu_seconds" in clocks(found)
    runs = [one for cell in sides.cells.values() for one in cell.runs]
    notes = analyse(Study(folders=[], runs=runs), list(sides.cells.values())).guards
    first = next(note for note in notes if not note.startswith("No learning rate was tuned"))
    assert first.startswith("The machine was not the same for both arms")
    assert "wall seconds" in first


def test_the_wall_clock_that_the_rule_asks_for_has_no_word_where_it_is_disturbed():
    found = word(study(learns, twice, seeds=10, wait=6.3, rule=Rule(clock="seconds")))
    assert found.word == "inconclusive"
    assert found.why.startswith("wall seconds are disturbed")


def test_an_even_load_disturbs_nothing():
    found = word(study(learns, twice, seeds=10, wait=3.0, base={"wait": 3.1}))
    assert found.word == "supported"
    assert [clock.disturbed for clock in found.clocks] == [""] * 4


@pytest.mark.parametrize(
    ("fast", "wait", "disturbed"),
    [
        (60.0, 1.0, True),  # half as fast without waiting: throttled, or another machine
        (60.0, 2.0, False),  # half as fast since it had half of a core: its CPU seconds are right
        (120.0, 6.0, False),  # measured before the load came
        (100.0, 1.0, False),
    ],
)
def test_a_slow_core_is_held_against_cpu_seconds_as_far_as_waiting_does_not_explain_it(fast, wait, disturbed):
    sides = study(learns, twice, wait=wait, host_gflops=fast, base={"host_gflops": 120.0})
    assert ("cpu_seconds" in load(sides).disturbed) == disturbed


def test_single_glances_at_a_busy_core_disturb_no_cpu_seconds():
    sides = study(learns, twice, wait=5.0, base={"wait": 5.0, "host_gflops": 120.0}, host_gflops=120.0)
    for cell in sides.cells.values():
        for one in cell.runs:
            if one["seed"] in (1, 2, 3):  # a third of the speed for three of five runs of one arm, then of the other
                one.row["host_gflops"] = 40.0 if (one["strategy"] == "full") == (one["seed"] < 3) else 120.0
    assert load(sides).disturbed == {}


def test_clocks_that_disagree_leave_the_word_open():
    # a frozen arm: three times the steps, a tenth of the cost of each
    sides = study(learns, lambda t: learns(t / 1.6) + 0.02, seeds=10, step=0.01, noise=0.002)
    found = word(sides)
    assert clocks(found)["cpu_seconds"].word == "supported"
    assert clocks(found)["step"].word == "not supported"
    assert found.word == "inconclusive"
    assert found.why.startswith("the clocks disagree: supported by wall seconds (")
    assert "not supported by steps (0." in found.why
    # no word is taken back by naming a clock: a rule that asks for FLOPs alone gets the same answer
    asked = study(learns, lambda t: learns(t / 1.6) + 0.02, seeds=10, step=0.01, noise=0.002, rule=Rule(clock="flops"))
    assert clocks(word(asked))["flops"].word == "supported"
    assert (word(asked).word, word(asked).why) == ("inconclusive", found.why)
    assert "More seeds do not settle it" in found.settle
    assert "too small for any number of seeds" not in found.settle


def test_a_gpu_is_judged_by_its_wall_seconds():
    sides = study(learns, twice, device="NVIDIA H100", base={"device": "NVIDIA H100"}, wait=9.0)
    assert deciding(sides) == "seconds"
    assert load(sides).disturbed == {}  # a CPU that waits for the device is not busy
    old = study(learns, twice, config={"trainer.accelerator": "gpu"}, base={"config": {"trainer.accelerator": "gpu"}})
    assert deciding(old) == "seconds"
    mixed = study(learns, twice, device="NVIDIA H100", base={"device": "cpu"})
    assert set(load(mixed).disturbed) == {"seconds", "cpu_seconds"}


def never(losing, seeds=10, step=0.1, share=0.45):
    """Scratch of 20 s to .616 that always arrives; transfer of which some seeds stop at ``share``."""
    runs = []
    for seed in range(1, seeds + 1):
        end = share if seed <= losing else 0.7
        jitter = 1 + 0.02 * seed
        runs.append(curved("scratch", seed, [round(0.62 * (1 - math.exp(-5 * t / 120 * jitter)), 6) for t in LOOKS],
                           step=0.16))  # fmt: skip
        runs.append(curved("full", seed, [round(end * (1 - math.exp(-40 * t / 120 * jitter)), 6) for t in LOOKS],
                           step=step))  # fmt: skip
    return compared(*runs, *[run("majority", 100, seed, 0.0) for seed in range(1, seeds + 1)])


@pytest.mark.parametrize(("losing", "step"), [(5, 0.008), (4, 0.16), (8, 0.008), (1, 0.008)])
def test_a_cheap_arm_of_which_some_never_arrive_is_not_supported(losing, step):
    # trust 2: "15.2 times as fast, supported" with five of ten never arriving
    found = word(never(losing, step=step))
    assert found.word in ("inconclusive", "not supported")
    assert f"{10 - losing} of 10 arrive, scratch 10 of 10" in found.sentence
    assert "at most" in found.sentence


def test_diverged_runs_are_losses_even_without_a_single_look():
    found = never(0)
    arm = next(arm for arm in found.arms if arm.strategy == "full")
    cell = found.cells["trec", arm, 100]
    lost = [replace(one, state="failed", error="DivergedError: nan", events=[]) for one in cell.runs[:4]]
    cells = found.cells | {("trec", arm, 100): replace(cell, runs=[*lost, *cell.runs[4:]])}
    said = word(replace(found, cells=cells))
    assert said.word in ("inconclusive", "not supported")
    assert "6 of 10 arrive, scratch 10 of 10" in said.sentence


def test_all_arriving_the_same_arm_is_supported():
    assert word(never(0)).word == "supported"


def test_scratch_that_never_arrives_is_a_loss_of_scratch():
    runs = []
    for seed in range(1, 11):
        slow = (lambda t: 0.2 + 0.3 * (1 - math.exp(-6 * t))) if seed == 1 else learns
        runs.append(curved("scratch", seed, noisy(slow, seed)))
        runs.append(curved("full", seed, noisy(lambda t: twice(t) + 0.05, seed + 9)))
        runs.append(run("majority", 100, seed, 0.2))
    found = word(compared(*runs))
    assert found.word == "supported"
    assert "10 of 10 arrive, scratch 9 of 10" in found.sentence
    assert "at least" in found.sentence


def test_the_card_says_where_no_pattern_of_the_seeds_could_reach_the_level():
    assert "its p is 0.25 at least" in word(study(learns, twice, seeds=3)).settle
    assert "its p is 0.062 at least" in word(study(learns, twice, seeds=5)).settle
    assert "Exact test by signs: p = 0.002." in word(study(learns, twice, seeds=10)).settle


def test_the_exact_test_by_hand():
    least, p = exact({"t": {1: 1.0, 2: 2.0, 3: -0.5}})
    # of 8 sign patterns the sums 3.5, 2.5 and their negatives are as far from zero as 2.5
    assert (least, p) == (0.25, 0.5)
    assert exact({"t": {1: 1.0, 2: 1.0}}) == (1.0, None)
