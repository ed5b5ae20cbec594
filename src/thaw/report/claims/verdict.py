"""A verdict a claim: one word, the sentence that says why, and what would settle it.

The word follows from the rule alone (rule.py, judge.py). Accuracy is supported only where transfer also beats TF-IDF
with a linear model, on the tasks that have it: being better than a network that starts from nothing is not enough.
"""

import math
from dataclasses import dataclass, replace

from thaw.report.claims import labels, speed
from thaw.report.claims.judge import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED, Effects, Judgement, judge, pool
from thaw.report.claims.phrases import gain, points, rate, redrawn, settling, times, why_open
from thaw.report.claims.resampling import Drawn, drawn
from thaw.report.claims.sides import Sides, difference
from thaw.report.statistics import Estimate, estimate, seeds_needed

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
    sentence: str
    settle: str  # what would settle it, or how sure it is
    judgement: Judgement
    controls: dict[str, Estimate]  # accuracy: transfer minus each control, pooled over tasks
    examples: dict[str, Drawn]  # accuracy: by task, what drawing test texts adds to the uncertainty


def verdicts(sides: Sides) -> list[Verdict]:
    """Return the verdicts on time, accuracy and labels."""
    return [_time(sides), _accuracy(sides), _labels(sides)]


def _time(sides: Sides) -> Verdict:
    rule = sides.rule
    found = judge(speed.effects(sides), rule, math.log(rule.faster))
    if found.pooled is None:
        return _nothing("time", sides, found)
    assert found.pooled.low is not None
    assert found.pooled.high is not None
    reach = (
        f"{_name(sides)} reaches {rule.target:.0%} of the best dev score from scratch {times(found.pooled.mean)} times"
        f" as fast as scratch ({times(found.pooled.low)} to {times(found.pooled.high)})"
    )
    ends = {
        SUPPORTED: "pretraining apart.",
        NOT_SUPPORTED: f"which leaves no gain of {rule.faster:g} times.",
        INCONCLUSIVE: why_open(found, "a time no shorter"),
    }
    settle = settling(found, lambda value: f"{math.exp(value):.2g} times")
    return _verdict("time", found, f"{reach}, {ends[found.word]}", settle)


def _accuracy(sides: Sides) -> Verdict:
    rule, arm = sides.rule, sides.transfer
    found = judge(_over(sides, "scratch"), rule, rule.margin)
    if found.pooled is None or arm is None:
        return _nothing("accuracy", sides, found)
    controls = {
        strategy: one
        for strategy in ("tfidf", "frozen_random")
        if (one := estimate(list(pool(_over(sides, strategy)).values()), rule.level)) is not None
    }
    ends = {
        SUPPORTED: "no control of words alone applies.",
        NOT_SUPPORTED: f"which leaves no gain of {rule.margin:g}.",
        INCONCLUSIVE: why_open(found, "no gain"),
    }
    reach = f"{_name(sides)} scores {points(found.pooled)} against scratch"
    end, settle = ends[found.word], settling(found, gain)
    words = controls.get("tfidf")
    if words is None and _has_words(sides):
        settle = f"Run strategy=tfidf with the same seeds. {settle}"
        if found.word == SUPPORTED:
            found = replace(found, word=INCONCLUSIVE)
            end = "but the control TF-IDF was not run, so words alone may do as well."
    elif words is not None and found.word == SUPPORTED:
        found, end, settle = _with_words(found, words, settle, rule.level)
    drawn_ = _drawn(sides, found)
    made = _verdict("accuracy", found, f"{reach}, {end}", settle)
    return replace(made, controls=controls, examples=drawn_, settle=settle + redrawn(drawn_))


def _with_words(found: Judgement, words: Estimate, settle: str, level: float) -> tuple[Judgement, str, str]:
    """Return the judgement, the end of its sentence and what would settle it, TF-IDF considered."""
    if words.low is not None and words.low > 0:
        return found, f"and {points(words)} against TF-IDF.", settle
    end = f"but {points(words)} against TF-IDF, which reads words alone"
    if words.high is not None and words.high < 0:
        return replace(found, word=NOT_SUPPORTED), f"{end}.", settle
    count = seeds_needed(words.mean, words.deviation or 0.0, level=level)
    settle = (
        f"Against TF-IDF a gain of {gain(words.mean)} needs {f'about {count}' if count else 'more than 1,000'} seeds."
    )
    return replace(found, word=INCONCLUSIVE), f"{end}: undecided.", settle


