"""The verdict on time: does transfer reach what scratch reaches sooner?

The same ratio is judged by four clocks. One decides (clocks.py), all are shown; one that is disturbed has no vote, and
two undisturbed ones of which one says *supported* and another *not supported* leave the word open. A word needs a
target that is scratch's own (target.py); *supported* needs no fewer arrivals than scratch's, and a ratio of which only
a bound is known is never *not supported* from below.
"""

import math
from dataclasses import replace
from itertools import product

import numpy as np

from thaw.report.claims.clocks import NAMES, Clock, deciding, load
from thaw.report.claims.crossing import ABOUT, LEAST, MOST
from thaw.report.claims.judge import INCONCLUSIVE, MIXED, NOT_SUPPORTED, SMALL, SUPPORTED, Effects, Judgement, judge
from thaw.report.claims.phrases import settling, times
from thaw.report.claims.sides import Sides
from thaw.report.claims.speed import Speed, speeds
from thaw.report.claims.verdict import Verdict, name, nothing, verdict
from thaw.report.statistics import FEWEST, Estimate

FLIPS = 12  # pairs up to which all sign patterns are counted, 2^12; above, as many are drawn


def judged(sides: Sides) -> Verdict:
    """Return the verdict on time."""
    state, main = load(sides), deciding(sides)
    by_clock = speeds(sides)
    found = {clock: judged_by(sides, each) for clock, each in by_clock.items()}
    clocks = [
        Clock(
            clock=clock, name=NAMES[clock], ratio=each.pooled, bound=by_clock[clock].bound, word=each.word,
            why=each.why,
            disturbed=state.disturbed.get(clock, ""), decides=clock == main,
        )
        for clock, each in found.items()
        if each.pooled is not None
    ]  # fmt: skip
    each, own = found[main], by_clock[main]
    if each.pooled is None:
        return replace(_none(sides, each, own), clocks=clocks)
    each = _voted(each, clocks, main, sides.rule.clock == "auto")
    if each.pooled is None or each.pooled.low is None or each.pooled.high is None:
        return replace(nothing("time", sides, each), clocks=clocks)
    sentence = f"{_reach(sides, each.pooled, own)}, {_end(each, sides.rule.faster)}{_apart(each, clocks, main)}"
    return replace(verdict("time", each, sentence, _settled(each, own, sides.rule.level)), clocks=clocks)


def judged_by(sides: Sides, own: Speed) -> Judgement:
    """Return the judgement by one clock, arrivals and bounds considered."""
    each = judge(own.effects, sides.rule, math.log(sides.rule.faster), errors=own.errors)
    if each.pooled is None:
        return each
    if each.word in (SUPPORTED, SMALL) and own.reached[0] < own.reached[1]:
        why = f"it arrives less often: {own.reached[0]} of {own.pairs} runs, scratch {own.reached[1]} of {own.pairs}"
        return replace(each, word=INCONCLUSIVE, why=why)
    if each.word == NOT_SUPPORTED and own.bound in (LEAST, ABOUT):
        why = (
            "it arrives at the first two evaluations, so only a least ratio is known: evaluate oftener at the beginning"
            if own.reached[1] == own.pairs
            else f"scratch arrives in {own.reached[1]} of {own.pairs} runs, so only a least ratio is known"
        )
        return replace(each, word=INCONCLUSIVE, why=why)
    return each


def _none(sides: Sides, each: Judgement, own: Speed) -> Verdict:
    """Return the verdict where nothing was paired: for want of runs, or since scratch has no level of its own."""
    if not own.doubts:
        return nothing("time", sides, each)
    why = _doubts(own.doubts)
    each = replace(each, word=INCONCLUSIVE, why=why)
    remedy = "Give scratch more steps, another rate or more labels, until it has a level to be measured against."
    return verdict("time", each, f"No word on time: {why}.", remedy)


def _doubts(doubts: dict[str, str]) -> str:
    cells: dict[str, list[str]] = {}
    for cell, why in doubts.items():
        cells.setdefault(why, []).append(cell)
    return "; ".join(f"{why} ({', '.join(places)})" for why, places in cells.items())


def _voted(each: Judgement, clocks: list[Clock], main: str, auto: bool) -> Judgement:
    """Return the deciding clock's judgement, inconclusive where it is disturbed or another clock contradicts it."""
    disturbed = next((clock.disturbed for clock in clocks if clock.clock == main), "")
    if disturbed:
        return replace(each, word=INCONCLUSIVE, why=f"{NAMES[main]} are disturbed: {disturbed}")
    if auto and (against := _disagreement(clocks)):
        return replace(each, word=INCONCLUSIVE, why=against)
    return each


