"""The exchange rate comes from measured points and is never extrapolated."""

import math
from dataclasses import replace

import numpy as np
import pytest

from report.claims.made_up import compared, run
from report.claims.predicted import answered
from thaw.report.claims import labels
from thaw.report.claims.curves import crossover, curve
from thaw.report.claims.fewer import fewer
from thaw.report.claims.phrases import rate
from thaw.report.claims.rule import Rule
from thaw.report.claims.verdicts import verdicts
from thaw.report.page.verdicts import component_rows
from thaw.report.statistics import estimate

SIZES = (50, 100, 200, 400, 800)
NOISE = (0.01, -0.01, 0.005, -0.008, 0.003)


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
    effect = fewer(sides).effects["trec"]  # n and 2n: sizes 50 to 400
    assert sum(effect.values()) / len(effect) == pytest.approx(0.05, abs=0.002)
    assert fewer(study(gain=0.15, rule=Rule(sizes=[800]))).effects == {}  # nothing is measured at 1,600


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


def claim(*runs, rule: Rule | None = None):
    return verdicts(compared(*runs, rule=rule or Rule(sizes=[50, 100])))[2]


def pairs(scratch: dict[int, float], full: dict[int, float], task: str = "trec", noise=NOISE):
    """Return five seeds of scratch and full; the subset of a seed moves both alike, each run a little for itself."""
    made = []
    for seed, shift in enumerate(noise, 1):
        for n, score in scratch.items():
            made.append(run("scratch", n, seed, score + shift * (1 + n / 1000), task=task))
        for n, score in full.items():
            made.append(run("full", n, seed, score - shift / 2, task=task))
    return made


def test_what_was_run_is_measured_and_not_read():
    doubling = pairs({50: 0.4, 100: 0.5, 200: 0.6}, {50: 0.56, 100: 0.66})
    whole = fewer(compared(*doubling))
    assert (whole.unmeasured, whole.between, whole.errors) == ({}, {}, {})
    assert sum(whole.effects["trec"].values()) / 5 == pytest.approx(0.06, abs=0.01)
    found = claim(*doubling)
    assert found.word == "supported"
    assert "not run" not in found.sentence


def test_where_twice_the_labels_were_not_run_the_sentence_says_so_and_the_interval_is_wider():
    tripling = pairs({50: 0.4, 150: 0.56, 500: 0.72}, {50: 0.56, 150: 0.72})
    found, own = claim(*tripling, rule=Rule()), fewer(compared(*tripling))
    assert own.unmeasured == {"trec": [100, 300]}
    assert own.errors["trec"] == own.between["trec"] > 0
    assert "(not run with 100 and 300 labels: read between 50, 150 and 500; standard error ±" in (found.sentence)
    seeds = found.judgement.pooled.deviation / math.sqrt(5)
    assert found.judgement.pooled.error == pytest.approx(math.hypot(seeds, own.errors["trec"]))


def test_tasks_that_were_run_with_other_sizes_are_named():
    made = pairs({50: 0.4, 100: 0.5, 200: 0.6}, {50: 0.56, 100: 0.66})
    made += pairs({50: 0.4, 150: 0.56, 500: 0.72}, {50: 0.56}, task="sst2")
    assert "(not run with 100 labels on sst2: read between 50, 150 and 500;" in claim(*made).sentence


def test_twice_the_labels_are_worth_nothing_where_scratch_does_not_gain_from_them():
    flat = pairs({50: 0.50, 100: 0.502, 200: 0.501}, {50: 0.6, 100: 0.6})
    found = claim(*flat)
    assert found.word == "inconclusive"
    assert found.why.startswith("scratch does not gain from labels here (+0.")
    assert found.sentence.count("scratch does not gain from labels here") == 1
    assert found.settle.startswith("Look at other train sizes")


