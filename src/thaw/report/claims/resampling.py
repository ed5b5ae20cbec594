"""How much of a difference's uncertainty comes from the test examples: the paired bootstrap over them.

Seeds share one test set, so an interval over seeds says nothing of other test texts. Here the examples of the test set
are drawn again, the same for both sides and all seeds (Efron and Tibshirani 1993, chapter 6), from the credits or from
labels and predictions that predictions.jsonl.gz holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thaw.errors import StorageError
from thaw.report.collect import Run
from thaw.track.folder import RunFolder

DRAWS, SLOW_DRAWS = 1000, 200  # with credits; where the metric is computed anew for each draw
Pairs = list[tuple[Any, Any]]  # label, prediction


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """The standard error of a mean difference from drawing test examples, and its share of the whole variance."""

    examples: int
    error: float
    share: float  # of error^2 + seeds' error^2


def drawn(one: dict[int, Run], other: dict[int, Run], seed_error: float) -> Drawn | None:
    """Return what drawing test examples adds to ``one - other``, None without predictions of both for a seed.

    ``seed_error`` is the standard error of the mean difference over seeds.
    """
    seeds = sorted(one.keys() & other.keys())
    sides = [[_read(side[seed]) for seed in seeds] for side in (one, other)]
    kept = [(a, b) for a, b in zip(*sides, strict=True) if a and b and len(a) == len(b)]
    if not kept or len({len(a) for a, _ in kept}) > 1:
        return None
    count = len(kept[0][0])
    metric = str(one[seeds[0]]["metric"])
    random = np.random.default_rng(0)  # the page of the same runs is the same page
    if all(line.get("credit") for pair in kept for side in pair for line in side):
        credits = np.array([[[line["credit"] for line in side] for side in pair] for pair in kept])  # (S, 2, N, 2)
        means = []
        for _ in range(DRAWS):
            parts, wholes = np.moveaxis(credits[:, :, random.integers(0, count, count)].sum(axis=2), -1, 0)
            scores = parts / np.maximum(wholes, 1e-12)  # (S, 2)
            means.append(float((scores[:, 0] - scores[:, 1]).mean()))
    else:
        compute = _METRICS.get(metric)
        if compute is None or any("label" not in line for pair in kept for side in pair for line in side):
            return None
        columns = [[_columns(side) for side in pair] for pair in kept]
        means = []
        for _ in range(SLOW_DRAWS):
            rows = random.integers(0, count, count)
            gaps = [compute(a[0][rows], a[1][rows]) - compute(b[0][rows], b[1][rows]) for a, b in columns]
            means.append(float(np.mean(gaps)))
    error = float(np.std(means, ddof=1))
    whole = error**2 + seed_error**2
    return Drawn(examples=count, error=error, share=error**2 / whole if whole else 0.0)


def _read(run: Run) -> list[dict[str, Any]]:
    try:
        return RunFolder(run.folder).predictions()
    except StorageError:
        return []


def _columns(lines: Sequence[dict[str, Any]]) -> tuple[Any, Any]:
    return np.array([line["label"] for line in lines]), np.array([line["prediction"] for line in lines])


def _correlation(name: str) -> Callable[[Any, Any], float]:
    def compute(true: Any, guess: Any) -> float:
        from scipy import stats

        if len(set(guess)) < 2 or len(set(true)) < 2:
            return 0.0
        return float(getattr(stats, name)(true, guess).statistic)

    return compute


def _matthews(true: Any, guess: Any) -> float:
    from sklearn.metrics import matthews_corrcoef

    return float(matthews_corrcoef(true, guess))


def _macro_f1(true: Any, guess: Any) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(true, guess, average="macro", zero_division=0))


_METRICS: dict[str, Callable[[Any, Any], float]] = {
    "spearman": _correlation("spearmanr"),
    "pearson": _correlation("pearsonr"),
    "matthews": _matthews,
    "macro_f1": _macro_f1,
}