def _disagreement(clocks: list[Clock]) -> str:
    """Say which undisturbed clocks contradict each other, with their numbers; "" where none do."""
    words = {word: [clock for clock in clocks if not clock.disturbed and clock.word == word]
             for word in (SUPPORTED, NOT_SUPPORTED)}  # fmt: skip
    if not all(words.values()):
        return ""
    parts = [f"{word} by {', '.join(map(shown, members))}" for word, members in words.items()]
    return f"the clocks disagree: {'; '.join(parts)}"


def shown(clock: Clock) -> str:
    """Return a clock with its ratio: "CPU seconds (1.9 times, 1.2 to 2.9)"."""
    return f"{clock.name} ({spread(clock.ratio)})"


def spread(ratio: Estimate | None) -> str:
    """Return a log ratio as ratio with interval: "1.9 times, 1.2 to 2.9"."""
    if ratio is None:
        return "not known"
    ends = f", {times(ratio.low)} to {times(ratio.high)}" if ratio.low is not None and ratio.high is not None else ""
    return f"{times(ratio.mean)} times{ends}"


def _reach(sides: Sides, ratio: Estimate, own: Speed) -> str:
    assert ratio.low is not None
    assert ratio.high is not None
    interval = {
        LEAST: f"above {times(ratio.low)}", MOST: f"below {times(ratio.high)}",
    }.get(own.bound, f"{times(ratio.low)} to {times(ratio.high)}")  # fmt: skip
    bound = f"{own.bound} " if own.bound else ""
    counts = f"{own.reached[0]} of {own.pairs} arrive, scratch {own.reached[1]} of {own.pairs}"
    return (
        f"{name(sides)} reaches {sides.rule.target:.0%} of what scratch gains on dev {bound}{times(ratio.mean)} times"
        f" as fast as scratch ({interval}; by {NAMES[own.clock]}; {counts})"
    )


def _end(each: Judgement, faster: float) -> str:
    return {
        SUPPORTED: "pretraining apart.",
        NOT_SUPPORTED: f"which leaves no gain of {faster:g} times.",
        INCONCLUSIVE: f"but {each.why}.",
        SMALL: f"which is less than {faster:g} times.",
        MIXED: f"but it {each.why}.",
    }[each.word]


def _apart(each: Judgement, clocks: list[Clock], main: str) -> str:
    """Tell of a disagreement that an explicit choice of the clock leaves out of the word."""
    against = _disagreement(clocks)
    return f" Beside that {against}." if against and against not in each.why else ""


def _settled(each: Judgement, own: Speed, level: float) -> str:
    """Return what these seeds can see, what an exact test says, and the cells that no word rests on."""
    parts = [settling(each, lambda value: f"{math.exp(value):.2g} times")]
    least, p = exact(own.effects)
    if least > 1 - level:
        parts.append(
            f"No pattern of these seeds could reach the level in a test without assumptions: its p is {least:.2g} at"
            " least, so the word rests on Student's t."
        )
    elif p is not None:
        parts.append(f"Exact test by signs: p = {p:.2g}.")
    if own.doubts:
        parts.append(f"Left out: {_doubts(own.doubts)}.")
    if own.floorless:
        parts.append("The majority's dev score is not known, so the target is a share of the whole of scratch's best.")
    return " ".join(parts)


def exact(effects: Effects) -> tuple[float, float | None]:
    """Return (smallest p that is possible, p) of the exact sign-flip test over all pairs, two-sided.

    The arms of a pair are exchangeable without an effect, so every pattern of signs is as likely (Fisher 1935). Pairs
    of one task and seed are one: their sizes share a subset. p is None under FEWEST pairs.
    """
    values = np.array([value for task in effects.values() for value in task.values()])
    if len(values) < FEWEST:
        return 1.0, None
    if len(values) <= FLIPS:
        signs = np.array(list(product((1.0, -1.0), repeat=len(values))))
        least = 2.0 / len(signs)
    else:
        draw = np.random.default_rng(0)
        signs = np.concatenate([np.ones((1, len(values))), draw.choice((1.0, -1.0), (2**FLIPS - 1, len(values)))])
        least = 1.0 / len(signs)
    sums = np.abs(signs @ values)
    return least, float((sums >= sums[0] - 1e-12).mean())
