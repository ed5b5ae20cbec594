"""The verdict on labels: does transfer with n labels score higher than scratch with twice as many?

Where it does, two things more must hold, or the word is not *supported*: scratch gains from more labels by its own
noise (else twice the labels are worth nothing, and the claim is that on accuracy said again), and transfer is better at
equal labels too.
"""

from collections.abc import Sequence
from dataclasses import replace

from thaw.report.claims import labels
from thaw.report.claims.collapse import collapse
from thaw.report.claims.fewer import Fewer, fewer, gains
from thaw.report.claims.judge import INCONCLUSIVE, MIXED, NOT_SUPPORTED, SMALL, SUPPORTED, decide, judge
from thaw.report.claims.missing import thinnest
from thaw.report.claims.on_accuracy import contrast
from thaw.report.claims.phrases import failures, gain, points, rates, settling
from thaw.report.claims.sides import TAMER, Sides, Size
from thaw.report.claims.verdict import Verdict, name, nothing, scope, verdict
from thaw.report.statistics import FEWEST
from thaw.report.words import listed

MOST_RATES = 2  # exchange rates that the sentence has, a task each
NO_GAIN = "scratch does not gain from labels here"
MORE = "Look at other train sizes, or at scratch's steps and rate: more labels do not help it here."
LESS = "Run scratch at the train sizes of transfer too, with the same seeds."
AS_MANY = "Run more seeds at the same train sizes: it needs fewer labels only where it is better with as many, too."


def judged(sides: Sides) -> Verdict:
    """Return the verdict on labels."""
    rule, arm = sides.rule, sides.transfer
    own = fewer(sides)
    judgement = judge(
        own.effects, rule, rule.margin, own.errors, floors=own.floors, crossed=own.crossed, collapse=collapse(sides),
        residuals=own.residuals, sources=own.sources,
    )  # fmt: skip
    if judgement.pooled is None or arm is None:
        return nothing("labels", sides, judgement)
    times = f"{rule.fewer:g} times n"
    reach = (
        f"{name(sides)} with n labels scores {points(judgement.pooled)} against scratch with {times}{read(sides, own)}"
        f" {scope(judgement, sides, gain)}"
    )
    failed = failures(sides)
    if judgement.word in (SUPPORTED, SMALL, MIXED):
        if lost := sides.lost():
            judgement = replace(judgement, word=INCONCLUSIVE, why=lost)
            return verdict("labels", sides, judgement, f"{reach}, but {lost}{failed}.", TAMER)
        gained = decide(gains(sides), rule, 0.0, own.between).pooled
        if gained is None or gained.n < FEWEST:
            why = f"what scratch gains from n to {times} labels is not known"
            judgement = replace(judgement, word=INCONCLUSIVE, why=why)
            return verdict("labels", sides, judgement, f"{reach}, but {why}{failed}.", thinnest(sides) or LESS)
        if gained.low is None or gained.low <= 0:  # a gain that never varies has its mean as its end
            why = f"{NO_GAIN} ({points(gained)} from n to {times})"
            judgement = replace(judgement, word=INCONCLUSIVE, why=why)
            return verdict("labels", sides, judgement, f"{reach}, but {why}{failed}.", MORE)
        level = contrast(sides, "scratch")
        equal = decide(level.effects, rule, 0.0, level.errors, floors=level.floors, crossed=level.crossed)
        if judgement.word == SUPPORTED and equal.word != SUPPORTED:
            end = f"{points(equal.pooled)} at equal labels" if equal.pooled else "nothing pairs at equal labels"
            judgement = replace(judgement, word=equal.word, why=f"at equal labels: {equal.why}")
            return verdict(
                "labels", sides, judgement, f"{reach}, but {end}{failed}.", AS_MANY if equal.pooled else LESS
            )
    ends = {
        SUPPORTED: "so it needs fewer",
        NOT_SUPPORTED: f"so n labels do not replace {times}",
        INCONCLUSIVE: f"but {judgement.why}",
        SMALL: f"a gain of less than {rule.margin:g}",
        MIXED: f"but it {judgement.why}",
    }
    sentence = f"{reach}, {ends[judgement.word]}{failed}. {rates(headline_rates(sides)[:MOST_RATES])}".strip()
    return verdict("labels", sides, judgement, sentence, settling(judgement, gain))


def read(sides: Sides, own: Fewer) -> str:
    """Return where scratch was not run with so many labels, and between which sizes it is read; "" if it was."""
    if not own.unmeasured:
        return ""
    lines: dict[tuple[str, str], list[str]] = {}
    for task, sizes in own.unmeasured.items():
        scratch = sides.scratch(task, sides.transfer) if sides.transfer else None
        known = sides.sizes(task, scratch) if scratch else []
        lines.setdefault((_sizes(sizes), _sizes(known)), []).append(task)
    several = len(lines) > 1 or len(own.effects) > len(own.unmeasured)
    parts = [
        f"not run with {sizes} labels{f' on {listed(tasks)}' if several else ''}: read between {known}"
        for (sizes, known), tasks in lines.items()
    ]
    error = max(own.between.values())
    return f" ({'; '.join(parts)}; standard error ±{error:.3f})"


def _sizes(sizes: Sequence[Size]) -> str:
    return listed([f"{size:g}" for size in sizes], len(sizes))


def headline_rates(sides: Sides) -> list[labels.Exchange]:
    """Return of each task the exchange rate at the smallest headline size whose worth lies in the measured range.

    Where there is none, the smallest size's.
    """
    chosen = []
    for task in sides.tasks if sides.transfer else []:
        assert sides.transfer is not None
        measured = [
            worth
            for worth in labels.exchange(sides, task, sides.transfer, sides.rule.level)
            if not sides.rule.sizes or worth.labels in sides.rule.sizes
        ]
        if measured:
            chosen.append(next((worth for worth in measured if not worth.beyond), measured[0]))
    return chosen
