"""Means and intervals over seeds. The unit of replication is the seed, shared by all strategies, so differences pair.

Source: Student's t interval; pairing as in Bouthillier et al. 2021 (Accounting for Variance in Machine Learning
Benchmarks, section 4). Few seeds give wide intervals on purpose: a percentile bootstrap over five seeds is too narrow.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over ``n`` seeds with its interval; low and high are None for a single seed."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval and it lies wholly above or below zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def estimate(values: Sequence[float], level: float = 0.95) -> Estimate | None:
    """Return the mean of ``values`` with the two-sided t interval of ``level``, None if there is no value."""
    n = len(values)
    if n == 0:
        return None
    mean = math.fsum(values) / n
    if n == 1:
        return Estimate(mean=mean, low=None, high=None, n=1)
    from scipy.special import stdtrit  # here, since scipy takes 0.4 s and --help needs none of it

    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * deviation / math.sqrt(n)
    return Estimate(mean=mean, low=mean - half, high=mean + half, n=n)


def paired(one: Mapping[int, float], other: Mapping[int, float], level: float = 0.95) -> Estimate | None:
    """Return the mean of ``one - other`` over the seeds both have, None if they share no seed."""
    return estimate([one[seed] - other[seed] for seed in sorted(one.keys() & other.keys())], level)
