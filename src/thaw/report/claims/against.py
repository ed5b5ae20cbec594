"""Every arm against the transfer of the verdicts: better, worse, equal within the margin, or undecided.

Paired by seed, pooled over the tasks both have (judge.pool), Holm over the arms shown. Equal is two one-sided tests by
``rule.margin``; it is said only where no difference is found.
"""

from dataclasses import dataclass

from thaw.report.arms import Arm
from thaw.report.claims.judge import pool
from thaw.report.claims.sides import Sides
from thaw.report.statistics import Estimate, equivalent, estimate, holm

BETTER, WORSE, EQUAL, UNDECIDED = "better", "worse", "equal", "undecided"


@dataclass(frozen=True, kw_only=True)
class Against:
    """An arm's score minus that of the transfer of the verdicts."""

    arm: Arm
    estimate: Estimate
    p: float  # after Holm over the arms
    word: str
    tasks: int


def against(sides: Sides) -> list[Against]:
    """Return every arm that shares tasks, sizes and two seeds with the transfer of the verdicts."""
    if sides.transfer is None:
        return []
    found: list[tuple[Arm, Estimate, int]] = []
    for arm in sides.arms:
        if arm == sides.transfer:
            continue
        effects = {task: gap for task in sides.tasks if (gap := sides.gap(task, arm, sides.transfer))}
        one = estimate(list(pool(effects).values()), sides.rule.level)
        if one is not None and one.n > 1:
            found.append((arm, one, len(effects)))
    adjusted = holm([one.p for _, one, _ in found])
    return [
        Against(arm=arm, estimate=one, p=p, word=_word(one, p, sides), tasks=tasks)
        for (arm, one, tasks), p in zip(found, adjusted, strict=True)
    ]


def _word(one: Estimate, p: float, sides: Sides) -> str:
    if p < 1 - sides.rule.level:
        return BETTER if one.mean > 0 else WORSE
    return EQUAL if equivalent(one, sides.rule.margin, sides.rule.level) else UNDECIDED
