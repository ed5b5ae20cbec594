"""The verdict on accuracy: does transfer score higher than scratch with the same labels, and than words alone?

It is supported only where transfer also beats TF-IDF with a linear model, on the tasks that have it: being better than
a network that starts from nothing is not enough. The interval holds seeds, test texts and, from five of them on,
pretrainings.
"""

import math
from dataclasses import dataclass, field, replace

from thaw.report.arms import Arm
from thaw.report.claims.collapse import collapse
from thaw.report.claims.judge import (
    INCONCLUSIVE,
    MIXED,
    NOT_SUPPORTED,
    SMALL,
    SUPPORTED,
    ByPretraining,
    Effects,
    Errors,
    Judgement,
    decide,
    judge,
)
from thaw.report.claims.phrases import by_text, diverged, gain, points, settling, texts_told
from thaw.report.claims.resampling import Drawn, drawn
from thaw.report.claims.selection import choice_error, with_component
from thaw.report.claims.sides import Sides, Size
from thaw.report.claims.verdict import Verdict, name, nothing, on_tasks, verdict
from thaw.report.statistics import FEWEST, Estimate, seeds_needed
from thaw.report.strategy import WORDS


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Transfer minus another arm at the headline sizes, with the errors that seeds do not show."""

    effects: Effects
    crossed: ByPretraining
    drawn: dict[str, Drawn]  # by task, where there are predictions
    floors: Errors  # least deviation of a seed's effect by task: the grid of the metric
    tuning: Errors = field(default_factory=dict)  # by task, of choosing settings on dev; only where trials are known

    @property
    def errors(self) -> Errors:
        """The standard error of each task's mean effect from the test texts and from choosing settings."""
        texts = {task: one.error for task, one in self.drawn.items()}
        return {task: math.hypot(texts.get(task, 0.0), self.tuning.get(task, 0.0)) for task in (*texts, *self.tuning)}

    @property
    def residuals(self) -> Errors:
        """The standard deviation that the texts give to a seed's effect alone."""
        return {task: one.residual for task, one in self.drawn.items()}


def judged(sides: Sides) -> Verdict:
    """Return the verdict on accuracy."""
    rule, arm = sides.rule, sides.transfer
    own = contrast(sides, "scratch")
    found = judge(
        own.effects, rule, rule.margin, own.errors, floors=own.floors, crossed=own.crossed, collapse=collapse(sides),
        residuals=own.residuals,
    )  # fmt: skip
    found = with_component(found, own.tuning)
    if found.pooled is None or arm is None:
        return nothing("accuracy", sides, found)
    asked = dict.fromkeys(one.strategy for one in sides.arms if one.control and not one.floor)
    controls = {strategy: one for strategy in asked if (one := _mean(sides, strategy)) is not None}
    ends = {
        SUPPORTED: "no control of words alone applies",
        NOT_SUPPORTED: f"which leaves no gain of {rule.margin:g}",
        INCONCLUSIVE: f"but {found.why}",
        SMALL: f"which is less than {rule.margin:g}",
        MIXED: f"but it {found.why}",
    }
    reach = f"{name(sides)} scores {points(found.pooled)} against scratch on {on_tasks(found)}"
    end, settle = ends[found.word], settling(found, gain)
    words = controls.get(WORDS)
    if words is None and _has_words(sides):
        settle = f"Run strategy=tfidf with the same seeds. {settle}"
        if found.word == SUPPORTED:
            why = "the control TF-IDF was not run, so words alone may do as well"
            found, end = replace(found, word=INCONCLUSIVE, why=why), f"but {why}"
    elif words is not None and found.word == SUPPORTED:
        found, end, settle = _with_words(found, words, settle, rule.level)
    made = verdict("accuracy", found, f"{reach}, {end}{diverged(sides)}.", settle)
    shares = {one.task: _shared(own.drawn[one.task], one.estimate) for one in found.tasks if one.task in own.drawn}
    without = [one.task for one in found.tasks if one.task not in shares]
    told = texts_told(shares, without)
    return replace(
        made, controls=controls, examples=shares, without_texts=without, by_text=by_text(shares, found),
        settle=f"{settle} {told}".strip(),
    )  # fmt: skip


