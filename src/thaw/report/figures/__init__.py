"""The figures of a study: one small file a family, all as `Plot`."""

from collections.abc import Sequence

from thaw.report.cells import Cell
from thaw.report.figures.plot import Figure, Plot
from thaw.report.figures.seconds import by_seconds
from thaw.report.figures.size import by_size
from thaw.report.figures.style import Style

__all__ = ["Figure", "Plot", "Style", "by_seconds", "by_size", "plots"]


def plots(cells: Sequence[Cell], style: Style) -> list[Plot]:
    """Return every figure of a study, in the order of families and tasks."""
    made: list[Plot] = []
    for task in sorted({cell.task for cell in cells}):
        members = [cell for cell in cells if cell.task == task]
        made.append(by_size(members, style))
        made += by_seconds(members, style)
    return made
