"""Which of several settings is taken where their dev scores are exactly equal.

The one nearest to the middle of the equal ones is taken: if the true curve has one peak, it lies between them. Of two
that are equally near, the one that is not on the edge of its grid is taken, then the one with the smaller values.
`thaw transfer tuned=…` and the report choose by this one rule.
"""

from collections.abc import Mapping, Sequence
from typing import Any

RULE = "the one nearest to the middle of the equal ones, then the one inside its grid, then the smaller"
EQUAL = 1e-9  # difference of two mean dev scores that are the same
Setting = Mapping[str, Any]


def taken(equal: Sequence[Setting], grid: Sequence[Setting]) -> int:
    """Return the place of the setting that is taken of ``equal`` ones; ``grid`` holds all settings that were tried."""
    steps = {key: sorted({setting[key] for setting in grid if _number(setting.get(key))}) for key in equal[0]}
    ranks = [{key: steps[key].index(tied[key]) for key in tied if _number(tied[key])} for tied in equal]
    middles = {key: sum(rank.get(key, 0) for rank in ranks) / len(ranks) for key in steps}

    def order(place: int) -> tuple[float, int, str, list[tuple[str, float]]]:
        rank = ranks[place]
        far = sum(abs(own - middles[key]) for key, own in rank.items())
        edges = sum(own in (0, len(steps[key]) - 1) for key, own in rank.items())
        words = str([(key, str(value)) for key, value in sorted(equal[place].items()) if not _number(value)])
        return round(far, 9), edges, words, sorted((key, float(equal[place][key])) for key in rank)

    return min(range(len(equal)), key=order)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