def test_worse_at_equal_labels_is_not_fewer():
    # above scratch with twice the labels at 100, where scratch dips, and below it at equal labels in the mean
    made = pairs({50: 0.80, 100: 0.5, 200: 0.95, 400: 0.6}, {50: 0.65, 100: 0.66, 200: 0.7})
    found = claim(*made, rule=Rule(sizes=[50, 200]))
    assert found.word != "supported"


def test_several_pretrainings_are_crossed_as_in_the_claim_on_accuracy():
    made = pairs({50: 0.4, 100: 0.5, 200: 0.6}, {})
    for source in range(5):
        for seed, shift in enumerate(NOISE, 1):
            for n, score in ((50, 0.56), (100, 0.66)):
                one = run(
                    "full",
                    n,
                    seed,
                    score + shift + 0.01 * (source - 2),
                    pretrain_run=f"p{source}",
                    checkpoint=f"c{source}",
                )
                made.append(replace(one, lineage={"recipe": "r"}))
    own = fewer(compared(*made))
    means = [sum(values.values()) / 5 for values in own.crossed["trec"].values()]
    assert len(means) == 5
    assert max(means) - min(means) == pytest.approx(0.04)
    found = claim(*made)
    assert found.judgement.random
    assert "2 times n on 1 task, over 5 pretrainings, so it needs fewer." in found.sentence


def test_the_exchange_interval_holds_twice_the_labels_where_they_are_read():
    """Errors fall as 1 / n from 50 labels on and transfer is scratch with 2n: read straight, 2n is outside."""
    law = {n: 1 - 0.5 * 50 / n for n in (50, 150, 500)}
    made = pairs(law, {50: 0.75, 150: 1 - 25 / 300}, noise=(0.004, -0.004, 0.002, -0.003, 0.001))
    found = {one.labels: one for one in labels.exchange(compared(*made), "trec", compared(*made).transfer)}
    for n in (50, 150):
        assert found[n].low < 2 * n < found[n].high, found[n]


def test_where_scratch_was_not_run_with_n_labels_its_gain_is_not_known():
    """It was "scratch does not gain from labels here", with the remedy for that."""
    made = pairs({100: 0.5, 200: 0.6}, {50: 0.66, 100: 0.76})
    found = claim(*[one for one in made if (one["strategy"], one["train_size"]) != ("full", 100)], rule=Rule())
    assert (found.word, found.why) == ("inconclusive", "what scratch gains from n to 2 times n labels is not known")
    assert found.settle == "Run scratch at the train sizes of transfer too, with the same seeds."


def test_better_than_twice_the_labels_but_not_as_many_has_a_remedy_of_its_own():
    made = pairs({50: 0.4, 100: 0.5, 200: 0.6}, {50: 0.56, 200: 0.43})  # with 200 labels it is worse
    found = claim(*made, rule=Rule())
    assert found.word == "inconclusive"
    assert found.why.startswith("at equal labels: ")
    assert found.sentence.startswith("full with n labels scores +0.060 [")
    assert "with this encoder, but -0.005 [" in found.sentence
    assert found.sentence.endswith("at equal labels.")
    assert found.settle.startswith("Run more seeds at the same train sizes")


def test_the_parts_of_the_error_have_a_row_each(tmp_path):
    """The row of the texts held the errors of the tuning and of the reading between sizes too."""
    draw = np.random.default_rng(0)
    made = []
    right = {n: draw.random(400) < share for n, share in ((50, 0.4), (150, 0.6), (500, 0.8), (0, 0.7))}
    for seed in range(1, 6):
        for n in (50, 150, 500):
            made.append(answered(tmp_path, "scratch", n, seed, right[n] ^ (draw.random(400) < 0.02)))
        made.append(answered(tmp_path, "full", 50, seed, right[0] ^ (draw.random(400) < 0.02)))
    own, found = fewer(compared(*made)), claim(*made, rule=Rule())
    parts = found.judgement.components
    assert parts.texts == pytest.approx(own.drawn["trec"].error)
    assert 0.01 < parts.texts < own.errors["trec"]
    assert parts.reading == pytest.approx(own.between["trec"])
    assert own.errors["trec"] == pytest.approx(math.hypot(parts.texts, parts.reading))
    rows = dict(component_rows(found))
    assert rows["reading scratch between its train sizes"] == f"{parts.reading:.4f}"
    assert rows["test texts, for all runs alike"] == f"{parts.texts:.4f}"
    assert parts.residual == pytest.approx(own.drawn["trec"].residual)


