"""The power of a comparison over seeds: what effect a number of seeds finds, and how many seeds find an effect.

An effect is found where the interval of its mean lies above zero and the mean is at least ``least``, the rule of the
word *supported* (judge.py). Beside the seeds' own deviation there may be an ``error`` that more seeds do not lessen,
such as that of the test texts; its half-width is added as in `statistics.spread_of`. The power is the mean, over what
deviation the seeds may show (chi-squared), of the normal chance that the mean passes the bound that this deviation
sets; without ``error`` and ``least`` it is that of the non-central t.
"""

import math
from functools import cache
from typing import Any

FEWEST = 3  # seeds under which nothing is tested: two that happen to agree would be certain
POWER = 0.8
SPREAD = 0.8  # level of the interval of a deviation, from which the range of a number of seeds comes: 4 times in 5
NODES = 48  # of the integral over the deviation; 1e-4 of power from the non-central t at 3 to 20 seeds


def power(
    effect: float, deviation: float, n: float, *, tests: int = 1, needed: int = 1, level: float = 0.95,
    error: float = 0.0, least: float = 0.0,
) -> float:  # fmt: skip
    """Return the chance that at least ``needed`` of ``tests`` equal effects are each found in their direction.

    Each is tested by Student's t over ``n`` seeds at ``(1 - level) / tests`` two-sided, the first step of Holm, so
    that the true power is no smaller; the tests are taken as independent. Under three seeds nothing is found.
    """
    if n < FEWEST:
        return 0.0
    if deviation == 0 and error == 0:
        return float(effect > 0 and effect >= least)
    from scipy.special import bdtrc, ndtr, ndtri, stdtrit

    shares, weights = _deviations(n)
    own = deviation**2 / n * shares  # what the seeds show of the squared error of the mean
    quantile = 0.5 + (1 - (1 - level) / tests) / 2
    bound = (stdtrit(n - 1, quantile) ** 2 * own + float(ndtri(quantile)) ** 2 * error**2) ** 0.5
    chances = ndtr((effect - bound.clip(min=least)) / math.sqrt(deviation**2 / n + error**2))
    single = float((weights * chances).sum())
    return float(bdtrc(needed - 1, tests, min(1.0, max(0.0, single))))


@cache
def _deviations(n: float) -> tuple[Any, Any]:
    """Return squared deviations that ``n`` values may show, over the true one, and the weight of each."""
    import numpy as np
    from scipy.special import chdtri

    places, weights = np.polynomial.legendre.leggauss(NODES)
    return chdtri(n - 1, 1 - (1 + places) / 2) / (n - 1), weights / 2


def detectable(
    deviation: float, n: float, *, tests: int = 1, needed: int = 1, level: float = 0.95, error: float = 0.0,
    least: float = 0.0,
) -> float | None:  # fmt: skip
    """Return the smallest effect that is found with a power of 80 %, None with fewer than three seeds."""
    if n < FEWEST:
        return None
    if deviation == 0 and error == 0:
        return least
    from scipy.optimize import brentq

    def lacking(effect: float) -> float:
        return power(effect, deviation, n, tests=tests, needed=needed, level=level, error=error, least=least) - POWER

    size = math.hypot(deviation, error)
    high = least + size
    while lacking(high) < 0:
        high *= 2
    return float(brentq(lacking, 0.0, high, xtol=1e-4 * size))


def seeds_needed(
    effect: float, deviation: float, *, tests: int = 1, needed: int = 1, level: float = 0.95, most: int = 1000,
    error: float = 0.0, least: float = 0.0,
) -> int | None:  # fmt: skip
    """Return how many seeds find an effect of this size with a power of 80 %, None if ``most`` do not."""
    if effect <= 0:
        return None

    def enough(n: int) -> bool:
        chance = power(effect, deviation, n, tests=tests, needed=needed, level=level, error=error, least=least)
        return chance >= POWER

    low, high = FEWEST, most
    if not enough(most):
        return None
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low


def deviation_interval(deviation: float, n: int, level: float = SPREAD) -> tuple[float, float]:
    """Return the interval of a standard deviation that ``n`` normal values show (chi-squared)."""
    from scipy.special import chdtri

    tail, df = (1 - level) / 2, n - 1
    return deviation * math.sqrt(df / float(chdtri(df, tail))), deviation * math.sqrt(df / float(chdtri(df, 1 - tail)))
