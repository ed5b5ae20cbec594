"""The error of a comparison that comes from the test texts, which all seeds share.

An interval over seeds says nothing of other test texts, and more seeds do not make it say more. Each seed's difference
has influence values over the texts (influence.py), the same texts for both sides, all seeds, all train sizes and all
pretrainings. In d[s, i] = text i + (seed x text)[s, i] the second part is in the spread over seeds already; the first
is not, and is what is added here: its variance is (MS of texts - MS of the residual) / S, not below zero, over the
number of texts. That is what a bootstrap over texts would give as (S V(mean) - V(single)) / (S - 1), without its noise.
Source: the crossed two-way layout (Searle, Casella and McCulloch 1992, chapter 4); the multi-bootstrap of Sellam et
al. 2022 resamples the same two factors.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thaw.report.arms import Arm
from thaw.report.claims.influence import Influence, influence
from thaw.report.claims.sides import Size
from thaw.report.collect import Run
from thaw.report.statistics import holm

WHOLE = 1e-4  # how near a text's difference is to a whole number: scores are recorded with six digits
Part = tuple[float, Arm, Size]  # a cell with its weight in a difference
Weighted = tuple[float, Mapping[int, Sequence[Run]]]  # the same with the cell's runs by seed


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What drawing other test texts would do to a mean difference, and what the texts say of each seed alone."""

    examples: int
    error: float  # standard error of the mean difference from the texts, as far as the seeds do not show it
    single: float  # standard error of one seed's difference from the texts (root mean square over the seeds)
    seeds: int  # with predictions of both sides
    residual: float = 0.0  # standard deviation that the texts give to a seed's difference apart from ``error``
    share: float = 0.0  # of error^2 in the whole squared error of the mean
    better: int = 0  # seeds whose own texts tell the difference from zero, after Holm over the seeds: above it
    worse: int = 0  # and below it


def drawn(parts: Sequence[Weighted], level: float = 0.95) -> Drawn | None:
    """Return what the texts add to a weighted sum of cells, None without predictions of all of them for a seed.

    Transfer minus scratch over two sizes is ``[(.5, transfer, 50), (.5, transfer, 100), (-.5, scratch, 50),
    (-.5, scratch, 100)]``, each arm and size by its runs by seed; all are drawn together, since they share their texts.
    None too where the metric has no influence values, or the test sets are not the same: then the test texts are not in
    the interval, and the page says so.
    """
    if not parts:
        return None
    seeds = sorted(set.intersection(*(set(runs) for _, runs in parts)))
    rows: list[list[tuple[float, list[Influence]]]] = []
    gaps: list[float] = []
    labels: set[bytes] = set()
    for seed in seeds:
        values, gap, complete = [], 0.0, True
        for weight, runs in parts:
            members = [influence(run) for run in runs[seed]]
            known = [values_of for values_of in members if values_of is not None]
            if len(known) < len(members) or not known:
                complete = False
                break
            labels.update(values_of.labels for values_of in known)
            values.append((weight, known))
            gap += weight * math.fsum(run["test"] or 0.0 for run in runs[seed]) / len(runs[seed])
        if complete:
            rows.append(values)
            gaps.append(gap)
    if not rows or len(labels) > 1:
        return None  # no predictions, or the test sets are not the same
    differences = np.array([_sum(row) for row in rows])  # (S, N)
    count, texts = differences.shape
    if texts < 2:
        return None
    error, residual = errors_of(differences)
    singles = np.sqrt((differences**2).sum(axis=1) / (texts - 1) / texts)
    better, worse = _apart(gaps, differences, singles, 1 - level)
    return Drawn(
        examples=texts,
        error=error,
        single=float(np.sqrt((singles**2).mean())),
        seeds=count,
        residual=residual,
        better=better,
        worse=worse,
    )


def errors_of(differences: np.ndarray) -> tuple[float, float]:
    """Return (error of the mean that all seeds share, deviation of one seed apart from it) that the texts give.

    ``differences`` (S, N) holds the influence values of each seed's difference, the mean over the texts taken off. With
    one seed the two can not be told apart, and all of it is taken as shared.
    """
    count, texts = differences.shape
    whole = float((differences**2).sum())
    of_texts = count * float((differences.mean(axis=0) ** 2).sum())
    residual = (whole - of_texts) / ((count - 1) * (texts - 1)) if count > 1 else 0.0
    shared = max(0.0, of_texts / (texts - 1) - residual) / count
    return math.sqrt(shared / texts), math.sqrt(max(0.0, residual) / texts)


def _sum(row: Sequence[tuple[float, Sequence[Influence]]]) -> np.ndarray:
    """Return the influence values of one seed's difference; several pretrainings of a seed count by their mean."""
    means = [weight * np.mean([values_of.values for values_of in members], axis=0) for weight, members in row]
    return np.asarray(np.sum(means, axis=0))


def _apart(gaps: Sequence[float], differences: np.ndarray, errors: np.ndarray, alpha: float) -> tuple[int, int]:
    """Return how many seeds are above and below zero by their own texts (Holm over the seeds).

    Where a text is right or wrong and one train size is asked for, it is McNemar's exact test (1947); else the normal
    test of the mean of the paired differences over the texts.
    """
    ps = [_paired_p(*row) for row in zip(gaps, differences, errors, strict=True)]
    apart = [gap for gap, p in zip(gaps, holm(ps), strict=True) if p < alpha]
    return sum(gap > 0 for gap in apart), sum(gap < 0 for gap in apart)


def _paired_p(gap: float, differences: np.ndarray, error: float) -> float:
    from scipy.special import bdtr, ndtr

    steps = differences + gap  # -1, 0 or 1 a text, where the metric counts texts
    whole = np.rint(steps)
    if np.abs(steps - whole).max() < WHOLE and np.abs(whole).max() <= 1:
        up, down = int((whole > 0).sum()), int((whole < 0).sum())
        return min(1.0, 2 * float(bdtr(min(up, down), up + down, 0.5))) if up + down else 1.0
    return 2 * float(ndtr(-abs(gap) / error)) if error > 0 else float(gap == 0)
