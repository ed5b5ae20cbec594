"""Tests, adjustment and power against published tables, brute force and scipy."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from thaw.report.claims.tuning import expected_maximum
from thaw.report.power import detectable, deviation_interval, power, seeds_needed
from thaw.report.statistics import equivalent, estimate, holm


def test_p_is_that_of_scipy():
    values = [0.02, 0.05, -0.01, 0.04, 0.03]
    assert estimate(values).p == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert estimate([0.3]).p == 1.0
    assert (estimate([0.1, 0.1]).p, estimate([0.1, 0.1, 0.1]).p) == (1.0, 1.0)  # nothing to judge by
    assert estimate([0.1, 0.1, 0.1]).deviation == 0.0  # 1e-17 by rounding
    assert not estimate([0.019231, 0.0192311]).excludes_zero
    assert not equivalent(estimate([0.001, 0.001]), 0.01)


def test_holm_by_hand():
    # Holm 1979: smallest times 4, next times 3, ...; never less than the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.parametrize(("n", "published"), [(3, 3.26), (5, 1.66), (8, 1.15), (10, 0.99), (20, 0.66), (25, 0.58)])
def test_the_smallest_effect_of_n_seeds(n: int, published: float):
    assert detectable(1.0, n) == pytest.approx(published, abs=0.04)


def test_power_by_simulation():
    draw = np.random.default_rng(0)
    values = draw.normal(1.0, 1.0, (4000, 3, 6))  # studies, tasks, seeds
    found = stats.ttest_1samp(values, 0, axis=2)
    positive = (found.pvalue < 0.05 / 3) & (found.statistic > 0)
    share = (positive.sum(axis=1) >= 2).mean()
    assert power(1.0, 1.0, 6, tests=3, needed=2) == pytest.approx(share, abs=0.025)


def test_power_with_a_margin_and_an_error_that_seeds_do_not_lessen():
    """Trust 13: what a study can see must count the margin and the test texts, or more seeds promise too much."""
    draw, n, effect, error, least = np.random.default_rng(1), 5, 0.03, 0.008, 0.01
    values = draw.normal(effect, 0.0175, (20000, n)) + draw.normal(0, error, (20000, 1))
    own = values.var(axis=1, ddof=1) / n
    low = values.mean(axis=1) - np.hypot(stats.t.ppf(0.975, n - 1) * np.sqrt(own), 1.95996 * error)
    share = ((low > 0) & (values.mean(axis=1) >= least)).mean()
    assert power(effect, 0.0175, n, error=error, least=least) == pytest.approx(share, abs=0.01)
    assert detectable(0.0175, n, error=error, least=least) > detectable(0.0175, n)
    assert seeds_needed(0.02, 0.0175, error=0.008) is None  # the texts alone leave +-.016
    assert seeds_needed(0.009, 0.001, least=0.01) is None  # below the margin however many


def test_power_is_that_of_the_non_central_t():
    for n, effect in itertools.product((3, 5, 10), (0.5, 1.0, 2.0)):
        exact = 1 - stats.nct.cdf(stats.t.ppf(0.975, n - 1), n - 1, effect * math.sqrt(n))
        assert power(effect, 1.0, n) == pytest.approx(exact, abs=2e-4)


def test_two_seeds_find_nothing():
    assert (power(10.0, 1.0, 2), detectable(1.0, 2)) == (0.0, None)
    assert seeds_needed(10.0, 1.0) == 3


def test_the_interval_of_a_deviation_is_that_of_chi_squared():
    low, high = deviation_interval(1.0, 5)
    assert (low, high) == pytest.approx((math.sqrt(4 / stats.chi2.ppf(0.9, 4)), math.sqrt(4 / stats.chi2.ppf(0.1, 4))))


def test_seeds_needed_is_the_smallest_number_with_that_power():
    count = seeds_needed(0.5, 1.0)
    assert power(0.5, 1.0, count) >= 0.8 > power(0.5, 1.0, count - 1)
    assert seeds_needed(-0.1, 1.0) is None
    assert seeds_needed(1e-6, 1.0) is None


def test_equivalence_is_two_one_sided_tests():
    values = [0.001, -0.002, 0.0015, 0.0, 0.002]
    lower = stats.ttest_1samp(values, -0.01, alternative="greater").pvalue
    upper = stats.ttest_1samp(values, 0.01, alternative="less").pvalue
    assert max(lower, upper) < 0.05
    assert equivalent(estimate(values), 0.01)
    margin = 0.0015
    both = max(
        stats.ttest_1samp(values, -margin, alternative="greater").pvalue,
        stats.ttest_1samp(values, margin, alternative="less").pvalue,
    )
    assert equivalent(estimate(values), margin) == (both < 0.05)


def test_the_expected_maximum_is_the_mean_over_all_draws():
    scores = [0.61, 0.5, 0.7, 0.66]
    for k, value in enumerate(expected_maximum(scores), 1):
        draws = [max(some) for some in itertools.combinations(scores, k)]
        assert value == pytest.approx(math.fsum(draws) / len(draws))
