"""The verdict on time in words: a ratio with what is known of it, who arrives, who diverged."""

from thaw.report.claims.clocks import NAMES, Clock
from thaw.report.claims.crossing import LEAST, MOST
from thaw.report.claims.phrases import left_out, times
from thaw.report.claims.ratio import Counts
from thaw.report.claims.sides import Sides
from thaw.report.claims.speed import Speed
from thaw.report.claims.verdict import name
from thaw.report.statistics import Estimate
from thaw.report.words import listed


def ratio_with(ratio: Estimate | None, bound: str, of: str = "") -> str:
    """Return a log ratio with its interval: "1.9 times, 1.2 to 2.9"; of a bound "at most 0.95 times, below 4.06".

    ``of`` stands between the ratio and its interval: " as fast as scratch".
    """
    if ratio is None:
        return "not known"
    mean = f"{bound} {times(ratio.mean)} times{of}".strip()
    if not ratio.tested or ratio.low is None or ratio.high is None:
        return mean
    if bound == LEAST:
        return f"{mean}, above {times(ratio.low)}"
    if bound == MOST:
        return f"{mean}, below {times(ratio.high)}"
    return f"{mean}, {times(ratio.low)} to {times(ratio.high)}"


def by_clock(clock: Clock) -> str:
    """Return a clock with its ratio: "CPU seconds (1.9 times, 1.2 to 2.9)"."""
    return f"{clock.name} ({ratio_with(clock.ratio, clock.bound)})"


def reach(sides: Sides, ratio: Estimate, own: Speed) -> str:
    """Return how fast transfer is and how many runs arrive: the sentence of the verdict but for its end."""
    counts = f"{arrive(own.counts[0])} arrive, scratch {arrive(own.counts[1])}"
    near = [
        f"{count.near} of {label}'s"
        for label, count in zip((name(sides), "scratch"), own.counts, strict=True)
        if count.near
    ]
    noise = f", {listed(near)} only within scratch's noise" if near else ""
    return (
        f"{name(sides)} reaches {sides.rule.target:.0%} of what scratch gains on dev"
        f" {ratio_with(ratio, own.bound, ' as fast as scratch')} (by {NAMES[own.clock]}; {counts}{noise})"
    )


def arrive(counts: Counts) -> str:
    """Return how many runs arrive: "5 of 5"."""
    return f"{counts.arrived} of {counts.runs}"


def lost(sides: Sides, own: Speed) -> str:
    """Return how many runs diverged or failed, "" if none: "; 4 of 10 runs of full diverged and never arrive"."""
    labels = (name(sides), "scratch")
    parts = [
        f"{counts.diverged} of {counts.runs} runs of {label} diverged"
        for label, counts in zip(labels, own.counts, strict=True)
        if counts.diverged
    ]
    parts = [f"{' and '.join(parts)} and never arrive"] if parts else []
    return "".join(f"; {part}" for part in [*parts, *left_out(sides)])