def _with_words(found: Judgement, words: Estimate, settle: str, level: float) -> tuple[Judgement, str, str]:
    """Return the judgement, the end of its sentence and what would settle it, TF-IDF considered."""
    if words.n < FEWEST:
        why = f"only {words.n} seed{'s' * (words.n > 1)} of TF-IDF pair{'s' * (words.n == 1)}: no test"
        return replace(found, word=INCONCLUSIVE, why=why), f"but {why}", "Run strategy=tfidf with the same seeds."
    if words.tested and words.low is not None and words.low > 0:
        return found, f"and {points(words)} against TF-IDF", settle
    end = f"but {points(words)} against TF-IDF, which reads words alone"
    if words.tested and words.high is not None and words.high < 0:
        return replace(found, word=NOT_SUPPORTED, why="TF-IDF, which reads words alone, is better"), end, settle
    own = math.sqrt(max(0.0, (words.error or 0.0) ** 2 - (words.deviation or 0.0) ** 2 / words.n))
    count = seeds_needed(words.mean, words.deviation or 0.0, level=level, error=own if own > 1e-9 else 0.0)
    settle = (
        f"Against TF-IDF a gain of {gain(words.mean)} needs {f'about {count}' if count else 'more than 1,000'} seeds."
    )
    why = "it is undecided against TF-IDF, which reads words alone"
    return replace(found, word=INCONCLUSIVE, why=why), f"{end}: undecided", settle


def over(sides: Sides, strategy: str) -> Effects:
    """Return for each task and seed the mean over headline sizes of transfer's score minus another arm's."""
    arm = sides.transfer
    return {
        task: gap
        for task, other in _others(sides, strategy).items()
        if arm and (gap := sides.gap(task, arm, other)) is not None
    }


def contrast(sides: Sides, strategy: str) -> Contrast:
    """Return transfer minus the arm of a strategy (scratch: that of the same architecture)."""
    return between(sides, _others(sides, strategy))


def between(sides: Sides, others: dict[str, Arm], arm: Arm | None = None) -> Contrast:
    """Return ``arm`` (the transfer of the verdicts where none is said) minus another arm on each task."""
    arm = arm or sides.transfer
    made = Contrast(effects={}, crossed={}, drawn={}, floors={})
    effects, crossed, floors, tuning = {}, {}, {}, {}
    for task, other in others.items():
        if arm is None or (gap := sides.gap(task, arm, other)) is None:
            continue
        effects[task] = gap
        sources = sides.gap_by_pretraining(task, arm, other)
        if len(sources) > 1:
            crossed[task] = sources
        sizes = sides.headline(task, arm, other)
        weights: list[tuple[float, Arm, Size]] = [(1 / len(sizes), arm, size) for size in sizes]
        weights += [(-1 / len(sizes), other, size) for size in sizes]
        if chosen := choice_error(sides, task, weights):
            tuning[task] = chosen
        found = drawn([(weight, sides.all_runs(task, one, size)) for weight, one, size in weights], sides.rule.level)
        if found is not None:
            made.drawn[task] = found
            floors[task] = 1 / found.examples / math.sqrt(6 * len(sizes))  # two scores rounded to one text
    return replace(made, effects=effects, crossed=crossed, floors=floors, tuning=tuning)


def _others(sides: Sides, strategy: str) -> dict[str, Arm]:
    arm = sides.transfer
    if arm is None:
        return {}
    found = {
        task: sides.scratch(task, arm) if strategy == "scratch" else sides.control(strategy) for task in sides.tasks
    }
    return {task: other for task, other in found.items() if other is not None}


def _mean(sides: Sides, strategy: str) -> Estimate | None:
    """Return transfer minus a control, the mean over the tasks that have both."""
    own = contrast(sides, strategy)
    found = decide(own.effects, sides.rule, 0.0, own.errors, floors=own.floors, crossed=own.crossed)
    return found.pooled


def _shared(found: Drawn, one: Estimate) -> Drawn:
    """Return what the texts add, with its share of the whole squared error."""
    return replace(found, share=min(1.0, found.error**2 / one.error**2) if one.error else 0.0)


def _has_words(sides: Sides) -> bool:
    """Whether TF-IDF applies to a task: it has no answer for tags and spans."""
    kinds = {run.config.get("task.kind") for cell in sides.cells.values() for run in cell.runs}
    return bool(kinds - {"tags", "span"})
