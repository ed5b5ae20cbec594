"""How often something happens, with an interval that is honest for few runs."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rate:
    """``count`` of ``n`` runs, and the interval of the share."""

    count: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share that was seen, 0 where there was nothing to see."""
        return self.count / self.n if self.n else 0.0

    def __str__(self) -> str:
        """Return ``4 of 10 (Wilson 17 to 69 %)``."""
        return f"{self.count} of {self.n} ({self.interval})"

    @property
    def interval(self) -> str:
        """The interval in words: ``Wilson 17 to 69 %``."""
        return f"Wilson {100 * self.low:.0f} to {100 * self.high:.0f} %"


def wilson(count: int, n: int, level: float = 0.95) -> Rate:
    """Return how often something happened in ``n`` runs, with its interval."""
    low, high = wilson_interval(count, n, level)
    return Rate(count=count, n=n, low=low, high=high)


def wilson_interval(count: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a share (Wilson 1927, no correction for continuity); 0 to 1 where ``n`` is 0.

    It is that of ``statsmodels.stats.proportion.proportion_confint(method="wilson")``: it never leaves 0 to 1, and no
    failure in three runs does not read as a rate of zero. Counts may be effective ones, so they need not be whole.
    """
    if n <= 0:
        return 0.0, 1.0
    from scipy.special import ndtri

    z = float(ndtri(0.5 + level / 2))
    share = count / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == n else min(1.0, centre + half)
    return low, high
