"""The verdict on labels: does transfer with n labels score higher than scratch with twice as many?"""

from dataclasses import replace

from thaw.report.claims import labels
from thaw.report.claims.judge import INCONCLUSIVE, MIXED, NOT_SUPPORTED, SMALL, SUPPORTED, judge
from thaw.report.claims.on_accuracy import over
from thaw.report.claims.phrases import gain, points, rate, settling
from thaw.report.claims.sides import Sides
from thaw.report.claims.verdict import Verdict, name, nothing, verdict


def judged(sides: Sides) -> Verdict:
    """Return the verdict on labels."""
    rule, arm = sides.rule, sides.transfer
    found = judge(labels.effects(sides), rule, rule.margin)
    if found.pooled is None or arm is None:
        return nothing("labels", sides, found)
    reach = f"{name(sides)} with n labels scores {points(found.pooled)} against scratch with {rule.fewer:g} times n"
    equal = judge(over(sides, "scratch"), rule, 0.0)
    if found.word == SUPPORTED and equal.word != SUPPORTED:
        found = replace(found, word=equal.word)
        end = f"but {points(equal.pooled)} at equal labels" if equal.pooled else "but nothing pairs at equal labels"
        settle = "More labels do not help scratch here: look at other train sizes, or at scratch's steps and rate."
        return verdict("labels", found, f"{reach}, {end}.", settle)
    ends = {
        SUPPORTED: "so it needs fewer.",
        NOT_SUPPORTED: f"so n labels do not replace {rule.fewer:g} times n.",
        INCONCLUSIVE: f"but {found.why}.",
        SMALL: f"which is less than {rule.margin:g}.",
        MIXED: f"but it {found.why}.",
    }
    rates = [f"{rate(one)} on {one.task}" for one in headline_rates(sides)]
    told = f" {'; '.join(rates[:2])}." if rates else ""
    return verdict("labels", found, f"{reach}, {ends[found.word]}{told}", settling(found, gain))


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
