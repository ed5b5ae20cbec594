"""The figures of a study: one small file a family, all as `Plot`."""

from collections.abc import Sequence

from thaw.report.arms import Arm
from thaw.report.cells import Cell
from thaw.report.collect import Run
from thaw.report.figures.plot import Figure, Plot
from thaw.report.figures.seconds import by_seconds
from thaw.report.figures.seeds import by_seed
from thaw.report.figures.size import by_size
from thaw.report.figures.style import Style
from thaw.report.figures.timeline import timeline

__all__ = ["Figure", "Plot", "Style", "by_seconds", "by_seed", "by_size", "plots", "timeline"]


def plots(cells: Sequence[Cell], style: Style, failed: Sequence[tuple[Arm, Run]] = ()) -> list[Plot]:
    """Return every figure of a study, in the order of families and tasks; ``failed`` are its failed runs."""
    made: list[Plot | None] = []
    for task in sorted({cell.task for cell in cells}):
        members = [cell for cell in cells if cell.task == task]
        made.append(by_size(members, style))
        made += by_seconds(members, style)
        made.append(by_seed(members, [(arm, run) for arm, run in failed if run["task"] == task], style))
        made.append(timeline(members, style))
    return [one for one in made if one]
