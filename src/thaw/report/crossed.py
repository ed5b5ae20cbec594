"""Seeds crossed with pretrainings: the mean over both, its error, and how much of the variance each is to blame for.

In y[p, s] = mean + pretraining p + seed s + residual[p, s] all but the mean are drawn at random. The squared error of
the mean is (MS of pretrainings + MS of seeds - MS of the residual) / (P S), no less than either of the first two alone
gives; its degrees of freedom are Satterthwaite's (1946). Source: Searle, Casella and McCulloch 1992, chapter 4; the
design is that of the MultiBERTs (Sellam et al. 2022). Simulated in tests/calibration/test_effect.py.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thaw.report.statistics import Estimate, estimate, spread_of

FEWEST_PRETRAININGS = 5  # under it they are fixed: four degrees of freedom are the least to judge a spread by
Crossed = Mapping[str, Mapping[int, float]]  # pretraining -> seed -> value


@dataclass(frozen=True, kw_only=True)
class Components:
    """Standard deviations of one run's effect by what causes them; None where the design can not tell."""

    seed: float | None  # training subset, order, head, dropout: what a seed decides
    pretraining: float | None
    texts: float | None  # standard error that the test texts give to every run's effect alike
    residual: float | None  # what is left of a single run: rounding, and texts and seeds together
    tuning: float | None = None  # standard error that choosing settings on dev gives to every run's effect alike
    reading: float | None = None  # the same of reading scratch between its train sizes (labels)


def over_both(values: Crossed, level: float = 0.95, error: float = 0.0, floor: float = 0.0) -> Estimate | None:
    """Return the mean over seeds and pretrainings, both random; None without values.

    Seeds count that every pretraining has; ``error`` and ``floor`` are as in `statistics.estimate`. ``n`` is the number
    of seeds and ``deviation`` that of the seeds' means. Where fewer than two seeds are in all pretrainings, each
    pretraining has seeds of its own: then the pretrainings' means are the values, and ``n`` is their number.
    """
    table = _table(values)
    if table is None:
        return estimate(
            [math.fsum(by_seed.values()) / len(by_seed) for by_seed in values.values() if by_seed], level, error, floor
        )
    pretrainings, seeds = table.shape
    of_pretrainings, of_seeds, residual = _mean_squares(table)
    least = floor**2 * pretrainings
    squares = max(of_pretrainings + of_seeds - residual, of_pretrainings, of_seeds, least)
    parts = (
        of_pretrainings**2 / (pretrainings - 1) + of_seeds**2 / (seeds - 1)
        + residual**2 / ((pretrainings - 1) * (seeds - 1))
    )  # fmt: skip
    df = max(1.0, squares**2 / parts) if parts > 0 else seeds - 1.0
    own = math.sqrt(squares / table.size)
    return spread_of(float(table.mean()), seeds, float(table.mean(axis=0).std(ddof=1)), own, df, level, error)


def components(values: Crossed, texts: float | None, residual: float | None = None) -> Components:
    """Return the variance components of effects by pretraining and seed, as standard deviations.

    ``texts`` is the standard error from the test texts that all runs share. With one pretraining ``residual`` is what
    the texts give to a seed apart from that, where it is known; it is taken out of the seeds' deviation.
    """
    table = _table(values)
    if table is None:
        means = [math.fsum(by_seed.values()) / len(by_seed) for by_seed in values.values() if by_seed]
        apart = estimate(means)
        single = (
            estimate([value for by_seed in values.values() for value in by_seed.values()]) if len(values) == 1 else None
        )
        seed = None
        if single is not None and single.deviation is not None:
            seed = math.sqrt(max(0.0, single.deviation**2 - (residual or 0.0) ** 2))
        return Components(
            seed=seed, pretraining=apart.deviation if apart else None, texts=texts, residual=residual
        )  # fmt: skip
    pretrainings, seeds = table.shape
    of_pretrainings, of_seeds, left = _mean_squares(table)
    return Components(
        seed=math.sqrt(max(0.0, of_seeds - left) / pretrainings),
        pretraining=math.sqrt(max(0.0, of_pretrainings - left) / seeds),
        texts=texts,
        residual=math.sqrt(left),
    )


def _table(values: Crossed) -> np.ndarray | None:
    """Return the values (P, S) of the seeds that all pretrainings have, None with fewer than two of either."""
    shared = sorted(set.intersection(*(set(by_seed) for by_seed in values.values()))) if values else []
    if len(values) < 2 or len(shared) < 2:
        return None
    return np.array([[by_seed[seed] for seed in shared] for by_seed in values.values()])


def _mean_squares(table: np.ndarray) -> tuple[float, float, float]:
    """Return the mean squares of pretrainings, of seeds and of the residual."""
    pretrainings, seeds = table.shape
    by_pretraining, by_seed = table.mean(axis=1), table.mean(axis=0)
    left = table - by_pretraining[:, None] - by_seed[None, :] + table.mean()
    return (
        seeds * float(by_pretraining.var(ddof=1)),
        pretrainings * float(by_seed.var(ddof=1)),
        float((left**2).sum()) / ((pretrainings - 1) * (seeds - 1)),
    )