def _labels(sides: Sides) -> Verdict:
    rule, arm = sides.rule, sides.transfer
    found = judge(labels.effects(sides), rule, 0.0)
    if found.pooled is None or arm is None:
        return _nothing("labels", sides, found)
    reach = f"{_name(sides)} with n labels scores {points(found.pooled)} against scratch with {rule.fewer:g} times n"
    equal = judge(_over(sides, "scratch"), rule, 0.0)
    if found.word == SUPPORTED and equal.word != SUPPORTED:
        found = replace(found, word=equal.word)
        end = f"but {points(equal.pooled)} at equal labels" if equal.pooled else "but nothing pairs at equal labels"
        settle = "More labels do not help scratch here: look at other train sizes, or at scratch's steps and rate."
        return _verdict("labels", found, f"{reach}, {end}.", settle)
    ends = {
        SUPPORTED: "so it needs fewer.",
        NOT_SUPPORTED: f"so n labels do not replace {rule.fewer:g} times n.",
        INCONCLUSIVE: why_open(found, "no gain"),
    }
    rates = [f"{rate(one)} on {one.task}" for one in headline_rates(sides)]
    told = f" {'; '.join(rates[:2])}." if rates else ""
    return _verdict("labels", found, f"{reach}, {ends[found.word]}{told}", settling(found, gain))


def _over(sides: Sides, strategy: str) -> Effects:
    """Return for each task and seed the mean over headline sizes of transfer's score minus another arm's."""
    arm = sides.transfer
    others = (
        {task: sides.scratch(task, arm) if strategy == "scratch" else sides.control(strategy) for task in sides.tasks}
        if arm
        else {}
    )
    return {
        task: gap
        for task, other in others.items()
        if arm and other and (gap := sides.gap(task, arm, other)) is not None
    }


def headline_rates(sides: Sides) -> list[labels.Exchange]:
    """Return of each task the exchange rate at the smallest headline size whose worth lies in the measured range.

    Where there is none, the smallest size's.
    """
    made = []
    for task in sides.tasks if sides.transfer else []:
        assert sides.transfer is not None
        rates = [
            one
            for one in labels.exchange(sides, task, sides.transfer, sides.rule.level)
            if not sides.rule.sizes or one.labels in sides.rule.sizes
        ]
        if rates:
            made.append(next((one for one in rates if not one.beyond), rates[0]))
    return made


def _drawn(sides: Sides, found: Judgement) -> dict[str, Drawn]:
    """Return by task what drawing test texts adds, at the largest headline size."""
    made = {}
    for one in found.tasks:
        assert sides.transfer is not None
        scratch = sides.scratch(one.task, sides.transfer)
        sizes = sides.headline(one.task, sides.transfer, scratch) if scratch else []
        if not sizes or scratch is None:
            continue
        runs = [sides.runs(one.task, side, sizes[-1]) for side in (sides.transfer, scratch)]
        gaps = estimate(
            list(difference(*(sides.scores(one.task, s, sizes[-1]) for s in (sides.transfer, scratch))).values())
        )
        error = gaps.deviation / math.sqrt(gaps.n) if gaps and gaps.deviation is not None else 0.0
        if (share := drawn(runs[0], runs[1], error)) is not None:
            made[one.task] = share
    return made


def _has_words(sides: Sides) -> bool:
    """Whether TF-IDF applies to a task: it has no answer for tags and spans."""
    kinds = {run.config.get("task.kind") for cell in sides.cells.values() for run in cell.runs}
    return bool(kinds - {"tags", "span"})


def _name(sides: Sides) -> str:
    return sides.transfer.label if sides.transfer else sides.rule.strategy


def _verdict(claim: str, found: Judgement, sentence: str, settle: str) -> Verdict:
    return Verdict(
        claim=claim, question=QUESTIONS[claim], word=found.word, sentence=sentence, settle=settle, judgement=found,
        controls={}, examples={},
    )  # fmt: skip


def _nothing(claim: str, sides: Sides, found: Judgement) -> Verdict:
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
    return _verdict(claim, found, f"Nothing to judge: {what}.", remedy)
