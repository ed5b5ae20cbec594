import numpy
import pytest
import scipy.stats

from thaw.report.statistics import estimate, paired


def test_interval_is_that_of_scipy() -> None:
    values = [0.71, 0.74, 0.69, 0.75, 0.7]
    found = estimate(values)
    low, high = scipy.stats.t.interval(0.95, 4, numpy.mean(values), scipy.stats.sem(values))
    assert found is not None
    assert found.n == 5
    assert (found.mean, found.low, found.high) == pytest.approx((numpy.mean(values), low, high))


def test_paired_interval_is_that_of_scipy() -> None:
    one, other = {1: 0.8, 2: 0.7, 3: 0.9, 7: 0.1}, {3: 0.7, 2: 0.65, 1: 0.7, 9: 0.9}
    found = paired(one, other)
    test = scipy.stats.ttest_rel([0.8, 0.7, 0.9], [0.7, 0.65, 0.7])
    interval = test.confidence_interval(0.95)
    assert found is not None
    assert found.n == 3
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.excludes_zero == (test.pvalue < 0.05)


def test_one_seed_has_no_interval_and_none_no_estimate() -> None:
    found = estimate([0.5])
    assert found is not None
    assert (found.low, found.high, found.excludes_zero) == (None, None, False)
    assert estimate([]) is None
    assert paired({1: 0.5}, {2: 0.5}) is None