@pytest.mark.parametrize("error", [0.0, 0.002, 0.02])
def test_the_half_width_is_that_of_an_estimate(error):
    """It had Student's t with Satterthwaite's degrees of freedom, which is too narrow; and no floor."""
    gaps = np.array([[0.01, 0.02], [0.03, 0.02], [-0.01, 0.02], [0.02, 0.02]])
    half = labels.half_width(gaps, np.full(2, error), 0.95, floor=0.004)
    for place in (0, 1):
        one = estimate(list(gaps[:, place]), 0.95, error, 0.004)
        assert half[place] == pytest.approx(one.high - one.mean)


def test_a_bound_beyond_the_sizes_says_how_far_its_interval_goes():
    """ "worth more than 800" was said as certain where the interval began at 270."""
    wide = rates(study(gain=0.42, noise=(0.1, -0.1, 0.05, -0.04, -0.01)))[50]
    assert (wide.beyond, wide.high) == ("above", None)
    assert wide.low < 800
    assert rate(wide).startswith("50 labels with transfer are worth more than 800 from scratch (at least ")
    assert wide.rate.startswith("> 16x [")
    sure = rates(study(gain=0.5, noise=(0.001, -0.001, 0.0)))[50]
    assert sure.excluded
    assert rate(sure) == "50 labels with transfer are worth more than 800 from scratch"
    assert sure.rate == "> 16x"
    low = rates(study(gain=-0.42, noise=(0.1, -0.1, 0.05, -0.04, -0.01)))[800]
    assert "are worth less than 50 from scratch (at most " in rate(low)


def test_an_interval_that_holds_everything_is_no_certainty():
    wide = rates(study(gain=0.42, noise=(0.9, -0.9, 0.5, -0.4, -0.1)))[50]
    assert (wide.beyond, wide.low, wide.high, wide.excluded) == ("above", None, None, False)
    assert rate(wide).endswith("are worth more than 800 from scratch (< 50 to > 800)")
    assert wide.rate == "> 16x [< 1, > 16]"  # it was "> 16x", as if it were sure


def test_two_seeds_give_no_interval_of_a_rate():
    two = rates(study(gain=0.15, noise=(0.004, -0.004)))[100]
    assert two.worth == pytest.approx(283, rel=0.02)
    assert (two.tested, two.low, two.high) == (False, None, None)
    assert two.rate == "2.8x (n = 2: no test)"
    assert rate(two) == "100 labels with transfer are worth 280 from scratch (2 seeds: no interval)"


def test_the_grid_of_the_metric_is_a_floor_of_the_interval_of_a_rate(tmp_path):
    made = []
    for seed in (1, 2, 3):  # the same answers in every seed: nothing varies but what rounding hides
        for n, right in ((50, 200), (100, 250), (200, 300)):
            made.append(answered(tmp_path, "scratch", n, seed, np.arange(500) < right))
        made.append(answered(tmp_path, "full", 50, seed, np.arange(500) < 250))
    (one,) = labels.exchange(compared(*made), "trec", compared(*made).transfer)
    assert one.tested
    assert one.low < 100 < one.high
    bare = [replace(each, folder=tmp_path / "nowhere") for each in made]
    (one,) = labels.exchange(compared(*bare), "trec", compared(*bare).transfer)
    assert one.rate == "2x (n = 3: no spread)"
