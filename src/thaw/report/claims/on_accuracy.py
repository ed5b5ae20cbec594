"""The verdict on accuracy: does transfer score higher than scratch with the same labels, and than words alone?

It is supported only where transfer also beats TF-IDF with a linear model, in the mean over the tasks to which words
alone apply, and loses to it on none of them: being better than a network that starts from nothing is not enough. The
interval holds seeds, test texts and, from five of them on, pretrainings.
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
    Decision,
    Effects,
    Errors,
    Judgement,
    decide,
    judge,
    together,
)
from thaw.report.claims.phrases import by_text, failures, gain, points, settling, texts_told
from thaw.report.claims.resampling import Drawn, drawn
from thaw.report.claims.selection import choice_error
from thaw.report.claims.sides import TAMER, Sides, Size
from thaw.report.claims.verdict import Verdict, name, nothing, scope, verdict
from thaw.report.statistics import FEWEST, Estimate, seeds_needed
from thaw.report.strategy import WORDS
from thaw.report.words import listed, number


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
        return together(self.sources)

    @property
    def sources(self) -> dict[str, Errors]:
        """The same by what it comes from."""
        return {"texts": {task: texts.error for task, texts in self.drawn.items()}, "tuning": self.tuning}

    @property
    def residuals(self) -> Errors:
        """The standard deviation that the texts give to a seed's effect alone."""
        return {task: texts.residual for task, texts in self.drawn.items()}


def judged(sides: Sides) -> Verdict:
    """Return the verdict on accuracy."""
    rule, arm = sides.rule, sides.transfer
    gaps = contrast(sides, "scratch")
    judgement = judge(
        gaps.effects, rule, rule.margin, gaps.errors, floors=gaps.floors, crossed=gaps.crossed,
        collapse=collapse(sides), residuals=gaps.residuals, sources=gaps.sources,
    )  # fmt: skip
    if judgement.pooled is None or arm is None:
        return nothing("accuracy", sides, judgement)
    asked = dict.fromkeys(peer.strategy for peer in sides.arms if peer.control and not peer.floor)
    decisions = {strategy: _against(sides, strategy) for strategy in asked}
    controls = {strategy: one.pooled for strategy, one in decisions.items() if one.pooled is not None}
    ends = {
        SUPPORTED: "where no control of words alone applies",
        NOT_SUPPORTED: f"so there is no gain of {rule.margin:g}",
        INCONCLUSIVE: f"but {judgement.why}",
        SMALL: f"a gain of less than {rule.margin:g}",
        MIXED: f"but it {judgement.why}",
    }
    reach = f"{name(sides)} scores {points(judgement.pooled)} against scratch {scope(judgement, sides, gain)}"
    end, settle = ends[judgement.word], settling(judgement, gain)
    applying = [
        effect.task for effect in judgement.tasks if effect.estimate.n >= FEWEST and _has_words(sides, effect.task)
    ]
    without = [task for task in applying if task not in _tested(decisions.get(WORDS))]
    if judgement.word == SUPPORTED and applying:
        worse = [effect.task for effect in decisions[WORDS].tasks if effect.negative] if WORDS in decisions else []
        judgement, end, settle = _with_words(
            judgement, controls.get(WORDS), applying, without, settle, rule.level, worse
        )
    if lost := sides.lost() if judgement.word in (SUPPORTED, SMALL, MIXED) else "":
        judgement = replace(judgement, word=INCONCLUSIVE, why=lost)
        end, settle = f"but {lost}", TAMER
    if without:
        settle = f"Run strategy=tfidf {_where(applying, without)}with the same seeds. {settle}".strip()
    plain = verdict("accuracy", sides, judgement, f"{reach}, {end}{failures(sides)}.", settle)
    shares = {
        effect.task: _shared(gaps.drawn[effect.task], effect.estimate)
        for effect in judgement.tasks
        if effect.task in gaps.drawn
    }
    textless = [effect.task for effect in judgement.tasks if effect.task not in shares]
    texts = texts_told(shares, textless)
    return replace(
        plain, controls=controls, examples=shares, without_texts=textless, by_text=by_text(shares, judgement),
        settle=f"{plain.settle} {texts}".strip(),
    )  # fmt: skip


