"""What changed between two studies: differences of cells with intervals, and settings whose values differ.

Decisions: a cell of one study is that of the other by task, strategy and train size (by checkpoint too where a study
has several of a strategy). Runs pair where seed, training subset and test split are the same, and then the paired t
interval is taken, with the error of the test texts where both studies hold predictions of the same ones; else Welch's.
Under three pairs, or three runs on a side, nothing is tested. p values are Holm-adjusted over all cells that are
tested: real is below 0.05 after that. Runs of several pretrainings that share a seed count by their mean.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thaw.report.arms import Arm
from thaw.report.cells import Cell, cells
from thaw.report.claims.resampling import drawn
from thaw.report.collect import Run, Study, size_key, together
from thaw.report.differences import MISSING, value_text
from thaw.report.statistics import FEWEST, Estimate, estimate, holm

LEVEL = 0.05
ASIDE = {"name", "runs", "debug", "keep", "keep_best", "test"}  # settings that say where, not what
ASIDE_ROOTS = {"wandb", "hydra", "cache"}


@dataclass(frozen=True, kw_only=True)
class Change:
    """The test score of a cell in the second study minus that in the first."""

    task: str
    arm: Arm  # of the second study
    label: str
    size: Any
    metric: str
    first: Estimate
    second: Estimate
    difference: Estimate  # its n is the number of pairs, or of the runs of the smaller side
    pairs: bool
    p: float  # Holm-adjusted over all cells that are tested; 1 for one that is not
    texts: bool = False  # whether the error of the test texts is in the interval

    @property
    def tested(self) -> bool:
        """Whether there are runs enough, and a spread, to test the difference by; none at all is no difference."""
        return _tested(self.difference)

    @property
    def real(self) -> bool:
        """Whether the difference is told from zero, all cells considered."""
        return self.tested and self.p < LEVEL


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A config key whose values are not the same in both studies, each with the number of runs."""

    key: str
    first: list[tuple[str, int]]
    second: list[tuple[str, int]]


def changes(first: Study, second: Study) -> list[Change]:
    """Return the cells that both studies have."""
    first, second = together(first, second)
    before, after = _by_name(cells(first)), _by_name(cells(second))
    raw = []
    for name in before.keys() & after.keys():
        one, other = before[name], after[name]
        if one.test and other.test:
            raw.append((name, one, other, *_difference(one.runs, other.runs)))
    raw.sort(key=lambda item: (item[0][0], size_key(item[0][2]), item[2].arm.order))
    adjusted = _adjusted([(_tested(difference), p) for *_, difference, _, _, p in raw])
    return [
        Change(
            task=task,
            arm=other.arm,
            label=label,
            size=size,
            metric=other.metric,
            first=one.test,
            second=other.test,
            difference=difference,
            pairs=pairs,
            texts=texts,
            p=p,
        )
        for ((task, label, size), one, other, difference, pairs, texts, _), p in zip(raw, adjusted, strict=True)
        if one.test and other.test
    ]


def _by_name(found: Sequence[Cell]) -> dict[tuple[str, str, Any], Cell]:
    sources = Counter(arm.strategy for arm in {cell.arm for cell in found})
    return {
        (cell.task, cell.arm.strategy if sources[cell.arm.strategy] == 1 else cell.arm.label, cell.train_size): cell
        for cell in found
    }


def _tested(difference: Estimate) -> bool:
    return difference.tested or (difference.n >= FEWEST and difference.mean == 0 and difference.error == 0)


def _adjusted(tests: Sequence[tuple[bool, float]]) -> list[float]:
    """Return p by Holm over those that are tested, 1 for the others: what can not be real costs nothing."""
    adjusted = iter(holm([p for tested, p in tests if tested]))
    return [next(adjusted) if tested else 1.0 for tested, _ in tests]


def _difference(first: Sequence[Run], second: Sequence[Run]) -> tuple[Estimate, bool, bool, float]:
    """Return (second minus first, whether paired, whether with the error of the test texts, two-sided p)."""
    grouped = [_by_key(runs) for runs in (first, second)]
    before, after = (
        {key: math.fsum(run["test"] for run in members) / len(members) for key, members in side.items()}
        for side in grouped
    )
    shared = sorted(before.keys() & after.keys(), key=str)
    if len(shared) >= FEWEST and len(shared) >= 0.5 * min(len(before), len(after)):
        ordered = [{number: side[key] for number, key in enumerate(shared)} for side in grouped]
        texts = drawn([(1.0, ordered[1]), (-1.0, ordered[0])])
        found = estimate([after[key] - before[key] for key in shared], error=texts.error if texts else 0.0)
        assert found is not None
        return found, True, texts is not None, found.p
    difference, p = _welch(list(before.values()), list(after.values()))
    return difference, False, False, p


def _by_key(runs: Sequence[Run]) -> dict[tuple[Any, ...], list[Run]]:
    """Return the scored runs by what makes them a pair."""
    members: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        if run["test"] is not None:
            members.setdefault(_key(run), []).append(run)
    return members


def _key(run: Run) -> tuple[Any, ...]:
    return (run["seed"], run.lineage.get("subset"), run.lineage.get("split"))


def _welch(before: Sequence[float], after: Sequence[float]) -> tuple[Estimate, float]:
    one, other = estimate(before), estimate(after)
    assert one is not None
    assert other is not None
    mean, n = other.mean - one.mean, min(one.n, other.n)
    if n < FEWEST or (one.deviation == 0 and other.deviation == 0):
        return Estimate(mean=mean, low=None, high=None, n=n), 1.0
    from scipy.stats import ttest_ind

    test = ttest_ind(after, before, equal_var=False)
    ends = test.confidence_interval(0.95)
    error = float(mean / test.statistic) if test.statistic else math.hypot(one.error or 0.0, other.error or 0.0)
    found = Estimate(
        mean=mean, low=float(ends.low), high=float(ends.high), n=n, error=abs(error), df=float(test.df)
    )  # fmt: skip
    return found, float(test.pvalue)


def settings(first: Study, second: Study) -> list[Setting]:
    """Return the config keys of transfer runs whose values are not the same set in both studies."""
    configs = [[run.config for run in study.runs if run.config and run.transfers] for study in (first, second)]
    if not all(configs):
        return []
    found = []
    for key in sorted({key for side in configs for config in side for key in config}):
        if key in ASIDE or key.split(".", 1)[0] in ASIDE_ROOTS:
            continue
        one, other = (Counter(value_text(config, key) for config in side) for side in configs)
        if set(one) - {MISSING} != set(other) - {MISSING}:
            found.append(Setting(key=key, first=_most(one), second=_most(other)))
    return found


def _most(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))
