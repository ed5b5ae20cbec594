"""The verdict on time: does transfer reach what scratch reaches sooner?

The same ratio is judged by four clocks. One decides (clocks.py), all are shown; one that is disturbed has no vote, and
two undisturbed ones of which one says *supported* and another *not supported* leave the word open, whatever clock the
rule names. A word needs a target that is scratch's own (target.py); *supported* needs no fewer arrivals than scratch's,
and a mean curve of transfer that ends no lower than the target by its own noise: where that is wide, runs that never
learn so much come near it by luck. Nor is it *supported* where transfer's setting was chosen among more than scratch's
by the same dev scores.
A ratio of which only a least value is known is at most *supported* from below: every word that needs an upper end of
it, or an end on each side, is *inconclusive*.

Where a word is taken back for such a reason, no number of seeds brings it: the card then says what would.
"""

import math
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from thaw.report.claims.clocks import NAMES, Clock, deciding, load
from thaw.report.claims.crossing import ABOUT, LEAST
from thaw.report.claims.doubts import listed, remedies
from thaw.report.claims.judge import INCONCLUSIVE, MIXED, NOT_SUPPORTED, SMALL, SUPPORTED, Effects, Judgement, judge
from thaw.report.claims.phrases import settling, times
from thaw.report.claims.sides import Sides
from thaw.report.claims.speed import Speed, speeds
from thaw.report.claims.time_words import arrive, by_clock, lost, reach
from thaw.report.claims.verdict import Verdict, nothing, scope, verdict
from thaw.report.statistics import FEWEST

FLIPS = 12  # pairs up to which all sign patterns are counted, 2^12; above, as many are drawn
UNDISTURBED = "Run both arms again on a machine that does nothing else."
NEITHER = (
    "More seeds do not settle it: the arms trade one cost for another. Judge them at equal cost of a step, or ask about"
    " one cost alone and say so."
)
LONGER = "Give both arms more steps, or transfer another rate, until it arrives as often."
TUNED = "Tune both with as many trials, on seeds of their own (test=false, then tuned=...)."
OFTENER = "Evaluate oftener at the beginning."
FINER = "The effect measured is finer than the grid of the evaluations: evaluate oftener about the arrivals."
REACHED = "Give scratch more steps, until all of its runs arrive."


@dataclass(frozen=True, kw_only=True)
class Said:
    """A judgement, and what would settle it where seeds would not; "" where they would."""

    judgement: Judgement
    remedy: str = ""

    def back(self, why: str, remedy: str) -> "Said":
        """Return the word taken back, for a reason that no number of seeds removes."""
        return Said(judgement=replace(self.judgement, word=INCONCLUSIVE, why=why), remedy=remedy)


def judged(sides: Sides) -> Verdict:
    """Return the verdict on time."""
    state, main = load(sides), deciding(sides)
    ratios = speeds(sides)
    words = {clock: judged_by(sides, own) for clock, own in ratios.items()}
    clocks = [
        Clock(
            clock=clock, name=NAMES[clock], ratio=said.judgement.pooled, bound=ratios[clock].bound,
            word=said.judgement.word, why=said.judgement.why, disturbed=state.disturbed.get(clock, ""),
            decides=clock == main,
        )
        for clock, said in words.items()
        if said.judgement.pooled is not None
    ]  # fmt: skip
    own, said = ratios[main], words[main]
    if said.judgement.pooled is None:
        return replace(_none(sides, said.judgement, own), clocks=clocks)
    said = _voted(said, clocks, main)
    pooled = said.judgement.pooled
    if pooled is None or pooled.low is None or pooled.high is None:
        return replace(nothing("time", sides, said.judgement), clocks=clocks)
    about = f"{reach(sides, pooled, own)} {scope(said.judgement, sides, times, ' times')}"
    sentence = f"{about}, {_end(said.judgement, sides.rule.faster)}{lost(sides, own)}."
    return replace(
        verdict("time", sides, said.judgement, sentence, _settled(said, own, sides.rule.level)), clocks=clocks
    )


