"""The target lies above the majority answer, and no word rests on a level that is not scratch's own."""

import math

import pytest

from report.claims.curved import LOOKS, curved, goal, noisy, study
from report.claims.made_up import compared, run
from thaw.report.claims.verdicts import verdicts


def learns(t):
    return 0.2 + 0.4 * (1 - math.exp(-6 * t))


def soon(t):
    return 0.2 + 0.45 * (1 - math.exp(-18 * t))


def word(sides):
    return verdicts(sides)[0]


def test_the_target_is_a_share_of_what_scratch_gains_over_the_majority():
    found = goal(study(learns, soon))
    assert (found.floor, found.source) == (0.2, "majority")
    assert found.best == pytest.approx(learns(1), abs=0.005)
    assert found.value == pytest.approx(0.2 + 0.95 * (found.best - 0.2), abs=1e-6)
    assert found.doubt is None


def test_the_floor_is_the_rows_before_the_controls_before_the_lineages():
    sides = study(learns, soon)
    scratch = [one for cell in sides.cells.values() for one in cell.runs if one["strategy"] == "scratch"]
    for one in scratch:
        one.lineage["floor"] = 0.1
    assert goal(sides).source == "majority"
    for one in scratch:
        one.row["floor"] = 0.25
    assert (goal(sides).floor, goal(sides).source) == (0.25, "row")
    without = study(learns, soon, floor=None)
    assert (goal(without).floor, goal(without).source) == (None, "")
    assert goal(without).value == pytest.approx(0.95 * goal(without).best, abs=1e-6)
    assert "The majority's dev score is not known" in word(without).settle


def test_the_target_has_the_digits_of_a_score():
    # 0.9 x (0.36 + 0.38 + 0.46) / 3 is 0.36000000000000004 in floats: seed 1 was never there
    runs = [curved("scratch", seed, [0.0, best], looks=(0, 10)) for seed, best in enumerate((0.36, 0.38, 0.46), 1)]
    found = goal(compared(*runs), 0.9)
    assert found.value == 0.36


def test_both_sides_at_the_majority_answer_have_no_word():
    # trust 3: dev .5 at every look, all ten collapsed: was "supported, 20.1 times as fast"
    for floor, collapsed in ((0.5, False), (None, True)):
        runs = []
        for seed in range(1, 6):
            for strategy, step in (("scratch", 0.1), ("full", 0.005)):
                flat = [0.5] * len(LOOKS)
                runs.append(curved(strategy, seed, flat, step=step * (1 + seed / 100), collapsed=collapsed))
            if floor is not None:
                runs.append(run("majority", 100, seed, floor))
        found = word(compared(*runs))
        assert found.word == "inconclusive"
        assert "scratch does no better than the majority answer" in found.why
        assert "trec, 100 labels" in found.sentence


def test_scratch_above_the_majority_by_less_than_its_noise_has_no_word():
    sides = study(lambda t: 0.205, soon, noise=0.02)
    assert word(sides).word == "inconclusive"
    assert "by its own noise" in word(sides).why


def test_scratch_that_still_rises_is_not_converged():
    found = word(study(lambda t: 0.2 + 0.4 * t, soon))
    assert found.word == "inconclusive"
    assert "still rises in the last fifth of its steps (+0.0" in found.why
    assert "until its dev score rises no more" in found.settle


def test_scratch_that_gains_nothing_from_more_labels_is_at_a_ceiling():
    def at(gain, level=0.5):
        runs = []
        for size in (100, 200):
            for seed in range(1, 6):
                test = level + (gain if size == 200 else 0.0) + 0.002 * seed
                runs.append(curved("scratch", seed, noisy(learns, seed), size=size, test=test))
                runs.append(curved("full", seed, noisy(soon, seed + 9), size=size, test=min(1.0, test + 0.1)))
                runs.append(run("majority", size, seed, 0.2))
        return word(compared(*runs))

    assert at(0.05).word == "supported"
    flat = at(0.0)
    assert flat.word == "inconclusive"
    assert flat.why == (
        "scratch scores no more with the most labels than with the next fewer, a ceiling of the task or of its steps"
        " (1 task, 2 cells; most: +0.000 on trec)"
    )
    assert at(0.0, level=0.985).word == "supported"  # nothing is left to gain


def test_a_cell_without_a_level_is_left_out_and_named():
    runs = []
    for seed in range(1, 6):
        for task, curve in (("trec", learns), ("sst2", lambda t: 0.2)):
            runs.append(curved("scratch", seed, noisy(curve, seed), task=task))
            runs.append(curved("full", seed, noisy(soon, seed + 9), task=task))
            runs.append(run("majority", 100, seed, 0.2, task=task))
    found = word(compared(*runs))
    assert found.word == "supported"
    assert [each.task for each in found.judgement.tasks] == ["trec"]
    assert "Left out: scratch does no better than the majority answer, by its own noise (sst2, 100 labels)." in (
        found.settle
    )
