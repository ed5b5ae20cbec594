"""Estimates and judgements in words: what the sentences of the verdicts are made of."""

import math
from collections.abc import Callable

from thaw.report.claims.judge import INCONCLUSIVE, Judgement
from thaw.report.claims.labels import Exchange
from thaw.report.claims.resampling import Drawn
from thaw.report.statistics import Estimate


def points(one: Estimate) -> str:
    """Return a difference of scores: "+0.124 [+0.081, +0.167]"."""
    interval = f" [{one.low:+.3f}, {one.high:+.3f}]" if one.low is not None else " (one seed)"
    return f"{one.mean:+.3f}{interval}"


def gain(value: float) -> str:
    """Return a difference of scores without its interval."""
    return f"{value:+.3f}"


def times(log: float) -> str:
    """Return the logarithm of a ratio as that ratio."""
    return f"{math.exp(log):.3g}"


def rate(one: Exchange) -> str:
    """Return what some labels are worth: "50 labels with transfer are worth 240 from scratch (180 to 330)"."""
    if one.worth is None:
        bound = f"more than {one.most}" if one.beyond == "above" else f"less than {one.least}"
        return f"{one.labels} labels with transfer are worth {bound} from scratch"
    low = _count(one.low) if one.low is not None else f"< {one.least}"
    high = _count(one.high) if one.high is not None else f"> {one.most}"
    return f"{one.labels} labels with transfer are worth {_count(one.worth)} from scratch ({low} to {high})"


def _count(labels: float) -> str:
    digits = 10 ** max(0, math.floor(math.log10(labels)) - 1)
    return f"{round(labels / digits) * digits:,.0f}"


def settling(found: Judgement, shown: Callable[[float], str]) -> str:
    """Return what these seeds can see, and for an inconclusive judgement how many would see the effect measured."""
    if found.detectable is None:
        return "Run more seeds: one has no interval."
    seeds = min(one.estimate.n for one in found.tasks)
    sees = f"{seeds} seeds find effects above {shown(found.detectable)} (4 times in 5)"
    if found.word != INCONCLUSIVE:
        return f"{sees}."
    if found.seeds is None:
        return f"{sees}; the effect measured is none or too small for any number of seeds to support."
    if found.seeds <= seeds:
        return f"{sees}; as many would do for the effect measured, so it is the rule's other conditions that fail."
    return f"{sees}; an effect as large as the one measured needs about {found.seeds}."


def redrawn(found: dict[str, Drawn]) -> str:
    """Return how far other test texts would move the difference, on the task where it is farthest; "" if not known."""
    if not found:
        return ""
    task, most = max(found.items(), key=lambda item: item[1].error)
    return f" Other test texts would move it by ±{most.error:.3f} on {task} (standard error, {most.examples:,} texts)."
