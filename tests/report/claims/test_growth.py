"""Where a fitted curve crosses a target."""

from collections.abc import Callable

import numpy as np
import pytest

from thaw.report.claims.growth import Fitted, growth, isotonic

STEPS = (0.0, 1.0, 2.0, 4.0, 8.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0)
CURVE = 0.2 + 0.5 * (1 - np.exp(-np.array(STEPS) / 20))


@pytest.mark.parametrize("fit", [growth, isotonic])
def test_no_crossing_is_put_later_than_the_last_look(fit: Callable[..., Fitted]) -> None:
    fitted = fit(STEPS, CURVE[None])
    late, never = fitted.crossing(np.array([0.2 + 0.49 * 0.99])), fitted.crossing(np.array([0.8]))
    assert never[0] == pytest.approx(np.log(100))  # it was three times the last step
    assert 0 < late[0] <= never[0]


def test_growth_finds_where_an_exponential_curve_crosses() -> None:
    at = growth(STEPS, CURVE[None]).crossing(np.array([0.2 + 0.5 * (1 - np.exp(-2.0))]))
    assert np.exp(at[0]) == pytest.approx(40, rel=0.1)