def _with_words(
    judgement: Judgement, words: Estimate | None, applying: list[str], without: list[str], settle: str, level: float,
    worse: list[str],
) -> tuple[Judgement, str, str]:  # fmt: skip
    """Return a supported judgement, the end of its sentence and what would settle it, TF-IDF considered.

    ``applying`` are the tasks to which words alone apply, ``without`` those of them where fewer than three seeds of
    TF-IDF pair: there words alone may do as well; ``worse`` those of which TF-IDF is better (Holm).
    """
    if words is None or (words.n < FEWEST and len(without) == len(applying)):
        why = "the control TF-IDF was not run, so words alone may do as well"
        if words is not None:
            why = f"only {number(words.n, 'seed')} of TF-IDF {'pairs' if words.n == 1 else 'pair'}: no test"
        return replace(judgement, word=INCONCLUSIVE, why=why), f"but {why}", settle
    where = f" on {len(applying) - len(without)} of {number(len(applying), 'task')}" if without else ""
    end = f"but {points(words)} against TF-IDF{where}, which reads words alone"
    if words.tested and words.high is not None and words.high < 0:
        return replace(judgement, word=NOT_SUPPORTED, why="TF-IDF, which reads words alone, is better"), end, settle
    if worse:
        why = f"is worse than TF-IDF, which reads words alone, on {listed(worse)}"
        return replace(judgement, word=MIXED, why=why), f"but it {why} ({points(words)} in the mean{where})", settle
    if words.tested and words.low is not None and words.low > 0:
        end = f"and {points(words)} against TF-IDF{where}"
        if not without:
            return judgement, end, settle
        why = f"TF-IDF has fewer than {FEWEST} seeds on {listed(without)}, so words alone may do as well there"
        return replace(judgement, word=INCONCLUSIVE, why=why), f"{end}, but {why}", settle
    count = seeds_needed(words.mean, words.own * math.sqrt(words.n), level=level, error=words.shared)
    settle = (
        f"Against TF-IDF a gain of {gain(words.mean)} needs {f'about {count}' if count else 'more than 1,000'} seeds."
    )
    why = "it is undecided against TF-IDF, which reads words alone"
    return replace(judgement, word=INCONCLUSIVE, why=why), f"{end}: undecided", settle


def _where(applying: list[str], without: list[str]) -> str:
    return f"on {listed(without)} " if len(without) < len(applying) else ""


def contrast(sides: Sides, strategy: str) -> Contrast:
    """Return transfer minus the arm of a strategy (scratch: that of the same architecture)."""
    return between(sides, _others(sides, strategy))


def between(sides: Sides, baselines: dict[str, Arm], arm: Arm | None = None) -> Contrast:
    """Return ``arm`` (the transfer of the verdicts where none is said) minus another arm on each task."""
    arm = arm or sides.transfer
    effects, crossed, floors, examples, tuning = {}, {}, {}, {}, {}
    for task, baseline in baselines.items():
        if arm is None or (gap := sides.gap(task, arm, baseline)) is None:
            continue
        effects[task] = gap
        sources = sides.gap_by_pretraining(task, arm, baseline)
        if len(sources) > 1:
            crossed[task] = sources
        sizes = sides.headline(task, arm, baseline)
        weights: list[tuple[float, Arm, Size]] = [(1 / len(sizes), arm, size) for size in sizes]
        weights += [(-1 / len(sizes), baseline, size) for size in sizes]
        if chosen := choice_error(sides, task, weights):
            tuning[task] = chosen
        texts = drawn([(weight, sides.all_runs(task, side, size)) for weight, side, size in weights], sides.rule.level)
        if texts is not None:
            examples[task] = texts
            floors[task] = 1 / texts.examples / math.sqrt(6 * len(sizes))  # two scores rounded to one text
    return Contrast(effects=effects, crossed=crossed, drawn=examples, floors=floors, tuning=tuning)


def _others(sides: Sides, strategy: str) -> dict[str, Arm]:
    arm = sides.transfer
    if arm is None:
        return {}
    baselines = {
        task: sides.scratch(task, arm) if strategy == "scratch" else sides.control(strategy) for task in sides.tasks
    }
    return {task: baseline for task, baseline in baselines.items() if baseline is not None}


def _against(sides: Sides, strategy: str) -> Decision:
    """Return transfer minus a control, on the tasks that have both and in the mean over them."""
    gaps = contrast(sides, strategy)
    return decide(gaps.effects, sides.rule, 0.0, gaps.errors, floors=gaps.floors, crossed=gaps.crossed)


def _tested(decision: Decision | None) -> list[str]:
    """Return the tasks on which seeds enough pair for a test."""
    return [effect.task for effect in decision.tasks if effect.estimate.n >= FEWEST] if decision else []


def _shared(texts: Drawn, mean: Estimate) -> Drawn:
    """Return what the texts add, with its share of the whole squared error."""
    return replace(texts, share=min(1.0, texts.error**2 / mean.error**2) if mean.error else 0.0)


def _has_words(sides: Sides, task: str) -> bool:
    """Whether TF-IDF applies to a task: it has no answer for tags and spans."""
    kinds = {
        run.config.get("task.kind")
        for (cell_task, _, _), cell in sides.cells.items()
        if cell_task == task
        for run in cell.runs
    }
    return bool(kinds - {"tags", "span"})
