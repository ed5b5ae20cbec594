"""Rates of few runs, against the published figures of Wilson's interval."""

import pytest

from thaw.report.rates import wilson


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [  # statsmodels 0.14: proportion_confint(count, n, method="wilson")
        (4, 10, 0.1682, 0.6873),
        (0, 3, 0.0, 0.5615),
        (10, 10, 0.7225, 1.0),
        (1, 20, 0.0089, 0.2361),
    ],
)
def test_the_interval_is_that_of_wilson(count: int, n: int, low: float, high: float) -> None:
    found = wilson(count, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert found.share == count / n


def test_of_no_run_nothing_is_known() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    assert str(wilson(4, 10)) == "4 of 10 (Wilson 17 to 69 %)"
