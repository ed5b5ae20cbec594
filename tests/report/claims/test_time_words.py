"""What the card on time says: bounds as bounds, remedies of their own, doubts by kind."""

import math
from dataclasses import replace

import numpy as np
import pytest

from calibration.unfriendly import World
from calibration.unfriendly import study as simulated
from report.claims.curved import LOOKS, curved, noisy, study
from report.claims.made_up import compared, run
from thaw.report.claims import clocks
from thaw.report.claims.doubts import Doubt, listed
from thaw.report.claims.judge import judge
from thaw.report.claims.on_time import judged_by
from thaw.report.claims.rule import Rule
from thaw.report.claims.speed import Speed
from thaw.report.claims.time_words import ratio_with
from thaw.report.claims.verdicts import verdicts
from thaw.report.collect import Study
from thaw.report.page.content import gather
from thaw.report.page.verdicts import cards
from thaw.report.statistics import Estimate

NOISE = (0.004, -0.004, 0.001, -0.002, 0.001)


def learns(t):
    return 0.2 + 0.4 * (1 - math.exp(-6 * t))


def twice(t):
    return learns(2 * t)


def of(effects, bound, reached=(5, 5)):
    logs = {task: {seed: math.log(by) + noise for seed, noise in enumerate(NOISE)} for task, by in effects.items()}
    return Speed(clock="step", effects=logs, crossed={}, errors={}, bound=bound, pairs=5, reached=reached)


@pytest.mark.parametrize("bound", ["at least", "about"])
@pytest.mark.parametrize(
    ("effects", "word"),
    [({"a": 1.05}, "real but below the margin"), ({"a": 2.0, "b": 0.5}, "mixed"), ({"a": 0.9}, "not supported")],
)
def test_a_word_that_needs_an_upper_end_has_none_from_a_least_ratio(bound, effects, word):
    # was "real but below the margin: at least 1.05 times ... which is less than 1.1 times"
    exact, least = of(effects, ""), of(effects, bound)
    sides = study(learns, twice)
    assert judge(exact.effects, Rule(), math.log(1.1)).word == word
    assert judged_by(sides, exact).judgement.word == word
    assert judged_by(sides, least).judgement.word == "inconclusive"
    assert "only a least ratio is known" in judged_by(sides, least).judgement.why
    assert judged_by(sides, of({"a": 2.0}, bound)).judgement.word == "supported"


def test_a_bound_is_shown_with_its_one_end():
    ratio = Estimate(mean=math.log(0.95), low=math.log(0.222), high=math.log(4.06), n=5, error=0.5)
    assert ratio_with(ratio, "") == "0.95 times, 0.222 to 4.06"
    assert ratio_with(ratio, "at most") == "at most 0.95 times, below 4.06"
    assert ratio_with(ratio, "at least") == "at least 0.95 times, above 0.222"
    assert ratio_with(replace(ratio, n=2), "") == "0.95 times"  # two seeds are not tested
    assert ratio_with(ratio, "about", " as fast as scratch") == "about 0.95 times as fast as scratch, 0.222 to 4.06"


def loses(losing, step=0.1):
    """Transfer is six times as fast, but for ``losing`` of ten runs that stop at .45."""
    runs = []
    for seed in range(1, 11):
        end = 0.45 if seed <= losing else 0.65
        jitter = 1 + 0.02 * seed
        runs.append(curved("scratch", seed, [round(learns(t / 120 * jitter), 6) for t in LOOKS]))
        scores = [round(0.2 + (end - 0.2) * (1 - math.exp(-40 * t / 120 * jitter)), 6) for t in LOOKS]
        runs += [curved("full", seed, scores, step=step), run("majority", 100, seed, 0.2)]
    return compared(*runs)


def test_the_sentence_and_the_table_show_one_bound():
    sides = loses(1)
    content = gather(Study(folders=[], runs=[one for cell in sides.cells.values() for one in cell.runs]))
    found = content.analysis.verdicts[0]
    decides = next(clock for clock in found.clocks if clock.decides)
    assert decides.bound == "at most"
    end = f"below {math.exp(decides.ratio.high):.3g}"
    assert end in found.sentence
    shown = cards(content.analysis, content.plots, content.style)
    assert f"times, {end}</td>" in shown
    assert f"{math.exp(decides.ratio.low):.3g} to" not in shown


def test_a_word_that_arrivals_take_back_does_not_deny_the_effect():
    # was "the effect measured is none or too small for any number of seeds to support"
    found = verdicts(loses(1, step=0.01))[0]
    assert found.word == "inconclusive"
    assert found.why == "it arrives less often: 9 of 10 runs, scratch 10 of 10"
    assert "any number of seeds" not in found.settle
    assert found.settle.startswith("10 seeds find effects above ")
    assert "Give both arms more steps" in found.settle


def test_a_word_that_a_disturbed_clock_takes_back_asks_for_another_run():
    found = verdicts(study(learns, twice, seeds=10, wait=6.3, rule=Rule(clock="seconds")))[0]
    assert "any number of seeds" not in found.settle
    assert "Run both arms again on a machine that does nothing else." in found.settle


