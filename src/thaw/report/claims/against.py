"""Every arm against the transfer of the verdicts: better, worse, equal within the margin, or undecided.

Paired by seed, the mean over the tasks both have, with the error of the test texts and, from five on, of pretrainings
(judge.decide); Holm over the arms shown. Equal is two one-sided tests by ``rule.margin``; it is said only where no
difference is found. Nothing is ranked where the learning rate of a network on either side was not tuned: a default rate
suits one better than the other, and that would be what is ranked. Networks with other optimizer steps are not compared.
"""

from dataclasses import dataclass

from thaw.report.arms import Arm
from thaw.report.claims.judge import decide
from thaw.report.claims.on_accuracy import between
from thaw.report.claims.sides import Sides
from thaw.report.statistics import FEWEST, Estimate, equivalent, holm
from thaw.report.words import listed, number

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

    @property
    def remarks(self) -> str:
        """What stands beside the numbers: why the word is not by them alone, how many tasks lack their test texts."""
        texts = f"no predictions on {number(self.without_texts, 'task')}: no test texts in the interval"
        return "; ".join(part for part in (self.why, texts if self.without_texts else "") if part)


def against(sides: Sides) -> list[Against]:
    """Return every arm that shares tasks, sizes and three seeds with the transfer of the verdicts."""
    if sides.transfer is None:
        return []
    pairs: list[tuple[Arm, Estimate, int, int]] = []
    for arm in sides.arms:
        if arm == sides.transfer or not sides.comparable(arm):
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
    if untuned := [side.label for side in (arm, sides.transfer) if not sides.tuned(side)]:
        return NOT_TUNED, f"the learning rate of {listed(untuned)} was not tuned in every cell"
    if p < 1 - sides.rule.level:
        return (BETTER if gap.mean > 0 else WORSE), ""
    return (EQUAL if equivalent(gap, sides.rule.margin, sides.rule.level) else UNDECIDED), ""
