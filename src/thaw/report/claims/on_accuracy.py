"""The verdict on accuracy: does transfer score higher than scratch with the same labels, and than words alone?

It is supported only where transfer also beats TF-IDF with a linear model, on the tasks that have it: being better than
a network that starts from nothing is not enough.
"""

import math
from dataclasses import replace

from thaw.report.claims.judge import (
    INCONCLUSIVE,
    MIXED,
    NOT_SUPPORTED,
    SMALL,
    SUPPORTED,
    Effects,
    Judgement,
    judge,
    pool,
)
from thaw.report.claims.phrases import gain, points, redrawn, settling
from thaw.report.claims.resampling import Drawn, drawn
from thaw.report.claims.sides import Sides, difference
from thaw.report.claims.verdict import Verdict, name, nothing, verdict
from thaw.report.statistics import Estimate, estimate, seeds_needed


def judged(sides: Sides) -> Verdict:
    """Return the verdict on accuracy."""
    rule, arm = sides.rule, sides.transfer
    found = judge(over(sides, "scratch"), rule, rule.margin)
    if found.pooled is None or arm is None:
        return nothing("accuracy", sides, found)
    controls = {
        strategy: one
        for strategy in ("tfidf", "frozen_random")
        if (one := estimate(list(pool(over(sides, strategy)).values()), rule.level)) is not None
    }
    ends = {
        SUPPORTED: "no control of words alone applies.",
        NOT_SUPPORTED: f"which leaves no gain of {rule.margin:g}.",
        INCONCLUSIVE: f"but {found.why}.",
        SMALL: f"which is less than {rule.margin:g}.",
        MIXED: f"but it {found.why}.",
    }
    reach = f"{name(sides)} scores {points(found.pooled)} against scratch"
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
    made = verdict("accuracy", found, f"{reach}, {end}", settle)
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


def over(sides: Sides, strategy: str) -> Effects:
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
