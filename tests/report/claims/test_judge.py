"""The words of judge(): each case was another word, or the same one without a reason, on 2026-11-28."""

import math

import pytest

from thaw.report.claims.collapse import LEVEL, Collapse
from thaw.report.claims.judge import INCONCLUSIVE, MIXED, NOT_SUPPORTED, SMALL, SUPPORTED, judge
from thaw.report.claims.rule import Rule
from thaw.report.power import seeds_needed
from thaw.report.rates import wilson_interval

NOISE = (0.002, -0.002, 0.001, -0.001, 0.0)
MARGIN = 0.01


def effects(**means: float) -> dict[str, dict[int, float]]:
    return {task: {seed: mean + shift for seed, shift in enumerate(NOISE)} for task, mean in means.items()}


def word(**means: float) -> str:
    return judge(effects(**means), Rule(), MARGIN).word


def excluded(runs: int, collapsed: int = 0, loss: float | None = 0.3) -> Collapse:
    low, high = wilson_interval(collapsed, runs)
    worst = wilson_interval(collapsed, runs, LEVEL)[1]
    return Collapse(runs=runs, collapsed=collapsed, low=low, high=high, worst=worst, loss=loss)


@pytest.mark.parametrize("values", [{1: 0.002, 2: 0.002}, {1: 0.019231, 2: 0.019231}, {1: 0.3, 2: 0.31}])
def test_two_seeds_give_no_word_and_no_p(values):
    """Trust 7 and newcomer N3: "supported", p = 0.0, two seeds."""
    found = judge({"t": values}, Rule(), MARGIN)
    assert (found.word, found.tasks[0].p, found.tasks[0].positive) == (INCONCLUSIVE, 1.0, False)
    assert found.why == "2 paired seeds, fewer than 3: no test"
    assert (found.detectable, found.seeds) == (None, None)


@pytest.mark.parametrize("value", [0.1, 0.3, 0.002, 1 / 3])
def test_values_that_do_not_vary_are_no_evidence(value):
    """Trust 7: equal differences had p = 0. The mean of three .1 has a deviation of 1e-17 by rounding."""
    found = judge({"t": dict.fromkeys((1, 2, 3), value)}, Rule(), MARGIN)
    assert (found.word, found.tasks[0].p) == (INCONCLUSIVE, 1.0)
    assert "do not differ" in found.why


def test_values_that_do_not_vary_are_judged_by_the_error_of_the_texts():
    gained = judge({"t": dict.fromkeys((1, 2, 3), 0.1)}, Rule(), MARGIN, {"t": 0.01})
    assert gained.word == SUPPORTED
    assert (gained.pooled.low, gained.pooled.high) == pytest.approx((0.1 - 1.95996 * 0.01, 0.1 + 1.95996 * 0.01))
    assert judge({"t": dict.fromkeys((1, 2, 3), 0.01)}, Rule(), MARGIN, {"t": 0.01}).word == INCONCLUSIVE


def test_the_grid_of_the_metric_is_a_floor_of_the_spread():
    grid = 1 / 500 / math.sqrt(6)  # two scores rounded to a text of 500
    found = judge({"t": dict.fromkeys((1, 2, 3), 0.002)}, Rule(), MARGIN, floors={"t": grid})
    assert found.pooled.low == pytest.approx(0.002 - 4.302653 * grid / math.sqrt(3), rel=1e-2)


def test_a_real_gain_below_the_margin_is_no_support():
    """Trust 7: [+.001, +.003] with a margin of .01 was supported."""
    found = judge(effects(t=0.002), Rule(), 0.0)
    assert found.pooled.low > 0
    assert found.word == SUPPORTED
    below = judge(effects(t=0.002), Rule(), MARGIN)
    assert (below.word, word(t=0.009), word(t=0.012)) == (SMALL, SMALL, SUPPORTED)
    assert below.why == "the interval lies above none, the mean below the margin"


def test_harm_on_a_quarter_of_the_tasks_is_not_trimmed_away():
    """Trust 10: six tasks at +.02 and two at -.30 were supported with +.0172."""
    found = judge(effects(**{f"t{n}": 0.02 for n in range(6)}, bad=-0.3, worse=-0.3), Rule(), MARGIN)
    assert found.pooled.mean == pytest.approx(-0.06)
    assert found.word == MIXED
    assert found.why == "helps on t0, t1, t2, t3, t4, t5, harms on bad, worse"
    assert found.harmed == ["bad", "worse"]


