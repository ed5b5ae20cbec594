"""One colour, line and marker a strategy, the same on every figure and table of a page.

Colours are those of Okabe and Ito (2008), told apart with any common colour blindness; a marker and a line style tell
the same thing a second time, so that no figure relies on colour. Controls are drawn dotted, in quieter colours.
"""

from collections.abc import Iterable
from dataclasses import dataclass

BASELINE = "scratch"


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


def looks(strategies: Iterable[str]) -> dict[str, Look]:
    """Return a look for each strategy; those unknown here (plug-ins) take spare ones in alphabetical order."""
    names = sorted(set(strategies))
    spare = [name for name in names if name not in LOOKS]
    made = {
        name: Look(colour=_SPARE[-1 - i % 7], symbol=_SPARE_SYMBOLS[i % 5], dash="dash") for i, name in enumerate(spare)
    }
    return {name: LOOKS.get(name) or made[name] for name in names}


def rank(strategy: str) -> tuple[int, str]:
    """Sort key: the baseline first, then from little to all learning, plug-ins, controls last."""
    order = list(LOOKS)
    controls = order.index("frozen_random")
    if strategy not in LOOKS:
        return (controls, strategy)
    place = order.index(strategy)
    return (place if place < controls else place + 1, strategy)
