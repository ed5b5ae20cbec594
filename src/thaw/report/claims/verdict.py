"""A verdict a claim: one word, the sentence that says why, and what would settle it.

The word follows from the rule alone (rule.py, judge.py). Accuracy is supported only where transfer also beats TF-IDF
with a linear model, on the tasks that have it: being better than a network that starts from nothing is not enough.
"""

import math
from dataclasses import dataclass, replace

from thaw.report.claims import labels, speed
from thaw.report.claims.examples import Drawn, drawn
from thaw.report.claims.judge import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED, Effects, Judgement, judge, pool
from thaw.report.claims.sides import Sides, difference, mean_effect
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
    what = f"{rule.target:.0%} of the best dev score from scratch"
    if found.pooled is None:
        return _nothing("time", sides, found)
    factor, interval = _factor(found.pooled)
    reach = f"{_name(sides)} reaches {what} {factor} times as fast as scratch ({interval})"
    ends = {
        SUPPORTED: "pretraining apart.",
        NOT_SUPPORTED: f"which leaves no gain of {rule.faster:g} times.",
        INCONCLUSIVE: _why(found, "a time no shorter"),
    }
    settle = _settle(found, sides, lambda value: f"{math.exp(value):.2g} times")
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
    words = controls.get("tfidf")
    reach = f"{_name(sides)} scores {_points(found.pooled)} against scratch"
    if found.word == SUPPORTED and words is not None and (words.low is None or words.low <= 0):
        behind = words.high is not None and words.high < 0
        found = replace(found, word=NOT_SUPPORTED if behind else INCONCLUSIVE)
        end = f"but {_points(words)} against TF-IDF, which reads words alone" + ("." if behind else ": undecided.")
    elif found.word == SUPPORTED and words is None and _has_words(sides):
        found = replace(found, word=INCONCLUSIVE)
        end = "but the control TF-IDF was not run, so words alone may do as well."
    elif found.word == SUPPORTED:
        end = f"and {_points(words)} against TF-IDF." if words else "no control of words alone applies."
    elif found.word == NOT_SUPPORTED:
        end = f"which leaves no gain of {rule.margin:g}."
    else:
        end = _why(found, "no gain")
    settle = _settle(found, sides, lambda value: f"{value:+.3f}")
    if found.word == INCONCLUSIVE and words is None and _has_words(sides):
        settle = f"Run strategy=tfidf with the same seeds. {settle}"
    elif "undecided" in end and words is not None:
        count = seeds_needed(words.mean, words.deviation or 0.0, level=rule.level)
        settle = f"Against TF-IDF a gain of {words.mean:+.3f} needs about {count or 'more than 1,000'} seeds."
    made = _verdict("accuracy", found, f"{reach}, {end}", settle)
    return replace(made, controls=controls, examples=_drawn(sides, found))


def _labels(sides: Sides) -> Verdict:
    rule, arm = sides.rule, sides.transfer
    found = judge(labels.effects(sides), rule, 0.0)
    if found.pooled is None or arm is None:
        return _nothing("labels", sides, found)
    reach = f"{_name(sides)} with n labels scores {_points(found.pooled)} against scratch with {rule.fewer:g} times n"
    equal = judge(_over(sides, "scratch"), rule, 0.0)
    if found.word == SUPPORTED and equal.word != SUPPORTED:
        found = replace(found, word=equal.word)
        end = f"but {_points(equal.pooled)} at equal labels" if equal.pooled else "but nothing pairs at equal labels"
        settle = "More labels do not help scratch here: look at other train sizes, or at scratch's steps and rate."
        return _verdict("labels", found, f"{reach}, {end}.", settle)
    ends = {
        SUPPORTED: "so it needs fewer.",
        NOT_SUPPORTED: f"so n labels do not replace {rule.fewer:g} times n.",
        INCONCLUSIVE: _why(found, "no gain"),
    }
    rates = [f"{_rate(one)} on {one.task}" for one in headline_rates(sides)]
    told = f" {'; '.join(rates[:2])}." if rates else ""
    settle = _settle(found, sides, lambda value: f"{value:+.3f}")
    return _verdict("labels", found, f"{reach}, {ends[found.word]}{told}", settle)


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


def _rate(one: labels.Exchange) -> str:
    if one.worth is None:
        bound = f"more than {one.most}" if one.beyond == "above" else f"less than {one.least}"
        return f"{one.labels} labels with transfer are worth {bound} from scratch"
    ends = f"{_count(one.low) or f'< {one.least}'} to {_count(one.high) or f'> {one.most}'}"
    return f"{one.labels} labels with transfer are worth {_count(one.worth)} from scratch ({ends})"


def _count(labels_: float | None) -> str:
    if labels_ is None:
        return ""
    digits = 10 ** max(0, math.floor(math.log10(labels_)) - 1)
    return f"{round(labels_ / digits) * digits:,.0f}"


def _over(sides: Sides, strategy: str) -> Effects:
    """Return for each task and seed the mean over headline sizes of transfer's score minus another arm's."""
    made: dict[str, dict[int, float]] = {}
    arm = sides.transfer
    for task in sides.tasks if arm else []:
        assert arm is not None
        other = sides.scratch(task, arm) if strategy == "scratch" else sides.control(strategy)
        if other is None:
            continue
        parts = [
            difference(sides.scores(task, arm, size), sides.scores(task, other, size))
            for size in sides.headline(task, arm, other)
        ]
        if parts:
            made[task] = mean_effect(parts)
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
    metrics = {str(cell.metric) for cell in sides.cells.values()}
    return bool(metrics - {"entity_f1", "token_accuracy", "f1", "exact_match"})


def _name(sides: Sides) -> str:
    return sides.transfer.label if sides.transfer else sides.rule.strategy


def _points(one: Estimate) -> str:
    """Return a difference of scores in words: "+0.124 [+0.081, +0.167]"."""
    interval = f" [{one.low:+.3f}, {one.high:+.3f}]" if one.low is not None else " (one seed)"
    return f"{one.mean:+.3f}{interval}"


def _factor(one: Estimate) -> tuple[str, str]:
    ends = "one seed" if one.low is None or one.high is None else f"{_of(one.low)} to {_of(one.high)}"
    return _of(one.mean), ends


def _of(log: float) -> str:
    return f"{math.exp(log):.3g}"


def _why(found: Judgement, nothing: str) -> str:
    assert found.pooled is not None
    if not found.pooled.excludes_zero or found.pooled.mean < 0:
        return f"and the interval includes {nothing}."
    count = sum(one.positive for one in found.tasks)
    return f"but it stands on {count} of {len(found.tasks)} tasks alone."


def _settle(found: Judgement, sides: Sides, shown: object) -> str:
    assert callable(shown)
    seeds = min((one.estimate.n for one in found.tasks), default=0)
    if found.detectable is None:
        return "Run more seeds: one has no interval."
    sees = f"{seeds} seeds find effects above {shown(found.detectable)} (4 times in 5)"
    if found.word != INCONCLUSIVE:
        return f"{sees}."
    if found.seeds is None:
        return f"{sees}; the effect measured is none or too small for any number of seeds to support."
    if found.seeds <= seeds:
        return f"{sees}; as many would do for the effect measured, so it is the rule's other conditions that fail."
    return f"{sees}; an effect as large as the one measured needs about {found.seeds}."


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