def test_one_harmed_task_of_three_makes_it_mixed():
    """Trust 10: +.06, +.06, -.10 was supported with +.007."""
    found = judge(effects(a=0.06, b=0.06, c=-0.1), Rule(), MARGIN)
    assert (found.word, found.why) == (MIXED, "helps on a, b, harms on c")


def test_harm_without_help_is_not_mixed():
    assert word(a=-0.1, b=-0.05) == NOT_SUPPORTED


def test_a_share_of_the_tasks_can_be_asked_for():
    values = effects(a=0.1) | {task: {seed: shift * 10 for seed, shift in enumerate(NOISE)} for task in ("b", "c")}
    assert judge(values, Rule(), MARGIN).word == SUPPORTED  # the mean over tasks decides
    strict = judge(values, Rule(tasks=0.6), MARGIN)
    assert (strict.word, strict.why) == (INCONCLUSIVE, "it stands on 1 of 3 tasks alone, the rule asks for 2")


def test_a_gain_must_stand_the_collapses_that_so_few_runs_do_not_exclude():
    """Trust 14: one run in ten collapses by .3, the rest gain .033: 57 % of studies of three seeds said supported."""
    few = judge(effects(t=0.033), Rule(), MARGIN, collapse=excluded(5))
    assert few.word == INCONCLUSIVE
    assert few.why.startswith("none of 5 runs collapsed, so up to 25 % may")
    assert judge(effects(t=0.033), Rule(), MARGIN, collapse=excluded(60)).word == SUPPORTED
    assert judge(effects(t=0.2), Rule(), MARGIN, collapse=excluded(5)).word == SUPPORTED
    assert few.detectable > judge(effects(t=0.033), Rule(), MARGIN).detectable  # what the seeds see says so too


def test_the_least_gain_is_what_a_share_of_collapses_would_leave_at_the_margin():
    one = excluded(5)
    gain = one.least(MARGIN)
    assert (1 - one.worst) * gain - one.worst * one.loss == pytest.approx(MARGIN)
    assert one.runs_needed(0.033, MARGIN) == 23
    assert excluded(23).least(MARGIN) <= 0.033 < excluded(22).least(MARGIN)
    assert excluded(5, loss=None).least(MARGIN) == MARGIN  # the floor is not known
    assert excluded(10, collapsed=10).least(MARGIN) == MARGIN  # all collapsed: no more can


def test_fewer_than_five_pretrainings_are_fixed_and_five_are_random():
    """Trust 11: a word about one encoder was read as one about pretraining."""
    apart = (0.0, 0.06, -0.02, 0.05, 0.06)  # what the pretrainings differ by

    def crossed(count):
        return {
            "t": {f"p{n}": {seed: 0.05 + apart[n] + shift for seed, shift in enumerate(NOISE)} for n in range(count)}
        }

    def means(count):
        values = crossed(count)["t"].values()
        return {"t": {seed: sum(one[seed] for one in values) / count for seed in range(len(NOISE))}}

    four = judge(means(4), Rule(), MARGIN, crossed=crossed(4))
    five = judge(means(5), Rule(), MARGIN, crossed=crossed(5))
    assert (four.pretrainings, four.random, five.pretrainings, five.random) == (4, False, 5, True)
    assert four.pooled.high - four.pooled.low < 0.01  # of the seeds alone
    assert five.pooled.high - five.pooled.low == pytest.approx(2 * 2.776 * 0.0374 / math.sqrt(5), rel=0.05)
    assert five.pooled.mean == pytest.approx(0.08)
    assert five.components.pretraining == pytest.approx(0.0374, rel=0.01)
    assert five.components.seed == pytest.approx(0.00158, rel=0.01)
    assert five.components.residual == pytest.approx(0.0, abs=1e-9)


def test_the_number_of_seeds_is_a_range():
    """Trust 13: "needs about N" came from an observed effect and spread without their uncertainty."""
    found = judge({"t": {1: 0.03, 2: -0.01, 3: 0.04, 4: 0.0, 5: 0.02}}, Rule(), MARGIN)
    assert found.word == INCONCLUSIVE
    deviation = found.pooled.deviation
    ends = [deviation * math.sqrt(4 / chi2) for chi2 in (7.7794, 1.0636)]  # 80 % of chi-squared with 4 df
    low, mean, high = (seeds_needed(0.016, one, least=MARGIN) for one in (ends[0], deviation, ends[1]))
    assert (found.seeds, found.seeds_range) == (mean, (low, high))
    assert (low, mean, high) == (10, 16, 52)