def test_a_word_that_the_looks_take_back_asks_for_more_of_them():
    few = (0, 48, 72, 96, 120)  # both there at the first look
    runs = []
    for seed in range(1, 6):
        for strategy in ("scratch", "full"):
            scores = [0.2, *(round(0.6 + 0.001 * seed, 6) for _ in few[1:])]
            runs.append(curved(strategy, seed, scores, looks=few, step=0.1 if strategy == "scratch" else 5.0))
        runs.append(run("majority", 100, seed, 0.2))
    found = verdicts(compared(*runs))[0]
    assert (found.word, found.why) == (
        "inconclusive", "it arrives at the first two evaluations, so only a least ratio is known",
    )  # fmt: skip
    assert "Evaluate oftener at the beginning." in found.settle


def test_an_interval_that_is_too_wide_still_asks_for_seeds():
    found = verdicts(study(learns, lambda t: learns(1.2 * t), noise=0.04))[0]
    assert found.word == "inconclusive"
    assert "an effect as large as the one measured needs about" in found.settle


def test_an_effect_that_is_finer_than_the_looks_asks_for_more_of_them():
    # 1.37 times, of which it said "none or too small for any number of seeds"
    found = verdicts(study(learns, lambda t: learns(1.15 * t), noise=0.03))[0]
    assert found.word == "inconclusive"
    assert math.exp(found.judgement.pooled.mean) == pytest.approx(1.37, abs=0.01)
    assert "any number of seeds" not in found.settle
    assert "finer than the grid of the evaluations: evaluate oftener" in found.settle


def test_two_seeds_have_no_exact_test():
    # was "its p is 1 at least, so the word rests on Student's t"
    found = verdicts(study(learns, twice, seeds=2))[0]
    assert found.word == "inconclusive"
    assert " p " not in found.settle
    assert "Student" not in found.settle


def test_doubts_are_told_by_kind():
    rises = [Doubt(says="it rises", remedy="Wait.", amount=0.01 * place) for place in range(12)]
    low = Doubt(says="it is low", remedy="Lift it.")
    doubts = {(f"task{place % 3}", 50 * 2 ** (place // 3)): doubt for place, doubt in enumerate(rises)}
    assert listed(doubts) == "it rises (3 tasks, 12 cells; most: +0.110 on task2, 400 labels)"
    assert (
        listed({("a", 50): rises[1], ("a", 100): low}) == "it rises (+0.010 on a, 50 labels); it is low (a, 100 labels)"
    )
    assert listed({("a", 50): low, ("b", 50): low}) == "it is low (a, 50 labels; b, 50 labels)"
    assert listed({(f"t{place}", 50): low for place in range(5)}) == "it is low (5 tasks, 5 cells)"


def test_a_floor_of_nothing_that_scratch_does_not_leave_is_a_doubt():
    # entity F1 of a tagger that finds nothing: was "fewer than 3 seeds pair"
    runs = []
    for seed in range(1, 6):
        for task, level in (("names", 0.0), ("trec", 1.0)):
            runs.append(curved("scratch", seed, [level * score for score in noisy(learns, seed)], task=task))
            runs.append(curved("full", seed, noisy(twice, seed + 9), task=task))
            runs.append(run("majority", 100, seed, 0.0 if task == "names" else 0.2, task=task))
    both = verdicts(compared(*runs))[0]
    assert both.word == "supported"
    assert (
        "Left out: scratch does no better than the majority answer, by its own noise (names, 100 labels)."
        in both.settle
    )
    alone = verdicts(compared(*[one for one in runs if one["task"] == "names"]))[0]
    assert alone.why == "scratch does no better than the majority answer, by its own noise (names, 100 labels)"
    assert gather(Study(folders=[], runs=[one for one in runs if one["task"] == "names"])).analysis.times == []


def test_the_note_on_cores_says_which_clock_holds_what():
    made = study(learns, twice, host_gflops=30.0, base={"host_gflops": 90.0})
    (note,) = clocks.cores(Study(folders=[], runs=[one for cell in made.cells.values() for one in cell.runs]))
    assert "30 to 90 GFLOP/s" in note
    assert "compare steps rather than seconds" not in note
    assert "Sharing is in wall seconds alone" in note


def test_the_luckiest_of_several_settings_is_not_faster():
    """The best of six equal settings by dev was "supported" in 24 % of simulated studies: dev is what time reads."""
    world = World(trials=6, faster=3.0, gains=(0.15,))
    found = verdicts(simulated(world, np.random.default_rng(0)))[0]
    assert found.word == "inconclusive"
    assert "its setting is the best of 6 by the dev scores that time is read from, scratch's of 1" in found.why
    assert "seeds of their own" in found.settle
    alone = verdicts(simulated(replace(world, trials=1), np.random.default_rng(0)))[0]
    assert alone.word == "supported"
