"""One colour, line and marker a strategy, the same on every figure and table of a page.

Colours are those of Okabe and Ito (2008), told apart with any common colour blindness; a marker and a line style tell
the same thing a second time, so that no figure relies on colour. Controls are drawn dotted, in quieter colours.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from thaw.report.strategy import BASELINE as BASELINE
from thaw.report.strategy import Strategy


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a strategy is drawn, in plotly's words."""

    colour: str
    symbol: str
    dash: str = "solid"


LOOKS = {
    "scratch": Look(colour="#8a8a8a", symbol="square"),
    "feature_based": Look(colour="#009E73", symbol="diamond"),
    "frozen": Look(colour="#56B4E9", symbol="triangle-down"),
    "gradual_unfreeze": Look(colour="#D55E00", symbol="triangle-up"),
    "lp_ft": Look(colour="#CC79A7", symbol="pentagon"),
    "top_k": Look(colour="#E69F00", symbol="star"),
    "bias_only": Look(colour="#C9B500", symbol="hexagon"),
    "full": Look(colour="#0072B2", symbol="circle"),
    "frozen_random": Look(colour="#7fa8bf", symbol="x", dash="dot"),
    "tfidf": Look(colour="#a0785a", symbol="cross", dash="dot"),
    "majority": Look(colour="#a8a8a8", symbol="line-ew-open", dash="dot"),
}
_SPARE = [look.colour for look in LOOKS.values()][1:8]
_SPARE_SYMBOLS = ("bowtie", "hourglass", "star-diamond", "hexagram", "star-square")


def looks(strategies: Iterable[Strategy]) -> dict[str, Look]:
    """Return a look for each strategy, by name, in the colour that it records.

    Strategies unknown here (plug-ins) that record no colour take spare ones in alphabetical order.
    """
    known = {one.name: one for one in strategies}
    spare = [name for name in sorted(known) if name not in LOOKS]
    made = {}
    for name, one in sorted(known.items()):
        if name in LOOKS:
            look = LOOKS[name]
        else:
            number, dash = spare.index(name), "dot" if one.control else "dash"
            look = Look(colour=_SPARE[-1 - number % 7], symbol=_SPARE_SYMBOLS[number % 5], dash=dash)
        made[name] = replace(look, colour=one.colour) if one.colour else look
    return made


def rank(strategy: Strategy) -> tuple[int, str]:
    """Sort key: the baseline, strategies from little to all learning, those of plug-ins, their controls, ours."""
    order, name = list(LOOKS), strategy.name
    controls = order.index("frozen_random")
    if name not in LOOKS:
        return (controls + strategy.control, name)
    place = order.index(name)
    return (place if place < controls else place + 2, name)
