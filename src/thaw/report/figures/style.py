"""How the arms of a study are drawn: one colour and marker a strategy, one line style a checkpoint or budget of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from thaw.report.arms import Arm
from thaw.report.palette import Look, looks

DASHES = ("solid", "dash", "longdashdot", "dot")  # checkpoints and budgets of one strategy


@dataclass(frozen=True)
class Style:
    """The looks of all arms, the same on every figure."""

    arms: tuple[Arm, ...]
    looks: Mapping[str, Look]  # by strategy
    dashes: Mapping[str, str]  # by label of the arm

    @classmethod
    def of(cls, arms: Iterable[Arm], last: Collection[Arm] = ()) -> "Style":
        """Return the style of some arms; those of ``last`` take a line style after the others of their strategy."""
        ordered = tuple(sorted(set(arms), key=lambda arm: arm.order))
        look = looks(arm.what for arm in ordered)
        sources: dict[str, list[tuple[str, int | None]]] = {}
        for arm in sorted(ordered, key=lambda arm: (arm in last, arm.order)):
            sources.setdefault(arm.strategy, []).append((arm.source, arm.steps))
        dash = {
            arm.label: DASHES[sources[arm.strategy].index((arm.source, arm.steps)) % len(DASHES)]
            if len(sources[arm.strategy]) > 1
            else look[arm.strategy].dash
            for arm in ordered
        }
        return cls(ordered, look, dash)

    def colour(self, arm: Arm) -> str:
        """Return the colour of an arm's strategy."""
        return self.looks[arm.strategy].colour

    def line(self, arm: Arm, width: float = 2) -> dict[str, Any]:
        """Return the line of an arm in plotly's words."""
        return {"color": self.colour(arm), "width": width, "dash": self.dashes[arm.label]}

    def symbol(self, arm: Arm, hollow: bool = False) -> str:
        """Return the marker of an arm."""
        symbol = self.looks[arm.strategy].symbol
        return f"{symbol}-open" if hollow and not symbol.endswith("-open") else symbol

    def marker(self, arm: Arm, size: float = 9) -> dict[str, Any]:
        """Return the marker of an arm in plotly's words."""
        return {"symbol": self.symbol(arm), "size": size, "color": self.colour(arm)}
