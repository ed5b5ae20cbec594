"""Every arm against the transfer of the verdicts: better, worse, equal within the margin, or undecided.

Paired by seed, the mean over the tasks both have, with the error of the test texts and, from five on, of pretrainings
(judge.decide); Holm over the arms shown. Equal is two one-sided tests by ``rule.margin``; it is said only where no
difference is found. Two strategies that learn are not ranked where the learning rate of neither was tuned: the default
rate suits one better than the other, and that would be what is ranked.
"""

from dataclasses import dataclass

from thaw.report.arms import Arm
from thaw.report.claims.judge import decide
from thaw.report.claims.on_accuracy import between
from thaw.report.claims.sides import Sides
from thaw.report.statistics import FEWEST, Estimate, equivalent, holm

BETTER, WORSE, EQUAL, UNDECIDED, NOT_TUNED = "better", "worse", "equal", "undecided", "not tuned"


@dataclass(frozen=True, kw_only=True)
class Against:
    """An arm's score minus that of the transfer of the verdicts."""

    arm: Arm
    estimate: Estimate
    p: float  # after Holm over the arms
    word: str
    tasks: int
    why: str = ""  # of a word that is not by the numbers alone
    without_texts: int = 0  # tasks whose test texts are not in the interval: there are no predictions


def against(sides: Sides) -> list[Against]:
    """Return every arm that shares tasks, sizes and three seeds with the transfer of the verdicts."""
    if sides.transfer is None:
        return []
    pairs: list[tuple[Arm, Estimate, int, int]] = []
    for arm in sides.arms:
        if arm == sides.transfer:
            continue
        own = between(sides, dict.fromkeys(sides.tasks, sides.transfer), arm)
        pooled = decide(own.effects, sides.rule, 0.0, own.errors, floors=own.floors, crossed=own.crossed).pooled
        if pooled is not None and pooled.n >= FEWEST:
            pairs.append((arm, pooled, len(own.effects), len(own.effects) - len(own.drawn)))
    adjusted = holm([gap.p for _, gap, _, _ in pairs])
    rows = []
    for (arm, gap, tasks, without), p in zip(pairs, adjusted, strict=True):
        word, why = _word(arm, gap, p, sides)
        rows.append(Against(arm=arm, estimate=gap, p=p, word=word, why=why, tasks=tasks, without_texts=without))
    return rows


def _word(arm: Arm, gap: Estimate, p: float, sides: Sides) -> tuple[str, str]:
    assert sides.transfer is not None
    if not gap.tested:
        return UNDECIDED, "the seeds do not differ at all, so there is no spread to judge by"
    if arm.network and not any(_tuned(sides, side) for side in (arm, sides.transfer)):
        return NOT_TUNED, f"one learning rate was tried for {arm.label} and one for {sides.transfer.label}"
    if p < 1 - sides.rule.level:
        return (BETTER if gap.mean > 0 else WORSE), ""
    return (EQUAL if equivalent(gap, sides.rule.margin, sides.rule.level) else UNDECIDED), ""


def _tuned(sides: Sides, arm: Arm) -> bool:
    """Whether several settings of an arm were tried, in this study or in the tuning that its rates were taken from."""
    members = [cell for (_, cell_arm, _), cell in sides.cells.items() if cell_arm == arm]
    return any(cell.trials > 1 or any(run.config.get("tuned") for run in cell.runs) for cell in members)
