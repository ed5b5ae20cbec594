"""Transfer with n labels against scratch with ``rule.fewer`` times n: the effect, and what the seeds do not show of it.

Where scratch was run with that many labels it is measured, nothing is interpolated. Else scratch's score is read
between its sizes (between.py), the error of that is in the interval, and the sentence says so (on_labels.py).
"""

import math
from dataclasses import dataclass, field

from thaw.report.arms import Arm
from thaw.report.claims.between import Scores, scores_at, together
from thaw.report.claims.judge import ByPretraining, Effects, Errors
from thaw.report.claims.judge import together as combined
from thaw.report.claims.resampling import Drawn, Part, drawn
from thaw.report.claims.selection import choice_error
from thaw.report.claims.sides import Sides, Size, difference, mean_effect


@dataclass(frozen=True, kw_only=True)
class Fewer:
    """Transfer with n labels minus scratch with ``rule.fewer`` n, and the errors that the seeds do not show."""

    effects: Effects  # by task and seed, the mean over n
    crossed: ByPretraining  # the same by pretraining, where a task has several
    between: Errors  # by task, of reading scratch between its sizes; only where that was done
    drawn: dict[str, Drawn]  # by task, what the test texts add; where there are predictions
    floors: Errors  # by task, the least deviation of a seed's effect: the grid of the metric
    tuning: Errors = field(default_factory=dict)  # by task, of choosing settings on dev; only where trials are known
    unmeasured: dict[str, list[Size]] = field(default_factory=dict)  # by task, the sizes that scratch was not run with

    @property
    def errors(self) -> Errors:
        """By task the standard error of the mean effect beside the seeds': every source that is known, in one place."""
        return combined(self.sources)

    @property
    def sources(self) -> dict[str, Errors]:
        """The same by what it comes from."""
        texts = {task: share.error for task, share in self.drawn.items()}
        return {"texts": texts, "tuning": self.tuning, "reading": self.between}

    @property
    def residuals(self) -> Errors:
        """The standard deviation that the texts give to a seed's effect alone."""
        return {task: share.residual for task, share in self.drawn.items()}


def fewer(sides: Sides) -> Fewer:
    """Return transfer with n labels minus scratch with ``rule.fewer`` times n.

    n runs over the headline sizes whose ``rule.fewer`` fold lies within scratch's sizes.
    """
    effects: dict[str, dict[int, float]] = {}
    crossed: dict[str, dict[str, dict[int, float]]] = {}
    texts: dict[str, Drawn] = {}
    between: dict[str, float] = {}
    floors: dict[str, float] = {}
    tuning: dict[str, float] = {}
    unmeasured: dict[str, list[Size]] = {}
    for task, arm, scratch in _pairs(sides):
        measured = {size: sides.scores(task, scratch, size) for size in sides.sizes(task, scratch)}
        pairs = [
            (labels, worth)
            for labels in sides.headline(task, arm)
            if (worth := scores_at(measured, sides.rule.fewer * labels)) is not None
        ]
        if not pairs:
            continue
        effects[task] = mean_effect([difference(sides.scores(task, arm, n), worth.scores) for n, worth in pairs])
        sources = {n: sides.by_pretraining(task, arm, n) for n, _ in pairs}
        shared = set.intersection(*map(set, sources.values()))
        if len(shared) > 1:
            crossed[task] = {
                source: mean_effect([difference(sources[n][source], worth.scores) for n, worth in pairs])
                for source in sorted(shared)
            }
        if missing := [n for n, worth in pairs if not worth.measured]:
            unmeasured[task] = [sides.rule.fewer * n for n in missing]
            worths = [worth for _, worth in pairs]
            between[task] = float(together([worth.reading for worth in worths], [worth.sizes for worth in worths]))
        parts = _parts(arm, scratch, pairs)
        if chosen := choice_error(sides, task, parts):
            tuning[task] = chosen
        share = drawn([(weight, sides.all_runs(task, side, n)) for weight, side, n in parts], sides.rule.level)
        if share is not None:
            texts[task] = share
            floors[task] = 1 / share.examples / math.sqrt(6 * len(pairs))  # two scores rounded to one text
    return Fewer(
        effects=effects, crossed=crossed, between=between, drawn=texts, floors=floors, tuning=tuning,
        unmeasured=unmeasured,
    )  # fmt: skip


def gains(sides: Sides) -> Effects:
    """Return for each task and seed what scratch gains from n to ``rule.fewer`` n labels, over the n of `fewer`."""
    gained = {}
    for task, arm, scratch in _pairs(sides):
        measured = {size: sides.scores(task, scratch, size) for size in sides.sizes(task, scratch)}
        parts = []
        for labels in sides.headline(task, arm):
            less, more = scores_at(measured, labels), scores_at(measured, sides.rule.fewer * labels)
            if less is not None and more is not None:
                parts.append(difference(more.scores, less.scores))
        if parts:
            gained[task] = mean_effect(parts)
    return gained


def _pairs(sides: Sides) -> list[tuple[str, Arm, Arm]]:
    """Return (task, transfer, its scratch) for each task that has both."""
    arm = sides.transfer
    both = [(task, arm, sides.scratch(task, arm)) for task in sides.tasks] if arm else []
    return [(task, arm, scratch) for task, arm, scratch in both if scratch is not None]


def _parts(arm: Arm, scratch: Arm, pairs: list[tuple[Size, Scores]]) -> list[Part]:
    """Return the cells of a mean difference with their weights, scratch's cells each once."""
    weights: dict[Size, float] = {}
    for _, worth in pairs:
        for size, weight in worth.weights.items():
            weights[size] = weights.get(size, 0.0) - weight / len(pairs)
    return [(1 / len(pairs), arm, n) for n, _ in pairs] + [(weight, scratch, n) for n, weight in weights.items()]