def judged_by(sides: Sides, own: Speed) -> Said:
    """Return the judgement by one clock, arrivals and bounds considered."""
    each = judge(own.effects, sides.rule, math.log(sides.rule.faster), errors=own.errors, crossed=own.crossed)
    said = Said(judgement=each)
    if each.pooled is None:
        return said
    if each.word in (SUPPORTED, SMALL) and own.reached[0] < own.reached[1]:
        counts = f"{arrive(own.counts[0])} runs, scratch {arrive(own.counts[1])}"
        return said.back(f"it arrives less often: {counts}", LONGER)
    if each.word in (SUPPORTED, SMALL) and (chosen := _chosen(sides)):
        return said.back(chosen, TUNED)
    if each.word in (SUPPORTED, SMALL) and own.short:
        return said.back("its mean curve ends under the target, so its arrivals may be luck", LONGER)
    if each.word in (NOT_SUPPORTED, SMALL, MIXED) and own.bound in (LEAST, ABOUT):
        if own.reached[1] == own.pairs:
            return said.back("it arrives at the first two evaluations, so only a least ratio is known", OFTENER)
        return said.back(f"scratch arrives in {arrive(own.counts[1])} runs, so only a least ratio is known", REACHED)
    grid = each.pooled.shared > 0 and each.seeds is None and each.detectable is not None
    if each.word == INCONCLUSIVE and grid and each.pooled.mean >= each.least:
        return replace(said, remedy=FINER)
    return said


def _chosen(sides: Sides) -> str:
    """Say where transfer's setting was chosen among more than scratch's by the dev scores that time is read from.

    The best of several equal settings by dev is the one that was lucky there, early too: of six it looked faster in a
    quarter of simulated studies. Settings that were chosen on seeds of their own are not.
    """
    arm = sides.transfer
    for task in sides.tasks if arm is not None else []:
        assert arm is not None
        scratch = sides.scratch(task, arm)
        for size in sides.headline(task, arm, scratch) if scratch else []:
            assert scratch is not None
            own, base = sides.cells[task, arm, size], sides.cells[task, scratch, size]
            if own.trials > base.trials and not own.held_out:
                return (
                    f"its setting is the best of {own.trials} by the dev scores that time is read from, scratch's of"
                    f" {base.trials}"
                )
    return ""


def _none(sides: Sides, each: Judgement, own: Speed) -> Verdict:
    """Return the verdict where nothing was paired: for want of runs, or since scratch has no level of its own."""
    if not own.doubts:
        return nothing("time", sides, each)
    why = listed(own.doubts)
    each = replace(each, word=INCONCLUSIVE, why=why)
    return verdict("time", sides, each, f"No word on time: {why}.", remedies(own.doubts))


def _voted(said: Said, clocks: list[Clock], main: str) -> Said:
    """Return the deciding clock's judgement, inconclusive where it is disturbed or another clock contradicts it."""
    disturbed = next((clock.disturbed for clock in clocks if clock.clock == main), "")
    if disturbed:
        return said.back(f"{NAMES[main]} are disturbed: {disturbed}", UNDISTURBED)
    if against := _disagreement(clocks):
        return said.back(against, NEITHER)
    return said


def _disagreement(clocks: list[Clock]) -> str:
    """Say which undisturbed clocks contradict each other, with their numbers; "" where none do."""
    words = {word: [clock for clock in clocks if not clock.disturbed and clock.word == word]
             for word in (SUPPORTED, NOT_SUPPORTED)}  # fmt: skip
    if not all(words.values()):
        return ""
    parts = [f"{word} by {', '.join(map(by_clock, members))}" for word, members in words.items()]
    return f"the clocks disagree: {'; '.join(parts)}"


def _end(each: Judgement, faster: float) -> str:
    return {
        SUPPORTED: "pretraining apart",
        NOT_SUPPORTED: f"which leaves no gain of {faster:g} times",
        INCONCLUSIVE: f"but {each.why}",
        SMALL: f"which is less than {faster:g} times",
        MIXED: f"but it {each.why}",
    }[each.word]


def _settled(said: Said, own: Speed, level: float) -> str:
    """Return what these seeds can see, what an exact test says, and the cells that no word rests on."""
    # where seeds would not settle it, of their number only what they can see is told: as for a word that stands
    counted = replace(said.judgement, word=NOT_SUPPORTED) if said.remedy else said.judgement
    parts = [settling(counted, lambda value: f"{math.exp(value):.2g} times"), said.remedy]
    least, p = exact(own.effects)
    if said.judgement.pooled is None or said.judgement.pooled.n < FEWEST:
        p = None
    if p is not None and least > 1 - level:
        parts.append(
            f"No pattern of these seeds could reach the level in a test without assumptions: its p is {least:.2g} at"
            " least, so the word rests on Student's t."
        )
    elif p is not None:
        parts.append(f"Exact test by signs: p = {p:.2g}.")
    if own.doubts:
        parts.append(f"Left out: {listed(own.doubts)}.")
    if own.floorless:
        parts.append("The majority's dev score is not known, so the target is a share of the whole of scratch's best.")
    return " ".join(part for part in parts if part)


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
