"""What a verdict is: one word, why it is that word, the sentence that says so, and what would settle it."""

from dataclasses import dataclass, field, replace

from thaw.report.claims.clocks import Clock
from thaw.report.claims.judge import Judgement
from thaw.report.claims.resampling import Drawn
from thaw.report.claims.sides import Sides
from thaw.report.statistics import FEWEST, Estimate

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
    examples: dict[str, Drawn]  # accuracy: by task, what the test texts add to the uncertainty
    without_texts: list[str] = field(default_factory=list)  # accuracy: tasks whose test texts are not in the interval
    by_text: str = ""  # accuracy: what pairing by text inside each seed says, beside pairing by seed
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
        what, remedy = f"fewer than {FEWEST} seeds pair", "Run both with the same seeds, five or more."
    return verdict(claim, replace(found, why=what), f"Nothing to judge: {what}.", remedy)


def on_tasks(judgement: Judgement) -> str:
    """Return on how many tasks a judgement stands: "3 tasks", "2 of 3 tasks" where some can not be tested."""
    tested = sum(effect.estimate.n >= FEWEST for effect in judgement.tasks) or len(judgement.tasks)
    asked = len(judgement.tasks) + len(judgement.missing)
    return f"{tested} task{'s' * (tested != 1)}" if tested == asked else f"{tested} of {asked} tasks"


def scoped(unscoped: Verdict, sides: Sides) -> Verdict:
    """Return a verdict whose sentence ends with what it is about: how many tasks, which encoders.

    A word that does not rest on five pretrainings or more is about the encoders at hand, not about pretraining.
    """
    if unscoped.judgement.pooled is None or sides.transfer is None or not unscoped.sentence.endswith("."):
        return unscoped
    count = max(sides.pretrainings(sides.transfer), unscoped.judgement.pretrainings)
    if unscoped.judgement.random:
        scope = f"over {count} pretrainings"
    else:
        scope = "with this encoder" if count == 1 else f"with these {count} encoders"
    where = "" if " task" in unscoped.sentence else f"on {on_tasks(unscoped.judgement)} "
    return replace(unscoped, sentence=f"{unscoped.sentence[:-1]}, {where}{scope}.")
