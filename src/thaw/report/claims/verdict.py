"""What a verdict is: one word, why it is that word, the sentence that says so, and what would settle it."""

from dataclasses import dataclass, field

from thaw.report.claims.clocks import Clock
from thaw.report.claims.judge import Judgement
from thaw.report.claims.resampling import Drawn
from thaw.report.claims.sides import Sides
from thaw.report.statistics import Estimate

QUESTIONS = {
    "time": "Does transfer save training time?",
    "accuracy": "Does transfer improve accuracy?",
    "labels": "Does transfer need fewer labels?",
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the runs say of one claim."""

    claim: str  # time, accuracy or labels
    question: str
    word: str
    why: str  # the reason of the word in one clause
    sentence: str
    settle: str  # what would settle it, or how sure it is
    judgement: Judgement
    controls: dict[str, Estimate]  # accuracy: transfer minus each control, pooled over tasks
    examples: dict[str, Drawn]  # accuracy: by task, what drawing test texts adds to the uncertainty
    clocks: list[Clock] = field(default_factory=list)  # time: what each clock says


def name(sides: Sides) -> str:
    """Return what the transfer of the verdicts is called."""
    return sides.transfer.label if sides.transfer else sides.rule.strategy


def verdict(claim: str, found: Judgement, sentence: str, settle: str) -> Verdict:
    """Return a verdict without controls."""
    return Verdict(
        claim=claim, question=QUESTIONS[claim], word=found.word, why=found.why, sentence=sentence, settle=settle,
        judgement=found, controls={}, examples={},
    )  # fmt: skip


def nothing(claim: str, sides: Sides, found: Judgement) -> Verdict:
    """Return the verdict where nothing can be paired, with what is missing."""
    if sides.transfer is None:
        what = "no run uses pretrained weights"
        remedy = f"Run strategy={sides.rule.strategy} from a checkpoint."
    elif not any(arm.strategy == "scratch" for arm in sides.arms):
        what, remedy = "there is no run from scratch to compare with", "Run strategy=scratch with the same seeds."
    elif claim == "labels":
        what = f"no train size has scratch runs at {sides.rule.fewer:g} times as many labels"
        remedy = "Run scratch at more train sizes."
    else:
        what, remedy = "fewer than two seeds pair", "Run both with the same seeds, five or more."
    return verdict(claim, found, f"Nothing to judge: {what}.", remedy)
