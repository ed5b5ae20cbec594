"""Why no word on time rests on a cell, and the cells of a study in few words."""

from collections.abc import Mapping
from dataclasses import dataclass

from thaw.report.claims.sides import Size

NAMED = 3  # cells up to which each is named
Place = tuple[str, Size]  # task, train size


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """A reason that holds for every cell that has it, the score that shows it in one, and what would remove it."""

    says: str  # a clause
    remedy: str  # a sentence
    amount: float | None = None  # of the dev or test score; None where the reason has no number
    whole: bool = False  # whether the amount is of the task, whatever the train size


def listed(doubts: Mapping[Place, Doubt]) -> str:
    """Return every reason once, with its cells: "scratch ... (3 tasks, 12 cells; most: +0.084 on trec, 400 labels)"."""
    reasons: dict[str, dict[Place, Doubt]] = {}
    for place, doubt in doubts.items():
        reasons.setdefault(doubt.says, {})[place] = doubt
    return "; ".join(f"{says} ({_cells(members)})" for says, members in reasons.items())


def remedies(doubts: Mapping[Place, Doubt]) -> str:
    """Return what would remove the doubts, each remedy once."""
    return " ".join(dict.fromkeys(doubt.remedy for doubt in doubts.values()))


def _cells(doubts: Mapping[Place, Doubt]) -> str:
    amounts = {place: doubt.amount for place, doubt in doubts.items() if doubt.amount is not None}
    most = ""
    if amounts:
        place = max(amounts, key=lambda place: amounts[place])
        most = f"{amounts[place]:+.3f} on {place[0] if doubts[place].whole else _named(place)}"
    if most and len(doubts) == 1:
        return most
    if len(doubts) <= NAMED and not most:
        return "; ".join(map(_named, doubts))
    tasks = len({task for task, _ in doubts})
    count = f"{tasks} task{'s' * (tasks > 1)}, {len(doubts)} cell{'s' * (len(doubts) > 1)}"
    return f"{count}; most: {most}" if most else count


def _named(place: Place) -> str:
    return f"{place[0]}, {place[1]} labels"
