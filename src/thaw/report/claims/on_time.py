"""The verdict on time: does transfer reach what scratch reaches sooner?"""

import math

from thaw.report.claims import speed
from thaw.report.claims.judge import INCONCLUSIVE, MIXED, NOT_SUPPORTED, SMALL, SUPPORTED, judge
from thaw.report.claims.phrases import settling, times
from thaw.report.claims.sides import Sides
from thaw.report.claims.verdict import Verdict, name, nothing, verdict


def judged(sides: Sides) -> Verdict:
    """Return the verdict on time."""
    rule = sides.rule
    found = judge(speed.effects(sides), rule, math.log(rule.faster))
    if found.pooled is None or found.pooled.low is None or found.pooled.high is None:
        return nothing("time", sides, found)
    reach = (
        f"{name(sides)} reaches {rule.target:.0%} of the best dev score from scratch {times(found.pooled.mean)} times"
        f" as fast as scratch ({times(found.pooled.low)} to {times(found.pooled.high)})"
    )
    ends = {
        SUPPORTED: "pretraining apart.",
        NOT_SUPPORTED: f"which leaves no gain of {rule.faster:g} times.",
        INCONCLUSIVE: f"but {found.why}.",
        SMALL: f"which is less than {rule.faster:g} times.",
        MIXED: f"but it {found.why}.",
    }
    settle = settling(found, lambda value: f"{math.exp(value):.2g} times")
    return verdict("time", found, f"{reach}, {ends[found.word]}", settle)
