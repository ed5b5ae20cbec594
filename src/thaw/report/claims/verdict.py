"""What a verdict is: one word, why it is that word, the sentence that says so, and what would settle it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from thaw.report.claims.clocks import Clock
from thaw.report.claims.judge import Judgement
from thaw.report.claims.missing import missing, thinnest
from thaw.report.claims.resampling import Drawn
from thaw.report.claims.sides import Sides
from thaw.report.statistics import FEWEST, Estimate
from thaw.report.words import number

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


def verdict(claim: str, sides: Sides, judgement: Judgement, sentence: str, settle: str) -> Verdict:
    """Return a verdict without controls."""
    if judgement.pooled is not None and judgement.pooled.n < FEWEST:
        settle = f"{settle} {thinnest(sides)}".strip()
    return Verdict(
        claim=claim, question=QUESTIONS[claim], word=judgement.word, why=judgement.why, sentence=sentence,
        settle=settle, judgement=judgement, controls={}, examples={},
    )  # fmt: skip


def nothing(claim: str, sides: Sides, judgement: Judgement) -> Verdict:
    """Return the verdict where nothing can be judged, with what is missing."""
    what, remedy = missing(claim, sides, judgement)
    return verdict(claim, sides, replace(judgement, why=what), f"Nothing to judge: {what}.", remedy)


def scope(judgement: Judgement, sides: Sides, shown: Callable[[float], str], unit: str = "") -> str:
    """Return what a judgement is about: "on 3 tasks, with this encoder"; it stands in the main clause of a sentence.

    Of several pretrainings that are fixed ``shown`` writes the least and greatest effect.
    """
    effects = sorted(one.estimate.mean for one in judgement.encoders)
    spread = f" ({shown(effects[0])} to {shown(effects[-1])}{unit} by encoder)" if effects else ""
    return f"on {on_tasks(judgement)}, {encoders(judgement, sides)}{spread}"


def on_tasks(judgement: Judgement) -> str:
    """Return on how many tasks a judgement stands: "3 tasks", "2 of 3 tasks" where some can not be tested."""
    tested = sum(effect.estimate.n >= FEWEST for effect in judgement.tasks) or len(judgement.tasks)
    asked = len(judgement.tasks) + len(judgement.missing)
    return number(tested, "task") if tested == asked else f"{tested} of {number(asked, 'task')}"


def encoders(judgement: Judgement, sides: Sides) -> str:
    """Return which encoders a judgement is about: "with this encoder", "over 5 pretrainings".

    A word that does not rest on five pretrainings or more is about the encoders at hand, not about pretraining.
    """
    count = max(sides.pretrainings(sides.transfer) if sides.transfer else 1, judgement.pretrainings)
    if judgement.random:
        return f"over {count} pretrainings"
    return "with this encoder" if count == 1 else f"with these {count} encoders"
