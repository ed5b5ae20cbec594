import numpy
import pytest
import scipy.stats

from thaw.report.rates import wilson_interval
from thaw.report.statistics import estimate, paired, score_interval, within
from thaw.report.summary import signed


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


def test_an_error_that_the_values_share_widens_the_interval() -> None:
    values = [0.02, 0.05, -0.01, 0.04, 0.03]
    plain, wide = estimate(values), estimate(values, error=0.02)
    assert plain is not None
    assert wide is not None
    assert plain.error is not None
    assert wide.error == pytest.approx(numpy.hypot(plain.error, 0.02))
    assert wide.own == pytest.approx(plain.error)
    assert (wide.high - wide.mean) == pytest.approx(
        numpy.hypot(scipy.stats.t.ppf(0.975, 4) * plain.error, 1.959964 * 0.02)
    )
    edge = estimate(values, 1 - wide.p, error=0.02)  # at the level of p the interval ends at zero
    assert edge is not None
    assert edge.low == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "metric"),
    [
        ([0.36, 0.73], "accuracy"),  # newcomer N8: [-0.497, 1.333]
        ([0.95, 0.99, 1.0], "entity_f1"),
        ([0.0, 0.3, 0.8], "f1"),
        ([-0.9, 0.4], "matthews"),
        ([0.97, 0.99, 1.0], "dev/spearman"),
    ],
)
def test_intervals_of_scores_stay_in_the_range_of_the_metric(values: list[float], metric: str) -> None:
    found = score_interval(values, metric)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    least = -1 if metric in ("matthews", "dev/spearman") else 0
    assert least < found.low < found.mean < found.high < 1
    assert found.mean == pytest.approx(numpy.mean(values))


def test_intervals_of_scores_are_the_plain_ones_where_the_range_is_far() -> None:
    values = [0.61, 0.62, 0.6, 0.615, 0.605]
    found, plain = score_interval(values, "accuracy"), estimate(values)
    assert found is not None
    assert plain is not None
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=2e-4)
    loss = score_interval([2.1, 2.3, 2.2], "bits_per_byte")
    assert loss == estimate([2.1, 2.3, 2.2])
    assert score_interval([], "accuracy") is None


def test_intervals_of_scores_cover_the_mean() -> None:
    draw = numpy.random.default_rng(0)
    for share in (0.5, 0.9, 0.97):
        scores = draw.beta(share * 60, (1 - share) * 60, (1500, 5))
        found = [score_interval(list(map(float, row)), "accuracy") for row in scores]
        covered = [one is not None and one.low <= share <= one.high for one in found]  # type: ignore[operator]
        assert 0.93 <= numpy.mean(covered) <= 0.975, share


def test_a_share_has_wilsons_interval() -> None:
    result = scipy.stats.binomtest(3, 20).proportion_ci(method="wilson")
    assert wilson_interval(3, 20) == pytest.approx((result.low, result.high))
    assert wilson_interval(0, 5) == pytest.approx((0.0, 0.4345), abs=1e-4)
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("shared", [0.2, 0.4, 1.0, 2.5])
def test_intervals_with_a_shared_error_cover_at_three_seeds(shared: float) -> None:
    draw = numpy.random.default_rng(0)
    error = shared / 3**0.5
    values = draw.normal(0, 1, (3000, 3)) + draw.normal(0, error, (3000, 1))
    found = [estimate(list(map(float, row)), error=error) for row in values]
    covered = [one is not None and one.low <= 0 <= one.high for one in found]  # type: ignore[operator]
    assert 0.94 <= numpy.mean(covered) <= 0.985  # Satterthwaite's degrees of freedom: .92 at 0.4


def test_intervals_of_differences_end_where_differences_do() -> None:
    wide = estimate([0.9, -0.5, 0.2])
    assert wide is not None
    assert wide.high is not None
    assert wide.high > 1
    assert (within(wide, "accuracy").low, within(wide, "accuracy").high) == (-1.0, 1.0)
    assert within(wide, "matthews").high == wide.high


def test_a_difference_that_is_not_tested_shows_no_interval() -> None:
    shown = [estimate(values) for values in ([0.019231] * 2, [0.019231] * 3, [0.02, 0.018, 0.022])]
    assert [signed(one) for one in shown if one] == [
        "+0.019 (n = 2: no test) ·", "+0.019 (n = 3: no spread) ·", "+0.020 [+0.015, +0.025]",
    ]  # fmt: skip
